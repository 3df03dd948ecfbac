"""What holds for every operation: pure, read-only in and out, any number of frames, any unit."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics import edit
from kinematics.io import load_motion, save_motion
from kinematics.motion import Motion
from kinematics.testing import assert_motions_close, human_skeleton, random_motion

OPERATIONS: dict[str, Callable[[Motion], Motion]] = {
    "resample up": lambda motion: edit.resample(motion, 47),
    "resample down": lambda motion: edit.resample(motion, 15),
    "slice_time": lambda motion: edit.slice_time(motion, 0.0),
    "time_warp": lambda motion: edit.time_warp(motion, lambda t: 0.9 * t),
    "inertial": lambda motion: edit.concatenate([motion, motion]),
    "crossfade": lambda motion: edit.concatenate([motion, motion], join="crossfade"),
    "cut": lambda motion: edit.concatenate([motion, motion], join="cut"),
    "blend": lambda motion: edit.blend(motion, motion[::-1], 0.3),
    "displace": lambda motion: edit.displace(motion, {0: motion[-1]} if len(motion) else {}, after_s=0.3),
    "loop": edit.loop,
    "loop closed": lambda motion: edit.loop(motion, travel="close", repeats=2),
    "mirror": edit.mirror,
    "smooth": lambda motion: edit.smooth(motion, cutoff_hz=5),
    "rotate": lambda motion: edit.rotate(motion, 1),
    "place": lambda motion: edit.place(motion, heading_radians=1),
    "in_place": edit.in_place,
    "remove_joints": lambda motion: edit.remove_joints(motion, ["Spine1", "LeftHand"]),
    "keep_joints": lambda motion: edit.keep_joints(motion, ["Hips", "Head", "LeftHand"]),
    "merge_joints": lambda motion: edit.merge_joints(motion, ["Hips", "Spine", "Spine1"]),
    "insert_joint": lambda motion: edit.insert_joint(motion, "new", above="Neck"),
    "rename_joints": lambda motion: edit.rename_joints(motion, str.upper),
    "reorder_joints": lambda motion: edit.reorder_joints(motion, motion.skeleton.joint_names),
    "bake_positions": lambda motion: edit.bake_positions(motion)[0],
}


def scaled(motion: Motion, factor: float) -> Motion:
    skeleton = motion.skeleton
    moving = motion.local_positions
    return replace(
        motion,
        skeleton=skeleton.with_offsets(skeleton.offsets * factor, skeleton.end_site_offsets * factor),
        root_positions=motion.root_positions * factor,
        local_positions=None if moving is None else moving * factor,
    )


def assert_same_skeleton(motion: Motion, before: Motion) -> None:
    ours, old = motion.skeleton, before.skeleton
    assert (ours.joint_names, ours.end_site_names, ours.layout) == (old.joint_names, old.end_site_names, old.layout)
    for field in ("parents", "offsets", "end_site_parents", "end_site_offsets"):
        assert np.array_equal(getattr(ours, field), getattr(old, field))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stretch", [False, True])
@pytest.mark.parametrize("frames", [0, 1, 2, 31])
def test_pure_and_read_only(name: str, stretch: bool, frames: int) -> None:
    motion = random_motion(human_skeleton(), 2, num_frames=frames, smooth=True, stretch=stretch)
    before = pickle.loads(pickle.dumps(motion))
    result = OPERATIONS[name](motion)
    assert_same_skeleton(motion, before)
    assert pickle.dumps(motion.source) == pickle.dumps(before.source)
    for field in ("root_positions", "local_rotations", "local_positions"):
        array = getattr(motion, field)
        assert array is None or np.array_equal(array, getattr(before, field))
        made = getattr(result, field)
        assert made is None or not made.flags.writeable
    assert (result.num_frames == 0) == (frames == 0)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("factor", [0.0254, 100.0])
def test_the_unit_makes_no_difference(name: str, factor: float) -> None:
    motion = random_motion(human_skeleton(), 2, num_frames=31, smooth=True)
    expected = scaled(OPERATIONS[name](motion), factor)
    assert_motions_close(OPERATIONS[name](scaled(motion, factor)), expected, atol=1e-6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_written_after_an_edit_reads_back_as_the_edit(name: str, tmp_path: Path) -> None:
    save_motion(random_motion(human_skeleton(), 2, num_frames=31, smooth=True), tmp_path / "read.bvh")
    result = OPERATIONS[name](load_motion(tmp_path / "read.bvh"))
    save_motion(result, tmp_path / "edited.bvh")
    back = load_motion(tmp_path / "edited.bvh", position_channels="replace")
    assert back.num_frames == result.num_frames and back.frame_time == result.frame_time
    order = [back.skeleton.joint_index(joint) for joint in result.skeleton.joint_names]
    assert np.array_equal(back.root_positions, result.root_positions)
    rotations = back.local_rotations[:, order]
    signs = np.sign(np.sum(rotations * result.local_rotations, axis=-1, keepdims=True))
    np.testing.assert_allclose(signs * rotations, result.local_rotations, rtol=0, atol=1e-14)
    if result.local_positions is not None and back.local_positions is not None:
        assert np.array_equal(back.local_positions[:, order], result.local_positions)
    else:
        assert result.local_positions is back.local_positions
