"""FABRIK: Aristidou and Lasenby, "FABRIK: a fast, iterative solver for the inverse kinematics problem" (2011).

The paper's segments are rigid bodies here. A body with its points on one line through its pivot is a segment; one with
several points that are not (a pelvis, a chest: the paper's sub-bases) is turned as a whole, by the least-squares rotation
towards the places its points want to be (Horn 1987), so that it stays rigid.

Beside that there are three departures from the paper. A limb that cannot reach its target is stretched straight at it, as the
paper does for a chain alone. A straight limb on whose line the target lies is bent before the start. And where an iteration
leaves more than a fifth of the squared distances, the next one aims beyond the targets, by a multiple of the way left that
grows while it helps; a step that made it worse is undone. Near full reach, where the plain method creeps, that saves most
iterations.
"""

from __future__ import annotations

import math

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
from kinematics.kernels.bodies import DOT, LINE, NONE, SOLID, STEADY, compose, follow, hinge_axis, keep_limit, place, spread
from kinematics.kernels.body_frames import MOST_GAIN, aim, begin, copy_pose, distances, finish, hasten, prepare, report
from kinematics.kernels.ccd import sweep
from kinematics.kernels.jit import jit
from kinematics.kernels.limbs import begins_plain, bend, stretch
from kinematics.kernels.limits import project

PATIENCE = 8  # iterations without progress after which a pose counts as stationary
STUCK = 3  # ... after which limits are met with sweeps of CCD
PROGRESS = 0.999  # share of the squared distances that may be left for a step to count as progress
SQUARINGS = 4  # of Horn's matrix
INERTIA = 0.5  # weight, in the backward stage, of where a body's pivot was against where all of its points want to be
ZERO = (0.0, 0.0, 0.0)


@jit
def _want(point: np.ndarray, bodies: np.ndarray, goals: np.ndarray) -> Vector:
    """Return where a point wants to be."""
    if point.goal >= 0:
        return vector(goals[point.goal].aim)
    return vector(bodies[point.other].wanted)


@jit
def _direction(v: Vector, otherwise: Vector) -> Vector:
    """Scale to length one; a vector without length leaves the direction as it was."""
    square = dot(v, v)
    return scale(1.0 / math.sqrt(square), v) if square > 0.0 else otherwise


@jit
def _backward(bodies: np.ndarray, points: np.ndarray, goals: np.ndarray, free: bool) -> None:
    """Find, from the goals to the base, where each pivot wants to be."""
    for i in range(len(bodies) - 1, -1 if free else 0, -1):
        body = bodies[i]
        first, last, pivot = body.first_point, body.last_point, vector(body.pivot)
        if body.weight == 0.0:
            put_vector(body.wanted, pivot)
        elif body.form == LINE and last == first + 1:  # the paper's step
            want = _want(points[first], bodies, goals)
            direction = _direction(subtract(want, pivot), vector(body.direction))
            put_vector(body.wanted, along(want, -points[first].lever, direction))
            if i == 0:
                put_vector(body.direction, direction)
        else:
            _backward_many(body, i == 0, bodies, points, goals)


@jit
def _backward_many(body: np.ndarray, base: bool, bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> None:
    """Find where the pivot of a body with several points wants to be: all of them, and the pivot, as near as can be."""
    middle, pivot, mean = ZERO, vector(body.pivot), vector(body.center)
    for p in range(body.first_point, body.last_point):
        middle = along(middle, points[p].share, _want(points[p], bodies, goals))
    pull, hook = scale(INERTIA, subtract(middle, pivot)), mean
    if body.form == LINE:
        lever = dot(mean, vector(body.axis))
        total = scale(lever, pull)
        for p in range(body.first_point, body.last_point):
            off = subtract(_want(points[p], bodies, goals), middle)
            total = along(total, points[p].share * (points[p].lever - lever), off)
        direction = _direction(total, vector(body.direction))
        hook = scale(lever, direction)
        if base:
            put_vector(body.direction, direction)
    elif body.form == SOLID:
        x, y, z = scale(mean[0], pull), scale(mean[1], pull), scale(mean[2], pull)
        for p in range(body.first_point, body.last_point):
            off = subtract(_want(points[p], bodies, goals), middle)
            arm = scale(points[p].share, subtract(vector(points[p].arm), mean))
            x, y, z = along(x, arm[0], off), along(y, arm[1], off), along(z, arm[2], off)
        turned = fit(x, y, z, quaternion(body.turned), SQUARINGS)
        hook = rotate(turned, mean)
        if base:
            put_quaternion(body.turned, turned)
    else:
        hook = rotate(quaternion(body.turned), mean)
    put_vector(body.wanted, subtract(middle, hook))


@jit
def _forward(bodies: np.ndarray, points: np.ndarray, goals: np.ndarray, free: bool, tolerance: float) -> None:
    """Put, from the base to the goals, each body to its carrier and turn it to where its points want to be."""
    for i in range(len(bodies)):
        body = bodies[i]
        turns = i > 0 or not free
        if turns and begins_plain(body, bodies):
            stretch(body, bodies, points, goals, tolerance)
        if body.form == LINE:
            direction, pivot = vector(body.direction), vector(body.pivot)
            if turns:
                direction = _direction(_pull(body, bodies, points, goals), direction)
                put_vector(body.direction, direction)
            for p in range(body.first_point, body.last_point):
                spot = along(pivot, points[p].lever, direction)
                if points[p].goal >= 0:
                    put_vector(goals[points[p].goal].end, spot)
                else:
                    put_vector(bodies[points[p].other].pivot, spot)
        else:
            if body.form == SOLID and turns:
                put_quaternion(body.turned, _fit_arms(body, quaternion(body.turned), bodies, points, goals))
            spread(body, bodies, points, goals)


@jit
def _pull(body: np.ndarray, bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> Vector:
    """Return the direction in which the points of a line are nearest to where they want to be."""
    total, pivot = ZERO, vector(body.pivot)
    for p in range(body.first_point, body.last_point):
        total = along(total, points[p].share * points[p].lever, subtract(_want(points[p], bodies, goals), pivot))
    return total


@jit
def _fit_arms(body: np.ndarray, turned: Quaternion, bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> Quaternion:
    """Return the rotation about a body's pivot that brings its points nearest to where they want to be."""
    x, y, z, pivot = ZERO, ZERO, ZERO, vector(body.pivot)
    for p in range(body.first_point, body.last_point):
        arm, off = scale(points[p].share, vector(points[p].arm)), subtract(_want(points[p], bodies, goals), pivot)
        x, y, z = along(x, arm[0], off), along(y, arm[1], off), along(z, arm[2], off)
    return fit(x, y, z, turned, SQUARINGS)


@jit
def _recover(bodies: np.ndarray) -> None:
    """Find rotations for the directions of segments: carried along as far as possible, then the least swing."""
    for i in range(len(bodies)):
        body = bodies[i]
        if body.form <= LINE:
            follow(body, bodies)
        elif i > 0:
            above = quaternion(bodies[body.carrier].turned)
            put_quaternion(body.relative, multiply(conjugate(above), quaternion(body.turned)))
            body.changed = 1
        elif body.form == SOLID:
            put_quaternion(body.relative, quaternion(body.turned))
            body.changed = 1


@jit
def _turn_within_limits(
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
    free: bool,
    tolerance: float,
    limit_values: np.ndarray,
    local: np.ndarray,
) -> bool:
    """Do what `_forward` does, with rotations that are kept within the limits; tell whether one had to be held back."""
    held = False
    for i in range(len(bodies)):
        body = bodies[i]
        turns = i > 0 or not free
        above = quaternion(bodies[body.carrier].turned) if i > 0 else NONE
        if turns and begins_plain(body, bodies):
            stretch(body, bodies, points, goals, tolerance)
        turned = multiply(above, quaternion(body.relative)) if body.form != STEADY else quaternion(body.turned)
        if body.limit == 1 and turns and (body.form == LINE or body.form == SOLID):
            turned = multiply(_hinge(body, turned, above, limit_values, bodies, points, goals), turned)
        elif body.form == LINE:
            pull = _pull(body, bodies, points, goals) if turns else vector(body.direction)
            turned = multiply(swing(rotate(turned, vector(body.axis)), pull), turned)
        elif body.form == SOLID:
            turned = _fit_arms(body, turned, bodies, points, goals) if turns else quaternion(body.turned)
        put_quaternion(body.relative, unit(multiply(conjugate(above), turned)))
        if keep_limit(body, limit_values, local):
            held = True
            kept, mean = unit(multiply(above, quaternion(body.relative))), vector(body.center)
            if not turns:
                put_vector(body.pivot, add(vector(body.pivot), subtract(rotate(turned, mean), rotate(kept, mean))))
            turned = kept
        turned = unit(turned)
        body.changed |= body.form != DOT and (body.form != STEADY or i > 0)
        put_quaternion(body.turned, turned)
        put_vector(body.direction, rotate(turned, vector(body.axis)))
        spread(body, bodies, points, goals)
    return held


@jit
def _hinge(
    body: np.ndarray,
    turned: Quaternion,
    above: Quaternion,
    limit_values: np.ndarray,
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
) -> Quaternion:
    """Return the best turn about the one axis that a hinge leaves."""
    axis, pivot = hinge_axis(body, limit_values, turned, above), vector(body.pivot)
    cosine, sine = 0.0, 0.0
    for p in range(body.first_point, body.last_point):
        arm = scale(points[p].share, rotate(turned, vector(points[p].arm)))
        want = subtract(_want(points[p], bodies, goals), pivot)
        cosine += dot(arm, want) - dot(arm, axis) * dot(want, axis)
        sine += dot(axis, cross(arm, want))
    return turn_about(axis, cosine, sine)


@jit
def _hold_root(bodies: np.ndarray, root: int, turned: Quaternion) -> None:
    """Give the root's body a rotation, and turn what carries it, and all else, so that no joint changes."""
    put_quaternion(bodies[root].turned, turned)
    i = root
    while i > 0:
        by = bodies[i].carrier
        put_quaternion(bodies[by].turned, unit(multiply(quaternion(bodies[i].turned), conjugate(quaternion(bodies[i].relative)))))
        i = by
    put_quaternion(bodies[0].relative, quaternion(bodies[0].turned))
    compose(bodies)


@jit
def _iterate(
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
    free: bool,
    tolerance: float,
    limited: bool,
    root: int,
    root_limit: int,
    root_start: Quaternion,
    limit_values: np.ndarray,
    local: np.ndarray,
) -> bool:
    """Go backward and forward once; tell whether a limit held a rotation back."""
    _backward(bodies, points, goals, free)
    if free:
        put_vector(bodies[0].pivot, vector(bodies[0].wanted))
    if not limited:
        _forward(bodies, points, goals, free, tolerance)
        return False
    held = _turn_within_limits(bodies, points, goals, free, tolerance, limit_values, local)
    if root > 0 and (bodies[root].held or bodies[root].form == STEADY):
        put_quaternion(local, quaternion(bodies[root].turned) if bodies[root].held else root_start)
        held |= project(root_limit, limit_values[0], local)
        _hold_root(bodies, root, quaternion(local))
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

    Tables of bodies, points and goals from ik/bodies.py; n joints of the skeleton's N (n,), parents (n,), bones
    (1 or frames, N, 3), mobility (n + 1,) of which only zeros count, limits (n,) and (n, 16); goals' offsets (g, 3) in their
    joint's frame and weights of squared distances (g,); anchor: a joint of the n, or -1, and a point in its frame.
    start: roots (frames, 3), rotations (frames, N, 4); targets (frames, g, 3) -> the like, distances (frames, g),
    iterations and status (frames,).

    A start outside the limits is brought inside first. The root stays with mobility[n] = 0 and without an anchor, and keeps
    its turn with mobility[0] = 0. Where limits stop FABRIK, whose backward stage does not know them, sweeps of CCD go on.
    """
    bodies, points, goals, best_bodies = table.copy(), point_table.copy(), goal_table.copy(), table.copy()
    tree = len(joints)
    where, turned, local, pairs = np.empty((tree, 3)), np.empty((tree, 4)), np.empty(4), np.empty((len(goals) + 1, 7))
    free, pinned = anchor_joint < 0 and mobility[tree] > 0.0, anchor_joint < 0 and mobility[tree] == 0.0
    limited, root, root_limit = prepare(bodies, points, goals, mobility, limit_kinds, goal_weights)
    for f in range(len(out_status)):
        moved = begin(
            bodies, points, goals, joints, parents, bones[f if len(bones) > 1 else 0], mobility, limit_kinds, limit_values,
            goal_offsets, anchor_joint, anchor_offset, targets[f], f == 0 or len(bones) > 1, start_roots[f], start_rotations[f],
            out_roots[f], out_rotations[f], where, turned,
        )  # fmt: skip
        root_start = quaternion(bodies[root].turned)
        cost, worst = distances(goals)
        iterations, waited, held, sweeps, best, gain, cap = 0, 0, False, False, np.inf, 0.0, MOST_GAIN
        if worst > tolerance:
            bend(bodies, points, goals, free, limit_values, local)
        while worst > tolerance and iterations < max_iterations and waited < PATIENCE:
            iterations += 1
            aim(goals, gain)
            if sweeps:
                held = sweep(bodies, points, goals, free, tolerance, root, root_limit, limit_values, pairs, local)
            else:
                held = _iterate(
                    bodies, points, goals, free, tolerance, limited, root, root_limit, root_start, limit_values, local
                )
            last = cost
            cost, worst = distances(goals)
            if worst > tolerance and cost > last and gain > 0.0:  # too hasty
                gain, cap, cost = 0.0, 0.5 * gain, best
                copy_pose(best_bodies, bodies)
                if sweeps:
                    place(bodies, points, goals)
            else:
                gain, cap = hasten(gain, cap, cost, last)
            waited = 0 if cost < PROGRESS * best else waited + 1
            if cost < best:
                best = cost
                copy_pose(bodies, best_bodies)
            if worst > tolerance and limited and not sweeps and waited >= STUCK:
                sweeps, waited, gain, cost = True, 0, 0.0, best
                copy_pose(best_bodies, bodies)
                place(bodies, points, goals)
        if iterations > 0:
            if worst > tolerance:
                copy_pose(best_bodies, bodies)
            if not limited:
                _recover(bodies)
            place(bodies, points, goals)
        if moved or iterations > 0:
            finish(bodies, joints, pinned, out_roots[f], out_rotations[f])
        out_iterations[f] = iterations
        out_status[f] = report(goals, tolerance, waited >= PATIENCE, held, out_errors[f])
