"""Forward kinematics: where every joint and end site is in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics._arrays import FrozenArrays, roomy
from kinematics.errors import InputError, UnknownNameError
from kinematics.motion import Motion, Pose
from kinematics.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class GlobalTransforms(FrozenArrays):
    """Global positions and rotations; for a Pose without the frames axis.

    Attributes:
        skeleton: The skeleton they belong to.
        global_positions: Joints, in the motion's unit, shape (frames, joints, 3).
        global_rotations: Joints, unit quaternions wxyz, shape (frames, joints, 4).
        end_site_positions: End sites, shape (frames, ends, 3).
    """

    skeleton: Skeleton
    global_positions: Float[np.ndarray, "*frames joints 3"]
    global_rotations: Float[np.ndarray, "*frames joints 4"]
    end_site_positions: Float[np.ndarray, "*frames ends 3"]

    def position(self, name: str) -> Float[np.ndarray, "*frames 3"]:
        """Return the global position of a joint or end site by name.

        Raises:
            UnknownNameError: With the nearest names.
        """
        skeleton = self.skeleton
        if name in skeleton.joint_names:
            joint: np.ndarray = self.global_positions[..., skeleton.joint_index(name), :]
            return joint
        if name in skeleton.end_site_names:
            end: np.ndarray = self.end_site_positions[..., skeleton.end_site_index(name), :]
            return end
        raise UnknownNameError("joint or end site", name, skeleton.joint_names + skeleton.end_site_names)

    def rotation(self, joint: str) -> Float[np.ndarray, "*frames 4"]:
        """Return the global rotation of a joint by name."""
        found: np.ndarray = self.global_rotations[..., self.skeleton.joint_index(joint), :]
        return found


def forward_kinematics(motion_or_pose: Motion | Pose) -> GlobalTransforms:
    """Compute global positions and rotations of all joints and end sites.

    Positions follow p_j = p_parent + R_parent o_j, rotations R_j = R_parent r_j; the root's OFFSET has no part in it.

    Raises:
        InputError: On anything else than a Motion or a Pose.
    """
    if not isinstance(motion_or_pose, Motion | Pose):
        raise InputError(f"forward_kinematics takes a Motion or a Pose, got {type(motion_or_pose).__name__}")
    clip, skeleton = motion_or_pose, motion_or_pose.skeleton
    single = isinstance(clip, Pose)
    local_positions = skeleton.offsets if clip.local_positions is None else clip.local_positions
    # One block, not three arrays: the allocator keeps it for the next call.
    frames = 1 if single else len(clip.root_positions)
    block = roomy(frames * (7 * skeleton.num_joints + 3 * skeleton.num_end_sites))
    positions, rotations, ends = kernels.forward.forward(
        clip.root_positions[None] if single else clip.root_positions,
        clip.local_rotations[None] if single else clip.local_rotations,
        local_positions[None] if local_positions.ndim == 2 else local_positions,
        skeleton.parents,
        skeleton.end_site_parents,
        skeleton.end_site_offsets,
        block,
    )
    if single:
        positions, rotations, ends = positions[0], rotations[0], ends[0]
    for array in (positions, rotations, ends):
        array.setflags(write=False)
    return GlobalTransforms(skeleton, positions, rotations, ends)
