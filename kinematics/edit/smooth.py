"""Noise taken out of a clip without a shift in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kinematics.errors import InputError
from kinematics.motion import Motion
from kinematics.rotations import quaternion

Reflection = Callable[[np.ndarray, np.ndarray], np.ndarray]

SETTLED = 1e-11  # the part of its start that the filter may still remember at the clip's first frame
MOST_PADDING, LEAST_PADDING = 20, 10_000  # unless that takes more than 20 clips, or 10 000 frames


def smooth(motion: Motion, *, cutoff_hz: float | int) -> Motion:
    """Return the clip low-passed by a Butterworth filter run forwards and backwards, so that nothing is delayed.

    Second order each way, with the cutoff corrected for the two passes, so that `cutoff_hz` itself is halved in power
    (Winter, "Biomechanics and Motor Control of Human Movement", 4th ed., section 3.4.4.2, and the bilinear transform's
    tangent). Human movement lies below about 6 Hz in walking and 10 to 12 Hz in sport. Positions are filtered as they are.
    Rotations are filtered as unrolled quaternions made unit again: whatever number of turns, a rotation at constant speed
    is a sinusoid that a filter without delay leaves in phase. Beyond its ends the clip is continued by point reflection,
    for rotations q(-t) = q(0) q(t)^-1 q(0), so rest and constant speed pass unchanged, the ends included. A joint that
    spins more than `cutoff_hz` times a second is beyond what the filter can follow.

    Args:
        motion: The clip.
        cutoff_hz: Frequency in Hz, above 0 and below half the frame rate.

    Raises:
        InputError: On a cutoff outside that range.
    """
    if not 0 < cutoff_hz < 0.5 * motion.frame_rate:
        raise InputError(
            f"cutoff_hz must lie above 0 and below half the frame rate, {0.5 * motion.frame_rate:.6g} Hz; got {cutoff_hz}"
        )
    if motion.num_frames < 3:
        return motion
    cutoff = float(cutoff_hz * motion.frame_time)
    rotations = quaternion.unroll(motion.local_rotations)
    filtered = _low_pass(rotations, cutoff, _reflect_rotations)
    length = np.linalg.norm(filtered, axis=-1, keepdims=True)
    lost = length < 1e-3  # spinning far above the cutoff: nothing is left to make unit
    moving = motion.local_positions
    return replace(
        motion,
        root_positions=_low_pass(motion.root_positions, cutoff, _reflect_vectors),
        local_rotations=np.where(lost, rotations, filtered / np.where(lost, 1.0, length)),
        local_positions=None if moving is None else _low_pass(moving, cutoff, _reflect_vectors),
    )


def _low_pass(values: np.ndarray, cutoff: float, reflect: Reflection) -> np.ndarray:
    """Filter (frames, ...) along the first axis; the cutoff is in cycles a frame."""
    from scipy import signal

    two_passes = (math.sqrt(2.0) - 1.0) ** 0.25
    corrected = 2.0 / math.pi * math.atan(math.tan(math.pi * cutoff) / two_passes)
    frames = len(values)
    sections = signal.butter(2, corrected, output="sos")
    slowest = float(np.abs(np.roots(sections[0, 3:])).max())  # pole
    settled = math.ceil(math.log(SETTLED) / math.log(slowest))
    pad = min(settled, max(MOST_PADDING * frames, LEAST_PADDING))
    before = _continue(values[::-1], pad, reflect)[::-1]
    padded = np.concatenate([before, values, _continue(values, pad, reflect)])
    return np.asarray(signal.sosfiltfilt(sections, padded, axis=0, padtype=None)[pad : pad + frames])


def _continue(values: np.ndarray, count: int, reflect: Reflection) -> np.ndarray:
    """Return `count` frames that go on after the last one, by point reflections about the end."""
    longer = values
    while len(longer) < len(values) + count:
        longer = np.concatenate([longer, reflect(longer[-1], longer[-2::-1])])
    return longer[len(values) : len(values) + count]


def _reflect_vectors(center: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 * center - values)


def _reflect_rotations(center: np.ndarray, values: np.ndarray) -> np.ndarray:
    return quaternion.multiply(quaternion.multiply(center, quaternion.inverse(values)), center)
