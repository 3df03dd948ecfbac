"""A small environment for tests of learning: points that follow a circle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float


@dataclass
class PointStep:
    """What one step of `PointEnv` gives."""

    observations: Float[np.ndarray, "bodies observations"]
    rewards: Float[np.ndarray, " bodies"]
    terminated: Bool[np.ndarray, " bodies"]
    truncated: Bool[np.ndarray, " bodies"]
    final_observations: Float[np.ndarray, "bodies observations"]
    terms: dict[str, np.ndarray] = field(default_factory=dict)


class PointEnv:
    """Points pushed by forces to follow a circle; farther than `reach` from it an episode ends, after `horizon` it is cut off."""

    num_observations, num_actions = 6, 2

    def __init__(self, *, num_envs: int = 32, seed: int = 0, first: int = 0, horizon: int = 40, reach: float = 0.5) -> None:
        """Make points.

        Args:
            num_envs: How many.
            seed: Of their phases.
            first: Number of the first point in the whole team: point 3 does the same in whatever process it is.
            horizon: Steps until an episode is cut off.
            reach: Distance at which an episode ends.
        """
        self.num_envs, self.horizon, self.reach = num_envs, horizon, reach
        self.generators = [np.random.default_rng([seed, first + body]) for body in range(num_envs)]
        self.positions, self.velocities = np.zeros((num_envs, 2)), np.zeros((num_envs, 2))
        self.phases, self.ages = np.zeros(num_envs), np.zeros(num_envs, dtype=np.int64)

    def reset(self) -> Float[np.ndarray, "bodies observations"]:
        """Put every point on its circle."""
        self._begin(np.ones(self.num_envs, dtype=bool))
        return self._observe()

    def step(self, actions: Float[np.ndarray, "bodies actions"]) -> PointStep:
        """Push the points for one step."""
        self.velocities = 0.8 * self.velocities + 0.2 * actions
        self.positions = self.positions + self.velocities
        self.phases = self.phases + 0.1
        self.ages = self.ages + 1
        errors = np.linalg.norm(self.positions - self._goals(), axis=1)
        terminated = errors > self.reach
        truncated = (self.ages >= self.horizon) & ~terminated
        final = self._observe()
        rewards = np.where(terminated, 0.0, np.exp(-10.0 * errors**2)).astype(np.float32)
        self._begin(terminated | truncated)
        return PointStep(self._observe(), rewards, terminated, truncated, final, {"mean_distance": errors})

    def state(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "positions": self.positions.copy(),
            "velocities": self.velocities.copy(),
            "phases": self.phases.copy(),
            "ages": self.ages.copy(),
            "generators": [generator.bit_generator.state for generator in self.generators],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        for name in ("positions", "velocities", "phases", "ages"):
            setattr(self, name, np.array(state[name]))
        for generator, saved in zip(self.generators, state["generators"], strict=True):
            generator.bit_generator.state = saved

    def _goals(self) -> np.ndarray:
        return np.stack([np.cos(self.phases), np.sin(self.phases)], axis=1)

    def _observe(self) -> Float[np.ndarray, "bodies observations"]:
        parts = [self.positions - self._goals(), self.velocities, self._goals()]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _begin(self, chosen: np.ndarray) -> None:
        for body in np.flatnonzero(chosen):
            self.phases[body] = self.generators[body].uniform(0.0, 2.0 * np.pi)
            self.ages[body] = self.generators[body].integers(0, self.horizon)
        self.positions[chosen] = self._goals()[chosen]
        self.velocities[chosen] = 0.0
