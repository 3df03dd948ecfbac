"""`viewer.render`, `image` and `show`: pictures, strips and videos of motions, side by side and in step."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kinematics import Motion, viewer
from kinematics.errors import GraphicsError, InputError, MissingExtraError, UnknownNameError
from kinematics.viewer import gl, rendering
from kinematics.viewer.actor import make_actor
from kinematics.viewer.rendering import choose_frames, plan_times
from kinematics.viewer.strip import plan_strip

HAS_FFMPEG = importlib.util.find_spec("imageio_ffmpeg") is not None
needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="imageio-ffmpeg is not installed")


def has_gl() -> bool:
    try:
        gl.open_gl()
    except (GraphicsError, MissingExtraError):
        return False
    return True


needs_gl = pytest.mark.skipif(not has_gl(), reason="no GL without a screen here")


def coloured(picture: np.ndarray) -> np.ndarray:
    return np.abs(picture[..., 0].astype(int) - picture[..., 2]) > 40


def groups(columns: np.ndarray) -> int:
    """Count runs of columns that hold something."""
    return int((np.diff(np.concatenate([[False], columns]).astype(int)) == 1).sum())


@needs_gl
def test_a_strip_of_a_motion_on_the_spot_spreads_its_poses(person: Callable[..., Motion]) -> None:
    picture = viewer.image(person(31, swing=0.1), size=(900, 220), contacts=False)
    assert picture.shape == (220, 900, 3) and picture.dtype == np.uint8
    assert groups(coloured(picture).sum(axis=0) > 0) >= 8
    assert groups(coloured(viewer.image(person(31), frames=slice(0, 30, 10), size=(900, 220))).sum(axis=0) > 0) >= 3


@needs_gl
def test_a_strip_of_a_walk_goes_to_the_right(person: Callable[..., Motion]) -> None:
    actor = make_actor(person(61, travel=5.0))
    strip = plan_strip(actor, range(61))
    assert strip.along and not strip.shifts.any() and (np.diff(strip.frames) > 0).all()
    places = strip.shot.pixels(actor.positions[strip.frames], *strip.size)
    assert (np.diff(places[:, actor.root, 0]) > 0).all()
    assert (places > 0).all() and (places < strip.size).all()


@needs_gl
def test_a_long_clip_on_a_short_way_shows_more_than_its_way(person: Callable[..., Motion]) -> None:
    short = plan_strip(make_actor(person(61, travel=3.0)), range(61))
    long = plan_strip(make_actor(person(901, travel=3.0)), range(901))
    assert len(short.frames) < len(long.frames) == 8


@needs_gl
def test_names_stand_on_the_last_pose_of_a_strip(person: Callable[..., Motion]) -> None:
    plain, named = (viewer.image(person(31), size=(480, 160), names=names) for names in (False, True))
    changed = np.nonzero((plain != named).any(axis=(0, 2)))[0]
    assert len(changed) > 10 and changed.min() > 200
    with pytest.raises(InputError, match="stick figures have no names"):
        viewer.image(person(31), names=True, renderer="figure")


@needs_gl
def test_a_pose_one_frame_and_no_frames(person: Callable[..., Motion]) -> None:
    motion = person(5)
    first = viewer.image(motion[1], size=(160, 90), labels=[""])
    np.testing.assert_array_equal(first, viewer.image(motion[1:2], size=(160, 90), labels=[""]))
    assert coloured(viewer.image(person(0), size=(160, 90))).sum() > 50


# The reader leaves its pipes to the collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@needs_gl
@needs_ffmpeg
def test_a_video_has_the_asked_frames_size_and_rate(tmp_path: Path, person: Callable[..., Motion]) -> None:
    import imageio.v3 as imageio

    path = tmp_path / "walk.mp4"
    viewer.render([person(31), person(11)], path, size=(128, 72), fps=10.0)
    found = imageio.imread(path)
    assert found.shape == (11, 72, 128, 3) and imageio.immeta(path)["fps"] == 10.0
    moved = np.abs(found[0].astype(int) - found[3]).sum(axis=-1) > 60
    assert moved[:, :64].sum() > 10 and moved[:, 64:].sum() > 10
    late = np.abs(found[6].astype(int) - found[9]).sum(axis=-1) > 60
    assert late[:, :64].sum() > 10  # the short one stands still after its end
    assert late[:50, 66:].sum() < 5


@pytest.mark.parametrize("name", ["one.png", "strip.png", "film.gif", "film.mp4"])
@needs_ffmpeg
def test_stick_figures_need_no_gl(
    tmp_path: Path, person: Callable[..., Motion], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse() -> None:
        raise GraphicsError("no GL")

    monkeypatch.setattr(gl, "open_gl", refuse)
    path = tmp_path / name
    frame = 2 if name == "one.png" else None
    size = (480, 200) if name == "strip.png" else (128, 72)
    viewer.render([person(7), person(7)], path, frame=frame, size=size, renderer="figure")
    with Image.open(path) if name != "film.mp4" else Image.new("RGB", size) as picture:
        assert picture.size == size
    assert path.stat().st_size > 500


def test_times_are_the_clips_own(person: Callable[..., Motion]) -> None:
    motion = person(31)  # one second at 30 Hz
    np.testing.assert_allclose(plan_times([motion], range(31), 10.0, whole=True), np.arange(11) / 10)
    np.testing.assert_allclose(plan_times([motion], range(6, 13), 30.0, whole=False), np.arange(6, 13) / 30)
    assert len(plan_times([person(1)], range(1), 30.0, whole=True)) == 31  # a second of one pose
    twos = rendering._frames_at(motion, range(0, 31, 2), np.arange(5) / 30)
    np.testing.assert_allclose(twos, [0, 0, 2, 2, 4])
    np.testing.assert_allclose(rendering._frames_at(motion, None, np.array([0.05, 9.0])), [1.5, 30.0])


def test_frames_are_chosen_like_a_slice(person: Callable[..., Motion]) -> None:
    motion = person(10)
    assert choose_frames(motion, None) == range(10)
    assert choose_frames(motion, slice(2, -2, 3)) == range(2, 8, 3)
    for wrong, words in ((slice(0, 11), "beyond"), (slice(5, 5), "none"), (slice(0, 5, 0), "step"), (slice(0, 5, -1), "step")):
        with pytest.raises(InputError, match=words):
            choose_frames(motion, wrong)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "a.avi"}, "extension"),
        ({"path": "missing/a.mp4"}, "no folder"),
        ({"size": (0, 100)}, "size must be"),
        ({"size": (10, 10)}, "64 to 4096"),
        ({"size": (9000, 100)}, "64 to 4096"),
        ({"fps": 30.0}, "png has no fps"),
        ({"frame": 1, "frames": slice(0, 2)}, "not both"),
        ({"frame": 9}, "frame must be one of the 5"),
        ({"path": "a.gif", "frame": 1}, "one frame is a picture"),
        ({"camera": "top"}, "camera"),
        ({"renderer": "gpu"}, "renderer"),
        ({"labels": ["a", "b"]}, "got 2 for 1"),
        ({"motions": []}, "at least one motion"),
    ],
)
def test_bad_requests_are_refused_before_any_work(
    tmp_path: Path, person: Callable[..., Motion], options: dict[str, object], words: str
) -> None:
    asked = {"motions": person(5), "path": "a.png", **options}
    with pytest.raises(InputError, match=words):
        viewer.render(asked.pop("motions"), tmp_path / str(asked.pop("path")), **asked)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_names_of_cameras_are_suggested(person: Callable[..., Motion]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'orbit'"):
        viewer.image(person(2), camera="orbt")


def test_show_says_what_it_needs(person: Callable[..., Motion], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(MissingExtraError, match="IPython is not installed"):
        viewer.show(person(2))
