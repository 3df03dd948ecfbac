"""Which joints of a robot are which part of a human body, found without a table.

Gravity tells up and the tree tells limbs: branches that leave one joint in equal pairs. The pair that reaches the ground is the
legs, the other the arms; names, where they say something, settle the cuts between hip, knee and ankle and which side is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays, frozen
from kinematics.anatomy import ROLES, Anatomy
from kinematics.skeleton import Skeleton
from retarget.robots.limbs import ARM, LEG, Cluster, Line, cut, name_part, name_side
from retarget.robots.shapes import Geom

UP = np.array([0.0, 1.0, 0.0])
FORWARD = np.array([0.0, 0.0, 1.0])
SMALL = 0.15  # of the longest reach: branches that short are no limbs
ALIKE = 0.12  # share by which the two branches of a pair may differ in reach
NAMED, SHAPED, FIXED = 0.95, 0.75, 0.5  # confidence: names and tree agree, the tree alone, no joint of its own


@dataclass(frozen=True, eq=False)
class RobotPart(FrozenArrays):
    """A body part of a robot.

    Attributes:
        joint: Joint whose frame carries the segment: the last of the cluster. Of a part without joints of its own (a foot
            fixed to its shin) the joint that carries it.
        hinges: The cluster: all joints that turn it against the part before, from the trunk outwards; empty where it is fixed.
        center: The middle of the cluster (hip socket, knee, ankle), in the frame of `joint`, metres, shape (3,).
        confidence: 0 to 1.
        reason: Why, for people to read.
    """

    joint: int
    hinges: tuple[int, ...]
    center: Float[np.ndarray, "3"]
    confidence: float
    reason: str

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        object.__setattr__(self, "center", frozen(self.center, (3,), "center"))


@dataclass(frozen=True, eq=False)
class RobotAnatomy(FrozenArrays):
    """Body parts of a robot by role, out of `kinematics.anatomy.ROLES`.

    Attributes:
        parts: What was found; "chest" has the joints of the waist where the root is below it, else "pelvis" has them.
        forward: Where it faces in the zero pose, unit, horizontal, shape (3,).
        sides: For each joint +1 left, -1 right, 0 middle.
        mirror: For each joint its partner on the other side; itself in the middle or without a partner.
    """

    parts: Mapping[str, RobotPart]
    forward: Float[np.ndarray, "3"]
    sides: tuple[int, ...]
    mirror: tuple[int, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Roles that were not found."""
        return tuple(role for role in ROLES if role not in self.parts)

    @property
    def is_human(self) -> bool:
        """Whether both legs and both arms were found, each with its middle joint."""
        return self.has_legs and all(side + part in self.parts for side in ("left_", "right_") for part in ARM[1:3])

    @property
    def has_legs(self) -> bool:
        """Whether both legs were found, from hip to ankle."""
        return all(side + part in self.parts for side in ("left_", "right_") for part in LEG[:3])

    def as_anatomy(self) -> Anatomy:
        """Return the parts that have joints of their own as `kinematics` names them; each is the last joint of its cluster."""
        joints = {role: part.joint for role, part in self.parts.items() if part.hinges or role in ("pelvis", "chest")}
        by_names = any(part.confidence == NAMED for part in self.parts.values())
        return Anatomy(joints, self.sides, self.mirror, "robot", by_names)


def find_robot_anatomy(
    skeleton: Skeleton,
    axes: Float[np.ndarray, "joints 3"],
    ranges: Float[np.ndarray, "joints 2"],
    names: Sequence[Sequence[str]],
    geoms: Sequence[Geom],
    fixed_bodies: Sequence[tuple[str, int, Float[np.ndarray, "3"]]] = (),
) -> RobotAnatomy:
    """Find the body parts of a robot.

    Args:
        skeleton: Its joints; Y is up in the zero pose.
        axes: Axis of each hinge in the zero pose, unit, shape (joints, 3); zero at the root and ball joints.
        ranges: Least and largest angle of each hinge, radians, shape (joints, 2).
        names: For each joint what it is called: joint, body.
        geoms: What fills it.
        fixed_bodies: Bodies without joints: name, joint that carries them, place in its frame.
    """
    return _Finder(skeleton, axes, ranges, names, geoms, fixed_bodies).find()


@dataclass(frozen=True, eq=False)
class _Branch:
    """A limb to be: its chain of joints, and where it ends."""

    chain: list[int]
    joints: list[int]
    tip: Float[np.ndarray, "3"]
    reach: float
    lowest: float


class _Finder:
    def __init__(
        self,
        skeleton: Skeleton,
        axes: np.ndarray,
        ranges: np.ndarray,
        names: Sequence[Sequence[str]],
        geoms: Sequence[Geom],
        fixed_bodies: Sequence[tuple[str, int, np.ndarray]],
    ) -> None:
        self.skeleton, self.axes, self.ranges, self.names, self.geoms = skeleton, axes, ranges, names, geoms
        self.where = np.zeros((skeleton.num_joints, 3))
        for joint in range(1, skeleton.num_joints):
            self.where[joint] = self.where[int(skeleton.parents[joint])] + skeleton.offsets[joint]
        self.labels = [next((part for name in own if (part := name_part(name))), "") for own in names]
        self.name_sides = [next((side for name in own if (side := name_side(name))), 0) for own in names]
        self.fixed_bodies = fixed_bodies
        self.clouds: list[np.ndarray] = [
            np.concatenate([self.where[j : j + 1], *(self.where[j] + g.points for g in geoms if g.joint == j)])
            for j in range(skeleton.num_joints)
        ]
        self.branches = {joint: self.branch(joint) for joint in range(1, skeleton.num_joints)}

    def find(self) -> RobotAnatomy:
        legs, arms = self.pairs()
        sides, mirror = [0] * self.skeleton.num_joints, list(range(self.skeleton.num_joints))
        parts: dict[str, RobotPart] = {}
        forward = self.forward(legs, arms)
        across = np.cross(UP, forward)
        for pair, roles in ((legs, LEG), (arms, ARM)):
            if pair is None:
                continue
            left, right = self.left_first(pair, across)
            for prefix, start, side in (("left_", left, 1), ("right_", right, -1)):
                parts |= {prefix + role: part for role, part in self.limb(start, roles).items()}
                for joint in self.branches[start].joints:
                    sides[joint] = side
            for a, b in zip(self.branches[left].joints, self.branches[right].joints, strict=False):
                if len(self.branches[left].joints) == len(self.branches[right].joints):
                    mirror[a], mirror[b] = b, a
        parts |= self.trunk(legs, arms, parts)
        return RobotAnatomy({role: parts[role] for role in ROLES if role in parts}, forward, tuple(sides), tuple(mirror))

    def branch(self, start: int) -> _Branch:
        """Follow the longest way from a joint outwards; fingers and other forks end it."""
        below = self.skeleton.descendants(start)
        cloud = np.concatenate([self.clouds[joint] for joint in (start, *below)])
        away = np.linalg.norm(cloud - self.where[start], axis=1)
        chain = [start]
        while children := self.skeleton.children[chain[-1]]:
            children = tuple(child for child in children if self.labels[child] != "finger")
            if len(children) != 1:
                break
            chain.append(children[0])
        last = np.concatenate([self.clouds[joint] for joint in (chain[-1], *self.skeleton.descendants(chain[-1]))])
        tip = last[np.linalg.norm(last - self.where[start], axis=1).argmax()]
        from_parent = float(np.linalg.norm(self.where[start] - self.where[int(self.skeleton.parents[start])]))
        return _Branch(chain, [start, *below], tip, from_parent + float(away.max()), float(cloud[:, 1].min()))

    def pairs(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Return the pair of legs and the pair of arms, each by its first joints."""
        longest = max((branch.reach for branch in self.branches.values()), default=0.0)
        found: list[tuple[int, int]] = []
        for children in self.skeleton.children:
            long = [child for child in children if self.branches[child].reach > SMALL * longest]
            found += [(a, b) for a, b in combinations(long, 2) if self.alike(a, b)]
        found = [pair for pair in found if not any(pair != other and self.inside(pair[0], other) for other in found)]
        words = {"leg": set(LEG), "arm": set(ARM)}
        says = {
            kind: [pair for pair in found if any(self.labels[j] in parts for j in self.branches[pair[0]].joints)]
            for kind, parts in words.items()
        }
        pool = says["leg"] or found
        legs = min(pool, key=lambda pair: self.branches[pair[0]].lowest, default=None)
        rest = [pair for pair in found if legs is None or not set(pair) & set(legs)]
        rest = [pair for pair in rest if pair in says["arm"]] or rest
        arms = max(rest, key=lambda pair: self.branches[pair[0]].reach, default=None)
        return legs, arms

    def alike(self, a: int, b: int) -> bool:
        one, other = self.branches[a], self.branches[b]
        longer = max(one.reach, other.reach)
        chains = abs(len(one.chain) - len(other.chain)) <= 1
        apart = self.where[a] - self.where[b]
        level = abs(float(apart @ UP)) < 0.1 * longer
        opposite = not (self.name_sides[a] and self.name_sides[a] == self.name_sides[b])
        return (
            chains
            and level
            and opposite
            and abs(one.reach - other.reach) < ALIKE * longer
            and abs(len(one.joints) - len(other.joints)) <= max(2, len(one.joints) // 3)
        )

    def inside(self, joint: int, pair: tuple[int, int]) -> bool:
        return any(joint in self.branches[start].joints and joint != start for start in pair)

    def forward(self, legs: tuple[int, int] | None, arms: tuple[int, int] | None) -> Float[np.ndarray, "3"]:
        """Return the horizontal direction across the body that most signs call forward."""
        across = np.zeros(3)
        for pair in (legs, arms):
            if pair is not None:
                middles = [self.where[self.branches[start].joints].mean(axis=0) for start in pair]
                line = (middles[0] - middles[1]) * (1.0 - UP)
                across += line if float(across @ line) >= 0.0 else -line
        if float(np.linalg.norm(across)) < 1e-6:
            return FORWARD
        axis = np.cross(across / np.linalg.norm(across), UP)
        if max(abs(axis[0]), abs(axis[2])) > 0.99:
            axis = np.round(axis)
        return np.asarray(axis if self.votes(axis, legs, arms) >= 0.0 else -axis) + 0.0

    def votes(self, axis: np.ndarray, legs: tuple[int, int] | None, arms: tuple[int, int] | None) -> float:
        """Add up what speaks for an axis as forward (positive) or backward (negative)."""
        votes = 0.5 * np.sign(float(axis @ FORWARD) + 1e-9)  # robots mostly look along their own x axis
        left = np.cross(UP, axis)
        for pair, bend, roles in ((legs, -1.0, LEG), (arms, 1.0, ARM)):
            if pair is None:
                continue
            one, other = pair
            names = self.name_sides[one] - self.name_sides[other]
            votes += 3.0 * np.sign(names * float(left @ (self.where[one] - self.where[other])))
            for start in pair:
                groups = self.clusters(start, roles)
                middle, upper = groups.get(roles[1 if roles is LEG else 2]), groups.get(roles[0 if roles is LEG else 1])
                if middle is None or upper is None:
                    continue
                votes += 0.7 * bend * self.flexion(middle, upper, axis, self.branches[start].tip)
                if roles is LEG:
                    foot = groups.get("foot", middle)
                    cloud = np.concatenate([self.clouds[j] for j in {*foot.joints, *self.skeleton.descendants(foot.joints[-1])}])
                    low = cloud[cloud[:, 1] < cloud[:, 1].min() + 0.05 * self.branches[start].reach]
                    reach = (low - foot.center) @ axis
                    votes += np.clip((float(reach.max()) + float(reach.min())) / max(float(np.ptp(reach)), 1e-6), -1.0, 1.0)
        return float(votes)

    def flexion(self, middle: Cluster, upper: Cluster, axis: np.ndarray, tip: np.ndarray) -> float:
        """Return +1 where the joint's larger range brings the limb's end forward, -1 backward, 0 where it does not tell."""
        line = middle.lines[0]
        low, high = self.ranges[line.joint]
        if not line.is_hinge or not np.isfinite([low, high]).all() or abs(high + low) < 0.3:
            return 0.0
        moved = np.cross(line.axis, tip - middle.center) * np.sign(high + low)
        bone = middle.center - upper.center
        moved = moved - bone * float(moved @ bone) / max(float(bone @ bone), 1e-9)
        share = float(moved @ axis) / max(float(np.linalg.norm(moved)), 1e-9)
        return float(np.sign(share)) if abs(share) > 0.3 else 0.0

    def left_first(self, pair: tuple[int, int], across: np.ndarray) -> tuple[int, int]:
        one, other = pair
        middles = [self.where[self.branches[start].joints].mean(axis=0) for start in pair]
        return pair if float(across @ (middles[0] - middles[1])) >= 0.0 else (other, one)

    def clusters(self, start: int, roles: tuple[str, ...]) -> dict[str, Cluster]:
        chain = self.branches[start].chain
        lines = [Line(joint, self.where[joint], self.axes[joint], self.labels[joint]) for joint in chain]
        return cut(lines, self.branches[start].tip, roles)

    def limb(self, start: int, roles: tuple[str, ...]) -> dict[str, RobotPart]:
        """Return the parts of a limb; a foot or hand without joints of its own is fixed to the part before."""
        groups = self.clusters(start, roles)
        found: dict[str, RobotPart] = {}
        for role, cluster in groups.items():
            named = all(line.label == role or (role == "hand" and line.label == "forearm") for line in cluster.lines)
            reason = ("names and tree: " if named else "tree: ") + ", ".join(self.names[j][0] for j in cluster.joints)
            last = cluster.joints[-1]
            found[role] = RobotPart(last, cluster.joints, cluster.center - self.where[last], NAMED if named else SHAPED, reason)
        end, before = ("foot", "shin") if roles is LEG else ("hand", "forearm")
        if before in found and end not in found:
            joint = found[before].joint
            found[end] = self.fixed_end(end, joint, groups[before].center, self.branches[start].tip)
        elif end == "hand" and end in found and float(np.linalg.norm(groups["hand"].center - groups[before].center)) < 0.02:
            own = found[end]
            guess = self.fixed_end(end, own.joint, groups[before].center, self.branches[start].tip)
            found[end] = replace(own, center=guess.center)
        return found

    def fixed_end(self, role: str, joint: int, middle: np.ndarray, tip: np.ndarray) -> RobotPart:
        """Place an ankle or wrist that has no joint: at a body of that name, else where a person has it."""
        for name, owner, place in self.fixed_bodies:
            if owner == joint and name_part(name) == role and float(np.linalg.norm(place)) > 1e-6:
                return RobotPart(joint, (), place, FIXED, f"body {name!r}, fixed to {self.names[joint][0]!r}")
        for geom in self.geoms:
            if role == "hand" and geom.joint == joint and name_part(geom.name) == role:
                return RobotPart(joint, (), geom.points.mean(axis=0), FIXED, f"geom {geom.name!r}")
        if role == "foot":  # above the sole, in line with the shin
            low = min(float(self.clouds[j][:, 1].min()) for j in (joint, *self.skeleton.descendants(joint)))
            height = middle[1] - low
            place = middle - 0.9 * height * UP
        else:
            place = middle + 0.65 * (tip - middle)
        return RobotPart(joint, (), place - self.where[joint], 0.5 * FIXED, f"no joint; a guess on {self.names[joint][0]!r}")

    def trunk(
        self, legs: tuple[int, int] | None, arms: tuple[int, int] | None, limbs: Mapping[str, RobotPart]
    ) -> dict[str, RobotPart]:
        parents = self.skeleton.parents
        pelvis = int(parents[legs[0]]) if legs else 0
        chest = int(parents[arms[0]]) if arms else pelvis
        up_pelvis, up_chest = ([j, *self.skeleton.ancestors(j)] for j in (pelvis, chest))
        meet = next(j for j in up_pelvis if j in up_chest)
        parts = {}
        for role, joint, path, pair in (("pelvis", pelvis, up_pelvis, legs), ("chest", chest, up_chest, arms)):
            if pair is None and role == "chest":
                continue
            hinges = tuple(path[: path.index(meet)][::-1])
            first = ("left_thigh", "right_thigh") if role == "pelvis" else ("left_upper_arm", "right_upper_arm")
            centres = [self.where[limbs[f].joint] + limbs[f].center for f in first if f in limbs]
            centre = np.mean(centres, axis=0) if centres else self.where[joint]
            reason = "carries the " + ("legs" if role == "pelvis" else "arms")
            parts[role] = RobotPart(joint, hinges, centre - self.where[joint], NAMED if len(centres) == 2 else SHAPED, reason)
        if arms:
            parts |= self.head(chest, pelvis, arms, parts["chest"])
        return parts

    def head(self, chest: int, pelvis: int, arms: tuple[int, int], carrier: RobotPart) -> dict[str, RobotPart]:
        """Find neck and head: joints in the middle above the arms, else a body of that name, else the top of the trunk."""
        below = {*self.branches[arms[0]].joints, *self.branches[arms[1]].joints, pelvis, *self.skeleton.ancestors(pelvis)}
        starts = [child for child in self.skeleton.children[chest] if child not in below]
        named = [child for child in starts if any(self.labels[j] == "head" for j in self.branches[child].joints)]
        shoulders = float((self.where[chest] + carrier.center)[1])
        tops = {c: max(float(self.clouds[j][:, 1].max()) for j in self.branches[c].joints) for c in starts}
        pool = named or [child for child in starts if tops[child] > shoulders]
        if pool:
            chain = self.branches[max(pool, key=lambda child: tops[child])].chain
            lines = [Line(joint, self.where[joint], self.axes[joint], self.labels[joint]) for joint in chain]
            sure = NAMED if named else SHAPED
            points = {line.joint: line.anchor for line in lines}
            parts = {}
            split = next((n for n in range(1, len(chain)) if np.linalg.norm(points[chain[n]] - points[chain[n - 1]]) > 0.02), 0)
            if split:
                parts["neck"] = RobotPart(chain[split - 1], tuple(chain[:split]), np.zeros(3), sure, "below the head")
            parts["head"] = RobotPart(chain[-1], tuple(chain[split:]), np.zeros(3), sure, "joints above the arms")
            return parts
        for name, owner, place in self.fixed_bodies:
            if owner == chest and name_part(name) == "head" and float(np.linalg.norm(place)) > 1e-6:
                return {"head": RobotPart(chest, (), place, FIXED, f"body {name!r}, fixed to {self.names[chest][0]!r}")}
        for geom in self.geoms:
            if geom.joint == chest and name_part(geom.name) == "head":
                return {"head": RobotPart(chest, (), geom.points.mean(axis=0), FIXED, f"geom {geom.name!r}")}
        top = float(self.clouds[chest][:, 1].max())
        if top > shoulders + 0.05:
            middle = (self.where[chest] + carrier.center) * (1.0 - UP) + 0.5 * (shoulders + top) * UP
            return {"head": RobotPart(chest, (), middle - self.where[chest], 0.5 * FIXED, "top of the trunk")}
        return {}
