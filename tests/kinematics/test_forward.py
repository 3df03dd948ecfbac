"""Forward kinematics against a plain recursion with matrices, by name, for one frame and for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinematics import KinematicsError, Motion, Skeleton, forward_kinematics
from kinematics.rotations import quaternion
from kinematics.testing import assert_quats_close, random_motion, random_skeleton


def by_matrices(motion: Motion, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Compose 4x4 matrices from the root down, with SciPy's rotations."""
    skeleton, world = motion.skeleton, []
    for joint, parent in enumerate(skeleton.parents):
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(motion.local_rotations[frame, joint], scalar_first=True).as_matrix()
        local[:3, 3] = skeleton.offsets[joint] if motion.local_positions is None else motion.local_positions[frame, joint]
        if parent < 0:
            local[:3, 3] = motion.root_positions[frame]
        world.append(local if parent < 0 else world[parent] @ local)
    ends = [(world[p] @ np.append(o, 1.0))[:3] for p, o in zip(skeleton.end_site_parents, skeleton.end_site_offsets, strict=True)]
    return np.array(world), np.array(ends).reshape(-1, 3)


@given(st.integers(0, 10_000), st.integers(1, 40), st.booleans())
def test_against_matrices(seed: int, num_joints: int, stretch: bool) -> None:
    motion = random_motion(random_skeleton(seed, num_joints=num_joints), seed, num_frames=3, stretch=stretch)
    found = forward_kinematics(motion)
    for frame in range(3):
        world, ends = by_matrices(motion, frame)
        np.testing.assert_allclose(found.global_positions[frame], world[:, :3, 3], atol=1e-12)
        np.testing.assert_allclose(quaternion.to_matrix(found.global_rotations[frame]), world[:, :3, :3], atol=1e-12)
        np.testing.assert_allclose(found.end_site_positions[frame], ends, atol=1e-12)


@pytest.mark.parametrize("stretch", [False, True])
def test_pose_is_one_frame(stretch: bool) -> None:
    motion = random_motion(random_skeleton(3), 4, stretch=stretch)
    whole, single = forward_kinematics(motion), forward_kinematics(motion[7])
    np.testing.assert_array_equal(single.global_positions, whole.global_positions[7])
    np.testing.assert_array_equal(single.global_rotations, whole.global_rotations[7])
    np.testing.assert_array_equal(single.end_site_positions, whole.end_site_positions[7])


def test_moving_the_world_moves_everything() -> None:
    motion = random_motion(random_skeleton(5), 6)
    turn, shift = quaternion.from_rotation_vector(np.array([0.3, -1.0, 0.4])), np.array([1.0, 2.0, -3.0])
    rotations = motion.local_rotations.copy()
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    root = quaternion.rotate(turn, motion.root_positions) + shift
    moved = forward_kinematics(motion.with_local_rotations(rotations).with_root_positions(root))
    still = forward_kinematics(motion)
    np.testing.assert_allclose(moved.global_positions, quaternion.rotate(turn, still.global_positions) + shift, atol=1e-12)
    assert_quats_close(moved.global_rotations, quaternion.multiply(turn, still.global_rotations), atol_radians=1e-12)


def test_bones_keep_their_length() -> None:
    motion = random_motion(random_skeleton(7, num_joints=200), 8)
    where = forward_kinematics(motion).global_positions
    lengths = np.linalg.norm(where[:, 1:] - where[:, motion.skeleton.parents[1:]], axis=-1)
    np.testing.assert_allclose(
        lengths, np.broadcast_to(np.linalg.norm(motion.skeleton.offsets[1:], axis=-1), lengths.shape), atol=1e-12
    )


def test_the_roots_offset_has_no_part() -> None:
    motion = random_motion(random_skeleton(9), 10)
    offsets = motion.skeleton.offsets.copy()
    offsets[0] = 100.0
    shifted = Motion(motion.skeleton.with_offsets(offsets), motion.root_positions, motion.local_rotations, motion.frame_time)
    np.testing.assert_array_equal(forward_kinematics(shifted).global_positions, forward_kinematics(motion).global_positions)


def test_by_name() -> None:
    motion = random_motion(random_skeleton(11), 12)
    found = forward_kinematics(motion)
    np.testing.assert_array_equal(found.position("joint5"), found.global_positions[:, 5])
    np.testing.assert_array_equal(found.position(motion.skeleton.end_site_names[1]), found.end_site_positions[:, 1])
    np.testing.assert_array_equal(found.rotation("joint5"), found.global_rotations[:, 5])
    np.testing.assert_array_equal(forward_kinematics(motion[0]).position("joint5"), found.global_positions[0, 5])
    with pytest.raises(KinematicsError, match="no joint or end site named 'joint55'"):
        found.position("joint55")


def test_edges() -> None:
    lone = Skeleton(("prop",), np.array([-1]), np.zeros((1, 3)))
    motion = Motion(lone, np.zeros((0, 3)), np.zeros((0, 1, 4)), 0.1)
    assert forward_kinematics(motion).global_positions.shape == (0, 1, 3)
    assert forward_kinematics(motion).end_site_positions.shape == (0, 0, 3)
    deep = random_motion(Skeleton(tuple(f"j{i}" for i in range(3000)), np.arange(-1, 2999), np.ones((3000, 3))), 1, num_frames=1)
    assert np.isfinite(forward_kinematics(deep).global_positions).all()
    with pytest.raises(ValueError, match="read-only"):
        forward_kinematics(deep).global_positions[0] = 0.0
