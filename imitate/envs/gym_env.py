"""The environment as Gymnasium knows one: many bodies at once, or one.

Needs `gymnasium`, which nothing else of the package does.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from imitate.character.character import Character
from imitate.envs.config import EnvConfig
from imitate.envs.tracking import Step, TrackingEnv
from imitate.reference import Reference

LARGEST = float(np.finfo(np.float32).max)  # an observation is any finite number
ACTION_LIMIT = 1.0  # of the spaces; the environment itself takes any number


class TrackingVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """`TrackingEnv` as a vector environment: bodies whose episode ends begin anew in the same step.

    `infos["final_obs"]` holds the last observations of the episodes that ended, and `infos["_final_obs"]` which these are;
    `infos["completed"]` which of them came to the clip's end; the other entries are `Step.terms`.

    Attributes:
        env: The environment itself.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # as Gymnasium's own environments do
        "render_modes": [],
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        character: Character,
        reference: Reference,
        config: EnvConfig | None = None,
        *,
        num_envs: int,
        num_threads: int = 0,
    ) -> None:
        """Make the bodies; see `TrackingEnv`. The seed is given to `reset`."""
        self.env = TrackingEnv(character, reference, config, num_envs=num_envs, num_threads=num_threads)
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = _spaces(self.env)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin anew with every body; a seed makes everything that follows the same."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self.env.seed(seed)
        return self.env.reset(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Act once with every body."""
        step = self.env.step(np.asarray(actions))
        infos: dict[str, Any] = {"completed": step.completed, **step.terms}
        ended = step.terminated | step.truncated
        if ended.any():
            infos["final_obs"], infos["_final_obs"] = step.final_observations.copy(), ended
        return step.observations, step.rewards.astype(np.float64), step.terminated, step.truncated, infos


class TrackingGymEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """One body as an environment of its own; `gymnasium.utils.env_checker.check_env` passes it.

    Many of these in a `SyncVectorEnv` are many times slower than `TrackingVectorEnv`.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, character: Character, reference: Reference, config: EnvConfig | None = None) -> None:
        """Make the body; see `TrackingEnv`."""
        self._env = TrackingEnv(character, reference, config, num_envs=1, num_threads=1)
        self.observation_space, self.action_space = _spaces(self._env)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin anew; a seed makes everything that follows the same."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self._env.seed(seed)
        return self._env.reset()[0], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Act once."""
        step: Step = self._env.step(np.asarray(action)[None])
        info = {"completed": bool(step.completed[0]), **{name: float(term[0]) for name, term in step.terms.items()}}
        return (
            step.final_observations[0], float(step.rewards[0]), bool(step.terminated[0]), bool(step.truncated[0]), info
        )  # fmt: skip


def _spaces(env: TrackingEnv) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Box]:
    return (
        gymnasium.spaces.Box(-LARGEST, LARGEST, (env.num_observations,), np.float32),
        gymnasium.spaces.Box(-ACTION_LIMIT, ACTION_LIMIT, (env.num_actions,), np.float32),
    )
