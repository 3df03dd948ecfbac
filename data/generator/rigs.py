"""One body, three conventions: names, tree, zero pose, unit and channels as the files of each make have them.

A joint's rotation in a file is R A^-1, where R turns the body's segment from the T-pose and A turns the T-pose into the
convention's zero pose; offsets are the T-pose's, turned by A. So the joints are at the same places in every convention.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from generator import body
from generator.pose import SIDES, Solved, Y, Z, about

from kinematics.rotations import euler, quaternion

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


@dataclass(frozen=True)
class Joint:
    """A joint of a file.

    Attributes:
        name: Its name there.
        parent: The parent's name, "" at the root.
        place: The joint of the body that it lies at.
        segment: The joint of the body that it turns with.
        end: The joint of the body that its End Site lies at, or "".
    """

    name: str
    parent: str
    place: str
    segment: str
    end: str = ""


@dataclass(frozen=True)
class Rig:
    """A convention.

    Attributes:
        name: Used in file names.
        joints: Parents first, in file order.
        alignment: From a body joint's name to the turn from T-pose to zero pose, quaternion wxyz.
        root_offset: What the root's OFFSET says: "zero", "first frame" or "rest".
        order: Euler order of all joints.
        unit: Metres of one unit of the file.
        rate: Frames a second.
        frame_time: As the file writes it.
        decimals: Of positions; angles have five.
    """

    name: str
    joints: tuple[Joint, ...]
    alignment: Callable[[str], np.ndarray]
    root_offset: str
    order: str
    unit: float
    rate: int
    frame_time: str
    decimals: int


def cmu() -> Rig:
    """Return the convention of Carnegie Mellon's clips as MotionBuilder exported them (Hahne's conversion), in metres.

    The zero pose is a T-pose with legs spread by 20 degrees.
    """
    joints = [Joint("Hips", "", "pelvis", "pelvis")]
    for side, full, short in (("left_", "Left", "L"), ("right_", "Right", "R")):
        joints += [
            Joint(f"{short}HipJoint", "Hips", "pelvis", "pelvis"),
            Joint(f"{full}UpLeg", f"{short}HipJoint", side + "thigh", side + "thigh"),
            Joint(f"{full}Leg", f"{full}UpLeg", side + "shin", side + "shin"),
            Joint(f"{full}Foot", f"{full}Leg", side + "foot", side + "foot"),
            Joint(f"{full}ToeBase", f"{full}Foot", side + "toe", side + "toe", side + "toe_end"),
        ]
    joints += [
        Joint("LowerBack", "Hips", "spine", "spine"),
        Joint("Spine", "LowerBack", "spine1", "spine1"),
        Joint("Spine1", "Spine", "chest", "chest"),
        Joint("Neck", "Spine1", "chest", "chest"),
        Joint("Neck1", "Neck", "neck", "neck"),
        Joint("Head", "Neck1", "head", "head", "head_end"),
    ]
    for side, full, short in (("left_", "Left", "L"), ("right_", "Right", "R")):
        joints += [
            Joint(f"{full}Shoulder", "Spine1", side + "clavicle", side + "clavicle"),
            Joint(f"{full}Arm", f"{full}Shoulder", side + "upper_arm", side + "upper_arm"),
            Joint(f"{full}ForeArm", f"{full}Arm", side + "forearm", side + "forearm"),
            Joint(f"{full}Hand", f"{full}ForeArm", side + "hand", side + "hand"),
            Joint(f"{full}FingerBase", f"{full}Hand", side + "hand", side + "hand"),
            Joint(f"{full}HandIndex1", f"{full}FingerBase", side + "index1", side + "index1", side + "index4"),
            Joint(f"{short}Thumb", f"{full}Hand", side + "hand", side + "hand", side + "thumb3"),
        ]

    def alignment(joint: str) -> np.ndarray:
        for side, sign in SIDES:
            if joint in (side + "thigh", side + "shin", side + "foot", side + "toe"):
                return about(Z, sign * 20.0)
        return IDENTITY

    return Rig("cmu", tuple(joints), alignment, "zero", "ZYX", 1.0, 60, "0.0166667", 6)


def lafan1() -> Rig:
    """Return the convention of Ubisoft's LAFAN1: 22 joints, bones along +X in the zero pose, centimetres, 30 frames a second."""
    joints = [Joint("Hips", "", "pelvis", "pelvis")]
    for side, full in (("left_", "Left"), ("right_", "Right")):
        joints += [
            Joint(f"{full}UpLeg", "Hips", side + "thigh", side + "thigh"),
            Joint(f"{full}Leg", f"{full}UpLeg", side + "shin", side + "shin"),
            Joint(f"{full}Foot", f"{full}Leg", side + "foot", side + "foot"),
            Joint(f"{full}Toe", f"{full}Foot", side + "toe", side + "toe", side + "toe_end"),
        ]
    joints += _spine("")
    joints += [Joint("Neck", "Spine2", "neck", "neck"), Joint("Head", "Neck", "head", "head", "head_end")]
    for side, full in (("left_", "Left"), ("right_", "Right")):
        *arm, hand = _arm("", side, full)
        joints += [*arm, Joint(hand.name, hand.parent, hand.place, hand.segment, side + "hand_end")]
    along = {joint.segment: joint.end for joint in joints if joint.end} | {
        body.PARENTS[joint.place]: joint.place for joint in joints if joint.parent and joint.place not in ("chest", "neck")
    }
    along |= {"pelvis": "spine", "spine1": "chest", "chest": "neck", "neck": "head"}

    def alignment(joint: str) -> np.ndarray:
        x = body.PLACES[along[joint]] - body.PLACES[joint]
        if joint.endswith(("foot", "toe")):
            y = Y
        elif joint.endswith(("clavicle", "upper_arm", "forearm", "hand")):
            y = -Z
        else:
            y = Z
        x = x / np.linalg.norm(x)
        y = y - (y @ x) * x
        y = y / np.linalg.norm(y)
        return quaternion.from_matrix(np.stack([x, y, np.cross(x, y)]))

    return Rig("lafan1", tuple(joints), alignment, "first frame", "ZYX", 0.01, 30, "0.0333333", 4)


def mixamo() -> Rig:
    """Return the convention of Mixamo's characters: a prefix before each name, fingers, T-pose, centimetres."""
    prefix = "mixamorig:"
    joints = [Joint(prefix + "Hips", "", "pelvis", "pelvis"), *_spine(prefix)]
    joints += [
        Joint(prefix + "Neck", prefix + "Spine2", "neck", "neck"),
        Joint(prefix + "Head", prefix + "Neck", "head", "head"),
        Joint(prefix + "HeadTop_End", prefix + "Head", "head_end", "head", "head_end"),
    ]
    for side, full in (("left_", "Left"), ("right_", "Right")):
        joints += _arm(prefix, side, full)
        for finger in FINGERS:
            for number in range(1, 5):
                parent = f"{prefix}{full}Hand" if number == 1 else f"{prefix}{full}Hand{finger}{number - 1}"
                bone = f"{side}{finger.lower()}{number}"
                segment = bone if number < 4 else f"{side}{finger.lower()}3"
                joints.append(Joint(f"{prefix}{full}Hand{finger}{number}", parent, bone, segment, bone if number == 4 else ""))
    for side, full in (("left_", "Left"), ("right_", "Right")):
        names = ("UpLeg", "thigh"), ("Leg", "shin"), ("Foot", "foot"), ("ToeBase", "toe")
        parent = prefix + "Hips"
        for name, role in names:
            joints.append(Joint(prefix + full + name, parent, side + role, side + role))
            parent = prefix + full + name
        joints.append(Joint(f"{prefix}{full}Toe_End", parent, side + "toe_end", side + "toe", side + "toe_end"))
    return Rig("mixamo", tuple(joints), lambda _: IDENTITY, "rest", "ZXY", 0.01, 30, "0.0333333", 4)


def _spine(prefix: str) -> list[Joint]:
    return [
        Joint(prefix + "Spine", prefix + "Hips", "spine", "spine"),
        Joint(prefix + "Spine1", prefix + "Spine", "spine1", "spine1"),
        Joint(prefix + "Spine2", prefix + "Spine1", "chest", "chest"),
    ]


def _arm(prefix: str, side: str, full: str) -> list[Joint]:
    names = ("Shoulder", "clavicle"), ("Arm", "upper_arm"), ("ForeArm", "forearm"), ("Hand", "hand")
    joints, parent = [], prefix + "Spine2"
    for name, role in names:
        joints.append(Joint(prefix + full + name, parent, side + role, side + role))
        parent = prefix + full + name
    return joints


def offsets(rig: Rig) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return OFFSET of each joint and of the End Sites by joint name, in the file's unit (the root's is zero here)."""
    by_name = {joint.name: joint for joint in rig.joints}
    places = np.zeros((len(rig.joints), 3))
    ends = {}
    for index, joint in enumerate(rig.joints):
        if joint.parent:
            parent = by_name[joint.parent]
            step = body.PLACES[joint.place] - body.PLACES[parent.place]
            places[index] = quaternion.rotate(rig.alignment(parent.segment), step) / rig.unit
        if joint.end:
            step = body.PLACES[joint.end] - body.PLACES[joint.place]
            ends[joint.name] = quaternion.rotate(rig.alignment(joint.segment), step) / rig.unit
    return places, ends


def channels(rig: Rig, solved: Solved) -> np.ndarray:
    """Return the rows of a file: the root's position in the file's unit, then all Euler angles in degrees, unrolled."""
    turned = {
        joint.name: quaternion.multiply(solved.rotations[joint.segment], quaternion.inverse(rig.alignment(joint.segment)))
        for joint in rig.joints
    }
    columns = [solved.positions["pelvis"] / rig.unit]
    for joint in rig.joints:
        local = turned[joint.name]
        if joint.parent:
            local = quaternion.multiply(quaternion.inverse(turned[joint.parent]), local)
        columns.append(np.degrees(euler.unroll(euler.from_quaternion(local, rig.order), rig.order)))
    return np.concatenate(columns, axis=1)


RIGS = (cmu(), lafan1(), mixamo())
