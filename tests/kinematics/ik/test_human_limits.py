"""The range of motion of a human, whatever the names and the zero pose."""

from dataclasses import replace

import numpy as np
import pytest

from kinematics import load_motion
from kinematics.anatomy import find_anatomy
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.ik.human import human_limits
from kinematics.ik.limits import EulerBox, SwingTwist, clamp, limit_violations
from kinematics.ik.neutral import find_neutral_pose
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_skeleton

X, Y, Z = np.eye(3)
DEGREE = np.pi / 180.0


def turn(axis, degrees):
    return quaternion.from_axis_angle(axis, degrees * DEGREE)


def posed(skeleton, **turned):
    """The T-pose with some joints turned; each in its own frame, which is the world's."""
    local = np.tile(quaternion.IDENTITY, (skeleton.num_joints, 1))
    for name, rotation in turned.items():
        local[skeleton.joint_index(name)] = rotation
    return Pose(skeleton, np.zeros(3), local)


def violated(pose, limits):
    """Degrees by which each limit is exceeded, by joint, where it is."""
    found = dict(zip(limits, limit_violations(pose, limits), strict=True))
    return {name: float(radians / DEGREE) for name, radians in found.items() if radians > 0.0}


def with_other_frames(motion, rng):
    """The same motion of a skeleton whose joints have other axes, so that its zero pose is none."""
    skeleton = motion.skeleton
    frames = quaternion.normalize(rng.normal(size=(skeleton.num_joints, 4)))
    above = np.where(skeleton.parents[:, None] < 0, quaternion.IDENTITY, frames[skeleton.parents])
    offsets = quaternion.rotate(quaternion.inverse(above), skeleton.offsets)
    ends = quaternion.rotate(quaternion.inverse(frames[skeleton.end_site_parents]), skeleton.end_site_offsets)
    local = quaternion.multiply(quaternion.inverse(above), quaternion.multiply(motion.local_rotations, frames))
    other = skeleton.with_offsets(offsets, ends).with_layout(None)
    return Motion(other, motion.root_positions, local, motion.frame_time), frames


ALLOWED = [
    {},
    {"LeftLeg": turn(X, 140.0), "LeftUpLeg": turn(X, -110.0)},  # a squat
    {"RightUpLeg": turn(X, 25.0), "RightFoot": turn(X, 45.0), "RightToe": turn(X, -60.0)},  # pushing off
    {"LeftArm": turn(Z, -90.0), "RightArm": turn(Z, 90.0)},  # arms hanging
    {"LeftArm": turn(Z, 85.0), "RightArm": turn(Z, -85.0)},  # arms up
    {"LeftArm": turn(Y, -90.0), "RightArm": turn(Y, 120.0)},  # arms ahead, across
    {"LeftForeArm": turn(Y, -140.0), "RightForeArm": turn(Y, 140.0)},  # elbows bent
    {"LeftForeArm": turn(X, 75.0), "RightForeArm": turn(X, -75.0)},  # forearms turned
    {"Spine": turn(X, 60.0), "Head": turn(Y, 50.0), "Neck": turn(X, 30.0)},
    {"LeftUpLeg": turn(Z, 40.0), "RightUpLeg": turn(Z, -40.0)},  # straddled
]
BEYOND = [
    ("LeftLeg", turn(X, -40.0), 20.0),  # a knee that bends ahead: 10, and 10 of margin
    ("RightLeg", turn(X, 175.0), 15.0),
    ("LeftLeg", turn(Z, 35.0), 15.0),
    ("LeftForeArm", turn(Y, 50.0), 30.0),  # an elbow that bends back
    ("RightForeArm", turn(Y, -50.0), 30.0),
    ("LeftUpLeg", turn(X, 70.0), 30.0),
    ("LeftUpLeg", turn(Z, -70.0), 30.0),  # adduction
    ("RightUpLeg", turn(Z, 70.0), 30.0),
    ("RightUpLeg", turn(Z, -75.0), 20.0),  # abduction
    ("LeftFoot", turn(X, -70.0), 20.0),
    ("LeftFoot", turn(Z, 40.0), 15.0),  # eversion
    ("RightFoot", turn(Z, 65.0), 20.0),  # inversion
    ("Head", turn(Y, 100.0), 30.0),
    ("Spine1", turn(X, -60.0), 20.0),
]


@pytest.mark.parametrize("turned", ALLOWED, ids=lambda turned: "+".join(turned) or "T-pose")
def test_what_people_do_is_allowed(turned):
    skeleton = human_skeleton()
    assert violated(posed(skeleton, **turned), human_limits(skeleton)) == {}


@pytest.mark.parametrize(("joint", "rotation", "degrees"), BEYOND)
def test_what_nobody_can_is_not(joint, rotation, degrees):
    skeleton = human_skeleton()
    found = violated(posed(skeleton, **{joint: rotation}), human_limits(skeleton))
    assert found == {joint: pytest.approx(degrees, abs=1e-6)}


def test_an_arm_does_not_go_straight_back():
    skeleton = human_skeleton()
    limits = human_limits(skeleton, margin=0.0)
    assert "LeftArm" in violated(posed(skeleton, LeftArm=turn(Y, 90.0)), limits)
    assert "RightArm" in violated(posed(skeleton, RightArm=turn(Y, -90.0)), limits)


def test_the_margin_widens_every_range():
    skeleton = human_skeleton()
    pose = posed(skeleton, LeftLeg=turn(X, -40.0))
    assert violated(pose, human_limits(skeleton, margin=0.0)) == {"LeftLeg": pytest.approx(30.0, abs=1e-6)}
    assert violated(pose, human_limits(skeleton, margin=30.0 * DEGREE)) == {}
    with pytest.raises(InputError, match="margin"):
        human_limits(skeleton, margin=-1.0)


def test_every_part_has_a_limit_and_the_root_has_none():
    skeleton = human_skeleton()
    limits = human_limits(skeleton)
    assert set(limits) == set(skeleton.joint_names[1:])
    assert isinstance(limits["LeftArm"], SwingTwist)
    assert isinstance(limits["LeftLeg"], EulerBox)


def test_both_sides_are_mirror_images():
    skeleton = human_skeleton()
    limits = human_limits(skeleton)
    rng = np.random.default_rng(0)
    for part in ("UpLeg", "Leg", "Foot", "Toe", "Shoulder", "Arm", "ForeArm", "Hand"):
        for vector in rng.normal(size=(8, 3)):
            left = posed(skeleton, **{f"Left{part}": quaternion.from_rotation_vector(vector)})
            right = posed(skeleton, **{f"Right{part}": quaternion.from_rotation_vector(vector * [1.0, -1.0, -1.0])})
            one, other = violated(left, limits), violated(right, limits)
            assert one.get(f"Left{part}", 0.0) == pytest.approx(other.get(f"Right{part}", 0.0), abs=1e-6)


def test_a_zero_pose_with_hanging_arms_or_z_up_has_the_same_limits():
    skeleton = human_skeleton()
    motion = Motion(skeleton, np.zeros((1, 3)), posed(skeleton).local_rotations[None], 1 / 30)
    hanging = posed(skeleton, LeftArm=turn(Z, -90.0), RightArm=turn(Z, 90.0))
    where = forward_kinematics(hanging)
    offsets = where.global_positions - np.where(skeleton.parents[:, None] < 0, 0.0, where.global_positions[skeleton.parents])
    ends = where.end_site_positions - where.global_positions[skeleton.end_site_parents]
    z_up = turn(X, 90.0)
    other = skeleton.with_offsets(quaternion.rotate(z_up, offsets), quaternion.rotate(z_up, ends))
    limits, others = human_limits(skeleton), human_limits(other)
    for degrees in (0.0, 60.0, 120.0, 170.0):
        bent = turn(X, degrees)  # the elbow, about the left axis
        elbow = posed(skeleton, LeftForeArm=turn(Y, -degrees), LeftLeg=bent)
        same = posed(other, LeftForeArm=turn(X, -degrees), LeftLeg=bent)
        assert violated(elbow, limits) == pytest.approx(violated(same, others), abs=1e-6)
    assert limit_violations(motion, limits).max() == 0.0


def test_names_do_not_matter():
    skeleton = human_skeleton()
    nameless = replace(skeleton, joint_names=tuple(f"j{k}" for k in range(skeleton.num_joints)), end_site_names=())
    limits, others = human_limits(skeleton), human_limits(nameless)
    index = {name: int(name[1:]) for name in others}
    assert find_anatomy(nameless).by_names is False
    assert {skeleton.joint_names[k] for k in index.values()} <= set(limits)
    assert len(others) >= 16
    for name, k in index.items():
        one, other = limits[skeleton.joint_names[k]].packed(), others[name].packed()
        assert one[0] == other[0]
        np.testing.assert_allclose(one[1], other[1], atol=1e-9)


def test_a_clip_shows_the_pose_that_a_zero_pose_does_not(clips):
    rng = np.random.default_rng(3)
    for name in ("walk", "squat", "wave"):
        motion = load_motion(clips / f"{name}_cmu.bvh")
        other, frames = with_other_frames(motion, rng)
        with pytest.raises(InputError, match="zero pose"):
            find_neutral_pose(other.skeleton)
        told, seen = find_neutral_pose(motion), find_neutral_pose(other)
        assert (told.origin, seen.origin) == ("zero pose", "clip")
        joints = [
            find_anatomy(motion.skeleton).joints[role]
            for role in ("pelvis", "left_thigh", "right_shin", "chest", "left_upper_arm")
        ]
        apart = quaternion.angle_between(quaternion.multiply(told.rotations, frames), seen.rotations)[joints]
        assert apart.max() < 30.0 * DEGREE, name
        limits = human_limits(other)
        assert (limit_violations(other, limits) > 0.0).mean() < 0.01, name


def test_the_neutral_pose_stands_with_hanging_arms(clips):
    for path in (clips / "walk_lafan1.bvh", clips / "wave_mixamo.bvh", clips / "run_cmu.bvh"):
        motion = load_motion(path)
        skeleton, joints = motion.skeleton, find_anatomy(motion.skeleton).joints
        neutral = find_neutral_pose(motion)
        steps = quaternion.rotate(neutral.rotations[skeleton.parents], skeleton.offsets)
        where = np.zeros((skeleton.num_joints, 3))
        for joint in range(1, skeleton.num_joints):
            where[joint] = where[skeleton.parents[joint]] + steps[joint]
        for side, left in (("left_", 1.0), ("right_", -1.0)):
            for part, tip in (("thigh", "shin"), ("shin", "foot"), ("upper_arm", "forearm"), ("forearm", "hand")):
                bone = where[joints[side + tip]] - where[joints[side + part]]
                np.testing.assert_allclose(bone / np.linalg.norm(bone), -Y, atol=1e-9)
            toe = where[joints[side + "toe"]] - where[joints[side + "foot"]]
            assert toe[2] > 0.5 * np.linalg.norm(toe)
            assert left * where[joints[side + "thigh"], 0] > left * where[joints["pelvis"], 0]


def test_clips_stay_in_the_human_range(clips):
    for path in sorted(clips.glob("*.bvh")):
        motion = load_motion(path)
        limits = human_limits(motion)
        found = limit_violations(motion, limits)
        assert (found == 0.0).mean() > 0.98, path.name
        assert found.max() < 10.0 * DEGREE, path.name
        if path.name.startswith("walk"):
            assert found.max() == 0.0, path.name
        assert limit_violations(clamp(motion, limits), limits).max() <= 1e-9


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("cmu_cgspeed/12_01_walk.bvh", 0.999),
        ("games105/walk60.bvh", 0.999),
        ("ground_truth/bvhtoolbox_walk01/walk01.bvh", 0.999),
        ("makehuman/walk1.bvh", 0.999),
        ("fair1/jumping.bvh", 0.99),
        ("cmu_3dsmax/jumping_jacks_cut.bvh", 0.99),
    ],
)
def test_foreign_clips_stay_in_the_human_range(shared_data, path, inside):
    motion = load_motion(shared_data / path)
    assert (limit_violations(motion, human_limits(motion)) == 0.0).mean() > inside


def test_no_body_no_limits():
    with pytest.raises(InputError, match="no human body"):
        human_limits(random_skeleton(0))
