"""Videos: what is written is what was asked for, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kinematics.errors import InputError
from kinematics.viewer.video import check_video, write_video

imageio = pytest.importorskip("imageio.v3")
pytest.importorskip("imageio_ffmpeg")
SIZE = (64, 48)


def pictures(count: int = 5) -> Iterator[np.ndarray]:
    """Yield a red square that walks to the right over white."""
    for index in range(count):
        picture = np.full((SIZE[1], SIZE[0], 3), 255, dtype=np.uint8)
        picture[16:32, 8 * index : 8 * index + 16] = (200, 30, 30)
        yield picture


# The reader leaves its pipes to the collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("name", "fps"), [("film.mp4", 25.0), ("film.gif", 20.0)])
def test_frames_rate_and_colours_come_back(tmp_path: Path, name: str, fps: float) -> None:
    path = tmp_path / name
    write_video(path, pictures(), size=SIZE, fps=fps, samples=list(pictures()))
    found = imageio.imread(path, index=None) if name.endswith("gif") else imageio.imread(path)
    assert found.shape[:3] == (5, SIZE[1], SIZE[0])
    for index, frame in enumerate(found):
        red = (frame[..., 0].astype(int) - frame[..., 1] > 80).nonzero()[1]
        assert abs(red.mean() - (8 * index + 7.5)) < 1.5
    if name.endswith("mp4"):
        meta = imageio.immeta(path)
        assert meta["fps"] == fps and "h264" in meta["codec"] and "yuv420p" in meta["pix_fmt"]
    else:
        assert imageio.immeta(path)["duration"] == 50
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_old_file_alone(tmp_path: Path, trouble: type[BaseException]) -> None:
    def breaking() -> Iterator[np.ndarray]:
        yield from pictures(2)
        raise trouble

    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")
    with pytest.raises(trouble):
        write_video(path, breaking(), size=SIZE, fps=30.0)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "size", "fps", "words"),
    [
        ("a.avi", SIZE, 30.0, "videos are .mp4 or .gif"),
        ("a.mp4", (65, 48), 30.0, "use 66x48"),
        ("a.mp4", SIZE, 0.0, "fps must be more than 0"),
        ("a.mp4", SIZE, float("nan"), "fps must be more than 0"),
        ("a.gif", SIZE, 60.0, "at most 50 for gif"),
    ],
)
def test_what_cannot_be_a_video_is_refused(name: str, size: tuple[int, int], fps: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_video(name, size, fps)
