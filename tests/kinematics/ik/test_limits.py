"""Joint limits as objects: validated, packed, measured, applied, and taken from a clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import kernels, load_motion
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik.limits import (
    Cone,
    EulerBox,
    Hinge,
    SwingTwist,
    bone_axis,
    clamp,
    limit_violations,
    limits_from_motion,
    pack_limits,
)
from kinematics.motion import Motion
from kinematics.rotations import euler, quaternion, swing_twist
from kinematics.skeleton import ChannelLayout
from kinematics.testing import assert_quats_close, human_skeleton, random_motion, random_skeleton

X, Y, Z = np.eye(3)
TILT = quaternion.from_rotation_vector(np.array([0.3, -0.2, 0.5]))


def chain(rotations, order=None):
    """A motion of a root and one joint with these rotations, shape (frames, 4)."""
    skeleton = random_skeleton(1, num_joints=2)
    if order is not None:
        skeleton = skeleton.with_layout(ChannelLayout.default(2, rotation_order=order))
    rotations = np.asarray(rotations)
    local = np.stack([np.tile(quaternion.IDENTITY, (len(rotations), 1)), rotations], axis=1)
    return Motion(skeleton, np.zeros((len(rotations), 3)), local, 1 / 30)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hinge(np.zeros(3), -1.0, 1.0), "axis must not be zero"),
        (lambda: Hinge(np.array([1.0, np.nan, 0.0]), -1.0, 1.0), "axis must be finite"),
        (lambda: Hinge(X, 1.0, -1.0), "the least first; got 1 and -1"),
        (lambda: Hinge(X, 0.0, np.inf), "angles in radians"),
        (lambda: Hinge(X, 0.0, 1.0, np.zeros(4)), "reference must not be zero"),
        (lambda: SwingTwist(X, 3.2), "swing must be an angle from 0 to pi"),
        (lambda: SwingTwist(X, -0.1), "swing must be an angle from 0 to pi"),
        (lambda: SwingTwist(X, 1.0, (0.2, 0.1)), "twist must be angles"),
        (lambda: Cone(X, 4.0), "angle must be an angle from 0 to pi"),
        (lambda: EulerBox("ZXY", np.array([0.0, 0.5, 0.0]), np.array([1.0, 0.4, 1.0])), "lower and upper of X"),
        (lambda: EulerBox("ZXY", np.zeros(3), np.zeros(3), frame=np.zeros(4)), "frame must not be zero"),
    ],
)
def test_bad_limits_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_wrong_shapes_are_refused(unchecked_shapes):
    with pytest.raises(InputError, match="axis must have shape"):
        Hinge(np.zeros(2), -1.0, 1.0)
    with pytest.raises(InputError, match="twist must be two angles"):
        SwingTwist(X, 1.0, (0.1, 0.2, 0.3))
    with pytest.raises(InputError, match="lower must have shape"):
        EulerBox("ZXY", np.zeros(2), np.zeros(3))
    with pytest.raises(InputError, match="must be angles in radians"):
        Hinge(X, "a", 1.0)


@pytest.mark.parametrize("order", ["ZZY", "zxy", "XY", ""])
def test_unknown_orders_are_refused(order):
    with pytest.raises(UnknownNameError):
        EulerBox(order, np.zeros(3), np.zeros(3))


def test_limits_are_read_only_and_leave_their_arguments_alone():
    axis = np.array([0.0, 0.0, 2.0])
    limit = Hinge(axis, -1.0, 1.0)
    axis[0] = 5.0
    np.testing.assert_array_equal(limit.axis, Z)
    with pytest.raises(ValueError, match="read-only"):
        limit.axis[0] = 1.0


def test_packed_rows_are_what_the_kernels_read():
    kind, values = Hinge(2.0 * Y, -0.5, 1.5, TILT).packed()
    assert kind == 1
    np.testing.assert_allclose(values, [*TILT, 0, 1, 0, -0.5, 1.5, 0, 0, 0, 0, 0, 0, 0], atol=1e-15)
    kind, values = SwingTwist(X, 0.7, (-0.1, 0.2)).packed()
    assert kind == 2
    np.testing.assert_allclose(values, [1, 0, 0, 0, 1, 0, 0, 0.7, -0.1, 0.2, 0, 0, 0, 0, 0, 0], atol=1e-15)
    kind, values = EulerBox("ZXY", np.array([-1.0, -2.0, -3.0]), np.array([1.0, 2.0, 3.0]), TILT).packed()
    assert kind == 3
    np.testing.assert_allclose(values, [*TILT, 2, 0, 1, -1, -2, -3, 1, 2, 3, 0, 0, 0], atol=1e-15)
    assert SwingTwist(X, 0.0, (-0.1, 0.2)).packed()[0] == 1
    assert Cone(X, 0.5).packed()[0] == 2


def test_packing_puts_limits_where_the_joints_are():
    skeleton = human_skeleton()
    limits = {"LeftLeg": Hinge(X, 0.0, 2.5), "Head": Cone(Y, 0.5), "RightHand": Cone(X, 1.0)}
    joints = np.array([skeleton.joint_index(name) for name in ("Hips", "Head", "LeftLeg")])
    kinds, values = pack_limits(skeleton, limits, joints)
    np.testing.assert_array_equal(kinds, [0, 2, 1])
    np.testing.assert_array_equal(values[0], 0.0)
    np.testing.assert_array_equal(values[2], limits["LeftLeg"].packed()[1])
    with pytest.raises(UnknownNameError, match="LeftLeg"):
        pack_limits(skeleton, {"LeftLegg": Cone(X, 1.0)}, joints)


def test_something_else_than_a_limit_is_refused(unchecked_shapes):
    with pytest.raises(InputError, match="Hinge, SwingTwist, Cone or EulerBox"):
        pack_limits(human_skeleton(), {"Head": (0.0, 1.0)}, np.array([1]))


def test_violations_of_each_limit_in_the_order_given():
    skeleton = human_skeleton()
    motion = random_motion(skeleton, 0, num_frames=6)
    limits = {
        "Neck": Hinge(X, -0.1, 0.2, TILT),
        "Hips": Cone(Y, 0.3),
        "LeftArm": EulerBox("XYZ", np.full(3, -0.2), np.full(3, 0.4), TILT, quaternion.inverse(TILT)),
        "Head": SwingTwist(Y, 0.5, (-0.5, 0.5)),
    }
    found = limit_violations(motion, limits)
    assert found.shape == (6, 4)
    for n, (name, limit) in enumerate(limits.items()):
        kind, values = limit.packed()
        for f in range(6):
            assert found[f, n] == kernels.limits.violation(kind, values, np.array(motion[name][f]))
    swing = quaternion.angle(swing_twist.decompose(motion["Hips"], Y)[0])
    np.testing.assert_allclose(found[:, 1], np.maximum(swing - 0.3, 0.0), atol=1e-12)
    np.testing.assert_array_equal(limit_violations(motion[2], limits), found[2])
    assert limit_violations(motion, {}).shape == (6, 0)
    assert limit_violations(motion[:0], limits).shape == (0, 4)
    with pytest.raises(UnknownNameError):
        limit_violations(motion, {"Nek": limits["Neck"]})


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_clamped_motions_are_inside_and_the_rest_is_as_it_was(seed):
    rng = np.random.default_rng(seed)
    motion = random_motion(random_skeleton(seed % 100, num_joints=5), seed, num_frames=3)
    low = rng.uniform(-6.0, 6.0, size=3)
    limits = {
        "joint1": Hinge(rng.normal(size=3), -0.5, float(rng.uniform(-0.5, 2.0)), quaternion.normalize(rng.normal(size=4))),
        "joint2": EulerBox(euler.ORDERS[rng.integers(12)], low, low + rng.uniform(0.0, 4.0, size=3), TILT, TILT),
        "joint4": SwingTwist(rng.normal(size=3), float(rng.uniform(0.0, np.pi)), (-0.3, 0.4), TILT),
    }
    before = np.array(motion.local_rotations)
    clamped = clamp(motion, limits)
    assert limit_violations(clamped, limits).max() <= 1e-9
    outside = limit_violations(motion, limits) > 0.0
    joints = [motion.skeleton.joint_index(name) for name in limits]
    kept = np.ones(before.shape[:2], dtype=bool)
    kept[:, joints] = ~outside
    np.testing.assert_array_equal(clamped.local_rotations[kept], before[kept])
    np.testing.assert_array_equal(motion.local_rotations, before)
    np.testing.assert_array_equal(clamp(clamped, limits).local_rotations, clamped.local_rotations)
    np.testing.assert_array_equal(clamp(motion[1], limits).local_rotations, clamped.local_rotations[1])


def test_a_limit_of_no_range_holds_its_reference():
    motion = random_motion(random_skeleton(2, num_joints=3), 2)
    limits = {"joint1": SwingTwist(X, 0.0, (0.0, 0.0), TILT), "joint2": EulerBox("YXZ", np.zeros(3), np.zeros(3), TILT)}
    clamped = clamp(motion, limits)
    assert_quats_close(clamped["joint1"], np.tile(TILT, (motion.num_frames, 1)))
    assert_quats_close(clamped["joint2"], np.tile(TILT, (motion.num_frames, 1)))


def test_a_clips_range_is_that_of_its_angles():
    angles = np.array([[0.1, -0.2, 0.3], [0.5, 0.2, -0.3], [0.2, 0.1, 0.0]])
    limits = limits_from_motion(chain(euler.to_quaternion(angles, "ZXY"), "ZXY"))
    assert list(limits) == ["joint1"]
    limit = limits["joint1"]
    assert isinstance(limit, EulerBox)
    assert limit.order == "ZXY"
    np.testing.assert_allclose(limit.lower, angles.min(axis=0), atol=1e-12)
    np.testing.assert_allclose(limit.upper, angles.max(axis=0), atol=1e-12)
    wider = limits_from_motion(chain(euler.to_quaternion(angles, "ZXY"), "ZXY"), margin=0.1)["joint1"]
    np.testing.assert_allclose(wider.lower, limit.lower - 0.1, atol=1e-12)
    np.testing.assert_allclose(wider.upper, limit.upper + 0.1, atol=1e-12)


def test_a_range_goes_on_through_half_a_turn():
    angles = np.zeros((30, 3))
    angles[:, 0] = np.linspace(2.5, 4.0, 30)
    motion = chain(euler.to_quaternion(angles, "ZYX"))
    limit = limits_from_motion(motion)["joint1"]
    assert limit.upper[0] - limit.lower[0] == pytest.approx(1.5, abs=1e-9)
    assert limit_violations(motion, {"joint1": limit}).max() == 0.0
    outside = chain(euler.to_quaternion(np.array([[4.2, 0.0, 0.0], [0.0, 0.0, 0.0]]), "ZYX"))
    np.testing.assert_allclose(limit_violations(outside, {"joint1": limit})[:, 0], [0.2, 2 * np.pi - 4.0], atol=1e-9)


def test_a_joint_that_never_moves_may_not_move():
    motion = chain(np.tile(TILT, (4, 1)))
    limits = limits_from_motion(motion)
    assert limit_violations(motion, limits).max() == 0.0
    other = chain(quaternion.multiply(TILT, quaternion.from_rotation_vector(np.array([[1e-3, 0.0, 0.0]]))))
    assert limit_violations(other, limits).max() == pytest.approx(1e-3, rel=0.2)


@pytest.mark.parametrize("order", euler.ORDERS)
def test_every_frame_is_inside_its_own_range(order):
    skeleton = random_skeleton(3, num_joints=6)
    skeleton = skeleton.with_layout(ChannelLayout.default(6, rotation_order=order))
    for smooth in (True, False):
        motion = random_motion(skeleton, 3, num_frames=40, smooth=smooth)
        assert limit_violations(motion, limits_from_motion(motion)).max() <= 1e-9
        assert limit_violations(motion, limits_from_motion(motion, margin=0.2)).max() == 0.0


def test_gimbal_lock_and_whole_turns_become_swing_and_twist():
    angles = np.zeros((50, 3))
    angles[:, 1] = np.linspace(1.0, 2.0, 50)
    through_lock = limits_from_motion(chain(euler.to_quaternion(angles, "ZYX")))["joint1"]
    assert isinstance(through_lock, SwingTwist)
    turning = chain(quaternion.from_axis_angle(bone_axis(random_skeleton(1, num_joints=2), 1), np.linspace(0.0, 9.0, 80)))
    limits = limits_from_motion(turning)
    assert isinstance(limits["joint1"], SwingTwist)
    assert limit_violations(turning, limits).max() == 0.0


def test_every_clip_is_inside_its_own_range(clips):
    for path in sorted(clips.glob("*.bvh")):
        motion = load_motion(path)
        limits = limits_from_motion(motion)
        assert set(limits) == set(motion.skeleton.joint_names[1:])
        assert limit_violations(motion, limits).max() <= 1e-9, path.name
        np.testing.assert_array_equal(clamp(motion, limits).local_rotations, motion.local_rotations)


def test_every_foreign_clip_is_inside_its_own_range(shared_data):
    for path in (
        "odd/synthetic/34_gimbal_90.bvh",
        "odd/synthetic/35_angles_over_360.bvh",
        "games105/run_forward.bvh",
        "fair1/dab.bvh",
    ):
        motion = load_motion(shared_data / path)
        assert limit_violations(motion, limits_from_motion(motion)).max() <= 1e-9, path


def test_a_range_needs_frames_and_a_margin_that_is_no_less_than_zero():
    motion = random_motion(random_skeleton(0), 0)
    with pytest.raises(InputError, match="at least one frame"):
        limits_from_motion(motion[:0])
    with pytest.raises(InputError, match="margin"):
        limits_from_motion(motion, margin=-0.1)


def test_the_axis_of_a_bone_points_to_what_hangs_on_it():
    skeleton = human_skeleton()
    np.testing.assert_allclose(bone_axis(skeleton, skeleton.joint_index("LeftArm")), X, atol=1e-12)
    np.testing.assert_allclose(bone_axis(skeleton, skeleton.joint_index("RightUpLeg")), -Y, atol=1e-12)
    np.testing.assert_allclose(bone_axis(skeleton, skeleton.joint_index("Head")), Y, atol=1e-12)
    lone = random_skeleton(0, num_joints=1, num_end_sites=0)
    np.testing.assert_array_equal(bone_axis(lone, 0), Y)
