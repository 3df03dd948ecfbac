"""A policy, its optimiser and its bodies: what learns, iteration by iteration, and all that an exact continuation needs."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict
from typing import Any, cast

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from imitate.errors import ImitationError
from imitate.learning.config import PPOConfig
from imitate.learning.distributed import Team
from imitate.learning.environment import Environment
from imitate.learning.losses import next_learning_rate
from imitate.learning.outlook import expected_return, expected_success
from imitate.learning.policy import ActorCritic
from imitate.learning.ppo import update
from imitate.learning.rollout import NotFiniteError, collect, threads

WINDOW = 20  # iterations over which rare falls are counted
AVERAGING = 0.98  # decay, per iteration, of the mean of the weights
MOST_BROKEN = 0.01  # of an iteration's samples; where more broke down under bad numbers, nothing can be learned


class Learner:
    """Rolls out and updates in turn.

    Attributes:
        env: The bodies of this process.
        policy: What is learned.
        averaged: Its exponential mean over the last 50 iterations or so (Polyak and Juditsky 1992), steadier than the policy
            itself, which a single update moves far: what is tried and kept.
        iteration: Updates done.
        samples: Control steps of single bodies seen, by all processes.
    """

    def __init__(
        self,
        env: Environment,
        config: PPOConfig,
        *,
        seed: int = 0,
        horizon: int,
        policy: ActorCritic | None = None,
        device: str = "cpu",
        update_threads: int = 0,
        team: Team | None = None,
    ) -> None:
        """Make a policy for the bodies; equal seeds make equal policies, in all processes.

        Args:
            env: The bodies.
            config: How to learn.
            seed: Of weights, action noise and minibatches.
            horizon: Control steps of a full episode, for the figures of success and return.
            policy: What to begin with; by default networks that know nothing.
            device: Where the networks live, such as "cpu" or "cuda".
            update_threads: Threads of torch in an update; 0 for torch's own choice.
            team: The processes that train together.
        """
        self.env, self.config, self.horizon, self.team = env, config, horizon, team or Team()
        self.update_threads = update_threads
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = ActorCritic(
                env.num_observations, env.num_actions, config.hidden, config.sigma, learn_sigma=config.learn_sigma
            )
        if policy is not None:
            fresh.load_state_dict(policy.state_dict())
        self.policy = fresh.to(device)
        self._average = AveragedModel(self.policy, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))  # type: ignore[no-untyped-call]
        learned = [parameter for parameter in self.policy.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(learned, lr=config.learning_rate, fused=True)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.shuffler = torch.Generator().manual_seed(seed)
        self.beta, self.iteration, self.samples = config.kl_beta, 0, 0
        self.recent: deque[tuple[float, float]] = deque(maxlen=WINDOW)  # falls, samples
        self.observations = env.reset()
        self._look_around()

    def _look_around(self) -> None:
        """Roll out once for the normaliser alone.

        Bodies that were just put on the reference differ from it in nothing, so their moments would blow up the first errors
        that the policy sees, and the first update would wreck it.
        """
        rollout, self.observations = collect(
            self.env, self.policy, self.observations, steps=self.config.steps, generator=self.generator, team=self.team
        )
        self.policy.normalizer.update(rollout.observations, self.team)

    def iterate(self) -> dict[str, float]:
        """Roll out once, update once, and return the figures of this iteration.

        Raises:
            NotFiniteError: Where a body or the network holds a number that is not finite, or more than 1 % of the samples ended
                in bodies that broke down under bad numbers.
        """
        begin, before = time.perf_counter(), self._broken()
        rollout, self.observations = collect(
            self.env,
            self.policy,
            self.observations,
            steps=self.config.steps,
            generator=self.generator,
            team=self.team,
        )
        broken = sum(self.team.gather(self._broken() - before), Counter[str]())
        count = rollout.rewards.numel() * self.team.size
        if broken.total() > MOST_BROKEN * count:
            part, times = broken.most_common(1)[0]
            raise NotFiniteError(
                f"{broken.total()} of {count} steps broke a body under bad numbers, {times} of them at {part!r} (a finer "
                "--env.physics-rate-hz or more --character.armature keeps it whole)"
            )
        rolled = time.perf_counter()
        with threads(self.update_threads):
            result = update(
                self.policy,
                self.optimizer,
                rollout,
                self.config,
                beta=self.beta,
                shuffler=self.shuffler,
                team=self.team,
            )
        self.beta, step_size = result.beta, self.optimizer.param_groups[0]["lr"]
        if self.config.loss == "clip":
            self.optimizer.param_groups[0]["lr"] = next_learning_rate(step_size, result.kl, self.config.step_kl)
        self._average.update_parameters(self.policy)
        self.averaged.critic.load_state_dict(self.policy.critic.state_dict())  # in the unit of the newest returns
        self.iteration += 1
        self.samples += count
        sums = [rollout.rewards.sum(), rollout.terminated.sum(), rollout.truncated.sum()]
        sums += [torch.tensor(value * rollout.rewards.numel()) for value in rollout.terms.values()]
        joint = self.team.add(torch.stack([value.to(rollout.rewards) for value in sums])).tolist()
        self.recent.append((joint[1], float(count)))
        falls, seen = (sum(column) for column in zip(*self.recent, strict=True))
        rate = (falls + 0.5) / (seen + 1.0)  # the median of a rate after few or no falls
        reward = joint[0] / count
        row = {
            "iteration": float(self.iteration),
            "samples": float(self.samples),
            "reward": reward,
            "return": expected_return(reward, rate, self.horizon),
            "success": expected_success(rate, self.horizon),
            "steps_between_falls": 1.0 / rate,
            "falls": joint[1],
            "cut_off": joint[2],
            "broken": float(broken.total()),
        }
        row |= {f"term/{name}": value / count for name, value in zip(rollout.terms, joint[3:], strict=True)}
        row |= {f"update/{name}": value for name, value in asdict(result).items()}
        row["update/learning_rate"] = step_size
        end = time.perf_counter()
        row |= {f"seconds/{name}": value for name, value in rollout.seconds.items()}
        row |= {"seconds/update": end - rolled, "seconds/all": end - begin}
        return row

    @property
    def averaged(self) -> ActorCritic:
        """The exponential mean of the policy's weights, with its normaliser."""
        return cast("ActorCritic", self._average.module)

    def _broken(self) -> Counter[str]:
        """Return how often bodies of this process broke down so far, by the part that did; see `TrackingEnv.bad_numbers`."""
        return Counter(getattr(self.env, "bad_numbers", ()))

    def state(self) -> dict[str, Any]:
        """Return all that an exact continuation needs; of a team, the bodies of every process."""
        return {
            "policy": self.policy.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "shuffler": self.shuffler.get_state(),
            "beta": self.beta,
            "iteration": self.iteration,
            "samples": self.samples,
            "recent": list(self.recent),
            "bodies": self.team.gather({"env": self.env.state(), "observations": self.observations}),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state.

        Raises:
            ImitationError: Where it is of another number of processes, or of other networks.
        """
        if len(state["bodies"]) != self.team.size:
            raise ImitationError(
                f"the run was trained by {len(state['bodies'])} processes and is resumed by {self.team.size}; "
                f"resume it with torchrun --nproc-per-node={len(state['bodies'])}"
            )
        try:
            self.policy.load_state_dict(state["policy"])
            self._average.load_state_dict(state["average"])
        except (KeyError, RuntimeError) as error:
            raise ImitationError(f"the checkpoint's networks are not those of this run: {_last_line(error)}") from None
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.shuffler.set_state(state["shuffler"])
        self.beta, self.iteration, self.samples = state["beta"], state["iteration"], state["samples"]
        self.recent = deque((tuple(pair) for pair in state["recent"]), maxlen=WINDOW)
        mine = state["bodies"][self.team.rank]
        self.env.restore(mine["env"])
        self.observations = mine["observations"]


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()
