"""What a retarget did, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinematics.anatomy import find_anatomy
from kinematics.forward import GlobalTransforms
from retarget.rest_pose import RestPose
from retarget.speeds import SpeedReport

if TYPE_CHECKING:
    from rich.table import Table

# Bones between body parts, by the parts at their ends; "hips" and "shoulders" are the middles of the two sides.
BONES: dict[str, tuple[str, str]] = {"trunk": ("hips", "shoulders"), "neck": ("neck", "head")} | {
    side + name: (side + start, side + end)
    for side in ("left_", "right_")
    for name, start, end in (
        ("clavicle", "clavicle", "upper_arm"),
        ("upper_arm", "upper_arm", "forearm"),
        ("forearm", "forearm", "hand"),
        ("thigh", "thigh", "shin"),
        ("shin", "shin", "foot"),
        ("foot", "foot", "toe"),
    )
}


LIMBS = tuple(name for name in BONES if name.endswith(("upper_arm", "forearm", "thigh", "shin")))


@dataclass(frozen=True)
class DirectionError:
    """Angle between a source bone and its target bone, in degrees.

    Attributes:
        mean_degrees: Mean over all frames.
        max_degrees: Largest of all frames.
        build_degrees: The same angle while both bodies stand in the rest pose: the skeletons are built differently (a toe joint
            higher up, a collar bone that starts at the spine), and a transfer that keeps postures keeps this angle.
    """

    mean_degrees: float
    max_degrees: float
    build_degrees: float


class Directions:
    """What is told of the bones of a result, for classes that have `bone_directions`."""

    bone_directions: Mapping[str, DirectionError]

    @property
    def mean_direction_error_degrees(self) -> float:
        """Mean over bones and frames; 0 where there are no common bones."""
        return mean_error(self.bone_directions, self.bone_directions)

    @property
    def limb_direction_error_degrees(self) -> float:
        """Mean over arms and legs and frames: bones that every skeleton builds alike; 0 where there are no common ones."""
        return mean_error(self.bone_directions, LIMBS)

    @property
    def max_direction_error_degrees(self) -> float:
        """Largest over bones and frames."""
        return max((error.max_degrees for error in self.bone_directions.values()), default=0.0)


@dataclass(frozen=True)
class RetargetReport(Directions):
    """Numbers of a retarget.

    Attributes:
        frames: Frames retargeted.
        mapped: Target joints that are driven.
        target_joints: Joints of the target.
        root_scale: Leg length of the target over the source's, both in metres where the target's unit is known.
        height_shift: How far the result was raised so that its feet stand as high as the source's, as a share of the
            target's leg length.
        same_body: Whether both skeletons have the same bone lengths up to one scale.
        source_rest: What told the source's rest pose: "given pose", "zero pose", "clip" or "bone directions".
        target_rest: What told the target's rest pose.
        bone_directions: Error of each bone between body parts, by its name out of `BONES`.
        speed: What the limit of speed did to ball joints; None without one.
        warnings: What the user should know, one sentence each.
    """

    frames: int
    mapped: int
    target_joints: int
    root_scale: float
    height_shift: float
    same_body: bool
    source_rest: str
    target_rest: str
    bone_directions: Mapping[str, DirectionError]
    speed: SpeedReport | None
    warnings: tuple[str, ...]

    def __rich__(self) -> Table:
        """Return a table for the terminal."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title="Report", title_justify="left", show_header=False)
        table.add_column()
        table.add_column(overflow="fold")
        table.add_row("frames", str(self.frames))
        table.add_row("joints driven", f"{self.mapped} of {self.target_joints}")
        table.add_row("root path scaled by", f"{self.root_scale:.4f} (leg lengths)")
        table.add_row("raised by", f"{100 * self.height_shift:.2f} % of the leg")
        table.add_row("rest pose from", f"source: {self.source_rest}; target: {self.target_rest}")
        mean, most = self.mean_direction_error_degrees, self.max_direction_error_degrees
        limbs = self.limb_direction_error_degrees
        table.add_row("bone direction error", f"mean {mean:.2f} (arms and legs {limbs:.2f}), max {most:.1f} degrees")
        for name, error in self.bone_directions.items():
            table.add_row(f"  {name.replace('_', ' ')}", f"{error.mean_degrees:.2f}, max {error.max_degrees:.1f}" + _build(error))
        if self.speed is not None:
            table.add_row("joints slowed", escape(_slowed(self.speed)))
        for warning in self.warnings:
            table.add_row("[yellow]note[/]", escape(warning))
        return table


def _slowed(speed: SpeedReport) -> str:
    limit = f"limit {speed.limit_rad_s:.4g} rad/s"
    if not speed.joints:
        return f"none ({limit}; fastest {speed.was_fastest or 'none'}, {speed.was_rad_s:.2f})"
    who = ", ".join(speed.joints[:4]) + (f" and {len(speed.joints) - 4} more" if len(speed.joints) > 4 else "")
    return f"{who}, in {speed.slowed:.1%} of frames ({limit}; {speed.was_fastest} was at {speed.was_rad_s:.2f})"


def _build(error: DirectionError) -> str:
    return f" (built {error.build_degrees:.1f} apart)" if error.build_degrees >= 0.05 else ""


def mean_error(errors: Mapping[str, DirectionError], names: Iterable[str]) -> float:
    """Return the mean over those bones that were compared, in degrees; 0 where none was."""
    found = [errors[name].mean_degrees for name in names if name in errors]
    return float(np.mean(found)) if found else 0.0


def bone_direction_errors(
    source: GlobalTransforms, target: GlobalTransforms, source_rest: RestPose, target_rest: RestPose
) -> dict[str, DirectionError]:
    """Compare the directions of the bones that both bodies have.

    Args:
        source: The source in a world with Y up.
        target: The result in the same world, frame by frame.
        source_rest: The source's rest pose.
        target_rest: The target's rest pose.
    """
    errors = {}
    for name in BONES:
        one, other = _bone(source, source_rest, name), _bone(target, target_rest, name)
        if one is not None and other is not None:
            across = np.cross(one, other)
            sines, cosines = np.sqrt(np.einsum("fi,fi->f", across, across)), np.einsum("fi,fi->f", one, other)
            angles = np.degrees(np.arctan2(sines, cosines))
            errors[name] = DirectionError(float(angles[1:].mean()), float(angles[1:].max()), float(angles[0]))
    return errors


def _bone(seen: GlobalTransforms, rest: RestPose, name: str) -> Float[np.ndarray, "frames 3"] | None:
    """Vector along a bone in the rest pose and in each frame; None where a part is missing or the bone has no length."""
    joints, points = find_anatomy(rest.skeleton).joints, []
    for end in BONES[name]:
        middle = {"hips": "thigh", "shoulders": "upper_arm"}.get(end)
        roles = ["left_" + middle, "right_" + middle] if middle else [end]
        if not all(role in joints for role in roles):
            return None
        point = np.empty((len(seen.global_positions) + 1, 3))
        point[0] = np.mean([rest.global_positions[joints[role]] for role in roles], axis=0)
        np.divide(sum(seen.global_positions[:, joints[role]] for role in roles), len(roles), out=point[1:])
        points.append(point)
    bone = np.asarray(points[1] - points[0])
    return bone if np.einsum("fi,fi->f", bone, bone).min(initial=np.inf) > 0 else None
