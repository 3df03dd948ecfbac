"""Targets and rest poses as command lines name them."""

from __future__ import annotations

import re
from pathlib import Path

from kinematics.errors import InputError
from kinematics.io import load_motion
from kinematics.motion import Motion, Pose
from retarget.robots import Robot, is_robot, load_robot


def load_target(name: str | Path) -> Motion | Robot:
    """Read what a motion shall be put on.

    Args:
        name: A motion file (.bvh, .npz) with the target's skeleton; or a robot: its model (.xml), or its name in MuJoCo
            Menagerie ("unitree_g1").

    Raises:
        InputError: Where the file is missing or cannot be read.
        UnknownNameError: Where no robot has that name.
        MissingExtraError: Where a robot needs a package that is not installed.
        RetargetError: Where the model is none of a robot that can be posed.
    """
    return load_robot(name) if is_robot(name) else load_motion(name)


def load_rest(text: str | None) -> Motion | Pose | int | None:
    """Read a rest pose as `retarget` takes it.

    Args:
        text: A motion file, whose first frame it is; "FILE@12", frame 12 of a file; "12", frame 12 of the clip itself; or None.

    Raises:
        InputError: Where the file is missing, cannot be read, or has no such frame.
    """
    if text is None:
        return None
    file, frame = _parsed(text)
    if file is None:
        return frame
    clip = load_motion(file)
    if not -clip.num_frames <= frame < clip.num_frames:
        raise InputError(f"the rest pose is to be frame {frame} of {str(file)!r}, which has {clip.num_frames} frames")
    return clip[frame]


def rest_file(text: str | None) -> Path | None:
    """Return the file that a rest pose is read from; None where it is a frame of the clip itself, or there is none."""
    return None if text is None else _parsed(text)[0]


def _parsed(text: str) -> tuple[Path | None, int]:
    if re.fullmatch(r"-?\d+", text):
        return None, int(text)
    file, _, frame = text.rpartition("@")
    if file and re.fullmatch(r"-?\d+", frame) and not Path(text).is_file():
        return Path(file), int(frame)
    return Path(text), 0
