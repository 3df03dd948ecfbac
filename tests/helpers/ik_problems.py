"""What the tests of problems share."""

from __future__ import annotations

import numpy as np

from kinematics import forward_kinematics, ik
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

X, Y = np.eye(3)[:2]


HANDS_AND_FEET = ("LeftHand", "RightHand", "LeftFoot", "RightFoot")


def bent(skeleton: Skeleton, seed: int = 0, size: float = 0.2) -> Pose:
    """A pose a little off the rest pose, so that nothing is straight."""
    rng = np.random.default_rng(seed)
    turns = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * size)
    return Pose(skeleton, np.array([0.1, 0.93, -0.2]), turns)


def reached(pose: Pose, names: tuple[str, ...] = HANDS_AND_FEET, *, size: float = 0.3, seed: int = 1) -> np.ndarray:
    """Targets that some other pose reaches, shape (names, 3)."""
    rng = np.random.default_rng(seed)
    turns = quaternion.from_rotation_vector(rng.normal(size=(pose.skeleton.num_joints, 3)) * size)
    other = pose.with_local_rotations(quaternion.normalize(quaternion.multiply(pose.local_rotations, turns)))
    found = forward_kinematics(other)
    return np.array([found.position(name) for name in names])


def same(a: ik.Result, b: ik.Result, *, exactly: bool = True) -> None:
    check = np.testing.assert_array_equal if exactly else lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=1e-12)
    check(a.local_rotations, b.local_rotations)
    check(a.root_positions, b.root_positions)
    check(a.errors, b.errors)
    np.testing.assert_array_equal(a.iterations, b.iterations)
    np.testing.assert_array_equal(a.codes, b.codes)
