"""Where the key bodies of a result should be: the source's limbs, each scaled to the result's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import ROLES, find_anatomy
from kinematics.forward import GlobalTransforms
from kinematics.metrics import PositionError
from kinematics.skeleton import Skeleton
from retarget.doll import SIDES
from retarget.joint_map import JointMap

# Each key body, the point it hangs from, and the points along which the limb's length is measured.
LIMBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "shoulders": ("hips", ("hips", "shoulders")),
    "head": ("shoulders", ("shoulders", "head")),
} | {
    side + part: (side + top, tuple(side + point for point in chain))
    for side, _ in SIDES
    for part, top, chain in (
        ("shin", "thigh", ("thigh", "shin", "foot")),
        ("foot", "thigh", ("thigh", "shin", "foot")),
        ("forearm", "upper_arm", ("upper_arm", "forearm", "hand")),
        ("hand", "upper_arm", ("upper_arm", "forearm", "hand")),
    )
}
# Joints at which limbs begin, the middle between the two, and the two.
LEGS = ("shin", "foot")
SOCKETS = {"thigh": "hips", "upper_arm": "shoulders"}
Points = dict[str, Float[np.ndarray, "frames 3"]]


@dataclass(frozen=True)
class KeyBodies:
    """How far the key bodies of a result are from where the source has them, its limbs scaled to the result's.

    Attributes:
        error: Over all key bodies and frames; `worst_joint` is a body part.
        mean_cm: Mean distance of each key body.
        path: The same of the hips in the world, the source's path scaled by the legs and moved by one constant.
        leg_ratio: Length of the result's legs over the source's.
    """

    error: PositionError
    mean_cm: Mapping[str, float]
    path: PositionError
    leg_ratio: float


def common_parts(source: Skeleton, result: Skeleton, joint_map: JointMap | None = None) -> dict[str, tuple[int, int]]:
    """Return the joints of each body part that both have: of the source and of the result.

    Args:
        source: The source's skeleton.
        result: The result's.
        joint_map: Its pairs stand in the place of what names and tree tell: a part goes with the one joint that drives the
            result's, and is left out where nothing drives it.

    Raises:
        UnknownNameError: Where the map names a joint that does not exist.
        RetargetError: Where it is empty.
    """
    ours, theirs = find_anatomy(source).joints, find_anatomy(result).joints
    parts = {role: (ours[role], theirs[role]) for role in ROLES if role in ours and role in theirs}
    if joint_map is None:
        return parts
    joint_map.require_joints(source, result)
    for role in ROLES:
        if role in theirs and result.joint_names[theirs[role]] in joint_map.unmapped_target:
            parts.pop(role, None)
    roles = {joint: role for role, joint in theirs.items()}
    for pair in joint_map.pairs:
        joint = result.joint_index(pair.target)
        role = roles.get(joint, "" if pair.role in theirs else pair.role)
        if role in ROLES and len(joint_map.sources_of(pair.target)) == 1:
            parts[role] = (source.joint_index(pair.source), joint)
    return parts


def compare_key_bodies(
    source: GlobalTransforms, result: GlobalTransforms, parts: Mapping[str, tuple[int, int]], height: float, part: str
) -> KeyBodies:
    """Compare where the key bodies are.

    The result's hips (middle of the hip sockets) stand where they stand. From there on each point should be where the source
    has it as seen from the point before, times the ratio of the two limbs' lengths: hips to shoulders, shoulders to head,
    hip to hip, shoulder to shoulder, hip by knee to ankle, shoulder by elbow to wrist (medians over the clip). So what
    proportions explain is no error; what a wrong trunk does to a hand is.

    Args:
        source: Forward kinematics of the source in metres, Y up.
        result: That of the result, frame by frame.
        parts: Joints of each body part: of the source and of the result. Both legs must be there.
        height: Body height of the result in metres.
        part: "whole", or the part of the body ("upper", "lower") whose key bodies count.
    """
    here = _points(source, {role: pair[0] for role, pair in parts.items()})
    there = _points(result, {role: pair[1] for role, pair in parts.items()})
    wanted: Points = {"hips": there["hips"]}
    _sockets(wanted, here, there, "thigh")
    for name, (start, chain) in LIMBS.items():
        if start in wanted and all(point in here for point in (name, *chain)):
            wanted[name] = wanted[start] + _ratio(here, there, chain) * (here[name] - here[start])
        if name == "shoulders" and name in wanted:
            _sockets(wanted, here, there, "upper_arm")
    names = [name for name in LIMBS if name in wanted and (part == "whole" or name.endswith(LEGS) == (part == "lower"))]
    gaps = {name: there[name] - wanted[name] for name in names}
    leg_ratio = float(np.mean([_ratio(here, there, LIMBS[side + "foot"][1]) for side, _ in SIDES]))
    path = there["hips"] - leg_ratio * here["hips"]
    error, means = _position_error(gaps, height)
    return KeyBodies(error, means, _position_error({"hips": path - path.mean(axis=0)}, height)[0], leg_ratio)


def _points(seen: GlobalTransforms, joints: Mapping[str, int]) -> Points:
    points = {role: np.ascontiguousarray(seen.global_positions[:, joint]) for role, joint in joints.items()}
    for part, middle in SOCKETS.items():
        if "left_" + part in points and "right_" + part in points:
            points[middle] = 0.5 * (points["left_" + part] + points["right_" + part])
    return points


def _sockets(wanted: Points, here: Points, there: Points, part: str) -> None:
    """Set both sockets beside their middle, as far apart as the result's are."""
    ratio = _ratio(here, there, ("left_" + part, "right_" + part))
    for side, _ in SIDES:
        wanted[side + part] = wanted[SOCKETS[part]] + ratio * (here[side + part] - here[SOCKETS[part]])


def _ratio(here: Points, there: Points, chain: tuple[str, ...]) -> float:
    """Length of the result's limb over that of the source's; 1 where the source's has none."""
    ours, theirs = (sum(_length(points[start], points[end]) for start, end in pairwise(chain)) for points in (here, there))
    return theirs / ours if ours > 0.0 else 1.0


def _length(start: np.ndarray, end: np.ndarray) -> float:
    """Median distance over at most 400 frames."""
    step = -(-len(start) // 400)
    return float(np.median(np.linalg.norm(end[::step] - start[::step], axis=-1)))


def _position_error(gaps: Points, height: float) -> tuple[PositionError, dict[str, float]]:
    """Sum up distances over frames and points; and the mean of each point in centimetres."""
    names = list(gaps)
    if not names:
        return PositionError(0.0, 0.0, 0.0, 0.0, "", 0), {}
    distances = np.stack([np.sqrt(np.einsum("fi,fi->f", gap, gap)) for gap in gaps.values()])
    body, frame = np.unravel_index(int(distances.argmax()), distances.shape)
    mean, most, percent = float(distances.mean()), float(distances.max()), 100.0 / height if height > 0.0 else 0.0
    error = PositionError(100.0 * mean, 100.0 * most, percent * mean, percent * most, names[int(body)], int(frame))
    return error, dict(zip(names, (100.0 * distances.mean(axis=1)).tolist(), strict=True))
