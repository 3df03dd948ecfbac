"""Kernels of joint limits: allowed, nearest, and which way is barred."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import kernels
from kinematics.rotations import euler, quaternion, swing_twist

HINGE, SWING_TWIST, BOX = 1, 2, 3
KINDS = (HINGE, SWING_TWIST, BOX)
IDENTITY = (1.0, 0.0, 0.0, 0.0)


def row(reference, axis, *numbers):
    values = np.zeros(16)
    values[:4], values[4:7], values[7 : 7 + len(numbers)] = reference, axis, numbers
    return values


def box(order, lower, upper, reference=IDENTITY, frame=(0.0, 0.0, 0.0)):
    return row(reference, ["XYZ".index(axis) for axis in order], *lower, *upper, *frame)


def random_row(kind, rng, *, widest=3.0):
    reference = quaternion.normalize(rng.normal(size=4))
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    lower = rng.uniform(-5.0, 4.0)
    upper = lower + rng.uniform(0.0, widest)
    if kind == HINGE:
        return row(reference, axis, lower, upper)
    if kind == SWING_TWIST:
        return row(reference, axis, rng.uniform(0.01, np.pi), *((lower, upper) if rng.random() < 0.7 else (-3.2, 3.2)))
    low = rng.uniform(-5.0, 4.0, size=3)
    order = euler.ORDERS[rng.integers(12)]
    return box(order, low, low + rng.uniform(0.0, widest, size=3), reference, rng.uniform(-0.5, 0.5, size=3))


def frame_of(values):
    square = values[13:] @ values[13:]
    return np.array([1.0 - square, *(2.0 * values[13:])]) / (1.0 + square)


def samples(kind, values, rng, count):
    """Random allowed rotations, made from their definition."""
    axis = values[4:7]
    if kind == BOX:
        order = "".join("XYZ"[int(a)] for a in axis)
        inside = euler.to_quaternion(rng.uniform(values[7:10], values[10:13], size=(count, 3)), order)
        return quaternion.multiply(values[:4], quaternion.multiply(inside, frame_of(values)))
    if kind == HINGE:
        return quaternion.multiply(values[:4], quaternion.from_axis_angle(axis, rng.uniform(values[7], values[8], size=count)))
    twist = quaternion.from_axis_angle(axis, rng.uniform(values[8], values[9], size=count))
    across = np.cross(axis, rng.normal(size=(count, 3)))
    swing = quaternion.from_axis_angle(across, values[7] * np.sqrt(rng.random(count)))
    return quaternion.multiply(values[:4], quaternion.multiply(swing, twist))


def projected(kind, values, q):
    moved = np.array(q)
    return kernels.limits.project(kind, values, moved), moved


def violation(kind, values, q):
    return kernels.limits.violation(kind, values, np.array(q))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=80)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_projection_is_allowed_unit_on_the_same_half_sphere_and_stays_where_it_is(kind, seed):
    rng = np.random.default_rng(seed)
    values, q = random_row(kind, rng), quaternion.normalize(rng.normal(size=4))
    moved, there = projected(kind, values, q)
    assert moved == (violation(kind, values, q) > 0.0)
    assert violation(kind, values, there) <= 1e-9
    assert abs(there @ there - 1.0) < 1e-14
    assert q @ there >= 0.0
    again, same = projected(kind, values, there)
    assert not again
    assert np.array_equal(same, there)
    if not moved:
        assert np.array_equal(there, q)


@pytest.mark.parametrize("kind", KINDS)
def test_allowed_rotations_stay_bit_for_bit(kind):
    rng = np.random.default_rng(kind)
    for _ in range(40):
        values = random_row(kind, rng)
        for q in samples(kind, values, rng, 10):
            assert violation(kind, values, q) == 0.0
            moved, there = projected(kind, values, q)
            assert not moved
            assert np.array_equal(there, q)


def test_no_limit_leaves_all_alone():
    q = np.array([0.5, 0.5, 0.5, 0.5])
    normals = np.zeros((3, 3))
    assert kernels.limits.violation(0, np.zeros(16), q) == 0.0
    assert projected(0, np.zeros(16), q)[0] is False
    assert kernels.limits.active_normals(0, np.zeros(16), q, q, 0.1, normals) == 0
    assert kernels.limits.free_axes(0, np.zeros(16), q, q, normals) == 3


@pytest.mark.parametrize("kind", [HINGE, SWING_TWIST])
def test_no_allowed_rotation_is_nearer_than_the_projection(kind):
    rng = np.random.default_rng(10 + kind)
    for _ in range(100):
        values, q = random_row(kind, rng), quaternion.normalize(rng.normal(size=4))
        distance = quaternion.angle_between(projected(kind, values, q)[1], q)
        assert distance <= quaternion.angle_between(samples(kind, values, rng, 2000), q).min() + 1e-9


def test_no_rotation_in_a_box_is_nearer_to_one_at_most_half_a_radian_outside():
    rng = np.random.default_rng(3)
    tried = 0
    while tried < 100:
        values = random_row(BOX, rng)
        turn = rng.normal(size=3)
        q = quaternion.multiply(
            samples(BOX, values, rng, 1)[0], quaternion.from_rotation_vector(0.5 * turn / np.linalg.norm(turn))
        )
        moved, there = projected(BOX, values, q)
        tried += moved
        distance = quaternion.angle_between(there, q)
        assert distance <= 0.5 + 1e-9
        assert distance <= quaternion.angle_between(samples(BOX, values, rng, 4000), q).min() + 1e-9


def test_a_box_projection_agrees_with_a_numerical_search():
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    for _ in range(10):
        lower = rng.uniform(-0.8, 0.0, size=3)
        values = box("ZXY", lower, lower + 0.7)
        q = euler.to_quaternion(lower + rng.uniform(-0.4, 1.1, size=3), "ZXY")
        distance = quaternion.angle_between(projected(BOX, values, q)[1], q)
        search = minimize(
            lambda angles, q=q: 1.0 - (euler.to_quaternion(angles, "ZXY") @ q) ** 2,
            lower + 0.35,
            bounds=list(zip(lower, lower + 0.7, strict=True)),
            tol=1e-14,
        )
        assert distance <= 2.0 * np.arcsin(np.sqrt(max(search.fun, 0.0))) + 1e-7


def test_hinge_by_hand():
    values = row(IDENTITY, (0.0, 0.0, 1.0), -0.5, 1.0)
    beyond = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 1.3)
    assert violation(HINGE, values, beyond) == pytest.approx(0.3, abs=1e-12)
    bound = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 1.0)
    np.testing.assert_allclose(projected(HINGE, values, beyond)[1], bound, atol=1e-15)
    tilted = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.2)
    assert violation(HINGE, values, tilted) == pytest.approx(0.2, abs=1e-12)
    np.testing.assert_allclose(projected(HINGE, values, tilted)[1], IDENTITY, atol=1e-15)
    np.testing.assert_allclose(projected(HINGE, values, -beyond)[1], -bound, atol=1e-15)
    half_turn = np.array([0.0, 1.0, 0.0, 0.0])  # turns the axis round: any angle is as near
    assert violation(HINGE, values, projected(HINGE, values, half_turn)[1]) == 0.0


def test_swing_and_twist_are_limited_each_for_itself():
    axis = np.array([0.0, 1.0, 0.0])
    values = row(IDENTITY, axis, 0.6, -0.3, 0.4)
    swing = quaternion.from_axis_angle(np.array([1.0, 0.0, 2.0]), 0.9)
    twist = quaternion.from_axis_angle(axis, 0.1)
    there = projected(SWING_TWIST, values, quaternion.multiply(swing, twist))[1]
    cut = quaternion.from_axis_angle(np.array([1.0, 0.0, 2.0]), 0.6)
    np.testing.assert_allclose(there, quaternion.multiply(cut, twist), atol=1e-15)
    assert violation(SWING_TWIST, values, quaternion.multiply(swing, twist)) == pytest.approx(0.3, abs=1e-12)
    wrung = quaternion.multiply(cut, quaternion.from_axis_angle(axis, -0.8))
    assert violation(SWING_TWIST, values, wrung) == pytest.approx(0.5, abs=1e-12)
    there = projected(SWING_TWIST, values, wrung)[1]
    assert swing_twist.twist_angle(there, axis) == pytest.approx(-0.3, abs=1e-14)


def test_a_cone_leaves_the_twist_alone_and_an_axis_turned_round_comes_back():
    axis = np.array([0.0, 0.0, 1.0])
    values = row(IDENTITY, axis, 0.5, -4.0, 4.0)
    for angle in (0.0, 2.0, 3.1):
        twist = quaternion.from_axis_angle(axis, angle)
        q = quaternion.multiply(quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 1.5), twist)
        expected = quaternion.multiply(quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 0.5), twist)
        np.testing.assert_allclose(projected(SWING_TWIST, values, q)[1], expected, atol=1e-15)
    there = projected(SWING_TWIST, values, np.array([0.0, 1.0, 0.0, 0.0]))[1]
    assert quaternion.rotate(there, axis) @ axis == pytest.approx(np.cos(0.5), abs=1e-14)
    assert violation(SWING_TWIST, row(IDENTITY, axis, np.pi, 0.1, 0.2), np.array([0.0, 1.0, 0.0, 0.0])) == 0.0


@pytest.mark.parametrize("beyond", [1e-10, 1e-7, 1e-5, 9e-5, 1e-3])
def test_a_bound_is_met_to_the_last_digits(beyond):
    rng = np.random.default_rng(5)
    for _ in range(100):
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        lower = rng.uniform(-3.0, 1.0)
        upper = lower + rng.uniform(0.1, 2.0)
        swing, across = rng.uniform(0.1, 3.0), np.cross(axis, rng.normal(size=3))
        hinge, wrung = row(IDENTITY, axis, lower, upper), row(IDENTITY, axis, swing, lower, upper)
        order = euler.ORDERS[rng.integers(12)]
        cornered = box(order, (lower, 0.5, lower), (upper, 1.0, upper))
        for way, start in ((1.0, upper), (-1.0, lower)):
            for off, expected in ((beyond, beyond), (-beyond, 0.0)):
                q = quaternion.from_axis_angle(axis, start + way * off)
                assert violation(HINGE, hinge, q) == pytest.approx(expected, abs=1e-11)
                twisted = quaternion.multiply(quaternion.from_axis_angle(across, 0.5 * swing), q)
                assert violation(SWING_TWIST, wrung, twisted) == pytest.approx(expected, abs=1e-11)
                q = euler.to_quaternion(np.array([start + way * off, 0.7, 0.5 * (lower + upper)]), order)
                assert violation(BOX, cornered, q) == pytest.approx(expected, abs=1e-11)
        for off, expected in ((beyond, beyond), (-beyond, 0.0)):
            swung = quaternion.from_axis_angle(across, swing + off)
            assert violation(SWING_TWIST, row(IDENTITY, axis, swing, -4.0, 4.0), swung) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("order", euler.ORDERS)
def test_one_angle_of_a_box_by_hand(order):
    middle = 0.2 if order[0] != order[2] else 1.3
    angles = np.array([0.3, middle, -0.4])
    for k in range(3):
        values = box(order, angles - 0.5, angles + 0.5)
        for way in (1.0, -1.0):
            beyond = angles.copy()
            beyond[k] += way * 0.7
            q = euler.to_quaternion(beyond, order)
            assert violation(BOX, values, q) == pytest.approx(0.2, abs=1e-12)
            there = projected(BOX, values, q)[1]
            assert euler.from_quaternion(there, order)[k] == pytest.approx(angles[k] + way * 0.5, abs=1e-12)


def test_angles_of_a_box_go_round():
    lower, upper = np.array([2.9, -0.2, 7.0]), np.array([3.5, 0.2, 7.4])  # across pi, and beyond a turn
    values = box("ZXY", lower, upper)
    for first, last in ((3.0, 7.1), (3.4 - 2 * np.pi, 7.3 - 2 * np.pi), (-3.0, 1.0)):
        assert violation(BOX, values, euler.to_quaternion(np.array([first, 0.1, last]), "ZXY")) == 0.0
    outside = euler.to_quaternion(np.array([3.6 - 2 * np.pi, 0.0, 0.9]), "ZXY")
    assert violation(BOX, values, outside) == pytest.approx(0.1, abs=1e-12)


def test_a_box_holds_the_other_triplet_too():
    twin = np.array([np.pi + 0.2, np.pi - 0.3, np.pi + 0.1])  # the same rotation as 0.2, 0.3, 0.1
    values = box("XYZ", twin - 0.05, twin + 0.05)
    assert violation(BOX, values, euler.to_quaternion(np.array([0.2, 0.3, 0.1]), "XYZ")) == 0.0
    assert violation(BOX, values, euler.to_quaternion(np.array([0.2, 0.4, 0.1]), "XYZ")) == pytest.approx(0.05, abs=1e-12)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_in_gimbal_lock_only_what_the_outer_angles_give_together_counts(way):
    values = box("XYZ", (-0.3, -2.0, -0.3), (0.3, 2.0, 0.3))
    for off in (0.0, 1e-12, 1e-9, 1e-7, 1e-5):
        middle = way * (0.5 * np.pi - off)
        inside = euler.to_quaternion(np.array([0.9, middle, -way * 0.6]), "XYZ")  # like 0.15, -0.15 * way, or so
        if off < 1e-11:
            assert violation(BOX, values, inside) == 0.0
        moved, there = projected(BOX, values, inside)
        assert quaternion.angle_between(inside, there) <= 2.0 * off + 1e-12
        outside = euler.to_quaternion(np.array([0.9, middle, way * 0.6]), "XYZ")
        moved, there = projected(BOX, values, outside)
        assert moved
        assert violation(BOX, values, there) <= 1e-9
        assert quaternion.angle_between(outside, there) <= 0.9 + 1e-6
        assert not projected(BOX, values, there)[0]


def test_a_frame_turns_the_joint_after_the_angles():
    frame = quaternion.from_rotation_vector(np.array([0.4, -1.0, 0.3]))
    reference = quaternion.from_rotation_vector(np.array([-0.7, 0.1, 0.9]))
    rodrigues = frame[1:] / (1.0 + frame[0])
    plain = box("ZXY", (-0.1, -0.2, -0.3), (0.3, 0.2, 0.1))
    framed = box("ZXY", (-0.1, -0.2, -0.3), (0.3, 0.2, 0.1), reference, rodrigues)
    rng = np.random.default_rng(0)
    for q in quaternion.from_rotation_vector(rng.normal(size=(30, 3))):
        local = quaternion.multiply(reference, quaternion.multiply(q, frame))
        assert violation(BOX, framed, local) == pytest.approx(violation(BOX, plain, q), abs=1e-12)
        there = quaternion.multiply(reference, quaternion.multiply(projected(BOX, plain, q)[1], frame))
        np.testing.assert_allclose(projected(BOX, framed, local)[1], there, atol=1e-12)


def turned(parent, q, vector):
    """The local rotation after the joint has been turned by a rotation vector of the world."""
    world = quaternion.multiply(quaternion.from_rotation_vector(vector), quaternion.multiply(parent, q))
    return quaternion.multiply(quaternion.inverse(parent), world)


def distance(kind, values, q):
    return quaternion.angle_between(projected(kind, values, q)[1], q)


@pytest.mark.parametrize("kind", KINDS)
def test_normals_are_the_gradient_of_the_distance(kind):
    rng = np.random.default_rng(20 + kind)
    single = 0
    for _ in range(200):
        values = random_row(kind, rng)
        values[7] = min(values[7], 2.5) if kind == SWING_TWIST else values[7]
        moved, q = projected(kind, values, quaternion.normalize(rng.normal(size=4)))
        parent, normals = quaternion.normalize(rng.normal(size=4)), np.full((3, 3), np.nan)
        count = kernels.limits.active_normals(kind, values, q, parent, 1e-6, normals)
        assert count >= 1 if moved and kind != HINGE else True
        np.testing.assert_allclose(np.linalg.norm(normals[:count], axis=1), 1.0, atol=1e-12)
        for normal in normals[:count]:
            assert distance(kind, values, turned(parent, q, 1e-5 * normal)) > 0.3e-5
        if count == 1:
            single += 1
            step = 1e-5 * normals[0]
            assert distance(kind, values, turned(parent, q, step)) == pytest.approx(1e-5, rel=1e-4)
            if kind != HINGE:  # on the bound the distance grows by the normal's part of a turn, and inward turns are free
                assert violation(kind, values, turned(parent, q, -step)) == 0.0
                tangent = np.cross(normals[0], rng.normal(size=3))
                slanted = step + 1e-5 * tangent / np.linalg.norm(tangent)
                assert distance(kind, values, turned(parent, q, slanted)) == pytest.approx(1e-5, rel=1e-3)
    assert single > 20


def test_normals_of_an_angle_are_there_within_the_margin_only():
    values = box("ZXY", (-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))
    normals, parent = np.zeros((3, 3)), np.array(IDENTITY)
    q = euler.to_quaternion(np.array([0.45, 0.0, -0.3]), "ZXY")
    assert kernels.limits.active_normals(BOX, values, q, parent, 0.01, normals) == 0
    assert kernels.limits.active_normals(BOX, values, q, parent, 0.06, normals) == 1
    assert kernels.limits.active_normals(BOX, values, q, parent, 0.3, normals) == 2
    assert kernels.limits.active_normals(BOX, values, q, parent, 0.6, normals) == 3


def test_a_locked_angle_has_two_normals_where_there_is_room():
    values = row(IDENTITY, (0.0, 0.0, 1.0), 0.2, 0.2)
    q = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 0.2)
    normals, parent = np.zeros((6, 3)), np.array(IDENTITY)
    assert kernels.limits.active_normals(HINGE, values, q, parent, 1e-6, normals) == 2
    np.testing.assert_allclose(normals[0], -normals[1], atol=1e-15)
    np.testing.assert_allclose(np.abs(normals[0]), [0.0, 0.0, 1.0], atol=1e-15)
    locked = box("ZXY", (0.1, 0.2, 0.3), (0.1, 0.2, 0.3))
    q = euler.to_quaternion(np.array([0.1, 0.2, 0.3]), "ZXY")
    assert kernels.limits.active_normals(BOX, locked, q, parent, 1e-6, normals[:3]) == 3
    assert np.linalg.matrix_rank(normals[:3]) == 3
    assert kernels.limits.active_normals(BOX, locked, q, parent, 1e-6, normals) == 6


def test_in_gimbal_lock_the_outer_angles_have_one_normal():
    values = box("XYZ", (-0.3, -2.0, -0.3), (0.3, 2.0, 0.3))
    q = euler.to_quaternion(np.array([0.3, 0.5 * np.pi, 0.3]), "XYZ")
    normals, parent = np.zeros((3, 3)), np.array(IDENTITY)
    assert kernels.limits.active_normals(BOX, values, q, parent, 1e-6, normals) == 1
    assert distance(BOX, values, turned(parent, q, 1e-3 * normals[0])) == pytest.approx(1e-3, rel=1e-3)


def test_a_hinge_turns_about_its_axis_in_the_world():
    rng = np.random.default_rng(7)
    for _ in range(20):
        values = random_row(HINGE, rng)
        q, parent = samples(HINGE, values, rng, 1)[0], quaternion.normalize(rng.normal(size=4))
        basis = np.full((3, 3), np.nan)
        assert kernels.limits.free_axes(HINGE, values, q, parent, basis) == 1
        rel = quaternion.multiply(quaternion.inverse(values[:4]), turned(parent, q, 0.01 * basis[0]))
        swing, _ = swing_twist.decompose(rel, values[4:7])
        assert quaternion.angle(swing) < 1e-12
        before = swing_twist.twist_angle(quaternion.multiply(quaternion.inverse(values[:4]), q), values[4:7])
        change = swing_twist.twist_angle(rel, values[4:7]) - before
        assert np.sin(change) == pytest.approx(np.sin(0.01), abs=1e-12)
        assert np.isnan(basis[1:]).all()
    assert kernels.limits.free_axes(BOX, values, q, parent, basis) == 3


def test_whole_clips_are_projected_and_measured_joint_by_joint():
    rng = np.random.default_rng(8)
    rotations = quaternion.normalize(rng.normal(size=(5, 4, 4)))
    joints, kinds = np.array([3, 1, 2]), np.array([BOX, HINGE, SWING_TWIST])
    values = np.stack([random_row(int(kind), rng) for kind in kinds])
    out, moved = np.empty((5, 3)), rotations.copy()
    kernels.limits.violations(rotations, joints, kinds, values, out)
    total = kernels.limits.clamp(moved, joints, kinds, values)
    assert total == (out > 0.0).sum()
    assert np.array_equal(moved[:, 0], rotations[:, 0])
    for f in range(5):
        for n, joint in enumerate(joints):
            assert out[f, n] == violation(kinds[n], values[n], rotations[f, joint])
            np.testing.assert_array_equal(moved[f, joint], projected(kinds[n], values[n], rotations[f, joint])[1])
