"""The panel of the page: layers, and what is known of the clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from html import escape
from typing import TYPE_CHECKING, Any

from kinematics.anatomy import find_anatomy
from kinematics.viewer.actor import Actor

if TYPE_CHECKING:
    from kinematics.viewer.web import Page

LAYERS = {
    "body": "Body",
    "contacts": "Foot contacts",
    "trail": "Root trail",
    "skeleton": "Skeleton",
    "axes": "Joint axes",
    "names": "Joint names",
}
MOST_LINES = 12  # repairs and notes of a reader that are listed
CELL = "padding:.12em .6em .12em 0;vertical-align:top;text-align:left;"
KEY, TEXT = "white-space:nowrap", "overflow-wrap:anywhere"


@dataclass(frozen=True)
class Sheet:
    """A table that the page shows in a folder of its own.

    Attributes:
        title: Of the folder.
        rows: Cells as plain text.
        header: Of the columns; none by default.
        notes: Lines under the table.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]
    header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Panel:
    """Check boxes for layers and camera, and folders of what is known."""

    def __init__(self, page: Page, sheets: Sequence[Sheet]) -> None:
        """Add the folders of layers and camera."""
        self._page, gui = page, page.server.gui
        with gui.add_folder("Show"):
            self._boxes: dict[str, Any] = {}
            for layer in fields(page.layers):
                self._boxes[layer.name] = gui.add_checkbox(LAYERS[layer.name], getattr(page.layers, layer.name))
                self._boxes[layer.name].on_update(self._on_layer)
            self._follow: Any = gui.add_checkbox("Camera follows", page.stage_view.follows)
            self._follow.on_update(lambda event: page.follow(event.target.value) if event.client is not None else None)
            if page.groups > 1:
                self._beside: Any = gui.add_checkbox("Side by side", page.side_by_side)
                self._beside.on_update(lambda event: page.arrange(event.target.value) if event.client is not None else None)
        self._sheets = tuple(sheets)

    def follow(self) -> None:
        """Show the state of the page."""
        for name, box in self._boxes.items():
            box.value = getattr(self._page.layers, name)
        self._follow.value = self._page.stage_view.follows
        if self._page.groups > 1:
            self._beside.value = self._page.side_by_side

    def add_sheets(self) -> None:
        """Add the folders of what is known."""
        gui = self._page.server.gui
        for number, sheet in enumerate(self._sheets):
            with gui.add_folder(sheet.title, expand_by_default=number == 0):
                gui.add_html(table(sheet))
        for actor in self._page.actors:
            title = f"About {actor.title}" if len(self._page.actors) > 1 and actor.title else "About the clip"
            with gui.add_folder(title, expand_by_default=len(self._page.actors) == 1):
                gui.add_html(table(about(actor, title)))

    def _on_layer(self, event: Any) -> None:
        if event.client is not None:
            shown = {name: bool(box.value) for name, box in self._boxes.items()}
            self._page.set_layers(replace(self._page.layers, **shown))


def about(actor: Actor, title: str) -> Sheet:
    """Say what a clip is: its time, and what its unit and axes were taken to be and how surely."""
    motion, world = actor.motion, actor.world
    count = motion.num_frames
    skeleton = motion.skeleton
    sizes = f"{world.body_height:.3g} m" if actor.unit == "m" else f"unknown; shown {actor.body.height:.3g} m large"
    guesses = {guess.name: f"{guess.value} ({guess.confidence:.0%}: {guess.reason})" for guess in world.guesses}
    rows = [
        ("unit", guesses.pop("unit")),
        ("up", guesses.pop("up")),
        ("dialect", find_anatomy(skeleton).dialect),
        ("height", sizes),
        ("frames", f"{count} at {motion.frame_rate:.6g} Hz, {motion.duration:.3f} s"),
        ("joints", f"{skeleton.num_joints}, end sites {skeleton.num_end_sites}"),
        *guesses.items(),
        ("file", motion.source.path or "none"),
    ]
    mended = [f"mended: {line}" for line in motion.source.repairs] + [f"note: {line}" for line in motion.source.notes]
    if len(mended) > MOST_LINES:
        mended = [*mended[:MOST_LINES], f"and {len(mended) - MOST_LINES} more; `python -m kinematics info` lists them"]
    return Sheet(title, tuple(rows), notes=tuple(mended) or ("the reader had to mend nothing",))


def table(sheet: Sheet) -> str:
    """Return a sheet as HTML."""

    def line(cells: Sequence[str], tag: str) -> str:
        first = KEY if len(cells) == 2 else TEXT  # of a table of names and values
        styles = [CELL + (TEXT if k else first) for k in range(len(cells))]
        return (
            "<tr>"
            + "".join(f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell, style in zip(cells, styles, strict=True))
            + "</tr>"
        )

    head = line(sheet.header, "th") if sheet.header else ""
    body = "".join(line(row, "td") for row in sheet.rows)
    notes = "".join(f'<div style="padding:.15em 0;opacity:.75">{escape(note)}</div>' for note in sheet.notes)
    return (
        '<div style="padding:0 .8em .6em;font-size:.75em;max-height:30em;overflow:auto">'
        f'<table style="border-collapse:collapse">{head}{body}</table>{notes}</div>'
    )
