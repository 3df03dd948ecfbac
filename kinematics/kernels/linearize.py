"""Residuals of all tasks and their dense Jacobian at one pose."""

from __future__ import annotations

import numpy as np

from kinematics.kernels.jit import jit
from kinematics.kernels.tasks import jacobians, place, residuals


@jit
def linearize(
    tree: np.ndarray,
    tasks: np.ndarray,
    slots: np.ndarray,
    bones: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    anchor_target: np.ndarray,
    targets: np.ndarray,
    target_rotations: np.ndarray,
    root: np.ndarray,
    local: np.ndarray,
    turned: np.ndarray,
    errors: np.ndarray,
    residual: np.ndarray,
    jacobian: np.ndarray,
) -> None:
    """Write global rotations (n + 1, 4), errors (tasks,), residuals (tasks, 3) and d residual / dx (3 tasks, 3 n + 3).

    x are the world rotation vectors of the n joints of the tree, and the root's translation. With an anchor `root` moves.
    """
    count, number = len(tree) - 1, len(tasks)
    where, points = np.empty((count + 1, 3)), np.empty((number, 3, 3))
    blocks = np.empty((len(slots), 3, 3))
    place(tree, bones, anchor, anchor_offset, anchor_target, root, local, where, turned)
    residuals(tree, tasks, targets, target_rotations, where, turned, points, residual, errors)
    jacobians(tree, tasks, slots, targets, where, turned, points, residual, np.empty((count, 4)), np.empty((4, 3, 3)), blocks)
    jacobian[:, :] = 0.0
    for t in range(number):
        for s in range(tasks[t].first_slot, tasks[t].last_slot):
            k = slots[s, 0]
            for i in range(3):
                for j in range(3):
                    jacobian[3 * t + i, 3 * k + j] = -blocks[s, i, j]
