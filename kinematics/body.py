"""How large a body is, from its bones: lengths that a crouch, a jump or a T-pose do not change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, Anatomy, find_anatomy
from kinematics.joint_names import body_part
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton

# Shares of the stature: Drillis and Contini (1966), as printed in Winter, "Biomechanics and Motor Control of Human
# Movement" (2009), figure 4.1.
THIGH, SHANK, FOOT_HEIGHT, UPPER_ARM, FOREARM = 0.245, 0.246, 0.039, 0.186, 0.146


@dataclass(frozen=True)
class BodySize:
    """Sizes in the motion's own unit.

    Attributes:
        height: Stature as the bones tell it; without limbs in pairs the longest path through the tree of bones.
        leg_length: Thigh and shin, mean of both sides; as a share of `height` where there are no legs.
        is_body: Whether legs or arms were found (True), or only an extent (False).
        reason: What the height was made from, for people to read.
    """

    height: float
    leg_length: float
    is_body: bool
    reason: str


def measure_body(motion: Motion) -> BodySize:
    """Measure stature and leg length along the bones.

    Two estimates are averaged: the legs' share of a person (leg / 0.491), which trusts nothing above the hips, and the
    sum of soles, legs, spine, neck and head, which trusts that the skeleton has them all. Arms (arm / 0.332) stand in
    where there are no legs.

    Args:
        motion: The clip, in any unit, axes and pose.
    """
    skeleton, anatomy = motion.skeleton, find_anatomy(motion.skeleton)
    lengths = bone_lengths(motion)
    leg = _limb(skeleton, anatomy, lengths, ("thigh", "shin", "foot"))
    arm = _limb(skeleton, anatomy, lengths, ("upper_arm", "forearm", "hand"))
    if leg > 0.0:
        by_leg = leg / (THIGH + SHANK)
        spine = _spine(skeleton, anatomy, lengths)
        if spine > 0.3 * leg:
            along = leg + FOOT_HEIGHT * by_leg + spine
            return BodySize(0.5 * (by_leg + along), leg, True, "legs, spine and head")
        return BodySize(by_leg, leg, True, "legs alone")
    if arm > 0.0:
        height = arm / (UPPER_ARM + FOREARM)
        return BodySize(height, (THIGH + SHANK) * height, True, "arms alone")
    extent = _extent(skeleton, lengths)
    return BodySize(extent, (THIGH + SHANK) * extent, False, "extent of the joints, as no body was recognised")


def bone_lengths(motion: Motion) -> Float[np.ndarray, " joints"]:
    """Return the distance of each joint from its parent (median over frames where bones stretch), 0 at the root.

    Shape (joints,), in the motion's unit.
    """
    if motion.local_positions is None or motion.num_frames == 0:
        lengths = np.linalg.norm(motion.skeleton.offsets, axis=-1)
    else:
        step = max(1, motion.num_frames // 200)
        lengths = np.median(np.linalg.norm(motion.local_positions[::step], axis=-1), axis=0)
    lengths[0] = 0.0
    return np.asarray(lengths)


def _limb(skeleton: Skeleton, anatomy: Anatomy, lengths: np.ndarray, parts: tuple[str, str, str]) -> float:
    found = [[anatomy.joints.get(side + part) for part in parts] for side in SIDES]
    sides = [
        _path_length(skeleton, lengths, top, middle) + _path_length(skeleton, lengths, middle, end)
        for top, middle, end in found
        if top is not None and middle is not None and end is not None
    ]
    return float(np.mean(sides)) if sides else 0.0


def _spine(skeleton: Skeleton, anatomy: Anatomy, lengths: np.ndarray) -> float:
    """Length from between the hips to the top of the head."""
    head, pelvis = anatomy.joints.get("head"), anatomy.joints.get("pelvis")
    if head is None or pelvis is None:
        return 0.0
    tops = [
        float(np.linalg.norm(offset))
        for parent, offset in zip(skeleton.end_site_parents.tolist(), skeleton.end_site_offsets, strict=True)
        if parent == head
    ]
    tops += [float(lengths[j]) for j in skeleton.children[head] if body_part(skeleton.joint_names[j]) in ("head", "helper")]
    return _path_length(skeleton, lengths, pelvis, head) + max(tops, default=0.0)


def _path_length(skeleton: Skeleton, lengths: np.ndarray, start: int, end: int) -> float:
    """Sum of bone lengths along the tree from one joint to another."""
    up, down = [start, *skeleton.ancestors(start)], [end, *skeleton.ancestors(end)]
    return float(lengths[sorted(set(up) ^ set(down))].sum())


def _extent(skeleton: Skeleton, lengths: np.ndarray) -> float:
    """Longest path through the tree, end sites included: what the skeleton measures when stretched out."""
    reach = np.zeros(skeleton.num_joints)
    longest = 0.0
    ends = np.linalg.norm(skeleton.end_site_offsets, axis=-1)
    for parent, length in zip(skeleton.end_site_parents.tolist(), ends.tolist(), strict=True):
        longest = max(longest, reach[parent] + length)
        reach[parent] = max(reach[parent], length)
    for joint in range(skeleton.num_joints - 1, 0, -1):
        parent, length = int(skeleton.parents[joint]), reach[joint] + lengths[joint]
        longest = max(longest, reach[parent] + length)
        reach[parent] = max(reach[parent], length)
    return float(longest)
