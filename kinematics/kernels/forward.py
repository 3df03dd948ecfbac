"""Forward kinematics: p_j = p_parent + R_parent o_j, R_j = R_parent r_j, along joints in skeleton order."""

from __future__ import annotations

import numpy as np

from kinematics.kernels.jit import jit


@jit
def rotate_add(q: np.ndarray, v: np.ndarray, p: np.ndarray, out: np.ndarray) -> None:
    """Write p + q v q* to `out`."""
    tx = 2.0 * (q[2] * v[2] - q[3] * v[1])
    ty = 2.0 * (q[3] * v[0] - q[1] * v[2])
    tz = 2.0 * (q[1] * v[1] - q[2] * v[0])
    out[0] = p[0] + v[0] + q[0] * tx + q[2] * tz - q[3] * ty
    out[1] = p[1] + v[1] + q[0] * ty + q[3] * tx - q[1] * tz
    out[2] = p[2] + v[2] + q[0] * tz + q[1] * ty - q[2] * tx


@jit
def multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """Write the Hamilton product a b to `out`."""
    w = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]
    x = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2]
    y = a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1]
    z = a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]
    out[0], out[1], out[2], out[3] = w, x, y, z


@jit
def forward(
    root: np.ndarray,
    local: np.ndarray,
    positions: np.ndarray,
    parents: np.ndarray,
    end_parents: np.ndarray,
    end_offsets: np.ndarray,
    block: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute global transforms of joints and end sites.

    root (frames, 3), local quaternions (frames, joints, 4), positions (1 or frames, joints, 3) in the parent's frame
    -> global positions (frames, joints, 3), rotations (frames, joints, 4), end sites (frames, ends, 3), one after the other
    in `block`, frames * (7 joints + 3 ends) numbers.
    """
    frames, joints = local.shape[0], local.shape[1]
    first, second = 3 * frames * joints, 7 * frames * joints
    where = block[:first].reshape((frames, joints, 3))
    turned = block[first:second].reshape((frames, joints, 4))
    ends = block[second:].reshape((frames, len(end_parents), 3))
    moving = len(positions) != 1
    for f in range(frames):
        bones = positions[f if moving else 0]
        for k in range(3):
            where[f, 0, k] = root[f, k]
        for k in range(4):
            turned[f, 0, k] = local[f, 0, k]
        for j in range(1, joints):
            p = parents[j]
            rotate_add(turned[f, p], bones[j], where[f, p], where[f, j])
            multiply(turned[f, p], local[f, j], turned[f, j])
        for e in range(len(end_parents)):
            p = end_parents[e]
            rotate_add(turned[f, p], end_offsets[e], where[f, p], ends[f, e])
    return where, turned, ends
