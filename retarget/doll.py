"""A skeleton as a doll: parts are turned one by one until it stands straight."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import find_anatomy
from kinematics.joint_names import body_part
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton

LEFT, UP, FORWARD = np.eye(3)  # of a body that stands facing +Z
SIDES = (("left_", 1.0), ("right_", -1.0))


class Doll:
    """A skeleton in a pose that is being changed.

    Attributes:
        skeleton: The skeleton.
        joints: Joint of each body part.
        rotations: Global rotations, unit quaternions wxyz, shape (joints, 4).
    """

    def __init__(self, skeleton: Skeleton) -> None:
        """Begin with the zero pose."""
        self.skeleton, self.joints = skeleton, find_anatomy(skeleton).joints
        self.rotations = np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1))

    def positions(self) -> tuple[Float[np.ndarray, "joints 3"], Float[np.ndarray, "ends 3"]]:
        """Return positions of joints and end sites, the root at the origin."""
        skeleton = self.skeleton
        steps = quaternion.rotate(self.rotations[skeleton.parents], skeleton.offsets)
        where = np.zeros((skeleton.num_joints, 3))
        for joint in range(1, skeleton.num_joints):
            where[joint] = where[skeleton.parents[joint]] + steps[joint]
        parents = skeleton.end_site_parents
        return where, where[parents] + quaternion.rotate(self.rotations[parents], skeleton.end_site_offsets)

    def turn(self, joint: int, rotation: Float[np.ndarray, " 4"]) -> None:
        """Turn a joint with everything below it."""
        moved = [joint, *self.skeleton.descendants(joint)]
        self.rotations[moved] = quaternion.multiply(rotation, self.rotations[moved])

    def bone(self, role: str, tip: str) -> Float[np.ndarray, " 3"]:
        """Return the vector from one part to the next, or to the joint's tip; zero where there is none."""
        joint = self.joints[role]
        if tip in self.joints:
            return np.asarray(self._place(self.joints[tip]) - self._place(joint))
        joints, sites = self._tips(joint)
        parents, offsets = self.skeleton.end_site_parents, self.skeleton.end_site_offsets
        points = [self._place(child) for child in joints]
        points += [self._place(int(parents[site]), offsets[site]) for site in sites]
        return np.asarray(np.mean(points, axis=0) - self._place(joint)) if points else np.zeros(3)

    def _place(self, joint: int, offset: Float[np.ndarray, " 3"] | None = None) -> Float[np.ndarray, " 3"]:
        """Position of a joint, or of a point that it carries; only the path to the root is walked."""
        path = [joint, *self.skeleton.ancestors(joint)]
        carriers, steps = path[1:], self.skeleton.offsets[path[:-1]]
        if offset is not None:
            carriers, steps = path, np.concatenate([offset[None], steps])
        return np.asarray(quaternion.rotate(self.rotations[carriers], steps).sum(axis=0))

    def _tips(self, joint: int) -> tuple[list[int], list[int]]:
        """Joints and end sites that a joint's bone leads to; thumbs and faces point elsewhere."""
        skeleton, joints, sites = self.skeleton, [], np.flatnonzero(self.skeleton.end_site_parents == joint).tolist()
        for child in skeleton.children[joint]:
            name = skeleton.joint_names[child]
            if body_part(name) == "face" or "thumb" in name.lower():
                continue
            if skeleton.offsets[child].any():
                joints.append(child)
            else:
                below = self._tips(child)
                joints, sites = joints + below[0], sites + below[1]
        return joints, sites

    def aim(self, role: str, tip: str, direction: Float[np.ndarray, " 3"]) -> None:
        """Turn a part by the smallest rotation that points its bone into a direction; half turns go about the left axis."""
        if role in self.joints:
            bone = self.bone(role, tip)
            opposite = float(bone @ direction) < -0.999 * float(np.linalg.norm(bone))
            if opposite and abs(float(direction @ LEFT)) < 0.5:
                self.turn(self.joints[role], np.array([0.0, 1.0, 0.0, 0.0]))
                bone = self.bone(role, tip)
            self.turn(self.joints[role], quaternion.shortest_arc(bone, direction))

    def straighten(self, *, on_four: bool = False) -> None:
        """Point legs down, arms out (of a body on four legs down) and feet forward, parents first."""
        for side, sign in SIDES:
            for part, tip in (("thigh", "shin"), ("shin", "foot")):
                self.aim(side + part, side + tip, -UP)
            self.yaw_foot(side)
            for part, tip in (("upper_arm", "forearm"), ("forearm", "hand")) + (() if on_four else (("hand", ""),)):
                self.aim(side + part, side + tip, -UP if on_four else sign * LEFT)

    def yaw_foot(self, side: str) -> None:
        """Turn a foot about the vertical so that its toes point forward; its sole stays as it is."""
        level = self.bone(side + "foot", side + "toe") * (1.0 - UP)
        if np.linalg.norm(level) > 0.3 * np.linalg.norm(self.bone(side + "foot", side + "toe")):
            self.turn(self.joints[side + "foot"], quaternion.shortest_arc(level, FORWARD))


def twist_onto(
    vector: Float[np.ndarray, " 3"], wanted: Float[np.ndarray, " 3"], axis: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " 4"]:
    """Return the rotation about a unit axis that brings one vector nearest to another."""
    a, b = vector - (vector @ axis) * axis, wanted - (wanted @ axis) * axis
    angle = np.arctan2(axis @ np.cross(a, b), a @ b) if a.any() and b.any() else 0.0
    return quaternion.from_axis_angle(axis, angle)


def unit(vectors: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """Scale vectors to length 1; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))
