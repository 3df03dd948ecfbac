"""What came of a batch: every clip with its numbers, and the totals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retarget.batch_clip import BUG, DONE, ClipResult

if TYPE_CHECKING:
    from rich.table import Table

FORMAT_VERSION = 1
FAILURES = 20  # clips that the terminal lists; the report has all

# What a good result stays below: of each number the bar, and the bar in words.
BARS: dict[str, tuple[float, str]] = {
    "limb_direction_mean_degrees": (5.0, "directions of arms and legs off by at most 5° in the mean"),
    "stance_slide_cm_s": (1.0, "standing feet slide at most 1 cm/s, or as much as the source's do"),
    "floating_fraction": (0.01, "float in at most 1 % of stance"),
    "sinking_fraction": (0.01, "sink in at most 1 %"),
    "turn_ratio": (1.5, "largest turn in a frame at most 1.5 times the source's"),
    "first_frame_ratio": (1.5, "first frame at most 1.5 times the usual"),
    "outside_limits_fraction": (0.01, "outside joint limits in at most 1 % of frames"),
}


@dataclass(frozen=True)
class BatchReport:
    """What came of a batch.

    Attributes:
        folder: Where the sources are.
        target: What they were put on.
        out: Where the results are.
        results: One for each clip, by name.
        seconds: Time that this run took.
    """

    folder: str
    target: str
    out: Path
    results: tuple[ClipResult, ...]
    seconds: float

    @property
    def done(self) -> tuple[ClipResult, ...]:
        """Clips with a result, those of an earlier run too."""
        return tuple(result for result in self.results if result.status == DONE)

    @property
    def failed(self) -> tuple[ClipResult, ...]:
        """Clips without one."""
        return tuple(result for result in self.results if result.status != DONE)

    @property
    def worst_first(self) -> tuple[ClipResult, ...]:
        """All clips: first those that failed, then by how near to its bar the worst number is."""
        return tuple(sorted(self.results, key=lambda result: (result.status == DONE, -badness(result), result.source)))

    @property
    def totals(self) -> dict[str, int | float]:
        """Numbers over all clips, units in their names."""
        fresh = [result for result in self.results if not result.from_before]
        frames = sum(result.frames for result in fresh)
        return {
            "clips": len(self.results),
            "done": len(self.done),
            "done_before": len(self.results) - len(fresh),
            "failed": len(self.failed),
            "bugs": sum(result.status == BUG for result in self.results),
            "frames": sum(result.frames for result in self.results),
            "seconds": self.seconds,
            "worker_seconds": sum(result.seconds for result in fresh),
            "frames_per_second": frames / self.seconds if self.seconds > 0 else 0.0,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return all of it with a `format_version`, ready for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "folder": self.folder,
            "target": self.target,
            "totals": self.totals,
            "bars": {name: bar for name, (bar, _) in BARS.items()},
            "clips": [result.as_dict() for result in self.results],
        }

    def as_json(self) -> str:
        """Return the same as JSON text."""
        return json.dumps(self.as_dict(), indent=1, allow_nan=False) + "\n"

    def __rich__(self) -> Table:
        """Return the totals, the clips that failed and the worst as a table for the terminal."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title="Batch", title_justify="left", show_header=False)
        table.add_column()
        table.add_column(overflow="fold")
        totals = self.totals
        table.add_row("clips", f"{totals['clips']}: {totals['done']} done, {totals['failed']} failed")
        if totals["done_before"]:
            table.add_row("of an earlier run", f"{totals['done_before']}")
        if totals["frames_per_second"]:
            speed = f"{totals['frames_per_second']:.0f} frames/s in {self.seconds:.1f} s"
            table.add_row("frames", f"{totals['frames']}; this run {speed}")
        for result in self.failed[:FAILURES]:
            table.add_row(f"[red]{result.status}[/]", escape(f"{result.source}: {result.reason}"))
        if len(self.failed) > FAILURES:
            table.add_row("", f"... and {len(self.failed) - FAILURES} more, see the report")
        poor = [result for result in self.done if over_bars(result)]
        if poor:
            table.add_row("[yellow]look at[/]", f"{len(poor)} of {len(self.done)}: a number is over its bar")
        return table


def badness(result: ClipResult) -> float:
    """Return the largest of a clip's numbers, each over its bar; above 1 where one is missed."""
    return max(share_of_bar(result, name) or 0.0 for name in BARS)


def over_bars(result: ClipResult) -> tuple[str, ...]:
    """Return the names of the numbers that are over their bar."""
    return tuple(name for name in BARS if (share_of_bar(result, name) or 0.0) > 1.0)


def share_of_bar(result: ClipResult, name: str) -> float | None:
    """Return a number over its bar; None where the clip has none. Feet may slide as much as the source's do."""
    value, bar = result.numbers.get(name), BARS[name][0]
    if value is None:
        return None
    if name == "stance_slide_cm_s":
        bar = max(bar, result.numbers.get("stance_slide_source_cm_s") or 0.0)
    return value / bar
