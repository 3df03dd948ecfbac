"""The same joints under other names or in another order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from kinematics.edit._layout import carry_values
from kinematics.errors import InputError
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton

Named = TypeVar("Named", Motion, Skeleton)


def rename_joints(motion_or_skeleton: Named, names: Mapping[str, str] | Callable[[str], str]) -> Named:
    """Return the same with other joint names; end sites named after their joint ("Hand_end") follow.

    Args:
        motion_or_skeleton: The clip or skeleton.
        names: Old name to new name for the joints to rename, or a function from each old name to the new one, such as
            `lambda name: name.removeprefix("mixamorig:")`.

    Raises:
        UnknownNameError: On an old name that does not exist.
        InputError: Where two joints would have one name.
    """
    if isinstance(motion_or_skeleton, Motion):
        return replace(motion_or_skeleton, skeleton=rename_joints(motion_or_skeleton.skeleton, names))
    skeleton = motion_or_skeleton
    if callable(names):
        new = tuple(names(name) for name in skeleton.joint_names)
    else:
        for name in names:
            skeleton.joint_index(name)
        new = tuple(names.get(name, name) for name in skeleton.joint_names)
    ends = []
    for name, parent in zip(skeleton.end_site_names, skeleton.end_site_parents.tolist(), strict=True):
        own = re.fullmatch(re.escape(skeleton.joint_names[parent]) + r"(_end\d*)", name)
        ends.append(new[parent] + own[1] if own else name)
    return replace(skeleton, joint_names=new, end_site_names=tuple(ends))


def reorder_joints(motion: Motion, names: Sequence[str]) -> Motion:
    """Return the clip with its joints in another order; every joint must be named, parents before children.

    Raises:
        UnknownNameError: On a joint that does not exist.
        InputError: Where joints are missing or named twice, or a child comes before its parent.
    """
    skeleton = motion.skeleton
    order = [skeleton.joint_index(name) for name in names]
    if sorted(order) != list(range(skeleton.num_joints)):
        missing = [name for name in skeleton.joint_names if name not in set(names)]
        raise InputError(f"each joint must be named once: {len(order)} names for {skeleton.num_joints} joints, missing {missing}")
    at = np.argsort(order)
    layout = None if skeleton.layout is None else skeleton.layout.take(order)
    sites = np.argsort(at[skeleton.end_site_parents], kind="stable")
    new = Skeleton(
        joint_names=tuple(names),
        parents=np.array([-1 if skeleton.parents[joint] < 0 else at[skeleton.parents[joint]] for joint in order]),
        offsets=skeleton.offsets[order],
        end_site_parents=at[skeleton.end_site_parents][sites],
        end_site_offsets=skeleton.end_site_offsets[sites],
        end_site_names=tuple(skeleton.end_site_names[site] for site in sites),
        layout=layout,
    )
    return replace(
        motion,
        skeleton=new,
        local_rotations=motion.local_rotations[:, order],
        local_positions=None if motion.local_positions is None else motion.local_positions[:, order],
        source=carry_values(motion, layout, order),
    )
