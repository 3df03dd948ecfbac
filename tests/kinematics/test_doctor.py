"""Each defect is put into a clean clip, found, and mended; the clean clip stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import ChannelLayout, Motion, Skeleton, forward_kinematics, load_motion, save_motion
from kinematics.doctor import Finding, diagnose, fix
from kinematics.errors import UnknownNameError
from kinematics.glitches import artificial_start, find_jumps, find_spikes
from kinematics.motion import Repair, Source
from kinematics.rotations import quaternion
from kinematics.standardize import express
from kinematics.testing import assert_motions_close, human_skeleton, random_motion, random_skeleton


def clean(frames: int = 90, frame_time: float = 1 / 30) -> Motion:
    """A person who stands, waves both arms and bends the knees a little."""
    skeleton = human_skeleton().with_layout(ChannelLayout.default(21))
    times = np.arange(frames) * frame_time
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))

    def turn(name: str, axis: tuple[float, float, float], angles: np.ndarray) -> None:
        rotations[:, skeleton.joint_index(name)] = quaternion.from_axis_angle(np.array(axis), angles)

    knee = 0.25 + 0.15 * np.sin(2 * times)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        turn(f"{side}UpLeg", (1.0, 0, 0), -0.5 * knee)
        turn(f"{side}Leg", (1.0, 0, 0), knee)
        turn(f"{side}Foot", (1.0, 0, 0), -0.5 * knee)
        turn(f"{side}Arm", (0, 0, 1.0), -sign * (1.0 + 0.3 * np.sin(3 * times + sign)))
    turn("Spine", (0, 1.0, 0), 0.2 * np.sin(times))
    root = np.zeros((frames, 3))
    motion = Motion(skeleton, root, rotations, frame_time)
    root[:, 1] -= forward_kinematics(motion).position("LeftToe_end")[:, 1]
    root[:, 2] -= forward_kinematics(motion).position("LeftToe_end")[:, 2]
    return motion.with_root_positions(root)


CLEAN = clean()


def test_a_clean_clip_is_healthy_and_stays_the_same_object():
    diagnosis = diagnose(CLEAN)
    assert diagnosis.findings == () and diagnosis.is_healthy
    assert str(diagnosis) == "healthy: nothing found"
    mended = fix(CLEAN)
    assert mended.motion is CLEAN and mended.changes == ()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_spikes_of_a_joint_are_found_and_bridged(length: int):
    joint = CLEAN.skeleton.joint_index("LeftForeArm")
    rotations = np.array(CLEAN.local_rotations)
    away = quaternion.from_axis_angle(np.array([0.0, 1, 0]), 1.2)
    rotations[40 : 40 + length, joint] = quaternion.multiply(rotations[40 : 40 + length, joint], away)
    broken = CLEAN.with_local_rotations(rotations)
    found = diagnose(broken).finding("spikes")
    assert found is not None and found.frames == ((40, 39 + length),) and found.fixable
    assert "LeftForeArm by 69 degrees" in found.message
    assert diagnose(broken).finding("jumps") is None
    mended = fix(broken)
    assert_motions_close(mended.motion, CLEAN, atol=1e-3)
    assert len(mended.changes) == 1 and diagnose(mended.motion).findings == ()
    np.testing.assert_array_equal(rotations[40 + length :], broken.local_rotations[40 + length :])


def test_a_spike_of_the_root_is_found_in_any_unit():
    root = np.array(CLEAN.root_positions)
    root[20] += [0.4, 0, 0]
    broken = express(CLEAN.with_root_positions(root), unit="inch", up="Z")
    found = diagnose(broken).finding("spikes")
    assert found is not None and found.frames == ((20, 20),) and "root's position" in found.message
    assert_motions_close(fix(broken).motion, express(CLEAN, unit="inch", up="Z"), atol=0.2)


def test_a_cut_is_a_jump_and_is_not_mended():
    root = np.array(CLEAN.root_positions)
    root[45:] += [1.0, 0, 0]
    broken = CLEAN.with_root_positions(root)
    found = diagnose(broken).finding("jumps")
    assert found is not None and found.frames == ((45, 45),) and not found.fixable
    assert fix(broken).motion is broken
    spikes = find_spikes(broken)
    assert spikes == [] and [jump.first for jump in find_jumps(broken, spikes)] == [45]


def test_an_artificial_first_pose_is_dropped():
    rotations = np.array(CLEAN.local_rotations)
    rotations[0] = quaternion.IDENTITY
    broken = CLEAN.with_local_rotations(rotations)
    assert artificial_start(broken) == 1 and artificial_start(CLEAN) == 0
    assert diagnose(broken).findings[0].check == "first frame"
    assert_motions_close(fix(broken).motion, CLEAN[1:])


def test_a_fast_beginning_is_no_artificial_pose():
    times = np.arange(90) / 30
    rotations = np.array(CLEAN.local_rotations)
    rotations[:, 0] = quaternion.from_axis_angle(np.array([0.0, 1, 0]), 2 * np.exp(-4 * times))
    assert artificial_start(CLEAN.with_local_rotations(rotations)) == 0


@pytest.mark.parametrize("offset", [-0.9, 0.6])
def test_a_clip_beside_the_floor_is_put_onto_it(offset: float):
    broken = express(CLEAN.with_root_positions(CLEAN.root_positions + np.array([0, offset, 0])), unit="cm", up="Z")
    found = diagnose(broken).finding("floor")
    assert found is not None and found.fixable
    mended = fix(broken)
    np.testing.assert_allclose(mended.motion.root_positions[:, 2], 100 * CLEAN.root_positions[:, 1], atol=1.0)
    np.testing.assert_allclose(mended.motion.root_positions[:, :2], broken.root_positions[:, :2])
    assert diagnose(mended.motion).finding("floor") is None


def test_wrapped_angles_of_a_file_are_found_and_written_without_jumps(tmp_path: Path):
    skeleton = Skeleton(("root",), np.array([-1]), np.zeros((1, 3)), layout=ChannelLayout.default(1, rotation_order="YXZ"))
    angles = np.linspace(0, 3 * np.pi, 60)
    rotations = quaternion.from_axis_angle(np.array([0.0, 1, 0]), angles)[:, None]
    values = np.zeros((60, 6))
    values[:, 3] = np.degrees((angles + np.pi) % (2 * np.pi) - np.pi)
    motion = Motion(skeleton, np.zeros((60, 3)), rotations, 0.1, source=Source(channel_values=values))
    found = diagnose(motion).finding("angle wraps")
    assert found is not None and "root" in found.message
    mended = fix(motion).motion
    save_motion(mended, tmp_path / "a.bvh")
    read = load_motion(tmp_path / "a.bvh")
    assert diagnose(read).finding("angle wraps") is None
    assert_motions_close(read, motion, atol=1e-9)


def test_time_repeats_and_repairs():
    assert diagnose(CLEAN.with_frame_time(1.0)).finding("frame time") is not None
    twice = CLEAN[np.repeat(np.arange(90), 2)].with_frame_time(1 / 60)
    found = diagnose(twice).finding("repeats")
    assert found is not None and found.severity == "warning" and "2 times" in found.message
    held = CLEAN[np.concatenate([np.arange(50), np.full(5, 49), np.arange(50, 90)])]
    found = diagnose(held).finding("repeats")
    assert found is not None and found.severity == "note" and found.frames == ((50, 54),)
    frozen = diagnose(CLEAN[np.zeros(30, int)]).finding("repeats")
    assert frozen is not None and "nothing moves" in frozen.message
    repaired = replace(CLEAN, source=Source(repairs=(Repair(12, "nan filled"),)))
    assert "line 12: nan filled" in str(diagnose(repaired))


def test_structure_stretch_and_gimbal():
    skeleton = CLEAN.skeleton
    offsets = np.array(skeleton.offsets)
    offsets[skeleton.joint_index("Spine1")] = 0.0
    found = diagnose(replace(CLEAN, skeleton=skeleton.with_offsets(offsets))).finding("bones")
    assert found is not None and "Spine1" in found.message and found.severity == "note"
    local = np.tile(skeleton.offsets, (90, 1, 1))
    local[:, skeleton.joint_index("LeftForeArm")] *= 1 + 0.05 * np.sin(CLEAN.times)[:, None]
    assert diagnose(replace(CLEAN, local_positions=local)).finding("bones stretch") is not None
    rotations = np.array(CLEAN.local_rotations)
    rotations[:, skeleton.joint_index("Head")] = quaternion.from_axis_angle(np.array([0.0, 1, 0]), np.pi / 2)  # ZYX
    found = diagnose(CLEAN.with_local_rotations(rotations)).finding("gimbal lock")
    assert found is not None and "Head (100% of frames)" in found.message


def test_feet_that_slide_sink_or_never_stand():
    root = np.array(CLEAN.root_positions)
    root[:, 0] += 0.35 * CLEAN.times
    assert diagnose(CLEAN.with_root_positions(root)).finding("sliding feet") is not None
    root = np.array(CLEAN.root_positions)
    root[30:40, 1] -= 0.1
    assert diagnose(CLEAN.with_root_positions(root)).finding("penetration") is not None
    root[:, 0] += 3 * CLEAN.times
    found = diagnose(CLEAN.with_root_positions(root)).finding("feet")
    assert found is not None and "no foot ever stands" in found.message


def test_a_mirrored_body_is_an_error():
    names = [n.replace("Left", "@").replace("Right", "Left").replace("@", "Right") for n in CLEAN.skeleton.joint_names]
    mirrored = replace(CLEAN, skeleton=replace(CLEAN.skeleton, joint_names=tuple(names), end_site_names=()))
    assert diagnose(mirrored).findings[0].check == "handedness"
    assert not diagnose(mirrored).is_healthy


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_short_clips_and_props(frames: int):
    assert diagnose(CLEAN[:frames]).is_healthy == (frames > 0)
    fix(CLEAN[:frames])
    tree = random_motion(random_skeleton(1), 2, num_frames=frames)
    assert diagnose(tree).finding("body") is not None
    fix(tree)
    point = random_motion(random_skeleton(0, num_joints=1, num_end_sites=0), 0, num_frames=frames)
    diagnose(point)
    fix(point)


def test_severities_are_checked():
    with pytest.raises(UnknownNameError, match="warning"):
        Finding("x", "warnin", "y")


CMU = ["cmu_cgspeed/01_01.bvh", "cmu_cgspeed/12_01_walk.bvh", "cmu_cgspeed/12_03_mh.bvh"]
WITHOUT = ["cmu_3dsmax/01_01.bvh", "fair1/jumping.bvh", "games105/walk60.bvh", "games105/run_forward.bvh", "pybvh/bvh_test2.bvh"]


@pytest.mark.parametrize("path", CMU + WITHOUT)
def test_clips_of_people(shared_data: Path, path: str):
    """CMU's MotionBuilder files lose frame 0, nothing else is touched; a second look finds nothing to mend."""
    motion = load_motion(shared_data / path)
    mended = fix(motion)
    assert mended.motion.num_frames == motion.num_frames - (path in CMU)
    np.testing.assert_array_equal(mended.motion.root_positions, motion.root_positions[int(path in CMU) :])
    np.testing.assert_array_equal(mended.motion.local_rotations, motion.local_rotations[int(path in CMU) :])
    assert fix(mended.motion).changes == ()


@pytest.mark.parametrize("name", ["walk_cmu", "run_lafan1", "jump_mixamo", "wave_cmu"])
def test_our_own_clips_are_healthy(clips: Path, name: str):
    motion = load_motion(clips / f"{name}.bvh")
    assert diagnose(motion).is_healthy
    assert fix(motion).motion is motion
