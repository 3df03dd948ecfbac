"""Kernels of fitting a clip to positions: its joints, their Jacobian, bending of curves in time, and a preconditioner.

Joint k turns by a small rotation vector w_k, in its own frame, so a point x below it moves by (R_k w_k) x (x - p_k). A `step`
has the shape (frames, joints + 1, 3): the rotation vectors, and last the root's translation in the world. J maps steps to
moves of the joints. Curves are numbers over time, (frames, numbers), which bend as far as their second differences D are not
zero; B maps steps to changes of the curves. With unit weights the matrix of the least squares is A = J^T J + B^T D^T D B + m I.
"""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import (
    add,
    conjugate,
    cross,
    multiply,
    put_quaternion,
    put_vector,
    quaternion,
    rotate,
    scale,
    subtract,
    vector,
)
from kinematics.kernels.jit import jit

BAND = 8  # numbers left of the diagonal: three a frame, two frames back


@jit
def place(root: np.ndarray, local: np.ndarray, offsets: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return global positions (frames, joints, 3) and rotations (frames, joints, 4)."""
    frames, joints = local.shape[0], local.shape[1]
    where, turned = np.empty((frames, joints, 3)), np.empty((frames, joints, 4))
    for f in range(frames):
        put_vector(where[f, 0], vector(root[f]))
        put_quaternion(turned[f, 0], quaternion(local[f, 0]))
        for j in range(1, joints):
            above = quaternion(turned[f, parents[j]])
            put_vector(where[f, j], add(vector(where[f, parents[j]]), rotate(above, vector(offsets[j]))))
            put_quaternion(turned[f, j], multiply(above, quaternion(local[f, j])))
    return where, turned


@jit
def push(where: np.ndarray, turned: np.ndarray, parents: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return J step, (frames, joints, 3)."""
    frames, joints = len(where), len(parents)
    moves, spins = np.empty((frames, joints, 3)), np.empty((joints, 3))
    for f in range(frames):
        put_vector(moves[f, 0], vector(step[f, joints]))
        put_vector(spins[0], rotate(quaternion(turned[f, 0]), vector(step[f, 0])))
        for j in range(1, joints):
            p = parents[j]
            spin, arm = vector(spins[p]), subtract(vector(where[f, j]), vector(where[f, p]))
            put_vector(moves[f, j], add(vector(moves[f, p]), cross(spin, arm)))
            put_vector(spins[j], add(spin, rotate(quaternion(turned[f, j]), vector(step[f, j]))))
    return moves


@jit
def pull(where: np.ndarray, turned: np.ndarray, parents: np.ndarray, forces: np.ndarray) -> np.ndarray:
    """Return J^T forces, a step: the torque of all forces below a joint, in its frame; last the sum of the forces."""
    frames, joints = len(where), len(parents)
    step, sums, torques = np.empty((frames, joints + 1, 3)), np.empty((joints, 3)), np.empty((joints, 3))
    for f in range(frames):
        for j in range(joints):
            put_vector(sums[j], vector(forces[f, j]))
            put_vector(torques[j], (0.0, 0.0, 0.0))
        for j in range(joints - 1, 0, -1):
            p, force, torque = parents[j], vector(sums[j]), vector(torques[j])
            arm = subtract(vector(where[f, j]), vector(where[f, p]))
            put_vector(sums[p], add(vector(sums[p]), force))
            put_vector(torques[p], add(vector(torques[p]), add(torque, cross(arm, force))))
            put_vector(step[f, j], rotate(conjugate(quaternion(turned[f, j])), torque))
        put_vector(step[f, 0], rotate(conjugate(quaternion(turned[f, 0])), vector(torques[0])))
        put_vector(step[f, joints], vector(sums[0]))
    return step


@jit
def curves(root: np.ndarray, local: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the curves that shall not bend: 2 weight q of each joint, weight p of the root; (frames, 4 joints + 3).

    A rotation at constant speed bends only along q itself, across which no step leads, so it counts as straight.
    """
    frames, joints = local.shape[0], local.shape[1]
    values = np.empty((frames, 4 * joints + 3))
    for f in range(frames):
        for j in range(joints):
            for k in range(4):
                values[f, 4 * j + k] = 2.0 * weights[j] * local[f, j, k]
        for k in range(3):
            values[f, 4 * joints + k] = weights[joints] * root[f, k]
    return values


@jit
def change(local: np.ndarray, weights: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return B step, changes of the curves: q turned by w becomes q + q (0, w / 2)."""
    frames, joints = local.shape[0], local.shape[1]
    values = np.empty((frames, 4 * joints + 3))
    for f in range(frames):
        for j in range(joints):
            w, s = step[f, j], weights[j]
            q = multiply(quaternion(local[f, j]), (0.0, s * w[0], s * w[1], s * w[2]))
            for k in range(4):
                values[f, 4 * j + k] = q[k]
        for k in range(3):
            values[f, 4 * joints + k] = weights[joints] * step[f, joints, k]
    return values


@jit
def change_back(local: np.ndarray, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return B^T values, a step."""
    frames, joints = local.shape[0], local.shape[1]
    step = np.empty((frames, joints + 1, 3))
    for f in range(frames):
        for j in range(joints):
            v = values[f, 4 * j : 4 * j + 4]
            _, x, y, z = multiply(conjugate(quaternion(local[f, j])), quaternion(v))
            put_vector(step[f, j], scale(weights[j], (x, y, z)))
        for k in range(3):
            step[f, joints, k] = weights[joints] * values[f, 4 * joints + k]
    return step


@jit
def _coefficient(first: int, second: int, frames: int) -> float:
    """Return an entry of D^T D; `second` is `first` or a later frame."""
    total = 0.0
    for row in range(max(second - 2, 0), min(first, frames - 3) + 1):
        total += (-2.0 if first == row + 1 else 1.0) * (-2.0 if second == row + 1 else 1.0)
    return total


@jit
def factorize(
    where: np.ndarray, turned: np.ndarray, local: np.ndarray, parents: np.ndarray, weights: np.ndarray, damping: float
) -> np.ndarray:
    """Return Cholesky factors of the part of A that couples no two joints, for each joint one banded matrix over time.

    Shape (3 frames + BAND, BAND + 1, joints + 1): rows of the lower triangle with the diagonal last, inverted, and rows of
    zeros at the end. The block of J^T J in one frame is, in the joint's frame, the sum of |r|^2 I - r r^T over the arms r to
    all joints below.
    """
    frames, joints = len(where), len(parents)
    factors = np.zeros((3 * frames + BAND, BAND + 1, joints + 1))
    counts, sums, squares = np.empty(joints), np.empty((joints, 3)), np.empty((joints, 3, 3))
    inertia, half = np.empty((3, 3)), np.empty((3, 3))
    for f in range(frames):
        origin = vector(where[f, 0])
        for j in range(joints):
            counts[j] = 1.0
            put_vector(sums[j], subtract(vector(where[f, j]), origin))
            for k in range(3):
                for m in range(3):
                    squares[j, k, m] = sums[j, k] * sums[j, m]
        for j in range(joints - 1, -1, -1):
            p, arm = parents[j], subtract(vector(where[f, j]), origin)
            trace = 0.0
            for k in range(3):
                for m in range(3):
                    inertia[k, m] = squares[j, k, m] - sums[j, k] * arm[m] - arm[k] * sums[j, m] + counts[j] * arm[k] * arm[m]
                trace += inertia[k, k]
            back = conjugate(quaternion(turned[f, j]))
            for k in range(3):
                put_vector(half[k], rotate(back, vector(inertia[k])))
            for k in range(3):
                put_vector(inertia[k], rotate(back, (half[0, k], half[1, k], half[2, k])))
                for m in range(k + 1):
                    factors[3 * f + k, BAND - k + m, j] = -inertia[k, m]
                factors[3 * f + k, BAND, j] += trace + damping
            if p >= 0:
                counts[p] += counts[j]
                for k in range(3):
                    sums[p, k] += sums[j, k]
                    for m in range(3):
                        squares[p, k, m] += squares[j, k, m]
        for k in range(3):
            factors[3 * f + k, BAND, joints] = counts[0] + damping
        for g in range(max(f - 2, 0), f + 1):
            _add_bending(factors, local, weights, f, g, _coefficient(g, f, frames))
    _cholesky(factors[: 3 * frames])
    return factors


@jit
def _add_bending(factors: np.ndarray, local: np.ndarray, weights: np.ndarray, f: int, g: int, coefficient: float) -> None:
    """Add the block of frames f and g <= f of B^T D^T D B: with q_f* q_g = (w, v) it is w I + [v]x."""
    joints = local.shape[1]
    for j in range(joints + 1):
        s, w, x, y, z = coefficient * weights[j] * weights[j], 1.0, 0.0, 0.0, 0.0
        if j < joints and g < f:
            w, x, y, z = multiply(conjugate(quaternion(local[f, j])), quaternion(local[g, j]))
        left = BAND - 3 * (f - g)  # where the block's diagonal lies
        for k in range(3):
            factors[3 * f + k, left, j] += s * w
        if g < f:
            factors[3 * f, left + 1, j] -= s * z
            factors[3 * f, left + 2, j] += s * y
            factors[3 * f + 1, left - 1, j] += s * z
            factors[3 * f + 1, left + 1, j] -= s * x
            factors[3 * f + 2, left - 2, j] -= s * y
            factors[3 * f + 2, left - 1, j] += s * x


@jit
def _cholesky(a: np.ndarray) -> None:
    rows, _, count = a.shape
    for i in range(rows):
        for k in range(max(i - BAND, 0), i + 1):
            at = BAND - i + k
            for m in range(max(i - BAND, 0), k):
                for j in range(count):
                    a[i, at, j] -= a[i, BAND - i + m, j] * a[k, BAND - k + m, j]
            for j in range(count):
                a[i, at, j] = 1.0 / math.sqrt(a[i, at, j]) if k == i else a[i, at, j] * a[k, BAND, j]


@jit
def precondition(factors: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Solve with the factors of `factorize`; all joints side by side."""
    frames, count = step.shape[0], step.shape[1]
    rows = 3 * frames
    y = np.zeros((BAND + rows + BAND, count))  # zeros before the first and after the last row
    for i in range(rows):
        for j in range(count):
            y[BAND + i, j] = step[i // 3, j, i % 3]
        for j in range(count):
            total = y[BAND + i, j]
            for k in range(BAND):
                total -= factors[i, k, j] * y[i + k, j]
            y[BAND + i, j] = total * factors[i, BAND, j]
    result = np.empty((frames, count, 3))
    for i in range(rows - 1, -1, -1):
        for j in range(count):
            total = y[BAND + i, j]
            for k in range(BAND):
                total -= factors[i + 1 + k, BAND - 1 - k, j] * y[BAND + i + 1 + k, j]
            y[BAND + i, j] = total * factors[i, BAND, j]
        for j in range(count):
            result[i // 3, j, i % 3] = y[BAND + i, j]
    return result
