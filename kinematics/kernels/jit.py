"""One way to compile: nopython, cached on disk, GIL released, NumPy's division rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile a kernel at its first call and keep it on disk; where no folder can be written, in memory only."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # Numba found no place for its cache: a read-only install without a home
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
