"""Hinge angles that change no faster than a limit."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit


@jit
def limit_speed(angles: np.ndarray, most: np.ndarray, held: np.ndarray) -> None:
    """Replace each column by the mean of its largest minorant and least majorant that change by at most `most` a frame.

    Both are Lipschitz, hence their mean is; columns that are Lipschitz already do not change, and the range of values is
    kept (McShane, "Extension of range of functions", 1934). Angles that are held (frames, columns) come first: where they alone
    are slow enough they stay, and the others give way; the same mean over the held ones, then the clamp between what it
    allows.
    """
    frames = len(angles)
    below, above, mean = np.empty(frames), np.empty(frames), np.empty(frames)
    for h in range(angles.shape[1]):
        v, over, holds = most[h], False, False
        for f in range(1, frames):
            over = over or abs(angles[f, h] - angles[f - 1, h]) > v
        if not over:
            continue
        for f in range(frames):
            below[f], above[f] = angles[f, h], angles[f, h]
            holds = holds or held[f, h]
        _slopes(below, above, v)
        for f in range(frames):
            mean[f] = 0.5 * (below[f] + above[f])
        if holds:
            for f in range(frames):
                below[f] = angles[f, h] if held[f, h] else math.inf
                above[f] = angles[f, h] if held[f, h] else -math.inf
            _slopes(below, above, v)
            for f in range(frames):
                kept = 0.5 * (below[f] + above[f])
                below[f], above[f] = (kept, kept) if held[f, h] else (math.inf, -math.inf)
            _slopes(below, above, v)
            for f in range(frames):
                mean[f] = min(max(mean[f], above[f]), below[f])
        for f in range(frames):
            angles[f, h] = mean[f]


@jit
def _slopes(below: np.ndarray, above: np.ndarray, v: float) -> None:
    """Lower `below` and raise `above` until they change by at most v a frame: two passes each."""
    frames = len(below)
    for f in range(1, frames):
        below[f] = min(below[f], below[f - 1] + v)
        above[f] = max(above[f], above[f - 1] - v)
    for f in range(frames - 2, -1, -1):
        below[f] = min(below[f], below[f + 1] + v)
        above[f] = max(above[f], above[f + 1] - v)
