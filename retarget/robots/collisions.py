"""Self-collisions of a robot: how deep capsules of segments that are no neighbours lie in each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from kinematics import kernels
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton
from retarget.robots.model import Robot


def self_penetrations(robot: Robot, motion: Motion) -> Float[np.ndarray, "frames pairs"]:
    """Return how deep the capsules of each pair lie in each other, metres, 0 where they are apart.

    Shape (frames, pairs), in the order of `robot.capsules.pairs`.
    """
    shape = robot.capsules
    joints = np.repeat(shape.joints, 2)
    where = robot.points(motion, joints, shape.ends.reshape(-1, 3)).reshape(motion.num_frames, -1, 2, 3)
    return np.asarray(kernels.capsules.depths(np.ascontiguousarray(where), shape.radii, shape.pairs))


def segment_distances(one: Float[np.ndarray, "*n 2 3"], other: Float[np.ndarray, "*n 2 3"]) -> Float[np.ndarray, "*n"]:
    """Return the distance between line segments, each given by its ends (Ericson, "Real-Time Collision Detection", 5.1.9)."""
    p, q = one[..., 0, :], other[..., 0, :]
    u, v = one[..., 1, :] - p, other[..., 1, :] - q
    r = p - q
    a, e, f = (np.einsum("...i,...i->...", x, y) for x, y in ((u, u), (v, v), (v, r)))
    b, c = np.einsum("...i,...i->...", u, v), np.einsum("...i,...i->...", u, r)
    safe_a, safe_e = np.where(a > 0, a, 1.0), np.where(e > 0, e, 1.0)
    denominator = a * e - b * b
    crossed = denominator > 1e-12 * a * e
    s = np.where(crossed, np.clip((b * f - c * e) / np.where(crossed, denominator, 1.0), 0.0, 1.0), 0.0)
    t = np.where(e > 0, (b * s + f) / safe_e, 0.0)
    clamped = np.clip(t, 0.0, 1.0)
    s = np.where((t == clamped) & (e > 0), s, np.clip((b * clamped - c) / safe_a, 0.0, 1.0))
    s = np.where(a > 0, s, 0.0)
    gap = r + s[..., None] * u - clamped[..., None] * v
    return np.asarray(np.linalg.norm(gap, axis=-1))


def pairs_apart(
    skeleton: Skeleton,
    joints: Int[np.ndarray, " capsules"],
    ends: Float[np.ndarray, "poses capsules 2 3"],
    radii: Float[np.ndarray, " capsules"],
    *,
    short: float,
) -> Int[np.ndarray, "pairs 2"]:
    """Return the pairs of capsules that are worth watching.

    Left out are pairs on one segment or on neighbours, where joints closer together than `short` are one segment, and pairs
    that touch already in one of the poses given.

    Args:
        skeleton: The robot's skeleton.
        joints: Joint of each capsule, shape (capsules,).
        ends: Global ends of the capsules in poses in which nothing should collide, metres, shape (poses, capsules, 2, 3).
        radii: Metres, shape (capsules,).
        short: Metres.
    """
    segment = list(range(skeleton.num_joints))
    for joint in range(1, skeleton.num_joints):
        if float(np.linalg.norm(skeleton.offsets[joint])) < short:
            segment[joint] = segment[int(skeleton.parents[joint])]
    above = {joint: segment[int(skeleton.parents[joint])] for joint in range(1, skeleton.num_joints) if segment[joint] == joint}
    one, other = np.triu_indices(len(joints), k=1)
    a, b = (np.array([segment[int(joint)] for joint in joints[side]], dtype=np.int64) for side in (one, other))
    over = np.array([above.get(joint, -1) for joint in range(skeleton.num_joints)])
    far = (a != b) & (over[a] != b) & (over[b] != a)
    pairs = np.stack([one, other], axis=1)[far]
    if len(ends) and len(pairs):
        apart = segment_distances(ends[:, pairs[:, 0]], ends[:, pairs[:, 1]]).min(axis=0)
        pairs = pairs[apart > radii[pairs[:, 0]] + radii[pairs[:, 1]]]
    return np.asarray(pairs, dtype=np.int64)
