"""Frames a second of a video without a screen: one body of 31 joints, 640 x 360, drawing alone and with its encoding.

Ours is measured as it is used (smooth edges, trail and contact marks, no shadow maps), with shadow maps, and as stick
figures; beside it matplotlib's 3D axes with one line for each bone, drawn into memory, where it is installed. Wall time
depends on what else the machine does; the time of all processor cores together hardly does: both are shown.
Bar: 25 frames/s drawn of one body without shadow maps, on two cores without a graphics card; encoding is shown beside it.
"""

from __future__ import annotations

import sys

from _common import Bar, Contender, finish, options, take_turns
from rich.table import Table

BAR = 25.0
CLIP = "data/clips/walk_cmu.bvh"

OURS = f"""
import tempfile
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
import numpy as np
from pathlib import Path
from kinematics import load_motion
from kinematics.viewer.actor import make_actor
from kinematics.viewer.film import Film, Look
from kinematics.viewer.rendering import render
motion = load_motion({CLIP!r})
actor = make_actor(motion)
films = {{shadows: Film([actor], [np.arange(0.0, 300.0, 2.0)], Look(shadows=shadows), (640, 360)) for shadows in (False, True)}}
folder = Path(tempfile.mkdtemp())
def draw(frames, shadows):
    for frame in range(frames): films[shadows].picture(frame)
def spent():
    return sum(sum(getrusage(who)[:2]) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
def encode(frames, renderer="gl"):
    render(motion, folder / "film.mp4", frames=slice(0, 2 * frames - 1), size=(640, 360), renderer=renderer)
"""
MATPLOTLIB = f"""
import matplotlib
matplotlib.use("agg")
from matplotlib import pyplot
import numpy as np
from kinematics import load_motion, forward_kinematics
motion = load_motion({CLIP!r})
where = forward_kinematics(motion).global_positions[:, :, [2, 0, 1]]
parents = motion.skeleton.parents
figure = pyplot.figure(figsize=(6.4, 3.6), dpi=100)
axes = figure.add_subplot(projection="3d")
lines = [axes.plot([], [], [])[0] for _ in parents[1:]]
def draw(frames, shadows):
    for frame in range(frames):
        now = where[2 * frame]
        for joint, line in enumerate(lines, 1):
            line.set_data_3d(*now[[joint, parents[joint]]].T)
        axes.set(xlim=now[0, 0] + [-1, 1], ylim=now[0, 1] + [-1, 1], zlim=(0, 2))
        figure.canvas.draw()
        np.asarray(figure.canvas.buffer_rgba())
"""


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    frames, rounds = (40, 2) if given.quick else (60, 5)
    ours, peer = Contender("kinematics", OURS), Contender("matplotlib", MATPLOTLIB)
    cpu = "(lambda before, _, clock: clock() - before)(__import__('time').process_time(), {}, __import__('time').process_time)"
    drawing = {
        "one body": f"draw({frames}, False)",
        "one body, CPU": cpu.format(f"draw({frames}, False)"),
        "with shadow maps": f"draw({frames}, True)",
    }
    spent = f"(lambda before, _: spent() - before)(spent(), encode({frames}))"
    writing = {"to .mp4": f"encode({frames})", "to .mp4, CPU": spent, "stick figure to .mp4": f"encode({frames}, 'figure')"}
    found = take_turns([ours], drawing | writing, rounds=rounds)
    found |= take_turns([peer], {key: drawing[key] for key in ("one body", "one body, CPU")}, rounds=rounds)
    table = Table(title="Video of a walk, 640 x 360", title_justify="left")
    for title in ("", ours.name, peer.name):
        table.add_column(title, justify="right" if title else "left")
    for name in drawing | writing:
        cells = [_cell(one, found[one.name].get(name), frames, cpu=name.endswith("CPU")) for one in (ours, peer)]
        table.add_row(name, *cells)
    bars = [Bar("frames a second of one body, 640x360", frames / found["kinematics"]["one body"], BAR)]
    ours.stop()
    peer.stop()
    sys.exit(finish([table], bars, {"seconds": found, "frames": frames}, given))


def _cell(one: Contender, seconds: float | None, frames: int, *, cpu: bool) -> str:
    if seconds is None:
        return one.trouble or "-"
    return f"{1000.0 * seconds / frames:.3g} ms a frame" if cpu else f"{frames / seconds:.3g} frames/s"


if __name__ == "__main__":
    main()
