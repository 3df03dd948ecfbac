"""Reach: a body posed by dragging its hands, feet, head and hips; edits, undone and redone, applied to the clip and saved."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinematics import edit
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.ik.problem import Method
from kinematics.io import save_motion
from kinematics.motion import Motion, Pose
from kinematics.viewer.actor import Actor
from kinematics.viewer.reach_handles import Handle, find_handles
from kinematics.viewer.reach_solver import Reached, ReachSolver

UNDOS = 50  # steps that can be taken back; each may hold a clip


@dataclass(frozen=True, eq=False)
class Take:
    """A clip, and the poses that were changed since it was last put together.

    Attributes:
        motion: The clip.
        edits: Changed poses by frame.
    """

    motion: Motion
    edits: Mapping[int, Pose] = field(default_factory=dict)


@dataclass(frozen=True)
class _Drag:
    handle: str
    frame: int
    reference: Pose
    start: Pose | None
    before: Take


class Reach:
    """One clip under the hands of an animator. Positions are on the stage: metres, Y up.

    A drag begins with `grab`, is led by `drag` and ends with `release`; it changes the pose of one frame, which `apply` spreads
    over the frames around it.

    Attributes:
        actor: The clip on its stage.
        handles: Where the body can be taken hold of.
        held: Names of handles that stay in place while another one is dragged.
        method: How drags are solved, one of `ik.METHODS`.
        limited: Whether joints keep to `ik.human_limits`.
        duration_s: Seconds over which `apply` fades an edit in, and out.
        take: The clip and its edits now.
    """

    def __init__(self, actor: Actor) -> None:
        """Take hold of a clip."""
        self.actor = actor
        self.handles: tuple[Handle, ...] = find_handles(actor.motion.skeleton, human=actor.body.kind == "human")
        self.held: set[str] = {handle.name for handle in self.handles if handle.held}
        self.method: Method = "levenberg_marquardt"
        self.limited = False
        self.duration_s = 0.5
        self.take = Take(actor.motion)
        self._solver = ReachSolver(actor.motion, self.handles)
        self._drag: _Drag | None = None
        self._past: deque[Take] = deque(maxlen=UNDOS)
        self._future: deque[Take] = deque(maxlen=UNDOS)

    def pose(self, frame: int) -> Pose:
        """Return the pose of a frame: its edit, or the clip's own."""
        found = self.take.edits.get(frame)
        return self.take.motion[frame] if found is None else found

    def positions(self, frame: int) -> Float[np.ndarray, "handles 3"]:
        """Return where the handles are on the stage in a frame, metres, shape (handles, 3)."""
        transforms = forward_kinematics(self.pose(frame))
        return self.actor.to_stage(np.stack([handle.position(transforms) for handle in self.handles]))

    def prepare(self) -> None:
        """Solve each handle once where it is, so that the kernels of the method are compiled and its problems made."""
        pose = self.take.motion[0]
        transforms = forward_kinematics(pose)
        for handle in self.handles:
            try:
                self._solve(pose, handle.name, handle.position(transforms), None)
            except InputError:  # what the method cannot do is said when somebody asks for it
                continue

    def grab(self, handle: str, frame: int) -> None:
        """Begin a drag at the pose that a frame now has.

        Raises:
            InputError: On an unknown handle, or a frame outside the clip.
        """
        self._solver.require(handle)
        if not 0 <= frame < self.take.motion.num_frames:
            raise InputError(f"a frame must be one of 0 to {self.take.motion.num_frames - 1}, got {frame}")
        self._drag = _Drag(handle, frame, self.pose(frame), None, self.take)

    def drag(self, position: Float[np.ndarray, "3"]) -> Reached:
        """Bring the grabbed handle to a point and let the body follow.

        What is held stays where the pose had it that the drag began with; all else stays near that pose. So a drag leads back to
        it when its handle comes back, and nothing drifts.

        Args:
            position: Where the handle is dragged to on the stage, metres, shape (3,).

        Raises:
            InputError: Where nothing is grabbed, or the method cannot solve such a drag; the pose then stays.
        """
        now = self._drag
        if now is None:
            raise InputError("no handle is grabbed; `grab` begins a drag")
        reached = self._solve(now.reference, now.handle, self.actor.from_stage(position), now.start)
        if now.start is None:
            self._past.append(now.before)
            self._future.clear()
        self._drag = _Drag(now.handle, now.frame, now.reference, reached.pose, now.before)
        self.take = Take(now.before.motion, {**now.before.edits, now.frame: reached.pose})
        return reached

    def release(self) -> None:
        """End a drag."""
        self._drag = None

    def apply(self) -> None:
        """Spread the edits over the frames around them, see `edit.displace`; the clip then has none."""
        if self.take.edits:
            self._change(Take(self.result()))

    def result(self) -> Motion:
        """Return the clip with its edits applied."""
        return edit.displace(self.take.motion, self.take.edits, before_s=self.duration_s, after_s=self.duration_s)

    def reset(self, frame: int) -> None:
        """Give a frame the clip's pose back."""
        if frame in self.take.edits:
            self._change(Take(self.take.motion, {at: pose for at, pose in self.take.edits.items() if at != frame}))

    def undo(self) -> None:
        """Take the last drag, `apply` or `reset` back, if there is one."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._step(self._future, self._past)

    def save(self, path: str | Path) -> None:
        """Write the clip with its edits applied, in its own unit, axes and channels; other numbers keep their digits.

        Raises:
            InputError: On an extension that is not written.
            OSError: Where the file cannot be written.
        """
        save_motion(self.result(), path)

    def _solve(self, reference: Pose, handle: str, target: np.ndarray, start: Pose | None) -> Reached:
        return self._solver.solve(
            reference, handle, target, held=self.held, method=self.method, limited=self.limited, start=start
        )

    def _change(self, take: Take) -> None:
        self._past.append(self.take)
        self._future.clear()
        self._drag, self.take = None, take

    def _step(self, source: deque[Take], target: deque[Take]) -> None:
        if source:
            target.append(self.take)
            self._drag, self.take = None, source.pop()
