"""One limb of a robot: its row of hinges cut into hip, knee and ankle, or shoulder, elbow and wrist.

A hinge may sit anywhere along its axis without changing what the limb does, and makers use that: a thigh's yaw motor is near
the knee, a forearm's roll motor near the hand. So each hinge is first moved along its axis to where it meets the one before,
all but those that bend the limb in its plane; then the limb's long bones are the gaps that remain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

LEG, ARM = ("thigh", "shin", "foot", "toe"), ("clavicle", "upper_arm", "forearm", "hand")
WORDS: dict[str, tuple[str, ...]] = {
    "thigh": ("hip", "thigh", "upperleg", "upleg", "femur", "buttock", "haa", "hfe"),  # the last two: abduction, flexion
    "shin": ("knee", "shin", "calf", "tibia", "lowerleg", "shank", "kn", "kfe"),
    "foot": ("ankle", "foot", "ank", "feet", "ffe", "faa"),
    "toe": ("toe", "toes"),
    "clavicle": ("clavicle", "collar", "scapula"),
    "upper_arm": ("shoulder", "upperarm", "uparm", "humerus", "sho", "shldr"),
    "forearm": ("elbow", "forearm", "lowerarm", "lowarm", "radius", "el", "ulna"),
    "hand": ("wrist", "hand", "palm", "wr"),
    "finger": ("finger", "fingers", "thumb", "index", "middle", "ring", "pinky", "gripper", "grip"),
    "head": ("head", "neck", "skull"),
    "trunk": ("waist", "torso", "abdomen", "spine", "chest", "pelvis", "lumbar", "back", "thorax"),
}
_PART_OF = {word: part for part, words in WORDS.items() for word in words}
_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_PAIRS = {
    ("upper", "leg"): "thigh", ("up", "leg"): "thigh", ("lower", "leg"): "shin", ("low", "leg"): "shin",
    ("upper", "arm"): "upper_arm", ("up", "arm"): "upper_arm", ("lower", "arm"): "forearm", ("fore", "arm"): "forearm",
}  # fmt: skip
_GLUED = re.compile(rf"^(left|right|l|r)?({'|'.join(sorted(_PART_OF, key=len, reverse=True))})(?=(rx|ry|rz|x|y|z)?$)")
LONG = 0.35  # of the longest gap: a gap that long is a bone
TOES = 0.2  # the same beyond the ankle
ALONG = 0.8  # cosine between a hinge's axis and a bone from which on the hinge twists it
SAME_PLANE = 0.02  # of the upper bone: hip and ankle that near to one plane across the knee lie in it
PARALLEL = 0.95  # cosine between the axes of hinges that bend a limb in one plane


def name_tokens(name: str) -> list[str]:
    """Return the words of a name in lower case, without digits."""
    return [token.lower() for token in _TOKEN.findall(name)]


def name_side(name: str) -> int:
    """Return +1 where a name says left, -1 right, 0 neither."""
    tokens = name_tokens(name)
    for token in (*tokens[:1], *tokens[-1:], *tokens):
        if token in ("left", "l", "lft", "right", "r", "rgt"):
            return 1 if token[0] == "l" else -1
    glued = _GLUED.match(tokens[0]) if tokens else None
    if glued and glued.group(1):
        return 1 if glued.group(1)[0] == "l" else -1
    return 0


def name_part(name: str) -> str:
    """Return the part that a name says, a key of `WORDS`, or ""."""
    tokens = name_tokens(name)
    found = [part for pair in pairwise(tokens) if (part := _PAIRS.get(pair))]
    for token in tokens:
        if token in _PART_OF:
            found.append(_PART_OF[token])
        elif glued := _GLUED.match(token):
            found.append(_PART_OF[glued.group(2)])
    if "finger" in found:
        return "finger"
    return found[0] if found else ""


@dataclass(frozen=True, eq=False)
class Line:
    """A joint of a limb: its axis through its anchor in the zero pose; a ball joint has no axis.

    Attributes:
        joint: Index of the joint.
        anchor: Where it is, metres, shape (3,).
        axis: Unit axis, shape (3,), or zeros.
        label: The part that its name says, or "".
    """

    joint: int
    anchor: Float[np.ndarray, "3"]
    axis: Float[np.ndarray, "3"]
    label: str

    @property
    def is_hinge(self) -> bool:
        """Whether it turns about one axis."""
        return bool(self.axis.any())


@dataclass(frozen=True, eq=False)
class Cluster:
    """Joints that act as one: a hip, a knee, an ankle.

    Attributes:
        lines: Its joints, from the trunk outwards.
        center: Where they meet in the zero pose, metres, shape (3,).
    """

    lines: tuple[Line, ...]
    center: Float[np.ndarray, "3"]

    @property
    def joints(self) -> tuple[int, ...]:
        """Indices of its joints."""
        return tuple(line.joint for line in self.lines)


def effective_anchors(lines: list[Line]) -> list[Float[np.ndarray, "3"]]:
    """Return for each joint the point of its axis that is nearest to the axis before it; of hinges that bend, the anchor."""
    bends = _bending(lines)
    points = [lines[0].anchor] if lines else []
    for before, line, fixed in zip(lines, lines[1:], bends[1:], strict=False):
        cross = np.cross(before.axis, line.axis)
        if fixed or not line.is_hinge:
            points.append(line.anchor)
        elif before.is_hinge and float(cross @ cross) > 0.1:
            beside = np.cross(before.axis, cross)  # normal of the plane through the first axis and the common perpendicular
            along = float(beside @ (points[-1] - line.anchor)) / float(beside @ line.axis)
            points.append(line.anchor + along * line.axis)
        else:
            points.append(line.anchor + float((points[-1] - line.anchor) @ line.axis) * line.axis)
    return points


def _bending(lines: list[Line]) -> list[bool]:
    """Tell which hinges bend the limb: there is a parallel one elsewhere (hip, knee, ankle pitch), and they twist no bone."""
    anchors = np.array([line.anchor for line in lines])
    size = float(np.linalg.norm(np.ptp(anchors, axis=0)))
    found = []
    for n, line in enumerate(lines):
        across = [
            float(np.linalg.norm(np.cross(other.anchor - line.anchor, line.axis)))
            for other in lines
            if line.is_hinge and abs(float(other.axis @ line.axis)) > PARALLEL
        ]
        start = anchors[max(n - 1, 0)]
        bone = next((anchor - start for anchor in anchors[n + 1 :] if np.linalg.norm(anchor - start) > 0.1 * size), np.zeros(3))
        found.append(max(across, default=0.0) > 0.1 * size and not _twists(line, bone))
    return found


def meeting_point(lines: list[Line], anchors: list[Float[np.ndarray, "3"]]) -> Float[np.ndarray, "3"]:
    """Return the point nearest to all axes (least squares); along directions that they leave open, the mean of the anchors."""
    mean = np.mean(anchors, axis=0)
    if len(lines) == 1 or not all(line.is_hinge for line in lines):
        return np.asarray(mean)
    across = [np.eye(3) - np.outer(line.axis, line.axis) for line in lines]
    matrix = sum(across, 1e-3 * np.eye(3))
    vector = sum((a @ (line.anchor - mean) for a, line in zip(across, lines, strict=True)), np.zeros(3))
    return np.asarray(mean + np.linalg.solve(matrix, vector))


def cut(lines: list[Line], tip: Float[np.ndarray, "3"], roles: tuple[str, ...]) -> dict[str, Cluster]:
    """Cut a limb's row of joints into clusters by names where they tell, else by its long gaps.

    Args:
        lines: The joints from the trunk outwards.
        tip: Its farthest point, metres, shape (3,).
        roles: `LEG` or `ARM`.

    Returns:
        A cluster for each role found; a limb may end before its last ones.
    """
    lines = [line for line in lines if line.label != "finger"]
    if not lines:
        return {}
    named = _by_names(lines, roles)
    groups = named if named else _by_gaps(lines, tip, roles)
    return _clusters(_with_twists(groups, tip, roles), roles, lines)


def _by_names(lines: list[Line], roles: tuple[str, ...]) -> dict[str, list[Line]]:
    """Group by what names say; empty unless they say it for every joint, in order, with the two long bones among them."""
    if any(line.label not in roles for line in lines):
        return {}
    order = [roles.index(line.label) for line in lines]
    groups = {role: [line for line in lines if line.label == role] for role in roles}
    groups = {role: group for role, group in groups.items() if group}
    upper = 0 if roles is LEG else 1
    both = roles[upper] in groups and roles[upper + 1] in groups
    return groups if order == sorted(order) and both else {}


def _by_gaps(lines: list[Line], tip: Float[np.ndarray, "3"], roles: tuple[str, ...]) -> dict[str, list[Line]]:
    anchors = effective_anchors(lines)
    gaps = [float(np.linalg.norm(b - a)) for a, b in pairwise(anchors)]
    end = float(np.linalg.norm(tip - anchors[-1]))
    longest = max([*gaps, 0.8 * end])
    groups: list[list[Line]] = [[lines[0]]]
    starts = [anchors[0]]
    for line, anchor, gap in zip(lines[1:], anchors[1:], gaps, strict=True):
        toes = roles is LEG and len(groups) > 2 and abs(float(line.axis @ groups[-1][0].axis)) > PARALLEL
        if gap > (TOES if toes else LONG) * longest:
            groups.append([])
            starts.append(anchor)
        groups[-1].append(line)
    if roles is LEG and _begins_before_its_pitch(groups):
        groups[:2] = [groups[0] + groups[1]]
        starts = [starts[1], *starts[2:]]
    bones = [float(np.linalg.norm(b - a)) for a, b in zip(starts, [*starts[1:], tip], strict=True)]
    if len(groups) == 1:
        return {roles[0 if roles is LEG else 1]: groups[0]}
    balls = [n for n, group in enumerate(groups[:-1]) if len(group) >= 3 or not all(line.is_hinge for line in group)]
    longest_pair = max(range(len(groups) - 1), key=lambda n: min(bones[n], bones[n + 1]))
    # The first cluster that turns every way is the hip or shoulder; a clavicle does not.
    upper = balls[0] if balls else 0 if roles is LEG else longest_pair
    first = roles.index("thigh" if roles is LEG else "upper_arm")
    named: dict[str, list[Line]] = {}
    for n, group in enumerate(groups):
        role = min(max(first + n - upper, 0), len(roles) - 1)
        named.setdefault(roles[role], []).extend(group)
    return named


def _begins_before_its_pitch(groups: list[list[Line]]) -> bool:
    """Whether the second cluster of a leg is the hip's pitch, far from its other hinges: what bends as the knee and ankle do."""
    pitches = [[line for line in group if line.is_hinge] for group in groups]
    if len(groups) < 4 or not all(pitches[:4]) or len(groups[1]) > 1 or len(groups[2]) > 1:
        return False
    axis = groups[2][0].axis
    alike = [max(abs(float(line.axis @ axis)) for line in group) > PARALLEL for group in pitches[:4]]
    return alike == [False, True, True, True]


def _with_twists(groups: dict[str, list[Line]], tip: Float[np.ndarray, "3"], roles: tuple[str, ...]) -> dict[str, list[Line]]:
    """Give a twist of the upper bone to the part before, and of the lower bone to the part after: neither bends the limb."""
    first, second, third = LEG[:3] if roles is LEG else ARM[1:]
    if not {first, second} <= set(groups):
        return groups
    upper, middle, end = (list(groups.get(role, [])) for role in (first, second, third))
    while len(middle) > 1 and _twists(middle[0], middle[1].anchor - upper[0].anchor):
        upper.append(middle.pop(0))
    outer = end[-1].anchor if end else tip
    while len(middle) > 1 and _twists(middle[-1], outer - middle[0].anchor):
        end.insert(0, middle.pop())
    return groups | {first: upper, second: middle} | ({third: end} if end else {})


def _clusters(groups: dict[str, list[Line]], roles: tuple[str, ...], lines: list[Line]) -> dict[str, Cluster]:
    anchors = dict(zip((line.joint for line in lines), effective_anchors(lines), strict=True))
    centers: dict[str, np.ndarray] = {}
    for role in roles:
        group = groups.get(role, [])
        if role == "hand" and "forearm" in centers:  # a roll alone meets the elbow, and says nothing of where the wrist is
            bending = [line for line in group if not _twists(line, line.anchor - centers["forearm"])]
            group = bending or group[-1:]
            anchors |= {line.joint: line.anchor for line in group[-1:] if not bending}
        if group:
            centers[role] = meeting_point(group, [anchors[line.joint] for line in group])
    upper, middle, end = LEG[:3] if roles is LEG else ARM[1:]
    if upper in centers and middle in centers and groups[middle][0].is_hinge:
        # The bones lie in the plane in which knee and elbow bend. An anchor may sit anywhere along such a hinge; so the plane is
        # that of hip and ankle where both tell it and agree, else the anchor's.
        axis = groups[middle][0].axis
        shift = float((centers[middle] - centers[upper]) @ axis)
        length = float(np.linalg.norm(centers[middle] - centers[upper]))
        if _tells(groups[upper], axis) and end in centers and _tells(groups[end], axis):
            beyond = float((centers[end] - centers[upper]) @ axis)
            if abs(beyond) < SAME_PLANE * length < abs(shift):
                centers[middle] = centers[middle] - shift * axis
                shift = 0.0
        if abs(shift) < LONG * length:
            centers[upper] = centers[upper] + shift * axis
    return {role: Cluster(tuple(groups[role]), np.asarray(centers[role])) for role in roles if role in centers}


def _tells(group: list[Line], axis: Float[np.ndarray, "3"]) -> bool:
    """Whether the joints of a cluster say where it is along an axis: one of them turns about another."""
    return any(line.is_hinge and abs(float(line.axis @ axis)) < ALONG for line in group)


def _twists(line: Line, bone: Float[np.ndarray, "3"]) -> bool:
    return line.is_hinge and abs(_cosine(line.axis, bone)) > ALONG


def _cosine(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"]) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 1e-9 else 0.0
