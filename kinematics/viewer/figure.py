"""Pictures of motions as strips of stick figures, drawn by Pillow alone: no GL, no window, no font files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from kinematics.errors import InputError
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion, Pose
from kinematics.viewer import painting
from kinematics.viewer.canvas import Canvas, Font
from kinematics.viewer.layout import Layout, plan_layout, shorten
from kinematics.viewer.painting import Cell
from kinematics.viewer.rows import Row, as_motion, choose_instants, default_titles, nice_number, prepare_row

LARGE, SMALL = 17.0, 12.5
INK, GREY = (38, 38, 42), (125, 125, 130)


def draw(
    motions: Motion | Pose | Sequence[Motion | Pose],
    path: str | Path,
    *,
    frames: int | Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    view: str = "auto",
    same_camera: bool = False,
    marks: Mapping[str, Float[np.ndarray, "... 3"]] | None = None,
    size: tuple[int, int] | None = None,
) -> None:
    """Draw each motion as a row of poses in time, and write the picture as a PNG.

    All rows show the same instants, each body at the same height on the page whatever its unit. The left limbs are blue,
    the right ones orange; near limbs lie over far ones, which are paler. Each pose stands on a disc of ground whose lines
    are fixed in the world; the path of a body that travels is shown from above at the end of its row.

    Args:
        motions: One motion or pose, or several; a motion without frames shows its zero pose.
        path: PNG file to write; an existing one is replaced in one step.
        frames: How many instants, spread evenly over the longest motion (8 by default), or frames of the first motion.
        labels: A title for each motion; by default its file's name.
        view: "side", "front", "three_quarter", or "auto": a travelling body nearly from the side, others three-quarter.
        same_camera: See all motions from where the first is seen, so that a wrong heading shows.
        marks: Points to mark on every row, by what they are called, in the motions' own unit and axes, shape (marks, 3) or
            (frames, marks, 3): the first name's by crosses, others by rings. Those far from the body are left out. All rows
            then are seen from where the first one is.
        size: Width and height in pixels; by default 1280 wide and as high as the rows need.

    Raises:
        InputError: Without a motion, on frames outside the first motion, a wrong number of labels, marks of another shape,
            a size too small, or a file that does not end in .png.
        UnknownNameError: On an unknown view.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"pictures are PNG files: {str(path)!r} must end in .png")
    picture = _compose(motions, frames, labels, view, same_camera, marks, size)
    data = io.BytesIO()
    picture.save(data, format="png")
    write_bytes(path, data.getvalue())


def image(
    motions: Motion | Pose | Sequence[Motion | Pose],
    *,
    frames: int | Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    view: str = "auto",
    same_camera: bool = False,
    marks: Mapping[str, Float[np.ndarray, "... 3"]] | None = None,
    size: tuple[int, int] | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """Return what `draw` would write, as RGB values; the arguments are those of `draw`."""
    return np.array(_compose(motions, frames, labels, view, same_camera, marks, size))


def _compose(
    motions: Motion | Pose | Sequence[Motion | Pose],
    frames: int | Sequence[int] | None,
    labels: Sequence[str] | None,
    view: str,
    same_camera: bool,
    marks: Mapping[str, Float[np.ndarray, "... 3"]] | None,
    size: tuple[int, int] | None,
) -> Image.Image:
    clips = [as_motion(clip) for clip in ([motions] if isinstance(motions, Motion | Pose) else motions)]
    if not clips:
        raise InputError("draw needs at least one motion, got none")
    titles = default_titles(clips) if labels is None else list(labels)
    if len(titles) != len(clips):
        raise InputError(f"labels must be one for each motion: got {len(titles)} for {len(clips)} motions")
    if size is not None and len(size) != 2:
        raise InputError(f"size must be width and height in pixels, got {size}")
    rows: list[Row] = []
    for clip, title, instants in zip(clips, titles, choose_instants(clips, frames), strict=True):
        camera = rows[0].camera if rows and (same_camera or marks) else None
        row = prepare_row(clip, instants, title=title, view=view, camera=camera, marks=marks)
        # What is marked is in one world: each row puts it at the same place of the page.
        shared = bool(rows and marks) and row.columns == rows[0].columns
        rows.append(replace(row, anchors=rows[0].anchors) if shared else row)
    return _paint(rows, plan_layout(rows, size), tuple(marks or ()))


def _paint(rows: list[Row], layout: Layout, mark_names: tuple[str, ...]) -> Image.Image:
    canvas, em, small = Canvas(layout.width, layout.height), layout.em, layout.font(SMALL)
    legend_left = _paint_legend(canvas, rows, layout, mark_names)
    for index, row in enumerate(rows):
        room = (legend_left if index == 0 else layout.width - layout.margin) - layout.margin
        _paint_title(canvas, row, layout, layout.tops[index], room)
        scale, free_from = layout.per_height / row.sticks.height, 0.0
        for pose, column in enumerate(row.columns):
            x = float(layout.centres[column])
            paint_pose(canvas, Cell(row.camera, row.anchors[pose], np.array([x, layout.grounds[index]]), scale), row, pose)
            half = small.getlength(row.stamps[pose]) / 2
            if x - half >= free_from:
                canvas.text(x, layout.bottoms[index] + 6 * em, row.stamps[pose], font=small, colour=GREY, anchor="ma")
                free_from = x + half + 6 * em
        place = layout.inset(index)
        if row.travels and place:
            _paint_inset(canvas, row, place[0], place[1], small, em)
    return canvas.picture()


def _paint_title(canvas: Canvas, row: Row, layout: Layout, top: float, room: float) -> None:
    font, small = layout.font(LARGE), layout.font(SMALL)
    title = shorten(" ".join(row.title.split()), font, room)
    canvas.text(layout.margin, top, title, font=font, colour=INK)
    left = font.getlength(title) + 14 * layout.em if title else 0.0
    canvas.text(layout.margin + left, top + 4 * layout.em, shorten(row.detail, small, room - left), font=small, colour=GREY)


def paint_pose(canvas: Canvas, cell: Cell, row: Row, pose: int) -> None:
    """Paint one pose of a row: its floor and shadow, its body or axes, its marks."""
    sticks, points = row.sticks, row.points[pose]
    if row.grounded:
        painting.paint_ground(canvas, cell, facing=row.facing, height=sticks.height, step=row.step)
        painting.paint_shadow(canvas, cell, sticks, points)
    if len(sticks.starts):
        painting.paint_body(canvas, cell, sticks, points)
    else:
        painting.paint_axes(canvas, cell, points[sticks.root], row.axes[pose], painting.AXES_LENGTH * sticks.height)
    for point, kind in zip(row.marks[pose], row.mark_kinds, strict=True):
        if not np.isnan(point).any():
            painting.paint_mark(canvas, cell.to_pixels(point)[:2], kind, painting.MARK_SIZE * sticks.height * cell.scale)


def _paint_inset(canvas: Canvas, row: Row, corner: Float[np.ndarray, "2"], side: float, font: Font, em: float) -> None:
    """Paint the path from above, and under it a bar of a round length."""
    least = 0.5 * row.sticks.height
    scale = painting.paint_path(canvas, row.camera, row.path, row.anchors, row.headings, corner=corner, side=side, least=least)
    length = nice_number(0.3 * side / scale)
    left, low = corner[0] + (side - length * scale) / 2, corner[1] + side + 6 * em
    ends = np.array([[left, low], [left + length * scale, low]])
    for start, end in (
        (ends[0], ends[1]),
        (ends[0] - [0, 3 * em], ends[0] + [0, 3 * em]),
        (ends[1] - [0, 3 * em], ends[1] + [0, 3 * em]),
    ):
        canvas.stroke(start, end, (0.7 * em, 0.7 * em), GREY)
    canvas.text(
        corner[0] + side / 2,
        low + 7 * em,
        f"{length:g} {row.unit.removesuffix('s') if length == 1 else row.unit}, from above",
        font=font,
        colour=GREY,
        anchor="ma",
    )


def _paint_legend(canvas: Canvas, rows: list[Row], layout: Layout, mark_names: tuple[str, ...]) -> float:
    """Name the colours in the upper right corner, as far as they occur; return where that begins."""
    font, em = layout.font(SMALL), layout.em
    x, top = layout.width - layout.margin, layout.tops[0] + 4 * em
    sides = {int(side) for row in rows for side in row.sticks.sides}
    for side, word in ((-1, "right"), (1, "left")):
        if side in sides:
            canvas.text(x, top, word, font=font, colour=INK, anchor="ra")
            x -= font.getlength(word) + 9 * em
            canvas.dot(np.array([x, top + 7 * em]), 4.5 * em, painting.SIDE_COLOURS[side])
            x -= 20 * em
    for kind, name in reversed(list(enumerate(mark_names))):
        canvas.text(x, top, name, font=font, colour=INK, anchor="ra")
        x -= font.getlength(name) + 11 * em
        painting.paint_mark(canvas, np.array([x, top + 7 * em]), kind, 5 * em)
        x -= 20 * em
    return x
