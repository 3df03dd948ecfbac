"""Jacobian methods: straight starts, bones of no length, contradictions, units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ik_chains import KINDS, chain, every_method, random_limits, random_pose, reachable, straight

from kinematics import forward_kinematics, ik
from kinematics.ik.limits import limit_violations
from kinematics.ik.problem import JACOBIAN_METHODS, METHODS
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_skeleton


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
