"""Channel layouts that can hold what an edit has made of a joint."""

from __future__ import annotations

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
    usual = max(whole, key=whole.count) if whole else "ZYX"
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
    """Return the motion's source with the file's numbers for a new layout, whose joint i was `joints[i]`.

    The numbers are dropped where the new layout has a channel that the old one lacks.
    """
    old, values = motion.skeleton.layout, motion.source.channel_values
    columns = None if old is None or layout is None or values is None else _columns(old, layout, joints)
    if values is None or columns is None or len(values) != motion.num_frames:
        return replace(motion.source, channel_values=None)
    return replace(motion.source, channel_values=values[:, columns])


def _columns(old: ChannelLayout, new: ChannelLayout, joints: Sequence[int]) -> list[int] | None:
    starts = np.cumsum([0, *(len(names) for names in old.channels)])
    found: list[int] = []
    for joint, names in zip(joints, new.channels, strict=True):
        held = list(enumerate(old.channels[joint], start=int(starts[joint])))
        for name in names:  # in order, because a rotation axis may come twice
            match = next((entry for entry in held if entry[1] == name), None)
            if match is None:
                return None
            held.remove(match)
            found.append(match[0])
    return found
