"""CCD and FABRIK behind `Problem`: what their theory allows, and the tables that their kernels walk along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.errors import InputError
from kinematics.ik.bodies import find_bodies
from kinematics.ik.goals import Goal
from kinematics.ik.tables import Tables
from kinematics.skeleton import Skeleton

OTHERS = 'method="levenberg_marquardt" can'


@dataclass(frozen=True, eq=False)
class PositionSolver:
    """What is handed to the kernel of a method at every call.

    Attributes:
        kernel: `kernels.fabrik.solve` or `kernels.ccd.solve`.
        skeleton: The tree of joints.
        before: The kernel's arguments before the bones.
        between: Those between the bones and the start.
        tolerance: Largest distance that counts as met.
        anchor: Joint and offset of the point that stays, if any.
        locked: Joints that are locked and have a limit, their kinds and rows of limits; the kernels leave them as they are.
    """

    kernel: Callable[..., None]
    skeleton: Skeleton
    before: tuple[np.ndarray, ...]
    between: tuple[object, ...]
    tolerance: float
    anchor: tuple[int, np.ndarray] | None
    locked: tuple[np.ndarray, np.ndarray, np.ndarray]


def prepare(
    method: str,
    skeleton: Skeleton,
    tables: Tables,
    goals: Sequence[tuple[str, Goal]],
    *,
    root: str,
    fixed: Sequence[str],
    tolerance: float,
) -> PositionSolver:
    """Make a method ready.

    Raises:
        InputError: On what the method has no theory for.
    """
    for name, goal in goals:
        if goal.kind not in ("position", "hold") or goal.orientation:
            what = "ik.hold(orientation=True)" if goal.kind == "hold" else f"ik.{goal.kind}"
            raise InputError(f"method={method!r} brings points to points and has no {what} ({name!r}); {OTHERS}")
        if set(goal.axes) != set("xyz"):
            raise InputError(f"method={method!r} brings {name!r} to a point, not to axes={goal.axes!r} alone; {OTHERS}")
    if tables.levels > 1 or len(fixed) > 1:
        raise InputError(f"method={method!r} has no priorities, and keeps one point fixed; {OTHERS}")
    if root == "heading":
        raise InputError(f'method={method!r} cannot keep the root to its heading (root="heading"); {OTHERS}')
    tree, tasks = tables.tree, tables.tasks
    parents, mobility = (np.ascontiguousarray(tree["parent"][:-1]), np.ascontiguousarray(tree["mobility"]))
    held = np.flatnonzero((tree["mobility"][:-1] == 0.0) & (tree["limit"][:-1] != 0))
    bodies = find_bodies(parents, mobility, np.ascontiguousarray(tasks["joint"]), tables.anchor)
    return PositionSolver(
        kernels.fabrik.solve if method == "fabrik" else kernels.ccd.solve,
        skeleton,
        (bodies.bodies, bodies.points, bodies.goals, np.ascontiguousarray(tree["joint"][:-1]), parents),
        (
            mobility, np.ascontiguousarray(tree["limit"][:-1]), np.ascontiguousarray(tree["limit_values"][:-1]),
            np.ascontiguousarray(tasks["offset"]), np.ascontiguousarray(tasks["weight"][:, 0] ** 2), tables.anchor,
            tables.anchor_offset,
        ),
        tolerance,
        tables.anchor_point,
        tuple(np.ascontiguousarray(tree[name][held]) for name in ("joint", "limit", "limit_values")),  # type: ignore[arg-type]
    )  # fmt: skip


def solve(
    solver: PositionSolver,
    bones: Float[np.ndarray, "frames_of_bones joints 3"],
    anchors: Float[np.ndarray, "frames_of_anchors 3"],
    roots: Float[np.ndarray, "frames_of_roots 3"],
    rotations: Float[np.ndarray, "frames_of_rotations joints 4"],
    points: Float[np.ndarray, "frames_of_points tasks 3"],
    _turns: Float[np.ndarray, "frames_of_turns tasks 4"],
    _posture: Float[np.ndarray, "frames_of_postures joints 4"],
    max_iterations: int,
    warm: bool,
    out_roots: Float[np.ndarray, "frames 3"],
    out_rotations: Float[np.ndarray, "frames joints 4"],
    errors: Float[np.ndarray, "frames tasks"],
    info: np.ndarray,
) -> None:
    """Solve all frames into the last four arrays, see `Problem.solve`.

    Raises:
        InputError: On `over_time="warm"`.
    """
    if warm:
        raise InputError(f'over_time="warm" carries turns from frame to frame, for which {OTHERS}; give `start` instead')
    frames = len(out_roots)
    if len(solver.locked[0]):
        rotations = np.array(rotations)
        kernels.limits.clamp(rotations, *solver.locked)
    roots, rotations, points = (_each(values, frames) for values in (roots, rotations, points))
    if solver.anchor is not None:
        roots = _each(roots + anchors - _anchor(solver, bones, roots, rotations), frames)
    iterations, codes = np.empty(frames, dtype=np.int64), np.empty(frames, dtype=np.int64)
    solver.kernel(
        *solver.before, bones, *solver.between, roots, rotations, points, solver.tolerance, max_iterations,
        out_roots, out_rotations, errors, iterations, codes,
    )  # fmt: skip
    info[:, 0], info[:, 1] = codes, iterations
    info[~np.isfinite(errors).all(axis=1), 0] = kernels.jacobian.NOT_FINITE


def _each(values: np.ndarray, frames: int) -> np.ndarray:
    """Return a row for each frame, read-only, of which there is one kind to compile for."""
    if len(values) != frames:
        values = np.repeat(values, frames, axis=0)
    if values.flags.writeable:
        values = values.view()
        values.setflags(write=False)
    return values


def _anchor(solver: PositionSolver, bones: np.ndarray, roots: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return where the start has the point that stays, shape (frames, 3)."""
    assert solver.anchor is not None
    joint, offset = solver.anchor
    skeleton = solver.skeleton
    block = np.empty(len(roots) * (7 * skeleton.num_joints + 3))
    ends = kernels.forward.forward(roots, rotations, bones, skeleton.parents, np.array([joint]), offset[None], block)[2]
    return np.asarray(ends[:, 0])
