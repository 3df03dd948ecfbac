"""Strokes cover what geometry says they cover."""

from __future__ import annotations

import numpy as np
import pytest

from kinematics.viewer.canvas import Canvas

BLACK = (0, 0, 0)


def covered(canvas: Canvas) -> np.ndarray:
    """Share of each pixel that is black."""
    return 1.0 - canvas.pixels[..., 0].astype(np.float64) / 255.0


@pytest.mark.parametrize("end", [(70.0, 20.5), (20.3, 71.0), (55.2, 63.7)])
def test_stroke_area_is_that_of_a_capsule(end: tuple[float, float]) -> None:
    canvas = Canvas(100, 90)
    start, end = np.array([20.3, 20.5]), np.array(end)
    canvas.stroke(start, end, (4.0, 4.0), BLACK)
    expected = np.pi * 16 + 8 * np.linalg.norm(end - start)
    assert covered(canvas).sum() == pytest.approx(expected, rel=0.01)


def test_tapered_stroke_area_and_band_area() -> None:
    canvas = Canvas(100, 60)
    canvas.stroke(np.array([20.0, 30.0]), np.array([80.0, 30.0]), (6.0, 2.0), BLACK)
    expected = 60 * 8 + np.pi * (36 + 4) / 2
    assert covered(canvas).sum() == pytest.approx(expected, rel=0.02)
    canvas = Canvas(100, 60)
    canvas.band(np.array([20.0, 30.0]), np.array([80.0, 40.0]), (5.0, 3.0), BLACK)
    assert covered(canvas).sum() == pytest.approx(np.hypot(60, 10) * 8, rel=0.02)


def test_ellipse_area_and_centroid_move_by_parts_of_a_pixel() -> None:
    centroids = []
    for shift in (0.0, 0.25):
        canvas = Canvas(80, 80)
        canvas.ellipse(np.array([40.0 + shift, 41.0]), np.array([12.0, 16.0]), np.array([-8.0, 6.0]), BLACK)
        share = covered(canvas)
        assert share.sum() == pytest.approx(np.pi * 20 * 10, rel=0.01)
        centroids.append((share * (np.arange(80) + 0.5)).sum() / share.sum())
    assert centroids == pytest.approx([40.0, 40.25], abs=0.02)


def test_later_strokes_cover_earlier_ones_and_text_lies_above() -> None:
    canvas = Canvas(40, 40)
    canvas.dot(np.array([20.0, 20.0]), 10.0, BLACK)
    canvas.dot(np.array([20.0, 20.0]), 5.0, (255, 0, 0))
    picture = np.asarray(canvas.picture())
    assert tuple(picture[20, 20]) == (255, 0, 0)
    assert tuple(picture[20, 12]) == BLACK
    assert tuple(picture[2, 2]) == (255, 255, 255)


@pytest.mark.parametrize("at", [(-50.0, 10.0), (10.0, 500.0), (1e7, -1e7)])
def test_off_the_sheet_nothing_is_painted(at: tuple[float, float]) -> None:
    canvas = Canvas(40, 30)
    canvas.stroke(np.array(at), np.array(at) + 1.0, (3.0, 2.0), BLACK)
    canvas.band(np.array(at), np.array(at) + 1.0, (3.0, 2.0), BLACK)
    canvas.ellipse(np.array(at), np.array([3.0, 0.0]), np.array([0.0, 2.0]), BLACK)
    assert covered(canvas).sum() == 0.0


def test_shapes_without_extent_are_harmless() -> None:
    canvas = Canvas(40, 30)
    point = np.array([20.0, 15.0])
    canvas.band(point, point, (3.0, 3.0), BLACK)
    canvas.stroke(point, point, (0.0, 0.0), BLACK)
    canvas.ellipse(point, np.zeros(2), np.zeros(2), BLACK)
    assert np.isfinite(canvas.pixels).all()
    assert covered(canvas).sum() < 2.0
