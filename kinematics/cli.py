"""Command line: `python -m kinematics info | doctor | convert`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from kinematics import edit
from kinematics.anatomy import ROLES, Anatomy, find_anatomy
from kinematics.doctor import diagnose, fix
from kinematics.errors import InputError, KinematicsError, UnknownNameError
from kinematics.io import load_motions, save_motion
from kinematics.motion import Motion
from kinematics.rotations.euler import ORDERS
from kinematics.skeleton import ChannelLayout, Skeleton
from kinematics.standardize import express, standardize
from kinematics.world import WorldReport, inspect_world

Clip = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
DEEPEST = 16  # levels that are drawn as a tree
app = tyro.extras.SubcommandApp()


@app.command
def info(clip: Clip, /, *, strict: bool = False, names: bool = True) -> None:
    """Show what a clip is: skeleton, time, unit, axes, naming convention, and what was repaired.

    Args:
        clip: Motion file (.bvh or .npz).
        strict: Refuse a file that needs repairs.
        names: Show the tree of joints.
    """
    console = Console()
    motions = load_motions(clip, strict=strict)
    for index, motion in enumerate(motions):
        title = str(clip) if len(motions) == 1 else f"{clip}, root {index + 1} of {len(motions)}"
        console.print(_summary(motion, title))
        if names:
            console.print(_tree(motion.skeleton))
        _print_lines(console, "repairs", motion.source.repairs)
        _print_lines(console, "notes", motion.source.notes)


@app.command
def doctor(clip: Clip, /, *, fix: Path | None = None) -> None:
    """Examine a clip for defects; say what each is and how it is mended.

    Args:
        clip: Motion file (.bvh or .npz).
        fix: Write the clip with everything mended that can be mended safely.
    """
    console, motions = Console(), load_motions(clip)
    for motion in motions:
        if len(motions) > 1:
            console.print(f"[bold]root {escape(motion.skeleton.joint_names[0])}[/bold]")
        console.print(escape(str(diagnose(motion))), highlight=False)
    if fix is not None:
        _fix(motions, clip, fix)


def _fix(motions: Sequence[Motion], clip: Path, target: Path) -> None:
    console = Console()
    _require_other_file(clip, target)
    mended = [fix(motion) for motion in motions]
    _save([each.motion for each in mended], target)
    for line in [change for each in mended for change in each.changes] or ["nothing had to be mended"]:
        console.print(f"- {escape(line)}", highlight=False)


@app.command
def convert(
    clip: Clip,
    /,
    *,
    output: Output,
    unit: str | None = None,
    up: str | None = None,
    frame_rate: float | None = None,
    rotation_order: str | None = None,
    rigid: bool = False,
) -> None:
    """Write a clip in another unit, up axis, frame rate, rotation order or file format; the rest stays as it is.

    Args:
        clip: Motion file (.bvh or .npz).
        output: File to write (.bvh or .npz).
        unit: Unit of the result: m, dm, cm, mm, inch, foot or CMU.
        up: Up axis of the result: Y or Z (also X, -X, -Y, -Z).
        frame_rate: Frames a second of the result.
        rotation_order: Order of the rotation channels of all joints, such as ZXY.
        rigid: Turn position channels of all joints but the root into fixed bones; the error is printed.
    """
    _require_other_file(clip, output)
    motions = load_motions(clip)
    if unit is not None or up is not None:
        world = inspect_world(motions[0])
        Console().print(escape(str(world)), highlight=False)
        motions = [_in_world(motion, world, unit, up) for motion in motions]
    if frame_rate is not None:
        motions = [edit.resample(motion, frame_rate) for motion in motions]
    if rigid:
        baked = [edit.bake_positions(motion) for motion in motions]
        for _, report in baked:
            Console().print(escape(str(report)), highlight=False)
        motions = [motion for motion, _ in baked]
    if rotation_order is not None:
        motions = [_with_order(motion, rotation_order) for motion in motions]
    _save(motions, output)


def _in_world(motion: Motion, world: WorldReport, unit: str | None, up: str | None) -> Motion:
    known = standardize(motion, unit=world.metres_per_unit, up=world.up.value).motion
    return express(known, unit=unit or world.metres_per_unit, up=up or world.up.value)


def _with_order(motion: Motion, order: str) -> Motion:
    if order not in ORDERS:
        raise UnknownNameError("rotation order", order, ORDERS)
    moving = motion.local_positions is not None
    layout = ChannelLayout.default(motion.skeleton.num_joints, rotation_order=order, all_positions=moving)
    fresh = replace(motion.source, channel_values=None)
    return replace(motion, skeleton=motion.skeleton.with_layout(layout), source=fresh)


def _save(motions: Sequence[Motion], target: Path) -> None:
    save_motion(motions[0] if len(motions) == 1 else motions, target)
    what = f"{motions[0].num_frames} frames at {motions[0].frame_rate:.6g} Hz" + (f", {len(motions)} roots" * (len(motions) > 1))
    Console().print(f"wrote {escape(str(target))}: {what}", highlight=False, soft_wrap=True)


def _summary(motion: Motion, title: str) -> Table:
    skeleton, anatomy = motion.skeleton, find_anatomy(motion.skeleton)
    world = inspect_world(motion)
    stretching = "" if motion.local_positions is None else ", bones stretch"
    rows = [
        ("joints", f"{skeleton.num_joints}, end sites {skeleton.num_end_sites}{stretching}"),
        ("frames", f"{motion.num_frames} at {motion.frame_rate:.6g} Hz (frame time {motion.frame_time!r} s)"),
        ("duration", f"{motion.duration:.3f} s"),
        *((guess.name, str(guess).split(": ", 1)[1]) for guess in world.guesses),
        ("height" if world.is_body else "extent", f"{world.body_height:.3g} m (1 unit = {world.metres_per_unit:.6g} m)"),
        ("naming", anatomy.dialect),
        ("parts", _parts(anatomy) if anatomy.joints else "no body recognised"),
        ("channels", _channels(skeleton)),
        ("encoding", motion.source.encoding),
    ]
    table = Table(title=escape(title), title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, escape(value))
    return table


def _parts(anatomy: Anatomy) -> str:
    missing = [role.replace("_", " ") for role in ROLES if role not in anatomy.joints]
    found = f"{len(anatomy.joints)} of {len(ROLES)} body parts found" + ("" if anatomy.by_names else " by the tree alone")
    return found + (f"; missing: {', '.join(missing)}" if missing else "")


def _channels(skeleton: Skeleton) -> str:
    if skeleton.layout is None:
        return "none (never was a file)"
    kinds = Counter(
        _short(names, adds) for names, adds in zip(skeleton.layout.channels, skeleton.layout.adds_offset, strict=True)
    )
    return ", ".join(f"{kind or 'none'} x{count}" for kind, count in kinds.items())


def _short(names: Sequence[str], adds: bool) -> str:
    """Return "XYZ position + ZXY rotation" for channel names."""
    words = []
    for kind in ("position", "rotation", "scale"):
        axes = "".join(name[0] for name in names if name.endswith(kind))
        if axes:
            words.append(f"{axes} {kind}" + (" added to OFFSET" if adds and kind == "position" else ""))
    return " + ".join(words)


def _tree(skeleton: Skeleton) -> Tree:
    """Return the joints as a tree; below `DEEPEST` levels, where a tree leaves the screen, as a list with parents."""
    ends = Counter(skeleton.end_site_parents.tolist())
    nodes: list[Tree] = []
    depth: list[int] = []
    for joint, (name, parent) in enumerate(zip(skeleton.joint_names, skeleton.parents.tolist(), strict=True)):
        depth.append(depth[parent] + 1 if parent >= 0 else 0)
        x, y, z = skeleton.offsets[joint]
        label = f"{escape(name)} [dim]({x:.4g}, {y:.4g}, {z:.4g})[/dim]" + (" [dim]end[/dim]" * ends[joint])
        if depth[joint] > DEEPEST:
            nodes.append(nodes[0].add(f"{label} [dim]below[/dim] {escape(skeleton.joint_names[parent])}"))
        else:
            nodes.append(Tree(label) if parent < 0 else nodes[parent].add(label))
    return nodes[0]


def _print_lines(console: Console, title: str, lines: Sequence[object]) -> None:
    if lines:
        console.print(f"[bold]{title}[/bold]")
        for line in lines:
            console.print(f"- {escape(str(line))}", highlight=False)


def _require_other_file(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        raise InputError(f"{target} would overwrite the clip itself; give another output file")


def run(application: Callable[[], object]) -> NoReturn:
    """Run a command line; errors of ours become one sentence on stderr and exit status 2."""
    try:
        application()
        sys.stdout.flush()
    except KinematicsError as error:
        Console(stderr=True).print(f"[bold red]error:[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(0)


def main() -> NoReturn:
    """Run `python -m kinematics`."""
    run(lambda: app.cli(prog="python -m kinematics", description="Look at, check and convert motion clips."))
