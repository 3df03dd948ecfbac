"""Command line: `python -m retarget score SOURCE RESULT`."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console

from kinematics.io import load_motion
from retarget.score import score

PAGE = 120  # columns of what is printed where no terminal tells

DESCRIPTION = "Measure how good a retargeted clip is, beside its source."


def score_clips(
    source: tyro.conf.Positional[Path],
    result: tyro.conf.Positional[Path],
    /,
    *,
    target: Path | None = None,
    part: Literal["whole", "upper", "lower"] = "whole",
    in_place: bool = False,
    json: bool = False,
) -> None:
    """Measure how good a retargeted clip is: feet, floor, likeness to its source, steadiness; source and result side by side.

    Args:
        source: Motion file (.bvh or .npz) that was retargeted.
        result: Motion file with the same frames on another body, in any unit and axes.
        target: Another clip of the result's skeleton, to tell its unit and up axis where the result leaves doubt.
        part: "upper" or "lower" where that part alone was retargeted: the rest is not looked at.
        in_place: The way over the ground was taken out of the result: slide and path are not compared.
        json: Print JSON instead of the table.
    """
    given = None if target is None else load_motion(target)
    card = score(load_motion(source), load_motion(result), target=given, part=part, in_place=in_place)
    if json:
        print_json(card.as_dict())
        return
    page().print(card)


def print_json(numbers: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    sys.stdout.write(text.dumps(numbers, indent=2, allow_nan=False) + "\n")


def page() -> Console:
    """Return a console that is wide enough for our tables where no terminal tells its width."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, PAGE))
