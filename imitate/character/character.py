"""A simulated body: made from a clip, or read from a file; and the way from clips to its numbers and back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import mujoco
import numpy as np
from jaxtyping import Float

from imitate.character.build import build
from imitate.character.clip import as_world
from imitate.character.config import CharacterConfig
from imitate.character.rig import Rig
from imitate.errors import ImitationError
from kinematics._arrays import FrozenArrays, frozen
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget import retarget
from retarget.robots.axes import rotations_to_y_up, rotations_to_z_up, to_y_up, to_z_up
from retarget.robots.model import Robot

STANDS = 10.0  # percentile of the lowest sole corner's height over the frames that is put on the floor
TURN = 2.0 * np.pi


@dataclass(frozen=True, eq=False)
class Character(FrozenArrays):
    """A simulated body.

    Attributes:
        name: What it is called.
        xml: One self-contained MJCF: floor, one free root joint, hinges, a position actuator for each in their order.
        skeleton: The clip's own skeleton, metres, Y up; of a ready model the robot's.
        hinge_names: Hinges in the order of qpos[7:], controls and gains.
        lower: Least angle of each hinge, radians, shape (hinges,).
        upper: Largest angle, radians, shape (hinges,).
        stiffness: Of the position actuators, N m/rad, shape (hinges,).
        damping: N m s/rad, shape (hinges,).
        torque_limits: N m, shape (hinges,).
        body_names: MuJoCo's bodies without the world: body b here is MuJoCo's b + 1; 0 is the root.
        end_effectors: Hands, feet and head, as far as there are any: indices into `body_names`.
        feet: Bodies that may touch the floor.
        height: Metres; of what is no person its largest extent.
        rig: How skeleton and bodies belong together; None for a ready model.
        robot: The ready model as `retarget` knows it; None for a body made from a clip.
    """

    name: str
    xml: str
    skeleton: Skeleton
    hinge_names: tuple[str, ...]
    lower: Float[np.ndarray, " hinges"]
    upper: Float[np.ndarray, " hinges"]
    stiffness: Float[np.ndarray, " hinges"]
    damping: Float[np.ndarray, " hinges"]
    torque_limits: Float[np.ndarray, " hinges"]
    body_names: tuple[str, ...]
    end_effectors: tuple[int, ...]
    feet: tuple[int, ...]
    height: float
    rig: Rig | None = None
    robot: Robot | None = None

    def __post_init__(self) -> None:
        """Lock the arrays."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, field.name, frozen(value, (len(self.hinge_names),), field.name))

    def __repr__(self) -> str:
        """Return a short summary."""
        return f"Character({self.name!r}, {len(self.body_names)} bodies, {len(self.hinge_names)} hinges, {self.mass:.3g} kg)"

    def __getstate__(self) -> dict[str, object]:
        """Leave the compiled model out; it is compiled anew."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def model(self) -> mujoco.MjModel:
        """The compiled model, made once; copy it (`copy.copy`) before changing it."""
        return mujoco.MjModel.from_xml_string(self.xml)

    @property
    def mass(self) -> float:
        """Kilograms."""
        return float(self.model.body_mass.sum())


def make_character(motion: Motion, *, config: CharacterConfig | None = None, name: str = "character") -> Character:
    """Make a simulated body from a clip's own skeleton.

    The anatomy decides what becomes a body and how it turns, the clip how far, published tables what it weighs; see
    `CharacterConfig` for what can be chosen. The body stands at zero angles.

    Args:
        motion: A clip in any unit and axes.
        config: How it is made.
        name: Name of the model.

    Raises:
        ImitationError: On anything that is no clip of a body.
        InputError: Where the body is mirrored.
    """
    made = build(motion, name, config or CharacterConfig())
    actuation = made.actuation
    return Character(
        name=name,
        xml=made.xml,
        skeleton=made.skeleton,
        hinge_names=made.hinge_names,
        lower=actuation.lower,
        upper=actuation.upper,
        stiffness=actuation.stiffness,
        damping=actuation.damping,
        torque_limits=actuation.torque_limits,
        body_names=made.body_names,
        end_effectors=made.end_effectors,
        feet=made.feet,
        height=made.height,
        rig=made.rig,
    )


def to_qpos(character: Character, motion: Motion, *, standardized: bool = False) -> Float[np.ndarray, "frames nq"]:
    """Return a clip as MuJoCo's numbers: root place and quaternion, hinge angles without jumps and within limits.

    The whole clip is moved up or down by one distance so that the soles stand on the floor, z = 0. A ready model gets the clip
    retargeted.

    Args:
        character: The body.
        motion: A clip of its skeleton, in any unit and axes; for a ready model of any skeleton.
        standardized: The clip is in metres with Y up already, which is not inferred again: a body that lies on the floor from
            beginning to end leaves doubt.

    Returns:
        Shape (frames, nq), MuJoCo's world: Z up, metres.

    Raises:
        ImitationError: On a clip of another skeleton, or without frames.
    """
    if character.robot is not None:
        return _robot_qpos(character, character.robot, motion)
    rig = character.rig
    assert rig is not None
    world = as_world(motion, character.skeleton, standardized=standardized)
    places, rotations, angles = _solve(character, world)
    lift = _lift(rig, places, rotations)
    root = to_z_up(places[:, 0]) + np.array([0.0, 0.0, lift])
    turned = quaternion.unroll(rotations_to_z_up(rotations[:, 0]))
    return np.concatenate([root, -turned if turned[0, 0] < 0.0 else turned, angles], axis=1)


def to_motion(
    character: Character,
    qpos: Float[np.ndarray, "frames nq"],
    frame_time: float,
    *,
    like: Motion | None = None,
    standardized: bool = False,
) -> Motion:
    """Return what the simulated body does on the original skeleton: metres, Y up.

    Args:
        character: The body.
        qpos: MuJoCo's numbers, shape (frames, nq).
        frame_time: Seconds between frames.
        like: The clip that it performs, as many frames: joints that were merged move as in it, and the floor is where it
            has it. By default they keep the mean of the clip the body was made from, and the floor is at 0.
        standardized: `like` is in metres with Y up already; see `to_qpos`.

    Raises:
        ImitationError: On wrong shapes, or another skeleton.
    """
    qpos = np.asarray(qpos, dtype=np.float64)
    if qpos.ndim != 2 or qpos.shape[1] != 7 + len(character.hinge_names):
        raise ImitationError(f"qpos must have shape (frames, {7 + len(character.hinge_names)}), got {qpos.shape}")
    if character.robot is not None:
        return character.robot.motion(qpos, frame_time)
    rig = character.rig
    assert rig is not None
    root = to_y_up(qpos[:, :3])
    _, rotations = rig.pose(root, quaternion.normalize(rotations_to_y_up(qpos[:, 3:7])), qpos[:, 7:])
    merged = np.broadcast_to(rig.rest_rotations, (len(qpos), *rig.rest_rotations.shape))
    if like is not None:
        world = as_world(like, character.skeleton, standardized=standardized)
        if world.num_frames != len(qpos):
            raise ImitationError(f"like has {world.num_frames} frames, qpos has {len(qpos)}; resample one of them first")
        merged = world.local_rotations
        places, turned, _ = _solve(character, world)
        root = root - np.array([0.0, _lift(rig, places, turned), 0.0])
    return rig.skeleton_motion(character.skeleton, root, rotations, frame_time, merged)


def _solve(
    character: Character, world: Motion
) -> tuple[Float[np.ndarray, "frames bodies 3"], Float[np.ndarray, "frames bodies 4"], Float[np.ndarray, "frames hinges"]]:
    """Return places and rotations of the bodies and angles within limits, of a clip in the project's world."""
    rig = character.rig
    assert rig is not None
    rotations, angles = rig.hinge_angles(world)
    middle = 0.5 * (character.lower + character.upper)
    turns = np.round((middle - np.median(angles, axis=0)) / TURN) * TURN
    angles = np.clip(angles + turns, character.lower, character.upper)
    root = forward_kinematics(world).global_positions[:, int(rig.pivots[0])]
    places, rotations = rig.pose(root, rotations[:, 0], angles)
    return places, rotations, angles


def _lift(rig: Rig, places: Float[np.ndarray, "frames bodies 3"], rotations: Float[np.ndarray, "frames bodies 4"]) -> float:
    """Return how far the clip goes up so that its soles are on the floor in the frames in which they are lowest."""
    lowest = rig.sole_heights(places, rotations).min(axis=1)
    return -float(np.percentile(lowest, STANDS))


def _robot_qpos(character: Character, robot: Robot, motion: Motion) -> Float[np.ndarray, "frames nq"]:
    """Return a clip as the numbers of a ready model: retargeted, or as it is where it is a motion of the model itself."""
    if not isinstance(motion, Motion) or not motion.num_frames:
        raise ImitationError("a Motion with at least one frame is needed; load a file with kinematics.load_motion")
    own = motion.skeleton.joint_names == robot.skeleton.joint_names
    done = motion if own else retarget(motion, robot).motion
    qpos = np.array(robot.qpos(done))
    qpos[:, 7:] = np.clip(qpos[:, 7:], character.lower, character.upper)
    lowest = robot.sole_positions(done)[..., 1]
    if lowest.shape[1]:
        qpos[:, 2] -= float(np.percentile(lowest.min(axis=1), STANDS))
    return qpos
