"""The inverse kinematics exercises of the GAMES-105 course, on its own clip and, with the same demands, on one of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from kinematics import forward_kinematics, ik, load_motion
from kinematics.errors import InputError
from kinematics.ik.problem import METHODS
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.testing import assert_quats_close

TOLERANCE = 0.01  # metres
ONE_ARM = "turns the two joints of a limb and keeps the root alone fixed"
CANNOT = {("two_bone", "toe"): ONE_ARM, ("two_bone", "both hands"): ONE_ARM}
STARTS = ("zero pose", "first frame")


@dataclass(frozen=True)
class Course:
    """A clip, the names of what the exercises speak of, and where hands go."""

    clip: Motion
    zero: Pose
    shoulder: str
    elbow: str
    wrist: str
    left_tip: str
    right_tip: str
    toe_tip: str
    at_root: list[float]
    at_toe: list[float]
    right: list[float]
    arm_too_short: tuple[str, ...] = ()  # starts from which an arm alone does not reach `at_root`

    def start(self, name: str) -> Pose:
        return self.zero if name == "zero pose" else self.clip[0]


def zero_pose(clip: Motion, root: np.ndarray) -> Pose:
    return Pose(clip.skeleton, root, np.tile(quaternion.IDENTITY, (clip.skeleton.num_joints, 1)))


@pytest.fixture(scope="module")
def games105(shared_data: Path) -> Course:
    clip = load_motion(shared_data / "games105" / "walk60.bvh")
    left, right = [0.5, 0.5, 0.5], [0.0, 0.5, 0.5]
    names = ("lShoulder", "lElbow", "lWrist", "lWrist_end", "rWrist_end", "lToeJoint_end")
    return Course(clip, zero_pose(clip, np.zeros(3)), *names, [0.5, 0.75, 0.5], left, right, ("zero pose",))


@pytest.fixture(scope="module")
def own(clips: Path) -> Course:
    clip = load_motion(clips / "walk_cmu.bvh")
    root = clip.root_positions[0]
    left, right = (root + [0.45, -0.35, 0.25]).tolist(), (root + [-0.05, -0.35, 0.25]).tolist()
    names = ("LeftArm", "LeftForeArm", "LeftHand", "LeftHandIndex1_end", "RightHandIndex1_end", "LeftToeBase_end")
    return Course(clip, zero_pose(clip, root), *names, (root + [0.45, -0.1, 0.25]).tolist(), left, right)


@pytest.fixture(params=["games105", "own"])
def course(request: pytest.FixtureRequest) -> Course:
    found: Course = request.getfixturevalue(request.param)
    return found


def solve(
    course: Course, method: str, case: str, start: str, goals: dict[str, list[float]], **options: object
) -> ik.Result | None:
    """Solve a case and check that it is; None where the method says that it cannot."""
    pose = course.start(start)
    if (method, case) in CANNOT:
        with pytest.raises(InputError, match=f"{method}.*can") as caught:
            ik.solve(pose, goals, method=method, tolerance=TOLERANCE, **options)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
        return None
    result = ik.solve(pose, goals, method=method, tolerance=TOLERANCE, **options)  # type: ignore[arg-type]
    if (method, case) == ("two_bone", "root") and start in course.arm_too_short:  # two bones move nothing else
        assert result.status == "unreachable"
        return None
    assert result.status == "converged", result
    where = forward_kinematics(result.pose)
    for name, point in goals.items():
        distance = np.linalg.norm(where.position(name) - point)
        assert distance <= TOLERANCE
        assert abs(result.error(name) - distance) < 1e-9  # type: ignore[operator]
    return result


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("method", METHODS)
def test_the_hand_reaches_with_the_root_fixed(course: Course, method: str, start: str) -> None:
    result = solve(course, method, "root", start, {course.left_tip: course.at_root}, root="fixed")
    if result is not None:
        np.testing.assert_allclose(result.root_positions, course.start(start).root_positions, rtol=0, atol=1e-12)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("method", METHODS)
def test_the_hand_reaches_with_the_toe_fixed(course: Course, method: str, start: str) -> None:
    result = solve(course, method, "toe", start, {course.left_tip: course.at_toe}, fixed=[course.toe_tip])
    if result is not None:
        before, after = forward_kinematics(course.start(start)), forward_kinematics(result.pose)
        np.testing.assert_allclose(after.position(course.toe_tip), before.position(course.toe_tip), rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_arm_reaches_through_the_clip_and_the_rest_stays(course: Course, method: str) -> None:
    clip = course.clip[::12] if method == "scipy" else course.clip
    targets = clip.root_positions + [0.1, 0.0, 0.3]
    targets[:, 1] = 1.4
    arm = (course.shoulder, course.elbow)
    locked = {name: math.inf for name in clip.skeleton.joint_names if name not in arm}
    result = ik.solve(clip, {course.wrist: targets}, method=method, tolerance=TOLERANCE, root="fixed", stiffness=locked)  # type: ignore[arg-type]
    assert np.all(result.converged), result
    after = forward_kinematics(result.motion)
    assert np.linalg.norm(after.position(course.wrist) - targets, axis=1).max() <= TOLERANCE
    np.testing.assert_allclose(result.root_positions, clip.root_positions, rtol=0, atol=1e-12)
    for name in clip.skeleton.joint_names:
        if name not in arm:
            assert_quats_close(result.motion[name], clip[name], atol_radians=1e-9)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("method", METHODS)
def test_both_hands_reach_with_the_left_foot_fixed(course: Course, method: str, start: str) -> None:
    goals = {course.left_tip: course.at_toe, course.right_tip: course.right}
    result = solve(course, method, "both hands", start, goals, fixed=[course.toe_tip])
    if result is not None:
        before, after = forward_kinematics(course.start(start)), forward_kinematics(result.pose)
        np.testing.assert_allclose(after.position(course.toe_tip), before.position(course.toe_tip), rtol=0, atol=1e-9)
