from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinematics import edit, forward_kinematics
from kinematics.motion import Source
from kinematics.skeleton import ChannelLayout
from kinematics.testing import assert_motions_close, random_motion, random_skeleton


def test_bones_that_do_not_stretch_are_exact() -> None:
    motion = random_motion(random_skeleton(1), 1, num_frames=7)
    lengths = motion.skeleton.offsets * 1.37
    held = replace(motion, local_positions=np.tile(lengths, (7, 1, 1)))
    baked, report = edit.bake_positions(held)
    assert np.array_equal(baked.skeleton.offsets[1:], lengths[1:])
    assert baked.local_positions is None
    assert report.max_errors.max() == 0.0
    np.testing.assert_array_equal(forward_kinematics(baked).global_positions, forward_kinematics(held).global_positions)


def test_the_report_is_the_world_error() -> None:
    motion = random_motion(random_skeleton(1), 1, stretch=True)
    baked, report = edit.bake_positions(motion)
    away = forward_kinematics(baked).global_positions - forward_kinematics(motion).global_positions
    away = np.linalg.norm(away, axis=-1)
    np.testing.assert_allclose(report.mean_errors, away.mean(axis=0))
    np.testing.assert_allclose(report.max_errors, away.max(axis=0))
    assert report.mean_errors[0] == 0.0
    worst = motion.skeleton.joint_names[int(away.max(axis=0).argmax())]
    assert worst in str(report) and f"{away.max():.4g}" in str(report)


def test_the_mean_is_the_best_offset() -> None:
    motion = random_motion(random_skeleton(1, num_joints=2), 1, stretch=True)
    baked, _ = edit.bake_positions(motion)
    other = baked.skeleton.with_offsets(baked.skeleton.offsets + np.array([[0, 0, 0], [0.01, -0.01, 0.01]]))
    moved = forward_kinematics(replace(baked, skeleton=other)).global_positions
    worse = np.sum((moved - forward_kinematics(motion).global_positions) ** 2)
    best = np.sum((forward_kinematics(baked).global_positions - forward_kinematics(motion).global_positions) ** 2)
    assert best < worse


def test_channels_and_the_files_numbers() -> None:
    skeleton = random_skeleton(1, num_joints=3).with_layout(ChannelLayout.default(3, all_positions=True))
    motion = random_motion(skeleton, 1, stretch=True)
    values = np.arange(20.0 * 18).reshape(20, 18)
    baked, _ = edit.bake_positions(replace(motion, source=Source(channel_values=values)))
    assert baked.skeleton.layout is not None
    assert [len(names) for names in baked.skeleton.layout.channels] == [6, 3, 3]
    kept = baked.source.channel_values
    assert kept is not None and np.array_equal(kept, values[:, [0, 1, 2, 3, 4, 5, 9, 10, 11, 15, 16, 17]])


def test_rigid_bones_come_back() -> None:
    motion = random_motion(random_skeleton(1), 1)
    baked, report = edit.bake_positions(motion)
    assert baked is motion
    assert report.max_errors.max() == 0.0


@pytest.mark.parametrize("frames", [0, 1])
def test_short_clips(frames: int) -> None:
    motion = random_motion(random_skeleton(1), 1, num_frames=frames, stretch=True)
    baked, report = edit.bake_positions(motion)
    assert baked.num_frames == frames
    assert report.max_errors.max() == pytest.approx(0.0, abs=1e-12)
    assert_motions_close(edit.bake_positions(baked)[0], baked)
