"""Each metric on a case that was computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kinematics import InputError, Motion, Skeleton
from kinematics.body import measure_body
from kinematics.contacts import foot_contacts
from kinematics.errors import UnknownNameError
from kinematics.metrics import (
    BoneDrift,
    bone_length_drift,
    floating,
    jerk,
    joint_turns,
    largest_turn,
    penetration,
    position_error,
    slide,
)
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton

RATE = 50.0


def standing(root: np.ndarray) -> Motion:
    skeleton = human_skeleton()
    rotations = np.zeros((len(root), skeleton.num_joints, 4))
    rotations[..., 0] = 1.0
    return Motion(skeleton, root, rotations, 1 / RATE)


def still(frames: int = 50) -> np.ndarray:
    return np.tile([0.0, 0.53 * 1.75, 0.0], (frames, 1))


def test_slide_of_a_body_that_is_pulled_at_known_speeds():
    root = still(101)
    speeds = np.where(np.arange(100) < 80, 0.02, 0.3)  # 80 steps at 2 cm/s, 20 at 30 cm/s
    root[1:, 2] = np.cumsum(speeds) / RATE
    found = slide(standing(root))
    assert found.stance_steps == 200  # two feet
    assert found.mean_cm_s == pytest.approx(0.8 * 2 + 0.2 * 30)
    assert found.p95_cm_s == pytest.approx(30)
    assert found.fraction == pytest.approx(0.2)
    assert found.threshold_cm_s == pytest.approx(10)
    assert slide(standing(still())).mean_cm_s == 0.0
    assert slide(standing(root), threshold=0.5).fraction == 0.0


def test_a_foot_that_rolls_over_its_toe_does_not_slide():
    skeleton = human_skeleton()
    motion = standing(still(40))
    rotations = np.array(motion.local_rotations)
    foot, toe = skeleton.joint_index("LeftFoot"), skeleton.joint_index("LeftToe")
    local = np.tile(skeleton.offsets, (40, 1, 1))
    pitch = quaternion.from_axis_angle(np.array([1.0, 0, 0]), np.linspace(0, 0.5, 40))
    rotations[:, foot] = pitch
    rotations[:, toe] = quaternion.inverse(pitch)
    local[:, foot] += skeleton.offsets[toe] - quaternion.rotate(pitch, skeleton.offsets[toe])  # the toe stays
    assert slide(Motion(skeleton, motion.root_positions, rotations, 1 / RATE, local)).mean_cm_s < 1e-9


def test_slide_with_the_stance_of_a_source():
    root = still(50)
    root[:, 0] = np.arange(50) * 2.0 / RATE  # too fast to stand by itself
    assert slide(standing(root)).stance_steps == 0
    source = foot_contacts(standing(still(50)))
    assert slide(standing(root), contacts=source).mean_cm_s == pytest.approx(200)
    with pytest.raises(InputError, match="50 frames, the motion has 49"):
        slide(standing(root[:49]), contacts=source)


def test_penetration_and_floating_by_hand():
    root = still(10)
    root[:, 1] += [0, 0, -0.005, -0.02, -0.04, 0, 0.02, 0.05, 0.07, 0]
    motion = standing(root)
    found = penetration(motion, floor=0.0)
    assert found.fraction == pytest.approx(0.2)
    assert found.mean_depth_cm == pytest.approx(3.0)
    assert found.max_depth_cm == pytest.approx(4.0)
    assert penetration(standing(still()), floor=0.0).max_depth_cm == pytest.approx(0.0, abs=1e-9)
    assert penetration(standing(still() + np.array([0, 5, 0]))).fraction == 0.0  # the floor is where the feet stand
    stance = foot_contacts(standing(still(10)))
    hang = floating(motion, contacts=stance, floor=0.0, tolerance=0.03)
    assert hang.stance_frames == 20
    assert hang.fraction == pytest.approx(0.2)
    assert hang.mean_height_cm == pytest.approx(6.0)
    assert floating(motion, contacts=stance, floor=0.07).fraction == 0.0


def test_jerk_of_a_cubic_is_its_constant():
    times = np.arange(30) / RATE
    root = still(30)
    root[:, 0] += 2.0 * times**3  # third derivative 12
    found = jerk(standing(root))
    np.testing.assert_allclose([found.mean, found.p95, found.max], 12.0, rtol=1e-6)
    assert jerk(standing(root[:3])).max == 0.0
    local = np.tile(human_skeleton().offsets, (30, 1, 1))
    local[:, human_skeleton().joint_index("LeftHand"), 0] += times**3  # this joint alone has 6
    motion = Motion(human_skeleton(), still(30), standing(still(30)).local_rotations, 1 / RATE, local)
    assert jerk(motion, joints=["LeftHand"]).mean == pytest.approx(6.0, rel=1e-6)
    assert jerk(motion, joints=["Hips", "RightHand"]).max == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(UnknownNameError, match="LeftHand"):
        jerk(motion, joints=["LeftHandd"])


def test_position_error_by_hand():
    reference = standing(still(4))
    root = still(4)
    root[2, 0] += 0.06
    root[3, 0] -= 0.12
    motion = standing(root)
    height = measure_body(reference).height
    found = position_error(motion, reference)
    assert found.mean_cm == pytest.approx(18 / 4)
    assert found.max_cm == pytest.approx(12)
    assert found.mean_percent == pytest.approx(4.5 / height)
    assert found.max_percent == pytest.approx(12 / height)
    assert found.worst_frame == 3
    assert position_error(motion, reference, align="root").max_cm == pytest.approx(0.0, abs=1e-9)
    one = position_error(motion, reference, pairs={"LeftToe_end": "LeftToe_end"})
    assert one.worst_joint == "LeftToe_end" and one.max_cm == pytest.approx(12)


def test_position_error_refuses_what_it_cannot_compare():
    reference = standing(still(4))
    with pytest.raises(InputError, match="4 and 3"):
        position_error(reference, standing(still(3)))
    with pytest.raises(InputError, match="align"):
        position_error(reference, reference, align="hips")
    with pytest.raises(InputError, match="share no joint"):
        position_error(reference, random_motion(random_skeleton(0), 0, num_frames=4))
    with pytest.raises(UnknownNameError, match="LeftToe"):
        position_error(reference, reference, pairs={"LeftTo": "LeftToe"})


def test_bone_drift_by_hand():
    skeleton = Skeleton(("a", "b", "c"), np.array([-1, 0, 1]), np.array([[0.0, 0, 0], [2.0, 0, 0], [0, 1.0, 0]]))
    local = np.tile(skeleton.offsets, (5, 1, 1))
    local[3, 1, 0] = 2.5
    local[4, 2, 1] = 0.9
    rotations = np.tile(quaternion.IDENTITY, (5, 3, 1))
    motion = Motion(skeleton, np.zeros((5, 3)), rotations, 0.1, local)
    found = bone_length_drift(motion)
    assert found.max_percent == pytest.approx(25)
    assert found.mean_percent == pytest.approx((25 + 10) / 10)
    assert found.worst_joint == "b"
    assert bone_length_drift(Motion(skeleton, np.zeros((5, 3)), rotations, 0.1)) == BoneDrift(0.0, 0.0, "")


def test_joint_turns_are_the_angles_between_frames():
    motion = random_motion(random_skeleton(3), 1, num_frames=600)
    flipped = motion.with_local_rotations(motion.local_rotations * np.where(np.arange(600) % 3 == 0, -1.0, 1.0)[:, None, None])
    expected = quaternion.angle_between(motion.local_rotations[:-1], motion.local_rotations[1:])
    for each in (motion, flipped):
        np.testing.assert_allclose(joint_turns(each), expected, atol=1e-7)
    tiny = standing(still(2)).local_rotations.copy()
    tiny[1, 3] = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 1e-9)
    assert joint_turns(standing(still(2)).with_local_rotations(tiny))[0, 3] == pytest.approx(1e-9)
    assert joint_turns(motion[:0]).shape == (0, 12) and joint_turns(motion[:1]).shape == (0, 12)


def test_the_floor_of_floating_is_that_of_penetration():
    root = still(50) + np.array([0.0, 0.4, 0.0])
    root[30:33, 1] += 0.05
    stance = foot_contacts(standing(still(50)))
    found = floating(standing(root), contacts=stance)
    assert found.fraction == pytest.approx(3 / 50) and found.mean_height_cm == pytest.approx(5.0)
    assert floating(standing(root), contacts=stance, floor=0.4).mean_height_cm == pytest.approx(5.0)
    np.testing.assert_allclose(foot_contacts(standing(still(9))).clearances, 0.0, atol=1e-12)
    root[:, 2] = np.arange(50) / 10  # too fast to stand
    assert np.isinf(foot_contacts(standing(root)).clearances).all()


def test_largest_turn_by_hand():
    motion = standing(still(6))
    rotations = np.array(motion.local_rotations)
    joint = motion.skeleton.joint_index("LeftArm")
    rotations[4:, joint] = quaternion.from_axis_angle(np.array([0.0, 0, 1]), 0.7)
    found = largest_turn(motion.with_local_rotations(rotations))
    assert (found.joint, found.frame) == ("LeftArm", 4)
    assert found.radians == pytest.approx(0.7)
    assert largest_turn(motion[:1]).radians == 0.0


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_few_frames_and_no_feet(frames: int):
    for motion in (standing(still(frames)), random_motion(random_skeleton(2, num_joints=1), 0, num_frames=frames)):
        for metric in (slide, penetration, floating, jerk, bone_length_drift, largest_turn):
            values = [value for value in vars(metric(motion)).values() if isinstance(value, float)]
            assert np.isfinite(values).all()
