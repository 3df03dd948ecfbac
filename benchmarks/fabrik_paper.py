"""The table of the FABRIK paper again, for every solver of ours, with the published figures beside.

Aristidou and Lasenby, "FABRIK: a fast, iterative solver for the inverse kinematics problem", Graphical Models 73 (2011), table 1:
a chain of 10 ball joints and 9 bones of 100 mm, the target 600 mm away, solved to 1e-3 mm. Published iterations are means of 20
runs and quoted second-hand. The paper leaves the start open; here the chain starts straight, along X, and the targets lie 600 mm
from its base in random directions, the same 2000 for all solvers (the first 1000 for SciPy, which is slow). Then the same with
targets 1200 mm away, out of reach by 300 mm (50 for SciPy). Each solver may take 10 000 iterations, so that none fails for want
of them.

What one iteration is differs: a pass there and back (FABRIK), a round over all joints (CCD), a step of all joints (the rest). The
factor of a hundred between published Jacobian methods and ours is their step size. "reached" is checked by forward kinematics.

Bars (--check): FABRIK takes at most the published iterations; every solver for chains reaches at least 99 % of the targets.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any, get_args

import _bodies as bodies
import _common as common
import numpy as np
from _ik_tasks import chain_motion, random_points
from rich.table import Table

from kinematics import Motion, ik
from kinematics.ik.problem import Method

BONES, LENGTH, TOLERANCE = 9, 100.0, 1e-3  # mm
NEAR, FAR = 600.0, 1200.0
PUBLISHED = {"fabrik": 15.5, "ccd": 26.3, "jacobian_transpose": 1311.0, "damped_least_squares": 999.0, "SVD-DLS": 809.0}
SLOW = "scipy"


def main() -> int:
    """Measure, print, and check the bars."""
    asked = common.options(__doc__)
    count = 300 if asked.quick else 2000
    motion = chain_motion(BONES, LENGTH, 0.0)
    near, far = (random_points(count, distance, distance, seed=1) for distance in (NEAR, FAR))
    rows: list[dict[str, Any]] = []
    for method in get_args(Method):
        some, less = (count, count) if method != SLOW else (10, 3) if asked.quick else (1000, 50)
        found = {"reachable": solve(motion, method, near[:some]), "out of reach": solve(motion, method, far[:less])}
        rows.append({"method": method} | found)
    return common.finish([near_table(rows), far_table(rows)], bars(rows), rows, asked)


def solve(motion: Motion, method: Method, targets: np.ndarray) -> dict[str, float]:
    """Solve for each target on its own; return the figures, none where the solver is not for chains."""
    if method == "two_bone":
        return {}
    tip = motion.skeleton.joint_names[-1]
    problem = ik.Problem(
        motion.skeleton, {tip: ik.position()}, method=method, root="fixed", tolerance=TOLERANCE, max_iterations=10_000
    )
    problem.solve(motion[0], targets[:1])
    times, iterations, rows, said = [], [], [], 0
    for target in targets[:, None]:
        begin = time.perf_counter()
        result = problem.solve(motion[0], target)
        times.append(time.perf_counter() - begin)
        iterations.append(result.iterations)
        rows.append(result.local_rotations.ravel())
        said += result.status == "unreachable"
    body = bodies.make_body(motion.skeleton, free_root=False)
    places, _, _ = bodies.global_transforms(body, np.array(rows))
    left = np.linalg.norm(places[:, -1] - targets, axis=1)
    above = left - (np.linalg.norm(targets, axis=1) - BONES * LENGTH).clip(0)
    return {
        "targets": len(targets),
        "iterations mean": float(np.mean(iterations)),
        "iterations median": float(np.median(iterations)),
        "iterations largest": float(np.max(iterations)),
        "us": 1e6 * statistics.median(times),
        "reached": float(np.mean(left <= 1.001 * TOLERANCE)),
        "above the best, median": float(np.median(above)),
        "above the best, largest": float(above.max()),
        "said": said / len(targets),
    }


def near_table(rows: list[dict[str, Any]]) -> Table:
    """Return the paper's table."""
    table = Table(title="9 bones of 100 mm, target 600 mm away, 1e-3 mm", title_justify="left")
    table.add_column("")
    for column in ("iterations, mean", "median", "largest", "published", "us a solve, median", "reached"):
        table.add_column(column, justify="right")
    for row in rows:
        found, published = row["reachable"], PUBLISHED.get(row["method"])
        said = "" if published is None else f"{published:g}"
        if not found:
            table.add_row(row["method"], "bends two bones alone")
            continue
        iterations = (f"{found['iterations mean']:.1f}", f"{found['iterations median']:g}", f"{found['iterations largest']:g}")
        table.add_row(row["method"], *iterations, said, f"{found['us']:,.1f}", f"{found['reached']:.1%}")
    for name in PUBLISHED.keys() - {row["method"] for row in rows}:
        table.add_row(name, "", "", "", f"{PUBLISHED[name]:g}", "", "")
    return table


def far_table(rows: list[dict[str, Any]]) -> Table:
    """Return the table of targets out of reach."""
    table = Table(title="the same chain, target 1200 mm away, out of reach by 300 mm", title_justify="left")
    table.add_column("")
    for column in ("iterations, mean", "median", "us a solve, median", "above the best, mm, median", "largest", "says so"):
        table.add_column(column, justify="right")
    for row in rows:
        if not (found := row["out of reach"]):
            table.add_row(row["method"], "bends two bones alone")
            continue
        iterations = (f"{found['iterations mean']:.1f}", f"{found['iterations median']:g}")
        above = (f"{found['above the best, median']:.1e}", f"{found['above the best, largest']:.1e}")
        table.add_row(row["method"], *iterations, f"{found['us']:,.1f}", *above, f"{found['said']:.0%}")
    return table


def bars(rows: list[dict[str, Any]]) -> list[common.Bar]:
    """Return the bars of the docstring."""
    found = {row["method"]: row["reachable"] for row in rows if row["reachable"]}
    fabrik = found["fabrik"]["iterations mean"]
    made = [common.Bar("FABRIK's iterations, mean", fabrik, PUBLISHED["fabrik"], at_least=False)]
    return made + [common.Bar(f"{method}, part reached", each["reached"], 0.99) for method, each in found.items()]


if __name__ == "__main__":
    sys.exit(main())
