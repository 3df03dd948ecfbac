"""Jacobian methods: limits and priorities."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from ik_chains import KINDS, chain, every_method, measured, random_limits, random_pose, reachable, require_honest, straight

from kinematics import forward_kinematics, ik
from kinematics.ik.limits import Cone, Hinge, Limit, clamp, limit_violations
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_skeleton


@functools.cache
def limited_case(seed: int, kind: str) -> tuple[Pose, dict[str, ik.Goal], dict[str, Limit]]:
    """A random skeleton with limits, and goals that an allowed pose meets."""
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=10)
    limits = random_limits(skeleton, kind, seed)
    start = random_pose(skeleton, seed + 900)
    there = forward_kinematics(clamp(random_pose(skeleton, seed + 500), limits).with_root_positions(start.root_positions))
    names = rng.permutation(skeleton.joint_names[1:])[:2].tolist()
    goals = {name: ik.position(there.position(name)) for name in names}
    if seed % 2:
        goals[names[1]] = ik.orientation(there.rotation(names[1]))
    return start, goals, limits


@every_method
@pytest.mark.parametrize("kind", ["hinge", "cone", "swing-twist", "box", "mixed"])
def test_limits_are_never_exceeded(method: str, kind: str) -> None:
    met, words = 0, set()
    for seed in range(10):
        start, goals, limits = limited_case(seed, kind)
        root = "fixed" if seed % 3 else "free"
        problem = ik.Problem(start.skeleton, goals, method=method, limits=limits, root=root)  # type: ignore[arg-type]
        result = problem.solve(start)
        require_honest(problem, result, goals)
        assert limit_violations(result.pose, limits).max(initial=0.0) <= 1e-6
        met += bool(result.converged)
        words.add(result.status)
        if seed % 3:
            continue
        far = {name: goal if goal.point is None else replace(goal, point=5.0 * goal.point) for name, goal in goals.items()}
        out = ik.solve(start, far, method=method, limits=limits, root="fixed", max_iterations=20)  # type: ignore[arg-type]
        assert limit_violations(out.pose, limits).max(initial=0.0) <= 1e-6
    assert met >= 7, (met, words)


@every_method
def test_limits_that_bind_are_said(method: str) -> None:
    skeleton = chain(2, bone=0.5)
    start = straight(skeleton)
    # The elbow bends about +X by at most 1 rad; the shoulder is locked, so the tip moves on an arc.
    hinge = {"joint1": Hinge(np.array([1.0, 0.0, 0.0]), 0.0, 1.0)}

    def tip(angle: float) -> list[float]:
        return [0.0, 0.5 + 0.5 * np.cos(angle), 0.5 * np.sin(angle)]

    def solve(angle: float, limits: dict[str, Limit]) -> ik.Result:
        return ik.solve(start, {"tip": tip(angle)}, method=method, root="fixed", limits=limits, stiffness={"joint0": np.inf})  # type: ignore[arg-type]

    assert solve(0.7, hinge).status == "converged"
    assert solve(1.4, {}).status == "converged"
    far = solve(1.4, hinge)
    assert far.status == "limited"
    np.testing.assert_allclose(forward_kinematics(far.pose).position("tip"), tip(1.0), atol=1e-6)
    below = solve(-0.5, hinge)
    assert below.status == "limited"
    np.testing.assert_allclose(forward_kinematics(below.pose).position("tip"), tip(0.0), atol=1e-6)
    # A cone lets the forearm come to its rim, on the side of the target.
    cone = solve(1.4, {"joint1": Cone(np.array([0.0, 1.0, 0.0]), 0.6)})
    assert cone.status == "limited"
    np.testing.assert_allclose(forward_kinematics(cone.pose).position("tip"), tip(0.6), atol=1e-5)
    # Far out of reach, with limits that do not bind: not "limited".
    wide = ik.solve(
        start, {"tip": [0.0, 5.0, 0.1]}, method=method, root="fixed", limits={"joint1": Cone(np.array([0.0, 1.0, 0.0]), 2.0)}
    )  # type: ignore[arg-type]
    assert wide.status == "unreachable"


@pytest.mark.parametrize("kind", ["hinge", "cone", "swing-twist", "box"])
def test_where_limits_bind_no_allowed_turn_of_a_joint_helps(kind: str) -> None:
    rng, checked = np.random.default_rng(0), 0
    for seed in range(60):
        start, goals, limits = limited_case(2 * seed, kind)
        goals = {name: replace(goal, point=1.5 * goal.point) for name, goal in goals.items()}
        result = ik.solve(start, goals, limits=limits, root="fixed")
        if result.status not in ("limited", "unreachable"):
            continue
        checked += 1
        cost = sum(error**2 for error in measured(result.pose, goals))
        turn = 1e-4
        for joint in range(start.skeleton.num_joints):
            vectors = np.zeros((start.skeleton.num_joints, 3))
            for way in rng.normal(size=(3, 3)):
                vectors[joint] = turn * way / np.linalg.norm(way)
                turned = quaternion.multiply(result.local_rotations, quaternion.from_rotation_vector(vectors))
                tried = clamp(result.pose.with_local_rotations(quaternion.normalize(turned)), limits)
                gain = cost - sum(error**2 for error in measured(tried, goals))
                assert gain <= 0.1 * turn * cost, (seed, joint, gain / turn, cost)
        if checked == 5:
            break
    assert checked == 5


@every_method
@pytest.mark.parametrize("kinds", ["position", "mixed"])
def test_a_lower_priority_never_worsens_a_higher_one(method: str, kinds: str) -> None:
    for seed in range(6):
        start, goals, _ = reachable(seed, 4, KINDS[kinds], root="fixed")
        if seed % 2:  # out of reach, or in contradiction
            goals = {name: goal if goal.point is None else replace(goal, point=1.5 * goal.point) for name, goal in goals.items()}
        ranked = {name: replace(goal, priority=index) for index, (name, goal) in enumerate(goals.items())}
        names, before = list(ranked), {}
        for count in range(1, len(names) + 1):
            asked = {name: ranked[name] for name in names[:count]}
            problem = ik.Problem(start.skeleton, asked, method=method, root="fixed", max_iterations=3000)  # type: ignore[arg-type]
            result = problem.solve(start)
            errors = dict(zip(result.goals, result.errors.tolist(), strict=True))
            for index, (goal, error) in enumerate(before.items()):
                angular = goal.split()[-1] in ("orientation", "look_at")
                # What comes first is found the same way, whatever follows. What comes second is found where the first is
                # kept, which out of reach it is to the last digit: rounding decides how far that search gets.
                slack = 1e-6 if goal.startswith(names[0]) else 0.05
                least = problem.angle_tolerance if angular else problem.tolerance
                assert errors[goal] <= max(error, least) * (1.0 + slack), (seed, count, index, error, errors[goal])
            before = errors


@every_method
def test_two_joints_that_contradict_each_other(method: str) -> None:
    # Three bones of 1 m. The tip comes first; the first elbow wants to (0, -5, 0) and gets as near as the tip allows:
    # |elbow| = 1 and |tip - elbow| = 2.
    skeleton = chain(3, bone=1.0)
    first, second = {"tip": ik.position([2.0, 0.0, 0.0])}, {"joint1": ik.position([0.0, -5.0, 0.0])}
    turns = quaternion.from_rotation_vector(np.array([[0.3, 0.1, -0.5], [0.1, 0.5, 0.4], [-0.2, 0.1, -0.9]]))
    start = Pose(skeleton, np.zeros(3), turns)
    result = ik.solve(start, first | {"joint1": replace(second["joint1"], priority=1)}, method=method, root="fixed")  # type: ignore[arg-type]
    assert result.status in ("unreachable", "iterations")
    assert result.error("tip") <= 3e-3
    best = np.linalg.norm(np.array([0.25, -np.sqrt(15.0) / 4.0, 0.0]) - [0.0, -5.0, 0.0])
    assert best - 0.01 <= result.error("joint1") <= best + 0.01
    swapped = {"tip": replace(first["tip"], priority=1)} | second
    result = ik.solve(start, swapped, method=method, root="fixed")  # type: ignore[arg-type]
    assert abs(result.error("joint1") - 4.0) <= 3e-3
    # The elbow at (0, -1, 0) leaves the tip sqrt(5) - 2 from its point.
    assert abs(result.error("tip") - (np.sqrt(5.0) - 2.0)) <= 0.02


@every_method
def test_the_lower_priority_is_served_too(method: str) -> None:
    skeleton = human_skeleton()
    start = random_pose(skeleton, 0, size=0.2)
    first = {"LeftHand": ik.position(forward_kinematics(start).position("LeftHand") + 0.1), "LeftFoot": ik.hold()}
    second = {**first, "RightHand": ik.position(forward_kinematics(start).position("RightHand") + 0.1, priority=1)}
    assert ik.solve(start, second, method=method).status == "converged"  # type: ignore[arg-type]
