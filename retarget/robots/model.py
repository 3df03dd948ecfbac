"""A robot: its skeleton, its hinges and their limits, its mass and shape, and the way to MuJoCo's numbers and back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from kinematics._arrays import FrozenArrays, frozen
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.ik.limits import Hinge, Limit, SwingTwist, bone_axis
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.velocities import differentiate
from retarget.robots.anatomy import RobotAnatomy
from retarget.robots.axes import rotations_to_y_up, rotations_to_z_up, to_y_up, to_z_up
from retarget.robots.shapes import Capsules, Soles

FREE, HINGE, BALL = "free", "hinge", "ball"
OFF_AXIS = 1e-4  # radians that a joint's rotation may leave its axis by, as rounded files do
TURN = 2.0 * np.pi


@dataclass(frozen=True, eq=False)
class Robot(FrozenArrays):
    """A robot read from an MJCF file. Frames and units are ours: metres, radians, Y up.

    The skeleton has a joint for the free root and one for each hinge or ball joint, in MuJoCo's order; several hinges of one
    body are a chain with offsets between their anchors, and bodies without joints are part of the one that carries them. In
    the zero pose of the skeleton all hinge angles are 0 and every joint's frame is parallel to the world, so a hinge's local
    rotation is just its angle about `axes`, and that angle is MuJoCo's `qpos`.

    Attributes:
        name: Name of the model, or of its file.
        path: File it was read from.
        skeleton: Joints, in metres with Y up, facing +Z where the model faces MuJoCo's +X. The root has the name of its body,
            the others that of their MuJoCo joint.
        joint_kinds: For each joint "free" (the root), "hinge" or "ball".
        axes: Unit axis of each hinge in its own and in its parent's frame, shape (joints, 3); zero at other joints.
        lower: Least angle of each hinge, radians, -inf where it is free; of a ball joint 0, shape (joints,).
        upper: Largest angle of each hinge, radians, inf where it is free; of a ball joint the largest angle of its rotation.
        force_limits: Largest torque that the joint's actuators may apply, N m, inf where the model names none, shape (joints,).
        rest_rotations: Rotation of the joint's MuJoCo body in the zero pose, quaternions wxyz, shape (joints, 4).
        qpos_addresses: Where each joint's numbers begin in `qpos`, shape (joints,).
        neutral_qpos: Reference configuration of the whole model, shape (nq,): what `qpos` keeps for everything that is no
            joint of this skeleton (locked slides, other bodies of the scene).
        home_qpos: Configuration in which the robot stands: the keyframe "home" or one with "stand" in its name, else
            the zero pose with the soles on the floor, shape (nq,).
        home_name: Name of that keyframe, or "".
        masses: Mass that moves with each joint, kg, shape (joints,).
        mass_centers: Its centre in the joint's frame, shape (joints, 3).
        body_names: Names of the MuJoCo bodies of the robot.
        body_joints: Joint that carries each body, shape (bodies,).
        body_offsets: Place of each body's frame in its joint's frame, shape (bodies, 3).
        body_rotations: Rotation of each body's frame in its joint's frame, quaternions wxyz, shape (bodies, 4).
        anatomy: Which joints are which part of a human body.
        soles: Points on which the feet stand.
        capsules: The shape of the body, for self-collisions.
        warnings: What had to be left out or locked, one sentence each.
    """

    name: str
    path: str
    skeleton: Skeleton
    joint_kinds: tuple[str, ...]
    axes: Float[np.ndarray, "joints 3"]
    lower: Float[np.ndarray, " joints"]
    upper: Float[np.ndarray, " joints"]
    force_limits: Float[np.ndarray, " joints"]
    rest_rotations: Float[np.ndarray, "joints 4"]
    qpos_addresses: Int[np.ndarray, " joints"]
    neutral_qpos: Float[np.ndarray, " nq"]
    home_qpos: Float[np.ndarray, " nq"]
    home_name: str
    masses: Float[np.ndarray, " joints"]
    mass_centers: Float[np.ndarray, "joints 3"]
    body_names: tuple[str, ...]
    body_joints: Int[np.ndarray, " bodies"]
    body_offsets: Float[np.ndarray, "bodies 3"]
    body_rotations: Float[np.ndarray, "bodies 4"]
    anatomy: RobotAnatomy
    soles: Soles
    capsules: Capsules
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Lock every array."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value = value.copy()
                value.setflags(write=False)
                object.__setattr__(self, field.name, value)

    def __repr__(self) -> str:
        """Return a short summary."""
        return f"Robot({self.name!r}, {len(self.hinges)} hinges, {self.mass:.4g} kg)"

    @cached_property
    def hinges(self) -> Int[np.ndarray, " hinges"]:
        """Joints that are hinges, in MuJoCo's order, shape (hinges,)."""
        return np.flatnonzero([kind == HINGE for kind in self.joint_kinds])

    @cached_property
    def hinge_names(self) -> tuple[str, ...]:
        """Names of the hinges in MuJoCo's order: the columns of `hinge_angles`."""
        return tuple(self.skeleton.joint_names[joint] for joint in self.hinges)

    @property
    def mass(self) -> float:
        """Mass of the whole robot, kg."""
        return float(self.masses.sum())

    @property
    def nq(self) -> int:
        """Numbers in MuJoCo's `qpos`."""
        return len(self.neutral_qpos)

    @property
    def home(self) -> Pose:
        """The standing pose of `home_qpos`."""
        return self.motion(self.home_qpos[None], 1.0)[0]

    def limits(self) -> dict[str, Limit]:
        """Return what each joint may do, as `kinematics.ik` takes it: a `Hinge` for each hinge, limited or not.

        A ball joint's limit, the angle of its whole rotation, becomes the largest swing and twist that never exceed it.
        """
        limits: dict[str, Limit] = {}
        for joint, (name, kind) in enumerate(zip(self.skeleton.joint_names, self.joint_kinds, strict=True)):
            low, high = float(self.lower[joint]), float(self.upper[joint])
            if kind == HINGE:
                bounded = np.isfinite(low) and np.isfinite(high)
                limits[name] = Hinge(self.axes[joint], *((low, high) if bounded else (-np.pi, np.pi)))
            elif kind == BALL and high < np.pi:
                share = 2.0 * float(np.arccos(np.sqrt(np.cos(0.5 * high))))
                limits[name] = SwingTwist(bone_axis(self.skeleton, joint), share, (-share, share))
        return limits

    def hinge_angles(self, motion: Motion) -> Float[np.ndarray, "frames hinges"]:
        """Return the angle of each hinge in each frame, radians, shape (frames, hinges).

        Of the angles that differ by whole turns it is the one nearest to the middle of the joint's range; without a range
        the one that goes on from the frame before, the first nearest to zero.

        Raises:
            InputError: Where the motion has another skeleton, or turns a hinge about another axis than its own.
        """
        if motion.skeleton.joint_names != self.skeleton.joint_names:
            raise InputError(
                f"the motion's joints ({', '.join(motion.skeleton.joint_names[:4])}, ...) are not those of the robot "
                f"{self.name!r} ({', '.join(self.skeleton.joint_names[:4])}, ...); retarget it to the robot first"
            )
        if motion.local_positions is not None:
            raise InputError("the motion moves joints against each other (local_positions), which no hinge can")
        axes, rotations = self.axes[self.hinges], motion.local_rotations[:, self.hinges]
        along = np.einsum("fhi,hi->fh", rotations[..., 1:], axes)
        away = 2.0 * np.linalg.norm(rotations[..., 1:] - along[..., None] * axes, axis=-1)
        if away.size and away.max() > OFF_AXIS:
            frame, hinge = np.unravel_index(int(away.argmax()), away.shape)
            raise InputError(
                f"{self.hinge_names[hinge]!r} is a hinge, and frame {frame} turns it off its axis by "
                f"{np.degrees(away.max()):.3g} degrees; kinematics.ik.limits.clamp(motion, robot.limits()) turns every joint to "
                "what it can do"
            )
        angles = 2.0 * np.arctan2(along, rotations[..., 0])
        lower, upper = self.lower[self.hinges], self.upper[self.hinges]
        bounded = upper - lower < TURN
        middle = np.where(bounded, 0.5 * (np.where(bounded, lower, 0.0) + np.where(bounded, upper, 0.0)), 0.0)
        angles = angles - TURN * np.round((angles - middle) / TURN)
        angles[:, ~bounded] = np.unwrap(angles[:, ~bounded], axis=0)
        return np.asarray(angles)

    def qpos(self, motion: Motion) -> Float[np.ndarray, "frames nq"]:
        """Return MuJoCo's generalized positions of a motion of this robot, shape (frames, nq); the inverse of `motion`.

        Quaternions (root, ball joints) keep one sign from frame to frame.

        Raises:
            InputError: As `hinge_angles`.
        """
        angles = self.hinge_angles(motion)
        qpos = np.tile(self.neutral_qpos, (motion.num_frames, 1))
        qpos[:, self.qpos_addresses[self.hinges]] = angles
        start = int(self.qpos_addresses[0])
        qpos[:, start : start + 3] = to_z_up(motion.root_positions)
        for joint, kind in enumerate(self.joint_kinds):
            if kind != HINGE:
                rest, first = self.rest_rotations[joint], int(self.qpos_addresses[joint]) + (3 if kind == FREE else 0)
                turned = quaternion.multiply(motion.local_rotations[:, joint], rest)
                turned = turned if kind == FREE else quaternion.multiply(quaternion.inverse(rest), turned)
                turned = quaternion.unroll(turned) if len(turned) else turned
                turned = -turned if len(turned) and turned[0, 0] < 0.0 else turned
                qpos[:, first : first + 4] = rotations_to_z_up(turned)
        return qpos

    def motion(self, qpos: Float[np.ndarray, "frames nq"], frame_time: float) -> Motion:
        """Return the motion of MuJoCo's generalized positions, shape (frames, nq); the inverse of `qpos`.

        Args:
            qpos: Root position and quaternion wxyz, hinge angles, in the model's order, MuJoCo's world (Z up, metres).
            frame_time: Seconds between frames.

        Raises:
            InputError: On a wrong number of columns, NaN, or a quaternion of length zero.
        """
        qpos = frozen(qpos, (None, self.nq), f"qpos of {self.name!r}")
        rotations = np.zeros((len(qpos), self.skeleton.num_joints, 4))
        angles = qpos[:, self.qpos_addresses[self.hinges]]
        rotations[:, self.hinges, 0] = np.cos(0.5 * angles)
        rotations[:, self.hinges, 1:] = np.sin(0.5 * angles)[..., None] * self.axes[self.hinges]
        for joint, kind in enumerate(self.joint_kinds):
            if kind != HINGE:
                first = int(self.qpos_addresses[joint]) + (3 if kind == FREE else 0)
                turned = rotations_to_y_up(_unit(qpos[:, first : first + 4], self.skeleton.joint_names[joint]))
                rest = self.rest_rotations[joint]
                turned = quaternion.multiply(turned, quaternion.inverse(rest))
                rotations[:, joint] = turned if kind == FREE else quaternion.multiply(rest, turned)
        start = int(self.qpos_addresses[0])
        return Motion(self.skeleton, to_y_up(qpos[:, start : start + 3]), rotations, frame_time)

    def joint_velocities(self, motion: Motion) -> Float[np.ndarray, "frames hinges"]:
        """Return the angular velocity of each hinge, rad/s, shape (frames, hinges), by central differences.

        Raises:
            InputError: As `hinge_angles`.
        """
        return np.asarray(differentiate(self.hinge_angles(motion), motion.frame_time))

    def body_transforms(
        self, motion: Motion
    ) -> tuple[Float[np.ndarray, "frames bodies 3"], Float[np.ndarray, "frames bodies 4"]]:
        """Return where MuJoCo's bodies are: `xpos` and `xquat` of each of `body_names`, in MuJoCo's world (Z up, metres).

        Returns:
            Positions, shape (frames, bodies, 3), and rotations, quaternions wxyz, shape (frames, bodies, 4).
        """
        seen = forward_kinematics(motion)
        rotations, joints = seen.global_rotations[:, self.body_joints], self.body_joints
        positions = seen.global_positions[:, joints] + quaternion.rotate(rotations, self.body_offsets)
        return to_z_up(positions), rotations_to_z_up(quaternion.multiply(rotations, self.body_rotations))

    def points(
        self, motion: Motion, joints: Int[np.ndarray, " n"], offsets: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, "frames n 3"]:
        """Return where points fixed to joints are, metres, Y up, shape (frames, n, 3).

        Args:
            motion: A motion of this robot.
            joints: Joint of each point, shape (n,).
            offsets: Each point in its joint's frame, shape (n, 3).
        """
        seen = forward_kinematics(motion)
        turned = quaternion.rotate(
            seen.global_rotations[:, joints], np.broadcast_to(offsets, (motion.num_frames, *offsets.shape))
        )
        return np.asarray(seen.global_positions[:, joints] + turned)

    def sole_positions(self, motion: Motion) -> Float[np.ndarray, "frames points 3"]:
        """Return where the points of the soles are, metres, Y up, shape (frames, points, 3); the floor is y = 0."""
        return self.points(motion, self.soles.joints, self.soles.offsets)


def _unit(quaternions: Float[np.ndarray, "frames 4"], name: str) -> Float[np.ndarray, "frames 4"]:
    lengths = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    if lengths.size and lengths.min() < 1e-6:
        raise InputError(f"the quaternion of {name!r} in qpos is zero in frame {int(lengths.argmin())}; it must be unit, wxyz")
    return np.asarray(quaternions / lengths)
