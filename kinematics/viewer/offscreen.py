"""Pictures of a body without a screen: its meshes go to the graphics card once, then only poses move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from kinematics.rotations import quaternion
from kinematics.viewer.actor import Actor
from kinematics.viewer.body import COLOURS
from kinematics.viewer.gl import Gl, open_gl
from kinematics.viewer.rows import nice_number
from kinematics.viewer.shots import UP, Shot

PAPER, FLOOR, LINE, SHADE = (236, 238, 241), (246, 247, 248), (196, 201, 208), (188, 192, 200)
TRAIL, CONTACT = (70, 76, 88), (22, 160, 106)
GROUPED = 100  # joints in one mesh, as many as the shader has places for
BALLS = 28  # that stand for a body where it darkens the floor
MOST_TRAIL = 3000  # points
FLOOR_RADIUS = 7.0  # body heights after which the floor has faded
SUNKEN = 0.15  # body heights below the floor from which on it is drawn see-through
UNSEEN = 0.015  # share of the sky below which what a ball hides of it is left out
BRIM = 3.0  # widths of a line on the floor in which its edges are smoothed
ZERO = np.zeros(3)
CORNERS = np.stack(np.meshgrid([-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]), axis=-1).reshape(-1, 3)
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Figure:
    """One pose of the body in a picture.

    Attributes:
        frame: The frame, whole or between two.
        shift: How far it is moved on the stage, metres, shape (3,).
        paleness: 0 for full colours, 1 for none.
    """

    frame: float
    shift: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    paleness: float = 0.0


class Stage:
    """The body, floor, trail and marks of one clip, ready to be drawn. Close it, or use it in a `with` statement."""

    def __init__(self, actor: Actor, *, trail: bool = True, contacts: bool = True) -> None:
        """Put the meshes on the graphics card.

        Args:
            actor: The clip.
            trail: Draw the root's way over the floor.
            contacts: Mark the points of the feet that stand.

        Raises:
            GraphicsError: Where no GL context can be had.
        """
        self.actor = actor
        self._gl = open_gl()
        self._sizes = _sizes(actor)
        self._balls = _choose_balls(actor)
        square = np.array([[-1.0, 0.0, -1.0], [1.0, 0.0, -1.0], [1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
        with self._gl as gl:
            self._parts = [_upload(gl, actor, joints) for joints in _groups(actor)]
            self._square = gl.mesh(square, np.array([[0, 2, 1], [0, 3, 2]]))
            self._ring = gl.mesh(*_ring()) if contacts else None
            self._trail = gl.mesh(*_ribbon(actor)) if trail and _travels(actor) else None
        low = min(float(actor.positions[..., 1].min()), 0.0)
        self._solid_floor = low > -SUNKEN * actor.body.height

    def __enter__(self) -> Stage:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Free the memory of the graphics card."""
        with self._gl:
            for mesh in [*(mesh for mesh, _ in self._parts), self._square, self._ring, self._trail]:
                if mesh is not None:
                    mesh.delete()
        self._parts, self._square, self._ring, self._trail = [], None, None, None

    def picture(
        self,
        figures: Sequence[Figure],
        shot: Shot,
        size: tuple[int, int],
        *,
        lamp: Float[np.ndarray, "3"],
        shadows: bool = False,
        smooth: bool = True,
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Draw poses of the body.

        Args:
            figures: The poses.
            shot: The camera.
            size: Width and height, pixels.
            lamp: Direction towards the lamp on the stage, unit, shape (3,).
            shadows: Cast the lamp's shadows; the soft darkness where a body nears the floor is always there.
            smooth: Smooth the edges (four samples a pixel).
        """
        with self._gl:
            return self._draw(figures, shot, size, lamp, shadows=shadows, smooth=smooth)

    def _draw(
        self, figures: Sequence[Figure], shot: Shot, size: tuple[int, int], lamp: np.ndarray, *, shadows: bool, smooth: bool
    ) -> UInt8[np.ndarray, "height width 3"]:
        gl, height = self._gl, self.actor.body.height
        poses = [(figure, *interpolate(self.actor, figure.frame)) for figure in figures]
        project = shot.matrix(size[0] / size[1])
        to_lamp = _lamp_view(poses, lamp, height) if shadows else np.eye(4)
        if shadows:
            gl.begin_shadow()
            gl.use("body", "nothing", project=to_lamp)
            self._draw_bodies(poses, coloured=False)
        gl.begin(*size, _unit(PAPER))
        shade: dict[str, Any] = {"lamp_shadows": float(shadows), "to_lamp": to_lamp, "depths": 0}
        above = bool(shot.eye[1] > 0.0)
        if above:
            self._draw_floor(shot, project, shade)
            self._draw_trail(figures, project)
            for figure, positions, rotations in poses:
                self._draw_contact_shade(figure, positions, rotations, project, weak=shadows)
                self._draw_contacts(figure, project)
        box = self._box(poses, shot, size)
        gl.begin_bodies(box, above_floor=above and self._solid_floor, smooth=smooth and box[0] < box[2] and box[1] < box[3])
        paper = _unit(PAPER) ** 2.2
        gl.use("body", "body", project=project, eye=shot.eye, lamp=lamp, paper=paper, height=float(height), **shade)
        self._draw_bodies(poses, coloured=True)
        return gl.finish()

    def _box(self, poses: Sequence[tuple[Figure, np.ndarray, np.ndarray]], shot: Shot, size: tuple[int, int]) -> Box:
        """Return the part of a picture that bodies cover at most: left, bottom, right, top, pixels from the lower left."""
        joints, radii = self._sizes
        if not len(joints):
            return (0, 0, 0, 0)
        centres = np.concatenate([positions[joints] + figure.shift for figure, positions, _ in poses])
        corners = centres[:, None] + np.tile(radii, len(poses))[:, None, None] * CORNERS @ shot.axes
        if ((shot.eye - corners) @ shot.axes[2] < 1e-6 * self.actor.body.height).any():  # behind the camera
            return (0, 0, *size)
        places = shot.pixels(corners, *size).reshape(-1, 2)
        places[:, 1] = size[1] - places[:, 1]
        low, high = np.floor(places.min(axis=0)) - 1.0, np.ceil(places.max(axis=0)) + 1.0
        left, bottom = (int(edge) for edge in np.clip(low, 0.0, size))
        right, top = (int(edge) for edge in np.clip(high, 0.0, size))
        return (left, bottom, right, top)

    def _draw_bodies(self, poses: Sequence[tuple[Figure, np.ndarray, np.ndarray]], *, coloured: bool) -> None:
        for figure, positions, rotations in poses:
            self._gl.set(shift=figure.shift)
            if coloured:
                self._gl.set(paleness=float(figure.paleness))
            for mesh, joints in self._parts:
                self._gl.set_lists(rotations=rotations[joints], positions=positions[joints])
                self._gl.draw(mesh)

    def _draw_floor(self, shot: Shot, project: np.ndarray, shade: dict[str, Any]) -> None:
        height = self.actor.body.height
        gl = self._gl
        reach = FLOOR_RADIUS * height + 0.5 * float(np.linalg.norm(shot.eye - shot.target))
        centre = shot.target * [1.0, 0.0, 1.0]
        gl.use("flat", "ground", project=project, shift=centre, stretch=reach, centre=centre, radius=reach, **shade)
        gl.set(spacing=grid_step(height), floor_colour=_unit(FLOOR), line_colour=_unit(LINE))
        gl.set(shade_colour=_unit(SHADE), paper=_unit(PAPER))
        gl.draw(self._square)

    def _draw_contact_shade(
        self, figure: Figure, positions: np.ndarray, rotations: np.ndarray, project: np.ndarray, *, weak: bool
    ) -> None:
        joints, centres, radii = self._balls
        if not len(joints):
            return
        places = quaternion.rotate(rotations[joints], centres) + positions[joints] + figure.shift
        near = radii**2 > UNSEEN * np.maximum(places[:, 1], radii) ** 2  # the others darken it by less than can be seen
        places, radii = places[near], radii[near]
        if not len(places):
            return
        middle = np.append(places.mean(axis=0)[[0, 2]], 0.0)[[0, 2, 1]]
        reach = float(np.linalg.norm((places - middle)[:, [0, 2]], axis=1).max()) + 0.45 * self.actor.body.height
        strength = (0.36 if weak else 0.52) * (1.0 - figure.paleness)
        self._gl.use("flat", "contact", project=project, shift=middle, stretch=reach, middle=middle, reach=reach)
        self._gl.set_lists(balls=np.column_stack([places, radii]))
        self._gl.set(count=len(places), strength=strength)
        self._gl.draw(self._square)

    def _draw_trail(self, figures: Sequence[Figure], project: np.ndarray) -> None:
        if self._trail is None:
            return
        faces, last = len(self._trail.indices), max(len(self.actor.positions) - 1, 1)
        done = 2 * round(max(figure.frame for figure in figures) / last * (faces // 2))
        self._gl.use("flat", "flat", project=project, shift=ZERO, stretch=1.0, ink=np.append(_unit(TRAIL), 0.85))
        self._gl.draw(self._trail, faces=done)
        self._gl.set(ink=np.append(_unit(TRAIL), 0.22))
        self._gl.draw(self._trail, first=done)

    def _draw_contacts(self, figure: Figure, project: np.ndarray) -> None:
        if self._ring is None:
            return
        points, standing = self.actor.contacts
        frame = min(round(figure.frame), len(points) - 1)
        ink = np.append(_unit(CONTACT), 0.9 * (1.0 - figure.paleness))
        self._gl.use("flat", "flat", project=project, stretch=0.034 * self.actor.body.height, ink=ink)
        for point in points[frame][standing[frame]]:
            self._gl.set(shift=point * [1.0, 0.0, 1.0] + figure.shift)
            self._gl.draw(self._ring)


def grid_step(height: float) -> float:
    """Return the distance of the floor's lines in metres for a body of some height: 0.5 m for a human."""
    return nice_number(0.3 * height)


def interpolate(actor: Actor, frame: float) -> tuple[Float[np.ndarray, "joints 3"], Float[np.ndarray, "joints 4"]]:
    """Return positions and rotations of the joints on the stage at a frame or between two."""
    frame = float(np.clip(frame, 0.0, len(actor.positions) - 1))
    first = int(frame)
    share = frame - first
    if share < 1e-6:
        return actor.positions[first], actor.rotations[first]
    positions = (1.0 - share) * actor.positions[first] + share * actor.positions[first + 1]
    one, two = actor.rotations[first], actor.rotations[first + 1]
    two = np.where((one * two).sum(axis=-1, keepdims=True) < 0.0, -two, two)
    rotations = (1.0 - share) * one + share * two
    return positions, rotations / np.linalg.norm(rotations, axis=-1, keepdims=True)


def lamp_of(shot: Shot) -> Float[np.ndarray, "3"]:
    """Return the direction of a lamp above the viewer's left shoulder, unit."""
    level = np.array([shot.axes[2, 0], 0.0, shot.axes[2, 2]])
    lamp = 1.15 * UP - 0.62 * shot.axes[0] + 0.5 * level / np.linalg.norm(level)
    return np.asarray(lamp / np.linalg.norm(lamp))


@cache
def _unit(colour: tuple[int, int, int]) -> Float[np.ndarray, "3"]:
    shares = np.array(colour) / 255.0
    shares.setflags(write=False)
    return shares


def _groups(actor: Actor) -> list[np.ndarray]:
    carriers = np.unique([part.joint for part in actor.body.parts]).astype(np.int64)
    return [carriers[start : start + GROUPED] for start in range(0, len(carriers), GROUPED)]


def _upload(gl: Gl, actor: Actor, joints: np.ndarray) -> tuple[Any, np.ndarray]:
    """Join the parts that some joints carry into one mesh; the fourth number of a colour is the joint's place."""
    places = {int(joint): place for place, joint in enumerate(joints)}
    vertices, normals, faces, colours, count = [], [], [], [], 0
    for part in actor.body.parts:
        if part.joint in places:
            vertices.append(part.vertices)
            normals.append(part.normals)
            faces.append(part.faces + count)
            colours.append(np.tile([*_unit(COLOURS[part.paint]), places[part.joint]], (len(part.vertices), 1)))
            count += len(part.vertices)
    mesh = gl.mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(normals), np.concatenate(colours))
    return mesh, joints


def _choose_balls(actor: Actor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return joint, centre in its frame and radius of balls that together stand for the body, the largest parts first."""
    found: list[tuple[int, np.ndarray, float]] = []
    for part in actor.body.parts:
        if not len(part.vertices):
            continue
        centre = part.vertices.mean(axis=0)
        apart = part.vertices - centre
        axis = np.linalg.svd(apart, full_matrices=False)[2][0]
        along = apart @ axis
        radius = float(np.linalg.norm(apart - along[:, None] * axis, axis=1).mean())
        half = float(np.abs(along).max())
        many = min(max(round(half / max(1.6 * radius, 1e-9)), 1), 3)
        for step in (np.arange(many) - (many - 1) / 2) * 2.0 * half / many:
            found.append((part.joint, centre + step * axis, max(radius, 0.3 * half / many)))
    found = sorted(found, key=lambda ball: -ball[2])[:BALLS]
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros(0)
    joints, centres, radii = zip(*found, strict=True)
    return np.array(joints), np.stack(centres), np.array(radii)


def _sizes(actor: Actor) -> tuple[np.ndarray, np.ndarray]:
    """Return the joints that carry parts, and how far those reach from them."""
    radii = np.zeros(actor.motion.skeleton.num_joints)
    for part in actor.body.parts:
        if len(part.vertices):
            radii[part.joint] = max(radii[part.joint], float(np.linalg.norm(part.vertices, axis=1).max()))
    joints = np.flatnonzero(radii)
    return joints, radii[joints]


def _ring(points: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return a ring; its heights say how far across the line a point is, its edges being at -1 and 1."""
    angles = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    rim = np.stack([np.cos(angles), 0.0 * angles, np.sin(angles)], axis=-1)
    index = np.arange(points)
    after = (index + 1) % points
    faces = np.concatenate([np.stack([index, after, points + index], 1), np.stack([after, points + after, points + index], 1)])
    across = BRIM * np.array([0.0, 1.0, 0.0])
    return np.concatenate([(0.87 - 0.13 * BRIM) * rim - across, (0.87 + 0.13 * BRIM) * rim + across]), faces


def _travels(actor: Actor) -> bool:
    return len(actor.positions) > 1 and float(np.ptp(actor.positions[:, actor.root], axis=0).max()) > 1e-3 * actor.body.height


def _ribbon(actor: Actor) -> tuple[np.ndarray, np.ndarray]:
    """Return a band on the floor along the root's way: two faces from each point to the next; heights as in `_ring`."""
    picked = np.linspace(0, len(actor.positions) - 1, min(len(actor.positions), MOST_TRAIL)).astype(np.int64)
    way = actor.positions[picked, actor.root] * [1.0, 0.0, 1.0]
    ahead = np.gradient(way, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    aside = BRIM * (0.006 * actor.body.height * np.cross(UP, ahead) + UP)
    index = np.arange(len(way) - 1)
    one, two = np.stack([2 * index, 2 * index + 1, 2 * index + 2], 1), np.stack([2 * index + 1, 2 * index + 3, 2 * index + 2], 1)
    return np.stack([way - aside, way + aside], 1).reshape(-1, 3), np.stack([one, two], 1).reshape(-1, 3)


def _lamp_view(poses: Sequence[tuple[Figure, np.ndarray, np.ndarray]], lamp: np.ndarray, height: float) -> np.ndarray:
    """Return the map from the stage to what the lamp sees: all bodies, and the floor behind them."""
    points = np.concatenate([positions + figure.shift for figure, positions, _ in poses])
    right = np.cross(UP, lamp)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(lamp, right), lamp])
    seen = points @ axes.T
    low, high = seen.min(axis=0) - 0.15 * height, seen.max(axis=0) + 0.15 * height
    low[2] -= 4.0 * height + float(np.ptp(points[:, 1]))
    view = np.eye(4)
    view[:3, :3] = 2.0 * axes / (high - low)[:, None]
    view[:3, 3] = -(high + low) / (high - low)
    view[2] *= -1.0
    return view
