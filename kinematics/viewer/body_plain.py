"""What is not a person: bones as tapered capsules, as thick as what they carry is long; trunk, head and paws of animals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES
from kinematics.joint_names import body_part
from kinematics.viewer.body_reference import Reference
from kinematics.viewer.body_shapes import Solid, capsule, merge

Piece = tuple[int, str, Solid]

THICKNESS = 0.021  # radius of a bone that carries one body height of bones, in body heights
TAPER = 0.42  # 0.5 would be Leonardo's rule for trees: a stem has the cross-section of its branches together
BALL = 1.25  # radius of a joint's ball, of its thickest bone
MANY = 100  # bones from which on capsules have fewer faces and there are no balls
LEAST, LONG = 0.15, 0.25  # reach in statures from which on what hangs on a person is shown; on hands, feet and head
LEAST_SEEN = 0.004  # radius in body heights below which short bones are not thinned further
THINNEST, THICKEST = 0.006, 0.03


def plain(ref: Reference) -> list[Piece]:
    """Make a capsule of every bone and, unless there are very many, balls between them; of a single point a cross of axes."""
    bones = [point for point in range(1, len(ref.carriers)) if ref.lengths[point] > 1e-4 * ref.height]
    if not bones:
        return _cross(ref.height)
    radii = thickness(ref)
    limit = np.maximum(0.3 * ref.lengths[:, None], LEAST_SEEN * ref.height)
    radii = np.minimum(radii, limit)
    made = [_capsule(ref, point, radii, slim=len(bones) > MANY) for point in bones]
    carrying = sorted({int(ref.carriers[point]) for point in bones}) if len(bones) <= MANY else []
    for joint in carrying:
        radius = BALL * max(float(radii[point, 0]) for point in bones if int(ref.carriers[point]) == joint)
        made.append((joint, "detail", capsule(np.zeros(3), np.zeros(3), (radius, radius), segments=8, rings=3)))
    return made


def extras(ref: Reference) -> list[Piece]:
    """Make what hangs on a person and is no part of one: tails, wings, tools; twigs shorter than `LEAST` are left out."""
    joints, count = ref.anatomy.joints, ref.skeleton.num_joints
    own = set(joints.values())
    for joint in tuple(own):
        own.update(ref.skeleton.ancestors(joint))
    whole = {joints[side + part] for side in SIDES for part in ("hand", "foot") if side + part in joints}
    whole |= {joints["head"]} if "head" in joints else set()
    radii = thickness(ref)
    reach = ref.lengths.copy()
    for point in range(len(reach) - 1, 0, -1):
        carrier = int(ref.carriers[point])
        reach[carrier] = max(reach[carrier], reach[point] + float(ref.lengths[carrier]))
    drawn: set[int] = set()
    made: list[Piece] = []
    for point in range(1, len(ref.carriers)):
        carrier = int(ref.carriers[point])
        part = body_part(ref.skeleton.joint_names[point]) if point < count else ""
        starts = carrier in own and point not in own and part not in ("face", "helper")
        if carrier in drawn or (starts and reach[point] > (LONG if carrier in whole else LEAST) * ref.height):
            drawn.update({point} if point < count else ())
            if ref.lengths[point] > 0.004 * ref.height:
                made.append(_capsule(ref, point, radii, slim=True))
    return made


def _capsule(ref: Reference, point: int, radii: np.ndarray, *, slim: bool) -> Piece:
    carrier = int(ref.carriers[point])
    ends = float(radii[point, 0]), float(radii[point, 1])
    solid = capsule(np.zeros(3), ref.bones[point], ends, segments=8 if slim else 10, rings=2 if slim else 3)
    return carrier, ref.paint(point if point < ref.skeleton.num_joints else carrier), solid


def thickness(ref: Reference) -> Float[np.ndarray, "points 2"]:
    """Return the radii of each point's bone at its start and end, from the lengths of all bones that hang on it."""
    carried = ref.lengths / ref.height
    for point in range(len(carried) - 1, 0, -1):
        carried[int(ref.carriers[point])] += carried[point]
    beyond = np.maximum(carried - ref.lengths / ref.height, 0.0)
    wide = THICKNESS * carried**TAPER
    narrow = np.maximum(THICKNESS * beyond**TAPER, 0.7 * wide)
    return np.asarray(ref.height * np.clip(np.stack([wide, narrow], axis=-1), THINNEST, THICKEST))


def _cross(height: float) -> list[Piece]:
    """Axes of a point: thin bars to +X, +Y and +Z."""
    radius = 0.012 * height
    bars = [capsule(np.zeros(3), 0.15 * height * axis, (radius, radius), segments=8, rings=2) for axis in np.eye(3)]
    return [(0, "detail", capsule(np.zeros(3), np.zeros(3), (0.025 * height,) * 2, segments=8)), (0, "middle", merge(bars))]
