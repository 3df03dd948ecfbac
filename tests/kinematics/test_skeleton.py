"""Skeletons: what is refused, what is found by name, and that nothing can be written to."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from kinematics import ChannelLayout, InputError, KinematicsError, Skeleton
from kinematics.testing import random_skeleton

ARM = Skeleton(("Hips", "LeftArm", "LeftHand"), np.array([-1, 0, 1]), np.eye(3), np.array([2, 2]), np.eye(3)[:2])


def test_names_and_tree() -> None:
    assert ARM.joint_index("LeftHand") == 2
    assert ARM.end_site_names == ("LeftHand_end", "LeftHand_end2")
    assert ARM.end_site_index("LeftHand_end2") == 1
    assert ARM.children == ((1,), (2,), ())
    assert ARM.ancestors(2) == [1, 0] and ARM.descendants(0) == [1, 2] and ARM.descendants(2) == []


def test_a_mistyped_joint_gets_the_nearest_names() -> None:
    with pytest.raises(KinematicsError, match="did you mean 'LeftHand'") as caught:
        ARM.joint_index("lefthnd")
    assert isinstance(caught.value, KeyError) and isinstance(caught.value, ValueError)
    with pytest.raises(KinematicsError, match="there are: Hips, LeftArm, LeftHand"):
        ARM.joint_index("xyz")
    with pytest.raises(KinematicsError, match="end site"):
        ARM.end_site_index("Hips_end")


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "word"),
    [
        ((), [], np.zeros((0, 3)), "at least one joint"),
        (("a", "a"), [-1, 0], np.zeros((2, 3)), "unique, given twice: a"),
        (("a", " "), [-1, 0], np.zeros((2, 3)), "non-empty"),
        (("a", "b"), [-1, -1], np.zeros((2, 3)), "only root"),
        (("a", "b", "c"), [-1, 2, 0], np.zeros((3, 3)), "before children: 'b'"),
        (("a", "b"), [-1, 0, 1], np.zeros((2, 3)), "shape"),
        (("a", "b"), [-1, 0], np.zeros((2, 2)), "shape"),
        (("a", "b"), [-1, 0], np.full((2, 3), np.nan), "finite"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_refuses(names: tuple[str, ...], parents: list[int], offsets: np.ndarray, word: str) -> None:
    with pytest.raises(InputError, match=word):
        Skeleton(names, np.array(parents, dtype=np.int64), offsets)


def test_end_sites_must_hang_on_a_joint() -> None:
    with pytest.raises(InputError, match="joint indices 0 to 0"):
        Skeleton(("a",), np.array([-1]), np.zeros((1, 3)), np.array([1]), np.zeros((1, 3)))


@pytest.mark.usefixtures("unchecked_shapes")
def test_layout() -> None:
    layout = ChannelLayout.default(3, rotation_order="ZXY")
    assert layout.num_channels == 12 and layout.rotation_axes(1) == "ZXY"
    assert layout.take([0, 2]).num_channels == 9
    with pytest.raises(KinematicsError, match="Zrotation"):
        ChannelLayout((("Zrotaton",),), (False,))
    with pytest.raises(InputError, match="twice"):
        ChannelLayout((("Xposition", "Xposition"),), (False,))
    with pytest.raises(InputError, match="layout has 2 joints"):
        ARM.with_layout(ChannelLayout.default(2))


def test_arrays_are_copies_and_read_only_also_after_pickling() -> None:
    offsets = np.zeros((2, 3))
    skeleton = Skeleton(("a", "b"), np.array([-1, 0]), offsets)
    offsets[1] = 9.0
    assert skeleton.offsets[1, 0] == 0.0
    for copy in (skeleton, pickle.loads(pickle.dumps(skeleton)), skeleton.with_offsets(np.ones((2, 3)))):
        with pytest.raises(ValueError, match="read-only"):
            copy.offsets[0, 0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            copy.parents[0] = 1


def test_allclose() -> None:
    assert ARM.allclose(pickle.loads(pickle.dumps(ARM)))
    assert not ARM.allclose(ARM.with_offsets(ARM.offsets + 1e-3))
    assert ARM.allclose(ARM.with_offsets(ARM.offsets + 1e-3), atol=1e-2)
    assert not ARM.allclose(random_skeleton(1))


@pytest.mark.usefixtures("unchecked_shapes")
def test_parents_must_be_whole_numbers() -> None:
    parents: np.ndarray = np.array([-1, 0.9])
    with pytest.raises(InputError, match="whole numbers"):
        Skeleton(("a", "b"), parents, np.zeros((2, 3)))


def test_default_end_names_are_numbered_within_their_joint() -> None:
    parents = np.array([1, 0, 1, 1, 0])
    skeleton = Skeleton(("a", "b"), np.array([-1, 0]), np.zeros((2, 3)), parents, np.zeros((5, 3)))
    assert skeleton.end_site_names == ("b_end", "a_end", "b_end2", "b_end3", "a_end2")
