"""Hinges of each joint: how many, about which axes, in which order, and how far they turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.character.clip import RARE
from imitate.character.config import CharacterConfig
from kinematics.ik.human import LIMBS, NECK, TRUNK
from kinematics.rotations import euler, quaternion, swing_twist

ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
X, Y, Z = np.eye(3)
SAFE = np.radians(30.0)  # from gimbal lock: with less the clip's mean pose becomes the zero of the hinges
SLACK = np.radians(5.0)  # beyond a clip that goes past what anatomy allows
LOOSE = 3.0  # times the tolerance: how much a hinge may turn its bone about itself
STILL = np.radians(6.0)  # a joint that turns less shows no axis of its own
DISTAL = ("shin", "forearm", "toe")  # joints that may be hinges
SHOULDER, WRIST = {"X": (-180, 60), "Z": (-40, 180), "Y": (-110, 110)}, {"X": (-80, 80), "Z": (-80, 80), "Y": (-80, 80)}


@dataclass(frozen=True, eq=False)
class Hinges:
    """Hinges between a body and its parent: rotation = reference * turns about the axes, in their order.

    Attributes:
        reference: Rotation in the parent's frame at zero angles, quaternion wxyz, shape (4,).
        basis: Frame in which the axes are X, Y and Z, seen from the body, quaternion wxyz, shape (4,).
        order: Order of turns of three hinges, such as "XZY".
        active: Letters of the hinges there are, in that order: "XZY", "XY" or "X".
    """

    reference: Float[np.ndarray, "4"]
    basis: Float[np.ndarray, "4"]
    order: str
    active: str

    @property
    def axes(self) -> Float[np.ndarray, "hinges 3"]:
        """Axis of each hinge in the body's frame, shape (hinges, 3)."""
        return quaternion.rotate(self.basis, np.eye(3)[["XYZ".index(letter) for letter in self.active]])

    def angles(self, rotations: Float[np.ndarray, "frames 4"]) -> Float[np.ndarray, "frames hinges"]:
        """Return angles without jumps that come nearest to rotations in the parent's frame, radians."""
        inner = quaternion.multiply(quaternion.inverse(self.reference), rotations)
        inner = quaternion.multiply(quaternion.multiply(quaternion.inverse(self.basis), inner), self.basis)
        if len(self.active) == 1:
            return np.unwrap(swing_twist.twist_angle(inner, np.eye(3)["XYZ".index(self.active)]), axis=0)[:, None]
        turned = euler.unroll(euler.from_quaternion(inner, self.order), self.order)
        return np.asarray(turned[:, [self.order.index(letter) for letter in self.active]])

    def rotations(self, angles: Float[np.ndarray, "frames hinges"]) -> Float[np.ndarray, "frames 4"]:
        """Return the rotations in the parent's frame of hinge angles, quaternions wxyz, shape (frames, 4)."""
        turned = np.broadcast_to(self.reference, (len(angles), 4))
        for column, axis in zip(angles.T, self.axes, strict=True):
            turned = quaternion.multiply(turned, quaternion.from_axis_angle(axis, column))
        return np.asarray(turned)


def find_hinges(
    rotations: Float[np.ndarray, "frames 4"], bone: Float[np.ndarray, "3"], part: str, config: CharacterConfig
) -> Hinges:
    """Choose the hinges of a joint from what it does in a clip.

    Knees, elbows and toes, and joints of unknown parts, become one hinge where that moves their bone as the clip does; elbows
    else two, the second about the bone. All others have three, in the order that stays farthest from gimbal lock.

    Args:
        rotations: Of the body in its parent's frame, shape (frames, 4); frames are such that a standing body has identity.
        bone: From the joint to the next, in the body's frame, metres, shape (3,).
        part: Role without its side.
        config: The tolerance.
    """
    tolerance = np.radians(config.hinge_tolerance_degrees)
    if part in DISTAL or not part:
        one = _one_hinge(rotations, part)
        if one is not None and _loss(one, rotations, bone) < tolerance:
            return one
        if one is not None and part == "forearm":
            two = _bend_and_twist(one, bone)
            if two is not None and _loss(two, rotations, bone) < tolerance:
                return two
    return _three_hinges(rotations)


def _one_hinge(rotations: Float[np.ndarray, "frames 4"], part: str) -> Hinges | None:
    """Return the hinge about the axis that the clip turns about most; for a part that hardly turns the body's left."""
    mean = quaternion.mean(rotations)
    turns = quaternion.to_rotation_vector(quaternion.multiply(quaternion.inverse(mean), rotations))
    spread, directions = np.linalg.eigh(turns.T @ turns / len(turns))
    if np.sqrt(spread[-1]) < STILL:
        if not part:
            return None
        axis = X
    else:
        axis = directions[:, -1] * (1.0 if directions[np.abs(directions[:, -1]).argmax(), -1] > 0.0 else -1.0)
    # zero is the rotation of this hinge that is nearest to standing
    back = swing_twist.twist_angle(quaternion.inverse(mean), axis)
    reference = quaternion.multiply(mean, quaternion.from_axis_angle(axis, back))
    return Hinges(reference, quaternion.shortest_arc(X, axis), "XYZ", "X")


def _bend_and_twist(hinge: Hinges, bone: Float[np.ndarray, "3"]) -> Hinges | None:
    """Return a hinge with a second one about the bone; None where the bone lies along the first."""
    bend = hinge.axes[0]
    twist = bone - (bone @ bend) * bend
    length = float(np.linalg.norm(twist))
    if length <= 0.5 * float(np.linalg.norm(bone)):
        return None
    twist = twist / length
    basis = quaternion.from_matrix(np.stack([bend, twist, np.cross(bend, twist)], axis=1))
    return Hinges(hinge.reference, basis, "XZY", "XY")


def _three_hinges(rotations: Float[np.ndarray, "frames 4"]) -> Hinges:
    best, widest = None, -1.0
    for reference in (quaternion.IDENTITY, quaternion.mean(rotations)):
        inner = quaternion.multiply(quaternion.inverse(reference), rotations)
        margins = [0.5 * np.pi - np.abs(euler.from_quaternion(inner, order)[:, 1]).max() for order in ORDERS]
        if max(margins) > widest:
            widest = max(margins)
            best = Hinges(np.array(reference), quaternion.IDENTITY.copy(), ORDERS[int(np.argmax(margins))], "")
        if widest > SAFE:
            break
    assert best is not None
    return Hinges(best.reference, best.basis, best.order, best.order)


def _loss(hinges: Hinges, rotations: Float[np.ndarray, "frames 4"], bone: Float[np.ndarray, "3"]) -> float:
    """Return by how much hinges miss the clip, radians: the angle of the bone, and that of its own turn (counted less).

    Of each the root mean square, or a share of the largest where that is more: a rare gesture counts too.
    """
    made = hinges.rotations(hinges.angles(rotations))
    missed = [quaternion.angle_between(made, rotations) / LOOSE]
    length = float(np.linalg.norm(bone))
    if length > 1e-9:
        one, other = quaternion.rotate(made, bone / length), quaternion.rotate(rotations, bone / length)
        missed.append(np.arccos(np.clip((one * other).sum(axis=-1), -1.0, 1.0)))
    return float(max(max(np.sqrt(np.square(angles).mean()), angles.max() / RARE) for angles in missed))


def gimbal_margin(hinges: Hinges, rotations: Float[np.ndarray, "frames 4"]) -> float:
    """Return how far the middle of three hinges stays from gimbal lock, radians; pi / 2 for fewer hinges."""
    if len(hinges.active) < 3:
        return 0.5 * np.pi
    return float(0.5 * np.pi - np.abs(hinges.angles(rotations)[:, 1]).max())


def find_ranges(
    hinges: Hinges, angles: Float[np.ndarray, "frames hinges"], part: str, left: bool, config: CharacterConfig
) -> tuple[Float[np.ndarray, " hinges"], Float[np.ndarray, " hinges"]]:
    """Return the range of each hinge: the clip's, widened as far as anatomy allows, and standing upright where it does.

    Args:
        hinges: Hinges of the joint.
        angles: In the clip, radians, shape (frames, hinges).
        part: Role without its side.
        left: Whether it is a joint of the left side or the middle; the right is its mirror image.
        config: The margin.
    """
    lowest, highest = angles.min(axis=0), angles.max(axis=0)
    margin = np.radians(config.range_margin_degrees)
    lower, upper = lowest - margin, highest + margin
    upright = float(quaternion.angle(hinges.reference)) < np.radians(30.0)
    upright &= float(hinges.axes[hinges.active.index("X")] @ X) > 0.8 if "X" in hinges.active else False
    about = _anatomical(part) if upright else None
    for n, letter in enumerate(hinges.active):
        if about is None:
            continue
        least, most = np.radians(about[letter])
        if letter != "X" and not left:
            least, most = -most, -least
        lower[n] = min(max(lower[n], least), lowest[n] - SLACK, max(least, -SLACK))
        upper[n] = max(min(upper[n], most), highest[n] + SLACK, min(most, SLACK))
    return lower, upper


def _anatomical(part: str) -> dict[str, tuple[int, int]] | None:
    if part == "upper_arm":
        return SHOULDER
    if part == "hand":
        return WRIST
    table = {"spine": TRUNK, "chest": TRUNK, "head": NECK, **LIMBS}.get(part)
    return None if table is None else {"X": table.x, "Y": table.y, "Z": table.z}
