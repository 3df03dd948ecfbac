"""What the feet of a result do where those of its source stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from kinematics.contacts import Contacts
from kinematics.forward import GlobalTransforms
from kinematics.metrics import Floating, Penetration
from retarget.doll import SIDES
from retarget.stance import TOLERANCE

PER_FRAME = 0.01  # metres a frame: OmniRetarget's threshold of stance and of sliding
PER_SECOND = 0.01  # metres a second: what the comment beside it says


@dataclass(frozen=True)
class SlideFraction:
    """Share of stance frames in which a toe slides, by OmniRetarget's rule.

    Attributes:
        fraction: Frames in which a standing toe of the result moves faster than the threshold, over frames in which a toe
            of the source stands; 0 where none does.
        stance_frames: The latter.
        threshold_cm_frame: The threshold, of stance and of sliding, in centimetres a frame.
        threshold_cm_s: The same in centimetres a second.
    """

    fraction: float
    stance_frames: int
    threshold_cm_frame: float
    threshold_cm_s: float


def floating_feet(above: Float[np.ndarray, " stances"]) -> Floating:
    """Sum up how far feet are above where they stand, in metres, over stance frames of both."""
    high = above > TOLERANCE
    return Floating(_share(high), 100.0 * float(above[high].mean()) if high.any() else 0.0, len(above))


def compare_clearances(source: Contacts, result: Contacts, leg_ratio: float) -> tuple[Floating, Penetration]:
    """Measure how much more a result's feet float or sink than the source's do, while the source's stand.

    A foot may be as far above (below) where it stands as the source's is, times the ratio of leg lengths, and the tolerance
    more. So a heel that the source lifts, or a foot that it turns on its side, is no error of a skeleton without toes.

    Args:
        source: The source's contacts, in metres.
        result: The result's own heights with the stance of the source.
        leg_ratio: Length of the result's legs over the source's.

    Returns:
        Floating and sinking over stance frames, both feet together; heights and depths count from where the source allows.
    """
    ours, theirs = source.clearances, result.clearances
    stands = np.isfinite(ours) & np.isfinite(theirs)
    ours, theirs = leg_ratio * ours[stands], theirs[stands]
    below = np.minimum(ours, 0.0) - theirs
    deep = below > TOLERANCE
    sinking = Penetration(
        _share(deep), 100.0 * float(below[deep].mean()) if deep.any() else 0.0, 100.0 * float(below.max(initial=0.0))
    )
    return floating_feet(theirs - np.maximum(ours, 0.0)), sinking


def slide_fractions(
    source: GlobalTransforms,
    result: GlobalTransforms,
    parts: Mapping[str, tuple[int, int]],
    leg_ratio: float,
    frame_time: float,
) -> tuple[SlideFraction, SlideFraction]:
    """Measure sliding by OmniRetarget's rule, its threshold read as metres a frame and as metres a second.

    Toes, ankles where one body has none. A toe stands where the source's, scaled by the legs, moves horizontally by no more
    than the threshold since the frame before; it slides where it stands and the result's moves by more. A frame counts where
    either toe does.
    """
    roles = ["left_toe", "right_toe"] if all(side + "toe" in parts for side, _ in SIDES) else ["left_foot", "right_foot"]
    ours, theirs = (
        np.linalg.norm(np.diff(seen.global_positions[:, [parts[role][which] for role in roles]][..., ::2], axis=0), axis=-1)
        for which, seen in enumerate((source, result))
    )
    first, second = (_slide_fraction(leg_ratio * ours, theirs, most, frame_time) for most in (PER_FRAME, PER_SECOND * frame_time))
    return first, second


def _slide_fraction(
    ours: Float[np.ndarray, "steps feet"], theirs: Float[np.ndarray, "steps feet"], most: float, frame_time: float
) -> SlideFraction:
    stands: Bool[np.ndarray, "steps feet"] = ours <= most
    count = int(stands.any(axis=1).sum())
    slides = int((stands & (theirs > most)).any(axis=1).sum())
    return SlideFraction(slides / count if count else 0.0, count, 100.0 * most, 100.0 * most / frame_time)


def _share(flags: Bool[np.ndarray, " frames"]) -> float:
    return float(flags.mean()) if len(flags) else 0.0
