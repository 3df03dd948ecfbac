"""When the points of a foot stand, and how high each does then, by the contacts of another body whose frames are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics.contacts import Contacts, carry_contacts, foot_points
from retarget.rest_pose import RestPose

TOLERANCE = 0.01  # metres above where it stands up to which a foot is taken to be on the floor


def stand_as(
    source: Contacts, kinds: Int[np.ndarray, " points"], own: Contacts, own_kinds: Int[np.ndarray, " others"]
) -> Contacts:
    """Let feet stand when those of the source do, each point where it is then.

    A point stands at the median of its heights over all frames in which the source's stands and is within 1 cm (of a body of
    1.75 m) of its own standing height. So a few frames too low or too high do not move the floor that they are measured from;
    and an ankle has a height of its own. The floor is the lowest point's.

    Args:
        source: The source's contacts, in metres.
        kinds: Kind of each of its points, as `kinematics.contacts.match_feet` returns it.
        own: Contacts of the body that takes them over (the source itself, for its own column), in metres.
        own_kinds: Kind of each of its points.
    """
    stance = carry_contacts(source, kinds, own, own_kinds)
    here = carry_contacts(replace(source, in_contact=near_floor(source)), kinds, own, own_kinds).in_contact
    standing = standing_heights(own.heights, here, own.standing_heights)
    return replace(stance, standing_heights=standing, floor=float(standing.min()) if standing.size else 0.0)


def near_floor(contacts: Contacts) -> Bool[np.ndarray, "frames points"]:
    """Tell which standing points are within 1 cm (of a body of 1.75 m) of their standing height."""
    return np.asarray(contacts.in_contact & (contacts.heights - contacts.standing_heights < TOLERANCE * contacts.scale))


def standing_heights(
    heights: Float[np.ndarray, "frames points"], down: Bool[np.ndarray, "frames points"], otherwise: Float[np.ndarray, " points"]
) -> Float[np.ndarray, " points"]:
    """Return the median height of each point over the frames in which it is down; `otherwise` where it never is."""
    standing = np.array(otherwise)
    for point in np.flatnonzero(down.any(axis=0)).tolist():
        standing[point] = np.median(heights[down[:, point], point])
    return standing


def sole_heights(rest: RestPose) -> Float[np.ndarray, " points"]:
    """Return how far each foot point is above the lowest one of its foot in the rest pose, in the rest pose's unit."""
    joints, ends, sides = foot_points(rest.skeleton)
    heights = np.concatenate([rest.global_positions[joints, 1], rest.end_site_positions[ends, 1]])
    lowest = np.where(sides > 0, *(heights[sides == side].min(initial=np.inf) for side in (1, -1)))
    return np.asarray(heights - lowest)


def sole_level(contacts: Contacts, shape: Float[np.ndarray, " points"]) -> float:
    """Return the height of the floor under feet that are flat or, where they are not, touch it with heel or toe.

    Args:
        contacts: The feet.
        shape: How far each point is above the sole, in the contacts' unit: see `sole_heights`.
    """
    return float((contacts.standing_heights - shape).min(initial=np.inf))
