"""A clip solved as one: all frames together, with a smoothness that keeps corrections from jumping in time.

Levenberg-Marquardt (Madsen, Nielsen and Tingleff, "Methods for non-linear least squares problems", 2004, section 3.2) over
the corrections of all frames. What is minimised is in `kernels.over_time`; each step's banded normal equations are in
`kernels.over_time_linear`. Long clips are stepped in windows that overlap, so that memory stays small; where two overlap
their steps are blended, and as a step is taken only where the whole clip's cost falls, the answer is that of the whole clip.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kinematics import kernels
from kinematics.errors import InputError

if TYPE_CHECKING:
    from kinematics.ik.tables import Tables

PULL = 1e-3  # weight of a correction's square: towards the clip, where the goals leave room
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e-9, 1e8  # shares of J^T J's mean diagonal
SMALL, PATIENCE = 1e-3, 2  # share of the cost that a step must take away to count, and how often in a row it may not
MAX_STEP = 1.0  # radians that a joint turns in one iteration at most
WINDOW = 256  # frames of a window, without what it shares with others
OVERLAP = 6.0  # in lengths over which a correction fades that no goal asks for
CONVERGED, UNREACHABLE, LIMITED, ITERATIONS = range(4)


def require_solvable(tables: Tables, method: str, smoothness: float) -> None:
    """Raise an error where a problem cannot be solved over time.

    Raises:
        InputError: On other methods, on priorities, or a smoothness that is negative.
    """
    if method != "levenberg_marquardt":
        raise InputError(f'over_time="smooth" is for method="levenberg_marquardt", got {method!r}; "warm" follows a path too')
    if tables.levels > 1:
        raise InputError(
            'over_time="smooth" weighs all goals against each other and knows no priorities (a second `fixed` joint is one); '
            "give weights"
        )
    if not (math.isfinite(smoothness) and smoothness >= 0.0):
        raise InputError(f"smoothness must be 0 or more, got {smoothness}")


def solve(
    tables: Tables,
    heading: bool,
    smoothness: float,
    own_roots: np.ndarray,
    own_rotations: np.ndarray,
    bones: np.ndarray,
    anchors: np.ndarray,
    roots: np.ndarray,
    rotations: np.ndarray,
    points: np.ndarray,
    turns: np.ndarray,
    wanted: np.ndarray,
    max_iterations: int,
    out_roots: np.ndarray,
    out_rotations: np.ndarray,
    errors: np.ndarray,
    info: np.ndarray,
) -> None:
    """Solve all frames together; arrays as for `kernels.jacobian.solve`.

    own_roots, own_rotations: The clip that corrections are relative to; `roots` and `rotations` are where the search starts.
    """
    given = np.isfinite(points).all(axis=(1, 2)) & np.isfinite(turns).all(axis=(1, 2))
    if not given.all():
        info[:, 0] = np.where(given, 0, -1)
        return
    system = _System(tables, heading, smoothness, own_roots, own_rotations, bones, anchors, points, turns, len(out_roots))
    system.pull_to(wanted)
    y = system.corrections(roots, rotations)
    y, code, iterations = _minimise(system, y, max_iterations) if len(y) else (y, CONVERGED, 0)
    out_rotations[:] = rotations
    system.write(y, out_roots, out_rotations, errors)
    within = (errors <= tables.tasks["tolerance"]).all(axis=1)
    info[:, 0] = np.where(within, CONVERGED, np.where(system.barred, LIMITED, code) if code == UNREACHABLE else code)
    info[:, 1] = iterations


class _System:
    """The cost of corrections y, (frames, n + 1, 3), and the steps that lower it."""

    def __init__(
        self,
        tables: Tables,
        heading: bool,
        smoothness: float,
        own_roots: np.ndarray,
        own_rotations: np.ndarray,
        bones: np.ndarray,
        anchors: np.ndarray,
        points: np.ndarray,
        turns: np.ndarray,
        frames: int,
    ) -> None:
        tree, tasks = tables.tree, tables.tasks
        self.tree, self.smoothness, self.heading, self.frames = tree, smoothness, heading, frames
        self.scales = np.sqrt(tree["mobility"]) / (0.25 * tables.reach)
        moving = (self.scales > 0.0) & (np.isin(np.arange(len(tree)), tables.slots[:, 0]) | (tree["posture"] > 0.0))
        self.columns = np.where(moving, 3 * (np.cumsum(moving) - 1), -1)
        owners = np.repeat(np.arange(len(tasks)), tasks["last_slot"] - tasks["first_slot"])
        self.moved = tables.slots
        self.slots = np.stack([tables.slots[:, 0], owners], axis=1)
        self.roots = np.array(np.broadcast_to(own_roots, (frames, 3)))
        self.own = np.empty((frames, len(tree) - 1, 4))
        kernels.over_time.own_rotations(tree, own_rotations, self.own)
        self.arguments = (tree, tasks, bones, tables.anchor, tables.anchor_offset, anchors, self.scales)
        self.targets = (points, turns)
        self.pull, self.rest = np.full((frames, len(tree)), PULL), np.zeros((frames, len(tree), 3))
        bound = bool((moving & (tree["free"] == 0))[:-1].any())
        self.projectors = np.empty((frames if bound else 0, len(tree), 3, 3))
        self.barred = np.zeros(frames, dtype=bool)
        self.blocks = np.empty((frames, len(self.slots), 3, 3))
        self.curvature = np.empty_like(self.pull)

    def pull_to(self, wanted: np.ndarray) -> None:
        """Pull towards an `ik.posture` too: the two squares are one about a place between."""
        if self.tree["posture"].any():
            kernels.over_time.corrections(self.tree, self.scales, self.own, wanted, self.rest)
            posture = self.tree["posture"] * self.scales**2
            self.rest *= (posture / (posture + PULL))[:, None]
            self.pull += posture

    def corrections(self, roots: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """Return the corrections that lead to poses, within limits."""
        y = np.zeros((self.frames, len(self.tree), 3))
        kernels.over_time.corrections(self.tree, self.scales, self.own, rotations, y)
        if self.scales[-1] > 0.0:
            y[:, -1] = (roots - self.roots) / self.scales[-1]
        kernels.over_time.keep_limits(self.tree, self.scales, self.own, y)
        return y

    def evaluate(self, y: np.ndarray) -> _Evaluation:
        tasks = len(self.arguments[1])
        found = _Evaluation(self.frames, len(self.tree) - 1, tasks)
        kernels.over_time.evaluate(
            *self.arguments, self.roots, self.own, *self.targets, y, found.residual, found.errors, found.roots, found.local
        )
        found.cost = kernels.over_time_linear.potential(self.pull, self.smoothness, y, self.rest, found.force)
        found.cost += 0.5 * kernels.over_time_linear.dot(found.residual, found.residual)
        return found

    def linearize(self, y: np.ndarray, at: _Evaluation) -> tuple[np.ndarray, float]:
        """Return the way downhill, and the mean diagonal of J J^T."""
        gradient = np.empty_like(y)
        kernels.over_time.linearize(
            self.moved, *self.arguments, *self.targets, y, at.roots, at.local, self.blocks, gradient, self.curvature
        )
        gradient -= at.force
        if len(self.projectors):
            kernels.over_time.bar(self.tree, self.scales, self.heading, y, at.local, gradient, self.projectors, self.barred)
            kernels.over_time.project_steps(self.projectors, gradient)
        scale = float(np.square(self.blocks).sum()) / max(1, 3 * self.frames * len(self.arguments[1]))
        return gradient, scale or 1.0

    def step(self, gradient: np.ndarray, damping: float, curved: bool) -> np.ndarray:
        """Solve the normal equations, in windows side by side."""
        diagonal = self.pull + damping + (self.curvature if curved else 0.0)
        fade = math.sqrt(2.0) * (self.smoothness / (PULL + damping)) ** 0.25  # of e^-x in S y = 0
        windows = list(_windows(self.frames, math.ceil(OVERLAP * fade) + 2))

        def solve(window: tuple[int, int, np.ndarray]) -> np.ndarray:
            start, stop, share = window
            part = np.empty_like(gradient[start:stop])
            kernels.over_time_linear.solve(
                self.blocks[start:stop], self.slots, self.columns, len(self.arguments[1]), diagonal[start:stop],
                self.smoothness, self.projectors[start:stop], gradient[start:stop], start, self.frames - stop, part,
            )  # fmt: skip
            return np.asarray(share[:, None, None] * part)

        if len(windows) == 1:
            step = solve(windows[0])
            kernels.over_time.project_steps(self.projectors, step)
            return step
        step = np.zeros_like(gradient)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        with ThreadPoolExecutor(min(cores, len(windows))) as pool:
            for (start, stop, _), part in zip(windows, pool.map(solve, windows), strict=True):
                step[start:stop] += part
        kernels.over_time.project_steps(self.projectors, step)
        return step

    def trial(self, y: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, float]:
        """Return y after a step, within limits, and the share of the step that was taken."""
        turns = self.scales[:-1, None] * step[:, :-1]
        largest = math.sqrt(float(np.square(turns).sum(axis=-1).max()))
        part = min(1.0, MAX_STEP / largest) if largest > 0.0 else 1.0
        there = y + part * step
        kernels.over_time.keep_limits(self.tree, self.scales, self.own, there)
        return there, part

    def write(self, y: np.ndarray, out_roots: np.ndarray, out_rotations: np.ndarray, errors: np.ndarray) -> None:
        """Write poses and errors."""
        found = self.evaluate(y)
        errors[:] = found.errors
        kernels.over_time.finish(self.tree, found.roots, found.local, out_roots, out_rotations)


class _Evaluation:
    """What corrections come to."""

    def __init__(self, frames: int, count: int, tasks: int) -> None:
        self.cost = math.inf
        self.residual, self.errors = np.empty((frames, tasks, 3)), np.empty((frames, tasks))
        self.roots, self.local = np.empty((frames, 3)), np.empty((frames, count, 4))
        self.force = np.empty((frames, count + 1, 3))


def _minimise(system: _System, y: np.ndarray, max_iterations: int) -> tuple[np.ndarray, int, int]:
    """Return the corrections of least cost that are found, why the search ended, and after how many iterations."""
    at = system.evaluate(y)
    gradient, scale = system.linearize(y, at)
    share, growth, curved, idle = FIRST_DAMPING, 2.0, False, 0
    for iteration in range(max_iterations):
        step = system.step(gradient, share * scale, curved)
        descent = kernels.over_time_linear.dot(step, gradient)
        if descent <= 1e-14 * at.cost:
            return y, UNREACHABLE, iteration
        there, part = system.trial(y, step)
        found = system.evaluate(there)
        if found.cost < at.cost:
            gain = (at.cost - found.cost) / (descent * part * (1.0 - 0.5 * part))
            share, growth = max(share * max(0.1, 1.0 - (2.0 * gain - 1.0) ** 3), LEAST_DAMPING), 2.0
            curved |= gain < 0.25
            idle = idle + 1 if at.cost - found.cost <= SMALL * at.cost else 0
            y, at = there, found
            gradient, scale = system.linearize(y, at)
        else:
            share, growth, curved = share * growth, 2.0 * growth, True
        if idle >= PATIENCE or share > MOST_DAMPING:
            return y, UNREACHABLE, iteration + 1
    return y, ITERATIONS, max_iterations


def _windows(frames: int, overlap: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Divide a clip: first frame, frame after the last, and the share of each frame in between; shares add up to one."""
    count = max(1, frames // max(WINDOW, overlap))
    edges = np.linspace(0, frames, count + 1).round().astype(int).tolist()
    for first, last in pairwise(edges):
        start, stop = max(0, first - overlap), min(frames, last + overlap)
        at = np.arange(start, stop)
        share = np.ones(stop - start)
        for edge, sign in ((first, 1.0), (last, -1.0)):
            if 0 < edge < frames:
                share *= np.clip(0.5 + sign * (at + 0.5 - edge) / overlap, 0.0, 1.0)
        yield start, stop, share
