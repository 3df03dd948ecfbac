"""Take the pictures of the documentation and the README: python docs/images/make_view_pictures.py [FOLDER].

Needs GL, the extra `dev`, and Chromium (CHROMIUM names another program than the one on the path). Drivers and browsers draw
a little differently, so nobody compares the results byte by byte: look at them.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from imitate import open_run, roll_out
from kinematics import load_motion
from kinematics.io.atomic import write_bytes
from kinematics.viewer import export, image
from kinematics.viewer.actor import make_actor
from retarget import retarget
from retarget.robots import load_robot

CLIPS = Path(__file__).resolve().parents[2] / "data" / "clips"
CHROMIUM = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
LARGEST = 140_000  # bytes of a picture
PAUSE_MS, PAUSES = 3000, 20  # a page drawn by the processor stands still after some of them


def take_strip() -> np.ndarray:
    """A walk in one picture."""
    return image(load_motion(CLIPS / "walk_cmu.bvh"))


def take_retarget() -> np.ndarray:
    """A jump, and the same on another skeleton."""
    jump = load_motion(CLIPS / "jump_mixamo.bvh")
    moved = retarget(jump, load_motion(CLIPS / "walk_lafan1.bvh")).motion
    labels = ["jump_mixamo", "jump_mixamo on the skeleton of walk_lafan1"]
    return image([jump, moved], frames=slice(26, 86), labels=labels, size=(1280, 800))


def take_robot() -> np.ndarray:
    """A jump, and the same on the robot of data/robots."""
    jump = load_motion(CLIPS / "jump_mixamo.bvh")
    robot = load_robot(CLIPS.parent / "robots" / "praxis.xml")
    labels = ["jump_mixamo", "jump_mixamo on the robot praxis"]
    return image([jump, retarget(jump, robot).motion], frames=slice(26, 86), labels=labels, size=(1280, 800))


def take_turn() -> np.ndarray:
    """A walk with turns on a CMU skeleton, and the same on a Mixamo skeleton."""
    turn = load_motion(CLIPS / "turn_cmu.bvh")
    moved = retarget(turn, load_motion(CLIPS / "run_mixamo.bvh")).motion
    return image([turn, moved], labels=["turn_cmu", "turn_cmu on the skeleton of run_mixamo"], size=(1280, 800))


def take_imitation() -> np.ndarray:
    """A walk, and what the policy of data/policies does under physics."""
    walked = roll_out(open_run(CLIPS.parent / "policies" / "walk"), seconds=3.0)
    labels = ["walk_cmu", "the simulated body, moved by the policy of data/policies/walk"]
    return image([walked.reference, walked.simulated], labels=labels, size=(1280, 800))


def take_reach() -> np.ndarray:
    """The page of `python -m kinematics view`, a hand dragged while both feet are held."""
    from kinematics.viewer.web import Page

    page = Page([make_actor(load_motion(CLIPS / "squat_cmu.bvh"))])
    try:
        page.set_frame(40)
        page.reach.switch(True)
        page.reach.wait()
        hand = page.reach.session.positions(40)[0]
        way = [hand + share * np.array([0.22, 0.95, 0.3]) for share in np.linspace(0.1, 1.0, 10)]

        def drag(_: Any) -> None:
            page.reach.drag("left hand", *way)
            page.reach.wait()

        return photograph(page.url, ".frame", (1280, 880), drag)
    finally:
        page.reach.stop()
        page.stop()


def take_page() -> np.ndarray:
    """A page written by `python -m kinematics export`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        export(load_motion(CLIPS / "run_lafan1.bvh"), path)

        def stop(tab: Any) -> None:
            tab.wait_for_function("window.player && window.player.ready", timeout=60_000)
            tab.keyboard.press("Space")
            tab.evaluate("player.setFrame(66)")

        return photograph(path.as_uri(), "#stage", (1280, 640), stop)


def photograph(address: str, wanted: str, size: tuple[int, int], act: Callable[[Any], None]) -> np.ndarray:
    """Open an address in Chromium, wait for an element, do something, and return what is seen."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(CHROMIUM))
        tab = browser.new_page(viewport={"width": size[0], "height": size[1]})
        tab.goto(address)
        tab.locator(wanted).wait_for(timeout=60_000)
        settle(tab)
        for note in tab.locator(".mantine-Notification-closeButton").all():
            note.click()
        act(tab)
        picture = np.array(Image.open(io.BytesIO(settle(tab))).convert("RGB"))
        browser.close()
    return picture


def settle(tab: Any) -> bytes:
    """Wait until a page stands still, and return it as a PNG."""
    seen: bytes = tab.screenshot()
    for _ in range(PAUSES):
        tab.wait_for_timeout(PAUSE_MS)
        before, seen = seen, tab.screenshot()
        if seen == before:
            break
    return seen


PICTURES: dict[str, Callable[[], np.ndarray]] = {
    "view_strip.jpg": take_strip,
    "view_retarget.jpg": take_retarget,
    "retarget_turn.jpg": take_turn,
    "retarget_robot.jpg": take_robot,
    "imitate_walk.jpg": take_imitation,
    "view_reach.jpg": take_reach,
    "view_page.jpg": take_page,
}


def main(folder: Path) -> None:
    """Write all pictures into a folder."""
    for name, take in PICTURES.items():
        write_bytes(folder / name, encode_jpeg(take()))


def encode_jpeg(picture: np.ndarray) -> bytes:
    """Return a picture as a JPEG file of the best quality that is small enough."""
    for quality in range(92, 30, -4):
        data = io.BytesIO()
        Image.fromarray(picture).save(data, format="jpeg", quality=quality, optimize=True, progressive=True)
        if len(data.getvalue()) <= LARGEST:
            break
    return data.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
