"""What retargeting to a robot did, in numbers: those of every retarget, and those of hinges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from kinematics.motion import Motion
from retarget.report import RetargetReport
from retarget.robots.collisions import TOUCH, self_penetrations
from retarget.robots.model import Robot

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class HingeReport:
    """What hinges did.

    Attributes:
        outside_limits: Angles outside their limits, over all frames and hinges.
        at_limits: Share of frames in which any hinge is at a limit.
        max_speed_rad_s: Largest speed of a hinge.
        fastest: That hinge.
        speed_limit_rad_s: The limit of speed.
        slowed: Share of frames in which the limit of speed changed an angle.
        first_step_degrees: Largest turn of a hinge from the first frame to the second.
        collision_fraction: Share of frames in which the robot is more than a millimetre inside itself.
        collision_max_cm: Deepest.
        collision_pair: The two shapes that are, or "".
    """

    outside_limits: int
    at_limits: float
    max_speed_rad_s: float
    fastest: str
    speed_limit_rad_s: float
    slowed: float
    first_step_degrees: float
    collision_fraction: float
    collision_max_cm: float
    collision_pair: str


@dataclass(frozen=True)
class RobotReport(RetargetReport):
    """Numbers of a retarget to a robot.

    Attributes:
        hinges: What the hinges did.
    """

    hinges: HingeReport

    def __rich__(self) -> Table:
        """Return a table for the terminal."""
        from rich.markup import escape

        table, own = super().__rich__(), self.hinges
        table.add_row("angles outside limits", f"{own.outside_limits} (a hinge at its limit in {own.at_limits:.0%} of frames)")
        table.add_row(
            "fastest hinge",
            f"{own.max_speed_rad_s:.2f} rad/s, {escape(own.fastest)} (limit {own.speed_limit_rad_s:.2f}; slowed in "
            f"{own.slowed:.1%} of frames)",
        )
        pair = f", {escape(own.collision_pair)}" if own.collision_pair else ""
        table.add_row("self-collision", f"{own.collision_fraction:.1%} of frames, deepest {own.collision_max_cm:.1f} cm{pair}")
        return table


def measure_hinges(
    robot: Robot,
    motion: Motion,
    angles: Float[np.ndarray, "frames hinges"],
    slowed: Bool[np.ndarray, " frames"],
    speed_limit: float,
) -> HingeReport:
    """Measure what the hinges did.

    Args:
        robot: The robot.
        motion: The result.
        angles: Its hinge angles, radians.
        slowed: Whether the limit of speed changed an angle, for each frame.
        speed_limit: That limit, rad/s.
    """
    lower, upper = robot.lower[robot.hinges], robot.upper[robot.hinges]
    steps = np.abs(np.diff(angles, axis=0))
    fastest = np.unravel_index(int(steps.argmax()), steps.shape) if steps.size else (0, 0)
    depth = self_penetrations(robot, motion)
    worst = int(depth.max(axis=0, initial=0.0).argmax()) if depth.size else 0
    deepest = float(depth.max(initial=0.0))
    names = [robot.capsules.names[int(capsule)] for capsule in robot.capsules.pairs[worst]] if deepest > 0.0 else []
    return HingeReport(
        outside_limits=int(((angles < lower) | (angles > upper)).sum()),
        at_limits=float((np.minimum(angles - lower, upper - angles) < 1e-6).any(axis=1).mean()),
        max_speed_rad_s=float(steps.max(initial=0.0)) / motion.frame_time,
        fastest=robot.hinge_names[int(fastest[1])],
        speed_limit_rad_s=speed_limit,
        slowed=float(slowed.mean()),
        first_step_degrees=float(np.degrees(steps[:1].max(initial=0.0))),
        collision_fraction=float((depth > TOUCH).any(axis=1).mean()),
        collision_max_cm=100.0 * deepest,
        collision_pair=" and ".join(names),
    )
