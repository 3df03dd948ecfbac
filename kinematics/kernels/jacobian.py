"""Inverse kinematics by Jacobian methods.

They differ in how the step w = M J^T f follows from the residuals e, with K = J M J^T:

Levenberg-Marquardt   f = (K + d)^-1 e, whose damping d adapts and whose steps are taken only where they help
                      (Madsen, Nielsen and Tingleff, "Methods for non-linear least squares problems", 2004, section 3.2);
                      it starts in proportion to the squared error (Sugihara, "Solvability-unconcerned inverse kinematics by
                      the Levenberg-Marquardt method", 2011)
damped least squares  the same with one d for all                         (Buss 2004, equation 11)
Jacobian transpose    f = a e with a = e.Ke / Ke.Ke                       (equation 8)
pseudoinverse         f = K^+ e                                          (section 5)
selectively damped    each singular vector of J is damped by how far it moves the effectors (Buss and Kim 2005)
"""

from __future__ import annotations

import numpy as np

from kinematics.kernels.algebra import conjugate, multiply, quaternion
from kinematics.kernels.classic_steps import PSEUDO_INVERSE, classic_force
from kinematics.kernels.damped_steps import assemble, damped_force, damping_scale, linearize, right_side, take_step, write_step
from kinematics.kernels.jit import fused_jit as jit
from kinematics.kernels.limits import project
from kinematics.kernels.solver_state import (
    Scratch,
    State,
    all_met,
    copy_state,
    cost_of,
    keeps,
    make_scratch,
    make_state,
    posture_cost,
    within,
)
from kinematics.kernels.tasks import CENTER_OF_MASS, IS_TRANSLATION, LOOK_AT, MOVES_POINT, POSITION, place, residuals

LEVENBERG_MARQUARDT, DAMPED = 0, 1  # further ones in classic_steps.py
CONVERGED, UNREACHABLE, LIMITED, ITERATIONS, NOT_FINITE = 0, 1, 2, 3, -1

SMALL = 1e-5  # share of the cost that a step must take away to count as progress
PATIENCE = 2  # steps without progress after which a point counts as stationary
CLASSIC_SMALL, CLASSIC_PATIENCE = 1e-4, 10  # the same for the methods that take every step, before they turn careful
CAREFUL_SMALL, CAREFUL_PATIENCE = 1e-6, 4  # and after that
LEAST_LENGTH = 1e-5  # share of a step that is not worth taking
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 2e-2, 1e-9, 1e10  # shares of K's mean diagonal
FIXED_DAMPING = 5e-3
MAX_STEP = 0.7  # radians that a joint turns in one iteration at most
BEND = 0.05  # radians that joints turn to leave a point without gradient
LIMITED_BEND = 0.3  # the same where limits bar the way downhill: another way round may be open
ESCAPES = 2  # times that this is tried


@jit
def _saddle(tasks: np.ndarray, slots: np.ndarray, state: State, work: Scratch) -> bool:
    """Tell whether a point without gradient can be left downhill: some joint's residual pulls its points inwards."""
    pull = work.pull
    for k in range(len(pull)):
        pull[k] = 0.0
    size, least = 0.0, 0.0
    for t in range(len(tasks)):
        if tasks[t].kind == LOOK_AT and state.errors[t] > 3.0:
            return True
        whole = tasks[t].kind == CENTER_OF_MASS
        if tasks[t].kind == POSITION or whole:
            r, weight, point = state.residual[t], tasks[t].weight, state.points[t, 0]
            for s in range(tasks[t].first_slot, tasks[t].last_slot):
                k = slots[s, 0]
                if slots[s, 1] & MOVES_POINT and not slots[s, 1] & IS_TRANSLATION:
                    part = 0.0
                    for i in range(3):
                        lever = point[i] - state.where[k, i]
                        if whole:  # of the mass that hangs from the joint
                            lever = work.subtrees[k, i] - work.subtrees[k, 3] * state.where[k, i]
                        part += weight[i] * r[i] * lever
                    pull[k] += part
                    size = max(size, abs(part))
    for k in range(len(pull)):
        least = min(least, pull[k])
    return bool(least < -1e-6 * size)


@jit
def _bend(tree: np.ndarray, heading: bool, turn: int, size: float, step: np.ndarray) -> None:
    """Write a turn of every joint by about `size` radians, always the same one, about axes that point everywhere."""
    for k in range(len(tree)):
        x, y, z = np.sin(2.1 * k + turn), np.sin(3.7 * k + 1.0 + 2.0 * turn), np.sin(5.3 * k + 2.0 + 3.0 * turn)
        scale = size if tree[k].mobility > 0.0 and k < len(tree) - 1 else 0.0
        step[k, 0], step[k, 1], step[k, 2] = scale * x, scale * y, scale * z
    if heading:
        step[0, 0], step[0, 2] = 0.0, 0.0


@jit
def _evaluate(
    tree: np.ndarray,
    tasks: np.ndarray,
    level: int,
    bent: bool,
    bone: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    anchor_target: np.ndarray,
    target: np.ndarray,
    target_rotation: np.ndarray,
    wanted: np.ndarray,
    state: State,
    trial: State,
    work: Scratch,
) -> float:
    """Take the step from the state to the trial and return what it costs there."""
    take_step(tree, state, work.step, trial)
    place(tree, bone, anchor, anchor_offset, anchor_target, trial.root, trial.local, trial.where, trial.turned)
    residuals(tree, tasks, target, target_rotation, trial.where, trial.turned, trial.points, trial.residual, trial.errors)
    return cost_of(tree, tasks, level, bent, wanted, trial, work.away)


@jit
def _descent(tree: np.ndarray, tasks: np.ndarray, level: int, bent: bool, damp: float, state: State, work: Scratch) -> float:
    """Return how steeply the uncut step w goes down: e . J w, which is e . (e - d f), and what it brings nearer the posture."""
    total = 0.0
    for t in range(len(tasks)):
        if tasks[t].level == level:
            for i in range(3):
                total += state.residual[t, i] * (state.residual[t, i] - damp * work.force[3 * t + i])
    if bent:
        for k in range(len(tree) - 1):
            for i in range(3):
                total += tree[k].posture * work.away[k, i] * work.step[k, i]
    return total


@jit
def _descend(
    method: int,
    tree: np.ndarray,
    tasks: np.ndarray,
    slots: np.ndarray,
    pairs: np.ndarray,
    entries: np.ndarray,
    level: int,
    levels: int,
    bent: bool,
    bone: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    anchor_target: np.ndarray,
    heading: bool,
    target: np.ndarray,
    target_rotation: np.ndarray,
    wanted: np.ndarray,
    state: State,
    trial: State,
    best: State,
    work: Scratch,
    iterations: int,
    warm: bool,
    max_iterations: int,
) -> tuple[State, State, int, int]:
    """Minimise one level; return the pose, the other buffer, the status and the iterations so far."""
    own = 0
    for t in range(len(tasks)):
        work.held[t] = max(state.errors[t], tasks[t].tolerance)
        own += tasks[t].level == level
    cost = cost_of(tree, tasks, level, bent, wanted, state, work.away)
    best_cost, escapes, idle, limited, scale, fresh, stuck = np.inf, 0, 0, False, 0.0, True, False
    length, first_cost, limits = 1.0, cost, False
    for k in range(len(tree) - 1):
        limits |= tree[k].limit != 0 and tree[k].mobility > 0.0
    marquardt = method == LEVENBERG_MARQUARDT or level > 0  # the classic methods have no priorities
    lean = marquardt and not bent
    for t in range(len(tasks)):
        lean &= tasks[t].plain != 0
    share, growth = FIRST_DAMPING if marquardt else FIXED_DAMPING, 2.0
    # Where the frame before was met to the last bit of the tolerance, stopping there too would make held points tremble.
    enough = iterations + (1 if warm and marquardt else 0)
    # A posture has no tolerance: with one a level goes on to where it balances.
    while (bent or iterations < enough or not within(tasks, level, state.errors)) and not stuck and iterations < max_iterations:
        iterations += 1
        if fresh:
            limited = linearize(tree, tasks, slots, level, bent, heading, limits, target, state, work)
            if scale == 0.0:
                scale = damping_scale(tree, tasks, slots, level, work.blocks)
                if marquardt:  # in proportion to the squared error, as in Sugihara 2011: a warm start is near
                    share = min(FIRST_DAMPING, max(LEAST_DAMPING, 2.0 * cost / (3.0 * max(own, 1) * scale)))
        damp = share * scale
        if fresh or bent:
            assemble(tree, tasks, slots, pairs, entries, level, bent, lean, damp, work)
        right_side(tree, tasks, slots, level, bent, damp, state, work)
        if marquardt or method == DAMPED or (method == PSEUDO_INVERSE and length < 1.0):
            damped_force(tasks, level, levels, damp, scale, work)
        else:
            classic_force(method, tasks, slots, scale, length < 1.0, work)
        largest = write_step(tree, tasks, slots, level, bent, damp, MAX_STEP, work)
        if length < 1.0:
            for k in range(len(tree)):
                for i in range(3):
                    work.step[k, i] *= length
        descent = _descent(tree, tasks, level, bent, damp, state, work)
        trial_cost = _evaluate(
            tree,
            tasks,
            level,
            bent,
            bone,
            anchor,
            anchor_offset,
            anchor_target,
            target,
            target_rotation,
            wanted,
            state,
            trial,
            work,
        )
        helps = trial_cost < cost and keeps(tasks, level, trial.errors, work.held)
        taken, fresh = helps, False
        if marquardt:
            if helps:
                # A step cut to part p of the model's best gains (2 p - p^2) of what that would, half of the descent there.
                part = min(1.0, MAX_STEP / largest) if largest > 0.0 else 1.0
                gain = (cost - trial_cost) / (descent * part * (1.0 - 0.5 * part)) if descent > 0.0 else 0.0
                share *= max(0.1, 1.0 - (2.0 * gain - 1.0) ** 3)
                share, growth = max(share, LEAST_DAMPING), 2.0
                idle = idle + 1 if cost - trial_cost <= SMALL * cost else 0
            else:
                share, growth = share * growth, growth * 2.0
                if bent:
                    posture_cost(tree, wanted, state, work.away)
            stuck = idle >= PATIENCE or share > MOST_DAMPING or descent <= 1e-14 * cost
        elif length == 1.0:
            # These take every step. Where the best pose on the way gets no better, they go on from it as below.
            idle = 0 if cost < (1.0 - CLASSIC_SMALL) * best_cost else idle + 1
            if cost < best_cost:
                best_cost = cost
                copy_state(state, best)
            taken = True
            if idle >= CLASSIC_PATIENCE:
                copy_state(best, state)
                cost, length, idle, taken, fresh = best_cost, 0.5, 0, False, True
                if bent:
                    posture_cost(tree, wanted, state, work.away)
        else:
            # Only where they help, and shorter where they do not: what is out of reach would shake otherwise.
            idle = idle + 1 if helps and cost - trial_cost <= CAREFUL_SMALL * cost else 0
            length = min(1.5 * length, 0.999) if helps else 0.4 * length
            stuck = idle >= CAREFUL_PATIENCE or length < LEAST_LENGTH
            if bent and not helps:
                posture_cost(tree, wanted, state, work.away)
        if taken:
            state, trial, cost, fresh = trial, state, trial_cost, True
            stuck |= cost <= 1e-26 * first_cost
        if stuck and level == 0 and escapes < ESCAPES and (not warm if limited else _saddle(tasks, slots, state, work)):
            if cost < best_cost:
                best_cost = cost
                copy_state(state, best)
            escapes += 1
            _bend(tree, heading, escapes, LIMITED_BEND if limited and not warm else BEND, work.step)
            cost = _evaluate(
                tree,
                tasks,
                level,
                bent,
                bone,
                anchor,
                anchor_offset,
                anchor_target,
                target,
                target_rotation,
                wanted,
                state,
                trial,
                work,
            )
            state, trial = trial, state
            idle, length, fresh, stuck = 0, 1.0, True, False
            share, growth = FIRST_DAMPING if marquardt else FIXED_DAMPING, 2.0
    status = CONVERGED
    if not within(tasks, level, state.errors):
        status = (LIMITED if limited else UNREACHABLE) if stuck else ITERATIONS
    if (bent or status > CONVERGED) and best_cost < cost:
        copy_state(best, state)
    return state, trial, status, iterations


@jit
def solve(
    method: int,
    tree: np.ndarray,
    tasks: np.ndarray,
    slots: np.ndarray,
    pairs: np.ndarray,
    entries: np.ndarray,
    levels: int,
    posture_level: int,
    anchor: int,
    anchor_offset: np.ndarray,
    heading: bool,
    bones: np.ndarray,
    anchor_targets: np.ndarray,
    roots: np.ndarray,
    rotations: np.ndarray,
    targets: np.ndarray,
    target_rotations: np.ndarray,
    posture: np.ndarray,
    max_iterations: int,
    warm: bool,
    out_roots: np.ndarray,
    out_rotations: np.ndarray,
    out_errors: np.ndarray,
    out_info: np.ndarray,
) -> None:
    """Solve every frame; arrays of one frame serve all.

    pairs (pairs, 4): two tasks and the range of their entries; entries (entries, 2): two slots of one joint. With `warm` a
    frame starts from its own pose, turned by what the frame before was turned. out_info (frames, 2): status (-1 where a
    target is not finite), iterations.
    """
    count, number = len(tree) - 1, len(tasks)
    state, trial, best = make_state(count, number), make_state(count, number), make_state(count, number)
    work = make_scratch(count, number, len(slots))
    for f in range(len(out_roots)):
        own = f if len(rotations) > 1 else 0
        bone = bones[f if len(bones) > 1 else 0]
        target = targets[f if len(targets) > 1 else 0]
        target_rotation = target_rotations[f if len(target_rotations) > 1 else 0]
        wanted = posture[f if len(posture) > 1 else 0]
        anchor_target = anchor_targets[f if len(anchor_targets) > 1 else 0]
        for k in range(count):
            for i in range(4):
                state.local[k, i] = rotations[own, tree[k].joint, i]
        for i in range(3):
            state.root[i] = roots[own, i]
        if warm and f > 0:
            _carry_over(tree, heading, roots, rotations, f, out_roots, out_rotations, state)
        for k in range(count):
            if tree[k].limit:
                project(tree[k].limit, tree[k].limit_values, state.local[k])
        place(tree, bone, anchor, anchor_offset, anchor_target, state.root, state.local, state.where, state.turned)
        residuals(tree, tasks, target, target_rotation, state.where, state.turned, state.points, state.residual, state.errors)
        following = warm and f > 0
        iterations, worst, total = 0, CONVERGED, 0.0
        for t in range(number):
            total += state.errors[t]
            for i in range(3):
                total += target[t, i]
            for i in range(4):
                total += target_rotation[t, i]
        if not np.isfinite(total):
            worst = NOT_FINITE
        for level in range(levels if worst == CONVERGED else 0):
            state, trial, status, iterations = _descend(
                method, tree, tasks, slots, pairs, entries, level, levels, posture_level == level, bone, anchor, anchor_offset,
                anchor_target, heading, target, target_rotation, wanted, state, trial, best, work, iterations, following,
                max_iterations,
            )  # fmt: skip
            worst = max(worst, status)
        if worst > CONVERGED and all_met(tasks, state.errors):
            worst = CONVERGED  # what is left is a posture
        for t in range(number):
            out_errors[f, t] = state.errors[t]
        out_info[f, 0], out_info[f, 1] = worst, iterations
        for j in range(rotations.shape[1]):
            for i in range(4):
                out_rotations[f, j, i] = rotations[own, j, i]
        for k in range(count):
            a, b, c, d = state.local[k, 0], state.local[k, 1], state.local[k, 2], state.local[k, 3]
            length, j = 1.0 / np.sqrt(a * a + b * b + c * c + d * d), tree[k].joint
            if tree[k].mobility > 0.0 or tree[k].limit:
                out_rotations[f, j, 0], out_rotations[f, j, 1] = a * length, b * length
                out_rotations[f, j, 2], out_rotations[f, j, 3] = c * length, d * length
        for i in range(3):
            out_roots[f, i] = state.root[i]


@jit
def _carry_over(
    tree: np.ndarray,
    heading: bool,
    roots: np.ndarray,
    rotations: np.ndarray,
    f: int,
    out_roots: np.ndarray,
    out_rotations: np.ndarray,
    state: State,
) -> None:
    """Add to the frame's own pose what the solution of the frame before added to that frame's: local = own before^-1 solved."""
    own, before = (f, f - 1) if len(rotations) > 1 else (0, 0)
    for i in range(3):
        state.root[i] = roots[own, i] + out_roots[f - 1, i] - roots[before, i]
    for k in range(len(tree) - 1):
        j = tree[k].joint
        if tree[k].mobility == 0.0:
            continue
        a, q, b = rotations[own, j], out_rotations[f - 1, j], rotations[before, j]
        if k == 0 and heading:  # in the world, where a heading is one: solved before^-1 own
            turned = multiply(multiply(quaternion(q), conjugate(quaternion(b))), quaternion(a))
            state.local[0, 0], state.local[0, 1], state.local[0, 2], state.local[0, 3] = turned
            continue
        w = b[0] * q[0] + b[1] * q[1] + b[2] * q[2] + b[3] * q[3]
        x = b[0] * q[1] - b[1] * q[0] - b[2] * q[3] + b[3] * q[2]
        y = b[0] * q[2] + b[1] * q[3] - b[2] * q[0] - b[3] * q[1]
        z = b[0] * q[3] - b[1] * q[2] + b[2] * q[1] - b[3] * q[0]
        state.local[k, 0] = a[0] * w - a[1] * x - a[2] * y - a[3] * z
        state.local[k, 1] = a[0] * x + a[1] * w + a[2] * z - a[3] * y
        state.local[k, 2] = a[0] * y - a[1] * z + a[2] * w + a[3] * x
        state.local[k, 3] = a[0] * z + a[1] * y - a[2] * x + a[3] * w
