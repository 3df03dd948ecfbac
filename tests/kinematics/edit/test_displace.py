"""Edited poses spread over a clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinematics import edit
from kinematics.errors import InputError
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion


@pytest.fixture
def clip() -> Motion:
    return random_motion(human_skeleton(), 3, num_frames=61, smooth=True)


def bent(motion: Motion, frame: int, joint: int, vector: tuple[float, float, float], shift: tuple[float, float, float]) -> Pose:
    """Turn one joint of a frame by a rotation vector and move the root."""
    pose = motion[frame]
    rotations = np.array(pose.local_rotations)
    rotations[joint] = quaternion.multiply(rotations[joint], quaternion.from_rotation_vector(np.array(vector, float)))
    return pose.with_local_rotations(rotations).with_root_positions(pose.root_positions + np.array(shift))


def turns(before: Motion, after: Motion, joint: int) -> np.ndarray:
    """Return the rotation vectors by which a joint was turned, in its own frame."""
    inverse = quaternion.inverse(before.local_rotations[:, joint])
    return quaternion.to_rotation_vector(quaternion.multiply(inverse, after.local_rotations[:, joint]))


def test_one_edit_is_met_and_fades_as_a_smooth_step(clip: Motion) -> None:
    window = 10 * clip.frame_time
    result = edit.displace(clip, {30: bent(clip, 30, 5, (0.4, -0.2, 0.1), (0.1, 0.2, 0.3))}, before_s=window, after_s=2 * window)
    assert np.array_equal(result.local_rotations[30, 5], bent(clip, 30, 5, (0.4, -0.2, 0.1), (0, 0, 0)).local_rotations[5])
    frames = np.arange(61)
    t = np.clip(np.where(frames < 30, (frames - 20) / 10, (50 - frames) / 20), 0.0, 1.0)
    fade = (3 * t**2 - 2 * t**3)[:, None]
    np.testing.assert_allclose(turns(clip, result, 5), fade * np.array([0.4, -0.2, 0.1]), rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.root_positions - clip.root_positions, fade * np.array([0.1, 0.2, 0.3]), rtol=0, atol=1e-12)


def test_what_is_not_edited_stays_bit_for_bit(clip: Motion) -> None:
    window = 7.3 * clip.frame_time
    result = edit.displace(clip, {30: bent(clip, 30, 5, (0.4, 0, 0), (0, 0, 1))}, before_s=window, after_s=window)
    outside = np.r_[0:23, 38:61]
    assert np.array_equal(result.root_positions[outside], clip.root_positions[outside])
    assert np.array_equal(result.local_rotations[outside], clip.local_rotations[outside])
    others = np.arange(clip.skeleton.num_joints) != 5
    assert np.array_equal(result.local_rotations[:, others], clip.local_rotations[:, others])
    assert (result.local_rotations[23:38, 5] != clip.local_rotations[23:38, 5]).any(axis=-1).all()


def test_without_an_edit_or_with_the_clips_own_pose_nothing_changes(clip: Motion) -> None:
    assert edit.displace(clip, {}) is clip
    same = edit.displace(clip, {12: clip[12], 40: clip[40]})
    assert np.array_equal(same.local_rotations, clip.local_rotations)
    assert np.array_equal(same.root_positions, clip.root_positions)


def test_all_edits_are_met_and_neighbours_lead_over_without_overshoot(clip: Motion) -> None:
    angles = {20: 0.2, 30: 0.5, 40: 0.9, 45: 0.4}
    poses = {frame: bent(clip, frame, 8, (angle, 0, 0), (0, angle, 0)) for frame, angle in angles.items()}
    window = 10 * clip.frame_time
    result = edit.displace(clip, dict(reversed(poses.items())), before_s=window, after_s=window)
    found = turns(clip, result, 8)[:, 0]
    for frame, angle in angles.items():
        assert abs(found[frame] - angle) < 1e-12
        assert result[frame].allclose(poses[frame], atol=0.0)
    assert (np.diff(found[10:41]) > 0).all() and (np.diff(found[40:55]) < 0).all()
    assert found.max() <= 0.9 + 1e-12 and not found[:11].any() and not found[55:].any()


def test_edits_far_apart_leave_the_clip_alone_between_them(clip: Motion) -> None:
    poses = {frame: bent(clip, frame, 8, (0.5, 0, 0), (0, 0, 0)) for frame in (10, 50)}
    window = 5 * clip.frame_time
    both = edit.displace(clip, poses, before_s=window, after_s=window)
    one = edit.displace(clip, {10: poses[10]}, before_s=window, after_s=window)
    assert np.array_equal(both.local_rotations[:45], one.local_rotations[:45])
    assert np.array_equal(both.local_rotations[15:45], clip.local_rotations[15:45])


@pytest.mark.parametrize("frame", [0, 3, 57, 60])
def test_a_window_is_cut_at_the_ends_of_the_clip(clip: Motion, frame: int) -> None:
    window = 10 * clip.frame_time
    longer = replace(
        clip,
        root_positions=np.concatenate([clip.root_positions[:1].repeat(20, 0), clip.root_positions, clip.root_positions[-1:]]),
        local_rotations=np.concatenate([clip.local_rotations[:1].repeat(20, 0), clip.local_rotations, clip.local_rotations[-1:]]),
    )
    pose = bent(clip, frame, 5, (0.4, 0, 0.2), (0, 0, 1))
    cut = edit.displace(clip, {frame: pose}, before_s=window, after_s=window)
    whole = edit.displace(longer, {frame + 20: pose}, before_s=window, after_s=window)[20:81]
    assert cut.allclose(whole, atol=1e-14)
    assert cut[frame].allclose(pose, atol=0.0)


def test_no_window_changes_one_frame_alone(clip: Motion) -> None:
    result = edit.displace(clip, {30: bent(clip, 30, 5, (1, 0, 0), (0, 0, 1))}, before_s=0, after_s=0)
    assert np.flatnonzero((result.local_rotations != clip.local_rotations).any(axis=(1, 2))).tolist() == [30]


def test_velocity_is_continuous(clip: Motion) -> None:
    fine = edit.resample(clip, clip.frame_rate * 32)
    result = edit.displace(fine, {960: bent(fine, 960, 5, (1, 0, 0), (0, 0, 1))}, before_s=0.3, after_s=0.3)
    steps = np.diff(turns(fine, result, 5)[:, 0])
    assert np.abs(np.diff(steps)).max() < 0.02 * np.abs(steps).max()  # 6 / window in frames; a linear ramp has 1


def test_edits_beyond_half_a_turn_are_led_over_the_near_way(clip: Motion) -> None:
    poses = {20: bent(clip, 20, 5, (3.0, 0, 0), (0, 0, 0)), 30: bent(clip, 30, 5, (3.4, 0, 0), (0, 0, 0))}
    result = edit.displace(clip, poses)
    assert (np.abs(np.linalg.norm(turns(clip, result, 5)[20:31], axis=-1)) > 2.8).all()


@pytest.mark.parametrize("clip_stretches", [False, True])
@pytest.mark.parametrize("pose_stretches", [False, True])
def test_bones_that_stretch(clip_stretches: bool, pose_stretches: bool) -> None:
    motion = random_motion(human_skeleton(), 3, num_frames=41, smooth=True, stretch=clip_stretches)
    pose = random_motion(human_skeleton(), 4, num_frames=1, smooth=True, stretch=pose_stretches)[0]
    result = edit.displace(motion, {20: pose}, before_s=0.2, after_s=0.2)
    assert result[20].allclose(pose, atol=0.0)
    assert (result.local_positions is None) == (not clip_stretches and not pose_stretches)
    assert result[:14].allclose(motion[:14], atol=0.0) and result[27:].allclose(motion[27:], atol=0.0)


@pytest.mark.parametrize(
    ("poses", "options", "words"),
    [
        ({61: 0}, {}, "0 to 60, got 61"),
        ({-1: 0}, {}, "0 to 60, got -1"),
        ({True: 0}, {}, "got True"),
        ({3: 0}, {"before_s": -0.1}, "before_s"),
        ({3: 0}, {"after_s": float("nan")}, "after_s"),
    ],
)
def test_wrong_input_is_said(clip: Motion, poses: dict[int, int], options: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        edit.displace(clip, {frame: clip[at] for frame, at in poses.items()}, **options)


def test_another_skeleton_is_refused(clip: Motion) -> None:
    other = edit.rename_joints(clip, str.upper)
    with pytest.raises(InputError, match="another skeleton"):
        edit.displace(clip, {3: other[3]})
