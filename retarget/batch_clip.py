"""One clip of a batch, as a worker does it: nothing that goes wrong with it leaves this file."""

from __future__ import annotations

import hashlib
import math
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from kinematics.errors import InputError, KinematicsError
from kinematics.io.files import load_motions
from retarget.batch_job import digest_file, make_job
from retarget.batch_pictures import draw_pair
from retarget.config import RetargetConfig
from retarget.report import RetargetReport

DONE, FAILED, BUG, KILLED = "done", "failed", "bug", "killed"

# Numbers of the score card that a batch's report shows, by where they stand in the card.
SCORES: dict[str, tuple[str, ...]] = {
    "stance_slide_source_cm_s": ("source", "slide", "mean_cm_s"),
    "stance_slide_cm_s": ("result", "slide", "mean_cm_s"),
    "floating_fraction": ("floating", "fraction"),
    "sinking_fraction": ("sinking", "fraction"),
    "sinking_deepest_cm": ("sinking", "max_depth_cm"),
    "below_floor_fraction": ("result", "penetration", "fraction"),
    "key_bodies_mean_cm": ("key_bodies", "error", "mean_cm"),
    "key_bodies_max_cm": ("key_bodies", "error", "max_cm"),
    "path_mean_cm": ("key_bodies", "path", "mean_cm"),
    "limb_direction_mean_degrees": ("limb_direction_error_degrees",),
    "direction_mean_degrees": ("mean_direction_error_degrees",),
    "direction_max_degrees": ("max_direction_error_degrees",),
    "outside_limits_fraction": ("result", "overstepping", "fraction"),
    "too_fast_fraction": ("result", "speeding", "fraction"),
    "turn_ratio": ("turn_ratio",),
    "first_frame_ratio": ("result", "first_frame", "ratio"),
    "jerk_source_m_s3": ("source", "jerk", "mean"),
    "jerk_m_s3": ("result", "jerk", "mean"),
}


@dataclass(frozen=True)
class Settings:
    """What all clips of a batch share.

    Attributes:
        out: Folder that is written to.
        target: Path of the target's file.
        target_digest: Hash of that file when the batch began.
        config: What is kept of the source.
        pictures: Whether each clip gets a picture.
        options: Hash of target, settings and version.
    """

    out: str
    target: str
    target_digest: str
    config: RetargetConfig
    pictures: bool
    options: str


@dataclass(frozen=True)
class Task:
    """A clip to do.

    Attributes:
        path: The motion file.
        source: The same, relative to the folder, with "/".
        output: File to write, relative to the output folder.
        size: Bytes of the motion file.
    """

    path: str
    source: str
    output: str
    size: int

    @property
    def picture(self) -> str:
        """Picture to draw, relative to the output folder."""
        return f"pictures/{self.output}.png"


@dataclass(frozen=True)
class ClipResult:
    """What became of one clip.

    Attributes:
        source: The motion file, relative to the folder.
        status: "done"; "failed", an error with its reason; "bug", an exception that should not be; "killed", a worker that died.
        reason: Why it was not done, one sentence.
        traceback: Where an unexpected exception came from.
        output: The file written, relative to the output folder.
        picture: Its picture, relative to the output folder; "" without one.
        seconds: Time it took.
        frames: Frames retargeted.
        numbers: Key numbers of the report and of the score card, units in their names; None where one has no meaning.
        notes: What the user should know, one sentence each.
        key: Hash of source, target, settings and version.
        from_before: Whether it was done by an earlier run.
    """

    source: str
    status: str
    reason: str = ""
    traceback: str = ""
    output: str = ""
    picture: str = ""
    seconds: float = 0.0
    frames: int = 0
    numbers: Mapping[str, int | float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    key: str = ""
    from_before: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


def key_of(path: Path, options: str) -> str:
    """Return the hash of a source's content and of all else that its result depends on.

    Raises:
        InputError: Where the source cannot be read.
    """
    return hashlib.sha256(f"{digest_file(path)} {options}".encode()).hexdigest()


def do_clip(settings: Settings, task: Task) -> ClipResult:
    """Retarget, score, draw and write one clip; whatever goes wrong is said in the result."""
    start = time.perf_counter()
    result = ClipResult(task.source, DONE)
    try:
        result = _do(settings, task)
    except KinematicsError as error:
        result = replace(result, status=FAILED, reason=" ".join(str(error).split()))
    except MemoryError:
        result = replace(result, status=FAILED, reason="there was not enough memory for it; fewer workers need less")
    except Exception as error:  # noqa: BLE001 - a batch goes on whatever one clip holds
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        result = replace(result, status=BUG, reason=reason, traceback=traceback.format_exc())
    return replace(result, seconds=time.perf_counter() - start)


def _do(settings: Settings, task: Task) -> ClipResult:
    job, path, out = make_job(settings.target, settings.target_digest, settings.config), Path(task.path), Path(settings.out)
    key, motions = key_of(path, settings.options), load_motions(path)
    result = job.retarget(motions[0])
    notes = [f"the file holds {len(motions)} bodies; the first was retargeted"] if len(motions) > 1 else []
    notes += result.report.warnings
    numbers = _report_numbers(result.report)
    try:
        numbers |= _score_numbers(job.score(motions[0], result).as_dict())
    except KinematicsError as error:
        notes.append(f"not scored: {error}")
    except Exception as error:  # noqa: BLE001 - the result is good without its numbers
        notes.append(f"not scored: {type(error).__name__}: {' '.join(str(error).split())}")
    _make_folder((out / task.output).parent)
    job.save(result.motion, out / task.output)
    if settings.pictures:
        _make_folder((out / task.picture).parent)
        draw_pair(motions[0], result.motion, out / task.picture)
    return ClipResult(
        task.source,
        DONE,
        output=task.output,
        picture=task.picture if settings.pictures else "",
        frames=motions[0].num_frames,
        numbers=numbers,
        notes=tuple(notes),
        key=key,
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {str(folder)!r}: {error.strerror}") from None


def _report_numbers(report: RetargetReport) -> dict[str, int | float | None]:
    return {
        "mapped_joints": report.mapped,
        "target_joints": report.target_joints,
        "root_scale": _finite(report.root_scale),
        "height_shift": _finite(report.height_shift),
    }


def _score_numbers(card: Mapping[str, Any]) -> dict[str, int | float | None]:
    numbers: dict[str, int | float | None] = {}
    for name, way in SCORES.items():
        value: Any = card
        for step in way:
            value = value.get(step) if isinstance(value, Mapping) else None
        numbers[name] = _finite(value)
    return numbers


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
