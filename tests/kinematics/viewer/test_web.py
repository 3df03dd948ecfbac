"""The page without a browser: its clock, its state, its tables, and what it sends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import Motion, forward_kinematics
from kinematics.errors import InputError
from kinematics.io import load_motions, save_motion
from kinematics.rotations import euler, quaternion
from kinematics.skeleton import ChannelLayout, Skeleton

pytest.importorskip("viser", reason="viser is not installed: pip install 'muybridge[viewer]'")
from kinematics.viewer import web_inspector, web_panel, web_player
from kinematics.viewer.actor import make_actor, make_actors
from kinematics.viewer.web import Page, actor_frame, make_clock
from kinematics.viewer.web_clock import Clock
from kinematics.viewer.web_scene import Layers

Person = Callable[..., Motion]


@pytest.fixture
def open_clips(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Page]]:
    pages = []

    def show(*motions: Motion) -> Page:
        titles = [f"clip {k}" for k in range(len(motions))]
        pages.append(Page(make_actors(motions, titles=titles), port=8960))
        return pages[-1]

    yield show
    for page in pages:
        page.stop()
    assert capsys.readouterr() == ("", "")  # no banner, no farewell, no traceback


def node_position(page: Page, joint: int, index: int = 0) -> np.ndarray:
    """Compose a joint's scene nodes, as a browser does."""
    name = page._views[index]._nodes[joint]
    parts, where, turned = name.split("/")[1:], np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0])
    for k in range(len(parts)):
        node: Any = page.server.scene.get_handle_by_name("/" + "/".join(parts[: k + 1]))
        if node is not None and k > 0:
            where = where + quaternion.rotate(turned, node.position)
            turned = quaternion.multiply(turned, node.wxyz)
    return where


def test_clock_loops_or_stops() -> None:
    clock = Clock(num_frames=10, frame_time=0.1)
    clock.advance(1.0)
    assert clock.frame == 0  # it pauses
    clock.play()
    clock.advance(0.35)
    assert clock.frame == 3
    clock.advance(0.75)
    assert clock.playing and clock.frame == 1  # a turn takes ten frames
    clock.loop, clock.speed = False, 2.0
    clock.advance(5.0)
    assert not clock.playing and clock.frame == 9
    clock.play()
    assert clock.frame == 0


def test_every_frame_can_be_sought() -> None:
    clock = Clock(num_frames=5000, frame_time=1 / 119.98)
    for frame in range(0, 5000, 7):
        clock.seek(frame)
        assert clock.frame == frame
    clock.seek(9999)
    assert clock.frame == 4999
    clock.seek(-3)
    assert clock.frame == 0


def test_one_frame_does_not_play() -> None:
    clock = Clock(num_frames=1, frame_time=0.1)
    clock.play()
    assert not clock.playing


def test_clips_run_in_step_by_their_own_rates(person: Person) -> None:
    slow, fast = make_actor(person(31)), make_actor(person(121).with_frame_time(1 / 120))
    clock = make_clock([slow, fast])
    assert clock.num_frames == 31
    assert actor_frame(fast, 10 * clock.frame_time) == 40
    assert actor_frame(slow, 99.0) == 30  # a shorter clip rests at its end


def test_shown_joints_stand_where_forward_kinematics_puts_them(open_clips: Callable[..., Page], person: Person) -> None:
    motion = person(20, travel=2.0, spin=1.0)
    page = open_clips(motion)
    frames: list[int] = []
    page.on_frame(frames.append)
    page.set_frame(13)
    expected = forward_kinematics(motion).global_positions[13]
    for joint in range(motion.skeleton.num_joints):
        np.testing.assert_allclose(node_position(page, joint), page.actors[0].to_stage(expected[joint]), atol=1e-3)
    assert frames == [13] and page.frame == 13
    page.set_frame(99)
    assert page.frame == 19


def test_a_pose_of_the_callers_lasts_until_the_frame_changes(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(5))
    actor = page.actors[0]
    page.show_pose(0, actor.positions[0] + 1.0, actor.rotations[0], actor.end_positions[0] + 1.0)
    np.testing.assert_allclose(node_position(page, 3), actor.positions[0, 3] + 1.0, atol=1e-4)
    page.set_frame(1)
    np.testing.assert_allclose(node_position(page, 3), actor.positions[1, 3], atol=1e-4)


def test_another_motion_takes_the_place(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(10), person(10))
    page.pick(1, 3)
    moved = person(10, travel=1.0)
    page.replace_motion(1, moved)
    page.set_frame(9)
    assert page.actors[1].motion is moved
    np.testing.assert_allclose(node_position(page, 0, 1), page.actors[1].positions[9, 0], atol=1e-3)
    assert page.picked == (1, 3)


def test_side_by_side_and_as_recorded(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(5), person(5, travel=0.5))
    page.arrange(True)
    apart = page.actors[1].positions[..., 0].min() - page.actors[0].positions[..., 0].max()
    assert apart > 0.0
    page.arrange(False)
    np.testing.assert_allclose(page.actors[0].positions[0], page.actors[1].positions[0], atol=1e-9)


def test_still_joints_cost_no_messages(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(10))
    sent: list[str] = []
    queue = page.server.scene._websock_interface.queue_message
    page.server.scene._websock_interface.queue_message = lambda message: (sent.append(message), queue(message))[1]  # type: ignore
    page.set_frame(5)
    assert 0 < len(sent) < page.actors[0].motion.skeleton.num_joints


def test_layers_follow_and_pick(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(10, travel=9.0))
    assert page.stage_view.follows  # the clip goes far
    page.set_layers(Layers(skeleton=True, axes=True, names=True, trail=False))
    for joint in (3, -1, 0):
        page.pick(0, joint)
        page.set_frame(6)
    stage: Any = page.server.scene.get_handle_by_name(page.stage)
    assert stage.position[2] < -1.0
    page.follow(False)
    np.testing.assert_array_equal(stage.position, 0.0)


def test_it_plays_and_stops(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(300))
    moved = threading.Event()
    page.on_frame(lambda frame: moved.set() if frame > 2 else None)
    page.play()
    assert page.playing and moved.wait(10.0)
    page.stop()  # while it plays
    page.stop()


@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_bodies_of_any_size(open_clips: Callable[..., Page], person: Person, scale: float) -> None:
    page = open_clips(person(3, scale=scale))
    assert 0.5 < page.height < 3.0
    page.set_frame(2)


@pytest.mark.parametrize("frames", [0, 1])
def test_clips_of_no_and_one_frame(open_clips: Callable[..., Page], person: Person, frames: int) -> None:
    page = open_clips(person(5)[:frames])
    page.play()
    page.set_frame(3)
    page.pick(0, 1)
    assert page.frame == 0 and not page.playing


def test_a_chain_of_200_joints(open_clips: Callable[..., Page]) -> None:
    offsets = np.tile([0.0, 1.0, 0.0], (200, 1))
    skeleton = Skeleton(tuple(f"j{k}" for k in range(200)), np.arange(-1, 199), offsets)
    bend = np.tile(quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.02), (4, 200, 1))
    motion = Motion(skeleton, np.zeros((4, 3)), bend, 0.1)
    page = open_clips(motion)
    page.set_frame(2)
    np.testing.assert_allclose(node_position(page, 199), page.actors[0].positions[2, 199], atol=1e-3)
    assert max(name.count("/") for name in page._views[0]._nodes) <= 26


def test_curves_are_in_the_clips_unit_and_the_files_order(person: Person) -> None:
    motion = person(12, scale=100.0, travel=1.0)
    layout = ChannelLayout.default(motion.skeleton.num_joints, rotation_order="ZXY")
    motion = motion.with_skeleton(motion.skeleton.with_layout(layout))
    joint = motion.skeleton.joint_index("LeftLeg")
    curves = web_inspector.joint_curves(make_actor(motion), joint)
    np.testing.assert_allclose(curves.positions, forward_kinematics(motion).global_positions[:, joint], atol=1e-9)
    assert curves.order == "ZXY"
    back = euler.to_quaternion(np.radians(curves.angles), "ZXY")
    np.testing.assert_allclose(np.abs(np.sum(back * motion.local_rotations[:, joint], axis=-1)), 1.0, atol=1e-9)


def test_values_are_escaped_and_exact(person: Person) -> None:
    motion = person(3)
    names = ("<b>&", *motion.skeleton.joint_names[1:])
    actor = make_actor(motion.with_skeleton(replace(motion.skeleton, joint_names=names)))
    text = web_inspector.values(actor, 0, web_inspector.joint_curves(actor, 0), 1)
    assert "&lt;b&gt;&amp;" in text and "<b><b>" not in text
    assert f"{motion.root_positions[1, 1]:.4f}" in text


def test_about_says_what_was_inferred(person: Person) -> None:
    actor = make_actor(person(30, scale=100.0), title="walk")
    sheet = web_panel.about(actor, "About")
    rows = dict(row[:2] for row in sheet.rows)
    assert rows["unit"].startswith("cm") and rows["up"].startswith("Y") and "30 at 30 Hz" in rows["frames"]
    assert "right-handed" in rows["handedness"]
    html = web_panel.table(web_panel.Sheet("t", (("<x>", "2"),), header=("a", "b"), notes=("n & m",)))
    assert "&lt;x&gt;" in html and "<th" in html and "n &amp; m" in html


def test_speeds_have_ends() -> None:
    assert web_player.next_speed(1.0, 1) == 2.0
    assert web_player.next_speed(web_player.SPEEDS[-1], 1) == web_player.SPEEDS[-1]
    assert web_player.next_speed(web_player.SPEEDS[0], -1) == web_player.SPEEDS[0]


def test_ports_that_are_taken(open_clips: Callable[..., Page], person: Person) -> None:
    one, other = open_clips(person(2)), open_clips(person(2))
    assert one.server.get_port() != other.server.get_port()
    assert one.server.get_host() == "127.0.0.1"


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_addresses_of_other_machines_are_refused(person: Person, host: str) -> None:
    with pytest.raises(InputError, match=f"cannot listen at '{host}'"):
        Page([make_actor(person(2))], host=host)


def test_roots_of_one_file_share_one_world(open_clips: Callable[..., Page], person: Person, tmp_path: Path) -> None:
    body = person(12, scale=100.0, travel=1.0)
    stick = Skeleton(("Stick", "Tip"), np.array([-1, 0]), np.array([[0.0, 0.0, 0.0], [0.0, 90.0, 0.0]]))
    where = forward_kinematics(body).position("LeftHand")
    prop = Motion(stick, where, np.tile(quaternion.IDENTITY, (12, 2, 1)), body.frame_time)
    save_motion([prop, body], tmp_path / "both.bvh")
    one, other = load_motions(tmp_path / "both.bvh")
    page = open_clips(one, other, person(12))
    held, holder, beside = page.actors
    hand = other.skeleton.joint_index("LeftHand")
    np.testing.assert_allclose(held.positions[:, 0], holder.positions[:, hand], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(held.positions[:, 1] - held.positions[:, 0], axis=-1), 0.9, atol=1e-4)
    assert held.unit == "m" and held.body.kind == "prop" and page.groups == 2 and page.side_by_side
    assert beside.positions[..., 0].min() > max(held.positions[..., 0].max(), holder.positions[..., 0].max())


def test_an_edited_clip_keeps_its_world(open_clips: Callable[..., Page], person: Person) -> None:
    page = open_clips(person(5), person(5))
    before = page.actors[1]
    folded = person(5).with_local_rotations(np.tile(quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 1.4), (5, 20, 1)))
    page.replace_motion(1, folded)
    after = page.actors[1]
    assert (after.scale, after.unit, after.body, after.world) == (before.scale, before.unit, before.body, before.world)
    np.testing.assert_array_equal(after.offset, before.offset)
