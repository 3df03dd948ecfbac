"""Channel values for a motion: those that were read wherever they still say the same, new ones elsewhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from kinematics import kernels
from kinematics.io import bvh_layout
from kinematics.motion import Motion
from kinematics.rotations import euler, quaternion
from kinematics.skeleton import ChannelLayout, Skeleton

log = logging.getLogger(__name__)

NEAR_LOCK = 0.985  # sine of 80 degrees: a middle angle beyond it looks for another order
UNSEEN_DEGREES = 1e-9  # an angle that needs no channel
COMPLETE = {"": "ZYX", "X": "XYZ", "Y": "YXZ", "Z": "ZYX"}


@dataclass(frozen=True, eq=False)
class Block:
    """The channels of one joint.

    Attributes:
        names: Channel names in file order.
        values: Their values, degrees and the motion's unit, shape (frames, len(names)).
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "frames channels"]

    def columns(self, kind: str) -> list[int]:
        """Return where the channels of a kind ("position", "rotation") stand."""
        return [k for k, name in enumerate(self.names) if name.endswith(kind)]

    def insert(self, at: int, names: tuple[str, ...], values: Float[np.ndarray, "frames new"]) -> Block:
        """Return the block with more channels from column `at` on."""
        left, right = self.values[:, :at], self.values[:, at:]
        return Block(self.names[:at] + names + self.names[at:], np.concatenate([left, values, right], axis=1))


def fit_channels(motion: Motion) -> tuple[Skeleton, Float[np.ndarray, "frames channels"]]:
    """Return the skeleton to write, with its layout, and the channel values (degrees and the motion's unit).

    A value as read stays where it gives the motion's own rotation or position back bit for bit. New angles continue the
    frame before. A joint that moves in a way its channels cannot express gets the channels it needs.
    """
    skeleton = motion.skeleton
    layout = skeleton.layout or usual_layout(motion)
    shape = (motion.num_frames, layout.num_channels)
    read = motion.source.channel_values
    values = read if read is not None and read.shape == shape else np.zeros(shape)
    kept = _kept(bvh_layout.to_rotations(values, layout), motion.local_rotations)
    blocks = []
    for joint, first in enumerate(bvh_layout.first_columns(layout)):
        names = layout.channels[joint]
        old = Block(names, values[:, first : first + len(names)])
        turned = old if kept[:, joint].all() else with_rotations(old, motion.local_rotations[:, joint], kept[:, joint])
        new = with_positions(turned, motion, joint, layout.adds_offset[joint])
        blocks.append(new)
        if skeleton.layout and new.names != names:
            log.warning("joint %r is written with %s to hold its motion", skeleton.joint_names[joint], " ".join(new.names))
    if not all(np.may_share_memory(block.values, values) for block in blocks if block.values.size):
        layout = ChannelLayout(tuple(block.names for block in blocks), layout.adds_offset)
        values = np.concatenate([block.values for block in blocks], axis=1)
    return _without_doubt(motion, layout, values)


def _kept(
    written: Float[np.ndarray, "frames joints 4"], wanted: Float[np.ndarray, "frames joints 4"]
) -> Bool[np.ndarray, "frames joints"]:
    """Tell which rotations are the same bit for bit (q and -q are)."""
    if np.array_equal(written, wanted):
        return np.ones(written.shape[:2], dtype=np.bool_)
    return np.asarray((written == wanted).all(axis=2) | (written == -wanted).all(axis=2))


def usual_layout(motion: Motion) -> ChannelLayout:
    """Return six channels for the root and three for the others: ZYX, or what is farther from gimbal lock where that is near."""
    layout = ChannelLayout.default(motion.skeleton.num_joints)
    if not motion.num_frames:
        return layout
    w, x, y, z = (motion.local_rotations[..., k] for k in range(4))
    sine = np.abs(2 * (w * y - x * z)).max(axis=0)  # of the middle angle of ZYX
    channels = list(layout.channels)
    for joint in np.flatnonzero(sine > NEAR_LOCK).tolist():
        matrix = np.abs(quaternion.to_matrix(motion.local_rotations[:, joint])).max(axis=0)  # [i, k]: that sine for order i j k
        best = min(euler.ORDERS[5::-1], key=lambda order: matrix["XYZ".index(order[0]), "XYZ".index(order[2])])
        channels[joint] = (*channels[joint][:-3], *_rotation_names(best))
    return ChannelLayout(tuple(channels), layout.adds_offset)


def _rotation_names(axes: str) -> tuple[str, ...]:
    return tuple(f"{axis}rotation" for axis in axes)


def with_rotations(block: Block, rotations: Float[np.ndarray, "frames 4"], kept: Bool[np.ndarray, " frames"]) -> Block:
    """Return a joint's channels with new angles in the frames that are not kept, and more channels where they are needed."""
    at = block.columns("rotation")
    axes = "".join(block.names[k][0] for k in at)
    order = COMPLETE.get(axes, axes)
    if len(axes) == 2 and axes[0] != axes[1]:
        order = axes + "XYZ".replace(axes[0], "").replace(axes[1], "")
    if order not in euler.ORDERS:  # four rotations, or one axis twice in a row: written anew
        names = tuple(name for name in block.names if not name.endswith("rotation"))
        block, at, axes, order, kept = Block(names, np.delete(block.values, at, axis=1)), [], "", "ZYX", np.zeros_like(kept)
    as_read = np.zeros((len(rotations), 3))
    as_read[:, : len(at)] = block.values[:, at]
    angles = np.degrees(euler.from_quaternion(rotations, order))
    if len(axes) == 2:  # of the two triplets that say the same, the one that has less need of the third angle
        twins = np.abs(angles[:, 2]) > 90.0
        angles[twins] = angles[twins] * [1.0, -1.0, 1.0] + 180.0
    angles[kept] = as_read[kept]
    numbers = np.array(["XYZ".index(axis) for axis in order])
    before = np.concatenate([[True], kept])  # the first frame too stays near what was read
    angles = kernels.channels.continue_angles(np.concatenate([as_read[:1], angles]), before, numbers)[1:]
    values = block.values.copy()
    values[:, at] = angles[:, : len(at)]
    block, more = Block(block.names, values), angles[:, len(at) :]
    if np.abs(more).max(initial=0.0) < UNSEEN_DEGREES:
        return block
    return block.insert(at[-1] + 1 if at else len(block.names), _rotation_names(order[len(at) :]), more)


def with_positions(block: Block, motion: Motion, joint: int, adds: bool) -> Block:
    """Return a joint's channels with new positions where they changed; the very same block where none did."""
    offset, at = motion.skeleton.offsets[joint], block.columns("position")
    if joint == 0:
        wanted = motion.root_positions
    elif motion.local_positions is not None:
        wanted = motion.local_positions[:, joint]
    elif at:
        wanted = np.broadcast_to(offset, (motion.num_frames, 3))
    else:
        return block
    columns = [("XYZ".index(block.names[k][0]), k) for k in at]
    now = bvh_layout.to_positions(block.values, columns, offset, adds)
    if np.array_equal(now, wanted):
        return block
    base = offset if adds else np.zeros(3)
    values = block.values.copy()
    for axis, k in columns:
        values[:, k] = np.where(now[:, axis] == wanted[:, axis], values[:, k], wanted[:, axis] - base[axis])
    present = [axis for axis, _ in columns]
    missing = [axis for axis in range(3) if axis not in present and (not at or (wanted[:, axis] != offset[axis]).any())]
    names = tuple(f"{'XYZ'[axis]}position" for axis in missing)
    return Block(block.names, values).insert(0, names, wanted[:, missing] - base[missing])


def _without_doubt(
    motion: Motion, layout: ChannelLayout, values: Float[np.ndarray, "frames channels"]
) -> tuple[Skeleton, Float[np.ndarray, "frames channels"]]:
    """Write positions so that a reader finds by itself whether they replace or add to OFFSET; nearly always they are so.

    Where they are not, the other way of writing is tried, and then an OFFSET that leaves no doubt: none at the root, whose
    OFFSET has no part in the motion, the mean position at a joint that moves.
    """
    skeleton, columns = motion.skeleton, bvh_layout.position_columns(layout)
    for attempt in range(4):
        found = bvh_layout.find_adding(values, skeleton, layout)
        wrong = [joint for joint in columns if found[joint] != layout.adds_offset[joint]]
        if not wrong:
            break
        values, offsets, adds = values.copy(), skeleton.offsets.copy(), list(layout.adds_offset)
        for joint in wrong:
            positions = bvh_layout.to_positions(values, columns[joint], offsets[joint], adds[joint])
            adds[joint] = found[joint] and attempt == 0
            if attempt:
                offsets[joint] = positions.mean(axis=0) if joint else 0.0
                log.warning("the OFFSET of joint %r is written anew", skeleton.joint_names[joint])
            for axis, column in columns[joint]:
                values[:, column] = positions[:, axis] - offsets[joint, axis] if adds[joint] else positions[:, axis]
        skeleton, layout = skeleton.with_offsets(offsets), ChannelLayout(layout.channels, tuple(adds))
    return skeleton.with_layout(layout), values
