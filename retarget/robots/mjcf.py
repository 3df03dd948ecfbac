"""Read a robot from an MJCF file with MuJoCo; this module imports it, and no other."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import with_anatomy
from kinematics.errors import MissingExtraError
from kinematics.forward import forward_kinematics
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.errors import RetargetError
from retarget.robots.anatomy import RobotAnatomy, find_robot_anatomy
from retarget.robots.axes import rotations_to_y_up, to_y_up
from retarget.robots.collisions import pairs_apart
from retarget.robots.ends import with_ends
from retarget.robots.geoms import read_geoms
from retarget.robots.model import BALL, FREE, HINGE, Robot
from retarget.robots.names import find_model
from retarget.robots.shapes import Capsules, Geom, Soles, find_soles

Model = Any  # mujoco.MjModel: the package has no types
SHORT = 0.05  # of the robot's height: joints that near to each other belong to one segment


def load_robot(name: str | Path) -> Robot:
    """Read a robot from an MJCF file or from MuJoCo Menagerie.

    Args:
        name: Path to an MJCF file, or a name such as "unitree_g1"; see `retarget.robots.find_model`.

    Raises:
        MissingExtraError: Where MuJoCo (or the package mujoco-menagerie) is not installed.
        MissingFileError: Where there is no such file.
        UnknownNameError: Where Menagerie has no robot of that name.
        RetargetError: Where the file is no MJCF (of URDF the message says how it becomes one), MuJoCo cannot read it, or it has
            no free root or no hinges.
    """
    path = find_model(name)
    _require_mjcf(path)
    mujoco = _mujoco()
    try:
        model = mujoco.MjModel.from_xml_path(str(path))
    except (ValueError, RuntimeError, mujoco.FatalError) as error:
        said = " ".join(str(error).split()).removeprefix("Error: ").rstrip(".")
        raise RetargetError(f"{str(path)!r} is no model that MuJoCo can read: {said}") from None
    reader = _Reader(mujoco, model, path)
    forward = reader.find_anatomy().forward
    if forward[2] < 1.0 - 1e-9:  # drawn looking elsewhere than along x: in our zero pose every robot faces +Z
        reader = _Reader(mujoco, model, path, turn=-float(np.arctan2(forward[0], forward[2])))
    return reader.robot()


def _require_mjcf(path: Path) -> None:
    """Refuse XML of another kind by its first element; what is no XML MuJoCo refuses."""
    try:
        with path.open("rb") as file:
            root = next(element.tag for _, element in ET.iterparse(file, ("start",)))
    except (OSError, StopIteration, ET.ParseError):
        return
    if root == "robot":
        raise RetargetError(
            f"{str(path)!r} is a URDF, and robots are read from MJCF: give it a link 'world' with a joint of type 'floating' to "
            f"its first link and let MuJoCo convert it (spec = mujoco.MjSpec.from_file({path.name!r}); spec.compile(); "
            "spec.to_xml()), or take the robot's MJCF from MuJoCo Menagerie"
        )
    if not root.startswith("mujoco"):
        raise RetargetError(
            f"{str(path)!r} is no MJCF: its first element is <{root}>, and a model of MuJoCo begins with <mujoco>; give the "
            "robot's MJCF file, or its name in MuJoCo Menagerie"
        )


def _mujoco() -> Any:
    try:
        return importlib.import_module("mujoco")
    except ModuleNotFoundError as error:
        if error.name != "mujoco":
            raise
        raise MissingExtraError("robots are read with MuJoCo, which is not installed; pip install 'muybridge[robots]'") from None
    except (AttributeError, ImportError, RuntimeError) as error:  # what MUJOCO_GL names is loaded at import
        raise RetargetError(f"MuJoCo cannot be imported: {error}; unset MUJOCO_GL, which reading a robot does not need") from None


class _Reader:
    """A compiled model in its zero pose: hinges at 0, everything else in the reference configuration.

    Every joint's frame is then parallel to the world, so that places and axes can be read off MuJoCo's own kinematics.
    """

    def __init__(self, mujoco: Any, model: Model, path: Path, *, turn: float = 0.0) -> None:
        self.mujoco, self.model, self.path = mujoco, model, path
        self.kinds = mujoco.mjtJoint
        self.warnings: list[str] = []
        self.root_body = self.find_root()
        self.bodies = self.subtree(self.root_body)
        self.free = int(model.body_jntadr[self.root_body])
        self.joints = [self.free, *self.turning_joints()]
        self.names = self.unique_names()
        self.zero_qpos = model.qpos0.copy()
        for joint in self.joints[1:]:
            first = int(model.jnt_qposadr[joint])
            if model.jnt_type[joint] == self.kinds.mjJNT_HINGE:
                self.zero_qpos[first] = 0.0
        start = int(model.jnt_qposadr[self.free]) + 3
        turned = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), turn)
        self.zero_qpos[start : start + 4] = quaternion.multiply(turned, model.qpos0[start : start + 4])
        self.data = mujoco.MjData(model)
        self.data.qpos[:] = self.zero_qpos
        mujoco.mj_kinematics(model, self.data)
        self.carriers = self.find_carriers()
        self.anchors = np.array([self.data.xpos[self.root_body], *(self.data.xanchor[joint] for joint in self.joints[1:])])

    def find_root(self) -> int:
        """Return the free body with the most hinges below it."""
        model = self.model
        path, hinges = str(self.path), int((model.jnt_type == self.kinds.mjJNT_HINGE).sum())
        if not hinges and not (model.jnt_type == self.kinds.mjJNT_BALL).any():
            raise RetargetError(f"{path!r} has no hinge joints ({model.njnt} joints in all), so nothing of it can be posed")
        free = [int(model.jnt_bodyid[j]) for j in range(model.njnt) if model.jnt_type[j] == self.kinds.mjJNT_FREE]
        if not free:
            raise RetargetError(
                f"{path!r} has no free root: its first body ({self.body_name(1)!r}) is fixed to the world or moves on "
                "rails, as robot arms do; a walking robot's first body has a <freejoint/>"
            )
        counts = [sum(int(model.body_jntnum[body]) for body in self.subtree(root)) - 1 for root in free]
        best = int(np.argmax(counts))
        if not counts[best]:
            raise RetargetError(f"{path!r}: no free body of it has joints below it, so there is no robot to pose")
        others = [self.body_name(root) for root in free if root != free[best]]
        if others:
            self.warnings.append(
                f"{', '.join(map(repr, others))} beside the robot {self.body_name(free[best])!r}: left where it is"
            )
        return free[best]

    def subtree(self, root: int) -> list[int]:
        inside = {root}
        for body in range(root + 1, self.model.nbody):
            if int(self.model.body_parentid[body]) in inside:
                inside.add(body)
        return sorted(inside)

    def turning_joints(self) -> list[int]:
        model = self.model
        found: list[int] = []
        slides: list[int] = []
        for body in self.bodies:
            for joint in range(int(model.body_jntadr[body]), int(model.body_jntadr[body]) + int(model.body_jntnum[body])):
                if joint == self.free:
                    continue
                kind = model.jnt_type[joint]
                (slides if kind == self.kinds.mjJNT_SLIDE else found).append(joint)
        if slides:
            names = ", ".join(repr(self.joint_name(joint)) for joint in slides[:5]) + (", ..." if len(slides) > 5 else "")
            self.warnings.append(f"sliding joints are locked where the model draws them: {names}")
        equality = int(sum(kind in self.loops() for kind in model.eq_type[: model.neq]))
        if equality:
            self.warnings.append(f"{equality} equality constraints (closed loops, coupled joints) are not kept")
        return found

    def loops(self) -> tuple[Any, ...]:
        kinds = self.mujoco.mjtEq
        return (kinds.mjEQ_CONNECT, kinds.mjEQ_WELD, kinds.mjEQ_JOINT)

    def body_name(self, body: int) -> str:
        return self.mujoco.mj_id2name(self.model, self.mujoco.mjtObj.mjOBJ_BODY, body) or f"body{body}"

    def joint_name(self, joint: int) -> str:
        name = self.mujoco.mj_id2name(self.model, self.mujoco.mjtObj.mjOBJ_JOINT, joint)
        return name or f"{self.body_name(int(self.model.jnt_bodyid[joint]))}_joint"

    def geom_name(self, geom: int) -> str:
        name = self.mujoco.mj_id2name(self.model, self.mujoco.mjtObj.mjOBJ_GEOM, geom)
        return name or self.body_name(int(self.model.geom_bodyid[geom]))

    def unique_names(self) -> list[str]:
        """Name the root after its body and the others after their joints; a name that is taken gets a number."""
        names: list[str] = []
        for index, joint in enumerate(self.joints):
            plain = self.body_name(self.root_body) if index == 0 else self.joint_name(joint)
            plain, number = re.sub(r"\s+", "_", plain.strip()), 2
            name = plain
            while name in names:
                name, number = f"{plain}_{number}", number + 1
            names.append(name)
        return names

    def find_carriers(self) -> dict[int, int]:
        """Return for each body the joint (of ours) that carries it."""
        index = {joint: n for n, joint in enumerate(self.joints)}
        carriers: dict[int, int] = {}
        for body in self.bodies:
            first, count = int(self.model.body_jntadr[body]), int(self.model.body_jntnum[body])
            own = [index[joint] for joint in range(first, first + count) if joint in index]
            carriers[body] = own[-1] if own else carriers[int(self.model.body_parentid[body])]
        return carriers

    def parents(self) -> list[int]:
        parents = [-1]
        for n, joint in enumerate(self.joints[1:], 1):
            body = int(self.model.jnt_bodyid[joint])
            same = n > 1 and int(self.model.jnt_bodyid[self.joints[n - 1]]) == body
            parents.append(n - 1 if same else self.carriers[int(self.model.body_parentid[body])])
        return parents

    def kind_names(self) -> tuple[str, ...]:
        hinge = self.kinds.mjJNT_HINGE
        return (FREE, *(HINGE if self.model.jnt_type[joint] == hinge else BALL for joint in self.joints[1:]))

    def hinge_mask(self) -> np.ndarray:
        return np.array([kind == HINGE for kind in self.kind_names()])

    def axes(self) -> Float[np.ndarray, "joints 3"]:
        return np.asarray(np.where(self.hinge_mask()[:, None], to_y_up(self.data.xaxis[self.joints]), 0.0))

    def ranges(self) -> tuple[Float[np.ndarray, " joints"], Float[np.ndarray, " joints"]]:
        limited = np.array([bool(self.model.jnt_limited[joint]) for joint in self.joints])
        limited[0] = False
        ranges = np.array(self.model.jnt_range[self.joints])
        lower = np.where(self.hinge_mask(), np.where(limited, ranges[:, 0], -np.inf), 0.0)
        return lower, np.where(limited, ranges[:, 1], np.inf)

    def bare_skeleton(self) -> Skeleton:
        parents = np.array(self.parents())
        above = np.where(parents[:, None] >= 0, self.anchors[parents], 0.0)
        return Skeleton(tuple(self.names), parents, to_y_up(self.anchors - above))

    def find_anatomy(self) -> RobotAnatomy:
        names = [[self.names[n], self.body_name(int(self.model.jnt_bodyid[joint]))] for n, joint in enumerate(self.joints)]
        fixed = [
            (self.body_name(body), self.carriers[body], self.local(self.carriers[body], self.data.xpos[body]))
            for body in self.bodies
            if not self.model.body_jntnum[body]
        ]
        ranges = np.stack(self.ranges(), axis=1)
        return find_robot_anatomy(self.bare_skeleton(), self.axes(), ranges, names, self.geoms(), fixed)

    def robot(self) -> Robot:
        model, joints = self.model, self.joints
        lower, upper = self.ranges()
        geoms = self.geoms()
        anatomy = self.find_anatomy()
        height = self.height(geoms)
        skeleton = with_anatomy(with_ends(self.bare_skeleton(), geoms, anatomy), anatomy.as_anatomy())
        home_qpos, home_name = self.home()
        masses, centers = self.mass()
        carriers = np.array([self.carriers[body] for body in self.bodies])
        robot = Robot(
            name=self.model_name(),
            path=str(self.path),
            skeleton=skeleton,
            joint_kinds=self.kind_names(),
            axes=self.axes(),
            lower=lower,
            upper=upper,
            force_limits=self.force_limits(),
            rest_rotations=rotations_to_y_up(self.data.xquat[model.jnt_bodyid[joints]]),
            qpos_addresses=np.array(model.jnt_qposadr[joints], dtype=np.int64),
            neutral_qpos=np.array(model.qpos0),
            home_qpos=home_qpos,
            home_name=home_name,
            masses=masses,
            mass_centers=centers,
            body_names=tuple(self.body_name(body) for body in self.bodies),
            body_joints=carriers,
            body_offsets=to_y_up(self.data.xpos[self.bodies] - self.anchors[carriers]),
            body_rotations=rotations_to_y_up(self.data.xquat[self.bodies]),
            anatomy=anatomy,
            soles=Soles(np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros(0, dtype=np.int64)),
            capsules=Capsules(
                (), np.zeros(0, dtype=np.int64), np.zeros((0, 2, 3)), np.zeros(0), np.zeros((0, 2), dtype=np.int64)
            ),
            warnings=tuple(self.warnings),
        )
        return self.shaped(robot, geoms, height)

    def shaped(self, robot: Robot, geoms: list[Geom], height: float) -> Robot:
        """Add soles, capsules, and the height at which it stands."""
        poses = robot.motion(np.stack([self.zero_qpos, robot.home_qpos]), 1.0)
        seen = forward_kinematics(poses)
        feet = {}
        for side, prefix in ((1, "left_"), (-1, "right_")):
            if part := robot.anatomy.parts.get(prefix + "foot"):
                feet[side] = [part.joint, *robot.skeleton.descendants(part.joint)]
        soles = find_soles(geoms, feet, seen.global_rotations, seen.global_positions, height)
        solid = [geom for geom in geoms if geom.collides] or geoms
        joints = np.array([geom.joint for geom in solid], dtype=np.int64)
        ends = np.array([geom.axis_ends for geom in solid]).reshape(-1, 2, 3)
        radii = np.array([geom.axis_radius for geom in solid])
        where = robot.points(poses, np.repeat(joints, 2), ends.reshape(-1, 3)).reshape(2, -1, 2, 3)
        pairs = pairs_apart(robot.skeleton, joints, where, radii, short=SHORT * height)
        capsules = Capsules(tuple(geom.name for geom in solid), joints, ends, radii, pairs)
        robot = replace(robot, soles=soles, capsules=capsules)
        if not robot.home_name:
            home = robot.home_qpos.copy()
            lowest = robot.sole_positions(poses[:1])[..., 1] if len(soles.joints) else where[:1, ..., 1]
            home[robot.qpos_addresses[0] + 2] -= float(lowest.min()) if lowest.size else 0.0
            robot = replace(robot, home_qpos=home)
        return robot

    def model_name(self) -> str:
        name = bytes(self.model.names).split(b"\0", 1)[0].decode("utf-8", "replace")
        return self.path.stem if name in ("", "MuJoCo Model") else name

    def local(self, joint: int, place: np.ndarray) -> Float[np.ndarray, "3"]:
        return to_y_up(place - self.anchors[joint])

    def force_limits(self) -> Float[np.ndarray, " joints"]:
        model, limits = self.model, np.full(len(self.joints), np.inf)
        for n, joint in enumerate(self.joints[1:], 1):
            if model.jnt_actfrclimited[joint]:
                limits[n] = float(np.abs(model.jnt_actfrcrange[joint]).max())
        index = {joint: n for n, joint in enumerate(self.joints)}
        for actuator in range(model.nu):
            joint = int(model.actuator_trnid[actuator, 0])
            if model.actuator_trntype[actuator] != self.mujoco.mjtTrn.mjTRN_JOINT or index.get(joint, 0) == 0:
                continue
            gear = abs(float(model.actuator_gear[actuator, 0]))
            if model.actuator_forcelimited[actuator]:
                most = float(np.abs(model.actuator_forcerange[actuator]).max())
            elif model.actuator_ctrllimited[actuator] and model.actuator_biastype[actuator] == self.mujoco.mjtBias.mjBIAS_NONE:
                most = float(np.abs(model.actuator_ctrlrange[actuator]).max()) * abs(float(model.actuator_gainprm[actuator, 0]))
            else:
                continue
            limits[index[joint]] = min(limits[index[joint]], most * gear)
        return limits

    def mass(self) -> tuple[Float[np.ndarray, " joints"], Float[np.ndarray, "joints 3"]]:
        masses, moments = np.zeros(len(self.joints)), np.zeros((len(self.joints), 3))
        self.mujoco.mj_comPos(self.model, self.data)
        for body in self.bodies:
            joint, mass = self.carriers[body], float(self.model.body_mass[body])
            masses[joint] += mass
            moments[joint] += mass * self.local(joint, self.data.xipos[body])
        return masses, moments / np.where(masses > 0, masses, 1.0)[:, None]

    def home(self) -> tuple[Float[np.ndarray, " nq"], str]:
        """Return the keyframe in which the robot stands, "home" or one with "stand" in its name; else the zero pose and ""."""
        key_name = self.mujoco.mjtObj.mjOBJ_KEY
        names = [self.mujoco.mj_id2name(self.model, key_name, key) or "" for key in range(self.model.nkey)]
        key = next((n for word in ("home", "stand") for n, name in enumerate(names) if word in name.lower()), None)
        return (np.array(self.zero_qpos), "") if key is None else (np.array(self.model.key_qpos[key]), names[key])

    def height(self, geoms: Sequence[Geom]) -> float:
        if not geoms:
            return max(float(np.ptp(self.anchors[:, 2])), 1e-3)
        heights = np.concatenate([geom.points[:, 1] + self.anchors[geom.joint, 2] for geom in geoms])
        return max(float(np.ptp(heights)), 1e-3)

    def geoms(self) -> list[Geom]:
        names = [self.geom_name(geom) for geom in range(self.model.ngeom)]
        bodies = {body: self.body_name(body) for body in self.bodies}
        return read_geoms(self.mujoco, self.model, self.data, names, bodies, self.carriers, self.anchors)
