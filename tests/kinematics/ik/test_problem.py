from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kinematics import forward_kinematics, ik
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik.limits import Cone, Hinge, limit_violations
from kinematics.ik.problem import METHODS
from kinematics.ik.result import STATUSES
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import assert_quats_close, human_skeleton, random_motion, random_skeleton

X, Y = np.eye(3)[:2]
HANDS_AND_FEET = ("LeftHand", "RightHand", "LeftFoot", "RightFoot")


def bent(skeleton: Skeleton, seed: int = 0, size: float = 0.2) -> Pose:
    """A pose a little off the rest pose, so that nothing is straight."""
    rng = np.random.default_rng(seed)
    turns = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * size)
    return Pose(skeleton, np.array([0.1, 0.93, -0.2]), turns)


@pytest.fixture(scope="module")
def body() -> Pose:
    return bent(human_skeleton())


@pytest.fixture(scope="module")
def clip() -> Motion:
    return random_motion(human_skeleton(), 3, num_frames=9, smooth=True)


def reached(pose: Pose, names: tuple[str, ...] = HANDS_AND_FEET, *, size: float = 0.3, seed: int = 1) -> np.ndarray:
    """Targets that some other pose reaches, shape (names, 3)."""
    rng = np.random.default_rng(seed)
    turns = quaternion.from_rotation_vector(rng.normal(size=(pose.skeleton.num_joints, 3)) * size)
    other = pose.with_local_rotations(quaternion.normalize(quaternion.multiply(pose.local_rotations, turns)))
    found = forward_kinematics(other)
    return np.array([found.position(name) for name in names])


def same(a: ik.Result, b: ik.Result, *, exactly: bool = True) -> None:
    check = np.testing.assert_array_equal if exactly else lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=1e-12)
    check(a.local_rotations, b.local_rotations)
    check(a.root_positions, b.root_positions)
    check(a.errors, b.errors)
    np.testing.assert_array_equal(a.iterations, b.iterations)
    np.testing.assert_array_equal(a.codes, b.codes)


# Targets: in the goals, by array, by name.


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


# What is wrong is said in one sentence.


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


# Shapes of what comes out.


def test_a_pose_and_one_target_give_a_pose(body: Pose) -> None:
    result = ik.solve(body, {"LeftHand": reached(body)[0], "LeftFoot": ik.hold(orientation=True)})
    assert result.errors.shape == (3,)
    assert result.goals == ("LeftHand position", "LeftFoot position", "LeftFoot orientation")
    assert isinstance(result.iterations, int)
    assert result.status == "converged"
    assert result.converged is True
    assert result.pose.skeleton is body.skeleton
    assert result.motion.num_frames == 1
    assert result.error("LeftHand") == result.errors[0]
    assert result.error("LeftFoot orientation") == result.errors[2]
    with pytest.raises(InputError, match=r"one goal is asked for by its name, got 'LeftFoot'; there are: LeftHand position, "):
        result.error("LeftFoot")
    with pytest.raises(InputError, match=r"got 'Head'"):
        result.error("Head")


@pytest.mark.parametrize("frames", [0, 1, 2, 70])
def test_a_pose_and_many_targets_give_a_motion(body: Pose, frames: int) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position(), "RightHand": ik.position()})
    points = np.tile(reached(body, ("LeftHand", "RightHand")), (frames, 1, 1))
    for targets in (points, {"LeftHand": points[:, 0], "RightHand": points[:, 1]}):
        result = problem.solve(body, targets)
        assert result.errors.shape == (frames, 2)
        assert result.root_positions.shape == (frames, 3)
        assert result.local_rotations.shape == (frames, body.skeleton.num_joints, 4)
        assert np.shape(result.iterations) == np.shape(result.status) == np.shape(result.converged) == (frames,)
        assert np.shape(result.error("LeftHand")) == (frames,)
        assert result.motion.num_frames == frames
        with pytest.raises(InputError, match=f"result.pose is for one frame, this result has {frames}; take result.motion"):
            _ = result.pose


@pytest.mark.parametrize("frames", [0, 1, 9])
def test_a_motion_gives_a_motion(clip: Motion, frames: int) -> None:
    result = ik.solve(clip[:frames], {"LeftHand": [0.4, 0.3, 0.3], "LeftFoot": ik.hold()})
    assert result.errors.shape == (frames, 2)
    assert result.motion.num_frames == frames
    assert result.motion.frame_time == clip.frame_time
    assert "frames" in repr(result)


def test_a_short_summary_says_the_status(body: Pose) -> None:
    assert repr(ik.solve(body, {"LeftHand": [9.0, 9.0, 9.0]}, root="fixed")).startswith("Result(unreachable, worst error ")
    several = ik.solve(
        body, {"LeftHand": np.array([[9.0, 9.0, 9.0], forward_kinematics(body).position("LeftHand")])}, root="fixed"
    )
    assert repr(several) == "Result(2 frames: 1 converged, 1 unreachable)"


def test_results_are_read_only_and_can_be_pickled(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position()})
    points = np.array([reached(body)[:1]] * 2)
    for result in (problem.solve(body, points[0]), problem.solve(body, points), ik.solve(body, {"LeftHand": points[0, 0]})):
        for array in (result.root_positions, result.local_rotations, result.errors):
            assert not array.flags.writeable
        clip = result.motion
        assert not clip.local_rotations.flags.writeable
        again = pickle.loads(pickle.dumps(result))
        np.testing.assert_array_equal(again.errors, result.errors)
        assert not again.local_rotations.flags.writeable
    assert not problem.solve(body, points).iterations.flags.writeable  # type: ignore[union-attr]


def test_quaternions_stay_unit(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, dict.fromkeys(HANDS_AND_FEET, ik.position()))
    result = problem.solve(body, np.array([reached(body, seed=seed, size=1.0) for seed in range(70)]))
    np.testing.assert_allclose(np.linalg.norm(result.local_rotations, axis=-1), 1.0, rtol=0, atol=1e-12)


def test_stretched_bones_are_kept_and_counted() -> None:
    skeleton = human_skeleton()
    clip = random_motion(skeleton, 4, num_frames=5, smooth=True, stretch=True)
    assert clip.local_positions is not None
    names = ("LeftHand_end", "RightFoot")
    points = np.array([[forward_kinematics(clip[f]).position(name) for name in names] for f in range(5)]) + 0.03
    result = ik.Problem(skeleton, dict.fromkeys(names, ik.position())).solve(clip, points)
    assert result.converged.all()  # type: ignore[union-attr]
    assert result.motion.local_positions is not None
    np.testing.assert_array_equal(result.motion.local_positions[:, 1:], clip.local_positions[:, 1:])
    where = forward_kinematics(result.motion)
    for index, name in enumerate(names):
        np.testing.assert_allclose(
            np.linalg.norm(where.position(name) - points[:, index], axis=-1), result.errors[:, index], atol=1e-9
        )
    single = ik.solve(clip[2], {name: points[2, index] for index, name in enumerate(names)})
    assert single.pose.local_positions is not None
    np.testing.assert_array_equal(single.local_rotations, result.local_rotations[2])
    many = ik.Problem(skeleton, dict.fromkeys(names, ik.position())).solve(clip[2], points)
    assert many.motion.local_positions is not None
    np.testing.assert_array_equal(many.local_rotations[2], single.local_rotations)


# One answer, however it is asked for.


GOALS: dict[str, Callable[[], dict[str, ik.Goal]]] = {
    "points": lambda: dict.fromkeys(HANDS_AND_FEET, ik.position()),
    "points and more": lambda: {
        **dict.fromkeys(HANDS_AND_FEET[:3], ik.position()),
        "RightFoot": ik.hold(orientation=True),
        "Head": ik.orientation([1.0, 0.0, 0.0, 0.0], weight=0.3, priority=1),
        "stay": ik.posture(priority=2),
    },
}


@pytest.mark.parametrize("method", ik.problem.JACOBIAN_METHODS)
@pytest.mark.parametrize("kind", GOALS)
def test_single_batch_and_clip_are_the_same(body: Pose, method: str, kind: str) -> None:
    goals = GOALS[kind]()
    limits = {"LeftForeArm": Hinge(Y, -2.5, 0.0), "RightLeg": Cone(-Y, 1.0)}
    problem = ik.Problem(body.skeleton, goals, method=method, max_iterations=30, limits=limits)  # type: ignore[arg-type]
    count = 130  # threads take part from 128 on
    points = np.array([reached(body, HANDS_AND_FEET[: 4 if kind == "points" else 3], seed=seed) for seed in range(count)])
    names = [name for name in goals if name not in ("Head", "stay") and goals[name].kind == "position"]

    def by_name(f: int | slice) -> dict[str, np.ndarray]:
        return {name: points[f, index] for index, name in enumerate(names)}

    batch = problem.solve(body, by_name(slice(None)))
    if kind == "points":
        same(batch, problem.solve(body, points))
    still = Motion(body.skeleton, np.tile(body.root_positions, (count, 1)), np.tile(body.local_rotations, (count, 1, 1)), 1 / 30)
    same(batch, problem.solve(still, by_name(slice(None))))
    for f in (0, 1, 64, 65, count - 1):
        single = problem.solve(body, by_name(f))
        np.testing.assert_array_equal(single.local_rotations, batch.local_rotations[f])
        np.testing.assert_array_equal(single.errors, batch.errors[f])
        assert single.status == batch.status[f]
        assert single.iterations == batch.iterations[f]  # type: ignore[index]
    few = problem.solve(body, {name: values[:3] for name, values in by_name(slice(None)).items()})
    np.testing.assert_array_equal(few.local_rotations, batch.local_rotations[:3])


def test_one_thread_and_two_are_the_same(body: Pose, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = ik.Problem(body.skeleton, dict.fromkeys(HANDS_AND_FEET, ik.position()))
    points = np.array([reached(body, seed=seed) for seed in range(200)])
    several = []
    for cores in (1, 2, 3):
        monkeypatch.setattr("kinematics.ik.problem.os.sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        several.append(problem.solve(body, points))
    same(several[0], several[1])
    same(several[0], several[2])


def test_a_problem_does_not_change(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position()})
    for name in ("tolerance", "method", "goals", "anything"):
        with pytest.raises(AttributeError, match=f"a Problem does not change, so {name} cannot be set; make another one"):
            setattr(problem, name, 1.0)


def test_a_problem_solved_again_gives_the_same(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, dict.fromkeys(HANDS_AND_FEET, ik.position()))
    first = problem.solve(body, reached(body))
    problem.solve(bent(body.skeleton, seed=9), reached(body, seed=8))
    same(first, problem.solve(body, reached(body)))


def test_arguments_are_left_alone(body: Pose, clip: Motion) -> None:
    points, names = reached(body), list(HANDS_AND_FEET)
    goals = {name: ik.position(point) for name, point in zip(names, points, strict=True)}
    limits, stiffness, fixed = {"LeftForeArm": Hinge(Y, -2.0, 0.0)}, {"Spine": 2.0}, ["Head"]
    before = [
        points.copy(),
        dict(goals),
        dict(limits),
        dict(stiffness),
        list(fixed),
        body.local_rotations.copy(),
        body.root_positions.copy(),
    ]
    problem = ik.Problem(body.skeleton, goals, limits=limits, stiffness=stiffness, fixed=fixed)
    batch = np.tile(points, (3, 1, 1))
    problem.solve(body, points)
    problem.solve(body, batch)
    problem.solve(body, batch, over_time="warm")
    problem.solve(clip)
    np.testing.assert_array_equal(points, before[0])
    np.testing.assert_array_equal(batch, np.tile(before[0], (3, 1, 1)))  # type: ignore[arg-type]
    assert [goals, limits, stiffness, fixed] == before[1:5]
    np.testing.assert_array_equal(body.local_rotations, before[5])  # type: ignore[arg-type]
    np.testing.assert_array_equal(body.root_positions, before[6])  # type: ignore[arg-type]


def test_results_do_not_follow_the_callers_array(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position()})
    points = reached(body)[:1]
    result = problem.solve(body, points)
    kept = result.local_rotations.copy()
    points[:] = 9.0
    problem.solve(body, points)
    np.testing.assert_array_equal(result.local_rotations, kept)


# start=, over_time="warm".


def test_a_start_takes_the_place_of_the_pose_where_the_search_begins(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position()})
    target = reached(body)[:1]
    found = problem.solve(body, target)
    again = problem.solve(body, target, start=found.pose)
    assert again.iterations == 0
    np.testing.assert_allclose(again.local_rotations, found.local_rotations, rtol=0, atol=1e-15)
    from_elsewhere = problem.solve(body, target, start=bent(body.skeleton, seed=9))
    same(from_elsewhere, problem.solve(bent(body.skeleton, seed=9), target))


def test_what_is_held_comes_from_the_pose_and_not_from_the_start(body: Pose) -> None:
    start = bent(body.skeleton, seed=9)
    where = forward_kinematics(body)
    result = ik.solve(body, {"LeftFoot": ik.hold(orientation=True), "RightHand": [0.3, 1.0, 0.3]}, start=start)
    assert result.status == "converged"
    np.testing.assert_allclose(forward_kinematics(result.pose).position("LeftFoot"), where.position("LeftFoot"), atol=2e-3)
    anchored = ik.solve(body, {"RightHand": [0.3, 1.0, 0.3]}, start=start, fixed=["LeftFoot"])
    np.testing.assert_allclose(forward_kinematics(anchored.pose).position("LeftFoot"), where.position("LeftFoot"), atol=1e-12)
    near = ik.solve(body, {"all": ik.posture(weight=1.0)}, start=start)
    assert_quats_close(near.local_rotations, body.local_rotations, atol_radians=1e-3)


def test_a_clip_starts_from_its_own_frames_or_those_of_another(clip: Motion) -> None:
    problem = ik.Problem(clip.skeleton, {"LeftHand": ik.position()})
    points = forward_kinematics(clip).position("LeftHand")[:, None] + 0.05
    own = problem.solve(clip, points)
    for f in (0, 4, 8):
        np.testing.assert_array_equal(problem.solve(clip[f], points[f]).local_rotations, own.local_rotations[f])
    again = problem.solve(clip, points, start=own.motion)
    assert not np.any(again.iterations)
    one = problem.solve(clip, points, start=clip[0])
    for f in (0, 4, 8):
        np.testing.assert_array_equal(problem.solve(clip[f], points[f], start=clip[0]).local_rotations, one.local_rotations[f])


def test_warm_frames_go_on_from_the_frame_before(body: Pose) -> None:
    problem = ik.Problem(body.skeleton, {"LeftHand": ik.position()}, tolerance=1e-5)
    points = np.tile(reached(body)[:1], (4, 1, 1))
    result = problem.solve(body, points, over_time="warm")
    assert max(result.iterations.tolist()[1:]) <= 1  # type: ignore[union-attr]
    assert np.all(np.diff(result.errors[:, 0]) <= 1e-12)
    np.testing.assert_allclose(result.local_rotations[1:], np.tile(result.local_rotations[0], (3, 1, 1)), atol=1e-4)
    single = problem.solve(body, points[0])
    np.testing.assert_array_equal(result.local_rotations[0], single.local_rotations)


def test_warm_frames_of_a_clip_keep_its_motion(clip: Motion) -> None:
    # A constant offset of the hand, once found, is carried along: later frames need fewer iterations than cold ones.
    problem = ik.Problem(clip.skeleton, {"LeftHand": ik.position()}, tolerance=1e-4, root="fixed")
    points = forward_kinematics(clip).position("LeftHand")[:, None] + [0.0, 0.2, 0.15]
    warm, cold = problem.solve(clip, points, over_time="warm"), problem.solve(clip, points)
    assert warm.converged.all()  # type: ignore[union-attr]
    assert np.sum(warm.iterations) < np.sum(cold.iterations)
    np.testing.assert_allclose(warm.root_positions, clip.root_positions, atol=1e-12)


# hold, fixed, stiffness, root.


def test_hold_keeps_each_frame_of_a_clip(clip: Motion) -> None:
    where = forward_kinematics(clip)
    goals = {"LeftFoot": ik.hold(), "RightFoot": ik.hold(orientation=True), "LeftHand": where.position("LeftHand") + 0.05}
    result = ik.solve(clip, goals, tolerance=1e-4)
    assert result.converged.all()  # type: ignore[union-attr]
    there = forward_kinematics(result.motion)
    np.testing.assert_allclose(there.position("LeftFoot"), where.position("LeftFoot"), atol=1.1e-4)
    np.testing.assert_allclose(there.position("RightFoot"), where.position("RightFoot"), atol=1.1e-4)
    angles = quaternion.angle_between(there.rotation("RightFoot"), where.rotation("RightFoot"))
    assert angles.max() <= 1e-4


def test_what_holds_alone_changes_nothing(clip: Motion) -> None:
    result = ik.solve(clip, {"LeftFoot": ik.hold(), "Head": ik.hold(orientation=True)})
    assert result.converged.all()  # type: ignore[union-attr]
    assert not np.any(result.iterations)
    np.testing.assert_allclose(result.local_rotations, clip.local_rotations, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(result.root_positions, clip.root_positions)


@pytest.mark.parametrize("fixed", ["LeftToe_end", "LeftFoot", "Head", "Hips", "RightHand_end"])
@pytest.mark.parametrize("method", ik.problem.JACOBIAN_METHODS)
def test_a_fixed_point_stays_exactly(clip: Motion, fixed: str, method: str) -> None:
    before = forward_kinematics(clip)
    goals = {"LeftHand": before.position("LeftHand") + [0.05, 0.1, -0.05], "RightToe": before.position("RightToe") + 0.05}
    result = ik.solve(clip, goals, fixed=[fixed], method=method, max_iterations=40)  # type: ignore[arg-type]
    after = forward_kinematics(result.motion)
    np.testing.assert_allclose(after.position(fixed), before.position(fixed), rtol=0, atol=1e-12)
    if method == "levenberg_marquardt":
        assert result.converged.all()  # type: ignore[union-attr]


def test_several_fixed_points_go_before_all_goals(body: Pose) -> None:
    before = forward_kinematics(body)
    fixed = ["LeftToe", "RightToe"]
    far = ik.solve(body, {"LeftHand": [3.0, 1.0, 0.0]}, fixed=fixed)
    assert far.status == "unreachable"
    after = forward_kinematics(far.pose)
    np.testing.assert_allclose(after.position("LeftToe"), before.position("LeftToe"), atol=1e-12)
    np.testing.assert_allclose(after.position("RightToe"), before.position("RightToe"), atol=1e-3 * 1.4)
    assert far.goals == ("LeftHand position", "RightToe position")
    assert after.position("LeftHand")[0] > before.position("LeftHand")[0] + 0.3  # and still it leans over


def test_a_fixed_root_goes_with_other_fixed_points(body: Pose) -> None:
    before = forward_kinematics(body)
    for fixed in (["LeftToe"], ["LeftToe", "Hips"], ["Hips", "LeftToe"]):
        result = ik.solve(body, {"LeftHand": [0.4, 1.3, 0.3]}, root="fixed", fixed=fixed)
        np.testing.assert_allclose(result.root_positions, body.root_positions, atol=1e-12)
        np.testing.assert_allclose(forward_kinematics(result.pose).position("LeftToe"), before.position("LeftToe"), atol=1.5e-3)


def test_fixed_may_be_one_name(body: Pose) -> None:
    goals = {"LeftHand": [0.4, 1.3, 0.3]}
    same(ik.solve(body, goals, fixed="LeftToe"), ik.solve(body, goals, fixed=["LeftToe"]))


def test_root_modes(body: Pose) -> None:
    points = dict(zip(HANDS_AND_FEET, reached(body) + [0.3, 0.1, 0.2], strict=True))
    free = ik.solve(body, points)
    assert free.status == "converged"
    assert np.linalg.norm(free.root_positions - body.root_positions) > 0.1
    fixed = ik.solve(body, points, root="fixed")
    np.testing.assert_array_equal(fixed.root_positions, body.root_positions)
    assert quaternion.angle_between(fixed.local_rotations[0], body.local_rotations[0]) > 1e-3
    nailed = ik.solve(body, points, root="fixed", stiffness={"Hips": math.inf})
    np.testing.assert_array_equal(nailed.root_positions, body.root_positions)
    np.testing.assert_array_equal(nailed.local_rotations[0], body.local_rotations[0])
    moved = ik.solve(body, points, root="translation")
    np.testing.assert_array_equal(moved.local_rotations[0], body.local_rotations[0])
    assert np.linalg.norm(moved.root_positions - body.root_positions) > 0.1
    heading = ik.solve(body, points, root="heading")
    turn = quaternion.multiply(heading.local_rotations[0], quaternion.inverse(body.local_rotations[0]))
    np.testing.assert_allclose(turn[[1, 3]], 0.0, atol=1e-12)
    assert abs(turn[2]) > 1e-3


@pytest.mark.parametrize("method", ik.problem.JACOBIAN_METHODS)
def test_a_heading_stays_one_where_a_straight_chain_is_bent(method: str) -> None:
    offsets = np.zeros((6, 3))
    offsets[1:, 0] = 1.0
    skeleton = Skeleton(tuple(f"joint{k}" for k in range(6)), np.arange(-1, 5), offsets)
    straight = Pose(skeleton, np.zeros(3), np.tile(quaternion.IDENTITY, (6, 1)))
    goals = {"joint5": [2.0, 0.0, 0.0], "joint0": ik.hold()}
    result = ik.solve(straight, goals, method=method, root="heading")  # type: ignore[arg-type]
    assert result.status == "converged"
    np.testing.assert_allclose(result.local_rotations[0, [1, 3]], 0.0, atol=1e-12)


def test_warm_frames_keep_a_tilted_root_to_its_heading(body: Pose) -> None:
    frames = 12
    rotations = np.tile(body.local_rotations, (frames, 1, 1))
    tilt = np.stack([np.linspace(0.0, 1.0, frames), np.zeros(frames), np.linspace(0.2, -0.8, frames)], axis=1)
    rotations[:, 0] = quaternion.multiply(quaternion.from_rotation_vector(tilt), rotations[:, 0])
    clip = Motion(body.skeleton, np.tile(body.root_positions, (frames, 1)), quaternion.normalize(rotations), 1.0 / 30.0)
    result = ik.solve(clip, {"LeftHand": body.root_positions + [-0.4, 0.2, -0.4]}, root="heading", over_time="warm")
    turns = quaternion.multiply(result.local_rotations[:, 0], quaternion.inverse(clip.local_rotations[:, 0]))
    np.testing.assert_allclose(turns[:, [1, 3]], 0.0, atol=1e-12)
    assert np.abs(turns[:, 2]).max() > 0.01


def test_a_heading_turns_round(body: Pose) -> None:
    # Everything is turned by 2 rad about the root: the heading alone does it.
    turn = quaternion.from_rotation_vector(np.array([0.0, 2.0, 0.0]))
    where = forward_kinematics(body)
    points = {
        name: body.root_positions + quaternion.rotate(turn, where.position(name) - body.root_positions) for name in HANDS_AND_FEET
    }
    result = ik.solve(
        body, points, root="heading", stiffness=dict.fromkeys(body.skeleton.joint_names[1:], math.inf), tolerance=1e-6
    )
    assert result.status == "converged"
    assert_quats_close(result.local_rotations[0], quaternion.multiply(turn, body.local_rotations[0]), atol_radians=1e-5)


def test_locked_joints_stay_bit_for_bit(body: Pose) -> None:
    locked = ("LeftArm", "Spine", "Neck", "RightLeg")
    result = ik.solve(body, dict(zip(HANDS_AND_FEET, reached(body), strict=True)), stiffness=dict.fromkeys(locked, math.inf))
    for name in locked:
        np.testing.assert_array_equal(result.pose[name], body[name])
    assert result.status == "converged"


def test_joints_that_move_no_goal_stay_bit_for_bit(body: Pose) -> None:
    result = ik.solve(body, {"LeftHand": [0.4, 1.3, 0.3]}, root="fixed")
    for name in body.skeleton.joint_names:
        touched = name in ("Hips", "Spine", "Spine1", "LeftShoulder", "LeftArm", "LeftForeArm")
        assert np.array_equal(result.pose[name], body[name]) != touched, name


def test_all_joints_locked_is_unreachable(body: Pose) -> None:
    locked = dict.fromkeys(body.skeleton.joint_names, math.inf)
    result = ik.solve(body, {"LeftHand": [0.4, 1.3, 0.3]}, root="fixed", stiffness=locked)
    assert result.status == "unreachable"
    np.testing.assert_array_equal(result.local_rotations, body.local_rotations)
    moved = ik.solve(body, {"LeftHand": [0.4, 1.3, 0.3]}, stiffness=locked)
    assert moved.status == "converged"
    np.testing.assert_array_equal(moved.local_rotations, body.local_rotations)


def test_a_stiff_joint_turns_less(body: Pose) -> None:
    target = {"LeftHand": forward_kinematics(body).position("LeftHand") + [-0.1, 0.1, 0.05]}

    def turned(stiffness: float) -> float:
        result = ik.solve(body, target, root="fixed", stiffness={"LeftArm": stiffness}, tolerance=1e-5)
        assert result.status == "converged"
        return float(quaternion.angle_between(result.pose["LeftArm"], body["LeftArm"]))

    angles = [turned(stiffness) for stiffness in (0.1, 1.0, 10.0, 1000.0)]
    assert angles == sorted(angles, reverse=True)
    assert angles[-1] < 0.01 * angles[1]


# Goals that say what counts.


def test_axes_that_do_not_count_are_free(body: Pose) -> None:
    before = forward_kinematics(body).position("LeftHand")
    result = ik.solve(body, {"LeftHand": ik.position([9.0, before[1] + 0.2, 9.0], axes="y")}, tolerance=1e-6)
    after = forward_kinematics(result.pose).position("LeftHand")
    assert result.status == "converged"
    assert abs(after[1] - before[1] - 0.2) <= 1e-6
    assert abs(result.errors[0] - abs(after[1] - before[1] - 0.2)) < 1e-12
    assert np.linalg.norm((after - before)[[0, 2]]) < 0.2


def test_an_offset_is_in_the_joints_frame(body: Pose) -> None:
    offset, target = np.array([0.2, -0.1, 0.05]), np.array([0.5, 1.2, 0.3])
    result = ik.solve(body, {"LeftHand": ik.position(target, offset=offset)}, tolerance=1e-6)
    where = forward_kinematics(result.pose)
    np.testing.assert_allclose(
        where.position("LeftHand") + quaternion.rotate(where.rotation("LeftHand"), offset), target, atol=1e-6
    )


def test_an_end_site_is_its_joint_with_an_offset(body: Pose) -> None:
    skeleton, target = body.skeleton, [0.5, 1.2, 0.3]
    offset = skeleton.end_site_offsets[skeleton.end_site_index("LeftHand_end")]
    same(ik.solve(body, {"LeftHand_end": target}), ik.solve(body, {"LeftHand": ik.position(target, offset=offset)}))


def test_a_weight_decides_between_goals_that_contradict(body: Pose) -> None:
    left, right = np.array([0.4, 1.3, 0.3]), np.array([0.4, 1.1, 0.3])

    def height(weight: float) -> float:
        goals = {"LeftHand": [ik.position(left, weight=weight), ik.position(right)]}
        result = ik.solve(body, goals, tolerance=1e-9)  # type: ignore[arg-type]
        assert result.status == "unreachable"
        return float(forward_kinematics(result.pose).position("LeftHand")[1])

    for weight in (0.25, 1.0, 4.0):
        assert abs(height(weight) - (1.3 * weight + 1.1) / (weight + 1.0)) < 1e-4


def test_a_posture_alone_is_taken_on(body: Pose) -> None:
    wanted = bent(body.skeleton, seed=12, size=0.6)
    for method in ik.problem.JACOBIAN_METHODS:
        result = ik.solve(body, {"be": ik.posture(wanted, weight=1.0)}, method=method)
        assert result.status == "converged"
        assert_quats_close(result.local_rotations, wanted.local_rotations, atol_radians=1e-4)


def test_a_posture_counts_where_goals_of_its_priority_are_met_already(body: Pose) -> None:
    turns = np.array(body.local_rotations)
    arm = body.skeleton.joint_index("RightArm")
    turns[arm] = quaternion.multiply(turns[arm], quaternion.from_rotation_vector(np.array([0.0, 0.0, 0.8])))
    wanted = body.with_local_rotations(turns)
    result = ik.solve(body, {"LeftFoot": ik.hold(), "p": ik.posture(wanted)})
    assert result.status == "converged"
    assert_quats_close(result.local_rotations[arm], turns[arm], atol_radians=1e-2)


def test_a_pole_of_a_limb_folded_onto_itself_is_a_number() -> None:
    skeleton = Skeleton(("a", "b", "c"), np.array([-1, 0, 1]), np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
    folded = Pose(skeleton, np.zeros(3), np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]))
    for method in ("levenberg_marquardt", "two_bone", "scipy"):
        result = ik.solve(folded, {"c": [0.5, 0.5, 0.5], "b": ik.pole([3.0, 0.0, 0.0])}, root="fixed", method=method)  # type: ignore[arg-type]
        assert result.status == "converged", method


@pytest.mark.parametrize("method", [name for name in METHODS if name != "two_bone"])
def test_limits_hold_for_locked_joints_too(body: Pose, method: str) -> None:
    limits = {"LeftForeArm": ik.Hinge(np.array([0.0, 0.0, 1.0]), -0.01, 0.01)}
    turns = np.array(body.local_rotations)
    turns[body.skeleton.joint_index("LeftForeArm")] = quaternion.from_rotation_vector(np.array([1.0, 0.0, 0.0]))
    start = body.with_local_rotations(turns)
    result = ik.solve(
        start,
        {"LeftHand": reached(body)[0]},
        method=method,  # type: ignore[arg-type]
        limits=limits,
        stiffness={"LeftForeArm": math.inf},
    )
    assert limit_violations(result.pose, limits).max() <= 1e-6


def test_weights_of_a_postures_joints(body: Pose) -> None:
    wanted = bent(body.skeleton, seed=12, size=0.6)
    result = ik.solve(body, {"be": ik.posture(wanted, joints={"Spine": 1.0, "LeftArm": 0.5}, weight=1.0)})
    assert_quats_close(result.pose["Spine"], wanted["Spine"], atol_radians=1e-4)
    assert_quats_close(result.pose["LeftArm"], wanted["LeftArm"], atol_radians=1e-4)
    np.testing.assert_array_equal(result.pose["RightArm"], body["RightArm"])


@pytest.mark.parametrize("method", ik.problem.JACOBIAN_METHODS)
def test_a_posture_of_lower_priority_takes_nothing_from_goals(body: Pose, method: str) -> None:
    goals = dict(zip(HANDS_AND_FEET, reached(body), strict=True))
    start = bent(body.skeleton, seed=4, size=0.4)
    alone = ik.solve(body, goals, start=start)
    near = ik.solve(body, {**goals, "stay": ik.posture(priority=1)}, start=start, method=method)  # type: ignore[arg-type]
    assert alone.status == near.status == "converged"

    def away(result: ik.Result) -> float:
        return float(np.sum(quaternion.angle_between(result.local_rotations, body.local_rotations) ** 2))

    assert away(near) < (0.9 if method == "levenberg_marquardt" else 1.1) * away(alone)


# Limits.


@pytest.mark.parametrize("method", ik.problem.JACOBIAN_METHODS)
def test_limits_hold_for_joints_that_move_no_goal_too(clip: Motion, method: str) -> None:
    limits = {
        "RightLeg": Hinge(X, 0.1, 2.0),
        "Hips": Cone(Y, 0.05),
        "LeftForeArm": Hinge(Y, -2.0, -0.1),
    }
    assert limit_violations(clip, limits).max() > 0.1  # type: ignore[arg-type]
    result = ik.solve(clip, {"LeftHand": ik.hold()}, limits=limits, method=method)  # type: ignore[arg-type]
    assert limit_violations(result.motion, limits).max() <= 1e-6  # type: ignore[arg-type]
    single = ik.solve(clip[0], {"LeftHand": [0.3, 0.3, 0.3]}, limits=limits, method=method)  # type: ignore[arg-type]
    assert limit_violations(single.pose, limits).max() <= 1e-6  # type: ignore[arg-type]
    problem = ik.Problem(clip.skeleton, {"LeftHand": ik.position()}, limits=limits, method=method)  # type: ignore[arg-type]
    assert limit_violations(problem.solve(clip[0], np.full((1, 3), 0.3)).pose, limits).max() <= 1e-6  # type: ignore[arg-type]


# Statuses.


def test_words_of_statuses_belong_to_codes() -> None:
    assert STATUSES == ("converged", "unreachable", "limited", "iterations")


def test_giving_up_is_said_and_errors_are_those_of_the_pose(body: Pose) -> None:
    for method in ik.problem.JACOBIAN_METHODS:
        result = ik.solve(
            body, dict(zip(HANDS_AND_FEET, reached(body, size=1.0), strict=True)), max_iterations=1, method=method, root="fixed"
        )
        assert result.status == "iterations"
        assert result.iterations == 1
        where = forward_kinematics(result.pose)
        expected = np.linalg.norm(np.array([where.position(name) for name in HANDS_AND_FEET]) - reached(body, size=1.0), axis=1)
        np.testing.assert_allclose(result.errors, expected, atol=1e-9)


def test_a_goal_met_at_the_start_takes_no_iteration(body: Pose) -> None:
    where = forward_kinematics(body)
    goals = {
        "LeftHand": ik.transform(where.position("LeftHand"), where.rotation("LeftHand")),
        "LeftLeg": where.position("LeftLeg"),
    }
    for method in ik.problem.JACOBIAN_METHODS:
        result = ik.solve(body, goals, method=method)
        assert (result.status, result.iterations) == ("converged", 0)
        np.testing.assert_allclose(result.local_rotations, body.local_rotations, rtol=0, atol=1e-15)


def test_the_sign_of_a_quaternion_does_not_matter(body: Pose) -> None:
    turn = quaternion.from_rotation_vector(np.array([0.3, -0.5, 0.2]))
    start = replace(body, local_rotations=-body.local_rotations)
    found = ik.solve(body, {"LeftHand": ik.orientation(turn)})
    for other in (ik.solve(body, {"LeftHand": ik.orientation(-turn)}), ik.solve(start, {"LeftHand": ik.orientation(turn)})):
        assert other.iterations == found.iterations
        assert_quats_close(other.local_rotations, found.local_rotations, atol_radians=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_errors_are_measured_as_they_are_said(seed: int) -> None:
    skeleton = random_skeleton(seed, num_joints=10)
    pose, other = (random_motion(skeleton, 10 + seed, num_frames=2)[f] for f in (0, 1))
    there = forward_kinematics(other)
    axis = np.array([0.6, 0.0, 0.8])
    goals = {
        "joint5": ik.transform(there.position("joint5"), there.rotation("joint5")),
        "joint7": ik.look_at(there.position("joint3") + 2.0, axis=axis, offset=[0.1, 0.2, 0.3]),
        "weight": ik.center_of_mass(there.position("joint2")),
        "joint9": ik.position(there.position("joint9"), axes="xz"),
    }
    result = ik.solve(pose, goals, max_iterations=2)
    where = forward_kinematics(result.pose)
    eye = where.position("joint7") + quaternion.rotate(where.rotation("joint7"), np.array([0.1, 0.2, 0.3]))
    way, look = there.position("joint3") + 2.0 - eye, quaternion.rotate(where.rotation("joint7"), axis)
    from kinematics.ik.mass import center_of_mass

    expected = [
        np.linalg.norm(where.position("joint5") - there.position("joint5")),
        quaternion.angle_between(where.rotation("joint5"), there.rotation("joint5")),
        np.arctan2(np.linalg.norm(np.cross(look, way)), look @ way),
        np.linalg.norm(center_of_mass(result.pose) - there.position("joint2")),
        np.linalg.norm((where.position("joint9") - there.position("joint9"))[[0, 2]]),
    ]
    np.testing.assert_allclose(result.errors, expected, atol=1e-7)
    assert result.goals == ("joint5 position", "joint5 orientation", "joint7 look_at", "weight center of mass", "joint9 position")
