"""Offsets that die away: how a clip is bent to begin (or end) in another pose at another velocity.

Bollo, "Inertialization: High-performance animation transitions in Gears of War" (GDC 2018): keep playing the new clip and
add the offset x0, with its velocity v0, to it; a quintic takes offset, velocity and acceleration to zero at the end. Ours
acts on whole vectors and starts with no extra acceleration, s = t / t1:

    x(t) = x0 (1 - 10 s^3 + 15 s^4 - 6 s^5) + v0 t1 (s - 6 s^3 + 8 s^4 - 3 s^5)

Rotation offsets are rotation vectors applied from the left (in the parent's frame).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from kinematics.motion import Motion
from kinematics.rotations import quaternion


def decay(
    offset: Float[np.ndarray, "*batch 3"],
    velocity: Float[np.ndarray, "*batch 3"],
    times: Float[np.ndarray, " frames"],
    duration: float,
) -> Float[np.ndarray, "frames *batch 3"]:
    """Return the quintic above at the given times; zero from `duration` on."""
    s = np.clip(times / duration, 0.0, 1.0).reshape(-1, *(1,) * offset.ndim) if duration > 0.0 else np.ones(())
    from_offset = 1.0 - s**3 * (10.0 - 15.0 * s + 6.0 * s**2)
    from_velocity = s - s**3 * (6.0 - 8.0 * s + 3.0 * s**2)
    result = from_offset * offset + from_velocity * duration * velocity
    return np.asarray(np.broadcast_to(result, (len(times), *offset.shape)))


def bend(
    motion: Motion, root_and_bones: Float[np.ndarray, "frames rows 3"], rotations: Float[np.ndarray, "frames joints 3"]
) -> Motion:
    """Add offsets: vectors to the root's position (row 0) and local positions (all rows), rotation vectors to rotations."""
    moving = motion.local_positions
    return replace(
        motion,
        root_positions=motion.root_positions + root_and_bones[:, 0],
        local_rotations=quaternion.multiply(quaternion.from_rotation_vector(rotations), motion.local_rotations),
        local_positions=None if moving is None else moving + root_and_bones,
    )


def root_and_bones(motion: Motion) -> Float[np.ndarray, "frames rows 3"]:
    """Return the positions that a motion holds: of the root, or of all joints where bones stretch."""
    return motion.root_positions[:, None] if motion.local_positions is None else motion.local_positions


def window(frame_time: float) -> int:
    """Return how many frames the differences at an end reach over."""
    return 1 + 2 * max(round(1.0 / (30.0 * frame_time)), 1)


def end_of_vectors(
    values: Float[np.ndarray, "frames *batch 3"], frame_time: float
) -> tuple[Float[np.ndarray, "*batch 3"], Float[np.ndarray, "*batch 3"]]:
    """Return velocity and acceleration at the last frame, by one-sided differences of second order.

    They reach over two steps of about 1/30 s, so that noise counts the same at every frame rate; over fewer frames where
    the clip is short. One frame has none.
    """
    reach = min(window(frame_time) // 2, (len(values) - 1) // 2)
    if reach == 0:
        steps = values[-1] - values[-2] if len(values) > 1 else np.zeros_like(values[-1])
        return steps / frame_time, np.zeros_like(steps)
    last, middle, first = values[-1], values[-1 - reach], values[-1 - 2 * reach]
    step = reach * frame_time
    return (1.5 * last - 2.0 * middle + 0.5 * first) / step, (last - 2.0 * middle + first) / step**2


def end_of_rotations(
    rotations: Float[np.ndarray, "frames *batch 4"], frame_time: float
) -> tuple[Float[np.ndarray, "*batch 3"], Float[np.ndarray, "*batch 3"]]:
    """Return angular velocity and acceleration at the last frame, in the parent's frame; see `end_of_vectors`."""
    tail = rotations[-window(frame_time) :]
    return end_of_vectors(difference(tail[-1], tail), frame_time)


def difference(before: Float[np.ndarray, "*batch 4"], after: Float[np.ndarray, "*frames 4"]) -> Float[np.ndarray, "*frames 3"]:
    """Return the rotation vector that, applied from the left, takes one rotation to another."""
    return quaternion.to_rotation_vector(quaternion.multiply(after, quaternion.inverse(before)))


def angular_offset_velocity(
    offset: Float[np.ndarray, "*batch 3"], wanted: Float[np.ndarray, "*batch 3"], own: Float[np.ndarray, "*batch 3"]
) -> Float[np.ndarray, "*batch 3"]:
    """Return the rate of a rotation vector `offset` that makes exp(offset) q turn at `wanted`, where q turns at `own`.

    wanted = J offset' + R own with R = exp(offset) and its left Jacobian J, whose inverse is (Sola, Deray and Atchuthan, "A
    micro Lie theory for state estimation in robotics", 2018)
    1 - [x]/2 + (1/|x|^2 - (1 + cos |x|) / (2 |x| sin |x|)) [x]^2.
    """
    rest = wanted - quaternion.rotate(quaternion.from_rotation_vector(offset), own)
    angle = np.linalg.norm(offset, axis=-1, keepdims=True)
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    half = 0.5 * safe  # (1 + cos a) / sin a = cot(a / 2), finite up to a = pi
    factor = np.where(small, 1.0 / 12.0, (1.0 - half / np.tan(half)) / safe**2)
    across = np.cross(offset, rest)
    return np.asarray(rest - 0.5 * across + factor * np.cross(offset, across))
