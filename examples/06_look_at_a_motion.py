"""Look at a motion: a picture, a page to send to somebody, and a file for Blender.

Stick figures and exports need nothing but the package. Pictures and videos of a body need the extra `viewer` and GL; where one
of them is missing, the library says which, and how to get it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kinematics import load_motion
from kinematics.errors import GraphicsError, MissingExtraError
from kinematics.viewer import draw, export, render

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Write every kind of file that shows a walk, as far as this machine can."""
    parser = argparse.ArgumentParser(description="Look at a motion.")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    walk, run = load_motion(CLIPS / "walk_cmu.bvh"), load_motion(CLIPS / "run_mixamo.bvh")  # units and axes may differ

    # Anywhere: rows of stick figures, a page that plays in any browser, and glTF.
    draw([walk, run], options.out / "06_figures.png")
    export([walk, run], options.out / "06_play_me.html", titles=["a walk", "a run"])
    export(run, options.out / "06_run.glb")
    written = ["06_figures.png", "06_play_me.html", "06_run.glb"]

    # With GL: a motion strip, one pose, and a video of both side by side.
    try:
        render(run, options.out / "06_strip.png")
        render(walk, options.out / "06_pose.png", frame=40, camera="front", names=True)
        written += ["06_strip.png", "06_pose.png"]
        render([walk, run], options.out / "06_both.mp4", frames=slice(0, 60), size=(640, 360))
        written.append("06_both.mp4")
    except (GraphicsError, MissingExtraError) as error:
        print("no pictures of bodies:", error)

    for name in written:
        print(f"written: {options.out / name}, {(options.out / name).stat().st_size / 1000:.0f} kB")
    print("to play it, look at joints and drag limbs: python -m kinematics view", CLIPS / "walk_cmu.bvh")


if __name__ == "__main__":
    main()
