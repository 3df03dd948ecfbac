"""Bodies from clips: they stand, weigh and turn as they should, and clips go there and back."""

from __future__ import annotations

import dataclasses
import pickle

import mujoco
import numpy as np
import pytest

from imitate.character import CharacterConfig, make_character, to_motion, to_qpos
from imitate.character.dynamics import tracking_times
from imitate.errors import ImitationError
from kinematics.errors import InputError
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.standardize import standardize
from kinematics.testing import anonymous, human_skeleton, quadruped_skeleton
from retarget.robots.axes import rotations_to_y_up, to_y_up

DEEPMIMIC = CharacterConfig(spine_joints=1, toes=False, hands=False, hinge_tolerance_degrees=20.0)


@pytest.fixture(scope="module")
def walk(walker):
    return walker.motion


@pytest.fixture(scope="module")
def body(walker):
    return walker.character


def standing(skeleton: Skeleton, height: float, frames: int = 20) -> Motion:
    rotations = np.tile(quaternion.IDENTITY, (frames, skeleton.num_joints, 1))
    return Motion(skeleton, np.tile([0.0, height, 0.0], (frames, 1)), rotations, 1 / 30)


def seconds_up(character, qpos):
    """Seconds for which a body stays up that holds a pose, at most 1.2."""
    model, data = character.model, mujoco.MjData(character.model)
    data.qpos[:], data.ctrl[:] = qpos, qpos[7:]
    for _ in range(int(1.2 / model.opt.timestep)):
        mujoco.mj_step(model, data)
        if not data.qpos[2] > 0.7 * qpos[2]:
            break
    return data.time


def test_model_is_what_the_interface_says(body):
    model = body.model
    hinges = len(body.hinge_names)
    assert (model.nq, model.nv, model.nu) == (7 + hinges, 6 + hinges, hinges)
    assert model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
    assert (model.jnt_type[1:] == mujoco.mjtJoint.mjJNT_HINGE).all()
    np.testing.assert_array_equal(model.actuator_trnid[:, 0], np.arange(1, hinges + 1))
    assert [model.body(n + 1).name for n in range(model.nbody - 1)] == list(body.body_names)
    assert [model.joint(n + 1).name for n in range(hinges)] == list(body.hinge_names)
    assert model.opt.timestep == pytest.approx(1 / 120)
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    assert model.geom("floor").type == mujoco.mjtGeom.mjGEOM_PLANE
    np.testing.assert_allclose(model.actuator_gainprm[:, 0], body.stiffness, rtol=1e-6)
    np.testing.assert_allclose(-model.actuator_biasprm[:, 2], body.damping, rtol=1e-6)
    np.testing.assert_allclose(model.actuator_forcerange[:, 1], body.torque_limits, rtol=1e-6)
    np.testing.assert_allclose(model.jnt_range[1:], np.stack([body.lower, body.upper], axis=1), atol=1e-8)
    assert all(body.body_names[foot].endswith(("foot", "toe")) for foot in body.feet)


def test_bodies_are_where_the_clip_has_them(body, walk):
    """MuJoCo's own kinematics is the oracle: places and rotations of bodies are those of the clip's joints."""
    qpos = to_qpos(body, walk)
    world = standardize(walk).motion
    seen = forward_kinematics(world)
    data = mujoco.MjData(body.model)
    rig = body.rig
    lift = qpos[0, 2] - seen.global_positions[0, rig.pivots[0], 1]
    for frame in (0, 40, 120):
        data.qpos[:] = qpos[frame]
        mujoco.mj_kinematics(body.model, data)
        places = to_y_up(data.xpos[1:]) - np.array([0.0, lift, 0.0])
        assert np.linalg.norm(places - seen.global_positions[frame, rig.pivots], axis=1).max() < 0.015
        wanted = quaternion.multiply(seen.global_rotations[frame, rig.joints], rig.alignments)
        assert np.degrees(quaternion.angle_between(rotations_to_y_up(data.xquat[1:]), wanted)).max() < 12.0


def test_pose_agrees_with_mujoco(body):
    rng = np.random.default_rng(3)
    angles = rng.uniform(body.lower, body.upper, (5, len(body.lower)))
    root, turn = rng.normal(size=(5, 3)), quaternion.normalize(rng.normal(size=(5, 4)))
    places, rotations = body.rig.pose(root, turn, angles)
    from retarget.robots.axes import rotations_to_z_up, to_z_up

    data = mujoco.MjData(body.model)
    for n in range(5):
        data.qpos[:] = np.concatenate([to_z_up(root[n]), rotations_to_z_up(turn[n]), angles[n]])
        mujoco.mj_kinematics(body.model, data)
        np.testing.assert_allclose(to_y_up(data.xpos[1:]), places[n], atol=1e-7)
        assert quaternion.angle_between(rotations_to_y_up(data.xquat[1:]), rotations[n]).max() < 1e-6


def test_there_and_back(body, walk):
    """With the clip as pattern only what hinges cannot do is lost; performing its result again changes nothing."""
    qpos = to_qpos(body, walk)
    back = to_motion(body, qpos, walk.frame_time, like=walk)
    world = standardize(walk).motion
    away = np.linalg.norm(forward_kinematics(back).global_positions - forward_kinematics(world).global_positions, axis=-1)
    assert away.mean() < 0.002
    assert away.max() < 0.02
    np.testing.assert_allclose(to_qpos(body, back), qpos, atol=2e-6)


def test_inverse_where_nothing_is_merged(body):
    rng = np.random.default_rng(1)
    angles = 0.5 * rng.uniform(body.lower, body.upper, (8, len(body.lower)))
    qpos = np.concatenate([rng.normal(size=(8, 3)), quaternion.normalize(rng.normal(size=(8, 4))), angles], axis=1)
    motion = to_motion(body, qpos, 0.02)
    again = to_qpos(body, motion, standardized=True)
    np.testing.assert_allclose(again[:, :2], qpos[:, :2], atol=1e-9)
    np.testing.assert_allclose(np.diff(again[:, 2]), np.diff(qpos[:, 2]), atol=1e-9)
    _, rotations = body.rig.pose(to_y_up(again[:, :3]), rotations_to_y_up(again[:, 3:7]), again[:, 7:])
    _, wanted = body.rig.pose(to_y_up(qpos[:, :3]), rotations_to_y_up(qpos[:, 3:7]), qpos[:, 7:])
    assert quaternion.angle_between(rotations, wanted).max() < 1e-6


def test_angles_have_no_jumps_and_stay_inside(body, walk):
    qpos = to_qpos(body, walk)
    assert (qpos[:, 7:] >= body.lower - 1e-12).all()
    assert (qpos[:, 7:] <= body.upper + 1e-12).all()
    assert np.abs(np.diff(qpos[:, 7:], axis=0)).max() < 0.4
    assert (np.einsum("fi,fi->f", qpos[1:, 3:7], qpos[:-1, 3:7]) > 0.0).all()


def test_soles_lie_flat_on_the_floor(body, walk):
    """In frames in which both ends of a foot stand, the corners of its sole are within 1 cm of the floor."""
    from imitate.character.lint import sole_heights
    from kinematics.contacts import foot_contacts

    heights = sole_heights(body, to_qpos(body, walk))
    contacts = foot_contacts(standardize(walk).motion)
    corners = {
        side: np.isin(body.rig.sole_bodies, [n for n in body.feet if body.body_names[n].startswith(side)])
        for side in ("left", "right")
    }
    for side, sign in (("left", 1), ("right", -1)):
        mine = contacts.sides == sign
        flat = contacts.in_contact[:, mine].all(axis=1) & (contacts.speeds[:, mine].max(axis=1) < 0.05)
        assert flat.any()
        assert np.abs(heights[flat][:, corners[side]]).max() < 0.01


def test_mass_is_de_leva_and_settable(walk):
    heavy = make_character(walk, config=CharacterConfig(mass_kg=90.0))
    assert heavy.mass == pytest.approx(90.0, rel=0.01)
    masses = dict(zip(heavy.body_names, heavy.model.body_mass[1:] / 90.0, strict=True))
    assert masses["left_thigh"] == pytest.approx(0.1447, abs=0.002)  # de Leva (1996), table 4, mean of women and men
    assert masses["left_shin"] == pytest.approx(0.0457, abs=0.002)
    trunk = masses["pelvis"] + masses["spine"] + masses["chest"]
    assert trunk == pytest.approx(0.430, abs=0.005)


def test_thigh_has_the_inertia_of_the_table(body):
    model = body.model
    thigh = model.body("left_thigh").id
    length = float(np.linalg.norm(model.body("left_shin").pos))
    across = model.body_inertia[thigh].max() / model.body_mass[thigh]
    assert np.sqrt(across) / length == pytest.approx(0.348, abs=0.02)


def test_stiffness_grows_with_what_is_carried(body):
    gains = dict(zip(body.hinge_names, body.stiffness, strict=True))
    elbow = next(gain for name, gain in gains.items() if name.startswith("left_forearm"))
    assert gains["left_upper_arm_y"] > elbow
    legs = [gain for name, gain in gains.items() if "foot" in name]
    weight = body.mass * 9.81 * 0.5 * body.height
    assert min(legs) > 0.45 * weight


def test_it_stands_with_its_mass_centre_over_its_ankles(body):
    data = mujoco.MjData(body.model)
    data.qpos[:] = body.model.key_qpos[0]
    mujoco.mj_forward(body.model, data)
    ankles = np.mean([data.body(f"{side}_foot").xpos[0] for side in ("left", "right")])
    assert data.subtree_com[1, 0] == pytest.approx(ankles, abs=0.002)


def test_a_body_that_explodes_is_lost_at_once_and_without_a_log(body, walk, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    qpos = to_qpos(body, walk)
    qpos[1, 7] += 1e10  # so fast that MuJoCo finds bad numbers
    times = tracking_times(body, qpos, walk.frame_time, starts=3)
    assert times[0] == pytest.approx(1 / 30)
    assert (times[1:] > 0.1).all()
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["run_mixamo", "wave_cmu"])
def test_clips_stand(clips, name):
    character = make_character(load_motion(clips / f"{name}.bvh"))
    assert seconds_up(character, character.model.key_qpos[0]) >= 1.0


@pytest.mark.parametrize("path", ["games105/walk60.bvh", "fair1/dab.bvh", "makehuman/walk1.bvh"])
def test_foreign_clips_build_and_stand(shared_data, path):
    motion = load_motion(shared_data / path)
    character = make_character(motion)
    assert seconds_up(character, character.model.key_qpos[0]) >= 1.0
    qpos = to_qpos(character, motion)
    back = to_motion(character, qpos, motion.frame_time, like=motion)
    from imitate.character.clip import as_world

    away = forward_kinematics(back).global_positions - forward_kinematics(as_world(motion)).global_positions
    assert np.linalg.norm(away, axis=-1).mean() < 0.012
    assert (tracking_times(character, qpos, motion.frame_time, starts=4, longest_s=1.0) > 0.2).any()


def test_deepmimic_structure(walk):
    """One spine joint, no toes, no wrists: the 28 hinges of DeepMimic's humanoid."""
    character = make_character(walk, config=DEEPMIMIC)
    assert len(character.hinge_names) == 28
    assert len(character.body_names) == 13


def test_quadruped_stands():
    character = make_character(standing(quadruped_skeleton(), 0.7))
    assert len(character.feet) == 4
    assert seconds_up(character, character.model.key_qpos[0]) >= 1.0


def test_t_pose_of_one_frame_and_anonymous_joints():
    motion = standing(human_skeleton(), 0.53 * 1.75, 1)
    named = make_character(motion)
    assert {"left_foot", "right_foot", "head", "chest"} <= set(named.body_names)
    nameless = make_character(anonymous(motion)[0])
    assert len(nameless.hinge_names) == len(named.hinge_names)


def test_self_collision_leaves_neighbours_out(walk):
    character = make_character(walk, config=CharacterConfig(self_collision=True))
    data = mujoco.MjData(character.model)
    data.qpos[:] = character.model.key_qpos[0]
    mujoco.mj_forward(character.model, data)
    floor = character.model.geom("floor").id
    assert all(floor in data.contact.geom[n] for n in range(data.ncon))


def test_character_pickles_and_is_locked(body):
    again = pickle.loads(pickle.dumps(body))
    assert again.xml == body.xml
    assert again.model.nq == body.model.nq
    with pytest.raises(ValueError, match="read-only"):
        body.stiffness[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        body.name = "other"


def test_arguments_are_left_alone(body, walk):
    before = walk.local_rotations.copy()
    qpos = to_qpos(body, walk)
    kept = qpos.copy()
    to_motion(body, qpos, walk.frame_time, like=walk)
    np.testing.assert_array_equal(qpos, kept)
    np.testing.assert_array_equal(walk.local_rotations, before)


def test_clear_words(body, walk, clips):
    prop = Skeleton(("Prop",), np.array([-1]), np.zeros((1, 3)))
    with pytest.raises(ImitationError, match="can be simulated|large after conversion"):
        make_character(standing(prop, 1.0))
    with pytest.raises(ImitationError, match="no frames"):
        make_character(walk[:0])
    with pytest.raises(ImitationError, match="another skeleton"):
        to_qpos(body, load_motion(clips / "walk_cmu.bvh"))
    with pytest.raises(ImitationError, match="resample one of them"):
        to_motion(body, to_qpos(body, walk), walk.frame_time, like=walk[:10])
    with pytest.raises(ImitationError, match="shape"):
        to_motion(body, np.zeros((3, 4)), 0.1)
    with pytest.raises(InputError, match="mass_kg must be a positive number"):
        CharacterConfig(mass_kg=-1.0)
