"""Frames that do not belong: an artificial first pose, spikes of one to three frames, and jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kinematics.body import measure_body
from kinematics.contacts import REFERENCE_HEIGHT
from kinematics.motion import Motion
from kinematics.rotations import quaternion

LONGEST = 3  # frames of a spike
SPIKE_TURN, JUMP_TURN = np.radians(20.0), np.radians(60.0)  # least turn of a joint from one frame to the next
SPIKE_MOVE, JUMP_MOVE = 0.1, 0.3  # least way of the root from one frame to the next, metres for a body of 1.75 m
RETURN = 0.35  # largest share of the spike that may remain between the frames before and after it
UNUSUAL = 6.0  # least ratio to the usual step around
RUSH_S = 0.06  # seconds that a rush out of an added first pose may last
FEW = 4  # steps around without which nothing is called unusual
AROUND = 8  # frames on each side that say what is usual


@dataclass(frozen=True)
class Glitch:
    """A run of frames in which one joint's rotation, or the root's position, does not belong.

    Attributes:
        first: First frame of the run; for a jump the first frame after it.
        last: Last frame of the run, the same as `first` for a jump.
        joint: Index of the joint, or -1 for the position of the root.
        size: How far it goes: radians, or the motion's unit for the position of the root.
    """

    first: int
    last: int
    joint: int
    size: float


def artificial_start(motion: Motion) -> int:
    """Return how many frames at the start are an added pose (zero or T-pose) and the rush out of it; mostly 0 or 1.

    The joints' mean turn into the next frame has to be over a degree and five times the usual one, and has to calm down
    within 0.06 s (or one frame). After that no turn may come near it (a third), unless frame 0 is exactly the zero pose,
    as in CMU's MotionBuilder files.
    """
    if motion.num_frames < 4 or motion.skeleton.num_joints < 2:
        return 0
    steps = quaternion.angle_between(motion.local_rotations[:-1], motion.local_rotations[1:]).mean(axis=1)
    usual = float(np.median(steps[1:]))
    if steps[0] < np.radians(1.0) or steps[0] < 5.0 * usual:
        return 0
    longest = max(1, round(RUSH_S / motion.frame_time))
    calm = np.flatnonzero(steps[1 : longest + 1] < max(2.0 * usual, steps[0] / 5.0))
    if not len(calm):
        return 0
    count = int(calm[0]) + 1
    zero_pose = bool((quaternion.angle(motion.local_rotations[0, 1:]) < 1e-6).all())
    return count if zero_pose or steps[0] > 3.0 * float(steps[count:].max()) else 0


def find_spikes(motion: Motion) -> list[Glitch]:
    """Find runs of one to three frames that leave the motion and return: joint rotations and the root's position.

    A spike goes at least 20 degrees (or 10 cm of a body of 1.75 m) away and back, at least six times the usual step
    around it, and the frames before and after it agree within 35 % of that.
    """
    found = [Glitch(a, b, j, s) for a, b, j, s in _spikes(_turns(motion), motion.num_frames, SPIKE_TURN)]
    moves = _spikes(_moves(motion), motion.num_frames, SPIKE_MOVE * _scale(motion))
    return sorted([*found, *(Glitch(a, b, -1, s) for a, b, _, s in moves)], key=lambda glitch: (glitch.first, glitch.joint))


def find_jumps(motion: Motion, spikes: list[Glitch]) -> list[Glitch]:
    """Find frames at which a joint (by 60 degrees) or the root (by 30 cm) jumps for good, as at a cut.

    Args:
        motion: The clip.
        spikes: What `find_spikes` found; their edges are not jumps.
    """
    edges = {(frame, glitch.joint) for glitch in spikes for frame in (glitch.first, glitch.last + 1)}
    found = []
    for gap, least, root in ((_turns(motion)(1), JUMP_TURN, False), (_moves(motion)(1), JUMP_MOVE * _scale(motion), True)):
        for before, item in np.argwhere(gap > least).tolist():
            joint, frame = (-1 if root else item), before + 1
            if (frame, joint) not in edges and gap[before, item] > UNUSUAL * _usual(gap[:, item], before, before):
                found.append(Glitch(frame, frame, joint, float(gap[before, item])))
    return sorted(found, key=lambda glitch: (glitch.first, glitch.joint))


def bridge(motion: Motion, spikes: list[Glitch]) -> Motion:
    """Replace spikes by what lies between the frames before and after them (slerp; straight lines for the root)."""
    rotations, root = np.array(motion.local_rotations), np.array(motion.root_positions)
    for glitch in spikes:
        before, after = glitch.first - 1, glitch.last + 1
        inside = np.arange(glitch.first, after)
        share = (inside - before) / (after - before)
        if glitch.joint < 0:
            root[inside] = root[before] + share[:, None] * (root[after] - root[before])
        else:
            start, end = rotations[before, glitch.joint], rotations[after, glitch.joint]
            rotations[inside, glitch.joint] = quaternion.slerp(start, end, share)
    return replace(motion, local_rotations=rotations, root_positions=root)


def _turns(motion: Motion) -> Callable[[int], np.ndarray]:
    rotations = motion.local_rotations
    return lambda apart: quaternion.angle_between(rotations[:-apart], rotations[apart:])


def _moves(motion: Motion) -> Callable[[int], np.ndarray]:
    root = motion.root_positions
    return lambda apart: np.linalg.norm(root[apart:] - root[:-apart], axis=-1)[:, None]


def _scale(motion: Motion) -> float:
    return measure_body(motion).height / REFERENCE_HEIGHT


def _spikes(gap: Callable[[int], np.ndarray], frames: int, least: float) -> list[tuple[int, int, int, float]]:
    """Runs (first, last, item, size); `gap(n)` is the distance of frames t and t + n, shape (frames - n, items)."""
    found: list[tuple[int, int, int, float]] = []
    if frames < 3 or not least > 0.0:
        return found
    step = gap(1)
    taken: set[tuple[int, int]] = set()
    for length in range(1, min(LONGEST, frames - 2) + 1):
        away, back, rest = step[:-length], step[length:], gap(length + 1)
        size = np.minimum(away, back)
        for before, item in np.argwhere((size > least) & (rest < RETURN * size)).tolist():
            first, last = before + 1, before + length
            inside = {(frame, item) for frame in range(first, last + 1)}
            if taken & inside or size[before, item] < UNUSUAL * _usual(step[:, item], before, before + length):
                continue
            taken |= inside
            found.append((first, last, item, float(size[before, item])))
    return found


def _usual(steps: np.ndarray, first: int, last: int) -> float:
    """Median of the steps around those from `first` to `last`; infinite where too few are there to tell."""
    around = np.concatenate([steps[max(0, first - AROUND) : first], steps[last + 1 : last + 1 + AROUND]])
    return float(np.median(around)) if len(around) >= FEW else np.inf
