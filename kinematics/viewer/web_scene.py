"""What a clip is in the browser: its body, and the layers over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
import viser
from jaxtyping import Float

from kinematics.anatomy import find_anatomy
from kinematics.rotations import quaternion
from kinematics.viewer.actor import Actor
from kinematics.viewer.body import COLOURS

Rgb = tuple[int, int, int]
PICKED: Rgb = (250, 196, 40)
CONTACT: Rgb = (10, 150, 80)
TRAIL: Rgb = (108, 118, 138)
SEE_THROUGH = 0.3  # opacity of a body whose inside is shown
TRAIL_POINTS = 1500  # at most
NESTED = 24  # levels of joints below each other; the next one starts anew at the clip's node, as browsers bear no deep trees
STILL = 1e-5  # change of a rotation, or of a position in body heights, that is not worth a message


@dataclass(frozen=True)
class Layers:
    """What is shown of the clips.

    Attributes:
        body: The meshes.
        contacts: Marks under the parts of the feet that stand.
        trail: The way of the root through the whole clip.
        skeleton: Bones as lines and joints as dots, inside a body that can be seen through.
        axes: The axes of each joint.
        names: The name of each joint.
    """

    body: bool = True
    contacts: bool = True
    trail: bool = True
    skeleton: bool = False
    axes: bool = False
    names: bool = False


class ActorView:
    """One clip in the scene.

    Each joint is a scene node below its parent's; meshes and names hang on it. So a pose costs one small message for each joint
    that turns against its parent, and a layer of lines, dots or axes one or two more.
    """

    def __init__(
        self, server: viser.ViserServer, actor: Actor, name: str, *, title: bool, on_pick: Callable[[int], None]
    ) -> None:
        """Add a clip's body below a scene node.

        Args:
            server: Where it is shown.
            actor: The clip.
            name: The scene node.
            title: Whether its title stands over its head.
            on_pick: Called with a joint whose part of the body or dot is clicked.
        """
        self._scene, self._name, self._on_pick = server.scene, name, on_pick
        self._layers, self._picked = Layers(), -1
        self._has_title, self._clickable = title, True
        self._build(actor)

    def _build(self, actor: Actor) -> None:
        self.actor = actor
        skeleton, height = actor.motion.skeleton, actor.body.height
        sides = find_anatomy(skeleton).sides
        paints = [COLOURS[{1: "left", -1: "right"}.get(int(side), "detail")] for side in sides]
        self._dark = np.array([[int(0.6 * part) for part in paint] for paint in paints], dtype=np.uint8)
        depths: list[int] = []
        self._nodes: list[str] = []
        for j, parent in enumerate(skeleton.parents.tolist()):
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
            self._nodes.append(f"{self._name if depths[j] % NESTED == 0 else self._nodes[parent]}/{j}")
        self._nested = np.array(depths) % NESTED != 0
        self._joints = [self._scene.add_frame(node, show_axes=False) for node in self._nodes]
        self._sent = np.full((skeleton.num_joints, 3), np.nan), np.full((skeleton.num_joints, 4), np.nan)
        self._parts: list[tuple[int, Rgb, Any]] = []
        for k, part in enumerate(actor.body.parts):
            mesh = self._scene.add_mesh_simple(
                f"{self._nodes[part.joint]}/part{k}", part.vertices, part.faces, color=COLOURS[part.paint]
            )
            self._parts.append((part.joint, COLOURS[part.paint], mesh))
        self._ends = np.concatenate([np.arange(1, skeleton.num_joints), skeleton.num_joints + np.arange(skeleton.num_end_sites)])
        self._starts = np.concatenate([skeleton.parents[1:], skeleton.end_site_parents])
        bone_colours = np.repeat(self._dark[self._starts][:, None], 2, axis=1)
        self._bones = self._scene.add_line_segments(
            f"{self._name}/bones", np.zeros((len(self._ends), 2, 3)), bone_colours, thickness=0.009 * height, visible=False
        )
        ball = trimesh.creation.icosphere(subdivisions=2, radius=0.011 * height)
        still = np.tile([1.0, 0.0, 0.0, 0.0], (skeleton.num_joints, 1))
        self._dots = self._scene.add_batched_meshes_simple(
            f"{self._name}/dots", np.array(ball.vertices), np.array(ball.faces), still, np.zeros((len(still), 3)),
            batched_colors=self._dark, lod="off", cast_shadow=False, visible=False,
        )  # fmt: skip
        self.set_clickable(self._clickable)
        self._axes = self._scene.add_batched_axes(
            f"{self._name}/axes", still, np.zeros((len(still), 3)),
            axes_length=0.05 * height, axes_radius=0.0025 * height, visible=False,
        )  # fmt: skip
        self._names: list[Any] = []
        self._mark: Any = None
        self._title = None
        if self._has_title:
            self._title = self._scene.add_label(f"{self._name}/title", actor.title, anchor="bottom-center")
        self._add_clip()

    def _add_clip(self) -> None:
        """Add what depends on the whole clip and not on a frame alone."""
        height = self.actor.body.height
        way = self.actor.positions[:: max(len(self.actor.positions) // TRAIL_POINTS, 1), self.actor.root]
        self._trail = self._scene.add_line_segments(
            f"{self._name}/trail", np.stack([way[:-1], way[1:]], axis=1), TRAIL, thickness=0.004 * height,
            visible=self._layers.trail,
        )  # fmt: skip
        angles = np.linspace(0.0, 2.0 * np.pi, 25)[:-1]
        rim = 0.035 * height * np.stack([np.cos(angles), 0.0 * angles, -np.sin(angles)], axis=-1)
        fan = np.stack([0 * angles, 1 + np.arange(24), 1 + (np.arange(24) + 1) % 24], axis=-1).astype(np.int64)
        points = self.actor.contacts[0][0]
        self._feet = None
        if len(points):
            self._feet = self._scene.add_batched_meshes_simple(
                f"{self._name}/contacts", np.concatenate([np.zeros((1, 3)), rim]), fan,
                np.tile([1.0, 0.0, 0.0, 0.0], (len(points), 1)), points, batched_colors=CONTACT, lod="off",
                cast_shadow=False, receive_shadow=False, side="double", visible=self._layers.contacts,
            )  # fmt: skip

    def replace(self, actor: Actor) -> None:
        """Show another clip of the same skeleton, or the same clip elsewhere, in the place of this one."""
        same = actor.body is self.actor.body or actor.motion.skeleton.allclose(self.actor.motion.skeleton)
        self.actor = actor
        self._trail.remove()
        if self._feet is not None:
            self._feet.remove()
        if same:
            self._add_clip()
            return
        self._scene.remove_by_name(self._name)
        layers, picked = self._layers, self._picked
        self._layers, self._picked = Layers(), -1
        self._build(actor)
        self.set_layers(layers)
        self.pick(picked if picked < actor.motion.skeleton.num_joints else -1)

    def show(self, frame: int) -> None:
        """Show a frame of the clip."""
        actor = self.actor
        self.pose(actor.positions[frame], actor.rotations[frame], actor.end_positions[frame])
        if self._feet is not None and self._layers.contacts:
            points, standing = (each[frame] for each in actor.contacts)
            floor = np.full(len(points), 0.004 * actor.body.height)
            self._feet.batched_positions = np.stack([points[:, 0], floor, points[:, 2]], axis=-1)
            self._feet.batched_scales = np.where(standing, 1.0, 1e-6)

    def pose(
        self,
        positions: Float[np.ndarray, "joints 3"],
        rotations: Float[np.ndarray, "joints 4"],
        end_positions: Float[np.ndarray, "ends 3"],
    ) -> None:
        """Place every joint, in metres of the stage."""
        self._positions = positions
        self._move(positions, rotations)
        if self._layers.skeleton:
            points = np.concatenate([positions, end_positions])
            self._bones.points = np.stack([points[self._starts], points[self._ends]], axis=1)
            self._dots.batched_positions = positions
        if self._layers.axes:
            self._axes.batched_positions, self._axes.batched_wxyzs = positions, rotations
        if self._title is not None:
            top = max(positions[:, 1].max(), end_positions[:, 1].max(initial=-np.inf)) + 0.06 * self.actor.body.height
            self._title.position = np.array([positions[self.actor.root, 0], top, positions[self.actor.root, 2]])

    def _move(self, positions: Float[np.ndarray, "joints 3"], rotations: Float[np.ndarray, "joints 4"]) -> None:
        """Send the nodes of the joints where they stand against the nodes above them, as far as that has changed."""
        own, above = self._nested, self.actor.motion.skeleton.parents[self._nested]
        back = quaternion.inverse(rotations[above])
        places, turns = positions.copy(), rotations.copy()
        places[own] = quaternion.rotate(back, positions[own] - positions[above])
        turns[own] = quaternion.multiply(back, rotations[own])
        tolerances = STILL * self.actor.body.height, STILL
        for name, now, sent, tolerance in zip(("position", "wxyz"), (places, turns), self._sent, tolerances, strict=True):
            for j in np.flatnonzero(~(np.abs(now - sent).max(axis=1) < tolerance)):
                setattr(self._joints[j], name, now[j])
                sent[j] = now[j]

    def set_layers(self, layers: Layers) -> None:
        """Show and hide layers; the caller shows the frame again."""
        self._layers = layers
        inside = layers.skeleton or layers.axes or layers.names
        for _, _, mesh in self._parts:
            mesh.visible = layers.body
            mesh.opacity = SEE_THROUGH if inside else None
        self._trail.visible = layers.trail
        self._bones.visible = self._dots.visible = layers.skeleton
        self._axes.visible = layers.axes
        if self._feet is not None:
            self._feet.visible = layers.contacts
        if layers.names and not self._names:
            names = self.actor.motion.skeleton.joint_names
            self._names = [
                self._scene.add_label(f"{self._nodes[j]}/name", name, font_screen_scale=0.7, anchor="center-left")
                for j, name in enumerate(names)
            ]
        for label in self._names:
            label.visible = layers.names

    def set_clickable(self, on: bool) -> None:
        """Let joints be picked by a click, or let clicks through to what lies behind."""
        self._clickable = on
        for joint, _, mesh in self._parts:
            mesh.remove_click_callback()
            if on:
                mesh.on_click(lambda _, joint=joint: self._on_pick(joint))
        self._dots.remove_click_callback()
        if on:
            self._dots.on_click(lambda event: self._on_pick(self._nearest(event)))

    def pick(self, joint: int) -> None:
        """Mark a joint; -1 marks none."""
        if self._mark is not None:
            self._mark.remove()
            self._mark = None
        for owner, colour, mesh in self._parts:
            mesh.color = PICKED if owner == joint else colour
        self._picked = joint
        if joint >= 0:
            height = self.actor.body.height
            node = self._nodes[joint]
            name = self.actor.motion.skeleton.joint_names[joint]
            self._mark = self._scene.add_frame(
                f"{node}/picked", axes_length=0.13 * height, axes_radius=0.004 * height, origin_color=PICKED,
                origin_radius=0.016 * height,
            )  # fmt: skip
            self._scene.add_label(f"{node}/picked/name", name, anchor="bottom-left")

    def _nearest(self, event: Any) -> int:
        """Return the joint nearest to the ray of a click."""
        away = self._positions + self._scene_offset() - np.array(event.ray_origin)
        along = np.array(event.ray_direction)
        return int(np.argmin(np.linalg.norm(np.cross(away, along), axis=-1)))

    def _scene_offset(self) -> Float[np.ndarray, "3"]:
        stage = self._scene.get_handle_by_name("/" + self._name.split("/")[1])
        return np.array(stage.position) if stage is not None else np.zeros(3)
