"""How a joint's rotation depends on free numbers with bounds, for solvers that know nothing of rotations or joint limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from kinematics.ik.limits import EULER_BOX, HINGE, NONE
from kinematics.rotations import euler, quaternion

TURN = 2.0 * math.pi
LOCKED = 1e-12  # radians: a range as small as this is a single value
UP = np.array([0.0, 1.0, 0.0])
Vector = Float[np.ndarray, "3"]
Quaternion = Float[np.ndarray, "4"]
Numbers = Float[np.ndarray, " n"]
Slopes = Float[np.ndarray, "3 _"]


def _unbounded() -> Numbers:
    return np.full(3, np.inf)


@dataclass(frozen=True, eq=False)
class Ball:
    """A rotation vector about the rotation at the start, in the parent's frame.

    Attributes:
        base: Rotation at the start, quaternion wxyz, shape (4,).
        begin: Numbers at the start.
        lower: Their least values.
        upper: Their largest values.
        swing: How large the vector of the first two may become.
    """

    base: Quaternion
    begin: Numbers = field(default_factory=lambda: np.zeros(3))
    lower: Numbers = field(default_factory=lambda: -_unbounded())
    upper: Numbers = field(default_factory=_unbounded)
    swing: float = math.inf

    def at(self, x: Numbers) -> tuple[Quaternion, Slopes]:
        """Return the local rotation, and the rotation vectors in the parent's frame that a unit of each number adds."""
        return quaternion.multiply(quaternion.from_rotation_vector(x), self.base), left_jacobian(x)


@dataclass(frozen=True, eq=False)
class Axis(Ball):
    """An angle about one axis: local = reference * turn(axis, angle) * base."""

    reference: Quaternion = field(default_factory=lambda: quaternion.IDENTITY)
    axis: Vector = field(default_factory=lambda: UP)

    def at(self, x: Numbers) -> tuple[Quaternion, Slopes]:
        """Return the local rotation, and the rotation vectors in the parent's frame that a unit of each number adds."""
        turned = quaternion.multiply(quaternion.from_axis_angle(self.axis, float(x[0])), self.base)
        return quaternion.multiply(self.reference, turned), quaternion.rotate(self.reference, self.axis)[:, None]


@dataclass(frozen=True, eq=False)
class SwingTwist(Axis):
    """A swing's rotation vector across the axis, and a twist about it: local = reference * swing * twist."""

    def at(self, x: Numbers) -> tuple[Quaternion, Slopes]:
        """Return the local rotation, and the rotation vectors in the parent's frame that a unit of each number adds."""
        across = _across(self.axis)
        vector = across @ x[:2]
        swing, twist = quaternion.from_rotation_vector(vector), quaternion.from_axis_angle(self.axis, float(x[2]))
        slopes = np.column_stack([left_jacobian(vector) @ across, quaternion.rotate(swing, self.axis)])
        local = quaternion.multiply(self.reference, quaternion.multiply(swing, twist))
        return local, quaternion.to_matrix(self.reference) @ slopes


@dataclass(frozen=True, eq=False)
class Box(Axis):
    """Three Euler angles: local = reference * R(angle 1) R(angle 2) R(angle 3) * base."""

    order: str = "ZYX"

    def at(self, x: Numbers) -> tuple[Quaternion, Slopes]:
        """Return the local rotation, and the rotation vectors in the parent's frame that a unit of each number adds."""
        turned, axes = self.reference, []
        for letter, angle in zip(self.order, x.tolist(), strict=True):
            axis = np.eye(3)["XYZ".index(letter)]
            axes.append(quaternion.rotate(turned, axis))
            turned = quaternion.multiply(turned, quaternion.from_axis_angle(axis, angle))
        return quaternion.multiply(turned, self.base), np.column_stack(axes)


def parameters(kind: int, values: Float[np.ndarray, "16"], local: Quaternion, *, heading: bool) -> Ball:
    """Return a joint's parameters at a local rotation that its limit allows.

    Args:
        kind: Of the limit, see `kernels.limits`.
        values: Numbers of the limit.
        local: The rotation.
        heading: Whether the joint turns about the world's Y alone, being a root without a limit.
    """
    if heading:
        return Axis(local, np.zeros(1), np.full(1, -np.inf), np.full(1, np.inf))
    if kind == NONE:
        return Ball(local)
    reference, axis = np.array(values[:4]), np.array(values[4:7])
    relative = quaternion.multiply(quaternion.inverse(reference), local)
    if kind == EULER_BOX:
        rodrigues = values[13:16]
        square = float(rodrigues @ rodrigues)
        frame = np.array([1.0 - square, *(2.0 * rodrigues)]) / (1.0 + square)
        order = "".join("XYZ"[int(each)] for each in axis)
        angles = euler.from_quaternion(quaternion.multiply(relative, quaternion.inverse(frame)), order)
        twin = angles + np.array([math.pi, 0.0, math.pi])
        twin[1] = -angles[1] if order[0] == order[2] else math.pi - angles[1]
        lower, upper = values[7:10], values[10:13]
        turns = [_nearest_turn(each, lower, upper) for each in (angles, twin)]
        best = min(turns, key=lambda each: float(np.abs(each - np.clip(each, lower, upper)).max()))
        return Box(frame, *_bounded(best, lower, upper), reference=reference, order=order)
    twist = 2.0 * math.atan2(float(relative[1:] @ axis), float(relative[0]))
    if kind == HINGE:
        lower, upper = values[7:8], values[8:9]
        angle = _nearest_turn(np.array([twist]), lower, upper)
        return Axis(quaternion.IDENTITY, *_bounded(angle, lower, upper), reference=reference, axis=axis)
    swing = quaternion.multiply(relative, quaternion.from_axis_angle(axis, -twist))
    vector = _across(axis).T @ quaternion.to_rotation_vector(swing)
    lower, upper = np.array([-np.inf, -np.inf, values[8]]), np.array([np.inf, np.inf, values[9]])
    numbers = np.array([*vector, *_nearest_turn(np.array([twist]), values[8:9], values[9:10])])
    most = math.inf if values[7] >= math.pi else float(values[7])
    return SwingTwist(quaternion.IDENTITY, *_bounded(numbers, lower, upper), most, reference=reference, axis=axis)


def left_jacobian(x: Vector) -> Float[np.ndarray, "3 3"]:
    """Return J with exp(x + dx) = exp(J dx) exp(x), to first order in dx."""
    square = float(x @ x)
    angle = math.sqrt(square)
    first, second = 0.5 - square / 24.0, 1.0 / 6.0 - square / 120.0
    if angle > 1e-2:
        first, second = (1.0 - math.cos(angle)) / square, (angle - math.sin(angle)) / (square * angle)
    cross = np.array([[0.0, -x[2], x[1]], [x[2], 0.0, -x[0]], [-x[1], x[0], 0.0]])
    return np.asarray(np.eye(3) + first * cross + second * cross @ cross)


class PoseNumbers:
    """All numbers of a pose in one row: those of each joint that may turn, then the root's translation where it moves.

    Attributes:
        begin: The numbers of the pose at the start, shape (numbers,).
        lower: Their least values.
        upper: Their largest values.
        step: How readily each changes.
        free: Which of them may change at all.
    """

    def __init__(self, tree: np.ndarray, root: Vector, local: Float[np.ndarray, "joints 4"], *, heading: bool) -> None:
        """Read a pose.

        Args:
            tree: Records `kernels.tasks.JOINT`.
            root: The root's global position.
            local: Local rotations of the tree's joints, within their limits.
            heading: Whether the root turns about the world's Y alone.
        """
        self.root, self.local = root, local
        self.joints = {
            k: parameters(int(tree["limit"][k]), tree["limit_values"][k], local[k], heading=heading and k == 0)
            for k in np.flatnonzero(tree["mobility"][:-1] > 0.0).tolist()
        }
        lengths = [len(joint.begin) for joint in self.joints.values()]
        ends = np.cumsum([0, *lengths]).tolist()
        self.spans = dict(zip(self.joints, map(slice, ends, ends[1:]), strict=False))
        travel = np.full(3 if tree["mobility"][-1] > 0.0 else 0, np.inf)
        self.begin = np.concatenate([*(joint.begin for joint in self.joints.values()), np.zeros(len(travel))])
        self.lower = np.concatenate([*(joint.lower for joint in self.joints.values()), -travel])
        self.upper = np.concatenate([*(joint.upper for joint in self.joints.values()), travel])
        mobility = np.repeat(tree["mobility"][[*self.joints, -1]], [*lengths, len(travel)])
        self.step: Numbers = np.sqrt(mobility)
        self.free = self.upper - self.lower > LOCKED

    def pose(self, x: Numbers) -> tuple[Vector, Float[np.ndarray, "joints 4"], dict[int, Slopes]]:
        """Return root, local rotations, and for each joint its rotation vectors in the parent's frame by its numbers."""
        local, slopes = np.array(self.local), {}
        for k, joint in self.joints.items():
            local[k], slopes[k] = joint.at(x[self.spans[k]])
        root = self.root + x[len(x) - 3 :] if len(x) > self._turns else np.array(self.root)
        return root, local, slopes

    def chain(
        self,
        jacobian: Float[np.ndarray, "rows columns"],
        slopes: Mapping[int, Slopes],
        above: Float[np.ndarray, "joints 4"],
    ) -> Float[np.ndarray, "rows numbers"]:
        """Return a Jacobian by these numbers from one by world rotation vectors and the root's translation.

        Args:
            jacobian: By the rotation vector of each joint of the tree, then by the translation.
            slopes: Of `pose`.
            above: Global rotation of each joint's parent, quaternions wxyz.
        """
        made, to_world = np.zeros((len(jacobian), len(self.begin))), quaternion.to_matrix(above)
        for k, span in self.spans.items():
            made[:, span] = jacobian[:, 3 * k : 3 * k + 3] @ to_world[k] @ slopes[k]
        made[:, self._turns :] = jacobian[:, -3:] if len(self.begin) > self._turns else 0.0
        return made

    def swings(self, x: Numbers) -> tuple[Float[np.ndarray, " swings"], Float[np.ndarray, "swings n"]]:
        """Return how far each swing goes beyond its limit, radians, and the slopes of that."""
        limited = [k for k, joint in self.joints.items() if joint.swing < math.inf]
        beyond, slopes = np.zeros(len(limited)), np.zeros((len(limited), len(x)))
        for row, k in enumerate(limited):
            first = self.spans[k].start
            size = float(np.linalg.norm(x[first : first + 2]))
            if size > self.joints[k].swing:
                beyond[row] = size - self.joints[k].swing
                slopes[row, first : first + 2] = x[first : first + 2] / size
        return beyond, slopes

    @property
    def _turns(self) -> int:
        return sum(len(joint.begin) for joint in self.joints.values())


def _across(axis: Vector) -> Float[np.ndarray, "3 2"]:
    """Return two unit vectors across an axis, as columns."""
    first = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    first /= np.linalg.norm(first)
    return np.column_stack([first, np.cross(axis, first)])


def _nearest_turn(angles: Numbers, lower: Numbers, upper: Numbers) -> Numbers:
    """Return the same angles, at the turn nearest to the middle of their range."""
    return np.asarray(angles - TURN * np.round((angles - 0.5 * (lower + upper)) / TURN))


def _bounded(angles: Numbers, lower: Numbers, upper: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return numbers inside their bounds, and the bounds; a range of a whole turn is none."""
    free = upper - lower >= TURN
    return np.clip(angles, lower, upper), np.where(free, -np.inf, lower), np.where(free, np.inf, upper)
