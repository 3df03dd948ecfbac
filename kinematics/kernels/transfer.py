"""Carry global rotations from the joints of one skeleton to those of another."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.forward import multiply
from kinematics.kernels.jit import jit


@jit
def transfer(
    rotations: np.ndarray,
    drivers: np.ndarray,
    starts: np.ndarray,
    weights: np.ndarray,
    offsets: np.ndarray,
    parents: np.ndarray,
    resting: np.ndarray,
) -> np.ndarray:
    """Compute local rotations of driven joints; joints without a driver keep their rest.

    Source quaternions (frames, source joints, 4); target joint j is driven by rows starts[j] to starts[j + 1] of `drivers`
    (source joints), `weights` and `offsets` (target frame in the driver's frame, (rows, 4)); parents (joints,) and resting
    local quaternions (joints, 4) -> local quaternions (frames, joints, 4). Several drivers are blended: the normalized sum on
    one half-sphere.
    """
    frames, joints = len(rotations), len(parents)
    local = np.empty((frames, joints, 4))
    turned = np.empty((joints, 4))
    first, other, back = np.empty(4), np.empty(4), np.empty(4)
    for f in range(frames):
        for j in range(joints):
            p = parents[j]
            if starts[j] == starts[j + 1]:
                for k in range(4):
                    local[f, j, k] = resting[j, k]
                if p < 0:
                    turned[j] = resting[j]
                else:
                    multiply(turned[p], resting[j], turned[j])
                continue
            multiply(rotations[f, drivers[starts[j]]], offsets[starts[j]], first)
            turned[j] = weights[starts[j]] * first
            for row in range(starts[j] + 1, starts[j + 1]):
                multiply(rotations[f, drivers[row]], offsets[row], other)
                dot = first[0] * other[0] + first[1] * other[1] + first[2] * other[2] + first[3] * other[3]
                share = -weights[row] if dot < 0.0 else weights[row]
                for k in range(4):
                    turned[j, k] += share * other[k]
            length = 0.0
            for k in range(4):
                length += turned[j, k] * turned[j, k]
            length = math.sqrt(length)
            for k in range(4):
                turned[j, k] /= length
            if p < 0:
                for k in range(4):
                    local[f, j, k] = turned[j, k]
            else:
                back[0], back[1], back[2], back[3] = turned[p, 0], -turned[p, 1], -turned[p, 2], -turned[p, 3]
                multiply(back, turned[j], local[f, j])
    return local
