"""Draw the pictures of docs/inverse-kinematics.md: python docs/images/make_ik_drawings.py [FOLDER].

Everything in them is solved by the package itself: the paths are those that the solvers take.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from make_drawings import GREY, INK, PALE, Scene, seen_from, write
from PIL import Image

from kinematics import Motion, Pose, Skeleton, forward_kinematics, ik, load_motion
from kinematics.io.atomic import write_bytes
from kinematics.rotations import quaternion
from kinematics.viewer import painting
from kinematics.viewer.canvas import Canvas, Colour
from kinematics.viewer.figure import image
from kinematics.viewer.painting import Cell
from kinematics.viewer.sticks import body_points, plan_sticks

CLIPS = Path(__file__).resolve().parents[2] / "data" / "clips"
METHODS = (
    "levenberg_marquardt", "damped_least_squares", "selectively_damped", "pseudo_inverse", "jacobian_transpose",
    "ccd", "fabrik", "two_bone", "scipy",
)  # fmt: skip
BLUE = painting.LEFT
FEET = ("LeftFoot", "RightFoot")
Z = np.array([0.0, 0.0, 1.0])


def mixed(colour: Colour, share: float) -> Colour:
    """Return the colour with a share of paper in it."""
    red, green, blue = (round(c + share * (255 - c)) for c in colour)
    return red, green, blue


def chain(bones: int, bend: float) -> Pose:
    """Return a chain of bones of length 1 in the plane of the page, evenly bent, that starts upwards."""
    skeleton = Skeleton(
        tuple(f"joint{k}" for k in range(bones)),
        np.arange(bones) - 1,
        np.tile([0.0, 1.0, 0.0], (bones, 1)),
        np.array([bones - 1]),
        np.array([[0.0, 1.0, 0.0]]),
        end_site_names=("tip",),
    )
    return Pose(skeleton, np.zeros(3), quaternion.from_axis_angle(Z, np.full(bones, bend)))


def along(pose: Pose) -> np.ndarray:
    """Return the joints of a chain and its tip, shape (bones + 1, 3)."""
    transforms = forward_kinematics(pose)
    return np.concatenate([transforms.global_positions, transforms.end_site_positions])


def steps(pose: Pose, target: np.ndarray, method: str) -> tuple[list[np.ndarray], ik.Result]:
    """Return the chain after 0, 1, 2, ... iterations of a solver, and its answer."""
    goals = {"tip": ik.position(target)}
    options = {"method": method, "root": "fixed", "tolerance": 1e-3}
    answer = ik.solve(pose, goals, **options)
    counts = (
        range(1, answer.iterations) if answer.iterations < 60 else np.unique(np.geomspace(1, answer.iterations, 60).astype(int))
    )
    between = [ik.solve(pose, goals, max_iterations=int(count), **options).pose for count in counts]
    return [along(each) for each in (pose, *between, answer.pose)], answer


def draw_chain(scene: Scene, points: np.ndarray, colour: Colour, radius: float, *, joints: bool = False) -> None:
    """Draw a chain that tapers to its tip."""
    radii = np.linspace(radius, 0.55 * radius, len(points))
    for k in range(len(points) - 1):
        scene.canvas.stroke(scene.at(points[k]), scene.at(points[k + 1]), (radii[k], radii[k + 1]), colour)
    for k in range(len(points) - 1) if joints else ():
        scene.canvas.dot(scene.at(points[k]), 0.5 * radii[k], painting.PAPER)


def draw_solvers() -> Canvas:
    """One chain and one target: what each solver makes of it, and by what way."""
    canvas = Canvas(1000, 925)
    for cell, method in enumerate(METHODS):
        left, top = 20 + 326 * (cell % 3), 18 + 305 * (cell // 3)
        limb = method == "two_bone"
        start = chain(2, 0.3) if limb else chain(8, 0.075)
        unit = 92.0 if limb else 23.0
        target = np.array([1.25, 0.7, 0.0]) * (1.0 if limb else 4.0)
        scene = Scene(canvas, seen_from(0.0, 0.0), (left + 105.0, top + 240.0), unit)
        path, answer = steps(start, target, method)
        shown = np.unique(np.round(np.geomspace(1, len(path), min(len(path), 7))).astype(int)) - 1
        for order, k in enumerate(shown[:-1]):
            draw_chain(scene, path[k], mixed(BLUE, 0.88 - 0.3 * order / len(shown)), 6.0)
        tips = np.array([points[-1] for points in path])
        scene.line(tips, painting.MARK, width=1.6)
        for tip in tips[1:-1]:
            canvas.dot(scene.at(tip), 2.4, painting.MARK)
        draw_chain(scene, path[0], PALE, 6.0, joints=True)
        draw_chain(scene, path[-1], BLUE, 6.0, joints=True)
        canvas.dot(scene.at(path[0][0]), 9.0, INK)
        painting.paint_mark(canvas, scene.at(target), 0, 10.0)
        write(canvas, left, top, method, size=16)
        many = "iteration" if answer.iterations == 1 else "iterations"
        write(canvas, left, top + 24, f"{answer.status}, {answer.iterations} {many}", size=13, colour=GREY)
    return canvas


def draw_figure(
    canvas: Canvas, ground: tuple[float, float], before: Pose, after: Pose, marks: list[list[np.ndarray]], azimuth: float = -38.0
) -> None:
    """Draw a body as it was, pale, and as it is, with targets and what is held."""
    cell = Cell(seen_from(azimuth, 12.0), np.zeros(3), np.array(ground), 118.0)
    motion = Motion(
        before.skeleton,
        np.stack([before.root_positions, after.root_positions]),
        np.stack([before.local_rotations, after.local_rotations]),
        1.0,
    )
    transforms = forward_kinematics(motion)
    sticks = plan_sticks(transforms, np.tile(Z, (2, 1)), height=1.72)
    points = body_points(transforms, sticks)
    painting.paint_ground(canvas, cell, facing=Z, height=1.72, step=0.5)
    window = canvas.pixels[:, max(int(ground[0]) - 110, 0) : int(ground[0]) + 110]
    clear = window.copy()
    painting.paint_body(canvas, cell, sticks, points[0])
    window[:] = clear + 0.22 * (window - clear)
    painting.paint_shadow(canvas, cell, sticks, points[1])
    painting.paint_body(canvas, cell, sticks, points[1])
    for kind, group in enumerate(marks):
        for point in group:
            painting.paint_mark(canvas, cell.to_pixels(point)[:2], kind, 5.5)


def stand() -> tuple[Motion, dict[str, np.ndarray]]:
    """Return somebody who stands with bent knees, and where hands and feet are."""
    clip = load_motion(CLIPS / "squat_cmu.bvh")[40:41]
    transforms = forward_kinematics(clip)
    return clip, {name: transforms.position(name)[0] for name in (*FEET, "LeftHand", "RightHand", "LeftToeBase_end")}


def draw_bodies() -> Canvas:
    """A body whose left hand reaches up while feet and right hand stay, by each solver."""
    canvas = Canvas(1000, 560)
    clip, places = stand()
    target = np.array([0.5, 1.3, 0.4])
    for cell, method in enumerate(METHODS):
        left, top = 20 + 196 * (cell % 5), 18 + 275 * (cell // 5)
        held = () if method == "two_bone" else (*FEET, "RightHand")
        answer = ik.solve(clip[0], {"LeftHand": target} | {name: ik.hold() for name in held}, method=method)
        draw_figure(canvas, (left + 75.0, top + 235.0), clip[0], answer.pose, [[target], [places[name] for name in held]])
        write(canvas, left, top, method, size=14)
        missing = 100 * answer.errors.max()
        words = "" if answer.converged else f", {missing:.0f} cm missing"
        write(canvas, left, top + 19, f"{answer.status}{words}", size=12, colour=GREY)
    return canvas


def draw_roots() -> Canvas:
    """What the root may do: one target for the left hand, five answers."""
    canvas = Canvas(1000, 300)
    clip, places = stand()
    target = np.array([0.75, 0.75, 0.55])
    modes: tuple[tuple[str, dict[str, object], str], ...] = (
        ('root="free"', {}, "moves and turns"),
        ('root="translation"', {"root": "translation"}, "moves, does not turn"),
        ('root="heading"', {"root": "heading"}, "moves, turns about Y"),
        ('root="fixed"', {"root": "fixed"}, "turns where it is"),
        ('fixed=["LeftToeBase_end"]', {"fixed": ["LeftToeBase_end"]}, "all hangs from the toes"),
    )
    for cell, (title, options, words) in enumerate(modes):
        left = 20 + 196 * cell
        answer = ik.solve(clip[0], {"LeftHand": target}, **options)
        held = [places["LeftToeBase_end"]] if "fixed" in options else []
        draw_figure(canvas, (left + 70.0, 262.0), clip[0], answer.pose, [[target], held])
        write(canvas, left, 18, title, size=14)
        write(canvas, left, 37, words, size=12, colour=GREY)
    return canvas


def draw_limits() -> Canvas:
    """Goals without and with limits of a human, and with joints of equal stiffness and with a stiff spine."""
    canvas = Canvas(1000, 300)
    clip, places = stand()
    squats = load_motion(CLIPS / "squat_cmu.bvh")
    back, low = np.array([0.1, 0.7, -0.3]), np.array([0.6, 0.6, 0.6])
    arm_alone = {"root": "fixed", "stiffness": dict.fromkeys(("Hips", "LowerBack", "Spine", "Spine1", "LeftShoulder"), math.inf)}
    stiff = {"stiffness": dict.fromkeys(("LowerBack", "Spine", "Spine1"), 50.0)}
    human = {"limits": ik.human_limits(squats)}
    cells: tuple[tuple[str, str, Pose, np.ndarray, dict[str, Any]], ...] = (
        ("no limits", "the elbow bends the wrong way", squats[90], back, arm_alone),
        ("limits=ik.human_limits(motion)", "as elbows do", squats[90], back, arm_alone | human),
        ("no stiffness", "all joints turn as readily", clip[0], low, {}),
        ('stiffness={"Spine": 50, ...}', "the back stays straighter", clip[0], low, stiff),
    )
    for cell, (title, words, start, target, options) in enumerate(cells):
        left, held = 20 + 250 * cell, () if target is back else FEET
        answer = ik.solve(start, {"LeftHand": target} | {name: ik.hold() for name in held}, **options)
        marks = [[target], [places[name] for name in held]]
        draw_figure(
            canvas,
            (left + (110.0 if target is back else 80.0), 262.0),
            start,
            answer.pose,
            marks,
            110.0 if target is back else -38.0,
        )
        write(canvas, left, 18, title, size=14)
        write(canvas, left, 37, words, size=12, colour=GREY)
    return canvas


def draw_clip() -> Image.Image:
    """Two squats, and the same with a hand on a rail."""
    clip = load_motion(CLIPS / "squat_cmu.bvh")
    rail, feet = np.array([0.5, 0.95, 0.35]), forward_kinematics(clip)
    goals = {"LeftHand": ik.position(rail)} | {name: ik.hold(orientation=True) for name in FEET}
    answer = ik.solve(clip, goals, limits=ik.human_limits(clip), over_time="warm")
    marks = {"target": rail[None], "held": np.stack([feet.position(name) for name in FEET], axis=1)}
    return Image.fromarray(image([clip, answer.motion], labels=["squat_cmu", "left hand on a rail"], marks=marks, frames=7))


def draw_over_time() -> Canvas:
    """A target that trembles and jumps: how high the hand is, by each way over time."""
    canvas = Canvas(1000, 320)
    clip = load_motion(CLIPS / "wave_cmu.bvh")[60:240]
    seconds = np.arange(len(clip)) * clip.frame_time
    own = forward_kinematics(clip).position("LeftHand")
    held = ((seconds > 1.0) & (seconds < 2.0))[:, None]
    tremble = np.random.default_rng(0).normal(scale=0.006, size=own.shape)
    target = np.where(held, [0.4, 1.2, 0.35], own) + tremble
    goals = {"LeftHand": ik.position(target)} | {name: ik.hold(orientation=True) for name in FEET}
    ways: tuple[tuple[str, dict[str, Any]], ...] = (
        ('over_time="independent"', {}),
        ('over_time="smooth" (smoothness=1)', {"over_time": "smooth"}),
        ('over_time="smooth", smoothness=1e4', {"over_time": "smooth", "smoothness": 1e4}),
    )
    for cell, (title, options) in enumerate(ways):
        left = 20 + 326 * cell
        problem = ik.Problem(clip.skeleton, goals)
        moved = forward_kinematics(problem.solve(clip, **options).motion)
        jump = np.linalg.norm(np.diff(moved.global_positions, 2, axis=0), axis=-1).max()
        corner = np.array([left, 262.0])
        for second in range(4):
            at = corner + np.array([85.0 * second, 0.0])
            canvas.stroke(at, at - np.array([0.0, 190.0]), (0.6, 0.6), painting.GRID)
            write(canvas, at[0], 268, f"{second} s", size=12, colour=GREY, anchor="ma" if second else "la")
        for values, colour, width in (
            (target[:, 1], mixed(painting.MARK, 0.45), 1.3),
            (moved.position("LeftForeArm")[:, 1], GREY, 1.2),
            (moved.position("LeftHand")[:, 1], BLUE, 1.7),
        ):
            curve = corner + np.stack([85.0 * seconds, -300.0 * (values - 0.7)], axis=-1)
            for start, end in pairwise(curve):
                canvas.stroke(start, end, (width, width), colour)
        write(canvas, left, 18, title, size=14)
        write(canvas, left, 37, f"largest second difference of any joint: {1000 * jump:.0f} mm", size=12, colour=GREY)
    for x, word, colour in ((24, "height of the target", painting.MARK), (180, "of the hand", BLUE), (280, "of the elbow", GREY)):
        canvas.dot(np.array([x, 301.0]), 4.0, colour)
        write(canvas, x + 9, 294, word, size=12)
    return canvas


def draw_pinned() -> Canvas:
    """How fast a toe is over the floor, in a walk that slides and with its contacts pinned."""
    canvas = Canvas(1000, 290)
    walk = load_motion(CLIPS / "walk_cmu.bvh")
    sliding = walk.with_root_positions(walk.root_positions * np.array([1.0, 1.0, 1.2]))
    pinned = ik.pin_contacts(sliding)
    point = pinned.contacts.names.index("LeftToeBase")
    stance = pinned.contacts.in_contact[1:, point]
    corner, across, up = np.array([60.0, 240.0]), 920.0 / len(stance), 150.0
    for k in np.flatnonzero(stance):
        at = corner + np.array([across * k, 0.0])
        canvas.stroke(at, at - np.array([0.0, 165.0]), (across / 2, across / 2), painting.GROUND)
    for metres in (0.0, 0.5, 1.0):
        at = corner - np.array([0.0, up * metres])
        canvas.stroke(at, at + np.array([920.0, 0.0]), (0.6, 0.6), painting.GRID)
        write(canvas, 52, at[1] - 8, f"{metres:g}", size=12, colour=GREY, anchor="ra")
    for second in range(6):
        x = corner[0] + across * second / walk.frame_time
        write(canvas, x, 246, f"{second} s", size=12, colour=GREY, anchor="ma")
    for motion, colour in ((sliding, painting.RIGHT), (pinned.motion, BLUE)):
        way = forward_kinematics(motion).position("LeftToeBase")[:, [0, 2]]
        speed = np.linalg.norm(np.diff(way, axis=0), axis=1) / walk.frame_time
        curve = corner + np.stack([across * np.arange(len(speed)), -up * np.minimum(speed, 1.1)], axis=-1)
        for k, (start, end) in enumerate(pairwise(curve)):
            if speed[k : k + 2].min() < 1.1:
                canvas.stroke(start, end, (1.5, 1.5), colour)
    write(canvas, 20, 18, "speed of the left toe over the floor, m/s", size=16)
    words = (("a walk whose root goes 20 % too far", painting.RIGHT), ("ik.pin_contacts", BLUE), ("stance", painting.GRID))
    for x, (word, colour) in zip((420, 700, 850), words, strict=True):
        canvas.dot(np.array([x, 28.0]), 4.5, colour)
        write(canvas, x + 10, 20, word, size=13)
    return canvas


DRAWINGS: dict[str, Callable[[], Canvas | Image.Image]] = {
    "ik_clip.png": draw_clip,
    "ik_solvers.png": draw_solvers,
    "ik_bodies.png": draw_bodies,
    "ik_roots.png": draw_roots,
    "ik_limits.png": draw_limits,
    "ik_over_time.png": draw_over_time,
    "ik_pinned.png": draw_pinned,
}


def main(folder: Path) -> None:
    """Write all drawings into a folder."""
    for name, make in DRAWINGS.items():
        made, data = make(), io.BytesIO()
        (made.picture() if isinstance(made, Canvas) else made).save(data, format="png")
        write_bytes(folder / name, data.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
