"""The clips `walk` and `turn`.

Arm swing after Murray, Sepic and Barnard, "Patterns of sagittal rotation of the upper limbs in walking" (Phys. Ther. 47, 1967):
the arm is farthest back (24 degrees there, 22 here) when the heel of its own side strikes; the elbow bends on the way forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from generator import body, curves
from generator.curves import min_jerk, wander
from generator.gait import Gait, Path, bent, footsteps, legs, roll, straight
from generator.pose import Arm, Movement, Turn, forward

PITCH_KNOTS = (
    (0.45, -3.0),
    (0.50, -12.6),
    (0.56, -34.6),
    (0.61, -57.2),
    (0.66, -76.3),
    (0.71, -74.0),
    (0.76, -54.0),
    (0.82, -27.3),
    (0.88, -8.6),
    (0.94, 9.8),
)
TOE_KNOTS = ((0.56, -3.8), (0.61, -21.2), (0.66, -46.2), (0.71, -46.6), (0.76, -30.2), (0.82, -12.0), (0.88, 8.5), (0.94, 33.0))
HEIGHT_WAVES = (0.9473, -0.0155, -0.0027, -0.0030, 0.0018)
"""Foot pitch and toe pitch by phase (degrees) and height of the pelvis (metres, see `waves`).

The pitch is the sum of Winter's angles, hip - knee + ankle; all three were fitted once so that the knee of the standing leg
follows `curves.WALK_KNEE` with the least jerk of ankle and toes, and are kept here as numbers.
"""


def walking(speed: float, stride_time: float, lead: float) -> Gait:
    """Return normal walking; the published angles belong to 1.3 m/s and are scaled to the stride."""
    scale = speed * stride_time / 1.38
    return Gait(
        stride_time=stride_time,
        speed=speed,
        duty=0.61,
        step_width=0.09,
        toe_out=7.0,
        lead=lead,
        thigh=curves.cycle([1.2 * scale * angle for angle in curves.WALK_HIP]),
        knee=curves.cycle(curves.WALK_KNEE),
        smoothness=1e-7,
        pitch=roll((20.0, -252.0, 447.0), (0.09, 0.36), PITCH_KNOTS),
        toe_pitch=roll((25.0, -252.0, 447.0), (0.09, 0.50), TOE_KNOTS),
    )


def waves(phase: np.ndarray, coefficients: Sequence[float]) -> np.ndarray:
    """Return a mean plus cosines and sines of twice and four times the stride's frequency."""
    mean, *pairs = coefficients
    result = np.full(np.shape(phase), mean)
    for number, (cosine, sine) in enumerate(zip(pairs[::2], pairs[1::2], strict=True), start=1):
        angle = 4.0 * np.pi * number * np.asarray(phase)
        result = result + cosine * np.cos(angle) + sine * np.sin(angle)
    return result


def walk_along(gait: Gait, path: Path, height: Sequence[float], time: np.ndarray, seed: int) -> Movement:
    """Return walking along a path; `height` are the `waves` of the pelvis.

    In a bend the body leans inward, the pelvis sinks a little so that the feet reach their places, and the head turns ahead of
    the body (Grasso et al., "Eye-head coordination for the steering of locomotion in humans", Neurosci. Lett. 253, 1998).
    """

    def along(t: np.ndarray) -> np.ndarray:
        return gait.speed * t + 0.006 * np.sin(4 * np.pi * (gait.phase(t) - 0.04))

    def heading(t: np.ndarray) -> np.ndarray:
        return np.asarray(path.heading(along(t)))

    def lean(t: np.ndarray) -> np.ndarray:
        bend = (heading(t + 0.02) - heading(t - 0.02)) / 0.04  # radians a second, to the left
        return np.asarray(np.arctan(gait.speed * bend / body.GRAVITY))

    def pelvis(t: np.ndarray) -> np.ndarray:
        sway = 0.021 * np.cos(2 * np.pi * (gait.phase(t) - 0.31))
        left = forward(heading(t) + np.pi / 2)
        inward = 0.3 * body.HIP_HEIGHT * np.sin(lean(t))
        up = waves(gait.phase(t), height) - 0.10 * np.abs(np.sin(lean(t)))
        return np.asarray(path.place(along(t)) + (sway + inward)[..., None] * left + up[..., None] * np.array([0, 1.0, 0]))

    def hips(t: np.ndarray) -> Turn:
        angle = 2 * np.pi * gait.phase(t)
        return Turn(
            yaw=-4.5 * np.cos(angle + 0.15),
            pitch=2.0 + 1.0 * np.cos(2 * angle - 0.6),
            roll=4.0 * np.cos(angle - 2 * np.pi * 0.15),
        )

    angle = 2 * np.pi * gait.phase(time)
    ahead = np.degrees(heading(time + 0.45) - heading(time))
    chest = Turn(
        yaw=5.0 * np.cos(angle + 0.05) + 0.25 * ahead + wander(seed + 1, time, 0.8),
        pitch=3.0 + 0.8 * np.cos(2 * angle - 0.4) + wander(seed + 2, time, 0.6),
        roll=-0.8 * np.cos(angle - 2 * np.pi * 0.30) - 0.8 * np.degrees(lean(time)) + wander(seed + 3, time, 0.4),
    )
    head = Turn(
        yaw=0.75 * ahead + wander(seed + 4, time, 2.5),
        pitch=1.0 + 0.6 * np.cos(2 * angle + 2.6) + wander(seed + 5, time, 1.2),
        roll=wander(seed + 6, time, 0.7),
    )
    arms = []
    for index in range(2):
        swing = np.cos(angle - 0.2 + np.pi * index)  # 1 is backward, at the strike of the heel of the same side
        more = wander(seed + 7 + index, time, 1.5)
        arms.append(
            Arm(
                flexion=-3.0 - 19.0 * swing + more,
                abduction=7.5 + 1.5 * swing,
                inward=22.0 - 5.0 * swing,
                elbow=24.0 - 12.0 * np.cos(angle - 0.6 + np.pi * index) + 0.5 * more,
                pronation=20.0 - 6.0 * swing,
                wrist=4.0 - 3.0 * np.cos(angle - 0.9 + np.pi * index),
                protracted=-2.5 * swing,
            )
        )
    feet = legs(gait, footsteps(gait, path, float(time[-1]), seed), time, pelvis, heading, hips)
    return Movement(pelvis(time), heading(time), hips(time), chest, head, (arms[0], arms[1]), feet)


def walk(time: np.ndarray) -> Movement:
    """Return walking straight ahead."""
    return walk_along(walking(1.30, 1.06, 0.3217), straight(), HEIGHT_WAVES, time, seed=1)


def turn(time: np.ndarray) -> Movement:
    """Return a slower walk that turns back to the left through half a circle."""
    gait = replace(walking(1.10, 1.14, 0.2933), step_width=0.13)
    height = (0.9525, -0.0105, -0.0028, -0.0013, 0.0014)
    path = bent(lambda s: np.pi * min_jerk(s, 1.5, 6.3), 12.0)
    return walk_along(gait, path, height, time, seed=40)
