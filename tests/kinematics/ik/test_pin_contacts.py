"""Feet that stand still: slide goes, the rest stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import forward_kinematics, ik, load_motion, metrics
from kinematics.anatomy import find_anatomy
from kinematics.contacts import Contacts, foot_contacts, foot_positions
from kinematics.errors import InputError
from kinematics.ik import foot_paths
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.standardize import standardize
from kinematics.testing import human_skeleton, random_motion, random_skeleton
from kinematics.velocities import differentiate_twice


def clip(clips: Path, name: str) -> Motion:
    return standardize(load_motion(clips / f"{name}.bvh")).motion


def slid(motion: Motion, size: float = 0.08) -> Motion:
    """The whole body glides about: what a bad root track looks like."""
    turn = 2.0 * np.pi * motion.times / 3.0
    return motion.with_root_positions(motion.root_positions + size * np.stack([np.sin(turn), 0.0 * turn, np.cos(0.8 * turn)], 1))


def legs(motion: Motion) -> list[int]:
    found = find_anatomy(motion.skeleton).joints
    return sorted(
        {
            joint
            for side in ("left_", "right_")
            for joint in (found[side + "thigh"], *motion.skeleton.descendants(found[side + "thigh"]))
        }
    )


def rest_moved(motion: Motion, pinned: Motion) -> float:
    """Mean distance by which joints other than the legs moved."""
    rest = np.setdiff1d(np.arange(motion.skeleton.num_joints), legs(motion))
    gaps = forward_kinematics(pinned).global_positions - forward_kinematics(motion).global_positions
    return float(np.linalg.norm(gaps[:, rest], axis=-1).mean())


def accelerations(motion: Motion) -> np.ndarray:
    return np.linalg.norm(differentiate_twice(forward_kinematics(motion).global_positions, motion.frame_time), axis=-1)


@pytest.mark.parametrize("name", ["walk_cmu", "turn_lafan1", "run_mixamo", "squat_mixamo", "jump_lafan1"])
def test_slide_goes_and_the_rest_stays(clips, name):
    clean = clip(clips, name)
    motion, contacts = slid(clean), foot_contacts(clean)
    result = ik.pin_contacts(motion, contacts=contacts)
    before, after = metrics.slide(motion, contacts=contacts), metrics.slide(result.motion, contacts=contacts)
    assert before.mean_cm_s > 10.0
    assert after.mean_cm_s < min(1.0, 0.2 * before.mean_cm_s)
    assert rest_moved(motion, result.motion) < 0.02
    assert accelerations(result.motion).max() < 1.05 * accelerations(motion).max()
    assert metrics.largest_turn(result.motion).radians < 1.1 * metrics.largest_turn(motion).radians
    assert metrics.bone_length_drift(result.motion).max_percent == 0.0


@pytest.mark.parametrize("name", ["walk_lafan1", "run_cmu", "squat_lafan1", "wave_mixamo", "jump_cmu"])
def test_feet_that_stand_still_already_are_left_alone(clips, name):
    motion = clip(clips, name)
    result = ik.pin_contacts(motion)
    gaps = forward_kinematics(result.motion).global_positions - forward_kinematics(motion).global_positions
    assert np.linalg.norm(gaps, axis=-1).mean() < 2e-3
    assert metrics.slide(result.motion).mean_cm_s < 1.0


def test_everything_above_the_legs_keeps_its_rotations(clips):
    motion = slid(clip(clips, "walk_cmu"))
    result = ik.pin_contacts(motion)
    others = np.setdiff1d(np.arange(motion.skeleton.num_joints), legs(motion))
    np.testing.assert_array_equal(result.motion.local_rotations[:, others], motion.local_rotations[:, others])
    toes = [find_anatomy(motion.skeleton).joints[side + "toe"] for side in ("left_", "right_")]
    np.testing.assert_array_equal(result.motion.local_rotations[:, toes], motion.local_rotations[:, toes])


def test_feet_keep_their_heights_and_pitch(clips):
    motion = slid(clip(clips, "walk_lafan1"))
    result = ik.pin_contacts(motion)
    before, after = forward_kinematics(motion), forward_kinematics(result.motion)
    for name in ("LeftFoot", "RightToe"):
        np.testing.assert_allclose(after.position(name)[:, 1], before.position(name)[:, 1], atol=2e-3)
        turned = quaternion.multiply(after.rotation(name), quaternion.inverse(before.rotation(name)))
        assert np.abs(turned[:, [1, 3]]).max() < 5e-3


def test_no_contacts_no_change(clips):
    motion = slid(clip(clips, "walk_lafan1"))
    contacts = foot_contacts(motion)
    none = replace(contacts, in_contact=np.zeros_like(contacts.in_contact))
    result = ik.pin_contacts(motion, contacts=none)
    assert result.motion is motion
    assert result.feet == ()
    assert not result.root_shift.any()


@pytest.mark.parametrize(
    "motion",
    [random_motion(random_skeleton(1), 1), random_motion(human_skeleton(), 1)[:1], random_motion(human_skeleton(), 1)[:0]],
)
def test_nothing_to_pin(motion):
    result = ik.pin_contacts(motion)
    assert result.motion is motion
    assert "Pinned" in repr(result)


def test_frames_far_from_contacts_stay_bit_for_bit(clips):
    motion = slid(clip(clips, "wave_cmu"))  # 7.4 s
    contacts = foot_contacts(motion)
    early = np.array(contacts.in_contact)
    early[90:] = False
    result = ik.pin_contacts(motion, contacts=replace(contacts, in_contact=early))
    first = 90 + round(2.0 / motion.frame_time)
    np.testing.assert_array_equal(result.motion.local_rotations[first:], motion.local_rotations[first:])
    np.testing.assert_array_equal(result.motion.root_positions[first:], motion.root_positions[first:])
    assert np.abs(result.motion.local_rotations[:90] - motion.local_rotations[:90]).max() > 1e-3
    change = np.abs(result.motion.local_rotations[first - 1] - motion.local_rotations[first - 1]).max()
    assert change < 1e-5  # and it does not jump there


def test_units_do_not_matter(clips):
    motion = slid(clip(clips, "walk_lafan1"))
    skeleton = motion.skeleton
    large = Motion(
        skeleton.with_offsets(100.0 * skeleton.offsets, 100.0 * skeleton.end_site_offsets),
        100.0 * motion.root_positions,
        motion.local_rotations,
        motion.frame_time,
    )
    small, big = ik.pin_contacts(motion), ik.pin_contacts(large)
    np.testing.assert_allclose(big.motion.root_positions, 100.0 * small.motion.root_positions, atol=1e-3)
    np.testing.assert_allclose(big.motion.local_rotations, small.motion.local_rotations, atol=1e-5)
    assert big.feet[0].slide_before == pytest.approx(100.0 * small.feet[0].slide_before)


@pytest.mark.parametrize(("up", "turn"), [("Y", (0.0, 1.2, 0.0)), ("Z", (np.pi / 2, 0.0, 0.0)), ("-Y", (0.0, 0.0, np.pi))])
def test_the_world_may_be_turned(clips, up, turn):
    motion = slid(clip(clips, "walk_lafan1"))
    rotation = quaternion.from_rotation_vector(np.array(turn))
    rotations = np.array(motion.local_rotations)
    rotations[:, 0] = quaternion.multiply(rotation, rotations[:, 0])
    turned = Motion(motion.skeleton, quaternion.rotate(rotation, motion.root_positions), rotations, motion.frame_time)
    here, there = ik.pin_contacts(motion).motion, ik.pin_contacts(turned, up=up).motion
    np.testing.assert_allclose(there.root_positions, quaternion.rotate(rotation, here.root_positions), atol=1e-5)
    np.testing.assert_allclose(there.local_rotations[:, 1:], here.local_rotations[:, 1:], atol=1e-5)


def test_a_foot_that_sinks_is_lifted(clips):
    motion = clip(clips, "squat_lafan1")
    dip = 0.08 * np.exp(-(((motion.times - 3.0) / 0.3) ** 2))
    sunk = motion.with_root_positions(motion.root_positions - dip[:, None] * np.array([0.0, 1.0, 0.0]))
    contacts = foot_contacts(motion)
    standing = foot_contacts(sunk).standing_heights
    depths = [
        (standing - foot_positions(forward_kinematics(each))[..., 1]).max()
        for each in (
            sunk,
            ik.pin_contacts(sunk, contacts=contacts).motion,
            ik.pin_contacts(sunk, contacts=contacts, sink=1.0).motion,
        )
    ]
    assert depths[0] > 0.07
    assert depths[1] < 0.03
    assert depths[2] == pytest.approx(depths[0], abs=2e-3)


def test_contacts_of_another_skeleton(clips):
    """Feet with other points stand as a whole; the same person in two conventions, and one without tips."""
    motion = slid(clip(clips, "walk_mixamo"))
    source = foot_contacts(clip(clips, "walk_lafan1"))
    ankles = np.array([0, 2])
    fewer = Contacts(
        names=("a", "b"),
        sides=source.sides[ankles],
        in_contact=source.in_contact[:, ankles],
        heights=source.heights[:, ankles],
        speeds=source.speeds[:, ankles],
        standing_heights=source.standing_heights[ankles],
        floor=source.floor,
        scale=source.scale,
    )
    for contacts in (source, fewer):
        result = ik.pin_contacts(motion, contacts=contacts)
        assert [foot.name for foot in result.feet] == ["mixamorig:LeftFoot", "mixamorig:RightFoot"]
        assert all(foot.slide_after < 0.2 * foot.slide_before for foot in result.feet)


def test_the_report_says_what_happened(clips):
    motion = slid(clip(clips, "squat_lafan1"))
    result = ik.pin_contacts(motion)
    np.testing.assert_array_equal(result.root_shift, result.motion.root_positions - motion.root_positions)
    for foot, shown in zip(result.feet, ("LeftFoot", "RightFoot"), strict=True):
        assert foot.name == shown
        assert foot.stance_steps == motion.num_frames - 1  # it stands all the time
        path = forward_kinematics(motion).position(shown)[:, [0, 2]]
        steps = np.linalg.norm(np.diff(path, axis=0), axis=1) / motion.frame_time
        assert foot.slide_before == pytest.approx(steps.mean(), rel=0.02)
        moved = np.linalg.norm(forward_kinematics(result.motion).position(shown)[:, [0, 2]] - path, axis=1)
        assert foot.largest_shift == pytest.approx(moved.max(), abs=2e-3)
        assert foot.slide_after < 0.01


def test_without_easing_a_foot_stops_at_once(clips):
    motion = slid(clip(clips, "walk_cmu"))
    sudden, soft = ik.pin_contacts(motion, ease_s=0.0), ik.pin_contacts(motion, ease_s=0.15)
    assert sudden.feet[0].stance_steps > soft.feet[0].stance_steps
    assert accelerations(sudden.motion).max() >= accelerations(soft.motion).max()


def test_easing():
    state = np.array([True] * 6 + [False] * 2 + [True] * 9 + [False])
    np.testing.assert_array_equal(foot_paths.eased(state, 0.0), state)
    eased = foot_paths.eased(state, 4.0)
    assert eased[0] == 1.0  # the clip's end is no end of the run
    assert (eased[~state] == 0.0).all()
    np.testing.assert_allclose(eased[8:17], eased[8:17][::-1])
    assert (np.diff(eased[8:13]) >= 0.0).all()
    assert eased[12] == 1.0
    assert 0.0 < eased[8] < 0.05


@pytest.mark.parametrize("frames", [2, 3, 9])
def test_paths_are_least_squares(frames):
    """Against the dense normal equations."""
    rng, frame_time = np.random.default_rng(frames), 0.04
    rates, weights = rng.normal(size=(frames - 1, 2)), rng.uniform(size=frames - 1)
    first, second = np.diff(np.eye(frames), axis=0), np.diff(np.eye(frames), n=2, axis=0)
    ratio = foot_paths.RETURN_S / frame_time
    stick = foot_paths.STICK * ratio**2 * np.diag(weights)
    smooth = np.eye(frames) + ratio**4 * second.T @ second
    expected = np.linalg.solve(smooth + first.T @ stick @ first, first.T @ stick @ rates)
    np.testing.assert_allclose(foot_paths.least_squares(rates, weights, frame_time, steps=True), expected, atol=1e-8)
    places, held = rng.normal(size=(frames, 1)), rng.uniform(size=frames)
    expected = np.linalg.solve(smooth + np.diag(held), held[:, None] * places)
    np.testing.assert_allclose(foot_paths.least_squares(places, held, frame_time, steps=False), expected, atol=1e-8)


def test_arguments_are_left_alone(clips):
    motion = slid(clip(clips, "run_mixamo"))
    contacts = foot_contacts(motion)
    flags, rotations = contacts.in_contact.copy(), motion.local_rotations.copy()
    ik.pin_contacts(motion, contacts=contacts)
    np.testing.assert_array_equal(contacts.in_contact, flags)
    np.testing.assert_array_equal(motion.local_rotations, rotations)


def test_what_cannot_be_is_refused(clips):
    motion = clip(clips, "run_mixamo")
    with pytest.raises(InputError, match="frames"):
        ik.pin_contacts(motion, contacts=foot_contacts(motion[:50]))
    for options in ({"ease_s": -0.1}, {"ease_s": float("nan")}, {"sink": -0.01}):
        with pytest.raises(InputError, match="0 or more"):
            ik.pin_contacts(motion, **options)


@pytest.mark.parametrize(
    "name",
    [
        "cmu_cgspeed/12_01_walk.bvh",
        "games105/walk60.bvh",
        "fair1/dab.bvh",
        "pybvh/bvh_test1.bvh",
        "cmu_3dsmax/jumping_jacks_cut.bvh",
    ],
)
def test_captured_clips(shared_data, name):
    motion = standardize(load_motion(shared_data / name)).motion
    result = ik.pin_contacts(motion)
    before, after = (metrics.slide(each, contacts=result.contacts) for each in (motion, result.motion))
    assert after.mean_cm_s < min(1.0, 0.2 * before.mean_cm_s)
    assert rest_moved(motion, result.motion) < 0.02
    assert accelerations(result.motion).max() < 1.05 * accelerations(motion).max()
