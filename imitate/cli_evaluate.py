"""Command line: `python -m imitate evaluate RUN`."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from imitate.errors import ImitationError
from imitate.metrics import EPISODES

PAGE = 120  # columns of what is printed where no terminal tells


def evaluate(
    run: tyro.conf.Positional[Path],
    /,
    *,
    episodes: int = EPISODES,
    seed: int = 0,
    stress: bool = True,
    json: bool = False,
) -> None:
    """Measure how well a run's policy performs its clip: from any start and from frame 0, and under stress.

    The policy acts without noise. docs/imitation-metrics.md says what each number means.

    Args:
        run: Folder of the run.
        episodes: Episodes for each protocol and each stress test, all side by side.
        seed: Of the starts and disturbances.
        stress: Run the stress tests as well: pushes, less friction, more mass, noise on the actions.
        json: Print one JSON object instead of the tables, and nothing else.
    """
    if episodes < 1:
        raise ImitationError(f"--episodes must be at least 1, got {episodes}")
    from imitate.envs.tracking import TrackingEnv
    from imitate.episodes import run_control
    from imitate.evaluation import evaluate as measure
    from imitate.evaluation import evaluation_reference
    from imitate.evaluation_table import tables
    from imitate.runs import open_run

    opened = open_run(run)
    reference, config = evaluation_reference(opened), opened.config.env
    control = run_control(opened, TrackingEnv(opened.character, reference, config, num_envs=1))
    with _progress(episodes) as show:
        found = measure(
            control,
            opened.character,
            reference=reference,
            config=config,
            episodes=episodes,
            seed=seed,
            stress=stress,
            on_progress=show,
        )
    if json:
        sys.stdout.write(json_format.dumps(found.as_dict(), indent=2, allow_nan=False) + "\n")
        return
    console = Console()
    console = console if console.is_terminal else Console(width=max(console.width, PAGE))
    console.print(tables(found, title=str(run)))


@contextmanager
def _progress(episodes: int) -> Iterator[Callable[[str, int], None]]:
    """Show on stderr what is running and how many of its episodes have ended."""
    from imitate.evaluation_table import stress_words

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=episodes)
        yield lambda title, done: bar.update(task, description=stress_words(title), completed=done)
