"""The curves of a training: progress.csv for everybody, events for TensorBoard."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imitate.errors import ImitationError
from kinematics.io.atomic import write_bytes

PROGRESS = "progress.csv"


class Curves:
    """Writes the figures of every iteration; after a resume the rows since the checkpoint are written anew."""

    def __init__(self, folder: Path, *, iteration: int = 0) -> None:
        """Open the curves of a run.

        Args:
            folder: The run's folder.
            iteration: Iterations that are part of the run; later rows are of a process that was killed, and go.
        """
        self.path = folder / PROGRESS
        self.rows: list[dict[str, float]] = []
        if self.path.is_file():
            self.rows = [row for row in read_progress(self.path) if row["iteration"] <= iteration]
            columns = list(self.rows[0]) if self.rows else []
            write_bytes(self.path, _lines(columns, self.rows, header=bool(columns)).encode())
        from torch.utils.tensorboard import SummaryWriter

        self.events: Any = SummaryWriter(str(folder), purge_step=iteration + 1 if iteration else None)

    def add(self, row: Mapping[str, float]) -> None:
        """Write one iteration.

        Raises:
            ImitationError: Where the disk is full.
        """
        fresh = not self.rows
        self.rows.append(dict(row))
        step = int(row["iteration"])
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_lines(list(self.rows[0]), [row], header=fresh))
            for name, value in row.items():
                self.events.add_scalar(name if "/" in name else f"training/{name}", value, step)
        except OSError as error:
            raise ImitationError(
                f"cannot write {str(self.path)!r}: {error.strerror or error}; the checkpoints are as they were"
            ) from None

    def close(self) -> None:
        """Write what is still held back; on a full disk the last events are lost, progress.csv has them."""
        with contextlib.suppress(OSError):
            self.events.close()


def read_progress(path: str | Path) -> list[dict[str, float]]:
    """Read the rows of a progress.csv; a last row that was cut short is left out."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows:
        return []
    columns, found = rows[0], []
    for row in rows[1:]:
        try:
            found.append({name: float(value) for name, value in zip(columns, row, strict=True)})
        except ValueError:
            break
    return found


def _lines(columns: list[str], rows: list[Any], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(columns)
    writer.writerows([repr(float(row[name])) for name in columns] for row in rows)
    return text.getvalue()
