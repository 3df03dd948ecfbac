"""Chains, bodies and poses that the tests of the Jacobian methods share."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from kinematics import forward_kinematics, ik
from kinematics.ik.limits import Cone, EulerBox, Hinge, Limit, SwingTwist
from kinematics.ik.mass import center_of_mass
from kinematics.ik.problem import JACOBIAN_METHODS
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import random_skeleton

KINDS = {
    "position": ("position",),
    "position and orientation": ("position", "orientation", "transform"),
    "mixed": ("position", "orientation", "transform", "look_at"),
    "mixed with center of mass": ("position", "look_at", "center_of_mass"),
}


every_method = pytest.mark.parametrize("method", JACOBIAN_METHODS)


def chain(joints: int, *, bone: float = 0.1, scale: float = 1.0) -> Skeleton:
    """A straight chain along +Y, its tip an end site."""
    offsets = np.zeros((joints, 3))
    offsets[1:, 1] = bone * scale
    names = tuple(f"joint{index}" for index in range(joints))
    return Skeleton(names, np.arange(joints) - 1, offsets, np.array([joints - 1]), np.array([[0.0, bone * scale, 0.0]]), ("tip",))


def straight(skeleton: Skeleton) -> Pose:
    return Pose(skeleton, np.zeros(3), np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1)))


def random_pose(skeleton: Skeleton, seed: int, *, size: float | None = None) -> Pose:
    """Any pose, or one with turns of about `size` radians."""
    rng = np.random.default_rng(seed)
    if size is None:
        turns = quaternion.normalize(rng.normal(size=(skeleton.num_joints, 4)))
    else:
        turns = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * size)
    return Pose(skeleton, rng.normal(size=3) * 0.3, turns)


@functools.cache
def reachable(
    seed: int, effectors: int, kinds: tuple[str, ...], *, root: str, size: float | None = None
) -> tuple[Pose, dict[str, ik.Goal], Pose]:
    """A random skeleton, goals that a random pose of it meets, and that pose."""
    rng = np.random.default_rng(1000 + seed)
    skeleton = random_skeleton(seed, num_joints=int(rng.integers(8, 16)))
    start, other = random_pose(skeleton, 2 * seed, size=size), random_pose(skeleton, 2 * seed + 1, size=size)
    if root == "fixed":
        other = other.with_root_positions(start.root_positions)
    there = forward_kinematics(other)
    names = rng.permutation(skeleton.joint_names[1:] + skeleton.end_site_names)[:effectors].tolist()
    own = [kind for kind in kinds if kind != "center_of_mass"]
    goals: dict[str, ik.Goal] = {}
    for name in names:
        kind = own[rng.integers(len(own))] if name in skeleton.joint_names else "position"
        point = there.position(name)
        if kind == "orientation":
            goals[name] = ik.orientation(there.rotation(name))
        elif kind == "transform":
            goals[name] = ik.transform(point, there.rotation(name))
        elif kind == "look_at":
            axis = rng.normal(size=3)
            axis /= np.linalg.norm(axis)
            seen = point + rng.uniform(0.5, 2.0) * quaternion.rotate(there.rotation(name), axis)
            goals[name] = ik.look_at(seen, axis=axis)
        else:
            goals[name] = ik.position(point)
    if "center_of_mass" in kinds:
        goals["weight"] = ik.center_of_mass(center_of_mass(other))
    return start, goals, other


def measured(pose: Pose, goals: dict[str, ik.Goal]) -> list[float]:
    """Errors of goals, by formulas other than the solver's."""
    where, errors = forward_kinematics(pose), []
    for name, goal in goals.items():
        if goal.kind in ("position", "transform"):
            errors.append(float(np.linalg.norm(where.position(name) - goal.point)))
        if goal.kind in ("orientation", "transform"):
            errors.append(float(quaternion.angle_between(where.rotation(name), goal.rotation)))
        if goal.kind == "look_at":
            way, look = goal.point - where.position(name), quaternion.rotate(where.rotation(name), goal.axis)
            errors.append(float(np.arctan2(np.linalg.norm(np.cross(look, way)), look @ way)))
        if goal.kind == "center_of_mass":
            errors.append(float(np.linalg.norm(center_of_mass(pose) - goal.point)))
    return errors


def require_honest(problem: ik.Problem, result: ik.Result, goals: dict[str, ik.Goal]) -> None:
    """Finite, unit, errors as measured, and the status that they deserve."""
    for array in (result.errors, result.local_rotations, result.root_positions):
        assert np.isfinite(array).all()
    np.testing.assert_allclose(np.linalg.norm(result.local_rotations, axis=-1), 1.0, atol=1e-12)
    np.testing.assert_allclose(result.errors, measured(result.pose, goals), rtol=1e-6, atol=2e-7)
    tolerances = [
        problem.angle_tolerance if name.split()[-1] in ("orientation", "look_at") else problem.tolerance for name in result.goals
    ]
    assert (result.status == "converged") == bool(np.all(result.errors <= tolerances))
    if result.status == "iterations":
        assert result.iterations == problem.max_iterations
    assert result.iterations <= problem.max_iterations  # type: ignore[operator]


def random_limits(skeleton: Skeleton, kind: str, seed: int) -> dict[str, Limit]:
    """Limits of two thirds of the joints, anyhow turned."""
    rng, limits = np.random.default_rng(seed), {}
    for name in skeleton.joint_names:
        if rng.random() < 0.3:
            continue
        axis, reference = rng.normal(size=3), quaternion.normalize(rng.normal(size=4))
        low, high = -rng.uniform(0.05, 1.5), rng.uniform(0.05, 1.5)
        chosen = ("hinge", "cone", "swing-twist", "box")[rng.integers(4)] if kind == "mixed" else kind
        if chosen == "hinge":
            limits[name] = Hinge(axis, low, high, reference)
        elif chosen == "cone":
            limits[name] = Cone(axis, high, reference)
        elif chosen == "swing-twist":
            limits[name] = SwingTwist(axis, high, (low, -low), reference)
        else:
            order = ("XYZ", "ZXY", "ZYX", "ZXZ")[rng.integers(4)]
            limits[name] = EulerBox(order, -rng.uniform(0.1, 1.0, 3), rng.uniform(0.1, 1.0, 3), reference)
    return limits
