"""Left and right exchanged: the clip seen in a mirror, performed by the same skeleton.

With M the reflection of the world and k the partner of joint j, the mirrored clip is R'_j = M R_k A_j: a constant matrix
A_j of determinant -1 takes the frame of j to the frame of k as the body's own mirror image does. Its bones land where
M puts the partner's exactly when A_j o = o' for each child offset o of j and the partner's o' of k. In a T-pose with equal
frames on both sides all A_j are one reflection; where frames differ (all bones along +X, other axes on the right side)
they are found from the offsets, by the orthogonal Procrustes problem (Schoenemann 1966) with determinant -1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from kinematics.anatomy import find_anatomy
from kinematics.edit._travel import body_joint
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import forward_kinematics
from kinematics.frames import forward_axis, up_axis
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

PLANES = ("auto", "X", "Y", "Z")
AGREES = 0.1  # a reflection that misses bones by less than this part of their length is taken as the skeleton's own
WEIGHT_OF_PRIOR = 1e-8  # of the bones' squared lengths: decides only what bones leave open


def mirror(motion: Motion, *, plane: str = "auto", up: str = "Y", pairs: Mapping[str, str] | None = None) -> Motion:
    """Return the clip with left and right exchanged.

    On a skeleton whose sides have equal bone lengths every joint and end site is exactly where the mirror shows its
    partner, also where bones stretch; where lengths differ, bone directions are (at joints with several children in the
    least squares sense). Mirroring twice gives the clip back. What bones leave open, the twist about a joint's only bone,
    follows the reflection that the zero pose suggests, else the one of the joint's parent. A joint of one side without a
    partner (a prop in one hand) keeps its local rotation.

    Args:
        motion: The clip, in any unit and axes.
        plane: "auto" mirrors in the upright plane through the pelvis in the first frame, along the direction that the
            pelvis faces: the mirrored clip starts at the same place and heading. "X", "Y" and "Z" mirror in the plane
            through the origin across that world axis.
        up: The world's up axis, for "auto".
        pairs: Names of joints that are each other's partners, one direction is enough; found from names and tree if None.
            An empty mapping reflects a body without sides.

    Raises:
        InputError: Where no left and right are found, or partners do not hang on partners.
        UnknownNameError: On an unknown joint, plane or axis.
    """
    if plane not in PLANES:
        raise UnknownNameError("plane", plane, PLANES)
    upward = up_axis(up)
    skeleton = motion.skeleton
    partners, mirrored = _partners(skeleton, pairs)
    changes = frame_changes(skeleton, partners, mirrored)
    if motion.num_frames == 0:
        return motion
    normal, point = np.zeros(3), np.zeros(3)
    if plane == "auto":
        body = body_joint(motion)
        body = body if partners[body] == body and mirrored[body] else 0
        first = forward_kinematics(motion[0])
        _, vectors = np.linalg.eigh(changes[body])
        across = quaternion.rotate(first.global_rotations[body], vectors[:, 0])
        normal, point = _upright(across, upward, up), first.global_positions[body]
    else:
        normal["XYZ".index(plane)] = 1.0

    proper = quaternion.from_matrix(-changes)  # A = -P and M = -N with rotations P and N, so M R A = N R P
    above = quaternion.inverse(proper[skeleton.parents])
    rotations = motion.local_rotations[:, partners]
    swapped = quaternion.multiply(quaternion.multiply(above, rotations), proper)
    swapped[:, 0] = quaternion.multiply(quaternion.multiply(np.array([0.0, *normal]), rotations[:, 0]), proper[0])
    moving = motion.local_positions
    if moving is not None:
        moving = np.where(mirrored[:, None], -quaternion.rotate(above, moving[:, partners]), moving)
    root = motion.root_positions
    return replace(
        motion,
        root_positions=root - 2.0 * ((root - point) @ normal)[:, None] * normal,
        local_rotations=np.where(mirrored[:, None], swapped, motion.local_rotations),
        local_positions=moving,
    )


def frame_changes(
    skeleton: Skeleton, partners: list[int], mirrored: Bool[np.ndarray, " joints"]
) -> Float[np.ndarray, "joints 3 3"]:
    """Return for each joint the matrix A of determinant -1 that takes its frame to its partner's.

    It is symmetric for joints of the middle, and A of the partner is its transpose.
    """
    suggested = _zero_pose_reflection(skeleton, partners)
    changes = np.empty((skeleton.num_joints, 3, 3))
    agrees = np.ones(skeleton.num_joints, dtype=bool)
    for joint, partner in enumerate(partners):
        if partner < joint:
            changes[joint] = changes[partner].T
            continue
        offsets, others = _bones(skeleton, joint, partners, mirrored, suggested)
        size = float(np.sum(offsets**2) + np.sum(others**2))
        parent = skeleton.parents[joint]
        missed = float(np.sum((offsets @ suggested.T - others) ** 2))
        agrees[[joint, partner]] = missed <= AGREES**2 * size if size > 0.0 or joint == 0 else agrees[parent]
        prior = suggested if agrees[joint] or joint == 0 else changes[parent]
        changes[joint] = _fit(others.T @ offsets, size, prior, middle=joint == partner)
    return changes


def _partners(skeleton: Skeleton, pairs: Mapping[str, str] | None) -> tuple[list[int], np.ndarray]:
    """Return each joint's partner, and which joints are mirrored at all (not those of one side without a partner)."""
    parents = skeleton.parents.tolist()
    sides: tuple[int, ...] = (0,) * skeleton.num_joints
    if pairs is None:
        anatomy = find_anatomy(skeleton)
        partners, sides = list(anatomy.mirror), anatomy.sides
        if partners == list(range(len(partners))) and len(partners) > 1:
            raise InputError(
                "no joints of a left and a right side were found; name them with pairs={'left joint': 'right joint', ...}, "
                "or give pairs={} to reflect a body without sides"
            )
    else:
        partners = list(range(skeleton.num_joints))
        for name, other in pairs.items():
            a, b = skeleton.joint_index(name), skeleton.joint_index(other)
            if partners[a] not in (a, b) or partners[b] not in (a, b):
                raise InputError(f"a joint can have one partner only: {name!r} and {other!r} have others already")
            partners[a], partners[b] = b, a
        for a, b in enumerate(partners):
            if a != b and (parents[a] < 0 or partners[parents[a]] != parents[b]):
                both = f"{skeleton.joint_names[a]!r} and {skeleton.joint_names[b]!r}"
                raise InputError(f"the parents of partners must be partners, or one joint: {both}")
    mirrored = np.ones(skeleton.num_joints, dtype=bool)
    for joint in range(1, skeleton.num_joints):
        parent = parents[joint]
        alone = partners[joint] == joint and (sides[joint] != 0 or partners[parent] != parent)
        mirrored[joint] = mirrored[parent] and not alone
    return partners, mirrored


def _zero_pose_reflection(skeleton: Skeleton, partners: list[int]) -> np.ndarray:
    """Return the reflection across the direction in which partners lie apart at zero pose."""
    zero = np.zeros((skeleton.num_joints, 3))
    for joint in range(1, skeleton.num_joints):
        zero[joint] = zero[skeleton.parents[joint]] + skeleton.offsets[joint]
    apart = zero - zero[partners]
    values, vectors = np.linalg.eigh(apart.T @ apart)
    across = vectors[:, 2] if values[2] > 0.0 else np.array([1.0, 0.0, 0.0])
    return np.asarray(np.eye(3) - 2.0 * np.outer(across, across))


def _bones(
    skeleton: Skeleton, joint: int, partners: list[int], mirrored: np.ndarray, suggested: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets of the joint's children and end sites, and those of the partner's in the same order."""
    children = [child for child in skeleton.children[joint] if mirrored[child]]
    offsets = skeleton.offsets[children]
    others = skeleton.offsets[[partners[child] for child in children]]
    ends = skeleton.end_site_offsets[skeleton.end_site_parents == joint]
    other_ends = skeleton.end_site_offsets[skeleton.end_site_parents == partners[joint]]
    if partners[joint] == joint and len(ends) > 1:  # several ends of one middle joint: the nearest to the mirror image
        nearest = np.linalg.norm((ends @ suggested.T)[:, None] - ends, axis=-1).argmin(axis=1)
        involution = np.array_equal(nearest[nearest], np.arange(len(ends)))
        other_ends = ends[nearest] if involution else ends[:0]
    if len(ends) != len(other_ends):
        ends = other_ends = ends[:0]
    return np.concatenate([offsets, ends]), np.concatenate([others, other_ends])


def _fit(products: np.ndarray, size: float, prior: np.ndarray, *, middle: bool) -> np.ndarray:
    """Return the orthogonal matrix of determinant -1 (a plane's reflection if `middle`) nearest to o' = A o."""
    if size == 0.0:
        return prior
    best = prior
    for _ in range(2):  # the second time the prior agrees with the bones
        wanted = products / size + WEIGHT_OF_PRIOR * best
        if middle:
            across = np.linalg.eigh(wanted + wanted.T)[1][:, 0]
            best = np.eye(3) - 2.0 * np.outer(across, across)
        else:
            left, _, right = np.linalg.svd(wanted)
            left[:, 2] *= -np.sign(np.linalg.det(left @ right))
            best = left @ right
    return best


def _upright(across: np.ndarray, upward: np.ndarray, up: str) -> np.ndarray:
    """Return the unit vector across an upright plane; the world's where the body lies on its side."""
    level = across - (across @ upward) * upward
    length = np.linalg.norm(level)
    return np.asarray(level / length if length > 0.1 else np.cross(upward, forward_axis(up)))
