"""The stage in the browser: ground, light, background, and where the camera stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import viser
from jaxtyping import Float

from kinematics.frames import heading
from kinematics.rotations import quaternion
from kinematics.viewer.actor import Actor

NAME = "/stage"
FIELD_OF_VIEW = np.radians(35.0)
FAR = 2.5  # body heights that clips may travel before the camera follows by itself
SMOOTH_S = 0.6  # seconds over which the way of a following camera is smoothed
SIDEWAYS, RAISED = np.radians(32.0), np.radians(12.0)  # how the camera stands off the body's front

LOWERED = 0.3  # radii of the box around the bodies by which the camera aims lower: the player covers the lower edge


class Stage:
    """Ground and camera.

    A camera that follows stands still: the stage, with all that stands on it, moves under it. So every browser may turn its
    own camera freely while it follows.
    """

    def __init__(self, server: viser.ViserServer) -> None:
        """Add light and background; `place` adds the rest."""
        self._server, self.follows = server, False
        server.scene.set_up_direction("+y")
        server.scene.set_background_image(_sky(), format="png")
        server.scene.configure_environment_map("studio", environment_intensity=0.22)
        server.scene.configure_default_lights(enabled=False)
        server.scene.add_light_directional("/sun", intensity=1.5, position=(-0.5, 1.0, 0.35), cast_shadow=True)
        self._node = server.scene.add_frame(NAME, show_axes=False)

    def place(self, actors: Sequence[Actor], times: Float[np.ndarray, " frames"]) -> None:
        """Lay the ground under clips and find the way a camera follows.

        Args:
            actors: The clips where they stand.
            times: Seconds of each frame of the page, shape (frames,).
        """
        points = np.concatenate([actor.positions.reshape(-1, 3) for actor in actors])
        low, high = points.min(axis=0), points.max(axis=0)
        height = max(actor.body.height for actor in actors)
        cell = float(10.0 ** np.round(np.log10(height / 1.75)))  # a metre under a person
        size = float(2.0 * cell * np.ceil((np.linalg.norm((high - low)[[0, 2]]) + 24.0 * height) / 2.0 / cell))
        middle = cell * np.round(0.5 * (low + high) / cell)
        self._server.scene.add_grid(
            f"{NAME}/ground", size, size, plane="xz", position=(middle[0], 0.0, middle[2]), cell_size=0.5 * cell,
            section_size=cell, cell_color=(214, 218, 226), section_color=(178, 184, 196), cell_thickness=0.7,
            section_thickness=1.1, fade_distance=14.0 * height, fade_strength=1.2, shadow_opacity=0.3,
            plane_color=(238, 240, 244), plane_opacity=0.0,
        )  # fmt: skip
        self._way = _way(actors, times)
        self.travels = float(np.linalg.norm(np.ptp(self._way[:, [0, 2]], axis=0))) > FAR * height
        self._low, self._high = _bounds(actors, self.travels)
        self._front = _front(actors[0])

    def aim(self) -> None:
        """Set the camera that a browser starts with."""
        camera = self._server.initial_camera
        radius = 0.5 * float(np.linalg.norm(self._high - self._low))
        middle = 0.5 * (self._low + self._high) + np.array(self._node.position)
        middle[1] -= LOWERED * radius
        camera.fov = float(FIELD_OF_VIEW)
        camera.look_at = middle
        camera.position = middle + 1.3 * radius / np.sin(0.5 * FIELD_OF_VIEW) * self._front
        camera.near, camera.far = 0.01 * radius, 1000.0 * radius

    def follow(self, on: bool, frame: int) -> None:
        """Let cameras follow the bodies from now on, or stand where they are; no picture jumps."""
        before = np.array(self._node.position)
        self.follows = on
        self.show(frame)
        shift = np.array(self._node.position) - before
        for client in self._server.get_clients().values():
            client.camera.position = client.camera.position + shift
        self.aim()

    def show(self, frame: int) -> None:
        """Move the stage under the camera."""
        self._node.position = -self._way[min(frame, len(self._way) - 1)] if self.follows else np.zeros(3)


def _way(actors: Sequence[Actor], times: Float[np.ndarray, " frames"]) -> Float[np.ndarray, "frames 3"]:
    """Return the mean of the roots over the ground, smoothed, from zero at the first frame."""
    total = np.zeros((len(times), 3))
    for actor in actors:
        frames = np.minimum((times / actor.motion.frame_time + 1e-6).astype(int), actor.motion.num_frames - 1)
        total += actor.positions[frames, actor.root]
    way = total / len(actors) * np.array([1.0, 0.0, 1.0])
    step = times[1] - times[0] if len(times) > 1 else 1.0
    half = min(int(0.5 * SMOOTH_S / step), len(way) - 1)
    kernel = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(way, ((half, half), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(padded[:, k], kernel / kernel.sum(), mode="valid") for k in range(3)], axis=-1)
    return np.asarray(smooth - smooth[0])


def _bounds(actors: Sequence[Actor], first_only: bool) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Return the corners of a box around the bodies, in the first frame or in all, with room for heads and hands."""
    clouds = []
    for actor in actors:
        frames = slice(0, 1) if first_only else slice(None)
        clouds += [actor.positions[frames].reshape(-1, 3), actor.end_positions[frames].reshape(-1, 3)]
    points = np.concatenate(clouds)
    room = 0.06 * max(actor.body.height for actor in actors)
    return np.minimum(points.min(axis=0) - room, [np.inf, 0.0, np.inf]), points.max(axis=0) + room


def _front(actor: Actor) -> Float[np.ndarray, "3"]:
    """Return the direction from a body in its first frame to a camera that sees its front from one side and above."""
    facing = quaternion.rotate(actor.turn, heading(actor.motion[:1], up=actor.world.up.value).directions[0])
    angle = np.arctan2(facing[0], facing[2]) + SIDEWAYS
    return np.array([np.sin(angle) * np.cos(RAISED), np.sin(RAISED), np.cos(angle) * np.cos(RAISED)])


def _sky() -> np.ndarray:
    """Return a picture of one column that fades from pale blue to nearly white."""
    share = np.linspace(0.0, 1.0, 256)[:, None, None]
    colours = (1.0 - share) * np.array([206.0, 215.0, 228.0]) + share * np.array([244.0, 245.0, 247.0])
    return np.repeat(colours, 16, axis=1).astype(np.uint8)
