"""What a policy sees: the body in its own heading, and where the reference goes from here."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from imitate.bodies import Bodies, BodyTree, heading
from kinematics.kernels.algebra import (
    Quaternion,
    conjugate,
    multiply,
    put_vector,
    quaternion,
    rotate,
    subtract,
    vector,
)
from kinematics.kernels.jit import jit


class ObservationSpec(NamedTuple):
    """What is observed.

    Attributes:
        end_effectors: Bodies whose places are observed, shape (E,).
        lookahead: How many frames ahead the observed reference is, shape (K,).
        phase: Whether the clip's phase is observed.
    """

    end_effectors: np.ndarray
    lookahead: np.ndarray
    phase: bool


def observation_size(spec: ObservationSpec, hinges: int) -> int:
    """Return how many numbers `observe` writes."""
    ahead = len(spec.lookahead) * (9 + hinges)
    return 1 + 6 + 6 + 2 * hinges + 3 * len(spec.end_effectors) + 2 * spec.phase + ahead


def observation_names(spec: ObservationSpec, hinge_names: tuple[str, ...], body_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name for each number that `observe` writes, in order."""
    names = ["root height", *(f"root axis {a}{b}" for a in "xz" for b in "xyz")]
    names += [f"root {kind} {axis}" for kind in ("velocity", "spin") for axis in "xyz"]
    names += [f"{hinge} angle" for hinge in hinge_names] + [f"{hinge} speed" for hinge in hinge_names]
    names += [f"{body_names[b]} {axis}" for b in spec.end_effectors for axis in "xyz"]
    names += ["phase sine", "phase cosine"] if spec.phase else []
    for ahead in spec.lookahead:
        names += [f"root +{ahead} {axis}" for axis in "xyz"] + [f"root axis +{ahead} {a}{b}" for a in "xz" for b in "xyz"]
        names += [f"{hinge} angle +{ahead}" for hinge in hinge_names]
    return tuple(names)


@jit
def put_axes(row: np.ndarray, q: Quaternion) -> None:
    """Write the first and the last column of a rotation's matrix, 6 numbers without a jump.

    Zhou et al., "On the continuity of rotation representations in neural networks", 2019 (there the first two columns).
    """
    put_vector(row[:3], rotate(q, (1.0, 0.0, 0.0)))
    put_vector(row[3:6], rotate(q, (0.0, 0.0, 1.0)))


@jit
def observe(
    spec: ObservationSpec,
    tree: BodyTree,
    qpos: np.ndarray,
    qvel: np.ndarray,
    bodies: Bodies,
    frames: np.ndarray,
    reference_qpos: np.ndarray,
    phase: np.ndarray,
    ends: np.ndarray,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write what is seen in some simulations.

    In order: the root's height (m); its rotation in the heading frame, two columns; its velocity (m/s) and angular velocity
    (rad/s) in that frame; hinge angles (rad) and speeds (rad/s); end effectors from the root (m), in that frame; sine and
    cosine of the phase; for each frame ahead the reference root's place from the body's (m), its rotation in that frame, and
    its hinge angles. Nothing depends on where the body is on the floor, nor on where it faces.

    Args:
        spec: What is observed.
        tree: The model.
        qpos: Configurations, shape (N, nq).
        qvel: Velocities, shape (N, nv).
        bodies: The bodies in them.
        frames: Frame of the reference of each simulation, shape (N,).
        reference_qpos: The reference's configurations, shape (F, nq).
        phase: The reference's phase, shape (F,).
        ends: Last frame of each frame's clip, shape (F,).
        rows: Simulations to write, shape (n,).
        out: Where it is written, shape (N, observations).
    """
    hinges, upright = qpos.shape[1] - 7, quaternion(tree.upright)
    for n in rows:
        row, f = out[n], frames[n]
        root, turn = vector(bodies.positions[n, 0]), quaternion(bodies.rotations[n, 0])
        back = conjugate(heading(turn, upright))
        row[0] = root[2]
        put_axes(row[1:7], multiply(back, turn))
        put_vector(row[7:10], rotate(back, vector(bodies.linear_velocities[n, 0])))
        put_vector(row[10:13], rotate(back, vector(bodies.angular_velocities[n, 0])))
        at = 13
        for h in range(hinges):
            row[at + h] = qpos[n, 7 + h]
            row[at + hinges + h] = qvel[n, 6 + h]
        at += 2 * hinges
        for b in spec.end_effectors:
            put_vector(row[at : at + 3], rotate(back, subtract(vector(bodies.positions[n, b]), root)))
            at += 3
        if spec.phase:
            row[at], row[at + 1] = math.sin(2.0 * math.pi * phase[f]), math.cos(2.0 * math.pi * phase[f])
            at += 2
        for ahead in spec.lookahead:
            g = min(f + ahead, ends[f])
            put_vector(row[at : at + 3], rotate(back, subtract(vector(reference_qpos[g]), root)))
            put_axes(row[at + 3 : at + 9], multiply(back, quaternion(reference_qpos[g, 3:7])))
            for h in range(hinges):
                row[at + 9 + h] = reference_qpos[g, 7 + h]
            at += 9 + hinges
