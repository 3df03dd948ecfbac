"""A problem: a skeleton, its goals and a method, made ready once and solved for as many poses and targets as one likes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import forward_kinematics
from kinematics.ik import over_time as over_time_module
from kinematics.ik import position_solvers, scipy_solver, two_bone
from kinematics.ik import tables as tables_module
from kinematics.ik.goals import Goal, is_number, target_array
from kinematics.ik.limits import Limit, pack_limits
from kinematics.ik.linearize import linearize
from kinematics.ik.result import Result
from kinematics.ik.targets import Targets, place
from kinematics.motion import Motion, Pose
from kinematics.skeleton import Skeleton

Method = Literal[
    "levenberg_marquardt", "damped_least_squares", "pseudo_inverse", "jacobian_transpose", "selectively_damped",
    "ccd", "fabrik", "two_bone", "scipy",
]  # fmt: skip
JACOBIAN_METHODS = (
    "levenberg_marquardt", "damped_least_squares", "jacobian_transpose", "pseudo_inverse", "selectively_damped",
)  # fmt: skip
METHODS = (*JACOBIAN_METHODS, "ccd", "fabrik", "two_bone", "scipy")
RootMode = Literal["free", "fixed", "translation", "heading"]
OverTime = Literal["independent", "warm", "smooth"]
OVER_TIME: tuple[OverTime, ...] = ("independent", "warm", "smooth")
FEW = 64  # frames below which threads cost more than they bring
Target = Goal | Sequence[float] | np.ndarray
Goals = Mapping[str, Target | Sequence[Goal]]


class Problem:
    """Goals on a skeleton, made ready for a method.

    Attributes:
        skeleton: The tree of joints.
        goals: Names and goals in order; a joint with several goals is there several times.
        method: How it is solved.
        tolerance: Largest distance of a point from its target that counts as met, in the skeleton's unit.
        angle_tolerance: The same for angles, radians.
        max_iterations: After which a solver gives up.
        tables: Arrays that the kernels work on.
    """

    def __init__(
        self,
        skeleton: Skeleton,
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
    ) -> None:
        """Make the problem ready.

        Args:
            skeleton: The tree of joints.
            goals: For each joint or end site a goal, several goals, or a bare vector, which is a position.
            method: One of `METHODS`.
            tolerance: In the skeleton's unit; a thousandth of the longest way from root to tip by default (about 1 mm for
                a grown human).
            angle_tolerance: Radians; `tolerance` over that longest way by default.
            max_iterations: 500 by default; 2000 for "jacobian_transpose" and "scipy", 1000 for "pseudo_inverse", 200 for
                "fabrik".
            root: "free": the root moves and turns. "fixed": it stays in place and turns there, as the first ball joint
                (`stiffness={root: math.inf}` stops that too). "translation": it moves and does not turn. "heading": it
                moves, and turns about the world's Y alone.
            fixed: Joints or end sites that stay where the pose has them, and may turn. The first is the base that the body
                hangs from, exactly; the others are goals before all others, met within the tolerance. With root="fixed" the
                root is the base, and all of these are such goals.
            limits: Joint limits by name, see `ik.human_limits` and `ik.limits_from_motion`.
            stiffness: By joint name: 1 is usual, 10 turns a tenth as readily, `math.inf` is locked. With root="translation"
                the root's is that of its place.

        Raises:
            InputError: On goals or options that cannot be.
            UnknownNameError: On an unknown joint, end site, method or root mode.
        """
        if method not in METHODS:
            raise UnknownNameError("method", method, METHODS)
        if isinstance(fixed, str):
            fixed = (fixed,)
        _require_mapping(limits, "limits", '{"LeftLeg": ik.Hinge(...)}')
        _require_mapping(stiffness, "stiffness", '{"Spine": 10.0}')
        if not isinstance(fixed, Sequence):
            raise InputError(f'fixed takes names of joints or end sites, such as ["LeftFoot"], got {fixed!r}')
        reach = tables_module.reach_of(skeleton)
        self.skeleton = skeleton
        self.goals = _listed(goals)
        self.method = method
        self.tolerance = _positive(1e-3 * reach if tolerance is None else tolerance, "tolerance")
        self.angle_tolerance = _positive(
            self.tolerance / reach if angle_tolerance is None else angle_tolerance, "angle_tolerance"
        )
        self.max_iterations = DEFAULT_ITERATIONS.get(method, 500) if max_iterations is None else max_iterations
        if isinstance(max_iterations, bool) or not isinstance(self.max_iterations, int | np.integer) or self.max_iterations < 1:
            raise InputError(f"max_iterations must be 1, 2, 3, ..., got {max_iterations!r}")
        self.max_iterations = int(self.max_iterations)
        self.root = root
        self.fixed = tuple(fixed)
        self.limits = dict(limits or {})
        self.tables = tables_module.build(
            skeleton,
            self.goals,
            root=root,
            fixed=self.fixed,
            limits=self.limits,
            stiffness=stiffness or {},
            tolerance=self.tolerance,
            angle_tolerance=self.angle_tolerance,
            reach=reach,
        )
        self._prepare()
        self._ready = True

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change: everything was made ready for what was asked at first."""
        if getattr(self, "_ready", False):
            raise AttributeError(f"a Problem does not change, so {name} cannot be set; make another one")
        object.__setattr__(self, name, value)

    def _prepare(self) -> None:
        """Sort targets, and put together what every call hands to the kernel."""
        goals = self.goals
        self._targets = Targets(goals, self.tables)
        self._count = len(self.tables.owners)
        self._offsets = self.skeleton.offsets[None]
        self._anchor_targets = np.zeros((1, 3))
        self._posture = next((goal.pose for _, goal in goals if goal.kind == "posture"), None)
        if self._posture is not None and self._posture.skeleton.joint_names != self.skeleton.joint_names:
            raise InputError("the pose of ik.posture has another skeleton than the problem; its joints must have the same names")
        self._needs_transforms = self._targets.held or self.tables.anchor >= 0
        self._plain = self._targets.complete and not self._needs_transforms and self._posture is None
        self._shape = (1, self.skeleton.num_joints, 4)
        solved = set(self.tables.tree["joint"].tolist())
        idle = [joint for joint in map(self.skeleton.joint_index, self.limits) if joint not in solved]
        self._idle = np.array(idle, dtype=np.int64)  # joints with limits that move no goal
        self._idle_limits = pack_limits(self.skeleton, self.limits, self._idle)
        tables, code = self.tables, JACOBIAN_METHODS.index(self.method) if self.method in JACOBIAN_METHODS else -1
        self._kernel: Callable[..., None] = kernels.jacobian.solve
        self._static: tuple[object, ...] = (
            code, tables.tree, tables.tasks, tables.slots, tables.pairs, tables.entries, tables.levels, tables.posture_level,
            tables.anchor, tables.anchor_offset, self.root == "heading",
        )  # fmt: skip
        if self.method == "two_bone":
            limbs = two_bone.find_limbs(self.skeleton, tables, self.goals, root=self.root, fixed=self.fixed)
            self._kernel, self._static = two_bone.solve, (tables, limbs)
        elif self.method in ("ccd", "fabrik"):
            solver = position_solvers.prepare(
                self.method, self.skeleton, tables, goals, root=self.root, fixed=self.fixed, tolerance=self.tolerance
            )
            self._kernel, self._static = position_solvers.solve, (solver,)
        elif self.method == "scipy":
            self._kernel, self._static = scipy_solver.solve, (tables, self.root == "heading")

    def solve(
        self,
        pose: Pose | Motion,
        targets: Mapping[str, object] | Float[np.ndarray, "*frames goals numbers"] | None = None,
        *,
        start: Pose | Motion | None = None,
        over_time: OverTime = "independent",
        smoothness: float = 1.0,
    ) -> Result:
        """Solve for a pose, for each frame of a clip, or for one pose and many targets.

        Args:
            pose: Where the body is: what holds, anchors and an `ik.posture` without a pose refer to, and where the search
                starts.
            targets: Targets in place of those the goals carry. By name: an array (3,) or (frames, 3) for a point, (4,) or
                (frames, 4) for an orientation, a pair of both for a transform. Or, the quickest, one array in the order of
                the goals, (goals, 3) or (frames, goals, 3) for points, 4 numbers for orientations, 7 for transforms.
            start: Where the search starts instead: a warm start.
            over_time: "independent": each frame from its own start, on all cores. "warm": each frame from its own start,
                turned by what the frame before was turned; the answer follows a path. "smooth": all frames as one, by the
                method "levenberg_marquardt". What the clip is corrected by shall not jump: goals, a slight pull to the clip
                and the smoothness are weighed against each other, so priorities are refused, and a goal that jumps is met
                only as far as a smooth correction can ("unreachable" says that too).
            smoothness: Of "smooth" alone: weight of the squared second differences, from frame to frame, of each joint's
                correction (rotation vector relative to the clip's own rotation, in the parent's frame; a radian counts as a
                quarter of the longest limb) and of the root's. With weight n^4 goals give way to the smoothness where they
                change within about n frames; a lively clip stays lively, as its corrections and not its poses are smooth.

        Raises:
            InputError: On another skeleton, on targets that are missing, of a wrong shape or not finite.
            UnknownNameError: On a target for a name that is no goal.
        """
        if (
            self._plain
            and start is None
            and over_time == "independent"
            and type(pose) is Pose
            and pose.skeleton is self.skeleton
            and pose.local_positions is None
            and type(targets) is np.ndarray
            and targets.dtype.kind in "fiu"
            and targets.shape == self._targets.shape
        ):
            return self._solve_one(pose, targets)
        begin = pose if start is None else start
        for each in (pose, begin):
            if not isinstance(each, Pose | Motion) or each.skeleton is not self.skeleton:
                self._require_same_tree(each)
        if over_time not in OVER_TIME:
            raise UnknownNameError("way over time", over_time, OVER_TIME)
        if over_time == "smooth":
            over_time_module.require_solvable(self.tables, self.method, smoothness)
        transforms = forward_kinematics(pose) if self._needs_transforms else None
        points, turns, many = self._targets.read(targets, transforms)
        clip = pose if isinstance(pose, Motion) else None
        single = clip is None and many is None
        frames = (len(clip) if clip is not None else 1) if many is None else many
        if clip is not None and many not in (None, len(clip)):
            raise InputError(f"targets are for {many} frames, the clip has {len(clip)}")
        if isinstance(begin, Motion) and len(begin) != frames:
            raise InputError(f"the start has {len(begin)} frames, {frames} are to be solved")
        moving = pose.local_positions
        anchors = self._anchor_targets
        if transforms is not None and self.tables.anchor_point is not None:
            anchors = np.array(place(transforms, *self.tables.anchor_point)).reshape(-1, 3)  # writable: one Numba type
        posture = self._posture or pose
        out = (
            np.empty((frames, 3)),
            np.empty((frames, self.skeleton.num_joints, 4)),
            np.empty((frames, self._count)),
            np.empty((frames, 2), dtype=np.int64),
        )
        arrays = (
            self._offsets if moving is None else _framed(moving, 3),
            anchors,
            _framed(begin.root_positions, 2),
            _framed(begin.local_rotations, 3),
            points,
            turns,
            _framed(posture.local_rotations, 3),
            *out,
        )
        if over_time == "smooth":
            own = _framed(pose.root_positions, 2), _framed(pose.local_rotations, 3)
            over_time_module.solve(self.tables, self.root == "heading", smoothness, *own, *arrays[:7], self.max_iterations, *out)
            self._keep_idle(arrays[8])
        elif over_time == "warm" or frames < FEW:
            self._run(arrays, over_time == "warm")
        else:
            _in_threads(self._run, arrays, frames)
        roots, rotations, errors, info = out
        _require_found(info)
        codes, iterations = info[:, 0], info[:, 1]
        if single:
            counted, code = int(iterations[0]), int(codes[0])
            return Result(self.skeleton, roots[0], rotations[0], self.tables.names, errors[0], counted, code, moving)
        if moving is not None:
            moving = np.broadcast_to(moving, (frames, *moving.shape[-2:]))
        time = 1.0 / 30.0 if clip is None else clip.frame_time
        source = None if clip is None else clip.source
        return Result(self.skeleton, roots, rotations, self.tables.names, errors, iterations, codes, moving, time, source)

    def linearize(
        self, pose: Pose, targets: Mapping[str, object] | Float[np.ndarray, "goals numbers"] | None = None
    ) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows columns"]]:
        """Return the residuals r at a pose and their Jacobian J: a change x of the pose makes them r + J x.

        Rows: three for each of `tables.names`, with the square roots of weights and the lengths of angles in them; the
        squares of a goal's rows are what its error costs (of a pole the first row is the angle, of axes that do not count
        the rows are zero). An `ik.posture` and limits have none. Columns: the rotation vector in the world (radians) of each
        joint `tables.tree["joint"][:-1]`, about its own position, then the root's translation; zero where that is locked.

        Args:
            pose: Where to linearize, and what holds and anchors refer to.
            targets: As in `solve`, of one frame.

        Returns:
            Residuals, shape (3 tasks,), and Jacobian, shape (3 tasks, 3 joints + 3).

        Raises:
            InputError: On a clip, another skeleton, or targets that are missing, of a wrong shape or for several frames.
            UnknownNameError: On a target for a name that is no goal.
        """
        self._require_same_tree(pose)
        transforms = forward_kinematics(pose) if self._needs_transforms else None
        points, turns, frames = self._targets.read(targets, transforms)
        if not isinstance(pose, Pose) or frames is not None:
            raise InputError("a problem is linearized at one Pose with targets of one frame, not for a clip")
        anchor = self._anchor_targets
        if transforms is not None and self.tables.anchor_point is not None:
            anchor = np.array(place(transforms, *self.tables.anchor_point)).reshape(-1, 3)  # writable: one Numba type
        return linearize(self.tables, pose, points[0], turns[0], anchor[0])

    def _solve_one(self, pose: Pose, targets: np.ndarray) -> Result:
        """Solve one pose for one array of targets, without what the general way asks and looks up."""
        points, turns = self._targets.from_array(targets[None])
        root, rotations = np.empty((1, 3)), np.empty(self._shape)
        errors, info = np.empty((1, self._count)), np.empty((1, 2), np.int64)
        start, own = pose.root_positions[None], pose.local_rotations[None]
        self._run((self._offsets, self._anchor_targets, start, own, points, turns, own, root, rotations, errors, info), False)
        code, iterations = info.tolist()[0]
        if code < 0:
            _require_found(info)
        return Result(self.skeleton, root[0], rotations[0], self.tables.names, errors[0], iterations, code)

    def _run(self, arrays: tuple[np.ndarray, ...], warm: bool) -> None:
        """Call the kernel; arrays are those of `kernels.jacobian.solve` that have frames."""
        bones, anchors, roots, rotations, points, turns, wanted, out_roots, out_rotations, errors, info = arrays
        self._kernel(
            *self._static, bones, anchors, roots, rotations, points, turns, wanted, self.max_iterations, warm,
            out_roots, out_rotations, errors, info,
        )  # fmt: skip
        self._keep_idle(out_rotations)

    def _keep_idle(self, rotations: np.ndarray) -> None:
        """Bring joints that move no goal into their limits, in place."""
        if len(self._idle):
            kernels.limits.clamp(rotations, self._idle, *self._idle_limits)

    def _require_same_tree(self, pose: object) -> None:
        if not isinstance(pose, Pose | Motion):
            raise InputError(f"a Pose or a Motion is solved, got {type(pose).__name__}")
        if not pose.skeleton.allclose(self.skeleton):
            raise InputError("the pose has another skeleton than the problem; make a Problem with the pose's own")


DEFAULT_ITERATIONS = {
    "jacobian_transpose": 2000, "pseudo_inverse": 1000, "fabrik": 200, "scipy": 2000,
}  # fmt: skip


def _in_threads(run: Callable[[tuple[np.ndarray, ...], bool], None], arrays: tuple[np.ndarray, ...], frames: int) -> None:
    """Solve blocks of frames side by side; each frame's answer is the same whoever computes it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(cores, frames // FEW)
    if workers < 2:
        run(arrays, False)
        return
    edges = np.linspace(0, frames, workers + 1).astype(int)

    def block(start: int, stop: int) -> None:
        run(tuple(each[start:stop] if len(each) == frames else each for each in arrays), False)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(block, edges[:-1].tolist(), edges[1:].tolist()))


def _framed(values: np.ndarray, dimensions: int) -> np.ndarray:
    """Return the values with a frames axis."""
    return values if values.ndim == dimensions else values[None]


def _require_found(info: np.ndarray) -> None:
    """Raise an error where a kernel met a target that is not finite."""
    wrong = np.flatnonzero(info[:, 0] < 0)
    if len(wrong):
        raise InputError(f"targets must be finite, those of frame {wrong[0]} are not ({len(wrong)} such frames)")


def _listed(goals: Goals) -> tuple[tuple[str, Goal], ...]:
    """Return names and goals, bare vectors as positions."""
    if not isinstance(goals, Mapping):
        raise InputError(f'goals are given by name, such as {{"LeftHand": [0.4, 1.3, 0.3]}}, got {type(goals).__name__}')
    found = []
    for name, value in goals.items():
        if isinstance(value, Goal):
            each: Sequence[Goal] = [value]
        elif isinstance(value, list | tuple) and value and all(isinstance(one, Goal) for one in value):
            each = value
        else:
            each = [Goal("position", target_array(value, 3, f"the target of {name!r}"))]
        found += [(name, goal) for goal in each]
    if not found:
        raise InputError("there is no goal")
    return tuple(found)


def _require_mapping(values: object, name: str, form: str) -> None:
    if values is not None and not isinstance(values, Mapping):
        raise InputError(f"{name} must be a mapping from joint names, such as {form}, got {values!r:.100}")


def _positive(value: float, name: str) -> float:
    if not (is_number(value) and value > 0.0):
        raise InputError(f"{name} must be a positive number, got {value!r}")
    return float(value)
