"""Body parts of a skeleton whose names say nothing: symmetric pairs of branches are limbs.

The pelvis carries one pair and the spine, the chest another pair and the neck. Within a limb the two long bones are the ones
whose lengths fit a body best, so that helpers halfway along a bone are not taken for a knee; in a clip, joints at which the
limb never bends are passed over. Left and right come from where toes, knees and elbows point (left = up x forward): in the
zero pose, as far as that is a pose, or in the frames of a clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from jaxtyping import Float

from kinematics.skeleton import Skeleton

MOST_LIMBS = 6  # of the branches of one joint the longest few are looked at, so that a bush of thousands costs no more
MOST_JOINTS = 24  # of a limb's path so many joints are looked at
MOST_COST = 20.0  # of a limb's proportions; what fits worse is none
ENOUGH = 10  # frames that show which joints move
UNLIKE = 0.15  # share by which the lengths of a left and a right limb may differ
STIFF = np.radians(0.1)  # a joint whose bend changes less than this in a clip is most likely a helper
Branch = tuple[int, int, int]  # a joint and its two alike children
Parts = tuple[dict[str, int], list[int], list[int]]


@dataclass(frozen=True)
class Build:
    """How the bones of a limb divide its length: mean and deviation.

    Attributes:
        ratio: Logarithm of upper bone / lower bone.
        rest: What lies beyond the wrist or ankle, as a share of the two bones.
        first: The way from the trunk's joint to the socket, as a share of the two bones.
        most: Largest such share that nothing speaks against.
        open_end: Cost of a limb that ends without a joint at the wrist or ankle.
    """

    ratio: tuple[float, float]
    rest: tuple[float, float]
    first: tuple[float, float]
    most: float
    open_end: float


# From the shares of the stature in Winter (2009), figure 4.1: thigh 0.245, shank 0.246, foot 0.152; upper arm 0.186,
# forearm 0.146, hand 0.108. Deviations are wide, for cartoons and animals.
LEG_BUILD = Build(ratio=(0.0, 0.17), rest=(0.3, 0.3), first=(0.2, np.inf), most=0.7, open_end=16.0)
ARM_BUILD = Build(ratio=(0.24, 0.3), rest=(0.33, 0.25), first=(0.5, 0.28), most=1.2, open_end=4.0)


def parts_by_topology(
    skeleton: Skeleton,
    global_positions: Float[np.ndarray, "frames joints 3"] | None = None,
    end_site_positions: Float[np.ndarray, "frames ends 3"] | None = None,
) -> Parts:
    """Return the joint of each role, the side of each joint and its partner; empty where no two pairs are found.

    Args:
        skeleton: The skeleton.
        global_positions: Where its joints are in the frames of a clip, in any world and unit, shape (frames, joints, 3);
            the zero pose by default.
        end_site_positions: Where its end sites are, shape (frames, ends, 3).
    """
    count = skeleton.num_joints
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    reach = _reach(skeleton, lengths)
    pairs = _outermost_pairs(skeleton, reach, lengths)
    if len(pairs) < 2:
        return {}, [0] * count, list(range(count))
    legs, arms = _legs_and_arms(skeleton, pairs[0], pairs[1])
    if global_positions is None or end_site_positions is None:
        global_positions, end_site_positions = _zero_pose(skeleton)
    seen = _Seen(skeleton, reach, global_positions, end_site_positions)
    roles = {"pelvis": legs[0], "chest": arms[0]} | _neck_and_head(skeleton, reach, arms)
    limbs = seen.limbs(legs, LEG_BUILD, (None, "thigh", "shin", "foot", "toe"))
    limbs |= seen.limbs(arms, ARM_BUILD, ("clavicle", "upper_arm", "forearm", "hand", None))
    if not all(seen.twins(limbs[a], limbs[b]) for _, a, b in (legs, arms)):
        return {}, [0] * count, list(range(count))
    leg_pair, arm_pair = seen.sides(legs, arms, limbs)
    sides, mirror = [0] * count, list(range(count))
    for left, right in (leg_pair, arm_pair):
        for prefix, side, branch in (("left_", 1, left), ("right_", -1, right)):
            roles |= {prefix + part: joint for part, joint in limbs[branch].items()}
            for joint in _subtree(skeleton, branch):
                sides[joint] = side
        _pair_up(skeleton, reach, left, right, mirror)
    return roles, sides, mirror


class _Seen:
    """A skeleton in some frames: the bends of its limbs, and which side they are on."""

    def __init__(self, skeleton: Skeleton, reach: np.ndarray, where: np.ndarray, ends: np.ndarray) -> None:
        self.skeleton, self.reach, self.where, self.ends = skeleton, reach, where, ends

    def limbs(self, pair: Branch, build: Build, roles: tuple[str | None, ...]) -> dict[int, dict[str, int]]:
        """Name the joints of two limbs around their two long bones; both divided alike where they have as many joints."""
        chains = [_longest(self.skeleton, self.reach, start)[:MOST_JOINTS] for start in pair[1:]]
        found = [self.divide(chain, build) for chain in chains]
        if len(chains[0]) == len(chains[1]):
            found = [min(found, key=lambda one: one[1])] * 2
        named: dict[int, dict[str, int]] = {}
        for start, chain, (places, _) in zip(pair[1:], chains, found, strict=True):
            wanted = () if places is None else (places[0] - 1, *places, places[2] + 1)
            joints = [chain[place] if 0 <= place < len(chain) else -1 for place in wanted]
            named[start] = {role: joint for role, joint in zip(roles, joints, strict=False) if role and joint >= 0}
        return named

    def twins(self, one: dict[str, int], other: dict[str, int]) -> bool:
        """Tell whether two limbs have the same parts, and the same bones between them."""
        if one.keys() != other.keys() or not one:
            return False
        a, b = (np.array([self.reach[joint] for joint in limb.values()]) for limb in (one, other))
        return bool(np.all(np.abs(np.diff(a) - np.diff(b)) <= UNLIKE * np.maximum(a, b).max(initial=0.0)))

    def stiff(self, chain: list[int]) -> dict[int, bool]:
        """Tell at which joints of a path it stays straight in every frame of a clip: of several at one point all or none."""
        if len(self.where) < ENOUGH:
            return dict.fromkeys(chain, False)
        found: dict[int, bool] = {}
        lengths = np.linalg.norm(self.skeleton.offsets[chain], axis=1)
        small = 1e-3 * float(lengths.sum())
        starts = [0, *(place for place in range(1, len(chain)) if lengths[place] > small), len(chain)]
        points = self.where[:, [chain[place] for place in starts[:-1]]]
        straight = [False, *(bends(points) < STIFF), False][: len(starts) - 1]
        for (first, last), still in zip(pairwise(starts), straight, strict=True):
            found |= dict.fromkeys(chain[first:last], bool(still))
        return found

    def divide(self, chain: list[int], build: Build) -> tuple[tuple[int, int, int] | None, float]:
        """Choose the places of socket, middle joint and wrist or ankle in a limb, and tell the cost.

        The last is beyond the chain where the limb ends without a joint; None where nothing fits.
        """
        lengths = np.linalg.norm(self.skeleton.offsets[chain], axis=1)
        along = dict(zip(chain, np.cumsum(lengths).tolist(), strict=True))
        whole = float(self.reach[chain[0]])
        points, stiff = [(along[joint], joint) for joint in chain], self.stiff(chain) | {-1: False}
        if points[-1][0] < (1.0 - 1e-6) * whole:
            points.append((whole, -1))
        best, least = None, MOST_COST
        for one, two, three in combinations(range(len(points)), 3):
            (socket, a), (middle, b), (tip, c) = points[one], points[two], points[three]
            upper, lower = middle - socket, tip - middle
            if min(upper, lower) <= 1e-3 * whole:
                continue
            both = upper + lower
            cost = ((np.log(upper / lower) - build.ratio[0]) / build.ratio[1]) ** 2
            beyond = (whole - tip) / both - build.rest[0]
            cost += (beyond / build.rest[1]) ** 2 * (1.0 if beyond > 0 else 0.25)  # files often leave fingers and toes out
            cost += ((socket / both - build.first[0]) / build.first[1]) ** 2
            cost += (max(socket / both - build.most, 0.0) / 0.2) ** 2
            cost += 40.0 * (self.crooked(a, b, upper) + self.crooked(b, c, lower)) + build.open_end * (c < 0)
            cost += 2.0 * stiff[a] + 4.0 * stiff[b] + stiff[c]
            cost += 0.02 * (three - one)  # of joints at one point the nearest to the bone
            if cost < least:
                best, least = (one, two, three), cost
        return best, least

    def crooked(self, top: int, end: int, length: float) -> float:
        """By which share a bone of several joints is shorter than its length, mean over the frames."""
        if end < 0 or int(self.skeleton.parents[end]) == top:
            return 0.0
        return max(1.0 - float(np.linalg.norm(self.where[:, end] - self.where[:, top], axis=1).mean()) / length, 0.0)

    def sides(self, legs: Branch, arms: Branch, limbs: dict[int, dict[str, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the legs and the arms, each with the left one first."""
        where, unit = self.where, _unit
        hips, shoulders = self.across(legs, limbs, "thigh"), self.across(arms, limbs, "upper_arm")
        feet = 0.5 * sum(where[:, limbs[leg].get("foot", leg)] for leg in legs[1:])
        up = unit(where[:, arms[0]] - feet)
        forward = np.zeros_like(up)
        for leg in legs[1:]:
            parts = limbs[leg]
            if "foot" in parts:
                toes = unit(self.tip(parts["foot"]) - where[:, parts["foot"]])
                forward += toes + 3.0 * self.bent(parts, "thigh", "shin", "foot")
        for arm in arms[1:]:
            forward -= 0.5 * self.bent(limbs[arm], "upper_arm", "forearm", "hand")
        leg_pair, arm_pair = (legs[1], legs[2]), (arms[1], arms[2])
        if float(np.sum(np.cross(up, forward) * hips)) < 0:
            leg_pair, hips = leg_pair[::-1], -hips
        if float(np.sum(unit(hips) * unit(shoulders))) < 0:
            arm_pair = arm_pair[::-1]
        return leg_pair, arm_pair

    def across(self, branch: Branch, limbs: dict[int, dict[str, int]], part: str) -> np.ndarray:
        """Vector from the second limb's socket to the first's."""
        a, b = (limbs[start].get(part, start) for start in branch[1:])
        return np.asarray(self.where[:, a] - self.where[:, b])

    def tip(self, joint: int) -> np.ndarray:
        """Mean of the ends below a joint; the joint itself where there are none."""
        below = _subtree(self.skeleton, joint)
        sites = np.flatnonzero(np.isin(self.skeleton.end_site_parents, below))
        if len(sites):
            return np.asarray(self.ends[:, sites].mean(axis=1))
        leaves = [child for child in below if not self.skeleton.children[child]]
        return np.asarray(self.where[:, leaves].mean(axis=1))

    def bent(self, parts: dict[str, int], upper: str, middle: str, end: str) -> np.ndarray:
        """How far a limb's middle joint stands off the line between its ends, as a share of the limb."""
        if not all(part in parts for part in (upper, middle, end)):
            return np.zeros((len(self.where), 3))
        a, b, c = (self.where[:, parts[part]] for part in (upper, middle, end))
        line = _unit(c - a)
        off = (b - a) - np.sum((b - a) * line, axis=1, keepdims=True) * line
        size = np.linalg.norm(b - a, axis=1, keepdims=True) + np.linalg.norm(c - b, axis=1, keepdims=True)
        return np.asarray(off / np.where(size > 0, size, 1.0))


def bends(positions: Float[np.ndarray, "frames path 3"]) -> Float[np.ndarray, " inner"]:
    """Return by how much a path of joints bends at each inner joint, in radians between its least and its most.

    Args:
        positions: Where the joints of the path are in each frame, from the top down, shape (frames, path, 3).
    """
    bones = np.diff(positions, axis=1)
    return np.asarray(np.ptp(_angles(bones[:, :-1], bones[:, 1:]), axis=0))


def nearest_build(lengths_above: list[float], whole: float, build: Build) -> int:
    """Return which of several places along a limb divides it as a body does.

    Args:
        lengths_above: Length of the limb above each place, from its socket.
        whole: Length from the socket to the wrist or ankle.
        build: Proportions.
    """
    costs = [abs(np.log(above / (whole - above)) - build.ratio[0]) if 0 < above < whole else np.inf for above in lengths_above]
    return int(np.argmin(costs))


def _neck_and_head(skeleton: Skeleton, reach: np.ndarray, arms: Branch) -> dict[str, int]:
    """Name the joints above the chest: up to where the way branches (face) or to the last joint that is no mere end."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    necks = [child for child in skeleton.children[arms[0]] if child not in arms[1:]]
    if not necks:
        return {}
    chain = _longest(skeleton, reach, max(necks, key=lambda child: float(reach[child])), stop_at_branch=True)
    last = chain[-1]
    beyond = float(reach[last] - lengths[last])
    if len(chain) > 2 and not skeleton.children[last] and beyond < 0.1 * lengths[last] and lengths[last] > lengths[chain[-2]]:
        chain.pop()
    return {"head": chain[-1]} | ({"neck": chain[0]} if len(chain) > 1 else {})


def _pair_up(skeleton: Skeleton, reach: np.ndarray, left: int, right: int, mirror: list[int]) -> None:
    """Make two joints partners, and their children that are most alike, whatever the order of the children."""
    queue = [(left, right)]
    while queue:
        a, b = queue.pop()
        mirror[a], mirror[b] = b, a
        ours, theirs = list(skeleton.children[a]), list(skeleton.children[b])
        if len(ours) > MOST_LIMBS * 2:
            queue += zip(ours, theirs, strict=False)
            continue
        unlike = sorted(
            (abs(float(reach[one] - reach[other])) + _offset_gap(skeleton, one, other), one, other)
            for one in ours
            for other in theirs
        )
        for _, one, other in unlike:
            if one in ours and other in theirs:
                ours.remove(one)
                theirs.remove(other)
                queue.append((one, other))


def _offset_gap(skeleton: Skeleton, one: int, other: int) -> float:
    """Difference of two offsets up to the signs of their components, which mirrored frames change."""
    return float(np.abs(np.abs(skeleton.offsets[one]) - np.abs(skeleton.offsets[other])).sum())


def _reach(skeleton: Skeleton, lengths: Float[np.ndarray, " joints"]) -> Float[np.ndarray, " joints"]:
    """Length of the longest path from each joint's parent through it to a tip."""
    below = np.zeros(skeleton.num_joints)
    for end, parent in enumerate(skeleton.end_site_parents.tolist()):
        below[parent] = max(below[parent], float(np.linalg.norm(skeleton.end_site_offsets[end])))
    for joint in range(skeleton.num_joints - 1, 0, -1):
        parent = int(skeleton.parents[joint])
        below[parent] = max(below[parent], below[joint] + lengths[joint])
    return np.asarray(below + np.where(skeleton.parents < 0, 0.0, lengths))


def _outermost_pairs(skeleton: Skeleton, reach: np.ndarray, lengths: np.ndarray) -> list[Branch]:
    """Pairs of long, alike branches, longest first, none inside another pair's branch, one a joint."""
    total = lengths.copy()
    for joint in range(skeleton.num_joints - 1, 0, -1):
        total[int(skeleton.parents[joint])] += total[joint]
    found: list[tuple[float, Branch]] = []
    longest = float(reach.max(initial=0.0))
    for joint, children in enumerate(skeleton.children):
        long = [child for child in children if reach[child] > 0.2 * longest]
        long = sorted(long, key=lambda child: -float(reach[child]))[:MOST_LIMBS]
        for i, a in enumerate(long):
            found += [(float(reach[a]), (joint, a, b)) for b in long[i + 1 :] if _alike(reach, total, a, b)]
    chosen: list[Branch] = []
    for _, pair in sorted(found, reverse=True):
        inside = any(pair[0] in _subtree(skeleton, branch) for other in chosen for branch in other[1:])
        if not inside and all(pair[0] != other[0] for other in chosen):
            chosen.append(pair)
    return chosen


def _legs_and_arms(skeleton: Skeleton, one: Branch, two: Branch) -> tuple[Branch, Branch]:
    """Legs hang from the joint that carries the other pair; else the pair beside a further branch (the neck) are arms."""
    if one[0] in _subtree(skeleton, two[0]):
        return two, one
    if two[0] in _subtree(skeleton, one[0]):
        return one, two
    return (two, one) if len(skeleton.children[one[0]]) > 2 else (one, two)


def _alike(reach: np.ndarray, total: np.ndarray, a: int, b: int) -> bool:
    """Tell whether two branches are as long, and as long with all that hangs on them."""
    gap = abs(float(reach[a] - reach[b])) / max(float(reach[a]), float(reach[b]))
    spread = abs(float(total[a] - total[b])) / max(float(total[a]), float(total[b]), 1e-12)
    return gap <= UNLIKE and spread <= 2.0 * UNLIKE


def _subtree(skeleton: Skeleton, joint: int) -> list[int]:
    return [joint, *skeleton.descendants(joint)]


def _longest(skeleton: Skeleton, reach: np.ndarray, joint: int, *, stop_at_branch: bool = False) -> list[int]:
    chain = [joint]
    while (children := skeleton.children[chain[-1]]) and not (stop_at_branch and len(children) > 1):
        chain.append(max(children, key=lambda child: float(reach[child])))
    return chain


def _zero_pose(skeleton: Skeleton) -> tuple[Float[np.ndarray, "1 joints 3"], Float[np.ndarray, "1 ends 3"]]:
    where = np.zeros((1, skeleton.num_joints, 3))
    for joint in range(1, skeleton.num_joints):
        where[0, joint] = where[0, int(skeleton.parents[joint])] + skeleton.offsets[joint]
    return where, where[:, skeleton.end_site_parents] + skeleton.end_site_offsets


def _angles(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Angle between two vectors in each frame; 0 where one has no length."""
    sizes = np.linalg.norm(above, axis=-1) * np.linalg.norm(below, axis=-1)
    cosine = np.sum(above * below, axis=-1) / np.where(sizes > 0, sizes, 1.0)
    return np.asarray(np.where(sizes > 0, np.arccos(np.clip(cosine, -1.0, 1.0)), 0.0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(size > 0, size, 1.0))
