from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from kinematics.anatomy import find_anatomy
from kinematics.errors import UnknownNameError
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion, save_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import ChannelLayout, Skeleton
from kinematics.testing import assert_motions_close
from retarget import RetargetError, match
from retarget import retarget as retarget_with

retarget = partial(retarget_with, config="faithful")  # what rotations alone do; feet and hands are in test_solve.py

CONVENTIONS = ["LAFAN1", "Mixamo", "SMPL", "Xsens", "SOMA", "Unity", "Unreal", "Rokoko", "Biped", "Xsens / 100STYLE"]


def positions(motion: Motion) -> np.ndarray:
    return forward_kinematics(motion).global_positions


def test_retargeting_to_the_same_skeleton_changes_nothing(bodies) -> None:
    walk = bodies.person().walk()
    for target in (walk, walk.skeleton):
        result = retarget(walk, target)
        assert_motions_close(result.motion, walk, atol=1e-9)
        assert result.report.same_body and result.report.max_direction_error_degrees < 1e-6


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("with_clip", [True, False])
def test_a_body_in_other_joint_frames_moves_alike(bodies, seed: int, with_clip: bool) -> None:
    """Joint frames turned at random leave no zero pose at all, yet every joint goes where it went."""
    walk = bodies.person("LAFAN1", seed=seed).walk()
    other = bodies.reorient(walk, bodies.random_frames(walk.skeleton.num_joints, seed))
    np.testing.assert_allclose(positions(other), positions(walk), atol=1e-12)
    there = retarget(walk, other if with_clip else other.skeleton)
    np.testing.assert_allclose(positions(there.motion), positions(walk), atol=1e-9)
    assert there.report.same_body and there.report.target_rest == ("clip" if with_clip else "bone directions")
    back = retarget(other, walk)
    np.testing.assert_allclose(positions(back.motion), positions(walk), atol=1e-9)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_moves_alike(bodies, convention: str) -> None:
    """Other names, other joint frames along X, another number of spine and neck joints: limbs point where they pointed."""
    source = bodies.person("LAFAN1")
    target = bodies.person(convention)
    walk = source.walk()
    clip = bodies.reorient(target.walk(turn=-0.4), bodies.frames_along_x(target))
    for given, tolerance in ((target.skeleton, 0.02), (clip, 0.12)):
        result = retarget(walk, given)
        assert set(result.report.bone_directions) >= {"trunk", "neck", "left_thigh", "right_forearm", "right_foot"}
        for name, error in result.report.bone_directions.items():
            if name.endswith(("arm", "thigh", "shin")):
                assert error.max_degrees < 1e-6
        ours = positions(walk)[:, [source.parts[part] for part in target.parts]]
        theirs = positions(result.motion)[:, list(target.parts.values())]
        assert np.linalg.norm(ours - theirs, axis=-1).max() < tolerance


@pytest.mark.parametrize("seed", range(4))
def test_limbs_of_another_build_point_the_same_way(bodies, seed: int) -> None:
    walk = bodies.person("SMPL").walk()
    target = bodies.person("Unreal", seed=seed)
    result = retarget(walk, target.skeleton)
    assert not result.report.same_body
    limbs = [error for name, error in result.report.bone_directions.items() if name.endswith(("arm", "thigh", "shin"))]
    assert len(limbs) == 8 and max(error.max_degrees for error in limbs) < 1e-6
    lengths = [np.linalg.norm(body.offsets[2:], axis=1) for body in (result.motion.skeleton, target.skeleton)]
    np.testing.assert_allclose(*lengths, rtol=1e-12)


def test_hips_travel_in_leg_lengths(bodies) -> None:
    source, target = bodies.person("LAFAN1"), bodies.person("LAFAN1", seed=5)
    walk = source.walk()
    result = retarget(walk, target.skeleton)

    def hips(motion: Motion, person) -> np.ndarray:
        return positions(motion)[:, [person.parts["left_thigh"], person.parts["right_thigh"]]].mean(axis=1)

    def leg(person) -> float:
        return float(sum(np.linalg.norm(person.skeleton.offsets[person.parts[part]]) for part in ("left_shin", "left_foot")))

    travelled = hips(result.motion, target) - hips(result.motion, target)[:1]
    np.testing.assert_allclose(travelled, leg(target) / leg(source) * (hips(walk, source) - hips(walk, source)[:1]), atol=1e-9)
    assert result.report.root_scale == pytest.approx(leg(target) / leg(source), rel=1e-9)


def test_feet_stand_as_high_as_in_the_targets_own_clip(bodies) -> None:
    target = bodies.person("Mixamo", seed=8)
    own = target.walk()
    toes = [target.parts["left_toe"], target.parts["right_toe"]]
    height = np.quantile(positions(own)[:, toes, 1], 0.1)
    own = own.with_root_positions(own.root_positions - [0.0, height - 0.03, 0.0])
    result = retarget(bodies.person("LAFAN1").walk(), own)
    assert np.quantile(positions(result.motion)[:, toes, 1].min(axis=1), 0.2) == pytest.approx(0.03, abs=0.02)


@pytest.mark.parametrize("angle", [0.7, np.pi, -2.0])
def test_turning_the_source_turns_the_result(bodies, angle: float) -> None:
    walk, target = bodies.person("LAFAN1").walk(), bodies.person("SOMA", seed=2).skeleton
    turn = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), angle)
    local = walk.local_rotations.copy()
    local[:, 0] = quaternion.multiply(turn, local[:, 0])
    turned = Motion(walk.skeleton, quaternion.rotate(turn, walk.root_positions), local, walk.frame_time)
    expected = quaternion.rotate(turn, positions(retarget(walk, target).motion))
    np.testing.assert_allclose(positions(retarget(turned, target).motion), expected, atol=1e-9)


def test_the_sources_unit_and_axes_do_not_matter(bodies) -> None:
    walk, target = bodies.person("LAFAN1").walk(), bodies.person("Unity", seed=1).walk()
    expected = retarget(walk, target).motion
    assert_motions_close(retarget(bodies.z_up(walk, 100.0), target).motion, expected, atol=1e-9)


def test_the_result_is_in_the_targets_unit_and_axes(bodies) -> None:
    walk, target = bodies.person("LAFAN1").walk(), bodies.person("Unity", seed=1).walk()
    inches = bodies.z_up(target, 1 / 0.0254)
    expected = bodies.z_up(retarget(walk, target).motion, 1 / 0.0254)
    result = retarget(walk, inches)
    assert_motions_close(result.motion, expected, atol=1e-7)
    assert result.motion.skeleton.layout == inches.skeleton.layout
    only_skeleton = retarget(walk, inches.skeleton)  # the zero pose has Y up, so the world is taken to have it too
    assert positions(only_skeleton.motion)[:, 0, 1].min() > 20.0


def test_there_and_back_is_the_same_motion(bodies) -> None:
    walk = bodies.person("LAFAN1").walk()
    rokoko = bodies.person("Rokoko")
    there = retarget(walk, bodies.reorient(rokoko.walk(), bodies.random_frames(rokoko.skeleton.num_joints, 3)))
    np.testing.assert_allclose(positions(retarget(there.motion, walk).motion), positions(walk), atol=1e-9)


def test_time_and_single_frames_are_kept(bodies) -> None:
    walk, target = bodies.person().walk().with_frame_time(0.0417083750417), bodies.person("SMPL", seed=3).skeleton
    whole, one = retarget(walk, target), retarget(walk[7:8], target)
    assert whole.motion.frame_time == 0.0417083750417 and whole.motion.num_frames == walk.num_frames
    np.testing.assert_allclose(one.motion.local_rotations[0], whole.motion.local_rotations[7], atol=1e-12)


def test_a_root_on_the_floor_stays_there(bodies) -> None:
    """A joint above the pelvis is no part of the body; where the file lets the pelvis move, only the pelvis does."""
    person = bodies.person("Unity", seed=4)
    inner = person.skeleton
    channels = ChannelLayout.default(inner.num_joints + 1)
    moving = ChannelLayout((channels.channels[0],) * 2 + channels.channels[2:], channels.adds_offset)
    for layout in (None, moving):
        floor = Skeleton(
            ("joint_Root", *inner.joint_names),
            np.concatenate([[-1], inner.parents + 1]),
            np.concatenate([[[0.0, 0.0, 0.0]], inner.offsets]),
            inner.end_site_parents + 1,
            inner.end_site_offsets,
            layout=layout,
        )
        walk = bodies.person("LAFAN1").walk()
        result, plain = retarget(walk, floor), retarget(walk, inner)
        np.testing.assert_allclose(positions(result.motion)[:, 1:], positions(plain.motion), atol=1e-9)
        assert result.joint_map.unmapped_target == ("joint_Root",)
        if layout is not None:
            assert np.ptp(result.motion.root_positions, axis=0).max() == 0.0


def test_bones_that_move_are_told(bodies) -> None:
    walk = bodies.person("LAFAN1").walk()
    moving = np.tile(walk.skeleton.offsets, (walk.num_frames, 1, 1))
    steady = Motion(walk.skeleton, walk.root_positions, walk.local_rotations, walk.frame_time, moving)
    result = retarget(steady, steady)
    np.testing.assert_allclose(positions(result.motion), positions(walk), atol=1e-9)
    assert not result.report.warnings
    moving[5:9, 3] *= 1.5
    stretched = Motion(walk.skeleton, walk.root_positions, walk.local_rotations, walk.frame_time, moving)
    assert any("leave their places" in warning for warning in retarget(walk, stretched).report.warnings)


def test_repairs_of_the_files_are_told(bodies, tmp_path) -> None:
    """What the reader filled in is no motion of the person: the report says so."""
    walk, other = bodies.person("LAFAN1").walk(5), bodies.person("SMPL").walk(5)
    save_motion(walk, tmp_path / "walk.bvh")
    lines = (tmp_path / "walk.bvh").read_text().splitlines()
    numbers = lines[-2].split()
    lines[-2] = " ".join(["nan", *numbers[1:]])
    (tmp_path / "broken.bvh").write_text("\n".join(lines) + "\n")
    assert not any("repaired" in note for note in retarget(load_motion(tmp_path / "walk.bvh"), other).report.warnings)
    broken = load_motion(tmp_path / "broken.bvh")
    assert any("the source's file was repaired: line" in note for note in retarget(broken, other).report.warnings)
    assert any("the target's file was repaired: line" in note for note in retarget(other, broken).report.warnings)


def test_arguments_are_left_alone(bodies) -> None:
    walk, target = bodies.person().walk(), bodies.person("SOMA", seed=1).walk()
    before = [array.copy() for motion in (walk, target) for array in (motion.local_rotations, motion.root_positions)]
    retarget(walk, target)
    after = [array for motion in (walk, target) for array in (motion.local_rotations, motion.root_positions)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_given_map_is_followed(bodies) -> None:
    walk, target = bodies.person("LAFAN1").walk(), bodies.person("SMPL", seed=1).skeleton
    joint_map = match(walk, target).without("L_Elbow").with_pair("RightForeArm", "L_Elbow").without("Head")
    result = retarget(walk, target, joint_map=joint_map)
    assert result.joint_map is joint_map
    assert quaternion.angle(result.motion["Head"]).max() == 0.0  # at rest on the neck
    assert any("left forearm miss" in warning for warning in result.report.warnings)
    with pytest.raises(UnknownNameError, match="LeftForeArm"):
        retarget(walk, target, joint_map=joint_map.with_pair("LeftForearn", "L_Elbow"))


def test_what_cannot_be_retargeted_is_refused(bodies) -> None:
    walk = bodies.person().walk()
    prop = Motion(
        Skeleton(("base", "arm"), np.array([-1, 0]), np.eye(3)[:2]), np.zeros((3, 3)), walk.local_rotations[:3, :2], 0.1
    )
    with pytest.raises(RetargetError, match="no frames"):
        retarget(walk[:0], walk)
    with pytest.raises(RetargetError, match=r"the source is not a body with two legs.*base, arm.*left thigh"):
        retarget(prop, walk)
    with pytest.raises(RetargetError, match="the target is not a body"):
        retarget(walk, prop)
    assert retarget(walk, walk[:0]).report.same_body  # a target without frames is its skeleton


def test_a_mirrored_body_is_refused(bodies) -> None:
    walk = bodies.person().walk()
    flip = np.array([1.0, 1.0, -1.0])
    mirrored = walk.skeleton.with_offsets(walk.skeleton.offsets * flip, walk.skeleton.end_site_offsets * flip)
    local = walk.local_rotations * np.array([1.0, -1.0, -1.0, 1.0])
    reflected = Motion(mirrored, walk.root_positions * flip, local, walk.frame_time)
    for source, target in ((reflected, walk), (walk, reflected), (walk, mirrored)):
        with pytest.raises(RetargetError, match=r"mirrored|backwards") as refusal:
            retarget(source, target)
        assert "handedness" not in str(refusal.value)  # no option of `retarget`


@pytest.mark.parametrize("action", ["walk", "squat", "wave", "jump"])
def test_our_clips_agree_across_conventions(clips, action: str) -> None:
    """One body and motion on three rigs: T-pose in metres at 60 Hz, bones along +X in cm, Mixamo's in cm at 30 Hz."""
    motions = {name: load_motion(clips / f"{action}_{name}.bvh") for name in ("cmu", "lafan1", "mixamo")}
    for one, source in motions.items():
        for other, truth in motions.items():
            result = retarget(source, load_motion(clips / f"walk_{other}.bvh"))
            ours = positions(result.motion)[:: 2 if one == "cmu" else 1]
            theirs = positions(truth)[:: 2 if other == "cmu" else 1]
            frames = min(len(ours), len(theirs))
            body = list(find_anatomy(truth.skeleton).joints.values())
            error = np.linalg.norm(ours[:frames, body] - theirs[:frames, body], axis=-1).max()
            height = 1.72 if other == "cmu" else 172.0
            assert error < (1e-5 if result.report.same_body else 0.03) * height, (one, other)


def test_the_same_trial_on_two_rigs(shared_data) -> None:
    """CMU 01_01 was published on two rigs: frame k + 1 of one is frame k of the other, arms down in one zero pose, T in the other.

    The hands of the two files differ by up to 64 degrees from frame to frame, so what hangs on the wrists is left out.
    """
    builder = load_motion(shared_data / "cmu_cgspeed" / "01_01.bvh")[1:]
    max_rig = load_motion(shared_data / "cmu_3dsmax" / "01_01.bvh")
    for source, truth in ((builder, max_rig), (max_rig, builder)):
        for target in (truth, truth.skeleton):
            result = retarget(source, target)
            assert len(result.joint_map) == 31
            error = np.linalg.norm(positions(result.motion) - positions(truth), axis=-1) / 26.2  # by the body's height
            fingers = [joint for joint, name in enumerate(truth.skeleton.joint_names) if "Fingers" in name]
            assert error.mean() < 0.001 and error[:, fingers].mean() < 0.01
            assert np.delete(error, fingers, axis=1).max() < 1e-5


CLIPS = [
    "cmu_3dsmax/jumping_jacks_cut", "cmu_daz/02_01", "fair1/dab", "games105/walk_and_turn_left",
    "makehuman/tpose", "odd/example1_biovision_classic",
]  # fmt: skip


def test_clips_on_skeletons_of_every_kind(shared_data) -> None:
    motions = [load_motion(shared_data / f"{name}.bvh") for name in CLIPS]
    motions = [motion[:: max(1, motion.num_frames // 12)] for motion in motions]
    means = []
    for source in motions:
        for target in motions:
            result = retarget(source, target)
            report = result.report
            limbs = [error for name, error in report.bone_directions.items() if name.endswith(("arm", "thigh", "shin"))]
            assert len(limbs) == 8 and max(error.max_degrees for error in limbs) < 0.01
            assert result.motion.skeleton.joint_names == target.skeleton.joint_names
            assert result.motion.skeleton.layout == target.skeleton.layout
            means.append(report.mean_direction_error_degrees)
    assert np.mean(means) < 5.0


def test_a_result_survives_its_file(bodies, tmp_path) -> None:
    target = bodies.person("Unreal", seed=6).walk()
    save_motion(target, tmp_path / "target.bvh")
    result = retarget(bodies.person("SMPL").walk(), load_motion(tmp_path / "target.bvh")).motion
    save_motion(result, tmp_path / "result.bvh")
    np.testing.assert_allclose(positions(load_motion(tmp_path / "result.bvh")), positions(result), atol=1e-9)
