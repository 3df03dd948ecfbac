"""Write BVH files: what was read is written as read, digit for digit; what changed is written anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.errors import InputError
from kinematics.io.atomic import write_bytes
from kinematics.io.bvh_fit import fit_channels
from kinematics.io.bvh_hierarchy import COMMENT_IN_NAME
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton, default_end_names

MOST_TABS = 60  # of indentation; a chain of thousands of joints stays a small file


def write_bvh(motions: Motion | Sequence[Motion], path: str | Path) -> None:
    """Write a motion, or several with equal frames as one file with a ROOT each; all or nothing.

    Raises:
        InputError: Where the motions do not go together, a name cannot be written, or the file cannot.
    """
    write_bytes(path, to_bvh(motions))


def to_bvh(motions: Motion | Sequence[Motion]) -> list[bytes]:
    """Return the text of a BVH file in two pieces: hierarchy and rows.

    Raises:
        InputError: Where the motions do not go together, or a name cannot be written.
    """
    clips = [motions] if isinstance(motions, Motion) else list(motions)
    if not clips:
        raise InputError("a file needs at least one motion, got none")
    frames, frame_time = clips[0].num_frames, clips[0].frame_time
    if any(clip.num_frames != frames or clip.frame_time != frame_time for clip in clips):
        shown = ", ".join(f"{clip.num_frames} frames of {clip.frame_time} s" for clip in clips)
        raise InputError(f"motions in one file need equal frames and frame times, got {shown}")
    lines, parts = ["HIERARCHY"], []
    for clip in clips:
        skeleton, values = fit_channels(clip)
        order = _hierarchy(skeleton, lines)
        parts.append(_in_order(skeleton, values, order))
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {frame_time!r}", ""]
    values = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    try:
        return ["\n".join(lines).encode(), format_rows(values)]
    except UnicodeEncodeError as error:
        raise InputError(f"a name cannot be written as UTF-8: {error.object[error.start - 10 : error.end + 10]!r}") from None


def format_rows(values: Float[np.ndarray, "frames channels"]) -> bytes:
    """Return rows of numbers, each with the fewest digits that give the double back."""
    import orjson

    if not values.size:
        return b"\n" * len(values)
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    rows: np.ndarray = kernels.bvh_numbers.rows_of_json(np.frombuffer(text, dtype=np.uint8))
    return rows.tobytes()


def _hierarchy(skeleton: Skeleton, lines: list[str]) -> list[int]:
    """Append the text of a tree to `lines` and return its joints in the order written, depth first."""
    layout, names = skeleton.layout, skeleton.joint_names
    defaults = default_end_names(names, skeleton.end_site_parents)
    assert layout is not None
    offsets, end_offsets = skeleton.offsets.tolist(), skeleton.end_site_offsets.tolist()
    ends: dict[int, list[int]] = {}
    for end, parent in enumerate(skeleton.end_site_parents.tolist()):
        ends.setdefault(parent, []).append(end)
    order: list[int] = []
    todo = [(0, 0)]  # joint (or -1: close a brace) and depth
    while todo:
        joint, depth = todo.pop()
        tabs = "\t" * min(depth, MOST_TABS)
        if joint < 0:
            lines.append(f"{tabs}}}")
            continue
        order.append(joint)
        lines += [f"{tabs}{'JOINT' if joint else 'ROOT'} {_checked(names[joint])}", f"{tabs}{{"]
        lines.append(f"{tabs}\tOFFSET {' '.join(map(repr, offsets[joint]))}")
        lines.append(f"{tabs}\tCHANNELS {' '.join([str(len(layout.channels[joint])), *layout.channels[joint]])}")
        for end in ends.get(joint, []):
            name = skeleton.end_site_names[end]
            title = "" if name == defaults[end] else f" {_checked(name)}"
            lines += [f"{tabs}\tEnd Site{title}", f"{tabs}\t{{"]
            lines += [f"{tabs}\t\tOFFSET {' '.join(map(repr, end_offsets[end]))}", f"{tabs}\t}}"]
        todo.append((-1, depth))
        todo += [(child, depth + 1) for child in reversed(skeleton.children[joint])]
    return order


def _checked(name: str) -> str:
    """Return a name that reads back as it is."""
    if set("\r\n{}") & set(name) or name != name.strip(" \t") or COMMENT_IN_NAME.search(name):
        raise InputError(f"the name {name!r} cannot stand in a BVH file (line end, brace, blank at an end, //); rename it")
    return name


def _in_order(skeleton: Skeleton, values: np.ndarray, order: list[int]) -> np.ndarray:
    """Return the columns in the order in which the hierarchy lists its joints."""
    layout = skeleton.layout
    if layout is None or order == list(range(len(order))):
        return values
    ends = np.cumsum([len(names) for names in layout.channels])
    columns = [np.arange(ends[joint] - len(layout.channels[joint]), ends[joint]) for joint in order]
    return values[:, np.concatenate(columns)]
