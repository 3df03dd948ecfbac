"""Put a motion on another skeleton.

Nobody has to say which joint is which: names, tree and geometry tell. Here a wave, captured on a skeleton with CMU names in a
T-pose, moves a Mixamo skeleton of other joint frames, unit and number of joints. The map can be looked at and edited before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from kinematics import load_motion, save_motion
from kinematics.viewer import draw
from retarget import match, retarget

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Retarget a wave, print the map and the report, and write the result with a picture."""
    parser = argparse.ArgumentParser(description="Put a motion on another skeleton.")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    wave = load_motion(CLIPS / "wave_cmu.bvh")
    target = load_motion(CLIPS / "walk_mixamo.bvh")  # only its skeleton and its unit count

    joint_map = match(wave, target)
    for name in ("mixamorig:LeftForeArm", "mixamorig:Spine1"):
        drivers = joint_map.sources_of(name)
        print(name, "is driven by", ", ".join(f"{pair.source} ({pair.reason})" for pair in drivers))

    result = retarget(wave, target, joint_map=joint_map.without("mixamorig:Head"))  # keep the head still
    Console().print(result.report)

    options.out.mkdir(parents=True, exist_ok=True)
    save_motion(result.motion, options.out / "04_wave_on_mixamo.bvh")
    draw([wave, result.motion], options.out / "04_wave_on_mixamo.png", labels=["wave_cmu", "on Mixamo, head kept still"])
    print("written:", options.out / "04_wave_on_mixamo.bvh", "and its picture")


if __name__ == "__main__":
    main()
