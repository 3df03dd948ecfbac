"""Body parts from names of many makes, and from the tree alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kinematics import Skeleton
from kinematics.anatomy import ROLES, find_anatomy
from kinematics.joint_names import body_part, dialect, split_side
from kinematics.testing import random_skeleton

# dialect -> (spine up to the head, leg, arm, index of the joint on the spine that carries the arms,
#             roles of the leg's joints, roles of the arm's joints); {S} is the side, its two spellings at the end.
LEG4, ARM4 = ("thigh", "shin", "foot", "toe"), ("clavicle", "upper_arm", "forearm", "hand")
MAKES: dict[str, tuple[str, str, str, str, tuple[str | None, ...], tuple[str | None, ...], tuple[str, str]]] = {
    "CMU MotionBuilder": ("Hips LowerBack Spine Spine1 Neck Neck1 Head", "{S0}HipJoint {S}UpLeg {S}Leg {S}Foot {S}ToeBase",
        "{S}Shoulder {S}Arm {S}ForeArm {S}Hand {S}FingerBase", "Spine1", (None, *LEG4), (*ARM4, None), ("Left", "Right")),
    "CMU 3ds Max": ("Hips lowerback Chest Chest2 lowerneck Neck Head", "{S0}HipJoint {S}Hip {S}Knee {S}Ankle {S}Toe",
        "{S}Collar {S}Shoulder {S}Elbow {S}Wrist {s}hand", "Chest2", (None, *LEG4), (*ARM4, None), ("Left", "Right")),
    "LAFAN1": ("Hips Spine Spine1 Spine2 Neck Head", "{S}UpLeg {S}Leg {S}Foot {S}Toe", "{S}Shoulder {S}Arm {S}ForeArm {S}Hand",
        "Spine2", LEG4, ARM4, ("Left", "Right")),
    "Mixamo": ("mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Spine2 mixamorig:Neck mixamorig:Head mixamorig:HeadTop_End",
        "mixamorig:{S}UpLeg mixamorig:{S}Leg mixamorig:{S}Foot mixamorig:{S}ToeBase mixamorig:{S}Toe_End",
        "mixamorig:{S}Shoulder mixamorig:{S}Arm mixamorig:{S}ForeArm mixamorig:{S}Hand mixamorig:{S}HandThumb1 mixamorig:{S}HandThumb2",
        "mixamorig:Spine2", (*LEG4, None), (*ARM4, None, None), ("Left", "Right")),
    "SMPL": ("Pelvis Spine1 Spine2 Spine3 Neck Head", "{S}_Hip {S}_Knee {S}_Ankle {S}_Foot", "{S}_Collar {S}_Shoulder {S}_Elbow {S}_Wrist {S}_Hand",
        "Spine3", LEG4, (*ARM4, None), ("L", "R")),
    "Xsens": ("Pelvis L5 L3 T12 T8 Neck Head", "{S}UpperLeg {S}LowerLeg {S}Foot {S}Toe", "{S}Shoulder {S}UpperArm {S}ForeArm {S}Hand",
        "T8", LEG4, ARM4, ("Left", "Right")),
    "SOMA": ("Hips Spine1 Spine2 Chest Neck1 Neck2 Head", "{S}Leg {S}Shin {S}Foot {S}ToeBase", "{S}Shoulder {S}Arm {S}ForeArm {S}Hand",
        "Chest", LEG4, ARM4, ("Left", "Right")),
    "Rokoko": ("Hips Spine1 Spine2 Spine3 Neck Head", "{S}Thigh {S}Shin {S}Foot {S}Toe", "{S}Shoulder {S}Arm {S}ForeArm {S}Hand",
        "Spine3", LEG4, ARM4, ("Left", "Right")),
    "Bandai": ("joint_Root Hips Spine Chest Neck Head", "UpperLeg_{S} LowerLeg_{S} Foot_{S} Toes_{S}", "Shoulder_{S} UpperArm_{S} LowerArm_{S} Hand_{S}",
        "Chest", LEG4, ARM4, ("L", "R")),
    "VRM": ("J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_Chest J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head",
        "J_Bip_{S}_UpperLeg J_Bip_{S}_LowerLeg J_Bip_{S}_Foot J_Bip_{S}_ToeBase", "J_Bip_{S}_Shoulder J_Bip_{S}_UpperArm J_Bip_{S}_LowerArm J_Bip_{S}_Hand J_Bip_{S}_Index1",
        "J_Bip_C_UpperChest", LEG4, (*ARM4, None), ("L", "R")),
    "Unity": ("Hips Spine Chest UpperChest Neck Head", "{S}UpperLeg {S}LowerLeg {S}Foot {S}Toes", "{S}Shoulder {S}UpperArm {S}LowerArm {S}Hand",
        "UpperChest", LEG4, ARM4, ("Left", "Right")),
    "Unreal": ("root pelvis spine_01 spine_02 spine_03 neck_01 head", "thigh_{S} calf_{S} foot_{S} ball_{S}", "clavicle_{S} upperarm_{S} lowerarm_{S} hand_{S} index_01_{S}",
        "spine_03", LEG4, (*ARM4, None), ("l", "r")),
    "Biped": ("Bip01 Bip01_Pelvis Bip01_Spine Bip01_Spine1 Bip01_Neck Bip01_Head", "Bip01_{S}_Thigh Bip01_{S}_Calf Bip01_{S}_Foot Bip01_{S}_Toe0",
        "Bip01_{S}_Clavicle Bip01_{S}_UpperArm Bip01_{S}_Forearm Bip01_{S}_Hand Bip01_{S}_Finger0", "Bip01_Spine1", LEG4, (*ARM4, None), ("L", "R")),
    "mocopi": ("root torso_1 torso_2 torso_7 neck_1 neck_2 head", "{S}_up_leg {S}_low_leg {S}_foot {S}_toes", "{S}_shoulder {S}_up_arm {S}_low_arm {S}_hand",
        "torso_7", LEG4, ARM4, ("l", "r")),
    "OptiTrack": ("Hip Ab Chest Neck Head", "{S}Thigh {S}Shin {S}Foot {S}Toe", "{S}Shoulder {S}UArm {S}FArm {S}Hand", "Chest", LEG4, ARM4, ("L", "R")),
    "unknown": ("root lowerback upperback thorax lowerneck upperneck head", "{S}femur {S}tibia {S}foot {S}toes",
        "{S}clavicle {S}humerus {S}radius {S}wrist {S}hand {S}fingers", "thorax", LEG4, (*ARM4, None, None), ("l", "r")),
}  # fmt: skip


def build(make: str) -> tuple[Skeleton, dict[str, str]]:
    """Build a person of one make, T-pose facing +Z, and the expected name of each role."""
    spine, leg, arm, chest, leg_roles, arm_roles, spellings = MAKES[make]
    names, parents, offsets, expected = [], [], [], {}
    for index, name in enumerate(spine.split()):
        names.append(name)
        parents.append(index - 1)
        offsets.append([0.0, 0.12, 0.0])
    pelvis = next(n for n in spine.split() if body_part(n) in ("pelvis", "spine") and "oot" not in n and n != "Bip01") \
        if "root " not in spine + " " or make in ("Unreal",) else spine.split()[0]  # fmt: skip
    expected["pelvis"], expected["chest"] = pelvis, chest
    for side, spelling in zip((1, -1), spellings, strict=True):
        for chain, start, roles, direction in (
            (leg, pelvis, leg_roles, np.array([0.0, -1.0, 0.0])),
            (arm, chest, arm_roles, np.array([side, 0.0, 0.0])),
        ):
            parent = names.index(start)
            for depth, (pattern, role) in enumerate(zip(chain.split(), roles, strict=True)):
                name = pattern.format(S=spelling, S0=spelling[0], s=spelling[0].lower())
                names.append(name)
                parents.append(parent)
                offsets.append([side * 0.1, 0.0, 0.0] if depth == 0 else list(direction * (0.3 if role != "toe" else 0.05)))
                parent = len(names) - 1
                if role:
                    expected[("left_" if side > 0 else "right_") + role] = name
    return Skeleton(tuple(names), np.array(parents), np.array(offsets)), expected


@pytest.mark.parametrize("make", MAKES)
def test_roles_of_every_make(make: str) -> None:
    skeleton, expected = build(make)
    anatomy = find_anatomy(skeleton)
    assert anatomy.dialect == make
    found = {role: skeleton.joint_names[joint] for role, joint in anatomy.joints.items()}
    assert {role: found.get(role) for role in expected} == expected
    assert anatomy.by_names and anatomy.is_human and "head" in found
    for joint, side in enumerate(anatomy.sides):
        partner = anatomy.mirror[joint]
        assert (partner != joint) == (side != 0)
        assert anatomy.sides[partner] == -side and anatomy.mirror[partner] == joint


@pytest.mark.parametrize("make", [make for make in MAKES if make != "Bandai"])
def test_limbs_without_names(make: str) -> None:
    """With meaningless names the tree still tells thighs, shins, feet, and which side is which."""
    skeleton, expected = build(make)
    anonymous = Skeleton(tuple(f"j{i}" for i in range(skeleton.num_joints)), skeleton.parents, skeleton.offsets)
    anatomy = find_anatomy(anonymous)
    assert not anatomy.by_names and anatomy.dialect == "unknown"
    for role in ("left_thigh", "left_shin", "left_foot", "right_thigh", "right_shin", "right_foot"):
        assert skeleton.joint_names[anatomy.joints[role]] == expected[role]


def test_split_bones_and_helpers() -> None:
    """upperleg01 and upperleg02 are one thigh; __UpLeg_L beside UpLeg_L is not part of it."""
    names = ["Hips", "upperleg01.L", "upperleg02.L", "lowerleg01.L", "lowerleg02.L", "foot.L"]
    down = [[0.0, 0, 0], [0.1, 0, 0], [0, -0.2, 0], [0, -0.2, 0], [0, -0.2, 0], [0, -0.2, 0]]
    names += [name.replace(".L", ".R") for name in names[1:]]
    offsets = np.array(down + [[-x, y, z] for x, y, z in down[1:]])
    split = Skeleton(tuple(names), np.array([-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9]), offsets)
    joints = find_anatomy(split).joints
    assert (joints["left_thigh"], joints["left_shin"], joints["left_foot"]) == (1, 3, 5)
    names = ["Hips", "__UpLeg_L", "UpLeg_L", "LoLeg_L", "Foot_L", "__UpLeg_R", "UpLeg_R", "LoLeg_R", "Foot_R"]
    offsets = np.array(
        [[0.0, 0, 0], [0, -0.05, 0], [0.1, 0, 0], [0, -0.4, 0], [0, -0.4, 0]]
        + [[0, -0.05, 0], [-0.1, 0, 0], [0, -0.4, 0], [0, -0.4, 0]]
    )
    helper = Skeleton(tuple(names), np.array([-1, 0, 1, 2, 3, 0, 5, 6, 7]), offsets)
    assert find_anatomy(helper).joints["left_thigh"] == 2


@pytest.mark.parametrize(
    ("name", "side", "part"),
    [
        ("LeftUpLeg", 1, "thigh"), ("lhand", 1, "hand"), ("RThumb", -1, "finger"), ("L5", 0, "spine"), ("upperarm_twist_01_l", 1, "helper"),
        ("lTorso_Clavicle", 1, "clavicle"), ("pelvis_lowerback", 0, "spine"), ("torso_head", 0, "head"), ("Bip01 R Calf", -1, "shin"),
        ("LeftHandThumb1", 1, "finger"), ("HeadTop_End", 0, "helper"), ("左ひじ", 1, "forearm"), ("右足首", -1, "ankle"), ("base", 0, ""),
        ("Character1_LeftToeBase", 1, "toe"), ("LHipJoint", 1, "hip_joint"), ("rButtock", -1, "hip_joint"), ("Root", 0, "pelvis"),
    ],
)  # fmt: skip
def test_what_one_name_says(name: str, side: int, part: str) -> None:
    assert split_side(name)[0] == side
    assert body_part(name) == part


def test_not_a_body() -> None:
    for skeleton in (random_skeleton(3), Skeleton(("prop",), np.array([-1]), np.zeros((1, 3)))):
        anatomy = find_anatomy(skeleton)
        assert not anatomy.is_human and not anatomy.has_legs and anatomy.dialect == "unknown"
        assert set(anatomy.joints) <= set(ROLES)
        assert len(anatomy.sides) == len(anatomy.mirror) == skeleton.num_joints


@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("name", ["prop{}", "LeftFoot{}", "Spine{}"])
def test_work_grows_with_the_joints_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch, chain: bool, name: str) -> None:
    count, visited = 3000, 0
    parents = np.arange(count) - 1 if chain else np.minimum(np.arange(count), 1) - 1
    skeleton = Skeleton(tuple(name.format(joint) for joint in range(count)), parents, np.tile([0.0, 1.0, 0.0], (count, 1)))
    for walk in ("ancestors", "descendants"):
        plain = getattr(Skeleton, walk)

        def counted(self: Skeleton, joint: int, plain: Callable[[Skeleton, int], list[int]] = plain) -> list[int]:
            nonlocal visited
            found = plain(self, joint)
            visited += 1 + len(found)
            return found

        monkeypatch.setattr(Skeleton, walk, counted)
    assert not find_anatomy(skeleton).is_human
    assert visited <= 10 * count


def test_dialect_needs_most_of_its_marks() -> None:
    assert dialect(["Hips", "Spine"]) == "unknown"


REAL = {
    "cmu_3dsmax/01_01.bvh": "CMU 3ds Max", "cmu_cgspeed/01_01.bvh": "CMU MotionBuilder", "cmu_daz/02_01.bvh": "DAZ / Poser",
    "fair1/dab.bvh": "HumanIK", "games105/walk60.bvh": "GAMES-105", "makehuman/tpose.bvh": "MakeHuman", "makehuman/walk1.bvh": "MakeHuman",
    "odd/example1_biovision_classic.bvh": "Biovision", "pybvh/bvh_test2.bvh": "Xsens / 100STYLE",
}  # fmt: skip


@pytest.mark.parametrize("clip", REAL)
def test_real_clips(shared_data: Path, clip: str) -> None:
    from kinematics import load_motion

    anatomy = find_anatomy(load_motion(shared_data / clip).skeleton)
    assert anatomy.is_human and anatomy.by_names and anatomy.dialect == REAL[clip]
    assert all(anatomy.mirror[joint] != joint for joint, side in enumerate(anatomy.sides) if side)
