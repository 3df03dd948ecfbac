"""A robot's twin: a body with one ball joint where the robot has a cluster of hinges, on which people's clips are put first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays, frozen
from kinematics.anatomy import ROLES, SIDES, Anatomy, with_anatomy
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.errors import RetargetError
from retarget.joint_map import JointMap
from retarget.robots.anatomy import RobotPart
from retarget.robots.model import Robot

POINTS_AHEAD = 0.02  # metres
FRAMES = 10  # in which the twin stands, so that its clip tells how high its feet do
ABOVE = {"chest": ("pelvis",), "neck": ("chest", "pelvis"), "head": ("neck", "chest", "pelvis")} | {
    side + part: tuple(above if above in ("chest", "pelvis") else side + above for above in aboves)
    for side in SIDES
    for part, aboves in (
        ("thigh", ("pelvis",)),
        ("shin", ("thigh",)),
        ("foot", ("shin",)),
        ("upper_arm", ("chest", "pelvis")),
        ("forearm", ("upper_arm",)),
        ("hand", ("forearm",)),
    )
}


@dataclass(frozen=True, eq=False)
class Twin(FrozenArrays):
    """The robot as a body of ball joints, in metres with Y up.

    Attributes:
        clip: The twin standing on the floor in the robot's zero pose, each joint's frame parallel to the world. Joints are
            named after the last hinge of their cluster.
        roles: Body part of each joint, the pelvis first.
        parts: The robot's part behind each joint.
        places: Where each joint is in the frame of the robot's joint that carries it, metres, shape (joints, 3).
        end_joints: Robot joint that carries each end site.
        end_places: Where each end site is in that joint's frame, metres, shape (ends, 3).
    """

    clip: Motion
    roles: tuple[str, ...]
    parts: tuple[RobotPart, ...]
    places: Float[np.ndarray, "joints 3"]
    end_joints: tuple[int, ...]
    end_places: Float[np.ndarray, "ends 3"]

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        object.__setattr__(self, "places", frozen(self.places, (len(self.roles), 3), "places"))
        object.__setattr__(self, "end_places", frozen(self.end_places, (len(self.end_joints), 3), "end_places"))

    @property
    def skeleton(self) -> Skeleton:
        """Its skeleton."""
        return self.clip.skeleton

    def index(self, role: str) -> int | None:
        """Return the joint of a body part, None where it has none."""
        return self.roles.index(role) if role in self.roles else None

    def seen_in(self, transforms: GlobalTransforms) -> GlobalTransforms:
        """Return where the robot has the twin's joints, from the robot's forward kinematics."""
        joints = [part.joint for part in self.parts]
        ends = list(self.end_joints)
        turned, tips = transforms.global_rotations[:, joints], transforms.global_rotations[:, ends]
        return GlobalTransforms(
            self.skeleton,
            transforms.global_positions[:, joints] + quaternion.rotate(turned, self.places),
            turned,
            transforms.global_positions[:, ends] + quaternion.rotate(tips, self.end_places),
        )


@lru_cache(maxsize=16)
def make_twin(robot: Robot) -> Twin:
    """Build the twin of a robot.

    Raises:
        RetargetError: Where the robot has no two legs.
    """
    return _make_twin(robot)


def zero_positions(skeleton: Skeleton) -> Float[np.ndarray, "joints 3"]:
    """Return where joints are in a zero pose, the root at the origin, shape (joints, 3)."""
    where = np.zeros((skeleton.num_joints, 3))
    for joint in range(1, skeleton.num_joints):
        where[joint] = where[int(skeleton.parents[joint])] + skeleton.offsets[joint]
    return where


def _make_twin(robot: Robot) -> Twin:
    found = robot.anatomy.parts
    if not robot.anatomy.has_legs:
        parts = ", ".join(role.replace("_", " ") for role in found) or "no body part"
        raise RetargetError(f"{robot.name!r} has no two legs with hips, knees and feet; found in it: {parts}")
    rigid_trunk = "chest" in found and found["chest"].joint == found["pelvis"].joint
    roles = [role for role in ROLES if role in ABOVE and role in found and not (role == "chest" and rigid_trunk)]
    roles = ["pelvis", *roles]
    at = zero_positions(robot.skeleton)
    # A waist turns about its own anchor; what hangs from a part begins at the middle of its cluster.
    places = np.array([np.zeros(3) if role == "chest" else found[role].center for role in roles])
    where = np.array([at[found[role].joint] for role in roles]) + places
    parents = [-1] + [roles.index(next(above for above in ABOVE[role] if above in roles)) for role in roles[1:]]
    names: list[str] = []
    for role in roles:
        name = robot.skeleton.joint_names[found[role].joint]
        names.append(name if name not in names and (found[role].hinges or role == "pelvis") else f"{name}_{role}")
    ends = [(index, *end) for index, role in enumerate(roles) for end in _ends(robot, role)]
    skeleton = Skeleton(
        tuple(names),
        np.array(parents),
        np.array([where[joint] - (where[parent] if parent >= 0 else where[joint]) for joint, parent in enumerate(parents)]),
        np.array([index for index, _, _ in ends], dtype=np.int64),
        np.array([at[joint] + offset - where[index] for index, joint, offset in ends]).reshape(-1, 3),
    )
    sides = tuple(1 if role.startswith("left_") else -1 if role.startswith("right_") else 0 for role in roles)
    swapped = [
        role.replace(*(SIDES if side > 0 else SIDES[::-1])) if side else role for role, side in zip(roles, sides, strict=True)
    ]
    mirror = tuple(roles.index(role) if role in roles else own for own, role in enumerate(swapped))
    anatomy = Anatomy({role: index for index, role in enumerate(roles)}, sides, mirror, "robot", True, 1.0)
    soles = at[robot.soles.joints] + robot.soles.offsets
    low = float(soles[:, 1].min()) if len(soles) else float(where[:, 1].min())
    stand = np.tile(np.array([0.0, where[0, 1] - low, 0.0]), (FRAMES, 1))
    turns = np.tile(quaternion.IDENTITY, (FRAMES, len(roles), 1))
    clip = Motion(with_anatomy(skeleton, anatomy), stand, turns, 1.0 / 30.0)
    joints, offsets = tuple(joint for _, joint, _ in ends), np.array([offset for _, _, offset in ends]).reshape(-1, 3)
    return Twin(clip, tuple(roles), tuple(found[role] for role in roles), places, joints, offsets)


def _ends(robot: Robot, role: str) -> list[tuple[int, np.ndarray]]:
    """Return the end sites of a part: joint that carries each and place in its frame.

    Of a foot heel and toe of its sole.
    """
    part = robot.anatomy.parts[role]
    if role.endswith("_foot"):
        at, soles = zero_positions(robot.skeleton), robot.soles
        mine = np.flatnonzero(soles.sides == (1 if role.startswith("left") else -1))
        if not len(mine):
            return [(part.joint, part.center + np.array([0.0, -0.05, 0.1]))]
        points = (at[soles.joints] + soles.offsets)[mine]
        front, back, low = float(points[:, 2].max()), float(points[:, 2].min()), float(points[:, 1].min())
        middle, _, ankle = (at[part.joint] + part.center).tolist()  # straight ahead of the ankle, wherever the sole's middle is
        front = max(front, ankle + POINTS_AHEAD)  # a foot of one sphere, or longer behind, still points ahead
        found = [max(back, 0.5 * (3.0 * ankle - front)), front]
        return [(part.joint, np.array([middle, low, reach]) - at[part.joint]) for reach in found]
    if role.endswith("_hand") or role == "head":
        skeleton = robot.skeleton
        sites = np.flatnonzero(skeleton.end_site_parents == part.joint)
        tips = [skeleton.end_site_offsets[site] for site in sites.tolist()]
        tips = [tip for tip in tips if float(np.linalg.norm(tip - part.center)) > 1e-3]
        return [(part.joint, tip) for tip in tips[:1]]
    return []


def twin_motion(twin: Twin, motion: Motion) -> Motion:
    """Return the twin moving as the robot does, its joints where the middles of the robot's clusters are.

    Args:
        twin: The twin.
        motion: A motion of its robot.
    """
    seen, parents = twin.seen_in(forward_kinematics(motion)), twin.skeleton.parents
    rotations, positions = seen.global_rotations.copy(), seen.global_positions.copy()
    back = quaternion.inverse(seen.global_rotations[:, parents[1:]])
    rotations[:, 1:] = quaternion.multiply(back, seen.global_rotations[:, 1:])
    positions[:, 1:] = quaternion.rotate(back, positions[:, 1:] - positions[:, parents[1:]])
    positions[:, 0] = twin.skeleton.offsets[0]
    return Motion(
        twin.skeleton, seen.global_positions[:, 0], quaternion.normalize(rotations), motion.frame_time, local_positions=positions
    )


def own_pairs(joint_map: JointMap, robot: Robot) -> JointMap:
    """Return a map to a robot's twin without the parts that have no joint of their own, such as a foot fixed to its shin."""
    names = set(robot.skeleton.joint_names)
    kept = tuple(pair for pair in joint_map.pairs if pair.target in names)
    fixed = {pair.source for pair in joint_map.pairs} - {pair.source for pair in kept}
    return replace(
        joint_map,
        pairs=kept,
        unmapped_source=(*joint_map.unmapped_source, *sorted(fixed)),
        unmapped_target=tuple(name for name in joint_map.unmapped_target if name in names),
    )
