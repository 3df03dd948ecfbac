"""What a clip asks of a body: torques by inverse dynamics, and how long stiff hinges alone keep it up."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float
from mujoco.batch import Batch
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls

from imitate.bodies import BodyTree, make_bodies, make_tree, move
from imitate.character.character import Character
from kinematics.velocities import differentiate

SMOOTHED_S = 0.05  # standard deviation of the window over accelerations
MOST_FRAMES = 80  # are looked at
NEAR = 0.02  # share of the height within which a corner of a sole can push against the floor
LOST = 0.4  # metres that bodies may be off on the mean before tracking counts as lost
LOW = 0.6  # share of the root's height below which the body fell
CONTROL_RATE = 30.0


@dataclass(frozen=True, eq=False)
class Demand:
    """Torques that a clip needs.

    Attributes:
        torques: Of the hinges, N m, shape (frames, hinges).
        unbalanced: Share of the weight that the floor cannot give where the feet are (a body that hangs in the air), (frames,).
    """

    torques: Float[np.ndarray, "frames hinges"]
    unbalanced: Float[np.ndarray, " frames"]


def needed_torques(character: Character, qpos: Float[np.ndarray, "frames nq"], frame_time: float) -> Demand:
    """Return the torques that a clip needs, its accelerations smoothed over 0.05 s.

    Inverse dynamics gives the force on the free root that nothing applies; the least pushes of the floor against the feet, inside
    their friction pyramid (non-negative least squares), stand in for it, and what they do to the hinges is taken off.

    Args:
        character: The body.
        qpos: The clip in its numbers, shape (frames, nq).
        frame_time: Seconds.
    """
    model = character.model
    data = mujoco.MjData(model)
    data.qpos[:] = qpos[0]
    velocities = np.zeros((len(qpos), model.nv))
    for frame in range(len(qpos)):
        before, after = max(frame - 1, 0), min(frame + 1, len(qpos) - 1)
        if after > before:
            mujoco.mj_differentiatePos(model, velocities[frame], (after - before) * frame_time, qpos[before], qpos[after])
    velocities = _smoothed(velocities, frame_time)
    accelerations = _smoothed(differentiate(velocities, frame_time), frame_time) if len(qpos) > 1 else np.zeros_like(velocities)
    frames = np.unique(np.linspace(0, len(qpos) - 1, min(len(qpos), MOST_FRAMES)).astype(int))
    weight = float(model.body_mass.sum()) * 9.81
    torques, unbalanced = np.zeros((len(frames), model.nv - 6)), np.zeros(len(frames))
    for n, frame in enumerate(frames.tolist()):
        data.qpos[:], data.qvel[:], data.qacc[:] = qpos[frame], velocities[frame], accelerations[frame]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_crb(model, data)
        mujoco.mj_comVel(model, data)
        force = np.zeros(model.nv)
        mujoco.mj_rne(model, data, 1, force)
        force += model.dof_armature * accelerations[frame]
        pushes = _pushes(character, model, data)
        if pushes.shape[1]:
            share, missing = nnls(pushes[:6] / weight, force[:6] / weight)
            force -= pushes @ share
            unbalanced[n] = missing
        else:
            unbalanced[n] = float(np.linalg.norm(force[:6])) / weight
        torques[n] = force[6:]
    return Demand(torques, unbalanced)


def _pushes(character: Character, model: mujoco.MjModel, data: mujoco.MjData) -> Float[np.ndarray, "nv pushes"]:
    """Return the generalized force of one newton along each edge of the friction pyramid, at each point that stands."""
    columns = []
    floor = model.geom("floor").id
    friction = float(model.geom_friction[floor, 0])
    jacobian = np.zeros((3, model.nv))
    for foot in character.feet:
        body = foot + 1
        for geom in range(int(model.body_geomadr[body]), int(model.body_geomadr[body]) + int(model.body_geomnum[body])):
            half, matrix = model.geom_aabb[geom], data.geom_xmat[geom].reshape(3, 3)
            signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
            corners = data.geom_xpos[geom] + (half[:3] + signs * half[3:]) @ matrix.T
            for corner in corners[corners[:, 2] < NEAR * character.height]:
                mujoco.mj_jac(model, data, jacobian, None, corner, body)
                for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                    columns.append(np.array([friction * x, friction * y, 1.0]) @ jacobian)
    return np.array(columns).T if columns else np.zeros((model.nv, 0))


def tracking_times(
    character: Character, qpos: Float[np.ndarray, "frames nq"], frame_time: float, *, starts: int = 8, longest_s: float = 5.0
) -> Float[np.ndarray, " starts"]:
    """Return how many seconds hinges that just follow the clip keep the body up, from several frames of it.

    A body that reaches the end of the clip counts as `longest_s`; so does one that lasts so long. One whose numbers go bad is
    lost.

    Args:
        character: The body.
        qpos: The clip in its numbers, shape (frames, nq).
        frame_time: Seconds.
        starts: From how many frames.
        longest_s: When to stop.
    """
    from imitate.envs.stability import advance  # environments are made of characters

    model = character.model
    first = np.unique(np.linspace(0, max(len(qpos) - 2, 0) * 0.75, starts).astype(int))
    batch = Batch(model, len(first), nthread=1)
    state, velocities = batch.bind("qpos"), batch.bind("qvel")
    control, tree = batch.bind("ctrl"), make_tree(model)
    state[:] = qpos[first]
    for n, frame in enumerate(first.tolist()):
        if frame + 1 < len(qpos):
            mujoco.mj_differentiatePos(model, velocities[n], frame_time, qpos[frame], qpos[frame + 1])
    wanted = _places(tree, qpos)
    substeps = max(round(1.0 / (CONTROL_RATE * model.opt.timestep)), 1)
    period = substeps * model.opt.timestep
    lasted, alive = np.full(len(first), longest_s), np.ones(len(first), dtype=bool)
    for step in range(int(longest_s / period)):
        now = np.minimum(np.round(first + step * period / frame_time).astype(int), len(qpos) - 1)
        after = np.minimum(np.round(first + (step + 1) * period / frame_time).astype(int), len(qpos) - 1)
        alive &= now < len(qpos) - 1 if len(qpos) > 2 else alive
        if not alive.any():
            break
        control[:] = qpos[after, 7:]
        broken, _ = advance(batch, substeps)
        off = np.linalg.norm(_places(tree, state) - wanted[after], axis=-1).mean(axis=1)
        off[broken] = np.inf
        lost = alive & (~(off <= LOST * max(character.height / 1.75, 0.1)) | (state[:, 2] < LOW * qpos[after, 2]))
        lasted[lost] = (step + 1) * period
        alive &= ~lost
        state[lost], velocities[lost] = qpos[first[lost]], 0.0
    return lasted


def _places(tree: BodyTree, qpos: Float[np.ndarray, "frames nq"]) -> Float[np.ndarray, "frames bodies 3"]:
    bodies = make_bodies(len(qpos), len(tree.parents))
    still = np.zeros((len(qpos), qpos.shape[1] - 1))
    move(tree, np.ascontiguousarray(qpos), still, np.arange(len(qpos)), bodies)
    return bodies.positions


def _smoothed(values: Float[np.ndarray, "frames n"], frame_time: float) -> Float[np.ndarray, "frames n"]:
    return np.asarray(gaussian_filter1d(values, SMOOTHED_S / frame_time, axis=0, mode="nearest"))
