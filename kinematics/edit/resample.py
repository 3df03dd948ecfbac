"""Frames at other times: another rate, a piece of the clip, another speed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.errors import InputError
from kinematics.motion import Motion

MOST_FRAMES = 1e8  # three weeks at 60 Hz: more is a slip of the keyboard
ON_FRAME = 1e-6  # times within this part of a frame count as the frame itself


def resample(motion: Motion, frame_rate: float | int, *, tolerance: float | int = 1e-4) -> Motion:
    """Return the clip at another frame rate: rotations by slerp along the shorter arc, positions linear.

    Where one rate is a whole multiple of the other, frames are kept bit for bit: 120 to 30 Hz is exactly `motion[::4]`
    (with the file's numbers, so it is written without loss), and 30 to 120 and back gives the clip itself. Rates in files
    are often rounded (0.0083333 s for 120 Hz), so a multiple within `tolerance` counts as whole; the frame time is then
    the file's own, multiplied or divided (4 x 0.0083333 s), and the clip still lasts as long. In all other cases (29.97 to
    30 Hz is one)
    `frame_time` is exactly 1 / frame_rate, and the last frame lies less than one frame before the old end.

    Args:
        motion: The clip.
        frame_rate: Frames a second.
        tolerance: How far, as a part of 1, the ratio of the rates may be from whole; 0 always gives exactly `frame_rate`.

    Raises:
        InputError: On a rate that is not positive or would make over 1e8 frames, or a tolerance outside 0 to 0.1.
    """
    if not (frame_rate > 0 and math.isfinite(frame_rate)):
        raise InputError(f"frame_rate must be a positive number of frames a second, got {frame_rate}")
    if not 0 <= tolerance <= 0.1:
        raise InputError(f"tolerance must lie between 0 and 0.1, got {tolerance}")
    step = 1.0 / (motion.frame_time * frame_rate)  # old frames in one new frame
    if motion.num_frames / step > MOST_FRAMES:
        raise InputError(f"at {frame_rate:.6g} frames a second the clip would have {motion.num_frames / step:.3g} frames")
    tolerance = max(tolerance, 1e-12)
    if step > 0.7 and abs(step / (stride := round(step)) - 1.0) <= tolerance:
        return _at_rate(motion[::stride], motion.frame_time * stride, float(frame_rate))
    if step < 0.7 and abs(step * (parts := round(1.0 / step)) - 1.0) <= tolerance:
        positions = np.arange(max((motion.num_frames - 1) * parts + 1, 0)) / parts
        return _at_rate(sample(motion, positions), motion.frame_time / parts, float(frame_rate))
    count = math.floor((motion.num_frames - 1) / step + ON_FRAME) + 1 if motion.num_frames else 0
    return sample(motion, np.arange(count) * step).with_frame_time(1.0 / frame_rate)


def slice_time(motion: Motion, start_s: float | int = 0.0, end_s: float | int | None = None) -> Motion:
    """Return the part of the clip from `start_s` up to, but not including, `end_s` (seconds from the first frame).

    The first frame lies exactly at `start_s`, between two frames interpolated; on a frame nothing is interpolated, and the
    result is `motion[a:b]`. Like slices of a list, two neighbouring pieces make up the whole: no frame is lost or doubled.
    Without `end_s` the last frame is included.

    Raises:
        InputError: Where the times are out of order or outside the clip.
    """
    frames = motion.num_frames
    start = start_s / motion.frame_time
    end = float(frames) if end_s is None else end_s / motion.frame_time
    if not -ON_FRAME <= start <= end + ON_FRAME or end > frames + ON_FRAME:
        raise InputError(
            f"a slice must lie within the clip, 0 <= start_s <= end_s <= {frames * motion.frame_time:.6g} s; "
            f"got {start_s} to {end_s}"
        )
    start = _on_frame(np.array(start)).item()
    count = math.ceil(end - start - ON_FRAME)
    if start != math.floor(start):
        count = min(count, math.floor(frames - 1 - start) + 1)
    return sample(motion, start + np.arange(max(count, 0)))


def time_warp(
    motion: Motion,
    input_times: Float[np.ndarray, " new_frames"] | Callable[[np.ndarray], np.ndarray],
    *,
    duration_s: float | int | None = None,
) -> Motion:
    """Return the clip played at a changing speed, at the same frame rate.

    Args:
        motion: The clip.
        input_times: For each new frame the time in the old clip, in seconds, never decreasing; or a function that takes
            the new times (an array) and returns those. `np.linspace(0, clip.duration, 50)` stretches the clip to 50 frames.
        duration_s: With a function, seconds from the first new frame to the last; the old duration if None.

    Raises:
        InputError: Where times decrease or leave the clip (beyond rounding), or `duration_s` comes with an array.
    """
    if callable(input_times):
        length = motion.duration if duration_s is None else float(duration_s)
        if length < 0 or not math.isfinite(length):
            raise InputError(f"duration_s must not be negative, got {duration_s}")
        count = math.floor(length / motion.frame_time + ON_FRAME) + 1 if motion.num_frames else 0
        times = np.asarray(input_times(np.arange(count) * motion.frame_time), dtype=np.float64)
        if times.shape != (count,):
            raise InputError(f"the time function must return one time for each of {count} frames, got shape {times.shape}")
    elif duration_s is not None:
        raise InputError("duration_s is for a time function; an array of times has a length of its own")
    else:
        times = np.asarray(input_times, dtype=np.float64)
    if times.ndim != 1 or not np.all(np.isfinite(times)):
        raise InputError(f"input_times must be finite seconds, one for each new frame, got shape {times.shape}")
    slack = ON_FRAME * motion.frame_time
    if np.any(np.diff(times) < -slack):
        at = int(np.argmax(np.diff(times) < -slack))
        raise InputError(f"input_times must not decrease, got {times[at]} s then {times[at + 1]} s; motion[::-1] plays backwards")
    if len(times) and (motion.num_frames == 0 or times[0] < -slack or times[-1] > motion.duration + slack):
        raise InputError(f"input_times must lie in 0 to {motion.duration:.6g} s, got {times[0]:.6g} to {times[-1]:.6g} s")
    return sample(motion, times / motion.frame_time)


def sample(motion: Motion, frame_positions: Float[np.ndarray, " new_frames"]) -> Motion:
    """Return the poses at fractional frame numbers (2.5 is halfway from frame 2 to 3), at the same frame time.

    Whole numbers (within 1e-6) are frames bit for bit; the file's numbers stay with them. Numbers
    beyond the ends give the first or last frame.
    """
    last = max(motion.num_frames - 1, 0)
    positions = np.clip(_on_frame(frame_positions), 0, last)
    first = np.floor(positions).astype(np.int64)
    fraction = positions - first
    frames: Motion = motion[first]
    if not fraction.any():
        return frames

    def linear(values: np.ndarray) -> np.ndarray:
        part = fraction.reshape(-1, *(1,) * (values.ndim - 1))
        return np.asarray(values[first] + part * (values[np.minimum(first + 1, last)] - values[first]))

    rotations: np.ndarray = kernels.interpolate.slerp_frames(motion.local_rotations, first, fraction)
    return replace(
        frames,
        root_positions=linear(motion.root_positions),
        local_rotations=rotations,
        local_positions=None if motion.local_positions is None else linear(motion.local_positions),
    )


def _on_frame(positions: np.ndarray) -> np.ndarray:
    nearest = np.rint(positions)
    return np.where(np.abs(positions - nearest) <= ON_FRAME, nearest, positions)


def _at_rate(motion: Motion, frame_time: float, frame_rate: float) -> Motion:
    """Set the frame time, exactly 1 / frame_rate where it differs by rounding only."""
    wanted = 1.0 / frame_rate
    return motion.with_frame_time(wanted if math.isclose(frame_time, wanted, rel_tol=1e-12) else frame_time)
