"""Words over a picture: titles, times, the size of the grid, names of joints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from kinematics.viewer.actor import Actor
from kinematics.viewer.canvas import Colour, Font

INK, GREY, HALO = (38, 40, 46), (112, 116, 124), (243, 244, 246)
TITLE, NOTE, NAME = 17.0, 12.5, 11.0  # pixels in a picture 720 high


@cache
def font(size: float) -> Font:
    """Return Pillow's own font in a size in pixels."""
    return ImageFont.load_default(size=size)


def em(width: int, height: int) -> float:
    """Return by how much texts grow in a picture: 1 where it is 1280 x 720."""
    return float(np.clip(min(height / 720.0, width / 1280.0) ** 0.7, 0.6, 2.0))


def short_names(actor: Actor) -> list[str]:
    """Return the joints' names without the namespace before a colon."""
    return [name.rsplit(":", 1)[-1] for name in actor.motion.skeleton.joint_names]


@lru_cache(maxsize=1024)
def _draw(text: str, size: float, colour: Colour, anchor: str) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Draw a line with a pale rim: its upper left corner from the anchor, what it leaves of a picture, what it adds.

    Most of what stands in a video is the same in each picture, and is drawn once.
    """
    face, rim = font(size), max(1, round(size / 9.0))
    left, top, right, bottom = face.getbbox(text, anchor=anchor, stroke_width=rim)
    corner = int(np.floor(left)) - 1, int(np.floor(top)) - 1
    extent = int(np.ceil(right)) + 1 - corner[0], int(np.ceil(bottom)) + 1 - corner[1]
    covers = []
    for width in (rim, 0):
        mask = Image.new("L", extent)
        pen = ImageDraw.Draw(mask)
        pen.text((-corner[0], -corner[1]), text, font=face, fill=255, anchor=anchor, stroke_width=width)
        covers.append(np.array(mask, dtype=np.float32)[..., None] / 255.0)
    halo, ink = covers
    added = np.array(HALO, dtype=np.float32) * halo * (1.0 - ink) + np.array(colour[:3], dtype=np.float32) * ink
    return *corner, (1.0 - halo) * (1.0 - ink), added + np.float32(0.5)


class Words:
    """Writes on one picture."""

    def __init__(self, pixels: UInt8[np.ndarray, "height width 3"]) -> None:
        """Take a copy of a picture."""
        self._pixels = np.array(pixels)

    def write(self, x: float, y: float, text: str, size: float, colour: Colour = INK, anchor: str = "la") -> float:
        """Write a line with a pale rim, and return its width in pixels; the anchor is Pillow's."""
        if not text:
            return 0.0
        across, down, kept, added = _draw(text, size, colour, anchor)
        left, top = round(x) + across, round(y) + down
        height, width = kept.shape[:2]
        place = self._pixels[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
        own = (slice(max(-top, 0), max(-top, 0) + place.shape[0]), slice(max(-left, 0), max(-left, 0) + place.shape[1]))
        place[:] = place * kept[own] + added[own]
        return float(font(size).getlength(text))

    def names(self, places: Float[np.ndarray, "joints 2"], names: Sequence[str], size: float) -> None:
        """Write names beside points; one that would cover another goes to the other side, or a line up or down."""
        height, width = self._pixels.shape[:2]
        face = font(size)
        radius, gap = 0.17 * size, 0.5 * size
        within = [
            (x, y, name) for (x, y), name in zip(places.tolist(), names, strict=True) if 0.0 <= x < width and 0.0 <= y < height
        ]
        picture = Image.fromarray(self._pixels)
        pen = ImageDraw.Draw(picture)
        for x, y, _ in within:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=INK)
        self._pixels = np.array(picture)
        boxes: list[tuple[float, float, float, float]] = []
        for x, y, name in within:
            long = face.getlength(name)
            for left, top in [(x + side, y + row * size - 0.6 * size) for row in (0, -1, 1) for side in (gap, -gap - long)]:
                box = (left, top, left + long, top + 1.1 * size)
                inside = left >= 0 and box[2] <= width
                if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes):
                    boxes.append(box)
                    self.write(left, top, name, size)
                    break

    def picture(self) -> UInt8[np.ndarray, "height width 3"]:
        """Return the picture with what was written."""
        return self._pixels
