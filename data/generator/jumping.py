"""The clip `jump`: a countermovement jump whose centre of mass flies as a parabola.

Timing, depth and the order of joints after Bobbert and van Ingen Schenau, "Coordination in vertical jumping" (J. Biomech. 21,
1988): the trunk rises first, then the knees stretch, the feet last; arms swing back and then up. The flight is 0.30 m high.
"""

from __future__ import annotations

import numpy as np
from generator import body
from generator.balance import with_center_of_mass
from generator.body import center_of_mass
from generator.curves import Curve, through, wander
from generator.feet import Hanging, Plant, walk_on
from generator.pose import SIDES, Arm, Movement, Turn, solve, turned
from generator.stationary import MIDDLE_OF_FOOT, at, standing_height
from scipy.interpolate import CubicSpline

from kinematics.rotations import quaternion

HALF_WIDTH, TOE_OUT = 0.110, 8.0
HEIGHT, DRIFT = 0.30, 0.30  # of the flight, metres; forward speed in it, metres a second
TAKE_OFF, AT_TAKE_OFF, AT_LANDING = 1.50, 0.086, 0.018  # seconds; rise of the centre of mass over standing, metres
LIFT = float(np.sqrt(2 * body.GRAVITY * HEIGHT))
DROP = float(np.sqrt(2 * body.GRAVITY * (HEIGHT + AT_TAKE_OFF - AT_LANDING)))
LANDING = TAKE_OFF + (LIFT + DROP) / body.GRAVITY
FORWARD = 0.20  # from the first stance to the second, metres

RISE = through(
    (0.55, 0.0, 0.0, 0.0),
    (1.16, -0.28, 0.0, 13.0),
    (TAKE_OFF, AT_TAKE_OFF, LIFT, -body.GRAVITY),
    (LANDING, AT_LANDING, -DROP, -body.GRAVITY),
    (LANDING + 0.28, -0.25, 0.0, 12.0),
    (LANDING + 0.65, -0.065, 0.38, -1.4),
    (LANDING + 1.20, 0.0, 0.0, 0.0),
)
AHEAD = through(
    (0.55, MIDDLE_OF_FOOT, 0.0, 0.0),
    (1.16, MIDDLE_OF_FOOT + 0.010, 0.10, 0.5),
    (TAKE_OFF, 0.120, DRIFT, 0.0),
    (LANDING, 0.120 + DRIFT * (LANDING - TAKE_OFF), DRIFT, 0.0),
    (LANDING + 0.45, FORWARD + MIDDLE_OF_FOOT + 0.035, -0.05, 0.0),
    (LANDING + 1.10, FORWARD + MIDDLE_OF_FOOT, 0.0, 0.0),
)
PITCH = through(
    (TAKE_OFF - 0.17, 0.0, 0.0, 0.0),
    (TAKE_OFF, -44.0, -430.0, 0.0),
    (TAKE_OFF + 0.10, -60.0, 0.0, 1500.0),
    (TAKE_OFF + 0.30, -44.0, 40.0, 0.0),
    (LANDING, -27.0, 300.0, 0.0),
    (LANDING + 0.12, 0.0, 0.0, 0.0),
)
TOES = through(
    (TAKE_OFF - 0.07, 0.0, 0.0, 0.0),
    (TAKE_OFF, -15.0, -400.0, 0.0),
    (TAKE_OFF + 0.10, -33.0, 0.0, 1000.0),
    (LANDING, 0.0, 0.0, 0.0),
)
CROUCH = through(
    (0.55, 0.0, 0.0, 0.0),
    (1.10, 1.0, 0.0, 0.0),
    (TAKE_OFF, 0.04, -0.6, 0.0),
    (TAKE_OFF + 0.25, 0.03, 0.0, 0.0),
    (LANDING, 0.22, 1.6, 0.0),
    (LANDING + 0.30, 0.80, 0.0, 0.0),
    (LANDING + 1.15, 0.0, 0.0, 0.0),
)
SHOULDER = through(
    (0.40, 0.0, 0.0, 0.0),
    (1.02, -45.0, 0.0, 300.0),
    (TAKE_OFF - 0.02, 96.0, 430.0, 0.0),
    (TAKE_OFF + 0.20, 140.0, 0.0, -1000.0),
    (LANDING + 0.10, 55.0, -180.0, 0.0),
    (LANDING + 0.50, 18.0, -40.0, 0.0),
    (LANDING + 1.20, 0.0, 0.0, 0.0),
)
ELBOW = through(
    (0.50, 14.0, 0.0, 0.0),
    (1.08, 20.0, 0.0, 0.0),
    (1.35, 42.0, 0.0, 0.0),
    (TAKE_OFF + 0.08, 24.0, 0.0, 0.0),
    (LANDING, 40.0, 0.0, 0.0),
    (LANDING + 1.20, 14.0, 0.0, 0.0),
)
KNEE_IN_FLIGHT = through(
    (TAKE_OFF, 38.0, -850.0, 0.0),
    (TAKE_OFF + 0.08, 17.0, 0.0, 0.0),
    (TAKE_OFF + 0.25, 24.0, 0.0, 0.0),
    (LANDING - 0.07, 16.0, 0.0, 0.0),
    (LANDING, 28.0, 600.0, 0.0),
)


def jump(time: np.ndarray) -> Movement:
    """Return a jump on the spot, a little forward, landing softly on the balls of the feet."""
    seen = np.arange(-0.1, time[-1] + 0.1, 1 / 120)
    movement = _shape(
        seen, lambda t: at(0.0, standing_height(HALF_WIDTH) + RISE(t) - 0.0004 * np.abs(SHOULDER(t)), AHEAD(t) - 0.02)
    )
    for _ in range(3):  # the swinging legs hang from the pelvis, which balances them
        movement = _balanced(seen, movement)
        pelvis = CubicSpline(seen, movement.pelvis)
        movement = _shape(seen, pelvis)
    return _balanced(time, _shape(time, pelvis))


def _balanced(time: np.ndarray, movement: Movement) -> Movement:
    standing = center_of_mass(solve(_shape(np.array([0.0]), lambda t: at(0.0, standing_height(HALF_WIDTH), 0.0 * t))).positions)
    return with_center_of_mass(movement, at(wander(112, time, 0.004), standing[0, 1] + RISE(time), AHEAD(time)), axes=(0, 1, 2))


def _shape(time: np.ndarray, pelvis: Curve) -> Movement:
    """Return the angles and feet of the jump around a pelvis that is a function of time."""

    def hips(t: np.ndarray) -> Turn:
        return Turn(yaw=wander(101, t, 0.5), pitch=2.0 + 26.0 * CROUCH(t), roll=wander(102, t, 0.4))

    chest = Turn(
        yaw=wander(103, time, 0.8),
        pitch=3.0 + 33.0 * CROUCH(time) + 0.5 * np.sin(2 * np.pi * 0.3 * time),
        roll=wander(104, time, 0.5),
    )
    head = Turn(yaw=wander(105, time, 1.2), pitch=1.0 + 9.0 * CROUCH(time) + wander(106, time, 1.0), roll=wander(107, time, 0.6))
    arms = []
    for index in range(2):
        more = wander(108 + index, time, 1.5)
        arms.append(
            Arm(
                flexion=1.0 + SHOULDER(time) + more,
                abduction=8.0 + 0.06 * np.abs(SHOULDER(time)),
                inward=25.0 - 0.08 * SHOULDER(time),
                elbow=ELBOW(time) + more,
                raised=0.04 * SHOULDER(time),
                protracted=0.04 * SHOULDER(time),
            )
        )
    feet = []
    for side, sign in SIDES:
        offset = body.OFFSETS[side + "thigh"]
        yaw = sign * np.radians(TOE_OUT)
        plants = [
            Plant(-1.0, TAKE_OFF, np.array([sign * HALF_WIDTH, 0.0, 0.0]), yaw),
            Plant(LANDING, time[-1] + 1.0, np.array([sign * (HALF_WIDTH + 0.02), 0.0, FORWARD]), yaw),
        ]

        def hip(t: np.ndarray, offset: np.ndarray = offset) -> np.ndarray:
            return np.asarray(pelvis(t) + quaternion.rotate(turned(np.zeros_like(t), hips(t)), offset))

        hanging = Hanging(
            hip,
            heading=np.zeros_like,
            phase=lambda t: t,
            thigh=lambda t: 0.5 * KNEE_IN_FLIGHT(t),
            knee=KNEE_IN_FLIGHT,
            smoothness=1e-7,
        )
        feet.append(walk_on(plants, time, lambda t: np.radians(PITCH(t)), lambda t: np.radians(TOES(t)), hanging))
    return Movement(pelvis(time), np.zeros_like(time), hips(time), chest, head, (arms[0], arms[1]), (feet[0], feet[1]))
