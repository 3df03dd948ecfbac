"""Two bones: hand-computed cases, laws over random poses and targets, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import InputError, Skeleton, forward_kinematics, ik
from kinematics.ik.limits import limit_violations
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton

UPPER, LOWER = 3.0, 4.0


def chain(*bones, names="abcdefgh"):
    """A chain of joints, the first at the origin; the last bone ends in a site called "end"."""
    bones = np.array(bones, dtype=np.float64)
    count = len(bones)
    return Skeleton(
        tuple(names[:count]), np.arange(count) - 1, np.concatenate([np.zeros((1, 3)), bones[:-1]]),
        np.array([count - 1]), bones[-1:], ("end",),
    )  # fmt: skip


def rest(skeleton, root=(0.0, 0.0, 0.0)):
    return Pose(skeleton, np.array(root), np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1)))


def random_pose(skeleton, rng, size=0.6):
    turns = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * size)
    return Pose(skeleton, rng.normal(size=3), turns)


def solve(pose, goals, **options):
    return ik.Problem(pose.skeleton, goals, method="two_bone", **options).solve(pose)


def where(pose, name):
    return forward_kinematics(pose).position(name)


def elbow_angle(pose, start, middle, end):
    upper, lower = where(pose, start) - where(pose, middle), where(pose, end) - where(pose, middle)
    return np.arccos(np.clip(upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower), -1.0, 1.0))


BENT = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])  # bent by a quarter turn about Z


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


# Straight limbs


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


# Poles and orientations


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


# Reach, softness and status


def test_softening_leaves_an_error_of_at_most_the_tolerance_and_none_before():
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    reach = UPPER + LOWER
    tolerance = 1e-3 * reach
    soft = np.e * tolerance
    for far in np.linspace(0.95 * reach, reach, 41):
        result = solve(rest(skeleton), {"end": [far, 0.0, 0.0]})
        assert result.status == "converged"
        if far <= reach - soft:
            assert result.errors[0] < 1e-12
        else:
            expected = far - (reach - soft * np.exp((reach - soft - far) / soft))
            assert result.errors[0] == pytest.approx(expected, abs=1e-12)
    assert result.errors[0] == pytest.approx(soft / np.e, rel=1e-9)
    exact = solve(rest(skeleton), {"end": [0.9999 * reach, 0.0, 0.0]}, tolerance=1e-9)
    assert exact.errors[0] < 1e-9


@pytest.mark.parametrize("beyond", [1e-3, 0.1, 1.0, 50.0, 1e9])
def test_out_of_reach_is_said_and_stretched_towards_the_target(beyond):
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    reach, direction = UPPER + LOWER, np.array([2.0, -1.0, 2.0]) / 3.0
    result = solve(rest(skeleton), {"end": (reach + beyond) * direction}, tolerance=1e-4)
    assert result.status == "unreachable"
    assert beyond * (1.0 - 1e-12) <= result.errors[0] <= beyond * (1.0 + 1e-15) + 1e-3 * reach
    end = where(result.pose, "end")
    np.testing.assert_allclose(end / np.linalg.norm(end), direction, atol=1e-9)


def test_too_near_is_out_of_reach_as_well():
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    result = solve(rest(skeleton), {"end": [0.2, 0.1, 0.0]})
    assert result.status == "unreachable"
    assert result.errors[0] == pytest.approx(LOWER - UPPER - np.hypot(0.2, 0.1), abs=1e-9)
    same = chain([UPPER, 0.0, 0.0], [0.0, UPPER, 0.0])
    folded = solve(rest(same), {"end": [0.0, 0.0, 0.0]})
    assert folded.status == "converged"
    assert folded.errors[0] < 1e-9


def test_the_elbow_does_not_pop_along_a_path_that_overreaches_half_of_the_time():
    pose = random_pose(human_skeleton(), np.random.default_rng(10), 0.2)
    frames = 240
    far = 0.581 * (1.0 + 0.3 * np.sin(np.linspace(0.0, 8.0 * np.pi, frames)))  # arm: 0.332 of 1.75 m
    target = where(pose, "LeftArm") + far[:, None] * np.array([0.6, 0.0, 0.8])
    problem = ik.Problem(pose.skeleton, {"LeftHand": ik.position()}, method="two_bone")
    result = problem.solve(pose, target[:, None])
    where_all = forward_kinematics(result.motion).global_positions
    shaking = np.linalg.norm(np.diff(where_all, 2, axis=0), axis=-1).max(axis=1)
    assert shaking.mean() <= 0.01
    assert 0.3 < np.mean(result.status == "unreachable") < 0.6
    assert not np.isnan(result.errors).any()


def test_a_forearm_without_length_is_a_point_on_the_elbow_and_no_nan():
    skeleton = chain([2.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    pose = rest(skeleton)
    lengths = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    moving = Pose(skeleton, pose.root_positions, pose.local_rotations, lengths)
    problem = ik.Problem(skeleton, {"b": ik.position(offset=[0.0, 0.0, 1.0])}, method="two_bone")
    assert problem.solve(moving, np.array([[1.0, 1.0, 1.0]])).errors[0] < 1e-12
    human = human_skeleton()
    offsets = np.zeros((human.num_joints, 3))
    for stretch in (0.0, 1.0):
        offsets[:] = human.offsets
        offsets[human.joint_index("LeftHand")] *= 0.0
        offsets[human.joint_index("LeftForeArm")] *= stretch
        short = Pose(human, np.zeros(3), rest(human).local_rotations, offsets)
        target = where(short, "LeftArm") + [0.1, 0.2, 0.1]
        result = ik.Problem(human, {"LeftHand": ik.position(), "LeftForeArm": ik.pole()}, method="two_bone").solve(
            short, {"LeftHand": target, "LeftForeArm": np.ones(3)}
        )
        far = np.linalg.norm(offsets[human.joint_index("LeftForeArm")])
        assert np.isfinite(result.local_rotations).all()
        assert np.isfinite(result.errors).all()
        assert result.status == "unreachable"
        assert result.error("LeftHand") == pytest.approx(abs(np.linalg.norm([0.1, 0.2, 0.1]) - far), abs=1e-9)


def test_a_zero_length_forearm_of_the_skeleton_takes_the_bone_above():
    skeleton = chain([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0])
    result = solve(rest(skeleton), {"end": [0.5, 0.5, 0.5]})
    assert result.errors[0] < 1e-12
    assert np.array_equal(result.pose["c"], quaternion.IDENTITY)


# Limits


def test_a_hinge_is_kept_and_reached_exactly_where_it_allows():
    skeleton = chain([UPPER, 0.0, 0.0], [0.4, LOWER, 0.7])  # the lower bone is not across the hinge's axis
    hinge = {"b": ik.Hinge(np.array([0.0, 0.0, 1.0]), -2.0, 0.5)}
    rng = np.random.default_rng(11)
    for _ in range(30):
        target = rng.normal(size=3)
        target *= rng.uniform(4.1, 6.9) / np.linalg.norm(target)
        result = solve(rest(skeleton), {"end": target}, limits=hinge)
        assert limit_violations(result.pose, hinge).max() <= 1e-9
        assert result.status == "converged"
        assert result.errors[0] < 1e-9


def test_a_limit_that_binds_is_said_and_never_exceeded():
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    limits = {"b": ik.Hinge(np.array([0.0, 0.0, 1.0]), -0.2, 0.2)}
    result = solve(rest(skeleton), {"end": [2.0, 0.0, 0.0]}, limits=limits)
    assert result.status == "limited"
    closest = np.sqrt(UPPER**2 + LOWER**2 - 2 * UPPER * LOWER * np.cos(np.pi / 2 - 0.2))
    assert result.errors[0] == pytest.approx(closest - 2.0, abs=1e-9)
    for limits in (
        {"a": ik.Cone(np.array([1.0, 0.0, 0.0]), 0.3)},
        {
            "a": ik.EulerBox("ZXY", -0.2 * np.ones(3), 0.2 * np.ones(3)),
            "b": ik.SwingTwist(np.array([0.0, 1.0, 0.0]), 0.3, (-0.1, 0.1)),
        },
    ):
        result = solve(rest(skeleton), {"end": [-2.0, 3.0, 1.0]}, limits=limits)
        assert result.status == "limited"
        assert limit_violations(result.pose, limits).max() <= 1e-9
        assert result.errors[0] == pytest.approx(np.linalg.norm(where(result.pose, "end") - [-2.0, 3.0, 1.0]), abs=1e-12)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_one_sided_knee_bends_to_its_own_side(side):
    skeleton = chain([0.0, -UPPER, 0.0], [0.0, -LOWER, 0.0])
    lower, upper = (0.0, 2.5) if side > 0.0 else (-2.5, 0.0)
    hinge = {"b": ik.Hinge(np.array([1.0, 0.0, 0.0]), lower, upper)}
    box = {"b": ik.EulerBox("XYZ", np.array([lower - 0.1, -0.1, -0.1]), np.array([upper + 0.1, 0.1, 0.1]))}
    wrong_way = np.array(rest(skeleton).local_rotations)
    wrong_way[1] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), -0.05 * side)
    for limits, pose in ((hinge, rest(skeleton)), (box, rest(skeleton).with_local_rotations(wrong_way))):
        result = solve(pose, {"end": [0.0, -5.0, 0.0]}, limits=limits)
        assert result.status == "converged"
        assert result.errors[0] < 1e-9
        assert where(result.pose, "b")[2] * side > 1.0


def test_human_limits_hold_on_random_targets():
    body = human_skeleton()
    limits = ik.human_limits(body)
    rng = np.random.default_rng(12)
    targets = rng.normal(size=(100, 2, 3)) * 0.6 + [0.0, 0.9, 0.2]
    problem = ik.Problem(body, {"LeftHand": ik.position(), "RightFoot": ik.position()}, method="two_bone", limits=limits)
    result = problem.solve(rest(body, (0.0, 0.93, 0.0)), targets)
    assert limit_violations(result.motion, limits).max() <= 1e-6
    assert np.isfinite(result.errors).all()
    assert set(result.status) <= {"converged", "limited", "unreachable"}


# Batches and clips


def test_a_clip_is_the_loop_over_its_frames_bit_for_bit():
    body = human_skeleton()
    clip = random_motion(body, 13, num_frames=150, smooth=True)
    rng = np.random.default_rng(14)
    points, poles = rng.normal(size=(2, 150, 3)) * 0.5
    turns = quaternion.normalize(rng.normal(size=(150, 4)))
    goals = {"LeftHand": ik.transform(), "LeftForeArm": ik.pole(), "RightFoot": ik.hold()}
    problem = ik.Problem(body, goals, method="two_bone")
    whole = problem.solve(clip, {"LeftHand": (points, turns), "LeftForeArm": poles})
    for frame in (0, 1, 77, 149):
        one = problem.solve(clip[frame], {"LeftHand": (points[frame], turns[frame]), "LeftForeArm": poles[frame]})
        assert np.array_equal(one.local_rotations, whole.local_rotations[frame])
        assert np.array_equal(one.errors, whole.errors[frame])


def test_warm_starts_follow_a_path_and_reach_as_well():
    body = human_skeleton()
    pose = random_pose(body, np.random.default_rng(17))
    angles = np.linspace(0.0, 4.0 * np.pi, 200)
    circle = np.stack([np.cos(angles), np.sin(angles), 0.3 * np.sin(3.0 * angles)], axis=1)
    targets = where(pose, "LeftArm") + 0.4 * circle
    problem = ik.Problem(body, {"LeftHand": ik.position()}, method="two_bone")
    warm = problem.solve(pose, targets[:, None], over_time="warm")
    assert warm.errors.max() < 1e-9
    steps = quaternion.angle_between(warm.local_rotations[1:], warm.local_rotations[:-1]).max()
    assert steps < 0.3  # a frame's own start is turned round near the opposite of where it points
    assert np.array_equal(warm.local_rotations[0], problem.solve(pose, targets[0][None]).local_rotations)


def test_several_threads_and_one_give_the_same():
    body = human_skeleton()
    pose = random_pose(body, np.random.default_rng(15))
    problem = ik.Problem(body, {"LeftHand": ik.position(), "LeftForeArm": ik.pole()}, method="two_bone")
    targets = np.random.default_rng(16).normal(size=(400, 2, 3))
    whole = problem.solve(pose, targets)
    for frame in range(0, 400, 37):
        one = problem.solve(pose, targets[frame])
        assert np.array_equal(one.local_rotations, whole.local_rotations[frame])
        assert np.array_equal(one.errors, whole.errors[frame])
        assert one.status == whole.status[frame]


# What is refused


REFUSED = {
    "one bone": (chain([1.0, 0.0, 0.0]), {"end": [0.0, 1.0, 0.0]}, {}, "needs two bones"),
    "the root": (chain([1.0, 0.0, 0.0]), {"a": [0.0, 1.0, 0.0]}, {}, "goal of the root"),
    "locked": (BENT, {"end": [0.0, 1.0, 0.0]}, {"stiffness": {"b": np.inf}}, "needs two bones"),
    "a root that may not turn": (BENT, {"end": [0.0, 1.0, 0.0]}, {"root": "heading"}, "needs two bones"),
    "look_at": (BENT, {"b": ik.look_at([0.0, 1.0, 0.0])}, {}, "no ik.look_at"),
    "posture": (BENT, {"end": [0.0, 1.0, 0.0], "any": ik.posture()}, {}, "no ik.posture"),
    "axes": (BENT, {"end": ik.position([0.0, 1.0, 0.0], axes="xy")}, {}, "axes='xy' alone"),
    "fixed": (BENT, {"end": [0.0, 1.0, 0.0]}, {"fixed": ["b"]}, "the root and nothing else"),
    "two fixed": (BENT, {"end": [0.0, 1.0, 0.0]}, {"fixed": ["a", "b"]}, "the root and nothing else"),
    "centre of mass": (human_skeleton(), {"all": ik.center_of_mass([0.0, 1.0, 0.0])}, {}, "no ik.center_of_mass"),
    "one limb": (human_skeleton(), {"LeftFoot": [0.0, 0.0, 0.0], "LeftToe": [0.0, 0.0, 0.0]}, {}, "share 'LeftUpLeg'"),
    "priorities": (
        human_skeleton(), {"LeftFoot": [0.0, 0.0, 0.0], "RightFoot": ik.position([0.0, 0.0, 0.0], priority=1)}, {}, "priorities",
    ),
    "a pole without a limb": (human_skeleton(), {"LeftForeArm": ik.pole([0.0, 0.0, 1.0])}, {}, "middle joint of a limb"),
    "a lone orientation": (human_skeleton(), {"Head": ik.orientation([1.0, 0.0, 0.0, 0.0])}, {}, "below the middle"),
    "the elbow's orientation": (
        human_skeleton(), {"LeftHand": [0.0, 0.0, 0.0], "LeftForeArm": ik.orientation([1.0, 0.0, 0.0, 0.0])}, {}, "below the middle",
    ),
    "two orientations": (
        human_skeleton(),
        {"LeftToe": ik.transform([0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]), "LeftFoot": ik.orientation([1.0, 0.0, 0.0, 0.0])},
        {}, "second one",
    ),
    "a locked hand": (
        human_skeleton(), {"LeftHand": ik.transform([0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])}, {"stiffness": {"LeftHand": np.inf}}, "locked",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("skeleton", "goals", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_two_bones_cannot_do_is_said_when_the_problem_is_made(skeleton, goals, options, message):
    with pytest.raises(InputError, match=message):
        ik.Problem(skeleton, goals, method="two_bone", **options)


def test_a_start_outside_limits_that_do_not_matter_is_not_limited():
    skeleton = chain([0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0])
    pose = rest(skeleton)
    turns = np.array(pose.local_rotations)
    turns[0] = quaternion.from_rotation_vector(np.array([0.5, 0.0, 0.0]))
    limits = {skeleton.joint_names[0]: ik.Hinge(np.array([0.0, 0.0, 1.0]), -3.0, 3.0)}
    goals = {"end": [50.0, 1.0, 1.0]}
    assert ik.solve(pose.with_local_rotations(turns), goals, method="two_bone", limits=limits).status == "unreachable"


def test_targets_that_are_not_finite_are_refused():
    problem = ik.Problem(BENT, {"end": ik.position()}, method="two_bone")
    with pytest.raises(InputError, match="finite"):
        problem.solve(rest(BENT), np.array([[np.nan, 0.0, 0.0]]))


@pytest.mark.parametrize("options", [{}, {"root": "fixed"}, {"root": "heading"}, {"root": "translation"}, {"fixed": ["Hips"]}])
def test_the_root_stays_whatever_it_may_do(options):
    body = human_skeleton()
    pose = random_pose(body, np.random.default_rng(18))
    result = solve(pose, {"LeftHand": where(pose, "LeftArm") + [0.1, 0.1, 0.2]}, **options)
    assert result.status == "converged"
    np.testing.assert_allclose(result.root_positions, pose.root_positions, atol=1e-12)
    assert np.array_equal(result.local_rotations[0], pose.local_rotations[0])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_skeletons_are_solved_or_refused(seed):
    skeleton = random_skeleton(seed, num_joints=8)
    pose = random_motion(skeleton, seed, num_frames=2)[1]
    rng = np.random.default_rng(seed)
    names = skeleton.joint_names + skeleton.end_site_names
    name = names[rng.integers(len(names))]
    try:
        problem = ik.Problem(skeleton, {name: rng.normal(size=3)}, method="two_bone")
    except InputError as error:
        assert "root" in str(error) or "two bones" in str(error)
        return
    result = problem.solve(pose)
    target = problem.goals[0][1].point
    assert result.errors[0] == pytest.approx(np.linalg.norm(where(result.pose, name) - target), abs=1e-12)
    best = ik.solve(pose, {name: target}, method="scipy", root="fixed", tolerance=problem.tolerance)
    assert result.errors[0] >= best.errors[0] - 2.0 * problem.tolerance
    assert (result.status == "converged") == (result.errors[0] <= problem.tolerance)
