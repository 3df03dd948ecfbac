"""A pose as a row of numbers with bounds, for solvers that know nothing of rotations or joint limits."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.ik.limits import EULER_BOX, HINGE, NONE
from kinematics.rotations import euler, quaternion

TURN = 2.0 * math.pi
LOCKED = 1e-12  # radians: a range as small as this is a single value
UP = np.array([0.0, 1.0, 0.0])
Numbers = Float[np.ndarray, " numbers"]
Rotations = Float[np.ndarray, "joints 4"]


class PoseNumbers:
    """Three numbers a joint, see `kernels.pose_numbers`, then the root's translation.

    Attributes:
        begin: The numbers of the pose at the start, shape (3 joints + 3,).
        lower: Their least values.
        upper: Their largest values.
        step: How readily each changes.
        free: Which of them change at all.
    """

    def __init__(self, tree: np.ndarray, root: Float[np.ndarray, "3"], local: Rotations, *, heading: bool) -> None:
        """Read a pose.

        Args:
            tree: Records `kernels.tasks.JOINT`.
            root: The root's global position.
            local: Local rotations of the tree's joints, within their limits.
            heading: Whether the root, without a limit, turns about the world's Y alone.
        """
        self.root, self.count = root, len(local)
        self._kinds, self._values = tree["limit"][:-1].copy(), tree["limit_values"][:-1].copy()
        self._bases = np.array(local)
        if heading:
            self._kinds[0], self._values[0, :7] = HINGE, (*quaternion.IDENTITY, *UP)
        numbers = np.zeros((3, self.count + 1, 3))
        self.begin, self.lower, self.upper = numbers
        self.lower[:], self.upper[:] = -np.inf, np.inf
        for k in np.flatnonzero(self._kinds != NONE).tolist():
            if not (heading and k == 0):
                self._read(k, local[k])
        self.step: Numbers = np.repeat(np.sqrt(tree["mobility"]), 3)
        used = np.ones((self.count + 1, 3), dtype=bool)
        used[:-1][self._kinds == HINGE, 1:] = False
        self.begin, self.lower, self.upper = (each.ravel() for each in numbers)
        self.free = used.ravel() & (self.step > 0.0) & (self.upper - self.lower > LOCKED)

    def _read(self, k: int, local: Float[np.ndarray, "4"]) -> None:
        """Find a limited joint's numbers and their bounds."""
        values = self._values[k]
        relative = quaternion.multiply(quaternion.inverse(values[:4]), local)
        self._bases[k] = quaternion.IDENTITY
        if self._kinds[k] == EULER_BOX:
            self._bases[k], numbers = _box_angles(values, relative)
            lower, upper = values[7:10], values[10:13]
        else:
            found = np.empty(3)
            hinge = self._kinds[k] == HINGE
            kernels.pose_numbers.swing_and_twist(values[4:7], np.pi if hinge else values[7], relative, found)
            numbers = np.array([found[2], 0.0, 0.0]) if hinge else found
            place, first = (0, 7) if hinge else (2, 8)
            lower, upper = np.full(3, -np.inf), np.full(3, np.inf)
            lower[place], upper[place] = values[first], values[first + 1]
            numbers[place] = _nearest_turn(numbers[place : place + 1], lower[place : place + 1], upper[place : place + 1])[0]
        free = upper - lower >= TURN
        self.begin[k] = np.clip(numbers, lower, upper)
        self.lower[k], self.upper[k] = np.where(free, -np.inf, lower), np.where(free, np.inf, upper)

    def pose(self, x: Numbers) -> tuple[Float[np.ndarray, "3"], Rotations, Float[np.ndarray, "joints 3 3"]]:
        """Return root, local rotations, and for each number of a joint the rotation vector it adds, in the parent's frame."""
        local, slopes = np.empty((self.count, 4)), np.empty((self.count, 3, 3))
        kernels.pose_numbers.pose(self._kinds, self._values, self._bases, x[:-3].reshape(-1, 3), local, slopes)
        return self.root + x[-3:], local, slopes

    def chain(
        self,
        jacobian: Float[np.ndarray, "rows columns"],
        slopes: Float[np.ndarray, "joints 3 3"],
        above: Float[np.ndarray, "joints 4"],
    ) -> Float[np.ndarray, "rows columns"]:
        """Return a Jacobian by these numbers from one by world rotation vectors and the root's translation.

        Args:
            jacobian: By the rotation vector of each joint of the tree, then by the translation.
            slopes: Of `pose`.
            above: Global rotation of each joint's parent, quaternions wxyz.
        """
        turns = quaternion.rotate(above[:, None], slopes).transpose(0, 2, 1)  # columns in the world
        by_joint = jacobian[:, :-3].reshape(len(jacobian), self.count, 1, 3) @ turns
        return np.concatenate([by_joint.reshape(len(jacobian), -1), jacobian[:, -3:]], axis=1)


def _box_angles(values: Float[np.ndarray, "16"], relative: Float[np.ndarray, "4"]) -> tuple[np.ndarray, np.ndarray]:
    """Return an Euler box's frame, and of a rotation's two triplets of angles the one inside."""
    rodrigues = values[13:16]
    square = float(rodrigues @ rodrigues)
    frame = np.array([1.0 - square, *(2.0 * rodrigues)]) / (1.0 + square)
    order = "".join("XYZ"[int(each)] for each in values[4:7])
    angles = euler.from_quaternion(quaternion.multiply(relative, quaternion.inverse(frame)), order)
    twin = angles + np.array([math.pi, 0.0, math.pi])
    twin[1] = -angles[1] if order[0] == order[2] else math.pi - angles[1]
    lower, upper = values[7:10], values[10:13]
    both = [_nearest_turn(each, lower, upper) for each in (angles, twin)]
    return frame, min(both, key=lambda each: float(np.abs(each - np.clip(each, lower, upper)).max()))


def _nearest_turn(angles: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the same angles, at the turn nearest to the middle of their range."""
    return np.asarray(angles - TURN * np.round((angles - 0.5 * (lower + upper)) / TURN))
