"""A compact tree of joints as rigid bodies joined at points, seen from the one that stays: what FABRIK and CCD walk along.

Locked joints are part of their parent's body. The body that holds the anchor (without one: the root's) comes first, and each
body after the one that carries it, whichever of the two is the parent in the skeleton.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinematics import kernels
from kinematics._arrays import FrozenArrays

COLUMNS = ("top", "carrier", "joint", "downward", "first_point", "last_point", "first_goal", "last_goal")


@dataclass(frozen=True, eq=False)
class Bodies(FrozenArrays):
    """Tables of rigid bodies.

    Attributes:
        bodies: One row (kernels.bodies.BODY) for each body that lies between the base and a goal or the root, after its carrier.
        points: One row (POINT) for each point that a body wants in its place: goals and the joints of bodies it carries.
        goals: One row (GOAL) for each goal, in the order in which bodies hold them.
    """

    bodies: np.ndarray
    points: np.ndarray
    goals: np.ndarray


def find_bodies(
    parents: Int[np.ndarray, " joints"],
    mobility: Float[np.ndarray, " joints_and_root"],
    goal_joints: Int[np.ndarray, " goals"],
    anchor_joint: int,
) -> Bodies:
    """Divide a compact tree into rigid bodies.

    Args:
        parents: Row of each joint's parent, -1 at the root, shape (joints,).
        mobility: 1 / stiffness of each joint and, last, of the root's translation, shape (joints + 1,); 0 is locked.
        goal_joints: Row of the joint that carries each goal, shape (goals,).
        anchor_joint: Row of the joint that carries the point which stays in place; -1 for none.
    """
    up = parents.tolist()
    top: list[int] = []
    for joint, parent in enumerate(up):
        top.append(joint if parent < 0 or mobility[joint] > 0 else top[parent])
    beside: dict[int, list[int]] = {joint: [] for joint in top}
    for joint in beside:
        if joint > 0:
            beside[joint].append(top[up[joint]])
            beside[top[up[joint]]].append(joint)
    base = top[anchor_joint] if anchor_joint >= 0 else 0
    carrier = _walk(beside, base)
    needed = {base}
    for joint in [0, *(top[joint] for joint in goal_joints.tolist())]:
        while joint not in needed:
            needed.add(joint)
            joint = carrier[joint]
    order = [body for body in carrier if body in needed]
    rows = {body: row for row, body in enumerate(order)}
    bodies = np.zeros(len(order), dtype=kernels.bodies.BODY)
    goals = np.zeros(len(goal_joints), dtype=kernels.bodies.GOAL)
    points: list[tuple[int, int, int]] = []
    seen = 0
    for row, body in enumerate(order):
        by = carrier[body]
        downward = by < 0 or (body != 0 and top[up[body]] == by)
        joint = body if downward and (by >= 0 or body == 0) else by  # upward it is the carrier's own joint
        held = [goal for goal, carries in enumerate(goal_joints.tolist()) if top[carries] == body]
        carried = [rows[other] for other in order if carrier[other] == body]
        first = len(points)
        points += [(row, seen + k, -1) for k in range(len(held))] + [(row, -1, other) for other in carried]
        goals["number"][seen : seen + len(held)] = held
        goals["joint"][seen : seen + len(held)] = goal_joints[held]
        table = (body, rows.get(by, -1), joint, downward, first, len(points), seen, seen + len(held))
        for name, value in zip(COLUMNS, table, strict=True):
            bodies[name][row] = value
        seen += len(held)
    for row in range(len(order) - 1, 0, -1):
        by = bodies["carrier"][row]
        bodies["last_goal"][by] = max(bodies["last_goal"][by], bodies["last_goal"][row])
    table_of_points = np.zeros(len(points), dtype=kernels.bodies.POINT)
    for column, name in enumerate(("body", "goal", "other")):
        table_of_points[name] = [point[column] for point in points]
    return Bodies(_locked(bodies), _locked(table_of_points), _locked(goals))


def _walk(beside: dict[int, list[int]], base: int) -> dict[int, int]:
    """Return the neighbour of each body on the way to the base, in depth-first order."""
    carrier, stack = {}, [(base, -1)]
    while stack:
        body, by = stack.pop()
        carrier[body] = by
        stack += [(other, body) for other in reversed(beside[body]) if other != by]
    return carrier


def _locked(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
