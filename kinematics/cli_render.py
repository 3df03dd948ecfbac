"""Command line: `python -m kinematics render CLIP -o walk.mp4`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.markup import escape

from kinematics.cli_shared import Clip, Output, load_retargeted, require_other_file
from kinematics.errors import InputError
from kinematics.io import load_motions

Slice = Annotated[str | None, tyro.conf.arg(metavar="START:STOP[:STEP]")]
Size = Annotated[str | None, tyro.conf.arg(metavar="WIDTHxHEIGHT")]
Others = Annotated[tuple[Path, ...], tyro.conf.arg(name="with", metavar="CLIP"), tyro.conf.UseAppendAction]


def render(
    clip: Clip,
    /,
    *,
    output: Output,
    others: Others = (),
    retarget: Path | None = None,
    camera: Literal["follow", "orbit", "front", "side"] = "follow",
    frame: int | None = None,
    frames: Slice = None,
    size: Size = None,
    fps: float | None = None,
    renderer: Literal["gl", "figure"] = "gl",
    trail: bool = True,
    contacts: bool = True,
    names: bool = False,
    shadows: bool | None = None,
) -> None:
    """Draw a clip without a screen: a video (.mp4, .gif), a strip of poses in one picture (.png), or one pose (--frame).

    Args:
        clip: Motion file (.bvh or .npz).
        output: File to write (.mp4, .gif or .png).
        others: Another clip to show beside it, in step in time; once for each.
        retarget: Show the clip put on this target beside it: a motion file with another skeleton, a robot's model (.xml), or its
            name in MuJoCo Menagerie ("unitree_g1").
        camera: Three quarters from the front ("follow"), turning slowly about the body ("orbit"), "front" or "side"; it goes
            with the body.
        frame: Draw this frame alone (from 0; -1 is the last), as a .png.
        frames: Frames of the clip to show, such as 0:300:2; with a step each stays until the next.
        size: Pixels; 1280x720 by default, 480x270 for a .gif, and a strip as high as it needs.
        fps: Pictures a second of a video; 30 by default, 20 for a .gif. Poses between frames are interpolated.
        renderer: "figure" draws stick figures and needs no GL.
        trail: Draw the way of the root over the floor.
        contacts: Mark the feet that stand.
        names: Write the names of the joints, in a strip on its last pose.
        shadows: Cast shadows; by default in pictures, not in videos, where they halve the speed.
    """
    paths = [clip, *others]
    for path in [*paths, *([retarget] if retarget else [])]:
        require_other_file(path, output)
    shown, pixels = _slice(frames), _size(size)
    from kinematics.viewer.rendering import check_request
    from kinematics.viewer.rendering import render as draw

    check_request(output, size=pixels, camera=camera, renderer=renderer, fps=fps, frame=frame, frames=shown, names=names)
    motions, labels, _ = load_retargeted(clip, retarget) if retarget is not None else ([], [], None)
    loaded = [(path, load_motions(path)) for path in (paths if retarget is None else others)]
    motions += [motion for _, found in loaded for motion in found]
    for path, found in loaded:
        roots = [f", {motion.skeleton.joint_names[0]}" for motion in found] if len(found) > 1 else [""]
        labels += [path.stem + root for root in roots]
    draw(
        motions,
        output,
        frame=frame,
        frames=shown,
        camera=camera,
        size=pixels,
        fps=fps,
        renderer=renderer,
        labels=labels,
        trail=trail,
        contacts=contacts,
        names=names,
        shadows=shadows,
        progress=True,
    )
    Console().print(f"wrote {escape(str(output))}", highlight=False, soft_wrap=True)


def _slice(words: str | None) -> slice | None:
    if words is None:
        return None
    parts = words.split(":")
    try:
        if not 2 <= len(parts) <= 3:
            raise ValueError
        return slice(*(int(part) if part.strip() else None for part in parts))
    except ValueError:
        raise InputError(f"--frames must be START:STOP or START:STOP:STEP, such as 0:300:2; got {words!r}") from None


def _size(words: str | None) -> tuple[int, int] | None:
    if words is None:
        return None
    try:
        width, height = (int(part) for part in words.lower().split("x"))
    except ValueError:
        raise InputError(f"--size must be WIDTHxHEIGHT in pixels, such as 1280x720; got {words!r}") from None
    return width, height
