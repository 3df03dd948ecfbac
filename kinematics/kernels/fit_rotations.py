"""Joint rotations from joint positions in closed form, parents first."""

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
    turn_about,
    unit,
    vector,
)
from kinematics.kernels.jit import jit

FAR = -0.5  # cosine of the largest angle from its middle up to which a swing turns no faster than about twice the bone does
CANDIDATES = 200  # directions tried where neither the rest direction nor the mean will do
GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
REFINEMENTS, SETTLED = 20, 1e-10  # radians


@jit
def closed_form(
    positions: np.ndarray, parents: np.ndarray, rows: np.ndarray, ends: np.ndarray, bones: np.ndarray, axes: np.ndarray
) -> np.ndarray:
    """Return local quaternions (frames, joints, 4), from one frame to the next on one half-sphere.

    positions (frames, joints, 3); `rows` (joints, 4) holds for each joint the bounds of its rows of `ends` (rows,) and `bones`
    (rows, 3): the joint where a bone ends, and the bone in the joint's frame. Rows first to second tell where the unit axis
    `axes` (joints, 3) points, those up to the last bound the twist about it; where only they are refined together, by
    Gauss-Newton, those from the first up to the third bound. A joint without rows stays as its parent is.
    """
    frames, joints = len(positions), len(parents)
    local, turned = np.empty((frames, joints, 4)), np.empty((frames, joints, 4))
    directions, middle = np.empty((frames, 3)), np.empty(3)
    for j in range(joints):
        first, second, third, last = rows[j, 0], rows[j, 1], rows[j, 2], rows[j, 3]
        axis = vector(axes[j])
        for f in range(frames):
            pointed = (0.0, 0.0, 0.0)
            for row in range(first, second):
                pointed = along(pointed, dot(axis, vector(bones[row])), _bone(positions[f], j, ends[row]))
            length = math.sqrt(dot(pointed, pointed))
            if length > 0.0:
                pointed = rotate(conjugate(_above(turned[f], parents[j])), scale(1.0 / length, pointed))
            elif f > 0:
                pointed = vector(directions[f - 1])
            else:
                pointed = axis
            put_vector(directions[f], pointed)
        put_vector(middle, axis)
        if last > first and last == second:
            _find_middle(directions, middle)
        to_middle = swing(axis, vector(middle))
        for f in range(frames):
            above = _above(turned[f], parents[j])
            q = (1.0, 0.0, 0.0, 0.0)
            if last > first:
                q = multiply(swing(vector(middle), vector(directions[f])), to_middle)
            if last > second:
                q = _twist(q, vector(directions[f]), conjugate(above), positions[f], j, ends[second:last], bones[second:last])
            if third > first:
                q = _refine(q, conjugate(above), positions[f], j, ends[first:third], bones[first:third])
            q = unit(q)
            if f > 0:
                b = local[f - 1, j]
                if q[0] * b[0] + q[1] * b[1] + q[2] * b[2] + q[3] * b[3] < 0.0:
                    q = (-q[0], -q[1], -q[2], -q[3])
            put_quaternion(local[f, j], q)
            put_quaternion(turned[f, j], multiply(above, q))
    return local


@jit
def _bone(positions: np.ndarray, start: int, end: int) -> Vector:
    return subtract(vector(positions[end]), vector(positions[start]))


@jit
def _above(turned: np.ndarray, parent: int) -> Quaternion:
    if parent < 0:
        return 1.0, 0.0, 0.0, 0.0
    return quaternion(turned[parent])


@jit
def _find_middle(directions: np.ndarray, middle: np.ndarray) -> None:
    """Replace the rest direction by one that no direction is nearly opposite to, since swings from it flip there."""
    if _farthest(directions, middle) > FAR:
        return
    total = (0.0, 0.0, 0.0)
    for f in range(len(directions)):
        total = add(total, vector(directions[f]))
    length = math.sqrt(dot(total, total))
    trial, best = np.empty(3), -2.0
    if length > 0.0:
        put_vector(middle, scale(1.0 / length, total))
        best = _farthest(directions, middle)
    if best > FAR:
        return
    for i in range(CANDIDATES):  # a Fibonacci lattice
        z = 1.0 - (2.0 * i + 1.0) / CANDIDATES
        level = math.sqrt(1.0 - z * z)
        put_vector(trial, (level * math.cos(GOLDEN_ANGLE * i), level * math.sin(GOLDEN_ANGLE * i), z))
        cosine = _farthest(directions, trial)
        if cosine > best:
            best = cosine
            put_vector(middle, vector(trial))


@jit
def _farthest(directions: np.ndarray, middle: np.ndarray) -> float:
    least = 1.0
    for f in range(len(directions)):
        least = min(least, dot(vector(middle), vector(directions[f])))
    return least


@jit
def _twist(
    q: Quaternion, axis: Vector, back: Quaternion, positions: np.ndarray, start: int, ends: np.ndarray, bones: np.ndarray
) -> Quaternion:
    """Turn q about `axis` so that its bones point where they should; `back` leads from the world to the parent's frame."""
    cosine, sine = 0.0, 0.0
    for row in range(len(ends)):
        have, want = rotate(q, vector(bones[row])), rotate(back, _bone(positions, start, ends[row]))
        cosine += dot(have, want) - dot(axis, have) * dot(axis, want)
        sine += dot(axis, cross(have, want))
    return multiply(turn_about(axis, cosine, sine), q)


@jit
def _refine(
    q: Quaternion, back: Quaternion, positions: np.ndarray, start: int, ends: np.ndarray, bones: np.ndarray
) -> Quaternion:
    """Find the rotation nearest in least squares, from one that is near: (sum |r|^2 I - r r^T) w = sum r x v."""
    for _ in range(REFINEMENTS):
        xx, yy, zz, xy, xz, yz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        force = (0.0, 0.0, 0.0)
        for row in range(len(ends)):
            r = rotate(q, vector(bones[row]))
            force = add(force, cross(r, rotate(back, _bone(positions, start, ends[row]))))
            xx, yy, zz = xx + r[1] * r[1] + r[2] * r[2], yy + r[0] * r[0] + r[2] * r[2], zz + r[0] * r[0] + r[1] * r[1]
            xy, xz, yz = xy - r[0] * r[1], xz - r[0] * r[2], yz - r[1] * r[2]
        a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
        d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
        step = scale(1.0 / (xx * a + xy * b + xz * c), (dot((a, b, c), force), dot((b, d, e), force), dot((c, e, f), force)))
        q = unit(multiply((1.0, 0.5 * step[0], 0.5 * step[1], 0.5 * step[2]), q))
        if dot(step, step) < SETTLED * SETTLED:
            break
    return q
