"""What learning asks of an environment; `imitate.envs.TrackingEnv` is one."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float


@runtime_checkable
class StepLike(Protocol):
    """What one control step of all bodies gives."""

    observations: Float[np.ndarray, "bodies observations"]
    rewards: Float[np.ndarray, " bodies"]
    terminated: Bool[np.ndarray, " bodies"]
    truncated: Bool[np.ndarray, " bodies"]
    final_observations: Float[np.ndarray, "bodies observations"]
    terms: dict[str, np.ndarray]


@runtime_checkable
class Environment(Protocol):
    """Many bodies that are stepped together; those that end are reset at once."""

    num_envs: int
    num_observations: int
    num_actions: int

    def reset(self) -> Float[np.ndarray, "bodies observations"]:
        """Begin an episode with every body."""
        ...

    def step(self, actions: Float[np.ndarray, "bodies actions"]) -> StepLike:
        """Advance by one control step."""
        ...

    def state(self) -> dict[str, Any]:
        """Return everything that an exact continuation needs."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        ...
