"""Body parts of robots, by names and without."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kinematics.anatomy import find_anatomy
from retarget.robots import Robot, load_robot
from retarget.robots.limbs import name_part, name_side
from retarget.robots.twin import make_twin

mujoco = pytest.importorskip("mujoco")
PRAXIS = Path(__file__).resolve().parents[3] / "data" / "robots" / "praxis.xml"
EXPECTED = {
    "pelvis": (),
    "chest": ("waist_yaw", "waist_roll", "waist_pitch"),
    "neck": ("head_yaw",),
    "head": ("head_pitch",),
    "thigh": ("hip_yaw", "hip_roll", "hip_pitch"),
    "shin": ("knee",),
    "foot": ("ankle_pitch", "ankle_roll"),
    "upper_arm": ("shoulder_pitch", "shoulder_roll", "shoulder_yaw"),
    "forearm": ("elbow",),
    "hand": ("wrist_yaw", "wrist_pitch"),
}
# A torso with legs of few hinges, no ankles, no wrists, as small simulated humanoids have.
SIMPLE = """<mujoco><worldbody><body name="torso" pos="0 0 1.4"><freejoint/>
  <geom type="capsule" size=".07" fromto="0 -.07 0 0 .07 0"/><geom name="head" size=".09" pos="0 0 .19"/>
  <body name="lower_waist" pos="-.01 0 -.26"><joint name="abdomen_z" axis="0 0 1"/><joint name="abdomen_y" axis="0 1 0"/>
   <geom type="capsule" size=".06" fromto="0 -.06 0 0 .06 0"/>
   <body name="hips" pos="0 0 -.165"><joint name="abdomen_x" axis="1 0 0"/><geom type="capsule" size=".09" fromto="0 -.07 0 0 .07 0"/>
    {legs}</body></body>{arms}</body></worldbody></mujoco>"""
LEG = """<body name="{n}_thigh" pos="0 {y} -.04"><joint name="{n}_hip_x" axis="1 0 0" range="-25 5"/><joint name="{n}_hip_z" axis="0 0 1"/>
  <joint name="{n}_hip_y" axis="0 1 0" range="-110 20"/><geom type="capsule" size=".06" fromto="0 0 0 0 0 -.34"/>
  <body name="{n}_shin" pos="0 0 -.403"><joint name="{n}_knee" axis="0 -1 0" range="-160 -2"/><geom type="capsule" size=".05" fromto="0 0 0 0 0 -.3"/>
  <body name="{n}_foot" pos="0 0 -.39"><geom type="capsule" size=".03" fromto="-.05 0 -.05 .15 0 -.05"/></body></body></body>"""
ARM = """<body name="{n}_upper_arm" pos="0 {y} .06"><joint name="{n}_shoulder1" axis="2 1 1"/><joint name="{n}_shoulder2" axis="0 -1 1"/>
  <geom type="capsule" size=".04" fromto="0 0 0 .16 {o} -.16"/><body name="{n}_lower_arm" pos=".18 {o} -.18">
  <joint name="{n}_elbow" axis="0 -1 1" range="-90 50"/><geom type="capsule" size=".03" fromto="0 0 0 .17 {i} .17"/></body></body>"""


def simple(folder: Path, *, left: str = "left", right: str = "right") -> Robot:
    legs = LEG.format(n=right, y=-0.1) + LEG.format(n=left, y=0.1)
    arms = ARM.format(n=right, y=-0.17, o=-0.16, i=0.17) + ARM.format(n=left, y=0.17, o=0.16, i=-0.17)
    path = folder / "simple.xml"
    path.write_text(SIMPLE.format(legs=legs, arms=arms), encoding="utf-8")
    return load_robot(path)


def hinges(robot: Robot, role: str) -> tuple[str, ...]:
    return tuple(robot.skeleton.joint_names[joint].removesuffix("_joint") for joint in robot.anatomy.parts[role].hinges)


def assert_is_praxis(robot: Robot, rename: dict[str, str] | None = None) -> None:
    names = rename or {}
    wanted = {}
    for role, words in EXPECTED.items():
        middle = role in ("pelvis", "chest", "neck", "head")
        for side in ("",) if middle else ("left_", "right_"):
            wanted[side + role] = tuple(names.get(f"{side}{word}_joint", f"{side}{word}") for word in words)
    assert {role: hinges(robot, role) for role in robot.anatomy.parts} == wanted


def test_our_robot_is_understood() -> None:
    robot = load_robot(PRAXIS)
    assert_is_praxis(robot)
    assert robot.anatomy.is_human and all(part.confidence > 0.9 for part in robot.anatomy.parts.values())
    for role in ("thigh", "upper_arm", "forearm", "shin", "foot"):
        assert np.allclose(robot.anatomy.parts[f"left_{role}"].center, 0.0, atol=1e-9)
    mirror = robot.anatomy.mirror
    names = robot.skeleton.joint_names
    assert all(names[other] == name.replace("left", "right") for name, other in zip(names, mirror, strict=True) if "left" in name)


def test_kinematics_finds_the_same_parts() -> None:
    robot = load_robot(PRAXIS)
    found = find_anatomy(robot.skeleton)
    assert found.is_human and found.dialect == "robot"
    assert found.joints["left_thigh"] == robot.anatomy.parts["left_thigh"].joint


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_names_of_nonsense_change_nothing(turn: int, tmp_path: Path) -> None:
    """The tree alone tells; also where the model is drawn looking along y or backwards."""
    text = PRAXIS.read_text(encoding="utf-8")
    words = sorted(set(re.findall(r'name="([a-z_]+)"', text)) - {"praxis", "home", "root"}, key=len, reverse=True)
    rename = {}
    for number, word in enumerate(words):
        rename[word] = f"q{number}z"
        text = re.sub(rf'(name|joint|body1|body2)="{word}"', rf'\1="q{number}z"', text)
    facing = ("1 0 0 0", "0.7071067811865476 0 0 0.7071067811865476", "0 0 0 1")[turn]
    text = text.replace('pos="0 0 0.72"', f'pos="0 0 0.72" quat="{facing}"')
    path = tmp_path / "nonsense.xml"
    path.write_text(text, encoding="utf-8")
    robot = load_robot(path)
    assert "left" not in "".join(robot.skeleton.joint_names)
    assert_is_praxis(robot, rename)
    assert np.allclose(robot.anatomy.forward, [0.0, 0.0, 1.0])
    assert np.allclose(robot.skeleton.offsets, load_robot(PRAXIS).skeleton.offsets, atol=1e-9)


@pytest.mark.parametrize("names", [("left", "right"), ("p", "q")])
def test_a_humanoid_without_ankles_and_wrists(names: tuple[str, str], tmp_path: Path) -> None:
    robot = simple(tmp_path, left=names[0], right=names[1])
    assert robot.anatomy.is_human
    assert hinges(robot, "left_thigh") == tuple(f"{names[0]}_hip_{axis}" for axis in "xzy")
    assert hinges(robot, "pelvis") == ("abdomen_z", "abdomen_y", "abdomen_x") and hinges(robot, "chest") == ()
    assert hinges(robot, "right_forearm") == (f"{names[1]}_elbow",)
    foot = robot.anatomy.parts["left_foot"]
    assert foot.hinges == () and robot.skeleton.joint_names[foot.joint] == f"{names[0]}_knee"
    assert np.allclose(foot.center, [0.0, -0.39, 0.0]) and foot.confidence < 0.9
    assert robot.anatomy.parts["head"].joint == 0
    assert "left_foot" not in robot.anatomy.as_anatomy().joints


def test_legs_alone_are_legs(tmp_path: Path) -> None:
    legs = LEG.format(n="b", y=-0.1) + LEG.format(n="a", y=0.1)
    path = tmp_path / "legs.xml"
    path.write_text(SIMPLE.format(legs=legs, arms=""), encoding="utf-8")
    anatomy = load_robot(path).anatomy
    assert anatomy.has_legs and not anatomy.is_human and "left_hand" in anatomy.missing and "chest" not in anatomy.parts


def test_a_thing_without_limbs_has_no_parts_to_speak_of(tmp_path: Path) -> None:
    path = tmp_path / "snake.xml"
    path.write_text(
        "<mujoco><worldbody><body><freejoint/><geom size='.1'/><body pos='.3 0 0'><joint/><geom size='.1'/>"
        "</body></body></worldbody></mujoco>",
        encoding="utf-8",
    )
    robot = load_robot(path)
    assert set(robot.anatomy.parts) == {"pelvis"} and not robot.anatomy.has_legs and len(robot.soles.joints) == 0


@pytest.mark.parametrize(
    ("name", "part", "side"),
    [
        ("left_hip_pitch_joint", "thigh", 1),
        ("R_knee", "shin", -1),
        ("RElbow", "forearm", -1),
        ("l_ank_roll", "foot", 1),
        ("lfemurrx", "thigh", 1),
        ("rhumerusrz", "upper_arm", -1),
        ("LeftUpperArm", "upper_arm", 1),
        ("lower_leg_r", "shin", -1),
        ("left_hand_thumb_0_joint", "finger", 1),
        ("torso", "trunk", 0),
        ("j12", "", 0),
    ],
)
def test_what_names_say(name: str, part: str, side: int) -> None:
    assert (name_part(name), name_side(name)) == (part, side)


# Hips whose pitch is far below yaw and roll, and a knee whose anchor is off the leg's plane, as small motors are drawn.
WIDE = """<body name="{n}0" pos="0 {y} 0"><joint name="{n}_{a}" axis="1 0 1" range="-.6 .6"/><geom size=".03"/>
  <body name="{n}1" pos=".02 0 -.06"><joint name="{n}_{b}" axis="-1 0 1" range="-.6 .6"/><geom size=".03"/>
  <body name="{n}2" pos="-.02 {o} -.06"><joint name="{n}_{c}" axis="0 1 0" range="-1.7 .5"/>
   <geom type="capsule" size=".03" fromto="0 0 0 0 0 -.2"/>
  <body name="{n}3" pos="0 {o} -.22"><joint name="{n}_{d}" axis="0 1 0" range="0 2"/><geom type="capsule" size=".02" fromto="0 0 0 0 0 -.15"/>
  <body name="{n}4" pos="0 {i} -.18"><joint name="{n}_{e}" axis="0 1 0" range="-.6 .6"/><geom size=".01"/>
  <body name="{n}5"><joint name="{n}_{f}" axis="1 0 0" range="-.5 .5"/><geom type="box" size=".08 .03 .005" pos=".03 0 -.03"/>
  </body></body></body></body></body></body>"""


@pytest.mark.parametrize("words", [("HR", "HAA", "HFE", "KFE", "FFE", "FAA"), ("p", "q", "r", "s", "t", "u")])
def test_legs_whose_hips_are_long_and_whose_motors_stand_aside(tmp_path: Path, words: tuple[str, ...]) -> None:
    legs = ""
    for name, side in (("LL", 1), ("LR", -1)):
        own = dict(zip("abcdef", words, strict=True))
        legs += WIDE.format(n=name, y=0.07 * side, o=0.02 * side, i=-0.04 * side, **own)
    path = tmp_path / "wide.xml"
    path.write_text(
        '<mujoco><compiler angle="radian"/><worldbody><body name="torso" pos="0 0 .6"><freejoint/>'
        f'<geom type="box" size=".09 .1 .1" pos="0 0 .12"/>{legs}</body></worldbody></mujoco>'
    )
    robot = load_robot(path)
    for side, name in (("left", "LL"), ("right", "LR")):
        cut = {
            part: tuple(f"{name}_{word}" for word in own)
            for part, own in zip(("thigh", "shin", "foot"), (words[:3], words[3:4], words[4:]), strict=True)
        }
        assert {part: hinges(robot, f"{side}_{part}") for part in cut} == cut
    twin = make_twin(robot)
    offsets = {role: twin.skeleton.offsets[joint] for joint, role in enumerate(twin.roles)}
    for role in ("left_shin", "left_foot", "right_shin", "right_foot"):  # thigh and shin hang straight down
        assert abs(offsets[role][0]) < 1e-4, role
    ahead = [twin.skeleton.end_site_offsets[end] for end in range(4)]
    assert all(abs(offset[0]) < 1e-4 for offset in ahead)
