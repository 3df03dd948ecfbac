"""Retargeting: frames a second, and every clip on every skeleton, by the score card.

No peer puts a BVH clip on another BVH skeleton from a script without a table of joints, so no column stands beside ours.
GMR, which solves for robots, publishes 60 to 70 frames/s.

Bars (`--check` exits with 1 where one is missed):
- speed: at least 5 000 frames/s from 31 joints onto 31, 22 and 65, feet planted, report included;
- cost linear in frames: 16 000 frames take at most 5 times as long as 4 000;
- each pair: no failure, arms and legs driven, their directions at most 5 degrees off in the mean; stance slide at most the
  source's or 1 cm/s; at most 1 % of stance frames float or sink over 1 cm more than the source's; no turn between two frames
  above 1.5 times the source's largest;
- one trial on two rigs (CMU 01_01, where ../shared/data is present): key joints within 0.5 % of height of the truth.

Options: --quick (fewer frames and clips), --check, --json.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import _common as common
import numpy as np
from rich.table import Table

from kinematics import Motion, forward_kinematics, load_motion
from kinematics.errors import KinematicsError
from retarget import retarget, score
from retarget.report import LIMBS

CLIPS, SHARED = common.ROOT / "data" / "clips", common.SHARED
CMU_HEIGHT = 26.2  # of the body of CMU 01_01, in its file's unit
OURS = ("walk_cmu", "run_lafan1", "jump_mixamo")
THEIRS = (
    "cmu_3dsmax/jumping_jacks_cut", "cmu_cgspeed/01_01", "cmu_cgspeed/12_01_walk", "cmu_cgspeed/12_03_mh", "cmu_daz/02_01",
    "fair1/dab", "fair1/jumping", "games105/idle", "games105/run_forward", "games105/walk60", "games105/walk_and_turn_left",
    "ground_truth/bvhtoolbox_walk01/walk01", "makehuman/tpose", "makehuman/walk1", "makehuman/zombieWalk1",
    "odd/assimp_Boxing_Toes_framecount_off_by_one", "odd/example1_biovision_classic", "pybvh/bvh_test1", "pybvh/bvh_test2",
    "pybvh/standard_skeleton",
)  # fmt: skip
ROUNDING = 1e-6  # cm/s: a clip on its own skeleton slides as it did, but for the last digits
MISSED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "arms and legs over 5 degrees off": lambda pair: pair["limb_degrees"] > 5.0,
    "slide over the source's and 1 cm/s": lambda pair: pair["slide_cm_s"] > max(pair["source_slide_cm_s"], 1.0) + ROUNDING,
    "over 1 % of stance frames float": lambda pair: pair["floating_percent"] > 1.0,
    "over 1 % of stance frames sink": lambda pair: pair["sinking_percent"] > 1.0,
    "turns over 1.5 times the source's": lambda pair: pair["turn_ratio"] > 1.5,
}


def main() -> int:
    """Measure, print, and check the bars."""
    asked = common.options(__doc__)
    speed, pairs, trial = measure_speed(asked.quick), measure_pairs(asked.quick), measure_trial()
    tables = [speed_table(speed), pairs_table(pairs), summary_table(pairs, trial)]
    return common.finish(tables, bars(speed, pairs, trial), {"speed": speed, "pairs": pairs, "same_trial": trial}, asked)


def looped(motion: Motion, frames: int) -> Motion:
    """Return as many frames as wanted, the clip over and over."""
    return motion[np.arange(frames) % motion.num_frames]


def measure_speed(quick: bool) -> list[dict[str, float | str]]:
    """Time walk_cmu (31 joints) onto our three skeletons; medians. One frame shows the fixed cost of a call."""
    walk, rows = load_motion(CLIPS / "walk_cmu.bvh"), []
    for name in OURS:
        target = load_motion(CLIPS / f"{name}.bvh")
        row: dict[str, float | str] = {"target": name, "joints": target.skeleton.num_joints}
        for frames in (1, 1000, 4000) if quick else (1, 1000, 4000, 16000):
            clip = looped(walk, frames)
            times = []
            for _ in range(3 if quick else 7):
                begin = time.perf_counter()
                retarget(clip, target)
                times.append(time.perf_counter() - begin)
            median = statistics.median(times)
            row[f"{frames} frames, ms" if frames > 1 else "1 frame, ms"] = 1e3 * median
        row["frames/s"] = frames / median
        rows.append(row)
    return rows


def measure_pairs(quick: bool) -> list[dict[str, Any]]:
    """Retarget every clip onto every skeleton, the first 240 frames of each, and score the result."""
    paths = {name: CLIPS / f"{name}.bvh" for name in OURS}
    if SHARED.is_dir():
        paths |= {name: SHARED / f"{name}.bvh" for name in (THEIRS[::3] if quick else THEIRS)}
    motions = {name: load_motion(path)[:240] for name, path in paths.items()}
    rows: list[dict[str, Any]] = []
    for one, source in motions.items():
        for other, target in motions.items():
            row: dict[str, Any] = {"source": one, "target": other}
            try:
                result = retarget(source, target)
                card = score(source, result.motion, joint_map=result.joint_map, target=target)
            except KinematicsError as error:
                rows.append(row | {"failure": str(error)})
                continue
            bones = card.bone_directions
            rows.append(
                row
                | {
                    "limbs": sum(name in LIMBS for name in bones),
                    "limb_degrees": card.limb_direction_error_degrees,
                    "mean_degrees": card.mean_direction_error_degrees,
                    "built_apart_degrees": float(np.mean([error.build_degrees for error in bones.values()])),
                    "source_slide_cm_s": card.source.slide.mean_cm_s,
                    "slide_cm_s": card.result.slide.mean_cm_s,
                    "floating_percent": 100.0 * card.floating.fraction,
                    "sinking_percent": 100.0 * card.sinking.fraction,
                    "turn_ratio": card.turn_ratio,
                    "same_body": result.report.same_body,
                    "bones": {name: error.mean_degrees for name, error in bones.items()},
                }
            )
    return rows


def measure_trial() -> dict[str, float]:
    """Compare CMU 01_01 between its two rigs, frame k + 1 of one being frame k of the other, in percent of height."""
    if not SHARED.is_dir():
        return {}
    builder = load_motion(SHARED / "cmu_cgspeed" / "01_01.bvh")[1:]
    max_rig = load_motion(SHARED / "cmu_3dsmax" / "01_01.bvh")
    result = {}
    for label, source, truth in (("MotionBuilder to 3ds Max", builder, max_rig), ("3ds Max to MotionBuilder", max_rig, builder)):
        ours, theirs = (forward_kinematics(motion).global_positions for motion in (retarget(source, truth).motion, truth))
        error = 100.0 * np.linalg.norm(ours - theirs, axis=-1) / CMU_HEIGHT
        fingers = np.array(["Fingers" in name for name in truth.skeleton.joint_names])
        result |= {f"{label}, mean of all joints": float(error.mean()), f"{label}, max of all joints": float(error.max())}
        result[f"{label}, max without finger joints"] = float(error[:, ~fingers].max())
    return result


def bars(speed: list[dict[str, float | str]], pairs: list[dict[str, Any]], trial: dict[str, float]) -> list[common.Bar]:
    """Return the bars of the docstring."""
    found = []
    for row in speed:
        found.append(common.Bar(f"frames/s onto {row['target']}", float(row["frames/s"]), 5_000.0))
        if "16000 frames, ms" in row:
            ratio = float(row["16000 frames, ms"]) / float(row["4000 frames, ms"])
            found.append(common.Bar(f"16 000 frames over 4 000, onto {row['target']}", ratio, 5.0, at_least=False))
    done = [pair for pair in pairs if "failure" not in pair]
    found += [
        common.Bar("pairs that fail", len(pairs) - len(done), 0, at_least=False),
        common.Bar("pairs without all 8 limb bones", sum(pair["limbs"] != 8 for pair in done), 0, at_least=False),
        *(
            common.Bar(f"pairs: {label}", sum(missed(pair) for pair in done), 0, at_least=False)
            for label, missed in MISSED.items()
        ),
    ]
    found += [common.Bar(f"{key}, %", value, 0.5, at_least=False) for key, value in trial.items() if "max of all" not in key]
    return found


def mean(pairs: list[dict[str, Any]], key: str) -> float:
    """Return the mean of a figure over pairs."""
    return float(np.mean([pair[key] for pair in pairs]))


def speed_table(speed: list[dict[str, float | str]]) -> Table:
    """Return the times."""
    table = Table(title="walk_cmu, 31 joints, retargeted (medians)", title_justify="left")
    for column in speed[0]:
        table.add_column(column, justify="left" if column == "target" else "right")
    for row in speed:
        table.add_row(*(value if isinstance(value, str) else f"{value:.0f}" for value in row.values()))
    return table


def pairs_table(pairs: list[dict[str, Any]]) -> Table:
    """Return the error of each pair."""
    names = list(dict.fromkeys(str(pair["source"]) for pair in pairs))
    matrix = Table(title="mean bone direction error in degrees: rows sources, columns targets", padding=(0, 0), box=None)
    matrix.add_column("", no_wrap=True, max_width=26)
    for index in range(len(names)):
        matrix.add_column(str(index), justify="right", min_width=4)
    for index, name in enumerate(names):
        cells = [f"{pair['mean_degrees']:.1f}" if "failure" not in pair else "fail" for pair in pairs if pair["source"] == name]
        matrix.add_row(f"{index} {name}"[:26], *cells)
    return matrix


def summary_table(pairs: list[dict[str, Any]], trial: dict[str, float]) -> Table:
    """Return figures over all pairs, and those of the trial on two rigs."""
    done = [pair for pair in pairs if "failure" not in pair]
    table = Table(title="all pairs", title_justify="left", show_header=False)
    table.add_row("pairs, failures", f"{len(pairs)}, {len(pairs) - len(done)}")
    table.add_row("mean bone direction error", f"{mean(done, 'mean_degrees'):.2f} degrees")
    table.add_row("of which the skeletons are built apart", f"{mean(done, 'built_apart_degrees'):.2f} degrees")
    table.add_row("worst pair", f"{max(pair['mean_degrees'] for pair in done):.2f} degrees")
    bones: dict[str, list[float]] = {}
    for pair in done:
        for bone, value in pair["bones"].items():
            bones.setdefault(bone.removeprefix("left_").removeprefix("right_"), []).append(value)
    for bone, values in bones.items():
        table.add_row(f"  {bone.replace('_', ' ')}", f"{np.mean(values):.2f} degrees")
    for key, label, unit in (
        ("source_slide_cm_s", "stance slide of the source", "cm/s"),
        ("slide_cm_s", "stance slide of the result", "cm/s"),
        ("floating_percent", "floats more than the source", "% of stance"),
        ("sinking_percent", "sinks more than the source", "% of stance"),
        ("turn_ratio", "largest turn over the source's", "times"),
    ):
        values = [pair[key] for pair in done]
        table.add_row(label, f"median {np.median(values):.2f}, worst {max(values):.2f} {unit}")
    for label, missed in MISSED.items():
        worst = [f"{pair['source']} -> {pair['target']}" for pair in done if missed(pair)]
        table.add_row(f"pairs: {label}", f"{len(worst)}" + (f": {', '.join(worst[:4])}" if worst else ""))
    for name, value in trial.items():
        table.add_row(f"CMU 01_01, {name}", f"{value:.4f} % of height")
    return table


if __name__ == "__main__":
    sys.exit(main())
