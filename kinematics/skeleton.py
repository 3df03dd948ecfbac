"""The skeleton: a tree of joints with fixed offsets, its end sites, and the channel layout as read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from kinematics._arrays import FrozenArrays, frozen
from kinematics.errors import InputError, UnknownNameError

CHANNEL_NAMES = (
    "Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation", "Xscale", "Yscale", "Zscale",
)  # fmt: skip


@dataclass(frozen=True)
class ChannelLayout:
    """Which numbers a file holds for each joint, and in which order.

    Attributes:
        channels: For each joint its channel names in file order, out of `CHANNEL_NAMES`.
        adds_offset: For each joint whether its position channels add to OFFSET (True) or replace it (False, the rule).
    """

    channels: tuple[tuple[str, ...], ...]
    adds_offset: tuple[bool, ...]

    def __post_init__(self) -> None:
        """Check names and lengths."""
        if len(self.channels) != len(self.adds_offset):
            raise InputError(f"adds_offset has {len(self.adds_offset)} entries for {len(self.channels)} joints")
        for names in self.channels:
            for name in names:
                if name not in CHANNEL_NAMES:
                    raise UnknownNameError("channel", name, CHANNEL_NAMES)
            moves = [name for name in names if not name.endswith("rotation")]
            if len(set(moves)) != len(moves):
                raise InputError(f"a position or scale channel is given twice: {' '.join(names)}")

    @property
    def num_channels(self) -> int:
        """Numbers in one frame."""
        return sum(len(names) for names in self.channels)

    def rotation_axes(self, joint: int) -> str:
        """Return the joint's rotation axes in file order, such as "ZXY"; shorter where channels are missing."""
        return "".join(name[0] for name in self.channels[joint] if name.endswith("rotation"))

    def take(self, joints: list[int]) -> ChannelLayout:
        """Return the layout of some joints, in the order given."""
        return ChannelLayout(tuple(self.channels[j] for j in joints), tuple(self.adds_offset[j] for j in joints))

    @staticmethod
    def default(num_joints: int, *, rotation_order: str = "ZYX", all_positions: bool = False) -> ChannelLayout:
        """Return the usual layout: six channels at the root, three elsewhere (six with `all_positions`)."""
        positions = ("Xposition", "Yposition", "Zposition")
        rotations = tuple(f"{axis}rotation" for axis in rotation_order)
        rest = positions + rotations if all_positions else rotations
        return ChannelLayout((positions + rotations,) + (rest,) * (num_joints - 1), (False,) * num_joints)


@dataclass(frozen=True, eq=False)
class Skeleton(FrozenArrays):
    """A tree of joints. Parents come before children; joint 0 is the only root.

    Attributes:
        joint_names: Unique names, one for each joint.
        parents: Parent index of each joint, shape (joints,); -1 at the root.
        offsets: Position of each joint in its parent's frame at zero pose, in the skeleton's unit, shape (joints, 3).
            The root's is kept as read and written, and has no part in forward kinematics.
        end_site_parents: Joint that carries each end site, shape (ends,).
        end_site_offsets: Position of each end site in its joint's frame, shape (ends, 3).
        end_site_names: Unique names; "<joint>_end" where a file gives none.
        layout: Channel layout as read, or None where the skeleton never was a file.

    Raises:
        InputError: On wrong shapes, double or empty names, a parent after its child, a second root, NaN.
    """

    joint_names: tuple[str, ...]
    parents: Int[np.ndarray, " joints"]
    offsets: Float[np.ndarray, "joints 3"]
    end_site_parents: Int[np.ndarray, " ends"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    end_site_offsets: Float[np.ndarray, "ends 3"] = field(default_factory=lambda: np.zeros((0, 3)))
    end_site_names: tuple[str, ...] = ()
    layout: ChannelLayout | None = None

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        if isinstance(self.joint_names, str):
            raise InputError(f"joint_names must be a sequence of names, got the string {self.joint_names!r}")
        names = tuple(self.joint_names)
        count = len(names)
        if count == 0:
            raise InputError("a skeleton needs at least one joint")
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise InputError("joint names must be non-empty strings")
        if len(set(names)) != count:
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(f"joint names must be unique, given twice: {', '.join(twice)}")
        parents = frozen(self.parents, (count,), "parents", np.int64)
        if parents[0] != -1 or (parents[1:] < 0).any():
            raise InputError("joint 0 must be the only root (parent -1)")
        late = np.flatnonzero(parents >= np.arange(count))
        if len(late):
            raise InputError(f"parents must come before children: {names[late[0]]!r} has parent index {parents[late[0]]}")
        end_parents = frozen(self.end_site_parents, (None,), "end_site_parents", np.int64)
        ends = len(end_parents)
        if ends and (end_parents.min() < 0 or end_parents.max() >= count):
            raise InputError(f"end_site_parents must be joint indices 0 to {count - 1}")
        if self.layout is not None and len(self.layout.channels) != count:
            raise InputError(f"layout has {len(self.layout.channels)} joints, the skeleton has {count}")
        end_names = tuple(self.end_site_names) or default_end_names(names, end_parents)
        if len(end_names) != ends or len(set(end_names)) != ends:
            raise InputError(f"end_site_names must be {ends} unique names, got {len(end_names)}")
        for key, value in {
            "joint_names": names,
            "parents": parents,
            "offsets": frozen(self.offsets, (count, 3), "offsets"),
            "end_site_parents": end_parents,
            "end_site_offsets": frozen(self.end_site_offsets, (ends, 3), "end_site_offsets"),
            "end_site_names": end_names,
        }.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        """Return a short summary."""
        return f"Skeleton({self.num_joints} joints, {self.num_end_sites} end sites, root {self.joint_names[0]!r})"

    @property
    def num_joints(self) -> int:
        """Number of joints."""
        return len(self.joint_names)

    @property
    def num_end_sites(self) -> int:
        """Number of end sites."""
        return len(self.end_site_parents)

    @cached_property
    def _joint_indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.joint_names)}

    def joint_index(self, name: str) -> int:
        """Return the index of a joint.

        Raises:
            UnknownNameError: With the nearest names.
        """
        try:
            return self._joint_indices[name]
        except (KeyError, TypeError):
            raise UnknownNameError("joint", name, self.joint_names) from None

    def end_site_index(self, name: str) -> int:
        """Return the index of an end site by its name.

        Raises:
            UnknownNameError: With the nearest names.
        """
        try:
            return self.end_site_names.index(name)
        except ValueError:
            raise UnknownNameError("end site", name, self.end_site_names) from None

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Child joints of each joint, in order."""
        lists: list[list[int]] = [[] for _ in self.joint_names]
        for joint, parent in enumerate(self.parents.tolist()):
            if parent >= 0:
                lists[parent].append(joint)
        return tuple(tuple(joints) for joints in lists)

    def ancestors(self, joint: int) -> list[int]:
        """Return the path from the joint's parent up to the root."""
        path = []
        while (joint := int(self.parents[joint])) >= 0:
            path.append(joint)
        return path

    def descendants(self, joint: int) -> list[int]:
        """Return all joints below `joint`, in skeleton order."""
        below: list[int] = []
        queue = list(self.children[joint])
        while queue:
            below.append(queue.pop())
            queue += self.children[below[-1]]
        return sorted(below)

    def with_offsets(
        self, offsets: Float[np.ndarray, "joints 3"], end_site_offsets: Float[np.ndarray, "ends 3"] | None = None
    ) -> Skeleton:
        """Return the same tree with other bone offsets."""
        ends = self.end_site_offsets if end_site_offsets is None else end_site_offsets
        return replace(self, offsets=offsets, end_site_offsets=ends)

    def with_layout(self, layout: ChannelLayout | None) -> Skeleton:
        """Return the same tree with another channel layout."""
        return replace(self, layout=layout)

    def allclose(self, other: Skeleton, *, atol: float = 1e-9) -> bool:
        """Tell whether names, tree and offsets agree; the layout is not compared."""
        return (
            self.joint_names == other.joint_names
            and self.end_site_names == other.end_site_names
            and np.array_equal(self.parents, other.parents)
            and np.array_equal(self.end_site_parents, other.end_site_parents)
            and np.allclose(self.offsets, other.offsets, rtol=0, atol=atol)
            and np.allclose(self.end_site_offsets, other.end_site_offsets, rtol=0, atol=atol)
        )


def default_end_names(joint_names: tuple[str, ...], end_parents: Int[np.ndarray, " ends"]) -> tuple[str, ...]:
    """Return the names of end sites that a file does not name: "<joint>_end", further ones of a joint "<joint>_end2" ..."""
    names: list[str] = []
    given = [0] * len(joint_names)
    for parent in end_parents.tolist():
        given[parent] += 1
        names.append(f"{joint_names[parent]}_end{given[parent] if given[parent] > 1 else ''}")
    return tuple(names)
