"""A real body learns: after less than a minute it stays up more than twice as long as at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from imitate.envs import EnvConfig, TrackingEnv
from imitate.learning.config import PPOConfig
from imitate.learning.learner import Learner

BODIES, ITERATIONS = 256, 40


def test_survival_grows_at_least_twofold(walker: Any) -> None:
    """The walk, started anywhere, exploration noise included; seeded, so it learns or it does not.

    Nothing that learns wrongly gets there: pure tracking of the clip stays up for the same half second for ever.
    """
    env = TrackingEnv(walker.character, walker.reference, EnvConfig(physics_rate_hz=120.0), num_envs=BODIES, seed=0)
    learner = Learner(env, PPOConfig(), seed=0, horizon=env.config.episode_steps, update_threads=1)
    falls = np.array([learner.iterate()["falls"] for _ in range(ITERATIONS)])
    steps = BODIES * learner.config.steps / np.maximum(falls, 0.5)
    assert steps[-5:].mean() > 2.0 * steps[:5].mean()
