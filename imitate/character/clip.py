"""A clip as characters are made from: metres, Y up, rigid bones, its parts known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.errors import ImitationError
from kinematics.anatomy import Anatomy, find_anatomy_in_clip, stands_on_four, with_anatomy
from kinematics.body import measure_body
from kinematics.edit import bake_positions
from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import heading
from kinematics.glitches import artificial_start
from kinematics.ik.neutral import find_neutral_pose
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.standardize import standardize

MOST_FRAMES = 300  # are looked at to fit a body
RARE = 2.5  # how many times more than a root mean square a single frame may be without telling more
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip in the project's world, a sample of its frames, and what its skeleton is.

    Attributes:
        motion: All frames, metres, Y up, rigid bones.
        sample: At most 300 of them, without a pose that was added in front.
        seen: Where the joints are in the sample.
        anatomy: Parts of the body.
        height: Metres; of what is no person its largest extent.
        turns: By how much each joint turns from its mean rotation: root mean square, or a share of the most where that is
            more, radians, shape (joints,).
    """

    motion: Motion
    sample: Motion
    seen: GlobalTransforms
    anatomy: Anatomy
    height: float
    turns: Float[np.ndarray, " joints"]


def as_world(motion: Motion, skeleton: Skeleton | None = None, *, standardized: bool = False) -> Motion:
    """Return a clip in metres with Y up and rigid bones, on a given skeleton of the same joints.

    Raises:
        ImitationError: Where it is no Motion, has no frames, or has other joints.
        InputError: Where the body is mirrored.
    """
    if not isinstance(motion, Motion):
        raise ImitationError(f"a Motion is needed, got {type(motion).__name__}; load a file first: kinematics.load_motion")
    if not motion.num_frames:
        raise ImitationError("the clip has no frames")
    world = bake_positions(motion if standardized else standardize(motion).motion)[0]
    if skeleton is None:
        return world
    own = world.skeleton
    if own.joint_names != skeleton.joint_names or not np.array_equal(own.parents, skeleton.parents):
        raise ImitationError(
            f"the clip is of another skeleton: {own.num_joints} joints ({', '.join(own.joint_names[:3])} ...), the body was made "
            f"from {skeleton.num_joints} ({', '.join(skeleton.joint_names[:3])} ...); retarget the clip to it first"
        )
    return world.with_skeleton(skeleton)


def read_clip(motion: Motion) -> Clip:
    """Read a clip of any convention.

    Raises:
        ImitationError: On anything that is no clip of a body.
        InputError: Where the body is mirrored.
    """
    world = as_world(motion)
    anatomy = find_anatomy_in_clip(world)
    world = world.with_skeleton(with_anatomy(world.skeleton, anatomy))
    shown = world[artificial_start(world) :]
    sample = shown[:: -(-shown.num_frames // MOST_FRAMES)]
    seen = forward_kinematics(sample)
    relative = quaternion.multiply(quaternion.inverse(quaternion.mean(sample.local_rotations)), sample.local_rotations)
    angles = quaternion.angle(relative)
    turns = np.maximum(np.sqrt(np.square(angles).mean(axis=0)), angles.max(axis=0) / RARE)
    four = anatomy.is_human and bool(stands_on_four(anatomy, seen.global_positions).mean() > 0.5)
    person = anatomy.is_human and not four
    extent = float(np.median(np.ptp(seen.global_positions, axis=1).max(axis=1)))
    height = measure_body(world).height if person else extent
    if height < 1e-3:
        raise ImitationError(
            f"the skeleton is {height:g} m large after conversion to metres; nothing of that size can be simulated"
        )
    return Clip(world, sample, seen, anatomy, height, turns)


def resting_rotations(clip: Clip, *, person: bool) -> Float[np.ndarray, "joints 4"]:
    """Return how each joint is turned when the body stands facing +Z: the anatomical position, else the clip's mean pose.

    Global rotations, unit quaternions wxyz, shape (joints, 4).
    """
    if person:
        try:
            return find_neutral_pose(clip.motion).rotations
        except InputError:
            pass  # neither its zero pose nor the clip stands upright
    angles = heading(clip.sample, transforms=clip.seen).angles
    turned = quaternion.from_axis_angle(UP, -angles)
    return quaternion.mean(quaternion.multiply(turned[:, None], clip.seen.global_rotations))
