"""Read BVH files: as they are, in their own unit and axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np

from kinematics._arrays import hand_over
from kinematics.errors import InputError
from kinematics.io import bvh_layout
from kinematics.io.bvh_hierarchy import Node, read_hierarchy
from kinematics.io.bvh_motion import Channels, read_motion
from kinematics.io.bvh_repair import Report
from kinematics.io.bvh_text import split
from kinematics.motion import Motion, Source
from kinematics.skeleton import ChannelLayout, Skeleton, default_end_names

PositionChannels = Literal["auto", "replace", "add"]


def read_bvh(
    data: bytes | memoryview, path: str = "<bytes>", *, strict: bool = False, position_channels: PositionChannels = "auto"
) -> list[Motion]:
    """Return one motion for each ROOT of a BVH file given as bytes.

    Raises:
        BvhParseError: Where it cannot be read; with `strict` wherever it would have to be mended.
    """
    if position_channels not in ("auto", "replace", "add"):
        raise InputError(f"position_channels must be 'auto', 'replace' or 'add', got {position_channels!r}")
    report = Report(path, strict=strict)
    text = split(data)
    nodes = read_hierarchy(text, report)
    values, frame_time = read_motion(text, _channels(nodes), report)
    roots = [index for index, node in enumerate(nodes) if node.parent < 0] + [len(nodes)]
    clips, column = [], 0
    for first, end in pairwise(roots):
        width = sum(len(node.channels) for node in nodes[first:end])
        skeleton = _skeleton(nodes[first:end], first, report)
        part = values[:, column : column + width]
        clips.append((_with_adding(skeleton, part, position_channels, report), part))
        column += width
    if len(clips) > 1:
        names = ", ".join(skeleton.joint_names[0] for skeleton, _ in clips)
        report.note(nodes[roots[1]].line, f"{len(clips)} roots ({names}): load_motions gives all, load_motion the first")
    source = Source(path, text.encoding, report.repairs, report.notes)
    return [_motion(skeleton, part, frame_time, source) for skeleton, part in clips]


def _channels(nodes: list[Node]) -> Channels:
    """Return what each column holds: an angle, and what a joint at rest has there."""
    rest, turning = [], []
    for node in nodes:
        for name in node.channels:
            axis = "XYZ".index(name[0])
            turning.append(name.endswith("rotation"))
            rest.append(node.offset[axis] if name.endswith("position") else float(name.endswith("scale")))
    return Channels(np.array(rest, dtype=np.float64), np.array(turning, dtype=np.bool_))


def _skeleton(nodes: list[Node], first: int, report: Report) -> Skeleton:
    joint_of: dict[int, int] = {}
    joints: list[Node] = []
    ends: list[Node] = []
    for index, node in enumerate(nodes, first):
        if node.end_site:
            ends.append(node)
        else:
            joint_of[index] = len(joints)
            joints.append(node)
    names: dict[str, int] = {}
    for node in joints:
        names[_unique(node.name, names, node, report)] = 1
    joint_names = tuple(names)
    end_names: dict[str, int] = {}
    end_parents = np.array([joint_of[node.parent] for node in ends], dtype=np.int64)
    for node, default in zip(ends, default_end_names(joint_names, end_parents), strict=True):
        end_names[_unique(node.name or default, end_names, node, report)] = 1
    return Skeleton(
        joint_names=joint_names,
        parents=np.array([joint_of.get(node.parent, -1) for node in joints]),
        offsets=np.array([node.offset for node in joints]),
        end_site_parents=end_parents,
        end_site_offsets=np.array([node.offset for node in ends]).reshape(-1, 3),
        end_site_names=tuple(end_names),
        layout=ChannelLayout(tuple(node.channels for node in joints), (False,) * len(joints)),
    )


def _unique(name: str, taken: dict[str, int], node: Node, report: Report) -> str:
    """Return the name, or where it is taken the name and the next free number; `taken` counts how often each was used."""
    if name not in taken:
        return name
    number = taken[name] + 1
    while f"{name}_{number}" in taken:
        number += 1
    taken[name] = number
    report.repair("name twice", node.line, f"the name {name!r} is used twice", "another name", f"called it {name}_{number}")
    return f"{name}_{number}"


def _with_adding(skeleton: Skeleton, values: np.ndarray, position_channels: PositionChannels, report: Report) -> Skeleton:
    """Return the skeleton with its layout saying which position channels add to OFFSET, and report that and scales."""
    layout = skeleton.layout
    assert layout is not None
    moved = bvh_layout.position_columns(layout)
    if position_channels == "auto":
        adding = bvh_layout.find_adding(values, skeleton, layout)
    else:
        adding = tuple(position_channels == "add" and joint in moved for joint in range(skeleton.num_joints))
    added = [name for name, adds in zip(skeleton.joint_names, adding, strict=True) if adds]
    if added:
        shown = ", ".join(added[:6]) + (f", ... ({len(added)} in all)" if len(added) > 6 else "")
        found = "found by their size" if position_channels == "auto" else "as asked for"
        report.note(0, f"position channels add to OFFSET, {found}: {shown}")
    scales = [name.endswith("scale") for names in layout.channels for name in names]
    if any(scales) and not (values[:, scales] == 1.0).all():
        report.repair(
            "scale", 0, "scale channels that are not 1", "bones that do not scale", "left out of the pose, kept for writing"
        )
    return skeleton.with_layout(ChannelLayout(layout.channels, adding))


def _motion(skeleton: Skeleton, values: np.ndarray, frame_time: float, source: Source) -> Motion:
    layout = skeleton.layout
    assert layout is not None
    moved = bvh_layout.position_columns(layout)
    positions = {
        joint: bvh_layout.to_positions(values, columns, skeleton.offsets[joint], layout.adds_offset[joint])
        for joint, columns in moved.items()
    }
    root = positions.pop(0, None)
    if root is None:
        root = np.repeat(skeleton.offsets[:1], len(values), axis=0)
    stretching = None
    if any((where != skeleton.offsets[joint]).any() for joint, where in positions.items()):
        stretching = np.repeat(skeleton.offsets[None], len(values), axis=0)
        for joint, where in positions.items():
            stretching[:, joint] = where
    return Motion(
        skeleton,
        hand_over(root),
        hand_over(bvh_layout.to_rotations(values, layout)),
        frame_time,
        stretching,
        replace(source, channel_values=hand_over(values)),
    )
