"""Goals: what a joint or end site should do. Each is a small frozen object; a bare vector stands for a position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays, frozen, require_finite
from kinematics.errors import InputError
from kinematics.motion import Pose
from kinematics.rotations import quaternion

Kind = Literal["position", "orientation", "transform", "look_at", "pole", "center_of_mass", "posture", "hold"]
Vector = Float[np.ndarray, "*frames 3"] | tuple[float, float, float] | list[float]
Rotation = Float[np.ndarray, "*frames 4"] | tuple[float, float, float, float] | list[float]


@dataclass(frozen=True, eq=False)
class Goal(FrozenArrays):
    """One goal; made by the functions of this module, which take lists and tuples too.

    Attributes:
        kind: What is asked for.
        point: Global target position, shape (3,) or (frames, 3), in the skeleton's unit; None where it is given later.
        rotation: Global target rotation, unit quaternions wxyz, shape (4,) or (frames, 4); None where there is none.
        weight: Factor of the squared error.
        priority: 0 comes first; a goal never worsens one of a smaller number.
        offset: The point of the joint that is meant, in the joint's frame, shape (3,).
        axis: The axis that looks, in the joint's frame, unit, shape (3,).
        axes: World axes that count, out of "xyz".
        orientation: Whether a hold keeps the rotation too.
        pose: The posture to stay near; None is the pose that the solver is given.
        joints: Weight of each joint of a posture by name; None is 1 for all.
    """

    kind: Kind
    point: Float[np.ndarray, "*frames 3"] | None = None
    rotation: Float[np.ndarray, "*frames 4"] | None = None
    weight: float = 1.0
    priority: int = 0
    offset: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    axis: Float[np.ndarray, "3"] = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))
    axes: str = "xyz"
    orientation: bool = False
    pose: Pose | None = None
    joints: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        name = f"ik.{self.kind}"
        if not (is_number(self.weight) and self.weight > 0.0):
            raise InputError(f"the weight of {name} must be a positive number, got {self.weight!r}")
        if isinstance(self.priority, bool) or not isinstance(self.priority, int | np.integer) or self.priority < 0:
            raise InputError(f"the priority of {name} must be 0, 1, 2, ..., got {self.priority!r}")
        object.__setattr__(self, "priority", int(self.priority))
        if not self.axes or set(self.axes) - set("xyz") or len(set(self.axes)) != len(self.axes):
            raise InputError(f'axes must be some of "xyz", got {self.axes!r}')
        object.__setattr__(self, "point", _array(self.point, 3, f"the target of {name}"))
        if self.rotation is not None:
            object.__setattr__(self, "rotation", unit(target_array(self.rotation, 4, f"the rotation of {name}"), name))
        object.__setattr__(self, "offset", frozen(self.offset, (3,), f"the offset of {name}"))
        axis = np.array(frozen(self.axis, (3,), f"the axis of {name}"))
        length = np.linalg.norm(axis)
        if length < 1e-12:
            raise InputError(f"the axis of {name} must not be zero")
        object.__setattr__(self, "axis", frozen(axis / length, (3,), "axis"))


def _array(values: object, width: int, name: str) -> np.ndarray | None:
    """Return targets as an array, none as None."""
    return None if values is None else target_array(values, width, name)


def target_array(values: object, width: int, name: str) -> np.ndarray:
    """Return targets as a read-only array of shape (width,) or (frames, width).

    Raises:
        InputError: On another shape, or NaN.
    """
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers of shape ({width},) or (frames, {width}), got {values!r}") from None
    if array.ndim not in (1, 2) or array.shape[-1] != width:
        raise InputError(f"{name} must have shape ({width},) or (frames, {width}), got {array.shape}")
    require_finite(array, name)
    array.setflags(write=False)
    return array


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _vector(values: object, name: str) -> np.ndarray:
    return frozen(values, (3,), name)


def unit(rotation: np.ndarray, name: str) -> np.ndarray:
    """Return unit quaternions.

    Raises:
        InputError: Where one is zero or far from unit length.
    """
    length = np.linalg.norm(rotation, axis=-1, keepdims=True)
    if np.any(np.abs(length - 1.0) > 1e-3):
        raise InputError(f"the rotation of {name} must be a unit quaternion wxyz, got length {length.flat[0]:.6g}")
    made: np.ndarray = quaternion.normalize(rotation)
    made.setflags(write=False)
    return made


def position(
    target: Vector | None = None,
    *,
    weight: float = 1.0,
    priority: int = 0,
    offset: Vector = (0.0, 0.0, 0.0),
    axes: str = "xyz",
) -> Goal:
    """Bring a joint or end site to a point.

    Args:
        target: Global position, shape (3,) or (frames, 3), in the skeleton's unit; None where `Problem.solve` gets it.
        weight: Factor of the squared error.
        priority: 0 comes first; a goal never worsens one of a smaller number.
        offset: The point in the joint's own frame that is meant, shape (3,); its origin by default.
        axes: World axes that count: "y" asks for a height alone.

    Raises:
        InputError: On wrong shapes, NaN, or a weight that is not positive.
    """
    point = _array(target, 3, "the target of ik.position")
    return Goal("position", point, weight=weight, priority=priority, offset=_vector(offset, "offset"), axes=axes)


def orientation(target: Rotation | None = None, *, weight: float = 1.0, priority: int = 0) -> Goal:
    """Turn a joint to a global rotation.

    Args:
        target: Unit quaternion wxyz, shape (4,) or (frames, 4); None where `Problem.solve` gets it.
        weight: Factor of the squared error; a radian counts as much as a quarter of the skeleton's longest limb.
        priority: 0 comes first.

    Raises:
        InputError: On wrong shapes, NaN, a quaternion that is not unit, or a weight that is not positive.
    """
    return Goal("orientation", None, _array(target, 4, "the rotation of ik.orientation"), weight, priority)


def transform(
    point: Vector | None = None,
    rotation: Rotation | None = None,
    *,
    weight: float = 1.0,
    priority: int = 0,
    offset: Vector = (0.0, 0.0, 0.0),
) -> Goal:
    """Bring a joint to a point and turn it to a global rotation.

    Args:
        point: Global position, shape (3,) or (frames, 3); None, with `rotation`, where `Problem.solve` gets both.
        rotation: Unit quaternion wxyz, shape (4,) or (frames, 4).
        weight: Factor of both squared errors.
        priority: 0 comes first.
        offset: The point in the joint's own frame that is meant, shape (3,).

    Raises:
        InputError: On wrong shapes, NaN, a quaternion that is not unit, or one target without the other.
    """
    if (point is None) != (rotation is None):
        raise InputError("ik.transform takes a point and a rotation, or neither; ik.position and ik.orientation take one")
    place, turn = _array(point, 3, "the target of ik.transform"), _array(rotation, 4, "the rotation of ik.transform")
    return Goal("transform", place, turn, weight, priority, _vector(offset, "offset"))


def look_at(
    target: Vector | None = None,
    *,
    axis: Vector = (0.0, 0.0, 1.0),
    weight: float = 1.0,
    priority: int = 0,
    offset: Vector = (0.0, 0.0, 0.0),
) -> Goal:
    """Aim an axis of a joint at a point.

    Args:
        target: Global position to look at, shape (3,) or (frames, 3); None where `Problem.solve` gets it.
        axis: The axis that looks, in the joint's frame, shape (3,).
        weight: Factor of the squared error.
        priority: 0 comes first.
        offset: Where the axis starts, in the joint's frame, shape (3,).

    Raises:
        InputError: On wrong shapes, NaN, a zero axis, or a weight that is not positive.
    """
    point = _array(target, 3, "the target of ik.look_at")
    return Goal("look_at", point, None, weight, priority, _vector(offset, "offset"), _vector(axis, "axis"))


def pole(target: Vector | None = None, *, weight: float = 1.0, priority: int = 0) -> Goal:
    """Bend a limb to the side of a point: the goal of its middle joint, knee or elbow.

    The limb starts at the joint above and ends at the joint (or end site) below, past those that lie at the same place.

    Args:
        target: Global position, shape (3,) or (frames, 3); None where `Problem.solve` gets it.
        weight: Factor of the squared error.
        priority: 0 comes first.

    Raises:
        InputError: On wrong shapes, NaN, or a weight that is not positive.
    """
    return Goal("pole", _array(target, 3, "the target of ik.pole"), None, weight, priority)


def center_of_mass(target: Vector | None = None, *, weight: float = 1.0, priority: int = 0, axes: str = "xyz") -> Goal:
    """Bring the body's centre of mass to a point; the goal's name is any word.

    Masses are those of `kinematics.ik.mass.segment_masses`.

    Args:
        target: Global position, shape (3,) or (frames, 3); None where `Problem.solve` gets it.
        weight: Factor of the squared error.
        priority: 0 comes first.
        axes: World axes that count: "xz" leaves the height free.

    Raises:
        InputError: On wrong shapes, NaN, or a weight that is not positive.
    """
    point = _array(target, 3, "the target of ik.center_of_mass")
    return Goal("center_of_mass", point, None, weight, priority, axes=axes)


def posture(
    pose: Pose | None = None, *, joints: Mapping[str, float] | None = None, weight: float = 1e-3, priority: int = 0
) -> Goal:
    """Stay near a pose; the goal's name is any word.

    At the priority of other goals it decides between their solutions and, by its weight, takes a little from them. At a
    lower priority it takes nothing.

    Args:
        pose: The posture; None is the pose (or, frame by frame, the clip) that the solver is given.
        joints: Weight of each joint by name, others 0; None is 1 for all.
        weight: Factor of all squared angles; a radian counts as much as a quarter of the skeleton's longest limb.
        priority: 0 comes first.

    Raises:
        InputError: On a weight that is not positive, or a clip for a pose.
    """
    if pose is not None and not isinstance(pose, Pose):
        raise InputError(f"the pose of ik.posture must be a Pose or None, got {type(pose).__name__}; a clip's frame is clip[0]")
    if joints is not None and not isinstance(joints, Mapping):
        raise InputError(f'the joints of ik.posture are weights by name, such as {{"Spine": 1.0}}, got {joints!r}')
    if joints is not None and any(not (is_number(each) and each >= 0.0) for each in joints.values()):
        raise InputError(f"the joints of ik.posture have weights of 0 or more, got {dict(joints)}")
    return Goal("posture", pose=pose, joints=joints, weight=weight, priority=priority)


def hold(*, orientation: bool = False, weight: float = 1.0, priority: int = 0) -> Goal:
    """Keep a joint or end site where the given pose (or each frame of the clip) has it.

    Args:
        orientation: Whether to keep its rotation too.
        weight: Factor of the squared error.
        priority: 0 comes first.

    Raises:
        InputError: On a weight that is not positive.
    """
    return Goal("hold", orientation=orientation, weight=weight, priority=priority)
