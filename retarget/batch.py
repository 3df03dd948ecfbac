"""Retarget every motion file of a folder: many workers, and where a run is broken off, the next goes on from there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kinematics.errors import InputError
from kinematics.io.atomic import write_bytes
from retarget.batch_clip import DONE, ClipResult, Settings
from retarget.batch_job import digest_options, digest_target, find_target, formats, make_job
from retarget.batch_manifest import NAME, Manifest
from retarget.batch_page import as_page
from retarget.batch_plan import find_tasks, in_order, remove_left_overs, still_good
from retarget.batch_report import BatchReport
from retarget.batch_workers import run_in_workers
from retarget.cluster import run_on_cluster
from retarget.config import RetargetConfig, preset
from retarget.robots import is_robot

REPORT, PAGE = "report.json", "index.html"


@dataclass(frozen=True)
class Progress:
    """How far a batch is.

    Attributes:
        clips: Clips of the folder.
        before: Those that an earlier run had done.
        done: Those done now.
        failed: Those that failed now.
        frames: Frames done now.
        bytes_left: Bytes of the files not done yet, which tell the time left better than their number.
        bytes_total: Bytes of the files that were to be done.
    """

    clips: int
    before: int
    done: int
    failed: int
    frames: int
    bytes_left: int
    bytes_total: int


def retarget_folder(
    folder: str | Path,
    target: str | Path,
    out: str | Path,
    *,
    config: RetargetConfig | str = "feet",
    workers: int | None = None,
    ray: str | None = None,
    pictures: bool = True,
    extension: str | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> BatchReport:
    """Retarget every motion file (.bvh, .npz) under a folder.

    Results keep their paths relative to the folder. `out` gets them, report.json, index.html with a picture of each clip in
    pictures/, and retarget.manifest.jsonl, which tells the next run what is done: it goes on where this one stopped, does
    again what has changed (source, target, settings, version), what failed and what has vanished, and leaves the rest.

    A clip that cannot be retargeted stops nothing; the report has its reason.

    Args:
        folder: Where the sources are; hidden files and links to folders are passed by.
        target: Motion file with the target's skeleton. Or a robot: its model (.xml), or its name in MuJoCo Menagerie
            ("unitree_g1").
        out: Folder to write, made where it is missing; it may lie inside `folder`.
        config: What is kept, or the name of a preset.
        workers: Worker processes on this machine; by default one a processor. Each holds one clip at a time.
        ray: Address of a Ray cluster that does the work instead; its machines must see all files under the same paths.
        pictures: Draw each clip.
        extension: Extension of all results: .bvh or .npz, by default that of each source; of a robot .csv (the default), .npz
            or .bvh.
        on_progress: Called at the start and after each clip.

    Returns:
        What came of each clip.

    Raises:
        InputError: Where nothing can start: no motion files, a target or settings that cannot be used, `out` not to be
            written or in use, results that would overwrite each other or a source.
        UnknownNameError: On a preset, robot or extension that does not exist.
        MissingExtraError: Where Ray, or what a robot needs, is not installed.
    """
    start = time.perf_counter()
    folder, out = Path(folder), Path(out)
    kept = preset(config) if isinstance(config, str) else config
    if workers is not None and workers < 1:
        raise InputError(f"workers must be 1 or more, got {workers}")
    if workers is not None and ray is not None:
        raise InputError("workers are those of this machine; a Ray cluster has its own: give workers or ray, not both")
    name = find_target(target)
    digest = digest_target(name)
    make_job(name, digest, kept)
    allowed = formats(name)
    if extension is None and is_robot(name):
        extension = allowed[0]
    tasks = find_tasks(folder, out, extension=extension, allowed=allowed, target=name)
    _make_out(out)
    options = digest_options(digest, kept)
    settings = Settings(str(out.absolute()), name, digest, kept, pictures, options)
    with Manifest(out / NAME) as manifest:
        remove_left_overs(out)
        results = still_good(tasks, manifest, out, options, pictures=pictures)
        to_do = in_order([task for task in tasks if task.source not in results])
        sizes = {task.source: task.size for task in to_do}
        progress = Progress(len(tasks), len(results), 0, 0, 0, sum(sizes.values()), sum(sizes.values()))
        _tell(on_progress, progress)
        if to_do:
            count = workers or _processors()
            stream = run_in_workers(settings, to_do, count) if ray is None else run_on_cluster(settings, to_do, ray)
            try:
                for result in stream:
                    manifest.add(result)
                    results[result.source] = result
                    progress = _after(progress, result, sizes[result.source])
                    _tell(on_progress, progress)
            finally:
                stream.close()
                remove_left_overs(out)
        seconds = time.perf_counter() - start
        report = BatchReport(str(folder), str(target), out, tuple(results[task.source] for task in tasks), seconds)
        write_bytes(out / REPORT, report.as_json().encode())
        write_bytes(out / PAGE, as_page(report).encode())
    return report


def _make_out(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{str(out)!r} is a file; a batch writes a folder") from None
    except OSError as error:
        raise InputError(f"cannot make the folder {str(out)!r}: {error.strerror}") from None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _after(progress: Progress, result: ClipResult, size: int) -> Progress:
    good = result.status == DONE
    return Progress(
        progress.clips,
        progress.before,
        progress.done + good,
        progress.failed + (not good),
        progress.frames + result.frames,
        progress.bytes_left - size,
        progress.bytes_total,
    )


def _tell(on_progress: Callable[[Progress], object] | None, progress: Progress) -> None:
    if on_progress is not None:
        on_progress(progress)
