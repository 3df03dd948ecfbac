"""What the simulated body did as a motion, and the commands on a run: what they write, print and refuse."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from imitate.cli_evaluate import evaluate
from imitate.cli_export import export
from imitate.cli_rollout import rollout
from imitate.errors import ImitationError
from imitate.export_onnx import Exported
from imitate.learning.policy import ActorCritic
from imitate.policy_file import load_policy, save_policy
from imitate.rollout import Rollout, roll_out
from imitate.rollout_score import compare
from imitate.runs import open_run
from kinematics.errors import InputError, MissingFileError
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion
from kinematics.testing import random_motion, random_skeleton


@pytest.fixture(scope="module")
def half_a_second(untrained_run: Path) -> Rollout:
    """What an untrained body does in half a second."""
    return roll_out(open_run(untrained_run), seconds=0.5)


def test_it_begins_where_the_clip_does_and_goes_on_near_it(half_a_second: Rollout) -> None:
    simulated, reference = half_a_second.simulated, half_a_second.reference
    assert (simulated.num_frames, reference.num_frames) == (16, 16)
    assert simulated.frame_time == pytest.approx(1.0 / 30.0)
    assert half_a_second.fell_s is None
    ours, theirs = (forward_kinematics(each).global_positions for each in (simulated, reference))
    apart = np.linalg.norm(ours - theirs, axis=-1).mean(axis=-1)
    assert apart[0] < 0.02
    assert 0.01 < apart[-1] < 0.5
    assert 10.0 < half_a_second.mean_distance_mm < 500.0


def test_it_is_on_the_clips_own_skeleton(half_a_second: Rollout, untrained_run: Path) -> None:
    clip = open_run(untrained_run).motion
    assert half_a_second.simulated.skeleton.joint_names == clip.skeleton.joint_names
    assert half_a_second.simulated.skeleton.offsets == pytest.approx(clip.skeleton.offsets)


def test_a_fall_ends_it_or_is_shown(untrained_run: Path) -> None:
    run = open_run(untrained_run)
    ended, shown = roll_out(run, seconds=2.0), roll_out(run, seconds=2.0, go_on=True)
    assert ended.fell_s == shown.fell_s
    assert ended.fell_s is not None and 0.5 < ended.fell_s < 2.0
    assert (ended.simulated.num_frames, shown.simulated.num_frames) == (round(30 * ended.fell_s) + 1, 61)
    same = slice(0, ended.simulated.num_frames - 1)
    assert shown.simulated.root_positions[same] == pytest.approx(ended.simulated.root_positions[same], abs=1e-3)
    assert shown.simulated.root_positions[-1, 1] < 0.6 * shown.reference.root_positions[-1, 1]


def test_of_several_clips_it_is_the_first_as_long_as_an_episode(untrained_run: Path) -> None:
    run = open_run(untrained_run)
    config = replace(run.config, env=replace(run.config.env, episode_length_s=30.0))
    several = replace(run, motions=(run.motion, run.motion[60:120], run.motion[30:90]), config=config)
    done = [roll_out(several, seconds=25.0, go_on=seed == 0, seed=seed) for seed in range(3)]
    assert done[0].reference.num_frames == done[0].simulated.num_frames == 751  # longer than an evaluation's 20 s
    for each in done:
        assert each.simulated.root_positions[0] == pytest.approx(done[0].reference.root_positions[0], abs=0.05)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1000.0, float("nan")])
def test_lengths_that_cannot_be(untrained_run: Path, seconds: float) -> None:
    with pytest.raises(ImitationError, match="--seconds must be 0.0333 to"):
        roll_out(open_run(untrained_run), seconds=seconds)


def test_the_file_is_in_the_clips_own_unit_and_tells_of_feet(
    untrained_run: Path, half_a_second: Rollout, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout(untrained_run, output=tmp_path / "walk.bvh", seconds=0.5)
    written, clip = load_motion(tmp_path / "walk.bvh"), load_motion(clips / "walk_lafan1.bvh")
    assert written.skeleton.offsets == pytest.approx(clip.skeleton.offsets, abs=1e-4)
    assert written.root_positions[0, 1] == pytest.approx(np.median(clip.root_positions[:, 1]), rel=0.05)  # centimetres
    scale = np.linalg.norm(clip.skeleton.offsets[1:]).item() / np.linalg.norm(half_a_second.simulated.skeleton.offsets[1:]).item()
    assert written.root_positions == pytest.approx(scale * half_a_second.simulated.root_positions, abs=1e-3)
    said = capsys.readouterr().out
    assert "stance slide" in said and "below the floor" in said and "before" in said and "after" in said


def test_a_fallen_body_is_not_written(untrained_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ImitationError, match=r"the body fell after [01]\.\d s, so nothing was written"):
        rollout(untrained_run, output=tmp_path / "walk.bvh", seconds=2.0)
    assert not list(tmp_path.iterdir())


def test_a_body_without_legs_has_no_score_card() -> None:
    motion = random_motion(random_skeleton(0), 0, num_frames=5)
    console = Console(width=200)
    with console.capture() as shown:
        console.print(compare(motion, motion))
    assert "no score card" in shown.get()


def test_evaluate_prints_one_json_object_and_nothing_else(untrained_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(untrained_run, episodes=2, stress=False, json=True)
    told = json.loads(capsys.readouterr().out)
    assert {"completion", "success", "normalised_return", "errors_mm", "mjlab", "first_frame", "stress"} <= set(told)
    assert told["episodes"] == 2
    assert told["errors_mm"]["root_relative_mm"] > 0.0


def test_evaluate_prints_tables(untrained_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(untrained_run, episodes=2, stress=False)
    said = capsys.readouterr().out
    assert "normalised return" in said and "Published figures" in said and "Under stress" not in said


def test_export_hands_over_policy_and_contract(
    untrained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[Any] = []

    def write(policy: ActorCritic, contract: dict[str, Any], path: Path) -> Exported:
        given.extend([policy, contract, path])
        return Exported(138, 33, 2048, 20, 1e-7)

    monkeypatch.setattr("imitate.export_onnx.export_onnx", write)
    export(untrained_run, onnx=tmp_path / "walk.onnx")
    policy, contract, path = given
    assert contract["hinge_names"] == list(open_run(untrained_run).character.hinge_names)
    assert policy.num_actions == len(contract["hinge_names"])
    assert path == tmp_path / "walk.onnx"
    assert "2 KiB" in capsys.readouterr().out


def test_runs_that_are_none(untrained_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ImitationError, match=r"no config\.toml"):
        evaluate(tmp_path)
    copy = tmp_path / "walk"
    shutil.copytree(untrained_run, copy)
    policy, contract = load_policy(copy / "policy.pt")
    other = {**contract, "hinge_names": ["tail", *contract["hinge_names"][1:]]}
    save_policy(copy / "policy.pt", policy, other)
    with pytest.raises(ImitationError, match=r"policy for another body.*hinge 0 is 'tail' there"):
        evaluate(copy)
    (copy / "policy.pt").write_bytes((untrained_run / "policy.pt").read_bytes()[:500])
    with pytest.raises(ImitationError, match=r"policy\.pt is no policy of ours"):
        roll_out(open_run(copy), seconds=0.5)
    (copy / "policy.pt").unlink()
    with pytest.raises(MissingFileError, match=r"policy\.pt"):
        export(copy, onnx=tmp_path / "walk.onnx")


def test_a_policy_of_other_observations_is_refused(untrained_run: Path) -> None:
    run = open_run(untrained_run)
    env = replace(run.config.env, observe_phase=not run.config.env.observe_phase)
    with pytest.raises(ImitationError, match=r"was trained with observe_phase True, and here it is False"):
        roll_out(replace(run, config=replace(run.config, env=env)), seconds=0.5)


def test_outputs_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be \.bvh"):
        rollout(tmp_path / "nowhere", output=tmp_path / "walk.mp4")
    with pytest.raises(ImitationError, match=r"must be \.onnx"):
        export(tmp_path / "nowhere", onnx=tmp_path / "walk.pt")
    with pytest.raises(ImitationError, match="--episodes must be at least 1"):
        evaluate(tmp_path / "nowhere", episodes=0)
