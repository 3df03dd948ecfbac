"""The table of published figures, published.toml, as objects."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Source:
    """Where figures come from.

    Attributes:
        title: Authors, title, year.
        address: Where it can be read.
        samples: How many samples a policy saw, in words.
        machine: What it was trained on, in words.
        checked: Whether the figures were compared with the source; otherwise they are told from memory.
    """

    title: str
    address: str
    samples: str
    machine: str
    checked: bool


@dataclass(frozen=True)
class Anchor:
    """Figures of one policy; None where its source gives none.

    Attributes:
        name: Method and motion.
        source: Where the figures come from.
        body: What moved.
        clips: What it followed.
        start: Where its episodes began, "-" where the source does not say.
        normalised_return: DeepMimic's, 0 to 1.
        success: Share of clips followed within 0.5 m, 0 to 1.
        global_mm: Mean error in the world, mm.
        acceleration_mm_per_frame2: Acceleration error, mm a frame squared at 30 Hz.
    """

    name: str
    source: Source
    body: str
    clips: str
    start: str
    normalised_return: float | None = None
    success: float | None = None
    global_mm: float | None = None
    acceleration_mm_per_frame2: float | None = None


@cache
def load_anchors() -> tuple[Anchor, ...]:
    """Return all published figures in the order of the table."""
    table = tomllib.loads(resources.files(__package__).joinpath("published.toml").read_text(encoding="utf-8"))
    sources = {key: Source(**words) for key, words in table["sources"].items()}
    return tuple(Anchor(**{**row, "source": sources[row["source"]]}) for row in table["anchor"])
