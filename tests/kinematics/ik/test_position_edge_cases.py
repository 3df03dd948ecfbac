"""FABRIK and CCD: straight chains, bones of no length, goals that coincide, frames side by side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ik_reach import BOTH, CONVERGED, HANDS_AND_FEET, UNREACHABLE, Reach, Solved, chain, hinge, poses, still, within

from kinematics import Skeleton, kernels
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton


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
