"""The person: joints in a T-pose, segment lengths and masses.

Lengths and heights are Drillis and Contini's fractions of body height (1966, as printed in Winter, "Biomechanics and Motor
Control of Human Movement", fig. 4.1): ankle 0.039, knee 0.285, hip 0.530 and shoulder 0.818 above the floor, upper arm
0.186, forearm 0.146, hand 0.108, foot 0.152. Segment masses and their centres are Winter's (table 4.1, after Dempster).
Phalanges and metacarpals are Buryanov and Kotiuk's ("Proportions of hand segments", Int. J. Morphol. 2010). What these
sources do not give (spine, clavicles, the ball of the foot) is set by eye to common anatomy.

World: metres, Y up, the person faces +Z, the left hand is on +X. Joints are called by what they carry: `left_thigh` is the
hip joint, `left_shin` the knee, `left_foot` the ankle, `left_toe` the ball of the foot.
"""

from __future__ import annotations

import numpy as np

HEIGHT = 1.74
GRAVITY = 9.81
ANKLE_HEIGHT = 0.039 * HEIGHT
KNEE_HEIGHT = 0.285 * HEIGHT
HIP_HEIGHT = 0.530 * HEIGHT
SHOULDER_HEIGHT = 0.818 * HEIGHT
THIGH = HIP_HEIGHT - KNEE_HEIGHT
SHANK = KNEE_HEIGHT - ANKLE_HEIGHT
UPPER_ARM = 0.186 * HEIGHT
FOREARM = 0.146 * HEIGHT
HAND = 0.108 * HEIGHT
FOOT = 0.152 * HEIGHT

HIP_HALF_WIDTH = 0.050 * HEIGHT
SHOULDER_HALF_WIDTH = 0.107 * HEIGHT  # the joint's centre; the outside of the shoulder is at 0.129 (Winter)
PELVIS_ABOVE_HIPS = 0.055
HEEL_BEHIND_ANKLE = 0.21 * FOOT
BALL_AHEAD_OF_ANKLE = 0.49 * FOOT
BALL_HEIGHT = 0.020
TIP_HEIGHT = 0.012
TOE = FOOT - HEEL_BEHIND_ANKLE - BALL_AHEAD_OF_ANKLE - 0.004

_PELVIS = (0.0, HIP_HEIGHT + PELVIS_ABOVE_HIPS, 0.0)
_MIDDLE: dict[str, tuple[str, tuple[float, float, float]]] = {
    "pelvis": ("", _PELVIS),
    "spine": ("pelvis", (0.0, 1.070, 0.0)),
    "spine1": ("spine", (0.0, 1.190, -0.012)),
    "chest": ("spine1", (0.0, 1.310, -0.026)),
    "neck": ("chest", (0.0, 1.480, -0.028)),
    "head": ("neck", (0.0, 1.580, 0.002)),
    "head_end": ("head", (0.0, HEIGHT, 0.012)),
}
_ELBOW = SHOULDER_HALF_WIDTH + UPPER_ARM
_WRIST = _ELBOW + FOREARM
_SHOULDER_Z = -0.020
_LEFT: dict[str, tuple[str, tuple[float, float, float]]] = {
    "clavicle": ("chest", (0.022, SHOULDER_HEIGHT + 0.034, -0.010)),
    "upper_arm": ("clavicle", (SHOULDER_HALF_WIDTH, SHOULDER_HEIGHT, _SHOULDER_Z)),
    "forearm": ("upper_arm", (_ELBOW, SHOULDER_HEIGHT, _SHOULDER_Z)),
    "hand": ("forearm", (_WRIST, SHOULDER_HEIGHT, _SHOULDER_Z)),
    "hand_end": ("hand", (_WRIST + HAND, SHOULDER_HEIGHT, _SHOULDER_Z)),
    "thigh": ("pelvis", (HIP_HALF_WIDTH, HIP_HEIGHT, 0.0)),
    "shin": ("thigh", (HIP_HALF_WIDTH, KNEE_HEIGHT, 0.0)),
    "foot": ("shin", (HIP_HALF_WIDTH, ANKLE_HEIGHT, 0.0)),
    "toe": ("foot", (HIP_HALF_WIDTH, BALL_HEIGHT, BALL_AHEAD_OF_ANKLE)),
    "toe_end": ("toe", (HIP_HALF_WIDTH, TIP_HEIGHT, BALL_AHEAD_OF_ANKLE + TOE)),
}
# finger: knuckle relative to the wrist (distal, up, towards the thumb), then the lengths of its three bones
FINGERS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "thumb": ((0.022, -0.010, 0.022), (0.0462, 0.0316, 0.0217)),
    "index": ((0.0950, 0.0, 0.027), (0.0398, 0.0224, 0.0158)),
    "middle": ((0.0970, 0.0, 0.006), (0.0446, 0.0263, 0.0174)),
    "ring": ((0.0900, 0.0, -0.014), (0.0414, 0.0257, 0.0173)),
    "pinky": ((0.0820, 0.0, -0.032), (0.0327, 0.0181, 0.0160)),
}
_THUMB_DIRECTION = np.array([1.0, -0.15, 0.9]) / np.linalg.norm([1.0, -0.15, 0.9])


def _build() -> tuple[dict[str, str], dict[str, np.ndarray]]:
    parents: dict[str, str] = {}
    places: dict[str, np.ndarray] = {}
    for name, (parent, place) in _MIDDLE.items():
        parents[name], places[name] = parent, np.array(place)
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        mirror = np.array([sign, 1.0, 1.0])
        for name, (parent, place) in _LEFT.items():
            parents[side + name] = parent if parent in _MIDDLE else side + parent
            places[side + name] = np.array(place) * mirror
        wrist = places[side + "hand"]
        for finger, (knuckle, bones) in FINGERS.items():
            direction = _THUMB_DIRECTION if finger == "thumb" else np.array([1.0, 0.0, 0.0])
            place = wrist + np.array(knuckle) * mirror
            for number in range(1, 5):
                name = f"{side}{finger}{number}"
                parents[name] = f"{side}{finger}{number - 1}" if number > 1 else side + "hand"
                places[name] = place
                if number < 4:
                    place = place + bones[number - 1] * direction * mirror
    return parents, places


PARENTS, PLACES = _build()
"""Parent of each joint ("" at the pelvis) and its place in the T-pose, in metres."""

OFFSETS = {name: PLACES[name] - (PLACES[parent] if parent else 0.0) for name, parent in PARENTS.items()}
"""Place of each joint relative to its parent in the T-pose, in metres."""

# fraction of body mass, joint at the near end, joint at the far end, centre of mass from the near end
SEGMENTS: tuple[tuple[float, str, str, float], ...] = (
    (0.142, "spine", "pelvis", 0.6),
    (0.355, "chest", "spine", 0.4),
    (0.081, "neck", "head_end", 0.55),
    *(
        segment
        for side in ("left_", "right_")
        for segment in (
            (0.028, side + "upper_arm", side + "forearm", 0.436),
            (0.016, side + "forearm", side + "hand", 0.430),
            (0.006, side + "hand", side + "hand_end", 0.506),
            (0.100, side + "thigh", side + "shin", 0.433),
            (0.0465, side + "shin", side + "foot", 0.433),
            (0.0145, side + "foot", side + "toe", 0.5),
        )
    ),
)


def center_of_mass(positions: dict[str, np.ndarray]) -> np.ndarray:
    """Return the body's centre of mass, shape (frames, 3), from joint positions, each (frames, 3), metres."""
    total = np.zeros_like(positions["pelvis"])
    for mass, near, far, fraction in SEGMENTS:
        total = total + mass * ((1.0 - fraction) * positions[near] + fraction * positions[far])
    return np.asarray(total / sum(segment[0] for segment in SEGMENTS))
