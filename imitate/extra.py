"""Packages of the extra `imitate`, and the word for one that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kinematics.errors import MissingExtraError

PACKAGES = ("mujoco", "torch", "tensorboard", "onnx", "onnxruntime", "onnxscript")


@contextmanager
def explained() -> Iterator[None]:
    """Say of a package of the extra that cannot be imported inside the block how to install it.

    Raises:
        MissingExtraError: Where one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.split(".")[0] not in PACKAGES:
            raise
        raise MissingExtraError(
            f"simulated bodies need the package {name!r}, which is not installed; pip install 'muybridge[imitate]' brings it"
        ) from None
