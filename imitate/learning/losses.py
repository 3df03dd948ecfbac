"""What an update descends, sample by sample: the mean over a minibatch is the loss."""

from __future__ import annotations

import torch
from jaxtyping import Float

LEARNING_RATES = (1e-5, 1e-3)  # what `next_learning_rate` stays within


def policy_gradient(
    log_probs: Float[torch.Tensor, " batch"], advantages: Float[torch.Tensor, " batch"]
) -> Float[torch.Tensor, " batch"]:
    """Return the loss whose gradient is the policy gradient (Williams 1992; advantages: reward-to-go less a baseline)."""
    return -log_probs * advantages


def ppo_clip(
    log_probs: Float[torch.Tensor, " batch"],
    old_log_probs: Float[torch.Tensor, " batch"],
    advantages: Float[torch.Tensor, " batch"],
    *,
    clip: float,
) -> Float[torch.Tensor, " batch"]:
    """Return PPO's clipped loss (Schulman et al. 2017, equation 7).

    Args:
        log_probs: Log densities of the actions under the present policy.
        old_log_probs: Those under the policy that drew them.
        advantages: Of the actions.
        clip: Epsilon: the ratio's gradient is cut where it is farther than this from 1 on the side that the advantage favours.
    """
    ratios = torch.exp(log_probs - old_log_probs)
    return -torch.minimum(ratios * advantages, ratios.clamp(1.0 - clip, 1.0 + clip) * advantages)


def ppo_kl_penalty(
    log_probs: Float[torch.Tensor, " batch"],
    old_log_probs: Float[torch.Tensor, " batch"],
    advantages: Float[torch.Tensor, " batch"],
    divergences: Float[torch.Tensor, " batch"],
    *,
    beta: float,
) -> Float[torch.Tensor, " batch"]:
    """Return PPO's loss with a KL penalty (Schulman et al. 2017, equation 8).

    Args:
        log_probs: Log densities of the actions under the present policy.
        old_log_probs: Those under the policy that drew them.
        advantages: Of the actions.
        divergences: KL divergence of the old policy from the present one, by `gaussian_kl`.
        beta: Weight of the penalty.
    """
    return -torch.exp(log_probs - old_log_probs) * advantages + beta * divergences


def next_beta(beta: float, divergence: float, target: float) -> float:
    """Return the penalty's weight for the next update: doubled above 1.5 targets, halved below a target / 1.5 (section 4)."""
    if divergence > 1.5 * target:
        return min(2.0 * beta, 1e6)
    return max(0.5 * beta, 1e-6) if divergence < target / 1.5 else beta


def gaussian_kl(
    old_means: Float[torch.Tensor, "batch actions"],
    old_sigmas: Float[torch.Tensor, " actions"],
    means: Float[torch.Tensor, "batch actions"],
    sigmas: Float[torch.Tensor, " actions"],
) -> Float[torch.Tensor, " batch"]:
    """Return KL(old || new) of independent normal distributions, summed over the actions."""
    terms = torch.log(sigmas / old_sigmas) + (old_sigmas**2 + (old_means - means) ** 2) / (2.0 * sigmas**2) - 0.5
    return terms.sum(dim=-1)


def value_error(values: Float[torch.Tensor, " batch"], returns: Float[torch.Tensor, " batch"]) -> Float[torch.Tensor, " batch"]:
    """Return the critic's squared errors."""
    return (values - returns).square()


def next_learning_rate(rate: float, kl: float, target: float) -> float:
    """Return the learning rate for the next update, 1.5 times smaller or larger where this one went too far or not far enough.

    As in "Learning to walk in minutes" (Rudin et al. 2021). Its usual target of 0.01 is for a dozen actions and broad noise: a
    divergence sums over the actions, and counts a shift of the mean in units of their deviation.

    Args:
        rate: Of this update.
        kl: Divergence of the old policy from the new one.
        target: What it should be; 0 leaves the rate as it is.
    """
    if target and kl > 2.0 * target:
        return min(rate, max(rate / 1.5, LEARNING_RATES[0]))
    if target and kl < 0.5 * target:
        return max(rate, min(rate * 1.5, LEARNING_RATES[1]))
    return rate
