"""Geoms of a MuJoCo model as points and capsules in the frames of our joints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from retarget.robots.axes import to_y_up
from retarget.robots.shapes import Geom

RIM = 8  # points on a cylinder's edge
LINE = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
CORNERS = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])


def read_geoms(
    mujoco: Any,
    model: Any,
    data: Any,
    names: Sequence[str],
    bodies: Mapping[int, str],
    carriers: Mapping[int, int],
    anchors: Float[np.ndarray, "joints 3"],
) -> list[Geom]:
    """Read the geoms of a robot's bodies, planes left out.

    Args:
        mujoco: The package.
        model: The compiled model.
        data: Its data, after kinematics in the zero pose, in which the frames of all our joints are parallel to the world.
        names: Name of each geom of the model.
        bodies: Names of the robot's bodies by index.
        carriers: Joint of ours that carries each of them.
        anchors: Where our joints are in that pose, MuJoCo's world, metres, shape (joints, 3).
    """
    found = []
    for geom in range(model.ngeom):
        body = int(model.geom_bodyid[geom])
        if body not in carriers or model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_PLANE:
            continue
        points, radius, ends, axis_radius = _shape(model, geom, mujoco.mjtGeom)
        turn = data.geom_xmat[geom].reshape(3, 3)
        place = data.geom_xpos[geom] - anchors[carriers[body]]
        found.append(
            Geom(
                name=names[geom],
                body=bodies[body],
                joint=carriers[body],
                collides=bool(model.geom_contype[geom] or model.geom_conaffinity[geom]),
                points=to_y_up(place + points @ turn.T),
                radius=radius,
                axis_ends=to_y_up(place + ends @ turn.T),
                axis_radius=axis_radius,
            )
        )
    return found


def _shape(model: Any, geom: int, kinds: Any) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Return points, how far the surface is from them, and a capsule inside, in the geom's own frame."""
    kind, size = model.geom_type[geom], np.array(model.geom_size[geom])
    if kind == kinds.mjGEOM_SPHERE:
        return np.zeros((1, 3)), float(size[0]), np.zeros((2, 3)), float(size[0])
    if kind == kinds.mjGEOM_CAPSULE:
        return size[1] * LINE, float(size[0]), size[1] * LINE, float(size[0])
    if kind == kinds.mjGEOM_CYLINDER:
        turn = 2.0 * np.pi * np.arange(RIM) / RIM
        rim = np.stack([size[0] * np.cos(turn), size[0] * np.sin(turn), np.zeros(RIM)], axis=1)
        radius = min(float(size[0]), float(size[1]))
        return np.concatenate([rim + size[1] * end for end in LINE]), 0.0, (size[1] - radius) * LINE, radius
    centre, half = np.array(model.geom_aabb[geom][:3]), np.array(model.geom_aabb[geom][3:])
    points = centre + CORNERS * half  # boxes; height fields and signed distance fields by their boxes
    if kind == kinds.mjGEOM_ELLIPSOID:
        points = np.concatenate([np.diag(size), -np.diag(size)])
    elif kind == kinds.mjGEOM_MESH:
        points = _hull(model, int(model.geom_dataid[geom]))
    longest = int(np.argmax(half))
    radius = float(np.delete(half, longest).min())
    along = np.zeros(3)
    along[longest] = half[longest] - radius
    return points, 0.0, centre + np.stack([-along, along]), radius


def _hull(model: Any, mesh: int) -> Float[np.ndarray, "n 3"]:
    """Return a mesh's vertices; those of its convex hull where the model has it."""
    first, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    vertices = np.array(model.mesh_vert[first : first + count], dtype=np.float64)
    graph = int(model.mesh_graphadr[mesh])
    if graph < 0:
        return vertices
    number = int(model.mesh_graph[graph])
    ids = np.array(model.mesh_graph[graph + 2 + number : graph + 2 + 2 * number])
    return np.asarray(vertices[ids])
