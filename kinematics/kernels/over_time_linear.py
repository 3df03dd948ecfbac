"""The linear system of a clip's corrections, (J^T J + S) step = gradient with S = diagonal + bend D^T D, in band form.

D are second differences over time, of each unknown alone. Ordered by frames the matrix is banded: blocks J^T J + diagonal on
the diagonal, multiples of the identity one and two frames beside it. Cholesky's method by blocks (Golub and Van Loan, "Matrix
Computations", 2013, section 4.5) makes use of that. With R_f upper triangular, A = R^T R has in its row f
  R_f,  G_f^T = left of it one frame back,  c U_{f-2} two frames back,  where U = R^-1.
"""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import fused_jit as jit

TINY = 1e-300  # a pivot that rounding has eaten
WALL = 1e8  # how much stiffer than anything else a barred direction is


@jit
def coupling(first: int, second: int, frames: int) -> float:
    """Return an entry of D^T D; `second` is `first` or later."""
    total = 0.0
    for row in range(max(second - 2, 0), min(first, frames - 3) + 1):
        total += (-2.0 if first == row + 1 else 1.0) * (-2.0 if second == row + 1 else 1.0)
    return total


@jit
def potential(pull: np.ndarray, bend: float, y: np.ndarray, rest: np.ndarray, force: np.ndarray) -> float:
    """Return half of sum pull |y - rest|^2 + bend |D y|^2, and write its gradient; pull (frames, n + 1)."""
    frames, count = len(y), y.shape[1]
    total = 0.0
    for f in range(frames):
        part = 0.0
        for k in range(count):
            for i in range(3):
                away = y[f, k, i] - rest[f, k, i]
                force[f, k, i] = pull[f, k] * away
                part += force[f, k, i] * away
        total += part
    for f in range(1, frames - 1):
        part = 0.0
        for k in range(count):
            for i in range(3):
                bent = y[f - 1, k, i] - 2.0 * y[f, k, i] + y[f + 1, k, i]
                part += bend * bent * bent
                force[f - 1, k, i] += bend * bent
                force[f, k, i] -= 2.0 * bend * bent
                force[f + 1, k, i] += bend * bent
        total += part
    return 0.5 * total


@jit
def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Return the sum of all products, in one order whatever the machine."""
    total = 0.0
    for f in range(len(a)):
        part = 0.0
        for k in range(a.shape[1]):
            for i in range(3):
                part += a[f, k, i] * b[f, k, i]
        total += part
    return total


@jit
def _add_rows(
    sign: float, a: np.ndarray, first: int, last: int, rows: np.ndarray, start: int, upper: bool, out: np.ndarray
) -> None:
    """Add sign * sum a[k] rows[k] for k in first to last, from column `start` on; four rows at a time.

    upper: rows[k] has nothing left of column k.
    """
    k, start = max(first, 0), max(start, 0)  # what the compiler must know to vectorise
    while k + 4 <= last:
        p, q, r, s = sign * a[k], sign * a[k + 1], sign * a[k + 2], sign * a[k + 3]
        for j in range(max(start, k) if upper else start, len(out)):
            out[j] += p * rows[k, j] + q * rows[k + 1, j] + r * rows[k + 2, j] + s * rows[k + 3, j]
        k += 4
    while k < last:
        p = sign * a[k]
        for j in range(max(start, k) if upper else start, len(out)):
            out[j] += p * rows[k, j]
        k += 1


@jit
def _block(
    blocks: np.ndarray,
    slots: np.ndarray,
    columns: np.ndarray,
    tasks: int,
    diagonal: np.ndarray,
    extra: float,
    wide: np.ndarray,
    column: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the upper half of J^T J + diagonal of one frame."""
    size = len(out)
    wide[:, :] = 0.0
    for s in range(len(slots)):
        k, t = columns[slots[s, 0]], 3 * slots[s, 1]
        for i in range(3):
            for j in range(3):
                wide[t + i, k + j] += blocks[s, i, j]
    for i in range(size):
        out[i, :] = 0.0
        for t in range(3 * tasks):
            column[t] = wide[t, i]
        _add_rows(1.0, column, 0, 3 * tasks, wide, i, False, out[i])
    for k in range(len(columns)):
        if columns[k] >= 0:
            for i in range(3):
                out[columns[k] + i, columns[k] + i] += diagonal[k] + extra


@jit
def _forbid(projectors: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """Make directions that limits bar so stiff that no step goes there."""
    wall = 0.0
    for i in range(len(out)):
        wall = max(wall, out[i, i])
    for k in range(len(columns)):
        c = columns[k]
        if c >= 0:
            for i in range(3):
                for j in range(i, 3):
                    out[c + i, c + j] += WALL * wall * ((1.0 if i == j else 0.0) - projectors[k, i, j])


@jit
def _cholesky(r: np.ndarray, column: np.ndarray) -> None:
    """Turn the upper half of a matrix into R with R^T R, in place."""
    size = len(r)
    for i in range(size):
        for k in range(i):
            column[k] = r[k, i]
        _add_rows(-1.0, column, 0, i, r, i, False, r[i])
        scale = 1.0 / math.sqrt(max(r[i, i], TINY))
        for j in range(i, size):
            r[i, j] *= scale


@jit
def _invert(r: np.ndarray, u: np.ndarray) -> None:
    """Write the inverse of an upper triangular matrix."""
    size = len(r)
    for i in range(size - 1, -1, -1):
        u[i, :] = 0.0
        _add_rows(-1.0, r[i], i + 1, size, u, i + 1, True, u[i])
        scale = 1.0 / r[i, i]
        u[i, i] = scale
        for j in range(i + 1, size):
            u[i, j] *= scale


@jit
def _transpose(a: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(a)):
        for j in range(len(a)):
            out[j, i] = a[i, j]


@jit
def solve(
    blocks: np.ndarray,
    slots: np.ndarray,
    columns: np.ndarray,
    tasks: int,
    diagonal: np.ndarray,
    bend: float,
    projectors: np.ndarray,
    gradient: np.ndarray,
    before: int,
    after: int,
    step: np.ndarray,
) -> None:
    """Solve for the step of all frames, (frames, n + 1, 3).

    slots (slots, 2): row of the tree, and task. columns (n + 1,): where a row's three unknowns begin, -1 where it has none.
    diagonal (frames, n + 1). projectors (frames or 0, n + 1, 3, 3): what limits leave of a joint's step. before, after: frames
    of the clip on both sides that stay as they are.
    """
    frames, count = diagonal.shape
    size = 3 * int((columns >= 0).sum())
    total = before + frames + after
    inverse, left = np.empty((frames, size, size)), np.empty((frames, size, size))  # U, and G
    wide, matrix = np.empty((3 * tasks, size)), np.empty((size, size))
    middle, flipped, lower = np.empty((size, size)), np.empty((size, size)), np.empty((2, size, size))
    x = np.zeros((frames, size))
    y, column = np.empty(size), np.empty(3 * tasks)
    for f in range(frames):
        at = before + f
        _block(blocks[f], slots, columns, tasks, diagonal[f], bend * coupling(at, at, total), wide, column, matrix)
        if len(projectors):
            _forbid(projectors[f], columns, matrix)
        one = bend * coupling(at - 1, at, total) if f > 0 else 0.0
        two = bend * coupling(at - 2, at, total) if f > 1 else 0.0
        if f > 0:
            for i in range(size):
                middle[i, :] = 0.0
                middle[i, i] = one
                if f > 1:
                    _add_rows(-two, inverse[f - 2, i], i, size, flipped, 0, False, middle[i])
            for i in range(size):
                left[f, i, :] = 0.0
                _add_rows(1.0, middle[i], 0, size, inverse[f - 1], 0, True, left[f, i])
            _transpose(left[f], flipped)
            for i in range(size):
                _add_rows(-1.0, left[f, i], 0, size, flipped, i, False, matrix[i])
                if f > 1:
                    _add_rows(-two * two, inverse[f - 2, i], i, size, lower[f % 2], i, False, matrix[i])
        _cholesky(matrix, y)
        _invert(matrix, inverse[f])
        _transpose(inverse[f], lower[f % 2])
        # R^T x = gradient, forwards
        for k in range(count):
            if columns[k] >= 0:
                for i in range(3):
                    x[f, columns[k] + i] = gradient[f, k, i]
        if f > 0:
            _add_rows(-1.0, x[f - 1], 0, size, flipped, 0, False, x[f])
        if f > 1:
            for i in range(size):
                share = 0.0
                for k in range(i, size):
                    share += inverse[f - 2, i, k] * x[f - 2, k]
                x[f, i] -= two * share
        y[:] = 0.0
        _add_rows(1.0, x[f], 0, size, inverse[f], 0, True, y)
        x[f] = y
    for f in range(frames - 1, -1, -1):
        at = before + f
        y[:] = x[f]
        if f < frames - 1:
            _add_rows(-1.0, x[f + 1], 0, size, left[f + 1], 0, False, y)
        if f < frames - 2:
            _add_rows(-bend * coupling(at, at + 2, total), x[f + 2], 0, size, inverse[f], 0, True, y)
        for i in range(size):
            share = 0.0
            for k in range(i, size):
                share += inverse[f, i, k] * y[k]
            x[f, i] = share
        for k in range(count):
            for i in range(3):
                step[f, k, i] = x[f, columns[k] + i] if columns[k] >= 0 else 0.0
