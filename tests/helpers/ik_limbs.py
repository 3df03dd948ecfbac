"""Limbs that the tests of the two-bone solver share."""

import numpy as np

from kinematics import Skeleton, forward_kinematics, ik
from kinematics.motion import Pose
from kinematics.rotations import quaternion

UPPER, LOWER = 3.0, 4.0


def chain(*bones, names="abcdefgh"):
    """A chain of joints, the first at the origin; the last bone ends in a site called "end"."""
    bones = np.array(bones, dtype=np.float64)
    count = len(bones)
    return Skeleton(
        tuple(names[:count]), np.arange(count) - 1, np.concatenate([np.zeros((1, 3)), bones[:-1]]),
        np.array([count - 1]), bones[-1:], ("end",),
    )  # fmt: skip


def rest(skeleton, root=(0.0, 0.0, 0.0)):
    return Pose(skeleton, np.array(root), np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1)))


def random_pose(skeleton, rng, size=0.6):
    turns = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * size)
    return Pose(skeleton, rng.normal(size=3), turns)


def solve(pose, goals, **options):
    return ik.Problem(pose.skeleton, goals, method="two_bone", **options).solve(pose)


def where(pose, name):
    return forward_kinematics(pose).position(name)


BENT = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])  # bent by a quarter turn about Z
