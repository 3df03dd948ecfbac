"""Steps of physics, and how short they must be for a body to stay in one piece."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import mujoco
import numpy as np
from mujoco.batch import Batch, SimulationError

from imitate.character.character import Character
from imitate.errors import ImitationError
from imitate.reference import Reference

LEAST_RATE_HZ = 120.0  # implicitfast at 1/120 s behaves as at 1/240 s where it is stable
REFINEMENTS = (1, 2, 4, 8)
TRIAL_STEPS, TRIALS = 15, 32
SUNK = 0.002  # metres that a shape may begin below the floor; deeper starts are lifted, or the floor would throw the body
TOO_FAST = 150.0  # rad/s of a hinge beyond the reference's fastest, which no tracking body reaches
BAD_NUMBERS = tuple(
    int(kind)
    for kind in (
        mujoco.mjtWarning.mjWARN_BADQPOS,
        mujoco.mjtWarning.mjWARN_BADQVEL,
        mujoco.mjtWarning.mjWARN_BADQACC,
        mujoco.mjtWarning.mjWARN_BADCTRL,
    )
)


def model_at(model: mujoco.MjModel, rate_hz: float) -> mujoco.MjModel:
    """Return a copy of a model that steps at a rate with MuJoCo's implicitfast integrator."""
    model = copy.copy(model)
    model.opt.timestep = 1.0 / rate_hz
    model.opt.integrator = int(mujoco.mjtIntegrator.mjINT_IMPLICITFAST)
    return model


def lifts(reference: Reference) -> np.ndarray:
    """Return how far a body that begins at each frame is lifted out of the floor, metres, shape (F,)."""
    return np.asarray(np.maximum(0.0, -SUNK - reference.lowest.min(axis=1)))


def physics_rate(character: Character, reference: Reference) -> float:
    """Return the lowest rate, Hz, from 120 on at which the body tracks half a second of its clip with PD alone and stays whole.

    Tried from frames all over the clip, each rate a whole multiple of the control rate. Whole means no bad numbers, and no
    hinge faster than 150 rad/s beyond the reference.

    Raises:
        ImitationError: Where no rate up to eight times as fine is stable.
    """
    control = reference.control_rate
    base = int(np.ceil(LEAST_RATE_HZ / control - 1e-6))
    starts = reference.starts[np.linspace(0, len(reference.starts) - 1, TRIALS).astype(int)]
    raised, worst = lifts(reference)[starts], 0
    for finer in REFINEMENTS:
        rate = control * base * finer
        batch = Batch(model_at(character.model, rate), nsim=TRIALS, nthread=1)
        qpos, qvel, ctrl = batch.bind("qpos"), batch.bind("qvel"), batch.bind("ctrl")
        qpos[:], qvel[:] = reference.qpos[starts], reference.qvel[starts]
        qpos[:, 2] += raised
        fastest, broken = TOO_FAST + np.abs(reference.qvel[:, 6:]).max(), np.zeros(TRIALS, dtype=bool)
        for step in range(1, TRIAL_STEPS + 1):
            ctrl[:] = reference.qpos[np.minimum(starts + step, reference.ends[starts]), 7:]
            broken[advance(batch, base * finer)[0]] = True
            broken |= ~(np.abs(qvel[:, 6:]).max(axis=1) <= fastest)
        if not broken.any():
            return rate
        worst = int(starts[np.flatnonzero(broken)[0]])
    raise ImitationError(
        f"the body {character.name!r} flies apart within half a second of tracking frame {worst} of its clip, even at {rate:g} "
        "steps a second; its gains are too stiff for its lightest bodies: lower them, or raise armature"
    )


def advance(batch: Batch, substeps: int) -> tuple[np.ndarray, np.ndarray]:
    """Step every simulation, and return those that broke down and the degree of freedom that did, -1 where unknown.

    A simulation breaks down when MuJoCo meets a bad number (it then begins anew at the model's defaults) or raises an error
    (it then stays as it was). Counters of warnings are set back.
    """
    broken = np.zeros(0, dtype=np.int64)
    with quiet_warnings():
        try:
            batch.step(nstep=substeps)
        except SimulationError as error:
            broken = np.asarray(error.ids, dtype=np.int64)
    if not len(broken) and not batch.warning[:, BAD_NUMBERS, 1].any():
        return broken, broken
    found = batch.warning[:, BAD_NUMBERS]
    where = np.full(batch.nsim, -2)
    where[broken] = -1
    for kind in range(len(BAD_NUMBERS)):
        rows = found[:, kind, 1] > 0
        where[rows] = found[rows, kind, 0]
    batch.warning[:] = 0
    rows = np.flatnonzero(where > -2)
    return rows, where[rows]


@contextmanager
def quiet_warnings() -> Iterator[None]:
    """Keep MuJoCo from writing its warnings to the terminal and to MUJOCO_LOG.TXT; they are counted instead."""
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(_silent)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def _silent(_: str) -> None:
    """Say nothing."""
