"""What a batch does with one motion: retarget it, score it, write it. The target is a name until here."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from kinematics.errors import InputError, MissingFileError
from kinematics.io import load_motion, save_motion
from kinematics.motion import Motion
from retarget.body import read_body
from retarget.config import RetargetConfig
from retarget.pipeline import Retargeted, retarget
from retarget.score import score

EXTENSIONS = (".bvh", ".npz")
RESULTS = 2  # goes up when a result would come out otherwise or a manifest holds other numbers, so that clips are done again


@dataclass(frozen=True, eq=False)
class Job:
    """One target, read once for many clips.

    Attributes:
        target: A clip of the target's skeleton.
        config: What is kept of the source.
    """

    target: Motion
    config: RetargetConfig

    def retarget(self, source: Motion) -> Retargeted:
        """Put a motion on the target.

        Raises:
            RetargetError: Where the two cannot be brought together.
        """
        return retarget(source, self.target, config=self.config)

    def score(self, source: Motion, result: Retargeted) -> dict[str, Any]:
        """Return the score card as a dictionary.

        Raises:
            InputError: Where the two cannot be compared.
        """
        return score(source, result.motion, joint_map=result.joint_map, target=self.target).as_dict()

    def save(self, motion: Motion, path: Path) -> None:
        """Write a result, all or nothing.

        Raises:
            InputError: Where it cannot be written.
        """
        save_motion(motion, path)


def make_job(target: str, digest: str, config: RetargetConfig) -> Job:
    """Read a target, once in each process.

    Args:
        target: Path of a motion file with the target's skeleton.
        digest: What `digest_target` said of it.
        config: What is kept of the source.

    Raises:
        InputError: Where the file is missing, cannot be read, is another one by now, or holds no body with two legs.
    """
    return Job(_read_target(target, digest), config)


@lru_cache(maxsize=1)
def _read_target(target: str, digest: str) -> Motion:
    motion = load_motion(target)
    read_body(motion, "target")
    if digest_target(target) != digest:
        raise InputError(f"the target {target!r} was changed while the batch ran; run it again")
    return motion


def digest_target(target: str) -> str:
    """Return the hash of what a target's name stands for.

    Raises:
        MissingFileError: Where there is no such file.
        InputError: Where it cannot be read.
    """
    return digest_file(Path(target))


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's content.

    Raises:
        MissingFileError: Where there is no such file.
        InputError: Where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise MissingFileError(path) from None
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from None


def digest_options(target_digest: str, config: RetargetConfig) -> str:
    """Return the hash of all that a result depends on beside its source: target, settings, our version."""
    text = json.dumps([target_digest, _plain(config), _version(), RESULTS], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _version() -> str:
    try:
        return metadata.version("muybridge")
    except metadata.PackageNotFoundError:  # run from its folder
        return ""


def _plain(value: object) -> object:
    """Return settings as JSON's types, the same for equal ones."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return [type(value).__name__, fields]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
