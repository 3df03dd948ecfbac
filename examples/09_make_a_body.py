"""Make a simulated body from a clip.

Bodies along the bones with masses and inertias of a table, hinges where the clip turns them, motors that can hold it up. The
lint says before any training what is wrong with clip and body; MuJoCo's viewer opens the file. Needs the extra `imitate`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from imitate import lint, make_character, save_character
from kinematics import load_motion

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Print what a body is made of, check it, and write it."""
    parser = argparse.ArgumentParser(description="Make a simulated body from a clip.")
    parser.add_argument("clip", nargs="?", type=Path, default=CLIPS / "walk_lafan1.bvh")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()

    motion = load_motion(options.clip)
    body = make_character(motion, name=options.clip.stem)
    print(f"{body.name}: {len(body.body_names)} bodies, {len(body.hinge_names)} hinges, {body.mass:.1f} kg, {body.height:.2f} m")
    for hinge, lower, upper, torque in zip(body.hinge_names, body.lower, body.upper, body.torque_limits, strict=True):
        print(f"  {hinge:20} {lower:6.2f} to {upper:5.2f} rad, {torque:4.0f} N m")

    report = lint(body, motion)
    for finding in report.findings:
        print("ok" if finding.ok else "! ", f"{finding.name}: {finding.value}", "" if finding.ok else f"({finding.mend})")

    options.out.mkdir(parents=True, exist_ok=True)
    save_character(body, options.out / "09_body")
    print("written:", options.out / "09_body" / "body.xml")


if __name__ == "__main__":
    main()
