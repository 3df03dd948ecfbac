"""Where all bodies are and how fast they move, from MuJoCo's qpos and qvel: forward kinematics of a whole batch.

MuJoCo's own derived fields are one substep behind after a step, and making them current costs a fifth of the physics
(collisions and inertias come along); this costs a hundredth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import mujoco
import numpy as np

from imitate.errors import ImitationError
from kinematics.kernels.algebra import (
    Quaternion,
    Vector,
    add,
    along,
    cross,
    multiply,
    put_quaternion,
    put_vector,
    quaternion,
    rotate,
    subtract,
    unit,
    vector,
)
from kinematics.kernels.jit import jit

SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX = 2, 3, 4, 5, 6  # mjtGeom


class BodyTree(NamedTuple):
    """The numbers of a model that forward kinematics needs. Body b is MuJoCo's b + 1; hinge h turns qpos[7 + h].

    Attributes:
        parents: Parent of each body, -1 for the root, shape (B,).
        positions: Place in the parent's frame, shape (B, 3).
        rotations: Rotation in the parent's frame, quaternions wxyz, shape (B, 4).
        first_hinges: Hinges of body b are first_hinges[b] up to first_hinges[b + 1], shape (B + 1,).
        anchors: Point of each hinge in its body's frame, shape (H, 3).
        axes: Axis of each hinge in its body's frame, shape (H, 3).
        zeros: Angle of each hinge in the model's own configuration, radians, shape (H,).
        masses: Share of each body in the whole mass, shape (B,).
        centers: Centre of mass in the body's frame, shape (B, 3).
        first_shapes: Colliding shapes of body b are first_shapes[b] up to first_shapes[b + 1], shape (B + 1,).
        shape_kinds: mjtGeom of each shape, shape (G,).
        shape_sizes: MuJoCo's sizes, metres, shape (G, 3).
        shape_positions: Place in the body's frame, shape (G, 3).
        shape_rotations: Rotation in the body's frame, shape (G, 4).
        upright: Inverse of the root's rotation in the model's own configuration, in which it faces +X, shape (4,).
    """

    parents: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray
    first_hinges: np.ndarray
    anchors: np.ndarray
    axes: np.ndarray
    zeros: np.ndarray
    masses: np.ndarray
    centers: np.ndarray
    first_shapes: np.ndarray
    shape_kinds: np.ndarray
    shape_sizes: np.ndarray
    shape_positions: np.ndarray
    shape_rotations: np.ndarray
    upright: np.ndarray


class Bodies(NamedTuple):
    """All bodies of N simulations (or of N frames), in the world: Z up, metres, seconds.

    Attributes:
        positions: Origins, shape (N, B, 3).
        rotations: Quaternions wxyz, shape (N, B, 4).
        linear_velocities: Of the origins, shape (N, B, 3).
        angular_velocities: World frame, rad/s, shape (N, B, 3).
        center_of_mass: Of the whole body, shape (N, 3).
        center_of_mass_velocity: Shape (N, 3).
        lowest: Height of the lowest point of each body's colliding shapes, inf without one, shape (N, B).
    """

    positions: np.ndarray
    rotations: np.ndarray
    linear_velocities: np.ndarray
    angular_velocities: np.ndarray
    center_of_mass: np.ndarray
    center_of_mass_velocity: np.ndarray
    lowest: np.ndarray


def make_tree(model: mujoco.MjModel) -> BodyTree:
    """Read the tree of a model that has one free root and hinges.

    Raises:
        ImitationError: On slides, balls, or a second free body.
    """
    count = model.nbody - 1
    kinds = np.asarray(model.jnt_type)
    if model.njnt < 1 or kinds[0] != 0 or np.any(kinds[1:] != 3) or int(model.jnt_bodyid[0]) != 1:
        raise ImitationError(
            f"the body needs one free joint at its first body and hinges besides, got the joint kinds {kinds.tolist()} "
            "(0 free, 1 ball, 2 slide, 3 hinge)"
        )
    hinges = np.asarray(model.jnt_bodyid[1:]) - 1
    shapes = np.flatnonzero((model.geom_bodyid > 0) & ((model.geom_contype != 0) | (model.geom_conaffinity != 0)))
    owners = np.asarray(model.geom_bodyid)[shapes] - 1
    order = np.argsort(owners, kind="stable")
    shapes, owners = shapes[order], owners[order]
    types, sizes = np.array(model.geom_type[shapes]), np.array(model.geom_size[shapes])
    places, turns = np.array(model.geom_pos[shapes]), np.array(model.geom_quat[shapes])
    for at, shape in enumerate(shapes):  # meshes and the like: the box around them
        if types[at] not in (SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX):
            box = model.geom_aabb[shape]
            places[at] = add(vector(places[at]), rotate(quaternion(turns[at]), vector(box[:3])))
            types[at], sizes[at] = BOX, box[3:]
    masses = np.array(model.body_mass[1:])
    root = np.array(model.qpos0[3:7])
    return BodyTree(
        parents=np.asarray(model.body_parentid[1:], dtype=np.int64) - 1,
        positions=np.array(model.body_pos[1:]),
        rotations=np.array(model.body_quat[1:]),
        first_hinges=np.searchsorted(hinges, np.arange(count + 1)),
        anchors=np.array(model.jnt_pos[1:]),
        axes=np.array(model.jnt_axis[1:]),
        zeros=np.array(model.qpos0[7:]),
        masses=masses / masses.sum(),
        centers=np.array(model.body_ipos[1:]),
        first_shapes=np.searchsorted(owners, np.arange(count + 1)),
        shape_kinds=types.astype(np.int64),
        shape_sizes=sizes,
        shape_positions=places,
        shape_rotations=turns,
        upright=root * np.array([1.0, -1.0, -1.0, -1.0]),
    )


def make_bodies(count: int, bodies: int) -> Bodies:
    """Return arrays to be filled by `move`."""
    return Bodies(
        np.zeros((count, bodies, 3)), np.zeros((count, bodies, 4)), np.zeros((count, bodies, 3)), np.zeros((count, bodies, 3)),
        np.zeros((count, 3)), np.zeros((count, 3)), np.zeros((count, bodies)),
    )  # fmt: skip


@jit
def move(tree: BodyTree, qpos: np.ndarray, qvel: np.ndarray, rows: np.ndarray, bodies: Bodies) -> None:
    """Write where the bodies of some simulations are.

    Args:
        tree: The model.
        qpos: Configurations, shape (N, nq).
        qvel: Velocities in MuJoCo's convention (root: linear in the world, angular in its own frame), shape (N, nv).
        rows: Simulations to write, shape (n,).
        bodies: Where it is written.
    """
    for n in rows:
        mass_x, mass_y, mass_z, speed_x, speed_y, speed_z = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for b in range(len(tree.parents)):
            p = tree.parents[b]
            if b == 0:
                place, turn = vector(qpos[n]), unit(quaternion(qpos[n, 3:7]))
                speed, spin = vector(qvel[n]), rotate(turn, vector(qvel[n, 3:6]))
            else:
                place, turn = vector(tree.positions[b]), quaternion(tree.rotations[b])
                speed, spin = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
                if p >= 0:
                    above, spin = quaternion(bodies.rotations[n, p]), vector(bodies.angular_velocities[n, p])
                    arm, turn = rotate(above, place), multiply(above, turn)
                    place = add(vector(bodies.positions[n, p]), arm)
                    speed = add(vector(bodies.linear_velocities[n, p]), cross(spin, arm))
                for h in range(tree.first_hinges[b], tree.first_hinges[b + 1]):
                    place, turn, speed, spin = _turn_hinge(
                        place, turn, speed, spin, vector(tree.anchors[h]), vector(tree.axes[h]),
                        qpos[n, 7 + h] - tree.zeros[h], qvel[n, 6 + h],
                    )  # fmt: skip
                turn = unit(turn)
            put_vector(bodies.positions[n, b], place)
            put_quaternion(bodies.rotations[n, b], turn)
            put_vector(bodies.linear_velocities[n, b], speed)
            put_vector(bodies.angular_velocities[n, b], spin)
            arm = rotate(turn, vector(tree.centers[b]))
            center, pace, share = add(place, arm), add(speed, cross(spin, arm)), tree.masses[b]
            mass_x, mass_y, mass_z = mass_x + share * center[0], mass_y + share * center[1], mass_z + share * center[2]
            speed_x, speed_y, speed_z = speed_x + share * pace[0], speed_y + share * pace[1], speed_z + share * pace[2]
            bodies.lowest[n, b] = _lowest(tree, b, place, turn)
        put_vector(bodies.center_of_mass[n], (mass_x, mass_y, mass_z))
        put_vector(bodies.center_of_mass_velocity[n], (speed_x, speed_y, speed_z))


@jit
def _turn_hinge(
    place: Vector, turn: Quaternion, speed: Vector, spin: Vector, anchor: Vector, axis: Vector, angle: float, rate: float
) -> tuple[Vector, Quaternion, Vector, Vector]:
    arm, line = rotate(turn, anchor), rotate(turn, axis)
    speed = add(speed, cross(spin, arm))  # of the anchor
    point = add(place, arm)
    half = 0.5 * angle
    s = math.sin(half)
    turn = multiply(turn, (math.cos(half), s * axis[0], s * axis[1], s * axis[2]))
    spin = along(spin, rate, line)
    place = subtract(point, rotate(turn, anchor))
    return place, turn, add(speed, cross(spin, subtract(place, point))), spin


@jit
def _lowest(tree: BodyTree, b: int, place: Vector, turn: Quaternion) -> float:
    """Return the height of the lowest point of a body's shapes."""
    low = math.inf
    for g in range(tree.first_shapes[b], tree.first_shapes[b + 1]):
        height = add(place, rotate(turn, vector(tree.shape_positions[g])))[2]
        w, x, y, z = multiply(turn, quaternion(tree.shape_rotations[g]))
        up_x, up_y, up_z = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
        kind, size_x, size_y, size_z = tree.shape_kinds[g], *vector(tree.shape_sizes[g])
        if kind == SPHERE:
            reach = size_x
        elif kind == CAPSULE:
            reach = size_x + abs(up_z) * size_y
        elif kind == CYLINDER:
            reach = size_x * math.sqrt(max(0.0, 1.0 - up_z * up_z)) + abs(up_z) * size_y
        elif kind == ELLIPSOID:
            reach = math.sqrt((up_x * size_x) ** 2 + (up_y * size_y) ** 2 + (up_z * size_z) ** 2)
        else:
            reach = abs(up_x) * size_x + abs(up_y) * size_y + abs(up_z) * size_z
        low = min(low, height - reach)
    return low


@jit
def heading(rotation: Quaternion, upright: Quaternion) -> Quaternion:
    """Return the turn about the vertical in a root's rotation (its twist about Z), which is undefined only upside down."""
    q = multiply(rotation, upright)
    length = math.sqrt(q[0] * q[0] + q[3] * q[3])
    if length < 1e-9:
        return 1.0, 0.0, 0.0, 0.0
    return q[0] / length, 0.0, 0.0, q[3] / length
