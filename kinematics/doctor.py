"""Examine a clip for the defects that files in the wild have, and mend those that can be mended safely."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from kinematics.anatomy import find_anatomy
from kinematics.contacts import foot_contacts
from kinematics.errors import UnknownNameError
from kinematics.frames import up_axis
from kinematics.glitches import Glitch, artificial_start, bridge, find_jumps, find_spikes
from kinematics.metrics import bone_length_drift, penetration, slide
from kinematics.motion import Motion
from kinematics.rotations import euler
from kinematics.standardize import standardize
from kinematics.world import WorldReport, inspect_world

SEVERITIES = ("error", "warning", "note")
SLOWEST_FRAME_TIME = 0.2  # seconds; nobody records at less than 5 Hz
FLOOR_BELOW, FLOOR_ABOVE = -0.05, 0.15  # metres in which the lowest standing foot point may lie: toes have no soles
SINKS = 0.05  # metres below the floor
SLIDES = 20.0  # cm/s on average
STRETCHES = 1.0  # percent
GIMBAL = np.radians(5.0)


@dataclass(frozen=True)
class Finding:
    """One thing that is or may be wrong.

    Attributes:
        check: Short name of the check, such as "spikes".
        severity: "error" (the clip cannot be used as it is), "warning" (it will show) or "note" (good to know).
        message: What was found.
        mend: What to do about it; "" where nothing needs to be done.
        frames: Ranges of frames, first and last, from 0; empty where it concerns the whole clip.
        fixable: Whether `fix` mends it.
    """

    check: str
    severity: str
    message: str
    mend: str = ""
    frames: tuple[tuple[int, int], ...] = ()
    fixable: bool = False

    def __post_init__(self) -> None:
        """Check the severity."""
        if self.severity not in SEVERITIES:
            raise UnknownNameError("severity", self.severity, SEVERITIES)

    def __str__(self) -> str:
        """Return one line of text."""
        where = f" (frame{'' if _is_single(self.frames) else 's'} {_ranges(self.frames)})" if self.frames else ""
        how = " [doctor --fix]" if self.fixable else ""
        return f"{self.severity}: {self.check}: {self.message}{where}" + (f"; mend: {self.mend}{how}" if self.mend else "")


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found in a clip, errors first.

    Attributes:
        findings: The findings.
        world: What the clip's unit, axes and facing are taken to be.
    """

    findings: tuple[Finding, ...]
    world: WorldReport

    @property
    def is_healthy(self) -> bool:
        """Whether there are no errors or warnings; notes do not count."""
        return all(finding.severity == "note" for finding in self.findings)

    def finding(self, check: str) -> Finding | None:
        """Return the finding of one check, or None where it found nothing."""
        return next((finding for finding in self.findings if finding.check == check), None)

    def __str__(self) -> str:
        """Return one line for each finding, with a verdict in front."""
        counts = [(sum(f.severity == s for f in self.findings), s) for s in SEVERITIES]
        said = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)
        return "\n".join(
            [f"{'healthy' if self.is_healthy else 'needs care'}: {said or 'nothing found'}", *map(str, self.findings)]
        )


@dataclass(frozen=True)
class Mended:
    """A clip after `fix`.

    Attributes:
        motion: The mended motion; the very one that was given where nothing had to be mended.
        changes: What was done, in order.
    """

    motion: Motion
    changes: tuple[str, ...]


def diagnose(motion: Motion) -> Diagnosis:
    """Examine a clip in its own unit and axes.

    Args:
        motion: The clip as read.
    """
    start = artificial_start(motion)
    clip = motion[start:] if start else motion
    world = inspect_world(clip)
    findings = [
        *_reading(motion),
        *_time(motion),
        *_first_frame(start),
        *_world(world, clip),
        *_structure(motion),
        *_glitches(clip, start),
        *_repeats(clip, start),
        *_stretch(clip),
        *_angles(motion),
        *_feet(clip, world),
    ]
    return Diagnosis(tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))), world)


def fix(motion: Motion) -> Mended:
    """Mend what can be mended without guessing: a clean clip is returned as it is.

    In this order: an artificial first frame is dropped; spikes of up to three frames are bridged; a body that stands
    clearly above or below height zero is moved onto it; angles that wrap around are written without jumps. Unit, axes, frame
    time, skeleton and all other frames stay.

    Args:
        motion: The clip as read.
    """
    changes = []
    start = artificial_start(motion)
    if start:
        motion = motion[start:]
        changes.append(f"dropped {'frame 0' if start == 1 else f'the first {start} frames'}, an artificial pose")
    spikes = find_spikes(motion)
    if spikes:
        motion = bridge(motion, spikes)
        changes.append(f"bridged {_listed(spikes, motion)} at {_ranges((g.first, g.last) for g in spikes)} of the result")
    world = inspect_world(motion)
    floor = _floor(motion, world)
    if floor is not None and not FLOOR_BELOW <= floor <= FLOOR_ABOVE:
        shift = -floor / world.metres_per_unit * up_axis(world.up.value)
        motion = motion.with_root_positions(motion.root_positions + shift)
        changes.append(f"moved the clip by {-100 * floor:+.1f} cm along {world.up.value}, so that its feet stand at zero")
    if _wraps(motion):
        motion = replace(motion, source=replace(motion.source, channel_values=None))
        changes.append("angles will be written without jumps of 360 degrees; the rotations are the same")
    return Mended(motion, tuple(changes))


def _reading(motion: Motion) -> list[Finding]:
    repairs = motion.source.repairs
    if not repairs:
        return []
    shown = "; ".join(str(repair) for repair in repairs[:5]) + (f"; ... {len(repairs)} in all" if len(repairs) > 5 else "")
    return [Finding("reading", "warning", f"the file had to be repaired while reading: {shown}", "save it to write a sound file")]


def _time(motion: Motion) -> list[Finding]:
    if motion.num_frames == 0:
        return [Finding("frames", "error", "the clip has no frames, only a skeleton")]
    if motion.num_frames > 1 and motion.frame_time > SLOWEST_FRAME_TIME:
        message = f"a frame lasts {motion.frame_time:g} s: the frame time was probably lost"
        return [Finding("frame time", "warning", message, "set the true one, such as motion.with_frame_time(1 / 30)")]
    if motion.num_frames > 1 and motion.frame_time < 1e-3:
        message = f"a frame lasts {motion.frame_time:g} s, {motion.frame_rate:g} frames a second"
        return [Finding("frame time", "warning", message, "set the true one, such as motion.with_frame_time(1 / 120)")]
    return []


def _first_frame(start: int) -> list[Finding]:
    if not start:
        return []
    which = "the first frame is" if start == 1 else f"the first {start} frames come out of"
    message = f"{which} an artificial pose (zero or T-pose) that is not part of the motion"
    return [Finding("first frame", "warning", message, "drop it", ((0, start - 1),), fixable=True)]


def _world(world: WorldReport, motion: Motion) -> list[Finding]:
    found = []
    if not world.is_body:
        found.append(Finding("body", "note", "no legs or arms were recognised; checks of the body were left out"))
    elif world.unit.confidence < 0.8:
        found.append(Finding("unit", "warning", str(world.unit), "give the unit: standardize(motion, unit=...)"))
    if world.is_body and motion.num_frames and world.up.confidence < 0.8:
        found.append(Finding("up axis", "warning", str(world.up), "give the axis: standardize(motion, up=...)"))
    if world.handedness.value == "left-handed":
        mend = "export it again right-handed, or swap left and right in the joint names"
        found.append(Finding("handedness", "error", f"the body is mirrored: {world.handedness.reason}", mend))
    elif world.is_body and world.handedness.confidence < 0.5:
        found.append(Finding("handedness", "warning", str(world.handedness), "look at it: left and right may be swapped"))
    return found


def _structure(motion: Motion) -> list[Finding]:
    skeleton = motion.skeleton
    if motion.local_positions is None:
        lengths = np.linalg.norm(skeleton.offsets, axis=-1)
    else:
        lengths = np.linalg.norm(motion.local_positions, axis=-1).max(axis=0, initial=0.0)
    flat = [skeleton.joint_names[joint] for joint in range(1, skeleton.num_joints) if lengths[joint] == 0.0]
    if not flat:
        return []
    return [Finding("bones", "note", f"{len(flat)} bones have no length: {_some(flat)}; usual in CMU files and harmless")]


def _glitches(motion: Motion, start: int) -> list[Finding]:
    spikes = find_spikes(motion)
    jumps = find_jumps(motion, spikes)
    found = []
    if spikes:
        ranges = tuple((glitch.first + start, glitch.last + start) for glitch in spikes)
        found.append(Finding("spikes", "warning", _listed(spikes, motion), "interpolate them", ranges, fixable=True))
    if jumps:
        ranges = tuple((glitch.first + start, glitch.first + start) for glitch in jumps)
        mend = "look at it: cut the clip there, or join the two parts with edit.concatenate"
        found.append(Finding("jumps", "warning", _listed(jumps, motion), mend, ranges))
    return found


def _repeats(motion: Motion, start: int) -> list[Finding]:
    if motion.num_frames < 3:
        return []
    same = (motion.local_rotations[1:] == motion.local_rotations[:-1]).all(axis=(1, 2))
    same &= (motion.root_positions[1:] == motion.root_positions[:-1]).all(axis=1)
    if motion.local_positions is not None:
        same &= (motion.local_positions[1:] == motion.local_positions[:-1]).all(axis=(1, 2))
    if not same.any():
        return []
    if same.all():
        return [Finding("repeats", "note", f"nothing moves in all {motion.num_frames} frames")]
    for factor in (2, 3, 4):
        pattern = np.arange(1, motion.num_frames) % factor != 0
        if np.mean(same == pattern) > 0.95:
            message = f"each pose is written {factor} times: the clip has {motion.frame_rate / factor:g} frames a second"
            mend = f"motion[::{factor}].with_frame_time({factor} * motion.frame_time)"
            return [Finding("repeats", "warning", message, mend)]
    ranges = _runs(same, start + 1)
    longest = max(last - first + 1 for first, last in ranges)
    return [Finding("repeats", "note", f"{int(same.sum())} frames repeat the one before, {longest} in a row at most", "", ranges)]


def _stretch(motion: Motion) -> list[Finding]:
    drift = bone_length_drift(motion)
    if drift.max_percent <= STRETCHES:
        return []
    message = f"bones stretch, by {drift.max_percent:.1f} % at most ({drift.worst_joint}), {drift.mean_percent:.2f} % on average"
    return [Finding("bones stretch", "note", message, "edit.bake_positions makes them rigid")]


def _angles(motion: Motion) -> list[Finding]:
    found = []
    wrapped = _wraps(motion)
    if wrapped:
        message = f"Euler angles jump by more than 180 degrees at {_some(wrapped)}; the rotations are smooth, but curves are not"
        found.append(Finding("angle wraps", "note", message, "write the angles without jumps", fixable=True))
    locked = _near_gimbal(motion)
    if locked:
        message = f"within 5 degrees of gimbal lock in the file's own order: {_some(locked)}"
        found.append(Finding("gimbal lock", "note", message, "work on quaternions, not on the file's angles"))
    return found


def _wraps(motion: Motion) -> list[str]:
    """Joints whose angles in the file jump by more than half a turn where the rotation does not."""
    layout, values = motion.skeleton.layout, motion.source.channel_values
    if layout is None or values is None or len(values) != motion.num_frames or values.shape[1] != layout.num_channels:
        return []
    leaps = (np.abs(np.diff(values, axis=0)) > 180.0).any(axis=0)
    owners = [(joint, name) for joint, names in enumerate(layout.channels) for name in names]
    joints = {owners[column][0] for column in np.flatnonzero(leaps).tolist() if owners[column][1].endswith("rotation")}
    return [motion.skeleton.joint_names[joint] for joint in sorted(joints)]


def _near_gimbal(motion: Motion) -> list[str]:
    layout = motion.skeleton.layout
    if layout is None or not motion.num_frames:
        return []
    found = []
    for joint, name in enumerate(motion.skeleton.joint_names):
        order = layout.rotation_axes(joint)
        if order not in euler.ORDERS or order[0] == order[2]:  # a proper Euler order is locked at rest, on purpose
            continue
        middle = np.abs(euler.from_quaternion(motion.local_rotations[:, joint], order)[:, 1])
        share = float(np.mean(middle > 0.5 * np.pi - GIMBAL))
        if share > 0.0:
            found.append(f"{name} ({_percent(share)} of frames)")
    return found


def _floor(motion: Motion, world: WorldReport) -> float | None:
    """Height in metres at which the lowest foot point stands, or None where no foot ever does."""
    if not find_anatomy(motion.skeleton).has_legs or motion.num_frames < 2:
        return None
    contacts = foot_contacts(motion, up=world.up.value)
    return contacts.floor * world.metres_per_unit if contacts.in_contact.any() else None


def _feet(motion: Motion, world: WorldReport) -> list[Finding]:
    if not find_anatomy(motion.skeleton).has_legs or motion.num_frames < 2:
        return []
    clip = standardize(motion, unit=world.metres_per_unit, up=world.up.value, handedness="right").motion
    contacts = foot_contacts(clip)
    if not contacts.in_contact.any():
        message = "no foot ever stands: the body flies, swims or sits, or it walks on the spot because its travel was lost"
        return [Finding("feet", "note", message)]
    found = []
    if not FLOOR_BELOW <= contacts.floor <= FLOOR_ABOVE:
        message = f"feet stand {100 * abs(contacts.floor):.0f} cm {'below' if contacts.floor < 0 else 'above'} height zero"
        found.append(Finding("floor", "warning", message, "move the clip onto the floor", fixable=True))
    sunk = penetration(clip, floor=contacts.floor, tolerance=SINKS * contacts.scale)
    if sunk.fraction > 0.0:
        message = f"the body is below the floor in {_percent(sunk.fraction)} of frames, by {sunk.max_depth_cm:.0f} cm at most"
        found.append(Finding("penetration", "note", message))
    skate = slide(clip, contacts=contacts)
    if skate.mean_cm_s > SLIDES * contacts.scale:
        message = (
            f"standing feet slide at {skate.mean_cm_s:.0f} cm/s on average, {skate.p95_cm_s:.0f} cm/s at the 95th percentile"
        )
        found.append(Finding("sliding feet", "warning", message, "plant the feet; where the root trembles, smooth it first"))
    return found


def _listed(glitches: list[Glitch], motion: Motion) -> str:
    """Say "3 spikes or jumps" by joint, the largest first."""
    names = motion.skeleton.joint_names
    largest: dict[int, float] = {}
    for glitch in glitches:
        largest[glitch.joint] = max(largest.get(glitch.joint, 0.0), glitch.size)
    said = [
        f"the root's position by {size:.3g} units" if joint < 0 else f"{names[joint]} by {np.degrees(size):.0f} degrees"
        for joint, size in sorted(largest.items(), key=lambda item: (item[0] >= 0, -item[1]))
    ]
    return f"{len(glitches)} {'place' if len(glitches) == 1 else 'places'}: {_some(said)}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


def _some(words: list[str]) -> str:
    return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")


def _runs(flags: np.ndarray, offset: int) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return tuple((int(a) + offset, int(b) - 1 + offset) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _is_single(frames: tuple[tuple[int, int], ...]) -> bool:
    return len(frames) == 1 and frames[0][0] == frames[0][1]


def _ranges(frames: Iterable[tuple[int, int]]) -> str:
    unique = sorted(set(frames))
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in unique[:8]]
    return ", ".join(shown) + (f", ... {len(unique)} in all" if len(unique) > 8 else "")
