"""Where a robot's feet shall be: stiff soles, of which only the points on the floor bear, and those neither slide nor hang."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kinematics.anatomy import SIDES
from kinematics.body import measure_body
from kinematics.contacts import REFERENCE_HEIGHT, Contacts
from kinematics.forward import forward_kinematics
from kinematics.ik.foot_paths import eased, flat_path, least_squares
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget.feet import UP, FootGoal, plan_feet
from retarget.robots.model import Robot
from retarget.robots.twin import Twin, zero_positions

BEARS = 0.006  # metres above a foot's lowest point up to which a point of its sole bears
ROUNDS = 4  # in which frames where a sole would be below the floor are put on it
SUNK = 2e-4  # metres that it may be
STAND = 1e5  # how much more a standing sole's height costs than the change of its height


def plan_soles(robot: Robot, twin: Twin, contacts: Contacts, scale: float, draft: Motion, ease_s: float) -> list[FootGoal]:
    """Plan the way of each foot of the robot's twin, so that what bears stays where it is, on the floor.

    After `retarget.feet.plan_feet`, which knows ankles and toes alone, the true soles: their lowest points are put on the floor
    while the source's foot stands, and do not slide.

    Args:
        robot: The robot.
        twin: Its twin.
        contacts: Contacts of the source, frame by frame.
        scale: Metres of the twin for one of the source.
        draft: The twin's motion.
        ease_s: Seconds at both ends of a stance within which a foot comes to rest and leaves.
    """
    at, soles, goals = zero_positions(robot.skeleton), robot.soles, []
    body = measure_body(draft).height / REFERENCE_HEIGHT
    for goal in plan_feet(contacts, scale, draft, forward_kinematics(draft), ease_s):
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
