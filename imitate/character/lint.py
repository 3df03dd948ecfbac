"""What is wrong with a clip and its body before any training, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.character.actuation import carried_inertias
from imitate.character.character import Character, to_qpos
from imitate.character.clip import as_world
from imitate.character.dynamics import needed_torques, tracking_times
from imitate.character.hinges import gimbal_margin
from kinematics.contacts import foot_contacts
from kinematics.glitches import artificial_start
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.standardize import standardize
from retarget.robots.axes import rotations_to_y_up, to_y_up

SHORTEST_S = 0.4
DEEP, AIRY = 0.015, 0.02  # shares of the height: soles below the floor, and above it while the foot stands
SLIDING = 0.15  # m/s for a body of 1.75 m
OFF = 12.0  # degrees that hinges and limits may take from a joint
LOCK = 15.0  # degrees from gimbal lock
RATIO = 1e5  # of the inertias that two hinges carry
FREE_FALL = 0.35  # share of the weight without support, where feet stand
FIX = "`python -m imitate character CLIP --fix OUT.bvh` writes a mended clip"


@dataclass(frozen=True)
class LintFinding:
    """One thing that was looked at.

    Attributes:
        name: Short name.
        ok: Whether it is as it should be.
        value: What was measured, with its unit.
        mend: What to do where it is not.
    """

    name: str
    ok: bool
    value: str
    mend: str = ""


@dataclass(frozen=True)
class LintReport:
    """All that was looked at.

    Attributes:
        findings: In the order of the report.
        tracking_s: Median time for which hinges that just follow the clip keep the body up, seconds.
    """

    findings: tuple[LintFinding, ...]
    tracking_s: float

    @property
    def passed(self) -> bool:
        """Whether there is no warning."""
        return all(finding.ok for finding in self.findings)

    @property
    def warnings(self) -> tuple[LintFinding, ...]:
        """What is not as it should be."""
        return tuple(finding for finding in self.findings if not finding.ok)

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "passed": self.passed,
            "tracking_s": self.tracking_s,
            "findings": [vars(finding) for finding in self.findings],
        }


def lint(character: Character, motion: Motion) -> LintReport:
    """Check a clip and a body before any training.

    Args:
        character: The body.
        motion: A clip that it shall perform, in any unit and axes.

    Raises:
        ImitationError: On a clip of another skeleton, or without frames.
    """
    qpos = to_qpos(character, motion)
    times = tracking_times(character, qpos, motion.frame_time)
    findings = [
        *_clip(motion),
        *_floor(character, motion, qpos),
        *_joints(character, motion, qpos),
        *_forces(character, qpos, motion),
    ]
    survived = float(np.median(times))
    findings.append(
        LintFinding(
            "tracking without a policy",
            bool(survived >= 0.3),
            f"{survived:.2f} s in the median of {len(times)} starts",
            "the body falls at once: raise stance or natural_frequency_hz, or mend the clip's floor first",
        )
    )
    return LintReport(tuple(findings), survived)


def lint_clip(character: Character, motion: Motion) -> tuple[LintFinding, ...]:
    """Check a clip's length, first frames, floor and feet only, which takes no simulation.

    Args:
        character: The body.
        motion: A clip that it shall perform, in any unit and axes.

    Returns:
        What is not as it should be.
    """
    findings = [*_clip(motion), *_floor(character, motion, to_qpos(character, motion))]
    return tuple(finding for finding in findings if not finding.ok)


def _clip(motion: Motion) -> Iterator[LintFinding]:
    yield LintFinding(
        "length", motion.duration >= SHORTEST_S, f"{motion.duration:.2f} s",
        f"too short to learn from: give at least {SHORTEST_S} s, or loop it (kinematics.edit.loop)",
    )  # fmt: skip
    start = artificial_start(motion)
    yield LintFinding(
        "first frames", start == 0, "part of the motion" if not start else f"{start} added (a T-pose or zero pose)",
        f"cut them off; {FIX}",
    )  # fmt: skip


def _floor(character: Character, motion: Motion, qpos: Float[np.ndarray, "frames nq"]) -> Iterator[LintFinding]:
    heights = sole_heights(character, qpos)
    if not heights.shape[1]:
        return
    lowest = heights.min(axis=1)
    size = character.height
    deep, frames = -float(lowest.min()), float((lowest < -DEEP * size).mean())
    yield LintFinding(
        "feet below the floor", frames <= 0.02, f"{100 * max(deep, 0.0):.1f} cm at most, {100 * frames:.0f} % of frames beyond "
        f"{100 * DEEP * size:.1f} cm", f"lift or pin the feet; {FIX}",
    )  # fmt: skip
    contacts = foot_contacts(standardize(motion).motion)
    standing = contacts.in_contact.any(axis=1)
    if standing.size == lowest.size and standing.any():
        floating = float((lowest[standing] > AIRY * size).mean())
        yield LintFinding(
            "standing feet above the floor", floating <= 0.1,
            f"{100 * float(np.percentile(lowest[standing], 90)):.1f} cm (90th percentile), {100 * floating:.0f} % of frames over "
            f"{100 * AIRY * size:.1f} cm", f"the clip's floor is not level or its feet hang; {FIX}",
        )  # fmt: skip
        slowest = np.where(contacts.in_contact, contacts.speeds, np.inf).min(axis=1)[standing]
        slide = float(slowest.mean()) * 1.75 / size
        yield LintFinding(
            "slide of standing feet", slide <= SLIDING, f"{100 * slide:.1f} cm/s on the mean (for a body of 1.75 m)",
            f"pin the contacts; {FIX}",
        )  # fmt: skip


def sole_heights(character: Character, qpos: Float[np.ndarray, "frames nq"]) -> Float[np.ndarray, "frames corners"]:
    """Return how high the corners of the soles are in a clip, metres, shape (frames, corners)."""
    if character.robot is not None:
        return np.asarray(character.robot.sole_positions(character.robot.motion(qpos, 1.0))[..., 1])
    rig = character.rig
    assert rig is not None
    return rig.sole_heights(*rig.pose(to_y_up(qpos[:, :3]), rotations_to_y_up(qpos[:, 3:7]), qpos[:, 7:]))


def _joints(character: Character, motion: Motion, qpos: Float[np.ndarray, "frames nq"]) -> Iterator[LintFinding]:
    rig, names = character.rig, character.body_names
    angles = qpos[:, 7:]
    at_limit = ((angles <= character.lower + 1e-9) | (angles >= character.upper - 1e-9)).mean(axis=0)
    worst = int(at_limit.argmax())
    yield LintFinding(
        "frames at a limit", bool(at_limit[worst] <= 0.05), f"{100 * at_limit[worst]:.0f} % ({character.hinge_names[worst]})",
        "make the body from this clip, or raise range_margin_degrees",
    )  # fmt: skip
    if rig is None:
        return
    world = as_world(motion, character.skeleton)
    wanted = rig.wanted_rotations(world)
    _, made = rig.pose(world.root_positions, wanted[:, 0], angles)
    off = np.degrees(np.sqrt(np.square(quaternion.angle_between(wanted, made)).mean(axis=0)))
    worst = int(off.argmax())
    yield LintFinding(
        "lost to hinges and limits", bool(off[worst] <= OFF), f"{off[worst]:.1f} degrees ({names[worst]}, root mean square)",
        "lower hinge_tolerance_degrees, so that joints keep three hinges",
    )  # fmt: skip
    margins = np.full(rig.num_bodies, 90.0)
    for body in range(1, rig.num_bodies):
        local = quaternion.multiply(quaternion.inverse(made[:, rig.parents[body]]), made[:, body])
        margins[body] = np.degrees(gimbal_margin(rig.hinges(body), local))
    worst = int(margins.argmin())
    yield LintFinding(
        "gimbal margin", bool(margins[worst] >= LOCK), f"{margins[worst]:.0f} degrees ({names[worst]})",
        "make the body from this clip, whose hinges are then in another order",
    )  # fmt: skip


def _forces(character: Character, qpos: Float[np.ndarray, "frames nq"], motion: Motion) -> Iterator[LintFinding]:
    model = character.model
    inertias = carried_inertias(model, qpos[0])
    least = int(inertias.argmin())
    ratio = float(inertias.max() / inertias[least])
    yield LintFinding(
        "inertia ratio", ratio <= RATIO, f"{ratio:.0f} (least: {character.hinge_names[least]})",
        "raise armature or least_inertia, or merge that joint",
    )  # fmt: skip
    demand = needed_torques(character, qpos, motion.frame_time)
    share = np.percentile(np.abs(demand.torques), 98, axis=0) / character.torque_limits
    worst = int(share.argmax())
    yield LintFinding(
        "torque against its limit", bool(share[worst] <= 1.0),
        f"{100 * share[worst]:.0f} % ({character.hinge_names[worst]}, {share[worst] * character.torque_limits[worst]:.0f} N m of "
        f"{character.torque_limits[worst]:.0f})", f"smooth the clip (its accelerations are noise) or raise reach_degrees; {FIX}",
    )  # fmt: skip
    missing = float(np.median(demand.unbalanced))
    yield LintFinding(
        "weight that nothing bears", missing <= FREE_FALL, f"{100 * missing:.0f} % in the median frame",
        f"the feet do not reach the floor, or the body needs a hold that is not there; {FIX}",
    )  # fmt: skip
