"""Put a walk and a jump on a robot.

A robot is read from its MJCF file: hinges, limits, soles, and which link is which part of a body, without a table. The
result stays inside its limits, keeps standing soles still and on the floor, and is written as robotics reads it. Needs the
extra `robots`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from kinematics import load_motion
from retarget import retarget
from retarget.robots import load_robot, load_robot_motion, save_robot_motion

DATA = Path(__file__).resolve().parent.parent / "data"


def main() -> None:
    """Retarget two clips, check what was promised, and write them as CSV."""
    parser = argparse.ArgumentParser(description="Put a walk and a jump on a robot.")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    robot = load_robot(DATA / "robots" / "praxis.xml")
    print(f"{robot.name}: {len(robot.hinges)} hinges, {robot.mass:.0f} kg")
    for name in ("walk_cmu", "jump_mixamo"):
        result = retarget(load_motion(DATA / "clips" / f"{name}.bvh"), robot)
        angles = robot.hinge_angles(result.motion)
        over = np.maximum(robot.lower[robot.hinges] - angles, angles - robot.upper[robot.hinges]).max()
        fastest = np.abs(np.diff(angles, axis=0)).max() / result.motion.frame_time
        soles = robot.sole_positions(result.motion)[..., 1].min()
        print(f"{name}: {angles.shape[0]} frames, {max(over, 0.0):.3f} rad outside limits, fastest hinge {fastest:.1f} rad/s,")
        print(f"  lowest sole {100 * soles:.2f} cm, arms and legs {result.report.limb_direction_error_degrees:.1f} degrees off")
        path = options.out / f"08_{name}_on_{robot.name}.csv"  # root position, root quaternion xyzw, hinge angles
        save_robot_motion(robot, result.motion, path)
        again = load_robot_motion(robot, path, frame_time=result.motion.frame_time)
        lost = np.abs(robot.qpos(again) - robot.qpos(result.motion)).max()
        print(f"  written: {path}, reads back within {lost:.0e}")


if __name__ == "__main__":
    main()
