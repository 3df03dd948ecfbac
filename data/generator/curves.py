"""Published curves of walking and running, and smooth curves of time (all with continuous acceleration).

Walking: hip, knee and ankle angles in the sagittal plane at natural cadence, rounded from the ensemble averages in Winter,
"Biomechanics and Motor Control of Human Movement" and "The Biomechanics and Motor Control of Human Gait".
Running at 3.2 m/s: rounded from the curves in Novacheck, "The biomechanics of running", Gait and Posture 7 (1998) 77-95; the
thigh is relative to the vertical there, the hip angle less the tilt of the pelvis.
Reaching: minimum jerk, Flash and Hogan, "The coordination of arm movements", J. Neuroscience 5 (1985) 1688-1703.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy.interpolate import BSpline, CubicSpline, PPoly

Curve = Callable[[np.ndarray], np.ndarray]

# degrees at 0, 5, ... 95 % of the stride, from heel strike; flexion and dorsiflexion positive
WALK_HIP = (19, 19, 17, 14, 11, 7, 3, -1, -5, -8, -11, -11, -7, 1, 9, 16, 20, 22, 21, 20)
WALK_KNEE = (4, 11, 18, 20, 18, 15, 11, 8, 7, 8, 13, 22, 36, 52, 63, 64, 57, 41, 22, 7)
WALK_ANKLE = (0, -5, -3, 1, 4, 6, 7, 8, 9, 9, 7, -2, -14, -19, -14, -6, -2, 0, 1, 1)
RUN_THIGH = (28, 26, 20, 12, 2, -8, -17, -23, -25, -21, -13, -1, 13, 27, 38, 44, 46, 44, 39, 33)
RUN_KNEE = (15, 29, 40, 43, 39, 31, 21, 15, 16, 28, 46, 66, 83, 93, 95, 88, 73, 53, 31, 15)


def cycle(values: Sequence[float]) -> Curve:
    """Return a periodic function of the phase (0 to 1 is one stride) through equally spaced values."""
    phases = np.linspace(0.0, 1.0, len(values) + 1)
    spline = CubicSpline(phases, [*values, values[0]], bc_type="periodic")
    return lambda phase: np.asarray(spline(np.mod(phase, 1.0)))


def min_jerk(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """Rise from 0 at `start` to 1 at `end` with the least jerk (Flash and Hogan 1985, eq. 3)."""
    x = np.clip((np.asarray(time) - start) / (end - start), 0.0, 1.0)
    return np.asarray(x**3 * (10.0 - 15.0 * x + 6.0 * x * x))


def plateau(time: np.ndarray, up: tuple[float, float], down: tuple[float, float]) -> np.ndarray:
    """Rise from 0 to 1 during `up`, stay, and fall back during `down`, with the least jerk."""
    return np.asarray(min_jerk(time, *up) - min_jerk(time, *down))


def through(*nodes: tuple[float, float, float, float]) -> Curve:
    """Return the curve through nodes (time, value, velocity, acceleration) by quintics; constant before and after.

    The first and last node should rest, so that the constant ends join smoothly.
    """
    times = np.array([node[0] for node in nodes])
    pieces = np.stack([quintic(a[1:], b[1:], b[0] - a[0]) for a, b in pairwise(nodes)], axis=1)
    polynomial = PPoly(pieces, times)
    return lambda time: np.asarray(polynomial(np.clip(time, times[0], times[-1])))


def quintic(start: Sequence[float] | np.ndarray, end: Sequence[float] | np.ndarray, duration: float) -> np.ndarray:
    """Return six coefficients, highest power first, that join (value, velocity, acceleration) at both ends."""
    x0, v0, a0 = np.asarray(start, dtype=float)
    x1, v1, a1 = np.asarray(end, dtype=float)
    d = duration
    rest = x1 - x0 - v0 * d - 0.5 * a0 * d * d
    slope = v1 - v0 - a0 * d
    bend = a1 - a0
    return np.array(
        [
            (12 * rest - 6 * slope * d + bend * d * d) / (2 * d**5),
            (-30 * rest + 14 * slope * d - 2 * bend * d * d) / (2 * d**4),
            (20 * rest - 8 * slope * d + bend * d * d) / (2 * d**3),
            a0 / 2,
            v0,
            x0,
        ]
    )


def nearest(time: np.ndarray, wanted: np.ndarray, start: np.ndarray, end: np.ndarray, smoothness: float) -> Curve:
    """Return the curve nearest to what is wanted among smooth ones that join given states exactly.

    A quintic spline with eight equal pieces; of its coefficients the first and last three follow from the ends, the others from
    least squares of the distance and of `smoothness` times the jerk (per time span cubed).

    Args:
        time: Moments of the wanted values, seconds, shape (samples,); the first and the last are the ends.
        wanted: Shape (samples, k).
        start: Value, velocity and acceleration at the first moment, shape (3, k).
        end: The same at the last.
        smoothness: No unit.
    """
    degree, pieces, span = 5, 8, time[-1] - time[0]
    knots = np.concatenate([np.zeros(degree), np.linspace(0.0, 1.0, pieces + 1), np.ones(degree)])
    basis = BSpline(knots, np.eye(pieces + degree), degree)
    scale = (1.0, span, span**2)
    fixed = np.array([0, 1, 2, -3, -2, -1])
    ends = np.stack([basis(x, nu)[fixed] for x in (0.0, 1.0) for nu in range(3)])
    states = np.concatenate([np.asarray(state) * np.array(scale)[:, None] for state in (start, end)])
    coefficients = np.zeros((pieces + degree, wanted.shape[1]))
    coefficients[fixed] = np.linalg.solve(ends, states)
    x = (time - time[0]) / span
    rows = np.concatenate([basis(x), np.sqrt(smoothness) * basis(x, 3)])
    targets = np.concatenate([wanted, np.zeros_like(wanted)]) - rows @ coefficients
    free = rows[:, 3:-3]
    coefficients[3:-3] = np.linalg.solve(free.T @ free, free.T @ targets)
    curve = BSpline(knots, coefficients, degree)
    return lambda t: np.asarray(curve((t - time[0]) / span))


def derivatives(curve: Curve, time: float, step: float = 2e-3) -> np.ndarray:
    """Return value, velocity and acceleration of a smooth curve at a time by central differences, shape (3, ...)."""
    before, here, after = curve(np.array([time - step, time, time + step]))
    return np.stack([here, (after - before) / (2 * step), (after - 2 * here + before) / step**2])


def wander(seed: int, time: np.ndarray, amplitude: float, *, slowest: float = 0.12, waves: int = 4) -> np.ndarray:
    """Return a slow smooth wandering around zero: sine waves of random phase, `slowest` in hertz, the same for a seed."""
    random = np.random.default_rng(seed).random((waves, 2))
    rates = slowest * (1.0 + 1.7 * np.arange(waves) + 0.4 * random[:, 1])
    strength = 1.0 / (1.0 + np.arange(waves))
    series = strength * np.sin(2 * np.pi * (np.asarray(time)[..., None] * rates + random[:, 0]))
    return np.asarray(amplitude * series.sum(axis=-1) / strength.sum())
