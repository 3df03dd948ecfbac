"""From people to hinges: limits, speed, feet on the floor, and what was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinematics.contacts import foot_contacts
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion
from kinematics.kernels import capsules, hinge_speeds
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.testing import assert_motions_close
from retarget import RetargetConfig, RetargetError, retarget
from retarget.robots import Robot
from retarget.robots.chains import make_chains
from retarget.robots.collisions import segment_distances, self_penetrations
from retarget.robots.score import score_robot
from retarget.robots.twin import make_twin, twin_motion

pytest.importorskip("mujoco")
from retarget.robots import load_robot, load_robot_motion, save_robot_motion

ROBOTS = Path(__file__).resolve().parents[3] / "data" / "robots"
SPEED = 3.0 * np.pi


@pytest.fixture(scope="module")
def praxis() -> Robot:
    return load_robot(ROBOTS / "praxis.xml")


def walker(tmp_path: Path, *, torso_root: bool = False, crooked: bool = False) -> Robot:
    """Build a robot of two legs without arms or head; its root below or above a waist hinge."""
    legs = ""
    for side, name in ((1, "left"), (-1, "right")):
        legs += f"""
        <body name="{name}_thigh" pos="0 {0.1 * side} 0">
          <joint name="{name}_hip_yaw" axis="0 0 1" range="-1 1"/><joint name="{name}_hip_roll" axis="1 0 0" range="-1 1"/>
          <joint name="{name}_hip_pitch" axis="0 1 0" range="-2 1"/><geom type="capsule" fromto="0 0 0 0 0 -.4" size=".04"/>
          <body name="{name}_shin" pos="0 0 -.4">
            <joint name="{name}_knee" axis="0 1 0" range="{"-.3" if crooked else "0"} 2.4"/>
            <geom type="capsule" fromto="0 0 0 0 0 -.4" size=".03"/>
            <body name="{name}_foot" pos="0 0 -.4"><joint name="{name}_ankle" axis="0 1 0" range="-.9 .9"/>
              <geom type="box" pos=".04 0 -.04" size=".1 .03 .02"/></body></body></body>"""
    torso = '<geom type="capsule" fromto="0 0 .1 0 0 .5" size=".08"/>'
    waist = '<joint name="waist" axis="0 0 1" range="-1 1"/>'
    hips = '<geom type="box" size=".05 .1 .03"/>'
    if torso_root:
        inner = f'<body name="torso" pos="0 0 1"><freejoint/>{torso}<body name="pelvis">{waist}{hips}{legs}</body></body>'
    else:
        inner = f'<body name="pelvis" pos="0 0 1"><freejoint/>{hips}{legs}<body name="torso">{waist}{torso}</body></body>'
    path = tmp_path / "walker.xml"
    path.write_text(f'<mujoco><compiler angle="radian"/><worldbody>{inner}</worldbody></mujoco>')
    return load_robot(path)


def angles_of(robot: Robot, motion: Motion) -> np.ndarray:
    return robot.hinge_angles(motion)


@pytest.mark.parametrize("name", ["walk_cmu", "run_lafan1", "jump_mixamo", "turn_lafan1", "squat_cmu", "wave_mixamo"])
def test_inside_limits_never_too_fast_feet_on_the_floor_and_alike(praxis: Robot, clips: Path, name: str) -> None:
    source = load_motion(clips / f"{name}.bvh")
    result = retarget(source, praxis)
    angles = angles_of(praxis, result.motion)
    lower, upper = praxis.lower[praxis.hinges], praxis.upper[praxis.hinges]
    assert (angles >= lower).all() and (angles <= upper).all()
    assert np.abs(np.diff(angles, axis=0)).max() <= SPEED * source.frame_time
    assert result.motion.frame_time == source.frame_time and result.motion.skeleton is praxis.skeleton

    contacts = foot_contacts(source)
    soles = praxis.sole_positions(result.motion)
    assert soles[..., 1].min() > -1e-9
    heights = np.stack([soles[:, praxis.soles.sides == side, 1].min(axis=1) for side in (1, -1)], axis=1)
    standing = np.stack([contacts.left, contacts.right], axis=1)
    assert (heights[standing] < 0.01).mean() > 0.99

    card = score_robot(source, result.motion, praxis)
    limbs = [e.mean_degrees for bone, e in card.bone_directions.items() if bone.endswith(("arm", "thigh", "shin"))]
    assert np.mean(limbs) < 5.0 and card.result.first_frame.converged
    assert card.result.overstepping is not None and card.result.overstepping.fraction == 0.0
    report = result.report.hinges
    assert report.outside_limits == 0 and report.max_speed_rad_s <= SPEED and report.first_step_degrees <= 18.0
    assert {pair.role for pair in result.joint_map.pairs} >= {"pelvis", "chest", "head", "left_hand", "right_foot"}


def test_planted_soles_do_not_slide(praxis: Robot, clips: Path) -> None:
    source = load_motion(clips / "squat_cmu.bvh")
    soles = praxis.sole_positions(retarget(source, praxis).motion)
    speeds = np.linalg.norm(np.diff(soles[..., [0, 2]], axis=0), axis=-1) / source.frame_time
    assert speeds.mean() < 0.01 and soles[..., 1].max() < 0.01


def test_the_first_frame_is_as_good_as_the_second(praxis: Robot, clips: Path) -> None:
    """A pose that is held gives one pose, from the first frame on."""
    source = load_motion(clips / "jump_mixamo.bvh")
    for frame in (0, 40, 60):
        angles = angles_of(praxis, retarget(source[np.full(8, frame)], praxis).motion)
        assert np.abs(np.diff(angles, axis=0)).max() < 0.01


def test_a_clip_that_starts_later_or_elsewhere_gives_the_same_angles(praxis: Robot, clips: Path) -> None:
    source = load_motion(clips / "walk_lafan1.bvh")[:90]
    angles = angles_of(praxis, retarget(source, praxis).motion)
    later = angles_of(praxis, retarget(source[20:], praxis).motion)
    assert np.degrees(np.abs(angles[40:-15] - later[20:-15])).mean() < 0.5
    turn = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 1.2)
    local = source.local_rotations.copy()
    local[:, 0] = quaternion.multiply(turn, local[:, 0])
    moved = Motion(
        source.skeleton, quaternion.rotate(turn, source.root_positions) + [300.0, 0.0, 100.0], local, source.frame_time
    )
    elsewhere = angles_of(praxis, retarget(moved, praxis).motion)
    np.testing.assert_allclose(elsewhere, angles, atol=1e-3)


def test_speed_can_be_limited_further_and_is_refused_where_it_makes_no_sense(praxis: Robot, clips: Path) -> None:
    source = load_motion(clips / "jump_mixamo.bvh")
    angles = angles_of(praxis, retarget(source, praxis, config=RetargetConfig(velocity_limit_rad_s=2.0)).motion)
    assert np.abs(np.diff(angles, axis=0)).max() <= 2.0 * source.frame_time
    with pytest.raises(RetargetError, match="velocity_limit_rad_s"):
        RetargetConfig(velocity_limit_rad_s=0.0)
    with pytest.raises(RetargetError, match="as a whole"):
        retarget(source, praxis, config=RetargetConfig(part="upper"))
    with pytest.raises(RetargetError, match="no frames"):
        retarget(source[:0], praxis)


@pytest.mark.parametrize("torso_root", [False, True])
def test_a_robot_without_arms_and_head_walks(bodies, tmp_path: Path, torso_root: bool) -> None:
    robot = walker(tmp_path, torso_root=torso_root, crooked=True)
    walk = bodies.person().walk(60)
    result = retarget(walk, robot)
    angles = angles_of(robot, result.motion)
    assert result.report.hinges.outside_limits == 0 and robot.sole_positions(result.motion)[..., 1].min() > -1e-9
    knees = [robot.hinge_names.index(f"{side}_knee") for side in ("left", "right")]
    assert angles[:, knees].min() > -1e-6 and angles[:, knees].max() > 0.3  # the range beyond straight is not used
    twin = make_twin(robot)
    assert set(twin.roles) >= {"pelvis", "left_thigh", "right_foot"} and "left_hand" not in twin.roles
    seen = twin.seen_in(forward_kinematics(result.motion))
    heading = quaternion.rotate(seen.global_rotations[:, 0], np.array([0.0, 0.0, 1.0]))
    wanted = quaternion.rotate(walk.local_rotations[:, 0], np.array([0.0, 0.0, 1.0]))
    assert (np.einsum("fi,fi->f", heading, wanted) > 0.99).all()


def test_no_legs_no_robot(tmp_path: Path, bodies) -> None:
    path = tmp_path / "snake.xml"
    links = '<body pos=".1 0 0"><joint axis="0 0 1"/><geom size=".04"/>'
    path.write_text(
        f'<mujoco><worldbody><body name="s"><freejoint/><geom size=".05"/>{links * 3}{"</body>" * 3}</body></worldbody></mujoco>'
    )
    with pytest.raises(RetargetError, match="no two legs"):
        retarget(bodies.person().walk(4), load_robot(path))


def test_files_give_the_motion_back_and_a_person_gives_nothing_up(praxis: Robot, clips: Path, tmp_path: Path) -> None:
    source = load_motion(clips / "wave_cmu.bvh")[:20]
    before = source.local_rotations.copy()
    motion = retarget(source, praxis).motion
    np.testing.assert_array_equal(source.local_rotations, before)
    save_robot_motion(praxis, motion, tmp_path / "out.csv")
    back = load_robot_motion(praxis, tmp_path / "out.csv", frame_time=motion.frame_time)
    assert_motions_close(back, motion, atol=1e-9)


def test_the_twin_is_where_the_robot_is(praxis: Robot, clips: Path) -> None:
    motion = retarget(load_motion(clips / "turn_cmu.bvh")[:30], praxis).motion
    twin = make_twin(praxis)
    seen, again = twin.seen_in(forward_kinematics(motion)), forward_kinematics(twin_motion(twin, motion))
    np.testing.assert_allclose(again.global_positions, seen.global_positions, atol=1e-9)
    np.testing.assert_allclose(again.end_site_positions, seen.end_site_positions, atol=1e-9)


def test_chains_reach_what_their_robot_can_do(praxis: Robot) -> None:
    """Poses of the robot itself are found again: every hinge but those that no goal tells."""
    rng, twin = np.random.default_rng(5), make_twin(praxis)
    hinge = praxis.hinges
    middle, span = 0.5 * (praxis.lower + praxis.upper)[hinge], (praxis.upper - praxis.lower)[hinge]
    path = middle + 0.3 * span * np.sin(np.linspace(0.0, 3.0, 60)[:, None] + rng.uniform(0.0, 6.0, len(hinge)))
    qpos = np.tile(praxis.home_qpos, (60, 1))
    qpos[:, praxis.qpos_addresses[hinge]] = path
    motion = praxis.motion(qpos, 0.02)
    wanted = twin.seen_in(forward_kinematics(motion))
    roots, turns, angles = make_chains(praxis, twin).follow(wanted)
    np.testing.assert_allclose(roots, motion.root_positions, atol=1e-9)
    np.testing.assert_allclose(turns, motion.local_rotations[:, 0], atol=1e-9)
    qpos[:, praxis.qpos_addresses[hinge]] = angles
    found = twin.seen_in(forward_kinematics(praxis.motion(qpos, 0.02)))
    gaps = np.linalg.norm(found.global_positions - wanted.global_positions, axis=-1)
    assert gaps.mean() < 0.01 and gaps[:, [twin.roles.index("left_foot"), twin.roles.index("right_foot")]].max() < 0.01


def test_the_limit_of_speed_is_a_projection_that_keeps_ranges() -> None:
    rng = np.random.default_rng(2)
    given = np.cumsum(rng.normal(size=(200, 3)), axis=0)
    given[:, 1] *= 1e-3  # slow enough already
    angles, most = given.copy(), np.array([0.5, 0.5, 0.1])
    free = np.zeros(angles.shape, dtype=bool)
    hinge_speeds.limit_speed(angles, most, free)
    assert (np.abs(np.diff(angles, axis=0)) <= most + 1e-12).all()
    np.testing.assert_array_equal(angles[:, 1], given[:, 1])
    assert (angles.min(axis=0) >= given.min(axis=0)).all() and (angles.max(axis=0) <= given.max(axis=0)).all()
    apart = np.abs(np.arange(200)[:, None] - np.arange(200))
    for column in range(3):
        low = (given[:, column] + most[column] * apart).min(axis=1)
        high = (given[:, column] - most[column] * apart).max(axis=1)
        np.testing.assert_allclose(angles[:, column], 0.5 * (low + high), atol=1e-12)
    once = angles.copy()
    hinge_speeds.limit_speed(once, most * (1.0 + 1e-9), free)
    np.testing.assert_array_equal(once, angles)


def test_angles_of_stance_come_before_the_limit_of_speed_of_swing() -> None:
    rng, most = np.random.default_rng(4), np.array([0.2])
    given = np.cumsum(rng.normal(scale=0.1, size=(120, 1)), axis=0)
    held = np.zeros((120, 1), dtype=bool)
    held[20:40], held[80:100] = True, True
    given[20:40], given[80:100] = 0.3, -0.4  # slow enough; between them it rushes
    given[50:55] += 3.0
    angles = given.copy()
    hinge_speeds.limit_speed(angles, most, held)
    np.testing.assert_allclose(angles[held], given[held], atol=1e-12)
    assert np.abs(np.diff(angles, axis=0)).max() <= 0.2 + 1e-12
    alone = given.copy()
    hinge_speeds.limit_speed(alone, most, np.zeros_like(held))
    assert np.abs(alone[held] - given[held]).max() > 0.05


def test_planted_feet_of_a_run_do_not_slide(praxis: Robot, clips: Path) -> None:
    source = load_motion(clips / "run_lafan1.bvh")
    result = retarget(source, praxis)
    assert score_robot(source, result.motion, praxis).result.slide.mean_cm_s < 0.5
    assert result.report.hinges.slowed > 0.5  # the limit is not idle


def test_arms_give_way_to_the_body_and_to_each_other(praxis: Robot) -> None:
    """The twin folds its arms through trunk and each other: apart they come, inside the limits, and only they move."""
    twin, chains = make_twin(praxis), make_chains(praxis, make_twin(praxis))
    hinge = praxis.hinges
    qpos = np.tile(praxis.home_qpos, (40, 1))
    motion = praxis.motion(qpos, 1 / 30)
    angles = angles_of(praxis, motion)
    lower, upper = praxis.lower[hinge], praxis.upper[hinge]
    for side, name in ((1.0, "left"), (-1.0, "right")):
        column = praxis.hinge_names.index(f"{name}_shoulder_roll_joint")
        inward = -side * np.sign(praxis.axes[hinge[column]][2]) * np.linspace(0.0, 0.9, 40)
        angles[:, column] = np.clip(angles[:, column] + inward, lower[column], upper[column])
    qpos[:, praxis.qpos_addresses[hinge]] = angles
    folded = praxis.motion(qpos, 1 / 30)
    before = self_penetrations(praxis, folded)
    near = chains.near(folded)
    assert before.max() > 0.01 and near is not None
    led = twin.seen_in(forward_kinematics(folded))
    found = chains.settle(led, angles, 1.0, near)[2]
    qpos[:, praxis.qpos_addresses[hinge]] = found
    after = self_penetrations(praxis, praxis.motion(qpos, 1 / 30))
    assert after.max() < 0.2 * before.max() and (after.sum(axis=1) <= before.sum(axis=1) + 1e-3).all()
    assert (found >= lower).all() and (found <= upper).all() and np.abs(np.diff(found, axis=0)).max() <= 1.0
    legs = [n for n, name in enumerate(praxis.hinge_names) if "hip" in name or "knee" in name or "ankle" in name]
    np.testing.assert_allclose(found[:, legs], angles[:, legs], atol=0.02)
    assert chains.near(motion) is None


def test_depths_of_capsules_agree_with_distances_of_segments() -> None:
    rng = np.random.default_rng(1)
    ends = rng.normal(size=(50, 6, 2, 3))
    ends[:, 0, 1] = ends[:, 0, 0]  # spheres
    ends[:, 1, 1] = ends[:, 1, 0]
    radii, pairs = rng.uniform(0.2, 1.0, 6), np.stack(np.triu_indices(6, 1), axis=1).astype(np.int64)
    apart = segment_distances(ends[:, pairs[:, 0]], ends[:, pairs[:, 1]])
    wanted = np.maximum(radii[pairs].sum(axis=1) - apart, 0.0)
    np.testing.assert_allclose(capsules.depths(ends, radii, pairs), wanted, atol=1e-12)
