from __future__ import annotations

import importlib

import numpy as np
import pytest

from kinematics.forward import forward_kinematics
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.standardize import standardize
from kinematics.testing import assert_quats_close
from retarget import RetargetError
from retarget.rest_pose import find_rest_pose, zero_pose_frame

X, Y, Z = np.eye(3)


def posed_zero(person, **turns: np.ndarray) -> Motion:
    """Make the skeleton whose zero pose is the person's T-pose with some parts turned by global rotation vectors."""
    skeleton, joints = person.skeleton, person.skeleton.num_joints
    angles = np.zeros((1, joints, 3))
    for part, vector in turns.items():
        angles[0, person.parts[part]] = vector
    motion = Motion(skeleton, np.zeros((1, 3)), quaternion.from_rotation_vector(angles), 0.1)
    seen = forward_kinematics(motion)
    where, ends = seen.global_positions[0], seen.end_site_positions[0]
    offsets = np.where((skeleton.parents >= 0)[:, None], where - where[skeleton.parents], 0.0)
    return skeleton.with_offsets(offsets, ends - where[skeleton.end_site_parents])


def bone(rest, person, part: str, tip: str) -> np.ndarray:
    step = rest.global_positions[person.parts[tip]] - rest.global_positions[person.parts[part]]
    return step / np.linalg.norm(step)


def test_a_t_pose_is_its_own_rest_pose(bodies) -> None:
    person = bodies.person()
    rest = find_rest_pose(person.skeleton)
    assert rest.origin == "zero pose" and rest.is_certain
    np.testing.assert_array_equal(rest.zero_up, Y)
    still = np.tile(quaternion.IDENTITY, (person.skeleton.num_joints, 1))
    assert_quats_close(rest.global_rotations, still, atol_radians=0.06)  # the shins lean back by 0.05 rad
    offsets = person.skeleton.offsets
    np.testing.assert_allclose(np.linalg.norm(np.diff(rest.global_positions[:2], axis=0)), np.linalg.norm(offsets[1]))


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_body_stands_straight(bodies, seed: int | None) -> None:
    person = bodies.person("SMPL", seed=seed)
    rest = find_rest_pose(
        posed_zero(person, left_thigh=0.3 * Z, right_thigh=-0.3 * Z, left_upper_arm=-0.8 * Z, right_forearm=0.4 * Y)
    )
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        for part, tip in (("thigh", "shin"), ("shin", "foot")):
            np.testing.assert_allclose(bone(rest, person, side + part, side + tip), -Y, atol=1e-12)
        for part, tip in (("upper_arm", "forearm"), ("forearm", "hand")):
            np.testing.assert_allclose(bone(rest, person, side + part, side + tip), sign * X, atol=1e-12)
        toes = bone(rest, person, side + "foot", side + "toe")
        assert abs(toes[0]) < 1e-12 and toes[2] > 0.5


@pytest.mark.parametrize("down", [0.5, 1.0, 0.5 * np.pi])
def test_hanging_arms_keep_their_twist(bodies, down: float) -> None:
    """Arms raised from the thighs into the T turn about the forward axis alone, so palms that faced the body face down."""
    person = bodies.person()
    rest = find_rest_pose(posed_zero(person, left_upper_arm=-down * Z, right_upper_arm=down * Z))
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        for part in ("upper_arm", "forearm", "hand"):
            raised = quaternion.from_axis_angle(Z, sign * down)
            assert_quats_close(rest.global_rotations[person.parts[side + part]], raised, atol_radians=1e-9)


@pytest.mark.parametrize(
    "axes", [np.diag([1.0, 1.0, 1.0]), np.array([X, -Z, Y]).T, np.array([-X, Z, Y]).T, np.array([Z, X, Y]).T]
)
def test_the_zero_poses_own_axes_do_not_matter(bodies, axes: np.ndarray) -> None:
    """The body may stand along Z, face any way: the frame is found from hips, shoulders and legs."""
    assert np.linalg.det(axes) > 0
    person = bodies.person()
    skeleton = person.skeleton.with_offsets(person.skeleton.offsets @ axes.T, person.skeleton.end_site_offsets @ axes.T)
    np.testing.assert_allclose(zero_pose_frame(skeleton), axes, atol=1e-12)
    rest, plain = find_rest_pose(skeleton), find_rest_pose(person.skeleton)
    np.testing.assert_allclose(rest.global_positions, plain.global_positions, atol=1e-12)


def test_bones_along_one_axis_are_no_pose(bodies) -> None:
    person = bodies.person()
    walk = bodies.reorient(person.walk(), bodies.frames_along_x(person))
    assert zero_pose_frame(walk.skeleton) is None
    rest = find_rest_pose(walk.skeleton)
    assert rest.origin == "bone directions" and not rest.is_certain and rest.zero_up is None
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        np.testing.assert_allclose(bone(rest, person, side + "thigh", side + "shin"), -Y, atol=1e-12)
        np.testing.assert_allclose(bone(rest, person, side + "forearm", side + "hand"), sign * X, atol=1e-12)
    hips = rest.global_positions[person.parts["left_thigh"]] - rest.global_positions[person.parts["right_thigh"]]
    assert hips[0] > 0.15


@pytest.mark.parametrize("seed", range(3))
def test_a_clip_tells_what_the_zero_pose_hides(bodies, seed: int) -> None:
    """Knees and elbows that bend tell the twist of the limbs to a fraction of a degree, whatever the joint frames."""
    person = bodies.person(seed=seed)
    frames = bodies.random_frames(person.skeleton.num_joints, seed)
    clip = bodies.reorient(person.walk(turn=-1.5), frames)
    rest, truth = find_rest_pose(clip.skeleton, forward_kinematics(clip)), find_rest_pose(person.skeleton)
    assert rest.origin == "clip"
    back = quaternion.multiply(rest.global_rotations, quaternion.inverse(frames))
    errors = np.degrees(quaternion.angle_between(back, truth.global_rotations))
    for side in ("left_", "right_"):
        for part in ("thigh", "shin", "upper_arm", "forearm"):
            assert errors[person.parts[side + part]] < 1.0
    assert errors[person.parts["pelvis"]] < 4.0 and errors[person.parts["chest"]] < 12.0


def test_real_clips_tell_nearly_what_their_zero_poses_say(shared_data, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the zero pose hidden, the clip alone gives pelvis, chest and legs within a few degrees."""
    module = importlib.import_module("retarget.rest_pose")
    errors: dict[str, list[float]] = {}
    for name in (
        "cmu_cgspeed/01_01",
        "cmu_3dsmax/jumping_jacks_cut",
        "cmu_daz/02_01",
        "games105/walk60",
        "fair1/dab",
        "pybvh/bvh_test1",
    ):
        motion = standardize(load_motion(shared_data / f"{name}.bvh")[1:]).motion
        truth = module.find_rest_pose(motion.skeleton)
        with monkeypatch.context() as hidden:
            hidden.setattr(module, "zero_pose_frame", lambda skeleton: None)
            rest = module.find_rest_pose(motion.skeleton, forward_kinematics(motion))
        away = np.degrees(quaternion.angle_between(rest.global_rotations, truth.global_rotations))
        for role, joint in module.find_anatomy(motion.skeleton).joints.items():
            errors.setdefault(role, []).append(float(away[joint]))
    for role, limit in (("pelvis", 10.0), ("chest", 10.0), ("left_thigh", 6.0), ("right_shin", 4.0), ("left_foot", 12.0)):
        assert max(errors[role]) < limit, role


def test_toes_that_point_backwards_are_refused(bodies) -> None:
    skeleton = bodies.person().skeleton
    flipped = skeleton.with_offsets(skeleton.offsets * [1.0, 1.0, -1.0], skeleton.end_site_offsets * [1.0, 1.0, -1.0])
    with pytest.raises(RetargetError, match=r"backwards.*mirror"):
        find_rest_pose(flipped)
