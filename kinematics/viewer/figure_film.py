"""Pictures of stick figures side by side at instants of time: videos where there is no GL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from kinematics.motion import Motion
from kinematics.viewer.canvas import Canvas
from kinematics.viewer.figure import paint_pose
from kinematics.viewer.layout import shorten
from kinematics.viewer.overlay import GREY, INK, NOTE, TITLE, em, font
from kinematics.viewer.painting import Cell
from kinematics.viewer.rows import Row, prepare_row


class FigureFilm:
    """Stick figures that stay in the middle of their part of the picture, on a floor that moves below them."""

    def __init__(
        self,
        clips: Sequence[Motion],
        titles: Sequence[str],
        frames: Sequence[Float[np.ndarray, " pictures"]],
        *,
        camera: str,
        size: tuple[int, int],
    ) -> None:
        """Plan every picture.

        Args:
            clips: The motions.
            titles: What each is called.
            frames: For each motion the frame in each picture; the nearest whole one is shown, shape (pictures,).
            camera: "front" or "side"; with any other the figure is seen as in `figure.draw`.
            size: Width and height of the pictures, pixels.
        """
        self.size, self.frames = size, list(frames)
        self._columns = len(clips) if len(clips) <= 3 else int(np.ceil(np.sqrt(len(clips))))
        self._cell = (size[0] / self._columns, size[1] / -(-len(clips) // self._columns))
        view = camera if camera in ("front", "side") else "auto"
        self._rows: list[Row] = []
        self._poses: list[np.ndarray] = []
        for clip, title, wanted in zip(clips, titles, frames, strict=True):
            shown, poses = np.unique(np.round(wanted), return_inverse=True)
            first = self._rows[0].camera if self._rows else None
            self._rows.append(prepare_row(clip, shown * clip.frame_time, title=title, view=view, camera=first))
            self._poses.append(poses)
        reach = np.array([row.extents().max(axis=0) for row in self._rows]).max(axis=0)
        texts = 76.0 * em(*size)
        self._per_height = min(0.46 * self._cell[0] / max(reach[:2]), max(self._cell[1] - texts, 16.0) / float(reach[2:].sum()))
        self._ground = 0.5 * (self._cell[1] + self._per_height * float(reach[2] - reach[3]))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.frames[0])

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """Draw one picture after another."""
        return (self.picture(index) for index in range(len(self)))

    def picture(self, index: int) -> UInt8[np.ndarray, "height width 3"]:
        """Draw one picture."""
        canvas, size = Canvas(*self.size), em(*self.size)
        (width, height), margin = self._cell, 16.0 * size
        for place, (row, poses) in enumerate(zip(self._rows, self._poses, strict=True)):
            down, across = divmod(place, self._columns)
            left, top, pose = across * width, down * height, int(poses[index])
            origin = np.array([left + 0.5 * width, top + self._ground])
            paint_pose(canvas, Cell(row.camera, row.anchors[pose], origin, self._per_height / row.sticks.height), row, pose)
            title = shorten(row.title, font(TITLE * size), width - 2.0 * margin)
            canvas.text(left + margin, top + margin, title, font=font(TITLE * size), colour=INK)
            right, low = left + width - margin, top + height - margin
            canvas.text(right, low, row.stamps[pose], font=font(NOTE * size), colour=GREY, anchor="rd")
        return np.array(canvas.picture())
