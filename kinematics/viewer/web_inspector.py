"""The picked joint: where it is, how it is turned, and its curve over time."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import viser
from jaxtyping import Float

from kinematics.rotations import euler
from kinematics.rotations.euler import ORDERS
from kinematics.viewer.actor import Actor

if TYPE_CHECKING:
    from kinematics.viewer.web import Page

NONE = "none: click a body part"
POSITION, ROTATION = "xyz", "angles"
CURVES = (POSITION, "x", "y", "z", ROTATION)  # one axis alone shows what the way through the world would flatten
COLOURS = ("#d9480f", "#2b8a3e", "#1864ab")
AXIS, HEIGHT = 46, 150  # pixels of a plot: its vertical axis, and all of its height
LEFT, RIGHT, BELOW, TALL = 72, 18, 38, 116  # pixels of the panel beside and below the curve, and of the curve
MOST_POINTS = 2000  # of a curve


@dataclass(frozen=True, eq=False)
class JointCurves:
    """A joint over time.

    Attributes:
        positions: Global, in the clip's own unit and axes, shape (frames, 3).
        stage_positions: On the stage, metres, shape (frames, 3).
        order: Order of its Euler angles: the file's, else ZYX.
        angles: Local Euler angles in that order, degrees, without jumps, shape (frames, 3).
    """

    positions: Float[np.ndarray, "frames 3"]
    stage_positions: Float[np.ndarray, "frames 3"]
    order: str
    angles: Float[np.ndarray, "frames 3"]


def joint_curves(actor: Actor, joint: int) -> JointCurves:
    """Return where a joint is and how it is turned in every frame."""
    layout = actor.motion.skeleton.layout
    axes = layout.rotation_axes(joint) if layout is not None else ""
    order = axes if axes in ORDERS else "ZYX"
    angles = euler.unroll(euler.from_quaternion(actor.motion.local_rotations[:, joint], order), order)
    where = actor.positions[:, joint]
    return JointCurves(actor.from_stage(where), where, order, np.degrees(angles))


class Inspector:
    """A folder with the picked joint."""

    def __init__(self, page: Page) -> None:
        """Add the folder, with no joint picked."""
        self._page, gui = page, page.server.gui
        self._curves: JointCurves | None = None
        self._folder = gui.add_folder("Joint")
        with self._folder:
            self._titles = [f"{k + 1}  {actor.title}" for k, actor in enumerate(page.actors)]
            self._clip: Any = gui.add_dropdown("Clip", self._titles, visible=len(page.actors) > 1)
            self._joint: Any = gui.add_dropdown("Joint", self._names(0))
            self._values = gui.add_html("", visible=False)
            self._kind = gui.add_button_group("Curve", CURVES, visible=False)
            self._marker = gui.add_html("", visible=False)
        self._shown = POSITION
        self._plot: Any = None
        self._clip.on_update(lambda event: page.pick(self._titles.index(event.target.value), -1) if event.client else None)
        self._joint.on_update(lambda event: self._on_joint(event.target.value) if event.client else None)
        self._kind.on_click(lambda event: self._on_kind(event.target.value))

    def pick(self, index: int, joint: int) -> None:
        """Show a joint of a clip; -1 shows none."""
        page = self._page
        self._clip.value = self._titles[index]
        names = self._names(index)
        if tuple(self._joint.options) != tuple(names):
            self._joint.options = names
        self._joint.value = names[joint + 1]
        self._curves = joint_curves(page.actors[index], joint) if joint >= 0 else None
        self._values.visible = self._kind.visible = self._curves is not None
        self._draw()

    def follow(self) -> None:
        """Show the frame of the page."""
        index, joint = self._page.picked
        if self._curves is None:
            return
        actor, frame = self._page.actors[index], self._page.actor_frame(index)
        self._values.content = values(actor, joint, self._curves, frame)
        if self._plot is not None:
            self._marker.content = marker(frame / max(actor.motion.num_frames - 1, 1))

    def _names(self, index: int) -> list[str]:
        return [NONE, *self._page.actors[index].motion.skeleton.joint_names]

    def _on_joint(self, name: str) -> None:
        index, _ = self._page.picked
        self._page.pick(index, self._names(index).index(name) - 1)

    def _on_kind(self, kind: str) -> None:
        with self._page.lock:
            self._shown = kind
            self._draw()

    def _draw(self) -> None:
        """Draw the curve anew."""
        if self._plot is not None:
            self._plot.remove()
            self._plot = None
        curves = self._curves
        self._marker.visible = curves is not None and len(curves.positions) > 1
        if curves is None or len(curves.positions) < 2:
            self.follow()
            return
        index, _ = self._page.picked
        actor = self._page.actors[index]
        turning = self._shown == ROTATION
        stride = -(-len(curves.positions) // MOST_POINTS)
        data = (curves.angles if turning else curves.positions)[::stride]
        unit = "degrees" if turning else actor.world.unit.value if actor.unit == "m" else "units"
        labels = curves.order if turning else "xyz"
        if len(self._shown) == 1:
            data, labels = data[:, ["xyz".index(self._shown)]], self._shown
        colours = [COLOURS["XYZ".index(axis.upper())] for axis in labels]
        series = [viser.uplot.Series(label="s")] + [
            viser.uplot.Series(label=axis, stroke=colour, width=1.5, points={"show": False})
            for axis, colour in zip(labels, colours, strict=True)
        ]
        times = actor.motion.times[::stride]
        with self._folder:
            self._plot = self._page.server.gui.add_uplot(
                (times, *data.T.copy()),
                tuple(series),
                scales={"x": viser.uplot.Scale(time=False, range=(0.0, actor.motion.duration))},
                axes=(
                    viser.uplot.Axis(size=26, font="10px sans-serif"),
                    viser.uplot.Axis(size=AXIS, font="10px sans-serif", label=unit, labelSize=14, labelFont="10px sans-serif"),
                ),
                cursor=viser.uplot.Cursor(drag={"x": False, "y": False}),
                legend=viser.uplot.Legend(show=False),
                padding=(8, 8, 0, 0),
                height=HEIGHT,
                order=self._marker.order - 0.5,
            )
        self.follow()


def values(actor: Actor, joint: int, curves: JointCurves, frame: int) -> str:
    """Return what a joint is in a frame, as HTML."""
    skeleton = actor.motion.skeleton
    parent = int(skeleton.parents[joint])
    unit = actor.world.unit.value if actor.unit == "m" else "units"

    def line(label: str, names: str, numbers: Float[np.ndarray, "3"], kind: str, form: str) -> str:
        cells = "".join(
            f'<td style="text-align:right;padding-left:.7em">'
            f'<span style="color:{COLOURS["XYZ".index(name.upper())]}">{name}</span>'
            f' <span class="{kind}">{format(number, form)}</span></td>'
            for name, number in zip(names, numbers, strict=True)
        )
        return f'<tr><td style="opacity:.7">{label}</td>{cells}</tr>'

    return (
        '<div style="padding:.1em .9em .4em;font-size:.78em;font-variant-numeric:tabular-nums">'
        f"<b>{escape(skeleton.joint_names[joint])}</b>"
        f'<span style="opacity:.7"> below {escape(skeleton.joint_names[parent]) if parent >= 0 else "nothing: the root"}</span>'
        "<table>"
        + line(f"clip, {escape(unit)}", "xyz", curves.positions[frame], "position", ".4f")
        + line("stage, m", "xyz", curves.stage_positions[frame], "stage", ".3f")
        + line(f"{curves.order}, degrees", curves.order, curves.angles[frame], "angles", ".2f")
        + "</table></div>"
    )


def marker(share: float) -> str:
    """Return a line over the curve at a share of its width, as HTML that costs few bytes to move."""
    return (
        f'<div style="position:relative;height:0;pointer-events:none"><div style="position:absolute;bottom:{BELOW}px;'
        f"left:calc({LEFT}px + (100% - {LEFT + RIGHT}px) * {share:.4f});width:1px;height:{TALL}px;"
        f'background:#868e96"></div></div>'
    )
