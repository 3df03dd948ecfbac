from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import edit, forward_kinematics
from kinematics.errors import InputError, UnknownNameError
from kinematics.testing import assert_motions_close, human_skeleton, random_motion, random_skeleton


def test_rename_by_mapping_and_by_function() -> None:
    motion = random_motion(human_skeleton(), 1)
    named = edit.rename_joints(motion, {"LeftHand": "l_wrist"})
    assert "l_wrist" in named.skeleton.joint_names and "LeftHand" not in named.skeleton.joint_names
    assert "l_wrist_end" in named.skeleton.end_site_names
    assert np.array_equal(named["l_wrist"], motion["LeftHand"])
    prefixed = edit.rename_joints(motion.skeleton, lambda name: f"mixamorig:{name}")
    assert prefixed.joint_names[0] == "mixamorig:Hips"
    assert edit.rename_joints(prefixed, lambda name: name.removeprefix("mixamorig:")).allclose(motion.skeleton)
    swapped = edit.rename_joints(motion, {"LeftHand": "RightHand", "RightHand": "LeftHand"})
    assert np.array_equal(swapped["LeftHand"], motion["RightHand"])
    assert swapped.skeleton.end_site_names.index("LeftHand_end") == motion.skeleton.end_site_names.index("RightHand_end")


def test_rename_errors() -> None:
    motion = random_motion(human_skeleton(), 1)
    with pytest.raises(UnknownNameError, match="LeftHand"):
        edit.rename_joints(motion, {"LeftHnad": "x"})
    with pytest.raises(InputError, match="unique"):
        edit.rename_joints(motion, {"LeftHand": "RightHand"})


@given(st.integers(0, 10_000), st.booleans())
@settings(deadline=None, max_examples=40)
def test_reordering_changes_nothing_but_the_order(seed: int, stretch: bool) -> None:
    rng = np.random.default_rng(seed)
    skeleton = random_skeleton(seed, num_joints=8)
    motion = random_motion(skeleton, seed, num_frames=3, stretch=stretch)
    left, order = [0], []
    while left:
        joint = left.pop(int(rng.integers(len(left))))
        order.append(joint)
        left += skeleton.children[joint]
    names = [skeleton.joint_names[joint] for joint in order]
    moved = edit.reorder_joints(motion, names)
    assert moved.skeleton.joint_names == tuple(names)
    before, after = forward_kinematics(motion), forward_kinematics(moved)
    for name in (*names, *skeleton.end_site_names):
        np.testing.assert_allclose(after.position(name), before.position(name), atol=1e-12)
    back = edit.reorder_joints(moved, skeleton.joint_names)
    assert np.array_equal(back.local_rotations, motion.local_rotations)
    if len(set(skeleton.end_site_parents.tolist())) == skeleton.num_end_sites and not np.any(
        np.diff(skeleton.end_site_parents) < 0
    ):
        assert_motions_close(back, motion)


def test_reorder_errors() -> None:
    motion = random_motion(human_skeleton(), 1)
    names = list(motion.skeleton.joint_names)
    with pytest.raises(InputError, match="missing"):
        edit.reorder_joints(motion, names[:-1])
    with pytest.raises(InputError, match="once"):
        edit.reorder_joints(motion, [*names[:-1], names[0]])
    with pytest.raises(InputError, match="root"):
        edit.reorder_joints(motion, names[::-1])
    with pytest.raises(UnknownNameError):
        edit.reorder_joints(motion, ["hips", *names[1:]])
