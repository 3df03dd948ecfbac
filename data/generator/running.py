"""The clip `run`: the centre of mass flies as a parabola and is caught by one leg at a time."""

from __future__ import annotations

import numpy as np
from generator import body, curves
from generator.balance import with_center_of_mass
from generator.body import center_of_mass
from generator.curves import Curve, wander
from generator.feet import Plant
from generator.gait import Gait, footsteps, legs, roll, straight
from generator.pose import Arm, Movement, Turn, solve
from scipy.interpolate import CubicSpline

PITCH_KNOTS = (
    (0.21, -7.0),
    (0.26, -23.0),
    (0.32, -46.5),
    (0.37, -64.0),
    (0.43, -77.5),
    (0.50, -80.0),
    (0.58, -79.0),
    (0.66, -70.7),
    (0.74, -49.1),
    (0.82, -18.5),
    (0.90, 6.0),
    (0.95, 13.5),
)
TOE_KNOTS = (
    (0.33, -6.0),
    (0.37, -28.0),
    (0.43, -60.0),
    (0.50, -63.0),
    (0.58, -63.5),
    (0.66, -58.9),
    (0.74, -39.0),
    (0.82, -9.5),
    (0.90, 15.5),
    (0.95, 20.5),
)
MEAN_HEIGHT = 0.944
CENTER_ABOVE_PELVIS = 0.0428
"""Foot and toe pitch by phase (degrees), height of the pelvis at landing and of the centre of mass over it (metres).

The pitch is the sum of Novacheck's angles, smoothed once so that ankle and toes move with little jerk.
"""


def running() -> Gait:
    """Return running near Novacheck's 3.2 m/s, striking with the heel."""
    return Gait(
        stride_time=0.68,
        speed=3.15,
        duty=0.37,
        step_width=0.05,
        toe_out=6.0,
        lead=0.178,
        thigh=curves.cycle(curves.RUN_THIGH),
        knee=curves.cycle(curves.RUN_KNEE),
        smoothness=1e-7,
        pitch=roll((9.0, -270.0, 2500.0), (0.07, 0.15), PITCH_KNOTS),
        toe_pitch=roll((14.0, -270.0, 2500.0), (0.07, 0.29), TOE_KNOTS),
    )


def bounce(phase: np.ndarray, gait: Gait) -> np.ndarray:
    """Return the height of the centre of mass above that of its landing, metres.

    The ground pushes with the square of a sine during each stance, so that acceleration is continuous and its mean zero; the peak
    comes out as 1 / duty = 2.7 times body weight, as usual at this speed. In flight the acceleration is -g.
    """
    step = 0.5 * gait.stride_time
    stance = gait.duty * gait.stride_time
    time = np.mod(phase, 0.5) * gait.stride_time
    peak = 2.0 * body.GRAVITY * step / stance
    fall = body.GRAVITY * (step - stance) / 2.0
    on = np.minimum(time, stance)
    wave = 2.0 * np.pi / stance
    held = -fall * on + (peak / 2.0 - body.GRAVITY) * on**2 / 2.0 + peak / 2.0 / wave**2 * (np.cos(wave * on) - 1.0)
    air = np.maximum(time - stance, 0.0)
    return np.asarray(held + fall * air - 0.5 * body.GRAVITY * air**2)


def run(time: np.ndarray) -> Movement:
    """Return running straight ahead."""
    gait = running()
    plants = footsteps(gait, straight(), float(time[-1]), seed=20)

    def pelvis(t: np.ndarray) -> np.ndarray:
        phase = gait.phase(t)
        along = gait.speed * t - 0.006 * np.sin(4 * np.pi * (phase - 0.02))
        return np.stack([0.010 * np.cos(2 * np.pi * (phase - 0.19)), MEAN_HEIGHT + 1.06 * bounce(phase, gait), along], axis=-1)

    around = np.arange(-1.5 * gait.stride_time, time[-1] + 1.5 * gait.stride_time, 1 / 120)
    first = _balanced(gait, around, _shape(gait, plants, around, pelvis))  # the swinging leg hangs from this pelvis
    return _balanced(gait, time, _shape(gait, plants, time, CubicSpline(around, first.pelvis)))


def _balanced(gait: Gait, time: np.ndarray, movement: Movement) -> Movement:
    rise = bounce(gait.phase(time), gait)
    wanted = center_of_mass(solve(movement).positions)
    wanted[:, 1] = MEAN_HEIGHT + CENTER_ABOVE_PELVIS + rise
    return with_center_of_mass(movement, wanted, axes=(1,))


def _shape(gait: Gait, plants: tuple[list[Plant], list[Plant]], time: np.ndarray, pelvis: Curve) -> Movement:
    def heading(t: np.ndarray) -> np.ndarray:
        return np.zeros_like(t)

    def hips(t: np.ndarray) -> Turn:
        angle = 2 * np.pi * gait.phase(t)
        return Turn(
            yaw=-6.0 * np.cos(angle - 0.3),
            pitch=10.0 + 2.0 * np.cos(2 * angle - 3.0),
            roll=4.0 * np.cos(angle - 2 * np.pi * 0.15),
        )

    angle = 2 * np.pi * gait.phase(time)
    chest = Turn(
        yaw=9.0 * np.cos(angle - 0.2) + wander(21, time, 0.8),
        pitch=10.0 + 1.2 * np.cos(2 * angle - 2.0) + wander(22, time, 0.6),
        roll=-1.5 * np.cos(angle - 2 * np.pi * 0.19) + wander(23, time, 0.4),
    )
    head = Turn(
        yaw=wander(24, time, 2.0), pitch=2.0 + 1.0 * np.cos(2 * angle) + wander(25, time, 1.0), roll=wander(26, time, 0.6)
    )
    arms = []
    for index in range(2):
        swing = np.cos(angle - 0.25 + np.pi * index)
        more = wander(27 + index, time, 2.0)
        arms.append(
            Arm(
                flexion=-13.0 - 32.0 * swing + more,
                abduction=15.0 + 3.0 * swing,
                inward=30.0 - 9.0 * swing,
                elbow=92.0 - 12.0 * np.cos(angle - 0.9 + np.pi * index) + more,
                pronation=5.0,
                wrist=4.0,
                protracted=-4.0 * swing,
                raised=2.0,
                curl=2.4,
            )
        )
    feet = legs(gait, plants, time, pelvis, heading, hips)
    return Movement(pelvis(time), heading(time), hips(time), chest, head, (arms[0], arms[1]), feet)
