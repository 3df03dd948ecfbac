"""Where episodes start: anywhere alike, or more often where they have failed."""

from __future__ import annotations

import numpy as np

from imitate.reference import Reference

BIN_S = 0.2  # seconds of the clip that share one rate
EARLY_S = 2.0  # seconds within which a fall is blamed on the start
LEARNING = 0.1  # share by which one episode moves its bin's rate
UNIFORM = 0.3  # share of episodes that start anywhere alike, whatever has failed


class StartSampler:
    """Draws the first frames of episodes.

    With `adaptive`, starts are kept in bins of 0.2 s, each with a running rate of episodes that fell within 2 s; a bin is
    drawn in proportion to its rate, and three in ten starts anywhere alike, so that no rate grows stale. Rates begin at 1.

    Attributes:
        rates: Failure rate of each bin, shape (bins,).
    """

    def __init__(self, reference: Reference, *, start: str, adaptive: bool) -> None:
        """Sort the starts into bins."""
        self._starts = reference.first_frames if start == "first" else reference.starts
        self._early = EARLY_S * reference.control_rate
        size = max(1, round(BIN_S * reference.control_rate))
        since = self._starts - reference.first_frames[reference.clips[self._starts]]
        new = (since % size == 0) if start == "random" else np.ones(len(self._starts), dtype=bool)
        self._firsts = np.append(np.flatnonzero(new), len(self._starts))
        self._bins = np.zeros(reference.num_frames, dtype=np.int64)
        self._bins[self._starts] = np.cumsum(new) - 1
        self._adaptive = adaptive
        self.rates = np.ones(len(self._firsts) - 1)

    def probabilities(self) -> np.ndarray:
        """Return the chance of each bin, shape (bins,)."""
        sizes = np.diff(self._firsts) / len(self._starts)
        if not self._adaptive or not self.rates.any():
            return sizes
        hard = sizes * self.rates
        return np.asarray(UNIFORM * sizes + (1.0 - UNIFORM) * hard / hard.sum())

    def draw(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Return frames to start at, shape (count,)."""
        where, within = generator.random((2, count))
        bins = np.minimum(np.searchsorted(np.cumsum(self.probabilities()), where, side="right"), len(self.rates) - 1)
        low, high = self._firsts[bins], self._firsts[bins + 1]
        return np.asarray(self._starts[low + (within * (high - low)).astype(np.int64)])

    def record(self, starts: np.ndarray, lengths: np.ndarray, failed: np.ndarray) -> None:
        """Take note of episodes that have ended.

        Args:
            starts: Frames at which they had started, shape (n,).
            lengths: How many steps they lasted, shape (n,).
            failed: Whether they ended early, shape (n,).
        """
        bins = self._bins[starts]
        fell = np.bincount(bins, weights=failed & (lengths <= self._early), minlength=len(self.rates))
        count = np.bincount(bins, minlength=len(self.rates))
        kept = (1.0 - LEARNING) ** count
        self.rates = kept * self.rates + (1.0 - kept) * fell / np.maximum(count, 1)
