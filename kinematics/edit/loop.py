"""Clips that go round."""

from __future__ import annotations

import numpy as np

from kinematics.edit._inertial import (
    angular_offset_velocity,
    bend,
    decay,
    difference,
    end_of_rotations,
    end_of_vectors,
    root_and_bones,
)
from kinematics.edit._travel import find_path, follow, leave, steps, walk
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import up_axis
from kinematics.motion import Motion
from kinematics.rotations import quaternion


def loop(motion: Motion, *, blend_s: float | int = 0.4, travel: str = "keep", repeats: int = 1, up: str = "Y") -> Motion:
    """Return the clip made cyclic: its last frame is its first again, at the same velocity.

    The gap between the ends, in pose and in velocity, is split in halves that die away over `blend_s` after the start and
    before the end (the inertialized loops of Holden, "Creating looping animations from motion capture", 2022, with Bollo's
    quintic; see `concatenate`). Frames further from both ends stay as they are. A cycle lasts `motion.duration`; the last
    frame doubles the first, so play `result[:-1]` over and over, or ask for `repeats`.

    Args:
        motion: The clip, cut so that its ends are about alike.
        blend_s: Seconds over which each half dies away, shortened to the clip's length.
        travel: "keep": a walk walks on, each cycle from where the last one ended, and the speed on the ground meets too.
            "close": the body comes back to the same place and heading. For a cycle on the spot loop `in_place(motion)`.
        repeats: Cycles in the result, (frames - 1) * repeats + 1 frames.
        up: The world's up axis.

    Raises:
        InputError: On a `blend_s` that is not positive, or fewer than one cycle.
        UnknownNameError: On another `travel`, or an unknown axis.
    """
    up_axis(up)
    if travel not in ("keep", "close"):
        raise UnknownNameError("travel", travel, ("keep", "close"))
    if not blend_s > 0:
        raise InputError(f"blend_s must be a positive number of seconds, got {blend_s}")
    if repeats < 1:
        raise InputError(f"repeats must be at least 1, got {repeats}")
    if motion.num_frames < 2:
        return motion
    blend = min(float(blend_s), motion.duration)
    frames = np.append(np.tile(np.arange(motion.num_frames - 1), repeats), motion.num_frames - 1)
    if travel == "close":
        return _meet(motion, blend)[frames]
    path = find_path(motion, up)
    strides, turns = steps(path)
    since_start = (np.arange(len(turns)) * motion.frame_time)[:, None]
    reach = min(blend, float(since_start[-1, 0]))
    away = _fade(since_start, reach) - _fade(since_start[::-1], reach)  # 1 at the first step, -1 at the last
    strides = strides + 0.5 * away * (strides[-1] - strides[0])
    turns = turns + 0.5 * away[:, 0] * (turns[-1] - turns[0])
    onward = walk(path, np.tile(strides, (repeats, 1)), np.tile(turns, repeats))
    return follow(_meet(leave(motion, path), blend)[frames], onward)


def _meet(motion: Motion, blend: float) -> Motion:
    """Bend both ends to the pose and velocity halfway between them."""
    step = motion.frame_time
    times = np.arange(motion.num_frames) * step
    vectors, rotations = root_and_bones(motion), motion.local_rotations
    gap = vectors[-1] - vectors[0]
    faster = end_of_vectors(vectors, step)[0] + end_of_vectors(vectors[::-1], step)[0]  # backwards the sign turns
    bones = decay(0.5 * gap, 0.5 * faster, times, blend) + decay(-0.5 * gap, 0.5 * faster, times[::-1], blend)

    half = 0.5 * difference(rotations[0], rotations[-1])
    first, last = -end_of_rotations(rotations[::-1], step)[0], end_of_rotations(rotations, step)[0]
    middle = quaternion.from_rotation_vector(half)
    wanted = 0.5 * (quaternion.rotate(middle, first) + quaternion.rotate(quaternion.inverse(middle), last))
    after_start = decay(half, angular_offset_velocity(half, wanted, first), times, blend)
    before_end = decay(-half, -angular_offset_velocity(-half, wanted, last), times[::-1], blend)
    bent = bend(motion, bones, after_start + before_end)
    same = np.concatenate([bent.local_rotations[:-1], bent.local_rotations[:1]])  # equal already, but for rounding and sign
    return bent.with_local_rotations(same)


def _fade(seconds: np.ndarray, duration: float) -> np.ndarray:
    """Return 1 at zero, falling smoothly to 0 at `duration`."""
    s = np.clip(seconds / duration, 0.0, 1.0) if duration > 0.0 else np.ones_like(seconds)
    return np.asarray(1.0 - s**2 * (3.0 - 2.0 * s))
