"""`python -m kinematics solve` and `pin`: what they write, draw and say, and how they fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kinematics import Motion, forward_kinematics, ik, load_motion, load_motions, save_motion
from kinematics.cli import app, run
from kinematics.testing import human_skeleton, random_motion, random_skeleton
from kinematics.viewer.painting import MARK

ON_FEET = ("--hold", "LeftFoot", "--hold", "RightFoot")


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run `python -m kinematics solve ...` in this process; return exit status, standard output and error."""
    return any_command(capsys, "solve", *arguments)


def any_command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        run(lambda: app.cli(args=[str(argument) for argument in arguments]))
    printed = capsys.readouterr()
    return int(end.value.code or 0), " ".join(printed.out.split()), " ".join(printed.err.split())


def person(frames: int = 6, scale: float = 1.0) -> Motion:
    """Return somebody who sways to the left, in T-pose."""
    skeleton = human_skeleton()
    skeleton = skeleton.with_offsets(scale * skeleton.offsets, scale * skeleton.end_site_offsets)
    rotations = np.zeros((frames, skeleton.num_joints, 4))
    rotations[..., 0] = 1.0
    roots = np.tile([0.0, 0.93, 0.0], (frames, 1)) + np.linspace(0.0, 0.03, frames)[:, None] * [1.0, 0.0, 0.0]
    return Motion(skeleton, scale * roots, rotations, 1 / 30)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.bvh"
    save_motion(person(), path)
    return path


def test_a_clip_reaches_and_holds(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.bvh"
    status, out, err = command(capsys, clip, "--target", "LeftHand=0.4,1.2,0.3", *ON_FEET, "-o", target)
    assert status == 0 and not err
    for part in (
        "unit: m",
        "LeftHand position",
        "RightFoot position",
        "all goals are met",
        "in all 6 frames",
        "iterations: median",
    ):
        assert part in out
    before, after = forward_kinematics(load_motion(clip)), forward_kinematics(load_motion(target))
    np.testing.assert_allclose(after.position("LeftHand"), np.tile([0.4, 1.2, 0.3], (6, 1)), atol=2e-3)
    np.testing.assert_allclose(after.position("LeftFoot"), before.position("LeftFoot"), atol=2e-3)
    with Image.open(tmp_path / "out.png") as picture:
        assert (np.asarray(picture) == MARK).all(axis=-1).sum() > 50


def test_it_writes_what_the_library_finds(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.npz"
    options = ("--method", "damped_least_squares", "--root", "heading", "--tolerance", "0.0001", "--over-time", "warm")
    status, _, _ = command(
        capsys, clip, "--move", "LeftHand=0.0,-0.2,0.1", "--fixed", "RightFoot", *options, "-o", target, "--no-picture"
    )
    assert status == 0 and not (tmp_path / "out.png").exists()
    motion = load_motion(clip)
    hand = forward_kinematics(motion).position("LeftHand") + [0.0, -0.2, 0.1]
    expected = ik.solve(
        motion,
        {"LeftHand": hand},
        fixed=["RightFoot"],
        method="damped_least_squares",
        root="heading",
        tolerance=1e-4,
        over_time="warm",
    )
    assert np.all(expected.converged)
    np.testing.assert_allclose(load_motion(target).local_rotations, expected.local_rotations, atol=1e-9)


def test_one_frame(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target, picture = tmp_path / "out.bvh", tmp_path / "elsewhere.png"
    status, out, _ = command(
        capsys, clip, "--target", "LeftHand_end=-0.2,1.4,0.3", *ON_FEET, "--frame", "-1", "-o", target, "--image", picture
    )
    assert status == 0 and picture.exists() and not (tmp_path / "out.png").exists()
    assert "1 frame at" in out and "a frame" not in out.split("iterations")[1]
    after = load_motion(target)
    assert after.num_frames == 1
    last = forward_kinematics(load_motion(clip)[-1:]).position("LeftFoot")
    np.testing.assert_allclose(forward_kinematics(after).position("LeftFoot"), last, atol=2e-3)


def test_what_is_not_met_is_said(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.bvh"
    status, out, err = command(capsys, clip, "--target", "LeftHand=2,1.2,0", *ON_FEET, "-o", target)
    assert status == 1 and not err
    for part in ("not all goals are met", "in 6 of 6 frames (0-5)", "unreachable", "nearest poses", "hint"):
        assert (part in out) == (part != "hint")
    assert load_motion(target).num_frames == 6 and (tmp_path / "out.png").exists()


def test_limits(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    """The clip bends nothing, so within its own limits only the root moves; a human can bend."""
    target = tmp_path / "out.bvh"
    bend = ("--target", "LeftHand=0.4,1.2,0.3", *ON_FEET, "--frame", "0", "-o", target)
    status, out, _ = command(capsys, clip, *bend, "--limits", "clip")
    assert status == 1 and "limited" in out
    after = load_motion(target)
    assert np.abs(after.local_rotations[:, 1:] - load_motion(clip).local_rotations[:1, 1:]).max() < 1e-5
    assert command(capsys, clip, *bend, "--limits", "human")[0] == 0
    excess = ik.limits.limit_violations(load_motion(target), ik.human_limits(load_motion(clip)))
    assert excess.max() < 1e-5  # what the digits of the file leave


def test_units(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Metres for a clip in centimetres, centimetres for one in metres: a hint; --standardize takes metres."""
    clips = {name: tmp_path / f"{name}.bvh" for name in ("m", "cm")}
    save_motion(person(), clips["m"])
    save_motion(person(scale=100.0), clips["cm"])
    target = tmp_path / "out.bvh"
    for unit, point, hinted in (("cm", "0.4,1.2,0.3", True), ("m", "40,120,30", True), ("cm", "40,120,30", False)):
        _, out, _ = command(capsys, clips[unit], "--target", f"LeftHand={point}", *ON_FEET, "--frame", "0", "-o", target)
        assert f"unit: {unit} (" in out and ("hint:" in out) == hinted
    status, out, _ = command(capsys, clips["cm"], "--target", "LeftHand=0.4,1.2,0.3", *ON_FEET, "--standardize", "-o", target)
    assert status == 0 and "unit: m (" in out and "hint:" not in out
    after = forward_kinematics(load_motion(target))
    np.testing.assert_allclose(after.position("LeftHand"), np.tile([0.4, 1.2, 0.3], (6, 1)), atol=2e-3)


def test_every_root_is_kept_and_the_one_that_is_meant_solved(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one, two = person(), person()
    names = tuple("B" + name for name in two.skeleton.joint_names)
    two = replace(two, skeleton=replace(two.skeleton, joint_names=names))
    save_motion([one, two], tmp_path / "two.bvh")
    target = tmp_path / "out.bvh"
    status, _, _ = command(capsys, tmp_path / "two.bvh", "--target", "BLeftHand=0.4,1.2,0.3", "-o", target, "--frame", "2")
    assert status == 0
    first, second = load_motions(target)
    np.testing.assert_array_equal(first.local_rotations, load_motions(tmp_path / "two.bvh")[0][2:3].local_rotations)
    np.testing.assert_allclose(forward_kinematics(second).position("BLeftHand"), [[0.4, 1.2, 0.3]], atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.bvh", "--hold", "Head"), "there is no file 'absent.bvh'"),
        (("{clip}",), "there is no goal"),
        (("{clip}", "--fixed", "Head"), "there is no goal"),
        (("{clip}", "--target", "LeftHant=0,1,0"), "'LeftHand'"),
        (("{clip}", "--hold", "LeftFot"), "'LeftFoot'"),
        (("{clip}", "--hold", "Head", "--fixed", "Hed"), "'Head'"),
        (("{clip}", "--target", "LeftHand=0,1"), "--target takes a name and three numbers"),
        (("{clip}", "--target", "LeftHand=0,1,nan"), "--target takes a name and three numbers"),
        (("{clip}", "--move", "0,1,2"), "--move takes a name and three numbers"),
        (("{clip}", "--target", "Head=0,1,0", "--target", "Head=0,1,1"), "two points for 'Head'"),
        (("{clip}", "--target", "Head=0,1,0", "--hold", "Head"), "'Head' is given more than once"),
        (("{clip}", "--hold", "Head", "--frame", "6"), "--frame must be from 0 to 5"),
        (("{clip}", "--hold", "Head", "--tolerance", "-1"), "tolerance must be a positive number"),
        (("{clip}", "--hold", "Head", "--image", "{folder}/a.jpg"), "must be .png"),
        (("{clip}", "--hold", "Head", "--image", "{folder}/none/a.png"), "no folder"),
        (("{empty}", "--hold", "Head"), "no frames"),
    ],
)
def test_errors_are_one_sentence_and_write_nothing(
    capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    empty = tmp_path / "empty.npz"
    save_motion(person()[:0], empty)
    before = clip.read_bytes()
    filled = [argument.format(clip=clip, folder=tmp_path, empty=empty) for argument in arguments]
    status, _, err = command(capsys, *filled, "-o", tmp_path / "out.bvh")
    assert status == 2 and err.startswith("error: ") and message in err and "Traceback" not in err
    assert clip.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.bvh", "empty.npz"]


@pytest.mark.parametrize(
    ("output", "message"),
    [("clip.bvh", "would overwrite the clip itself"), ("a.fbx", "extension must be .bvh or .npz"), ("none/a.bvh", "no folder")],
)
def test_outputs_that_are_refused(
    capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path, output: str, message: str
) -> None:
    before = clip.read_bytes()
    status, _, err = command(capsys, clip, "--hold", "Head", "-o", tmp_path / output)
    assert status == 2 and message in err
    assert clip.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["clip.bvh"]


def test_pin(capsys: pytest.CaptureFixture[str], clips: Path, tmp_path: Path) -> None:
    """A walk whose root goes too far slides; pinned it slides by a tenth of that."""
    walk = load_motion(clips / "walk_lafan1.bvh")
    sliding, target = tmp_path / "sliding.bvh", tmp_path / "out.bvh"
    save_motion(walk.with_root_positions(walk.root_positions * [1.0, 1.0, 1.2]), sliding)
    status, out, err = any_command(capsys, "pin", sliding, "-o", target)
    assert status == 0 and not err and "LeftFoot" in out and "cm/s" in out and "160 frames" in out
    before, after = (ik.pin_contacts(load_motion(path)).feet[0].slide_before for path in (sliding, target))
    assert before > 10.0 and after < 0.1 * before
    status, _, err = any_command(capsys, "pin", sliding, "-o", sliding)
    assert status == 2 and "would overwrite" in err


def test_pin_without_feet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    save_motion(random_motion(random_skeleton(3), 4), tmp_path / "a.bvh")
    status, out, _ = any_command(capsys, "pin", tmp_path / "a.bvh", "-o", tmp_path / "b.bvh")
    assert status == 0 and "no feet" in out
    assert (tmp_path / "b.bvh").read_bytes() == (tmp_path / "a.bvh").read_bytes()


def test_smooth(capsys: pytest.CaptureFixture[str], clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.bvh"
    status, out, _ = command(capsys, clip, "--move", "LeftHand=0,-0.1,0.1", *ON_FEET, "--over-time", "smooth", "-o", target)
    assert status == 0 and "all goals are met" in out
    arguments = ("--target", "LeftHand=2,1.2,0", *ON_FEET, "--over-time", "smooth", "--smoothness", "100", "-o", target)
    status, out, _ = command(capsys, clip, *arguments)
    assert status == 1 and "smoothness" in out
    status, _, err = command(
        capsys, clip, "--hold", "Head", "--over-time", "smooth", "--method", "fabrik", "-o", tmp_path / "b.bvh"
    )
    assert status == 2 and "smooth" in err and not (tmp_path / "b.bvh").exists()
