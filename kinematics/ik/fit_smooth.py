"""Rotations fitted to noisy positions: least squares with as little bending over time as the noise asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.ik.fit_tree import FitTree
from kinematics.rotations import quaternion

STRENGTHS = 10.0 ** np.arange(-3.0, 7.1, 0.25)  # of smoothing that are tried
CALMEST, WILDEST = 0.1, 4.0  # a joint's least and largest acceleration, as shares of the median joint's
STIFFEST = 1e3  # weight of second differences, in bone lengths: stiffer ones would only cost digits
FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-5  # of squared bone lengths
MOST_ITERATIONS, MOST_STEPS = 30, 20  # of Gauss-Newton, of conjugate gradients in each
LINEAR = 0.05  # residual at which conjugate gradients stop, as a share of the first


def bone_noise(lengths: Float[np.ndarray, "frames bones"]) -> float:
    """Return the standard deviation of a coordinate that the trembling of measured bone lengths shows.

    Lengths do not change however the body moves, so what their second differences hold is noise: of variance 2 s^2 in each
    length, along the bone at both ends, and 1 + 4 + 1 times that in the differences. The median over the longer half of the
    bones is taken; a length that changes slowly counts as no noise.
    """
    if len(lengths) < 3 or not lengths.shape[1]:
        return 0.0
    middle = np.median(lengths, axis=0)
    trembling = np.diff(lengths[:, middle >= np.median(middle)], 2, axis=0)
    return float(np.sqrt(np.median(np.mean(np.square(trembling), axis=0)) / 12.0))


def smooth_positions(positions: Float[np.ndarray, "frames joints 3"], noise: float) -> Float[np.ndarray, "frames joints 3"]:
    """Take noise of a known standard deviation out of each joint's path by itself.

    Whittaker's smoother in the cosine basis (Garcia, "Robust smoothing of gridded data in one and higher dimensions with
    missing values", 2010, equation 6), with the strength of least unbiased risk (Stein 1981), after the straight line of least
    squares is taken out.
    """
    from scipy import fft

    frames = len(positions)
    time = np.linspace(-1.0, 1.0, frames)[:, None, None]
    line = positions.mean(axis=0) + time * (np.sum(time * positions, axis=0) / np.sum(time * time))
    waves = fft.dct(positions - line, axis=0, norm="ortho")
    bending = np.square(2.0 - 2.0 * np.cos(np.pi * np.arange(frames) / frames))
    kept = 1.0 / (1.0 + STRENGTHS[:, None] * bending)  # (strengths, frames)
    risk = np.square(1.0 - kept) @ np.sum(waves * waves, axis=2) + 6.0 * noise * noise * kept.sum(axis=1)[:, None]
    return np.asarray(fft.idct(waves * kept[risk.argmin(axis=0)].T[:, :, None], axis=0, norm="ortho") + line)


def stiffnesses(
    root: Float[np.ndarray, "frames 3"], local: Float[np.ndarray, "frames joints 4"], noise: float, bone: float
) -> Float[np.ndarray, " joints_and_root"]:
    """Return for each joint, and last for the root's translation, noise / acceleration of a clip that is smooth already.

    With these weights on second differences the least squares give the most probable motion, if accelerations are as large
    as in that clip and independent of each other. Clips of one or two frames have no second differences, and weights 0.
    """
    if len(local) < 3:
        return np.zeros(local.shape[1] + 1)
    bent, middle = np.diff(local, 2, axis=0), local[1:-1]
    bent -= np.sum(bent * middle, axis=2, keepdims=True) * middle  # what bends along q is speed
    turning = np.sqrt(np.mean(4.0 * np.sum(np.square(bent), axis=2), axis=0) / 3.0)
    moving = np.sqrt(np.mean(np.square(np.diff(root, 2, axis=0))))
    if np.any(turning > 0):
        usual = np.median(turning[turning > 0])
        turning = np.clip(turning, CALMEST * usual, WILDEST * usual)
    most = STIFFEST * np.append(np.full(len(turning), bone), 1.0)
    return np.asarray(noise / np.maximum(np.append(turning, moving), noise / most))


@dataclass(frozen=True)
class _State:
    """A clip, where its joints are, and the cost of that with its gradient."""

    root: np.ndarray
    local: np.ndarray
    where: np.ndarray
    turned: np.ndarray
    cost: float
    gradient: np.ndarray


def fit_smoothly(
    tree: FitTree,
    positions: Float[np.ndarray, "frames joints 3"],
    root: Float[np.ndarray, "frames 3"],
    local: Float[np.ndarray, "frames joints 4"],
    weights: Float[np.ndarray, " joints_and_root"],
    bone: float,
    *,
    settled: float,
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames joints 4"]]:
    """Minimise the squared distances to the positions plus weights^2 times squared second differences over time.

    Levenberg-Marquardt from a clip that is near; its linear systems by conjugate gradients, preconditioned joint by joint with
    all frames at once. `bone` is a usual length of bones; `settled` the share of the cost that the last iteration takes away.
    """
    state = _evaluate(tree, positions, root, local, weights)
    damping = FIRST_DAMPING * bone * bone
    for _ in range(MOST_ITERATIONS):
        step = _step(tree, state, weights, damping)
        turned = quaternion.multiply(state.local, quaternion.from_rotation_vector(step[:, :-1]))
        trial = _evaluate(tree, positions, state.root + step[:, -1], quaternion.normalize(turned), weights)
        if not trial.cost < state.cost:
            damping *= 10.0
            if damping > bone * bone:
                break
            continue
        gain, before = state.cost - trial.cost, state.cost
        state, damping = trial, max(0.3 * damping, LEAST_DAMPING * bone * bone)
        if gain < settled * before:
            break
    return state.root, state.local


def _evaluate(tree: FitTree, positions: np.ndarray, root: np.ndarray, local: np.ndarray, weights: np.ndarray) -> _State:
    where, turned = kernels.fit_smooth.place(root, local, tree.offsets, tree.parents)
    away = where - positions
    bent = np.diff(kernels.fit_smooth.curves(root, local, weights), 2, axis=0)
    straighten = kernels.fit_smooth.change_back(local, weights, _differences_back(bent))
    gradient = kernels.fit_smooth.pull(where, turned, tree.parents, away) + straighten
    return _State(root, local, where, turned, float(np.sum(away * away) + np.sum(bent * bent)), gradient)


def _differences_back(bent: np.ndarray) -> np.ndarray:
    """Return D^T bent, where D takes second differences."""
    values = np.zeros((len(bent) + 2, bent.shape[1]))
    values[:-2] += bent
    values[1:-1] -= 2.0 * bent
    values[2:] += bent
    return values


def _step(tree: FitTree, state: _State, weights: np.ndarray, damping: float) -> np.ndarray:
    where, turned, local, parents = state.where, state.turned, state.local, tree.parents
    kernel = kernels.fit_smooth
    factors = kernel.factorize(where, turned, local, parents, weights, damping)

    def matrix(step: np.ndarray) -> np.ndarray:
        bent = np.diff(kernel.change(local, weights, step), 2, axis=0)
        bending = kernel.change_back(local, weights, _differences_back(bent))
        moving = kernel.pull(where, turned, parents, kernel.push(where, turned, parents, step))
        return np.asarray(moving + bending + damping * step)

    return _conjugate_gradients(matrix, lambda step: kernel.precondition(factors, step), -state.gradient)


def _conjugate_gradients(
    matrix: Callable[[np.ndarray], np.ndarray], precondition: Callable[[np.ndarray], np.ndarray], right: np.ndarray
) -> np.ndarray:
    """Solve matrix x = right, roughly."""
    solution, residual = np.zeros_like(right), right
    ahead = direction = precondition(residual)
    size = first = float(np.sum(residual * ahead))
    for _ in range(MOST_STEPS):
        if size <= LINEAR * LINEAR * first:
            break
        pushed = matrix(direction)
        share = size / float(np.sum(direction * pushed))
        solution, residual = solution + share * direction, residual - share * pushed
        ahead = precondition(residual)
        size, before = float(np.sum(residual * ahead)), size
        direction = ahead + (size / before) * direction
    return solution
