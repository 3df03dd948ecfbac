"""Vectors and quaternions (wxyz) as tuples of numbers, for kernels: nothing is allocated."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

OPPOSITE = 1e-8  # 1 + cosine below which two directions count as opposite


@jit
def vector(row: np.ndarray) -> Vector:
    """Read three numbers."""
    return row[0], row[1], row[2]


@jit
def quaternion(row: np.ndarray) -> Quaternion:
    """Read four numbers."""
    return row[0], row[1], row[2], row[3]


@jit
def put_vector(row: np.ndarray, v: Vector) -> None:
    """Write three numbers."""
    row[0], row[1], row[2] = v


@jit
def put_quaternion(row: np.ndarray, q: Quaternion) -> None:
    """Write four numbers."""
    row[0], row[1], row[2], row[3] = q


@jit
def add(a: Vector, b: Vector) -> Vector:
    """Return a + b."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@jit
def subtract(a: Vector, b: Vector) -> Vector:
    """Return a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@jit
def scale(s: float, a: Vector) -> Vector:
    """Return s a."""
    return s * a[0], s * a[1], s * a[2]


@jit
def along(a: Vector, s: float, b: Vector) -> Vector:
    """Return a + s b."""
    return a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]


@jit
def dot(a: Vector, b: Vector) -> float:
    """Return a . b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@jit
def cross(a: Vector, b: Vector) -> Vector:
    """Return a x b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@jit
def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """Return the Hamilton product: b is applied first."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


@jit
def conjugate(q: Quaternion) -> Quaternion:
    """Return the inverse of a unit quaternion."""
    return q[0], -q[1], -q[2], -q[3]


@jit
def unit(q: Quaternion) -> Quaternion:
    """Scale a quaternion to length one."""
    s = 1.0 / math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    return q[0] * s, q[1] * s, q[2] * s, q[3] * s


@jit
def rotate(q: Quaternion, v: Vector) -> Vector:
    """Turn a vector."""
    x, y, z = 2.0 * (q[2] * v[2] - q[3] * v[1]), 2.0 * (q[3] * v[0] - q[1] * v[2]), 2.0 * (q[1] * v[1] - q[2] * v[0])
    return (
        v[0] + q[0] * x + q[2] * z - q[3] * y,
        v[1] + q[0] * y + q[3] * x - q[1] * z,
        v[2] + q[0] * z + q[1] * y - q[2] * x,
    )


@jit
def across(v: Vector) -> Vector:
    """Return a unit vector at right angles to v, always the same for the same v."""
    x, y, z = abs(v[0]), abs(v[1]), abs(v[2])
    if x <= y and x <= z:
        a, b, c = 0.0, v[2], -v[1]
    elif y <= z:
        a, b, c = -v[2], 0.0, v[0]
    else:
        a, b, c = v[1], -v[0], 0.0
    length = math.sqrt(a * a + b * b + c * c)
    if length == 0.0:
        return 1.0, 0.0, 0.0
    return a / length, b / length, c / length


@jit
def swing(a: Vector, b: Vector) -> Quaternion:
    """Return the smallest rotation from the direction of a to that of b; nothing for a zero vector."""
    lengths = math.sqrt(dot(a, a) * dot(b, b))
    if not lengths > 0.0:
        return 1.0, 0.0, 0.0, 0.0
    w = lengths + dot(a, b)
    if w > OPPOSITE * lengths:
        x, y, z = cross(a, b)
        return unit((w, x, y, z))
    x, y, z = across(a)  # half a turn about some axis across, and then the small rest
    u, v, t = cross(b, a)
    return multiply(unit((lengths - dot(a, b), u, v, t)), (0.0, x, y, z))


@jit
def part(q: Quaternion, fraction: float) -> Quaternion:
    """Return a rotation on the way from none to q, about its axis; fraction 0 to 1, linear for small angles."""
    w = abs(q[0])
    s = fraction if q[0] >= 0.0 else -fraction
    return unit((1.0 - fraction + fraction * w, s * q[1], s * q[2], s * q[3]))


@jit
def turn_about(axis: Vector, cosine: float, sine: float) -> Quaternion:
    """Return the turn about a unit axis by the angle of the vector (cosine, sine), of any length."""
    length = math.sqrt(cosine * cosine + sine * sine)
    if not length > 0.0:
        return 1.0, 0.0, 0.0, 0.0
    if cosine < 0.0:  # half angles: (length + cosine, sine) or (sine, length - cosine), whichever is not small
        w, s = abs(sine), math.copysign(length - cosine, sine)
    else:
        w, s = length + cosine, sine
    return unit((w, s * axis[0], s * axis[1], s * axis[2]))


@jit
def fit(x: Vector, y: Vector, z: Vector, q: Quaternion, squarings: int) -> Quaternion:
    """Return the rotation R that makes sum w b . R a greatest; where several do, the one nearest to q.

    x, y, z are the rows of the sum of w a b^T. Horn, "Closed-form solution of absolute orientation using unit quaternions"
    (1987): the eigenvector of the greatest eigenvalue of a 4x4 matrix, here by squaring that matrix again and again: the error
    of q shrinks with the 2^squarings-th power of the ratio of eigenvalues, and never grows.
    """
    a, b, c, d = x[0] + y[1] + z[2], y[2] - z[1], z[0] - x[2], x[1] - y[0]
    e, f, g = x[0] - y[1] - z[2], x[1] + y[0], z[0] + x[2]
    h, i, j = y[1] - x[0] - z[2], y[2] + z[1], z[2] - x[0] - y[1]
    size = math.sqrt(dot(x, x) + dot(y, y) + dot(z, z))
    if not size > 0.0:
        return q
    shift = 1.8 * size  # above the sum of the singular values, which is at most sqrt(3) times as much
    a, e, h, j = a + shift, e + shift, h + shift, j + shift
    for _ in range(squarings):
        s = 1.0 / (a + e + h + j)
        a, b, c, d, e, f, g, h, i, j = a * s, b * s, c * s, d * s, e * s, f * s, g * s, h * s, i * s, j * s
        a, b, c, d, e, f, g, h, i, j = (
            a * a + b * b + c * c + d * d,
            a * b + b * e + c * f + d * g,
            a * c + b * f + c * h + d * i,
            a * d + b * g + c * i + d * j,
            b * b + e * e + f * f + g * g,
            b * c + e * f + f * h + g * i,
            b * d + e * g + f * i + g * j,
            c * c + f * f + h * h + i * i,
            c * d + f * g + h * i + i * j,
            d * d + g * g + i * i + j * j,
        )
    p0 = a * q[0] + b * q[1] + c * q[2] + d * q[3]
    p1 = b * q[0] + e * q[1] + f * q[2] + g * q[3]
    p2 = c * q[0] + f * q[1] + h * q[2] + i * q[3]
    p3 = d * q[0] + g * q[1] + i * q[2] + j * q[3]
    if p0 * p0 + p1 * p1 + p2 * p2 + p3 * p3 > 1e-12 * (a + e + h + j) ** 2:
        return unit((p0, p1, p2, p3))
    if a >= e and a >= h and a >= j:  # q is as far away as can be: take a column
        return unit((a, b, c, d))
    if e >= h and e >= j:
        return unit((b, e, f, g))
    if h >= j:
        return unit((c, f, h, i))
    return unit((d, g, i, j))
