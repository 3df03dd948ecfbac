"""Bring a clip into the project's world: metres, Y up, right-handed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import heading, rotation_to_y_up
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.world import WorldReport, inspect_world, metres_in

FACINGS = {"+Z": 0.0, "+X": 0.5 * np.pi, "-Z": np.pi, "-X": -0.5 * np.pi}


@dataclass(frozen=True)
class Standardized:
    """A motion in metres with Y up, and what its file was taken to be.

    Attributes:
        motion: The converted motion.
        report: Unit, up axis, handedness and facing of the file, each with a confidence.
    """

    motion: Motion
    report: WorldReport


def standardize(
    motion: Motion,
    *,
    unit: str | float | None = None,
    up: str | None = None,
    handedness: str | None = None,
    forward: str | None = None,
) -> Standardized:
    """Convert a clip to metres and Y up, inferring from the moving body what is not given.

    Only the root turns and every length is scaled: joint frames, names and channel layout stay, nothing is mirrored, and
    the body keeps its place and facing in the world (Z up becomes Y up by -90 degrees about X). `report` says what was
    inferred and how sure that is; `print(result.report)` shows it.

    Args:
        motion: The clip as read, in any unit and axes.
        unit: Unit of the file: a name out of `world.METRES` ("m", "cm", "inch", "CMU" ...), or metres in one unit.
        up: Up axis of the file: "X", "Y", "Z", "-X", "-Y" or "-Z".
        handedness: "right" to skip the check for a mirrored body.
        forward: Turn the whole clip about Y so that the first frame faces "+Z", "+X", "-Z" or "-X"; kept by default.

    Raises:
        InputError: Where the body is mirrored (its toes and knees point backwards when left is left), or the scale is not
            positive.
        UnknownNameError: On an unknown unit, axis or facing.
    """
    if handedness not in (None, "right"):
        raise UnknownNameError("handedness", handedness, ["right"])
    if forward is not None and forward not in FACINGS:
        raise UnknownNameError("facing", forward, FACINGS)
    report = inspect_world(motion, unit=unit, up=up)
    if handedness is None and report.handedness.value == "left-handed":
        raise InputError(
            f"the body is mirrored, as a left-handed file read as right-handed is ({report.handedness.reason}); only a "
            "reflection could mend it: export it again right-handed, swap left and right in its joint names, or pass "
            "handedness='right' to take it as it is"
        )
    return Standardized(_convert(motion, report, forward), report)


def express(motion: Motion, *, unit: str | float = "m", up: str = "Y") -> Motion:
    """Write a motion of the project's world (metres, Y up) in another unit and up axis; the inverse of `standardize`.

    Args:
        motion: The clip, in metres with Y up.
        unit: Unit of the result: a name out of `world.METRES`, or metres in one unit.
        up: Up axis of the result, out of `frames.UP_AXES`.

    Raises:
        InputError: On a scale that is not positive.
        UnknownNameError: On an unknown unit or axis.
    """
    return _transform(motion, quaternion.inverse(rotation_to_y_up(up)), 1.0 / metres_in(unit))


def _convert(motion: Motion, report: WorldReport, forward: str | None) -> Motion:
    rotation = rotation_to_y_up(report.up.value)
    if forward is not None and motion.num_frames:
        turn = FACINGS[forward] - float(heading(motion[:1], up=report.up.value).angles[0])
        rotation = quaternion.multiply(quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), turn), rotation)
    return _transform(motion, rotation, report.metres_per_unit)


def _transform(motion: Motion, rotation: np.ndarray, scale: float) -> Motion:
    """Turn the world and scale every length; joint frames stay. The very motion where nothing changes."""
    turns = not np.array_equal(rotation, quaternion.IDENTITY)
    if scale == 1.0 and not turns:
        return motion
    skeleton = motion.skeleton
    offsets = scale * skeleton.offsets
    offsets[0] = quaternion.rotate(rotation, offsets[0])  # the root's OFFSET stands in the world
    local_rotations = motion.local_rotations
    if turns:
        local_rotations = local_rotations.copy()
        local_rotations[:, 0] = quaternion.multiply(rotation, local_rotations[:, 0])
    return Motion(
        skeleton=skeleton.with_offsets(offsets, scale * skeleton.end_site_offsets),
        root_positions=scale * quaternion.rotate(rotation, motion.root_positions),
        local_rotations=local_rotations,
        frame_time=motion.frame_time,
        local_positions=None if motion.local_positions is None else scale * motion.local_positions,
        source=replace(motion.source, channel_values=None),
    )
