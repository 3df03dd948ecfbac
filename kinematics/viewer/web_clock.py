"""A clock that drives clips: which frame is shown now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """A place in time that moves while it plays; frames are those of the first clip.

    Attributes:
        num_frames: Frames that it runs over, at least 1.
        frame_time: Seconds of one frame.
        speed: Seconds of the clips that pass in a second of ours.
        loop: Whether it starts again after the last frame; otherwise it stops there.
        playing: Whether it moves.
        time: Seconds from the first frame.
    """

    num_frames: int
    frame_time: float
    speed: float = 1.0
    loop: bool = True
    playing: bool = False
    time: float = 0.0

    @property
    def frame(self) -> int:
        """The frame that is shown: the last one whose time has come."""
        return min(int(self.time / self.frame_time + 1e-6), self.num_frames - 1)

    def seek(self, frame: int) -> None:
        """Go to a frame; one outside becomes the first or the last."""
        self.time = min(max(frame, 0), self.num_frames - 1) * self.frame_time

    def play(self) -> None:
        """Start to move; at the end of a clip that is not looped, from the first frame."""
        if not self.loop and self.frame == self.num_frames - 1:
            self.time = 0.0
        self.playing = self.num_frames > 1

    def advance(self, seconds: float) -> None:
        """Let our time pass."""
        if not self.playing:
            return
        end = self.num_frames * self.frame_time
        self.time += seconds * self.speed
        if self.time >= end:
            self.playing = self.loop
            self.time = self.time % end if self.loop else end - self.frame_time
