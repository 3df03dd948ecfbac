"""What one row of a picture shows of a motion: which frames, from where, standing on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinematics.body import measure_body
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.frames import heading, rotation_to_y_up
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.standardize import standardize
from kinematics.viewer.camera import Camera, place_camera
from kinematics.viewer.painting import AXES_LENGTH, GROUND_RADIUS, MARK_SIZE
from kinematics.viewer.sticks import Sticks, body_points, mean_facing, plan_sticks
from kinematics.world import inspect_world

POSES = 8
SHORT = 0.7  # of the longest duration, below which a motion gets instants of its own
SAMPLES = 160  # frames of a clip that are looked at for its path, its floor and where it faces
LATE = 0.02  # of a motion: an instant that little after its end shows its last frame
TRAVELS = 0.5  # body heights that a body must go to be seen as travelling
FLOOR_TOLERANCE = 0.06  # body heights between the lowest points and zero within which zero is the floor
FAR_MARK = 2.0  # body heights from the anchor, beyond which a mark is left out
CLIMBS = 1.2  # body heights between the lowest points of two poses beyond which each pose gets its own level


@dataclass(frozen=True, eq=False)
class Row:
    """One motion, ready to be painted. World points are in its unit, with Y up.

    Attributes:
        title: What it is called.
        detail: Its size, length and rate in words.
        unit: Unit of its lengths, "m" or "units".
        camera: What it is seen by.
        facing: Direction of the ground's lines, shape (3,).
        sticks: Its strokes.
        columns: Column of each pose on the page.
        stamps: Time of each pose in words.
        points: World points of each pose, shape (poses, points, 3).
        axes: The root's axes in the world as rows, shape (poses, 3, 3).
        anchors: Point on the ground under each pose, shape (poses, 3).
        headings: Unit vector that each pose faces, shape (poses, 3).
        path: The root's way over the ground, shape (samples, 3).
        step: Distance of the ground's lines.
        grounded: Whether the ground is drawn; not for a body that climbs.
        travels: Whether the body goes somewhere.
        marks: World points of each pose that are marked, NaN where one is left out, shape (poses, marks, 3).
        mark_kinds: The kind of each mark.
    """

    title: str
    detail: str
    unit: str
    camera: Camera
    facing: Float[np.ndarray, "3"]
    sticks: Sticks
    columns: tuple[int, ...]
    stamps: tuple[str, ...]
    points: Float[np.ndarray, "poses points 3"]
    axes: Float[np.ndarray, "poses 3 3"]
    anchors: Float[np.ndarray, "poses 3"]
    headings: Float[np.ndarray, "poses 3"]
    path: Float[np.ndarray, "samples 3"]
    step: float
    grounded: bool
    travels: bool
    marks: Float[np.ndarray, "poses marks 3"]
    mark_kinds: tuple[int, ...]

    def extents(self) -> Float[np.ndarray, "poses 4"]:
        """Return how far each pose reaches left, right, up and down of its anchor on the page, in body heights."""
        sticks = self.sticks
        page = self.camera.project(self.points - self.anchors[:, None]) / sticks.height
        drawn = sticks.drawn_points
        margin = np.full(len(drawn), 0.03 if len(sticks.starts) else 1.1 * AXES_LENGTH)
        if sticks.head >= 0:
            drawn, margin = np.append(drawn, page.shape[1] - 2), np.append(margin, 1.2 * sticks.head_radius)
        page = page[:, drawn]
        if self.mark_kinds:
            marks = self.camera.project(self.marks - self.anchors[:, None]) / sticks.height
            page = np.concatenate([page, np.where(np.isnan(marks), page[:, :1], marks)], axis=1)
            margin = np.append(margin, np.full(len(self.mark_kinds), 1.4 * MARK_SIZE))
        radius = GROUND_RADIUS if self.grounded else 0.05
        disc = radius * float(self.camera.page_axes[2, 1])
        return np.stack(
            [
                np.maximum((margin - page[..., 0]).max(axis=1), radius),
                np.maximum((margin + page[..., 0]).max(axis=1), radius),
                np.maximum((margin + page[..., 1]).max(axis=1), disc),
                np.maximum((margin - page[..., 1]).max(axis=1), disc),
            ],
            axis=-1,
        )


def choose_instants(motions: Sequence[Motion], frames: int | Sequence[int] | None) -> list[Float[np.ndarray, " instants"]]:
    """Return for each motion the times in seconds that its row shows.

    They are the same for all, but where a number of poses is asked for, a motion much shorter than the longest one gets as
    many of its own.

    Raises:
        InputError: On no frames, or frames that the first motion does not have.
    """
    if frames is None or isinstance(frames, int | np.integer):
        count = POSES if frames is None else int(frames)
        if count < 1:
            raise InputError(f"frames must be at least 1, got {count}")
        longest = max(motions, key=_duration)
        return [_spread(longest if _duration(motion) >= SHORT * _duration(longest) else motion, count) for motion in motions]
    chosen, first = [int(frame) for frame in frames], motions[0]
    length = max(first.num_frames, 1)
    if not chosen or any(not -length <= frame < length for frame in chosen):
        raise InputError(f"frames must be indices into the {first.num_frames} frames of the first motion, got {chosen}")
    return [np.array([frame % length for frame in chosen]) * first.frame_time] * len(motions)


def _duration(motion: Motion) -> float:
    return max(motion.num_frames - 1, 0) * motion.frame_time


def _spread(motion: Motion, count: int) -> np.ndarray:
    return np.unique(np.round(np.linspace(0, max(motion.num_frames - 1, 0), count))) * motion.frame_time


def prepare_row(
    motion: Motion,
    instants: Float[np.ndarray, " instants"],
    *,
    title: str,
    view: str,
    camera: Camera | None,
    marks: Mapping[str, Float[np.ndarray, "... 3"]] | None = None,
) -> Row:
    """Choose the frames nearest to the instants and all else that a row shows.

    Args:
        motion: The motion, in any unit and axes.
        instants: Times in seconds; those after its end stay empty.
        title: What the row is called.
        view: As for `draw`.
        camera: The camera to use, or None to place one by `view`.
        marks: As for `draw`.

    Raises:
        InputError: On marks of another number of frames.
    """
    columns, indices = _nearest_frames(motion, instants)
    poses = len(columns)
    clip, unit, turn, scale = _upright(motion, indices)
    transforms = forward_kinematics(clip)
    headings = heading(clip, transforms=transforms).directions
    size = measure_body(clip)
    sticks = plan_sticks(transforms, headings, height=size.height if size.is_body else None)
    points, height = body_points(transforms, sticks), sticks.height
    lowest = points[:, sticks.drawn_points, 1].min(axis=1)
    floor = float(np.percentile(lowest, 5))
    floor = 0.0 if abs(floor) < FLOOR_TOLERANCE * height else floor
    climbs = bool(np.ptp(lowest[:poses]) > CLIMBS * height)
    anchors = points[:poses, sticks.root].copy()
    anchors[:, 1] = lowest[:poses] if climbs else floor
    path = points[poses:, sticks.root] if motion.num_frames else points[:1, sticks.root]
    travels = float(np.ptp(path[:, [0, 2]], axis=0).max()) > TRAVELS * height
    marked, kinds = _marks_at(marks or {}, motion, indices)
    marked = scale * quaternion.rotate(turn, marked)
    far = np.linalg.norm(marked - anchors[:, None], axis=-1) > FAR_MARK * height
    facing, step = mean_facing(headings[-len(path) :]), nice_number(0.27 * height)
    return Row(
        title=title,
        detail=_detail(motion, sticks, step, unit, is_body=size.is_body),
        unit=unit,
        camera=camera or place_camera(facing, view=view, travels=travels),
        facing=facing,
        sticks=sticks,
        columns=columns,
        stamps=_stamps(motion, indices),
        points=points[:poses],
        axes=quaternion.to_matrix(transforms.global_rotations[:poses, 0]).transpose(0, 2, 1),
        anchors=anchors,
        headings=headings[:poses],
        path=path,
        step=step,
        grounded=not climbs,
        travels=travels,
        marks=np.where(far[..., None], np.nan, marked),
        mark_kinds=kinds,
    )


def _marks_at(
    marks: Mapping[str, Float[np.ndarray, "... 3"]], motion: Motion, indices: list[int]
) -> tuple[Float[np.ndarray, "poses marks 3"], tuple[int, ...]]:
    """Return the marks at some frames and the kind of each."""
    found, kinds = [np.zeros((len(indices), 0, 3))], []
    for kind, (name, given) in enumerate(marks.items()):
        points = np.asarray(given, dtype=np.float64)
        if points.ndim not in (2, 3) or points.shape[-1] != 3 or (points.ndim == 3 and len(points) != motion.num_frames):
            allowed = f"(marks, 3) or, for this motion, ({motion.num_frames}, marks, 3)"
            raise InputError(f"marks must have shape {allowed}; {name!r} has {points.shape}")
        found.append(points[indices] if points.ndim == 3 else np.tile(points, (len(indices), 1, 1)))
        kinds += [kind] * found[-1].shape[1]
    return np.concatenate(found, axis=1), tuple(kinds)


def _nearest_frames(motion: Motion, instants: Float[np.ndarray, " instants"]) -> tuple[tuple[int, ...], list[int]]:
    """Return which instants the motion reaches and its frame at each; instant 0 alone where it has no frames."""
    if not motion.num_frames:
        return (0,), [0]
    nearest = np.floor(instants / motion.frame_time + 0.5 + 1e-6).astype(np.int64)
    columns = np.flatnonzero(nearest < motion.num_frames + max(1.0, LATE * motion.num_frames))
    return tuple(columns.tolist()), np.minimum(nearest[columns], motion.num_frames - 1).tolist()


def _upright(motion: Motion, indices: list[int]) -> tuple[Motion, str, np.ndarray, float]:
    """Return the frames at `indices` and then some of the whole clip, with Y up, the name of their unit, turn and scale.

    They are in metres where a body tells the unit, else in the unit of the file.
    """
    skeleton, count = motion.skeleton, motion.num_frames
    if count:
        spread = np.linspace(0, count - 1, min(count, SAMPLES)).astype(np.int64).tolist()
        moving = None if motion.local_positions is None else motion.local_positions[indices + spread]
        roots, rotations = motion.root_positions[indices + spread], motion.local_rotations[indices + spread]
        clip = Motion(skeleton, roots, rotations, motion.frame_time, moving)
    else:
        clip = Motion(skeleton, np.zeros((1, 3)), np.tile(quaternion.IDENTITY, (1, skeleton.num_joints, 1)), motion.frame_time)
    world = inspect_world(motion)
    known = world.is_body and world.unit.confidence > 0.5
    scale = world.metres_per_unit if known else 1.0
    upright = standardize(clip, unit=scale, up=world.up.value, handedness="right").motion
    return upright, "m" if known else "units", rotation_to_y_up(world.up.value), scale


def as_motion(clip: Motion | Pose) -> Motion:
    """Return a pose as a motion of one frame."""
    if isinstance(clip, Motion):
        return clip
    moving = None if clip.local_positions is None else clip.local_positions[None]
    return Motion(clip.skeleton, clip.root_positions[None], clip.local_rotations[None], 1.0, moving)


def default_titles(motions: Sequence[Motion]) -> list[str]:
    """Return the name of each motion's file, else its number among several."""
    many = len(motions) > 1
    return [Path(motion.source.path).stem or (f"motion {index + 1}" if many else "") for index, motion in enumerate(motions)]


def nice_number(value: float) -> float:
    """Return 1, 2 or 5 times a power of ten, whichever is nearest to `value` in ratio."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(min((power * digit for digit in (1.0, 2.0, 5.0, 10.0)), key=lambda nice: abs(np.log(nice / value))))


def _stamps(motion: Motion, indices: list[int]) -> tuple[str, ...]:
    if motion.num_frames < 2:
        return ("" if motion.num_frames else "no frames",) * len(indices)
    return tuple(f"{index * motion.frame_time:.2f} s" for index in indices)


def _detail(motion: Motion, sticks: Sticks, step: float, unit: str, *, is_body: bool) -> str:
    words = []
    if len(sticks.starts):
        number = f"{sticks.height:.2f}" if 0.1 < sticks.height < 100 else f"{sticks.height:.3g}"
        words.append(f"{number} {unit} {'tall' if is_body else 'large'}")
    if motion.num_frames > 1:
        words.append(f"{motion.num_frames} frames at {motion.frame_rate:.4g} Hz")
    return ", ".join([*words, f"grid {step:g} {unit}"])
