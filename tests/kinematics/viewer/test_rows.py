"""Which frames a row shows, of what height, from where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kinematics import InputError, Motion
from kinematics.rotations import quaternion
from kinematics.viewer.rows import Row, choose_instants, nice_number, prepare_row

Person = Callable[..., Motion]


def row(motion: Motion, **options: object) -> Row:
    return prepare_row(motion, choose_instants([motion], options.pop("frames", None))[0], title="", view="auto", camera=None)


def test_instants_are_spread_over_the_clip_and_shared(person: Person) -> None:
    long, slow = person(31), person(16).with_frame_time(2 / 30)
    for instants in choose_instants([long, slow], None):
        np.testing.assert_allclose(instants * 30, [0, 4, 9, 13, 17, 21, 26, 30])
    first, second = (
        prepare_row(m, choose_instants([long, slow], None)[0], title="", view="auto", camera=None) for m in (long, slow)
    )
    assert first.stamps[-1] == second.stamps[-1] == "1.00 s"
    assert first.columns == second.columns == tuple(range(8))


def test_a_much_shorter_motion_gets_instants_of_its_own(person: Person) -> None:
    first, second = choose_instants([person(31), person(11)], 6)
    np.testing.assert_allclose(first[-1], 1.0)
    np.testing.assert_allclose(second * 30, [0, 2, 4, 6, 8, 10])


def test_frames_can_be_named_and_a_shorter_motion_stays_empty_after_its_end(person: Person) -> None:
    long, short = person(31), person(11)
    instants = choose_instants([long, short], [0, 10, 20, -1])
    np.testing.assert_allclose(instants[0] * 30, [0, 10, 20, 30])
    assert prepare_row(short, instants[1], title="", view="auto", camera=None).columns == (0, 1)


def test_a_motion_one_frame_shorter_shows_its_last_frame(person: Person) -> None:
    long = person(101)
    instants = choose_instants([long, long[:-1]], 5)
    shown = prepare_row(long[:-1], instants[1], title="", view="auto", camera=None)
    assert shown.columns == (0, 1, 2, 3, 4)
    assert shown.stamps[-1] == "3.30 s"


@pytest.mark.parametrize("frames", [0, -3, [], [31], [-32]])
def test_frames_that_are_not_there_are_refused(person: Person, frames: object) -> None:
    with pytest.raises(InputError, match="frames must be"):
        choose_instants([person(31)], frames)


@pytest.mark.parametrize("scale", [0.01, 1.0, 39.37, 100.0])
def test_row_is_in_metres_with_y_up_whatever_the_file(person: Person, scale: float) -> None:
    z_up = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi / 2)
    seen = row(person(scale=scale, turn=z_up, travel=1.0))
    plain = row(person(travel=1.0))
    if scale != 0.01:  # a person of 1.7 cm is no file in metres or centimetres
        assert seen.unit == "m"
        np.testing.assert_allclose(seen.points, plain.points, atol=1e-3)
    assert seen.travels
    assert seen.sticks.height == pytest.approx(plain.sticks.height * (scale if seen.unit != "m" else 1.0), rel=1e-3)


def test_feet_stand_on_the_ground_and_a_hop_leaves_it(person: Person) -> None:
    hop = row(person(hop=0.4), frames=[0, 15])
    assert hop.grounded
    lowest = hop.points[:, hop.sticks.drawn_points, 1].min(axis=1)
    np.testing.assert_allclose(hop.anchors[:, 1], hop.anchors[0, 1])
    assert lowest[1] - hop.anchors[1, 1] > 0.3


def test_a_climber_gets_a_level_for_each_pose(person: Person) -> None:
    climb = row(person(hop=30.0))
    assert not climb.grounded
    lowest = climb.points[:, climb.sticks.drawn_points, 1].min(axis=1)
    np.testing.assert_allclose(climb.anchors[:, 1], lowest)


def test_the_camera_does_not_turn_with_the_body(person: Person) -> None:
    turning = row(person(spin=np.pi))
    straight = row(person())
    np.testing.assert_allclose(turning.headings[0], [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(turning.headings[-1], [0, 0, -1], atol=1e-9)
    np.testing.assert_allclose(straight.facing, [0, 0, 1], atol=1e-9)


def test_head_and_nose(person: Person) -> None:
    seen = row(person())
    top = seen.points[0, seen.sticks.head]
    centre, nose = seen.points[0, -2], seen.points[0, -1]
    assert 0.0 < centre[1] - top[1] < 0.18
    np.testing.assert_allclose(quaternion.rotate(quaternion.IDENTITY, nose - centre)[[0, 1]], 0.0, atol=1e-6)
    assert nose[2] > centre[2]  # the face looks along +Z


@pytest.mark.parametrize(("value", "nice"), [(0.46, 0.5), (1.3, 1.0), (1.6, 2.0), (27.0, 20.0), (90.0, 100.0), (0.0027, 0.002)])
def test_nice_number(value: float, nice: float) -> None:
    assert nice_number(value) == pytest.approx(nice)


def test_a_hand_without_fingers_or_end_site_is_a_fist(person: Person) -> None:
    motion = person()
    bare = Motion(
        replace(motion.skeleton, end_site_parents=np.zeros(0, np.int64), end_site_offsets=np.zeros((0, 3)), end_site_names=()),
        motion.root_positions,
        motion.local_rotations,
        motion.frame_time,
    )
    with_ends, without = row(motion).sticks, row(bare).sticks
    hands = [motion.skeleton.joint_index(name) for name in ("LeftHand", "RightHand")]
    assert without.starts[-2:].tolist() == without.ends[-2:].tolist() == hands
    assert without.sides[-2:].tolist() == [1, -1]
    assert (with_ends.starts != with_ends.ends).all()


def test_strokes_end_where_their_bones_do_and_grow_thinner(person: Person) -> None:
    motion = person()
    sticks = row(motion).sticks
    parents = np.concatenate([motion.skeleton.parents, motion.skeleton.end_site_parents])
    np.testing.assert_array_equal(parents[sticks.ends], sticks.starts)
    assert (sticks.radii[:, 0] >= sticks.radii[:, 1]).all()
    assert motion.skeleton.num_joints not in sticks.ends  # the head's end site lies in the head
