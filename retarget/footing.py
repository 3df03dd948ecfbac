"""Keep standing feet where they stand when a limit of speed holds back the legs that carry them."""

from __future__ import annotations

import numpy as np

from kinematics.contacts import foot_contacts, foot_positions, match_feet
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from retarget.body import Body
from retarget.feet import UP
from retarget.robots.feet import onto_floor, stay
from retarget.stance import stand_as


def keep_footing(planted: Motion, slowed: Motion, source: Body, metre: float) -> Motion:
    """Move the root until feet stand again as they did; it gives way as a robot's does.

    Points that stand come back to where they stood, smoothly in time, and none sinks below where it was.

    Args:
        planted: The motion with Y up, its feet planted.
        slowed: The same with slower joints.
        source: What it was retargeted from, frame by frame the same.
        metre: Units of the motion for a metre.
    """
    seen, own = foot_contacts(source.clip, transforms=source.transforms), foot_contacts(planted)
    kinds, own_kinds = match_feet(source.skeleton, planted.skeleton)
    held = stand_as(seen, kinds, own, own_kinds)
    if not held.in_contact.any():
        return slowed
    stands = held.standing_heights[:, None] * UP
    wanted, found = ((foot_positions(forward_kinematics(one)) - stands) / metre for one in (planted, slowed))
    feet = [held.sides == side for side in (1, -1)]
    standing = np.stack([held.in_contact[:, foot].any(axis=1) for foot in feet], axis=1)
    shift = stay(wanted, found, held.sides, standing, slowed.frame_time)
    high, low = (np.stack([points[:, foot, 1].min(axis=1) for foot in feet], axis=1) for points in (wanted, found))
    gaps = np.where(standing, low - high, np.inf).min(axis=1)
    lowest, held_up = (low - np.minimum(high, 0.0)).min(axis=1), np.asarray(standing.any(axis=1))
    lift = onto_floor(gaps, lowest, held_up, slowed.frame_time)
    return slowed.with_root_positions(slowed.root_positions + metre * (shift + lift[:, None] * UP))
