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
    beside = None
    try:
        if target.is_dir():
            raise InputError(f"cannot write {str(path)!r}: it is a folder; add a file name")
        if not target.parent.is_dir():
            raise InputError(f"cannot write {str(path)!r}: there is no folder {str(target.parent)!r}; make it first")
        target = target.resolve()
        exists = target.exists()
        if exists and not os.access(target, os.W_OK):
            raise PermissionError(13, "the file is write-protected")
        beside = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.part")
        with beside.open("xb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
        if exists:
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"cannot write {str(path)!r}: {getattr(error, 'strerror', None) or error}; nothing was changed"
        ) from None
    finally:
        if beside is not None:
            with contextlib.suppress(OSError):
                beside.unlink()
