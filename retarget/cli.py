"""Command line: `python -m retarget CLIP --to TARGET -o OUT`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import tyro
from rich.console import Console
from rich.markup import escape

from kinematics.cli import run
from kinematics.errors import InputError
from kinematics.io import load_motion, save_motion
from kinematics.io.files import EXTENSIONS
from kinematics.viewer.figure import draw
from retarget.pipeline import retarget

PAGE = 120  # columns of what is printed where no terminal tells

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
    picture of both bodies beside the result (OUT.png) show what was done. Existing files of these two names are replaced.

    Args:
        clip: Motion file (.bvh or .npz) to retarget.
        to: Motion file with the target skeleton; its motion tells its rest pose, its frames are not used otherwise.
        output: File to write (.bvh or .npz).
        picture: Draw both bodies at several instants into a PNG file of the same name, replacing it; it belongs to the output.
    """
    shown = output.with_suffix(".png")
    _require_usable(output, shown, (clip, to))
    source, target = load_motion(clip), load_motion(to)
    result = retarget(source, target)
    save_motion(result.motion, output)
    if picture:
        draw([source, result.motion], shown, labels=[clip.name, f"{clip.name} on {to.name}"], same_camera=True)
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, PAGE))
    console.print(result.joint_map, result.report)
    for written in (output, shown) if picture else (output,):
        console.print(f"wrote {escape(str(written))}", highlight=False, soft_wrap=True)


def _require_usable(output: Path, shown: Path, inputs: Sequence[Path]) -> None:
    """Refuse an output of an unknown kind, in a folder that is not there, or in the place of an input."""
    if output.suffix.lower() not in EXTENSIONS:
        raise InputError(f"cannot write {str(output)!r}: the output must end in {' or '.join(EXTENSIONS)}")
    if not output.parent.is_dir():
        raise InputError(f"cannot write {str(output)!r}: there is no folder {str(output.parent)!r}; make it first")
    for taken in inputs:
        if taken.resolve() in (output.resolve(), shown.resolve()):
            raise InputError(f"{output} would overwrite the input {taken}; give another output file")


def main() -> NoReturn:
    """Run `python -m retarget`."""
    run(lambda: tyro.cli(retarget_clip, prog="python -m retarget", description=DESCRIPTION))
