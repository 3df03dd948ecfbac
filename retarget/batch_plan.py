"""What there is to do in a batch, settled before any work: sources, outputs, and what an earlier run has done."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from kinematics.errors import InputError, MissingFileError, UnknownNameError
from retarget.batch_clip import DONE, ClipResult, Task, key_of
from retarget.batch_job import EXTENSIONS
from retarget.batch_manifest import NAME, Manifest

LEFT_OVER = re.compile(r"\..{1,40}\.[0-9a-f]{12}\.part")  # what `kinematics.io.atomic` writes beside a file


def find_tasks(
    folder: Path, out: Path, *, extension: str | None = None, allowed: Sequence[str] = EXTENSIONS, target: str = ""
) -> list[Task]:
    """Find every motion file under a folder, in the order of their names, and what each becomes.

    Hidden files and folders are passed by, and links to folders; so are `out` and the results of other batches inside the
    folder, which are no sources.

    Args:
        folder: Where to look.
        out: Where results go.
        extension: Extension of all results; by default each keeps its source's name.
        allowed: Extensions that results can have.
        target: Name of the target, which no result may overwrite.

    Raises:
        MissingFileError: Where there is no such folder.
        InputError: Where it is no folder or holds no motion file, two sources would write one result, or a result would
            overwrite a source or the target.
        UnknownNameError: On an extension that is not allowed.
    """
    if extension is not None and extension not in allowed:
        raise UnknownNameError("format", extension, allowed)
    if not folder.exists():
        beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
        raise MissingFileError(folder, [path.name for path in beside])
    if not folder.is_dir():
        raise InputError(f"{str(folder)!r} is a file; a batch takes a folder of motion files")
    tasks = [_task(path, folder, extension) for path in _walk(folder, out)]
    if not tasks:
        raise InputError(f"there is no motion file ({', '.join(EXTENSIONS)}) under {str(folder)!r}")
    _require_apart(tasks, out, target)
    return tasks


def _walk(folder: Path, out: Path) -> Iterable[Path]:
    own, found = out.resolve(), []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(place)
        if here != folder and (NAME in files or here.resolve() == own):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = (name for name in files if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS)
        found += [here / name for name in names]
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise InputError(f"cannot read the folder {error.filename!r}: {error.strerror}")


def _task(path: Path, folder: Path, extension: str | None) -> Task:
    name = path.relative_to(folder)
    output = name if extension is None else name.with_suffix(extension)
    return Task(str(path.absolute()), name.as_posix(), output.as_posix(), path.stat().st_size if path.exists() else 0)


def _require_apart(tasks: list[Task], out: Path, target: str) -> None:
    taken: dict[str, str] = {}
    inputs = {Path(task.path).resolve(): task.source for task in tasks}
    if target:
        inputs[Path(target).resolve()] = target
    for task in tasks:
        if task.output in taken:
            raise InputError(f"{taken[task.output]} and {task.source} would both become {task.output}; rename one of them")
        taken[task.output] = task.source
        overwritten = inputs.get((out / task.output).resolve())
        if overwritten is not None:
            raise InputError(
                f"the result of {task.source} would overwrite {overwritten}; give an output folder away from the sources"
            )


def still_good(tasks: list[Task], manifest: Manifest, out: Path, options: str, *, pictures: bool) -> dict[str, ClipResult]:
    """Return the results of an earlier run that hold: same source, target, settings and version, and the files are there."""
    good = {}
    for task in tasks:
        known = manifest.results.get(task.source)
        if known is None or known.status != DONE or known.output != task.output or not (out / known.output).is_file():
            continue
        if pictures and not (out / task.picture).is_file():
            continue
        try:
            same = key_of(Path(task.path), options) == known.key
        except InputError:
            continue  # done again, which says what is wrong with it
        if same:
            good[task.source] = replace(known, from_before=True, picture=task.picture if pictures else "")
    return good


def in_order(tasks: list[Task]) -> list[Task]:
    """Put the smallest first, which compiles the kernels for all, then the largest: the last to end are small."""
    by_size = sorted(tasks, key=lambda task: (-task.size, task.source))
    return by_size[-1:] + by_size[:-1]


def remove_left_overs(out: Path) -> None:
    """Remove what a killed worker had begun to write beside its target."""
    for path in out.rglob(".*.part"):
        if LEFT_OVER.fullmatch(path.name):
            path.unlink(missing_ok=True)
