"""Velocities and accelerations of joints, linear and angular, in the world frame.

All of them start from the rates between neighbouring frames, v(t + h/2) = (x(t + h) - x(t)) / h, or the rotation vector of
q(t + h) q(t)^-1 over h. Both are symmetric in time, hence right to second order in h at the middle of the step. The mean of
the two steps around a frame is the central difference; linear extrapolation gives the one-sided formula of second order at
the ends (Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988).
Rotations are differenced as quaternions, never as Euler angles, and may turn by up to pi from frame to frame.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.errors import InputError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion


def linear_velocities(motion: Motion, *, transforms: GlobalTransforms | None = None) -> Float[np.ndarray, "frames joints 3"]:
    """Return the velocity of each joint in the world, in the motion's unit per second, shape (frames, joints, 3).

    Central differences inside, one-sided at the ends, both of second order. Two frames share one velocity; one frame has
    none (zeros).

    Args:
        motion: The clip.
        transforms: Its forward kinematics where already known.
    """
    return differentiate((transforms or forward_kinematics(motion)).global_positions, motion.frame_time)


def angular_velocities(motion: Motion, *, transforms: GlobalTransforms | None = None) -> Float[np.ndarray, "frames joints 3"]:
    """Return the angular velocity of each joint, world frame, rad/s, shape (frames, joints, 3).

    Right for joints that turn by less than pi between frames. Two frames share one velocity; one frame has none (zeros).

    Args:
        motion: The clip.
        transforms: Its forward kinematics where already known.
    """
    return differentiate_rotations((transforms or forward_kinematics(motion)).global_rotations, motion.frame_time)


def linear_accelerations(motion: Motion, *, transforms: GlobalTransforms | None = None) -> Float[np.ndarray, "frames joints 3"]:
    """Return the acceleration of each joint in the world, in the motion's unit per second squared, shape (frames, joints, 3).

    Second differences inside, one-sided at the ends, both of second order. Three frames share one acceleration; fewer have
    none (zeros).

    Args:
        motion: The clip.
        transforms: Its forward kinematics where already known.
    """
    return differentiate_twice((transforms or forward_kinematics(motion)).global_positions, motion.frame_time)


def angular_accelerations(motion: Motion, *, transforms: GlobalTransforms | None = None) -> Float[np.ndarray, "frames joints 3"]:
    """Return the angular acceleration of each joint, world frame, rad/s^2, shape (frames, joints, 3).

    Three frames share one acceleration; fewer have none (zeros).

    Args:
        motion: The clip.
        transforms: Its forward kinematics where already known.
    """
    rotations = (transforms or forward_kinematics(motion)).global_rotations
    steps = _rotation_steps(rotations, motion.frame_time)
    return _second_from_steps(steps, len(rotations), motion.frame_time)


def differentiate(values: Float[np.ndarray, "frames ..."], frame_time: float) -> Float[np.ndarray, "frames ..."]:
    """Return the time derivative of any array along its first axis, in its unit per second; second order everywhere.

    Args:
        values: Samples, one row a frame.
        frame_time: Seconds between frames.

    Raises:
        InputError: Where the frame time is not positive.
    """
    values = np.asarray(values, dtype=np.float64)
    return _first_from_steps(_steps(values, frame_time), len(values))


def differentiate_twice(values: Float[np.ndarray, "frames ..."], frame_time: float) -> Float[np.ndarray, "frames ..."]:
    """Return the second time derivative of any array along its first axis, in its unit per second squared.

    Args:
        values: Samples, one row a frame.
        frame_time: Seconds between frames.

    Raises:
        InputError: Where the frame time is not positive.
    """
    values = np.asarray(values, dtype=np.float64)
    return _second_from_steps(_steps(values, frame_time), len(values), frame_time)


def differentiate_rotations(rotations: Float[np.ndarray, "frames ... 4"], frame_time: float) -> Float[np.ndarray, "frames ... 3"]:
    """Return the angular velocity of rotations over time, in rad/s, in the frame that the rotations map to.

    Global rotations give world-frame angular velocities, local rotations give them relative to and in the parent's frame.

    Args:
        rotations: Unit quaternions wxyz, one row a frame; signs do not matter.
        frame_time: Seconds between frames.

    Raises:
        InputError: Where the frame time is not positive.
    """
    return _first_from_steps(_rotation_steps(rotations, frame_time), len(rotations))


def _steps(values: np.ndarray, frame_time: float) -> np.ndarray:
    if not (frame_time > 0.0 and np.isfinite(frame_time)):
        raise InputError(f"frame_time must be a positive number of seconds, got {frame_time}")
    return np.asarray((values[1:] - values[:-1]) / frame_time)


def _rotation_steps(rotations: np.ndarray, frame_time: float) -> np.ndarray:
    if not (frame_time > 0.0 and np.isfinite(frame_time)):
        raise InputError(f"frame_time must be a positive number of seconds, got {frame_time}")
    turns = quaternion.multiply(rotations[1:], quaternion.inverse(rotations[:-1]))
    return np.asarray(quaternion.to_rotation_vector(turns) / frame_time)


def _first_from_steps(steps: np.ndarray, frames: int) -> np.ndarray:
    """Rates between frames (frames - 1, ...) -> rates at frames."""
    rates = np.zeros((frames, *steps.shape[1:]))
    if frames >= 2:
        rates[1:-1] = 0.5 * (steps[1:] + steps[:-1])
        rates[0] = 1.5 * steps[0] - 0.5 * steps[1] if frames > 2 else steps[0]
        rates[-1] = 1.5 * steps[-1] - 0.5 * steps[-2] if frames > 2 else steps[0]
    return rates


def _second_from_steps(steps: np.ndarray, frames: int, frame_time: float) -> np.ndarray:
    """Rates between frames (frames - 1, ...) -> their derivatives at frames."""
    rates = np.zeros((frames, *steps.shape[1:]))
    if frames >= 3:
        inner = (steps[1:] - steps[:-1]) / frame_time
        rates[1:-1] = inner
        rates[0] = 2.0 * inner[0] - inner[1] if frames > 3 else inner[0]
        rates[-1] = 2.0 * inner[-1] - inner[-2] if frames > 3 else inner[0]
    return rates
