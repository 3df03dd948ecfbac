"""Files by extension and content."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kinematics
from kinematics import BvhParseError, InputError, KinematicsError, load_motion, load_motions, save_motion
from kinematics._arrays import HUGE_PAGE
from kinematics.errors import MissingFileError
from kinematics.io.bvh_read import read_bvh
from kinematics.testing import assert_motions_close, random_motion, random_skeleton


@pytest.mark.parametrize("name", ["a.bvh", "a.BVH", "a b.Bvh", "a.txt", "a"])
def test_bvh_by_extension_or_content(name: str, plain: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(plain.text())
    assert load_motion(path).source.path == str(path)
    assert load_motion(str(path)).num_frames == 3 and len(load_motions(path)) == 1


@pytest.mark.parametrize("extension", [".bvh", ".npz", ".NPZ"])
def test_saved_and_loaded(extension: str, tmp_path: Path) -> None:
    motion = random_motion(random_skeleton(1), 1, smooth=True)
    save_motion(motion, tmp_path / f"clip{extension}")
    again = load_motion(str(tmp_path / f"clip{extension}"))
    for name in motion.skeleton.joint_names:
        np.testing.assert_allclose(np.abs((again[name] * motion[name]).sum(axis=1)), 1, atol=1e-12)
    save_motion(motion, str(tmp_path / f"again{extension}"))


def test_several_motions(tmp_path: Path) -> None:
    clips = [random_motion(random_skeleton(seed, num_joints=3), seed, smooth=True) for seed in (1, 2)]
    save_motion(clips, tmp_path / "two.bvh")
    for one, wanted in zip(load_motions(tmp_path / "two.bvh"), clips, strict=True):
        assert_motions_close(one, wanted, atol=1e-12)
    with pytest.raises(InputError, match="one motion"):
        save_motion(clips, tmp_path / "two.npz")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "walk_cmu.bvh").write_text("")
    with pytest.raises(MissingFileError, match=r"walk_cum\.bvh.*did you mean 'walk_cmu\.bvh'"):
        load_motion(tmp_path / "walk_cum.bvh")
    for path in (tmp_path / "walk_cum.bvh", tmp_path / "no" / "where.bvh"):
        for kind in (FileNotFoundError, KinematicsError, ValueError):
            with pytest.raises(kind):
                load_motion(path)


def test_what_is_no_motion_file(tmp_path: Path) -> None:
    for name, data, says in (
        ("a.bvh", b"", "it is empty"),
        ("b.fbx", b"Kaydara", r"none of \.bvh, \.npz"),
        ("c.bvh", bytes(1000), "no BVH file"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=says):
            load_motion(tmp_path / name)
    with pytest.raises(InputError, match="it is a folder"):
        load_motion(tmp_path)
    for name in ("x" * 5000 + ".bvh", "a\0b.bvh"):
        with pytest.raises(InputError, match="cannot read"):
            load_motion(tmp_path / name)


@pytest.mark.parametrize("form", ["plain", "no line end", "commas", "UTF-16", "CR", "NaN", "npz"])
def test_a_large_file_reads_as_its_bytes_do(form: str, plain: Any, tmp_path: Path) -> None:
    text = plain.text(rows=plain.rows * 9000, frames="Frames: 27000")
    data = {
        "no line end": text.rstrip("\n").encode(),
        "commas": text.replace(".", ",").replace("0,0333333", "0.0333333").encode(),
        "UTF-16": text.encode("utf-16"),
        "CR": text.replace("\n", "\r").encode(),
        "NaN": text.replace("92.000000", "nan").encode(),
    }.get(form, text.encode())
    assert len(data) > HUGE_PAGE
    (expected,) = read_bvh(data)
    path = tmp_path / ("large.npz" if form == "npz" else "large.bvh")
    if form == "npz":
        save_motion(expected, path)
    else:
        path.write_bytes(data)
    motion = load_motion(path)
    assert motion.num_frames == 27000 and len(motion.source.repairs) == (0 if form == "npz" else len(expected.source.repairs))
    assert motion.source.channel_values is not None and expected.source.channel_values is not None
    assert motion.source.channel_values.tobytes() == expected.source.channel_values.tobytes()
    assert motion.local_rotations.tobytes() == expected.local_rotations.tobytes()


def test_an_unknown_extension_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be \.bvh or \.npz"):
        save_motion(random_motion(random_skeleton(1), 1), tmp_path / "clip.fbx")
    assert not list(tmp_path.iterdir())


def test_strict_and_position_channels_are_passed_on(plain: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.bvh"
    path.write_text(plain.text(frames="Frames: 7"))
    assert load_motion(path).source.repairs
    with pytest.raises(BvhParseError) as caught:
        load_motion(path, strict=True)
    assert caught.value.path == str(path) and caught.value.line == 26
    added = load_motion(path, position_channels="add")
    assert added.skeleton.layout is not None and added.skeleton.layout.adds_offset == (True, False, False)


def test_importing_is_light() -> None:
    code = "import sys, kinematics; sys.exit(' '.join(m for m in ('numba', 'orjson', 'scipy', 'torch') if m in sys.modules) or 0)"
    root = Path(kinematics.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
