"""Find which joint of one skeleton drives which joint of another, without a table of pairs.

`kinematics.anatomy` finds the body parts of each skeleton by names and tree together. Parts are paired first; then the
joints between two parts (spine joints, extra necks, doubled or twist bones): one to one where both chains have as many, else by
their share of the chain's length; then fingers by name and order along the finger; then joints of the same name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from kinematics.anatomy import ROLES, Anatomy, common_ancestor, find_anatomy, path_between
from kinematics.joint_names import bare_name
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton
from retarget.body import require_legs, rigid_skeleton
from retarget.doll import SIDES
from retarget.joint_map import JointMap, JointPair
from retarget.rest_pose import zero_pose_frame
from retarget.robots.model import Robot
from retarget.robots.twin import make_twin, own_pairs

# Each part and the parts it may hang from, the nearest first.
ABOVE: dict[str, tuple[str, ...]] = {
    "chest": ("pelvis",),
    "neck": ("chest", "pelvis"),
    "head": ("neck", "chest", "pelvis"),
    "clavicle": ("chest", "pelvis"),
    "upper_arm": ("clavicle", "chest", "pelvis"),
    "forearm": ("upper_arm",),
    "hand": ("forearm",),
    "thigh": ("pelvis",),
    "shin": ("thigh",),
    "foot": ("shin",),
    "toe": ("foot",),
}
FINGERS = {"thumb": "thumb", "index": "index", "middle": "mid", "ring": "ring", "pinky": "pink|little"}
NUMBERED = re.compile(r"finger\D*(\d)")
LOW_CHEST = 0.1  # share of the trunk by which a chest must sit lower than the other to bend with the spine above it
ALIKE = 0.2  # share of a chain by which its joints may sit elsewhere and still be paired one to one
PALM = re.compile("inhand|carp|palm")


def match(source: Skeleton | Motion, target: Skeleton | Motion | Robot) -> JointMap:
    """Match the joints of two bodies.

    Args:
        source: The skeleton that moves, or a clip of it.
        target: The skeleton that shall move, or a clip of it; or a robot, for which target joints are the last hinges of its
            clusters: the one nearest the shin stands for the hip.

    Raises:
        RetargetError: Where one of them has no two legs; the message names what was found.
    """
    if isinstance(target, Robot):
        return own_pairs(match(source, make_twin(target).clip), target)
    (one, _), (other, _) = rigid_skeleton(source), rigid_skeleton(target)
    return _match(one, other)


@lru_cache(maxsize=256)
def _match(one: Skeleton, other: Skeleton) -> JointMap:
    draft = _Draft(one, other, find_anatomy(one), find_anatomy(other))
    require_legs(one, draft.source_body, "source")
    require_legs(other, draft.target_body, "target")
    draft.parts()
    draft.chains()
    draft.fingers()
    draft.tails_and_toes()
    draft.same_names()
    return draft.joint_map()


@dataclass
class _Draft:
    """The map while it grows: for each target joint its pairs, by joint index."""

    source: Skeleton
    target: Skeleton
    source_body: Anatomy
    target_body: Anatomy
    found: dict[int, list[JointPair]] = field(default_factory=dict)

    def add(self, source: int, target: int, role: str, confidence: float, reason: str, weight: float = 1.0) -> None:
        pair = JointPair(self.source.joint_names[source], self.target.joint_names[target], role, confidence, reason, weight)
        self.found.setdefault(target, []).append(pair)

    def joint_map(self) -> JointMap:
        pairs = tuple(pair for target in sorted(self.found) for pair in self.found[target])
        used = {pair.source for pair in pairs}
        return JointMap(
            pairs,
            tuple(name for name in self.source.joint_names if name not in used),
            tuple(name for joint, name in enumerate(self.target.joint_names) if joint not in self.found),
            self.source_body.dialect,
            self.target_body.dialect,
        )

    def parts(self) -> None:
        """Pair the joints that are the same part of the body."""
        bodies = (self.source_body, self.target_body)
        sure, reason = 0.95, "part by names"
        if all(body.dialect != "unknown" for body in bodies):
            sure, reason = 0.98 * min(body.dialect_confidence for body in bodies), "part by dialect"
        elif not all(body.by_names for body in bodies):
            sure, reason = 0.7, "part by tree"
        meaning = all(body.by_names for body in bodies) or self.source.joint_names == self.target.joint_names
        for role in self.common_roles():
            a, b = self.source_body.joints[role], self.target_body.joints[role]
            same = meaning and bare_name(self.source.joint_names[a]) == bare_name(self.target.joint_names[b])
            self.add(a, b, role, 1.0 if same else sure, "same name" if same else reason)

    def common_roles(self) -> list[str]:
        return [role for role in ROLES if role in self.source_body.joints and role in self.target_body.joints]

    def chains(self) -> None:
        """Pair the joints that lie between two parts."""
        common = self.common_roles()
        for role in common:
            side = role[: role.index("_") + 1] if role.startswith(("left_", "right_")) else ""
            for above in ABOVE.get(role.removeprefix(side), ()):
                start = above if above in ("pelvis", "chest", "neck") else side + above
                if start in common:
                    self.chain(start, role)
                    break

    def chain(self, start: str, end: str) -> None:
        a, b = _path(self.source, self.source_body, start, end), _path(self.target, self.target_body, start, end)
        role = "spine" if end == "chest" else start
        if b[0] not in self.found:  # the pelvis carries only the legs: the joint above it turns with it
            self.add(a[0], b[0], "pelvis", 0.8, "carries pelvis")
        ours, theirs = _places(self.source, self.source_body, a, end), _places(self.target, self.target_body, b, end)
        if len(a) == len(b) and np.abs(ours - theirs).max() < ALIKE:
            for one, other in zip(a[1:-1], b[1:-1], strict=True):
                if other not in self.found:
                    self.add(one, other, role, 0.9, "place in chain")
            return
        shares = _shares(ours, theirs)
        for other, row in zip(b[1:-1], shares[1:], strict=False):
            if other not in self.found:
                self.blend(a, other, row, role)
        if start not in ("pelvis", "chest"):
            self.blend(a, b[0], shares[0], start)
        if end == "chest" and theirs[-2] < ours[-2] - LOW_CHEST:  # a long chest bone bends as the source's upper spine does
            self.blend(a, b[-1], shares[-1], end)

    def blend(self, path: list[int], target: int, shares: np.ndarray, role: str) -> None:
        """Let several joints of a path drive one joint."""
        self.found[target] = []
        drivers = [(one, float(share)) for one, share in zip(path, shares, strict=False) if share > 0]
        reason = "share of chain" if len(drivers) > 1 else "place in chain"
        for one, share in drivers:
            self.add(one, target, role, 0.7, reason, share)

    def fingers(self) -> None:
        """Pair the joints of each finger in their order from the palm."""
        for side, _ in SIDES:
            if side + "hand" not in self.common_roles():
                continue
            ours = _fingers(self.source, self.source_body.joints[side + "hand"])
            theirs = _fingers(self.target, self.target_body.joints[side + "hand"])
            only = [name for name in ours if name != "thumb"]
            for name, chain in theirs.items():
                drivers = ours.get(name)
                sure, reason = 0.9, "finger"
                if drivers is None and name != "thumb" and only:
                    drivers = ours.get("middle", ours[only[0]])
                    sure, reason = 0.5, "nearest finger"
                for one, other in zip(drivers or [], chain, strict=False):
                    if other not in self.found:
                        self.add(one, other, side + name, sure, reason)

    def tails_and_toes(self) -> None:
        """Pair the joints of tails by their share of its length, those beyond the toe bases in their order."""
        ours, theirs = _tail(self.source, self.source_body), _tail(self.target, self.target_body)
        if ours and theirs:
            shares = _shares(_run_places(self.source, ours), _run_places(self.target, theirs))
            for other, row in zip(theirs, shares, strict=True):
                self.blend(ours, other, row, "tail")
        for side, _ in SIDES:
            if side + "toe" in self.common_roles():
                one, other = self.source_body.joints[side + "toe"], self.target_body.joints[side + "toe"]
                for a, b in zip(_below(self.source, one), _below(self.target, other), strict=False):
                    if b not in self.found:
                        self.add(a, b, side + "toes", 0.6, "place in chain")

    def same_names(self) -> None:
        """Pair what is left where names agree and the joints above belong together."""
        by_name = {bare_name(name).lower(): joint for joint, name in enumerate(self.source.joint_names)}
        used = {pair.source for pairs in self.found.values() for pair in pairs}
        for other, name in enumerate(self.target.joint_names):
            one = by_name.get(bare_name(name).lower())
            if one is None or other in self.found or self.source.joint_names[one] in used:
                continue
            above, parent = int(self.source.parents[one]), int(self.target.parents[other])
            if above < 0 or parent < 0:
                continue
            if self.source.joint_names[above] in [pair.source for pair in self.found.get(parent, [])]:
                self.add(one, other, "other", 0.8, "same name")


def _path(skeleton: Skeleton, anatomy: Anatomy, start: str, end: str) -> list[int]:
    """Joints from one part down to the other; from their common joint where the first does not carry the second."""
    first, last = anatomy.joints[start], anatomy.joints[end]
    return path_between(skeleton, common_ancestor(skeleton, (first, last)), last)


def _places(skeleton: Skeleton, anatomy: Anatomy, path: list[int], end: str) -> np.ndarray:
    """Where each joint of a path begins, as a share of the path's length; the last entry is 1.

    The trunk's length reaches from between the hips to between the shoulders, because the joint that carries the arms sits
    high in some skeletons and low in others.
    """
    lengths = np.linalg.norm(skeleton.offsets[path[1:]], axis=1)
    if end == "chest":
        lengths = np.append(lengths, _chest_height(skeleton, anatomy))
        lengths[0] += np.linalg.norm(_middle(skeleton, anatomy, "pelvis", "thigh"))
    if lengths.sum() <= 0:
        lengths = np.ones(len(lengths))
    return np.concatenate([[0.0], np.cumsum(lengths) / lengths.sum()])


def _chest_height(skeleton: Skeleton, anatomy: Anatomy) -> float:
    """Height of the shoulders above the chest in the zero pose; the way to the neck where that is no pose."""
    joints, frame = anatomy.joints, zero_pose_frame(skeleton)
    if frame is not None and "left_upper_arm" in joints and "right_upper_arm" in joints:
        return max(float(_middle(skeleton, anatomy, "chest", "upper_arm") @ frame[:, 1]), 0.0)
    above = joints.get("neck", joints.get("head"))
    beyond = [] if above is None else path_between(skeleton, joints["chest"], above)[1:]
    return float(np.linalg.norm(skeleton.offsets[beyond], axis=1).sum())


def _middle(skeleton: Skeleton, anatomy: Anatomy, start: str, part: str) -> np.ndarray:
    """Vector from a joint to the middle of a left and a right part in the zero pose."""
    paths = [path_between(skeleton, anatomy.joints[start], anatomy.joints[side + part])[1:] for side, _ in SIDES]
    return np.asarray(np.mean([skeleton.offsets[path].sum(axis=0) for path in paths], axis=0))


def _shares(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Overlap of each target piece (rows) with each source piece (columns), rows summing to 1."""
    low = np.maximum(target[:-1, None], source[None, :-1])
    high = np.minimum(target[1:, None], source[None, 1:])
    overlap = np.maximum(high - low, 0.0)
    overlap[overlap < 0.02] = 0.0
    for row, begin in zip(overlap, target[:-1], strict=True):
        if not row.any():  # a piece without length takes what moves there
            row[min(int(np.searchsorted(source, begin, side="right")) - 1, len(row) - 1)] = 1.0
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True))


def _tail(skeleton: Skeleton, anatomy: Anatomy) -> list[int]:
    """Joints of a tail: the longest run from the pelvis that leads to no leg, arm or head; empty where it is no chain of two."""
    pelvis = anatomy.joints["pelvis"]
    body = {joint for part in anatomy.joints.values() for joint in (part, *skeleton.ancestors(part))}
    runs = [[child, *_below(skeleton, child)] for child in skeleton.children[pelvis] if child not in body]
    runs = [run for run in runs if len(run) > 1 and all(anatomy.sides[joint] == 0 for joint in run)]
    return max(runs, key=lambda run: float(np.linalg.norm(skeleton.offsets[run], axis=1).sum()), default=[])


def _below(skeleton: Skeleton, joint: int) -> list[int]:
    """The way down from a joint to where it ends or branches."""
    way: list[int] = []
    while len(children := skeleton.children[joint]) == 1:
        joint = children[0]
        way.append(joint)
    return way


def _run_places(skeleton: Skeleton, run: list[int]) -> np.ndarray:
    """Where each bone of a run begins, as a share of its length, and 1; a bone without an end is as long as the one above."""
    lengths = np.linalg.norm(skeleton.offsets[run[1:]], axis=1)
    sites = skeleton.end_site_offsets[skeleton.end_site_parents == run[-1]]
    last = float(np.linalg.norm(sites, axis=1).max(initial=0.0)) or float(lengths[-1])
    along = np.concatenate([[0.0], np.cumsum([*lengths, last])])
    return np.asarray(along / along[-1] if along[-1] > 0 else np.linspace(0.0, 1.0, len(along)))


def _fingers(skeleton: Skeleton, hand: int) -> dict[str, list[int]]:
    """Joints of each finger in order from the palm; "fingers" where a hand moves as one."""
    below = skeleton.descendants(hand)
    names = [bare_name(skeleton.joint_names[joint]).lower() for joint in below]
    numbers = [int(found.group(1)) for name in names if (found := NUMBERED.search(name))]
    thumb_number = 0 if 0 in numbers else 1  # Biped counts from 0, MakeHuman from 1
    chains: dict[str, list[int]] = {}
    for joint, name in zip(below, names, strict=True):
        if PALM.search(name):
            continue
        finger = next((key for key, words in FINGERS.items() if re.search(words, name)), "fingers")
        if finger == "fingers" and (found := NUMBERED.search(name)):
            finger = list(FINGERS)[min(int(found.group(1)) - thumb_number, 4)]
        chain = chains.setdefault(finger, [])
        if not chain or chain[-1] in skeleton.ancestors(joint):
            chain.append(joint)
    return chains
