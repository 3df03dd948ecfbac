"""What the simulated body did, as a motion on the clip's own skeleton (with a ready body: on its own)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from imitate.character import to_motion
from imitate.envs.config import RandomisationConfig, TerminationConfig
from imitate.envs.tracking import TrackingEnv
from imitate.episodes import Control, perform, run_control
from imitate.errors import ImitationError
from imitate.evaluation import HORIZON_S, fair_config
from imitate.reference import Reference, make_reference, unroll
from imitate.runs import Run
from kinematics.motion import Motion

ENDLESS = TerminationConfig(
    max_mean_distance_m=math.inf, max_body_distance_m=math.inf, min_height_ratio=0.0, end_on_contact=False
)


@dataclass(frozen=True, eq=False)
class Rollout:
    """One performance of a clip, of several the first, from its first frame.

    Attributes:
        simulated: What the body did, on the clip's own skeleton, metres, Y up.
        reference: What it should have done, the same frames: the clip at the control rate, its cycle repeated where it goes on.
        fell_s: When it fell, seconds from the start, else None.
        mean_distance_mm: Mean distance of the bodies from the reference.
    """

    simulated: Motion
    reference: Motion
    fell_s: float | None
    mean_distance_mm: float


def roll_out(
    run: Run,
    *,
    seconds: float | None = None,
    push_speed_m_s: float = 0.0,
    go_on: bool = False,
    seed: int = 0,
    control: Control | None = None,
) -> Rollout:
    """Let a run's policy perform its clip, of several the first, once, from the first frame.

    Args:
        run: The run.
        seconds: How long; by default the clip's length. A clip that goes in cycles can last up to 20 s, or as long
            as the training's episodes where these were longer.
        push_speed_m_s: Velocity of a push in a random direction every 2 s.
        go_on: Whether a fall does not end it: what the body does on the floor is shown as well.
        seed: Of the pushes.
        control: What acts; by default the run's policy, without noise.

    Raises:
        ImitationError: On a length that the clip cannot have, or a policy that is not of this body.
    """
    rate, horizon_s = float(run.config.env.control_rate_hz), max(HORIZON_S, run.config.env.episode_length_s)
    clip, _ = unroll(run.character, run.motion, control_rate=rate, horizon_s=horizon_s, standardized=True)
    reference = make_reference(run.character, run.motion, control_rate=rate, horizon_s=horizon_s, standardized=True)
    steps = _steps(run.motion, reference, seconds)
    pushed = RandomisationConfig(push_speed_m_s=(push_speed_m_s, push_speed_m_s), push_interval_s=2.0)
    config = fair_config(run.config.env, run.character, reference=reference, start="first", randomisation=pushed)
    config = replace(config, episode_length_s=steps / rate)
    env = TrackingEnv(run.character, reference, config, num_envs=1, seed=seed)
    control = control or run_control(run, env)
    kept = perform(control, env)
    fell_s = None if kept.completed[0] else int(kept.lengths[0]) / rate
    if fell_s is not None and go_on:  # once more, and let it lie
        endless = replace(config, termination=ENDLESS)
        kept = perform(control, TrackingEnv(run.character, reference, endless, num_envs=1, seed=seed))
    qpos = np.concatenate([kept.qpos[:, 0], kept.last_qpos])
    frames = int(kept.frames[0, 0]) + np.arange(len(qpos))
    wanted = clip[int(frames[0]) : int(frames[-1]) + 1]
    return Rollout(
        simulated=to_motion(run.character, qpos, 1.0 / rate, like=wanted, standardized=True),
        reference=wanted,
        fell_s=fell_s,
        mean_distance_mm=1000.0 * float(kept.distances[:, 0].mean()),
    )


def _steps(clip: Motion, reference: Reference, seconds: float | None) -> int:
    """Return the control steps of a rollout."""
    rate, first = reference.control_rate, int(reference.first_frames[0])
    longest = int(reference.ends[first]) - first
    if seconds is None:
        return max(1, min(round(clip.duration * rate), longest))
    steps = round(seconds * rate) if math.isfinite(seconds) else 0
    if not 1 <= steps <= longest:
        raise ImitationError(f"--seconds must be {1.0 / rate:.3g} to {longest / rate:.4g} for this clip, got {seconds:g}")
    return steps
