"""Jacobian methods: honest answers, errors that never rise, targets out of reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ik_chains import KINDS, chain, every_method, random_limits, random_pose, reachable, require_honest, straight

from kinematics import forward_kinematics, ik
from kinematics.ik.limits import Cone, Limit, limit_violations
from kinematics.ik.problem import JACOBIAN_METHODS
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import human_skeleton


def uneven_chain(bones: np.ndarray) -> Skeleton:
    """A straight chain along +Y of bones of these lengths."""
    offsets = np.zeros((len(bones), 3))
    offsets[1:, 1] = bones[:-1]
    return chain(len(bones)).with_offsets(offsets, np.array([[0.0, bones[-1], 0.0]]))


def curled(skeleton: Skeleton, angle: float) -> Pose:
    """Every joint turned about Z by the same angle."""
    turns = quaternion.from_rotation_vector(np.tile([0.0, 0.0, angle], (skeleton.num_joints, 1)))
    return Pose(skeleton, np.zeros(3), turns)


@every_method
@settings(max_examples=15, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    effectors=st.integers(1, 4),
    kinds=st.sampled_from(sorted(KINDS)),
    root=st.sampled_from(["fixed", "free"]),
    near=st.booleans(),
)
def test_answers_are_honest_on_random_skeletons(
    method: str, seed: int, effectors: int, kinds: str, root: str, near: bool
) -> None:
    start, goals, _ = reachable(seed, effectors, KINDS[kinds], root=root, size=0.5 if near else None)
    problem = ik.Problem(start.skeleton, goals, method=method, root=root, max_iterations=300)  # type: ignore[arg-type]
    result = problem.solve(start)
    require_honest(problem, result, goals)
    if root == "fixed":
        np.testing.assert_array_equal(result.root_positions, start.root_positions)


@every_method
@settings(max_examples=12, derandomize=True)
@given(
    seed=st.integers(0, 100_000),
    root=st.sampled_from(["fixed", "free"]),
    kinds=st.sampled_from(["position", "position and orientation"]),
)
def test_one_effector_always_reaches(method: str, seed: int, root: str, kinds: str) -> None:
    start, goals, _ = reachable(seed, 1, KINDS[kinds], root=root)
    assert ik.solve(start, goals, method=method, root=root).status == "converged"  # type: ignore[arg-type]


@every_method
@pytest.mark.parametrize(("kinds", "root"), list(zip(KINDS, ["fixed", "free", "fixed", "free"], strict=True)))
def test_most_targets_of_several_effectors_are_reached(method: str, kinds: str, root: str) -> None:
    # From any pose to any other, which has local minima; within some 30 degrees a joint there are next to none.
    tried, met = {None: 0, 0.5: 0}, {None: 0, 0.5: 0}
    for size in tried:
        for seed in range(5):
            for effectors in (2, 4):
                start, goals, _ = reachable(seed, effectors, KINDS[kinds], root=root, size=size)
                tried[size] += 1
                met[size] += bool(ik.solve(start, goals, method=method, root=root).converged)  # type: ignore[arg-type]
    far, near = met[None] / tried[None], met[0.5] / tried[0.5]
    slow = method == "jacobian_transpose"  # the gradient alone, slowest where the centre of mass counts
    least = (0.3, 0.5) if slow and "mass" in kinds else (0.8, 0.85)
    assert far >= least[0], far
    assert near >= least[1], near


@pytest.mark.parametrize("method", ["levenberg_marquardt", "damped_least_squares", "pseudo_inverse"])
def test_a_body_reaches_with_its_root_far_away(method: str) -> None:
    skeleton = human_skeleton()
    start = random_pose(skeleton, 0, size=0.2)
    where = forward_kinematics(start)
    names = ("LeftHand", "RightHand", "LeftFoot")
    for distance in (1e2, 1e5):
        shift = np.array([distance, -0.5 * distance, 0.3 * distance])
        result = ik.solve(start, {name: where.position(name) + shift for name in names}, method=method)  # type: ignore[arg-type]
        assert result.status == "converged", distance


@pytest.mark.parametrize("root", ["fixed", "free"])
@pytest.mark.parametrize("case", ["reachable", "unreachable", "limited", "mixed", "straight"])
def test_the_error_never_rises(root: str, case: str) -> None:
    for seed in range(3):
        start, goals, _ = reachable(seed, 3, KINDS["mixed" if case == "mixed" else "position"], root=root)
        limits: dict[str, Limit] = {}
        if case == "unreachable":
            goals = {name: replace(goal, point=3.0 * goal.point) for name, goal in goals.items()}
        if case == "limited":
            limits = random_limits(start.skeleton, "mixed", seed)
        if case == "straight":
            start, goals = straight(chain(6)), {"tip": ik.position([0.0, 0.1 + 0.12 * seed, 0.0])}
        costs = []
        for most in [*range(1, 13), 16, 24, 40, 80]:
            problem = ik.Problem(start.skeleton, goals, root=root, limits=limits, tolerance=1e-9, max_iterations=most)  # type: ignore[arg-type]
            result = problem.solve(start)
            residual, _ = problem.linearize(result.pose)
            costs.append(float(residual @ residual))
            if result.iterations < most:  # type: ignore[operator]
                break
        assert len(costs) > 2
        assert costs[-1] < costs[0]
        assert np.all(np.diff(costs) <= 1e-12 * np.array(costs[:-1]) + 1e-18), (seed, costs)


def best_distance(bones: np.ndarray, distance: float) -> float:
    """How near the tip of a chain of ball joints comes to a point at a distance from its base."""
    longest = bones.max()
    return float(max(0.0, distance - bones.sum(), longest - (bones.sum() - longest) - distance))


ABOVE = dict.fromkeys(JACOBIAN_METHODS, 1e-3) | {"jacobian_transpose": 1e-2}  # of the chain's length; the gradient alone is slow


@every_method
@pytest.mark.parametrize("case", ["too far", "too near"])
def test_out_of_reach_ends_next_to_the_best(method: str, case: str) -> None:
    bones = np.full(10, 0.1) if case == "too far" else np.array([0.6, 0.15, 0.15, 0.1])
    skeleton = uneven_chain(bones)
    rng = np.random.default_rng(0)
    for seed in range(15):
        start = random_pose(skeleton, seed, size=0.4)
        way = rng.normal(size=3)
        distance = rng.uniform(1.02, 3.0) if case == "too far" else rng.uniform(0.02, 0.15)
        target = start.root_positions + way * distance / np.linalg.norm(way)
        result = ik.solve(start, {"tip": target}, method=method, root="fixed")  # type: ignore[arg-type]
        above = float(result.errors[0]) - best_distance(bones, distance)
        # Around its base a chain that is too long hardly moves its tip nearer: what has one damping for all creeps there.
        bar = (
            max(ABOVE[method], 5e-3)
            if case == "too near" and method in ("damped_least_squares", "pseudo_inverse")
            else ABOVE[method]
        )
        assert -1e-9 <= above <= bar, (seed, distance, above, result)
        sure = method in ("levenberg_marquardt", "damped_least_squares") and case == "too far"
        assert result.status in (("unreachable",) if sure else ("unreachable", "iterations")), (seed, distance, result)


def overreaching_path(frames: int = 200) -> np.ndarray:
    """A path around a chain of 1 m that lies out of reach half of the time, shape (frames, 3)."""
    time = np.arange(frames) / frames
    radius = 1.0 + 0.4 * np.sin(4.0 * np.pi * time + 0.3)
    angle = 2.0 * np.pi * time
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.2 * np.sin(2.0 * angle)], axis=1)


def shaking(motion: Motion) -> float:
    """The largest second difference of a joint or end site, averaged over frames."""
    where = forward_kinematics(motion)
    points = np.concatenate([where.global_positions, where.end_site_positions], axis=1)
    return float(np.linalg.norm(np.diff(points, 2, axis=0), axis=2).mean(axis=0).max())


@every_method
def test_out_of_reach_does_not_shake(method: str) -> None:
    skeleton, path = chain(10), overreaching_path()
    distances = np.linalg.norm(path, axis=1)
    assert abs(np.mean(distances > 1.0) - 0.5) < 0.05
    problem = ik.Problem(skeleton, {"tip": ik.position()}, method=method, root="fixed")  # type: ignore[arg-type]
    result = problem.solve(curled(skeleton, 0.1), path[:, None], over_time="warm")
    assert shaking(result.motion) <= 0.01
    above = result.errors[:, 0] - np.maximum(0.0, distances - 1.0)
    assert above.max() <= problem.tolerance + ABOVE[method]
    words = np.asarray(result.status)
    assert not np.any(words[distances > 1.0 + problem.tolerance] == "converged")
    assert np.mean(words[distances < 0.98] == "converged") == 1.0


@every_method
def test_limits_that_bind_along_a_path_do_not_shake(method: str) -> None:
    # A spine of narrow cones neither stretches to the far targets nor curls up to the near ones.
    skeleton, path = chain(10), overreaching_path()
    limits = {name: Cone(np.array([0.0, 1.0, 0.0]), 0.2) for name in skeleton.joint_names[1:]}
    problem = ik.Problem(skeleton, {"tip": ik.position()}, method=method, root="fixed", limits=limits)  # type: ignore[arg-type]
    result = problem.solve(curled(skeleton, 0.1), path[:, None], over_time="warm")
    assert shaking(result.motion) <= 0.01
    assert limit_violations(result.motion, limits).max() <= 1e-6
    assert {"converged", "limited", "unreachable"} <= set(np.asarray(result.status).tolist())


@every_method
def test_what_is_too_near_does_not_shake(method: str) -> None:
    skeleton = uneven_chain(np.array([0.6, 0.15, 0.15, 0.1]))
    time = np.arange(200) / 200
    radius, angle = 0.2 + 0.12 * np.sin(4.0 * np.pi * time), 2.0 * np.pi * time
    path = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.05 * np.sin(2.0 * angle)], axis=1)
    problem = ik.Problem(skeleton, {"tip": ik.position()}, method=method, root="fixed")  # type: ignore[arg-type]
    result = problem.solve(curled(skeleton, 0.4), path[:, None], over_time="warm")
    assert shaking(result.motion) <= 0.01
    above = result.errors[:, 0] - np.maximum(0.0, 0.2 - np.linalg.norm(path, axis=1))
    assert above.max() <= problem.tolerance + ABOVE[method]
