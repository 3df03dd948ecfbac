"""Read-only arrays inside frozen dataclasses (conventions 7)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kinematics.errors import InputError

HUGE_PAGE = 1 << 21  # bytes


def roomy(*shape: int) -> np.ndarray:
    """Return an uninitialised array of doubles; a large one lies in huge pages where Linux gives them.

    NumPy asks for them from 4 MiB on, and only whole, aligned ones count. First touches of small pages would cost more than
    writing the numbers.
    """
    size = 8 * math.prod(shape)
    if size < HUGE_PAGE:
        return np.empty(shape)
    buffer = np.empty((size // HUGE_PAGE + 2) * HUGE_PAGE, dtype=np.uint8)
    start = -buffer.ctypes.data % HUGE_PAGE
    return buffer[start : start + size].view(np.float64).reshape(shape)


class _HandedOver(np.ndarray):
    """An array whose maker keeps no writable reference."""


def hand_over(array: np.ndarray) -> np.ndarray:
    """Mark a fresh array of our own making, so that it is locked instead of copied; do not use it afterwards."""
    array.setflags(write=False)
    return array.view(_HandedOver)


def is_handed_over(values: object) -> bool:
    """Tell whether an array was marked by `hand_over`."""
    return isinstance(values, _HandedOver)


def frozen(values: object, shape: tuple[int | None, ...], name: str, dtype: type[Any] = np.float64) -> np.ndarray:
    """Copy `values` into a read-only array of the given shape; `None` in the shape is any length."""
    try:
        given = is_handed_over(values)
        array = np.asarray(values, dtype=dtype, order="C") if given else np.array(values, dtype=dtype, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers of shape {_shown(shape)}: {error}") from None
    if array.ndim != len(shape) or any(want is not None and want != got for want, got in zip(shape, array.shape, strict=True)):
        raise InputError(f"{name} must have shape {_shown(shape)}, got {array.shape}")
    if dtype is np.int64 and not np.array_equal(array, np.asarray(values)):
        raise InputError(f"{name} must be whole numbers, got {np.asarray(values).tolist()}")
    require_finite(array, name)
    array.setflags(write=False)
    return array


def require_finite(array: np.ndarray, name: str) -> None:
    """Raise an error that names the first index that is NaN or infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        at = tuple(int(index) for index in bad[0])
        raise InputError(f"{name} must be finite, got {array[at]} at index {at} ({len(bad)} such values)")


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"


class FrozenArrays:
    """Base of our frozen dataclasses: unpickled and copied arrays are read-only again."""

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore the fields and lock every array."""
        for key, value in state.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, key, value)
