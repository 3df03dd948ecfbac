"""The meshes of bodies: closed, outwards, of a size, on the floor, facing ahead, for every kind of skeleton."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kinematics import Motion, Skeleton, find_anatomy, forward_kinematics, load_motion, standardize
from kinematics.contacts import foot_contacts
from kinematics.frames import heading
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton
from kinematics.viewer.body import COLOURS, Body, Part, make_body

DIALECTS = ("cmu", "lafan1", "mixamo")


def still(skeleton: Skeleton, *, frames: int = 3, root: tuple[float, float, float] | None = None) -> Motion:
    at = skeleton.offsets[0] if root is None else np.array(root)
    return Motion(skeleton, np.tile(at, (frames, 1)), np.tile([1.0, 0.0, 0.0, 0.0], (frames, skeleton.num_joints, 1)), 1 / 30)


def chain(length: int) -> Skeleton:
    return Skeleton(
        tuple(f"link{index}" for index in range(length)), np.arange(length) - 1, np.tile([0.0, 0.1, 0.0], (length, 1))
    )


def dog_skeleton(*, tail: bool = True) -> Skeleton:
    joints: list[tuple[str, str, tuple[float, float, float]]] = [
        ("Hips", "", (0.0, 0.5, 0.0)),
        ("Spine", "Hips", (0.0, 0.02, 0.19)),
        ("Spine1", "Spine", (0.0, 0.0, 0.22)),
        ("Neck", "Spine1", (0.0, 0.08, 0.14)),
        ("Head", "Neck", (0.0, 0.12, 0.12)),
    ]
    ends = [("Head", (0.0, -0.03, 0.18))]
    for side, left in (("Left", 1.0), ("Right", -1.0)):
        joints += [
            (f"{side}Shoulder", "Spine1", (left * 0.05, 0.0, 0.06)),
            (f"{side}Arm", f"{side}Shoulder", (left * 0.02, -0.1, 0.03)),
            (f"{side}ForeArm", f"{side}Arm", (0.0, -0.16, -0.05)),
            (f"{side}Hand", f"{side}ForeArm", (0.0, -0.17, 0.02)),
            (f"{side}UpLeg", "Hips", (left * 0.06, -0.03, 0.0)),
            (f"{side}Leg", f"{side}UpLeg", (0.0, -0.17, 0.04)),
            (f"{side}Foot", f"{side}Leg", (0.0, -0.15, -0.09)),
        ]
        ends += [(f"{side}Hand", (0.0, -0.06, 0.04)), (f"{side}Foot", (0.0, -0.13, 0.03))]
    if tail:
        joints += [("Tail", "Hips", (0.0, 0.02, -0.08)), ("Tail1", "Tail", (0.0, -0.05, -0.14))]
        ends += [("Tail1", (0.0, -0.03, -0.15))]
    names = [name for name, _, _ in joints]
    return Skeleton(
        joint_names=tuple(names),
        parents=np.array([names.index(parent) if parent else -1 for _, parent, _ in joints]),
        offsets=np.array([offset for _, _, offset in joints]),
        end_site_parents=np.array([names.index(name) for name, _ in ends]),
        end_site_offsets=np.array([offset for _, offset in ends]),
    )


def flat_skeleton(joints: int, ends: int = 0) -> Skeleton:
    return Skeleton(
        tuple(f"j{index}" for index in range(joints)),
        np.arange(joints) - 1,
        np.zeros((joints, 3)),
        np.zeros(ends, dtype=np.int64),
        np.zeros((ends, 3)),
    )


MOTIONS = {
    "person": lambda: still(human_skeleton()),
    "moving person": lambda: random_motion(human_skeleton(), 5, smooth=True, num_frames=12),
    "stretched person": lambda: random_motion(human_skeleton(), 5, stretch=True, num_frames=12),
    "wild person": lambda: random_motion(human_skeleton(), 7, num_frames=5),
    "dog": lambda: still(dog_skeleton()),
    "chain": lambda: random_motion(chain(30), 1, smooth=True, num_frames=5),
    "long chain": lambda: still(chain(150)),
    "random": lambda: random_motion(random_skeleton(3, num_joints=40), 2, num_frames=4),
    "three": lambda: still(random_skeleton(4, num_joints=3)),
    "one joint": lambda: still(flat_skeleton(1)),
    "one joint, one end": lambda: still(random_skeleton(1, num_joints=1, num_end_sites=1)),
    "all in one point": lambda: still(flat_skeleton(5, 2)),
}


def assert_closed(part: Part) -> None:
    """Each edge is used once in each direction, each piece has a positive volume, and normals point outwards."""
    count = len(part.vertices)
    assert part.faces.min() == 0
    assert part.faces.max() == count - 1
    edges = np.concatenate([part.faces[:, [0, 1]], part.faces[:, [1, 2]], part.faces[:, [2, 0]]])
    forwards, backwards = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    assert len(np.unique(forwards)) == len(forwards)
    assert np.array_equal(np.sort(forwards), np.sort(backwards))
    pieces, label = connected_components(coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)))
    for piece in range(pieces):
        own = part.vertices[part.faces[label[part.faces[:, 0]] == piece]]
        own = own - own.mean(axis=(0, 1))
        assert np.sum(own[:, 0] * np.cross(own[:, 1], own[:, 2])) > 0.0
    assert np.isfinite(part.vertices).all()
    np.testing.assert_allclose(np.linalg.norm(part.normals, axis=-1), 1.0, atol=1e-9)
    corners = part.vertices[part.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    turned = np.sum(across * part.normals[part.faces].sum(axis=1), axis=-1)
    assert np.sum(np.linalg.norm(across, axis=-1)[turned < 0.0]) < 0.02 * np.sum(np.linalg.norm(across, axis=-1))


def placed(body: Body, motion: Motion, frame: int, *, joints: set[int] | None = None, paint: str = "") -> np.ndarray:
    """Vertices of a body in the world, of a clip in metres."""
    transforms = forward_kinematics(motion[frame])
    chosen = [p for p in body.parts if (joints is None or p.joint in joints) and paint in ("", p.paint)]
    return np.concatenate(
        [
            transforms.global_positions[p.joint] + quaternion.rotate(transforms.global_rotations[p.joint], p.vertices)
            for p in chosen
        ]
    )


@pytest.mark.parametrize("name", MOTIONS)
def test_every_part_is_closed_and_faces_outwards(name: str) -> None:
    motion = MOTIONS[name]()
    body = make_body(motion)
    assert body.skeleton is motion.skeleton
    assert body.height > 0.0
    assert len({(part.joint, part.paint) for part in body.parts}) == len(body.parts) > 0
    for part in body.parts:
        assert 0 <= part.joint < motion.skeleton.num_joints
        assert part.paint in COLOURS
        assert_closed(part)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_person_costs_few_faces_and_parts(clips: Path, dialect: str) -> None:
    motion = load_motion(clips / f"walk_{dialect}.bvh")
    body = make_body(motion, scale=0.01)
    assert body.kind == "human"
    assert sum(len(part.faces) for part in body.parts) < 10_000
    assert len(body.parts) < motion.skeleton.num_joints + 20
    for part in body.parts:
        assert_closed(part)


@pytest.mark.parametrize(("name", "kind"), [("person", "human"), ("dog", "animal"), ("chain", "prop"), ("one joint", "prop")])
def test_kinds(name: str, kind: str) -> None:
    assert make_body(MOTIONS[name]()).kind == kind


def test_a_crawling_person_is_a_person_and_a_dog_without_a_tail_a_dog() -> None:
    person = still(human_skeleton())
    lying = person.local_rotations.copy()
    lying[:, 0] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.5 * np.pi)
    assert make_body(person.with_local_rotations(lying)).kind == "human"
    assert make_body(still(dog_skeleton(tail=False))).kind == "animal"


def test_sizes_follow_the_scale_and_the_stature() -> None:
    small, large = make_body(still(human_skeleton(1.1))), make_body(still(human_skeleton(1.1)), scale=100.0)
    giant = make_body(still(human_skeleton(110.0)))
    for one, other, third in zip(small.parts, large.parts, giant.parts, strict=True):
        np.testing.assert_allclose(100.0 * one.vertices, other.vertices, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(third.vertices, other.vertices, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(one.normals, other.normals, atol=1e-9)
    assert large.height == pytest.approx(100.0 * small.height)


def test_a_person_is_as_large_as_a_person() -> None:
    motion = still(human_skeleton(1.75))
    corners = placed(make_body(motion), motion, 0)
    tall, wide, deep = np.ptp(corners[:, [1, 0, 2]], axis=0)
    assert tall == pytest.approx(1.75, rel=0.04)
    assert 1.9 < wide < 2.1  # arms stretched out
    assert 0.2 < deep < 0.35  # feet are the deepest


def test_left_is_on_the_left() -> None:
    motion = still(human_skeleton())
    body = make_body(motion)
    assert placed(body, motion, 0, paint="left")[:, 0].min() > -0.01
    assert placed(body, motion, 0, paint="right")[:, 0].max() < 0.01
    middle = placed(body, motion, 0, paint="middle")
    assert abs(middle[:, 0].max() + middle[:, 0].min()) < 1e-3


@pytest.mark.parametrize(("clip", "dialect"), [("walk", "cmu"), ("turn", "lafan1"), ("squat", "mixamo")])
def test_soles_lie_on_the_floor_where_feet_stand(clips: Path, clip: str, dialect: str) -> None:
    motion = _metres(load_motion(clips / f"{clip}_{dialect}.bvh"))
    body, anatomy = make_body(motion), find_anatomy(motion.skeleton)
    contacts = foot_contacts(motion)
    checked = 0
    for side, sign in (("left_", 1), ("right_", -1)):
        foot = anatomy.joints[side + "foot"]
        joints = {foot, *motion.skeleton.descendants(foot)}
        stands = np.flatnonzero(contacts.in_contact[:, contacts.sides == sign].all(axis=1))
        stands = stands[:: max(1, len(stands) // 8)]
        lowest = [float(placed(body, motion, int(frame), joints=joints)[:, 1].min()) for frame in stands]
        assert max(map(abs, lowest)) < 0.03
        assert abs(np.median(lowest)) < 0.012
        checked += len(lowest)
    assert checked


@pytest.mark.parametrize("dialect", DIALECTS)
def test_face_and_feet_point_ahead(clips: Path, dialect: str) -> None:
    motion = _metres(load_motion(clips / f"walk_{dialect}.bvh"))
    body, anatomy = make_body(motion), find_anatomy(motion.skeleton)
    ahead = heading(motion).directions
    head = {anatomy.joints["head"]}
    for frame in (10, 60, 110):
        skull = placed(body, motion, frame, joints=head, paint="middle").mean(axis=0)
        plate = placed(body, motion, frame, joints=head, paint="detail").mean(axis=0)
        assert (plate - skull) @ ahead[frame] > 0.02
        assert abs(plate[1] - skull[1]) < 0.03
    for side in ("left_", "right_"):
        foot = anatomy.joints[side + "foot"]
        joints = {foot, *motion.skeleton.descendants(foot)}
        behind, before = [], []
        for frame in range(0, motion.num_frames, motion.num_frames // 8):
            ankle = forward_kinematics(motion[frame]).global_positions[foot]
            along = (placed(body, motion, frame, joints=joints) - ankle) @ ahead[frame]
            behind.append(along.min())
            before.append(along.max())
        assert -0.12 < np.median(behind) < -0.04  # a heel
        assert 0.12 < np.median(before) < 0.28  # toes


def test_conventions_give_the_same_body(clips: Path) -> None:
    sizes = []
    for dialect in DIALECTS:
        motion = _metres(load_motion(clips / f"walk_{dialect}.bvh"))
        frame = int(1.0 / motion.frame_time)
        corners = placed(make_body(motion), motion, frame)
        sizes.append(np.concatenate([corners.min(axis=0), corners.max(axis=0)]) - np.tile(motion.root_positions[frame], 2))
    for one, other in pairwise(sizes):
        np.testing.assert_allclose(one, other, atol=0.04)


def test_the_world_axes_do_not_matter() -> None:
    upright = random_motion(human_skeleton(), 5, smooth=True, num_frames=12)
    turn = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.5 * np.pi)
    rotations = upright.local_rotations.copy()
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    z_up = Motion(upright.skeleton, quaternion.rotate(turn, upright.root_positions), rotations, upright.frame_time)
    for one, other in zip(make_body(upright).parts, make_body(z_up, up="Z").parts, strict=True):
        np.testing.assert_allclose(one.vertices, other.vertices, atol=1e-9)


def test_no_bone_from_the_floor_to_the_pelvis() -> None:
    person = human_skeleton()
    rooted = Skeleton(
        joint_names=("Reference", *person.joint_names),
        parents=np.concatenate([[-1], person.parents + 1]),
        offsets=np.concatenate([np.zeros((1, 3)), person.offsets]),
        end_site_parents=person.end_site_parents + 1,
        end_site_offsets=person.end_site_offsets,
    )
    body, plain = make_body(still(rooted)), make_body(still(person))
    assert all(part.joint > 0 for part in body.parts)
    for one, other in zip(body.parts, plain.parts, strict=True):
        assert (one.joint, one.paint) == (other.joint + 1, other.paint)
        np.testing.assert_allclose(one.vertices, other.vertices, atol=1e-9)


def test_stretched_bones_have_their_median_length() -> None:
    skeleton = human_skeleton()
    plain = still(skeleton)
    moved = np.tile(1.2 * skeleton.offsets, (3, 1, 1))
    moved[:, 0] = plain.root_positions
    stretched = Motion(skeleton, plain.root_positions, plain.local_rotations, plain.frame_time, moved)
    knee = skeleton.joint_index("LeftUpLeg")

    def thigh(motion: Motion) -> float:
        part = next(part for part in make_body(motion).parts if part.joint == knee and part.paint == "left")
        return float(np.ptp(part.vertices[:, 1]))

    assert thigh(stretched) == pytest.approx(1.2 * thigh(plain), rel=0.03)


def test_fingers_are_thin_and_each_hand_has_its_own(clips: Path) -> None:
    motion = load_motion(clips / "walk_mixamo.bvh")
    body = make_body(motion, scale=0.01)
    names = motion.skeleton.joint_names
    carried = {names[part.joint].split(":")[-1]: part for part in body.parts if part.paint in ("left", "right")}
    for name in ("LeftHandThumb1", "LeftHandIndex2", "LeftHandPinky3", "RightHandMiddle1"):
        assert sorted(np.ptp(carried[name].vertices, axis=0))[0] < 0.03
        assert len(carried[name].faces) < 100
    assert carried["LeftHandThumb1"].paint == "left"


def test_a_tail_is_drawn_and_small_helpers_are_not() -> None:
    person = human_skeleton()
    for length, drawn in ((0.5, True), (0.05, False)):
        grown = Skeleton(
            joint_names=(*person.joint_names, "Thing", "ThingEnd"),
            parents=np.concatenate([person.parents, [0, person.num_joints]]),
            offsets=np.concatenate([person.offsets, [[0.0, 0.0, -0.1], [0.0, 0.0, -length]]]),
            end_site_parents=person.end_site_parents,
            end_site_offsets=person.end_site_offsets,
        )
        assert any(part.joint == person.num_joints for part in make_body(still(grown)).parts) == drawn


def test_arguments_are_left_alone_and_results_are_the_same() -> None:
    motion = random_motion(human_skeleton(), 5, smooth=True, num_frames=6)
    before = motion.local_rotations.copy()
    first, second = make_body(motion), make_body(motion)
    np.testing.assert_array_equal(motion.local_rotations, before)
    for one, other in zip(first.parts, second.parts, strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)


def _metres(motion: Motion) -> Motion:
    """The project's own clips in metres, Y up."""
    return standardize(motion).motion
