"""The one place where MuJoCo's world (Z up, robots facing +X) becomes ours (Y up, bodies facing +Z), and back.

(x, y, z) becomes (y, z, x): a turn by 120 degrees about the diagonal, so nothing is mirrored and no digit is lost. A robot
that looks along MuJoCo's x axis, its left side along y, then stands as every clip of ours does: left +X, up +Y, forward +Z.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_TO_Y_UP, _TO_Z_UP = [1, 2, 0], [2, 0, 1]


def to_y_up(vectors: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """Bring positions or directions from MuJoCo's world or body frames into ours, shape (..., 3)."""
    return np.asarray(vectors)[..., _TO_Y_UP]


def to_z_up(vectors: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """Bring positions or directions from our frames into MuJoCo's, shape (..., 3); the inverse of `to_y_up`."""
    return np.asarray(vectors)[..., _TO_Z_UP]


def rotations_to_y_up(rotations: Float[np.ndarray, "... 4"]) -> Float[np.ndarray, "... 4"]:
    """Express rotations (unit quaternions wxyz) of MuJoCo's frames in ours, shape (..., 4)."""
    rotations = np.asarray(rotations)
    return np.concatenate([rotations[..., :1], to_y_up(rotations[..., 1:])], axis=-1)


def rotations_to_z_up(rotations: Float[np.ndarray, "... 4"]) -> Float[np.ndarray, "... 4"]:
    """Express rotations (unit quaternions wxyz) of our frames in MuJoCo's, shape (..., 4)."""
    rotations = np.asarray(rotations)
    return np.concatenate([rotations[..., :1], to_z_up(rotations[..., 1:])], axis=-1)
