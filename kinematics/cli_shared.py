"""What the commands share: their arguments for files, how they write, and how they end."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import tyro
from rich.console import Console
from rich.markup import escape

from kinematics.errors import InputError, KinematicsError
from kinematics.io import load_motion, save_motion
from kinematics.io.files import EXTENSIONS
from kinematics.motion import Motion

Clip = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


def require_other_file(source: Path, target: Path) -> None:
    """Refuse an output in the place of the input.

    Raises:
        InputError: Where both are one file.
    """
    if source.resolve() == target.resolve():
        raise InputError(f"{target} would overwrite the clip itself; give another output file")


def load_retargeted(clip: Path, target: Path) -> tuple[list[Motion], list[str], Any]:
    """Read a clip and put it on a target.

    Args:
        clip: Motion file.
        target: Motion file with another skeleton; or a robot: its model (.xml), or its name in MuJoCo Menagerie.

    Returns:
        The clip and the same on the target, a title for each, and what `retarget` says of it.

    Raises:
        InputError: Where one of them cannot be read or they cannot be brought together.
    """
    # The command line is where packages meet: `kinematics` itself knows nothing of `retarget`, so it is looked up by name.
    pipeline, targets = importlib.import_module("retarget"), importlib.import_module("retarget.targets")
    source = load_motion(clip)
    result = pipeline.retarget(source, targets.load_target(target))
    return [source, result.motion], [clip.stem, f"{clip.stem} on {target.stem}"], result


def require_writable(target: Path, extensions: Sequence[str] = EXTENSIONS) -> None:
    """Refuse an output of an unknown kind, or in a folder that is not there, before any work is done.

    Raises:
        InputError: Where it could not be written.
    """
    if target.suffix.lower() not in extensions:
        raise InputError(f"cannot write {str(target)!r}: the extension must be {' or '.join(extensions)}")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {str(target)!r}: there is no folder {str(target.parent)!r}; make it first")


def save(motions: Sequence[Motion], target: Path) -> None:
    """Write motions, and say what was written.

    Raises:
        InputError: Where they cannot be written.
    """
    save_motion(motions[0] if len(motions) == 1 else motions, target)
    count, rate = motions[0].num_frames, motions[0].frame_rate
    what = f"{count} frame{'s' * (count != 1)} at {rate:.6g} Hz" + (f", {len(motions)} roots" * (len(motions) > 1))
    Console().print(f"wrote {escape(str(target))}: {what}", highlight=False, soft_wrap=True)


def run(application: Callable[[], object]) -> NoReturn:
    """Run a command line and exit with the number that it returns, else 0.

    Errors of ours become one sentence on stderr and exit status 2.
    """
    try:
        status = application()
        sys.stdout.flush()
    except KinematicsError as error:
        Console(stderr=True).print(f"[bold red]error:[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)
