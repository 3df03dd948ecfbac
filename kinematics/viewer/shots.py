"""Where a body is filmed from: a perspective camera that follows smoothly and keeps every joint inside the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.errors import UnknownNameError
from kinematics.frames import heading
from kinematics.rotations import quaternion
from kinematics.viewer.actor import Actor
from kinematics.viewer.sticks import mean_facing

CAMERAS = ("follow", "orbit", "front", "side")
AROUND = {"follow": 40.0, "orbit": 40.0, "front": 0.0, "side": 90.0}  # degrees from the front towards the body's right side
ABOVE = {"follow": 11.0, "orbit": 13.0, "front": 7.0, "side": 7.0}  # degrees above the horizon
ORBIT = 24.0  # degrees a second
LENS = np.radians(26.0)  # field of view up and down
CALM, CALM_HEIGHT = 0.4, 0.8  # seconds over which the camera's way is smoothed, and its height
AROUND_NOW = 2.0  # seconds before and after a frame within which the camera's height minds what the body does
ROOM = 0.93  # share of the picture that the body may fill
FLESH = 0.09  # body heights that a body reaches beyond its joints
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Shot:
    """One camera.

    Attributes:
        eye: Where it stands on the stage, metres, shape (3,).
        axes: Its axes on the stage as rows: right, up, towards the viewer; shape (3, 3).
        target: The point in the middle of the picture, metres, shape (3,).
        lens: Field of view up and down, radians.
        height: Body height, metres; near and far are measured by it.
    """

    eye: Float[np.ndarray, "3"]
    axes: Float[np.ndarray, "3 3"]
    target: Float[np.ndarray, "3"]
    lens: float
    height: float

    def matrix(self, aspect: float) -> Float[np.ndarray, "4 4"]:
        """Return the map from the stage to clip coordinates for a picture `aspect` times as wide as high."""
        distance = float(np.linalg.norm(self.eye - self.target))
        near, far = 0.05 * distance, 4.0 * distance + 30.0 * self.height
        focal = 1.0 / np.tan(self.lens / 2.0)
        lens = np.zeros((4, 4))
        lens[0, 0], lens[1, 1] = focal / aspect, focal
        lens[2, 2], lens[2, 3], lens[3, 2] = (far + near) / (near - far), 2.0 * far * near / (near - far), -1.0
        view = np.eye(4)
        view[:3, :3], view[:3, 3] = self.axes, -self.axes @ self.eye
        return np.asarray(lens @ view)

    def pixels(self, points: Float[np.ndarray, "*any 3"], width: int, height: int) -> Float[np.ndarray, "*any 2"]:
        """Return where points of the stage, in metres, lie in the picture: x to the right and y down, in pixels."""
        matrix = self.matrix(width / height)
        seen = points @ matrix[:3, :3].T + matrix[:3, 3]
        depth = points @ matrix[3, :3] + matrix[3, 3]
        place = 0.5 + 0.5 * seen[..., :2] / np.maximum(depth, 1e-9)[..., None]
        return np.stack([place[..., 0] * width, (1.0 - place[..., 1]) * height], axis=-1)


def facing(actor: Actor) -> Float[np.ndarray, "3"]:
    """Return the direction on the floor that a body faces on the whole, unit."""
    directions = heading(actor.motion, up=actor.world.up.value).directions
    return mean_facing(quaternion.rotate(actor.turn, directions))


def camera_axes(forward: Float[np.ndarray, "3"], around: float, above: float) -> Float[np.ndarray, "3 3"]:
    """Return right, up and towards the viewer for angles in degrees from a body's front to its right, and above it."""
    turned, raised = np.radians(around), np.radians(above)
    level = np.cos(turned) * forward - np.sin(turned) * np.cross(UP, forward)
    right = np.cross(UP, level)
    return np.stack([right, np.cos(raised) * UP - np.sin(raised) * level, np.cos(raised) * level + np.sin(raised) * UP])


def plan_shots(
    actors: Sequence[Actor],
    frames: Sequence[Float[np.ndarray, " shots"]],
    *,
    camera: str = "follow",
    aspect: float = 16 / 9,
) -> list[list[Shot]]:
    """Plan the cameras for pictures of bodies, each of which has a camera of its own.

    All look in the same direction, at one angle to the front of the first body. The distance, in body heights, is the same
    for all bodies in all pictures, and such that each body is always inside its frame. In a single picture the pose is in
    the middle.

    Args:
        actors: The clips.
        frames: For each clip the frame that each picture shows, whole or between two, shape (shots,).
        camera: "follow" (three quarters from the front), "orbit" (turns about the body), "front" or "side"; all go with the
            body and keep their direction when it turns.
        aspect: Width of the picture over its height.

    Raises:
        UnknownNameError: On another camera.
    """
    if camera not in CAMERAS:
        raise UnknownNameError("camera", camera, CAMERAS)
    forward = facing(actors[0])
    seconds = (frames[0] - frames[0][:1]) * actors[0].motion.frame_time
    turns = AROUND[camera] + (ORBIT if camera == "orbit" else 0.0) * seconds
    axes = np.stack([camera_axes(forward, float(turn), ABOVE[camera]) for turn in turns])
    ways, farthest = [], 0.0
    for actor, wanted in zip(actors, frames, strict=True):
        shown = np.clip(np.round(wanted).astype(np.int64), 0, len(actor.positions) - 1)
        points = np.concatenate([actor.positions[shown], actor.end_positions[shown]], axis=1)
        targets = _calm_way(actor)[shown] if len(shown) > 1 else _middle(points, axes)
        seen = np.einsum("fij,fpj->fpi", axes, points - targets[:, None])
        height = actor.body.height
        ways.append(targets)
        farthest = max(farthest, required_distance(seen, aspect, height) / height)
    heights = [actor.body.height for actor in actors]
    return [
        [place_shot(target, axis, farthest * height, height) for target, axis in zip(way, axes, strict=True)]
        for height, way in zip(heights, ways, strict=True)
    ]


def place_shot(
    target: Float[np.ndarray, "3"], axes: Float[np.ndarray, "3 3"], distance: float, height: float, *, lens: float = LENS
) -> Shot:
    """Return the camera that looks at a target along its axes from a distance in metres."""
    return Shot(target + distance * axes[2], axes, target, lens, height)


def required_distance(seen: Float[np.ndarray, "*any 3"], aspect: float, height: float, *, lens: float = LENS) -> float:
    """Return how far a camera must be from its target to have points inside the frame.

    Args:
        seen: The points along the camera's axes from the target, metres, shape (..., 3).
        aspect: Width of the picture over its height.
        height: Body height, metres.
        lens: Field of view up and down, radians.
    """
    slope = ROOM * np.tan(lens / 2.0)
    over = np.maximum(np.abs(seen[..., 0]) / aspect, np.abs(seen[..., 1])) + FLESH * height / min(aspect, 1.0)
    return max(float((over / slope + seen[..., 2]).max()), 1.5 * height)


def _middle(points: Float[np.ndarray, "shots points 3"], axes: Float[np.ndarray, "shots 3 3"]) -> Float[np.ndarray, "shots 3"]:
    """Return the middle of what is seen of points."""
    seen = np.einsum("fij,fpj->fpi", axes, points)
    return np.asarray(np.einsum("fij,fi->fj", axes, 0.5 * (seen.min(axis=1) + seen.max(axis=1))))


def _calm_way(actor: Actor) -> Float[np.ndarray, "frames 3"]:
    """Return the point that the camera looks at in each frame: below or above the root, smoothed.

    Its height is midway between the lowest and the highest that the body reaches in the seconds around, so that a jump is
    seen as a jump.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

    heights = np.concatenate([actor.positions[..., 1], actor.end_positions[..., 1]], axis=1)
    frames, rate = len(heights), actor.motion.frame_rate
    window = 2 * int(min(AROUND_NOW * rate, frames)) + 1
    low = minimum_filter1d(heights.min(axis=1), window, mode="nearest")
    high = maximum_filter1d(heights.max(axis=1), window, mode="nearest")
    way = np.array(actor.positions[:, actor.root])
    way[:, 1] = 0.5 * (low + high)
    for axes, seconds in (([0, 2], CALM), ([1], CALM_HEIGHT)):
        way[:, axes] = gaussian_filter1d(way[:, axes], min(seconds * rate, float(frames)), axis=0, mode="nearest")
    return way
