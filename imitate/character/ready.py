"""Ready models: robots and humanoids from elsewhere, read from MJCF, given position actuators, and driven through `retarget`.

The compiled model is written anew as one file that stands alone: the robot's own bodies with the inertias that MuJoCo gave them,
its hinges, and its colliding geoms (a mesh as the box around it), on our floor.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import mujoco
import numpy as np
from jaxtyping import Float

from imitate.character.actuation import GRAVITY, carried_inertias, gains
from imitate.character.build import overlaps
from imitate.character.character import Character
from imitate.character.config import CharacterConfig
from imitate.character.mjcf import SELF, Actuation, add_actuators, add_floor, add_physics, add_stage, number, row
from imitate.errors import ImitationError
from kinematics.errors import InputError, KinematicsError
from retarget.robots import Robot, load_robot
from retarget.robots.model import BALL

SOLID = {
    mujoco.mjtGeom.mjGEOM_SPHERE: ("sphere", 1),
    mujoco.mjtGeom.mjGEOM_CAPSULE: ("capsule", 2),
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: ("ellipsoid", 3),
    mujoco.mjtGeom.mjGEOM_CYLINDER: ("cylinder", 2),
    mujoco.mjtGeom.mjGEOM_BOX: ("box", 3),
    mujoco.mjtGeom.mjGEOM_MESH: ("box", 3),  # half the extents of the mesh, in whose own frame the geom is
}


def read_model(path: str | Path, config: CharacterConfig | None = None) -> Character:
    """Read a ready MJCF file as a character; see `load_character`.

    Raises:
        MissingFileError: Where there is no such file.
        ImitationError: Where it is no model that can be simulated as a body.
    """
    config = config or CharacterConfig()
    try:
        original = load_robot(path)
    except InputError:
        raise
    except KinematicsError as error:
        raise ImitationError(str(error)) from None
    if balls := [name for name, kind in zip(original.skeleton.joint_names, original.joint_kinds, strict=True) if kind == BALL]:
        raise ImitationError(
            f"{str(path)!r} has ball joints ({', '.join(balls[:3])}), which no position actuator drives; replace each by three "
            "hinges, or make the body from a clip of it"
        )
    source = mujoco.MjModel.from_xml_path(original.path)
    draft = _Flat(source, original, config)
    robot = _as_robot(draft.write(np.zeros(0), None), str(path))
    model = mujoco.MjModel.from_xml_string(draft.write(robot.home_qpos, None))
    actuation = _actuation(source, draft, model, robot, config)
    xml = draft.write(robot.home_qpos, actuation)
    if config.self_collision:
        xml = draft.write(robot.home_qpos, actuation, sorted({*draft.excludes, *overlaps(xml, robot.home_qpos)}))
    feet = _bodies_of(robot, "left_foot", "right_foot", below=True)
    return Character(
        name=robot.name,
        xml=xml,
        skeleton=robot.skeleton,
        hinge_names=robot.hinge_names,
        lower=actuation.lower,
        upper=actuation.upper,
        stiffness=actuation.stiffness,
        damping=actuation.damping,
        torque_limits=actuation.torque_limits,
        body_names=robot.body_names,
        end_effectors=_end_effectors(robot) or feet,
        feet=feet,
        height=_height(model, robot),
        robot=robot,
    )


@dataclass(frozen=True, eq=False)
class _Flat:
    """A compiled model, and how it is written."""

    model: mujoco.MjModel
    robot: Robot
    config: CharacterConfig

    @property
    def bodies(self) -> list[int]:
        """MuJoCo's bodies of the robot, in order."""
        root = self.model.body(self.robot.body_names[0]).id
        inside = [root]
        for body in range(root + 1, self.model.nbody):
            if int(self.model.body_parentid[body]) in inside:
                inside.append(body)
        return inside

    @property
    def hinges(self) -> list[int]:
        """MuJoCo's hinge joints of the robot, in order; sliding joints stay where the model draws them."""
        inside, model = set(self.bodies), self.model
        hinge = mujoco.mjtJoint.mjJNT_HINGE
        return [j for j in range(model.njnt) if int(model.jnt_bodyid[j]) in inside and model.jnt_type[j] == hinge]

    @property
    def excludes(self) -> list[tuple[int, int]]:
        """Pairs of the robot's bodies that never collide in the original, numbered from its root."""
        numbers = {body: n for n, body in enumerate(self.bodies)}
        pairs = [(int(pair) >> 16, int(pair) & 0xFFFF) for pair in self.model.exclude_signature]
        return [tuple(sorted((numbers[a], numbers[b]))) for a, b in pairs if a in numbers and b in numbers]  # type: ignore[misc]

    def write(
        self, stand: Float[np.ndarray, " nq"], actuation: Actuation | None, excludes: Sequence[tuple[int, int]] = ()
    ) -> str:
        """Return the model as text; bodies in `excludes` never collide."""
        model, robot = self.model, self.robot
        top = ET.Element("mujoco", model=robot.name)
        ET.SubElement(top, "compiler", angle="radian", autolimits="true")
        add_physics(top)
        add_stage(top)
        world = ET.SubElement(top, "worldbody")
        add_floor(world, self.config.friction)
        names = dict(zip(self.bodies, robot.body_names, strict=True))
        joint_names = dict(zip(self.hinges, robot.hinge_names, strict=True))
        elements: dict[int, ET.Element] = {}
        for body, name in names.items():
            parent = elements.get(int(model.body_parentid[body]), world)
            element = ET.SubElement(parent, "body", name=name, pos=row(model.body_pos[body]), quat=row(model.body_quat[body]))
            elements[body] = element
            if model.body_mass[body] > 0.0:
                ET.SubElement(
                    element, "inertial", pos=row(model.body_ipos[body]), quat=row(model.body_iquat[body]),
                    mass=number(model.body_mass[body]), diaginertia=row(model.body_inertia[body]),
                )  # fmt: skip
            if parent is world:
                ET.SubElement(element, "freejoint", name="root")
                ET.SubElement(
                    element, "camera", name="track", mode="trackcom", pos="2.2 -2.8 0.6", xyaxes="0.786 0.618 0 -0.12 0.153 0.981"
                )
            for joint in range(int(model.body_jntadr[body]), int(model.body_jntadr[body]) + int(model.body_jntnum[body])):
                if joint in joint_names:
                    self._add_hinge(element, joint, joint_names[joint])
            for geom in range(int(model.body_geomadr[body]), int(model.body_geomadr[body]) + int(model.body_geomnum[body])):
                self._add_geom(element, geom)
        if excludes:
            contacts = ET.SubElement(top, "contact")
            for one, other in excludes:
                ET.SubElement(contacts, "exclude", body1=robot.body_names[one], body2=robot.body_names[other])
        if actuation is not None:
            add_actuators(top, robot.hinge_names, actuation)
        if len(stand):
            keyframes = ET.SubElement(top, "keyframe")
            key = ET.SubElement(keyframes, "key", name="stand", qpos=row(stand))
            if actuation is not None:
                key.set("ctrl", row(stand[7:]))
        ET.indent(top)
        return ET.tostring(top, encoding="unicode") + "\n"

    def _add_hinge(self, element: ET.Element, joint: int, name: str) -> None:
        model, dof = self.model, int(self.model.jnt_dofadr[joint])
        hinge = ET.SubElement(
            element, "joint", name=name, type="hinge", pos=row(model.jnt_pos[joint]), axis=row(model.jnt_axis[joint]),
            armature=number(model.dof_armature[dof]), damping=number(np.ravel(model.dof_damping[dof])[0]),
            frictionloss=number(model.dof_frictionloss[dof]), stiffness=number(np.ravel(model.jnt_stiffness[joint])[0]),
            springref=number(model.qpos_spring[model.jnt_qposadr[joint]]), ref=number(model.qpos0[model.jnt_qposadr[joint]]),
        )  # fmt: skip
        if model.jnt_limited[joint]:
            hinge.set("range", row(model.jnt_range[joint]))

    def _add_geom(self, element: ET.Element, geom: int) -> None:
        model = self.model
        kind, sizes = SOLID.get(mujoco.mjtGeom(model.geom_type[geom]), ("", 0))
        collides = bool(model.geom_contype[geom] or model.geom_conaffinity[geom])
        mesh = model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH
        if not kind or (mesh and not collides):
            return
        ET.SubElement(
            element, "geom", type=kind, size=row(model.geom_size[geom][:sizes]), pos=row(model.geom_pos[geom]),
            quat=row(model.geom_quat[geom]), rgba=row(model.geom_rgba[geom]), condim="3", mass="0",
            friction=row([self.config.friction, *model.geom_friction[geom][1:]]),
            contype=str(SELF) if collides and self.config.self_collision else "0",
            conaffinity="0" if not collides else "3" if self.config.self_collision else "1",
        )  # fmt: skip


def _as_robot(xml: str, path: str) -> Robot:
    """Return the written model as `retarget` sees it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body.xml"
        file.write_text(xml, encoding="utf-8")
        return replace(load_robot(file), path=path)


def _actuation(source: mujoco.MjModel, flat: _Flat, model: mujoco.MjModel, robot: Robot, config: CharacterConfig) -> Actuation:
    """Return ranges and gains: those of the model's own position actuators, else by inertia and weight."""
    hinges = robot.hinges
    feet = _bodies_of(robot, "left_foot", "right_foot", below=True)
    on_way: set[int] = set()
    for foot in feet:
        body = foot + 1
        while body > 1:
            on_way.add(body)
            body = int(model.body_parentid[body])
    data = mujoco.MjData(model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_forward(model, data)
    bears = GRAVITY * model.body_mass.sum() * data.subtree_com[1, 2] * np.isin(model.jnt_bodyid[1:], list(on_way))
    stiffness, damping, limits = gains(carried_inertias(model, robot.home_qpos), bears, config)
    named = flat.robot.force_limits[flat.robot.hinges]
    own = np.where(np.isfinite(named), named, limits)
    for actuator in range(source.nu):
        joint = int(source.actuator_trnid[actuator, 0])
        of_joint = source.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
        if of_joint and joint in flat.hinges and (kp := -float(source.actuator_biasprm[actuator, 1])) > 0.0:
            n, gear = flat.hinges.index(joint), float(source.actuator_gear[actuator, 0])
            stiffness[n], damping[n] = kp * gear**2, -float(source.actuator_biasprm[actuator, 2]) * gear**2
    lower = np.where(np.isfinite(robot.lower[hinges]), robot.lower[hinges], -np.pi)
    upper = np.where(np.isfinite(robot.upper[hinges]), robot.upper[hinges], np.pi)
    return Actuation(lower, upper, 0.0, stiffness, damping, own)


def _bodies_of(robot: Robot, *roles: str, below: bool = False) -> tuple[int, ...]:
    """Return the last body of each part, or all bodies from it outwards."""
    found: set[int] = set()
    for role in roles:
        if part := robot.anatomy.parts.get(role):
            joints = {part.joint, *(robot.skeleton.descendants(part.joint) if below else ())}
            bodies = [body for body, joint in enumerate(robot.body_joints.tolist()) if joint in joints]
            found.update(bodies if below else bodies[:1])
    return tuple(sorted(found))


def _end_effectors(robot: Robot) -> tuple[int, ...]:
    hands = [side + ("hand" if side + "hand" in robot.anatomy.parts else "forearm") for side in ("left_", "right_")]
    return _bodies_of(robot, *hands, "left_foot", "right_foot", "head")


def _height(model: mujoco.MjModel, robot: Robot) -> float:
    data = mujoco.MjData(model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_forward(model, data)
    own = np.flatnonzero(model.geom_bodyid > 0)
    if not len(own):
        return float(np.ptp(data.xpos[1:, 2]))
    rows = np.abs(data.geom_xmat[own].reshape(-1, 3, 3)[:, 2])
    reach = (rows * model.geom_aabb[own, 3:]).sum(axis=1)  # half the height of the box around each geom
    return float((data.geom_xpos[own, 2] + reach).max() - (data.geom_xpos[own, 2] - reach).min())
