"""Self-collisions of a robot: how deep capsules of segments that are no neighbours lie in each other, and which to part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinematics import kernels
from kinematics._arrays import FrozenArrays
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton
from retarget.robots.model import Robot

TOUCH = 1e-3  # metres: shallower contacts are touches
CLOSE = 0.04  # metres between shapes that are watched
AROUND_S = 0.3  # seconds around a collision in which they are
TRUNK, HEAD, LEGS, ARMS = range(4)


@dataclass(frozen=True, eq=False)
class Near(FrozenArrays):
    """Which capsules each chain of hinges keeps apart from which, as `kinematics.kernels.hinges.track` takes it.

    Attributes:
        starts: First row for each frame and chain, and the end of the frame's, shape (frames, chains + 1).
        pairs: The chain's own capsule and the other, shape (n, 2).
        places: Where the other is, metres, shape (n, 2, 3).
        weights: How much a metre of overlap counts, and the share that may stay, shape (n, 2).
    """

    starts: Int[np.ndarray, "frames chains_1"]
    pairs: Int[np.ndarray, "n 2"]
    places: Float[np.ndarray, "n 2 3"]
    weights: Float[np.ndarray, "n 2"]


def nothing_near(chains: int) -> Near:
    """Return that nothing is near anything."""
    return Near(
        np.zeros((0, chains + 1), dtype=np.int64), np.zeros((0, 2), dtype=np.int64), np.zeros((0, 2, 3)), np.zeros((0, 2))
    )


def near_capsules(
    robot: Robot,
    motion: Motion,
    capsule_chains: Int[np.ndarray, " capsules"],
    chains: int,
    clearing: Float[np.ndarray, " chains"],
) -> Near | None:
    """Return which capsules are to be kept apart, None where none collide.

    Arms give way to all else and to each other, legs to the trunk and to each other, half each.

    Args:
        robot: The robot.
        motion: A motion of it.
        capsule_chains: Chain of each capsule, -1 the root: trunk, head, two legs, arms.
        chains: How many there are.
        clearing: How much a metre of overlap counts for each chain; 0 where it does not give way.
    """
    shape = robot.capsules
    if not len(shape.pairs):
        return None
    rank = np.array([TRUNK, HEAD, LEGS, LEGS, ARMS, ARMS, TRUNK])[capsule_chains]
    rows: list[tuple[int, int, int, int, float]] = []  # chain, pair, own, other, share
    for n, (one, other) in enumerate(shape.pairs.tolist()):
        for own, away in ((one, other), (other, one)):
            mine, theirs = int(capsule_chains[own]), int(capsule_chains[away])
            if mine >= 0 and mine != theirs and clearing[mine] > 0.0 and rank[own] >= rank[away]:
                rows.append((mine, n, own, away, 0.5 if rank[own] == rank[away] and mine < theirs else 0.0))
    rows.sort()
    where = capsule_places(robot, motion)
    close = kernels.capsules.depths(where, shape.radii + 0.5 * CLOSE, shape.pairs)
    used = sorted({row[1] for row in rows})
    hits = np.flatnonzero((close[:, used] > CLOSE + TOUCH).any(axis=1))
    if not len(hits):
        return None
    edges, around = np.zeros(motion.num_frames + 1, dtype=np.int64), int(np.ceil(AROUND_S / motion.frame_time))
    np.add.at(edges, np.maximum(hits - around, 0), 1)
    np.add.at(edges, np.minimum(hits + around + 1, motion.num_frames), -1)
    hit = np.cumsum(edges[:-1]) > 0
    owner, pair, own, away = (np.array([row[k] for row in rows]) for k in range(4))
    seen = (close[:, pair] > 0.0) & hit[:, None]
    frames, at = np.nonzero(seen)
    counts = np.zeros((len(seen), chains + 1), dtype=np.int64)
    np.add.at(counts, (frames, owner[at] + 1), 1)
    counts[1:, 0] = counts[:-1, 1:].sum(axis=1)
    starts = np.cumsum(counts, axis=1)
    starts += np.cumsum(counts[:, 0])[:, None] - counts[:, :1]
    weights = np.stack([clearing[owner], np.array([row[4] for row in rows])], axis=1)
    return Near(starts, np.stack([own, away], axis=1)[at], where[frames, away[at]], weights[at])


def capsule_places(robot: Robot, motion: Motion) -> Float[np.ndarray, "frames capsules 2 3"]:
    """Return where the ends of the robot's capsules are, metres, shape (frames, capsules, 2, 3)."""
    shape = robot.capsules
    where = robot.points(motion, np.repeat(shape.joints, 2), shape.ends.reshape(-1, 3))
    return np.ascontiguousarray(where.reshape(motion.num_frames, -1, 2, 3))


def self_penetrations(robot: Robot, motion: Motion) -> Float[np.ndarray, "frames pairs"]:
    """Return how deep the capsules of each pair lie in each other, metres, 0 where they are apart.

    Shape (frames, pairs), in the order of `robot.capsules.pairs`.
    """
    return np.asarray(kernels.capsules.depths(capsule_places(robot, motion), robot.capsules.radii, robot.capsules.pairs))


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
