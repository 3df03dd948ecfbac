"""Heading and facing frames on bodies whose facing is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinematics import Motion, Skeleton, forward_kinematics
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import (
    UP_AXES,
    forward_axis,
    heading,
    positions_from_facing,
    positions_to_facing,
    rotation_to_y_up,
    rotations_from_facing,
    rotations_to_facing,
    up_axis,
    vectors_from_facing,
    vectors_to_facing,
)
from kinematics.rotations import quaternion
from kinematics.testing import assert_quats_close, human_skeleton, random_motion, random_skeleton

Y = np.array([0.0, 1.0, 0.0])


def person(root_rotations: np.ndarray, up: str = "Y") -> Motion:
    """A rigid T-pose, turned in the Y-up world, then brought into a world of another up axis."""
    skeleton = human_skeleton()
    frames = len(root_rotations)
    local = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    back = quaternion.inverse(rotation_to_y_up(up))
    local[:, 0] = quaternion.multiply(back, root_rotations)
    root = quaternion.rotate(back, np.stack([np.arange(frames) * 0.1, np.full(frames, 0.93), np.arange(frames) * -0.2], -1))
    return Motion(skeleton, root, local, 1 / 30)


def yaw(angles: np.ndarray) -> np.ndarray:
    return quaternion.from_axis_angle(Y, angles)


@pytest.mark.parametrize("up", UP_AXES)
def test_turning_twice_gives_unwrapped_angles_in_any_world(up: str):
    angles = np.linspace(0.3, 0.3 + 4 * np.pi, 60)
    found = heading(person(yaw(angles), up), up=up)
    np.testing.assert_allclose(found.angles, angles, atol=1e-9)
    assert found.certain.all() and found.method == "hips and shoulders"
    expected = quaternion.rotate(
        quaternion.inverse(rotation_to_y_up(up)), np.stack([np.sin(angles), 0 * angles, np.cos(angles)], -1)
    )
    np.testing.assert_allclose(found.directions, expected, atol=1e-9)
    np.testing.assert_allclose(found.positions @ up_axis(up), 0, atol=1e-12)
    np.testing.assert_allclose(found.directions @ up_axis(up), 0, atol=1e-12)


def test_forward_axes_follow_the_converters():
    np.testing.assert_array_equal(forward_axis("Y"), [0, 0, 1])
    np.testing.assert_array_equal(forward_axis("Z"), [0, -1, 0])
    np.testing.assert_allclose(quaternion.rotate(rotation_to_y_up("Z"), np.array([1.0, 2, 3])), [1, 3, -2], atol=1e-12)
    for up in UP_AXES:
        np.testing.assert_allclose(quaternion.rotate(rotation_to_y_up(up), up_axis(up)), Y, atol=1e-12)
    with pytest.raises(UnknownNameError, match="up axis"):
        up_axis("W")


def test_leaning_does_not_turn_and_a_twisted_waist_is_halved():
    lean = quaternion.from_axis_angle(np.array([1.0, 0, 0]), np.linspace(-1.2, 1.2, 9))
    motion = person(quaternion.multiply(yaw(np.full(9, 0.7)), lean))
    np.testing.assert_allclose(heading(motion).angles, 0.7, atol=1e-9)
    local = np.array(person(yaw(np.zeros(1))).local_rotations)
    local[0, motion.skeleton.joint_index("Spine")] = yaw(np.array(0.8))
    np.testing.assert_allclose(heading(person(yaw(np.zeros(1))).with_local_rotations(local)).angles, 0.4, atol=1e-9)


def test_lying_on_the_side_is_bridged_from_the_frames_around():
    roll = np.concatenate([np.linspace(0, np.pi / 2, 10), np.linspace(np.pi / 2, 0, 10)])
    turned = quaternion.multiply(yaw(np.full(20, 2.0)), quaternion.from_axis_angle(np.array([0.0, 0, 1]), roll))
    found = heading(person(turned))
    np.testing.assert_allclose(found.angles, 2.0, atol=1e-9)
    assert not found.certain[9] and found.certain[0]
    always = quaternion.from_axis_angle(np.array([0.0, 0, 1]), np.full(4, np.pi / 2))
    assert heading(person(always)).method == "root rotation"


def test_a_prop_faces_where_its_root_turns():
    angles = np.linspace(-1, 8, 40)
    prop = Motion(Skeleton(("box",), np.array([-1]), np.zeros((1, 3))), np.zeros((40, 3)), yaw(angles)[:, None], 0.1)
    found = heading(prop)
    np.testing.assert_allclose(found.angles, angles, atol=1e-9)
    assert found.method == "root rotation"


@pytest.mark.parametrize("up", ["Y", "Z"])
def test_facing_frame_and_back(up: str):
    rng = np.random.default_rng(0)
    motion = person(yaw(rng.normal(size=12) * 3), up)
    transforms = forward_kinematics(motion)
    found = heading(motion, up=up, transforms=transforms)
    before = transforms.global_positions.copy()
    local = positions_to_facing(found, transforms.global_positions)
    np.testing.assert_array_equal(before, transforms.global_positions)
    np.testing.assert_allclose(positions_from_facing(found, local), transforms.global_positions, atol=1e-12)
    np.testing.assert_allclose(local, np.broadcast_to(local[:1], local.shape), atol=1e-9)  # a stiff body never moves there
    np.testing.assert_allclose(local[:, 0], np.tile(0.93 * up_axis(up), (12, 1)), atol=1e-9)
    vectors = rng.normal(size=(12, 3))
    turned = vectors_to_facing(found, vectors)
    np.testing.assert_allclose(vectors_from_facing(found, turned), vectors, atol=1e-12)
    np.testing.assert_allclose(vectors_to_facing(found, found.directions), np.tile(forward_axis(up), (12, 1)), atol=1e-9)
    spun = rotations_to_facing(found, transforms.global_rotations)
    assert_quats_close(rotations_from_facing(found, spun), transforms.global_rotations)
    assert_quats_close(spun, np.broadcast_to(spun[:1], spun.shape))


def test_turning_the_world_turns_the_heading():
    motion = person(yaw(np.linspace(0, 1, 10)))
    turn = yaw(np.array(1.3))
    local = np.array(motion.local_rotations)
    local[:, 0] = quaternion.multiply(turn, local[:, 0])
    turned = replace(motion, local_rotations=local, root_positions=quaternion.rotate(turn, motion.root_positions))
    np.testing.assert_allclose(heading(turned).angles, heading(motion).angles + 1.3, atol=1e-9)


def test_few_frames_and_wrong_lengths():
    motion = person(yaw(np.zeros(3)))
    assert heading(motion[:0]).angles.shape == (0,)
    assert heading(motion[:1]).angles.shape == (1,)
    tree = random_motion(random_skeleton(3), 1, num_frames=5)
    assert np.isfinite(heading(tree).angles).all()
    with pytest.raises(InputError, match="values have 2 frames"):
        positions_to_facing(heading(motion), np.zeros((2, 3)))
