"""Two bones: the law of cosines, planes of bending, poles, rotations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ik_limbs import BENT, LOWER, UPPER, chain, random_pose, rest, solve, where

from kinematics import Skeleton, forward_kinematics, ik
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion


def elbow_angle(pose, start, middle, end):
    upper, lower = where(pose, start) - where(pose, middle), where(pose, end) - where(pose, middle)
    return np.arccos(np.clip(upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower), -1.0, 1.0))


def test_the_law_of_cosines_by_hand():
    for distance, angle in ((5.0, np.pi / 2), (np.sqrt(13.0), np.pi / 3), (np.sqrt(37.0), 2 * np.pi / 3)):
        result = solve(rest(BENT), {"end": [distance, 0.0, 0.0]})
        assert result.status == "converged"
        assert elbow_angle(result.pose, "a", "b", "end") == pytest.approx(angle, abs=1e-12)
        np.testing.assert_allclose(where(result.pose, "end"), [distance, 0.0, 0.0], atol=1e-12)
    # 3-4-5: the elbow is at 9/5 along the line and 12/5 aside, on the side where it was.
    elbow = where(solve(rest(BENT), {"end": [5.0, 0.0, 0.0]}).pose, "b")
    np.testing.assert_allclose(elbow, [9.0 / 5.0, -12.0 / 5.0, 0.0], atol=1e-12)


def test_the_plane_of_the_bend_stays():
    pose = rest(BENT)
    for x, y in ((4.0, 3.0), (1.0, 2.0), (-2.0, 3.0), (0.0, -6.0)):
        made = solve(pose, {"end": [x, y, 0.0]}).pose
        np.testing.assert_allclose(where(made, "b")[2], 0.0, atol=1e-12)
        axis = quaternion.to_rotation_vector(made.local_rotations)
        np.testing.assert_allclose(axis[:, :2], 0.0, atol=1e-12)
        lower = quaternion.rotate(forward_kinematics(made).rotation("b"), np.array([0.0, LOWER, 0.0]))
        assert np.cross(where(made, "b"), lower)[2] > 0.0  # bent to the same side


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_target_in_reach_is_hit_and_forward_kinematics_agrees(seed):
    rng = np.random.default_rng(seed)
    bones = rng.normal(size=(4, 3))
    skeleton = chain(*bones)
    pose = random_pose(skeleton, rng, 1.0)
    lengths = np.linalg.norm(bones, axis=1)
    far = rng.uniform(abs(lengths[2] - lengths[3]), 0.997 * (lengths[2] + lengths[3]))
    direction = rng.normal(size=3)
    target = where(pose, "c") + far * direction / np.linalg.norm(direction)
    before = pose.local_rotations.copy()
    result = solve(pose, {"end": target})
    np.testing.assert_allclose(where(result.pose, "end"), target, atol=1e-9)
    assert result.status == "converged"
    assert result.iterations == 1
    assert abs(result.error("end") - np.linalg.norm(where(result.pose, "end") - target)) < 1e-12
    assert np.array_equal(pose.local_rotations, before)
    assert np.array_equal(result.root_positions, pose.root_positions)
    assert np.array_equal(result.local_rotations[:2], pose.local_rotations[:2])


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_hands_and_feet_of_a_body_at_once(seed):
    rng = np.random.default_rng(seed)
    pose = random_pose(human_skeleton(), rng)
    limbs = {"LeftHand": "LeftArm", "RightHand": "RightArm", "LeftFoot": "LeftUpLeg", "RightFoot": "RightUpLeg"}
    goals = {}
    for end, start in limbs.items():
        direction = rng.normal(size=3)
        goals[end] = where(pose, start) + rng.uniform(0.1, 0.5) * direction / np.linalg.norm(direction)
    result = solve(pose, goals)
    for end, target in goals.items():
        np.testing.assert_allclose(where(result.pose, end), target, atol=1e-9)
    moved = np.abs(result.local_rotations - pose.local_rotations).max(axis=1) > 0.0
    names = {name for name, each in zip(pose.skeleton.joint_names, moved, strict=True) if each}
    assert names <= {side + part for side in ("Left", "Right") for part in ("Arm", "ForeArm", "UpLeg", "Leg")}


def test_an_arm_is_shoulder_and_elbow_wherever_below_the_goal_is():
    pose = random_pose(human_skeleton(), np.random.default_rng(0))
    target = where(pose, "LeftArm") + [0.1, 0.2, 0.3]
    for name in ("LeftHand", "LeftHand_end"):
        result = solve(pose, {name: target})
        np.testing.assert_allclose(where(result.pose, name), target, atol=1e-12)
        assert np.array_equal(result.pose["LeftHand"], pose["LeftHand"])
        assert not np.array_equal(result.pose["LeftForeArm"], pose["LeftForeArm"])


def test_twist_joints_of_a_human_limb_stay_as_they_are():
    body = human_skeleton()
    names, parents, offsets = list(body.joint_names), body.parents.tolist(), body.offsets.tolist()
    elbow, hand = names.index("LeftForeArm"), names.index("LeftHand")
    half = [each / 2 for each in offsets[hand]]
    names.insert(hand, "LeftForeArmTwist")
    parents = [parent + (parent >= hand) for parent in parents]
    parents.insert(hand, elbow)
    parents[hand + 1] = hand
    offsets[hand : hand + 1] = [half, half]
    ends = body.end_site_parents + (body.end_site_parents >= hand)
    skeleton = Skeleton(tuple(names), np.array(parents), np.array(offsets), ends, body.end_site_offsets)
    pose = random_pose(skeleton, np.random.default_rng(3))
    target = where(pose, "LeftArm") + [0.1, 0.2, 0.3]
    result = solve(pose, {"LeftHand": target})
    np.testing.assert_allclose(where(result.pose, "LeftHand"), target, atol=1e-12)
    assert np.array_equal(result.pose["LeftForeArmTwist"], pose["LeftForeArmTwist"])
    assert not np.array_equal(result.pose["LeftArm"], pose["LeftArm"])


def test_joints_at_the_same_place_are_passed_over():
    skeleton = chain([2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0])
    pose = random_pose(skeleton, np.random.default_rng(1))
    result = solve(pose, {"end": where(pose, "a") + [1.0, 1.0, 0.5]})
    assert result.status == "converged"
    assert result.errors[0] < 1e-12
    assert np.array_equal(result.pose["d"], pose["d"])


def test_a_limb_with_a_fixed_wrist_is_measured_to_its_point():
    skeleton = chain([1.0, 0.0, 0.0], [1.0, 0.2, 0.0], [0.3, 0.0, 0.1])
    pose = random_pose(skeleton, np.random.default_rng(2))
    target = where(pose, "a") + [0.5, -1.0, 0.4]
    result = solve(pose, {"end": target}, stiffness={"c": np.inf})
    np.testing.assert_allclose(where(result.pose, "end"), target, atol=1e-12)
    assert np.array_equal(result.pose["c"], pose["c"])
    assert not np.array_equal(result.pose["a"], pose["a"])


def test_points_of_a_joint_and_bones_that_stretch():
    skeleton = human_skeleton()
    pose = random_motion(skeleton, 4, num_frames=2, stretch=True)[1]
    target = where(pose, "RightUpLeg") + [0.1, -0.4, 0.3]
    result = solve(pose, {"RightFoot": ik.position(target, offset=[0.02, -0.03, 0.1])})
    transforms = forward_kinematics(result.pose)
    there = transforms.position("RightFoot") + quaternion.rotate(transforms.rotation("RightFoot"), np.array([0.02, -0.03, 0.1]))
    np.testing.assert_allclose(there, target, atol=1e-12)


@pytest.mark.parametrize("along", [2.0, 6.0, 0.5, -3.0, -6.9])
def test_a_straight_start_with_its_target_on_the_line_is_left(along):
    skeleton = chain([UPPER, 0.0, 0.0], [LOWER, 0.0, 0.0])
    result = solve(rest(skeleton), {"end": [along, 0.0, 0.0]})
    if abs(along) >= LOWER - UPPER:
        assert result.status == "converged"
        np.testing.assert_allclose(where(result.pose, "end"), [along, 0.0, 0.0], atol=1e-9)
    else:
        assert result.status == "unreachable"
        assert result.errors[0] == pytest.approx(LOWER - UPPER - along, abs=1e-9)
    again = solve(rest(skeleton), {"end": [along, 0.0, 0.0]})
    assert np.array_equal(again.local_rotations, result.local_rotations)


def test_a_straight_limb_bends_to_its_pole():
    skeleton = chain([UPPER, 0.0, 0.0], [LOWER, 0.0, 0.0])
    for pole in ([3.0, 1.0, 0.0], [3.0, 0.0, -2.0], [1.0, -1.0, 1.0]):
        result = solve(rest(skeleton), {"end": [5.0, 0.0, 0.0], "b": ik.pole(pole)})
        aside = np.array([0.0, pole[1], pole[2]])
        expected = [9.0 / 5.0, *(12.0 / 5.0 * aside / np.linalg.norm(aside))[1:]]
        np.testing.assert_allclose(where(result.pose, "b"), expected, atol=1e-9)
        assert result.status == "converged"


def test_straight_knees_bend_ahead_and_elbows_back():
    body = human_skeleton()  # T-pose, facing +Z
    pose = rest(body, (0.0, 0.93, 0.0))
    arms = {
        side + "Arm": quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), -sign * np.pi / 2)
        for side, sign in (("Left", 1.0), ("Right", -1.0))
    }
    rotations = np.array(pose.local_rotations)
    for name, turn in arms.items():
        rotations[body.joint_index(name)] = turn
    pose = pose.with_local_rotations(rotations)
    for side in ("Left", "Right"):
        foot, hand = where(pose, side + "Foot"), where(pose, side + "Hand")
        up = np.array([0.0, 0.15, 0.0])
        result = solve(pose, {side + "Foot": foot + up, side + "Hand": hand + up})
        assert result.status == "converged"
        knee, elbow = where(result.pose, side + "Leg"), where(result.pose, side + "ForeArm")
        assert knee[2] > 0.1
        assert elbow[2] < -0.1
        assert abs(knee[0] - foot[0]) < 1e-9
        assert abs(elbow[0] - hand[0]) < 1e-9


def test_a_straight_leg_that_is_raised_bends_about_its_own_knee():
    pose = rest(human_skeleton())
    rotations = np.array(pose.local_rotations)
    rotations[pose.skeleton.joint_index("LeftUpLeg")] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), -np.pi / 2)
    pose = pose.with_local_rotations(rotations)
    result = solve(pose, {"LeftFoot": where(pose, "LeftFoot") - [0.0, 0.0, 0.2]})
    assert where(result.pose, "LeftLeg")[1] > where(pose, "LeftUpLeg")[1] + 0.1


def pole_error(pose, start, middle, end, pole):
    """The angle between the half planes of the bend and of the pole about the line from start to end."""
    origin, line = where(pose, start), where(pose, end) - where(pose, start)
    line = line / np.linalg.norm(line)
    bend, side = where(pose, middle) - origin, np.asarray(pole) - origin
    bend, side = bend - (bend @ line) * line, side - (side @ line) * line
    return np.arctan2(np.linalg.norm(np.cross(bend, side)), bend @ side)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_poles_are_respected(seed):
    rng = np.random.default_rng(seed)
    pose = random_pose(human_skeleton(), rng, 0.9)
    direction, elbow = rng.normal(size=(2, 3))
    hand = where(pose, "LeftArm") + rng.uniform(0.1, 0.5) * direction / np.linalg.norm(direction)
    result = solve(pose, {"LeftHand": hand, "LeftForeArm": ik.pole(elbow)})
    np.testing.assert_allclose(where(result.pose, "LeftHand"), hand, atol=1e-9)
    assert pole_error(result.pose, "LeftArm", "LeftForeArm", "LeftHand", elbow) < 1e-7
    assert result.error("LeftForeArm") < 1e-7
    assert result.status == "converged"


def test_poles_are_exact_too_where_the_goal_is_beyond_a_bent_wrist():
    rng = np.random.default_rng(5)
    for _ in range(30):
        pose = random_pose(human_skeleton(), rng, 0.9)
        direction = rng.normal(size=3)
        tip = where(pose, "LeftArm") + rng.uniform(0.25, 0.45) * direction / np.linalg.norm(direction)
        elbow = where(pose, "LeftArm") + rng.normal(size=3)
        result = solve(pose, {"LeftHand_end": tip, "LeftForeArm": ik.pole(elbow)})
        np.testing.assert_allclose(where(result.pose, "LeftHand_end"), tip, atol=1e-9)
        error = pole_error(result.pose, "LeftArm", "LeftForeArm", "LeftHand", elbow)
        assert result.error("LeftForeArm") == pytest.approx(error, abs=1e-7)
        if result.status == "converged":
            assert error < 1e-6
        else:  # the wrist's bend keeps the plane from the pole; nothing else about the line does better
            assert error > 1e-6
            best = min(
                pole_error(turned(result.pose, tip, angle), "LeftArm", "LeftForeArm", "LeftHand", elbow)
                for angle in np.linspace(-np.pi, np.pi, 73)
            )
            assert error <= best + 1e-6


def turned(pose, end, angle):
    """The left arm turned about the line from its shoulder to a point."""
    line = end - where(pose, "LeftArm")
    transforms = forward_kinematics(pose)
    turn = quaternion.from_axis_angle(line, angle)
    above, own = transforms.rotation("LeftShoulder"), transforms.rotation("LeftArm")
    rotations = np.array(pose.local_rotations)
    rotations[pose.skeleton.joint_index("LeftArm")] = quaternion.multiply(
        quaternion.inverse(above), quaternion.multiply(turn, own)
    )
    return pose.with_local_rotations(rotations)


@pytest.mark.parametrize("name", ["LeftHand", "LeftHand_end"])
def test_a_transform_sets_position_and_rotation_exactly(name):
    rng = np.random.default_rng(6)
    for _ in range(20):
        pose = random_pose(human_skeleton(), rng)
        point = where(pose, "LeftArm") + rng.uniform(-0.2, 0.2, size=3)
        turn = quaternion.normalize(rng.normal(size=4))
        result = solve(pose, {name: ik.transform(point, turn)})
        np.testing.assert_allclose(where(result.pose, name), point, atol=1e-9)
        assert quaternion.angle_between(forward_kinematics(result.pose).rotation("LeftHand"), turn) < 1e-9
        assert result.status == "converged"
        separate = solve(pose, {name: [ik.position(point), ik.orientation(turn)]})
        assert np.array_equal(separate.local_rotations, result.local_rotations)


def test_a_transform_of_an_end_site_uses_the_two_bones_above_its_joint():
    skeleton = chain([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.3])
    turn = quaternion.from_rotation_vector(np.array([0.4, 0.2, -1.0]))
    result = solve(rest(skeleton), {"end": ik.transform([0.5, 0.4, 0.3], turn)})
    assert result.status == "converged"
    assert result.errors.max() < 1e-12


def test_holds_with_rotation_keep_a_foot_while_the_body_is_elsewhere():
    pose = random_pose(human_skeleton(), np.random.default_rng(7), 0.3)
    problem = ik.Problem(
        pose.skeleton, {"LeftFoot": ik.hold(orientation=True), "RightFoot": ik.hold(orientation=True)}, method="two_bone"
    )
    moved = pose.with_root_positions(pose.root_positions + [0.02, -0.1, 0.05])
    result = problem.solve(pose, start=moved)
    before, after = forward_kinematics(pose), forward_kinematics(result.pose)
    for name in ("LeftFoot", "RightFoot"):
        np.testing.assert_allclose(after.position(name), before.position(name), atol=1e-9)
        assert quaternion.angle_between(after.rotation(name), before.rotation(name)) < 1e-9
    np.testing.assert_array_equal(result.root_positions, moved.root_positions)


def test_what_is_already_there_stays_bit_for_bit():
    body = human_skeleton()
    clip = random_motion(body, 8, num_frames=5, smooth=True)
    for pose in (rest(body), clip):
        result = ik.solve(pose, {"LeftHand": ik.hold(), "RightFoot": ik.hold()}, method="two_bone")
        assert np.array_equal(result.local_rotations, pose.local_rotations)
        assert np.all(result.converged)


def test_a_limb_that_carries_another_comes_first():
    skeleton = chain([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    pose = random_pose(skeleton, np.random.default_rng(9))
    first = where(pose, "a") + [1.0, 0.5, 0.2]
    for order in (("end", "c"), ("c", "end")):
        targets = {"c": first, "end": first + [0.4, -0.9, 0.3]}
        result = solve(pose, {name: targets[name] for name in order})
        assert result.status == "converged"
        assert result.errors.max() < 1e-12
