"""Foot contacts on feet whose stance is known, and on walks of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinematics import InputError, Motion, load_motion
from kinematics.contacts import _hysteresis, _without_short_runs, foot_contacts
from kinematics.errors import UnknownNameError
from kinematics.standardize import express, standardize
from kinematics.testing import human_skeleton, random_motion, random_skeleton

RATE = 60.0
CYCLE, STANCE, STRIDE = 1.2, 0.6, 1.4  # seconds, share of the cycle, metres


def puppet(feet: dict[str, np.ndarray], root: np.ndarray) -> Motion:
    """A person whose ankles are put where `feet` says, by bones that stretch; nothing turns."""
    skeleton = human_skeleton()
    frames = len(root)
    local = np.tile(skeleton.offsets, (frames, 1, 1))
    for side in ("Left", "Right"):
        thigh, shin, foot = (skeleton.joint_index(side + part) for part in ("UpLeg", "Leg", "Foot"))
        knee = root + skeleton.offsets[thigh] + skeleton.offsets[shin]
        local[:, foot] = feet[side] - knee
    rotations = np.zeros((frames, skeleton.num_joints, 4))
    rotations[..., 0] = 1.0
    return Motion(skeleton, root, rotations, 1 / RATE, local)


def step(times: np.ndarray, phase: float, across: float) -> tuple[np.ndarray, np.ndarray]:
    """Ankle positions of a walk along Z, and when the foot stands."""
    cycles = times / CYCLE + phase
    count, share = np.floor(cycles), cycles % 1.0
    swing = np.clip((share - STANCE) / (1 - STANCE), 0.0, 1.0)
    eased = swing**3 * (10 - 15 * swing + 6 * swing**2)
    z = STRIDE * (count + eased - phase)
    y = 0.068 + 0.12 * np.sin(np.pi * swing) ** 2
    return np.stack([np.full_like(z, across), y, z], axis=-1), share < STANCE


def walk(seconds: float = 6.1) -> tuple[Motion, dict[str, np.ndarray]]:
    times = np.arange(int(seconds * RATE)) / RATE
    left, stands_left = step(times, 0.0, 0.09)
    right, stands_right = step(times, 0.5, -0.09)
    root = np.stack([0 * times, 0.9 + 0 * times, STRIDE / CYCLE * times], axis=-1)
    return puppet({"Left": left, "Right": right}, root), {"left": stands_left, "right": stands_right}


def test_a_known_stance_is_found():
    motion, truth = walk()
    found = foot_contacts(motion)
    assert found.names == ("LeftFoot", "LeftToe", "RightFoot", "RightToe", "LeftToe_end", "RightToe_end")
    assert found.sides.tolist() == [1, 1, -1, -1, 1, -1]
    for side, seen in (("left", found.left), ("right", found.right)):
        wrong = seen != truth[side]
        near_change = (
            np.convolve(np.abs(np.diff(truth[side].astype(float), prepend=float(truth[side][0]))), np.ones(13), "same") > 0
        )
        assert not (wrong & ~near_change).any(), "wrong only within a tenth of a second of lift and strike"
        assert abs(seen.mean() - truth[side].mean()) < 0.08
    assert (found.left | found.right).all()
    assert found.floor == pytest.approx(0.0, abs=0.02)
    np.testing.assert_array_equal(found.point("LeftFoot"), found.in_contact[:, 0])
    with pytest.raises(UnknownNameError, match="LeftFoot"):
        found.point("LeftFooot")


@pytest.mark.parametrize(("unit", "up"), [("cm", "Y"), ("inch", "Z"), ("CMU", "-X")])
def test_unit_and_axis_do_not_matter(unit: str, up: str):
    motion, _ = walk(3.0)
    here = foot_contacts(motion)
    there = foot_contacts(express(motion, unit=unit, up=up), up=up)
    np.testing.assert_array_equal(here.in_contact, there.in_contact)
    assert there.floor / there.scale == pytest.approx(here.floor / here.scale, abs=1e-9)


@pytest.mark.parametrize("platform", [-0.3, 0.0, 0.45])
def test_a_jump_on_a_platform_that_begins_in_the_air(platform: float):
    times = np.arange(180) / RATE
    height = np.where(times < 0.4, 0.785 - 4.905 * times**2, 0.0)  # falls from 0.785 m, stands, jumps, stands
    height = np.where((times > 1.5) & (times < 2.0), 4.905 * (times - 1.5) * (2.0 - times), np.maximum(height, 0.0))
    flying = height > 0
    root = np.stack([0 * times, 0.93 + height + platform, 0 * times], axis=-1)
    feet = {side: root + np.array([x, -0.93 + 0.068, 0.0]) for side, x in (("Left", 0.09), ("Right", -0.09))}
    found = foot_contacts(puppet(feet, root))
    assert found.floor == pytest.approx(platform, abs=0.02)
    slack = np.convolve(np.abs(np.diff(flying.astype(float), prepend=1.0)), np.ones(7), "same") > 0
    np.testing.assert_array_equal((found.left | ~flying)[~slack], ~flying[~slack])
    assert not found.left[flying & ~slack].any() and not found.right[flying & ~slack].any()


def test_a_foot_held_in_the_air_does_not_stand():
    root = np.tile([0.0, 0.93, 0.0], (120, 1))
    feet = {"Left": root + np.array([0.09, -0.862, 0]), "Right": root + np.array([-0.09, -0.6, 0.1])}
    found = foot_contacts(puppet(feet, root))
    assert found.left.all() and not found.right.any()


def test_hysteresis_by_hand():
    enter = np.array([[0, 1, 0, 0, 0, 1, 1, 0]], dtype=bool).T
    leave = np.array([[0, 0, 0, 1, 0, 0, 1, 0]], dtype=bool).T
    assert _hysteresis(enter, leave)[:, 0].tolist() == [False, True, True, False, False, True, False, False]
    flags = np.array([[1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0]], dtype=bool).T
    expected = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert _without_short_runs(flags, 2)[:, 0].astype(int).tolist() == expected
    assert _without_short_runs(flags, 0)[:, 0].tolist() == flags[:, 0].tolist()


@pytest.mark.parametrize("rate", [24.0, 25.0, 30.0])
def test_a_gap_of_one_frame_is_closed_at_the_rates_of_film(rate: float):
    still = np.tile([[0.0, 0.9, 0.0]], (40, 1))
    feet = {side: np.tile([[across, 0.068, 0.0]], (40, 1)) for side, across in (("Left", 0.09), ("Right", -0.09))}
    feet["Left"][20, 1] += 0.2  # one frame off the floor is shorter than 0.05 s
    motion = puppet(feet, still).with_frame_time(1 / rate)
    held = foot_contacts(motion, enter_speed=50.0, leave_speed=50.0)
    assert held.left.all() and held.right.all()
    assert not foot_contacts(motion, enter_speed=50.0, leave_speed=50.0, shortest_s=1 / rate).left[20]


def test_edges_and_arguments_left_alone():
    motion, _ = walk(1.0)
    before = motion.local_positions.copy()
    assert foot_contacts(motion[:0]).in_contact.shape == (0, 6)
    assert foot_contacts(motion[:1]).left.all()
    np.testing.assert_array_equal(before, motion.local_positions)
    tree = foot_contacts(random_motion(random_skeleton(1, num_joints=1), 2))
    assert tree.in_contact.shape == (20, 0) and tree.floor == 0.0 and not tree.left.any()
    with pytest.raises(ValueError, match="read-only"):
        foot_contacts(motion).in_contact[0, 0] = True
    for wrong in ({"leave_height": 0.01}, {"enter_speed": 2.0}, {"enter_height": -1.0}, {"shortest_s": -1.0}):
        with pytest.raises(InputError, match="thresholds"):
            foot_contacts(motion, **wrong)


def expect_walk(motion: Motion) -> None:
    """Both feet alternate, and stand 55 to 70 % of the time."""
    found = foot_contacts(standardize(motion).motion)
    assert 0.55 <= 0.5 * (found.left.mean() + found.right.mean()) <= 0.7
    assert (found.left | found.right).mean() > 0.97
    only_left, only_right = found.left & ~found.right, found.right & ~found.left
    singles = np.where(only_left, 1, -1)[only_left | only_right]
    assert np.count_nonzero(np.diff(singles)) >= 3


WALKS = ["cmu_cgspeed/12_01_walk.bvh", "cmu_cgspeed/12_03_mh.bvh", "games105/walk60.bvh", "games105/walk_and_turn_left.bvh"]


@pytest.mark.parametrize("path", [*WALKS, "ground_truth/bvhtoolbox_walk01/walk01.bvh"])
def test_walks_of_people(shared_data: Path, path: str):
    expect_walk(load_motion(shared_data / path))


@pytest.mark.parametrize("convention", ["cmu", "lafan1", "mixamo"])
def test_our_own_walks(clips: Path, convention: str):
    expect_walk(load_motion(clips / f"walk_{convention}.bvh"))


def test_a_run_flies_and_a_jump_leaves_the_floor(shared_data: Path):
    run = foot_contacts(standardize(load_motion(shared_data / "games105/run_forward.bvh")).motion)
    assert 0.2 < (~run.left & ~run.right).mean() < 0.5
    hop = foot_contacts(standardize(load_motion(shared_data / "fair1/jumping.bvh")).motion)
    assert 0.03 < (~hop.left & ~hop.right).mean() < 0.15
