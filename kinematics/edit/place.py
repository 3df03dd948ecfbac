"""Where a clip stands and which way it faces, without a change of its poses."""

from __future__ import annotations

import math

import numpy as np

from kinematics.edit._travel import find_path, turn
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import up_axis
from kinematics.motion import Motion
from kinematics.rotations import quaternion


def rotate(motion: Motion, radians: float | int, *, up: str = "Y") -> Motion:
    """Return the clip turned about the up axis through the origin; positive turns to the left, as seen by the body.

    Raises:
        UnknownNameError: On an unknown axis.
        InputError: Where the angle is not finite.
    """
    return turn(motion, up_axis(up), _finite(radians, "radians"), np.zeros(3))


def place(
    motion: Motion,
    position: tuple[float | int, float | int] | None = None,
    *,
    heading_radians: float | int | None = None,
    frame: int = 0,
    up: str = "Y",
) -> Motion:
    """Return the clip moved over the ground so that one frame has the given place and heading.

    The whole clip is turned about up and shifted across it; heights and poses stay. The place is the pelvis's (the root's
    where none is found), the heading that of `kinematics.frames.heading`: 0 faces +Z where Y is up, -Y where Z is up.

    Args:
        motion: The clip.
        position: The two ground coordinates in the motion's unit and in alphabetical order: (x, z) where Y is up, (x, y)
            where Z is up. None keeps the place.
        heading_radians: Heading about up, positive to the left. None keeps the heading.
        frame: The frame that gets them; negative counts from the end.
        up: The world's up axis, such as "Y", "Z" or "-Y".

    Raises:
        InputError: Where the frame is outside the clip, or a number not finite.
        UnknownNameError: On an unknown axis.
    """
    axis = up_axis(up)
    if motion.num_frames == 0:
        return motion
    if not -motion.num_frames <= frame < motion.num_frames:
        raise InputError(f"frame must lie within the clip of {motion.num_frames} frames, got {frame}")
    path = find_path(motion, up)
    angle = 0.0
    if heading_radians is not None:
        angle = _finite(heading_radians, "heading_radians") - float(path.angles[frame])
    goal = path.ground[frame]
    if position is not None:
        if len(position) != 2:
            raise InputError(f"position must be the two ground coordinates, got {len(position)} numbers")
        goal = np.zeros(3)
        goal[axis == 0.0] = [_finite(value, "position") for value in position]
    return turn(motion, axis, angle, goal - quaternion.rotate(quaternion.from_axis_angle(axis, angle), path.ground[frame]))


def in_place(motion: Motion, *, remove: str = "all", up: str = "Y") -> Motion:
    """Return the clip without its travel over the ground, where its first frame stands; heights and turns stay.

    Args:
        motion: The clip.
        remove: "all" holds the pelvis over one point. "drift" takes off only the even travel from the first frame to the
            last, so that the sway of a walk and its change of speed are kept.
        up: The world's up axis.

    Raises:
        UnknownNameError: On another `remove`, or an unknown axis.
    """
    up_axis(up)
    if remove not in ("all", "drift"):
        raise UnknownNameError("way to remove travel", remove, ("all", "drift"))
    if motion.num_frames < 2:
        return motion
    path = find_path(motion, up)
    travel = path.ground - path.ground[0]
    if remove == "drift":
        travel = np.linspace(0.0, 1.0, motion.num_frames)[:, None] * travel[-1]
    return motion.with_root_positions(motion.root_positions - travel)


def _finite(value: float | int, name: str) -> float:
    if not math.isfinite(value):
        raise InputError(f"{name} must be finite, got {value}")
    return float(value)
