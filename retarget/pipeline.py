"""Put a motion on another skeleton: match, align, carry over, place, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
from jaxtyping import Float

from kinematics._arrays import hand_over
from kinematics.anatomy import find_anatomy
from kinematics.contacts import foot_contacts, match_feet
from kinematics.edit import in_place
from kinematics.forward import forward_kinematics
from kinematics.ik.limits import clamp
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.body import Body, read_body
from retarget.config import RetargetConfig, as_config
from retarget.doll import UP
from retarget.errors import RetargetError
from retarget.footing import keep_footing
from retarget.given_rest import with_rest
from retarget.joint_map import JointMap
from retarget.match import match
from retarget.partial import keep_own, retargeted_joints
from retarget.report import DirectionError, RetargetReport, bone_direction_errors
from retarget.robots.model import Robot
from retarget.solve import bend, hold
from retarget.speeds import limit_speed, report_speed
from retarget.stance import sole_heights, sole_level, stand_as
from retarget.transfer import align, carry, transfer_rotations

NEAR_GROUND = 0.15  # share of the leg within which standing feet are taken to be on the ground at height 0
STRAY = 15.0  # degrees by which a bone may miss its direction, beyond the skeletons' build, unmentioned
STRANGE = 60.0  # degrees between the same bone of two bodies at rest that no build explains
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


def retarget(
    motion: Motion,
    target: Skeleton | Motion | Robot,
    *,
    joint_map: JointMap | None = None,
    config: RetargetConfig | str = "feet",
    rest: Motion | Pose | int | None = None,
    target_rest: Motion | Pose | int | None = None,
) -> Retargeted:
    """Put a motion on another skeleton.

    Rotations are carried over; then legs bend so that feet stand where and as the source's do, and arms so that hands near
    the body keep their distance to it. Between two skeletons of one body nothing has to be mended, and nothing is.

    Args:
        motion: The clip, in its file's own unit and axes.
        target: The skeleton that shall move; or a clip of it, which tells its rest pose, unit and up axis where the zero
            pose does not, and how high its feet stand; or a robot (`retarget.robots.load_robot`), whose hinges follow inside
            their limits of angle and speed.
        joint_map: Which joint drives which, as `match` returns it, edited or not; by default `match(motion, target)`.
        config: What is kept beside the rotations; or the name of a preset out of `PRESETS`: "faithful" keeps the rotations
            alone, "feet" (the default) plants feet and keeps hands by the body, "style" plants feet and leaves arms alone.
        rest: How the source's body stands at rest (T, A, arms down), where that shall not be found: a pose of its skeleton, a
            clip whose first frame is one, or the number of such a frame of `motion` itself.
        target_rest: The same of the target, a skeleton or a clip; a robot has its own.

    Returns:
        The motion on the target skeleton, in the target's own unit, axes and channel layout, with the map and a report.

    Raises:
        RetargetError: Where there are no frames, no pairs, one of the two is no body with two legs, a body is mirrored, or a rest
            pose given is none, or of another skeleton.
        UnknownNameError: Where the map, the limits or the pins name a joint that does not exist, or on an unknown preset.
    """
    if rest is not None and isinstance(motion, Motion):
        motion = with_rest(motion, rest, "source")
    if isinstance(target, Robot):
        if target_rest is not None:
            raise RetargetError(f"the rest pose of {target.name!r} is its hinges' zero; leave target_rest out for a robot")
        from retarget.robots.solve import retarget_to_robot  # which retargets to the robot's twin first

        return retarget_to_robot(motion, target, joint_map=joint_map, config=config)
    config = as_config(config)
    for which, given, kinds in (("motion", motion, Motion), ("target", target, Motion | Skeleton)):
        if not isinstance(given, kinds):
            load = "; load the file first: kinematics.load_motion" if isinstance(given, str | PathLike) else ""
            raise RetargetError(f"the {which} must be a motion{' or a skeleton' * (which == 'target')}, got {given!r}{load}")
    if not motion.num_frames:
        raise RetargetError("the motion has no frames, so there is nothing to retarget")
    if target_rest is not None:
        target = with_rest(target, target_rest, "target")
    joint_map = match(motion, target) if joint_map is None else joint_map
    source_body, target_body = read_body(motion, "source"), read_body(target, "target")
    joint_map.require_joints(source_body.skeleton, target_body.skeleton)
    alignment = align(joint_map, source_body.rest, target_body.rest)
    local_rotations = transfer_rotations(
        source_body.transforms.global_rotations, alignment, target_body.skeleton, target_body.resting_rotations()
    )
    leg_ratio = target_body.leg_length / (source_body.leg_length * source_body.metres_per_unit)  # target's units per metre
    hips = leg_ratio * source_body.transforms.global_positions[:, source_body.hips].mean(axis=1)
    draft = Motion(target_body.skeleton, np.zeros_like(hips), hand_over(local_rotations), motion.frame_time)
    del local_rotations  # the motion has it: long clips must not be held twice
    draft = draft.with_root_positions(hips - forward_kinematics(draft).global_positions[:, target_body.hips].mean(axis=1))
    draft = clamp(draft, config.limits) if config.limits else draft
    kept, fastest = retargeted_joints(target_body.skeleton, config.part), config.velocity_limit_rad_s
    free = None if fastest is None else draft
    if fastest is not None:
        draft, early = limit_speed(draft, fastest, kept)  # so that feet are planned on legs that are slow enough
    rise = 0.0
    if not alignment.same_body:
        held = [draft]
        del draft
        draft = bend(held.pop(), source_body, leg_ratio, config)  # nobody else holds it while arms bend
        rise = _missing_height(source_body, target_body, draft, leg_ratio)
        draft = draft.with_root_positions(draft.root_positions + rise * UP)
    if fastest is not None and config.feet and config.part == "whole":
        slower, late = limit_speed(draft, fastest, kept)
        if slower is not draft:
            draft, early = keep_footing(draft, slower, source_body, 1.0 / target_body.metres_per_unit), early | late
    bones = bone_direction_errors(source_body.transforms, forward_kinematics(draft), source_body.rest, target_body.rest)
    moving = _carrier(target_body.skeleton, joint_map)
    if moving:
        draft = _carry_below(draft, moving)
    report = RetargetReport(
        frames=motion.num_frames,
        mapped=len(joint_map),
        target_joints=target_body.skeleton.num_joints,
        root_scale=leg_ratio * target_body.metres_per_unit,
        height_shift=rise / target_body.leg_length,
        same_body=alignment.same_body,
        source_rest=source_body.rest.origin,
        target_rest=target_body.rest.origin,
        bone_directions=bones,
        speed=None,
        warnings=(*source_body.warnings, *target_body.warnings, *_lost(source_body, target_body, joint_map), *_strayed(bones)),
    )
    result = keep_own(_from_y_up(in_place(draft) if config.in_place else draft, target_body.to_y_up), target, config.part)
    result, missed = hold(result, config.pins, config.limits, target_body.leg_length)
    speed = None
    if fastest is not None and free is not None:
        result, late = limit_speed(result, fastest, kept)
        speed = report_speed(free, fastest, kept, early | late)
    return Retargeted(result, joint_map, replace(report, speed=speed, warnings=(*report.warnings, *missed)))


def _carry_below(motion: Motion, carrier: int) -> Motion:
    """Let a joint below the root make the way that the root makes, which then rests at the origin."""
    resting = motion.with_root_positions(np.zeros_like(motion.root_positions))
    return carry(resting, forward_kinematics(resting), motion.root_positions, carrier=carrier)


def _carrier(skeleton: Skeleton, joint_map: JointMap) -> int:
    """Return the joint whose position moves the body: the root, or the pelvis below a resting root where a file can say so."""
    pelvis = find_anatomy(skeleton).joints["pelvis"]
    driven = {pair.target for pair in joint_map.pairs}
    above = [skeleton.joint_names[joint] for joint in skeleton.ancestors(pelvis)]
    channels = skeleton.layout.channels[pelvis] if skeleton.layout is not None else ()
    moves = {"Xposition", "Yposition", "Zposition"} <= set(channels)
    return pelvis if above and moves and not driven.intersection(above) else 0


def _missing_height(source: Body, target: Body, result: Motion, leg_ratio: float) -> float:
    """How far to raise the result so that its feet stand on the source's ground as high as in the target's own clip.

    The ground is at height 0 where the source's feet stand near it, else where they stand. Where the target has no clip to
    tell how high its lowest joints are above its soles, they stand as high as the source's.

    Args:
        source: The source.
        target: The target.
        result: The result with Y up, in the target's unit.
        leg_ratio: The target's units for a metre of the source.
    """
    seen, own, feet = foot_contacts(source.clip, transforms=source.transforms), foot_contacts(target.clip), foot_contacts(result)
    kinds, own_kinds = match_feet(source.skeleton, target.skeleton)
    shape = sole_heights(target.rest)
    now, own = sole_level(stand_as(seen, kinds, feet, own_kinds), shape), stand_as(own, own_kinds, own, own_kinds)
    ground = 0.0 if abs(seen.floor) < NEAR_GROUND * source.leg_length * source.metres_per_unit else seen.floor
    clearance = max(sole_level(own, shape * target.metres_per_unit) / target.metres_per_unit, 0.0) if own.names else 0.0
    if target.clip.num_frames < ENOUGH or clearance > NEAR_GROUND * target.leg_length:
        if len(seen.names) <= 2 or len(feet.names) <= 2:
            return 0.0  # ankles only on one side: they already stand as high as the source's
        clearance = leg_ratio * (sole_level(seen, sole_heights(source.rest) * source.metres_per_unit) - ground)
    return leg_ratio * ground + clearance - now


def _from_y_up(motion: Motion, to_y_up: Float[np.ndarray, " 4"]) -> Motion:
    """Turn a world with Y up back into the file's."""
    if np.array_equal(to_y_up, quaternion.IDENTITY):
        return motion
    back = quaternion.inverse(to_y_up)
    local_rotations = motion.local_rotations.copy()
    local_rotations[:, 0] = quaternion.multiply(back, local_rotations[:, 0])
    root_positions = quaternion.rotate(back, motion.root_positions)
    return replace(motion, root_positions=root_positions, local_rotations=hand_over(local_rotations))


def _lost(source: Body, target: Body, joint_map: JointMap) -> list[str]:
    """Say which body parts one side lacks, and which driven joints the target's file cannot turn."""
    notes = []
    for which, one, other in (("target", source, target), ("source", target, source)):
        parts = [role.replace("_", " ") for role in one.joints if role not in other.joints]
        if parts:
            notes.append(f"the {which} has no {', '.join(parts)}")
    layout = target.skeleton.layout
    if layout is not None:
        driven = {target.skeleton.joint_index(pair.target) for pair in joint_map.pairs}
        stiff = [target.skeleton.joint_names[joint] for joint in sorted(driven) if len(set(layout.rotation_axes(joint))) < 2]
        if stiff:
            notes.append(f"the target's channels cannot hold every rotation of {', '.join(stiff)}")
    return notes


def _strayed(bones: Mapping[str, DirectionError]) -> list[str]:
    """Say which bones do not follow the source: a sign of a wrong map, or of bones that bend where the other has no joint."""
    stray = [
        name.replace("_", " ")
        for name, error in bones.items()
        if error.mean_degrees - error.build_degrees > STRAY or error.build_degrees > STRANGE
    ]
    return [f"{', '.join(stray)} miss their direction by more than {STRAY:.0f} degrees; look at the joint map"] if stray else []
