"""The small picture of each clip of a batch."""

from __future__ import annotations

from pathlib import Path

from kinematics.motion import Motion
from kinematics.viewer.figure import draw

SIZE = (480, 300)  # small: drawing costs more than retargeting
INSTANTS = (0.04, 0.33, 0.59, 0.93)  # of the clip, at uneven distances: a gait drawn at even ones may show one pose


def draw_pair(source: Motion, result: Motion, path: Path) -> None:
    """Draw a source over its result at a few instants, as a PNG.

    Args:
        source: The clip that was retargeted.
        result: The same on the target.
        path: PNG file to write.

    Raises:
        InputError: Where it cannot be written.
    """
    frames = sorted({round(share * (source.num_frames - 1)) for share in INSTANTS})
    draw([source, result], path, frames=frames, labels=["source", "result"], same_camera=True, size=SIZE)
