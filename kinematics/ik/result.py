"""What a solver answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics._arrays import FrozenArrays, hand_over
from kinematics.errors import InputError
from kinematics.motion import Motion, Pose, Source
from kinematics.skeleton import Skeleton

Status = Literal["converged", "unreachable", "limited", "iterations"]
STATUSES: tuple[Status, ...] = ("converged", "unreachable", "limited", "iterations")  # by the kernels' codes


@dataclass(frozen=True, eq=False)
class Result(FrozenArrays):
    """Poses, and how well they meet the goals.

    For one pose the arrays have no frames axis.

    Attributes:
        skeleton: The tree of joints.
        root_positions: The root's global position, shape (frames, 3).
        local_rotations: Unit quaternions wxyz, shape (frames, joints, 4).
        goals: What each error belongs to, such as "LeftHand position".
        errors: Distance in the skeleton's unit, or angle in radians, that is left of each goal, shape (frames, goals).
        iterations: Iterations taken, shape (frames,).
        codes: Index into `STATUSES`, shape (frames,).
        local_positions: Bones where they stretch, as in the motion.
        frame_time: Seconds between frames of `motion`.
        source: Where the clip came from.
    """

    skeleton: Skeleton
    root_positions: Float[np.ndarray, "*frames 3"]
    local_rotations: Float[np.ndarray, "*frames joints 4"]
    goals: tuple[str, ...]
    errors: Float[np.ndarray, "*frames goals"]
    iterations: int | Int[np.ndarray, " frames"]
    codes: int | Int[np.ndarray, " frames"]
    local_positions: Float[np.ndarray, "*frames joints 3"] | None = None
    frame_time: float = 1.0 / 30.0
    source: Source | None = None

    def __post_init__(self) -> None:
        """Lock the arrays."""
        for each in (self.root_positions, self.local_rotations, self.errors, self.iterations, self.codes):
            if isinstance(each, np.ndarray):
                each.setflags(write=False)

    @cached_property
    def status(self) -> Status | np.ndarray:
        """Return why the solver stopped; for several frames an array of words, shape (frames,).

        "converged": every goal is within its tolerance (a posture has none). "unreachable": no small change of the pose brings
        the goals nearer. "limited": joint limits are in the way; "ccd" and "fabrik", which turn one joint after the other, may
        stop there although several joints together would come nearer. "iterations": gave up; more iterations may help.
        """
        return STATUSES[self.codes] if isinstance(self.codes, int) else np.array(STATUSES)[self.codes]

    @property
    def converged(self) -> bool | Bool[np.ndarray, " frames"]:
        """Return whether every goal is within its tolerance."""
        return self.codes == 0

    @cached_property
    def pose(self) -> Pose:
        """Return the pose.

        Raises:
            InputError: Where several frames were solved.
        """
        if self.root_positions.ndim > 1:
            raise InputError(f"result.pose is for one frame, this result has {len(self.root_positions)}; take result.motion")
        return Pose(self.skeleton, hand_over(self.root_positions), hand_over(self.local_rotations), self.local_positions)

    @cached_property
    def motion(self) -> Motion:
        """Return the frames as a clip; a single pose is a clip of one frame."""
        single = self.root_positions.ndim == 1
        moving = self.local_positions
        return Motion(
            self.skeleton,
            hand_over(self.root_positions[None] if single else self.root_positions),
            hand_over(self.local_rotations[None] if single else self.local_rotations),
            self.frame_time,
            moving if moving is None or not single else moving[None],
            Source() if self.source is None else self.source,
        )

    def error(self, goal: str) -> float | Float[np.ndarray, " frames"]:
        """Return the error of one goal by its name: "LeftHand", or "LeftHand position" where a joint has several.

        Raises:
            InputError: On a name that no goal has.
        """
        found = [i for i, name in enumerate(self.goals) if name == goal] or [
            i for i, name in enumerate(self.goals) if name.rsplit(" ", 1)[0] == goal
        ]
        if len(found) != 1:
            raise InputError(f"one goal is asked for by its name, got {goal!r}; there are: {', '.join(self.goals)}")
        value = self.errors[..., found[0]]
        return float(value) if value.ndim == 0 else value

    def __repr__(self) -> str:
        """Return a short summary."""
        if isinstance(self.codes, int):
            worst = max(self.errors.tolist(), default=0.0)
            return f"Result({self.status}, worst error {worst:.3g}, {self.iterations} iterations)"
        counts = {name: int(np.sum(self.codes == code)) for code, name in enumerate(STATUSES)}
        said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"Result({len(self.codes)} frames: {said})"
