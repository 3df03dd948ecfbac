"""Range of motion of a human, as joint limits for any skeleton in which a body is recognised.

Degrees from the anatomical position (upright, arms hanging, palms to the thighs), for the left side; the right one is its
mirror image. Rounded, from memory of the standard tables: American Academy of Orthopaedic Surgeons, "Joint Motion: Method of
Measuring and Recording" (1965), for hip, shoulder, elbow, wrist, toe, trunk and neck; Kapandji, "The Physiology of the
Joints", for the collar bone, and for the rotation of the bent knee (40 out, 30 in) and its flexion (AAOS: 135).
Where the tables do not fit what a skeleton's joints do:
the ankle bends up as far as a loaded foot in a lunge does (AAOS, unloaded: 20); a collar bone sinks by 25, not 10, as the
arms that are out in a zero pose have raised it; hinges give a few degrees across; the foot turns; the wrist twists, since in
many rigs the forearm's turn has no other place.

Angles about world axes of that position: X to the left, Y up, Z ahead. So bending a trunk or knee and pointing a foot are
positive about X, raising a thigh or forearm negative; taking a left limb away from the body is positive about Z; turning it
outwards about Y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinematics.anatomy import SIDES, find_anatomy, path_between
from kinematics.errors import InputError
from kinematics.ik.limits import EulerBox, Limit, SwingTwist
from kinematics.ik.neutral import UP, find_neutral_pose
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

MARGIN = float(np.radians(10.0))


@dataclass(frozen=True)
class _Range:
    """Degrees about each axis, in the order in which the angles are taken."""

    order: str
    x: tuple[int, int]
    y: tuple[int, int]
    z: tuple[int, int]


LIMBS = {
    "thigh": _Range("XZY", x=(-120, 30), z=(-30, 45), y=(-45, 45)),  # flexion, extension; adduction, abduction; rotations
    "shin": _Range("XZY", x=(-10, 150), z=(-10, 10), y=(-30, 40)),  # hyperextension, flexion; rotations
    "foot": _Range("XZY", x=(-40, 50), z=(-35, 15), y=(-30, 30)),  # dorsi- and plantarflexion; inversion, eversion
    "toe": _Range("XZY", x=(-70, 45), z=(-10, 10), y=(-10, 10)),  # extension, flexion
    "clavicle": _Range("ZYX", z=(-25, 40), y=(-30, 30), x=(-45, 45)),  # depression, elevation; forwards, back; about itself
    "forearm": _Range("XZY", x=(-150, 10), z=(-15, 15), y=(-80, 80)),  # flexion, hyperextension; pronation, supination
}
TRUNK = _Range("XZY", x=(-30, 90), z=(-35, 35), y=(-45, 45))  # pelvis to chest: extension, flexion; bending; rotation
NECK = _Range("XZY", x=(-45, 45), z=(-45, 45), y=(-60, 60))  # chest to head
SHARE = 2.0  # each joint of a spine may take up to so many times its even share
# An arm goes up and down (180), back (60) and across the chest (135 from the side): nearly a cone about what lies this far
# to the side of straight ahead. The upper arm's own turn: 90 out; 70 in with the arm out, 90 where a hand goes to the back.
ARM_SIDE, ARM_SWING, ARM_TWIST = 65.0, 112.0, (-90.0, 90.0)
# Which way a palm faces differs from rig to rig, so the wrist has a cone of its largest range (flexion 80, extension 70,
# to the thumb 20, to the little finger 30).
WRIST_SWING, WRIST_TWIST = 80.0, (-80.0, 80.0)


def human_limits(motion_or_skeleton: Motion | Skeleton, *, margin: float = MARGIN) -> dict[str, Limit]:
    """Return limits for the joints of a human body: hips, knees, ankles, toes, spine, neck, shoulders, elbows, wrists.

    Joints are found by `find_anatomy`, angles count from the anatomical position (see `ik.neutral`), so neither names nor zero
    pose matter. A knee and an elbow bend one way only. The root, fingers and joints without a part have no limit.

    Args:
        motion_or_skeleton: A clip; or a skeleton, where its zero pose is a standing body (T, A or arms down). A clip that
            bends its knees and elbows shows their axes, too.
        margin: Radians by which every range is widened: ranges differ between people, and a rig's joints are not quite
            where a body's are.

    Returns:
        Limits by joint name.

    Raises:
        InputError: Where no legs are recognised, nothing shows a standing body, or the margin is negative.
    """
    if not (margin >= 0.0 and np.isfinite(margin)):
        raise InputError(f"margin must be an angle of at least 0 radians, got {margin}")
    skeleton = motion_or_skeleton.skeleton if isinstance(motion_or_skeleton, Motion) else motion_or_skeleton
    joints = find_anatomy(skeleton).joints
    neutral = find_neutral_pose(motion_or_skeleton).rotations
    limits: dict[int, Limit] = {}
    for top, end, whole in (("pelvis", "chest", TRUNK), ("chest", "head", NECK)):
        if top in joints and end in joints:
            spine = path_between(skeleton, joints[top], joints[end])[1:]
            share = min(1.0, SHARE / max(len(spine), 1))
            limits |= {joint: _box(skeleton, neutral, joint, whole, 1.0, share, margin) for joint in spine}
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        for part, ranges in LIMBS.items():
            if side + part in joints:
                joint = joints[side + part]
                limits[joint] = _box(skeleton, neutral, joint, ranges, sign, 1.0, margin)
        if (arm := joints.get(side + "upper_arm")) is not None:
            ahead = np.radians(ARM_SIDE)
            axis = np.array([sign * np.sin(ahead), 0.0, np.cos(ahead)])
            center = quaternion.shortest_arc(-UP, axis)
            limits[arm] = _cone(skeleton, neutral, arm, center, ARM_SWING, ARM_TWIST, sign, margin)
        if (hand := joints.get(side + "hand")) is not None:
            limits[hand] = _cone(skeleton, neutral, hand, quaternion.IDENTITY, WRIST_SWING, WRIST_TWIST, sign, margin)
    return {skeleton.joint_names[joint]: limit for joint, limit in sorted(limits.items()) if joint}


def _box(
    skeleton: Skeleton, neutral: np.ndarray, joint: int, ranges: _Range, sign: float, share: float, margin: float
) -> EulerBox:
    """Return a range about the world's axes of the anatomical position: local = parent^-1 R(angles) joint."""
    parent = neutral[skeleton.parents[joint]]
    about = {"X": ranges.x, "Y": ranges.y, "Z": ranges.z}
    mirrored = {axis: span if axis == "X" or sign > 0.0 else (-span[1], -span[0]) for axis, span in about.items()}
    bounds = np.radians([mirrored[axis] for axis in ranges.order]) * share
    return EulerBox(ranges.order, bounds[:, 0] - margin, bounds[:, 1] + margin, quaternion.inverse(parent), neutral[joint])


def _cone(
    skeleton: Skeleton,
    neutral: np.ndarray,
    joint: int,
    center: np.ndarray,
    swing: float,
    twist: tuple[float, float],
    sign: float,
    margin: float,
) -> SwingTwist:
    """Return a cone about where a world rotation `center` takes the hanging bone, with a twist about it (upwards)."""
    parent = neutral[skeleton.parents[joint]]
    reference = quaternion.multiply(quaternion.inverse(parent), quaternion.multiply(center, neutral[joint]))
    lower, upper = np.radians(twist if sign > 0.0 else (-twist[1], -twist[0]))
    axis = quaternion.rotate(quaternion.inverse(neutral[joint]), UP)
    widest = min(np.radians(swing) + margin, np.pi)
    return SwingTwist(axis, float(widest), (float(lower) - margin, float(upper) + margin), reference)
