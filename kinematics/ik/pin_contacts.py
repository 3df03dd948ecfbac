"""Feet that stand still where they stand: slide taken out of a clip, the rest left close to what it was.

After Kovar, Schreiner and Gleicher, "Footskate cleanup for motion capture editing" (2002): first the path of each foot, then
legs that follow it. Here a foot's path is a least-squares problem over the whole clip, and the legs are a smooth
`ik.Problem`, whose root gives way where a leg would have to be longer than it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays
from kinematics.anatomy import SIDES, common_ancestor, find_anatomy, path_between
from kinematics.contacts import Contacts, foot_contacts, foot_positions
from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import up_axis
from kinematics.ik.foot_paths import FootPath, plan_paths, standing_points
from kinematics.ik.goals import Goal, transform
from kinematics.ik.problem import Problem
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

AWAY_S = 2.0  # farther than this from all contacts frames stay bit for bit
ROOT_STIFFNESS = 25.0  # legs come first
SMOOTHNESS = 0.03  # enough to keep knees from popping next to straight legs


@dataclass(frozen=True)
class PinnedFoot:
    """What became of one foot, in the motion's unit.

    Attributes:
        name: Its ankle joint.
        stance_steps: Steps from frame to frame in which it is pinned wholly.
        slide_before: Mean horizontal speed in those steps of the point of the foot that stands stillest, per second.
        slide_after: The same in the new motion.
        largest_shift: How far the foot's path was moved at most.
        largest_turn: How far the foot was turned about up at most, radians.
    """

    name: str
    stance_steps: int
    slide_before: float
    slide_after: float
    largest_shift: float
    largest_turn: float


@dataclass(frozen=True, eq=False)
class Pinned(FrozenArrays):
    """A clip whose feet stand still.

    Attributes:
        motion: The new clip.
        contacts: When its feet were taken to stand.
        feet: What became of each foot; none where the skeleton has no legs.
        root_shift: How far the root was moved in each frame, in the motion's unit, shape (frames, 3).
    """

    motion: Motion
    contacts: Contacts
    feet: tuple[PinnedFoot, ...]
    root_shift: Float[np.ndarray, "frames 3"]

    def __repr__(self) -> str:
        """Return a short summary."""
        feet = ", ".join(f"{foot.name} {foot.slide_before:.3g} -> {foot.slide_after:.3g} per s" for foot in self.feet)
        return f"Pinned({self.motion.num_frames} frames; slide {feet})" if feet else "Pinned(no feet)"


def pin_contacts(
    motion: Motion, *, contacts: Contacts | None = None, ease_s: float = 0.07, sink: float = 0.02, up: str = "Y"
) -> Pinned:
    """Take the slide out of feet that stand.

    While a foot stands, the point of it that moves least is held at its place on the floor, eased in and out over `ease_s`;
    heel and toes both, where both stand still. A rolling foot goes on rolling. In the air a foot comes back to the clip's
    path, in time for the next stance. Heights are the clip's. Thighs, knees and ankles bend so that the feet get there; the
    hips move a little where a leg is too short; everything above them keeps its rotations, and frames that are farther than
    2 s from all contacts stay bit for bit. A skeleton without legs is left as it is.

    Args:
        motion: The clip, in any unit.
        contacts: When points of the feet stand; by default `kinematics.contacts.foot_contacts` of this clip. Those of another
            skeleton will do, such as those of the clip that this one was retargeted from: feet with other points stand as
            a whole.
        ease_s: Seconds at both ends of a stance within which a foot comes to rest and leaves.
        sink: Metres, of a body of 1.75 m, that a standing point may lie below the height at which it usually stands before
            the foot is lifted.
        up: The world's up axis.

    Raises:
        InputError: On contacts of another number of frames, or lengths and times that are negative.
        UnknownNameError: On an unknown axis.
    """
    if not (math.isfinite(ease_s) and ease_s >= 0.0 and sink >= 0.0):
        raise InputError(f"ease_s and sink must be 0 or more, got {ease_s} and {sink}")
    if not isinstance(motion, Motion):
        raise InputError(f"ik.pin_contacts takes a Motion, got {type(motion).__name__}")
    transforms = forward_kinematics(motion)
    own = foot_contacts(motion, up=up, transforms=transforms)
    contacts = own if contacts is None else contacts
    if len(contacts.in_contact) != motion.num_frames:
        raise InputError(f"contacts have {len(contacts.in_contact)} frames, the motion has {motion.num_frames}")
    paths = plan_paths(transforms, own, standing_points(contacts, own), motion.frame_time, ease_s, sink, up_axis(up))
    if not paths:
        return Pinned(motion, contacts, (), np.zeros((motion.num_frames, 3)))
    pinned = _follow(motion, transforms, paths, up_axis(up))
    far = _far_from_contacts(contacts, motion.frame_time)
    if far.any():
        roots, rotations = pinned.root_positions.copy(), pinned.local_rotations.copy()
        roots[far], rotations[far] = motion.root_positions[far], motion.local_rotations[far]
        pinned = pinned.with_root_positions(roots).with_local_rotations(rotations)
    before, after = foot_positions(transforms), foot_positions(forward_kinematics(pinned))
    feet = tuple(
        PinnedFoot(
            name=motion.skeleton.joint_names[path.ankle],
            stance_steps=int(path.wholly.sum()),
            slide_before=_slide(before, path, motion.frame_time, up_axis(up)),
            slide_after=_slide(after, path, motion.frame_time, up_axis(up)),
            largest_shift=float(np.linalg.norm(path.shifts, axis=1).max()),
            largest_turn=float(np.abs(path.turns).max()),
        )
        for path in paths
    )
    return Pinned(pinned, contacts, feet, pinned.root_positions - motion.root_positions)


def _follow(motion: Motion, transforms: GlobalTransforms, paths: list[FootPath], axis: np.ndarray) -> Motion:
    """Bring the feet to their paths with the legs, and with the root where legs do not reach."""
    skeleton = motion.skeleton
    goals: dict[str, Goal] = {}
    legs: set[int] = set()
    for path in paths:
        rotations = quaternion.multiply(quaternion.from_axis_angle(axis, path.turns), transforms.global_rotations[:, path.ankle])
        points = transforms.global_positions[:, path.ankle] + path.shifts
        goals[skeleton.joint_names[path.ankle]] = transform(points, rotations)
        legs |= _leg(skeleton, path.ankle)
    stiffness = {name: math.inf for joint, name in enumerate(skeleton.joint_names) if joint not in legs}
    stiffness[skeleton.joint_names[0]] = ROOT_STIFFNESS
    problem = Problem(skeleton, goals, root="translation", stiffness=stiffness)
    result = problem.solve(motion, over_time="smooth", smoothness=SMOOTHNESS)
    return motion.with_root_positions(result.root_positions).with_local_rotations(result.local_rotations)


def _leg(skeleton: Skeleton, ankle: int) -> set[int]:
    """Return the joints of a leg, from the hip's socket to the ankle."""
    found = find_anatomy(skeleton).joints
    for prefix in SIDES:
        if found.get(prefix + "foot") == ankle and prefix + "thigh" in found:
            return set(path_between(skeleton, found[prefix + "thigh"], ankle))
    feet = [found[prefix + "foot"] for prefix in SIDES if prefix + "foot" in found]
    above = {0, common_ancestor(skeleton, feet)} if len(feet) == 2 else {0}
    return {ankle, *skeleton.ancestors(ankle)} - above - {a for top in above for a in skeleton.ancestors(top)}


def _far_from_contacts(contacts: Contacts, frame_time: float) -> np.ndarray:
    """Tell which frames are farther than AWAY_S from every contact, (frames,)."""
    times = np.flatnonzero(contacts.in_contact.any(axis=1)) * frame_time
    here = np.arange(len(contacts.in_contact)) * frame_time
    after = np.searchsorted(times, here)
    padded = np.concatenate([[-np.inf], times, [np.inf]])
    return np.asarray(np.minimum(here - padded[after], padded[after + 1] - here) > AWAY_S)


def _slide(where: np.ndarray, path: FootPath, frame_time: float, axis: np.ndarray) -> float:
    """Return the mean speed along the floor of a foot's slowest standing point over the steps that are pinned wholly."""
    steps = np.diff(where[:, path.points], axis=0)
    speeds = np.linalg.norm(steps - (steps @ axis)[..., None] * axis, axis=-1) / frame_time
    slowest = np.where(path.stands, speeds, np.inf).min(axis=1)[path.wholly]
    return float(slowest.mean()) if len(slowest) else 0.0
