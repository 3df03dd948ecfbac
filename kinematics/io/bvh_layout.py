"""Between channel values and poses: one rule for reader and writer, so that what is written reads back bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics._arrays import roomy
from kinematics.motion import Motion
from kinematics.skeleton import ChannelLayout, Skeleton

EVEN = {(1, 2, 3), (2, 3, 1), (3, 1, 2)}  # orders of three axes; the other three are these backwards
SAMPLES = 32  # frames that tell where the floor is


def first_columns(layout: ChannelLayout) -> list[int]:
    """Return the column of each joint's first channel."""
    return np.cumsum([0, *(len(names) for names in layout.channels[:-1])]).tolist()  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def rotation_columns(layout: ChannelLayout) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return starts, columns, axes and parities as `kernels.channels.to_quaternions` takes them."""
    starts, columns, axes, parities = [0], [], [], []
    for names, first in zip(layout.channels, first_columns(layout), strict=True):
        turns = [(column, 1 + "XYZ".index(name[0])) for column, name in enumerate(names, first) if name.endswith("rotation")]
        columns += [column for column, _ in turns]
        axes += [axis for _, axis in turns]
        starts.append(len(columns))
        order = tuple(axis for _, axis in turns)
        parities.append(1.0 if order in EVEN else -1.0 if order[::-1] in EVEN else 0.0)
    arrays = tuple(np.array(each, dtype=np.uint64) for each in (starts, columns, axes))
    signs = np.array(parities, dtype=np.float64)
    for array in (*arrays, signs):
        array.setflags(write=False)
    return arrays[0], arrays[1], arrays[2], signs


@lru_cache(maxsize=64)
def position_columns(layout: ChannelLayout) -> Mapping[int, list[tuple[int, int]]]:
    """Return (axis, column) of each position channel, for each joint that has some."""
    found: dict[int, list[tuple[int, int]]] = {}
    for joint, (names, first) in enumerate(zip(layout.channels, first_columns(layout), strict=True)):
        for column, name in enumerate(names, first):
            if name.endswith("position"):
                found.setdefault(joint, []).append(("XYZ".index(name[0]), column))
    return MappingProxyType(found)


def to_rotations(values: Float[np.ndarray, "frames channels"], layout: ChannelLayout) -> Float[np.ndarray, "frames joints 4"]:
    """Return local rotations of channel values in degrees, unit quaternions wxyz."""
    out = roomy(len(values), len(layout.channels), 4)
    values = np.ascontiguousarray(values).view()
    values.setflags(write=False)  # one kind of array for the kernel, which else is compiled twice
    if kernels.channels.to_quaternions(values, *rotation_columns(layout), out):  # again without whole turns, which is exact
        values = np.fmod(values, 720.0)
        values.setflags(write=False)
        kernels.channels.to_quaternions(values, *rotation_columns(layout), out)
    return out


def to_positions(
    values: Float[np.ndarray, "frames channels"], columns: list[tuple[int, int]], offset: Float[np.ndarray, "3"], adds: bool
) -> Float[np.ndarray, "frames 3"]:
    """Return a joint's local positions: OFFSET, replaced by or added to its position channels, component by component."""
    out = np.empty((len(values), 3))
    out[:] = offset
    with np.errstate(over="ignore"):  # a motion refuses what is not finite
        for axis, column in columns:
            out[:, axis] = values[:, column] + offset[axis] if adds else values[:, column]
    return out


def find_adding(values: Float[np.ndarray, "frames channels"], skeleton: Skeleton, layout: ChannelLayout) -> tuple[bool, ...]:
    """Find for each joint whether its position channels add to OFFSET; nearly always they replace it.

    A joint's bone keeps about its length, so values near OFFSET replace it and values near zero add to it. A root moves
    freely: its values add where they stay near zero along a large OFFSET (the rest height of the hips) and the body then
    stands on the floor, while otherwise it would stand a leg's length below.
    """
    adding = [False] * skeleton.num_joints
    if not len(values):
        return tuple(adding)
    for joint, columns in position_columns(layout).items():
        axes = [axis for axis, _ in columns]
        read, offset = values[:, [column for _, column in columns]], skeleton.offsets[joint, axes]
        if not offset.any():
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            if joint:
                size = np.sqrt((read**2).sum(axis=1)).mean()
                change = np.sqrt(((read - offset) ** 2).sum(axis=1)).mean()
                adding[joint] = bool(size < 0.5 * change)
            else:
                up = int(np.abs(offset).argmax())
                low = np.abs(read[:, up]).mean() < 0.25 * abs(offset[up])
                adding[0] = bool(low) and _stands_better(values, skeleton, layout, axes[up])
    return tuple(adding)


def _stands_better(values: np.ndarray, skeleton: Skeleton, layout: ChannelLayout, up: int) -> bool:
    """Tell whether the lowest point of the body comes nearer to height zero when the root's OFFSET is added."""
    from kinematics.forward import forward_kinematics

    sample = np.ascontiguousarray(values[:: max(1, len(values) // SAMPLES)])
    root = to_positions(sample, position_columns(layout)[0], skeleton.offsets[0], False)
    body = forward_kinematics(Motion(skeleton, root, to_rotations(sample, layout), 1.0))
    height = skeleton.offsets[0, up]
    points = np.concatenate([body.global_positions, body.end_site_positions], axis=1)[..., up] * np.sign(height)
    lowest = float(np.median(points.min(axis=1)))
    return bool(abs(lowest + abs(height)) < abs(lowest))
