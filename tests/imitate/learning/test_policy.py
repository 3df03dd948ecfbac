"""The networks: normalisers, densities, values that survive a change of scale."""

from __future__ import annotations

import math

import pytest
import torch

from imitate.learning.normalizer import RunningNormalizer
from imitate.learning.policy import ActorCritic, log_density


def make(sigma: float = 0.15) -> ActorCritic:
    torch.manual_seed(0)
    return ActorCritic(5, 3, (16, 8), sigma)


def test_normalizer_has_the_moments_of_all_batches() -> None:
    torch.manual_seed(0)
    batches = [3.0 * torch.randn(count, 4) + torch.arange(4.0) for count in (7, 1, 50)]
    normalizer = RunningNormalizer(4)
    for batch in batches:
        normalizer.update(batch)
    joined = torch.cat(batches)
    torch.testing.assert_close(normalizer.mean, joined.mean(0))
    torch.testing.assert_close(normalizer.variance, joined.var(0, unbiased=False))
    assert int(normalizer.count) == 58


def test_normalizer_undoes_what_it_did_and_cuts_far_values() -> None:
    torch.manual_seed(0)
    normalizer = RunningNormalizer(2, limit=3.0)
    values = torch.randn(100, 2) * 5.0 - 2.0
    normalizer.update(values)
    near = values[(normalizer(values).abs() < 3.0).all(dim=1)]
    torch.testing.assert_close(normalizer.undo(normalizer(near)), near)
    assert normalizer(torch.full((1, 2), 1e9)).max().item() == 3.0


def test_a_constant_number_is_only_shifted() -> None:
    normalizer = RunningNormalizer(1)
    normalizer.update(torch.full((20, 1), 7.0))
    assert normalizer(torch.tensor([[7.5]])).item() == pytest.approx(0.5)


def test_without_samples_values_pass() -> None:
    values = torch.tensor([[0.5, -2.0]])
    assert torch.equal(RunningNormalizer(2)(values), values)


def test_density_equals_torchs() -> None:
    torch.manual_seed(0)
    actions, means, log_sigmas = torch.randn(6, 3), torch.randn(6, 3), torch.randn(3)
    expected = torch.distributions.Normal(means, log_sigmas.exp()).log_prob(actions).sum(-1)
    torch.testing.assert_close(log_density(actions, means, log_sigmas), expected)


def test_a_new_policy_hardly_moves() -> None:
    assert make().mean(torch.randn(50, 5)).abs().max().item() < 0.05


def test_evaluate_agrees_with_act() -> None:
    policy = make()
    policy.normalizer.update(torch.randn(40, 5) * 3.0)
    policy.update_value_scale(torch.randn(40) * 4.0 + 2.0)
    seen, noise = torch.randn(9, 5), torch.randn(9, 3)
    choice = policy.act(seen, noise)
    now = policy.evaluate(seen, choice.actions)
    torch.testing.assert_close(now.log_probs, choice.log_probs)
    torch.testing.assert_close(policy.value_normalizer.undo(now.values[:, None])[:, 0], choice.values)
    torch.testing.assert_close(now.means, policy.mean(seen))
    torch.testing.assert_close(choice.actions, choice.means + 0.15 * noise)
    assert now.entropies[0].item() == pytest.approx(3 * (math.log(0.15) + 0.5 * math.log(2 * math.pi * math.e)))


def test_values_survive_a_change_of_their_scale() -> None:
    policy, seen = make(), torch.randn(9, 5)
    before = policy.values(seen).detach()
    policy.update_value_scale(torch.tensor([10.0, 30.0, 50.0]))
    torch.testing.assert_close(policy.values(seen), before)
    policy.update_value_scale(torch.randn(100))
    torch.testing.assert_close(policy.values(seen), before, atol=1e-5, rtol=1e-4)


def test_equal_seeds_make_equal_policies() -> None:
    first, second = make().state_dict(), make().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert "normalizer.mean" in first and "value_normalizer.variance" in first  # they travel with it
