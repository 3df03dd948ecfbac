"""Joint limits: what a joint may do, whether a pose does it, and the nearest pose that does.

A limit speaks of a joint's rotation in its parent's frame. Angles are radians, count from the limit's `reference` and go
round: 3.3 is inside -3.2 to -2.9. They are exact: after `clamp` or a solve nothing is outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from jaxtyping import Float, Int

from kinematics import kernels
from kinematics._arrays import FrozenArrays, frozen, hand_over
from kinematics.errors import InputError, UnknownNameError
from kinematics.motion import Motion, Pose
from kinematics.rotations import euler, quaternion, swing_twist
from kinematics.skeleton import Skeleton

NONE, HINGE, SWING_TWIST, EULER_BOX = 0, 1, 2, 3  # as in kernels/limits.py
ROW = 16
LOCK = np.cos(np.radians(80.0))  # Euler angles that come nearer to gimbal lock are no measure of a range
MOST_SWING = np.radians(150.0)  # of the axis; near pi its twist has no meaning


def _identity() -> np.ndarray:
    return quaternion.IDENTITY


@dataclass(frozen=True, eq=False)
class Hinge(FrozenArrays):
    """A joint that turns about one axis only, as a knee or an elbow does: local = reference * turn(axis, angle).

    Attributes:
        axis: Axis in the joint's own frame (and, seen from the reference, in its parent's), any length, shape (3,).
        lower: Least angle about it, radians.
        upper: Largest angle, radians; free from a whole turn on.
        reference: Rotation in the parent's frame that counts as zero, quaternion wxyz, shape (4,).

    Raises:
        InputError: On an axis or reference of length zero, NaN, or lower > upper.
    """

    axis: Float[np.ndarray, "3"]
    lower: float
    upper: float
    reference: Float[np.ndarray, "4"] = field(default_factory=_identity)

    def __post_init__(self) -> None:
        """Check, normalise and lock."""
        _lock(self, axis=_unit(self.axis, (3,), "axis"), reference=_unit(self.reference, (4,), "reference"))
        _lock(self, **dict(zip(("lower", "upper"), _range(self.lower, self.upper, "lower and upper"), strict=True)))

    def packed(self) -> tuple[int, Float[np.ndarray, "16"]]:
        """Return the kind and the row of numbers that the kernels take."""
        return HINGE, _row(self.reference, self.axis, self.lower, self.upper)


@dataclass(frozen=True, eq=False)
class SwingTwist(FrozenArrays):
    """A ball joint: how far its axis may swing, and how far it may twist about that axis.

    local = reference * swing * twist, the twist about `axis`, the swing about any axis across it.

    Attributes:
        axis: Usually the direction of the bone, in the joint's own frame, any length, shape (3,).
        swing: Largest angle between the axis and where the reference has it, radians, 0 to pi.
        twist: Least and largest twist, radians; free from a whole turn on.
        reference: Rotation in the parent's frame that counts as zero, quaternion wxyz, shape (4,).

    Raises:
        InputError: On an axis or reference of length zero, NaN, a swing outside 0 to pi, or a twist with lower > upper.
    """

    axis: Float[np.ndarray, "3"]
    swing: float
    twist: tuple[float, float] = (-np.pi, np.pi)
    reference: Float[np.ndarray, "4"] = field(default_factory=_identity)

    def __post_init__(self) -> None:
        """Check, normalise and lock."""
        _lock(self, axis=_unit(self.axis, (3,), "axis"), reference=_unit(self.reference, (4,), "reference"))
        if np.shape(self.twist) != (2,):
            raise InputError(f"twist must be two angles in radians, least and largest; got {self.twist!r}")
        _lock(self, swing=_swing(self.swing, "swing"), twist=_range(*self.twist, "twist"))

    def packed(self) -> tuple[int, Float[np.ndarray, "16"]]:
        """Return the kind and the row of numbers that the kernels take; without any swing it is a hinge."""
        if self.swing == 0.0:
            return HINGE, _row(self.reference, self.axis, *self.twist)
        return SWING_TWIST, _row(self.reference, self.axis, self.swing, *self.twist)


@dataclass(frozen=True, eq=False)
class Cone(FrozenArrays):
    """A ball joint whose axis stays in a cone and whose twist about it is free.

    Attributes:
        axis: Usually the direction of the bone, in the joint's own frame, any length, shape (3,).
        angle: Largest angle between the axis and where the reference has it, radians, 0 to pi.
        reference: Rotation in the parent's frame that counts as zero, quaternion wxyz, shape (4,).

    Raises:
        InputError: On an axis or reference of length zero, NaN, or an angle outside 0 to pi.
    """

    axis: Float[np.ndarray, "3"]
    angle: float
    reference: Float[np.ndarray, "4"] = field(default_factory=_identity)

    def __post_init__(self) -> None:
        """Check, normalise and lock."""
        _lock(self, axis=_unit(self.axis, (3,), "axis"), reference=_unit(self.reference, (4,), "reference"))
        _lock(self, angle=_swing(self.angle, "angle"))

    def packed(self) -> tuple[int, Float[np.ndarray, "16"]]:
        """Return the kind and the row of numbers that the kernels take."""
        return SwingTwist(self.axis, self.angle, reference=self.reference).packed()


@dataclass(frozen=True, eq=False)
class EulerBox(FrozenArrays):
    """A range for each of three Euler angles: local = reference * R(angle 1) R(angle 2) R(angle 3) * frame.

    A rotation has two triplets of angles and is allowed where one of them is inside.

    Attributes:
        order: One of `rotations.euler.ORDERS`, such as "ZXY": the joint's channels in file order (intrinsic).
        lower: Least angles in that order, radians, shape (3,). They may lie beyond a turn, as unwrapped curves do.
        upper: Largest angles, radians, shape (3,).
        reference: Rotation from the parent's frame to the one in which the axes of the first angle are meant, quaternion
            wxyz, shape (4,).
        frame: Rotation from there to the joint's own frame with all angles zero, quaternion wxyz, shape (4,).

    Raises:
        InputError: On NaN, lower > upper, or a reference or frame of length zero.
        UnknownNameError: On an order that is none of the twelve.
    """

    order: str
    lower: Float[np.ndarray, "3"]
    upper: Float[np.ndarray, "3"]
    reference: Float[np.ndarray, "4"] = field(default_factory=_identity)
    frame: Float[np.ndarray, "4"] = field(default_factory=_identity)

    def __post_init__(self) -> None:
        """Check, normalise and lock."""
        if self.order not in euler.ORDERS:
            raise UnknownNameError("Euler order", self.order, euler.ORDERS)
        lower, upper = frozen(self.lower, (3,), "lower"), frozen(self.upper, (3,), "upper")
        for axis, low, high in zip(self.order, lower.tolist(), upper.tolist(), strict=True):
            _range(low, high, f"lower and upper of {axis}")
        _lock(self, lower=lower, upper=upper)
        _lock(self, reference=_unit(self.reference, (4,), "reference"), frame=_unit(self.frame, (4,), "frame"))

    def packed(self) -> tuple[int, Float[np.ndarray, "16"]]:
        """Return the kind and the row of numbers that the kernels take."""
        frame = self.frame if self.frame[0] >= 0.0 else -self.frame
        rodrigues = frame[1:] / (1.0 + frame[0])
        axes = ["XYZ".index(axis) for axis in self.order]
        return EULER_BOX, _row(self.reference, axes, *self.lower, *self.upper, *rodrigues)


Limit = Hinge | SwingTwist | Cone | EulerBox


def pack_limits(
    skeleton: Skeleton, limits: Mapping[str, Limit], joints: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n 16"]]:
    """Return the limits of some joints as the kernels take them.

    Args:
        skeleton: The tree of joints.
        limits: Limits by joint name; those of joints that are not asked for are left out.
        joints: Indices of the joints, shape (n,).

    Returns:
        Kinds, shape (n,), 0 where a joint has no limit; and rows of numbers, shape (n, 16).

    Raises:
        UnknownNameError: On a name that no joint has.
        InputError: On anything that is not a limit.
    """
    by_joint = {skeleton.joint_index(name): limit for name, limit in limits.items()}
    for name, limit in limits.items():
        if not isinstance(limit, Limit):
            raise InputError(f"the limit of {name!r} must be a Hinge, SwingTwist, Cone or EulerBox, got {limit!r}")
    kinds, values = np.zeros(len(joints), dtype=np.int64), np.zeros((len(joints), ROW))
    for n, joint in enumerate(joints.tolist()):
        if joint in by_joint:
            kinds[n], values[n] = by_joint[joint].packed()
    return kinds, values


def limit_violations(motion_or_pose: Motion | Pose, limits: Mapping[str, Limit]) -> Float[np.ndarray, "*frames limits"]:
    """Return the radians by which each limit is exceeded, 0 inside, shape (frames, limits), in the order of `limits`.

    Of several angles of one joint it is the worst; for a Pose there is no frames axis.

    Raises:
        UnknownNameError: On a name that no joint has.
    """
    joints, kinds, values = _pack_all(motion_or_pose, limits)
    single = isinstance(motion_or_pose, Pose)
    rotations = motion_or_pose.local_rotations[None] if single else motion_or_pose.local_rotations
    out = np.empty((len(rotations), len(joints)))
    kernels.limits.violations(rotations, joints, kinds, values, out)
    return out[0] if single else out


@overload
def clamp(motion_or_pose: Motion, limits: Mapping[str, Limit]) -> Motion: ...
@overload
def clamp(motion_or_pose: Pose, limits: Mapping[str, Limit]) -> Pose: ...
def clamp(motion_or_pose: Motion | Pose, limits: Mapping[str, Limit]) -> Motion | Pose:
    """Turn each joint to the nearest rotation that its limit allows; rotations inside stay bit for bit.

    Raises:
        UnknownNameError: On a name that no joint has.
    """
    joints, kinds, values = _pack_all(motion_or_pose, limits)
    rotations = np.array(motion_or_pose.local_rotations)
    whole = rotations[None] if isinstance(motion_or_pose, Pose) else rotations
    kernels.limits.clamp(whole, joints, kinds, values)
    return motion_or_pose.with_local_rotations(hand_over(rotations))


def limits_from_motion(motion: Motion, *, margin: float = 0.0) -> dict[str, Limit]:
    """Return the range that each joint but the root uses in a clip, as limits that hold in all its frames.

    It is an Euler box in the order of the joint's own channels (ZYX without them), of angles that go on from frame to frame.
    Where they come near gimbal lock or go round by a turn it is a swing and twist of the bone about the joint's mean rotation.

    Args:
        motion: The clip.
        margin: Radians added on each side; without it a joint that never moves may not move at all.

    Raises:
        InputError: On a clip without frames or a negative margin.
    """
    if not motion.num_frames:
        raise InputError("a clip without frames has no range; give one with at least one frame")
    if not (margin >= 0.0 and np.isfinite(margin)):
        raise InputError(f"margin must be an angle of at least 0 radians, got {margin}")
    return {
        name: _box_of(motion, joint, margin) or _swing_twist_of(motion, joint, margin)
        for joint, name in enumerate(motion.skeleton.joint_names)
        if joint
    }


def bone_axis(skeleton: Skeleton, joint: int) -> Float[np.ndarray, "3"]:
    """Return the unit direction of a joint's bone in its own frame: to the middle of its children and end sites.

    A joint without them, or with the middle on itself, continues the bone that leads to it; +Y where that has no length too.
    """
    ends = skeleton.end_site_offsets[skeleton.end_site_parents == joint]
    below = np.concatenate([skeleton.offsets[list(skeleton.children[joint])], ends])
    for bone in ([below.mean(axis=0)] if len(below) else []) + [skeleton.offsets[joint] if joint else np.zeros(3)]:
        length = float(np.linalg.norm(bone))
        if length > 1e-9 * (1.0 + float(np.abs(skeleton.offsets).max())):
            return np.asarray(bone / length)
    return np.array([0.0, 1.0, 0.0])


def _box_of(motion: Motion, joint: int, margin: float) -> EulerBox | None:
    """Return a joint's range of Euler angles, None where they are no measure of it."""
    layout = motion.skeleton.layout
    order = "ZYX" if layout is None else layout.rotation_axes(joint)
    order = order if order in euler.ORDERS else "ZYX"
    angles = euler.unroll(euler.from_quaternion(motion.local_rotations[:, joint], order), order)
    middle = np.sin(angles[:, 1]) if order[0] == order[2] else np.cos(angles[:, 1])
    lower, upper = angles.min(axis=0) - margin, angles.max(axis=0) + margin
    if np.abs(middle).min() < LOCK or (upper - lower >= 2.0 * np.pi).any():
        return None
    return EulerBox(order, lower, upper)


def _swing_twist_of(motion: Motion, joint: int, margin: float) -> SwingTwist:
    """Return a joint's range of swing and twist of its bone, the twist free where the bone swings round."""
    rotations = motion.local_rotations[:, joint]
    reference, axis = quaternion.mean(rotations), bone_axis(motion.skeleton, joint)
    relative = quaternion.multiply(quaternion.inverse(reference), rotations)
    swing, _ = swing_twist.decompose(relative, axis)
    largest = float(quaternion.angle(swing).max()) + margin
    twist = np.unwrap(swing_twist.twist_angle(relative, axis))
    lower, upper = float(twist.min()) - margin, float(twist.max()) + margin
    if largest > MOST_SWING or upper - lower >= 2.0 * np.pi:
        lower, upper = -np.pi, np.pi
    return SwingTwist(axis, min(largest, np.pi), (lower, upper), reference)


def _pack_all(
    motion_or_pose: Motion | Pose, limits: Mapping[str, Limit]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, "n 16"]]:
    skeleton = motion_or_pose.skeleton
    joints = np.array([skeleton.joint_index(name) for name in limits], dtype=np.int64)
    return joints, *pack_limits(skeleton, limits, joints)


def _row(reference: Float[np.ndarray, "4"], axis: Float[np.ndarray, "3"] | list[int], *angles: float) -> Float[np.ndarray, "16"]:
    row = np.zeros(ROW)
    row[:4], row[4:7], row[7 : 7 + len(angles)] = reference, axis, angles
    return row


def _lock(limit: object, **fields: object) -> None:
    for name, value in fields.items():
        object.__setattr__(limit, name, value)


def _unit(values: object, shape: tuple[int], name: str) -> np.ndarray:
    vector = frozen(values, shape, name)
    length = float(np.linalg.norm(vector))
    if not length > 0.0:
        raise InputError(f"{name} must not be zero, got {vector.tolist()}")
    unit = vector / length
    unit.setflags(write=False)
    return np.asarray(unit)


def _range(lower: float, upper: float, name: str) -> tuple[float, float]:
    try:
        low, high = float(lower), float(upper)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be angles in radians, got {lower!r} and {upper!r}") from None
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise InputError(f"{name} must be angles in radians, the least first; got {low:g} and {high:g}")
    return low, high


def _swing(angle: float, name: str) -> float:
    radians = _range(angle, angle, name)[0]
    if not 0.0 <= radians <= np.pi:
        raise InputError(f"{name} must be an angle from 0 to pi (3.14159) radians, got {radians:g}")
    return radians
