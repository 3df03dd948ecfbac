"""Robot motions as files: CSV in the layout of Unitree's LAFAN1 data set, NPZ of named arrays, BVH; and back.

CSV: no header, one row a frame: root x y z (metres), root quaternion x y z w, hinge angles (radians) in the model's order. The
format has no frame rate (that data set is at 30 a second); the clip's own is kept, so tell it when reading.

NPZ keys: format_version, robot, frame_time (seconds), joint_names, joint_positions (radians) and joint_velocities (rad/s), shape
(frames, hinges); root_position (metres), root_quat_wxyz; qpos, shape (frames, nq); body_names, body_positions (metres),
body_rotations (quaternions wxyz), body_linear_velocities (m/s), body_angular_velocities (rad/s), shape (frames, bodies, 3 or 4).

Both are in MuJoCo's world, Z up. BVH has the robot as its skeleton, in metres with Y up.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from kinematics.errors import InputError, MissingFileError
from kinematics.io import load_motion, save_motion
from kinematics.io.atomic import write_bytes
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.velocities import differentiate, differentiate_rotations
from retarget.errors import RetargetError
from retarget.robots.model import FREE, HINGE, Robot

FORMAT_VERSION = 1
EXTENSIONS = (".csv", ".npz", ".bvh")
CSV_FRAME_TIME = 1.0 / 30.0  # of Unitree's files
REQUIRED = ("format_version", "frame_time", "joint_names", "joint_positions", "root_position", "root_quat_wxyz")


def save_robot_motion(robot: Robot, motion: Motion, path: str | Path) -> None:
    """Write a robot's motion to a file (.csv, .npz, .bvh), all or nothing.

    Args:
        robot: The robot.
        motion: A motion of its skeleton.
        path: File to write; its extension tells the format.

    Raises:
        InputError: On another extension, a motion of another skeleton, or where the file cannot be written.
        RetargetError: For CSV, where the robot has ball joints.
    """
    extension = Path(path).suffix.lower()
    if extension == ".csv":
        write_bytes(path, _csv(robot, motion))
    elif extension == ".npz":
        write_bytes(path, _npz(robot, motion))
    elif extension == ".bvh":
        robot.hinge_angles(motion)
        save_motion(motion, path)
    else:
        raise InputError(f"cannot write {str(path)!r}: the extension of a robot's motion must be {', '.join(EXTENSIONS)}")


def load_robot_motion(robot: Robot, path: str | Path, *, frame_time: float | None = None) -> Motion:
    """Read a robot's motion from a file (.csv, .npz, .bvh) that `save_robot_motion` or a maker of the robot wrote.

    Args:
        robot: The robot.
        path: The file.
        frame_time: Seconds between frames; by default the file's own, 1/30 for CSV.

    Raises:
        MissingFileError: Where there is no such file.
        InputError: Where it cannot be read, or is of another robot.
    """
    file, extension = Path(path), Path(path).suffix.lower()
    if extension not in EXTENSIONS:
        raise InputError(f"cannot read {str(path)!r}: the extension of a robot's motion must be {', '.join(EXTENSIONS)}")
    if not file.is_file():
        raise MissingFileError(path, [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else [])
    if extension == ".bvh":
        motion = load_motion(file)
        robot.hinge_angles(motion)  # refuses other skeletons, and rotations that no hinge can make
        motion = motion.with_skeleton(robot.skeleton)
        return motion if frame_time is None else motion.with_frame_time(frame_time)
    if extension == ".csv":
        return robot.motion(_qpos_of_csv(robot, file), CSV_FRAME_TIME if frame_time is None else frame_time)
    qpos, own = _qpos_of_npz(robot, file)
    return robot.motion(qpos, own if frame_time is None else frame_time)


def _csv(robot: Robot, motion: Motion) -> bytes:
    _require_hinges(robot)
    angles, root = robot.hinge_angles(motion), _root(robot, motion)
    rows = np.concatenate([root[:, :3], quaternion.to_xyzw(root[:, 3:]), angles], axis=1)
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()).encode()


def _root(robot: Robot, motion: Motion) -> np.ndarray:
    """Return the root's position and quaternion wxyz in MuJoCo's world, shape (frames, 7)."""
    start = int(robot.qpos_addresses[0])
    return robot.qpos(motion)[:, start : start + 7]


def _require_hinges(robot: Robot) -> None:
    balls = [name for name, kind in zip(robot.skeleton.joint_names, robot.joint_kinds, strict=True) if kind not in (FREE, HINGE)]
    if balls:
        raise RetargetError(f"CSV has one angle a joint, and {robot.name!r} has ball joints ({', '.join(balls[:4])}); write .npz")


def _qpos_of_csv(robot: Robot, file: Path) -> np.ndarray:
    _require_hinges(robot)
    columns = 7 + len(robot.hinges)
    rows: list[list[float]] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {str(file)!r}: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = [float(value) for value in line.split(",")]
        except ValueError:
            if not rows and number == 1:  # some writers put names into the first line
                continue
            raise InputError(f"{file}:{number}: numbers separated by commas are expected, got {line[:60]!r}") from None
        if len(row) != columns:
            raise InputError(
                f"{file}:{number}: {len(row)} numbers, and {robot.name!r} has {columns} (root 7, hinges {columns - 7}); "
                "is the file of another robot?"
            )
        rows.append(row)
    values = np.array(rows, dtype=np.float64).reshape(-1, columns)
    return _assemble(robot, values[:, :3], quaternion.from_xyzw(values[:, 3:7]), values[:, 7:])


def _assemble(robot: Robot, root: np.ndarray, rotations: np.ndarray, angles: np.ndarray) -> np.ndarray:
    qpos = np.tile(robot.neutral_qpos, (len(root), 1))
    start = int(robot.qpos_addresses[0])
    qpos[:, start : start + 3], qpos[:, start + 3 : start + 7] = root, rotations
    qpos[:, robot.qpos_addresses[robot.hinges]] = angles
    return qpos


def _npz(robot: Robot, motion: Motion) -> bytes:
    positions, rotations = robot.body_transforms(motion)
    root = _root(robot, motion)
    arrays = {
        "format_version": np.array(FORMAT_VERSION),
        "robot": np.array(robot.name),
        "frame_time": np.array(motion.frame_time),
        "joint_names": np.array(robot.hinge_names, dtype=np.str_),
        "joint_positions": robot.hinge_angles(motion),
        "joint_velocities": robot.joint_velocities(motion),
        "root_position": root[:, :3],
        "root_quat_wxyz": root[:, 3:],
        "qpos": robot.qpos(motion),
        "body_names": np.array(robot.body_names, dtype=np.str_),
        "body_positions": positions,
        "body_rotations": rotations,
        "body_linear_velocities": differentiate(positions, motion.frame_time),
        "body_angular_velocities": differentiate_rotations(rotations, motion.frame_time),
    }
    data = io.BytesIO()
    np.savez_compressed(data, allow_pickle=False, **arrays)
    return data.getvalue()


def _qpos_of_npz(robot: Robot, file: Path) -> tuple[np.ndarray, float]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # noqa: BLE001 - zipfile, zlib and NumPy's header parser each raise their own
        raise InputError(f"{file} is not an NPZ file of named arrays: {error}") from None
    missing = [key for key in REQUIRED if key not in arrays]
    if missing:
        raise InputError(f"{file} is no robot's motion: it lacks {', '.join(missing)} (it has {', '.join(arrays) or 'nothing'})")
    version = str(arrays["format_version"])
    if version != str(FORMAT_VERSION):
        raise InputError(f"{file} has format_version {version}; this version of muybridge reads {FORMAT_VERSION}")
    names = tuple(arrays["joint_names"].tolist())
    if names != robot.hinge_names:
        raise InputError(
            f"{file} is of another robot: its hinges are {', '.join(names[:3])}, ... ({len(names)}), those of {robot.name!r} "
            f"{', '.join(robot.hinge_names[:3])}, ... ({len(robot.hinge_names)})"
        )
    try:
        if "qpos" in arrays and arrays["qpos"].shape[1:] == (robot.nq,):
            return np.asarray(arrays["qpos"], dtype=np.float64), float(arrays["frame_time"])
        qpos = _assemble(robot, arrays["root_position"], arrays["root_quat_wxyz"], arrays["joint_positions"])
        return qpos, float(arrays["frame_time"])
    except (TypeError, ValueError, IndexError) as error:
        raise InputError(f"{file}: its arrays do not make a motion: {error}") from None
