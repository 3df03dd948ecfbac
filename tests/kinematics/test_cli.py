"""The command line: what it prints, what it writes, and how it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kinematics import Motion, forward_kinematics, load_motion, load_motions, save_motion
from kinematics.cli import app, run
from kinematics.testing import human_skeleton, random_motion, random_skeleton


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Save a person that sways a little, in metres."""
    path = tmp_path / "clip.bvh"
    save_motion(person(), path)
    return path


def person() -> Motion:
    swaying = random_motion(human_skeleton(), 1, num_frames=30, smooth=True)
    still = np.zeros_like(swaying.local_rotations)
    still[..., 0] = 1.0
    root = np.broadcast_to([0.0, 0.93, 0.0], (30, 3)) + 0.01 * np.sin(np.arange(30.0))[:, None]
    return Motion(swaying.skeleton, root, still, 1 / 30)


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `python -m kinematics ...` in this process; return exit status, standard output and error."""
    with pytest.raises(SystemExit) as end:
        run(lambda: app.cli(args=[str(argument) for argument in arguments]))
    printed = capsys.readouterr()
    return int(end.value.code or 0), " ".join(printed.out.split()), " ".join(printed.err.split())


def test_info(capsys: pytest.CaptureFixture[str], clip: Path) -> None:
    status, out, err = command(capsys, "info", clip)
    assert status == 0 and not err
    for part in (
        "joints 21",
        "30 at 30 Hz",
        "unit m (",
        "up Y (",
        "facing +Z",
        "naming HumanIK",
        "LeftForeArm",
        "XYZ position + ZYX rotation x1",
    ):
        assert part in out


def test_info_says_what_was_repaired(capsys: pytest.CaptureFixture[str], clip: Path) -> None:
    clip.write_text(clip.read_text().replace("Frames: 30", "Frames: 99"))
    status, out, _ = command(capsys, "info", clip, "--no-names")
    assert status == 0 and "repairs" in out and "99" in out and "LeftForeArm" not in out
    status, _, err = command(capsys, "info", clip, "--strict")
    assert status == 2 and "clip.bvh:" in err and "expected" in err


def test_info_of_every_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A deep chain, names with markup, no frames: shown whole, never a traceback."""
    deep = random_motion(random_skeleton(1, num_joints=60), 1)[:0]
    names = tuple(f"joint[/{n}]" for n in range(60))
    chain = deep.skeleton.__class__(names, np.arange(-1, 59), np.ones((60, 3)))
    save_motion(Motion(chain, np.zeros((0, 3)), np.zeros((0, 60, 4)), 0.1), tmp_path / "deep.npz")
    status, out, err = command(capsys, "info", tmp_path / "deep.npz")
    assert status == 0 and not err and "joint[/59]" in out and "frames 0 at" in out


def test_doctor(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    motion = load_motion(clip)
    root = motion.root_positions.copy()
    root[12] += 0.8  # a spike
    save_motion(motion.with_root_positions(root), clip)
    status, out, _ = command(capsys, "doctor", clip)
    assert status == 0 and "needs care" in out and "12" in out
    status, out, _ = command(capsys, "doctor", clip, "--fix", tmp_path / "mended.bvh")
    assert status == 0 and "bridged" in out
    np.testing.assert_allclose(load_motion(tmp_path / "mended.bvh").root_positions, motion.root_positions, atol=0.05)


def test_convert(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.bvh"
    status, out, _ = command(
        capsys, "convert", clip, "-o", target, "--unit", "cm", "--up", "Z", "--frame-rate", "15", "--rotation-order", "XYZ"
    )
    assert status == 0 and "15 frames at 15 Hz" in out
    before, after = load_motion(clip), load_motion(target)
    assert after.skeleton.layout is not None and after.skeleton.layout.rotation_axes(3) == "XYZ"
    x, y, z = np.moveaxis(100.0 * forward_kinematics(before[::2]).global_positions, -1, 0)
    np.testing.assert_allclose(forward_kinematics(after).global_positions, np.stack([x, -z, y], axis=-1), atol=1e-6)


def test_convert_to_npz_and_back_is_lossless(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    assert command(capsys, "convert", clip, "-o", tmp_path / "a.npz")[0] == 0
    assert command(capsys, "convert", tmp_path / "a.npz", "-o", tmp_path / "b.bvh")[0] == 0
    assert (tmp_path / "b.bvh").read_bytes() == clip.read_bytes()


def test_convert_rigid(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    save_motion(random_motion(random_skeleton(3), 4, stretch=True), tmp_path / "a.bvh")
    status, _, _ = command(capsys, "convert", tmp_path / "a.bvh", "-o", tmp_path / "b.bvh", "--rigid")
    assert status == 0 and load_motion(tmp_path / "b.bvh").local_positions is None


def test_every_root_is_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one, two = random_motion(random_skeleton(1), 2), random_motion(random_skeleton(5), 6)
    save_motion([one, two], tmp_path / "two.bvh")
    for arguments in (("convert", tmp_path / "two.bvh", "-o"), ("doctor", tmp_path / "two.bvh", "--fix")):
        assert command(capsys, *arguments, tmp_path / "out.bvh")[0] == 0
        assert len(load_motions(tmp_path / "out.bvh")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "absent.bvh"), "there is no file 'absent.bvh'"),
        (("convert", "{clip}", "-o", "{clip}"), "would overwrite the clip itself"),
        (("convert", "{clip}", "-o", "{folder}/a.fbx"), "extension must be .bvh or .npz"),
        (("convert", "{clip}", "-o", "{folder}/none/a.bvh"), "none"),
        (("convert", "{clip}", "-o", "{folder}/a.bvh", "--unit", "mile"), "no unit named 'mile'"),
        (("convert", "{clip}", "-o", "{folder}/a.bvh", "--up", "W"), "W"),
        (("convert", "{clip}", "-o", "{folder}/a.bvh", "--frame-rate", "0"), "positive number of frames a second"),
        (("convert", "{clip}", "-o", "{folder}/a.bvh", "--rotation-order", "XXY"), "no rotation order named 'XXY'"),
    ],
)
def test_errors_are_one_sentence(
    capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    filled = [argument.format(clip=clip, folder=tmp_path) for argument in arguments]
    before = clip.read_bytes()
    status, _, err = command(capsys, *filled)
    assert status == 2 and err.startswith("error: ") and message in err and "Traceback" not in err
    assert clip.read_bytes() == before and not (tmp_path / "a.bvh").exists()


def test_as_a_module(clip: Path) -> None:
    result = subprocess.run([sys.executable, "-m", "kinematics", "info", str(clip)], capture_output=True, text=True, check=True)
    assert "HumanIK" in result.stdout
    helped = subprocess.run([sys.executable, "-m", "kinematics", "--help"], capture_output=True, text=True, check=True)
    assert all(name in helped.stdout for name in ("info", "doctor", "convert"))
