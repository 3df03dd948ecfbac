"""A policy beside its clip: as a picture, a video, a page."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from imitate.cli_play import play
from imitate.cli_train import train
from imitate.config import TrainConfig
from imitate.errors import ImitationError
from imitate.play import make_page, render_rollout, titles
from imitate.rollout import Rollout, roll_out
from imitate.runs import open_run
from kinematics.errors import GraphicsError, InputError, MissingExtraError
from kinematics.viewer.actor import make_actors


@pytest.fixture(scope="module")
def fallen(untrained_run: Path) -> Rollout:
    """An untrained body that falls, and lies."""
    return roll_out(open_run(untrained_run), seconds=3.0, go_on=True)


def test_titles_tell_which_is_which_and_when_it_fell(fallen: Rollout) -> None:
    assert titles(fallen) == ["clip", f"simulated body, fell at {fallen.fell_s:.1f} s"]


def test_a_body_that_lies_is_shown_lying_on_the_clips_floor(fallen: Rollout) -> None:
    clip, body = make_actors([fallen.reference, fallen.simulated], same_world=True)
    assert np.array_equal(body.turn, clip.turn) and np.array_equal(body.offset, clip.offset)
    assert body.positions[0] == pytest.approx(clip.positions[0], abs=0.03)
    assert np.ptp(body.positions[-1, :, 1]) < 0.8 < np.ptp(clip.positions[-1, :, 1])
    assert body.positions[..., 1].min() > -0.1


def test_pictures_and_videos(fallen: Rollout, tmp_path: Path) -> None:
    try:
        render_rollout(fallen, tmp_path / "walk.png", size=(160, 120))
    except (GraphicsError, MissingExtraError) as error:
        pytest.skip(str(error))
    assert (tmp_path / "walk.png").read_bytes().startswith(b"\x89PNG")
    render_rollout(Rollout(fallen.simulated[:6], fallen.reference[:6], None, 0.0), tmp_path / "walk.mp4", size=(160, 120))
    assert (tmp_path / "walk.mp4").read_bytes()[4:8] == b"ftyp"


def test_training_leaves_a_video_or_says_why_there_is_none(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[tuple[Rollout, Path]] = []
    monkeypatch.setattr("imitate.play.render_rollout", lambda rollout, path, **_: made.append((rollout, path)))
    assert train((clips / "wave_lafan1.bvh",), output=tmp_path / "run", config=TrainConfig(iterations=1, num_envs=4)) == 0
    shown, path = made[0]
    assert path == tmp_path / "run" / "video.mp4" and shown.reference.num_frames == shown.simulated.num_frames > 1
    assert "video.mp4" in capsys.readouterr().err

    def fail(*_: object, **__: object) -> None:
        raise GraphicsError("no GL context")

    monkeypatch.setattr("imitate.play.render_rollout", fail)
    assert train(output=tmp_path / "run", resume=True, config=TrainConfig(iterations=2)) == 0
    assert "no video was made: no GL context" in capsys.readouterr().err


def test_the_page_shows_both(fallen: Rollout) -> None:
    pytest.importorskip("viser", reason="viser is not installed: pip install 'muybridge[viewer]'")
    page = make_page(fallen, port=8391)
    try:
        assert [actor.title for actor in page.actors] == titles(fallen)
        assert page.num_frames >= fallen.reference.num_frames
        assert page.url.startswith("http://127.0.0.1:")
    finally:
        page.stop()


def test_without_viser_the_page_says_what_to_install(fallen: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "viser", None)
    with pytest.raises(MissingExtraError, match=r"muybridge\[viewer\]"):
        make_page(fallen)


def test_bad_requests_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="extension must be"):
        play(tmp_path, output=tmp_path / "walk.bvh")
    with pytest.raises(ImitationError, match="--port must be 1 to 65535"):
        play(tmp_path, port=0)
    with pytest.raises(ImitationError, match="--push must be at least 0"):
        play(tmp_path, push=float("nan"))
    with pytest.raises(ImitationError, match=r"no config\.toml"):
        play(tmp_path)
