"""What a body should do: its clips at the control rate, as MuJoCo's numbers and as bodies in the world."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from imitate.bodies import Bodies, make_bodies, make_tree, move
from imitate.character.character import Character, to_qpos
from imitate.cycles import find_cycle
from imitate.errors import ImitationError
from kinematics._arrays import FrozenArrays
from kinematics.edit.loop import loop
from kinematics.edit.resample import resample
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.velocities import differentiate, differentiate_rotations

SHORTEST_S = 0.3  # of a clip, seconds
LAST_START_S = 0.3  # before the end of a clip that is not cyclic, seconds


@dataclass(frozen=True, eq=False)
class Reference(FrozenArrays):
    """One or more clips in MuJoCo's numbers, one after another. World: Z up, metres, seconds; B bodies without the world.

    A cyclic clip is unrolled: its cycle over and over, each from where the last one ended, so that an episode that starts
    anywhere in the first cycle finds its frames to the horizon.

    Attributes:
        qpos: Root position and quaternion wxyz, then hinge angles, shape (F, nq).
        qvel: MuJoCo's velocities (root: linear in the world, angular in its own frame), shape (F, nv).
        body_positions: Origins of the bodies, shape (F, B, 3).
        body_rotations: Quaternions wxyz, shape (F, B, 4).
        body_linear_velocities: World frame, shape (F, B, 3).
        body_angular_velocities: World frame, rad/s, shape (F, B, 3).
        center_of_mass: Shape (F, 3).
        center_of_mass_velocity: Shape (F, 3).
        lowest: Height of the lowest point of each body's colliding shapes, inf without one, shape (F, B).
        phase: Place in the clip or in its cycle, in [0, 1), shape (F,).
        clips: Which clip each frame belongs to, shape (F,).
        loops: Whether that clip is cyclic, shape (F,).
        ends: Last frame of that clip, shape (F,).
        starts: Frames at which an episode may start, shape (S,).
        first_frames: First frame of each clip, shape (clips,).
        cyclic: Whether all clips are.
        control_rate: Frames a second.
    """

    qpos: Float[np.ndarray, "F nq"]
    qvel: Float[np.ndarray, "F nv"]
    body_positions: Float[np.ndarray, "F B 3"]
    body_rotations: Float[np.ndarray, "F B 4"]
    body_linear_velocities: Float[np.ndarray, "F B 3"]
    body_angular_velocities: Float[np.ndarray, "F B 3"]
    center_of_mass: Float[np.ndarray, "F 3"]
    center_of_mass_velocity: Float[np.ndarray, "F 3"]
    lowest: Float[np.ndarray, "F B"]
    phase: Float[np.ndarray, " F"]
    clips: Int[np.ndarray, " F"]
    loops: Bool[np.ndarray, " F"]
    ends: Int[np.ndarray, " F"]
    starts: Int[np.ndarray, " S"]
    first_frames: Int[np.ndarray, " clips"]
    cyclic: bool
    control_rate: float

    def __post_init__(self) -> None:
        """Lock every array."""
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, np.ndarray):
                value = np.array(value, order="C")
                value.setflags(write=False)
                object.__setattr__(self, each.name, value)

    def __repr__(self) -> str:
        """Return a short summary."""
        kind = "cyclic" if self.cyclic else f"{self.num_frames / self.control_rate:.3g} s"
        return f"Reference({len(self.first_frames)} clips, {kind}, {self.num_frames} frames at {self.control_rate:g} Hz)"

    @property
    def num_frames(self) -> int:
        """Frames of all clips together."""
        return len(self.qpos)

    @property
    def bodies(self) -> Bodies:
        """The same bodies as kernels take them; frames are rows."""
        return Bodies(
            self.body_positions, self.body_rotations, self.body_linear_velocities, self.body_angular_velocities,
            self.center_of_mass, self.center_of_mass_velocity, self.lowest,
        )  # fmt: skip


def make_reference(
    character: Character,
    motions: Motion | Sequence[Motion],
    *,
    control_rate: float | int = 30.0,
    cyclic: bool | None = None,
    horizon_s: float | int = 20.0,
    standardized: bool = False,
) -> Reference:
    """Bring clips to the control rate and into the body's numbers; unroll cyclic ones.

    Args:
        character: The body.
        motions: A clip, or several.
        control_rate: Frames a second of the result.
        cyclic: Whether the clips go round; None finds out for each (see `cycles.find_cycle`). True takes the best cycle
            there is.
        horizon_s: Seconds that a cyclic clip goes on after any start.
        standardized: The clips are in metres with Y up already, which is not inferred again; see `to_qpos`.

    Raises:
        ImitationError: On no clip, one shorter than 0.3 s, or a rate that is not positive.
    """
    clips = [motions] if isinstance(motions, Motion) else list(motions)
    if not clips:
        raise ImitationError("there is no clip to imitate; give at least one")
    if not (control_rate > 0 and horizon_s > 0):
        raise ImitationError(f"control_rate and horizon_s must be positive, got {control_rate} and {horizon_s}")
    pieces = [_piece(character, clip, float(control_rate), cyclic, float(horizon_s), standardized) for clip in clips]
    lengths = np.array([len(qpos) for qpos, _ in pieces])
    firsts = np.cumsum(lengths) - lengths
    qpos, qvel = np.concatenate([qpos for qpos, _ in pieces]), []
    for angles, _ in pieces:
        qvel.append(velocities(angles, 1.0 / float(control_rate)))
    phases, starts = [], []
    for (angles, period), first in zip(pieces, firsts, strict=True):
        frames = np.arange(len(angles))
        phases.append((frames % period) / period if period else frames / len(frames))
        last = period or max(1, len(frames) - 1 - math.ceil(LAST_START_S * control_rate))
        starts.append(first + np.arange(last))
    speeds = np.concatenate(qvel)
    bodies = bodies_of(character, qpos, speeds)
    loops = np.array([period > 0 for _, period in pieces])
    return Reference(
        qpos, speeds, *bodies,
        phase=np.concatenate(phases),
        clips=np.repeat(np.arange(len(pieces)), lengths),
        loops=np.repeat(loops, lengths),
        ends=np.repeat(firsts + lengths - 1, lengths),
        starts=np.concatenate(starts),
        first_frames=firsts,
        cyclic=bool(loops.all()),
        control_rate=float(control_rate),
    )  # fmt: skip


def unroll(
    character: Character,
    clip: Motion,
    *,
    control_rate: float | int = 30.0,
    cyclic: bool | None = None,
    horizon_s: float | int = 20.0,
    standardized: bool = False,
) -> tuple[Motion, int]:
    """Bring a clip to the control rate, and repeat its cycle where it goes round: frame by frame what a reference is made of.

    The arguments are those of `make_reference`.

    Returns:
        The clip, and the frames in its cycle, 0 where it does not go round.

    Raises:
        ImitationError: On a clip shorter than 0.3 s.
    """
    rate = float(control_rate)
    clip = resample(clip, rate)
    if clip.num_frames < max(4, SHORTEST_S * rate):
        raise ImitationError(
            f"the clip lasts {clip.duration:.3g} s, {clip.num_frames} frames at {rate:g} Hz; at least {SHORTEST_S:g} s are needed"
        )
    if cyclic is False:
        return clip, 0
    qpos = to_qpos(character, clip, standardized=standardized)
    bodies = bodies_of(character, qpos, velocities(qpos, 1.0 / rate))
    found = find_cycle(bodies, make_tree(character.model).upright, rate, height=character.height, whatever=bool(cyclic))
    if found is None:
        return clip, 0
    first, last = found
    period = last - first
    repeats = math.ceil((period + horizon_s * rate) / period)
    return loop(clip[first : last + 1], repeats=repeats), period


def _piece(
    character: Character, clip: Motion, rate: float, cyclic: bool | None, horizon_s: float, standardized: bool
) -> tuple[np.ndarray, int]:
    """Return one clip's qpos and the frames in its cycle, 0 where it does not go round."""
    clip, period = unroll(character, clip, control_rate=rate, cyclic=cyclic, horizon_s=horizon_s, standardized=standardized)
    return to_qpos(character, clip, standardized=standardized), period


def velocities(qpos: Float[np.ndarray, "F nq"], frame_time: float) -> Float[np.ndarray, "F nv"]:
    """Return MuJoCo's velocities of a path of one free root and hinges, by central differences, shape (F, nv).

    Args:
        qpos: Root position and quaternion wxyz, then hinge angles, shape (F, nq).
        frame_time: Seconds between frames.
    """
    turns = qpos[:, 3:7]
    spins = quaternion.rotate(quaternion.inverse(turns), differentiate_rotations(turns, frame_time))
    return np.concatenate([differentiate(qpos[:, :3], frame_time), spins, differentiate(qpos[:, 7:], frame_time)], axis=1)


def bodies_of(character: Character, qpos: Float[np.ndarray, "F nq"], qvel: Float[np.ndarray, "F nv"]) -> Bodies:
    """Return where the bodies are in each frame; see `Bodies`."""
    tree = make_tree(character.model)
    bodies = make_bodies(len(qpos), len(tree.parents))
    move(tree, np.ascontiguousarray(qpos), np.ascontiguousarray(qvel), np.arange(len(qpos)), bodies)
    return bodies
