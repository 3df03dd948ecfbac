"""The linear model of a problem at a pose: residuals and their Jacobian, as matrices to work with."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.ik.tables import Tables
from kinematics.motion import Pose


def linearize(
    tables: Tables,
    pose: Pose,
    points: Float[np.ndarray, "tasks 3"],
    rotations: Float[np.ndarray, "tasks 4"],
    anchor: Float[np.ndarray, "3"],
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows columns"]]:
    """Return the residuals of all tasks at a pose and their Jacobian, see `Problem.linearize`.

    Args:
        tables: Of the problem.
        pose: Where to linearize.
        points: Target of each task that is a point, global.
        rotations: Target of each task that is an orientation, quaternions wxyz.
        anchor: Where the anchor stays, global; any where there is none.
    """
    count, number = len(tables.tree) - 1, len(tables.tasks)
    local, root = np.array(pose.local_rotations[tables.tree["joint"][:-1]]), np.array(pose.root_positions)
    residual, jacobian = np.empty((number, 3)), np.empty((3 * number, 3 * count + 3))
    kernels.linearize.linearize(
        tables.tree, tables.tasks, tables.slots,
        pose.skeleton.offsets if pose.local_positions is None else pose.local_positions,
        tables.anchor, tables.anchor_offset, anchor, points, rotations, root, local,
        np.empty((count + 1, 4)), np.empty(number), residual, jacobian,
    )  # fmt: skip
    return residual.ravel(), jacobian
