"""Masses against the table by hand, uniform bones, and bodies that stand and fall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from kinematics import Motion, Skeleton, edit, find_anatomy, forward_kinematics, load_motion, standardize
from kinematics.body import measure_body
from kinematics.ik import mass
from kinematics.ik.mass import center_of_mass, segment_masses
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton

# de Leva (1996), table 4: mass of men and of women in percent.
HEAD, TRUNK, UPPER_ARM, FOREARM = (6.94, 6.68), (43.46, 42.57), (2.71, 2.55), (1.62, 1.38)
HAND, THIGH, SHANK, FOOT = (0.61, 0.56), (14.16, 14.78), (4.33, 4.81), (1.37, 1.29)


def share(*segments: tuple[float, float]) -> float:
    return sum(men + women for men, women in segments) / 200.0


def at_rest(skeleton: Skeleton, frames: int = 1) -> Motion:
    identity = np.tile([1.0, 0.0, 0.0, 0.0], (frames, skeleton.num_joints, 1))
    return Motion(skeleton, np.zeros((frames, 3)), identity, 1 / 30)


def without(skeleton: Skeleton, *words: str) -> Skeleton:
    """Take the named leaf joints away, and leave no end sites in their place."""
    kept = [joint for joint, name in enumerate(skeleton.joint_names) if not any(word in name for word in words)]
    new = {joint: index for index, joint in enumerate(kept)}
    ends = [end for end, parent in enumerate(skeleton.end_site_parents.tolist()) if parent in new]
    return Skeleton(
        joint_names=tuple(skeleton.joint_names[joint] for joint in kept),
        parents=np.array([new.get(int(skeleton.parents[joint]), -1) for joint in kept]),
        offsets=skeleton.offsets[kept],
        end_site_parents=np.array([new[int(skeleton.end_site_parents[end])] for end in ends], dtype=np.int64),
        end_site_offsets=skeleton.end_site_offsets[ends].reshape(-1, 3),
    )


def check_shares(skeleton: Skeleton) -> None:
    masses, centers = segment_masses(skeleton)
    assert masses.shape == (skeleton.num_joints,) and centers.shape == (skeleton.num_joints, 3)
    assert masses.min() >= 0.0 and np.isfinite(centers).all()
    assert masses.sum() == pytest.approx(1.0, abs=1e-14)
    assert not centers[masses == 0.0].any()


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(0, 5))
def test_uniform_bones_of_a_random_skeleton(seed: int, num_joints: int, num_ends: int) -> None:
    skeleton = random_skeleton(seed, num_joints=num_joints, num_end_sites=num_ends)
    check_shares(skeleton)
    motion = random_motion(skeleton, seed, num_frames=3)
    found = forward_kinematics(motion)
    starts = np.concatenate([skeleton.parents[1:], skeleton.end_site_parents])
    tips = np.concatenate([found.global_positions[:, 1:], found.end_site_positions], axis=1)
    middles = 0.5 * (found.global_positions[:, starts] + tips)
    lengths = np.linalg.norm(tips[0] - found.global_positions[0, starts], axis=-1)
    expected = motion.root_positions
    if lengths.sum() > 0.0:
        expected = np.einsum("b,fbc->fc", lengths, middles) / lengths.sum()
    np.testing.assert_allclose(center_of_mass(motion), expected, atol=1e-12)


def test_a_chain_by_hand() -> None:
    chain = Skeleton(("a", "b", "c"), np.array([-1, 0, 1]), np.array([[9.0, 9, 9], [3, 0, 0], [0, 1, 0]]))
    masses, centers = segment_masses(chain)
    np.testing.assert_allclose(masses, [0.75, 0.25, 0.0])
    np.testing.assert_allclose(centers, [[1.5, 0, 0], [0, 0.5, 0], [0, 0, 0]])


@pytest.mark.parametrize("joints", [1, 4])
def test_without_bones_all_mass_is_at_the_root(joints: int) -> None:
    names = tuple(f"j{index}" for index in range(joints))
    skeleton = Skeleton(names, np.arange(-1, joints - 1), np.zeros((joints, 3)))
    masses, centers = segment_masses(skeleton)
    np.testing.assert_array_equal(masses, np.eye(joints)[0])
    assert not centers.any()


def test_a_person_by_the_table() -> None:
    """The T-pose of Winter's body: each segment's mass, and its centre on the line between its ends."""
    skeleton = human_skeleton(2.0)
    masses, centers = segment_masses(skeleton)
    total = share(HEAD, TRUNK, *2 * (UPPER_ARM, FOREARM, HAND, THIGH, SHANK, FOOT))
    assert total == pytest.approx(1.0, abs=1e-3)
    where = {name: index for index, name in enumerate(skeleton.joint_names)}
    for side, left in (("Left", 1.0), ("Right", -1.0)):
        rows = [where[side + part] for part in ("UpLeg", "Leg", "Arm", "ForeArm", "Hand")]
        np.testing.assert_allclose(masses[rows] * total, [share(s) for s in (THIGH, SHANK, UPPER_ARM, FOREARM, HAND)], rtol=1e-12)
        np.testing.assert_allclose(centers[rows[:2], 1], [-0.38535 * 0.49, -0.43735 * 0.492], rtol=1e-12)
        np.testing.assert_allclose(left * centers[rows[2:], 0], [0.5763 * 0.372, 0.45665 * 0.292, 0.35255 * 0.216], rtol=1e-12)
        foot = masses[[where[side + "Foot"], where[side + "Toe"]]]
        assert foot.sum() * total == pytest.approx(share(FOOT)) and foot[0] > foot[1] > 0.0
        assert masses[where[side + "Shoulder"]] == 0.0
    trunk, head = ([where[name] for name in names] for names in (("Hips", "Spine", "Spine1"), ("Neck", "Head")))
    heights = np.cumsum([0.0, 0.2, 0.2, 0.22, 0.1])  # of Hips, Spine, Spine1, Neck, Head
    for rows, mass_of, center in ((trunk, TRUNK, 0.4949 * 0.62), (head, HEAD, 0.62 + 0.50785 * 0.32)):
        assert masses[rows].sum() * total == pytest.approx(share(mass_of))
        assert np.average(
            heights[np.array(rows) if rows == trunk else [3, 4]] + centers[rows, 1], weights=masses[rows]
        ) == pytest.approx(center)


def test_names_are_not_needed() -> None:
    skeleton = human_skeleton()
    nameless = replace(skeleton, joint_names=tuple(f"j{index}" for index in range(skeleton.num_joints)))
    assert find_anatomy(nameless).is_human and not find_anatomy(nameless).by_names
    for found, expected in zip(segment_masses(nameless), segment_masses(skeleton), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_left_and_right_are_alike() -> None:
    skeleton = human_skeleton()
    masses, centers = segment_masses(skeleton)
    mirror = list(find_anatomy(skeleton).mirror)
    assert mirror != list(range(skeleton.num_joints))
    np.testing.assert_allclose(masses[mirror], masses, rtol=1e-12)
    np.testing.assert_allclose(centers[mirror] * [-1, 1, 1], centers, atol=1e-12)


@pytest.mark.parametrize("body", ["cmu", "lafan1", "mixamo"])
def test_left_and_right_of_clips_are_alike(body: str, clips: Path) -> None:
    skeleton = load_motion(clips / f"walk_{body}.bvh").skeleton
    masses, _ = segment_masses(skeleton)
    np.testing.assert_allclose(masses[list(find_anatomy(skeleton).mirror)], masses, rtol=0.02, atol=1e-12)
    check_shares(skeleton)


@pytest.mark.parametrize("skeleton", [human_skeleton(), random_skeleton(3)], ids=["human", "tree"])
@pytest.mark.parametrize("scale", [0.01, 39.37])
def test_masses_do_not_scale_and_centers_do(skeleton: Skeleton, scale: float) -> None:
    masses, centers = segment_masses(skeleton)
    scaled = skeleton.with_offsets(scale * skeleton.offsets, scale * skeleton.end_site_offsets)
    scaled_masses, scaled_centers = segment_masses(scaled)
    np.testing.assert_allclose(scaled_masses, masses, rtol=1e-12)
    np.testing.assert_allclose(scaled_centers, scale * centers, rtol=1e-9, atol=1e-15 * scale)


@given(st.integers(0, 10_000))
def test_moves_with_the_body(seed: int) -> None:
    rng = np.random.default_rng(seed)
    motion = random_motion(human_skeleton(), seed, num_frames=4)
    turn, shift = quaternion.normalize(rng.normal(size=4)), rng.normal(size=3)
    rotations = np.array(motion.local_rotations)
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    moved = motion.with_local_rotations(rotations).with_root_positions(quaternion.rotate(turn, motion.root_positions) + shift)
    np.testing.assert_allclose(center_of_mass(moved), quaternion.rotate(turn, center_of_mass(motion)) + shift, atol=1e-12)


@pytest.mark.parametrize(
    "above", ["LeftLeg", "LeftFoot", "LeftToe", "RightForeArm", "RightHand", "Spine", "Spine1", "Neck", "Head", "LeftShoulder"]
)
def test_a_bone_in_two_weighs_the_same(above: str) -> None:
    motion = random_motion(human_skeleton(), 7)
    split = edit.insert_joint(motion, "Between", above=above, fraction=0.3)
    assert find_anatomy(split.skeleton).is_human
    np.testing.assert_allclose(center_of_mass(split), center_of_mass(motion), atol=1e-12)
    part = split.skeleton.joint_index("Between")
    masses, _ = segment_masses(split.skeleton)
    assert masses[part] > 0.0 or above == "LeftShoulder"


def test_a_joint_of_no_length_has_no_mass() -> None:
    motion = random_motion(human_skeleton(), 7)
    split = edit.insert_joint(motion, "LeftArmTwist", above="LeftArm", fraction=1.0)
    skeleton = split.skeleton
    offsets = np.array(skeleton.offsets)
    twist = skeleton.joint_index("LeftArmTwist")
    assert not offsets[skeleton.joint_index("LeftArm")].any()
    masses, _ = segment_masses(skeleton)
    assert masses[twist] == 0.0
    np.testing.assert_allclose(np.delete(masses, twist), segment_masses(motion.skeleton)[0], rtol=1e-12)


def test_fingers_share_the_hand() -> None:
    skeleton = human_skeleton()
    hand = skeleton.joint_index("LeftHand")
    keep = skeleton.end_site_parents != hand
    fingers = [[0.1, 0.0, 0.03 * spread] for spread in (-1, 0, 1)]
    fingered = Skeleton(
        (*skeleton.joint_names, *(f"LeftHand{finger}1" for finger in ("Index", "Middle", "Ring"))),
        np.append(skeleton.parents, [hand] * 3),
        np.concatenate([skeleton.offsets, fingers]),
        np.append(skeleton.end_site_parents[keep], np.arange(3) + skeleton.num_joints),
        np.concatenate([skeleton.end_site_offsets[keep], [[0.08, 0.0, 0.0]] * 3]),
    )
    assert find_anatomy(fingered).is_human
    masses, centers = segment_masses(fingered)
    plain, _ = segment_masses(skeleton)
    assert masses[hand] + masses[-3:].sum() == pytest.approx(plain[hand], rel=1e-12)
    np.testing.assert_allclose(masses[-3:], masses[-2], rtol=0.1)  # the one straight ahead reaches less far
    assert masses[-3] == pytest.approx(masses[-1], rel=1e-12)
    assert masses[hand] > masses[-3:].sum()  # the palm
    assert centers[hand, 2] == pytest.approx(0.0, abs=1e-12)


def test_missing_hands_and_head_leave_their_mass_to_the_body() -> None:
    whole = human_skeleton()
    handless = without(whole, "Hand")
    assert find_anatomy(handless).is_human and "left_hand" not in find_anatomy(handless).joints
    masses, _ = segment_masses(handless)
    check_shares(handless)
    forearm, thigh = handless.joint_index("LeftForeArm"), handless.joint_index("LeftUpLeg")
    assert masses[forearm] / masses[thigh] == pytest.approx(share(FOREARM, HAND) / share(THIGH))
    headless = without(whole, "Head", "Neck")
    assert find_anatomy(headless).is_human and "head" not in find_anatomy(headless).joints
    check_shares(headless)
    masses, centers = segment_masses(headless)
    trunk, thigh = [headless.joint_index(name) for name in ("Hips", "Spine", "Spine1")], headless.joint_index("LeftUpLeg")
    assert masses[trunk].sum() / masses[thigh] == pytest.approx(share(TRUNK, HEAD) / share(THIGH))
    assert 0.0 < centers[trunk[2], 1] < 0.08 * 1.75  # no higher than the shoulders


def test_segments_without_length_are_points() -> None:
    """Hands and feet without anything below them stay where their joint is."""
    bare = replace(
        human_skeleton(), end_site_parents=np.zeros(0, dtype=np.int64), end_site_offsets=np.zeros((0, 3)), end_site_names=()
    )
    check_shares(bare)
    masses, centers = segment_masses(bare)
    hand, thigh = bare.joint_index("LeftHand"), bare.joint_index("LeftUpLeg")
    assert masses[hand] / masses[thigh] == pytest.approx(share(HAND) / share(THIGH)) and not centers[hand].any()
    point = bare.with_offsets(np.zeros_like(bare.offsets))
    check_shares(point)
    np.testing.assert_allclose(center_of_mass(at_rest(point)), 0.0, atol=1e-15)


def test_the_legs_may_hang_beside_the_spine() -> None:
    """Root above both pelvis and spine, as MakeHuman has it: the trunk goes up to the root and down again, and weighs the same."""
    skeleton = human_skeleton()
    order = ["Hips", *(name for name in skeleton.joint_names if name != "Hips")]
    parents = {
        name: skeleton.joint_names[parent] for name, parent in zip(skeleton.joint_names[1:], skeleton.parents[1:], strict=True)
    }
    parents |= {"Hips": "Root", "Spine": "Root"}
    names = ["Root", *order]
    offsets = {name: np.array(skeleton.offsets[skeleton.joint_index(name)]) for name in order}
    offsets |= {"Root": np.zeros(3), "Hips": np.array([0.0, -0.06, 0.0]), "Spine": np.array([0.0, 0.075, 0.0])}
    for thigh in ("LeftUpLeg", "RightUpLeg"):
        offsets[thigh][1] = -0.04  # in all 0.1 below the root, and the spine 0.175 above them, as it was
    other = Skeleton(
        tuple(names),
        np.array([-1] + [names.index(parents[name]) for name in names[1:]]),
        np.array([offsets[name] for name in names]),
        skeleton.end_site_parents + 1,
        skeleton.end_site_offsets,
    )
    assert find_anatomy(other).joints["pelvis"] == 1
    masses, _ = segment_masses(other)
    assert masses[0] > 0.0 and masses[1] > 0.0
    expected = center_of_mass(at_rest(skeleton)) + [0.0, -0.1, 0.0]
    np.testing.assert_allclose(center_of_mass(at_rest(other)), expected, atol=1e-12)


def test_pose_clip_and_no_frames(clips: Path) -> None:
    motion = load_motion(clips / "walk_lafan1.bvh")
    before = np.array(motion.local_rotations)
    found = center_of_mass(motion)
    assert found.shape == (motion.num_frames, 3)
    np.testing.assert_allclose(center_of_mass(motion[3]), found[3], atol=1e-12)
    assert center_of_mass(motion[:0]).shape == (0, 3)
    np.testing.assert_array_equal(motion.local_rotations, before)
    with pytest.raises((TypeCheckError, ValueError)):
        center_of_mass(found)  # type: ignore[arg-type]


def share_of_height(motion: Motion) -> float:
    """Height of the first frame's centre of mass above the soles, as a share of the stature."""
    found = forward_kinematics(motion[0])
    floor = min(found.global_positions[:, 1].min(), found.end_site_positions[:, 1].min())
    return float((center_of_mass(motion[0])[1] - floor) / measure_body(motion).height)


def above_the_feet(motion: Motion) -> bool:
    """Whether the first frame's centre of mass is over the ground between heels and toes, give or take 5 cm."""
    joints, found = find_anatomy(motion.skeleton).joints, forward_kinematics(motion[0])
    feet = [joint for role, joint in joints.items() if role.endswith(("foot", "toe"))]
    ends = np.isin(motion.skeleton.end_site_parents, feet)
    ground = np.concatenate([found.global_positions[feet], found.end_site_positions[ends]])[:, [0, 2]]
    center = center_of_mass(motion[0])[[0, 2]]
    return bool((ground.min(axis=0) - 0.05 <= center).all() and (center <= ground.max(axis=0) + 0.05).all())


@pytest.mark.parametrize("clip", ["squat", "walk", "wave", "turn"])
def test_a_standing_body(clip: str, clips: Path) -> None:
    """Also: one body on three skeletons (CMU doubles the neck, Mixamo has fingers) has one centre of mass."""
    motions = [standardize(load_motion(clips / f"{clip}_{body}.bvh")).motion for body in ("lafan1", "cmu", "mixamo")]
    for motion in motions:
        assert 0.53 < share_of_height(motion) < 0.58
        assert above_the_feet(motion)
    first, *others = [center_of_mass(motion) for motion in motions]
    for other in others:
        step = (len(other) - 1) // (len(first) - 1)  # 60 and 30 frames a second
        np.testing.assert_allclose(other[::step], first, atol=0.005)


@pytest.mark.parametrize(
    "clip", ["cmu_cgspeed/01_01", "cmu_3dsmax/01_01", "cmu_daz/02_01", "fair1/dab", "games105/walk60", "makehuman/tpose", "makehuman/walk1", "pybvh/bvh_test1"]
)  # fmt: skip
def test_a_standing_body_of_others(clip: str, shared_data: Path) -> None:
    motion = standardize(load_motion(shared_data / f"{clip}.bvh")).motion
    check_shares(motion.skeleton)
    assert 0.5 < share_of_height(motion) < 0.6
    if clip != "cmu_3dsmax/01_01":  # whose first frame is a T-pose that leans
        assert above_the_feet(motion)


def test_a_jumping_body_falls_freely(shared_data: Path) -> None:
    """Between take-off and landing the centre of mass has gravity's acceleration, which the hips have not."""
    motion = standardize(load_motion(shared_data / "fair1" / "jumping.bvh")).motion[301:334]
    seconds = np.arange(motion.num_frames) * motion.frame_time
    fitted = [2.0 * np.polyfit(seconds, height, 2)[0] for height in (center_of_mass(motion)[:, 1], motion.root_positions[:, 1])]
    assert fitted[0] == pytest.approx(-9.81, rel=0.06)
    assert fitted[1] < -11.5


def test_the_table_is_a_whole_body() -> None:
    limbs = (mass.UPPER_ARM, mass.FOREARM, mass.HAND, mass.THIGH, mass.SHANK, mass.FOOT)
    assert mass.HEAD.mass + mass.TRUNK.mass + 2.0 * sum(limb.mass for limb in limbs) == pytest.approx(1.0, abs=1e-4)
    for segment in (*limbs, mass.HEAD, mass.TRUNK, mass.TRUNK_AND_HEAD, mass.FOREARM_AND_HAND):
        assert 1 / 3 < segment.center < 2 / 3  # where the linear density is positive all along
