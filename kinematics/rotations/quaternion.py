"""Unit quaternions wxyz (Hamilton, active, column vectors), shape (..., 4); leading axes broadcast.

`multiply(a, b)` applies `b` first. q and -q are the same rotation; functions that must choose say which they return.
Source of the algebra: Sola, "Quaternion kinematics for the error-state Kalman filter" (2017).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.errors import InputError

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
IDENTITY.setflags(write=False)

Quaternions = Float[np.ndarray, "... 4"]
Vectors = Float[np.ndarray, "... 3"]


def normalize(quaternion: Quaternions) -> Quaternions:
    """Scale to unit length.

    Raises:
        InputError: Where a quaternion is zero or not finite.
    """
    quaternion = np.asarray(quaternion, dtype=np.float64)
    length = np.linalg.norm(quaternion, axis=-1, keepdims=True)
    if not np.all((length > 0) & np.isfinite(length)):
        raise InputError("a quaternion of length zero or with NaN has no rotation")
    return np.asarray(quaternion / length)


def multiply(left: Quaternions, right: Quaternions) -> Quaternions:
    """Compose rotations: the result applies `right` first, then `left`."""
    left, right = np.asarray(left), np.asarray(right)
    aw, ax, ay, az = (left[..., i] for i in range(4))
    bw, bx, by, bz = (right[..., i] for i in range(4))
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def inverse(quaternion: Quaternions) -> Quaternions:
    """Return the inverse rotation (the conjugate of a unit quaternion)."""
    return np.asarray(np.asarray(quaternion) * np.array([1.0, -1.0, -1.0, -1.0]))


def rotate(quaternion: Quaternions, vector: Vectors) -> Vectors:
    """Rotate vectors, shape (..., 3)."""
    quaternion, vector = np.asarray(quaternion), np.asarray(vector)
    axis = quaternion[..., 1:]
    twice = 2.0 * np.cross(axis, vector)
    return np.asarray(vector + quaternion[..., :1] * twice + np.cross(axis, twice))


def angle(quaternion: Quaternions) -> Float[np.ndarray, "..."]:
    """Return the rotation angle in radians, 0 to pi; exact near both ends."""
    quaternion = np.asarray(quaternion)
    return np.asarray(2.0 * np.arctan2(np.linalg.norm(quaternion[..., 1:], axis=-1), np.abs(quaternion[..., 0])))


def angle_between(left: Quaternions, right: Quaternions) -> Float[np.ndarray, "..."]:
    """Return the angle in radians of the rotation from one to the other, 0 to pi."""
    return angle(multiply(inverse(left), right))


def exp(vector: Vectors) -> Quaternions:
    """Return the exponential of the pure quaternion (0, v): a rotation by 2|v| about v (Sola eq. 41)."""
    vector = np.asarray(vector, dtype=np.float64)
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.concatenate([np.cos(length), vector * np.sinc(length / np.pi)], axis=-1)


def log(quaternion: Quaternions) -> Vectors:
    """Return the vector v of the logarithm (0, v), |v| at most pi / 2: q and -q give the same.

    Smooth at the identity; at half a turn, where both axes are right, the one that `quaternion` holds with w >= 0 is
    returned.
    """
    quaternion = np.asarray(quaternion, dtype=np.float64)
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    sine = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    half = np.arctan2(sine, quaternion[..., :1])
    tiny = sine < 1e-8  # atan2(s, w) / s = 1 / w up to s^2 / 3
    return np.asarray(quaternion[..., 1:] * np.where(tiny, 1.0, half) / np.where(tiny, 1.0, sine))


def from_rotation_vector(vector: Vectors) -> Quaternions:
    """Return the rotation by |v| radians about v."""
    return exp(0.5 * np.asarray(vector, dtype=np.float64))


def to_rotation_vector(quaternion: Quaternions) -> Vectors:
    """Return axis times angle in radians, angle at most pi."""
    return np.asarray(2.0 * log(quaternion))


def from_axis_angle(axis: Vectors, radians: Float[np.ndarray, "..."] | float) -> Quaternions:
    """Return the rotation by `radians` about an axis of any length.

    Raises:
        InputError: Where an axis is zero or not finite.
    """
    axis = np.asarray(axis, dtype=np.float64)
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    if not np.all((length > 0) & np.isfinite(length)):
        raise InputError("an axis of length zero or with NaN has no direction to turn about")
    half = 0.5 * np.asarray(radians, dtype=np.float64)[..., None]
    lead = np.broadcast_shapes(axis.shape[:-1], half.shape[:-1])
    sine = np.broadcast_to(np.sin(half) * (axis / length), (*lead, 3))
    return np.concatenate([np.broadcast_to(np.cos(half), (*lead, 1)), sine], axis=-1)


def to_matrix(quaternion: Quaternions) -> Float[np.ndarray, "... 3 3"]:
    """Return rotation matrices (columns are the rotated axes)."""
    quaternion = np.asarray(quaternion)
    w, x, y, z = (quaternion[..., i] for i in range(4))
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrix(matrix: Float[np.ndarray, "... 3 3"]) -> Quaternions:
    """Return unit quaternions of rotation matrices, w >= 0; exact at half a turn too.

    The largest of the four components is taken from the diagonal (Shepperd 1978), the others from it.

    Raises:
        InputError: Where a matrix is a reflection or not orthonormal within 1e-3.
    """
    m = np.asarray(matrix, dtype=np.float64)
    gram = np.einsum("...ki,...kj->...ij", m, m)
    if not np.all(np.abs(gram - np.eye(3)) < 1e-3):
        raise InputError("a rotation matrix must be orthonormal")
    if np.any(np.linalg.det(m) < 0):
        raise InputError("a matrix with determinant -1 is a reflection, not a rotation")
    t = np.trace(m, axis1=-2, axis2=-1)
    d = np.diagonal(m, axis1=-2, axis2=-1)
    squares = np.concatenate([1 + t[..., None], 1 + 2 * d - t[..., None]], axis=-1)  # 4 w^2, 4 x^2, 4 y^2, 4 z^2
    products = np.empty((*m.shape[:-2], 4, 4))  # 4 q_i q_j
    for i in range(4):
        products[..., i, i] = squares[..., i]
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        wi = m[..., k, j] - m[..., j, k]
        products[..., 0, 1 + i] = products[..., 1 + i, 0] = wi
        ij = m[..., j, i] + m[..., i, j]
        products[..., 1 + i, 1 + j] = products[..., 1 + j, 1 + i] = ij
    best = squares.argmax(axis=-1)[..., None, None]
    row = np.take_along_axis(products, np.broadcast_to(best, (*best.shape[:-1], 4)), axis=-2)[..., 0, :]
    row = row / np.linalg.norm(row, axis=-1, keepdims=True)
    return np.asarray(np.where(row[..., :1] < 0, -row, row))


def slerp(start: Quaternions, end: Quaternions, fraction: Float[np.ndarray, "..."] | float) -> Quaternions:
    """Interpolate along the shorter arc at constant speed (Shoemake 1985); fraction 0 gives `start`, 1 gives `end`."""
    fraction = np.asarray(fraction, dtype=np.float64)[..., None]
    return multiply(start, exp(fraction * log(multiply(inverse(start), end))))


def shortest_arc(start: Vectors, end: Vectors) -> Quaternions:
    """Return the smallest rotation that turns the direction of `start` into that of `end`.

    Opposite directions turn by pi about some axis across; a zero vector gives the identity.
    """
    start, end = np.broadcast_arrays(np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64))
    lengths = np.linalg.norm(start, axis=-1, keepdims=True), np.linalg.norm(end, axis=-1, keepdims=True)
    zero = (lengths[0] == 0) | (lengths[1] == 0)
    u = start / np.where(lengths[0] == 0, 1.0, lengths[0])
    v = end / np.where(lengths[1] == 0, 1.0, lengths[1])
    middle = u + v  # |u + v| = 2 cos(half angle), and u x (u + v) = u x v
    cosine = 0.5 * np.linalg.norm(middle, axis=-1, keepdims=True)
    axis = np.cross(u, v)
    across = np.cross(u, np.where(np.abs(u[..., :1]) < 0.7, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    across = across / np.where(zero, 1.0, np.linalg.norm(across, axis=-1, keepdims=True) + zero)
    opposite = cosine < 1e-8
    imaginary = np.where(opposite, across, axis / np.where(opposite, 1.0, 2.0 * cosine))
    result = np.concatenate([np.where(opposite, 0.0, cosine), imaginary], axis=-1)
    result = np.where(zero, IDENTITY, result)
    return np.asarray(result / np.linalg.norm(result, axis=-1, keepdims=True))


def unroll(quaternion: Float[np.ndarray, "frames ... 4"]) -> Float[np.ndarray, "frames ... 4"]:
    """Choose signs along the first axis so that neighbours lie in one half-sphere; the first frame keeps its sign."""
    quaternion = np.asarray(quaternion)
    if len(quaternion) < 2:
        return quaternion.copy()
    flips = np.einsum("...i,...i->...", quaternion[1:], quaternion[:-1]) < 0
    signs = np.concatenate([np.ones((1, *flips.shape[1:])), np.where(np.cumsum(flips, axis=0) % 2 == 1, -1.0, 1.0)])
    return np.asarray(quaternion * signs[..., None])


def mean(quaternion: Float[np.ndarray, "frames ... 4"]) -> Quaternions:
    """Return the mean rotation over the first axis: the largest eigenvector of sum q q^T (Markley et al. 2007)."""
    outer = np.einsum("n...i,n...j->...ij", quaternion, quaternion)
    result = np.linalg.eigh(outer)[1][..., -1]
    return np.asarray(np.where(result[..., :1] < 0, -result, result))


def from_xyzw(quaternion_xyzw: Quaternions) -> Quaternions:
    """Reorder from xyzw (SciPy's default, ROS, Unity) to wxyz."""
    return np.asarray(quaternion_xyzw)[..., [3, 0, 1, 2]]


def to_xyzw(quaternion: Quaternions) -> Quaternions:
    """Reorder from wxyz to xyzw (SciPy's default, ROS, Unity)."""
    return np.asarray(quaternion)[..., [1, 2, 3, 0]]
