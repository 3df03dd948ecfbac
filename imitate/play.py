"""Show what a policy does beside what it should do: in the browser, or as a video or picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imitate.rollout import Rollout, roll_out
from imitate.runs import Run
from kinematics.viewer.extra import require

SIDE_BY_SIDE = ("clip", "simulated body")
VIDEO, LONGEST_S = "video.mp4", 20.0


def film(run: Run) -> Path:
    """Write what a run's policy does beside its clip into the run's folder, `video.mp4`, at most 20 s.

    Raises:
        MissingExtraError: Without the extra `viewer`.
        GraphicsError: Where no GL context can be had.
    """
    shown = roll_out(run, seconds=LONGEST_S if run.motion.duration > LONGEST_S else None, go_on=True)
    render_rollout(shown, run.folder / VIDEO, progress=True)
    return run.folder / VIDEO


def render_rollout(
    rollout: Rollout,
    path: str | Path,
    *,
    camera: str = "follow",
    size: tuple[int, int] | None = None,
    progress: bool = False,
) -> None:
    """Write a video (.mp4, .gif) or strip of poses (.png) of the clip and the simulated body side by side.

    Args:
        rollout: What is shown.
        path: File to write.
        camera: As for `kinematics.viewer.render`.
        size: Width and height in pixels.
        progress: Show how far a video is, on stderr.

    Raises:
        InputError: As `kinematics.viewer.render`.
        GraphicsError: Where no GL context can be had; `python -m imitate rollout` writes a file that stick figures can show.
    """
    from kinematics.viewer.rendering import render

    motions = [rollout.reference, rollout.simulated]
    render(motions, path, labels=titles(rollout), camera=camera, size=size, same_world=True, progress=progress)


def make_page(rollout: Rollout, *, host: str = "127.0.0.1", port: int = 8080) -> Any:
    """Start a page in the browser that plays the clip and the simulated body; `.url` is its address, `.stop()` ends it.

    Raises:
        InputError: On an address that this machine cannot listen at.
        MissingExtraError: Without the extra `viewer`.
    """
    require("viser")
    from kinematics.viewer.actor import make_actors
    from kinematics.viewer.web import Page

    actors = make_actors([rollout.reference, rollout.simulated], titles=titles(rollout), same_world=True)
    return Page(actors, host=host, port=port)


def titles(rollout: Rollout) -> list[str]:
    """Return what the two bodies are called: which is which, and when it fell."""
    fell = "" if rollout.fell_s is None else f", fell at {rollout.fell_s:.1f} s"
    return [SIDE_BY_SIDE[0], SIDE_BY_SIDE[1] + fell]
