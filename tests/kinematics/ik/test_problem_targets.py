"""Targets of a problem, and what is wrong with them in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from ik_problems import HANDS_AND_FEET, Y, bent, reached, same

from kinematics import forward_kinematics, ik
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik.limits import Cone
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton


def test_targets_in_goals_by_array_and_by_name_give_the_same(body: Pose) -> None:
    points = reached(body)
    own = ik.Problem(body.skeleton, dict(zip(HANDS_AND_FEET, points, strict=True))).solve(body)
    problem = ik.Problem(body.skeleton, dict.fromkeys(HANDS_AND_FEET, ik.position()))
    assert own.status == "converged"
    same(own, problem.solve(body, points))
    same(own, problem.solve(body, dict(zip(HANDS_AND_FEET, points, strict=True))))
    same(own, problem.solve(body, dict(reversed(list(zip(HANDS_AND_FEET, points.tolist(), strict=True))))))
    same(own, ik.solve(body, dict(zip(HANDS_AND_FEET, points.tolist(), strict=True))))
    same(own, ik.solve(body, {name: tuple(point) for name, point in zip(HANDS_AND_FEET, points.tolist(), strict=True)}))


def test_a_callers_target_goes_before_the_goals_own(body: Pose) -> None:
    points = reached(body)
    problem = ik.Problem(body.skeleton, {name: np.full(3, 0.5) for name in HANDS_AND_FEET})
    found = problem.solve(body, {"LeftHand": points[0]})
    mixed = ik.solve(body, {"LeftHand": points[0], **{name: np.full(3, 0.5) for name in HANDS_AND_FEET[1:]}})
    same(found, mixed)
    same(problem.solve(body, points), ik.solve(body, dict(zip(HANDS_AND_FEET, points, strict=True))))


def test_a_callers_target_replaces_frames_of_the_goal(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": np.zeros((4, 3)), "RightHand": np.full(3, 0.3)})
    assert problem.solve(body).motion.num_frames == 4
    assert isinstance(problem.solve(body, {"LeftHand": [0.1, 0.2, 0.3]}).status, str)
    assert problem.solve(body, {"LeftHand": np.zeros((3, 3))}).motion.num_frames == 3


def test_one_frame_of_a_target_serves_all_frames_of_the_others(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position(), "RightHand": ik.position()})
    left, right = reached(body, ("LeftHand", "RightHand"))
    several = problem.solve(body, {"LeftHand": np.tile(left, (5, 1)), "RightHand": right})
    same(several, problem.solve(body, {"LeftHand": np.tile(left, (5, 1)), "RightHand": right[None]}))
    same(several, problem.solve(body, np.tile(np.stack([left, right]), (5, 1, 1))))


def test_orientations_and_transforms_by_array_and_by_name(body: Pose) -> None:
    other = forward_kinematics(bent(body.skeleton, seed=5))
    names = ("LeftHand", "Head")
    places = {name: (other.position(name), other.rotation(name)) for name in names}
    problem = ik.Problem(body.skeleton, dict.fromkeys(names, ik.transform()))
    own = ik.solve(body, {name: ik.transform(*pair) for name, pair in places.items()})
    assert own.status == "converged"
    same(own, problem.solve(body, places), exactly=False)
    same(own, problem.solve(body, {name: np.concatenate(pair) for name, pair in places.items()}), exactly=False)
    same(own, problem.solve(body, np.array([np.concatenate(pair) for pair in places.values()])), exactly=False)
    problem = ik.Problem(body.skeleton, dict.fromkeys(names, ik.orientation()))
    same(
        problem.solve(body, {name: pair[1] for name, pair in places.items()}),
        problem.solve(body, np.array([pair[1] for pair in places.values()])),
    )


def test_layout_and_type_of_an_array_of_targets_do_not_matter(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, dict.fromkeys(HANDS_AND_FEET, ik.position()))
    points = np.array([reached(body, seed=seed) for seed in range(3)])
    expected = problem.solve(body, points)
    same(expected, problem.solve(body, np.asfortranarray(points)))
    same(expected, problem.solve(body, np.moveaxis(np.ascontiguousarray(np.moveaxis(points, 1, 0)), 0, 1)))
    locked = points.copy()
    locked.setflags(write=False)
    same(expected, problem.solve(body, locked))
    rounded = points.astype(np.float32)
    same(problem.solve(body, rounded.astype(np.float64)), problem.solve(body, rounded))


def test_several_goals_of_one_name_are_told_apart_by_kind(body: Pose) -> None:
    other = forward_kinematics(bent(body.skeleton, seed=5))
    point, turn = other.position("LeftHand"), other.rotation("LeftHand")
    problem = ik.Problem(body.skeleton, {"LeftHand": [ik.position(), ik.orientation()]})
    same(
        problem.solve(body, {"LeftHand position": point, "LeftHand orientation": turn}),
        ik.solve(body, {"LeftHand": [ik.position(point), ik.orientation(turn)]}),
        exactly=False,
    )
    with pytest.raises(InputError, match="there is no target for 'LeftHand orientation'"):
        problem.solve(body, {"LeftHand position": point})
    with pytest.raises(UnknownNameError, match="no goal that takes a target named 'LeftHand'; did you mean"):
        problem.solve(body, {"LeftHand": point})


def test_two_positions_of_one_joint_take_their_targets_in_an_array(body: Pose) -> None:
    other = forward_kinematics(bent(body.skeleton, seed=5))
    offset = np.array([0.1, 0.0, 0.0])
    points = np.array(
        [other.position("LeftHand"), other.position("LeftHand") + quaternion.rotate(other.rotation("LeftHand"), offset)]
    )
    goals = {"LeftHand": [ik.position(), ik.position(offset=offset)]}
    for more in ({}, {"LeftFoot": ik.hold()}):
        problem = ik.Problem(body.skeleton, {**goals, **more})
        found = problem.solve(body, points)
        assert found.status == "converged"
        where = forward_kinematics(found.pose)
        np.testing.assert_allclose(where.position("LeftHand"), points[0], atol=2e-3)
        np.testing.assert_allclose(
            where.position("LeftHand") + quaternion.rotate(where.rotation("LeftHand"), offset), points[1], atol=2e-3
        )
        with pytest.raises(InputError, match="2 goals are called 'LeftHand position'"):
            problem.solve(body, {"LeftHand position": points[0]})


def solving(problem: ik.Problem, pose: Pose, targets: object, **options: object) -> Callable[[], object]:
    return lambda: problem.solve(pose, targets, **options)  # type: ignore[arg-type]


@pytest.mark.usefixtures("unchecked_shapes")
def test_errors_of_targets(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position(), "RightHand": ik.position()})
    mixed = ik.Problem(body.skeleton, {"LeftHand": ik.position(), "RightHand": ik.orientation()})
    both = ik.Problem(body.skeleton, {"LeftHand": ik.transform(), "RightFoot": ik.hold()})
    point = [0.1, 0.2, 0.3]
    cases: list[tuple[Callable[[], object], str]] = [
        (solving(problem, body, None), "there is no target for 'LeftHand', 'RightHand'; give it to the goal or to Problem.solve"),
        (solving(problem, body, {"LeftHand": point}), "there is no target for 'RightHand'"),
        (solving(problem, body, {"LeftHnd": point}), "no goal that takes a target named 'LeftHnd'; did you mean 'LeftHand'"),
        (
            solving(problem, body, np.zeros(3)),
            r"targets must have shape \(2, 3\) or \(frames, 2, 3\), for LeftHand, RightHand; got \(3,\)",
        ),
        (solving(problem, body, np.zeros((3, 3))), r"got \(3, 3\)"),
        (solving(problem, body, np.zeros((4, 2, 4))), r"got \(4, 2, 4\)"),
        (solving(problem, body, "left"), "targets must be numbers, or a mapping from names; got 'left'"),
        (
            solving(problem, body, {"LeftHand": [1.0, 2.0], "RightHand": point}),
            r"the target of 'LeftHand' must be shape \(3,\) or",
        ),
        (solving(problem, body, {"LeftHand": "up", "RightHand": point}), "the target of 'LeftHand' must be"),
        (
            solving(problem, body, {"LeftHand": np.zeros((2, 3)), "RightHand": np.zeros((3, 3))}),
            "differ in their number of frames: 'LeftHand' 2, 'RightHand' 3",
        ),
        (solving(mixed, body, np.zeros((2, 3))), "these goals want different ones; give them by name: LeftHand, RightHand"),
        (
            solving(mixed, body, {"LeftHand": point, "RightHand": [2.0, 0.0, 0.0, 0.0]}),
            "target rotations must be unit quaternions wxyz",
        ),
        (solving(both, body, {"LeftHand": point}), r"must be a pair of a point \(3,\) and a rotation \(4,\)"),
        (solving(both, body, {"LeftHand": (point, point)}), r"must be a pair of a point \(3,\) and a rotation \(4,\)"),
        (
            solving(both, body, {"LeftHand": (point, [1.0, 0.0, 0.0, 0.0]), "RightFoot": point}),
            "no goal that takes a target named 'RightFoot'",
        ),
    ]
    for number, (call, message) in enumerate(cases):
        with pytest.raises(InputError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value), number


@pytest.mark.parametrize(("bad", "axes"), [(np.nan, "xyz"), (np.nan, "y"), (np.inf, "xyz"), (-np.inf, "y"), (1e200, "xyz")])
def test_targets_that_are_not_finite_are_refused(body: Pose, bad: float, axes: str) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position(axes=axes), "RightHand": ik.position(axes=axes)})
    points = reached(body, ("LeftHand", "RightHand"))
    points[1, 0] = bad
    with pytest.raises(InputError, match=r"targets must be finite, those of frame 0 are not"):
        problem.solve(body, points)
    with pytest.raises(InputError, match=r"finite"):
        problem.solve(body, {"LeftHand": points[0], "RightHand": points[1]})
    several = np.tile(points, (80, 1, 1))  # as many as take threads
    several[:, 1, 0] = 0.0
    several[70, 1, 0] = bad
    with pytest.raises(InputError, match=r"targets must be finite, those of frame 70 are not \(1 such frames\)"):
        problem.solve(body, several)


@pytest.mark.parametrize("make", [ik.look_at, ik.pole, ik.center_of_mass])
def test_points_of_every_kind_that_are_not_finite_are_refused(body: Pose, make: Callable[[], ik.Goal]) -> None:
    problem = ik.Problem(body.skeleton, {"LeftForeArm": make()})
    with pytest.raises(InputError, match="finite"):
        problem.solve(body, np.array([[np.nan, 0.0, 0.0]]))


def test_rotations_that_are_not_finite_are_refused(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.orientation()})
    with pytest.raises(InputError, match="finite"):
        problem.solve(body, np.array([[np.nan, 0.0, 0.0, 0.0]]))


@pytest.mark.usefixtures("unchecked_shapes")
def test_errors_of_problems(body: Pose) -> None:
    skeleton, point = body.skeleton, [0.1, 0.2, 0.3]
    goals = {"LeftHand": point}
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: ik.Problem(skeleton, {}), "there is no goal"),
        (lambda: ik.Problem(skeleton, [point]), 'goals are given by name, such as {"LeftHand": .*got list'),  # type: ignore[arg-type]
        (lambda: ik.Problem(skeleton, {"LeftHand": [0.1, 0.2]}), "the target of 'LeftHand' must have shape"),
        (lambda: ik.Problem(skeleton, {"LeftHand": []}), "the target of 'LeftHand' must have shape"),
        (lambda: ik.Problem(skeleton, goals, method="newton"), "no method named 'newton'; there are: levenberg_marquardt"),  # type: ignore[arg-type]
        (lambda: ik.Problem(skeleton, goals, method="FABRIK"), "no method named 'FABRIK'; did you mean 'fabrik'"),  # type: ignore[arg-type]
        (
            lambda: ik.Problem(skeleton, goals, root="nailed"),
            "no root mode named 'nailed'; did you mean 'fixed'",
        ),  # type: ignore[arg-type]
        (
            lambda: ik.Problem(skeleton, goals, stiffness={"Hips": 0.0}),
            r"the stiffness of 'Hips' must be positive \(1 is usual, math.inf locks\), got 0",
        ),
        (lambda: ik.Problem(skeleton, goals, stiffness={"Hips": math.nan}), "the stiffness of 'Hips' must be positive"),
        (lambda: ik.Problem(skeleton, goals, limits={"Hip": Cone(Y, 1.0)}), "no joint named 'Hip'; did you mean 'Hips'"),  # type: ignore[arg-type]
        (
            lambda: ik.Problem(skeleton, goals, limits={"Hips": 1.0}),
            "the limit of 'Hips' must be a Hinge, SwingTwist, Cone or EulerBox, got 1.0",
        ),  # type: ignore[dict-item]
        (lambda: ik.solve(goals, goals), "ik.solve takes a Pose or a Motion, got dict"),  # type: ignore[arg-type]
    ]
    for name in ("tolerance", "angle_tolerance"):
        for value in (0.0, -1.0, math.nan, math.inf, "fine"):
            cases.append(
                (
                    lambda name=name, value=value: ik.Problem(skeleton, goals, **{name: value}),
                    f"{name} must be a positive number, got {value!r}",
                )
            )  # type: ignore[misc]
    for value in (0, -1, 1.5, True, "many"):
        cases.append(
            (lambda value=value: ik.Problem(skeleton, goals, max_iterations=value), "max_iterations must be 1, 2, 3, ..., got")
        )  # type: ignore[misc]
    for number, (call, message) in enumerate(cases):
        with pytest.raises(InputError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value), number


@pytest.mark.usefixtures("unchecked_shapes")
def test_errors_of_what_is_solved(body: Pose, clip: Motion) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position()})
    points = np.zeros((4, 1, 3))
    other = bent(human_skeleton(1.8))
    with pytest.raises(InputError, match="the pose has another skeleton than the problem"):
        problem.solve(other, points)
    with pytest.raises(InputError, match="the pose has another skeleton than the problem"):
        problem.solve(body, points, start=other)
    with pytest.raises(InputError, match="a Pose or a Motion is solved, got list"):
        problem.solve([body], points)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="targets are for 4 frames, the clip has 9"):
        problem.solve(clip, points)
    with pytest.raises(InputError, match="the start has 9 frames, 4 are to be solved"):
        problem.solve(body, points, start=clip)
    with pytest.raises(InputError, match="the start has 9 frames, 1 are to be solved"):
        problem.solve(body, points[0], start=clip)
    with pytest.raises(
        UnknownNameError,
        match="no way over time named 'hot'; did you mean|no way over time named 'hot'; there are: independent, warm",
    ):
        problem.solve(body, points, over_time="hot")  # type: ignore[arg-type]
