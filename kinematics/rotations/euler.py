"""Euler angles in all twelve orders, intrinsic and extrinsic, in radians.

An order is three letters, SciPy's way: upper case is intrinsic (axes move along: "ZXY" = Rz Rx Ry, what BVH files mean),
lower case is extrinsic (axes stay: "yxz" is the same rotation with the angles in reverse order).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.errors import UnknownNameError

ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "XYX", "XZX", "YXY", "YZY", "ZXZ", "ZYZ")


def to_quaternion(angles: Float[np.ndarray, "... 3"], order: str) -> Float[np.ndarray, "... 4"]:
    """Return the rotation of Euler angles in radians; `order` such as "ZXY" (intrinsic) or "zxy" (extrinsic).

    Raises:
        UnknownNameError: On an order that is not one of the twelve, in either case.
    """
    axes, extrinsic = _axes(order)
    angles = np.asarray(angles, dtype=np.float64)
    flat = np.ascontiguousarray((angles[..., ::-1] if extrinsic else angles).reshape(-1, 3))
    out: np.ndarray = kernels.euler.to_quaternions(flat, axes)
    return out.reshape(*angles.shape[:-1], 4)


def from_quaternion(rotation: Float[np.ndarray, "... 4"], order: str) -> Float[np.ndarray, "... 3"]:
    """Return Euler angles in radians that give the rotation back, also in gimbal lock.

    The middle angle is in [-pi/2, pi/2] (three axes) or [0, pi] (first axis repeated), the others in [-pi, pi]. In gimbal
    lock, where only a sum of the outer angles is defined, one of them is zero; the rotation is kept, not the triplet.
    Source: Bernardes and Viollet, "Quaternion to Euler angles conversion" (PLoS ONE 2022), algorithm 3.

    Raises:
        UnknownNameError: On an order that is not one of the twelve, in either case.
    """
    axes, extrinsic = _axes(order)
    rotation = np.asarray(rotation, dtype=np.float64)
    flat: np.ndarray = kernels.euler.from_quaternions(np.ascontiguousarray(rotation.reshape(-1, 4)), axes)
    out = flat.reshape(*rotation.shape[:-1], 3)
    return np.ascontiguousarray(out[..., ::-1]) if extrinsic else out


def unroll(angles: Float[np.ndarray, "frames ... 3"], order: str) -> Float[np.ndarray, "frames ... 3"]:
    """Choose, frame by frame along the first axis, the equal triplet (radians) nearest to the one before.

    A triplet may be replaced by its twin (outer angles turned by pi, middle one reflected) and by whole turns, so curves
    of a smooth motion are smooth; in gimbal lock the outer angles stay near those of the frame before. The first frame stays
    as it is.
    """
    axes, extrinsic = _axes(order)
    angles = np.asarray(angles, dtype=np.float64)
    turned = np.ascontiguousarray((angles[..., ::-1] if extrinsic else angles).reshape(len(angles), -1, 3))
    out = np.empty_like(turned)
    for k in range(turned.shape[1]):
        degrees = np.degrees(np.ascontiguousarray(turned[:, k]))
        near = kernels.channels.continue_angles(degrees, np.zeros(len(degrees), dtype=np.bool_), axes)
        out[:, k] = turned[:, k] + np.radians(near - degrees)  # what does not change keeps its last digit
    out = out.reshape(angles.shape)
    return np.ascontiguousarray(out[..., ::-1]) if extrinsic else out


def _axes(order: str) -> tuple[np.ndarray, bool]:
    upper = str(order).upper()
    if upper not in ORDERS or order not in (upper, upper.lower()):
        raise UnknownNameError("Euler order", order, ORDERS + tuple(name.lower() for name in ORDERS))
    extrinsic = order != upper
    intrinsic = upper[::-1] if extrinsic else upper
    return np.array(["XYZ".index(axis) for axis in intrinsic]), extrinsic
