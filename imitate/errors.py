"""Errors of the package."""

from __future__ import annotations

from kinematics.errors import InputError

__all__ = ["ImitationError"]


class ImitationError(InputError):
    """A clip, body, run or policy that cannot be used; the message says what was found, what is allowed and the mend."""
