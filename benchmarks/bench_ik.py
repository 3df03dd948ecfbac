"""Inverse kinematics beside every installed peer: single solves, a batch, a clip, limits, targets out of reach.

Tasks are those of `_ik_tasks.make_tasks`: a chain of 10 ball joints (9 bones of 1) and the 31 joints of walk_cmu with goals for
both hands and feet. Every contender works in its own warm process on one core (pinned where the system can; OMP_NUM_THREADS,
OPENBLAS_NUM_THREADS, MKL_NUM_THREADS and NUMBA_NUM_THREADS are 1) and they take turns. What a contender found is not believed
but checked here, by forward kinematics of our own with matrices: "reached" is the part of the targets within the tolerance.

Ours is `Problem.solve` of a problem made once, except "one call", which is `ik.solve` and makes the problem each time. Peers:
mink, pink (pin-pink), placo, ikpy, pytorch-kinematics; how each is driven says `_ik_peers.py`. "cannot": the tool has no way
to say the task. Slow ones do the first of the targets. With limits, tools for robots get those that three hinges can have (all
but the cones of shoulders and wrists, where they are free); the row "ours, the same limits" has no others either. placo wants
an older NumPy than the rest and mink an older MuJoCo; they are looked for in environments of their own, PLACO_PYTHON or
.venv-placo, MINK_PYTHON or .venv-mink (`make bench` makes both).

Bars (--check), ours on one core through the public call: chain at most 15 us, by FABRIK and by default; body 30 us; a batch of
10 000 at least 100 000 solves/s; with rotations and human limits at most 90 us; a clip at least 200 000 frames/s; out of reach
at most 60 us, at most 1e-3 of the chain's length above the best possible, and said so; 99 % of the other targets reached.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import _common as common
import numpy as np
from _ik_tasks import BONES, Task, judge, make_tasks, write
from rich.table import Table

SETUP = """
import os, sys, time
sys.path.insert(0, {here!r})
from {module} import {kind}
one = {kind}({folder!r})
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
"""
PEERS = {
    "mink": "Mink", "pink": "Pink", "placo": "Placo", "ikpy": "Ikpy", "pytorch-kinematics": "PytorchKinematics",
}  # fmt: skip
OURS = "muybridge"
TITLES = {
    "chain": "chain of 10 ball joints, 1e-2 of a bone, cold",
    "body": "31 joints, hands and feet, free root, 1 cm, cold",
    "batch": "the same, a batch of 10 000 targets",
    "limited": "31 joints, hands and feet with their rotations, 1 cm and 1 degree, human limits, cold",
    "clip": "31 joints, hands and feet along a walk, 1e-4 m, warm",
    "unreachable": "chain of 10 ball joints, targets at 1.1 to 2 times its length",
}
VARIANTS = {  # of ours, and what the table adds to our name
    "chain": {"": "", "fabrik": "fabrik", "one call": "one call"},
    "body": {"": "", "fabrik": "fabrik", "one call": "one call"},
    "batch": {"": ""},
    "limited": {"": "", "hinges": "the same limits"},
    "clip": {"": ""},
    "unreachable": {"": "", "fabrik": "fabrik"},
}
RATES = {"batch": "solves/s", "clip": "frames/s"}


@dataclass(frozen=True)
class Row:
    """What a contender did in a task."""

    name: str
    trouble: str = ""
    us: float = 0.0
    targets: int = 0
    reached: float = 0.0
    iterations: float = -1.0
    outside: float = 0.0
    above: float = 0.0
    worst_above: float = 0.0
    said: float = float("nan")


def main() -> int:
    """Measure, print, and check the bars."""
    asked = common.options(__doc__)
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
    tasks = make_tasks()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for task in tasks.values():
            write(task, folder)
        contenders = {OURS: contender(OURS, "_ik_contenders", "Ours", folder)}
        contenders |= {peer: contender(peer, "_ik_peers", kind, folder) for peer, kind in PEERS.items()}
        rows = {key: measure(task, contenders, folder, quick=asked.quick) for key, task in tasks.items()}
        for one in contenders.values():
            one.stop()
    tables = [table(key, found) for key, found in rows.items()]
    results = {key: [vars(row) for row in found] for key, found in rows.items()}
    return common.finish(tables, bars(rows), results, asked)


def contender(name: str, module: str, kind: str, folder: Path) -> common.Contender:
    """Start a contender."""
    setup = SETUP.format(here=str(Path(__file__).parent), module=module, kind=kind, folder=str(folder))
    own = Path(os.environ.get(f"{name.upper()}_PYTHON", common.ROOT / f".venv-{name}" / "bin" / "python"))
    python = str(own) if own.is_file() else sys.executable
    return common.Contender(name, setup, timeout=180.0, python=python)


def measure(task: Task, contenders: dict[str, common.Contender], folder: Path, *, quick: bool) -> list[Row]:
    """Let all contenders do a task by turns."""
    entries: list[tuple[str, str, str]] = []
    for name in contenders:
        if name == OURS:
            entries += [(name, key, f"{name}, {label}" if label else name) for key, label in VARIANTS[task.name].items()]
        else:
            entries.append((name, "", name))
        if name == "pytorch-kinematics" and task.name == "chain":
            entries.append((name, "batch", f"{name}, all at once"))
    times: dict[str, list[float]] = {label: [] for _, _, label in entries}
    for _ in range(1 if quick else 3):
        for name, variant, label in entries:
            seconds, least = (0.15, 3) if quick else (1.0, 20)
            took = contenders[name].run(f"one.measure({task.name!r}, {variant!r}, {seconds}, {least})", timeout=300.0)
            if took is not None:
                times[label].append(took)
    return [
        row(task, label, contenders[name], times[label], folder / f"{task.name} {name} {variant}.npz")
        for name, variant, label in entries
    ]


def row(task: Task, label: str, one: common.Contender, times: list[float], path: Path) -> Row:
    """Judge what a contender found."""
    if not times:
        return Row(label, one.trouble or "no answer")
    if times[0] < 0.0:
        return Row(label, "cannot")
    found = np.load(path)
    judged, count = judge(task, found["rows"], hinges="hinges" in path.stem), len(found["rows"])
    met = (judged["distance"] <= 1.001 * task.tolerance) & (judged["angle"] <= 1.001 * task.angle_tolerance)
    best = np.linalg.norm(task.points[:count, 0], axis=1) - BONES if task.name == "unreachable" else 0.0
    above = judged["distance"] - best
    return Row(
        label,
        us=1e6 * statistics.median(times),
        targets=count,
        reached=float(np.mean(met & (judged["outside"] <= 1e-6))),
        iterations=float(np.median(found["iterations"])),
        outside=float(judged["outside"].max()),
        above=float(np.median(above)),
        worst_above=float(above.max()),
        said=float(np.mean(found["said"])),
    )


def table(key: str, rows: list[Row]) -> Table:
    """Return the table of a task."""
    made = Table(title=TITLES[key], title_justify="left")
    made.add_column("")
    away = key == "unreachable"
    columns = [RATES.get(key, "us a solve"), "times ours", "targets", "iterations"]
    columns += ["above the best, median", "largest", "says so"] if away else ["reached"]
    columns += ["out of limits, rad"] if key == "limited" else []
    for column in columns:
        made.add_column(column, justify="right")
    for one in rows:
        if one.trouble:
            made.add_row(one.name, one.trouble)
            continue
        speed = f"{1e6 / one.us:,.0f}" if key in RATES else f"{one.us:,.1f}"
        cells = [speed, f"{one.us / rows[0].us:,.3g}" if rows[0].us else "", f"{one.targets}"]
        cells.append("-" if one.iterations < 0 else f"{one.iterations:g}")
        if away:
            cells += [f"{one.above:.1e}", f"{one.worst_above:.1e}", "-" if np.isnan(one.said) else f"{one.said:.0%}"]
        else:
            cells.append(f"{one.reached:.1%}")
        cells += [f"{one.outside:.0e}"] if key == "limited" else []
        made.add_row(one.name, *cells)
    return made


def bars(rows: dict[str, list[Row]]) -> list[common.Bar]:
    """Return the bars of the docstring."""
    ours = {key: {one.name.removeprefix(OURS).removeprefix(", "): one for one in found} for key, found in rows.items()}
    limits: list[tuple[str, str, float]] = [
        ("chain", "", 15.0), ("chain", "fabrik", 15.0), ("body", "", 30.0), ("limited", "", 90.0),
        ("unreachable", "", 60.0), ("unreachable", "fabrik", 60.0),
    ]  # fmt: skip
    found = [
        common.Bar(", ".join(filter(None, (key, variant, "us"))), us_of(ours[key][variant]), most, at_least=False)
        for key, variant, most in limits
    ]
    for key, least in (("batch", 100_000.0), ("clip", 200_000.0)):
        found.append(common.Bar(f"{key}, {RATES[key]}", 1e6 / us_of(ours[key][""]), least))
    for key in ("chain", "body", "batch", "limited", "clip"):
        found.append(common.Bar(f"{key}, part reached", ours[key][""].reached, 0.99))
    found.append(common.Bar("chain, fabrik, part reached", ours["chain"]["fabrik"].reached, 0.99))
    for variant in ("", "fabrik"):
        one = ours["unreachable"][variant]
        label = ", ".join(filter(None, ("unreachable", variant)))
        found.append(common.Bar(f"{label}, above the best", one.worst_above, 1e-3 * BONES, at_least=False))
        found.append(common.Bar(f"{label}, part said so", one.said, 1.0))
    return found


def us_of(one: Row) -> float:
    """Return the time of a solve; endless where there was none."""
    return float("inf") if one.trouble else one.us


if __name__ == "__main__":
    sys.exit(main())
