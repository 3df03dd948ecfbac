"""Feet of a person: flat soles that lie on the floor in the frames in which the foot stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES
from kinematics.viewer.body_reference import Poses, Reference
from kinematics.viewer.body_shapes import Solid, capped, cross, loft, unit

Piece = tuple[int, str, Solid]

ANKLE = 0.039  # height over the sole; Drillis and Contini (1966), as printed in Winter (2009), figure 4.1
ANKLES = (0.022, 0.105)  # heights that are believed
BALL = 0.018  # height of the toe's joint where it is not seen standing
LENGTH = 0.152  # heel to toe, from the same figure
HEEL = 0.042  # of it behind the ankle
REACH = (0.095, 0.15)  # from the ankle to the tip of the toes
HALF_WIDTH = 0.0275
SOLE = 0.0085  # thickness of the dark sole


@dataclass(frozen=True, eq=False)
class Stand:
    """How a foot stands, in a joint's frame.

    Attributes:
        frame: Unit vectors as rows: towards the right, ahead, up; shape (3, 3).
        rise: Height of the joint over the sole.
    """

    frame: Float[np.ndarray, "3 3"]
    rise: float


def feet(ref: Reference) -> list[Piece]:
    """Make the feet that a skeleton has."""
    made: list[Piece] = []
    for side in SIDES:
        if side + "foot" in ref.anatomy.joints:
            made += _foot(ref, side)
    return made


def _foot(ref: Reference, side: str) -> list[Piece]:
    height, paint = ref.height, side.removesuffix("_")
    ankle = ref.anatomy.joints[side + "foot"]
    toe = _toe(ref, ankle, side)
    stand = _stand(ref, side, ankle)
    points = [stand.frame @ ref.poses.point_in(ankle, point) for point in ref.points_below(ankle)]
    reach = max((float(point[1]) for point in points), default=0.0)
    reach = float(np.clip(reach + 0.006 * height if reach > 0.03 * height else 0.0, REACH[0] * height, REACH[1] * height))
    heel = min(HEEL * height, max(LENGTH * height - reach, 0.032 * height) + 0.004 * height)
    if toe < 0:
        return _shell(height, ankle, paint, stand, (-heel, reach), stand.rise, reach)
    ball = stand.frame @ ref.poses.point_in(ankle, toe)
    ahead = float(ball[1])
    rest = _stand(ref, side, toe, origin=ankle)
    # The toes' sole is level with the foot's: where both stand, the same floor carries them.
    toes = Stand(rest.frame, float(np.clip(stand.rise + ball[2], 0.008 * height, 0.05 * height)))
    return _shell(height, ankle, paint, stand, (-heel, ahead), stand.rise, reach) + _shell(
        height, toe, paint, toes, (0.0, max(reach - ahead, 0.03 * height)), stand.rise, reach, behind=ahead
    )


def _shell(
    height: float,
    joint: int,
    paint: str,
    stand: Stand,
    span: tuple[float, float],
    ankle_rise: float,
    reach: float,
    *,
    behind: float = 0.0,
) -> list[Piece]:
    """Make a foot or its toes between two places ahead of their joint, and the sole under it."""
    low, high = span
    heel = -HEEL * height
    # Places from heel to toe as shares of the foot, half widths in statures, height of the instep.
    places = np.array([0.0, 0.16, 0.34, 0.55, 0.72, 0.88, 1.0]) * (reach - heel) + heel
    wide = np.array([0.0190, 0.0225, 0.0215, 0.0245, 0.0275, 0.0260, 0.0215]) * height
    top = max(ankle_rise, 0.6 * ANKLE * height)
    tall = np.array([0.75, 1.0, 1.0, 0.70, 0.50, 0.40, 0.30]) * (top + 0.004 * height)
    tall = np.maximum(tall, 0.014 * height)
    along = np.array([low, *(p - behind for p in places if low + 0.008 * height < p - behind < high - 0.008 * height), high])
    at = along + behind
    half, rise = np.interp(at, places, wide), np.interp(at, places, tall)
    front_cap, back_cap = 0.0, 0.0
    is_toes = behind > 0.0
    if not is_toes:
        along[0] += 0.012 * height  # the cap makes the heel round
        back_cap = 0.012 * height
        front_cap = 0.9 * float(rise[-1]) if high < 0.9 * reach else 0.016 * height
        if high >= 0.9 * reach:
            along[-1] -= 0.016 * height
    else:
        back_cap = 0.6 * float(rise[0])
        front_cap = 0.016 * height
        along[-1] = max(along[-1] - 0.016 * height, along[0] + 0.005 * height)
    # Widest at a third of the height, flat below.
    middle, deep = 0.35 * rise - stand.rise, 0.65 * rise
    ground = -stand.rise
    sections = capped(along, half, deep, caps=(back_cap, front_cap), shifts=middle, rings=3)
    upper = loft(sections, stand.frame, np.zeros(3), segments=14, exponent=2.3, between=(ground + 0.6 * SOLE * height, np.inf))
    edge = 0.0015 * height
    flat = np.full(len(along), 0.5 * SOLE * height)
    rim = capped(along, half + edge, flat, caps=(back_cap + edge, front_cap + edge), shifts=flat - stand.rise, rings=3)
    sole = loft(rim, stand.frame, np.zeros(3), segments=14, exponent=4.0)
    return [(joint, paint, upper), (joint, "detail", sole)]


def _toe(ref: Reference, ankle: int, side: str) -> int:
    """Return the joint that carries the toes, -1 where the foot is one piece."""
    toe = ref.anatomy.joints.get(side + "toe", ankle)
    below = ref.skeleton.descendants(ankle)
    if toe == ankle or toe not in below:
        return -1
    siblings = [
        j for j in below if j != toe and j not in ref.skeleton.descendants(toe) and toe not in ref.skeleton.descendants(j)
    ]
    if any(ref.lengths[j] > 0.02 * ref.height for j in siblings) or len(ref.skeleton.children[toe]) > 1:
        return -1
    return toe if np.linalg.norm(ref.poses.point_in(ankle, toe)) > 0.04 * ref.height else -1


def _stand(ref: Reference, side: str, joint: int, *, origin: int = -1) -> Stand:
    """Find which way is up and ahead for a joint of a foot, and how high it is over the floor."""
    height = ref.height
    origin = joint if origin < 0 else origin
    standing = ref.standing.get(side)
    if standing is None:
        return _imagined(ref, joint, origin)
    up = unit(standing.mean_in(joint, np.array([0.0, 1.0, 0.0])))
    rise = float(np.median(standing.points[:, joint, 1])) - ref.floor
    ahead = _ahead(ref, standing, joint, origin, up)
    return Stand(np.stack([cross(ahead, up), ahead, up]), float(np.clip(rise, ANKLES[0] * height, ANKLES[1] * height)))


def _ahead(ref: Reference, poses: Poses, joint: int, origin: int, up: np.ndarray) -> np.ndarray:
    """Return where the foot points across up: its toes, or where the body faces if it shows none."""
    facing = ref.poses.mean_in(joint, ref.forward)
    facing = unit(facing - up * (facing @ up))
    tips = [poses.mean_in(joint, poses.points[:, point] - poses.points[:, origin]) for point in ref.points_below(origin)]
    level = [tip - up * (tip @ up) for tip in tips]
    far = max(level, key=lambda tip: float(np.linalg.norm(tip)), default=np.zeros(3))
    if np.linalg.norm(far) < 0.03 * ref.height:
        return facing
    toes = unit(np.sum([tip for tip in level if np.linalg.norm(tip) > 0.5 * np.linalg.norm(far)], axis=0))
    return toes if toes @ facing > -0.2 else facing


def _imagined(ref: Reference, joint: int, origin: int) -> Stand:
    """How a foot stands that is never seen to: its toe as high over the sole as a person's."""
    height, poses = ref.height, ref.poses
    ankle = origin
    shin = next((j for j in ref.skeleton.ancestors(ankle) if np.linalg.norm(poses.point_in(ankle, j)) > 0.05 * height), ankle)
    upright = unit(poses.mean_in(joint, poses.points[:, shin] - poses.points[:, ankle]), unit(poses.mean_in(joint, ref.up)))
    tips = [poses.mean_in(joint, poses.points[:, point] - poses.points[:, ankle]) for point in ref.points_below(ankle)]
    far = max(tips, key=lambda tip: float(np.linalg.norm(tip)), default=np.zeros(3))
    length = float(np.linalg.norm(far))
    if length < 0.05 * height or abs(unit(far) @ upright) > 0.95:
        facing = poses.mean_in(joint, ref.forward)
        ahead = unit(facing - upright * (facing @ upright))
        return Stand(np.stack([cross(ahead, upright), ahead, upright]), ANKLE * height)
    # The tip lies lower than the ankle by the difference of their usual heights.
    right = unit(cross(far, upright))
    across = cross(right, unit(far))
    sink = float(np.clip((ANKLE - 0.5 * BALL) * height / length, 0.0, 0.7))
    up = np.sqrt(1.0 - sink**2) * across - sink * unit(far)
    up = up if up @ upright > 0.0 else upright
    ahead = cross(up, right)
    return Stand(np.stack([right, ahead, up]), ANKLE * height if joint == ankle else BALL * height)
