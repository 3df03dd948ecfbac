"""Errors of the package."""

from __future__ import annotations

from kinematics.errors import InputError

__all__ = ["RetargetError"]


class RetargetError(InputError):
    """Two skeletons or clips that cannot be brought together; the message says what was found and what is missing."""
