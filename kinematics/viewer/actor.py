"""A clip on stage: in metres with Y up, where every joint is in each frame, and the body that stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from kinematics.anatomy import find_anatomy
from kinematics.contacts import foot_contacts, foot_positions
from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import rotation_to_y_up, up_axis
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.viewer.body import Body, make_body
from kinematics.viewer.rows import as_motion, default_titles
from kinematics.world import WorldReport, inspect_world

SURE = 0.5  # confidence from which on a unit is believed
UNKNOWN_SIZE = 1.75  # metres that something of unknown unit is shown as large as
FLOOR_TOLERANCE = 0.06  # body heights between the floor of a clip and zero within which zero is the floor
FARTHEST = 1e6  # metres
GAP = 0.3  # body heights left free between bodies that stand side by side


@dataclass(frozen=True, eq=False)
class Actor:
    """A clip, ready to be shown. The stage has metres, Y up, and its floor at zero.

    Attributes:
        motion: The clip as given, in its own unit and axes; of a pose one frame, of a clip without frames its zero pose.
        title: What it is called.
        world: What its unit and axes are taken to be.
        unit: "m", or "units" where the clip's unit is not known; then the body is shown 1.75 m large.
        scale: Metres of the stage in one unit of the clip.
        turn: Rotation from the clip's axes to the stage's, wxyz, shape (4,).
        offset: Where the clip's origin is on the stage, metres, shape (3,).
        positions: Joints on the stage, metres, shape (frames, joints, 3).
        rotations: Joints' orientations on the stage, unit quaternions wxyz, shape (frames, joints, 4).
        end_positions: End sites on the stage, metres, shape (frames, ends, 3).
        body: Its meshes.
    """

    motion: Motion
    title: str
    world: WorldReport
    unit: str
    scale: float
    turn: Float[np.ndarray, "4"]
    offset: Float[np.ndarray, "3"]
    positions: Float[np.ndarray, "frames joints 3"]
    rotations: Float[np.ndarray, "frames joints 4"]
    end_positions: Float[np.ndarray, "frames ends 3"]
    body: Body

    @property
    def root(self) -> int:
        """The joint that cameras follow: the pelvis where it is known."""
        return find_anatomy(self.motion.skeleton).joints.get("pelvis", 0)

    @cached_property
    def contacts(self) -> tuple[Float[np.ndarray, "frames points 3"], Bool[np.ndarray, "frames points"]]:
        """Points of the feet on the stage, and whether each stands on the floor."""
        up = self.world.up.value
        transforms = forward_kinematics(self.motion)
        found = foot_contacts(self.motion, up=up, transforms=transforms)
        return self.to_stage(foot_positions(transforms)), found.in_contact

    def to_stage(self, points: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
        """Return points of the clip's world on the stage."""
        return np.asarray(self.scale * quaternion.rotate(self.turn, points) + self.offset)

    def from_stage(self, points: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
        """Return points of the stage in the clip's unit and axes."""
        return np.asarray(quaternion.rotate(quaternion.inverse(self.turn), (points - self.offset) / self.scale))


def make_actor(clip: Motion | Pose, *, title: str | None = None, like: Actor | None = None) -> Actor:
    """Bring a clip on stage: infer its unit and up axis, place every joint, and give it a body.

    Args:
        clip: A motion or pose in any unit and axes.
        title: What it is called; its file's name by default.
        like: An actor whose unit, axes and place on the stage it shares: the same clip before an edit, or another root of its
            file. By default they are inferred, and the clip's floor is brought to height zero.

    Raises:
        InputError: On a clip whose joints are farther away than numbers can show.
    """
    motion = as_motion(clip)
    if not motion.num_frames:
        skeleton = motion.skeleton
        rest = np.tile(quaternion.IDENTITY, (1, skeleton.num_joints, 1))
        motion = Motion(skeleton, skeleton.offsets[:1], rest, motion.frame_time, source=motion.source)
    world = inspect_world(motion) if like is None else _given(motion, like)
    known = world.is_body and world.unit.confidence > SURE
    extent = world.body_height / world.metres_per_unit
    scale = world.metres_per_unit if known else UNKNOWN_SIZE / extent if extent > 0.0 else 1.0
    scale = scale if like is None else like.scale
    turn, up = rotation_to_y_up(world.up.value), world.up.value
    transforms = forward_kinematics(motion)
    if not np.abs(transforms.global_positions).max() * scale < FARTHEST:
        raise InputError("this clip has joints more than 1000 km away; `python -m kinematics doctor` tells which")
    floor = _find_floor(motion, transforms, up, extent) if like is None else -float(like.offset[1]) / scale
    offset = np.array([0.0, -scale * floor, 0.0]) if like is None else like.offset

    def to_stage(points: np.ndarray) -> np.ndarray:
        return np.asarray(scale * quaternion.rotate(turn, points) + offset)

    same = like is not None and like.motion.skeleton.allclose(motion.skeleton)
    return Actor(
        motion=motion,
        title=default_titles([motion])[0] if title is None else title,
        world=world,
        unit=like.unit if like is not None else "m" if known else "units",
        scale=scale,
        turn=turn,
        offset=offset,
        positions=to_stage(transforms.global_positions),
        rotations=quaternion.multiply(turn, transforms.global_rotations),
        end_positions=to_stage(transforms.end_site_positions),
        body=like.body if same and like is not None else make_body(motion, up=up, scale=scale, floor=floor),
    )


def make_actors(clips: Sequence[Motion | Pose], *, titles: Sequence[str] | None = None, same_world: bool = False) -> list[Actor]:
    """Bring clips on stage, the roots of one file with one unit, one up axis and one floor: those of its clearest body.

    Args:
        clips: Motions or poses in any unit and axes.
        titles: What each is called; their files' names by default.
        same_world: Take unit, up axis and floor of all from the first: a body that lies on the floor tells none of them.

    Raises:
        InputError: As `make_actor`.
    """
    motions = [as_motion(clip) for clip in clips]
    named = default_titles(motions) if titles is None else titles
    if same_world and motions:
        lead = make_actor(motions[0], title=named[0])
        return [lead, *(make_actor(motions[k], title=named[k], like=lead) for k in range(1, len(motions)))]
    actors: dict[int, Actor] = {}
    for group in file_groups(motions):
        found = [make_actor(motions[k], title=named[k]) for k in group]
        first = max(found, key=lambda actor: (actor.world.is_body, actor.unit == "m", actor.body.height))
        for k, actor in zip(group, found, strict=True):
            actors[k] = actor if actor is first else make_actor(motions[k], title=named[k], like=first)
    return [actors[k] for k in range(len(motions))]


def file_groups(motions: Sequence[Motion]) -> list[list[int]]:
    """Return the indices of motions that are roots of one file together, all others alone, in order."""
    groups: list[list[int]] = []
    for k, motion in enumerate(motions):
        for group in groups:
            if all(_is_beside(motions[other], motion) for other in group):
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def _is_beside(one: Motion, other: Motion) -> bool:
    """Tell whether two motions are different roots of one file."""
    return (
        one.source.path == other.source.path != ""
        and (one.num_frames, one.frame_time) == (other.num_frames, other.frame_time)
        and one.skeleton.joint_names[0] != other.skeleton.joint_names[0]
    )


def _given(motion: Motion, like: Actor) -> WorldReport:
    """Return the world of a clip that stands in another one's."""
    if motion.skeleton.allclose(like.motion.skeleton):
        return like.world
    own = inspect_world(motion, unit=like.world.metres_per_unit, up=like.world.up.value)
    return replace(own, unit=like.world.unit, up=like.world.up)


def arrange(actors: Sequence[Actor], *, side_by_side: bool = True) -> list[Actor]:
    """Place actors on one stage: beside each other with the ways they go free of one another, or all as their clips say.

    The roots of one file stay together.
    """
    placed = list(actors)
    free = -np.inf
    for group in file_groups([actor.motion for actor in actors]) if side_by_side else ():
        gap = GAP * max(actors[k].body.height for k in group)
        low = min(float(actors[k].positions[..., 0].min()) for k in group)
        high = max(float(actors[k].positions[..., 0].max()) for k in group)
        shift = max(free + gap - low, 0.0) if np.isfinite(free) else 0.0
        free = max(free, high + shift + gap)
        along = np.array([shift, 0.0, 0.0])
        for k in group:
            actor = actors[k]
            placed[k] = replace(
                actor,
                offset=actor.offset + along,
                positions=actor.positions + along,
                end_positions=actor.end_positions + along,
            )
    return placed


def _find_floor(motion: Motion, transforms: GlobalTransforms, up: str, extent: float) -> float:
    """Return the height of the floor along up in the clip's unit: zero where the feet stand near it."""
    contacts = foot_contacts(motion, up=up, transforms=transforms)
    if contacts.in_contact.any():
        floor = contacts.floor
    else:
        points = np.concatenate([transforms.global_positions, transforms.end_site_positions], axis=1)
        floor = float(np.percentile((points @ up_axis(up)).min(axis=1), 5))
    return 0.0 if abs(floor) < FLOOR_TOLERANCE * extent else floor
