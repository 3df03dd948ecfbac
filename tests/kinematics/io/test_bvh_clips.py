"""Real files: all of the third-party clips load and come back, ground truth of another tool, one take in two rigs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from kinematics import BvhParseError, forward_kinematics, load_motion, load_motions, save_motion
from kinematics.rotations import euler
from kinematics.testing import assert_quats_close

REFUSED = {"39_unbalanced_braces.bvh": 24, "40_channel_count_mismatch.bvh": 9}
REPAIRED = {
    "08_frames_declared_too_many.bvh", "09_frames_declared_too_few.bvh", "10_truncated_last_row.bvh", "21_duplicate_names.bvh",
    "23_no_motion_section.bvh", "24_frame_time_zero.bvh", "25_nan_value.bvh", "26_comma_decimals.bvh",
    "31_end_site_with_name_and_channels_0.bvh", "assimp_Boxing_Toes_framecount_off_by_one.bvh",
}  # fmt: skip
SAME_AS_PLAIN = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 20, 21, 26, 28, 30, 31, 32, 33)


def test_every_file_loads_and_comes_back(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted(path for path in shared_data.rglob("*.bvh") if path.name not in REFUSED)
    assert len(paths) > 50
    for path in paths:
        motions = load_motions(path)
        if path.name in REPAIRED:
            assert motions[0].source.repairs, path.name
            with pytest.raises(BvhParseError):
                load_motion(path, strict=True)
        else:
            load_motion(path, strict=True)
        save_motion(motions, tmp_path / "again.bvh")
        for one, two in zip(motions, load_motions(tmp_path / "again.bvh", strict=True), strict=True):
            assert one.source.channel_values is not None and two.source.channel_values is not None
            assert one.source.channel_values.tobytes() == two.source.channel_values.tobytes(), path.name
            assert one.local_rotations.tobytes() == two.local_rotations.tobytes(), path.name
            assert one.root_positions.tobytes() == two.root_positions.tobytes(), path.name
            assert (one.frame_time, one.skeleton.joint_names, one.skeleton.end_site_names, one.skeleton.layout) == (
                two.frame_time, two.skeleton.joint_names, two.skeleton.end_site_names, two.skeleton.layout,
            ), path.name  # fmt: skip
            assert one.skeleton.allclose(two.skeleton, atol=0.0)


def test_what_cannot_be_read_says_where(shared_data: Path) -> None:
    for name, line in REFUSED.items():
        with pytest.raises(BvhParseError) as caught:
            load_motion(shared_data / "odd" / "synthetic" / name)
        assert caught.value.line == line


def test_odd_files_that_say_the_same_as_the_plain_one(shared_data: Path) -> None:
    folder = shared_data / "odd" / "synthetic"
    plain = load_motion(folder / "00_plain.bvh")
    for number in SAME_AS_PLAIN:
        motion = load_motion(next(folder.glob(f"{number:02}_*.bvh")))
        np.testing.assert_array_equal(motion.root_positions, plain.root_positions, err_msg=str(number))
        np.testing.assert_array_equal(motion.local_rotations, plain.local_rotations, err_msg=str(number))
        assert motion.local_positions is None
        np.testing.assert_array_equal(motion.skeleton.offsets[1:], plain.skeleton.offsets[1:])


def test_positions_and_rotations_of_another_tool(shared_data: Path) -> None:
    folder = shared_data / "ground_truth" / "bvhtoolbox_walk01"
    motion = load_motion(folder / "walk01.bvh", strict=True)
    world = forward_kinematics(motion)
    positions, rotations = (_table(folder / f"walk01_{kind}.csv") for kind in ("pos", "rot"))
    assert set(positions) == {
        *motion.skeleton.joint_names,
        *(name.replace("_end", "_End") for name in motion.skeleton.end_site_names),
    }
    for name, truth in positions.items():
        ours = world.position(name.replace("_End", "_end"))
        np.testing.assert_allclose(
            ours, np.stack([truth[axis] for axis in "xyz"], axis=1), rtol=0, atol=5.1e-6, err_msg=name
        )  # five digits
    layout = motion.skeleton.layout
    assert layout is not None and set(rotations) == set(motion.skeleton.joint_names)
    for joint, name in enumerate(motion.skeleton.joint_names):
        order = layout.rotation_axes(joint)
        angles = np.radians(np.stack([rotations[name][axis.lower()] for axis in order], axis=1))
        assert_quats_close(motion[name], euler.to_quaternion(angles, order), atol_radians=1e-6)


def _table(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Read columns such as "Hips.x" as name -> axis -> values."""
    with path.open() as file:
        header, *rows = csv.reader(file)
    columns = np.array(rows, dtype=np.float64).T
    table: dict[str, dict[str, np.ndarray]] = {}
    for title, column in zip(header[1:], columns[1:], strict=True):
        name, axis = title.rsplit(".", 1)
        table.setdefault(name, {})[axis] = column
    return table


def test_one_take_in_two_rigs(shared_data: Path) -> None:
    one, two = load_motion(shared_data / "cmu_cgspeed" / "01_01.bvh"), load_motion(shared_data / "cmu_3dsmax" / "01_01.bvh")
    a, b = forward_kinematics(one).global_positions[1:], forward_kinematics(two).global_positions
    same = [
        j for j, name in enumerate(one.skeleton.joint_names) if name not in ("LFingers", "RFingers")
    ]  # these differ in OFFSET
    np.testing.assert_allclose(a[:, same], b[:, same], rtol=0, atol=1e-5)


def test_makehuman_roots_add_or_replace(shared_data: Path) -> None:
    for name, adds in (("walk1", True), ("zombieWalk1", False)):
        motion = load_motion(shared_data / "makehuman" / f"{name}.bvh")
        assert motion.skeleton.layout is not None and motion.skeleton.layout.adds_offset[0] is adds
        lowest = forward_kinematics(motion).end_site_positions[..., 2].min(axis=1)
        assert np.abs(np.median(lowest)) < 1.0  # decimetres: both stand on the floor
    tpose = load_motion(shared_data / "makehuman" / "tpose.bvh")
    assert tpose.skeleton.layout is not None and sum(tpose.skeleton.layout.adds_offset) > 100


def test_our_own_clips_load_strictly_and_come_back(clips: Path, tmp_path: Path) -> None:
    paths = sorted(clips.glob("*.bvh"))
    assert paths
    for path in paths:
        motion = load_motion(path, strict=True)
        save_motion(motion, tmp_path / "again.bvh")
        again = load_motion(tmp_path / "again.bvh", strict=True)
        assert motion.source.channel_values is not None and again.source.channel_values is not None
        assert motion.source.channel_values.tobytes() == again.source.channel_values.tobytes()
