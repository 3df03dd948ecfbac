"""The package's public names, each loaded when it is first asked for: `import imitate` loads neither torch nor MuJoCo."""

from __future__ import annotations

import importlib
from typing import Any

from imitate.extra import explained

HOMES = {
    "Character": "imitate.character",
    "CharacterConfig": "imitate.character",
    "EnvConfig": "imitate.envs",
    "Reference": "imitate.reference",
    "Run": "imitate.runs",
    "TrackingEnv": "imitate.envs",
    "TrainConfig": "imitate.config",
    "evaluate": "imitate.evaluation",
    "lint": "imitate.character",
    "load_character": "imitate.character",
    "make_character": "imitate.character",
    "make_reference": "imitate.reference",
    "open_run": "imitate.runs",
    "roll_out": "imitate.rollout",
    "save_character": "imitate.character",
    "train": "imitate.training",
}


def __getattr__(name: str) -> Any:
    """Import a public name (PEP 562).

    Raises:
        AttributeError: Where there is none of this name.
        MissingExtraError: Where a package of the extra is not installed.
    """
    if name not in HOMES:
        raise AttributeError(f"module 'imitate' has no attribute {name!r}")
    with explained():
        return getattr(importlib.import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    """Name them all, so that shells complete them."""
    return sorted([*HOMES, "ImitationError"])
