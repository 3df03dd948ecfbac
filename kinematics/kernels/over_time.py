"""Inverse kinematics of a whole clip at once: residuals of all frames, and their Jacobian, by corrections of the clip.

Joint k of frame f turns from its own rotation q by a rotation vector c in its parent's frame, exp(c) q, and the root moves by
c. In the units y = c / scale, in which every joint moves as readily as any other, the cost is half of
  sum |r(y)|^2 + sum d |y - rest|^2 + bend sum |y_{f-1} - 2 y_f + y_{f+1}|^2
with the goals' residuals r, a pull d towards the clip, and a smoothness that looks at the corrections and not at the motion.
"""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import Quaternion, Vector, conjugate, multiply, quaternion, rotate
from kinematics.kernels.jit import fused_jit as jit
from kinematics.kernels.limits import active_normals, project
from kinematics.kernels.tasks import MOVES_POINT, POSITION, jacobians, place, residuals

AT_BOUND = 1e-7  # radians from a bound at which it counts as reached
NO_TURN = np.array([1.0, 0.0, 0.0, 0.0])


@jit
def exponential(x: float, y: float, z: float) -> Quaternion:
    """Return the rotation by a rotation vector."""
    square = x * x + y * y + z * z
    angle = math.sqrt(square)
    s = math.sin(0.5 * angle) / angle if angle > 1e-6 else 0.5 - square / 48.0
    return math.cos(0.5 * angle), s * x, s * y, s * z


@jit
def logarithm(q: Quaternion) -> Vector:
    """Return the rotation vector of a unit quaternion, at most pi long."""
    sine = math.sqrt(q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    s = 2.0 if q[0] >= 0.0 else -2.0
    if sine > 1e-9:
        s *= math.atan2(sine, abs(q[0])) / sine
    return s * q[1], s * q[2], s * q[3]


@jit
def nearest_vector(q: Quaternion, x: float, y: float, z: float) -> Vector:
    """Return the rotation vector of a unit quaternion that is nearest to another vector, by whole turns."""
    a, b, c = logarithm(q)
    angle = math.sqrt(a * a + b * b + c * c)
    if angle > 1e-9:
        along = (a * x + b * y + c * z) / angle
        turns = math.floor((along - angle) / (2.0 * math.pi) + 0.5)
        s = 1.0 + 2.0 * math.pi * turns / angle
        return s * a, s * b, s * c
    return a, b, c


@jit
def own_rotations(tree: np.ndarray, rotations: np.ndarray, own: np.ndarray) -> None:
    """Write the local rotations of the tree's joints, within their limits: (1 or frames, all joints, 4) -> (frames, n, 4)."""
    for f in range(len(own)):
        g = f if len(rotations) > 1 else 0
        for k in range(len(tree) - 1):
            for i in range(4):
                own[f, k, i] = rotations[g, tree[k].joint, i]
            if tree[k].limit:
                project(tree[k].limit, tree[k].limit_values, own[f, k])


@jit
def corrections(tree: np.ndarray, scales: np.ndarray, own: np.ndarray, rotations: np.ndarray, y: np.ndarray) -> None:
    """Write the joints' corrections that take the clip's own rotations to others, without leaps in time.

    own (frames, n, 4). rotations (1 or frames, all joints, 4).
    """
    for k in range(len(tree) - 1):
        s = scales[k]
        if s > 0.0:
            x, v, z = 0.0, 0.0, 0.0
            for f in range(len(y)):
                there = quaternion(rotations[f if len(rotations) > 1 else 0, tree[k].joint])
                x, v, z = nearest_vector(multiply(there, conjugate(quaternion(own[f, k]))), x, v, z)
                y[f, k, 0], y[f, k, 1], y[f, k, 2] = x / s, v / s, z / s


@jit
def poses(
    tree: np.ndarray,
    scales: np.ndarray,
    own_roots: np.ndarray,
    own: np.ndarray,
    y: np.ndarray,
    f: int,
    root: np.ndarray,
    local: np.ndarray,
) -> None:
    """Write the root and the local rotations (n, 4) of one frame."""
    count = len(tree) - 1
    for i in range(3):
        root[i] = own_roots[f, i] + scales[count] * y[f, count, i]
    for k in range(count):
        s = scales[k]
        if s > 0.0:
            q = multiply(exponential(s * y[f, k, 0], s * y[f, k, 1], s * y[f, k, 2]), quaternion(own[f, k]))
            local[k, 0], local[k, 1], local[k, 2], local[k, 3] = q
        else:
            for i in range(4):
                local[k, i] = own[f, k, i]


@jit
def keep_limits(tree: np.ndarray, scales: np.ndarray, own: np.ndarray, y: np.ndarray) -> None:
    """Bring corrections back into the joints' limits, in place."""
    q = np.empty(4)
    for k in range(len(tree) - 1):
        if tree[k].limit and scales[k] > 0.0:
            s = scales[k]
            for f in range(len(y)):
                q[0], q[1], q[2], q[3] = multiply(
                    exponential(s * y[f, k, 0], s * y[f, k, 1], s * y[f, k, 2]), quaternion(own[f, k])
                )
                if project(tree[k].limit, tree[k].limit_values, q):
                    turn = multiply(quaternion(q), conjugate(quaternion(own[f, k])))
                    x, v, z = nearest_vector(turn, s * y[f, k, 0], s * y[f, k, 1], s * y[f, k, 2])
                    y[f, k, 0], y[f, k, 1], y[f, k, 2] = x / s, v / s, z / s


@jit
def evaluate(
    tree: np.ndarray,
    tasks: np.ndarray,
    bones: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    anchor_targets: np.ndarray,
    scales: np.ndarray,
    own_roots: np.ndarray,
    own: np.ndarray,
    targets: np.ndarray,
    target_rotations: np.ndarray,
    y: np.ndarray,
    residual: np.ndarray,
    errors: np.ndarray,
    out_roots: np.ndarray,
    out_local: np.ndarray,
) -> None:
    """Write weighted residuals (frames, tasks, 3), errors (frames, tasks), roots and local rotations (frames, n, 4)."""
    count, number = len(tree) - 1, len(tasks)
    where, turned, points = np.empty((count + 1, 3)), np.empty((count + 1, 4)), np.empty((number, 3, 3))
    for f in range(len(y)):
        poses(tree, scales, own_roots, own, y, f, out_roots[f], out_local[f])
        place(
            tree, bones[f if len(bones) > 1 else 0], anchor, anchor_offset, anchor_targets[f if len(anchor_targets) > 1 else 0],
            out_roots[f], out_local[f], where, turned,
        )  # fmt: skip
        residuals(
            tree, tasks, targets[f if len(targets) > 1 else 0], target_rotations[f if len(target_rotations) > 1 else 0],
            where, turned, points, residual[f], errors[f],
        )  # fmt: skip


@jit
def linearize(
    slots: np.ndarray,
    tree: np.ndarray,
    tasks: np.ndarray,
    bones: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    anchor_targets: np.ndarray,
    scales: np.ndarray,
    targets: np.ndarray,
    target_rotations: np.ndarray,
    y: np.ndarray,
    roots: np.ndarray,
    local: np.ndarray,
    blocks: np.ndarray,
    gradient: np.ndarray,
    curvature: np.ndarray,
) -> None:
    """Write J = -dr/dy (frames, slots, 3, 3), J^T r (frames, n + 1, 3), and curvatures that J^T J knows nothing of.

    Turning a joint takes a point at r against a residual e off by w^2 e.r / 2; of that (frames, n + 1) what makes convex counts.
    """
    count, number = len(tree) - 1, len(tasks)
    where, turned, points = np.empty((count + 1, 3)), np.empty((count + 1, 4)), np.empty((number, 3, 3))
    residual, errors, root = np.empty((number, 3)), np.empty(number), np.empty(3)
    turns = np.empty((count + 1, 3, 3))
    subtrees, slopes, world = np.empty((count, 4)), np.empty((4, 3, 3)), np.empty((len(slots), 3, 3))
    for f in range(len(y)):
        target = targets[f if len(targets) > 1 else 0]
        root[:] = roots[f]
        place(
            tree, bones[f if len(bones) > 1 else 0], anchor, anchor_offset, anchor_targets[f if len(anchor_targets) > 1 else 0],
            root, local[f], where, turned,
        )  # fmt: skip
        residuals(
            tree, tasks, target, target_rotations[f if len(target_rotations) > 1 else 0], where, turned, points, residual, errors
        )
        jacobians(tree, tasks, slots, target, where, turned, points, residual, subtrees, slopes, world)
        for k in range(count):
            if scales[k] > 0.0:
                _chart(scales[k], y[f, k], turned[tree[k].parent if k > 0 else count], turns[k])
        gradient[f, :, :] = 0.0
        curvature[f, :] = 0.0
        for t in range(number):
            a, b, c = residual[t, 0], residual[t, 1], residual[t, 2]
            v, point = tasks[t].weight, points[t, 0]
            for s in range(tasks[t].first_slot, tasks[t].last_slot):
                k = slots[s, 0]
                block, turn = world[s], turns[k]
                for i in range(3):
                    p, q, r = block[i, 0], block[i, 1], block[i, 2]
                    for j in range(3):
                        if k == count:
                            blocks[f, s, i, j] = scales[k] * block[i, j]
                        else:
                            blocks[f, s, i, j] = p * turn[0, j] + q * turn[1, j] + r * turn[2, j]
                for j in range(3):
                    gradient[f, k, j] += blocks[f, s, 0, j] * a + blocks[f, s, 1, j] * b + blocks[f, s, 2, j] * c
                if tasks[t].kind == POSITION and slots[s, 1] & MOVES_POINT:
                    pull = v[0] * a * (point[0] - where[k, 0]) + v[1] * b * (point[1] - where[k, 1])
                    curvature[f, k] += scales[k] * scales[k] * (pull + v[2] * c * (point[2] - where[k, 2]))
        for k in range(count + 1):
            curvature[f, k] = max(curvature[f, k], 0.0)


@jit
def _chart(scale: float, y: np.ndarray, parent: np.ndarray, out: np.ndarray) -> None:
    """Write the matrix from a change of y to the world's small rotation: R scale (I + b [c] + a [c]^2), the left Jacobian."""
    x, v, z = scale * y[0], scale * y[1], scale * y[2]
    square = x * x + v * v + z * z
    angle = math.sqrt(square)
    a, b = 1.0 / 6.0 - square / 120.0, 0.5 - square / 24.0
    if angle > 1e-2:
        a, b = (angle - math.sin(angle)) / (angle * square), (1.0 - math.cos(angle)) / square
    p = quaternion(parent)
    for j in range(3):
        e = (1.0 if j == 0 else 0.0, 1.0 if j == 1 else 0.0, 1.0 if j == 2 else 0.0)
        dot = x * e[0] + v * e[1] + z * e[2]
        cx, cy, cz = v * e[2] - z * e[1], z * e[0] - x * e[2], x * e[1] - v * e[0]
        u = (
            scale * (e[0] + b * cx + a * (x * dot - square * e[0])),
            scale * (e[1] + b * cy + a * (v * dot - square * e[1])),
            scale * (e[2] + b * cz + a * (z * dot - square * e[2])),
        )
        out[0, j], out[1, j], out[2, j] = rotate(p, u)


@jit
def bar(
    tree: np.ndarray,
    scales: np.ndarray,
    heading: bool,
    y: np.ndarray,
    local: np.ndarray,
    gradient: np.ndarray,
    projectors: np.ndarray,
    barred: np.ndarray,
) -> None:
    """Write matrices (frames, n + 1, 3, 3) that leave of a step what limits allow; and whether one bars the way downhill."""
    count = len(tree) - 1
    normals, turn, n = np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    for f in range(len(y)):
        barred[f] = False
        for k in range(count + 1):
            block = projectors[f, k]
            for i in range(3):
                for j in range(3):
                    block[i, j] = 1.0 if i == j and scales[k] > 0.0 else 0.0
            if k == count or scales[k] == 0.0:
                continue
            if k == 0 and heading:
                block[0, 0], block[2, 2] = 0.0, 0.0
            if tree[k].limit == 0:
                continue
            kind, values = tree[k].limit, tree[k].limit_values
            if kind == 1:  # corrections of a hinge lie on its axis
                axis = rotate((values[0], values[1], values[2], values[3]), (values[4], values[5], values[6]))
                for i in range(3):
                    for j in range(3):
                        block[i, j] = axis[i] * axis[j]
            found = active_normals(kind, values, local[f, k], NO_TURN, AT_BOUND, normals)
            _chart(1.0, scales[k] * y[f, k], NO_TURN, turn)
            for m in range(found):
                for i in range(3):
                    n[i] = normals[m, 0] * turn[0, i] + normals[m, 1] * turn[1, i] + normals[m, 2] * turn[2, i]
                if gradient[f, k, 0] * n[0] + gradient[f, k, 1] * n[1] + gradient[f, k, 2] * n[2] > 0.0:
                    barred[f] = True
                    _remove(block, n)


@jit
def _remove(block: np.ndarray, n: np.ndarray) -> None:
    """Take the direction n from a projector: P - P n (P n)^T / n P n."""
    p = block[:, 0] * n[0] + block[:, 1] * n[1] + block[:, 2] * n[2]
    length = p[0] * n[0] + p[1] * n[1] + p[2] * n[2]
    if length > 1e-12:
        for i in range(3):
            for j in range(3):
                block[i, j] -= p[i] * p[j] / length


@jit
def project_steps(projectors: np.ndarray, step: np.ndarray) -> None:
    """Leave of a step what the projectors allow, in place; no projectors allow everything."""
    for f in range(len(projectors)):
        for k in range(step.shape[1]):
            p, x, y, z = projectors[f, k], step[f, k, 0], step[f, k, 1], step[f, k, 2]
            for i in range(3):
                step[f, k, i] = p[i, 0] * x + p[i, 1] * y + p[i, 2] * z


@jit
def finish(tree: np.ndarray, roots: np.ndarray, local: np.ndarray, out_roots: np.ndarray, out_rotations: np.ndarray) -> None:
    """Write roots and the tree's local rotations into arrays of all joints."""
    for f in range(len(local)):
        out_roots[f] = roots[f]
        for k in range(len(tree) - 1):
            if tree[k].mobility > 0.0 or tree[k].limit:
                q = local[f, k]
                length = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
                for i in range(4):
                    out_rotations[f, tree[k].joint, i] = q[i] / length
