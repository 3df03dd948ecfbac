"""The environment as rsl_rl knows one. Needs `rsl-rl-lib` and its `tensordict`, which nothing else of the package does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from imitate.envs.tracking import TrackingEnv

GROUP = "policy"  # name of the only group of observations


class RslRlEnv(VecEnv):  # type: ignore[misc]  # rsl_rl has no types
    """A `TrackingEnv` that rsl_rl's runners take.

    rsl_rl bootstraps at `extras["time_outs"]` with the value of the state before the action; the observations after it are
    in `extras["final_observations"]`.

    Attributes:
        env: The environment itself.
    """

    def __init__(self, env: TrackingEnv, *, device: str = "cpu") -> None:
        """Wrap an environment; tensors go to and come from `device`."""
        self.env, self.device = env, torch.device(device)
        self.num_envs, self.num_actions = env.num_envs, env.num_actions
        self.max_episode_length = env.config.episode_steps
        self.cfg: dict[str, Any] = asdict(env.config)
        self._seen = self._tensor(env.reset())

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """Steps of each body's episode so far, shape (num_envs,)."""
        return torch.as_tensor(self.env.lengths.copy(), device=self.device)

    @episode_length_buf.setter
    def episode_length_buf(self, lengths: torch.Tensor) -> None:
        """Set the steps so far: runners spread them at the start, so that not all bodies run out of time at once."""
        self.env.lengths[:] = lengths.cpu().numpy()

    def get_observations(self) -> TensorDict:
        """Return what is seen now."""
        return self._group(self._seen)

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Act once with every body, `actions` of shape (num_envs, num_actions)."""
        step = self.env.step(actions.detach().cpu().numpy())
        self._seen = self._tensor(step.observations)
        extras = {
            "time_outs": self._tensor(step.truncated),
            "final_observations": self._group(self._tensor(step.final_observations)),
            "log": {f"/{name}": float(term.mean()) for name, term in step.terms.items()},
        }
        dones = self._tensor(step.terminated | step.truncated).long()
        return self._group(self._seen), self._tensor(step.rewards), dones, extras

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(values, device=self.device)

    def _group(self, seen: torch.Tensor) -> TensorDict:
        return TensorDict({GROUP: seen}, batch_size=[self.num_envs], device=self.device)
