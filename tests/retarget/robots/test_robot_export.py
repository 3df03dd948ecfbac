"""Robot motions as files, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinematics.errors import InputError, MissingFileError
from kinematics.motion import Motion
from retarget.robots import Robot, load_robot, load_robot_motion, save_robot_motion

mujoco = pytest.importorskip("mujoco")
PRAXIS = Path(__file__).resolve().parents[3] / "data" / "robots" / "praxis.xml"


@pytest.fixture(scope="module")
def robot() -> Robot:
    return load_robot(PRAXIS)


@pytest.fixture(scope="module")
def motion(robot: Robot) -> Motion:
    times = np.arange(20)[:, None] / 50.0
    qpos = np.tile(robot.home_qpos, (20, 1))
    qpos[:, 7:] += 0.1 * np.sin(6.0 * times + np.arange(robot.nq - 7))
    qpos[:, :3] += times * [0.5, 0.1, 0.0]
    turn = 0.3 * times[:, 0]
    qpos[:, 3], qpos[:, 6] = np.cos(turn), np.sin(turn)
    return robot.motion(qpos, 0.02)


@pytest.mark.parametrize("extension", ["csv", "npz", "bvh"])
def test_motions_come_back(extension: str, robot: Robot, motion: Motion, tmp_path: Path) -> None:
    path = tmp_path / f"clip.{extension}"
    save_robot_motion(robot, motion, path)
    back = load_robot_motion(robot, path, frame_time=0.02 if extension == "csv" else None)
    assert back.frame_time == 0.02
    assert np.allclose(robot.qpos(back), robot.qpos(motion), rtol=0, atol=1e-12 if extension != "bvh" else 1e-9)
    assert load_robot_motion(robot, path, frame_time=0.5).frame_time == 0.5
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_csv_has_the_layout_of_unitrees_files(robot: Robot, motion: Motion, tmp_path: Path) -> None:
    save_robot_motion(robot, motion, tmp_path / "clip.csv")
    rows = np.loadtxt(tmp_path / "clip.csv", delimiter=",")
    qpos = robot.qpos(motion)
    assert np.array_equal(rows[:, :3], qpos[:, :3]) and np.array_equal(rows[:, 7:], qpos[:, 7:])
    assert np.array_equal(rows[:, 3:7], qpos[:, [4, 5, 6, 3]])
    assert load_robot_motion(robot, tmp_path / "clip.csv").frame_time == 1.0 / 30.0


def test_npz_says_what_mujoco_says(robot: Robot, motion: Motion, tmp_path: Path) -> None:
    save_robot_motion(robot, motion, tmp_path / "clip.npz")
    with np.load(tmp_path / "clip.npz") as archive:
        arrays = dict(archive)
    model = mujoco.MjModel.from_xml_path(str(PRAXIS))
    data = mujoco.MjData(model)
    frame = 7
    data.qpos[:] = arrays["qpos"][frame]
    mujoco.mj_differentiatePos(model, data.qvel, 0.04, arrays["qpos"][frame - 1], arrays["qpos"][frame + 1])
    mujoco.mj_forward(model, data)
    assert arrays["format_version"] == 1 and arrays["frame_time"] == 0.02 and arrays["robot"] == "praxis"
    assert tuple(arrays["joint_names"]) == robot.hinge_names
    assert np.allclose(arrays["joint_positions"][frame], data.qpos[7:]) and np.allclose(
        arrays["joint_velocities"][frame], data.qvel[6:]
    )
    for n, name in enumerate(arrays["body_names"]):
        body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, str(name))
        assert np.allclose(arrays["body_positions"][frame, n], data.xpos[body], atol=1e-12)
        assert abs(arrays["body_rotations"][frame, n] @ data.xquat[body]) == pytest.approx(1.0)
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
        assert np.allclose(arrays["body_angular_velocities"][frame, n], velocity[:3], atol=0.02)
        assert np.allclose(arrays["body_linear_velocities"][frame, n], velocity[3:], atol=0.02)


def test_mistakes_are_explained(robot: Robot, motion: Motion, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be \.csv, \.npz, \.bvh"):
        save_robot_motion(robot, motion, tmp_path / "clip.pkl")
    with pytest.raises(MissingFileError):
        load_robot_motion(robot, tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_text("1,2,3\n")
    with pytest.raises(InputError, match=r"bad\.csv:1: 3 numbers, and 'praxis' has 36"):
        load_robot_motion(robot, tmp_path / "bad.csv")
    (tmp_path / "words.csv").write_text(",".join(["x"] * 36) + "\n" + ",".join(["1"] * 35 + ["y"]) + "\n")
    with pytest.raises(InputError, match=r"words\.csv:2: numbers separated by commas"):
        load_robot_motion(robot, tmp_path / "words.csv")
    (tmp_path / "no.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is not an NPZ file"):
        load_robot_motion(robot, tmp_path / "no.npz")
    np.savez(tmp_path / "other.npz", format_version=1, joint_positions=np.zeros((2, 3)))
    with pytest.raises(InputError, match="lacks frame_time, joint_names"):
        load_robot_motion(robot, tmp_path / "other.npz")
    save_robot_motion(robot, motion, tmp_path / "clip.npz")
    with np.load(tmp_path / "clip.npz") as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "new.npz", **(arrays | {"format_version": np.array(2)}))
    with pytest.raises(InputError, match="format_version 2"):
        load_robot_motion(robot, tmp_path / "new.npz")
    np.savez(tmp_path / "alien.npz", **(arrays | {"joint_names": arrays["joint_names"][:3]}))
    with pytest.raises(InputError, match="is of another robot"):
        load_robot_motion(robot, tmp_path / "alien.npz")
