"""How well a body imitates: five errors, one function each, and the reward made of them.

The errors are those of DeepMimic's published code (Peng et al. 2018), where a joint is a whole joint, whatever hinges it is
made of: its rotation is that of a body relative to its parent, its speed their relative angular velocity. Arguments are one
simulation's (or frame's) bodies in the world, Z up, metres and seconds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from imitate.bodies import Bodies, BodyTree, heading
from kinematics.kernels.algebra import (
    Quaternion,
    Vector,
    conjugate,
    dot,
    multiply,
    quaternion,
    rotate,
    subtract,
    vector,
)
from kinematics.kernels.jit import jit

TERMS = ("pose", "velocity", "end_effector", "root", "com")
NEARNESS = (1.0, 0.5, 0.3, 0.2)  # DeepMimic's weight of a joint: the root; hips and chest; knees, neck, shoulders; the rest


class RewardSpec(NamedTuple):
    """What the reward is made of.

    Attributes:
        joint_weights: Weight of each body's joint, 0 where it has none, summing to 1, shape (B,).
        end_effectors: Bodies that are hands, feet, head, shape (E,).
        weights: Weights of the terms, summing to 1, shape (5,).
        scales: Scales of the terms, shape (5,).
    """

    joint_weights: np.ndarray
    end_effectors: np.ndarray
    weights: np.ndarray
    scales: np.ndarray


def joint_weights(tree: BodyTree) -> np.ndarray:
    """Return the weight of each body's joint by how many joints lie between it and the root, summing to 1, shape (B,).

    On DeepMimic's humanoid these are DeepMimic's own.
    """
    depths, weights = np.zeros(len(tree.parents), dtype=int), np.zeros(len(tree.parents))
    moved = np.diff(tree.first_hinges) > 0
    for body, parent in enumerate(tree.parents):
        depths[body] = depths[parent] + moved[body] if parent >= 0 else 0
        if moved[body] or body == 0:
            weights[body] = NEARNESS[min(int(depths[body]), len(NEARNESS) - 1)]
    return np.asarray(weights / weights.sum())


@jit
def squared_angle(a: Quaternion, b: Quaternion) -> float:
    """Return the square of the angle between two rotations, rad^2."""
    _, x, y, z = d = multiply(conjugate(a), b)
    angle = 2.0 * math.atan2(math.sqrt(x * x + y * y + z * z), abs(d[0]))
    return angle * angle


@jit
def squared_length(v: Vector) -> float:
    """Return v . v."""
    return dot(v, v)


@jit
def relative_rotation(rotations: np.ndarray, parent: int, body: int) -> Quaternion:
    """Return a body's rotation relative to its parent; the root's in the world."""
    turn = quaternion(rotations[body])
    return multiply(conjugate(quaternion(rotations[parent])), turn) if parent >= 0 else turn


@jit
def relative_spin(rotations: np.ndarray, spins: np.ndarray, parent: int, body: int) -> Vector:
    """Return a body's angular velocity relative to its parent, in the parent's frame; the root's in the world."""
    if parent < 0:
        return vector(spins[body])
    return rotate(conjugate(quaternion(rotations[parent])), subtract(vector(spins[body]), vector(spins[parent])))


@jit
def pose_error(rotations: np.ndarray, wanted: np.ndarray, parents: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean of the joints' squared angles from the wanted ones, rad^2."""
    error = 0.0
    for b in range(len(parents)):
        if weights[b] > 0.0:
            here, there = relative_rotation(rotations, parents[b], b), relative_rotation(wanted, parents[b], b)
            error += weights[b] * squared_angle(here, there)
    return error


@jit
def velocity_error(
    rotations: np.ndarray,
    spins: np.ndarray,
    wanted_rotations: np.ndarray,
    wanted_spins: np.ndarray,
    parents: np.ndarray,
    weights: np.ndarray,
) -> float:
    """Return the weighted mean of the squared differences of the joints' angular velocities, rad^2/s^2."""
    error = 0.0
    for b in range(len(parents)):
        if weights[b] > 0.0:
            here = relative_spin(rotations, spins, parents[b], b)
            there = relative_spin(wanted_rotations, wanted_spins, parents[b], b)
            error += weights[b] * squared_length(subtract(here, there))
    return error


@jit
def end_effector_error(
    positions: np.ndarray,
    facing: Quaternion,
    wanted: np.ndarray,
    wanted_facing: Quaternion,
    end_effectors: np.ndarray,
) -> float:
    """Return the mean squared distance of the end effectors, seen along the floor from their own root and heading, m^2.

    As in DeepMimic's program their height is that above the floor, not above the root. It has four, ankles and wrists, and
    takes the mean of their errors times 40, which is the sum times 10. We take the mean times 40 as well, with the head as a
    fifth, and elbows where a body has no wrists.
    """
    error, back, wanted_back = 0.0, conjugate(facing), conjugate(wanted_facing)
    root, wanted_root = (positions[0, 0], positions[0, 1], 0.0), (wanted[0, 0], wanted[0, 1], 0.0)
    for b in end_effectors:
        here = rotate(back, subtract(vector(positions[b]), root))
        there = rotate(wanted_back, subtract(vector(wanted[b]), wanted_root))
        error += squared_length(subtract(here, there))
    return error / max(1, len(end_effectors))


@jit
def root_error(
    position: Vector,
    rotation: Quaternion,
    velocity: Vector,
    spin: Vector,
    wanted_position: Vector,
    wanted_rotation: Quaternion,
    wanted_velocity: Vector,
    wanted_spin: Vector,
) -> float:
    """Return DeepMimic's error of the root: |dx|^2 + 0.1 angle^2 + 0.01 |dv|^2 + 0.001 |dw|^2."""
    return (
        squared_length(subtract(position, wanted_position))
        + 0.1 * squared_angle(rotation, wanted_rotation)
        + 0.01 * squared_length(subtract(velocity, wanted_velocity))
        + 0.001 * squared_length(subtract(spin, wanted_spin))
    )


@jit
def com_error(velocity: Vector, wanted: Vector) -> float:
    """Return DeepMimic's error of the centre of mass: a tenth of the squared difference of velocities, m^2/s^2."""
    return 0.1 * squared_length(subtract(velocity, wanted))


@jit
def reward(
    spec: RewardSpec,
    tree: BodyTree,
    bodies: Bodies,
    frames: np.ndarray,
    reference: Bodies,
    terms: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write each simulation's terms, `exp(-scale * error)`, and their weighted sum, all in [0, 1].

    Args:
        spec: Weights and scales.
        tree: The model.
        bodies: The bodies now.
        frames: Frame of the reference of each simulation, shape (N,).
        reference: The bodies in each frame.
        terms: Where pose, velocity, end effectors, root and centre of mass are written, shape (5, N).
        out: Where the sums are written, shape (N,).
    """
    upright = quaternion(tree.upright)
    for n in range(len(frames)):
        f = frames[n]
        turns, wanted = bodies.rotations[n], reference.rotations[f]
        turn, wanted_turn = quaternion(turns[0]), quaternion(wanted[0])
        errors = (
            pose_error(turns, wanted, tree.parents, spec.joint_weights),
            velocity_error(
                turns, bodies.angular_velocities[n], wanted, reference.angular_velocities[f], tree.parents, spec.joint_weights
            ),
            end_effector_error(
                bodies.positions[n], heading(turn, upright),
                reference.positions[f], heading(wanted_turn, upright), spec.end_effectors,
            ),
            root_error(
                vector(bodies.positions[n, 0]), turn,
                vector(bodies.linear_velocities[n, 0]), vector(bodies.angular_velocities[n, 0]),
                vector(reference.positions[f, 0]), wanted_turn,
                vector(reference.linear_velocities[f, 0]), vector(reference.angular_velocities[f, 0]),
            ),
            com_error(vector(bodies.center_of_mass_velocity[n]), vector(reference.center_of_mass_velocity[f])),
        )  # fmt: skip
        total = 0.0
        for term in range(5):
            terms[term, n] = math.exp(-spec.scales[term] * errors[term])
            total += spec.weights[term] * terms[term, n]
        out[n] = total
