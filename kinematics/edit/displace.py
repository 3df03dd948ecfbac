"""A few edited poses spread over a clip: displacement mapping, smooth and local."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from kinematics.errors import InputError
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion


def displace(motion: Motion, poses: Mapping[int, Pose], *, before_s: float | int = 0.5, after_s: float | int = 0.5) -> Motion:
    """Return the clip led through edited poses at a few frames, eased in before and out after each.

    What an edit changes at its frame is added to the frames around it as a smooth curve, so the clip's own detail stays
    (displacement mapping: Bruderlin and Williams, "Motion signal processing", 1995, section 3.3; Witkin and Popović, "Motion
    warping", 1995). Positions are displaced by vectors, rotations by rotation vectors v in each joint's own frame,
    q'(f) = q(f) exp(v(f)). The curves are monotone cubic Hermite splines (Fritsch and Carlson 1980) through the edits and
    zero: around a single edit 3 t^2 - 2 t^3, between neighbouring edits from one to the next without overshoot. Position
    and velocity are continuous; edited frames are met exactly, frames outside all windows and joints that no edit changes stay
    bit for bit. Where an edit is nearer to an end of the clip than its window, the window is cut off there: the ease keeps
    its pace, and the clip starts or ends in the midst of it.

    Args:
        motion: The clip.
        poses: The edited pose of each frame, by its number from 0; none leaves the clip as it is.
        before_s: Seconds over which an edit fades in; less than a frame changes no frame before.
        after_s: Seconds over which it fades out. Edits whose windows meet are led over into each other.

    Raises:
        InputError: On a frame outside the clip, a pose on another skeleton, or a duration that is negative or not finite.
    """
    for name, value in (("before_s", before_s), ("after_s", after_s)):
        if not (isinstance(value, int | float | np.number) and 0.0 <= value < math.inf):
            raise InputError(f"{name} must be a number of seconds of at least 0, got {value!r}")
    edits = sorted((_frame(frame, motion), _on_skeleton(pose, frame, motion)) for frame, pose in poses.items())
    if not edits:
        return motion
    frames = np.array([frame for frame, _ in edits])
    before, after = (max(float(seconds) / motion.frame_time, 1.0) for seconds in (before_s, after_s))
    stretched = motion.local_positions is not None or any(pose.local_positions is not None for _, pose in edits)
    turned = np.stack([pose.local_rotations for _, pose in edits])
    moved = np.stack([_positions(pose, stretched) for _, pose in edits])
    positions, rotations = np.array(_positions(motion, stretched)), np.array(motion.local_rotations)
    bends, shifts = _turns(rotations[frames], turned), moved - positions[frames]
    knots, sources = _knots(frames, before, after)
    span = np.arange(max(math.ceil(knots[0]), 0), min(math.floor(knots[-1]), motion.num_frames - 1) + 1)
    bends, shifts = (_curves(knots, sources, values, span) for values in (bends, shifts))
    at, joint = np.nonzero(bends.any(axis=-1))
    own = rotations[span[at], joint]
    rotations[span[at], joint] = quaternion.normalize(quaternion.multiply(own, quaternion.from_rotation_vector(bends[at, joint])))
    positions[span] += shifts
    rotations[frames], positions[frames] = turned, moved
    return replace(
        motion,
        root_positions=positions[:, 0],
        local_rotations=rotations,
        local_positions=positions if stretched else None,
    )


def _frame(frame: object, motion: Motion) -> int:
    if isinstance(frame, bool) or not isinstance(frame, int | np.integer) or not 0 <= frame < motion.num_frames:
        raise InputError(f"an edited frame must be one of 0 to {motion.num_frames - 1}, got {frame!r}")
    return int(frame)


def _on_skeleton(pose: object, frame: int, motion: Motion) -> Pose:
    if not isinstance(pose, Pose):
        raise InputError(f"frame {frame} takes a Pose, got {type(pose).__name__}; a clip's frame is clip[{frame}]")
    if not pose.skeleton.allclose(motion.skeleton):
        raise InputError(f"the pose of frame {frame} has another skeleton than the clip; retarget it first")
    return pose


def _positions(clip: Motion | Pose, stretched: bool) -> np.ndarray:
    """Return root positions, with those of all joints behind them where bones stretch, shape (..., 1 or joints, 3)."""
    root = clip.root_positions[..., None, :]
    if not stretched:
        return root
    if clip.local_positions is not None:
        return clip.local_positions
    bones = clip.skeleton.offsets[1:]
    return np.concatenate([root, np.broadcast_to(bones, (*root.shape[:-2], *bones.shape))], axis=-2)


def _turns(own: np.ndarray, edited: np.ndarray) -> np.ndarray:
    """Return rotation vectors from a clip's rotations to edited ones, shape (edits, joints, 3); zero where bits agree."""
    vectors = quaternion.to_rotation_vector(quaternion.multiply(quaternion.inverse(own), edited))
    vectors[(own == edited).all(axis=-1)] = 0.0
    for last, vector in pairwise(vectors):  # the way round that is nearer to the edit before
        angle = np.linalg.norm(vector, axis=-1, keepdims=True)
        other = vector * (1.0 - 2.0 * np.pi / np.where(angle > 0.0, angle, 1.0))
        nearer = np.linalg.norm(other - last, axis=-1) < np.linalg.norm(vector - last, axis=-1)
        both = nearer & (angle[..., 0] > 0.0) & last.any(axis=-1)
        vector[both] = other[both]
    return vectors


def _knots(frames: np.ndarray, before: float, after: float) -> tuple[list[float], list[int]]:
    """Return the times of knots in frames, and which edit each holds; -1 is no change.

    A second knot of no change beyond each end makes the slope there zero.
    """
    knots, sources = [frames[0] - before - 1.0, frames[0] - before], [-1, -1]
    for index, frame in enumerate(frames.tolist()):
        if index and frame - before > knots[-1] + after:
            knots += [knots[-1] + after, frame - before]
            sources += [-1, -1]
        knots.append(float(frame))
        sources.append(index)
    return [*knots, knots[-1] + after, knots[-1] + after + 1.0], [*sources, -1, -1]


def _curves(knots: Sequence[float], sources: Sequence[int], values: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Interpolate edits, shape (edits, ..., 3), at the frames of the span; -1 among the sources is zero."""
    from scipy.interpolate import PchipInterpolator

    known = np.concatenate([values, np.zeros((1, *values.shape[1:]))])[list(sources)]
    return np.asarray(PchipInterpolator(np.array(knots), known, axis=0)(span))
