"""Running mean and variance of what a network sees, inside the network, so that they are saved and exported with it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import nn

from imitate.learning.distributed import Team

SMALLEST = 1e-6  # variance under which a number counts as constant


class RunningNormalizer(nn.Module):
    """Shift and scale to mean 0 and variance 1, by the moments of everything seen so far.

    Attributes:
        mean: (width,).
        variance: (width,).
        count: How many samples the moments are of.
    """

    mean: torch.Tensor
    variance: torch.Tensor
    count: torch.Tensor

    def __init__(self, width: int, *, limit: float = 5.0) -> None:
        """Begin without samples: values pass as they are.

        Args:
            width: Numbers a sample.
            limit: Normalised values are cut to plus and minus this.
        """
        super().__init__()
        self.limit = limit
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @property
    def deviation(self) -> Float[torch.Tensor, " width"]:
        """Standard deviation, 1 where a number never changed."""
        return torch.where(self.variance < SMALLEST, torch.ones_like(self.variance), self.variance.sqrt())

    def forward(self, values: Float[torch.Tensor, "*batch width"]) -> Float[torch.Tensor, "*batch width"]:
        """Return normalised values."""
        return ((values - self.mean) / self.deviation).clamp(-self.limit, self.limit)

    def undo(self, values: Float[torch.Tensor, "*batch width"]) -> Float[torch.Tensor, "*batch width"]:
        """Return values in their own unit from normalised ones."""
        return values * self.deviation + self.mean

    @torch.no_grad()
    def update(self, values: Float[torch.Tensor, "*batch width"], team: Team | None = None) -> None:
        """Take samples into the moments (Chan, Golub & LeVeque 1979), those of all processes of a team together."""
        team = team or Team()
        values = values.reshape(-1, len(self.mean))
        new = len(values) * team.size
        mean = team.add(values.sum(dim=0)) / new
        squares = team.add((values - mean).square().sum(dim=0))
        old = int(self.count)
        shift = mean - self.mean
        total = old + new
        self.mean += shift * (new / total)
        self.variance.copy_((self.variance * old + squares + shift.square() * (old * new / total)) / total)
        self.count += new
