"""What a batch has done so far: a file of JSON lines that only grows, so that a crash costs at most the line being written."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from kinematics.errors import InputError
from retarget.batch_clip import ClipResult

NAME, FORMAT_VERSION = "retarget.manifest.jsonl", 1
KNOWN = {each.name for each in fields(ClipResult)}


@dataclass
class Manifest:
    """The manifest of an output folder, held open and locked: two batches never write into one folder.

    Attributes:
        path: The file.
        results: The last result of each source.
    """

    path: Path
    results: dict[str, ClipResult] = field(default_factory=dict)
    _file: IO[bytes] | None = None

    def __enter__(self) -> Manifest:
        """Open, lock and read the file.

        Raises:
            InputError: Where it cannot be written, another batch holds it, or a later version wrote it.
        """
        try:
            self._file = self.path.open("a+b")
        except OSError as error:
            raise InputError(f"cannot write {str(self.path)!r}: {error.strerror}") from None
        try:
            _lock(self._file, self.path)
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, which unlocks it."""
        assert self._file is not None
        self._file.close()

    def add(self, result: ClipResult) -> None:
        """Write a result down.

        Raises:
            InputError: Where it cannot be written.
        """
        self.results[result.source] = result
        self._write(result.as_dict())

    def _read(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        data = self._file.read()
        lines = data.split(b"\n")
        if data and lines[-1]:
            self._file.write(b"\n")  # after a line that a crash has cut off
        for line in lines:
            entry = _parse(line)
            if "format_version" in entry:
                if entry["format_version"] != FORMAT_VERSION:
                    raise InputError(
                        f"{str(self.path)!r} has format_version {entry['format_version']!r}; this version reads "
                        f"{FORMAT_VERSION}: give another output folder"
                    )
            elif isinstance(entry.get("source"), str) and isinstance(entry.get("status"), str):
                entry = {name: value for name, value in entry.items() if name in KNOWN}
                self.results[entry["source"]] = ClipResult(**(entry | {"notes": tuple(entry.get("notes", ()))}))
        if not data:
            self._write({"format_version": FORMAT_VERSION})

    def _write(self, entry: Mapping[str, Any]) -> None:
        assert self._file is not None
        try:
            self._file.write(json.dumps(entry, allow_nan=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise InputError(f"cannot write {str(self.path)!r}: {error.strerror}; run the batch again later") from None


def _parse(line: bytes) -> dict[str, Any]:
    """Read a line; one that a crash has cut off holds nothing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _lock(file: IO[bytes], path: Path) -> None:
    """Hold the file for this process alone, as far as the system can; the lock ends with the process."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"another batch is writing into {str(path.parent)!r}; wait for it, or give another folder") from None
    except OSError:
        return  # a file system without locks
