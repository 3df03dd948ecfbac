"""The policy in data/policies is whole, small, and walks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from imitate.episodes import perform, run_control
from imitate.evaluation import fair_config
from imitate.policy_file import load_policy
from imitate.runs import clip_hash, open_run
from kinematics import load_motion
from kinematics.standardize import standardize

MOST_BYTES = 2_000_000


def test_shipped_policy_walks_from_any_start(clips: Path) -> None:
    folder = clips.parent / "policies" / "walk"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < MOST_BYTES
    run = open_run(folder)
    fair = replace(fair_config(run.config.env, run.character, reference=run.reference, start="random"), episode_length_s=5.0)
    env = run.make_env(num_envs=8, seed=3, config=fair)
    kept = perform(run_control(run, env), env)
    assert kept.completed.all()
    travelled = kept.last_qpos[:, :2] - kept.qpos[0, :, :2]
    assert (np.linalg.norm(travelled, axis=1) > 4.0).all()  # 5 s of a walk, so it does not stand still
    assert kept.rewards.mean() > 0.9


def test_shipped_policy_is_of_the_clip_that_stands_beside_it(clips: Path) -> None:
    run = open_run(clips.parent / "policies" / "walk")
    clip = standardize(load_motion(clips / "walk_cmu.bvh")).motion
    np.testing.assert_allclose(run.motion.root_positions, clip.root_positions, atol=1e-9)
    assert run.policy().num_actions == len(run.character.hinge_names) == 33
    assert load_policy(run.folder / "policy.pt")[1]["clip_sha256"] == clip_hash(run)
