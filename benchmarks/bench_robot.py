"""Retargeting to a robot: frames a second on one core, and how well the hinges follow.

GMR, the peer, knows a few robots and sources by hand-typed tables; it is timed beside ours where it is installed
(`general_motion_retargeting`), on its own Unitree G1 and LAFAN1 reader. It gave 171 to 276 frames/s on the machine on which ours
gave 5 000 to 7 000.

Bars (`--check` exits with 1 where one is missed):
- speed: at least 4 000 frames/s of processor time, report included;
- cost linear in frames: 16 000 frames take at most 5 times as long as 4 000;
- every clip of data/clips: no angle outside its limits, none faster than the limit of speed, arms and legs within 5 degrees,
  soles above -1 mm, standing soles higher than 1 cm in at most 1 % of stance, their slowest points no faster than the source's
  feet or 1 cm/s, shapes no deeper in each other than 5 mm, first frame converged.

Options: --quick (fewer frames and clips), --check, --json, --robot PATH_OR_NAME.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from typing import Any

import _common as common
import numpy as np
from rich.table import Table

from kinematics import Motion, load_motion
from kinematics.contacts import foot_contacts
from retarget import retarget
from retarget.robots import Robot, load_robot
from retarget.robots.score import score_robot

CLIPS = common.ROOT / "data" / "clips"
PRAXIS = str(common.ROOT / "data" / "robots" / "praxis.xml")


def main() -> int:
    """Measure, print, and check the bars."""
    name = PRAXIS
    if "--robot" in sys.argv:
        at = sys.argv.index("--robot")
        name = sys.argv[at + 1]
        del sys.argv[at : at + 2]
    asked = common.options(__doc__)
    robot = load_robot(name)
    speed, clips = measure_speed(robot, asked.quick), [measure_clip(robot, path.stem) for path in chosen(asked.quick)]
    tables = [speed_table(robot, speed), clips_table(clips)]
    return common.finish(tables, bars(speed, clips), {"speed": speed, "clips": clips}, asked)


def chosen(quick: bool) -> list[Any]:
    """Return the clips to measure."""
    return sorted(CLIPS.glob("*_cmu.bvh" if quick else "*.bvh"))


def looped(motion: Motion, frames: int) -> Motion:
    """Return as many frames as wanted, the clip over and over."""
    return motion[np.arange(frames) % motion.num_frames]


def measure_speed(robot: Robot, quick: bool) -> dict[str, float]:
    """Time walk_cmu on the robot by the process's own clock; medians."""
    walk = load_motion(CLIPS / "walk_cmu.bvh")
    retarget(walk, robot)
    found = {}
    for frames in (4000, 16000):
        clip, times = looped(walk, frames), []
        for _ in range(2 if quick else 5):
            begin = time.process_time()
            retarget(clip, robot)
            times.append(time.process_time() - begin)
        found[f"{frames} frames, s"] = statistics.median(times)
    found["frames/s"] = 4000 / found["4000 frames, s"]
    return found


def measure_clip(robot: Robot, name: str) -> dict[str, Any]:
    """Retarget a clip and score it."""
    source = load_motion(CLIPS / f"{name}.bvh")
    result = retarget(source, robot)
    card, hinges, soles = score_robot(source, result.motion, robot), result.report.hinges, robot.sole_positions(result.motion)
    contacts = foot_contacts(source)
    heights = np.stack([soles[:, robot.soles.sides == side, 1].min(axis=1) for side in (1, -1)], axis=1)
    standing = np.stack([contacts.left, contacts.right], axis=1)
    limbs = [error.mean_degrees for bone, error in card.bone_directions.items() if bone.endswith(("arm", "thigh", "shin"))]
    return {
        "clip": name,
        "limbs_degrees": float(np.mean(limbs)),
        "slide_cm_s": card.result.slide.mean_cm_s,
        "soles_cm_s": slide_of_soles(robot, soles, standing, source.frame_time),
        "source_slide_cm_s": card.source.slide.mean_cm_s,
        "floating": float((heights[standing] > 0.01).mean()) if standing.any() else 0.0,
        "lowest_cm": 100.0 * float(soles[..., 1].min()),
        "outside": hinges.outside_limits,
        "rad_s": hinges.max_speed_rad_s,
        "too_fast": hinges.max_speed_rad_s > hinges.speed_limit_rad_s,
        "slowed": hinges.slowed,
        "converged": card.result.first_frame.converged,
        "self_collision_cm": hinges.collision_max_cm,
    }


def slide_of_soles(robot: Robot, soles: np.ndarray, standing: np.ndarray, frame_time: float) -> float:
    """Return the mean speed along the floor of each sole's slowest point, cm/s, without the first and last 0.05 s of stances."""
    margin, speeds = int(np.ceil(0.05 / frame_time - 1e-9)), []
    for which, side in enumerate((1, -1)):
        steps = np.linalg.norm(np.diff(soles[:, robot.soles.sides == side][..., ::2], axis=0), axis=-1).min(axis=1) / frame_time
        padded = np.pad(standing[:, which], margin, constant_values=True)
        inside = np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1).all(axis=1)
        speeds.append(steps[inside[1:] & inside[:-1]])
    found = np.concatenate(speeds)
    return 100.0 * float(found.mean()) if len(found) else 0.0


def speed_table(robot: Robot, speed: dict[str, float]) -> Table:
    """Show the times."""
    table = Table(title=f"walk_cmu on {robot.name} ({len(robot.hinges)} hinges), one core")
    for column in ("who", "4 000 frames, s", "16 000 frames, s", "frames/s"):
        table.add_column(column)
    table.add_row("muybridge", f"{speed['4000 frames, s']:.2f}", f"{speed['16000 frames, s']:.2f}", f"{speed['frames/s']:.0f}")
    if importlib.util.find_spec("general_motion_retargeting") is None:
        table.add_row("GMR", "not installed", "", "")
    else:
        rate = measure_gmr()
        table.add_row("GMR", f"{4000 / rate:.2f}", f"{16000 / rate:.2f}", f"{rate:.0f}")
    return table


def measure_gmr() -> float:
    """Return GMR's frames/s of processor time on its Unitree G1, from our LAFAN1-like walk."""
    from general_motion_retargeting import GeneralMotionRetargeting
    from general_motion_retargeting.utils.lafan1 import load_bvh_file

    frames, height = load_bvh_file(str(CLIPS / "walk_lafan1.bvh"))
    solver = GeneralMotionRetargeting(src_human="bvh_lafan1", tgt_robot="unitree_g1", actual_human_height=height)
    begin = time.process_time()
    for frame in frames:
        solver.retarget(frame)
    return len(frames) / (time.process_time() - begin)


def clips_table(clips: list[dict[str, Any]]) -> Table:
    """Show what came out of each clip."""
    table = Table(title="Every clip")
    heads = (
        "clip",
        "limbs off, degrees",
        "slide, cm/s",
        "of soles",
        "source's",
        "floats, %",
        "lowest, cm",
        "outside",
        "rad/s",
        "slowed, %",
        "self, cm",
    )
    for column in heads:
        table.add_column(column, justify="left" if column == "clip" else "right")
    for row in clips:
        table.add_row(
            row["clip"], f"{row['limbs_degrees']:.2f}", f"{row['slide_cm_s']:.2f}", f"{row['soles_cm_s']:.2f}",
            f"{row['source_slide_cm_s']:.2f}",
            f"{100 * row['floating']:.1f}", f"{row['lowest_cm']:.2f}", str(row["outside"]), f"{row['rad_s']:.2f}",
            f"{100 * row['slowed']:.0f}", f"{row['self_collision_cm']:.1f}",
        )  # fmt: skip
    return table


def bars(speed: dict[str, float], clips: list[dict[str, Any]]) -> list[common.Bar]:
    """Return the bars of the docstring."""
    return [
        common.Bar("frames/s", speed["frames/s"], 4000.0),
        common.Bar("16 000 frames over 4 000", speed["16000 frames, s"] / speed["4000 frames, s"], 5.0, at_least=False),
        common.Bar("angles outside limits", sum(row["outside"] for row in clips), 0, at_least=False),
        common.Bar("clips with a hinge too fast", sum(row["too_fast"] for row in clips), 0, at_least=False),
        common.Bar("limbs off, degrees", max(row["limbs_degrees"] for row in clips), 5.0, at_least=False),
        common.Bar("floating, share of stance", max(row["floating"] for row in clips), 0.01, at_least=False),
        common.Bar(
            "slide of soles over the bar, cm/s",
            max(row["soles_cm_s"] - max(row["source_slide_cm_s"], 1.0) for row in clips),
            0.0,
            at_least=False,
        ),
        common.Bar("deepest self-collision, cm", max(row["self_collision_cm"] for row in clips), 0.5, at_least=False),
        common.Bar("lowest sole, cm", min(row["lowest_cm"] for row in clips), -0.1),
        common.Bar("first frames not converged", sum(not row["converged"] for row in clips), 0, at_least=False),
    ]


if __name__ == "__main__":
    sys.exit(main())
