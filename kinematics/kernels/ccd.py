"""Cyclic coordinate descent with ball joints and several goals.

Source: Wang and Chen, "A combined optimization method for solving the inverse kinematics problems of mechanical manipulators"
(1991). From the goals to the base each body is turned about its pivot, with all that it carries, by the rotation that is best
for the goals beyond it: the least swing for one goal, the least-squares rotation (Horn 1987) for several, the turn about the
one axis that a hinge leaves. No turn is taken that does not lessen the weighted sum of squared distances.

Departures from the paper: those named in fabrik.py.
"""

from __future__ import annotations

import numpy as np

from kinematics.kernels.algebra import (
    Quaternion,
    Vector,
    add,
    along,
    conjugate,
    cross,
    dot,
    fit,
    multiply,
    part,
    put_quaternion,
    put_vector,
    quaternion,
    rotate,
    scale,
    subtract,
    swing,
    turn_about,
    unit,
    vector,
)
from kinematics.kernels.bodies import NONE, STEADY, compose, follow, hinge_axis, keep_limit, place, spread, within_limit
from kinematics.kernels.body_frames import MOST_GAIN, aim, begin, copy_pose, distances, finish, hasten, prepare, report
from kinematics.kernels.jit import jit
from kinematics.kernels.limbs import begins_plain, bend, stretch
from kinematics.kernels.limits import project

PATIENCE = 8  # sweeps without progress after which a pose counts as stationary
PROGRESS = 0.9999  # share of the squared distances that may be left for a sweep to count as progress
SQUARINGS = 6  # of Horn's matrix
ATTEMPTS = 4  # a turn that does not help once limits are kept is halved this many times
ZERO = (0.0, 0.0, 0.0)


@jit
def _gather(body: np.ndarray, inner: int, bodies: np.ndarray, goals: np.ndarray, pairs: np.ndarray) -> int:
    """Write what a turn about the body's pivot can bring nearer: weights, arms, where their ends are wanted. Return how many.

    Goals beyond the body `inner`, if there is one, are carried along without turning: together they are one arm, from the
    pivot to that of `inner`, whose end has to move by their mean miss.
    """
    pivot, count, weight, miss, skip, until = vector(body.pivot), 0, 0.0, ZERO, 0, 0
    if inner >= 0:
        skip, until = bodies[inner].first_goal, bodies[inner].last_goal
    for g in range(body.first_goal, body.last_goal):
        goal = goals[g]
        arm, want = subtract(vector(goal.end), pivot), subtract(vector(goal.aim), pivot)
        if skip <= g < until:
            weight += goal.weight
            miss = along(miss, goal.weight, subtract(want, arm))
        elif goal.weight > 0.0:
            count = _put_pair(pairs, count, goal.weight, arm, want)
    if weight > 0.0:
        arm = subtract(vector(bodies[inner].pivot), pivot)
        count = _put_pair(pairs, count, weight, arm, along(arm, 1.0 / weight, miss))
    return count


@jit
def _put_pair(pairs: np.ndarray, count: int, weight: float, arm: Vector, want: Vector) -> int:
    """Write one pair; return how many there are now."""
    row = pairs[count]
    row[0] = weight
    row[1], row[2], row[3] = arm
    row[4], row[5], row[6] = want
    return count + 1


@jit
def _best_turn(pairs: np.ndarray, count: int) -> Quaternion:
    """Return the rotation that brings the arms nearest to where they are wanted."""
    if count == 1:
        return swing(vector(pairs[0, 1:]), vector(pairs[0, 4:]))
    x, y, z = ZERO, ZERO, ZERO
    for g in range(count):
        arm, want = scale(pairs[g, 0], vector(pairs[g, 1:])), vector(pairs[g, 4:])
        x, y, z = along(x, arm[0], want), along(y, arm[1], want), along(z, arm[2], want)
    return fit(x, y, z, NONE, SQUARINGS)


@jit
def _best_turn_about(axis: Vector, pairs: np.ndarray, count: int) -> Quaternion:
    """Return the best turn about a unit axis."""
    cosine, sine = 0.0, 0.0
    for g in range(count):
        arm, want = scale(pairs[g, 0], vector(pairs[g, 1:])), vector(pairs[g, 4:])
        cosine += dot(arm, want) - dot(arm, axis) * dot(want, axis)
        sine += dot(axis, cross(arm, want))
    return turn_about(axis, cosine, sine)


@jit
def _gained(q: Quaternion, pairs: np.ndarray, count: int) -> float:
    """Return by how much a turn lessens half the weighted sum of squared distances: the sum of w want . (R arm - arm)."""
    total = 0.0
    for g in range(count):
        arm, want = vector(pairs[g, 1:]), vector(pairs[g, 4:])
        total += pairs[g, 0] * dot(want, subtract(rotate(q, arm), arm))
    return total


@jit
def _turn(
    i: int,
    inner: int,
    root_limit: int,
    bodies: np.ndarray,
    goals: np.ndarray,
    limit_values: np.ndarray,
    pairs: np.ndarray,
    local: np.ndarray,
) -> bool:
    """Turn one body, if that helps and no limit bars it; tell whether one held it back.

    With `inner`, a body that it carries, that one and all beyond keep their rotation in the world. `root_limit` is the kind of
    limit of the body's rotation in the world.
    """
    body = bodies[i]
    count = _gather(body, inner, bodies, goals, pairs)
    if count == 0:
        return False
    turned = quaternion(body.turned)
    above = quaternion(bodies[body.carrier].turned) if i > 0 else NONE
    before, before_inner = quaternion(body.relative), quaternion(bodies[max(inner, 0)].relative)
    if body.limit == 1:
        q = _best_turn_about(hinge_axis(body, limit_values, turned, above), pairs, count)
    elif root_limit == 1:
        values = limit_values[0]
        q = _best_turn_about(rotate(quaternion(values), vector(values[4:])), pairs, count)
    else:
        q = _best_turn(pairs, count)
    if body.mobility < 1.0:
        q = part(q, body.mobility)
    held, bound = False, body.limit != 0 or root_limit != 0 or inner >= 0
    for _ in range(ATTEMPTS if bound else 1):
        put_quaternion(body.relative, unit(multiply(conjugate(above), multiply(q, turned))))
        allowed = True
        if bound:
            if keep_limit(body, limit_values, local):
                held = True
                q = multiply(multiply(above, quaternion(body.relative)), conjugate(turned))
            if root_limit != 0:
                put_quaternion(local, multiply(q, turned))
                allowed = not project(root_limit, limit_values[0], local)
            if inner >= 0:
                put_quaternion(bodies[inner].relative, multiply(multiply(conjugate(multiply(q, turned)), turned), before_inner))
                allowed = allowed and within_limit(bodies[inner], limit_values, local)
        held |= not allowed
        if allowed and _gained(q, pairs, count) > 0.0:
            _carry(body, inner, q, bodies, goals)
            return held
        q = part(q, 0.5)
    put_quaternion(body.relative, before)
    if inner >= 0:
        put_quaternion(bodies[inner].relative, before_inner)
    return held


@jit
def _carry(body: np.ndarray, inner: int, q: Quaternion, bodies: np.ndarray, goals: np.ndarray) -> None:
    """Move the goals' points that a body carries."""
    pivot, skip, until, shift = vector(body.pivot), 0, 0, ZERO
    body.changed = 1
    if inner >= 0:
        bodies[inner].changed = 1
        skip, until = bodies[inner].first_goal, bodies[inner].last_goal
        arm = subtract(vector(bodies[inner].pivot), pivot)
        shift = subtract(rotate(q, arm), arm)
    for g in range(body.first_goal, body.last_goal):
        end = vector(goals[g].end)
        if skip <= g < until:
            put_vector(goals[g].end, add(end, shift))
        else:
            put_vector(goals[g].end, add(pivot, rotate(q, subtract(end, pivot))))


@jit
def sweep(
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
    free: bool,
    tolerance: float,
    root: int,
    root_limit: int,
    limit_values: np.ndarray,
    pairs: np.ndarray,
    local: np.ndarray,
) -> bool:
    """Turn each body once, from the goals to the base; tell whether a limit held one back."""
    held = False
    for i in range(len(bodies)):
        if (i > 0 or not free) and begins_plain(bodies[i], bodies) and stretch(bodies[i], bodies, points, goals, tolerance):
            j = i
            while j >= 0:
                follow(bodies[j], bodies)
                spread(bodies[j], bodies, points, goals)
                j = points[bodies[j].first_point].other
    inner = root if bodies[root].held or bodies[root].form == STEADY else 0
    for i in range(len(bodies) - 1, -1, -1):
        if inner > 0 and bodies[inner].carrier == i:  # it carries the root, whose rotation is not to change
            held |= _turn(i, inner, 0, bodies, goals, limit_values, pairs, local)
            inner = i
        elif bodies[i].form != STEADY:
            held |= _turn(i, -1, root_limit if bodies[i].held else 0, bodies, goals, limit_values, pairs, local)
    compose(bodies)
    if free:
        shift, total = ZERO, 0.0
        for g in range(len(goals)):
            shift = along(shift, goals[g].weight, subtract(vector(goals[g].aim), vector(goals[g].end)))
            total += goals[g].weight
        if total > 0.0:
            put_vector(bodies[0].pivot, along(vector(bodies[0].pivot), 1.0 / total, shift))
    place(bodies, points, goals)
    return held


@jit
def solve(
    table: np.ndarray,
    point_table: np.ndarray,
    goal_table: np.ndarray,
    joints: np.ndarray,
    parents: np.ndarray,
    bones: np.ndarray,
    mobility: np.ndarray,
    limit_kinds: np.ndarray,
    limit_values: np.ndarray,
    goal_offsets: np.ndarray,
    goal_weights: np.ndarray,
    anchor_joint: int,
    anchor_offset: np.ndarray,
    start_roots: np.ndarray,
    start_rotations: np.ndarray,
    targets: np.ndarray,
    tolerance: float,
    max_iterations: int,
    out_roots: np.ndarray,
    out_rotations: np.ndarray,
    out_errors: np.ndarray,
    out_iterations: np.ndarray,
    out_status: np.ndarray,
) -> None:
    """Bring points to their targets, in each frame for itself.

    The arguments are those of `fabrik.solve`. A mobility (n + 1,) between 0 and 1 is the fraction of its best turn that a joint
    makes.
    """
    bodies, points, goals, best_bodies = table.copy(), point_table.copy(), goal_table.copy(), table.copy()
    tree = len(joints)
    where, turned, local, pairs = np.empty((tree, 3)), np.empty((tree, 4)), np.empty(4), np.empty((len(goals) + 1, 7))
    free, pinned = anchor_joint < 0 and mobility[tree] > 0.0, anchor_joint < 0 and mobility[tree] == 0.0
    _, root, root_limit = prepare(bodies, points, goals, mobility, limit_kinds, goal_weights)
    for f in range(len(out_status)):
        moved = begin(
            bodies, points, goals, joints, parents, bones[f if len(bones) > 1 else 0], mobility, limit_kinds, limit_values,
            goal_offsets, anchor_joint, anchor_offset, targets[f], f == 0 or len(bones) > 1, start_roots[f], start_rotations[f],
            out_roots[f], out_rotations[f], where, turned,
        )  # fmt: skip
        cost, worst = distances(goals)
        iterations, waited, held, best, gain, cap = 0, 0, False, cost, 0.0, MOST_GAIN
        if worst > tolerance:
            copy_pose(bodies, best_bodies)
            bend(bodies, points, goals, free, limit_values, local)
        while worst > tolerance and iterations < max_iterations and waited < PATIENCE:
            iterations += 1
            aim(goals, gain)
            held = sweep(bodies, points, goals, free, tolerance, root, root_limit, limit_values, pairs, local)
            last = cost
            cost, worst = distances(goals)
            if worst > tolerance and cost > last and gain > 0.0:  # too hasty
                gain, cap, cost = 0.0, 0.5 * gain, best
                copy_pose(best_bodies, bodies)
                place(bodies, points, goals)
            else:
                gain, cap = hasten(gain, cap, cost, last)
            waited = 0 if cost < PROGRESS * best else waited + 1
            if cost < best:
                best = cost
                copy_pose(bodies, best_bodies)
        if worst > tolerance:
            copy_pose(best_bodies, bodies)
            place(bodies, points, goals)
        if moved or iterations > 0:
            finish(bodies, joints, pinned, out_roots[f], out_rotations[f])
        out_iterations[f] = iterations
        out_status[f] = report(goals, tolerance, waited >= PATIENCE, held, out_errors[f])
