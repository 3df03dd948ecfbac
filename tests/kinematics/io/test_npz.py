"""NPZ files: the motion comes back to the last bit; foreign and broken files are refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from kinematics import ChannelLayout, InputError, Motion, load_motion, save_motion
from kinematics.testing import random_motion, random_skeleton


@pytest.mark.parametrize("stretch", [False, True])
@pytest.mark.parametrize("layout", [None, ChannelLayout.default(12, rotation_order="ZXY")])
def test_round_trip(tmp_path: Path, stretch: bool, layout: ChannelLayout | None) -> None:
    motion = random_motion(random_skeleton(1).with_layout(layout), 2, stretch=stretch)
    save_motion(motion, tmp_path / "a.npz")
    back = load_motion(tmp_path / "a.npz")
    assert back.allclose(motion, atol=0.0) and back.frame_time == motion.frame_time
    assert back.skeleton.layout == layout and back.skeleton.end_site_names == motion.skeleton.end_site_names
    with np.load(tmp_path / "a.npz") as archive:  # readable without us
        np.testing.assert_array_equal(archive["local_rotations"], motion.local_rotations)
        assert archive["joint_names"][3] == "joint3" and archive["format_version"] == 1


def test_bvh_to_npz_to_bvh_keeps_every_digit(tmp_path: Path) -> None:
    save_motion(random_motion(random_skeleton(3), 4), tmp_path / "a.bvh")
    first = load_motion(tmp_path / "a.bvh")
    save_motion(first, tmp_path / "a.npz")
    save_motion(load_motion(tmp_path / "a.npz"), tmp_path / "b.bvh")
    assert (tmp_path / "a.bvh").read_bytes() == (tmp_path / "b.bvh").read_bytes()


def test_zero_frames(tmp_path: Path) -> None:
    empty: Motion = random_motion(random_skeleton(1, num_end_sites=0), 2)[:0]
    save_motion(empty, tmp_path / "a.npz")
    assert load_motion(tmp_path / "a.npz").num_frames == 0


def test_refuses_what_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"no archive at all")
    with pytest.raises(InputError, match="not an NPZ file"):
        load_motion(path)
    np.savez(path, poses=np.zeros(3))
    with pytest.raises(InputError, match="lacks format_version, joint_names, .*it has poses"):
        load_motion(path)
    data = io.BytesIO()
    np.savez(data, joint_names=np.array([object()]))
    path.write_bytes(data.getvalue())
    with pytest.raises(InputError, match="not an NPZ file"):
        load_motion(path)  # a pickle inside is never run
    save_motion(random_motion(random_skeleton(1), 2), path)
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **{**arrays, "format_version": np.array(7)})
    with pytest.raises(InputError, match="format_version 7"):
        load_motion(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not an NPZ file"):
        load_motion(path)


def test_mutated_files_never_raise_anything_else(tmp_path: Path) -> None:
    save_motion(random_motion(random_skeleton(1), 2, num_frames=2), tmp_path / "a.npz")
    whole, rng = (tmp_path / "a.npz").read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(len(data), size=int(rng.integers(1, 6))):
            data[place] = int(rng.integers(256))
        (tmp_path / "b.npz").write_bytes(bytes(data))
        try:
            load_motion(tmp_path / "b.npz")
        except InputError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("key", ["frame_time", "joint_names", "channels", "format_version", "parents"])
def test_arrays_that_do_not_fit(tmp_path: Path, key: str) -> None:
    save_motion(random_motion(random_skeleton(1).with_layout(ChannelLayout.default(12)), 2), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    for wrong in (np.zeros((2, 2)), np.array("text"), np.zeros(0)):
        np.savez(tmp_path / "b.npz", **{**arrays, key: wrong})
        with pytest.raises(InputError, match="b.npz"):
            load_motion(tmp_path / "b.npz")
