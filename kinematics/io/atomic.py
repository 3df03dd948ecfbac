"""Write a file beside its target, then rename it into place: a crash leaves the old file or the new one, never half."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from kinematics.errors import InputError


def write_bytes(path: str | Path, data: bytes | Sequence[bytes]) -> None:
    """Replace the file at `path` by `data` (one piece, or several in order), all or nothing.

    A link is followed: the file it points to is replaced. An existing file keeps its permissions.

    Raises:
        InputError: Where the folder is missing, the path is a folder, or the place cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"cannot write {str(path)!r}: it is a folder; add a file name")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: there is no folder {str(target.parent)!r}; make it first")
    target = target.resolve()
    beside = target.with_name(f".{target.name[:60]}.{secrets.token_hex(6)}.part")
    try:
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "the file is write-protected")
        with beside.open("xb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {str(path)!r}: {error.strerror or error}; nothing was changed") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
