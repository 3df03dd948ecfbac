"""Score a retargeted clip against its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics.anatomy import find_anatomy
from kinematics.body import measure_body
from kinematics.contacts import Contacts, foot_contacts, match_feet
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import Heading, heading
from kinematics.ik.limits import Limit
from kinematics.metrics import jerk, joint_turns, largest_turn, penetration, slide
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.standardize import standardize
from kinematics.world import inspect_world
from retarget.body import SURE, require_legs, rigid_skeleton
from retarget.config import PARTS, VELOCITY_LIMIT
from retarget.doll import SIDES, UP
from retarget.errors import RetargetError
from retarget.joint_map import JointMap
from retarget.partial import retargeted_joints
from retarget.report import bone_direction_errors
from retarget.rest_pose import RestPose, find_rest_pose
from retarget.score_bodies import common_parts, compare_key_bodies
from retarget.score_card import ClipScore, ScoreCard
from retarget.score_feet import compare_clearances, floating_feet, slide_fractions
from retarget.score_turns import first_frame, overstepping, speeding, turn_ratio
from retarget.stance import stand_as

SAME_TIME = 1e-3  # share by which frame times may differ: files round them
QUARTER = np.radians(15.0)  # of a quarter turn: files that face along another axis do so exactly, bodies nearly
STEADY = ("pelvis", "head", *(side + part for side, _ in SIDES for part in ("shin", "foot", "forearm", "hand")))  # for jerk
LOWER = ("pelvis", *(side + part for side, _ in SIDES for part in ("shin", "foot")))
LOWER_BONES = ("thigh", "shin", "foot")


@dataclass(frozen=True, eq=False)
class _Clip:
    """A clip in metres with Y up, and what all metrics need of it."""

    motion: Motion
    transforms: GlobalTransforms
    rest: RestPose
    contacts: Contacts
    turns: Float[np.ndarray, "steps joints"]  # of those that were retargeted, 0 of others
    height: float
    kept: Bool[np.ndarray, " joints"]  # which were retargeted


def score(
    source: Motion,
    result: Motion,
    *,
    joint_map: JointMap | None = None,
    target: Motion | None = None,
    limits: Mapping[str, Limit] | None = None,
    velocity_limit: float = VELOCITY_LIMIT,
    part: str = "whole",
    in_place: bool = False,
) -> ScoreCard:
    """Measure how good a retargeted clip is: feet, floor, likeness to the source, steadiness.

    Both clips may be in any unit and axes: they are brought to metres with Y up first. A result that faces along another axis
    of the floor, by whole quarter turns, is turned back; a note says so. Definitions and sources: docs/score.md.

    Args:
        source: The clip that was retargeted.
        result: The same frames on another body.
        joint_map: The map of the retarget, edited or not: its pairs stand in the place of the body parts that names and tree
            tell for key bodies and slide fractions.
        target: A clip of the result's skeleton that tells unit and up axis; by default the result tells them itself.
        limits: Joint limits of the result by joint name, where known.
        velocity_limit: Radians a second that no joint should exceed.
        part: Which part was retargeted, as in `RetargetConfig.part`; the rest, which is not the source's, is not looked at. An
            "upper" body is compared as seen from the pelvis, which is not the source's; feet and floor are not compared then.
        in_place: Whether the way over the ground was taken out, as `RetargetConfig.in_place` does: slide and path are not
            compared then.

    Returns:
        The numbers of both side by side; print it with rich, or take `.as_dict()`.

    Raises:
        InputError: On different numbers of frames, other frame times, no frames, a limit that is not positive.
        RetargetError: Where one of the two is no body with two legs, or is mirrored.
        UnknownNameError: Where the map or the limits name a joint that does not exist, or on an unknown part.
    """
    if part not in PARTS:
        raise UnknownNameError("part", part, PARTS)
    _require_same_frames(source, result)
    if not velocity_limit > 0.0:
        raise InputError(f"velocity_limit must be positive, in radians a second; got {velocity_limit}")
    notes: list[str] = []
    ours, theirs = _standard(source, None, "source", notes), _standard(result, target, "result", notes)
    seen, shown = forward_kinematics(ours), forward_kinematics(theirs)
    quarters = _quarters_apart(heading(ours, transforms=seen), heading(theirs, transforms=shown))
    if quarters and part != "upper":
        notes.append(
            f"the result faces {90 * quarters:+d} degrees from the source, as files of other axes do; it was turned back"
        )
        theirs = _turned_back(theirs, quarters)
        shown = forward_kinematics(theirs)
    one, other = _read(source, ours, seen, part), _read(result, theirs, shown, part)
    parts = common_parts(one.rest.skeleton, other.rest.skeleton, joint_map)
    like = one.transforms if part != "upper" else _on_pelvis(one, other)
    bodies = compare_key_bodies(like, other.transforms, parts, other.height, part)
    kinds = match_feet(one.motion.skeleton, other.motion.skeleton)
    stances = [stand_as(one.contacts, kinds[0], to.contacts, like) for to, like in zip((one, other), kinds, strict=True)]
    if part != "whole":
        notes.append(f"only the {part} body is compared; the rest is the target's own")
    if in_place:
        notes.append("the way over the ground was taken out; slide and path are not compared")
    if part != "upper" and not one.contacts.in_contact.any():
        notes.append("no foot of the source ever stands: the rows about stance say nothing")
    above, below = compare_clearances(stances[0], stances[1], bodies.leg_ratio)
    per_frame, per_second = slide_fractions(one.transforms, other.transforms, parts, bodies.leg_ratio, source.frame_time)
    steady = [parts[role] for role in STEADY if role in parts and (part == "whole" or (role in LOWER) == (part == "lower"))]
    joints: list[Int[np.ndarray, " joints"]] = [np.array([pair[which] for pair in steady]) for which in (0, 1)]
    columns = (
        _column(one, stances[0], joints[0], None, velocity_limit),
        _column(other, stances[1], joints[1], _own_limits(limits, other), velocity_limit),
    )
    return ScoreCard(
        frames=source.num_frames,
        frame_time=result.frame_time,
        source=columns[0],
        result=columns[1],
        key_bodies=bodies,
        bone_directions={
            bone: error
            for bone, error in bone_direction_errors(like, other.transforms, one.rest, other.rest).items()
            if part == "whole" or bone.endswith(LOWER_BONES) == (part == "lower")
        },
        floating=above,
        sinking=below,
        slide_per_frame=per_frame,
        slide_per_second=per_second,
        turn_ratio=turn_ratio(columns[0].largest_turn, columns[1].largest_turn),
        notes=tuple(notes),
        part=part,
        in_place=in_place,
    )


def _require_same_frames(source: Motion, result: Motion) -> None:
    """Refuse clips whose frames cannot be compared one by one."""
    if not source.num_frames or source.num_frames != result.num_frames:
        raise InputError(
            f"source and result are compared frame by frame and need the same frames, at least one; got {source.num_frames} "
            f"and {result.num_frames}: resample one of them (kinematics.edit.resample) or cut it first"
        )
    if abs(source.frame_time - result.frame_time) > SAME_TIME * source.frame_time:
        raise InputError(
            f"source and result need the same frame time; got {source.frame_time:.6g} s and {result.frame_time:.6g} s for "
            f"{source.num_frames} frames: set one of them (Motion.with_frame_time) or resample it (kinematics.edit.resample)"
        )


def _standard(motion: Motion, clip: Motion | None, which: str, notes: list[str]) -> Motion:
    """Return the motion in metres with Y up; `clip`, where there is one, tells unit and up axis."""
    require_legs(motion.skeleton, find_anatomy(motion.skeleton), which)
    world = inspect_world(motion if clip is None or not clip.num_frames else clip)
    if clip is None and world.handedness.value == "left-handed":
        raise RetargetError(
            f"the {which}'s body is mirrored ({world.handedness.reason}), so no number would mean what it says; mirror it back "
            "or swap left and right in its joint names"
        )
    if world.up.confidence < SURE:
        notes.append(f"the {which}'s up axis is a guess: {world.up}")
    return standardize(motion, unit=world.metres_per_unit, up=world.up.value, handedness="right").motion


def _quarters_apart(source: Heading, result: Heading) -> int:
    """Return by how many quarter turns about up two bodies face apart; 0 where it is no whole number of them."""
    mean = float(np.angle(np.exp(1j * (result.angles - source.angles)).mean()))
    quarters = round(mean / (0.5 * np.pi))
    return quarters if abs(mean - 0.5 * np.pi * quarters) <= QUARTER else 0


def _turned_back(motion: Motion, quarters: int) -> Motion:
    back = quaternion.from_axis_angle(UP, -0.5 * np.pi * quarters)
    rotations = motion.local_rotations.copy()
    rotations[:, 0] = quaternion.multiply(back, rotations[:, 0])
    return motion.with_root_positions(quaternion.rotate(back, motion.root_positions)).with_local_rotations(rotations)


def _read(given: Motion, motion: Motion, transforms: GlobalTransforms, part: str) -> _Clip:
    rest = find_rest_pose(rigid_skeleton(given)[0], transforms)
    contacts, kept = foot_contacts(motion, transforms=transforms), retargeted_joints(rest.skeleton, part)
    if part == "upper":
        contacts = replace(contacts, in_contact=np.zeros_like(contacts.in_contact))
    turns = joint_turns(motion)
    turns[:, ~kept] = 0.0
    return _Clip(motion, transforms, rest, contacts, turns, measure_body(motion).height, kept)


def _on_pelvis(one: _Clip, other: _Clip) -> GlobalTransforms:
    """Return the source turned in each frame until its pelvis has left the rest pose as the result's has."""
    away = []
    for clip in (one, other):
        pelvis = find_anatomy(clip.rest.skeleton).joints["pelvis"]
        turned = clip.transforms.global_rotations[:, pelvis]
        away.append(quaternion.multiply(turned, quaternion.inverse(clip.rest.global_rotations[pelvis])))
    turn, seen = quaternion.multiply(away[1], quaternion.inverse(away[0]))[:, None], one.transforms
    return GlobalTransforms(
        seen.skeleton,
        quaternion.rotate(turn, seen.global_positions),
        quaternion.multiply(turn, seen.global_rotations),
        quaternion.rotate(turn, seen.end_site_positions),
    )


def _own_limits(limits: Mapping[str, Limit] | None, clip: _Clip) -> Mapping[str, Limit] | None:
    """Leave out the limits of joints that were not retargeted."""
    skeleton = clip.motion.skeleton
    return limits and {name: limit for name, limit in limits.items() if clip.kept[skeleton.joint_index(name)]}


def _kept_places(clip: _Clip) -> GlobalTransforms:
    """Return where the joints are that were retargeted."""
    seen, kept = clip.transforms, clip.kept
    if kept.all():
        return seen
    ends = seen.end_site_positions[:, kept[seen.skeleton.end_site_parents]]
    return GlobalTransforms(seen.skeleton, seen.global_positions[:, kept], seen.global_rotations[:, kept], ends)


def _column(
    clip: _Clip,
    stance: Contacts,
    joints: Int[np.ndarray, " joints"],
    limits: Mapping[str, Limit] | None,
    velocity_limit: float,
) -> ClipScore:
    motion, transforms, above = clip.motion, clip.transforms, stance.clearances
    names = [motion.skeleton.joint_names[joint] for joint in joints.tolist()]
    return ClipScore(
        slide=slide(motion, contacts=stance, transforms=transforms),
        own_slide=slide(motion, contacts=clip.contacts, transforms=transforms),
        penetration=penetration(motion, floor=stance.floor, transforms=_kept_places(clip)),
        floating=floating_feet(above[np.isfinite(above)]),
        floor_cm=100.0 * stance.floor,
        jerk=jerk(motion, joints=names, transforms=transforms),
        largest_turn=largest_turn(motion, turns=clip.turns),
        first_frame=first_frame(clip.turns),
        speeding=speeding(clip.turns, motion, velocity_limit),
        overstepping=None if limits is None else overstepping(motion, limits),
    )
