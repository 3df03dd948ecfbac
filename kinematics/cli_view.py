"""Command line: `python -m kinematics view`."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from kinematics.cli_shared import load_retargeted
from kinematics.errors import InputError
from kinematics.io import load_motions
from kinematics.motion import Motion
from kinematics.viewer.actor import Actor, make_actor, make_actors
from kinematics.viewer.extra import require

if TYPE_CHECKING:
    from rich.table import Table

LEFT_OUT = {"part", "because"}  # columns of a joint map that the panel of a page has no room for


def view(
    clips: tyro.conf.Positional[tuple[Path, ...]],
    /,
    *,
    retarget: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
) -> None:
    """Show clips in the browser: play, scrub, look at joints, pull on limbs. Ctrl-C ends it.

    Args:
        clips: Motion files (.bvh or .npz), shown together, in step in time.
        retarget: Shows the clip, the clip put on this target, and which joint drives which: a motion file with another skeleton,
            a robot's model (.xml), or its name in MuJoCo Menagerie ("unitree_g1").
        host: Address to listen at; others than this machine can look on only if you name another one.
        port: Port to listen at; the next free one where it is taken.
    """
    if not clips:
        raise InputError("no clip was given; name at least one motion file (.bvh or .npz)")
    if retarget is not None and len(clips) != 1:
        raise InputError(f"--retarget takes one clip, got {len(clips)}")
    if not 0 < port < 65536:
        raise InputError(f"--port must be 1 to 65535, got {port}")
    require("viser")
    web = importlib.import_module("kinematics.viewer.web")
    actors, tables = _retargeted(clips[0], retarget) if retarget is not None else (load_actors(clips), [])
    page = web.Page(actors, host=host, port=port, sheets=[sheet(table) for table in tables])
    try:
        Console().print(f"{escape(page.url)} shows {_what(actors)}; Ctrl-C ends it", highlight=False, soft_wrap=True)
        sys.stdout.flush()
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32"):
            webbrowser.open(page.url)
        threading.Event().wait()
    finally:
        page.stop()


def load_actors(clips: Sequence[Path]) -> list[Actor]:
    """Bring all roots of all files on stage.

    Raises:
        InputError: Where a file cannot be read or shown.
    """
    motions: list[Motion] = []
    titles: list[str] = []
    for path in clips:
        roots = load_motions(path)
        motions += roots
        titles += [f"{path.name} {root.skeleton.joint_names[0]}" if len(roots) > 1 else path.name for root in roots]
    return make_actors(motions, titles=titles)


def _retargeted(clip: Path, target: Path) -> tuple[list[Actor], list[Table]]:
    """Put a clip on another skeleton or a robot; return both, with the tables of what was done."""
    motions, titles, result = load_retargeted(clip, target)
    actors = [make_actor(motion, title=title) for motion, title in zip(motions, titles, strict=True)]
    return actors, [result.joint_map.__rich__(), result.report.__rich__()]


def sheet(table: Table) -> Any:
    """Return a table for the terminal as one for the page."""
    panel = importlib.import_module("kinematics.viewer.web_panel")

    def plain(cell: object) -> str:
        return Text.from_markup(str(cell)).plain

    shown = [column for column in table.columns if str(column.header) not in LEFT_OUT]
    columns = [[plain(cell) for cell in column.cells] for column in shown]
    header = tuple(plain(column.header) for column in shown) if table.show_header else ()
    title = "Joint map" if table.show_header else plain(table.title or "")
    notes = ((plain(table.title),) if table.show_header else ()) + tuple(plain(table.caption or "").splitlines())
    return panel.Sheet(title, tuple(zip(*columns, strict=True)), header=header, notes=notes)


def _what(actors: Sequence[Actor]) -> str:
    names = [escape(actor.title) for actor in actors]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
