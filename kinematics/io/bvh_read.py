"""Read BVH files: as they are, in their own unit and axes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from kinematics.errors import InputError
from kinematics.io import bvh_layout
from kinematics.io.bvh_hierarchy import Node, read_hierarchy
from kinematics.io.bvh_motion import read_motion
from kinematics.io.bvh_repair import Report
from kinematics.io.bvh_text import split
from kinematics.motion import Motion, Source
from kinematics.skeleton import ChannelLayout, Skeleton

PositionChannels = Literal["auto", "replace", "add"]


def read_bvh(
    data: bytes, path: str = "<bytes>", *, strict: bool = False, position_channels: PositionChannels = "auto"
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
    rest = np.array([_rest(node, name) for node in nodes for name in node.channels], dtype=np.float64)
    values, frame_time = read_motion(text, rest, report)
    roots = [index for index, node in enumerate(nodes) if node.parent < 0] + [len(nodes)]
    clips, column = [], 0
    for first, end in zip(roots[:-1], roots[1:], strict=True):
        width = sum(len(node.channels) for node in nodes[first:end])
        skeleton = _skeleton(nodes[first:end], first, report)
        clips.append((skeleton, values[:, column : column + width]))
        column += width
    if len(clips) > 1:
        names = ", ".join(skeleton.joint_names[0] for skeleton, _ in clips)
        report.note(0, f"the file holds {len(clips)} roots ({names}); load_motions gives one motion each, load_motion the first")
    source = Source(path, text.encoding, report.repairs, report.notes)
    return [_motion(skeleton, part, frame_time, source) for skeleton, part in clips]


def _rest(node: Node, channel: str) -> float:
    if channel.endswith("position"):
        return node.offset["XYZ".index(channel[0])]
    return 1.0 if channel.endswith("scale") else 0.0


def _skeleton(nodes: list[Node], first: int, report: Report) -> Skeleton:
    joint_of: dict[int, int] = {}
    joints, ends = [], []
    for index, node in enumerate(nodes, first):
        if node.end_site:
            ends.append(node)
        else:
            joint_of[index] = len(joints)
            joints.append(node)
    names: dict[str, None] = {}
    for node in joints:
        names[_unique(node.name, names, node, report)] = None
    joint_names = tuple(names)
    end_names: dict[str, None] = {}
    for node in ends:
        wanted = node.name or f"{joint_names[joint_of[node.parent]]}_end"
        end_names[_unique(wanted, end_names, node, report)] = None
    return Skeleton(
        joint_names=joint_names,
        parents=np.array([joint_of.get(node.parent, -1) for node in joints]),
        offsets=np.array([node.offset for node in joints]),
        end_site_parents=np.array([joint_of[node.parent] for node in ends], dtype=np.int64),
        end_site_offsets=np.array([node.offset for node in ends]).reshape(-1, 3),
        end_site_names=tuple(end_names),
        layout=ChannelLayout(tuple(node.channels for node in joints), (False,) * len(joints)),
    )


def _unique(name: str, taken: dict[str, None], node: Node, report: Report) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    report.repair("name twice", node.line, f"the name {name!r} is used twice", "another name", f"called it {name}_{number!r}")
    return f"{name}_{number}"


def _motion(skeleton: Skeleton, values: np.ndarray, frame_time: float, source: Source) -> Motion:
    layout = skeleton.layout
    assert layout is not None
    root = bvh_layout.to_positions(values, layout, skeleton.offsets, 0)
    moving = np.repeat(skeleton.offsets[None], len(values), axis=0)
    for joint in range(1, skeleton.num_joints):
        if any(name.endswith("position") for name in layout.channels[joint]):
            moving[:, joint] = bvh_layout.to_positions(values, layout, skeleton.offsets, joint)
    stretches = bool((moving[:, 1:] != skeleton.offsets[1:]).any())
    return Motion(
        skeleton,
        root,
        bvh_layout.to_rotations(values, layout),
        frame_time,
        moving if stretches else None,
        Source(source.path, source.encoding, source.repairs, source.notes, values),
    )


def read_file(path: str | Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InputError: Where it is missing, a folder or not readable.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from None
