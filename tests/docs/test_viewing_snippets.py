"""The lines of docs/viewing.md run, and its pictures are there and small."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kinematics import load_motion, viewer
from kinematics.cli import app, run
from kinematics.cli_render import render
from kinematics.errors import GraphicsError, MissingExtraError
from kinematics.viewer import gl, rendering

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "viewing.md"
TEXT = PAGE.read_text(encoding="utf-8")
LARGEST = 150_000  # bytes of a picture


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder in which the project's clips are where the page has them."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def drawing() -> None:
    """Skip where no GL can be had."""
    pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed: pip install 'muybridge[viewer]'")
    try:
        gl.open_gl()
    except (GraphicsError, MissingExtraError) as error:
        pytest.skip(str(error))


def commands(name: str) -> list[list[str]]:
    """Return the arguments of the page's commands of one name."""
    found = [shlex.split(line) for line in re.findall(rf"^python -m kinematics ({name} .*)$", TEXT, re.MULTILINE)]
    assert found
    return found


def call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(lambda: app.cli(args=arguments))
    assert end.value.code == 0, arguments


def test_every_snippet_runs(elsewhere: Path, drawing: None) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, names)
    assert names["picture"].shape == (720, 1280, 3)
    assert names["result"].converged
    waved = load_motion(elsewhere / "waved.bvh")
    np.testing.assert_allclose(waved[40].local_rotations, names["result"].pose.local_rotations, atol=1e-5)
    for name in ("walks.mp4", "compare.html", "waved.glb"):
        assert (elsewhere / name).stat().st_size > 10_000


def test_the_readme_runs(elsewhere: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(next(block for block in blocks if "viewer.export" in block), {})
    assert (elsewhere / "compare.html").stat().st_size > 1_000_000


def test_exports_run(elsewhere: Path) -> None:
    for arguments in commands("export"):
        call(arguments)
        assert (elsewhere / arguments[arguments.index("-o") + 1]).stat().st_size > 100_000


def test_renders_are_what_the_command_takes(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is drawn, as stick figures and small, if it is a picture; a video is only asked for."""
    pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed: pip install 'muybridge[viewer]'")
    asked, draw = [], rendering.render

    def small(motions: Any, path: Path, **options: Any) -> None:
        asked.append(path.name)
        if path.suffix == ".png":
            draw(motions, path, **options | {"renderer": "figure", "names": False, "size": (640, 160)})

    monkeypatch.setattr(rendering, "render", small)
    for arguments in commands("render"):
        call(arguments)
    assert asked == ["strip.png", "pose.png", "walk.mp4", "both.gif", "sticks.png"]
    for name in asked:
        if name.endswith(".png"):
            with Image.open(elsewhere / name) as picture:
                assert picture.size == (640, 160)


def test_pages_open(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`view` loads the clips and asks for a page with them; that is served elsewhere."""
    web = pytest.importorskip("kinematics.viewer.web", reason="viser is not installed: pip install 'muybridge[viewer]'")
    shown: list[int] = []

    def serve(actors: list[Any], **_: Any) -> None:
        shown.append(len(actors))
        raise SystemExit(0)

    monkeypatch.setattr(web, "Page", serve)
    for arguments in commands("view"):
        call(arguments)
    assert shown == [1, 2, 2]


def test_everything_is_named() -> None:
    """Every option of `render` and every public function of the viewer stands on the page."""
    options = [name for name in inspect.signature(render).parameters if name not in ("clip", "output", "others")]
    missing = [name for name in options if not re.search(rf"--(no-)?{name}\b", TEXT)]
    missing += [name for name in vars(viewer) if inspect.isfunction(getattr(viewer, name)) and f"viewer.{name}" not in TEXT]
    assert not missing


@pytest.mark.parametrize("page", [PAGE, ROOT / "README.md"], ids=lambda page: page.name)
def test_pictures_are_there_and_small(page: Path) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert shown
    for name in shown:
        file = page.parent / name
        assert file.stat().st_size < LARGEST, name
        with Image.open(file) as picture:
            picture.load()
            assert 600 <= picture.width <= 1300, name


def test_every_picture_is_used_and_has_a_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "images"))
    import make_view_pictures as maker

    taken = {path.name for path in (ROOT / "docs" / "images").glob("*.jpg")}
    words = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert taken == set(maker.PICTURES) and all(name in words for name in taken)
