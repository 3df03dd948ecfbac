"""Training in a folder: exact resumes, kills, full disks, settings, curves."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed
from point_env import PointEnv

from imitate import training
from imitate.character.config import CharacterConfig
from imitate.checkpoint import load_checkpoint, load_torch, save_checkpoint
from imitate.cli_train import _asked
from imitate.config import TrainConfig, load_config, save_config
from imitate.curves import Curves, read_progress
from imitate.envs.config import EnvConfig, RandomisationConfig
from imitate.errors import ImitationError
from imitate.learning.config import PPOConfig
from imitate.learning.distributed import join
from imitate.learning.learner import Learner
from imitate.learning.rollout import NotFiniteError
from imitate.policy_file import load_policy, make_contract
from imitate.runs import create_run, open_run
from imitate.training import COUNT, INTERRUPTED, TIME, Progress, learn
from imitate.training_table import duration, line, sparkline, table
from kinematics.errors import InputError, MissingFileError

ROOT = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])  # for processes of their own
CONFIG = TrainConfig(
    iterations=12, checkpoint_every=5, ppo=PPOConfig(hidden=(16,), steps=4, epochs=2, minibatches=2), stop_completion=2.0
)


def make(**changes: object) -> Learner:
    return Learner(PointEnv(num_envs=8), dataclasses.replace(CONFIG.ppo, **changes), horizon=40, update_threads=1)  # type: ignore[arg-type]


def run(folder: Path, *, resume: bool = False, config: TrainConfig = CONFIG, learner: Learner | None = None, call=None) -> str:
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    learner = learner or make()
    return learn(learner, folder, config, contract=lambda metrics: {"metrics": metrics}, resume=resume, on_iteration=call)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_policy(folder / "policy.pt")[0].state_dict()


def same(first: Path, second: Path, iterations: int = CONFIG.iterations) -> None:
    """Weights and curves of two runs are equal bit for bit, their times aside."""
    a, b = weights(first), weights(second)
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
    rows = [read_progress(folder / "progress.csv") for folder in (first, second)]
    assert [len(each) for each in rows] == [iterations] * 2
    for mine, theirs in zip(*rows, strict=True):
        assert [mine[name] for name in mine if "second" not in name and "elapsed" not in name] == [
            theirs[name] for name in theirs if "second" not in name and "elapsed" not in name
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 12 iterations that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder) == COUNT
    return folder


def test_a_run_leaves_curves_checkpoints_and_a_policy(whole: Path) -> None:
    assert sorted(path.name for path in (whole / "checkpoints").iterdir()) == ["000005.pt", "000010.pt", "000012.pt", "latest"]
    assert (whole / "checkpoints" / "latest").read_text() == "000012.pt\n"
    policy, contract = load_policy(whole / "policy.pt")
    assert contract["metrics"]["iteration"] == 12.0
    assert policy.mean(torch.zeros(1, 6)).shape == (1, 2)
    assert any(path.name.startswith("events.out.tfevents") for path in whole.iterdir())


def test_a_stop_and_a_resume_change_nothing(whole: Path, tmp_path: Path) -> None:
    run(tmp_path, config=dataclasses.replace(CONFIG, iterations=7))
    assert run(tmp_path, resume=True) == COUNT
    same(whole, tmp_path)


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_training import CONFIG, run
def tell(now):
    print(int(now.row["iteration"]), flush=True)
run(Path(sys.argv[2]), call=tell)
"""


@pytest.mark.parametrize("after", [8])
def test_a_killed_run_goes_on_from_its_last_checkpoint(whole: Path, tmp_path: Path, after: int) -> None:
    """Killed with SIGKILL between two checkpoints: the iterations since the last one are done again, to the same bits."""
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PATH}) as process:
        assert process.stdout is not None
        for told in process.stdout:
            if int(told) == after:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    assert len(read_progress(tmp_path / "progress.csv")) >= after
    assert load_checkpoint(tmp_path / "checkpoints")["learner"]["iteration"] in (5, 10)
    assert run(tmp_path, resume=True) == COUNT
    same(whole, tmp_path)


def test_a_run_killed_before_its_first_checkpoint_begins_anew(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "progress.csv").write_text((whole / "progress.csv").read_text()[:1500])  # cut in the middle of a row
    assert run(tmp_path, resume=True) == COUNT
    same(whole, tmp_path)


def test_ctrl_c_saves_and_the_run_goes_on_exactly(whole: Path, tmp_path: Path) -> None:
    def interrupt(now: Progress) -> None:
        if now.row["iteration"] == 3.0:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    assert run(tmp_path, call=interrupt) == INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is before
    assert (tmp_path / "checkpoints" / "latest").read_text() == "000004.pt\n"
    assert run(tmp_path, resume=True) == COUNT
    same(whole, tmp_path)


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    def interrupt(now: Progress) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, call=interrupt)


def test_the_time_ends_a_run_and_more_time_goes_on_with_it(tmp_path: Path) -> None:
    short = dataclasses.replace(CONFIG, minutes=1e-9)
    assert run(tmp_path, config=short) == TIME
    assert len(read_progress(tmp_path / "progress.csv")) == 1
    assert run(tmp_path, config=short, resume=True) == TIME
    assert len(read_progress(tmp_path / "progress.csv")) == 1
    assert run(tmp_path, resume=True) == COUNT


def test_a_body_that_is_not_finite_is_named_and_its_state_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, step = make(), PointEnv.step

    def broken(self: PointEnv, actions: np.ndarray):
        result = step(self, actions)
        result.rewards[5] = np.inf if learner.iteration == 6 else 0.5
        return result

    monkeypatch.setattr(PointEnv, "step", broken)
    with pytest.raises(NotFiniteError, match=r"in iteration 7 body 5 of 8 has rewards that are not finite .*--resume") as caught:
        run(tmp_path, learner=learner)
    assert caught.value.body == 5
    dump = load_torch(tmp_path / "not_finite_0.pt", "dump")
    assert dump["body"] == 5 and dump["env"]["positions"].shape == (8, 2)
    monkeypatch.undo()
    assert run(tmp_path, resume=True) == COUNT


@contextmanager
def full_disk(free: int) -> Iterator[None]:
    """Files cannot grow beyond `free` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, {"numbers": np.arange(3)}, keep=2)
    with full_disk(1000), pytest.raises(InputError, match="cannot write .*000002.pt.*nothing was changed"):
        save_checkpoint(tmp_path, 2, {"numbers": np.arange(3000)}, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001.pt", "latest"]
    assert load_checkpoint(tmp_path)["numbers"].tolist() == [0, 1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # TensorBoard's own thread
def test_a_full_disk_ends_a_training_in_one_sentence(tmp_path: Path) -> None:
    def fill(progress: Progress) -> None:
        if progress.row["iteration"] == 3.0:
            full = full_disk((tmp_path / "progress.csv").stat().st_size + 10)
            full.__enter__()
            opened.append(full)

    opened: list[Any] = []
    try:
        with pytest.raises(ImitationError, match=r"cannot write .*progress\.csv.*the checkpoints are as they were"):
            run(tmp_path, call=fill)
    finally:
        for full in opened:
            full.__exit__(None, None, None)


def test_settings_survive_their_file(tmp_path: Path) -> None:
    env = EnvConfig(lookahead_frames=(1, 5), randomisation=RandomisationConfig(push_speed_m_s=(0.0, 0.5)))
    config = dataclasses.replace(CONFIG, env=env, minutes=3.5)
    save_config(config, tmp_path / "config.toml")
    assert load_config(tmp_path / "config.toml") == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format_version = 1\nminuets = 3.0", "no setting named 'minuets'; did you mean 'minutes'"),
        ("format_version = 1\nseed = 1.5", "seed must be of the kind int, got 1.5"),
        ('format_version = 1\n[ppo]\nloss = "sac"', "loss must be of the kind .*got 'sac'"),
        ("minutes = 3.0", "format_version must be 1, got None"),
        ("minutes", "this is not TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ImitationError, match=said):
        load_config(path)


def test_a_resumed_run_takes_only_new_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_config(dataclasses.replace(CONFIG, minutes=30.0), tmp_path / "config.toml")
    assert _asked(tmp_path, (), None, None, TrainConfig()).minutes == 30.0
    assert _asked(tmp_path, (), None, None, TrainConfig(minutes=60.0)) == dataclasses.replace(CONFIG, minutes=60.0)
    monkeypatch.setattr("sys.argv", ["imitate", "train", "--resume", "--minutes=15", "--iterations", "0"])
    again = _asked(tmp_path, (), None, None, TrainConfig())  # asked for, though both are what they are by default
    assert (again.minutes, again.iterations) == (15.0, 0)
    with pytest.raises(ImitationError, match="seed, a clip cannot be given; only --minutes, --iterations, --stop-completion"):
        _asked(tmp_path, (Path("a.bvh"),), None, None, TrainConfig(seed=4))
    with pytest.raises(ImitationError, match="no run to resume .*; python -m imitate train CLIP -o .*/no makes one"):
        _asked(tmp_path / "no", (), None, None, TrainConfig())


def test_curves_go_on_where_the_checkpoint_was(tmp_path: Path) -> None:
    first = Curves(tmp_path)
    for step in range(1, 6):
        first.add({"iteration": float(step), "return": 0.1 * step})
    first.close()
    again = Curves(tmp_path, iteration=3)
    again.add({"iteration": 4.0, "return": 0.9})
    again.close()
    assert [row["return"] for row in read_progress(tmp_path / "progress.csv")] == [0.1, 0.2, 0.1 * 3, 0.9]
    assert [row["iteration"] for row in again.rows] == [1.0, 2.0, 3.0, 4.0]


def test_the_table_says_what_people_ask(whole: Path) -> None:
    row = read_progress(whole / "progress.csv")[-1]
    now = Progress(row, elapsed_s=61.0, left_s=125.0, samples_per_s=5432.1)
    text = line(now, 30.0)
    for part in ("return ", "survival ", "success ", "tracking error ", "speed 5432 /s", "time 1:01", "left about 2:05"):
        assert part in text
    assert table(now, "walk", 30.0, [0.1, 0.5]).row_count == 9
    assert "broken bodies 3" in line(dataclasses.replace(now, row={**row, "broken": 3.0}), 30.0) and "broken" not in text
    assert duration(3599.6) == "60:00"


def test_a_curve_of_bars_rises_with_its_numbers() -> None:
    assert sparkline([], 10) == ""
    assert sparkline([0.0, 0.5, 1.0], 10) == "▁▅█"
    assert len(sparkline([0.3] * 1000, 10)) == 10


def test_a_folder_with_a_run_is_not_written_over(whole: Path, tmp_path: Path, clips: Path) -> None:
    save_config(CONFIG, tmp_path / "config.toml")
    with pytest.raises(ImitationError, match="holds a run already; --resume goes on with it"):
        training.train(clips / "walk_cmu.bvh", tmp_path, CONFIG)
    with pytest.raises(ImitationError, match="is no run"):
        training.train(None, tmp_path / "none", resume=True)
    with pytest.raises(ImitationError, match="train needs a clip"):
        training.train(None, tmp_path / "none")
    with pytest.raises(ImitationError, match="torch cannot work on the device 'abacus'"):
        training.train(None, tmp_path / "none", TrainConfig(device="abacus"))


def test_a_training_can_begin_with_a_policy_of_the_same_body(untrained_run: Path, clips: Path, tmp_path: Path) -> None:
    """Pushes are learned on top of a walk."""
    small = PPOConfig(hidden=(8, 8), learning_rate=1e-9, epochs=1, minibatches=1)
    still = TrainConfig(iterations=1, num_envs=4, seed=5, ppo=small)
    clip = clips / "walk_lafan1.bvh"
    training.train(clip, tmp_path / "run", still, start_from=untrained_run)
    before, after = weights(untrained_run), weights(tmp_path / "run")
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before if "actor" in name)
    (tmp_path / "run" / "policy.pt").unlink()  # without any checkpoint a resumed run begins there as well
    for file in (tmp_path / "run" / "checkpoints").iterdir():
        file.unlink()
    training.train(None, tmp_path / "run", resume=True)
    assert all(torch.equal(after[name], value) for name, value in weights(tmp_path / "run").items())
    start = tomllib.loads((tmp_path / "run" / "versions.toml").read_text())["start"]
    assert start["sha256"] == hashlib.sha256((untrained_run / "policy.pt").read_bytes()).hexdigest()
    with pytest.raises(ImitationError, match="was trained with action_scale_rad 0.5, and here it is 2.0; they must be equal"):
        other = dataclasses.replace(still, env=EnvConfig(action_scale_rad=2.0))
        training.train(clip, tmp_path / "other", other, start_from=untrained_run)
    with pytest.raises(ImitationError, match="a resumed run goes on with its own clips, body and policy"):
        training.train(clip, tmp_path / "run", resume=True)
    with pytest.raises(ImitationError, match="a policy for another body"):
        training.train(clips / "walk_cmu.bvh", tmp_path / "other", still, start_from=untrained_run / "policy.pt")
    with pytest.raises(ImitationError, match=r"has layers of \(8, 8\), and ppo.hidden is \(256, 128\)"):
        training.train(clip, tmp_path / "other", start_from=untrained_run)
    with pytest.raises(MissingFileError, match=r"policy\.pt"):
        training.train(clip, tmp_path / "other", start_from=tmp_path)
    assert not (tmp_path / "other").exists()


def test_training_ends_when_three_trials_come_to_their_end_and_hardly_get_better() -> None:
    def trials(*pairs: tuple[float, float]) -> list[dict[str, float]]:
        return [{"completion": completion, "return": reached} for completion, reached in pairs]

    assert training.good_enough(trials((0.2, 0.3), (1.0, 0.9), (1.0, 0.903), (1.0, 0.904)), 1.0)
    assert not training.good_enough(trials((1.0, 0.9), (1.0, 0.903)), 1.0)  # two
    assert not training.good_enough(trials((1.0, 0.9), (1.0, 0.93), (1.0, 0.94)), 1.0)  # still rising
    assert not training.good_enough(trials((1.0, 0.9), (0.9, 0.9), (1.0, 0.9)), 1.0)  # one fell


def test_the_policy_that_did_best_in_its_trials_is_kept(tmp_path: Path) -> None:
    returns = iter([0.5, 0.9, 0.4])
    kept: list[float] = []

    def trial() -> dict[str, float]:
        return {"completion": 0.5, "return": next(returns), "root_relative_mm": 50.0}

    def contract(row: dict[str, float]) -> dict[str, object]:
        kept.append(row["trial/return"])
        return {"metrics": row}

    (tmp_path / "checkpoints").mkdir()
    config = dataclasses.replace(CONFIG, iterations=6, trial_every=2)
    learn(make(), tmp_path, config, contract=contract, trial=trial)
    assert kept == [0.5, 0.9]
    assert load_policy(tmp_path / "policy.pt")[1]["metrics"]["iteration"] == 4.0
    rows = read_progress(tmp_path / "progress.csv")
    assert [row["trial/return"] for row in rows] == [0.0, 0.5, 0.5, 0.9, 0.9, 0.4]


def test_a_real_run_with_trials_goes_on_to_the_same_bits(walker, tmp_path: Path) -> None:
    ppo = PPOConfig(hidden=(16,), steps=4, epochs=1, minibatches=2)
    config = TrainConfig(
        iterations=4, trial_every=1, num_envs=8, physics_threads=1, update_threads=1, ppo=ppo, stop_completion=2.0, device="cpu"
    )
    assert training.train(walker.motion[:90], tmp_path / "whole", config, to=walker.character) == COUNT
    half = dataclasses.replace(config, iterations=2)
    assert training.train(walker.motion[:90], tmp_path / "halves", half, to=walker.character) == COUNT
    assert training.train(None, tmp_path / "halves", config, resume=True) == COUNT
    same(tmp_path / "whole", tmp_path / "halves", 4)
    assert all(row["trial/return"] > 0.0 for row in read_progress(tmp_path / "halves" / "progress.csv"))


def test_a_trial_at_the_end_of_the_time_decides_nothing_later(tmp_path: Path) -> None:
    def trial() -> dict[str, float]:
        return {"completion": 1.0, "return": 0.9, "root_relative_mm": 50.0}

    (tmp_path / "checkpoints").mkdir()
    config = dataclasses.replace(CONFIG, trial_every=2, minutes=1e-9)
    assert learn(make(), tmp_path, config, contract=lambda row: {"metrics": row}, trial=trial) == TIME
    assert load_policy(tmp_path / "policy.pt")[1]["metrics"]["trial/return"] == 0.9
    assert load_checkpoint(tmp_path / "checkpoints")["trials"] == []


def test_bodies_that_break_down_all_the_time_end_a_training_by_name(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, step = make(), PointEnv.step
    learner.env.bad_numbers = Counter()  # type: ignore[attr-defined]

    def broken(self: PointEnv, actions: np.ndarray):
        self.bad_numbers["left_foot"] += learner.iteration == 2  # type: ignore[attr-defined]
        return step(self, actions)

    monkeypatch.setattr(PointEnv, "step", broken)
    with pytest.raises(NotFiniteError, match=r"in iteration 3 4 of 32 steps broke a body .* 4 of them at 'left_foot'.*--resume"):
        run(tmp_path, learner=learner)
    assert load_torch(tmp_path / "not_finite_0.pt", "dump")["env"]["positions"].shape == (8, 2)
    assert {row["broken"] for row in read_progress(whole / "progress.csv")} == {0.0}


def test_a_resumed_run_takes_the_device_of_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = dataclasses.replace(CONFIG, device="abacus")
    monkeypatch.setattr(training, "open_run", lambda folder: SimpleNamespace(config=config))
    monkeypatch.setattr(training, "join", lambda device: pytest.fail(f"joined on {device!r}"))
    with pytest.raises(ImitationError, match="device 'abacus'"):
        training.train(None, tmp_path, resume=True)


def test_each_process_adds_up_on_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "set_device", done.append)
    monkeypatch.setattr(torch.distributed, "init_process_group", done.append)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    assert join("cuda:1").rank == 1
    assert done == ["cuda:1", "nccl"]


def test_only_processors_that_it_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3}, raising=False)
    assert training._processors() == 1


def test_a_ready_body_keeps_to_the_settings_and_physics_has_one_rate(walker, tmp_path: Path) -> None:
    """As text, as a caller may name it; read back from the folder it is the same."""
    robot = str(ROOT / "data" / "robots" / "praxis.xml")
    config = TrainConfig(character=CharacterConfig(friction=0.3, self_collision=True))
    opened = open_run(create_run(walker.motion[:45], tmp_path / "run", config, to=robot))
    model = opened.character.model
    assert np.allclose(model.geom_friction[:, 0], 0.3) and model.nexclude > 0 and (model.geom_contype[1:] & 2).any()
    rate = opened.config.env.physics_rate_hz
    assert rate in (120.0, 240.0, 480.0)
    contract = make_contract(opened.character, opened.config, clip="", clip_hash="", metrics={})
    assert contract["physics_rate_hz"] == contract["env"]["physics_rate_hz"] == 1.0 / contract["time_step_s"] == rate
    old = dataclasses.replace(opened.config, env=EnvConfig())  # of a folder written before
    assert make_contract(opened.character, old, clip="", clip_hash="", metrics={})["physics_rate_hz"] == pytest.approx(120.0)
