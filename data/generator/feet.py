"""Feet that stand still: a planted foot rolls about its heel, lies flat, then rolls about its ball and the tip of its toes.

A plant is where the ankle is above the ground while the foot lies flat. With the toes up the foot turns about the heel; with the
heel up about the ball (the joint `toe`) while the toes lie flat, and at last the toes turn about their tip, so that the point
of contact never moves. Between two plants the leg swings through given angles; position, velocity and acceleration are
continuous where it leaves the ground and where it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from generator import body
from generator.curves import Curve, derivatives, min_jerk, nearest, quintic
from generator.pose import Foot, forward

UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Plant:
    """One stance of one foot.

    Attributes:
        start: Time of the first contact, seconds.
        end: Time of the last contact.
        place: Where the flat foot's ankle is, shape (3,), metres; height 0.
        yaw: Heading of the foot, radians to the left of +Z.
    """

    start: float
    end: float
    place: np.ndarray
    yaw: float


@dataclass(frozen=True)
class Hanging:
    """A leg in the air, as its angle and the bend of its knee.

    Attributes:
        hip: Position of the hip joint as a function of time, shape (frames, 3), metres.
        heading: Of the body, radians.
        phase: Of this leg's stride.
        thigh: Published angle of the swinging thigh before the vertical, degrees, by phase.
        knee: Published flexion of the swinging knee.
        smoothness: How much jerk counts against being near to them.
    """

    hip: Curve
    heading: Curve
    phase: Curve
    thigh: Curve
    knee: Curve
    smoothness: float

    def to_leg(self, ankle: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Return (angle of the line from hip to ankle, flexion of the knee, ankle's distance to the left), radians, metres."""
        heading = self.heading(time)
        reach = ankle - self.hip(time)
        ahead = np.sum(reach * forward(heading), axis=-1)
        aside = np.sum(reach * forward(heading + np.pi / 2), axis=-1)
        length = np.linalg.norm(reach, axis=-1)
        cosine = (length**2 - body.THIGH**2 - body.SHANK**2) / (2 * body.THIGH * body.SHANK)
        return np.stack([np.arctan2(ahead, -reach[:, 1]), np.arccos(np.clip(cosine, -1.0, 1.0)), aside], axis=-1)

    def to_ankle(self, leg: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Return the ankle of such a leg; the inverse of `to_leg`."""
        heading = self.heading(time)
        angle, knee, aside = leg.T
        length = np.sqrt(body.THIGH**2 + body.SHANK**2 + 2 * body.THIGH * body.SHANK * np.cos(knee) - aside**2)
        along = (length * np.sin(angle))[:, None] * forward(heading) + aside[:, None] * forward(heading + np.pi / 2)
        return np.asarray(self.hip(time) + along - (length * np.cos(angle))[:, None] * UP)

    def wanted(self, time: np.ndarray) -> np.ndarray:
        """Return the published (angle of the line from hip to ankle, flexion of the knee) in radians."""
        thigh, knee = np.radians(self.thigh(self.phase(time))), np.radians(self.knee(self.phase(time)))
        behind = np.arctan2(body.SHANK * np.sin(knee), body.THIGH + body.SHANK * np.cos(knee))
        return np.stack([thigh - behind, knee], axis=-1)


def planted_ankle(place: np.ndarray, yaw: np.ndarray | float, pitch: np.ndarray, toe_pitch: np.ndarray) -> np.ndarray:
    """Return the ankle of a planted foot, shape (frames, 3); pitches in radians, toes up positive."""
    pitch, toe_pitch = np.asarray(pitch, dtype=float), np.asarray(toe_pitch, dtype=float)
    on_heel = _turned(body.HEEL_BEHIND_ANKLE, body.ANKLE_HEIGHT, pitch) + np.array([-body.HEEL_BEHIND_ANKLE, 0.0])
    tip = np.array([body.BALL_AHEAD_OF_ANKLE + body.TOE, body.TIP_HEIGHT])
    ball = tip + _turned(-body.TOE, body.BALL_HEIGHT - body.TIP_HEIGHT, np.minimum(toe_pitch, 0.0))
    on_ball = ball + _turned(-body.BALL_AHEAD_OF_ANKLE, body.ANKLE_HEIGHT - body.BALL_HEIGHT, pitch)
    ahead, height = np.moveaxis(np.where((pitch >= 0.0)[..., None], on_heel, on_ball), -1, 0)
    return np.asarray(place + ahead[..., None] * forward(np.asarray(yaw, dtype=float)) + height[..., None] * UP)


def _turned(ahead: float, above: float, pitch: np.ndarray) -> np.ndarray:
    """Return a point (ahead, above) of the foot, turned toes up about the origin."""
    cosine, sine = np.cos(pitch), np.sin(pitch)
    return np.stack([ahead * cosine - above * sine, ahead * sine + above * cosine], axis=-1)


def walk_on(plants: list[Plant], time: np.ndarray, pitch: Curve, toe_pitch: Curve, hang: Hanging) -> Foot:
    """Return a foot that goes from plant to plant.

    Args:
        plants: In order of time.
        time: Seconds, shape (frames,), from the first plant's start to the last one's end.
        pitch: Pitch of the foot in radians as a function of time.
        toe_pitch: Pitch of the toes.
        hang: The hip that the leg hangs from, and what the leg does in the air.
    """
    ankle = np.zeros((len(time), 3))
    yaw = np.zeros(len(time))
    for plant in plants:
        now = (time >= plant.start) & (time <= plant.end)
        ankle[now] = planted_ankle(plant.place, plant.yaw, pitch(time[now]), toe_pitch(time[now]))
        yaw[now] = plant.yaw
    for before, after in pairwise(plants):
        now = (time > before.end) & (time < after.start)
        if not now.any():
            continue
        ends = []
        for plant, moment in ((before, before.end), (after, after.start)):

            def held(t: np.ndarray, plant: Plant = plant) -> np.ndarray:
                return hang.to_leg(planted_ankle(plant.place, plant.yaw, pitch(t), toe_pitch(t)), t)

            ends.append(derivatives(held, moment))
        moments = np.linspace(before.end, after.start, 41)
        wanted = hang.wanted(moments)
        wanted = wanted + np.linspace(ends[0][0, :2] - wanted[0], ends[1][0, :2] - wanted[-1], len(moments))
        leg = nearest(moments, wanted, ends[0][:, :2], ends[1][:, :2], hang.smoothness)
        aside = quintic(ends[0][:, 2], ends[1][:, 2], after.start - before.end)
        there = np.concatenate([leg(time[now]), np.polyval(aside, time[now] - before.end)[:, None]], axis=-1)
        ankle[now] = hang.to_ankle(there, time[now])
        yaw[now] = before.yaw + (after.yaw - before.yaw) * min_jerk(time[now], before.end, after.start)
    return Foot(ankle, yaw, pitch(time), toe_pitch(time))
