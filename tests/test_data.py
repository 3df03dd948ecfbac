"""The project's own clips: they are what the generator makes, three conventions say the same, and a person moves in them."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from kinematics import Motion, forward_kinematics, load_motion
from kinematics.rotations import quaternion

DATA = Path(__file__).resolve().parent.parent / "data"
ACTIONS = ("walk", "run", "turn", "squat", "wave", "jump")
UNIT = {"cmu": 1.0, "lafan1": 0.01, "mixamo": 0.01}
RATE = {"cmu": 60, "lafan1": 30, "mixamo": 30}
SHARED = {  # by role: names in cmu, lafan1, mixamo (without prefix)
    "pelvis": ("Hips", "Hips", "Hips"),
    "spine": ("LowerBack", "Spine", "Spine"),
    "chest": ("Spine1", "Spine2", "Spine2"),
    "neck": ("Neck1", "Neck", "Neck"),
    "head": ("Head", "Head", "Head"),
} | {
    f"{side}_{role}": (full + cmu, full + lafan1, full + mixamo)
    for side, full in (("left", "Left"), ("right", "Right"))
    for role, cmu, lafan1, mixamo in (
        ("clavicle", "Shoulder", "Shoulder", "Shoulder"),
        ("upper_arm", "Arm", "Arm", "Arm"),
        ("forearm", "ForeArm", "ForeArm", "ForeArm"),
        ("hand", "Hand", "Hand", "Hand"),
        ("thigh", "UpLeg", "UpLeg", "UpLeg"),
        ("shin", "Leg", "Leg", "Leg"),
        ("foot", "Foot", "Foot", "Foot"),
        ("toe", "ToeBase", "Toe", "ToeBase"),
    )
}
STRIDE = {"walk": 1.06, "run": 0.68, "turn": 1.14}


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_clips", DATA / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module


@cache
def clip(action: str, rig: str = "cmu") -> Motion:
    return load_motion(DATA / "clips" / f"{action}_{rig}.bvh", strict=True)


@cache
def places(action: str, rig: str = "cmu") -> dict[str, np.ndarray]:
    """Positions by role in metres, with the tips of toes and the heels."""
    motion = clip(action, rig)
    transforms = forward_kinematics(motion)
    prefix = "mixamorig:" if rig == "mixamo" else ""
    found = {role: transforms.position(prefix + names[list(UNIT).index(rig)]) * UNIT[rig] for role, names in SHARED.items()}
    if rig == "cmu":
        ends = {motion.skeleton.joint_names[p]: i for i, p in enumerate(motion.skeleton.end_site_parents)}
        found["head_end"] = transforms.end_site_positions[:, ends["Head"]]
        for side, full, spread in (("left", "Left", 20.0), ("right", "Right", -20.0)):
            found[f"{side}_tip"] = transforms.end_site_positions[:, ends[f"{full}ToeBase"]]
            found[f"{side}_heel"] = found[f"{side}_foot"] + heel_offset(transforms.rotation(f"{full}Foot"), spread)
    return found


def heel_offset(rotation: np.ndarray, spread: float) -> np.ndarray:
    """The heel from the ankle; the zero pose of the cmu files spreads the legs by this angle about Z."""
    generator()
    from generator import body

    upright = np.array([0.0, -body.ANKLE_HEIGHT, -body.HEEL_BEHIND_ANKLE])
    return quaternion.rotate(
        rotation, quaternion.rotate(quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.radians(spread)), upright)
    )


def knee_flexion(place: dict[str, np.ndarray], side: str) -> np.ndarray:
    """Degrees, positive where the knee is before the line from hip to ankle (seen along the line of the hips)."""
    thigh, shank = place[f"{side}_shin"] - place[f"{side}_thigh"], place[f"{side}_foot"] - place[f"{side}_shin"]
    left = place["left_thigh"] - place["right_thigh"]
    cosine = np.einsum("fi,fi->f", thigh, shank) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(shank, axis=1)
    sign = np.sign(np.einsum("fi,fi->f", np.cross(thigh, shank), left))
    return sign * np.degrees(np.arccos(cosine))


def center_of_mass(action: str) -> np.ndarray:
    generator()
    from generator import body

    place = places(action)
    positions = {role.replace("_tip", "_toe_end"): value for role, value in place.items()}
    for side in ("left_", "right_"):  # hands count 0.6 % each: their far end is taken along the forearm
        along = positions[side + "hand"] - positions[side + "forearm"]
        positions[side + "hand_end"] = positions[side + "hand"] + along * body.HAND / body.FOREARM
    return body.center_of_mass(positions)


def on_ground(action: str, side: str) -> dict[str, np.ndarray]:
    """For heel, ball and tip of a foot, whether it is at its standing height in both frames of each step of time."""
    place = places(action)
    heights = {"heel": 0.0, "toe": 0.020, "tip": 0.012}
    low = {point: place[f"{side}_{point}"][:, 1] < height + 2e-5 for point, height in heights.items()}
    return {point: flags[1:] & flags[:-1] for point, flags in low.items()}


# the files


def test_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    made = generator().generate(tmp_path)
    assert {file.name for file in made} == {file.name for file in (DATA / "clips").iterdir()}
    for file in made:
        assert file.read_bytes() == (DATA / "clips" / file.name).read_bytes(), f"{file.name} is not up to date"


def test_files_are_small_and_a_few_seconds_long() -> None:
    files = sorted((DATA / "clips").glob("*.bvh"))
    assert [file.stem for file in files] == sorted(f"{action}_{rig}" for action in ACTIONS for rig in UNIT)
    assert max(file.stat().st_size for file in files) < 1_000_000
    assert sum(file.stat().st_size for file in files) < 6_000_000
    for action in ACTIONS:
        for rig in UNIT:
            motion = clip(action, rig)
            assert 3.0 <= motion.duration <= 8.0
            assert motion.frame_rate == pytest.approx(RATE[rig], rel=1e-5)


def test_readme_tells_about_every_clip() -> None:
    readme = (DATA / "README.md").read_text()
    for action in ACTIONS:
        for rig in UNIT:
            row = re.search(rf"^\| `{action}_{rig}\.bvh` \|(.*)\|$", readme, re.MULTILINE)
            assert row, f"{action}_{rig}.bvh is missing from data/README.md"
            cells = [cell.strip() for cell in row.group(1).split("|")]
            assert cells[0] == str(clip(action, rig).num_frames)
            assert cells[1] == str(RATE[rig])
            assert cells[2] == {"cmu": "m", "lafan1": "cm", "mixamo": "cm"}[rig]


@pytest.mark.parametrize("action", ACTIONS)
def test_conventions_say_the_same(action: str) -> None:
    truth = places(action, "cmu")
    for rig in ("lafan1", "mixamo"):
        for role, place in places(action, rig).items():
            np.testing.assert_allclose(place, truth[role][::2], atol=2e-5, err_msg=f"{rig} {role}")


def test_cmu_is_like_the_real_ones() -> None:
    skeleton = clip("walk", "cmu").skeleton
    assert skeleton.joint_names[:7] == ("Hips", "LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "RHipJoint")
    assert skeleton.num_joints == 31
    assert skeleton.layout is not None
    assert skeleton.layout.channels[0] == ("Xposition", "Yposition", "Zposition", "Zrotation", "Yrotation", "Xrotation")
    assert not skeleton.offsets[0].any() and not skeleton.offsets[skeleton.joint_index("LHipJoint")].any()
    arm = skeleton.offsets[skeleton.joint_index("LeftForeArm")]
    assert arm[0] > 0.2 and np.abs(arm[1:]).max() < 1e-6  # a T-pose, the left arm on +X
    splay = skeleton.offsets[skeleton.joint_index("LeftLeg")]
    assert np.degrees(np.arctan2(splay[0], -splay[1])) == pytest.approx(20.0, abs=1e-3)


def test_lafan1_has_every_bone_along_x() -> None:
    skeleton = clip("walk", "lafan1").skeleton
    assert skeleton.num_joints == 22
    assert skeleton.joint_names[:5] == ("Hips", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToe")
    aside = {"LeftUpLeg", "RightUpLeg", "LeftShoulder", "RightShoulder"}
    for joint in range(1, 22):
        offset = skeleton.offsets[joint]
        if skeleton.joint_names[joint] in aside:
            assert abs(offset[2]) > 2.0
        else:
            assert offset[0] > 5.0 and np.abs(offset[1:]).max() < 1e-5, skeleton.joint_names[joint]
    np.testing.assert_allclose(skeleton.end_site_offsets[:, 1:], 0.0, atol=1e-5)
    np.testing.assert_allclose(skeleton.offsets[0], clip("walk", "lafan1").root_positions[0], atol=1e-4)


def test_mixamo_has_prefix_fingers_and_a_rest_height() -> None:
    skeleton = clip("walk", "mixamo").skeleton
    assert skeleton.num_joints == 65
    assert all(name.startswith("mixamorig:") for name in skeleton.joint_names)
    for finger in ("Thumb", "Index", "Middle", "Ring", "Pinky"):
        for number in range(1, 5):
            skeleton.joint_index(f"mixamorig:RightHand{finger}{number}")
    assert skeleton.layout is not None
    assert [len(names) for names in skeleton.layout.channels] == [6] + [3] * 64
    assert 90.0 < skeleton.offsets[0, 1] < 105.0
    curl = 2 * np.degrees(np.arccos(np.abs(clip("walk", "mixamo")["mixamorig:LeftHandMiddle2"][:, 0])))
    assert (curl > 8.0).all() and (curl < 40.0).all()


# the body


def test_body_has_human_size() -> None:
    standing = places("wave")
    assert 1.70 < standing["head_end"][0, 1] < 1.75
    for left, right in (("left_thigh", "left_shin"), ("left_shin", "left_foot"), ("left_upper_arm", "left_forearm")):
        for action in ACTIONS:
            place = places(action)
            lengths = np.linalg.norm(place[left] - place[right], axis=1)
            other = np.linalg.norm(place[left.replace("left", "right")] - place[right.replace("left", "right")], axis=1)
            np.testing.assert_allclose(lengths, lengths[0], atol=1e-6)
            np.testing.assert_allclose(other, lengths, atol=2e-6)
    height = 1.74  # Drillis and Contini's fractions, Winter figure 4.1
    assert np.linalg.norm(standing["left_thigh"][0] - standing["left_shin"][0]) == pytest.approx(0.245 * height, abs=1e-5)
    assert np.linalg.norm(standing["left_upper_arm"][0] - standing["left_forearm"][0]) == pytest.approx(0.186 * height, abs=1e-5)


@pytest.mark.parametrize("action", ACTIONS)
def test_knees_bend_forward_only(action: str) -> None:
    for side in ("left", "right"):
        flexion = knee_flexion(places(action), side)
        assert flexion.min() > 2.0
        assert flexion.max() < 120.0


@pytest.mark.parametrize("action", ACTIONS)
def test_feet_stand_still_and_stay_above_the_ground(action: str) -> None:
    place = places(action)
    for side in ("left", "right"):
        for point, standing in on_ground(action, side).items():
            path = place[f"{side}_{point}"]
            moved = np.linalg.norm(np.diff(path, axis=0), axis=1)[standing]
            assert moved.max(initial=0.0) < 5e-4, f"{side} {point} slides"
            assert path[:, 1].min() > {"heel": -1e-4, "toe": 0.0199, "tip": 0.0119}[point], f"{side} {point} sinks in"
        swinging = place[f"{side}_tip"][:, 1].max()
        assert swinging > 0.05 or action in ("squat", "wave")


@pytest.mark.parametrize(
    ("action", "most"), [("walk", 2600), ("run", 4600), ("turn", 2300), ("squat", 150), ("wave", 500), ("jump", 3200)]
)
def test_nothing_jerks(action: str, most: float) -> None:
    """Metres a second cubed; captured walks and runs reach 3500 and 9000 at the same 60 frames a second."""
    for role, path in places(action).items():
        jerk = np.linalg.norm(np.diff(path, 3, axis=0), axis=1) * 60.0**3
        assert jerk.max() < most, role


@pytest.mark.parametrize("action", ["walk", "run"])
def test_left_and_right_do_the_same_half_a_stride_apart(action: str) -> None:
    place, half = places(action), round(STRIDE[action] * 30)
    error = abs(half - STRIDE[action] * 30) / 60  # seconds by which half a stride is not a whole number of frames
    mirror = np.array([-1.0, 1.0, 1.0])
    for role in ("shin", "foot", "toe", "forearm", "hand"):
        left = (place[f"left_{role}"] - place["pelvis"])[half:]
        right = (place[f"right_{role}"] - place["pelvis"])[:-half] * mirror
        assert np.abs(left - right).max() < 0.045 + 5.0 * error, role


def test_head_is_level_and_trunk_upright() -> None:
    for action, lean in (("walk", 8.0), ("turn", 14.0), ("run", 16.0), ("wave", 16.0)):
        place = places(action)
        for bottom, top, most in (("pelvis", "neck", lean), ("head", "head_end", 14.0)):
            line = place[top] - place[bottom]
            assert np.degrees(np.arccos(line[:, 1] / np.linalg.norm(line, axis=1))).max() < most, (action, top)


def test_hands_hang_by_the_thighs() -> None:
    for action in ("walk", "squat", "wave", "jump"):
        place = places(action)
        for side, sign in (("left", 1.0), ("right", -1.0)):
            hand = place[f"{side}_hand"][0] - place["pelvis"][0]
            assert -0.25 < hand[1] < 0.0
            assert 0.12 < sign * hand[0] < 0.32


# the movements


def stance(action: str, side: str) -> np.ndarray:
    return np.any(list(on_ground(action, side).values()), axis=0)


@pytest.mark.parametrize(("action", "low", "high"), [("walk", 0.59, 0.63), ("run", 0.34, 0.40)])
def test_duty_factor(action: str, low: float, high: float) -> None:
    strides = int(clip(action).duration / STRIDE[action])
    frames = round(strides * STRIDE[action] * 60)
    for side in ("left", "right"):
        assert low < stance(action, side)[:frames].mean() < high


def test_walk_always_stands_and_run_flies() -> None:
    assert (stance("walk", "left") | stance("walk", "right")).all()
    assert (stance("walk", "left") & stance("walk", "right")).mean() == pytest.approx(0.22, abs=0.04)
    assert (~stance("run", "left") & ~stance("run", "right")).mean() == pytest.approx(0.26, abs=0.05)


@pytest.mark.parametrize(("action", "low", "high"), [("walk", 1.2, 1.4), ("run", 2.8, 3.5)])
def test_speed(action: str, low: float, high: float) -> None:
    pelvis = places(action)["pelvis"]
    travelled = pelvis[-1] - pelvis[0]
    assert low < travelled[2] / clip(action).duration < high
    assert abs(travelled[0]) < 0.06
    assert np.abs(pelvis[0, [0, 2]]).max() < 0.1  # starts near the origin, facing +Z


def test_walk_bobs_and_sways_like_a_person() -> None:
    pelvis = places("walk")["pelvis"]
    assert 0.02 < np.ptp(pelvis[:, 1]) < 0.05
    assert 0.02 < np.ptp(pelvis[:, 0]) < 0.06
    spectrum = np.abs(np.fft.rfft(pelvis[:318, 1] - pelvis[:318, 1].mean()))
    assert spectrum.argmax() == 10  # twice in each of five strides


@pytest.mark.parametrize("action", ["walk", "run"])
def test_arms_swing_opposite_to_legs(action: str) -> None:
    place = places(action)
    for side, other in (("left", "right"), ("right", "left")):
        arm = place[f"{side}_hand"][:, 2] - place["pelvis"][:, 2]
        assert np.corrcoef(arm, place[f"{other}_foot"][:, 2] - place["pelvis"][:, 2])[0, 1] > 0.7
        assert np.ptp(arm) > 0.3


@pytest.mark.parametrize(("action", "worst"), [("walk", 5.0), ("run", 10.0)])
def test_knee_follows_the_published_curve(action: str, worst: float) -> None:
    generator()
    from generator import curves

    flexion = knee_flexion(places(action), "left")
    published = curves.cycle(curves.WALK_KNEE if action == "walk" else curves.RUN_KNEE)
    phase = np.arange(len(flexion)) / 60 / STRIDE[action]
    assert np.sqrt(np.mean((flexion - published(phase)) ** 2)) < worst


@pytest.mark.parametrize("action", ["run", "jump"])
def test_centre_of_mass_falls_freely_in_flight(action: str) -> None:
    up = center_of_mass(action)[:, 1]
    acceleration = np.diff(up, 2) * 3600.0
    airborne = ~stance(action, "left") & ~stance(action, "right")
    inside = airborne[1:] & airborne[:-1]
    inside = inside & np.roll(inside, 1) & np.roll(inside, -1)
    assert inside.sum() > 10
    np.testing.assert_allclose(acceleration[inside], -9.81, atol=0.4)
    assert acceleration[inside].mean() == pytest.approx(-9.81, abs=0.05)


def test_jump_leaves_the_ground_and_lands_softly() -> None:
    place = places("jump")
    clearance = np.minimum(place["left_tip"][:, 1], place["right_tip"][:, 1])
    assert 0.15 < clearance.max() < 0.45
    airborne = ~stance("jump", "left") & ~stance("jump", "right")
    assert 0.40 < airborne.sum() / 60 < 0.56
    assert knee_flexion(place, "left")[place["pelvis"][:, 1].argmin()] > 80.0
    assert np.abs(place["pelvis"][-1, 1] - place["pelvis"][0, 1]) < 0.01


@pytest.mark.parametrize("action", ["squat", "wave"])
def test_balance_over_the_feet(action: str) -> None:
    place, center = places(action), center_of_mass(action)
    heel, tip = place["left_heel"][:, 2], place["left_tip"][:, 2]
    along = (center[:, 2] - heel) / (tip - heel)
    assert along.min() > 0.2 and along.max() < 0.7
    assert (np.abs(center[:, 0]) < 0.06).all()


def test_squat_reaches_level_thighs_twice() -> None:
    place = places("squat")
    thigh = place["left_shin"] - place["left_thigh"]
    level = np.degrees(np.arctan2(-thigh[:, 1], np.hypot(thigh[:, 0], thigh[:, 2])))
    assert 5.0 < level.min() < 20.0
    deep = knee_flexion(place, "left") > 100.0
    assert np.count_nonzero(np.diff(deep.astype(int)) == 1) == 2
    assert np.ptp(place["left_foot"], axis=0).max() < 1e-4  # the soles stay flat


def test_wave_greets_with_the_right_hand_and_reaches_with_the_left() -> None:
    place = places("wave")
    raised = place["right_hand"][:, 1] > place["right_upper_arm"][:, 1]
    assert raised.sum() > 60
    sideways = np.diff(place["right_hand"][raised, 0])
    assert np.count_nonzero(np.diff(np.sign(sideways))) >= 5
    reach = place["left_hand"] - place["pelvis"]
    assert reach[:, 2].max() > 0.55 and place["left_hand"][reach[:, 2].argmax(), 1] > 1.3


def test_turn_comes_back() -> None:
    place = places("turn")
    across = place["left_thigh"] - place["right_thigh"]
    facing = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    assert np.degrees(facing[-1] - facing[0]) == pytest.approx(180.0, abs=12.0)
    assert place["pelvis"][-1, 2] < place["pelvis"][:, 2].max() - 1.0


def test_walk_begins_where_a_left_hand_target_is_in_reach() -> None:
    place = {role: path[0] for role, path in places("walk").items()}
    arm = np.linalg.norm(place["left_upper_arm"] - place["left_forearm"]) + np.linalg.norm(
        place["left_forearm"] - place["left_hand"]
    )
    assert np.linalg.norm(place["left_upper_arm"] - np.array([0.4, 1.3, 0.3])) < 0.9 * arm
