"""Two clips mixed frame by frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from kinematics.edit._match import alike
from kinematics.edit._travel import Path, find_path, follow, leave, steps, walk
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import up_axis
from kinematics.motion import Motion
from kinematics.rotations import quaternion


def blend(
    first: Motion,
    second: Motion,
    weight: Float[np.ndarray, " frames"] | float | int,
    *,
    root: str = "heading",
    up: str = "Y",
) -> Motion:
    """Return the mix of two clips of equal length, on the first one's skeleton and frame rate.

    Rotations are slerped joint by joint along the shorter arc, positions are linear; joints are matched by name. Weight 0
    gives the first clip, 1 the second.

    Args:
        first: The one clip.
        second: The other; at another rate it is resampled.
        weight: Part of the second, 0 to 1: one number, or one a frame.
        root: "heading" mixes speed and turning rate as each body sees them, and adds them up from the start: a walk ahead
            and a walk to the left give a wider curve, wherever each clip stands. "world" mixes places and rotations as
            they are, for two takes of one movement.
        up: The world's up axis.

    Raises:
        InputError: Where skeletons or numbers of frames differ, or a weight is outside 0 to 1.
        UnknownNameError: On another `root`, or an unknown axis.
    """
    up_axis(up)
    if root not in ("heading", "world"):
        raise UnknownNameError("way to blend the root", root, ("heading", "world"))
    first, second = alike([first, second])
    frames = first.num_frames
    if second.num_frames != frames:
        raise InputError(
            f"clips must have equal numbers of frames, got {frames} and {second.num_frames} (at the first one's rate); "
            f"edit.time_warp(clip, np.linspace(0, clip.duration, {frames})) stretches one"
        )
    weights = np.asarray(weight, dtype=np.float64)
    if weights.shape not in ((), (frames,)):
        raise InputError(f"weight must be one number, or one for each of {frames} frames, got shape {weights.shape}")
    if not np.all((weights >= 0) & (weights <= 1)):
        raise InputError(f"weight must lie between 0 and 1, got {weights.min():.6g} to {weights.max():.6g}")
    weights = np.broadcast_to(weights, frames)
    if root == "world" or frames == 0:
        return mix(first, second, weights)
    ours, theirs = find_path(first, up), find_path(second, up)
    return follow(mix(leave(first, ours), leave(second, theirs), weights), _between(ours, theirs, weights))


def mix(first: Motion, second: Motion, weights: Float[np.ndarray, " frames"]) -> Motion:
    """Interpolate poses of two clips on one skeleton, frame by frame."""
    part = weights[:, None]
    ours, theirs = first.local_positions, second.local_positions
    return replace(
        first,
        root_positions=_lerp(first.root_positions, second.root_positions, part),
        local_rotations=quaternion.slerp(first.local_rotations, second.local_rotations, part),
        local_positions=None if ours is None or theirs is None else _lerp(ours, theirs, part[:, None]),
    )


def _between(ours: Path, theirs: Path, weights: np.ndarray) -> Path:
    """Mix the steps of two paths; the first frame lies between theirs."""
    start = weights[:1]
    apart = np.remainder(theirs.angles[0] - ours.angles[0] + np.pi, 2.0 * np.pi) - np.pi
    begin = Path(ours.up, _lerp(ours.ground[:1], theirs.ground[:1], start[:, None]), ours.angles[:1] + start * apart)
    middle = 0.5 * (weights[1:] + weights[:-1])
    (our_strides, our_turns), (their_strides, their_turns) = steps(ours), steps(theirs)
    return walk(begin, _lerp(our_strides, their_strides, middle[:, None]), _lerp(our_turns, their_turns, middle))


def _lerp(start: np.ndarray, end: np.ndarray, part: np.ndarray) -> np.ndarray:
    return np.asarray(start + part * (end - start))
