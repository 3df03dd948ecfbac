"""The 6D representation: columns of the matrix, Gram-Schmidt back."""

from __future__ import annotations

import numpy as np
import pytest

from kinematics import InputError
from kinematics.rotations import quaternion, sixd
from kinematics.testing import assert_quats_close

RANDOM = quaternion.normalize(np.random.default_rng(3).normal(size=(50, 2, 4)))


def test_is_the_first_two_columns() -> None:
    matrix = quaternion.to_matrix(RANDOM)
    np.testing.assert_array_equal(sixd.from_quaternion(RANDOM)[..., :3], matrix[..., :, 0])
    np.testing.assert_array_equal(sixd.from_quaternion(RANDOM)[..., 3:], matrix[..., :, 1])


def test_round_trip_and_scale() -> None:
    six = sixd.from_quaternion(RANDOM)
    assert_quats_close(sixd.to_quaternion(six), RANDOM, atol_radians=1e-12)
    stretched = six * np.array([2.0, 2, 2, 0.1, 0.1, 0.1])
    assert_quats_close(sixd.to_quaternion(stretched), RANDOM, atol_radians=1e-12)
    skewed = six + np.concatenate([np.zeros_like(six[..., :3]), 0.7 * six[..., :3]], axis=-1)
    assert_quats_close(sixd.to_quaternion(skewed), RANDOM, atol_radians=1e-12)


@pytest.mark.parametrize("bad", [[0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0], [1, 2, 3, 2, 4, 6], [np.nan, 0, 0, 0, 1, 0]])
def test_refuses_what_is_no_rotation(bad: list[float]) -> None:
    with pytest.raises(InputError):
        sixd.to_quaternion(np.array(bad, dtype=float))
