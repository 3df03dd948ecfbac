"""The continuous 6D representation: the first two columns of the rotation matrix (Zhou et al. 2019, eq. 13 to 15)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.errors import InputError
from kinematics.rotations import quaternion


def from_quaternion(rotation: Float[np.ndarray, "... 4"]) -> Float[np.ndarray, "... 6"]:
    """Return the first column of the rotation matrix, then the second (pytorch3d takes rows instead)."""
    matrix = quaternion.to_matrix(rotation)
    return np.concatenate([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def to_quaternion(sixd: Float[np.ndarray, "... 6"]) -> Float[np.ndarray, "... 4"]:
    """Return the rotation whose first two columns are nearest in Gram-Schmidt's sense; columns need not be unit.

    Raises:
        InputError: Where a column is zero or both are parallel.
    """
    sixd = np.asarray(sixd, dtype=np.float64)
    first, second = sixd[..., :3], sixd[..., 3:]
    x = first / _length(first)
    rest = second - np.sum(x * second, axis=-1, keepdims=True) * x
    if np.any(np.linalg.norm(rest, axis=-1) <= 1e-12 * np.linalg.norm(second, axis=-1)):
        raise InputError("the two columns of a 6D rotation must not be parallel")
    y = rest / _length(rest)
    return quaternion.from_matrix(np.stack([x, y, np.cross(x, y)], axis=-1))


def _length(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    if not np.all((length > 0) & np.isfinite(length)):
        raise InputError("a column of a 6D rotation must not be zero or NaN")
    return np.asarray(length)
