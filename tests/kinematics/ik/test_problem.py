"""Results of a problem: shapes, one answer however it is asked for, starts."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
from ik_problems import HANDS_AND_FEET, Y, bent, reached, same

from kinematics import forward_kinematics, ik
from kinematics.errors import InputError
from kinematics.ik.limits import Cone, Hinge
from kinematics.motion import Motion, Pose
from kinematics.testing import assert_quats_close, human_skeleton, random_motion


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
