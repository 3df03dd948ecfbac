"""Limbs dragged in the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kinematics import Motion, forward_kinematics, load_motion
from kinematics.viewer.actor import make_actor

viser = pytest.importorskip("viser", reason="viser is not installed: pip install 'muybridge[viewer]'")

from kinematics.viewer.web import Page  # noqa: E402
from kinematics.viewer.web_reach import PREPARING, WebReach  # noqa: E402

HAND = np.array([0.1, 0.3, 0.2])


@pytest.fixture
def page(person: Callable[..., Motion]) -> Iterator[Page]:
    made = Page([make_actor(person(21), title="person")], port=8600)
    yield made
    made.stop()


@pytest.fixture
def reach(page: Page) -> WebReach:
    return page.reach


def hand(reach: WebReach, frame: int) -> np.ndarray:
    return reach.session.positions(frame)[0]


def shown(monkeypatch: pytest.MonkeyPatch, page: Page) -> list[np.ndarray]:
    """Collect the positions of the poses that are drawn."""
    poses: list[np.ndarray] = []
    draw = page.show_pose
    monkeypatch.setattr(page, "show_pose", lambda index, *pose: (poses.append(pose[0]), draw(index, *pose)))
    return poses


def test_a_handle_moved_as_by_a_browser_moves_the_body(
    page: Page, reach: WebReach, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(reach._panel, "say", said.append)
    reach.switch(True)
    assert reach.wait() and said[0] == PREPARING
    poses = shown(monkeypatch, page)
    page.play()
    page.set_frame(10)
    target = hand(reach, 10) + HAND
    page.pause()
    page.set_frame(10)
    poses.clear()
    reach.drag("left hand", target - HAND, target)
    assert reach.wait()
    assert not page.playing and reach.reached is not None and reach.reached.status == "converged"
    index = page.actors[0].motion.skeleton.joint_index("LeftHand")
    np.testing.assert_allclose(poses[-1][index], target, rtol=0, atol=3e-3)
    assert reach.status.startswith("converged: 0.") and "frame 10" in reach.status
    poses.clear()
    page.set_frame(11)
    assert not poses  # the clip's own
    page.set_frame(10)
    np.testing.assert_allclose(poses[-1][index], target, rtol=0, atol=3e-3)

    path = tmp_path / "saved.bvh"
    reach.save(path)
    assert reach.wait()
    back = forward_kinematics(load_motion(path)[10]).position("LeftHand")
    np.testing.assert_allclose(page.actors[0].to_stage(back), target, rtol=0, atol=3e-3)
    path.write_text("mine")
    reach._asked = None
    reach.save(path)
    assert reach.wait() and path.read_text() == "mine" and "press Save again" in reach.status
    reach.save(path)
    assert reach.wait() and path.read_text().startswith("HIERARCHY")
    sent: list[tuple[str, bytes]] = []
    reach.download("x/y.bvh", SimpleNamespace(send_file_download=lambda name, data, **_: sent.append((name, data))))
    assert reach.wait() and sent == [("y.bvh", path.read_bytes())]

    reach.act("Apply")
    assert reach.wait() and page.actors[0].motion is reach.session.take.motion
    np.testing.assert_allclose(page.actors[0].positions[10, index], target, rtol=0, atol=3e-3)
    reach.act("Undo")
    reach.act("Undo")
    assert reach.wait() and not reach.session.take.edits
    np.testing.assert_allclose(page.actors[0].positions[10, index], target - HAND, rtol=0, atol=1e-9)
    reach.act("Undo")
    assert reach.wait() and reach.status == "There is nothing to undo."
    reach.act("Redo")
    assert reach.wait() and list(reach.session.take.edits) == [10]
    reach.act("Reset")
    assert reach.wait() and not reach.session.take.edits


def test_what_cannot_be_done_is_said_and_the_thread_lives(page: Page, reach: WebReach, tmp_path: Path) -> None:
    reach.switch(True)
    reach.set_method("two_bone")
    reach.drag("hips", np.array([0.0, 0.5, 0.0]))
    assert reach.wait() and "not the hips" in reach.status and not reach.session.take.edits
    reach.save(tmp_path / "missing" / "x.bvh")
    assert reach.wait() and "missing" in reach.status
    reach.save(tmp_path / "x.docx")
    assert reach.wait() and ".docx" in reach.status
    reach.set_method("fabrik")
    assert reach.wait() and "may turn" in reach.status
    reach.set_limited(True)
    reach.set_duration(0.1)
    reach.hold("left hand", True)
    reach.hold("left foot", False)
    assert reach.wait() and reach.session.limited and reach.session.held == {"left hand", "right foot"}
    reach.switch(False)
    assert reach.wait() and not reach.on


def test_one_browser_drags_at_a_time_and_one_that_goes_lets_go(page: Page, reach: WebReach) -> None:
    reach.switch(True)
    assert reach.wait()
    start = hand(reach, 0)
    reach.listen("left hand", "start", 1, start)
    reach.listen("left hand", "update", 1, start + HAND)
    reach.listen("right hand", "start", 2, start)
    reach.listen("right hand", "update", 2, start - HAND)
    reach.listen("right hand", "end", 2, start - HAND)
    assert reach.wait()
    np.testing.assert_allclose(hand(reach, 0), start + HAND, rtol=0, atol=3e-3)
    reach._forget(1)
    reach.listen("left hand", "update", 1, start)  # a late one begins a drag of its own
    reach.listen("left hand", "end", 1, start)
    assert reach.wait() and len(reach.session._past) == 2
    page.set_frame(5)
    reach.listen("left hand", "start", 1, start)
    assert reach.wait()
    page.set_frame(6)  # ends the drag: it belongs to its frame
    reach.listen("left hand", "end", 1, start)
    assert reach.wait() and list(reach.session.take.edits) == [0]


def test_handles_follow_another_clip_of_the_page(person: Callable[..., Motion]) -> None:
    page = Page([make_actor(person(5)), make_actor(person(9, scale=100.0))], port=8610)
    reach = page.reach
    try:
        reach.choose(1)
        reach.switch(True)
        assert reach.wait() and reach.index == 1
        page.set_frame(4)
        target = hand(reach, 4) + HAND
        reach.drag("left hand", target)
        assert reach.wait() and reach.reached.status == "converged"
        np.testing.assert_allclose(hand(reach, 4), target, rtol=0, atol=3e-3)
        assert abs(target[0] - page.actors[0].positions[4, :, 0].mean()) > 0.3
    finally:
        page.stop()
    assert not reach._follower._thread.is_alive()
