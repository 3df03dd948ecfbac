"""Inverse kinematics in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kinematics.errors import InputError
from kinematics.ik.limits import Limit
from kinematics.ik.problem import Goals, Method, OverTime, Problem, RootMode
from kinematics.ik.result import Result
from kinematics.motion import Motion, Pose


def solve(
    pose: Pose | Motion,
    goals: Goals,
    *,
    method: Method = "levenberg_marquardt",
    tolerance: float | None = None,
    angle_tolerance: float | None = None,
    max_iterations: int | None = None,
    root: RootMode = "free",
    fixed: Sequence[str] = (),
    limits: Mapping[str, Limit] | None = None,
    stiffness: Mapping[str, float] | None = None,
    start: Pose | Motion | None = None,
    over_time: OverTime = "independent",
    smoothness: float = 1.0,
) -> Result:
    """Find the pose, or for each frame of a clip the pose, that meets the goals.

        ik.solve(motion[0], {"LeftHand": [0.4, 1.3, 0.3], "LeftFoot": ik.hold()}, method="fabrik").pose

    This makes an `ik.Problem` and solves it once; to solve the same goals for other poses or targets, keep the Problem.

    Args:
        pose: Where the body is: the search starts there, and what is held stays there.
        goals: For each joint or end site a goal, several goals, or a bare vector, which is a position; targets of shape
            (frames, 3) are one a frame.
        method: See `Problem`, as for the other options.
        tolerance: Largest distance that counts as met, in the skeleton's unit.
        angle_tolerance: Largest angle that counts as met, radians.
        max_iterations: After which a frame is given up.
        root: How the root may move: "free", "fixed", "translation" or "heading".
        fixed: Joints or end sites that stay exactly where they are, and may turn.
        limits: Joint limits by name.
        stiffness: By joint name, 1 is usual, `math.inf` is locked.
        start: Where the search starts instead of at `pose`: a warm start.
        over_time: How frames of a clip hang together, see `Problem.solve`.
        smoothness: Of `over_time="smooth"`, see there.

    Raises:
        InputError: On goals or options that cannot be.
        UnknownNameError: On an unknown joint, end site, method or root mode.
    """
    if not isinstance(pose, Pose | Motion):
        raise InputError(f"ik.solve takes a Pose or a Motion, got {type(pose).__name__}")
    problem = Problem(
        pose.skeleton,
        goals,
        method=method,
        tolerance=tolerance,
        angle_tolerance=angle_tolerance,
        max_iterations=max_iterations,
        root=root,
        fixed=fixed,
        limits=limits,
        stiffness=stiffness,
    )
    return problem.solve(pose, start=start, over_time=over_time, smoothness=smoothness)
