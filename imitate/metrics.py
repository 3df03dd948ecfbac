"""Numbers that say how well a simulated body follows its reference: arrays in, numbers out.

Positions are those of body origins in one world frame, metres, shape (frames, ..., bodies, 3); any axes may stand between frames
and bodies. Errors of positions are told in millimetres, as papers print them. Definitions and sources: docs/imitation-metrics.md.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics.errors import InputError
from kinematics.rotations import quaternion

MM = 1000.0  # millimetres in a metre
RATE = 30.0  # frames a second at which PHC differences positions
FAR = 0.5  # metres of mean body error from which on an episode has failed (PHC)
EPISODES = 64  # fewer are few

Positions = Float[np.ndarray, "frames *any bodies 3"]
Rotations = Float[np.ndarray, "frames *any bodies 4"]
PerFrame = Float[np.ndarray, " frames *any"]


def global_error(positions: Positions, reference: Positions) -> PerFrame:
    """Return the mean distance of bodies in the world, mm (MPJPE; PHC's g-MPJPE, mjlab's MPKPE)."""
    return np.asarray(MM * np.linalg.norm(positions - reference, axis=-1).mean(axis=-1))


def root_relative_error(positions: Positions, reference: Positions, *, root: int = 0) -> PerFrame:
    """Return the mean distance of bodies, mm, with the root's position taken out and its rotation left in (PHC's MPJPE)."""
    return global_error(positions - positions[..., root : root + 1, :], reference - reference[..., root : root + 1, :])


def procrustes_error(positions: Positions, reference: Positions) -> PerFrame:
    """Return the mean distance of bodies, mm, after the best similarity transform (PA-MPJPE).

    Translation, rotation and scale are those that make the sum of squared distances least; a reflection is not allowed
    (Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991, equations 34 to 43). Where
    all bodies lie in one point its scale is 0.
    """
    one, other = positions - positions.mean(axis=-2, keepdims=True), reference - reference.mean(axis=-2, keepdims=True)
    left, stretch, right = np.linalg.svd(np.swapaxes(other, -1, -2) @ one)
    sign = np.ones_like(stretch)
    sign[..., 2] = np.sign(np.linalg.det(left @ right))
    rotation = (left * sign[..., None, :]) @ right
    size = np.sum(one * one, axis=(-2, -1))
    scale = (stretch * sign).sum(axis=-1) / np.where(size > 0.0, size, 1.0)
    return global_error(scale[..., None, None] * (one @ np.swapaxes(rotation, -1, -2)), other)


def velocity_error(positions: Positions, reference: Positions) -> Float[np.ndarray, " steps *any"]:
    """Return the mean difference of the bodies' steps from frame to frame, mm a frame, one frame fewer (PHC's velocity error)."""
    steps = np.diff(positions - reference, axis=0)
    return np.asarray(MM * np.linalg.norm(steps, axis=-1).mean(axis=-1))


def acceleration_error(positions: Positions, reference: Positions) -> Float[np.ndarray, " steps *any"]:
    """Return the mean difference of the bodies' second differences, mm a frame squared, two frames fewer (PHC's acceleration)."""
    seconds = np.diff(positions - reference, n=2, axis=0)
    return np.asarray(MM * np.linalg.norm(seconds, axis=-1).mean(axis=-1))


def at_rate(values: Float[np.ndarray, " frames *any"], rate: float, wanted: float = RATE) -> Float[np.ndarray, " samples *any"]:
    """Sample values at another rate, by straight lines between frames; at their own rate they stay as they are.

    Args:
        values: Anything that changes along the first axis.
        rate: Frames a second of the values.
        wanted: Frames a second of the result, which begins with the first frame and ends with the last that fits.
    """
    if rate == wanted or len(values) < 2:
        return values
    frames = np.arange(int((len(values) - 1) * wanted / rate + 1e-9) + 1) * (rate / wanted)
    before = np.minimum(frames.astype(np.int64), len(values) - 2)
    share = (frames - before).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((1.0 - share) * values[before] + share * values[before + 1])


def rotation_error(rotations: Rotations, reference: Rotations) -> PerFrame:
    """Return the mean angle between orientations of bodies, radians."""
    return np.asarray(quaternion.angle_between(rotations, reference).mean(axis=-1))


def joint_velocity_error(
    velocities: Float[np.ndarray, "frames *any hinges"], reference: Float[np.ndarray, "frames *any hinges"]
) -> PerFrame:
    """Return the length of the difference of all joint velocities, rad/s (mjlab)."""
    return np.asarray(np.linalg.norm(velocities - reference, axis=-1))


def heading_aligned(
    positions: Positions, rotations: Rotations, reference: Positions, reference_rotations: Rotations, *, root: int = 0
) -> tuple[Positions, Rotations]:
    """Return the reference moved along the floor and turned about the vertical to where the body stands and faces (mjlab).

    The root's horizontal place and heading become the body's; heights stay the reference's. The vertical is z.

    Args:
        positions: Bodies, metres, Z up.
        rotations: Their orientations, unit quaternions wxyz.
        reference: Where the bodies should be.
        reference_rotations: How they should be turned.
        root: Body that both are aligned at.

    Returns:
        The reference's positions and rotations, aligned.
    """
    apart = quaternion.multiply(rotations[..., root, :], quaternion.inverse(reference_rotations[..., root, :]))
    turn = np.zeros_like(apart)  # the part of it about z: swing and twist
    turn[..., 0], turn[..., 3] = apart[..., 0], apart[..., 3]
    lengths = np.linalg.norm(turn, axis=-1, keepdims=True)
    turn = np.where(lengths > 1e-9, turn / np.maximum(lengths, 1e-9), quaternion.IDENTITY)[..., None, :]
    place = reference[..., root : root + 1, :].copy()
    there = positions[..., root : root + 1, :].copy()
    there[..., 2] = place[..., 2]
    offsets = reference - place
    turn = np.broadcast_to(turn, reference_rotations.shape)
    return there + quaternion.rotate(turn, offsets), quaternion.multiply(turn, reference_rotations)


def normalised_return(
    rewards: Float[np.ndarray, " steps episodes"], lengths: Int[np.ndarray, " episodes"], horizons: Int[np.ndarray, " episodes"]
) -> Float[np.ndarray, " episodes"]:
    """Return the sum of each episode's rewards over the largest that is possible (DeepMimic's normalised return).

    Rewards lie in [0, 1], so the largest sum is the number of steps that the episode could have. Steps after its end count
    nothing: who falls in the middle gets half at most.

    Args:
        rewards: Reward of each step.
        lengths: Steps that each episode lasted.
        horizons: Steps that it could have lasted.

    Raises:
        InputError: On rewards outside [0, 1], or an episode without a possible step.
    """
    counted = np.where(np.arange(len(rewards))[:, None] < lengths, rewards, 0.0)
    if not (np.all(counted >= -1e-6) and np.all(counted <= 1.0 + 1e-6)):
        raise InputError(
            f"rewards must lie in [0, 1] for a normalised return; got {counted.min():.4g} to {counted.max():.4g}: let the "
            "weights of the reward terms sum to 1"
        )
    if not np.all(horizons > 0):
        raise InputError("every episode must be able to last at least one step")
    return np.asarray(counted.sum(axis=0) / horizons)


def stays_near(
    errors: Float[np.ndarray, " frames episodes"], lengths: Int[np.ndarray, " episodes"], *, limit: float = FAR
) -> Bool[np.ndarray, " episodes"]:
    """Tell of each episode whether the mean body error never exceeds a limit, 0.5 m by default, while it lasts (PHC's success).

    Args:
        errors: Mean distance of bodies in the world, mm, from the first frame on; frames after an episode's end do not count.
        lengths: Frames of each episode.
        limit: Metres.
    """
    lasts = np.arange(len(errors))[:, None] < lengths
    return np.asarray(~np.any(lasts & ~(errors <= MM * limit), axis=0))
