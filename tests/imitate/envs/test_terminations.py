import numpy as np
import pytest

from imitate.bodies import make_bodies
from imitate.envs.terminations import distances, too_low, touches


def test_distances_are_those_of_the_frame_of_each_body():
    bodies, reference = make_bodies(2, 3), make_bodies(4, 3)
    reference.positions[3] = [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 2.0, 1.0]]
    bodies.positions[1] = reference.positions[3] + [[0.0, 0.3, 0.4], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    mean, largest = np.empty(2), np.empty(2)
    distances(bodies, np.array([0, 3]), reference, mean, largest)
    assert mean == pytest.approx([0.0, 0.5]) and largest == pytest.approx([0.0, 1.0])


def test_low_is_a_share_of_the_reference():
    bodies, reference = make_bodies(3, 1), make_bodies(2, 1)
    reference.positions[:, 0, 2] = [1.0, 0.5]
    bodies.positions[:, 0, 2] = 0.3
    assert too_low(bodies, np.array([0, 1, 1]), reference, 0.5).tolist() == [True, False, False]


def test_only_forbidden_bodies_may_not_touch():
    bodies = make_bodies(3, 2)
    bodies.lowest[:] = [[0.0, 0.5], [0.5, -0.01], [0.5, np.inf]]
    assert touches(bodies, np.array([1])).tolist() == [False, True, False]
