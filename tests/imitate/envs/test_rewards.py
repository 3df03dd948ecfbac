import math

import numpy as np
import pytest

from imitate.bodies import make_bodies, make_tree, move
from imitate.envs.config import DEEPMIMIC
from imitate.envs.rewards import (
    RewardSpec,
    com_error,
    end_effector_error,
    joint_weights,
    pose_error,
    reward,
    root_error,
    squared_angle,
    velocity_error,
)
from kinematics.rotations import quaternion

STILL = (1.0, 0.0, 0.0, 0.0)
ZERO = (0.0, 0.0, 0.0)


def turn(*vector: float) -> np.ndarray:
    return quaternion.from_rotation_vector(np.array(vector))


def test_the_angle_between_rotations_ignores_the_sign_of_quaternions():
    a, b = tuple(turn(0.2, 0.0, 0.0)), tuple(turn(0.5, 0.0, 0.0))
    assert squared_angle(a, b) == pytest.approx(0.09)
    assert squared_angle(a, tuple(-np.array(b))) == pytest.approx(0.09)
    assert squared_angle(a, a) == pytest.approx(0.0, abs=1e-15)
    assert squared_angle(STILL, tuple(turn(0.0, math.pi, 0.0))) == pytest.approx(math.pi**2)


def test_pose_error_counts_each_joint_relative_to_its_parent():
    parents, weights = np.array([-1, 0, 1]), np.array([0.5, 0.3, 0.2])
    wanted = np.stack([turn(0.0, 0.0, 0.0)] * 3)
    turned = np.stack([turn(0.0, 0.0, 0.4)] * 3)  # only the root has turned; the others went along
    assert pose_error(turned, wanted, parents, weights) == pytest.approx(0.5 * 0.16)
    bent = np.stack([turn(0.0, 0.0, 0.0), turn(0.3, 0.0, 0.0), turn(0.1, 0.0, 0.0)])
    assert pose_error(bent, wanted, parents, weights) == pytest.approx(0.3 * 0.09 + 0.2 * 0.04)


def test_velocity_error_counts_relative_spins():
    parents, weights = np.array([-1, 0]), np.array([0.25, 0.75])
    rotations = np.stack([turn(0.0, 0.0, 1.0)] * 2)
    spins, none = np.array([[1.0, 0.0, 0.0], [1.0, 2.0, 0.0]]), np.zeros((2, 3))
    assert velocity_error(rotations, spins, rotations, none, parents, weights) == pytest.approx(0.25 * 1.0 + 0.75 * 4.0)


def test_end_effectors_are_seen_from_the_own_place_and_heading():
    wanted = np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 1.0], [0.0, 0.2, 1.0]])
    yaw = turn(0.0, 0.0, 1.1)
    moved = quaternion.rotate(np.broadcast_to(yaw, (3, 4)), wanted) + np.array([3.0, -2.0, 0.0])
    both = np.array([1, 2])
    assert end_effector_error(moved, tuple(yaw), wanted, STILL, both) == pytest.approx(0.0, abs=1e-15)
    off = wanted.copy()
    off[1, 2] += 0.1
    assert end_effector_error(off, STILL, wanted, STILL, both) == pytest.approx(0.01 / 2)
    assert end_effector_error(off, STILL, wanted, STILL, both[:0]) == 0.0


def test_end_effectors_of_a_sunk_root_are_as_high_as_they_are_above_the_floor():
    """By hand, as in DeepMimic's program: a crouch with the feet where they should be costs nothing here, and 0.2 m lower all do."""
    wanted = np.array([[0.0, 0.0, 1.0], [0.1, 0.1, 0.1], [0.0, 0.4, 1.3]])
    crouched, sunk = wanted.copy(), wanted - np.array([0.0, 0.0, 0.2])
    crouched[0, 2] -= 0.2
    both = np.array([1, 2])
    assert end_effector_error(crouched, STILL, wanted, STILL, both) == pytest.approx(0.0, abs=1e-15)
    assert end_effector_error(sunk, STILL, wanted, STILL, both) == pytest.approx(0.04)


def test_root_and_centre_of_mass_weigh_as_in_deepmimic():
    error = root_error((0.1, 0.0, 0.0), tuple(turn(0.2, 0.0, 0.0)), (0.0, 3.0, 0.0), (0.0, 0.0, 4.0), ZERO, STILL, ZERO, ZERO)
    assert error == pytest.approx(0.01 + 0.1 * 0.04 + 0.01 * 9.0 + 0.001 * 16.0)
    assert com_error((1.0, 0.0, 2.0), ZERO) == pytest.approx(0.5)


def test_the_weights_of_joints_fall_with_their_distance_from_the_root(walker):
    weights = joint_weights(make_tree(walker.character.model))
    names = walker.character.body_names
    assert weights.sum() == pytest.approx(1.0)
    by_name = dict(zip(names, weights / weights[0], strict=True))
    assert [by_name[name] for name in ("pelvis", "left_thigh", "left_shin", "left_foot", "left_toe")] == pytest.approx(
        [1.0, 0.5, 0.3, 0.2, 0.2]
    )


def slow_reward(tree, spec, bodies, row, reference, frame):
    """DeepMimic's reward of one body, with NumPy and loops."""

    def local(q, b):
        return quaternion.multiply(quaternion.inverse(q[tree.parents[b]]), q[b]) if tree.parents[b] >= 0 else q[b]

    def spin(q, w, b):
        p = tree.parents[b]
        return quaternion.rotate(quaternion.inverse(q[p]), w[b] - w[p]) if p >= 0 else w[b]

    def angle(a, b):
        return np.linalg.norm(quaternion.to_rotation_vector(quaternion.multiply(quaternion.inverse(a), b)))

    def seen(body, at):
        q = body.rotations[at, 0] * np.array([1.0, 0.0, 0.0, 1.0])
        back, along_floor = quaternion.inverse(q / np.linalg.norm(q)), np.array([1.0, 1.0, 0.0])
        return np.array(
            [quaternion.rotate(back, body.positions[at, e] - along_floor * body.positions[at, 0]) for e in spec.end_effectors]
        )

    here, there = bodies.rotations[row], reference.rotations[frame]
    spins, wanted = bodies.angular_velocities[row], reference.angular_velocities[frame]
    jointed = range(len(tree.parents))
    errors = [
        sum(spec.joint_weights[b] * angle(local(here, b), local(there, b)) ** 2 for b in jointed),
        sum(spec.joint_weights[b] * np.sum((spin(here, spins, b) - spin(there, wanted, b)) ** 2) for b in jointed),
        np.sum((seen(bodies, row) - seen(reference, frame)) ** 2) / len(spec.end_effectors),
        np.sum((bodies.positions[row, 0] - reference.positions[frame, 0]) ** 2)
        + 0.1 * angle(here[0], there[0]) ** 2
        + 0.01 * np.sum((bodies.linear_velocities[row, 0] - reference.linear_velocities[frame, 0]) ** 2)
        + 0.001 * np.sum((spins[0] - wanted[0]) ** 2),
        0.1 * np.sum((bodies.center_of_mass_velocity[row] - reference.center_of_mass_velocity[frame]) ** 2),
    ]
    terms = np.exp(-np.array(DEEPMIMIC.scales) * errors)
    return terms, float(np.dot(DEEPMIMIC.weights, terms) / sum(DEEPMIMIC.weights))


def test_the_reward_is_deepmimics(walker):
    character, reference = walker.character, walker.reference
    tree, rng = make_tree(character.model), np.random.default_rng(1)
    frames = np.array([3, 20, 60])
    qpos = reference.qpos[frames] + rng.normal(scale=0.05, size=(3, reference.qpos.shape[1]))
    qvel = reference.qvel[frames] + rng.normal(scale=0.3, size=(3, reference.qvel.shape[1]))
    bodies = make_bodies(3, len(character.body_names))
    move(tree, qpos, qvel, np.arange(3), bodies)
    weights = np.array(DEEPMIMIC.weights)
    spec = RewardSpec(joint_weights(tree), np.array(character.end_effectors), weights / weights.sum(), np.array(DEEPMIMIC.scales))
    terms, totals = np.empty((5, 3)), np.empty(3)
    reward(spec, tree, bodies, frames, reference.bodies, terms, totals)
    for row, frame in enumerate(frames):
        wanted, total = slow_reward(tree, spec, bodies, row, reference.bodies, frame)
        np.testing.assert_allclose(terms[:, row], wanted, rtol=1e-9)
        assert totals[row] == pytest.approx(total)
        assert 0.0 < total < 1.0


def test_the_reference_itself_earns_everything(walker):
    reference = walker.reference
    tree, frames = make_tree(walker.character.model), np.array([0, 5, 40])
    bodies = make_bodies(3, len(walker.character.body_names))
    move(tree, reference.qpos[frames], reference.qvel[frames], np.arange(3), bodies)
    weights = np.array(DEEPMIMIC.weights)
    spec = RewardSpec(
        joint_weights(tree), np.array(walker.character.end_effectors), weights / weights.sum(), np.array(DEEPMIMIC.scales)
    )
    terms, totals = np.empty((5, 3)), np.empty(3)
    reward(spec, tree, bodies, frames, reference.bodies, terms, totals)
    np.testing.assert_allclose(terms, 1.0)
    np.testing.assert_allclose(totals, 1.0)
