"""Clips solved as one: independent frames, warm paths, and over_time="smooth"."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import forward_kinematics, ik, kernels, load_motion
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik import over_time
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton

HANDS_AND_FEET = ("LeftHand", "RightHand", "LeftFoot", "RightFoot")


@pytest.fixture(scope="module")
def walk(clips) -> Motion:
    return load_motion(clips / "walk_lafan1.bvh")[:60]


def moved(motion: Motion, shift: np.ndarray, names: tuple[str, ...] = HANDS_AND_FEET) -> dict[str, ik.Goal]:
    """Position goals: the clip's own points, moved by (frames, 3)."""
    where = forward_kinematics(motion)
    return {name: ik.position(where.position(name) + shift) for name in names}


def wave(frames: int, size: float) -> np.ndarray:
    return size * np.sin(np.arange(frames)[:, None] / 7.0 + np.arange(3))


def corrections(result: ik.Result, motion: Motion) -> np.ndarray:
    """Rotation vectors of the joints' corrections, in the parent's frame, (frames, joints, 3)."""
    return quaternion.to_rotation_vector(quaternion.multiply(result.local_rotations, quaternion.inverse(motion.local_rotations)))


def bending(values: np.ndarray) -> float:
    return float(np.square(np.diff(values, n=2, axis=0)).sum())


def test_goals_that_hold_already_leave_the_clip_as_it_is(walk):
    goals = {name: ik.hold() for name in HANDS_AND_FEET}
    result = ik.solve(walk, goals, over_time="smooth")
    assert result.converged.all()
    assert_motions_close(result.motion, walk, atol=1e-6)


@pytest.mark.parametrize("smoothness", [0.0, 1e-2, 1.0])
def test_reachable_goals_that_move_smoothly_are_met(walk, smoothness):
    result = ik.solve(walk, moved(walk, wave(60, 12.0)), over_time="smooth", smoothness=smoothness)
    assert set(result.status) == {"converged"}
    assert result.errors.max() < 0.12  # centimetres, of a person
    found = forward_kinematics(result.motion)
    expected = forward_kinematics(walk).position("LeftHand") + wave(60, 12.0)
    np.testing.assert_allclose(np.linalg.norm(found.position("LeftHand") - expected, axis=1), result.error("LeftHand"), atol=1e-9)


def test_without_smoothness_frames_do_not_know_of_each_other(walk):
    goals = moved(walk, wave(60, 8.0))
    whole = ik.solve(walk, goals, over_time="smooth", smoothness=0.0).motion
    where = forward_kinematics(walk)
    for frame in (0, 31, 59):
        alone = {name: ik.position(where.position(name)[frame] + wave(60, 8.0)[frame]) for name in HANDS_AND_FEET}
        single = ik.solve(walk[frame : frame + 1], alone, over_time="smooth", smoothness=0.0).motion
        # Each stops where its own cost stops falling.
        assert_quats_close(single.local_rotations[0], whole.local_rotations[frame], atol_radians=2e-3)


def test_with_a_posture_and_little_smoothness_it_is_what_independent_frames_find(walk):
    goals = moved(walk, wave(60, 8.0)) | {"stay": ik.posture(weight=0.2)}
    pull = over_time.PULL
    options = {"tolerance": 1e-9, "angle_tolerance": 1e-9}
    try:
        over_time.PULL = 1e-9
        smooth = ik.solve(walk, goals, over_time="smooth", smoothness=1e-9, **options)
    finally:
        over_time.PULL = pull
    alone = ik.solve(walk, goals, **options)
    np.testing.assert_allclose(smooth.errors, alone.errors, atol=0.02)
    assert_quats_close(smooth.local_rotations, alone.local_rotations, atol_radians=5e-3)


def test_noisy_targets_make_smoother_corrections_with_more_weight(walk):
    noise = np.random.default_rng(0).normal(size=(60, 3))
    bends, errors = [], []
    for smoothness in (1e-3, 1.0, 1e3):
        result = ik.solve(walk, moved(walk, noise, ("LeftHand",)), over_time="smooth", smoothness=smoothness)
        bends.append(bending(corrections(result, walk)) + bending(result.root_positions - walk.root_positions))
        errors.append(result.errors.mean())
    assert bends[0] > 3.0 * bends[1] > 9.0 * bends[2]
    assert errors[0] < errors[1] < errors[2]


def test_it_is_smoother_than_independent_frames(walk):
    noise = np.random.default_rng(1).normal(size=(60, 3))
    goals = moved(walk, noise, ("LeftHand", "RightFoot"))
    alone, smooth = ik.solve(walk, goals), ik.solve(walk, goals, over_time="smooth", smoothness=10.0)
    assert bending(corrections(smooth, walk)) < 0.2 * bending(corrections(alone, walk))


def test_a_lively_clip_is_not_smoothed_away():
    skeleton = human_skeleton()
    lively = random_motion(skeleton, 3, num_frames=30)  # frames without relation
    lively = lively.with_root_positions(np.zeros((30, 3)))
    goals = {"LeftHand": ik.hold()}
    result = ik.solve(lively, goals, over_time="smooth", smoothness=100.0)
    assert_motions_close(result.motion, lively, atol=1e-6)


def test_the_gradient_vanishes_at_the_answer(walk):
    """An independent check of what is minimised: no small change of the corrections lowers the documented cost."""
    goals = moved(walk[:12], wave(12, 6.0), ("LeftHand", "RightHand"))
    smoothness, problem = 3.0, ik.Problem(walk.skeleton, goals)
    small = over_time.SMALL
    try:
        over_time.SMALL = 1e-13
        result = problem.solve(walk[:12], over_time="smooth", smoothness=smoothness)
    finally:
        over_time.SMALL = small
    unit = 0.25 * problem.tables.reach
    move = np.sqrt(problem.tables.tree["mobility"][-1]) / unit
    tree = problem.tables.tree["joint"][:-1]
    targets = np.stack([goal.point for goal in goals.values()], axis=1)

    def cost(turns: np.ndarray, shifts: np.ndarray) -> float:
        rotations = np.array(walk.local_rotations[:12])
        rotations[:, tree] = quaternion.multiply(quaternion.from_rotation_vector(turns), rotations[:, tree])
        motion = Motion(walk.skeleton, walk.root_positions[:12] + shifts, rotations, walk.frame_time)
        where = forward_kinematics(motion)
        gaps = np.stack([where.position(name) for name in goals], axis=1) - targets
        total = np.square(gaps).sum()
        for values in (unit * turns, shifts / move):
            total += over_time.PULL * np.square(values).sum() + smoothness * bending(values)
        return 0.5 * float(total)

    turns = corrections(result, walk[:12])[:, tree]
    shifts = result.root_positions - walk.root_positions[:12]
    least, step = cost(turns, shifts), 1e-4
    rng = np.random.default_rng(0)
    for _ in range(10):
        way, shift = rng.normal(size=turns.shape), move * unit * rng.normal(size=shifts.shape)
        way[:, problem.tables.tree["mobility"][:-1] == 0.0] = 0.0
        slope = (cost(turns + step * way, shifts + step * shift) - cost(turns - step * way, shifts - step * shift)) / (2 * step)
        curvature = (
            cost(turns + step * way, shifts + step * shift) + cost(turns - step * way, shifts - step * shift) - 2 * least
        ) / step**2
        assert slope**2 / (2.0 * curvature) < 1e-6 * least  # what could be gained along this way


def test_the_banded_solver_solves_the_dense_system():
    rng = np.random.default_rng(0)
    frames, joints, tasks, bend = 9, 4, 2, 3.0
    slots = np.array([(joint, task) for task in range(tasks) for joint in range(joints) if joint != task])
    columns = np.array([0, 3, 6, -1])  # the last one does not move
    slots = slots[slots[:, 0] < 3]
    blocks, diagonal = rng.normal(size=(frames, len(slots), 3, 3)), rng.uniform(0.1, 1.0, size=(frames, joints))
    gradient, step = rng.normal(size=(frames, joints, 3)), np.empty((frames, joints, 3))
    second = np.diff(np.eye(frames), n=2, axis=0)
    matrix = bend * np.kron(second.T @ second, np.eye(9)) + np.diag(np.repeat(diagonal[:, :3], 3))
    for frame in range(frames):
        rows = np.zeros((3 * tasks, 9))
        for block, (joint, task) in zip(blocks[frame], slots, strict=True):
            rows[3 * task : 3 * task + 3, 3 * joint : 3 * joint + 3] += block
        matrix[9 * frame : 9 * frame + 9, 9 * frame : 9 * frame + 9] += rows.T @ rows
    expected = np.linalg.solve(matrix, gradient[:, :3].ravel()).reshape(frames, 3, 3)
    none = np.empty((0, joints, 3, 3))
    kernels.over_time_linear.solve(blocks, slots, columns, tasks, diagonal, bend, none, gradient, 0, 0, step)
    np.testing.assert_allclose(step[:, :3], expected, atol=1e-12)
    assert not step[:, 3].any()
    # A window of the clip, the frames around it held.
    inner = matrix[18:63, 18:63]
    expected = np.linalg.solve(inner, gradient[2:7, :3].ravel()).reshape(5, 3, 3)
    part = np.empty((5, joints, 3))
    kernels.over_time_linear.solve(blocks[2:7], slots, columns, tasks, diagonal[2:7], bend, none, gradient[2:7], 2, 2, part)
    np.testing.assert_allclose(part[:, :3], expected, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_short_clips(walk, count):
    result = ik.solve(walk[:count], moved(walk[:count], wave(count, 5.0)), over_time="smooth")
    assert result.converged.all()
    assert result.motion.num_frames == count


def test_no_frames(walk):
    result = ik.solve(walk[:0], {"LeftHand": [0.0, 100.0, 0.0]}, over_time="smooth")
    assert result.motion.num_frames == 0
    assert result.errors.shape == (0, 1)


def test_one_pose_and_a_path_of_targets():
    pose = random_motion(human_skeleton(), 0, num_frames=1, smooth=True)[0]
    path = forward_kinematics(pose).position("LeftHand") + 0.1 * wave(40, 1.0)
    problem = ik.Problem(pose.skeleton, {"LeftHand": ik.position()})
    result = problem.solve(pose, {"LeftHand": path}, over_time="smooth", smoothness=0.1)
    assert result.converged.all()
    assert result.local_rotations.shape == (40, pose.skeleton.num_joints, 4)


def test_a_long_clip_in_windows_is_what_one_window_gives(walk, monkeypatch):
    back_and_forth = walk[np.concatenate([np.arange(60), np.arange(60)[::-1]] * 5)]
    goals = moved(back_and_forth, wave(600, 8.0), ("LeftHand", "RightFoot"))
    windows = ik.solve(back_and_forth, goals, over_time="smooth")
    monkeypatch.setattr(over_time, "WINDOW", 10**6)
    whole = ik.solve(back_and_forth, goals, over_time="smooth")
    assert windows.converged.all()
    assert_motions_close(windows.motion, whole.motion, atol=1e-4)


@given(frames=st.integers(1, 3000), overlap=st.integers(2, 700))
@settings(max_examples=50)
def test_windows_cover_each_frame_once(frames, overlap):
    total = np.zeros(frames)
    for start, stop, share in over_time._windows(frames, overlap):
        assert 0 <= start < stop <= frames
        assert share.min() >= 0.0
        total[start:stop] += share
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_one_thread_and_two_give_the_same(walk, monkeypatch):
    back_and_forth = walk[np.concatenate([np.arange(60), np.arange(60)[::-1]] * 5)]
    goals = moved(back_and_forth, wave(600, 8.0), ("LeftHand",))
    for way in ("independent", "smooth"):
        answers = []
        for cores in ({0}, {0, 1}):
            monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: cores, raising=False)
            answers.append(ik.solve(back_and_forth, goals, over_time=way))
        np.testing.assert_array_equal(answers[0].local_rotations, answers[1].local_rotations)
        np.testing.assert_array_equal(answers[0].root_positions, answers[1].root_positions)
        np.testing.assert_array_equal(answers[0].errors, answers[1].errors)


def test_independent_frames_are_single_poses(walk):
    goals = moved(walk, wave(60, 8.0))
    problem = ik.Problem(walk.skeleton, dict.fromkeys(goals, ik.position()))
    targets = np.stack([goal.point for goal in goals.values()], axis=1)
    whole = problem.solve(walk, targets)
    for frame in range(0, 60, 7):
        single = problem.solve(walk[frame], targets[frame])
        np.testing.assert_array_equal(single.local_rotations, whole.local_rotations[frame])
        np.testing.assert_array_equal(single.errors, whole.errors[frame])


def test_a_warm_clip_is_warm_poses(walk):
    """Each frame starts from its own pose, turned by what the frame before was turned."""
    goals = moved(walk, wave(60, 8.0))
    problem = ik.Problem(walk.skeleton, dict.fromkeys(goals, ik.position()))
    targets = np.stack([goal.point for goal in goals.values()], axis=1)
    whole = problem.solve(walk, targets, over_time="warm")
    moving = [joint for joint in problem.tables.tree["joint"][:-1] if joint >= 0]
    for frame in (1, 20, 59):
        start = np.array(walk.local_rotations[frame])
        change = quaternion.multiply(quaternion.inverse(walk.local_rotations[frame - 1]), whole.local_rotations[frame - 1])
        start[moving] = quaternion.multiply(start, change)[moving]
        root = walk.root_positions[frame] + whole.root_positions[frame - 1] - walk.root_positions[frame - 1]
        pose = walk[frame].with_local_rotations(start).with_root_positions(root)
        single = problem.solve(walk[frame], targets[frame], start=pose)
        assert_quats_close(single.local_rotations, whole.local_rotations[frame], atol_radians=1e-6)


def test_a_start_is_used(walk):
    goals = moved(walk, wave(60, 20.0))
    first = ik.solve(walk, goals, over_time="smooth")
    again = ik.solve(walk, goals, over_time="smooth", start=first.motion)
    assert again.iterations[0] < first.iterations[0]
    assert_quats_close(again.local_rotations, first.local_rotations, atol_radians=2e-2)


def test_planted_feet_stay_while_the_body_moves(walk):
    """The root is dragged about, the feet are held where the clip has them."""
    dragged = walk.with_root_positions(walk.root_positions + wave(60, 4.0))
    where = forward_kinematics(walk)
    goals = {name: ik.position(where.position(name)) for name in ("LeftFoot", "RightFoot", "LeftToe", "RightToe")}
    result = ik.solve(dragged, goals, over_time="smooth")
    assert result.converged.all()


@pytest.mark.parametrize("root", ["free", "fixed", "translation", "heading"])
def test_root_modes(walk, root):
    result = ik.solve(walk, moved(walk, wave(60, 4.0), ("LeftHand",)), over_time="smooth", root=root)
    assert result.converged.all()
    turned = quaternion.multiply(result.local_rotations[:, 0], quaternion.inverse(walk.local_rotations[:, 0]))
    if root == "fixed":
        np.testing.assert_array_equal(result.root_positions, walk.root_positions)
    if root == "translation":
        np.testing.assert_array_equal(result.local_rotations[:, 0], walk.local_rotations[:, 0])
    if root == "heading":
        assert np.abs(turned[:, [1, 3]]).max() < 1e-9
        assert np.abs(turned[:, 2]).max() > 1e-6


def test_the_fixed_point_stays_exactly(walk):
    result = ik.solve(walk, moved(walk, wave(60, 6.0), ("RightHand",)), over_time="smooth", fixed=["LeftToe"])
    assert result.converged.all()
    there, here = forward_kinematics(result.motion).position("LeftToe"), forward_kinematics(walk).position("LeftToe")
    np.testing.assert_allclose(there, here, atol=1e-9)


def test_limits_hold_in_every_frame(walk):
    limits = ik.limits_from_motion(walk[:20])
    result = ik.solve(walk, moved(walk, wave(60, 25.0)), over_time="smooth", limits=limits)
    for name, limit in limits.items():
        kind, values = limit.packed()
        for rotation in result.motion[name]:
            assert kernels.limits.violation(kind, values, np.array(rotation)) < 1e-6
    assert "limited" in result.status or result.converged.all()


def test_hinges_turn_about_their_axes_alone():
    skeleton = human_skeleton()
    motion = Motion(skeleton, np.zeros((10, 3)), np.tile([1.0, 0.0, 0.0, 0.0], (10, skeleton.num_joints, 1)), 1 / 30)
    limits = {
        "LeftLeg": ik.Hinge(np.array([1.0, 0.0, 0.0]), 0.0, 2.5),
        "LeftForeArm": ik.Hinge(np.array([0.0, 1.0, 0.0]), -2.5, 2.5),
    }
    where = forward_kinematics(motion)
    goals = {
        "LeftFoot": ik.position(where.position("LeftFoot") + [0.0, 0.25, 0.0]),
        "LeftHand": ik.position(where.position("LeftHand") + [-0.1, 0.0, 0.1]),
    }
    result = ik.solve(motion, goals, over_time="smooth", limits=limits, root="fixed")
    assert result.errors.max() < 2e-3
    knee = result.motion["LeftLeg"]
    assert np.abs(knee[:, 2:]).max() < 1e-9
    assert np.abs(knee[:, 1]).min() > 0.1


def test_locked_joints_and_joints_that_move_no_goal_stay(walk):
    result = ik.solve(walk, moved(walk, wave(60, 6.0), ("LeftHand",)), over_time="smooth", stiffness={"LeftArm": math.inf})
    for name in ("LeftArm", "RightLeg", "Head", "LeftHand"):
        np.testing.assert_allclose(result.motion[name], walk[name], atol=1e-15)


def test_other_goals(walk):
    where = forward_kinematics(walk)
    turn = quaternion.from_rotation_vector(0.2 * wave(60, 1.0))
    goals = {
        "Head": ik.look_at(where.position("Head") + [50.0, 0.0, 100.0], axis=[0.0, 0.0, 1.0]),
        "LeftHand": ik.transform(
            where.position("LeftHand") + wave(60, 5.0), quaternion.multiply(turn, where.rotation("LeftHand"))
        ),
        "RightForeArm": ik.pole(where.position("RightForeArm") + [0.0, -30.0, -30.0]),
        "balance": ik.center_of_mass(axes="xz", target=where.position("Hips")),
        "RightFoot": ik.hold(orientation=True),
    }
    result = ik.solve(walk, goals, over_time="smooth", smoothness=0.01)
    assert np.isfinite(result.errors).all()
    lengths = 0.01 * walk.root_positions[0, 1]
    for name, error in zip(result.goals, result.errors.T, strict=True):
        assert error.max() < (lengths if "position" in name or "mass" in name else 0.03), name


def test_unreachable_goals_are_said(walk):
    result = ik.solve(walk, {"LeftHand": walk.root_positions[0] + [0.0, 900.0, 0.0]}, over_time="smooth", root="fixed")
    assert set(result.status) == {"unreachable"}
    assert np.isfinite(result.local_rotations).all()
    alone = ik.solve(walk, {"LeftHand": walk.root_positions[0] + [0.0, 900.0, 0.0]}, root="fixed")
    assert (result.errors - alone.errors).max() < 0.01 * alone.errors.min()


def test_iterations_run_out(walk):
    result = ik.solve(walk, moved(walk, wave(60, 40.0)), over_time="smooth", max_iterations=1)
    assert "iterations" in result.status
    assert result.iterations.max() == 1


@given(seed=st.integers(0, 30))
@settings(max_examples=8)
def test_random_skeletons(seed):
    skeleton = random_skeleton(seed)
    motion = random_motion(skeleton, seed, num_frames=15, smooth=True)
    there = random_motion(skeleton, seed + 1, num_frames=15, smooth=True)
    names = ("joint11_end",) if "joint11_end" in skeleton.end_site_names else ("joint11", "joint6")
    goals = {name: ik.position(forward_kinematics(there).position(name)) for name in names}
    result = ik.solve(motion, goals, over_time="smooth", smoothness=1e-3)
    assert np.isfinite(result.errors).all()
    np.testing.assert_allclose(np.linalg.norm(result.local_rotations, axis=-1), 1.0, atol=1e-12)
    free = ik.solve(motion, goals)
    assert result.errors.mean() <= free.errors.mean() + 0.05


def test_clips_whose_bones_stretch():
    motion = random_motion(human_skeleton(), 4, num_frames=12, smooth=True, stretch=True)
    goals = moved(motion, wave(12, 0.05), ("LeftHand",))
    result = ik.solve(motion, goals, over_time="smooth", smoothness=0.1)
    assert result.converged.all()
    where = forward_kinematics(result.motion).position("LeftHand")
    np.testing.assert_allclose(np.linalg.norm(where - goals["LeftHand"].point, axis=1), result.error("LeftHand"), atol=1e-9)


def test_arguments_are_left_alone(walk):
    problem = ik.Problem(walk.skeleton, {"LeftHand": ik.position()})
    targets = np.array(forward_kinematics(walk).position("LeftHand") + 3.0)[:, None]
    given, rotations = targets.copy(), walk.local_rotations.copy()
    problem.solve(walk, targets, over_time="smooth")
    np.testing.assert_array_equal(targets, given)
    np.testing.assert_array_equal(walk.local_rotations, rotations)


def test_what_cannot_be_is_refused(walk):
    goals = {"LeftHand": [0.0, 100.0, 0.0]}
    with pytest.raises(InputError, match="levenberg_marquardt"):
        ik.solve(walk, goals, over_time="smooth", method="fabrik")
    with pytest.raises(InputError, match="priorities"):
        ik.solve(walk, goals | {"RightHand": ik.position([0.0, 90.0, 0.0], priority=1)}, over_time="smooth")
    with pytest.raises(InputError, match="priorities"):
        ik.solve(walk, goals, over_time="smooth", fixed=["LeftToe", "RightToe"])
    with pytest.raises(InputError, match="smoothness"):
        ik.solve(walk, goals, over_time="smooth", smoothness=-1.0)
    with pytest.raises(InputError, match="finite"):
        ik.Problem(walk.skeleton, {"LeftHand": ik.position()}).solve(walk, np.full((60, 1, 3), np.nan), over_time="smooth")


@pytest.mark.usefixtures("unchecked_shapes")
def test_an_unknown_way_over_time(walk):
    with pytest.raises(UnknownNameError, match="smooth"):
        ik.solve(walk, {"LeftHand": [0.0, 100.0, 0.0]}, over_time="smoooth")  # type: ignore[arg-type]
