"""Gains and torque limits of the hinges, from the inertia that they carry and the weight that legs bear."""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float

from imitate.character.config import CharacterConfig

GRAVITY = 9.81


def carried_inertias(model: mujoco.MjModel, qpos: Float[np.ndarray, " nq"]) -> Float[np.ndarray, " hinges"]:
    """Return the inertia that each hinge turns in a pose when all others are locked and the root is free, kg m2.

    It is M_hh - M_hr M_rr^-1 M_rh of the joint-space inertia M with r the root's six: the two sides of the hinge turn
    against each other.
    """
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    whole = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, whole)
    root, cross = whole[:6, :6], whole[:6, 6:]
    return np.asarray(np.diag(whole)[6:] - np.einsum("rh,rh->h", cross, np.linalg.solve(root, cross)))


def gains(
    inertias: Float[np.ndarray, " hinges"],
    bears: Float[np.ndarray, " hinges"],
    config: CharacterConfig,
) -> tuple[Float[np.ndarray, " hinges"], Float[np.ndarray, " hinges"], Float[np.ndarray, " hinges"]]:
    """Return stiffness (N m/rad), damping (N m s/rad) and torque limits (N m) of each hinge.

    Args:
        inertias: Inertia that each hinge carries, armature included, kg m2.
        bears: Weight times height of the mass centre for hinges of legs, N m, 0 elsewhere: the stiffness below which a body
            would topple about them.
        config: Frequency, damping, reach.
    """
    stiffness = np.maximum(inertias * (2.0 * np.pi * config.natural_frequency_hz) ** 2, config.stance * bears)
    return stiffness, config.damping_s * stiffness, np.radians(config.reach_degrees) * stiffness
