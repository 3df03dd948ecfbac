"""The shape of a robot as few numbers: points of its geoms, capsules for self-collisions, points of the soles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinematics._arrays import FrozenArrays, frozen
from kinematics.rotations import quaternion

LEVEL = 0.01  # of the robot's height: points of a foot that near to its lowest one are its sole


@dataclass(frozen=True, eq=False)
class Geom(FrozenArrays):
    """A geom of the model, fixed to a joint.

    Attributes:
        name: Its name in the model, or that of its body.
        body: Name of its body.
        joint: Joint that carries it.
        collides: Whether it takes part in collisions.
        points: Corners, ends of the axis or vertices of the hull in the joint's frame, metres, shape (points, 3).
        radius: How far the surface is from those points, metres.
        axis_ends: Ends of the axis of a capsule inside it, in the joint's frame, shape (2, 3).
        axis_radius: Radius of that capsule, metres.
    """

    name: str
    body: str
    joint: int
    collides: bool
    points: Float[np.ndarray, "points 3"]
    radius: float
    axis_ends: Float[np.ndarray, "2 3"]
    axis_radius: float

    def extent(self, direction: Float[np.ndarray, "3"]) -> float:
        """Return how far it reaches along a unit direction of the joint's frame, metres."""
        return float((self.points @ direction).max()) + self.radius


@dataclass(frozen=True, eq=False)
class Capsules(FrozenArrays):
    """Capsules inside the robot's geoms, and which of them may touch each other when the robot moves badly.

    Attributes:
        names: Name of the geom of each capsule.
        joints: Joint that carries it, shape (capsules,).
        ends: Ends of its axis in the joint's frame, metres, shape (capsules, 2, 3); equal for a sphere.
        radii: Metres, shape (capsules,).
        pairs: Pairs of capsules on body segments that are no neighbours and are apart when the robot stands, shape (pairs, 2).
    """

    names: tuple[str, ...]
    joints: Int[np.ndarray, " capsules"]
    ends: Float[np.ndarray, "capsules 2 3"]
    radii: Float[np.ndarray, " capsules"]
    pairs: Int[np.ndarray, "pairs 2"]

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        count = len(self.names)
        for name, shape in (("ends", (count, 2, 3)), ("radii", (count,))):
            object.__setattr__(self, name, frozen(getattr(self, name), shape, name))
        object.__setattr__(self, "joints", frozen(self.joints, (count,), "joints", np.int64))
        object.__setattr__(self, "pairs", frozen(self.pairs, (None, 2), "pairs", np.int64))


@dataclass(frozen=True, eq=False)
class Soles(FrozenArrays):
    """Points on which the feet stand: corners of boxes and meshes, lowest points of spheres and capsules.

    Attributes:
        joints: Joint that carries each point (the foot's, or the toes'), shape (points,).
        offsets: The point in that joint's frame, metres, shape (points, 3).
        sides: +1 for the left foot, -1 for the right, shape (points,).
    """

    joints: Int[np.ndarray, " points"]
    offsets: Float[np.ndarray, "points 3"]
    sides: Int[np.ndarray, " points"]

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        count = len(self.offsets)
        object.__setattr__(self, "joints", frozen(self.joints, (count,), "joints", np.int64))
        object.__setattr__(self, "offsets", frozen(self.offsets, (count, 3), "offsets"))
        object.__setattr__(self, "sides", frozen(self.sides, (count,), "sides", np.int64))


def find_soles(
    geoms: list[Geom],
    feet: dict[int, list[int]],
    global_rotations: Float[np.ndarray, "poses joints 4"],
    global_positions: Float[np.ndarray, "poses joints 3"],
    height: float,
) -> Soles:
    """Find the points on which each foot stands.

    Args:
        geoms: Geoms of the robot; of a foot those that collide count, where there are any.
        feet: Joints of the foot and its toes by side, +1 and -1.
        global_rotations: Joints in the poses in which it may stand, quaternions wxyz, shape (poses, joints, 4); of each foot
            the pose counts in which more of its points are level.
        global_positions: Joints in those poses, metres, shape (poses, joints, 3).
        height: Height of the robot, metres.
    """
    joints: list[int] = []
    sides: list[int] = []
    offsets: list[np.ndarray] = []
    for side, members in feet.items():
        here = [geom for geom in geoms if geom.joint in members]
        here = [geom for geom in here if geom.collides] or here
        best: tuple[list[int], np.ndarray] = ([], np.zeros((0, 3)))
        for rotations, positions in zip(global_rotations, global_positions, strict=True):
            owners, lowest, heights = [], [], []
            for geom in here:
                up = quaternion.rotate(quaternion.inverse(rotations[geom.joint]), np.array([0.0, 1.0, 0.0]))
                points = geom.points - geom.radius * up
                owners += [geom.joint] * len(points)
                lowest.append(points)
                heights.append(points @ up + positions[geom.joint, 1])
            if not owners:
                continue
            level = np.concatenate(heights) < min(float(h.min()) for h in heights) + LEVEL * height
            found = [owner for owner, is_level in zip(owners, level, strict=True) if is_level]
            if len(found) > len(best[0]):
                best = (found, np.concatenate(lowest)[level])
        for joint in sorted(set(best[0])):
            corners = _corners(best[1][np.array(best[0]) == joint])
            joints += [joint] * len(corners)
            sides += [side] * len(corners)
            offsets.append(corners)
    return Soles(
        np.array(joints, dtype=np.int64),
        np.concatenate(offsets) if offsets else np.zeros((0, 3)),
        np.array(sides, dtype=np.int64),
    )


def _corners(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "m 3"]:
    """Return at most four points that lie farthest out towards front left, front right, back left and back right."""
    centred = points - points.mean(axis=0)
    diagonals = np.array([[1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 0.0, -1.0]])
    chosen = dict.fromkeys(int(index) for index in (centred @ diagonals.T).argmax(axis=0))
    kept: list[int] = []
    for index in chosen:
        if all(np.linalg.norm(points[index] - points[other]) > 1e-6 for other in kept):
            kept.append(index)
    return np.asarray(points[kept])
