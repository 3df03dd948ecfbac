"""A chain or body that FABRIK and CCD move, called at the level of their kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest

from kinematics import Motion, Skeleton, forward_kinematics, kernels
from kinematics.ik.bodies import find_bodies
from kinematics.rotations import quaternion

BOTH = pytest.mark.parametrize("method", ["fabrik", "ccd"])


CONVERGED, UNREACHABLE, LIMITED, ITERATIONS = range(4)


HANDS_AND_FEET = ["LeftHand", "RightHand", "LeftFoot", "RightFoot"]


class Solved(NamedTuple):
    roots: np.ndarray
    rotations: np.ndarray
    errors: np.ndarray
    iterations: np.ndarray
    status: np.ndarray


class Reach:
    """A compact problem on a skeleton, as `ik.Problem` makes it for the kernels."""

    def __init__(
        self,
        skeleton: Skeleton,
        names: Sequence[str],
        *,
        anchor: str | None = None,
        free: bool = False,
        locked: Sequence[int] = (),
        weights: Sequence[float] = (),
        limits: Mapping[int, tuple[int, np.ndarray]] | None = None,
        mobility: Mapping[int, float] | None = None,
    ) -> None:
        self.skeleton, self.names, self.anchor = skeleton, list(names), anchor
        spots = [self._spot(name) for name in names]
        hold = self._spot(anchor) if anchor else (-1, np.zeros(3))
        needed = {0}
        for joint, _ in [*spots, hold]:
            while joint > 0 and joint not in needed:
                needed.add(joint)
                joint = int(skeleton.parents[joint])
        joints = sorted(needed)
        rows = {joint: row for row, joint in enumerate(joints)}
        count = len(joints)
        moves = np.ones(count + 1)
        moves[count] = float(free)
        for joint in locked:
            if joint in rows:
                moves[rows[joint]] = 0.0
        for joint, value in (mobility or {}).items():
            moves[rows[joint]] = value
        kinds, values = np.zeros(count, dtype=np.int64), np.zeros((count, 16))
        for joint, (kind, row) in (limits or {}).items():
            if joint in rows:
                kinds[rows[joint]], values[rows[joint]] = kind, row
        self.joints = np.array(joints)
        self.before = (
            self.joints,
            np.array([-1] + [rows[int(skeleton.parents[joint])] for joint in joints[1:]]),
        )
        self.bones = skeleton.offsets[None].copy()
        self.goal_joints = np.array([rows[joint] for joint, _ in spots])
        hold_row = rows[hold[0]] if anchor else -1
        self.after = (
            moves,
            kinds,
            values,
            np.array([offset for _, offset in spots], dtype=float).reshape(-1, 3),
            np.array(weights) if len(weights) else np.ones(len(spots)),
            hold_row,
            np.array(hold[1], dtype=float),
        )
        tables = find_bodies(self.before[1], moves, self.goal_joints, hold_row)
        self.tables = (tables.bodies, tables.points, tables.goals)

    def _spot(self, name: str) -> tuple[int, np.ndarray]:
        if name in self.skeleton.joint_names:
            return self.skeleton.joint_index(name), np.zeros(3)
        end = self.skeleton.end_site_index(name)
        return int(self.skeleton.end_site_parents[end]), self.skeleton.end_site_offsets[end]

    def solve(
        self,
        method: str,
        roots: np.ndarray,
        rotations: np.ndarray,
        targets: np.ndarray,
        *,
        tolerance: float = 1e-3,
        iterations: int = 300,
    ) -> Solved:
        frames = len(targets)
        out = Solved(
            np.full((frames, 3), np.nan),
            np.full(rotations.shape, np.nan),
            np.full((frames, len(self.names)), np.nan),
            np.full(frames, -1),
            np.full(frames, -1),
        )
        given = [array.copy() for array in (roots, rotations, targets)]
        kernel = getattr(kernels, method).solve
        kernel(*self.tables, *self.before, self.bones, *self.after, roots, rotations, targets, tolerance, iterations, *out)
        for array, before in zip((roots, rotations, targets), given, strict=True):
            np.testing.assert_array_equal(array, before)
        for array in out:
            assert np.isfinite(array).all()
        np.testing.assert_allclose(np.linalg.norm(out.rotations, axis=-1), 1.0, atol=1e-12)
        reached = np.linalg.norm(self.points(out.roots, out.rotations) - targets, axis=-1)
        np.testing.assert_allclose(out.errors, reached, rtol=0, atol=1e-9 * max(1.0, float(np.abs(targets).max())))
        return out

    def points(self, roots: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        transforms = forward_kinematics(Motion(self.skeleton, roots, rotations, 1 / 30))
        return np.stack([transforms.position(name) for name in self.names], axis=1)


def chain(joints: int, bone: float = 0.1) -> Skeleton:
    """A straight chain along Y with a tip; as many bones as joints."""
    offsets = np.zeros((joints, 3))
    offsets[1:, 1] = bone
    names = tuple(f"joint{k}" for k in range(joints))
    return Skeleton(names, np.arange(-1, joints - 1), offsets, np.array([joints - 1]), np.array([[0.0, bone, 0.0]]), ("tip",))


def poses(rng: np.random.Generator, frames: int, skeleton: Skeleton, size: float) -> np.ndarray:
    return quaternion.from_rotation_vector(rng.normal(size=(frames, skeleton.num_joints, 3)) * size)


def still(frames: int, skeleton: Skeleton) -> np.ndarray:
    rotations = np.zeros((frames, skeleton.num_joints, 4))
    rotations[..., 0] = 1.0
    return rotations


def hinge(axis: Sequence[float], lower: float, upper: float) -> tuple[int, np.ndarray]:
    return 1, np.array([1.0, 0, 0, 0, *axis, lower, upper, 0, 0, 0, 0, 0, 0, 0])


def within(rotations: np.ndarray, limits: Mapping[int, tuple[int, np.ndarray]]) -> np.ndarray:
    rotations = rotations.copy()
    for frame in rotations:
        for joint, (kind, row) in limits.items():
            q = frame[joint].copy()
            kernels.limits.project(kind, row, q)
            frame[joint] = q
    return rotations
