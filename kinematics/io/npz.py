"""A motion as an NPZ file of named arrays, for programs that do not read BVH.

Keys: format_version, joint_names, parents, offsets, end_site_names, end_site_parents, end_site_offsets, root_positions,
local_rotations (quaternions wxyz), frame_time; where there are any local_positions, channels with adds_offset (the layout,
one line of channel names a joint), channel_values (the numbers of the BVH file, degrees).
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from kinematics.errors import InputError
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion, Source
from kinematics.skeleton import ChannelLayout, Skeleton

FORMAT_VERSION = 1
REQUIRED = (
    "format_version", "joint_names", "parents", "offsets", "end_site_names", "end_site_parents", "end_site_offsets",
    "root_positions", "local_rotations", "frame_time",
)  # fmt: skip


def write_npz(motion: Motion, path: str | Path) -> None:
    """Write a motion as compressed named arrays, all or nothing.

    Raises:
        InputError: Where the file cannot be written.
    """
    skeleton, layout, values = motion.skeleton, motion.skeleton.layout, motion.source.channel_values
    arrays: dict[str, np.ndarray] = {
        "format_version": np.array(FORMAT_VERSION),
        "joint_names": np.array(skeleton.joint_names, dtype=np.str_),
        "parents": skeleton.parents,
        "offsets": skeleton.offsets,
        "end_site_names": np.array(skeleton.end_site_names, dtype=np.str_),
        "end_site_parents": skeleton.end_site_parents,
        "end_site_offsets": skeleton.end_site_offsets,
        "root_positions": motion.root_positions,
        "local_rotations": motion.local_rotations,
        "frame_time": np.array(motion.frame_time),
    }
    if motion.local_positions is not None:
        arrays["local_positions"] = motion.local_positions
    if layout is not None:
        arrays["channels"] = np.array([" ".join(names) for names in layout.channels], dtype=np.str_)
        arrays["adds_offset"] = np.array(layout.adds_offset)
    if values is not None:
        arrays["channel_values"] = values
    data = io.BytesIO()
    np.savez_compressed(data, allow_pickle=False, **arrays)
    write_bytes(path, data.getvalue())


def read_npz(data: bytes, path: str) -> Motion:
    """Read a motion from the bytes of an NPZ file that `write_npz` made; `path` is for messages.

    Raises:
        InputError: Where it is no NPZ file, lacks a key, is of another version, or its arrays do not fit together.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # noqa: BLE001 - zipfile, zlib and NumPy's header parser each raise their own
        raise InputError(f"{path} is not an NPZ file of named arrays: {error}") from None
    missing = [key for key in REQUIRED if key not in arrays]
    if missing:
        raise InputError(f"{path} is no motion of ours: it lacks {', '.join(missing)} (it has {', '.join(arrays) or 'nothing'})")
    try:
        version = int(arrays["format_version"])
        if version != FORMAT_VERSION:
            raise InputError(f"{path} has format_version {version}; this version of muybridge reads {FORMAT_VERSION}")
        return _motion(arrays, path)
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(path) else f"{path}: {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: its arrays do not make a motion: {error}") from None


def _motion(arrays: dict[str, np.ndarray], path: str) -> Motion:
    layout = None
    if "channels" in arrays:
        channels = tuple(tuple(names.split()) for names in arrays["channels"].tolist())
        adds_offset = arrays.get("adds_offset", np.zeros(len(channels), dtype=bool))
        layout = ChannelLayout(channels, tuple(bool(adds) for adds in adds_offset))
    skeleton = Skeleton(
        tuple(arrays["joint_names"].tolist()),
        arrays["parents"],
        arrays["offsets"],
        arrays["end_site_parents"],
        arrays["end_site_offsets"],
        tuple(arrays["end_site_names"].tolist()),
        layout,
    )
    return Motion(
        skeleton,
        arrays["root_positions"],
        arrays["local_rotations"],
        float(arrays["frame_time"]),
        arrays.get("local_positions"),
        Source(path=path, channel_values=arrays.get("channel_values")),
    )
