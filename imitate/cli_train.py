"""Command line: `python -m imitate train CLIP -o FOLDER`."""

from __future__ import annotations

import os
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from imitate.config import CONFIG, LENGTHS, TrainConfig, load_config
from imitate.errors import ImitationError
from kinematics.errors import KinematicsError

INTERRUPTED_STATUS = 130


def train(
    clips: tyro.conf.Positional[tuple[Path, ...]] = (),
    /,
    *,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    to: Path | None = None,
    start_from: Path | None = None,
    resume: bool = False,
    config: Annotated[TrainConfig, tyro.conf.arg(name="")] = TrainConfig(),  # noqa: B008 - frozen
) -> int:
    """Train a policy that performs a clip under physics, with a body made from the clip's own skeleton.

    Makes the folder with config, body, clip, curves (`tensorboard --logdir FOLDER`, progress.csv), checkpoints, policy.pt and a
    video of what it learned.
    Ctrl-C saves and ends; --resume goes on, also after a crash. Several processes:
    `torchrun --nproc-per-node=2 -m imitate train ...`.

    Args:
        clips: Motion files (.bvh, .npz) of one skeleton to perform; none with --resume.
        output: Folder of the run.
        to: Train this body instead of one made from the clip: an MJCF file (.xml), or a folder with body.xml.
        start_from: Begin with this policy, a run folder or policy.pt of the same body: to add pushes to what it can, say.
        resume: Go on from the last checkpoint in the folder, with its settings; --minutes, --iterations and --stop-completion may
            change.
        config: Everything else.
    """
    # Threads of torch that wait by spinning take the processors from the physics: on a busy machine an update took 20 times as
    # long. Torch reads this when it is imported, which takes seconds, so it happens here.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from imitate import training
    from imitate.training_table import TrainingTable

    settings = _asked(output, clips, to, start_from, config) if resume else config
    console = Console(stderr=True, quiet=os.environ.get("RANK", "0") != "0")
    with TrainingTable(console, escape(str(output)), settings.env.control_rate_hz) as table:
        reason = training.train(
            clips or None, output, settings, to=to, start_from=start_from, resume=resume, on_iteration=table.update
        )
    console.print(f"{reason}; wrote {escape(str(output))}", highlight=False, soft_wrap=True)
    if reason == training.INTERRUPTED:
        console.print(f"python -m imitate train -o {escape(str(output))} --resume goes on", highlight=False, soft_wrap=True)
        return INTERRUPTED_STATUS
    if not console.quiet:
        _film(output, console)
    return 0


def _film(output: Path, console: Console) -> None:
    """Leave a video in the run's folder, where this machine can render one."""
    from imitate.play import film
    from imitate.runs import open_run

    try:
        console.print(f"wrote {escape(str(film(open_run(output))))}", highlight=False, soft_wrap=True)
    except KinematicsError as error:
        console.print(f"no video was made: {escape(str(error))}", highlight=False, soft_wrap=True)


def _asked(output: Path, clips: tuple[Path, ...], to: Path | None, start_from: Path | None, config: TrainConfig) -> TrainConfig:
    """Return the run's settings with the lengths that were asked for; other wishes come too late."""
    default = TrainConfig()
    written = {word.split("=")[0].replace("-", "_").lstrip("_") for word in sys.argv}  # asked for, though it is the default
    changed = [
        each.name
        for each in fields(config)
        if getattr(config, each.name) != getattr(default, each.name) or (each.name in LENGTHS and each.name in written)
    ]
    late = [name for name in changed if name not in LENGTHS]
    late += ["a clip"] if clips else []
    late += ["--to"] if to else []
    late += ["--start-from"] if start_from else []
    if late:
        raise ImitationError(
            f"--resume goes on with the run as it was made, so {', '.join(late)} cannot be given; only "
            f"{', '.join('--' + name.replace('_', '-') for name in LENGTHS)} can change"
        )
    config_path = output / CONFIG
    if not config_path.is_file():
        raise ImitationError(
            f"there is no run to resume in {str(output)!r}: it has no {CONFIG}; "
            f"python -m imitate train CLIP -o {output} makes one"
        )
    return replace(load_config(config_path), **{name: getattr(config, name) for name in changed})
