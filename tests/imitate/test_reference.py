from dataclasses import replace
from xml.etree import ElementTree as ET

import mujoco
import numpy as np
import pytest

from imitate.character import to_motion, to_qpos
from imitate.envs.stability import physics_rate
from imitate.errors import ImitationError
from imitate.reference import make_reference
from kinematics.edit.resample import resample
from kinematics.io import load_motion
from kinematics.rotations import quaternion
from kinematics.standardize import standardize


def test_a_walk_is_found_cyclic_and_goes_on_to_the_horizon(walker):
    ref = walker.reference
    period = len(ref.starts)
    assert ref.cyclic and ref.loops.all() and ref.starts[0] == 0
    assert ref.num_frames - 1 - ref.starts[-1] >= 20.0 * ref.control_rate and (ref.ends == ref.num_frames - 1).all()
    np.testing.assert_allclose(ref.phase[: period + 1], [*(np.arange(period) / period), 0.0])
    again = np.arange(period, 2 * period)
    np.testing.assert_allclose(ref.qpos[again, 7:], ref.qpos[again + period, 7:], atol=1e-9)
    np.testing.assert_allclose(ref.qpos[again, 2], ref.qpos[again + period, 2], atol=1e-9)
    strides = ref.qpos[again + period, :2] - ref.qpos[again, :2]
    assert np.linalg.norm(strides, axis=1).min() > 3.0  # it walks on
    speeds = np.abs(np.diff(ref.qpos[:, 7:], axis=0)).max(axis=1)
    assert speeds[period - 3 : period + 3].max() < 1.5 * speeds[10 : period - 10].max()  # no jump at the seam


def test_a_clip_that_is_not_cyclic_is_the_clip(walker):
    ref = make_reference(walker.character, walker.motion, cyclic=False)
    wanted = to_qpos(walker.character, resample(walker.motion, 30.0))
    np.testing.assert_allclose(ref.qpos, wanted)
    assert not ref.cyclic and ref.starts[-1] < ref.num_frames - 9 and ref.phase[-1] < 1.0


@pytest.mark.parametrize(("name", "goes_round"), [("jump", False), ("squat", False), ("run", True)])
def test_what_comes_to_rest_is_not_cyclic(walker, clips, name, goes_round):
    assert make_reference(walker.character, load_motion(clips / f"{name}_lafan1.bvh")).cyclic is goes_round


def test_velocities_carry_one_frame_to_the_next(walker):
    ref, model = make_reference(walker.character, walker.motion, cyclic=False, control_rate=120.0), walker.character.model
    for frame in (20, 200, 400):
        there = ref.qpos[frame - 1].copy()
        mujoco.mj_integratePos(model, there, ref.qvel[frame], 2.0 / 120.0)
        turned = np.sign(there[3:7] @ ref.qpos[frame + 1, 3:7])
        there[3:7] *= turned
        np.testing.assert_allclose(there, ref.qpos[frame + 1], atol=2e-4)


def test_bodies_are_mujocos(walker):
    ref, data = walker.reference, mujoco.MjData(walker.character.model)
    data.qpos[:] = ref.qpos[33]
    mujoco.mj_kinematics(walker.character.model, data)
    np.testing.assert_allclose(ref.body_positions[33], data.xpos[1:], atol=1e-12)


def test_feet_stand_by_turns_in_a_walk(walker):
    ref, feet = walker.reference, list(walker.character.feet)
    slow = np.linalg.norm(ref.body_linear_velocities[:, feet], axis=-1) < 0.5
    share = ((ref.lowest[:, feet] < 0.03) & slow).mean(axis=0)
    assert (share > 0.3).all() and (share < 0.8).all()


def test_several_clips_stay_apart(walker):
    ref = make_reference(walker.character, [walker.motion[:40], walker.motion[50:120]], cyclic=False)
    assert ref.first_frames.tolist() == [0, 40] and ref.num_frames == 110
    assert np.array_equal(np.unique(ref.ends), [39, 109]) and np.array_equal(ref.ends[ref.clips == 0], np.full(40, 39))
    one = make_reference(walker.character, walker.motion[50:120], cyclic=False)
    np.testing.assert_array_equal(ref.qvel[40:], one.qvel)
    np.testing.assert_array_equal(ref.phase[40:], one.phase)


def test_arrays_are_read_only(walker):
    with pytest.raises(ValueError, match="read-only"):
        walker.reference.qpos[0, 0] = 1.0


def test_what_cannot_be_a_reference_is_refused(walker):
    with pytest.raises(ImitationError, match="at least one"):
        make_reference(walker.character, [])
    with pytest.raises(ImitationError, match=r"at least 0\.3 s"):
        make_reference(walker.character, walker.motion[:5])
    with pytest.raises(ImitationError, match="positive"):
        make_reference(walker.character, walker.motion, control_rate=0.0)


def test_a_body_that_flies_apart_at_every_step_is_refused(walker):
    tree = ET.fromstring(walker.character.xml)
    for motor in tree.iter("position"):  # motors a million times too stiff, with no limit to their torque
        motor.attrib.pop("forcerange", None)
        motor.set("kp", str(1e6 * float(motor.get("kp", "1"))))
    stiff = replace(walker.character, xml=ET.tostring(tree, encoding="unicode"))
    with pytest.raises(ImitationError, match="flies apart"):
        physics_rate(stiff, walker.reference)


def test_a_clip_that_begins_in_the_floor_is_tried_as_it_is_performed(walker):
    """Lifted out of the floor at its start; at half a metre's depth the floor would throw the body at any rate."""
    down = np.zeros(walker.reference.qpos.shape[1])
    down[2] = 0.5
    sunk = replace(walker.reference, qpos=walker.reference.qpos - down, lowest=walker.reference.lowest - 0.5)
    assert physics_rate(walker.character, sunk) == 120.0


def test_which_way_is_up_is_not_guessed_again(walker):
    """A walk laid on its back, in metres and Y up, looks like one of another up axis."""
    walk = standardize(walker.motion).motion[:60]
    turn, rotations = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), -np.pi / 2), walk.local_rotations.copy()
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    lying = replace(walk, root_positions=quaternion.rotate(turn, walk.root_positions), local_rotations=rotations)
    qpos = to_qpos(walker.character, lying, standardized=True)
    assert np.abs(qpos - to_qpos(walker.character, lying)).max() > 0.5  # the guess is wrong
    ref = make_reference(walker.character, lying, control_rate=1.0 / lying.frame_time, cyclic=False, standardized=True)
    np.testing.assert_allclose(ref.qpos, qpos, atol=1e-9)
    back = to_motion(walker.character, qpos, lying.frame_time, like=lying, standardized=True)
    np.testing.assert_allclose(back.root_positions, lying.root_positions, atol=0.1)
