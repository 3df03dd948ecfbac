"""A motion strip: poses of one body in one picture, along its way or, where it stays on the spot, beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from kinematics.viewer.actor import Actor
from kinematics.viewer.layout import shorten
from kinematics.viewer.offscreen import Figure, Stage, grid_step, lamp_of
from kinematics.viewer.overlay import GREY, NAME, NOTE, TITLE, Words, em, font, short_names
from kinematics.viewer.shots import ABOVE, AROUND, FLESH, Shot, camera_axes, facing, place_shot, required_distance

POSES = 8
MOST_POSES = 14
STRIDE = 0.62  # body heights between poses along a way
SLOW_S = 2.0  # seconds between poses along a way above which it is too little of a clip
CLOSE = 0.34  # body heights between poses along a way below which they are spread instead
GAP = 0.12  # body heights between poses that are spread
LONG_LENS = np.radians(20.0)  # field of view from left to right: at its edges bodies still stand upright
BELOW = 0.13  # body heights below the floor that are free for the times
TRAVELLING, ON_THE_SPOT = 76.0, 35.0  # degrees from the front to the right side
HEADROOM = 0.2  # body heights above and below together, for the title
HIGHEST, LOWEST = 0.62, 0.16  # over the width, of a picture whose height is free


@dataclass(frozen=True, eq=False)
class Strip:
    """Where the poses stand and the camera that sees them all.

    Attributes:
        frames: Frame of each pose, shape (poses,).
        shifts: How far each pose is moved on the stage, metres, shape (poses, 3).
        along: Whether the poses stand where the clip has them.
        shot: The camera.
        size: Width and height of the picture, pixels.
    """

    frames: Int[np.ndarray, " poses"]
    shifts: Float[np.ndarray, "poses 3"]
    along: bool
    shot: Shot
    size: tuple[int, int]


def plan_strip(
    actor: Actor, frames: Sequence[int], *, camera: str = "follow", width: int = 1280, height: int | None = None
) -> Strip:
    """Choose poses, their places and the camera.

    Args:
        actor: The clip.
        frames: The frames that may be shown; where there are more than a few, some of them at equal steps are.
        camera: "follow" (a body that travels is seen nearly from the side, others in three quarters), "front" or "side".
        width: Pixels.
        height: Pixels; as much as the poses need by default.
    """
    given, size = np.asarray(frames, dtype=np.int64), actor.body.height
    way = actor.positions[given, actor.root] * [1.0, 0.0, 1.0]
    travel = way[-1] - way[0]
    distance = float(np.linalg.norm(travel))
    travels = distance > 1.5 * size
    forward = travel / distance if travels else facing(actor)
    around = AROUND[camera] if camera in ("front", "side") else TRAVELLING if travels else ON_THE_SPOT
    axes = camera_axes(forward, around, ABOVE["side"] if travels else ABOVE["follow"])
    reach = abs(float(travel @ axes[0]))
    poses = int(np.clip(round(reach / (STRIDE * size)) + 1, 3, 11)) if travels else POSES
    if float(given[-1] - given[0]) * actor.motion.frame_time > SLOW_S * poses:
        poses = max(poses, POSES)  # what is not on the way is shown too
    picked = given if len(given) <= MOST_POSES else given[np.round(np.linspace(0, len(given) - 1, poses)).astype(np.int64)]
    points = np.concatenate([actor.positions[picked], actor.end_positions[picked]], axis=1)
    across = actor.positions[picked, actor.root] @ axes[0]
    along = bool(len(picked) > 1 and (np.diff(across) > CLOSE * size).all())
    shifts = np.zeros((len(picked), 3)) if along else _spread(actor, points, picked, axes)
    under = actor.positions[picked, actor.root] * [1.0, 0.0, 1.0] + shifts - [0.0, BELOW * size, 0.0]
    seen = np.concatenate([(points + shifts[:, None]).reshape(-1, 3), under]) @ axes.T
    shot, height = _fit(seen, axes, size, width, height)
    return Strip(picked, shifts, along, shot, (width, height))


def _fit(seen: np.ndarray, axes: np.ndarray, size: float, width: int, height: int | None) -> tuple[Shot, int]:
    """Return the camera that has points (along its axes) in the middle of the picture, and the picture's height."""
    target = 0.5 * (seen.min(axis=0) + seen.max(axis=0))
    extent = np.ptp(seen, axis=0)
    high = height or width * HIGHEST
    for _ in range(5):
        aspect = width / high
        lens = 2.0 * np.arctan(np.tan(LONG_LENS / 2.0) / max(aspect, 1.0))
        distance = required_distance(seen - target, aspect, size, lens=lens)
        depth = distance - (seen[:, 2] - target[2])
        plane = (seen[:, :2] - target[:2]) / depth[:, None]
        low, top = plane.min(axis=0), plane.max(axis=0)
        target[:2] += 0.5 * (low + top) * distance
        extent = (top - low) * distance + 2.0 * FLESH * size
        if height is None:
            high = width * float(np.clip((extent[1] + HEADROOM * size) / extent[0], LOWEST, HIGHEST))
    rounded = 2 * round(high / 2) if height is None else height
    return place_shot(target @ axes, axes, distance, size, lens=lens), rounded


def draw_strip(
    actor: Actor, strip: Strip, *, contacts: bool, trail: bool, shadows: bool, names: bool = False
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw the poses, their times under them and the clip's title; on the last pose the joints' names, where asked."""
    count = len(strip.frames)
    pale = 0.5 * np.linspace(1.0, 0.0, count) ** 1.3 if strip.along else np.zeros(count)
    poses = zip(strip.frames.tolist(), strip.shifts, pale.tolist(), strict=True)
    figures = [Figure(float(frame), shift, paleness) for frame, shift, paleness in poses]
    with Stage(actor, trail=trail and strip.along, contacts=contacts) as stage:
        drawn = stage.picture(figures, strip.shot, strip.size, lamp=lamp_of(strip.shot), shadows=shadows)
    return _write(drawn, actor, strip, names=names)


def _spread(actor: Actor, points: np.ndarray, picked: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return shifts that put poses beside each other, from left to right and equally far away, as near as they can stand."""
    size = actor.body.height
    roots = actor.positions[picked, actor.root]
    apart = (points - roots[:, None]) @ axes[0]
    lefts, rights = -apart.min(axis=1) + 0.7 * FLESH * size, apart.max(axis=1) + 0.7 * FLESH * size
    steps = np.maximum(rights[:-1] + lefts[1:] + GAP * size, 0.45 * size)
    wanted = np.concatenate([[0.0], np.cumsum(steps)])
    level = axes[2] * [1.0, 0.0, 1.0]
    level /= np.linalg.norm(level)
    moved = roots - roots[:1]
    return np.asarray((wanted - moved @ axes[0])[:, None] * axes[0] - (moved @ level)[:, None] * level)


def _write(
    drawn: UInt8[np.ndarray, "height width 3"], actor: Actor, strip: Strip, *, names: bool
) -> UInt8[np.ndarray, "height width 3"]:
    width, height = strip.size
    words, size = Words(drawn), em(width, width * 9 // 16)
    margin = 14.0 * size
    title = shorten(actor.title, font(TITLE * size), width - 2.0 * margin)
    left = margin + words.write(margin, margin - 4.0 * size, title, TITLE * size) + (14.0 * size if title else 0.0)
    note = shorten(_detail(actor), font(NOTE * size), width - margin - left)
    words.write(left, margin, note, NOTE * size, GREY)
    if names:
        joints = strip.shot.pixels(actor.positions[strip.frames[-1]] + strip.shifts[-1], width, height)
        words.names(joints, short_names(actor), NAME * size)
    below = np.array([0.0, 0.5 * BELOW * actor.body.height, 0.0])
    under = actor.positions[strip.frames, actor.root] * [1.0, 0.0, 1.0] + strip.shifts - below
    places = strip.shot.pixels(under, width, height)
    stamps = [f"{frame * actor.motion.frame_time:.2f} s" for frame in strip.frames] if len(actor.positions) > 1 else [""]
    free = 0.0
    for (x, y), stamp in sorted(zip(places.tolist(), stamps, strict=True)):
        half = font(NOTE * size).getlength(stamp) / 2.0
        if x - half >= free:
            words.write(x, min(y, height - 0.4 * margin - NOTE * size), stamp, NOTE * size, GREY, "ma")
            free = x + half + 6.0 * size
    return words.picture()


def _detail(actor: Actor) -> str:
    count, words = actor.motion.num_frames, []
    if actor.unit == "m":
        size = actor.body.height
        number = f"{size:.2f}" if 0.1 < size < 100.0 else f"{size:.3g}"
        words.append(f"{number} m {'tall' if actor.body.kind == 'human' else 'large'}")
    if count > 1:
        words.append(f"{count} frames at {actor.motion.frame_rate:.4g} Hz")
    if actor.unit == "m":
        words.append(f"grid {grid_step(actor.body.height):g} m")
    return ", ".join(words)
