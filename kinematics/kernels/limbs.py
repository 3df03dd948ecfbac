"""Limbs: bodies one behind the other, each with its points on one line through its pivot, up to the goals of the last.

What a chain alone allows: a target out of its reach has a closed form, and a straight one on whose line the target lies has
to be bent before any of these methods moves it.
"""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import (
    Vector,
    across,
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
    turn_about,
    unit,
    vector,
)
from kinematics.kernels.bodies import LINE, NONE, compose, hinge_axis, keep_limit, place, within_limit
from kinematics.kernels.jit import jit

LEAST_BEND = 0.01  # radians
STRAIGHT = 1e-6  # of a limb's length


@jit
def find_limbs(bodies: np.ndarray, points: np.ndarray) -> None:
    """Measure, for each body where a limb could begin, its reach and longest bone.

    Mark the bodies where a plain one could: with a single goal and without limits.
    """
    for i in range(len(bodies) - 1, -1, -1):
        body, count = bodies[i], bodies[i].last_point - bodies[i].first_point
        body.reach, body.longest, body.plain = -1.0, 0.0, 0
        if count == 0 or body.form > LINE or body.held or (count > 1 and points[body.last_point - 2].other >= 0):
            continue
        lever, other = points[body.last_point - 1].lever, points[body.last_point - 1].other
        plain = count == 1 and body.limit == 0
        if other < 0:
            body.reach, body.longest, body.plain = abs(lever), lever, plain
        elif bodies[other].reach >= 0.0:
            body.reach = abs(lever) + bodies[other].reach
            body.longest = max(lever, bodies[other].longest)
            body.plain = plain and bodies[other].plain


@jit
def _next(body: np.ndarray, points: np.ndarray) -> int:
    """Return the next body of a limb; -1 at its end."""
    other: int = points[body.last_point - 1].other
    return other


@jit
def begins_plain(body: np.ndarray, bodies: np.ndarray) -> bool:
    """Tell whether a limb without limits begins with a body."""
    return body.plain and (body.carrier < 0 or not bodies[body.carrier].plain)


@jit
def stretch(limb: np.ndarray, bodies: np.ndarray, points: np.ndarray, goals: np.ndarray, tolerance: float) -> bool:
    """Let the bones of a limb whose target is too far (or too near) point straight at it; tell whether it is.

    Directions are written, and where its pivots are wanted.
    """
    pivot, p = vector(limb.pivot), limb.first_point
    while points[p].other >= 0:
        p = bodies[points[p].other].first_point
    away = subtract(vector(goals[points[p].goal].target), pivot)
    distance = math.sqrt(dot(away, away))
    if 2.0 * limb.longest - limb.reach + tolerance < distance < limb.reach - tolerance:
        return False
    straight = scale(1.0 / distance, away) if distance > 0.0 else vector(limb.direction)
    folded, p, spot, forth = distance < limb.reach - tolerance, limb.first_point, pivot, False
    while True:  # folded: the longest bone goes forth, all others back
        turns_back = folded and (forth or points[p].lever < limb.longest)
        forth = forth or not turns_back
        direction = scale(-1.0, straight) if turns_back else straight
        put_vector(bodies[points[p].body].direction, direction)
        spot = along(spot, points[p].lever, direction)
        if points[p].other < 0:
            return True
        put_vector(bodies[points[p].other].wanted, spot)
        p = bodies[points[p].other].first_point


@jit
def bend(
    bodies: np.ndarray, points: np.ndarray, goals: np.ndarray, free: bool, limit_values: np.ndarray, local: np.ndarray
) -> None:
    """Bend straight limbs whose target lies on their line, always the same way; `local` (4,) is scratch.

    The first bone is turned to one side, and the others back little by little.
    """
    bent = False
    for i in range(1 if free else 0, len(bodies)):
        limb = bodies[i]
        if limb.reach <= 0.0 or (i > 0 and bodies[limb.carrier].reach >= 0.0):
            continue
        line, distance, bones = _line(limb, bodies, points, goals)
        if bones < 2:
            continue
        turned, share, k = quaternion(limb.turned), 1.0, i
        angle = max(LEAST_BEND, math.acos(distance / limb.reach))  # right for two equal bones
        aside = rotate(turned, across(rotate(conjugate(turned), line)))
        while k >= 0:
            if bodies[k].form == LINE:
                _bend_one(bodies[k], share * angle, aside, bodies, limit_values, local)
                share = -2.0 / (bones - 1)
            k = _next(bodies[k], points)
        bent = True
    if bent:
        compose(bodies)
        place(bodies, points, goals)


@jit
def _line(limb: np.ndarray, bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> tuple[Vector, float, int]:
    """Return the line a limb lies on, how far its last target is, and of how many bones it is; of 0 if it need not be bent."""
    pivot, last, bones = vector(limb.pivot), limb, 0
    while _next(last, points) >= 0:
        bones += last.form == LINE
        last = bodies[_next(last, points)]
    bones += last.form == LINE
    goal = goals[points[last.last_point - 1].goal]
    end, away = subtract(vector(goal.end), pivot), subtract(vector(goal.target), pivot)
    distance = math.sqrt(dot(away, away))
    line = away if distance > STRAIGHT * limb.reach else end
    thin = STRAIGHT * STRAIGHT * limb.reach * limb.reach * dot(line, line)
    off = cross(line, end)
    if distance >= limb.reach or dot(off, off) > thin:
        return line, distance, 0
    k = _next(limb, points)
    while k >= 0:
        off = cross(line, subtract(vector(bodies[k].pivot), pivot))
        if dot(off, off) > thin:
            return line, distance, 0
        k = _next(bodies[k], points)
    return line, distance, bones


@jit
def _bend_one(
    body: np.ndarray, angle: float, aside: Vector, bodies: np.ndarray, limit_values: np.ndarray, local: np.ndarray
) -> None:
    """Turn one bone of a straight limb about `aside`; a hinge about its own axis, to where it has room."""
    above = quaternion(bodies[body.carrier].turned) if body.carrier >= 0 else NONE
    turned, axis = quaternion(body.turned), aside
    if body.limit == 1:
        axis = hinge_axis(body, limit_values, turned, above)
    for _ in range(2):
        turn = turn_about(axis, math.cos(angle), math.sin(angle))
        put_quaternion(body.relative, unit(multiply(conjugate(above), multiply(turn, turned))))
        body.changed = 1
        if body.limit != 1 or within_limit(body, limit_values, local):
            break
        angle = -angle
    keep_limit(body, limit_values, local)
