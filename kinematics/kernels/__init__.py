"""Numba kernels: plain arrays in, plain arrays out, no objects, no errors raised inside.

Submodules load on first use, so that `import kinematics` neither imports Numba nor compiles anything.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from kinematics.kernels import bvh_numbers as bvh_numbers
    from kinematics.kernels import channels as channels
    from kinematics.kernels import euler as euler
    from kinematics.kernels import forward as forward
    from kinematics.kernels import interpolate as interpolate
    from kinematics.kernels import transfer as transfer


def __getattr__(name: str) -> ModuleType:
    """Import a kernel module the first time it is asked for."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":  # Numba itself is missing, say
            raise
        raise AttributeError(f"there are no kernels named {name!r}") from None
