from __future__ import annotations

import numpy as np
import pytest

from kinematics import forward_kinematics, kernels
from kinematics.ik.fit_smooth import bone_noise, smooth_positions, stiffnesses
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton

FRAMES = 5


@pytest.fixture
def clip():
    skeleton = random_skeleton(1, num_joints=6)
    return random_motion(skeleton, 1, num_frames=FRAMES, smooth=True)


def arrays(clip):
    root, local = np.array(clip.root_positions), np.array(clip.local_rotations)
    return root, local, np.array(clip.skeleton.offsets), np.array(clip.skeleton.parents)


def stepped(root, local, step):
    turned = quaternion.multiply(local, quaternion.from_rotation_vector(step[:, :-1]))
    return root + step[:, -1], np.ascontiguousarray(turned)


def random_step(seed):
    return np.random.default_rng(seed).normal(size=(FRAMES, 7, 3))


def test_place_is_forward_kinematics(clip):
    where, turned = kernels.fit_smooth.place(*arrays(clip))
    expected = forward_kinematics(clip)
    np.testing.assert_allclose(where, expected.global_positions, atol=1e-14)
    np.testing.assert_allclose(turned, expected.global_rotations, atol=1e-14)


def test_push_is_the_derivative_of_place(clip):
    root, local, offsets, parents = arrays(clip)
    where, turned = kernels.fit_smooth.place(root, local, offsets, parents)
    step, small = random_step(2), 1e-6
    ahead, _ = kernels.fit_smooth.place(*stepped(root, local, small * step), offsets, parents)
    back, _ = kernels.fit_smooth.place(*stepped(root, local, -small * step), offsets, parents)
    np.testing.assert_allclose(
        kernels.fit_smooth.push(where, turned, parents, step), (ahead - back) / (2 * small), rtol=0, atol=1e-8
    )


def test_pull_is_the_transpose_of_push(clip):
    root, local, offsets, parents = arrays(clip)
    where, turned = kernels.fit_smooth.place(root, local, offsets, parents)
    step, forces = random_step(3), np.random.default_rng(4).normal(size=where.shape)
    moved = kernels.fit_smooth.push(where, turned, parents, step)
    pulled = kernels.fit_smooth.pull(where, turned, parents, forces)
    np.testing.assert_allclose(np.sum(moved * forces), np.sum(step * pulled), rtol=1e-12)


def test_change_is_the_derivative_of_the_curves_and_change_back_its_transpose(clip):
    root, local, _, _ = arrays(clip)
    weights = np.random.default_rng(5).uniform(0.1, 3.0, size=7)
    step, small = random_step(6), 1e-6
    ahead = kernels.fit_smooth.curves(*stepped(root, local, small * step), weights)
    back = kernels.fit_smooth.curves(*stepped(root, local, -small * step), weights)
    changed = kernels.fit_smooth.change(local, weights, step)
    np.testing.assert_allclose(changed, (ahead - back) / (2 * small), rtol=0, atol=1e-8)
    values = np.random.default_rng(7).normal(size=changed.shape)
    pulled = kernels.fit_smooth.change_back(local, weights, values)
    np.testing.assert_allclose(np.sum(changed * values), np.sum(step * pulled), rtol=1e-12)


def test_the_preconditioner_inverts_each_joints_block_over_time(clip):
    root, local, offsets, parents = arrays(clip)
    where, turned = kernels.fit_smooth.place(root, local, offsets, parents)
    weights, damping = np.random.default_rng(8).uniform(0.1, 3.0, size=7), 0.01
    factors = kernels.fit_smooth.factorize(where, turned, local, parents, weights, damping)
    step = random_step(9)
    solved = kernels.fit_smooth.precondition(factors, step)
    second = np.diff(np.eye(FRAMES), 2, axis=0)
    for block in range(7):
        units = np.zeros((3 * FRAMES, FRAMES, 7, 3))
        units[:, :, block] = np.eye(3 * FRAMES).reshape(-1, FRAMES, 3)
        moves = np.array([kernels.fit_smooth.push(where, turned, parents, unit).ravel() for unit in units])
        bends = np.array([(second @ kernels.fit_smooth.change(local, weights, unit)).ravel() for unit in units])
        matrix = moves @ moves.T + bends @ bends.T + damping * np.eye(3 * FRAMES)
        np.testing.assert_allclose(
            solved[:, block].ravel(), np.linalg.solve(matrix, step[:, block].ravel()), rtol=1e-7, atol=1e-9
        )


@pytest.mark.parametrize("noise", [0.001, 0.01])
def test_bone_noise_is_what_was_put_in(noise):
    where = np.array(forward_kinematics(random_motion(human_skeleton(), 1, num_frames=200, smooth=True)).global_positions)
    where += np.random.default_rng(1).normal(size=where.shape) * noise
    lengths = np.linalg.norm(where[:, 1:] - where[:, human_skeleton().parents[1:]], axis=2)
    assert bone_noise(lengths) == pytest.approx(noise, rel=0.1)


def test_bones_that_stretch_slowly_are_no_noise():
    stretching = 0.4 + 0.1 * np.sin(np.arange(200) / 30.0)
    assert bone_noise(np.tile(stretching[:, None], (1, 5))) < 1e-4
    assert bone_noise(np.ones((2, 5))) == 0.0
    assert bone_noise(np.ones((9, 0))) == 0.0


def test_smooth_positions_keep_a_straight_path_and_take_noise_out():
    time = np.arange(150.0)[:, None, None]
    straight = np.array([0.1, -0.02, 0.0]) * time + np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(smooth_positions(straight, 0.01), straight, rtol=0, atol=1e-10)
    path = straight + 0.3 * np.sin(time / 8.0)
    noisy = path + np.random.default_rng(2).normal(size=path.shape) * 0.05
    left = smooth_positions(noisy, 0.05) - path
    assert np.sqrt(np.mean(left * left)) < 0.5 * 0.05


def test_stiffnesses_are_noise_over_acceleration():
    frames, turning = 30, 0.002
    angles = 0.5 * turning * np.arange(frames) ** 2
    local = np.stack(
        [np.tile(quaternion.IDENTITY, (frames, 1)), quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), angles)], axis=1
    )
    root = 0.5 * np.arange(frames)[:, None] ** 2 * np.array([0.003, 0.0, 0.0])
    still, moving, translation = stiffnesses(root, local, 0.01, 0.3)
    assert translation == pytest.approx(0.01 / (0.003 / np.sqrt(3)), rel=1e-6)
    assert moving == pytest.approx(0.01 / (turning / np.sqrt(3)), rel=1e-3)
    assert still == pytest.approx(10 * moving)  # no joint counts as calmer
    np.testing.assert_array_equal(stiffnesses(root[:2], local[:2], 0.01, 0.3), 0.0)
