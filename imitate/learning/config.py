"""Settings of proximal policy optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imitate.errors import ImitationError


@dataclass(frozen=True)
class PPOConfig:
    """How a policy learns from what its bodies did."""

    loss: Literal["clip", "kl_penalty", "policy_gradient"] = "clip"
    """What an update descends: PPO's clipped ratio, PPO's adaptive KL penalty, or the plain policy gradient of rewards-to-go
    (one step a rollout, more for the critic)."""

    steps: int = 16
    """Control steps of every body between two updates."""

    epochs: int = 4
    """Passes over a rollout in one update."""

    minibatches: int = 4
    """Gradient steps in one pass."""

    learning_rate: float = 5e-4
    """Step size of Adam at the start."""

    step_kl: float = 0.15
    """Divergence of one update from the policy before it, in nats over all actions, that the learning rate is adapted to
    where the loss is "clip": it falls above twice this and rises below half; 0 leaves it as it is."""

    discount: float = 0.95
    """Gamma: what a reward is worth one control step later."""

    trace_decay: float = 0.95
    """Lambda of generalised advantage estimation: 0 trusts the critic, 1 is reward-to-go less the critic's baseline."""

    clip: float = 0.2
    """How far the importance ratio may leave 1 before its gradient is cut."""

    kl_target: float = 0.02
    """Divergence from the old policy, in nats, around which the penalty's beta is doubled and halved."""

    kl_beta: float = 1.0
    """Weight of the KL penalty at the start."""

    value_weight: float = 1.0
    """Weight of the critic's squared error, in units of the returns' variance."""

    entropy_weight: float = 0.0
    """Weight of the entropy bonus."""

    max_gradient_norm: float = 1.0
    """Gradients longer than this are shortened to it."""

    hidden: tuple[int, ...] = (256, 128)
    """Widths of the hidden layers of actor and critic."""

    sigma: float = 0.12
    """Standard deviation of the actions at the start, in units of an action."""

    learn_sigma: bool = True
    """Whether the standard deviations are learned."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("steps", "epochs", "minibatches"):
            if getattr(self, name) < 1:
                raise ImitationError(f"ppo.{name} must be 1 or more, got {getattr(self, name)}")
        for name in ("learning_rate", "sigma", "max_gradient_norm", "kl_target", "kl_beta", "clip"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise ImitationError(f"ppo.{name} must be above 0, got {getattr(self, name)}")
        for name in ("discount", "trace_decay"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ImitationError(f"ppo.{name} must be from 0 to 1, got {getattr(self, name)}")
        for name in ("value_weight", "entropy_weight", "step_kl"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise ImitationError(f"ppo.{name} must be 0 or more, got {getattr(self, name)}")
        if not all(width > 0 for width in self.hidden):
            raise ImitationError(f"ppo.hidden must be widths of 1 or more, got {self.hidden}")
