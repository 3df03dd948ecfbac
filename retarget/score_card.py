"""The score card: numbers of a source and of its retargeted result side by side, printed as a table, written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kinematics.metrics import Floating, Jerk, Penetration, Slide, Turn
from retarget.report import DirectionError, Directions
from retarget.score_bodies import KeyBodies
from retarget.score_feet import SlideFraction
from retarget.score_turns import FirstFrame, Overstepping, Speeding

if TYPE_CHECKING:
    from rich.table import Table

FORMAT_VERSION = 1
Row = tuple[str, str, str, str, str]  # measure, unit, source, result, what is good


@dataclass(frozen=True)
class ClipScore:
    """Numbers of one clip.

    Attributes:
        slide: Sliding feet, stance taken from the source.
        own_slide: The same, stance taken from the clip itself.
        penetration: Below the floor, which is where the clip's feet stand.
        floating: Feet above where they stand, stance taken from the source.
        floor_cm: Height of that floor.
        jerk: Of the key bodies that both clips have.
        largest_turn: Largest turn of a joint in one frame.
        first_frame: Whether it begins as it goes on.
        speeding: Joints faster than the velocity limit.
        overstepping: Joints outside their limits; None where no limits are known.
    """

    slide: Slide
    own_slide: Slide
    penetration: Penetration
    floating: Floating
    floor_cm: float
    jerk: Jerk
    largest_turn: Turn
    first_frame: FirstFrame
    speeding: Speeding
    overstepping: Overstepping | None


@dataclass(frozen=True)
class ScoreCard(Directions):
    """How good a retargeted clip is, beside its source; docs/score.md defines each number.

    Attributes:
        frames: Frames of both clips.
        frame_time: Seconds between them.
        source: Numbers of the source.
        result: Numbers of the result.
        key_bodies: Position errors of the result's key bodies and of its path.
        bone_directions: Angle between the bones of source and result, by bone.
        floating: Floating beyond what the source's feet do.
        sinking: Sinking beyond what the source's feet do.
        slide_per_frame: Sliding by OmniRetarget's rule, 0.01 metres a frame.
        slide_per_second: The same with the threshold of its comment, 0.01 metres a second.
        turn_ratio: Largest turn in one frame, that of the result over that of the source.
        notes: What the reader should know, one sentence each.
        part: What was compared: "whole", "lower", or "upper"; of the latter, numbers of feet, floor and way say nothing.
        in_place: Whether the way was taken out of the result, whose feet slide as far then: those numbers say nothing.
    """

    frames: int
    frame_time: float
    source: ClipScore
    result: ClipScore
    key_bodies: KeyBodies
    bone_directions: Mapping[str, DirectionError]
    floating: Floating
    sinking: Penetration
    slide_per_frame: SlideFraction
    slide_per_second: SlideFraction
    turn_ratio: float
    notes: tuple[str, ...]
    part: str = "whole"
    in_place: bool = False

    @property
    def short(self) -> Table:
        """The numbers that tell most, as a table for the terminal."""
        return _table(self, [row for row in _rows(self) if row[0] in SHORT])

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers with names, units in the names, and a `format_version`, ready for JSON.

        None stands where a number has no meaning.
        """
        numbers = asdict(self)
        if self.part == "upper":
            for table, names in ((numbers, OF_FEET), (numbers["source"], OF_FEET), (numbers["result"], OF_FEET)):
                table.update((name, None) for name in names if name in table)
        if self.in_place:
            for table in (numbers, numbers["result"]):
                table.update((name, None) for name in OF_WAY if name in table)
        if self.in_place or self.part == "upper":
            numbers["key_bodies"]["path"] = None
        return {
            "format_version": FORMAT_VERSION,
            **numbers,
            "limb_direction_error_degrees": self.limb_direction_error_degrees,
            "mean_direction_error_degrees": self.mean_direction_error_degrees,
            "max_direction_error_degrees": self.max_direction_error_degrees,
        }

    def __rich__(self) -> Table:
        """Return all numbers as a table for the terminal."""
        return _table(self, _rows(self))


# Fields of both classes about feet, floor and way, and the rows of the table that show them; then those about the way alone.
OF_FEET = ("slide", "own_slide", "penetration", "floating", "floor_cm", "sinking", "slide_per_frame", "slide_per_second")
ROWS_OF_FEET = ("stance", "slide in", "toes over", "floats", "sinks", "feet over", "body below", "floor", "path off")
OF_WAY = ("slide", "own_slide", "slide_per_frame", "slide_per_second")
ROWS_OF_WAY = ("stance", "slide in", "toes over", "path off")

SHORT = (
    "stance slide, mean",
    "floats more than the source",
    "sinks more than the source",
    "body below the floor",
    "key bodies off, mean",
    "arms' and legs' directions off, mean",
    "outside joint limits",
    "largest turn in a frame",
    "first frame over usual",
)


def _table(card: ScoreCard, rows: list[Row]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"Score ({card.frames} frames at {1.0 / card.frame_time:.6g} Hz)", title_justify="left")
    for column, justify in zip(("", "unit", "source", "result", "good"), ("left", "left", "right", "right", "left"), strict=True):
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if card.notes:
        table.caption, table.caption_justify = "\n".join(escape(f"note: {note}") for note in card.notes), "left"
    return table


def _rows(card: ScoreCard) -> list[Row]:
    """Return every row of the table; "-" where a number has no meaning for a column."""
    one, other, bodies = card.source, card.result, card.key_bodies
    slow, fast = card.slide_per_second, card.slide_per_frame

    def both(label: str, unit: str, values: tuple[float, float], good: str = "", digits: int = 2) -> Row:
        return label, unit, f"{values[0]:.{digits}f}", f"{values[1]:.{digits}f}", good

    def only(label: str, unit: str, value: float, good: str = "", digits: int = 2) -> Row:
        return label, unit, "-", f"{value:.{digits}f}", good

    slide, own = (one.slide, other.slide), (one.own_slide, other.own_slide)
    rows = [
        both("stance slide, mean", "cm/s", (slide[0].mean_cm_s, slide[1].mean_cm_s), "as the source, or 1"),
        both("stance slide, 95 %", "cm/s", (slide[0].p95_cm_s, slide[1].p95_cm_s)),
        both("slide in own stance, mean", "cm/s", (own[0].mean_cm_s, own[1].mean_cm_s)),
        both("slide in own stance, 95 %", "cm/s", (own[0].p95_cm_s, own[1].p95_cm_s)),
        only(f"toes over 1 cm a frame ({fast.threshold_cm_s:.3g} cm/s)", "% of stance", 100.0 * fast.fraction, "0"),
        only(f"toes over 1 cm/s ({slow.threshold_cm_frame:.2g} cm a frame)", "% of stance", 100.0 * slow.fraction, "0"),
        only("floats more than the source", "% of stance", 100.0 * card.floating.fraction, "at most 1"),
        only("sinks more than the source", "% of stance", 100.0 * card.sinking.fraction, "at most 1"),
        only("  deepest", "cm", card.sinking.max_depth_cm, "at most 1"),
        both("feet over 1 cm high", "% of stance", (100.0 * one.floating.fraction, 100.0 * other.floating.fraction)),
        both("body below the floor", "% of frames", (100.0 * one.penetration.fraction, 100.0 * other.penetration.fraction), "0"),
        both("  mean depth then", "cm", (one.penetration.mean_depth_cm, other.penetration.mean_depth_cm)),
        both("  deepest", "cm", (one.penetration.max_depth_cm, other.penetration.max_depth_cm), "at most 1"),
        both("floor: where feet stand", "cm", (one.floor_cm, other.floor_cm)),
        only("key bodies off, mean", "cm", bodies.error.mean_cm, "0"),
        only("  of its height", "%", bodies.error.mean_percent),
        only(
            f"  most ({bodies.error.worst_joint.replace('_', ' ')}, frame {bodies.error.worst_frame})", "cm", bodies.error.max_cm
        ),
        only("path off, mean", "cm", bodies.path.mean_cm, "0"),
        only("arms' and legs' directions off, mean", "degrees", card.limb_direction_error_degrees, "at most 5"),
        only("bone directions off, mean", "degrees", card.mean_direction_error_degrees),
        only("  most", "degrees", card.max_direction_error_degrees),
    ]
    if card.part == "upper":
        rows = _without(rows, ROWS_OF_FEET)
    elif card.in_place:
        rows = _without(rows, ROWS_OF_WAY)
    for label, value in (("source", one.overstepping), ("result", other.overstepping)):
        if value is not None:
            said = (f"{100.0 * value.fraction:.2f}", "-") if label == "source" else ("-", f"{100.0 * value.fraction:.2f}")
            rows.append(("outside joint limits", "% of frames", *said, "0"))
            more = (f"{value.max_degrees:.2f}", "-") if label == "source" else ("-", f"{value.max_degrees:.2f}")
            rows.append(("  most", "degrees", *more, "0"))
    over = one.speeding, other.speeding
    rows += [
        both(f"joints over {over[1].limit_rad_s:.3g} rad/s", "% of frames", (100.0 * over[0].fraction, 100.0 * over[1].fraction)),
        both("  fastest", "rad/s", (over[0].max_rad_s, over[1].max_rad_s)),
        both("jerk, mean", "m/s^3", (one.jerk.mean, other.jerk.mean), "as the source", 0),
        both(
            "largest turn in a frame",
            "degrees",
            (float(np.degrees(one.largest_turn.radians)), float(np.degrees(other.largest_turn.radians))),
            f"1.5 times ({card.turn_ratio:.2f})",
        ),
        both("first frame over usual", "times", (one.first_frame.ratio, other.first_frame.ratio), "at most 1.5"),
    ]
    return rows


def _without(rows: list[Row], beginnings: tuple[str, ...]) -> list[Row]:
    """Leave out rows that begin so, and the indented ones below them."""
    kept: list[Row] = []
    shown = True
    for row in rows:
        if not row[0].startswith("  "):
            shown = not row[0].startswith(beginnings)
        if shown:
            kept.append(row)
    return kept
