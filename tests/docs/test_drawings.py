"""The drawings of the pages are those that their scripts make, and the examples of docs/conventions.md run."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from kinematics.rotations import quaternion

DOCS = Path(__file__).resolve().parents[2] / "docs"


SCRIPTS = {"make_drawings": "conventions.md", "make_ik_drawings": "inverse-kinematics.md"}


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS / "images"))  # where a script finds the other one
    return importlib.import_module(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_drawings_are_up_to_date(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = load(name, monkeypatch)
    script.main(tmp_path)
    made = sorted(file.name for file in tmp_path.iterdir())
    assert made == sorted(file.name for file in (DOCS / "images").glob("*.png") if file.name in script.DRAWINGS)
    for picture in made:
        with Image.open(tmp_path / picture) as new, Image.open(DOCS / "images" / picture) as old:
            assert new.size == old.size, picture
            difference = np.abs(np.asarray(new, dtype=np.int16) - np.asarray(old, dtype=np.int16))
        assert difference.mean() < 0.5, f"{picture} differs from what {name}.py makes; run it again"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_picture_of_the_page_is_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(images/([^)]+)\)", (DOCS / SCRIPTS[name]).read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(load(name, monkeypatch).DRAWINGS)


def test_examples_say_what_they_do() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "conventions.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    turned = quaternion.rotate(names["q"], np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(turned, [1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(names["q"], [0.7071, 0.0, 0.7071, 0.0], atol=1e-4)
