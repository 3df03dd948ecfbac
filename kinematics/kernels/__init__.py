"""Numba kernels: plain arrays in, plain arrays out, no objects, no errors raised inside.

Submodules load on first use, so that `import kinematics` neither imports Numba nor compiles anything.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from kinematics.kernels import algebra as algebra
    from kinematics.kernels import bodies as bodies
    from kinematics.kernels import body_frames as body_frames
    from kinematics.kernels import bvh_numbers as bvh_numbers
    from kinematics.kernels import capsules as capsules
    from kinematics.kernels import ccd as ccd
    from kinematics.kernels import channels as channels
    from kinematics.kernels import classic_steps as classic_steps
    from kinematics.kernels import damped_steps as damped_steps
    from kinematics.kernels import euler as euler
    from kinematics.kernels import fabrik as fabrik
    from kinematics.kernels import fit_rotations as fit_rotations
    from kinematics.kernels import fit_smooth as fit_smooth
    from kinematics.kernels import forward as forward
    from kinematics.kernels import hinge_speeds as hinge_speeds
    from kinematics.kernels import hinges as hinges
    from kinematics.kernels import interpolate as interpolate
    from kinematics.kernels import jacobian as jacobian
    from kinematics.kernels import limbs as limbs
    from kinematics.kernels import limits as limits
    from kinematics.kernels import linearize as linearize
    from kinematics.kernels import over_time as over_time
    from kinematics.kernels import over_time_linear as over_time_linear
    from kinematics.kernels import pose_numbers as pose_numbers
    from kinematics.kernels import solver_state as solver_state
    from kinematics.kernels import speed_limits as speed_limits
    from kinematics.kernels import tasks as tasks
    from kinematics.kernels import transfer as transfer
    from kinematics.kernels import two_bone as two_bone


def __getattr__(name: str) -> ModuleType:
    """Import a kernel module the first time it is asked for."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":  # Numba itself is missing, say
            raise
        raise AttributeError(f"there are no kernels named {name!r}") from None
