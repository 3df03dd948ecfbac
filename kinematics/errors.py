"""Errors of the package. Each message says what is wrong, the value received and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "BvhParseError",
    "GraphicsError",
    "InputError",
    "KinematicsError",
    "MissingExtraError",
    "MissingFileError",
    "UnknownNameError",
]


class KinematicsError(Exception):
    """Base of all errors raised by muybridge. They can be pickled, so worker processes can raise them."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the finished message and the attributes, whatever arguments the class is made with."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(kind: type[KinematicsError], args: tuple[object, ...], attributes: dict[str, object]) -> KinematicsError:
    native: Any = kind
    while native.__module__ != "builtins":  # the C class whose memory layout this one has, such as FileNotFoundError
        native = native.__base__ or BaseException
    error: KinematicsError = native.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class InputError(KinematicsError, ValueError):
    """A value, shape or combination of arguments that cannot be used."""


class UnknownNameError(InputError, KeyError):
    """A joint, end site or option name that does not exist; the message holds the nearest ones."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        """Build the message from what was asked for and what there is."""
        names = list(known)
        folded = {candidate.lower(): candidate for candidate in names}
        near = [folded[match] for match in difflib.get_close_matches(str(name).lower(), folded, n=3, cutoff=0.5)]
        listed = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
        hint = f"did you mean {' or '.join(repr(match) for match in near)}?" if near else f"there are: {listed}"
        super().__init__(f"no {kind} named {name!r}; {hint}")

    def __str__(self) -> str:
        """Return the message itself (a plain KeyError would quote it)."""
        return str(self.args[0])


class MissingFileError(InputError, FileNotFoundError):
    """A file that does not exist; the message holds the nearest names in its folder."""

    def __init__(self, path: object, known: Iterable[str] = ()) -> None:
        """Build the message from the path asked for and the names of files that are there."""
        near = difflib.get_close_matches(str(path).replace("\\", "/").rsplit("/", 1)[-1], list(known), n=3, cutoff=0.6)
        hint = f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
        super().__init__(f"there is no file {str(path)!r}{hint}")


class BvhParseError(InputError):
    """A BVH file that cannot be read, or that `strict=True` refuses.

    Attributes:
        path: The file, or "<bytes>".
        line: 1-based line of the trouble.
        expected: What should have stood there.
    """

    def __init__(self, message: str, *, path: str, line: int, expected: str = "") -> None:
        """Build "path:line: message; expected ..."."""
        self.path, self.line, self.expected, self.reason = path, line, expected, message
        super().__init__(f"{path}:{line}: {message}" + (f"; expected {expected}" if expected else ""))


class MissingExtraError(KinematicsError):
    """A package of an extra is not installed; the message names the command that installs it."""


class GraphicsError(KinematicsError):
    """No GL context can be had; the message names the packages to install and the way to go on without."""
