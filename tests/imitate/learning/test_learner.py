"""Rolling out and updating: what the samples are, that it learns, that it goes on exactly, alone and in a team."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from point_env import PointEnv

from imitate.errors import ImitationError
from imitate.learning.config import PPOConfig
from imitate.learning.distributed import Team, join, leave
from imitate.learning.learner import Learner
from imitate.learning.outlook import expected_return, expected_success, time_left
from imitate.learning.policy import ActorCritic
from imitate.learning.rollout import NotFiniteError, collect

ROOT = Path(__file__).resolve().parents[3]
PATH = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])  # for processes of their own
SMALL = PPOConfig(hidden=(24,), learning_rate=3e-3, steps=8, epochs=3, minibatches=2)


def make(bodies: int = 16, seed: int = 0, **changes: object) -> Learner:
    config = dataclasses.replace(SMALL, **changes)  # type: ignore[arg-type]
    return Learner(PointEnv(num_envs=bodies, seed=seed), config, seed=seed, horizon=40, update_threads=1)


def roll(steps: int = 60, bodies: int = 6):
    torch.manual_seed(0)
    env, policy = PointEnv(num_envs=bodies, horizon=10), ActorCritic(6, 2, (8,), sigma=1.0)
    return collect(env, policy, env.reset(), steps=steps, generator=torch.Generator().manual_seed(0)), policy


def test_a_rollout_holds_what_happened() -> None:
    """The same environment, told the same actions, gives the same samples; values are those of the observations."""
    (rollout, after), policy = roll()
    env = PointEnv(num_envs=6, horizon=10)
    seen = env.reset()
    with torch.no_grad():
        for step in range(60):
            assert np.array_equal(rollout.observations[step].numpy(), seen)
            result = env.step(rollout.actions[step].numpy())
            assert np.array_equal(rollout.rewards[step].numpy(), result.rewards)
            going = torch.from_numpy(~result.terminated)
            expected = policy.values(torch.from_numpy(result.final_observations))
            torch.testing.assert_close(rollout.next_values[step][going], expected[going])
            assert np.array_equal(rollout.truncated[step].numpy(), result.truncated)
            seen = result.observations
    assert np.array_equal(seen, after)
    assert rollout.truncated.any() and rollout.terminated.any()  # both were seen


def test_threads_are_as_before_after_a_rollout() -> None:
    before = torch.get_num_threads()
    roll(steps=2)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("field", ["observations", "rewards", "final_observations"])
def test_numbers_that_are_not_finite_name_their_body(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env, step = PointEnv(num_envs=6), PointEnv.step

    def broken(self: PointEnv, actions: np.ndarray):
        result = step(self, actions)
        getattr(result, field)[4] = np.nan
        return result

    monkeypatch.setattr(PointEnv, "step", broken)
    with pytest.raises(NotFiniteError, match=f"body 4 of 6 has {field.replace('_', ' ')} that are not finite") as caught:
        collect(env, ActorCritic(6, 2, (8,)), env.reset(), steps=3, generator=torch.Generator())
    assert caught.value.body == 4


@pytest.mark.parametrize("loss", ["clip", "kl_penalty", "policy_gradient"])
def test_points_learn_to_follow(loss: str) -> None:
    learner = make(bodies=24, loss=loss, steps=16, epochs=4, minibatches=4, learning_rate=5e-3)
    first = learner.iterate()["steps_between_falls"]
    rows = [learner.iterate() for _ in range(20)]
    assert rows[-1]["steps_between_falls"] > 2.0 * first
    assert all(abs(row["update/ratio_mean"] - 1.0) < 0.3 for row in rows)


def test_the_penalty_keeps_the_divergence_near_its_target() -> None:
    learner = make(bodies=32, loss="kl_penalty", kl_target=0.01)
    found = [learner.iterate()["update/kl"] for _ in range(16)]
    assert 0.003 < np.median(found[6:]) < 0.03
    assert learner.beta != SMALL.kl_beta


def test_a_fixed_sigma_stays() -> None:
    learner = make(learn_sigma=False)
    learner.iterate()
    assert torch.allclose(learner.policy.log_sigma.exp(), torch.tensor(SMALL.sigma))


def test_equal_seeds_give_equal_runs_and_a_state_goes_on_exactly() -> None:
    whole, broken = make(), make()
    for _ in range(3):
        whole.iterate(), broken.iterate()
    other = make(seed=9)
    other.restore(broken.state())
    for _ in range(3):
        a, b = whole.iterate(), other.iterate()
        assert all(a[name] == b[name] for name in a if "seconds" not in name)
    for name, value in whole.policy.state_dict().items():
        assert torch.equal(value, other.policy.state_dict()[name]), name


def test_the_averaged_policy_is_the_exponential_mean_of_its_weights() -> None:
    learner, means = make(), []
    for _ in range(4):
        learner.iterate()
        weights = learner.policy.actor[0].weight.detach().clone()
        means.append(weights if not means else 0.98 * means[-1] + 0.02 * weights)
    torch.testing.assert_close(learner.averaged.actor[0].weight, means[-1])
    assert not torch.equal(means[-1], weights)
    observations = torch.from_numpy(learner.observations)
    torch.testing.assert_close(learner.averaged.values(observations), learner.policy.values(observations))


def test_a_state_of_other_networks_or_of_more_processes_is_refused() -> None:
    state = make().state()
    with pytest.raises(ImitationError, match="networks are not those of this run"):
        make(hidden=(7,)).restore(state)
    state["bodies"] = state["bodies"] * 2
    with pytest.raises(ImitationError, match="torchrun --nproc-per-node=2"):
        make().restore(state)


def test_shares_of_a_team_are_the_joint_batch() -> None:
    parts = [Team(rank, 3).shuffle(5, 4, 2, torch.Generator().manual_seed(1)) for rank in range(3)]
    for part in range(2):
        joint = torch.cat([shares[part] for shares in parts])
        assert len(joint) == 30
    for shares in parts:
        assert sorted(torch.cat(shares).tolist()) == list(range(20))
    alone = Team().noise(6, 2, torch.Generator().manual_seed(1))
    teamed = [Team(rank, 2).noise(3, 2, torch.Generator().manual_seed(1)) for rank in range(2)]
    assert torch.equal(torch.cat(teamed), alone)


SECOND = """
import sys
sys.path.insert(0, sys.argv[1])
from test_learner import share
print("ready", flush=True)
share()
"""


def share() -> tuple[list[dict[str, float]], dict[str, torch.Tensor], int]:
    """Learn as one of two processes with 8 of 16 points: the figures, the weights, how many shares the state has."""
    team = join()
    try:
        learner = Learner(PointEnv(num_envs=8, first=8 * team.rank), SMALL, horizon=40, update_threads=1, team=team)
        rows = [learner.iterate() for _ in range(4)]
        return rows, learner.policy.state_dict(), len(learner.state()["bodies"])
    finally:
        leave(team)


def test_two_processes_learn_as_one_with_the_joint_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The points are numbered through, noise and minibatches are the joint ones: only the order of sums differs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", SECOND, str(Path(__file__).parent)]
    environment = {**os.environ, "RANK": "1", "PYTHONPATH": PATH, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as second:
        assert second.stdout is not None and second.stdout.readline() == "ready\n"  # or we would wait for it
        rows, weights, shares = share()
        assert second.wait(timeout=60) == 0
    learner = make(bodies=16)
    for theirs in rows:
        mine = learner.iterate()
        for name in ("reward", "samples", "falls", "update/kl", "update/ratio_max", "update/value_loss", "term/mean_distance"):
            assert mine[name] == pytest.approx(theirs[name], rel=1e-3, abs=1e-6), name
    for name, value in learner.policy.state_dict().items():
        torch.testing.assert_close(weights[name], value, atol=1e-4, rtol=1e-3)
    assert shares == 2


def test_return_of_falling_bodies_is_what_simulated_ones_get() -> None:
    generator = np.random.default_rng(0)
    lives = np.minimum(generator.geometric(0.02, size=200_000) - 1, 100)  # steps before the step that falls
    steps = np.minimum(lives + 1, 100)
    assert expected_success(0.02, 100) == pytest.approx(np.mean(lives >= 100), abs=0.005)
    assert expected_return(0.7, 0.02, 100) == pytest.approx(0.7 * np.mean(steps) / 100, rel=0.01)
    assert expected_return(0.7, 0.0, 100) == 0.7 and expected_success(1.0, 5) == 0.0


def test_time_left_of_a_curve_whose_log_odds_rise_steadily() -> None:
    seconds = np.arange(20.0)
    curve = 1.0 / (1.0 + np.exp(3.0 - 0.2 * seconds))
    assert time_left(seconds, curve.tolist(), 0.9) == pytest.approx((3.0 + np.log(9.0)) / 0.2 - 19.0, rel=1e-6)
    assert time_left(seconds, [0.5] * 20, 0.9) == float("inf")
    assert time_left(seconds, [0.99] * 20, 0.9) == 0.0
    assert time_left(seconds[:2], [0.1, 0.2], 0.9) == float("inf")


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": 0.0}, {"discount": 1.1}, {"hidden": (0,)}, {"sigma": -1.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ImitationError, match=next(iter(wrong))):
        PPOConfig(**wrong)  # type: ignore[arg-type]
