"""Where soles are: how feet and toes lie, and how deep, while they stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.character.clip import UP, Clip
from imitate.character.segments import Segments
from kinematics.contacts import foot_contacts, foot_points
from kinematics.rotations import quaternion

STILL = 0.3  # share of a foot's standing frames that tell how it lies: the slowest
LEANING = np.radians(35.0)  # a foot that lies farther from how it stands at rest was not flat on the floor
TIP, BALL, ANKLE = 0.012, 0.02, 0.045  # least heights above the floor, as shares of the body's, of toe tips, toe joints, ankles
HEEL = 0.03  # how far a heel lies behind the ankle, as a share of the height; and how much narrower than long a foot is
HALF_WIDTH = 0.027


@dataclass(frozen=True, eq=False)
class Sole:
    """A box under a foot or toe, in the frame of its body (parallel to the world while it stands).

    Attributes:
        body: The body it belongs to.
        yaw: Direction from heel to toes about up, radians from +Z.
        back: Where it begins along that direction, metres.
        front: Where it ends.
        bottom: Height of the floor, below 0.
        half_width: Metres.
        thickness: Metres.
    """

    body: int
    yaw: float
    back: float
    front: float
    bottom: float
    half_width: float
    thickness: float

    @property
    def corners(self) -> Float[np.ndarray, "4 3"]:
        """Corners of its bottom in the body's frame."""
        across, along = np.meshgrid([-self.half_width, self.half_width], [self.back, self.front])
        flat = np.stack([across.ravel(), np.full(4, self.bottom), along.ravel()], axis=1)
        return quaternion.rotate(self.rotation, flat)

    @property
    def rotation(self) -> Float[np.ndarray, "4"]:
        """How the box is turned in the body's frame, quaternion wxyz."""
        return quaternion.from_axis_angle(UP, self.yaw)

    @property
    def center(self) -> Float[np.ndarray, "3"]:
        """Middle of the box in the body's frame."""
        return quaternion.rotate(
            self.rotation, np.array([0.0, self.bottom + 0.5 * self.thickness, 0.5 * (self.back + self.front)])
        )


def level_feet(clip: Clip, segments: Segments, rest: Float[np.ndarray, "joints 4"]) -> Float[np.ndarray, "joints 4"]:
    """Return how the joints are turned at rest, with feet and toes as they lie on the floor when they stand.

    Args:
        clip: The clip.
        segments: Its bodies.
        rest: Global rotations at rest, shape (joints, 4).
    """
    leveled = np.array(rest)
    for body in segments.named("foot", "toe"):
        joint = segments.segments[body].joint
        still = _still_frames(clip, segments.segments[body].part)
        if not len(still):
            continue
        ups = quaternion.rotate(
            quaternion.inverse(clip.seen.global_rotations[still, joint]), np.broadcast_to(UP, (len(still), 3))
        )
        up = quaternion.rotate(leveled[joint], ups.mean(axis=0))
        turn = quaternion.shortest_arc(up, UP)
        if float(quaternion.angle(turn)) < LEANING:
            leveled[joint] = quaternion.multiply(turn, leveled[joint])
    return leveled


def _still_frames(clip: Clip, part: str) -> np.ndarray:
    """Return the frames of the sample in which a foot stands stillest with as many of its points as it ever does."""
    contacts = foot_contacts(clip.sample, transforms=clip.seen)
    mine = contacts.sides == (1 if part.startswith("left_") else -1)
    if not mine.any():
        return np.zeros(0, dtype=np.int64)
    standing = contacts.in_contact[:, mine].sum(axis=1)
    frames = np.flatnonzero(standing == max(int(standing.max()), 1))
    speed = contacts.speeds[np.ix_(frames, np.flatnonzero(mine))].max(axis=1) if len(frames) else np.zeros(0)
    return frames[speed <= np.quantile(speed, STILL)] if len(frames) else frames


def find_soles(
    clip: Clip, segments: Segments, rest: Float[np.ndarray, "joints 4"], alignments: Float[np.ndarray, "bodies 4"]
) -> list[Sole]:
    """Return the boxes of a person's feet and toes.

    The floor is a little below the lowest point of the feet while these stand, as skeletons have no soles: toe tips by 1.2 %
    of the height, or toe joints by 2 %, or ankles by 4.5 %, whatever reaches lowest.
    """
    contacts = foot_contacts(clip.motion)
    joints, _, _ = foot_points(clip.motion.skeleton)
    height, roles = clip.height, clip.anatomy.joints
    ankles = {roles[side + "foot"] for side in ("left_", "right_") if side + "foot" in roles}
    balls = {roles[side + "toe"] for side in ("left_", "right_") if side + "toe" in roles}
    standing = contacts.standing_heights
    if not len(standing):
        return []
    least = np.array([ANKLE if joint in ankles else BALL if joint in balls else TIP for joint in joints])
    least = np.concatenate([least, np.full(len(standing) - len(joints), TIP)]) * height
    floor = float((standing - least).min())
    depth = {joint: standing[n] - floor for n, joint in enumerate(joints)}
    soles = []
    for body in segments.named("foot"):
        side = segments.segments[body].part.removesuffix("foot")
        ankle = segments.segments[body].joint
        other = {"left_": "right_", "right_": "left_"}[side]
        both = [depth[roles[s + "foot"]] for s in (side, other) if s + "foot" in roles]
        toe_body = segments.index(side + "toe")
        tips = _places_below(clip, ankle, rest, alignments[body])
        away = tips[np.linalg.norm(tips[:, [0, 2]], axis=1).argmax()] if len(tips) else np.array([0.0, 0.0, 0.1 * height])
        yaw = float(np.arctan2(away[0], away[2])) if np.hypot(away[0], away[2]) > 0.02 * height else 0.0
        reach = max(float(np.hypot(away[0], away[2])), 0.09 * height)
        bottom, thickness = -float(np.mean(both)), 0.03 * height
        if toe_body is None:
            soles.append(Sole(body, yaw, -HEEL * height, reach, bottom, HALF_WIDTH * height, thickness))
            continue
        toe = segments.segments[toe_body].joint
        ball = _places_below(clip, ankle, rest, alignments[body], only=toe)[0]
        split = float(np.hypot(ball[0], ball[2]))
        soles.append(Sole(body, yaw, -HEEL * height, split, bottom, HALF_WIDTH * height, thickness))
        low = [depth[roles[s + "toe"]] for s in (side, other) if s + "toe" in roles and roles[s + "toe"] in depth]
        length = max(reach - split, 0.03 * height)
        soles.append(Sole(toe_body, yaw, 0.0, length, -float(np.mean(low)), HALF_WIDTH * height, 0.7 * thickness))
    return soles


def _places_below(
    clip: Clip, joint: int, rest: Float[np.ndarray, "joints 4"], alignment: Float[np.ndarray, "4"], only: int | None = None
) -> Float[np.ndarray, "n 3"]:
    """Return where joints and end sites below a joint are at rest, from it, in its body's frame."""
    skeleton = clip.motion.skeleton
    places = {joint: np.zeros(3)}
    for child in skeleton.descendants(joint):
        parent = int(skeleton.parents[child])
        places[child] = places[parent] + quaternion.rotate(rest[parent], skeleton.offsets[child])
    ends = [
        places[int(parent)] + quaternion.rotate(rest[int(parent)], offset)
        for parent, offset in zip(skeleton.end_site_parents, skeleton.end_site_offsets, strict=True)
        if int(parent) in places
    ]
    found = [places[only]] if only is not None else [place for key, place in places.items() if key != joint] + ends
    to_body = quaternion.inverse(quaternion.multiply(rest[joint], alignment))
    return quaternion.rotate(to_body, np.array(found).reshape(-1, 3))
