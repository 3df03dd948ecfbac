"""Command line: `python -m imitate character | train | evaluate | play | rollout | export`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from tyro.extras import SubcommandApp

from imitate.extra import explained
from kinematics.cli_shared import run


def main() -> NoReturn:
    """Run `python -m imitate`."""
    run(command_line)


def commands() -> tuple[Callable[..., object], ...]:
    """Return the commands; that loads MuJoCo, not torch."""
    from imitate.cli_character import character
    from imitate.cli_evaluate import evaluate
    from imitate.cli_export import export
    from imitate.cli_play import play
    from imitate.cli_rollout import rollout
    from imitate.cli_train import train

    return character, train, evaluate, play, rollout, export


def command_line() -> object:
    """Read the arguments and run a command.

    Raises:
        MissingExtraError: Where a package of the extra is not installed.
    """
    with explained():
        app = SubcommandApp()
        for command in commands():
            app.command(command)
        return app.cli(prog="python -m imitate", description="A clip in, a policy out: bodies that learn to perform a motion.")
