"""One way to compile: nopython, cached on disk, GIL released, NumPy's division rules."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile a kernel at its first call and keep it on disk; where no folder can be written, in memory only."""
    function = inspect.unwrap(function)  # jaxtyping's test hook wraps every function, which Numba could not keep on disk
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # Numba found no place for its cache: a read-only install without a home
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(F, compiled)
