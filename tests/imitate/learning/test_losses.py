"""Losses and their gradients: against torchrl's, and laws."""

from __future__ import annotations

import pytest
import torch
from tensordict import TensorDict
from tensordict.nn import ProbabilisticTensorDictModule, ProbabilisticTensorDictSequential, TensorDictModule
from torch import nn
from torchrl.objectives import ClipPPOLoss, KLPENPPOLoss

from imitate.learning.losses import (
    gaussian_kl,
    next_beta,
    next_learning_rate,
    policy_gradient,
    ppo_clip,
    ppo_kl_penalty,
    value_error,
)
from imitate.learning.policy import ActorCritic

SAMPLES, WIDTH, ACTIONS = 64, 7, 3


class Head(nn.Module):
    """Our actor with a normal distribution's two parameters, as torchrl wants them."""

    def __init__(self, policy: ActorCritic) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        means = self.policy.actor(self.policy.normalizer(observations))
        return means, self.policy.log_sigma.exp().expand_as(means)


class Values(nn.Module):
    def __init__(self, policy: ActorCritic) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.policy.critic(self.policy.normalizer(observations))


def samples():
    """A policy, and samples of an earlier policy near it, some ratios beyond the clip."""
    torch.manual_seed(0)
    old, new = ActorCritic(WIDTH, ACTIONS, (16,), sigma=0.3), ActorCritic(WIDTH, ACTIONS, (16,), sigma=0.3)
    new.load_state_dict(old.state_dict())
    with torch.no_grad():
        for parameter in new.parameters():
            parameter += 0.03 * torch.randn_like(parameter)
    seen, advantages, returns = torch.randn(SAMPLES, WIDTH), torch.randn(SAMPLES), torch.randn(SAMPLES)
    with torch.no_grad():
        choice = old.act(seen, torch.randn(SAMPLES, ACTIONS))
    return new, seen, choice, old.log_sigma.exp().detach(), advantages, returns


def theirs(loss, policy: ActorCritic, **settings):
    spread = torch.distributions.Independent
    actor = ProbabilisticTensorDictSequential(
        TensorDictModule(Head(policy), in_keys=["observation"], out_keys=["loc", "scale"]),
        ProbabilisticTensorDictModule(
            in_keys=["loc", "scale"],
            out_keys=["action"],
            distribution_class=lambda loc, scale: spread(torch.distributions.Normal(loc, scale), 1),
            return_log_prob=True,
        ),
    )
    critic = TensorDictModule(Values(policy), in_keys=["observation"], out_keys=["state_value"])
    return loss(actor, critic, entropy_bonus=False, loss_critic_type="l2", critic_coeff=1.0, functional=False, **settings)


def batch(loss, seen, choice, sigmas, advantages, returns) -> TensorDict:
    given = {
        "observation": seen,
        "action": choice.actions,
        loss.tensor_keys.sample_log_prob: choice.log_probs,
        "advantage": advantages[:, None],
        "value_target": returns[:, None],
        "loc": choice.means,
        "scale": sigmas.expand_as(choice.means),
    }
    return TensorDict(given, [len(seen)])


def gradients(policy: ActorCritic, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, [p for p in policy.parameters() if p.requires_grad]))


def test_clipped_loss_and_gradients_equal_torchrl() -> None:
    policy, seen, choice, sigmas, advantages, returns = samples()
    other = theirs(ClipPPOLoss, policy, clip_epsilon=0.2)
    out = other(batch(other, seen, choice, sigmas, advantages, returns))
    assert 0.1 < out["clip_fraction"] < 0.9  # the clip is at work
    now = policy.evaluate(seen, choice.actions)
    actor = ppo_clip(now.log_probs, choice.log_probs, advantages, clip=0.2).mean()
    critic = value_error(now.values, returns).mean()
    torch.testing.assert_close(actor, out["loss_objective"])
    torch.testing.assert_close(critic, out["loss_critic"])
    for mine, their in zip(
        gradients(policy, actor + critic), gradients(policy, out["loss_objective"] + out["loss_critic"]), strict=True
    ):
        torch.testing.assert_close(mine, their)


def test_penalised_loss_and_gradients_equal_torchrl() -> None:
    policy, seen, choice, sigmas, advantages, returns = samples()
    expected = policy.evaluate(seen, choice.actions)
    kl = float(gaussian_kl(choice.means, sigmas, expected.means, expected.sigmas).mean().detach())
    other = theirs(KLPENPPOLoss, policy, beta=0.7, dtarg=kl)  # at its target: torchrl changes beta before the backward pass
    out = other(batch(other, seen, choice, sigmas, advantages, returns))
    now = policy.evaluate(seen, choice.actions)
    kl = gaussian_kl(choice.means, sigmas, now.means, now.sigmas)
    actor = ppo_kl_penalty(now.log_probs, choice.log_probs, advantages, kl, beta=0.7).mean()
    torch.testing.assert_close(kl.mean(), out["kl"].mean())
    torch.testing.assert_close(actor, out["loss_objective"])
    learned = [*policy.actor.parameters(), policy.log_sigma]
    for mine, their in zip(torch.autograd.grad(actor, learned), torch.autograd.grad(out["loss_objective"], learned), strict=True):
        torch.testing.assert_close(mine, their)


@pytest.mark.parametrize("target", [1e-6, 1e6, None])
def test_beta_follows_the_divergence_as_torchrl_has_it(target: float | None) -> None:
    policy, seen, choice, sigmas, advantages, returns = samples()
    now = policy.evaluate(seen, choice.actions)
    kl = gaussian_kl(choice.means, sigmas, now.means, now.sigmas).mean().item()
    target = kl if target is None else target
    other = theirs(KLPENPPOLoss, policy, beta=0.7, dtarg=target)
    other(batch(other, seen, choice, sigmas, advantages, returns))
    assert next_beta(0.7, kl, target) == pytest.approx(float(other.beta))


def test_at_the_old_policy_all_three_have_the_policy_gradient() -> None:
    """Ratios are 1 there, so PPO's first step is the plain one."""
    policy, seen, choice, _, advantages, _ = samples()
    now = policy.evaluate(seen, choice.actions)
    same = now.log_probs.detach()
    kl = gaussian_kl(now.means.detach(), now.sigmas.detach(), now.means, now.sigmas)
    learned = [*policy.actor.parameters(), policy.log_sigma]
    losses = (
        policy_gradient(now.log_probs, advantages),
        ppo_clip(now.log_probs, same, advantages, clip=0.2),
        ppo_kl_penalty(now.log_probs, same, advantages, kl, beta=5.0),
    )
    found = [torch.autograd.grad(loss.mean(), learned, retain_graph=True) for loss in losses]
    for other in found[1:]:
        for mine, their in zip(found[0], other, strict=True):
            torch.testing.assert_close(mine, their, atol=1e-6, rtol=1e-5)


def test_policy_gradient_by_hand() -> None:
    """For one normal action the gradient of -log p * A to the mean is -(a - m) / s^2 * A."""
    mean = torch.tensor([[0.2]], requires_grad=True)
    log_prob = torch.distributions.Normal(mean, 0.5).log_prob(torch.tensor([[0.7]])).sum(-1)
    policy_gradient(log_prob, torch.tensor([3.0])).mean().backward()
    assert mean.grad is not None and mean.grad.item() == pytest.approx(-(0.5 / 0.25) * 3.0)


@pytest.mark.parametrize(("ratio", "advantage", "slope"), [(1.5, 1.0, 0.0), (0.5, -1.0, 0.0), (1.5, -1.0, 1.5), (0.5, 1.0, -0.5)])
def test_the_clip_cuts_only_the_side_that_the_advantage_favours(ratio: float, advantage: float, slope: float) -> None:
    log_prob = torch.tensor([ratio]).log().requires_grad_()
    ppo_clip(log_prob, torch.zeros(1), torch.tensor([advantage]), clip=0.2).sum().backward()
    assert log_prob.grad is not None and log_prob.grad.item() == pytest.approx(slope)


def test_divergence_equals_torchs_and_vanishes_at_itself() -> None:
    torch.manual_seed(1)
    a, b, s, t = torch.randn(5, 3), torch.randn(5, 3), torch.rand(3) + 0.1, torch.rand(3) + 0.1
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(a, s), normal(b, t)).sum(-1)
    torch.testing.assert_close(gaussian_kl(a, s, b, t), expected)
    torch.testing.assert_close(gaussian_kl(a, s, a, s), torch.zeros(5))


def test_beta_stays_in_reach() -> None:
    assert next_beta(1e6, 1.0, 0.01) == 1e6
    assert next_beta(1e-6, 0.0, 0.01) == 1e-6
    assert next_beta(3.0, 0.01, 0.01) == 3.0


def test_learning_rate_follows_the_divergence() -> None:
    assert next_learning_rate(3e-4, 0.5, 0.2) == pytest.approx(2e-4)  # too far
    assert next_learning_rate(3e-4, 0.09, 0.2) == pytest.approx(4.5e-4)  # not far enough
    assert next_learning_rate(3e-4, 0.2, 0.2) == 3e-4
    assert next_learning_rate(3e-4, 5.0, 0.0) == 3e-4  # not adapted
    assert next_learning_rate(1e-5, 5.0, 0.2) == 1e-5 and next_learning_rate(1e-3, 0.0, 0.2) == 1e-3
