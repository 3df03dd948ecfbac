"""Let the trained policy of `data/policies/walk` act.

What the simulated body does from the clip's first frame comes back as a motion on the clip's own skeleton, which is saved, drawn
and scored as any other. `python -m imitate play data/policies/walk` shows the same in the browser. Needs the extra `imitate`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich import print as show

from imitate import open_run, roll_out
from imitate.rollout_score import compare
from imitate.runs import as_read
from kinematics import save_motion
from kinematics.viewer import draw

POLICIES = Path(__file__).resolve().parent.parent / "data" / "policies"


def main() -> None:
    """Roll a policy out, say how far it was from its clip, and write what it did."""
    parser = argparse.ArgumentParser(description="Let a trained policy act.")
    parser.add_argument("run", nargs="?", type=Path, default=POLICIES / "walk")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    run = open_run(options.run)
    done = roll_out(run, seconds=options.seconds)
    print(f"{done.simulated.duration:.1f} s,", "no fall" if done.fell_s is None else f"fell at {done.fell_s:.1f} s")
    print(f"mean distance from the clip: {done.mean_distance_mm:.0f} mm")
    show(compare(done.reference, done.simulated))

    options.out.mkdir(parents=True, exist_ok=True)
    save_motion(as_read(run, done.simulated), options.out / "11_walked.bvh")
    draw([done.reference, done.simulated], options.out / "11_walked.png")
    print("written:", options.out / "11_walked.bvh", options.out / "11_walked.png")


if __name__ == "__main__":
    main()
