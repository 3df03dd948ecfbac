"""Make the clips in data/clips: `python data/generate.py [FOLDER]`. The same bytes come out every time.

Every movement is computed from published curves and mechanics (see data/README.md); nothing is copied from other files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402
from generator import jumping, running, stationary, walking  # noqa: E402
from generator.bvh import text  # noqa: E402
from generator.pose import Movement, Solved, out_of_reach, solve  # noqa: E402
from generator.rigs import RIGS  # noqa: E402

RATE = 60
CLIPS: dict[str, tuple[Callable[[np.ndarray], Movement], float]] = {
    "walk": (walking.walk, 5.3),
    "run": (running.run, 4.1),
    "turn": (walking.turn, 7.2),
    "squat": (stationary.squat, 6.2),
    "wave": (stationary.wave, 7.4),
    "jump": (jumping.jump, 3.8),
}
"""What makes each clip, and its length in seconds."""


def every(solved: Solved, step: int) -> Solved:
    """Return every `step`-th frame."""
    positions = {name: value[::step] for name, value in solved.positions.items()}
    return Solved(positions, {name: value[::step] for name, value in solved.rotations.items()})


def perform(clip: str) -> Solved:
    """Return all joints of a clip at `RATE` frames a second, in metres."""
    make, seconds = CLIPS[clip]
    solved = solve(make(np.arange(round(seconds * RATE) + 1) / RATE))
    missed = out_of_reach(solved)
    if missed:
        raise ValueError(f"in {clip} the feet are out of reach in frames {missed}")
    return solved


def generate(folder: Path) -> list[Path]:
    """Write every clip in every convention and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for clip in CLIPS:
        solved = perform(clip)
        for rig in RIGS:
            file = folder / f"{clip}_{rig.name}.bvh"
            file.write_bytes(text(rig, every(solved, RATE // rig.rate)).encode())
            files.append(file)
    return files


if __name__ == "__main__":
    for path in generate(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "clips"):
        print(path)
