"""Checkpoints and policy files: what they keep, which are removed, which are refused."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed

from imitate.checkpoint import load_checkpoint, load_torch, save_checkpoint, save_torch
from imitate.errors import ImitationError
from imitate.learning.policy import ActorCritic
from imitate.policy_file import load_policy, save_policy
from kinematics.errors import MissingFileError


def test_checkpoints_keep_all_kinds_of_numbers(tmp_path: Path) -> None:
    state = {
        "arrays": [np.arange(4, dtype=np.uint8), np.array([True, False]), np.float64(0.1), np.zeros((0, 3))],
        "tensor": torch.arange(3),
        "generator": np.random.default_rng(1).bit_generator.state,
        "text": "x",
        "none": None,
    }
    save_torch(tmp_path / "a.pt", "checkpoint", state)
    back = load_torch(tmp_path / "a.pt", "checkpoint")
    for mine, theirs in zip(back["arrays"], state["arrays"], strict=True):
        assert np.array_equal(mine, theirs) and np.asarray(mine).dtype == np.asarray(theirs).dtype
    assert torch.equal(back["tensor"], state["tensor"]) and back["text"] == "x" and back["none"] is None
    assert back["generator"] == state["generator"]


def test_old_checkpoints_and_broken_off_ones_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".000001.pt.abc.part").write_bytes(b"half")
    for number in (1, 2, 3, 4):
        save_checkpoint(tmp_path, number, {}, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000003.pt", "000004.pt", "latest"]


def test_damaged_and_foreign_checkpoints_are_refused_in_a_sentence(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    save_checkpoint(tmp_path, 1, {"numbers": torch.arange(1000)}, keep=3)
    good = save_checkpoint(tmp_path, 2, {"numbers": torch.arange(1000)}, keep=3).read_bytes()
    latest = tmp_path / "000002.pt"
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for content, reason in (
        (good[: len(good) // 2], "cut short"),
        (bytes(flipped), "is damaged"),
        (b"", "not an archive"),
        (pickle.dumps(Evil()), "not an archive"),
    ):
        latest.write_bytes(content)
        with pytest.raises(ImitationError, match=f"{reason}.*; remove it to resume from 000001.pt"):
            load_checkpoint(tmp_path)
    torch.save({"evil": Evil()}, latest)
    with pytest.raises(ImitationError, match="asks for code to be run, which was refused"):
        load_checkpoint(tmp_path)
    assert not (tmp_path / "owned").exists()
    torch.save({"weights": torch.zeros(3)}, latest)
    with pytest.raises(ImitationError, match="is no checkpoint of ours: its format is None"):
        load_checkpoint(tmp_path)
    latest.unlink()
    assert load_checkpoint(tmp_path)["numbers"].tolist() == list(range(1000))  # `latest` names a file that is gone


def test_a_policy_file_is_no_checkpoint_and_one_that_is_missing_is_named(tmp_path: Path) -> None:
    policy = ActorCritic(4, 2, (8,))
    save_policy(tmp_path / "policy.pt", policy, {"hinge_names": ["knee"]})
    back, contract = load_policy(tmp_path / "policy.pt")
    assert contract == {"hinge_names": ["knee"]}
    assert torch.equal(back.mean(torch.ones(1, 4)), policy.mean(torch.ones(1, 4)).detach())
    with pytest.raises(ImitationError, match="is no checkpoint of ours: its format is 'muybridge policy'"):
        load_torch(tmp_path / "policy.pt", "checkpoint")
    with pytest.raises(MissingFileError, match="policy.pt"):
        load_policy(tmp_path / "polcy.pt")
    save_torch(tmp_path / "other.pt", "policy", {"shape": {"num_observations": 3}})
    with pytest.raises(ImitationError, match="is no policy of ours"):
        load_policy(tmp_path / "other.pt")
