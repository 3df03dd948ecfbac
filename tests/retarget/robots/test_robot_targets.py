"""Robots as targets like any other: matched, scored by a map, shown; files that are no robots say what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kinematics.cli import app, run
from kinematics.io import load_motion
from kinematics.motion import Motion
from retarget import RetargetError, load_map, match, retarget, save_map
from retarget.cli import main
from retarget.robots import Robot
from retarget.robots.score import score_robot

pytest.importorskip("mujoco")
from retarget.robots import load_robot

PRAXIS = Path(__file__).resolve().parents[3] / "data" / "robots" / "praxis.xml"


@pytest.fixture(scope="module")
def robot() -> Robot:
    return load_robot(PRAXIS)


@pytest.fixture(scope="module")
def walk(clips: Path) -> Motion:
    return load_motion(clips / "walk_cmu.bvh")[:40]


def test_match_knows_robots(robot: Robot, walk: Motion, tmp_path: Path) -> None:
    found, result = match(walk, robot), retarget(walk, robot)
    assert found == result.joint_map
    drivers = {pair.role: pair.source for pair in found.pairs}
    assert drivers["left_shin"] == "LeftLeg" and drivers["right_forearm"] == "RightForeArm"
    save_map(found, tmp_path / "map.toml")
    loaded = load_map(tmp_path / "map.toml", source=walk.skeleton, target=robot.skeleton)
    again = retarget(walk, robot, joint_map=loaded)
    np.testing.assert_allclose(again.motion.local_rotations, result.motion.local_rotations, atol=1e-9)
    left, right = (next(pair.target for pair in found.pairs if pair.role == f"{side}_forearm") for side in ("left", "right"))
    swapped = found.with_pair("LeftForeArm", right).with_pair("RightForeArm", left)
    assert not np.allclose(retarget(walk, robot, joint_map=swapped).motion.local_rotations, result.motion.local_rotations)


def test_a_score_takes_the_map(robot: Robot, walk: Motion) -> None:
    result = retarget(walk, robot)
    plain, mapped = score_robot(walk, result.motion, robot), score_robot(walk, result.motion, robot, joint_map=result.joint_map)
    assert mapped.key_bodies.error.mean_cm == pytest.approx(plain.key_bodies.error.mean_cm)
    left = next(pair.target for pair in result.joint_map.pairs if pair.role == "left_forearm")
    crossed = result.joint_map.with_pair("RightForeArm", left, role="left_forearm")
    assert score_robot(walk, result.motion, robot, joint_map=crossed).key_bodies.mean_cm["left_forearm"] > 10.0


def test_a_rest_pose_is_the_sources_alone(robot: Robot, walk: Motion) -> None:
    with pytest.raises(RetargetError, match="leave target_rest out for a robot"):
        retarget(walk, robot, target_rest=0)
    standing = Motion(walk.skeleton, walk.root_positions[:1], np.tile([1.0, 0, 0, 0], (1, walk.skeleton.num_joints, 1)), 0.1)
    given, plain = retarget(walk, robot, rest=standing), retarget(walk, robot)
    assert given.report.source_rest == "given pose"
    np.testing.assert_allclose(given.motion.local_rotations, plain.motion.local_rotations, atol=1e-6)


URDF = '<?xml version="1.0"?>\n<!-- a robot -->\n<robot name="r"><link name="base"/></robot>'


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("r.urdf", URDF, "is a URDF, and robots are read from MJCF: give it a link 'world' with a joint of type 'floating'"),
        ("r.xml", URDF, "mujoco.MjSpec.from_file('r.xml')"),
        (
            "page.xml",
            "<html><body/></html>",
            "is no MJCF: its first element is <html>, and a model of MuJoCo begins with <mujoco>",
        ),
        ("words.xml", "hello", "is no model that MuJoCo can read"),
        ("gone.urdf", None, "there is no file"),
    ],
)
def test_what_is_no_mjcf(name: str, text: str | None, words: str, clips: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path(name).write_text(text)
    clip = str(clips / "walk_cmu.bvh")
    for arguments in ([clip, "--to", name, "-o", "out.csv"], ["batch", str(clips), "--to", name, "-o", "out"]):
        monkeypatch.setattr(sys, "argv", ["retarget", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        errors = capsys.readouterr().err
        assert exit_info.value.code == 2 and words in errors and len(errors.strip().splitlines()) == 1
        assert not Path("out.csv").exists()


def test_a_urdf_becomes_a_robot_as_the_message_says(tmp_path: Path) -> None:
    import mujoco

    mass = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
    floating = '<link name="world"/><joint name="root" type="floating"><parent link="world"/><child link="base"/></joint>'
    hinge = '<joint name="knee" type="revolute"><parent link="base"/><child link="leg"/><axis xyz="0 1 0"/>'
    hinge += '<origin xyz="0 0 -0.3"/><limit lower="-1" upper="1" effort="1" velocity="1"/></joint>'
    path = tmp_path / "r.urdf"
    path.write_text(f'<robot name="r">{floating}<link name="base">{mass}</link>{hinge}<link name="leg">{mass}</link></robot>')
    spec = mujoco.MjSpec.from_file(str(path))
    spec.compile()
    (tmp_path / "r.xml").write_text(spec.to_xml())
    assert load_robot(tmp_path / "r.xml").hinge_names == ("knee",)


def test_view_and_render_show_robots(clips: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    from kinematics.cli_view import _retargeted

    monkeypatch.setenv("MENAGERIE_ROOT", str(tmp_path))
    (tmp_path / "maker_praxis").mkdir()
    (tmp_path / "maker_praxis" / "praxis.xml").write_bytes(PRAXIS.read_bytes())
    actors, tables = _retargeted(clips / "wave_lafan1.bvh", Path("maker_praxis"))
    assert [actor.title for actor in actors] == ["wave_lafan1", "wave_lafan1 on maker_praxis"]
    assert len(actors[1].motion.skeleton.joint_names) == 30 and len(tables) == 2
    picture = tmp_path / "both.png"
    with pytest.raises(SystemExit) as end:
        more = ["--retarget", str(PRAXIS), "-o", str(picture), "--frame", "5", "--renderer", "figure", "--size", "320x180"]
        run(lambda: app.cli(args=["render", str(clips / "wave_lafan1.bvh"), *more]))
    assert not end.value.code and picture.read_bytes().startswith(b"\x89PNG"), capsys.readouterr().err
    glb = tmp_path / "both.glb"
    with pytest.raises(SystemExit) as end:
        run(lambda: app.cli(args=["export", str(clips / "wave_lafan1.bvh"), "--retarget", str(PRAXIS), "-o", str(glb)]))
    said = capsys.readouterr().out
    assert not end.value.code and "2 clips" in said and glb.read_bytes()[:4] == b"glTF"


def test_importing_kinematics_does_not_load_retarget() -> None:
    code = "import sys, kinematics.cli; sys.exit(any(name.split('.')[0] in ('retarget', 'mujoco') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
