"""Reading and writing BVH, beside every installed peer: the same 3 MB file (31 joints, 4000 frames), warm processes, turns.

Bars (--check): load at least 6 times and save at least 3 times as fast as the fastest peer; the cost of a frame at most
doubles from the shortest clip to the longest, that of a number from the smallest skeleton to the largest; memory while
loading at most 10 times the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import _common as common
import numpy as np
from rich.table import Table

PEERS = {
    "pybvh": ("import pybvh", "pybvh.read_bvh_file(path)", "pybvh.write_bvh_file(clip, out)"),
    "upc-pymotion": (
        "from pymotion.io.bvh import BVH\ndef read(path):\n    clip = BVH()\n    clip.load(path)\n    return clip",
        "read(path)",
        "clip.save(out)",
    ),
    "bvhTools": ("from bvhTools.bvhIO import readBvh, writeBvh", "readBvh(path)", "writeBvh(clip, out)"),
    "bvhsdk": ("import bvhsdk", "bvhsdk.ReadFile(path)", "bvhsdk.WriteBVH(clip, os.path.dirname(out), 'out')"),
    "bvhio": ("import bvhio", "bvhio.readAsBvh(path)", "bvhio.writeBvh(out, clip)"),
}
OURS = ("import kinematics", "kinematics.load_motion(path)", "kinematics.save_motion(clip, out)")
MEMORY = """
import os, resource
import kinematics
def memory(path, small):
    kinematics.load_motion(small)  # compiled code is not counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clip = kinematics.load_motion(path)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / os.path.getsize(path)
"""


def cmu_clip(folder: Path, frames: int) -> Path:
    """Write a clip of CMU's skeleton with this many frames: 01_01 repeated, or where that is absent waves like it."""
    source = common.SHARED / "cmu_cgspeed" / "01_01.bvh"
    if not source.exists():
        return chain(folder, frames, 31)
    header, motion = source.read_text().split("MOTION")
    rows = [row for row in motion.splitlines()[3:] if row.strip()]
    rows = (rows * (frames // len(rows) + 1))[:frames]
    path = folder / f"cmu_{frames}.bvh"
    path.write_text(header + f"MOTION\nFrames: {frames}\nFrame Time: .0083333\n" + "\n".join(rows) + "\n")
    return path


def chain(folder: Path, frames: int, joints: int) -> Path:
    """Write a clip of a body of many limbs, numbers with four decimals."""
    rng = np.random.default_rng(joints)
    lines = ["HIERARCHY"]
    for joint in range(joints):
        lines += [f"{'JOINT' if joint else 'ROOT'} joint{joint}", "{", "OFFSET 0.1 1.2 -0.3"]
        lines.append(
            "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
            if joint == 0
            else "CHANNELS 3 Zrotation Yrotation Xrotation"
        )
    lines += ["End Site", "{", "OFFSET 0 1 0", "}"] + ["}"] * joints
    lines += ["MOTION", f"Frames: {frames}", "Frame Time: 0.0083333"]
    waves = 60 * np.sin(np.arange(frames)[:, None] * 0.02 + rng.uniform(0, 6, 3 + 3 * joints))
    lines += [" ".join(f"{value:.4f}" for value in row) for row in waves.tolist()]
    path = folder / f"chain_{frames}_{joints}.bvh"
    path.write_text("\n".join(lines) + "\n")
    return path


TIMED = """
import os, time
{setup}
clip = None
def load(path):
    global clip
    clip = None
    start = time.perf_counter()
    clip = {load}
    return time.perf_counter() - start
def save(path, out):
    if os.path.exists(out):  # removing a file takes time of its own
        os.remove(out)
    start = time.perf_counter()
    {save}
    return time.perf_counter() - start
"""


def contender(name: str, parts: tuple[str, str, str]) -> common.Contender:
    """Start a process in which load(path) and save(path, out) do what their names say."""
    return common.Contender(name, TIMED.format(setup=parts[0], load=parts[1], save=parts[2]))


def beside_peers(folder: Path, asked: common.Options) -> tuple[Table, list[common.Bar], dict[str, dict[str, float]]]:
    """Measure ours and the peers on one file."""
    path, out = str(cmu_clip(folder, 4000)), str(folder / "out.bvh")
    contenders = [contender(name, parts) for name, parts in {"muybridge": OURS, **PEERS}.items()]
    rounds, budget = (3, 2.0) if asked.quick else (15, 30.0)
    expressions = {"load": f"load({path!r})", "save": f"save({path!r}, {out!r})"}
    found = common.take_turns(contenders, expressions, rounds=rounds, budget=budget, again=0.2)
    ours = found["muybridge"]
    size = Path(path).stat().st_size / 1e6
    table = Table("", "load ms", "times ours", "save ms", "times ours", title=f"31 joints, 4000 frames, {size:.1f} MB, medians")
    for one in contenders:
        one.stop()
        took = found[one.name]
        cells = [f"{took[key] * 1e3:.1f}" if key in took else "-" for key in ("load", "save")]
        times = [f"{took[key] / ours[key]:.1f}" if key in took and key in ours else "-" for key in ("load", "save")]
        table.add_row(one.name + (f" ({one.trouble})" if one.trouble else ""), cells[0], times[0], cells[1], times[1])
    bars = []
    for key, limit in (("load", 6.0), ("save", 3.0)):
        others = [took[key] for name, took in found.items() if name != "muybridge" and key in took]
        if others and key in ours:
            bars.append(common.Bar(f"{key}: fastest peer / ours", min(others) / ours[key], limit))
    return table, bars, found


def growth(folder: Path, asked: common.Options) -> tuple[list[Table], list[common.Bar], dict[str, dict[str, float]]]:
    """Measure ours on longer clips, on larger skeletons, and the memory that a long clip takes."""
    lengths = [1000, 4000, 16000] if asked.quick else [1000, 2000, 4000, 8000, 16000, 32000, 64000]
    sets = {
        "frames": [(count, cmu_clip(folder, count), count) for count in lengths],
        "joints": [(count, chain(folder, 500, count), 500 * (3 + 3 * count)) for count in (31, 124, 496)],
    }
    ours = contender("muybridge", OURS)
    tables, bars, results = [], [], {}
    for what, cases in sets.items():
        unit = "frame" if what == "frames" else "number"
        table = Table(what, "MB", "load ms", f"us a {unit}", "save ms", f"us a {unit}", title=f"cost against {what}")
        each: dict[str, list[float]] = {"load": [], "save": []}
        for count, path, units in cases:
            file, out = str(path), str(folder / "out.bvh")
            expressions = {"load": f"load({file!r})", "save": f"save({file!r}, {out!r})"}
            took = common.take_turns([ours], expressions, rounds=3 if asked.quick else 7, again=0.2)["muybridge"]
            if len(took) < 2:
                raise RuntimeError(f"{file}: {ours.trouble}")
            for key in each:
                each[key].append(took[key] / units)
            cells = [cell for key in ("load", "save") for cell in (f"{took[key] * 1e3:.1f}", f"{each[key][-1] * 1e6:.3g}")]
            table.add_row(str(count), f"{path.stat().st_size / 1e6:.1f}", *cells)
            results[f"{what} {count}"] = took
        for key, costs in each.items():
            bars.append(common.Bar(f"{key}: cost a {unit}, most {what} / least", costs[-1] / costs[0], 2.0, at_least=False))
        tables.append(table)
    ours.stop()
    small, large = sets["frames"][0][1], sets["frames"][-1][1]
    memory = common.Contender("memory", MEMORY)
    times = memory.run(f"memory({str(large)!r}, {str(small)!r})")
    memory.stop()
    if times is not None:
        bars.append(common.Bar(f"memory while loading {large.stat().st_size / 1e6:.0f} MB / file", times, 10.0, at_least=False))
    return tables, bars, results


def main() -> int:
    """Run everything."""
    asked = common.options(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, bars, found = beside_peers(folder, asked)
        tables, more, grown = growth(folder, asked)
    return common.finish([table, *tables], bars + more, {"peers": found, "growth": grown}, asked)


if __name__ == "__main__":
    sys.exit(main())
