"""Which strokes stand for a skeleton: how thick they are, where the head is, which way the body faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics.anatomy import find_anatomy
from kinematics.forward import GlobalTransforms
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

THICKNESS = 0.019  # radius of a stroke that carries one body height of bones, in body heights
TAPER = 0.42  # 0.5 would be Leonardo's rule for trees: a stem has the cross-section of its branches together
THINNEST, THICKEST = 0.0042, 0.0225
HEAD_RADIUS = (0.055, 0.068)  # least and most, half the height of a head, in body heights
FIST = 0.015  # radius of a hand of which only the wrist is known
BLUNT = 0.0085  # least radius of feet and of hands without fingers
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Sticks:
    """Strokes between points: the joints, then the end sites, the middle of the head and the tip of the nose.

    Attributes:
        starts: Point where each stroke starts, shape (strokes,).
        ends: Point where it ends, shape (strokes,).
        radii: Radius at start and end in body heights, shape (strokes, 2).
        sides: +1 left, -1 right, 0 middle, shape (strokes,).
        height: Body height in the motion's unit.
        root: Joint that the camera follows.
        head: Joint that carries the head, or -1.
        head_centre: Middle of the head in the head joint's frame, in the motion's unit, shape (3,).
        head_radius: Half the height of the head in body heights.
        nose: Direction of the face in the head joint's frame, unit, shape (3,); zero where it is not known.
    """

    starts: Int[np.ndarray, " strokes"]
    ends: Int[np.ndarray, " strokes"]
    radii: Float[np.ndarray, "strokes 2"]
    sides: Int[np.ndarray, " strokes"]
    height: float
    root: int
    head: int
    head_centre: Float[np.ndarray, "3"]
    head_radius: float
    nose: Float[np.ndarray, "3"]

    @property
    def drawn_points(self) -> Int[np.ndarray, " drawn"]:
        """Points that strokes touch, and the root."""
        return np.unique(np.concatenate([self.starts, self.ends, [self.root]]))


def plan_sticks(transforms: GlobalTransforms, facing: Float[np.ndarray, "frames 3"], *, height: float | None = None) -> Sticks:
    """Choose the strokes of a body.

    Args:
        transforms: Some of its frames, at least one, in a Y-up world.
        facing: Unit vectors in the ground plane that the body faces in these frames, shape (frames, 3).
        height: Body height in the motion's unit; the body's largest extent by default.
    """
    skeleton = transforms.skeleton
    anatomy = find_anatomy(skeleton)
    points = np.concatenate([transforms.global_positions, transforms.end_site_positions], axis=1)
    carriers = np.concatenate([skeleton.parents, skeleton.end_site_parents])
    lengths = np.zeros(len(carriers))
    lengths[1:] = np.median(np.linalg.norm(points[:, 1:] - points[:, carriers[1:]], axis=-1), axis=0)
    height = height or _extent(points)
    head = anatomy.joints.get("head", -1)
    head_centre, head_radius, nose = _head(transforms, facing, points, height) if head >= 0 else (np.zeros(3), 0.0, np.zeros(3))

    carried = lengths.copy()  # bone length at and beyond each point, in body heights
    for point in range(len(carriers) - 1, 0, -1):
        carried[carriers[point]] += carried[point]
    carried /= height
    hidden = set(skeleton.descendants(head)) | {head} if head >= 0 else set()
    root = anatomy.joints.get("pelvis", 0)
    above_root = {root, *skeleton.ancestors(root)}
    strokes = [
        point
        for point in range(1, len(carriers))
        if lengths[point] > 1e-4 * height
        and int(carriers[point]) not in hidden
        and not (point in above_root and lengths[point] > 0.3 * height)  # a reference joint on the floor
    ]
    starts = carriers[strokes]
    wide = THICKNESS * carried[strokes] ** TAPER
    narrow = THICKNESS * np.maximum(carried[strokes] - lengths[strokes] / height, 0.0) ** TAPER
    narrow = np.maximum(narrow, 0.7 * wide)
    blunt = _hands_and_feet(skeleton, strokes, starts)
    wide[blunt], narrow[blunt] = np.maximum(wide[blunt], BLUNT), np.maximum(narrow[blunt], BLUNT)
    radii = np.clip(np.stack([wide, narrow], axis=-1), THINNEST, THICKEST)
    fists = [hand for hand in _joints_of(skeleton, "hand") if hand in strokes and hand not in starts]
    ends = np.array([*strokes, *fists], dtype=np.int64)
    carrying = np.where(ends < skeleton.num_joints, ends, carriers[ends])
    return Sticks(
        starts=np.array([*starts, *fists], dtype=np.int64),
        ends=ends,
        radii=np.concatenate([radii, np.full((len(fists), 2), FIST)]),
        sides=np.array(anatomy.sides, dtype=np.int64)[carrying],
        height=height,
        root=root,
        head=head,
        head_centre=head_centre,
        head_radius=head_radius,
        nose=nose,
    )


def body_points(transforms: GlobalTransforms, sticks: Sticks) -> Float[np.ndarray, "frames points 3"]:
    """Return the points that the strokes join: joints, end sites, middle of the head, tip of the nose."""
    positions, rotations = transforms.global_positions, transforms.global_rotations
    centre = positions[:, sticks.head] + quaternion.rotate(rotations[:, sticks.head], sticks.head_centre)
    nose = centre + sticks.head_radius * sticks.height * quaternion.rotate(rotations[:, sticks.head], sticks.nose)
    return np.concatenate([positions, transforms.end_site_positions, centre[:, None], nose[:, None]], axis=1)


def mean_facing(facing: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "3"]:
    """Return the mean direction in the ground plane, unit; the first one where the body turns about."""
    mean = facing.mean(axis=0)
    if np.linalg.norm(mean) < 0.6:
        mean = facing[0]
    return np.asarray(mean / np.linalg.norm(mean))


def _hands_and_feet(skeleton: Skeleton, strokes: list[int], starts: Int[np.ndarray, " strokes"]) -> Bool[np.ndarray, " strokes"]:
    """Tell which strokes are feet or hands without fingers: they end bluntly."""
    blunt = np.zeros(len(strokes), dtype=bool)
    for part in ("foot", "hand"):
        for joint in _joints_of(skeleton, part):
            own = np.isin(starts, [joint, *skeleton.descendants(joint)])
            if part == "foot" or own.sum() < 3:
                blunt |= own
    return blunt


def _joints_of(skeleton: Skeleton, part: str) -> list[int]:
    joints = find_anatomy(skeleton).joints
    return [joints[side + part] for side in ("left_", "right_") if side + part in joints]


def _extent(points: Float[np.ndarray, "frames points 3"]) -> float:
    """Return the largest extent of any pose; for a body of one point a share of its way; never zero."""
    travel = float(np.ptp(points[:, 0], axis=0).max())
    return float((points.max(axis=1) - points.min(axis=1)).max()) or travel / 4.0 or 1.0


def _head(
    transforms: GlobalTransforms, facing: np.ndarray, points: np.ndarray, height: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the middle of the head in its joint's frame, its radius in body heights, and the direction of the face."""
    skeleton = transforms.skeleton
    head = find_anatomy(skeleton).joints["head"]
    to_local = quaternion.inverse(transforms.global_rotations[:, head])
    below = next((j for j in skeleton.ancestors(head) if np.abs(points[:, j] - points[:, head]).max() > 0.01 * height), head)
    axis = quaternion.rotate(to_local, points[:, head] - points[:, below]).mean(axis=0)
    inside = {head, *skeleton.descendants(head)}
    tops = sorted(inside - {head}) + [
        skeleton.num_joints + end for end, parent in enumerate(skeleton.end_site_parents.tolist()) if parent in inside
    ]
    axis = axis / np.linalg.norm(axis) if axis.any() else UP
    reach = [quaternion.rotate(to_local, points[:, top] - points[:, head]).mean(axis=0) for top in tops]
    along = [top for top in reach if top @ axis > 0.7 * np.linalg.norm(top) and 0.05 < top @ axis / height < 0.25]
    longest = max(along, key=lambda top: float(top @ axis), default=0.12 * height * axis)
    size = float(np.linalg.norm(longest)) / height
    radius = float(np.clip(0.5 * size, *HEAD_RADIUS))
    axis = longest / np.linalg.norm(longest)
    nose = np.zeros(3)
    if "left_thigh" in find_anatomy(skeleton).joints:
        nose = quaternion.rotate(to_local, facing).mean(axis=0)
        nose = nose - axis * (nose @ axis)
        length = float(np.linalg.norm(nose))
        nose = nose / length if length > 0.5 else np.zeros(3)
    return axis * max(size - radius, 0.5 * radius) * height, radius, nose
