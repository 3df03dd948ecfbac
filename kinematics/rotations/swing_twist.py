"""Swing and twist: a rotation as a turn about an axis followed by a tilt of that axis (Dobrowolski 2015)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.rotations import quaternion


def decompose(
    rotation: Float[np.ndarray, "... 4"], axis: Float[np.ndarray, "... 3"]
) -> tuple[Float[np.ndarray, "... 4"], Float[np.ndarray, "... 4"]]:
    """Return (swing, twist) with rotation = swing * twist, twist about the unit `axis`, swing across it.

    Where the axis is turned by exactly pi the twist is not defined; the identity is taken.
    """
    rotation, axis = np.asarray(rotation, dtype=np.float64), np.asarray(axis, dtype=np.float64)
    along = np.sum(rotation[..., 1:] * axis, axis=-1, keepdims=True)
    lead = along.shape[:-1]
    twist = np.concatenate([np.broadcast_to(rotation[..., :1], (*lead, 1)), along * axis], axis=-1)
    length = np.linalg.norm(twist, axis=-1, keepdims=True)
    undefined = length < 1e-12
    twist = np.where(undefined, quaternion.IDENTITY, twist / np.where(undefined, 1.0, length))
    twist = np.where(twist[..., :1] < 0, -twist, twist)
    return quaternion.multiply(rotation, quaternion.inverse(twist)), twist


def twist_angle(rotation: Float[np.ndarray, "... 4"], axis: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "..."]:
    """Return the signed angle in radians of the twist about the unit `axis`, -pi to pi."""
    twist = decompose(rotation, axis)[1]
    return np.asarray(2.0 * np.arctan2(np.sum(twist[..., 1:] * axis, axis=-1), twist[..., 0]))
