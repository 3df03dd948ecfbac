"""A skeleton as tools for robots see it, as URDF and MJCF.

Such tools know hinges: a ball joint becomes three of them, in MJCF also a true ball joint. A pose is a row of numbers: root
position (where the root is free), then a quaternion wxyz for each ball or three angles for three hinges, joints in skeleton
order; a free root's rotation is a quaternion always. `global_transforms` places a body by matrices and shares no code with
the library's forward kinematics, so that answers are checked by something else than what found them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import numpy as np

from kinematics import Motion, Skeleton
from kinematics.ik.limits import EulerBox, Limit
from kinematics.rotations import euler, quaternion

FAR = 1e30  # radians: a range that is none
AXES = {"X": "1 0 0", "Y": "0 1 0", "Z": "0 0 1"}


@dataclass(frozen=True)
class Body:
    """A skeleton whose joints are local = reference * R(angle 1) R(angle 2) R(angle 3) * frame, angles in a range.

    Attributes:
        skeleton: The tree of joints.
        free_root: Whether the root moves; else it turns in place, as the first ball joint.
        orders: Axes of each joint's angles.
        lower: Least angles, radians, shape (joints, 3).
        upper: Largest angles, shape (joints, 3).
        references: Quaternions wxyz, shape (joints, 4).
        frames: Quaternions wxyz, shape (joints, 4).
    """

    skeleton: Skeleton
    free_root: bool
    orders: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    references: np.ndarray
    frames: np.ndarray

    @property
    def limited(self) -> bool:
        """Whether any joint has a range."""
        return bool((self.upper < FAR).any())


def make_body(skeleton: Skeleton, *, free_root: bool, limits: Mapping[str, Limit] | None = None) -> Body:
    """Return a body with the Euler boxes among some limits as ranges of its hinges; other joints turn freely."""
    joints = skeleton.num_joints
    orders = ["XYZ"] * joints
    lower, upper = np.full((joints, 3), -FAR), np.full((joints, 3), FAR)
    references, frames = np.tile(quaternion.IDENTITY, (2, joints, 1))
    for name, limit in (limits or {}).items():
        if isinstance(limit, EulerBox):
            joint = skeleton.joint_index(name)
            orders[joint], lower[joint], upper[joint] = limit.order, limit.lower, limit.upper
            references[joint], frames[joint] = limit.reference, limit.frame
    return Body(skeleton, free_root, tuple(orders), lower, upper, references, frames)


def ball_row(body: Body, motion: Motion) -> np.ndarray:
    """Return the first frame as a row of numbers with a quaternion for each joint."""
    rotations = motion.local_rotations[0].ravel()
    return np.concatenate([motion.root_positions[0], rotations]) if body.free_root else rotations


def hinge_row(body: Body, motion: Motion) -> np.ndarray:
    """Return the first frame as a row of numbers with three angles for each joint, inside their ranges where that can be."""
    rotations = motion.local_rotations[0]
    relative = quaternion.multiply(
        quaternion.inverse(body.references), quaternion.multiply(rotations, quaternion.inverse(body.frames))
    )
    angles = np.empty((len(rotations), 3))
    middle = 0.5 * (body.lower + body.upper)
    for joint, order in enumerate(body.orders):
        one = euler.from_quaternion(relative[joint], order)
        both = np.array([one, (one[0] + np.pi, np.pi - one[1], one[2] + np.pi)])
        both = middle[joint] + (both - middle[joint] + np.pi) % (2 * np.pi) - np.pi
        outside = np.maximum(body.lower[joint] - both, both - body.upper[joint]).max(axis=1)
        angles[joint] = both[outside.clip(0).argmin()]
    if body.free_root:
        return np.concatenate([motion.root_positions[0], rotations[0], angles[1:].ravel()])
    return angles.ravel()


def local_matrices(body: Body, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return root positions, local rotation matrices (answers, joints, 3, 3) and the angles outside their range, of answers."""
    joints, size = body.skeleton.num_joints, rows.shape[1]
    count = len(rows)
    roots = rows[:, :3] if body.free_root else np.zeros((count, 3))
    if size == 4 * joints + 3 * body.free_root:
        return roots, matrix(rows[:, 3 * body.free_root :].reshape(count, joints, 4)), np.zeros(count)
    angles = rows[:, 7 if body.free_root else 0 :].reshape(count, -1, 3)
    lower, upper = body.lower[joints - angles.shape[1] :], body.upper[joints - angles.shape[1] :]
    outside = np.maximum(lower - angles, angles - upper).max(axis=(1, 2))
    made = np.empty((count, joints, 3, 3))
    if body.free_root:
        made[:, 0] = matrix(rows[:, 3:7])
        angles = np.concatenate([np.zeros((count, 1, 3)), angles], axis=1)
    for joint in range(1 if body.free_root else 0, joints):
        turned = matrix(body.references[joint])
        for axis, angle in zip(body.orders[joint], angles[:, joint].T, strict=True):
            turned = turned @ turn("XYZ".index(axis), angle)
        made[:, joint] = turned @ matrix(body.frames[joint])
    return roots, made, outside


def turn(axis: int, angle: np.ndarray) -> np.ndarray:
    """Return rotations about a coordinate axis, shape (angles, 3, 3)."""
    made = np.zeros((len(angle), 3, 3))
    b, c = (axis + 1) % 3, (axis + 2) % 3
    made[:, axis, axis] = 1.0
    made[:, b, b] = made[:, c, c] = np.cos(angle)
    made[:, c, b] = np.sin(angle)
    made[:, b, c] = -made[:, c, b]
    return made


def matrix(q: np.ndarray) -> np.ndarray:
    """Return the matrices of quaternions wxyz of any length but zero."""
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def global_transforms(body: Body, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for rows of numbers, global positions (rows, joints, 3), rotation matrices, and radians outside of a range."""
    skeleton = body.skeleton
    roots, local, outside = local_matrices(body, rows)
    places, turned = np.empty((len(rows), skeleton.num_joints, 3)), np.empty_like(local)
    for joint, parent in enumerate(skeleton.parents.tolist()):
        if parent < 0:
            places[:, joint], turned[:, joint] = roots, local[:, joint]
        else:
            places[:, joint] = places[:, parent] + turned[:, parent] @ skeleton.offsets[joint]
            turned[:, joint] = turned[:, parent] @ local[:, joint]
    return places, turned, outside.clip(0)


def origins(body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Return where the hinges of each joint are in the body that the parent's hinges carry: positions and quaternions."""
    parents = body.skeleton.parents.clip(0)
    positions = quaternion.rotate(body.frames[parents], body.skeleton.offsets)
    rotations = quaternion.multiply(body.frames[parents], body.references)
    positions[0], rotations[0] = 0.0, body.references[0]
    return positions, rotations


def urdf(body: Body, effectors: tuple[str, ...]) -> str:
    """Return the body as URDF: three hinges a joint, a link "<joint>_tip" with the joint's own axes at each effector."""
    robot = ET.Element("robot", name="body")
    skeleton, (positions, rotations) = body.skeleton, origins(body)
    _link(robot, "base" if not body.free_root else skeleton.joint_names[0])
    for joint, name in enumerate(skeleton.joint_names):
        parent = int(skeleton.parents[joint])
        carrier = "base" if parent < 0 else skeleton.joint_names[parent]
        if parent >= 0 or not body.free_root:
            for k, axis in enumerate(body.orders[joint]):
                link = name if k == 2 else f"{name}_{k}_link"
                place = (positions[joint], rotations[joint]) if k == 0 else (np.zeros(3), quaternion.IDENTITY)
                made = _joint(robot, f"{name}_{k}", "revolute", carrier, link, *place)
                ET.SubElement(made, "axis", xyz=AXES[axis])
                low, high = repr(float(body.lower[joint, k])), repr(float(body.upper[joint, k]))
                ET.SubElement(made, "limit", lower=low, upper=high, effort="1e3", velocity="1e3")
                carrier = link
        if name in effectors:
            _joint(robot, f"{name}_tip_joint", "fixed", name, f"{name}_tip", np.zeros(3), body.frames[joint])
    return ET.tostring(robot, encoding="unicode")


def mjcf(body: Body, effectors: tuple[str, ...]) -> str:
    """Return the body as MJCF: a ball a joint, three hinges where joints have ranges; a site "<joint>_tip" at each effector."""
    skeleton, (positions, rotations) = body.skeleton, origins(body)
    root = ET.Element("mujoco", model="body")
    ET.SubElement(root, "compiler", angle="radian", autolimits="true")
    elements = {-1: ET.SubElement(root, "worldbody")}
    for joint, name in enumerate(skeleton.joint_names):
        made = ET.SubElement(
            elements[int(skeleton.parents[joint])], "body", name=name, pos=_words(positions[joint]), quat=_words(rotations[joint])
        )
        elements[joint] = made
        ET.SubElement(made, "inertial", pos="0 0 0", mass="1", diaginertia="1 1 1")
        if joint == 0 and body.free_root:
            ET.SubElement(made, "freejoint", name=name + "_free")
        elif not body.limited:
            ET.SubElement(made, "joint", name=name + "_ball", type="ball")
        else:
            for k, axis in enumerate(body.orders[joint]):
                hinge = ET.SubElement(made, "joint", name=f"{name}_{k}", type="hinge", axis=AXES[axis])
                if body.upper[joint, k] < FAR:
                    hinge.set("range", _words(np.array([body.lower[joint, k], body.upper[joint, k]])))
        if name in effectors:
            ET.SubElement(made, "site", name=f"{name}_tip", quat=_words(body.frames[joint]))
    return ET.tostring(root, encoding="unicode")


def _joint(
    robot: ET.Element, name: str, kind: str, parent: str, child: str, position: np.ndarray, rotation: np.ndarray
) -> ET.Element:
    joint = ET.SubElement(robot, "joint", name=name, type=kind)
    roll_pitch_yaw = euler.from_quaternion(rotation, "ZYX")[::-1]
    ET.SubElement(joint, "origin", xyz=_words(position), rpy=_words(roll_pitch_yaw))
    ET.SubElement(joint, "parent", link=parent)
    ET.SubElement(joint, "child", link=child)
    _link(robot, child)
    return joint


def _link(robot: ET.Element, name: str) -> None:
    inertial = ET.SubElement(ET.SubElement(robot, "link", name=name), "inertial")
    ET.SubElement(inertial, "origin", xyz="0 0 0", rpy="0 0 0")
    ET.SubElement(inertial, "mass", value="1")
    ET.SubElement(inertial, "inertia", ixx="1", iyy="1", izz="1", ixy="0", ixz="0", iyz="0")


def _words(numbers: np.ndarray) -> str:
    return " ".join(repr(float(number)) for number in numbers)
