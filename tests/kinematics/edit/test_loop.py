from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import edit, forward_kinematics
from kinematics.errors import InputError, UnknownNameError
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton


def waves(seed: int, *, frames: int = 70, stretch: bool = False) -> Motion:
    motion = random_motion(random_skeleton(3), seed, num_frames=frames, smooth=True)
    if not stretch:
        return motion
    breathe = 0.05 * np.sin(np.arange(frames) / 8.0 + seed)[:, None, None]
    return replace(motion, local_positions=motion.skeleton.offsets * (1.0 + breathe))


def spins(motion: Motion) -> np.ndarray:
    rotations = motion.local_rotations
    turns = quaternion.multiply(rotations[1:], quaternion.inverse(rotations[:-1]))
    return quaternion.to_rotation_vector(turns)


@pytest.mark.parametrize("stretch", [False, True])
def test_a_closed_loop_meets_in_pose_and_velocity(stretch: bool) -> None:
    looped = edit.loop(waves(1, stretch=stretch), blend_s=1.0, travel="close")
    assert looped.num_frames == 70
    first, last = looped[:1], looped[-1:]
    assert_motions_close(last, first)
    steps, turns = np.diff(looped.root_positions, axis=0), spins(looped)
    inside = np.abs(np.diff(turns, axis=0)).max()
    assert np.abs(turns[0] - turns[-1]).max() < 1.5 * inside
    assert np.abs(steps[0] - steps[-1]).max() < 1.5 * np.abs(np.diff(steps, axis=0)).max()


def test_frames_in_the_middle_stay() -> None:
    motion = waves(1)
    looped = edit.loop(motion, blend_s=0.4, travel="close")
    assert_motions_close(looped[12:-12], motion[12:-12], atol=1e-12)


def test_a_cycle_stays_as_it_is() -> None:
    frames = 61
    phase = 2 * np.pi * np.arange(frames) / (frames - 1)
    skeleton = human_skeleton()
    vectors = np.zeros((frames, skeleton.num_joints, 3))
    vectors[..., 0] = 0.5 * np.sin(phase)[:, None]
    root = np.stack([0.02 * np.sin(phase), 0.9 + 0.03 * np.cos(2 * phase), np.linspace(0, 2, frames)], axis=-1)
    motion = Motion(skeleton, root, quaternion.from_rotation_vector(vectors), 1 / 30)
    looped = edit.loop(motion)
    before, after = forward_kinematics(motion).global_positions, forward_kinematics(looped).global_positions
    assert np.abs(before - after).max() < 2e-3
    twice = edit.loop(motion, repeats=2)
    assert twice.num_frames == 121
    assert twice.root_positions[-1, 2] == pytest.approx(4.0, abs=2e-3)


@pytest.mark.parametrize("travel", ["keep", "close"])
def test_repeats_run_on_without_a_jump(travel: str) -> None:
    motion = waves(2)
    once, thrice = (edit.loop(motion, blend_s=0.6, travel=travel, repeats=count) for count in (1, 3))
    assert thrice.num_frames == 3 * 69 + 1
    assert_motions_close(thrice[:70], once)
    where = forward_kinematics(thrice).global_positions
    steps = np.linalg.norm(np.diff(where, axis=0), axis=-1).max(axis=1)
    assert steps[[68, 69, 137, 138]].max() < 1.2 * steps[:69].max()
    assert_quats_close(thrice.local_rotations[69:139, 1:], once.local_rotations[:, 1:], atol_radians=1e-7)


def test_a_curve_goes_round() -> None:
    skeleton = human_skeleton()
    frames = 31
    angles = np.linspace(0, np.pi / 2, frames)  # a quarter of a circle of radius 1
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    rotations[:, 0] = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), angles)
    root = np.stack([1 - np.cos(angles), np.full(frames, 0.9), np.sin(angles)], axis=-1)
    looped = edit.loop(Motion(skeleton, root, rotations, 1 / 30), repeats=4)
    np.testing.assert_allclose(looped.root_positions[-1], looped.root_positions[0], atol=1e-9)
    assert_quats_close(looped.local_rotations[-1], looped.local_rotations[0])
    middle = np.array([1.0, 0.9, 0.0])
    np.testing.assert_allclose(np.linalg.norm(looped.root_positions - middle, axis=1), 1.0, atol=1e-9)


def test_in_place_first() -> None:
    looped = edit.loop(edit.in_place(waves(3)), repeats=3)
    pelvis = looped.root_positions[:, [0, 2]]
    np.testing.assert_allclose(pelvis, np.tile(pelvis[0], (len(pelvis), 1)), atol=1e-9)


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_short_clips(frames: int) -> None:
    looped = edit.loop(waves(1, frames=frames, stretch=True), repeats=2)
    assert looped.num_frames == (frames if frames < 2 else 2 * (frames - 1) + 1)


def test_errors() -> None:
    with pytest.raises(InputError, match="blend_s"):
        edit.loop(waves(1), blend_s=0.0)
    with pytest.raises(InputError, match="repeats"):
        edit.loop(waves(1), repeats=0)
    with pytest.raises(UnknownNameError, match="close"):
        edit.loop(waves(1), travel="closed")


def test_a_real_walk(shared_data: Path) -> None:
    walk = load_motion(shared_data / "games105" / "walk60.bvh")
    looped = edit.loop(walk, repeats=3)
    steps = np.linalg.norm(np.diff(forward_kinematics(looped).global_positions, axis=0), axis=-1).max(axis=1)
    own = np.linalg.norm(np.diff(forward_kinematics(walk).global_positions, axis=0), axis=-1).max()
    assert steps.max() < 1.2 * own
