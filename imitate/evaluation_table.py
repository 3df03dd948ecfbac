"""An evaluation as tables for the terminal, the published figures beside it."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from imitate.anchors import Anchor, load_anchors
from imitate.evaluation import Evaluation, Outcome

Read = Callable[[Outcome], float]
ROWS: tuple[tuple[str, str, str, Read], ...] = (  # measure, unit, format, number
    ("reached the end without a fall", "%", ".1f", lambda one: 100.0 * one.completion),
    ("success: and never over 0.5 m off", "%", ".1f", lambda one: 100.0 * one.success),
    ("normalised return (DeepMimic)", "0 to 1", ".3f", lambda one: one.normalised_return),
    ("lasted", "s", ".1f", lambda one: one.mean_length_s),
    ("  of", "s", ".1f", lambda one: one.possible_length_s),
    ("error in the world (PHC)", "mm", ".1f", lambda one: one.errors_mm.global_mm),
    ("  root taken out", "mm", ".1f", lambda one: one.errors_mm.root_relative_mm),
    ("  Procrustes", "mm", ".1f", lambda one: one.errors_mm.procrustes_mm),
    ("  velocity", "mm/frame", ".2f", lambda one: one.errors_mm.velocity_mm_per_frame),
    ("  acceleration", "mm/frame^2", ".2f", lambda one: one.errors_mm.acceleration_mm_per_frame2),
    ("error in the world (mjlab)", "mm", ".1f", lambda one: one.mjlab.mpkpe_mm),
    ("  root taken out", "mm", ".1f", lambda one: one.mjlab.r_mpkpe_mm),
    ("  joint velocities", "rad/s", ".2f", lambda one: one.mjlab.joint_velocity_rad_s),
    ("  hands, feet, head: place", "mm", ".1f", lambda one: one.mjlab.end_effector_position_mm),
    ("  hands, feet, head: angle", "rad", ".3f", lambda one: one.mjlab.end_effector_rotation_rad),
)


def tables(evaluation: Evaluation, *, title: str) -> RenderableType:
    """Return the tables of an evaluation: both protocols, stress, published figures."""
    shown = [_protocols(evaluation, title)]
    if evaluation.stress:
        shown.append(_stress(evaluation))
    shown.append(_anchors(evaluation))
    return Group(*shown)


def _protocols(evaluation: Evaluation, title: str) -> Table:
    kind = "cyclic" if evaluation.cyclic else "ends"
    about = f"{evaluation.hinges} hinges, {evaluation.anywhere.episodes} episodes each, {evaluation.clip_s:.3g} s ({kind})"
    table = Table(title=f"{escape(title)}: {about}", title_justify="left")
    table.add_column("")
    table.add_column("unit")
    table.add_column("from any start", justify="right")
    table.add_column("from frame 0", justify="right")
    for name, unit, form, read in ROWS:
        table.add_row(name, unit, format(read(evaluation.anywhere), form), format(read(evaluation.first_frame), form))
    if evaluation.notes:
        table.caption, table.caption_justify = "\n".join(escape(f"note: {note}") for note in evaluation.notes), "left"
    return table


def _stress(evaluation: Evaluation) -> Table:
    table = Table(title="Under stress, from any start (pushes every 2 s)", title_justify="left")
    for column in ("", "no fall %", "success %", "return", "root-relative mm"):
        table.add_column(column, justify="right" if column else "left")
    for name, one in (("none", evaluation.anywhere), *evaluation.stress.items()):
        numbers = (f"{100.0 * one.completion:.1f}", f"{100.0 * one.success:.1f}", f"{one.normalised_return:.3f}")
        table.add_row(stress_words(name), *numbers, f"{one.errors_mm.root_relative_mm:.1f}")
    return table


def stress_words(name: str) -> str:
    """Return the name of a stress test as people say it: "push_0.5_m_s" is "push 0.5 m/s"."""
    return name.replace("_m_s", " m/s").replace("_", " ")


def _anchors(evaluation: Evaluation) -> Table:
    table = Table(title="Published figures: other bodies, other clips", title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("body, clip", no_wrap=True)
    for column in ("success %", "return", "world mm", "acc. mm/frame^2"):
        table.add_column(column, justify="right")
    for label, one in (("this run, any start", evaluation.anywhere), ("this run, frame 0", evaluation.first_frame)):
        numbers = (f"{100.0 * one.success:.1f}", f"{one.normalised_return:.3f}", f"{one.errors_mm.global_mm:.1f}")
        acceleration = f"{one.errors_mm.acceleration_mm_per_frame2:.1f}"
        table.add_row(label, f"{evaluation.hinges} hinges, this clip", *numbers, acceleration)
    for anchor in load_anchors():
        table.add_row(*_anchor_row(anchor))
    table.caption, table.caption_justify = "* told from memory, not checked; imitate/anchors/anchors.md has the sources", "left"
    return table


def _anchor_row(anchor: Anchor) -> tuple[str, ...]:
    def shown(value: float | None, form: str, factor: float = 1.0) -> str:
        return "" if value is None else format(factor * value, form)

    return (
        escape(anchor.name) + ("" if anchor.source.checked else "*"),
        f"{escape(anchor.body)}, {escape(anchor.clips)}",
        shown(anchor.success, ".1f", 100.0),
        shown(anchor.normalised_return, ".3f"),
        shown(anchor.global_mm, ".1f"),
        shown(anchor.acceleration_mm_per_frame2, ".1f"),
    )
