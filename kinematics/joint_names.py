"""What joint names say: the side, the body part, and the dialect of a whole skeleton.

Names alone are ambiguous (LeftShoulder is the clavicle or the upper arm, LeftLeg the shin or the thigh), so a name only
proposes a part here; `kinematics.anatomy` decides with the tree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

PARTS: dict[str, tuple[str, ...]] = {
    "pelvis": ("hips", "hip", "pelvis", "root", "センター", "下半身"),
    "spine": (
        "spine", "chest", "torso", "abdomen", "back", "lowerback", "upperback", "waist", "thorax", "ab", "lumbar",
        "上半身",
    ),
    "neck": ("neck", "lowerneck", "upperneck", "首"),
    "head": ("head", "skull", "頭"),
    "clavicle": ("clavicle", "collar", "collarbone", "clav", "肩"),
    "shoulder": ("shoulder",),
    "upper_arm": ("upperarm", "uparm", "uarm", "arm", "shldr", "humerus", "腕"),
    "forearm": ("forearm", "lowerarm", "lowarm", "loarm", "farm", "elbow", "radius", "ひじ"),
    "hand": ("hand", "wrist", "手首"),
    "finger": (
        "finger", "fingers", "thumb", "index", "middle", "mid", "ring", "pinky", "little", "pink", "metacarpal", "carpal",
        "指",
    ),
    "hip_joint": ("hipjoint", "buttock"),
    "thigh": ("thigh", "upperleg", "upleg", "femur", "足"),
    "leg": ("leg",),
    "shin": ("shin", "knee", "calf", "lowerleg", "lowleg", "loleg", "tibia", "ひざ"),
    "ankle": ("ankle", "足首"),
    "foot": ("foot", "feet"),
    "toe": ("toe", "toes", "toebase", "toejoint", "ball", "metatarsal", "つま先"),
    "face": ("eye", "jaw", "tongue", "brow", "lip", "cheek", "ear", "nose", "teeth", "eyelid", "目"),
    "helper": ("twist", "roll", "end", "nub", "tip", "top", "effector", "heel", "breast", "hair", "weapon", "prop"),
}  # fmt: skip
_PART_OF = {word: part for part, words in PARTS.items() for word in words}
_WORDS = "|".join(sorted(map(re.escape, _PART_OF), key=len, reverse=True))
_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_a-zA-Z]+")
_SIDES = {"left": 1, "l": 1, "lft": 1, "左": 1, "right": -1, "r": -1, "rgt": -1, "右": -1}
_GLUED = re.compile(rf"^(left|right|l|r|左|右)(?=(?:{_WORDS})+$)")

# Names that mark a dialect; a skeleton is one when (nearly) all of them are there.
DIALECTS: dict[str, str] = {
    "CMU MotionBuilder": "LHipJoint LeftUpLeg LeftLeg LeftToeBase LowerBack Spine1 Neck1 LeftArm LeftForeArm LeftFingerBase",
    "CMU 3ds Max": "LHipJoint LeftHip LeftKnee LeftAnkle lowerback lowerneck Chest2 LeftCollar LeftElbow LeftWrist",
    "DAZ / Poser": "hip abdomen chest lCollar lShldr lForeArm lThigh lShin lFoot",
    "LAFAN1": "Hips LeftUpLeg LeftLeg LeftFoot LeftToe Spine Spine1 Spine2 Neck Head LeftShoulder LeftArm LeftForeArm LeftHand",
    "HumanIK": "Hips LeftUpLeg LeftLeg LeftFoot LeftToeBase Spine Spine1 Spine2 Neck LeftShoulder LeftArm LeftForeArm LeftHand",
    "Perception Neuron": "Hips RightUpLeg RightLeg RightFoot Spine Spine1 Neck Head LeftShoulder LeftArm LeftInHandIndex",
    "Rokoko": "Hips LeftThigh LeftShin LeftFoot LeftToe Spine1 Spine2 LeftShoulder LeftArm LeftForeArm LeftHand",
    "Xsens": "Pelvis L5 L3 T12 T8 Neck Head RightShoulder RightUpperArm RightForeArm RightUpperLeg RightLowerLeg",
    "Xsens / 100STYLE": "Hips Chest Chest2 Chest3 Chest4 Neck Head LeftCollar LeftShoulder LeftElbow LeftWrist LeftHip LeftKnee",
    "Bandai": "Hips Spine Chest Shoulder_L UpperArm_L LowerArm_L Hand_L UpperLeg_L LowerLeg_L Foot_L Toes_L",
    "SMPL": "Pelvis L_Hip L_Knee L_Ankle L_Foot Spine1 Spine2 Spine3 L_Collar L_Shoulder L_Elbow L_Wrist",
    "SMPL (long names)": "pelvis left_hip left_knee left_ankle left_foot spine1 spine2 spine3 left_collar left_wrist",
    "SOMA": "Hips LeftLeg LeftShin LeftFoot Spine1 Spine2 Chest LeftShoulder LeftArm LeftForeArm LeftHand",
    "VRM": "J_Bip_C_Hips J_Bip_C_Spine J_Bip_L_UpperArm J_Bip_L_LowerArm J_Bip_L_UpperLeg J_Bip_L_LowerLeg",
    "Unity": "Hips Spine Chest LeftShoulder LeftUpperArm LeftLowerArm LeftHand LeftUpperLeg LeftLowerLeg LeftFoot",
    "Unreal": "pelvis spine_01 clavicle_l upperarm_l lowerarm_l hand_l thigh_l calf_l foot_l ball_l",
    "Biovision": "Hips Chest Neck Head LeftCollar LeftUpArm LeftLowArm LeftHand LeftUpLeg LeftLowLeg LeftFoot",
    "Biovision (Collar, Elbow, Wrist)": "Hips Chest Neck Head LeftCollar LeftShoulder LeftElbow LeftWrist LeftHip LeftKnee",
    "Biped": "Bip01Pelvis Bip01Spine Bip01LClavicle Bip01LUpperArm Bip01LForearm Bip01LThigh Bip01LCalf Bip01LFoot",
    "MakeHuman": "upperleg01.R lowerleg01.R foot.R spine05 clavicle.L upperarm01.L lowerarm01.L wrist.L",
    "MakeHuman (game)": "Spine1 Clavicle_L UpArm_L LoArm_L Hand_L UpLeg_L LoLeg_L Foot_L Toe_L",
    "GAMES-105": "RootJoint pelvis_lowerback lowerback_torso lTorso_Clavicle lShoulder lElbow lHip lKnee lAnkle",
    "mocopi": "torso_1 torso_7 neck_1 l_shoulder l_up_arm l_low_arm l_up_leg l_low_leg l_foot",
    "OptiTrack": "Hip Ab Chest LShoulder LUArm LFArm LHand LThigh LShin LFoot LToe",
    "HumanIK (no toes)": "Hips Spine Spine1 Neck Head LeftShoulder LeftArm LeftForeArm LeftHand LeftUpLeg LeftLeg LeftFoot",
}


def bare_name(name: str) -> str:
    """Return the name without namespace ("mixamorig:") or exporter prefix ("Character1_")."""
    return re.sub(r"^(Character\d*_|mixamorig\d*_?)", "", name.rsplit(":", 1)[-1].rsplit("|", 1)[-1])


def split_side(name: str) -> tuple[int, str]:
    """Return the side (+1 left, -1 right, 0 none) and the rest of the name in lower case without digits."""
    name = bare_name(name)
    if re.fullmatch(r"[LT]\d+", name):  # a vertebra: Xsens' L5, T12
        return 0, "spine"
    tokens = [token.lower() for token in _TOKEN.findall(name)]
    sides = [_SIDES[token] for token in tokens if token in _SIDES]
    rest = "".join(token for token in tokens if token not in _SIDES)
    if sides:
        return sides[0], rest
    glued = _GLUED.match(rest)
    return (_SIDES[glued.group(1)], rest[glued.end() :]) if glued else (0, rest)


def body_part(name: str) -> str:
    """Return the part that a name proposes, a key of `PARTS`, or "" (the last word counts: "lTorso_Clavicle")."""
    rest = split_side(name)[1]
    found = re.findall(_WORDS, rest)
    if not found:
        return ""
    parts = [_PART_OF[word] for word in found]
    for special in ("helper", "finger", "face"):
        if special in parts and not (special == "helper" and found[-1] != rest[-len(found[-1]) :] and parts[-1] != special):
            return special
    return parts[-1]


def dialect(names: Sequence[str]) -> str:
    """Return the name of the dialect whose marks are best met by the joint names, or "unknown"."""
    bare = {re.sub(r"[ _]", "", bare_name(name)).replace("Bip001", "Bip01") for name in names}
    if any(name.lower().startswith("mixamorig") for name in names):
        return "Mixamo"
    best, best_score = "unknown", 0.84
    for label, marks in DIALECTS.items():
        wanted = marks.replace("_", "").split()
        score = sum(mark in bare for mark in wanted) / len(wanted)
        if score > best_score + 1e-9:
            best, best_score = label, score
    return best.split(" (")[0]
