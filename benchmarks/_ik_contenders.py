"""What contenders of the inverse kinematics benchmark share, and ours; each is alone in its process.

A contender reads the files that `_ik_tasks.write` made, so that a peer needs NumPy and its tool alone and may run in an
environment of its own. It has `load(task, variant)`, `solve(number) -> iterations`, which is what is timed, and `answer()`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

MOST = 200  # iterations
STILL = 1e-5  # largest number in a step that counts as no movement


class Contender(ABC):
    """Reads tasks and measures.

    Attributes:
        cannot: Tasks that it has no way to say.
        layout: What it answers with: "ball" quaternions or "hinge" angles.
    """

    cannot: ClassVar[tuple[str, ...]] = ()
    name = ""
    layout = "hinge"

    def __init__(self, folder: str) -> None:
        """Import the tool; tasks lie in the folder."""
        self.folder, self.current = Path(folder), ("", "")
        self.start()

    def start(self) -> None:  # noqa: B027 - not every tool needs it
        """Import the tool."""

    def read(self, task: str) -> None:
        """Read the numbers of a task."""
        numbers = np.load(self.folder / f"{task}.npz")
        self.points, self.turns = numbers["points"], numbers["turns"] if len(numbers["turns"]) else None
        self.begin = numbers[f"{self.layout}_start"]
        self.effectors = [str(name) for name in numbers["effectors"]]
        self.hinges, self.balls = numbers["hinges"].tolist(), numbers["balls"].tolist()
        self.free, self.limited, self.warm = bool(numbers["free_root"]), bool(numbers["limited"]), bool(numbers["warm"])
        self.tolerance, self.angle_tolerance = float(numbers["tolerance"]), float(numbers["angle_tolerance"])
        self.wanted = None if self.turns is None else matrices(self.turns)
        self.path = {kind: str(self.folder / f"{task}.{kind}") for kind in ("urdf", "xml")}

    @abstractmethod
    def load(self, task: str, variant: str) -> None:
        """Build the tool's model and goals."""

    @abstractmethod
    def solve(self, number: int) -> int:
        """Solve for one target; return the iterations, -1 where the tool does not tell."""

    @abstractmethod
    def answer(self) -> np.ndarray:
        """Return what the last solve found, one row (or several, of targets solved at once)."""

    def all_at_once(self) -> bool:
        """Tell whether one `solve` takes all targets."""
        return False

    def said(self) -> float:
        """Return 1 where the tool says that the last target is out of reach, 0 where it does not; NaN where it never does."""
        return float("nan")

    def restart(self) -> None:  # noqa: B027 - not every tool needs it
        """Forget the last answer, where the next search would start from it."""

    def measure(self, task: str, variant: str, seconds: float, least: int) -> float:
        """Solve target after target, from the first again, until the time is up and at least some are solved.

        What was found goes to a file, with the iterations. Where the tool has no way to say the task, -1 is returned.
        """
        if task in self.cannot:
            return -1.0
        if self.current != (task, variant):
            self.read(task)
            self.load(task, variant)
            warm = time.perf_counter() + 0.1
            for number in range(3):
                if number == 0 or time.perf_counter() < warm:
                    self.solve(number)
            self.current = (task, variant)
        self.restart()
        targets = 1 if self.all_at_once() else len(self.points)
        rows, iterations, said, times = [], [], [], []
        end = time.perf_counter() + seconds
        while not times or time.perf_counter() < end or len(times) < min(least, targets):
            number = len(times) % targets
            begin = time.perf_counter()
            count = self.solve(number)
            times.append(time.perf_counter() - begin)
            if len(times) <= targets:
                rows.append(self.answer())
                iterations.append(count)
                said.append(self.said())
            if number == targets - 1:
                self.restart()
        made = np.vstack(rows)
        np.savez(
            self.folder / f"{task} {self.name} {variant}.npz",
            rows=made,
            iterations=np.hstack(iterations),
            said=np.array(said),
        )
        each = np.array(times) / (len(made) if self.all_at_once() else 1)
        return float(np.median(each))

    def missed(self, places: np.ndarray, turned: np.ndarray | None, number: int) -> bool:
        """Tell whether a goal is not met: effectors' places (n, 3) and rotation matrices (n, 3, 3)."""
        off = places - self.points[number]
        if np.einsum("ij,ij->i", off, off).max() > self.tolerance**2:
            return True
        if turned is None or self.wanted is None:
            return False
        cosine = np.einsum("nij,nij->n", turned, self.wanted[number])  # 1 + 2 cos(angle)
        return bool(cosine.min() < 1.0 + 2.0 * np.cos(self.angle_tolerance))


class Stepper(Contender):
    """A tool that gives one step at a time."""

    initial: np.ndarray
    position: np.ndarray

    def solve(self, number: int) -> int:
        """Step until the goals are met."""
        self.put(self.position if self.warm else self.initial, number)
        count = 0
        while count < MOST and self.missed(*self.where(), number):
            count += 1
            if np.abs(self.step(number)).max() < STILL:
                break
        self.position = np.array(self.now())
        return count

    def restart(self) -> None:
        """Start from the task's pose again."""
        self.position = self.initial

    @abstractmethod
    def put(self, position: np.ndarray, number: int) -> None:
        """Bring the model to a position and set targets."""

    @abstractmethod
    def where(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the effectors' places and rotation matrices."""

    @abstractmethod
    def step(self, number: int) -> np.ndarray:
        """Do one step and return it."""

    @abstractmethod
    def now(self) -> np.ndarray:
        """Return the model's position."""


class Ours(Contender):
    """This library, through its public call."""

    name, layout = "muybridge", "ball"

    def start(self) -> None:
        """Import the library."""
        from _ik_tasks import make_tasks

        from kinematics import ik

        self.ik, self.tasks = ik, make_tasks()

    def load(self, task: str, variant: str) -> None:
        """Make the problem ready."""
        found = self.tasks[task]
        self.motion, self.pose, ik = found.motion, found.motion[0], self.ik
        goal = ik.position if self.turns is None else ik.transform
        goals = {name: goal() for name in found.effectors}
        options: dict[str, Any] = {"tolerance": found.tolerance, "root": "free" if self.free else "fixed"}
        if self.turns is not None:
            options["angle_tolerance"] = found.angle_tolerance
        if variant == "fabrik":
            options["method"] = variant
        if found.limits:
            options["limits"] = found.hinge_limits if variant == "hinges" else found.limits
        self.targets = self.points if self.turns is None else np.concatenate([self.points, self.turns], axis=-1)
        self.task, self.variant, self.options = task, variant, options
        self.problem = ik.Problem(found.motion.skeleton, goals, **options)

    def all_at_once(self) -> bool:
        """Batches and clips are one call."""
        return self.task in ("batch", "clip")

    def solve(self, number: int) -> int:
        """Call the library once."""
        if self.variant == "one call":
            goals = dict(zip(self.effectors, self.points[number], strict=True))
            self.result = self.ik.solve(self.pose, goals, **self.options)
        elif self.all_at_once():
            self.result = self.problem.solve(self.pose, self.targets, over_time="warm" if self.warm else "independent")
        else:
            self.result = self.problem.solve(self.pose, self.targets[number])
        return self.result.iterations

    def said(self) -> float:
        """Return 1 where the status is "unreachable"."""
        return float(np.mean(self.result.status == "unreachable"))

    def answer(self) -> np.ndarray:
        """Return root positions and rotations."""
        rotations = self.result.local_rotations.reshape(-1, 4 * self.motion.skeleton.num_joints)
        return np.hstack([np.atleast_2d(self.result.root_positions), rotations]) if self.free else rotations


def matrices(turns: np.ndarray) -> np.ndarray:
    """Return the rotation matrices of unit quaternions wxyz."""
    w, x, y, z = np.moveaxis(turns, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))
