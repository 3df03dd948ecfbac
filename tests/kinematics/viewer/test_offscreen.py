"""Bodies drawn by GL without a screen: seen, inside the frame, the right way round, and what is said where there is no GL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kinematics import Motion, load_motion
from kinematics.errors import GraphicsError, UnknownNameError
from kinematics.testing import random_motion, random_skeleton
from kinematics.viewer import gl
from kinematics.viewer.actor import Actor, make_actor
from kinematics.viewer.film import Film, Look
from kinematics.viewer.offscreen import PAPER, Figure, Stage, interpolate, lamp_of
from kinematics.viewer.shots import CAMERAS, plan_shots

SIZE = (160, 90)
BARE = Look(trail=False, contacts=False, shadows=False)


@pytest.fixture(scope="module", autouse=True)
def needs_gl() -> None:
    try:
        gl.open_gl()
    except GraphicsError as error:
        pytest.skip(str(error))


def coloured(picture: np.ndarray, side: str) -> np.ndarray:
    """Return where a picture is clearly blue (left limbs) or orange (right limbs)."""
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    return blue > red + 40 if side == "left" else red > blue + 40


def one(actor: Actor, frame: float, *, camera: str = "front", shadows: bool = False, smooth: bool = True) -> np.ndarray:
    shot = plan_shots([actor], [np.array([frame])], camera=camera, aspect=SIZE[0] / SIZE[1])[0][0]
    with Stage(actor, trail=False, contacts=False) as stage:
        return stage.picture([Figure(frame)], shot, SIZE, lamp=lamp_of(shot), shadows=shadows, smooth=smooth)


@pytest.mark.parametrize("scale", [1.0, 0.01, 100.0])
def test_from_the_front_the_left_limbs_are_on_the_right_of_the_picture(person: Callable[..., Motion], scale: float) -> None:
    picture = one(make_actor(person(3, scale=scale)), 1.0)
    left, right = coloured(picture, "left"), coloured(picture, "right")
    assert left.sum() > 60 and right.sum() > 60
    assert np.nonzero(left)[1].mean() > SIZE[0] / 2 + 3 > SIZE[0] / 2 - 3 > np.nonzero(right)[1].mean()
    tall = np.ptp(np.nonzero(left | right)[0])
    assert tall > 0.5 * SIZE[1]  # it fills the picture whatever its size


def test_from_the_side_the_right_limbs_are_near(person: Callable[..., Motion]) -> None:
    picture = one(make_actor(person(3)), 1.0, camera="side")
    assert coloured(picture, "right").sum() > 2 * coloured(picture, "left").sum()


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_body_stays_inside_the_frame(person: Callable[..., Motion], camera: str) -> None:
    actor = make_actor(person(40, travel=6.0, spin=3.0, hop=1.2))
    frames = np.arange(0.0, 40.0, 4.0)
    for aspect in (16 / 9, 0.6):
        shots = plan_shots([actor], [frames], camera=camera, aspect=aspect)[0]
        for frame, shot in zip(frames.astype(int), shots, strict=True):
            places = shot.pixels(actor.positions[frame], round(100 * aspect), 100)
            assert (places > 0.0).all() and (places < [round(100 * aspect), 100]).all()
    with Film([actor], [frames], Look(camera=camera, trail=False, contacts=False, shadows=False), SIZE) as film:
        picture = film.picture(5)
    seen = coloured(picture, "left") | coloured(picture, "right")
    assert seen.any() and not seen[[0, -1]].any() and not seen[:, [0, -1]].any()


def test_the_camera_follows_smoothly(clips: Path) -> None:
    actor = make_actor(load_motion(clips / "run_lafan1.bvh"))
    shots = plan_shots([actor], [np.arange(60.0)])[0]
    eyes = np.array([shot.eye for shot in shots])
    root = actor.positions[:60, actor.root]
    assert np.abs(np.diff(eyes, 2, axis=0)).max() < 0.3 * np.abs(np.diff(root, 2, axis=0)).max()
    assert np.linalg.norm(eyes[-1] - eyes[0]) > 0.8 * np.linalg.norm((root[-1] - root[0])[[0, 2]])


def test_orbit_turns_about_the_body(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(31))
    first, last = (plan_shots([actor], [np.arange(31.0)], camera="orbit")[0][index] for index in (0, 30))
    assert 20.0 < np.degrees(np.arccos(first.axes[0] @ last.axes[0])) < 28.0


def test_a_body_moves_between_frames_and_stands_between_them(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(9))
    with Film([actor], [np.array([0.0, 2.0])], BARE, SIZE) as film:
        assert (film.picture(0) != film.picture(1)).any(axis=-1).sum() > 50
    half, _ = interpolate(actor, 1.5)
    np.testing.assert_allclose(half, actor.positions[1:3].mean(axis=0))
    _, same = interpolate(actor, 2.0)
    np.testing.assert_array_equal(same, actor.rotations[2])


def test_shadows_darken_the_floor_beside_the_body(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(3))
    without, with_shadows = (one(actor, 1.0, shadows=shadows).astype(int).sum(axis=-1) for shadows in (False, True))
    assert ((with_shadows < without - 60)[SIZE[1] // 2 :]).sum() > 40


def test_a_body_darkens_the_floor_it_stands_on(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(3))
    shot = plan_shots([actor], [np.array([0.0])], aspect=SIZE[0] / SIZE[1])[0][0]
    with Stage(actor, trail=False, contacts=False) as stage:
        full, none = (stage.picture([Figure(0.0, paleness=p)], shot, SIZE, lamp=lamp_of(shot)).astype(int) for p in (0.0, 1.0))
    assert np.abs(none - PAPER).max(axis=-1)[:5].max() < 20  # sky
    floor = ~(coloured(full, "left") | coloured(full, "right"))
    assert ((full.sum(axis=-1) < none.sum(axis=-1) - 15) & floor).sum() > 30


def test_trail_and_contacts_are_drawn(clips: Path) -> None:
    actor = make_actor(load_motion(clips / "walk_cmu.bvh"))
    pictures = []
    for look in (BARE, Look(trail=True, contacts=False, shadows=False), Look(trail=False, contacts=True, shadows=False)):
        with Film([actor], [np.array([150.0])], look, (320, 180)) as film:
            pictures.append(film.picture(0).astype(int))
    bare, trail, contacts = pictures
    assert (trail.sum(axis=-1) < bare.sum(axis=-1) - 60).sum() > 40
    green, none = (picture[..., 1] > np.maximum(picture[..., 0], picture[..., 2]) + 15 for picture in (contacts, bare))
    assert green.sum() > 3 and not none.any()


def test_bodies_side_by_side_have_a_half_each(person: Callable[..., Motion]) -> None:
    actors = [make_actor(person(5), title="one"), make_actor(person(5, scale=100.0), title="two")]
    with Film(actors, [np.array([2.0])] * 2, BARE, (320, 90)) as film:
        picture = film.picture(0)
    halves = [coloured(half, "left") | coloured(half, "right") for half in (picture[:, :160], picture[:, 160:])]
    assert min(half.sum() for half in halves) > 100
    assert abs(int(halves[0].sum()) - int(halves[1].sum())) < 0.2 * halves[0].sum()  # equally large


def test_two_hundred_joints_and_a_single_one() -> None:
    many = random_motion(random_skeleton(3, num_joints=210), 3, num_frames=2)
    single = random_motion(random_skeleton(1, num_joints=1), 1, num_frames=2)
    for motion in (many, single):
        with Film([make_actor(motion)], [np.array([0.0])], Look(names=True), SIZE) as film:
            assert film.picture(0).std() > 1.0


def test_a_list_of_four_vectors_is_no_matrix() -> None:
    four = make_actor(random_motion(random_skeleton(2, num_joints=4), 2, num_frames=2))
    assert len({part.joint for part in four.body.parts}) == 4
    assert (np.abs(one(four, 1.0).astype(int) - PAPER).sum(axis=-1) > 100).any()


def test_only_where_the_body_is_edges_are_smoothed_and_there_alone(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(2))
    apart = np.abs(one(actor, 0.0).astype(int) - one(actor, 0.0, smooth=False)).sum(axis=-1) > 0
    body = coloured(one(actor, 0.0), "left") | coloured(one(actor, 0.0), "right")
    columns = np.nonzero(body)[1]
    assert 20 < apart.sum() < body.sum()
    assert not apart[:, : columns.min() - 20].any() and not apart[:, columns.max() + 20 :].any()


def test_threads_draw_the_same_picture(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(2))
    with ThreadPoolExecutor(2) as threads:
        drawn = list(threads.map(lambda _: one(actor, 1.0), range(3)))
    assert all(np.array_equal(picture, one(actor, 1.0)) for picture in drawn)


def test_a_forked_process_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(GraphicsError, match="spawn"):
        gl.open_gl()


def test_a_single_pose_stands_in_the_middle_of_its_picture(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(60, travel=6.0))
    shot = plan_shots([actor], [np.array([59.0])], aspect=1.0)[0][0]
    points = np.concatenate([actor.positions[59], actor.end_positions[59]])
    seen = (points - shot.target) @ shot.axes.T
    np.testing.assert_allclose(seen.min(axis=0) + seen.max(axis=0), 0.0, atol=1e-9)


def test_unknown_camera(person: Callable[..., Motion]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'follow'"):
        plan_shots([make_actor(person(2))], [np.array([0.0])], camera="folow")


def test_without_gl_the_error_names_packages_and_the_other_renderer() -> None:
    code = (
        "from kinematics.viewer.gl import open_gl\n"
        "from kinematics.errors import GraphicsError\n"
        "try: open_gl()\n"
        "except GraphicsError as error: print(error)\n"
    )
    environment = {"PYOPENGL_PLATFORM": "osmesa", "PATH": "/usr/bin", "PYTHONPATH": str(Path(gl.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if not done.stdout and not done.stderr:
        pytest.skip("OSMesa works here")
    assert "apt install libegl1" in done.stdout and "--renderer figure" in done.stdout and not done.stderr
