"""Rotations between frames: spherical linear interpolation along the frames axis."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit


@jit
def slerp_frames(rotations: np.ndarray, first: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Interpolate rotations (frames, joints, 4) between frames first[n] and first[n] + 1 -> (n, joints, 4).

    Shoemake (1985) along the shorter arc. Fraction 0 copies frame first[n] bit for bit, and never reads the next one.
    """
    joints = rotations.shape[1]
    out = np.empty((len(first), joints, 4))
    for n in range(len(first)):
        a, f = first[n], fraction[n]
        if f == 0.0:
            out[n] = rotations[a]
            continue
        for j in range(joints):
            start, end = rotations[a, j], rotations[a + 1, j]
            dot = start[0] * end[0] + start[1] * end[1] + start[2] * end[2] + start[3] * end[3]
            sign = -1.0 if dot < 0.0 else 1.0
            chord = 0.0
            for k in range(4):
                chord += (sign * end[k] - start[k]) ** 2
            half = math.asin(min(0.5 * math.sqrt(chord), 1.0))  # half the angle between the two 4-vectors
            if half < 1e-9:
                left, right = 1.0 - f, sign * f
            else:
                whole = math.sin(2.0 * half)
                left, right = math.sin(2.0 * half * (1.0 - f)) / whole, sign * math.sin(2.0 * half * f) / whole
            for k in range(4):
                out[n, j, k] = left * start[k] + right * end[k]
    return out
