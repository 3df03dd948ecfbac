"""Score a robot's motion against the clip it comes from."""

from __future__ import annotations

from dataclasses import replace

from kinematics.metrics import joint_turns, largest_turn
from kinematics.motion import Motion
from retarget.config import VELOCITY_LIMIT
from retarget.joint_map import JointMap
from retarget.robots.model import Robot
from retarget.robots.twin import make_twin, twin_motion
from retarget.score import score
from retarget.score_card import ScoreCard
from retarget.score_turns import first_frame, overstepping, speeding, turn_ratio


def score_robot(
    source: Motion,
    result: Motion,
    robot: Robot,
    *,
    joint_map: JointMap | None = None,
    velocity_limit: float = VELOCITY_LIMIT,
    in_place: bool = False,
) -> ScoreCard:
    """Measure how good a motion of a robot is, as `retarget.score` does.

    A robot's hinges lie around its hips and shoulders, not in them; so places and directions are those of its twin, whose
    joints are the middles of the clusters, and turns, limits and speeds are those of the hinges.

    Args:
        source: The clip that was retargeted.
        result: The same frames of the robot.
        robot: The robot.
        joint_map: The map of the retarget, as `retarget.match(source, robot)` returns it, edited or not.
        velocity_limit: Radians a second that no hinge should exceed.
        in_place: Whether the way over the ground was taken out; slide and path are not compared then.

    Raises:
        InputError: As `retarget.score` does, or where the result is no motion of the robot.
        RetargetError: Where the source is no body with two legs, or the robot has none.
        UnknownNameError: Where the map names a joint that does not exist, or a hinge that is not the last of its cluster.
    """
    robot.hinge_angles(result)  # refuses other skeletons
    twin = make_twin(robot)
    moved, limit = twin_motion(twin, result), velocity_limit
    card = score(source, moved, joint_map=joint_map, target=twin.clip, velocity_limit=limit, in_place=in_place)
    turns = joint_turns(result)
    most = largest_turn(result, turns=turns)
    column = replace(
        card.result,
        largest_turn=most,
        first_frame=first_frame(turns),
        speeding=speeding(turns, result, velocity_limit),
        overstepping=overstepping(result, robot.limits()),
    )
    return replace(card, result=column, turn_ratio=turn_ratio(card.source.largest_turn, most))
