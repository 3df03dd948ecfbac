"""Where the feet of a retargeted body shall be: as high above the floor as the source's, and still where those stand still.

After Kovar, Schreiner and Gleicher, "Footskate cleanup for motion capture editing" (2002): first the path of each foot over
the whole clip, then legs that follow it (`retarget.solve`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinematics.anatomy import SIDES, find_anatomy
from kinematics.contacts import Contacts, foot_contacts, foot_positions
from kinematics.forward import GlobalTransforms
from kinematics.ik.foot_paths import eased, flat_path, least_squares, standing_points
from kinematics.motion import Motion
from kinematics.rotations import quaternion

ROUNDS = 4  # in which frames where a foot would be below the floor are put on it
SUNK = 1e-3  # metres that it may be
STAND = 1e5  # how much more a standing foot's height costs than the change of its height
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class FootGoal:
    """Where one ankle shall be."""

    thigh: int  # joints of its leg
    shin: int
    ankle: int
    positions: np.ndarray  # (frames, 3)
    rotations: np.ndarray  # (frames, 4), global


def plan_feet(source: Contacts, scale: float, draft: Motion, transforms: GlobalTransforms, ease_s: float) -> list[FootGoal]:
    """Plan the way of each foot of a draft.

    The lowest point of a foot (ankle, toe or tip, each less the height at which it stands) is as high as the source's, times
    `scale`; on the floor while the source's foot stands, and never below. Along the floor a foot keeps the draft's way, but
    for what slides while it stands; it turns about up alone.

    Args:
        source: Contacts of the source, frame by frame.
        scale: Units of the draft for one of the source's.
        draft: The retargeted motion so far, with Y up and its feet as high as they shall stand.
        transforms: Its forward kinematics.
        ease_s: Seconds at both ends of a stance within which a foot comes to rest and leaves.
    """
    own = foot_contacts(draft, transforms=transforms)
    standing, where = standing_points(source, own), foot_positions(transforms)
    goals = []
    parts = find_anatomy(draft.skeleton).joints
    for side, prefix in zip((1, -1), SIDES, strict=True):
        mine, theirs = np.flatnonzero(own.sides == side), np.flatnonzero(source.sides == side)
        if not (len(mine) and len(theirs)):
            continue
        thigh, shin, ankle = (parts[prefix + part] for part in ("thigh", "shin", "foot"))
        feet, points = transforms.global_rotations[:, ankle], where[:, mine]
        above = source.heights[:, theirs] - source.standing_heights[theirs]
        wanted = scale * _onto_floor(above, source.in_contact[:, theirs], draft.frame_time)
        now = own.heights[:, mine] - own.standing_heights[mine]
        steps = standing[1:, mine] & standing[:-1, mine]
        share = eased(np.asarray(steps.any(axis=1)), ease_s / draft.frame_time)
        flat = points * (1.0 - UP)
        shifts, turns = flat_path(flat, steps, feet, share, draft.frame_time, own.scale, UP)
        positions = points[:, 0] + shifts + (wanted - now.min(axis=1))[:, None] * UP
        goals.append(FootGoal(thigh, shin, ankle, positions, quaternion.multiply(quaternion.from_axis_angle(UP, turns), feet)))
    return goals


def _onto_floor(above: np.ndarray, in_contact: np.ndarray, frame_time: float) -> np.ndarray:
    """Return how high above the floor a foot's lowest point shall be, (frames,): as high as it is, but 0 where it stands."""
    lowest = above.min(axis=1)
    held, height = np.asarray(in_contact.any(axis=1)), lowest
    for _ in range(ROUNDS):
        wanted, weights = np.where(held, -lowest, 0.0), np.where(held, STAND, 0.0)
        height = lowest + least_squares(wanted[:, None], weights, frame_time, steps=False)[:, 0]
        if not (height < -SUNK).any():
            break
        held = held | (height < 0.0)
    return np.asarray(height)
