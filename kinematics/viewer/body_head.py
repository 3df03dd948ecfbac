"""The head of a person: an egg with a face plate and a nose, so that it is seen which way it looks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.viewer.body_reference import Reference
from kinematics.viewer.body_shapes import Solid, axes, capped, loft, smooth, unit

Piece = tuple[int, str, Solid]

TALL = (0.126, 0.14)  # least and greatest height of a head in statures; 0.130 by Drillis and Contini (1966)
REACH = (0.088, 0.135)  # from the head's joint to its top where the skeleton says so, and is believed; else
USUAL = 0.112
LEVELS = (-0.92, -0.72, -0.35, 0.1, 0.45, 0.66)  # of half the head's height
WIDTHS = (0.31, 0.44, 0.58, 0.66, 0.63, 0.50)  # half widths, of half its height
DEPTHS = (0.34, 0.52, 0.70, 0.82, 0.78, 0.62)
SHIFTS = (0.26, 0.20, 0.08, -0.02, -0.05, -0.05)
VISOR = (-0.28, 0.26)  # span of the face plate
PROUD = 1.022  # how far it stands out


def head(ref: Reference) -> list[Piece]:
    """Make the head of a skeleton that has one."""
    joint = ref.anatomy.joints.get("head", -1)
    if joint < 0:
        return []
    height = ref.height
    axis, reach = _top(ref, joint)
    frame = axes(axis, _face(ref, joint))
    tall = float(np.clip(reach + 0.034 * height, TALL[0] * height, TALL[1] * height))
    half = 0.5 * tall
    centre = axis * (reach - half) + frame[2] * 0.012 * height
    levels = np.linspace(LEVELS[0], LEVELS[-1], 8)
    wide, deep, shift = (half * smooth(levels, LEVELS, values) for values in (WIDTHS, DEPTHS, SHIFTS))
    sections = capped(half * levels, wide, deep, caps=(0.08 * half, 0.36 * half), shifts=shift, rings=3)
    egg = loft(sections, frame, centre, segments=18, exponent=2.1)
    levels = np.linspace(*VISOR, 5)
    wide, deep, shift = (half * smooth(levels, LEVELS, values) for values in (WIDTHS, DEPTHS, SHIFTS))
    sections = capped(half * levels, PROUD * wide, PROUD * deep, caps=(0.02 * half, 0.02 * half), shifts=shift, rings=2)
    plate = loft(sections, frame, centre, segments=24, exponent=2.1, between=(0.34 * half, np.inf))
    return [(joint, "middle", egg), (joint, "detail", plate)]


def _top(ref: Reference, head: int) -> tuple[Float[np.ndarray, "3"], float]:
    """Return the direction and distance from the head's joint to its top, in its frame."""
    up = unit(ref.poses.mean_in(head, ref.up))
    below = next((j for j in ref.skeleton.ancestors(head) if np.linalg.norm(ref.poses.point_in(head, j)) > 0.01 * ref.height), -1)
    axis = up if below < 0 else unit(unit(-ref.poses.point_in(head, below)) + up)
    tops = [ref.poses.point_in(head, point) for point in ref.points_below(head)]
    along = [top for top in tops if top @ axis > 0.8 * np.linalg.norm(top) and 0.04 < top @ axis / ref.height < 0.25]
    if not along:
        return axis, USUAL * ref.height
    top = max(along, key=lambda way: float(way @ axis))
    reach = float(np.linalg.norm(top))
    trusted = REACH[0] * ref.height < reach
    return unit(unit(top) + up), float(np.clip(reach, 0.0, REACH[1] * ref.height)) if trusted else USUAL * 0.9 * ref.height


def _face(ref: Reference, head: int) -> Float[np.ndarray, "3"]:
    """Return where the head looks when it looks ahead: where the body faces, in the mean."""
    return ref.poses.mean_in(head, ref.forward)
