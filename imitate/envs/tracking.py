"""Many simulated bodies that learn to perform one reference, side by side on MuJoCo's thread pool."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from mujoco.batch import Batch

from imitate.bodies import Bodies, make_bodies, make_tree, move
from imitate.character.character import Character
from imitate.envs.config import EnvConfig
from imitate.envs.observations import ObservationSpec, observation_names, observation_size, observe
from imitate.envs.randomisation import Randomisation
from imitate.envs.rewards import TERMS, RewardSpec, joint_weights, reward
from imitate.envs.sampling import StartSampler
from imitate.envs.stability import advance, lifts, model_at, physics_rate
from imitate.envs.terminations import distances, too_low, touches
from imitate.errors import ImitationError
from imitate.reference import Reference


@dataclass
class Step:
    """What came of one action of each body.

    Attributes:
        observations: What to act on next; of a new episode where the old one ended, shape (N, O).
        rewards: In [0, 1]; 0 for the step in which an episode fails, as DeepMimic has it, shape (N,).
        terminated: Episodes that failed: nothing comes after, shape (N,).
        truncated: Episodes that were ended, though the body could have gone on: bootstrap with the value of
            `final_observations`, shape (N,).
        completed: Those of `truncated` that came to the end of a clip that is not cyclic; the others ran out of time.
        final_observations: Observations before any new episode began, shape (N, O).
        lengths: Steps of the episode so far, this one included, shape (N,).
        terms: Each term of the reward, before its weight, in [0, 1], and "mean_distance", the mean distance of the bodies
            from the reference's in metres, each of shape (N,); 0 where a body broke down under bad numbers.
    """

    observations: Float32[np.ndarray, "N O"]
    rewards: Float32[np.ndarray, " N"]
    terminated: Bool[np.ndarray, " N"]
    truncated: Bool[np.ndarray, " N"]
    completed: Bool[np.ndarray, " N"]
    final_observations: Float32[np.ndarray, "N O"]
    lengths: Int[np.ndarray, " N"]
    terms: dict[str, np.ndarray]


class TrackingEnv:
    """N copies of a body under physics, each with its own place in the reference.

    An action is one number a hinge: it turns the target of the hinge's PD motor, from the reference's angle one frame on or
    from the middle of its range. Bodies whose episode ends begin a new one at once, in the reference's own pose and
    velocity. The same seed gives the same numbers, whatever the number of threads.

    Attributes:
        character: The body.
        reference: What it should do.
        config: How.
        num_envs: N.
        num_observations: O.
        num_actions: A, the number of hinges.
        observation_names: A name for each observation.
        physics_rate_hz: Steps of physics in a second.
        batch: The simulations; `batch.bind("qpos")` is live, derived fields are one substep behind.
        bodies: Where all bodies are now, current after every step (of the new episode, where one has begun).
        final_positions: Origins of the bodies before any new episode began, shape (N, B, 3).
        final_qpos: Configurations before any new episode began, shape (N, nq).
        frames: Frame of the reference at which each body should be now, shape (N,).
        starts: Frame at which its episode started, shape (N,).
        lengths: Steps of its episode so far, shape (N,).
        bad_numbers: For each body that broke down under bad numbers (NaN, a solver's error) how often; it ends the episode.
        sampler: Where episodes start.
    """

    def __init__(
        self,
        character: Character,
        reference: Reference,
        config: EnvConfig | None = None,
        *,
        num_envs: int,
        seed: int = 0,
        num_threads: int = 0,
    ) -> None:
        """Make the simulations; call `reset` before the first step.

        Args:
            character: The body.
            reference: Its clip, made at the configuration's control rate.
            config: Actions, observations, rewards, ends, randomisation.
            num_envs: How many bodies.
            seed: Of everything random.
            num_threads: Threads of physics; 0 takes all cores.

        Raises:
            ImitationError: Where body and reference do not go together, or no step of physics is stable.
        """
        config = config or EnvConfig()
        _check(character, reference, config, num_envs)
        self.character, self.reference, self.config, self.num_envs = character, reference, config, num_envs
        self.physics_rate_hz = config.physics_rate_hz or physics_rate(character, reference)
        self._substeps = round(self.physics_rate_hz / config.control_rate_hz)
        self.batch = Batch(model_at(character.model, self.physics_rate_hz), nsim=num_envs, nthread=num_threads)
        self._qpos, self._qvel, self._ctrl = (self.batch.bind(name) for name in ("qpos", "qvel", "ctrl"))
        self._fresh = self.batch.state[0].copy()
        self._tree = make_tree(character.model)
        self._generator = np.random.Generator(np.random.SFC64(seed))
        self._randomisation = Randomisation(self.batch, config, self._substeps)
        self.sampler = StartSampler(reference, start=config.start, adaptive=config.adaptive_sampling)

        self.num_actions = len(character.hinge_names)
        effectors = np.array(character.end_effectors, dtype=np.int64)
        self._spec = ObservationSpec(effectors, np.array(config.lookahead_frames, dtype=np.int64), config.observe_phase)
        self.num_observations = observation_size(self._spec, self.num_actions)
        self.observation_names = observation_names(self._spec, character.hinge_names, character.body_names)
        weights = np.array(config.reward.weights)
        self._reward = RewardSpec(joint_weights(self._tree), effectors, weights / weights.sum(), np.array(config.reward.scales))
        self._middle = 0.5 * (np.asarray(character.lower) + np.asarray(character.upper))
        self._not_feet = np.setdiff1d(np.arange(len(character.body_names)), character.feet)
        self._reference_bodies = reference.bodies
        self._lift = lifts(reference)

        self.bodies: Bodies = make_bodies(num_envs, len(character.body_names))
        self.final_positions, self.final_qpos = self.bodies.positions.copy(), self._qpos.copy()
        self.frames, self.starts, self.lengths = (np.zeros(num_envs, dtype=np.int64) for _ in range(3))
        self.bad_numbers: Counter[str] = Counter()
        self._rows = np.arange(num_envs)

    def seed(self, seed: int) -> None:
        """Begin the random numbers anew, and forget where episodes have failed; `reset` comes next."""
        self._generator = np.random.Generator(np.random.SFC64(seed))
        self.sampler.rates[:] = 1.0

    def reset(self) -> Float32[np.ndarray, "N O"]:
        """Begin a new episode with every body; return observations, shape (N, O)."""
        self._begin(self._rows)
        return self.observations()

    def observations(self) -> Float32[np.ndarray, "N O"]:
        """Return what is seen now, shape (N, O)."""
        seen = np.empty((self.num_envs, self.num_observations), dtype=np.float32)
        move(self._tree, self._qpos, self._qvel, self._rows, self.bodies)
        self._observe(self._rows, seen)
        return seen

    def step(self, actions: Float32[np.ndarray, "N A"] | Float[np.ndarray, "N A"]) -> Step:
        """Act once with every body, for one control step; begin a new episode where one has ended.

        Args:
            actions: One number a hinge, shape (N, A). A row with NaN ends its episode.

        Raises:
            ImitationError: On a wrong shape.
        """
        broken = self._act(actions)
        self.frames += 1
        self.lengths += 1
        frames, reference, count = self.frames, self._reference_bodies, self.num_envs
        final = np.empty((count, self.num_observations), dtype=np.float32)
        terms, rewards, mean, largest = np.empty((5, count)), np.empty(count), np.empty(count), np.empty(count)
        move(self._tree, self._qpos, self._qvel, self._rows, self.bodies)
        self._observe(self._rows, final)
        reward(self._reward, self._tree, self.bodies, frames, reference, terms, rewards)
        distances(self.bodies, frames, reference, mean, largest)

        bad = np.flatnonzero(~broken & ~np.isfinite(final.sum(axis=1) + rewards))
        self._note(bad, np.full(len(bad), -1), broken, np.nan_to_num(np.abs(self._qvel), nan=np.inf))
        if broken.any():
            final[broken], rewards[broken], terms[:, broken] = 0.0, 0.0, 0.0
            mean[broken] = np.inf
        self.final_positions, self.final_qpos = self.bodies.positions.copy(), self._qpos.copy()
        terminated = broken | self._failed(mean, largest)
        rewards[terminated] = 0.0
        at_end = frames >= self.reference.ends[frames]
        truncated = ~terminated & (at_end | (self.lengths >= self.config.episode_steps))
        completed = truncated & at_end & ~self.reference.loops[frames]
        lengths, observations = self.lengths.copy(), final
        ended = np.flatnonzero(terminated | truncated)
        if len(ended):
            self.sampler.record(self.starts[ended], lengths[ended], terminated[ended])
            observations = final.copy()
            self._begin(ended)
            self._observe(ended, observations)
        shown = {name: term.astype(np.float32) for name, term in zip(TERMS, terms, strict=True)}
        shown["mean_distance"] = np.where(broken, 0.0, mean).astype(np.float32)
        return Step(observations, rewards.astype(np.float32), terminated, truncated, completed, final, lengths, shown)

    def _act(self, actions: np.ndarray) -> np.ndarray:
        """Turn actions into targets and run the physics; return which bodies broke down, shape (N,)."""
        if actions.shape != (self.num_envs, self.num_actions):
            raise ImitationError(f"actions must have shape {(self.num_envs, self.num_actions)}, got {actions.shape}")
        given = np.asarray(actions, dtype=np.float64)
        broken: np.ndarray = ~np.isfinite(given.sum(axis=1))
        if broken.any():
            given = np.where(broken[:, None], 0.0, given)
            self.bad_numbers["action"] += int(broken.sum())
        given = self._randomisation.noise(given, self._generator)
        around = self.reference.qpos[self.frames + 1, 7:] if self.config.action == "residual" else self._middle
        targets = around + self.config.action_scale_rad * given
        self._randomisation.push(self._qvel, self._generator)
        before = np.abs(self._qvel)
        if self._randomisation.delayed:
            self._delayed(targets, broken, before)
        else:
            self._ctrl[:] = targets
            self._note(*advance(self.batch, self._substeps), broken, before)
        return broken

    def _delayed(self, targets: np.ndarray, broken: np.ndarray, before: np.ndarray) -> None:
        """Run the physics with each body's new targets coming in after its latency."""
        delays, done = self._randomisation.delays, 0
        for delay in [*np.unique(delays), self._substeps]:
            if delay > done:
                self._note(*advance(self.batch, int(delay) - done), broken, before)
                done = int(delay)
            rows = delays == delay
            self._ctrl[rows] = targets[rows]

    def _note(self, rows: np.ndarray, degrees: np.ndarray, broken: np.ndarray, before: np.ndarray) -> None:
        """Count bodies that broke down by name: the one whose degree of freedom did, else the fastest one."""
        for row, degree in zip(rows, degrees, strict=True):
            fast = int(np.nan_to_num(before[row]).argmax()) if degree < 0 else int(degree)
            body = int(self.batch.model.dof_bodyid[min(fast, self.batch.model.nv - 1)]) - 1
            if not broken[row]:
                self.bad_numbers[self.character.body_names[body]] += 1
            broken[row] = True

    def _failed(self, mean: np.ndarray, largest: np.ndarray) -> np.ndarray:
        """Tell which episodes fail here, shape (N,)."""
        limits = self.config.termination
        failed = ~((mean <= limits.max_mean_distance_m) & (largest <= limits.max_body_distance_m))
        if limits.min_height_ratio:
            failed |= too_low(self.bodies, self.frames, self._reference_bodies, limits.min_height_ratio)
        if limits.end_on_contact:
            failed |= touches(self.bodies, self._not_feet)
        return failed

    def _observe(self, rows: np.ndarray, out: np.ndarray) -> None:
        observe(
            self._spec, self._tree, self._qpos, self._qvel, self.bodies, self.frames,
            self.reference.qpos, self.reference.phase, self.reference.ends, rows, out,
        )  # fmt: skip

    def _begin(self, rows: np.ndarray) -> None:
        """Begin new episodes."""
        frames = self.sampler.draw(len(rows), self._generator)
        self._randomisation.draw(rows, self._generator)
        self.frames[rows], self.starts[rows], self.lengths[rows] = frames, frames, 0
        self.batch.state[rows] = self._fresh
        self._qpos[rows], self._qvel[rows] = self.reference.qpos[frames], self.reference.qvel[frames]
        self._qpos[rows, 2] += self._lift[frames]
        self._ctrl[rows] = self.reference.qpos[frames, 7:]
        move(self._tree, self._qpos, self._qvel, rows, self.bodies)

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the next steps depend on; `restore` continues exactly."""
        inner = self._generator.bit_generator.state
        given = self._randomisation
        return {
            "physics": self.batch.state.copy(),
            "frames": self.frames.copy(),
            "starts": self.starts.copy(),
            "lengths": self.lengths.copy(),
            "rates": self.sampler.rates.copy(),
            "friction": given.friction.copy(),
            "mass": given.mass.copy(),
            "delays": given.delays.copy(),
            "clocks": given.clocks.copy(),
            "generator": np.array([*inner["state"]["state"], inner["has_uint32"], inner["uinteger"]], dtype=np.uint64),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` of an environment of the same body, reference, configuration and number of bodies.

        Raises:
            ImitationError: Where the shapes are another environment's.
        """
        mine = self.state()
        for name, value in mine.items():
            if name not in state or state[name].shape != value.shape:
                found = state[name].shape if name in state else "nothing"
                raise ImitationError(f"the saved state has {found} for {name!r}, and this environment needs {value.shape}")
        self.batch.state[:] = state["physics"]
        self.frames[:], self.starts[:], self.lengths[:] = state["frames"], state["starts"], state["lengths"]
        self.sampler.rates[:] = state["rates"]
        given, numbers = self._randomisation, [int(number) for number in state["generator"]]
        given.friction[:], given.mass[:] = state["friction"], state["mass"]
        given.delays[:], given.clocks[:] = state["delays"], state["clocks"]
        given.apply(self._rows)
        self._generator.bit_generator.state = {
            "bit_generator": "SFC64",
            "state": {"state": np.array(numbers[:4], dtype=np.uint64)},
            "has_uint32": numbers[4],
            "uinteger": numbers[5],
        }
        move(self._tree, self._qpos, self._qvel, self._rows, self.bodies)


def _check(character: Character, reference: Reference, config: EnvConfig, num_envs: int) -> None:
    if num_envs < 1:
        raise ImitationError(f"num_envs must be at least 1, got {num_envs}")
    model = character.model
    if reference.qpos.shape[1] != model.nq or reference.body_positions.shape[1] != model.nbody - 1:
        raise ImitationError(
            f"the reference is of another body: it has {reference.qpos.shape[1]} numbers a frame and "
            f"{reference.body_positions.shape[1]} bodies, {character.name!r} {model.nq} and {model.nbody - 1}"
        )
    if abs(reference.control_rate - config.control_rate_hz) > 1e-6:
        raise ImitationError(
            f"the reference has {reference.control_rate:g} frames a second and the configuration {config.control_rate_hz:g} "
            "control steps; make it with control_rate=config.control_rate_hz"
        )
    if model.nu != len(character.hinge_names):
        raise ImitationError(
            f"{character.name!r} has {model.nu} motors for {len(character.hinge_names)} hinges; one each is needed"
        )
