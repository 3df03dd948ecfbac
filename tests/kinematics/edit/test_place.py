from __future__ import annotations

import numpy as np
import pytest

from kinematics import edit, forward_kinematics
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import heading
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton


def person(**options: bool) -> Motion:
    return random_motion(human_skeleton(), 4, num_frames=30, smooth=True, **options)


@pytest.mark.parametrize(("up", "axis"), [("Y", [0.0, 1.0, 0.0]), ("Z", [0.0, 0.0, 1.0]), ("-Y", [0.0, -1.0, 0.0])])
def test_rotate_turns_every_joint_about_up(up: str, axis: list[float]) -> None:
    motion = random_motion(random_skeleton(1), 1, stretch=True)
    turned = edit.rotate(motion, 0.7, up=up)
    turn = quaternion.from_axis_angle(np.array(axis), 0.7)
    before, after = forward_kinematics(motion), forward_kinematics(turned)
    np.testing.assert_allclose(after.global_positions, quaternion.rotate(turn, before.global_positions), atol=1e-12)
    assert_quats_close(after.global_rotations, quaternion.multiply(turn, before.global_rotations))
    assert_motions_close(edit.rotate(turned, -0.7, up=up), motion)


@pytest.mark.parametrize("frame", [0, 7, -1])
def test_place_puts_one_frame_where_it_is_wanted(frame: int) -> None:
    placed = edit.place(person(), (3, -2.0), heading_radians=1.2, frame=frame)
    np.testing.assert_allclose(placed.root_positions[frame, [0, 2]], [3.0, -2.0], atol=1e-12)
    np.testing.assert_allclose(placed.root_positions[:, 1], person().root_positions[:, 1], atol=1e-12)
    assert np.remainder(heading(placed).angles[frame] - 1.2 + np.pi, 2 * np.pi) == pytest.approx(np.pi)
    assert np.array_equal(placed.local_rotations[:, 1:], person().local_rotations[:, 1:])


def test_heading_alone_keeps_the_place_and_the_other_way_round() -> None:
    motion = person()
    turned = edit.place(motion, heading_radians=-2.0, frame=3)
    np.testing.assert_allclose(turned.root_positions[3], motion.root_positions[3], atol=1e-12)
    moved = edit.place(motion, (1.0, 1.0))
    assert np.array_equal(moved.local_rotations, motion.local_rotations)
    assert np.array_equal(edit.place(motion).root_positions, motion.root_positions)


def test_place_where_z_is_up() -> None:
    placed = edit.place(person(), (3.0, -2.0), up="Z")
    np.testing.assert_allclose(placed.root_positions[0, :2], [3.0, -2.0], atol=1e-12)
    np.testing.assert_allclose(placed.root_positions[:, 2], person().root_positions[:, 2], atol=1e-12)


def test_the_pelvis_is_placed_where_the_root_is_another_joint() -> None:
    body = human_skeleton()
    skeleton = Skeleton(
        ("reference", *body.joint_names),
        np.append([-1], body.parents + 1),
        np.concatenate([np.zeros((1, 3)), body.offsets]),
        body.end_site_parents + 1,
        body.end_site_offsets,
    )
    motion = random_motion(skeleton, 1, smooth=True)
    placed = edit.place(motion, (1.0, 2.0), heading_radians=0.5)
    hips = forward_kinematics(placed).position("Hips")
    np.testing.assert_allclose(hips[0, [0, 2]], [1.0, 2.0], atol=1e-12)
    still = forward_kinematics(edit.in_place(placed)).position("Hips")
    np.testing.assert_allclose(still[:, [0, 2]], np.tile([1.0, 2.0], (len(still), 1)), atol=1e-12)


def test_in_place_holds_the_ground_point_and_keeps_heights() -> None:
    motion = person()
    still = edit.in_place(motion)
    np.testing.assert_allclose(still.root_positions[:, [0, 2]], np.tile(motion.root_positions[0, [0, 2]], (30, 1)), atol=1e-12)
    np.testing.assert_array_equal(still.root_positions[:, 1], motion.root_positions[:, 1])
    assert np.array_equal(still.local_rotations, motion.local_rotations)
    assert_motions_close(edit.in_place(still), still)


def test_in_place_without_drift_keeps_the_sway() -> None:
    motion = person()
    still = edit.in_place(motion, remove="drift")
    np.testing.assert_allclose(still.root_positions[-1, [0, 2]], still.root_positions[0, [0, 2]], atol=1e-12)
    bent = np.diff(still.root_positions, n=2, axis=0)
    np.testing.assert_allclose(bent, np.diff(motion.root_positions, n=2, axis=0), atol=1e-12)


def test_stretching_bones_move_along() -> None:
    motion = random_motion(human_skeleton(), 4, stretch=True)
    placed = edit.place(motion, (3.0, -2.0), heading_radians=1.0)
    assert placed.local_positions is not None
    np.testing.assert_array_equal(placed.local_positions[:, 0], placed.root_positions)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_short_clips(frames: int) -> None:
    motion = person()[:frames]
    for result in (
        edit.rotate(motion, 1),
        edit.place(motion, (1, 1)),
        edit.in_place(motion),
        edit.in_place(motion, remove="drift"),
    ):
        assert result.num_frames == frames


def test_errors() -> None:
    motion = person()
    with pytest.raises(InputError, match="30 frames"):
        edit.place(motion, frame=30)
    with pytest.raises(InputError, match="finite"):
        edit.place(motion, (np.nan, 0.0))
    with pytest.raises(InputError, match="finite"):
        edit.rotate(motion, np.inf)
    with pytest.raises(UnknownNameError, match="up axis"):
        edit.rotate(motion, 1.0, up="U")
    with pytest.raises(UnknownNameError, match="drift"):
        edit.in_place(motion, remove="drif")
