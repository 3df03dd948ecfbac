"""Cut, join, mirror and resample clips.

Each edit is a function from motion to motion; nothing is changed in place. Here a walk is cut, followed by a run with a
soft join, mirrored, and brought to 60 frames a second.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kinematics import edit, load_motion, save_motion
from kinematics.viewer import draw

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Make a clip of a walk that becomes a run."""
    parser = argparse.ArgumentParser(description="Cut, join, mirror and resample clips.")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    walk = edit.slice_time(load_motion(CLIPS / "walk_lafan1.bvh"), 0.0, 2.0)
    run = load_motion(CLIPS / "run_lafan1.bvh")
    print("walk:", walk)
    print("run:", run)

    both = edit.concatenate([walk, run], join="inertial", duration_s=0.4)
    print("walk, then run:", both)

    mirrored = edit.mirror(both)
    fast = edit.resample(mirrored, 60.0)
    print("mirrored at 60 Hz:", fast)

    options.out.mkdir(parents=True, exist_ok=True)
    save_motion(fast, options.out / "03_walk_then_run.bvh")
    draw([both, fast], options.out / "03_walk_then_run.png", labels=["walk, then run", "mirrored"])
    print("written:", options.out / "03_walk_then_run.bvh", "and its picture")


if __name__ == "__main__":
    main()
