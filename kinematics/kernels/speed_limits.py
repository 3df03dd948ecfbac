"""Hold the angular speed of rotations over time below a limit."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit


@jit
def limit_turns(rotations: np.ndarray, most: float, slowed: np.ndarray) -> None:
    """Change unit quaternions (frames, 4) in place so that none turns by more than `most` radians a frame.

    One follower runs forward in time and turns towards each rotation by as much as it may, one runs backward; where both are
    half a way ahead and behind, their middle is on time. It changes nothing but where one of them lags. A sphere's middles may be
    a little faster than their ends, so a last follower holds them. `slowed` (frames,) gets True where a frame was changed.
    """
    frames = len(rotations)
    over = False
    for f in range(1, frames):
        if _angle(rotations[f - 1], rotations[f]) > most * (1.0 + 1e-12):
            over = True
            break
    if not over:
        return
    forward, backward = rotations.copy(), rotations.copy()
    _follow(forward, most)
    _follow(backward[::-1], most)
    middle = np.empty((frames, 4))
    for f in range(frames):
        _towards(forward[f], backward[f], 0.5, middle[f])
    _follow(middle, most)
    for f in range(frames):
        if _angle(rotations[f], middle[f]) > 1e-13:
            slowed[f] = True
            for k in range(4):
                rotations[f, k] = middle[f, k]


@jit
def _follow(rotations: np.ndarray, most: float) -> None:
    for f in range(1, len(rotations)):
        angle = _angle(rotations[f - 1], rotations[f])
        if angle > most:
            _towards(rotations[f - 1], rotations[f], most / angle, rotations[f])


@jit
def _angle(a: np.ndarray, b: np.ndarray) -> float:
    """Return the angle between two rotations; right for small ones too."""
    dot, apart, sum_of = 0.0, 0.0, 0.0
    for k in range(4):
        dot += a[k] * b[k]
    sign = -1.0 if dot < 0.0 else 1.0
    for k in range(4):
        apart += (a[k] - sign * b[k]) ** 2
        sum_of += (a[k] + sign * b[k]) ** 2
    return 4.0 * math.atan2(math.sqrt(apart), math.sqrt(sum_of))


@jit
def _towards(a: np.ndarray, b: np.ndarray, share: float, out: np.ndarray) -> None:
    """Write what is a share of the shortest way from a to b."""
    half = 0.5 * _angle(a, b)
    dot = 0.0
    for k in range(4):
        dot += a[k] * b[k]
    sign = -1.0 if dot < 0.0 else 1.0
    if half < 1e-12:
        one, other = 1.0 - share, share
    else:
        one, other = math.sin((1.0 - share) * half) / math.sin(half), math.sin(share * half) / math.sin(half)
    length = 0.0
    for k in range(4):
        out[k] = one * a[k] + other * sign * b[k]
        length += out[k] * out[k]
    length = math.sqrt(length)
    for k in range(4):
        out[k] /= length
