"""What a problem holds, frees, weighs and limits, and the status that comes of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from ik_problems import HANDS_AND_FEET, X, Y, bent, reached, same

from kinematics import forward_kinematics, ik
from kinematics.ik.limits import Cone, Hinge, limit_violations
from kinematics.ik.problem import METHODS
from kinematics.ik.result import STATUSES
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import assert_quats_close, random_motion, random_skeleton


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
