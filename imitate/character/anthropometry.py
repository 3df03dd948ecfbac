"""Masses, inertias and girths: of a person from published tables, of anything else from its bones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.character.segments import carried_lengths
from kinematics.anatomy import SIDES, Anatomy, path_between
from kinematics.ik.limits import bone_axis
from kinematics.ik.mass import segment_masses
from kinematics.skeleton import Skeleton

BODY_MASS_INDEX = 23.0  # kg/m2
DENSITY = 1000.0  # kg/m3


@dataclass(frozen=True)
class _Gyration:
    """Radii of gyration as shares of the segment's length: across it (mean of sagittal and transverse), and about it."""

    across: float
    about: float


# de Leva, "Adjustments to Zatsiorsky-Seluyanov's segment inertia parameters" (1996), table 4: mean of women and men.
GYRATION = {
    "head": _Gyration(0.296, 0.261),
    "trunk": _Gyration(0.308, 0.158),
    "upper_arm": _Gyration(0.273, 0.153),
    "forearm": _Gyration(0.265, 0.108),
    "hand": _Gyration(0.244, 0.169),
    "thigh": _Gyration(0.348, 0.156),
    "shin": _Gyration(0.257, 0.097),
    "foot": _Gyration(0.270, 0.132),
}
# Radii of what is drawn and collides, as shares of the height; made to look like a body of that mass.
GIRTH = {
    "head": 0.055, "neck": 0.03, "trunk": 0.062, "upper_arm": 0.026, "forearm": 0.021, "hand": 0.02,
    "thigh": 0.043, "shin": 0.03, "foot": 0.026,
}  # fmt: skip
# Lengths where a skeleton's own say little, as shares of the height: Drillis and Contini, in Winter (2009), figure 4.1.
LENGTHS = {"head": 0.13, "hand": 0.108, "foot": 0.152}
# The same where we know of no source, our choice: the trunk from hips to neck, and limbs that a skeleton does not have whole.
TRUNK, LIMB = 0.33, 0.15


@dataclass(frozen=True, eq=False)
class JointMasses:
    """What turns with each joint of a skeleton.

    Attributes:
        masses: kg, shape (joints,).
        centers: In the joint's frame, metres, shape (joints, 3).
        inertias: About the centre, in the joint's frame, kg m2, shape (joints, 3, 3).
        radii: Of the capsule around its bone, metres, shape (joints,).
    """

    masses: Float[np.ndarray, " joints"]
    centers: Float[np.ndarray, "joints 3"]
    inertias: Float[np.ndarray, "joints 3 3"]
    radii: Float[np.ndarray, " joints"]


def person_masses(skeleton: Skeleton, anatomy: Anatomy, height: float, mass: float | None) -> JointMasses:
    """Return masses by `kinematics.ik.mass` (de Leva) and inertias by the radii of gyration of the same table.

    A bone that is a part of its segment (a trunk of several, a hand with fingers) has the segment's girth and its share of
    the length, so that a whole segment has the table's inertia however many bones it is made of.

    Args:
        skeleton: In metres.
        anatomy: A person's.
        height: Metres.
        mass: Kilograms; by default from a body mass index of 23.
    """
    shares, centers = segment_masses(skeleton)
    masses = (BODY_MASS_INDEX * height**2 if mass is None else mass) * shares
    parts = _parts(skeleton, anatomy.joints)
    lengths = _segment_lengths(skeleton, anatomy.joints, height)
    inertias, radii = np.zeros((skeleton.num_joints, 3, 3)), np.zeros(skeleton.num_joints)
    for joint, part in enumerate(parts):
        radii[joint] = GIRTH[part] * height
        axis, length = _bone(skeleton, joint, centers[joint])
        gyration = GYRATION[part]
        section = 0.5 * (gyration.about * lengths[part]) ** 2
        along = max(gyration.across**2 - 0.5 * gyration.about**2, 0.0) * length**2
        inertias[joint] = masses[joint] * rod_inertia(axis, along, section)
    return JointMasses(masses, centers, inertias, radii)


def creature_masses(skeleton: Skeleton, size: float, mass: float | None) -> JointMasses:
    """Return masses of bones whose sections are in proportion to all the length that they carry, as branches of a tree are.

    How thick the thickest is, and that n bones which fork at one joint weigh 1 / sqrt(n) of what each would alone (a hand's
    five are thinner than the arm, a spine that also bears legs keeps most of its own), are our choice.

    Args:
        skeleton: In metres.
        size: Its height or length, metres.
        mass: Kilograms; by default the density of water.
    """
    carried = carried_lengths(skeleton)
    whole = max(float(carried.max()), 1e-9)
    radii = np.clip(0.075 * size * np.sqrt(carried / whole), 0.008 * size, None)
    masses, centers = np.zeros(skeleton.num_joints), np.zeros((skeleton.num_joints, 3))
    inertias = np.zeros((skeleton.num_joints, 3, 3))
    for joint in range(skeleton.num_joints):
        tips = _tips(skeleton, joint)
        volumes = np.array([np.pi * radii[joint] ** 2 * np.linalg.norm(tip) / max(len(tips), 1) ** 0.5 for tip in tips])
        masses[joint] = DENSITY * volumes.sum()
        if not masses[joint]:
            continue
        centers[joint] = (volumes[:, None] * 0.5 * tips).sum(axis=0) / volumes.sum()
        for tip, volume in zip(tips, volumes, strict=True):
            if length := float(np.linalg.norm(tip)):
                away = 0.5 * tip - centers[joint]
                rod = rod_inertia(tip / length, length**2 / 12.0, 0.25 * radii[joint] ** 2)
                inertias[joint] += DENSITY * volume * (rod + away @ away * np.eye(3) - np.outer(away, away))
    scale = 1.0 if mass is None or not masses.sum() else mass / masses.sum()
    return JointMasses(scale * masses, centers, scale * inertias, radii)


def rod_inertia(axis: Float[np.ndarray, "3"], along: float, section: float) -> Float[np.ndarray, "3 3"]:
    """Return the inertia of a kilogram with variance `along` an axis and `section` in each direction across it, m2."""
    onto = np.outer(axis, axis)
    spread = along * onto + section * (np.eye(3) - onto)
    return np.asarray(np.trace(spread) * np.eye(3) - spread)


def _parts(skeleton: Skeleton, roles: Mapping[str, int]) -> list[str]:
    """Return the segment of the table that each joint belongs to."""
    own = {joint: role.removeprefix("left_").removeprefix("right_") for role, joint in roles.items()}
    alias = {"pelvis": "trunk", "chest": "trunk", "clavicle": "trunk", "neck": "head", "toe": "foot"}
    parts: list[str] = []
    for joint, parent in enumerate(skeleton.parents.tolist()):
        role = own.get(joint)
        parts.append(alias.get(role, role) if role else (parts[parent] if parent >= 0 else "trunk"))
    return parts


def _segment_lengths(skeleton: Skeleton, roles: Mapping[str, int], height: float) -> dict[str, float]:
    lengths = {part: share * height for part, share in LENGTHS.items()}
    lengths["trunk"] = TRUNK * height
    for part, end in (("thigh", "shin"), ("shin", "foot"), ("upper_arm", "forearm"), ("forearm", "hand")):
        found = [
            np.linalg.norm(skeleton.offsets[path_between(skeleton, roles[side + part], roles[side + end])[1:]], axis=1).sum()
            for side in SIDES
            if side + part in roles and side + end in roles
        ]
        lengths[part] = float(np.mean(found)) if found else LIMB * height
    return lengths


def _bone(skeleton: Skeleton, joint: int, center: Float[np.ndarray, "3"]) -> tuple[Float[np.ndarray, "3"], float]:
    """Return the direction of a joint's bone and its length along it."""
    away = float(np.linalg.norm(center))
    axis = center / away if away > 1e-9 else bone_axis(skeleton, joint)
    tips = _tips(skeleton, joint)
    reach = float((tips @ axis).max()) if len(tips) else 0.0
    return axis, reach if reach > 0.0 else 2.0 * away


def _tips(skeleton: Skeleton, joint: int) -> Float[np.ndarray, "tips 3"]:
    ends = skeleton.end_site_offsets[skeleton.end_site_parents == joint]
    return np.concatenate([skeleton.offsets[list(skeleton.children[joint])], ends])
