"""How well a policy performs its clip: by two protocols, and under stress; docs/imitation-metrics.md defines each number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from imitate import metrics
from imitate.character import Character
from imitate.envs.config import DEEPMIMIC, EnvConfig, RandomisationConfig, TerminationConfig
from imitate.envs.tracking import TrackingEnv
from imitate.episodes import Control, Episodes, perform
from imitate.errors import ImitationError
from imitate.metrics import EPISODES
from imitate.reference import Reference, make_reference
from imitate.runs import Run

FORMAT_VERSION = 1
HORIZON_S = 20.0  # of clips that go on in cycles (DeepMimic)
FALL = 0.5  # of the reference's root height: below it a body has fallen
NEAR_FLOOR = 0.005  # of the height; shins end 0.015 of it above the soles
UNDISTURBED = RandomisationConfig()
STRESS: Mapping[str, RandomisationConfig] = {
    "push_0.3_m_s": RandomisationConfig(push_speed_m_s=(0.3, 0.3), push_interval_s=2.0),
    "push_0.5_m_s": RandomisationConfig(push_speed_m_s=(0.5, 0.5), push_interval_s=2.0),
    "push_1.0_m_s": RandomisationConfig(push_speed_m_s=(1.0, 1.0), push_interval_s=2.0),
    "friction_0.5": RandomisationConfig(friction=(0.5, 0.5)),
    "mass_1.2": RandomisationConfig(mass=(1.2, 1.2)),
    "action_noise_0.1": RandomisationConfig(action_noise=0.1),
}


@dataclass(frozen=True)
class Errors:
    """PHC's errors at 30 Hz, means over all frames of all episodes.

    Attributes:
        global_mm: Distance of bodies in the world.
        root_relative_mm: The same with the root's position taken out.
        procrustes_mm: The same after the best similarity transform.
        velocity_mm_per_frame: Difference of the bodies' velocities.
        acceleration_mm_per_frame2: Difference of their accelerations.
    """

    global_mm: float
    root_relative_mm: float
    procrustes_mm: float
    velocity_mm_per_frame: float
    acceleration_mm_per_frame2: float


@dataclass(frozen=True)
class MjlabErrors:
    """mjlab's errors, means over episodes of each episode's mean, at the control rate.

    Attributes:
        mpkpe_mm: Distance of bodies in the world.
        r_mpkpe_mm: The same with the root's position taken out.
        joint_velocity_rad_s: Length of the difference of all joint velocities.
        end_effector_position_mm: Distance of hands, feet and head, with place on the floor and heading taken out.
        end_effector_rotation_rad: Angle between them and the reference's, likewise.
    """

    mpkpe_mm: float
    r_mpkpe_mm: float
    joint_velocity_rad_s: float
    end_effector_position_mm: float
    end_effector_rotation_rad: float


@dataclass(frozen=True)
class Outcome:
    """What came of a number of episodes.

    Attributes:
        episodes: How many.
        completion: Share that reached the end without a fall.
        success: Share that also never were more than 0.5 m off, in the mean over the bodies.
        normalised_return: DeepMimic's, with DeepMimic's reward.
        mean_length_s: How long they lasted.
        possible_length_s: How long they could have lasted.
        errors_mm: PHC's errors.
        mjlab: mjlab's errors.
    """

    episodes: int
    completion: float
    success: float
    normalised_return: float
    mean_length_s: float
    possible_length_s: float
    errors_mm: Errors
    mjlab: MjlabErrors


@dataclass(frozen=True)
class Evaluation:
    """How well a policy performs its clip.

    Attributes:
        body: Name of the body.
        hinges: Its number of hinges.
        cyclic: Whether the clip goes on in cycles.
        clip_s: Length of the clip; of a cyclic one, how long an episode can last.
        control_rate_hz: Actions in a second.
        seed: Of the starts and disturbances.
        anywhere: Episodes that start anywhere in the clip.
        first_frame: Episodes that start at its first frame.
        stress: Episodes that start anywhere, disturbed, by kind of disturbance.
        notes: What the reader should know, one sentence each.
    """

    body: str
    hinges: int
    cyclic: bool
    clip_s: float
    control_rate_hz: float
    seed: int
    anywhere: Outcome
    first_frame: Outcome
    stress: Mapping[str, Outcome]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers with names, units in the names, and a `format_version`, ready for JSON.

        The numbers of episodes that start anywhere stand at the top, the others under "first_frame" and "stress".
        """
        about = {name: value for name, value in asdict(self).items() if name not in ("anywhere", "first_frame", "stress")}
        return {
            "format_version": FORMAT_VERSION,
            **about,
            **asdict(self.anywhere),
            "first_frame": asdict(self.first_frame),
            "stress": {name: asdict(outcome) for name, outcome in self.stress.items()},
        }


def evaluate(
    control: Control,
    character: Character,
    *,
    reference: Reference,
    config: EnvConfig,
    episodes: int = EPISODES,
    seed: int = 0,
    stress: bool = True,
    on_progress: Callable[[str, int], None] | None = None,
) -> Evaluation:
    """Measure a policy by both protocols, all episodes of one side by side.

    Whatever it was trained with, it is scored by DeepMimic's reward, an episode ends by a fall alone (a root below half the
    reference's height, or anything but the feet on the floor unless the clip itself does that), random starts are drawn
    evenly, and nothing is randomised outside the stress tests.

    Args:
        control: Maps observations to actions; see `imitate.episodes.deterministic`.
        character: The body.
        reference: The clip on it, at the control rate.
        config: What the policy was trained in: what it observes and what its actions mean are taken from it.
        episodes: How many for each protocol and each stress test; at least 1, at least 64 for figures to be told.
        seed: Of the starts and disturbances.
        stress: Whether to run the stress tests as well.
        on_progress: Called with what is running and how many of its episodes have ended.

    Raises:
        ImitationError: On less than one episode.
    """
    if episodes < 1:
        raise ImitationError(f"there must be at least 1 episode, got {episodes}")

    def run(title: str, start: str, disturbed: RandomisationConfig) -> Outcome:
        rules = fair_config(config, character, reference=reference, start=start, randomisation=disturbed)
        env = TrackingEnv(character, reference, rules, num_envs=episodes, seed=seed)
        nudged = np.random.default_rng(seed) if start == "first" else None
        kept = perform(
            control, env, nudged=nudged, on_step=None if on_progress is None else lambda done: on_progress(title, done)
        )
        return summarize(kept, reference, end_effectors=character.end_effectors)

    anywhere, first = run("any start", "random", UNDISTURBED), run("first frame", "first", UNDISTURBED)
    stressed = {name: run(name, "random", disturbed) for name, disturbed in STRESS.items()} if stress else {}
    return Evaluation(
        body=character.name,
        hinges=len(character.hinge_names),
        cyclic=reference.cyclic,
        clip_s=first.possible_length_s,
        control_rate_hz=float(config.control_rate_hz),
        seed=seed,
        anywhere=anywhere,
        first_frame=first,
        stress=stressed,
        notes=_notes(character, reference, episodes),
    )


def evaluation_reference(run: Run) -> Reference:
    """Return a run's clips as an evaluation follows them: cyclic ones go on for 20 s, whatever the training's episodes did."""
    if run.config.env.episode_length_s >= HORIZON_S:
        return run.reference
    rate = run.config.env.control_rate_hz
    return make_reference(run.character, run.motions, control_rate=rate, horizon_s=HORIZON_S, standardized=True)


def fair_config(
    config: EnvConfig,
    character: Character,
    *,
    reference: Reference,
    start: str,
    randomisation: RandomisationConfig = UNDISTURBED,
) -> EnvConfig:
    """Return the same environment under the rules of an evaluation, whatever the policy was trained with."""
    once = np.bincount(reference.clips[~reference.loops]).max(initial=0) / reference.control_rate  # the longest that ends
    longest = max(HORIZON_S, once) if reference.loops.any() else once
    return replace(
        config,
        start=start,
        adaptive_sampling=False,
        episode_length_s=longest,
        reward=DEEPMIMIC,
        termination=TerminationConfig(
            max_mean_distance_m=math.inf,
            max_body_distance_m=math.inf,
            min_height_ratio=FALL,
            end_on_contact=not touches_floor(character, reference),
        ),
        randomisation=randomisation,
    )


def touches_floor(character: Character, reference: Reference) -> bool:
    """Tell whether the clip itself brings anything but the feet to the floor, within half a hundredth of the height."""
    others = np.setdiff1d(np.arange(len(character.body_names)), np.array(character.feet, dtype=np.int64))
    return bool((reference.lowest[:, others] < NEAR_FLOOR * character.height).any())


def summarize(episodes: Episodes, reference: Reference, *, end_effectors: Sequence[int]) -> Outcome:
    """Return the numbers of finished episodes.

    Args:
        episodes: What the bodies did.
        reference: What they should have done.
        end_effectors: Bodies that are hands, feet and head.
    """
    rate, lengths = float(reference.control_rate), episodes.lengths
    wanted, wanted_rotations = reference.body_positions[episodes.frames], reference.body_rotations[episodes.frames]
    near = metrics.stays_near(metrics.MM * episodes.distances, lengths)
    returns = metrics.normalised_return(episodes.rewards, lengths, episodes.horizons)
    return Outcome(
        episodes=len(lengths),
        completion=float(episodes.completed.mean()),
        success=float((episodes.completed & near).mean()),
        normalised_return=float(returns.mean()),
        mean_length_s=float(lengths.mean()) / rate,
        possible_length_s=float(episodes.horizons.mean()) / rate,
        errors_mm=_phc(episodes.positions, wanted, lengths, rate),
        mjlab=_mjlab(episodes, wanted, wanted_rotations, reference, list(end_effectors)),
    )


def _phc(
    positions: Float[np.ndarray, "steps episodes bodies 3"],
    wanted: Float[np.ndarray, "steps episodes bodies 3"],
    lengths: Int[np.ndarray, " episodes"],
    rate: float,
) -> Errors:
    positions, wanted = metrics.at_rate(positions, rate), metrics.at_rate(wanted, rate)
    last = ((lengths - 1) * (metrics.RATE / rate) + 1e-9).astype(np.int64)  # sample at or before each episode's last state
    lasts = np.arange(len(positions))[:, None] <= last

    def mean(errors: Float[np.ndarray, " steps episodes"]) -> float:
        counted = lasts[len(lasts) - len(errors) :]  # a difference belongs to the later frame
        return float(errors[counted].mean()) if counted.any() else 0.0

    return Errors(
        global_mm=mean(metrics.global_error(positions, wanted)),
        root_relative_mm=mean(metrics.root_relative_error(positions, wanted)),
        procrustes_mm=mean(metrics.procrustes_error(positions, wanted)),
        velocity_mm_per_frame=mean(metrics.velocity_error(positions, wanted)),
        acceleration_mm_per_frame2=mean(metrics.acceleration_error(positions, wanted)),
    )


def _mjlab(
    episodes: Episodes,
    wanted: Float[np.ndarray, "steps episodes bodies 3"],
    wanted_rotations: Float[np.ndarray, "steps episodes bodies 4"],
    reference: Reference,
    ends: list[int],
) -> MjlabErrors:
    valid = episodes.valid

    def mean(errors: Float[np.ndarray, " steps episodes"]) -> float:
        return float((np.where(valid, errors, 0.0).sum(axis=0) / valid.sum(axis=0)).mean())

    aligned, aligned_rotations = metrics.heading_aligned(episodes.positions, episodes.rotations, wanted, wanted_rotations)
    hinge_velocities = reference.qvel[episodes.frames][..., 6:]
    return MjlabErrors(
        mpkpe_mm=mean(metrics.global_error(episodes.positions, wanted)),
        r_mpkpe_mm=mean(metrics.root_relative_error(episodes.positions, wanted)),
        joint_velocity_rad_s=mean(metrics.joint_velocity_error(episodes.qvel[..., 6:], hinge_velocities)),
        end_effector_position_mm=mean(metrics.global_error(episodes.positions[:, :, ends], aligned[:, :, ends])),
        end_effector_rotation_rad=mean(metrics.rotation_error(episodes.rotations[:, :, ends], aligned_rotations[:, :, ends])),
    )


def _notes(character: Character, reference: Reference, episodes: int) -> tuple[str, ...]:
    notes = []
    if touches_floor(character, reference):
        notes.append("the clip itself touches the floor with more than the feet, so only a low root counts as a fall")
    if episodes < EPISODES:
        notes.append(f"{episodes} episodes are few: figures to be told need {EPISODES}")
    return tuple(notes)
