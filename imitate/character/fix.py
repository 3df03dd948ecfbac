"""Mend a clip for a simulated body: glitches, noise, limits, sliding feet, floor."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from imitate.character.character import Character, make_character, to_motion, to_qpos
from imitate.character.config import CharacterConfig
from imitate.character.lint import sole_heights
from imitate.errors import ImitationError
from kinematics import doctor
from kinematics.edit import smooth
from kinematics.ik import pin_contacts
from kinematics.motion import Motion
from kinematics.standardize import express, standardize

CUTOFF_HZ = 8.0  # human movement is below
LIFT_S = 0.15  # window over which a lift out of the floor is spread
UP = np.array([0.0, 1.0, 0.0])


def fix(
    motion: Motion, *, character: Character | None = None, config: CharacterConfig | None = None, cutoff_hz: float = CUTOFF_HZ
) -> Motion:
    """Return a clip that a body can perform: added first poses, spikes and noise gone, inside the limits, feet on the floor.

    In this order: `kinematics.doctor.fix`, a low-pass filter, what hinges and limits allow, feet that stand pinned by
    inverse kinematics (`kinematics.ik.pin_contacts`), and the whole body lifted, smoothly, where soles are below the floor.

    Args:
        motion: The clip, in any unit and axes.
        character: The body that shall perform it; by default one made from the mended clip.
        config: How that is made.
        cutoff_hz: Of the filter; 0 leaves it out.

    Returns:
        In the clip's own unit and axes, on its own skeleton, its floor at height 0.

    Raises:
        ImitationError: On a ready model, whose clips are retargeted, or anything that is no clip of a body.
    """
    if character is not None and character.rig is None:
        raise ImitationError(
            "clips of a ready model are retargeted, which mends them; fix the clip for a body made from it instead"
        )
    mended = doctor.fix(motion).motion
    told = standardize(mended)
    world = told.motion
    if cutoff_hz and world.num_frames > 2 and cutoff_hz < 0.5 * world.frame_rate:
        world = smooth(world, cutoff_hz=cutoff_hz)
    body = character or make_character(world, config=config)
    world = to_motion(body, to_qpos(body, world), world.frame_time, like=world)
    world = pin_contacts(world).motion
    qpos = to_qpos(body, world)
    lowest = sole_heights(body, qpos).min(axis=1, initial=np.inf)
    ours = to_motion(body, qpos, world.frame_time)  # its floor is at 0
    rise = np.where(np.isfinite(lowest), np.maximum(-lowest, 0.0), 0.0)
    world = world.with_root_positions(
        world.root_positions
        + (ours.root_positions[0] - world.root_positions[0]) @ UP * UP
        + _spread(rise, world.frame_time)[:, None] * UP
    )
    return express(world, unit=told.report.metres_per_unit, up=told.report.up.value)


def _spread(rise: np.ndarray, frame_time: float) -> np.ndarray:
    """Return a smooth curve that is nowhere below the given one by more than its own roundness."""
    width = max(round(LIFT_S / frame_time), 1)
    return np.asarray(gaussian_filter1d(maximum_filter1d(rise, 2 * width + 1), 0.5 * width, mode="nearest"))
