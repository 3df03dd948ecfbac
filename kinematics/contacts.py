"""When feet stand on the floor: low and slow, with hysteresis, and where that floor is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics._arrays import FrozenArrays, frozen
from kinematics.anatomy import SIDES, find_anatomy
from kinematics.body import measure_body
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import up_axis
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton
from kinematics.velocities import differentiate

REFERENCE_HEIGHT = 1.75  # metres: the body that thresholds are given for
SLOW = 0.2  # m/s at which a point counts half when its standing height is estimated
APART = 0.06  # metres that one foot may stand above the other before it is held to hang in the air
ANKLE, TOE, TIP, HEEL = 0, 1, 2, 3  # kinds of foot points
BELOW = 0.9  # cosine within which an end site goes on as the shin does


@dataclass(frozen=True, eq=False)
class Contacts(FrozenArrays):
    """Which points of the feet stand on the floor in each frame.

    Attributes:
        names: Joint or end site of each point.
        sides: +1 for a point of the left foot, -1 for the right, shape (points,).
        in_contact: Whether the point stands on the floor, shape (frames, points).
        heights: Height of the point along up, in the motion's unit, shape (frames, points).
        speeds: Speed of the point in the world, in the motion's unit per second, shape (frames, points).
        standing_heights: Height at which each point stands: an ankle is never as low as a toe, shape (points,).
        floor: Height of the floor along up: the lowest of `standing_heights`, 0 without feet. A skeleton without soles
            stands a centimetre or two above the true floor.
        scale: Units of the motion for one metre of a body of 1.75 m, by which the thresholds were multiplied.
    """

    names: tuple[str, ...]
    sides: Int[np.ndarray, " points"]
    in_contact: Bool[np.ndarray, "frames points"]
    heights: Float[np.ndarray, "frames points"]
    speeds: Float[np.ndarray, "frames points"]
    standing_heights: Float[np.ndarray, " points"]
    floor: float
    scale: float

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        frames, points = self.in_contact.shape
        object.__setattr__(self, "sides", frozen(self.sides, (points,), "sides", np.int64))
        object.__setattr__(self, "in_contact", frozen(self.in_contact, (frames, points), "in_contact", np.bool_))
        for name in ("heights", "speeds"):
            object.__setattr__(self, name, frozen(getattr(self, name), (frames, points), name))
        object.__setattr__(self, "standing_heights", frozen(self.standing_heights, (points,), "standing_heights"))

    @property
    def clearances(self) -> Float[np.ndarray, "frames 2"]:
        """How far each foot (left, right) is above where it stands, in the motion's unit; infinite while it does not stand.

        The least of its standing points' heights above their own standing heights: an ankle over a heel that stands is not
        in the air. Negative below. Shape (frames, 2).
        """
        above = np.where(self.in_contact, self.heights - self.standing_heights, np.inf)
        return np.stack([above[:, self.sides == side].min(axis=1, initial=np.inf) for side in (1, -1)], axis=1)

    @property
    def left(self) -> Bool[np.ndarray, " frames"]:
        """Whether any point of the left foot stands, shape (frames,)."""
        return np.asarray(self.in_contact[:, self.sides > 0].any(axis=1))

    @property
    def right(self) -> Bool[np.ndarray, " frames"]:
        """Whether any point of the right foot stands, shape (frames,)."""
        return np.asarray(self.in_contact[:, self.sides < 0].any(axis=1))

    def point(self, name: str) -> Bool[np.ndarray, " frames"]:
        """Return whether one point stands, by its name.

        Raises:
            UnknownNameError: With the nearest names.
        """
        if name not in self.names:
            raise UnknownNameError("foot point", name, self.names)
        return np.asarray(self.in_contact[:, self.names.index(name)])


def foot_contacts(
    motion: Motion,
    *,
    up: str = "Y",
    enter_height: float = 0.06,
    leave_height: float = 0.1,
    enter_speed: float = 0.5,
    leave_speed: float = 0.9,
    shortest_s: float = 0.05,
    transforms: GlobalTransforms | None = None,
) -> Contacts:
    """Find when ankles, toes and the end sites under them stand on the floor.

    A point begins to stand when it is both lower than `enter_height` above its standing height and slower than
    `enter_speed`, and stops when it is above `leave_height` or faster than `leave_speed`; gaps and contacts shorter than
    `shortest_s` are closed and dropped, in this order. Its standing height is the 10th percentile of its heights, each
    frame weighted by its slowness 1 / (1 + (speed / 0.2 m/s)^2), so that neither a jump, a clip that starts in the air,
    a floor that is not at zero nor single frames below the floor moves it; a foot that hangs more than 6 cm above the
    other one takes the other's. Height and velocity thresholds together are the usual rule (Lee et al., "Interactive
    control of avatars animated with human motion data", 2002).

    Lengths and speeds are metres (per second) for a body of 1.75 m and scale with the body, so the clip may be in any
    unit. A skeleton without feet has no points.

    Args:
        motion: The clip, in any unit.
        up: The world's up axis, out of `frames.UP_AXES`.
        enter_height: Metres above the standing height below which a contact may begin.
        leave_height: Metres above which it ends.
        enter_speed: Metres per second below which a contact may begin.
        leave_speed: Metres per second above which it ends.
        shortest_s: Seconds.
        transforms: Its forward kinematics where already known.

    Raises:
        InputError: Where a leave threshold is below its enter threshold, or one is not positive.
        UnknownNameError: On an unknown axis.
    """
    if not (0.0 < enter_height <= leave_height and 0.0 < enter_speed <= leave_speed and shortest_s >= 0.0):
        raise InputError(
            "thresholds must be positive and leave no lower than enter, got height "
            f"{enter_height} to {leave_height}, speed {enter_speed} to {leave_speed}, shortest_s {shortest_s}"
        )
    skeleton, axis = motion.skeleton, up_axis(up)
    joints, _, sides = foot_points(skeleton)
    transforms = transforms or forward_kinematics(motion)
    where = foot_positions(transforms)
    scale = measure_body(motion).height / REFERENCE_HEIGHT
    heights = where @ axis
    speeds = np.linalg.norm(differentiate(where, motion.frame_time), axis=-1)
    standing = _standing_heights(heights, speeds, sides, len(joints), scale)
    above = heights - standing
    enter = (above < enter_height * scale) & (speeds < enter_speed * scale)
    leave = (above > leave_height * scale) | (speeds > leave_speed * scale)
    in_contact = _without_short_runs(_hysteresis(enter, leave), math.ceil(shortest_s / motion.frame_time - 1e-9))
    return Contacts(
        names=foot_names(skeleton),
        sides=sides,
        in_contact=in_contact,
        heights=heights,
        speeds=speeds,
        standing_heights=standing,
        floor=float(standing.min()) if standing.size else 0.0,
        scale=scale,
    )


def foot_positions(transforms: GlobalTransforms) -> Float[np.ndarray, "frames points 3"]:
    """Return the global positions of the foot points in the order of `Contacts.names`, in the motion's unit."""
    joints, ends, _ = foot_points(transforms.skeleton)
    return np.concatenate([transforms.global_positions[:, joints], transforms.end_site_positions[:, ends]], axis=1)


def foot_points(skeleton: Skeleton) -> tuple[list[int], list[int], Int[np.ndarray, " points"]]:
    """Return the ankle and toe joints with the tips of the toes, the end sites under them, and the sides of all.

    Sides are +1 left, -1 right. Tips are joints in some skeletons (Mixamo's Toe_End) and end sites in others.
    """
    found = find_anatomy(skeleton).joints
    joints: list[int] = []
    ends: list[int] = []
    joint_sides: list[int] = []
    end_sides: list[int] = []
    for prefix, side in zip(SIDES, (1, -1), strict=True):
        foot = found.get(prefix + "foot")
        if foot is None:
            continue
        toe = found.get(prefix + "toe", foot)
        leaves = [j for j in skeleton.descendants(toe) if not skeleton.children[j] and skeleton.offsets[j].any()]
        own = list(dict.fromkeys([foot, toe, *(leaves if toe != foot else [])]))
        below = {foot, *skeleton.descendants(foot)}
        tips = [
            end
            for end, parent in enumerate(skeleton.end_site_parents.tolist())
            if parent in below and np.any(skeleton.end_site_offsets[end])
        ]
        joints, joint_sides = joints + own, joint_sides + [side] * len(own)
        ends, end_sides = ends + tips, end_sides + [side] * len(tips)
    return joints, ends, np.array(joint_sides + end_sides, dtype=np.int64)


def foot_names(skeleton: Skeleton) -> tuple[str, ...]:
    """Return the names of the foot points, in the order of `Contacts.names`."""
    joints, ends, _ = foot_points(skeleton)
    return tuple(skeleton.joint_names[joint] for joint in joints) + tuple(skeleton.end_site_names[end] for end in ends)


def match_feet(one: Skeleton, other: Skeleton) -> tuple[Int[np.ndarray, " points"], Int[np.ndarray, " others"]]:
    """Tell which foot points of two skeletons can be compared: equal kinds are.

    Ankles, toe joints, tips and heels that both have are compared each with its like; where the fore feet share no kind (a
    toe joint here, a tip there), all their points are one kind; what only one of the two has is compared with nothing, so
    that feet that end at the ankle make ankles alone count.

    Returns:
        For each foot point of either skeleton its kind, -1 where the other has none like it; in the order of
        `Contacts.names`.
    """
    kinds = [foot_kinds(one), foot_kinds(other)]
    fore = [set(found.tolist()) & {TOE, TIP} for found in kinds]
    if all(fore) and not fore[0] & fore[1]:
        kinds = [np.where(found == TIP, TOE, found) for found in kinds]
    here, there = (np.where(np.isin(mine, theirs), mine, -1) for mine, theirs in (kinds, kinds[::-1]))
    return here, there


def carry_contacts(
    contacts: Contacts, kinds: Int[np.ndarray, " points"], onto: Contacts, onto_kinds: Int[np.ndarray, " others"]
) -> Contacts:
    """Let the feet of one body stand when those of another do, whose frames are the same.

    Args:
        contacts: When the feet stand.
        kinds: Kind of each of their points, as `match_feet` returns it.
        onto: Contacts of the body that takes them over: its points, heights, speeds and standing heights are kept.
        onto_kinds: Kind of each of its points.

    Returns:
        `onto`, each of its points standing when one of the same side and kind does; those that have none like them never.

    Raises:
        InputError: On different numbers of frames.
    """
    if len(contacts.in_contact) != len(onto.in_contact):
        raise InputError(f"both bodies need the same frames; got {len(contacts.in_contact)} and {len(onto.in_contact)}")
    alike = (contacts.sides[:, None] == onto.sides) & (kinds[:, None] == onto_kinds) & (kinds[:, None] >= 0)
    return replace(onto, in_contact=np.asarray((contacts.in_contact @ alike).astype(np.bool_)))


def foot_kinds(skeleton: Skeleton) -> Int[np.ndarray, " points"]:
    """Return of what kind each foot point is, ANKLE, TOE, TIP or HEEL, in the order of `Contacts.names`."""
    found = find_anatomy(skeleton).joints
    joints, ends, _ = foot_points(skeleton)
    feet = [found[side + "foot"] for side in SIDES if side + "foot" in found]
    toes = [found[side + "toe"] for side in SIDES if side + "toe" in found and found[side + "toe"] not in feet]
    kinds = [ANKLE if joint in feet else TOE if joint in toes else TIP for joint in joints]
    return np.array(kinds + [HEEL if _is_heel(skeleton, end, feet, bool(toes)) else TIP for end in ends], dtype=np.int64)


def _is_heel(skeleton: Skeleton, end: int, feet: list[int], has_toes: bool) -> bool:
    """Tell whether an end site is a heel.

    It is under an ankle with a toe joint; else straight below the ankle while the skeleton stands in its zero pose (the shin
    goes on, against the trunk); else across the middle from the farthest end site.
    """
    ankle = int(skeleton.end_site_parents[end])
    if ankle not in feet or has_toes:
        return ankle in feet
    found, offset = find_anatomy(skeleton).joints, skeleton.end_site_offsets[end]
    trunk = skeleton.offsets[found["chest"]] if "chest" in found else np.zeros(3)
    if _along(offset, skeleton.offsets[ankle]) > BELOW and _along(offset, trunk) < -BELOW:
        return True
    offsets = skeleton.end_site_offsets[skeleton.end_site_parents == ankle]
    middle = offsets.mean(axis=0)
    farthest = offsets[np.linalg.norm(offsets, axis=1).argmax()]
    return bool((offset - middle) @ (farthest - middle) < 0.0)


def _along(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine between two offsets, 0 where one is null."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0.0 else 0.0


def _standing_heights(heights: np.ndarray, speeds: np.ndarray, sides: np.ndarray, num_joints: int, scale: float) -> np.ndarray:
    frames, points = heights.shape
    if not frames or not points:
        return np.zeros(points)
    weights = 1.0 / (1.0 + (speeds / (SLOW * scale)) ** 2)
    order = np.argsort(heights, axis=0)
    summed = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)
    at = np.argmax(summed >= 0.1 * summed[-1], axis=0)
    standing = np.take_along_axis(np.take_along_axis(heights, order, axis=0), at[None], axis=0)[0]
    for group in (np.arange(num_joints), np.arange(num_joints, points)):
        left, right = group[sides[group] > 0], group[sides[group] < 0]
        if len(left) == len(right):
            lower = np.minimum(standing[left], standing[right])
            for side in (left, right):
                standing[side] = np.where(standing[side] > lower + APART * scale, lower, standing[side])
    return np.asarray(standing)


def _hysteresis(enter: np.ndarray, leave: np.ndarray) -> np.ndarray:
    """State after the last event along the first axis: on after `enter`, off after `leave`; it begins with off."""
    frames = np.arange(len(enter))[:, None]
    entered = np.maximum.accumulate(np.where(enter & ~leave, frames, -1), axis=0)
    left = np.maximum.accumulate(np.where(leave, frames, -1), axis=0)
    return np.asarray(entered > left)


def _without_short_runs(state: np.ndarray, shortest: int) -> np.ndarray:
    """Close gaps, then drop contacts, of fewer than `shortest` frames; runs at the clip's ends are left alone."""
    state = state.copy()
    for column in range(state.shape[1]):
        for value in (False, True):
            edges = np.flatnonzero(np.diff(state[:, column])) + 1
            for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
                if stop - start < shortest and state[start, column] == value:
                    state[start:stop, column] = not value
    return state
