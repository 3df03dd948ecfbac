"""Command line: `python -m retarget CLIP --to TARGET -o OUT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, NoReturn

import tyro
from rich.markup import escape

from kinematics.cli import run
from kinematics.errors import InputError
from kinematics.io import load_motion, save_motion
from kinematics.io.files import EXTENSIONS
from kinematics.viewer.figure import draw
from retarget import cli_batch, cli_score, map_file
from retarget.batch_job import Job
from retarget.config import preset as config_by_name
from retarget.pipeline import retarget
from retarget.robots import Robot, is_robot, save_robot_motion
from retarget.robots.export import EXTENSIONS as ROBOT_EXTENSIONS
from retarget.targets import load_rest, load_target, rest_file

DESCRIPTION = (
    "Put a motion on another skeleton; which joint is which is found without a table. "
    "`python -m retarget score SOURCE RESULT` measures a result; `python -m retarget batch FOLDER --to TARGET -o OUT` does "
    "every clip of a folder."
)
FORMAT_VERSION = 1  # of the JSON


def retarget_clip(
    clip: tyro.conf.Positional[Path],
    /,
    *,
    to: Path,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    preset: str = "feet",
    part: str = "whole",
    in_place: bool = False,
    velocity_limit: float | None = None,
    rest: str | None = None,
    target_rest: str | None = None,
    map: Path | None = None,  # noqa: A002
    save_map: Path | None = None,
    picture: bool = True,
    json: bool = False,
) -> None:
    """Put a motion on another skeleton or on a robot; which joint is which is found without a table.

    The result is in the target file's own unit, axes and channel layout. A table of what was mapped to what, a report, a score
    and a picture of both bodies beside the result (OUT.png) show what was done. Existing files of these names are replaced.

    Args:
        clip: Motion file (.bvh or .npz) to retarget.
        to: Motion file with the target skeleton; its motion tells its rest pose and how high its feet stand, and with --part
            moves the rest of it. Or a robot: its model (.xml), or its name in MuJoCo Menagerie ("unitree_g1").
        output: File to write (.bvh or .npz; of a robot .csv as Unitree's files, .npz or .bvh).
        preset: "feet" plants feet and keeps hands by the body, "style" plants feet, "faithful" keeps rotations alone.
        part: "whole", or "upper" or "lower": the rest of the body moves as in the target's file.
        in_place: Take the way over the ground out.
        velocity_limit: Radians a second that no joint but the root turns faster than; by default 9.42 (3 pi) for the hinges of a
            robot, and no limit else.
        rest: How the clip's body stands at rest, where its file's zero pose says nothing: a motion file of that skeleton whose
            first frame is a T or A pose or has hanging arms; FILE@12 is frame 12 of it, and 12 alone frame 12 of the clip itself.
        target_rest: The same of the target.
        map: Joint map to use (.toml), as --save-map writes it, edited by hand.
        save_map: Write the joint map that was used (.toml).
        picture: Draw both bodies at several instants into a PNG file of the same name, replacing it; it belongs to the output.
        json: Print one JSON object with all numbers of map, report and score instead of tables.
    """
    shown = output.with_suffix(".png")
    written = [output, *([shown] if picture else []), *([save_map] if save_map else [])]
    read = [clip, to, map, rest_file(rest), rest_file(target_rest)]
    _require_usable(written, [path for path in read if path is not None], ROBOT_EXTENSIONS if is_robot(to) else EXTENSIONS)
    source, target = load_motion(clip), load_target(to)
    given = None if map is None else map_file.load_map(map, source=source.skeleton, target=target.skeleton)
    config = replace(config_by_name(preset), part=part, in_place=in_place, velocity_limit_rad_s=velocity_limit)
    poses = {"rest": load_rest(rest), "target_rest": load_rest(target_rest)}
    result = retarget(source, target, joint_map=given, config=config, **poses)
    if isinstance(target, Robot):
        save_robot_motion(target, result.motion, output)
    else:
        save_motion(result.motion, output)
    if save_map is not None:
        map_file.save_map(result.joint_map, save_map)
    if picture:
        draw([source, result.motion], shown, labels=[clip.name, f"{clip.name} on {to.name}"], same_camera=True)
    card = Job(target, config).score(source, result)
    if json:
        cli_score.print_json(
            {
                "format_version": FORMAT_VERSION,
                "written": [str(file) for file in written],
                "joint_map": asdict(result.joint_map),
                "report": asdict(result.report),
                "score": card.as_dict(),
            }
        )
        return
    console = cli_score.page()
    console.print(result.joint_map, result.report, card.short)
    for file in written:
        console.print(f"wrote {escape(str(file))}", highlight=False, soft_wrap=True)


def _require_usable(written: Sequence[Path], read: Sequence[Path], extensions: Sequence[str]) -> None:
    """Refuse outputs of an unknown kind, in a folder that is not there, or in the place of an input or of each other."""
    if written[0].suffix.lower() not in extensions:
        raise InputError(f"cannot write {str(written[0])!r}: the output must end in {' or '.join(extensions)}")
    taken = {path.resolve(): f"the input {path}" for path in read}
    for path in written:
        if not path.parent.is_dir():
            raise InputError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
        if path.resolve() in taken:
            raise InputError(f"{path} would overwrite {taken[path.resolve()]}; give another output file")
        taken[path.resolve()] = f"the output {path}"


def main() -> NoReturn:
    """Run `python -m retarget`."""
    if sys.argv[1:2] == ["batch"]:
        program = "python -m retarget batch"
        run(lambda: tyro.cli(cli_batch.batch_folder, prog=program, description=cli_batch.DESCRIPTION, args=sys.argv[2:]))
    if sys.argv[1:2] == ["score"]:
        program = "python -m retarget score"
        run(lambda: tyro.cli(cli_score.score_clips, prog=program, description=cli_score.DESCRIPTION, args=sys.argv[2:]))
    run(lambda: tyro.cli(retarget_clip, prog="python -m retarget", description=DESCRIPTION))
