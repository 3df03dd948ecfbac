"""The clips `squat`, `wave` and `jump`: movements on the spot, the centre of mass kept over the feet."""

from __future__ import annotations

import numpy as np
from generator import body
from generator.balance import with_center_of_mass
from generator.curves import plateau, wander
from generator.feet import planted_ankle
from generator.pose import Arm, Foot, Movement, Turn

MIDDLE_OF_FOOT = 0.036


def standing_feet(time: np.ndarray, half_width: float, toe_out: float) -> tuple[Foot, Foot]:
    """Return two feet flat on the ground, the ankles at z = 0."""
    feet = []
    rest = np.zeros_like(time)
    for sign in (1.0, -1.0):
        yaw = np.full_like(time, sign * np.radians(toe_out))
        feet.append(Foot(planted_ankle(np.array([sign * half_width, 0.0, 0.0]), yaw, rest, rest), yaw, rest, rest))
    return feet[0], feet[1]


def standing_height(half_width: float, knee: float = 7.0) -> float:
    """Return the height of the pelvis over feet set this far from the middle (metres), the knees bent by some degrees."""
    leg = np.sqrt(body.THIGH**2 + body.SHANK**2 + 2 * body.THIGH * body.SHANK * np.cos(np.radians(knee)))
    aside = half_width - body.HIP_HALF_WIDTH
    return float(body.ANKLE_HEIGHT + np.sqrt(leg**2 - aside**2 - MIDDLE_OF_FOOT**2) + body.PELVIS_ABOVE_HIPS)


def at(*coordinates: np.ndarray | float) -> np.ndarray:
    """Return positions, shape (frames, 3), from coordinates that are arrays or numbers."""
    return np.stack(np.broadcast_arrays(*coordinates), axis=-1)


def squat(time: np.ndarray) -> Movement:
    """Return two squats to thighs level with the ground, arms forward as a counterweight.

    Depth and lean after Schoenfeld, "Squatting kinematics and kinetics" (J. Strength Cond. Res. 24, 2010): knees about 115
    degrees, ankles about 30, the trunk leaning about 35, the soles flat.
    """
    down = plateau(time, (0.5, 1.75), (1.85, 2.95)) + plateau(time, (3.25, 4.5), (4.6, 5.7))
    breath = 0.5 * np.sin(2 * np.pi * 0.35 * time)
    hips = Turn(yaw=wander(61, time, 0.6), pitch=2.0 + 27.0 * down, roll=wander(62, time, 0.5))
    chest = Turn(yaw=wander(63, time, 0.8), pitch=3.0 + 33.0 * down + breath, roll=wander(64, time, 0.5))
    head = Turn(yaw=wander(65, time, 1.5), pitch=1.0 + 7.0 * down + wander(66, time, 1.0), roll=wander(67, time, 0.6))
    arms = []
    for index in range(2):
        more = wander(68 + index, time, 1.0)
        arms.append(
            Arm(
                flexion=1.0 + 113.0 * down + more,
                abduction=7.0 - 3.0 * down,
                inward=25.0 - 10.0 * down,
                elbow=14.0 + 4.0 * down + more,
                pronation=15.0 + 40.0 * down,
                protracted=8.0 * down,
                curl=1.0 - 0.5 * down,
            )
        )
    pelvis = at(0.0, standing_height(0.155) - 0.430 * down, -0.20 * down)
    feet = standing_feet(time, 0.155, 17.0)
    movement = Movement(pelvis, np.zeros_like(time), hips, chest, head, (arms[0], arms[1]), feet)
    wanted = at(wander(70, time, 0.006), 0.0, MIDDLE_OF_FOOT + wander(71, time, 0.004))
    return with_center_of_mass(movement, wanted, axes=(0, 2))


def wave(time: np.ndarray) -> Movement:
    """Return standing, waving with the right hand, then reaching forward and up with the left one.

    Each part of a movement rises and falls with the least jerk (Flash and Hogan 1985).
    """
    greet = plateau(time, (0.6, 1.5), (3.35, 4.25))
    shake = plateau(time, (1.15, 1.7), (3.0, 3.5)) * np.sin(2 * np.pi * 1.55 * (time - 1.15))
    reach = plateau(time, (4.45, 5.45), (5.85, 6.85))
    bent_elbow = plateau(time, (4.45, 4.95), (4.95, 5.45)) + plateau(time, (5.85, 6.35), (6.35, 6.85))
    breath = 0.5 * np.sin(2 * np.pi * 0.27 * time)
    hips = Turn(
        yaw=3.0 * greet - 5.0 * reach + wander(81, time, 0.8), pitch=2.0 + 7.0 * reach, roll=1.5 * greet + wander(82, time, 0.5)
    )
    chest = Turn(
        yaw=5.0 * greet - 14.0 * reach + wander(83, time, 1.0),
        pitch=3.0 - 1.5 * greet + 9.0 * reach + breath,
        roll=-2.5 * greet + 2.0 * reach + wander(84, time, 0.6),
    )
    head = Turn(
        yaw=-4.0 * greet + 5.0 * reach + wander(85, time, 2.0),
        pitch=1.0 - 1.0 * greet - 3.0 * reach + wander(86, time, 1.2),
        roll=3.0 * greet + wander(87, time, 0.8),
    )
    left = Arm(
        flexion=1.0 + 97.0 * reach + wander(88, time, 1.2),
        abduction=7.0 + 6.0 * reach,
        inward=25.0 - 5.0 * reach,
        elbow=14.0 + 48.0 * bent_elbow - 2.0 * reach,
        pronation=15.0 + 40.0 * reach,
        wrist=4.0 - 14.0 * reach,
        raised=6.0 * reach,
        protracted=12.0 * reach,
        curl=1.0 - 0.5 * reach,
    )
    right = Arm(
        flexion=1.0 + 21.0 * greet + wander(89, time, 1.2),
        abduction=7.0 + 55.0 * greet + 3.0 * shake,
        inward=25.0 - 98.0 * greet + 6.0 * shake,
        elbow=14.0 + 96.0 * greet + 21.0 * shake,
        pronation=15.0 - 8.0 * greet,
        wrist=4.0 - 4.0 * greet,
        raised=8.0 * greet,
        curl=1.0 - 0.75 * greet,
    )
    pelvis = at(0.0, standing_height(0.115, 10.0) - 0.008 * reach, -0.01)
    feet = standing_feet(time, 0.115, 9.0)
    movement = Movement(pelvis, np.zeros_like(time), hips, chest, head, (left, right), feet)
    sideways = 0.016 * greet + 0.010 * reach + wander(90, time, 0.010)
    wanted = at(sideways, 0.0, MIDDLE_OF_FOOT + 0.012 * reach + wander(91, time, 0.006))
    return with_center_of_mass(movement, wanted, axes=(0, 2))
