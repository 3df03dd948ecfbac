"""Where stick figures are seen from: an orthographic camera that stays where it is in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.errors import UnknownNameError

# Degrees around the body from its front (0) towards its right side (90), and degrees above the horizon.
VIEWS = {"front": (0.0, 8.0), "three_quarter": (45.0, 14.0), "side": (90.0, 5.0)}
TRAVELLING = (62.0, 11.0)  # "auto" for a body that goes somewhere: from the side, turned a little to the viewer


@dataclass(frozen=True, eq=False)
class Camera:
    """An orthographic camera, fixed in the world: a turn is seen as a turn.

    Attributes:
        page_axes: Unit vectors in the world, rows: right on the page, up on the page, towards the viewer; shape (3, 3).
    """

    page_axes: Float[np.ndarray, "3 3"]

    def project(self, points: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """Return right, up and nearness on the page of world points, in their own unit."""
        page: np.ndarray = points @ self.page_axes.T
        return page


def place_camera(facing: Float[np.ndarray, "3"], *, view: str = "auto", travels: bool = False) -> Camera:
    """Place a camera around a body in a Y-up world.

    From the side the body faces right on the page, so its right side is near.

    Args:
        facing: Unit vector in the ground plane that the body faces.
        view: "front", "side", "three_quarter" or "auto": nearly from the side for a body that travels, else three quarters.
        travels: Whether the body goes somewhere; used by "auto".

    Raises:
        UnknownNameError: On another view.
    """
    if view == "auto":
        around, above = TRAVELLING if travels else VIEWS["three_quarter"]
    elif view in VIEWS:
        around, above = VIEWS[view]
    else:
        raise UnknownNameError("view", view, ("auto", *VIEWS))
    around, above = np.radians(around), np.radians(above)
    up = np.array([0.0, 1.0, 0.0])
    left = np.cross(up, facing)
    level = np.cos(around) * facing - np.sin(around) * left
    right = np.cross(up, level)
    return Camera(np.stack([right, np.cos(above) * up - np.sin(above) * level, np.cos(above) * level + np.sin(above) * up]))
