"""One side of a retarget: its bones, its world, its rest pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import Anatomy, find_anatomy, find_anatomy_in_clip, with_anatomy
from kinematics.body import measure_body
from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import rotation_to_y_up
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.standardize import standardize
from kinematics.world import inspect_world
from retarget.doll import SIDES
from retarget.errors import RetargetError
from retarget.given_rest import given_rest
from retarget.rest_pose import RestPose, find_rest_pose, rest_of_pose, zero_pose_frame

STILL = np.radians(1.0)  # a joint that turns less than this in a clip is at rest in it
STRETCH = 0.01  # share of the leg by which joints may leave their rest offset unmentioned
REPAIRS = 3  # of a file that are told in words
SURE = 0.9  # an up axis less certain than this is mentioned

SHORT = 2000  # frames; the bodies of clips as short are kept as long as the clips are
_BODIES: WeakKeyDictionary[Motion, dict[str, Body]] = WeakKeyDictionary()
_RIGID: WeakKeyDictionary[Motion, tuple[Skeleton, float]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Body:
    """A skeleton that is ready to be retargeted from or to.

    Attributes:
        skeleton: The skeleton with rigid bones, in its file's own unit.
        clip: Its motion in metres with Y up; without frames where there is none.
        transforms: Forward kinematics of `clip`.
        rest: Its rest pose, in the file's own unit.
        to_y_up: The rotation (wxyz) from its file's world to one with Y up, shape (4,).
        metres_per_unit: Factor from the file's unit to metres.
        warnings: What was guessed, one sentence each.
        given_rest: The rest pose that the caller gave, on `skeleton`; None without one.
    """

    skeleton: Skeleton
    clip: Motion
    transforms: GlobalTransforms
    rest: RestPose
    to_y_up: Float[np.ndarray, " 4"]
    metres_per_unit: float
    warnings: tuple[str, ...]
    given_rest: Pose | None = None

    @property
    def joints(self) -> Mapping[str, int]:
        """Joint of each body part."""
        return find_anatomy(self.skeleton).joints

    @property
    def hips(self) -> tuple[int, int]:
        """The two joints at the hip sockets."""
        return self.joints["left_thigh"], self.joints["right_thigh"]

    @property
    def leg_length(self) -> float:
        """Thigh and shin in the file's unit, mean of both sides."""
        where = self.rest.global_positions
        chains = [[where[self.joints[side + part]] for part in ("thigh", "shin", "foot")] for side, _ in SIDES]
        return float(np.linalg.norm(np.diff(chains, axis=1), axis=-1).sum()) / len(chains)

    def resting_rotations(self) -> Float[np.ndarray, "joints 4"]:
        """Return the local rotation of each joint while nothing drives it; the root's in a world with Y up.

        It is the one that the joint keeps through the clip; for a joint that moves, that of the rest pose given, else the zero
        pose, or the clip's mean where the zero pose is no pose.
        """
        resting = np.tile(quaternion.IDENTITY, (self.skeleton.num_joints, 1))
        if self.given_rest is not None:
            resting[:] = self.given_rest.local_rotations
        resting[0] = self.to_y_up
        if self.clip.num_frames:
            mean = quaternion.mean(self.clip.local_rotations)
            still = quaternion.angle_between(mean, self.clip.local_rotations).max(axis=0) < STILL
            kept = still if self.rest.origin in ("given pose", "zero pose") else np.ones_like(still)
            resting[kept] = mean[kept]
        return resting


def read_body(given: Skeleton | Motion, which: str) -> Body:
    """Find bones, world and rest pose.

    Args:
        given: A skeleton, or a clip of it.
        which: "source" or "target", for messages.

    Raises:
        RetargetError: Where it is no body with two legs, or a mirrored one, or a rest pose given is none.
    """
    if isinstance(given, Skeleton):
        return _read_skeleton(given, which)
    if given.num_frames > SHORT:
        return _read(given, which)
    kept = _BODIES.setdefault(given, {})
    if which not in kept:
        body = _read(given, which)
        kept[which] = replace(body, clip=replace(body.clip)) if body.clip is given else body  # what is kept must not keep its key
    return kept[which]


@lru_cache(maxsize=64)
def _read_skeleton(given: Skeleton, which: str) -> Body:
    return _read(given, which)


def _read(given: Skeleton | Motion, which: str) -> Body:
    skeleton, stretch = rigid_skeleton(given)
    require_legs(skeleton, find_anatomy(skeleton), which)
    pose = given_rest(given, skeleton, which)
    motion = given if isinstance(given, Motion) and given.num_frames else _standing_motion(skeleton, pose)
    try:
        found = standardize(motion)
    except InputError as error:
        if inspect_world(motion).handedness.value != "left-handed":
            raise
        raise RetargetError(
            f"the {which}'s body is mirrored, as a left-handed file read as right-handed is; a reflection is never "
            "retargeted: export it again right-handed, or swap left and right in its joint names"
        ) from error
    clip = found.motion
    if not find_anatomy(skeleton).by_names:  # left and right stay as they were understood
        clip = replace(clip, skeleton=with_anatomy(clip.skeleton, find_anatomy(skeleton)))
    transforms = forward_kinematics(clip)
    rest = find_rest_pose(skeleton, transforms) if pose is None else rest_of_pose(pose, which)
    warnings = told_repairs(given, f"the {which}'s file")
    if stretch > STRETCH:
        warnings.append(f"the {which}'s joints leave their places by up to {stretch:.0%} of the leg; their median is taken")
    if found.report.up.confidence < SURE:
        warnings.append(f"the {which}'s up axis is a guess: {found.report.up}")
    if not rest.is_certain:
        warnings.append(
            f"the {which}'s zero pose is no standing body and no clip of it was given, so the twist of its limbs is a guess; "
            "give a clip instead of the bare skeleton, or a rest pose"
        )
    to_y_up = rotation_to_y_up(found.report.up.value)
    return Body(skeleton, clip, transforms, rest, to_y_up, found.report.metres_per_unit, tuple(warnings), pose)


def told_repairs(given: Skeleton | Motion, file: str) -> list[str]:
    """Say what had to be repaired when a file was read: one sentence, or none.

    Args:
        given: What was read.
        file: What the sentence calls the file.
    """
    repairs = given.source.repairs if isinstance(given, Motion) else ()
    more = f", and {len(repairs) - REPAIRS} more" if len(repairs) > REPAIRS else ""
    return [f"{file} was repaired: {'; '.join(map(str, repairs[:REPAIRS]))}{more}"] if repairs else []


def rigid_skeleton(given: Skeleton | Motion) -> tuple[Skeleton, float]:
    """Return the skeleton with what its clip shows, and how far joints leave their places as a share of the leg.

    The clip shows the offsets of joints that move by position channels, where knees and elbows are, and which side of a body
    is its left where names do not tell (`kinematics.anatomy.find_anatomy_in_clip`).
    """
    if isinstance(given, Skeleton):
        return given, 0.0
    found = _RIGID.get(given)
    if found is None:
        skeleton, stretch = _rigid_skeleton(given)
        static, seen = find_anatomy(given.skeleton), find_anatomy_in_clip(given)
        if skeleton is not given.skeleton or seen.joints != static.joints or seen.sides != static.sides:
            skeleton = with_anatomy(skeleton, seen)
        found = _RIGID[given] = (skeleton, stretch)
    return found


def _rigid_skeleton(given: Motion) -> tuple[Skeleton, float]:
    if given.local_positions is None or not given.num_frames:
        return given.skeleton, 0.0
    offsets = np.median(given.local_positions, axis=0)
    offsets[0] = given.skeleton.offsets[0]
    away = float(np.linalg.norm(given.local_positions[:, 1:] - offsets[1:], axis=-1).max(initial=0.0))
    leg = measure_body(given).leg_length
    return given.skeleton.with_offsets(offsets), away / leg if leg > 0 else 0.0


def require_legs(skeleton: Skeleton, anatomy: Anatomy, which: str) -> None:
    """Refuse a skeleton without two legs.

    Raises:
        RetargetError: Naming the parts found and the parts missing.
    """
    if anatomy.has_legs and "pelvis" in anatomy.joints:
        return
    needed = ["pelvis", *(side + part for side, _ in SIDES for part in ("thigh", "shin", "foot"))]
    missing = ", ".join(role.replace("_", " ") for role in needed if role not in anatomy.joints)
    found = ", ".join(role.replace("_", " ") for role in anatomy.joints) or "no body part"
    names = ", ".join(skeleton.joint_names[:8]) + (", ..." if skeleton.num_joints > 8 else "")
    raise RetargetError(
        f"the {which} is not a body with two legs: in its joints ({names}) {found} was found, and {missing} is missing"
    )


def _standing_motion(skeleton: Skeleton, pose: Pose | None) -> Motion:
    """Return one frame of the rest pose given, else of the zero pose where that is a standing body, else no frame."""
    if pose is not None:
        return Motion(skeleton, pose.root_positions[None], pose.local_rotations[None], 1.0 / 30.0)
    frames = 0 if zero_pose_frame(skeleton) is None else 1
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    return Motion(skeleton, np.zeros((frames, 3)), rotations, 1.0 / 30.0)
