"""The rows of a BVH file: what is wrong in them and how it is mended; position channels that replace or add."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import BvhParseError, Motion


def repairs(motion: Motion) -> str:
    return " | ".join(map(str, motion.source.repairs))


# --------------------------------------------------------------------------------------------------------------- motion


@pytest.mark.parametrize(
    ("frames", "says"),
    [("Frames: 10", "says '10'.*took the 3"), ("Frames: 2", "says '2'.*took the 3"), ("Frames: -3", "says '-3'"), ("Frames: abc", "says 'abc'"), ("Frames: 1000000000000", "says '1000000000000'"),
     ("Frames: 1e400", "says '1e400'"), ("Frames: nan", "says 'nan'"), ("Frames: 2.5", "says '2.5'"), ("Frames:", "is missing"), ("", "is missing")],
)  # fmt: skip
def test_a_wrong_number_of_frames(frames: str, says: str, plain: Any) -> None:
    plain.mended(plain.text(frames=frames), says=says)
    plain.same(plain.text(frames=frames))


@pytest.mark.parametrize(
    "time",
    [
        "Frame Time: 0",
        "Frame Time: -0.1",
        "Frame Time: nan",
        "Frame Time: inf",
        "Frame Time: fast",
        "Frame Time:",
        "Frame Time: 1e-400",
        "",
    ],
)
def test_a_frame_time_that_is_none_is_a_thirtieth(time: str, plain: Any) -> None:
    motion = plain.mended(plain.text(time=time), says="Frame Time .*took 1/30 s")
    assert motion.frame_time == 1 / 30 and motion.num_frames == 3


@pytest.mark.parametrize("time", [".0083333", "0.0417083750417", "1.0", "1e-3", "8.333333333333333E-03"])
def test_the_frame_time_is_kept_to_the_last_digit(time: str, plain: Any) -> None:
    assert plain.read(plain.text(time=f"Frame Time: {time}"), strict=True).frame_time == float(time)


def test_zero_frames(plain: Any) -> None:
    motion = plain.read(plain.text(rows="", frames="Frames: 0"), strict=True)
    assert motion.num_frames == 0 and motion.source.channel_values is not None and motion.source.channel_values.shape == (0, 12)
    assert plain.mended(plain.hierarchy, line=25, says="no MOTION").num_frames == 0
    assert plain.read(plain.hierarchy + "MOTION\n").num_frames == 0


def test_a_truncated_last_row_is_left_out(plain: Any) -> None:
    motion = plain.mended(plain.text().rstrip()[:-9], line=30, says="last row has 11 of 12 numbers")
    assert motion.num_frames == 2
    one = plain.text(rows="1 2 3", frames="Frames: 1")
    assert plain.mended(one, says="last frame has 3 of 12").num_frames == 0


def test_a_short_row_is_filled_and_moves_nothing_else(plain: Any) -> None:
    rows = [list(row) for row in plain.rows[:1] * 2 + plain.rows[1:]]
    text = plain.text(rows=rows, frames="Frames: 4").splitlines()
    text[28] = "0.5 90.5 1"
    motion = plain.mended("\n".join(text), line=29, says="a row has 3 numbers.*neighbours")
    values = motion.source.channel_values
    assert values is not None and motion.num_frames == 4
    np.testing.assert_array_equal(values[[0, 2, 3]], np.array(rows)[[0, 2, 3]])
    np.testing.assert_allclose(values[1], (np.array(rows[0]) + rows[2]) / 2)


def test_numbers_too_many_in_a_row_are_left_out(plain: Any) -> None:
    text = plain.text().splitlines()
    plain.same("\n".join(text[:28] + [text[28] + " 1 2"] + text[29:]))
    plain.mended("\n".join(text[:28] + [text[28] + " 1 2"] + text[29:]), line=29, says="a row has 14 numbers.*surplus")
    plain.mended("\n".join(text[:27] + [line + " 7" for line in text[27:]]), line=28, says="a row has 13 numbers.*surplus")
    plain.same("\n".join(text[:27] + [line + " 7" for line in text[27:]]))


def test_rows_that_do_not_fit_the_hierarchy_are_refused(plain: Any) -> None:
    with pytest.raises(BvhParseError, match="rows hold 9 numbers, the hierarchy has 12 channels") as caught:
        plain.read(plain.text(rows=[row[:9] for row in plain.rows]))
    assert caught.value.line == 28


@pytest.mark.parametrize(
    "word",
    [
        "nan",
        "NaN",
        "-nan",
        "inf",
        "-inf",
        "-1.#IND",
        "1.#QNAN00",
        "1.#INF",
        "nan(ind)",
        "-nan(ind)",
        "1e999",
        "abc",
        "0.5.5",
        "#####",
        "1_0",
    ],
)
def test_a_number_that_is_none_is_filled_from_its_neighbours(word: str, plain: Any) -> None:
    text = plain.text().replace("0.500000 91.000000", f"0.500000 {word}")
    motion = plain.mended(text, line=29) if "#####" not in word else plain.read(text)
    np.testing.assert_array_equal(motion.root_positions[[0, 2]], [[0, 90, 0], [1, 92, -2]])
    if "#####" not in word:
        np.testing.assert_allclose(motion.root_positions[1], [0.5, 91, -1])


def test_gaps_are_linear_inside_nearest_at_the_ends_and_rest_where_nothing_is_known(plain: Any) -> None:
    words = [[f"{value}" for value in row] for row in [plain.rows[0]] * 5]
    for f, value in enumerate(["nan", "10", "nan", "30", "nan"]):
        words[f][0] = value
    for row in words:
        row[1] = row[6] = "nan"
    hierarchy = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 0 77 0")
    motion = plain.read(plain.text(hierarchy, "\n".join(map(" ".join, words)), frames="Frames: 5"))
    values = motion.source.channel_values
    assert values is not None
    np.testing.assert_array_equal(values[:, 0], [10, 10, 20, 30, 30])
    np.testing.assert_array_equal(values[:, 1], 77)
    np.testing.assert_array_equal(values[:, 6], 0)
    assert "'nan' is no number (channel 1)" in repairs(motion)


def test_angles_are_filled_the_short_way_round(plain: Any) -> None:
    rows = [list(map(str, row)) for row in plain.rows]
    for row, value in zip(rows, ["170", "nan", "-170"], strict=True):
        row[3] = value
    values = plain.read(plain.text(rows="\n".join(map(" ".join, rows)))).source.channel_values
    assert values is not None
    np.testing.assert_allclose(values[:, 3], [170, 180, -170])


def test_many_repairs_of_one_kind_are_counted(plain: Any) -> None:
    motion = plain.read(plain.text(rows=("nan " * 12 + "\n") * 500, frames="Frames: 500"))
    assert len(motion.source.repairs) == 21 and str(motion.source.repairs[-1]) == "5980 more of: no number"


@pytest.mark.parametrize("form", ["0,5 1,5", "0.5, 1.5", "0.5,1.5", "0.5;1.5", "0,5;1,5", "0,5, 1,5"])
def test_commas_are_points_or_separators(form: str, plain: Any) -> None:
    point, separator = ("," if "0,5" in form else "."), form[3:-3]
    rows = "\n".join(separator.join(f"{value:.4f}".replace(".", point) for value in row) for row in plain.rows)
    motion = plain.same(plain.text(rows=rows))
    assert "commas in" in repairs(motion)
    with pytest.raises(BvhParseError, match="commas"):
        plain.read(plain.text(rows=rows), strict=True)


def test_whole_numbers_with_commas(plain: Any) -> None:
    rows = [[float(round(value)) for value in row] for row in plain.rows]
    for separator in (",", ", "):
        text = plain.text(rows="\n".join(separator.join(f"{value:.0f}" for value in row) for row in rows))
        np.testing.assert_array_equal(plain.read(text).source.channel_values, rows)


def test_a_comma_in_the_frame_time(plain: Any) -> None:
    assert plain.mended(plain.text(time="Frame Time: 0,0333333"), says="Frame Time").frame_time == 0.0333333


def test_text_among_the_rows_is_left_out(plain: Any) -> None:
    text = plain.text().splitlines()
    plain.same("\n".join(text[:28] + ["Frame Rate: 30", "# half"] + text[28:]))
    plain.mended("\n".join(text[:28] + ["Frame Rate: 30"] + text[28:]), line=29, says="text among the rows: 'Frame Rate: 30'")


def test_a_second_file_behind_the_first_is_left_out(plain: Any) -> None:
    plain.same(plain.text() + plain.text())
    assert "HIERARCHY" in repairs(plain.read(plain.text() + plain.text()))


def test_no_channels_at_all(plain: Any) -> None:
    text = "HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 0\n}\nMOTION\nFrames: 2\nFrame Time: 0.5\n\n\n"
    motion = plain.read(text, strict=True)
    np.testing.assert_array_equal(motion.root_positions, [[1, 2, 3]] * 2)
    assert plain.read(text.replace("Frames: 2", "Frames: 1000000000000")).num_frames < 10


# ---------------------------------------------------------------------------------------------------- position channels


def with_positions(plain: Any, spine: list[list[float]], leg: list[list[float]], root_offset: str = "0 0 0") -> str:
    """Build the plain file with six channels on every joint."""
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    hierarchy = plain.hierarchy.replace("CHANNELS 3 Zrotation Xrotation Yrotation", six).replace(
        "OFFSET 0 0 0", f"OFFSET {root_offset}"
    )
    rows = [row[:6] + s + row[6:9] + p + row[9:] for row, s, p in zip(plain.rows, spine, leg, strict=True)]
    return str(plain.text(hierarchy, rows))


def test_positions_that_repeat_the_offset_change_nothing(plain: Any) -> None:
    motion = plain.same(with_positions(plain, [[0.0, 10, 0]] * 3, [[4.0, -1, 0]] * 3), strict=True)
    assert motion.source.notes == ()


def test_positions_of_zero_add_to_the_offset(plain: Any) -> None:
    motion = plain.same(with_positions(plain, [[0.0, 0, 0]] * 3, [[0.0, 0, 0]] * 3), strict=True)
    assert motion.skeleton.layout is not None and motion.skeleton.layout.adds_offset == (False, True, True)
    assert "add to OFFSET, found by their size: Spine, LeftUpLeg" in str(motion.source.notes[0])


def test_one_file_can_mix_both(plain: Any) -> None:
    motion = plain.same(with_positions(plain, [[0.0, 10, 0]] * 3, [[0.0, 0, 0]] * 3))
    assert motion.skeleton.layout is not None and motion.skeleton.layout.adds_offset == (False, False, True)


def test_bones_that_stretch(plain: Any) -> None:
    motion = plain.read(with_positions(plain, [[0.0, 10, 0], [0.0, 11, 0], [0.0, 12, 0]], [[4.0, -1, 0]] * 3), strict=True)
    assert motion.local_positions is not None
    np.testing.assert_array_equal(motion.local_positions[:, 1], [[0, 10, 0], [0, 11, 0], [0, 12, 0]])
    np.testing.assert_array_equal(motion.local_positions[:, 2], [[4, -1, 0]] * 3)
    np.testing.assert_array_equal(motion.local_positions[:, 0], motion.root_positions)
    adding = plain.read(with_positions(plain, [[0.0, 0, 0], [0.0, 1, 0], [0.0, 2, 0]], [[0.0, 0, 0]] * 3))
    np.testing.assert_array_equal(adding.local_positions, motion.local_positions)


def test_the_rule_for_positions_can_be_given(plain: Any) -> None:
    text = with_positions(plain, [[0.0, 0, 0]] * 3, [[4.0, -1, 0]] * 3)
    replaced, added = plain.read(text, position_channels="replace"), plain.read(text, position_channels="add")
    assert replaced.local_positions is not None and added.local_positions is not None
    np.testing.assert_array_equal(replaced.local_positions[:, 1], 0)
    np.testing.assert_array_equal(added.local_positions[:, 2], [[8, -2, 0]] * 3)
    assert "as asked for" in str(added.source.notes[0])
    with pytest.raises(Exception, match="position_channels"):
        plain.read(text, position_channels="both")


def test_the_root_offset_is_replaced_when_values_repeat_it_or_go_anywhere(plain: Any) -> None:
    for offset in ("0 90 0", "0 95 3", "100 0 0", "0 -5 0"):
        motion = plain.read(plain.text(plain.hierarchy.replace("OFFSET 0 0 0", f"OFFSET {offset}")), strict=True)
        np.testing.assert_array_equal(motion.root_positions, [[0, 90, 0], [0.5, 91, -1], [1, 92, -2]])
        np.testing.assert_array_equal(motion.skeleton.offsets[0], [float(word) for word in offset.split()])


@pytest.mark.parametrize("up", [1, 2])
def test_the_root_offset_is_added_when_the_body_would_stand_below_the_floor(up: int, plain: Any) -> None:
    down = "0 -9 0" if up == 1 else "0 0 -9"
    rest = [0.0, 0.0, 0.0]
    rest[up] = 10.0
    hierarchy = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET " + " ".join(map(str, rest))).replace(
        "OFFSET 0 -9 0", f"OFFSET {down}"
    )
    rows = [[float(f), 0.0, 0.01 * f, *[0.0] * 9] for f in range(3)]
    motion = plain.read(plain.text(hierarchy, rows))
    np.testing.assert_array_equal(motion.root_positions, np.array(rows)[:, :3] + rest)
    assert "add to OFFSET, found by their size: Hips" in str(motion.source.notes[0])
    lying = [[0.0] * up + [1.0, *[0.0] * (2 - up)] + [90.0, 0, 0] * 3 for _ in range(3)]  # low because the body lies
    lying_motion = plain.read(plain.text(hierarchy.replace("OFFSET 4 -1 0", "OFFSET 0 0 0"), lying))
    if up == 1:
        np.testing.assert_array_equal(lying_motion.root_positions[:, up], 1.0)


def test_a_root_without_positions_stands_at_its_offset(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 1 2 3").replace(
        "CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 3"
    )
    motion = plain.read(plain.text(hierarchy, [row[3:] for row in plain.rows]), strict=True)
    np.testing.assert_array_equal(motion.root_positions, [[1, 2, 3]] * 3)
    one = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 1 90 3").replace(
        "CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 4 Yposition"
    )
    motion = plain.read(plain.text(one, [row[1:2] + row[3:] for row in plain.rows]), strict=True)
    np.testing.assert_array_equal(motion.root_positions, [[1, 90, 3], [1, 91, 3], [1, 92, 3]])


def test_scale_channels_are_kept_but_not_used(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace(
        "CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 6 Zrotation Xrotation Yrotation Xscale Yscale Zscale", 1
    )
    ones = [row[:9] + [1.0, 1.0, 1.0] + row[9:] for row in plain.rows]
    plain.same(plain.text(hierarchy, ones), strict=True)
    twos = [row[:9] + [1.0, 2.0, 1.0] + row[9:] for row in plain.rows]
    motion = plain.mended(plain.text(hierarchy, twos), says="scale channels")
    np.testing.assert_array_equal(motion.source.channel_values, twos)
    np.testing.assert_array_equal(motion.local_rotations, plain.read(plain.text()).local_rotations)


def test_angles_beyond_a_turn_are_the_same_rotations(plain: Any) -> None:
    rows = [[*row[:3], *(value + 720.0 for value in row[3:])] for row in plain.rows]
    np.testing.assert_allclose(
        plain.read(plain.text(rows=rows)).local_rotations, plain.read(plain.text()).local_rotations, atol=1e-13
    )


def test_arrays_are_locked_and_bytes_left_alone(plain: Any) -> None:
    data = bytearray(plain.text().encode())
    motion = plain.read(bytes(data))
    for array in (motion.root_positions, motion.local_rotations, motion.source.channel_values):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_memory_is_not_taken_on_the_files_word(plain: Any, tmp_path: Path) -> None:
    path = tmp_path / "huge.bvh"
    path.write_text(plain.text(frames="Frames: 999999999999999"))
    assert plain.read(path.read_bytes()).num_frames == 3
