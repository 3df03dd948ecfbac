from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from kinematics import InputError, Motion, Pose, Skeleton, forward_kinematics, load_motion, save_motion
from kinematics.ik.fit_rotations import fit_rotations
from kinematics.rotations import quaternion
from kinematics.testing import assert_quats_close, human_skeleton, random_motion, random_skeleton

CENTIMETRE = 0.01
TURNS = ("turn_cmu.bvh", "turn_lafan1.bvh", "turn_mixamo.bvh")


def positions_of(motion: Motion) -> np.ndarray:
    return np.array(forward_kinematics(motion).global_positions)


def ends_of(motion: Motion) -> np.ndarray:
    return np.array(forward_kinematics(motion).end_site_positions)


def metres(motion: Motion) -> float:
    height = np.ptp(positions_of(motion)[0, :, 1])
    return 1.0 if height < 3 else 100.0


def largest_change(motion: Motion) -> float:
    return float(quaternion.angle_between(motion.local_rotations[1:], motion.local_rotations[:-1]).max())


def turning(joint: str, axis: tuple[float, float, float], angles: np.ndarray) -> Motion:
    skeleton = human_skeleton()
    local = np.tile(quaternion.IDENTITY, (len(angles), skeleton.num_joints, 1))
    local[:, skeleton.joint_index(joint)] = quaternion.from_axis_angle(np.array(axis), angles)
    return Motion(skeleton, np.zeros((len(angles), 3)), local, 1 / 30)


def check_noisy_fit(truth: Motion, seed: int) -> None:
    unit = metres(truth)
    where = positions_of(truth)
    noisy = where + np.random.default_rng(seed).normal(size=where.shape) * CENTIMETRE * unit
    fitted = fit_rotations(truth.skeleton, noisy, frame_time=truth.frame_time)
    distance = np.linalg.norm(positions_of(fitted) - where, axis=-1).mean() / unit
    assert distance < 0.8 * CENTIMETRE  # asked for are 1.6; the noise itself is 1.6 away
    assert largest_change(fitted) < 1.5 * largest_change(truth)  # asked for are 3


@pytest.mark.parametrize("action", ["turn", "jump", "squat", "wave"])
@pytest.mark.parametrize("convention", ["cmu", "lafan1", "mixamo"])
def test_clips_of_three_conventions_are_met_exactly(clips, action, convention):
    truth = load_motion(clips / f"{action}_{convention}.bvh")
    where, ends = positions_of(truth), ends_of(truth)
    fitted = fit_rotations(truth.skeleton, where)
    np.testing.assert_allclose(positions_of(fitted), where, rtol=0, atol=1e-9)
    assert largest_change(fitted) < 1.5 * largest_change(truth)
    assert not fitted.source.notes
    fitted = fit_rotations(truth.skeleton, where, end_site_positions=ends)
    np.testing.assert_allclose(positions_of(fitted), where, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ends_of(fitted), ends, rtol=0, atol=1e-9)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), joints=st.integers(1, 20), smooth=st.booleans())
def test_random_trees_are_met_exactly(seed, joints, smooth):
    skeleton = random_skeleton(seed, num_joints=joints)
    truth = random_motion(skeleton, seed, num_frames=4, smooth=smooth)
    where, ends = positions_of(truth), ends_of(truth)
    np.testing.assert_allclose(positions_of(fit_rotations(skeleton, where)), where, rtol=0, atol=1e-9)
    fitted = fit_rotations(skeleton, where, end_site_positions=ends)
    np.testing.assert_allclose(positions_of(fitted), where, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ends_of(fitted), ends, rtol=0, atol=1e-9)


def test_a_joint_with_bones_that_spread_has_its_own_rotation_back():
    skeleton = human_skeleton()
    truth = random_motion(skeleton, 3, num_frames=5, smooth=True)
    fitted = fit_rotations(skeleton, positions_of(truth))
    assert_quats_close(fitted["Hips"], truth["Hips"])
    for name in ("LeftHand", "RightToe", "Head"):
        np.testing.assert_array_equal(fitted[name], np.tile(quaternion.IDENTITY, (5, 1)))


@pytest.mark.parametrize("name", TURNS)
def test_noise_of_a_centimetre_is_smoothed(clips, name):
    check_noisy_fit(load_motion(clips / name), seed=4)


def test_noise_on_captured_clips(shared_data):
    check_noisy_fit(load_motion(shared_data / "games105" / "walk_and_turn_left.bvh"), seed=5)


def test_noise_is_measured_and_can_be_given(clips):
    truth = load_motion(clips / "turn_lafan1.bvh")
    where = positions_of(truth)
    noisy = where + np.random.default_rng(6).normal(size=where.shape) * 2.0
    measured = fit_rotations(truth.skeleton, noisy)
    (note,) = [note.message for note in measured.source.notes if "noise" in note.message]
    assert float(note.split()[4]) == pytest.approx(2.0, rel=0.1)
    given = fit_rotations(truth.skeleton, noisy, noise=2.0)
    assert np.abs(positions_of(given) - positions_of(measured)).max() < 1.0
    followed = fit_rotations(truth.skeleton, noisy, noise=0.0)
    assert not any("noise" in note.message for note in followed.source.notes)
    near, far = (np.linalg.norm(positions_of(fit) - noisy, axis=-1).mean() for fit in (followed, measured))
    assert near < 0.8 * far


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_short_noisy_clips(frames):
    skeleton = human_skeleton()
    where = positions_of(random_motion(skeleton, 1, num_frames=frames, smooth=True))
    noisy = where + np.random.default_rng(7).normal(size=where.shape) * CENTIMETRE
    for noise in (None, 0.0, CENTIMETRE):
        fitted = fit_rotations(skeleton, noisy, noise=noise)
        assert np.linalg.norm(positions_of(fitted) - where, axis=-1).mean() < 2.5 * CENTIMETRE


@pytest.mark.parametrize(
    ("joint", "axis"),
    [
        ("Hips", (0.0, 1.0, 0.0)),
        ("Hips", (1.0, 0.0, 0.0)),
        ("Hips", (0.0, 0.0, 1.0)),
        ("Spine", (0.3, 1.0, 0.0)),
        ("LeftArm", (0.0, 0.0, 1.0)),
        ("LeftArm", (0.0, 1.0, 0.0)),
        ("RightUpLeg", (1.0, 0.0, 0.0)),
    ],
)
def test_whole_turns_at_constant_speed_have_no_jump(joint, axis):
    truth = turning(joint, axis, np.linspace(-0.3, 4.2 * np.pi, 300))
    fitted = fit_rotations(truth.skeleton, positions_of(truth))
    np.testing.assert_allclose(positions_of(fitted), positions_of(truth), rtol=0, atol=1e-9)
    assert largest_change(fitted) < 2.0 * largest_change(truth)
    neighbours = np.einsum("fjk,fjk->fj", fitted.local_rotations[1:], fitted.local_rotations[:-1])
    assert neighbours.min() > 0  # signs are continuous too


@pytest.mark.parametrize("noise", [0.0, CENTIMETRE])
def test_turning_the_positions_about_the_vertical_turns_only_the_root(noise):
    truth = random_motion(human_skeleton(), 8, num_frames=40, smooth=True)
    where = positions_of(truth)
    where += np.random.default_rng(9).normal(size=where.shape) * noise
    turn = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 2.5)
    shift = np.array([3.0, 0.0, -2.0])
    here = fit_rotations(truth.skeleton, where)
    there = fit_rotations(truth.skeleton, quaternion.rotate(turn, where) + shift)
    tolerance = 1e-9 if noise == 0 else 1e-5
    np.testing.assert_allclose(there.root_positions, quaternion.rotate(turn, here.root_positions) + shift, atol=tolerance)
    expected = np.array(here.local_rotations)
    expected[:, 0] = quaternion.multiply(turn, expected[:, 0])
    assert_quats_close(there.local_rotations, expected, atol_radians=tolerance)


@pytest.mark.parametrize("seed", range(2))
def test_other_bone_lengths_are_met_as_nearly_as_can_be(seed):
    rng = np.random.default_rng(seed)
    body = human_skeleton()
    truth = random_motion(body, seed, num_frames=1, smooth=True)
    skeleton = body.with_offsets(body.offsets * rng.uniform(0.9, 1.1, size=(body.num_joints, 1)))
    where = positions_of(truth)
    fitted = fit_rotations(skeleton, where)[0]

    def residuals(step: np.ndarray) -> np.ndarray:
        local = quaternion.multiply(fitted.local_rotations, quaternion.from_rotation_vector(step[3:].reshape(-1, 3)))
        pose = Pose(skeleton, fitted.root_positions + step[:3], local)
        return (forward_kinematics(pose).global_positions - where[0]).ravel()

    nothing = np.zeros(3 + 3 * body.num_joints)
    best = least_squares(residuals, nothing)
    assert np.linalg.norm(residuals(nothing)) < 1.01 * np.linalg.norm(residuals(best.x))


def test_bones_that_differ_are_named():
    body = human_skeleton()
    where = positions_of(random_motion(body, 2, num_frames=30, smooth=True))
    offsets = np.array(body.offsets)
    offsets[body.joint_index("LeftLeg")] /= 1.1
    fitted = fit_rotations(body.with_offsets(offsets), where)
    distances, bones = (note.message for note in fitted.source.notes)
    assert bones.endswith("LeftLeg +10.0 %")
    away = np.linalg.norm(positions_of(fitted) - where, axis=-1)
    assert f"{away.mean():.3g} from" in distances
    assert f"{away.max():.3g} at most" in distances
    assert 0 < away.max() < 0.1 * np.linalg.norm(body.offsets[body.joint_index("LeftLeg")])


def test_bones_on_one_line_show_no_twist():
    line = Skeleton(
        ("pelvis", "up", "down", "hand"), np.array([-1, 0, 0, 1]), np.array([[0, 0, 0], [0, 0.5, 0], [0, -0.4, 0], [0.3, 0, 0.0]])
    )
    truth = random_motion(line, 4, num_frames=12, smooth=True)
    fitted = fit_rotations(line, positions_of(truth))
    np.testing.assert_allclose(positions_of(fitted), positions_of(truth), rtol=0, atol=1e-12)
    np.testing.assert_allclose(fitted["pelvis"][:, 2], 0.0, atol=1e-12)  # a swing from +Y has no y


def test_a_zero_pose_along_one_axis_is_met():
    joints = 6
    chain = Skeleton(tuple("abcdef"), np.array([-1, 0, 1, 2, 1, 4]), np.tile([0.3, 0.0, 0.0], (joints, 1)))
    truth = random_motion(chain, 5, num_frames=40, smooth=True)
    fitted = fit_rotations(chain, positions_of(truth))
    np.testing.assert_allclose(positions_of(fitted), positions_of(truth), rtol=0, atol=1e-12)


def test_one_joint_and_no_frames():
    point = Skeleton(("root",), np.array([-1]), np.ones((1, 3)))
    path = np.random.default_rng(0).normal(size=(5, 1, 3))
    fitted = fit_rotations(point, path, frame_time=0.02)
    np.testing.assert_array_equal(fitted.root_positions, path[:, 0])
    np.testing.assert_array_equal(fitted.local_rotations, np.tile(quaternion.IDENTITY, (5, 1, 1)))
    assert fitted.frame_time == 0.02
    assert (
        np.abs(np.diff(fit_rotations(point, path, noise=1.0).root_positions, 2, axis=0)).max()
        < np.abs(np.diff(path, 2, axis=0)).max()
    )
    body = human_skeleton()
    assert fit_rotations(body, np.zeros((0, body.num_joints, 3))).num_frames == 0


def test_single_precision_counts_as_exact():
    body = human_skeleton()
    truth = random_motion(body, 6, smooth=True)
    fitted = fit_rotations(body, positions_of(truth).astype(np.float32))
    assert not fitted.source.notes
    np.testing.assert_allclose(positions_of(fitted), positions_of(truth), rtol=0, atol=1e-6)


def test_a_standing_clip_with_noise():
    body = human_skeleton()
    still = np.tile(positions_of(random_motion(body, 7, num_frames=1, smooth=True)), (60, 1, 1))
    noisy = still + np.random.default_rng(8).normal(size=still.shape) * CENTIMETRE
    fitted = fit_rotations(body, noisy)
    assert np.linalg.norm(positions_of(fitted) - still, axis=-1).mean() < 0.4 * CENTIMETRE


def test_the_result_is_a_file(clips, tmp_path):
    truth = load_motion(clips / "turn_mixamo.bvh")
    fitted = fit_rotations(truth.skeleton, positions_of(truth), frame_time=truth.frame_time)
    save_motion(fitted, tmp_path / "fitted.bvh")
    again = load_motion(tmp_path / "fitted.bvh")
    assert again.frame_time == truth.frame_time
    np.testing.assert_allclose(positions_of(again), positions_of(truth), rtol=0, atol=1e-9)


def test_arguments_are_left_alone():
    body = human_skeleton()
    truth = random_motion(body, 9, num_frames=10, smooth=True)
    where, ends = positions_of(truth), ends_of(truth)
    where += 0.001 * np.sin(np.arange(where.size)).reshape(where.shape)
    before = where.copy(), ends.copy()
    fitted = fit_rotations(body, where, end_site_positions=ends)
    np.testing.assert_array_equal(where, before[0])
    np.testing.assert_array_equal(ends, before[1])
    where += 1.0
    assert np.abs(fitted.root_positions - before[0][:, 0]).max() < 0.1
    locked = np.array(before[0])
    locked.setflags(write=False)
    again = fit_rotations(body, locked, end_site_positions=ends)
    np.testing.assert_array_equal(again.local_rotations, fitted.local_rotations)


def test_another_unit_is_refused_with_the_ratio():
    body = human_skeleton()
    where = positions_of(random_motion(body, 10, smooth=True))
    with pytest.raises(InputError, match=r"100 times as long as the skeleton's.*multiply the positions by 0\.01"):
        fit_rotations(body, 100.0 * where)
    with pytest.raises(InputError, match="lie at one point"):
        fit_rotations(body, np.zeros_like(where))


def test_values_that_cannot_be_are_refused(unchecked_shapes):
    body = human_skeleton()
    where = positions_of(random_motion(body, 11, num_frames=4, smooth=True))
    with pytest.raises(InputError, match=r"positions must have shape \(frames, 21, 3\).*got \(4, 20, 3\)"):
        fit_rotations(body, where[:, :20])
    with pytest.raises(InputError, match=r"end_site_positions must have shape \(4, 5, 3\)"):
        fit_rotations(body, where, end_site_positions=where)
    with pytest.raises(InputError, match="noise must be"):
        fit_rotations(body, where, noise=-0.1)
    where[2, 3, 1] = np.nan
    with pytest.raises(InputError, match=r"positions must be finite, got nan at index \(2, 3, 1\)"):
        fit_rotations(body, where)
