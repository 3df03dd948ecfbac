"""How FABRIK and CCD set out on a frame, hasten, and leave it."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import (
    add,
    along,
    conjugate,
    dot,
    multiply,
    put_quaternion,
    put_vector,
    quaternion,
    rotate,
    subtract,
    unit,
    vector,
)
from kinematics.kernels.bodies import STEADY, measure, place, to_local, weigh
from kinematics.kernels.jit import jit
from kinematics.kernels.limbs import find_limbs
from kinematics.kernels.limits import project

CONVERGED, UNREACHABLE, LIMITED, ITERATIONS = 0, 1, 2, 3
MOST_GAIN = 100.0  # the most by which the way left to a target is multiplied when aiming beyond it
QUICK = 0.2  # share of the squared distances left by a step that needs no more haste


@jit
def prepare(
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
    mobility: np.ndarray,
    limit_kinds: np.ndarray,
    goal_weights: np.ndarray,
) -> tuple[bool, int, int]:
    """Note what is the same in all frames. Return whether there are limits, the row of the root's body, the root's limit."""
    root_limit = limit_kinds[0] if mobility[0] > 0.0 else 0
    limited, root = root_limit != 0, 0
    for i in range(len(bodies)):
        body, joint = bodies[i], bodies[i].joint
        body.mobility, body.limit = 1.0, 0
        if joint >= 0:
            body.mobility = mobility[joint]
            body.limit = limit_kinds[joint] if mobility[joint] > 0.0 else 0
        limited |= body.limit != 0
        if body.top == 0:
            root = i
            body.held = i > 0 and root_limit != 0
    for g in range(len(goals)):
        goals[g].weight = goal_weights[goals[g].number]
    weigh(bodies, points, goals)
    return limited, root, root_limit


@jit
def begin(
    bodies: np.ndarray,
    points: np.ndarray,
    goals: np.ndarray,
    joints: np.ndarray,
    parents: np.ndarray,
    bones: np.ndarray,
    mobility: np.ndarray,
    limit_kinds: np.ndarray,
    limit_values: np.ndarray,
    goal_offsets: np.ndarray,
    anchor_joint: int,
    anchor_offset: np.ndarray,
    targets: np.ndarray,
    first: bool,
    start_root: np.ndarray,
    start_local: np.ndarray,
    root: np.ndarray,
    local: np.ndarray,
    where: np.ndarray,
    turned: np.ndarray,
) -> bool:
    """Set out from local rotations (N, 4), which are brought within the limits; the anchor stays where it was before.

    Bodies are measured in the first frame, and in others too where locked joints may differ. `where` (n, 3) and `turned`
    (n, 4) are scratch. Tell whether any rotation was outside.
    """
    put_vector(root, vector(start_root))
    for j in range(len(local)):
        put_quaternion(local[j], quaternion(start_local[j]))
    locked = False
    for k in range(1, len(joints)):
        locked |= mobility[k] == 0.0
    if first or locked:
        measure(
            bodies,
            points,
            goals,
            joints,
            parents,
            bones,
            mobility,
            goal_offsets,
            anchor_joint,
            anchor_offset,
            local,
            where,
            turned,
        )
        find_limbs(bodies, points)
    _forward(joints, parents, bones, root, local, where, turned)
    pivot = vector(where[0])
    if anchor_joint >= 0:
        pivot = add(vector(where[anchor_joint]), rotate(quaternion(turned[anchor_joint]), vector(anchor_offset)))
    moved = False
    for k in range(len(joints)):
        if limit_kinds[k] != 0 and mobility[k] > 0.0:
            moved |= project(limit_kinds[k], limit_values[k], local[joints[k]])
    if moved:
        _forward(joints, parents, bones, root, local, where, turned)
    for g in range(len(goals)):
        put_vector(goals[g].target, vector(targets[goals[g].number]))
    put_vector(bodies[0].pivot, pivot)
    for i in range(len(bodies)):
        body, own = bodies[i], quaternion(turned[bodies[i].top])
        put_quaternion(body.turned, own)
        put_quaternion(body.relative, own)
        if i > 0:
            put_quaternion(body.relative, multiply(conjugate(quaternion(bodies[body.carrier].turned)), own))
        put_vector(body.direction, rotate(own, vector(body.axis)))
        body.changed = 0
    place(bodies, points, goals)
    return moved


@jit
def _forward(
    joints: np.ndarray,
    parents: np.ndarray,
    bones: np.ndarray,
    root: np.ndarray,
    local: np.ndarray,
    where: np.ndarray,
    turned: np.ndarray,
) -> None:
    """Compute where the joints of the tree are."""
    put_vector(where[0], vector(root))
    put_quaternion(turned[0], quaternion(local[joints[0]]))
    for k in range(1, len(joints)):
        p, j = parents[k], joints[k]
        above = quaternion(turned[p])
        put_vector(where[k], add(vector(where[p]), rotate(above, vector(bones[j]))))
        put_quaternion(turned[k], multiply(above, quaternion(local[j])))


@jit
def copy_pose(source: np.ndarray, target: np.ndarray) -> None:
    """Copy where the base is and how bodies are turned."""
    for i in range(len(source)):
        put_vector(target[i].pivot, vector(source[i].pivot))
        put_vector(target[i].direction, vector(source[i].direction))
        put_quaternion(target[i].turned, quaternion(source[i].turned))
        put_quaternion(target[i].relative, quaternion(source[i].relative))


@jit
def distances(goals: np.ndarray) -> tuple[float, float]:
    """Return the sum of weighted squared distances, and the largest distance among goals that have weight."""
    total, worst = 0.0, 0.0
    for g in range(len(goals)):
        miss = subtract(vector(goals[g].target), vector(goals[g].end))
        square = dot(miss, miss)
        if goals[g].weight > 0.0:
            total += goals[g].weight * square
            worst = max(worst, square)
    return total, math.sqrt(worst)


@jit
def hasten(gain: float, cap: float, cost: float, last: float) -> tuple[float, float]:
    """Return how far beyond the targets to aim next, and the most that is tried, after a step that is kept."""
    cap = min(1.2 * cap, MOST_GAIN)
    return min(cap, 2.0 * gain + 1.0) if cost > QUICK * last else 0.5 * gain, cap


@jit
def aim(goals: np.ndarray, gain: float) -> None:
    """Aim beyond the targets, by a multiple of the way that is left."""
    for g in range(len(goals)):
        target = vector(goals[g].target)
        put_vector(goals[g].aim, along(target, gain, subtract(target, vector(goals[g].end))))


@jit
def finish(bodies: np.ndarray, joints: np.ndarray, keep_root: bool, root: np.ndarray, local: np.ndarray) -> None:
    """Write the root's position and the local rotations of joints between bodies; what did not turn stays bit for bit."""
    for i in range(len(bodies)):
        body = bodies[i]
        if body.joint >= 0 and body.changed:
            put_quaternion(local[joints[body.joint]], unit(to_local(body, quaternion(body.relative))))
        if body.top == 0:
            if i > 0 and body.form != STEADY:  # what carries it may have turned
                put_quaternion(local[joints[0]], unit(quaternion(body.turned)))
            if not keep_root:
                put_vector(root, subtract(vector(body.pivot), rotate(quaternion(body.turned), vector(body.hook))))


@jit
def report(goals: np.ndarray, tolerance: float, stopped: bool, held: bool, errors: np.ndarray) -> int:
    """Write the distances left; return the status."""
    for g in range(len(goals)):
        miss = subtract(vector(goals[g].end), vector(goals[g].target))
        errors[goals[g].number] = math.sqrt(dot(miss, miss))
    if distances(goals)[1] <= tolerance:
        return CONVERGED
    if not stopped:
        return ITERATIONS
    return LIMITED if held else UNREACHABLE
