"""Channel values to quaternions: SciPy is the oracle, 80-bit floats for the last digit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinematics import kernels
from kinematics.io import bvh_layout
from kinematics.rotations import euler, quaternion
from kinematics.skeleton import ChannelLayout
from kinematics.testing import assert_quats_close


def layout(*channels: str) -> ChannelLayout:
    """Make a layout from words such as "XpYpZpZrXr"."""
    names = {"p": "position", "r": "rotation", "s": "scale"}
    joints = tuple(tuple(word[k] + names[word[k + 1]] for k in range(0, len(word), 2)) for word in channels)
    return ChannelLayout(joints, (False,) * len(joints))


def half_angles(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cosines, sines = np.empty_like(degrees), np.empty_like(degrees)
    kernels.channels.half_angles(degrees, cosines, sines)
    return cosines, sines


def test_cosine_and_sine_are_within_two_units_of_the_last_place() -> None:
    rng = np.random.default_rng(0)
    degrees = np.concatenate([rng.uniform(-720, 720, 200_000), rng.uniform(-1e6, 1e6, 50_000), rng.uniform(-1e9, 1e9, 50_000)])
    cosines, sines = half_angles(degrees)
    wide = np.longdouble
    half = np.fmod(0.5 * degrees, 360.0)  # exact
    quarters = np.rint(half / 90.0)
    rest = (half - 90.0 * quarters).astype(wide) * (wide("3.14159265358979323846264338327950288") / wide(180))
    turn = quarters.astype(int) % 4
    true_cosines = np.choose(turn, [np.cos(rest), -np.sin(rest), -np.cos(rest), np.sin(rest)])
    true_sines = np.choose(turn, [np.sin(rest), np.cos(rest), -np.sin(rest), -np.cos(rest)])
    for got, true in ((cosines, true_cosines), (sines, true_sines)):
        assert np.max(np.abs(got - true) / np.spacing(np.abs(true).astype(np.float64))) <= 2.0


def test_quarter_turns_are_exact() -> None:
    cosines, sines = half_angles(np.array([0.0, 180.0, 360.0, 540.0, 720.0, -180.0, -360.0, 7.2e8]))
    np.testing.assert_array_equal(cosines, [1, 0, -1, 0, 1, 0, -1, 1])
    np.testing.assert_array_equal(sines, [0, 1, 0, -1, 0, -1, 0, 0])


@pytest.mark.parametrize("order", euler.ORDERS)
def test_three_rotations_agree_with_scipy(order: str) -> None:
    values = np.random.default_rng(1).uniform(-400, 400, (50, 3))
    got = bvh_layout.to_rotations(values, layout("".join(f"{axis}r" for axis in order)))[:, 0]
    assert_quats_close(got, Rotation.from_euler(order, values, degrees=True).as_quat(scalar_first=True), atol_radians=1e-14 * 100)


@pytest.mark.parametrize("axes", ["", "X", "ZY", "XX", "YYY", "XYZX", "ZXZXZ"])
def test_any_sequence_is_the_product_from_left_to_right(axes: str) -> None:
    values = np.random.default_rng(2).uniform(-180, 180, (20, len(axes)))
    product = np.tile(quaternion.IDENTITY, (20, 1))
    for k, axis in enumerate(axes):
        turn = quaternion.from_axis_angle(np.eye(3)["XYZ".index(axis)], np.radians(values[:, k]))
        product = quaternion.multiply(product, turn)
    assert_quats_close(
        bvh_layout.to_rotations(values, layout("".join(f"{axis}r" for axis in axes)))[:, 0], product, atol_radians=1e-12
    )


def test_channels_in_any_place_belong_to_their_joint() -> None:
    values = np.random.default_rng(3).uniform(-90, 90, (5, 17))
    mixed = layout("XpZrYpXrZpYr", "Yr", "", "XpYpZpXsYsZsZrXr", "ZpXr")
    rotations = bvh_layout.to_rotations(values, mixed)
    for joint, (order, columns) in enumerate([("ZXY", [1, 3, 5]), ("Y", [6]), ("", []), ("ZX", [13, 14]), ("X", [16])]):
        alone = bvh_layout.to_rotations(values[:, columns], layout("".join(f"{axis}r" for axis in order)))[:, 0]
        np.testing.assert_array_equal(rotations[:, joint], alone)
    offset = np.array([1.0, 2.0, 3.0])
    columns = bvh_layout.position_columns(mixed)
    assert columns == {0: [(0, 0), (1, 2), (2, 4)], 3: [(0, 7), (1, 8), (2, 9)], 4: [(2, 15)]}
    np.testing.assert_array_equal(bvh_layout.to_positions(values, columns[0], offset, False), values[:, [0, 2, 4]])
    np.testing.assert_array_equal(bvh_layout.to_positions(values, columns[0], offset, True), values[:, [0, 2, 4]] + offset)
    np.testing.assert_array_equal(bvh_layout.to_positions(values, columns[4], offset, False)[:, :2], np.tile([1.0, 2.0], (5, 1)))


def test_frames_do_not_depend_on_their_neighbours() -> None:
    values = np.random.default_rng(4).uniform(-200, 200, (9, 9))
    three = layout("ZrYrXr", "XrYrZr", "ZrXrYr")
    whole = bvh_layout.to_rotations(values, three)
    for f in range(9):
        np.testing.assert_array_equal(bvh_layout.to_rotations(values[f : f + 1], three)[0], whole[f])


@pytest.mark.parametrize("angle", [1e10 * 720 + 30, -1e15, 1e300, -1.7e308])
def test_huge_angles_are_whole_turns_and_a_rest(angle: float) -> None:
    values = np.array([[angle, 20.0, -30.0]])
    reduced = np.array([[np.fmod(angle, 720.0), 20.0, -30.0]])
    zyx = layout("ZrYrXr")
    np.testing.assert_array_equal(bvh_layout.to_rotations(values, zyx), bvh_layout.to_rotations(reduced, zyx))


@pytest.mark.parametrize("order", euler.ORDERS)
def test_continued_angles_say_the_same_and_do_not_jump(order: str) -> None:
    axes = np.array(["XYZ".index(axis) for axis in order])
    t = np.linspace(0, 4 * np.pi, 400)
    smooth = np.stack([200 * t, 60 * np.sin(t) + (90 if order[0] == order[2] else 0), -150 * t], axis=1)
    rotations = euler.to_quaternion(np.radians(smooth), order)
    angles = np.degrees(euler.from_quaternion(rotations, order))
    angles[0] = smooth[0]
    continued = kernels.channels.continue_angles(angles, np.zeros(400, dtype=np.bool_), axes)
    np.testing.assert_allclose(continued, smooth, atol=1e-9)


@pytest.mark.parametrize("order", euler.ORDERS)
def test_continued_angles_keep_the_rotation_in_gimbal_lock(order: str) -> None:
    rng = np.random.default_rng(6)
    axes = np.array(["XYZ".index(axis) for axis in order])
    angles = rng.uniform(-180, 180, (300, 3))
    lock = rng.random(300) < 0.5
    angles[lock, 1] = rng.choice([0.0, 180.0] if order[0] == order[2] else [90.0, -90.0], lock.sum())
    rotations = euler.to_quaternion(np.radians(angles), order)
    extracted = np.degrees(euler.from_quaternion(rotations, order))
    kept = rng.random(300) < 0.2
    continued = kernels.channels.continue_angles(extracted, kept, axes)
    np.testing.assert_array_equal(continued[kept], extracted[kept])
    back = bvh_layout.to_rotations(continued, layout("".join(f"{axis}r" for axis in order)))[:, 0]
    assert_quats_close(back, rotations, atol_radians=1e-12)
    jumps = np.abs(np.diff(continued, axis=0))[~kept[1:]]
    assert jumps[:, [0, 2]].max() <= 270.0  # half a turn and the twin


def test_every_order_is_tried() -> None:
    assert set(euler.ORDERS) == {a + b + c for a, b, c in itertools.product("XYZ", repeat=3) if a != b and b != c}
