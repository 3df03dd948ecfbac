"""A canvas for smooth strokes: each shape covers a pixel by its signed distance to it, so edges are exact at any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Point = Float[np.ndarray, "2"]
FINER = 3  # pixels of `lines` to one of the canvas, each way


class Canvas:
    """Pixels to paint on, x to the right and y down; the middle of the first pixel is at (0.5, 0.5).

    What is painted later covers what was painted before; text lies above all.

    Attributes:
        pixels: Colours from 0 to 255, shape (height, width, 3).
    """

    def __init__(self, width: int, height: int, paper: Colour = (255, 255, 255)) -> None:
        """Take an empty sheet."""
        self.pixels = np.full((height, width, 3), paper, dtype=np.float32)
        self._texts: list[tuple[float, float, str, Font, Colour, str]] = []

    def stroke(self, start: Point, end: Point, radii: tuple[float, float], colour: Colour) -> None:
        """Paint a line with round ends whose radius goes from the first to the second of `radii`."""
        window = self._window(np.minimum(start, end), np.maximum(start, end), max(radii))
        if window is None:
            return
        rows, columns, x, y = window
        dx, dy = float(end[0] - start[0]), float(end[1] - start[1])
        x, y = x - np.float32(start[0]), y - np.float32(start[1])
        along = np.minimum(np.maximum((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9), 0.0), 1.0)
        distance = np.hypot(x - along * dx, y - along * dy) - (radii[0] + (radii[1] - radii[0]) * along)
        self._cover(rows, columns, distance, colour)

    def band(self, start: Point, end: Point, radii: tuple[float, float], colour: Colour) -> None:
        """Paint a line like `stroke`, with flat ends."""
        window = self._window(np.minimum(start, end), np.maximum(start, end), max(radii))
        length = float(np.hypot(*(end - start)))
        if window is None or length == 0.0:
            return
        rows, columns, x, y = window
        dx, dy = (float(d) / length for d in end - start)
        x, y = x - np.float32(start[0]), y - np.float32(start[1])
        along = x * dx + y * dy
        aside = np.abs(y * dx - x * dy) - (radii[0] + (radii[1] - radii[0]) * along / length)
        self._cover(rows, columns, np.maximum(aside, np.maximum(-along, along - length)), colour)

    def ellipse(self, centre: Point, along: Point, across: Point, colour: Colour) -> None:
        """Paint an ellipse; `along` and `across` reach from the centre to its rim, at right angles."""
        long, wide = float(np.hypot(*along)), float(np.hypot(*across))
        window = self._window(centre, centre, max(long, wide))
        if window is None or min(long, wide) < 1e-3:
            return
        rows, columns, x, y = window
        x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
        u, v = (x * along[0] + y * along[1]) / long**2, (x * across[0] + y * across[1]) / wide**2
        level = np.hypot(u, v)
        slope = np.maximum(np.hypot(u / long, v / wide) / np.maximum(level, 1e-6), 1e-6)  # of `level`, per pixel
        self._cover(rows, columns, (level - 1.0) / slope, colour)

    def lines(
        self,
        starts: Float[np.ndarray, "lines 2"],
        ends: Float[np.ndarray, "lines 2"],
        widths: Float[np.ndarray, " lines"],
        colours: Sequence[Colour],
    ) -> None:
        """Paint many lines at once, the last one on top: coarser than `stroke`, and far faster."""
        window = self._window(np.minimum(starts, ends).min(axis=0), np.maximum(starts, ends).max(axis=0), float(widths.max()))
        if window is None:
            return
        rows, columns, _, _ = window
        corner = np.array([columns.start, rows.start])
        part = (self.pixels[rows, columns] + 0.5).astype(np.uint8)
        sheet = Image.fromarray(part.repeat(FINER, axis=0).repeat(FINER, axis=1))
        pen = ImageDraw.Draw(sheet)
        segments = (FINER * np.concatenate([starts - corner, ends - corner], axis=1)).tolist()
        pens = np.maximum(np.round(FINER * widths), 1).astype(int).tolist()
        for segment, width, colour in zip(segments, pens, colours, strict=True):
            pen.line(segment, fill=colour, width=width)
        self.pixels[rows, columns] = np.asarray(sheet.reduce(FINER))

    def dot(self, centre: Point, radius: float, colour: Colour) -> None:
        """Paint a disc."""
        self.stroke(centre, centre, (radius, radius), colour)

    def ring(self, centre: Point, radius: float, width: float, colour: Colour) -> None:
        """Paint a circle; `radius` goes to the middle of its line."""
        window = self._window(centre, centre, radius + width)
        if window is None:
            return
        rows, columns, x, y = window
        distance = np.abs(np.hypot(x - np.float32(centre[0]), y - np.float32(centre[1])) - radius) - width / 2
        self._cover(rows, columns, distance, colour)

    def text(self, x: float, y: float, text: str, *, font: Font, colour: Colour, anchor: str = "la") -> None:
        """Write one line; the anchor is Pillow's ("la" left top, "ma" middle top, "ra" right top)."""
        self._texts.append((x, y, text, font, colour, anchor))

    def picture(self) -> Image.Image:
        """Return what was painted and written."""
        picture = Image.fromarray((self.pixels + 0.5).astype(np.uint8))
        pen = ImageDraw.Draw(picture)
        for x, y, text, font, colour, anchor in self._texts:
            pen.text((x, y), text, font=font, fill=colour, anchor=anchor)
        return picture

    def _window(self, low: Point, high: Point, reach: float) -> tuple[slice, slice, np.ndarray, np.ndarray] | None:
        """Return the pixels within reach of a box and the coordinates of their middles; None off the sheet."""
        height, width = self.pixels.shape[:2]
        left, right = max(int(low[0] - reach - 1), 0), min(int(high[0] + reach + 2), width)
        top, bottom = max(int(low[1] - reach - 1), 0), min(int(high[1] + reach + 2), height)
        if left >= right or top >= bottom:
            return None
        x = np.arange(left, right, dtype=np.float32) + np.float32(0.5)
        y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
        return slice(top, bottom), slice(left, right), x, y

    def _cover(self, rows: slice, columns: slice, distance: np.ndarray, colour: Colour) -> None:
        share = np.minimum(np.maximum(0.5 - distance, 0.0), 1.0).astype(np.float32)[..., None]
        part = self.pixels[rows, columns]
        part += share * (np.array(colour, dtype=np.float32) - part)
