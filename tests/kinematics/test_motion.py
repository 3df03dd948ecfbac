"""Motions and poses: indexing, what is refused, and that nothing can be written to."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from kinematics import InputError, KinematicsError, Motion, Pose
from kinematics.motion import Source
from kinematics.testing import assert_motions_close, human_skeleton, random_motion, random_skeleton

SKELETON = random_skeleton(1)
MOTION = random_motion(SKELETON, 2, num_frames=9)
STRETCHING = random_motion(SKELETON, 2, num_frames=9, stretch=True)


def test_index_by_frame() -> None:
    pose = MOTION[3]
    assert isinstance(pose, Pose)
    np.testing.assert_array_equal(pose.root_positions, MOTION.root_positions[3])
    np.testing.assert_array_equal(pose.local_rotations, MOTION.local_rotations[3])
    assert MOTION[-1].allclose(MOTION[8]) and MOTION[np.int64(2)].allclose(MOTION[2])
    stretching = STRETCHING[4]
    assert stretching.local_positions is not None and STRETCHING.local_positions is not None
    np.testing.assert_array_equal(stretching.local_positions, STRETCHING.local_positions[4])
    with pytest.raises(IndexError, match="frame 9 is outside the clip of 9"):
        MOTION[9]
    assert len(list(MOTION)) == 9  # iteration ends


def test_index_by_slice_mask_list_and_joint() -> None:
    assert MOTION[2:5].num_frames == 3 and MOTION[::4].num_frames == 3 and MOTION[:0].num_frames == 0
    mask = np.arange(9) % 2 == 0
    np.testing.assert_array_equal(MOTION[mask].root_positions, MOTION.root_positions[mask])
    assert_motions_close(MOTION[[0, 3]], MOTION[np.array([0, 3])])
    np.testing.assert_array_equal(MOTION["joint4"], MOTION.local_rotations[:, 4])
    np.testing.assert_array_equal(MOTION[1]["joint4"], MOTION.local_rotations[1, 4])
    assert MOTION[::4].frame_time == MOTION.frame_time
    for wrong in ([0, 9], np.ones(4, dtype=bool)):
        with pytest.raises(InputError, match="outside the clip of 9"):
            MOTION[wrong]
    with pytest.raises(InputError, match="chosen by an int"):
        MOTION[np.array([0.5])]
    with pytest.raises(KinematicsError, match="did you mean"):
        MOTION["jiont4"]


def test_slices_keep_the_numbers_as_read() -> None:
    read = replace(MOTION, source=Source(path="a.bvh", channel_values=np.arange(18.0).reshape(9, 2)))
    sliced = read[2:6:2].source.channel_values
    assert sliced is not None
    np.testing.assert_array_equal(sliced, [[4, 5], [8, 9]])


@pytest.mark.parametrize("motion", [MOTION, STRETCHING])
def test_arrays_are_copies_and_read_only_also_after_pickling(motion: Motion) -> None:
    root = motion.root_positions.copy()
    fresh = replace(motion, root_positions=root)
    root[0] = 99.0
    assert fresh.root_positions[0, 0] != 99.0
    for copy in (fresh, pickle.loads(pickle.dumps(motion)), motion[2:], motion[1]):
        for array in (copy.root_positions, copy.local_rotations, copy.local_positions):
            if array is not None:
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 0.0
    assert pickle.loads(pickle.dumps(motion)).allclose(motion, atol=0.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses_nan(value: float) -> None:
    root = MOTION.root_positions.copy()
    root[3, 1] = value
    with pytest.raises(InputError, match=r"root_positions must be finite, got (nan|inf) at index \(3, 1\)"):
        MOTION.with_root_positions(root)
    rotations = MOTION.local_rotations.copy()
    rotations[2, 1, 0] = value
    with pytest.raises(InputError, match="local_rotations must be finite"):
        MOTION.with_local_rotations(rotations)
    with pytest.raises(InputError, match="local_positions must be finite"):
        replace(MOTION, local_positions=np.full((9, 12, 3), value))


@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses_wrong_shapes_and_lengths() -> None:
    with pytest.raises(InputError, match=r"root_positions must have shape \(9, 3\)|local_rotations must have shape \(8, 12, 4\)"):
        MOTION.with_root_positions(MOTION.root_positions[:8])
    with pytest.raises(InputError, match="unit quaternions wxyz, got .* at index \\(1, 2\\)"):
        rotations = MOTION.local_rotations.copy()
        rotations[1, 2] *= 1.1
        MOTION.with_local_rotations(rotations)
    for frame_time in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="frame_time must be a positive number of seconds"):
            MOTION.with_frame_time(frame_time)


def test_single_precision_is_made_unit() -> None:
    rounded = MOTION.with_local_rotations(MOTION.local_rotations.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(np.linalg.norm(rounded.local_rotations, axis=-1), 1.0, atol=1e-15)


def test_root_column_follows_the_root() -> None:
    assert STRETCHING.local_positions is not None
    np.testing.assert_array_equal(STRETCHING.local_positions[:, 0], STRETCHING.root_positions)
    moved = STRETCHING.with_root_positions(STRETCHING.root_positions + 1.0)
    assert moved.local_positions is not None
    np.testing.assert_array_equal(moved.local_positions[:, 0], moved.root_positions)


def test_time() -> None:
    assert MOTION.frame_rate == pytest.approx(30) and MOTION.duration == pytest.approx(8 / 30)
    np.testing.assert_allclose(MOTION.times, np.arange(9) / 30)
    odd = MOTION.with_frame_time(0.0417083750417)
    assert odd.frame_time == 0.0417083750417  # exactly as given
    assert MOTION[:0].duration == 0.0 and len(MOTION[:0].times) == 0


def test_allclose_ignores_the_sign_of_quaternions() -> None:
    assert MOTION.allclose(MOTION.with_local_rotations(-MOTION.local_rotations))
    assert not MOTION.allclose(MOTION[1:])
    assert not MOTION.allclose(STRETCHING) and STRETCHING.allclose(STRETCHING)
    resting = np.broadcast_to(SKELETON.offsets, (9, 12, 3))
    assert MOTION.allclose(replace(MOTION, local_positions=resting.copy()))  # bones that could move and do not
    assert not MOTION.allclose(MOTION.with_root_positions(MOTION.root_positions + 1e-6))
    assert not MOTION.allclose(MOTION.with_frame_time(0.1))


def test_reprs_are_short() -> None:
    assert repr(MOTION) == "Motion(9 frames at 30 Hz, 12 joints)"
    assert repr(SKELETON) == "Skeleton(12 joints, 3 end sites, root 'joint0')"


def test_a_motion_moved_elsewhere_shares_its_rotations() -> None:
    """Rotations of a long clip are large and read-only, so a clip whose root alone moves does not copy them."""
    motion = random_motion(human_skeleton(), 0, num_frames=4)
    for other in (motion.with_root_positions(motion.root_positions + 1.0), motion.with_frame_time(0.5)):
        assert np.shares_memory(other.local_rotations, motion.local_rotations) and type(other.local_rotations) is np.ndarray
        assert not other.local_rotations.flags.writeable
