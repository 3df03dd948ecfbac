from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import edit, forward_kinematics
from kinematics.errors import InputError, UnknownNameError
from kinematics.io import load_motion, save_motion
from kinematics.motion import Motion, Source
from kinematics.rotations import quaternion
from kinematics.skeleton import ChannelLayout, Skeleton
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion, random_skeleton


def assert_world_kept(edited: Motion, original: Motion, *, but: tuple[str, ...] = (), atol: float = 1e-9) -> None:
    before, after = forward_kinematics(original), forward_kinematics(edited)
    for name in edited.skeleton.joint_names:
        if name in original.skeleton.joint_names and name not in but:
            np.testing.assert_allclose(after.position(name), before.position(name), atol=atol)
            assert_quats_close(after.rotation(name), before.rotation(name), atol_radians=1e-7)
    for name in set(edited.skeleton.end_site_names) & set(original.skeleton.end_site_names):
        np.testing.assert_allclose(after.position(name), before.position(name), atol=atol)


def chain(bends: dict[str, float] | None = None, frames: int = 8) -> Motion:
    """Four joints up, one metre each, and an end; the named joints rock about Z by so many radians."""
    names = ("a", "b", "c", "d")
    offsets = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0.0]])
    skeleton = Skeleton(names, np.array([-1, 0, 1, 2]), offsets, np.array([3]), np.array([[0, 0.5, 0.0]]))
    vectors = np.zeros((frames, 4, 3))
    for name, angle in (bends or {}).items():
        vectors[:, names.index(name), 2] = angle * np.sin(np.arange(frames))
    return Motion(skeleton, np.zeros((frames, 3)), quaternion.from_rotation_vector(vectors), 1 / 30)


@given(st.integers(0, 10_000), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=60)
def test_joints_left_keep_their_world(seed: int, stretch: bool, with_layout: bool) -> None:
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=int(rng.integers(2, 12)))
    if with_layout:
        skeleton = skeleton.with_layout(ChannelLayout.default(skeleton.num_joints))
    motion = random_motion(skeleton, seed, num_frames=4, stretch=stretch)
    gone = [name for name in skeleton.joint_names[1:] if rng.random() < 0.4]
    edited = edit.remove_joints(motion, gone)
    assert edited.skeleton.joint_names == tuple(name for name in skeleton.joint_names if name not in gone)
    assert_world_kept(edited, motion)
    assert_motions_close(edit.keep_joints(motion, edited.skeleton.joint_names), edited)
    new = edited.skeleton.layout
    assert (new is None) == (not with_layout)
    if new is not None and edited.local_positions is not None and not stretch:
        moving = np.ptp(edited.local_positions, axis=0).max(axis=1) > 1e-6
        assert all("Xposition" in new.channels[joint] for joint in np.flatnonzero(moving))


def test_bones_stay_rigid_across_a_joint_that_does_not_bend() -> None:
    motion = chain({"a": 0.3, "b": 0.5, "d": 0.2})
    edited = edit.remove_joints(motion, ["c"])
    assert edited.local_positions is None
    np.testing.assert_array_equal(edited.skeleton.offsets[2], [0, 2, 0])
    assert np.array_equal(edited["d"], motion["d"])
    assert_world_kept(edited, motion)


def test_bones_stretch_across_a_joint_that_bends_and_bake_tells_the_error() -> None:
    motion = chain({"a": 0.3, "c": 0.5})
    edited = edit.remove_joints(motion, ["c"])
    assert edited.local_positions is not None
    np.testing.assert_array_equal(edited.skeleton.offsets[2], [0, 2, 0])
    assert_world_kept(edited, motion)
    rigid, report = edit.bake_positions(edited)
    assert rigid.local_positions is None
    lost = np.linalg.norm(forward_kinematics(rigid).position("d") - forward_kinematics(motion).position("d"), axis=1)
    assert report.max_errors[2] == pytest.approx(lost.max())
    assert 0.1 < report.max_errors[2] < 0.6


def test_a_removed_tip_becomes_an_end_site() -> None:
    motion = chain({"a": 0.3, "b": 0.2})
    edited = edit.remove_joints(motion, ["d"])
    assert edited.skeleton.end_site_names == ("d",)
    np.testing.assert_allclose(forward_kinematics(edited).position("d"), forward_kinematics(motion).position("d"))
    shorter = edit.remove_joints(motion, ["c", "d"])
    assert shorter.skeleton.end_site_names == ("c",)


def test_a_new_root() -> None:
    motion = random_motion(human_skeleton(), 1)
    spine_up = ["Spine", "Spine1", "Neck", "Head"]
    edited = edit.keep_joints(motion, spine_up)
    assert edited.skeleton.parents.tolist() == [-1, 0, 1, 2]
    assert_world_kept(edited, motion)
    layout = ChannelLayout.default(motion.skeleton.num_joints)
    edited = edit.keep_joints(replace(motion, skeleton=motion.skeleton.with_layout(layout)), spine_up)
    assert edited.skeleton.layout is not None and "Yposition" in edited.skeleton.layout.channels[0]


def test_all_clips_of_a_skeleton_give_one_skeleton() -> None:
    first, second = chain({"c": 0.5}), chain({"a": 0.1})
    edited = [edit.remove_joints(motion, ["c"]).skeleton for motion in (first, second, first[:1], first[:0])]
    assert all(skeleton.allclose(edited[0]) for skeleton in edited)


def test_a_joint_with_one_channel_gets_three_when_its_parent_goes() -> None:
    layout = ChannelLayout(
        (("Xposition", "Zrotation", "Xrotation", "Yrotation"), ("Zrotation",), ("Zrotation",), ("Zrotation",)), (False,) * 4
    )
    motion = chain({"b": 0.4, "c": 0.5})
    motion = replace(motion, skeleton=motion.skeleton.with_layout(layout))
    new = edit.remove_joints(motion, ["b"]).skeleton.layout
    assert new is not None
    assert new.rotation_axes(1) == "ZXY" and new.rotation_axes(2) == "Z"
    assert set(new.channels[0][:3]) == {"Xposition", "Yposition", "Zposition"}


def test_the_files_numbers_of_other_joints_are_kept() -> None:
    layout = ChannelLayout.default(4)
    values = np.arange(8.0 * 15).reshape(8, 15)
    motion = replace(chain({"a": 0.3}), source=Source(channel_values=values))
    motion = replace(motion, skeleton=motion.skeleton.with_layout(layout))
    kept = edit.remove_joints(motion, ["c"]).source.channel_values
    assert kept is not None and np.array_equal(kept, values[:, [*range(9), 12, 13, 14]])
    order = edit.reorder_joints(motion, ["a", "b", "c", "d"]).source.channel_values
    assert order is not None and np.array_equal(order, values)


def test_removal_errors() -> None:
    motion = random_motion(human_skeleton(), 1)
    with pytest.raises(UnknownNameError, match="LeftHand"):
        edit.remove_joints(motion, ["LeftHnad"])
    with pytest.raises(InputError, match="one root"):
        edit.remove_joints(motion, ["Hips"])
    with pytest.raises(InputError, match="at least one joint"):
        edit.keep_joints(motion, [])
    with pytest.raises(UnknownNameError, match="Head"):
        edit.keep_joints(motion, ["Haed"])
    assert edit.remove_joints(motion, []) is motion


@given(st.integers(0, 10_000), st.booleans())
@settings(deadline=None, max_examples=40)
def test_merging_keeps_the_world_of_all_others(seed: int, stretch: bool) -> None:
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed)
    motion = random_motion(skeleton, seed, num_frames=4, stretch=stretch)
    low = int(rng.integers(1, 12))
    path = [low, *skeleton.ancestors(low)][: int(rng.integers(1, 4))][::-1]
    names = [skeleton.joint_names[joint] for joint in path]
    merged = edit.merge_joints(motion, names, name="merged")
    before, after = forward_kinematics(motion), forward_kinematics(merged)
    np.testing.assert_allclose(after.position("merged"), before.position(names[0]), atol=1e-9)
    assert_quats_close(after.rotation("merged"), before.rotation(names[-1]), atol_radians=1e-7)
    kept = [n for n in merged.skeleton.joint_names if n != "merged"]
    for name in kept:
        np.testing.assert_allclose(after.position(name), before.position(name), atol=1e-9)
        assert_quats_close(after.rotation(name), before.rotation(name), atol_radians=1e-7)


def test_a_straight_chain_merges_into_one_rigid_bone() -> None:
    motion = chain({"a": 0.4})
    merged = edit.merge_joints(motion, ["b", "c", "d"])
    assert merged.skeleton.joint_names == ("a", "b")
    assert merged.local_positions is None
    np.testing.assert_allclose(forward_kinematics(merged).position("d_end"), forward_kinematics(motion).position("d_end"))
    bent = chain({"b": 0.1, "c": 0.2, "d": -0.4})
    product = quaternion.multiply(quaternion.multiply(bent["b"], bent["c"]), bent["d"])
    assert_quats_close(edit.merge_joints(bent, ["b", "c", "d"])["b"], product)
    assert_motions_close(edit.merge_joints(motion, ["b"]), motion)


def test_merge_errors() -> None:
    motion = chain()
    with pytest.raises(InputError, match="'d' does not hang on 'b'"):
        edit.merge_joints(motion, ["b", "d"])
    with pytest.raises(InputError, match="at least one"):
        edit.merge_joints(motion, [])
    with pytest.raises(InputError, match="unique"):
        edit.merge_joints(motion, ["b", "c"], name="a")


@given(st.integers(0, 10_000), st.booleans(), st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_inserting_moves_nothing_and_is_undone_by_removing(seed: int, stretch: bool, fraction: float) -> None:
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=6)
    skeleton = skeleton.with_layout(ChannelLayout.default(6, rotation_order="YXZ"))
    motion = random_motion(skeleton, seed, num_frames=4, stretch=stretch)
    above = skeleton.joint_names[int(rng.integers(1, 6))]
    more = edit.insert_joint(motion, "new", above=above, fraction=fraction)
    assert more.skeleton.num_joints == 7
    assert more.skeleton.joint_names[more.skeleton.parents[more.skeleton.joint_index(above)]] == "new"
    assert more.skeleton.layout is not None and more.skeleton.layout.rotation_axes(more.skeleton.joint_index("new")) == "YXZ"
    assert_world_kept(more, motion)
    start, end = forward_kinematics(motion), forward_kinematics(more)
    parent = skeleton.joint_names[skeleton.parents[skeleton.joint_index(above)]]
    expected = start.position(parent) + fraction * (start.position(above) - start.position(parent))
    np.testing.assert_allclose(end.position("new"), expected, atol=1e-9)
    assert_motions_close(edit.remove_joints(more, ["new"]), motion)


def test_insert_errors() -> None:
    with pytest.raises(InputError, match="is the root"):
        edit.insert_joint(chain(), "new", above="a")
    with pytest.raises(InputError, match="already"):
        edit.insert_joint(chain(), "c", above="b")
    with pytest.raises(InputError, match="between 0 and 1"):
        edit.insert_joint(chain(), "new", above="b", fraction=1.5)
    with pytest.raises(UnknownNameError):
        edit.insert_joint(chain(), "new", above="x")


@pytest.mark.parametrize("frames", [0, 1, 2])
@pytest.mark.parametrize("stretch", [False, True])
def test_short_clips(frames: int, stretch: bool) -> None:
    motion = random_motion(random_skeleton(1), 1, num_frames=frames, stretch=stretch)
    leaf = motion.skeleton.joint_names[-1]
    for result in (
        edit.remove_joints(motion, ["joint3"]),
        edit.merge_joints(motion, ["joint0", leaf] if motion.skeleton.parents[-1] == 0 else ["joint0"]),
        edit.insert_joint(motion, "new", above=leaf),
        edit.bake_positions(motion)[0],
    ):
        assert result.num_frames == frames


def test_edited_clips_are_written_and_read_back(tmp_path: Path) -> None:
    motion = random_motion(human_skeleton(), 1, smooth=True)
    save_motion(motion, tmp_path / "a.bvh")
    motion = load_motion(tmp_path / "a.bvh")
    for edited in (
        edit.remove_joints(motion, ["Spine1", "LeftHand", "LeftShoulder"]),
        edit.merge_joints(motion, ["Hips", "Spine", "Spine1"]),
        edit.insert_joint(motion, "LeftTwist", above="LeftHand"),
        edit.keep_joints(motion, ["Spine", "Spine1", "Neck"]),
    ):
        save_motion(edited, tmp_path / "b.bvh")
        back = load_motion(tmp_path / "b.bvh", position_channels="replace")
        after, expected = forward_kinematics(back), forward_kinematics(edited)
        np.testing.assert_allclose(after.global_positions, expected.global_positions, atol=1e-9)
        assert set(back.skeleton.end_site_names) == set(edited.skeleton.end_site_names)
        for name in edited.skeleton.end_site_names:
            np.testing.assert_allclose(after.position(name), expected.position(name), atol=1e-9)


def test_real_skeletons_without_helpers(shared_data: Path) -> None:
    motion = load_motion(shared_data / "cmu_cgspeed" / "12_01_walk.bvh")[::20]
    helpers = ["LHipJoint", "RHipJoint", "LowerBack", "Neck", "LeftFingerBase", "RightFingerBase", "LThumb", "RThumb"]
    edited = edit.remove_joints(motion, helpers)
    assert edited.skeleton.num_joints == 31 - len(helpers)
    assert_world_kept(edited, motion, atol=1e-9)
    _, report = edit.bake_positions(edited)
    assert report.mean_errors.max() < 1.0  # of a body of 24 units


def test_numbers_of_joints_that_are_not_touched_are_written_digit_for_digit(tmp_path: Path) -> None:
    motion = random_motion(human_skeleton(), 1, smooth=True)
    turned = replace(motion, source=Source())
    save_motion(turned, tmp_path / "a.bvh")
    text = (tmp_path / "a.bvh").read_text().splitlines()
    at = next(k for k, line in enumerate(text) if line.startswith("Frame Time")) + 1
    rows = [[f"{float(word) + 360.0 * (k > 5):.4f}" for k, word in enumerate(line.split())] for line in text[at:]]
    (tmp_path / "a.bvh").write_text("\n".join([*text[:at], *map(" ".join, rows), ""]))
    motion = load_motion(tmp_path / "a.bvh")
    for edited, touched in (
        (edit.insert_joint(motion, "new", above="Neck"), {"new"}),
        (edit.remove_joints(motion, ["LeftArm"]), {"LeftForeArm", "Hips"}),
    ):
        save_motion(edited, tmp_path / "b.bvh")
        back = load_motion(tmp_path / "b.bvh", position_channels="replace")
        for joint in set(edited.skeleton.joint_names) - touched:
            np.testing.assert_array_equal(numbers(back, joint), numbers(motion, joint))
    before = numbers(edit.insert_joint(motion, "new", above="Neck"), "new")
    assert not before.any()  # not a whole turn away


def numbers(motion: Motion, joint: str) -> np.ndarray:
    """The rotation channels of a joint as read."""
    layout, values = motion.skeleton.layout, motion.source.channel_values
    assert layout is not None and values is not None
    index = motion.skeleton.joint_index(joint)
    end = sum(map(len, layout.channels[: index + 1]))
    return np.asarray(values[:, end - 3 : end])


def test_work_grows_with_the_joints_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    count, visited = 1500, 0
    names = tuple(f"j{joint}" for joint in range(count))
    skeleton = Skeleton(names, np.arange(count) - 1, np.tile([0.0, 1.0, 0.0], (count, 1)))
    skeleton = skeleton.with_layout(ChannelLayout.default(count))
    motion = Motion(skeleton, np.zeros((1, 3)), np.tile(quaternion.IDENTITY, (1, count, 1)), 1 / 30)
    for walk in ("ancestors", "descendants"):
        plain = getattr(Skeleton, walk)

        def counted(self: Skeleton, joint: int, plain: Callable[[Skeleton, int], list[int]] = plain) -> list[int]:
            nonlocal visited
            found = plain(self, joint)
            visited += len(found)
            return found

        monkeypatch.setattr(Skeleton, walk, counted)
    assert edit.remove_joints(motion, ["j700"]).skeleton.parents.tolist() == list(range(-1, count - 2))
    half = edit.keep_joints(motion, names[::2])
    assert half.skeleton.offsets[1:].tolist() == [[0.0, 2.0, 0.0]] * (count // 2 - 1)
    assert half.skeleton.end_site_names == (names[-1],)
    assert edit.merge_joints(motion, names[10:1000]).skeleton.num_joints == count - 989
    assert visited <= 10 * count
