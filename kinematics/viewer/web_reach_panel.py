"""The folder "Reach" of the page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinematics.ik.problem import METHODS
from kinematics.viewer.actor import Actor
from kinematics.viewer.reach_solver import Reached

if TYPE_CHECKING:
    from kinematics.viewer.web_reach import WebReach

LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOTES = {
    "ccd": " ccd turns one joint after the other: held feet keep their place and may turn.",
    "fabrik": " fabrik knows points alone: held feet keep their place and may turn.",
    "two_bone": " two_bone bends the dragged arm or leg alone; all else stays.",
    "scipy": " scipy is exact and slow.",
}


class ReachPanel:
    """The switch, and under it, while that is on, what can be set and done."""

    def __init__(self, reach: WebReach) -> None:
        """Add the folder."""
        self._reach = reach
        self._gui = gui = reach.page.server.gui
        actors, session = reach.page.actors, reach.session
        with gui.add_folder("Reach"):
            self._switch = _bind(gui.add_checkbox("Drag limbs", False), reach.switch)
            self._status = gui.add_html("", visible=False)
            self._clip = None
            if len(actors) > 1:
                titles = [f"{number} {actor.title}" for number, actor in enumerate(actors, 1)]
                self._clip = _bind(gui.add_dropdown("Clip", titles), lambda title: reach.choose(titles.index(title)))
            self._method = _bind(gui.add_dropdown("Solver", METHODS, initial_value=session.method), reach.set_method)
            self._limits = _bind(gui.add_checkbox("Joint limits", False, hint="Ranges of human joints"), reach.set_limited)
            self._held = gui.add_folder("Hold in place")
            self._ease = _bind(
                gui.add_slider("Ease, s", 0.0, 3.0, 0.05, session.duration_s, hint="Before and after an edited frame"),
                reach.set_duration,
            )
            actions = gui.add_button_group("Edits", ("Undo", "Redo", "Reset", "Apply"))
            actions.on_click(lambda event: reach.act(event.target.value))
            local = reach.page.server.get_host() in LOOPBACK  # others shall not write files on this machine
            name = f"{Path(actors[0].title or 'clip').stem}_edited.bvh"
            self._path = gui.add_text("File", name)
            files = gui.add_button_group("Write", ("Save", "Download") if local else ("Download",))
            files.on_click(self._write)
        self._inner = [self._method, self._limits, self._held, self._ease, actions, self._path, files]
        self._inner += [] if self._clip is None else [self._clip]
        self._boxes: dict[str, Any] = {}
        self.follow()

    def follow(self) -> None:
        """Show what is set."""
        session, on = self._reach.session, self._reach.on
        values = ((self._switch, on), (self._method, session.method), (self._limits, session.limited))
        for element, value in (*values, (self._ease, session.duration_s)):
            if element.value != value:
                element.value = value
        for element in self._inner:
            element.visible = on
        self._status.visible = on
        names = [handle.name for handle in session.handles]
        if list(self._boxes) != names:
            for box in self._boxes.values():
                box.remove()
            with self._held:
                self._boxes = {name: self._gui.add_checkbox(name.capitalize(), name in session.held) for name in names}
            for name, box in self._boxes.items():
                _bind(box, partial(self._reach.hold, name))
        for name, box in self._boxes.items():
            box.value = name in session.held

    def say(self, text: str) -> None:
        """Show a status line."""
        self._status.content = f'<div style="padding:.1em .8em .6em;font-size:.85em;line-height:1.35">{escape(text)}</div>'

    def _write(self, event: Any) -> None:
        if event.target.value == "Save":
            self._reach.save(self._path.value)
        elif event.client is not None:
            self._reach.download(self._path.value, event.client)


def _bind(element: Any, call: Callable[[Any], None]) -> Any:
    """Call a function with an element's value when a browser changes it."""
    element.on_update(lambda event: call(event.target.value) if event.client is not None else None)
    return element


def tell(reached: Reached, actor: Actor, times: Sequence[float]) -> str:
    """Return a status line: the solver's word, how far off, time of a solve, updates in a second.

    Args:
        reached: What came of the last step of a drag.
        actor: The clip that is posed.
        times: When the steps of the drag were drawn, seconds, in order.
    """

    def length(value: float) -> str:
        return f"{100.0 * actor.scale * value:.1f} cm" if actor.unit == "m" else f"{value:.3g} units"

    since = times[-1] - 1.0 if times else 0.0
    recent = [each for each in times if each > since]
    rate = (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0
    held = f", held points {length(reached.held_error)} off" if reached.held_error > 0.0 else ""
    speed = f"{reached.milliseconds:.1f} ms a solve" + (f", {rate:.0f} updates/s" if rate else "")
    return f"{reached.status}: {length(reached.error)} off{held}; {speed}."


def tell_edits(frames: Collection[int]) -> str:
    """Return in words which frames are edited."""
    named = [str(frame) for frame in sorted(frames)]
    listed = ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
    return f"Edited, not yet applied: frame{'s' * (len(named) > 1)} {listed}." if named else "All edits are applied."
