"""Hold the joints of a motion below a limit of speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from kinematics import kernels
from kinematics._arrays import hand_over
from kinematics.metrics import joint_turns
from kinematics.motion import Motion
from retarget.score_turns import speeding


@dataclass(frozen=True)
class SpeedReport:
    """What a limit of speed did to ball joints; the root is free.

    Attributes:
        limit_rad_s: The limit.
        slowed: Share of frames in which it changed a joint.
        joints: Joints that it changed.
        was_rad_s: The largest speed before.
        was_fastest: Whose that was; "" where nothing moved.
    """

    limit_rad_s: float
    slowed: float
    joints: tuple[str, ...]
    was_rad_s: float
    was_fastest: str


def limit_speed(
    motion: Motion, limit_rad_s: float, joints: Bool[np.ndarray, " joints"]
) -> tuple[Motion, Bool[np.ndarray, "frames joints"]]:
    """Let no joint turn faster against its parent than a limit.

    Each joint is led by the mean of two followers, one that runs behind its rotations in time and one that runs ahead, both no
    faster than the limit. Where neither lags nothing changes; a turn that is too fast begins earlier and ends later by as
    much; a shake that is too fast gets smaller. Linear in frames.

    Args:
        motion: The motion.
        limit_rad_s: Radians a second, positive.
        joints: Which joints it holds for; the root is left out, shape (joints,).

    Returns:
        The motion, the very one where no joint is too fast, and which joints were changed when, shape (frames, joints).
    """
    slowed = np.zeros((motion.num_frames, len(joints)), dtype=np.bool_)
    changed: dict[int, np.ndarray] = {}
    for joint in (np.flatnonzero(joints[1:]) + 1).tolist():
        rotations, late = motion.local_rotations[:, joint].copy(), np.zeros(motion.num_frames, dtype=np.bool_)
        kernels.speed_limits.limit_turns(rotations, limit_rad_s * motion.frame_time, late)
        if late.any():
            changed[joint] = rotations
            slowed[:, joint] = late
    if not changed:
        return motion, slowed
    rotations = motion.local_rotations.copy()
    for joint, column in changed.items():
        rotations[:, joint] = column
    return motion.with_local_rotations(hand_over(rotations)), slowed


def report_speed(
    before: Motion, limit_rad_s: float, joints: Bool[np.ndarray, " joints"], slowed: Bool[np.ndarray, "frames joints"]
) -> SpeedReport:
    """Say what a limit of speed did.

    Args:
        before: The motion without it.
        limit_rad_s: The limit.
        joints: Which joints it held for, shape (joints,).
        slowed: Which it changed when, shape (frames, joints).
    """
    fastest = speeding(joint_turns(before) * joints, before, limit_rad_s)
    names = tuple(before.skeleton.joint_names[joint] for joint in np.flatnonzero(slowed.any(axis=0)))
    share = float(slowed.any(axis=1).mean()) if len(slowed) else 0.0
    return SpeedReport(limit_rad_s, share, names, fastest.max_rad_s, fastest.joint)
