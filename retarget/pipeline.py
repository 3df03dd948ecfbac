"""Put a motion on another skeleton: match, align, carry over, place, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import find_anatomy
from kinematics.body import measure_body
from kinematics.contacts import foot_contacts
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import rotation_to_y_up
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.standardize import standardize
from retarget.errors import RetargetError
from retarget.joint_map import JointMap
from retarget.match import match, require_body
from retarget.report import RetargetReport, bone_direction_errors
from retarget.rest_pose import RestPose, find_rest_pose, zero_pose_frame
from retarget.transfer import align, carry_hips, transfer_rotations

STILL = np.radians(1.0)  # a joint that turns less than this in a clip is at rest in it
STRETCH = 0.01  # share of the leg by which joints may leave their rest offset unmentioned
SURE = 0.9  # an up axis less certain than this is mentioned
NEAR_GROUND = 0.15  # share of the leg within which standing feet are taken to be on the ground at height 0
ENOUGH = 10  # frames of a target's clip that tell how high its feet stand


@dataclass(frozen=True)
class Retargeted:
    """A retargeted clip.

    Attributes:
        motion: The result on the target skeleton, in the target's own unit, axes and channel layout.
        joint_map: Which source joint drives which target joint, and why.
        report: Numbers and warnings.
    """

    motion: Motion
    joint_map: JointMap
    report: RetargetReport


@dataclass(frozen=True, eq=False)
class _Body:
    """One side of a retarget: rigid bones in the file's own unit, and what its clip looks like in metres with Y up."""

    skeleton: Skeleton
    clip: Motion
    transforms: GlobalTransforms
    rest: RestPose
    to_y_up: Float[np.ndarray, " 4"]
    metres_per_unit: float
    warnings: tuple[str, ...]

    @property
    def joints(self) -> Mapping[str, int]:
        """Joint of each body part."""
        return find_anatomy(self.skeleton).joints

    @property
    def legs(self) -> tuple[int, int]:
        """The two hip joints."""
        return self.joints["left_thigh"], self.joints["right_thigh"]

    @property
    def leg_length(self) -> float:
        """Thigh and shin in the file's unit, mean of both sides."""
        where = self.rest.global_positions
        chain = [[where[self.joints[side + part]] for part in ("thigh", "shin", "foot")] for side in ("left_", "right_")]
        return float(np.linalg.norm(np.diff(chain, axis=1), axis=-1).sum()) / 2


def retarget(motion: Motion, target: Skeleton | Motion, *, joint_map: JointMap | None = None) -> Retargeted:
    """Put a motion on another skeleton.

    Args:
        motion: The clip, in its file's own unit and axes.
        target: The skeleton that shall move; or a clip of it, which tells its rest pose, unit and up axis where the zero
            pose does not.
        joint_map: Which joint drives which, as `match` returns it, edited or not; by default `match(motion, target)`.

    Returns:
        The motion on the target skeleton, in the target's own unit, axes and channel layout, with the map and a report.

    Raises:
        RetargetError: Where there are no frames, one of the skeletons is no body with two legs, or a body is mirrored.
        UnknownNameError: Where the map names a joint that does not exist.
    """
    if not motion.num_frames:
        raise RetargetError("the motion has no frames, so there is nothing to retarget")
    if joint_map is None:
        joint_map = match(motion, target)
    skeleton = target.skeleton if isinstance(target, Motion) else target
    joint_map.require_joints(motion.skeleton, skeleton)
    ours, theirs = _body(motion, "source"), _body(target, "target")
    alignment = align(joint_map, ours.rest, theirs.rest)
    local = transfer_rotations(ours.transforms.global_rotations, alignment, theirs.skeleton, _resting(theirs))
    scale = theirs.leg_length / ours.leg_length  # the target's units per unit of the source
    hips = scale / ours.metres_per_unit * ours.transforms.global_positions[:, ours.legs].mean(axis=1)
    upright = Motion(theirs.skeleton, np.zeros_like(hips), local, motion.frame_time)
    carrier = _carrier(theirs.skeleton, joint_map)
    upright = carry_hips(upright, theirs.legs, hips, carrier=carrier)
    shift = 0.0 if alignment.same_body else _height_missing(ours, theirs, upright, scale / ours.metres_per_unit)
    hips[:, 1] += shift
    upright = carry_hips(upright, theirs.legs, hips, carrier=carrier)
    report = RetargetReport(
        frames=motion.num_frames,
        mapped=len(joint_map),
        target_joints=skeleton.num_joints,
        root_scale=scale * theirs.metres_per_unit / ours.metres_per_unit,
        height_shift=shift / theirs.leg_length,
        same_body=alignment.same_body,
        source_rest=ours.rest.origin,
        target_rest=theirs.rest.origin,
        bone_directions=bone_direction_errors(ours.transforms, forward_kinematics(upright), ours.rest, theirs.rest),
        warnings=(*ours.warnings, *theirs.warnings, *_missing(ours, theirs, joint_map)),
    )
    return Retargeted(_from_y_up(upright, theirs.to_y_up), joint_map, report)


def _body(given: Skeleton | Motion, which: str) -> _Body:
    """Make bones rigid, find the world and the rest pose."""
    warnings = []
    motion = given if isinstance(given, Motion) else _zero_pose_motion(given)
    skeleton = motion.skeleton
    require_body(skeleton, find_anatomy(skeleton), which)
    if motion.local_positions is not None and motion.num_frames:
        skeleton, stretch = _rigid(motion)
        if stretch > STRETCH:
            warnings.append(f"the {which}'s bones change by up to {stretch:.0%} of the leg; rest lengths are their medians")
    found = standardize(motion)
    world, clip = found.report, found.motion
    transforms = forward_kinematics(clip)
    rest = find_rest_pose(skeleton, transforms if motion.num_frames else None)
    if world.up.confidence < SURE:
        warnings.append(f"the {which}'s up axis is a guess: {world.up}")
    if not rest.is_certain:
        warnings.append(
            f"the {which}'s zero pose is no standing body and no clip of it was given, so the twist of its limbs is a guess; "
            "give a clip instead of the bare skeleton"
        )
    to_y_up = rotation_to_y_up(world.up.value)
    return _Body(skeleton, clip, transforms, rest, to_y_up, world.metres_per_unit, tuple(warnings))


def _zero_pose_motion(skeleton: Skeleton) -> Motion:
    """Return one frame of the zero pose where that is a standing body, else no frame."""
    frames = 0 if zero_pose_frame(skeleton) is None else 1
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    return Motion(skeleton, np.zeros((frames, 3)), rotations, 1.0 / 30.0)


def _rigid(motion: Motion) -> tuple[Skeleton, float]:
    """Return the skeleton with median offsets, and how far joints leave them, as a share of the body's extent."""
    assert motion.local_positions is not None
    offsets = np.median(motion.local_positions, axis=0)
    offsets[0] = motion.skeleton.offsets[0]
    away = np.linalg.norm(motion.local_positions[:, 1:] - offsets[1:], axis=-1).max(initial=0.0)
    size = measure_body(motion).leg_length
    return motion.skeleton.with_offsets(offsets), float(away / size) if size > 0 else 0.0


def _resting(body: _Body) -> Float[np.ndarray, "joints 4"]:
    """Local rotation of each joint while nothing drives it; the root's in a world with Y up.

    The one it keeps through the clip; the zero pose where it moves; the clip's mean where the zero pose is no pose.
    """
    resting = np.tile(quaternion.IDENTITY, (body.skeleton.num_joints, 1))
    resting[0] = body.to_y_up
    if body.clip.num_frames:
        mean = quaternion.mean(body.clip.local_rotations)
        still = quaternion.angle_between(mean, body.clip.local_rotations).max(axis=0) < STILL
        kept = still if body.rest.origin == "zero pose" else np.ones_like(still)
        resting[kept] = mean[kept]
    return resting


def _carrier(skeleton: Skeleton, joint_map: JointMap) -> int:
    """Return the joint whose position moves the body: the root, or the pelvis below a resting root where a file can say so."""
    pelvis = find_anatomy(skeleton).joints["pelvis"]
    driven = {pair.target for pair in joint_map.pairs}
    above = [skeleton.joint_names[joint] for joint in skeleton.ancestors(pelvis)]
    channels = skeleton.layout.channels[pelvis] if skeleton.layout is not None else ()
    moves = {"Xposition", "Yposition", "Zposition"} <= set(channels)
    return pelvis if above and moves and not driven.intersection(above) else 0


def _height_missing(ours: _Body, theirs: _Body, result: Motion, scale: float) -> float:
    """How far to raise the result so that its feet stand on the source's ground as high as in the target's own clip.

    The ground is at height 0 where the source's feet stand near it, else where they stand. Where the target has no clip to tell
    how high its lowest joints are above its soles, they stand as high as the source's.

    Args:
        ours: The source.
        theirs: The target.
        result: The result with Y up, in the target's unit.
        scale: The target's units for a metre of the source.
    """
    here, there, now = foot_contacts(ours.clip, transforms=ours.transforms), foot_contacts(theirs.clip), foot_contacts(result)
    near = NEAR_GROUND * ours.leg_length * ours.metres_per_unit
    ground = 0.0 if abs(here.floor) < near else here.floor
    clearance = max(there.floor / theirs.metres_per_unit, 0.0)
    if theirs.clip.num_frames < ENOUGH or clearance > NEAR_GROUND * theirs.leg_length:
        if len(here.names) <= 2 or len(now.names) <= 2:
            return 0.0  # ankles only on one side: they already stand as high as the source's
        clearance = scale * (here.floor - ground)
    return scale * ground + clearance - now.floor


def _from_y_up(motion: Motion, to_y_up: Float[np.ndarray, " 4"]) -> Motion:
    """Turn the world back into the file's."""
    back = quaternion.inverse(to_y_up)
    local = motion.local_rotations.copy()
    local[:, 0] = quaternion.multiply(back, local[:, 0])
    return replace(motion, root_positions=quaternion.rotate(back, motion.root_positions), local_rotations=local)


def _missing(ours: _Body, theirs: _Body, joint_map: JointMap) -> list[str]:
    """Say which parts of the source the target lacks, and which driven joints the target's file cannot turn."""
    notes = []
    lost = [role.replace("_", " ") for role in ours.joints if role not in theirs.joints]
    still = [role.replace("_", " ") for role in theirs.joints if role not in ours.joints]
    if lost:
        notes.append(f"the target has no {', '.join(lost)}")
    if still:
        notes.append(f"the source has no {', '.join(still)}")
    layout = theirs.skeleton.layout
    if layout is not None:
        driven = {theirs.skeleton.joint_index(pair.target) for pair in joint_map.pairs}
        stiff = [theirs.skeleton.joint_names[joint] for joint in sorted(driven) if len(set(layout.rotation_axes(joint))) < 2]
        if stiff:
            notes.append(f"the target's channels cannot hold every rotation of {', '.join(stiff)}")
    return notes
