"""Unit, up axis, handedness and facing inferred from moving bodies, and the conversion itself."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import InputError, Motion, Skeleton, forward_kinematics, load_motion
from kinematics.body import bone_lengths, measure_body
from kinematics.errors import UnknownNameError
from kinematics.frames import UP_AXES, heading, rotation_to_y_up
from kinematics.motion import Repair, Source
from kinematics.rotations import quaternion
from kinematics.standardize import FACINGS, express, standardize
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton
from kinematics.world import METRES, inspect_world

Y = np.array([0.0, 1.0, 0.0])


def stepping(height: float = 1.75, frames: int = 40, stretch: bool = False) -> Motion:
    """A person who lifts the knees in turn and turns about Y, in metres and Y up."""
    skeleton = human_skeleton(height)
    times = np.arange(frames) / 30
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    rotations[:, 0] = quaternion.from_axis_angle(Y, 0.4 + times)
    for side, phase in (("Left", 0.0), ("Right", np.pi)):
        lift = 0.4 + 0.3 * np.sin(5 * times + phase)
        x = np.array([1.0, 0, 0])
        rotations[:, skeleton.joint_index(f"{side}UpLeg")] = quaternion.from_axis_angle(x, -lift)
        rotations[:, skeleton.joint_index(f"{side}Leg")] = quaternion.from_axis_angle(x, 2 * lift)
    root = np.stack([0.3 * times, 0.53 * height + 0 * times, 0.2 * times], axis=-1)
    local = skeleton.offsets * (1 + 0.01 * np.sin(times))[:, None, None] if stretch else None
    return Motion(skeleton, root, rotations, 1 / 30, local)


def mirrored(motion: Motion) -> Motion:
    """The reflection across X = 0 with names left as they are: what a left-handed file looks like."""
    flip, turn = np.array([-1.0, 1, 1]), np.array([1.0, 1, -1, -1])
    skeleton = motion.skeleton.with_offsets(motion.skeleton.offsets * flip, motion.skeleton.end_site_offsets * flip)
    moving = None if motion.local_positions is None else motion.local_positions * flip
    return Motion(skeleton, motion.root_positions * flip, motion.local_rotations * turn, motion.frame_time, moving)


@pytest.mark.parametrize("unit", [name for name in METRES if name != "CMU"])
@pytest.mark.parametrize("up", ["Y", "Z", "-X"])
@pytest.mark.parametrize("stretch", [False, True])
def test_what_was_changed_is_inferred_and_undone(unit: str, up: str, stretch: bool):
    motion = stepping(stretch=stretch)
    result = standardize(express(motion, unit=unit, up=up))
    assert (result.report.unit.value, result.report.up.value) == (unit, up)
    assert result.report.handedness.value == "right-handed"
    assert result.report.confidence > 0.8
    assert_motions_close(result.motion, motion, atol=1e-8)


@pytest.mark.parametrize("up", UP_AXES)
def test_conversion_turns_and_scales_all_positions_alike(up: str):
    motion = express(stepping(), unit="cm", up=up)
    result = standardize(motion, unit="cm", up=up)
    before, after = forward_kinematics(motion), forward_kinematics(result.motion)
    turn = rotation_to_y_up(up)
    np.testing.assert_allclose(after.global_positions, 0.01 * quaternion.rotate(turn, before.global_positions), atol=1e-9)
    np.testing.assert_allclose(after.end_site_positions, 0.01 * quaternion.rotate(turn, before.end_site_positions), atol=1e-9)
    assert_quats_close(after.global_rotations, quaternion.multiply(turn, before.global_rotations))
    np.testing.assert_array_equal(result.motion.local_rotations[:, 1:], motion.local_rotations[:, 1:])
    assert result.motion.frame_time == motion.frame_time and result.motion.skeleton.layout == motion.skeleton.layout
    assert all(guess.confidence == 1.0 for guess in (result.report.unit, result.report.up))


def test_nothing_changes_where_nothing_has_to():
    motion = stepping()
    assert standardize(motion).motion is motion
    source = Source(path="a.bvh", repairs=(Repair(3, "mended"),), channel_values=np.zeros((40, 3)))
    cm = replace(express(motion, unit="cm"), source=source)
    kept = standardize(cm).motion.source
    assert (kept.path, kept.repairs, kept.channel_values) == ("a.bvh", source.repairs, None)
    assert cm.source.channel_values is not None


@pytest.mark.parametrize("forward", list(FACINGS))
def test_forward_turns_the_first_frame(forward: str):
    result = standardize(express(stepping(), unit="cm", up="Z"), forward=forward)
    found = heading(result.motion)
    np.testing.assert_allclose(np.exp(1j * found.angles[0]), np.exp(1j * FACINGS[forward]), atol=1e-9)
    np.testing.assert_allclose(
        found.angles - found.angles[0], heading(stepping()).angles - heading(stepping()).angles[0], atol=1e-9
    )


@pytest.mark.parametrize("height", [0.95, 1.2, 1.5, 1.75, 2.05])
def test_children_and_giants(height: float):
    report = inspect_world(express(stepping(height), unit="cm"))
    assert report.unit.value == "cm"
    assert report.body_height == pytest.approx(height, rel=0.02)


def test_an_odd_size_is_said_to_be_uncertain():
    report = inspect_world(stepping(4.4))  # 4.4 m, or 44 of another unit?
    assert report.unit.confidence < 0.7 and report.unit.alternatives
    assert "unit: " in str(report) and "body height" in str(report)


def test_a_crouch_and_a_jump_do_not_change_the_unit():
    motion = stepping()
    root = np.array(motion.root_positions)
    root[:, 1] = np.linspace(0.3, 1.4, len(root))
    assert inspect_world(express(motion.with_root_positions(root), unit="inch")).unit.value == "inch"


def test_a_y_up_zero_pose_under_z_up_motion():
    motion = express(stepping(), unit="cm", up="Z")  # offsets stay Y up, only the root turns
    assert motion.skeleton.offsets[motion.skeleton.joint_index("Spine"), 1] > 5
    assert inspect_world(motion).up.value == "Z"


def test_a_body_that_leans_is_less_certain_about_up():
    motion = stepping()
    rotations = np.array(motion.local_rotations)
    rotations[:, 0] = quaternion.from_axis_angle(np.array([1.0, 0, 1.0]) / np.sqrt(2), np.pi / 4)
    report = inspect_world(motion.with_local_rotations(rotations))
    assert report.up.confidence < 0.99


def test_a_reflection_is_refused_and_can_be_overridden():
    for up in ("Y", "Z"):
        wrong = express(mirrored(stepping()), unit="cm", up=up)
        with pytest.raises(InputError, match="mirrored"):
            standardize(wrong)
        taken = standardize(wrong, handedness="right")
        assert taken.report.handedness.value == "left-handed"
    assert standardize(mirrored(mirrored(stepping()))).report.handedness.value == "right-handed"


def test_no_false_alarm_on_stiff_short_or_backward_clips():
    motion = mirrored(stepping())
    standardize(motion[:5])  # too short to be sure
    stiff = np.array(motion.local_rotations)
    stiff[:, 1:] = quaternion.IDENTITY
    standardize(motion.with_local_rotations(stiff))  # a T-pose whose knees never bend
    backward = stepping()
    root = -np.array(backward.root_positions)
    root[:, 1] *= -1
    assert standardize(backward.with_root_positions(root)).report.handedness.confidence > 0.95


def test_a_prop_is_inferred_with_little_confidence():
    for motion in (
        random_motion(random_skeleton(2), 3, num_frames=30),
        random_motion(random_skeleton(0, num_joints=1, num_end_sites=0), 0),
        stepping(frames=0),
    ):
        report = standardize(motion).report
        assert report.up.confidence <= 0.6
        assert str(report)
    assert not inspect_world(random_motion(random_skeleton(2), 3)).is_body
    point = Motion(
        Skeleton(("a",), np.array([-1]), np.zeros((1, 3))), np.zeros((2, 3)), np.tile(quaternion.IDENTITY, (2, 1, 1)), 0.1
    )
    assert standardize(point).motion is point


def test_overrides_are_checked():
    motion = stepping()
    assert standardize(motion, unit="CM").report.metres_per_unit == 0.01
    assert standardize(motion, unit=0.2).report.unit.value == "0.2 m"
    for wrong in ({"unit": "ell"}, {"up": "W"}, {"forward": "Z"}, {"handedness": "left"}):
        with pytest.raises(UnknownNameError):
            standardize(motion, **wrong)
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="unit"):
            standardize(motion, unit=bad)
    with pytest.raises(UnknownNameError):
        express(motion, unit="ell")


def test_arguments_are_left_alone():
    motion = express(stepping(stretch=True), unit="cm", up="Z")
    before = [
        motion.root_positions.copy(),
        motion.local_rotations.copy(),
        motion.local_positions.copy(),
        motion.skeleton.offsets.copy(),
    ]
    standardize(motion, forward="+X")
    after = [motion.root_positions, motion.local_rotations, motion.local_positions, motion.skeleton.offsets]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_body_measures_by_hand():
    size = measure_body(stepping(2.0))
    assert size.leg_length == pytest.approx(2.0 * 0.491)
    # legs say 2.0; soles, legs, spine, neck and head: 0.078 + 0.982 + (0.1 + 0.1 + 0.11 + 0.05 + 0.11) * 2
    assert size.height == pytest.approx(0.5 * (2.0 + 0.078 + 0.982 + 0.94))
    assert measure_body(stepping(2.0, stretch=True)).height == pytest.approx(size.height, rel=0.02)
    chain = Skeleton(("a", "b", "c"), np.array([-1, 0, 0]), np.array([[9.0, 9, 9], [3, 0, 0], [0, 4, 0]]))
    motion = Motion(chain, np.zeros((1, 3)), np.tile(quaternion.IDENTITY, (1, 3, 1)), 0.1)
    assert measure_body(motion).height == pytest.approx(7.0) and not measure_body(motion).is_body
    np.testing.assert_allclose(bone_lengths(motion), [0, 3, 4])


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "MANIFEST.tsv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if "synthetic" not in row["path"]]


def test_every_third_party_clip_comes_out_as_its_manifest_says(shared_data: Path):
    rows = manifest(shared_data)
    assert len(rows) > 20
    for row in rows:
        motion = load_motion(shared_data / row["path"])
        report = standardize(motion).report
        assert report.up.value == row["up"], row["path"]
        if row["units"] != "-":
            unit = row["units"].split()[0]
            assert report.unit.value == {"example:": "inch"}.get(unit, unit), row["path"]
            assert report.unit.confidence > 0.8 and 1.0 < report.body_height < 2.0, row["path"]
            assert report.handedness.value == "right-handed", row["path"]


def test_mirrored_third_party_clips_are_refused(shared_data: Path):
    for path in (
        "cmu_cgspeed/12_01_walk.bvh",
        "games105/walk60.bvh",
        "fair1/dab.bvh",
        "ground_truth/bvhtoolbox_walk01/walk01.bvh",
    ):
        with pytest.raises(InputError, match="mirrored"):
            standardize(mirrored(load_motion(shared_data / path)))


@pytest.mark.parametrize("action", ["walk", "run", "squat", "jump"])
@pytest.mark.parametrize("convention", ["cmu", "lafan1", "mixamo"])
def test_our_own_clips(clips: Path, action: str, convention: str):
    report = standardize(load_motion(clips / f"{action}_{convention}.bvh")).report
    assert report.unit.value == {"cmu": "m"}.get(convention, "cm")
    assert report.up.value == "Y" and report.handedness.value == "right-handed"
    assert 1.5 < report.body_height < 2.0
