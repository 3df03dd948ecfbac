"""`python -m kinematics render`: what it writes and says, and how it fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kinematics import save_motion
from kinematics.cli import app, run
from kinematics.testing import human_skeleton, random_motion


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `python -m kinematics render ...` in this process; return exit status, standard output and error."""
    with pytest.raises(SystemExit) as end:
        run(lambda: app.cli(args=["render", *(str(argument) for argument in arguments)]))
    printed = capsys.readouterr()
    return int(end.value.code or 0), " ".join(printed.out.split()), " ".join(printed.err.split())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.bvh"
    save_motion(random_motion(human_skeleton(), 0, num_frames=6), path)
    return path


def test_a_picture_is_written_and_named(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "clip.png"
    other = ("--with", clip, "--frame", 2, "--size", "320x180", "--renderer", "figure")
    status, out, err = command(capsys, clip, "-o", target, *other)
    assert status == 0 and not err and "wrote" in out and "clip.png" in out
    with Image.open(target) as picture:
        assert picture.size == (320, 180)
        page = np.array(picture).astype(int)
    halves = np.abs(page[..., 0] - page[..., 2]) > 60
    assert halves[:, :160].any() and halves[:, 160:].any()


# The reader leaves its pipes to the collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_video_is_written(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    imageio = pytest.importorskip("imageio.v3", reason="imageio is not installed: pip install 'muybridge[dev]'")
    pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed: pip install 'muybridge[viewer]'")
    target = tmp_path / "clip.mp4"
    options = ("--frames", "0:4", "--fps", 30, "--size", "96x64", "--renderer", "figure")
    status, _, _ = command(capsys, clip, "-o", target, *options)
    assert status == 0
    assert imageio.imread(target).shape[1:] == (64, 96, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "clip.mov"), "the extension must be .mp4, .gif or .png"),
        (("-o", "nowhere/clip.mp4"), "there is no folder"),
        (("-o", "clip.mp4", "--fps", "0"), "fps must be more than 0"),
        (("-o", "clip.mp4", "--size", "101x64"), "use 102x64"),
        (("-o", "clip.png", "--size", "big"), "--size must be WIDTHxHEIGHT"),
        (("-o", "clip.png", "--frames", "0-3"), "--frames must be START:STOP"),
        (("-o", "clip.png", "--frames", "0:99"), "beyond the 6 frames"),
        (("-o", "clip.png", "--frame", "6"), "frame must be one of the 6"),
        (("-o", "clip.bvh"), "would overwrite the clip itself"),
    ],
)
def test_bad_requests_end_with_one_sentence(
    capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    placed = [tmp_path / word if word.startswith(("clip", "nowhere")) else word for word in arguments]
    status, _, err = command(capsys, clip, *placed)
    assert status == 2 and words in err
    assert [each.name for each in tmp_path.iterdir()] == ["clip.bvh"]


def test_ctrl_c_leaves_no_file(
    capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed: pip install 'muybridge[viewer]'")
    from kinematics.viewer.figure_film import FigureFilm

    draw = FigureFilm.picture

    def interrupted(self: FigureFilm, index: int) -> np.ndarray:
        if index == 2:
            raise KeyboardInterrupt
        return draw(self, index)

    monkeypatch.setattr(FigureFilm, "picture", interrupted)
    status, _, err = command(capsys, clip, "-o", tmp_path / "clip.mp4", "--size", "96x64", "--renderer", "figure")
    assert status == 130 and err.endswith("interrupted") and "Traceback" not in err
    assert [each.name for each in tmp_path.iterdir()] == ["clip.bvh"]
