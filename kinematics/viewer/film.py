"""Pictures of bodies side by side at instants of time, one after another: what a video is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from kinematics.viewer.actor import Actor
from kinematics.viewer.layout import shorten
from kinematics.viewer.offscreen import PAPER, Figure, Stage, grid_step, interpolate, lamp_of
from kinematics.viewer.overlay import GREY, NAME, NOTE, TITLE, Words, em, font, short_names
from kinematics.viewer.shots import Shot, plan_shots

SEAM = (206, 210, 216)


@dataclass(frozen=True)
class Look:
    """What is shown.

    Attributes:
        camera: "follow", "orbit", "front" or "side".
        trail: The root's way over the floor.
        contacts: Rings at the points of the feet that stand.
        names: Names of the joints.
        shadows: The lamp's shadows.
    """

    camera: str = "follow"
    trail: bool = True
    contacts: bool = True
    names: bool = False
    shadows: bool = True


class Film:
    """Bodies side by side, each seen by its own camera. Close it, or use it in a `with` statement."""

    def __init__(
        self, actors: Sequence[Actor], frames: Sequence[Float[np.ndarray, " pictures"]], look: Look, size: tuple[int, int]
    ) -> None:
        """Plan every picture.

        Args:
            actors: The clips.
            frames: For each clip the frame in each picture, whole or between two, shape (pictures,).
            look: What is shown.
            size: Width and height of the pictures, pixels.

        Raises:
            GraphicsError: Where no GL context can be had.
        """
        self.actors, self.frames, self.look, self.size = list(actors), list(frames), look, size
        columns = len(actors) if len(actors) <= 3 else int(np.ceil(np.sqrt(len(actors))))
        rows = -(-len(actors) // columns)
        self._columns, self._cell = columns, (size[0] // columns, size[1] // rows)
        self._shots = plan_shots(actors, frames, camera=look.camera, aspect=self._cell[0] / self._cell[1])
        self._lamp = lamp_of(self._shots[0][0])
        with ExitStack() as stack:  # what was made is let go where a later one fails
            self._stages = [stack.enter_context(Stage(actor, trail=look.trail, contacts=look.contacts)) for actor in self.actors]
            self._stack = stack.pop_all()

    def __enter__(self) -> Film:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stack.close()

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.frames[0])

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """Draw one picture after another."""
        return (self.picture(index) for index in range(len(self)))

    def picture(self, index: int) -> UInt8[np.ndarray, "height width 3"]:
        """Draw one picture."""
        width, height = self._cell
        whole = (width, height) == self.size
        page = np.full((0 if whole else self.size[1], self.size[0], 3), PAPER, dtype=np.uint8)
        for place, stage in enumerate(self._stages):
            row, column = divmod(place, self._columns)
            left, top = column * width, row * height
            figure, shot = Figure(float(self.frames[place][index])), self._shots[place][index]
            drawn = stage.picture([figure], shot, self._cell, lamp=self._lamp, shadows=self.look.shadows)
            if whole:
                return self._write(drawn, index)
            page[top : top + height, left : left + width] = drawn
            if column:
                page[top : top + height, left] = SEAM
            if row:
                page[top, left : left + width] = SEAM
        return self._write(page, index)

    def _write(self, page: UInt8[np.ndarray, "height width 3"], index: int) -> UInt8[np.ndarray, "height width 3"]:
        words, size = Words(page), em(*self.size)
        width, height = self._cell
        margin = 16.0 * size
        for place, actor in enumerate(self.actors):
            row, column = divmod(place, self._columns)
            left, top = column * width + margin, row * height + margin
            room = width - 2.0 * margin
            words.write(left, top - 3.0 * size, shorten(actor.title, font(TITLE * size), room), TITLE * size)
            frame = float(self.frames[place][index])
            if self.look.names:
                self._write_names(words, actor, frame, self._shots[place][index], (column * width, row * height), size)
            bottom = row * height + height - margin
            count = len(actor.positions)
            if count > 1:
                stamp = f"frame {round(frame)}   {frame * actor.motion.frame_time:.2f} s"
                words.write(left + room, bottom, shorten(stamp, font(NOTE * size), room), NOTE * size, GREY, "rd")
            grid = f"grid {grid_step(actor.body.height):g} {actor.unit}"
            if actor.unit == "m" and width > 30.0 * NOTE * size:
                words.write(left, bottom, grid, NOTE * size, GREY, "ld")
        return words.picture()

    def _write_names(self, words: Words, actor: Actor, frame: float, shot: Shot, corner: tuple[int, int], size: float) -> None:
        positions, _ = interpolate(actor, frame)
        places = shot.pixels(positions, *self._cell) + np.array(corner)
        words.names(places, short_names(actor), NAME * size)
