"""Let a policy act in every body of an environment for one episode, and keep what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int

from imitate.envs.tracking import TrackingEnv
from imitate.learning.policy import ActorCritic
from imitate.learning.rollout import threads
from imitate.policy_file import load_policy_for
from imitate.runs import POLICY, Run
from kinematics._arrays import FrozenArrays

Observations = Float32[np.ndarray, "bodies observations"]
Actions = Float32[np.ndarray, "bodies actions"]
ROOT_NUDGE, HINGE_NUDGE = 0.05, 0.1  # m/s, rad/s
Control = Callable[[Observations], Actions]


@dataclass(frozen=True, eq=False)
class Episodes(FrozenArrays):
    """One episode of each of many bodies, side by side. World: MuJoCo's, Z up, metres.

    State f of a body is the one before its step f; it counts as long as f < lengths. What follows belongs to no episode.

    Attributes:
        qpos: Generalized positions, shape (steps, episodes, nq).
        qvel: Generalized velocities, shape (steps, episodes, nv).
        positions: Body origins, metres, shape (steps, episodes, bodies, 3).
        rotations: Their orientations, unit quaternions wxyz, shape (steps, episodes, bodies, 4).
        frames: Frame of the reference that each state should be at, shape (steps, episodes).
        rewards: Reward of each step, shape (steps, episodes).
        distances: Mean distance of the bodies from the reference after each step, metres, shape (steps, episodes).
        last_qpos: Generalized positions after the last step of each episode, shape (episodes, nq).
        lengths: Steps that each episode lasted, shape (episodes,).
        horizons: Steps that it could have lasted, shape (episodes,).
        completed: Whether it lasted to its end without a fall, shape (episodes,).
    """

    qpos: Float[np.ndarray, "steps episodes nq"]
    qvel: Float[np.ndarray, "steps episodes nv"]
    positions: Float[np.ndarray, "steps episodes bodies 3"]
    rotations: Float[np.ndarray, "steps episodes bodies 4"]
    frames: Int[np.ndarray, " steps episodes"]
    rewards: Float[np.ndarray, " steps episodes"]
    distances: Float[np.ndarray, " steps episodes"]
    last_qpos: Float[np.ndarray, "episodes nq"]
    lengths: Int[np.ndarray, " episodes"]
    horizons: Int[np.ndarray, " episodes"]
    completed: Bool[np.ndarray, " episodes"]

    def __post_init__(self) -> None:
        """Lock every array."""
        for field in fields(self):
            getattr(self, field.name).setflags(write=False)

    @property
    def valid(self) -> Bool[np.ndarray, " steps episodes"]:
        """Which states belong to an episode."""
        return np.asarray(np.arange(len(self.frames))[:, None] < self.lengths)


def deterministic(policy: ActorCritic) -> Control:
    """Return a policy's mean actions as a function of NumPy arrays."""
    policy.eval()

    def control(observations: Observations) -> Actions:
        with torch.inference_mode():
            actions: Actions = policy.mean(torch.from_numpy(observations)).numpy()
        return actions

    return control


def run_control(run: Run, env: TrackingEnv) -> Control:
    """Return what a run's policy does, without noise.

    Raises:
        MissingFileError: Where the run has no policy yet.
        ImitationError: Where its policy is damaged, or was made for another body or other observations.
    """
    return deterministic(load_policy_for(run.folder / POLICY, run.character.hinge_names, env.config)[0])


def nudge(env: TrackingEnv, generator: np.random.Generator) -> None:
    """Disturb the velocities of all bodies a little: hinges by 0.1 rad/s, the root by 0.05 m/s (standard deviations).

    A policy without noise in an undisturbed simulation does the same thing each time that it starts at the same frame.
    """
    speeds = env.batch.bind("qvel")
    speeds[:, :3] += ROOT_NUDGE * generator.standard_normal((env.num_envs, 3))
    speeds[:, 6:] += HINGE_NUDGE * generator.standard_normal((env.num_envs, speeds.shape[1] - 6))


def perform(
    control: Control,
    env: TrackingEnv,
    *,
    nudged: np.random.Generator | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Episodes:
    """Run each body of an environment through one episode from a fresh start.

    Args:
        control: What acts.
        env: The environment; all its bodies are reset first.
        nudged: Disturbs the velocities at the start; see `nudge`. By default they are the reference's.
        on_step: Called with the number of episodes that have ended, after each step.
    """
    observations = env.reset()
    if nudged is not None:
        nudge(env, nudged)
        observations = env.observations()
    live = {
        "qpos": env.batch.bind("qpos"),
        "qvel": env.batch.bind("qvel"),
        "positions": env.bodies.positions,
        "rotations": env.bodies.rotations,
        "frames": env.frames,
    }
    horizons = np.minimum(env.reference.ends[env.frames] - env.frames, env.config.episode_steps).astype(np.int64)
    count = env.num_envs
    lengths, completed = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    running, last_qpos = np.ones(count, dtype=bool), np.zeros_like(live["qpos"])
    kept: dict[str, list[np.ndarray]] = {name: [] for name in (*live, "rewards", "distances")}
    while running.any():
        for name, values in live.items():
            kept[name].append(values.copy())
        with threads(1):  # torch's and the physics' would take the processors from each other
            actions = control(observations)
        step = env.step(actions)
        observations = step.observations
        kept["rewards"].append(step.rewards.astype(np.float64))
        kept["distances"].append(step.terms["mean_distance"].astype(np.float64))
        ended = running & (step.terminated | step.truncated)
        last_qpos[ended] = env.final_qpos[ended]
        completed |= running & step.truncated & ~step.terminated
        lengths += running
        running &= ~ended
        if on_step is not None:
            on_step(count - int(running.sum()))
    found = {name: np.stack(values) for name, values in kept.items()}
    return Episodes(**found, last_qpos=last_qpos, lengths=lengths, horizons=horizons, completed=completed)
