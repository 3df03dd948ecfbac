"""Evaluation: numbers of episodes made by hand, the rules, and a run of pure PD tracking."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from imitate.anchors import load_anchors
from imitate.character import make_character
from imitate.envs.config import DEEPMIMIC, EnvConfig, RandomisationConfig, RewardConfig
from imitate.envs.tracking import TrackingEnv
from imitate.episodes import Control, Episodes, perform
from imitate.errors import ImitationError
from imitate.evaluation import STRESS, Outcome, evaluate, fair_config, summarize
from imitate.evaluation_table import tables
from imitate.reference import Reference, make_reference

STEPS, BODIES, HINGES, ENDS = 5, 3, 2, (1, 2)


def at_reference(rate: float = 30.0) -> tuple[Episodes, Reference]:
    """Three episodes of five steps that are exactly where a moving reference is, and that reference."""
    generator = np.random.default_rng(0)
    body_positions = generator.normal(size=(9, BODIES, 3))
    turns = generator.normal(size=(9, BODIES, 4))
    body_rotations = turns / np.linalg.norm(turns, axis=-1, keepdims=True)
    qvel = generator.normal(size=(9, 6 + HINGES))
    frames = np.arange(STEPS)[:, None] + np.array([0, 2, 3])
    still_bodies = np.zeros((9, BODIES, 3))
    reference = Reference(
        qpos=np.zeros((9, 7 + HINGES)),
        qvel=qvel,
        body_positions=body_positions,
        body_rotations=body_rotations,
        body_linear_velocities=still_bodies,
        body_angular_velocities=still_bodies,
        center_of_mass=np.zeros((9, 3)),
        center_of_mass_velocity=np.zeros((9, 3)),
        lowest=np.ones((9, BODIES)),
        phase=np.arange(9) / 9.0,
        clips=np.zeros(9, dtype=np.int64),
        loops=np.zeros(9, dtype=bool),
        ends=np.full(9, 8),
        starts=np.arange(4),
        first_frames=np.array([0]),
        cyclic=False,
        control_rate=rate,
    )
    episodes = Episodes(
        qpos=np.zeros((STEPS, 3, 7 + HINGES)),
        qvel=qvel[frames],
        positions=body_positions[frames],
        rotations=body_rotations[frames],
        frames=frames,
        rewards=np.ones((STEPS, 3)),
        distances=np.zeros((STEPS, 3)),
        last_qpos=np.zeros((3, 7 + HINGES)),
        lengths=np.array([5, 5, 2]),
        horizons=np.array([5, 5, 5]),
        completed=np.array([True, True, False]),
    )
    return episodes, reference


def still(num_actions: int) -> Control:
    """Return the control that never acts: a residual body then just follows its clip."""
    return lambda observations: np.zeros((len(observations), num_actions), dtype=np.float32)


def numbers(outcome: Outcome) -> list[float]:
    """Return all errors of an outcome."""
    return [*vars(outcome.errors_mm).values(), *vars(outcome.mjlab).values()]


def test_being_where_the_reference_is_has_no_error() -> None:
    outcome = summarize(*at_reference(), end_effectors=ENDS)
    assert numbers(outcome) == pytest.approx([0.0] * 10, abs=1e-6)
    assert (outcome.completion, outcome.success) == pytest.approx((2 / 3, 2 / 3))
    assert outcome.normalised_return == pytest.approx((1.0 + 1.0 + 0.4) / 3)
    assert (outcome.mean_length_s, outcome.possible_length_s) == pytest.approx((12 / 3 / 30.0, 5 / 30.0))


def test_frames_after_the_end_of_an_episode_do_not_count() -> None:
    episodes, reference = at_reference()
    far, distances = episodes.positions.copy(), episodes.distances.copy()
    far[2:, 2] += 7.0  # the third episode lasted two steps
    distances[2:, 2] = 9.0
    outcome = summarize(replace(episodes, positions=far, distances=distances), reference, end_effectors=ENDS)
    assert numbers(outcome) == pytest.approx([0.0] * 10, abs=1e-6)


def test_errors_are_pooled_over_frames_by_phc_and_over_episodes_by_mjlab() -> None:
    episodes, reference = at_reference()
    off = episodes.positions.copy()
    off[:, 2] += [0.03, 0.0, 0.04]  # 50 mm, in 2 of 12 frames and in 1 of 3 episodes
    outcome = summarize(replace(episodes, positions=off), reference, end_effectors=ENDS)
    assert outcome.errors_mm.global_mm == pytest.approx(50.0 * 2 / 12)
    assert outcome.mjlab.mpkpe_mm == pytest.approx(50.0 / 3)
    assert outcome.errors_mm.root_relative_mm == pytest.approx(0.0, abs=1e-9)
    assert outcome.errors_mm.velocity_mm_per_frame == pytest.approx(0.0, abs=1e-9)
    assert outcome.mjlab.end_effector_position_mm == pytest.approx(40.0 / 3)  # along the floor nothing, 40 mm too high


def test_a_step_belongs_to_its_later_frame() -> None:
    episodes, reference = at_reference()
    off = episodes.positions.copy()
    off[2, 0] += [0.012, 0.0, 0.0]
    errors = summarize(replace(episodes, positions=off), reference, end_effectors=ENDS).errors_mm
    assert errors.velocity_mm_per_frame == pytest.approx(2 * 12.0 / 9)  # 4 + 4 + 1 steps
    assert errors.acceleration_mm_per_frame2 == pytest.approx((12.0 + 24.0 + 12.0) / 6)  # 3 + 3 + 0


def test_success_needs_every_step_within_half_a_metre() -> None:
    episodes, reference = at_reference()
    distances = episodes.distances.copy()
    distances[4, 1] = 0.51  # after the very last step
    outcome = summarize(replace(episodes, distances=distances), reference, end_effectors=ENDS)
    assert (outcome.completion, outcome.success) == pytest.approx((2 / 3, 1 / 3))


def test_phc_is_told_at_30_hz() -> None:
    episodes, reference = at_reference(rate=60.0)
    off = episodes.positions.copy()
    off[:, :, :, 0] += 0.006 * np.arange(STEPS)[:, None, None]  # 6 mm in 1/60 s
    errors = summarize(replace(episodes, positions=off, lengths=np.array([5, 5, 1])), reference, end_effectors=ENDS).errors_mm
    assert errors.velocity_mm_per_frame == pytest.approx(12.0)
    assert errors.global_mm == pytest.approx((2 * (0.0 + 12.0 + 24.0) + 0.0) / 7)


def test_rules_are_the_same_whatever_was_trained_with(walker: Any) -> None:
    character, reference = walker.character, walker.reference
    trained = EnvConfig(
        action_scale_rad=0.7, reward=RewardConfig(pose_weight=9.0), randomisation=RandomisationConfig(push_speed_m_s=(3.0, 3.0))
    )
    fair = fair_config(trained, character, reference=reference, start="first")
    assert fair == replace(fair_config(EnvConfig(), character, reference=reference, start="first"), action_scale_rad=0.7)
    assert fair.reward == DEEPMIMIC
    assert fair.randomisation == RandomisationConfig()
    assert (fair.start, fair.adaptive_sampling, fair.termination.max_mean_distance_m) == ("first", False, math.inf)


@pytest.mark.parametrize("size", [0.8, 0.9, 1.2])
def test_what_counts_as_a_fall_does_not_depend_on_size(walker: Any, size: float) -> None:
    own = walker.motion.skeleton
    skeleton = own.with_offsets(size * own.offsets, size * own.end_site_offsets)
    motion = replace(walker.motion, skeleton=skeleton, root_positions=size * walker.motion.root_positions)
    character = make_character(motion)
    reference = make_reference(character, motion)
    assert fair_config(EnvConfig(), character, reference=reference, start="first").termination.end_on_contact


def test_episodes_last_20_s_beside_a_clip_that_ends(walker: Any) -> None:
    """A cyclic clip among others goes on no longer than alone."""
    both = make_reference(walker.character, [walker.motion, walker.motion[:20]])
    assert both.loops.any() and not both.loops.all()
    assert fair_config(EnvConfig(), walker.character, reference=both, start="first").episode_length_s == 20.0
    once = make_reference(walker.character, walker.motion[:60], cyclic=False)
    assert fair_config(EnvConfig(), walker.character, reference=once, start="first").episode_length_s == 2.0


def test_pure_tracking_is_measured(walker: Any) -> None:
    character, reference = walker.character, walker.reference
    seen: list[tuple[str, int]] = []
    found = evaluate(
        still(len(character.hinge_names)),
        character,
        reference=reference,
        config=EnvConfig(),
        episodes=4,
        on_progress=lambda title, done: seen.append((title, done)),
    )
    again = evaluate(
        still(len(character.hinge_names)), character, reference=reference, config=EnvConfig(), episodes=4, stress=False
    )
    assert again.anywhere == found.anywhere
    assert again.first_frame == found.first_frame
    assert set(found.stress) == set(STRESS)
    assert seen[-1] == ("action_noise_0.1", 4)
    assert 0.0 < found.anywhere.normalised_return < 1.0
    assert 0.0 < found.anywhere.errors_mm.procrustes_mm <= found.anywhere.errors_mm.root_relative_mm
    pushed, calm = found.stress["push_1.0_m_s"], found.anywhere
    assert pushed.errors_mm != calm.errors_mm
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["completion"] == found.anywhere.completion
    assert told["errors_mm"]["root_relative_mm"] == found.anywhere.errors_mm.root_relative_mm
    assert told["stress"]["friction_0.5"]["success"] == found.stress["friction_0.5"].success
    console = Console(width=140, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as shown:
        console.print(tables(found, title="runs/walk"))
    words = shown.get()
    assert "runs/walk" in words and "push 0.5 m/s" in words and "few" in words
    assert all(anchor.name in words for anchor in load_anchors())
    assert "other bodies, other clips" in words


def test_episodes_from_frame_0_differ_by_their_nudges_alone(walker: Any) -> None:
    character, reference = walker.character, walker.reference
    env = TrackingEnv(character, reference, fair_config(EnvConfig(), character, reference=reference, start="first"), num_envs=2)
    calm = perform(still(env.num_actions), env)
    assert np.array_equal(calm.qpos[:, 0], calm.qpos[:, 1])
    assert calm.qpos[0] == pytest.approx(np.tile(reference.qpos[0], (2, 1)))
    nudged = perform(still(env.num_actions), env, nudged=np.random.default_rng(0))
    assert np.array_equal(nudged.qpos[0], calm.qpos[0])
    assert not np.allclose(nudged.qpos[1, 0], nudged.qpos[1, 1])


def test_no_episode_is_refused(walker: Any) -> None:
    with pytest.raises(ImitationError, match="at least 1 episode, got 0"):
        evaluate(still(3), walker.character, reference=walker.reference, config=EnvConfig(), episodes=0)
