"""The lines of docs/inverse-kinematics.md run, and say what is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from kinematics import ik, load_motion
from kinematics.cli import app, run
from kinematics.ik.problem import METHODS, Method, OverTime
from kinematics.ik.result import STATUSES, Result

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "inverse-kinematics.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder in which the project's clips are where the page has them."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_snippet_runs(elsewhere: Path) -> None:
    names: dict[str, object] = {}
    results = []
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, names)
        results.append(names["result"])
    assert len(results) >= 7
    for result in {id(each): each for each in results}.values():
        assert isinstance(result, Result)
        assert np.all(np.asarray(result.status) == "converged"), result
    assert (elsewhere / "on_a_rail.bvh").exists()
    assert load_motion(elsewhere / "fitted.bvh").num_frames == 373


def test_the_readme_runs(elsewhere: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(next(block for block in blocks if "ik.solve" in block), names)
    assert names["result"].converged


def test_commands_run(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = re.findall(r"^python -m kinematics (\w+ .*)$", TEXT, re.MULTILINE)
    assert lines
    for line in lines:
        with pytest.raises(SystemExit) as end:
            run(lambda line=line: app.cli(args=shlex.split(line)))
        assert end.value.code == 0, capsys.readouterr()
    assert all((elsewhere / name).exists() for name in ("OUT.bvh", "OUT.png", "PINNED.bvh"))


def test_everything_is_named() -> None:
    """Every method, way over time, status and public name of `ik` stands on the page."""
    assert set(get_args(Method)) == set(METHODS)
    words = [f'`"{word}"`' for word in (*METHODS, *get_args(OverTime), *STATUSES)]
    public = [f"ik.{name}" for name in dir(ik) if name in getattr(ik, "__all__", dir(ik)) and callable(getattr(ik, name))]
    missing = [word for word in (*words, *public) if word not in TEXT]
    assert not missing
