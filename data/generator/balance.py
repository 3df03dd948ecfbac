"""Where the pelvis must be for the body's centre of mass to be where mechanics wants it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from generator.body import center_of_mass
from generator.pose import Movement, solve


def with_center_of_mass(movement: Movement, wanted: np.ndarray, axes: tuple[int, ...], rounds: int = 40) -> Movement:
    """Return the movement with its pelvis shifted so that the centre of mass follows a path; feet and angles stay.

    Args:
        movement: What to shift.
        wanted: Centre of mass, shape (frames, 3), metres.
        axes: The coordinates to shift, of 0 (x), 1 (up) and 2 (z).
        rounds: Fixed-point steps; each leaves less than a third of the error.
    """
    chosen = np.isin(np.arange(3), axes)
    for _ in range(rounds):
        error = wanted - center_of_mass(solve(movement).positions)
        movement = replace(movement, pelvis=movement.pelvis + np.where(chosen, error, 0.0))
    return movement
