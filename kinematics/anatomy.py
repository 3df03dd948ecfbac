"""Which joint is which part of a body: by names and tree together, else by the tree and its lengths alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kinematics.anatomy_topology import parts_by_topology
from kinematics.joint_names import body_part, dialect, split_side
from kinematics.skeleton import Skeleton

SIDES = ("left_", "right_")
LEG, ARM = ("thigh", "shin", "foot", "toe"), ("clavicle", "upper_arm", "forearm", "hand")
ROLES = ("pelvis", "chest", "neck", "head", *(side + part for side in SIDES for part in LEG + ARM))


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Body parts of a skeleton.

    Attributes:
        joints: Joint index of each role found, out of `ROLES`. "left_thigh" is the joint at the hip socket, "left_shin"
            the knee, "left_foot" the ankle, "left_toe" the toe base, "left_upper_arm" the shoulder socket,
            "left_forearm" the elbow, "left_hand" the wrist; "chest" carries the arms, "pelvis" the legs.
        sides: For each joint +1 left, -1 right, 0 middle.
        mirror: For each joint its partner on the other side; itself in the middle or without a partner.
        dialect: Name of the naming convention, or "unknown".
        by_names: Whether names decided (True) or the tree and its lengths alone (False).
    """

    joints: Mapping[str, int]
    sides: tuple[int, ...]
    mirror: tuple[int, ...]
    dialect: str
    by_names: bool

    @property
    def is_human(self) -> bool:
        """Whether both legs and both arms were found, each with its middle joint."""
        return self.has_legs and all(side + part in self.joints for side in SIDES for part in ("upper_arm", "forearm"))

    @property
    def has_legs(self) -> bool:
        """Whether both legs were found, from hip to ankle."""
        return all(side + part in self.joints for side in SIDES for part in ("thigh", "shin", "foot"))


@lru_cache(maxsize=256)
def find_anatomy(skeleton: Skeleton) -> Anatomy:
    """Find the body parts of a skeleton; what cannot be found is left out."""
    sides, mirror = _sides(skeleton)
    joints = _NamedParts(skeleton, sides).roles()
    by_names = any(all(side + part in joints for side in SIDES for part in limb) for limb in (LEG[:1] + LEG[2:3], ARM[1:3]))
    if not by_names:
        joints, sides, mirror = parts_by_topology(skeleton)
    return Anatomy(joints, tuple(sides), tuple(_consistent(skeleton, mirror)), dialect(skeleton.joint_names), by_names)


def path_between(skeleton: Skeleton, ancestor: int, joint: int) -> list[int]:
    """Return the joints from `ancestor` down to `joint`, both included; [joint] where it is no ancestor."""
    path = [joint, *skeleton.ancestors(joint)]
    return path[: path.index(ancestor) + 1][::-1] if ancestor in path else [joint]


def common_ancestor(skeleton: Skeleton, joints: Iterable[int]) -> int:
    """Return the lowest joint above (or at) all the given ones."""
    path, *others = [[joint, *skeleton.ancestors(joint)] for joint in joints]
    shared = set(path).intersection(*others)
    return next(joint for joint in path if joint in shared)


def _sides(skeleton: Skeleton) -> tuple[list[int], list[int]]:
    """Read the side of each joint and its partner from the names; a joint without a side has its parent's."""
    keys = [(*split_side(name), "".join(c for c in name if c.isdigit())) for name in skeleton.joint_names]
    sides = [key[0] for key in keys]
    for joint, parent in enumerate(skeleton.parents.tolist()):
        if sides[joint] == 0 and parent >= 0:
            sides[joint] = sides[parent]
    lookup: dict[tuple[int, str, str], list[int]] = {}
    for joint, (_, word, number) in enumerate(keys):
        lookup.setdefault((sides[joint], word, number), []).append(joint)
    mirror = list(range(len(keys)))
    for (side, word, number), here in lookup.items():
        there = lookup.get((-side, word, number), [])
        if side and len(here) == len(there):
            for a, b in zip(here, there, strict=True):
                mirror[a] = b
    return sides, mirror


def _consistent(skeleton: Skeleton, mirror: list[int]) -> list[int]:
    """Keep only partners of each other whose parents are partners too."""
    for joint, parent in enumerate(skeleton.parents.tolist()):
        other = mirror[joint]
        if mirror[other] != joint or (parent >= 0 and mirror[parent] != int(skeleton.parents[other])):
            mirror[joint] = joint
    return [other if mirror[other] == joint else joint for joint, other in enumerate(mirror)]


class _NamedParts:
    """Roles from what the names propose, decided along the path of each limb."""

    def __init__(self, skeleton: Skeleton, sides: list[int]) -> None:
        self.skeleton, self.sides = skeleton, sides
        self.parts = [body_part(name) for name in skeleton.joint_names]
        self.depth = [0] * skeleton.num_joints
        for joint, parent in enumerate(skeleton.parents.tolist()[1:], 1):
            self.depth[joint] = self.depth[parent] + 1

    def roles(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for prefix, side in zip(SIDES, (1, -1), strict=True):
            found |= {prefix + part: joint for part, joint in (self.leg(side) | self.arm(side)).items()}
        return found | self.middle(found)

    def first(self, side: int, *wanted: str, within: Iterable[int] | None = None) -> int | None:
        """Return the joint of that side and part that is nearest to the root."""
        pool = range(self.skeleton.num_joints) if within is None else within
        found = [joint for joint in pool if self.sides[joint] == side and self.parts[joint] in wanted]
        return min(found, key=lambda joint: (self.depth[joint], joint)) if found else None

    def leg(self, side: int) -> dict[str, int]:
        foot = self.first(side, "ankle")
        foot = self.first(side, "foot") if foot is None else foot
        if foot is None:
            return {}
        path = self.skeleton.ancestors(foot)[::-1]
        named = {part: [j for j in path if self.parts[j] == part] for part in ("shin", "thigh", "leg", "hip_joint")}
        hips = [j for j in path if self.parts[j] == "pelvis" and self.sides[j] == side]
        shins = named["shin"] or named["leg"]
        thighs = named["thigh"] or (named["leg"] if named["shin"] else []) or hips or named["hip_joint"]
        toe = self.first(side, "toe", "foot", within=self.skeleton.descendants(foot))
        result = {"foot": foot} | ({} if toe is None else {"toe": toe})
        if shins:
            result["shin"] = self.bone_start(shins, foot)
            if thighs:
                result["thigh"] = self.bone_start(thighs, shins[0])
        return result

    def arm(self, side: int) -> dict[str, int]:
        hand = self.first(side, "hand")
        tip = self.first(side, "forearm") if hand is None else hand
        if tip is None:
            return {}
        path = [*self.skeleton.ancestors(tip)[::-1], tip]
        named = {p: [j for j in path if self.parts[j] == p] for p in ("forearm", "upper_arm", "shoulder", "clavicle")}
        shoulders, uppers = named["shoulder"], named["upper_arm"]
        if not uppers:  # the only shoulder is the socket; a further one above it the collar bone
            shoulders, uppers = shoulders[:-1], shoulders[-1:]
        clavicles = named["clavicle"] or shoulders
        result = {} if hand is None else {"hand": hand}
        if clavicles:
            result["clavicle"] = clavicles[-1]
        if named["forearm"]:
            result["forearm"] = self.bone_start(named["forearm"], hand)
            if uppers:
                result["upper_arm"] = self.bone_start(uppers, named["forearm"][0])
        return result

    def middle(self, limbs: Mapping[str, int]) -> dict[str, int]:
        thighs = [limbs[side + "thigh"] for side in SIDES if side + "thigh" in limbs]
        arms = [limbs.get(side + "clavicle", limbs.get(side + "upper_arm")) for side in SIDES]
        head = self.first(0, "head")
        pelvis = common_ancestor(self.skeleton, thighs) if len(thighs) == 2 else self.first(0, "pelvis")
        chest = common_ancestor(self.skeleton, [a for a in arms if a is not None]) if None not in arms else None
        above = None if head is None or chest is None else path_between(self.skeleton, chest, head)[1:]
        neck = self.first(0, "neck", within=above)
        found = {"pelvis": pelvis, "chest": chest, "neck": neck, "head": head}
        return {part: joint for part, joint in found.items() if joint is not None}

    def bone_start(self, run: list[int], end: int | None) -> int:
        """Return the first joint of a run of equally named joints that lies on one line with the bone's last piece.

        A bone split in two (upperleg01, upperleg02) starts at the first; a helper beside it (__UpLeg_L) does not count.
        """
        start = run[-1]
        if end is None:
            return run[0]
        offsets = self.skeleton.offsets
        direction = offsets[path_between(self.skeleton, start, end)[1:2] or [end]][0]
        for joint in run[-2::-1]:
            step = offsets[start]
            if float(direction @ step) < 0.8 * float(np.linalg.norm(direction) * np.linalg.norm(step)):
                break
            start = joint
        return start
