"""Command line: `python -m retarget batch FOLDER --to TARGET -o OUT`."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from retarget import batch
from retarget.cli_score import page
from retarget.config import preset as config_by_name

DESCRIPTION = (
    "Put every motion file of a folder on another skeleton or on a robot; a run that was broken off goes on where it stopped."
)
PRESET = Literal["faithful", "feet", "style"]
INTERRUPTED = 130


def batch_folder(
    folder: tyro.conf.Positional[Path],
    /,
    *,
    to: str,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    preset: PRESET = "feet",
    part: Literal["whole", "upper", "lower"] = "whole",
    in_place: bool = False,
    velocity_limit: float | None = None,
    workers: int | None = None,
    ray: str | None = None,
    pictures: bool = True,
    format: Literal["csv", "npz", "bvh"] | None = None,  # noqa: A002 - the name of the flag
    json: bool = False,
) -> int:
    """Put every motion file (.bvh, .npz) under a folder on another skeleton or on a robot.

    Results keep their relative paths. The output folder also gets report.json, index.html with a picture of each clip, and a
    manifest: the same command again does only what is missing, has changed or failed. A clip that cannot be retargeted is
    listed with its reason and stops nothing. Exit status: 0 all done, 1 some failed, 2 nothing could start.

    Args:
        folder: Folder with motion files; those in folders below it too.
        to: Motion file with the target skeleton. Or a robot: its model (.xml), or its name in MuJoCo Menagerie ("unitree_g1").
        output: Folder to write; made where it is missing.
        preset: What is kept beside the rotations: feet and hands, feet alone (style), nothing (faithful).
        part: "whole", or "upper" or "lower": the rest of the body moves as in the target's file. A robot moves as a whole.
        in_place: Take the way over the ground out.
        velocity_limit: Radians a second that no joint but the root turns faster than; by default 9.42 (3 pi) for the hinges of a
            robot, and no limit else.
        workers: Worker processes; by default one a processor. Each holds one clip in memory.
        ray: Address of a Ray cluster to work instead ("auto" for the one of this machine); all its machines must see the
            folders under the same paths.
        pictures: Draw each clip for the page.
        format: Format of all results: bvh or npz, by default that of each source; of a robot csv (the default), npz or bvh.
        json: Print the report as one JSON object, what report.json holds, instead of the summary.
    """
    console = Console(stderr=True)
    bar = _Bar(console)
    try:
        with bar.progress:
            report = batch.retarget_folder(
                folder,
                to,
                output,
                config=replace(config_by_name(preset), part=part, in_place=in_place, velocity_limit_rad_s=velocity_limit),
                workers=workers,
                ray=ray,
                pictures=pictures,
                extension=None if format is None else f".{format}",
                on_progress=bar.update,
            )
    except KeyboardInterrupt:
        console.print(f"interrupted: {bar.summary}; the same command goes on from there", highlight=False, soft_wrap=True)
        return INTERRUPTED
    if json:
        sys.stdout.write(report.as_json())
        return 1 if report.failed else 0
    out = page()
    out.print(report)
    for written in (output / batch.REPORT, output / batch.PAGE):
        out.print(f"wrote {escape(str(written))}", highlight=False, soft_wrap=True)
    return 1 if report.failed else 0


class _Bar:
    """A bar of the bytes done, with files, frames, rate and time left."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("retargeting"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self.task: TaskID | None = None
        self.begin = time.perf_counter()
        self.summary = "nothing was done yet"

    def update(self, now: batch.Progress) -> None:
        """Show how far the batch is."""
        rate = now.frames / max(time.perf_counter() - self.begin, 1e-9)
        text = f"{now.before + now.done + now.failed} of {now.clips} files"
        text += f" ({now.failed} failed)" if now.failed else ""
        self.summary = f"{now.before + now.done} of {now.clips} files are done"
        text += f", {now.frames} frames, {rate:.0f} frames/s"
        done, total = now.bytes_total - now.bytes_left, max(now.bytes_total, 1)
        if self.task is None:
            self.begin = time.perf_counter()
            self.task = self.progress.add_task("", total=total, text=text)
        self.progress.update(self.task, completed=done if now.bytes_total else total, text=text)
