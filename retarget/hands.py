"""Where the hands of a retargeted body shall be: as far from the body as the source's, where those are near it.

Rotations alone let hands that clap miss each other on broader shoulders, and a hand on the hip float beside it. A hand near
a part of the body keeps its place relative to that part, as relationship descriptors do (Al-Asqhar, Komura and Choi,
"Relationship descriptors for interactive motion adaptation", 2013), here with joints for descriptors.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, find_anatomy
from kinematics.body import measure_body
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from retarget.body import Body

NEAR, FAR = 0.08, 0.18  # metres of a body of 1.75 m: within NEAR a part holds the hand wholly, beyond FAR not at all
SLOW = 0.2  # metres a second of such a body, relative to the part, at which a hand is held half as much
SPREAD_S = 0.06  # seconds over which a hold comes and goes
REFERENCE_HEIGHT = 1.75
SIDED = tuple(side + part for part in ("thigh", "shin", "upper_arm") for side in SIDES)
LANDMARKS = ("head", "neck", "pelvis", *SIDED)


def plan_hands(source: Body, draft: Motion, strength: float) -> dict[int, Float[np.ndarray, "frames 3"]]:
    """Plan where each wrist shall be; wrists that are never near the body are left out.

    Args:
        source: The source.
        draft: The retargeted motion so far, with Y up.
        strength: How far distances are kept, 0 to 1.
    """
    from scipy.ndimage import gaussian_filter1d

    source_parts, draft_parts = source.joints, find_anatomy(draft.skeleton).joints
    where, now_where = source.transforms.global_positions, forward_kinematics(draft).global_positions
    source_height, frame_time = measure_body(source.clip).height, draft.frame_time
    reach = source_height / REFERENCE_HEIGHT
    both = {part for part in source_parts if part in draft_parts}
    scale = measure_body(draft).height / source_height
    goals: dict[int, np.ndarray] = {}
    for side, other in (SIDES, SIDES[::-1]):
        if side + "hand" not in both:
            continue
        wrist, now = where[:, source_parts[side + "hand"]], now_where[:, draft_parts[side + "hand"]]
        shares, places = [], []
        for part in [*LANDMARKS, other + "forearm", other + "hand"]:
            if part not in both or part == side + "upper_arm":
                continue
            theirs, ours = where[:, source_parts[part]], now_where[:, draft_parts[part]]
            away = wrist - theirs
            near = np.clip((FAR - np.linalg.norm(away, axis=-1) / reach) / (FAR - NEAR), 0.0, 1.0)
            if part == other + "hand":  # both hands give way by half
                away, ours = 0.5 * away, 0.5 * (ours + now)
            elif len(away) > 1:  # a hand that swings by touches nothing
                speed = np.linalg.norm(np.gradient(away, frame_time, axis=0), axis=-1) / reach
                near = near / (1.0 + (speed / SLOW) ** 2)
            shares.append(near)
            places.append(ours + scale * away)
        if not shares:
            continue
        share = np.clip(gaussian_filter1d(np.array(shares), SPREAD_S / frame_time, axis=1, mode="nearest"), 0.0, 1.0)
        share = share**2 * (3.0 - 2.0 * share)  # (landmarks, frames)
        held = strength * (1.0 - np.prod(1.0 - share, axis=0))
        if held.any():
            total = np.maximum(share.sum(axis=0), 1e-12)
            kept = np.einsum("mf,mfi->fi", share, np.array(places)) / total[:, None]
            goals[draft_parts[side + "hand"]] = now + held[:, None] * (kept - now)
    return goals
