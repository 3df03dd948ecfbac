"""Arms and legs of a person: tapered, a little shaped, round at every joint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinematics.anatomy import SIDES
from kinematics.viewer.body_reference import Reference
from kinematics.viewer.body_shapes import Solid, axes, capped, capsule, loft, smooth

Piece = tuple[int, str, Solid]


@dataclass(frozen=True)
class Shape:
    """Outline of a limb's long bone, in statures.

    Attributes:
        along: Where the radii hold, as shares of the bone's length.
        radii: Radii.
        back: How far the middle lies behind the bone.
    """

    along: tuple[float, ...]
    radii: tuple[float, ...]
    back: tuple[float, ...]


THIGH = Shape((0.0, 0.2, 0.55, 0.85, 1.0), (0.047, 0.0505, 0.0425, 0.0335, 0.033), (0.0, -0.002, -0.003, 0.0, 0.0))
SHIN = Shape(
    (0.0, 0.1, 0.3, 0.65, 0.88, 1.0), (0.0322, 0.032, 0.0355, 0.0255, 0.0195, 0.0205), (0.0, 0.002, 0.007, 0.003, 0.0, 0.0)
)
UPPER_ARM = Shape((0.0, 0.15, 0.5, 0.85, 1.0), (0.0325, 0.0335, 0.0285, 0.0225, 0.0225), (0.0, 0.0, 0.0, 0.0, 0.0))
FOREARM = Shape((0.0, 0.25, 0.65, 0.92, 1.0), (0.0220, 0.0252, 0.0195, 0.0152, 0.0155), (0.0, 0.0, 0.0, 0.0, 0.0))
LIMBS = (("thigh", "shin", THIGH), ("shin", "foot", SHIN), ("upper_arm", "forearm", UPPER_ARM), ("forearm", "hand", FOREARM))
STATIONS = 6  # sections along a whole bone
BALL, GAP, RIM = 0.95, 0.2, 0.14  # ball in a knee or elbow, gap to it, rounding of the shells' ends: shares of the radius there
STOUTEST = 0.3  # most that a radius may be of its bone's length


def limbs(ref: Reference) -> list[Piece]:
    """Make arms and legs, each bone split as its skeleton splits it."""
    made: list[Piece] = []
    for side in SIDES:
        for above, below, shape in LIMBS:
            path = ref.path(side + above, side + below)
            made += _bone(ref, path, shape, side.removesuffix("_"))
            if made and below in ("shin", "forearm"):
                made.append(_ball(ref, path, shape))
    return made


def _bone(ref: Reference, path: list[int], shape: Shape, paint: str) -> list[Piece]:
    """Make a long bone, in as many pieces as its skeleton has joints there."""
    lengths = [float(ref.lengths[joint]) for joint in path[1:]]
    whole = sum(lengths)
    if whole < 0.004 * ref.height:
        return []
    scale = _scale(ref, path, shape)
    opens, closes = shape in (SHIN, FOREARM), shape in (THIGH, UPPER_ARM)
    ends = (shape.radii[0], shape.radii[-1])
    bounds = np.cumsum([0.0, *lengths]) / whole
    made: list[Piece] = []
    for index, joint in enumerate(path[1:]):
        if lengths[index] < 0.01 * whole:
            continue
        low, high = float(bounds[index]), float(bounds[index + 1])
        # At a knee or elbow the shells stop short of its ball; everywhere else they end in balls of their own.
        gaps = [
            GAP * scale * radius / whole * at
            for radius, at in zip(ends, (opens and index == 0, closes and high == 1.0), strict=True)
        ]
        along = np.linspace(low + gaps[0], high - gaps[1], max(2, round(STATIONS * (high - low)) + 1))
        radii = scale * smooth(along, shape.along, shape.radii)
        caps = [float(radius) * (RIM if gap else 1.0) for radius, gap in zip(radii[[0, -1]], gaps, strict=True)]
        sections = capped(
            whole * (along - low),
            radii,
            radii,
            caps=(caps[0], caps[1]),
            shifts=-scale * smooth(along, shape.along, shape.back),
        )
        carrier = int(ref.carriers[joint])
        frame = axes(ref.bones[joint], ref.poses.mean_in(carrier, ref.forward))
        made.append((carrier, paint, loft(sections, frame, np.zeros(3), segments=12)))
    return made


def _ball(ref: Reference, path: list[int], shape: Shape) -> Piece:
    """Make the ball in a knee or elbow: seen as a dark ring, however the joint bends."""
    radius = BALL * _scale(ref, path, shape) * shape.radii[-1]
    return path[-1], "detail", capsule(np.zeros(3), np.zeros(3), (radius, radius), segments=12, rings=4)


def _scale(ref: Reference, path: list[int], shape: Shape) -> float:
    """Return what shares of the shape are shares of: the stature, less for very short bones."""
    return min(ref.height, STOUTEST * float(ref.lengths[path[1:]].sum()) / max(shape.radii))
