"""Run folders: where they may be made, of what, and what is said where something is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imitate.cli import command_line
from imitate.cli_character import character
from imitate.config import TrainConfig
from imitate.errors import ImitationError
from imitate.extra import explained
from imitate.runs import create_run, open_run
from kinematics.errors import MissingExtraError
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

CONFIG = TrainConfig()


def face() -> Motion:
    """A rig of a face whose jaw opens."""
    names = ("face", "jaw", "brow_l", "brow_r", "eye_l", "eye_r", "lip")
    offsets = [[0, 0, 0], [0, -5, 5], [3, 5, 8], [-3, 5, 8], [3, 2, 8], [-3, 2, 8], [0, -1, 4]]
    skeleton = Skeleton(names, np.array([-1, 0, 0, 0, 0, 0, 1]), 0.01 * np.array(offsets, dtype=float))
    rotations = np.tile(quaternion.IDENTITY, (60, 7, 1))
    rotations[:, 1] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.3 * np.sin(np.arange(60) / 5.0))
    return Motion(skeleton, np.tile([0.0, 1.6, 0.0], (60, 1)), rotations, 1 / 30)


def test_a_folder_is_made_with_its_parents_and_the_body_is_named_after_the_clip(clips: Path, tmp_path: Path) -> None:
    folder = create_run(str(clips / "walk_lafan1.bvh"), tmp_path / "runs" / "walk", CONFIG)
    run = open_run(folder)
    assert run.character.name == "walk_lafan1" and run.motion.num_frames == load_motion(clips / "walk_lafan1.bvh").num_frames
    with pytest.raises(ImitationError, match="holds a run already"):
        create_run(clips / "walk_lafan1.bvh", folder, CONFIG)


def test_repairs_of_the_clips_file_are_told(
    clips: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame that the reader filled in is no motion of the person."""
    lines = (clips / "walk_lafan1.bvh").read_text().splitlines()
    lines[-2] = " ".join(["nan", *lines[-2].split()[1:]])
    broken = tmp_path / "broken.bvh"
    broken.write_text("\n".join(lines) + "\n")
    create_run(clips / "walk_lafan1.bvh", tmp_path / "whole", CONFIG)
    assert not caplog.messages
    create_run(broken, tmp_path / "run", CONFIG)
    assert [message.split(":")[0] for message in caplog.messages] == ["broken.bvh was repaired"]
    character(broken, report=True)
    assert "broken.bvh was repaired: line" in capsys.readouterr().err


def test_folders_of_others_are_left_alone(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ImitationError, match="holds other things; a run needs a new or an empty folder"):
        create_run(clips / "walk_lafan1.bvh", tmp_path, CONFIG)
    with pytest.raises(ImitationError, match="is a file; give a folder"):
        create_run(clips / "walk_lafan1.bvh", tmp_path / "notes.txt", CONFIG)
    with pytest.raises(ImitationError, match="cannot make the folder"):
        create_run(clips / "walk_lafan1.bvh", tmp_path / "notes.txt" / "run", CONFIG)
    with pytest.raises(ImitationError, match=r"is no run: it has no config\.toml"):
        open_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_clips_that_cannot_be_imitated_leave_no_folder(walker, clips: Path, tmp_path: Path) -> None:
    with pytest.raises(ImitationError, match=r"no body that could stand.*is it a face"):
        create_run(face(), tmp_path / "face", CONFIG)
    with pytest.raises(ImitationError, match=r"at least 0\.3 s are needed"):
        create_run(walker.motion[:5], tmp_path / "short", CONFIG)
    with pytest.raises(ImitationError, match=r"walk_cmu\.bvh has another skeleton than the first clip"):
        create_run([walker.motion, clips / "walk_cmu.bvh"], tmp_path / "two", CONFIG)
    with pytest.raises(ImitationError, match="there is no clip"):
        create_run([], tmp_path / "none", CONFIG)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(MissingExtraError, match=r"'torch', which is not installed; pip install 'muybridge\[imitate\]'"),
        explained(),
    ):
        raise ModuleNotFoundError(name="torch")
    with pytest.raises(ModuleNotFoundError, match="elsewhere"), explained():
        raise ModuleNotFoundError("elsewhere", name="elsewhere")
    monkeypatch.setattr(sys, "argv", ["imitate", "evaluate", "nowhere"])
    monkeypatch.delitem(sys.modules, "imitate.evaluation_table", raising=False)
    monkeypatch.setitem(sys.modules, "imitate.evaluation", None)
    with pytest.raises(ModuleNotFoundError):  # a module of ours is no package of the extra
        command_line()


def test_help_needs_no_torch() -> None:
    """Looking at the options, and making a body, work in a second and without torch."""
    code = "import sys; from imitate.cli import commands; commands(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "False"
