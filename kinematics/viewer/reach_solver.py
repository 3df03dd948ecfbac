"""The pose of a body of which one point is dragged and others are held."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics import ik
from kinematics.anatomy import find_anatomy
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik.goals import Goal
from kinematics.ik.limits import Limit
from kinematics.ik.problem import METHODS, Method
from kinematics.ik.result import STATUSES, Status
from kinematics.motion import Motion, Pose
from kinematics.viewer.reach_handles import Handle
from kinematics.viewer.reach_limbs import find_hinges, unlock

ITERATIONS: Mapping[str, int] = {"jacobian_transpose": 300, "pseudo_inverse": 100, "fabrik": 50, "ccd": 50, "scipy": 30}
POSTURE = 0.01  # weight of staying near the pose that the drag began with, beside those below
TRUNK = 5.0  # weight of a joint in the middle of the body, beside 1 of limbs: the arm goes first, then the back
HIPS, FREE = 10.0, 0.02  # weights of hips and of hands that stay near their place
HELD = 100.0  # weight of what is held, for methods without priorities


@dataclass(frozen=True)
class Reached:
    """What came of one update of a drag.

    Attributes:
        pose: The pose.
        status: "converged" where the dragged point and all that is held are in place, else as `ik.Result.status`.
        error: Distance of the dragged point from where it was dragged to, in the clip's unit.
        held_error: Largest distance of a held point from its place, in the clip's unit.
        milliseconds: How long the solver took.
    """

    pose: Pose
    status: Status
    error: float
    held_error: float
    milliseconds: float


class ReachSolver:
    """Solves drags of one body; problems are made once for each choice of what is dragged and held.

    What is held comes first, then the dragged point; all else stays near the pose that the drag began with: its rotations, the
    place of the hips, and a little that of free hands. "ccd", "fabrik" and "two_bone" have no priorities, postures and held
    rotations: with the first two held points weigh more, and the last one moves the dragged limb alone.
    """

    def __init__(self, motion: Motion, handles: Sequence[Handle]) -> None:
        """Make ready for a clip; nothing is compiled yet."""
        self.motion, self.handles = motion, tuple(handles)
        self._by_name = {handle.name: handle for handle in handles}
        self._problems: dict[tuple[str, frozenset[str], str, bool], ik.Problem] = {}
        self._hinges = find_hinges(motion)
        sides = find_anatomy(motion.skeleton).sides
        self._stiffness = {name: 1.0 if side else TRUNK for name, side in zip(motion.skeleton.joint_names, sides, strict=True)}
        self._limits: dict[str, Limit] | None = None

    def solve(
        self,
        reference: Pose,
        handle: str,
        target: Float[np.ndarray, "3"],
        *,
        held: Collection[str],
        method: Method = "levenberg_marquardt",
        limited: bool = False,
        start: Pose | None = None,
    ) -> Reached:
        """Find the pose in which a handle is at a point.

        Args:
            reference: The pose that the drag began with: what is held stays where this has it, all else near it.
            handle: Name of the dragged handle.
            target: Where it is dragged to, in the clip's unit and axes, shape (3,).
            held: Names of handles that are held; the dragged one does not count.
            method: One of `ik.METHODS`.
            limited: Whether joints keep to `ik.human_limits`.
            start: The last answer of this drag, where the search starts.

        Raises:
            InputError: Where the method has no answer for such a drag, or limits are asked of what is no human.
            UnknownNameError: On an unknown handle or method.
        """
        dragged = self.require(handle)
        others = frozenset(self.require(name).name for name in held) - {handle}
        problem = self._problem(dragged, others, method, limited)
        begin = time.perf_counter()
        begun = unlock(reference if start is None else start, () if method == "two_bone" else self._hinges)
        result = problem.solve(reference, {dragged.point: target}, start=begun)
        took = time.perf_counter() - begin
        error = float(result.error(f"{dragged.point} position"))
        kept = [float(each) for goal, each in zip(result.goals, result.errors, strict=True) if self._is_kept(goal, others)]
        worst = max(kept, default=0.0)
        there = max(error, worst) <= problem.tolerance  # `result.status` also counts what shall only stay near
        status: Status = "converged" if there else STATUSES[int(result.codes)]
        return Reached(result.pose, status, error, worst, 1e3 * took)

    def _is_kept(self, goal: str, held: Collection[str]) -> bool:
        point, kind = goal.rsplit(" ", 1)
        return kind == "position" and any(self._by_name[name].point == point for name in held)

    def require(self, name: str) -> Handle:
        """Return a handle by its name.

        Raises:
            UnknownNameError: With the nearest names.
        """
        if name not in self._by_name:
            raise UnknownNameError("handle", name, self._by_name)
        return self._by_name[name]

    def _problem(self, dragged: Handle, held: frozenset[str], method: Method, limited: bool) -> ik.Problem:
        key = (dragged.name, held, method, limited)
        if key not in self._problems:
            if limited and self._limits is None:
                self._limits = ik.human_limits(self.motion)
            self._problems[key] = ik.Problem(
                self.motion.skeleton,
                self._goals(dragged, held, method),
                method=method,
                max_iterations=ITERATIONS.get(method, 100),
                limits=self._limits if limited else None,
            )
        return self._problems[key]

    def _goals(self, dragged: Handle, held: frozenset[str], method: Method) -> dict[str, Goal | Sequence[Goal]]:
        """Return the goals of a drag: what is held, what is dragged, what stays near."""
        if method not in METHODS:
            raise UnknownNameError("method", method, METHODS)
        if method == "two_bone":
            if dragged.part not in ("hand", "foot"):
                raise InputError(
                    f'"two_bone" bends one arm or leg, so hands and feet can be dragged, not the {dragged.name}; '
                    '"levenberg_marquardt" moves the whole body'
                )
            return {dragged.point: ik.position()}
        fixed = [self._by_name[name] for name in sorted(held)]
        if method in ("ccd", "fabrik"):
            goals: dict[str, Goal | Sequence[Goal]] = {each.point: ik.hold(weight=HELD) for each in fixed}
            return goals | {dragged.point: ik.position()}
        goals = {each.point: ik.hold(orientation=each.part == "foot") for each in fixed}
        goals[dragged.point] = ik.position(priority=1)
        for each in self.handles:
            if each.point not in goals and (each.part == "hips" or (each.part == "hand" and dragged.part != "hips")):
                goals[each.point] = ik.hold(weight=HIPS if each.part == "hips" else FREE, priority=2)
        goals[_unused("posture", self.motion)] = ik.posture(joints=self._stiffness, priority=2, weight=POSTURE)
        return goals


def _unused(name: str, motion: Motion) -> str:
    """Return a goal's name that no joint has."""
    while name in motion.skeleton.joint_names + motion.skeleton.end_site_names:
        name += "'"
    return name
