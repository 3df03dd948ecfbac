"""All settings of a training, as one tree that a run folder keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from imitate.character.config import CharacterConfig
from imitate.envs.config import EnvConfig
from imitate.errors import ImitationError
from imitate.learning.config import PPOConfig
from imitate.toml_file import dumps, from_table, read, to_table
from kinematics.io.atomic import write_bytes

FORMAT_VERSION = 1
CONFIG = "config.toml"
LENGTHS = ("minutes", "iterations", "stop_completion")  # what may change when a run is resumed


@dataclass(frozen=True)
class TrainConfig:
    """What a policy is trained with, and how long."""

    minutes: float = 15.0
    """Time to train, in minutes, interruptions not counted; training ends earlier when it is good enough."""

    iterations: int = 0
    """End after so many iterations; 0 for no such end."""

    stop_completion: float = 1.0
    """Good enough is: in three trials in a row so many episodes reach their end, and the return has stopped rising. Above 1 for
    never."""

    trial_every: int = 40
    """Iterations between trials, in which the policy acts without noise; policy.pt is the one that did best."""

    num_envs: int = 256
    """Bodies that each process simulates side by side."""

    seed: int = 0
    """Seed of everything random: equal seeds give equal runs on one machine."""

    device: str = "auto"
    """Where the networks live: "cpu", "cuda", or "auto" for a GPU where there is one."""

    physics_threads: int = 0
    """Threads that step the bodies; 0 for one a processor."""

    update_threads: int = 0
    """Threads of torch while the networks learn; 0 for one a processor."""

    checkpoint_every: int = 50
    """Iterations between checkpoints."""

    keep_checkpoints: int = 3
    """Newest checkpoints that are kept."""

    ppo: PPOConfig = field(default_factory=PPOConfig)
    """How the policy learns."""

    env: EnvConfig = field(default_factory=EnvConfig)
    """What the bodies see, do and are rewarded for."""

    character: CharacterConfig = field(default_factory=CharacterConfig)
    """How a body is made from the clip's skeleton."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.minutes > 0.0:
            raise ImitationError(f"minutes must be above 0, got {self.minutes}")
        for name in ("num_envs", "trial_every", "checkpoint_every", "keep_checkpoints"):
            if getattr(self, name) < 1:
                raise ImitationError(f"{name} must be 1 or more, got {getattr(self, name)}")
        for name in ("iterations", "seed", "physics_threads", "update_threads"):
            if getattr(self, name) < 0:
                raise ImitationError(f"{name} must be 0 or more, got {getattr(self, name)}")


def save_config(config: TrainConfig, path: str | Path) -> None:
    """Write settings to a TOML file, replacing it all or nothing.

    Raises:
        InputError: Where the file cannot be written.
    """
    write_bytes(path, dumps({"format_version": FORMAT_VERSION, **to_table(config)}).encode())


def load_config(path: str | Path) -> TrainConfig:
    """Read settings from a TOML file.

    Raises:
        MissingFileError: Where there is none.
        ImitationError: Where it holds something else.
    """
    table = read(path)
    version = table.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise ImitationError(f"{path}: format_version must be {FORMAT_VERSION}, got {version}; is this the config of a training?")
    return from_table(TrainConfig, table, str(path))
