"""Where a robot's feet shall be: stiff soles, of which only the points on the floor bear, and those neither slide nor hang."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kinematics.anatomy import SIDES
from kinematics.body import measure_body
from kinematics.contacts import REFERENCE_HEIGHT, Contacts
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.ik.foot_paths import eased, flat_path, least_squares
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget.feet import UP, FootGoal, plan_feet
from retarget.robots.model import Robot
from retarget.robots.twin import Twin, zero_positions

BEARS = 0.006  # metres above a foot's lowest point up to which a point of its sole bears
FIRM_S = 0.1  # seconds after landing and before lifting within which a foot bears less than the other
ROUNDS = 4  # in which frames where a sole would be below the floor are put on it
SUNK = 2e-4  # metres that it may be
STAND = 1e5  # how much more a standing sole's height costs than the change of its height


def plan_soles(
    robot: Robot, twin: Twin, contacts: Contacts, seen: GlobalTransforms, scale: float, draft: Motion, ease_s: float
) -> list[FootGoal]:
    """Plan the way of each foot of the robot's twin, so that what bears stays where it is, on the floor.

    After `retarget.feet.plan_feet`, which knows ankles and toes alone, the true soles: their lowest points are put on the floor
    while the source's foot stands, and do not slide.

    Args:
        robot: The robot.
        twin: Its twin.
        contacts: Contacts of the source, frame by frame.
        seen: Its forward kinematics.
        scale: Metres of the twin for one of the source.
        draft: The twin's motion.
        ease_s: Seconds at both ends of a stance within which a foot comes to rest and leaves.
    """
    at, soles, goals = zero_positions(robot.skeleton), robot.soles, []
    body = measure_body(draft).height / REFERENCE_HEIGHT
    for goal in plan_feet(contacts, seen, scale, draft, forward_kinematics(draft), ease_s):
        side = 1 if goal.ankle == twin.roles.index(SIDES[0] + "foot") else -1
        mine = soles.sides == side
        if not mine.any():
            goals.append(goal)
            continue
        ankle = at[twin.parts[goal.ankle].joint] + twin.places[goal.ankle]
        arms = quaternion.rotate(goal.rotations[:, None], (at[soles.joints] + soles.offsets)[mine] - ankle)
        heights = goal.positions[:, 1:2] + arms[..., 1]
        lowest, standing = heights.min(axis=1), np.asarray(contacts.in_contact[:, contacts.sides == side].any(axis=1))
        lift = onto_floor(lowest, lowest, standing, draft.frame_time)
        bears = standing[:, None] & (heights - lowest[:, None] < BEARS)
        bears = np.concatenate([np.zeros((len(bears), 1), dtype=bool), bears], axis=1)  # the ankle itself never does
        steps = bears[1:] & bears[:-1]
        share = eased(np.asarray(steps.any(axis=1)), ease_s / draft.frame_time)
        flat = np.concatenate([goal.positions[:, None], goal.positions[:, None] + arms], axis=1) * (1.0 - UP)
        shifts, turns = flat_path(flat, steps, goal.rotations, share, draft.frame_time, body, UP)
        goals.append(
            replace(
                goal,
                positions=goal.positions + shifts + lift[:, None] * UP,
                rotations=quaternion.multiply(quaternion.from_axis_angle(UP, turns), goal.rotations),
            )
        )
    return goals


def planned_soles(robot: Robot, twin: Twin, goals: GlobalTransforms) -> np.ndarray:
    """Return where the points of the soles shall be, (frames, points, 3), with the twin's ankles where they shall be."""
    at, soles, feet = zero_positions(robot.skeleton), robot.soles, _feet(robot, twin)
    ankles = np.array([at[twin.parts[foot].joint] + twin.places[foot] for foot in feet]).reshape(-1, 3)
    arms = quaternion.rotate(goals.global_rotations[:, feet], at[soles.joints] + soles.offsets - ankles)
    return np.asarray(goals.global_positions[:, feet] + arms)


def on_edges(
    robot: Robot,
    twin: Twin,
    goals: GlobalTransforms,
    seen: GlobalTransforms,
    soles: np.ndarray,
    standing: np.ndarray,
    frame_time: float,
) -> GlobalTransforms:
    """Return goals whose ankles are where soles that cannot be turned as they shall be stand as they shall.

    An ankle that does not roll far enough leaves a foot on its edge: its lowest point is still as high as planned, and what
    bears is where it was planned to be.

    Args:
        robot: The robot.
        twin: Its twin.
        goals: Where the twin shall be.
        seen: Where the robot has the twin's joints.
        soles: Where its soles' points are, (frames, points, 3).
        standing: When the left and the right foot stand, (frames, 2).
        frame_time: Seconds.
    """
    feet, positions = _feet(robot, twin), goals.global_positions.copy()
    wanted = planned_soles(robot, twin, goals) - goals.global_positions[:, feet]
    found = soles - seen.global_positions[:, feet]
    for which, side in enumerate((1, -1)):
        mine = np.flatnonzero(robot.soles.sides == side)
        if not len(mine):
            continue
        bears = _bearing(found[:, mine, 1])
        shift = np.einsum("fp,fpi->fi", bears, wanted[:, mine] - found[:, mine]) * (1.0 - UP)
        shift *= eased(standing[:, which], FIRM_S / frame_time)[:, None]
        shift[:, 1] = wanted[:, mine, 1].min(axis=1) - found[:, mine, 1].min(axis=1)
        positions[:, feet[mine[0]]] += shift
    return GlobalTransforms(goals.skeleton, positions, goals.global_rotations, goals.end_site_positions)


def _feet(robot: Robot, twin: Twin) -> np.ndarray:
    """Return the twin's foot of each point of the soles, (points,)."""
    return np.array([twin.roles.index(SIDES[0 if side > 0 else 1] + "foot") for side in robot.soles.sides], dtype=np.int64)


def _bearing(heights: np.ndarray) -> np.ndarray:
    """Return how much each point of a sole bears, (frames, points), by heights: the lowest most, 1 in all."""
    bears = 1.0 / (1.0 + ((heights - heights.min(axis=1, keepdims=True)) / BEARS) ** 2) ** 2
    return np.asarray(bears / bears.sum(axis=1, keepdims=True))


def stay(planned: np.ndarray, soles: np.ndarray, sides: np.ndarray, standing: np.ndarray, frame_time: float) -> np.ndarray:
    """Return how far to move a body along the floor, (frames, 3): the points that bear come to where they shall be, and stay.

    Where both feet stand they share. planned, soles (frames, points, 3): where the soles' points shall be, and are; sides
    (points,): +1 left, -1 right; standing (frames, 2): left, right.
    """
    level, held = 1.0 - UP, np.asarray(standing.any(axis=1))
    weights = np.zeros(soles.shape[:2])
    for which, side in enumerate((1, -1)):
        mine = np.flatnonzero(sides == side)
        if len(mine):
            firm = eased(standing[:, which], FIRM_S / frame_time) + 1e-3 * standing[:, which]
            weights[:, mine] = firm[:, None] * _bearing(soles[:, mine, 1])
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    gaps = np.einsum("fp,fpi->fi", weights / total, planned - soles) * level
    shift = least_squares(gaps, np.where(held, STAND, 0.0), frame_time, steps=False)
    both = weights[1:] * weights[:-1]
    share = both.sum(axis=1)
    slide = np.einsum("fp,fpi->fi", both / np.maximum(share, 1e-12)[:, None], np.diff(soles + shift[:, None], axis=0)) * level
    return np.asarray(shift + least_squares(-slide, np.minimum(share * 4.0, 1.0), frame_time, steps=True))


def onto_floor(stands: np.ndarray, lowest: np.ndarray, held: np.ndarray, frame_time: float) -> np.ndarray:
    """Return how far to raise a body, (frames,), smoothly: what stands comes to height 0 and nothing is below.

    stands (frames,): height of what stands, where held (frames,); lowest (frames,): height of the lowest point.
    """
    wanted, lift = np.where(held, -np.where(held, stands, 0.0), 0.0), np.zeros(len(lowest))
    for _ in range(ROUNDS):
        lift = least_squares(wanted[:, None], np.where(held, STAND, 0.0), frame_time, steps=False)[:, 0]
        low = lowest + lift < -SUNK
        if not low.any():
            break
        wanted, held = np.where(low, -lowest, wanted), held | low
    return np.asarray(np.maximum(lift, -lowest))
