"""Draw the pictures of docs/conventions.md: python docs/images/make_drawings.py [FOLDER].

Everything in them is computed with the package itself, so a drawing cannot say something that the code does not do.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import ImageFont

from kinematics import Motion, Skeleton, forward_kinematics
from kinematics.io.atomic import write_bytes
from kinematics.rotations import euler, quaternion, swing_twist
from kinematics.viewer import painting
from kinematics.viewer.camera import Camera
from kinematics.viewer.canvas import Canvas, Colour
from kinematics.viewer.painting import Cell
from kinematics.viewer.sticks import body_points, plan_sticks

X, Y, Z = np.eye(3)
INK, GREY, PALE = (38, 38, 42), (125, 125, 130), (205, 205, 209)
AXES = painting.AXIS_COLOURS
ACCENT = (142, 68, 173)
AXIS_OF = {"X": X, "Y": Y, "Z": Z}


class Scene:
    """A piece of the page in which world points are drawn."""

    def __init__(self, canvas: Canvas, camera: Camera, origin: tuple[float, float], scale: float) -> None:
        """Put the world's origin at a pixel; `scale` pixels are one metre."""
        self.canvas, self.cell = canvas, Cell(camera, np.zeros(3), np.array(origin), scale)

    def at(self, point: np.ndarray) -> np.ndarray:
        """Return the pixel of a world point."""
        return self.cell.to_pixels(np.asarray(point, dtype=np.float64))[:2]

    def line(self, points: np.ndarray, colour: Colour, *, width: float = 2.4) -> None:
        """Draw a line through world points."""
        pixels = [self.at(point) for point in points]
        for start, end in pairwise(pixels):
            self.canvas.stroke(start, end, (width / 2, width / 2), colour)

    def arrow(self, points: np.ndarray, colour: Colour, *, width: float = 3.0) -> None:
        """Draw a line through world points with a head at its end."""
        tip, before = self.at(points[-1]), self.at(points[-2])
        along = (tip - before) / max(float(np.hypot(*(tip - before))), 1e-9)
        self.line(np.asarray(points), colour, width=width)
        self.canvas.band(tip - 0.8 * width * along, tip + 3.4 * width * along, (2.0 * width, 0.0), colour)

    def frame(self, origin: np.ndarray, rotation: np.ndarray, length: float, *, names: str = "xyz", width: float = 3.0) -> None:
        """Draw the axes of a frame, the far ones first, with their names at the tips."""
        ends = np.asarray(origin) + length * np.stack([quaternion.rotate(rotation, axis) for axis in (X, Y, Z)])
        middle = self.at(origin)
        for axis in np.argsort(self.cell.to_pixels(ends)[:, 2]):
            tip = self.at(ends[axis])
            if np.hypot(*(tip - middle)) > 4 * width:
                self.arrow(np.stack([origin, ends[axis]]), AXES[axis], width=width)
            away = (tip - middle) / max(float(np.hypot(*(tip - middle))), 1.0)
            if names:
                place = tip + (11 + 4 * width) * away + [0.0, -8.0]
                self.canvas.text(place[0], place[1], names[axis], font=font(15), colour=AXES[axis], anchor="ma")
        self.canvas.dot(middle, 1.5 * width, INK)

    def turn(
        self, centre: np.ndarray, start: np.ndarray, axis: np.ndarray, angle: float, colour: Colour, *, width: float = 2.4
    ) -> None:
        """Draw the way of `start` (from the centre) turning about an axis, as a bent arrow."""
        parts = quaternion.from_axis_angle(axis, np.linspace(0.0, angle, 49))
        self.arrow(np.asarray(centre) + quaternion.rotate(parts, np.asarray(start)), colour, width=width)

    def label(self, point: np.ndarray, text: str, *, offset: tuple[float, float] = (0, 0), colour: Colour = INK) -> None:
        """Write beside a world point."""
        x, y = self.at(point) + offset
        self.canvas.text(float(x), float(y), text, font=font(15), colour=colour, anchor="la")


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font of a size in pixels."""
    return ImageFont.load_default(size=size)


def write(canvas: Canvas, x: float, y: float, text: str, *, size: float = 15, colour: Colour = INK, anchor: str = "la") -> None:
    """Write one line."""
    canvas.text(float(x), float(y), text, font=font(size), colour=colour, anchor=anchor)


def seen_from(azimuth: float, elevation: float = 18.0) -> Camera:
    """Return a camera `azimuth` degrees from +Z towards +X and `elevation` above the ground."""
    a, e = np.radians([azimuth, elevation])
    level = np.cos(a) * Z + np.sin(a) * X
    return Camera(np.stack([np.cross(Y, level), np.cos(e) * Y - np.sin(e) * level, np.cos(e) * level + np.sin(e) * Y]))


def person() -> Motion:
    """Return a person in T-pose on the ground, facing +Z."""
    tree = [("Hips", -1, (0, 0.95, 0)), ("Spine", 0, (0, 0.2, 0)), ("Neck", 1, (0, 0.3, 0)), ("Head", 2, (0, 0.1, 0))]
    ends = [(3, (0.0, 0.2, 0.0))]
    for side, sign in (("Left", 1), ("Right", -1)):
        arm, leg = len(tree), len(tree) + 4
        tree += [(side + "Shoulder", 1, (0.05 * sign, 0.25, 0)), (side + "Arm", arm, (0.13 * sign, 0, 0))]
        tree += [(side + "ForeArm", arm + 1, (0.28 * sign, 0, 0)), (side + "Hand", arm + 2, (0.25 * sign, 0, 0))]
        tree += [(side + "UpLeg", 0, (0.09 * sign, -0.03, 0)), (side + "Leg", leg, (0, -0.42, 0))]
        tree += [(side + "Foot", leg + 1, (0, -0.43, 0)), (side + "ToeBase", leg + 2, (0, -0.06, 0.14))]
        ends += [(arm + 3, (0.16 * sign, 0, 0)), (leg + 3, (0, 0, 0.07))]
    names, parents, offsets = zip(*tree, strict=True)
    skeleton = Skeleton(
        names, np.array(parents), np.array(offsets, float), np.array([e[0] for e in ends]), np.array([e[1] for e in ends], float)
    )
    return Motion(skeleton, np.array([[0.0, 0.95, 0.0]]), np.tile(quaternion.IDENTITY, (1, len(tree), 1)), 1 / 30)


def draw_world() -> Canvas:
    """The world: Y up, a figure that faces +Z with its left hand at +X."""
    canvas = Canvas(880, 560)
    scene = Scene(canvas, seen_from(32.0, 20.0), (360.0, 432.0), 205.0)
    for k in np.arange(-1.0, 1.01, 0.5):
        scene.line(np.array([[-1.0, 0, k], [1.0, 0, k]]), PALE, width=1.2)
        scene.line(np.array([[k, 0, -1.0], [k, 0, 1.0]]), PALE, width=1.2)
    transforms = forward_kinematics(person())
    sticks = plan_sticks(transforms, Z[None], height=1.75)
    points = body_points(transforms, sticks)[0]
    painting.paint_shadow(canvas, scene.cell, sticks, points)
    for axis, colour, length in ((X, AXES[0], 1.35), (Z, AXES[2], 1.35)):
        scene.arrow(np.stack([0 * axis, length * axis]), colour, width=4.0)
    scene.arrow(np.stack([0 * Y, 2.0 * Y]), AXES[1], width=4.0)
    painting.paint_body(canvas, scene.cell, sticks, points)
    scene.label(2.0 * Y, "+Y  up", offset=(14, -14), colour=AXES[1])
    scene.label(1.35 * X, "+X  the figure's left", offset=(18, -8), colour=AXES[0])
    scene.label(1.35 * Z, "+Z  where it faces", offset=(10, 4), colour=AXES[2])
    hands = [transforms.position(side + "Hand_end")[0] for side in ("Left", "Right")]
    scene.label(hands[0], "left hand", offset=(12, -10), colour=painting.LEFT)
    scene.label(hands[1], "right hand", offset=(-88, -10), colour=painting.RIGHT)
    for line, text in enumerate(
        ("metres, seconds, radians", "right-handed: X x Y = Z", "column vectors: v' = R v", "one square is 0.5 m")
    ):
        write(canvas, 655, 40 + 24 * line, text, colour=GREY)
    return canvas


def draw_joint_frames() -> Canvas:
    """Joint frames of an arm of two bones, straight and bent."""
    canvas = Canvas(1000, 380)
    names = ("shoulder", "elbow", "wrist")
    skeleton = Skeleton(names, np.array([-1, 0, 1]), np.array([[0, 0, 0], [1.0, 0, 0], [0.85, 0, 0]]))
    zero = np.tile(quaternion.IDENTITY, (3, 1))
    bent = zero.copy()
    bent[0] = quaternion.from_axis_angle(Z, np.radians(-35))
    bent[1] = quaternion.from_axis_angle(Z, np.radians(95))
    straight = ((-22.0, 36.0), (-22.0, 36.0), (-22.0, 36.0))
    poses = (
        (60, zero, straight, "zero pose: all frames lie like the world's"),
        (560, bent, ((-30.0, 30.0), (-62.0, 8.0), (-66.0, 8.0)), "each joint turns all that hangs below it"),
    )
    for left, rotations, places, title in poses:
        scene = Scene(canvas, seen_from(-14.0, 12.0), (left + 20.0, 180.0), 168.0)
        transforms = forward_kinematics(Motion(skeleton, np.zeros((1, 3)), rotations[None], 1.0))
        where, turned = transforms.global_positions[0], transforms.global_rotations[0]
        for j in (1, 2):
            canvas.stroke(scene.at(where[j - 1]), scene.at(where[j]), (9.0, 6.0), PALE)
        for j, name in enumerate(names):
            scene.frame(where[j], turned[j], 0.32)
            scene.label(where[j], name, offset=places[j], colour=GREY)
        write(canvas, left, 28, title, size=16)
    write(
        canvas,
        60,
        316,
        "OFFSET of the wrist = (0.85, 0, 0): where it is in the elbow's frame, the same in every pose",
        colour=GREY,
    )
    write(canvas, 60, 340, "global_rotation[elbow] = global_rotation[shoulder] * local_rotation[elbow]", colour=ACCENT)
    return canvas


def draw_quaternion() -> Canvas:
    """A quaternion wxyz: axis, angle and what it does to a vector."""
    canvas = Canvas(960, 380)
    scene = Scene(canvas, seen_from(28.0, 24.0), (215.0, 225.0), 150.0)
    scene.frame(np.zeros(3), quaternion.IDENTITY, 1.05, width=2.4)
    rotation = quaternion.from_axis_angle(Y, np.pi / 2)
    vector = 0.6 * Z
    scene.turn(np.zeros(3), 1.08 * vector, Y, 0.47 * np.pi, ACCENT)
    scene.arrow(np.stack([0 * Y, vector]), GREY, width=5.0)
    scene.arrow(np.stack([0 * Y, quaternion.rotate(rotation, vector)]), ACCENT, width=5.0)
    scene.label(vector, "v", offset=(-10, -34), colour=GREY)
    scene.label(quaternion.rotate(rotation, vector), "q v", offset=(-14, -34), colour=ACCENT)
    scene.label(0.5 * (X + Z), "90 degrees", offset=(-30, 22), colour=ACCENT)
    for k, (text, colour) in enumerate((("w", INK), ("x", AXES[0]), ("y", AXES[1]), ("z", AXES[2]))):
        left = 470 + 112 * k
        canvas.stroke(np.array([left + 26.0, 92.0]), np.array([left + 74.0, 92.0]), (27.0, 27.0), (240, 240, 242))
        write(canvas, left + 50, 68, text, size=20, colour=colour, anchor="ma")
        write(canvas, left + 50, 95, f"{rotation[k]:.4f}", colour=INK, anchor="ma")
        words = ("cos(angle / 2)", "axis x", "axis y", "axis z")[k]
        write(canvas, left + 50, 132, words, size=13, colour=GREY, anchor="ma")
    write(canvas, 806 - 112 / 2 - 2, 152, "times sin(angle / 2)", size=13, colour=GREY, anchor="ma")
    lines = (
        "w comes first: array index 0 is w, 1 is x, 2 is y, 3 is z.",
        "Active: q turns vectors, here 90 degrees about +Y, from +Z to +X.",
        "Counter-clockwise when the axis points at you (right-hand rule).",
        "multiply(a, b) applies b first, then a.",
        "q and -q are the same rotation.",
    )
    for line, text in enumerate(lines):
        write(canvas, 462, 205 + 26 * line, text)
    return canvas


def draw_swing_twist() -> Canvas:
    """A rotation split in a twist about the bone and a swing that moves it."""
    canvas = Canvas(1000, 360)
    total = quaternion.multiply(quaternion.from_axis_angle(Z, np.radians(50)), quaternion.from_axis_angle(X, np.radians(70)))
    swing, twist = swing_twist.decompose(total, X)
    panels = (
        ("rest", quaternion.IDENTITY),
        ("twist, about the bone", twist),
        ("rotation = swing * twist", quaternion.multiply(swing, twist)),
    )
    for k, (title, rotation) in enumerate(panels):
        scene = Scene(canvas, seen_from(20.0, 16.0), (75.0 + 325 * k, 205.0), 165.0)
        tip = quaternion.rotate(rotation, 1.1 * X)
        canvas.stroke(scene.at(np.zeros(3)), scene.at(tip), (13.0, 7.0), PALE)
        scene.frame(0.55 * tip, rotation, 0.42)
        if k == 1:
            scene.turn(1.4 * X, 0.3 * Y, X, float(swing_twist.twist_angle(total, X)), ACCENT)
        if k == 2:
            canvas.stroke(scene.at(np.zeros(3)), scene.at(1.1 * X), (2.0, 2.0), (236, 236, 238))
            scene.turn(np.zeros(3), 1.27 * X, swing[1:] / np.linalg.norm(swing[1:]), float(quaternion.angle(swing)), ACCENT)
        write(canvas, 45 + 325 * k, 24, title, size=16)
    write(canvas, 45, 310, "swing, twist = swing_twist.decompose(rotation, axis)", colour=ACCENT)
    write(
        canvas,
        45,
        332,
        "The twist turns about the bone's own axis and leaves it where it is; the swing tilts it without turning about it.",
        colour=GREY,
    )
    return canvas


def draw_euler() -> Canvas:
    """The same rotation by intrinsic and by extrinsic angles."""
    canvas = Canvas(1000, 630)
    angles = np.radians([50.0, 35.0, 60.0])
    target = euler.to_quaternion(angles, "ZXY")
    assert abs(quaternion.angle_between(target, euler.to_quaternion(angles[::-1], "yxz"))) < 1e-9
    rows = (
        ('"ZXY" intrinsic: each turn is about an axis of the frame as it lies by then', "ZXY", angles, True),
        ('"yxz" extrinsic: each turn is about an axis of the world, angles in reverse order', "YXZ", angles[::-1], False),
    )
    for row, (title, order, turns, intrinsic) in enumerate(rows):
        top = 20 + 290 * row
        write(canvas, 40, top, title, size=16)
        rotation = quaternion.IDENTITY
        for step in range(4):
            scene = Scene(canvas, seen_from(30.0, 22.0), (125.0 + 245 * step, top + 165.0), 84.0)
            scene.frame(
                np.zeros(3),
                rotation,
                1.0,
                names=("".join(" " if axis.upper() == order[0] else axis for axis in "xyz"), "", "", "xyz")[step],
                width=2.6,
            )
            if step < 3:
                own = AXIS_OF[order[step]]
                axis = quaternion.rotate(rotation, own) if intrinsic else own
                turn = quaternion.from_axis_angle(axis, turns[step])
                colour = AXES["XYZ".index(order[step])]
                scene.line(np.stack([0 * axis, 1.5 * axis]), colour, width=1.2)
                side = np.cross(axis, Y if abs(axis @ Y) < 0.9 else X)
                scene.turn(1.5 * axis, 0.22 * side / np.linalg.norm(side), axis, 4.6, colour, width=2.0)
                name = order[step] if intrinsic else order[step].lower()
                mark = "'" * step if intrinsic else ""
                write(
                    canvas,
                    125 + 245 * step,
                    top + 256,
                    f"{np.degrees(turns[step]):.0f} degrees about {name}{mark}",
                    colour=colour,
                    anchor="ma",
                )
                rotation = quaternion.multiply(turn, rotation)
            else:
                write(canvas, 125 + 245 * step, top + 256, "the same rotation", colour=ACCENT, anchor="ma")
        assert abs(quaternion.angle_between(rotation, target)) < 1e-9
    write(
        canvas,
        40,
        604,
        "BVH channels are intrinsic, in the order of the file: Zrotation Xrotation Yrotation means R = Rz Rx Ry.",
        colour=GREY,
    )
    return canvas


DRAWINGS: dict[str, Callable[[], Canvas]] = {
    "world.png": draw_world,
    "joint_frames.png": draw_joint_frames,
    "quaternion.png": draw_quaternion,
    "swing_twist.png": draw_swing_twist,
    "euler.png": draw_euler,
}


def main(folder: Path) -> None:
    """Write all drawings into a folder."""
    for name, make in DRAWINGS.items():
        data = io.BytesIO()
        make().picture().save(data, format="png")
        write_bytes(folder / name, data.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
