"""What a body looks like and collides with: capsules, boxes, spheres, each fixed to one body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.character.anthropometry import GIRTH
from imitate.character.clip import Clip
from imitate.character.feet import Sole
from imitate.character.segments import Segment, Segments
from kinematics.rotations import quaternion

LIMBS = {"thigh": "shin", "shin": "foot", "upper_arm": "forearm", "forearm": "hand"}
LEFT, AHEAD = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Shape:
    """A geom in the frame of its body, metres, Y up.

    Attributes:
        body: The body.
        kind: "capsule", "box" or "sphere".
        start: Beginning of a capsule's axis; middle of a box or sphere.
        end: End of the axis; half sizes of a box; ignored for a sphere.
        radius: Of capsules and spheres.
        rotation: Of a box, quaternion wxyz.
        paint: "left", "right" or "middle".
    """

    body: int
    kind: str
    start: Float[np.ndarray, "3"]
    end: Float[np.ndarray, "3"]
    radius: float
    rotation: Float[np.ndarray, "4"]
    paint: str


def _capsule(body: int, start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"], radius: float, paint: str) -> Shape:
    kind = "capsule" if np.linalg.norm(end - start) > 0.02 * radius else "sphere"
    return Shape(body, kind, start, end, radius, quaternion.IDENTITY, paint)


def person_shapes(
    clip: Clip,
    segments: Segments,
    offsets: Float[np.ndarray, "bodies 3"],
    tips: dict[int, Float[np.ndarray, "_ 3"]],
    soles: list[Sole],
) -> list[Shape]:
    """Return the shapes of a person.

    Args:
        clip: The clip.
        segments: Its bodies.
        offsets: Place of each body in its parent's frame, shape (bodies, 3).
        tips: Places of what hangs on each body without being one, in its frame, by body.
        soles: Boxes of feet and toes.
    """
    height, found = clip.height, segments.segments
    shapes: list[Shape] = []
    below = {body: [child for child, parent in enumerate(segments.parents) if parent == body] for body in range(len(found))}
    for body, segment in enumerate(found):
        side, part = _split(segment.part)
        paint = side or "middle"
        radius = GIRTH.get(part, GIRTH["trunk"]) * height
        child = segments.index(f"{side}_{LIMBS[part]}") if part in LIMBS else None
        if part in LIMBS:
            end = (
                offsets[child] if child is not None and segments.parents[child] == body else _farthest(tips[body], 0.15 * height)
            )
            shapes.append(_capsule(body, np.zeros(3), end, radius, paint))
            if part == "forearm" and child is None:
                shapes += _hand(body, end, tips[body], height, paint)
        elif part == "hand":
            shapes += _hand(body, np.zeros(3), tips[body], height, paint, along=offsets[body])
        elif part == "head":
            shapes += _head(body, tips[body], height)
        elif part == "pelvis":
            shapes.append(_pelvis(body, [offsets[n] for n in below[body]], [found[n].part for n in below[body]], height))
            if segments.index("chest") is None:
                shapes += _trunk(body, "chest", offsets, below[body], found, height)
        elif part in ("spine", "chest"):
            shapes += _trunk(body, part, offsets, below[body], found, height)
        elif part == "clavicle":
            shapes.append(
                _capsule(body, np.zeros(3), offsets[below[body][0]] if below[body] else 0.1 * height * LEFT, 0.02 * height, paint)
            )
    for sole in soles:
        side, _ = _split(found[sole.body].part)
        half = np.array([sole.half_width, 0.5 * sole.thickness, 0.5 * (sole.front - sole.back)])
        shapes.append(Shape(sole.body, "box", sole.center, half, 0.0, sole.rotation, side or "middle"))
    return shapes


def creature_shapes(
    segments: Segments,
    offsets: Float[np.ndarray, "bodies 3"],
    tips: dict[int, Float[np.ndarray, "_ 3"]],
    radii: Float[np.ndarray, " bodies"],
) -> list[Shape]:
    """Return a capsule for each bone of a body that is no person; arguments as `person_shapes`."""
    shapes = []
    for body in range(len(segments.segments)):
        ends = [offsets[child] for child, parent in enumerate(segments.parents) if parent == body] + list(tips[body])
        long = [end for end in ends if np.linalg.norm(end) > 0.5 * radii[body]] or ends[:1] or [np.zeros(3)]
        shapes += [
            _capsule(body, np.zeros(3), end, min(radii[body], max(0.4 * float(np.linalg.norm(end)), 0.3 * radii[body])), "middle")
            for end in long
        ]
    return shapes


def _split(part: str) -> tuple[str, str]:
    for side in ("left", "right"):
        if part.startswith(side + "_"):
            return side, part[len(side) + 1 :]
    return "", part


def _farthest(tips: Float[np.ndarray, "_ 3"], default: float) -> Float[np.ndarray, "3"]:
    if not len(tips) or not np.any(tips):
        return np.array([0.0, -default, 0.0])
    return np.asarray(tips[np.linalg.norm(tips, axis=1).argmax()])


def _hand(
    body: int,
    wrist: Float[np.ndarray, "3"],
    tips: Float[np.ndarray, "_ 3"],
    height: float,
    paint: str,
    along: Float[np.ndarray, "3"] | None = None,
) -> list[Shape]:
    far = [tip for tip in tips if np.linalg.norm(tip - wrist) > 0.02 * height]
    away = np.mean(far, axis=0) - wrist if far else (np.array([0.0, -1.0, 0.0]) if along is None else along)
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    return [_capsule(body, wrist + 0.02 * height * away, wrist + 0.07 * height * away, GIRTH["hand"] * height, paint)]


def _head(body: int, tips: Float[np.ndarray, "_ 3"], height: float) -> list[Shape]:
    """Neck from the pivot upwards, and a skull whose top is where the tip is, or a head's length above the neck."""
    top = max((float(tip[1]) for tip in tips), default=0.0)
    top = float(np.clip(top, 0.12 * height, 0.17 * height))
    radius = GIRTH["head"] * height
    skull = np.array([0.0, top - radius, 0.01 * height])
    return [
        _capsule(body, np.zeros(3), np.array([0.0, top - 1.6 * radius, 0.0]), GIRTH["neck"] * height, "middle"),
        _capsule(body, skull - 0.018 * height * np.array([0.0, 1.0, 0.0]), skull, radius * 0.9, "middle"),
    ]


def _pelvis(body: int, places: list[Float[np.ndarray, "3"]], parts: list[str], height: float) -> Shape:
    hips = np.array([place for place, part in zip(places, parts, strict=True) if part.endswith("thigh")]).reshape(-1, 3)
    half_width = max(0.5 * float(np.ptp(hips[:, 0])) if len(hips) else 0.0, 0.045 * height) + 0.025 * height
    low = float(hips[:, 1].min()) if len(hips) else 0.0
    high = max(
        (float(place[1]) for place, part in zip(places, parts, strict=True) if part in ("spine", "chest")), default=0.06 * height
    )
    high = float(np.clip(high, low + 0.05 * height, low + 0.1 * height))
    center = np.array([0.0, 0.5 * (low + high), float(hips[:, 2].mean()) if len(hips) else 0.0])
    half = np.array([half_width, 0.5 * (high - low) + 0.01 * height, 0.055 * height])
    return Shape(body, "box", center, half, 0.0, quaternion.IDENTITY, "middle")


def _trunk(
    body: int,
    part: str,
    offsets: Float[np.ndarray, "bodies 3"],
    children: list[int],
    found: tuple[Segment, ...],
    height: float,
) -> list[Shape]:
    """Capsules from side to side: one for a piece of the waist; for the chest a second one between the shoulders."""
    radius = GIRTH["trunk"] * height
    above = [offsets[child] for child in children if found[child].part in ("spine", "chest", "head")]
    up = above[0] if above else np.array([0.0, 0.12 * height, 0.0])
    middle = 0.5 * up if part == "spine" else 0.25 * up
    shapes = [_capsule(body, middle - 0.045 * height * LEFT, middle + 0.045 * height * LEFT, radius, "middle")]
    if part == "chest":
        arms = np.array([offsets[child] for child in children if "arm" in found[child].part or "clavicle" in found[child].part])
        breast = 0.6 * up if not len(arms) else 0.75 * arms.mean(axis=0) * (1.0 - LEFT)
        breast = breast - np.array([0.0, 0.01 * height, 0.0])
        span = float(np.abs(arms[:, 0]).max()) if len(arms) else 0.12 * height
        half = float(np.clip(span - 1.35 * radius, 0.01 * height, 0.055 * height))
        shapes.append(_capsule(body, breast - half * LEFT, breast + half * LEFT, 1.08 * radius, "middle"))
        if above and above[0][1] > breast[1] + 1.2 * radius:
            shapes.append(_capsule(body, breast, above[0], GIRTH["neck"] * height, "middle"))
        shapes += [
            _capsule(body, 0.35 * breast + 0.4 * arm, arm, 0.03 * height, "middle")
            for arm in arms
            if np.linalg.norm(arm) > 0.03 * height
        ]
    return shapes
