"""Painting of one figure: the ground under it, its shadow, its strokes from far to near, its head."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinematics.viewer.camera import Camera
from kinematics.viewer.canvas import Canvas, Colour
from kinematics.viewer.sticks import Sticks

LEFT, RIGHT, MIDDLE = (0, 114, 178), (213, 94, 0), (70, 70, 75)  # Okabe and Ito (2008): told apart by every kind of eye
PAPER, SHADOW, GROUND, GRID = (255, 255, 255), (224, 224, 226), (245, 245, 246), (214, 214, 217)
WAY = (170, 170, 174)
NOSE = (120, 120, 126)
SIDE_COLOURS = {1: LEFT, -1: RIGHT, 0: MIDDLE}
AXIS_COLOURS = ((190, 60, 60), (60, 140, 60), (60, 80, 190))  # x, y, z
RIM = 0.006  # paper on both sides of a stroke, which parts it from what it crosses, in body heights
FADING, FAR = 0.45, 0.12  # a side whose points lie FAR body heights behind the middle fades this far towards the paper
HEAD_WIDTH = 0.8  # over the height of the head
AXES_LENGTH = 0.25  # of the frame drawn for a body without bones, in body heights
CROWD = 400  # strokes, beyond which a body is painted as plain lines
GROUND_RADIUS = 0.31  # of the disc of ground under a figure, in body heights
MARK, MARK_SIZE = (142, 68, 173), 0.028  # colour, and radius in body heights


@dataclass(frozen=True, eq=False)
class Cell:
    """Where a figure stands on the page.

    Attributes:
        camera: What it is seen by.
        anchor: World point, in the motion's unit, that lies at `origin`; shape (3,).
        origin: Pixel of the anchor, shape (2,).
        scale: Pixels in one unit of the motion.
    """

    camera: Camera
    anchor: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "2"]
    scale: float

    def to_pixels(self, points: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """Return pixel x, pixel y and nearness (pixels towards the viewer) of world points."""
        page = self.camera.project(points - self.anchor) * self.scale
        return np.stack([self.origin[0] + page[..., 0], self.origin[1] - page[..., 1], page[..., 2]], axis=-1)


def paint_ground(canvas: Canvas, cell: Cell, *, facing: Float[np.ndarray, "3"], height: float, step: float) -> None:
    """Paint a disc of ground around the anchor; its lines are fixed in the world, `step` units apart."""
    radius = GROUND_RADIUS * height
    pixels, slope = radius * cell.scale, float(cell.camera.page_axes[2, 1])
    canvas.ellipse(cell.origin, np.array([pixels, 0.0]), np.array([0.0, slope * pixels]), GROUND)
    left = np.cross([0.0, 1.0, 0.0], facing)
    thin = max(0.5, 0.0018 * height * cell.scale)
    for across, along in ((facing, left), (left, facing)):
        middle = float(cell.anchor @ across)
        for line in range(int(np.ceil((middle - radius) / step)), int(np.floor((middle + radius) / step)) + 1):
            offset = line * step - middle
            half = np.sqrt(max(radius**2 - offset**2, 0.0))
            start, end = cell.to_pixels(cell.anchor + offset * across + np.array([[-half], [half]]) * along)[:, :2]
            canvas.stroke(start, end, (thin, thin), GRID)


def paint_shadow(canvas: Canvas, cell: Cell, sticks: Sticks, points: Float[np.ndarray, "points 3"]) -> None:
    """Paint what lies straight below the strokes."""
    flat = np.array(points)
    flat[:, 1] = cell.anchor[1]
    page = cell.to_pixels(flat)[:, :2]
    if len(sticks.starts) > CROWD:
        widths = 1.2 * sticks.radii.mean(axis=1) * sticks.height * cell.scale
        canvas.lines(page[sticks.starts], page[sticks.ends], widths, [SHADOW] * len(widths))
        return
    for start, end, radii in zip(sticks.starts, sticks.ends, sticks.radii * sticks.height * cell.scale, strict=True):
        canvas.stroke(page[start], page[end], (0.6 * radii[0], 0.6 * radii[1]), SHADOW)


def paint_body(canvas: Canvas, cell: Cell, sticks: Sticks, points: Float[np.ndarray, "points 3"]) -> None:
    """Paint strokes with their joints and the head, near ones over far ones; a far side is paler.

    More than CROWD strokes become plain lines without rims and joints, and the head lies over them.
    """
    page = cell.to_pixels(points)
    unit = sticks.height * cell.scale
    nearness = (page[sticks.starts, 2] + page[sticks.ends, 2]) / 2
    colours = _side_colours(sticks, nearness / unit)
    if len(sticks.starts) > CROWD:
        far_first = np.argsort(nearness, kind="stable")
        starts, ends = page[sticks.starts[far_first], :2], page[sticks.ends[far_first], :2]
        widths = 2.0 * sticks.radii[far_first].mean(axis=1) * unit
        canvas.lines(starts, ends, widths, [colours[side] for side in sticks.sides[far_first].tolist()])
        if sticks.head >= 0:
            _paint_head(canvas, page, sticks, unit, colours[0])
        return
    head_nearness = float(page[-2, 2])
    nearness = np.where(sticks.ends == sticks.head, head_nearness + 1e-3, nearness)  # the neck grows out of the head
    order = [(float(near), stroke) for stroke, near in enumerate(nearness)]
    if sticks.head >= 0:
        order.append((head_nearness, -1))
    thickness = np.zeros(len(points))
    np.maximum.at(thickness, sticks.starts, sticks.radii[:, 0])
    np.maximum.at(thickness, sticks.ends, sticks.radii[:, 1])
    tips = np.setdiff1d(sticks.ends, sticks.starts)
    for _, stroke in sorted(order):
        if stroke < 0:
            _paint_head(canvas, page, sticks, unit, colours[0])
            continue
        start, end = int(sticks.starts[stroke]), int(sticks.ends[stroke])
        p, q, radii = page[start, :2], page[end, :2], sticks.radii[stroke] * unit
        if end != sticks.head:
            _paint_rim(canvas, p, q, radii, RIM * unit)
        canvas.stroke(p, q, (radii[0], radii[1]), colours[int(sticks.sides[stroke])])
        for joint in (start, end):
            if joint not in tips and thickness[joint] * unit > 1.6 and joint != sticks.head:
                canvas.dot(page[joint, :2], 0.5 * thickness[joint] * unit, PAPER)


def paint_axes(canvas: Canvas, cell: Cell, point: Float[np.ndarray, "3"], axes: Float[np.ndarray, "3 3"], length: float) -> None:
    """Paint the axes of a frame (rows of `axes`, unit, in the world): x red, y green, z blue."""
    start, ends = cell.to_pixels(point), cell.to_pixels(point + length * axes)
    for axis in np.argsort(ends[:, 2]):
        canvas.stroke(start[:2], ends[axis, :2], (0.06 * length * cell.scale, 0.03 * length * cell.scale), AXIS_COLOURS[axis])
    canvas.dot(start[:2], 0.1 * length * cell.scale, MIDDLE)


def paint_mark(canvas: Canvas, at: Float[np.ndarray, "2"], kind: int, radius: float) -> None:
    """Paint a mark at a pixel: a cross (kind 0), else a ring, both with a rim of paper."""
    width = max(0.42 * radius, 1.6)
    for extra, colour in ((1.0 + 0.25 * radius, PAPER), (0.0, MARK)):
        if kind == 0:
            for along in (np.array([1.0, 1.0]), np.array([1.0, -1.0])):
                half = (width + extra) / 2
                canvas.stroke(at - 0.75 * radius * along, at + 0.75 * radius * along, (half, half), colour)
        else:
            canvas.ring(at, radius, 0.8 * width + extra, colour)


def _side_colours(sticks: Sticks, nearness: Float[np.ndarray, " strokes"]) -> dict[int, Colour]:
    """Return the colour of each side in a pose: paler the farther its strokes lie behind those of the other side."""
    means = {side: float(nearness[sticks.sides == side].mean()) for side in (1, -1) if (sticks.sides == side).any()}
    nearest = max(means.values(), default=0.0)
    colours = {0: MIDDLE}
    for side in (1, -1):
        share = FADING * min((nearest - means.get(side, nearest)) / (2 * FAR), 1.0)
        colours[side] = _mixed(SIDE_COLOURS[side], PAPER, share)
    return colours


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(c + share * (o - c)) for c, o in zip(colour, other, strict=True))
    return red, green, blue


def _paint_head(canvas: Canvas, page: Float[np.ndarray, "points 3"], sticks: Sticks, unit: float, colour: Colour) -> None:
    centre, nose, axis = page[-2], page[-1], page[-2] - page[sticks.head]
    length, seen = max(float(np.linalg.norm(axis)), 1e-9), float(np.linalg.norm(axis[:2]))
    radius = sticks.head_radius * unit
    # A spheroid about `axis` looks like an ellipse: the long half axis goes from `radius` to its width as it tips over.
    long = radius * np.sqrt((seen / length) ** 2 + (1 - (seen / length) ** 2) * HEAD_WIDTH**2)
    along = axis[:2] / seen if seen > 0.02 * length else np.array([0.0, 1.0])
    across = HEAD_WIDTH * radius * np.array([-along[1], along[0]])
    rim, turned = 1 + RIM * unit / radius, float(nose[2] - centre[2]) / (0.6 * radius)  # turned to the viewer above 0
    reach = 0.95 - 0.25 * min(max(turned, 0.0), 1.0)
    start, tip, bridge = centre[:2] + 0.5 * (nose - centre)[:2], centre[:2] + reach * (nose - centre)[:2], 0.19 * radius
    canvas.ellipse(centre[:2], rim * long * along, rim * across, PAPER)
    if sticks.nose.any() and turned < 0:
        canvas.stroke(start, tip, (bridge, bridge), colour)
    canvas.ellipse(centre[:2], long * along, across, colour)
    if sticks.nose.any() and turned >= 0:
        canvas.stroke(start if turned < 0.5 else tip, tip, (bridge, bridge), _mixed(colour, NOSE, min(turned, 1.0)))


def _paint_rim(
    canvas: Canvas, p: Float[np.ndarray, "2"], q: Float[np.ndarray, "2"], radii: Float[np.ndarray, "2"], rim: float
) -> None:
    """Paint paper along both sides of a stroke, but not near its ends, where it meets others of its body."""
    length = float(np.linalg.norm(q - p))
    clear = 1.5 * float(radii.max()) / max(length, 1e-9)
    if clear < 0.5:
        canvas.band(p + clear * (q - p), q - clear * (q - p), (radii[0] + rim, radii[1] + rim), PAPER)


def paint_path(
    canvas: Canvas,
    camera: Camera,
    path: Float[np.ndarray, "samples 3"],
    marks: Float[np.ndarray, "poses 3"],
    headings: Float[np.ndarray, "poses 3"],
    *,
    corner: Float[np.ndarray, "2"],
    side: float,
    least: float,
) -> float:
    """Paint the way of a body over the ground as seen from above, with an arrow where each pose faces.

    Right on the page is right for the camera, up is away from it.

    Args:
        canvas: What to paint on.
        camera: The camera of the poses.
        path: The root's way, world points, shape (samples, 3).
        marks: Where the poses are, world points, shape (poses, 3).
        headings: Where they face, unit, shape (poses, 3).
        corner: Pixel of the upper left corner of the square to paint in, shape (2,).
        side: Its side in pixels.
        least: Smallest extent that it shows, in the motion's unit.

    Returns:
        Pixels in one unit of the motion.
    """
    right = camera.page_axes[0]
    plan = np.stack([right, np.cross([0.0, 1.0, 0.0], right) * -1.0], axis=0)  # rows: right, towards the viewer
    flat = path @ plan.T
    low, high = flat.min(axis=0), flat.max(axis=0)
    arrow = 0.07 * side
    scale = (side - 3 * arrow) / max(float((high - low).max()), least)
    middle = corner + side / 2

    def place(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"]:
        return np.asarray(middle + (points @ plan.T - (low + high) / 2) * scale)

    way = place(path)
    for start, end in pairwise(way):
        canvas.stroke(start, end, (0.009 * side, 0.009 * side), WAY)
    for at, ahead in zip(place(marks), headings @ plan.T, strict=True):
        canvas.stroke(at, at + 1.3 * arrow * ahead, (0.32 * arrow, 0.04 * arrow), MIDDLE)
    return scale
