"""The drawings of docs/conventions.md are those that their script makes, and its examples run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from kinematics.rotations import quaternion

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_drawings", DOCS / "images" / "make_drawings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_drawings_are_up_to_date(script: ModuleType, tmp_path: Path) -> None:
    script.main(tmp_path)
    made = sorted(file.name for file in tmp_path.iterdir())
    assert made == sorted(file.name for file in (DOCS / "images").glob("*.png") if file.name in script.DRAWINGS)
    for name in made:
        with Image.open(tmp_path / name) as new, Image.open(DOCS / "images" / name) as old:
            assert new.size == old.size, name
            difference = np.abs(np.asarray(new, dtype=np.int16) - np.asarray(old, dtype=np.int16))
        assert difference.mean() < 0.5, f"{name} differs from what make_drawings.py makes; run it again"


def test_every_picture_of_the_page_is_there(script: ModuleType) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(images/([^)]+)\)", (DOCS / "conventions.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(script.DRAWINGS)


def test_examples_say_what_they_do() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "conventions.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    turned = quaternion.rotate(names["q"], np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(turned, [1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(names["q"], [0.7071, 0.0, 0.7071, 0.0], atol=1e-4)
