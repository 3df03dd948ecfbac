"""BVH text of a rig, with a fixed number of digits, so that files come out the same byte for byte."""

from __future__ import annotations

import numpy as np
from generator import body
from generator.pose import Solved
from generator.rigs import Rig, channels, offsets


def text(rig: Rig, solved: Solved) -> str:
    """Return the whole file; `solved` is sampled at the rig's rate."""
    rows = channels(rig, solved)
    rows = np.concatenate([np.round(rows[:, :3], rig.decimals), np.round(rows[:, 3:], 5)], axis=1) + 0.0  # no "-0"
    lines = ["HIERARCHY", *_hierarchy(rig, rows[0, :3])]
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {rig.frame_time}"]
    formats = [rig.decimals] * 3 + [5] * (rows.shape[1] - 3)
    lines += [" ".join(_number(value, digits) for value, digits in zip(row, formats, strict=True)) for row in rows.tolist()]
    return "\n".join(lines) + "\n"


def _hierarchy(rig: Rig, first_place: np.ndarray) -> list[str]:
    places, ends = offsets(rig)
    places[0] = {"zero": np.zeros(3), "first frame": first_place, "rest": body.PLACES["pelvis"] / rig.unit}[rig.root_offset]
    rotations = " ".join(f"{axis}rotation" for axis in rig.order)
    children: dict[str, list[int]] = {}
    for index, joint in enumerate(rig.joints):
        children.setdefault(joint.parent, []).append(index)
    lines: list[str] = []

    def offset(place: np.ndarray, indent: str) -> str:
        return f"{indent}OFFSET " + " ".join(f"{value + 0.0:.6f}" for value in np.round(place, 6))

    def joint_lines(index: int, depth: int) -> None:
        joint, indent = rig.joints[index], "\t" * depth
        lines.extend([f"{indent}{'JOINT' if depth else 'ROOT'} {joint.name}", indent + "{", offset(places[index], indent + "\t")])
        count = f"3 {rotations}" if depth else f"6 Xposition Yposition Zposition {rotations}"
        lines.append(f"{indent}\tCHANNELS {count}")
        for child in children.get(joint.name, []):
            joint_lines(child, depth + 1)
        if joint.name in ends:
            lines.extend([f"{indent}\tEnd Site", indent + "\t{", offset(ends[joint.name], indent + "\t\t"), indent + "\t}"])
        lines.append(indent + "}")

    joint_lines(0, 0)
    return lines


def _number(value: float, digits: int) -> str:
    shown = f"{value:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
