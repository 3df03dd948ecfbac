import math

import mujoco
import numpy as np
import pytest

from imitate.bodies import heading, make_bodies, make_tree, move
from imitate.errors import ImitationError
from kinematics.rotations import quaternion

SHAPES = """
<mujoco><worldbody><geom name="floor" type="plane" size="0 0 1"/>
  <body name="root" pos="0 0 1"><freejoint/><geom type="box" size=".1 .2 .05" pos=".03 0 0" euler="20 30 40"/>
    <body name="arm" pos=".3 .1 0" euler="10 0 70">
      <joint axis="0 1 0" pos=".05 0 .02"/><joint axis="1 0 1" pos="0 .04 0" ref="20"/><geom type="capsule" size=".04 .2" euler="0 50 0"/>
      <body name="fixed" pos="0 0 .2" euler="0 30 0"><geom type="cylinder" size=".07 .1" euler="40 0 0"/>
        <body name="tip" pos="0 .2 0"><joint axis="0 0 1"/><geom type="ellipsoid" size=".05 .08 .02" euler="0 70 10"/>
          <geom type="sphere" size=".03" pos="0 0 .1"/><geom type="sphere" size=".5" contype="0" conaffinity="0"/></body></body></body>
  </body></worldbody></mujoco>"""


def random_state(model: mujoco.MjModel, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    qpos, qvel = rng.normal(size=(count, model.nq)), rng.normal(size=(count, model.nv))
    return qpos, qvel


@pytest.mark.parametrize("which", ["walker", "shapes"])
def test_bodies_are_where_mujoco_has_them(walker, which):
    model = walker.character.model if which == "walker" else mujoco.MjModel.from_xml_string(SHAPES)
    qpos, qvel = random_state(model, 4)
    before = qpos.copy(), qvel.copy()
    tree, bodies = make_tree(model), make_bodies(4, model.nbody - 1)
    move(tree, qpos, qvel, np.arange(4), bodies)
    assert np.array_equal(qpos, before[0]) and np.array_equal(qvel, before[1])
    data, speed = mujoco.MjData(model), np.zeros(6)
    for row in range(4):
        data.qpos[:], data.qvel[:] = qpos[row], qvel[row]
        mujoco.mj_forward(model, data)
        mujoco.mj_subtreeVel(model, data)
        np.testing.assert_allclose(bodies.positions[row], data.xpos[1:], atol=1e-12)
        np.testing.assert_allclose(quaternion.to_matrix(bodies.rotations[row]).reshape(-1, 9), data.xmat[1:], atol=1e-12)
        np.testing.assert_allclose(bodies.center_of_mass[row], data.subtree_com[1], atol=1e-12)
        np.testing.assert_allclose(bodies.center_of_mass_velocity[row], data.subtree_linvel[1], atol=1e-12)
        for body in range(1, model.nbody):
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, speed, 0)
            np.testing.assert_allclose(bodies.angular_velocities[row, body - 1], speed[:3], atol=1e-12)
            np.testing.assert_allclose(bodies.linear_velocities[row, body - 1], speed[3:], atol=1e-12)


@pytest.mark.parametrize("which", ["walker", "shapes"])
def test_the_lowest_point_is_as_high_as_mujocos_shapes_are_above_the_floor(walker, which):
    model = walker.character.model if which == "walker" else mujoco.MjModel.from_xml_string(SHAPES)
    qpos, qvel = random_state(model, 4)
    qpos[:, 2] = 3.0
    tree, bodies = make_tree(model), make_bodies(4, model.nbody - 1)
    move(tree, qpos, qvel, np.arange(4), bodies)
    data, pair, floor = mujoco.MjData(model), np.zeros(6), mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, "floor")
    for row in range(4):
        data.qpos[:] = qpos[row]
        mujoco.mj_forward(model, data)
        lowest = np.full(model.nbody - 1, np.inf)
        for geom in np.flatnonzero((model.geom_contype | model.geom_conaffinity) & (np.arange(model.ngeom) != floor)):
            body = model.geom_bodyid[geom] - 1
            lowest[body] = min(lowest[body], mujoco.mj_geomDistance(model, data, floor, geom, 10.0, pair))
        np.testing.assert_allclose(bodies.lowest[row], lowest, atol=1e-6)


def test_only_the_rows_asked_for_are_written(walker):
    model = walker.character.model
    qpos, qvel = random_state(model, 3)
    bodies = make_bodies(3, model.nbody - 1)
    move(make_tree(model), qpos, qvel, np.array([1]), bodies)
    assert not bodies.positions[0].any() and not bodies.positions[2].any() and bodies.positions[1].any()


def test_the_heading_is_the_turn_about_the_vertical():
    yaw, none = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 0.7), (1.0, 0.0, 0.0, 0.0)
    for tilt in ([0.4, 0.0, 0.0], [0.0, -1.2, 0.0], [0.3, 1.0, 0.0]):
        turned = quaternion.multiply(yaw, quaternion.from_rotation_vector(np.array(tilt)))
        np.testing.assert_allclose(heading(tuple(turned), none), yaw, atol=1e-12)
    assert heading((0.0, 1.0, 0.0, 0.0), none) == none  # upside down: undefined, but a number
    tilted = quaternion.from_rotation_vector(np.array([math.pi / 2, 0.0, 0.0]))  # a model whose root stands tilted by itself
    seen = heading(tuple(quaternion.multiply(yaw, tilted)), tuple(quaternion.inverse(tilted)))
    np.testing.assert_allclose(seen, yaw, atol=1e-12)


@pytest.mark.parametrize(
    "joints", ["<joint type='hinge'/>", "<freejoint/></body><body><freejoint/><geom size='.1'/>", "<joint type='ball'/>"]
)
def test_a_body_without_one_free_root_is_refused(joints):
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody><body><geom size='.1'/>{joints}</body></worldbody></mujoco>")
    with pytest.raises(ImitationError, match="one free joint"):
        make_tree(model)
