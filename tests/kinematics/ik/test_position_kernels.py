"""FABRIK and CCD at the level of their kernels: laws, closed forms, the paper's case, and what must not go wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from kinematics import Motion, Skeleton, forward_kinematics, kernels
from kinematics.ik.bodies import find_bodies
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_skeleton

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


def random_limits(rng: np.random.Generator, skeleton: Skeleton) -> dict[int, tuple[int, np.ndarray]]:
    limits = {}
    for joint in range(1, skeleton.num_joints):
        kind, row = int(rng.integers(4)), np.zeros(16)
        row[:4] = quaternion.normalize(rng.normal(size=4))
        if kind in (1, 2):
            axis = rng.normal(size=3)
            row[4:7] = axis / np.linalg.norm(axis)
        if kind == 1:
            row[7:9] = np.sort(rng.uniform(-2, 2, 2))
        elif kind == 2:
            row[7], row[8:10] = rng.uniform(0.2, 1.5), np.sort(rng.uniform(-1.5, 1.5, 2))
        elif kind == 3:
            row[4:7], row[7:10], row[10:13] = rng.permutation(3), -rng.uniform(0, 1.2, 3), rng.uniform(0, 1.2, 3)
        limits[joint] = (kind, row)
    return limits


def within(rotations: np.ndarray, limits: Mapping[int, tuple[int, np.ndarray]]) -> np.ndarray:
    rotations = rotations.copy()
    for frame in rotations:
        for joint, (kind, row) in limits.items():
            q = frame[joint].copy()
            kernels.limits.project(kind, row, q)
            frame[joint] = q
    return rotations


def worst_violation(rotations: np.ndarray, limits: Mapping[int, tuple[int, np.ndarray]], joints: np.ndarray) -> float:
    return max(
        kernels.limits.violation(kind, row, frame[joint].copy())
        for frame in rotations
        for joint, (kind, row) in limits.items()
        if joint in joints
    )


@BOTH
@given(seed=st.integers(0, 10_000), free=st.booleans(), joints=st.integers(1, 20))
def test_the_result_is_what_forward_kinematics_says_and_never_worse_than_the_start(
    method: str, seed: int, free: bool, joints: int
) -> None:
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=joints)
    reach = Reach(skeleton, skeleton.end_site_names, free=free, locked=[j for j in range(1, joints) if rng.random() < 0.2])
    start, roots = poses(rng, 3, skeleton, 0.5), rng.normal(size=(3, 3))
    targets = rng.normal(size=(3, 3, 3))
    found = reach.solve(method, roots, start, targets, iterations=30)
    before = np.linalg.norm(reach.points(roots, start) - targets, axis=-1)
    assert ((found.errors**2).sum(axis=1) <= (before**2).sum(axis=1) * (1 + 1e-9)).all()
    np.testing.assert_array_equal(found.status == CONVERGED, found.errors.max(axis=1) <= 1e-3)
    if not free:
        np.testing.assert_array_equal(found.roots, roots)
    others = np.setdiff1d(np.arange(joints), reach.joints)
    np.testing.assert_array_equal(found.rotations[:, others], start[:, others])


@BOTH
@pytest.mark.parametrize("free", [False, True])
def test_most_poses_of_random_trees_are_found_again(method: str, free: bool) -> None:
    status = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        skeleton = random_skeleton(seed)
        reach = Reach(skeleton, skeleton.end_site_names, free=free)
        start, roots = poses(rng, 10, skeleton, 0.5), np.zeros((10, 3))
        targets = reach.points(roots, poses(rng, 10, skeleton, 0.5))
        status.append(reach.solve(method, roots, start, targets).status)
    assert np.mean(np.concatenate(status) == CONVERGED) > (0.99 if free else 0.95)


@BOTH
@pytest.mark.parametrize("free", [False, True])
def test_hands_and_feet_of_a_person(method: str, free: bool) -> None:
    rng = np.random.default_rng(1)
    skeleton = human_skeleton()
    reach = Reach(skeleton, HANDS_AND_FEET, free=free)
    start, roots = poses(rng, 100, skeleton, 0.2), np.zeros((100, 3))
    targets = reach.points(roots, poses(rng, 100, skeleton, 0.4))
    found = reach.solve(method, roots, start, targets, tolerance=1e-2)
    assert (found.status == CONVERGED).mean() >= 0.99
    positions = forward_kinematics(Motion(skeleton, found.roots, found.rotations, 1 / 30)).global_positions
    for girdle in (["LeftUpLeg", "RightUpLeg", "Spine"], ["LeftShoulder", "RightShoulder", "Neck"]):
        corners = [skeleton.joint_index(name) for name in girdle]
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            distance = np.linalg.norm(skeleton.offsets[a] - skeleton.offsets[b])
            np.testing.assert_allclose(np.linalg.norm(positions[:, a] - positions[:, b], axis=-1), distance, atol=1e-9)


def test_the_case_of_the_fabrik_paper() -> None:
    rng = np.random.default_rng(2)
    skeleton = chain(9, 100.0)
    reach = Reach(skeleton, ["tip"])
    targets = rng.normal(size=(500, 1, 3))
    targets *= 600.0 / np.linalg.norm(targets, axis=-1, keepdims=True)
    found = reach.solve("fabrik", np.zeros((500, 3)), still(500, skeleton), targets, tolerance=1e-3)
    assert (found.status == CONVERGED).all()
    assert 3.0 < found.iterations.mean() < 15.5  # Aristidou and Lasenby (2011), table 1
    slower = reach.solve("ccd", np.zeros((500, 3)), still(500, skeleton), targets, tolerance=1e-3)
    assert (slower.status == CONVERGED).all()
    assert found.iterations.mean() < slower.iterations.mean() < 26.3


@BOTH
@pytest.mark.parametrize("distance", [1.2, 5.0, 1.0])
def test_a_chain_stretches_towards_what_it_cannot_reach(method: str, distance: float) -> None:
    rng = np.random.default_rng(3)
    skeleton = chain(10)
    reach = Reach(skeleton, ["tip"])
    targets = rng.normal(size=(50, 1, 3))
    targets *= distance / np.linalg.norm(targets, axis=-1, keepdims=True)
    found = reach.solve(method, np.zeros((50, 3)), poses(rng, 50, skeleton, 0.5), targets)
    np.testing.assert_allclose(found.errors, distance - 1.0, atol=1e-9)
    assert (found.status == (UNREACHABLE if distance > 1.0 else CONVERGED)).all()


@BOTH
def test_a_chain_folds_towards_what_is_too_near(method: str) -> None:
    rng = np.random.default_rng(4)
    skeleton = Skeleton(
        ("a", "b", "c"), np.array([-1, 0, 1]), np.array([[0, 0, 0], [0, 0.1, 0], [0, 1.0, 0]]),
        np.array([2]), np.array([[0, 0.2, 0.0]]), ("tip",),
    )  # fmt: skip
    targets = rng.normal(size=(20, 1, 3))
    targets *= 0.3 / np.linalg.norm(targets, axis=-1, keepdims=True)
    found = Reach(skeleton, ["tip"]).solve(method, np.zeros((20, 3)), poses(rng, 20, skeleton, 0.5), targets)
    np.testing.assert_allclose(found.errors, 1.0 - 0.1 - 0.2 - 0.3, atol=1e-9)
    assert (found.status == UNREACHABLE).all()


@BOTH
@pytest.mark.parametrize("free", [False, True])
def test_several_goals_out_of_reach_end_near_the_least_squares(method: str, free: bool) -> None:
    rng = np.random.default_rng(5)
    skeleton = human_skeleton()
    reach = Reach(skeleton, ["LeftHand", "RightHand"], free=free)
    start, roots = poses(rng, 2, skeleton, 0.1), np.zeros((2, 3))
    targets = reach.points(roots, start) + np.array([[[0.9, 0.5, 0.3], [-0.8, -0.2, 0.7]]])
    found = reach.solve(method, roots, start, targets)
    assert (found.status == UNREACHABLE).all()
    parents = reach.before[1]
    for frame in range(2):

        def residuals(x: np.ndarray, frame: int = frame) -> np.ndarray:
            turns = Rotation.from_rotvec(x[3:].reshape(-1, 3)).as_matrix()
            local = Rotation.from_quat(start[frame, reach.joints], scalar_first=True).as_matrix() @ turns
            spots, turned = [x[:3] * free], [local[0]]
            for k in range(1, len(parents)):
                above = turned[parents[k]]
                spots.append(spots[parents[k]] + above @ skeleton.offsets[reach.joints[k]])
                turned.append(above @ local[k])
            return (np.array(spots)[reach.goal_joints] - targets[frame]).ravel()

        best = least_squares(residuals, np.zeros(3 + 3 * len(parents)), max_nfev=40)
        assert np.sqrt((found.errors[frame] ** 2).sum()) < np.sqrt(2 * best.cost) + 2e-3


@BOTH
def test_a_path_that_overreaches_does_not_shake(method: str) -> None:
    skeleton = chain(10)
    reach = Reach(skeleton, ["tip"])
    phase = np.linspace(0, 4 * np.pi, 400)
    length = 1.0 + 0.2 * np.sin(1.5 * phase)
    path = np.stack([length * np.cos(phase / 2), length * np.sin(phase / 2), 0.1 * np.sin(phase)], axis=-1)
    roots, rotations = np.zeros((1, 3)), poses(np.random.default_rng(6), 1, skeleton, 0.1)
    places = []
    for target in path:
        found = reach.solve(method, roots, rotations, target[None, None])
        roots, rotations = found.roots, found.rotations
        assert found.errors[0, 0] < max(0.0, np.linalg.norm(target) - 1.0) + 1.001e-3
        transforms = forward_kinematics(Motion(skeleton, roots, rotations, 1 / 30))
        places.append(np.concatenate([transforms.global_positions[0], transforms.end_site_positions[0]]))
    seconds = np.linalg.norm(np.diff(places, 2, axis=0), axis=-1)
    assert seconds.max(axis=1).mean() < 0.01


@BOTH
@pytest.mark.parametrize("moving_root", ["turns", "keeps its rotation", "keeps its heading"])
def test_any_point_can_stay_in_place(method: str, moving_root: str) -> None:
    rng = np.random.default_rng(7)
    skeleton = human_skeleton()
    limits = {0: hinge([0, 1, 0], -3.0, 3.0)} if moving_root == "keeps its heading" else {}
    locked = [0] if moving_root == "keeps its rotation" else []
    reach = Reach(skeleton, ["LeftHand"], anchor="LeftToe_end", free=True, locked=locked, limits=limits)
    start, roots = poses(rng, 20, skeleton, 0.1), rng.normal(size=(20, 3))
    start[:, 0] = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), rng.uniform(-2, 2, 20))
    toe = forward_kinematics(Motion(skeleton, roots, start, 1 / 30)).position("LeftToe_end")
    targets = reach.points(roots, start) + 0.15 * rng.normal(size=(20, 1, 3))
    found = reach.solve(method, roots, start, targets)
    after = forward_kinematics(Motion(skeleton, found.roots, found.rotations, 1 / 30))
    np.testing.assert_allclose(after.position("LeftToe_end"), toe, rtol=0, atol=1e-9)
    assert (found.status == CONVERGED).mean() >= 0.9
    assert np.abs(found.roots - roots).max() > 1e-3
    away = [skeleton.joint_index(name) for name in ("RightArm", "RightLeg", "Head", "LeftHand")]
    np.testing.assert_array_equal(found.rotations[:, away], start[:, away])
    if moving_root == "keeps its rotation":
        np.testing.assert_array_equal(found.rotations[:, 0], start[:, 0])
    elif limits:
        assert worst_violation(found.rotations, limits, reach.joints) < 1e-6
    else:
        assert np.abs(found.rotations[:, 0] - start[:, 0]).max() > 1e-3


@BOTH
def test_an_anchor_on_the_way_and_a_goal_on_the_same_limb(method: str) -> None:
    skeleton = human_skeleton()
    reach = Reach(skeleton, ["LeftLeg"], anchor="LeftFoot", free=True)
    start, roots = still(1, skeleton), np.array([[0.0, 1.0, 0.0]])
    before = forward_kinematics(Motion(skeleton, roots, start, 1 / 30))
    ankle, shin = before.position("LeftFoot")[0], 0.246 * 1.75
    target = ankle + shin * np.array([0.6, 0.8, 0.0])
    found = reach.solve(method, roots, start, target[None, None], tolerance=1e-9)
    after = forward_kinematics(Motion(skeleton, found.roots, found.rotations, 1 / 30))
    np.testing.assert_allclose(after.position("LeftLeg")[0], target, atol=1e-8)
    np.testing.assert_allclose(after.position("LeftFoot")[0], ankle, atol=1e-9)
    rest = [joint for joint in range(1, skeleton.num_joints) if joint != skeleton.joint_index("LeftFoot")]
    np.testing.assert_array_equal(found.rotations[0, rest], start[0, rest])  # it leans with the shin


@BOTH
def test_locked_joints_keep_their_bits(method: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        skeleton = random_skeleton(seed)
        locked = [joint for joint in range(skeleton.num_joints) if rng.random() < 0.4]
        reach = Reach(skeleton, skeleton.end_site_names, free=True, locked=locked)
        start, roots = poses(rng, 3, skeleton, 1.0), np.zeros((3, 3))
        found = reach.solve(method, roots, start, rng.normal(size=(3, 3, 3)) * 0.3)
        np.testing.assert_array_equal(found.rotations[:, locked], start[:, locked])


@BOTH
@pytest.mark.parametrize("anchored", [False, True])
def test_limits_hold(method: str, anchored: bool) -> None:
    converged = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        skeleton = random_skeleton(seed, num_joints=10, num_end_sites=3)
        limits = random_limits(rng, skeleton)
        names = list(skeleton.end_site_names)
        reach = Reach(skeleton, names[:2], anchor=names[2] if anchored else None, limits=limits)
        roots = np.zeros((4, 3))
        outside, inside = poses(rng, 4, skeleton, 0.7), within(poses(rng, 4, skeleton, 0.7), limits)
        targets = reach.points(roots, inside)
        if anchored:
            held = [forward_kinematics(Motion(skeleton, roots, each, 1 / 30)).position(names[2]) for each in (outside, inside)]
            targets = targets + (held[0] - held[1])[:, None]
        found = reach.solve(method, roots, outside, targets)
        assert worst_violation(found.rotations, limits, reach.joints) < 1e-6
        converged.append(found.status == CONVERGED)
        if anchored:
            after = forward_kinematics(Motion(skeleton, found.roots, found.rotations, 1 / 30))
            np.testing.assert_allclose(after.position(names[2]), held[0], rtol=0, atol=1e-9)
    assert np.mean(converged) > 0.7


@BOTH
def test_one_hinge_stops_at_its_bound_and_says_so(method: str) -> None:
    skeleton = chain(1, 1.0)
    limits = {0: hinge([0, 0, 1], -0.5, 0.5)}
    reach = Reach(skeleton, ["tip"], limits=limits)
    angles = np.array([0.3, -0.4, 1.2, -2.0])
    targets = np.stack([-np.sin(angles), np.cos(angles), 0.0 * angles], axis=-1)[:, None]
    found = reach.solve(method, np.zeros((4, 3)), still(4, skeleton), targets, tolerance=1e-9)
    turned = quaternion.to_rotation_vector(found.rotations[:, 0])
    np.testing.assert_allclose(turned, np.outer(np.clip(angles, -0.5, 0.5), [0, 0, 1]), atol=1e-9)
    assert found.status.tolist() == [CONVERGED, CONVERGED, LIMITED, LIMITED]


@BOTH
@pytest.mark.parametrize("shape", ["balls", "elbow", "elbow the other way"])
@pytest.mark.parametrize("target", [0.5, 0.05, -0.4])
def test_a_straight_chain_is_bent_where_the_target_lies_on_its_line(method: str, shape: str, target: float) -> None:
    skeleton = chain(2, 0.5)
    bounds = {"elbow": (0.0, 3.1), "elbow the other way": (-3.1, 0.0)}
    limits = {1: hinge([1, 0, 0], *bounds[shape])} if shape in bounds else {}
    reach = Reach(skeleton, ["tip"], limits=limits)
    turn = quaternion.from_rotation_vector(np.array([0.3, -0.7, 0.4]))
    rotations = still(1, skeleton)
    rotations[0, 0] = turn
    line = quaternion.rotate(turn, np.array([0.0, 1.0, 0.0]))
    found = reach.solve(method, np.zeros((1, 3)), rotations, target * line[None, None], tolerance=1e-4)
    assert found.status[0] == CONVERGED
    again = reach.solve(method, np.zeros((1, 3)), rotations, target * line[None, None], tolerance=1e-4)
    np.testing.assert_array_equal(found.rotations, again.rotations)


@BOTH
def test_a_straight_chain_with_a_goal_half_way_is_bent_too(method: str) -> None:
    skeleton = chain(6)
    reach = Reach(skeleton, ["joint3", "tip"])
    targets = np.array([[[0.0, 0.2, 0.0], [0.0, 0.4, 0.0]]])
    assert reach.solve(method, np.zeros((1, 3)), still(1, skeleton), targets).status[0] == CONVERGED


@BOTH
def test_bones_of_no_length_and_joints_at_one_point(method: str) -> None:
    offsets = np.array([[0, 0, 0], [0, 0, 0], [0, 0.3, 0], [0, 0, 0], [0, 0, 0], [0.2, 0, 0.0]])
    skeleton = Skeleton(tuple("abcdef"), np.arange(-1, 5), offsets, np.array([5]), np.array([[0, 0.0, 0]]), ("tip",))
    rng = np.random.default_rng(8)
    targets = rng.normal(size=(20, 1, 3))
    targets *= 0.4 / np.linalg.norm(targets, axis=-1, keepdims=True)
    reach = Reach(skeleton, ["tip"])
    assert (reach.solve(method, np.zeros((20, 3)), still(20, skeleton), targets).status == CONVERGED).all()
    nothing = Skeleton(("a", "b"), np.array([-1, 0]), np.zeros((2, 3)), np.array([1]), np.zeros((1, 3)), ("tip",))
    found = Reach(nothing, ["tip"]).solve(method, np.zeros((1, 3)), still(1, nothing), np.array([[[0.0, 2.0, 0.0]]]))
    assert found.status[0] == UNREACHABLE
    assert found.errors[0, 0] == 2.0


@BOTH
def test_goals_at_the_root(method: str) -> None:
    skeleton = chain(3)
    roots, targets = np.zeros((1, 3)), np.array([[[0.3, 0.4, 0.0]]])
    fixed = Reach(skeleton, ["joint0"]).solve(method, roots, still(1, skeleton), targets)
    assert fixed.status[0] == UNREACHABLE
    np.testing.assert_array_equal(fixed.rotations, still(1, skeleton))
    free = Reach(skeleton, ["joint0"], free=True).solve(method, roots, still(1, skeleton), targets)
    assert free.status[0] == CONVERGED
    np.testing.assert_allclose(free.roots, targets[0], atol=1e-3)


@BOTH
def test_two_goals_on_one_joint(method: str) -> None:
    skeleton = chain(4)
    roots, start = np.zeros((1, 3)), poses(np.random.default_rng(9), 1, skeleton, 0.5)
    spot = np.array([0.2, 0.1, 0.1])
    same = Reach(skeleton, ["tip", "tip"]).solve(method, roots, start, np.stack([spot, spot])[None])
    assert same.status[0] == CONVERGED
    apart = np.array([0.05, 0.0, 0.0])
    reach = Reach(skeleton, ["tip", "tip"], weights=[3.0, 1.0])
    found = reach.solve(method, roots, start, np.stack([spot, spot + apart])[None])
    assert found.status[0] == UNREACHABLE
    np.testing.assert_allclose(reach.points(found.roots, found.rotations)[0, 0], spot + 0.25 * apart, atol=2e-3)


@BOTH
def test_a_goal_without_weight_is_only_reported(method: str) -> None:
    skeleton = human_skeleton()
    reach = Reach(skeleton, ["LeftHand", "RightHand"], weights=[1.0, 0.0])
    start, roots = still(1, skeleton), np.zeros((1, 3))
    targets = reach.points(roots, start) + np.array([[[-0.2, 0.1, 0.2], [9.0, 9.0, 9.0]]])
    found = reach.solve(method, roots, start, targets)
    assert found.errors[0, 0] < 1e-3
    assert found.errors[0, 1] > 9.0


@BOTH
def test_frames_do_not_know_of_each_other(method: str) -> None:
    rng = np.random.default_rng(10)
    skeleton = human_skeleton()
    limits = {skeleton.joint_index(name): hinge([1, 0, 0], 0.0, 2.5) for name in ("LeftLeg", "RightLeg")}
    locked = [skeleton.joint_index("Spine1")]
    for reach in (
        Reach(skeleton, HANDS_AND_FEET, free=True),
        Reach(skeleton, HANDS_AND_FEET, locked=locked, limits=limits),
    ):
        start, roots = within(poses(rng, 6, skeleton, 0.2), limits), rng.normal(size=(6, 3))
        targets = reach.points(roots, start) + 0.2 * rng.normal(size=(6, 4, 3))
        together = reach.solve(method, roots, start, targets)
        for frame in range(6):
            one = slice(frame, frame + 1)
            alone = reach.solve(method, roots[one], start[one], targets[one])
            for all_frames, single in zip(together, alone, strict=True):
                np.testing.assert_array_equal(all_frames[one], single)


@BOTH
def test_bones_of_each_frame(method: str) -> None:
    rng = np.random.default_rng(11)
    skeleton = chain(5)
    start, roots = poses(rng, 3, skeleton, 0.5), np.zeros((3, 3))
    targets = rng.normal(size=(3, 1, 3)) * 0.1
    reach = Reach(skeleton, ["tip"])
    lengths = np.array([1.0, 0.5, 2.0])
    reach.bones = skeleton.offsets * lengths[:, None, None]
    out = Solved(np.empty((3, 3)), np.empty((3, 5, 4)), np.empty((3, 1)), np.empty(3, np.int64), np.empty(3, np.int64))
    kernel = getattr(kernels, method).solve
    kernel(*reach.tables, *reach.before, reach.bones, *reach.after, roots, start, targets, 1e-3, 300, *out)
    for frame in range(3):
        stretched = Skeleton(
            skeleton.joint_names, skeleton.parents, reach.bones[frame], skeleton.end_site_parents,
            skeleton.end_site_offsets, skeleton.end_site_names,
        )  # fmt: skip
        one = slice(frame, frame + 1)
        alone = Reach(stretched, ["tip"]).solve(method, roots[one], start[one], targets[one])
        np.testing.assert_array_equal(out.rotations[one], alone.rotations)


@BOTH
def test_what_is_met_already_keeps_its_bits(method: str) -> None:
    rng = np.random.default_rng(12)
    skeleton = human_skeleton()
    for anchor in (None, "RightToe_end"):
        reach = Reach(skeleton, HANDS_AND_FEET, anchor=anchor, free=True)
        start, roots = poses(rng, 2, skeleton, 0.4), rng.normal(size=(2, 3))
        found = reach.solve(method, roots, start, reach.points(roots, start))
        np.testing.assert_array_equal(found.rotations, start)
        np.testing.assert_array_equal(found.roots, roots)
        assert (found.iterations == 0).all()
        assert (found.status == CONVERGED).all()


@BOTH
def test_more_iterations_are_never_worse(method: str) -> None:
    rng = np.random.default_rng(13)
    skeleton = human_skeleton()
    reach = Reach(skeleton, HANDS_AND_FEET)
    start, roots = poses(rng, 5, skeleton, 0.2), np.zeros((5, 3))
    targets = reach.points(roots, start) + 0.3 * rng.normal(size=(5, 4, 3))
    sums = [(reach.solve(method, roots, start, targets, tolerance=1e-9, iterations=k).errors ** 2).sum(axis=1) for k in range(25)]
    assert (np.diff(sums, axis=0) <= 1e-12).all()


def test_segments_do_not_twist() -> None:
    rng = np.random.default_rng(14)
    skeleton = chain(8)
    reach = Reach(skeleton, ["tip"])
    start, roots = poses(rng, 30, skeleton, 0.4), np.zeros((30, 3))
    targets = reach.points(roots, poses(rng, 30, skeleton, 0.4))
    found = reach.solve("fabrik", roots, start, targets)
    change = quaternion.to_rotation_vector(quaternion.multiply(quaternion.inverse(start), found.rotations))
    np.testing.assert_allclose(change[..., 1], 0.0, atol=1e-12)  # bones lie along Y
    assert np.abs(change).max() > 0.1


def test_a_stiff_joint_turns_less_in_ccd() -> None:
    skeleton = chain(2)
    target = np.array([[[0.08, 0.1, 0.0]]])
    turned = []
    for mobility in (1.0, 0.1):
        reach = Reach(skeleton, ["tip"], mobility={1: mobility})
        found = reach.solve("ccd", np.zeros((1, 3)), still(1, skeleton), target)
        assert found.status[0] == CONVERGED
        turned.append(float(quaternion.angle(found.rotations[0, 1])))
    once = Reach(skeleton, ["tip"], mobility={1: 0.1}).solve("ccd", np.zeros((1, 3)), still(1, skeleton), target, iterations=1)
    full = Reach(skeleton, ["tip"]).solve("ccd", np.zeros((1, 3)), still(1, skeleton), target, iterations=1)
    assert quaternion.angle(once.rotations[0, 1]) < 0.2 * quaternion.angle(full.rotations[0, 1])


@given(st.integers(0, 10_000), st.floats(0.0, np.pi))
@settings(max_examples=50)
def test_the_least_swing_and_the_fit(seed: int, angle: float) -> None:
    algebra = kernels.algebra
    rng = np.random.default_rng(seed)
    a = rng.normal(size=3)
    across = np.cross(a, rng.normal(size=3))
    turn = quaternion.from_axis_angle(across, angle)
    b = 2.0 * quaternion.rotate(turn, a)
    swing = np.array(algebra.swing(tuple(a), tuple(b)))
    np.testing.assert_allclose(2.0 * quaternion.rotate(swing, a), b, atol=1e-12)
    np.testing.assert_allclose(quaternion.angle(swing), angle, atol=1e-7)
    arms = rng.normal(size=(4, 3))
    wanted = quaternion.rotate(turn, arms)
    rows = arms.T @ wanted
    fitted = np.array(algebra.fit(*(tuple(row) for row in rows), (1.0, 0.0, 0.0, 0.0), 14))
    np.testing.assert_allclose(quaternion.rotate(fitted, arms), wanted, atol=1e-6)
