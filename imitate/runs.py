"""The folder of a run: what a training was told and made, so that anybody can go on from it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imitate.character import load_character, make_character, save_character
from imitate.character.lint import lint_clip
from imitate.config import CONFIG, TrainConfig, load_config, save_config
from imitate.envs.config import EnvConfig
from imitate.envs.stability import physics_rate
from imitate.errors import ImitationError
from imitate.policy_file import load_policy, load_policy_for
from imitate.reference import Reference, make_reference
from imitate.toml_file import dumps, read
from kinematics.io import load_motion, save_motion
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion
from kinematics.standardize import Standardized, express, standardize
from retarget.body import told_repairs

if TYPE_CHECKING:
    from imitate.character import Character
    from imitate.envs.tracking import TrackingEnv
    from imitate.learning.policy import ActorCritic

BODY, CHECKPOINTS, POLICY, START, VERSIONS = "body", "checkpoints", "policy.pt", "start.pt", "versions.toml"
PACKAGES = ("muybridge", "numpy", "torch", "mujoco-core", "mujoco")


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder, read.

    Attributes:
        folder: Where it is.
        config: Settings of the training.
        character: The body.
        motions: The clips, standardized.
    """

    folder: Path
    config: TrainConfig
    character: Character
    motions: tuple[Motion, ...]

    @property
    def motion(self) -> Motion:
        """The first clip."""
        return self.motions[0]

    @cached_property
    def reference(self) -> Reference:
        """The clips in the body's numbers, at the control rate."""
        env = self.config.env
        return make_reference(
            self.character, self.motions, control_rate=env.control_rate_hz, horizon_s=env.episode_length_s, standardized=True
        )

    @property
    def horizon(self) -> int:
        """Control steps of the longest episode."""
        longest = int((self.reference.ends[self.reference.starts] - self.reference.starts).max())
        return min(longest, self.config.env.episode_steps)

    def policy(self) -> ActorCritic:
        """Read the run's policy.

        Raises:
            MissingFileError: Where none was saved yet.
        """
        return load_policy(self.folder / POLICY)[0]

    def make_env(self, *, num_envs: int, seed: int = 0, config: EnvConfig | None = None, num_threads: int = 0) -> TrackingEnv:
        """Make bodies that follow the run's clips.

        Args:
            num_envs: How many.
            seed: Of everything random.
            config: Settings of the environment; by default those of the training.
            num_threads: Threads that step the bodies; 0 for one a processor.
        """
        from imitate.envs.tracking import TrackingEnv

        given = config or self.config.env
        return TrackingEnv(self.character, self.reference, given, num_envs=num_envs, seed=seed, num_threads=num_threads)


def create_run(
    clips: str | Path | Motion | Sequence[str | Path | Motion],
    folder: str | Path,
    config: TrainConfig,
    *,
    to: str | Path | Character | None = None,
    start_from: str | Path | None = None,
) -> Path:
    """Make a run folder: the resolved config, the body, the clips and the versions of what made it.

    Args:
        clips: A clip, or several of one skeleton; files or motions, of any unit and axes.
        folder: The folder: empty or missing.
        config: Settings.
        to: A body to train instead of one made from the first clip: an MJCF file, a folder of `save_character`, or the name of a
            robot of MuJoCo Menagerie.
        start_from: The policy that the training begins with: a run folder, or a policy's file.

    Raises:
        ImitationError: Where the folder holds something, the clip cannot be imitated, or the policy is not for this body.
    """
    folder = Path(folder)
    _require_free(folder)
    several = [clips] if isinstance(clips, str | Path | Motion) else clips
    given = [Path(clip) if isinstance(clip, str) else clip for clip in several]
    if not given:
        raise ImitationError("there is no clip to imitate; give at least one")
    loaded = [load_motion(clip) if isinstance(clip, Path) else clip for clip in given]
    standard = [standardize(clip) for clip in loaded]
    motions = [clip.motion for clip in standard]
    if to is None:
        name = given[0].stem if isinstance(given[0], Path) else "character"
        character = make_character(loaded[0], config=config.character, name=name)
        if len(character.feet) < 2:
            raise ImitationError(
                f"the clip shows no body that could stand: of its {len(character.body_names)} moving parts "
                f"{len(character.feet)} could be a foot, and two are needed (is it a face, a hand, a prop?)"
            )
    else:
        character = load_character(to, config=config.character) if isinstance(to, str | Path) else to
    for other, clip in zip(motions[1:], given[1:], strict=True):
        if to is None and other.skeleton.joint_names != motions[0].skeleton.joint_names:
            name = clip.name if isinstance(clip, Path) else "a clip"
            raise ImitationError(f"{name} has another skeleton than the first clip; one body needs clips of one skeleton")
    for motion, clip in zip(loaded, given, strict=True):
        name = clip.name if isinstance(clip, Path) else "a clip"
        told = [f"{name}: {finding.name}: {finding.value}: {finding.mend}" for finding in lint_clip(character, motion)]
        for sentence in [*told_repairs(motion, name), *told]:
            logging.getLogger(__name__).warning(sentence)
    run = Run(folder, config, character, tuple(motions))
    rate = config.env.physics_rate_hz or physics_rate(character, run.reference)  # refuses what cannot be followed
    config = replace(config, env=replace(config.env, physics_rate_hz=rate))  # once, so that no later use finds another
    start = None if start_from is None else _start(Path(start_from), run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImitationError(f"cannot make the folder {str(folder)!r}: {error.strerror or error}") from None
    save_character(character, folder / BODY)
    for number, motion in enumerate(motions, 1):
        save_motion(motion, folder / _clip_name(number))
    versions = _versions(given, standard)
    if start:
        write_bytes(folder / START, start[0])
        versions["start"] = start[1]
    write_bytes(folder / VERSIONS, dumps(versions).encode())
    (folder / CHECKPOINTS).mkdir(exist_ok=True)
    save_config(config, folder / CONFIG)  # last: a folder with a config is whole
    return folder


def open_run(folder: str | Path) -> Run:
    """Read a run folder.

    Raises:
        ImitationError: Where it is none.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ImitationError(f"{str(folder)!r} is no run: it has no {CONFIG}; python -m imitate train CLIP -o {folder} makes one")
    clips: list[Motion] = []
    while (path := folder / _clip_name(len(clips) + 1)).is_file():
        clips.append(load_motion(path))
    if not clips:
        raise ImitationError(f"{str(folder)!r} is no whole folder of a run: it has no {_clip_name(1)}")
    config = load_config(folder / CONFIG)
    return Run(folder, config, load_character(folder / BODY, config=config.character), tuple(clips))


def clip_hash(run: Run) -> str:
    """Return the SHA-256 of the clips' files."""
    digest = hashlib.sha256()
    for number in range(1, len(run.motions) + 1):
        digest.update((run.folder / _clip_name(number)).read_bytes())
    return digest.hexdigest()


def clip_name(run: Run) -> str:
    """Return the names that the clips had."""
    table = read(run.folder / VERSIONS) if (run.folder / VERSIONS).is_file() else {}
    return ", ".join(table.get("clips", ["unnamed"]))


def as_read(run: Run, motion: Motion) -> Motion:
    """Return a motion of the run's world (metres, Y up) in the unit and up axis of the first clip's file."""
    table = read(run.folder / VERSIONS) if (run.folder / VERSIONS).is_file() else {}
    units, ups = table.get("metres_per_unit", [1.0]), table.get("up", ["Y"])
    return express(motion, unit=units[0], up=ups[0])


def _start(path: Path, run: Run) -> tuple[bytes, dict[str, Any]]:
    """Return the file of the policy that a training begins with, and where it is from."""
    file = path / POLICY if path.is_dir() else path
    policy, contract = load_policy_for(file, run.character.hinge_names, run.config.env)
    if policy.hidden != run.config.ppo.hidden:
        raise ImitationError(
            f"{file} has layers of {policy.hidden}, and ppo.hidden is {run.config.ppo.hidden}; they must be equal"
        )
    content = file.read_bytes()
    known = {"clip": contract.get("clip", ""), "samples": contract.get("metrics", {}).get("samples", 0.0)}
    return content, {"sha256": hashlib.sha256(content).hexdigest(), **known}


def _clip_name(number: int) -> str:
    return "clip.npz" if number == 1 else f"clip_{number}.npz"


def _require_free(folder: Path) -> None:
    if (folder / CONFIG).is_file():
        raise ImitationError(f"{str(folder)!r} holds a run already; --resume goes on with it, or give another folder")
    if folder.exists() and not folder.is_dir():
        raise ImitationError(f"{str(folder)!r} is a file; give a folder for the run")
    if folder.is_dir() and any(folder.iterdir()):
        raise ImitationError(f"{str(folder)!r} holds other things; a run needs a new or an empty folder")


def _versions(clips: Sequence[Path | Motion], standard: Sequence[Standardized]) -> dict[str, Any]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "format_version": 1,
        "clips": [clip.name if isinstance(clip, Path) else "a motion" for clip in clips],
        "metres_per_unit": [float(each.report.metres_per_unit) for each in standard],
        "up": [each.report.up.value for each in standard],
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": versions,
    }
