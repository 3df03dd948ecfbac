"""Where a body stands and which way it faces: heading about the up axis, and coordinates in the facing frame.

The heading is zero where the body faces the forward axis of the world: +Z where Y is up (left hand towards +X), -Y where
Z is up; `rotation_to_y_up` turns the one into the other. Positive headings turn to the left, right-handed about up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from kinematics._arrays import FrozenArrays, frozen
from kinematics.anatomy import Anatomy, find_anatomy
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion, swing_twist

UP_AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")
CERTAIN = 0.25  # least share of the hip and shoulder lines that must lie across the up axis


@dataclass(frozen=True, eq=False)
class Heading(FrozenArrays):
    """Which way the body faces in each frame.

    Attributes:
        up: Name of the world's up axis, out of `UP_AXES`.
        angles: Heading about up in radians, unwrapped (turning round twice ends at 4 pi), shape (frames,).
        directions: Unit facing direction, global, across up, shape (frames, 3).
        rotations: The turn about up by `angles`, unit quaternions wxyz, shape (frames, 4).
        positions: The root's global position put on the plane through the origin across up, in the motion's unit,
            shape (frames, 3).
        certain: Whether the direction was seen (True) or bridged from other frames because the body lay on its side,
            shape (frames,).
        method: "hips and shoulders", or "root rotation" for a skeleton without limbs in pairs.
    """

    up: str
    angles: Float[np.ndarray, " frames"]
    directions: Float[np.ndarray, "frames 3"]
    rotations: Float[np.ndarray, "frames 4"]
    positions: Float[np.ndarray, "frames 3"]
    certain: Bool[np.ndarray, " frames"]
    method: str

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        up_axis(self.up)
        frames = len(self.angles)
        for name, tail in (("angles", ()), ("directions", (3,)), ("rotations", (4,)), ("positions", (3,))):
            object.__setattr__(self, name, frozen(getattr(self, name), (frames, *tail), name))
        object.__setattr__(self, "certain", frozen(self.certain, (frames,), "certain", np.bool_))


def heading(motion: Motion, *, up: str = "Y", transforms: GlobalTransforms | None = None) -> Heading:
    """Find the facing direction in each frame: (left - right) x up, with hip and shoulder lines added.

    The two lines are made unit before they are added, so that a twisted waist gives the direction between them (Holden,
    Komura and Saito, "Phase-functioned neural networks", 2017, section 4.2, without their smoothing). Where the sum is
    nearly vertical (a body on its side) the heading is interpolated from the frames around. A skeleton without limbs in
    pairs faces where its root's twist about up turns the forward axis.

    Args:
        motion: The clip, in any unit.
        up: The world's up axis, out of `UP_AXES`.
        transforms: Its forward kinematics where already known.

    Raises:
        UnknownNameError: On an unknown axis.
    """
    vertical, forward = up_axis(up), forward_axis(up)
    to_y_up = rotation_to_y_up(up)
    anatomy = find_anatomy(motion.skeleton)
    across = None
    if _pairs(anatomy):
        transforms = transforms or forward_kinematics(motion)
        across = body_left(transforms, anatomy)
        across = across - (across @ vertical)[:, None] * vertical
        certain = np.linalg.norm(across, axis=-1) > CERTAIN
        if motion.num_frames and not certain.any():
            across = None
    if across is not None:
        seen = quaternion.rotate(to_y_up, np.cross(across, vertical))
        angles, method = np.arctan2(seen[:, 0], seen[:, 2]), "hips and shoulders"
    else:
        angles = swing_twist.twist_angle(motion.local_rotations[:, 0], vertical)
        method, certain = "root rotation", np.ones(motion.num_frames, dtype=bool)
    if motion.num_frames:
        frames, known = np.arange(motion.num_frames), np.flatnonzero(certain)
        angles = np.interp(frames, known, np.unwrap(angles[known]))
    rotations = quaternion.from_axis_angle(vertical, angles)
    root = motion.root_positions
    return Heading(
        up=up,
        angles=angles,
        directions=quaternion.rotate(rotations, forward),
        rotations=rotations,
        positions=root - (root @ vertical)[:, None] * vertical,
        certain=certain,
        method=method,
    )


def body_left(transforms: GlobalTransforms, anatomy: Anatomy) -> Float[np.ndarray, "frames 3"]:
    """Return the mean of the unit lines from right to left through hips and shoulders, global, shape (frames, 3).

    Its length is 1 where both lines are parallel and less where they are twisted; zero without limbs in pairs.
    """
    where = transforms.global_positions
    lines = [where[:, anatomy.joints["left_" + part]] - where[:, anatomy.joints["right_" + part]] for part in _pairs(anatomy)]
    if not lines:
        return np.zeros((len(where), 3))
    lengths = [np.linalg.norm(line, axis=-1, keepdims=True) for line in lines]
    units = [line / np.where(length > 0, length, 1.0) for line, length in zip(lines, lengths, strict=True)]
    return np.asarray(sum(units) / len(units))


def positions_to_facing(
    heading: Heading, global_positions: Float[np.ndarray, "frames *any 3"]
) -> Float[np.ndarray, "frames *any 3"]:
    """Express global positions in the facing frame of their frame: origin below the root, forward where the body faces.

    Args:
        heading: The facing frames.
        global_positions: Positions in the world, in the motion's unit, shape (frames, ..., 3).

    Raises:
        InputError: Where the number of frames differs.
    """
    rotations, origins = _frames(heading, global_positions)
    return quaternion.rotate(quaternion.inverse(rotations), global_positions - origins)


def positions_from_facing(
    heading: Heading, facing_positions: Float[np.ndarray, "frames *any 3"]
) -> Float[np.ndarray, "frames *any 3"]:
    """Bring positions in the facing frame back into the world; the inverse of `positions_to_facing`.

    Raises:
        InputError: Where the number of frames differs.
    """
    rotations, origins = _frames(heading, facing_positions)
    return np.asarray(quaternion.rotate(rotations, facing_positions) + origins)


def vectors_to_facing(heading: Heading, global_vectors: Float[np.ndarray, "frames *any 3"]) -> Float[np.ndarray, "frames *any 3"]:
    """Express directions, velocities or forces of the world in the facing frame (turned, not moved).

    Raises:
        InputError: Where the number of frames differs.
    """
    rotations, _ = _frames(heading, global_vectors)
    return quaternion.rotate(quaternion.inverse(rotations), global_vectors)


def vectors_from_facing(
    heading: Heading, facing_vectors: Float[np.ndarray, "frames *any 3"]
) -> Float[np.ndarray, "frames *any 3"]:
    """Bring directions in the facing frame back into the world; the inverse of `vectors_to_facing`.

    Raises:
        InputError: Where the number of frames differs.
    """
    rotations, _ = _frames(heading, facing_vectors)
    return quaternion.rotate(rotations, facing_vectors)


def rotations_to_facing(
    heading: Heading, global_rotations: Float[np.ndarray, "frames *any 4"]
) -> Float[np.ndarray, "frames *any 4"]:
    """Express global rotations (quaternions wxyz) in the facing frame of their frame.

    Raises:
        InputError: Where the number of frames differs.
    """
    rotations, _ = _frames(heading, global_rotations)
    return quaternion.multiply(quaternion.inverse(rotations), global_rotations)


def rotations_from_facing(
    heading: Heading, facing_rotations: Float[np.ndarray, "frames *any 4"]
) -> Float[np.ndarray, "frames *any 4"]:
    """Return global rotations (quaternions wxyz) of rotations in the facing frame of their frame.

    Raises:
        InputError: Where the number of frames differs.
    """
    rotations, _ = _frames(heading, facing_rotations)
    return quaternion.multiply(rotations, facing_rotations)


def up_axis(up: str) -> Float[np.ndarray, " 3"]:
    """Return the unit vector of an axis name such as "Y" or "-Z".

    Raises:
        UnknownNameError: On any other name.
    """
    name = str(up).upper().removeprefix("+")
    if name not in UP_AXES:
        raise UnknownNameError("up axis", up, UP_AXES)
    axis = np.zeros(3)
    axis["XYZ".index(name[-1])] = -1.0 if name.startswith("-") else 1.0
    return axis


def rotation_to_y_up(up: str) -> Float[np.ndarray, " 4"]:
    """Return the rotation (wxyz) that turns the up axis into +Y: the smallest one; half a turn about X for "-Y".

    Z up goes to Y up by -90 degrees about X: (x, y, z) becomes (x, z, -y), as every converter does it.

    Raises:
        UnknownNameError: On an unknown axis.
    """
    axis = up_axis(up)
    if axis[1] == -1.0:
        return np.array([0.0, 1.0, 0.0, 0.0])
    return quaternion.shortest_arc(axis, np.array([0.0, 1.0, 0.0]))


def forward_axis(up: str) -> Float[np.ndarray, " 3"]:
    """Return the direction that counts as heading zero: what `rotation_to_y_up` turns into +Z.

    Raises:
        UnknownNameError: On an unknown axis.
    """
    return np.round(quaternion.rotate(quaternion.inverse(rotation_to_y_up(up)), np.array([0.0, 0.0, 1.0]))) + 0.0


def _pairs(anatomy: Anatomy) -> list[str]:
    return [part for part in ("thigh", "upper_arm") if "left_" + part in anatomy.joints and "right_" + part in anatomy.joints]


def _frames(heading: Heading, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(values)
    if len(values) != len(heading.angles):
        raise InputError(f"values have {len(values)} frames, the heading has {len(heading.angles)}")
    between = (1,) * (values.ndim - 2)
    return heading.rotations.reshape(-1, *between, 4), heading.positions.reshape(-1, *between, 3)
