"""The lines of docs/imitation.md run, and what it names is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import imitate
from imitate.lazy import HOMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "imitation.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_snippet_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("mujoco", "torch", "gymnasium"):
        pytest.importorskip(package, reason="the extra imitate is not installed")
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) >= 4 and names["why_it_ended"] == "all iterations are done"
    assert (tmp_path / "walker" / "body.xml").is_file() and (tmp_path / "runs" / "short" / "policy.pt").is_file()
    assert names["step"].observations.shape == names["observations"].shape == (16, names["env"].num_observations)  # type: ignore[attr-defined]


def test_commands_and_options_exist() -> None:
    """Every line of the page and of the README that calls `python -m imitate` is one that the parser takes."""
    pytest.importorskip("mujoco", reason="the extra imitate is not installed")
    from imitate.cli import commands

    known = {command.__name__: command for command in commands()}
    lines = re.findall(r"^python -m imitate (.*)$", TEXT + (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {line.split()[0] for line in lines} == set(known)
    for line in lines:
        words = shlex.split(line, comments=True)
        options = {word[2:].replace("-", "_") for word in words if word.startswith("--") and "." not in word}
        taken = set(known[words[0]].__annotations__)
        taken |= set(imitate.TrainConfig.__annotations__) if words[0] == "train" else set()
        assert options <= taken, line


def test_public_names_are_lazy_and_true() -> None:
    """What `imitate` offers is what type checkers are told, and each can be had."""
    told = re.findall(r"^    from ([\w.]+) import (\w+) as \2$", (ROOT / "imitate" / "__init__.py").read_text(), re.MULTILINE)
    assert {name: home for home, name in told} == HOMES and len(HOMES) <= 20
    for name in HOMES:
        assert getattr(imitate, name) is not None and name in dir(imitate)
    with pytest.raises(AttributeError, match="no attribute 'make_charakter'"):
        imitate.make_charakter  # noqa: B018
