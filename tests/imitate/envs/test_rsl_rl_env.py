import numpy as np
import pytest

pytest.importorskip("rsl_rl", reason="rsl_rl is not installed: pip install 'muybridge[dev]'")
import torch

from imitate.envs import EnvConfig, TrackingEnv
from imitate.envs.rsl_rl_env import RslRlEnv


@pytest.fixture
def env(walker) -> RslRlEnv:
    config = EnvConfig(physics_rate_hz=120.0, episode_length_s=0.3)
    return RslRlEnv(TrackingEnv(walker.character, walker.reference, config, num_envs=4, num_threads=1))


def test_it_gives_what_rsl_rl_expects(env):
    seen = env.get_observations()
    assert seen["policy"].shape == (4, env.env.num_observations) and seen.batch_size == torch.Size([4])
    timed = 0
    for _ in range(9):
        seen, rewards, dones, extras = env.step(torch.zeros(4, env.num_actions))
        assert rewards.shape == dones.shape == (4,) and dones.dtype == torch.long
        assert not (extras["time_outs"] & (dones == 0)).any()
        timed += int(extras["time_outs"].sum())
    assert timed == 4 and int(env.episode_length_buf.sum()) == 0
    assert env.max_episode_length == 9


def test_runners_may_spread_the_lengths_of_episodes(env):
    env.episode_length_buf = torch.tensor([0, 2, 4, 8])
    _, _, dones, extras = env.step(torch.zeros(4, env.num_actions))
    assert extras["time_outs"].tolist() == [False, False, False, True] and dones.tolist() == [0, 0, 0, 1]


def test_rsl_rls_runner_trains_on_it(env, tmp_path):
    from rsl_rl.runners import OnPolicyRunner

    model = {"class_name": "rsl_rl.models.MLPModel", "hidden_dims": [8], "activation": "elu"}
    gaussian = {"class_name": "rsl_rl.modules.GaussianDistribution", "init_std": 0.15}
    config = {
        "seed": 1, "num_steps_per_env": 4, "save_interval": 100, "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "actor": {**model, "distribution_cfg": gaussian}, "critic": model,
        "algorithm": {"class_name": "rsl_rl.algorithms.PPO", "num_learning_epochs": 1, "num_mini_batches": 1},
    }  # fmt: skip
    runner = OnPolicyRunner(env, config, None, device="cpu")
    before = [parameter.clone() for parameter in runner.alg.actor.parameters()]
    runner.learn(1)
    assert any(not torch.equal(a, b) for a, b in zip(before, runner.alg.actor.parameters(), strict=True))
    assert np.isfinite(env.env.observations()).all()
