"""ONNX files: they act as the policy does, carry its contract, and are not written where they would not."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from imitate.errors import ImitationError
from imitate.export_onnx import compare_with_torch, export_onnx
from imitate.learning.policy import ActorCritic
from kinematics.errors import MissingExtraError

CONTRACT = {"hinges": ["knee", "hip"], "control_rate_hz": 30.0, "stiffness": np.array([1.5, 2.0]), "residual": True}


@pytest.fixture(scope="module")
def policy() -> ActorCritic:
    """A small policy that has seen observations far from mean 0 and deviation 1."""
    torch.manual_seed(0)
    policy = ActorCritic(9, 4, hidden=(16, 8))
    torch.nn.init.normal_(policy.actor[-1].weight)
    policy.normalizer.update(torch.randn(500, 9) * torch.linspace(0.1, 30.0, 9) + 5.0)
    return policy.eval()


@pytest.fixture(scope="module")
def written(policy: ActorCritic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its ONNX file."""
    path = tmp_path_factory.mktemp("onnx") / "walk.onnx"
    exported = export_onnx(policy, CONTRACT, path)
    assert (exported.observations, exported.actions, exported.bytes) == (9, 4, path.stat().st_size)
    assert exported.largest_difference < 1e-5
    return path


def test_it_acts_as_the_policy_with_raw_observations_in_any_batch(policy: ActorCritic, written: Path) -> None:
    session = onnxruntime.InferenceSession(str(written), providers=["CPUExecutionProvider"])
    observations = np.random.default_rng(1).normal(5.0, 20.0, (33, 9)).astype(np.float32)
    wanted = policy.mean(torch.from_numpy(observations)).detach().numpy()
    assert np.abs(wanted).max() > 0.5
    for rows in (slice(0, 1), slice(None)):
        (found,) = session.run(None, {"observations": observations[rows]})
        assert found == pytest.approx(wanted[rows], abs=1e-5)


def test_it_carries_the_contract(written: Path) -> None:
    contract = {entry.key: json.loads(entry.value) for entry in onnx.load_model(str(written)).metadata_props}
    assert contract == {**CONTRACT, "stiffness": [1.5, 2.0], "format_version": 1}
    assert list(written.parent.iterdir()) == [written]


def test_a_file_that_acts_otherwise_is_refused(policy: ActorCritic, written: Path) -> None:
    other = copy.deepcopy(policy)
    with torch.no_grad():
        other.actor[-1].bias += 0.01
    compare_with_torch(policy.mean, written.read_bytes(), 9)
    with pytest.raises(ImitationError, match="differ from torch's by up to 0.01;"):
        compare_with_torch(other.mean, written.read_bytes(), 9)


@pytest.mark.parametrize(("name", "words"), [("walk.pt", "must be .onnx"), ("there/walk.onnx", "no folder")])
def test_bad_outputs(policy: ActorCritic, tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ImitationError, match=words):
        export_onnx(policy, CONTRACT, tmp_path / name)


def test_a_missing_package_is_named(policy: ActorCritic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"'onnxruntime'.*muybridge\[imitate\]"):
        export_onnx(policy, CONTRACT, tmp_path / "walk.onnx")
