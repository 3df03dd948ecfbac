"""Closed, rounded solids: sections along an axis, skinned and closed at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

Vector = Float[np.ndarray, "3"]


@dataclass(frozen=True, eq=False)
class Solid:
    """A closed surface.

    Attributes:
        vertices: Points, shape (vertices, 3).
        faces: Indices of vertices, counter-clockwise seen from outside, shape (faces, 3).
    """

    vertices: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]


@dataclass(frozen=True, eq=False)
class Sections:
    """Ellipses across an axis, bottom first; the first and the last one are points.

    Attributes:
        stations: Where they stand along the axis, shape (sections,).
        widths: Half their extent along the side axis, shape (sections,).
        depths: Half their extent along the front axis, shape (sections,).
        shifts: How far their middle lies in front of the axis, shape (sections,).
    """

    stations: Float[np.ndarray, " sections"]
    widths: Float[np.ndarray, " sections"]
    depths: Float[np.ndarray, " sections"]
    shifts: Float[np.ndarray, " sections"]


def unit(vector: Vector, otherwise: Vector | None = None) -> Vector:
    """Return a vector at length 1; of a zero vector `otherwise`, or +Y."""
    length = float(np.linalg.norm(vector))
    if length > 1e-12:
        return np.asarray(vector / length)
    return np.array([0.0, 1.0, 0.0]) if otherwise is None else otherwise


def cross(left: Float[np.ndarray, "*any 3"], right: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Return the vector product; NumPy's takes ten times as long for few vectors."""
    a, b, c = left[..., 0], left[..., 1], left[..., 2]
    d, e, f = right[..., 0], right[..., 1], right[..., 2]
    product = np.empty(np.broadcast_shapes(left.shape, right.shape))
    product[..., 0], product[..., 1], product[..., 2] = b * f - c * e, c * d - a * f, a * e - b * d
    return product


def axes(axis: Vector, front: Vector) -> Float[np.ndarray, "3 3"]:
    """Return unit vectors as rows: side, axis, front. They are right-handed; front is turned as little as needed.

    Args:
        axis: Direction that is kept, any length, shape (3,).
        front: Direction that the front should have, any length, shape (3,).
    """
    axis = unit(axis)
    front = front - axis * (front @ axis)
    if np.linalg.norm(front) < 1e-6:
        front = np.eye(3)[int(np.argmin(np.abs(axis)))]
        front = front - axis * (front @ axis)
    front = unit(front)
    return np.stack([cross(axis, front), axis, front])


def smooth(at: Float[np.ndarray, " places"], knots: tuple[float, ...], values: tuple[float, ...]) -> Float[np.ndarray, " places"]:
    """Interpolate by cubics that keep to the knots' values and do not overshoot (Fritsch and Butland, 1984); flat outside.

    Args:
        at: Places.
        knots: Where the values hold, rising, at least three.
        values: Values.
    """
    x, y, slope = _slopes(knots, values)
    place = np.clip(at, x[0], x[-1])
    left = np.clip(np.searchsorted(x, place, side="right") - 1, 0, len(x) - 2)
    width = x[left + 1] - x[left]
    t = (place - x[left]) / width
    rest = 1.0 - t
    ends = y[left] * (1.0 + 2.0 * t) * rest**2 + y[left + 1] * t**2 * (3.0 - 2.0 * t)
    return np.asarray(ends + width * t * rest * (slope[left] * rest - slope[left + 1] * t))


@lru_cache(maxsize=64)
def _slopes(knots: tuple[float, ...], values: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots, values and slopes there: a weighted harmonic mean of the slopes beside, zero at turning points and ends."""
    x, y = np.array(knots), np.array(values)
    step = np.diff(x)
    chord = np.diff(y) / step
    before, after = chord[:-1], chord[1:]
    same = before * after > 0.0
    weights = 2.0 * step[1:] + step[:-1], step[1:] + 2.0 * step[:-1]
    mean = (weights[0] + weights[1]) / (weights[0] / np.where(same, before, 1.0) + weights[1] / np.where(same, after, 1.0))
    return x, y, np.concatenate([[0.0], np.where(same, mean, 0.0), [0.0]])


def capped(
    stations: Sequence[float] | Float[np.ndarray, " sections"],
    widths: Sequence[float] | Float[np.ndarray, " sections"],
    depths: Sequence[float] | Float[np.ndarray, " sections"],
    *,
    caps: tuple[float, float],
    shifts: Sequence[float] | Float[np.ndarray, " sections"] | None = None,
    rings: int = 3,
) -> Sections:
    """Return sections closed by half ellipsoids at both ends.

    Args:
        stations: Where the sections stand along the axis, rising.
        widths: Half extents along the side axis.
        depths: Half extents along the front axis.
        caps: How far the ends bulge below the first and above the last section.
        shifts: How far the middles lie in front of the axis; 0 by default.
        rings: Rings of vertices in a cap, its pole counted as one.
    """
    turn = 0.5 * np.pi * np.arange(rings) / rings
    rise, shrink = np.cos(turn), np.sin(turn)  # from the pole, which has radius zero, to just before the equator
    given = [np.asarray(values, dtype=np.float64) for values in (stations, widths, depths)]
    moved = np.zeros(len(given[0])) if shifts is None else np.asarray(shifts, dtype=np.float64)
    low, high = given[0][0] - caps[0] * rise, given[0][-1] + caps[1] * rise[::-1]
    wide, deep = (np.concatenate([values[0] * shrink, values, values[-1] * shrink[::-1]]) for values in given[1:])
    return Sections(
        np.concatenate([low, given[0], high]),
        wide,
        deep,
        np.concatenate([np.full(rings, moved[0]), moved, np.full(rings, moved[-1])]),
    )


def loft(
    sections: Sections,
    frame: Float[np.ndarray, "3 3"],
    origin: Vector,
    *,
    segments: int = 14,
    exponent: float = 2.0,
    between: tuple[float, float] = (-np.inf, np.inf),
) -> Solid:
    """Skin sections.

    Args:
        sections: The ellipses.
        frame: Unit vectors as rows: side, axis, front, as `axes` returns them, shape (3, 3).
        origin: Where station zero is, shape (3,).
        segments: Vertices in a ring.
        exponent: 2 for ellipses, more for rounded rectangles (Lame's curves).
        between: Least and greatest coordinate along front; what lies beyond is pressed flat.
    """
    sides, fronts = _ring(segments, exponent)
    across = sections.widths[:, None] * sides
    ahead = np.clip(sections.shifts[:, None] + sections.depths[:, None] * fronts, *between)
    along = np.broadcast_to(sections.stations[:, None], across.shape)
    grid = np.stack([across, along, ahead], axis=-1)
    poles = grid[[0, -1], 0]
    poles[:, 0] = 0.0
    local = np.concatenate([poles[:1], grid[1:-1].reshape(-1, 3), poles[1:]])
    return Solid(local @ frame + origin, _skin(len(sections.stations) - 2, segments))


def capsule(start: Vector, end: Vector, radii: tuple[float, float], *, segments: int = 10, rings: int = 3) -> Solid:
    """Make a capsule that tapers from one ball to another; with both at one place a ball."""
    length = float(np.linalg.norm(end - start))
    frame = axes(end - start, np.array([0.0, 0.0, 1.0]))
    if length < 1e-9:
        return loft(
            capped([0.0], [max(radii)], [max(radii)], caps=(max(radii),) * 2, rings=rings), frame, start, segments=segments
        )
    return loft(capped([0.0, length], radii, radii, caps=radii, rings=rings), frame, start, segments=segments)


def ellipsoid(
    centre: Vector, frame: Float[np.ndarray, "3 3"], half_sizes: tuple[float, float, float], *, segments: int = 14, rings: int = 5
) -> Solid:
    """Make an ellipsoid with half sizes along side, axis and front."""
    wide, high, deep = half_sizes
    return loft(capped([0.0], [wide], [deep], caps=(high, high), rings=rings), frame, centre, segments=segments)


def merge(solids: Sequence[Solid]) -> Solid:
    """Put solids into one; they keep their own surfaces."""
    starts = np.cumsum([0, *(len(solid.vertices) for solid in solids)])
    return Solid(
        np.concatenate([solid.vertices for solid in solids]),
        np.concatenate([solid.faces + start for solid, start in zip(solids, starts, strict=False)]),
    )


def vertex_normals(solid: Solid) -> Float[np.ndarray, "vertices 3"]:
    """Return the mean of the normals of each vertex's faces, weighted by area; unit."""
    corners = solid.vertices[solid.faces]
    weighted = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    count = len(solid.vertices)
    index = solid.faces.T.ravel()
    total = np.stack([np.bincount(index, np.tile(weighted[:, k], 3), count) for k in range(3)], axis=-1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-300))


@lru_cache(maxsize=64)
def _ring(segments: int, exponent: float) -> tuple[np.ndarray, np.ndarray]:
    angle = 2.0 * np.pi * np.arange(segments) / segments
    around = np.stack([np.cos(angle), np.sin(angle)])
    around = np.where(np.abs(around) < 1e-12, 0.0, np.sign(around) * np.abs(around) ** (2.0 / exponent))
    around.setflags(write=False)
    return around[0], around[1]


@lru_cache(maxsize=256)
def _skin(rings: int, segments: int) -> Int[np.ndarray, "faces 3"]:
    """Faces between a pole, some rings and another pole."""
    here = np.arange(segments)
    after = (here + 1) % segments
    low = (1 + segments * np.arange(rings - 1)[:, None] + here).ravel()
    low_after = (1 + segments * np.arange(rings - 1)[:, None] + after).ravel()
    high, high_after = low + segments, low_after + segments
    last = 1 + segments * (rings - 1)
    faces = np.concatenate(
        [
            np.stack([np.zeros_like(here), 1 + here, 1 + after], axis=-1),
            np.stack([low, high, low_after], axis=-1),
            np.stack([low_after, high, high_after], axis=-1),
            np.stack([last + here, np.full_like(here, last + segments), last + after], axis=-1),
        ]
    )
    faces.setflags(write=False)
    return faces
