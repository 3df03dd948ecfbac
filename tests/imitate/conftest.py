"""Fixtures of the package's tests: a small body and its reference, made once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from imitate.character import make_character
from kinematics.io import load_motion

CLIPS = Path(__file__).resolve().parents[2] / "data" / "clips"


@pytest.fixture(scope="session")
def walker() -> SimpleNamespace:
    """A body made from our walk: `.motion`, `.character`, `.reference`."""
    from imitate.reference import make_reference

    motion = load_motion(CLIPS / "walk_lafan1.bvh")
    character = make_character(motion, name="walker")
    return SimpleNamespace(motion=motion, character=character, reference=make_reference(character, motion))


@pytest.fixture(scope="session")
def untrained_run(walker: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on our walk whose policy has learned nothing; it stays up for half a second. Copy it to change it."""
    import torch

    from imitate.config import TrainConfig
    from imitate.learning.policy import ActorCritic
    from imitate.policy_file import make_contract, save_policy
    from imitate.runs import create_run, open_run

    run = open_run(create_run(CLIPS / "walk_lafan1.bvh", tmp_path_factory.mktemp("runs") / "walk", TrainConfig()))
    env = run.make_env(num_envs=1)
    torch.manual_seed(0)
    policy = ActorCritic(env.num_observations, env.num_actions, hidden=(8, 8))
    contract = make_contract(run.character, run.config, clip="walk_lafan1.bvh", clip_hash="", metrics={})
    save_policy(run.folder / "policy.pt", policy, contract)
    return run.folder
