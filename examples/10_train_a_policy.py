"""Train a policy that performs a clip under physics.

A few iterations only, to see all steps: `--minutes 15` makes one that walks. The run folder can be gone on with
(`python -m imitate train -o FOLDER --resume`), played and evaluated. Needs the extra `imitate`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from imitate import TrainConfig, evaluate, open_run, train
from imitate.episodes import deterministic

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Train, read the run back, and measure how well its policy does."""
    parser = argparse.ArgumentParser(description="Train a policy that performs a clip under physics.")
    parser.add_argument("clip", nargs="?", type=Path, default=CLIPS / "walk_lafan1.bvh")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--minutes", type=float, default=0.0, help="how long; by default three small iterations")
    options = parser.parse_args()

    config = TrainConfig(minutes=options.minutes) if options.minutes else TrainConfig(num_envs=32, iterations=3)
    options.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="10_run_", dir=options.out))
    reason = train(
        options.clip,
        folder,
        config,
        on_iteration=lambda now: print(
            f"iteration {now.row['iteration']:.0f}: return {now.row['return']:.3f}, "
            f"a fall every {now.row['steps_between_falls'] / config.env.control_rate_hz:.2f} s"
        ),
    )
    print(f"{reason}; written: {folder}")

    run = open_run(folder)
    found = evaluate(
        deterministic(run.policy()), run.character, reference=run.reference, config=run.config.env, episodes=8, stress=False
    )
    print(f"{100.0 * found.anywhere.completion:.0f} % reach the end; lasted {found.anywhere.mean_length_s:.1f} s on the mean")


if __name__ == "__main__":
    main()
