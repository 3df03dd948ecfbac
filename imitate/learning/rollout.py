"""What the bodies did in a few steps under the present policy."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float

from imitate.errors import ImitationError
from imitate.learning.distributed import Team
from imitate.learning.environment import Environment
from imitate.learning.policy import ActorCritic


class NotFiniteError(ImitationError):
    """A body or a network holds numbers that are not finite.

    Attributes:
        body: Which body; -1 where it is the network.
    """

    def __init__(self, message: str, *, body: int = -1) -> None:
        """Build the error from its sentence."""
        self.body = body
        super().__init__(message)


@dataclass
class Rollout:
    """Samples of `steps` control steps of all bodies, on the policy's device.

    Attributes:
        observations: What the policy saw, (steps, bodies, observations).
        actions: What it did, (steps, bodies, actions).
        log_probs: Log densities of the actions, (steps, bodies).
        values: Values of the observations, (steps, bodies).
        rewards: (steps, bodies).
        terminated: Episodes ended by the step, (steps, bodies).
        truncated: Episodes cut off after the step, (steps, bodies).
        next_values: Values of the observations after each step, before resets, (steps, bodies).
        means: Means of the action distributions, (steps, bodies, actions).
        sigmas: Their deviations, (actions,).
        terms: Means of the environment's reward terms.
        seconds: Time spent in "environment" and "inference".
    """

    observations: Float[torch.Tensor, "steps bodies observations"]
    actions: Float[torch.Tensor, "steps bodies actions"]
    log_probs: Float[torch.Tensor, "steps bodies"]
    values: Float[torch.Tensor, "steps bodies"]
    rewards: Float[torch.Tensor, "steps bodies"]
    terminated: Bool[torch.Tensor, "steps bodies"]
    truncated: Bool[torch.Tensor, "steps bodies"]
    next_values: Float[torch.Tensor, "steps bodies"]
    means: Float[torch.Tensor, "steps bodies actions"]
    sigmas: Float[torch.Tensor, " actions"]
    terms: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads inside the block; 0 leaves it as it is."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
def collect(
    env: Environment,
    policy: ActorCritic,
    observations: Float[np.ndarray, "bodies observations"],
    *,
    steps: int,
    generator: torch.Generator,
    team: Team | None = None,
) -> tuple[Rollout, Float[np.ndarray, "bodies observations"]]:
    """Let the policy move all bodies for some control steps.

    Torch works on one thread meanwhile: its threads and the physics' would take the processors from each other.

    Args:
        env: The bodies.
        policy: What moves them.
        observations: Of the present moment, from the last call or `env.reset()`.
        steps: Control steps.
        generator: Of the action noise; in the same state in all processes of a team.
        team: The processes that train together.

    Returns:
        The rollout, and the observations to go on from.

    Raises:
        NotFiniteError: Where a body's observation or reward, or an action, is not finite.
    """
    team = team or Team()
    device = policy.log_sigma.device
    bodies, actions = env.num_envs, env.num_actions

    def room(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.empty(steps, bodies, *shape, dtype=dtype, device=device)

    rollout = Rollout(
        observations=room(env.num_observations),
        actions=room(actions),
        log_probs=room(),
        values=room(),
        rewards=room(),
        terminated=room(dtype=torch.bool),
        truncated=room(dtype=torch.bool),
        next_values=room(),
        means=room(actions),
        sigmas=policy.log_sigma.exp().clone(),
    )
    spent = 0.0
    begin = time.perf_counter()
    last: list[np.ndarray] = []  # what episodes saw that were cut off
    with threads(1):
        for step in range(steps):
            seen = torch.from_numpy(observations).to(device)
            choice = policy.act(seen, team.noise(bodies, actions, generator))
            sent = choice.actions.cpu().numpy()
            _require_finite(sent, "action", step)
            entered = time.perf_counter()
            result = env.step(sent)
            spent += time.perf_counter() - entered
            for name in ("final_observations", "rewards", "observations"):
                _require_finite(getattr(result, name), name, step)
            rollout.observations[step] = seen
            for name in ("actions", "log_probs", "values", "means"):
                getattr(rollout, name)[step] = getattr(choice, name)
            for name in ("rewards", "terminated", "truncated"):
                getattr(rollout, name)[step] = torch.from_numpy(getattr(result, name))
            for name, numbers in result.terms.items():
                rollout.terms[name] = rollout.terms.get(name, 0.0) + float(numbers.mean()) / steps
            last.append(result.final_observations[result.truncated])
            observations = result.observations
        rollout.next_values[:-1] = rollout.values[1:]
        rollout.next_values[-1] = policy.values(torch.from_numpy(observations).to(device))
        if rollout.truncated.any():
            rollout.next_values[rollout.truncated] = policy.values(torch.from_numpy(np.concatenate(last)).to(device))
    rollout.seconds.update(environment=spent, inference=time.perf_counter() - begin - spent)
    return rollout, np.array(observations)


def _require_finite(numbers: np.ndarray, name: str, step: int) -> None:
    """Refuse NaN and infinity; the sum of all tells fast whether there is one."""
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(numbers.sum(dtype=np.float64)):
            return
    bad = np.argwhere(~np.isfinite(numbers))
    body, value = int(bad[0][0]), numbers[tuple(bad[0])]
    count = len(np.unique(bad[:, 0]))
    raise NotFiniteError(
        f"body {body} of {len(numbers)} has {name.replace('_', ' ')} that are not finite ({value}) in step {step} of the rollout"
        + (f", and so have {count - 1} others" if count > 1 else ""),
        body=body,
    )
