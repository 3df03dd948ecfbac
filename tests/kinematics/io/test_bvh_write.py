"""Writing BVH: what was read comes back to the last digit, what was edited is written anew, and nothing else changes."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import ChannelLayout, InputError, Motion, Skeleton, forward_kinematics, load_motion, save_motion
from kinematics.io.bvh_fit import fit_channels, usual_layout
from kinematics.io.bvh_read import read_bvh
from kinematics.io.bvh_write import format_rows, to_bvh, write_bvh
from kinematics.rotations import euler, quaternion
from kinematics.testing import assert_motions_close, assert_quats_close, random_motion, random_skeleton


def written(motion: Motion) -> Motion:
    """Write and read a motion."""
    return read_bvh(b"".join(to_bvh(motion)), strict=True)[0]


def assert_lossless(motion: Motion) -> Motion:
    """Assert that writing and reading changes no number, name or channel, and return what was read."""
    again = written(motion)
    a, b = motion.skeleton, again.skeleton
    assert (a.joint_names, a.end_site_names, a.layout) == (b.joint_names, b.end_site_names, b.layout)
    for x, y in [
        (a.parents, b.parents),
        (a.offsets, b.offsets),
        (a.end_site_parents, b.end_site_parents),
        (a.end_site_offsets, b.end_site_offsets),
        (motion.source.channel_values, again.source.channel_values),
        (motion.root_positions, again.root_positions),
        (motion.local_rotations, again.local_rotations),
    ]:
        assert x is not None and y is not None and x.shape == y.shape and x.tobytes() == y.tobytes()
    assert motion.frame_time == again.frame_time
    assert (motion.local_positions is None) == (again.local_positions is None)
    return again


def plain_motion(plain: Any) -> Motion:
    return read_bvh(plain.text().encode())[0]


# ------------------------------------------------------------------------------------------------------------- lossless


def test_load_save_load_changes_nothing(plain: Any) -> None:
    assert_lossless(plain_motion(plain))


channel_sets = st.lists(
    st.lists(
        st.one_of(
            st.sampled_from(["Xrotation", "Yrotation", "Zrotation"]),
            st.sampled_from(["Xposition", "Yposition", "Zposition", "Xscale", "Yscale", "Zscale"]),
        ),
        max_size=9,
    ).filter(lambda names: all(names.count(name) == 1 for name in names if not name.endswith("rotation"))),
    min_size=1,
    max_size=6,
)
names = st.text(
    st.characters(exclude_characters="\r\n{}\t", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12
).filter(lambda name: not name.startswith("//"))


@settings(max_examples=60, deadline=None)
@given(channel_sets, st.integers(0, 4), st.data())
def test_any_layout_and_any_values_are_kept_to_the_last_digit(
    channels: list[list[str]], frames: int, data: st.DataObject
) -> None:
    joints, width = len(channels), sum(map(len, channels))
    labels = data.draw(st.lists(names, min_size=joints, max_size=joints, unique=True))
    numbers = st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from([0.0, -0.0, 90.0, -180.0, 1e-300, 123456789012.5])
    offsets = data.draw(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=joints, max_size=joints))
    values = [
        [1.0 if name.endswith("scale") else data.draw(numbers) for names in channels for name in names] for _ in range(frames)
    ]
    text = "HIERARCHY\n"
    for k, (name, names_of, offset) in enumerate(zip(labels, channels, offsets, strict=True)):
        text += f"{'JOINT' if k else 'ROOT'} {name}\n{{\nOFFSET {' '.join(map(repr, offset))}\nCHANNELS {len(names_of)} {' '.join(names_of)}\n"
    text += "}\n" * joints + f"MOTION\nFrames: {frames if width else 0}\nFrame Time: {data.draw(st.floats(1e-6, 10))!r}\n"
    text += "".join(" ".join(map(repr, row)) + "\n" for row in values)
    motion = read_bvh(text.encode(), strict=True)[0]
    assert motion.source.channel_values is not None and motion.source.channel_values.tolist() == (values if width else [])
    assert_lossless(motion)


def test_named_end_sites_many_on_one_joint_and_utf8_come_back() -> None:
    skeleton = Skeleton(
        ("Hüfte", "右 足"),
        np.array([-1, 0]),
        np.array([[0.1, 0.2, 0.3], [1 / 3, 0, 0]]),
        np.array([1, 1, 0]),
        np.array([[1, 0, 0], [0, 1e-9, 0], [0, 0, 12345678.9]]),
        ("右 足_end", "toe tip", "tail"),
    )
    again = written(Motion(skeleton, np.zeros((1, 3)), np.tile([1.0, 0, 0, 0], (1, 2, 1)), 1 / 24))
    assert again.skeleton.joint_names == skeleton.joint_names
    assert set(again.skeleton.end_site_names) == set(skeleton.end_site_names)
    for name in skeleton.end_site_names:
        k, n = skeleton.end_site_index(name), again.skeleton.end_site_index(name)
        np.testing.assert_array_equal(skeleton.end_site_offsets[k], again.skeleton.end_site_offsets[n])


def test_slices_and_masks_keep_the_numbers_as_read(plain: Any) -> None:
    motion = plain_motion(plain)
    np.testing.assert_array_equal(written(motion[1:]).source.channel_values, plain.rows[1:])
    np.testing.assert_array_equal(written(motion[[2, 0]]).source.channel_values, [plain.rows[2], plain.rows[0]])
    assert written(motion[3:]).num_frames == 0


def test_many_roots_in_one_file(plain: Any) -> None:
    clip = plain_motion(plain)
    other = replace(clip, skeleton=replace(clip.skeleton, joint_names=("Prop", "a", "b")), root_positions=clip.root_positions + 1)
    again = read_bvh(b"".join(to_bvh([clip, other])), strict=True)
    assert [one.skeleton.joint_names[0] for one in again] == ["Hips", "Prop"]
    for one, wanted in zip(again, [clip, other], strict=True):
        assert_motions_close(one, wanted, atol=1e-12)
    with pytest.raises(InputError, match="equal frames and frame times, got 3 frames.* 2 frames"):
        to_bvh([clip, clip[:2]])
    with pytest.raises(InputError, match="at least one"):
        to_bvh([])


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), max_size=20))
@settings(deadline=None)
def test_rows_hold_every_double(rows: list[list[float]]) -> None:
    text = format_rows(np.array(rows, dtype=np.float64).reshape(-1, 3)).decode()
    assert [[float(word) for word in line.split(" ")] for line in text.splitlines()] == rows
    assert not rows or text.endswith("\n")


# --------------------------------------------------------------------------------------------------------------- edits


def test_an_edit_changes_the_numbers_of_its_joint_alone(plain: Any) -> None:
    motion = plain_motion(plain)
    rotations = motion.local_rotations.copy()
    rotations[1, 2] = quaternion.multiply(rotations[1, 2], quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 0.1))
    edited = motion.with_local_rotations(rotations)
    again = written(edited)
    values = again.source.channel_values
    assert values is not None
    changed = values != np.array(plain.rows)
    np.testing.assert_array_equal(changed.any(axis=0), [False] * 9 + [True] * 3)
    np.testing.assert_array_equal(changed.any(axis=1), [False, True, False])
    assert_motions_close(again, edited, atol=1e-12)


def test_moving_the_root_changes_its_position_alone(plain: Any) -> None:
    motion = plain_motion(plain)
    moved = motion.with_root_positions(motion.root_positions + [5.0, 0, 0])
    values = written(moved).source.channel_values
    np.testing.assert_array_equal(values, np.array(plain.rows) + np.eye(12)[0] * 5)
    np.testing.assert_array_equal(written(moved).root_positions, moved.root_positions)


def test_the_other_sign_of_a_quaternion_is_the_same_rotation(plain: Any) -> None:
    motion = plain_motion(plain)
    np.testing.assert_array_equal(written(motion.with_local_rotations(-motion.local_rotations)).source.channel_values, plain.rows)


def test_new_angles_stay_near_the_frame_before(plain: Any) -> None:
    t = np.linspace(0, 1, 200)
    rows = [[0.0, 90, 0, 700 * s, 20 * s, -400 * s, *[0.0] * 6] for s in t]
    motion = read_bvh(plain.text(rows=rows, frames="Frames: 200").encode())[0]
    nudge = quaternion.from_axis_angle(np.array([1.0, 0, 0]), 1e-4)
    again = written(motion.with_local_rotations(quaternion.multiply(motion.local_rotations, nudge)))
    values = again.source.channel_values
    assert values is not None
    np.testing.assert_allclose(values[:, 3:6], np.array(rows)[:, 3:6], atol=0.02)


def test_a_file_in_gimbal_lock_is_kept_and_an_edit_of_it_keeps_the_rotation(plain: Any) -> None:
    rows = [[0.0, 90, 0, 30, middle, 40, *[0.0] * 6] for middle in (89.0, 90.0, 91.0, -90.0)]
    motion = read_bvh(plain.text(rows=rows, frames="Frames: 4").encode())[0]
    assert_lossless(motion)
    turned = motion.with_local_rotations(
        quaternion.multiply(quaternion.from_axis_angle(np.array([0, 0, 1.0]), 0.5), motion.local_rotations)
    )
    assert_quats_close(written(turned).local_rotations, turned.local_rotations, atol_radians=1e-12)


@pytest.mark.parametrize("axes", ["", "X", "Y", "Z", "XY", "ZY", "XX", "XYZX"])
def test_a_joint_gets_the_channels_it_needs(axes: str, plain: Any, caplog: pytest.LogCaptureFixture) -> None:
    channels = " ".join(["CHANNELS", str(len(axes)), *(f"{axis}rotation" for axis in axes)])
    hierarchy = plain.hierarchy.replace("CHANNELS 3 Zrotation Xrotation Yrotation", channels, 1)
    rows = [row[:6] + [10.0, 20.0, 30.0, 40.0][: len(axes)] + row[9:] for row in plain.rows]
    motion = assert_lossless(read_bvh(plain.text(hierarchy, rows).encode())[0])
    rotations = motion.local_rotations.copy()
    rotations[1, 1] = quaternion.normalize(np.array([0.5, -0.3, 0.2, 0.8]))
    edited = motion.with_local_rotations(rotations)
    with caplog.at_level(logging.WARNING):
        again = written(edited)
    assert_motions_close(again, edited, atol=1e-12)
    assert again.skeleton.layout is not None and len(again.skeleton.layout.channels[1]) == 3
    assert again.skeleton.layout.channels[2] == motion.skeleton.layout.channels[2]  # type: ignore[union-attr]
    assert "'Spine' is written with" in caplog.text
    if len(axes) < 3 and len(set(axes)) == len(axes):
        np.testing.assert_array_equal(again.local_rotations[[0, 2], 1], motion.local_rotations[[0, 2], 1])


@pytest.mark.parametrize("axes", ["X", "Y", "Z", "XY", "ZY", "YX", "XZ"])
def test_a_hinge_that_turns_about_its_axes_keeps_its_channels(axes: str, plain: Any, caplog: pytest.LogCaptureFixture) -> None:
    channels = " ".join(["CHANNELS", str(len(axes)), *(f"{axis}rotation" for axis in axes)])
    hierarchy = plain.hierarchy.replace("CHANNELS 3 Zrotation Xrotation Yrotation", channels, 1)
    rows = [row[:6] + [0.0] * len(axes) + row[9:] for row in plain.rows]
    motion = read_bvh(plain.text(hierarchy, rows).encode())[0]
    angles = np.array([[100.0, 20.0], [150.0, 95.0], [200.0, 130.0]])[:, : len(axes)]
    turn = np.tile(quaternion.IDENTITY, (3, 1))
    for k, axis in enumerate(axes):
        turn = quaternion.multiply(turn, quaternion.from_axis_angle(np.eye(3)["XYZ".index(axis)], np.radians(angles[:, k])))
    rotations = motion.local_rotations.copy()
    rotations[:, 1] = turn
    with caplog.at_level(logging.WARNING):
        again = written(motion.with_local_rotations(rotations))
    assert again.skeleton.layout == motion.skeleton.layout and caplog.text == ""
    assert_quats_close(again.local_rotations[:, 1], turn, atol_radians=1e-10)


def test_a_bone_that_starts_to_stretch_gets_position_channels(plain: Any) -> None:
    motion = plain_motion(plain)
    positions = np.repeat(motion.skeleton.offsets[None], 3, axis=0)
    positions[:, 1, 1] = [10.0, 10.5, 11.0]
    again = written(replace(motion, local_positions=positions))
    assert again.local_positions is not None and again.skeleton.layout is not None
    np.testing.assert_array_equal(again.local_positions[:, 1:], positions[:, 1:])
    assert again.skeleton.layout.channels[1][:3] == ("Xposition", "Yposition", "Zposition")
    assert len(again.skeleton.layout.channels[2]) == 3


def test_a_root_without_positions_that_moves_gets_them(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 1 2 3").replace(
        "CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 4 Yposition"
    )
    motion = assert_lossless(read_bvh(plain.text(hierarchy, [row[1:2] + row[3:] for row in plain.rows]).encode())[0])
    moved = motion.with_root_positions(motion.root_positions + [[0, 0, 0], [0, 0, 0], [7.0, 0, 0]])
    again = written(moved)
    np.testing.assert_array_equal(again.root_positions, moved.root_positions)
    assert again.skeleton.layout is not None and again.skeleton.layout.channels[0][:2] == ("Xposition", "Yposition")


def test_positions_that_follow_a_scaled_skeleton(plain: Any) -> None:
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    hierarchy = plain.hierarchy.replace("CHANNELS 3 Zrotation Xrotation Yrotation", six)
    for spine, leg in (([0.0, 10, 0], [4.0, -1, 0]), ([0.0] * 3, [0.0] * 3)):  # replacing and adding
        rows = [row[:6] + spine + row[6:9] + leg + row[9:] for row in plain.rows]
        motion = assert_lossless(read_bvh(plain.text(hierarchy, rows).encode())[0])
        scaled = replace(motion, skeleton=motion.skeleton.with_offsets(motion.skeleton.offsets * 2.5))
        assert_motions_close(written(scaled), scaled, atol=1e-12)


@pytest.mark.parametrize("move", [[0.0, 0.0, 0.0], [0.001, 0, 0], [50.0, 3, 7], [0, 90.0, 0], [0, -90.0, 0]])
def test_a_root_whose_values_add_to_its_offset_can_go_anywhere(move: list[float], plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 0 10 0")
    motion = assert_lossless(read_bvh(plain.text(hierarchy, [[0.0, 0.01 * f, *[0.0] * 10] for f in range(3)]).encode())[0])
    assert motion.skeleton.layout is not None and motion.skeleton.layout.adds_offset[0]
    moved = motion.with_root_positions(motion.root_positions + move)
    np.testing.assert_allclose(written(moved).root_positions, moved.root_positions, atol=1e-12)


# -------------------------------------------------------------------------------------- motions that never were a file


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4), st.booleans(), st.booleans())
def test_any_motion_comes_back(seed: int, frames: int, smooth: bool, stretch: bool) -> None:
    skeleton = random_skeleton(seed, num_joints=1 + seed % 9, num_end_sites=seed % 4)
    motion = random_motion(skeleton, seed, num_frames=frames, smooth=smooth, stretch=stretch and seed % 9 > 0)
    again = written(motion)
    one, other = forward_kinematics(motion), forward_kinematics(again)
    for joint in skeleton.joint_names:
        np.testing.assert_allclose(other.position(joint), one.position(joint), atol=1e-9)
        assert_quats_close(other.rotation(joint), one.rotation(joint), atol_radians=1e-9)
    for end in skeleton.end_site_names:
        np.testing.assert_allclose(other.position(end), one.position(end), atol=1e-9)
    assert again.frame_time == motion.frame_time
    assert_lossless(again)


def test_joints_are_written_depth_first() -> None:
    skeleton = Skeleton(("a", "b", "c", "d"), np.array([-1, 0, 0, 1]), np.arange(12.0).reshape(4, 3))
    motion = random_motion(skeleton, 1)
    again = written(motion)
    assert again.skeleton.joint_names == ("a", "b", "d", "c")
    for name in skeleton.joint_names:
        assert_quats_close(again[name], motion[name], atol_radians=1e-12)


def test_the_usual_layout_is_six_and_three_zyx() -> None:
    motion = random_motion(random_skeleton(3), 3, smooth=True)
    assert usual_layout(motion) == ChannelLayout.default(12)
    assert fit_channels(motion)[1].shape == (20, 3 + 12 * 3)


@pytest.mark.parametrize("angle", [90.0, -90.0, 85.0])
def test_a_joint_near_gimbal_lock_gets_another_order(angle: float) -> None:
    chain = Skeleton(tuple("abcdef"), np.arange(-1, 5), np.ones((6, 3)))
    motion = random_motion(chain, 3, smooth=True)
    rotations = motion.local_rotations.copy()
    rotations[5, 4] = euler.to_quaternion(np.radians([0.0, angle, 0.0]), "ZYX")
    motion = motion.with_local_rotations(rotations)
    layout = usual_layout(motion)
    assert layout.rotation_axes(4) not in ("ZYX", "XYZ") and layout.rotation_axes(3) == "ZYX"
    assert_motions_close(written(motion), motion, atol=1e-12)


def test_a_still_body_with_a_large_root_offset_is_not_lifted() -> None:
    skeleton = Skeleton(("hips", "foot"), np.array([-1, 0]), np.array([[0.0, 90, 0], [0, -90, 0]]))
    for height in (0.0, 90.0, -5.0, 10.0):
        motion = Motion(skeleton, np.tile([0.0, height, 0], (3, 1)), np.tile([1.0, 0, 0, 0], (3, 2, 1)), 0.1)
        np.testing.assert_array_equal(written(motion).root_positions, motion.root_positions)


@pytest.mark.parametrize("rule", ["auto", "replace", "add"])
def test_the_rule_a_file_was_read_by_survives_writing(rule: Any, plain: Any) -> None:
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    hierarchy = plain.hierarchy.replace("CHANNELS 3 Zrotation Xrotation Yrotation", six).replace("OFFSET 0 0 0", "OFFSET 0 10 0")
    for root, spine, leg in (([0.0, 0, 0], [0.0] * 3, [4.0, -1, 0]), ([1.0, 90, 0], [0.0, 10, 0], [0.0, 0, 1])):
        rows = [[*root, *row[3:6], *spine, *row[6:9], *leg, *row[9:]] for row in plain.rows]
        motion = read_bvh(plain.text(hierarchy, rows).encode(), position_channels=rule)[0]
        one, other = forward_kinematics(motion), forward_kinematics(written(motion))
        np.testing.assert_allclose(other.global_positions, one.global_positions, atol=1e-12)


@pytest.mark.parametrize("spread", [0.0, 0.1, 3.0, 50.0])
def test_a_joint_that_moves_about_its_parents_origin_stays_there(spread: float) -> None:
    rng = np.random.default_rng(7)
    skeleton = Skeleton(("hips", "prop", "hand"), np.array([-1, 0, 1]), np.array([[0.0, 90, 0], [0, 10, 0], [5, 0, 0]]))
    for centre in (0.0, -1.0, 1.0, -10.0, 20.0):
        positions = np.repeat(skeleton.offsets[None], 8, axis=0)
        positions[:, 1] = [0.0, centre, 0.0] + spread * rng.normal(size=(8, 3))
        motion = replace(random_motion(skeleton, 7, num_frames=8), local_positions=positions)
        again = written(motion)
        one, other = forward_kinematics(motion), forward_kinematics(again)
        np.testing.assert_allclose(other.global_positions, one.global_positions, atol=1e-12)


def test_a_deep_chain_is_a_small_file() -> None:
    depth = 4_000
    skeleton = Skeleton(tuple(f"j{k}" for k in range(depth)), np.arange(-1, depth - 1), np.ones((depth, 3)))
    motion = Motion(skeleton, np.zeros((1, 3)), np.tile([1.0, 0, 0, 0], (1, depth, 1)), 0.1)
    text = b"".join(to_bvh(motion))
    assert len(text) < 3_000_000 and read_bvh(text)[0].skeleton.joint_names == skeleton.joint_names


# ------------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", ["a\nb", "a{", "}", " a", "a ", "a\r", "a //b", "\ud800"])
def test_names_that_cannot_be_read_back_are_refused(name: str, plain: Any, tmp_path: Path) -> None:
    motion = plain_motion(plain)
    path = tmp_path / "clip.bvh"
    path.write_text("old")
    for skeleton in (
        replace(motion.skeleton, joint_names=("Hips", name, "LeftUpLeg")),
        replace(motion.skeleton, end_site_names=(name, "LeftUpLeg_end")),
    ):
        with pytest.raises(InputError, match="cannot"):
            write_bvh(replace(motion, skeleton=skeleton), path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_the_motion_is_left_alone(plain: Any) -> None:
    motion = plain_motion(plain).with_frame_time(0.1)
    before = [motion.root_positions.copy(), motion.local_rotations.copy(), motion.source.channel_values]
    to_bvh(motion.with_root_positions(motion.root_positions + 1))
    np.testing.assert_array_equal(motion.root_positions, before[0])
    np.testing.assert_array_equal(motion.local_rotations, before[1])
    assert motion.source.channel_values is before[2]


def test_two_end_sites_without_names_are_nothing_to_repair(tmp_path: Path) -> None:
    body = random_skeleton(1, num_joints=2, num_end_sites=0)
    twice = Skeleton(body.joint_names, body.parents, body.offsets, np.array([1, 1, 0]), np.eye(3))
    save_motion(random_motion(twice, 1), tmp_path / "a.bvh")
    text = (tmp_path / "a.bvh").read_text()
    assert text.count("End Site\n") == 3
    read = load_motion(tmp_path / "a.bvh", strict=True)
    assert not read.source.repairs and set(read.skeleton.end_site_names) == {"joint1_end", "joint1_end2", "joint0_end"}
