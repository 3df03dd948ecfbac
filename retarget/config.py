"""What a retarget shall keep: frozen settings, and three presets of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from kinematics.errors import UnknownNameError
from kinematics.ik.limits import Limit
from retarget.errors import RetargetError

PARTS = ("whole", "upper", "lower")
VELOCITY_LIMIT = 3.0 * np.pi  # rad/s: of robots


@dataclass(frozen=True, eq=False)
class RetargetConfig:
    """What a retarget keeps of the source beside its joint rotations."""

    feet: bool = True
    """Feet stand still and on the floor where the source's stand, and rise above it as the source's do."""

    hands: float = 1.0
    """How far hands near the body, the head or each other keep their distance to it, 0 to 1."""

    limits: Mapping[str, Limit] = field(default_factory=dict)
    """Joint limits of the target by joint name, as `ik.human_limits` makes them; none by default."""

    part: str = "whole"
    """"whole", "upper" (the target's own clip moves its legs and its way) or "lower" (its own clip moves all above the hips)."""

    in_place: bool = False
    """Take the way over the ground out: the hips stay above where they start."""

    pins: Mapping[str, Float[np.ndarray, "*frames 3"]] = field(default_factory=dict)
    """Points, (3,), or paths, (frames, 3), in the target's unit and axes that joints or end sites of it keep to."""

    ease_s: float = 0.07
    """Seconds at both ends of a stance within which a foot comes to rest and leaves."""

    velocity_limit_rad_s: float | None = None
    """Radians a second that no joint but the root turns faster than; None: 3 pi for the hinges of a robot, else no limit."""

    def __post_init__(self) -> None:
        """Check the values."""
        numbers = {"hands": self.hands, "ease_s": self.ease_s, "velocity_limit_rad_s": self.hinge_limit_rad_s}
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                raise RetargetError(f"{name} must be a finite number, got {value!r}")
        pins = {name: np.asarray(point, dtype=np.float64) for name, point in self.pins.items()}
        for name, point in pins.items():
            if point.ndim not in (1, 2) or point.shape[-1] != 3 or not np.isfinite(point).all():
                raise RetargetError(f"the pin of {name!r} must be a point (3,) or a path (frames, 3), got shape {point.shape}")
        object.__setattr__(self, "pins", pins)
        if not self.hinge_limit_rad_s > 0.0:
            raise RetargetError(f"velocity_limit_rad_s must be positive, in radians a second; got {self.velocity_limit_rad_s}")
        if not 0.0 <= self.hands <= 1.0:
            raise RetargetError(f"hands must be from 0 (as the rotations say) to 1 (distances kept), got {self.hands}")
        if self.part not in PARTS:
            raise UnknownNameError("part", self.part, PARTS)
        if not self.ease_s >= 0.0:
            raise RetargetError(f"ease_s must be 0 or more seconds, got {self.ease_s}")

    @property
    def hinge_limit_rad_s(self) -> float:
        """Radians a second that no hinge of a robot turns faster than."""
        return VELOCITY_LIMIT if self.velocity_limit_rad_s is None else self.velocity_limit_rad_s


PRESETS: Mapping[str, RetargetConfig] = {
    "faithful": RetargetConfig(feet=False, hands=0.0),
    "feet": RetargetConfig(),
    "style": RetargetConfig(hands=0.0),
}


def preset(name: str) -> RetargetConfig:
    """Return a preset by name.

    Raises:
        UnknownNameError: On another name.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return PRESETS[name]


def as_config(config: RetargetConfig | str) -> RetargetConfig:
    """Return a config, by its preset's name or as it is.

    Raises:
        UnknownNameError: On another name.
        RetargetError: On anything else.
    """
    if isinstance(config, str):
        return preset(config)
    if not isinstance(config, RetargetConfig):
        raise RetargetError(f"config must be a RetargetConfig or one of {', '.join(PRESETS)}; got {config!r}")
    return config
