"""A robot's skeleton says what MuJoCo says, and its numbers come back."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from kinematics.forward import forward_kinematics
from kinematics.ik.limits import clamp, limit_violations
from kinematics.rotations import quaternion
from retarget.errors import RetargetError
from retarget.robots import Robot, load_robot, self_penetrations
from retarget.robots.collisions import segment_distances

mujoco = pytest.importorskip("mujoco")
PRAXIS = Path(__file__).resolve().parents[3] / "data" / "robots" / "praxis.xml"
ODD = """<mujoco model="odd">
  <compiler angle="degree" autolimits="true"/>
  <default><joint armature="0.1"/><default class="knees"><joint range="-10 120"/></default></default>
  <worldbody>
    <body name="crate" pos="3 0 1"><freejoint/><geom size="0.1"/></body>
    <body name="base link" pos="0.1 0.2 1" quat="0.6 0 0 0.8"><freejoint name="float"/><geom type="box" size=".1 .1 .1"/>
      <body name="spacer" pos="0 0 0.1" quat="0.9 0.1 -0.3 0.2"><geom size="0.05"/>
        <body name="arm" pos="0.1 0.2 0.3" quat="0.5 0.5 -0.5 0.5">
          <joint name="a" axis="1 2 3" pos="0.05 -0.02 0.1" range="-40 60" ref="25"/>
          <joint name="b" axis="0 1 0" pos="0 0.1 0" ref="-15"/>
          <joint name="rail" type="slide" axis="1 0 0" range="-1 1" ref="0.2"/>
          <joint name="c" axis="0 0 -1"/>
          <geom type="capsule" size="0.03 0.1"/>
          <body pos="0.3 0 0" euler="10 20 30"><joint name="before ball" axis="0 1 1" ref="10"/>
            <joint name="ball" type="ball" pos="0.01 0.02 0.03" range="0 50"/>
            <geom type="cylinder" size="0.02 0.2"/>
            <body name="tip" pos="0 0 0.2"><geom type="ellipsoid" size="0.1 0.05 0.02"/></body></body>
        </body>
      </body>
      <body name="leg" pos="0 -0.1 -0.1"><joint class="knees" axis="0 1 0" name="base link"/><geom size="0.02"/></body>
      <body pos="0 0.1 -0.1"><joint axis="0 1 0"/><geom size="0.02"/></body>
    </body>
  </worldbody>
  <actuator><motor joint="c" ctrlrange="-2 2" gear="30"/><position joint="a" kp="9" forcerange="-7 5"/></actuator>
</mujoco>"""


@pytest.fixture(scope="module")
def praxis() -> Robot:
    return load_robot(PRAXIS)


@pytest.fixture
def odd(tmp_path: Path) -> Robot:
    return write(tmp_path, ODD)


def write(folder: Path, text: str) -> Robot:
    path = folder / "model.xml"
    path.write_text(text, encoding="utf-8")
    return load_robot(path)


def random_qpos(robot: Robot, frames: int, seed: int = 0) -> np.ndarray:
    """Configurations inside the limits, quaternions with w > 0; neighbours of a free hinge less than half a turn apart."""
    rng = np.random.default_rng(seed)
    qpos = np.tile(robot.neutral_qpos, (frames, 1))
    for joint, kind in enumerate(robot.joint_kinds):
        at = int(robot.qpos_addresses[joint])
        if kind == "hinge":
            qpos[:, at] = rng.uniform(max(robot.lower[joint], -1.5), min(robot.upper[joint], 1.5), frames)
        else:
            at += 3 if kind == "free" else 0
            base, turn = (
                quaternion.normalize(rng.normal(size=4)),
                quaternion.from_rotation_vector(0.3 * rng.normal(size=(frames, 3))),
            )
            turned = quaternion.multiply(base * np.sign(base[0]), turn)
            qpos[:, at : at + 4] = turned * np.sign(turned[0, 0])
            if kind == "free":
                qpos[:, at - 3 : at] = rng.normal(size=(frames, 3))
    return qpos


def assert_agrees_with_mujoco(robot: Robot) -> None:
    model = mujoco.MjModel.from_xml_path(robot.path)
    data = mujoco.MjData(model)
    qpos = random_qpos(robot, 12)
    motion = robot.motion(qpos, 0.02)
    positions, rotations = robot.body_transforms(motion)
    for frame in range(len(qpos)):
        data.qpos[:] = qpos[frame]
        mujoco.mj_kinematics(model, data)
        for n, name in enumerate(robot.body_names):
            body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name)
            if body < 0:
                continue
            assert np.abs(data.xpos[body] - positions[frame, n]).max() < 1e-9
            assert quaternion.angle_between(data.xquat[body], rotations[frame, n]) < 1e-9
        mujoco.mj_comPos(model, data)
        seen = forward_kinematics(motion[frame : frame + 1])
        centres = seen.global_positions[0] + quaternion.rotate(seen.global_rotations[0], robot.mass_centers)
        mean = robot.masses @ centres / robot.mass
        root = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, robot.body_names[0])
        assert np.allclose(mean[[2, 0, 1]], data.subtree_com[root], atol=1e-9)
    assert np.abs(robot.qpos(motion) - qpos).max() < 1e-9


def test_kinematics_agree_with_mujoco_and_come_back(praxis: Robot, odd: Robot) -> None:
    for robot in (praxis, odd):
        assert_agrees_with_mujoco(robot)


def test_zero_pose_is_angle_zero_upright_and_facing_forward(praxis: Robot, odd: Robot) -> None:
    for robot in (praxis, odd):
        qpos = random_qpos(robot, 1)
        qpos[:, robot.qpos_addresses[robot.hinges]] = 0.0
        turned = robot.motion(qpos, 1.0).local_rotations[0, robot.hinges]
        assert np.allclose(turned, quaternion.IDENTITY, atol=1e-15)
    left = praxis.skeleton.joint_index("left_hip_yaw_joint")
    assert np.allclose(praxis.skeleton.offsets[left], [0.085, -0.07, 0.0])
    assert np.allclose(praxis.axes[praxis.skeleton.joint_index("left_knee_joint")], [1.0, 0.0, 0.0])


def test_what_the_model_says_is_kept(odd: Robot, praxis: Robot) -> None:
    assert odd.joint_kinds == ("free", "hinge", "hinge", "hinge", "hinge", "ball", "hinge", "hinge")
    assert odd.skeleton.joint_names[0] == "base_link" and odd.skeleton.joint_names[6] == "base_link_2"
    assert odd.skeleton.joint_names[7] == "body8_joint"
    assert np.allclose(np.degrees(odd.lower[[1, 6]]), [-40.0, -10.0])
    assert np.allclose(np.degrees(odd.upper[[1, 5, 6]]), [60.0, 50.0, 120.0])
    assert np.isinf(odd.upper[[2, 3, 4, 7]]).all() and np.isinf(odd.lower[[2, 3, 4, 7]]).all()
    assert odd.force_limits[3] == 60.0 and odd.force_limits[1] == 7.0 and np.isinf(odd.force_limits[2])
    assert any("'rail'" in text for text in odd.warnings) and any("'crate'" in text for text in odd.warnings)
    assert praxis.warnings == () and praxis.mass == pytest.approx(35.0) and len(praxis.hinges) == 29
    assert praxis.hinge_names[:3] == ("left_hip_yaw_joint", "left_hip_roll_joint", "left_hip_pitch_joint")
    assert praxis.force_limits[praxis.skeleton.joint_index("left_knee_joint")] == 120.0
    assert not praxis.axes.flags.writeable and not pickle.loads(pickle.dumps(praxis)).axes.flags.writeable


def test_limits_hold_what_the_model_allows(praxis: Robot, odd: Robot) -> None:
    for robot in (praxis, odd):
        motion = robot.motion(random_qpos(robot, 20), 0.02)
        limits = {name: limit for name, limit in robot.limits().items() if name != "ball"}
        assert limit_violations(motion, limits).max() == 0.0
    limits = praxis.limits()
    assert list(limits) == list(praxis.hinge_names)
    beyond = praxis.home_qpos[None].copy()
    beyond[0, praxis.qpos_addresses[praxis.skeleton.joint_index("left_knee_joint")]] = 2.5
    motion = praxis.motion(beyond, 1.0)
    assert limit_violations(motion, limits).max() == pytest.approx(0.2)
    assert praxis.qpos(clamp(motion, limits)).max() == pytest.approx(2.3)


def test_a_ball_limit_is_never_exceeded(odd: Robot) -> None:
    limits = {name: limit for name, limit in odd.limits().items() if name == "ball"}
    rotations = np.tile(quaternion.IDENTITY, (200, odd.skeleton.num_joints, 1))
    ball = odd.skeleton.joint_index("ball")
    rotations[:, ball] = quaternion.normalize(np.random.default_rng(1).normal(size=(200, 4)))
    motion = odd.motion(np.tile(odd.neutral_qpos, (200, 1)), 1.0).with_local_rotations(rotations)
    assert quaternion.angle(clamp(motion, limits).local_rotations[:, ball]).max() <= np.radians(50.0) + 1e-9


def test_a_free_hinge_goes_on_beyond_half_a_turn(odd: Robot) -> None:
    qpos = np.tile(odd.neutral_qpos, (50, 1))
    column = int(odd.qpos_addresses[odd.skeleton.joint_index("c")])
    qpos[:, column] = np.linspace(0.0, 12.0, 50)
    motion = odd.motion(qpos, 0.1)
    assert np.allclose(odd.qpos(motion)[:, column], qpos[:, column], atol=1e-9)
    speed = odd.joint_velocities(motion)[:, odd.hinge_names.index("c")]
    assert np.allclose(speed, 12.0 / 49 / 0.1)


def test_home_stands_on_the_floor_and_nothing_touches(praxis: Robot, odd: Robot) -> None:
    assert praxis.home_name == "home" and odd.home_name == ""
    home = praxis.motion(praxis.home_qpos[None], 1.0)
    assert np.abs(praxis.sole_positions(home)[..., 1]).max() < 1e-5
    assert np.abs(praxis.home.root_positions - home.root_positions[0]).max() == 0.0
    assert sorted(praxis.soles.sides.tolist()) == [-1] * 4 + [1] * 4
    assert (np.sign(praxis.sole_positions(home)[0, :, 0]) == praxis.soles.sides).all()
    assert self_penetrations(praxis, home).max() == 0.0
    crossed = praxis.home_qpos[None].copy()
    for side, sign in (("left", -1.0), ("right", 1.0)):
        crossed[0, praxis.qpos_addresses[praxis.skeleton.joint_index(f"{side}_hip_roll_joint")]] = 0.3 * sign
    depth = self_penetrations(praxis, praxis.motion(crossed, 1.0))[0]
    worst = {praxis.capsules.names[n] for n in praxis.capsules.pairs[depth.argmax()]}
    assert depth.max() > 0.01 and worst == {"left_thigh", "right_thigh"}


def test_segment_distances_agree_with_a_search() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(2, 60, 2, 3))
    one[:10, 1] = one[:10, 0]
    other[5:15, 1] = other[5:15, 0]
    other[20:30] = one[20:30] + rng.normal(size=(10, 1, 3))
    t = np.linspace(0.0, 1.0, 201)
    points = [e[:, None, 0] + t[:, None] * (e[:, None, 1] - e[:, None, 0]) for e in (one, other)]
    nearest = np.linalg.norm(points[0][:, :, None] - points[1][:, None], axis=-1).min(axis=(1, 2))
    found = segment_distances(one, other)
    assert (found <= nearest + 1e-12).all() and np.allclose(found, nearest, atol=0.02)


def test_mistakes_are_explained(praxis: Robot, odd: Robot) -> None:
    with pytest.raises(ValueError, match="are not those of the robot 'praxis'"):
        praxis.qpos(odd.motion(odd.neutral_qpos[None], 1.0))
    rotations = np.array(praxis.motion(praxis.home_qpos[None], 1.0).local_rotations)
    rotations[0, 4] = [0.0, 0.6, 0.8, 0.0]
    with pytest.raises(ValueError, match=r"'left_knee_joint' is a hinge, and frame 0 .* degrees; kinematics.ik.limits.clamp"):
        praxis.qpos(praxis.motion(praxis.home_qpos[None], 1.0).with_local_rotations(rotations))
    with pytest.raises(ValueError, match=r"qpos of 'praxis' must have shape \(any, 36\)"):
        praxis.motion(np.zeros((2, 30)), 1.0)
    with pytest.raises(ValueError, match="quaternion of 'pelvis' in qpos is zero"):
        praxis.motion(np.zeros((2, 36)), 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<mujoco><worldbody><body><joint/></worldbody></mujoco>", "is no model that MuJoCo can read: XML"),
        ("<mujoco><worldbody><body><freejoint/><geom size='1'/></body></worldbody></mujoco>", "has no hinge joints"),
        (
            "<mujoco><worldbody><body name='arm'><joint/><geom size='1'/></body></worldbody></mujoco>",
            "has no free root: its first body .'arm'. is fixed to the world",
        ),
        (
            "<mujoco><worldbody><body><joint/><geom size='1'/></body><body pos='3 0 0'><freejoint/><geom size='1'/></body>"
            "</worldbody></mujoco>",
            "no free body of it has joints below it",
        ),
        (
            "<mujoco><asset><mesh file='gone.stl'/></asset><worldbody/></mujoco>",
            "is no model that MuJoCo can read: .*gone.stl",
        ),
    ],
)  # fmt: skip
def test_models_that_are_no_robots_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RetargetError, match=message) as caught:
        write(tmp_path, text)
    assert "\n" not in str(caught.value)
