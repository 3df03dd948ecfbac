"""Rest poses that the caller gives: a frame of another clip of the same skeleton, or of the clip itself."""

from __future__ import annotations

from dataclasses import replace
from typing import overload
from weakref import WeakKeyDictionary

import numpy as np

from kinematics.forward import forward_kinematics
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.errors import RetargetError

ELSEWHERE = 0.05  # share of the longest bone by which a bone may lie elsewhere in its joint's frame, up to one scale

_GIVEN: WeakKeyDictionary[Motion | Skeleton, Pose] = WeakKeyDictionary()  # of what `with_rest` made


@overload
def with_rest(given: Motion, rest: Motion | Pose | int, which: str) -> Motion: ...
@overload
def with_rest(given: Skeleton, rest: Motion | Pose | int, which: str) -> Skeleton: ...
def with_rest(given: Motion | Skeleton, rest: Motion | Pose | int, which: str) -> Motion | Skeleton:
    """Return a copy whose rest pose is known: `read_body` takes it before it guesses.

    Args:
        given: A clip or a skeleton.
        rest: A pose in which the body stands at rest (T, A, arms down); a clip, whose first frame is such a pose; or the number
            of such a frame of `given` itself, negative from the end.
        which: "source" or "target", for messages.

    Raises:
        RetargetError: Where there is no such frame.
    """
    if isinstance(rest, int | np.integer) and not isinstance(rest, bool):
        if not isinstance(given, Motion) or not -given.num_frames <= rest < given.num_frames:
            has = f"has {given.num_frames} frames" if isinstance(given, Motion) else "is a skeleton without frames"
            raise RetargetError(f"the {which}'s rest pose is said to be its frame {rest}, but it {has}")
        pose = given[rest]
    elif isinstance(rest, Motion) and not rest.num_frames:
        raise RetargetError(f"the clip given for the {which}'s rest pose has no frames")
    elif isinstance(rest, Motion | Pose):
        pose = rest[0] if isinstance(rest, Motion) else rest
    else:
        raise RetargetError(f"the {which}'s rest pose must be a Pose, a Motion or the number of a frame, got {rest!r}")
    copy = given.with_frame_time(given.frame_time) if isinstance(given, Motion) else replace(given)
    _GIVEN[copy] = pose
    return copy


def given_rest(given: Motion | Skeleton, skeleton: Skeleton, which: str) -> Pose | None:
    """Return the rest pose that `with_rest` gave, on the skeleton; None without one.

    Joints are found by name; the pose's skeleton may have more of them, and another unit.

    Args:
        given: What may have a rest pose.
        skeleton: Its skeleton with rigid bones.
        which: "source" or "target", for messages.

    Raises:
        RetargetError: Where the pose lacks a joint, or has its bones elsewhere in the joints' frames: it is of another skeleton.
    """
    pose = _GIVEN.get(given)
    if pose is None:
        return None
    names = pose.skeleton.joint_names
    missing = [name for name in skeleton.joint_names if name not in names]
    if missing:
        raise RetargetError(
            f"the {which}'s rest pose is of another skeleton: it has no joint {', '.join(missing[:4])}"
            f"{f' ({len(missing)} missing in all)' if len(missing) > 4 else ''}; give a pose of the {which}'s own skeleton"
        )
    seen = forward_kinematics(pose)
    where, turned = (
        array[[names.index(name) for name in skeleton.joint_names]] for array in (seen.global_positions, seen.global_rotations)
    )
    above = skeleton.parents[1:]
    back = quaternion.inverse(turned[above])
    bones = quaternion.rotate(back, where[1:] - where[above])
    _require_same_frames(bones, skeleton, which)
    local = np.concatenate([turned[:1], quaternion.multiply(back, turned[1:])])
    return Pose(skeleton, where[0], quaternion.normalize(local))


def _require_same_frames(bones: np.ndarray, skeleton: Skeleton, which: str) -> None:
    """Refuse a pose of a skeleton whose joints have other frames: its rotations would mean something else."""
    own = skeleton.offsets[1:]
    longest, size = np.linalg.norm(own, axis=1).max(initial=0.0), float((bones * bones).sum())
    scale = float((own * bones).sum()) / size if size > 0.0 else 0.0
    away = np.linalg.norm(scale * bones - own, axis=1)
    if not scale > 0.0 or away.max(initial=0.0) > ELSEWHERE * longest:
        joint = skeleton.joint_names[int(away.argmax()) + 1]
        raise RetargetError(
            f"the {which}'s rest pose is of a skeleton with other joint frames or bones: {joint!r} lies elsewhere in its "
            f"parent's frame; give a pose of the {which}'s own skeleton, as the same program exports it"
        )
