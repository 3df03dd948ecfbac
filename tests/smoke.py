"""Smoke test of an installed wheel: run beside two clips, away from the repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import imitate
import kinematics
import retarget
from kinematics.errors import MissingExtraError


def main() -> None:
    """Load, solve forward, save, and retarget from the command line; fail on anything unexpected."""
    here = Path(__file__).resolve().parent
    for package in (kinematics, retarget, imitate):
        installed = Path(str(package.__file__)).resolve()
        if "site-packages" not in installed.parts:
            raise SystemExit(f"{package.__name__} was imported from {installed}, not from the wheel")
    motion = kinematics.load_motion(here / "walk_cmu.bvh")
    positions = kinematics.forward_kinematics(motion).global_positions
    if positions.shape != (motion.num_frames, motion.skeleton.num_joints, 3) or not np.isfinite(positions).all():
        raise SystemExit("forward kinematics gave no positions")
    kinematics.save_motion(motion, here / "copy.bvh")
    if not np.array_equal(kinematics.load_motion(here / "copy.bvh").local_rotations, motion.local_rotations):
        raise SystemExit("the saved copy differs")
    found = kinematics.ik.solve(motion[0], {"LeftHand": [0.4, 1.3, 0.3], "LeftFoot": kinematics.ik.hold()})
    if found.status != "converged" or abs(kinematics.forward_kinematics(found.pose).position("LeftHand")[0] - 0.4) > 0.01:
        raise SystemExit("inverse kinematics did not reach")
    command = [sys.executable, "-m", "retarget", "walk_cmu.bvh", "--to", "run_mixamo.bvh", "-o", "result.bvh"]
    subprocess.run(command, cwd=here, check=True, capture_output=True)
    result = kinematics.load_motion(here / "result.bvh")
    if result.num_frames != motion.num_frames or (here / "result.png").stat().st_size < 10_000:
        raise SystemExit("retargeting gave no result")
    missing_extra()
    sys.stdout.write("smoke test: 1 passed, 0 failed\n")


def missing_extra() -> None:
    """What needs the extra of imitate, which is not installed here, says so in one sentence, from Python and from a shell."""
    sentence = "pip install 'muybridge[imitate]' brings it"
    try:
        imitate.make_character  # noqa: B018
    except MissingExtraError as error:
        found = str(error)
    else:
        raise SystemExit("imitate.make_character came without its extra")
    ended = subprocess.run([sys.executable, "-m", "imitate", "train"], capture_output=True, text=True, check=False)
    if (
        sentence not in found
        or sentence not in " ".join(ended.stderr.split())
        or "Traceback" in ended.stderr
        or not ended.returncode
    ):
        raise SystemExit(f"a missing extra is not explained: {found!r}, {ended.stderr!r}")


if __name__ == "__main__":
    main()
