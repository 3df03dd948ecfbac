"""Which joint is which part of a body: by names and tree together, else by the tree and its lengths alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Bool, Float

from kinematics.anatomy_topology import ARM_BUILD, LEG_BUILD, Build, bends, nearest_build, parts_by_topology
from kinematics.dialects import recognise_dialect
from kinematics.forward import forward_kinematics
from kinematics.joint_names import body_part, split_side
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton

SIDES = ("left_", "right_")
LEG, ARM = ("thigh", "shin", "foot", "toe"), ("clavicle", "upper_arm", "forearm", "hand")
MOST_FRAMES = 200  # of a clip are looked at
CLEARLY = np.radians(10.0)  # a limb that bends by more at one joint and by a tenth at the next bends at the one
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
        dialect_confidence: How sure the dialect is, 0 to 1.
    """

    joints: Mapping[str, int]
    sides: tuple[int, ...]
    mirror: tuple[int, ...]
    dialect: str
    by_names: bool
    dialect_confidence: float = 0.0

    @property
    def is_human(self) -> bool:
        """Whether both legs and both arms were found, each with its middle joint."""
        return self.has_legs and all(side + part in self.joints for side in SIDES for part in ("upper_arm", "forearm"))

    @property
    def has_legs(self) -> bool:
        """Whether both legs were found, from hip to ankle."""
        return all(side + part in self.joints for side in SIDES for part in ("thigh", "shin", "foot"))


_KNOWN: WeakKeyDictionary[Skeleton, Anatomy] = WeakKeyDictionary()  # of skeletons that `with_anatomy` made


def find_anatomy(skeleton: Skeleton) -> Anatomy:
    """Find the body parts of a skeleton; what cannot be found is left out.

    Names decide where they say enough, else the tree and its lengths. A skeleton made by `with_anatomy` has the given one.
    """
    return _KNOWN.get(skeleton) or _find_anatomy(skeleton)


def find_anatomy_in_clip(motion: Motion) -> Anatomy:
    """Find the body parts of a skeleton with the help of its moving body.

    Knees and elbows are placed where the limbs bend, and the left and right of a body whose names say nothing are told by
    where its toes, knees and elbows point.

    Args:
        motion: The clip, in any unit and axes; at most 200 of its frames are looked at.
    """
    anatomy = find_anatomy(motion.skeleton)
    if not motion.num_frames or motion.skeleton in _KNOWN:
        return anatomy
    seen = forward_kinematics(motion[:: -(-motion.num_frames // MOST_FRAMES)])
    if anatomy.by_names:
        return replace(anatomy, joints={**anatomy.joints, **_bending_joints(motion.skeleton, anatomy, seen.global_positions)})
    joints, sides, mirror = parts_by_topology(motion.skeleton, seen.global_positions, seen.end_site_positions)
    return replace(anatomy, joints=joints, sides=tuple(sides), mirror=tuple(_consistent(motion.skeleton, mirror)))


def with_anatomy(skeleton: Skeleton, anatomy: Anatomy) -> Skeleton:
    """Return a copy of the skeleton whose body parts are known: `find_anatomy` returns them for it.

    Copies made from it, such as one with other offsets, are looked at anew.
    """
    known = replace(skeleton)
    _KNOWN[known] = anatomy
    return known


@lru_cache(maxsize=256)
def _find_anatomy(skeleton: Skeleton) -> Anatomy:
    sides, mirror = _sides(skeleton)
    known = recognise_dialect(skeleton.joint_names, skeleton.parents.tolist())
    joints = _NamedParts(skeleton, sides).roles(known.joints)
    by_names = any(all(side + part in joints for side in SIDES for part in limb) for limb in (LEG[:1] + LEG[2:3], ARM[1:3]))
    if not by_names:
        joints, sides, mirror = parts_by_topology(skeleton)
    partners = tuple(_consistent(skeleton, mirror))
    return Anatomy(joints, tuple(sides), partners, known.name, by_names, known.confidence)


def stands_on_four(anatomy: Anatomy, global_positions: Float[np.ndarray, "*frames joints 3"]) -> Bool[np.ndarray, "*frames"]:
    """Tell in which frames a body stands on hands and feet: legs and arms point the same way, across the trunk.

    Args:
        anatomy: Its parts.
        global_positions: Where its joints are, in any world and unit, shape (*frames, joints, 3).
    """
    where, joints = global_positions, anatomy.joints
    if not anatomy.is_human or "left_hand" not in joints or "right_hand" not in joints:
        return np.zeros(where.shape[:-2], dtype=bool)
    limbs = [(side + top, side + tip) for side in SIDES for top, tip in (("thigh", "foot"), ("upper_arm", "hand"))]
    ways = np.stack([_unit(where[..., joints[tip], :] - where[..., joints[top], :]) for top, tip in limbs], axis=-2)
    sockets = [where[..., joints[side + part], :] for part in ("thigh", "upper_arm") for side in SIDES]
    trunk = _unit(sockets[2] + sockets[3] - sockets[0] - sockets[1])
    down = _unit(ways.sum(axis=-2))
    along = (ways * down[..., None, :]).sum(axis=-1).min(axis=-1)
    return np.asarray((along > 0.7) & (np.abs((trunk * down).sum(axis=-1)) < 0.5))


def _unit(vectors: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(size > 0, size, 1.0))


def _bending_joints(skeleton: Skeleton, anatomy: Anatomy, where: Float[np.ndarray, "frames joints 3"]) -> dict[str, int]:
    """Return the knees and elbows that bend, where the joint of that name stays straight and another of its limb bends."""
    moved = {}
    for side in SIDES:
        for top, middle, end in (("thigh", "shin", "foot"), ("upper_arm", "forearm", "hand")):
            if not all(side + part in anatomy.joints for part in (top, middle, end)):
                continue
            path = path_between(skeleton, anatomy.joints[side + top], anatomy.joints[side + end])
            if len(path) < 4:
                continue
            ranges = bends(where[:, path])
            most = int(np.argmax(ranges))
            named = path.index(anatomy.joints[side + middle]) - 1 if anatomy.joints[side + middle] in path[1:-1] else most
            if ranges[most] > CLEARLY and ranges[named] < 0.1 * ranges[most]:
                moved[side + middle] = path[most + 1]
    return moved


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

    def roles(self, known: Mapping[str, int]) -> dict[str, int]:
        """Return all roles; those of a known dialect are taken from its table, limb by limb where it has the whole limb."""
        found: dict[str, int] = {}
        for prefix, side in zip(SIDES, (1, -1), strict=True):
            for limb, read in ((LEG, self.leg), (ARM, self.arm)):
                told = {prefix + part: known[prefix + part] for part in limb if prefix + part in known}
                if not all(prefix + part in told for part in (limb[:3] if limb is LEG else limb[1:])):
                    told = {}
                found |= {prefix + part: joint for part, joint in read(side).items()} | told
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
            thigh = self.bone_start(thighs, shins[0]) if thighs else None
            result["shin"] = self.middle_joint(shins, thigh, foot, LEG_BUILD)
            if thigh is not None:
                result["thigh"] = thigh
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
            upper = self.bone_start(uppers, named["forearm"][0]) if uppers else None
            result["forearm"] = self.middle_joint(named["forearm"], upper, hand, ARM_BUILD)
            if upper is not None:
                result["upper_arm"] = upper
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

    def middle_joint(self, run: list[int], top: int | None, end: int | None, build: Build) -> int:
        """Return the knee or elbow: of the joints on one line with the bone, the one that divides the limb as bodies do."""
        start = self.bone_start(run, end)
        candidates = run[run.index(start) :]
        if top is None or end is None or len(candidates) < 2:
            return start
        path = path_between(self.skeleton, top, end)[1:]
        lengths = np.cumsum(np.linalg.norm(self.skeleton.offsets[path], axis=1))
        above = [float(lengths[path.index(joint)]) for joint in candidates if joint in path]
        return candidates[nearest_build(above, float(lengths[-1]), build)] if len(above) == len(candidates) else start

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
