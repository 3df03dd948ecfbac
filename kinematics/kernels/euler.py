"""Euler angles to quaternions and back. Axes are 0, 1, 2 for X, Y, Z; products are intrinsic, left to right."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit


@jit
def turn(q: np.ndarray, axis: int, cosine: float, sine: float) -> None:
    """Multiply `q` in place from the right by the rotation about one axis with this half-angle cosine and sine."""
    w, x, y, z = q[0], q[1], q[2], q[3]
    if axis == 0:
        q[0], q[1], q[2], q[3] = w * cosine - x * sine, x * cosine + w * sine, y * cosine + z * sine, z * cosine - y * sine
    elif axis == 1:
        q[0], q[1], q[2], q[3] = w * cosine - y * sine, x * cosine - z * sine, y * cosine + w * sine, z * cosine + x * sine
    else:
        q[0], q[1], q[2], q[3] = w * cosine - z * sine, x * cosine + y * sine, y * cosine - x * sine, z * cosine + w * sine


@jit
def to_quaternions(angles: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Angles (n, 3) in radians about intrinsic axes (3,) -> quaternions (n, 4)."""
    out = np.empty((len(angles), 4))
    for n in range(len(angles)):
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = 1.0, 0.0, 0.0, 0.0
        for k in range(3):
            half = 0.5 * angles[n, k]
            turn(out[n], axes[k], math.cos(half), math.sin(half))
    return out


@jit
def from_quaternions(q: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Quaternions (n, 4) -> intrinsic angles (n, 3) in radians; Bernardes and Viollet (2022), algorithm 3."""
    out = np.empty((len(q), 3))
    # The paper's order is extrinsic: read the intrinsic axes backwards.
    i, j, k = axes[2], axes[1], axes[0]
    proper = i == k
    if proper:
        k = 3 - i - j
    sign = 1.0 if (i + 1) % 3 == j else -1.0
    for n in range(len(q)):
        w, p, r, s = q[n, 0], q[n, 1 + i], q[n, 1 + j], q[n, 1 + k] * sign
        if proper:
            a, b, c, d = w, p, r, s
        else:
            a, b, c, d = w - r, p + s, r + w, s - p
        middle = 2.0 * math.atan2(math.hypot(c, d), math.hypot(a, b))
        plus, minus = math.atan2(b, a), math.atan2(d, c)  # half sum and half difference of the outer angles
        locked = 1e-28 * (a * a + b * b + c * c + d * d)
        if c * c + d * d < locked:
            first, last = 2.0 * plus, 0.0
        elif a * a + b * b < locked:
            first, last = -2.0 * minus, 0.0
        else:
            first, last = plus - minus, plus + minus
        if not proper:
            last *= sign
            middle -= 0.5 * math.pi
        out[n, 0], out[n, 1], out[n, 2] = _wrap(last), middle, _wrap(first)
    return out


@jit
def _wrap(x: float) -> float:
    if x > math.pi:
        return x - 2.0 * math.pi
    if x < -math.pi:
        return x + 2.0 * math.pi
    return x
