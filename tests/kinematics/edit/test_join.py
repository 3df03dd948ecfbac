from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import edit, forward_kinematics
from kinematics.errors import InputError, UnknownNameError
from kinematics.io import load_motion
from kinematics.motion import Motion, Source
from kinematics.rotations import quaternion
from kinematics.skeleton import ChannelLayout
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton


def waves(seed: int, *, frames: int = 60, stretch: bool = False, skeleton_seed: int = 3) -> Motion:
    """A smooth random clip; with `stretch` bones move slowly too."""
    motion = random_motion(random_skeleton(skeleton_seed), seed, num_frames=frames, smooth=True)
    if not stretch:
        return motion
    breathe = 0.05 * np.sin(np.arange(frames) / 8.0 + seed)[:, None, None]
    return replace(motion, local_positions=motion.skeleton.offsets * (1.0 + breathe))


def largest_step(motion: Motion) -> float:
    where = forward_kinematics(motion).global_positions
    return float(np.linalg.norm(np.diff(where, axis=0), axis=-1).max(initial=0.0))


@pytest.mark.parametrize("stretch", [False, True])
@pytest.mark.parametrize("align", [False, True])
def test_an_inertial_join_goes_on_at_the_old_velocity(align: bool, stretch: bool) -> None:
    first, second = waves(1, stretch=stretch), waves(2, stretch=stretch)
    joined = edit.concatenate([first, second], duration_s=1.0, align=align)
    assert joined.num_frames == 120
    steps = np.diff(joined.root_positions, axis=0)
    np.testing.assert_allclose(steps[59], 2 * steps[58] - steps[57], atol=1e-12)
    np.testing.assert_allclose(steps[60], steps[59], atol=3e-3)
    turns = quaternion.multiply(joined.local_rotations[1:], quaternion.inverse(joined.local_rotations[:-1]))
    turns = quaternion.to_rotation_vector(turns)
    np.testing.assert_allclose(turns[59], 2 * turns[58] - turns[57], atol=2e-3)
    np.testing.assert_allclose(turns[60], 2 * turns[59] - turns[58], atol=0.03)
    if joined.local_positions is not None:
        moved = np.diff(joined.local_positions, axis=0)
        np.testing.assert_allclose(moved[59], 2 * moved[58] - moved[57], atol=1e-12)
    assert_motions_close(joined[:60], first)


def test_an_inertial_join_leaves_frames_after_it_alone() -> None:
    first, second = waves(1), waves(2)
    joined = edit.concatenate([first, second], duration_s=0.2, align=False)
    assert_motions_close(joined[66:], second[6:], atol=1e-12)
    moved = edit.concatenate([first, second], duration_s=0.2)
    assert np.array_equal(moved.local_rotations[66:, 1:], second.local_rotations[6:, 1:])


@pytest.mark.parametrize("join", ["inertial", "cut"])
def test_two_pieces_of_a_clip_wherever_the_second_stands(join: str) -> None:
    motion = waves(4, frames=90)
    second = edit.place(edit.rotate(motion[40:], 2.5), (3.0, -7.0))
    for up_second in (motion[40:], second):
        joined = edit.concatenate([motion[:40], up_second], join=join)
        before, after = forward_kinematics(motion).global_positions, forward_kinematics(joined).global_positions
        assert np.abs(before - after).max() < 0.1 * largest_step(motion)
        assert largest_step(joined) < 1.02 * largest_step(motion)


def test_a_crossfade_of_one_clip_with_itself_is_the_clip() -> None:
    motion = waves(4, frames=90, stretch=True)
    second = edit.place(edit.rotate(motion[30:], -2.0), (3.0, -7.0))
    joined = edit.concatenate([motion[:40], second], join="crossfade", duration_s=10 / 30)
    assert_motions_close(joined, motion, atol=1e-9)


def test_a_crossfade_lies_between_both_clips() -> None:
    first, second = waves(1), waves(2)
    joined = edit.concatenate([first, second], join="crossfade", duration_s=0.5, align=False)
    assert joined.num_frames == 105
    assert_motions_close(joined[:45], first[:45])
    assert_motions_close(joined[60:], second[15:])
    middle = quaternion.slerp(first.local_rotations[52], second.local_rotations[7], 0.5)
    assert_quats_close(joined.local_rotations[52], middle)


@pytest.mark.parametrize("join", ["inertial", "crossfade", "cut"])
def test_an_aligned_clip_goes_on_in_the_heading_of_the_first(join: str) -> None:
    skeleton = human_skeleton()
    still = np.tile(quaternion.IDENTITY, (31, skeleton.num_joints, 1))
    ahead = np.zeros((31, 3))
    ahead[:, 1], ahead[:, 2] = 0.9, np.arange(31) / 30  # one metre a second along +Z
    walk = Motion(skeleton, ahead, still, 1 / 30)
    other = edit.place(edit.rotate(walk, 1.2), (5.0, 5.0))
    joined = edit.concatenate([walk, other, other], join=join, duration_s=0.2)
    np.testing.assert_allclose(np.diff(joined.root_positions, axis=0), np.tile([0, 0, 1 / 30], (len(joined) - 1, 1)), atol=1e-9)
    assert_quats_close(joined.local_rotations[:, 0], np.tile(quaternion.IDENTITY, (len(joined), 1)))


def test_a_runner_who_stops_does_not_slide_back() -> None:
    skeleton = human_skeleton()
    still = np.tile(quaternion.IDENTITY, (31, skeleton.num_joints, 1))
    run = np.zeros((31, 3))
    run[:, 2] = np.arange(31) * 4.0 / 30
    stand = Motion(skeleton, np.zeros((31, 3)), still, 1 / 30)
    joined = edit.concatenate([Motion(skeleton, run, still, 1 / 30), stand], duration_s=0.4)
    speed = np.diff(joined.root_positions[:, 2]) * 30
    assert np.all(np.diff(speed) < 1e-9) and np.all(speed > -1e-9)
    np.testing.assert_allclose(speed[[29, 30]], 4.0)
    np.testing.assert_allclose(speed[-10:], 0.0, atol=1e-9)
    assert joined.root_positions[-1, 2] == pytest.approx(4.0 + 4.0 / 30 + 4.0 * 0.4 / 2)


def test_z_up() -> None:
    turn = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi / 2)  # +Y to +Z

    def stand_up(motion: Motion) -> Motion:
        rotations = motion.local_rotations.copy()
        rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
        return replace(motion, root_positions=quaternion.rotate(turn, motion.root_positions), local_rotations=rotations)

    for join in ("inertial", "crossfade", "cut"):
        clips = [waves(1), waves(2)]
        expected = stand_up(edit.concatenate(clips, join=join, up="Y"))
        assert_motions_close(edit.concatenate([stand_up(clip) for clip in clips], join=join, up="Z"), expected)


def test_another_rate_and_joint_order() -> None:
    first, second = waves(1), waves(2)
    order = [0, *sorted(range(1, 12), key=lambda joint: (len(first.skeleton.ancestors(joint)), -joint))]
    shuffled = edit.reorder_joints(second, [second.skeleton.joint_names[joint] for joint in order])
    assert shuffled.skeleton.joint_names != second.skeleton.joint_names
    expected = edit.concatenate([first, second])
    assert_motions_close(edit.concatenate([first, shuffled]), expected)
    assert_motions_close(edit.concatenate([first, edit.resample(second, 60)]), expected)


def test_bones_stretch_in_all_pieces_if_in_one() -> None:
    first, second = waves(1), waves(2, stretch=True)
    layout = ChannelLayout.default(12)
    first = replace(first, skeleton=first.skeleton.with_layout(layout))
    joined = edit.concatenate([first, second], join="cut", align=False)
    assert joined.local_positions is not None and joined.skeleton.layout is not None
    assert np.array_equal(joined.local_positions[:60, 1:], np.tile(first.skeleton.offsets[1:], (60, 1, 1)))
    assert all("Zposition" in names for names in joined.skeleton.layout.channels)


def test_the_files_numbers_survive_a_cut() -> None:
    motion = waves(1)
    motion = replace(motion, skeleton=motion.skeleton.with_layout(ChannelLayout.default(12)))
    motion = replace(motion, source=Source(channel_values=np.arange(60.0 * 39).reshape(60, 39)))
    kept = edit.concatenate([motion[:20], motion[20:]], join="cut", align=False).source.channel_values
    assert kept is not None and np.array_equal(kept, motion.source.channel_values)
    assert edit.concatenate([motion, waves(2)], join="cut", align=False).source.channel_values is None


@pytest.mark.parametrize("join", ["inertial", "crossfade", "cut"])
def test_short_clips(join: str) -> None:
    motion = waves(1, stretch=True)
    for first in (0, 1, 2):
        for second in (0, 1, 2):
            joined = edit.concatenate([motion[:first], motion[10 : 10 + second], motion[:0]], join=join, duration_s=1.0)
            overlap = min(first, second) if join == "crossfade" else 0
            assert joined.num_frames == first + second - overlap
    assert_motions_close(edit.concatenate([motion], join=join), motion)


def test_errors_say_what_differs() -> None:
    motion, other = waves(1), waves(1, skeleton_seed=5)
    with pytest.raises(InputError, match="clip 1 has another skeleton than clip 0: 'joint"):
        edit.concatenate([motion, other])
    with pytest.raises(InputError, match="it lacks joint3; it has knee besides"):
        edit.concatenate([motion, edit.rename_joints(motion, {"joint3": "knee"})])
    longer = motion.skeleton.with_offsets(motion.skeleton.offsets * 1.1)
    with pytest.raises(InputError, match="the offset of 'joint"):
        edit.concatenate([motion, replace(motion, skeleton=longer)])
    with pytest.raises(UnknownNameError, match="inertial"):
        edit.concatenate([motion], join="inertal")
    with pytest.raises(InputError, match="at least one"):
        edit.concatenate([])
    with pytest.raises(InputError, match="duration_s"):
        edit.concatenate([motion], duration_s=-1.0)
    with pytest.raises(UnknownNameError, match="up axis"):
        edit.concatenate([motion], up="W")


PAIRS = [
    ("games105/idle.bvh", "games105/walk60.bvh", "Y"),
    ("games105/run_forward.bvh", "games105/walk_and_turn_left.bvh", "Y"),
    ("cmu_cgspeed/12_01_walk.bvh", "cmu_cgspeed/12_03_mh.bvh", "Y"),
    ("cmu_cgspeed/01_01.bvh", "cmu_cgspeed/01_01.bvh", "Y"),
    ("cmu_daz/02_01.bvh", "cmu_daz/02_01.bvh", "Y"),
    ("fair1/dab.bvh", "fair1/dab.bvh", "Z"),
    ("odd/assimp_Boxing_Toes_framecount_off_by_one.bvh", "odd/assimp_Boxing_Toes_framecount_off_by_one.bvh", "Y"),
]


@pytest.mark.parametrize(("first", "second", "up"), PAIRS)
@pytest.mark.parametrize("join", ["inertial", "crossfade"])
def test_real_clips_join_without_a_jump(shared_data: Path, first: str, second: str, up: str, join: str) -> None:
    a, b = load_motion(shared_data / first)[1:], load_motion(shared_data / second)[1:400]
    if first == second:
        a = a[-120:]
    joined = edit.concatenate([a, b], join=join, duration_s=0.3, up=up)
    rates = [1.0, b.frame_rate / a.frame_rate]
    allowed = max(largest_step(clip) * rate for clip, rate in zip((a, b), rates, strict=True))
    assert largest_step(joined) < 1.3 * allowed


def test_clips_of_nearly_one_rate_keep_their_speed() -> None:
    first, second = waves(1), waves(2)
    slower = edit.resample(second, first.frame_rate * 29.97 / 30, tolerance=0)
    joined = edit.concatenate([first, slower], join="cut", align=False)
    assert not np.array_equal(joined.root_positions[61:70], slower.root_positions[1:10])
    times = np.arange(20) * first.frame_time / slower.frame_time
    expected = edit.time_warp(slower, times * slower.frame_time)
    np.testing.assert_allclose(joined.root_positions[60:80], expected.root_positions, atol=1e-9)
    rounded = second.with_frame_time(round(second.frame_time, 6))
    same = edit.concatenate([first, rounded], join="cut", align=False)
    assert np.array_equal(same.root_positions[60:], second.root_positions)
