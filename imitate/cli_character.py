"""Command line: `python -m imitate character CLIP -o body.xml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imitate.character import Character, CharacterConfig, LintReport, fix, lint, make_character
from imitate.errors import ImitationError
from kinematics.cli_shared import Clip, require_other_file, require_writable, save
from kinematics.io import load_motion
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion
from retarget.body import told_repairs
from retarget.cli_score import page, print_json

FLAGGED = 1


def character(
    clip: Clip,
    /,
    *,
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
    report: bool = False,
    fix: Path | None = None,
    json: bool = False,
    config: tyro.conf.OmitArgPrefixes[CharacterConfig] = CharacterConfig(),  # noqa: B008 - frozen
) -> int:
    """Make a simulated body from a clip's own skeleton, and check both before any training.

    Args:
        clip: Motion file (.bvh or .npz), in any unit and axes.
        output: MJCF file to write; MuJoCo's viewer opens it.
        report: Check clip and body: floor, limits, torques, how long they stay up; each warning names its mend.
        fix: Write a mended clip (.bvh, .npz): glitches, noise, limits, sliding feet and floor; the body is made from it.
        json: Print the report as JSON.
        config: How the body is made.
    """
    if output is None and fix is None and not (report or json):
        raise ImitationError("nothing to do: give -o body.xml, --report or --fix OUT.bvh")
    if output is not None:
        require_writable(output, (".xml",))
    if fix is not None:
        require_writable(fix)
        require_other_file(clip, fix)
    motion = load_motion(clip)
    for sentence in told_repairs(motion, clip.name):
        Console(stderr=True).print(escape(sentence), highlight=False, soft_wrap=True)
    if fix is not None:
        motion = mended(motion, config)
        save([motion], fix)
    body = make_character(motion, config=config, name=clip.stem)
    if output is not None:
        write_bytes(output, body.xml.encode())
        _say(f"wrote {output}: {described(body)}")
    if not (report or json):
        return 0
    found = lint(body, motion)
    if json:
        print_json(summary(body, found))
    else:
        show(body, found)
    return 0 if found.passed else FLAGGED


def mended(motion: Motion, config: CharacterConfig) -> Motion:
    """Return the clip as `imitate.character.fix` mends it."""
    return fix(motion, config=config)


def described(body: Character) -> str:
    """Return a body in one line."""
    return f"{len(body.body_names)} bodies, {len(body.hinge_names)} hinges, {body.mass:.3g} kg, {body.height:.2f} m"


def summary(body: Character, found: LintReport) -> dict[str, object]:
    """Return body and report as plain values."""
    return {
        "bodies": list(body.body_names),
        "hinges": list(body.hinge_names),
        "mass_kg": body.mass,
        "height_m": body.height,
        **found.as_dict(),
    }


def show(body: Character, found: LintReport) -> None:
    """Print the report as a table."""
    console = page()
    table = Table(title=escape(f"{body.name}: {described(body)}"), title_justify="left", box=None, pad_edge=False)
    for heading in ("", "looked at", "found", "mend"):
        table.add_column(heading, overflow="fold")
    for finding in found.findings:
        mark = "[green]ok[/green]" if finding.ok else "[yellow]![/yellow]"
        table.add_row(mark, finding.name, escape(finding.value), "" if finding.ok else escape(finding.mend))
    console.print(table)


def _say(words: str) -> None:
    Console().print(escape(words), highlight=False, soft_wrap=True)
