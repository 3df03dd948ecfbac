"""Put people's motions on robots: the twin moves first, then the hinges follow it inside their limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kinematics.anatomy import SIDES
from kinematics.contacts import foot_contacts
from kinematics.edit import in_place
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.motion import Motion
from retarget.body import read_body
from retarget.config import RetargetConfig, as_config
from retarget.errors import RetargetError
from retarget.feet import UP, FootGoal
from retarget.joint_map import JointMap
from retarget.pipeline import Retargeted, retarget
from retarget.report import bone_direction_errors
from retarget.robots.chains import make_chains
from retarget.robots.feet import on_edges, onto_floor, plan_soles, planned_soles, stay
from retarget.robots.model import Robot
from retarget.robots.report import RobotReport, measure_hinges
from retarget.robots.twin import Twin, make_twin, own_pairs
from retarget.solve import within_reach


def retarget_to_robot(
    motion: Motion, robot: Robot, *, joint_map: JointMap | None = None, config: RetargetConfig | str = "feet"
) -> Retargeted:
    """Put a motion on a robot.

    The robot's twin, a body of ball joints in its proportions, is retargeted as any skeleton is. The hinges then follow the
    twin's pelvis, chest, head, feet, and the directions of its limbs, never outside their limits, and no faster than
    `config.hinge_limit_rad_s`; at last the root is raised or lowered until standing soles are on the floor.

    Args:
        motion: The clip, in its file's own unit and axes.
        robot: The robot.
        joint_map: Which joint drives which; target joints are the last hinges of their clusters, as `result.joint_map` names
            them.
        config: What is kept, or the name of a preset.

    Returns:
        A motion of `robot.skeleton` (metres, Y up), the map, and a `RobotReport`. `robot.qpos(result.motion)` and
        `robot.joint_velocities(result.motion)` give the numbers that controllers take.

    Raises:
        RetargetError: Where the robot has no two legs, and as `retarget.retarget` does.
        UnknownNameError: As `retarget.retarget` does.
    """
    config = as_config(config)
    if config.limits or config.pins or config.part != "whole":
        raise RetargetError(
            "a robot keeps the limits of its own hinges and is retargeted as a whole: leave `limits` and `pins` empty and "
            '`part` "whole"'
        )
    if not robot.hinge_names:
        raise RetargetError(f"{robot.name} has no hinges, so there is nothing to move")
    twin, chains, source = make_twin(robot), make_chains(robot, make_twin(robot)), read_body(motion, "source")
    freely = replace(config, feet=False, in_place=False, velocity_limit_rad_s=None)
    led = retarget(motion, twin.clip, joint_map=joint_map, config=freely)
    scale = _leg(twin) / (source.leg_length * source.metres_per_unit)
    draft, feet = led.motion, []
    contacts = foot_contacts(source.clip, transforms=source.transforms)
    if config.feet:
        feet = plan_soles(robot, twin, contacts, source.transforms, scale, draft, config.ease_s)
        draft = within_reach(draft, feet)
    goals = _with_feet(forward_kinematics(draft), feet)
    roots, turns, angles = chains.follow(goals)
    standing = np.stack([contacts.left, contacts.right], axis=1) & config.feet
    most = config.hinge_limit_rad_s * motion.frame_time
    slowed = chains.limit_speed(angles, most, standing)
    result = _motion(robot, roots, turns, angles, motion.frame_time)
    planted = config.feet and len(robot.soles.joints) > 0
    if planted:
        seen = twin.seen_in(forward_kinematics(result))
        goals = on_edges(robot, twin, goals, seen, robot.sole_positions(result), standing, motion.frame_time)
    roots, turns, angles = chains.settle(goals, angles, most, chains.near(result))
    result = _motion(robot, roots, turns, angles, motion.frame_time)
    if planted:
        soles = robot.sole_positions(result)
        shift = stay(planned_soles(robot, twin, goals), soles, robot.soles.sides, standing, motion.frame_time)
        shift = shift + _lift(soles + shift[:, None], robot, standing, motion.frame_time)[:, None] * UP
        result = result.with_root_positions(result.root_positions + shift)
    seen = forward_kinematics(result)
    bones = bone_direction_errors(source.transforms, twin.seen_in(seen), source.rest, read_body(twin.clip, "target").rest)
    report = RobotReport(
        **{name: getattr(led.report, name) for name in led.report.__dataclass_fields__ if name != "bone_directions"},
        bone_directions=bones,
        hinges=measure_hinges(robot, result, angles, slowed, config.hinge_limit_rad_s),
    )
    report = replace(report, root_scale=scale, mapped=len(chains.hinges), target_joints=len(robot.hinges))
    return Retargeted(in_place(result) if config.in_place else result, own_pairs(led.joint_map, robot), report)


def _leg(twin: Twin) -> float:
    """Length of thigh and shin, mean of both sides, metres."""
    offsets = twin.skeleton.offsets
    legs = [twin.roles.index(side + part) for side in SIDES for part in ("shin", "foot")]
    return 0.5 * float(np.linalg.norm(offsets[legs], axis=1).sum())


def _motion(robot: Robot, roots: np.ndarray, turns: np.ndarray, angles: np.ndarray, frame_time: float) -> Motion:
    rotations = np.zeros((len(angles), robot.skeleton.num_joints, 4))
    rotations[..., 0] = 1.0
    rotations[:, 0] = turns
    rotations[:, robot.hinges, 0] = np.cos(0.5 * angles)
    rotations[:, robot.hinges, 1:] = np.sin(0.5 * angles)[..., None] * robot.axes[robot.hinges]
    return Motion(robot.skeleton, roots, rotations, frame_time)


def _with_feet(seen: GlobalTransforms, feet: list[FootGoal]) -> GlobalTransforms:
    """Put the feet of the twin where they shall be; its legs are left behind, and follow as hinges."""
    positions, rotations = seen.global_positions.copy(), seen.global_rotations.copy()
    for foot in feet:
        positions[:, foot.ankle], rotations[:, foot.ankle] = foot.positions, foot.rotations
    return GlobalTransforms(seen.skeleton, positions, rotations, seen.end_site_positions)


def _sides(robot: Robot) -> list[np.ndarray]:
    return [robot.soles.sides == side for side in (1, -1)]


def _lift(soles: np.ndarray, robot: Robot, standing: np.ndarray, frame_time: float) -> np.ndarray:
    """Return how far to raise the robot, (frames,): the lower of its standing soles comes to 0, and none is below."""
    heights = np.stack([soles[:, mine, 1].min(axis=1, initial=np.inf) for mine in _sides(robot)], axis=1)
    stands = np.where(standing, heights, np.inf).min(axis=1)
    return onto_floor(stands, heights.min(axis=1), np.asarray(standing.any(axis=1)), frame_time)
