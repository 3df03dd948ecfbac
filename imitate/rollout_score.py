"""Feet and floor of a clip before and after physics, with the score card of `retarget`."""

from __future__ import annotations

from rich.table import Table

from kinematics.motion import Motion
from retarget import score
from retarget.errors import RetargetError


def compare(before: Motion, after: Motion) -> Table:
    """Return a table of how feet slide, sink and float in a clip and in what the simulated body did.

    Stance is taken from the clip, for both; docs/score.md defines each number.

    Args:
        before: The clip, metres, Y up.
        after: The simulated body on the same skeleton, the same frames.
    """
    table = Table(title="Before and after physics", title_justify="left")
    for column in ("", "unit", "before", "after"):
        table.add_column(column, justify="right" if column in ("before", "after") else "left")
    try:
        card = score(before, after)
    except RetargetError as error:
        table.caption, table.caption_justify = f"no score card: {error}", "left"
        return table
    one, other = card.source, card.result
    rows = (
        ("stance slide, mean", "cm/s", one.slide.mean_cm_s, other.slide.mean_cm_s),
        ("stance slide, 95 %", "cm/s", one.slide.p95_cm_s, other.slide.p95_cm_s),
        ("slide in own stance, mean", "cm/s", one.own_slide.mean_cm_s, other.own_slide.mean_cm_s),
        ("body below the floor", "% of frames", 100.0 * one.penetration.fraction, 100.0 * other.penetration.fraction),
        ("  deepest", "cm", one.penetration.max_depth_cm, other.penetration.max_depth_cm),
        ("feet over 1 cm high", "% of stance", 100.0 * one.floating.fraction, 100.0 * other.floating.fraction),
        ("jerk, mean", "m/s^3", one.jerk.mean, other.jerk.mean),
    )
    for name, unit, first, second in rows:
        table.add_row(name, unit, f"{first:.2f}", f"{second:.2f}")
    return table
