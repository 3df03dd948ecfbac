"""Motion files, by their extension."""

from __future__ import annotations

from pathlib import Path

from kinematics.errors import InputError
from kinematics.io.bvh_read import PositionChannels, read_bvh, read_file
from kinematics.io.bvh_write import write_bvh
from kinematics.motion import Motion


def load_motion(path: str | Path, *, strict: bool = False, position_channels: PositionChannels = "auto") -> Motion:
    """Read a motion file (.bvh) as it is: its own unit, axes, names and frame time.

    What had to be mended is in `motion.source.repairs`, what was decided in `motion.source.notes`. Of a file with several
    roots the first is returned; `load_motions` gives all.

    Args:
        path: The file.
        strict: Raise an error instead of mending.
        position_channels: Whether position channels "replace" a joint's OFFSET or "add" to it; "auto" finds out per joint.

    Raises:
        InputError: Where the file is missing or of an unknown kind.
        BvhParseError: Where it cannot be read; it names path, line and what was expected.
    """
    return load_motions(path, strict=strict, position_channels=position_channels)[0]


def load_motions(path: str | Path, *, strict: bool = False, position_channels: PositionChannels = "auto") -> list[Motion]:
    """Read a motion file with one motion for each ROOT; see `load_motion`.

    Raises:
        InputError: Where the file is missing or of an unknown kind.
        BvhParseError: Where it cannot be read.
    """
    return read_bvh(read_file(path), str(path), strict=strict, position_channels=position_channels)


def save_motion(motion: Motion, path: str | Path) -> None:
    """Write a motion to a file (.bvh), all or nothing.

    Raises:
        InputError: On an unknown extension, or where the file cannot be written.
    """
    if Path(path).suffix.lower() != ".bvh":
        raise InputError(f"cannot write {str(path)!r}: the extension must be .bvh")
    write_bvh(motion, path)
