"""Cameras look at a body from where their names say."""

from __future__ import annotations

import numpy as np
import pytest

from kinematics.errors import UnknownNameError
from kinematics.viewer.camera import VIEWS, place_camera

X, Y, Z = np.eye(3)


@pytest.mark.parametrize("view", ["auto", *VIEWS])
@pytest.mark.parametrize("angle", [0.0, 1.0, 4.0])
def test_page_axes_are_right_handed_and_up_is_up(view: str, angle: float) -> None:
    axes = place_camera(np.array([np.sin(angle), 0.0, np.cos(angle)]), view=view).page_axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert axes[0] @ Y == pytest.approx(0.0, abs=1e-12)  # the horizon is level
    assert axes[1] @ Y > 0.9
    assert axes[2] @ Y >= 0.0  # seen from above


def test_front_shows_the_left_hand_on_the_right_of_the_page() -> None:
    camera = place_camera(Z, view="front")
    np.testing.assert_allclose(camera.project(X), [1.0, 0.0, 0.0], atol=1e-12)
    assert camera.project(Z)[2] > 0.9


def test_side_shows_the_body_facing_right_with_its_right_side_near() -> None:
    camera = place_camera(X, view="side")  # facing +X, left is -Z
    np.testing.assert_allclose(camera.project(X), [1.0, 0.0, 0.0], atol=1e-12)
    assert camera.project(Z)[2] > 0.9


def test_auto_turns_to_the_side_of_a_body_that_travels() -> None:
    still, going = (place_camera(Z, travels=travels).project(Z)[0] for travels in (False, True))
    assert 0.5 < still < going < 1.0


def test_unknown_view_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="three_quarter"):
        place_camera(Z, view="three quarter")
