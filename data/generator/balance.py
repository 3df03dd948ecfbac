"""Where the pelvis must be for the body's centre of mass to be where mechanics wants it."""

from __future__ import annotations

import numpy as np
from generator.body import center_of_mass
from generator.pose import Movement, solve, with_pelvis_moved

ROUNDS = 30


def with_center_of_mass(movement: Movement, wanted: np.ndarray, axes: tuple[int, ...]) -> Movement:
    """Return the movement with its pelvis shifted so that the centre of mass follows a path; feet and angles stay.

    Args:
        movement: What to shift.
        wanted: Centre of mass, shape (frames, 3), metres.
        axes: The coordinates to shift, of 0 (x), 1 (up) and 2 (z).
    """
    chosen = np.isin(np.arange(3), axes)
    solved = solve(movement)
    for _ in range(ROUNDS):  # each leaves less than a third of the error
        error = np.where(chosen, wanted - center_of_mass(solved.positions), 0.0)
        solved, movement = with_pelvis_moved(solved, movement, error)
    return movement
