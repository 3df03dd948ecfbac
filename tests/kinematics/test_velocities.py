"""Velocities and accelerations against analytic motions, NumPy's gradient and SciPy's spline of rotations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, RotationSpline

from kinematics import InputError, Motion, Skeleton, forward_kinematics
from kinematics.rotations import quaternion
from kinematics.testing import random_motion, random_skeleton
from kinematics.velocities import (
    angular_accelerations,
    angular_velocities,
    differentiate,
    differentiate_rotations,
    differentiate_twice,
    linear_accelerations,
    linear_velocities,
)


def pendulum(num_frames: int, frame_time: float) -> tuple[Motion, np.ndarray, np.ndarray, np.ndarray]:
    """A rod of length 2 that swings about Z while its root falls; returns the motion and angle, its rate and acceleration."""
    times = np.arange(num_frames) * frame_time
    angle, rate, acceleration = np.sin(3 * times), 3 * np.cos(3 * times), -9 * np.sin(3 * times)
    skeleton = Skeleton(("root", "tip"), np.array([-1, 0]), np.array([[0.0, 0, 0], [2.0, 0, 0]]))
    rotations = np.tile(quaternion.IDENTITY, (num_frames, 2, 1))
    rotations[:, 0] = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), angle)
    root = np.stack([0 * times, 5 - 0.5 * 9.81 * times**2, times], axis=-1)
    return Motion(skeleton, root, rotations, frame_time), angle, rate, acceleration


def test_constant_rates_are_exact():
    times = np.arange(9) / 30
    root = np.array([1.0, 2, 3]) + times[:, None] * np.array([0.5, -1, 2])
    axis = np.array([2.0, -1.0, 2.0]) / 3
    rotations = quaternion.from_axis_angle(axis, 4.0 * times)[:, None]
    motion = Motion(Skeleton(("root",), np.array([-1]), np.zeros((1, 3))), root, rotations, 1 / 30)
    np.testing.assert_allclose(linear_velocities(motion)[:, 0], np.tile([0.5, -1, 2], (9, 1)), atol=1e-12)
    np.testing.assert_allclose(angular_velocities(motion)[:, 0], np.tile(4 * axis, (9, 1)), atol=1e-12)
    np.testing.assert_allclose(linear_accelerations(motion), 0, atol=1e-10)
    np.testing.assert_allclose(angular_accelerations(motion), 0, atol=1e-9)


def test_pendulum_matches_its_formulas_at_second_order():
    errors = []
    for halving in range(2):
        step = 0.02 / 2**halving
        motion, angle, rate, acceleration = pendulum(50 * 2**halving + 1, step)
        times = motion.times
        tip_velocity = 2 * rate[:, None] * np.stack([-np.sin(angle), np.cos(angle), 0 * angle], -1)
        tip_velocity += np.stack([0 * times, -9.81 * times, 1 + 0 * times], -1)
        tip_acceleration = 2 * acceleration[:, None] * np.stack([-np.sin(angle), np.cos(angle), 0 * angle], -1)
        tip_acceleration -= 2 * (rate**2)[:, None] * np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
        tip_acceleration[:, 1] -= 9.81
        spin = np.zeros((len(times), 3))
        found_spin = angular_velocities(motion)
        np.testing.assert_allclose(found_spin[:, 0], found_spin[:, 1], atol=1e-10)
        spin[:, 2] = rate
        gained = np.zeros_like(spin)
        gained[:, 2] = acceleration
        errors.append(
            [
                np.abs(linear_velocities(motion)[:, 1] - tip_velocity).max(),
                np.abs(linear_accelerations(motion)[:, 1] - tip_acceleration).max(),
                np.abs(found_spin[:, 1] - spin).max(),
                np.abs(angular_accelerations(motion)[:, 1] - gained).max(),
            ]
        )
    coarse, fine = np.array(errors)
    assert (fine < [0.02, 0.4, 0.003, 0.04]).all()
    assert (coarse / fine > 3.2).all(), f"the ends must be of second order as well: {coarse / fine}"


def test_differentiate_is_numpys_gradient():
    values = np.random.default_rng(0).normal(size=(12, 3, 2))
    np.testing.assert_allclose(differentiate(values, 0.1), np.gradient(values, 0.1, axis=0, edge_order=2), atol=1e-12)


def test_second_derivative_of_a_cubic_is_exact():
    times = np.arange(7) * 0.25
    np.testing.assert_allclose(differentiate_twice(times**3, 0.25), 6 * times, atol=1e-12)


def test_angular_velocity_matches_scipys_spline():
    step = 1 / 400
    times = np.arange(401) * step
    keys = Rotation.random(6, rng=np.random.default_rng(3))
    spline = RotationSpline(np.linspace(0, 1, 6), keys)
    rotations = spline(times).as_quat(scalar_first=True)
    expected = spline(times).apply(spline(times, 1))  # SciPy's rates are in the body's frame
    np.testing.assert_allclose(differentiate_rotations(rotations, step), expected, atol=0.02)


def test_signs_of_quaternions_do_not_matter_and_large_steps_are_right():
    times = np.arange(6)
    rotations = quaternion.from_axis_angle(np.array([0.0, 1, 0]), 3.0 * times)  # 172 degrees a frame
    flipped = rotations * np.array([1, -1, 1, 1, -1, -1])[:, None]
    expected = np.tile([0, 3.0, 0], (6, 1))
    np.testing.assert_allclose(differentiate_rotations(rotations, 1.0), expected, atol=1e-12)
    np.testing.assert_allclose(differentiate_rotations(flipped, 1.0), expected, atol=1e-12)


def test_rigid_body_law():
    """Two joints on one rigid bone: v_tip = v_root + w x r, to second order."""
    motion = random_motion(random_skeleton(1), 2, num_frames=200, frame_time=1e-3, smooth=True)
    transforms = forward_kinematics(motion)
    v, w = linear_velocities(motion, transforms=transforms), angular_velocities(motion, transforms=transforms)
    parents = motion.skeleton.parents[1:]
    bones = transforms.global_positions[:, 1:] - transforms.global_positions[:, parents]
    np.testing.assert_allclose(v[:, 1:] - v[:, parents], np.cross(w[:, parents], bones), atol=2e-3)


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4])
def test_few_frames_are_defined(frames: int):
    motion = random_motion(random_skeleton(4), 5, num_frames=frames, smooth=True, frame_time=0.1)
    for function in (linear_velocities, angular_velocities, linear_accelerations, angular_accelerations):
        result = function(motion)
        assert result.shape == (frames, 12, 3)
        assert np.isfinite(result).all()
    if frames < 2:
        assert not linear_velocities(motion).any() and not angular_velocities(motion).any()
    if frames == 2:
        positions = forward_kinematics(motion).global_positions
        np.testing.assert_allclose(linear_velocities(motion)[0], (positions[1] - positions[0]) / 0.1)
        np.testing.assert_allclose(linear_velocities(motion)[1], linear_velocities(motion)[0])
    if frames < 3:
        assert not linear_accelerations(motion).any() and not angular_accelerations(motion).any()


def test_arguments_are_left_alone_and_bad_time_is_refused():
    values = np.arange(12.0).reshape(4, 3)
    before = values.copy()
    differentiate(values, 0.5)
    differentiate_twice(values, 0.5)
    np.testing.assert_array_equal(values, before)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="frame_time"):
            differentiate(values, wrong)
