"""Several clips made to agree: one skeleton, one joint order, one frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kinematics.edit._layout import carry_values, with_positions
from kinematics.edit.resample import resample
from kinematics.edit.skeleton_names import reorder_joints
from kinematics.errors import InputError
from kinematics.motion import Motion

SAME_OFFSET = 1e-3  # of the longest bone


def alike(motions: Sequence[Motion]) -> list[Motion]:
    """Return the clips on the first one's skeleton (joints matched by name) and frame rate.

    Where the bones of one clip stretch, positions of all joints are held in every clip.

    Raises:
        InputError: Where names, parents or bone offsets differ.
    """
    first = motions[0]
    skeleton = first.skeleton
    stretch = any(motion.local_positions is not None for motion in motions)
    if stretch and first.local_positions is None and skeleton.layout is not None:
        skeleton = skeleton.with_layout(with_positions(skeleton.layout, range(skeleton.num_joints)))
    result = []
    for number, motion in enumerate(motions):
        _require_same_body(motion, first, number)
        if motion.skeleton.joint_names != skeleton.joint_names:
            motion = reorder_joints(motion, skeleton.joint_names)
        if motion.frame_time != first.frame_time:
            motion = resample(motion, first.frame_rate).with_frame_time(first.frame_time)
        moving = motion.local_positions
        if stretch and moving is None:
            moving = np.broadcast_to(skeleton.offsets, (motion.num_frames, *skeleton.offsets.shape))
        source = carry_values(motion, skeleton.layout, range(skeleton.num_joints))
        result.append(replace(motion, skeleton=skeleton, local_positions=moving, source=source))
    return result


def _require_same_body(motion: Motion, model: Motion, number: int) -> None:
    ours, theirs = model.skeleton, motion.skeleton
    where = f"clip {number} has another skeleton than clip 0"
    mend = "retarget it first (python -m retarget), or mend names with edit.rename_joints"
    missing = sorted(set(ours.joint_names) - set(theirs.joint_names))
    extra = sorted(set(theirs.joint_names) - set(ours.joint_names))
    if missing or extra:
        words = [f"it lacks {', '.join(missing[:5])}"] if missing else []
        words += [f"it has {', '.join(extra[:5])} besides"] if extra else []
        raise InputError(f"{where}: {'; '.join(words)}; {mend}")
    order = [theirs.joint_index(name) for name in ours.joint_names]
    for joint, other in enumerate(order):
        parents = ours.parents[joint], theirs.parents[other]
        names = [s.joint_names[p] if p >= 0 else "" for s, p in zip((ours, theirs), parents, strict=True)]
        if names[0] != names[1]:
            raise InputError(f"{where}: {ours.joint_names[joint]!r} hangs on {names[1]!r}, not on {names[0]!r}; {mend}")
    if motion.local_positions is not None and model.local_positions is not None:
        return
    apart = np.linalg.norm(ours.offsets - theirs.offsets[order], axis=1)[1:]
    size = np.linalg.norm(ours.offsets[1:], axis=1).max(initial=0.0)
    if apart.max(initial=0.0) > SAME_OFFSET * size:
        joint = int(apart.argmax()) + 1
        raise InputError(
            f"{where}: the offset of {ours.joint_names[joint]!r} is {theirs.offsets[order[joint]].round(6).tolist()}, "
            f"not {ours.offsets[joint].round(6).tolist()}; {mend}"
        )
