"""Body parts of a skeleton whose names say nothing: symmetric pairs of branches are limbs.

The pelvis carries one pair and the spine, the chest another pair and the neck; a limb's two long bones lie together. Left
and right come from the zero pose (left = up x forward), as far as that is a pose.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinematics.skeleton import Skeleton

MOST_LIMBS = 6  # of the branches of one joint the longest few are looked at, so that a bush of thousands costs no more
Branch = tuple[int, int, int]  # a joint and its two alike children


def parts_by_topology(skeleton: Skeleton) -> tuple[dict[str, int], list[int], list[int]]:
    """Return the joint of each role, the side of each joint and its partner; empty where no two pairs are found."""
    count = skeleton.num_joints
    nothing: tuple[dict[str, int], list[int], list[int]] = ({}, [0] * count, list(range(count)))
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    reach = _reach(skeleton, lengths)
    pairs = _outermost_pairs(skeleton, lengths, reach)
    if len(pairs) < 2:
        return nothing
    legs, arms = _legs_and_arms(skeleton, pairs[0], pairs[1])
    roles = {"pelvis": legs[0], "chest": arms[0]}
    necks = [child for child in skeleton.children[arms[0]] if child not in arms[1:]]
    if necks:
        chain = _longest(skeleton, reach, max(necks, key=lambda child: float(reach[child])), stop_at_branch=True)
        roles["head"] = chain[-1]
        if len(chain) > 1:
            roles["neck"] = chain[0]
    leg_pair = _left_first(skeleton, reach, legs, arms[0])
    arm_pair = _in_order_of(skeleton, leg_pair, (arms[1], arms[2]))
    for prefix, leg, arm in zip(("left_", "right_"), leg_pair, arm_pair, strict=True):
        roles |= _limb(skeleton, lengths, reach, leg, prefix, (None, "thigh", "shin", "foot", "toe"))
        roles |= _limb(skeleton, lengths, reach, arm, prefix, ("clavicle", "upper_arm", "forearm", "hand", None))
    sides, mirror = [0] * count, list(range(count))
    for left, right in (leg_pair, arm_pair):
        for a, b in zip(_subtree(skeleton, left), _subtree(skeleton, right), strict=True):
            sides[a], sides[b], mirror[a], mirror[b] = 1, -1, b, a
    return roles, sides, mirror


def _reach(skeleton: Skeleton, lengths: Float[np.ndarray, " joints"]) -> Float[np.ndarray, " joints"]:
    """Length of the longest path from each joint's parent through it to a tip."""
    below = np.zeros(skeleton.num_joints)
    for end, parent in enumerate(skeleton.end_site_parents.tolist()):
        below[parent] = max(below[parent], float(np.linalg.norm(skeleton.end_site_offsets[end])))
    for joint in range(skeleton.num_joints - 1, 0, -1):
        parent = int(skeleton.parents[joint])
        below[parent] = max(below[parent], below[joint] + lengths[joint])
    return np.asarray(below + np.where(skeleton.parents < 0, 0.0, lengths))


def _outermost_pairs(skeleton: Skeleton, lengths: np.ndarray, reach: np.ndarray) -> list[Branch]:
    """Pairs of long, alike branches, longest first, none inside another pair's branch, one a joint."""
    found: list[tuple[float, Branch]] = []
    longest = float(reach.max(initial=0.0))
    for joint, children in enumerate(skeleton.children):
        long = [child for child in children if reach[child] > 0.2 * longest]
        long = sorted(long, key=lambda child: -float(reach[child]))[:MOST_LIMBS]
        for i, a in enumerate(long):
            found += [(float(reach[a]), (joint, a, b)) for b in long[i + 1 :] if _alike(skeleton, lengths, a, b)]
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


def _alike(skeleton: Skeleton, lengths: np.ndarray, a: int, b: int) -> bool:
    left, right = _subtree(skeleton, a), _subtree(skeleton, b)
    if len(left) != len(right):
        return False
    gap = float(np.abs(lengths[left] - lengths[right]).sum())
    return gap <= 0.1 * max(float(lengths[left].sum()), float(lengths[right].sum()))


def _subtree(skeleton: Skeleton, joint: int) -> list[int]:
    return [joint, *skeleton.descendants(joint)]


def _longest(skeleton: Skeleton, reach: np.ndarray, joint: int, *, stop_at_branch: bool = False) -> list[int]:
    chain = [joint]
    while (children := skeleton.children[chain[-1]]) and not (stop_at_branch and len(children) > 1):
        chain.append(max(children, key=lambda child: float(reach[child])))
    return chain


def _limb(
    skeleton: Skeleton, lengths: np.ndarray, reach: np.ndarray, start: int, prefix: str, roles: tuple[str | None, ...]
) -> dict[str, int]:
    """Name the joints of a limb around its two long bones; of nearly equal pairs the outer one counts."""
    chain = _longest(skeleton, reach, start)
    sums = [float(lengths[a] + lengths[b]) for a, b in pairwise(chain[1:])]
    if not sums:
        return {}
    upper = max(index for index, length in enumerate(sums) if length >= 0.8 * max(sums))
    named = ((role, upper - 1 + shift) for shift, role in enumerate(roles))
    return {prefix + role: chain[index] for role, index in named if role and 0 <= index < len(chain)}


def _zero_pose(skeleton: Skeleton) -> Float[np.ndarray, "joints 3"]:
    where = np.zeros((skeleton.num_joints, 3))
    for joint in range(1, skeleton.num_joints):
        where[joint] = where[int(skeleton.parents[joint])] + skeleton.offsets[joint]
    return where


def _left_first(skeleton: Skeleton, reach: np.ndarray, legs: Branch, chest: int) -> tuple[int, int]:
    where = _zero_pose(skeleton)
    _, a, b = legs
    tips = [_longest(skeleton, reach, leg)[-1] for leg in (a, b)]
    up = where[chest] - 0.5 * (where[tips[0]] + where[tips[1]])
    ends = [offset for end, offset in zip(skeleton.end_site_parents, skeleton.end_site_offsets, strict=True) if end in tips]
    forward = np.sum(ends, axis=0) if ends else sum(skeleton.offsets[tip] for tip in tips)
    left = np.cross(up, forward)
    return (a, b) if float(left @ (where[a] - where[b])) >= 0 else (b, a)


def _in_order_of(skeleton: Skeleton, legs: tuple[int, int], arms: tuple[int, int]) -> tuple[int, int]:
    where = _zero_pose(skeleton)
    across = where[legs[0]] - where[legs[1]]
    middle = [where[_subtree(skeleton, arm)].mean(axis=0) for arm in arms]
    return arms if float(across @ (middle[0] - middle[1])) >= 0 else arms[::-1]
