"""Reading and writing BVH, beside every installed peer: the same 3 MB file (31 joints, 4000 frames), warm processes, turns.

Bars (--check): load at least 6 times and save at least 3 times as fast as the fastest peer; seconds a frame at most twice
from the shortest clip to the longest, seconds a channel at most twice from the smallest skeleton to the largest; memory while loading
at most 10 times the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import _common as common
import numpy as np
from rich.table import Table

PEERS = {
    "pybvh": ("import pybvh", "pybvh.read_bvh_file({path!r})", "pybvh.write_bvh_file(clip, {out!r})"),
    "upc-pymotion": (
        "from pymotion.io.bvh import BVH\ndef read(path):\n    clip = BVH()\n    clip.load(path)\n    return clip",
        "read({path!r})",
        "clip.save({out!r})",
    ),
    "bvhTools": ("from bvhTools.bvhIO import readBvh, writeBvh", "readBvh({path!r})", "writeBvh(clip, {out!r})"),
    "bvhsdk": ("import bvhsdk", "bvhsdk.ReadFile({path!r})", "bvhsdk.WriteBVH(clip, {folder!r}, 'bvhsdk')"),
    "bvhio": ("import bvhio", "bvhio.readAsBvh({path!r})", "bvhio.writeBvh({out!r}, clip)"),
}
OURS = ("import kinematics", "kinematics.load_motion({path!r})", "kinematics.save_motion(clip, {out!r})")
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
        lines.append("CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation" if joint == 0 else "CHANNELS 3 Zrotation Yrotation Xrotation")
    lines += ["End Site", "{", "OFFSET 0 1 0", "}"] + ["}"] * joints
    lines += ["MOTION", f"Frames: {frames}", "Frame Time: 0.0083333"]
    waves = 60 * np.sin(np.arange(frames)[:, None] * 0.02 + rng.uniform(0, 6, 3 + 3 * joints))
    lines += [" ".join(f"{value:.4f}" for value in row) for row in waves.tolist()]
    path = folder / f"chain_{frames}_{joints}.bvh"
    path.write_text("\n".join(lines) + "\n")
    return path


def contender(name: str, parts: tuple[str, str, str], path: Path, folder: Path) -> common.Contender:
    """Start a process in which load() and save() do what their names say."""
    setup, load, save = (
        part.format(path=str(path), out=str(folder / f"{name}.bvh"), folder=str(folder)) if k else part for k, part in enumerate(parts)
    )
    # The file that is replaced goes first, outside the time: each tool writes a new one.
    body = f"import os, time\n{setup}\nclip = None\ndef load():\n    global clip\n    clip = None\n    start = time.perf_counter()\n    clip = {load}\n"
    body += f"    return time.perf_counter() - start\ndef save():\n    if os.path.exists({str(folder / name) + '.bvh'!r}): os.remove({str(folder / name) + '.bvh'!r})\n"
    body += f"    start = time.perf_counter()\n    {save}\n    return time.perf_counter() - start\n"
    return common.Contender(name, body)


def beside_peers(folder: Path, asked: common.Options) -> tuple[Table, list[common.Bar], dict[str, dict[str, float]]]:
    """Measure ours and the peers on one file."""
    path = cmu_clip(folder, 4000)
    contenders = [contender(name, parts, path, folder) for name, parts in {"muybridge": OURS, **PEERS}.items()]
    rounds, budget = (5, 12.0) if asked.quick else (25, 40.0)
    found = common.take_turns(contenders, {"load": "load()", "save": "save()"}, rounds=rounds, budget=budget, timeout=budget + 20)
    ours = found["muybridge"]
    table = Table("", "load ms", "times ours", "save ms", "times ours", title=f"{path.name}, {path.stat().st_size / 1e6:.1f} MB, medians of {rounds}")
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
    """Measure ours on longer clips and on larger skeletons."""
    lengths = [1000, 4000, 16000] if asked.quick else [1000, 2000, 4000, 8000, 16000, 32000, 64000]
    sizes = [31, 124, 496]
    sets = {"frames": [(n, cmu_clip(folder, n), n) for n in lengths], "joints": [(n, chain(folder, 500, n), 500 * (3 + 3 * n)) for n in sizes]}
    tables, bars, results = [], [], {}
    for what, cases in sets.items():
        contenders = [contender(f"{what} {count}", OURS, path, folder) for count, path, _ in cases]
        found = common.take_turns(contenders, {"load": "load()", "save": "save()"}, rounds=5 if asked.quick else 9, budget=20)
        unit = "frame" if what == "frames" else "channel and frame"
        table = Table(what, "MB", "load ms", f"us a {unit}", "save ms", f"us a {unit}", title=f"cost against {what}")
        for one, (count, path, units) in zip(contenders, cases, strict=True):
            one.stop()
            took = found[one.name]
            each = {key: took[key] / units for key in took}
            cells = [cell for key in ("load", "save") for cell in (f"{took[key] * 1e3:.1f}", f"{each[key] * 1e6:.3g}")]
            table.add_row(str(count), f"{path.stat().st_size / 1e6:.1f}", *cells)
            results[one.name] = took
        for key in ("load", "save"):
            first, last = (found[contenders[k].name][key] / cases[k][2] for k in (0, -1))
            bars.append(common.Bar(f"{key}: cost a {unit}, most {what} / least", last / first, 2.0, at_least=False))
        tables.append(table)
    one = common.Contender("memory", MEMORY)
    small, path = sets["frames"][0][1], sets["frames"][-1][1]
    times = one.run(f"memory({str(path)!r}, {str(small)!r})")
    one.stop()
    if times is not None:
        bars.append(common.Bar(f"memory while loading {path.stat().st_size / 1e6:.0f} MB / file", times, 10.0, at_least=False))
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
