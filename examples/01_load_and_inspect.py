"""Load a clip and see what it is.

A BVH file says neither its unit nor its up axis, nor which joint is the knee. `load_motion` reads the file exactly as it is
and says what it had to repair; `inspect_world` and `find_anatomy` say what the moving body tells, and how sure that is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kinematics import load_motion
from kinematics.anatomy import find_anatomy
from kinematics.viewer import draw
from kinematics.world import inspect_world

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Print what a clip is and draw it."""
    parser = argparse.ArgumentParser(description="Load a clip and see what it is.")
    parser.add_argument("clip", nargs="?", type=Path, default=CLIPS / "walk_mixamo.bvh")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    motion = load_motion(options.clip)
    print(motion)
    print("repaired:", ", ".join(map(str, motion.source.repairs)) or "nothing")

    print(inspect_world(motion))

    anatomy = find_anatomy(motion.skeleton)
    print("naming convention:", anatomy.dialect)
    for role, joint in anatomy.joints.items():
        print(f"  {role:16} {motion.skeleton.joint_names[joint]}")

    options.out.mkdir(parents=True, exist_ok=True)
    draw(motion, options.out / "01_clip.png")
    print("picture:", options.out / "01_clip.png")


if __name__ == "__main__":
    main()
