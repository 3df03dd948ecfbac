"""Metrics: by hand on small cases, against other programs' formulas, and the laws that name them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from imitate import metrics
from kinematics.errors import InputError
from kinematics.rotations import quaternion


@pytest.fixture
def bodies() -> tuple[np.ndarray, np.ndarray]:
    """Positions of 5 bodies in 7 frames of 3 episodes, metres, and where they should be."""
    generator = np.random.default_rng(3)
    reference = generator.normal(size=(7, 3, 5, 3))
    return reference + 0.1 * generator.normal(size=reference.shape), reference


def test_errors_by_hand() -> None:
    reference = np.zeros((3, 2, 3))
    reference[:, 1] = [0.0, 0.0, 1.0]
    positions = reference + [0.03, 0.0, 0.04]  # both bodies 5 cm off
    positions[:, 1] += [0.0, 0.12, 0.0]  # and the second one 13 cm
    assert metrics.global_error(positions, reference) == pytest.approx([90.0] * 3)
    assert metrics.root_relative_error(positions, reference) == pytest.approx([60.0] * 3)
    assert metrics.root_relative_error(positions, reference, root=1) == pytest.approx([60.0] * 3)


def test_velocity_and_acceleration_by_hand() -> None:
    reference = np.zeros((4, 1, 3))
    positions = np.zeros((4, 1, 3))
    positions[:, 0, 1] = [0.0, 0.001, 0.004, 0.009]  # t squared, in millimetres
    assert metrics.velocity_error(positions, reference) == pytest.approx([1.0, 3.0, 5.0])
    assert metrics.acceleration_error(positions, reference) == pytest.approx([2.0, 2.0])
    assert metrics.acceleration_error(positions[:1], reference[:1]).shape == (0,)


def test_root_rotation_is_not_taken_out() -> None:
    reference = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    turned = np.array([[[5.0, 0.0, 0.0], [5.0, 1.0, 0.0]]])
    assert metrics.root_relative_error(turned, reference) == pytest.approx([500.0 * np.sqrt(2.0)])
    assert metrics.procrustes_error(turned, reference) == pytest.approx([0.0], abs=1e-9)


def test_procrustes_agrees_with_scipy(bodies: tuple[np.ndarray, np.ndarray]) -> None:
    positions, reference = bodies
    found = metrics.procrustes_error(positions, reference)
    for at in np.ndindex(found.shape):
        one, other = positions[at] - positions[at].mean(0), reference[at] - reference[at].mean(0)
        turned = Rotation.align_vectors(other, one)[0].apply(one)
        scale = float(np.sum(turned * other) / np.sum(one * one))
        assert found[at] == pytest.approx(1000.0 * np.linalg.norm(scale * turned - other, axis=-1).mean())


def test_procrustes_ignores_similarity_and_refuses_reflection(bodies: tuple[np.ndarray, np.ndarray]) -> None:
    reference = bodies[1]
    turn = Rotation.from_rotvec([0.3, -2.0, 1.1]).as_matrix()
    moved = 1.7 * reference @ turn.T + [3.0, -1.0, 2.0]
    assert metrics.procrustes_error(moved, reference) == pytest.approx(np.zeros((7, 3)), abs=1e-9)
    assert np.all(metrics.procrustes_error(reference * [1.0, 1.0, -1.0], reference) > 50.0)


def test_procrustes_of_bodies_in_one_point() -> None:
    reference = np.zeros((1, 2, 3))
    reference[0, 1, 0] = 2.0
    assert metrics.procrustes_error(np.ones((1, 2, 3)), reference) == pytest.approx([1000.0])


def test_batch_equals_loop_and_arguments_stay(bodies: tuple[np.ndarray, np.ndarray]) -> None:
    positions, reference = bodies
    before = positions.copy(), reference.copy()
    for measure in (
        metrics.global_error,
        metrics.root_relative_error,
        metrics.procrustes_error,
        metrics.velocity_error,
        metrics.acceleration_error,
    ):
        whole = measure(positions, reference)
        one_by_one = [measure(positions[:, k], reference[:, k]) for k in range(3)]
        assert whole == pytest.approx(np.stack(one_by_one, axis=1))
        assert measure(reference, reference) == pytest.approx(np.zeros(whole.shape), abs=1e-9)
    assert np.array_equal(positions, before[0]) and np.array_equal(reference, before[1])


def test_sampling_at_another_rate() -> None:
    times = np.arange(11) / 50.0
    sampled = metrics.at_rate(np.stack([times, 3.0 - times], axis=1), 50.0)
    assert sampled[:, 0] == pytest.approx(np.arange(7) / 30.0)  # 0.2 s at 30 Hz
    assert sampled.sum(axis=1) == pytest.approx(np.full(7, 3.0))
    assert metrics.at_rate(times, 60.0) == pytest.approx(times[::2])
    assert metrics.at_rate(times, 30.0) is times


def test_rotation_error_is_the_mean_angle() -> None:
    turned = quaternion.from_rotation_vector(np.array([[[0.2, 0.0, 0.0], [0.0, 0.0, -0.4]]]))
    still = quaternion.from_rotation_vector(np.zeros((1, 2, 3)))
    assert metrics.rotation_error(turned, still) == pytest.approx([0.3])
    assert metrics.rotation_error(-turned, still) == pytest.approx([0.3])


def test_joint_velocities_by_hand() -> None:
    assert metrics.joint_velocity_error(np.array([[3.0, 4.0]]), np.zeros((1, 2))) == pytest.approx([5.0])


def test_heading_is_taken_out_and_tilt_is_not() -> None:
    generator = np.random.default_rng(5)
    positions = generator.normal(size=(4, 3, 3))
    rotations = quaternion.from_rotation_vector(generator.normal(size=(4, 3, 3)))
    turn = quaternion.from_rotation_vector(np.array([0.0, 0.0, 2.4]))
    spread = np.broadcast_to(turn, rotations.shape)
    reference = quaternion.rotate(spread, positions) + [5.0, -3.0, 0.0]
    reference_rotations = quaternion.multiply(spread, rotations)
    back, back_rotations = metrics.heading_aligned(positions, rotations, reference, reference_rotations)
    assert back == pytest.approx(positions)
    assert quaternion.angle_between(back_rotations, rotations) == pytest.approx(np.zeros((4, 3)), abs=1e-7)
    raised, _ = metrics.heading_aligned(positions, rotations, reference + [0.0, 0.0, 0.25], reference_rotations)
    assert raised == pytest.approx(positions + [0.0, 0.0, 0.25])


def test_return_counts_nothing_after_a_fall() -> None:
    rewards = np.array([[1.0, 0.5], [1.0, 0.5], [1.0, 0.5], [1.0, 0.5]])
    lengths, horizons = np.array([2, 4]), np.array([4, 4])
    assert metrics.normalised_return(rewards, lengths, horizons) == pytest.approx([0.5, 0.5])
    assert metrics.normalised_return(rewards, np.array([1, 0]), np.array([2, 3])) == pytest.approx([0.5, 0.0])


def test_return_refuses_other_rewards(unchecked_shapes: None) -> None:
    with pytest.raises(InputError, match=r"rewards must lie in \[0, 1\].*2"):
        metrics.normalised_return(np.full((2, 1), 2.0), np.array([2]), np.array([2]))
    with pytest.raises(InputError, match="at least one step"):
        metrics.normalised_return(np.ones((2, 1)), np.array([2]), np.array([0]))


def test_success_looks_at_every_frame_of_the_episode_and_no_other() -> None:
    errors = np.array([[100.0, 100.0, 100.0], [500.0, 500.1, 100.0], [100.0, 100.0, np.nan], [100.0, 100.0, 900.0]])
    assert metrics.stays_near(errors, np.array([4, 4, 2])).tolist() == [True, False, True]
    assert metrics.stays_near(errors, np.array([4, 1, 3])).tolist() == [True, True, False]
