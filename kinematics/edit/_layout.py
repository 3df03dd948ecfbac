"""Channel layouts that can hold what an edit has made of a joint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from kinematics.motion import Motion, Source
from kinematics.skeleton import ChannelLayout

POSITIONS = ("Xposition", "Yposition", "Zposition")


def with_positions(layout: ChannelLayout, joints: Iterable[int]) -> ChannelLayout:
    """Give joints three position channels that replace OFFSET, ahead of those they have."""
    channels, adds = list(layout.channels), list(layout.adds_offset)
    for joint in joints:
        held = channels[joint]
        if not set(POSITIONS) <= set(held):
            channels[joint] = POSITIONS + tuple(name for name in held if name not in POSITIONS)
            adds[joint] = False
    return ChannelLayout(tuple(channels), tuple(adds))


def with_rotations(layout: ChannelLayout, joints: Iterable[int]) -> ChannelLayout:
    """Give joints that cannot turn every way three rotation channels, in the order that most joints have."""
    orders = [layout.rotation_axes(joint) for joint in range(len(layout.channels))]
    whole = [order for order in orders if _is_whole(order)]
    usual = Counter(whole).most_common(1)[0][0] if whole else "ZYX"
    channels = list(layout.channels)
    for joint in joints:
        if not _is_whole(orders[joint]):
            rest = tuple(name for name in channels[joint] if not name.endswith("rotation"))
            channels[joint] = rest + tuple(f"{axis}rotation" for axis in usual)
    return ChannelLayout(tuple(channels), layout.adds_offset)


def without_positions(layout: ChannelLayout) -> ChannelLayout:
    """Take position channels off all joints but the root."""
    channels = [names if joint == 0 else _no_positions(names) for joint, names in enumerate(layout.channels)]
    return ChannelLayout(tuple(channels), (*layout.adds_offset[:1], *(False,) * (len(channels) - 1)))


def _is_whole(order: str) -> bool:
    return len(order) == 3 and order[0] != order[1] != order[2]


def _no_positions(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in POSITIONS)


def carry_values(motion: Motion, layout: ChannelLayout | None, joints: Sequence[int]) -> Source:
    """Return the motion's source with the file's numbers for a new layout, whose joint i was `joints[i]` (-1: a new one).

    Channels that the old layout lacks are zero: the writer compares each number with the motion and mends it.
    """
    old, values = motion.skeleton.layout, motion.source.channel_values
    if old is None or layout is None or values is None or not values.shape[1] or len(values) != motion.num_frames:
        return replace(motion.source, channel_values=None)
    columns = np.array(_columns(old, layout, joints), dtype=np.int64)
    return replace(motion.source, channel_values=np.where(columns < 0, 0.0, values[:, columns]))


def _columns(old: ChannelLayout, new: ChannelLayout, joints: Sequence[int]) -> list[int]:
    """Return the old column of each new channel, -1 where there is none."""
    starts = np.cumsum([0, *(len(names) for names in old.channels)]).tolist()
    found: list[int] = []
    for joint, names in zip(joints, new.channels, strict=True):
        held = [] if joint < 0 else list(enumerate(old.channels[joint], start=starts[joint]))
        for name in names:  # in order, because a rotation axis may come twice
            match = next((entry for entry in held if entry[1] == name), None)
            if match is not None:
                held.remove(match)
            found.append(-1 if match is None else match[0])
    return found
