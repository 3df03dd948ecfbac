"""Command line: `python -m kinematics export CLIP [OTHER ...] -o walk.html`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tyro
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from kinematics.cli_shared import Output, load_retargeted, require_other_file, require_writable
from kinematics.errors import InputError
from kinematics.io import load_motions
from kinematics.motion import Motion
from kinematics.viewer.export import EXTENSIONS, export


def export_command(
    clips: tyro.conf.Positional[tuple[Path, ...]],
    /,
    *,
    output: Output,
    retarget: Path | None = None,
    overlay: bool = False,
) -> None:
    """Write clips as one page that plays in any browser without a server, or as glTF for Blender and three.js.

    Args:
        clips: Motion files (.bvh or .npz), shown together, in step in time.
        output: File to write: .html (a page that needs nothing else) or .glb (armatures with skinned meshes, metres, Y up).
        retarget: Show one clip, and beside it the clip put on this target: a motion file with another skeleton, a robot's model
            (.xml), or its name in MuJoCo Menagerie ("unitree_g1").
        overlay: Leave each clip where its file has it, instead of side by side.
    """
    if not clips:
        raise InputError("no clip was given; name at least one motion file (.bvh or .npz)")
    if retarget is not None and len(clips) != 1:
        raise InputError(f"--retarget takes one clip, got {len(clips)}")
    require_writable(output, EXTENSIONS)
    for clip in [*clips, *([retarget] if retarget else [])]:
        require_other_file(clip, output)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=len(clips) + 1)
        motions: list[Motion] = []
        titles: list[str] = []
        if retarget is not None:
            motions, titles, _ = load_retargeted(clips[0], retarget)
        for clip in clips if retarget is None else ():
            roots = load_motions(clip)
            motions += roots
            titles += [f"{clip.stem} {root.skeleton.joint_names[0]}" if len(roots) > 1 else clip.stem for root in roots]
            progress.advance(task)
        progress.update(task, description=f"writing {escape(output.name)}")
        export(motions, output, titles=titles, side_by_side=not overlay)
        progress.advance(task)
    Console().print(f"wrote {escape(str(output))}: {_what(motions, output)}", highlight=False, soft_wrap=True)


def _what(motions: Sequence[Motion], output: Path) -> str:
    """Return what was written in words: clips, frames, size of the file."""
    count, frames = len(motions), max(motion.num_frames for motion in motions)
    clips = f"{count} clips, " if count > 1 else ""
    size = output.stat().st_size
    return f"{clips}{frames} frame{'s' * (frames != 1)}, " + (f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB")
