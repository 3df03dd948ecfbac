"""The exported page in a real browser, from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics.io import load_motion
from kinematics.viewer.actor import arrange, make_actor
from kinematics.viewer.export import export

Visit = Callable[[str], tuple[Any, list[str]]]


@pytest.fixture
def shown(open_page: Visit, tmp_path: Path) -> Callable[..., tuple[Any, list[str]]]:
    """Export motions and open the page from its file; returns the page, playing, and its errors."""

    def show(*motions: Any, **options: Any) -> tuple[Any, list[str]]:
        path = tmp_path / "<b>page.html"
        export(list(motions), path, **options)
        page, errors = open_page(path.as_uri())
        page.set_viewport_size({"width": 640, "height": 480})  # drawn by the processor
        page.wait_for_function("window.player && window.player.ready", timeout=60_000)
        return page, errors

    return show


def test_it_plays_scrubs_and_agrees_with_forward_kinematics(clips: Path, shown: Any) -> None:
    motions = [load_motion(clips / "walk_lafan1.bvh")[:60], load_motion(clips / "wave_mixamo.bvh")[:40]]
    page, errors = shown(*motions)
    actors = arrange([make_actor(motion) for motion in motions])
    assert page.evaluate("player.frames") == 60
    page.wait_for_function("player.playing && player.frame > 3", timeout=30_000)
    page.keyboard.press("Space")
    assert not page.evaluate("player.playing")
    for frame in (0, 17, 39):
        page.evaluate(f"player.setFrame({frame})")
        assert page.evaluate("player.frame") == frame
        for clip, name in ((0, "LeftHand"), (1, "mixamorig:RightFoot")):
            joint = actors[clip].motion.skeleton.joint_index(name)
            found = page.evaluate(f"player.position({clip}, {joint})")
            np.testing.assert_allclose(found, actors[clip].positions[frame, joint], rtol=0, atol=2e-5)
    page.keyboard.press("End")
    assert page.evaluate("player.frame") == 59
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate("player.frame") == 48
    page.keyboard.press("Home")
    page.locator("#next").click()
    page.wait_for_function("document.getElementById('time').textContent.startsWith('frame 1 ')", timeout=30_000)
    page.evaluate("const bar = document.getElementById('scrub'); bar.value = 30; bar.dispatchEvent(new Event('input'))")
    assert page.evaluate("player.frame") == 30
    for key in "sntcbf":
        page.keyboard.press(key)
    page.wait_for_function("document.querySelectorAll('#labels span:not([hidden])').length > 10", timeout=30_000)
    assert errors == []


def test_the_body_is_seen_and_moves(person: Any, shown: Any) -> None:
    page, errors = shown(person(num_frames=21, swing=0.8))
    pictures = []
    for frame in (5, 15):
        page.evaluate(f"player.setFrame({frame})")
        page.wait_for_timeout(200)
        pictures.append(page.locator("#stage").screenshot())
    assert pictures[0] != pictures[1]
    colours = _saturated(pictures[0])
    assert colours["blue"] > 200 and colours["orange"] > 200
    assert errors == []


def test_titles_do_not_run_and_a_pose_stands_still(person: Any, shown: Any) -> None:
    title = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script>"
    page, errors = shown(person()[4], titles=[title])
    assert page.evaluate("window.hacked") is None
    assert page.title() == title and page.locator("h1").inner_text() == title
    page.keyboard.press("Space")
    assert not page.evaluate("player.playing") and page.evaluate("player.frames") == 1
    assert errors == []


def _saturated(picture: bytes) -> dict[str, int]:
    """Count the pixels of the left and of the right side's colour."""
    import io

    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    warm = pixels[..., 0] - pixels[..., 2]
    return {"blue": int((warm < -60).sum()), "orange": int((warm > 60).sum())}
