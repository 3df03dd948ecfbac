"""Targets, as callers give them and as the kernels want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kinematics import kernels
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import GlobalTransforms
from kinematics.ik.goals import Goal
from kinematics.ik.tables import Tables
from kinematics.rotations import quaternion

WIDTHS = {"orientation": 4, "transform": 7}  # numbers of a target; 3 for all other kinds


class Targets:
    """Which task takes which target: from the goals, from the caller, or from the pose.

    Attributes:
        held: Whether some target is where the pose has it.
        shape: Shape of an array that gives all targets of a frame, (goals, width); None where goals differ in width.
        complete: Whether such an array, and nothing else, gives every target.
    """

    def __init__(self, goals: Sequence[tuple[str, Goal]], tables: Tables) -> None:
        """Sort the tasks by where their targets come from."""
        self._tables, self._count = tables, len(tables.owners)
        self._turned = tables.tasks["kind"] == kernels.tasks.ORIENTATION
        self._any_turned = bool(self._turned.any())
        kinds = [goals[owner][1].kind if owner < len(goals) else "hold" for owner in tables.owners]
        self._held = [task for task, kind in enumerate(kinds) if kind == "hold"]
        asked = [owner for owner, (_, goal) in enumerate(goals) if goal.kind not in ("hold", "posture")]
        rows = [[task for task, owner in enumerate(tables.owners) if owner == each] for each in asked]
        self._names = _labels([goals[owner] for owner in asked])
        self._takers = [(name, goals[owner][1], tasks) for name, owner, tasks in zip(self._names, asked, rows, strict=True)]
        self._own: list[tuple[int, np.ndarray, str]] = []
        self._missing: list[str] = []
        for name, goal, tasks in self._takers:
            values = [each for each in (goal.point, goal.rotation) if each is not None]
            self._own += [(task, each, name) for task, each in zip(tasks, values, strict=False)]
            if not values:
                self._missing.append(name)
        widths = {WIDTHS.get(goals[owner][1].kind, 3) for owner in asked}
        self.held = bool(self._held)
        self.shape = (len(asked), widths.pop()) if len(widths) == 1 else None
        self.complete = self.shape is not None and not self.held and sum(len(each) for each in rows) == self._count
        self._point_rows = [task for tasks in rows for task in tasks if not self._turned[task]]
        self._turn_rows = [task for tasks in rows for task in tasks if self._turned[task]]
        self._identity = np.zeros((1, self._count, 4))
        self._identity[..., 0] = 1.0

    def from_array(self, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points (frames, tasks, 3) and rotations (1 or frames, tasks, 4) of a complete array (frames, goals, width)."""
        width = given.shape[-1]
        if width == 3:  # a copy, which the kernel may count on
            return np.array(given, dtype=np.float64, order="C"), self._identity
        points, turns = np.zeros((len(given), self._count, 3)), np.empty((len(given), self._count, 4))
        turns[:] = self._identity
        turns[:, self._turn_rows] = given[..., -4:]
        if width == 7:
            points[:, self._point_rows] = given[..., :3]
        _require_unit(turns)
        return points, turns

    def read(
        self, targets: Mapping[str, object] | np.ndarray | None, transforms: GlobalTransforms | None
    ) -> tuple[np.ndarray, np.ndarray, int | None]:
        """Return points (1 or frames, tasks, 3), rotations (1 or frames, tasks, 4), and the frames of the targets, if any.

        Raises:
            InputError: On targets that are missing or of a wrong shape.
            UnknownNameError: On a name that is no goal, or one that takes no target.
        """
        found = list(self._own)
        if targets is None:
            missing = self._missing
        elif isinstance(targets, Mapping):
            found += self._by_name(targets)
            missing = [name for name in self._missing if name not in targets]
        else:
            given = self._array(targets)
            if self.complete:
                points, turns = self.from_array(given if given.ndim == 3 else given[None])
                return points, turns, len(given) if given.ndim == 3 else None
            for index, (name, goal, tasks) in enumerate(self._takers):
                found += _parts(name, goal, tasks, given[..., index, :])
            missing = []
        if missing:
            raise InputError(f"there is no target for {', '.join(map(repr, missing))}; give it to the goal or to Problem.solve")
        if transforms is not None:
            found += [(task, self._place(transforms, task), self._tables.names[task]) for task in self._held]
        by_task = {task: (values, name) for task, values, name in found}  # the caller's in place of the goal's own
        lengths = {len(values): name for values, name in by_task.values() if values.ndim == 2}
        if len(lengths) > 1:  # one frame serves all
            lengths.pop(1, None)
        if len(lengths) > 1:
            said = ", ".join(f"{name!r} {length}" for length, name in lengths.items())
            raise InputError(f"targets (or the clip that holds refer to) differ in their number of frames: {said}")
        frames = next(iter(lengths), None)
        points, turns = np.zeros((1 if frames is None else frames, self._count, 3)), self._identity
        if self._any_turned:
            turns = np.empty((len(points), self._count, 4))
            turns[:] = self._identity
        for task, (values, _) in by_task.items():
            (turns if self._turned[task] else points)[:, task] = values
        if self._any_turned:
            _require_unit(turns)
        return points, turns, frames

    def _array(self, targets: object) -> np.ndarray:
        names = ", ".join(self._names)
        if self.shape is None:
            raise InputError(f"an array gives targets of one kind, these goals want different ones; give them by name: {names}")
        try:
            given = np.asarray(targets, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"targets must be numbers, or a mapping from names; got {targets!r:.200}") from None
        if given.ndim not in (2, 3) or given.shape[-2:] != self.shape:
            one = f"({self.shape[0]}, {self.shape[1]})"
            raise InputError(f"targets must have shape {one} or (frames, {one[1:]}, for {names}; got {given.shape}")
        return given

    def _by_name(self, targets: Mapping[str, object]) -> list[tuple[int, np.ndarray, str]]:
        found = []
        for name, given in targets.items():
            takers = [taker for taker in self._takers if taker[0] == name]
            if not takers:
                raise UnknownNameError("goal that takes a target", name, self._names)
            if len(takers) > 1:
                raise InputError(f"{len(takers)} goals are called {name!r}; give them their targets themselves, or in one array")
            found += _parts(*takers[0], given)
        return found

    def _place(self, transforms: GlobalTransforms, task: int) -> np.ndarray:
        """Return where the pose or clip has what a task holds."""
        record = self._tables.tasks[task]
        joint = int(self._tables.tree["joint"][record["joint"]])
        if record["kind"] == kernels.tasks.ORIENTATION:
            rotation: np.ndarray = transforms.global_rotations[..., joint, :]
            return rotation
        return place(transforms, joint, record["offset"])


def _labels(goals: Sequence[tuple[str, Goal]]) -> list[str]:
    """Return what targets are called: the goal's name, with its kind where several goals have that name."""
    names = [name for name, _ in goals]
    return [name if names.count(name) == 1 else f"{name} {goal.kind}" for name, goal in goals]


def _parts(name: str, goal: Goal, tasks: Sequence[int], given: object) -> list[tuple[int, np.ndarray, str]]:
    """Return a goal's target as arrays of its tasks."""
    width = WIDTHS.get(goal.kind, 3)
    pair = width == 7 and isinstance(given, tuple | list) and len(given) == 2
    try:
        parts = [np.asarray(each, dtype=np.float64) for each in (given if pair else (given,))]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        parts = [np.empty(0)]
    if width == 7 and not pair and parts[0].ndim in (1, 2) and parts[0].shape[-1] == 7:
        parts = [parts[0][..., :3], parts[0][..., 3:]]
    sizes = (3, 4) if width == 7 else (width,)
    if len(parts) != len(sizes) or any(
        part.ndim not in (1, 2) or part.shape[-1] != size for part, size in zip(parts, sizes, strict=True)
    ):
        form = "a pair of a point (3,) and a rotation (4,), each" if width == 7 else f"shape ({width},)"
        raise InputError(f"the target of {name!r} must be {form} or (frames, ...), got {given!r:.200}")
    return [(task, part, name) for task, part in zip(tasks, parts, strict=True)]


def _require_unit(turns: np.ndarray) -> None:
    """Raise an error where a rotation is no unit quaternion; NaN is left to the kernels, which meet it anyway."""
    worst = float(np.abs(np.einsum("fti,fti->ft", turns, turns) - 1.0).max(initial=0.0))
    if worst > 2e-3:
        raise InputError(f"target rotations must be unit quaternions wxyz, the squared length of one is off by {worst:.3g}")


def place(transforms: GlobalTransforms, joint: int, offset: np.ndarray) -> np.ndarray:
    """Return the global positions of a point of a joint, shape (3,) or (frames, 3)."""
    where: np.ndarray = transforms.global_positions[..., joint, :]
    return where + quaternion.rotate(transforms.global_rotations[..., joint, :], offset) if offset.any() else where
