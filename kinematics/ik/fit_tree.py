"""Which bones tell the rotation of which joint, for fitting rotations to positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kinematics.skeleton import Skeleton

ROUNDING = 1e-9  # of the longest bone: shorter ones count as none
FLAT = 1e-6  # second singular value of bones, as a share of the first, below which they lie on one line


@dataclass(frozen=True)
class FitTree:
    """A skeleton's joints, then its end sites where their positions are known, and what tells each joint's rotation.

    A joint's own bones decide. Where there are none, or all lie on one line, which shows no twist, the bones that begin at
    the same place help, those of children without length, as if the children did not turn.

    Attributes:
        parents: Parent of each joint and end site, shape (joints,).
        offsets: Bones in the parent's frame, shape (joints, 3); row 0 is zero.
        rows: For each joint the bounds of its rows of `ends` and `bones`, see `kernels.fit_rotations.closed_form`.
        ends: Joint where each row's bone ends, shape (rows,).
        bones: Each row's bone in the frame of the joint that it tells about, shape (rows, 3).
        axes: Unit direction in which each joint's bones lie, or the longest where they spread, shape (joints, 3).
    """

    parents: np.ndarray
    offsets: np.ndarray
    rows: np.ndarray
    ends: np.ndarray
    bones: np.ndarray
    axes: np.ndarray

    @property
    def closed_form_arguments(self) -> tuple[np.ndarray, ...]:
        """What `kernels.fit_rotations.closed_form` takes after the positions."""
        return self.parents, self.rows, self.ends, self.bones, self.axes


@lru_cache(maxsize=64)
def plan_tree(skeleton: Skeleton, with_end_sites: bool, blur: float = 0.0) -> FitTree:
    """Plan a fit; bones not longer than `blur` are not looked at, nor a spread of bones below that."""
    parents, offsets = np.array(skeleton.parents), np.array(skeleton.offsets)
    if with_end_sites:
        parents = np.concatenate([parents, skeleton.end_site_parents])
        offsets = np.concatenate([offsets, skeleton.end_site_offsets])
    offsets[0] = 0.0
    lengths = np.linalg.norm(offsets, axis=1)
    children: list[list[int]] = [[] for _ in parents]
    for joint, parent in enumerate(parents[1:].tolist(), 1):
        children[parent].append(joint)
    tiny = max(blur, ROUNDING * float(lengths.max()))
    rows: list[tuple[int, int, int, int]] = []
    ends: list[int] = []
    axes = np.zeros_like(offsets)
    for joint in range(len(parents)):
        own = sorted((child for child in children[joint] if lengths[child] > tiny), key=lambda child: -lengths[child])
        near = _bones_of_zero_children(joint, children, lengths, tiny)
        if not own:
            own, near = sorted(near, key=lambda child: -lengths[child]), []
        first, count = len(ends), len(own)
        if not own:
            rows.append((first, first, first, first))
            continue
        if _spread(offsets[own], blur):
            bounds = (1, count, count)
        elif near and _spread(offsets[own + near], blur):
            bounds = (count, 0, count + len(near))
            own = own + near
        else:
            bounds = (count, 0, count)
        rows.append((first, first + bounds[0], first + bounds[1], first + bounds[2]))
        ends += own
        axes[joint] = offsets[own[0]] / lengths[own[0]]
    return FitTree(parents, offsets, np.array(rows), np.array(ends, dtype=np.int64), offsets[ends].reshape(-1, 3), axes)


def _bones_of_zero_children(joint: int, children: list[list[int]], lengths: np.ndarray, tiny: float) -> list[int]:
    """Return the joints whose bones begin where `joint` is, but belong to a child, grandchild ... at the same place."""
    found: list[int] = []
    todo = [child for child in children[joint] if lengths[child] <= tiny]
    while todo:
        for child in children[todo.pop()]:
            (found if lengths[child] > tiny else todo).append(child)
    return found


def _spread(bones: np.ndarray, blur: float) -> bool:
    """Tell whether bones show a rotation fully, as those on one line do not."""
    values = np.linalg.svd(bones, compute_uv=False)
    return len(values) > 1 and bool(values[1] > max(blur, FLAT * values[0]))
