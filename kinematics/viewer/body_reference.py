"""What a body is built from: bones in their joints' frames, and how the moving clip holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from kinematics.anatomy import SIDES, Anatomy, find_anatomy, path_between
from kinematics.body import measure_body
from kinematics.contacts import foot_contacts
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import body_left, heading, rotation_to_y_up
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.viewer.body_shapes import cross

SAMPLES = 64  # frames looked at, spread evenly
LONGEST = 4000  # frames of which contacts are looked for
STANDING = 32  # frames of a standing foot looked at


@dataclass(frozen=True, eq=False)
class Poses:
    """Some frames of a clip in metres of the stage, Y up.

    Attributes:
        points: Joints, then end sites, shape (frames, points, 3).
        rotations: Joints' orientations, unit quaternions wxyz, shape (frames, joints, 4).
    """

    points: Float[np.ndarray, "frames points 3"]
    rotations: Float[np.ndarray, "frames joints 4"]

    @cached_property
    def _matrices(self) -> Float[np.ndarray, "joints frames 3 3"]:
        return np.ascontiguousarray(quaternion.to_matrix(self.rotations).swapaxes(0, 1))

    def mean_in(self, joint: int, vectors: Float[np.ndarray, "*frames 3"]) -> Float[np.ndarray, "3"]:
        """Return the mean of vectors of the stage, shape (frames, 3) or (3,), in a joint's frame."""
        frames = len(self.rotations)
        turned = np.broadcast_to(vectors, (frames, 3)).ravel() @ self._matrices[joint].reshape(3 * frames, 3)
        return np.asarray(turned / frames)

    def point_in(self, joint: int, point: int) -> Float[np.ndarray, "3"]:
        """Return where a point is in a joint's frame, in the mean."""
        return self.mean_in(joint, self.points[:, point] - self.points[:, joint])


@dataclass(frozen=True, eq=False)
class Reference:
    """A skeleton and how its clip holds it.

    Attributes:
        skeleton: The skeleton.
        anatomy: Its parts.
        height: Size of the body in metres of the stage: stature, or extent of what is not a body; never zero.
        is_body: Whether legs or arms were found.
        carriers: Joint that carries each point (joints, then end sites), -1 for the root, shape (points,).
        bones: Each point in its carrier's frame, median over frames where bones stretch, metres, shape (points, 3).
        lengths: Their lengths, shape (points,); 0 for the root.
        poses: Frames spread over the clip.
        left: Unit vectors from right to left through hips and shoulders in these frames, shape (frames, 3).
        up: Unit vectors from the pelvis up the trunk, across `left`, shape (frames, 3).
        forward: Where the body faces, across both, shape (frames, 3).
        standing: For "left_" and "right_" frames in which the whole foot stands; missing where there is none.
        floor: Height of the floor in these frames, metres.
    """

    skeleton: Skeleton
    anatomy: Anatomy
    height: float
    is_body: bool
    carriers: Int[np.ndarray, " points"]
    bones: Float[np.ndarray, "points 3"]
    lengths: Float[np.ndarray, " points"]
    poses: Poses
    left: Float[np.ndarray, "frames 3"]
    up: Float[np.ndarray, "frames 3"]
    forward: Float[np.ndarray, "frames 3"]
    standing: Mapping[str, Poses]
    floor: float

    def paint(self, joint: int) -> str:
        """Return the paint of a joint's side."""
        return {1: "left", -1: "right", 0: "middle"}[self.anatomy.sides[joint]]

    def points_below(self, joint: int) -> list[int]:
        """Return all joints and end sites below a joint."""
        joints = self.skeleton.descendants(joint)
        inside = {joint, *joints}
        return joints + [end for end in range(self.skeleton.num_joints, len(self.carriers)) if int(self.carriers[end]) in inside]

    def path(self, *parts: str) -> list[int]:
        """Return the joints along the tree from one part to the next, both ends included; empty where one is missing."""
        found = [self.anatomy.joints[part] for part in parts if part in self.anatomy.joints]
        if len(found) < len(parts):
            return []
        joints = found[:1]
        for above, below in pairwise(found):
            joints += path_between(self.skeleton, above, below)[1:]
        return joints


def refer(motion: Motion, *, up: str, scale: float, floor: float) -> Reference:
    """Look at a clip of at least one frame.

    Args:
        motion: The clip, in any unit and axes.
        up: The world's up axis in the clip.
        scale: Metres of the stage in one unit of the clip.
        floor: Height of the floor along up, in the clip's unit.
    """
    skeleton, anatomy = motion.skeleton, find_anatomy(motion.skeleton)
    seen = motion if motion.num_frames <= LONGEST else motion[:LONGEST]
    transforms = forward_kinematics(seen)
    turn = rotation_to_y_up(up)
    size = measure_body(motion)
    travel = float(np.ptp(seen.root_positions, axis=0).max())
    carriers = np.concatenate([skeleton.parents, skeleton.end_site_parents])
    chosen = np.unique(np.linspace(0, seen.num_frames - 1, min(seen.num_frames, SAMPLES)).astype(np.int64))
    offsets = skeleton.offsets
    if motion.local_positions is not None:
        offsets = np.median(motion.local_positions[:: max(1, motion.num_frames // 200)], axis=0)
    bones = scale * np.concatenate([offsets, skeleton.end_site_offsets])
    bones[0] = 0.0
    poses = _poses(transforms, chosen, turn, scale)
    left, upwards, forward = _body_axes(seen, transforms, anatomy, chosen, up, turn)
    return Reference(
        skeleton=skeleton,
        anatomy=anatomy,
        height=scale * size.height or 0.125 * scale * travel or 1.0,
        is_body=size.is_body,
        carriers=carriers,
        bones=bones,
        lengths=np.linalg.norm(bones, axis=-1),
        poses=poses,
        left=left,
        up=upwards,
        forward=forward,
        standing=_standing(seen, transforms, up, turn, scale),
        floor=scale * floor,
    )


def _poses(transforms: GlobalTransforms, frames: np.ndarray, turn: np.ndarray, scale: float) -> Poses:
    points = np.concatenate([transforms.global_positions[frames], transforms.end_site_positions[frames]], axis=1)
    return Poses(
        scale * quaternion.rotate(turn, points), np.asarray(quaternion.multiply(turn, transforms.global_rotations[frames]))
    )


def _body_axes(
    motion: Motion, transforms: GlobalTransforms, anatomy: Anatomy, frames: np.ndarray, up: str, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left, up and forward of the body; where hips and shoulders do not tell, by heading and the world's up axis."""
    few = GlobalTransforms(
        transforms.skeleton,
        transforms.global_positions[frames],
        transforms.global_rotations[frames],
        transforms.end_site_positions[frames],
    )
    where = quaternion.rotate(turn, few.global_positions)
    forward = quaternion.rotate(turn, heading(motion, up=up, transforms=transforms).directions[frames])
    upwards = np.tile([0.0, 1.0, 0.0], (len(frames), 1))
    top = next((anatomy.joints[part] for part in ("neck", "head", "chest") if part in anatomy.joints), None)
    if top is not None and "pelvis" in anatomy.joints:
        trunk = where[:, top] - where[:, anatomy.joints["pelvis"]]
        upwards = np.where(np.linalg.norm(trunk, axis=-1, keepdims=True) > 1e-9, trunk, upwards)
    left = quaternion.rotate(turn, body_left(few, anatomy))
    unknown = np.linalg.norm(cross(left, upwards), axis=-1) < 0.2 * np.linalg.norm(upwards, axis=-1)
    left = np.where(unknown[:, None], cross(upwards, forward), left)
    still = np.linalg.norm(left, axis=-1, keepdims=True) < 1e-9
    left = _units(np.where(still, [1.0, 0.0, 0.0], left))
    upwards = _units(upwards - left * np.sum(upwards * left, axis=-1, keepdims=True))
    forward = cross(left, upwards)
    toes = _toes(where, anatomy)
    if toes is not None and float(np.mean(np.sum(_units(toes) * forward, axis=-1))) < -0.4:
        forward = -forward  # a mirrored file: left is right, but toes never point backwards
    return left, upwards, forward


def _toes(where: np.ndarray, anatomy: Anatomy) -> np.ndarray | None:
    pairs = [(anatomy.joints.get(side + "foot"), anatomy.joints.get(side + "toe")) for side in SIDES]
    found = [where[:, toe] - where[:, foot] for foot, toe in pairs if foot is not None and toe is not None]
    return sum(found[1:], found[0]) if found else None


def _standing(motion: Motion, transforms: GlobalTransforms, up: str, turn: np.ndarray, scale: float) -> dict[str, Poses]:
    """Frames of each foot in which all its points stand, the lowest half of them."""
    contacts = foot_contacts(motion, up=up, transforms=transforms)
    found: dict[str, Poses] = {}
    for prefix, side in zip(SIDES, (1, -1), strict=True):
        own = contacts.sides == side
        if not own.any():
            continue
        frames = np.flatnonzero(contacts.in_contact[:, own].all(axis=1))
        if not len(frames):
            continue
        above = (contacts.heights - contacts.standing_heights)[np.ix_(frames, own)]
        spread = np.ptp(above, axis=1) + np.abs(above).mean(axis=1)
        flattest = frames[np.argsort(spread, kind="stable")[: max(1, len(frames) // 2)]]
        few = flattest[np.linspace(0, len(flattest) - 1, min(len(flattest), STANDING)).astype(np.int64)]
        found[prefix] = _poses(transforms, few, turn, scale)
    return found


def _units(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 1e-12, lengths, 1.0))
