"""A part of the body retargeted, the rest as the target's own clip moves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from kinematics.anatomy import SIDES, find_anatomy, path_between
from kinematics.motion import Motion
from kinematics.skeleton import Skeleton
from retarget.errors import RetargetError


def keep_own(result: Motion, own: Motion | Skeleton, part: str) -> Motion:
    """Let the target's own clip move what was not asked for.

    The clip is taken at the times of the result, the nearest frame; after its end its last frame stays.

    Args:
        result: The retargeted motion, in the target's unit and axes.
        own: The target's clip.
        part: "upper": legs, hips and the way through the world are the clip's own. "lower": all above the hips is.

    Raises:
        RetargetError: Where the target is a skeleton without a clip.
    """
    if part == "whole":
        return result
    if not (isinstance(own, Motion) and own.num_frames):
        raise RetargetError(
            f"part={part!r} keeps the rest of the body as the target's clip moves it; give a clip, not a skeleton"
        )
    frames = np.minimum(np.round(result.times / own.frame_time).astype(np.int64), own.num_frames - 1)
    mine = ~retargeted_joints(result.skeleton, part)
    local_rotations = np.where(mine[:, None], own.local_rotations[frames], result.local_rotations)
    moving = result.local_positions
    if own.local_positions is not None or moving is not None:
        bones, others = (
            clip.skeleton.offsets if clip.local_positions is None else clip.local_positions[at]
            for clip, at in ((own, frames), (result, slice(None)))
        )
        moving = np.where(mine[:, None], bones, others)
    roots = own.root_positions[frames] if mine[0] else result.root_positions
    return replace(result, root_positions=roots, local_rotations=local_rotations, local_positions=moving)


def retargeted_joints(skeleton: Skeleton, part: str) -> Bool[np.ndarray, " joints"]:
    """Tell which joints of a target are retargeted, and not moved by its own clip, shape (joints,).

    Args:
        skeleton: The target's skeleton.
        part: "whole", "upper" or "lower".
    """
    if part == "whole":
        return np.ones(skeleton.num_joints, dtype=np.bool_)
    lower = _lower_body(skeleton)
    return lower if part == "lower" else ~lower


def _lower_body(skeleton: Skeleton) -> np.ndarray:
    """Tell which joints are legs, hips, or above the hips in the tree, (joints,)."""
    found = find_anatomy(skeleton).joints
    pelvis = found["pelvis"]
    lower = {pelvis, *skeleton.ancestors(pelvis)}
    for side in SIDES:
        thigh = found[side + "thigh"]
        lower |= {*path_between(skeleton, pelvis, thigh), *skeleton.descendants(thigh)}
    return np.isin(np.arange(skeleton.num_joints), sorted(lower))
