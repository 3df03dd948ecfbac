"""What the Jacobian solvers keep: a pose of the compact tree, what the tasks make of it, and scratch space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kinematics.kernels.jit import fused_jit as jit
from kinematics.kernels.tasks import turn


class State(NamedTuple):
    """A pose of the tree and what the tasks make of it."""

    root: np.ndarray  # (3,)
    local: np.ndarray  # (n, 4)
    where: np.ndarray  # (n + 1, 3), the last row is the anchor
    turned: np.ndarray  # (n + 1, 4), the last row is no rotation, the world's
    points: np.ndarray  # (tasks, 3, 3)
    residual: np.ndarray  # (tasks, 3)
    errors: np.ndarray  # (tasks,)


class Scratch(NamedTuple):
    """What a linearisation fills."""

    blocks: np.ndarray  # (slots, 3, 3): J
    scaled: np.ndarray  # (slots, 3, 3): J M
    mobility: np.ndarray  # (n + 1, 3, 3): M without stiffening
    pull: np.ndarray  # (n + 1,)
    away: np.ndarray  # (n, 3): from the pose to the posture
    gradient: np.ndarray  # (n + 1, 3)
    step: np.ndarray  # (n + 1, 3)
    matrix: np.ndarray  # (rows, rows): K
    factor: np.ndarray  # (rows, rows)
    force: np.ndarray  # (rows,)
    held: np.ndarray  # (tasks,): errors that higher levels keep
    subtrees: np.ndarray  # (n, 4)
    slopes: np.ndarray  # (4, 3, 3)
    normals: np.ndarray  # (6, 3)


@jit
def make_state(count: int, number: int) -> State:
    """Return an uninitialised state of a tree of `count` joints and `number` tasks."""
    return State(
        np.empty(3),
        np.empty((count, 4)),
        np.empty((count + 1, 3)),
        np.empty((count + 1, 4)),
        np.empty((number, 3, 3)),
        np.empty((number, 3)),
        np.empty(number),
    )


@jit
def make_scratch(count: int, number: int, slots: int) -> Scratch:
    """Return uninitialised scratch space."""
    rows = 3 * number
    return Scratch(
        np.empty((slots, 3, 3)),
        np.empty((slots, 3, 3)),
        np.empty((count + 1, 3, 3)),
        np.empty(count + 1),
        np.empty((count, 3)),
        np.empty((count + 1, 3)),
        np.empty((count + 1, 3)),
        np.empty((rows, rows)),
        np.empty((rows, rows)),
        np.empty(rows),
        np.empty(number),
        np.empty((count, 4)),
        np.empty((4, 3, 3)),
        np.empty((6, 3)),
    )


@jit
def copy_state(source: State, target: State) -> None:
    """Copy every array."""
    for i in range(3):
        target.root[i] = source.root[i]
    for k in range(len(source.turned)):
        for i in range(4):
            if k < len(source.local):
                target.local[k, i] = source.local[k, i]
            target.turned[k, i] = source.turned[k, i]
        for i in range(3):
            target.where[k, i] = source.where[k, i]
    for t in range(len(source.errors)):
        target.errors[t] = source.errors[t]
        for i in range(3):
            target.residual[t, i] = source.residual[t, i]
            for j in range(3):
                target.points[t, i, j] = source.points[t, i, j]


@jit
def posture_cost(tree: np.ndarray, wanted: np.ndarray, state: State, away: np.ndarray) -> float:
    """Write the world rotation vectors from the pose to the posture; return their weighted squares."""
    total = 0.0
    for k in range(len(tree) - 1):
        weight = tree[k].posture
        if weight == 0.0 or tree[k].mobility == 0.0:
            away[k, 0], away[k, 1], away[k, 2] = 0.0, 0.0, 0.0
            continue
        j = tree[k].joint
        tw, tx, ty, tz = wanted[j, 0], wanted[j, 1], wanted[j, 2], wanted[j, 3]
        q = state.local[k]
        ew = tw * q[0] + tx * q[1] + ty * q[2] + tz * q[3]
        ex = -tw * q[1] + tx * q[0] - ty * q[3] + tz * q[2]
        ey = -tw * q[2] + tx * q[3] + ty * q[0] - tz * q[1]
        ez = -tw * q[3] - tx * q[2] + ty * q[1] + tz * q[0]
        sign = -1.0 if ew < 0.0 else 1.0
        sine = np.sqrt(ex * ex + ey * ey + ez * ez)
        scale = 2.0 * sign
        if sine > 1e-12:
            scale = sign * 2.0 * np.arctan2(sine, sign * ew) / sine
        x, y, z = scale * ex, scale * ey, scale * ez
        total += weight * (x * x + y * y + z * z)
        x, y, z = turn(state.turned, tree[k].parent, x, y, z)
        away[k, 0], away[k, 1], away[k, 2] = x, y, z
    return total


@jit
def cost_of(
    tree: np.ndarray, tasks: np.ndarray, level: int, bent: bool, wanted: np.ndarray, state: State, away: np.ndarray
) -> float:
    """Return half the sum of the squares that this level minimises."""
    total = 0.0
    for t in range(len(tasks)):
        if tasks[t].level == level:
            x, y, z = state.residual[t, 0], state.residual[t, 1], state.residual[t, 2]
            total += x * x + y * y + z * z
    if bent:
        total += posture_cost(tree, wanted, state, away)
    return 0.5 * total


@jit
def within(tasks: np.ndarray, level: int, errors: np.ndarray) -> bool:
    """Tell whether every task of the level is within its tolerance; False where it has none."""
    some = False
    for t in range(len(tasks)):
        if tasks[t].level == level:
            some = True
            if errors[t] > tasks[t].tolerance:
                return False
    return some


@jit
def all_met(tasks: np.ndarray, errors: np.ndarray) -> bool:
    """Tell whether all tasks are within their tolerances."""
    for t in range(len(tasks)):
        if errors[t] > tasks[t].tolerance:
            return False
    return True


@jit
def keeps(tasks: np.ndarray, level: int, errors: np.ndarray, held: np.ndarray) -> bool:
    """Tell whether no task of a higher level is worse than that level left it."""
    for t in range(len(tasks)):
        if tasks[t].level < level and errors[t] > held[t] * (1.0 + 1e-9):
            return False
    return True
