"""A small person for pictures (T-pose, metres, Y up, facing +Z, left at +X), and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from kinematics import Motion, Skeleton
from kinematics.rotations import quaternion

# Software WebGL, so that pages draw on a machine without a GPU.
CHROMIUM = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")

JOINTS = [  # name, parent, offset
    ("Hips", "", (0, 0.95, 0)),
    ("Spine", "Hips", (0, 0.2, 0)),
    ("Neck", "Spine", (0, 0.3, 0)),
    ("Head", "Neck", (0, 0.1, 0)),
    ("LeftShoulder", "Spine", (0.05, 0.25, 0)),
    ("LeftArm", "LeftShoulder", (0.13, 0, 0)),
    ("LeftForeArm", "LeftArm", (0.28, 0, 0)),
    ("LeftHand", "LeftForeArm", (0.25, 0, 0)),
    ("RightShoulder", "Spine", (-0.05, 0.25, 0)),
    ("RightArm", "RightShoulder", (-0.13, 0, 0)),
    ("RightForeArm", "RightArm", (-0.28, 0, 0)),
    ("RightHand", "RightForeArm", (-0.25, 0, 0)),
    ("LeftUpLeg", "Hips", (0.09, -0.03, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -0.42, 0)),
    ("LeftFoot", "LeftLeg", (0, -0.43, 0)),
    ("LeftToeBase", "LeftFoot", (0, -0.06, 0.14)),
    ("RightUpLeg", "Hips", (-0.09, -0.03, 0)),
    ("RightLeg", "RightUpLeg", (0, -0.42, 0)),
    ("RightFoot", "RightLeg", (0, -0.43, 0)),
    ("RightToeBase", "RightFoot", (0, -0.06, 0.14)),
]
ENDS = {
    "Head": (0, 0.18, 0),
    "LeftHand": (0.16, 0, 0),
    "RightHand": (-0.16, 0, 0),
    "LeftToeBase": (0, 0, 0.06),
    "RightToeBase": (0, 0, 0.06),
}


@pytest.fixture
def person() -> Callable[..., Motion]:
    """Make a clip in which the person swings its limbs, walks and turns.

    `scale` is the size of one metre, `turn` a rotation of the whole world (wxyz), `travel` metres along +Z, `spin` radians
    about +Y over the clip, `hop` metres up and down.
    """

    def make(
        num_frames: int = 31,
        *,
        scale: float = 1.0,
        turn: np.ndarray = quaternion.IDENTITY,
        travel: float = 0.0,
        spin: float = 0.0,
        hop: float = 0.0,
        swing: float = 0.5,
    ) -> Motion:
        names = [name for name, _, _ in JOINTS]
        skeleton = Skeleton(
            tuple(names),
            np.array([names.index(parent) if parent else -1 for _, parent, _ in JOINTS]),
            scale * np.array([offset for _, _, offset in JOINTS]),
            np.array([names.index(name) for name in ENDS]),
            scale * np.array(list(ENDS.values())),
        )
        phase = np.linspace(0.0, 1.0, num_frames)
        rotations = np.tile(quaternion.IDENTITY, (num_frames, len(names), 1))
        for name, sign in (("LeftUpLeg", 1.0), ("RightUpLeg", -1.0)):
            angles = sign * swing * np.sin(2 * np.pi * phase)
            rotations[:, names.index(name)] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), angles)
        for name, sign in (("LeftArm", -1.0), ("RightArm", 1.0)):
            rotations[:, names.index(name)] = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), sign * (1.2 + 0.3 * phase))
        heading = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), spin * phase)
        root = np.stack([0 * phase, 0.95 + hop * np.sin(np.pi * phase), travel * phase], axis=-1)
        rotations[:, 0] = quaternion.multiply(turn, heading)
        return Motion(skeleton, scale * quaternion.rotate(turn, root), rotations, 1 / 30)

    return make


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window, as a `playwright.sync_api.Browser`; CHROMIUM names another program."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def open_page(browser: Any) -> Iterator[Callable[[str], tuple[Any, list[str]]]]:
    """Open an address in a window of its own; returns the `playwright.sync_api.Page` and a list that collects its errors.

    The windows close with the last test of the module. The list holds errors of the console, uncaught exceptions, and requests to any other machine.
    """
    contexts = []

    def visit(address: str) -> tuple[Any, list[str]]:
        context = browser.new_context(viewport={"width": 960, "height": 540})
        contexts.append(context)
        page, errors = context.new_page(), []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: None if is_local(request.url) else errors.append(f"asks {request.url}"))
        page.goto(address)
        return page, errors

    yield visit
    for context in contexts:
        context.close()


def is_local(address: str) -> bool:
    """Tell whether an address stays on this machine."""
    return address.startswith(("data:", "blob:", "file:", "http://127.0.0.1:", "http://localhost:"))
