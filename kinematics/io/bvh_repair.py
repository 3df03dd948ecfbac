"""What a reader mends, counted and reported; `strict=True` turns the first mend into an error."""

from __future__ import annotations

from collections import Counter

import numpy as np
from jaxtyping import Bool, Float

from kinematics.errors import BvhParseError
from kinematics.motion import Repair

LISTED = 20  # repairs of one kind that are listed one by one; more are counted


class Report:
    """Collects repairs and notes while a file is read.

    Attributes:
        path: The file, for messages.
        strict: Whether the first repair is an error.
    """

    def __init__(self, path: str, *, strict: bool) -> None:
        """Start with nothing to report."""
        self.path, self.strict = path, strict
        self._repairs: list[Repair] = []
        self._notes: list[Repair] = []
        self._seen: Counter[str] = Counter()

    def error(self, message: str, line: int, expected: str = "") -> BvhParseError:
        """Return the error to raise where a file cannot be read."""
        return BvhParseError(message, path=self.path, line=line, expected=expected)

    def wants(self, kind: str) -> bool:
        """Tell whether one more repair of a kind would be listed; else `count` is enough."""
        return self._seen[kind] < LISTED

    def count(self, kind: str, more: int = 1) -> None:
        """Count repairs that are not listed."""
        self._seen[kind] += more

    def repair(self, kind: str, line: int, found: str, expected: str, mend: str) -> None:
        """Report a mend: what was found at a line, what should have stood there, what was done.

        Raises:
            BvhParseError: In strict mode.
        """
        if self.strict:
            raise self.error(found, line, expected)
        if self.wants(kind):
            self._repairs.append(Repair(line, f"{found}: {mend}"))
        self.count(kind)

    def note(self, line: int, message: str) -> None:
        """Report a decision where nothing was wrong."""
        self._notes.append(Repair(line, message))

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Repairs in file order, then how many more of each kind there are."""
        more = [Repair(0, f"{count - LISTED} more of: {kind}") for kind, count in self._seen.items() if count > LISTED]
        return (*sorted(self._repairs, key=lambda repair: repair.line), *more)

    @property
    def notes(self) -> tuple[Repair, ...]:
        """Notes in the order given."""
        return tuple(self._notes)


def fill_gaps(
    values: Float[np.ndarray, "frames channels"],
    missing: Bool[np.ndarray, "frames channels"],
    rest: Float[np.ndarray, " channels"],
    turning: Bool[np.ndarray, " channels"],
) -> None:
    """Fill missing numbers in place: linear between neighbouring frames, nearest at the ends, `rest` where a channel has none.

    Angles (`turning`, in degrees) go the shorter way round: between 179 and -179 lies 180, not 0.
    """
    frames = np.arange(len(values))
    for channel in np.flatnonzero(missing.any(axis=0)):
        gaps = missing[:, channel]
        known = values[~gaps, channel]
        if turning[channel]:
            known = np.unwrap(known, period=360.0)
        values[gaps, channel] = np.interp(frames[gaps], frames[~gaps], known) if len(known) else rest[channel]
