"""Quaternions: laws of the algebra, SciPy as the oracle, the edges at zero and at half a turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation, Slerp

from kinematics import InputError
from kinematics.rotations import quaternion
from kinematics.testing import assert_quats_close

RNG = np.random.default_rng(5)
RANDOM = quaternion.normalize(RNG.normal(size=(40, 3, 4)))
OTHER = quaternion.normalize(RNG.normal(size=(40, 3, 4)))
VECTORS = RNG.normal(size=(40, 3, 3))
HALF_TURNS = np.array([[0.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0.6, -0.8, 0], [0, -0.6, 0, 0.8]])
components = st.floats(-1e3, 1e3, allow_nan=False, width=64)
rotation_vectors = arrays(np.float64, 3, elements=st.floats(-3.0, 3.0))


def scipy(rotation: np.ndarray) -> Rotation:
    return Rotation.from_quat(rotation.reshape(-1, 4), scalar_first=True)


def test_multiply_is_composition() -> None:
    expected = (scipy(RANDOM) * scipy(OTHER)).as_quat(scalar_first=True).reshape(RANDOM.shape)
    assert_quats_close(quaternion.multiply(RANDOM, OTHER), expected)
    applied = quaternion.rotate(RANDOM, quaternion.rotate(OTHER, VECTORS))
    np.testing.assert_allclose(quaternion.rotate(quaternion.multiply(RANDOM, OTHER), VECTORS), applied, atol=1e-12)


def test_multiply_is_hamiltons() -> None:
    one, i, j, k = np.eye(4)
    for left, right, product in ((i, j, k), (j, k, i), (k, i, j), (j, i, -k), (i, i, -one)):
        np.testing.assert_array_equal(quaternion.multiply(left, right), product)


def test_inverse_and_associativity() -> None:
    assert_quats_close(
        quaternion.multiply(RANDOM, quaternion.inverse(RANDOM)), np.broadcast_to(quaternion.IDENTITY, RANDOM.shape)
    )
    third = RANDOM[::-1]
    left = quaternion.multiply(quaternion.multiply(RANDOM, OTHER), third)
    np.testing.assert_allclose(left, quaternion.multiply(RANDOM, quaternion.multiply(OTHER, third)), atol=1e-15)


def test_rotate_against_scipy_and_broadcast() -> None:
    expected = scipy(RANDOM).apply(VECTORS.reshape(-1, 3)).reshape(VECTORS.shape)
    np.testing.assert_allclose(quaternion.rotate(RANDOM, VECTORS), expected, atol=1e-12)
    np.testing.assert_allclose(quaternion.rotate(RANDOM[0, 0], VECTORS[0]), quaternion.rotate(RANDOM[0, :1], VECTORS[0]), atol=0)
    quarter = quaternion.from_axis_angle(np.array([0.0, 0, 1]), np.pi / 2)
    np.testing.assert_allclose(quaternion.rotate(quarter, np.array([1.0, 0, 0])), [0, 1, 0], atol=1e-15)  # active, right-handed


def test_matrix_round_trip_with_half_turns() -> None:
    for rotation in (RANDOM.reshape(-1, 4), HALF_TURNS, quaternion.IDENTITY[None]):
        matrix = quaternion.to_matrix(rotation)
        np.testing.assert_allclose(matrix, scipy(rotation).as_matrix(), atol=1e-15)
        assert_quats_close(quaternion.from_matrix(matrix), rotation, atol_radians=1e-14)
        assert (quaternion.from_matrix(matrix)[..., 0] >= 0).all()
    for angle in np.pi - np.array([1e-3, 1e-6, 1e-9, 0.0]):
        near = quaternion.from_axis_angle(np.array([0.48, -0.6, 0.64]), angle)
        assert_quats_close(quaternion.from_matrix(quaternion.to_matrix(near)), near, atol_radians=1e-14)


def test_matrix_refuses_reflections_and_shears() -> None:
    with pytest.raises(InputError, match="reflection"):
        quaternion.from_matrix(np.diag([1.0, 1.0, -1.0]))
    with pytest.raises(InputError, match="orthonormal"):
        quaternion.from_matrix(np.diag([1.0, 1.0, 1.1]))


def test_rotation_vector_against_scipy() -> None:
    expected = scipy(RANDOM).as_rotvec().reshape(VECTORS.shape)
    np.testing.assert_allclose(quaternion.to_rotation_vector(RANDOM), expected, atol=1e-12)
    assert_quats_close(quaternion.from_rotation_vector(expected), RANDOM)


@given(rotation_vectors)
def test_rotation_vector_round_trip(vector: np.ndarray) -> None:
    rotation = quaternion.from_rotation_vector(vector)
    np.testing.assert_allclose(np.linalg.norm(rotation), 1.0, atol=1e-15)
    back = quaternion.from_rotation_vector(quaternion.to_rotation_vector(rotation))
    assert_quats_close(back, rotation, atol_radians=1e-14)
    if np.linalg.norm(vector) < np.pi - 1e-6:
        np.testing.assert_allclose(quaternion.to_rotation_vector(rotation), vector, atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-160, 1e-20, 1e-12, 1e-8, 1e-7, 1e-4])
def test_exp_and_log_are_smooth_at_zero(size: float) -> None:
    """The derivative of log(exp(v)) is one, however small v is: nothing is lost to a threshold."""
    direction = np.array([0.6, -0.48, 0.64])
    vector = quaternion.log(quaternion.exp(size * direction))
    np.testing.assert_allclose(vector, size * direction, rtol=1e-12, atol=0)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12, 0.0])
def test_log_at_half_a_turn(gap: float) -> None:
    axis = np.array([0.6, -0.48, 0.64])
    vector = quaternion.to_rotation_vector(quaternion.from_axis_angle(axis, np.pi - gap))
    np.testing.assert_allclose(np.linalg.norm(vector), np.pi - gap, atol=1e-14)
    np.testing.assert_allclose(np.abs(vector @ axis), np.linalg.norm(vector), atol=1e-12)


def test_log_is_the_same_for_both_signs() -> None:
    np.testing.assert_allclose(quaternion.log(-RANDOM), quaternion.log(RANDOM), atol=1e-15)


def test_angles() -> None:
    np.testing.assert_allclose(quaternion.angle(RANDOM).ravel(), scipy(RANDOM).magnitude(), atol=1e-12)
    tiny = quaternion.from_axis_angle(np.array([1.0, 0, 0]), np.array([1e-12, np.pi, 2 * np.pi]))
    np.testing.assert_allclose(quaternion.angle(tiny), [1e-12, np.pi, 0.0], rtol=1e-9, atol=1e-15)
    assert quaternion.angle_between(RANDOM, -RANDOM).max() < 1e-15


def test_slerp_against_scipy() -> None:
    for start, end in zip(RANDOM[:, 0], OTHER[:, 0], strict=True):
        times = np.linspace(0, 1, 7)
        oracle = Slerp([0, 1], Rotation.from_quat([start, end], scalar_first=True))(times).as_quat(scalar_first=True)
        assert_quats_close(quaternion.slerp(start, end, times), oracle, atol_radians=1e-12)


def test_slerp_laws() -> None:
    np.testing.assert_allclose(quaternion.slerp(RANDOM, OTHER, 0.0), RANDOM, atol=1e-15)
    assert_quats_close(quaternion.slerp(RANDOM, OTHER, 1.0), OTHER, atol_radians=1e-14)
    third = quaternion.slerp(RANDOM, -OTHER, 1 / 3)  # the short way, whatever the sign
    np.testing.assert_allclose(quaternion.angle_between(RANDOM, third), quaternion.angle_between(RANDOM, OTHER) / 3, atol=1e-12)
    near = quaternion.multiply(RANDOM, quaternion.from_rotation_vector(np.full(3, 1e-13)))
    assert np.isfinite(quaternion.slerp(RANDOM, near, 0.5)).all()


@given(arrays(np.float64, 3, elements=components), arrays(np.float64, 3, elements=components))
def test_shortest_arc(start: np.ndarray, end: np.ndarray) -> None:
    rotation = quaternion.shortest_arc(start, end)
    np.testing.assert_allclose(np.linalg.norm(rotation), 1.0, atol=1e-12)
    if min(np.linalg.norm(start), np.linalg.norm(end)) > 1e-6:
        u, v = start / np.linalg.norm(start), end / np.linalg.norm(end)
        np.testing.assert_allclose(quaternion.rotate(rotation, u), v, atol=1e-7)
        np.testing.assert_allclose(
            quaternion.angle(rotation), 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)), atol=1e-7
        )


def test_shortest_arc_edges() -> None:
    for axis in np.eye(3):
        np.testing.assert_allclose(quaternion.rotate(quaternion.shortest_arc(axis, -axis), axis), -axis, atol=1e-12)
        np.testing.assert_array_equal(quaternion.shortest_arc(axis, axis), quaternion.IDENTITY)
        np.testing.assert_array_equal(quaternion.shortest_arc(axis, np.zeros(3)), quaternion.IDENTITY)


def test_unroll_and_mean() -> None:
    path = quaternion.from_axis_angle(np.array([0.0, 1, 0]), np.linspace(0, 6 * np.pi, 60))
    flipped = path * np.where(RNG.random(60) < 0.5, -1.0, 1.0)[:, None]
    smooth = quaternion.unroll(flipped)
    assert (np.einsum("fi,fi->f", smooth[1:], smooth[:-1]) > 0).all()
    assert_quats_close(smooth, path)
    np.testing.assert_array_equal(smooth[0], flipped[0])
    assert quaternion.unroll(flipped[:0]).shape == (0, 4)
    around = quaternion.from_rotation_vector(np.array([[0.2, 0, 0], [-0.2, 0, 0], [0, 0.1, 0], [0, -0.1, 0]]))
    assert_quats_close(quaternion.mean(around * np.array([1, -1, 1, -1.0])[:, None]), quaternion.IDENTITY, atol_radians=1e-12)
    oracle = Rotation.from_quat(RANDOM[:, 0], scalar_first=True).mean().as_quat(scalar_first=True)
    assert_quats_close(quaternion.mean(RANDOM[:, 0]), oracle)


def test_orders() -> None:
    np.testing.assert_array_equal(quaternion.to_xyzw(np.array([1.0, 2, 3, 4])), [2, 3, 4, 1])
    np.testing.assert_array_equal(quaternion.from_xyzw(quaternion.to_xyzw(RANDOM)), RANDOM)


def test_normalize_refuses_nothing_to_normalize() -> None:
    np.testing.assert_allclose(quaternion.normalize(np.array([2.0, 0, 0, 0])), quaternion.IDENTITY)
    for bad in (np.zeros(4), np.array([np.nan, 0, 0, 1])):
        with pytest.raises(InputError, match="no rotation"):
            quaternion.normalize(bad)


def test_axis_of_any_length() -> None:
    np.testing.assert_allclose(
        quaternion.from_axis_angle(np.array([0.0, 0, 2]), 1.0), quaternion.from_rotation_vector(np.array([0.0, 0, 1])), atol=1e-15
    )
    with pytest.raises(InputError, match="no direction"):
        quaternion.from_axis_angle(np.zeros(3), 1.0)


def test_arguments_are_left_alone() -> None:
    a, b, v = RANDOM.copy(), OTHER.copy(), VECTORS.copy()
    for array in (a, b, v):
        array.setflags(write=False)
    quaternion.multiply(a, b), quaternion.rotate(a, v), quaternion.slerp(a, b, 0.3), quaternion.unroll(a), quaternion.log(a)
    np.testing.assert_array_equal(a, RANDOM)
