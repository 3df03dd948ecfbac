"""Clips one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kinematics.edit._inertial import (
    angular_offset_velocity,
    bend,
    decay,
    difference,
    end_of_rotations,
    end_of_vectors,
    root_and_bones,
    window,
)
from kinematics.edit._match import alike
from kinematics.edit._travel import body_joint, on_ground, turn
from kinematics.edit.blend import mix
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import forward_kinematics
from kinematics.frames import up_axis
from kinematics.motion import Motion
from kinematics.rotations import quaternion, swing_twist
from kinematics.skeleton import Skeleton

JOINS = ("inertial", "crossfade", "cut")


def concatenate(
    motions: Sequence[Motion], *, join: str = "inertial", duration_s: float | int = 0.3, align: bool = True, up: str = "Y"
) -> Motion:
    """Return the clips one after the other, on the first one's skeleton and frame rate.

    A clip at another rate is resampled; one with the same joints in another order is matched by name.

    - "inertial": no frame of any clip is dropped; the first frame of a clip comes one frame after the last of the one
      before. What then differs, in pose and velocity, is added to the new clip and dies away over `duration_s` (Bollo,
      "Inertialization", GDC 2018; `kinematics.edit._inertial` has the curve). Positions and velocities are continuous.
    - "crossfade": the last `duration_s` of a clip and the first of the next are played at once, slerped from the one to
      the other with the smooth weight 3 s^2 - 2 s^3.
    - "cut": frames as they are.

    With `align` each clip is first turned about up and shifted on the ground to go on where the one before ends: with the
    velocity of its last step, or (crossfade) both clips in one place in the middle of the overlap. An inertial join puts
    the new clip where a difference in ground speed or turning rate has run out (v0 t1 / 2 ahead), so that a runner who
    stops does not slide back. Feet may slide within `duration_s`.

    Args:
        motions: At least one clip, all of one skeleton.
        join: "inertial", "crossfade" or "cut".
        duration_s: Seconds of the transition, shortened where a clip is shorter.
        align: Whether clips are moved; False leaves each where it stands (and an inertial join slides the gap shut).
        up: The world's up axis.

    Raises:
        InputError: Without clips, on a negative duration, or where skeletons differ.
        UnknownNameError: On an unknown join or axis.
    """
    axis = up_axis(up)
    if join not in JOINS:
        raise UnknownNameError("join", join, JOINS)
    if not motions:
        raise InputError("concatenate needs at least one clip")
    if not (duration_s >= 0 and math.isfinite(duration_s)):
        raise InputError(f"duration_s must be a number of seconds, 0 or more, got {duration_s}")
    clips = alike(motions)
    pieces: list[Motion] = []
    for following in [clip for clip in clips if clip.num_frames]:
        if not pieces:
            pieces.append(following)
        elif join == "crossfade":
            pieces[-1:] = _crossfade(pieces[-1], following, float(duration_s), align, axis)
        else:
            pieces.append(_follow(pieces[-1], following, float(duration_s) if join == "inertial" else 0.0, align, axis))
    return _stack(pieces) if pieces else clips[0]


def _follow(before: Motion, after: Motion, duration: float, align: bool, up: np.ndarray) -> Motion:
    """Return `after`, moved and bent to go on one frame after the end of `before`."""
    duration = min(duration, after.duration)
    if align:
        after = _aligned(before, after, duration, up)
    if duration == 0.0:
        return after
    step = before.frame_time
    times = np.arange(after.num_frames) * step
    goal, own = _one_later(before), _at_start(after)
    goal = goal if before.num_frames > 1 else goal.at_velocity_of(own)
    bones = decay(goal.vectors - own.vectors, goal.velocities - own.velocities, times, duration)
    offset = difference(own.rotations, goal.rotations)
    rate = angular_offset_velocity(offset, goal.spins, own.spins)
    return bend(after, bones, decay(offset, rate, times, duration))


def _crossfade(before: Motion, after: Motion, duration: float, align: bool, up: np.ndarray) -> list[Motion]:
    """Return the pieces that take the place of `before` and `after`."""
    count = min(round(duration / before.frame_time), before.num_frames, after.num_frames)
    if count == 0:
        return [before, _follow(before, after, 0.0, align, up)]
    start = before.num_frames - count
    if align:
        middle = count // 2
        goal, own = _at_start(_body(before[start + middle :][:1])), _at_start(_body(after[middle : middle + 1]))
        angle = _facing(own, goal, up)
        at = quaternion.rotate(quaternion.from_axis_angle(up, angle), own.vectors[0])
        after = turn(after, up, angle, on_ground(goal.vectors[0] - at, up))
    s = np.arange(1, count + 1) / (count + 1)
    overlap = mix(before[start:], after[:count], s**2 * (3.0 - 2.0 * s))
    return [before[:start], _stack([overlap, after[count:]])]


def _aligned(before: Motion, after: Motion, duration: float, up: np.ndarray) -> Motion:
    """Move `after` to where the ground velocity and turning rate of `before` lead it."""
    frames = window(before.frame_time)
    goal, own = _one_later(_body(before[-frames:])), _at_start(_body(after[:frames]))
    goal = goal if before.num_frames > 1 else goal.at_velocity_of(own)
    angle = _facing(own, goal, up) + 0.5 * duration * float((goal.spins[0] - own.spins[0]) @ up)
    rotation = quaternion.from_axis_angle(up, angle)
    slower = goal.velocities[0] - quaternion.rotate(rotation, own.velocities[0])
    place = goal.vectors[0] + 0.5 * duration * slower
    return turn(after, up, angle, on_ground(place - quaternion.rotate(rotation, own.vectors[0]), up))


@dataclass(frozen=True, eq=False)
class _State:
    """Positions (rows, 3) and rotations (joints, 4) at one time, and their velocities (per second)."""

    vectors: np.ndarray
    velocities: np.ndarray
    rotations: np.ndarray
    spins: np.ndarray

    def at_velocity_of(self, other: _State) -> _State:
        return replace(self, velocities=other.velocities, spins=other.spins)


def _one_later(motion: Motion) -> _State:
    """Return the state one frame after the last, going on with its velocity and acceleration."""
    step, vectors = motion.frame_time, root_and_bones(motion)
    velocity, acceleration = end_of_vectors(vectors, step)
    spin, faster = end_of_rotations(motion.local_rotations, step)
    further = quaternion.from_rotation_vector(spin * step + 0.5 * faster * step**2)
    return _State(
        vectors[-1] + velocity * step + 0.5 * acceleration * step**2,
        velocity + acceleration * step,
        quaternion.multiply(further, motion.local_rotations[-1]),
        spin + faster * step,
    )


def _at_start(motion: Motion) -> _State:
    """Return the state of the first frame."""
    vectors, rotations = root_and_bones(motion), motion.local_rotations
    velocity, spin = end_of_vectors(vectors[::-1], motion.frame_time)[0], end_of_rotations(rotations[::-1], motion.frame_time)[0]
    return _State(vectors[0], -velocity, rotations[0], -spin)


def _body(motion: Motion) -> Motion:
    """Return the pelvis (or root) in the world as a motion of one joint."""
    transforms = forward_kinematics(motion)
    joint = body_joint(motion)
    one = Skeleton(motion.skeleton.joint_names[joint : joint + 1], np.array([-1]), np.zeros((1, 3)))
    return Motion(one, transforms.global_positions[:, joint], transforms.global_rotations[:, [joint]], motion.frame_time)


def _facing(own: _State, goal: _State, up: np.ndarray) -> float:
    """Return the angle about up from one body to another."""
    between = quaternion.multiply(goal.rotations[0], quaternion.inverse(own.rotations[0]))
    return float(swing_twist.twist_angle(between, up))


def _stack(motions: Sequence[Motion]) -> Motion:
    """Put frames together, with the files' numbers where all pieces have them in one layout."""
    first = motions[0]
    if len(motions) == 1:
        return first
    moving = [m.local_positions for m in motions if m.local_positions is not None]
    values = [m.source.channel_values for m in motions if m.source.channel_values is not None]
    same = all(m.skeleton.layout == first.skeleton.layout for m in motions)
    whole = same and len(values) == len(motions) and all(len(v) == len(m) for v, m in zip(values, motions, strict=True))
    return replace(
        first,
        root_positions=np.concatenate([m.root_positions for m in motions]),
        local_rotations=np.concatenate([m.local_rotations for m in motions]),
        local_positions=np.concatenate(moving) if moving else None,
        source=replace(first.source, channel_values=np.concatenate(values) if whole else None),
    )
