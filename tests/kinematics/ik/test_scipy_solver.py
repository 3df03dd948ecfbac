"""The oracle: SciPy's least squares against Levenberg-Marquardt, its own parameters, limits, priorities, status."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import InputError, Motion, Skeleton, forward_kinematics, ik, kernels
from kinematics.ik import scipy_parameters
from kinematics.ik.limits import limit_violations
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton


def rope(count, bone=0.1):
    """A straight chain of ball joints along X, with an end site."""
    offsets = np.zeros((count, 3))
    offsets[1:, 0] = bone
    names = tuple(f"joint{index}" for index in range(count))
    return Skeleton(names, np.arange(count) - 1, offsets, np.array([count - 1]), np.array([[bone, 0.0, 0.0]]), ("end",))


def rest(skeleton):
    return Pose(skeleton, np.zeros(3), np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1)))


def random_pose(skeleton, rng, size=0.6):
    turns = quaternion.from_rotation_vector(rng.normal(size=(skeleton.num_joints, 3)) * size)
    return Pose(skeleton, rng.normal(size=3), turns)


def cost(skeleton, goals, pose, **options):
    residuals, _ = ik.Problem(skeleton, goals, **options).linearize(pose)
    return 0.5 * float(residuals @ residuals)


def where(pose, name):
    return forward_kinematics(pose).position(name)


def limits_of(axis):
    """A limit of every kind, about zero."""
    return {
        "hinge": ik.Hinge(axis, -0.6, 1.1),
        "cone": ik.Cone(axis, 0.5),
        "swing and twist": ik.SwingTwist(axis, 0.7, (-0.4, 0.9)),
        "box": ik.EulerBox("ZXY", np.array([-0.3, -0.8, -0.2]), np.array([0.9, 0.4, 0.5])),
    }


# The parameters


@pytest.mark.parametrize("kind", ["none", "heading", "hinge", "cone", "swing and twist", "box"])
def test_numbers_give_the_pose_back_and_their_slopes_are_those_of_differences(kind):
    rng = np.random.default_rng(0)
    for scale in (1e-4, 0.5):
        tree = np.zeros(5, dtype=kernels.tasks.JOINT)
        tree["mobility"] = 1.0
        local = quaternion.from_rotation_vector(rng.normal(size=(4, 3)))
        for k in range(4):
            if kind not in ("none", "heading"):
                tree["limit"][k], tree["limit_values"][k] = limits_of(rng.normal(size=3))[kind].packed()
                kernels.limits.project(tree["limit"][k], tree["limit_values"][k], local[k])
        numbers = scipy_parameters.PoseNumbers(tree, np.array([1.0, 2.0, 3.0]), local, heading=kind == "heading")
        root, there, _ = numbers.pose(numbers.begin)
        assert np.array_equal(root, [1.0, 2.0, 3.0])
        # On a swing's limit the search begins a hundredth inside.
        assert quaternion.angle_between(there, local).max() < (1e-9 if kind not in ("cone", "swing and twist") else 0.0071)
        allowed = there.copy()
        assert not any(kernels.limits.project(tree["limit"][k], tree["limit_values"][k], allowed[k]) for k in range(4))
        assert np.all(numbers.begin >= numbers.lower)
        assert np.all(numbers.begin <= numbers.upper)
        assert numbers.free.sum() == {"heading": 13, "hinge": 7}.get(kind, 15)
        x = numbers.begin + scale * rng.normal(size=15) * numbers.free
        _, here, slopes = numbers.pose(x)
        for column in np.flatnonzero(numbers.free[:12]):
            step = 1e-6 * np.eye(15)[column]
            turns = [
                quaternion.to_rotation_vector(quaternion.multiply(numbers.pose(x + sign * step)[1], quaternion.inverse(here)))
                for sign in (1.0, -1.0)
            ]
            found = (turns[0] - turns[1]) / 2e-6
            np.testing.assert_allclose(slopes[column // 3, column % 3], found[column // 3], atol=1e-8)
            assert not np.delete(found, column // 3, axis=0).any()


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3, 9.9e-3, 1.01e-2, 1.0, 3.0])
def test_slopes_of_rotation_vectors_are_those_of_differences_at_every_size(size):
    tree = np.zeros(2, dtype=kernels.tasks.JOINT)
    tree["mobility"] = 1.0
    numbers = scipy_parameters.PoseNumbers(tree, np.zeros(3), quaternion.IDENTITY[None], heading=False)
    x = size * np.array([0.48, -0.6, 0.64, 0.0, 0.0, 0.0])
    _, here, slopes = numbers.pose(x)

    def turned(y):
        return quaternion.to_rotation_vector(quaternion.multiply(numbers.pose(y)[1], quaternion.inverse(here)))[0]

    for column in range(3):
        step = 1e-6 * np.eye(6)[column]
        np.testing.assert_allclose(slopes[0, column], (turned(x + step) - turned(x - step)) / 2e-6, atol=1e-8)


# Against Levenberg and Marquardt


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1))
def test_reachable_targets_of_random_skeletons_are_reached_by_both(seed):
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=10)
    start, goal = random_motion(skeleton, seed, num_frames=2)
    names = rng.choice(skeleton.joint_names + skeleton.end_site_names, size=3, replace=False)
    goals = {str(name): ik.position(where(goal, str(name))) for name in names}
    options = {"tolerance": 1e-7, "max_iterations": 2000}
    oracle = ik.solve(start, goals, method="scipy", **options)
    default = ik.solve(start, goals, **options)
    assert oracle.status == "converged"
    assert default.status == "converged"
    assert cost(skeleton, goals, oracle.pose) < 1e-14
    np.testing.assert_array_less(oracle.errors, 1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_the_least_cost_of_unreachable_targets_is_the_same(seed):
    rng = np.random.default_rng(seed)
    skeleton = human_skeleton()
    pose = random_pose(skeleton, rng, 0.2)
    goals = {
        "LeftHand": ik.position(where(pose, "LeftHand") + rng.normal(size=3)),
        "RightHand": ik.position(where(pose, "RightHand") - 3.0 * rng.normal(size=3), weight=2.0),
        "Head": ik.orientation(quaternion.normalize(rng.normal(size=4)), weight=0.1),
        "LeftFoot": ik.hold(),
    }
    options = ({}, {"fixed": ["LeftToe"]}, {"root": "heading"})[seed]
    fixed_goals = goals | {"LeftFoot": ik.position(where(pose, "LeftFoot"))}
    oracle = ik.solve(pose, goals, method="scipy", **options)
    default = ik.solve(pose, goals, max_iterations=2000, **options)
    assert oracle.status == default.status == "unreachable"
    best, found = (cost(skeleton, fixed_goals, result.pose, **options) for result in (oracle, default))
    assert best <= found * (1.0 + 1e-9)
    assert found <= best * (1.0 + 5e-3)  # it ends where a step brings less than a hundred-thousandth


@pytest.mark.parametrize("along", [0.25, -0.3, 2.0])
def test_a_straight_start_on_the_line_is_left(along):
    skeleton = rope(5)
    result = ik.solve(rest(skeleton), {"end": [along, 0.0, 0.0]}, method="scipy", root="fixed")
    if along < 0.5:
        assert result.status == "converged"
    else:
        assert result.status == "unreachable"
        assert result.errors[0] == pytest.approx(along - 0.5, abs=1e-6)


def test_posture_decides_between_solutions():
    skeleton = rope(6)
    pose = random_pose(skeleton, np.random.default_rng(1), 0.5)
    goals = {"end": where(pose, "end") + [0.05, -0.04, 0.1], "natural": ik.posture(weight=1e-3)}
    problem = ik.Problem(skeleton, goals, method="scipy")
    result = problem.solve(pose)

    def total(candidate):
        away = quaternion.angle_between(candidate.local_rotations, pose.local_rotations)
        return 2.0 * cost(skeleton, goals, candidate) + 1e-3 * (problem.tables.reach / 4.0) ** 2 * float(away @ away)

    least = total(result.pose)
    rng = np.random.default_rng(2)
    for _ in range(50):
        turns = quaternion.from_rotation_vector(1e-4 * rng.normal(size=(6, 3)))
        near = Pose(
            skeleton, result.root_positions + 1e-5 * rng.normal(size=3), quaternion.multiply(turns, result.local_rotations)
        )
        assert total(near) > least * (1.0 - 1e-12)


# Limits


@pytest.mark.parametrize("kind", ["hinge", "cone", "swing and twist", "box"])
def test_limits_are_kept_and_what_remains_is_the_least(kind):
    skeleton = rope(4, 0.25)
    limits = {name: limits_of(np.array([0.2, 1.0, 0.3]))[kind] for name in ("joint1", "joint2", "joint3")}
    rng = np.random.default_rng(3)
    for _ in range(2):
        target = rng.normal(size=3)
        goals = {"end": ik.transform(0.6 * target / np.linalg.norm(target), quaternion.normalize(rng.normal(size=4)))}
        oracle = ik.solve(rest(skeleton), goals, method="scipy", limits=limits, root="fixed")
        default = ik.solve(rest(skeleton), goals, limits=limits, root="fixed", max_iterations=2000)
        assert limit_violations(oracle.pose, limits).max() <= 1e-6
        again = ik.solve(default.pose, goals, method="scipy", limits=limits, root="fixed")
        best, found, polished = (cost(skeleton, goals, each.pose, root="fixed") for each in (oracle, default, again))
        assert best <= found * (1.0 + 1e-6)
        assert polished <= found * (1.0 + 1e-6)
        assert oracle.status in ("converged", "limited", "unreachable")


def test_a_hinge_alone_by_hand():
    skeleton = rope(2, 1.0)
    limits = {"joint0": ik.Hinge(np.array([0.0, 0.0, 1.0]), -0.5, 0.5), "joint1": ik.Hinge(np.array([0.0, 0.0, 1.0]), 0.0, 0.0)}
    result = ik.solve(rest(skeleton), {"end": [0.0, 2.0, 0.0]}, method="scipy", limits=limits, root="fixed")
    assert result.status == "limited"
    turn = quaternion.to_rotation_vector(result.pose["joint0"])
    np.testing.assert_allclose(turn, [0.0, 0.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(result.errors, 4.0 * np.sin((np.pi / 2 - 0.5) / 2), atol=1e-6)
    free = ik.solve(
        rest(skeleton), {"end": [2.0 * np.cos(0.3), 2.0 * np.sin(0.3), 0.0]}, method="scipy", limits=limits, root="fixed"
    )
    assert free.status == "converged"


@pytest.mark.parametrize("method", ["scipy", "levenberg_marquardt"])
def test_a_root_with_a_heading_and_a_limit_is_refused(method):
    skeleton = rope(3)
    limits = {"joint0": ik.Cone(np.array([0.0, 1.0, 0.0]), 0.3)}
    with pytest.raises(InputError, match="not both"):
        ik.Problem(skeleton, {"end": [0.0, 0.0, 0.0]}, method=method, root="heading", limits=limits)


def test_warm_frames_keep_a_tilted_root_to_its_heading():
    skeleton, frames = rope(5), 12
    vectors = 0.2 * np.random.default_rng(0).normal(size=(frames, skeleton.num_joints, 3))
    vectors[:, 0, 0], vectors[:, 0, 2] = np.linspace(0.0, 1.0, frames), np.linspace(0.2, -0.8, frames)
    clip = Motion(skeleton, np.zeros((frames, 3)), quaternion.from_rotation_vector(vectors), 1.0 / 30.0)
    goals = {"end": ik.position([0.0, 0.5, 3.0])}
    result = ik.Problem(skeleton, goals, method="scipy", root="heading").solve(clip, over_time="warm")
    turns = quaternion.multiply(result.local_rotations[:, 0], quaternion.inverse(clip.local_rotations[:, 0]))
    np.testing.assert_allclose(turns[:, [1, 3]], 0.0, atol=1e-12)
    assert np.abs(turns[:, 2]).max() > 0.1


# Priorities, roots, status, frames


def test_a_lower_priority_worsens_nothing_and_gets_what_is_left():
    skeleton = rope(6, 0.2)
    first, second = np.array([0.5, 0.6, 0.1]), np.array([5.0, -1.0, 0.0])
    goals = {"end": ik.position(first), "joint3": ik.position(second, priority=1)}
    both = ik.solve(rest(skeleton), goals, method="scipy", root="fixed")
    assert both.error("end") < 1e-6
    assert both.status == "unreachable"
    other = ik.solve(rest(skeleton), goals, root="fixed", max_iterations=2000)
    assert both.error("joint3") <= other.error("joint3") + 1e-3
    swapped = {"end": ik.position(second), "joint3": ik.position(first, priority=1)}
    stretched = ik.solve(rest(skeleton), swapped, method="scipy", root="fixed")
    assert stretched.error("end") == pytest.approx(np.linalg.norm(second) - 1.2, abs=1e-5)


@pytest.mark.parametrize("root", ["free", "fixed", "translation", "heading"])
def test_the_root_does_what_it_may(root):
    pose = random_pose(human_skeleton(), np.random.default_rng(4), 0.2)
    result = ik.solve(pose, {"LeftHand": where(pose, "LeftHand") + [0.1, 0.2, 0.1]}, method="scipy", root=root)
    assert result.status == "converged"
    turn = quaternion.to_rotation_vector(
        quaternion.multiply(result.local_rotations[0], quaternion.inverse(pose.local_rotations[0]))
    )
    moved = np.linalg.norm(result.root_positions - pose.root_positions)
    assert (moved == 0.0) == (root == "fixed")
    assert np.linalg.norm(turn) == pytest.approx(0.0, abs=1e-12) if root == "translation" else np.linalg.norm(turn) > 1e-6
    if root == "heading":
        np.testing.assert_allclose(turn[[0, 2]], 0.0, atol=1e-12)


def test_a_fixed_point_stays_and_locked_joints_do_not_turn():
    pose = random_pose(human_skeleton(), np.random.default_rng(5), 0.2)
    result = ik.solve(
        pose, {"LeftHand": where(pose, "LeftHand") + [0.1, 0.2, 0.1]}, method="scipy", fixed=["LeftToe_end"],
        stiffness={"LeftForeArm": np.inf},
    )  # fmt: skip
    assert result.status == "converged"
    np.testing.assert_allclose(where(result.pose, "LeftToe_end"), where(pose, "LeftToe_end"), atol=1e-12)
    assert np.array_equal(result.pose["LeftForeArm"], pose["LeftForeArm"])


def test_nothing_to_turn_and_too_few_iterations_are_said():
    skeleton = rope(3)
    locked = ik.solve(
        rest(skeleton),
        {"end": [0.0, 0.1, 0.0]},
        method="scipy",
        root="fixed",
        stiffness=dict.fromkeys(skeleton.joint_names, np.inf),
    )
    assert locked.status == "unreachable"
    assert np.array_equal(locked.local_rotations, rest(skeleton).local_rotations)
    short = ik.solve(
        random_pose(skeleton, np.random.default_rng(6)), {"end": [0.1, 0.1, 0.2]}, method="scipy", root="fixed", max_iterations=2
    )
    assert short.status == "iterations"
    assert short.iterations <= 2


@pytest.mark.parametrize("far", [1e3, 1e9])
def test_far_targets_and_targets_that_are_not_finite(far):
    skeleton = rope(4)
    result = ik.solve(rest(skeleton), {"end": [0.0, far, 0.0]}, method="scipy", root="fixed")
    assert result.status == "unreachable"
    assert np.isfinite(result.local_rotations).all()
    assert result.errors[0] == pytest.approx(far - 0.4, rel=1e-9)
    problem = ik.Problem(skeleton, {"end": ik.position()}, method="scipy")
    with pytest.raises(InputError, match="finite"):
        problem.solve(rest(skeleton), np.array([[np.inf, 0.0, 0.0]]))


def test_frames_of_a_batch_are_solved_one_by_one():
    skeleton = rope(4)
    pose = random_pose(skeleton, np.random.default_rng(7))
    problem = ik.Problem(skeleton, {"end": ik.position()}, method="scipy")
    targets = pose.root_positions + 0.2 * np.random.default_rng(8).normal(size=(3, 1, 3))
    before = pose.local_rotations.copy()
    whole = problem.solve(pose, targets)
    for frame in range(3):
        one = problem.solve(pose, targets[frame])
        assert np.array_equal(one.local_rotations, whole.local_rotations[frame])
        assert np.array_equal(one.root_positions, whole.root_positions[frame])
    assert np.array_equal(pose.local_rotations, before)
    warm = problem.solve(pose, targets[[0, 0, 0]], over_time="warm")
    assert np.all(warm.converged)
    assert quaternion.angle_between(warm.local_rotations[1], warm.local_rotations[0]).max() < 1e-9
