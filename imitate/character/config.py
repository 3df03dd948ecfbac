"""What a simulated body shall be like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitate.errors import ImitationError


@dataclass(frozen=True)
class CharacterConfig:
    """How a body is made from a clip.

    Raises:
        ImitationError: On a number outside its range.
    """

    mass_kg: float | None = None
    """Mass of the whole body; by default 23 kg for each square metre of its height, of other bodies 1000 kg/m3."""
    spine_joints: int = 2
    """Joints between pelvis and chest that are kept; the others of a spine are merged into them."""
    clavicles: bool = False
    """Keep collar bones as joints of their own; by default they are part of the chest."""
    hands: bool | None = None
    """Keep wrists; by default where the clip turns them by more than 10 degrees (root mean square)."""
    toes: bool | None = None
    """Keep toes as a hinge; by default where the clip bends them by more than 5 degrees (root mean square)."""
    hinge_tolerance_degrees: float = 4.0
    """Knees, elbows and toes are hinges where that turns their bone by less than this (root mean square) in the clip."""
    range_margin_degrees: float = 25.0
    """Ranges of the clip are widened by this on each side, as far as anatomy allows."""
    natural_frequency_hz: float = 3.0
    """Stiffness is the inertia that a hinge carries times this (as an angular frequency) squared."""
    damping_s: float = 0.08
    """Damping as a share of stiffness: the time within which a joint comes to rest."""
    stance: float = 0.45
    """Hinges of legs are at least this share of weight times height of the mass centre stiff, N m/rad. With 1.2 a body that
    holds still stands; with less than 0.5 it topples within two or three seconds, and the policy has to balance it."""
    reach_degrees: float = 45.0
    """Torque limits are what the stiffness gives this far from its target."""
    armature: float = 5e-5
    """Inertia added to each hinge, as a share of mass times height squared (0.01 kg m2 for a grown-up)."""
    least_inertia: float = 5e-6
    """Least moment of inertia of a body, as a share of mass times height squared."""
    friction: float = 1.0
    """Friction of everything with the floor."""
    self_collision: bool = False
    """Let parts of the body collide with each other; neighbours and parts that overlap at rest never do."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        positive = {
            name: getattr(self, name)
            for name in (
                "hinge_tolerance_degrees",
                "natural_frequency_hz",
                "damping_s",
                "reach_degrees",
                "friction",
            )
        }
        if self.mass_kg is not None:
            positive["mass_kg"] = self.mass_kg
        for name, value in positive.items():
            if not (np.isfinite(value) and value > 0.0):
                raise ImitationError(f"{name} must be a positive number, got {value}")
        for name in ("range_margin_degrees", "stance", "armature", "least_inertia"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0.0):
                raise ImitationError(f"{name} must be at least 0, got {value}")
        if self.spine_joints < 1:
            raise ImitationError(f"spine_joints must be at least 1, got {self.spine_joints}")
