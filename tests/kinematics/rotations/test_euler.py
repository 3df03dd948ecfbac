"""Euler angles in all twelve orders against SciPy, and in gimbal lock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinematics import KinematicsError
from kinematics.rotations import euler, quaternion
from kinematics.testing import assert_quats_close

ALL = euler.ORDERS + tuple(order.lower() for order in euler.ORDERS)
orders = st.sampled_from(ALL)
angles = st.lists(st.one_of(st.floats(-10, 10), st.sampled_from([k * np.pi / 2 for k in range(-6, 7)])), min_size=3, max_size=3)


@pytest.mark.parametrize("order", ALL)
def test_to_quaternion_against_scipy(order: str) -> None:
    turns = np.random.default_rng(1).uniform(-8, 8, (300, 3))
    oracle = Rotation.from_euler(order, turns).as_quat(scalar_first=True)
    assert_quats_close(euler.to_quaternion(turns, order), oracle, atol_radians=1e-13)


@pytest.mark.parametrize("order", ALL)
def test_from_quaternion_against_scipy(order: str) -> None:
    rotation = Rotation.random(300, rng=2)
    np.testing.assert_allclose(
        euler.from_quaternion(rotation.as_quat(scalar_first=True), order), rotation.as_euler(order), atol=1e-10
    )


@given(orders, angles)
def test_rotation_survives(order: str, triplet: list[float]) -> None:
    """Also where the middle angle is a multiple of 90 degrees: the rotation comes back, not the triplet."""
    rotation = euler.to_quaternion(np.array(triplet), order)
    back = euler.from_quaternion(rotation, order)
    assert_quats_close(euler.to_quaternion(back, order), rotation, atol_radians=1e-13)
    assert (np.abs(back) <= np.pi + 1e-12).all()


@pytest.mark.parametrize("order", ALL)
@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-9, 1e-6])
def test_near_gimbal_lock(order: str, gap: float) -> None:
    lock = (0.0, np.pi) if order[0] == order[2] else (np.pi / 2, -np.pi / 2)
    for middle in lock:
        turns = np.array([[0.7, middle + gap, -1.1], [0.7, middle - gap, 2.9]])
        rotation = euler.to_quaternion(turns, order)
        assert_quats_close(euler.to_quaternion(euler.from_quaternion(rotation, order), order), rotation, atol_radians=1e-14)


def test_intrinsic_is_a_product_from_left_to_right() -> None:
    x, y, z = (quaternion.from_axis_angle(axis, angle) for axis, angle in zip(np.eye(3), (0.3, -0.5, 0.9), strict=True))
    product = quaternion.multiply(z, quaternion.multiply(x, y))
    assert_quats_close(euler.to_quaternion(np.array([0.9, 0.3, -0.5]), "ZXY"), product)
    assert_quats_close(euler.to_quaternion(np.array([-0.5, 0.3, 0.9]), "yxz"), product)  # extrinsic, angles reversed


@pytest.mark.parametrize("order", ["ZXY", "ZYX", "xyz", "ZXZ", "yxy"])
def test_unroll_follows_a_smooth_motion(order: str) -> None:
    """Angles of a tumbling body stay continuous over many turns and through the range of the middle angle."""
    time = np.linspace(0, 4, 4000)[:, None]
    wild = np.concatenate([9.0 * time, 1.3 * np.sin(5 * time) + 1.0, 7.0 * time], axis=1)
    wrapped = euler.from_quaternion(euler.to_quaternion(wild, order), order)
    smooth = euler.unroll(wrapped, order)
    assert np.abs(np.diff(wrapped, axis=0)).max() > 3.0
    assert np.abs(np.diff(smooth, axis=0)).max() < 0.5
    assert_quats_close(euler.to_quaternion(smooth, order), euler.to_quaternion(wild, order), atol_radians=1e-9)
    np.testing.assert_array_equal(smooth[0], wrapped[0])


@pytest.mark.parametrize("order", ["ZXY", "YXZ", "ZXZ", "yxz"])
def test_unroll_passes_through_gimbal_lock_without_a_jump(order: str) -> None:
    middle = np.pi / 2 if len(set(order)) == 3 else 0.0
    smooth = np.tile([[0.4, middle, 0.7]], (5, 1))
    wrapped = euler.from_quaternion(euler.to_quaternion(smooth, order), order)
    wrapped[0] = smooth[0]
    np.testing.assert_allclose(euler.unroll(wrapped, order), smooth, atol=1e-12)


def test_shapes() -> None:
    assert euler.to_quaternion(np.zeros((0, 3)), "ZXY").shape == (0, 4)
    assert euler.from_quaternion(np.ones((2, 5, 4)) / 2, "XYX").shape == (2, 5, 3)
    assert euler.unroll(np.zeros((1, 4, 3)), "XYZ").shape == (1, 4, 3)


@pytest.mark.parametrize("order", ["XXY", "XY", "xYz", "", "ABC", "XYZW"])
def test_unknown_order(order: str) -> None:
    with pytest.raises(KinematicsError, match="no Euler order named"):
        euler.to_quaternion(np.zeros(3), order)
