"""Walking and running along a path: foot placement, pelvis, trunk and arms as functions of the phase of the stride.

Phase 0 is the strike of the left heel, phase 0.5 that of the right. The pelvis moves as Saunders, Inman and Eberhart describe
("The major determinants in normal and pathological gait", J. Bone Joint Surg. 35-A, 1953): it turns by 4 degrees to each side,
drops by 5 on the side of the swinging leg, rises over the bent stance knee and sways over the standing foot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from generator import body
from generator.curves import Curve, quintic
from generator.feet import Hanging, Plant, walk_on
from generator.pose import SIDES, Foot, Turn, forward, turned
from scipy.interpolate import CubicSpline, PPoly, make_interp_spline

from kinematics.rotations import quaternion


@dataclass(frozen=True)
class Gait:
    """What makes a gait; phases are fractions of the stride.

    Attributes:
        stride_time: Seconds from one left heel strike to the next.
        speed: Metres a second.
        duty: Fraction of the stride that a foot is on the ground.
        step_width: Between the lines of the left and right ankles, metres.
        toe_out: Degrees.
        lead: How far ahead of the pelvis the ankle of a foot that strikes will lie when flat, metres.
        thigh: Of the swinging leg, degrees before the vertical, by phase.
        knee: Flexion of the swinging leg, degrees, by phase.
        smoothness: How much jerk counts against nearness to these two.
        pitch: Pitch of the foot, radians, by phase.
        toe_pitch: Pitch of the toes.
    """

    stride_time: float
    speed: float
    duty: float
    step_width: float
    toe_out: float
    lead: float
    thigh: Curve
    knee: Curve
    smoothness: float
    pitch: Curve
    toe_pitch: Curve

    def phase(self, time: np.ndarray) -> np.ndarray:
        """Return the phase of the stride at times in seconds (not wrapped)."""
        return np.asarray(time) / self.stride_time


@dataclass(frozen=True)
class Path:
    """A line on the ground, by arc length in metres.

    Attributes:
        place: Point on the line, shape (..., 3).
        heading: Radians to the left of +Z.
    """

    place: Curve
    heading: Curve


def straight() -> Path:
    """Return the +Z axis."""
    return Path(lambda s: np.asarray(s)[..., None] * np.array([0.0, 0.0, 1.0]), lambda s: np.zeros_like(s))


def bent(heading: Curve, length: float) -> Path:
    """Return the path from the origin whose heading is given, from six metres before to `length` metres."""
    s = np.arange(-6.0, length, 0.005)
    slope = CubicSpline(s, forward(heading(s)))
    place = slope.antiderivative()
    origin = place(0.0)
    return Path(lambda along: np.asarray(place(along) - origin), heading)


def roll(strike: tuple[float, float, float], flat: tuple[float, float], knots: Sequence[tuple[float, float]]) -> Curve:
    """Return a pitch curve (radians by phase) that is exactly zero while flat.

    Args:
        strike: Pitch at heel strike in degrees, and its first and second derivative by phase; the toes are coming down.
        flat: Phases between which it is zero.
        knots: (phase, degrees) between `flat[1]` and 1, passed through.
    """
    down = PPoly(quintic(strike, (0.0, 0.0, 0.0), flat[0])[:, None], [0.0, flat[0]])
    phases, degrees = zip((flat[1], 0.0), *knots, (1.0, strike[0]), strict=True)
    ends: Any = ([(1, 0.0), (2, 0.0)], [(1, strike[1]), (2, strike[2])])
    away = make_interp_spline(phases, degrees, k=5, bc_type=ends)

    def curve(phase: np.ndarray) -> np.ndarray:
        phase = np.mod(phase, 1.0)
        lifted = np.where(phase < flat[0], down(phase), np.where(phase > flat[1], away(np.maximum(phase, flat[1])), 0.0))
        return np.radians(lifted)

    return curve


def footsteps(gait: Gait, path: Path, duration: float, seed: int) -> tuple[list[Plant], list[Plant]]:
    """Return the left and the right plants for a clip that starts at time 0; each a few millimetres from the ideal line."""
    random = np.random.default_rng(seed)
    both: tuple[list[Plant], list[Plant]] = ([], [])
    for index, (_, sign) in enumerate(SIDES):
        count = int(np.ceil(duration / gait.stride_time))
        for number in range(-4, count + 3):
            start = (number + 0.5 * index) * gait.stride_time
            along = gait.speed * start + gait.lead
            heading = float(path.heading(np.array(along)))
            astray = (random.random(2) - 0.5) * np.array([0.010, 0.004])
            left = forward(np.array(heading + np.pi / 2))
            place = path.place(np.array(along + astray[1])) + (sign * gait.step_width / 2 + astray[0]) * left
            yaw = heading + sign * np.radians(gait.toe_out + 3.0 * (random.random() - 0.5))
            both[index].append(Plant(start, start + gait.duty * gait.stride_time, place, yaw))
    return both


def legs(
    gait: Gait,
    plants: tuple[list[Plant], list[Plant]],
    time: np.ndarray,
    pelvis: Curve,
    heading: Curve,
    hips: Callable[[np.ndarray], Turn],
) -> tuple[Foot, Foot]:
    """Return both feet; `pelvis` (position), `heading` and `hips` are functions of time that the swinging leg hangs from."""
    feet = []
    for index, (side, _) in enumerate(SIDES):
        offset = body.OFFSETS[side + "thigh"]

        def phase(t: np.ndarray, index: int = index) -> np.ndarray:
            return gait.phase(t) - 0.5 * index

        def hip(t: np.ndarray, offset: np.ndarray = offset) -> np.ndarray:
            return np.asarray(pelvis(t) + quaternion.rotate(turned(heading(t), hips(t)), offset))

        def pitch(t: np.ndarray, phase: Curve = phase) -> np.ndarray:
            return gait.pitch(phase(t))

        def toe_pitch(t: np.ndarray, phase: Curve = phase) -> np.ndarray:
            return gait.toe_pitch(phase(t))

        hanging = Hanging(hip, heading, phase, gait.thigh, gait.knee, gait.smoothness)
        feet.append(walk_on(plants[index], time, pitch, toe_pitch, hanging))
    return feet[0], feet[1]
