"""Command line: `python -m imitate play RUN`."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.markup import escape

from imitate.errors import ImitationError
from kinematics.viewer.rendering import check_request


def play(
    run: tyro.conf.Positional[Path],
    /,
    *,
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
    seconds: float | None = None,
    push: float = 0.0,
    camera: Literal["follow", "orbit", "front", "side"] = "follow",
    host: str = "127.0.0.1",
    port: int = 8080,
    seed: int = 0,
) -> None:
    """Show what a run's policy does beside its clip: in the browser (Ctrl-C ends it), or as a video or picture.

    Args:
        run: Folder of the run.
        output: Write a video (.mp4, .gif) or a strip of poses (.png) instead of showing a page.
        seconds: How long; by default the clip's length. A clip that goes in cycles can last up to 20 s.
        push: Push the body every 2 s in a random direction, with this velocity in m/s.
        camera: Of a video or picture, as in `python -m kinematics render`.
        host: Address to listen at.
        port: Port to listen at; the next free one where it is taken.
        seed: Of the pushes.
    """
    if output is not None:
        check_request(output, camera=camera)
    if not 0 < port < 65536:
        raise ImitationError(f"--port must be 1 to 65535, got {port}")
    if not push >= 0.0:
        raise ImitationError(f"--push must be at least 0 m/s, got {push}")
    from imitate.play import make_page, render_rollout
    from imitate.rollout import roll_out
    from imitate.runs import open_run

    shown = roll_out(open_run(run), seconds=seconds, push_speed_m_s=push, go_on=True, seed=seed)
    console = Console()
    if shown.fell_s is not None:
        console.print(f"the body fell after {shown.fell_s:.1f} s", highlight=False)
    if output is not None:
        render_rollout(shown, output, camera=camera, progress=True)
        console.print(f"wrote {escape(str(output))}", highlight=False, soft_wrap=True)
        return
    page = make_page(shown, host=host, port=port)
    try:
        console.print(
            f"{escape(page.url)} shows {escape(str(run))} beside its clip; Ctrl-C ends it", highlight=False, soft_wrap=True
        )
        sys.stdout.flush()
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32"):
            webbrowser.open(page.url)
        threading.Event().wait()
    finally:
        page.stop()
