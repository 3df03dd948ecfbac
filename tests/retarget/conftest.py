"""A small person in many naming conventions, joint frames and proportions, and a walk for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import ChannelLayout, Skeleton

# Pelvis; spine joints; chest; neck joints; head; then with {} for the side: clavicle, upper arm, forearm, hand, thigh, shin, foot, toe.
CONVENTIONS: dict[str, tuple[str, tuple[str, str]]] = {
    "LAFAN1": (
        "Hips;Spine,Spine1;Spine2;Neck;Head;{}Shoulder;{}Arm;{}ForeArm;{}Hand;{}UpLeg;{}Leg;{}Foot;{}Toe",
        ("Left", "Right"),
    ),
    "Mixamo": (
        "mixamorig:Hips;mixamorig:Spine,mixamorig:Spine1;mixamorig:Spine2;mixamorig:Neck;mixamorig:Head;mixamorig:{}Shoulder;"
        "mixamorig:{}Arm;mixamorig:{}ForeArm;mixamorig:{}Hand;mixamorig:{}UpLeg;mixamorig:{}Leg;mixamorig:{}Foot;"
        "mixamorig:{}ToeBase",
        ("Left", "Right"),
    ),
    "SMPL": (
        "Pelvis;Spine1,Spine2;Spine3;Neck;Head;{}_Collar;{}_Shoulder;{}_Elbow;{}_Wrist;{}_Hip;{}_Knee;{}_Ankle;{}_Foot",
        ("L", "R"),
    ),
    "Xsens": (
        "Pelvis;L5,L3,T12;T8;Neck;Head;{}Shoulder;{}UpperArm;{}ForeArm;{}Hand;{}UpperLeg;{}LowerLeg;{}Foot;{}Toe",
        ("Left", "Right"),
    ),
    "SOMA": (
        "Hips;Spine1,Spine2;Chest;Neck1,Neck2;Head;{}Shoulder;{}Arm;{}ForeArm;{}Hand;{}Leg;{}Shin;{}Foot;{}ToeBase",
        ("Left", "Right"),
    ),
    "Unity": (
        "Hips;Spine;Chest;Neck;Head;{}Shoulder;{}UpperArm;{}LowerArm;{}Hand;{}UpperLeg;{}LowerLeg;{}Foot;{}Toes",
        ("Left", "Right"),
    ),
    "Unreal": (
        "pelvis;spine_01,spine_02;spine_03;neck_01;head;clavicle_{};upperarm_{};lowerarm_{};hand_{};thigh_{};calf_{};foot_{};ball_{}",
        ("l", "r"),
    ),
    "Rokoko": (
        "Hips;Spine1,Spine2;Spine3;Neck;Head;{}Shoulder;{}Arm;{}ForeArm;{}Hand;{}Thigh;{}Shin;{}Foot;{}Toe",
        ("Left", "Right"),
    ),
    "Biped": (
        "Bip01 Pelvis;Bip01 Spine,Bip01 Spine1;Bip01 Spine2;Bip01 Neck;Bip01 Head;Bip01 {} Clavicle;Bip01 {} UpperArm;"
        "Bip01 {} Forearm;Bip01 {} Hand;Bip01 {} Thigh;Bip01 {} Calf;Bip01 {} Foot;Bip01 {} Toe0",
        ("L", "R"),
    ),
    "Xsens / 100STYLE": (
        "Hips;Chest,Chest2,Chest3;Chest4;Neck;Head;{}Collar;{}Shoulder;{}Elbow;{}Wrist;{}Hip;{}Knee;{}Ankle;{}Toe",
        ("Left", "Right"),
    ),
}
PARTS = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")
# Positions in a T-pose that faces +Z, in metres; those of the right side are mirrored.
PLACES = {
    "pelvis": (0.0, 0.95, 0.0),
    "chest": (0.0, 1.31, 0.0),
    "neck": (0.0, 1.48, -0.02),
    "head": (0.0, 1.60, 0.01),
    "clavicle": (0.03, 1.44, 0.01),
    "upper_arm": (0.18, 1.43, -0.02),
    "forearm": (0.46, 1.43, -0.02),
    "hand": (0.72, 1.43, -0.02),
    "thigh": (0.09, 0.90, 0.0),
    "shin": (0.09, 0.48, 0.0),
    "foot": (0.09, 0.07, -0.02),
    "toe": (0.09, 0.02, 0.12),
}
TIPS = {"head": (0.0, 1.80, 0.01), "hand": (0.90, 1.43, -0.02), "toe": (0.09, 0.02, 0.19)}


@dataclass(frozen=True)
class Person:
    """A skeleton in T-pose, and which joint is which part ("spine" holds several)."""

    skeleton: Skeleton
    parts: dict[str, int]
    spine: list[int]

    def walk(self, frames: int = 40, *, turn: float = 0.8) -> Motion:
        """Walk along a bend, arms hanging and swinging, knees and elbows bending as they can."""
        skeleton = self.skeleton
        phase = 2 * np.pi * np.arange(frames) / 30
        angles = np.zeros((frames, skeleton.num_joints, 3))
        for side, sign, shift in (("left_", 1.0, 0.0), ("right_", -1.0, np.pi)):
            angles[:, self.parts[side + "thigh"], 0] = -0.1 - 0.4 * np.sin(phase + shift)
            angles[:, self.parts[side + "shin"], 0] = 0.35 - 0.3 * np.cos(phase + shift + 0.6)
            angles[:, self.parts[side + "foot"], 0] = 0.15 * np.sin(phase + shift)
            angles[:, self.parts[side + "upper_arm"], 2] = -sign * 1.2
            angles[:, self.parts[side + "upper_arm"], 1] = -sign * 0.3 * np.sin(phase + shift)
            angles[:, self.parts[side + "forearm"], 1] = -sign * (0.5 + 0.2 * np.sin(phase + shift))
            angles[:, self.parts[side + "clavicle"], 1] = 0.05 * np.sin(phase)
        for joint in [*self.spine, self.parts["chest"]]:
            angles[:, joint, 1] = 0.06 * np.sin(phase)
            angles[:, joint, 0] = 0.03
        angles[:, self.parts["head"], 1] = 0.2 * np.cos(phase)
        angles[:, self.parts["pelvis"], 1] = turn * np.arange(frames) / 40
        unit = np.linalg.norm(skeleton.offsets[self.parts["left_shin"]]) / 0.42
        root = unit * np.stack([0.01 * np.sin(phase), 0.92 + 0.01 * np.cos(2 * phase), 0.04 * np.arange(frames)], axis=1)
        return Motion(skeleton, root, quaternion.from_rotation_vector(angles), 1.0 / 30.0)


def build_person(convention: str = "LAFAN1", *, seed: int | None = None, spread: float = 0.2) -> Person:
    """Build a person; with a seed, of random bone lengths (the same left and right)."""
    names, (left, right) = CONVENTIONS[convention]
    pelvis, spine, chest, neck, head, *limbs = names.split(";")
    rng = np.random.default_rng(seed)
    stretch = {part: 1.0 if seed is None else float(np.exp(spread * rng.normal())) for part in (*PLACES, "spine")}
    rows: list[tuple[str, int, np.ndarray]] = []
    parts: dict[str, int] = {}

    def add(name: str, part: str, parent: int, offset: np.ndarray) -> int:
        rows.append((name, parent, stretch.get(part.split("_", 1)[-1] if "t_" in part else part, 1.0) * offset))
        parts.setdefault(part, len(rows) - 1)
        return len(rows) - 1

    def step(start: str, end: str, pieces: int = 1) -> np.ndarray:
        return (np.array(PLACES[end]) - np.array(PLACES[start])) / pieces

    add(pelvis, "pelvis", -1, np.array(PLACES["pelvis"]))
    between = spine.split(",")
    joints = [add(name, "spine", len(rows) - 1, step("pelvis", "chest", len(between) + 1)) for name in between]
    add(chest, "chest", len(rows) - 1, step("pelvis", "chest", len(between) + 1))
    necks = neck.split(",")
    add(necks[0], "neck", parts["chest"], step("chest", "neck"))
    for name in necks[1:]:
        add(name, "upper_neck", len(rows) - 1, step("neck", "head", len(necks)))
    add(head, "head", len(rows) - 1, step("neck", "head", len(necks)))
    ends = [(parts["head"], np.array(TIPS["head"]) - np.array(PLACES["head"]))]
    for prefix, side, sign in (("left_", left, 1.0), ("right_", right, -1.0)):
        mirror = np.array([sign, 1.0, 1.0])
        chain = {"clavicle": "chest", "thigh": "pelvis"} | {b: a for a, b in pairwise(PARTS) if b != "thigh"}
        for part, name in zip(PARTS, limbs, strict=True):
            above = chain[part]
            parent = parts[above if above in ("chest", "pelvis") else prefix + above]
            add(name.format(side), prefix + part, parent, mirror * step(above, part))
        for part in ("hand", "toe"):
            ends.append((parts[prefix + part], mirror * (np.array(TIPS[part]) - np.array(PLACES[part]))))
    skeleton = Skeleton(
        tuple(row[0] for row in rows),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        np.array([joint for joint, _ in ends]),
        np.array([offset for _, offset in ends]),
    )
    del parts["spine"]
    parts.pop("upper_neck", None)
    return Person(skeleton, parts, joints)


def reorient(motion: Motion, local_frames: np.ndarray) -> Motion:
    """Return the same moving body with other joint frames: each joint's frame is turned by a constant, shape (joints, 4)."""
    skeleton = motion.skeleton
    above = np.where((skeleton.parents >= 0)[:, None], local_frames[skeleton.parents], quaternion.IDENTITY)
    back = quaternion.inverse(above)
    ends = quaternion.inverse(local_frames[skeleton.end_site_parents])
    other = skeleton.with_offsets(quaternion.rotate(back, skeleton.offsets), quaternion.rotate(ends, skeleton.end_site_offsets))
    local = quaternion.multiply(quaternion.multiply(back, motion.local_rotations), local_frames)
    return Motion(other, motion.root_positions, local, motion.frame_time)


def random_frames(count: int, seed: int) -> np.ndarray:
    """Return random rotations, shape (count, 4)."""
    return quaternion.normalize(np.random.default_rng(seed).normal(size=(count, 4)))


def frames_along_x(person: Person) -> np.ndarray:
    """Return joint frames whose X axis lies along the bone, as in LAFAN1: the zero pose is then no pose."""
    skeleton, frames = person.skeleton, np.tile(quaternion.IDENTITY, (person.skeleton.num_joints, 1))
    upright = {person.parts["pelvis"], person.parts["chest"]}
    for joint, children in enumerate(skeleton.children):
        ends = np.flatnonzero(skeleton.end_site_parents == joint)
        bone = skeleton.offsets[children[0]] if children else skeleton.end_site_offsets[ends[0]]
        frames[joint] = quaternion.shortest_arc(
            np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]) if joint in upright else bone
        )
    return frames


def z_up(motion: Motion, unit: float = 1.0) -> Motion:
    """Return the same motion in a world with Z up and another unit."""
    turn = quaternion.from_rotation_vector(np.array([0.5 * np.pi, 0.0, 0.0]))
    local = motion.local_rotations.copy()
    local[:, 0] = quaternion.multiply(turn, local[:, 0])
    skeleton = motion.skeleton.with_offsets(unit * motion.skeleton.offsets, unit * motion.skeleton.end_site_offsets)
    layout = ChannelLayout.default(skeleton.num_joints, rotation_order="XYZ")
    return Motion(skeleton.with_layout(layout), unit * quaternion.rotate(turn, motion.root_positions), local, motion.frame_time)


@dataclass(frozen=True)
class Bodies:
    """The helpers above, for tests (modules here cannot import each other)."""

    person: Callable[..., Person] = build_person
    reorient: Callable[[Motion, np.ndarray], Motion] = reorient
    random_frames: Callable[[int, int], np.ndarray] = random_frames
    frames_along_x: Callable[[Person], np.ndarray] = frames_along_x
    z_up: Callable[..., Motion] = z_up
    conventions: tuple[str, ...] = tuple(CONVENTIONS)


@pytest.fixture(scope="session")
def bodies() -> Bodies:
    """Makers of synthetic people."""
    return Bodies()
