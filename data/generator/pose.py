"""From a description of a movement (trunk angles, arm angles, where the feet are) to all joints in the world."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from generator import body

from kinematics.rotations import quaternion

X, Y, Z = np.eye(3)
SIDES = (("left_", 1.0), ("right_", -1.0))


@dataclass(frozen=True)
class Turn:
    """Angles of a part of the trunk in degrees, arrays of shape (frames,) or numbers.

    Attributes:
        yaw: To the left, relative to the body's heading.
        pitch: Leaning forward.
        roll: Leaning to the right.
    """

    yaw: np.ndarray | float = 0.0
    pitch: np.ndarray | float = 0.0
    roll: np.ndarray | float = 0.0


@dataclass(frozen=True)
class Arm:
    """Angles of one arm in degrees, arrays of shape (frames,) or numbers; all zero is an arm that hangs straight down.

    Attributes:
        flexion: The upper arm forward.
        abduction: The upper arm outward.
        inward: The upper arm about its own axis, a bent forearm going inward.
        elbow: Bend of the elbow.
        pronation: The palm from facing the thigh to facing back.
        wrist: Bend of the hand towards the palm.
        raised: The shoulder upward.
        protracted: The shoulder forward.
        curl: Bend of the fingers, 0 flat, 1 relaxed, 3 a fist.
    """

    flexion: np.ndarray | float = 0.0
    abduction: np.ndarray | float = 7.0
    inward: np.ndarray | float = 25.0
    elbow: np.ndarray | float = 14.0
    pronation: np.ndarray | float = 15.0
    wrist: np.ndarray | float = 4.0
    raised: np.ndarray | float = 0.0
    protracted: np.ndarray | float = 0.0
    curl: np.ndarray | float = 1.0


@dataclass(frozen=True)
class Foot:
    """Where one foot is.

    Attributes:
        ankle: Position of the ankle, shape (frames, 3), metres.
        yaw: Heading of the foot in radians, to the left of +Z, shape (frames,).
        pitch: Toes up, radians, shape (frames,).
        toe_pitch: The same of the toes alone.
    """

    ankle: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    toe_pitch: np.ndarray


@dataclass(frozen=True)
class Movement:
    """A movement over time, before its joints are solved.

    Attributes:
        pelvis: Position, shape (frames, 3), metres.
        heading: Of the body in radians, to the left of +Z, shape (frames,).
        hips: Turn of the pelvis.
        chest: Turn of the rib cage.
        head: Turn of the head.
        arms: Left, right.
        feet: Left, right.
    """

    pelvis: np.ndarray
    heading: np.ndarray
    hips: Turn
    chest: Turn
    head: Turn
    arms: tuple[Arm, Arm]
    feet: tuple[Foot, Foot]


@dataclass(frozen=True)
class Solved:
    """All joints in the world.

    Attributes:
        positions: By joint, shape (frames, 3), metres.
        rotations: By joint, from the T-pose, quaternions wxyz, shape (frames, 4).
    """

    positions: dict[str, np.ndarray]
    rotations: dict[str, np.ndarray]


def about(axis: np.ndarray, degrees: np.ndarray | float) -> np.ndarray:
    """Return the rotation about an axis by an angle in degrees."""
    return quaternion.from_axis_angle(axis, np.radians(degrees))


def chain(*rotations: np.ndarray) -> np.ndarray:
    """Compose rotations, the last one applied first."""
    result = rotations[0]
    for rotation in rotations[1:]:
        result = quaternion.multiply(result, rotation)
    return result


def turned(heading: np.ndarray, turn: Turn) -> np.ndarray:
    """Return the world rotation of a part of the trunk, shape (frames, 4)."""
    return chain(about(Y, np.degrees(heading) + turn.yaw), about(X, turn.pitch), about(Z, turn.roll))


def between(start: Turn, end: Turn, fraction: float) -> Turn:
    """Return the turn part of the way from one to another."""
    return Turn(*(getattr(start, k) + fraction * (getattr(end, k) - getattr(start, k)) for k in ("yaw", "pitch", "roll")))


def forward(yaw: np.ndarray) -> np.ndarray:
    """Return the horizontal direction of a heading in radians, shape (frames, 3)."""
    return np.stack([np.sin(yaw), np.zeros_like(yaw), np.cos(yaw)], axis=-1)


def two_bones(root: np.ndarray, tip: np.ndarray, upper: float, lower: float, bend_towards: np.ndarray) -> np.ndarray:
    """Return the middle joint of two bones by the law of cosines, bent in the direction given; shape (frames, 3).

    Where the tip is out of reach the bones lie straight and do not arrive; `out_of_reach` finds such frames.
    """
    reach = tip - root
    length = np.linalg.norm(reach, axis=-1, keepdims=True)
    along = reach / length
    across = bend_towards - np.sum(bend_towards * along, axis=-1, keepdims=True) * along
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    cosine = np.minimum((upper**2 + length**2 - lower**2) / (2 * upper * length), 1.0)
    return np.asarray(root + upper * (cosine * along + np.sqrt(1.0 - cosine**2) * across))


def out_of_reach(solved: Solved) -> list[int]:
    """Return the frames in which a foot is farther from its hip than the leg is long."""
    stretched = [np.linalg.norm(solved.positions[s + "foot"] - solved.positions[s + "shin"], axis=-1) for s, _ in SIDES]
    return [int(frame) for frame in np.flatnonzero(np.max(stretched, axis=0) > body.SHANK + 1e-9)]


def axes_to_rotation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rotation with the given unit x and y axes (perpendicular), shape (frames, 4)."""
    rotation = quaternion.from_matrix(np.stack([x, y, np.cross(x, y)], axis=-1))
    return quaternion.unroll(rotation)


def solve(movement: Movement) -> Solved:
    """Place every joint of the body."""
    frames = len(movement.pelvis)
    solved = Solved({"pelvis": np.asarray(movement.pelvis)}, {})
    hips, chest, head = movement.hips, movement.chest, movement.head
    for name, turn in {
        "pelvis": hips,
        "spine": between(hips, chest, 0.35),
        "spine1": between(hips, chest, 0.7),
        "chest": chest,
        "neck": between(chest, head, 0.45),
        "head": head,
    }.items():
        solved.rotations[name] = np.broadcast_to(turned(movement.heading, turn), (frames, 4))
        place(solved, name)
    place(solved, "head_end")
    for index, (side, sign) in enumerate(SIDES):
        _solve_arm(solved, side, sign, movement.arms[index])
        _solve_leg(solved, side, movement.heading, hips, movement.feet[index])
    return solved


def with_pelvis_moved(solved: Solved, movement: Movement, shift: np.ndarray) -> tuple[Solved, Movement]:
    """Return body and movement with the pelvis elsewhere, `shift` of shape (frames, 3) in metres; the feet stay."""
    movement = replace(movement, pelvis=movement.pelvis + shift)
    legs = {side + joint for side, _ in SIDES for joint in ("shin", "foot", "toe", "toe_end")}
    positions = {name: value if name in legs else value + shift for name, value in solved.positions.items()}
    solved = Solved(positions, dict(solved.rotations))
    for index, (side, _) in enumerate(SIDES):
        _solve_leg(solved, side, movement.heading, movement.hips, movement.feet[index])
    return solved, movement


def place(solved: Solved, joint: str) -> None:
    """Put a joint where its parent carries it."""
    parent = body.PARENTS[joint]
    if parent:
        carried = quaternion.rotate(solved.rotations[parent], body.OFFSETS[joint])
        solved.positions[joint] = solved.positions[parent] + carried


def _mirrored(rotation: np.ndarray, sign: float) -> np.ndarray:
    """Return a left side's rotation for the right side: reflected at the plane x = 0."""
    return np.asarray(rotation * np.array([1.0, 1.0, sign, sign]))


def _solve_arm(solved: Solved, side: str, sign: float, arm: Arm) -> None:
    frames = len(solved.positions["chest"])
    clavicle = chain(about(Y, -np.asarray(arm.protracted)), about(Z, arm.raised))
    upper_arm = chain(
        about(X, -np.asarray(arm.flexion)), about(Z, arm.abduction), about(Y, -np.asarray(arm.inward)), about(Z, -90.0)
    )
    upper_arm = chain(quaternion.inverse(clavicle), upper_arm)  # the angles are those of the upper arm against the chest
    forearm = chain(about(Y, -np.asarray(arm.elbow)), about(X, arm.pronation))
    hand = about(Z, -np.asarray(arm.wrist))
    local = {"clavicle": clavicle, "upper_arm": upper_arm, "forearm": forearm, "hand": hand}
    for name, rotation in (local | _finger_bends(arm.curl)).items():
        joint = side + name
        parent = body.PARENTS[joint]
        rotation = np.broadcast_to(_mirrored(rotation, sign), (frames, 4))
        solved.rotations[joint] = chain(solved.rotations[parent], rotation)
        place(solved, joint)
    for name in ("hand_end", *(f"{finger}4" for finger in body.FINGERS)):
        place(solved, side + name)


def _finger_bends(curl: np.ndarray | float) -> dict[str, np.ndarray]:
    bends = {"index": (10, 16, 10), "middle": (14, 20, 12), "ring": (17, 22, 14), "pinky": (20, 22, 14)}
    spread = {"index": -2.0, "middle": 0.0, "ring": 1.5, "pinky": 3.5}  # to both sides of the middle finger
    local = {}
    for finger, degrees in bends.items():
        for number, bend in enumerate(degrees, start=1):
            rotation = about(Z, -bend * np.asarray(curl))
            local[f"{finger}{number}"] = chain(about(Y, spread[finger]), rotation) if number == 1 else rotation
    across = np.array([0.55, 0.10, -0.83]) / np.linalg.norm([0.55, 0.10, -0.83])  # the thumb bends towards the palm
    for number, bend in enumerate((4, 10, 12), start=1):
        local[f"thumb{number}"] = about(across, -bend * np.minimum(np.asarray(curl), 2.0))
    return local


def _solve_leg(solved: Solved, side: str, heading: np.ndarray, hips: Turn, foot: Foot) -> None:
    positions, rotations = solved.positions, solved.rotations
    place(solved, side + "thigh")
    hip, ankle = positions[side + "thigh"], np.asarray(foot.ankle)
    pelvis_yaw = heading + np.radians(hips.yaw)
    knee_yaw = pelvis_yaw + 0.6 * (foot.yaw - pelvis_yaw)
    knee = two_bones(hip, ankle, body.THIGH, body.SHANK, forward(knee_yaw))
    down = (ankle - hip) / np.linalg.norm(ankle - hip, axis=-1, keepdims=True)
    hinge = np.cross(forward(knee_yaw), down)
    hinge = hinge / np.linalg.norm(hinge, axis=-1, keepdims=True)
    rotations[side + "thigh"] = axes_to_rotation(hinge, (hip - knee) / body.THIGH)
    rotations[side + "shin"] = axes_to_rotation(hinge, (knee - ankle) / np.linalg.norm(knee - ankle, axis=-1, keepdims=True))
    positions[side + "shin"], positions[side + "foot"] = knee, ankle
    yaw = about(Y, np.degrees(foot.yaw))
    rotations[side + "foot"] = chain(yaw, about(X, -np.degrees(foot.pitch)))
    rotations[side + "toe"] = chain(yaw, about(X, -np.degrees(foot.toe_pitch)))
    place(solved, side + "toe")
    place(solved, side + "toe_end")
