"""Bodies whose joint names say nothing, in any order, with more or fewer joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinematics import load_motion
from kinematics.anatomy import find_anatomy, find_anatomy_in_clip, stands_on_four, with_anatomy
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import anonymous, human_skeleton, quadruped_skeleton

CLIPS = [
    "cmu_3dsmax/01_01", "cmu_3dsmax/jumping_jacks_cut", "cmu_cgspeed/01_01", "cmu_daz/02_01", "fair1/dab", "fair1/jumping", "games105/idle",
    "games105/run_forward", "games105/walk60", "ground_truth/bvhtoolbox_walk01/walk01", "makehuman/walk1", "makehuman/zombieWalk1",
    "odd/assimp_Boxing_Toes_framecount_off_by_one", "pybvh/bvh_test1", "pybvh/bvh_test2", "pybvh/standard_skeleton",
]  # fmt: skip


def halved(motion: Motion, joints: set[int]) -> tuple[Motion, list[int]]:
    """Put a helper that never turns halfway along the bones above some joints; where each joint is now."""
    skeleton, names, parents, offsets, place, rotations = motion.skeleton, [], [], [], [], []
    for joint, parent in enumerate(skeleton.parents.tolist()):
        above, offset = (place[parent] if parent >= 0 else -1), skeleton.offsets[joint]
        if joint in joints:
            names.append(f"{skeleton.joint_names[joint]}x")  # as exporters name such helpers: after the joint below
            parents.append(above)
            offsets.append(0.5 * offset)
            rotations.append(np.tile(quaternion.IDENTITY, (motion.num_frames, 1)))
            above, offset = len(names) - 1, 0.5 * offset
        place.append(len(names))
        names.append(skeleton.joint_names[joint])
        parents.append(above)
        offsets.append(offset)
        rotations.append(motion.local_rotations[:, joint])
    ends = np.array([place[parent] for parent in skeleton.end_site_parents.tolist()], dtype=np.int64)
    longer = Skeleton(tuple(names), np.array(parents), np.array(offsets), ends, skeleton.end_site_offsets)
    return Motion(longer, motion.root_positions, np.stack(rotations, axis=1), motion.frame_time), place


def same_parts(motion: Motion, seed: int | None) -> None:
    wanted = find_anatomy(motion.skeleton)
    nameless, order = anonymous(motion, seed=seed)
    found = find_anatomy_in_clip(nameless)
    assert not found.by_names and found.dialect == "unknown"
    assert {role: order[found.joints[role]] for role in wanted.joints if role in found.joints} == dict(wanted.joints)
    limbs = [joint for role, joint in found.joints.items() if role.startswith(("left_", "right_"))]
    for joint in limbs:
        partner = found.mirror[joint]
        assert found.sides[joint] == -found.sides[partner] != 0 and order[partner] == wanted.mirror[order[joint]]


@pytest.mark.parametrize("clip", CLIPS)
def test_all_parts_and_sides_of_real_bodies(shared_data: Path, clip: str) -> None:
    motion = load_motion(shared_data / f"{clip}.bvh")[:200]
    for seed in (None, 1):
        same_parts(motion, seed)


@pytest.mark.parametrize("make", ["cmu", "lafan1", "mixamo"])
@pytest.mark.parametrize("action", ["walk", "jump", "wave"])
def test_all_parts_and_sides_of_our_clips(clips: Path, make: str, action: str) -> None:
    same_parts(load_motion(clips / f"{action}_{make}.bvh")[:200], 2)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("clip", ["walk_cmu", "walk_lafan1", "walk_mixamo"])
def test_helpers_halfway_along_bones_are_no_knees_and_elbows(clips: Path, clip: str, named: bool) -> None:
    motion = load_motion(clips / f"{clip}.bvh")[:100]
    joints = find_anatomy(motion.skeleton).joints
    bones = {joints[side + part] for side in ("left_", "right_") for part in ("shin", "foot", "forearm", "hand")}
    longer, place = halved(motion, bones)
    order = list(range(longer.skeleton.num_joints))
    if not named:
        longer, order = anonymous(longer, seed=3)
    found = find_anatomy_in_clip(longer).joints
    for role, joint in joints.items():
        assert order[found[role]] == place[joint], role


def test_a_bare_skeleton_tells_its_sides_by_its_toes() -> None:
    skeleton = human_skeleton()
    for seed in range(4):
        pose = Motion(skeleton, np.zeros((1, 3)), np.tile(quaternion.IDENTITY, (1, skeleton.num_joints, 1)), 0.1)
        nameless, order = anonymous(pose, seed=seed)
        found = find_anatomy(nameless.skeleton).joints
        assert {role: order[joint] for role, joint in found.items()} == dict(find_anatomy(skeleton).joints)


def test_a_knee_that_bends_is_the_knee() -> None:
    """Of two joints that could be the knee by name, the clip shows the one that bends."""
    person = human_skeleton()
    names = [*person.joint_names, "LeftLegLower"]
    foot, knee = person.joint_index("LeftFoot"), person.joint_index("LeftLeg")
    order = [*range(knee + 1), len(names) - 1, *range(foot, len(names) - 1)]
    parents, offsets = [*person.parents.tolist(), knee], np.concatenate([person.offsets, [[0.0, -0.03, 0.0]]])
    parents[foot] = len(names) - 1
    place = np.argsort(order)
    skeleton = Skeleton(
        tuple(names[joint] for joint in order), np.array([-1, *place[np.array(parents)[order[1:]]]]), offsets[order]
    )
    angles = np.zeros((30, len(order), 3))
    angles[:, place[len(names) - 1], 0] = np.linspace(0.0, 1.0, 30)
    clip = Motion(skeleton, np.zeros((30, 3)), quaternion.from_rotation_vector(angles), 0.1)
    assert skeleton.joint_names[find_anatomy_in_clip(clip).joints["left_shin"]] == "LeftLegLower"


def test_what_is_known_of_a_skeleton_stays_with_the_copy() -> None:
    skeleton = human_skeleton()
    plain = find_anatomy(skeleton)
    turned = find_anatomy(quadruped_skeleton())
    known = with_anatomy(skeleton, turned)
    assert find_anatomy(known) is turned and find_anatomy(skeleton) is plain and known.allclose(skeleton)


def test_animals() -> None:
    for skeleton in (quadruped_skeleton(), quadruped_skeleton(spine=2, neck=1, tail=0, toes=3, hind=3)):
        anatomy, children = find_anatomy(skeleton), skeleton.children
        assert anatomy.is_human and len(anatomy.joints) == 20
        assert anatomy.joints["pelvis"] == 0 and len(children[anatomy.joints["chest"]]) == 3
        where = np.zeros((skeleton.num_joints, 3))
        for joint in range(1, skeleton.num_joints):
            where[joint] = where[skeleton.parents[joint]] + skeleton.offsets[joint]
        assert (
            stands_on_four(anatomy, where) and where[anatomy.joints["left_hand"], 0] > 0 > where[anatomy.joints["right_foot"], 0]
        )
    assert not stands_on_four(find_anatomy(human_skeleton()), np.zeros((5, human_skeleton().num_joints, 3))).any()
