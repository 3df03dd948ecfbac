"""A policy as an ONNX file: the normaliser inside, the contract beside it, and checked against torch."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from imitate.errors import ImitationError
from imitate.learning.policy import ActorCritic
from kinematics.errors import MissingExtraError
from kinematics.io.atomic import write_bytes

INPUT, OUTPUT = "observations", "actions"
TOLERANCE = 1e-5  # of the largest action, between torch and onnxruntime
CHECKED = 256  # observations that are compared
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Exported:
    """What was written, and how well it agrees.

    Attributes:
        observations: Length of an observation.
        actions: Length of an action.
        bytes: Size of the file.
        opset: Version of ONNX's operators.
        largest_difference: Largest difference of an action between torch and onnxruntime, over random observations.
    """

    observations: int
    actions: int
    bytes: int
    opset: int
    largest_difference: float


class _Deterministic(nn.Module):
    """Observations as the environment gives them to mean actions."""

    def __init__(self, policy: ActorCritic) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.policy.mean(observations)


def export_onnx(policy: ActorCritic, contract: Mapping[str, Any], path: str | Path) -> Exported:
    """Write a policy as an ONNX file that maps observations to deterministic actions, both float32, in batches of any size.

    The observations are those of the environment, not normalised. The contract becomes the file's metadata: each of its entries
    under its own name, as JSON. Before anything is written the file is run by
    onnxruntime on random observations and compared with torch.

    Args:
        policy: The network with its normaliser.
        contract: What the policy was made for: order of joints, gains, rates and more, as a policy file carries it.
        path: File to write, .onnx.

    Raises:
        ImitationError: Where the two disagree, or the path does not end in .onnx.
        InputError: Where the file cannot be written.
        MissingExtraError: Without onnx, onnxscript and onnxruntime.
    """
    path = Path(path)
    require_onnx_path(path)
    onnx, _, _ = (_require(name) for name in ("onnx", "onnxruntime", "onnxscript"))
    network = _Deterministic(policy).eval()
    size = int(policy.num_observations)
    example = torch.zeros(2, size)
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
        )
    if program is None:
        raise ImitationError(f"torch could not write the policy as ONNX; nothing was written to {str(path)!r}")
    model = program.model_proto
    model.producer_name = "muybridge"
    onnx.helper.set_model_props(model, _metadata(contract))
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    difference, actions = compare_with_torch(network, data, size)
    write_bytes(path, data)
    return Exported(size, actions, len(data), int(model.opset_import[0].version), difference)


def require_onnx_path(path: Path) -> None:
    """Refuse an output that is no ONNX file or whose folder is not there.

    Raises:
        ImitationError: Where it could not be written.
    """
    if path.suffix.lower() != ".onnx":
        raise ImitationError(f"cannot write {str(path)!r}: the extension must be .onnx")
    if not path.parent.is_dir():
        raise ImitationError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}; make it first")


def _metadata(contract: Mapping[str, Any]) -> dict[str, str]:
    return {key: json.dumps(value, default=_plain) for key, value in {"format_version": FORMAT_VERSION, **contract}.items()}


def _plain(value: object) -> object:
    """Return what JSON knows of arrays and tensors."""
    if isinstance(value, np.ndarray | np.generic | torch.Tensor):
        return value.tolist()
    raise TypeError(f"a contract holds numbers, words and lists; got {type(value).__name__}")


def compare_with_torch(policy: Callable[[torch.Tensor], torch.Tensor], data: bytes, size: int) -> tuple[float, int]:
    """Run an ONNX file by onnxruntime on random observations, in a batch and alone, and compare its actions with torch's.

    Args:
        policy: Observations to actions, in torch.
        data: Content of the file.
        size: Length of an observation.

    Returns:
        The largest difference of an action, and the length of an action.

    Raises:
        ImitationError: Where they disagree by more than rounding.
    """
    observations = 3.0 * torch.randn(CHECKED, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = policy(observations).numpy()
    session = _require("onnxruntime").InferenceSession(data, providers=["CPUExecutionProvider"])
    (found,) = session.run([OUTPUT], {INPUT: observations.numpy()})
    (alone,) = session.run([OUTPUT], {INPUT: observations[:1].numpy()})
    difference = float(max(np.abs(found - wanted).max(), np.abs(alone - wanted[:1]).max()))
    if not difference <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        raise ImitationError(
            f"onnxruntime's actions differ from torch's by up to {difference:.3g}; the file would not behave as the policy does, "
            "so it was not written"
        )
    return difference, int(wanted.shape[1])


def _require(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtraError(
            f"ONNX files need the package {package!r}, which is not installed; pip install 'muybridge[imitate]' brings it"
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter says about packages that play no part here from the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
