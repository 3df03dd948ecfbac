"""Words over a picture: titles, times, the size of the grid, names of joints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from kinematics.viewer.canvas import Colour, Font

INK, GREY, HALO = (38, 40, 46), (112, 116, 124), (243, 244, 246)
TITLE, NOTE = 17.0, 12.5  # pixels in a picture 720 high


@cache
def font(size: float) -> Font:
    """Return Pillow's own font in a size in pixels."""
    return ImageFont.load_default(size=size)


def em(width: int, height: int) -> float:
    """Return by how much texts grow in a picture: 1 where it is 1280 x 720."""
    return float(np.clip(min(height / 720.0, width / 1280.0) ** 0.7, 0.6, 2.0))


class Words:
    """Writes on one picture."""

    def __init__(self, pixels: UInt8[np.ndarray, "height width 3"]) -> None:
        """Take a copy of a picture."""
        self._picture = Image.fromarray(pixels)
        self._pen = ImageDraw.Draw(self._picture)

    def write(self, x: float, y: float, text: str, size: float, colour: Colour = INK, anchor: str = "la") -> float:
        """Write a line with a pale rim, and return its width in pixels; the anchor is Pillow's."""
        face = font(size)
        rim = max(1, round(size / 9.0))
        self._pen.text((x, y), text, font=face, fill=colour, anchor=anchor, stroke_width=rim, stroke_fill=HALO)
        return float(face.getlength(text))

    def names(self, places: Float[np.ndarray, "joints 2"], names: Sequence[str], size: float) -> None:
        """Write names beside points; one that would cover another goes to the other side, or a line up or down."""
        width, height = self._picture.size
        face = font(size)
        boxes: list[tuple[float, float, float, float]] = []
        for (x, y), name in zip(places.tolist(), names, strict=True):
            if not (0.0 <= x < width and 0.0 <= y < height):
                continue
            long = face.getlength(name)
            radius = 0.17 * size
            self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=INK)
            gap = 0.5 * size
            for left, top in [(x + side, y + row * size - 0.6 * size) for row in (0, -1, 1) for side in (gap, -gap - long)]:
                box = (left, top, left + long, top + 1.1 * size)
                inside = left >= 0 and box[2] <= width
                if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes):
                    boxes.append(box)
                    self.write(left, top, name, size)
                    break

    def picture(self) -> UInt8[np.ndarray, "height width 3"]:
        """Return the picture with what was written."""
        return np.array(self._picture)
