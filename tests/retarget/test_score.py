"""Each number of the score card on a case computed by hand; then laws of the whole card."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from kinematics import InputError, Motion
from kinematics.anatomy import find_anatomy
from kinematics.body import measure_body
from kinematics.contacts import carry_contacts, foot_contacts, match_feet
from kinematics.edit import mirror
from kinematics.errors import UnknownNameError
from kinematics.ik import Hinge
from kinematics.io import load_motion, save_motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import human_skeleton
from retarget import RetargetError, match, retarget, score
from retarget.cli import main
from retarget.score_bodies import common_parts

RATE, HIPS = 50.0, 0.53 * 1.75


def standing(root: np.ndarray, skeleton: Skeleton | None = None) -> Motion:
    skeleton = skeleton or human_skeleton()
    rotations = np.tile(quaternion.IDENTITY, (len(root), skeleton.num_joints, 1))
    return Motion(skeleton, root, rotations, 1 / RATE)


def still(frames: int = 50) -> np.ndarray:
    return np.tile([0.0, HIPS, 0.0], (frames, 1))


def turned(motion: Motion, joint: str, degrees: np.ndarray, axis: int = 0) -> Motion:
    rotations = np.array(motion.local_rotations)
    rotations[:, motion.skeleton.joint_index(joint)] = quaternion.from_axis_angle(np.eye(3)[axis], np.radians(degrees))
    return motion.with_local_rotations(rotations)


def without_feet(skeleton: Skeleton) -> Skeleton:
    """Return a skeleton whose legs end at the ankles."""
    keep = [joint for joint, name in enumerate(skeleton.joint_names) if "Toe" not in name]
    new = {old: place for place, old in enumerate(keep)}
    ends = [end for end, parent in enumerate(skeleton.end_site_parents.tolist()) if parent in new]
    return Skeleton(
        tuple(skeleton.joint_names[joint] for joint in keep),
        np.array([-1] + [new[int(skeleton.parents[joint])] for joint in keep[1:]]),
        skeleton.offsets[keep],
        np.array([new[int(skeleton.end_site_parents[end])] for end in ends]),
        skeleton.end_site_offsets[ends],
    )


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for key in sorted(value) if not key.endswith("frame") or "cm" in key for number in numbers(value[key])]
    return [float(value)] if isinstance(value, int | float) else []


def test_feet_that_slide_at_three_centimetres_a_second() -> None:
    root = still(101)
    root[:, 2] = 0.03 * np.arange(101) / RATE
    card = score(standing(still(101)), standing(root))
    assert card.source.slide.mean_cm_s == card.source.own_slide.p95_cm_s == 0.0
    assert card.result.slide.mean_cm_s == pytest.approx(3.0) == pytest.approx(card.result.slide.p95_cm_s)
    assert card.result.own_slide.mean_cm_s == pytest.approx(3.0) and card.result.slide.stance_steps == 200
    # 0.06 cm a frame: under OmniRetarget's 1 cm a frame in every frame, over the 1 cm/s of its comment in every frame
    assert (card.slide_per_frame.fraction, card.slide_per_frame.stance_frames) == (0.0, 100)
    assert (card.slide_per_second.fraction, card.slide_per_second.stance_frames) == (1.0, 100)
    assert card.slide_per_frame.threshold_cm_s == pytest.approx(50) and card.slide_per_second.threshold_cm_s == pytest.approx(1)
    assert card.slide_per_second.threshold_cm_frame == pytest.approx(0.02)
    # The path is off by -1.5 to 1.5 cm from its middle.
    assert card.key_bodies.path.max_cm == pytest.approx(3.0) and card.key_bodies.path.mean_cm == pytest.approx(1.515, abs=1e-3)


def test_slide_fraction_counts_frames_in_which_a_toe_slides() -> None:
    root = still(101)
    steps = np.where(np.arange(100) % 4 == 0, 0.012, 0.002)  # 1.2 cm a frame in every fourth
    root[1:, 0] = np.cumsum(steps)
    card = score(standing(still(101)), standing(root))
    assert card.slide_per_frame.fraction == pytest.approx(0.25)


def test_feet_that_sink_two_centimetres_in_ten_of_fifty_frames() -> None:
    root = still(50)
    root[20:30, 1] -= 0.02
    card = score(standing(still(50)), standing(root))
    assert (card.result.penetration.fraction, card.sinking.fraction) == (pytest.approx(0.2), pytest.approx(0.2))
    for found in (card.result.penetration, card.sinking):
        assert found.mean_depth_cm == pytest.approx(2.0) == found.max_depth_cm
    assert card.source.penetration.max_depth_cm == card.floating.fraction == card.result.floating.fraction == 0.0
    assert card.source.floor_cm == card.result.floor_cm == pytest.approx(0.0, abs=1e-9)


def test_feet_that_float_three_centimetres_in_ten_of_fifty_frames() -> None:
    root = still(50)
    root[20:30, 1] += 0.03
    card = score(standing(still(50)), standing(root))
    for found in (card.floating, card.result.floating):
        assert found.fraction == pytest.approx(0.2) and found.mean_height_cm == pytest.approx(3.0) and found.stance_frames == 100
    assert card.sinking.max_depth_cm == 0.0
    # What the source's feet do as well is no fault of the result; both columns show it.
    same = score(standing(root), standing(root))
    assert same.floating.fraction == 0.0 and same.source.floating.fraction == same.result.floating.fraction == pytest.approx(0.2)
    root[:, 1] += 0.4  # a body on a stage: the floor is where it stands
    assert score(standing(still(50)), standing(root)).result.floor_cm == pytest.approx(40.0)


def test_a_lifted_heel_is_no_fault_of_a_body_without_toes() -> None:
    source = standing(still(60))
    lift = np.concatenate([np.zeros(20), np.linspace(0, 20, 20), np.full(20, 20.0)])
    skeleton = source.skeleton
    toe = skeleton.offsets[skeleton.joint_index("LeftToe")]
    local = np.tile(skeleton.offsets, (60, 1, 1))
    for side in ("Left", "Right"):  # the ankles rise over toes that stay
        pitch = quaternion.from_axis_angle(np.array([1.0, 0, 0]), np.radians(lift))
        local[:, skeleton.joint_index(side + "Foot")] += toe - quaternion.rotate(pitch, toe)
        source = turned(turned(source, side + "Foot", lift), side + "Toe", -lift)
    source = replace(source, local_positions=local)
    bare = without_feet(skeleton)
    kept = [skeleton.joint_index(name) for name in bare.joint_names]
    result = Motion(bare, source.root_positions, source.local_rotations[:, kept], 1 / RATE, local[:, kept])
    assert score(source, source).source.floating.fraction == 0.0  # the toes stand
    card = score(source, result)
    assert card.result.floating.fraction > 0.4 and card.source.floating.fraction == pytest.approx(card.result.floating.fraction)
    assert card.floating.fraction == card.sinking.fraction == 0.0


def test_matched_feet_compare_like_with_like() -> None:
    whole = human_skeleton()
    bare = without_feet(whole)
    assert match_feet(whole, whole)[0].tolist() == [0, 1, 0, 1, 2, 2]
    here, there = match_feet(whole, bare)
    assert here.tolist() == [0, -1, 0, -1, -1, -1] and there.tolist() == [0, 0]
    tips = whole.with_offsets(whole.offsets, np.where(np.arange(5)[:, None] % 2 == 1, 0.0, whole.end_site_offsets))
    assert match_feet(tips, whole)[1].tolist() == [0, 1, 0, 1, -1, -1]
    contacts, other = foot_contacts(standing(still(9), whole)), foot_contacts(standing(still(9), bare))
    carried = carry_contacts(contacts, here, other, there)
    assert carried.names == other.names and carried.in_contact.all()
    back = carry_contacts(other, there, contacts, here)
    assert back.in_contact.sum(axis=0).tolist() == [9, 0, 9, 0, 0, 0]
    with pytest.raises(InputError, match="9 and 8"):
        carry_contacts(contacts, here, foot_contacts(standing(still(8), bare)), there)


def test_a_joint_that_jumps_forty_degrees_in_one_frame() -> None:
    source = turned(standing(still()), "LeftArm", 20.0 * (np.arange(50) >= 20))
    result = turned(standing(still()), "LeftArm", 40.0 * (np.arange(50) >= 25))
    card = score(source, result)
    turn = card.result.largest_turn
    assert (turn.joint, turn.frame, np.degrees(turn.radians)) == ("LeftArm", 25, pytest.approx(40.0))
    assert card.turn_ratio == pytest.approx(2.0)
    over = card.result.speeding  # 40 degrees in 1/50 s; the source's 20 degrees are 17.5 rad/s
    assert over.fraction == pytest.approx(1 / 49) == card.source.speeding.fraction
    assert over.max_rad_s == pytest.approx(np.radians(40) * RATE) and over.joint == "LeftArm"
    assert over.limit_rad_s == pytest.approx(3 * np.pi)
    assert score(source, result, velocity_limit=30.0).source.speeding.fraction == 0.0


def test_the_root_has_no_velocity_limit() -> None:
    card = score(standing(still()), turned(standing(still()), "Hips", 40.0 * (np.arange(50) >= 25), 1))
    assert card.result.largest_turn.joint == "Hips" and card.result.speeding.fraction == 0.0


def test_a_first_frame_that_has_not_converged() -> None:
    steady = np.cumsum(np.full(50, 2.0))
    source = turned(standing(still()), "LeftArm", steady)
    jumping = steady + 18.0 * (np.arange(50) >= 1)  # 20 degrees in the first step, 2 in the others
    card = score(source, turned(standing(still()), "LeftArm", jumping))
    assert card.source.first_frame.ratio == pytest.approx(1.0) and card.source.first_frame.converged
    assert card.result.first_frame.ratio == pytest.approx(10.0) and not card.result.first_frame.converged
    assert card.result.first_frame.degrees == pytest.approx(20.0)


def test_joint_limits() -> None:
    limits = {"LeftLeg": Hinge(np.array([1.0, 0, 0]), 0.0, np.radians(90)), "RightLeg": Hinge(np.array([1.0, 0, 0]), 0.0, 1.0)}
    bends = np.where(np.arange(50) < 5, 100.0, 45.0)  # 10 degrees too far in a tenth of the frames
    card = score(standing(still()), turned(standing(still()), "LeftLeg", bends), limits=limits)
    found = card.result.overstepping
    assert found is not None and card.source.overstepping is None
    assert (found.fraction, found.joint, found.joints) == (pytest.approx(0.1), "LeftLeg", 2)
    assert found.max_degrees == pytest.approx(10.0)
    with pytest.raises(UnknownNameError, match="LeftLeg"):
        score(standing(still()), standing(still()), limits={"LeftLegg": limits["LeftLeg"]})


def test_key_bodies_and_bones_of_a_turned_forearm() -> None:
    source = standing(still(20))
    result = turned(source, "LeftForeArm", np.full(20, 60.0), 1)  # a hand goes as far as the forearm is long
    card = score(source, result)
    forearm = 14.6 * 1.75
    assert card.key_bodies.mean_cm["left_hand"] == pytest.approx(forearm) == pytest.approx(card.key_bodies.error.max_cm)
    assert card.key_bodies.error.worst_joint == "left_hand"
    assert card.key_bodies.error.mean_cm == pytest.approx(forearm / 10)  # of ten key bodies
    assert card.key_bodies.error.max_percent == pytest.approx(forearm / measure_body(result).height)
    assert card.bone_directions["left_forearm"].mean_degrees == pytest.approx(60.0)
    assert card.mean_direction_error_degrees == pytest.approx(60.0 / len(card.bone_directions))
    assert card.max_direction_error_degrees == pytest.approx(60.0)


def test_key_bodies_do_not_see_proportions(bodies) -> None:
    """Arms half as long, legs longer: the same rotations are no error."""
    person = bodies.person()
    scales = np.ones((person.skeleton.num_joints, 1))
    for part, scale in {"forearm": 0.5, "hand": 0.5, "shin": 1.2, "foot": 1.2, "upper_arm": 1.3}.items():
        for side in ("left_", "right_"):
            scales[person.parts[side + part]] = scale
    walk = person.walk()
    longer = replace(walk, skeleton=person.skeleton.with_offsets(scales * person.skeleton.offsets))
    card = score(walk, longer)
    assert card.key_bodies.error.max_cm < 2.5  # the shoulders are wider by more than their height: the trunk's line leans
    assert card.key_bodies.leg_ratio == pytest.approx(1.2)
    assert max(card.key_bodies.mean_cm[part] for part in ("left_foot", "right_shin")) < 1e-9


def test_jerk_of_a_cubic() -> None:
    times = np.arange(60) / RATE
    root = still(60)
    root[:, 0] += times**3  # third derivative 6
    card = score(standing(still(60)), standing(root))
    assert card.source.jerk.mean == pytest.approx(0.0, abs=1e-6) and card.result.jerk.mean == pytest.approx(6.0)


def test_a_clip_with_itself(bodies) -> None:
    walk = bodies.person("Mixamo").walk()
    card = score(walk, walk, joint_map=match(walk, walk))
    assert card.source == card.result
    assert card.key_bodies.error.max_cm == pytest.approx(0.0, abs=1e-10) == card.key_bodies.path.max_cm
    assert card.max_direction_error_degrees == pytest.approx(0.0, abs=1e-9)
    assert (
        card.floating.fraction
        == card.sinking.max_depth_cm
        == card.slide_per_frame.fraction
        == card.slide_per_second.fraction
        == 0
    )
    assert card.turn_ratio == card.key_bodies.leg_ratio == 1.0 and card.notes == ()


def test_unit_axes_and_facing_of_files_do_not_matter(bodies) -> None:
    source = bodies.person("LAFAN1").walk()
    result = retarget(source, bodies.person("SMPL", seed=2).walk(), config="faithful").motion
    expected = numbers(score(source, result).as_dict())
    np.testing.assert_allclose(numbers(score(source, bodies.z_up(result, 100.0)).as_dict()), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(numbers(score(bodies.z_up(source, 10.0), result).as_dict()), expected, rtol=1e-6, atol=1e-6)
    back = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 0.5 * np.pi)
    rotations = np.array(result.local_rotations)
    rotations[:, 0] = quaternion.multiply(back, rotations[:, 0])
    away = result.with_root_positions(quaternion.rotate(back, result.root_positions)).with_local_rotations(rotations)
    card = score(source, away)
    np.testing.assert_allclose(numbers(card.as_dict()), expected, rtol=1e-6, atol=1e-6)
    assert "+90 degrees" in card.notes[0]


def test_mirrored_clips_have_the_same_numbers(bodies) -> None:
    source = bodies.person("LAFAN1").walk()
    result = retarget(source, bodies.person("Unreal", seed=4).walk(), config="faithful").motion
    one, other = score(source, result), score(mirror(source), mirror(result))
    for name in ("slide_per_frame", "slide_per_second", "floating", "sinking"):
        np.testing.assert_allclose(numbers(vars(getattr(other, name))), numbers(vars(getattr(one, name))), atol=1e-7)
    assert other.key_bodies.error.mean_cm == pytest.approx(one.key_bodies.error.mean_cm)
    assert other.mean_direction_error_degrees == pytest.approx(one.mean_direction_error_degrees)
    for name in ("slide", "own_slide", "penetration", "floating", "jerk", "first_frame"):
        pair = [numbers(vars(getattr(card.result, name))) for card in (one, other)]
        np.testing.assert_allclose(pair[1], pair[0], rtol=1e-6, atol=1e-6)


def test_an_edited_map_tells_the_parts(bodies) -> None:
    walk = bodies.person().walk(8)
    skeleton, found = walk.skeleton, match(walk, walk)
    assert common_parts(skeleton, skeleton, found) == common_parts(skeleton, skeleton)
    card = score(walk, walk, joint_map=found.without("LeftHand"))
    assert not {"left_hand", "left_forearm"} & set(card.key_bodies.mean_cm) and "right_hand" in card.key_bodies.mean_cm
    swapped = common_parts(skeleton, skeleton, found.with_pair("RightHand", "LeftHand"))
    joints = find_anatomy(skeleton).joints
    assert swapped["left_hand"] == (joints["right_hand"], joints["left_hand"])
    with pytest.raises(UnknownNameError):
        score(walk, walk, joint_map=found.with_pair("Nobody", "LeftHand"))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_few_frames(frames: int) -> None:
    card = score(standing(still(frames)), standing(still(frames)))
    assert np.isfinite(numbers(card.as_dict())).all()


def test_what_cannot_be_compared_is_said(bodies) -> None:
    walk = bodies.person().walk(12)
    for source, result, words in (
        (walk, walk[:11], "12 and 11"),
        (walk[:0], walk[:0], "at least one"),
        (walk, walk.with_frame_time(0.02), "0.0333333 s and 0.02 s"),
    ):
        with pytest.raises(InputError, match=words):
            score(source, result)
    with pytest.raises(InputError, match="velocity_limit must be positive"):
        score(walk, walk, velocity_limit=0.0)
    prop = Skeleton(("box", "lid"), np.array([-1, 0]), np.array([[0.0, 0, 0], [0, 1.0, 0]]))
    with pytest.raises(RetargetError, match="the result is not a body"):
        score(walk, standing(still(12), prop).with_frame_time(walk.frame_time))
    names = tuple(
        name.replace("Left", "R_").replace("Right", "Left").replace("R_", "Right") for name in walk.skeleton.joint_names
    )
    swapped = walk.with_skeleton(replace(walk.skeleton, joint_names=names))
    with pytest.raises(RetargetError, match="the result's body is mirrored"):
        score(walk, swapped)


def test_table_and_json(bodies) -> None:
    walk = bodies.person().walk(20)
    card = replace(score(walk, walk, limits={"LeftLeg": Hinge(np.array([1.0, 0, 0]), -1.0, 1.0)}), notes=("Head[/x] is odd",))
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(card)
    text = console.export_text()
    for words in (
        "stance slide, mean",
        "cm/s",
        "key bodies off",
        "bone directions off",
        "outside joint limits",
        "rad/s",
        "Head[/x] is odd",
    ):
        assert words in text
    console.print(card.short)
    assert "95 %" not in console.export_text()
    saved = json.loads(json.dumps(card.as_dict(), allow_nan=False))
    assert saved["format_version"] == 1 and saved["result"]["slide"]["mean_cm_s"] == card.result.slide.mean_cm_s
    assert saved["bone_directions"]["left_shin"]["mean_degrees"] == card.bone_directions["left_shin"].mean_degrees


def test_command_line(bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    walk = bodies.person().walk(20)
    save_motion(walk, "walk.bvh")
    save_motion(bodies.z_up(bodies.person("SMPL", seed=1).walk(30), 100.0), "target.bvh")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["retarget", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        told = capsys.readouterr()
        return int(exit_info.value.code or 0), told.out, told.err

    status, out, _ = run("walk.bvh", "--to", "target.bvh", "-o", "out.bvh", "--no-picture", "--json")
    told = json.loads(out)  # one object and nothing else
    assert status == 0 and told["format_version"] == 1 and told["written"] == ["out.bvh"] and not Path("out.json").exists()
    assert told["score"]["frames"] == told["report"]["frames"] == 20
    assert {pair["target"] for pair in told["joint_map"]["pairs"]} >= {"L_Elbow", "R_Knee"}
    status, out, _ = run("score", "walk.bvh", "out.bvh", "--target", "target.bvh")
    assert status == 0 and "slide in own stance" in out
    status, out, _ = run("score", "walk.bvh", "out.bvh", "--json")
    assert json.loads(out)["frames"] == 20
    status, _, errors = run("score", "walk.bvh", "target.bvh")
    assert status == 2 and "20 and 30" in errors and len(errors.strip().splitlines()) == 1
    assert load_motion("out.bvh").num_frames == 20
