"""Rigid bodies of a compact tree: carriers, locked joints, and the tree seen from an anchor."""

from __future__ import annotations

import numpy as np

from kinematics.ik.bodies import find_bodies

#   0 - 1 - 2 - 3
#        \- 4 - 5
PARENTS = np.array([-1, 0, 1, 2, 1, 4])


def found(goals: list[int], anchor: int = -1, locked: tuple[int, ...] = ()) -> tuple[list[int], list[int], list[int]]:
    mobility = np.ones(7)
    mobility[list(locked)] = 0.0
    bodies = find_bodies(PARENTS, mobility, np.array(goals), anchor)
    tops = bodies.bodies["top"].tolist()
    carriers = [tops[by] if by >= 0 else -1 for by in bodies.bodies["carrier"]]
    return tops, carriers, bodies.bodies["joint"].tolist()


def test_without_an_anchor_each_joint_hangs_at_its_parent() -> None:
    assert found([3, 5]) == ([0, 1, 2, 3, 4, 5], [-1, 0, 1, 2, 1, 4], [0, 1, 2, 3, 4, 5])


def test_only_what_leads_to_a_goal_or_the_root_counts() -> None:
    assert found([3])[0] == [0, 1, 2, 3]
    assert found([5], anchor=3)[0] == [3, 2, 1, 0, 4, 5]


def test_from_an_anchor_the_joint_between_two_bodies_is_the_lower_ones() -> None:
    tops, carriers, joints = found([5], anchor=3)
    assert carriers == [-1, 3, 2, 1, 1, 4]
    assert joints == [-1, 3, 2, 1, 4, 5]
    assert tops == [3, 2, 1, 0, 4, 5]


def test_locked_joints_belong_to_their_parents() -> None:
    assert found([3, 5], locked=(1, 2)) == ([0, 3, 4, 5], [-1, 0, 0, 4], [0, 3, 4, 5])
    assert found([3, 5], anchor=3, locked=(2, 3, 4)) == ([1, 0, 5], [-1, 1, 1], [-1, 1, 5])


def test_goals_lie_together_below_each_body() -> None:
    bodies = find_bodies(PARENTS, np.ones(7), np.array([5, 1, 3, 5]), -1)
    assert bodies.goals["number"].tolist() == [1, 2, 0, 3]
    below = {int(body["top"]): (int(body["first_goal"]), int(body["last_goal"])) for body in bodies.bodies}
    assert below == {0: (0, 4), 1: (0, 4), 2: (1, 2), 3: (1, 2), 4: (2, 4), 5: (2, 4)}
    held = [(int(bodies.bodies["top"][point["body"]]), int(point["goal"])) for point in bodies.points if point["goal"] >= 0]
    assert held == [(1, 0), (3, 1), (5, 2), (5, 3)]
    assert not bodies.bodies.flags.writeable
