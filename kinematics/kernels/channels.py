"""Channel values of a BVH file, in degrees, to quaternions; and the angles nearest to the frame before."""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit

RADIANS = math.pi / 180.0
MOST_DEGREES = 1e9
# Minimax polynomials of sine and cosine on [-pi/4, pi/4], from fdlibm (Sun Microsystems 1993; k_sin.c, k_cos.c).
S1, S2, S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
S4, S5, S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
C1, C2, C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
C4, C5, C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11


@jit
def half_angles(degrees: np.ndarray, cosines: np.ndarray, sines: np.ndarray) -> int:
    """Write cosine and sine of half of each angle, and return how many are too large to be right (above 1e9 degrees).

    Whole quarter turns come off exactly, so multiples of 90 degrees give exact zeros and ones. No branches: LLVM makes
    vector instructions of it.
    """
    large = 0
    for i in range(len(degrees)):
        large += abs(degrees[i]) > MOST_DEGREES
        half = 0.5 * degrees[i]
        quarters = np.rint(half * (1.0 / 90.0))
        x = (half - 90.0 * quarters) * RADIANS
        xx = x * x
        sine = x + x * xx * (S1 + xx * (S2 + xx * (S3 + xx * (S4 + xx * (S5 + xx * S6)))))
        rough = 1.0 - 0.5 * xx
        rest = ((1.0 - rough) - 0.5 * xx) + xx * xx * (C1 + xx * (C2 + xx * (C3 + xx * (C4 + xx * (C5 + xx * C6)))))
        cosine = rough + rest
        quadrant = quarters - 4.0 * np.floor(0.25 * quarters)  # 0, 1, 2, 3
        swap = quadrant == 1.0 or quadrant == 3.0
        a = sine if swap else cosine
        b = cosine if swap else sine
        cosines[i] = -a if (quadrant == 1.0 or quadrant == 2.0) else a
        sines[i] = -b if quadrant >= 2.0 else b
    return large


@jit
def to_quaternions(
    values: np.ndarray, starts: np.ndarray, columns: np.ndarray, axes: np.ndarray, parities: np.ndarray, out: np.ndarray
) -> int:
    """Channel values (frames, channels) in degrees -> quaternions `out` (frames, joints, 4); return how many are too large.

    Joint j turns about axes[k] (1, 2, 3) by values[:, columns[k]] for k from starts[j] to starts[j + 1], in this order; all
    uint64. parities[j] is 1 or -1 where these are three different axes, by the parity of their order, and 0 elsewhere.
    """
    frames, joints, one, two = len(values), len(starts) - 1, np.uint64(1), np.uint64(2)
    cosines, sines, large = np.empty(values.shape[1]), np.empty(values.shape[1]), 0
    for f in range(frames):
        large += half_angles(values[f], cosines, sines)
        for j in range(joints):
            k, sign = starts[j], parities[j]
            if sign != 0.0:  # the product written out
                c1, c2, c3 = cosines[columns[k]], cosines[columns[k + one]], cosines[columns[k + two]]
                s1, s2, s3 = sines[columns[k]], sines[columns[k + one]], sign * sines[columns[k + two]]
                out[f, j, 0] = c1 * c2 * c3 - s1 * s2 * s3
                out[f, j, axes[k]] = s1 * c2 * c3 + c1 * s2 * s3
                out[f, j, axes[k + one]] = c1 * s2 * c3 - s1 * c2 * s3
                out[f, j, axes[k + two]] = sign * (c1 * c2 * s3 + s1 * s2 * c3)
                continue
            w, x, y, z = 1.0, 0.0, 0.0, 0.0
            while k < starts[j + 1]:
                u, v = cosines[columns[k]], sines[columns[k]]
                if axes[k] == 1:
                    w, x, y, z = w * u - x * v, x * u + w * v, y * u + z * v, z * u - y * v
                elif axes[k] == 2:
                    w, x, y, z = w * u - y * v, x * u - z * v, y * u + w * v, z * u + x * v
                else:
                    w, x, y, z = w * u - z * v, x * u + y * v, y * u - x * v, z * u + w * v
                k += one
            out[f, j, 0], out[f, j, 1], out[f, j, 2], out[f, j, 3] = w, x, y, z
    return large


@jit
def continue_angles(angles: np.ndarray, kept: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Triplets (frames, 3) in degrees -> equal ones, each nearest to the frame before; frames in `kept` stay as they are.

    A triplet has a twin (outer angles half a turn on, the middle one reflected) and both repeat every turn. In gimbal
    lock only the sum or the difference of the outer angles counts, so the last is that of the frame before.
    """
    proper, even = axes[0] == axes[2], (axes[0] + 1) % 3 == axes[1]
    out = angles.copy()
    twin, here = np.empty(3), np.empty(3)
    for f in range(1, len(angles)):
        if kept[f]:
            continue
        before = out[f - 1]
        middle = angles[f, 1]
        lock = abs(math.sin(middle * RADIANS) if proper else math.cos(middle * RADIANS)) < 1e-13
        here[0], here[1], here[2] = angles[f, 0], middle, angles[f, 2]
        if lock:
            sum_counts = math.cos(middle * RADIANS) > 0.0 if proper else (middle > 0.0) == even
            change = before[2] - here[2]
            here[0] += -change if sum_counts else change
            here[2] = before[2]
        twin[0], twin[1], twin[2] = here[0] + 180.0, -middle if proper else 180.0 - middle, here[2] + 180.0
        cost_here, cost_twin = 0.0, 0.0
        for k in range(3):
            here[k] += 360.0 * np.rint((before[k] - here[k]) / 360.0)
            twin[k] += 360.0 * np.rint((before[k] - twin[k]) / 360.0)
            cost_here += (here[k] - before[k]) ** 2
            cost_twin += (twin[k] - before[k]) ** 2
        for k in range(3):
            out[f, k] = twin[k] if cost_twin < cost_here and not lock else here[k]
    return out
