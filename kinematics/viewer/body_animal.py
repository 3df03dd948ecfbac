"""Four-legged animals: a barrel on legs, with neck, head, muzzle and tail."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, common_ancestor, path_between
from kinematics.viewer.body_plain import thickness
from kinematics.viewer.body_reference import Reference
from kinematics.viewer.body_shapes import Solid, axes, capped, capsule, loft, smooth, unit

Piece = tuple[int, str, Solid]

# Half width and half height of the barrel from the hips to the shoulders, and how far its middle hangs below the spine:
# shares of its length.
ALONG = (0.0, 0.2, 0.55, 0.85, 1.0)
WIDTHS = (0.135, 0.145, 0.150, 0.165, 0.140)
DEPTHS = (0.150, 0.155, 0.165, 0.200, 0.165)
SHIFTS = (0.03, 0.035, 0.05, 0.07, 0.05)
LEG = ((0.0, 0.12, 0.45, 1.0), (0.085, 0.080, 0.045, 0.034))  # radii along a whole leg
NECK = (0.155, 0.085)  # radii at the shoulders and at the head
SKULL = (-0.1, 0.2, 0.55, 0.92)  # places along the head
HEAD = 0.34  # length of a head that the skeleton does not tell
LYING = 0.55  # most that the trunk of an animal points up
LONG_TRUNK, LONG_ARMS = 0.85, 0.85  # of the legs: a person's are 0.6 and 0.68


def is_animal(ref: Reference) -> bool:
    """Tell whether a body with legs and arms is no person: its trunk lies, and it has a tail or a person's limbs not at all."""
    joints, names = ref.anatomy.joints, ref.skeleton.joint_names
    limbs = [side + part for side in SIDES for part in ("thigh", "shin", "foot", "upper_arm", "forearm")]
    if any(part not in joints for part in limbs) or float(ref.up[:, 1].mean()) > LYING:
        return False
    legs = _length(ref, ref.path("left_thigh", "left_shin", "left_foot"))
    arms = _length(ref, ref.path("left_upper_arm", "left_forearm", "left_hand"))
    tail = any("tail" in name.lower() for name in names)
    return tail or barrel_length(ref) > LONG_TRUNK * legs or arms > LONG_ARMS * legs


def barrel_length(ref: Reference) -> float:
    """Return the distance from between the hips to between the shoulders, in the median."""
    joints, points = ref.anatomy.joints, ref.poses.points
    hips = 0.5 * (points[:, joints["left_thigh"]] + points[:, joints["right_thigh"]])
    shoulders = 0.5 * (points[:, joints["left_upper_arm"]] + points[:, joints["right_upper_arm"]])
    return float(np.median(np.linalg.norm(shoulders - hips, axis=-1)))


def animal(ref: Reference) -> list[Piece]:
    """Make a four-legged animal."""
    barrel = max(barrel_length(ref), 0.1 * ref.height)
    radii = thickness(ref)
    spine, neck = _spine(ref), _neck(ref)
    _set_legs(ref, radii, barrel)
    _set_run(ref, radii, neck, (NECK[0] * barrel, NECK[1] * barrel))
    for side in SIDES:
        _set_run(ref, radii, ref.path("chest", side + "upper_arm"), (0.12 * barrel, 0.095 * barrel))
        _set_run(ref, radii, ref.path("pelvis", side + "thigh"), (0.10 * barrel, 0.10 * barrel))
    head = ref.anatomy.joints.get("head", -1)
    girdles = {
        joint for side in SIDES for run in (("chest", side + "upper_arm"), ("pelvis", side + "thigh")) for joint in ref.path(*run)
    }
    hidden = {head, *ref.skeleton.descendants(head)} if head >= 0 else set()
    above = set(ref.skeleton.ancestors(ref.anatomy.joints.get("pelvis", 0)))
    made = _barrel(ref, spine, barrel)
    for point in range(1, len(ref.carriers)):
        carrier = int(ref.carriers[point])
        if ref.lengths[point] < 0.004 * barrel or carrier in hidden or carrier in above or point in spine[1:]:
            continue
        paint = "middle" if point in girdles else ref.paint(point if point < ref.skeleton.num_joints else carrier)
        made.append((carrier, paint, capsule(np.zeros(3), ref.bones[point], (radii[point, 0], radii[point, 1]))))
    return made + (_head(ref, head, barrel) if head >= 0 else [])


def _length(ref: Reference, path: list[int]) -> float:
    return float(ref.lengths[path[1:]].sum())


def _spine(ref: Reference) -> list[int]:
    """Return the joints from the pelvis to the chest; where the pelvis is no ancestor, from what joins them."""
    joints = ref.anatomy.joints
    chest = joints.get("chest", joints.get("pelvis", 0))
    return path_between(ref.skeleton, common_ancestor(ref.skeleton, [joints.get("pelvis", chest), chest]), chest)


def _neck(ref: Reference) -> list[int]:
    joints = ref.anatomy.joints
    return path_between(ref.skeleton, joints["chest"], joints["head"]) if "chest" in joints and "head" in joints else []


def _set_run(ref: Reference, radii: np.ndarray, path: list[int], ends: tuple[float, float]) -> None:
    """Taper the bones of a path from one radius to another."""
    bounds = np.cumsum([0.0, *ref.lengths[path[1:]]])
    whole = bounds[-1] if len(bounds) > 1 and bounds[-1] > 0.0 else 1.0
    for index, point in enumerate(path[1:]):
        radii[point] = np.interp(bounds[[index, index + 1]] / whole, [0.0, 1.0], ends)


def _set_legs(ref: Reference, radii: np.ndarray, barrel: float) -> None:
    """Give each leg its outline, from hip or shoulder socket to the farthest tip."""
    for side in SIDES:
        for part in ("thigh", "upper_arm"):
            top = ref.anatomy.joints[side + part]
            gone = {top: 0.0}
            for point in ref.points_below(top):
                gone[point] = gone[int(ref.carriers[point])] + float(ref.lengths[point])
            whole = max(gone.values()) or 1.0
            for point in list(gone)[1:]:
                places = np.array([gone[int(ref.carriers[point])], gone[point]]) / whole
                radii[point] = barrel * smooth(places, *LEG)


def _barrel(ref: Reference, spine: list[int], barrel: float) -> list[Piece]:
    """Make the trunk, a slice for each bone of the spine; of a spine without bones a ball."""
    points = [point for point in spine[1:] if ref.lengths[point] > 0.01 * barrel]
    if not points:
        return [(spine[-1], "middle", capsule(np.zeros(3), np.zeros(3), (0.2 * barrel, 0.2 * barrel)))]
    bounds = np.cumsum([0.0, *ref.lengths[points]]) / float(ref.lengths[points].sum())
    made: list[Piece] = []
    for index, point in enumerate(points):
        low, high = bounds[index], bounds[index + 1]
        levels = np.linspace(low, high, max(2, round(6 * (high - low)) + 1))
        wide, deep, shift = (barrel * smooth(levels, ALONG, values) for values in (WIDTHS, DEPTHS, SHIFTS))
        carrier = int(ref.carriers[point])
        frame = axes(ref.bones[point], ref.poses.mean_in(carrier, np.array([0.0, -1.0, 0.0])))
        sections = capped(
            float(ref.lengths[point]) * (levels - low) / (high - low),
            wide,
            deep,
            caps=(float(wide[0]), float(wide[-1])),
            shifts=shift,
        )
        made.append((carrier, "middle", loft(sections, frame, np.zeros(3), segments=16)))
    return made


def _head(ref: Reference, head: int, barrel: float) -> list[Piece]:
    """Make a head with a muzzle and a dark nose, along the tips that hang on its joint or where the body faces."""
    tips = [ref.poses.point_in(head, point) for point in ref.points_below(head)]
    far = max(tips, key=lambda tip: float(np.linalg.norm(tip)), default=np.zeros(3))
    ahead = unit(ref.poses.mean_in(head, ref.up + np.array([0.0, -0.35, 0.0])))
    long = float(np.linalg.norm(far))
    way = unit(far) if long > 0.08 * barrel and unit(far) @ ahead > 0.2 else ahead
    size = float(np.clip(long if way is not ahead else 0.0, 0.26 * barrel, 0.42 * barrel)) or HEAD * barrel
    frame = axes(way, ref.poses.mean_in(head, np.array([0.0, 1.0, 0.0])))
    levels: Float[np.ndarray, " levels"] = np.linspace(-0.1, 0.92, 8)
    wide = size * smooth(levels, SKULL, (0.20, 0.27, 0.17, 0.125))
    deep = size * smooth(levels, SKULL, (0.22, 0.29, 0.17, 0.115))
    shift = size * smooth(levels, SKULL, (0.02, 0.04, -0.03, -0.05))
    skull = loft(
        capped(size * levels, wide, deep, caps=(0.12 * size, 0.08 * size), shifts=shift), frame, np.zeros(3), segments=16
    )
    nose = size * (0.99 * frame[1] - 0.01 * frame[2])
    made: list[Piece] = [(head, "middle", skull), (head, "detail", capsule(nose, nose, (0.06 * size,) * 2, segments=10))]
    for side in (-1.0, 1.0):
        root = size * (0.02 * frame[1] + 0.20 * frame[2] + side * 0.16 * frame[0])
        tip = root + size * (-0.12 * frame[1] + 0.26 * frame[2] + side * 0.06 * frame[0])
        made.append((head, "detail", capsule(root, tip, (0.075 * size, 0.02 * size), segments=8, rings=2)))
    return made
