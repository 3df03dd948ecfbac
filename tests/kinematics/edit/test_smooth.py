from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from kinematics import edit
from kinematics.errors import InputError
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import assert_motions_close, assert_quats_close, random_motion, random_skeleton

ONE = Skeleton(("root",), np.array([-1]), np.zeros((1, 3)))


def turning(vector: np.ndarray, frames: int = 120, *, rate: float = 100.0) -> Motion:
    """Constant speed in a line and about an axis, from a random start."""
    times = np.arange(frames)[:, None] / rate
    start = quaternion.normalize(np.array([0.3, -0.2, 0.8, 0.1]))
    rotations = quaternion.multiply(quaternion.from_rotation_vector(times * vector), start)
    return Motion(ONE, times * [1.0, -2.0, 30.0] + 5.0, rotations[:, None], 1 / rate)


@pytest.mark.parametrize("cutoff", [2.0, 6, 40.0])
@pytest.mark.parametrize("frames", [3, 10, 120])
@pytest.mark.parametrize("spin", [0.0, 1.0, 8.0])
def test_rest_and_constant_speed_pass_unchanged(cutoff: float, frames: int, spin: float) -> None:
    motion = turning(spin * np.array([0.6, 0.0, 0.8]), frames)  # at 8 rad/s more than a turn
    assert_motions_close(edit.smooth(motion, cutoff_hz=cutoff), motion, atol=1e-7)


def test_random_poses_held_still_pass_unchanged() -> None:
    held = random_motion(random_skeleton(1), 1, stretch=True)[np.zeros(50, dtype=int)]
    assert_motions_close(edit.smooth(held, cutoff_hz=3.0), held, atol=1e-12)


def test_power_is_halved_at_the_cutoff() -> None:
    rate, cutoff = 120.0, 6.0
    times = np.arange(2400) / rate
    for frequency, gain in ((1.0, 1.0), (6.0, np.sqrt(0.5)), (12.0, 0.1), (50.0, 0.0)):
        waves = np.sin(2 * np.pi * frequency * times)[:, None] * [0.2, 0.0, 0.0]
        motion = Motion(ONE, waves, quaternion.from_rotation_vector(waves)[:, None], 1 / rate)
        smoothed = edit.smooth(motion, cutoff_hz=cutoff)
        middle = slice(600, 1800)
        wave = waves[middle, 0]
        by_positions = smoothed.root_positions[middle, 0] @ wave / (wave @ wave)
        by_rotations = quaternion.to_rotation_vector(smoothed.local_rotations[middle, 0])[:, 0] @ wave / (wave @ wave)
        assert by_positions == pytest.approx(gain, abs=0.04)
        assert by_rotations == pytest.approx(by_positions, abs=0.005)


def test_positions_agree_with_scipy_away_from_the_ends() -> None:
    motion = random_motion(random_skeleton(1), 1, num_frames=400, frame_time=1 / 100)
    smoothed = edit.smooth(motion, cutoff_hz=10.0)
    corrected = np.arctan(np.tan(np.pi * 0.1) / (np.sqrt(2) - 1) ** 0.25) / np.pi * 2
    expected = signal.sosfiltfilt(signal.butter(2, corrected, output="sos"), motion.root_positions, axis=0)
    np.testing.assert_allclose(smoothed.root_positions[100:-100], expected[100:-100], atol=1e-8)


def test_noise_goes_and_nothing_is_delayed() -> None:
    rng = np.random.default_rng(0)
    clean = random_motion(random_skeleton(1), 1, num_frames=600, frame_time=1 / 120, smooth=True)  # waves of 1 Hz
    jitter = quaternion.from_rotation_vector(rng.normal(size=(600, 12, 3)) * 0.02)
    noisy = clean.with_local_rotations(quaternion.multiply(jitter, clean.local_rotations))
    smoothed = edit.smooth(noisy, cutoff_hz=6.0)
    before = quaternion.angle_between(noisy.local_rotations, clean.local_rotations)
    after = quaternion.angle_between(smoothed.local_rotations, clean.local_rotations)
    assert np.sqrt(np.mean(after**2)) < 0.4 * np.sqrt(np.mean(before**2))


def test_time_backwards_and_signs_make_no_difference() -> None:
    motion = random_motion(random_skeleton(1), 1, num_frames=60, smooth=True)
    back = edit.smooth(motion[::-1], cutoff_hz=4.0)[::-1]
    assert_motions_close(back, edit.smooth(motion, cutoff_hz=4.0), atol=1e-9)
    signs = np.where(np.random.default_rng(0).random((60, 12, 1)) < 0.5, -1.0, 1.0)
    flipped = motion.with_local_rotations(motion.local_rotations * signs)
    assert_quats_close(edit.smooth(flipped, cutoff_hz=4.0).local_rotations, edit.smooth(motion, cutoff_hz=4.0).local_rotations)


def test_a_spin_beyond_the_cutoff_stays_unit() -> None:
    smoothed = edit.smooth(turning(np.array([0.0, 300.0, 0.0]), 200), cutoff_hz=0.5)
    np.testing.assert_allclose(np.linalg.norm(smoothed.local_rotations, axis=-1), 1.0, atol=1e-12)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_short_clips_come_back(frames: int) -> None:
    motion = random_motion(random_skeleton(1), 1, num_frames=frames, stretch=True)
    assert_motions_close(edit.smooth(motion, cutoff_hz=5.0), motion)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, 15.0, 100.0, np.nan])
def test_bad_cutoffs_are_refused(cutoff: float) -> None:
    with pytest.raises(InputError, match="half the frame rate"):
        edit.smooth(random_motion(random_skeleton(1), 1), cutoff_hz=cutoff)
