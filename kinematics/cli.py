"""Command line: `python -m kinematics info | doctor | convert | solve | pin | render | view | export`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from kinematics import edit
from kinematics.anatomy import ROLES, Anatomy, find_anatomy
from kinematics.cli_export import export_command
from kinematics.cli_render import render
from kinematics.cli_shared import Clip, Output, require_other_file, require_writable, save
from kinematics.cli_shared import run as run
from kinematics.cli_solve import solve
from kinematics.cli_view import view
from kinematics.doctor import diagnose, fix
from kinematics.errors import UnknownNameError
from kinematics.ik import pin_contacts
from kinematics.io import load_motions
from kinematics.motion import Motion
from kinematics.rotations.euler import ORDERS
from kinematics.skeleton import ChannelLayout, Skeleton
from kinematics.standardize import express, standardize
from kinematics.world import WorldReport, inspect_world

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
    require_other_file(clip, target)
    mended = [fix(motion) for motion in motions]
    save([each.motion for each in mended], target)
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
    require_other_file(clip, output)
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
    save(motions, output)


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


app.command(solve)
app.command(render)
app.command(view)
app.command(name="export")(export_command)


@app.command
def pin(clip: Clip, /, *, output: Output, ease_s: float = 0.07) -> None:
    """Take the slide out of feet that stand; the rest stays close to the clip.

    Args:
        clip: Motion file (.bvh or .npz).
        output: File to write (.bvh or .npz).
        ease_s: Seconds at both ends of a stance within which a foot comes to rest and leaves.
    """
    require_writable(output)
    require_other_file(clip, output)
    motions, console = load_motions(clip), Console()
    world = inspect_world(motions[0])
    pinned = [pin_contacts(motion, ease_s=ease_s, up=world.up.value) for motion in motions]
    save([each.motion for each in pinned], output)
    table = Table(box=None, padding=(0, 2, 0, 0))
    titles = ("slide before", "after", "largest shift", "frames pinned")
    for title in ("foot", *titles):
        table.add_column(title, justify="left" if title == "foot" else "right")
    for foot in [foot for each in pinned for foot in each.feet]:
        speeds = (f"{100.0 * world.metres_per_unit * slide:.2g} cm/s" for slide in (foot.slide_before, foot.slide_after))
        shift = f"{100.0 * world.metres_per_unit * foot.largest_shift:.2g} cm"
        table.add_row(escape(foot.name), *speeds, shift, str(foot.stance_steps))
    console.print(table if table.row_count else "no feet were found; the clip stays as it is")


def main() -> NoReturn:
    """Run `python -m kinematics`."""
    run(lambda: app.cli(prog="python -m kinematics", description="Look at, check, convert and change motion clips."))
