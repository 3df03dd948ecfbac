"""How a skeleton's joints and a body's numbers belong together; both ways.

A body's frame is that of its joint, turned so that it is parallel to the world when the body stands facing +Z. Everything
here is in the project's world (Y up); `retarget.robots.axes` makes MuJoCo's of it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from imitate.character.hinges import Hinges
from kinematics._arrays import FrozenArrays, frozen
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Rig(FrozenArrays):
    """Bodies and hinges of a skeleton.

    Attributes:
        joints: Joint whose rotation each body has, shape (bodies,).
        pivots: Joint at whose place each body's frame is, shape (bodies,).
        parents: Parent of each body, -1 at the root, shape (bodies,).
        alignments: Body frame seen from its joint's frame, quaternions wxyz, shape (bodies, 4).
        offsets: Place of each body's frame in its parent's, metres, shape (bodies, 3); 0 at the root.
        rest_rotations: Local rotation of every joint of the skeleton in the clip's mean, shape (joints, 4): those of
            merged joints.
        hinge_bodies: Body that each hinge turns, shape (hinges,).
        references: As `Hinges.reference`, shape (bodies, 4).
        bases: As `Hinges.basis`, shape (bodies, 4).
        orders: As `Hinges.order`, one for each body ("" at the root).
        actives: As `Hinges.active`.
        sole_bodies: Body of each corner of the soles, shape (corners,).
        sole_offsets: Place of the corners in their body's frame, shape (corners, 3).
    """

    joints: Int[np.ndarray, " bodies"]
    pivots: Int[np.ndarray, " bodies"]
    parents: Int[np.ndarray, " bodies"]
    alignments: Float[np.ndarray, "bodies 4"]
    offsets: Float[np.ndarray, "bodies 3"]
    rest_rotations: Float[np.ndarray, "joints 4"]
    hinge_bodies: Int[np.ndarray, " hinges"]
    references: Float[np.ndarray, "bodies 4"]
    bases: Float[np.ndarray, "bodies 4"]
    orders: tuple[str, ...]
    actives: tuple[str, ...]
    sole_bodies: Int[np.ndarray, " corners"]
    sole_offsets: Float[np.ndarray, "corners 3"]

    def __post_init__(self) -> None:
        """Lock every array."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                kind = np.int64 if np.issubdtype(value.dtype, np.integer) else np.float64
                object.__setattr__(self, field.name, frozen(value, (None,) * value.ndim, field.name, kind))

    @property
    def num_bodies(self) -> int:
        """Number of bodies."""
        return len(self.joints)

    def hinges(self, body: int) -> Hinges:
        """Return the hinges between a body and its parent."""
        return Hinges(self.references[body], self.bases[body], self.orders[body], self.actives[body])

    def columns(self, body: int) -> Int[np.ndarray, " n"]:
        """Return which of all hinges are a body's."""
        return np.flatnonzero(self.hinge_bodies == body)

    def hinge_angles(self, motion: Motion) -> tuple[Float[np.ndarray, "frames bodies 4"], Float[np.ndarray, "frames hinges"]]:
        """Return the global rotations of the bodies (hinges' losses passed on to the next) and all hinge angles, radians.

        Args:
            motion: A clip of the skeleton, metres, Y up.
        """
        wanted = self.wanted_rotations(motion)
        turned, angles = np.array(wanted), np.zeros((motion.num_frames, len(self.hinge_bodies)))
        for body in range(1, self.num_bodies):
            above, hinges, columns = turned[:, self.parents[body]], self.hinges(body), self.columns(body)
            angles[:, columns] = hinges.angles(quaternion.multiply(quaternion.inverse(above), wanted[:, body]))
            turned[:, body] = quaternion.multiply(above, hinges.rotations(angles[:, columns]))
        return turned, angles

    def wanted_rotations(self, motion: Motion) -> Float[np.ndarray, "frames bodies 4"]:
        """Return the global rotations that the bodies would have if every joint had three hinges."""
        seen = forward_kinematics(motion)
        return quaternion.multiply(seen.global_rotations[:, self.joints], self.alignments)

    def pose(
        self, root_positions: Float[np.ndarray, "frames 3"], root_rotations: Float[np.ndarray, "frames 4"],
        angles: Float[np.ndarray, "frames hinges"],
    ) -> tuple[Float[np.ndarray, "frames bodies 3"], Float[np.ndarray, "frames bodies 4"]]:  # fmt: skip
        """Return places and global rotations of all bodies."""
        frames = len(angles)
        rotations, places = np.empty((frames, self.num_bodies, 4)), np.empty((frames, self.num_bodies, 3))
        rotations[:, 0], places[:, 0] = root_rotations, root_positions
        for body in range(1, self.num_bodies):
            above, local = int(self.parents[body]), self.hinges(body).rotations(angles[:, self.columns(body)])
            rotations[:, body] = quaternion.multiply(rotations[:, above], local)
            offset = np.broadcast_to(self.offsets[body], (frames, 3))
            places[:, body] = places[:, above] + quaternion.rotate(rotations[:, above], offset)
        return places, rotations

    def sole_heights(
        self, places: Float[np.ndarray, "frames bodies 3"], rotations: Float[np.ndarray, "frames bodies 4"]
    ) -> Float[np.ndarray, "frames corners"]:
        """Return how high each corner of the soles is, metres."""
        arms = quaternion.rotate(
            rotations[:, self.sole_bodies], np.broadcast_to(self.sole_offsets, (len(places), *self.sole_offsets.shape))
        )
        return np.asarray(places[:, self.sole_bodies, 1] + arms[..., 1])

    def skeleton_motion(
        self,
        skeleton: Skeleton,
        root_positions: Float[np.ndarray, "frames 3"],
        rotations: Float[np.ndarray, "frames bodies 4"],
        frame_time: float,
        merged: Float[np.ndarray, "frames joints 4"],
    ) -> Motion:
        """Return the motion of the skeleton whose bodies are where they are.

        Args:
            skeleton: The skeleton of this rig.
            root_positions: Of the root body, metres, Y up, shape (frames, 3).
            rotations: Global rotations of the bodies, shape (frames, bodies, 4).
            frame_time: Seconds.
            merged: Local rotations of all joints, of which those of merged joints are used, shape (frames, joints, 4).
        """
        joint_rotations = quaternion.multiply(rotations, quaternion.inverse(self.alignments))
        body_of = {int(joint): body for body, joint in enumerate(self.joints)}
        frames = len(rotations)
        local = np.array(merged)
        whole = np.empty_like(local)
        for joint, parent in enumerate(skeleton.parents.tolist()):
            body = body_of.get(joint)
            if body is not None:
                wanted = joint_rotations[:, body]
                local[:, joint] = quaternion.multiply(quaternion.inverse(whole[:, parent]), wanted) if parent >= 0 else wanted
            whole[:, joint] = quaternion.multiply(whole[:, parent], local[:, joint]) if parent >= 0 else local[:, joint]
        draft = Motion(skeleton, np.zeros((frames, 3)), quaternion.normalize(local), frame_time)
        pivot = int(self.pivots[0])
        away = forward_kinematics(draft).global_positions[:, pivot] if pivot else 0.0
        return draft.with_root_positions(root_positions - away)
