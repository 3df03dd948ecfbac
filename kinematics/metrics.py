"""Numbers that say how good a motion is: sliding and floating feet, penetration, jerk, position error, bone drift.

All of them want a motion in metres (see `standardize`); `up` is its up axis. Speeds and heights of feet are told in
centimetres, as papers print them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinematics.body import measure_body
from kinematics.contacts import Contacts, foot_contacts, foot_names, foot_points, foot_positions
from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import up_axis
from kinematics.motion import Motion

ALIGNMENTS = ("world", "root")
BLOCK = 256  # frames


@dataclass(frozen=True)
class Slide:
    """How fast feet move along the floor while they stand.

    Attributes:
        mean_cm_s: Mean over all stance steps of both feet, 0 without any.
        p95_cm_s: 95th percentile.
        fraction: Share of stance steps faster than the threshold.
        threshold_cm_s: That threshold.
        stance_steps: Number of steps from frame to frame that were looked at, both feet together.
    """

    mean_cm_s: float
    p95_cm_s: float
    fraction: float
    threshold_cm_s: float
    stance_steps: int


@dataclass(frozen=True)
class Penetration:
    """How deep the body sinks into the floor.

    Attributes:
        fraction: Share of frames in which a joint or end site is deeper than the tolerance.
        mean_depth_cm: Mean depth of the lowest point in those frames, 0 without any.
        max_depth_cm: Largest depth in the clip, 0 where nothing is below the floor.
    """

    fraction: float
    mean_depth_cm: float
    max_depth_cm: float


@dataclass(frozen=True)
class Floating:
    """How high feet hang above the floor while they should stand.

    Attributes:
        fraction: Share of stance frames (both feet together) whose lowest foot point is above the tolerance.
        mean_height_cm: Mean height of that point in those frames, 0 without any.
        stance_frames: Number of stance frames, both feet together.
    """

    fraction: float
    mean_height_cm: float
    stance_frames: int


@dataclass(frozen=True)
class Jerk:
    """How unsteady the joints move, in m/s^3.

    Attributes:
        mean: Mean length of the jerk over frames and joints.
        p95: 95th percentile over frames and joints.
        max: Largest one.
    """

    mean: float
    p95: float
    max: float


@dataclass(frozen=True)
class PositionError:
    """How far joints are from where another motion has them.

    Attributes:
        mean_cm: Mean distance over frames and joints (MPJPE).
        max_cm: Largest distance.
        mean_percent: Mean distance in percent of the reference's body height.
        max_percent: Largest distance in percent of the reference's body height.
        worst_joint: Joint of the largest distance.
        worst_frame: Frame of the largest distance.
    """

    mean_cm: float
    max_cm: float
    mean_percent: float
    max_percent: float
    worst_joint: str
    worst_frame: int


@dataclass(frozen=True)
class BoneDrift:
    """How much bones change their length.

    Attributes:
        mean_percent: Mean over frames and bones of the deviation from the bone's median length, in percent of it.
        max_percent: Largest deviation.
        worst_joint: Joint at the end of that bone; "" where all bones are rigid.
    """

    mean_percent: float
    max_percent: float
    worst_joint: str


@dataclass(frozen=True)
class Turn:
    """The largest rotation of a joint, relative to its parent, from one frame to the next.

    Attributes:
        radians: Its angle, 0 to pi.
        joint: Which joint.
        frame: The later frame.
    """

    radians: float
    joint: str
    frame: int


def slide(
    motion: Motion,
    *,
    contacts: Contacts | None = None,
    threshold: float = 0.1,
    margin_s: float = 0.05,
    up: str = "Y",
    transforms: GlobalTransforms | None = None,
) -> Slide:
    """Measure foot sliding: horizontal speed of each foot's slowest standing point.

    A step counts where a point stands in both of its frames. A foot that rolls over its toe does not slide, so of all
    points that stand the slowest one speaks for the foot. This is "Skate" of PhysDiff (Yuan et al. 2023: mean horizontal
    displacement of foot joints in contact in two adjacent frames), told as a speed so that the frame rate has no part in
    it, and without the first and last `margin_s` of each stance, in which a foot rolls over its heel and lifts its toe.

    Args:
        motion: The clip, in metres.
        contacts: When feet stand: of this motion (the default) or, for a retargeted one, of its source. Where their points
            have other names, the foot stands, whichever of its points does; `contacts.carry_contacts` tells them apart.
        threshold: Metres per second above which a step counts as sliding.
        margin_s: Seconds at both ends of a stance that are left out.
        up: The world's up axis.
        transforms: Its forward kinematics where already known.

    Raises:
        InputError: Where `contacts` belong to another number of frames.
    """
    transforms = transforms or forward_kinematics(motion)
    contacts = contacts or foot_contacts(motion, up=up, transforms=transforms)
    _require_frames(contacts, motion)
    axis, (_, _, sides), same_points = up_axis(up), foot_points(motion.skeleton), contacts.names == foot_names(motion.skeleton)
    moved = np.diff(foot_positions(transforms), axis=0)
    moved -= (moved @ axis)[..., None] * axis
    speeds = np.sqrt(np.einsum("fpi,fpi->fp", moved, moved)) / motion.frame_time
    margin_frames = int(np.ceil(margin_s / motion.frame_time - 1e-9))
    steps = []
    for side in (1, -1):
        mine, theirs = sides == side, contacts.sides == side
        foot = _inside(np.asarray(contacts.in_contact[:, theirs].any(axis=1)), margin_frames)
        stands = contacts.in_contact[1:, theirs] & contacts.in_contact[:-1, theirs] & (foot[1:] & foot[:-1])[:, None]
        if not same_points:  # another skeleton: the foot stands, whichever of its points does
            stands = np.repeat(stands.any(axis=1)[:, None], int(mine.sum()), axis=1)
        slowest = np.where(stands, speeds[:, mine], np.inf).min(axis=1, initial=np.inf)
        steps.append(slowest[np.isfinite(slowest)])
    found = 100.0 * np.concatenate(steps)
    if not len(found):
        return Slide(0.0, 0.0, 0.0, 100.0 * threshold, 0)
    return Slide(
        mean_cm_s=float(found.mean()),
        p95_cm_s=float(np.quantile(found, 0.95)),
        fraction=float(np.mean(found > 100.0 * threshold)),
        threshold_cm_s=100.0 * threshold,
        stance_steps=len(found),
    )


def penetration(
    motion: Motion,
    *,
    floor: float | None = None,
    tolerance: float = 0.01,
    up: str = "Y",
    transforms: GlobalTransforms | None = None,
) -> Penetration:
    """Measure how often and how deep any joint or end site is below the floor.

    "Penetrate" of PhysDiff (Yuan et al. 2023: distance between the ground and the lowest point below it), with its share.

    Args:
        motion: The clip, in metres.
        floor: Height of the floor along up; by default where the feet stand (`contacts.foot_contacts`).
        tolerance: Metres below the floor that do not count.
        up: The world's up axis.
        transforms: Its forward kinematics where already known.
    """
    transforms = transforms or forward_kinematics(motion)
    if floor is None:
        floor = foot_contacts(motion, up=up, transforms=transforms).floor
    axis = up_axis(up)
    depths = floor - (transforms.global_positions @ axis).min(axis=1)
    if transforms.end_site_positions.shape[1]:
        depths = np.maximum(depths, floor - (transforms.end_site_positions @ axis).min(axis=1))
    deep = depths > tolerance
    return Penetration(
        fraction=float(deep.mean()) if len(deep) else 0.0,
        mean_depth_cm=100.0 * float(depths[deep].mean()) if deep.any() else 0.0,
        max_depth_cm=100.0 * float(depths.max(initial=0.0)),
    )


def floating(
    motion: Motion,
    *,
    contacts: Contacts | None = None,
    floor: float | None = None,
    tolerance: float = 0.01,
    up: str = "Y",
    transforms: GlobalTransforms | None = None,
) -> Floating:
    """Measure how often and how high a foot hangs above the floor while it should stand.

    A foot's height is that of its lowest standing point, each less the height at which that point stands above the lowest
    one: an ankle over a heel that stands is not in the air.

    After "Float" of PhysDiff (Yuan et al. 2023), which takes all frames and so counts jumps as well.

    Args:
        motion: The clip, in metres.
        contacts: When feet should stand: of this motion (the default) or of the source of a retargeted one. Where their
            points have other names, all points of a foot stand when one does; `contacts.carry_contacts` tells them apart.
        floor: Height of the floor along up; by default where the feet stand, as in `penetration`.
        tolerance: Metres above the floor that do not count.
        up: The world's up axis.
        transforms: Its forward kinematics where already known.

    Raises:
        InputError: Where `contacts` belong to another number of frames.
    """
    own = foot_contacts(motion, up=up, transforms=transforms)
    if contacts is not None:
        _require_frames(contacts, motion)
        stands = contacts.in_contact
        if contacts.names != own.names:
            stands = np.where(own.sides > 0, contacts.left[:, None], contacts.right[:, None])
        own = replace(own, in_contact=stands)
    above = own.clearances
    above = above[np.isfinite(above)] + (0.0 if floor is None else own.floor - floor)
    high = above > tolerance
    return Floating(
        fraction=float(high.mean()) if len(above) else 0.0,
        mean_height_cm=100.0 * float(above[high].mean()) if high.any() else 0.0,
        stance_frames=len(above),
    )


def jerk(motion: Motion, *, joints: Sequence[str] | None = None, transforms: GlobalTransforms | None = None) -> Jerk:
    """Measure jerk, the third derivative of the joints' global positions, in m/s^3.

    Third differences over four frames (Flash and Hogan, "The coordination of arm movements", 1985, take its square as
    what a smooth movement makes small). It grows with the cube of the frame rate where there is noise: compare clips of
    one rate. Zero for fewer than four frames.

    Args:
        motion: The clip, in metres.
        joints: Names of the joints that count; by default all.
        transforms: Its forward kinematics where already known.

    Raises:
        UnknownNameError: On a name that no joint has.
    """
    where = (transforms or forward_kinematics(motion)).global_positions
    if joints is not None:
        where = where[:, [motion.skeleton.joint_index(name) for name in joints]]
    third = np.diff(where, n=3, axis=0) / motion.frame_time**3
    found = np.linalg.norm(third, axis=-1)
    if not found.size:
        return Jerk(0.0, 0.0, 0.0)
    return Jerk(float(found.mean()), float(np.quantile(found, 0.95)), float(found.max()))


def position_error(
    motion: Motion, reference: Motion, *, pairs: Mapping[str, str] | None = None, align: str = "world"
) -> PositionError:
    """Measure the distance of joints between two motions (MPJPE; Ionescu et al., "Human3.6M", 2014).

    Args:
        motion: The clip, in metres.
        reference: The truth, in metres, with as many frames.
        pairs: Joint or end site of `motion` -> that of `reference`; by default the joints with equal names.
        align: "world" compares global positions; "root" takes the roots' positions out first, not their rotations.

    Raises:
        InputError: On different numbers of frames, no frames, no pair, or an unknown alignment.
        UnknownNameError: On a name that one of the motions does not have.
    """
    if align not in ALIGNMENTS:
        raise InputError(f"align must be one of {', '.join(ALIGNMENTS)}; got {align!r}")
    if motion.num_frames != reference.num_frames or not motion.num_frames:
        raise InputError(f"both motions need the same frames, at least one; got {motion.num_frames} and {reference.num_frames}")
    if pairs is None:
        theirs = set(reference.skeleton.joint_names)
        pairs = {name: name for name in motion.skeleton.joint_names if name in theirs}
    if not pairs:
        raise InputError("the motions share no joint name; say with `pairs` which joint belongs to which")
    here, there = forward_kinematics(motion), forward_kinematics(reference)
    gaps = np.stack([here.position(mine) - there.position(other) for mine, other in pairs.items()], axis=1)
    if align == "root":
        gaps = gaps - (motion.root_positions - reference.root_positions)[:, None]
    distances = np.linalg.norm(gaps, axis=-1)
    frame, joint = np.unravel_index(int(distances.argmax()), distances.shape)
    mean, largest, height = float(distances.mean()), float(distances.max()), measure_body(reference).height
    percent = 100.0 / height if height > 0.0 else 0.0
    return PositionError(100.0 * mean, 100.0 * largest, percent * mean, percent * largest, list(pairs)[int(joint)], int(frame))


def bone_length_drift(motion: Motion) -> BoneDrift:
    """Measure how much bones stretch; zero for a motion whose bones are rigid.

    Bones without length are left out.

    Args:
        motion: The clip, in any unit.
    """
    nothing = BoneDrift(0.0, 0.0, "")
    if motion.local_positions is None or not motion.num_frames or motion.skeleton.num_joints < 2:
        return nothing
    lengths = np.linalg.norm(motion.local_positions[:, 1:], axis=-1)
    usual = np.median(lengths, axis=0)
    bones = np.flatnonzero(usual > 1e-9 * usual.max(initial=0.0))
    if not len(bones):
        return nothing
    drift = 100.0 * np.abs(lengths[:, bones] / usual[bones] - 1.0)
    worst = int(drift.max(axis=0).argmax())
    largest = float(drift.max())
    return BoneDrift(float(drift.mean()), largest, motion.skeleton.joint_names[1 + int(bones[worst])] if largest > 0.0 else "")


def joint_turns(motion: Motion) -> Float[np.ndarray, "steps joints"]:
    """Return by which angle each joint turns against its parent from frame to frame, radians, 0 to pi; the root in the world.

    From the distance between unit quaternions, |q_t+1 -+ q_t| = 2 sin(angle / 4), which is exact for small angles as well.

    Args:
        motion: The clip, in any unit.

    Returns:
        Angles, shape (frames - 1, joints).
    """
    rotations = motion.local_rotations
    angles = np.empty((max(len(rotations) - 1, 0), rotations.shape[1]))
    for start in range(0, len(angles), BLOCK):  # block by block, which stays in the cache
        stop = min(start + BLOCK, len(angles))
        before, after = rotations[start:stop], rotations[start + 1 : stop + 1]
        signs = np.where(np.einsum("fji,fji->fj", before, after) < 0.0, -1.0, 1.0)
        apart = after - signs[..., None] * before
        np.arcsin(np.minimum(0.5 * np.sqrt(np.einsum("fji,fji->fj", apart, apart)), 1.0), out=angles[start:stop])
    angles *= 4.0
    return angles


def largest_turn(motion: Motion, *, turns: Float[np.ndarray, "steps joints"] | None = None) -> Turn:
    """Find the largest rotation of a joint between neighbouring frames; of the root in the world.

    Args:
        motion: The clip, in any unit.
        turns: Its `joint_turns` where already known.
    """
    angles = joint_turns(motion) if turns is None else turns
    if not angles.size:
        return Turn(0.0, motion.skeleton.joint_names[0], 0)
    frame, joint = np.unravel_index(int(angles.argmax()), angles.shape)
    return Turn(float(angles[frame, joint]), motion.skeleton.joint_names[int(joint)], int(frame) + 1)


def _inside(flags: np.ndarray, margin: int) -> np.ndarray:
    """Take `margin` frames off both ends of each run; ends of the clip are no ends of a run."""
    margin = min(margin, len(flags))
    padded = np.concatenate([np.ones(margin, bool), flags, np.ones(margin, bool)])
    sums = np.concatenate([[0], np.cumsum(padded)])
    return np.asarray(sums[2 * margin + 1 :] - sums[: len(flags)] == 2 * margin + 1)


def _require_frames(contacts: Contacts, motion: Motion) -> None:
    if len(contacts.in_contact) != motion.num_frames:
        raise InputError(f"contacts have {len(contacts.in_contact)} frames, the motion has {motion.num_frames}")
