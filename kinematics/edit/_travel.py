"""The path of a body over the ground, and a motion with that path taken off or put on.

The path has a point of the ground plane and an angle about up for each frame. Seen from it, a walk is a walk on the spot;
its steps, told in the path's own frame, can be mixed, tiled and added up again (Kovar, Gleicher and Pighin, "Motion
graphs", 2002, section 3.2, aligns clips by the same three numbers).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import find_anatomy
from kinematics.forward import forward_kinematics
from kinematics.frames import heading, up_axis
from kinematics.motion import Motion
from kinematics.rotations import quaternion


@dataclass(frozen=True, eq=False)
class Path:
    """Where the body is on the ground and how far it has turned.

    Attributes:
        up: Unit up axis, shape (3,).
        ground: Points of the plane through the origin across up, shape (frames, 3).
        angles: Unwrapped angles about up in radians, shape (frames,).
    """

    up: Float[np.ndarray, " 3"]
    ground: Float[np.ndarray, "frames 3"]
    angles: Float[np.ndarray, " frames"]


def find_path(motion: Motion, up: str) -> Path:
    """Return the path of the pelvis (of the root where there is none) and the heading of the body."""
    axis = up_axis(up)
    transforms = forward_kinematics(motion)
    where = transforms.global_positions[:, body_joint(motion)]
    return Path(axis, on_ground(where, axis), heading(motion, up=up, transforms=transforms).angles)


def body_joint(motion: Motion) -> int:
    """Return the joint that moves with the body: the pelvis, or the root where none is found."""
    return find_anatomy(motion.skeleton).joints.get("pelvis", 0)


def on_ground(points: Float[np.ndarray, "*batch 3"], up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "*batch 3"]:
    """Drop points onto the plane through the origin across up."""
    return np.asarray(points - (points @ up)[..., None] * up)


def turn(motion: Motion, up: Float[np.ndarray, " 3"], radians: float, shift: Float[np.ndarray, " 3"]) -> Motion:
    """Turn the whole clip about the up axis through the origin, then shift it."""
    rotation = quaternion.from_axis_angle(up, radians)
    return _with_root(
        motion,
        quaternion.rotate(rotation, motion.root_positions) + shift,
        quaternion.multiply(rotation, motion.local_rotations[:, 0]),
    )


def leave(motion: Motion, path: Path) -> Motion:
    """Express the clip in the frame of its path, so that it moves on the spot."""
    inverse = quaternion.from_axis_angle(path.up, -path.angles)
    return _with_root(
        motion,
        quaternion.rotate(inverse, motion.root_positions - path.ground),
        quaternion.multiply(inverse, motion.local_rotations[:, 0]),
    )


def follow(motion: Motion, path: Path) -> Motion:
    """Put a clip that moves on the spot onto a path; the inverse of `leave`."""
    rotation = quaternion.from_axis_angle(path.up, path.angles)
    return _with_root(
        motion,
        quaternion.rotate(rotation, motion.root_positions) + path.ground,
        quaternion.multiply(rotation, motion.local_rotations[:, 0]),
    )


def steps(path: Path) -> tuple[Float[np.ndarray, "steps 3"], Float[np.ndarray, " steps"]]:
    """Return the step from each frame to the next, on the ground in the frame of the path, and its turn in radians."""
    inverse = quaternion.from_axis_angle(path.up, -path.angles[:-1])
    return quaternion.rotate(inverse, np.diff(path.ground, axis=0)), np.diff(path.angles)


def walk(path: Path, strides: Float[np.ndarray, "steps 3"], turns: Float[np.ndarray, " steps"]) -> Path:
    """Add steps up from the first frame of `path`; the inverse of `steps`."""
    angles = np.concatenate([path.angles[:1], path.angles[0] + np.cumsum(turns)])
    moved = quaternion.rotate(quaternion.from_axis_angle(path.up, angles[:-1]), strides)
    return Path(path.up, np.concatenate([path.ground[:1], path.ground[0] + np.cumsum(moved, axis=0)]), angles)


def _with_root(motion: Motion, positions: np.ndarray, rotations: np.ndarray) -> Motion:
    local_rotations = motion.local_rotations.copy()
    local_rotations[:, 0] = rotations
    return replace(motion, root_positions=positions, local_rotations=local_rotations)
