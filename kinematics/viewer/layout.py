"""Where the rows, columns and texts of a picture go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import ImageFont

from kinematics.errors import InputError
from kinematics.viewer.canvas import Font
from kinematics.viewer.rows import Row

WIDTH, SLIMMEST, NARROWEST = 1280, 480, 320  # of a free page with many poses, with few poses, of any page; pixels
TALLEST_BODY, LOOSEST = 0.2, 0.15  # largest body height over the page's width, largest gap over the body height
MARGIN, GAP, TITLE, STAMP, ROW_GAP, INSET, LOWEST_ROW = 26.0, 8.0, 30.0, 24.0, 20.0, 128.0, 24.0  # pixels where em is 1


@dataclass(frozen=True, eq=False)
class Layout:
    """Places on the page, in pixels.

    Attributes:
        width: Width of the page.
        height: Height of the page.
        em: Size of texts and gaps; 1 on a page 1280 wide.
        per_height: Pixels in one body height.
        centres: Anchor of each column, shape (columns,).
        tops: Upper edge of each row, where its title stands, shape (rows,).
        grounds: Anchor of each row, shape (rows,).
        bottoms: Lower edge of each row's poses, shape (rows,).
    """

    width: int
    height: int
    em: float
    per_height: float
    centres: Float[np.ndarray, " columns"]
    tops: Float[np.ndarray, " rows"]
    grounds: Float[np.ndarray, " rows"]
    bottoms: Float[np.ndarray, " rows"]

    @property
    def margin(self) -> float:
        """Free space around everything."""
        return MARGIN * self.em

    def font(self, size: float) -> Font:
        """Return the font of a size in pixels where em is 1."""
        return ImageFont.load_default(size=size * self.em)

    def inset(self, row: int) -> tuple[Float[np.ndarray, "2"], float] | None:
        """Return upper left corner and side of a row's square for the path; None where there is no room for it."""
        top = self.tops[row] + TITLE * self.em
        side = min(INSET * self.em, self.bottoms[row] - top - STAMP * self.em)
        if side < 0.4 * INSET * self.em:
            return None
        left = self.width - self.margin - (INSET * self.em + side) / 2
        return np.array([left, top + (self.bottoms[row] - top - STAMP * self.em - side) / 2]), float(side)


def plan_layout(rows: Sequence[Row], size: tuple[int, int] | None) -> Layout:
    """Give each column the width of its widest pose and each row the height of its highest.

    Raises:
        InputError: On a size that is too small for the texts.
    """
    width = int(size[0]) if size else WIDTH
    em = float(np.clip(width / WIDTH, 0.55, 2.0))
    columns = 1 + max(column for row in rows for column in row.columns)
    lefts, rights, ups, downs = np.zeros(columns), np.zeros(columns), np.zeros(len(rows)), np.zeros(len(rows))
    for index, row in enumerate(rows):
        extents, at = row.extents(), list(row.columns)
        np.maximum.at(lefts, at, extents[:, 0])
        np.maximum.at(rights, at, extents[:, 1])
        ups[index], downs[index] = extents[:, 2:].max(axis=0)
    inset = (INSET + 2 * GAP) * em if any(row.travels for row in rows) else 0.0
    room = width - 2 * MARGIN * em - inset
    texts = (2 * MARGIN + len(rows) * (TITLE + STAMP + ROW_GAP) - ROW_GAP) * em
    if size and (width < NARROWEST or size[1] < texts + len(rows) * LOWEST_ROW * em):
        lowest = int(np.ceil(texts + len(rows) * LOWEST_ROW * em))
        raise InputError(
            f"size is too small for {len(rows)} rows: got {width} x {size[1]}, needed {NARROWEST} x {lowest} or more"
        )
    extent = float((lefts + rights).sum())
    per_height = min((room - columns * min(GAP * em, 0.2 * room / columns)) / extent, TALLEST_BODY * width)
    if size:
        per_height = min(per_height, (size[1] - texts) / float((ups + downs).sum()))
    height = int(size[1]) if size else int(np.ceil(texts + per_height * float((ups + downs).sum())))
    share = min((room - per_height * extent) / columns, LOOSEST * per_height)  # free width at each column
    used = per_height * extent + columns * share
    if size:
        left = MARGIN * em + (room - used) / 2
    else:
        left, width = MARGIN * em, max(int(np.ceil(width - room + used)), SLIMMEST)
    centres = left + np.cumsum(per_height * (lefts + rights) + share) - per_height * rights - share / 2
    heights = per_height * (ups + downs)
    above = (height - texts - float(heights.sum())) / 2 + MARGIN * em
    tops = above + np.cumsum(heights + (TITLE + STAMP + ROW_GAP) * em) - heights - (TITLE + STAMP + ROW_GAP) * em
    grounds = tops + TITLE * em + per_height * ups
    return Layout(width, height, em, per_height, centres, tops, grounds, grounds + per_height * downs)


def shorten(text: str, font: Font, room: float) -> str:
    """Return the text, or its beginning and "..." where it is longer than the room; nothing where no letter fits."""
    if font.getlength(text) <= room:
        return text
    letters = len(text)
    while letters and font.getlength(text[:letters] + "...") > room:
        letters -= 1
    return text[:letters].rstrip() + "..." if letters else ""
