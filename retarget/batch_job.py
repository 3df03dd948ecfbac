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

import numpy as np

from kinematics.errors import InputError, MissingFileError
from kinematics.io import save_motion
from kinematics.motion import Motion
from retarget.body import read_body
from retarget.config import RetargetConfig
from retarget.pipeline import Retargeted, retarget
from retarget.robots import Robot, find_model, is_robot, save_robot_motion
from retarget.robots.export import EXTENSIONS as ROBOT_EXTENSIONS
from retarget.robots.score import score_robot
from retarget.robots.twin import make_twin
from retarget.score import score
from retarget.score_card import ScoreCard
from retarget.targets import load_target

EXTENSIONS = (".bvh", ".npz")
RESULTS = 5  # goes up when a result would come out otherwise or a manifest holds other numbers, so that clips are done again


@dataclass(frozen=True, eq=False)
class Job:
    """One target, read once for many clips.

    Attributes:
        target: A clip of the target's skeleton, or a robot.
        config: What is kept of the source.
    """

    target: Motion | Robot
    config: RetargetConfig

    def retarget(self, source: Motion) -> Retargeted:
        """Put a motion on the target.

        Raises:
            RetargetError: Where the two cannot be brought together.
        """
        return retarget(source, self.target, config=self.config)

    def score(self, source: Motion, result: Retargeted) -> ScoreCard:
        """Measure a result beside its source.

        Raises:
            InputError: Where the two cannot be compared.
            RetargetError: Where one of the two is no body with two legs.
        """
        config, moved, joint_map = self.config, result.motion, result.joint_map
        limit, in_place = config.hinge_limit_rad_s, config.in_place
        if isinstance(self.target, Robot):
            return score_robot(source, moved, self.target, joint_map=joint_map, velocity_limit=limit, in_place=in_place)
        return score(
            source,
            moved,
            joint_map=joint_map,
            target=self.target,
            velocity_limit=limit,
            part=config.part,
            in_place=in_place,
        )

    def save(self, motion: Motion, path: Path) -> None:
        """Write a result, all or nothing.

        Raises:
            InputError: Where it cannot be written.
            RetargetError: On CSV of a robot with ball joints.
        """
        if isinstance(self.target, Robot):
            save_robot_motion(self.target, motion, path)
        else:
            save_motion(motion, path)


def find_target(target: str | Path) -> str:
    """Return the absolute path of a target's file; of a robot's name, that of its model.

    Args:
        target: Motion file, or a robot as `retarget.robots.find_model` takes it.

    Raises:
        MissingFileError: Where a robot's file is missing.
        UnknownNameError: Where no robot has that name.
        MissingExtraError: Where a package is needed that knows the name, and is not installed.
        RetargetError: Where the robot cannot be downloaded.
    """
    return str((find_model(target) if is_robot(target) else Path(target)).absolute())


def formats(target: str) -> tuple[str, ...]:
    """Return the extensions that results on a target can have; of a robot the first is the default."""
    return ROBOT_EXTENSIONS if is_robot(target) else EXTENSIONS


def make_job(target: str, digest: str, config: RetargetConfig) -> Job:
    """Read a target, once in each process.

    Args:
        target: Path of a motion file with the target's skeleton, or of a robot's model, as `find_target` returns it.
        digest: What `digest_target` said of it.
        config: What is kept of the source.

    Raises:
        InputError: Where the file is missing, cannot be read or is another one by now, or a robot is to have a part or limits.
        RetargetError: Where it holds no body with two legs, or MuJoCo cannot read it.
        MissingExtraError: Where a robot needs MuJoCo, which is not installed.
    """
    if is_robot(target) and (config.limits or config.part != "whole"):
        raise InputError(
            "a robot is retargeted as a whole and keeps the limits of its own hinges: part must be 'whole' and limits empty; "
            f"got {config.part!r} and {len(config.limits)} limits"
        )
    return Job(_read_target(target, digest), config)


@lru_cache(maxsize=1)
def _read_target(target: str, digest: str) -> Motion | Robot:
    read = load_target(target)
    if isinstance(read, Robot):
        make_twin(read)  # refuses what has no two legs
    else:
        read_body(read, "target")
    if digest_target(target) != digest:
        raise InputError(f"the target {target!r} was changed while the batch ran; run it again")
    return read


def digest_target(target: str) -> str:
    """Return the hash of a target's file; of a robot that is its model's file, not the meshes and files that it names.

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
