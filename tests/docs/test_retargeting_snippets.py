"""The lines of docs/retargeting.md run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kinematics import Motion, load_motion

ROOT = Path(__file__).resolve().parents[2]


def test_every_snippet_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco", reason="the extra robots is not installed")
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "retargeting.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) >= 3 and isinstance(names["upper"].motion, Motion)
    assert load_motion(tmp_path / "out.bvh").num_frames == 319
    assert (tmp_path / "map.toml").exists() and len((tmp_path / "walk.csv").read_text().splitlines()) >= 319
