"""How joints of a clip turn from frame to frame: the largest turn, the first frame, limits of speed and of angle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.ik.limits import Limit, limit_violations
from kinematics.metrics import Turn
from kinematics.motion import Motion

SMALL = np.radians(0.1)  # turns below this are noise: ratios take them for this
SETTLED = 1.5  # times the clip's usual fast step by which the first may turn
INSIDE = 1e-6  # radians beyond a limit that rounding explains


@dataclass(frozen=True)
class FirstFrame:
    """Whether a clip begins as it goes on, or with a jump of a solver that had not converged.

    Attributes:
        degrees: Largest turn of a joint from frame 0 to frame 1.
        ratio: That over the 95th percentile of the largest turns of all frames.
        converged: Whether the ratio is at most 1.5.
    """

    degrees: float
    ratio: float
    converged: bool


@dataclass(frozen=True)
class Speeding:
    """Joints that turn faster than a limit; the root, which no motor turns, is left out.

    Attributes:
        fraction: Share of steps from frame to frame in which any joint does.
        max_rad_s: Largest speed.
        joint: Whose it is; "" without any.
        limit_rad_s: The limit.
    """

    fraction: float
    max_rad_s: float
    joint: str
    limit_rad_s: float


@dataclass(frozen=True)
class Overstepping:
    """Joints outside their limits.

    Attributes:
        fraction: Share of frames in which any joint is.
        max_degrees: Largest angle beyond a limit.
        joint: Whose it is; "" where all are inside.
        joints: Number of joints that have limits.
    """

    fraction: float
    max_degrees: float
    joint: str
    joints: int


def turn_ratio(source: Turn, result: Turn) -> float:
    """Return the result's largest turn over the source's; either is at least 0.1 degrees."""
    return max(result.radians, float(SMALL)) / max(source.radians, float(SMALL))


def first_frame(turns: Float[np.ndarray, "steps joints"]) -> FirstFrame:
    """Compare the first step with the clip's usual fast one."""
    most = turns.max(axis=1, initial=0.0)
    if not len(most):
        return FirstFrame(0.0, 1.0, True)
    ratio = max(float(most[0]), float(SMALL)) / max(float(np.quantile(most, 0.95)), float(SMALL))
    return FirstFrame(float(np.degrees(most[0])), ratio, ratio <= SETTLED)


def speeding(turns: Float[np.ndarray, "steps joints"], motion: Motion, limit: float) -> Speeding:
    """Find joints that turn faster than `limit` radians a second."""
    found = turns[:, 1:]
    if not found.size:
        return Speeding(0.0, 0.0, "", limit)
    _, joint = np.unravel_index(int(found.argmax()), found.shape)
    over = (found > limit * motion.frame_time * (1.0 + 1e-9)).any(axis=1)
    speed = float(found.max()) / motion.frame_time
    return Speeding(float(over.mean()), speed, motion.skeleton.joint_names[int(joint) + 1] if speed > 0.0 else "", limit)


def overstepping(motion: Motion, limits: Mapping[str, Limit]) -> Overstepping:
    """Find joints outside their limits.

    Raises:
        UnknownNameError: On a name that no joint has.
    """
    beyond = limit_violations(motion, limits)
    if not beyond.size or beyond.max() <= INSIDE:
        return Overstepping(0.0, 0.0, "", len(limits))
    _, joint = np.unravel_index(int(beyond.argmax()), beyond.shape)
    return Overstepping(
        float((beyond > INSIDE).any(axis=1).mean()), float(np.degrees(beyond.max())), list(limits)[int(joint)], len(limits)
    )
