"""Two-bone limbs in closed form: arm and leg, or any two bones one behind the other.

A position goal is met by two joints, the start and the middle of a limb. Of a recognised arm or leg these are shoulder and
elbow, hip and knee, wherever below the goal is, twist joints between them staying as they are; elsewhere the two nearest
joints above the point that can turn, past those that lie at the same place. Everything else keeps its pose, the root too;
weights and stiffness say nothing here (but `math.inf` locks).

The limb keeps the plane that it is bent in: the middle joint opens or closes (law of cosines), and the smallest rotation of
the start joint brings the end to the target. An `ik.pole` at the middle joint then turns the limb about the line from start
to end. A straight limb bends to the side of its pole, else a knee ahead and an elbow back (where the zero pose is that of a
standing body), else about some axis, always the same. An orientation at a joint below the middle one is set exactly.

Near full reach the limb is softened, so that it does not snap straight: in the last stretch s its length approaches full
reach exponentially ("soft IK" among animators). That leaves an error of s / e at full reach, so s is e times the tolerance,
and e thousandths of the reach at most: what can be reached still counts as reached, and farther off no more is given away.
Limits are kept by projection, the nearest rotation that is allowed; what that leaves is "limited".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.anatomy import SIDES, find_anatomy
from kinematics.errors import InputError
from kinematics.ik.goals import Goal
from kinematics.ik.neutral import FORWARD, NeutralPose, find_neutral_pose
from kinematics.ik.tables import COINCIDENT, Tables
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

OTHERS = 'method="levenberg_marquardt" (the default) or "scipy" can'
BENDS = {("thigh", "shin"): FORWARD, ("upper_arm", "forearm"): -FORWARD}  # of a body that stands: knees ahead, elbows back


def find_limbs(
    skeleton: Skeleton, tables: Tables, goals: Sequence[tuple[str, Goal]], *, root: str, fixed: Sequence[str]
) -> np.ndarray:
    """Return the limbs that a problem's goals move, records `kernels.two_bone.LIMB`, those that carry others first.

    Raises:
        InputError: On goals and options that two bones cannot meet.
    """
    _require_plain(tables, goals, fixed)
    kinds, tasks = kernels.tasks, tables.tasks
    tree = _Tree(skeleton, tables, root)
    limbs = np.zeros(int(np.sum(tasks["kind"] == kinds.POSITION)), dtype=kernels.two_bone.LIMB)
    limbs["hand"], limbs["turn"], limbs["pole"] = -1, -1, -1
    paths: list[list[int]] = []
    for index, task in enumerate(np.flatnonzero(tasks["kind"] == kinds.POSITION).tolist()):
        name = tables.names[task]
        limb = limbs[index]
        limb["start"], limb["middle"] = tree.limb(task, name)
        limb["point"], limb["bend"] = task, tree.bend(int(limb["start"]), int(limb["middle"]))
        paths.append(tree.path(int(limb["start"]), int(tasks["joint"][task])))
    for task in np.flatnonzero(tasks["kind"] != kinds.POSITION).tolist():
        _attach(tree, limbs, paths, task)
    _require_disjoint(tree, limbs, paths)
    return limbs[np.argsort(limbs["start"], kind="stable")]


def solve(
    tables: Tables,
    limbs: np.ndarray,
    bones: Float[np.ndarray, "frames_of_bones joints 3"],
    anchors: Float[np.ndarray, "frames_of_anchors 3"],
    roots: Float[np.ndarray, "frames_of_roots 3"],
    rotations: Float[np.ndarray, "frames_of_rotations joints 4"],
    points: Float[np.ndarray, "frames_of_points tasks 3"],
    turns: Float[np.ndarray, "frames_of_turns tasks 4"],
    _posture: Float[np.ndarray, "frames_of_postures joints 4"],
    _max_iterations: int,
    warm: bool,
    *out: np.ndarray,
) -> None:
    """Solve all frames into `out`: root positions, local rotations, errors, status and iterations, see `Problem.solve`."""
    kernels.two_bone.solve(
        tables.tree, tables.tasks, limbs, tables.anchor, tables.anchor_offset,
        bones, anchors, roots, rotations, points, turns, warm, *out,
    )  # fmt: skip


def _require_plain(tables: Tables, goals: Sequence[tuple[str, Goal]], fixed: Sequence[str]) -> None:
    """Refuse what has no closed form."""
    for name, goal in goals:
        if goal.kind in ("look_at", "center_of_mass", "posture"):
            raise InputError(
                f'method="two_bone" has positions, orientations and poles of limbs, no ik.{goal.kind} ({name!r}); {OTHERS}'
            )
        if set(goal.axes) != set("xyz"):
            raise InputError(f'method="two_bone" brings {name!r} to a point, not to axes={goal.axes!r} alone; {OTHERS}')
    if len(fixed) > 1 or tables.anchor > 0 or tables.anchor_offset.any():
        raise InputError(f'method="two_bone" keeps the root and nothing else fixed, got fixed={list(fixed)}; {OTHERS}')
    if tables.levels > 1:
        raise InputError(f'method="two_bone" meets each goal by a limb of its own and has no priorities; {OTHERS}')


def _attach(tree: _Tree, limbs: np.ndarray, paths: list[list[int]], task: int) -> None:
    """Give an orientation or a pole to its limb."""
    record, name = tree.tables.tasks[task], tree.tables.names[task]
    joint = int(record["joint"])
    pole = record["kind"] == kernels.tasks.POLE
    for limb, path in zip(limbs, paths, strict=True):
        middle = int(limb["middle"])
        if pole and (joint == middle or (joint in path and tree.coincide(joint, middle))):
            keys = ["pole"]
        elif not pole and joint in path and joint > middle:
            keys = ["turn", "hand"]
        else:
            continue
        if limb[keys[0]] >= 0:
            raise InputError(f'method="two_bone" takes one such goal a limb, {name!r} is a second one; {OTHERS}')
        for key, value in zip(keys, (task, joint), strict=False):
            limb[key] = value
        if not pole and not tree.turns(joint):
            raise InputError(f"{name!r} cannot be met: the joint is locked")
        return
    where = "the middle joint of a limb" if pole else "a joint below the middle one of a limb"
    raise InputError(f'{name!r} does not belong to {where} whose end has a position, as method="two_bone" needs it; {OTHERS}')


def _require_disjoint(tree: _Tree, limbs: np.ndarray, paths: list[list[int]]) -> None:
    """Refuse limbs that move each other's inside."""
    tasks, names = tree.tables.tasks, tree.tables.names
    for a, one in enumerate(limbs):
        moved = {int(one[key]) for key in ("start", "middle", "hand")}
        for b, other in enumerate(limbs):
            end = tasks[other["point"]]
            still = end["joint"] != other["hand"] and not end["offset"].any()  # turning its own joint does not move the point
            shared = moved & set(paths[b][:-1] if still else paths[b])
            if a != b and shared:
                both = " and ".join(repr(names[int(limbs["point"][i])]) for i in sorted((a, b)))
                raise InputError(
                    f'{both} share {tree.name(min(shared))!r}; method="two_bone" needs a limb for each position; {OTHERS}'
                )


class _Tree:
    """The compact tree, read upwards."""

    def __init__(self, skeleton: Skeleton, tables: Tables, root: str) -> None:
        self.skeleton, self.tables, self.root = skeleton, tables, root
        self.joints: list[int] = tables.tree["joint"][:-1].tolist()
        self.parents: list[int] = tables.tree["parent"][:-1].tolist()
        self.lengths: list[float] = np.abs(skeleton.offsets[self.joints]).sum(axis=1).tolist()  # zero where a bone has none
        self.near = COINCIDENT * tables.reach
        rows = {joint: row for row, joint in enumerate(self.joints)}
        body = find_anatomy(skeleton).joints
        self.body_limbs: dict[tuple[int, int], np.ndarray] = {}  # start and middle, and where the middle bends
        for side in SIDES:
            for (upper, lower), direction in BENDS.items():
                if rows.keys() >= {body.get(side + upper), body.get(side + lower)}:
                    self.body_limbs[rows[body[side + upper]], rows[body[side + lower]]] = direction

    def name(self, row: int) -> str:
        return self.skeleton.joint_names[self.joints[row]]

    def turns(self, row: int) -> bool:
        return bool(self.tables.tree["mobility"][row] > 0.0) and not (row == 0 and self.root == "heading")

    def path(self, top: int, row: int) -> list[int]:
        """Return the rows from one joint down to another."""
        rows = [row]
        while rows[-1] != top:
            rows.append(self.parents[rows[-1]])
        return rows[::-1]

    def coincide(self, one: int, other: int) -> bool:
        """Tell whether two joints of a path lie at one place in every pose."""
        top, row = sorted((one, other))
        return sum([self.lengths[each] for each in self.path(top, row)[1:]]) <= self.near

    def limb(self, task: int, name: str) -> tuple[int, int]:
        """Return the rows of the start and middle joints that bring a point to its target."""
        tasks = self.tables.tasks
        row = int(tasks["joint"][task])
        oriented = row in tasks["joint"][tasks["kind"] == kernels.tasks.ORIENTATION]
        way = 0.0 if oriented else float(np.abs(tasks["offset"][task]).sum())
        levers: dict[int, float] = {}  # joints above the point and away from it, the nearest first
        while row >= 0:
            if way > self.near:
                levers[row] = way
            way += self.lengths[row]
            row = self.parents[row]
        if not levers:
            raise InputError(f'{name!r} is a goal of the root, which method="two_bone" does not move; {OTHERS}')
        for start, middle in self.body_limbs:
            if start in levers and middle in levers and levers[start] - levers[middle] > self.near:
                levers = {middle: levers[middle], start: levers[start]}
                break
        free = [each for each in levers if self.turns(each)]
        above = [each for each in free if levers[each] - levers[free[0]] > self.near]
        if not above:
            raise InputError(f'{name!r} needs two bones above it that may turn, for method="two_bone"; {OTHERS}')
        return above[0], free[0]

    def bend(self, start: int, middle: int) -> np.ndarray:
        """Return where a straight limb's middle joint moves, in the start joint's frame; zero where no anatomy says it."""
        direction = self.body_limbs.get((start, middle))
        neutral = None if direction is None else _neutral_pose(self.skeleton)
        if direction is None or neutral is None:
            return np.zeros(3)
        return quaternion.rotate(quaternion.inverse(neutral.rotations[self.joints[start]]), direction)


@lru_cache(maxsize=64)
def _neutral_pose(skeleton: Skeleton) -> NeutralPose | None:
    """Return how a skeleton stands by its zero pose; None where that shows no standing body."""
    try:
        return find_neutral_pose(skeleton)
    except InputError:
        return None
