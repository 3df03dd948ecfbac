"""FABRIK and CCD at the level of their kernels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ik_reach import BOTH, CONVERGED, HANDS_AND_FEET, LIMITED, UNREACHABLE, Reach, chain, hinge, poses, still, within
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from kinematics import Motion, Skeleton, forward_kinematics, kernels
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_skeleton


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
