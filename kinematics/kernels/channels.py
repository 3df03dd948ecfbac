"""Channel values of a BVH file to quaternions, and the choice of angles nearest to the frame before."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.euler import turn
from kinematics.kernels.jit import jit


@jit
def to_quaternions(values: np.ndarray, starts: np.ndarray, columns: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Channel values (frames, channels) in degrees -> quaternions (frames, joints, 4).

    Joint j turns about axes[k] (0, 1, 2) by values[:, columns[k]] for k from starts[j] to starts[j + 1], in this order.
    """
    frames, joints = len(values), len(starts) - 1
    out = np.empty((frames, joints, 4))
    cosines, sines = np.empty(len(columns)), np.empty(len(columns))
    for f in range(frames):
        for k in range(len(columns)):
            half = values[f, columns[k]] * (math.pi / 360.0)
            cosines[k], sines[k] = math.cos(half), math.sin(half)
        for j in range(joints):
            q = out[f, j]
            q[0], q[1], q[2], q[3] = 1.0, 0.0, 0.0, 0.0
            for k in range(starts[j], starts[j + 1]):
                turn(q, axes[k], cosines[k], sines[k])
    return out
