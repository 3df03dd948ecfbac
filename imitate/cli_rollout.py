"""Command line: `python -m imitate rollout RUN -o OUT.bvh`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from imitate.errors import ImitationError
from kinematics.cli_shared import require_writable, save


def rollout(
    run: tyro.conf.Positional[Path],
    /,
    *,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    seconds: float | None = None,
) -> None:
    """Write what the simulated body did as a motion on the clip's own skeleton.

    Frames come at the policy's control rate, in the unit and axes of the clip's file. A table tells how feet slide and sink,
    before and after. Of a clip that goes in cycles it is the cycle, over and over.

    Args:
        run: Folder of the run.
        output: File to write (.bvh or .npz).
        seconds: How long; by default the clip's length. A clip that goes in cycles can last up to 20 s.
    """
    require_writable(output)
    from imitate.rollout import roll_out
    from imitate.rollout_score import compare
    from imitate.runs import as_read, open_run

    opened = open_run(run)
    done = roll_out(opened, seconds=seconds)
    if done.fell_s is not None:
        raise ImitationError(
            f"the body fell after {done.fell_s:.1f} s, so nothing was written; train it longer, or ask for less with "
            f"--seconds {max(done.fell_s - 0.5, 0.1):.1f} (`python -m imitate play` shows the fall)"
        )
    save([as_read(opened, done.simulated)], output)
    console = Console()
    console.print(compare(done.reference, done.simulated))
    console.print(f"mean distance from the clip: {done.mean_distance_mm:.0f} mm", highlight=False)
