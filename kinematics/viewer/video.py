"""Videos: pictures to an MP4 that browsers play, or to a small GIF, all or nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from kinematics.errors import InputError
from kinematics.io.atomic import write_bytes
from kinematics.viewer.extra import require

Picture = UInt8[np.ndarray, "height width 3"]
FASTEST = {".mp4": 240.0, ".gif": 50.0}  # frames a second; browsers slow faster GIFs down
USUAL = {".mp4": 30.0, ".gif": 20.0}
H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-preset", "veryfast", "-movflags", "+faststart"]
# A pixel changes in a GIF where its colour does: without dithering frames stay small.
GIF = "movie='{palette}'[colours];[0:v][colours]paletteuse=dither=none:diff_mode=rectangle"


def check_video(path: str | Path, size: tuple[int, int], fps: float) -> None:
    """Refuse what cannot become a video, before any work is done.

    Raises:
        InputError: On another extension than .mp4 or .gif, a rate that players do not keep, or an odd size of an MP4.
        MissingExtraError: Without imageio-ffmpeg.
    """
    kind = Path(path).suffix.lower()
    if kind not in FASTEST:
        raise InputError(f"cannot write {str(path)!r}: videos are .mp4 or .gif")
    if not 0.0 < fps <= FASTEST[kind]:
        raise InputError(f"fps must be more than 0 and at most {FASTEST[kind]:g} for {kind[1:]}, got {fps:g}")
    if kind == ".mp4" and (size[0] % 2 or size[1] % 2):
        even = f"{size[0] + size[0] % 2}x{size[1] + size[1] % 2}"
        raise InputError(f"an mp4 has an even width and height, got {size[0]}x{size[1]}; use {even}")
    require("imageio_ffmpeg")


def write_video(
    path: str | Path, pictures: Iterable[Picture], *, size: tuple[int, int], fps: float, samples: Sequence[Picture] = ()
) -> None:
    """Write pictures as a video; an existing file is replaced in one step at the end.

    An MP4 is H.264 with the colours at half resolution (yuv420p), which every browser plays. A GIF has 256 colours, those
    of `samples`.

    Args:
        path: File to write, .mp4 or .gif.
        pictures: RGB values, shape (height, width, 3) each.
        size: Width and height, pixels.
        fps: Pictures a second. A GIF counts hundredths of a second; its frames are as near to their times as that allows.
        samples: Some of the pictures, for the colours of a GIF.

    Raises:
        InputError: On what `check_video` refuses, or a place that cannot be written.
    """
    check_video(path, size, fps)
    kind = Path(path).suffix.lower()
    with TemporaryDirectory(prefix="muybridge-") as folder:
        film = Path(folder) / f"film{kind}"
        if kind == ".gif":
            palette = Path(folder) / "palette.png"
            _choose_palette(samples).save(palette)
            options = ["-lavfi", GIF.format(palette=palette.as_posix().replace(":", "\\:")), "-loop", "0"]
        else:
            options = H264
        _encode(pictures, film, size, fps, options)
        write_bytes(path, film.read_bytes())


def _encode(pictures: Iterable[Picture], film: Path, size: tuple[int, int], fps: float, options: list[str]) -> None:
    """Run ffmpeg beside the drawing; it ends with us, whatever happens."""
    encoder = require("imageio_ffmpeg").get_ffmpeg_exe()
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(Fraction(fps).limit_denominator())]
    command = [encoder, "-y", "-v", "error", *source, "-i", "-", "-an", *options, str(film)]
    words = film.with_suffix(".txt")
    with (
        words.open("wb") as said,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stderr=said,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us to handle
        ) as process,
    ):
        assert process.stdin is not None
        try:
            for picture in pictures:
                rest = np.ascontiguousarray(picture).data.cast("B")
                while rest:  # an unbuffered pipe may take less than it is given
                    rest = rest[process.stdin.write(rest) :]
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended; why is said below
        except BaseException:
            process.kill()
            raise
    if process.returncode or not film.is_file():
        reason = words.read_text(errors="replace").strip().splitlines()
        raise InputError(
            f"the video encoder failed: {reason[0] if reason else f'status {process.returncode}'}; is the disk full?"
        )


def _choose_palette(samples: Sequence[Picture]) -> Image.Image:
    """Return 256 colours as a picture of 16 x 16 pixels; colours of small things, such as marks, count more than their area."""
    pixels = np.concatenate([np.zeros((1, 3), dtype=np.uint8), *(picture.reshape(-1, 3)[::3] for picture in samples)])
    kinds = np.unique(pixels >> 3, axis=0) << 3
    rare = np.tile(kinds, (max(len(pixels) // (4 * len(kinds)), 1), 1))
    many = Image.fromarray(np.concatenate([pixels, rare])[None]).quantize(256, method=Image.Quantize.MEDIANCUT)
    colours = np.array(many.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    return Image.fromarray(np.resize(colours, (256, 3)).reshape(16, 16, 3))
