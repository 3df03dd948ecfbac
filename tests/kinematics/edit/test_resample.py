from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from kinematics import edit, kernels
from kinematics.errors import InputError
from kinematics.motion import Motion, Source
from kinematics.rotations import quaternion
from kinematics.skeleton import ChannelLayout, Skeleton
from kinematics.testing import assert_motions_close, assert_quats_close, random_motion, random_skeleton


def clip(frames: int = 41, *, frame_time: float = 1 / 120, stretch: bool = False, seed: int = 1) -> Motion:
    return random_motion(random_skeleton(seed), seed, num_frames=frames, frame_time=frame_time, stretch=stretch)


def assert_same_frames(actual: Motion, expected: Motion) -> None:
    assert np.array_equal(actual.root_positions, expected.root_positions)
    assert np.array_equal(actual.local_rotations, expected.local_rotations)
    assert (actual.local_positions is None) == (expected.local_positions is None)
    if actual.local_positions is not None and expected.local_positions is not None:
        assert np.array_equal(actual.local_positions, expected.local_positions)


@pytest.mark.parametrize("stretch", [False, True])
@pytest.mark.parametrize("frame_time", [1 / 120, 0.0083333, 0.00833333, 0.008333])
def test_120_to_30_is_every_fourth_frame(frame_time: float, stretch: bool) -> None:
    motion = clip(frame_time=frame_time, stretch=stretch)
    slow = edit.resample(motion, 30)
    assert_same_frames(slow, motion[::4])
    assert slow.frame_time == pytest.approx(4 * frame_time, rel=1e-12)
    assert slow.duration == pytest.approx(motion.duration, rel=1e-12)


def test_the_files_numbers_stay_with_frames_that_are_kept() -> None:
    values = np.arange(41.0 * 39).reshape(41, 39)
    skeleton = random_skeleton(1).with_layout(ChannelLayout.default(12))
    motion = replace(random_motion(skeleton, 1, num_frames=41, frame_time=1 / 120), source=Source(channel_values=values))
    kept = edit.resample(motion, 30).source.channel_values
    assert kept is not None and np.array_equal(kept, values[::4])
    between = edit.resample(motion, 50).source.channel_values  # frame 5 lies on frame 12, the others between two
    assert between is not None and np.array_equal(between[::5], values[::12])


@pytest.mark.parametrize("rate", [30, 60.0, 25, 24])
def test_frame_time_is_exactly_one_over_the_rate(rate: float) -> None:
    assert edit.resample(clip(), rate).frame_time == 1 / rate
    assert edit.resample(clip(frame_time=1 / 90), 30).frame_time == 1 / 30


@pytest.mark.parametrize("frame_time", [1 / 30, 0.033333, 0.0333333])
@pytest.mark.parametrize("rate", [60, 90, 120, 150, 210])
def test_up_and_down_gives_the_frames_back_bit_for_bit(frame_time: float, rate: int) -> None:
    motion = clip(frame_time=frame_time, stretch=True)
    back = edit.resample(edit.resample(motion, rate), 30)
    assert_same_frames(back, motion)
    assert back.frame_time == pytest.approx(frame_time, rel=1e-14)


def test_the_same_rate_changes_nothing() -> None:
    motion = clip(frame_time=0.0083333)
    same = edit.resample(motion, 120)
    assert_same_frames(same, motion)
    assert same.frame_time == motion.frame_time


def test_tolerance_zero_gives_the_rate_itself() -> None:
    motion = clip(frame_time=0.0083333)
    exact = edit.resample(motion, 30, tolerance=0)
    assert exact.frame_time == 1 / 30
    assert exact.num_frames == 10  # the eleventh would lie 4e-5 frames behind the end


@given(st.floats(5, 300), st.integers(2, 60), st.sampled_from([1 / 30, 1 / 120, 0.0417083750417, 0.008342]))
@settings(deadline=None, max_examples=60)
def test_resampling_agrees_with_scipy(rate: float, frames: int, frame_time: float) -> None:
    motion = clip(frames, frame_time=frame_time)
    result = edit.resample(motion, rate)
    assert motion.duration - result.frame_time - 1e-9 < result.duration < motion.duration * (1 + 1e-3) + 1e-9
    assert result.frame_time == pytest.approx(1 / rate, rel=1.1e-3)
    times = np.minimum(result.times, motion.duration)
    for axis in range(3):
        expected = np.interp(times, motion.times, motion.root_positions[:, axis])
        np.testing.assert_allclose(result.root_positions[:, axis], expected, atol=1e-5)
    for joint in (0, 5):
        slerp = Slerp(motion.times, Rotation.from_quat(motion.local_rotations[:, joint], scalar_first=True))
        expected = slerp(times).as_quat(scalar_first=True)
        assert_quats_close(result.local_rotations[:, joint], expected, atol_radians=1e-4)


def test_slerp_kernel_agrees_with_slerp_whatever_the_signs() -> None:
    rng = np.random.default_rng(0)
    rotations = quaternion.normalize(rng.normal(size=(50, 7, 4)))
    rotations[10:12] = rotations[10]  # no change
    rotations[12] = -rotations[11]  # the same rotation
    rotations[13] = quaternion.multiply(rotations[12], quaternion.from_rotation_vector(rng.normal(size=(7, 3)) * 1e-10))
    rotations[14] = quaternion.multiply(rotations[13], np.array([0.0, 1.0, 0.0, 0.0]))  # half a turn
    first, fraction = rng.integers(49, size=400), rng.random(400)
    result = kernels.interpolate.slerp_frames(rotations, first, fraction)
    expected = quaternion.slerp(rotations[first], rotations[first + 1], fraction[:, None])
    half = (first == 13)[:, None]
    assert_quats_close(np.where(half[..., None], 1.0, result), np.where(half[..., None], 1.0, expected))
    np.testing.assert_allclose(np.linalg.norm(result, axis=-1), 1.0, atol=1e-12)


def test_turns_over_360_degrees_do_not_spin() -> None:
    skeleton = Skeleton(("root",), np.array([-1]), np.zeros((1, 3)))
    degrees = np.array([350.0, 370.0, 390.0, 710.0, 730.0])
    rotations = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.radians(degrees))[:, None]
    fast = edit.resample(Motion(skeleton, np.zeros((5, 3)), rotations, 1 / 30), 300)
    steps = quaternion.angle_between(fast.local_rotations[1:, 0], fast.local_rotations[:-1, 0])
    assert np.degrees(steps).max() < 4.0 + 1e-9


@pytest.mark.parametrize("frames", [0, 1, 2])
@pytest.mark.parametrize("rate", [7, 30, 45, 60, 100])
def test_short_clips(frames: int, rate: int) -> None:
    result = edit.resample(clip(frames, frame_time=1 / 30, stretch=True), rate)
    assert result.num_frames == (frames if frames < 2 else int(rate / 30) + 1)


@pytest.mark.parametrize("rate", [0.0, -30.0, np.inf, np.nan])
def test_bad_rates_are_refused(rate: float) -> None:
    with pytest.raises(InputError, match="frame_rate"):
        edit.resample(clip(), rate)


def test_a_slice_on_frames_is_motion_a_to_b() -> None:
    motion = clip(frame_time=1 / 30)
    assert_same_frames(edit.slice_time(motion, 0.1, 0.5), motion[3:15])
    assert_same_frames(edit.slice_time(motion), motion)
    assert_same_frames(edit.slice_time(motion, 0.2), motion[6:])


def test_a_slice_between_frames_starts_exactly_at_its_start() -> None:
    motion = clip(frame_time=1 / 30)
    part = edit.slice_time(motion, 0.05, 0.21)
    assert part.num_frames == 5  # 0.05 + k / 30 below 0.21
    np.testing.assert_allclose(part.root_positions[0], motion.root_positions[1:3].mean(axis=0), atol=1e-12)
    rest = edit.slice_time(motion, 0.05)
    assert rest.duration == pytest.approx(motion.duration - 0.05 - 0.5 / 30)


@given(st.integers(0, 41), st.integers(0, 41))
@settings(deadline=None, max_examples=40)
def test_slices_and_a_cut_make_the_whole(a: int, b: int) -> None:
    motion = clip(frame_time=1 / 30, stretch=True)
    a, b = min(a, b), max(a, b)
    pieces = [edit.slice_time(motion, x / 30, y / 30) for x, y in ((0, a), (a, b), (b, 41))]
    whole = edit.concatenate(pieces, join="cut", align=False)
    assert_same_frames(whole, motion)
    assert whole.frame_time == motion.frame_time


@pytest.mark.parametrize(("start", "end"), [(-0.1, 0.5), (0.5, 0.4), (0.0, 2.0), (1.5, None)])
def test_slices_outside_the_clip_are_refused(start: float, end: float | None) -> None:
    with pytest.raises(InputError, match="within the clip"):
        edit.slice_time(clip(frame_time=1 / 30), start, end)


def test_time_warp_by_array_and_by_function() -> None:
    motion = clip(frame_time=1 / 30, stretch=True)
    assert_same_frames(edit.time_warp(motion, motion.times), motion)
    assert_same_frames(edit.time_warp(motion, lambda t: t), motion)
    fast = edit.time_warp(motion, lambda t: 2 * t, duration_s=motion.duration / 2)
    assert_same_frames(fast, motion[::2])
    assert fast.frame_time == motion.frame_time
    slow = edit.time_warp(motion, lambda t: t / 2, duration_s=2 * motion.duration)
    assert_motions_close(slow, edit.resample(motion, 60).with_frame_time(1 / 30))
    held = edit.time_warp(motion, np.full(4, 0.1))
    assert_same_frames(held, motion[[3, 3, 3, 3]])
    eased = edit.time_warp(motion, lambda t: motion.duration * (t / motion.duration) ** 2)
    assert_same_frames(eased[[0, -1]], motion[[0, -1]])


@pytest.mark.parametrize(
    ("times", "word"),
    [
        ([0.0, 0.2, 0.1], "decrease"),
        ([0.0, 9.0], "lie in"),
        ([-0.1, 0.0], "lie in"),
        ([0.0, np.nan], "finite"),
        ([[0.0]], "one time for"),
    ],
)
def test_bad_warps_are_refused(times: list[float], word: str, unchecked_shapes: None) -> None:
    with pytest.raises(InputError, match=word):
        edit.time_warp(clip(), lambda _: np.array(times), duration_s=(np.shape(times)[0] - 1) / 120)


def test_a_duration_needs_a_function() -> None:
    with pytest.raises(InputError, match="time function"):
        edit.time_warp(clip(), np.zeros(3), duration_s=1.0)
    with pytest.raises(InputError, match="one time for each"):
        edit.time_warp(clip(), lambda t: t[:-1])


@pytest.mark.parametrize(
    ("frame_time", "rate", "whole"),
    [
        *((time, 120, True) for time in (0.0083333, 0.008333)),
        *((time, 30, True) for time in (0.0333333, 0.033333, 0.0166667, 0.0083333, 0.008333)),
        (0.041667, 24, True), (0.0083, 120, False), (1 / 29.97, 30, False), (1 / 23.976, 24, False), (1 / 59.94, 30, False),
    ],
)  # fmt: skip
def test_rounded_frame_times_are_whole_and_other_rates_are_not(frame_time: float, rate: int, whole: bool) -> None:
    motion = clip(frame_time=frame_time)
    result = edit.resample(motion, rate)
    assert (result.num_frames == len(motion[:: round(1 / frame_time / rate)]) and result.frame_time != 1 / rate) == whole


def test_a_rate_that_no_memory_holds_is_refused() -> None:
    with pytest.raises(InputError, match="the clip would have"):
        edit.resample(random_motion(random_skeleton(1), 2), 1e12)
