"""Limits of speed: never exceeded, nothing changed without need, on time."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kinematics.io import load_motion, save_motion
from kinematics.metrics import joint_turns
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion
from retarget import PRESETS, RetargetConfig, RetargetError, retarget, score
from retarget.cli import main
from retarget.speeds import SpeedReport, report_speed
from retarget.speeds import limit_speed as limit_frames

FRAME_TIME = 1.0 / 30.0


def about_one_axis(angles: np.ndarray) -> Motion:
    """Return a human of whom one joint turns about one axis."""
    skeleton = human_skeleton()
    rotations = np.tile(quaternion.IDENTITY, (len(angles), skeleton.num_joints, 1))
    rotations[:, 5] = quaternion.from_axis_angle(np.array([0.6, 0.0, 0.8]), angles)
    return Motion(skeleton, np.zeros((len(angles), 3)), rotations, FRAME_TIME)


def angles_of(motion: Motion) -> np.ndarray:
    return quaternion.to_rotation_vector(motion.local_rotations[:, 5]) @ np.array([0.6, 0.0, 0.8])


def limit_speed(motion: Motion, limit: float, joints: np.ndarray) -> tuple[Motion, SpeedReport]:
    slow, slowed = limit_frames(motion, limit, joints)
    return slow, report_speed(motion, limit, joints, slowed)


def all_joints(motion: Motion) -> np.ndarray:
    return np.ones(motion.skeleton.num_joints, dtype=bool)


@pytest.mark.parametrize("limit", [0.3, 3.0])
def test_no_joint_but_the_root_is_faster(limit: float) -> None:
    motion = random_motion(human_skeleton(), 3, num_frames=60)
    before = motion.local_rotations.copy()
    slow, report = limit_speed(motion, limit, all_joints(motion))
    turns = joint_turns(slow)
    assert turns[:, 1:].max() <= limit * motion.frame_time * (1.0 + 1e-9)
    np.testing.assert_array_equal(slow.local_rotations[:, 0], motion.local_rotations[:, 0])
    np.testing.assert_array_equal(motion.local_rotations, before)
    assert len(report.joints) == motion.skeleton.num_joints - 1 and report.slowed > 0.9
    assert report.was_rad_s == pytest.approx(joint_turns(motion)[:, 1:].max() / motion.frame_time)


def test_slow_clips_and_joints_left_out_stay() -> None:
    motion = about_one_axis(np.sin(np.arange(50) / 10.0))
    same, report = limit_speed(motion, 3.5, all_joints(motion))
    assert same is motion and report.joints == () and report.slowed == 0.0
    assert report.was_fastest == motion.skeleton.joint_names[5] and 2.9 < report.was_rad_s <= 3.0
    only = np.zeros(motion.skeleton.num_joints, dtype=bool)
    assert limit_speed(motion, 0.1, only)[0] is motion
    for frames in (0, 1):
        assert limit_speed(motion[:frames], 0.1, all_joints(motion))[0].num_frames == frames


def test_a_turn_that_is_too_fast_begins_earlier_and_ends_later() -> None:
    """About one axis: the mean of the largest function below and the least above that are slow enough (McShane 1934)."""
    angles = np.concatenate([np.linspace(0.0, 0.2, 30), np.linspace(1.2, 1.9, 4), np.full(40, 2.0)])
    limit = 2.4
    slow, report = limit_speed(about_one_axis(angles), limit, all_joints(about_one_axis(angles)))
    far = limit * FRAME_TIME * np.abs(np.arange(len(angles))[:, None] - np.arange(len(angles)))
    expected = 0.5 * ((angles + far).min(axis=1) + (angles - far).max(axis=1))
    np.testing.assert_allclose(angles_of(slow), expected, atol=1e-9)
    changed = np.abs(expected - angles) > 1e-9
    assert not changed[:10].any() and not changed[-10:].any() and report.slowed == pytest.approx(changed.mean())
    signs = about_one_axis(angles)
    flipped = signs.local_rotations * np.where(np.arange(len(angles)) % 2, -1.0, 1.0)[:, None, None]
    assert limit_speed(signs.with_local_rotations(flipped), limit, all_joints(signs))[0].allclose(slow, atol=1e-9)


def test_a_shake_gets_smaller_and_stays_on_time() -> None:
    """After minutes of a shake that is too fast, the joint is still where the shake is, not minutes behind."""
    angles = 0.8 * np.sin(2.0 * np.arange(900)) + 0.3
    slow = angles_of(limit_speed(about_one_axis(angles), 6.0, all_joints(about_one_axis(angles)))[0])
    assert np.abs(slow - 0.3).max() < 0.8 and abs(slow[100:-100].mean() - 0.3) < 0.05
    backwards = angles_of(limit_speed(about_one_axis(angles[::-1]), 6.0, all_joints(about_one_axis(angles)))[0])
    np.testing.assert_allclose(backwards[::-1], slow, atol=1e-9)


def test_a_retarget_keeps_and_reports_it(bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    source, target = bodies.person("LAFAN1").walk(), bodies.person("SMPL", seed=1).walk(10)
    free = retarget(source, target)
    assert free.report.speed is None
    for part in ("whole", "upper"):
        config = RetargetConfig(velocity_limit_rad_s=1.5, part=part)
        result = retarget(source, target, config=config)
        card = score(source, result.motion, target=target, velocity_limit=1.5, part=part)
        assert card.result.speeding.fraction == 0.0 and card.result.speeding.max_rad_s == pytest.approx(1.5)
        assert result.report.speed is not None and result.report.speed.was_rad_s > 1.6 and result.report.speed.joints
    held = retarget(source, target, config=RetargetConfig(velocity_limit_rad_s=1e3))
    assert held.motion.allclose(free.motion, atol=1e-12) and held.report.speed.joints == ()
    assert PRESETS["feet"].velocity_limit_rad_s is None and PRESETS["feet"].hinge_limit_rad_s == 3.0 * np.pi
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(RetargetError, match="velocity_limit_rad_s"):
            RetargetConfig(velocity_limit_rad_s=wrong)
    monkeypatch.chdir(tmp_path)
    save_motion(source, "clip.bvh")
    save_motion(target, "target.bvh")
    arguments = ["clip.bvh", "--to", "target.bvh", "-o", "out.bvh", "--no-picture", "--velocity-limit", "1.5"]
    monkeypatch.setattr(sys, "argv", ["retarget", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 0 and "joints slowed" in capsys.readouterr().out
    assert joint_turns(load_motion("out.bvh"))[:, 1:].max() <= 1.5 * source.frame_time * (1.0 + 1e-4)


def test_feet_stand_on_slowed_legs(clips: Path) -> None:
    """What a limit takes from the legs the root gives: feet of a run neither slide, float nor sink, and no joint is faster."""
    run, target = load_motion(clips / "run_cmu.bvh"), load_motion(clips / "walk_lafan1.bvh")
    result = retarget(run, target, config=RetargetConfig(velocity_limit_rad_s=9.42))
    assert isinstance(result.report.speed, SpeedReport) and result.report.speed.slowed > 0.1
    card = score(run, result.motion, target=target, velocity_limit=9.42 + 1e-6)
    assert card.result.speeding.fraction == 0.0
    assert card.result.slide.mean_cm_s < 1.0 and card.floating.fraction < 0.01 and card.sinking.fraction < 0.01
