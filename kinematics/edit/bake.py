"""Bones that stretch made rigid, with the error told."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays, frozen
from kinematics.edit._layout import carry_values, without_positions
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion


@dataclass(frozen=True, eq=False)
class BakeReport(FrozenArrays):
    """How far joints are from where they were, in the world and in the motion's unit.

    Attributes:
        joint_names: The joints.
        mean_errors: Mean distance over the frames, shape (joints,).
        max_errors: Largest distance over the frames, shape (joints,).
    """

    joint_names: tuple[str, ...]
    mean_errors: Float[np.ndarray, " joints"]
    max_errors: Float[np.ndarray, " joints"]

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        for name in ("mean_errors", "max_errors"):
            object.__setattr__(self, name, frozen(getattr(self, name), (len(self.joint_names),), name))

    def __str__(self) -> str:
        """Return one line."""
        worst = int(np.argmax(self.max_errors))
        return (
            f"world position error: mean {self.mean_errors.mean():.4g}, "
            f"max {self.max_errors[worst]:.4g} at {self.joint_names[worst]}"
        )


def bake_positions(motion: Motion) -> tuple[Motion, BakeReport]:
    """Return the clip with rigid bones (three channels a joint instead of six), and the error in world positions.

    Each offset becomes the joint's mean position in its parent's frame, which for the given rotations has the least sum of
    squared errors bone by bone; a bone that does not stretch is exact. Rotations, the root's path and end sites are kept.
    A motion without `local_positions` comes back as it is, with zero error.

    Args:
        motion: The clip.
    """
    skeleton, moving = motion.skeleton, motion.local_positions
    if moving is None:
        return motion, BakeReport(skeleton.joint_names, np.zeros(skeleton.num_joints), np.zeros(skeleton.num_joints))
    offsets = skeleton.offsets.copy()
    if motion.num_frames:
        offsets[1:] = moving[0, 1:] + np.mean(moving[:, 1:] - moving[0, 1:], axis=0)
    layout = None if skeleton.layout is None else without_positions(skeleton.layout)
    baked = replace(
        motion,
        skeleton=skeleton.with_offsets(offsets).with_layout(layout),
        local_positions=None,
        source=carry_values(motion, layout, range(skeleton.num_joints)),
    )
    before, after = forward_kinematics(motion).global_positions, forward_kinematics(baked).global_positions
    errors = np.linalg.norm(after - before, axis=-1)
    mean = errors.mean(axis=0) if motion.num_frames else np.zeros(skeleton.num_joints)
    return baked, BakeReport(skeleton.joint_names, mean, errors.max(axis=0, initial=0.0))
