"""Whether a clip goes round, and from where to where."""

from __future__ import annotations

import numpy as np

from imitate.bodies import Bodies
from kinematics.rotations import quaternion

SHORTEST_S = 0.4  # of a cycle
LEAST_SHARE = 0.6  # of the clip that the cycle must cover, or it is not what the clip shows
ALIKE = 0.035  # of the body's height: how far bodies may be apart, with velocities over AHEAD_S, for two frames to be alike
AHEAD_S = 0.1
REST_S, RESTING = 1.0 / 3.0, 0.3  # a body rests where it is slower, for this long, than this share of its mean speed
LONGER = 0.01  # of the body's height that a cycle over the whole clip may be worse than one over none of it


def find_cycle(
    bodies: Bodies, upright: np.ndarray, rate: float, *, height: float, whatever: bool = False
) -> tuple[int, int] | None:
    """Return the first frame of the clip's cycle and the one at which it is back there, or None where it does not go round.

    Two frames are alike when all bodies, seen from the root's heading, are at about the same places with about the same
    velocities. Of all pairs the one that closes best is taken, longer ones first; it must cover most of the clip, and the
    body must never come to rest: walking and running go on and on, squats and a jump come to their end.

    Args:
        bodies: The bodies in each frame.
        upright: The model's `BodyTree.upright`.
        rate: Frames a second.
        height: The body's height, metres.
        whatever: Take the best pair even if it does not close well.
    """
    frames = len(bodies.positions)
    shortest = max(2, round(SHORTEST_S * rate), 0 if whatever else int(np.ceil(LEAST_SHARE * (frames - 1))))
    if frames <= shortest:
        return (0, frames - 1) if whatever else None
    turns = quaternion.multiply(bodies.rotations[:, 0], np.broadcast_to(upright, (frames, 4)))
    ahead = turns * np.array([1.0, 0.0, 0.0, 1.0])
    back = quaternion.inverse(ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9))[:, None]
    root = bodies.positions[:, :1] * np.array([1.0, 1.0, 0.0])
    count = bodies.positions.shape[1]
    places = quaternion.rotate(np.repeat(back, count, axis=1), bodies.positions - root)
    speeds = quaternion.rotate(np.repeat(back, count, axis=1), bodies.linear_velocities)
    seen = np.concatenate([places, AHEAD_S * speeds], axis=-1).reshape(frames, -1) / np.sqrt(count)
    if not whatever and _rests(bodies, rate):
        return None
    best, found = np.inf, None
    for span in range(shortest, frames):
        off = np.linalg.norm(seen[span:] - seen[:-span], axis=1)
        cost = off - LONGER * height * span / frames
        if not whatever:
            cost[off > ALIKE * height] = np.inf
        first = int(cost.argmin())
        if cost[first] < best:
            best, found = float(cost[first]), (first, first + span)
    return found


def _rests(bodies: Bodies, rate: float) -> bool:
    """Tell whether the body comes to rest somewhere in the clip."""
    pace = np.linalg.norm(bodies.linear_velocities, axis=-1).mean(axis=1)
    window = max(1, round(REST_S * rate))
    return bool(np.convolve(pace, np.full(window, 1.0 / window), mode="valid").min() <= RESTING * pace.mean())
