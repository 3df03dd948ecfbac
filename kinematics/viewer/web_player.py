"""The player of the page: time line, buttons and keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import viser

if TYPE_CHECKING:
    from kinematics.viewer.web import Page

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
LEAP = 10  # frames
ECHO_S = 0.15  # seconds within which a key that also moved the slider is one and the same press
WIDTH = 920  # pixels
FIRST, BACK, FORTH, LAST = "|◀ first", "◀ frame", "frame ▶", "last ▶|"
KEYS = "keys: space, ← →, shift ← → (ten frames), ↑ ↓ (speed), home, end"


class Player:
    """A panel along the lower edge of the page."""

    def __init__(self, page: Page) -> None:
        """Add the panel and the keys."""
        self._page = page
        self._before_slide, self._slid_at = 0, -1.0
        gui = page.server.gui
        panel = gui.add_panel()
        panel.float(x=15, y=-15, width=WIDTH)
        with panel.add_tab("Player", viser.Icon.PLAYER_PLAY):
            self._readout = gui.add_html("")
            self._slider: Any = gui.add_slider("Frame", min=0, max=max(page.num_frames - 1, 1), step=1, initial_value=0)
            self._buttons = gui.add_button_group("Time", self._options())
            self._speeds = gui.add_button_group("Speed", self._paces())
        self._slider.disabled = page.num_frames == 1
        self._slider.on_update(self._on_slide)
        self._buttons.on_click(lambda event: self._press(event.target.value))
        self._speeds.on_click(lambda event: self._press_pace(event.target.value))
        self._add_keys()
        self.follow()

    def follow(self) -> None:
        """Show the state of the page."""
        clock = self._page.clock
        self._readout.content = readout(clock.frame, clock.num_frames, clock.frame_time, clock.speed)
        self._slider.value = clock.frame
        for group, options in ((self._buttons, self._options()), (self._speeds, self._paces())):
            if tuple(group.options) != options:
                group.options = options

    def _options(self) -> tuple[str, ...]:
        return FIRST, BACK, "❚❚ Pause" if self._page.playing else "▶ Play", FORTH, LAST

    def _paces(self) -> tuple[str, ...]:
        return (*(f"{speed:g}x" for speed in SPEEDS), f"Loop {'on' if self._page.clock.loop else 'off'}")

    def _press_pace(self, label: str) -> None:
        if label.startswith("Loop"):
            self._page.set_loop(not self._page.clock.loop)
        else:
            self._page.set_speed(float(label[:-1]))

    def _press(self, label: str) -> None:
        page = self._page
        {
            FIRST: lambda: page.set_frame(0),
            BACK: lambda: self.step(-1),
            FORTH: lambda: self.step(1),
            LAST: lambda: page.set_frame(page.num_frames - 1),
        }.get(label, page.toggle)()

    def step(self, frames: int) -> None:
        """Pause, and go on or back."""
        page = self._page
        with page.lock:
            slid = time.monotonic() - self._slid_at < ECHO_S and abs(page.frame - self._before_slide) == 1
            page.pause()
            page.set_frame((self._before_slide if slid else page.frame) + frames)

    def _on_slide(self, event: Any) -> None:
        page = self._page
        if event.client is None:
            return
        with page.lock:
            wanted = int(event.target.value)  # before anything shows the present frame in the slider
            self._before_slide, self._slid_at = page.frame, time.monotonic()
            page.pause()
            page.set_frame(wanted)

    def _add_keys(self) -> None:
        page = self._page
        keys: list[tuple[str, str, str | None, Callable[[], object]]] = [
            ("Play or pause", "space", None, page.toggle),
            ("Next frame", "arrowright", None, lambda: self.step(1)),
            ("Previous frame", "arrowleft", None, lambda: self.step(-1)),
            ("Ten frames on", "arrowright", "shift", lambda: self.step(LEAP)),
            ("Ten frames back", "arrowleft", "shift", lambda: self.step(-LEAP)),
            ("Faster", "arrowup", None, lambda: page.set_speed(next_speed(page.clock.speed, 1))),
            ("Slower", "arrowdown", None, lambda: page.set_speed(next_speed(page.clock.speed, -1))),
            ("First frame", "home", None, lambda: page.set_frame(0)),
            ("Last frame", "end", None, lambda: page.set_frame(page.num_frames - 1)),
        ]
        for label, key, modifier, action in keys:
            command = page.server.gui.add_command(label, hotkey=key, modifier=modifier)  # type: ignore[arg-type]
            command.on_trigger(lambda _, action=action: action())  # type: ignore[misc]


def next_speed(speed: float, step: int) -> float:
    """Return the next faster (1) or slower (-1) speed out of `SPEEDS`; at its ends the same."""
    place = min(range(len(SPEEDS)), key=lambda k: abs(SPEEDS[k] - speed)) + step
    return SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]


def readout(frame: int, num_frames: int, frame_time: float, speed: float) -> str:
    """Return the line over the time line: frame, time and speed, as HTML."""
    seconds, end = frame * frame_time, (num_frames - 1) * frame_time
    return (
        '<div style="display:flex;gap:1.4em;padding:.1em 1em .3em;font-size:.8em;font-variant-numeric:tabular-nums">'
        f'<span>frame <b class="frame">{frame}</b> of {num_frames - 1}</span>'
        f"<span><b>{seconds:.3f}</b> of {end:.3f} s</span><span>speed {speed:g}x</span>"
        f'<span style="margin-left:auto;opacity:.6">{KEYS}</span></div>'
    )
