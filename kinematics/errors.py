"""Errors of the package. Each message says what is wrong, the value received and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["BvhParseError", "InputError", "KinematicsError", "MissingExtraError", "MissingFileError", "UnknownNameError"]


class KinematicsError(Exception):
    """Base of all errors raised by muybridge."""


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

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword arguments, so that worker processes can raise it."""
        return _rebuild_parse_error, (self.reason, self.path, self.line, self.expected)


def _rebuild_parse_error(message: str, path: str, line: int, expected: str) -> BvhParseError:
    return BvhParseError(message, path=path, line=line, expected=expected)


class MissingExtraError(KinematicsError, ImportError):
    """A feature whose optional packages are not installed; the message holds the pip command."""

    def __init__(self, feature: str, extra: str) -> None:
        """Name the feature and the extra that brings its packages."""
        super().__init__(f"{feature} needs packages that are not installed; run: pip install 'muybridge[{extra}]'")
