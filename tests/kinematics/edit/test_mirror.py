from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinematics import edit, forward_kinematics
from kinematics.anatomy import find_anatomy
from kinematics.errors import InputError, UnknownNameError
from kinematics.frames import heading
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import assert_motions_close, assert_quats_close, human_skeleton, random_motion

ACROSS_X = np.array([-1.0, 1.0, 1.0])


def partners(skeleton: Skeleton) -> list[int]:
    return list(find_anatomy(skeleton).mirror)


def end_partners(skeleton: Skeleton) -> list[int]:
    other = partners(skeleton)
    parents = skeleton.end_site_parents.tolist()
    return [parents.index(other[parent]) for parent in parents]


def with_other_frames(motion: Motion, turns: np.ndarray) -> Motion:
    """The same movement with each joint's frame turned by a constant: R_j G_j, and offsets seen from the new frames."""
    skeleton = motion.skeleton
    above = quaternion.inverse(turns[skeleton.parents])
    above[0] = quaternion.IDENTITY
    offsets = quaternion.rotate(above, skeleton.offsets)
    ends = quaternion.rotate(quaternion.inverse(turns[skeleton.end_site_parents]), skeleton.end_site_offsets)
    rotations = quaternion.multiply(quaternion.multiply(above, motion.local_rotations), turns)
    moving = motion.local_positions
    return replace(
        motion,
        skeleton=skeleton.with_offsets(offsets, ends),
        local_rotations=rotations,
        local_positions=None if moving is None else quaternion.rotate(above, moving),
    )


def bones_along_x() -> np.ndarray:
    """Frames of LAFAN1's kind: X along each joint's bone, Z across the body on both sides alike."""
    skeleton = human_skeleton()
    turns = np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1))
    for joint, children in enumerate(skeleton.children):
        bones = [*skeleton.offsets[list(children)], *skeleton.end_site_offsets[skeleton.end_site_parents == joint]]
        middle = [bone for bone in bones if abs(bone[0]) < 1e-9] or bones
        axis = middle[0] / np.linalg.norm(middle[0])
        helper = np.array([1.0, 0.0, 0.0]) if abs(axis[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
        across = helper - (helper @ axis) * axis
        across /= np.linalg.norm(across)
        turns[joint] = quaternion.from_matrix(np.stack([axis, np.cross(across, axis), across], axis=1))
    return turns


def assert_reflected(mirrored: Motion, original: Motion, *, reflect: np.ndarray = ACROSS_X, atol: float = 1e-9) -> None:
    before, after = forward_kinematics(original), forward_kinematics(mirrored)
    other = partners(original.skeleton)
    np.testing.assert_allclose(after.global_positions, before.global_positions[:, other] * reflect, atol=atol)
    ends = end_partners(original.skeleton)
    np.testing.assert_allclose(after.end_site_positions, before.end_site_positions[:, ends] * reflect, atol=atol)


@pytest.mark.parametrize("stretch", [False, True])
def test_a_t_pose_skeleton_is_reflected_exactly(stretch: bool) -> None:
    motion = random_motion(human_skeleton(), 3, stretch=stretch)
    mirrored = edit.mirror(motion, plane="X")
    if stretch:
        before, after = forward_kinematics(motion), forward_kinematics(mirrored)
        other = partners(motion.skeleton)
        np.testing.assert_allclose(after.global_positions, before.global_positions[:, other] * ACROSS_X, atol=1e-9)
    else:
        assert_reflected(mirrored, motion)
    assert_motions_close(edit.mirror(mirrored, plane="X"), motion)


def test_a_t_pose_rotation_is_the_textbook_one() -> None:
    motion = random_motion(human_skeleton(), 3)
    other = partners(motion.skeleton)
    w, x, y, z = np.moveaxis(motion.local_rotations[:, other], -1, 0)
    expected = np.stack([w, x, -y, -z], axis=-1)  # reflected across X, in frames that agree with the world's
    assert_quats_close(edit.mirror(motion, plane="X").local_rotations, expected)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_any_local_frames_on_either_side(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turns = quaternion.normalize(rng.normal(size=(human_skeleton().num_joints, 4)))
    motion = with_other_frames(random_motion(human_skeleton(), seed, num_frames=6), turns)
    mirrored = edit.mirror(motion, plane="X")
    assert_reflected(mirrored, motion)
    assert_motions_close(edit.mirror(mirrored, plane="X"), motion)


def test_all_bones_along_x_is_mirrored_as_is_known_for_lafan1() -> None:
    motion = with_other_frames(random_motion(human_skeleton(), 5), bones_along_x())
    below = [joint for joint, parent in enumerate(motion.skeleton.parents) if len(motion.skeleton.children[max(parent, 0)]) == 1]
    np.testing.assert_allclose(np.abs(motion.skeleton.offsets[below, 1:]).max(), 0.0, atol=1e-12)
    mirrored = edit.mirror(motion, plane="X")
    assert_reflected(mirrored, motion)
    # Known for that convention: R' = diag(-1, 1, 1) R diag(1, 1, -1), the same for every joint.
    before, after = forward_kinematics(motion), forward_kinematics(mirrored)
    turned = quaternion.to_matrix(before.global_rotations[:, partners(motion.skeleton)])
    expected = np.diag([-1.0, 1.0, 1.0]) @ turned @ np.diag([1.0, 1.0, -1.0])
    bent = [motion.skeleton.joint_index(name) for name in ("LeftUpLeg", "RightLeg", "LeftArm", "RightForeArm", "Spine", "Hips")]
    np.testing.assert_allclose(quaternion.to_matrix(after.global_rotations[:, bent]), expected[:, bent], atol=1e-6)


def test_slightly_different_sides() -> None:
    rng = np.random.default_rng(0)
    skeleton = human_skeleton()
    uneven = skeleton.with_offsets(skeleton.offsets + rng.normal(size=skeleton.offsets.shape) * 0.003)
    motion = random_motion(uneven, 3)
    mirrored = edit.mirror(motion, plane="X")
    other = partners(skeleton)
    before, after = forward_kinematics(motion), forward_kinematics(mirrored)
    assert np.abs(after.global_positions - before.global_positions[:, other] * ACROSS_X).max() < 0.03
    for joint, partner in enumerate(other):  # where a joint has one child, its bone points exactly where the mirror says
        if len(skeleton.children[joint]) == 1 and joint not in skeleton.end_site_parents:
            child, twin = skeleton.children[joint][0], skeleton.children[partner][0]
            bone = after.global_positions[:, child] - after.global_positions[:, joint]
            seen = (before.global_positions[:, twin] - before.global_positions[:, partner]) * ACROSS_X
            cosine = np.sum(bone * seen, axis=-1) / np.linalg.norm(bone, axis=-1) / np.linalg.norm(seen, axis=-1)
            np.testing.assert_allclose(cosine, 1.0, atol=1e-9)
    for plane in ("X", "Z", "auto"):
        assert_motions_close(edit.mirror(edit.mirror(motion, plane=plane), plane=plane), motion)


def test_auto_keeps_place_and_heading_of_the_first_frame() -> None:
    motion = edit.place(edit.rotate(random_motion(human_skeleton(), 7, smooth=True), 2.0), (3.0, -1.0))
    mirrored = edit.mirror(motion)
    np.testing.assert_allclose(mirrored.root_positions[0], motion.root_positions[0], atol=1e-9)
    across = np.array([1.0, 0.0, 0.0])
    before, after = (quaternion.rotate(clip.local_rotations[0, 0], across) for clip in (motion, mirrored))
    np.testing.assert_allclose(after * [1, -1, 1], before, atol=1e-9)  # the pelvis faces as before, and leans the other way
    turning = heading(motion).angles, heading(mirrored).angles
    np.testing.assert_allclose(np.diff(turning[0]), -np.diff(turning[1]), atol=1e-9)
    assert_motions_close(edit.mirror(mirrored), motion)


def test_a_body_on_its_side_is_mirrored_in_an_upright_plane() -> None:
    skeleton = human_skeleton()
    rotations = np.tile(quaternion.IDENTITY, (3, skeleton.num_joints, 1))
    rotations[:, 0] = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.pi / 2)
    motion = Motion(skeleton, np.zeros((3, 3)), rotations, 1 / 30)
    mirrored = edit.mirror(motion)
    assert_reflected(mirrored, motion)
    assert_motions_close(edit.mirror(mirrored), motion)


def test_slices_and_mirrors_commute() -> None:
    motion = random_motion(human_skeleton(), 3)
    assert_motions_close(edit.mirror(motion, plane="Z")[3:9], edit.mirror(motion[3:9], plane="Z"), atol=1e-12)


def test_a_prop_in_one_hand_stays_there() -> None:
    body = human_skeleton()
    hand = body.joint_index("LeftHand")
    armed = Skeleton(
        (*body.joint_names, "sword"),
        np.append(body.parents, hand),
        np.concatenate([body.offsets, [[0.1, 0.0, 0.05]]]),
        body.end_site_parents,
        body.end_site_offsets,
    )
    motion = random_motion(armed, 3, stretch=True)
    mirrored = edit.mirror(motion, plane="X")
    assert np.array_equal(mirrored["sword"], motion["sword"])
    before, after = forward_kinematics(motion).global_positions, forward_kinematics(mirrored).global_positions
    other = partners(armed)[:-1]
    np.testing.assert_allclose(after[:, :-1], before[:, other] * ACROSS_X, atol=1e-9)
    assert_motions_close(edit.mirror(mirrored, plane="X"), motion)


def test_pairs_by_name() -> None:
    motion = random_motion(human_skeleton(), 3)
    strange = edit.rename_joints(motion, {name: f"bone{i}" for i, name in enumerate(motion.skeleton.joint_names)})
    other = partners(motion.skeleton)
    pairs = {f"bone{i}": f"bone{j}" for i, j in enumerate(other) if i < j}
    expected = edit.mirror(motion, plane="X")
    assert np.array_equal(edit.mirror(strange, plane="X", pairs=pairs).local_rotations, expected.local_rotations)
    both_ways = pairs | {b: a for a, b in pairs.items()}
    assert np.array_equal(edit.mirror(strange, plane="X", pairs=both_ways).local_rotations, expected.local_rotations)


def test_a_chain_without_sides_is_reflected_as_asked() -> None:
    chain = Skeleton(
        ("a", "b", "c"), np.array([-1, 0, 1]), np.array([[0, 0, 0], [0, 1, 0], [0, 1, 0.0]]), np.array([2]), np.ones((1, 3))
    )
    motion = random_motion(chain, 1)
    with pytest.raises(InputError, match="pairs"):
        edit.mirror(motion)
    mirrored = edit.mirror(motion, pairs={}, plane="X")
    before, after = forward_kinematics(motion), forward_kinematics(mirrored)
    np.testing.assert_allclose(after.global_positions, before.global_positions * ACROSS_X, atol=1e-9)
    np.testing.assert_allclose(after.end_site_positions, before.end_site_positions * ACROSS_X, atol=1e-9)


def test_errors() -> None:
    motion = random_motion(human_skeleton(), 3)
    with pytest.raises(UnknownNameError, match="plane"):
        edit.mirror(motion, plane="XY")
    with pytest.raises(UnknownNameError, match="LeftHand"):
        edit.mirror(motion, pairs={"LeftHnad": "RightHand"})
    with pytest.raises(InputError, match="parents of partners"):
        edit.mirror(motion, pairs={"LeftHand": "RightHand"})
    with pytest.raises(InputError, match="one partner"):
        edit.mirror(motion, pairs={"LeftUpLeg": "RightUpLeg", "LeftShoulder": "RightUpLeg"})


@pytest.mark.parametrize("frames", [0, 1])
def test_short_clips(frames: int) -> None:
    motion = random_motion(human_skeleton(), 3, num_frames=frames)
    assert_motions_close(edit.mirror(edit.mirror(motion)), motion)


def test_real_clips_of_every_convention(shared_data: Path) -> None:
    seen = 0
    for path in sorted(shared_data.rglob("*.bvh")):
        if "synthetic" in path.parts:
            continue
        motion = load_motion(path)[:60]
        other = partners(motion.skeleton)
        if other == list(range(len(other))):
            continue
        seen += 1
        mirrored = edit.mirror(motion, plane="X")
        before, after = forward_kinematics(motion).global_positions, forward_kinematics(mirrored).global_positions
        error = np.linalg.norm(after - before[:, other] * ACROSS_X, axis=-1).max()
        lengths = np.linalg.norm(motion.skeleton.offsets, axis=1)
        uneven = np.abs(lengths - lengths[other])[1:].sum()
        assert error <= uneven + 1e-9 * lengths.sum(), path.name
        assert_motions_close(edit.mirror(mirrored, plane="X"), motion)
        assert_motions_close(edit.mirror(edit.mirror(motion)), motion, atol=1e-7)
    assert seen > 15
