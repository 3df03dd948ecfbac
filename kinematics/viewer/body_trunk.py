"""Pelvis, waist, rib-cage, shoulders and neck of a person: slices of one outline, each rigid with a joint of the spine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, common_ancestor, path_between
from kinematics.rotations import quaternion
from kinematics.viewer.body_reference import Poses, Reference
from kinematics.viewer.body_shapes import Solid, axes, capped, capsule, cross, loft, smooth, unit

Piece = tuple[int, str, Solid]  # joint that carries it, paint, surface

# The outline: 0 is the line through the hips, 1 the one through the shoulders. Half width, half depth and shift to the
# front in statures: hips 0.191 and shoulders 0.259 wide over all by Drillis and Contini (1966), as printed in Winter (2009),
# figure 4.1; the arms have the rest of the shoulders' width.
LEVELS = (-0.17, -0.02, 0.12, 0.40, 0.62, 0.80, 0.93, 1.03, 1.11, 1.22)
WIDTHS = (0.044, 0.085, 0.088, 0.074, 0.081, 0.089, 0.092, 0.082, 0.058, 0.036)
DEPTHS = (0.042, 0.064, 0.062, 0.054, 0.061, 0.066, 0.061, 0.051, 0.044, 0.036)
SHIFTS = (-0.004, -0.008, -0.005, 0.003, 0.004, 0.006, 0.004, 0.001, 0.001, 0.004)
HIPS, SHOULDERS = 0.056, 0.122  # half distances of the sockets that this outline is for
PELVIS, RIBS, WAIST = (-0.17, 0.22), (0.47, 1.15), (0.08, 0.66)  # spans on the outline
SLIM = 0.82  # the waist, as a share of the outline
USUAL = 0.285  # length of the trunk from the hips' line to the shoulders'
CLOSE = 0.04  # joints that are no farther apart on the outline count as one
SHORTEST = 0.1  # trunk in statures that is believed
SPACING = 0.08  # of sections on the outline
SQUARE = 2.35  # exponent of the sections: a little squarer than an ellipse
NECK = 0.0285  # radius


@dataclass(frozen=True, eq=False)
class Slice:
    """A straight piece of the trunk.

    Attributes:
        joint: Joint that carries it.
        start: Its lower end in the joint's frame, shape (3,).
        axis: Unit vector to its upper end in the joint's frame, shape (3,).
        levels: Its ends on the outline.
        length: Metres.
    """

    joint: int
    start: Float[np.ndarray, "3"]
    axis: Float[np.ndarray, "3"]
    levels: tuple[float, float]
    length: float


def trunk(ref: Reference) -> list[Piece]:
    """Make the trunk, the shoulders and the neck."""
    slices = _slices(ref)
    if not slices:
        return []
    shapes = _Outline(ref, slices)
    made = [shapes.shell(0, PELVIS, caps=(0.5, 0.3)), shapes.shell(len(slices) - 1, RIBS, caps=(0.3, 0.3))]
    for index, piece in enumerate(slices):
        low, high = max(piece.levels[0], WAIST[0]), min(piece.levels[1], WAIST[1])
        if high - low > 0.02:
            made.append(shapes.shell(index, (low, high), caps=(0.85, 0.85), paint="detail", slimness=SLIM))
    return made + _shoulders(ref) + _neck(ref, slices[-1])


class _Outline:
    """The outline of this trunk."""

    def __init__(self, ref: Reference, slices: list[Slice]) -> None:
        self.ref, self.slices = ref, slices
        self.per_level = slices[-1].length / (slices[-1].levels[1] - slices[-1].levels[0])
        self.stretch = _widths(ref)

    def shell(
        self, index: int, span: tuple[float, float], *, caps: tuple[float, float], paint: str = "middle", slimness: float = 1.0
    ) -> Piece:
        """Make the trunk between two levels, rigid with a slice; caps in depths of the ends."""
        piece, height = self.slices[index], self.ref.height
        levels = np.linspace(*span, max(2, round((span[1] - span[0]) / SPACING) + 1))
        wide = slimness * smooth(levels, LEVELS, WIDTHS) * np.interp(levels, [0.2, 0.7], self.stretch)
        deep, shift = slimness * smooth(levels, LEVELS, DEPTHS), smooth(levels, LEVELS, SHIFTS)
        # Below the hips and above the shoulders the outline keeps its own size, however long the spine is.
        outside = levels - np.clip(levels, 0.0, 1.0)
        along = self.per_level * (levels - outside - piece.levels[0]) + USUAL * height * outside
        sections = capped(
            along,
            wide * height,
            deep * height,
            caps=(caps[0] * float(deep[0]) * height, caps[1] * float(deep[-1]) * height),
            shifts=shift * height,
        )
        blend = min(max(0.5 * (piece.levels[0] + piece.levels[1]), 0.0), 1.0)
        frame = _frame(self.ref, piece, blend)
        return piece.joint, paint, loft(sections, frame, piece.start, segments=22, exponent=SQUARE)


def _slices(ref: Reference) -> list[Slice]:
    """The line from between the hips to between the shoulders where the trunk is straightest, cut at the joints of the spine.

    Joints may lie beside this line: drawn spines have vertebrae at the back.
    """
    joints, height = ref.anatomy.joints, ref.height
    pelvis = joints.get("pelvis", joints.get("chest"))
    if pelvis is None:
        return []
    chest = joints.get("chest", joints.get("neck", joints.get("head", pelvis)))
    top = common_ancestor(ref.skeleton, [pelvis, chest])
    path = path_between(ref.skeleton, top, pelvis)[:0:-1] + path_between(ref.skeleton, top, chest)
    poses, low, high = _line(ref, pelvis, chest)
    line = high - low
    length = float(np.linalg.norm(line, axis=-1).mean())
    share = np.sum((poses.points[:, path] - low[:, None]) * line[:, None], axis=-1) / np.sum(line**2, axis=-1)[:, None]
    levels = np.clip(share.mean(axis=0), 0.0, 0.96)
    nodes = [(pelvis, 0.0)]  # a joint and the level from which on it carries the trunk
    for joint, level in zip(path[1:], levels[1:].tolist(), strict=True):
        if len(nodes) > 1 and level - nodes[-1][1] < CLOSE:
            level = nodes.pop()[1]
        nodes.append((joint, max(level, CLOSE)))
    slices = []
    for (joint, start), (_, end) in zip(nodes, [*nodes[1:], (-1, 1.0)], strict=True):
        origin = poses.mean_in(joint, low + start * line - poses.points[:, joint])
        axis = unit(poses.mean_in(joint, line), np.array([0.0, 1.0, 0.0]))
        slices.append(Slice(joint, origin, axis, (start, end), max((end - start) * length, 1e-3 * height)))
    return slices


def _line(ref: Reference, pelvis: int, chest: int) -> tuple[Poses, np.ndarray, np.ndarray]:
    """Return the quarter of the poses with the straightest trunk, and where its line begins and ends in them."""
    joints, points = ref.anatomy.joints, ref.poses.points

    def between(part: str) -> np.ndarray | None:
        pair = [joints[side + part] for side in SIDES if side + part in joints]
        return np.asarray(points[:, pair].mean(axis=1)) if len(pair) == 2 else None

    low = between("thigh")
    low = points[:, pelvis] if low is None else low
    high = between("upper_arm")
    if high is None:
        neck = joints.get("neck", joints.get("head", chest))
        high = low + (points[:, neck] - low) * (0.95 if "neck" in joints else 0.85)
    length = np.linalg.norm(high - low, axis=-1)
    if np.median(length) < SHORTEST * ref.height:
        return ref.poses, low, low + USUAL * ref.height * ref.up
    straight = length >= np.quantile(length, 0.75) - 1e-9
    return Poses(points[straight], ref.poses.rotations[straight]), low[straight], high[straight]


def _frame(ref: Reference, piece: Slice, blend: float) -> Float[np.ndarray, "3 3"]:
    """Axes of a slice: along the spine, its side towards the left between the hips' and the shoulders' line."""
    joints, points = ref.anatomy.joints, ref.poses.points
    left = np.zeros_like(ref.left)
    for part, share in (("thigh", 1.0 - blend), ("upper_arm", blend)):
        if "left_" + part in joints and "right_" + part in joints:
            line = points[:, joints["left_" + part]] - points[:, joints["right_" + part]]
            left = left + share * line / np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 1e-12)
    mean = ref.poses.mean_in(piece.joint, left + 1e-3 * ref.left)
    front = cross(mean, piece.axis)
    ahead = ref.poses.mean_in(piece.joint, ref.forward)
    return axes(piece.axis, front if front @ ahead >= 0.0 else -front)


def _widths(ref: Reference) -> tuple[float, float]:
    """Return by how much this skeleton's hips and shoulders are wider than the outline's."""
    joints, points = ref.anatomy.joints, ref.poses.points
    found = []
    for part, usual, margin, least, most in (("thigh", HIPS, 0.034, 0.8, 1.3), ("upper_arm", SHOULDERS, -0.034, 0.75, 1.3)):
        half = usual
        if "left_" + part in joints and "right_" + part in joints:
            apart = points[:, joints["left_" + part]] - points[:, joints["right_" + part]]
            half = 0.5 * float(np.median(np.linalg.norm(apart, axis=-1))) / ref.height
        found.append(float(np.clip((half + margin) / (usual + margin), least, most)))
    return found[0], found[1]


def _shoulders(ref: Reference) -> list[Piece]:
    """Collar bones: from inside the rib-cage to the shoulder sockets."""
    joints, height = ref.anatomy.joints, ref.height
    made: list[Piece] = []
    for side in SIDES:
        if side + "upper_arm" not in joints or "chest" not in joints:
            continue
        arm = joints[side + "upper_arm"]
        carrier = joints.get(side + "clavicle", joints["chest"])
        if carrier == arm:
            carrier = joints["chest"]
        socket = ref.poses.point_in(carrier, arm)
        outwards = 1.0 if side == "left_" else -1.0
        way = unit(ref.poses.mean_in(carrier, outwards * ref.left))
        inner = socket - way * 0.085 * height - unit(ref.poses.mean_in(carrier, ref.up)) * 0.008 * height
        made.append((carrier, "middle", capsule(inner, socket, (0.035 * height, 0.030 * height), segments=12)))
    return made


def _neck(ref: Reference, chest: Slice) -> list[Piece]:
    """The neck: from the top of the rib-cage to the head's joint; joints below that top begin there too."""
    joints, height = ref.anatomy.joints, ref.height
    if "head" not in joints:
        return []
    path = path_between(ref.skeleton, chest.joint, joints["head"])
    radius = NECK * height
    made: list[Piece] = []
    top = chest.start + chest.axis * chest.length
    for below, above in pairwise(path):
        if (ref.poses.point_in(chest.joint, above) - top) @ chest.axis < 0.01 * height:
            continue
        start = np.zeros(3)
        if (ref.poses.point_in(chest.joint, below) - top) @ chest.axis < 0.05 * height:
            start = top - ref.poses.point_in(chest.joint, below)  # in the chest's frame, then in that of the joint
            start = ref.poses.mean_in(below, quaternion.rotate(ref.poses.rotations[:, chest.joint], start))
        made.append((below, "detail", capsule(start, ref.bones[above], (1.04 * radius, radius), segments=12)))
    return made
