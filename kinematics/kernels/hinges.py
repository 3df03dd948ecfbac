"""Chains of hinges with limits that follow positions, directions and orientations: damped least squares, frame after frame.

A pose is solved chain by chain: the trunk first, then the limbs that hang from it, so that each system has as many unknowns as
its chain has hinges. Levenberg-Marquardt with the bounds as an active set: a hinge at its limit that is pushed outwards is
taken out of the step.
"""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import (
    Vector,
    across,
    add,
    along,
    conjugate,
    cross,
    dot,
    multiply,
    put_quaternion,
    put_vector,
    quaternion,
    rotate,
    scale,
    subtract,
    unit,
    vector,
)
from kinematics.kernels.capsules import closest
from kinematics.kernels.jit import jit

POSITION, DIRECTION, ORIENTATION = 0, 1, 2  # kinds of goals
ALONE, ITERATIONS = 100, 12  # most iterations of the first frame, and of the others
STILL = 1e-4  # radians: a step as small ends the iterations of a frame
LONGEST_STEP = 0.5  # radians
DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-6, 1e-9, 1e6
STARTS = 4  # of the first frame


@jit
def track(
    root_positions: np.ndarray,
    root_rotations: np.ndarray,
    carried: int,
    carried_offset: np.ndarray,
    axes: np.ndarray,
    offsets: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    resting: np.ndarray,
    pulls: np.ndarray,
    chain_starts: np.ndarray,
    chain_bases: np.ndarray,
    goal_starts: np.ndarray,
    goal_kinds: np.ndarray,
    goal_frames: np.ndarray,
    goal_offsets: np.ndarray,
    goal_weights: np.ndarray,
    targets: np.ndarray,
    capsule_frames: np.ndarray,
    capsule_ends: np.ndarray,
    capsule_radii: np.ndarray,
    near_starts: np.ndarray,
    near_pairs: np.ndarray,
    near_places: np.ndarray,
    near_weights: np.ndarray,
    first_chain: int,
    fastest: float,
    angles: np.ndarray,
    direction: int,
) -> None:
    """Solve all frames; write `angles` (frames, hinges), `root_positions` (frames, 3) and `root_rotations` (frames, 4).

    On entry root_positions are where the carried point shall be (`carried_offset` in the frame of hinge `carried`, of the root
    where -1) and root_rotations how the carried frame shall be turned. axes and offsets (hinges, 3): of each hinge in the
    frame before it, from the origin of that frame; angles that limits allow; resting angles, to which pulls[0] draws while
    pulls[1] draws to the frames beside. Chain c has hinges chain_starts[c] to chain_starts[c + 1] and begins at the frame of
    hinge chain_bases[c], -1 for the root. Its goals, goal_starts[c] to goal_starts[c + 1]: kind; the frames of its two points
    within the chain (0 is the base), their offsets in them, weight, and targets (frames, goals, 4): a position of the second
    point, the vector from the first to the second, or the rotation of the second frame. The chain that carries the root's
    goal is chain 0 where carried is not -1. Chains before first_chain keep their angles. direction 0: each frame begins where the
    one before ended, the first in several poses of which it keeps the best. 1 or -1: one more sweep forwards or backwards, in
    which each frame begins at `angles`, is drawn to both its neighbours, and stays within `fastest` radians of them.

    Capsules that a chain keeps apart from others: capsule_frames (capsules,) hinges that carry them, -1 the root; capsule_ends
    (capsules, 2, 3) in those frames. near_pairs (n, 2), the chain's own capsule first, from near_starts[f, c] to
    near_starts[f, c + 1] in frame f for chain c (no rows at all where nothing is near). near_weights (n, 2): how much a metre
    of overlap counts, and the share of it that may stay because the other's chain comes later and does the rest: the other is
    then at near_places (n, 2, 3), else where its chain has brought it.
    """
    hinges = len(axes)
    turned, placed = np.empty((hinges + 1, 4)), np.empty((hinges + 1, 3))  # global, the root last
    most = 0
    for c in range(len(chain_starts) - 1):
        most = max(most, chain_starts[c + 1] - chain_starts[c])
    rotations, places, lines = np.empty((most + 1, 4)), np.empty((most + 1, 3)), np.empty((most, 3))
    matrix, right, step = np.empty((most, most)), np.empty(most), np.empty(most)
    rows, trial, best = np.empty((most, 3)), np.empty(most), np.empty(most)
    free, beside, pull = np.empty(most, dtype=np.bool_), np.empty(most), pulls[1] ** 2
    low, high = np.empty(most), np.empty(most)
    crowd = 0
    for f in range(len(near_starts)):
        for c in range(len(chain_starts) - 1):
            crowd = max(crowd, near_starts[f, c + 1] - near_starts[f, c])
    others, allowed = np.empty((crowd, 2, 3)), np.empty(crowd)
    frames = len(angles)
    for index in range(frames):
        f = index if direction >= 0 else frames - 1 - index
        goal_position, goal_rotation = vector(root_positions[f]), quaternion(root_rotations[f])
        put_vector(placed[hinges], goal_position)
        put_quaternion(turned[hinges], goal_rotation)
        for c in range(len(chain_starts) - 1):
            start, stop = chain_starts[c], chain_starts[c + 1]
            n, base = stop - start, chain_bases[c]
            at = hinges if base < 0 else base
            rotations[0], places[0] = turned[at], placed[at]
            now = angles[f, start:stop]
            if c >= first_chain:
                alone = f == 0 and direction == 0
                tries, least = STARTS if alone else 1, math.inf
                back, ahead = max(f - 1, 0), f if direction == 0 else min(f + 1, frames - 1)
                neighbours = (back != f) + (ahead != f)
                for k in range(n):
                    i = start + k
                    total = (angles[back, i] if back != f else 0.0) + (angles[ahead, i] if ahead != f else 0.0)
                    beside[k] = total / max(neighbours, 1)
                    low[k], high[k] = lower[i], upper[i]
                    if direction != 0:
                        if back != f:
                            low[k] = max(low[k], angles[back, i] - fastest)
                            high[k] = min(high[k], angles[back, i] + fastest)
                        if ahead != f:
                            low[k] = max(low[k], angles[ahead, i] - fastest)
                            high[k] = min(high[k], angles[ahead, i] + fastest)
                        low[k], high[k] = min(low[k], now[k]), max(high[k], now[k])  # rounding
                first_near, last_near = 0, 0
                if crowd > 0:
                    first_near, last_near = near_starts[f, c], near_starts[f, c + 1]
                if last_near > first_near:
                    _pose_chain(start, n, axes, offsets, now, rotations, places, lines)
                for g in range(first_near, last_near):
                    m, other = g - first_near, near_pairs[g, 1]
                    at = hinges if capsule_frames[other] < 0 else capsule_frames[other]
                    for end in range(2):
                        if near_weights[g, 1] > 0.0:
                            put_vector(others[m, end], vector(near_places[g, end]))
                        else:
                            put_vector(others[m, end], _point(at, capsule_ends[other, end], turned, placed))
                    gap = _gap(g, m, start, near_pairs, capsule_frames, capsule_ends, capsule_radii, others, rotations, places)[0]
                    allowed[m] = near_weights[g, 1] * min(gap, 0.0)
                for attempt in range(tries):
                    for k in range(n):
                        i = start + k
                        if direction != 0:
                            trial[k] = now[k]
                        elif f > 0:
                            trial[k] = beside[k]
                        elif attempt == 0:
                            trial[k] = resting[i]
                        else:
                            share = attempt / STARTS
                            least_angle, most_angle = max(lower[i], -math.pi), min(upper[i], math.pi)
                            trial[k] = least_angle + share * (most_angle - least_angle)
                    most_iterations = ALONE if alone else ITERATIONS
                    cost = _solve_chain(
                        f, start, n, goal_starts[c], goal_starts[c + 1], axes, offsets, low, high, resting,
                        pulls[0] ** 2, neighbours * pull, beside, most_iterations, goal_kinds, goal_frames, goal_offsets,
                        goal_weights, targets, first_near, last_near, near_pairs, near_weights, capsule_frames, capsule_ends,
                        capsule_radii, others, allowed, rotations, places, lines, matrix, right, step, rows, free, trial, best,
                    )  # fmt: skip
                    if cost < least:
                        least = cost
                        for k in range(n):
                            now[k] = best[k]
            _pose_chain(start, n, axes, offsets, now, rotations, places, lines)
            for k in range(n):
                turned[start + k], placed[start + k] = rotations[k + 1], places[k + 1]
            if c == 0 and carried >= 0:  # what hangs below the root is held: the root gives way
                turn = multiply(goal_rotation, conjugate(quaternion(turned[carried])))
                for k in range(hinges + 1):
                    if k == hinges or k < stop:
                        put_quaternion(turned[k], unit(multiply(turn, quaternion(turned[k]))))
                        away = subtract(vector(placed[k]), goal_position)
                        put_vector(placed[k], add(goal_position, rotate(turn, away)))
            if c == 0:
                at = hinges if carried < 0 else carried
                point = add(vector(placed[at]), rotate(quaternion(turned[at]), vector(carried_offset)))
                shift = subtract(goal_position, point)
                for k in range(hinges + 1):
                    if k == hinges or k < stop:
                        put_vector(placed[k], add(vector(placed[k]), shift))
        root_positions[f], root_rotations[f] = placed[hinges], turned[hinges]


@jit
def _pose_chain(
    start: int,
    n: int,
    axes: np.ndarray,
    offsets: np.ndarray,
    angles: np.ndarray,
    rotations: np.ndarray,
    places: np.ndarray,
    lines: np.ndarray,
) -> None:
    """Write the global rotations and places of a chain's frames, its base the first, and the global axes of its hinges."""
    q, p = quaternion(rotations[0]), vector(places[0])
    for k in range(n):
        p = add(p, rotate(q, vector(offsets[start + k])))
        axis = vector(axes[start + k])
        put_vector(lines[k], rotate(q, axis))
        s = math.sin(0.5 * angles[k])
        q = multiply(q, (math.cos(0.5 * angles[k]), s * axis[0], s * axis[1], s * axis[2]))
        put_quaternion(rotations[k + 1], q)
        put_vector(places[k + 1], p)


@jit
def _rotation_vector(w: float, x: float, y: float, z: float) -> Vector:
    """Return the rotation vector of a unit quaternion."""
    if w < 0.0:
        w, x, y, z = -w, -x, -y, -z
    s = math.sqrt(x * x + y * y + z * z)
    factor = 2.0 if s < 1e-9 else 2.0 * math.atan2(s, w) / s
    return factor * x, factor * y, factor * z


@jit
def _solve_chain(
    f: int,
    start: int,
    n: int,
    first_goal: int,
    last_goal: int,
    axes: np.ndarray,
    offsets: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    resting: np.ndarray,
    to_rest: float,
    to_beside: float,
    beside: np.ndarray,
    iterations: int,
    kinds: np.ndarray,
    frames: np.ndarray,
    goal_offsets: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    first_near: int,
    last_near: int,
    near_pairs: np.ndarray,
    near_weights: np.ndarray,
    capsule_frames: np.ndarray,
    capsule_ends: np.ndarray,
    capsule_radii: np.ndarray,
    others: np.ndarray,
    allowed: np.ndarray,
    rotations: np.ndarray,
    places: np.ndarray,
    lines: np.ndarray,
    matrix: np.ndarray,
    right: np.ndarray,
    step: np.ndarray,
    rows: np.ndarray,
    free: np.ndarray,
    trial: np.ndarray,
    best: np.ndarray,
) -> float:
    """Minimise one chain in one frame from `trial`; write the angles to `best` and return the cost.

    lower and upper (hinges of the chain,): angles that limits and neighbours allow.
    """
    for k in range(n):
        trial[k] = min(max(trial[k], lower[k]), upper[k])
        best[k] = trial[k]
    damping, least, settled = DAMPING, math.inf, False
    for _ in range(iterations):
        _pose_chain(start, n, axes, offsets, trial, rotations, places, lines)
        cost = 0.0
        for k in range(n):
            cost += to_rest * (trial[k] - resting[start + k]) ** 2 + to_beside * (trial[k] - beside[k]) ** 2
        for g in range(first_goal, last_goal):
            e = _error(g, f, kinds, frames, goal_offsets, targets, rotations, places)
            cost += weights[g] ** 2 * dot(e, e)
        for g in range(first_near, last_near):
            m = g - first_near
            gap = _gap(g, m, start, near_pairs, capsule_frames, capsule_ends, capsule_radii, others, rotations, places)[0]
            cost += (near_weights[g, 0] * min(gap - allowed[m], 0.0)) ** 2
        if cost > least * (1.0 + 1e-12):
            damping *= 16.0
            if damping > MOST_DAMPING or settled:
                break
        else:
            settled = settled or cost > least * (1.0 - 1e-10)
            least = cost
            damping = max(0.125 * damping, LEAST_DAMPING)
            for k in range(n):
                best[k] = trial[k]
                right[k] = -to_rest * (trial[k] - resting[start + k]) - to_beside * (trial[k] - beside[k])
                for other in range(n):
                    matrix[k, other] = 0.0
                matrix[k, k] = to_rest + to_beside
            if settled:
                break
            for g in range(first_goal, last_goal):
                _add_goal(g, f, kinds, frames, goal_offsets, weights, targets, rotations, places, lines, rows, matrix, right)
            for g in range(first_near, last_near):
                m = g - first_near
                gap, point, normal = _gap(
                    g, m, start, near_pairs, capsule_frames, capsule_ends, capsule_radii, others, rotations, places
                )
                if gap < allowed[m]:
                    last, square = capsule_frames[near_pairs[g, 0]] - start + 1, near_weights[g, 0] ** 2
                    for k in range(last):
                        rows[k, 0] = dot(normal, cross(vector(lines[k]), subtract(point, vector(places[k + 1]))))
                        right[k] += square * rows[k, 0] * (allowed[m] - gap)
                        for other in range(k + 1):
                            matrix[k, other] += square * rows[k, 0] * rows[other, 0]
        for k in range(n):
            out = (best[k] <= lower[k] and right[k] < 0.0) or (best[k] >= upper[k] and right[k] > 0.0)
            free[k] = not out
        size = _step(n, matrix, right, damping, free, best, lower, upper, step)
        if size < STILL:
            break
        share = min(1.0, LONGEST_STEP / size)
        for k in range(n):
            trial[k] = min(max(best[k] + share * step[k], lower[k]), upper[k])
    return least


@jit
def _point(frame: int, offset: np.ndarray, rotations: np.ndarray, places: np.ndarray) -> Vector:
    return add(vector(places[frame]), rotate(quaternion(rotations[frame]), vector(offset)))


@jit
def _gap(
    g: int,
    m: int,
    start: int,
    near_pairs: np.ndarray,
    capsule_frames: np.ndarray,
    capsule_ends: np.ndarray,
    capsule_radii: np.ndarray,
    others: np.ndarray,
    rotations: np.ndarray,
    places: np.ndarray,
) -> tuple[float, Vector, Vector]:
    """Return how far a chain's capsule is from its other, negative inside, the point nearest to it, and the way out."""
    own, other = near_pairs[g, 0], near_pairs[g, 1]
    frame = capsule_frames[own] - start + 1
    p, q = _point(frame, capsule_ends[own, 0], rotations, places), vector(others[m, 0])
    u = subtract(_point(frame, capsule_ends[own, 1], rotations, places), p)
    v = subtract(vector(others[m, 1]), q)
    s, t = closest(p, u, q, v)
    point = along(p, s, u)
    away = subtract(point, along(q, t, v))
    distance = math.sqrt(dot(away, away))
    # Where the axes cross any way across the other one leads out.
    away = scale(1.0 / distance, away) if distance > 1e-9 else across(v)
    return distance - capsule_radii[own] - capsule_radii[other], point, away


@jit
def _error(
    g: int,
    f: int,
    kinds: np.ndarray,
    frames: np.ndarray,
    offsets: np.ndarray,
    targets: np.ndarray,
    rotations: np.ndarray,
    places: np.ndarray,
) -> Vector:
    """Return what is missing to a goal."""
    if kinds[g] == ORIENTATION:
        w, x, y, z = multiply(quaternion(targets[f, g]), conjugate(quaternion(rotations[frames[g, 1]])))
        return _rotation_vector(w, x, y, z)
    here = _point(frames[g, 1], offsets[g, 1], rotations, places)
    if kinds[g] == DIRECTION:
        here = subtract(here, _point(frames[g, 0], offsets[g, 0], rotations, places))
    return subtract(vector(targets[f, g]), here)


@jit
def _add_goal(
    g: int,
    f: int,
    kinds: np.ndarray,
    frames: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    rotations: np.ndarray,
    places: np.ndarray,
    lines: np.ndarray,
    rows: np.ndarray,
    matrix: np.ndarray,
    right: np.ndarray,
) -> None:
    """Add a goal to the normal equations: lower triangle of `matrix`, and `right`."""
    e = _error(g, f, kinds, frames, offsets, targets, rotations, places)
    last, square = frames[g, 1], weights[g] ** 2
    tip = _point(last, offsets[g, 1], rotations, places)
    tail = _point(frames[g, 0], offsets[g, 0], rotations, places) if kinds[g] == DIRECTION else tip
    for k in range(last):
        line = vector(lines[k])
        if kinds[g] == ORIENTATION:
            row = line
        elif kinds[g] == DIRECTION and k < frames[g, 0]:
            row = cross(line, subtract(tip, tail))
        else:
            row = cross(line, subtract(tip, vector(places[k + 1])))
        put_vector(rows[k], row)
        right[k] += square * dot(row, e)
        for other in range(k + 1):
            matrix[k, other] += square * dot(row, vector(rows[other]))


@jit
def _step(
    n: int,
    matrix: np.ndarray,
    right: np.ndarray,
    damping: float,
    free: np.ndarray,
    now: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    step: np.ndarray,
) -> float:
    """Solve for the step of the hinges that are free; one that would leave its limits goes to it and is fixed. Return its size.

    The matrix keeps its lower triangle; the factor of the part that is free is held in a copy.
    """
    factor = np.empty((n, n))
    for k in range(n):
        step[k] = 0.0
    for _ in range(n):
        for i in range(n):
            if not free[i]:
                continue
            total = right[i]
            for k in range(n):  # hinges that went to their limits have moved already
                if not free[k] and step[k] != 0.0:
                    total -= (matrix[i, k] if k < i else matrix[k, i]) * step[k]
            for j in range(i):
                if not free[j]:
                    continue
                value = matrix[i, j]
                for k in range(j):
                    if free[k]:
                        value -= factor[i, k] * factor[j, k]
                factor[i, j] = value / factor[j, j]
            value = matrix[i, i] * (1.0 + damping) + 1e-12
            for k in range(i):
                if free[k]:
                    value -= factor[i, k] * factor[i, k]
            factor[i, i] = math.sqrt(max(value, 1e-12))
            step[i] = total
        for i in range(n):
            if free[i]:
                for k in range(i):
                    if free[k]:
                        step[i] -= factor[i, k] * step[k]
                step[i] /= factor[i, i]
        for i in range(n - 1, -1, -1):
            if free[i]:
                for k in range(i + 1, n):
                    if free[k]:
                        step[i] -= factor[k, i] * step[k]
                step[i] /= factor[i, i]
        left = False
        for k in range(n):
            if free[k] and (now[k] + step[k] < lower[k] - 1e-12 or now[k] + step[k] > upper[k] + 1e-12):
                step[k] = min(max(step[k], lower[k] - now[k]), upper[k] - now[k])
                free[k], left = False, True
        if not left:
            break
    size = 0.0
    for k in range(n):
        size = max(size, abs(step[k]))
    return size
