"""Between channel values and poses: one rule for reader and writer, so that what is written reads back bit for bit."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.skeleton import ChannelLayout


def rotation_columns(layout: ChannelLayout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (starts, columns, axes): joint j turns about axes[k] by column columns[k], k in starts[j]:starts[j + 1]."""
    starts, columns, axes, column = [0], [], [], 0
    for names in layout.channels:
        for name in names:
            if name.endswith("rotation"):
                columns.append(column)
                axes.append("XYZ".index(name[0]))
            column += 1
        starts.append(len(columns))
    return np.array(starts), np.array(columns, dtype=np.int64), np.array(axes, dtype=np.int64)


def position_columns(layout: ChannelLayout, joint: int) -> list[tuple[int, int]]:
    """Return (axis, column) of each position channel of a joint."""
    first = sum(len(names) for names in layout.channels[:joint])
    names = layout.channels[joint]
    return [("XYZ".index(name[0]), first + k) for k, name in enumerate(names) if name.endswith("position")]


def to_rotations(values: Float[np.ndarray, "frames channels"], layout: ChannelLayout) -> Float[np.ndarray, "frames joints 4"]:
    """Return local rotations of channel values in degrees, unit quaternions wxyz."""
    out: np.ndarray = kernels.channels.to_quaternions(np.ascontiguousarray(values), *rotation_columns(layout))
    return out


def to_positions(
    values: Float[np.ndarray, "frames channels"], layout: ChannelLayout, offsets: Float[np.ndarray, "joints 3"], joint: int
) -> Float[np.ndarray, "frames 3"]:
    """Return a joint's local positions: OFFSET, replaced by or added to its position channels."""
    out = np.repeat(offsets[joint][None], len(values), axis=0)
    for axis, column in position_columns(layout, joint):
        out[:, axis] = values[:, column] + (offsets[joint, axis] if layout.adds_offset[joint] else 0.0)
    return out
