"""Hands of a person: a palm with thin fingers where the skeleton has them, else a mitten with a thumb."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES
from kinematics.joint_names import bare_name
from kinematics.viewer.body_plain import LONG
from kinematics.viewer.body_reference import Reference
from kinematics.viewer.body_shapes import Solid, axes, capped, capsule, cross, loft, unit

Piece = tuple[int, str, Solid]

LENGTH = 0.108  # wrist to finger tips; Drillis and Contini (1966), as printed in Winter (2009), figure 4.1
LENGTHS = (0.075, 0.12)  # that are believed
PALM = 0.052
HALF_WIDTH, HALF_THICKNESS = 0.0235, 0.0098
FINGER, THUMB = 0.0062, 0.0074  # radii


def hands(ref: Reference) -> list[Piece]:
    """Make the hands that a skeleton has."""
    made: list[Piece] = []
    for side in SIDES:
        if side + "hand" in ref.anatomy.joints:
            made += _hand(ref, ref.anatomy.joints[side + "hand"], side)
    return made


def _hand(ref: Reference, wrist: int, side: str) -> list[Piece]:
    height, paint = ref.height, side.removesuffix("_")
    chains = _chains(ref, wrist)
    thumbs = [chain for chain in chains if "thumb" in _name(ref, chain[-1]).lower()]
    fingers = [chain for chain in chains if chain not in thumbs]
    tips = [ref.poses.point_in(wrist, chain[-1]) for chain in fingers]
    axis = unit(np.sum(tips, axis=0)) if tips and np.any(np.sum(tips, axis=0)) else _along_forearm(ref, wrist, side)
    if len(fingers) >= 3:
        return _with_fingers(ref, wrist, paint, axis, fingers, thumbs)
    length = max((float(tip @ axis) for tip in tips), default=0.0)
    length = float(np.clip(length or LENGTH * height, LENGTHS[0] * height, LENGTHS[1] * height))
    thumb_way = _thumb_way(ref, wrist, side, thumbs, axis)
    frame = axes(axis, cross(thumb_way, axis))
    if frame[0] @ thumb_way < 0.0:
        frame = np.stack([-frame[0], frame[1], -frame[2]])
    along = length * np.array([0.0, 0.16, 0.42, 0.62, 0.88])
    wide = height * np.array([0.0150, 0.0195, 0.0232, 0.0222, 0.0165])
    deep = height * np.array([0.0125, 0.0115, 0.0105, 0.0092, 0.0070])
    sections = capped(along, wide, deep, caps=(0.012 * height, 0.12 * length), rings=3)
    mitten = loft(sections, frame, np.zeros(3), segments=12, exponent=2.3)
    root = 0.20 * length * axis + 0.012 * height * frame[0]
    knuckle = 0.42 * length * axis + 0.030 * height * frame[0]
    tip = 0.60 * length * axis + 0.034 * height * frame[0]
    radius = height * 0.0088
    return [
        (wrist, paint, mitten),
        (wrist, paint, capsule(root, knuckle, (1.1 * radius, radius), segments=7, rings=2)),
        (wrist, paint, capsule(knuckle, tip, (radius, 0.8 * radius), segments=7, rings=2)),
    ]


def _with_fingers(
    ref: Reference, wrist: int, paint: str, axis: np.ndarray, fingers: list[list[int]], thumbs: list[list[int]]
) -> list[Piece]:
    height = ref.height
    bases = np.array([ref.poses.point_in(wrist, _base(ref, chain)) for chain in fingers])
    across = bases[int(np.argmax(np.linalg.norm(bases - bases.mean(axis=0), axis=-1)))] - bases.mean(axis=0)
    frame = axes(axis, cross(across, axis))
    middle = bases.mean(axis=0)
    frame = axes(unit(middle, axis), frame[2])
    half = float(np.clip(np.abs((bases - middle) @ frame[0]).max() + 0.006 * height, 0.016 * height, 0.03 * height))
    palm = float(np.clip(middle @ frame[1], 0.03 * height, 0.075 * height))
    sections = capped(
        palm * np.array([0.0, 0.25, 0.65, 1.0]),
        [0.0150 * height, 0.82 * half, half, 0.94 * half],
        height * np.array([0.0125, 0.0115, 0.0100, 0.0080]),
        caps=(0.012 * height, 0.006 * height),
        rings=3,
    )
    made: list[Piece] = [(wrist, paint, loft(sections, frame, np.zeros(3), segments=14, exponent=2.4))]
    thin = min(FINGER * height, 0.6 * half / max(len(fingers), 1) + 0.003 * height)
    for chain in fingers:
        made += _finger(ref, chain[chain.index(_base(ref, chain)) + 1 :], paint, thin)
    for chain in thumbs:
        made += _finger(ref, chain, paint, THUMB * height)
    return made


def _finger(ref: Reference, points: list[int], paint: str, radius: float) -> list[Piece]:
    """Make the bones that end at these points."""
    return [
        (int(ref.carriers[point]), paint, capsule(np.zeros(3), ref.bones[point], (radius, 0.88 * radius), segments=6, rings=2))
        for point in points
        if ref.lengths[point] > 0.004 * ref.height
    ]


def _chains(ref: Reference, wrist: int) -> list[list[int]]:
    """Paths of points from below the wrist to each tip; tips at the wrist itself do not count."""
    below = ref.points_below(wrist)
    carriers = {int(ref.carriers[point]) for point in below}
    chains: list[list[int]] = []
    for tip in below:
        if tip in carriers:
            continue
        chain = [tip]
        while int(ref.carriers[chain[-1]]) != wrist:
            chain.append(int(ref.carriers[chain[-1]]))
        if 0.01 * ref.height < float(ref.lengths[chain].sum()) < LONG * ref.height:
            chains.append(chain[::-1])
    return chains


def _base(ref: Reference, chain: list[int]) -> int:
    """Return the point of a chain at the end of the palm: its last one that is no farther from the wrist than a palm."""
    gone, base = 0.0, chain[0]
    for point in chain[:-1]:
        gone += float(ref.lengths[point])
        if gone > 1.4 * PALM * ref.height:
            break
        base = point
        if gone > 0.6 * PALM * ref.height:
            break
    return base


def _name(ref: Reference, point: int) -> str:
    count = ref.skeleton.num_joints
    return bare_name(ref.skeleton.joint_names[point if point < count else int(ref.carriers[point])])


def _along_forearm(ref: Reference, wrist: int, side: str) -> Float[np.ndarray, "3"]:
    elbow = ref.anatomy.joints.get(side + "forearm", int(ref.carriers[wrist]))
    if elbow < 0:
        return np.array([1.0, 0.0, 0.0])
    return unit(-ref.poses.point_in(wrist, elbow))


def _thumb_way(ref: Reference, wrist: int, side: str, thumbs: list[list[int]], axis: np.ndarray) -> Float[np.ndarray, "3"]:
    """Return the direction across the hand towards its thumb.

    Where the skeleton has no thumb: with the forearm half way between palm up and palm down the thumb is on the side
    that the elbow bends to; with a straight arm it points ahead.
    """
    if thumbs:
        way = ref.poses.point_in(wrist, thumbs[0][-1])
        way = way - axis * (way @ axis)
        if np.linalg.norm(way) > 0.005 * ref.height:
            return unit(way)
    joints, points = ref.anatomy.joints, ref.poses.points
    way = 0.2 * ref.poses.mean_in(wrist, ref.forward)
    if side + "forearm" in joints and side + "upper_arm" in joints:
        elbow, shoulder = joints[side + "forearm"], joints[side + "upper_arm"]
        up_arm = points[:, shoulder] - points[:, elbow]
        up_arm = up_arm / np.maximum(np.linalg.norm(up_arm, axis=-1, keepdims=True), 1e-12)
        bent = ref.poses.mean_in(wrist, up_arm)
        way = way + bent - axis * (bent @ axis)
    return unit(way - axis * (way @ axis))
