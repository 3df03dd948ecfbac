"""The rest pose of a skeleton: how each joint is turned when the body stands straight with its arms out.

Files do not agree on the pose that zero rotations give: a T, an A, arms down, legs apart, or no pose at all (every bone along
+X). So each skeleton is brought, like a doll, into one common pose: Y up, facing +Z, legs down, arms out, feet forward. Where two
dolls stand alike, a global rotation of the one away from that pose is the rotation of the other.

The doll starts from the pose that the caller gives; else from the zero pose where that is a standing body; else from the frames
of the clip in which the body stands straightest; else from the directions of its bones alone, and then the twist of the limbs
is a guess. Limbs are then straightened by the smallest rotation, parents first, which keeps their twist: palms that face
hanging arms' thighs face down in the T.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from kinematics._arrays import FrozenArrays, frozen
from kinematics.anatomy import Anatomy, find_anatomy, stands_on_four
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import body_left
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.doll import FORWARD, LEFT, SIDES, UP, Doll, twist_onto, unit
from retarget.errors import RetargetError

SNAP = np.cos(np.radians(25.0))  # a zero pose within this of an axis is meant to be along it
STRAIGHT_FRAMES = 200  # at most so many frames tell the rest pose
HINGE = 0.1  # least mean sine of a knee's or elbow's flexion that tells its axis


@dataclass(frozen=True, eq=False)
class RestPose(FrozenArrays):
    """A body standing straight: Y up, facing +Z, left hand towards +X, legs down, arms out, feet forward.

    Attributes:
        skeleton: The skeleton.
        global_rotations: Each joint's rotation in that pose, unit quaternions wxyz, shape (joints, 4).
        global_positions: Each joint's position with the root at the origin, in the skeleton's unit, shape (joints, 3).
        end_site_positions: Each end site's position, shape (ends, 3).
        origin: "given pose", "zero pose", "clip" or "bone directions": what told the pose.
        zero_up: The axis of the skeleton's own world that is up in its zero pose, shape (3,); None where that is no pose.
    """

    skeleton: Skeleton
    global_rotations: Float[np.ndarray, "joints 4"]
    global_positions: Float[np.ndarray, "joints 3"]
    end_site_positions: Float[np.ndarray, "ends 3"]
    origin: str
    zero_up: Float[np.ndarray, " 3"] | None

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        joints, ends = self.skeleton.num_joints, self.skeleton.num_end_sites
        shapes = {"global_rotations": (joints, 4), "global_positions": (joints, 3), "end_site_positions": (ends, 3)}
        for name, shape in shapes.items():
            object.__setattr__(self, name, frozen(getattr(self, name), shape, name))
        if self.zero_up is not None:
            object.__setattr__(self, "zero_up", frozen(self.zero_up, (3,), "zero_up"))

    @property
    def is_certain(self) -> bool:
        """Whether a pose told the twist of the limbs (True), or it was guessed from bone directions (False)."""
        return self.origin != "bone directions"


def find_rest_pose(skeleton: Skeleton, clip: GlobalTransforms | None = None) -> RestPose:
    """Bring a skeleton with two legs into the common rest pose.

    Args:
        skeleton: The skeleton, in any unit and axes.
        clip: The same skeleton moving, in a world with Y up; used where the zero pose is no standing body.

    Raises:
        RetargetError: Where the toes point backwards: left and right are swapped, or the data is mirrored.
    """
    if zero_pose_frame(skeleton) is not None:
        return _rest_of_zero_pose(skeleton)
    doll = Doll(skeleton)
    seen = clip is not None and len(clip.global_rotations) > 0
    if clip is not None and seen:
        doll.rotations[:] = _straightest(clip, find_anatomy(skeleton))
    else:
        _stand_up(doll)
    doll.straighten()
    if clip is not None and seen:
        _turn_hinges(doll, clip)
        _flatten_feet(doll, clip)
        _raise_head(doll)
    where, ends = doll.positions()
    return RestPose(skeleton, doll.rotations, where, ends, "clip" if seen else "bone directions", None)


@lru_cache(maxsize=64)
def _rest_of_zero_pose(skeleton: Skeleton) -> RestPose:
    frame = zero_pose_frame(skeleton)
    assert frame is not None
    return _stood_up(Doll(skeleton), frame, "zero pose", frame[:, 1])


def rest_of_pose(pose: Pose, which: str) -> RestPose:
    """Bring a body that stands in a given pose, facing anywhere in its own world, into the common rest pose.

    Args:
        pose: A T, an A, or a pose with hanging arms.
        which: "source" or "target", for messages.

    Raises:
        RetargetError: Where it is no standing body, or its toes point backwards.
    """
    doll = Doll(pose.skeleton)
    doll.rotations[:] = forward_kinematics(pose).global_rotations
    frame = _standing_frame(doll, f"{which}'s rest pose", meant=False)
    if frame is None:
        raise RetargetError(
            f"the pose given as the {which}'s rest pose is no standing body: legs must be straight and against the trunk, "
            "hips across it; give a frame in which it stands in a T or A pose, or with its arms down"
        )
    return _stood_up(doll, frame, "given pose", None)


def _stood_up(doll: Doll, frame: np.ndarray, origin: str, zero_up: np.ndarray | None) -> RestPose:
    """Turn a standing body to Y up, facing +Z, and straighten its limbs."""
    four = bool(stands_on_four(find_anatomy(doll.skeleton), doll.positions()[0]))
    doll.rotations[:] = quaternion.multiply(quaternion.from_matrix(frame.T), doll.rotations)
    doll.straighten(on_four=four)
    where, ends = doll.positions()
    return RestPose(doll.skeleton, doll.rotations, where, ends, origin, zero_up)


@lru_cache(maxsize=64)
def zero_pose_frame(skeleton: Skeleton) -> Float[np.ndarray, "3 3"] | None:
    """Return the body's left, up and forward axes (columns) in the zero pose, or None where that is no standing body.

    Axes within 25 degrees of a coordinate axis are meant to lie along it.

    Raises:
        RetargetError: Where the toes point backwards.
    """
    frame = _standing_frame(Doll(skeleton), "zero pose", meant=True)
    if frame is not None:
        frame.setflags(write=False)
    return frame


def _standing_frame(doll: Doll, pose: str, *, meant: bool) -> Float[np.ndarray, "3 3"] | None:
    """Return the axes of a doll that stands; `meant`: where it nearly faces along a coordinate axis, it is meant to."""
    anatomy = find_anatomy(doll.skeleton)
    if not anatomy.has_legs:
        return None
    where, _ = doll.positions()
    joints = anatomy.joints
    part = {role: where[joint] for role, joint in joints.items()}
    across = unit(part["left_thigh"] - part["right_thigh"])
    hips = 0.5 * (part["left_thigh"] + part["right_thigh"])
    tops = [part[role] for role in ("left_upper_arm", "right_upper_arm") if role in part]
    tops = tops or [part[role] for role in ("head", "neck", "chest") if role in part][:1]
    if not tops or not across.any():
        return None
    trunk = unit(np.mean(tops, axis=0) - hips)
    thighs = np.array([unit(part[side + "shin"] - part[side + "thigh"]) for side, _ in SIDES])
    shins = np.array([unit(part[side + "foot"] - part[side + "shin"]) for side, _ in SIDES])
    legs = unit(thighs + shins)
    if stands_on_four(anatomy, where):
        up, back = _snapped(unit(-legs.sum(axis=0))), -trunk
    elif (legs @ trunk).max() > -0.6 or (thighs * shins).sum(axis=1).min() < 0.5 or abs(across @ trunk) > 0.35:
        return None
    else:
        up, back = _snapped(unit(trunk - legs.mean(axis=0))), np.zeros(3)
    left = unit(across - (across @ up) * up)
    left = _snapped(left) if meant else left
    left = unit(left - (left @ up) * up)
    frame = np.stack([left, up, np.cross(left, up)], axis=1)
    ahead = np.array([doll.bone(side + "foot", side + "toe") for side, _ in SIDES]) if not back.any() else -back[None]
    require_unmirrored(ahead @ frame[:, 2:], pose)
    return frame


def require_unmirrored(forward: Float[np.ndarray, "*any 1"], where: str) -> None:
    """Refuse toes that point backwards.

    Args:
        forward: How far each foot reaches forward, in any unit.
        where: What was looked at, for the message.

    Raises:
        RetargetError: Where nearly all of it is negative.
    """
    size = float(np.abs(forward).max(initial=0.0))
    if size > 0 and float((forward < -0.3 * size).mean()) > 0.9:
        raise RetargetError(
            f"the toes point backwards in the {where}: left and right are swapped or the data is mirrored; a reflection is "
            "never retargeted, rename the sides or mirror the clip back first"
        )


def _straightest(clip: GlobalTransforms, anatomy: Anatomy) -> Float[np.ndarray, "joints 4"]:
    """Mean rotation of each joint, seen from the body's heading, over the frames in which the body stands straightest."""
    where, joints = clip.global_positions, anatomy.joints
    hips = 0.5 * (where[:, joints["left_thigh"]] + where[:, joints["right_thigh"]])
    top = where[:, joints.get("neck", joints.get("head", joints.get("chest", 0)))]
    bones = [hips - top]
    for side, _ in SIDES:
        knee = where[:, joints[side + "shin"]]
        bones += [knee - where[:, joints[side + "thigh"]], where[:, joints[side + "foot"]] - knee]
    lean = np.sum([1.0 + unit(bone) @ UP for bone in bones], axis=0)
    left = body_left(clip, anatomy) * (1.0 - UP)
    lean = np.where(np.linalg.norm(left, axis=1) > 0.5, lean, np.inf) if np.linalg.norm(left, axis=1).max() > 0.5 else lean
    order = np.argsort(lean, kind="stable")
    best = order[lean[order] <= lean[order[0]] + 0.02]
    best = best[:: -(-len(best) // STRAIGHT_FRAMES)]
    x = unit(left[best])
    x = np.where(x.any(axis=1, keepdims=True), x, LEFT)
    heading = quaternion.from_matrix(np.stack([x, np.broadcast_to(UP, x.shape), np.cross(x, UP)], axis=-1))
    return quaternion.mean(quaternion.multiply(quaternion.inverse(heading)[:, None], clip.global_rotations[best]))


def _turn_hinges(doll: Doll, clip: GlobalTransforms) -> None:
    """Twist thighs and upper arms so that knees and elbows bend about their anatomical axis.

    A knee's axis points left, an elbow's down (left arm) or up (right arm) when the arms are out: the cross product of the two
    bones, seen from the upper one, over all frames in which they are not in line.
    """
    where = clip.global_positions
    for side, sign in SIDES:
        for upper, lower, tip, axis in (("thigh", "shin", "foot", LEFT), ("upper_arm", "forearm", "hand", -sign * UP)):
            if not all(side + part in doll.joints for part in (upper, lower, tip)):
                continue
            a, b, c = (doll.joints[side + part] for part in (upper, lower, tip))
            hinge = np.cross(unit(where[:, b] - where[:, a]), unit(where[:, c] - where[:, b]))
            local = quaternion.rotate(quaternion.inverse(clip.global_rotations[:, a]), hinge).mean(axis=0)
            if np.linalg.norm(local) > HINGE:
                bone = unit(doll.bone(side + upper, side + lower))
                now = quaternion.rotate(doll.rotations[a], local)
                doll.turn(a, twist_onto(now, axis, bone))
        doll.yaw_foot(side)


def _flatten_feet(doll: Doll, clip: GlobalTransforms) -> None:
    """Level the soles: what is up in a foot's frame while it stands still near the ground is up in the rest pose."""
    for side, _ in SIDES:
        foot = doll.joints[side + "foot"]
        tip = doll.joints.get(side + "toe", foot)
        low = np.minimum(clip.global_positions[:, foot, 1], clip.global_positions[:, tip, 1])
        if len(low) < 10:
            continue
        speed = np.linalg.norm(np.gradient(clip.global_positions[:, [foot, tip]], axis=0), axis=-1).max(axis=1)
        still = (speed <= np.quantile(speed, 0.3)) & (low <= np.quantile(low, 0.5))
        if still.sum() >= 3:
            up = quaternion.rotate(quaternion.inverse(clip.global_rotations[still, foot]), UP).mean(axis=0)
            doll.turn(foot, quaternion.shortest_arc(quaternion.rotate(doll.rotations[foot], up), UP))
            doll.yaw_foot(side)


def _raise_head(doll: Doll) -> None:
    """Nod the neck half-way and the head wholly until their tops are above them.

    People look down in most clips, and lean in some, so the straightest frames alone do not tell. Most zero poses have heads
    within 5 degrees of the vertical, but necks up to 34 degrees off it.
    """
    if "neck" in doll.joints and "head" in doll.joints:
        upright = twist_onto(doll.bone("neck", "head"), UP, LEFT)
        doll.turn(doll.joints["neck"], quaternion.slerp(quaternion.IDENTITY, upright, 0.5))
    if "head" in doll.joints:
        doll.turn(doll.joints["head"], twist_onto(doll.bone("head", ""), UP, LEFT))


def _stand_up(doll: Doll) -> None:
    """Make a body stand from the directions of its bones alone: hips and collar bones across, spine, neck and head up."""
    for role, pair, tip in (("pelvis", "thigh", "chest"), ("chest", "clavicle", "neck")):
        if role not in doll.joints or "left_" + pair not in doll.joints or "right_" + pair not in doll.joints:
            continue
        where, _ = doll.positions()
        across = unit(where[doll.joints["left_" + pair]] - where[doll.joints["right_" + pair]])
        if across.any():
            doll.turn(doll.joints[role], quaternion.shortest_arc(across, LEFT))
        along = doll.bone(role, tip)
        doll.turn(doll.joints[role], twist_onto(along, UP, LEFT))
    for role, tip in (("neck", "head"), ("head", "")):
        doll.aim(role, tip, UP)
    for side, sign in SIDES:
        doll.aim(side + "clavicle", side + "upper_arm", sign * LEFT)
        for part, tip in (("thigh", "shin"), ("shin", "foot")):
            doll.aim(side + part, side + tip, -UP)
        doll.aim(side + "foot", side + "toe", unit(FORWARD - 0.5 * UP))


def _snapped(vector: np.ndarray) -> np.ndarray:
    axis = int(np.abs(vector).argmax())
    return np.asarray(np.sign(vector[axis]) * np.eye(3)[axis]) if abs(vector[axis]) > SNAP else vector
