"""Command line: `python -m retarget CLIP --to TARGET -o OUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import tyro
from rich.console import Console

from kinematics.cli import run
from kinematics.errors import InputError
from kinematics.io import load_motion, save_motion
from kinematics.viewer.figure import draw
from retarget.pipeline import retarget

DESCRIPTION = "Put a motion on another skeleton; which joint is which is found without a table."


def retarget_clip(
    clip: tyro.conf.Positional[Path],
    /,
    *,
    to: Path,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    picture: bool = True,
) -> None:
    """Put a motion on another skeleton; which joint is which is found without a table.

    The result is in the target file's own unit, axes and channel layout. A table of what was mapped to what, a report, and a
    picture of both bodies beside the result (OUT.png) show what was done.

    Args:
        clip: Motion file (.bvh or .npz) to retarget.
        to: Motion file with the target skeleton; its motion tells its rest pose, its frames are not used otherwise.
        output: File to write (.bvh or .npz).
        picture: Draw both bodies at several instants into a PNG file of the same name.
    """
    shown = output.with_suffix(".png")
    for taken in (clip, to):
        if taken.resolve() in (output.resolve(), shown.resolve()):
            raise InputError(f"{output} would overwrite the input {taken}; give another output file")
    source, target = load_motion(clip), load_motion(to)
    result = retarget(source, target)
    console = Console()
    console.print(result.joint_map, result.report)
    save_motion(result.motion, output)
    console.print(f"wrote {output}", highlight=False, soft_wrap=True)
    if picture:
        draw([source, result.motion], shown, labels=[clip.name, f"{clip.name} on {to.name}"], same_camera=True)
        console.print(f"wrote {shown}", highlight=False, soft_wrap=True)


def main() -> NoReturn:
    """Run `python -m retarget`."""
    run(lambda: tyro.cli(retarget_clip, prog="python -m retarget", description=DESCRIPTION))
