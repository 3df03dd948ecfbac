"""The older ways to a step w = M J^T f: Jacobian transpose, pseudoinverse, selectively damped least squares."""

from __future__ import annotations

import numpy as np

from kinematics.kernels.jit import fused_jit as jit
from kinematics.kernels.solver_state import Scratch
from kinematics.kernels.tasks import IS_TRANSLATION

TRANSPOSE, PSEUDO_INVERSE, SELECTIVELY_DAMPED = 2, 3, 4
LEAST, NOTHING = 1e-4, 1e-12  # shares of K's mean diagonal: squares of singular values that count as small, and as zero
SELECTIVE = np.pi / 4  # radians: the largest turn along one singular vector


@jit
def classic_force(method: int, tasks: np.ndarray, slots: np.ndarray, scale: float, careful: bool, work: Scratch) -> None:
    """Turn e into f in place by transpose, pseudoinverse or selectively damped least squares.

    Directions that no joint moves, or nearly none, are left out; a careful step goes along them as far as along the least other.
    """
    rows, matrix, force = len(work.force), work.matrix, work.force
    for i in range(rows):
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    if method == TRANSPOSE:
        above, below = 0.0, 0.0
        for i in range(rows):
            image = 0.0
            for j in range(rows):
                image += matrix[i, j] * force[j]
            above += force[i] * image
            below += image * image
        for i in range(rows):
            force[i] *= above / below if below > 0.0 else 0.0
        return
    squares, vectors = np.linalg.eigh(matrix)
    error = work.factor[0]
    for i in range(rows):
        error[i], force[i] = force[i], 0.0
    for v in range(rows):
        square = squares[v]
        if square <= LEAST * scale:
            if not careful or square <= NOTHING * scale:
                continue
            square = LEAST * scale
        share = 0.0
        for i in range(rows):
            share += vectors[i, v] * error[i] / square
        if method == SELECTIVELY_DAMPED:
            share *= _selective_share(tasks, slots, vectors[:, v], square, share, work)
        for i in range(rows):
            force[i] += share * vectors[i, v]


@jit
def _selective_share(
    tasks: np.ndarray, slots: np.ndarray, vector: np.ndarray, square: float, share: float, work: Scratch
) -> float:
    """Return by how much to shorten the step along one singular vector (Buss and Kim 2005, equations 11 to 14)."""
    step, scaled, blocks = work.step, work.scaled, work.blocks
    for k in range(len(step)):
        step[k, 0], step[k, 1], step[k, 2] = 0.0, 0.0, 0.0
    moved = 0.0  # N: how far the effectors should move
    for t in range(len(tasks)):
        x, y, z = vector[3 * t], vector[3 * t + 1], vector[3 * t + 2]
        moved += np.sqrt(x * x + y * y + z * z)
        for s in range(tasks[t].first_slot, tasks[t].last_slot):
            k = slots[s, 0]
            for i in range(3):
                step[k, i] += scaled[s, 0, i] * x + scaled[s, 1, i] * y + scaled[s, 2, i] * z
    reach, largest = 0.0, 0.0  # M: how far the joints would move them if they did not cancel
    for s in range(len(slots)):
        k, block = slots[s, 0], blocks[s]
        angle = np.sqrt(step[k, 0] ** 2 + step[k, 1] ** 2 + step[k, 2] ** 2)
        lever = 0.0
        for i in range(3):
            for j in range(3):
                lever += block[i, j] * block[i, j]
        reach += np.sqrt(0.5 * lever) * angle
        if not slots[s, 1] & IS_TRANSLATION:
            largest = max(largest, angle)
    reach /= square  # v / sigma = J^T u / sigma^2
    bound = min(1.0, moved / reach) * SELECTIVE if reach > 0.0 else SELECTIVE
    turn = abs(share) * largest
    return bound / turn if turn > bound else 1.0
