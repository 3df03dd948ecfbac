"""Where the feet of a retargeted body shall be: as high above the floor as the source's, and still where those stand still.

After Kovar, Schreiner and Gleicher, "Footskate cleanup for motion capture editing" (2002): first the path of each foot over
the whole clip, then legs that follow it (`retarget.solve`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kinematics.anatomy import SIDES, find_anatomy
from kinematics.contacts import TIP, TOE, Contacts, foot_contacts, foot_kinds, foot_positions, match_feet
from kinematics.forward import GlobalTransforms
from kinematics.ik.foot_paths import eased, flat_path, least_squares
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget.stance import TOLERANCE, near_floor, standing_heights

ROUNDS = 4  # in which frames where a foot would be below the floor are put on it
SUNK = 1e-3  # metres that it may be
STAND = 1e5  # how much more a standing foot's height costs than the change of its height
SETTLE = 3  # rounds in which standing heights and lifts agree
ONE_FLOOR = 0.03  # metres of a body of 1.75 m by which feet that stand on one floor may seem to stand apart
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class FootGoal:
    """Where one ankle shall be."""

    thigh: int  # joints of its leg
    shin: int
    ankle: int
    positions: np.ndarray  # (frames, 3)
    rotations: np.ndarray  # (frames, 4), global


@dataclass(frozen=True, eq=False)
class _Foot:
    """The points of one foot of a draft, and what they do."""

    points: np.ndarray  # (frames, points, 3), the ankle first
    stands: np.ndarray  # (frames, points): while the source's do
    heights: np.ndarray  # (frames, some points): of those that must not be below the floor
    down: np.ndarray  # (frames, some points): while the source's stand and are on the floor
    standing: np.ndarray  # (some points,): standing heights of points that never are down
    wanted: np.ndarray  # (frames,): how high the lowest shall be above where it stands
    may_slide: np.ndarray  # (frames - 1,): how far the source's does
    level: float  # where the source's stands


def plan_feet(
    source: Contacts, seen: GlobalTransforms, scale: float, draft: Motion, transforms: GlobalTransforms, ease_s: float
) -> list[FootGoal]:
    """Plan the way of each foot of a draft.

    The lowest point of a foot (ankle, toe or tip, each less the height at which it stands) is as high as the source's, times
    `scale`; on the floor while the source's foot stands, and never below. Along the floor a foot keeps the draft's way, but
    for what slides while it stands: all of it, and at both ends of a stance as much as exceeds the source's. It turns about
    up alone.

    Args:
        source: Contacts of the source, frame by frame.
        seen: Its forward kinematics.
        scale: Units of the draft for one of the source.
        draft: The retargeted motion so far, with Y up and its feet as high as they shall stand.
        transforms: Its forward kinematics.
        ease_s: Seconds at both ends of a stance within which a foot comes to rest and leaves.
    """
    own, parts = foot_contacts(draft, transforms=transforms), find_anatomy(draft.skeleton).joints
    sides = [side for side in (1, -1) if (own.sides == side).any() and (source.sides == side).any()]
    feet = {side: _read(source, seen, scale, own, transforms, side, draft.frame_time) for side in sides}
    lifts = _lifts(feet, source.scale * scale)
    goals = []
    for side, foot in feet.items():
        thigh, shin, ankle = (parts[SIDES[side < 0] + part] for part in ("thigh", "shin", "foot"))
        rotations = transforms.global_rotations[:, ankle]
        steps = foot.stands[1:] & foot.stands[:-1]
        share = eased(np.asarray(steps.any(axis=1)), ease_s / draft.frame_time)
        slide = _slowest(foot.points, steps)
        slides_more = np.isfinite(slide) & (slide > foot.may_slide)
        share = 1.0 - (1.0 - share) * np.divide(foot.may_slide, slide, out=np.ones_like(slide), where=slides_more)
        shifts, turns = flat_path(foot.points * (1.0 - UP), steps, rotations, share, draft.frame_time, own.scale, UP)
        positions = foot.points[:, 0] + shifts + lifts[side][:, None] * UP
        turned = quaternion.multiply(quaternion.from_axis_angle(UP, turns), rotations)
        goals.append(FootGoal(thigh, shin, ankle, positions, turned))
    return goals


def _read(
    source: Contacts,
    seen: GlobalTransforms,
    scale: float,
    own: Contacts,
    transforms: GlobalTransforms,
    side: int,
    frame_time: float,
) -> _Foot:
    """Return the points of a foot; of one that ends at the ankle those of the source's, as they are about its ankle."""
    mine, theirs = np.flatnonzero(own.sides == side), np.flatnonzero(source.sides == side)
    points, at = foot_positions(transforms)[:, mine], foot_positions(seen)[:, theirs]
    held, near = source.in_contact[:, theirs], near_floor(source)[:, theirs]
    grounds = standing_heights(source.heights[:, theirs], near, source.standing_heights[theirs])
    standing = own.standing_heights[mine]
    fore = [np.isin(foot_kinds(one.skeleton)[of], (TOE, TIP)).any() for one, of in ((transforms, mine), (seen, theirs))]
    if fore[1] and not fore[0]:
        points, standing = points[:, :1] + scale * (at - at[:, :1]), standing[:1]
        stands = held & np.insert(~held[:, :1].repeat(len(theirs) - 1, axis=1), 0, True, axis=1)  # ankles are all that is seen
        heights, down = points[:, :1, 1], near[:, :1]
        above, on_floor = (
            (source.heights[:, theirs] - grounds)[:, :1],
            down,
        )  # a heel that leaves the floor is in contact for long
    else:
        kinds, own_kinds = match_feet(seen.skeleton, transforms.skeleton)
        alike = (kinds[theirs, None] == own_kinds[mine]) & (kinds[theirs, None] >= 0)
        known = alike.any(axis=0)
        stands, flat = held @ alike, np.asarray((near @ alike)[:, known].all(axis=1))
        stands = stands | (held.any(axis=1) & ~stands.any(axis=1))[:, None]  # on a point that this foot has none like
        heights, down = points[..., 1], np.where(known, near @ alike, flat[:, None])
        above, on_floor = source.heights[:, theirs] - grounds, held
    return _Foot(
        points=points,
        stands=stands,
        heights=heights,
        down=down,
        standing=standing,
        wanted=scale * _onto_floor(above, on_floor, frame_time),
        may_slide=scale * _slowest(at, held[1:] & held[:-1]),
        level=scale * float(grounds.min()),
    )


def _lifts(feet: Mapping[int, _Foot], metre: float) -> dict[int, np.ndarray]:
    """Return how far to raise each foot, (frames,), so that its lowest point is as high as wanted.

    Where a point stands is known when the foot is on the floor, and that by where its points stand: a few rounds agree. Both
    feet then come to stand on one floor to a centimetre, or as far apart as the source's where those are on two.
    """
    lifts, levels = {}, {}
    for side, foot in feet.items():
        heights, lift = foot.heights, np.zeros(len(foot.heights))
        for _ in range(SETTLE):
            standing = standing_heights(heights + lift[:, None], foot.down, foot.standing)
            lift = foot.wanted - (heights - standing).min(axis=1)
        lifts[side], levels[side] = lift, float(standing.min())
    if len(feet) == 2 and all(foot.down.any() for foot in feet.values()):
        step = feet[1].level - feet[-1].level
        apart = levels[1] - levels[-1] - (step if abs(step) > ONE_FLOOR * metre else 0.0)
        apart -= float(np.clip(apart, -TOLERANCE * metre, TOLERANCE * metre))
        lifts = {side: lift - 0.5 * side * apart for side, lift in lifts.items()}
    return lifts


def _slowest(points: np.ndarray, stands: np.ndarray) -> np.ndarray:
    """Return how far the standing point that moves least moves along the floor in each step, (frames - 1,); infinite if none."""
    moved = np.linalg.norm(np.diff(points * (1.0 - UP), axis=0), axis=-1)
    return np.asarray(np.where(stands, moved, np.inf).min(axis=1, initial=np.inf))


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
