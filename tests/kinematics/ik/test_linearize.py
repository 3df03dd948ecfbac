"""The Jacobian of every kind of goal against finite differences, and residuals against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import InputError, forward_kinematics, ik
from kinematics.ik.mass import segment_masses
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton

STEP = 3e-6
KINDS = ("position", "axes", "offset", "end site", "orientation", "transform", "look_at", "pole", "center_of_mass", "many")
OPTIONS = {
    "fixed root": {"root": "fixed"},
    "translation": {"root": "translation"},
    "heading": {"root": "heading"},
    "anchor": {"fixed": ["LeftToe"]},
    "anchor at an end site": {"fixed": ["Head_end"]},
    "anchor in the arm": {"fixed": ["LeftHand"]},
    "locked": {"stiffness": {"LeftForeArm": np.inf, "Hips": np.inf}},
}


def human_pose(rng):
    skeleton = human_skeleton()
    rotations = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * 0.6)
    return Pose(skeleton, rng.normal(size=3), rotations)


def goals_of(kind, rng):
    point, turn = rng.normal(size=3) * 0.8, quaternion.normalize(rng.normal(size=4))
    goals = {
        "position": {"LeftHand": ik.position(point, weight=2.0)},
        "axes": {"LeftHand": ik.position(point, axes="yz"), "RightHand": ik.position(point, axes="x", weight=3.0)},
        "offset": {"RightHand": ik.position(point, offset=[0.1, 0.2, -0.1])},
        "end site": {"LeftToe_end": ik.position(point)},
        "orientation": {"LeftHand": ik.orientation(turn, weight=0.5)},
        "transform": {"Head": ik.transform(point, turn, offset=[0.0, 0.1, 0.05])},
        "look_at": {"Neck": ik.look_at(point + [0.0, 0.0, 4.0], axis=[0.1, 0.2, 1.0], offset=[0.0, 0.05, 0.1])},
        "pole": {"LeftForeArm": ik.pole(point, weight=1.5), "RightLeg": ik.pole(-point)},
        "center_of_mass": {"balance": ik.center_of_mass(point, axes="xz", weight=1.2)},
    }
    if kind == "many":
        return {f"{name}": goal for each in goals.values() for name, goal in each.items()}
    return goals[kind]


def moved(problem, pose, column, step):
    """Turn one joint about where it is, or move the root; with a fixed point the whole body is moved back."""
    joints = problem.tables.tree["joint"][:-1].tolist()
    local, root = np.array(pose.local_rotations), np.array(pose.root_positions)
    before = forward_kinematics(pose)
    if column >= 3 * len(joints):
        root[column - 3 * len(joints)] += step
    else:
        joint = joints[column // 3]
        turn = quaternion.from_rotation_vector(step * np.eye(3)[column % 3])
        turned = quaternion.multiply(turn, before.global_rotations[joint])
        parent = pose.skeleton.parents[joint]
        above = before.global_rotations[parent] if parent >= 0 else quaternion.IDENTITY
        local[joint] = quaternion.multiply(quaternion.inverse(above), turned)
    there = Pose(pose.skeleton, root, quaternion.normalize(local), pose.local_positions)
    for name in problem.fixed[:1]:
        shift = before.position(name) - forward_kinematics(there).position(name)
        there = there.with_root_positions(root + shift)
    return there


def differences(problem, pose, columns):
    """Central differences of the residuals."""
    made = []
    for column in columns:
        after, before = (problem.linearize(moved(problem, pose, column, step))[0] for step in (STEP, -STEP))
        made.append((after - before) / (2.0 * STEP))
    return np.stack(made, axis=1)


def free_columns(problem):
    return np.flatnonzero(np.repeat(problem.tables.tree["mobility"] > 0.0, 3))


@pytest.mark.parametrize(("kind", "option"), [(kind, "free") for kind in KINDS] + [("many", option) for option in OPTIONS])
def test_the_jacobian_is_that_of_finite_differences(kind, option):
    rng, options = np.random.default_rng(KINDS.index(kind)), OPTIONS.get(option, {})
    pose = human_pose(rng)
    problem = ik.Problem(pose.skeleton, goals_of(kind, rng), **options)
    _, jacobian = problem.linearize(pose)
    columns = free_columns(problem)
    np.testing.assert_allclose(jacobian[:, columns], differences(problem, pose, columns), rtol=0, atol=1e-6)
    others = np.setdiff1d(np.arange(jacobian.shape[1]), columns)
    assert not jacobian[:, others].any()
    assert jacobian[:, columns].any()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_jacobian_is_right_on_random_skeletons(seed):
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=8)
    pose = random_motion(skeleton, seed, num_frames=2, stretch=bool(seed % 2))[1]
    names = skeleton.joint_names + skeleton.end_site_names
    joint, reached = names[rng.integers(8)], names[rng.integers(len(names))]
    axis = rng.normal(size=3)
    turn = quaternion.from_rotation_vector(rng.uniform(0.0, 2.5) * axis / np.linalg.norm(axis))  # half a turn has no logarithm
    turn = quaternion.multiply(turn, forward_kinematics(pose).rotation(joint))
    goals = {reached: [ik.position(rng.normal(size=3), offset=0.1 * rng.normal(size=3))]}
    goals.setdefault(joint, []).extend([ik.orientation(turn), ik.look_at(5.0 * rng.normal(size=3), axis=rng.normal(size=3))])
    fixed = [names[rng.integers(len(names))]] if rng.random() < 0.5 else []
    problem = ik.Problem(skeleton, goals, fixed=fixed)
    columns = free_columns(problem)
    np.testing.assert_allclose(problem.linearize(pose)[1][:, columns], differences(problem, pose, columns), rtol=0, atol=1e-6)


def test_residuals_are_weighted_differences_to_the_targets():
    rng = np.random.default_rng(1)
    pose = human_pose(rng)
    transforms = forward_kinematics(pose)
    point, turn = rng.normal(size=3), quaternion.normalize(rng.normal(size=4))
    problem = ik.Problem(
        pose.skeleton,
        {"LeftHand": ik.position(point, weight=4.0, axes="xz"), "Head": ik.orientation(turn, weight=9.0)},
    )
    residuals, jacobian = problem.linearize(pose)
    assert problem.tables.names == ("LeftHand position", "Head orientation")
    np.testing.assert_allclose(residuals[:3], 2.0 * np.array([1, 0, 1]) * (point - transforms.position("LeftHand")), atol=1e-12)
    left = quaternion.multiply(turn, quaternion.inverse(transforms.rotation("Head")))
    expected = 3.0 * problem.tables.reach / 4.0 * quaternion.to_rotation_vector(left)
    np.testing.assert_allclose(residuals[3:], expected, atol=1e-12)
    assert residuals.shape == (6,)
    assert jacobian.shape == (6, 3 * len(problem.tables.tree))


def test_the_centre_of_mass_is_that_of_the_segments():
    pose = human_pose(np.random.default_rng(2))
    where, turned = forward_kinematics(pose).global_positions, forward_kinematics(pose).global_rotations
    masses, centers = segment_masses(pose.skeleton)
    center = masses @ (where + quaternion.rotate(turned, centers)) / masses.sum()
    residuals, _ = ik.Problem(pose.skeleton, {"balance": ik.center_of_mass([0.0, 0.0, 0.0])}).linearize(pose)
    np.testing.assert_allclose(residuals, -center, atol=1e-12)


def test_a_step_along_the_gradient_lowers_the_cost():
    pose = human_pose(np.random.default_rng(3))
    problem = ik.Problem(pose.skeleton, goals_of("position", np.random.default_rng(4)))
    residuals, jacobian = problem.linearize(pose)
    gradient = jacobian.T @ residuals
    column = int(np.abs(gradient).argmax())
    after, _ = problem.linearize(moved(problem, pose, column, -1e-3 * float(np.sign(gradient[column]))))
    assert after @ after < residuals @ residuals


def test_holds_refer_to_the_pose_and_targets_of_the_call_come_first():
    pose = human_pose(np.random.default_rng(5))
    problem = ik.Problem(pose.skeleton, {"LeftToe": ik.hold(orientation=True), "LeftHand": ik.position()})
    target = np.array([1.0, 2.0, 3.0])
    residuals, _ = problem.linearize(pose, {"LeftHand": target})
    np.testing.assert_allclose(residuals[:6], 0.0, atol=1e-12)
    np.testing.assert_allclose(residuals[6:], target - forward_kinematics(pose).position("LeftHand"), atol=1e-12)
    fixed = ik.Problem(pose.skeleton, {"LeftToe": ik.position(forward_kinematics(pose).position("LeftToe"))})
    held = ik.Problem(pose.skeleton, {"LeftToe": ik.hold()})
    np.testing.assert_allclose(held.linearize(pose)[1], fixed.linearize(pose)[1], atol=1e-12)


def test_linearizing_leaves_the_pose_alone_and_does_not_ask_for_the_method():
    pose = human_pose(np.random.default_rng(6))
    rotations, root = pose.local_rotations.copy(), pose.root_positions.copy()
    made = [
        ik.Problem(pose.skeleton, {"LeftHand": [0.1, 0.2, 0.3]}, method=method).linearize(pose)
        for method in ("levenberg_marquardt", "two_bone", "scipy")
    ]
    assert np.array_equal(pose.local_rotations, rotations)
    assert np.array_equal(pose.root_positions, root)
    for residuals, jacobian in made[1:]:
        assert np.array_equal(residuals, made[0][0])
        assert np.array_equal(jacobian, made[0][1])


def test_clips_and_many_targets_are_refused(unchecked_shapes):
    skeleton = human_skeleton()
    clip = random_motion(skeleton, 0, num_frames=3)
    problem = ik.Problem(skeleton, {"LeftHand": ik.position()})
    for pose, targets in ((clip, np.zeros((1, 3))), (clip[0], np.zeros((2, 1, 3)))):
        with pytest.raises(InputError, match="one Pose with targets of one frame"):
            problem.linearize(pose, targets)
    with pytest.raises(InputError, match="no target"):
        problem.linearize(clip[0])
    with pytest.raises(InputError, match="another skeleton"):
        problem.linearize(random_motion(random_skeleton(0), 0)[0], np.zeros((1, 3)))
