"""Reach in the browser: gizmos at hands, feet, head and hips, and a folder with what can be done."""

from __future__ import annotations

import logging
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from kinematics import ik
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.ik.problem import Method
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.viewer.reach import Reach
from kinematics.viewer.reach_solver import Reached
from kinematics.viewer.web_drag import Follower
from kinematics.viewer.web_gizmos import Gizmos
from kinematics.viewer.web_reach_panel import NOTES, ReachPanel, tell, tell_edits

if TYPE_CHECKING:
    from kinematics.viewer.web import Page

SAID_EVERY = 0.2  # seconds between two status lines of a drag
PREPARING = "Preparing the solver; the first time ever this takes up to a minute ..."
READY = "Drag an arrow or a square of a handle."


class WebReach:
    """The folder "Reach" of a page, its gizmos, and the thread that solves.

    Everything that changes a clip happens in that thread, one thing after the other; the page waits for none of it. All browsers
    see the same; one of them drags at a time.

    Attributes:
        page: The page.
        index: Which of its clips is posed.
        on: Whether the handles are shown.
        status: What the status line says.
        reached: What came of the last step of a drag.
    """

    def __init__(self, page: Page) -> None:
        """Add the folder; nothing is compiled until it is switched on."""
        self.page, self.index, self.on, self.status = page, 0, False, READY
        self.reached: Reached | None = None
        self._sessions = {0: Reach(page.actors[0])}
        self._gizmos: Gizmos | None = None
        self._prepared: set[tuple[int, str]] = set()
        self._drag: tuple[str, int | None] | None = None  # handle and browser
        self._frame: int | None = None  # of the clip, while a handle is grabbed
        self._times: deque[float] = deque(maxlen=100)
        self._asked: Path | None = None
        self._follower = Follower(lambda point: self._safely(lambda: self._step(point)))
        self._panel = ReachPanel(self)
        page.on_frame(self._on_frame)
        page.server.on_client_disconnect(lambda client: self._forget(client.client_id))

    @property
    def session(self) -> Reach:
        """The clip that is posed, its handles and its edits."""
        return self._sessions[self.index]

    @property
    def dragged(self) -> str:
        """Name of the handle that is dragged now, or ""."""
        return "" if self._drag is None else self._drag[0]

    def switch(self, on: bool) -> None:
        """Show the handles, or take them away; edits stay."""
        self.post(lambda: self._switch(on))

    def choose(self, index: int) -> None:
        """Pose another clip of the page."""
        self.post(lambda: self._choose(index))

    def set_method(self, method: Method) -> None:
        """Solve drags by another method."""
        self.post(lambda: self._set_method(method))

    def set_limited(self, limited: bool) -> None:
        """Keep joints to the ranges of a human, or not."""
        self.post(lambda: self._set_limited(limited))

    def set_duration(self, seconds: float) -> None:
        """Let edits fade in and out over so many seconds."""
        self.post(lambda: setattr(self.session, "duration_s", seconds))

    def hold(self, handle: str, held: bool) -> None:
        """Hold a handle in place while others are dragged, or let it go."""
        self.post(lambda: (self.session.held.add if held else self.session.held.discard)(handle))

    def act(self, action: str) -> None:
        """Do one of "Undo", "Redo", "Reset" (of the frame that is shown) and "Apply"."""
        self.post(lambda: self._act(action))

    def save(self, path: str | Path) -> None:
        """Write the clip with its edits; a file that is there already at the second time of asking."""
        self.post(lambda: self._save(Path(path).expanduser()))

    def download(self, name: str, client: Any) -> None:
        """Send the clip with its edits to a browser."""
        self.post(lambda: self._download(name, client))

    def drag(self, handle: str, *positions: Float[np.ndarray, "3"]) -> None:
        """Drag a handle along places on the stage, in metres, as a browser does, and let go; returns at once."""
        places = [np.array(position, dtype=np.float64) for position in positions]
        for phase, place in (("start", places[0]), *(("update", place) for place in places), ("end", places[-1])):
            self.listen(handle, phase, None, place)

    def listen(self, handle: str, phase: str, client: int | None, position: Float[np.ndarray, "3"]) -> None:
        """Take what a browser says of a gizmo: the phase of a drag, and where it is on the stage, metres, shape (3,)."""
        if self._drag is None and phase != "end":
            self._drag = (handle, client)
            self.post(lambda: self._grab(handle))
        if self._drag != (handle, client):
            return
        if phase == "update":
            self._follower.lead(position)
        elif phase == "end":
            self._end()

    def wait(self, timeout: float = 60.0) -> bool:
        """Wait until all is done that was asked for, and tell whether it is."""
        return self._follower.wait(timeout)

    def stop(self) -> None:
        """End the thread."""
        self._follower.stop()

    def post(self, task: Callable[[], object]) -> None:
        """Let something be done in the thread; what goes wrong there is said in the status line."""
        self._follower.post(lambda: self._safely(task))

    # What the thread does.

    def _safely(self, task: Callable[[], object]) -> None:
        try:
            task()
        except (InputError, OSError) as error:
            self._say(str(error))
        except Exception:
            logging.getLogger(__name__).exception("Reach failed")
            self._say("Something went wrong; the log of the server says what.")

    def _switch(self, on: bool) -> None:
        self.on = on
        self._panel.follow()
        self._remove_gizmos()
        self.page.set_picking(not on)  # bodies would catch the clicks on handles inside them
        if not on:
            return
        self._prepare()
        with self.page.lock, self.page.server.atomic():
            name = f"{self.page.stage}/reach"
            height = self.page.actors[self.index].body.height
            self._gizmos = Gizmos(self.page.server, name, self.session.handles, height, self.listen)
            self._place_gizmos()

    def _remove_gizmos(self) -> None:
        with self.page.lock, self.page.server.atomic():
            if self._gizmos is not None:
                self._gizmos.remove()
            self._gizmos = None

    def _choose(self, index: int) -> None:
        self.index = index
        if index not in self._sessions:
            self._sessions[index] = Reach(self.page.actors[index])
        self._switch(self.on)

    def _set_method(self, method: Method) -> None:
        self.session.method = method
        self._prepare()

    def _prepare(self) -> None:
        key = (self.index, self.session.method)
        if key not in self._prepared:
            self._say(PREPARING)
            self.session.prepare()
            self._prepared.add(key)
        self._say(READY + NOTES.get(self.session.method, ""))

    def _set_limited(self, limited: bool) -> None:
        try:
            if limited:
                ik.human_limits(self.session.take.motion)
            self.session.limited = limited
        finally:
            self._panel.follow()

    def _act(self, action: str) -> None:
        session, before = self.session, self.session.take
        if action == "Reset":
            session.reset(self.page.actor_frame(self.index))
        else:
            {"Undo": session.undo, "Redo": session.redo, "Apply": session.apply}[action]()
        if session.take is before:
            self._say(f"There is nothing to {action.lower()}.")
            return
        if session.take.motion is not before.motion:
            self.page.replace_motion(self.index, session.take.motion)
        else:
            self.page.set_frame(self.page.frame)
        self._say(f"{action}: done. {tell_edits(self.session.take.edits)}")

    def _save(self, path: Path) -> None:
        if path.exists() and path != self._asked:
            self._asked = path
            self._say(f"{path} is there already; press Save again to replace it.")
            return
        self.session.save(path)
        self._asked = path
        self._say(f"Saved {path}, edits and all.")

    def _download(self, name: str, client: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (Path(name).name or "edited.bvh")
            self.session.save(path)
            client.send_file_download(path.name, path.read_bytes(), save_immediately=True)
        self._say(f"Sent {path.name}, edits and all.")

    # Drags.

    def _grab(self, handle: str) -> None:
        self.page.pause()
        session = self.session
        session.actor, self._frame = self.page.actors[self.index], self.page.actor_frame(self.index)
        session.grab(handle, self._frame)
        at = [each.name for each in session.handles].index(handle)
        self._follower.place(session.positions(self._frame)[at])
        self._times.clear()

    def _end(self) -> None:
        self._drag, rest = None, self._follower.let_go()
        self.post(lambda: self._release(rest))

    def _release(self, rest: Float[np.ndarray, "3"] | None) -> None:
        if rest is not None:
            self._step(rest)
        self.session.release()
        self._frame = None
        with self.page.lock, self.page.server.atomic():
            self._place_gizmos()
        if self.reached is not None and self._times:
            self._say(f"{self._report()} {tell_edits(self.session.take.edits)}")

    def _forget(self, client: int) -> None:
        """End the drag of a browser that is gone."""
        if self._drag is not None and self._drag[1] == client:
            self._end()

    def _step(self, position: Float[np.ndarray, "3"]) -> None:
        if self._frame is None:
            return
        self.reached = self.session.drag(position)
        with self.page.lock, self.page.server.atomic():
            self._show(self.index, self.reached.pose)
            if self._gizmos is not None:
                self._gizmos.place(self.session.positions(self._frame), but=self.dragged)
        now = time.monotonic()
        if not self._times or int(now / SAID_EVERY) != int(self._times[-1] / SAID_EVERY):
            self._say(self._report())
        self._times.append(now)

    # What is seen.

    def _say(self, text: str) -> None:
        self.status = text
        self._panel.say(text)

    def _report(self) -> str:
        actor = self.page.actors[self.index]
        return "" if self.reached is None else tell(self.reached, actor, self._times)

    def _on_frame(self, _frame: int) -> None:
        """Show the edits of the frame, and bring the gizmos there; the page holds its lock."""
        if self._frame not in (None, self.page.actor_frame(self.index)):
            self._end()
        for index, session in list(self._sessions.items()):  # the panel's thread may add one
            pose = session.take.edits.get(self.page.actor_frame(index))
            if pose is not None:
                self._show(index, pose)
        self._place_gizmos()

    def _place_gizmos(self) -> None:
        if self._gizmos is not None:
            self.session.actor = self.page.actors[self.index]
            self._gizmos.place(self.session.positions(self.page.actor_frame(self.index)))

    def _show(self, index: int, pose: Pose) -> None:
        actor, transforms = self.page.actors[index], forward_kinematics(pose)
        self.page.show_pose(
            index,
            actor.to_stage(transforms.global_positions),
            quaternion.multiply(actor.turn, transforms.global_rotations),
            actor.to_stage(transforms.end_site_positions),
        )
