"""The compact tree and the tasks that the kernels work on, made once from a skeleton and its goals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kinematics import kernels
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik.goals import Goal
from kinematics.ik.limits import Limit, pack_limits
from kinematics.skeleton import Skeleton

ROOT_MODES = ("free", "fixed", "translation", "heading")
COINCIDENT = 1e-9  # of the skeleton's reach: joints nearer than this lie at the same place
Point = tuple[int, np.ndarray]  # joint of the skeleton, and an offset in its frame


@dataclass(frozen=True, eq=False)
class Tables:
    """Arrays of a problem, see `kernels.tasks`.

    Attributes:
        tree: Records `kernels.tasks.JOINT`, the last row is the root's translation.
        tasks: Records `kernels.tasks.TASK`.
        slots: Row of the tree and bits of each slot, shape (slots, 2).
        pairs: Two tasks, and the range of their entries, shape (pairs, 4).
        entries: Two slots of one joint, shape (entries, 2).
        levels: Number of priorities.
        anchor: Row of the joint whose point stays, -1 for none.
        anchor_offset: That point in the joint's frame, shape (3,).
        anchor_point: The same with the joint's index in the skeleton.
        posture_level: Level of the posture; -1 without one.
        names: What each task's error is called.
        owners: Index of the goal each task belongs to.
        reach: Longest way along bones from the root, in the skeleton's unit.
    """

    tree: np.ndarray
    tasks: np.ndarray
    slots: np.ndarray
    pairs: np.ndarray
    entries: np.ndarray
    levels: int
    anchor: int
    anchor_offset: np.ndarray
    anchor_point: Point | None
    posture_level: int
    names: tuple[str, ...]
    owners: tuple[int, ...]
    reach: float


def find_point(skeleton: Skeleton, name: str) -> Point:
    """Return the joint and offset of a joint or end site.

    Raises:
        UnknownNameError: With the nearest names.
    """
    if name in skeleton.joint_names:
        return skeleton.joint_index(name), np.zeros(3)
    if name in skeleton.end_site_names:
        end = skeleton.end_site_index(name)
        return int(skeleton.end_site_parents[end]), skeleton.end_site_offsets[end]
    raise UnknownNameError("joint or end site", name, skeleton.joint_names + skeleton.end_site_names)


def reach_of(skeleton: Skeleton) -> float:
    """Return the longest way along bones from the root to a joint or end site; 1 where there are no bones."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    lengths[0] = 0.0
    for joint, parent in enumerate(skeleton.parents.tolist()):
        if parent >= 0:
            lengths[joint] += lengths[parent]
    ends = lengths[skeleton.end_site_parents] + np.linalg.norm(skeleton.end_site_offsets, axis=1)
    return float(max(lengths.max(), ends.max(initial=0.0))) or 1.0


def build(
    skeleton: Skeleton,
    goals: Sequence[tuple[str, Goal]],
    *,
    root: str,
    fixed: Sequence[str],
    limits: Mapping[str, Limit],
    stiffness: Mapping[str, float],
    tolerance: float,
    angle_tolerance: float,
    reach: float,
) -> Tables:
    """Make the tables.

    Raises:
        InputError: On goals that the skeleton cannot have.
        UnknownNameError: On an unknown joint, end site or root mode.
    """
    if root not in ROOT_MODES:
        raise UnknownNameError("root mode", root, ROOT_MODES)
    postures = [goal for _, goal in goals if goal.kind == "posture"]
    if len(postures) > 1:
        raise InputError(f"a problem has at most one ik.posture, got {len(postures)}; its joints carry weights of their own")
    if root == "fixed" and fixed:  # the root's position is one of several points that stay
        fixed = [skeleton.joint_names[0], *(name for name in fixed if name != skeleton.joint_names[0])]
    fixed_points = [find_point(skeleton, name) for name in fixed]
    asked = [*goals, *((name, Goal("hold")) for name in fixed[1:])]
    # What is fixed beside the anchor comes before all goals.
    shift = 1 if fixed[1:] else 0
    levels_used = sorted({goal.priority + shift for _, goal in goals} | ({0} if shift else set()))
    described = [
        _describe(skeleton, name, goal, owner, (goal.priority + shift) if owner < len(goals) else 0)
        for owner, (name, goal) in enumerate(asked)
    ]
    parts = [part for each in described for part in each]
    whole = any(goal.kind == "center_of_mass" for _, goal in goals)
    used = {0} | {joint for joint, _ in fixed_points[:1]}
    for part in parts:
        used |= {joint for joint, _ in part.points}
    weights = _posture_weights(skeleton, postures)
    used |= set(np.flatnonzero(weights).tolist())
    joints = list(range(skeleton.num_joints)) if whole else sorted({a for j in used for a in (j, *skeleton.ancestors(j))})
    row_of = {joint: row for row, joint in enumerate(joints)}

    unit = reach / 4.0  # the length that counts like a radian
    tree = np.zeros(len(joints) + 1, dtype=kernels.tasks.JOINT)
    tree["joint"][:-1], tree["joint"][-1] = joints, -1
    tree["parent"][:-1] = [row_of.get(int(skeleton.parents[j]), -1) for j in joints]
    tree["parent"][-1] = -1
    tree["mobility"][:-1] = _mobilities(skeleton, stiffness)[joints]
    tree["mobility"][-1] = 0.0 if root == "fixed" or fixed_points else (0.4 * reach) ** 2
    if root == "translation":
        tree["mobility"][-1] *= tree["mobility"][0]
        tree["mobility"][0] = 0.0
    tree["limit"][:-1], tree["limit_values"][:-1] = pack_limits(skeleton, limits, np.array(joints, dtype=np.int64))
    if root == "heading" and tree["limit"][0]:
        raise InputError(
            f'root="heading" turns the root about the world\'s Y alone and a limit would tilt it: take that or the limit of '
            f"{skeleton.joint_names[0]!r}, not both"
        )
    tree["free"] = tree["limit"] == 0
    tree["free"][0] &= root != "heading"
    tree["posture"][:-1] = weights[joints] * unit**2
    if whole:
        from kinematics.ik.mass import segment_masses

        masses, centers = segment_masses(skeleton)
        tree["mass"][:-1], tree["mass_center"][:-1] = masses, centers

    tasks = np.zeros(len(parts), dtype=kernels.tasks.TASK)
    slots: list[tuple[int, int]] = []
    anchor = row_of[fixed_points[0][0]] if fixed_points else -1
    anchored = _above(tree, anchor, fixed_points[0][1]) if fixed_points else set()
    for index, part in enumerate(parts):
        task = tasks[index]
        task["kind"], task["row"], task["level"] = part.kind, index, levels_used.index(part.level)
        for key, (joint, offset) in zip(("", "start_", "end_"), part.points, strict=False):
            task[f"{key}joint"], task[f"{key}offset"] = row_of[joint], offset
        task["axis"] = part.axis
        angular = part.kind not in (kernels.tasks.POSITION, kernels.tasks.CENTER_OF_MASS)
        task["weight"] = np.sqrt(part.weight) * part.mask * (unit if angular else 1.0)
        task["tolerance"] = angle_tolerance if angular else tolerance
        task["first_slot"] = len(slots)
        slots += _slots(tree, part, row_of, anchored)
        task["last_slot"] = len(slots)
        moved_by = [row for row, _ in slots[task["first_slot"] :]]
        task["plain"] = part.kind == kernels.tasks.POSITION and not anchored and part.mask.all() and tree["free"][moved_by].all()
    pairs, entries = _pairs(tasks, slots)
    posture_level = levels_used.index(postures[0].priority + shift) if postures else -1
    return Tables(
        tree,
        tasks,
        np.array(slots, dtype=np.int64).reshape(-1, 2),
        pairs,
        entries,
        max(1, len(levels_used)),
        anchor,
        fixed_points[0][1].copy() if fixed_points else np.zeros(3),
        fixed_points[0] if fixed_points else None,
        posture_level,
        tuple(part.name for part in parts),
        tuple(part.owner for part in parts),
        reach,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """One task of a goal."""

    name: str
    owner: int
    kind: int
    level: int
    points: tuple[Point, ...]
    weight: float
    mask: np.ndarray
    axis: np.ndarray


def _describe(skeleton: Skeleton, name: str, goal: Goal, owner: int, level: int) -> list[_Part]:
    """Split a goal into tasks."""
    kinds = kernels.tasks
    every = np.ones(3)

    def part(label: str, kind: int, points: tuple[Point, ...], mask: np.ndarray = every) -> _Part:
        return _Part(f"{name} {label}", owner, kind, level, points, goal.weight, mask, goal.axis)

    if goal.kind == "posture":
        return []
    mask = np.array([float(axis in goal.axes) for axis in "xyz"])
    if goal.kind == "center_of_mass":
        return [part("center of mass", kinds.CENTER_OF_MASS, ((0, np.zeros(3)),), mask)]
    joint, offset = find_point(skeleton, name)
    point = (joint, offset + goal.offset)
    parts = []
    if goal.kind in ("position", "transform", "hold"):
        parts.append(part("position", kinds.POSITION, (point,), mask))
    if goal.kind in ("orientation", "transform") or (goal.kind == "hold" and goal.orientation):
        parts.append(part("orientation", kinds.ORIENTATION, (point,)))
    if goal.kind == "look_at":
        parts.append(part("look_at", kinds.LOOK_AT, (point,)))
    if goal.kind == "pole":
        start, end = limb(skeleton, name)
        parts.append(part("pole", kinds.POLE, (point, start, end), np.array([1.0, 0.0, 0.0])))
    return parts


def limb(skeleton: Skeleton, middle: str) -> tuple[Point, Point]:
    """Return the points where the limb of a middle joint (knee, elbow) starts and ends.

    Raises:
        InputError: Where the joint is no middle: nothing above it, or nothing or several things below.
    """
    joint, offset = find_point(skeleton, middle)
    near = COINCIDENT * reach_of(skeleton)
    start = joint
    while start >= 0 and (start == joint or np.linalg.norm(_way(skeleton, start, joint)) <= near):
        start = int(skeleton.parents[start])
    below = [(child, np.zeros(3)) for child in skeleton.children[joint]]
    below += [
        (joint, skeleton.end_site_offsets[end])
        for end, parent in enumerate(skeleton.end_site_parents.tolist())
        if parent == joint
    ]
    while len(below) == 1 and below[0][0] != joint and np.linalg.norm(_way(skeleton, joint, below[0][0])) <= near:
        below = [(child, np.zeros(3)) for child in skeleton.children[below[0][0]]]
    if offset.any() or start < 0 or len(below) != 1:
        raise InputError(
            f"ik.pole is a goal of a limb's middle joint, knee or elbow, with one bone above and one below; {middle!r} is not one"
        )
    return (start, np.zeros(3)), below[0]


def _way(skeleton: Skeleton, start: int, joint: int) -> np.ndarray:
    """Add up offsets from an ancestor to a joint; zero only where they lie at one place."""
    total = np.zeros(3)
    while joint != start:
        total = total + np.abs(skeleton.offsets[joint])
        joint = int(skeleton.parents[joint])
    return total


def _posture_weights(skeleton: Skeleton, postures: Sequence[Goal]) -> np.ndarray:
    weights = np.zeros(skeleton.num_joints)
    for goal in postures:
        if goal.joints is None:
            weights[:] = goal.weight
        else:
            for name, weight in goal.joints.items():
                weights[skeleton.joint_index(name)] = goal.weight * weight
    return weights


def _mobilities(skeleton: Skeleton, stiffness: Mapping[str, float]) -> np.ndarray:
    mobility = np.ones(skeleton.num_joints)
    for name, value in stiffness.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0.0:
            raise InputError(f"the stiffness of {name!r} must be positive (1 is usual, math.inf locks), got {value!r}")
        mobility[skeleton.joint_index(name)] = 0.0 if math.isinf(value) else 1.0 / value
    return mobility


def _above(tree: np.ndarray, row: int, offset: np.ndarray, *, own: bool = False) -> set[int]:
    """Return the rows of the joints that move a point; its own joint only where it has an offset, or a rotation counts."""
    rows = set()
    k = row if own or offset.any() else int(tree["parent"][row])
    while k >= 0:
        rows.add(k)
        k = int(tree["parent"][k])
    return rows


def _slots(tree: np.ndarray, part: _Part, row_of: Mapping[int, int], anchored: set[int]) -> list[tuple[int, int]]:
    """Return the rows that move a task, with bits that say what moves."""
    kinds = kernels.tasks
    last = len(tree) - 1
    bits = dict.fromkeys(range(last), 0)
    if part.kind == kinds.CENTER_OF_MASS:
        moves = [set(range(last))]
    else:
        turns = part.kind in (kinds.ORIENTATION, kinds.LOOK_AT)
        moves = [_above(tree, row_of[joint], offset, own=turns) for joint, offset in part.points]
    for bit, rows in zip((kinds.MOVES_POINT, kinds.MOVES_START, kinds.MOVES_END), moves, strict=False):
        for k in rows:
            bits[k] |= bit
    if part.kind != kinds.ORIENTATION:
        for k in anchored:
            bits[k] |= kinds.MOVES_ANCHOR
    found = [(k, bit) for k, bit in bits.items() if bit and tree["mobility"][k] > 0.0]
    if tree["mobility"][last] > 0.0 and part.kind != kinds.ORIENTATION:
        found.append((last, kinds.IS_TRANSLATION))
    return found


def _pairs(tasks: np.ndarray, slots: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each two tasks, the first not before the second, the slots of the joints that move both."""
    pairs: list[tuple[int, int, int, int]] = []
    entries: list[tuple[int, int]] = []
    where = [{slots[s][0]: s for s in range(task["first_slot"], task["last_slot"])} for task in tasks]
    for a in range(len(tasks)):
        for b in range(a + 1):
            first = len(entries)
            entries += [(slot, where[b][k]) for k, slot in where[a].items() if k in where[b]]
            pairs.append((a, b, first, len(entries)))
    return np.array(pairs, dtype=np.int64).reshape(-1, 4), np.array(entries, dtype=np.int64).reshape(-1, 2)
