"""Pictures and videos of motions, from Python: `render` to a file, `image` to an array, `show` in a notebook."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from kinematics.errors import InputError, MissingExtraError, UnknownNameError
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion, Pose
from kinematics.viewer.rows import as_motion, default_titles
from kinematics.viewer.shots import CAMERAS

Clips = Motion | Pose | Sequence[Motion | Pose]
Picture = UInt8[np.ndarray, "height width 3"]
RENDERERS = ("gl", "figure")
EXTENSIONS = (".mp4", ".gif", ".png")
SIZES = {".png": (1280, 720), ".mp4": (1280, 720), ".gif": (480, 270)}
SMALLEST, LARGEST = 64, 4096  # pixels in width and height
HOLD = 1.0  # seconds that a video of one frame lasts


def render(
    motions: Clips,
    path: str | Path,
    *,
    frame: int | None = None,
    frames: slice | None = None,
    camera: str = "follow",
    size: tuple[int, int] | None = None,
    fps: float | int | None = None,
    renderer: str = "gl",
    labels: Sequence[str] | None = None,
    trail: bool = True,
    contacts: bool = True,
    names: bool = False,
    shadows: bool | None = None,
    same_world: bool = False,
    progress: bool = False,
) -> None:
    """Write a video (.mp4, .gif) or picture (.png) of one motion, or of several side by side, in step in time.

    A PNG of a motion is a strip of poses, one row for each motion; of a pose, or with `frame`, it is that pose alone.

    Args:
        motions: One motion or pose, or several, in any unit and axes; what has no frames shows its zero pose.
        path: File to write; an existing one is replaced in one step at the end.
        frame: Show this frame of the first motion, and the others at its time (-1 is the last); PNG only.
        frames: Show these frames of the first motion, such as slice(0, 300, 2), and the others at their times; all by default.
            With a step each of them stays until the next: the speed is always the true one.
        camera: "follow" (three quarters from the front), "orbit" (turns slowly about the body), "front" or "side". Each body
            has a camera of its own, which goes along; all look in the same direction.
        size: Width and height in pixels; 1280 x 720 by default, 480 x 270 for a GIF, and a strip as high as it needs.
        fps: Pictures a second; 30 by default, 20 for a GIF. Poses between frames are interpolated.
        renderer: "gl", or "figure" for stick figures, which need no GL.
        labels: A title for each motion; by default its file's name.
        trail: Draw the root's way over the floor.
        contacts: Mark the points of the feet that stand.
        names: Write the joints' names, in a strip on its last pose.
        shadows: Cast the lamp's shadows; by default in pictures, not in videos, where they halve the speed.
        same_world: Take unit, up axis and floor of all from the first motion, where the others are of its world but lie or
            hang so that they do not tell; "gl" only.
        progress: Show how far a video is, on stderr.

    Raises:
        InputError: On frames that the first motion does not have, a size or rate that cannot be, another extension, a wrong
            number of labels, names of stick figures, or a place that cannot be written.
        UnknownNameError: On an unknown camera or renderer.
        GraphicsError: Where no GL context can be had; "figure" works all the same.
        MissingExtraError: Without the extra `viewer`.
    """
    path = Path(path)
    check_request(path, size=size, camera=camera, renderer=renderer, fps=fps, frame=frame, frames=frames, names=names)
    clips, titles = _clips(motions, labels)
    kind = path.suffix.lower()
    options = {"trail": trail, "contacts": contacts, "shadows": kind == ".png" if shadows is None else shadows}
    options["same_world"] = same_world
    if kind == ".png":
        picture = _picture(clips, titles, frame, frames, camera, size, renderer, names, options)
        write_bytes(path, encode_png(picture))
        return
    from kinematics.viewer.video import USUAL, write_video

    fps, size = float(USUAL[kind] if fps is None else fps), size or SIZES[kind]
    shown = choose_frames(clips[0], frames)
    timeline = plan_times(clips, shown, fps, whole=frames is None)
    held = [_frames_at(clip, shown if index == 0 else None, timeline) for index, clip in enumerate(clips)]
    with _film(clips, titles, held, camera, size, renderer, names, options) as film:
        count = len(timeline)
        spread = np.unique(np.linspace(0, count - 1, min(6, count)).astype(np.int64)).tolist() if kind == ".gif" else []
        samples = [film.picture(index) for index in spread]
        write_video(path, _counted(film, count, str(path)) if progress else film, size=size, fps=fps, samples=samples)


def image(
    motions: Clips,
    *,
    frame: int | None = None,
    frames: slice | None = None,
    camera: str = "follow",
    size: tuple[int, int] | None = None,
    renderer: str = "gl",
    labels: Sequence[str] | None = None,
    trail: bool = True,
    contacts: bool = True,
    names: bool = False,
    shadows: bool | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """Return the picture that `render` would write as a PNG: RGB values, shape (height, width, 3).

    The arguments and errors are those of `render`.
    """
    clips, titles = _clips(motions, labels)
    check_request("picture.png", size=size, camera=camera, renderer=renderer, frame=frame, frames=frames, names=names)
    options = {"trail": trail, "contacts": contacts, "shadows": shadows is not False}
    return _picture(clips, titles, frame, frames, camera, size, renderer, names, options)


def show(motions: Clips, *, camera: str = "follow", size: tuple[int, int] = (640, 360), renderer: str = "gl") -> Any:
    """Show a motion in a notebook: a small video in the page, of a pose a picture.

    Args:
        motions: One motion or pose, or several.
        camera: As for `render`.
        size: Width and height in pixels.
        renderer: As for `render`.

    Returns:
        What IPython displays.

    Raises:
        MissingExtraError: Without IPython.
        InputError: As `render`.
    """
    try:
        display = import_module("IPython.display")
    except ModuleNotFoundError:
        raise MissingExtraError(
            "show() is for notebooks, and IPython is not installed here; "
            "viewer.render(motion, 'walk.mp4') writes the video to a file"
        ) from None
    clips, _ = _clips(motions, None)
    if all(clip.num_frames < 2 for clip in clips):
        return display.Image(data=encode_png(image(motions, frame=0, camera=camera, size=size, renderer=renderer)))
    with TemporaryDirectory(prefix="muybridge-") as folder:
        film = Path(folder) / "film.mp4"
        render(motions, film, camera=camera, size=size, renderer=renderer)
        data = base64.b64encode(film.read_bytes()).decode("ascii")
    return display.HTML(f'<video controls loop autoplay muted width="{size[0]}" src="data:video/mp4;base64,{data}"></video>')


def encode_png(picture: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="png", optimize=True)
    return data.getvalue()


def check_request(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    camera: str = "follow",
    renderer: str = "gl",
    fps: float | int | None = None,
    frame: int | None = None,
    frames: slice | None = None,
    names: bool = False,
) -> None:
    """Refuse what `render` cannot do with any motion, before one is loaded; the arguments are those of `render`.

    Raises:
        InputError: Where it cannot be done.
        UnknownNameError: On an unknown camera or renderer.
        MissingExtraError: Where a package is missing.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in EXTENSIONS:
        raise InputError(f"cannot write {str(path)!r}: the extension must be {', '.join(EXTENSIONS[:-1])} or {EXTENSIONS[-1]}")
    if path.is_dir():
        raise InputError(f"cannot write {str(path)!r}: it is a folder; add a file name")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    if size is not None and (len(size) != 2 or not all(SMALLEST <= side <= LARGEST for side in size)):
        got = "x".join(str(side) for side in size)
        raise InputError(f"size must be width x height of {SMALLEST} to {LARGEST} pixels each, got {got}")
    if camera not in CAMERAS:
        raise UnknownNameError("camera", camera, CAMERAS)
    if renderer not in RENDERERS:
        raise UnknownNameError("renderer", renderer, RENDERERS)
    if names and renderer == "figure":
        raise InputError("stick figures have no names of joints; leave names out, or draw with renderer 'gl'")
    if frame is not None and frames is not None:
        raise InputError("give `frame` for one pose or `frames` for more, not both")
    if kind == ".png":
        if fps is not None:
            raise InputError("a png has no fps; write an .mp4 or .gif, or leave fps out")
        return
    if frame is not None:
        raise InputError(f"one frame is a picture: {str(path)!r} must end in .png, or give `frames` for a video")
    from kinematics.viewer.video import USUAL, check_video

    check_video(path, size or SIZES[kind], float(USUAL[kind] if fps is None else fps))


def choose_frames(motion: Motion, frames: slice | None) -> range:
    """Return the frames of a motion that a slice names.

    Raises:
        InputError: Where it names none, or goes beyond the motion.
    """
    count = max(motion.num_frames, 1)
    if frames is None:
        return range(count)
    for bound in (frames.start, frames.stop):
        if bound is not None and not -count <= bound <= count:
            raise InputError(f"frames {_slice_words(frames)} go beyond the {motion.num_frames} frames of the first motion")
    if frames.step is not None and frames.step < 1:
        raise InputError(f"the step of frames must be 1 or more, got {frames.step}")
    chosen = range(count)[frames]
    if not chosen:
        raise InputError(f"frames {_slice_words(frames)} name none of the {motion.num_frames} frames of the first motion")
    return chosen


def plan_times(clips: Sequence[Motion], shown: range, fps: float, *, whole: bool) -> Float[np.ndarray, " pictures"]:
    """Return the time of each picture of a video in seconds of the clips.

    Args:
        clips: The clips; where the whole is shown, the longest one tells how long the video is.
        shown: Frames of the first clip.
        fps: Pictures a second.
        whole: Whether all of every clip is shown.
    """
    first = clips[0].frame_time
    start, end = shown[0] * first, shown[-1] * first
    if whole:
        end = max(max(clip.num_frames - 1, 0) * clip.frame_time for clip in clips)
    length = end - start if end > start else HOLD
    return start + np.arange(int(np.floor(length * fps + 1e-6)) + 1) / fps


def _frames_at(clip: Motion, shown: range | None, times: Float[np.ndarray, " pictures"]) -> Float[np.ndarray, " pictures"]:
    """Return the frame at each time, whole or between two, the last one after the end."""
    frames = np.clip(times / clip.frame_time, 0.0, max(clip.num_frames - 1, 0))
    if shown is not None and shown.step > 1:
        held = shown[0] + shown.step * np.floor((frames - shown[0]) / shown.step + 1e-6)
        return np.asarray(np.minimum(held, shown[-1]))
    near = np.round(frames)
    return np.where(np.abs(frames - near) < 1e-6, near, frames)


def _clips(motions: Clips, labels: Sequence[str] | None) -> tuple[list[Motion], list[str]]:
    clips = [as_motion(clip) for clip in ([motions] if isinstance(motions, Motion | Pose) else motions)]
    if not clips:
        raise InputError("there must be at least one motion, got none")
    titles = default_titles(clips) if labels is None else list(labels)
    if len(titles) != len(clips):
        raise InputError(f"labels must be one for each motion: got {len(titles)} for {len(clips)} motions")
    return clips, titles


def _picture(
    clips: list[Motion],
    titles: list[str],
    frame: int | None,
    frames: slice | None,
    camera: str,
    size: tuple[int, int] | None,
    renderer: str,
    names: bool,
    options: dict[str, bool],
) -> Picture:
    if frame is None and frames is None and all(clip.num_frames < 2 for clip in clips):
        frame = 0
    if frame is None:
        return _strips(
            clips, titles, choose_frames(clips[0], frames), frames is None, camera, size, renderer, options | {"names": names}
        )
    count = max(clips[0].num_frames, 1)
    if not -count <= frame < count:
        raise InputError(f"frame must be one of the {clips[0].num_frames} frames of the first motion, got {frame}")
    time = np.array([(frame % count) * clips[0].frame_time])
    held = [_frames_at(clip, None, time) for clip in clips]
    with _film(clips, titles, held, camera, size or SIZES[".png"], renderer, names, options) as film:
        drawn: Picture = film.picture(0)
    return drawn


def _film(
    clips: list[Motion],
    titles: list[str],
    held: list[Float[np.ndarray, " pictures"]],
    camera: str,
    size: tuple[int, int],
    renderer: str,
    names: bool,
    options: dict[str, bool],
) -> Any:
    if renderer == "figure":
        from kinematics.viewer.figure_film import FigureFilm

        return nullcontext(FigureFilm(clips, titles, held, camera=camera, size=size))
    from kinematics.viewer.actor import make_actors
    from kinematics.viewer.film import Film, Look

    actors = make_actors(clips, titles=titles, same_world=options.get("same_world", False))
    look = {name: value for name, value in options.items() if name != "same_world"}
    return Film(actors, held, Look(camera=camera, names=names, **look), size)


def _strips(
    clips: list[Motion],
    titles: list[str],
    shown: range,
    whole: bool,
    camera: str,
    size: tuple[int, int] | None,
    renderer: str,
    options: dict[str, bool],
) -> Picture:
    """Draw a strip for each clip, one below the other."""
    if renderer == "figure":
        from kinematics.viewer import figure

        view = camera if camera in ("front", "side") else "auto"
        picked = None if whole else [shown[round(index)] for index in np.linspace(0, len(shown) - 1, min(8, len(shown)))]
        return figure.image(clips, frames=picked, labels=titles, view=view, size=size)
    from kinematics.viewer.actor import make_actors
    from kinematics.viewer.strip import draw_strip, plan_strip

    rows = []
    look = {name: value for name, value in options.items() if name != "same_world"}
    actors = make_actors(clips, titles=titles, same_world=options.get("same_world", False))
    for index, (clip, actor) in enumerate(zip(clips, actors, strict=True)):
        last = max(clip.num_frames - 1, 0)
        times = np.array(shown) * clips[0].frame_time / clip.frame_time
        frames = list(range(last + 1)) if whole else sorted(set(np.clip(np.round(times), 0, last).astype(np.int64).tolist()))
        width, height = (1280, None) if size is None else (size[0], size[1] // len(clips) + (index < size[1] % len(clips)))
        rows.append(draw_strip(actor, plan_strip(actor, frames, camera=camera, width=width, height=height), **look))
    return np.concatenate(rows)


def _counted(film: Iterable[Picture], count: int, name: str) -> Iterator[Picture]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(escape(name), total=count, rate="")
        for picture in film:
            yield picture
            speed = bar.tasks[0].speed
            bar.update(task, advance=1, rate=f"{speed:.0f} frames/s" if speed else "")


def _slice_words(frames: slice) -> str:
    parts = [frames.start, frames.stop] + ([frames.step] if frames.step is not None else [])
    return ":".join("" if part is None else str(part) for part in parts)
