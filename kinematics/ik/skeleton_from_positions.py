"""A skeleton for joint positions that come without one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from kinematics import kernels
from kinematics._arrays import require_finite
from kinematics.errors import InputError
from kinematics.ik.fit_smooth import bone_noise
from kinematics.ik.fit_tree import plan_tree
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

ROUNDS = 3  # of fitting and averaging

# The first 22 joints of SMPL (Loper et al. 2015), in its order: name, parent, direction of the bone in T-pose, left towards +X.
SMPL_JOINTS: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("pelvis", -1, (0.0, 0.0, 0.0)),
    ("left_hip", 0, (0.6, -0.8, 0.0)),
    ("right_hip", 0, (-0.6, -0.8, 0.0)),
    ("spine1", 0, (0.0, 1.0, 0.0)),
    ("left_knee", 1, (0.0, -1.0, 0.0)),
    ("right_knee", 2, (0.0, -1.0, 0.0)),
    ("spine2", 3, (0.0, 1.0, 0.0)),
    ("left_ankle", 4, (0.0, -1.0, 0.0)),
    ("right_ankle", 5, (0.0, -1.0, 0.0)),
    ("spine3", 6, (0.0, 1.0, 0.0)),
    ("left_foot", 7, (0.0, -0.4, 0.9)),
    ("right_foot", 8, (0.0, -0.4, 0.9)),
    ("neck", 9, (0.0, 1.0, 0.0)),
    ("left_collar", 9, (0.5, 0.85, 0.0)),
    ("right_collar", 9, (-0.5, 0.85, 0.0)),
    ("head", 12, (0.0, 1.0, 0.0)),
    ("left_shoulder", 13, (1.0, 0.0, 0.0)),
    ("right_shoulder", 14, (-1.0, 0.0, 0.0)),
    ("left_elbow", 16, (1.0, 0.0, 0.0)),
    ("right_elbow", 17, (-1.0, 0.0, 0.0)),
    ("left_wrist", 18, (1.0, 0.0, 0.0)),
    ("right_wrist", 19, (-1.0, 0.0, 0.0)),
)


def skeleton_from_positions(
    positions: Float[np.ndarray, "frames joints 3"],
    parents: Int[np.ndarray, " joints"] | Sequence[int] | None = None,
    *,
    joint_names: Sequence[str] | None = None,
    rest_pose: Float[np.ndarray, "joints 3"] | None = None,
) -> Skeleton:
    """Make the skeleton whose bones are as long as those of a clip of joint positions, for `fit_rotations`.

        skeleton = ik.skeleton_from_positions(positions)  # (frames, 22, 3), as models trained on HumanML3D put out
        motion = ik.fit_rotations(skeleton, positions, frame_time=1 / 20)

    The length of a bone is the median over the clip, less what noise adds. Its direction at zero pose is that in the rest pose;
    where several bones spread from a joint, as at pelvis and chest, they stand to each other as they do in the clip on average
    (Procrustes), for they turn as one.

    Args:
        positions: Global positions of all joints, shape (frames, joints, 3), in the unit that the skeleton shall have.
        parents: Index of each joint's parent, -1 at the root, parents before children; None for the 22 joints of SMPL in its
            order, as in HumanML3D.
        joint_names: Names; SMPL's with its tree, else "joint0", "joint1" ...
        rest_pose: Positions of the joints in the pose that shall be the zero pose, in any unit, shape (joints, 3): a T-pose, or
            a frame of the clip. By default a T-pose that faces +Z, Y up, for SMPL's tree, and the clip's first frame for others.

    Raises:
        InputError: On wrong shapes, NaN, no frames, a tree that is none, or without `parents` other than 22 joints.
    """
    given = np.array(positions, dtype=np.float64, order="C")
    if given.ndim != 3 or given.shape[2] != 3 or not given.shape[0] or not given.shape[1]:
        raise InputError(f"positions must have shape (frames, joints, 3) with at least one of each, got {given.shape}")
    require_finite(given, "positions")
    joints = given.shape[1]
    if parents is None and joints != len(SMPL_JOINTS):
        raise InputError(f"parents must be given for {joints} joints; only the {len(SMPL_JOINTS)} joints of SMPL go without")
    tree = np.array([joint[1] for joint in SMPL_JOINTS]) if parents is None else np.asarray(parents)
    if tree.shape != (joints,):
        raise InputError(f"parents must be one for each of the {joints} joints of the positions, got shape {tree.shape}")
    if joint_names is None:
        joint_names = [joint[0] for joint in SMPL_JOINTS] if parents is None else [f"joint{index}" for index in range(joints)]
    if len(joint_names) != joints:
        raise InputError(f"joint_names must be one for each of the {joints} joints of the positions, got {len(joint_names)}")
    skeleton = Skeleton(tuple(joint_names), tree, np.zeros((joints, 3)))  # checks the tree
    rest = _rest_bones(given, skeleton, rest_pose, parents is None)
    above = skeleton.parents[1:]
    measured = np.linalg.norm(given[:, 1:] - given[:, above], axis=2)
    noise = bone_noise(measured)
    lengths = np.sqrt(np.maximum(np.median(measured * measured, axis=0) - 4.0 * noise * noise, 0.0))
    return _settle(skeleton, given, rest, np.append(0.0, lengths))


def _rest_bones(given: np.ndarray, skeleton: Skeleton, rest_pose: np.ndarray | None, smpl: bool) -> np.ndarray:
    """Return for each joint the vector from its parent in the rest pose, of any length."""
    if rest_pose is None and smpl:
        return np.array([joint[2] for joint in SMPL_JOINTS])
    pose = given[0] if rest_pose is None else np.asarray(rest_pose, dtype=np.float64)
    if pose.shape != (skeleton.num_joints, 3):
        raise InputError(f"rest_pose must have shape ({skeleton.num_joints}, 3), got {pose.shape}")
    require_finite(pose, "rest_pose")
    bones = pose - pose[skeleton.parents]
    bones[0] = 0.0
    return np.asarray(bones)


def _settle(skeleton: Skeleton, given: np.ndarray, bones: np.ndarray, lengths: np.ndarray) -> Skeleton:
    """Give bones their lengths, and those that turn together the shape that they have in the clip."""
    for _ in range(ROUNDS):
        skeleton = skeleton.with_offsets(_with_length(bones, lengths))
        tree = plan_tree(skeleton, False)
        local = kernels.fit_rotations.closed_form(given, *tree.closed_form_arguments)
        _, turned = kernels.fit_smooth.place(given[:, 0].copy(), local, tree.offsets, tree.parents)
        for first, second, third, _ in tree.rows.tolist():
            for joint in tree.ends[first:third].tolist() if third > second else []:
                parent = int(tree.parents[joint])
                seen = given[:, joint] - given[:, parent]
                bones[joint] = np.mean(quaternion.rotate(quaternion.inverse(turned[:, parent]), seen), axis=0)
    return skeleton.with_offsets(_with_length(bones, lengths))


def _with_length(bones: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Scale bones; one that has no direction in the rest pose points up."""
    have = np.linalg.norm(bones, axis=1, keepdims=True)
    straight = np.where(have > 0, bones / np.where(have > 0, have, 1.0), [0.0, 1.0, 0.0])
    return np.asarray(straight * lengths[:, None])
