"""Packages of the extra `viewer`, imported where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from kinematics.errors import MissingExtraError


def require(package: str) -> ModuleType:
    """Import a package of the extra.

    Raises:
        MissingExtraError: Where it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.split(".")[0]:
            raise
        raise MissingExtraError(
            f"this needs the package {package!r}, which is not installed; pip install 'muybridge[viewer]' brings it"
        ) from None
