"""Advantages of what was done over what the critic expected."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float


def generalized_advantages(
    rewards: Float[torch.Tensor, "steps bodies"],
    values: Float[torch.Tensor, "steps bodies"],
    next_values: Float[torch.Tensor, "steps bodies"],
    terminated: Bool[torch.Tensor, "steps bodies"],
    truncated: Bool[torch.Tensor, "steps bodies"],
    *,
    discount: float,
    trace_decay: float,
) -> Float[torch.Tensor, "steps bodies"]:
    """Estimate advantages over several steps (Schulman et al. 2016, equation 16).

    After a termination nothing follows; a truncated episode would have gone on, so the value of its last observation stands in.

    Args:
        rewards: Reward of each step.
        values: Value of the observation before each step.
        next_values: Value of the observation after each step, before any reset.
        terminated: Whether the step ended its episode for good.
        truncated: Whether the episode was cut off after the step.
        discount: Gamma.
        trace_decay: Lambda.

    Returns:
        Advantages, (steps, bodies); with the values they are the returns that the critic learns.
    """
    deltas = rewards + discount * next_values.masked_fill(terminated, 0.0) - values  # equation 10
    carried = (discount * trace_decay) * (~(terminated | truncated)).to(rewards.dtype)
    advantages = torch.empty_like(rewards)
    following = torch.zeros_like(rewards[0])
    for step in range(len(rewards) - 1, -1, -1):
        following = deltas[step] + carried[step] * following
        advantages[step] = following
    return advantages


def rewards_to_go(
    rewards: Float[torch.Tensor, "steps bodies"],
    next_values: Float[torch.Tensor, "steps bodies"],
    terminated: Bool[torch.Tensor, "steps bodies"],
    truncated: Bool[torch.Tensor, "steps bodies"],
    *,
    discount: float,
) -> Float[torch.Tensor, "steps bodies"]:
    """Return the discounted rewards from each step on; what lies beyond the last step or a truncation is the critic's value.

    Less a baseline they are the weights of the policy gradient (Williams 1992); with the critic as baseline they equal
    generalised advantages with a trace decay of 1.

    Args:
        rewards: Reward of each step.
        next_values: Value of the observation after each step, before any reset.
        terminated: Whether the step ended its episode for good.
        truncated: Whether the episode was cut off after the step.
        discount: Gamma.
    """
    ended = terminated | truncated
    totals = torch.empty_like(rewards)
    following = next_values[-1]
    for step in range(len(rewards) - 1, -1, -1):
        following = torch.where(ended[step], next_values[step], following).masked_fill(terminated[step], 0.0)
        following = rewards[step] + discount * following
        totals[step] = following
    return totals


def standardized(
    advantages: Float[torch.Tensor, "steps bodies"], mean: Float[torch.Tensor, ""], deviation: Float[torch.Tensor, ""]
) -> Float[torch.Tensor, "steps bodies"]:
    """Return advantages with mean 0 and deviation 1."""
    return (advantages - mean) / deviation.clamp_min(1e-8)
