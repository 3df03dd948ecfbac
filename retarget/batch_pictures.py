"""The small picture of each clip of a batch."""

from __future__ import annotations

from pathlib import Path

from kinematics.motion import Motion
from kinematics.viewer.figure import draw

SIZE, INSTANTS = (480, 300), 4  # small: drawing costs more than retargeting


def draw_pair(source: Motion, result: Motion, path: Path) -> None:
    """Draw a source over its result at a few instants, as a PNG.

    Args:
        source: The clip that was retargeted.
        result: The same on the target.
        path: PNG file to write.

    Raises:
        InputError: Where it cannot be written.
    """
    draw([source, result], path, frames=INSTANTS, labels=["source", "result"], same_camera=True, size=SIZE)
