"""Moving bodies as binary glTF 2.0 (GLB), for Blender, three.js, game engines and browsers.

A figure becomes an armature: a node that turns and moves the clip's world to glTF's (metres, Y up, floor at zero), below it
the skeleton's own tree with its own names, end sites as leaf bones. The meshes are one skin with one joint a vertex; its
bind pose is the pose it is modelled in. All figures move in one animation, so that every program plays them in step; its
keys are the clip's frames, so it goes through them exactly. What never changes is a single key.

Specification: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from jaxtyping import Float, Int

from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion

GENERATOR = "muybridge"
ROUGHNESS = 0.75
STILL = 1e-7  # change below which a track is one key: of quaternions, and of positions as a share of the body's extent
VERTICES, TRIANGLES = 34962, 34963  # bufferView.target
BYTE, SHORT, INT, FLOAT = 5121, 5123, 5125, 5126  # accessor.componentType
DTYPES = {BYTE: "<u1", SHORT: "<u2", INT: "<u4", FLOAT: "<f4"}
TYPES = {0: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}  # accessor.type by components


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles of one colour that move with a joint.

    Attributes:
        joint: Index of the joint that carries them.
        paint: Name of the colour; surfaces of one figure with the same paint become one material.
        colour: sRGB, 0 to 255.
        vertices: In the joint's frame, metres, shape (vertices, 3).
        normals: Pointing outwards, in the joint's frame, shape (vertices, 3).
        faces: Indices of vertices, counter-clockwise seen from outside, shape (faces, 3).
    """

    joint: int
    paint: str
    colour: tuple[int, int, int]
    vertices: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]


@dataclass(frozen=True, eq=False)
class Figure:
    """A moving body in its place.

    Attributes:
        name: Name of the armature.
        motion: The clip, in any unit and axes, of at least one frame.
        surfaces: Its meshes; without any, only its tree of nodes is written.
        scale: Metres in one unit of the clip.
        turn: Rotation from the clip's axes to Y up, wxyz, shape (4,).
        offset: Where the clip's origin is, metres, shape (3,).
        bind_rotations: Global rotation of each joint in the bind pose, wxyz, shape (joints, 4); the zero pose by default.
    """

    name: str
    motion: Motion
    surfaces: Sequence[Surface] = ()
    scale: float = 1.0
    turn: Float[np.ndarray, "4"] = field(default_factory=quaternion.IDENTITY.copy)
    offset: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    bind_rotations: Float[np.ndarray, "joints 4"] | None = None


def write_glb(figures: Sequence[Figure], path: str | Path) -> None:
    """Write figures as one GLB file, all or nothing.

    Raises:
        InputError: On figures that cannot be written, or where the file cannot be.
    """
    write_bytes(path, encode_glb(figures))


def encode_glb(figures: Sequence[Figure]) -> bytes:
    """Return figures as the bytes of a GLB file: armatures that all move in one animation.

    Nodes stand in the pose of the first frame. The nodes of figure i begin with its armature, its joints in the skeleton's
    order, its end sites.

    Raises:
        InputError: Where there is no figure, or one has no frames.
    """
    if not figures:
        raise InputError("there is nothing to write; give at least one figure")
    for figure in figures:
        if not figure.motion.num_frames:
            raise InputError(f"{figure.name!r} has no frames; a figure needs at least one")
    document = _Document()
    for figure in figures:
        _add_figure(document, figure)
    if any(figure.motion.num_frames > 1 for figure in figures):
        document.root["animations"][0]["name"] = _clean(" + ".join(figure.name for figure in figures)) or "motion"
    return document.encode()


class _Document:
    """The JSON part and the binary part while they grow."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0
        self.root: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": GENERATOR},
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
        }
        self.names: set[str] = set()
        self.materials: dict[tuple[str, tuple[int, int, int]], int] = {}

    def add(self, key: str, thing: dict[str, Any]) -> int:
        """Append to one of the lists and return the index."""
        things = self.root.setdefault(key, [])
        things.append(thing)
        return len(things) - 1

    def view(self, data: bytes, *, target: int | None = None) -> int:
        """Append bytes to the buffer, aligned to four, as a bufferView."""
        view = {"buffer": 0, "byteOffset": self.size, "byteLength": len(data)} | ({"target": target} if target else {})
        padded = data + bytes(-len(data) % 4)
        self.pieces.append(padded)
        self.size += len(padded)
        return self.add("bufferViews", view)

    def accessor(self, values: np.ndarray, kind: int, *, target: int | None = None, bounds: bool = False, **more: Any) -> int:
        """Append an array of scalars or rows as an accessor with a bufferView of its own."""
        array = np.ascontiguousarray(values, dtype=DTYPES[kind])
        view = self.view(array.tobytes(), target=target)
        return self._describe(array, kind, {"bufferView": view, **more}, bounds=bounds)

    def keys(self, tracks: Sequence[np.ndarray]) -> list[int]:
        """Append tracks of numbers as accessors that share a bufferView."""
        arrays = [np.ascontiguousarray(track, dtype="<f4") for track in tracks]
        starts = np.cumsum([0, *(array.nbytes for array in arrays)]).tolist()
        view = self.view(b"".join(array.tobytes() for array in arrays))
        return [
            self._describe(array, FLOAT, {"bufferView": view, "byteOffset": start})
            for array, start in zip(arrays, starts, strict=False)
        ]

    def _describe(self, array: np.ndarray, kind: int, where: dict[str, Any], *, bounds: bool = False) -> int:
        components = array.shape[1] if array.ndim == 2 else 0
        accessor = {**where, "componentType": kind, "count": len(array), "type": TYPES[components]}
        if bounds:  # exactly those of the numbers as written
            least, most = array.min(axis=0), array.max(axis=0)
            accessor |= {"min": np.atleast_1d(least).tolist(), "max": np.atleast_1d(most).tolist()}
        return self.add("accessors", accessor)

    def material(self, paint: str, colour: tuple[int, int, int]) -> int:
        """Return the material of a paint, made at its first use."""
        if (paint, colour) not in self.materials:
            surface = {"baseColorFactor": [*_linear(colour), 1.0], "metallicFactor": 0.0, "roughnessFactor": ROUGHNESS}
            found = self.add("materials", {"name": _clean(paint), "pbrMetallicRoughness": surface})
            self.materials[paint, colour] = found
        return self.materials[paint, colour]

    def encode(self) -> bytes:
        """Return the file."""
        if self.size:
            self.root["buffers"] = [{"byteLength": self.size}]
        text = orjson.dumps(self.root)
        text += b" " * (-len(text) % 4)
        chunks = [struct.pack("<I4s", len(text), b"JSON"), text]
        if self.size:
            chunks += [struct.pack("<I4s", self.size, b"BIN\0"), *self.pieces]
        return b"".join([struct.pack("<4sII", b"glTF", 2, 12 + sum(map(len, chunks))), *chunks])


def _add_figure(document: _Document, figure: Figure) -> None:
    motion, skeleton = figure.motion, figure.motion.skeleton
    joints, root = skeleton.num_joints, document.root
    first = len(root["nodes"])
    parents = [*skeleton.parents.tolist(), *skeleton.end_site_parents.tolist()]
    inner = _unique([*skeleton.joint_names, *skeleton.end_site_names], ())
    name = _unique([figure.name or "figure"], {*inner, *document.names})[0]
    document.names.add(name)
    rotations = quaternion.normalize(quaternion.unroll(motion.local_rotations))
    places = _local_places(figure)
    armature = {"name": name, "children": [first + 1]}
    document.add("nodes", _placed(armature, figure.offset, figure.turn))
    root["scenes"][0]["nodes"].append(first)
    for point, own in enumerate(inner):
        children = [first + 1 + child for child, parent in enumerate(parents) if parent == point and point < joints]
        node: dict[str, Any] = {"name": own} | ({"children": children} if children else {})
        turn = rotations[0, point] if point < joints else quaternion.IDENTITY
        document.add("nodes", _placed(node, places[point][0], turn))
    if figure.surfaces:
        _add_skin(document, figure, name, first + 1, len(inner))
    if motion.num_frames > 1:
        _animate(document, figure, first + 1, rotations, places[:joints])


def _local_places(figure: Figure) -> list[np.ndarray]:
    """Return the position of every joint and end site in its parent's frame, metres, shape (frames or 1, 3) each."""
    motion, skeleton = figure.motion, figure.motion.skeleton
    if motion.local_positions is None:
        tracks = [motion.root_positions, *skeleton.offsets[1:, None]]
    else:
        tracks = [motion.root_positions, *motion.local_positions[:, 1:].transpose(1, 0, 2)]
    return [figure.scale * track for track in [*tracks, *skeleton.end_site_offsets[:, None]]]


def _add_skin(document: _Document, figure: Figure, name: str, first: int, count: int) -> None:
    """Add the meshes in the bind pose, one primitive a paint, and the skin that carries them."""
    skeleton = figure.motion.skeleton
    positions, rotations = _bind_pose(figure)
    ends = quaternion.rotate(rotations[skeleton.end_site_parents], skeleton.end_site_offsets)
    ends = positions[skeleton.end_site_parents] + figure.scale * ends
    inverse = np.tile(np.eye(4), (count, 1, 1))
    turned = np.concatenate([rotations, rotations[skeleton.end_site_parents]])
    inverse[:, :3, :3] = quaternion.to_matrix(quaternion.inverse(turned))
    inverse[:, :3, 3] = -np.einsum("nij,nj->ni", inverse[:, :3, :3], np.concatenate([positions, ends]))
    columns = inverse.transpose(0, 2, 1).reshape(count, 16)  # glTF stores matrices by columns
    skin = {"inverseBindMatrices": document.accessor(columns, FLOAT), "joints": list(range(first, first + count))}
    primitives = []
    for paint in dict.fromkeys(surface.paint for surface in figure.surfaces):
        chosen = [surface for surface in figure.surfaces if surface.paint == paint]
        primitives.append(_primitive(document, chosen, positions, rotations))
    mesh = document.add("meshes", {"name": f"{name} body", "primitives": primitives})
    node = {"name": f"{name} body", "mesh": mesh, "skin": document.add("skins", {"name": name, **skin})}
    document.root["scenes"][0]["nodes"].append(document.add("nodes", node))  # at the root: a skinned mesh has no other place


def _bind_pose(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """Return where each joint is in the bind pose, metres, and how it is turned: above the origin, its lowest point at zero."""
    skeleton = figure.motion.skeleton
    rotations = figure.bind_rotations
    if rotations is None:
        rotations = np.tile(figure.turn, (skeleton.num_joints, 1))
    local = rotations.copy()
    local[1:] = quaternion.multiply(quaternion.inverse(rotations[skeleton.parents[1:]]), rotations[1:])
    pose = Pose(skeleton, np.zeros(3), quaternion.normalize(local))
    positions = figure.scale * forward_kinematics(pose).global_positions
    lowest = min(
        float((quaternion.rotate(rotations[surface.joint], surface.vertices) + positions[surface.joint])[:, 1].min())
        for surface in figure.surfaces
    )
    return positions - np.array([0.0, lowest, 0.0]), rotations


def _primitive(document: _Document, surfaces: Sequence[Surface], positions: np.ndarray, rotations: np.ndarray) -> dict[str, Any]:
    """Return the surfaces of one paint as a primitive, vertices in the bind pose."""
    sizes = [len(surface.vertices) for surface in surfaces]
    starts = np.cumsum([0, *sizes[:-1]])
    carriers = np.repeat([surface.joint for surface in surfaces], sizes)
    vertices = np.concatenate([surface.vertices for surface in surfaces])
    normals = np.concatenate([surface.normals for surface in surfaces])
    faces = np.concatenate([surface.faces + start for surface, start in zip(surfaces, starts, strict=True)])
    vertices = quaternion.rotate(rotations[carriers], vertices) + positions[carriers]
    normals = quaternion.rotate(rotations[carriers], _unit(normals))
    joint_ids = np.pad(carriers[:, None], ((0, 0), (0, 3)))
    weights = np.tile([255, 0, 0, 0], (len(carriers), 1))
    return {
        "attributes": {
            "POSITION": document.accessor(vertices, FLOAT, target=VERTICES, bounds=True),
            "NORMAL": document.accessor(normals, FLOAT, target=VERTICES),
            "JOINTS_0": document.accessor(joint_ids, BYTE if len(positions) <= 256 else SHORT, target=VERTICES),
            "WEIGHTS_0": document.accessor(weights, BYTE, target=VERTICES, normalized=True),
        },
        "indices": document.accessor(faces.ravel(), SHORT if len(vertices) < 65536 else INT, target=TRIANGLES),
        "material": document.material(surfaces[0].paint, surfaces[0].colour),
    }


def _animate(
    document: _Document, figure: Figure, first: int, rotations: Float[np.ndarray, "frames joints 4"], places: list[np.ndarray]
) -> None:
    """Add a channel for each joint's rotation, and for the positions of those that move in their parents' frames."""
    motion = figure.motion
    reach = figure.scale * float(np.linalg.norm(motion.skeleton.offsets[1:], axis=1).sum()) or 1.0
    targets: list[tuple[int, str]] = []
    tracks: list[np.ndarray] = []
    for joint, track in enumerate(places):
        if len(track) > 1 and (joint == 0 or np.ptp(track, axis=0).max() > STILL * reach):
            targets.append((joint, "translation"))
            tracks.append(track if np.ptp(track, axis=0).max() > STILL * reach else track[:1])
    for joint in range(len(places)):
        track = rotations[:, joint]
        targets.append((joint, "rotation"))
        tracks.append(quaternion.to_xyzw(track if np.ptp(track, axis=0).max() > STILL else track[:1]))
    times = np.arange(motion.num_frames) * motion.frame_time
    inputs = {count: document.accessor(times[:count], FLOAT, bounds=True) for count in {len(track) for track in tracks}}
    if not document.root.get("animations"):
        document.add("animations", {"channels": [], "samplers": []})
    animation = document.root["animations"][0]
    for (joint, path), track, output in zip(targets, tracks, document.keys(tracks), strict=True):
        animation["channels"].append({"sampler": len(animation["samplers"]), "target": {"node": first + joint, "path": path}})
        animation["samplers"].append({"input": inputs[len(track)], "output": output, "interpolation": "LINEAR"})


def _placed(node: dict[str, Any], place: Float[np.ndarray, "3"], turn: Float[np.ndarray, "4"]) -> dict[str, Any]:
    """Return a node with its translation and rotation, where they are not those of every node."""
    if np.any(place):
        node["translation"] = place.astype(np.float32).tolist()
    if not np.array_equal(turn, quaternion.IDENTITY):
        node["rotation"] = quaternion.to_xyzw(quaternion.normalize(turn)).astype(np.float32).tolist()
    return node


def _unique(names: Sequence[str], taken: Collection[str]) -> list[str]:
    """Return names of which none is empty or comes twice: "Hips", "Hips 2"."""
    found: list[str] = []
    used = set(taken)
    for name in map(_clean, names):
        own, number = name, 1
        while own in used:
            number += 1
            own = f"{name} {number}"
        used.add(own)
        found.append(own)
    return found


def _clean(name: str) -> str:
    """Return a name that can be written as UTF-8."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _linear(colour: tuple[int, int, int]) -> list[float]:
    """Return an sRGB colour as linear numbers (IEC 61966-2-1)."""
    shares = np.array(colour) / 255.0
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4).round(6).tolist()  # type: ignore[no-any-return]


def _unit(normals: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, "vertices 3"]:
    """Return unit normals; one that has no direction points up."""
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 1e-12, normals / np.maximum(lengths, 1e-12), [0.0, 1.0, 0.0])
