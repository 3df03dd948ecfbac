"""Swing and twist: the product gives the rotation back, the swing has no twist."""

from __future__ import annotations

import numpy as np

from kinematics.rotations import quaternion, swing_twist
from kinematics.testing import assert_quats_close

RNG = np.random.default_rng(4)
RANDOM = quaternion.normalize(RNG.normal(size=(60, 4)))
AXES = RNG.normal(size=(60, 3))
AXES /= np.linalg.norm(AXES, axis=1, keepdims=True)


def test_product_and_parts() -> None:
    swing, twist = swing_twist.decompose(RANDOM, AXES)
    assert_quats_close(quaternion.multiply(swing, twist), RANDOM)
    np.testing.assert_allclose(quaternion.rotate(twist, AXES), AXES, atol=1e-12)
    np.testing.assert_allclose(np.sum(swing[:, 1:] * AXES, axis=1), 0.0, atol=1e-12)  # the swing's axis lies across
    assert_quats_close(swing, quaternion.shortest_arc(AXES, quaternion.rotate(RANDOM, AXES)), atol_radians=1e-7)


def test_twist_angle_of_a_pure_twist() -> None:
    angles = np.linspace(-np.pi + 1e-6, np.pi - 1e-6, 60)
    np.testing.assert_allclose(swing_twist.twist_angle(quaternion.from_axis_angle(AXES, angles), AXES), angles, atol=1e-12)


def test_axis_turned_over() -> None:
    """Where the axis is turned by pi the twist is not defined: nothing breaks, the product holds."""
    over = np.array([0.0, 1.0, 0.0, 0.0])
    swing, twist = swing_twist.decompose(over, np.array([0.0, 0.0, 1.0]))
    np.testing.assert_array_equal(twist, quaternion.IDENTITY)
    assert_quats_close(quaternion.multiply(swing, twist), over)
