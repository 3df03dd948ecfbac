"""Several processes that learn as one: what they add up, and which share of the joint batch is whose."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Int, Shaped

from imitate.errors import ImitationError


class Team:
    """The processes that train together; a lone process is a team of one, and its sums cost nothing.

    Attributes:
        rank: Number of this process, from 0.
        size: How many processes there are.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        """Name a place in the team; `join` asks torchrun for it."""
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and shows the table."""
        return self.rank == 0

    def add(self, values: Shaped[torch.Tensor, "..."]) -> Shaped[torch.Tensor, "..."]:
        """Return the sum of all processes' values."""
        if self.size == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace each gradient by the sum of all processes' gradients, in one message."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        begin = 0
        for gradient in gradients:
            gradient.copy_(flat[begin : begin + gradient.numel()].view_as(gradient))
            begin += gradient.numel()

    def gather(self, value: Any) -> list[Any]:
        """Return every process's value, by rank; picklable values of our own processes only."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()

    def noise(self, bodies: int, width: int, generator: torch.Generator) -> torch.Tensor:
        """Draw normal noise for this process's bodies.

        All processes draw the noise of the whole team from equal generators, so that a team does what one process with all
        bodies would do.

        Args:
            bodies: Bodies of each process.
            width: Numbers a body.
            generator: In the same state in all processes.

        Returns:
            (bodies, width).
        """
        joint = torch.randn(self.size * bodies, width, generator=generator, device=generator.device)
        return joint[self.rank * bodies : (self.rank + 1) * bodies]

    def shuffle(self, steps: int, bodies: int, parts: int, generator: torch.Generator) -> list[Int[torch.Tensor, " share"]]:
        """Divide the samples of the joint batch at random into equal parts; return the own samples of each part.

        Args:
            steps: Control steps of a rollout.
            bodies: Bodies of each process.
            parts: How many parts.
            generator: In the same state in all processes.

        Returns:
            For each part, indices into the own samples in the order (steps, bodies).
        """
        order = torch.randperm(steps * self.size * bodies, generator=generator)
        shares = []
        for part in order.chunk(parts):
            step, body = part // (self.size * bodies), part % (self.size * bodies)
            own = body // bodies == self.rank
            shares.append(step[own] * bodies + body[own] % bodies)
        return shares


def join(device: str = "cpu") -> Team:
    """Return the team that torchrun started this process in, or a team of one.

    Args:
        device: Where networks live: NCCL adds up on GPUs, gloo elsewhere.

    Raises:
        ImitationError: Where torchrun's variables are there and the others are not.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    if not dist.is_initialized():
        if device.startswith("cuda:"):
            torch.cuda.set_device(device)  # or the barriers of NCCL take GPU 0 in every process
        try:
            dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        except (RuntimeError, ValueError) as error:
            raise ImitationError(f"the {size} processes of torchrun did not find each other: {error}") from None
    return Team(dist.get_rank(), dist.get_world_size())


def leave(team: Team) -> None:
    """End the team's connections."""
    if team.size > 1 and dist.is_initialized():
        dist.destroy_process_group()
