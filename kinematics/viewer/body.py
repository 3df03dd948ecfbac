"""A neutral body for any skeleton: rigid meshes that hang on its joints, the same for every renderer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinematics.motion import Motion
from kinematics.skeleton import Skeleton
from kinematics.viewer.body_animal import animal, is_animal
from kinematics.viewer.body_feet import feet
from kinematics.viewer.body_hands import hands
from kinematics.viewer.body_head import head
from kinematics.viewer.body_limbs import limbs
from kinematics.viewer.body_plain import extras, plain
from kinematics.viewer.body_reference import Reference, refer
from kinematics.viewer.body_shapes import Solid, merge, vertex_normals
from kinematics.viewer.body_trunk import trunk

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "left": (46, 108, 186),
    "right": (226, 112, 38),
    "middle": (200, 200, 204),
    "detail": (62, 64, 70),
}


@dataclass(frozen=True, eq=False)
class Part:
    """One rigid mesh. It moves with a joint.

    Attributes:
        joint: Index of the joint that carries it.
        paint: Which colour it has, a key of `COLOURS`: "left", "right", "middle", or "detail" for what is set off.
        vertices: In the joint's frame, metres of the stage, shape (vertices, 3).
        normals: Unit, pointing outwards, in the joint's frame, shape (vertices, 3).
        faces: Indices of vertices, counter-clockwise seen from outside, shape (faces, 3).
    """

    joint: int
    paint: str
    vertices: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]


@dataclass(frozen=True, eq=False)
class Body:
    """Meshes of a skeleton.

    Attributes:
        skeleton: The skeleton that carries them.
        parts: The meshes; at most one for each joint and paint.
        height: Stature in metres of the stage, or the largest extent of what is not a body.
        kind: "human", "animal" (on four legs) or "prop".
    """

    skeleton: Skeleton
    parts: tuple[Part, ...]
    height: float
    kind: str


def make_body(motion: Motion, *, up: str = "Y", scale: float = 1.0, floor: float = 0.0) -> Body:
    """Make a body in proportion to a clip's skeleton: a mannequin of a person, capsules and joints of anything else.

    Sizes that the skeleton does not tell are shares of its stature. Which way face, chest and toes point, and where the
    soles are, is seen from the clip: a zero pose need not be a pose.

    Args:
        motion: The clip, in any unit and axes, of at least one frame; its frames tell where soles and face point.
        up: The world's up axis in the clip, out of `frames.UP_AXES`.
        scale: Metres of the stage in one unit of the clip.
        floor: Height of the floor along up, in the clip's unit.
    """
    ref = refer(motion, up=up, scale=scale, floor=floor)
    kind = _kind(ref)
    if kind == "human":
        pieces = trunk(ref) + head(ref) + limbs(ref) + hands(ref) + feet(ref) + extras(ref)
    else:
        pieces = animal(ref) if kind == "animal" else plain(ref)
    shapes: dict[tuple[int, str], list[Solid]] = {}
    for joint, paint, solid in pieces:
        shapes.setdefault((joint, paint), []).append(solid)
    keys = sorted(shapes)
    solids = [merge(shapes[key]) for key in keys]
    normals = np.split(vertex_normals(merge(solids)), np.cumsum([len(solid.vertices) for solid in solids])[:-1])
    parts = [
        Part(joint, paint, solid.vertices, normal, solid.faces)
        for (joint, paint), solid, normal in zip(keys, solids, normals, strict=True)
    ]
    return Body(motion.skeleton, tuple(parts), ref.height, kind)


def _kind(ref: Reference) -> str:
    """Tell what a skeleton is."""
    if not ref.is_body:
        return "prop"
    return "animal" if is_animal(ref) else "human"
