"""Where a body can be taken hold of: hands, feet, head and hips, or the tips of whatever else it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, find_anatomy
from kinematics.forward import GlobalTransforms
from kinematics.skeleton import Skeleton

MOST = 16  # handles of one body; further tips are left out
ROLES = {"hand": "hand", "foot": "foot", "head": "head", "pelvis": "hips"}
ANIMAL_NAMES = {"hand": "fore foot", "foot": "hind foot"}


@dataclass(frozen=True)
class Handle:
    """A point of a body that can be dragged or held.

    Attributes:
        name: What it is called, such as "left hand".
        point: Name of the joint or end site.
        joint: Index of the joint, or of the one that carries the end site.
        side: +1 left, -1 right, 0 middle.
        part: "hand", "foot", "head", "hips", or "tip" of what has no such part.
        held: Whether it is held unless somebody lets it go.
    """

    name: str
    point: str
    joint: int
    side: int
    part: str
    held: bool

    def position(self, transforms: GlobalTransforms) -> Float[np.ndarray, "*frames 3"]:
        """Return where it is, in the clip's unit and axes."""
        return transforms.position(self.point)


def find_handles(skeleton: Skeleton, *, human: bool = True) -> tuple[Handle, ...]:
    """Return the handles of a skeleton: hands, feet, head and hips as far as they are known, and the tips of other limbs.

    Feet are held at first; of a body without feet, its root.

    Args:
        skeleton: The tree of joints.
        human: Whether a skeleton with arms and legs is taken for a human; otherwise for an animal, which stands on four feet.
    """
    anatomy = find_anatomy(skeleton)
    human = human and anatomy.is_human
    found: dict[int, Handle] = {}
    feet = anatomy.has_legs
    for role in [side + part for part in ("hand", "foot") for side in SIDES] + ["head", "pelvis"]:
        if role not in anatomy.joints or anatomy.joints[role] in found:
            continue
        joint, part = anatomy.joints[role], role.rsplit("_", 1)[-1]
        word = ROLES[part] if human else ANIMAL_NAMES.get(part, ROLES[part])
        side = {"left": 1, "right": -1}.get(role.split("_")[0], 0)
        name = f"{role.split('_')[0]} {word}" if side else word
        held = part == "foot" or (part == "hand" and word != "hand")
        found[joint] = Handle(name, skeleton.joint_names[joint], joint, side, ROLES[part], held)
    root = anatomy.joints.get("pelvis", 0)
    if root not in found:
        found[root] = Handle("root", skeleton.joint_names[root], root, 0, "hips", not feet)
    tips = [joint for joint in range(skeleton.num_joints) if _is_free_tip(skeleton, joint, set(found) - {root, 0})]
    if human:  # of a human the arms alone: skirts, weapons and helpers are left out
        arms = {anatomy.joints[side + "forearm"] for side in SIDES}
        tips = [joint for joint in tips if arms & {joint, *skeleton.ancestors(joint)}]
    tips.sort(key=lambda joint: (-len(skeleton.ancestors(joint)), joint))
    for joint in sorted(tips[: MOST - len(found)]):
        if joint in found:
            continue
        point = _tip(skeleton, joint)
        found[joint] = Handle(point, point, joint, anatomy.sides[joint], "tip", False)
    return tuple(found.values())


def _is_free_tip(skeleton: Skeleton, joint: int, taken: set[int]) -> bool:
    """Tell whether a limb ends at the joint and has no handle yet."""
    return joint > 0 and not skeleton.children[joint] and not taken & {joint, *skeleton.ancestors(joint)}


def _tip(skeleton: Skeleton, joint: int) -> str:
    """Return the end site of a last joint, or the joint itself where it has none."""
    ends = np.flatnonzero(skeleton.end_site_parents == joint)
    if len(ends) and np.linalg.norm(skeleton.end_site_offsets[ends[0]]) > 0.0:
        return skeleton.end_site_names[int(ends[0])]
    return skeleton.joint_names[joint]
