"""When an episode has failed: a body too far from its reference, too low, or on the floor with what is no foot."""

from __future__ import annotations

import math

import numpy as np

from imitate.bodies import Bodies
from kinematics.kernels.jit import jit

ON_FLOOR = 0.001  # metres above the floor at which a shape counts as touching it


@jit
def distances(bodies: Bodies, frames: np.ndarray, reference: Bodies, mean: np.ndarray, largest: np.ndarray) -> None:
    """Write the mean and the largest distance of the bodies' origins from the reference's, metres.

    Args:
        bodies: The bodies now.
        frames: Frame of the reference of each simulation, shape (N,).
        reference: The bodies in each frame.
        mean: Where the means are written, shape (N,).
        largest: Where the largest are written, shape (N,).
    """
    count = bodies.positions.shape[1]
    for n in range(len(frames)):
        total, most = 0.0, 0.0
        for b in range(count):
            here, there = bodies.positions[n, b], reference.positions[frames[n], b]
            off = math.sqrt((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2 + (here[2] - there[2]) ** 2)
            total, most = total + off, max(most, off)
        mean[n], largest[n] = total / count, most


def too_low(bodies: Bodies, frames: np.ndarray, reference: Bodies, ratio: float) -> np.ndarray:
    """Tell where the root is lower than a share of the reference's height, shape (N,)."""
    return np.asarray(bodies.positions[:, 0, 2] < ratio * reference.positions[frames, 0, 2])


def touches(bodies: Bodies, forbidden: np.ndarray) -> np.ndarray:
    """Tell where a body that must not touch the floor does, shape (N,).

    Args:
        bodies: The bodies now.
        forbidden: Bodies that must not, shape (k,).
    """
    return np.asarray((bodies.lowest[:, forbidden] < ON_FLOOR).any(axis=1))
