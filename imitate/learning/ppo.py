"""One update of a policy from one rollout: proximal policy optimisation (Schulman et al. 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float

from imitate.learning.config import PPOConfig
from imitate.learning.distributed import Team
from imitate.learning.gae import generalized_advantages, rewards_to_go, standardized
from imitate.learning.losses import gaussian_kl, next_beta, policy_gradient, ppo_clip, ppo_kl_penalty, value_error
from imitate.learning.policy import ActorCritic, Evaluation
from imitate.learning.rollout import NotFiniteError, Rollout


@dataclass(frozen=True)
class Update:
    """What an update saw.

    Attributes:
        beta: Weight of the KL penalty for the next update.
        kl: Divergence of the old policy from the new one, in nats, mean over the last pass.
        ratio_mean: Mean importance ratio of the last pass.
        ratio_max: Largest importance ratio of the last pass.
        clipped: Share of the samples of the last pass whose ratio lies beyond the clip.
        value_loss: The critic's squared error in units of the returns' variance, mean over the last pass.
        explained_variance: Share of the returns' variance that the critic knew beforehand.
        gradient_norm: Largest length of a gradient before it was shortened.
        sigma: Mean standard deviation of the actions.
    """

    beta: float
    kl: float
    ratio_mean: float
    ratio_max: float
    clipped: float
    value_loss: float
    explained_variance: float
    gradient_norm: float
    sigma: float


def update(
    policy: ActorCritic,
    optimizer: torch.optim.Optimizer,
    rollout: Rollout,
    config: PPOConfig,
    *,
    beta: float,
    shuffler: torch.Generator,
    team: Team | None = None,
) -> Update:
    """Improve the policy by a rollout; afterwards take the rollout's observations into the normaliser.

    Args:
        policy: What acted in the rollout; changed in place.
        optimizer: Of its parameters.
        rollout: Samples.
        config: How to learn.
        beta: Weight of the KL penalty.
        shuffler: Generator, on the CPU, of the minibatches; in the same state in all processes of a team.
        team: The processes that train together: gradients, advantages and normalisers are those of the joint batch.

    Raises:
        NotFiniteError: Where a gradient is not finite.
    """
    team = team or Team()
    steps, bodies = rollout.rewards.shape
    count = steps * bodies * team.size
    advantages = _advantages(rollout, config)
    returns = advantages + rollout.values
    explained = 1.0 - _variance(advantages, count, team)[1] / _variance(returns, count, team)[1].clamp_min(1e-12)
    policy.update_value_scale(returns, team)
    mean, variance = _variance(advantages, count, team)
    weights = standardized(advantages, mean, variance.sqrt()).reshape(-1)
    targets = policy.value_normalizer(returns.reshape(-1, 1)).squeeze(-1)
    observations, actions = rollout.observations.flatten(0, 1), rollout.actions.flatten(0, 1)
    old_log_probs, old_means = rollout.log_probs.reshape(-1), rollout.means.flatten(0, 1)

    plain = config.loss == "policy_gradient"  # after one step the samples are no longer the policy's own
    passes, parts = config.epochs, 1 if plain else config.minibatches
    totals, largest, longest = torch.zeros(5, device=weights.device), 0.0, 0.0
    for epoch in range(passes):
        last = epoch == passes - 1
        for samples in team.shuffle(steps, bodies, parts, shuffler):
            own = samples.to(weights.device)
            now = policy.evaluate(observations[own], actions[own])
            divergences = gaussian_kl(old_means[own], rollout.sigmas, now.means, now.sigmas)
            surrogate = _surrogate(config, now, old_log_probs[own], weights[own], divergences, beta)
            errors = value_error(now.values, targets[own])
            losses = config.value_weight * errors
            if not (plain and epoch):  # later passes of the plain policy gradient teach the critic alone
                losses = losses + surrogate - config.entropy_weight * now.entropies
            optimizer.zero_grad(set_to_none=True)
            loss = losses.sum() / (count / parts)  # summed over the team: the mean over the joint minibatch
            torch.autograd.backward(loss)
            team.add_gradients(policy.parameters())
            length = float(torch.nn.utils.clip_grad_norm_(policy.parameters(), config.max_gradient_norm))
            if not math.isfinite(length):
                raise NotFiniteError(
                    f"the gradient of the {config.loss} loss is not finite ({length}) in pass {epoch + 1} of the update; "
                    "a smaller ppo.learning_rate or ppo.max_gradient_norm may mend it"
                )
            optimizer.step()
            longest = max(longest, length)
            if last:
                with torch.no_grad():
                    ratios = torch.exp(now.log_probs - old_log_probs[own])
                    beyond = ((ratios - 1.0).abs() > config.clip).float()
                    totals += torch.stack([part.sum() for part in (divergences, ratios, beyond, errors, now.entropies)])
                    largest = max(largest, float(ratios.max()) if len(ratios) else 0.0)
    policy.normalizer.update(observations, team)
    kl, ratio, clipped, value_loss, _ = (team.add(totals) / count).tolist()
    return Update(
        beta=next_beta(beta, kl, config.kl_target) if config.loss == "kl_penalty" else beta,
        kl=kl,
        ratio_mean=ratio,
        ratio_max=max(team.gather(largest)),
        clipped=clipped,
        value_loss=value_loss,
        explained_variance=float(explained),
        gradient_norm=longest,
        sigma=float(policy.log_sigma.detach().exp().mean()),
    )


def _advantages(rollout: Rollout, config: PPOConfig) -> Float[torch.Tensor, "steps bodies"]:
    after = (rollout.next_values, rollout.terminated, rollout.truncated)
    if config.loss == "policy_gradient":
        return rewards_to_go(rollout.rewards, *after, discount=config.discount) - rollout.values
    discount, decay = config.discount, config.trace_decay
    return generalized_advantages(rollout.rewards, rollout.values, *after, discount=discount, trace_decay=decay)


def _surrogate(
    config: PPOConfig,
    now: Evaluation,
    old_log_probs: Float[torch.Tensor, " batch"],
    weights: Float[torch.Tensor, " batch"],
    divergences: Float[torch.Tensor, " batch"],
    beta: float,
) -> Float[torch.Tensor, " batch"]:
    if config.loss == "clip":
        return ppo_clip(now.log_probs, old_log_probs, weights, clip=config.clip)
    if config.loss == "kl_penalty":
        return ppo_kl_penalty(now.log_probs, old_log_probs, weights, divergences, beta=beta)
    return policy_gradient(now.log_probs, weights)


def _variance(
    values: Float[torch.Tensor, "steps bodies"], count: int, team: Team
) -> tuple[Float[torch.Tensor, ""], Float[torch.Tensor, ""]]:
    """Return mean and variance over the joint batch of `count` samples."""
    mean = team.add(values.sum()) / count
    return mean, team.add((values - mean).square().sum()) / count
