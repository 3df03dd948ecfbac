"""Write BVH files: what was read is written as read, digit for digit; what changed is written anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinematics.io import bvh_layout
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion
from kinematics.rotations import euler
from kinematics.skeleton import ChannelLayout, Skeleton


def write_bvh(motion: Motion, path: str | Path) -> None:
    """Write a motion to a BVH file, all or nothing.

    Raises:
        InputError: Where the file cannot be written.
    """
    skeleton = motion.skeleton
    layout = skeleton.layout or ChannelLayout.default(skeleton.num_joints, all_positions=motion.local_positions is not None)
    values = _values(motion, layout)
    lines = ["HIERARCHY"]
    _hierarchy(skeleton, layout, lines)
    lines += ["MOTION", f"Frames: {motion.num_frames}", f"Frame Time: {motion.frame_time!r}", ""]
    write_bytes(path, ["\n".join(lines).encode(), format_rows(values)])


def format_rows(values: np.ndarray) -> bytes:
    """Return rows of numbers with the fewest digits that give each double back."""
    import orjson

    if not values.size:
        return b"\n" * len(values)
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[2:-2].replace(b"],[", b"\n").replace(b",", b" ") + b"\n"


def _hierarchy(skeleton: Skeleton, layout: ChannelLayout, lines: list[str]) -> None:
    ends: dict[int, list[int]] = {}
    for end, parent in enumerate(skeleton.end_site_parents.tolist()):
        ends.setdefault(parent, []).append(end)
    stack: list[tuple[int, int]] = [(0, 0)]  # joint (or -1: close a brace) and depth
    while stack:
        joint, depth = stack.pop()
        indent = "\t" * depth
        if joint < 0:
            lines.append(f"{indent}}}")
            continue
        lines += [f"{indent}{'JOINT' if joint else 'ROOT'} {skeleton.joint_names[joint]}", f"{indent}{{"]
        lines.append(f"{indent}\tOFFSET {_numbers(skeleton.offsets[joint])}")
        lines.append(f"{indent}\tCHANNELS {' '.join([str(len(layout.channels[joint])), *layout.channels[joint]])}")
        for end in ends.get(joint, []):
            name = skeleton.end_site_names[end]
            title = "" if name == f"{skeleton.joint_names[joint]}_end" else f" {name}"
            lines += [f"{indent}\tEnd Site{title}", f"{indent}\t{{"]
            lines += [f"{indent}\t\tOFFSET {_numbers(skeleton.end_site_offsets[end])}", f"{indent}\t}}"]
        stack.append((-1, depth))
        stack += [(child, depth + 1) for child in reversed(skeleton.children[joint])]


def _numbers(values: np.ndarray) -> str:
    return " ".join(repr(value) for value in values.tolist())


def _values(motion: Motion, layout: ChannelLayout) -> np.ndarray:
    skeleton, read = motion.skeleton, motion.source.channel_values
    values = np.zeros((motion.num_frames, layout.num_channels))
    if read is not None and read.shape == values.shape:
        values[:] = read
    same = (bvh_layout.to_rotations(values, layout) == motion.local_rotations).all(axis=2)
    starts, columns, axes = bvh_layout.rotation_columns(layout)
    for joint in range(skeleton.num_joints):
        if not same[:, joint].all() and starts[joint + 1] - starts[joint] == 3:
            order = "".join("XYZ"[axis] for axis in axes[starts[joint] : starts[joint + 1]])
            angles = np.degrees(euler.unroll(euler.from_quaternion(motion.local_rotations[:, joint], order), order))
            at = columns[starts[joint] : starts[joint + 1]]
            values[:, at] = np.where(same[:, joint, None], values[:, at], angles)
        wanted = motion.root_positions if joint == 0 else None
        if joint and motion.local_positions is not None:
            wanted = motion.local_positions[:, joint]
        for axis, column in bvh_layout.position_columns(layout, joint):
            base = skeleton.offsets[joint, axis] if layout.adds_offset[joint] else 0.0
            target = skeleton.offsets[joint, axis] if wanted is None else wanted[:, axis]
            values[:, column] = np.where(values[:, column] + base == target, values[:, column], target - base)
    return values
