"""Edit one pose, and let the clip follow.

A pose is changed at one frame by inverse kinematics: a hand reaches out while the feet stand. The change is spread over the
frames around it with eased ends, so that the clip's own detail stays. This is what the page of `python -m kinematics view`
does when a limb is dragged and "Apply" is pressed. The page that is written plays both clips in any browser.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from kinematics import edit, forward_kinematics, ik, load_motion, save_motion
from kinematics.viewer import draw, export

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"
FRAME = 60
TARGET = np.array([0.55, 1.35, 0.35])  # metres, Y up, the left side is +X


def main() -> None:
    """Reach at one frame, spread the edit, print what it changed, and write clip, picture and page."""
    parser = argparse.ArgumentParser(description="Edit one pose, and let the clip follow.")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    squats = load_motion(CLIPS / "squat_cmu.bvh")
    held = {name: ik.hold(orientation=True) for name in ("LeftFoot", "RightFoot")}
    reached = ik.solve(
        squats[FRAME], {"LeftHand": TARGET, **held, "near the clip": ik.posture(priority=1)}, limits=ik.human_limits(squats)
    )
    print(f"frame {FRAME}:", reached)

    reaching = edit.displace(squats, {FRAME: reached.pose}, before_s=0.6, after_s=0.8)

    hand, before = (forward_kinematics(clip).position("LeftHand") for clip in (reaching, squats))
    moved = np.linalg.norm(hand - before, axis=-1)
    changed = np.flatnonzero(moved > 0.0)
    print(f"the hand is {1000 * np.linalg.norm(hand[FRAME] - TARGET):.1f} mm from its target at frame {FRAME}")
    print(f"frames {changed[0]} to {changed[-1]} of {len(squats)} changed; the others are the clip's own, bit for bit")

    options.out.mkdir(parents=True, exist_ok=True)
    save_motion(reaching, options.out / "07_reaching.bvh")
    titles, shown = ["squats", "with a reach"], [20, 40, 50, 60, 70, 85, 100]
    draw([squats, reaching], options.out / "07_reaching.png", labels=titles, frames=shown, marks={"target": TARGET[None]})
    export([squats, reaching], options.out / "07_reaching.html", titles=titles)
    print("written:", options.out / "07_reaching.bvh", "with a picture (.png) and a page that plays it (.html)")


if __name__ == "__main__":
    main()
