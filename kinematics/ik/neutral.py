"""The anatomical position of a body: how each joint is turned when it stands upright, arms hanging, legs straight, toes ahead.

Files do not agree on the pose that zero rotations give, so a body is brought there from what it shows: its zero pose where
that stands (T, A or arms down), else the frames of a clip in which it stands straightest. Limbs are then pointed down by the
smallest rotation, parents first, which keeps their twist: in arms that hang from a T with palms down palms face the thighs.
Where a clip bends knees and elbows, the axes that they bend about set the twist of thighs and upper arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, Anatomy, find_anatomy
from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import heading, rotation_to_y_up
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.world import inspect_world

LEFT, UP, FORWARD = np.eye(3)  # of a body that stands facing +Z
SNAP = np.cos(np.radians(25.0))  # axes of a zero pose within this of a coordinate axis are meant to be along it
SAMPLES = 500  # at most so many frames are looked at
STANDING = 0.02  # frames whose bones lean this much more than those of the best one are taken too; sum of 1 - cosine
BENT = 0.3  # sine of a flexion from which on it shows the axis of a knee or elbow
AGREED = 0.8  # least length of the mean of these unit axes, seen from the upper bone


@dataclass(frozen=True)
class NeutralPose:
    """A body in the anatomical position: Y up, facing +Z, left hand towards +X.

    Attributes:
        rotations: Global rotation of each joint, unit quaternions wxyz, shape (joints, 4).
        origin: "zero pose" or "clip": what told the pose.
    """

    rotations: Float[np.ndarray, "joints 4"]
    origin: str


def find_neutral_pose(motion_or_skeleton: Motion | Skeleton) -> NeutralPose:
    """Bring a body with two legs into the anatomical position.

    Raises:
        InputError: Where no legs are recognised, or neither the zero pose nor a clip shows a standing body.
    """
    if isinstance(motion_or_skeleton, Motion):
        clip, skeleton = motion_or_skeleton, motion_or_skeleton.skeleton
    else:
        clip, skeleton = None, motion_or_skeleton
    anatomy = find_anatomy(skeleton)
    if not anatomy.has_legs:
        raise InputError("no human body was recognised: two legs with hips, knees and ankles are needed")
    seen = None if clip is None or not clip.num_frames else _y_up(clip)
    body = _Body(skeleton, anatomy)
    frame = _zero_pose_frame(body)
    if frame is not None:
        body.rotations[:] = quaternion.inverse(quaternion.from_matrix(frame))
    elif seen is not None:
        body.rotations[:] = _standing(*seen, anatomy)
        body.rotations[:] = quaternion.multiply(quaternion.shortest_arc(body.trunk(), UP), body.rotations)
    else:
        raise InputError("the zero pose of this skeleton does not show a standing body (T-, A- or arms-down pose); give a clip")
    for side in SIDES:
        body.aim(side + "thigh", side + "shin", -UP)
        body.aim(side + "shin", side + "foot", -UP)
        for part, tip in (("upper_arm", "forearm"), ("forearm", "hand"), ("hand", "")):
            body.aim(side + part, side + tip, -UP)
        if seen is not None:
            _turn_hinge(body, seen[0], side + "thigh", side + "shin", side + "foot", LEFT)
            _turn_hinge(body, seen[0], side + "upper_arm", side + "forearm", side + "hand", -LEFT)
        if seen is not None and frame is None:
            _level_foot(body, seen[0], side)
        body.yaw(side + "foot", side + "toe")
    return NeutralPose(body.rotations, "clip" if frame is None else "zero pose")


class _Body:
    """A skeleton in a pose that is being changed."""

    def __init__(self, skeleton: Skeleton, anatomy: Anatomy) -> None:
        self.skeleton, self.joints = skeleton, anatomy.joints
        self.rotations = np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1))

    def positions(self) -> Float[np.ndarray, "joints 3"]:
        steps = quaternion.rotate(self.rotations[self.skeleton.parents], self.skeleton.offsets)
        where = np.zeros((self.skeleton.num_joints, 3))
        for joint in range(1, len(where)):
            where[joint] = where[self.skeleton.parents[joint]] + steps[joint]
        return where

    def trunk(self) -> Float[np.ndarray, "3"]:
        """Return the unit direction from between the hips to between the shoulders (or neck or head); zero where unknown."""
        where, joints = self.positions(), self.joints
        tops = [role for role in ("left_upper_arm", "right_upper_arm") if role in joints]
        tops = tops or [role for role in ("neck", "head", "chest") if role in joints][:1]
        if not tops:
            return np.zeros(3)
        hips = 0.5 * (where[joints["left_thigh"]] + where[joints["right_thigh"]])
        return _unit(np.mean([where[joints[role]] for role in tops], axis=0) - hips)

    def turn(self, role: str, rotation: Float[np.ndarray, "4"]) -> None:
        """Turn a part with everything below it."""
        moved = [self.joints[role], *self.skeleton.descendants(self.joints[role])]
        self.rotations[moved] = quaternion.multiply(rotation, self.rotations[moved])

    def bone(self, role: str, tip: str) -> Float[np.ndarray, "3"]:
        """Return the vector from one part to the next, or along the joint's own bone; zero where there is none."""
        if role not in self.joints:
            return np.zeros(3)
        joint = self.joints[role]
        if tip in self.joints:
            where = self.positions()
            return np.asarray(where[self.joints[tip]] - where[joint])
        skeleton = self.skeleton
        below = np.concatenate(
            [skeleton.offsets[list(skeleton.children[joint])], skeleton.end_site_offsets[skeleton.end_site_parents == joint]]
        )
        return quaternion.rotate(self.rotations[joint], below.mean(axis=0)) if len(below) else np.zeros(3)

    def aim(self, role: str, tip: str, direction: Float[np.ndarray, "3"]) -> None:
        """Turn a part by the smallest rotation that points its bone into a direction."""
        bone = self.bone(role, tip)
        if bone.any():
            self.turn(role, quaternion.shortest_arc(bone, direction))

    def yaw(self, role: str, tip: str) -> None:
        """Turn a part about the vertical so that its bone points ahead."""
        bone = self.bone(role, tip)
        level = bone * (1.0 - UP)
        if np.linalg.norm(level) > 0.3 * np.linalg.norm(bone):
            self.turn(role, quaternion.shortest_arc(level, FORWARD))


def _y_up(motion: Motion) -> tuple[GlobalTransforms, Float[np.ndarray, "frames 4"]]:
    """Return the clip's transforms in a world with Y up, and the turn about Y that makes the body of each frame face +Z."""
    sample = motion[:: -(-motion.num_frames // SAMPLES)]
    up = inspect_world(motion).up.value
    to_y_up = rotation_to_y_up(up)
    rotations = np.array(sample.local_rotations)
    rotations[:, 0] = quaternion.multiply(to_y_up, rotations[:, 0])
    root = quaternion.rotate(to_y_up, sample.root_positions)
    transforms = forward_kinematics(sample.with_local_rotations(rotations).with_root_positions(root))
    facing = heading(sample, up=up).angles
    return transforms, quaternion.from_axis_angle(UP, -facing)


def _zero_pose_frame(body: _Body) -> Float[np.ndarray, "3 3"] | None:
    """Return the body's left, up and forward axes (columns) in the zero pose, or None where that is no standing body."""
    where, trunk = body.positions(), body.trunk()
    part = {role: where[joint] for role, joint in body.joints.items()}
    across = _unit(part["left_thigh"] - part["right_thigh"])
    if not trunk.any() or not across.any():
        return None
    thighs = np.array([_unit(part[side + "shin"] - part[side + "thigh"]) for side in SIDES])
    shins = np.array([_unit(part[side + "foot"] - part[side + "shin"]) for side in SIDES])
    legs = _unit(thighs + shins)
    if (legs @ trunk).max() > -0.6 or (thighs * shins).sum(axis=1).min() < 0.5 or abs(across @ trunk) > 0.35:
        return None
    up = _snapped(_unit(trunk - legs.mean(axis=0)))
    left = _snapped(_unit(across - (across @ up) * up))
    left = _unit(left - (left @ up) * up)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _standing(
    transforms: GlobalTransforms, facing: Float[np.ndarray, "frames 4"], anatomy: Anatomy
) -> Float[np.ndarray, "joints 4"]:
    """Mean rotation of each joint, seen from where the body faces, over the frames in which it stands straightest."""
    where, joints = transforms.global_positions, anatomy.joints
    top = where[:, joints.get("neck", joints.get("head", joints.get("chest", 0)))]
    bones = [0.5 * (where[:, joints["left_thigh"]] + where[:, joints["right_thigh"]]) - top]
    for side in SIDES:
        knee = where[:, joints[side + "shin"]]
        bones += [knee - where[:, joints[side + "thigh"]], where[:, joints[side + "foot"]] - knee]
    lean = np.sum([1.0 + _unit(bone) @ UP for bone in bones], axis=0)
    best = lean <= lean.min() + STANDING
    return quaternion.mean(quaternion.multiply(facing[best, None], transforms.global_rotations[best]))


def _turn_hinge(body: _Body, transforms: GlobalTransforms, upper: str, lower: str, tip: str, axis: np.ndarray) -> None:
    """Twist a thigh or upper arm so that its knee or elbow bends about the anatomical axis.

    The axis is that of the two bones' cross product, seen from the upper one, over the frames in which the joint is bent; it
    is used where these agree.
    """
    if not all(role in body.joints for role in (upper, lower, tip)):
        return
    a, b, c = (transforms.global_positions[:, body.joints[role]] for role in (upper, lower, tip))
    hinge = np.cross(_unit(b - a), _unit(c - b))
    bent = np.linalg.norm(hinge, axis=-1) > BENT
    if not bent.any():
        return
    joint = body.joints[upper]
    local = quaternion.rotate(quaternion.inverse(transforms.global_rotations[bent, joint]), _unit(hinge[bent])).mean(axis=0)
    if np.linalg.norm(local) > AGREED:
        now, bone = quaternion.rotate(body.rotations[joint], local), _unit(body.bone(upper, lower))
        now, wanted = now - (now @ bone) * bone, axis - (axis @ bone) * bone
        body.turn(upper, quaternion.from_axis_angle(bone, float(np.arctan2(bone @ np.cross(now, wanted), now @ wanted))))


def _level_foot(body: _Body, transforms: GlobalTransforms, side: str) -> None:
    """Level a sole: what is up in the foot's frame while it stands still near the ground is up."""
    foot = body.joints[side + "foot"]
    tip = body.joints.get(side + "toe", foot)
    where = transforms.global_positions[:, [foot, tip]]
    low = where[..., 1].min(axis=1)
    if len(low) < 2:
        return
    speed = np.linalg.norm(np.gradient(where, axis=0), axis=-1).max(axis=1)
    still = (low <= np.quantile(low, 0.5)) & (speed <= np.quantile(speed, 0.3))
    if still.any():
        up = quaternion.rotate(quaternion.inverse(transforms.global_rotations[still, foot]), UP).mean(axis=0)
        body.turn(side + "foot", quaternion.shortest_arc(quaternion.rotate(body.rotations[foot], up), UP))


def _snapped(vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    axis = int(np.abs(vector).argmax())
    return np.asarray(np.sign(vector[axis]) * np.eye(3)[axis]) if abs(vector[axis]) > SNAP else vector


def _unit(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))
