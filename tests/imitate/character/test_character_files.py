"""Bodies on disk, ready models, the lint and the mended clip."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from imitate.character import fix, lint, load_character, make_character, save_character, to_motion, to_qpos
from imitate.character.config import CharacterConfig
from imitate.cli_character import character as command
from imitate.errors import ImitationError
from kinematics.errors import InputError, MissingFileError
from kinematics.io import load_motion

ROBOT = Path(__file__).resolve().parents[3] / "data" / "robots" / "praxis.xml"
MOTORS = """<mujoco model="hopper"><worldbody><geom type="plane" size="1 1 1"/>
<body name="trunk" pos="0 0 1"><freejoint/><geom type="box" size=".1 .15 .2" mass="20"/>
  <body name="left_thigh" pos="0 .1 -.2"><joint name="left_hip" axis="0 1 0" range="-90 60"/>
    <geom type="capsule" fromto="0 0 0 0 0 -.35" size=".05" mass="4"/>
    <body name="left_shin" pos="0 0 -.35"><joint name="left_knee" axis="0 1 0" range="0 120"/>
      <geom type="capsule" fromto="0 0 0 0 0 -.35" size=".04" mass="3"/>
      <body name="left_foot" pos="0 0 -.35"><joint name="left_ankle" axis="0 1 0" range="-40 40"/>
        <geom type="box" pos=".04 0 -.03" size=".1 .04 .02" mass="1"/></body></body></body>
  <body name="right_thigh" pos="0 -.1 -.2"><joint name="right_hip" axis="0 1 0" range="-90 60"/>
    <geom type="capsule" fromto="0 0 0 0 0 -.35" size=".05" mass="4"/>
    <body name="right_shin" pos="0 0 -.35"><joint name="right_knee" axis="0 1 0" range="0 120"/>
      <geom type="capsule" fromto="0 0 0 0 0 -.35" size=".04" mass="3"/>
      <body name="right_foot" pos="0 0 -.35"><joint name="right_ankle" axis="0 1 0" range="-40 40"/>
        <geom type="box" pos=".04 0 -.03" size=".1 .04 .02" mass="1"/></body></body></body>
</body></worldbody>
<actuator><motor joint="left_hip" gear="100" ctrlrange="-1 1"/><motor joint="left_knee" gear="80" ctrlrange="-1 1"/></actuator></mujoco>"""


@pytest.fixture(scope="module")
def walk(walker):
    return walker.motion


@pytest.fixture(scope="module")
def robot():
    return load_character(ROBOT)


def test_saved_and_read_back(walker, tmp_path):
    walk, body = walker.motion, walker.character
    save_character(body, tmp_path / "body")
    again = load_character(tmp_path / "body")
    assert (again.name, again.body_names, again.feet, again.xml) == ("walker", body.body_names, body.feet, body.xml)
    np.testing.assert_array_equal(to_qpos(again, walk), to_qpos(body, walk))
    assert mujoco.MjModel.from_xml_path(str(tmp_path / "body" / "body.xml")).nu == len(body.hinge_names)
    assert sorted(file.name for file in (tmp_path / "body").iterdir()) == ["body.npz", "body.xml"]


def test_ready_model_keeps_its_gains_and_performs(robot, walk, tmp_path):
    original = mujoco.MjModel.from_xml_path(str(ROBOT))
    assert robot.mass == pytest.approx(original.body_mass.sum(), rel=1e-6)
    np.testing.assert_allclose(robot.stiffness, original.actuator_gainprm[:, 0])
    np.testing.assert_allclose(robot.torque_limits, original.actuator_forcerange[:, 1])
    assert robot.model.opt.timestep == pytest.approx(1 / 120)
    qpos = to_qpos(robot, walk)
    assert qpos.shape == (walk.num_frames, robot.model.nq)
    assert ((qpos[:, 7:] >= robot.lower) & (qpos[:, 7:] <= robot.upper)).all()
    np.testing.assert_allclose(to_qpos(robot, to_motion(robot, qpos, walk.frame_time)), qpos, atol=1e-6)
    save_character(robot, tmp_path)
    again = load_character(tmp_path)
    np.testing.assert_allclose(again.stiffness, robot.stiffness)
    np.testing.assert_allclose(again.torque_limits, robot.torque_limits)
    np.testing.assert_allclose(to_qpos(again, walk[:20]), to_qpos(robot, walk[:20]), atol=1e-6)


def test_a_ready_body_keeps_its_friction_and_collisions_on_disk(tmp_path):
    robot = load_character(ROBOT, config=CharacterConfig(friction=0.3, self_collision=True))
    save_character(robot, tmp_path)
    again = load_character(tmp_path).model
    for name in ("geom_friction", "geom_contype", "geom_conaffinity"):
        np.testing.assert_array_equal(getattr(again, name), getattr(robot.model, name))
    assert sorted(again.exclude_signature) == sorted(robot.model.exclude_signature) != []


def test_motors_become_position_actuators(tmp_path):
    file = tmp_path / "legs.xml"
    file.write_text(MOTORS)
    body = load_character(file)
    assert len(body.hinge_names) == body.model.nu == 6
    assert body.torque_limits[0] == pytest.approx(100.0)
    assert (body.stiffness > 0.0).all()
    data = mujoco.MjData(body.model)
    mujoco.mj_resetDataKeyframe(body.model, data, 0)
    for _ in range(120):
        mujoco.mj_step(body.model, data)
    assert data.qpos[2] > 0.7 * body.model.key_qpos[0, 2]


def test_lint_passes_our_walk(walker):
    report = lint(walker.character, walker.motion)
    assert report.passed, report.warnings
    assert report.tracking_s > 0.3


def test_lint_names_what_is_wrong_and_fix_mends_it(walk):
    """A clip that slides and sinks is flagged; mended, it slides and sinks less."""
    walk = walk[:100]
    drift = np.zeros((walk.num_frames, 3))
    scale = 100.0 if walk.root_positions[:, 1].mean() > 10.0 else 1.0
    drift[:, 0] = 0.35 * scale * np.arange(walk.num_frames) * walk.frame_time
    drift[:, 1] = -0.06 * scale * (np.sin(np.arange(walk.num_frames) / 9.0) > 0.97)
    bad = walk.with_root_positions(walk.root_positions + drift)
    before = {finding.name: finding for finding in lint(make_character(bad), bad).findings}
    assert not before["slide of standing feet"].ok
    assert not before["feet below the floor"].ok
    assert all(finding.mend for finding in before.values() if not finding.ok)
    after = fix(bad)
    report = {finding.name: finding for finding in lint(make_character(after), after).findings}
    assert report["feet below the floor"].ok
    slide = [float(found["slide of standing feet"].value.split()[0]) for found in (before, report)]
    assert slide[1] < 0.5 * slide[0]
    assert after.skeleton.joint_names == walk.skeleton.joint_names


def test_an_added_first_pose_is_told_and_cut(clips):
    motion = load_motion(clips / "walk_cmu.bvh")[:120]
    rotations = motion.local_rotations.copy()
    rotations[0, 1:] = [1.0, 0.0, 0.0, 0.0]
    posed = motion.with_local_rotations(rotations)
    named = {finding.name: finding for finding in lint(make_character(posed), posed).findings}
    assert not named["first frames"].ok
    assert fix(posed).num_frames == motion.num_frames - 1


def test_command_writes_body_report_and_clip(clips, tmp_path, capsys):
    clip = clips / "wave_lafan1.bvh"
    assert command(clip, output=tmp_path / "body.xml", report=True) in (0, 1)
    assert "gimbal margin" in capsys.readouterr().out
    assert mujoco.MjModel.from_xml_path(str(tmp_path / "body.xml")).nu > 20
    with pytest.raises(ImitationError, match="nothing to do"):
        command(clip)
    with pytest.raises(InputError, match="extension must be"):
        command(clip, output=tmp_path / "body.txt")


def test_bad_folders_get_one_clear_sentence(tmp_path, walker):
    with pytest.raises(MissingFileError):
        load_character(tmp_path)
    save_character(walker.character, tmp_path / "body")
    (tmp_path / "body" / "body.npz").write_bytes(b"not an archive")
    with pytest.raises(ImitationError, match="holds no character"):
        load_character(tmp_path / "body")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ImitationError, match="cannot make the folder"):
        save_character(walker.character, tmp_path / "file")
    with pytest.raises(InputError):
        load_character(tmp_path / "missing.xml")
