"""What one joint name says: the side and the body part.

Names alone are ambiguous (LeftShoulder is the clavicle or the upper arm, LeftLeg the shin or the thigh), so a name only
proposes a part here; `kinematics.anatomy` decides with the tree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

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


def bare_name(name: str) -> str:
    """Return the name without namespace ("mixamorig:") or exporter prefix ("Character1_", "Bip01 ")."""
    return re.sub(r"^(Character\d*_|mixamorig\d*_?|Bip\d+[ _]+)", "", name.rsplit(":", 1)[-1].rsplit("|", 1)[-1])


@lru_cache(maxsize=8192)
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


@lru_cache(maxsize=8192)
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
    """Return the name of the dialect that the joint names alone tell (see `kinematics.dialects`), or "unknown"."""
    from kinematics.dialects import recognise_dialect

    return recognise_dialect(names).name
