"""The page in a real browser: it loads, plays, scrubs, hears keys, and bears a second browser and a closed one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import forward_kinematics
from kinematics.io import load_motion
from kinematics.rotations import quaternion

web = pytest.importorskip("kinematics.viewer.web", reason="viser is not installed: pip install 'muybridge[viewer]'")
from kinematics.viewer.actor import make_actor  # noqa: E402
from kinematics.viewer.web_scene import Layers  # noqa: E402

BONES = Layers(body=False, contacts=False, trail=False, skeleton=True)  # quickly drawn
SLOW = 0.1  # pictures are few, so that a browser without a GPU has time to listen
Visit = Callable[[str], tuple[Any, list[str]]]


@pytest.fixture(scope="module")
def page(clips: Path) -> Iterator[Any]:
    page = web.Page([make_actor(load_motion(clips / "squat_cmu.bvh")[:120])], port=8930)
    page.server.scene.get_handle_by_name("/sun").cast_shadow = False  # a processor draws here
    page.set_layers(BONES)
    page.set_speed(SLOW)
    yield page
    page.stop()


@pytest.fixture(scope="module")
def tab(page: Any, open_page: Visit) -> tuple[Any, list[str]]:
    window, errors = open_page(page.url)
    window.locator(".frame").wait_for(timeout=60_000)
    return window, errors


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def shown_frame(window: Any) -> int:
    return int(window.locator(".frame").inner_text())


def shows(window: Any, frame: int) -> bool:
    return until(lambda: shown_frame(window) == frame)


def test_loads_without_an_error(page: Any, tab: tuple[Any, list[str]]) -> None:
    window, errors = tab
    assert window.locator("canvas").count() >= 1
    assert window.title()
    assert until(lambda: len(page.server.get_clients()) == 1)
    assert errors == []


def test_plays_and_pauses(page: Any, tab: tuple[Any, list[str]]) -> None:
    window, errors = tab
    window.get_by_role("button", name="Play").click()
    assert until(lambda: page.playing and page.frame > 3)
    assert until(lambda: shown_frame(window) > 3)
    window.get_by_role("button", name="Pause").click()
    assert until(lambda: not page.playing)
    assert shows(window, page.frame)
    assert errors == []


def test_scrubbing_shows_where_forward_kinematics_puts_a_joint(page: Any, tab: tuple[Any, list[str]], clips: Path) -> None:
    window, errors = tab
    motion = load_motion(clips / "squat_cmu.bvh")
    joint = motion.skeleton.joint_index("LeftHand")
    page.pick(0, joint)
    page.set_frame(0)
    assert shows(window, 0)
    line = window.locator(".mantine-Slider-root").last.bounding_box()
    window.mouse.click(line["x"] + 0.4 * line["width"], line["y"] + 0.5 * line["height"])
    assert until(lambda: page.frame > 0)
    assert abs(page.frame - 0.4 * page.num_frames) < 0.03 * page.num_frames
    assert shows(window, page.frame)
    expected = forward_kinematics(motion).global_positions[page.frame, joint]
    seen = [float(text) for text in window.locator(".position").all_inner_texts()]
    np.testing.assert_allclose(seen, expected, atol=6e-5)
    assert errors == []


def test_keys(page: Any, tab: tuple[Any, list[str]]) -> None:
    window, errors = tab
    last = page.num_frames - 1
    window.evaluate("document.activeElement.blur()")
    for key, frame in [
        ("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("Shift+ArrowLeft", 0), ("End", last),
    ]:  # fmt: skip
        window.keyboard.press(key)
        assert until(lambda frame=frame: page.frame == frame), (key, page.frame)  # type: ignore[misc]
    window.keyboard.press("ArrowUp")
    assert until(lambda: page.clock.speed == 0.25)
    window.keyboard.press("ArrowDown")
    assert until(lambda: page.clock.speed == SLOW)
    window.keyboard.press("Space")
    assert until(lambda: page.playing)
    window.keyboard.press("Space")
    assert until(lambda: not page.playing)
    assert errors == []


def test_keys_count_once_where_a_control_has_the_focus(page: Any, tab: tuple[Any, list[str]]) -> None:
    window, _ = tab
    page.set_frame(20)
    assert shows(window, 20)
    window.get_by_role("slider").first.focus()
    window.keyboard.press("ArrowRight")
    assert shows(window, 21)
    window.get_by_role("button", name="Play").focus()
    window.keyboard.press("ArrowUp")  # arrives after all that the first key sent
    assert until(lambda: page.clock.speed == 0.25)
    assert page.frame == 21
    window.keyboard.press("Space")
    assert until(lambda: page.playing)
    window.keyboard.press("ArrowDown")
    assert until(lambda: page.clock.speed == SLOW)
    assert page.playing
    page.pause()


def test_a_click_on_the_body_picks_a_joint(page: Any, tab: tuple[Any, list[str]]) -> None:
    window, errors = tab
    page.set_layers(Layers())
    page.pick(0, -1)
    page.set_frame(0)
    box = window.locator("canvas[data-engine]").bounding_box()
    for share in (0.4, 0.45, 0.35, 0.5):
        window.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + share * box["height"])
        if until(lambda: page.picked[1] >= 0, 1.5):
            break
    assert page.picked[1] >= 0
    name = page.actors[0].motion.skeleton.joint_names[page.picked[1]]
    assert until(lambda: window.get_by_text(f"{name} below").count() == 1)
    page.set_layers(BONES)
    assert errors == []


def test_a_second_browser_sees_the_same_and_may_leave(page: Any, tab: tuple[Any, list[str]], open_page: Visit) -> None:
    window, errors = tab
    page.set_frame(33)
    other, other_errors = open_page(page.url)
    other.locator(".frame").wait_for(timeout=30_000)
    assert shows(other, 33)
    page.play()
    assert until(lambda: shown_frame(other) != 33)
    other.close()
    assert until(lambda: len(page.server.get_clients()) == 1)
    frame = page.frame
    assert until(lambda: page.frame != frame)
    assert until(lambda: shown_frame(window) != 33)
    page.pause()
    assert errors == other_errors == []


def test_a_gizmo_dragged_with_the_mouse(page: Any, tab: tuple[Any, list[str]]) -> None:
    window, errors = tab
    reach = page.reach
    page.set_frame(0)
    reach.switch(True)
    assert reach.wait()
    before, camera = reach.session.positions(0)[0], next(iter(page.server.get_clients().values())).camera
    eye, turn = np.array(camera.position), quaternion.inverse(np.array(camera.wxyz))
    box = window.locator("canvas[data-engine]").bounding_box()
    focal = 0.5 * box["height"] / np.tan(0.5 * camera.fov)

    def point(where: np.ndarray) -> None:
        x, y, z = quaternion.rotate(turn, where - eye)  # x to the right, y down, z ahead
        window.mouse.move(
            box["x"] + 0.5 * box["width"] + float(focal * x / z), box["y"] + 0.5 * box["height"] + float(focal * y / z)
        )

    up = np.array([0.0, page.height, 0.0])
    for _ in range(30):  # until the browser has drawn the arrow
        point(before + 0.06 * up)
        window.mouse.down()
        point(before + 0.07 * up)
        if until(lambda: reach.dragged != "", 1.0):
            break
        window.mouse.up()
    assert reach.dragged == "left hand"
    for share in (0.1, 0.13, 0.16):
        point(before + share * up)
    window.mouse.up()
    assert until(lambda: reach.dragged == "") and reach.wait()
    moved = reach.session.positions(0)[0] - before
    np.testing.assert_allclose(moved, 0.1 * up, rtol=0, atol=0.03)
    assert "frame 0" in reach.status and errors == []


def test_ctrl_c_while_it_plays_with_a_tab_open(
    clips: Path, tab: tuple[Any, list[str]], page: Any, interruptible: Callable[[], None]
) -> None:
    window, _ = tab
    page.stop()
    command = [sys.executable, "-m", "kinematics", "view", str(clips / "wave_lafan1.bvh"), "--port", "8940"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible) as server:
        try:
            assert server.stdout is not None and server.stderr is not None
            said = server.stdout.readline()
            window.goto(said.split()[0])
            window.locator(".frame").wait_for(timeout=60_000)
            window.evaluate("document.activeElement.blur()")
            for key in ("ArrowDown", "ArrowDown", "Space"):
                window.keyboard.press(key)
            assert until(lambda: shown_frame(window) > 2)
            server.send_signal(signal.SIGINT)
            rest, errors = server.communicate(timeout=60)
        finally:
            server.kill()
            window.goto("about:blank")
    assert "wave_lafan1.bvh; Ctrl-C ends it" in said and server.returncode == 130
    assert (rest, errors) == ("", "interrupted\n")
