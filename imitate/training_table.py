"""A live table of a training."""

from __future__ import annotations

import itertools
import math

from rich.console import Console
from rich.live import Live
from rich.table import Table

from imitate.training import Progress

BARS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 40


class TrainingTable:
    """Shows the figures of the last iteration and the curve of the return; without a terminal, a line every half minute."""

    def __init__(self, console: Console, title: str, rate: float) -> None:
        """Begin an empty table.

        Args:
            console: Where to show it.
            title: What is trained.
            rate: Control steps a second, to tell steps as seconds.
        """
        self.console, self.title, self.rate = console, title, rate
        self.returns: list[float] = []
        self.told = -math.inf
        self.live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> TrainingTable:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def update(self, now: Progress) -> None:
        """Show an iteration."""
        self.returns.append(now.row["return"])
        if self.live is not None:
            self.live.update(table(now, self.title, self.rate, self.returns))
        elif now.elapsed_s - self.told >= 30.0 or now.stopped:
            self.told = now.elapsed_s
            self.console.print(line(now, self.rate), highlight=False, soft_wrap=True)


def table(now: Progress, title: str, rate: float, returns: list[float]) -> Table:
    """Return the figures as a table.

    Args:
        now: How far the training is.
        title: What is trained.
        rate: Control steps a second.
        returns: The returns so far.
    """
    shown = Table(title=title, title_justify="left", show_header=False)
    shown.add_column(style="bold")
    shown.add_column(justify="right")
    shown.add_column(style="dim")
    for name, value, meaning in rows(now, rate):
        shown.add_row(name, value, meaning)
    shown.add_row("curve", sparkline(returns, CURVE_WIDTH), "return so far")
    return shown


def rows(now: Progress, rate: float) -> list[tuple[str, str, str]]:
    """Return name, value and meaning of each figure; `rate` is that of the control steps."""
    row = now.row
    error = row.get("term/mean_distance")
    left = duration(now.left_s) if math.isfinite(now.left_s) else "?"
    return [
        ("return", f"{row['return']:.3f}", "of 1: rewards up to a fall, over the whole episode; the policy tries things out"),
        ("survival", f"{row['steps_between_falls'] / rate:.1f} s", "between two falls of one body"),
        ("success", f"{100.0 * row['success']:.0f} %", "of episodes reach their end"),
        *_trial(row),
        ("tracking error", "" if error is None else f"{1000.0 * error:.0f} mm", "mean distance of the bodies, falls included"),
        *_broken(row),
        ("samples", f"{row['samples'] / 1e6:.2f} M", "control steps of single bodies"),
        ("speed", f"{now.samples_per_s:.0f} /s", "samples"),
        ("time", duration(now.elapsed_s), "minutes:seconds"),
        ("left", f"about {left}", "to the goal or to the end of the time"),
    ]


def _broken(row: dict[str, float]) -> list[tuple[str, str, str]]:
    return [("broken bodies", f"{row['broken']:.0f}", "in this iteration: bad numbers")] if row.get("broken") else []


def _trial(row: dict[str, float]) -> list[tuple[str, str, str]]:
    if not row.get("trial/return"):
        return []
    completion, error = 100.0 * row["trial/completion"], row["trial/root_relative_mm"]
    return [
        ("in the last trial", f"{completion:.0f} %", "of episodes reach their end, without noise"),
        ("its return", f"{row['trial/return']:.3f}", "of 1"),
        ("its error", f"{error:.0f} mm", "mean distance of the bodies, root taken out"),
    ]


def line(now: Progress, rate: float) -> str:
    """Return the figures as one line; `rate` is that of the control steps."""
    return ", ".join([f"{name} {value}" for name, value, _ in rows(now, rate)]) + (f": {now.stopped}" if now.stopped else "")


def duration(seconds: float) -> str:
    """Return minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def sparkline(values: list[float], width: int) -> str:
    """Return a curve of numbers in [0, 1] as one line of bars, the means of equal parts of it."""
    count = min(width, len(values))
    edges = [round(part * len(values) / count) for part in range(count + 1)] if count else []
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    return "".join(BARS[min(len(BARS) - 1, max(0, int(mean * len(BARS))))] for mean in means)
