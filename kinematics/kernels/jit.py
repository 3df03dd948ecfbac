"""One way to compile: nopython, cached on disk, GIL released, NumPy's division rules."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile a kernel at its first call and keep it on disk; where no folder can be written, in memory only."""
    return _compile(function, {})


def fused_jit(function: F) -> F:
    """Compile as `jit` does, and let a product and a sum become one fused operation, which rounds once."""
    return _compile(function, {"fastmath": {"contract"}})


def _compile(function: F, options: dict[str, Any]) -> F:
    function = inspect.unwrap(function)  # jaxtyping's test hook wraps every function, which Numba could not keep on disk
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:  # Numba found no place for its cache: a read-only install without a home
        compiled = numba.njit(nogil=True, error_model="numpy", **options)(function)
    return cast(F, compiled)
