"""Forward kinematics, from the numbers of a file (degrees) to world positions of all joints, beside every installed peer.

One clip of 31 joints and 4000 frames, warm processes, by turns; slow peers do fewer frames. The last column says how far a
peer's joint lies from ours in one frame, so that equal work is compared.

Bars (--check): at most 3 us a frame on one core for 31 joints; at least 5 times as fast as the fastest peer; the time of a
frame at most doubles from 1k to 64k frames, that of a joint from 31 to 496 joints.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import _common as common
from bench_bvh import cmu_clip
from rich.table import Table

from kinematics import save_motion
from kinematics.testing import random_motion, random_skeleton

OURS = """
from kinematics import Motion, forward_kinematics, load_motion
from kinematics._arrays import hand_over
from kinematics.io.bvh_layout import to_rotations
def load(path):
    global clip, values, root
    clip = load_motion(path)
    values, root = clip.source.channel_values, clip.root_positions
def positions(frames):
    rotations = hand_over(to_rotations(values[:frames], clip.skeleton.layout))  # as the reader does
    return forward_kinematics(Motion(clip.skeleton, root[:frames], rotations, clip.frame_time)).global_positions
def joint(): return positions(6)[5, 20, 0]
def per_frame(frames):
    frames = min(frames, len(values))
    start = time.perf_counter()
    positions(frames)
    return (time.perf_counter() - start) / frames
load({path!r})
"""
PEERS = {
    "pybvh": (
        4000,
        """
import pybvh
clip = pybvh.read_bvh_file({path!r})
def positions(frames): return clip.copy().joint_positions()
def joint(): return positions(6)[5, 20, 0]
""",
    ),
    "upc-pymotion": (
        4000,
        """
from pymotion.io.bvh import BVH
from pymotion.ops.skeleton import fk
clip = BVH()
clip.load({path!r})
def positions(frames):
    rotations, local, parents, offsets, _, _ = clip.get_data()
    return fk(rotations, local[:, 0], offsets, parents)[0]
def joint(): return positions(6)[5, 20, 0]
""",
    ),
    "bvhTools": (
        100,
        """
from bvhTools.bvhIO import readBvh
clip = readBvh({path!r})
def positions(frames): return [clip.getFKAtFrame(frame) for frame in range(frames)]
def joint(): return list(positions(6)[5].values())[20][1][0]
""",
    ),
    "bvhio": (
        100,
        """
import bvhio
clip = bvhio.readAsHierarchy({path!r})
joints = [found[0] for found in clip.layout()]
def positions(frames):
    result = []
    for frame in range(frames):
        clip.loadPose(frame)
        result.append([one.PositionWorld for one in joints])
    return result
def joint(): return positions(6)[5][20][0]
""",
    ),
    "bvhsdk": (
        40,
        """
import bvhsdk
clip = bvhsdk.ReadFile({path!r})
joints = clip.getlistofjoints()
def positions(frames): return [[one.getPosition(frame) for one in joints] for frame in range(frames)]
def joint(): return positions(6)[5][20][0]
""",
    ),
}
PER_FRAME = """
def per_frame(frames):
    start = time.perf_counter()
    positions(frames)
    return (time.perf_counter() - start) / frames
"""


def beside_peers(path: Path, rounds: int) -> dict[str, dict[str, float | str]]:
    """Return microseconds a frame and the difference from our position for every contender."""
    counts = {"muybridge": 4000} | {name: frames for name, (frames, _) in PEERS.items()}
    setups = {"muybridge": OURS} | {name: setup + PER_FRAME for name, (_, setup) in PEERS.items()}
    contenders = [common.Contender(name, "import time\n" + setup.format(path=str(path))) for name, setup in setups.items()]
    found: dict[str, dict[str, float | str]] = {}
    ours = contenders[0].run("float(joint())") or 0.0
    times: dict[str, list[float]] = {name: [] for name in setups}
    for _ in range(rounds + 1):
        for one in contenders:
            seconds = one.run(f"per_frame({counts[one.name]})")
            if seconds is not None:
                times[one.name].append(seconds)
    for one in contenders:
        position = one.run("float(joint())")
        if one.trouble or position is None:
            found[one.name] = {"trouble": one.trouble or "no position"}
        else:
            middle = sorted(times[one.name][1:])[rounds // 2]
            found[one.name] = {"us_per_frame": 1e6 * middle, "difference": abs(position - ours), "frames": counts[one.name]}
        one.stop()
    return found


def growth(folder: Path, sizes: list[tuple[int, int]], rounds: int) -> list[dict[str, float]]:
    """Return our microseconds a frame for clips of (frames, joints)."""
    rows = []
    for frames, joints in sizes:
        body = random_motion(random_skeleton(1, num_joints=joints), 1, num_frames=frames, smooth=True)
        save_motion(body, folder / "body.bvh")
        one = common.Contender("muybridge", "import time\n" + OURS.format(path=str(folder / "body.bvh")))
        each = sorted(seconds for _ in range(rounds + 1) if (seconds := one.run(f"per_frame({frames})")) is not None)
        rows.append({"frames": frames, "joints": joints, "us_per_frame": 1e6 * each[len(each) // 2]})
        one.stop()
    return rows


def main() -> int:
    """Measure, print, and check the bars."""
    asked = common.options(__doc__)
    rounds = 3 if asked.quick else 11
    frames = [(1000, 31), (4000, 31), (16000, 31)] + ([] if asked.quick else [(64000, 31)])
    joints = [(4000, 31), (1000, 124), (250, 496)]
    with tempfile.TemporaryDirectory() as name:
        peers = beside_peers(cmu_clip(Path(name), 4000), rounds)
        by_frames, by_joints = growth(Path(name), frames, rounds), growth(Path(name), joints, rounds)
    table = Table(title="file data to world positions, 31 joints", title_justify="left")
    for column in ("", "us a frame", "times ours", "difference"):
        table.add_column(column, justify="left" if not column else "right")
    ours = float(peers["muybridge"]["us_per_frame"])
    for contender, row in peers.items():
        if "trouble" in row:
            table.add_row(contender, str(row["trouble"]), "", "")
        else:
            us, difference = float(row["us_per_frame"]), float(row["difference"])
            table.add_row(contender, f"{us:.3g}", f"{us / ours:.3g}", "-" if contender == "muybridge" else f"{difference:.1e}")
    sizes = Table(title="ours by size", title_justify="left")
    for column in ("frames", "joints", "us a frame", "ns a joint"):
        sizes.add_column(column, justify="right")
    for one in (*by_frames, *by_joints):
        us = one["us_per_frame"]
        sizes.add_row(f"{one['frames']}", f"{one['joints']}", f"{us:.3g}", f"{1e3 * us / one['joints']:.3g}")
    rivals = [float(row["us_per_frame"]) for key, row in peers.items() if key != "muybridge" and "us_per_frame" in row]
    bars = [
        common.Bar("us a frame, 31 joints", ours, 3.0, at_least=False),
        common.Bar(
            "a frame, longest clip over shortest",
            by_frames[-1]["us_per_frame"] / by_frames[0]["us_per_frame"],
            2.0,
            at_least=False,
        ),
        common.Bar(
            "a joint, largest skeleton over smallest",
            by_joints[-1]["us_per_frame"] / 496 / (by_joints[0]["us_per_frame"] / 31),
            2.0,
            at_least=False,
        ),
    ]
    if rivals:
        bars.append(common.Bar("times as fast as the fastest peer", min(rivals) / ours, 5.0))
    return common.finish([table, sizes], bars, {"peers": peers, "frames": by_frames, "joints": by_joints}, asked)


if __name__ == "__main__":
    sys.exit(main())
