"""How deep capsules lie in each other."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.algebra import Vector, along, dot, subtract, vector
from kinematics.kernels.jit import jit


@jit
def closest(p: Vector, u: Vector, q: Vector, v: Vector) -> tuple[float, float]:
    """Return where two segments are closest, as shares of their lengths: p + s u and q + t v.

    Ericson, "Real-Time Collision Detection" (2005), section 5.1.9.
    """
    r = subtract(p, q)
    a, e, b, c, h = dot(u, u), dot(v, v), dot(u, v), dot(u, r), dot(v, r)
    s, denominator = 0.0, a * e - b * b
    if denominator > 1e-12 * a * e:
        s = min(max((b * h - c * e) / denominator, 0.0), 1.0)
    t = (b * s + h) / e if e > 0.0 else 0.0
    if e <= 0.0 or t < 0.0 or t > 1.0:
        t = min(max(t, 0.0), 1.0)
        s = min(max((b * t - c) / a, 0.0), 1.0) if a > 0.0 else 0.0
    if a <= 0.0:
        s = 0.0
    return s, t


@jit
def depths(ends: np.ndarray, radii: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return how deep the capsules of each pair lie in each other, 0 where they are apart, (frames, pairs).

    Global ends of their axes (frames, capsules, 2, 3), radii (capsules,), pairs (pairs, 2).
    """
    frames, count = len(ends), len(pairs)
    depth = np.zeros((frames, count))
    for f in range(frames):
        for n in range(count):
            one, other = pairs[n, 0], pairs[n, 1]
            reach = radii[one] + radii[other]
            p, q = vector(ends[f, one, 0]), vector(ends[f, other, 0])
            u, v = subtract(vector(ends[f, one, 1]), p), subtract(vector(ends[f, other, 1]), q)
            r = subtract(p, q)
            far = reach + math.sqrt(dot(u, u)) + math.sqrt(dot(v, v))
            if dot(r, r) > far * far:
                continue
            s, t = closest(p, u, q, v)
            gap = along(along(r, s, u), -t, v)
            depth[f, n] = max(reach - math.sqrt(dot(gap, gap)), 0.0)
    return depth
