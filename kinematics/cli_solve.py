"""Command line: `python -m kinematics solve CLIP --target NAME=x,y,z --hold NAME -o OUT`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kinematics import ik
from kinematics.cli_shared import Clip, Output, require_other_file, require_writable, save
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.ik.goals import Goal
from kinematics.ik.limits import Limit
from kinematics.ik.problem import Method, OverTime
from kinematics.ik.result import STATUSES, Result
from kinematics.io import load_motions
from kinematics.motion import Motion
from kinematics.standardize import standardize as to_metres
from kinematics.world import WorldReport, inspect_world

FAR = 20.0  # body heights from a target to the body, from which on another unit is likely
NEAR = 0.04  # body heights within which all targets lie around the world's origin, where they were meant in metres
POSES = 6  # of a clip in the picture
MOST_RANGES = 6
MEANING = {
    "unreachable": "no pose near it comes nearer",
    "limited": "joint limits are in the way",
    "iterations": "gave up; try more --max-iterations",
}
Points = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=X,Y,Z"), tyro.conf.UseAppendAction]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME"), tyro.conf.UseAppendAction]


def solve(
    clip: Clip,
    /,
    *,
    output: Output,
    target: Points = (),
    move: Points = (),
    hold: Names = (),
    fixed: Names = (),
    method: Method = "levenberg_marquardt",
    root: Literal["free", "fixed", "translation", "heading"] = "free",
    limits: Literal["none", "human", "clip"] = "none",
    tolerance: float | None = None,
    max_iterations: int | None = None,
    over_time: OverTime = "independent",
    smoothness: float = 1.0,
    frame: int | None = None,
    standardize: bool = False,
    image: Path | None = None,
    picture: bool = True,
) -> int:
    """Bring hands, feet or other points where they should be (inverse kinematics), in one frame or in a whole clip.

    Exit status: 0 where all goals are met, 1 where some are not (the nearest poses found are written all the same),
    2 where nothing was written.

    Args:
        clip: Motion file (.bvh or .npz).
        output: File to write (.bvh or .npz).
        target: A joint or end site and where it should be in the world, in the clip's own unit and axes, such as
            LeftHand=0.4,1.3,0.3; once for each target.
        move: A joint or end site and how far it should be from where the clip has it, frame by frame, such as
            LeftHand=0,0.2,0; once for each.
        hold: A joint or end site that should stay where the clip has it; once for each.
        fixed: The same exactly: the body hangs from the first, others come before all goals; once for each.
        method: The solver; docs/inverse-kinematics.md says when to use which.
        root: What the root may do: move and turn ("free"), turn only ("fixed"), move only ("translation"), move and turn
            about the world's Y ("heading").
        limits: Joint limits: of a human, or the ranges that the clip itself uses.
        tolerance: Largest distance that counts as met, in the clip's unit; by default a thousandth of the longest way
            along bones from root to tip.
        max_iterations: After which the solver gives up.
        over_time: How the frames of a clip go together: each by itself, from the answer before, or all as one.
        smoothness: Of "smooth" alone: with n^4 goals that change within about n frames give way, such as 10000 for n = 10.
        frame: Solve this frame alone (from 0; -1 is the last), and write a clip of one frame.
        standardize: Turn the clip to metres and Y up first: targets, tolerance and output are in metres then.
        image: PNG file for a picture of the clip before and after; by default that of the output's name.
        picture: Draw it.
    """
    shown = (image or output.with_suffix(".png")) if picture or image else None
    _require_usable(clip, output, shown)
    motions, console = load_motions(clip), Console()
    if standardize:
        first = inspect_world(motions[0])
        motions = [to_metres(motion, unit=first.metres_per_unit, up=first.up.value).motion for motion in motions]
    aims, moves = _points("--target", target), _points("--move", move)
    names = _distinct(aims, moves, hold, fixed)
    chosen = next((n for n, motion in enumerate(motions) if set(names) <= _points_of(motion)), 0)
    limited = _limits(motions[chosen], limits)
    world = inspect_world(motions[chosen])
    if frame is not None:
        motions = [_only(motion, frame) for motion in motions]
    before = motions[chosen]
    if not before.num_frames:
        raise InputError(f"{clip} has no frames; there is no pose to start from")
    goals: dict[str, Goal] = {name: ik.position() for name in (*aims, *moves)} | {name: ik.hold() for name in hold}
    problem = ik.Problem(
        before.skeleton,
        goals,
        method=method,
        tolerance=tolerance,
        max_iterations=max_iterations,
        root=root,
        fixed=fixed,
        limits=limited,
    )
    places = forward_kinematics(before)
    wanted = {name: np.tile(point, (before.num_frames, 1)) for name, point in aims.items()}
    wanted |= {name: places.position(name) + step for name, step in moves.items()}
    _print_world(console, world, aims, before)
    with console.status("making the solver ready (its first run compiles for up to a minute)"):
        first_frame = {name: points[:1] for name, points in wanted.items()}
        problem.solve(before[:1], first_frame, over_time=over_time, smoothness=smoothness)
    start = time.perf_counter()
    result = problem.solve(before, wanted, over_time=over_time, smoothness=smoothness)
    seconds = time.perf_counter() - start
    after = result.motion
    save([after if motion is before else motion for motion in motions], output)
    if shown is not None:
        from kinematics.viewer.figure import draw

        held = [places.position(name) for name in (*hold, *fixed)]
        marks = {"target": list(wanted.values()), "held": held}
        draw(
            [before, after],
            shown,
            frames=POSES,
            labels=[clip.name, f"solved: {method}"],
            marks={name: np.stack(points, axis=1) for name, points in marks.items() if points},
        )
        console.print(f"wrote {escape(str(shown))}", highlight=False, soft_wrap=True)
    console.print(_table(result))
    meaning = MEANING | ({"unreachable": "goals and smoothness were weighed against each other"} if over_time == "smooth" else {})
    _print_outcome(console, result, problem.tolerance, seconds, meaning)
    return 0 if np.all(result.converged) else 1


def _require_usable(clip: Path, output: Path, shown: Path | None) -> None:
    require_writable(output)
    require_other_file(clip, output)
    if shown is not None:
        require_writable(shown, (".png",))
        require_other_file(clip, shown)


def _points(option: str, given: Sequence[str]) -> dict[str, np.ndarray]:
    """Return names and points of "NAME=x,y,z".

    Raises:
        InputError: On another form, or a name given twice.
    """
    found: dict[str, np.ndarray] = {}
    for text in given:
        name, _, numbers = text.rpartition("=")
        try:
            point = np.array([float(number) for number in numbers.split(",")])
        except ValueError:
            point = np.zeros(0)
        if not name or point.shape != (3,) or not np.isfinite(point).all():
            raise InputError(
                f"{option} takes a name and three numbers without spaces, such as LeftHand=0.4,1.3,0.3; got {text!r}"
            )
        if name in found:
            raise InputError(f"{option} has two points for {name!r}; give one")
        found[name] = point
    return found


def _distinct(*groups: Mapping[str, object] | Sequence[str]) -> list[str]:
    """Return all names of the goals; the last group is no goal by itself.

    Raises:
        InputError: Where there is none, or one has several.
    """
    names = [name for group in groups for name in group]
    if not names:
        raise InputError(
            "there is no goal; give at least one --target NAME=x,y,z, --move NAME=x,y,z, --hold NAME or --fixed NAME"
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{twice!r} is given more than once among --target, --move, --hold and --fixed; give one of them")
    return names


def _points_of(motion: Motion) -> set[str]:
    return {*motion.skeleton.joint_names, *motion.skeleton.end_site_names}


def _only(motion: Motion, frame: int) -> Motion:
    """Return one frame as a clip."""
    count = motion.num_frames
    if not -count <= frame < count:
        raise InputError(f"--frame must be from 0 to {count - 1} (or -1 for the last), got {frame}; the clip has {count} frames")
    return motion[frame % count : frame % count + 1]


def _limits(motion: Motion, kind: str) -> Mapping[str, Limit]:
    if kind == "human":
        return ik.human_limits(motion)
    return ik.limits_from_motion(motion) if kind == "clip" else {}


def _print_world(console: Console, world: WorldReport, aims: Mapping[str, np.ndarray], motion: Motion) -> None:
    """Say what unit the targets are in, and whether they look like another one."""
    height = world.body_height / world.metres_per_unit
    what = "body" if world.is_body else "extent"
    console.print(
        f"targets and errors are in the clip's unit: {escape(world.unit.value)} ({world.unit.confidence:.0%}), {what} "
        f"{height:.4g} tall, up {world.up.value}",
        highlight=False,
        soft_wrap=True,
    )
    if height <= 0.0:  # a single point has no size to compare with
        return
    away = {name: float(np.linalg.norm(motion.root_positions - point, axis=1).min()) / height for name, point in aims.items()}
    far = max(away, key=lambda name: away[name], default="")
    one = 1.0 / world.metres_per_unit
    hint = ""
    if far and away[far] > FAR:
        hint = f"the target of {far} is {away[far]:.0f} body heights away from the body"
    elif aims and one > 2.0 and max(np.abs(point).max() for point in aims.values()) < NEAR * height:
        hint = "all targets lie at the world's origin, so small are their numbers for this body"
    if hint:
        mend = "" if one == 1.0 else " (or give --standardize, and metres)"
        console.print(
            f"[yellow]hint:[/yellow] {escape(hint)}; one metre is {one:.4g} in this clip{mend}", highlight=False, soft_wrap=True
        )


def _table(result: Result) -> Table:
    """Return the error of each goal, over the frames."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("goal")
    many = len(result.errors) > 1
    for title in ("mean error", "largest", "in frame") if many else ("error",):
        table.add_column(title, justify="right")
    for name, errors in zip(result.goals, result.errors.T, strict=True):
        worst = int(errors.argmax())
        cells = (f"{errors.mean():.3g}", f"{errors[worst]:.3g}", str(worst)) if many else (f"{errors[0]:.3g}",)
        table.add_row(escape(name), *cells)
    return table


def _print_outcome(console: Console, result: Result, tolerance: float, seconds: float, meaning: Mapping[str, str]) -> None:
    """Say in words whether the goals are met, and what it cost."""
    codes, iterations = np.asarray(result.codes), np.asarray(result.iterations)
    frames, missed = len(codes), np.flatnonzero(codes != 0)
    within = f"within {tolerance:.3g}"
    if len(missed):
        kinds = [(status, int(np.sum(codes == code))) for code, status in enumerate(STATUSES) if code]
        why = "; ".join(f"{count} " * (frames > 1) + f"{status}: {meaning[status]}" for status, count in kinds if count)
        where = f"in {len(missed)} of {frames} frames ({_ranges(missed)})" if frames > 1 else "in this frame"
        line = f"[bold red]not all goals are met[/bold red] {within} {where}. {why}. The nearest poses found are written."
    else:
        line = f"[bold green]all goals are met[/bold green] {within}" + (f" in all {frames} frames" * (frames > 1))
    console.print(line, highlight=False, soft_wrap=True)
    spent = f"{iterations[0]}" if frames == 1 else f"median {np.median(iterations):g}, most {iterations.max()}"
    each = f", {1e6 * seconds / frames:.0f} us a frame" * (frames > 1)
    console.print(f"iterations: {spent}; time: {1e3 * seconds:.3g} ms{each}", highlight=False, soft_wrap=True)


def _ranges(frames: np.ndarray) -> str:
    """Return frames in words, such as "0-3, 7"."""
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
    words = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:MOST_RANGES]]
    return ", ".join(words) + (", ..." if len(runs) > MOST_RANGES else "")
