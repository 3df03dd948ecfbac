"""Fewer or more joints, with the world positions and rotations of all others kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import numpy as np

from kinematics.edit._layout import carry_values, with_positions, with_rotations
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import ChannelLayout, Skeleton

RIGID = 1e-9  # of the longest bone: a bone that moves less does not stretch


def remove_joints(motion: Motion, names: Iterable[str]) -> Motion:
    """Return the clip without some joints; their children hang on the nearest joint left above.

    Every joint left keeps its world position and rotation exactly. Offsets are summed at zero pose, so that all clips of
    one skeleton give the same new skeleton; where a removed joint bends, the bone across it changes its length, and the
    result holds `local_positions` (`bake_positions` makes bones rigid again and reports the error). A joint left without
    children gets end sites where its removed children are at zero pose; end sites of removed joints go.
    The root can be removed where a single joint below it becomes the root.

    Args:
        motion: The clip.
        names: Joints to remove.

    Raises:
        UnknownNameError: On a joint that does not exist.
        InputError: Where no joint, or more than one tree, would be left.
    """
    gone = {motion.skeleton.joint_index(name) for name in names}
    return _keep(motion, [joint for joint in range(motion.skeleton.num_joints) if joint not in gone])


def keep_joints(motion: Motion, names: Iterable[str]) -> Motion:
    """Return the clip with only the named joints; see `remove_joints` for what holds.

    Raises:
        UnknownNameError: On a joint that does not exist.
        InputError: Where no joint, or more than one tree, would be left.
    """
    return _keep(motion, sorted({motion.skeleton.joint_index(name) for name in names}))


def merge_joints(motion: Motion, names: Sequence[str], *, name: str | None = None) -> Motion:
    """Return the clip with a chain of joints made one: at the first one's position, with the last one's rotation.

    So the local rotation of the merged joint is the product along the chain, and what hangs on its end turns as before.
    All other joints keep their world positions and rotations exactly; where the chain bends they get `local_positions`
    (see `remove_joints`). End sites of the chain are fixed to the merged joint as at zero pose.

    Args:
        motion: The clip.
        names: The chain from top to bottom, each the parent of the next.
        name: Name of the merged joint; the first one's if None.

    Raises:
        UnknownNameError: On a joint that does not exist.
        InputError: Where the names are not a chain, or the new name is taken.
    """
    skeleton = motion.skeleton
    chain = [skeleton.joint_index(joint) for joint in names]
    if not chain:
        raise InputError("merge_joints needs at least one joint")
    for upper, lower in pairwise(chain):
        if skeleton.parents[lower] != upper:
            raise InputError(
                f"joints to merge must be a chain from top to bottom: {skeleton.joint_names[lower]!r} does not hang on "
                f"{skeleton.joint_names[upper]!r}"
            )
    tree = _Tree(motion)
    tree.frames[chain[0]] = chain[-1]
    ends, members = skeleton.end_site_offsets.copy(), set(chain)
    for site, parent in enumerate(skeleton.end_site_parents.tolist()):
        if parent in members:
            ends[site] += tree.zero_pose[parent] - tree.zero_pose[chain[0]]
    end_parents = np.where(np.isin(skeleton.end_site_parents, chain), chain[0], skeleton.end_site_parents)
    merged = set(chain[1:])
    kept = [joint for joint in range(skeleton.num_joints) if joint not in merged]
    result = tree.rebuild(kept, _Ends(end_parents, ends, skeleton.end_site_names))
    if name is None or name == names[0]:
        return result
    renamed = tuple(name if joint == names[0] else joint for joint in result.skeleton.joint_names)
    return replace(result, skeleton=replace(result.skeleton, joint_names=renamed))


def insert_joint(motion: Motion, name: str, *, above: str, fraction: float | int = 0.5) -> Motion:
    """Return the clip with a new joint on the bone that ends at `above`; it does not turn, and nothing else moves.

    Args:
        motion: The clip.
        name: Name of the new joint.
        above: The joint that becomes its child.
        fraction: Where on the bone, 0 at the parent, 1 at `above`.

    Raises:
        UnknownNameError: Where `above` does not exist.
        InputError: Where it is the root, the name is taken, or the fraction is outside 0 to 1.
    """
    skeleton = motion.skeleton
    joint = skeleton.joint_index(above)
    if joint == 0:
        raise InputError(f"{above!r} is the root: there is no bone above it to put a joint on")
    if name in skeleton.joint_names:
        raise InputError(f"there is a joint named {name!r} already")
    if not 0 <= fraction <= 1:
        raise InputError(f"fraction must lie between 0 and 1, got {fraction}")
    source = np.insert(np.arange(skeleton.num_joints), joint, joint)  # the new joint is made from `above`
    moved = np.arange(skeleton.num_joints) + (np.arange(skeleton.num_joints) >= joint)
    parents = np.where(skeleton.parents < 0, -1, moved[skeleton.parents])[source]
    parents[joint + 1] = joint
    share = np.ones((len(source), 1))
    share[joint], share[joint + 1] = fraction, 1.0 - fraction
    layout = skeleton.layout
    if layout is not None:
        layout = with_rotations(layout.take(source.tolist()), [joint])
    held = np.where(np.arange(len(source)) == joint, -1, source)  # whose numbers in the file each joint has
    new = Skeleton(
        joint_names=tuple(np.insert(np.array(skeleton.joint_names, dtype=object), joint, name)),
        parents=parents,
        offsets=skeleton.offsets[source] * share,
        end_site_parents=moved[skeleton.end_site_parents],
        end_site_offsets=skeleton.end_site_offsets,
        end_site_names=skeleton.end_site_names,
        layout=layout,
    )
    rotations = motion.local_rotations[:, source]
    rotations[:, joint] = quaternion.IDENTITY
    return replace(
        motion,
        skeleton=new,
        local_rotations=rotations,
        local_positions=None if motion.local_positions is None else motion.local_positions[:, source] * share,
        source=carry_values(motion, layout, held.tolist()),
    )


@dataclass(frozen=True, eq=False)
class _Ends:
    parents: np.ndarray
    offsets: np.ndarray
    names: tuple[str, ...]


class _Tree:
    """World transforms and zero pose of a motion, and the motion that a part of its joints makes."""

    def __init__(self, motion: Motion) -> None:
        self.motion, self.skeleton = motion, motion.skeleton
        self.transforms = forward_kinematics(motion)
        self.frames = list(range(motion.skeleton.num_joints))  # whose rotation each joint has in the new tree
        self.zero_pose = np.zeros((motion.skeleton.num_joints, 3))
        for joint in range(1, len(self.zero_pose)):
            self.zero_pose[joint] = self.zero_pose[self.skeleton.parents[joint]] + self.skeleton.offsets[joint]

    def rebuild(self, kept: list[int], ends: _Ends) -> Motion:
        """Return the motion of some joints, each hung on the nearest one above."""
        motion, old = self.motion, self.skeleton
        above = _nearest_above(old, kept)
        if above.count(-1) != 1:
            tops = [old.joint_names[joint] for joint, parent in zip(kept, above, strict=True) if parent < 0]
            raise InputError(
                f"a skeleton needs one root, but these would have no joint above them: {', '.join(tops)}; keep a joint above"
                if tops
                else "at least one joint must be left"
            )
        index = {joint: number for number, joint in enumerate(kept)}
        offsets = old.offsets[kept]
        rotations = motion.local_rotations[:, kept]
        local = motion.local_positions
        everywhere = (motion.num_frames, *old.offsets.shape)
        places = np.broadcast_to(old.offsets if local is None else local, everywhere)[:, kept]
        moved, stretched = [], []
        rigid = RIGID * np.abs(old.offsets).max()
        for number, (joint, parent) in enumerate(zip(kept, above, strict=True)):
            same_frames = self.frames[joint] == joint and (parent < 0 or self.frames[parent] == parent)
            if old.parents[joint] == parent and same_frames:
                continue
            moved.append(number)
            rotations[:, number] = self._rotation(joint, parent)
            if parent < 0:
                offsets[number] = old.offsets[0] + self.zero_pose[joint]
                continue
            places[:, number] = self._position(joint, parent)
            offsets[number] = self.zero_pose[joint] - self.zero_pose[parent]
            if np.abs(places[:, number] - offsets[number]).max(initial=0.0) > rigid:
                stretched.append(number)
            elif local is None:
                places[:, number] = offsets[number]
        layout = _widened(old.layout, kept, moved, stretched)
        skeleton = Skeleton(
            joint_names=tuple(old.joint_names[joint] for joint in kept),
            parents=np.array([-1 if parent < 0 else index[parent] for parent in above]),
            offsets=offsets,
            end_site_parents=np.array([index[parent] for parent in ends.parents.tolist()], dtype=np.int64),
            end_site_offsets=ends.offsets,
            end_site_names=ends.names,
            layout=layout,
        )
        return Motion(
            skeleton=skeleton,
            root_positions=self.transforms.global_positions[:, kept[above.index(-1)]],
            local_rotations=rotations,
            frame_time=motion.frame_time,
            local_positions=places if stretched or local is not None else None,
            source=carry_values(motion, layout, kept),
        )

    def _rotation(self, joint: int, parent: int) -> np.ndarray:
        """Return a joint's rotation relative to its new parent: exact where the joints between them do not turn."""
        joint, parent = self.frames[joint], self.frames[parent] if parent >= 0 else -1
        between, step = [], joint
        while step > parent:  # parents come before children
            between.append(step)
            step = int(self.skeleton.parents[step])
        if step == parent:
            return reduce(quaternion.multiply, [self.motion.local_rotations[:, step] for step in between[::-1]])
        world = self.transforms.global_rotations
        return quaternion.multiply(quaternion.inverse(world[:, parent]), world[:, joint])

    def _position(self, joint: int, parent: int) -> np.ndarray:
        """Return a joint's position in its new parent's frame."""
        world = self.transforms
        apart = world.global_positions[:, joint] - world.global_positions[:, parent]
        return quaternion.rotate(quaternion.inverse(world.global_rotations[:, self.frames[parent]]), apart)


def _keep(motion: Motion, kept: list[int]) -> Motion:
    skeleton = motion.skeleton
    if len(kept) == skeleton.num_joints:
        return motion
    sites = np.flatnonzero(np.isin(skeleton.end_site_parents, kept)).tolist()
    parents = skeleton.end_site_parents[sites].tolist()
    ended, carrying = set(parents), set(_nearest_above(skeleton, kept))
    offsets = [*skeleton.end_site_offsets[sites]]
    names = [skeleton.end_site_names[site] for site in sites]
    for joint in kept:
        if joint not in carrying and joint not in ended:
            for child in skeleton.children[joint]:
                parents.append(joint)
                offsets.append(skeleton.offsets[child])
                names.append(skeleton.joint_names[child])
    ends = _Ends(np.array(parents, dtype=np.int64), np.array(offsets).reshape(-1, 3), tuple(names))
    return _Tree(motion).rebuild(kept, ends)


def _nearest_above(skeleton: Skeleton, kept: list[int]) -> list[int]:
    """Return for each joint that is kept the nearest kept one above it, or -1."""
    chosen, nearest = set(kept), [-1] * skeleton.num_joints
    for joint, parent in enumerate(skeleton.parents.tolist()):
        nearest[joint] = parent if parent < 0 or parent in chosen else nearest[parent]
    return [nearest[joint] for joint in kept]


def _widened(layout: ChannelLayout | None, kept: list[int], moved: list[int], stretched: list[int]) -> ChannelLayout | None:
    if layout is None:
        return None
    return with_rotations(with_positions(layout.take(kept), [0, *stretched]), moved)
