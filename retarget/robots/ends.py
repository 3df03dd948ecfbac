"""End sites of a robot's skeleton: where its feet, hands and head end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinematics.skeleton import Skeleton
from retarget.robots.anatomy import RobotAnatomy
from retarget.robots.shapes import Geom


def with_ends(skeleton: Skeleton, geoms: Sequence[Geom], anatomy: RobotAnatomy) -> Skeleton:
    """Add end sites: heel and toe of each foot, the tips of hands and other last joints, the top of the head."""
    parents: list[int] = []
    offsets: list[np.ndarray] = []
    names: list[str] = []

    def add(joint: int, offset: np.ndarray, name: str) -> None:
        if float(np.linalg.norm(offset)) > 1e-9 and name not in names:
            parents.append(joint)
            offsets.append(offset)
            names.append(name)

    leaves = {joint for joint, children in enumerate(skeleton.children) if not children}
    for role, part in anatomy.parts.items():
        here = [geom for geom in geoms if geom.joint == part.joint]
        here = [geom for geom in here if geom.collides] or here
        if (
            role.endswith("_foot")
            and here
            and not any(other.endswith("_toe") and role[:5] == other[:5] for other in anatomy.parts)
        ):
            low = min(-geom.extent(np.array([0.0, -1.0, 0.0])) for geom in here)
            sole = [g for g in here if -g.extent(np.array([0.0, -1.0, 0.0])) < low + 0.03]
            front = max(geom.extent(anatomy.forward) for geom in sole)
            back = -max(geom.extent(-anatomy.forward) for geom in sole)
            side = np.mean([geom.points.mean(axis=0) for geom in sole], axis=0)
            across = np.cross(np.array([0.0, 1.0, 0.0]), anatomy.forward)
            middle = float(side @ across) * across + np.array([0.0, low, 0.0])
            add(part.joint, middle + front * anatomy.forward, f"{skeleton.joint_names[part.joint]}_toe")
            add(part.joint, middle + back * anatomy.forward, f"{skeleton.joint_names[part.joint]}_heel")
            leaves.discard(part.joint)
        elif role == "head" and here:
            up = np.array([0.0, 1.0, 0.0])
            top = max(geom.extent(up) for geom in here)
            add(part.joint, part.center * (1.0 - up) + top * up, f"{skeleton.joint_names[part.joint]}_top")
            leaves.discard(part.joint)
    for joint in sorted(leaves):
        here = [geom for geom in geoms if geom.joint == joint]
        if not here:
            continue
        middle = np.mean([geom.points.mean(axis=0) for geom in here], axis=0)
        length = float(np.linalg.norm(middle))
        direction = middle / length if length > 1e-3 else np.array([0.0, -1.0, 0.0])
        add(joint, direction * max(geom.extent(direction) for geom in here), f"{skeleton.joint_names[joint]}_tip")
    return Skeleton(
        skeleton.joint_names, skeleton.parents, skeleton.offsets,
        np.array(parents, dtype=np.int64), np.array(offsets).reshape(-1, 3), tuple(names),
    )  # fmt: skip
