"""Training on this machine: a clip in, a policy out, and how well it performs.

Each row is what a user would do: `python -m imitate train CLIP -o RUN --minutes M`, then `python -m imitate evaluate RUN --json`,
in processes of their own, one after the other. Minutes are of training; what else a machine does costs samples, so the table
tells how many there were and how many a second.

Bars (`--check` exits with 1 where one is missed), on two cores:
- walk_cmu (ours) and GAMES-105's walk60, 15 minutes: 90 % of episodes reach their end from any start, 80 % from frame 0, and
  bodies are at most 45 mm from the reference, the root taken out;
- CMU 12_01, 20 minutes: 90 % reach the end;
- a run, a turn, a squat and a jump of ours, 30 minutes: 80 %;
- walk_cmu on a body of DeepMimic's 28 hinges, at most 3.5 million samples: normalised return 0.8, 95 % of 20 s without a fall;
- walk_cmu trained with pushes: 80 % last 20 s of pushes of 0.5 m/s every 2 s.
Clips of ../shared are left out where that folder is absent.

Options: --quick (six seconds on the walk, no bars), --check, --json, --only ROW (may be repeated), --runs FOLDER (where runs
are kept; one that is there goes on where it stopped).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _common as common
from rich.table import Table

from imitate.curves import PROGRESS, read_progress
from imitate.runs import CONFIG

CLIPS = common.ROOT / "data" / "clips"
WALK = CLIPS / "walk_cmu.bvh"
DEEPMIMIC_BODY = ("--character.hands", "False", "--character.toes", "False", "--character.spine-joints", "1")
PUSHES = ("--env.randomisation.push-speed-m-s", "0", "0.7", "--env.termination.max-mean-distance-m", "1")
Answer = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A training and what is asked of it: for each bar its name, how it is read, its limit, and whether that is a least value."""

    name: str
    clip: Path
    minutes: float
    options: tuple[str, ...] = ()
    bars: tuple[tuple[str, Callable[[Answer], float], float, bool], ...] = field(default=())


def completes(share: float) -> tuple[str, Callable[[Answer], float], float, bool]:
    """Return a bar on the share of episodes, started anywhere, that reach their end."""
    return "reach the end", lambda found: found["completion"], share, True


WALKS = (
    completes(0.9),
    ("from frame 0", lambda found: found["first_frame"]["completion"], 0.8, True),
    ("root-relative, mm", lambda found: found["errors_mm"]["root_relative_mm"], 45.0, False),
)
ROWS = (
    Row("walk_cmu", WALK, 15.0, bars=WALKS),
    Row("walk60", common.SHARED / "games105" / "walk60.bvh", 15.0, bars=WALKS),
    Row("12_01", common.SHARED / "cmu_cgspeed" / "12_01_walk.bvh", 20.0, bars=(completes(0.9),)),
    *(
        Row(name, CLIPS / f"{name}.bvh", 30.0, bars=(completes(0.8),))
        for name in ("run_cmu", "turn_cmu", "squat_cmu", "jump_cmu")
    ),
    Row(
        "28 hinges",
        WALK,
        60.0,
        (*DEEPMIMIC_BODY, "--iterations", str(3_500_000 // (256 * 16))),
        (completes(0.95), ("normalised return", lambda found: found["normalised_return"], 0.8, True)),
    ),
    Row(
        "pushed",
        WALK,
        30.0,
        PUSHES,
        (("last under pushes", lambda found: found["stress"]["push_0.5_m_s"]["completion"], 0.8, True),),
    ),
)
QUICK = (Row("walk_cmu", WALK, 0.1),)


def main() -> int:
    """Train, evaluate, print, and check the bars."""
    names, folder = taken("--only"), taken("--runs")
    asked = common.options(__doc__)
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        sys.exit(f"no row named {', '.join(sorted(unknown))}; there are: {', '.join(row.name for row in ROWS)}")
    rows = [row for row in (QUICK if asked.quick else ROWS) if row.clip.is_file() and (not names or row.name in names)]
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(folder[0]) if folder else Path(temporary)
        runs.mkdir(parents=True, exist_ok=True)
        results = {row.name: measure(row, runs / row.name.replace(" ", "_")) for row in rows}
    bars = [
        common.Bar(f"{row.name}: {name}", read(results[row.name]), limit, least)
        for row in rows
        for name, read, limit, least in row.bars
    ]
    return common.finish([table(results)], bars, results, asked)


def taken(option: str) -> list[str]:
    """Take an option with a value, as often as it is there, out of the command line."""
    found = []
    while option in sys.argv:
        at = sys.argv.index(option)
        found.append(sys.argv[at + 1])
        del sys.argv[at : at + 2]
    return found


def measure(row: Row, run: Path) -> Answer:
    """Train a policy, or go on where a run stopped, and evaluate it."""
    command = ["train", str(row.clip), "-o", str(run), "--minutes", str(row.minutes), *row.options]
    if (run / CONFIG).is_file():
        command = ["train", "-o", str(run), "--resume"]
    subprocess.run([sys.executable, "-m", "imitate", *command], check=True, cwd=common.ROOT)
    command = ["evaluate", str(run), "--json"]
    answer = subprocess.run([sys.executable, "-m", "imitate", *command], check=True, cwd=common.ROOT, stdout=subprocess.PIPE)
    return {**json.loads(answer.stdout), "trained": read_progress(run / PROGRESS)[-1]}


def table(results: dict[str, Answer]) -> Table:
    """Return all rows as a table."""
    shown = Table(title="trained and evaluated, 64 episodes each", box=None, padding=(0, 2, 0, 0))
    titles = (
        "hinges",
        "minutes",
        "M samples",
        "samples/s",
        "return",
        "to the end",
        "success",
        "from frame 0",
        "root-rel. mm",
        "pushed 0.5",
    )
    for title in ("clip", *titles):
        shown.add_column(title, justify="left" if title == "clip" else "right")
    for name, found in results.items():
        samples, seconds = found["trained"]["samples"], found["trained"]["elapsed_s"]
        shares = (found["completion"], found["success"], found["first_frame"]["completion"])
        shown.add_row(
            name,
            str(found["hinges"]),
            f"{seconds / 60.0:.1f}",
            f"{samples / 1e6:.2f}",
            f"{samples / seconds:.0f}",
            f"{found['normalised_return']:.2f}",
            *(f"{100.0 * share:.0f} %" for share in shares),
            f"{found['errors_mm']['root_relative_mm']:.0f}",
            f"{100.0 * found['stress']['push_0.5_m_s']['completion']:.0f} %",
        )
    return shown


if __name__ == "__main__":
    sys.exit(main())
