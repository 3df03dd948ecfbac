"""Gizmos in the browser at the handles of a body: arrows and squares that are dragged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import viser
from jaxtyping import Float

from kinematics.viewer.reach_handles import Handle

SIZE = 0.1  # of a gizmo, in body heights
Listener = Callable[[str, str, int | None, Float[np.ndarray, "3"]], None]


class Gizmos:
    """The gizmos of one body."""

    def __init__(self, server: viser.ViserServer, name: str, handles: Sequence[Handle], height: float, listen: Listener) -> None:
        """Add a gizmo at each handle.

        Args:
            server: The server of the page.
            name: Scene node to add them below.
            handles: Where the body can be taken hold of.
            height: Of the body, metres.
            listen: Called with the handle's name, the phase of a drag ("start", "update", "end"), the browser's number and the
                gizmo's position on the stage, in metres; in the order in which the browser sends them.
        """
        self._gizmos: dict[str, Any] = {}
        for index, handle in enumerate(handles):
            node = f"{name}/{index}"
            gizmo = server.scene.add_transform_controls(
                node, scale=SIZE * height, disable_rotations=True, line_width=3.0, depth_test=False, opacity=1.0
            )
            gizmo.on_update(_listener(handle.name, listen))
            self._gizmos[handle.name] = gizmo

    def place(self, positions: Float[np.ndarray, "handles 3"], *, but: str = "") -> None:
        """Put the gizmos where the handles are on the stage, in metres, but the dragged one, which a hand holds."""
        for (name, gizmo), position in zip(self._gizmos.items(), positions, strict=True):
            if name != but:
                gizmo.position = position

    def remove(self) -> None:
        """Take them off the page."""
        for gizmo in self._gizmos.values():
            gizmo.remove()


def _listener(name: str, listen: Listener) -> Callable[[Any], Any]:
    async def on_update(event: Any) -> None:  # asynchronous ones run in order, others in any
        listen(name, event.phase, event.client_id, np.array(event.target.position, dtype=np.float64))

    return on_update
