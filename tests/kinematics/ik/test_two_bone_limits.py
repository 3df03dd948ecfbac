"""Two bones: reach, softness, limits, batches, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ik_limbs import BENT, LOWER, UPPER, chain, random_pose, rest, solve, where

from kinematics import InputError, forward_kinematics, ik
from kinematics.ik.limits import limit_violations
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton


def test_softening_leaves_an_error_of_at_most_the_tolerance_and_none_before():
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    reach = UPPER + LOWER
    tolerance = 1e-3 * reach
    soft = np.e * tolerance
    for far in np.linspace(0.95 * reach, reach, 41):
        result = solve(rest(skeleton), {"end": [far, 0.0, 0.0]})
        assert result.status == "converged"
        if far <= reach - soft:
            assert result.errors[0] < 1e-12
        else:
            expected = far - (reach - soft * np.exp((reach - soft - far) / soft))
            assert result.errors[0] == pytest.approx(expected, abs=1e-12)
    assert result.errors[0] == pytest.approx(soft / np.e, rel=1e-9)
    exact = solve(rest(skeleton), {"end": [0.9999 * reach, 0.0, 0.0]}, tolerance=1e-9)
    assert exact.errors[0] < 1e-9


@pytest.mark.parametrize("beyond", [1e-3, 0.1, 1.0, 50.0, 1e9])
def test_out_of_reach_is_said_and_stretched_towards_the_target(beyond):
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    reach, direction = UPPER + LOWER, np.array([2.0, -1.0, 2.0]) / 3.0
    result = solve(rest(skeleton), {"end": (reach + beyond) * direction}, tolerance=1e-4)
    assert result.status == "unreachable"
    assert beyond * (1.0 - 1e-12) <= result.errors[0] <= beyond * (1.0 + 1e-15) + 1e-3 * reach
    end = where(result.pose, "end")
    np.testing.assert_allclose(end / np.linalg.norm(end), direction, atol=1e-9)


def test_too_near_is_out_of_reach_as_well():
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    result = solve(rest(skeleton), {"end": [0.2, 0.1, 0.0]})
    assert result.status == "unreachable"
    assert result.errors[0] == pytest.approx(LOWER - UPPER - np.hypot(0.2, 0.1), abs=1e-9)
    same = chain([UPPER, 0.0, 0.0], [0.0, UPPER, 0.0])
    folded = solve(rest(same), {"end": [0.0, 0.0, 0.0]})
    assert folded.status == "converged"
    assert folded.errors[0] < 1e-9


def test_the_elbow_does_not_pop_along_a_path_that_overreaches_half_of_the_time():
    pose = random_pose(human_skeleton(), np.random.default_rng(10), 0.2)
    frames = 240
    far = 0.581 * (1.0 + 0.3 * np.sin(np.linspace(0.0, 8.0 * np.pi, frames)))  # arm: 0.332 of 1.75 m
    target = where(pose, "LeftArm") + far[:, None] * np.array([0.6, 0.0, 0.8])
    problem = ik.Problem(pose.skeleton, {"LeftHand": ik.position()}, method="two_bone")
    result = problem.solve(pose, target[:, None])
    where_all = forward_kinematics(result.motion).global_positions
    shaking = np.linalg.norm(np.diff(where_all, 2, axis=0), axis=-1).max(axis=1)
    assert shaking.mean() <= 0.01
    assert 0.3 < np.mean(result.status == "unreachable") < 0.6
    assert not np.isnan(result.errors).any()


def test_a_forearm_without_length_is_a_point_on_the_elbow_and_no_nan():
    skeleton = chain([2.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    pose = rest(skeleton)
    lengths = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    moving = Pose(skeleton, pose.root_positions, pose.local_rotations, lengths)
    problem = ik.Problem(skeleton, {"b": ik.position(offset=[0.0, 0.0, 1.0])}, method="two_bone")
    assert problem.solve(moving, np.array([[1.0, 1.0, 1.0]])).errors[0] < 1e-12
    human = human_skeleton()
    offsets = np.zeros((human.num_joints, 3))
    for stretch in (0.0, 1.0):
        offsets[:] = human.offsets
        offsets[human.joint_index("LeftHand")] *= 0.0
        offsets[human.joint_index("LeftForeArm")] *= stretch
        short = Pose(human, np.zeros(3), rest(human).local_rotations, offsets)
        target = where(short, "LeftArm") + [0.1, 0.2, 0.1]
        result = ik.Problem(human, {"LeftHand": ik.position(), "LeftForeArm": ik.pole()}, method="two_bone").solve(
            short, {"LeftHand": target, "LeftForeArm": np.ones(3)}
        )
        far = np.linalg.norm(offsets[human.joint_index("LeftForeArm")])
        assert np.isfinite(result.local_rotations).all()
        assert np.isfinite(result.errors).all()
        assert result.status == "unreachable"
        assert result.error("LeftHand") == pytest.approx(abs(np.linalg.norm([0.1, 0.2, 0.1]) - far), abs=1e-9)


def test_a_zero_length_forearm_of_the_skeleton_takes_the_bone_above():
    skeleton = chain([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0])
    result = solve(rest(skeleton), {"end": [0.5, 0.5, 0.5]})
    assert result.errors[0] < 1e-12
    assert np.array_equal(result.pose["c"], quaternion.IDENTITY)


def test_a_hinge_is_kept_and_reached_exactly_where_it_allows():
    skeleton = chain([UPPER, 0.0, 0.0], [0.4, LOWER, 0.7])  # the lower bone is not across the hinge's axis
    hinge = {"b": ik.Hinge(np.array([0.0, 0.0, 1.0]), -2.0, 0.5)}
    rng = np.random.default_rng(11)
    for _ in range(30):
        target = rng.normal(size=3)
        target *= rng.uniform(4.1, 6.9) / np.linalg.norm(target)
        result = solve(rest(skeleton), {"end": target}, limits=hinge)
        assert limit_violations(result.pose, hinge).max() <= 1e-9
        assert result.status == "converged"
        assert result.errors[0] < 1e-9


def test_a_limit_that_binds_is_said_and_never_exceeded():
    skeleton = chain([UPPER, 0.0, 0.0], [0.0, LOWER, 0.0])
    limits = {"b": ik.Hinge(np.array([0.0, 0.0, 1.0]), -0.2, 0.2)}
    result = solve(rest(skeleton), {"end": [2.0, 0.0, 0.0]}, limits=limits)
    assert result.status == "limited"
    closest = np.sqrt(UPPER**2 + LOWER**2 - 2 * UPPER * LOWER * np.cos(np.pi / 2 - 0.2))
    assert result.errors[0] == pytest.approx(closest - 2.0, abs=1e-9)
    for limits in (
        {"a": ik.Cone(np.array([1.0, 0.0, 0.0]), 0.3)},
        {
            "a": ik.EulerBox("ZXY", -0.2 * np.ones(3), 0.2 * np.ones(3)),
            "b": ik.SwingTwist(np.array([0.0, 1.0, 0.0]), 0.3, (-0.1, 0.1)),
        },
    ):
        result = solve(rest(skeleton), {"end": [-2.0, 3.0, 1.0]}, limits=limits)
        assert result.status == "limited"
        assert limit_violations(result.pose, limits).max() <= 1e-9
        assert result.errors[0] == pytest.approx(np.linalg.norm(where(result.pose, "end") - [-2.0, 3.0, 1.0]), abs=1e-12)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_one_sided_knee_bends_to_its_own_side(side):
    skeleton = chain([0.0, -UPPER, 0.0], [0.0, -LOWER, 0.0])
    lower, upper = (0.0, 2.5) if side > 0.0 else (-2.5, 0.0)
    hinge = {"b": ik.Hinge(np.array([1.0, 0.0, 0.0]), lower, upper)}
    box = {"b": ik.EulerBox("XYZ", np.array([lower - 0.1, -0.1, -0.1]), np.array([upper + 0.1, 0.1, 0.1]))}
    wrong_way = np.array(rest(skeleton).local_rotations)
    wrong_way[1] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), -0.05 * side)
    for limits, pose in ((hinge, rest(skeleton)), (box, rest(skeleton).with_local_rotations(wrong_way))):
        result = solve(pose, {"end": [0.0, -5.0, 0.0]}, limits=limits)
        assert result.status == "converged"
        assert result.errors[0] < 1e-9
        assert where(result.pose, "b")[2] * side > 1.0


def test_human_limits_hold_on_random_targets():
    body = human_skeleton()
    limits = ik.human_limits(body)
    rng = np.random.default_rng(12)
    targets = rng.normal(size=(100, 2, 3)) * 0.6 + [0.0, 0.9, 0.2]
    problem = ik.Problem(body, {"LeftHand": ik.position(), "RightFoot": ik.position()}, method="two_bone", limits=limits)
    result = problem.solve(rest(body, (0.0, 0.93, 0.0)), targets)
    assert limit_violations(result.motion, limits).max() <= 1e-6
    assert np.isfinite(result.errors).all()
    assert set(result.status) <= {"converged", "limited", "unreachable"}


def test_a_clip_is_the_loop_over_its_frames_bit_for_bit():
    body = human_skeleton()
    clip = random_motion(body, 13, num_frames=150, smooth=True)
    rng = np.random.default_rng(14)
    points, poles = rng.normal(size=(2, 150, 3)) * 0.5
    turns = quaternion.normalize(rng.normal(size=(150, 4)))
    goals = {"LeftHand": ik.transform(), "LeftForeArm": ik.pole(), "RightFoot": ik.hold()}
    problem = ik.Problem(body, goals, method="two_bone")
    whole = problem.solve(clip, {"LeftHand": (points, turns), "LeftForeArm": poles})
    for frame in (0, 1, 77, 149):
        one = problem.solve(clip[frame], {"LeftHand": (points[frame], turns[frame]), "LeftForeArm": poles[frame]})
        assert np.array_equal(one.local_rotations, whole.local_rotations[frame])
        assert np.array_equal(one.errors, whole.errors[frame])


def test_warm_starts_follow_a_path_and_reach_as_well():
    body = human_skeleton()
    pose = random_pose(body, np.random.default_rng(17))
    angles = np.linspace(0.0, 4.0 * np.pi, 200)
    circle = np.stack([np.cos(angles), np.sin(angles), 0.3 * np.sin(3.0 * angles)], axis=1)
    targets = where(pose, "LeftArm") + 0.4 * circle
    problem = ik.Problem(body, {"LeftHand": ik.position()}, method="two_bone")
    warm = problem.solve(pose, targets[:, None], over_time="warm")
    assert warm.errors.max() < 1e-9
    steps = quaternion.angle_between(warm.local_rotations[1:], warm.local_rotations[:-1]).max()
    assert steps < 0.3  # a frame's own start is turned round near the opposite of where it points
    assert np.array_equal(warm.local_rotations[0], problem.solve(pose, targets[0][None]).local_rotations)


def test_several_threads_and_one_give_the_same():
    body = human_skeleton()
    pose = random_pose(body, np.random.default_rng(15))
    problem = ik.Problem(body, {"LeftHand": ik.position(), "LeftForeArm": ik.pole()}, method="two_bone")
    targets = np.random.default_rng(16).normal(size=(400, 2, 3))
    whole = problem.solve(pose, targets)
    for frame in range(0, 400, 37):
        one = problem.solve(pose, targets[frame])
        assert np.array_equal(one.local_rotations, whole.local_rotations[frame])
        assert np.array_equal(one.errors, whole.errors[frame])
        assert one.status == whole.status[frame]


REFUSED = {
    "one bone": (chain([1.0, 0.0, 0.0]), {"end": [0.0, 1.0, 0.0]}, {}, "needs two bones"),
    "the root": (chain([1.0, 0.0, 0.0]), {"a": [0.0, 1.0, 0.0]}, {}, "goal of the root"),
    "locked": (BENT, {"end": [0.0, 1.0, 0.0]}, {"stiffness": {"b": np.inf}}, "needs two bones"),
    "a root that may not turn": (BENT, {"end": [0.0, 1.0, 0.0]}, {"root": "heading"}, "needs two bones"),
    "look_at": (BENT, {"b": ik.look_at([0.0, 1.0, 0.0])}, {}, "no ik.look_at"),
    "posture": (BENT, {"end": [0.0, 1.0, 0.0], "any": ik.posture()}, {}, "no ik.posture"),
    "axes": (BENT, {"end": ik.position([0.0, 1.0, 0.0], axes="xy")}, {}, "axes='xy' alone"),
    "fixed": (BENT, {"end": [0.0, 1.0, 0.0]}, {"fixed": ["b"]}, "the root and nothing else"),
    "two fixed": (BENT, {"end": [0.0, 1.0, 0.0]}, {"fixed": ["a", "b"]}, "the root and nothing else"),
    "centre of mass": (human_skeleton(), {"all": ik.center_of_mass([0.0, 1.0, 0.0])}, {}, "no ik.center_of_mass"),
    "one limb": (human_skeleton(), {"LeftFoot": [0.0, 0.0, 0.0], "LeftToe": [0.0, 0.0, 0.0]}, {}, "share 'LeftUpLeg'"),
    "priorities": (
        human_skeleton(), {"LeftFoot": [0.0, 0.0, 0.0], "RightFoot": ik.position([0.0, 0.0, 0.0], priority=1)}, {}, "priorities",
    ),
    "a pole without a limb": (human_skeleton(), {"LeftForeArm": ik.pole([0.0, 0.0, 1.0])}, {}, "middle joint of a limb"),
    "a lone orientation": (human_skeleton(), {"Head": ik.orientation([1.0, 0.0, 0.0, 0.0])}, {}, "below the middle"),
    "the elbow's orientation": (
        human_skeleton(), {"LeftHand": [0.0, 0.0, 0.0], "LeftForeArm": ik.orientation([1.0, 0.0, 0.0, 0.0])}, {}, "below the middle",
    ),
    "two orientations": (
        human_skeleton(),
        {"LeftToe": ik.transform([0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]), "LeftFoot": ik.orientation([1.0, 0.0, 0.0, 0.0])},
        {}, "second one",
    ),
    "a locked hand": (
        human_skeleton(), {"LeftHand": ik.transform([0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])}, {"stiffness": {"LeftHand": np.inf}}, "locked",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("skeleton", "goals", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_two_bones_cannot_do_is_said_when_the_problem_is_made(skeleton, goals, options, message):
    with pytest.raises(InputError, match=message):
        ik.Problem(skeleton, goals, method="two_bone", **options)


def test_a_start_outside_limits_that_do_not_matter_is_not_limited():
    skeleton = chain([0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0])
    pose = rest(skeleton)
    turns = np.array(pose.local_rotations)
    turns[0] = quaternion.from_rotation_vector(np.array([0.5, 0.0, 0.0]))
    limits = {skeleton.joint_names[0]: ik.Hinge(np.array([0.0, 0.0, 1.0]), -3.0, 3.0)}
    goals = {"end": [50.0, 1.0, 1.0]}
    assert ik.solve(pose.with_local_rotations(turns), goals, method="two_bone", limits=limits).status == "unreachable"


def test_targets_that_are_not_finite_are_refused():
    problem = ik.Problem(BENT, {"end": ik.position()}, method="two_bone")
    with pytest.raises(InputError, match="finite"):
        problem.solve(rest(BENT), np.array([[np.nan, 0.0, 0.0]]))


@pytest.mark.parametrize("options", [{}, {"root": "fixed"}, {"root": "heading"}, {"root": "translation"}, {"fixed": ["Hips"]}])
def test_the_root_stays_whatever_it_may_do(options):
    body = human_skeleton()
    pose = random_pose(body, np.random.default_rng(18))
    result = solve(pose, {"LeftHand": where(pose, "LeftArm") + [0.1, 0.1, 0.2]}, **options)
    assert result.status == "converged"
    np.testing.assert_allclose(result.root_positions, pose.root_positions, atol=1e-12)
    assert np.array_equal(result.local_rotations[0], pose.local_rotations[0])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_skeletons_are_solved_or_refused(seed):
    skeleton = random_skeleton(seed, num_joints=8)
    pose = random_motion(skeleton, seed, num_frames=2)[1]
    rng = np.random.default_rng(seed)
    names = skeleton.joint_names + skeleton.end_site_names
    name = names[rng.integers(len(names))]
    try:
        problem = ik.Problem(skeleton, {name: rng.normal(size=3)}, method="two_bone")
    except InputError as error:
        assert "root" in str(error) or "two bones" in str(error)
        return
    result = problem.solve(pose)
    target = problem.goals[0][1].point
    assert result.errors[0] == pytest.approx(np.linalg.norm(where(result.pose, name) - target), abs=1e-12)
    best = ik.solve(pose, {name: target}, method="scipy", root="fixed", tolerance=problem.tolerance)
    assert result.errors[0] >= best.errors[0] - 2.0 * problem.tolerance
    assert (result.status == "converged") == (result.errors[0] <= problem.tolerance)
