from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinematics import edit
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import heading
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton


def circle(radius: float, *, sense: float, frames: int = 61, start: tuple[float, float] = (0.0, 0.0)) -> Motion:
    """A body that glides at one metre a second, ahead at first, on a circle to the left (sense 1) or right (-1)."""
    skeleton = human_skeleton()
    angles = sense * np.arange(frames) / 30 / radius
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    rotations[:, 0] = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), angles)
    root = np.stack([sense * radius * (1 - np.cos(angles)), np.full(frames, 0.9), sense * radius * np.sin(angles)], axis=-1)
    return Motion(skeleton, root + np.array([start[0], 0.0, start[1]]), rotations, 1 / 30)


@pytest.mark.parametrize("root", ["heading", "world"])
@pytest.mark.parametrize("stretch", [False, True])
def test_weights_zero_and_one_give_the_clips(root: str, stretch: bool) -> None:
    skeleton = random_skeleton(3)
    first, second = (random_motion(skeleton, seed, stretch=stretch) for seed in (1, 2))
    assert_motions_close(edit.blend(first, second, 0, root=root), first)
    assert_motions_close(edit.blend(first, second, 1.0, root=root), second)
    assert_motions_close(edit.blend(first, first, np.linspace(0, 1, 20), root=root), first)


def test_halfway_is_slerp() -> None:
    skeleton = random_skeleton(3)
    first, second = (random_motion(skeleton, seed) for seed in (1, 2))
    mixed = edit.blend(first, second, 0.5, root="world")
    assert_quats_close(mixed.local_rotations, quaternion.slerp(first.local_rotations, second.local_rotations, 0.5))
    np.testing.assert_allclose(mixed.root_positions, 0.5 * (first.root_positions + second.root_positions))


def test_left_and_right_give_straight_ahead() -> None:
    straight = edit.blend(circle(2.0, sense=1.0), circle(2.0, sense=-1.0), 0.5)
    np.testing.assert_allclose(straight.root_positions[:, 0], 0.0, atol=0.02)
    np.testing.assert_allclose(np.diff(straight.root_positions[:, 2]), 1 / 30, atol=1e-5)
    np.testing.assert_allclose(heading(straight).angles, 0.0, atol=1e-9)


def test_two_circles_give_a_circle_wherever_they_stand() -> None:
    wide = edit.blend(circle(1.0, sense=1.0), edit.rotate(circle(3.0, sense=1.0, start=(5.0, -2.0)), 0.7), 0.5)
    np.testing.assert_allclose(np.diff(heading(wide).angles), 0.5 * (1 / 30 + 1 / 90), atol=1e-9)
    speed = np.linalg.norm(np.diff(wide.root_positions, axis=0), axis=1)
    np.testing.assert_allclose(speed, 1 / 30, atol=2e-5)


def test_a_weight_for_each_frame() -> None:
    first, second = circle(2.0, sense=1.0), circle(2.0, sense=-1.0)
    mixed = edit.blend(first, second, np.r_[np.zeros(30), np.ones(31)])
    assert_motions_close(mixed[:30], first[:30])
    turning = np.diff(heading(mixed).angles)
    np.testing.assert_allclose(turning[31:], -1 / 60, atol=1e-9)


def test_joints_by_name_and_another_rate() -> None:
    skeleton = random_skeleton(3)
    first, second = (random_motion(skeleton, seed, num_frames=21, smooth=True) for seed in (1, 2))
    order = [0, *sorted(range(1, 12), key=lambda joint: (len(skeleton.ancestors(joint)), -joint))]
    other = edit.reorder_joints(edit.resample(second, 60), [skeleton.joint_names[joint] for joint in order])
    assert_motions_close(edit.blend(first, other, 0.3), edit.blend(first, second, 0.3))


def test_rigid_and_stretching() -> None:
    skeleton = random_skeleton(3)
    first, second = random_motion(skeleton, 1), random_motion(skeleton, 2, stretch=True)
    mixed = edit.blend(first, second, 0.25)
    assert mixed.local_positions is not None and second.local_positions is not None
    expected = 0.75 * skeleton.offsets + 0.25 * second.local_positions
    np.testing.assert_allclose(mixed.local_positions[:, 1:], expected[:, 1:])


def test_errors() -> None:
    motion = random_motion(random_skeleton(3), 1)
    with pytest.raises(InputError, match="time_warp"):
        edit.blend(motion, motion[:-1], 0.5)
    with pytest.raises(InputError, match="between 0 and 1"):
        edit.blend(motion, motion, 1.5)
    with pytest.raises(InputError, match="one for each"):
        edit.blend(motion, motion, np.zeros(3))
    with pytest.raises(UnknownNameError, match="heading"):
        edit.blend(motion, motion, 0.5, root="headnig")
    with pytest.raises(InputError, match="another skeleton"):
        edit.blend(motion, random_motion(random_skeleton(4), 1), 0.5)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_short_clips(frames: int) -> None:
    motion = replace(random_motion(random_skeleton(3), 1, num_frames=frames, stretch=True))
    assert_motions_close(edit.blend(motion, motion, 0.5), motion)
