import warnings

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium", reason="Gymnasium is not installed: pip install 'muybridge[dev]'")
from gymnasium.utils.env_checker import check_env  # noqa: E402
from gymnasium.vector import AutoresetMode, SyncVectorEnv  # noqa: E402

from imitate.envs import EnvConfig  # noqa: E402
from imitate.envs.gym_env import TrackingGymEnv, TrackingVectorEnv  # noqa: E402

CONFIG = EnvConfig(physics_rate_hz=120.0)


def test_gymnasiums_checker_passes(walker):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(TrackingGymEnv(walker.character, walker.reference, CONFIG), skip_render_check=True)


def test_the_vector_environment_is_many_of_the_single_one(walker):
    many = TrackingVectorEnv(walker.character, walker.reference, CONFIG, num_envs=4, num_threads=1)
    seen, info = many.reset(seed=5)
    assert seen in many.observation_space and info == {} and many.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert np.array_equal(seen, many.reset(seed=5)[0]) and not np.array_equal(seen, many.reset(seed=6)[0])
    ended = 0
    many.action_space.seed(0)
    for _ in range(25):
        actions = many.action_space.sample()
        seen, rewards, terminated, truncated, info = many.step(actions)
        assert seen in many.observation_space and rewards.shape == terminated.shape == truncated.shape == (4,)
        done = terminated | truncated
        ended += int(done.sum())
        assert ("final_obs" in info) == bool(done.any())
        if done.any():
            assert np.array_equal(info["_final_obs"], done)
            changed = (info["final_obs"] != seen).any(axis=1)
            assert np.array_equal(changed, done)
    assert ended
    many.close()


def test_gymnasiums_own_vector_environment_takes_the_single_one(walker):
    envs = SyncVectorEnv([lambda: TrackingGymEnv(walker.character, walker.reference, CONFIG)] * 2)
    seen, _ = envs.reset(seed=1)
    seen, rewards, *_ = envs.step(np.zeros(envs.action_space.shape, dtype=np.float32))
    assert np.isfinite(seen).all() and (rewards > 0).all()
    envs.close()
