"""Advantages: by hand, against torchrl, and laws."""

from __future__ import annotations

import pytest
import torch
from torchrl.objectives.value.functional import generalized_advantage_estimate

from imitate.learning.gae import generalized_advantages, rewards_to_go, standardized

GAMMA, LAMBDA = 0.9, 0.8


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def flags(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.bool)[:, None]


def random_rollout(seed: int, steps: int = 12, bodies: int = 5):
    generator = torch.Generator().manual_seed(seed)

    def numbers() -> torch.Tensor:
        return torch.randn(steps, bodies, generator=generator)

    ended = torch.rand(steps, bodies, generator=generator)
    return numbers(), numbers(), numbers(), ended < 0.15, (ended >= 0.15) & (ended < 0.3)


def test_three_steps_by_hand() -> None:
    result = generalized_advantages(
        column(1.0, 2.0, 3.0),
        column(0.5, 1.0, 1.5),
        column(1.0, 1.5, 4.0),
        flags(0, 0, 0),
        flags(0, 0, 0),
        discount=GAMMA,
        trace_decay=LAMBDA,
    )
    last = 3.0 + 0.9 * 4.0 - 1.5  # 5.1
    middle = (2.0 + 0.9 * 1.5 - 1.0) + 0.72 * last  # 6.022
    first = (1.0 + 0.9 * 1.0 - 0.5) + 0.72 * middle
    torch.testing.assert_close(result, column(first, middle, last))


def test_nothing_follows_a_termination() -> None:
    """Neither the value after it nor the next episode's rewards reach back over it."""
    arguments = {"discount": GAMMA, "trace_decay": LAMBDA}
    rewards, values, ended = column(1.0, 7.0), column(0.5, 9.0), flags(1, 0)
    result = generalized_advantages(rewards, values, column(5.0, 0.0), ended, flags(0, 0), **arguments)
    assert result[0].item() == pytest.approx(0.5)


def test_a_truncated_episode_counts_the_value_of_its_last_observation() -> None:
    arguments = {"discount": GAMMA, "trace_decay": LAMBDA}
    rewards, values, ended = column(1.0, 7.0), column(0.5, 9.0), flags(1, 0)
    result = generalized_advantages(rewards, values, column(5.0, 0.0), flags(0, 0), ended, **arguments)
    assert result[0].item() == pytest.approx(1.0 + 0.9 * 5.0 - 0.5)


@pytest.mark.parametrize("seed", range(3))
def test_equals_torchrl(seed: int) -> None:
    rewards, values, after, terminated, truncated = random_rollout(seed)
    ours = generalized_advantages(rewards, values, after, terminated, truncated, discount=GAMMA, trace_decay=LAMBDA)

    def theirs(values: torch.Tensor) -> torch.Tensor:  # they want (bodies, steps, 1)
        return values.T.unsqueeze(-1)

    done = terminated | truncated
    expected, returns = generalized_advantage_estimate(
        GAMMA, LAMBDA, theirs(values), theirs(after), theirs(rewards), theirs(done), theirs(terminated)
    )
    torch.testing.assert_close(ours, expected.squeeze(-1).T)
    torch.testing.assert_close(ours + values, returns.squeeze(-1).T)


def test_a_trace_decay_of_one_is_reward_to_go_less_the_baseline() -> None:
    rewards, values, _, terminated, truncated = random_rollout(7)
    after = torch.cat([values[1:], torch.ones(1, values.shape[1])])
    after[truncated] = 3.0
    advantages = generalized_advantages(rewards, values, after, terminated, truncated, discount=GAMMA, trace_decay=1.0)
    togo = rewards_to_go(rewards, after, terminated, truncated, discount=GAMMA)
    torch.testing.assert_close(advantages, togo - values)


def test_rewards_to_go_by_hand() -> None:
    togo = rewards_to_go(column(1.0, 2.0, 4.0), column(9.0, 9.0, 10.0), flags(0, 1, 0), flags(0, 0, 0), discount=0.5)
    torch.testing.assert_close(togo, column(2.0, 2.0, 9.0))


def test_no_trace_is_one_step() -> None:
    rewards, values, after, terminated, truncated = random_rollout(3)
    result = generalized_advantages(rewards, values, after, terminated, truncated, discount=GAMMA, trace_decay=0.0)
    torch.testing.assert_close(result, rewards + GAMMA * after * ~terminated - values)


def test_arguments_are_left_alone() -> None:
    given = random_rollout(5)
    before = [each.clone() for each in given]
    generalized_advantages(*given, discount=GAMMA, trace_decay=LAMBDA)
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


def test_standardized_advantages_and_constant_ones() -> None:
    advantages = random_rollout(1)[0]
    result = standardized(advantages, advantages.mean(), advantages.std(unbiased=False))
    assert result.mean().item() == pytest.approx(0.0, abs=1e-6)
    assert result.std(unbiased=False).item() == pytest.approx(1.0, abs=1e-5)
    constant = torch.full((2, 2), 3.0)
    assert torch.equal(standardized(constant, constant.mean(), constant.std(unbiased=False)), torch.zeros(2, 2))
