"""A body as MJCF: bodies, hinges, geoms, a floor, and one position actuator for each hinge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import numpy as np
from jaxtyping import Float

from imitate.character.config import CharacterConfig
from imitate.character.rig import Rig
from imitate.character.shapes import Shape
from kinematics.rotations import quaternion
from retarget.robots.axes import rotations_to_z_up, to_z_up

SELF = 2  # bit of contype that lets parts of the body collide with each other; the floor has bit 1
TIME_STEP = 1.0 / 120.0  # seconds, as the file says; a training may take a finer one
PAINTS = {"left": "0.36 0.56 0.85 1", "right": "0.88 0.45 0.38 1", "middle": "0.72 0.74 0.78 1"}


@dataclass(frozen=True, eq=False)
class BodyMasses:
    """Mass of each body, in its frame, Y up.

    Attributes:
        masses: kg, shape (bodies,).
        centers: Metres, shape (bodies, 3).
        inertias: About the centre, kg m2, shape (bodies, 3, 3).
    """

    masses: Float[np.ndarray, " bodies"]
    centers: Float[np.ndarray, "bodies 3"]
    inertias: Float[np.ndarray, "bodies 3 3"]


@dataclass(frozen=True, eq=False)
class Actuation:
    """Numbers of the hinges: ranges (radians), armature (kg m2), stiffness, damping and torque limits; each (hinges,)."""

    lower: Float[np.ndarray, " hinges"]
    upper: Float[np.ndarray, " hinges"]
    armature: float
    stiffness: Float[np.ndarray, " hinges"]
    damping: Float[np.ndarray, " hinges"]
    torque_limits: Float[np.ndarray, " hinges"]


def write_mjcf(
    name: str,
    rig: Rig,
    *,
    body_names: Sequence[str],
    hinge_names: Sequence[str],
    masses: BodyMasses,
    shapes: Sequence[Shape],
    actuation: Actuation,
    config: CharacterConfig,
    stand: Float[np.ndarray, " nq"],
    excludes: Sequence[tuple[int, int]] = (),
) -> str:
    """Return the model as text, one file that stands alone.

    Args:
        name: Of the model.
        rig: Bodies and hinges.
        body_names: Of the bodies.
        hinge_names: Of the hinges.
        masses: Of the bodies.
        shapes: Geoms.
        actuation: Ranges and gains.
        config: Time step, friction, self-collision.
        stand: Pose in which the body stands, MuJoCo's numbers, shape (nq,).
        excludes: Pairs of bodies that never collide.
    """
    model = ET.Element("mujoco", model=name)
    root_height = float(stand[2])
    ET.SubElement(model, "compiler", angle="radian", autolimits="true", balanceinertia="true")
    add_physics(model)
    ET.SubElement(model, "statistic", center=row([0.0, 0.0, root_height]), extent=number(2.0 * root_height))
    add_stage(model)
    contact = str(SELF) if config.self_collision else "0"
    default = ET.SubElement(model, "default")
    ET.SubElement(
        default, "geom", contype=contact, conaffinity="3" if config.self_collision else "1", condim="3",
        friction=row([config.friction, 0.005, 0.0001]),
    )  # fmt: skip
    ET.SubElement(default, "joint", type="hinge", armature=number(actuation.armature))
    world = ET.SubElement(model, "worldbody")
    add_floor(world, config.friction)
    elements: list[ET.Element] = []
    counts: dict[int, int] = {}
    for body in range(rig.num_bodies):
        parent = world if body == 0 else elements[rig.parents[body]]
        place = np.array([0.0, 0.0, root_height]) if body == 0 else to_z_up(rig.offsets[body])
        element = ET.SubElement(parent, "body", name=body_names[body], pos=row(place))
        elements.append(element)
        if quaternion.angle(rig.references[body]) > 1e-9:
            element.set("quat", row(rotations_to_z_up(rig.references[body])))
        ET.SubElement(
            element, "inertial", pos=row(to_z_up(masses.centers[body])), mass=number(masses.masses[body]),
            fullinertia=row(_six(masses.inertias[body])),
        )  # fmt: skip
        if body == 0:
            ET.SubElement(element, "freejoint", name="root")
            ET.SubElement(
                element, "camera", name="track", mode="trackcom", pos="2.2 -2.8 0.6", xyaxes="0.786 0.618 0 -0.12 0.153 0.981"
            )
        for hinge, axis in zip(rig.columns(body).tolist(), rig.hinges(body).axes if body else (), strict=True):
            ET.SubElement(
                element, "joint", name=hinge_names[hinge], axis=row(to_z_up(axis)),
                range=row([actuation.lower[hinge], actuation.upper[hinge]]),
            )  # fmt: skip
    for shape in shapes:
        counts[shape.body] = counts.get(shape.body, 0) + 1
        suffix = "" if counts[shape.body] == 1 else f"_{counts[shape.body]}"
        _add_geom(elements[shape.body], shape, f"{body_names[shape.body]}{suffix}")
    if excludes:
        contacts = ET.SubElement(model, "contact")
        for one, other in excludes:
            ET.SubElement(contacts, "exclude", body1=body_names[one], body2=body_names[other])
    add_actuators(model, hinge_names, actuation)
    keyframes = ET.SubElement(model, "keyframe")
    ET.SubElement(keyframes, "key", name="stand", qpos=row(stand), ctrl=row(stand[7:]))
    ET.indent(model)
    return ET.tostring(model, encoding="unicode") + "\n"


def add_physics(model: ET.Element) -> None:
    """Add how it is solved.

    Ten sweeps of Gauss-Seidel over the dozen rows of two feet take 1/1.4 to 1/1.9 of the time of MuJoCo's Newton method, and a
    walk slides, sinks and tracks the same under both.
    """
    ET.SubElement(model, "option", timestep=number(TIME_STEP), integrator="implicitfast", solver="PGS", iterations="10")


def add_stage(model: ET.Element) -> None:
    """Add light and colours."""
    visual = ET.SubElement(model, "visual")
    ET.SubElement(visual, "headlight", ambient="0.35 0.35 0.35", diffuse="0.45 0.45 0.45", specular="0 0 0")
    ET.SubElement(visual, "global", offwidth="1280", offheight="960")
    asset = ET.SubElement(model, "asset")
    ET.SubElement(
        asset, "texture", type="skybox", builtin="gradient", rgb1="0.93 0.95 0.97", rgb2="0.78 0.83 0.88", width="64", height="64"
    )
    ET.SubElement(
        asset, "texture", name="floor", type="2d", builtin="checker", rgb1="0.80 0.82 0.84", rgb2="0.72 0.75 0.78",
        width="256", height="256",
    )  # fmt: skip
    ET.SubElement(asset, "material", name="floor", texture="floor", texrepeat="1 1", texuniform="true", reflectance="0.05")


def add_floor(world: ET.Element, friction: float) -> None:
    """Add the plane that bodies stand on, and a lamp."""
    ET.SubElement(world, "light", directional="true", pos="0 0 4", dir="-0.4 0.5 -1", diffuse="0.5 0.5 0.5", castshadow="false")
    ET.SubElement(
        world, "geom", name="floor", type="plane", size="0 0 1", material="floor", contype="1", conaffinity="0",
        friction=row([friction, 0.005, 0.0001]),
    )  # fmt: skip


def add_actuators(model: ET.Element, hinge_names: Sequence[str], actuation: Actuation) -> None:
    """Add a position actuator for each hinge, in order: torque = stiffness (target - angle) - damping velocity, limited."""
    actuators = ET.SubElement(model, "actuator")
    for n, name in enumerate(hinge_names):
        limit = actuation.torque_limits[n]
        ET.SubElement(
            actuators, "position", name=name, joint=name, kp=number(actuation.stiffness[n]), kv=number(actuation.damping[n]),
            forcerange=row([-limit, limit]),
        )  # fmt: skip


def _add_geom(element: ET.Element, shape: Shape, name: str) -> None:
    geom = ET.SubElement(element, "geom", name=name, type=shape.kind, rgba=PAINTS[shape.paint])
    if shape.kind == "capsule":
        geom.set("fromto", row([*to_z_up(shape.start), *to_z_up(shape.end)]))
        geom.set("size", number(shape.radius))
    elif shape.kind == "sphere":
        geom.set("pos", row(to_z_up(shape.start)))
        geom.set("size", number(shape.radius))
    else:
        geom.set("pos", row(to_z_up(shape.start)))
        geom.set("size", row(to_z_up(shape.end)))
        geom.set("quat", row(rotations_to_z_up(shape.rotation)))


def _six(inertia: Float[np.ndarray, "3 3"]) -> list[float]:
    """Return a matrix of our axes as MuJoCo's fullinertia: xx yy zz xy xz yz."""
    turned = inertia[np.ix_([2, 0, 1], [2, 0, 1])]
    return [turned[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]


def number(value: float | np.floating) -> str:
    """Write a number with nine digits."""
    return f"{float(value):.9g}"


def row(values: Sequence[float] | np.ndarray) -> str:
    """Write numbers with blanks between."""
    return " ".join(number(float(value)) for value in values)
