"""Torch files of ours: written beside and renamed, read with `weights_only=True`, refused in words where they are not ours."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from imitate.errors import ImitationError
from kinematics.errors import InputError, MissingFileError
from kinematics.io.atomic import write_bytes

FORMAT_VERSION = 1
LATEST = "latest"


def save_torch(path: str | Path, kind: str, content: dict[str, Any]) -> None:
    """Write nested dictionaries of tensors, arrays, numbers and strings, replacing the file all or nothing.

    Args:
        path: The file, usually ending in .pt.
        kind: What it is, such as "checkpoint"; `load_torch` asks for it.
        content: What to keep.

    Raises:
        InputError: Where it cannot be written, as on a full disk; an existing file is left as it was.
    """
    buffer = io.BytesIO()
    torch.save({"format": f"muybridge {kind}", "format_version": FORMAT_VERSION, "content": _packed(content)}, buffer)
    write_bytes(path, buffer.getvalue())


def load_torch(path: str | Path, kind: str) -> dict[str, Any]:
    """Read what `save_torch` wrote; tensors come to the CPU, arrays are arrays again.

    Raises:
        MissingFileError: Where there is no such file.
        ImitationError: Where it is damaged, foreign or of another kind; nothing in it was executed.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:  # torch reads a cut or altered file without a word; the archive knows its sums
            bad = archive.testzip()
        if bad is not None:
            raise ImitationError(f"{path} is damaged ({bad} has changed since it was written); use an earlier {kind}")
        file = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        known = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise MissingFileError(path, known) from None
    except zipfile.BadZipFile:
        raise ImitationError(f"{path} is no {kind} of ours, or was cut short: it is not an archive of torch") from None
    except pickle.UnpicklingError:
        raise ImitationError(f"{path} is no {kind} of ours: it asks for code to be run, which was refused") from None
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise ImitationError(f"{path} is no {kind} of ours: {str(error).splitlines()[0][:120]}") from None
    found = file.get("format") if isinstance(file, dict) else type(file).__name__
    if found != f"muybridge {kind}":
        raise ImitationError(f"{path} is no {kind} of ours: its format is {found!r}, not 'muybridge {kind}'")
    if file["format_version"] != FORMAT_VERSION:
        raise ImitationError(f"{path} has format_version {file['format_version']}; this muybridge reads {FORMAT_VERSION}")
    content: dict[str, Any] = _unpacked(file["content"])
    return content


def save_checkpoint(folder: str | Path, iteration: int, content: dict[str, Any], *, keep: int) -> Path:
    """Write a checkpoint of a run, name it the latest, and remove all but the newest.

    Args:
        folder: The run's folder of checkpoints; made where it is missing.
        iteration: Its number.
        content: What to keep, with all tensors and arrays.
        keep: How many to leave.

    Raises:
        InputError: Where it cannot be written; the earlier ones are left as they were.
    """
    folder = Path(folder)
    path = folder / f"{iteration:06d}.pt"
    save_torch(path, "checkpoint", content)
    write_bytes(folder / LATEST, f"{path.name}\n".encode())
    for old in _numbered(folder)[:-keep]:
        old.unlink(missing_ok=True)
    for part in folder.glob(".*.part"):  # of a process that was killed while it wrote
        part.unlink(missing_ok=True)
    return path


def load_checkpoint(folder: str | Path) -> dict[str, Any]:
    """Read the latest checkpoint of a run.

    Raises:
        MissingFileError: Where there is none.
        ImitationError: Where it is damaged; the message names the one before.
    """
    folder = Path(folder)
    written = _numbered(folder)
    if not written:
        raise MissingFileError(folder / LATEST)
    named = folder / (folder / LATEST).read_text(encoding="utf-8").strip() if (folder / LATEST).is_file() else written[-1]
    latest = named if named in written else written[-1]
    try:
        return load_torch(latest, "checkpoint")
    except ImitationError as error:
        before = [path for path in written if path < latest]
        hint = f"remove it to resume from {before[-1].name}" if before else "there is no earlier one; train anew"
        raise ImitationError(f"{error}; {hint}") from None


def _numbered(folder: Path) -> list[Path]:
    """Return the checkpoints, oldest first."""
    return sorted(path for path in folder.glob("*.pt") if path.stem.isdigit())


def _packed(value: Any) -> Any:
    """Mark arrays, which torch's safe reader does not know, and store them as tensors."""
    if isinstance(value, dict):
        return {name: _packed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(item) for item in value]
    if isinstance(value, np.ndarray):
        return {"array": torch.from_numpy(np.array(value))}
    return value.item() if isinstance(value, np.generic) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"array"} and isinstance(value["array"], torch.Tensor):
            return value["array"].numpy()
        return {name: _unpacked(item) for name, item in value.items()}
    return [_unpacked(item) for item in value] if isinstance(value, list) else value
