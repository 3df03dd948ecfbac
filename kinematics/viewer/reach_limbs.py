"""Straight knees and elbows, which no gradient bends: a search starts with them bent a little, the way they bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, find_anatomy
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.ik.neutral import LEFT, find_neutral_pose
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion

STRAIGHT = np.radians(4.0)  # a limb that is bent less than this counts as straight
LIMBS = (("thigh", "shin", "foot", 1.0), ("upper_arm", "forearm", "hand", -1.0))


@dataclass(frozen=True)
class Hinge:
    """A knee or elbow.

    Attributes:
        joints: Indices of the joints where the limb starts, bends and ends.
        axis: Rotation vector that bends it, unit, in the frame of the middle joint, shape (3,).
    """

    joints: tuple[int, int, int]
    axis: Float[np.ndarray, "3"]


def find_hinges(motion: Motion) -> tuple[Hinge, ...]:
    """Return knees and elbows and which way they bend; none where no standing body is seen."""
    joints = find_anatomy(motion.skeleton).joints
    try:
        standing = find_neutral_pose(motion).rotations
    except InputError:
        return ()
    hinges = []
    for side in SIDES:
        for *parts, sign in LIMBS:
            limb = [joints.get(f"{side}{part}", -1) for part in parts]
            if min(limb) >= 0:
                axis = sign * quaternion.rotate(quaternion.inverse(standing[limb[1]]), LEFT)
                hinges.append(Hinge((limb[0], limb[1], limb[2]), axis))
    return tuple(hinges)


def unlock(pose: Pose, hinges: tuple[Hinge, ...]) -> Pose:
    """Return the pose with knees and elbows that are straight bent by a few degrees."""
    where, rotations = forward_kinematics(pose).global_positions, None
    for hinge in hinges:
        start, middle, end = where[list(hinge.joints)]
        upper, lower = middle - start, end - middle
        if upper @ lower > np.cos(STRAIGHT) * np.linalg.norm(upper) * np.linalg.norm(lower):
            rotations = np.array(pose.local_rotations) if rotations is None else rotations
            bend = quaternion.from_axis_angle(hinge.axis, STRAIGHT)
            rotations[hinge.joints[1]] = quaternion.multiply(rotations[hinge.joints[1]], bend)
    return pose if rotations is None else pose.with_local_rotations(rotations)
