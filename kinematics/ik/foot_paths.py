"""Paths of feet that do not slide: where each ankle shall be in each frame, planned over the whole clip by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinematics.contacts import Contacts, foot_positions
from kinematics.forward import GlobalTransforms
from kinematics.rotations import quaternion

RETURN_S = 0.12  # within about which a foot comes back to the clip's path
STICK = 1e5  # how much more a step against the floor costs than being off by as much for RETURN_S
LIFT = 1296.0  # the same for depth: it is followed within RETURN_S / LIFT^(1/4) = 0.02 s
FINEST = 300.0  # frames in RETURN_S that are told apart: the matrix stays well conditioned
STILL, PIVOT = 0.05, 0.1  # m/s: speeds at which a point counts less as the one that bears, and the foot as turning on it


@dataclass(frozen=True, eq=False)
class FootPath:
    """Where a foot shall be."""

    ankle: int
    points: np.ndarray  # of the foot, among all foot points
    stands: np.ndarray  # (frames - 1, points): in both frames of a step
    wholly: np.ndarray  # (frames - 1,): steps with nothing of the slide left
    shifts: np.ndarray  # (frames, 3): of the ankle
    turns: np.ndarray  # (frames,): about up


def standing_points(contacts: Contacts, own: Contacts) -> np.ndarray:
    """Return which of the clip's own foot points stand, (frames, points), by contacts of whatever skeleton."""
    standing = np.zeros((len(contacts.in_contact), len(own.names)), dtype=bool)
    for side in (1, -1):
        mine, theirs = np.flatnonzero(own.sides == side), contacts.in_contact[:, contacts.sides == side]
        alike = theirs.shape[1] == len(mine)  # ankle, toe base, tips: in this order on all skeletons
        standing[:, mine] = theirs if alike else theirs.any(axis=1, keepdims=True)
    return standing


def plan_paths(
    transforms: GlobalTransforms,
    own: Contacts,
    standing: np.ndarray,
    frame_time: float,
    ease_s: float,
    sink: float,
    axis: np.ndarray,
) -> list[FootPath]:
    """Plan the path of each foot that stands at some time."""
    where, paths = foot_positions(transforms), []
    for side in (1, -1):
        points = np.flatnonzero(own.sides == side)
        stands = standing[1:, points] & standing[:-1, points]
        if not stands.any():
            continue
        ankle = transforms.skeleton.joint_index(own.names[points[0]])
        share = eased(np.asarray(stands.any(axis=1)), ease_s / frame_time)
        heights = where[:, points] @ axis
        flat = where[:, points] - heights[..., None] * axis
        shifts, turns = flat_path(flat, stands, transforms.global_rotations[:, ankle], share, frame_time, own.scale, axis)
        depths = np.where(standing[:, points], own.standing_heights[points] - sink * own.scale - heights, 0.0).max(axis=1)
        if (depths > 0.0).any():
            weights = LIFT * eased(np.asarray(standing[:, points].any(axis=1)), ease_s / frame_time)
            lift = least_squares(depths.clip(min=0.0)[:, None], weights, frame_time, steps=False)
            shifts = shifts + lift * axis
        paths.append(FootPath(ankle, points, stands, share == 1.0, shifts, turns))
    return paths


def flat_path(
    flat: np.ndarray,
    stands: np.ndarray,
    rotations: np.ndarray,
    share: np.ndarray,
    frame_time: float,
    scale: float,
    axis: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return shifts of the ankle (frames, 3) along the floor and turns about up (frames,) that leave no slide.

    flat (frames, points, 3): the foot's points on the floor, the ankle first. stands (frames - 1, points): which of them stand
    in both frames of a step. share (frames - 1,): how much of the slide goes.
    """
    steps = np.diff(flat, axis=0)
    speeds = np.linalg.norm(steps, axis=-1) / (frame_time * scale)
    # The point that moves least bears the foot; where two do, both.
    bears = np.where(stands.any(axis=1, keepdims=True), stands, 1.0) / (STILL**2 + speeds**2) ** 4
    bears /= bears.sum(axis=1, keepdims=True)
    slide = np.einsum("fp,fpi->fi", bears, steps)
    # Where a second point stands as still, the foot does not turn on the first.
    apart = np.where(stands, np.linalg.norm(steps - slide[:, None], axis=-1) / (frame_time * scale), np.inf)
    second = np.sort(apart, axis=1)[:, 1] if apart.shape[1] > 1 else np.full(len(apart), np.inf)
    still = share / (1.0 + (second / PIVOT) ** 2) ** 2
    spins = quaternion.to_rotation_vector(quaternion.multiply(rotations[1:], quaternion.inverse(rotations[:-1]))) @ axis
    turns = least_squares(-(still * spins)[:, None], still, frame_time, steps=True)[:, 0]
    arms = quaternion.rotate(quaternion.from_axis_angle(axis, turns)[:, None], flat - flat[:, :1])
    swept = np.einsum("fp,fpi->fi", bears, np.diff(arms, axis=0))
    rates = (1.0 - share)[:, None] * slide - steps[:, 0] - swept
    return least_squares(rates, share, frame_time, steps=True), turns


def least_squares(wanted: np.ndarray, weights: np.ndarray, frame_time: float, *, steps: bool) -> np.ndarray:
    """Return values d (frames, n) that are as wanted, or whose steps from frame to frame are, and else small and little bent.

    Least is the sum of d^2, RETURN_S^4 (second derivative)^2, and weight (d - wanted)^2 or, of steps, STICK RETURN_S^2 weight
    (derivative - wanted)^2: a banded matrix. weights (rows of wanted,).
    """
    from scipy.linalg import solveh_banded

    frames, rate = len(wanted) + steps, min(RETURN_S / frame_time, FINEST)
    band, right = np.zeros((3, frames)), np.zeros((frames, wanted.shape[1]))
    band[2] = 1.0
    if frames > 2:
        bend = rate**4
        for offset, factor in ((0, 1.0), (1, 4.0), (2, 1.0)):
            band[2, offset : frames - 2 + offset] += factor * bend
        band[1, 1:-1] -= 2.0 * bend
        band[1, 2:] -= 2.0 * bend
        band[0, 2:] += bend
    if steps:
        weights = STICK * rate**2 * weights
        band[2, :-1] += weights
        band[2, 1:] += weights
        band[1, 1:] -= weights
        right[:-1] -= weights[:, None] * wanted
        right[1:] += weights[:, None] * wanted
    else:
        band[2] += weights
        right += weights[:, None] * wanted
    return np.asarray(solveh_banded(band, right))


def eased(state: np.ndarray, frames: float) -> np.ndarray:
    """Return 1 inside runs of a state and 0 outside, eased within so many frames of a run's ends; ends of the clip are none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], state, [False]]))).reshape(-1, 2)
    at, share = np.arange(len(state)) + 0.5, np.zeros(len(state))
    for start, stop in edges.tolist():
        inside = np.ones(stop - start)
        if start > 0 and frames > 0.0:
            inside *= _smoothstep((at[start:stop] - start) / frames)
        if stop < len(state) and frames > 0.0:
            inside *= _smoothstep((stop - at[start:stop]) / frames)
        share[start:stop] = inside
    return share


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x**3 * (10.0 - 15.0 * x + 6.0 * x**2))
