"""Actor and critic: two small networks over normalised observations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import nn

from imitate.learning.distributed import Team
from imitate.learning.normalizer import RunningNormalizer


class Choice(NamedTuple):
    """Actions drawn for observations.

    Attributes:
        actions: (batch, actions).
        log_probs: Their log densities, (batch,).
        values: Values of the observations in units of reward, (batch,).
        means: Means that the actions were drawn around, (batch, actions).
    """

    actions: Float[torch.Tensor, "batch actions"]
    log_probs: Float[torch.Tensor, " batch"]
    values: Float[torch.Tensor, " batch"]
    means: Float[torch.Tensor, "batch actions"]


class Evaluation(NamedTuple):
    """What the present policy makes of samples.

    Attributes:
        log_probs: Log densities of the actions, (batch,).
        entropies: Entropy of the action distribution, (batch,).
        values: The critic's values in units of the value normaliser, (batch,).
        means: Means of the actions, (batch, actions).
        sigmas: Their standard deviations, (actions,).
    """

    log_probs: Float[torch.Tensor, " batch"]
    entropies: Float[torch.Tensor, " batch"]
    values: Float[torch.Tensor, " batch"]
    means: Float[torch.Tensor, "batch actions"]
    sigmas: Float[torch.Tensor, " actions"]


def mlp(inputs: int, hidden: Sequence[int], outputs: int, gain: float) -> nn.Sequential:
    """Make a network of ELU layers, orthogonally initialised.

    Args:
        inputs: Width of the input.
        hidden: Widths of the hidden layers.
        outputs: Width of the output.
        gain: Scale of the last layer's weights.
    """
    widths = [inputs, *hidden]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [_linear(before, after, math.sqrt(2.0)), nn.ELU()]
    return nn.Sequential(*layers, _linear(widths[-1], outputs, gain))


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def log_density(
    actions: Float[torch.Tensor, "batch actions"],
    means: Float[torch.Tensor, "batch actions"],
    log_sigmas: Float[torch.Tensor, " actions"],
) -> Float[torch.Tensor, " batch"]:
    """Return the log density of actions under independent normal distributions."""
    errors = (actions - means) * torch.exp(-log_sigmas)
    constant = log_sigmas.sum() + 0.5 * math.log(2.0 * math.pi) * len(log_sigmas)
    return -0.5 * errors.square().sum(dim=-1) - constant


class ActorCritic(nn.Module):
    """A normal policy with state-independent deviations, and a critic of normalised values.

    Attributes:
        normalizer: Of the observations; frozen while an update runs, so that ratios begin at 1.
        value_normalizer: Of the returns (PopArt, van Hasselt et al. 2016: the critic's values stay as they were).
        log_sigma: Log of the actions' standard deviations, (actions,).
    """

    def __init__(
        self,
        num_observations: int,
        num_actions: int,
        hidden: Sequence[int] = (256, 128),
        sigma: float = 0.12,
        *,
        learn_sigma: bool = True,
    ) -> None:
        """Make networks whose first actions are nearly zero.

        Args:
            num_observations: Width of an observation.
            num_actions: Width of an action.
            hidden: Widths of the hidden layers.
            sigma: Standard deviation of the actions at the start.
            learn_sigma: Whether the deviations are parameters to learn.
        """
        super().__init__()
        self.num_observations, self.num_actions, self.hidden = num_observations, num_actions, tuple(hidden)
        self.normalizer = RunningNormalizer(num_observations)
        self.value_normalizer = RunningNormalizer(1)
        self.actor = mlp(num_observations, hidden, num_actions, gain=0.01)
        self.critic = mlp(num_observations, hidden, 1, gain=1.0)
        self.log_sigma = nn.Parameter(torch.full((num_actions,), math.log(sigma)), requires_grad=learn_sigma)

    def mean(self, observations: Float[torch.Tensor, "batch observations"]) -> Float[torch.Tensor, "batch actions"]:
        """Return the deterministic actions."""
        means: torch.Tensor = self.actor(self.normalizer(observations))
        return means

    forward = mean

    def act(self, observations: Float[torch.Tensor, "batch observations"], noise: Float[torch.Tensor, "batch actions"]) -> Choice:
        """Draw actions.

        Args:
            observations: (batch, observations), as the environment gives them.
            noise: Standard normal numbers, (batch, actions).
        """
        seen = self.normalizer(observations)
        means = self.actor(seen)
        actions = means + noise * self.log_sigma.exp()
        values = self.value_normalizer.undo(self.critic(seen)).squeeze(-1)
        return Choice(actions, log_density(actions, means, self.log_sigma), values, means)

    def values(self, observations: Float[torch.Tensor, "batch observations"]) -> Float[torch.Tensor, " batch"]:
        """Return the values of observations, in units of reward."""
        return self.value_normalizer.undo(self.critic(self.normalizer(observations))).squeeze(-1)

    def evaluate(
        self, observations: Float[torch.Tensor, "batch observations"], actions: Float[torch.Tensor, "batch actions"]
    ) -> Evaluation:
        """Return what the present policy makes of samples, with gradients."""
        seen = self.normalizer(observations)
        means = self.actor(seen)
        entropy = self.log_sigma.sum() + 0.5 * math.log(2.0 * math.pi * math.e) * self.num_actions
        return Evaluation(
            log_density(actions, means, self.log_sigma),
            entropy.expand(len(means)),
            self.critic(seen).squeeze(-1),
            means,
            self.log_sigma.exp(),
        )

    @torch.no_grad()
    def update_value_scale(self, returns: Float[torch.Tensor, "..."], team: Team | None = None) -> None:
        """Take returns into the value normaliser, and change the critic's last layer so that its values stay the same."""
        scale, shift = self.value_normalizer.deviation.clone(), self.value_normalizer.mean.clone()
        self.value_normalizer.update(returns.reshape(-1, 1), team)
        last = self.critic[-1]
        assert isinstance(last, nn.Linear)
        new = self.value_normalizer.deviation
        last.weight *= scale / new
        last.bias.copy_((last.bias * scale + shift - self.value_normalizer.mean) / new)
