"""Where the mass of a body is: shares of its segments, and the centre of mass of a pose or clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import SIDES, common_ancestor, find_anatomy, path_between
from kinematics.forward import forward_kinematics
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton


@dataclass(frozen=True)
class _Share:
    """Mass as a share of the body, and how far along the segment its centre lies, as a share of the segment's length."""

    mass: float
    center: float


# de Leva (1996), table 4: men and women. Centres are counted from the end that is nearer to the trunk; from the hips
# upwards for the trunk (cervicale or middle of the shoulders to the middle of the hips), from the cervicale for the head.
HEAD = _Share(0.5 * (0.0694 + 0.0668), 1.0 - 0.5 * (0.5002 + 0.4841))
TRUNK = _Share(0.5 * (0.4346 + 0.4257), 1.0 - 0.5 * (0.5138 + 0.4964))
TRUNK_AND_HEAD = _Share(TRUNK.mass + HEAD.mass, 1.0 - 0.5 * (0.4310 + 0.3782))
UPPER_ARM = _Share(0.5 * (0.0271 + 0.0255), 0.5 * (0.5772 + 0.5754))
FOREARM = _Share(0.5 * (0.0162 + 0.0138), 0.5 * (0.4574 + 0.4559))
HAND = _Share(0.5 * (0.0061 + 0.0056), 0.5 * (0.3624 + 0.3427))  # wrist to the tip of the third finger
FOREARM_AND_HAND = _Share(FOREARM.mass + HAND.mass, FOREARM.center)
THIGH = _Share(0.5 * (0.1416 + 0.1478), 0.5 * (0.4095 + 0.3612))
SHANK = _Share(0.5 * (0.0433 + 0.0481), 0.5 * (0.4395 + 0.4352))  # to the ankle's joint centre
FOOT = _Share(0.5 * (0.0137 + 0.0129), 0.5 * (0.4415 + 0.4014))


@dataclass(frozen=True, eq=False)
class _Piece:
    """A straight piece of a segment, which turns with `joint`.

    Attributes:
        joint: Index of the joint.
        start: In the joint's frame, shape (3,).
        end: In the joint's frame, shape (3,).
        distance: Length along the segment from its beginning to `start`.
    """

    joint: int
    start: np.ndarray
    end: np.ndarray
    distance: float

    @property
    def length(self) -> float:
        return float(np.linalg.norm(self.end - self.start))

    @property
    def far(self) -> float:
        return self.distance + self.length


_Segment = tuple[int, _Share, list[_Piece]]  # where it lies if it has no length, its mass, its pieces
_Place = tuple[int, np.ndarray]  # a joint and a position in its frame


def segment_masses(skeleton: Skeleton) -> tuple[Float[np.ndarray, " joints"], Float[np.ndarray, "joints 3"]]:
    """Return the mass of what turns with each joint, the bones to its children and end sites, and its centre.

    For a person (`find_anatomy(skeleton).is_human`) these are the segments of de Leva, "Adjustments to Zatsiorsky-Seluyanov's
    segment inertia parameters" (1996), table 4, mean of men and women. Along each segment the density is linear, such that
    the centre lies where the table has it. So a bone in two halves, a spine of any number of joints and a hand with or
    without fingers all weigh the same. The trunk reaches from the middle of the hips to the neck; collar bones and hip stubs
    are part of it and have no mass of their own. The table's foot begins at the heel and ours at the ankle, as skeletons
    have no heel. Without hands or head their mass goes to the forearms or the trunk; a segment without length is a point.

    On any other skeleton mass is in proportion to length, and the centre of a bone is its middle; without any bones all
    mass is at the root.

    Args:
        skeleton: Any skeleton, in any unit.

    Returns:
        Masses as shares of the body, shape (joints,), none negative, sum 1; centres of mass in the frame of each joint, in
        the skeleton's unit, shape (joints, 3), 0 where there is no mass.
    """
    segments = _human(skeleton) if find_anatomy(skeleton).is_human else _uniform(skeleton)
    masses, moments = np.zeros(skeleton.num_joints), np.zeros((skeleton.num_joints, 3))
    for joint, share, pieces in segments:
        reach = max((piece.far for piece in pieces), default=0.0)
        weights, centers = _weigh(pieces, share.center, reach)
        total = float(weights.sum())
        if total <= 0.0:
            masses[joint] += share.mass
            continue
        for piece, mass, center in zip(pieces, share.mass * weights / total, centers, strict=True):
            masses[piece.joint] += mass
            moments[piece.joint] += mass * center
    centers = np.divide(moments, masses[:, None], out=np.zeros_like(moments), where=masses[:, None] > 0.0)
    return masses / masses.sum(), centers


def center_of_mass(motion_or_pose: Motion | Pose) -> Float[np.ndarray, "*frames 3"]:
    """Return the global position of the body's centre of mass, with the masses of `segment_masses`.

    Args:
        motion_or_pose: In any unit and axes. Where its bones stretch, masses and centres stay those of the skeleton.

    Returns:
        In the motion's unit, shape (frames, 3); (3,) for a Pose.

    Raises:
        InputError: On anything else than a Motion or a Pose.
    """
    found = forward_kinematics(motion_or_pose)
    masses, centers = segment_masses(found.skeleton)
    carriers = np.flatnonzero(masses)
    arms = quaternion.rotate(found.global_rotations[..., carriers, :], centers[carriers])
    return np.asarray(masses[carriers] @ (found.global_positions[..., carriers, :] + arms))


def _weigh(pieces: list[_Piece], center: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight and the centre of each piece under a density that is linear in the distance along the segment.

    The density 1 + 6 (center - 1/2) (2 s - 1) over s from 0 to 1 has its centre of mass at `center`.
    """
    if reach <= 0.0:
        return np.zeros(len(pieces)), np.zeros((len(pieces), 3))
    slope = 6.0 * (center - 0.5)
    starts, ends = np.array([piece.start for piece in pieces]), np.array([piece.end for piece in pieces])
    spans = np.array([(piece.distance, piece.far) for piece in pieces]) / reach
    first, last = (1.0 + slope * (2.0 * spans - 1.0)).T
    along = (first + 2.0 * last) / (3.0 * (first + last))  # centroid of a trapezoid
    return (spans[:, 1] - spans[:, 0]) * 0.5 * (first + last), starts + along[:, None] * (ends - starts)


def _uniform(skeleton: Skeleton) -> list[_Segment]:
    """Bones of equal density."""
    bones = [piece for joint in range(skeleton.num_joints) for piece in _bones(skeleton, joint, 0.0)]
    total = sum(bone.length for bone in bones)
    if total <= 0.0:
        return [(0, _Share(1.0, 0.5), [])]
    return [(bone.joint, _Share(bone.length / total, 0.5), [bone]) for bone in bones]


def _human(skeleton: Skeleton) -> list[_Segment]:
    """Segments of de Leva's table on the joints of a person."""
    roles = find_anatomy(skeleton).joints
    segments = _trunk_and_head(skeleton, roles)
    for side in SIDES:
        thigh, shin, foot = (roles[side + part] for part in ("thigh", "shin", "foot"))
        upper_arm, forearm, hand = roles[side + "upper_arm"], roles[side + "forearm"], roles.get(side + "hand")
        segments += [
            (thigh, THIGH, _chain(skeleton, thigh, shin)),
            (shin, SHANK, _chain(skeleton, shin, foot)),
            (foot, FOOT, _below(skeleton, foot)),
            (upper_arm, UPPER_ARM, _chain(skeleton, upper_arm, forearm)),
        ]
        if hand is None:
            segments.append((forearm, FOREARM_AND_HAND, _below(skeleton, forearm)))
        else:
            segments += [(forearm, FOREARM, _chain(skeleton, forearm, hand)), (hand, HAND, _below(skeleton, hand))]
    return segments


def _trunk_and_head(skeleton: Skeleton, roles: Mapping[str, int]) -> list[_Segment]:
    """The trunk up to the neck, and neck with head; where neither is found one trunk up to the middle of the shoulders."""
    pelvis, chest = roles["pelvis"], roles["chest"]
    hips, shoulders = ([roles[side + part] for side in SIDES] for part in ("thigh", "upper_arm"))
    start = (pelvis, _middle(skeleton, pelvis, hips))
    upper = [roles[part] for part in ("neck", "head") if part in roles and chest in skeleton.ancestors(roles[part])]
    if not upper:
        return [(pelvis, TRUNK_AND_HEAD, _between(skeleton, start, (chest, _middle(skeleton, chest, shoulders))))]
    head = upper[-1]
    neck = _neck(skeleton, chest, upper[0], head)
    above = _chain(skeleton, neck, head)
    above += _bones(skeleton, head, above[-1].far if above else 0.0)
    trunk = _between(skeleton, start, (int(skeleton.parents[neck]), skeleton.offsets[neck]))
    return [(pelvis, TRUNK, trunk), (head, HEAD, above)]


def _neck(skeleton: Skeleton, chest: int, neck: int, head: int) -> int:
    """Return the first joint from `neck` to `head` that is no double of the chest's (CMU's neck lies upon Spine1)."""
    whole = sum(piece.length for piece in _chain(skeleton, chest, head))
    for joint in path_between(skeleton, neck, head):
        if sum(piece.length for piece in _chain(skeleton, chest, joint)) > 0.1 * whole:
            return joint
    return head


def _bones(skeleton: Skeleton, joint: int, distance: float) -> list[_Piece]:
    """Bones from a joint to its children and end sites; `distance` is the joint's own along the segment."""
    tips = [skeleton.offsets[child] for child in skeleton.children[joint]]
    tips += list(skeleton.end_site_offsets[skeleton.end_site_parents == joint])
    return [_Piece(joint, np.zeros(3), tip, distance) for tip in tips]


def _below(skeleton: Skeleton, joint: int) -> list[_Piece]:
    """All bones below a joint."""
    distances = {joint: 0.0}
    for child in skeleton.descendants(joint):
        distances[child] = distances[int(skeleton.parents[child])] + float(np.linalg.norm(skeleton.offsets[child]))
    return [piece for each, distance in distances.items() for piece in _bones(skeleton, each, distance)]


def _chain(skeleton: Skeleton, start: int, end: int) -> list[_Piece]:
    """Bones from a joint down to another; none where that is not below it."""
    pieces: list[_Piece] = []
    for child in path_between(skeleton, start, end)[1:]:
        distance = pieces[-1].far if pieces else 0.0
        pieces.append(_Piece(int(skeleton.parents[child]), np.zeros(3), skeleton.offsets[child], distance))
    return pieces


def _between(skeleton: Skeleton, start: _Place, end: _Place) -> list[_Piece]:
    """Straight pieces from a place to another, along the tree, up and down; each joint on the way carries one."""
    top = common_ancestor(skeleton, (start[0], end[0]))
    up, down = path_between(skeleton, top, start[0])[::-1], path_between(skeleton, top, end[0])[1:]
    entries = [start[1], *(skeleton.offsets[below] for below in up[:-1]), *(np.zeros(3) for _ in down)]
    exits = [*(np.zeros(3) for _ in up[:-1]), *(skeleton.offsets[below] for below in down), end[1]]
    pieces: list[_Piece] = []
    for joint, entry, leave in zip([*up, *down], entries, exits, strict=True):
        pieces.append(_Piece(joint, entry, leave, pieces[-1].far if pieces else 0.0))
    return pieces


def _middle(skeleton: Skeleton, joint: int, tips: list[int]) -> Float[np.ndarray, "3"]:
    """Return the mean place of joints below a joint at zero pose, in its frame, shape (3,)."""
    places = [skeleton.offsets[path_between(skeleton, joint, tip)[1:]].sum(axis=0) for tip in tips]
    return np.asarray(np.mean(places, axis=0))
