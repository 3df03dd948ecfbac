"""Local rotations as functions of three numbers each, within the shapes of the limits; for solvers that see numbers alone.

By kind of limit (see kernels/limits.py): 0 a rotation vector about the rotation at the start, in the parent's frame;
1 the hinge's angle; 2 the swing's direction y across the axis, swing limit * sin |y| being its angle, and the twist about
the axis; 3 the three Euler angles.
"""

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
    vector,
)
from kinematics.kernels.jit import jit

INSIDE = 0.99  # share of a swing's limit at which a search begins at most: on the limit itself there is no slope inwards
FLAT = 1e-2  # radians: below, sines are taken from their series


@jit
def pose(kinds: np.ndarray, values: np.ndarray, bases: np.ndarray, x: np.ndarray, local: np.ndarray, slopes: np.ndarray) -> None:
    """Write rotations (n, 4), and for each number the rotation vector that a unit of it adds (n, numbers, 3), parent's frame.

    kinds (n,) and values (n, 16) are those of the limits; bases (n, 4): the rotation where all numbers are zero, on the right
    of what turns; x (n, 3).
    """
    for k in range(len(kinds)):
        reference, axis, base = quaternion(values[k]), vector(values[k, 4:]), quaternion(bases[k])
        slopes[k, :, :] = 0.0
        if kinds[k] == 0:
            v = vector(x[k])
            put_quaternion(local[k], multiply(_exp(v), base))
            for i in range(3):
                put_vector(slopes[k, i], _left(v, _unit(i)))
        elif kinds[k] == 1:
            put_quaternion(local[k], multiply(reference, multiply(_exp(scale(x[k, 0], axis)), base)))
            put_vector(slopes[k, 0], rotate(reference, axis))
        elif kinds[k] == 2:
            first = across(axis)
            second = cross(axis, first)
            size, growth = _disc(values[k, 7], math.sqrt(x[k, 0] ** 2 + x[k, 1] ** 2))
            ahead = add(scale(x[k, 0], first), scale(x[k, 1], second))
            v = scale(size, ahead)
            swing = _exp(v)
            put_quaternion(local[k], multiply(reference, multiply(swing, _exp(scale(x[k, 2], axis)))))
            put_vector(slopes[k, 0], rotate(reference, _left(v, along(scale(size, first), growth * x[k, 0], ahead))))
            put_vector(slopes[k, 1], rotate(reference, _left(v, along(scale(size, second), growth * x[k, 1], ahead))))
            put_vector(slopes[k, 2], rotate(reference, rotate(swing, axis)))
        else:
            turned = reference
            for i in range(3):
                axis = _unit(int(values[k, 4 + i]))
                put_vector(slopes[k, i], rotate(turned, axis))
                turned = multiply(turned, _exp(scale(x[k, i], axis)))
            put_quaternion(local[k], multiply(turned, base))


@jit
def swing_and_twist(axis: np.ndarray, most: float, relative: np.ndarray, out: np.ndarray) -> None:
    """Write a swing and twist's three numbers: rel = swing * twist about the unit axis, the swing `most` at most."""
    a, q = vector(axis), quaternion(relative)
    twist = 2.0 * math.atan2(dot(a, (q[1], q[2], q[3])), q[0])
    w, p, r, s = multiply(q, conjugate(_exp(scale(twist, a))))
    sine = math.sqrt(p * p + r * r + s * s)
    angle = 2.0 * math.atan2(sine, w)
    if most < math.pi:
        angle = math.asin(min(angle / most, INSIDE))
    size = angle / sine if sine > 0.0 else 0.0
    first = across(a)
    out[0], out[1], out[2] = size * dot(first, (p, r, s)), size * dot(cross(a, first), (p, r, s)), twist


@jit
def _disc(most: float, r: float) -> tuple[float, float]:
    """Return g and g'/r of the map y -> g(|y|) y onto a disc, g(r) = most * sin(r) / r; without a limit the map is y."""
    if most >= math.pi:
        return 1.0, 0.0
    if r < FLAT:
        return most * (1.0 - r * r / 6.0), most * (r * r / 30.0 - 1.0 / 3.0)
    return most * math.sin(r) / r, most * (math.cos(r) - math.sin(r) / r) / (r * r)


@jit
def _unit(i: int) -> Vector:
    return (1.0 if i == 0 else 0.0), (1.0 if i == 1 else 0.0), (1.0 if i == 2 else 0.0)


@jit
def _exp(v: Vector) -> Quaternion:
    """Return the quaternion of a rotation vector."""
    angle = math.sqrt(dot(v, v))
    s = math.sin(0.5 * angle) / angle if angle > FLAT else 0.5 - angle * angle / 48.0 + angle**4 / 3840.0
    return math.cos(0.5 * angle), s * v[0], s * v[1], s * v[2]


@jit
def _left(v: Vector, u: Vector) -> Vector:
    """Return J u with the left Jacobian of SO(3): exp(v + du) = exp(J du) exp(v), to first order."""
    square = dot(v, v)
    angle = math.sqrt(square)
    one, two = 0.5 - square / 24.0 + square * square / 720.0, 1.0 / 6.0 - square / 120.0 + square * square / 5040.0
    if angle > FLAT:
        one, two = (1.0 - math.cos(angle)) / square, (angle - math.sin(angle)) / (square * angle)
    across_both = cross(v, u)
    return along(along(u, one, across_both), two, cross(v, across_both))
