"""Command line: `python -m retarget score SOURCE RESULT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tyro
from rich.console import Console

from kinematics.io import load_motion
from kinematics.io.atomic import write_bytes
from retarget.score import score
from retarget.score_card import ScoreCard

PAGE = 120  # columns of what is printed where no terminal tells

DESCRIPTION = "Measure how good a retargeted clip is, beside its source."


def score_clips(
    source: tyro.conf.Positional[Path],
    result: tyro.conf.Positional[Path],
    /,
    *,
    target: Path | None = None,
    json: bool = False,
) -> None:
    """Measure how good a retargeted clip is: feet, floor, likeness to its source, steadiness; source and result side by side.

    Args:
        source: Motion file (.bvh or .npz) that was retargeted.
        result: Motion file with the same frames on another body, in any unit and axes.
        target: Another clip of the result's skeleton, to tell its unit and up axis where the result leaves doubt.
        json: Print JSON instead of the table.
    """
    given = None if target is None else load_motion(target)
    card = score(load_motion(source), load_motion(result), target=given)
    if json:
        sys.stdout.write(as_json(card))
        return
    page().print(card)


def as_json(card: ScoreCard) -> str:
    """Return a score card as JSON text."""
    return json.dumps(card.as_dict(), indent=2, allow_nan=False) + "\n"


def save_json(card: ScoreCard, path: Path) -> None:
    """Write a score card as a JSON file, all or nothing.

    Raises:
        InputError: Where it cannot be written.
    """
    write_bytes(path, as_json(card).encode())


def page() -> Console:
    """Return a console that is wide enough for our tables where no terminal tells its width."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, PAGE))
