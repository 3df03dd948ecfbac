from __future__ import annotations

import numpy as np
import pytest

from kinematics import InputError, find_anatomy, forward_kinematics, load_motion, save_motion
from kinematics.ik.fit_rotations import fit_rotations
from kinematics.ik.skeleton_from_positions import skeleton_from_positions
from kinematics.testing import human_skeleton, random_motion, random_skeleton

SMPL_ORDER = (
    "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1",
    "LeftFoot", "RightFoot", "Spine2", "LeftToe", "RightToe", "Neck", "LeftShoulder",
    "RightShoulder", "Head", "LeftArm", "RightArm", "LeftForeArm", "RightForeArm", "LeftHand",
    "RightHand",
)  # fmt: skip


@pytest.fixture
def walking(clips):
    """Joint positions as a model trained on HumanML3D gives them: 22 joints in SMPL's order, metres."""
    motion = load_motion(clips / "turn_lafan1.bvh")
    where = forward_kinematics(motion).global_positions / 100.0
    return where[:, [motion.skeleton.joint_index(name) for name in SMPL_ORDER]]


def test_smpl_positions_become_a_file(walking, tmp_path):
    skeleton = skeleton_from_positions(walking)
    motion = fit_rotations(skeleton, walking, frame_time=1 / 20)
    assert not motion.source.notes
    save_motion(motion, tmp_path / "smpl.bvh")
    again = load_motion(tmp_path / "smpl.bvh")
    found = forward_kinematics(again)
    for joint, name in enumerate(skeleton.joint_names):
        np.testing.assert_allclose(found.position(name), walking[:, joint], rtol=0, atol=1e-9)
    anatomy = find_anatomy(skeleton)
    assert anatomy.dialect.startswith("SMPL")
    assert anatomy.is_human


def test_smpl_stands_in_a_t_pose(walking):
    skeleton = skeleton_from_positions(walking)
    local = np.zeros((1, 22, 4))
    local[..., 0] = 1.0
    motion = fit_rotations(skeleton, walking)
    pose = forward_kinematics(motion.with_local_rotations(np.tile(local, (len(walking), 1, 1))))
    at = {name: pose.position(name)[0] - pose.position("pelvis")[0] for name in skeleton.joint_names}
    assert at["left_wrist"][0] > 0.5 > -0.5 > at["right_wrist"][0]
    assert at["left_wrist"][1] == pytest.approx(at["left_shoulder"][1])
    assert at["left_ankle"][1] < -0.7
    assert at["left_foot"][2] > at["left_ankle"][2]  # toes ahead, towards +Z
    assert at["head"][1] > 0.5


def test_noise_does_not_lengthen_bones(walking):
    exact = np.linalg.norm(skeleton_from_positions(walking).offsets[1:], axis=1)
    noisy = walking + np.random.default_rng(1).normal(size=walking.shape) * 0.01
    found = np.linalg.norm(skeleton_from_positions(noisy).offsets[1:], axis=1)
    np.testing.assert_allclose(found, exact, rtol=0, atol=0.004)
    motion = fit_rotations(skeleton_from_positions(noisy), noisy)
    away = np.linalg.norm(forward_kinematics(motion).global_positions - walking, axis=-1)
    assert away.mean() < 0.008


@pytest.mark.parametrize("seed", range(5))
def test_any_tree_of_a_rigid_body_is_found_and_met(seed):
    body = random_skeleton(seed, num_joints=9)
    where = np.array(forward_kinematics(random_motion(body, seed, smooth=True)).global_positions)
    before = where.copy()
    found = skeleton_from_positions(where, body.parents, joint_names=body.joint_names)
    np.testing.assert_array_equal(where, before)
    assert found.joint_names == body.joint_names
    np.testing.assert_allclose(np.linalg.norm(found.offsets[1:], axis=1), np.linalg.norm(body.offsets[1:], axis=1), atol=1e-9)
    motion = fit_rotations(found, where)
    np.testing.assert_allclose(forward_kinematics(motion).global_positions, where, rtol=0, atol=1e-7)


def test_the_rest_pose_is_the_zero_pose():
    body = human_skeleton()
    where = np.array(forward_kinematics(random_motion(body, 3, smooth=True)).global_positions)
    zero = np.zeros((body.num_joints, 3))
    for joint, parent in enumerate(body.parents[1:].tolist(), 1):
        zero[joint] = zero[parent] + 7.0 * body.offsets[joint]
    found = skeleton_from_positions(where, body.parents.tolist(), rest_pose=zero)
    np.testing.assert_allclose(found.offsets[1:], body.offsets[1:], rtol=0, atol=1e-9)
    first = skeleton_from_positions(where, body.parents)
    np.testing.assert_allclose(first.offsets[1:], (where[0] - where[0, body.parents])[1:], rtol=0, atol=1e-9)


def test_values_that_cannot_be_are_refused(unchecked_shapes):
    where = np.random.default_rng(0).normal(size=(3, 4, 3))
    with pytest.raises(InputError, match="parents must be given for 4 joints"):
        skeleton_from_positions(where)
    with pytest.raises(InputError, match="parents must be one for each"):
        skeleton_from_positions(where, [-1, 0, 1])
    with pytest.raises(InputError, match="parents must come before children"):
        skeleton_from_positions(where, [-1, 2, 0, 1])
    with pytest.raises(InputError, match="joint_names must be one for each"):
        skeleton_from_positions(where, [-1, 0, 1, 2], joint_names=["a"])
    with pytest.raises(InputError, match="at least one of each"):
        skeleton_from_positions(where[:0], [-1, 0, 1, 2])
    with pytest.raises(InputError, match=r"rest_pose must have shape \(4, 3\)"):
        skeleton_from_positions(where, [-1, 0, 1, 2], rest_pose=np.zeros((3, 3)))
    where[1, 2, 0] = np.inf
    with pytest.raises(InputError, match="positions must be finite"):
        skeleton_from_positions(where, [-1, 0, 1, 2])
