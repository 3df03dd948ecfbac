from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import forward_kinematics, ik
from kinematics.ik.limits import Cone, EulerBox, Hinge, Limit, SwingTwist, clamp, limit_violations
from kinematics.ik.mass import center_of_mass
from kinematics.ik.problem import JACOBIAN_METHODS, METHODS
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import human_skeleton, random_skeleton

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


def uneven_chain(bones: np.ndarray) -> Skeleton:
    """A straight chain along +Y of bones of these lengths."""
    offsets = np.zeros((len(bones), 3))
    offsets[1:, 1] = bones[:-1]
    return chain(len(bones)).with_offsets(offsets, np.array([[0.0, bones[-1], 0.0]]))


def curled(skeleton: Skeleton, angle: float) -> Pose:
    """Every joint turned about Z by the same angle."""
    turns = quaternion.from_rotation_vector(np.tile([0.0, 0.0, angle], (skeleton.num_joints, 1)))
    return Pose(skeleton, np.zeros(3), turns)


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


# Targets that can be reached.


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


# Levenberg-Marquardt takes a step only where it helps.


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


# Out of reach.


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


# Limits.


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


# Priorities.


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


# Straight starts, and everything else that is degenerate.


@every_method
@pytest.mark.parametrize("joints", [2, 3, 10])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, -0.5])
def test_straight_starts_are_left(method: str, joints: int, share: float) -> None:
    skeleton = chain(joints, bone=1.0 / joints)
    for seed in range(3):
        turn = random_pose(skeleton, seed).local_rotations[0] if seed else quaternion.IDENTITY
        rotations = np.tile(quaternion.IDENTITY, (joints, 1))
        rotations[0] = turn
        start = Pose(skeleton, np.zeros(3), rotations)
        target = quaternion.rotate(turn, np.array([0.0, share, 0.0]))
        result = ik.solve(start, {"tip": target}, method=method, root="fixed")  # type: ignore[arg-type]
        assert result.status == "converged", (seed, result)


@every_method
def test_a_straight_arm_comes_in(method: str) -> None:
    skeleton = human_skeleton()
    start = straight(skeleton).with_root_positions(np.array([0.0, 0.93, 0.0]))
    hand = forward_kinematics(start).position("LeftHand")
    locked = {"Hips": np.inf, "Spine": np.inf, "Spine1": np.inf, "LeftShoulder": np.inf}
    result = ik.solve(start, {"LeftHand": hand - [0.3, 0.0, 0.0]}, method=method, root="fixed", stiffness=locked)  # type: ignore[arg-type]
    assert result.status == "converged"


@every_method
def test_a_straight_body_brings_its_weight_in(method: str) -> None:
    skeleton = chain(5, bone=0.2)
    result = ik.solve(straight(skeleton), {"weight": ik.center_of_mass([0.0, 0.2, 0.0])}, method=method, root="fixed")  # type: ignore[arg-type]
    assert result.status == "converged"


@every_method
def test_an_axis_that_looks_away_turns_round(method: str) -> None:
    skeleton = human_skeleton()
    start = straight(skeleton)
    head = forward_kinematics(start).position("Head")
    result = ik.solve(start, {"Head": ik.look_at(head - [0.0, 0.0, 2.0])}, method=method, root="fixed")  # type: ignore[arg-type]
    assert result.status == "converged"


@every_method
@pytest.mark.parametrize("angle", [3.0, np.pi - 1e-9, np.pi])
def test_a_joint_turns_by_half_a_turn(method: str, angle: float) -> None:
    skeleton = chain(3)
    for axis in np.eye(3):
        goal = ik.orientation(quaternion.from_rotation_vector(angle * axis))
        assert ik.solve(straight(skeleton), {"joint2": goal}, method=method, root="fixed").status == "converged"  # type: ignore[arg-type]


@every_method
def test_a_pole_turns_a_bent_limb(method: str) -> None:
    skeleton = human_skeleton()
    bent = straight(skeleton).local_rotations.copy()
    thigh, shin = skeleton.joint_index("LeftUpLeg"), skeleton.joint_index("LeftLeg")
    bent[thigh], bent[shin] = quaternion.from_rotation_vector(np.array([[-0.8, 0.0, 0.0], [1.6, 0.0, 0.0]]))
    start = straight(skeleton).with_local_rotations(bent)
    where = forward_kinematics(start)
    for side in ([5.0, 0.0, 1.0], [-5.0, 0.0, 1.0], [0.0, 0.0, -5.0], [1.0, -1.0, 0.2]):
        pole = where.position("LeftLeg") + np.array(side)
        goals = {"LeftFoot": ik.hold(), "LeftLeg": ik.pole(pole)}
        result = ik.solve(start, goals, method=method, root="fixed", stiffness={"Hips": np.inf}, tolerance=1e-4)  # type: ignore[arg-type]
        assert result.status == "converged", side
        there = forward_kinematics(result.pose)
        line = there.position("LeftFoot") - there.position("LeftUpLeg")
        knee, aim = (np.cross(line, point - there.position("LeftUpLeg")) for point in (there.position("LeftLeg"), pole))
        assert np.arctan2(np.linalg.norm(np.cross(knee, aim)), knee @ aim) <= 1e-3


@every_method
def test_zero_length_bones(method: str) -> None:
    nothing = chain(4, bone=0.0)
    goal = {"tip": ik.position([0.5, 0.3, 0.0])}
    stuck = ik.solve(straight(nothing), goal, method=method, root="fixed", tolerance=1e-3)  # type: ignore[arg-type]
    assert stuck.status == "unreachable"
    assert abs(stuck.errors[0] - np.hypot(0.5, 0.3)) < 1e-12
    assert ik.solve(straight(nothing), goal, method=method, tolerance=1e-3).status == "converged"  # type: ignore[arg-type]
    some = chain(6, bone=0.3)
    offsets = some.offsets.copy()
    offsets[[1, 2, 4]] = 0.0
    some = some.with_offsets(offsets)
    assert ik.solve(straight(some), goal, method=method, root="fixed").status == "converged"  # type: ignore[arg-type]


@every_method
def test_a_chain_of_one_joint(method: str) -> None:
    one = chain(1, bone=0.2)
    for target in ([0.2, 0.0, 0.0], [0.0, -0.2, 0.0], [0.12, -0.16, 0.0]):
        assert ik.solve(straight(one), {"tip": target}, method=method, root="fixed").status == "converged"  # type: ignore[arg-type]
    far = ik.solve(straight(one), {"tip": [0.5, 0.0, 0.0]}, method=method, root="fixed")  # type: ignore[arg-type]
    assert far.status == "unreachable"
    np.testing.assert_allclose(forward_kinematics(far.pose).position("tip"), [0.2, 0.0, 0.0], atol=2e-3)
    free = ik.solve(straight(one), {"tip": [0.9, 0.0, 0.0], "joint0": [0.9, 0.2, 0.0]}, method=method)  # type: ignore[arg-type]
    assert free.status == "converged"


@every_method
def test_goals_at_the_root(method: str) -> None:
    skeleton = human_skeleton()
    start = straight(skeleton)
    turn = quaternion.from_rotation_vector(np.array([0.2, 1.0, 0.3]))
    moved = ik.solve(start, {"Hips": ik.transform([0.5, 1.0, -0.3], turn)}, method=method, tolerance=1e-4)  # type: ignore[arg-type]
    assert moved.status == "converged"
    np.testing.assert_allclose(moved.root_positions, [0.5, 1.0, -0.3], atol=1e-4)
    assert quaternion.angle_between(moved.local_rotations[0], turn) <= 1e-3
    nailed = ik.solve(start, {"Hips": [0.5, 1.0, -0.3]}, method=method, root="fixed")  # type: ignore[arg-type]
    assert nailed.status == "unreachable"
    np.testing.assert_array_equal(nailed.root_positions, start.root_positions)
    anchored = ik.solve(start, {"Hips": [0.1, -0.1, 0.05], "LeftFoot": ik.hold()}, method=method, fixed=["RightFoot"])  # type: ignore[arg-type]
    assert anchored.status == "converged"


@every_method
def test_two_goals_on_one_joint(method: str) -> None:
    skeleton = chain(5, bone=0.2)
    start = random_pose(skeleton, 1, size=0.3)
    there = forward_kinematics(random_pose(skeleton, 2, size=0.3).with_root_positions(start.root_positions))
    both = {"joint4": [ik.position(there.position("joint4")), ik.orientation(there.rotation("joint4"))]}
    assert ik.solve(start, both, method=method, root="fixed").status == "converged"  # type: ignore[arg-type]
    middle = start.root_positions + [0.3, 0.3, 0.0]
    apart = {"tip": [ik.position(middle + [0.2, 0.0, 0.0]), ik.position(middle - [0.2, 0.0, 0.0])]}
    result = ik.solve(start, apart, method=method, root="fixed")  # type: ignore[arg-type]
    assert result.status == "unreachable"
    np.testing.assert_allclose(forward_kinematics(result.pose).position("tip"), middle, atol=2e-3)


@every_method
def test_goals_that_contradict_each_other_share(method: str) -> None:
    # Two joints 0.2 m apart are drawn to points 1 m apart; the least sum of squares leaves 0.4 m to each.
    skeleton = chain(5, bone=0.2)
    result = ik.solve(random_pose(skeleton, 3, size=0.2), {"tip": [0.5, 0.3, 0.0], "joint4": [-0.5, 0.3, 0.0]}, method=method)  # type: ignore[arg-type]
    assert result.status in ("unreachable", "iterations")
    np.testing.assert_allclose(result.errors, 0.4, atol=2e-3)


@every_method
@settings(max_examples=12, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    far=st.sampled_from([0.0, 1e-12, 1.0, 1e3, 1e6]),
    flat=st.booleans(),
    root=st.sampled_from(["fixed", "free", "translation", "heading"]),
    limited=st.booleans(),
)
def test_nothing_makes_it_say_nan(method: str, seed: int, far: float, flat: bool, root: str, limited: bool) -> None:
    skeleton = random_skeleton(seed, num_joints=1 + seed % 9)
    if flat:
        skeleton = skeleton.with_offsets(skeleton.offsets * [0.0, 1.0, 0.0])
    start = straight(skeleton) if flat else random_pose(skeleton, seed)
    rng, names = np.random.default_rng(seed), skeleton.joint_names + skeleton.end_site_names
    goals: dict[str, list[ik.Goal]] = {}
    for name in rng.permutation(names)[:4].tolist():
        point = far * rng.normal(size=3)
        goals[name] = [ik.position(point), ik.look_at(0.5 * point), ik.orientation(quaternion.normalize(rng.normal(size=4)))]
    goals["weight"] = [ik.center_of_mass(far * rng.normal(size=3), priority=1), ik.posture(priority=int(rng.integers(3)))]
    limits = random_limits(skeleton, "mixed", seed) if limited else {}
    if root == "heading":
        limits.pop(skeleton.joint_names[0], None)
    fixed = [names[seed % len(names)]] if seed % 3 == 0 else []
    result = ik.solve(start, goals, method=method, root=root, limits=limits, fixed=fixed, max_iterations=40)  # type: ignore[arg-type]
    for array in (result.errors, result.local_rotations, result.root_positions):
        assert np.isfinite(array).all()
    if limits:
        assert limit_violations(result.pose, limits).max() <= 1e-6


# Units.


@every_method
@pytest.mark.parametrize("scale", [2.0**-10, 2.0**10])
def test_the_unit_does_not_matter(method: str, scale: float) -> None:
    for seed in range(4):
        start, goals, _ = reachable(seed, 3, KINDS["mixed with center of mass"], root="free", size=0.5)
        if seed % 4 == 3:
            goals = {name: replace(goal, point=3.0 * goal.point) for name, goal in goals.items()}
        skeleton = start.skeleton.with_offsets(start.skeleton.offsets * scale, start.skeleton.end_site_offsets * scale)
        scaled = {name: goal if goal.point is None else replace(goal, point=scale * goal.point) for name, goal in goals.items()}
        one = ik.solve(start, goals, method=method)  # type: ignore[arg-type]
        other = ik.solve(Pose(skeleton, start.root_positions * scale, start.local_rotations), scaled, method=method)  # type: ignore[arg-type]
        assert (other.status, other.iterations) == (one.status, one.iterations), seed
        np.testing.assert_array_equal(other.root_positions / scale, one.root_positions)  # powers of two round nothing
        np.testing.assert_array_equal(other.local_rotations, one.local_rotations)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("method", ["levenberg_marquardt", "damped_least_squares"])
def test_millimetres_and_kilometres_take_as_long(method: str, scale: float) -> None:
    skeleton, scaled = chain(10), chain(10, scale=scale)
    rng = np.random.default_rng(0)
    for seed in range(20):
        start = random_pose(skeleton, seed, size=0.4)
        target = start.root_positions + rng.normal(size=3) * 0.5
        one = ik.solve(start, {"tip": target}, method=method, root="fixed")  # type: ignore[arg-type]
        begin = Pose(scaled, start.root_positions * scale, start.local_rotations)
        other = ik.solve(begin, {"tip": target * scale}, method=method, root="fixed")  # type: ignore[arg-type]
        assert (other.status, other.iterations) == (one.status, one.iterations)


def test_every_method_is_listed() -> None:
    assert set(JACOBIAN_METHODS) <= set(METHODS)
    assert len(set(METHODS)) == 9
