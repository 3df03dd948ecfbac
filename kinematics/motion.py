"""A motion: a skeleton, and for every frame the root's position and the joints' rotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays, frozen, hand_over, is_handed_over
from kinematics.errors import InputError
from kinematics.skeleton import Skeleton

UNIT_TOLERANCE = 1e-5
Frames = slice | list[int] | np.ndarray


@dataclass(frozen=True)
class Repair:
    """One thing a reader had to mend or decide.

    Attributes:
        line: 1-based line in the file; 0 where no line can be named.
        message: What was found and what was done.
    """

    line: int
    message: str

    def __str__(self) -> str:
        """Return "line N: message"."""
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, eq=False)
class Source(FrozenArrays):
    """Where a motion came from.

    Attributes:
        path: File as given, or "".
        encoding: Text encoding of the file's names.
        repairs: What the reader mended, in file order.
        notes: What the reader decided without anything being wrong (several roots, adding position channels).
        channel_values: The file's numbers as read, shape (frames, channels), degrees; the writer uses them for every
            value that still says the same as the motion, so that nothing changes in its last digit.
    """

    path: str = ""
    encoding: str = "utf-8"
    repairs: tuple[Repair, ...] = ()
    notes: tuple[Repair, ...] = ()
    channel_values: Float[np.ndarray, "frames channels"] | None = None

    def __post_init__(self) -> None:
        """Lock the values."""
        if self.channel_values is not None:
            object.__setattr__(self, "channel_values", frozen(self.channel_values, (None, None), "channel_values"))


@dataclass(frozen=True, eq=False)
class Pose(FrozenArrays):
    """One frame.

    Attributes:
        skeleton: The tree of joints.
        root_positions: The root's global position, shape (3,).
        local_rotations: Each joint's rotation relative to its parent, unit quaternions wxyz, shape (joints, 4).
        local_positions: Each joint's position in its parent's frame where bones stretch, shape (joints, 3), else None.
            Row 0 is always `root_positions`.

    Raises:
        InputError: On wrong shapes, NaN, or quaternions that are not unit.
    """

    skeleton: Skeleton
    root_positions: Float[np.ndarray, "3"]
    local_rotations: Float[np.ndarray, "joints 4"]
    local_positions: Float[np.ndarray, "joints 3"] | None = None

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        _check(self, (), self.skeleton.num_joints)

    def __getitem__(self, joint: str) -> Float[np.ndarray, "4"]:
        """Return a joint's local rotation by name."""
        rotation: np.ndarray = self.local_rotations[self.skeleton.joint_index(joint)]
        return rotation

    def with_root_positions(self, root_positions: Float[np.ndarray, "3"]) -> Pose:
        """Return the pose with the root elsewhere."""
        return replace(self, root_positions=root_positions)

    def with_local_rotations(self, local_rotations: Float[np.ndarray, "joints 4"]) -> Pose:
        """Return the pose with other rotations."""
        return replace(self, local_rotations=local_rotations)

    def allclose(self, other: Pose, *, atol: float = 1e-9) -> bool:
        """Tell whether two poses are the same; q and -q are."""
        return _allclose(self, other, atol)


@dataclass(frozen=True, eq=False)
class Motion(FrozenArrays):
    """A clip. Everything is in the unit and axes of its file until `standardize` converts it.

    `motion[3]` is a Pose; `motion[10:20]`, `motion[mask]` and `motion[[0, 5]]` are motions; `motion["LeftArm"]` is that
    joint's local rotation over time, shape (frames, 4).

    Attributes:
        skeleton: The tree of joints.
        root_positions: The root's global position, shape (frames, 3).
        local_rotations: Each joint's rotation relative to its parent, unit quaternions wxyz, shape (frames, joints, 4).
        frame_time: Seconds between frames, exactly as read.
        local_positions: Each joint's position in its parent's frame where bones stretch, shape (frames, joints, 3); None
            where all bones are rigid. Column 0 is always `root_positions`.
        source: Where it came from and what was repaired.

    Raises:
        InputError: On wrong shapes, NaN, quaternions that are not unit, or a frame time that is not positive.
    """

    skeleton: Skeleton
    root_positions: Float[np.ndarray, "frames 3"]
    local_rotations: Float[np.ndarray, "frames joints 4"]
    frame_time: float
    local_positions: Float[np.ndarray, "frames joints 3"] | None = None
    source: Source = Source()

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        try:
            frame_time = float(self.frame_time)
        except (TypeError, ValueError):
            raise InputError(f"frame_time must be a positive number of seconds, got {self.frame_time!r}") from None
        if not (frame_time > 0.0 and np.isfinite(frame_time)):
            raise InputError(f"frame_time must be a positive number of seconds, got {frame_time}")
        object.__setattr__(self, "frame_time", frame_time)
        _check(self, (len(self.root_positions),), self.skeleton.num_joints)

    def __repr__(self) -> str:
        """Return a short summary."""
        where = f", from {self.source.path!r}" if self.source.path else ""
        return f"Motion({self.num_frames} frames at {self.frame_rate:.6g} Hz, {self.skeleton.num_joints} joints{where})"

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.num_frames

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.root_positions)

    @property
    def frame_rate(self) -> float:
        """Frames a second, 1 / frame_time."""
        return 1.0 / self.frame_time

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return max(self.num_frames - 1, 0) * self.frame_time

    @property
    def times(self) -> Float[np.ndarray, " frames"]:
        """Time of each frame in seconds, from 0."""
        return np.arange(self.num_frames) * self.frame_time

    @overload
    def __getitem__(self, key: int | np.integer) -> Pose: ...
    @overload
    def __getitem__(self, key: str) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: Frames) -> Motion: ...

    def __getitem__(self, key: int | np.integer | str | Frames) -> Pose | Motion | np.ndarray:
        """Return a frame, a motion of some frames, or a joint's rotations by name."""
        if isinstance(key, str):
            rotations: np.ndarray = self.local_rotations[:, self.skeleton.joint_index(key)]
            return rotations
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            if not -self.num_frames <= key < self.num_frames:
                raise IndexError(f"frame {key} is outside the clip of {self.num_frames} frames")
            moving = None if self.local_positions is None else self.local_positions[key]
            return Pose(self.skeleton, self.root_positions[key], self.local_rotations[key], moving)
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.ndim != 1 or (key.dtype != bool and not np.issubdtype(key.dtype, np.integer) and key.size):
                raise InputError("frames are chosen by an int, a slice, a list of ints or a mask of one bool a frame")
            key = key if key.dtype == bool else key.astype(np.int64)
        values = self.source.channel_values
        whole = values is not None and len(values) == self.num_frames
        try:
            return replace(
                self,
                root_positions=self.root_positions[key],
                local_rotations=self.local_rotations[key],
                local_positions=None if self.local_positions is None else self.local_positions[key],
                source=replace(self.source, channel_values=values[key] if whole and values is not None else None),
            )
        except IndexError as error:
            raise InputError(f"frames outside the clip of {self.num_frames}: {error}") from None

    def with_root_positions(self, root_positions: Float[np.ndarray, "frames 3"]) -> Motion:
        """Return the motion with the root elsewhere."""
        return replace(self, root_positions=root_positions, local_rotations=hand_over(self.local_rotations))

    def with_local_rotations(self, local_rotations: Float[np.ndarray, "frames joints 4"]) -> Motion:
        """Return the motion with other rotations."""
        return replace(self, local_rotations=local_rotations)

    def with_skeleton(self, skeleton: Skeleton) -> Motion:
        """Return the same root positions and rotations on another skeleton of as many joints."""
        return replace(self, skeleton=skeleton, local_rotations=hand_over(self.local_rotations))

    def with_frame_time(self, frame_time: float) -> Motion:
        """Return the same frames, played at another rate (`edit.resample` makes new frames instead)."""
        return replace(self, frame_time=frame_time, local_rotations=hand_over(self.local_rotations))

    def allclose(self, other: Motion, *, atol: float = 1e-9) -> bool:
        """Tell whether two motions are the same in skeleton, time and pose; q and -q are the same."""
        return abs(self.frame_time - other.frame_time) <= 1e-12 and _allclose(self, other, atol)


def _check(clip: Motion | Pose, lead: tuple[int, ...], joints: int) -> None:
    root = frozen(clip.root_positions, (*lead, 3), "root_positions")
    rotations = frozen(clip.local_rotations, (*lead, joints, 4), "local_rotations")
    worst = 0.0 if is_handed_over(clip.local_rotations) else _worst_length(rotations)
    if worst > UNIT_TOLERANCE:
        error = np.abs(np.einsum("...i,...i->...", rotations, rotations) - 1.0)
        at = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
        raise InputError(
            f"local_rotations must be unit quaternions wxyz, got {rotations[at]} at index {at}; "
            "kinematics.rotations.quaternion.normalize makes them unit"
        )
    if worst > 1e-12:
        rotations = rotations / np.linalg.norm(rotations, axis=-1, keepdims=True)
        rotations.setflags(write=False)
    moving = clip.local_positions
    if moving is not None:
        moving = np.array(frozen(moving, (*lead, joints, 3), "local_positions"))
        moving[..., 0, :] = root
        moving.setflags(write=False)
    object.__setattr__(clip, "root_positions", root)
    object.__setattr__(clip, "local_rotations", rotations)
    object.__setattr__(clip, "local_positions", moving)


def _worst_length(rotations: Float[np.ndarray, "... 4"]) -> float:
    """Return how far from 1 the squared length of a quaternion is at most; block by block, which stays in the cache."""
    flat, worst = rotations.reshape(-1, 4), 0.0
    for start in range(0, len(flat), 2048):
        squares = np.square(flat[start : start + 2048])
        length = squares[:, 0] + squares[:, 1] + squares[:, 2] + squares[:, 3]
        worst = max(worst, float(length.max()) - 1.0, 1.0 - float(length.min()))
    return worst


def _allclose(a: Motion | Pose, b: Motion | Pose, atol: float) -> bool:
    if not a.skeleton.allclose(b.skeleton, atol=atol) or a.root_positions.shape != b.root_positions.shape:
        return False
    dots = np.einsum("...i,...i->...", a.local_rotations, b.local_rotations)
    difference = a.local_rotations - np.where(dots < 0, -1.0, 1.0)[..., None] * b.local_rotations
    if np.abs(difference).max(initial=0.0) > atol or np.abs(a.root_positions - b.root_positions).max(initial=0.0) > atol:
        return False
    if a.local_positions is None and b.local_positions is None:
        return True
    one, other = (c.skeleton.offsets[1:] if c.local_positions is None else c.local_positions[..., 1:, :] for c in (a, b))
    return bool(np.abs(one - other).max(initial=0.0) <= atol)
