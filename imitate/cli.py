"""Command line: `python -m imitate character | train | evaluate | play | rollout | export`."""

from __future__ import annotations

from typing import NoReturn

from tyro.extras import SubcommandApp

from imitate.cli_character import character
from imitate.cli_evaluate import evaluate
from imitate.cli_export import export
from imitate.cli_play import play
from imitate.cli_rollout import rollout
from imitate.cli_train import train
from kinematics.cli_shared import run

app = SubcommandApp()
for command in (character, train, evaluate, play, rollout, export):
    app.command(command)


def main() -> NoReturn:
    """Run `python -m imitate`."""
    run(lambda: app.cli(prog="python -m imitate", description="A clip in, a policy out: bodies that learn to perform a motion."))
