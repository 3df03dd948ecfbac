"""Reach with a hand while the feet stand still.

Goals are given by joint or end site. The same call solves one pose and a whole clip: here a hand reaches to the side, then
holds on to a rail through two squats, within the limits of human joints. A shelf that is too high is said to be so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from kinematics import forward_kinematics, ik, load_motion, save_motion
from kinematics.ik.limits import limit_violations
from kinematics.viewer import draw

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"
FEET = ("LeftFoot", "RightFoot")


def main() -> None:
    """Solve a pose and a clip, print how well the goals are met, and write the clip with a picture."""
    parser = argparse.ArgumentParser(description="Reach with a hand while the feet stand still.")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    squats = load_motion(CLIPS / "squat_cmu.bvh")  # metres, Y up, the left side is +X
    stand = {name: ik.hold(orientation=True) for name in FEET}

    # One pose: a bare vector is a position.
    reached = ik.solve(squats[0], {"LeftHand": [0.6, 1.2, 0.3], **stand})
    print("to the side:", reached)
    print(f"the hand is {1000 * reached.error('LeftHand'):.1f} mm from its target")

    # Out of reach: the nearest pose, and a status that says so.
    shelf = {"LeftHand": [0.3, 2.6, 0.3], **stand}
    high = ik.solve(squats[0], shelf)
    print(f"a high shelf: {high.status}, {100 * high.error('LeftHand'):.0f} cm are missing")

    # Joint limits of a human body, for any skeleton in which a body is recognised.
    human = ik.human_limits(squats)
    for name, limits in (("without limits", {}), ("with limits", human)):
        behind = ik.solve(squats[0], {"LeftHand": [-0.5, 1.2, -0.5], **stand}, limits=limits)
        beyond = np.degrees(limit_violations(behind.pose, human).max())
        print(f"far behind the back, {name}: {behind.status}, joints up to {beyond:.0f} degrees beyond a human's")

    # A whole clip: the hand stays at a rail, the feet where each frame has them, and the rest near the clip.
    rail = np.array([0.5, 0.95, 0.35])
    goals = {"LeftHand": ik.position(rail), **stand, "near the clip": ik.posture(priority=1)}
    result = ik.solve(squats, goals, limits=human, over_time="warm")
    print("holding on to a rail:", result)
    print(f"the hand is at most {1000 * result.error('LeftHand').max():.1f} mm from the rail")

    options.out.mkdir(parents=True, exist_ok=True)
    save_motion(result.motion, options.out / "05_hold_on.bvh")
    feet = forward_kinematics(squats)
    marks = {"rail": rail[None], "held": np.stack([feet.position(name) for name in FEET], axis=1)}
    draw([squats, result.motion], options.out / "05_hold_on.png", labels=["squats", "left hand on a rail"], marks=marks)
    print("written:", options.out / "05_hold_on.bvh", "and its picture")


if __name__ == "__main__":
    main()
