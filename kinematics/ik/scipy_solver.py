"""SciPy's trust-region least squares on the same residuals, with the exact Jacobian: slow, and what others are held against.

A pose is a row of numbers, see `scipy_parameters`: ranges of angles are bounds of the solver, a swing's limit lies in the
numbers' meaning. Least squares ("trf") come first; where residuals are left, L-BFGS-B goes on to the least cost. Levels of
priority are solved one after the other, with what the levels before them reached as a strong pull.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.ik.scipy_parameters import PoseNumbers
from kinematics.ik.tables import Tables
from kinematics.rotations import quaternion

NOT_FINITE, CONVERGED, UNREACHABLE, LIMITED, ITERATIONS = -1, 0, 1, 2, 3
PULLS = (1e1, 1e3, 1e5)  # how much stronger than a level's own goals what it must keep is, one after the other
PRECISION = 1e-15  # relative change of cost or pose that ends the search
FIRST = 60  # evaluations of the first search
SMALL, NOTHING = 1e-20, 1e-30  # costs that need no second search or none, in the largest of reach and first residuals
RESTARTS = 1  # from near a point that is not good enough: a straight limb has no slope
NUDGE = 0.3  # radians
AT_BOUND = 1e-6  # radians
Rows = Float[np.ndarray, " rows"]
Matrix = Float[np.ndarray, "rows columns"]
Numbers = Float[np.ndarray, " numbers"]
Kept = Float[np.ndarray, " kept"]
KeptMatrix = Float[np.ndarray, "kept columns"]


@dataclass(frozen=True, eq=False)
class Frame:
    """What one frame is solved for.

    Attributes:
        bones: Position of each joint in its parent's frame, shape (joints, 3).
        anchor: Where the anchor stays, global, shape (3,).
        points: Target of each task that is a point, global, shape (tasks, 3).
        turns: Target of each task that is an orientation, quaternions wxyz, shape (tasks, 4).
        posture: Local rotations to stay near, quaternions wxyz, shape (joints, 4).
    """

    bones: Float[np.ndarray, "joints 3"]
    anchor: Float[np.ndarray, "3"]
    points: Float[np.ndarray, "tasks 3"]
    turns: Float[np.ndarray, "tasks 4"]
    posture: Float[np.ndarray, "joints 4"]


def solve(
    tables: Tables,
    heading: bool,
    bones: Float[np.ndarray, "frames_of_bones joints 3"],
    anchors: Float[np.ndarray, "frames_of_anchors 3"],
    roots: Float[np.ndarray, "frames_of_roots 3"],
    rotations: Float[np.ndarray, "frames_of_rotations joints 4"],
    points: Float[np.ndarray, "frames_of_points tasks 3"],
    turns: Float[np.ndarray, "frames_of_turns tasks 4"],
    posture: Float[np.ndarray, "frames_of_postures joints 4"],
    max_iterations: int,
    warm: bool,
    *out: np.ndarray,
) -> None:
    """Solve all frames into `out`: root positions, local rotations, errors, status and iterations, see `Problem.solve`."""
    out_roots, out_rotations, errors, info = out
    joints = tables.tree["joint"][:-1]
    for f in range(len(out_roots)):
        own, before = (f, f - 1) if len(rotations) > 1 else (0, 0)
        frame = Frame(*(each[f if len(each) > 1 else 0] for each in (bones, anchors, points, turns, posture)))
        root, local = np.array(roots[own]), np.array(rotations[own][joints])
        if warm and f > 0:
            change = quaternion.multiply(quaternion.inverse(rotations[before][joints]), out_rotations[f - 1][joints])
            if heading:  # the root's in the world, where a heading is one
                turn = quaternion.multiply(out_rotations[f - 1][0], quaternion.inverse(rotations[before][0]))
                change[0] = quaternion.multiply(quaternion.inverse(local[0]), quaternion.multiply(turn, local[0]))
            local = quaternion.normalize(quaternion.multiply(local, change))
            root += out_roots[f - 1] - roots[before]
        search = _Search(tables, frame, root, local, heading, max_iterations)
        finite = np.isfinite(frame.points).all() and np.isfinite(frame.turns).all()
        info[f] = (search.run() if finite else NOT_FINITE), search.used
        errors[f] = search.errors
        out_roots[f], out_rotations[f] = search.root, rotations[own]
        out_rotations[f, joints] = search.local


class _Search:
    """The search for one frame's pose; residuals, errors and Jacobian are those of the pose looked at last."""

    def __init__(self, tables: Tables, frame: Frame, root: np.ndarray, local: np.ndarray, heading: bool, most: int) -> None:
        self.tables, self.frame, self.heading, self.most, self.used = tables, frame, heading, most, 0
        self.count, number = len(tables.tree) - 1, len(tables.tasks)
        self.turned, self.errors = np.empty((self.count + 1, 4)), np.empty(number)
        self.residual, self.jacobian = np.empty((number, 3)), np.empty((3 * number, 3 * self.count + 3))
        self.levels = np.repeat(tables.tasks["level"], 3)
        self.moving = np.flatnonzero(tables.tree["mobility"][:-1] > 0.0).tolist()
        weights = np.where(tables.tree["mobility"][:-1] > 0.0, tables.tree["posture"][:-1], 0.0)
        self.postured = np.flatnonzero(weights).tolist()
        self.posture_weights = np.sqrt(weights[self.postured])
        self._look(root, self._allowed(local))
        self.scale = 1.0 / max(tables.reach, float(np.abs(self.residual).max()))

    def run(self) -> int:
        """Solve level by level; return the status."""
        worst = CONVERGED
        for level in range(self.tables.levels):
            kept = self._model(level)[2]
            done = self._descend(level, kept)
            for attempt in range(RESTARTS if level == 0 else 0):
                cost, root, local = self._cost(level), self.root, self.local
                if self._met(level) or not done:
                    break
                self._nudge(attempt)
                again = self._descend(level, kept)
                if self._cost(level) < (1.0 - 1e-9) * cost:
                    done = again
                else:
                    self._look(root, local)
            if not self._met(level):
                found = LIMITED if self._barred(level) else UNREACHABLE
                worst = max(worst, found if done else ITERATIONS)
        if (self.errors <= self.tables.tasks["tolerance"]).all():
            return CONVERGED
        return worst if worst != CONVERGED else UNREACHABLE

    def _look(self, root: np.ndarray, local: np.ndarray) -> None:
        """Go to a pose; with an anchor the root follows."""
        tables, frame = self.tables, self.frame
        self.root, self.local = np.array(root), local
        kernels.linearize.linearize(
            tables.tree, tables.tasks, tables.slots, frame.bones, tables.anchor, tables.anchor_offset, frame.anchor,
            frame.points, frame.turns, self.root, local, self.turned, self.errors, self.residual, self.jacobian,
        )  # fmt: skip

    def _allowed(self, local: np.ndarray) -> np.ndarray:
        """Return the nearest local rotations within the limits."""
        tree = self.tables.tree
        local = np.array(local)
        for k in np.flatnonzero(tree["limit"]).tolist():
            kernels.limits.project(tree["limit"][k], tree["limit_values"][k], local[k])
        return local

    def _nudge(self, attempt: int) -> None:
        """Turn every joint a little, about axes that point everywhere, always the same."""
        axes = np.random.default_rng(attempt).normal(size=(self.count, 3))
        local = np.array(self.local)
        for k in self.moving:
            if not (k == 0 and self.heading):
                local[k] = quaternion.multiply(quaternion.from_rotation_vector(NUDGE * axes[k]), local[k])
        self._look(self.root, self._allowed(local))

    def _met(self, level: int) -> bool:
        here = self.tables.tasks["level"] == level
        return bool((self.errors[here] <= self.tables.tasks["tolerance"][here]).all())

    def _cost(self, level: int) -> float:
        rows = self._model(level)[0]
        return float(rows @ rows)

    def _model(self, level: int) -> tuple[Rows, Matrix, Kept, KeptMatrix]:
        """Return residuals of a level and their Jacobian by world rotation vectors, and those of the levels before it."""
        rows, slopes = self.residual.ravel(), self.jacobian
        here, before = self.levels == level, self.levels < level
        if not 0 <= self.tables.posture_level <= level or not self.postured:
            return rows[here], slopes[here], rows[before], slopes[before]
        away, bends = self._posture()
        rows, slopes = np.concatenate([rows, away]), np.concatenate([slopes, bends])
        now = np.full(len(away), self.tables.posture_level == level)
        here, before = np.concatenate([here, now]), np.concatenate([before, ~now])
        return rows[here], slopes[here], rows[before], slopes[before]

    def _posture(self) -> tuple[Rows, Matrix]:
        """Return weighted rotation vectors from the pose to the posture, in the parents' frames, and their Jacobian."""
        tree, number = self.tables.tree, len(self.postured)
        wanted, local = self.frame.posture[tree["joint"][self.postured]], self.local[self.postured]
        away = quaternion.to_rotation_vector(quaternion.multiply(wanted, quaternion.inverse(local)))
        slopes = np.zeros((number, 3, self.jacobian.shape[1]))
        bends = _slopes_of_log(away)
        to_parent = quaternion.to_matrix(quaternion.inverse(self.turned[tree["parent"][self.postured]]))
        for row, k in enumerate(self.postured):
            slopes[row, :, 3 * k : 3 * k + 3] = bends[row] @ to_parent[row]
        weights = self.posture_weights[:, None]
        return (weights * away).ravel(), (weights[..., None] * slopes).reshape(3 * number, -1)

    def _descend(self, level: int, kept: Kept) -> bool:
        """Minimise a level from where the search is; return whether it came to its end."""
        done = True
        for pull in PULLS if len(kept) else (1.0,):
            done = self._minimise(level, kept, pull)
        return done

    def _minimise(self, level: int, kept: Kept, pull: float) -> bool:
        """Minimise a level, with what must be kept so much stronger; return whether the search came to its end."""
        from scipy.optimize import least_squares, minimize

        numbers = PoseNumbers(self.tables.tree, self.root, self.local, heading=self.heading)
        free, parents = numbers.free, self.tables.tree["parent"][:-1]
        if not free.any() or self._cost(level) * self.scale**2 <= NOTHING:
            return True
        if self.used >= self.most:
            return False

        last: dict[bytes, tuple[Rows, Matrix]] = {}  # SciPy asks for residuals and slopes one after the other

        def look(values: Numbers) -> tuple[Rows, Matrix]:
            if (key := values.tobytes()) in last:
                return last[key]
            x = np.array(numbers.begin)
            x[free] = values
            root, local, bends = numbers.pose(x)
            self._look(root, local)
            rows, slopes, before, slopes_before = self._model(level)
            rows = np.concatenate([rows, pull * (before - kept)])
            slopes = numbers.chain(np.concatenate([slopes, pull * slopes_before]), bends, self.turned[parents])
            last.clear()
            last[key] = self.scale * rows, self.scale * slopes[:, free]
            return last[key]

        def residuals(values: Numbers) -> Rows:
            return look(values)[0]

        def jacobian(values: Numbers) -> Matrix:
            return look(values)[1]

        def descent(values: Numbers) -> tuple[float, Numbers]:
            rows, slopes = look(values * step)
            return 0.5 * float(rows @ rows), step * (rows @ slopes)

        bounds, step = (numbers.lower[free], numbers.upper[free]), numbers.step[free]
        first = least_squares(
            residuals,
            numbers.begin[free],
            jacobian,
            bounds=bounds,
            x_scale=step,
            ftol=PRECISION,
            xtol=PRECISION,
            gtol=PRECISION,
            max_nfev=min(FIRST, self.most - self.used),
        )
        self.used += first.nfev
        found, done = first.x, bool(first.status > 0)
        if first.cost > SMALL and self.used < self.most:
            # Gauss and Newton leave out what a large residual adds to the curvature; a quasi-Newton method learns it.
            second = minimize(
                descent,
                found / step,
                jac=True,
                method="L-BFGS-B",
                bounds=np.stack(bounds, axis=1) / step[:, None],
                options={"maxcor": len(found), "maxfun": self.most - self.used, "ftol": PRECISION, "gtol": PRECISION},
            )
            self.used += second.nfev
            found, done = second.x * step, bool(second.status != 1)
        look(found)
        self._look(self.root, self._allowed(self.local))
        return done

    def _barred(self, level: int) -> bool:
        """Tell whether a limit bars the way downhill."""
        rows, slopes, _, _ = self._model(level)
        tree, normals = self.tables.tree, np.zeros((3, 3))
        downhill = -(slopes.T @ rows)[:-3].reshape(-1, 3)
        least = AT_BOUND * self.tables.reach * float(np.linalg.norm(rows))
        for k in self.moving:
            parent = self.turned[tree["parent"][k]]
            number = kernels.limits.active_normals(
                tree["limit"][k], tree["limit_values"][k], self.local[k], parent, AT_BOUND, normals
            )
            if number and float((normals[:number] @ downhill[k]).max()) > least:
                return True
        return False


def _slopes_of_log(vectors: Float[np.ndarray, "joints 3"]) -> Float[np.ndarray, "joints 3 3"]:
    """Return -J^-1 with the right Jacobian J of SO(3): log(exp(v) exp(-d)) = v - J^-1 d, to first order."""
    square = np.sum(vectors * vectors, axis=1)[:, None, None]
    angle = np.sqrt(np.maximum(square, 1e-4))
    share = np.where(square < 1e-4, 1.0 / 12.0 + square / 720.0, 1.0 / angle**2 - 0.5 / (angle * np.tan(0.5 * angle)))
    across = np.cross(vectors[:, None], np.eye(3)).transpose(0, 2, 1)  # across @ u is v x u
    return np.asarray(-(np.eye(3) + 0.5 * across + share * across @ across))
