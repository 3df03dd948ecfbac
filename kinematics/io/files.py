"""Motion files, by their extension and content."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from kinematics._arrays import HUGE_PAGE, roomy
from kinematics.errors import InputError, MissingFileError
from kinematics.io.bvh_read import PositionChannels, read_bvh
from kinematics.io.bvh_write import write_bvh
from kinematics.io.npz import read_npz, write_npz
from kinematics.motion import Motion

EXTENSIONS = (".bvh", ".npz")


def load_motion(path: str | Path, *, strict: bool = False, position_channels: PositionChannels = "auto") -> Motion:
    """Read a motion file (.bvh, .npz) as it is: in its own unit, axes, names and frame time.

    What had to be mended is in `motion.source.repairs`, what was decided in `motion.source.notes`. Of a file with several
    roots the first is returned; `load_motions` gives all.

    Args:
        path: The file.
        strict: Raise an error instead of mending.
        position_channels: Whether position channels "replace" a joint's OFFSET or "add" to it; "auto" finds out per joint.

    Raises:
        MissingFileError: Where there is no such file (a FileNotFoundError too).
        InputError: Where the file is a folder, not readable, or of an unknown kind.
        BvhParseError: Where a BVH file cannot be read; it names path, line and what was expected.
    """
    return load_motions(path, strict=strict, position_channels=position_channels)[0]


def load_motions(path: str | Path, *, strict: bool = False, position_channels: PositionChannels = "auto") -> list[Motion]:
    """Read a motion file with one motion for each ROOT; arguments and errors as in `load_motion`."""
    data, extension = _read(Path(path)), Path(path).suffix.lower()
    if extension == ".npz":
        return [read_npz(bytes(data), str(path))]
    if extension == ".bvh" or b"HIERARCHY" in bytes(data[:1000]).replace(b"\0", b"").upper():
        return read_bvh(data, str(path), strict=strict, position_channels=position_channels)
    raise InputError(
        f"{str(path)!r} is no motion file: its extension is none of {', '.join(EXTENSIONS)} and it holds no HIERARCHY"
    )


def save_motion(motion: Motion | Sequence[Motion], path: str | Path) -> None:
    """Write a motion to a file (.bvh, .npz), all or nothing.

    What was read and not changed is written as read, digit for digit. Several motions with equal frames and frame time
    become one BVH file with a ROOT each.

    Raises:
        InputError: On an unknown extension, or where the file cannot be written; an existing file stays as it was.
    """
    extension = Path(path).suffix.lower()
    if extension == ".npz" and isinstance(motion, Motion):
        write_npz(motion, path)
    elif extension == ".bvh":
        write_bvh(motion, path)
    else:
        raise InputError(f"cannot write {str(path)!r}: the extension must be {' or '.join(EXTENSIONS)} (one motion)")


def _read(path: Path) -> bytes | memoryview:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < HUGE_PAGE:
                return file.read()
            buffer = roomy(size // 8 + 1).view(np.uint8)
            count = file.readinto(buffer.data[:size])
            buffer.setflags(write=False)
            rest = file.read()  # of a file that grows
            return bytes(buffer.data[:count]) + rest if rest else buffer.data[:count]
    except FileNotFoundError:
        folder = path.parent
        names = [other.name for other in islice(folder.iterdir(), 5000)] if folder.is_dir() else []
        raise MissingFileError(path, names) from None
    except (OSError, ValueError) as error:
        reason = "it is a folder" if isinstance(error, IsADirectoryError) else getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {str(path)!r}: {reason}") from None
