"""What an environment is told: actions, observations, rewards, ends of episodes, randomisation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

from imitate.errors import ImitationError
from kinematics.errors import UnknownNameError

ACTIONS = ("residual", "absolute")
STARTS = ("random", "first")


def _need(config: object, name: str, lowest: float, *, above: bool = False, finite: bool = True) -> None:
    value = getattr(config, name)
    if finite and not value < math.inf:
        raise ImitationError(f"{name} must be a finite number, got {value}")
    if not (value > lowest if above else value >= lowest):
        raise ImitationError(f"{name} must be {'above' if above else 'at least'} {lowest:g}, got {value}")


@dataclass(frozen=True)
class RewardConfig:
    """Weights and scales of the five terms, each `exp(-scale * error)`; the defaults are those that DeepMimic ships.

    DeepMimic: Peng et al., "DeepMimic: Example-guided deep reinforcement learning of physics-based character skills", 2018;
    the numbers are those of its published code. The weighted sum is divided by the sum of the weights, so it lies in [0, 1].
    """

    pose_weight: float = 0.5
    """Weight of the joints' rotations and the root's."""
    pose_scale: float = 2.0
    """Scale of their mean squared angle, 1/rad^2."""
    velocity_weight: float = 0.05
    """Weight of the joints' angular velocities and the root's."""
    velocity_scale: float = 0.1
    """Scale of their mean squared difference, s^2/rad^2."""
    end_effector_weight: float = 0.15
    """Weight of where hands, feet and head are, seen from the root's place on the floor."""
    end_effector_scale: float = 40.0
    """Scale of their mean squared distance, 1/m^2."""
    root_weight: float = 0.2
    """Weight of the root's place, rotation and velocities."""
    root_scale: float = 5.0
    """Scale of their sum, 1/m^2."""
    com_weight: float = 0.1
    """Weight of the velocity of the centre of mass."""
    com_scale: float = 10.0
    """Scale of a tenth of its squared difference, s^2/m^2."""

    def __post_init__(self) -> None:
        """Refuse weights that cannot be normalised."""
        for each in fields(self):
            _need(self, each.name, 0.0)
        if not sum(self.weights) > 0.0:
            raise ImitationError("all weights of the reward are 0; at least one of pose, velocity, ... must be positive")

    @property
    def weights(self) -> tuple[float, ...]:
        """Weights of pose, velocity, end effectors, root and centre of mass."""
        return self.pose_weight, self.velocity_weight, self.end_effector_weight, self.root_weight, self.com_weight

    @property
    def scales(self) -> tuple[float, ...]:
        """Scales of the same terms."""
        return self.pose_scale, self.velocity_scale, self.end_effector_scale, self.root_scale, self.com_scale


DEEPMIMIC = RewardConfig()


@dataclass(frozen=True)
class TerminationConfig:
    """When an episode has failed. A limit of inf (of the height: 0) is none."""

    max_mean_distance_m: float = 0.25
    """Mean distance of the bodies from where the reference has them."""
    max_body_distance_m: float = math.inf
    """Distance of the body that is furthest off."""
    min_height_ratio: float = 0.4
    """Height of the root as a share of the reference's in that frame."""
    end_on_contact: bool = False
    """Whether it ends when anything but the feet touches the floor."""

    def __post_init__(self) -> None:
        """Refuse limits that would end every episode."""
        _need(self, "max_mean_distance_m", 0.0, above=True, finite=False)
        _need(self, "max_body_distance_m", 0.0, above=True, finite=False)
        _need(self, "min_height_ratio", 0.0)


@dataclass(frozen=True)
class RandomisationConfig:
    """What differs from episode to episode, and what disturbs the body; the defaults are none of it. Ranges are (low, high)."""

    push_speed_m_s: tuple[float, float] = (0.0, 0.0)
    """Horizontal velocity that a push adds to the root, in a random direction, drawn for each push."""
    push_interval_s: float = 2.0
    """Time between pushes; the first comes at a random moment of it."""
    friction: tuple[float, float] = (1.0, 1.0)
    """Factor on the friction of all shapes, drawn for each episode."""
    mass: tuple[float, float] = (1.0, 1.0)
    """Factor on all masses and inertias, drawn for each episode."""
    latency_s: tuple[float, float] = (0.0, 0.0)
    """Delay until an action takes effect, drawn for each episode, in whole steps of physics; at most a control step."""
    action_noise: float = 0.0
    """Standard deviation of Gaussian noise on each action, in units of the action."""

    def __post_init__(self) -> None:
        """Refuse what is no range, or no factor."""
        _need(self, "push_interval_s", 0.0, above=True)
        _need(self, "action_noise", 0.0)
        for name, lowest in (("push_speed_m_s", 0.0), ("friction", 0.0), ("mass", 1e-3), ("latency_s", 0.0)):
            low, high = getattr(self, name)
            if not lowest <= low <= high < math.inf:
                raise ImitationError(f"{name} must be a range (low, high) with {lowest:g} <= low <= high, got {(low, high)}")


@dataclass(frozen=True)
class EnvConfig:
    """Everything about an environment but its body and its clip."""

    control_rate_hz: float = 30.0
    """Actions in a second; the reference must have been made at this rate."""
    physics_rate_hz: float = 0.0
    """Steps of physics in a second, a multiple of the control rate; 0: 120, or more where a test finds that unstable."""
    action: str = "residual"
    """"residual": an action turns the PD targets away from the reference's angles; "absolute": from the middle of each range."""
    action_scale_rad: float = 0.5
    """Angle by which an action of 1 turns a target."""
    observe_phase: bool = True
    """Whether sine and cosine of the clip's phase are observed."""
    lookahead_frames: tuple[int, ...] = (1, 3, 10)
    """How many control steps ahead the observed frames of the reference are; () for none."""
    episode_length_s: float = 20.0
    """Longest episode; clips that are not cyclic end earlier."""
    start: str = "random"
    """"random": an episode starts anywhere in the clip; "first": at its first frame."""
    adaptive_sampling: bool = True
    """Whether random starts are drawn more often where episodes have failed."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    """Terms of the reward."""
    termination: TerminationConfig = field(default_factory=TerminationConfig)
    """Early ends."""
    randomisation: RandomisationConfig = field(default_factory=RandomisationConfig)
    """Differences between episodes, and disturbances."""

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if self.action not in ACTIONS:
            raise UnknownNameError("action", self.action, ACTIONS)
        if self.start not in STARTS:
            raise UnknownNameError("start", self.start, STARTS)
        for name in ("control_rate_hz", "action_scale_rad", "episode_length_s"):
            _need(self, name, 0.0, above=True)
        _need(self, "physics_rate_hz", 0.0)
        substeps = self.physics_rate_hz / self.control_rate_hz
        if abs(substeps - round(substeps)) > 1e-6:
            raise ImitationError(
                f"physics_rate_hz must be a multiple of control_rate_hz ({self.control_rate_hz:g}), got {self.physics_rate_hz:g}"
            )
        if any(ahead < 0 for ahead in self.lookahead_frames):
            raise ImitationError(f"lookahead_frames must not be negative, got {self.lookahead_frames}")
        if self.randomisation.latency_s[1] * self.control_rate_hz > 1.0:
            raise ImitationError(
                f"latency_s must be at most a control step ({1.0 / self.control_rate_hz:.3g}), got {self.randomisation.latency_s}"
            )

    @property
    def episode_steps(self) -> int:
        """Control steps of the longest episode."""
        return max(1, round(self.episode_length_s * self.control_rate_hz))
