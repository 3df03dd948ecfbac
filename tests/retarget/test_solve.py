"""What a retarget mends beyond rotations: feet, hands, parts, pins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import ik, metrics
from kinematics.anatomy import find_anatomy
from kinematics.body import measure_body
from kinematics.contacts import foot_contacts
from kinematics.errors import UnknownNameError
from kinematics.forward import forward_kinematics
from kinematics.ik import human_limits
from kinematics.ik.limits import limit_violations
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.standardize import standardize
from retarget import PRESETS, RetargetConfig, RetargetError, retarget

PAIRS = [
    ("walk_cmu", "walk_lafan1"),
    ("run_mixamo", "walk_cmu"),
    ("squat_cmu", "run_mixamo"),
    ("jump_mixamo", "walk_lafan1"),
]


def load(clips: Path, *names: str) -> list[Motion]:
    return [load_motion(clips / f"{name}.bvh") for name in names]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_feet_stand_where_the_sources_stand(clips: Path, source: str, target: str) -> None:
    motion, other = load(clips, source, target)
    world = standardize(motion).motion
    result = standardize(retarget(motion, other).motion).motion
    contacts = foot_contacts(world)
    assert metrics.slide(result, contacts=contacts).mean_cm_s < max(metrics.slide(world).mean_cm_s, 0.3)
    own = foot_contacts(result)
    above = own.heights - own.standing_heights
    for side in (1, -1):
        stands = contacts.in_contact[:, contacts.sides == side].any(axis=1)
        lowest = above[:, own.sides == side].min(axis=1)[stands]
        assert np.quantile(np.abs(lowest), 0.99) < 0.01
    worst = np.degrees([metrics.largest_turn(clip).radians for clip in (world, result)])
    assert worst[1] < 1.5 * worst[0]


def test_a_foot_that_slides_in_the_source_stands_in_the_result(clips: Path) -> None:
    """The body glides 10 cm/s to the side: feet hold, and the hips still go where the source's do."""
    walk, other = load(clips, "walk_cmu", "walk_lafan1")
    glide = walk.times[:, None] * [0.02, 0.0, 0.0]
    gliding = walk.with_root_positions(walk.root_positions + glide)
    before = standardize(retarget(gliding, other, config="faithful").motion).motion
    after = standardize(retarget(gliding, other).motion).motion
    contacts = foot_contacts(standardize(walk).motion)
    assert metrics.slide(before, contacts=contacts).mean_cm_s > 1.5
    assert metrics.slide(after, contacts=contacts).mean_cm_s < 0.5
    assert np.abs(after.root_positions - before.root_positions).max() < 0.06


def test_faithful_keeps_every_rotation_and_style_those_above_the_hips(clips: Path) -> None:
    walk, other = load(clips, "walk_cmu", "walk_lafan1")
    faithful, style = (retarget(walk, other, config=name).motion for name in ("faithful", "style"))
    moved = np.abs(faithful.local_rotations - style.local_rotations).max(axis=(0, 2)) > 1e-12
    legs = {name for name in other.skeleton.joint_names if name.endswith(("UpLeg", "Leg", "Foot"))}
    assert {name for name, changed in zip(other.skeleton.joint_names, moved, strict=True) if changed} == legs
    assert not PRESETS["faithful"].feet and PRESETS["faithful"].hands == 0.0


def test_hands_by_the_body_keep_their_place(bodies) -> None:
    """Both palms meet in front of the source's chest: on shoulders of another width they still meet."""
    source, target = bodies.person("LAFAN1"), bodies.person("Mixamo", seed=2)
    clap = source.walk()
    names = source.skeleton.joint_names
    chest = forward_kinematics(clap).global_positions[:, source.parts["chest"]]
    hands = {
        names[source.parts[side + "hand"]]: ik.position(chest + [across, 0.05, 0.3])
        for side, across in (("left_", 0.03), ("right_", -0.03))
    }
    clap = ik.solve(clap, hands, root="fixed").motion
    gaps = {}
    for name in ("style", "feet"):
        result = retarget(clap, target.skeleton, config=name).motion
        where = forward_kinematics(result).global_positions
        gaps[name] = np.linalg.norm(where[:, target.parts["left_hand"]] - where[:, target.parts["right_hand"]], axis=-1).mean()
    kept = 0.06 * measure_body(retarget(clap, target.skeleton).motion).height / measure_body(clap).height
    assert abs(gaps["feet"] - kept) < 0.005 < 0.015 < abs(gaps["style"] - kept)


def test_one_body_in_two_rigs_is_carried_over_exactly(bodies) -> None:
    walk = bodies.person("LAFAN1").walk()
    other = bodies.reorient(walk, bodies.random_frames(walk.skeleton.num_joints, 1))
    there = retarget(walk, other)
    assert there.report.same_body
    where = [forward_kinematics(clip).global_positions for clip in (walk, there.motion)]
    np.testing.assert_allclose(*where, atol=1e-9)


def test_part_of_the_body(clips: Path) -> None:
    walk, other = load(clips, "run_mixamo", "walk_lafan1")
    upper = retarget(walk, other, config=replace(PRESETS["feet"], part="upper")).motion
    whole = retarget(walk, other).motion
    frames = np.minimum(np.round(upper.times / other.frame_time).astype(int), other.num_frames - 1)
    parts = find_anatomy(other.skeleton).joints
    np.testing.assert_array_equal(upper.root_positions, other.root_positions[frames])
    for part in ("pelvis", "left_shin", "right_foot"):
        np.testing.assert_array_equal(upper.local_rotations[:, parts[part]], other.local_rotations[frames, parts[part]])
    for part in ("chest", "left_forearm", "head"):
        np.testing.assert_array_equal(upper.local_rotations[:, parts[part]], whole.local_rotations[:, parts[part]])
    lower = retarget(walk, other, config=replace(PRESETS["feet"], part="lower")).motion
    np.testing.assert_array_equal(lower.local_rotations[:, parts["head"]], other.local_rotations[frames, parts["head"]])
    np.testing.assert_array_equal(lower.root_positions, whole.root_positions)
    with pytest.raises(RetargetError, match="give a clip"):
        retarget(walk, other.skeleton, config=replace(PRESETS["feet"], part="upper"))


def test_in_place(clips: Path) -> None:
    walk, other = load(clips, "walk_cmu", "walk_lafan1")
    there = retarget(walk, other, config=replace(PRESETS["feet"], in_place=True)).motion
    assert np.ptp(there.root_positions[:, [0, 2]], axis=0).max() < 1e-9 and np.ptp(there.root_positions[:, 1]) > 1.0


def test_a_pinned_hand_stays_at_its_point(clips: Path) -> None:
    squat, other = load(clips, "squat_cmu", "walk_lafan1")
    free = retarget(squat, other)
    start = forward_kinematics(free.motion).position("RightHand")[0]
    pinned = retarget(squat, other, config=replace(PRESETS["feet"], pins={"RightHand": start})).motion
    away = np.linalg.norm(forward_kinematics(pinned).position("RightHand") - start, axis=-1)
    assert away.max() < 2.0  # centimetres
    np.testing.assert_array_equal(pinned["LeftArm"], free.motion["LeftArm"])


def test_pins_are_held_last_within_limits_and_said_where_missed(clips: Path) -> None:
    squat, other = load(clips, "squat_cmu", "walk_lafan1")
    limits = human_limits(other)
    start = forward_kinematics(retarget(squat, other, config=RetargetConfig(in_place=True)).motion).position("LeftHand")[0]
    near = retarget(squat, other, config=RetargetConfig(pins={"LeftHand": start}, limits=limits, in_place=True))
    assert limit_violations(near.motion, limits).max() < 1e-9
    free = retarget(squat, other, config=RetargetConfig(pins={"LeftHand": start}, in_place=True))
    assert np.linalg.norm(forward_kinematics(free.motion).position("LeftHand") - start, axis=-1).max() < 2.0
    far = retarget(squat, other, config=RetargetConfig(pins={"LeftHand": start + 500.0}))
    assert any("LeftHand" in warning and "pin" in warning for warning in far.report.warnings)
    with pytest.raises(UnknownNameError, match="LeftHand"):
        retarget(squat, other, config=RetargetConfig(pins={"LeftHnd": start}))


def test_one_body_obeys_limits_too(clips: Path) -> None:
    run, other = load(clips, "run_mixamo", "walk_lafan1")
    assert retarget(run, other).report.same_body
    with pytest.raises(UnknownNameError):
        retarget(run, other, config=RetargetConfig(limits={"LeftHnd": ik.Cone(np.array([1.0, 0.0, 0.0]), 0.4)}))


def test_limits_hold(clips: Path) -> None:
    run, other = load(clips, "squat_cmu", "walk_lafan1")
    limits = human_limits(other) | {"LeftUpLeg": ik.Cone(np.array([1.0, 0.0, 0.0]), 0.4)}
    assert limit_violations(retarget(run, other).motion, limits).max() > 0.0
    result = retarget(run, other, config=RetargetConfig(limits=limits)).motion
    assert limit_violations(result, limits).max() < 1e-9


@pytest.mark.usefixtures("unchecked_shapes")
def test_wrong_settings_are_said() -> None:
    with pytest.raises(RetargetError, match="hands must be from 0"):
        RetargetConfig(hands=2.0)
    with pytest.raises(UnknownNameError, match="upper"):
        RetargetConfig(part="uper")
    with pytest.raises(RetargetError, match="ease_s"):
        RetargetConfig(ease_s=-1.0)
    with pytest.raises(RetargetError, match=r"\(3,\)"):
        RetargetConfig(pins={"Head": np.zeros(2)})
    with pytest.raises(RetargetError, match="finite"):
        RetargetConfig(ease_s=np.inf)


@pytest.mark.usefixtures("unchecked_shapes")
def test_other_things_than_motions_are_refused(clips: Path) -> None:
    (walk,) = load(clips, "walk_cmu")
    with pytest.raises(RetargetError, match="load_motion"):
        retarget(walk, "walk.bvh")
    with pytest.raises(RetargetError, match="RetargetConfig"):
        retarget(walk, walk, config=None)


def test_an_unknown_preset_is_said(clips: Path) -> None:
    walk, other = load(clips, "walk_cmu", "walk_lafan1")
    with pytest.raises(UnknownNameError, match="faithful"):
        retarget(walk, other, config="faithfull")
