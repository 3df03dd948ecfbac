"""Retargeting a folder: what a second worker gains.

A folder of clips of equal length is put on another skeleton with one worker and with two, by turns, each time from nothing. A run
includes the start of its workers (about a second, once), scores and report; pictures are left out. On a machine with other
work the gain says little, so the load is printed: processes that ran in the last minute, before we began.

Bars (`--check` exits with 1 where one is missed; the first is left out where fewer than two processors are free):
- two workers: at least 1.5 times the clips a minute of one;
- both write the same files, byte for byte.

Options: --quick (fewer and shorter clips), --check, --json.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import _common as common
import numpy as np
from rich.table import Table

from kinematics import load_motion, save_motion
from retarget.batch import retarget_folder

CLIPS = common.ROOT / "data" / "clips"
FREE = 0.5  # processes that may be running beside ours


def main() -> int:
    """Measure, print, and check the bars."""
    asked = common.options(__doc__)
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        frames = make_clips(Path(folder) / "in", *((6, 500) if asked.quick else (16, 2000)))
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(2 if asked.quick else 3):
            for workers, found in seconds.items():
                found.append(run(Path(folder), f"out{workers}_{turn}", workers))
        same = alike(Path(folder) / "out1_0", Path(folder) / "out2_0")
    one, two = (statistics.median(found) for found in seconds.values())
    table = Table(title=f"{frames} frames, load {load:.1f} on {processors} processors")
    for column in ("workers", "s", "frames/s", "gain"):
        table.add_column(column, justify="right")
    for workers, time_s in ((1, one), (2, two)):
        table.add_row(str(workers), f"{time_s:.1f}", f"{frames / time_s:.0f}", f"{one / time_s:.2f}")
    bars = [common.Bar("files that differ", 0.0 if same else 1.0, 0.0, at_least=False)]
    if processors - load >= 2.0 - FREE:
        bars.append(common.Bar("gain of a second worker", one / two, 1.5))
    return common.finish([table], bars, {"frames": frames, "load": load, "seconds": {"1": one, "2": two}}, asked)


def make_clips(folder: Path, count: int, frames: int) -> int:
    """Write clips of so many frames each, ours over and over; return the frames in all."""
    folder.mkdir()
    sources = sorted(CLIPS.glob("*_cmu.bvh"))
    for number in range(count):
        clip = load_motion(sources[number % len(sources)])
        save_motion(clip[(np.arange(frames) + 7 * number) % clip.num_frames], folder / f"{number:02}.bvh")
    return count * frames


def run(folder: Path, out: str, workers: int) -> float:
    """Retarget the folder from nothing and return the seconds."""
    begin = time.perf_counter()
    report = retarget_folder(folder / "in", CLIPS / "walk_lafan1.bvh", folder / out, workers=workers, pictures=False)
    assert not report.failed
    return time.perf_counter() - begin


def alike(one: Path, other: Path) -> bool:
    """Tell whether both folders hold the same results."""
    names = sorted(path.name for path in one.glob("*.bvh"))
    return bool(names) and all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


if __name__ == "__main__":
    sys.exit(main())
