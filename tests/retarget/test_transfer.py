from __future__ import annotations

import numpy as np
import pytest

from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import assert_quats_close, random_motion, random_skeleton
from retarget import JointMap, JointPair
from retarget.rest_pose import find_rest_pose
from retarget.transfer import Alignment, align, carry, transfer_rotations


def identity_alignment(skeleton: Skeleton) -> Alignment:
    joints = np.arange(skeleton.num_joints)
    still = np.tile(quaternion.IDENTITY, (len(joints), 1))
    return Alignment(joints, joints, np.ones(len(joints)), still, same_body=True)


def test_an_alignment_cannot_be_changed() -> None:
    weights = np.ones(2)
    still = np.tile(quaternion.IDENTITY, (2, 1))
    alignment = Alignment(np.arange(2), np.arange(2), weights, still, same_body=True)
    for array in (alignment.source_joints, alignment.target_joints, alignment.weights, alignment.local_rotations):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    weights[0] = 5.0
    assert alignment.weights[0] == 1.0


def test_identity_alignment_gives_the_local_rotations_back() -> None:
    skeleton = random_skeleton(3)
    motion = random_motion(skeleton, 4, num_frames=6)
    seen = forward_kinematics(motion).global_rotations
    resting = np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1))
    assert_quats_close(transfer_rotations(seen, identity_alignment(skeleton), skeleton, resting), motion.local_rotations)


def test_joints_without_a_driver_keep_their_rest() -> None:
    skeleton = random_skeleton(5)
    motion = random_motion(skeleton, 6, num_frames=4)
    whole = identity_alignment(skeleton)
    some = np.array([0, 2, 5, 9])
    part = Alignment(some, some, np.ones(4), whole.local_rotations[some], same_body=False)
    resting = random_motion(skeleton, 7, num_frames=1).local_rotations[0]
    seen = forward_kinematics(motion).global_rotations
    local = transfer_rotations(seen, part, skeleton, resting)
    idle = np.setdiff1d(np.arange(skeleton.num_joints), some)
    assert_quats_close(local[:, idle], np.broadcast_to(resting[idle], (4, len(idle), 4)))
    result = Motion(skeleton, motion.root_positions, local, motion.frame_time)
    assert_quats_close(forward_kinematics(result).global_rotations[:, some], seen[:, some])


def test_two_drivers_are_blended_on_one_half_sphere() -> None:
    skeleton = Skeleton(("a",), np.array([-1]), np.zeros((1, 3)))
    turns = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array([[0.2, 0.8], [1.0, 1.0], [-0.3, 0.3]]))
    turns[0, 1] *= -1.0  # the same rotation
    still = np.tile(quaternion.IDENTITY, (2, 1))
    both = Alignment(np.array([0, 1]), np.array([0, 0]), np.array([0.5, 0.5]), still, same_body=False)
    local = transfer_rotations(turns, both, skeleton, still[:1])
    expected = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array([0.5, 1.0, 0.0]))
    assert_quats_close(local[:, 0], expected, atol_radians=1e-12)


def test_aligned_rest_poses_map_onto_each_other(bodies) -> None:
    one, other = bodies.person("LAFAN1", seed=1), bodies.person("LAFAN1", seed=2)
    pairs = tuple(JointPair(name, name, "same", 1.0, "same") for name in one.skeleton.joint_names)
    source, target = find_rest_pose(one.skeleton), find_rest_pose(other.skeleton)
    alignment = align(JointMap(pairs), source, target)
    resting = np.tile(quaternion.IDENTITY, (other.skeleton.num_joints, 1))
    local = transfer_rotations(source.global_rotations[None], alignment, other.skeleton, resting)
    posed = forward_kinematics(Motion(other.skeleton, np.zeros((1, 3)), local, 0.1))
    assert_quats_close(posed.global_rotations[0], target.global_rotations)
    assert not alignment.same_body and align(JointMap(pairs), source, source).same_body


def test_the_body_goes_where_it_is_carried() -> None:
    skeleton = random_skeleton(8)
    motion = random_motion(skeleton, 9, num_frames=5)
    away = np.random.default_rng(1).normal(size=(5, 3))
    before = forward_kinematics(motion)
    for carrier in (0, 1, 3):
        moved = carry(motion, before, away, carrier=carrier)
        steps = forward_kinematics(moved).global_positions - before.global_positions
        below = [carrier, *skeleton.descendants(carrier)]
        np.testing.assert_allclose(steps[:, below], np.broadcast_to(away[:, None], (5, len(below), 3)), atol=1e-12)
        rest = np.setdiff1d(np.arange(skeleton.num_joints), below)
        np.testing.assert_allclose(steps[:, rest], 0.0, atol=1e-12)
        twice = carry(moved, forward_kinematics(moved), -away, carrier=carrier)
        np.testing.assert_allclose(forward_kinematics(twice).global_positions, before.global_positions, atol=1e-12)
    assert motion.local_positions is None
