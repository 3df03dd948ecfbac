"""Two bones in closed form: the law of cosines bends the middle joint, the start joint turns the limb to its target."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import (
    Quaternion,
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
    swing,
    unit,
    vector,
)
from kinematics.kernels.jit import jit
from kinematics.kernels.limits import project
from kinematics.kernels.tasks import place, residuals

NOT_FINITE, CONVERGED, UNREACHABLE, LIMITED = -1, 0, 1, 2
HINGE = 1  # kind of limit
TURN = 2.0 * math.pi
SOFT = 1e-3  # of a limb's reach: at most so much is given away at full reach
STRAIGHT = 1e-4  # sine of a bend that shows no plane
THERE = 1e-10  # of a limb's reach: nearer to its target than this a limb is left alone

LIMB = np.dtype([
    ("start", "i8"),  # rows of the tree
    ("middle", "i8"),
    ("point", "i8"),  # task: the position of the limb's end
    ("hand", "i8"),  # row of the joint that takes an orientation, -1 for none
    ("turn", "i8"),  # task: its orientation
    ("pole", "i8"),  # task, -1 for none
    ("bend", "f8", (3,)),  # where a straight limb's middle joint moves, in the start joint's frame; zero where unknown
])  # fmt: skip


@jit
def solve(
    tree: np.ndarray,
    tasks: np.ndarray,
    limbs: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    bones: np.ndarray,
    anchor_targets: np.ndarray,
    roots: np.ndarray,
    rotations: np.ndarray,
    targets: np.ndarray,
    target_rotations: np.ndarray,
    warm: bool,
    out_roots: np.ndarray,
    out_rotations: np.ndarray,
    out_errors: np.ndarray,
    out_info: np.ndarray,
) -> None:
    """Solve every frame; arrays of one frame serve all. Limbs come after those that carry them.

    With `warm` a limb starts as its own pose has it, turned by what the frame before was turned. out_info (frames, 2):
    status, 1.
    """
    count, number = len(tree) - 1, len(tasks)
    root, local, trial = np.empty(3), np.empty((count, 4)), np.empty(4)
    where, turned = np.empty((count + 1, 3)), np.empty((count + 1, 4))
    points, residual = np.empty((number, 3, 3)), np.empty((number, 3))
    for f in range(len(out_roots)):
        own = f if len(rotations) > 1 else 0
        bone = bones[f if len(bones) > 1 else 0]
        target = targets[f if len(targets) > 1 else 0]
        target_rotation = target_rotations[f if len(target_rotations) > 1 else 0]
        anchor_target = anchor_targets[f if len(anchor_targets) > 1 else 0]
        put_vector(root, vector(roots[f if len(roots) > 1 else 0]))
        for k in range(count):
            put_quaternion(local[k], quaternion(rotations[own, tree[k].joint]))
        if warm and f > 0:
            before = rotations[f - 1 if len(rotations) > 1 else 0]
            for i in range(len(limbs)):
                _carry_over(tree, limbs[i], before, out_rotations[f - 1], local)
        held = False
        for k in range(count):
            project(tree[k].limit, tree[k].limit_values, local[k])
        place(tree, bone, anchor, anchor_offset, anchor_target, root, local, where, turned)
        finite = math.isfinite(target.sum() + target_rotation.sum())
        if finite:
            for i in range(len(limbs)):
                limb = limbs[i]
                held |= _reach(tree, tasks, limb, target, target_rotation, where, turned, local, trial)
                place(tree, bone, anchor, anchor_offset, anchor_target, root, local, where, turned)
                if limb.pole >= 0:
                    held |= _turn_to_pole(tree, tasks, limb, target, where, turned, local)
                    place(tree, bone, anchor, anchor_offset, anchor_target, root, local, where, turned)
                if limb.hand >= 0:
                    wanted = quaternion(target_rotation[tasks[limb.turn].row])
                    held |= _set_rotation(tree, limb.hand, wanted, turned, local[limb.hand])
                    place(tree, bone, anchor, anchor_offset, anchor_target, root, local, where, turned)
        residuals(tree, tasks, target, target_rotation, where, turned, points, residual, out_errors[f])
        finite &= math.isfinite(out_errors[f].sum())  # so far away that squares overflow
        status = CONVERGED
        for t in range(number):
            if not out_errors[f, t] <= tasks[t].tolerance:
                status = LIMITED if held else UNREACHABLE
        out_info[f, 0], out_info[f, 1] = status if finite else NOT_FINITE, 1
        put_vector(out_roots[f], vector(root))
        out_rotations[f] = rotations[own]
        for k in range(count):
            put_quaternion(out_rotations[f, tree[k].joint], quaternion(local[k]))


@jit
def _reach(
    tree: np.ndarray, tasks: np.ndarray, limb: np.ndarray, targets: np.ndarray, target_rotations: np.ndarray,
    where: np.ndarray, turned: np.ndarray, local: np.ndarray, trial: np.ndarray,
) -> bool:  # fmt: skip
    """Bend the middle joint and swing the start joint so that the limb ends at its target; tell whether a limit barred it.

    The bend is about the normal of the plane that the limb lies in, or about a hinge's own axis: then what lies along the
    axis does not change, and the law of cosines holds across it.
    """
    start, middle, task = limb.start, limb.middle, tasks[limb.point]
    shoulder, elbow, target = vector(where[start]), vector(where[middle]), vector(targets[task.row])
    end = add(vector(where[task.joint]), rotate(quaternion(turned[task.joint]), vector(task.offset)))
    if limb.hand >= 0:  # what lies beyond the wrist is where its orientation puts it
        wrist = vector(where[limb.hand])
        beyond = rotate(conjugate(quaternion(turned[limb.hand])), subtract(end, wrist))
        target = subtract(target, rotate(quaternion(target_rotations[tasks[limb.turn].row]), beyond))
        end = wrist
    upper, lower, line = subtract(elbow, shoulder), subtract(end, elbow), subtract(target, shoulder)
    long = _length(upper) + _length(lower)
    if _length(subtract(target, end)) <= THERE * long:
        return False

    hinge = tree[middle].limit == HINGE
    axis, side = _bend_axis(tree, tasks, limb, targets, hinge, upper, lower, shoulder, turned)
    height, below = dot(upper, axis), dot(lower, axis)
    flat_upper, flat_lower = along(upper, -height, axis), along(lower, -below, axis)
    a, b, rise = _length(flat_upper), _length(flat_lower), abs(height + below)
    reach = math.sqrt(rise * rise + (a + b) * (a + b))
    distance = _soften(_length(line), reach, math.e * min(task.tolerance, SOFT * reach))
    c = math.sqrt((distance - rise) * (distance + rise)) if distance > rise else 0.0
    more, less = a + b, abs(a - b)
    c = min(max(c, less), more)
    # The outer angle between sides a and b of a triangle; half angles lose no digits where it is flat.
    bend = 2.0 * math.atan2(math.sqrt((more + c) * (more - c)), math.sqrt((c + less) * (c - less)))
    now = math.atan2(dot(axis, cross(flat_upper, flat_lower)), dot(flat_upper, flat_lower))

    turned_middle, bone = quaternion(turned[middle]), rotate(conjugate(quaternion(turned[middle])), lower)
    above = quaternion(turned[tree[middle].parent])
    best, held = math.inf, False
    for _ in range(2):
        barred = _set_rotation(tree, middle, multiply(_turn(axis, side * bend - now), turned_middle), turned, trial)
        made = rotate(multiply(above, quaternion(trial)), bone)
        miss = abs(_length(add(upper, made)) - distance)
        if miss < best:
            best, held, lower = miss, barred, made
            put_quaternion(local[middle], quaternion(trial))
        if not barred:
            break
        side = -side  # a limit bars it: perhaps not to the other side
    span = add(upper, lower)
    if min(_length(span), _length(line)) > THERE * long:
        held |= _set_rotation(tree, start, multiply(swing(span, line), quaternion(turned[start])), turned, local[start])
    return held


@jit
def _bend_axis(
    tree: np.ndarray, tasks: np.ndarray, limb: np.ndarray, targets: np.ndarray, hinge: bool, upper: Vector, lower: Vector,
    shoulder: Vector, turned: np.ndarray,
) -> tuple[Vector, float]:  # fmt: skip
    """Return the unit axis that the middle joint bends about, and the sign of the bend."""
    normal = cross(upper, lower)
    if _length(normal) <= STRAIGHT * _length(upper) * _length(lower):
        frame = quaternion(turned[limb.start])
        aside = rotate(frame, vector(limb.bend))
        if limb.pole >= 0:
            aside = subtract(vector(targets[tasks[limb.pole].row]), shoulder)
        normal = cross(aside, upper)
        if _length(normal) <= STRAIGHT * _length(upper) * _length(aside):
            normal = rotate(frame, across(rotate(conjugate(frame), upper)))
    if hinge:
        values = tree[limb.middle].limit_values
        axis = rotate(quaternion(turned[limb.middle]), vector(values[4:]))
        return axis, 1.0 if dot(axis, normal) >= 0.0 else -1.0
    return scale(1.0 / _length(normal), normal), 1.0


@jit
def _turn_to_pole(
    tree: np.ndarray, tasks: np.ndarray, limb: np.ndarray, targets: np.ndarray, where: np.ndarray, turned: np.ndarray,
    local: np.ndarray,
) -> bool:  # fmt: skip
    """Turn the limb about the line from its start to its end so that it bends to the side of its pole.

    Turned back by an angle about that line, the pole lies at (x, y) across the bend's own line: x to the side of the bend, y
    off its plane, both of the form A cos + B sin + C. Wanted is y = 0 with x > 0, else an angle where y / x is stationary.
    """
    task, point = tasks[limb.pole], tasks[limb.point]
    origin = vector(where[limb.start])
    if limb.hand >= 0:
        end = vector(where[limb.hand])
    else:
        end = add(vector(where[point.joint]), rotate(quaternion(turned[point.joint]), vector(point.offset)))
    first, last = task.start_joint, task.end_joint
    begin = add(vector(where[first]), rotate(quaternion(turned[first]), vector(task.start_offset)))
    line = subtract(add(vector(where[last]), rotate(quaternion(turned[last]), vector(task.end_offset))), begin)
    normal = cross(line, subtract(vector(where[task.joint]), begin))
    u, pole = subtract(end, origin), subtract(vector(targets[task.row]), origin)
    length = _length(u)
    if dot(normal, normal) < 1e-8 * dot(line, line) ** 2 or length <= THERE * _length(line):
        return False  # a straight limb has no side, a folded one no line
    u, normal = scale(1.0 / length, u), scale(1.0 / _length(normal), normal)
    side = cross(normal, scale(1.0 / _length(line), line))
    inside, around = scale(dot(u, pole), u), cross(pole, u)
    aside, begin = subtract(pole, inside), subtract(inside, subtract(begin, origin))
    if _length(aside) <= STRAIGHT * length:
        return False  # a pole on the line
    a, b, c = dot(side, aside), dot(side, around), dot(side, begin)
    d, e, f = dot(normal, aside), dot(normal, around), dot(normal, begin)
    best, angle = math.inf, 0.0
    for tried in (*_roots(d, e, f), *_roots(c * e - b * f, a * f - c * d, a * e - b * d)):
        x, y = math.cos(tried), math.sin(tried)
        miss = abs(math.atan2(d * x + e * y + f, a * x + b * y + c)) + 1e-9 * abs(tried)
        if miss < best:
            best, angle = miss, tried
    return _set_rotation(tree, limb.start, multiply(_turn(u, angle), quaternion(turned[limb.start])), turned, local[limb.start])


@jit
def _roots(a: float, b: float, c: float) -> tuple[float, float]:
    """Return the angles, -pi to pi, where a cos + b sin + c is zero; or twice the one where it comes nearest to zero."""
    size = math.sqrt(a * a + b * b)
    half = math.acos(min(max(-c / size, -1.0), 1.0)) if size > 0.0 else 0.0
    middle = math.atan2(b, a)
    one, other = middle + half, middle - half
    return one - TURN * math.floor(one / TURN + 0.5), other - TURN * math.floor(other / TURN + 0.5)


@jit
def _set_rotation(tree: np.ndarray, k: int, wanted: Quaternion, turned: np.ndarray, out: np.ndarray) -> bool:
    """Write the local rotation that gives a joint a global one, as far as its limit allows; tell whether that barred it."""
    put_quaternion(out, unit(multiply(conjugate(quaternion(turned[tree[k].parent])), wanted)))
    return project(tree[k].limit, tree[k].limit_values, out)


@jit
def _soften(distance: float, reach: float, soft: float) -> float:
    """Return the length to stretch to: the distance, or near full reach and beyond it an exponential approach to that.

    Its slope goes from 1 at reach - soft to 0, so that a limb does not snap straight; at full reach soft / e is missing.
    """
    free = reach - soft
    if distance <= free or soft <= 0.0:
        return min(distance, reach)
    return reach - soft * math.exp((free - distance) / soft)


@jit
def _carry_over(tree: np.ndarray, limb: np.ndarray, before: np.ndarray, solved: np.ndarray, local: np.ndarray) -> None:
    """Add to a limb's own pose what the solution of the frame before added to that frame's."""
    for k in (limb.start, limb.middle):
        j = tree[k].joint
        change = multiply(conjugate(quaternion(before[j])), quaternion(solved[j]))
        put_quaternion(local[k], unit(multiply(quaternion(local[k]), change)))


@jit
def _turn(axis: Vector, angle: float) -> Quaternion:
    """Return the turn about a unit axis."""
    s = math.sin(0.5 * angle)
    return math.cos(0.5 * angle), s * axis[0], s * axis[1], s * axis[2]


@jit
def _length(v: Vector) -> float:
    return math.sqrt(dot(v, v))
