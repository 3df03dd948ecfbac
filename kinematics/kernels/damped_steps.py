"""One iteration of damped least squares in the space of the tasks: w = M J^T (J M J^T + D)^-1 e.

M is the joints' mobility. J M J^T has three rows a task and is summed over the joints that two tasks share, so hands and feet
cost one 12 x 12 Cholesky however many joints the body has (Buss 2004, section 6, with a weight matrix).

Limits make an active set: at a bound that the gradient pushes against, M loses that direction, and after each step the
rotations are projected. Priorities make rows without damping, which are equations: the steps of a lower level keep them.
"""

from __future__ import annotations

import numpy as np

from kinematics.kernels.jit import fused_jit as jit
from kinematics.kernels.limits import active_normals, free_axes, project
from kinematics.kernels.solver_state import Scratch, State
from kinematics.kernels.tasks import IS_TRANSLATION, jacobians, turn_back

AT_BOUND = 1e-7  # radians from a bound at which it counts as reached
HARD = 1e-9  # damping of a row that is an equation, as a share of K's mean diagonal


@jit
def linearize(
    tree: np.ndarray,
    tasks: np.ndarray,
    slots: np.ndarray,
    level: int,
    bent: bool,
    heading: bool,
    limits: bool,
    target: np.ndarray,
    state: State,
    work: Scratch,
) -> bool:
    """Fill Jacobian and mobility; with limits return whether one bars the way downhill."""
    count = len(tree) - 1
    jacobians(
        tree,
        tasks,
        slots,
        target,
        state.where,
        state.turned,
        state.points,
        state.residual,
        work.subtrees,
        work.slopes,
        work.blocks,
    )
    gradient, mobility, blocks = work.gradient, work.mobility, work.blocks
    if limits:
        for k in range(count + 1):
            for i in range(3):
                gradient[k, i] = tree[k].posture * work.away[k, i] if bent and k < count else 0.0
        for t in range(len(tasks)):
            if tasks[t].level == level:
                x, y, z = state.residual[t, 0], state.residual[t, 1], state.residual[t, 2]
                for s in range(tasks[t].first_slot, tasks[t].last_slot):
                    k = slots[s, 0]
                    gradient[k, 0] += blocks[s, 0, 0] * x + blocks[s, 1, 0] * y + blocks[s, 2, 0] * z
                    gradient[k, 1] += blocks[s, 0, 1] * x + blocks[s, 1, 1] * y + blocks[s, 2, 1] * z
                    gradient[k, 2] += blocks[s, 0, 2] * x + blocks[s, 1, 2] * y + blocks[s, 2, 2] * z
    limited = False
    for k in range(count + 1):
        m = tree[k].mobility
        if m == 0.0 or (tree[k].free and not bent):
            continue
        for i in range(3):
            for j in range(3):
                mobility[k, i, j] = m if i == j else 0.0
        if k == 0 and heading:
            mobility[0, 0, 0], mobility[0, 2, 2] = 0.0, 0.0
        if k < count and tree[k].limit:
            limited |= _bar(tree, k, state, work)
    return limited


@jit
def damping_scale(tree: np.ndarray, tasks: np.ndarray, slots: np.ndarray, level: int, blocks: np.ndarray) -> float:
    """Return the mean diagonal of K, of the tasks up to this level: the measure of damping; 1 where nothing moves."""
    total, rows = 0.0, 0
    for t in range(len(tasks)):
        if tasks[t].level > level:
            continue
        rows += 3
        for s in range(tasks[t].first_slot, tasks[t].last_slot):
            m = tree[slots[s, 0]].mobility
            for i in range(3):
                total += m * (blocks[s, i, 0] ** 2 + blocks[s, i, 1] ** 2 + blocks[s, i, 2] ** 2)
    return total / rows if total > 0.0 else 1.0


@jit
def _bar(tree: np.ndarray, k: int, state: State, work: Scratch) -> bool:
    """Take from a joint's mobility what its limit does not allow; return whether a bound bars the way downhill."""
    block, normals, gradient = work.mobility[k], work.normals, work.gradient[k]
    kind, values, local, m = tree[k].limit, tree[k].limit_values, state.local[k], tree[k].mobility
    parent = state.turned[tree[k].parent]
    free = free_axes(kind, values, local, parent, normals)
    if free == 1:
        for i in range(3):
            for j in range(3):
                block[i, j] = m * normals[0, i] * normals[0, j]
    barred = False
    found = active_normals(kind, values, local, parent, AT_BOUND, normals)
    for n in range(found):
        along = gradient[0] * normals[n, 0] + gradient[1] * normals[n, 1] + gradient[2] * normals[n, 2]
        if along <= 0.0:
            continue
        barred = True
        # M - M n (M n)^T / n M n: nothing is left along n.
        x = block[0, 0] * normals[n, 0] + block[0, 1] * normals[n, 1] + block[0, 2] * normals[n, 2]
        y = block[1, 0] * normals[n, 0] + block[1, 1] * normals[n, 1] + block[1, 2] * normals[n, 2]
        z = block[2, 0] * normals[n, 0] + block[2, 1] * normals[n, 1] + block[2, 2] * normals[n, 2]
        length = x * normals[n, 0] + y * normals[n, 1] + z * normals[n, 2]
        if length <= 1e-12 * m:
            continue
        block[0, 0] -= x * x / length
        block[0, 1] -= x * y / length
        block[0, 2] -= x * z / length
        block[1, 1] -= y * y / length
        block[1, 2] -= y * z / length
        block[2, 2] -= z * z / length
        block[1, 0], block[2, 0], block[2, 1] = block[0, 1], block[0, 2], block[1, 2]
    return barred


@jit
def assemble(
    tree: np.ndarray,
    tasks: np.ndarray,
    slots: np.ndarray,
    pairs: np.ndarray,
    entries: np.ndarray,
    level: int,
    bent: bool,
    lean: bool,
    damp: float,
    work: Scratch,
) -> None:
    """Compute J M and the lower half of K = J M J^T; with the weights P of a posture, M is (M^-1 + P / damp)^-1.

    `lean`, where all tasks are points and nothing else, leaves out J M: their K has a closed form.
    """
    blocks, scaled, matrix, mobility = work.blocks, work.scaled, work.matrix, work.mobility
    for t in range(len(tasks)):
        if lean:
            break
        for s in range(tasks[t].first_slot, tasks[t].last_slot):
            k = slots[s, 0]
            m = tree[k].mobility
            part = 1.0 / (1.0 + m * tree[k].posture / damp) if bent else 1.0
            if tree[k].free:
                m *= part
                for i in range(3):
                    for j in range(3):
                        scaled[s, i, j] = m * blocks[s, i, j]
            else:
                for i in range(3):
                    x, y, z = part * blocks[s, i, 0], part * blocks[s, i, 1], part * blocks[s, i, 2]
                    for j in range(3):
                        scaled[s, i, j] = x * mobility[k, 0, j] + y * mobility[k, 1, j] + z * mobility[k, 2, j]
    for p in range(len(pairs)):
        a, b = 3 * pairs[p, 0], 3 * pairs[p, 1]
        k00, k01, k02, k10, k11, k12, k20, k21, k22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        if tasks[pairs[p, 0]].level > level or tasks[pairs[p, 1]].level > level:
            pass  # comes later
        elif lean:
            # J is -[r], so a joint adds m ((r_a . r_b) 1 - r_b r_a^T).
            for e in range(pairs[p, 2], pairs[p, 3]):
                s, t = entries[e, 0], entries[e, 1]
                m = tree[slots[s, 0]].mobility
                if slots[s, 1] & IS_TRANSLATION:
                    m *= blocks[s, 0, 0] * blocks[t, 0, 0]
                    k00, k11, k22 = k00 + m, k11 + m, k22 + m
                    continue
                ax, ay, az = m * blocks[s, 1, 2], m * blocks[s, 2, 0], m * blocks[s, 0, 1]
                bx, by, bz = blocks[t, 1, 2], blocks[t, 2, 0], blocks[t, 0, 1]
                k00 += ay * by + az * bz
                k11 += ax * bx + az * bz
                k22 += ax * bx + ay * by
                k01 -= bx * ay
                k02 -= bx * az
                k10 -= by * ax
                k12 -= by * az
                k20 -= bz * ax
                k21 -= bz * ay
        else:
            for e in range(pairs[p, 2], pairs[p, 3]):
                s, t = entries[e, 0], entries[e, 1]
                ax, ay, az = blocks[t, 0, 0], blocks[t, 0, 1], blocks[t, 0, 2]
                bx, by, bz = blocks[t, 1, 0], blocks[t, 1, 1], blocks[t, 1, 2]
                cx, cy, cz = blocks[t, 2, 0], blocks[t, 2, 1], blocks[t, 2, 2]
                x, y, z = scaled[s, 0, 0], scaled[s, 0, 1], scaled[s, 0, 2]
                k00 += x * ax + y * ay + z * az
                k01 += x * bx + y * by + z * bz
                k02 += x * cx + y * cy + z * cz
                x, y, z = scaled[s, 1, 0], scaled[s, 1, 1], scaled[s, 1, 2]
                k10 += x * ax + y * ay + z * az
                k11 += x * bx + y * by + z * bz
                k12 += x * cx + y * cy + z * cz
                x, y, z = scaled[s, 2, 0], scaled[s, 2, 1], scaled[s, 2, 2]
                k20 += x * ax + y * ay + z * az
                k21 += x * bx + y * by + z * bz
                k22 += x * cx + y * cy + z * cz
        matrix[a, b], matrix[a, b + 1], matrix[a, b + 2] = k00, k01, k02
        matrix[a + 1, b], matrix[a + 1, b + 1], matrix[a + 1, b + 2] = k10, k11, k12
        matrix[a + 2, b], matrix[a + 2, b + 1], matrix[a + 2, b + 2] = k20, k21, k22


@jit
def right_side(
    tree: np.ndarray, tasks: np.ndarray, slots: np.ndarray, level: int, bent: bool, damp: float, state: State, work: Scratch
) -> None:
    """Write e - J s to the force: what is left to do after the pull s of the posture; what higher levels hold is zero."""
    force = work.force
    for t in range(len(tasks)):
        here = tasks[t].level
        # A task of a higher level is drawn back to its target where it can be reached, and else kept as good as it is.
        kept = here < level and state.errors[t] > tasks[t].tolerance
        for i in range(3):
            force[3 * t + i] = state.residual[t, i] if here <= level and not kept else 0.0
        if bent and here <= level:
            for s in range(tasks[t].first_slot, tasks[t].last_slot):
                k = slots[s, 0]
                if k < len(tree) - 1 and tree[k].posture > 0.0:
                    share, x, away = tree[k].posture / damp, work.scaled[s], work.away[k]
                    for i in range(3):
                        force[3 * t + i] -= share * (x[i, 0] * away[0] + x[i, 1] * away[1] + x[i, 2] * away[2])


@jit
def damped_force(tasks: np.ndarray, level: int, levels: int, damp: float, scale: float, work: Scratch) -> None:
    """Solve (K + D) f = e in place by Cholesky; D is `damp`, next to nothing for rows that are equations."""
    rows, matrix, factor, force = len(work.force), work.matrix, work.factor, work.force
    least = HARD * scale
    for i in range(rows):
        for j in range(i):
            total = matrix[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = total * factor[j, j]
        extra = damp if levels == 1 or tasks[i // 3].level >= level else least
        total = matrix[i, i] + extra
        for k in range(i):
            total -= factor[i, k] * factor[i, k]
        factor[i, i] = 1.0 / np.sqrt(max(total, 0.5 * least))
        total = force[i]
        for k in range(i):
            total -= factor[i, k] * force[k]
        force[i] = total * factor[i, i]
    for i in range(rows - 1, -1, -1):
        force[i] *= factor[i, i]
        for k in range(i):
            force[k] -= factor[i, k] * force[i]


@jit
def write_step(
    tree: np.ndarray, tasks: np.ndarray, slots: np.ndarray, level: int, bent: bool, damp: float, max_step: float, work: Scratch
) -> float:
    """Write w = s + M J^T f, its turns scaled so that none is larger than `max_step`; return the largest before that."""
    count = len(tree) - 1
    step, blocks, force, mobility = work.step, work.blocks, work.force, work.mobility
    for k in range(count + 1):
        for i in range(3):
            step[k, i] = tree[k].posture / damp * work.away[k, i] if bent and k < count else 0.0
    for t in range(len(tasks)):
        if tasks[t].level > level:
            continue
        x, y, z = force[3 * t], force[3 * t + 1], force[3 * t + 2]
        for s in range(tasks[t].first_slot, tasks[t].last_slot):
            k = slots[s, 0]
            step[k, 0] += blocks[s, 0, 0] * x + blocks[s, 1, 0] * y + blocks[s, 2, 0] * z
            step[k, 1] += blocks[s, 0, 1] * x + blocks[s, 1, 1] * y + blocks[s, 2, 1] * z
            step[k, 2] += blocks[s, 0, 2] * x + blocks[s, 1, 2] * y + blocks[s, 2, 2] * z
    for k in range(count + 1):
        m = tree[k].mobility
        part = 1.0 / (1.0 + m * tree[k].posture / damp) if bent else 1.0
        x, y, z = part * step[k, 0], part * step[k, 1], part * step[k, 2]
        if tree[k].free or m == 0.0:
            step[k, 0], step[k, 1], step[k, 2] = m * x, m * y, m * z
        else:
            for i in range(3):
                step[k, i] = mobility[k, i, 0] * x + mobility[k, i, 1] * y + mobility[k, i, 2] * z
    largest = 0.0
    for k in range(count):
        largest = max(largest, step[k, 0] ** 2 + step[k, 1] ** 2 + step[k, 2] ** 2)
    largest = np.sqrt(largest)
    if largest > max_step:
        for k in range(count):
            for i in range(3):
                step[k, i] *= max_step / largest
    return float(largest)


@jit
def take_step(tree: np.ndarray, state: State, step: np.ndarray, trial: State) -> None:
    """Turn the joints by the step: local rotations and root of the trial, projected into their limits.

    The quaternion (1 - v^2, 2 v) / (1 + v^2) with v = w / 4 turns by 4 arctan(|w| / 4), which is |w| up to third order.
    """
    count = len(tree) - 1
    for i in range(3):
        trial.root[i] = state.root[i] + step[count, i]
    for k in range(count):
        a, b, c, d = state.local[k, 0], state.local[k, 1], state.local[k, 2], state.local[k, 3]
        if tree[k].mobility > 0.0:
            x, y, z = turn_back(state.turned, tree[k].parent, 0.25 * step[k, 0], 0.25 * step[k, 1], 0.25 * step[k, 2])
            w = 2.0 / (1.0 + x * x + y * y + z * z)
            x, y, z, w = w * x, w * y, w * z, w - 1.0
            trial.local[k, 0] = w * a - x * b - y * c - z * d
            trial.local[k, 1] = w * b + x * a + y * d - z * c
            trial.local[k, 2] = w * c - x * d + y * a + z * b
            trial.local[k, 3] = w * d + x * c - y * b + z * a
            if tree[k].limit:
                project(tree[k].limit, tree[k].limit_values, trial.local[k])
        else:
            trial.local[k, 0], trial.local[k, 1], trial.local[k, 2], trial.local[k, 3] = a, b, c, d
