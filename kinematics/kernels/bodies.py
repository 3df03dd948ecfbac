"""Rigid bodies joined at points, seen from the one that stays: what FABRIK and CCD share. ik/bodies.py makes the tables.

A body hangs at its pivot: the joint to its carrier, or for the base (row 0) the anchor or the root. Its arms go from the
pivot to its points, in the body's own frame. Locked joints lie inside a body.
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

DOT, LINE, SOLID, STEADY = 0, 1, 2, 3  # forms: nothing to turn for; points on a line; others; the turn is fixed
THIN = 1e-9  # sine of the angle below which points count as lying on a line
NONE = (1.0, 0.0, 0.0, 0.0)

# The first columns are the table, those from `limit` on are filled by the kernels.
BODY = np.dtype([
    ("top", "i8"),  # row of the tree: the joint in whose frame the body is described
    ("carrier", "i8"),  # body nearer to the base; -1 for the base
    ("joint", "i8"),  # row of the tree: the joint between both, or the root where the base is the root's body; else -1
    ("downward", "i8"),  # 1 where the carrier is the parent in the skeleton
    ("first_point", "i8"),
    ("last_point", "i8"),
    ("first_goal", "i8"),  # goals that the body and those it carries hold
    ("last_goal", "i8"),
    ("limit", "i8"),  # kind of the joint's limit
    ("held", "i8"),  # 1 for the root's body, where it is not the base and its rotation in the world is limited
    ("mobility", "f8"),  # of the joint; 1 for the turn about an anchor
    ("form", "i8"),
    ("plain", "i8"),  # 1 where a limb without limits could begin
    ("changed", "i8"),  # 1 where the turn relative to the carrier is no longer that of the start
    ("weight", "f8"),  # of all goals that the body and those it carries hold
    ("reach", "f8"),  # from the pivot of a limb to its goal when stretched; -1 where none could begin
    ("longest", "f8"),  # the limb's longest bone
    ("hook", "f8", (3,)),  # the pivot in the body's frame
    ("axis", "f8", (3,)),  # direction of the longest arm
    ("center", "f8", (3,)),  # weighted mean of the arms
    ("parent_turned", "f8", (4,)),  # the joint's parent in its body: not turned unless it is locked
    ("pivot", "f8", (3,)),  # in the world, as all that follow
    ("turned", "f8", (4,)),
    ("relative", "f8", (4,)),  # to the carrier
    ("direction", "f8", (3,)),  # of the axis
    ("wanted", "f8", (3,)),  # where the pivot should be
])  # fmt: skip
POINT = np.dtype([
    ("body", "i8"),  # that holds the point
    ("goal", "i8"),  # row of the goals; -1: a joint
    ("other", "i8"),  # body carried there; -1: a goal
    ("arm", "f8", (3,)),
    ("lever", "f8"),  # its length along the axis
    ("share", "f8"),  # of the body's weight
])  # fmt: skip
GOAL = np.dtype([
    ("number", "i8"),  # among the problem's goals
    ("joint", "i8"),  # row of the tree
    ("weight", "f8"),
    ("target", "f8", (3,)),
    ("aim", "f8", (3,)),
    ("end", "f8", (3,)),  # where the point is
])  # fmt: skip


@jit
def weigh(bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> None:
    """Give each body the weight of the goals beyond it, and each of its points a share."""
    for i in range(len(bodies) - 1, -1, -1):
        body, total = bodies[i], 0.0
        for p in range(body.first_point, body.last_point):
            point = points[p]
            point.share = goals[point.goal].weight if point.goal >= 0 else bodies[point.other].weight
            total += point.share
        body.weight = total
        for p in range(body.first_point, body.last_point):
            if total > 0.0:
                points[p].share /= total


@jit
def measure(
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
    joints: np.ndarray,
    parents: np.ndarray,
    bones: np.ndarray,
    mobility: np.ndarray,
    goal_offsets: np.ndarray,
    anchor_joint: int,
    anchor_offset: np.ndarray,
    local: np.ndarray,
    where: np.ndarray,
    turned: np.ndarray,
) -> None:
    """Measure hooks, arms and forms for one frame's bones (N, 3) and local rotations (N, 4), the locked joints' of which count.

    `where` (n, 3) and `turned` (n, 4) are scratch: each joint in the frame of its body.
    """
    for k in range(len(joints)):
        put_vector(where[k], (0.0, 0.0, 0.0))
        put_quaternion(turned[k], NONE)
        if k > 0 and mobility[k] == 0.0:
            p = parents[k]
            put_vector(where[k], add(vector(where[p]), rotate(quaternion(turned[p]), vector(bones[joints[k]]))))
            put_quaternion(turned[k], multiply(quaternion(turned[p]), quaternion(local[joints[k]])))
    for i in range(len(bodies)):
        body = bodies[i]
        put_vector(body.hook, (0.0, 0.0, 0.0))
        put_quaternion(body.parent_turned, NONE)
        joint = anchor_joint if body.carrier < 0 else parents[body.joint]
        if body.carrier < 0 and joint >= 0:
            put_vector(body.hook, add(vector(where[joint]), rotate(quaternion(turned[joint]), vector(anchor_offset))))
        if body.carrier >= 0:
            put_quaternion(body.parent_turned, quaternion(turned[joint]))
            if not body.downward:
                put_vector(body.hook, _joint_in_parent(body, joint, joints, bones, where, turned))
    for p in range(len(points)):
        point = points[p]
        spot = (0.0, 0.0, 0.0)
        if point.goal >= 0:
            joint = goals[point.goal].joint
            offset = vector(goal_offsets[goals[point.goal].number])
            spot = add(vector(where[joint]), rotate(quaternion(turned[joint]), offset))
        elif bodies[point.other].downward:
            other = bodies[point.other]
            spot = _joint_in_parent(other, parents[other.joint], joints, bones, where, turned)
        put_vector(point.arm, subtract(spot, vector(bodies[point.body].hook)))
    for i in range(len(bodies) - 1, -1, -1):
        _find_form(bodies[i], points, mobility)


@jit
def _joint_in_parent(
    body: np.ndarray, parent: int, joints: np.ndarray, bones: np.ndarray, where: np.ndarray, turned: np.ndarray
) -> Vector:
    """Return where the joint between a body and its carrier is, in the frame of the one that is the parent."""
    return add(vector(where[parent]), rotate(quaternion(turned[parent]), vector(bones[joints[body.joint]])))


@jit
def _find_form(body: np.ndarray, points: np.ndarray, mobility: np.ndarray) -> None:
    """Tell whether a body's points are spread at all, along a line, or wider; without weight it is only carried along."""
    size, longest = 0.0, body.first_point
    mean = (0.0, 0.0, 0.0)
    for p in range(body.first_point, body.last_point):
        arm = vector(points[p].arm)
        points[p].lever = 0.0
        mean = along(mean, points[p].share, arm)
        if dot(arm, arm) > size:
            size, longest = dot(arm, arm), p
    put_vector(body.center, mean)
    body.form = DOT
    if size > 0.0 and body.weight > 0.0:
        body.form = LINE
        axis = scale(1.0 / math.sqrt(size), vector(points[longest].arm))
        put_vector(body.axis, axis)
        for p in range(body.first_point, body.last_point):
            arm = vector(points[p].arm)
            points[p].lever = dot(axis, arm)
            off = cross(axis, arm)
            if dot(off, off) > THIN * THIN * size:
                body.form = SOLID
    if body.top == 0 and mobility[0] == 0.0:
        body.form = STEADY


@jit
def place(bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> None:
    """Compute pivots and ends from the base's pivot and the bodies' rotations."""
    for i in range(len(bodies)):
        spread(bodies[i], bodies, points, goals)


@jit
def follow(body: np.ndarray, bodies: np.ndarray) -> None:
    """Turn a body with its carrier, and a segment then by the least swing to its direction."""
    above = quaternion(bodies[body.carrier].turned) if body.carrier >= 0 else NONE
    turned = multiply(above, quaternion(body.relative))
    if body.form == LINE:
        turned = unit(multiply(swing(rotate(turned, vector(body.axis)), vector(body.direction)), turned))
        put_quaternion(body.relative, multiply(conjugate(above), turned))
        body.changed = 1
    put_quaternion(body.turned, turned)


@jit
def compose(bodies: np.ndarray) -> None:
    """Compute the bodies' rotations from those relative to their carriers."""
    put_quaternion(bodies[0].turned, quaternion(bodies[0].relative))
    for i in range(1, len(bodies)):
        above = quaternion(bodies[bodies[i].carrier].turned)
        put_quaternion(bodies[i].turned, unit(multiply(above, quaternion(bodies[i].relative))))


@jit
def spread(body: np.ndarray, bodies: np.ndarray, points: np.ndarray, goals: np.ndarray) -> None:
    """Compute where a body's points are."""
    turned, pivot = quaternion(body.turned), vector(body.pivot)
    for p in range(body.first_point, body.last_point):
        point = points[p]
        spot = add(pivot, rotate(turned, vector(point.arm)))
        if point.goal >= 0:
            put_vector(goals[point.goal].end, spot)
        else:
            put_vector(bodies[point.other].pivot, spot)


@jit
def to_local(body: np.ndarray, relative: Quaternion) -> Quaternion:
    """Return the joint's local rotation from the body's rotation relative to its carrier."""
    return multiply(conjugate(quaternion(body.parent_turned)), relative if body.downward else conjugate(relative))


@jit
def within_limit(body: np.ndarray, limit_values: np.ndarray, local: np.ndarray) -> bool:
    """Tell whether a body's rotation relative to its carrier is allowed; `local` (4,) is scratch."""
    if body.limit == 0:
        return True
    put_quaternion(local, to_local(body, quaternion(body.relative)))
    return not project(body.limit, limit_values[body.joint], local)


@jit
def keep_limit(body: np.ndarray, limit_values: np.ndarray, local: np.ndarray) -> bool:
    """Move a body's rotation relative to its carrier into the joint's limit; tell whether it had to move.

    `local` (4,) is scratch.
    """
    if body.limit == 0:
        return False
    put_quaternion(local, to_local(body, quaternion(body.relative)))
    if not project(body.limit, limit_values[body.joint], local):
        return False
    relative = multiply(quaternion(body.parent_turned), quaternion(local))
    put_quaternion(body.relative, relative if body.downward else conjugate(relative))
    return True


@jit
def hinge_axis(body: np.ndarray, limit_values: np.ndarray, turned: Quaternion, above: Quaternion) -> Vector:
    """Return the axis in the world of a body's hinge, from rotations of the body and its carrier that are within the limit."""
    values = limit_values[body.joint]
    axis = rotate(quaternion(values), vector(values[4:]))
    return rotate(above if body.downward else turned, rotate(quaternion(body.parent_turned), axis))
