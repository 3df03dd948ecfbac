from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kinematics.io import load_motion, save_motion
from retarget import retarget
from retarget.cli import main


@pytest.fixture
def folder(bodies, tmp_path: Path) -> Path:
    save_motion(bodies.person("LAFAN1").walk(), tmp_path / "walk.bvh")
    save_motion(bodies.z_up(bodies.person("SMPL", seed=1).walk(), 100.0), tmp_path / "target.bvh")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    environment = {"PYTHONPATH": str(root), "COLUMNS": "100", "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    command = [sys.executable, "-m", "retarget", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def test_writes_the_clip_and_its_picture(folder: Path) -> None:
    done = run(folder, "walk.bvh", "--to", "target.bvh", "-o", "out.bvh")
    assert done.returncode == 0 and not done.stderr
    assert "L_Elbow" in done.stdout and "LeftForeArm" in done.stdout and "bone direction error" in done.stdout
    expected = retarget(load_motion(folder / "walk.bvh"), load_motion(folder / "target.bvh")).motion
    written = load_motion(folder / "out.bvh")
    np.testing.assert_allclose(written.root_positions, expected.root_positions, atol=1e-9)
    assert (folder / "out.png").read_bytes().startswith(b"\x89PNG")


def test_names_with_brackets(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    text, name = (folder / "target.bvh").read_text(), "the_third_body_from_the_left_of_the_stage:Head[/x]"
    assert "JOINT Head\n" in text
    (folder / "brackets.bvh").write_text(text.replace("JOINT Head\n", f"JOINT {name}\n"))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "argv", ["retarget", "walk.bvh", "--to", "brackets.bvh", "-o", "out[x].bvh", "--no-picture"])
    with pytest.raises(SystemExit) as exit_info:
        main()
    shown = capsys.readouterr().out
    assert exit_info.value.code == 0 and name in shown and "wrote out[x].bvh" in shown
    assert max(map(len, shown.splitlines())) > 80  # more than rich takes where there is no terminal
    assert load_motion(folder / "out[x].bvh").num_frames and not (folder / "out[x].png").exists()


def test_errors_are_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "prop.bvh").write_text(
        "HIERARCHY\nROOT box\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nJOINT lid\n{\nOFFSET 0 1 0\n"
        "CHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n}\nMOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0 0 0 0\n"
    )
    for arguments, words in (
        (("prop.bvh", "--to", "target.bvh", "-o", "out.bvh"), "the source is not a body"),
        (("walk.bvh", "--to", "prop.bvh", "-o", "out.bvh"), "the target is not a body"),
        (("walk.bvh", "--to", "target.bvh", "-o", "walk.bvh"), "would overwrite"),
        (("walk.bvh", "--to", "target.bvh", "-o", "./target.bvh"), "would overwrite"),
        (("walk.bvh", "--to", "target.bvh", "-o", "out.bvh", "--save-map", "walk.bvh"), "would overwrite"),
        (("walk.bvh", "--to", "target.bvh", "-o", "out.bvh", "--save-map", "out.png"), "would overwrite"),
        (("missing.bvh", "--to", "target.bvh", "-o", "out.bvh"), "missing.bvh"),
        (("walk.bvh", "--to", "target.bvh", "-o", "nowhere/out.bvh"), "there is no folder 'nowhere'"),
        (("walk.bvh", "--to", "target.bvh", "-o", "out.txt"), "'out.txt': the output must end in .bvh or .npz"),
        (("missing.bvh", "--to", "missing.bvh", "-o", "out.txt"), "must end in"),  # before any work
    ):
        monkeypatch.setattr(sys, "argv", ["retarget", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        errors = capsys.readouterr().err
        assert exit_info.value.code == 2 and words in errors and len(errors.strip().splitlines()) == 1, errors
    (folder / "prop.bvh").unlink()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before  # nothing written, nothing half-written


def test_help_tells_the_arguments(folder: Path) -> None:
    done = run(folder, "--help")
    assert done.returncode == 0 and "--to" in done.stdout and "-o" in done.stdout and "without a table" in done.stdout
    assert run(folder, "walk.bvh").returncode == 2
