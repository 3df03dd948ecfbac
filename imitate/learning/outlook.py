"""How well a policy does at present, and how the curve goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def expected_success(fall_rate: float, horizon: int) -> float:
    """Return the share of episodes that reach the horizon.

    Args:
        fall_rate: Chance of a fall in one control step.
        horizon: Control steps of an episode.
    """
    return float((1.0 - min(max(fall_rate, 0.0), 1.0)) ** horizon)


def expected_return(reward: float, fall_rate: float, horizon: int) -> float:
    """Return DeepMimic's normalised return: rewards in [0, 1] summed up to the fall, over the horizon.

    Episodes in training begin everywhere and few of them end in one iteration; with a chance of a fall that is the same in every
    step, the reward of the present iteration tells the return at once.

    Args:
        reward: Mean reward of a control step.
        fall_rate: Chance of a fall in one control step.
        horizon: Control steps of an episode.
    """
    if fall_rate * horizon < 1e-6:
        return reward
    return reward * (1.0 - expected_success(fall_rate, horizon)) / (min(fall_rate, 1.0) * horizon)


def time_left(seconds: Sequence[float] | Float[np.ndarray, " points"], returns: Sequence[float], goal: float) -> float:
    """Estimate the seconds until a curve of returns reaches a goal; infinity where it does not rise.

    The last half of the curve goes on as a straight line of the return's log-odds, which saturates as learning does.

    Args:
        seconds: When each return was seen, rising.
        returns: In [0, 1].
        goal: The return to reach, in (0, 1).
    """
    if len(returns) < 4:
        return math.inf
    tail = len(returns) // 2
    times, values = np.asarray(seconds[tail:], dtype=float), np.clip(returns[tail:], 1e-4, 1.0 - 1e-4)
    odds = np.log(values / (1.0 - values))
    slope, at_zero = np.polyfit(times - times[-1], odds, 1)
    missing = math.log(goal / (1.0 - goal)) - at_zero
    if missing <= 0.0:
        return 0.0
    return float(missing / slope) if slope > 1e-9 else math.inf
