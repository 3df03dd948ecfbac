"""Reading BVH: what real tools write, and what breaks on the way. Each file differs from the plain one in one thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import BvhParseError, Motion, forward_kinematics
from kinematics.io.bvh_read import read_bvh
from kinematics.rotations import euler


def read(text: str | bytes, **options: Any) -> Motion:
    """Read the first clip."""
    return read_bvh(text if isinstance(text, bytes) else text.encode(), **options)[0]


def same_as_plain(text: str | bytes, plain: Any, **options: Any) -> Motion:
    """Assert that a file says what the plain one says, bit for bit, and return it."""
    motion, expected = read(text, **options), read(plain.text())
    assert motion.skeleton.joint_names == expected.skeleton.joint_names
    assert motion.skeleton.allclose(expected.skeleton, atol=0.0)
    np.testing.assert_array_equal(motion.root_positions, expected.root_positions)
    np.testing.assert_array_equal(motion.local_rotations, expected.local_rotations)
    assert motion.frame_time == expected.frame_time and motion.local_positions is None
    return motion


def repairs(motion: Motion) -> str:
    return " | ".join(str(repair) for repair in motion.source.repairs)


def mended(text: str, plain: Any, *, line: int | None = None, says: str = "") -> Motion:
    """Assert that a file needs a repair that says something, at a line, and that strict mode refuses it there."""
    motion = read(text)
    assert motion.source.repairs, "no repair reported"
    assert re.search(says, repairs(motion)), repairs(motion)
    if line is not None:
        assert line in [repair.line for repair in motion.source.repairs], repairs(motion)
    with pytest.raises(BvhParseError) as caught:
        read(text, strict=True)
    assert caught.value.path == "<bytes>" and (line is None or caught.value.line in [r.line for r in motion.source.repairs])
    return motion


# ---------------------------------------------------------------------------------------------------------- plain files


def test_the_plain_file(plain: Any) -> None:
    motion = read(plain.text(), strict=True)
    skeleton = motion.skeleton
    assert skeleton.joint_names == ("Hips", "Spine", "LeftUpLeg")
    np.testing.assert_array_equal(skeleton.parents, [-1, 0, 0])
    np.testing.assert_array_equal(skeleton.offsets, [[0, 0, 0], [0, 10, 0], [4, -1, 0]])
    assert skeleton.end_site_names == ("Spine_end", "LeftUpLeg_end")
    np.testing.assert_array_equal(skeleton.end_site_offsets, [[0, 5, 0], [0, -9, 0]])
    assert skeleton.layout is not None
    assert skeleton.layout.channels[0] == ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
    assert skeleton.layout.channels[1:] == (("Zrotation", "Xrotation", "Yrotation"),) * 2
    assert motion.frame_time == 0.0333333 and motion.source.repairs == () and motion.source.notes == ()
    np.testing.assert_array_equal(motion.root_positions, [[0, 90, 0], [0.5, 91, -1], [1, 92, -2]])
    np.testing.assert_array_equal(motion.source.channel_values, plain.rows)
    for joint, column in enumerate([3, 6, 9]):
        angles = np.radians(np.array(plain.rows)[:, column : column + 3])
        np.testing.assert_allclose(motion.local_rotations[:, joint], euler.to_quaternion(angles, "ZXY"), atol=1e-15)


FORMS: dict[str, Callable[[str], str | bytes]] = {
    "CRLF and BOM": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "CR": lambda text: text.replace("\n", "\r"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without BOM": lambda text: text.encode("utf-16-le"),
    "UTF-16 big-endian": lambda text: text.encode("utf-16-be"),
    "no line end at the end": lambda text: text.rstrip("\n"),
    "blank lines and trailing blanks": lambda text: text.replace("\n", " \t\n\n  \n"),
    "no indentation": lambda text: text.replace("\t", ""),
    "lower case": lambda text: re.sub(
        "HIERARCHY|ROOT|JOINT|End Site|OFFSET|CHANNELS|MOTION|Frames|Frame Time|[XYZ]\\w+tion", lambda w: w[0].lower(), text
    ),
    "upper case": lambda text: re.sub("End Site|Frames|Frame Time|[XYZ]\\w+tion", lambda w: w[0].upper(), text),
    "End site": lambda text: text.replace("End Site", "End site"),
    "EndSite": lambda text: text.replace("End Site", "EndSite"),
    "brace on the same line": lambda text: re.sub(r"\s*\n\s*{", " {", text),
    "brace against the name": lambda text: re.sub(r"\s*\n\s*{", "{", text),
    "name on its own line": lambda text: text.replace("JOINT Spine", "JOINT\n\t\tSpine"),
    "hierarchy on one line": lambda text: " ".join(text.split("MOTION")[0].split()) + "\nMOTION" + text.split("MOTION")[1],
    "everything on one line": lambda text: " ".join(text.split()),
    "CHANNELS before OFFSET": lambda text: re.sub(r"(OFFSET[^\n]*)\n(\s*)(CHANNELS[^\n]*)", r"\3\n\2\1", text),
    "wrapped OFFSET": lambda text: text.replace("OFFSET 4 -1 0", "OFFSET 4\n -1\n 0"),
    "CHANNELS 0 in an End Site": lambda text: text.replace("OFFSET 0 5 0", "OFFSET 0 5 0\nCHANNELS 0"),
    "comments": lambda text: (
        "# made by hand\n" + text.replace("OFFSET 4 -1 0", "OFFSET 4 -1 0 // cm").replace("JOINT Spine", "JOINT Spine // up")
    ),
    "no blank after the colon": lambda text: text.replace("Frames: ", "Frames:").replace("Time: ", "Time:"),
    "tab after the colon": lambda text: text.replace("Frames: ", "Frames:\t").replace("Time: ", "Time:\t"),
    "blank before the colon": lambda text: text.replace("Frames:", "Frames :").replace("Time:", "Time :"),
    "no colon": lambda text: text.replace("Frames:", "Frames").replace("Time:", "Time"),
    "value on the next line": lambda text: text.replace("Frames: ", "Frames:\n").replace("Time: ", "Time:\n"),
    "frame time first": lambda text: text.replace("Frames: 3\nFrame Time: 0.0333333", "Frame Time: 0.0333333\nFrames: 3"),
    "MOTION with a colon": lambda text: text.replace("MOTION", "MOTION:"),
    "frames as 3.0": lambda text: text.replace("Frames: 3", "Frames: 3.0"),
    "scientific": lambda text: re.sub(r"-?\d+\.\d{6}\b", lambda word: f"{float(word[0]):.5E}", text),
    "no zero before the point": lambda text: re.sub(r"\b0\.", ".", text),
    "plus signs": lambda text: re.sub(r" (\d+\.\d{6})", r" +\1", text),
    "tabs between numbers": lambda text: re.sub(r"(?<=\d) (?=[-\d])", "\t", text),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_file_in_another_form(form: str, plain: Any) -> None:
    motion = same_as_plain(FORMS[form](plain.text()), plain, strict=True)
    assert motion.source.repairs == ()


@pytest.mark.parametrize("wrap", [1, 5, 7, 24, 36])
def test_rows_broken_or_joined_are_the_same_frames(wrap: int, plain: Any) -> None:
    words = " ".join(f"{value:.6f}" for row in plain.rows for value in row).split()
    rows = "\n".join(" ".join(words[k : k + wrap]) for k in range(0, len(words), wrap))
    motion = same_as_plain(plain.text(rows=rows), plain, strict=True)
    assert "broken or joined" in str(motion.source.notes[0])


@pytest.mark.parametrize(
    ("channels", "order"),
    [
        ("Zrotation Xrotation Yrotation Xposition Yposition Zposition", [3, 4, 5, 0, 1, 2]),
        ("Xposition Zrotation Yposition Xrotation Zposition Yrotation", [0, 3, 1, 4, 2, 5]),
        ("Zposition Yposition Xposition Zrotation Xrotation Yrotation", [2, 1, 0, 3, 4, 5]),
    ],
)
def test_root_channels_in_any_order_are_the_same_motion(channels: str, order: list[int], plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("Xposition Yposition Zposition Zrotation Xrotation Yrotation", channels)
    rows = [[row[k] for k in order] + row[6:] for row in plain.rows]
    same_as_plain(plain.text(hierarchy, rows), plain, strict=True)


# ---------------------------------------------------------------------------------------------------- names, encodings


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "ボーン右"), ("utf-8", "Rücken"), ("shift_jis", "左ひじ"), ("shift_jis", "センター"), ("shift_jis", "ボーン"), ("shift_jis", "左足"),
     ("cp1252", "Wirbelsäule"), ("cp1252", "tête"), ("cp1252", "Épaule"), ("cp1252", "Hüfte‰"), ("latin-1", "H\x81fte"), ("utf-16", "左ひじ")],
)  # fmt: skip
def test_names_in_an_old_encoding(encoding: str, name: str, plain: Any) -> None:
    motion = read(plain.text().replace("Spine", name).encode(encoding), strict=True)
    assert motion.skeleton.joint_names == ("Hips", name, "LeftUpLeg")
    assert motion.source.encoding.replace("-le", "").replace("latin-1", "latin-1") == encoding


@pytest.mark.parametrize(
    "name",
    ["Left Up Leg", "Bip01 L Thigh", "mixamorig:Spine", "a.b-c|d/e", "Bone #2", "JOINT", "MOTION", "End Site", "12", "Frames:"],
)
def test_names_are_kept_whole(name: str, plain: Any) -> None:
    assert read(plain.text().replace("JOINT Spine", f"JOINT {name}"), strict=True).skeleton.joint_names[1] == name


def test_names_given_twice_get_numbers(plain: Any) -> None:
    motion = mended(plain.text().replace("Spine", "Leg").replace("LeftUpLeg", "Leg"), plain, line=15, says="'Leg'.*Leg_2")
    assert motion.skeleton.joint_names == ("Hips", "Leg", "Leg_2")
    taken = plain.text().replace("Hips", "Leg").replace("Spine", "Leg_2").replace("LeftUpLeg", "Leg")
    assert read(taken).skeleton.joint_names == ("Leg", "Leg_2", "Leg_3")


def test_end_sites_with_names(plain: Any) -> None:
    text = plain.text().replace("End Site\n\t\t{\n\t\t\tOFFSET 0 5 0", "End Site Top of Spine\n\t\t{\n\t\t\tOFFSET 0 5 0")
    assert read(text, strict=True).skeleton.end_site_names == ("Top of Spine", "LeftUpLeg_end")
    motion = mended(plain.text().replace("End Site", "End Site SpineEnd"), plain, line=19, says="SpineEnd_2")
    assert motion.skeleton.end_site_names == ("SpineEnd", "SpineEnd_2")


def test_a_joint_without_a_name_gets_one(plain: Any) -> None:
    assert mended(plain.text().replace("JOINT Spine", "JOINT"), plain, line=6).skeleton.joint_names[1] == "joint1"
    assert read(plain.text().replace("ROOT Hips", "ROOT \u3000")).skeleton.joint_names[0] == "joint0"


# ------------------------------------------------------------------------------------------------------------ hierarchy


@pytest.mark.parametrize(
    "channels",
    [
        ["Xrotation"],
        [],
        ["Zrotation", "Yrotation"],
        ["Zrotation", "Xrotation", "Zrotation"],
        ["Xrotation"] * 2 + ["Yrotation"] * 3,
    ],
)
def test_any_set_of_rotation_channels(channels: list[str], plain: Any) -> None:
    hierarchy = plain.hierarchy.replace(
        "CHANNELS 3 Zrotation Xrotation Yrotation", " ".join(["CHANNELS", str(len(channels)), *channels])
    )
    rows = [row[:6] + [11.0, 22.0, 33.0, 44.0, 55.0][: len(channels)] * 2 for row in plain.rows]
    motion = read(plain.text(hierarchy, rows), strict=True)
    assert motion.skeleton.layout is not None and motion.skeleton.layout.channels[1] == tuple(channels)
    np.testing.assert_array_equal(motion["Spine"], motion["LeftUpLeg"])


def test_no_end_sites(plain: Any) -> None:
    hierarchy = re.sub(r"\s*End Site\s*{[^}]*}", "", plain.hierarchy)
    assert read(plain.text(hierarchy), strict=True).skeleton.num_end_sites == 0


def test_a_root_alone() -> None:
    text = "HIERARCHY\nROOT prop\n{\n OFFSET 1 2 3\n CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation\n}\n"
    motion = read(text + "MOTION\nFrames: 2\nFrame Time: 0.1\n1 2 3 0 0 90\n4 5 6 0 0 0\n", strict=True)
    assert motion.skeleton.num_joints == 1
    np.testing.assert_array_equal(motion.root_positions, [[1, 2, 3], [4, 5, 6]])


def test_what_is_missing_in_a_joint_is_zero(plain: Any) -> None:
    motion = mended(plain.text().replace("\t\tOFFSET 0 10 0\n", ""), plain, line=6, says="'Spine' has no OFFSET")
    np.testing.assert_array_equal(motion.skeleton.offsets[1], 0)
    text = plain.text(
        plain.hierarchy.replace("\t\tCHANNELS 3 Zrotation Xrotation Yrotation\n", "", 1),
        [row[:6] + row[9:] for row in plain.rows],
    )
    motion = mended(text, plain, line=6, says="'Spine' has no CHANNELS")
    np.testing.assert_array_equal(motion["Spine"], np.tile([1.0, 0, 0, 0], (3, 1)))
    motion = mended(plain.text().replace("OFFSET 0 10 0", "OFFSET 0 nan 1"), plain, line=8, says="OFFSET of 'Spine'")
    np.testing.assert_array_equal(motion.skeleton.offsets[1], [0, 0, 1])


@pytest.mark.parametrize("offset", ["4,0 -1,0 0,0", "4, -1, 0", "4.0,-1.0,0.0", "4,-1,0", "4,0, -1,0, 0,0"])
def test_commas_in_offsets(offset: str, plain: Any) -> None:
    motion = mended(plain.text().replace("OFFSET 4 -1 0", f"OFFSET {offset}"), plain, line=17, says="commas")
    np.testing.assert_array_equal(motion.skeleton.offsets[2], [4, -1, 0])


def test_commas_between_channels(plain: Any) -> None:
    same_as_plain(
        plain.text().replace("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 3, Zrotation, Xrotation, Yrotation"), plain
    )


def test_an_end_site_that_moves_is_a_joint(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("OFFSET 0 5 0", "OFFSET 0 5 0\nCHANNELS 1 Xrotation\nEnd Site\n{\nOFFSET 0 1 0\n}")
    rows = [row[:9] + [45.0] + row[9:] for row in plain.rows]
    motion = mended(plain.text(hierarchy, rows), plain, line=10, says="End Site has channels")
    assert motion.skeleton.joint_names == ("Hips", "Spine", "Spine_end", "LeftUpLeg")
    assert motion.skeleton.end_site_names == ("Spine_end_end", "LeftUpLeg_end")
    np.testing.assert_array_equal(motion.source.channel_values, rows)


def test_no_hierarchy_keyword(plain: Any) -> None:
    mended(plain.text().replace("HIERARCHY\n", ""), plain, line=1)


def test_a_closing_brace_too_many(plain: Any) -> None:
    same_as_plain(plain.text(plain.hierarchy + "}\n"), plain)
    mended(plain.text(plain.hierarchy + "}\n"), plain, line=25, says="closing brace")


def test_two_roots_are_two_motions(plain: Any) -> None:
    second = plain.hierarchy.replace("HIERARCHY\n", "").replace("Hips", "HipsB")
    rows = [row + [value + 1 for value in row] for row in plain.rows]
    clips = read_bvh(plain.text(plain.hierarchy + second, rows).encode(), strict=True)
    assert [clip.skeleton.joint_names[0] for clip in clips] == ["Hips", "HipsB"]
    assert clips[1].skeleton.joint_names[1:] == clips[0].skeleton.joint_names[1:]  # names belong to their root
    np.testing.assert_array_equal(clips[0].local_rotations, read(plain.text()).local_rotations)
    np.testing.assert_array_equal(clips[1].source.channel_values, [[value + 1 for value in row] for row in plain.rows])
    assert "2 roots (Hips, HipsB)" in str(clips[0].source.notes[0])


def test_a_chain_of_20000_joints() -> None:
    depth = 20_000
    chain = "".join(f"{'JOINT' if k else 'ROOT'} j{k}\n{{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n" for k in range(depth))
    text = (
        f"HIERARCHY\n{chain}End Site\n{{\nOFFSET 0 1 0\n}}\n"
        + "}\n" * depth
        + "MOTION\nFrames: 1\nFrame Time: 0.1\n"
        + "0 " * depth
    )
    motion = read(text, strict=True)
    assert motion.skeleton.num_joints == depth
    np.testing.assert_array_equal(
        forward_kinematics(motion).end_site_positions, [[[0, depth + 1, 0]]]
    )  # the root stands at its OFFSET


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("\t}\n}\n", "\t}\n", 24, "brace of 'Hips' .line 2. is never closed"),
        ("CHANNELS 3", "CHANNELS 6", 9, "says 6 and lists 3"),
        ("CHANNELS 3", "CHANNELS 2", 9, "says 2 and lists 3"),
        ("CHANNELS 3", "CHANNELS three", 9, "says three"),
        ("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS", 9, "says nothing"),
        (
            "Zrotation Xrotation Yrotation\n\t\tEnd",
            "Zrotation Xrotatoin Yrotation\n\t\tEnd",
            9,
            "'Xrotatoin' of 'Spine'; expected Xrotation",
        ),
        ("Xposition Yposition", "Xposition Xposition", 5, "Xposition twice"),
        ("OFFSET 0 10 0", "OFFSET 0 10", 8, "three numbers"),
        ("OFFSET 0 10 0", "OFFSET 0 10 0 4", 8, "three numbers"),
        ("OFFSET 0 10 0", "OFFSET 0 10 0\nOFFSET 0 10 0", 9, "given twice"),
        ("JOINT Spine", "JOITN Spine", 6, "did you mean JOINT"),
        ("JOINT Spine", "ROOT Spine", 6, "unexpected 'ROOT'"),
        ("ROOT Hips", "JOINT Hips", 2, "unexpected 'JOINT'"),
        ("ROOT Hips\n{", "ROOT Hips", 3, "unexpected 'OFFSET'"),
        ("End Site", "End Sight", 10, "'Sight' after End"),
        ("HIERARCHY\n", "GIF89a", 1, "no BVH file"),
        ("\tJOINT Spine", "\t}\n\tJOINT Spine", 7, "unexpected 'JOINT'"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_what_cannot_be_mended_says_where(old: str, new: str, line: int, says: str, strict: bool, plain: Any) -> None:
    assert old in plain.text()
    with pytest.raises(BvhParseError, match=says) as caught:
        read(plain.text().replace(old, new, 1), strict=strict, path="clip.bvh")
    assert caught.value.line == line and caught.value.path == "clip.bvh" and str(caught.value).startswith(f"clip.bvh:{line}: ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"HIERARCHY",
        b"HIERARCHY\nMOTION\n",
        bytes(range(256)),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xfe",
        b"\0" * 64,
        b"ROOT",
        b"HIERARCHY ROOT a",
    ],
)
def test_what_is_no_bvh_at_all(data: bytes) -> None:
    with pytest.raises(BvhParseError):
        read(data)


# --------------------------------------------------------------------------------------------------------------- motion


@pytest.mark.parametrize(
    ("frames", "says"),
    [("Frames: 10", "says '10'.*took the 3"), ("Frames: 2", "says '2'.*took the 3"), ("Frames: -3", "says '-3'"), ("Frames: abc", "says 'abc'"), ("Frames: 1000000000000", "says '1000000000000'"),
     ("Frames: 1e400", "says '1e400'"), ("Frames: nan", "says 'nan'"), ("Frames: 2.5", "says '2.5'"), ("Frames:", "is missing"), ("", "is missing")],
)  # fmt: skip
def test_a_wrong_number_of_frames(frames: str, says: str, plain: Any) -> None:
    mended(plain.text(frames=frames), plain, says=says)
    same_as_plain(plain.text(frames=frames), plain)


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
    motion = mended(plain.text(time=time), plain, says="Frame Time .*took 1/30 s")
    assert motion.frame_time == 1 / 30 and motion.num_frames == 3


@pytest.mark.parametrize("time", [".0083333", "0.0417083750417", "1.0", "1e-3", "8.333333333333333E-03"])
def test_the_frame_time_is_kept_to_the_last_digit(time: str, plain: Any) -> None:
    assert read(plain.text(time=f"Frame Time: {time}"), strict=True).frame_time == float(time)


def test_zero_frames(plain: Any) -> None:
    motion = read(plain.text(rows="", frames="Frames: 0"), strict=True)
    assert motion.num_frames == 0 and motion.source.channel_values is not None and motion.source.channel_values.shape == (0, 12)
    assert mended(plain.hierarchy, plain, line=25, says="no MOTION").num_frames == 0
    assert read(plain.hierarchy + "MOTION\n").num_frames == 0


def test_a_truncated_last_row_is_left_out(plain: Any) -> None:
    motion = mended(plain.text().rstrip()[:-9], plain, line=30, says="last row has 11 of 12 numbers")
    assert motion.num_frames == 2
    one = plain.text(rows="1 2 3", frames="Frames: 1")
    assert mended(one, plain, says="last frame has 3 of 12").num_frames == 0


def test_a_short_row_is_filled_and_moves_nothing_else(plain: Any) -> None:
    rows = [list(row) for row in plain.rows[:1] * 2 + plain.rows[1:]]
    text = plain.text(rows=rows, frames="Frames: 4").splitlines()
    text[28] = "0.5 90.5 1"
    motion = mended("\n".join(text), plain, line=29, says="a row has 3 numbers.*neighbours")
    values = motion.source.channel_values
    assert values is not None and motion.num_frames == 4
    np.testing.assert_array_equal(values[[0, 2, 3]], np.array(rows)[[0, 2, 3]])
    np.testing.assert_allclose(values[1], (np.array(rows[0]) + rows[2]) / 2)


def test_numbers_too_many_in_a_row_are_left_out(plain: Any) -> None:
    text = plain.text().splitlines()
    same_as_plain("\n".join(text[:28] + [text[28] + " 1 2"] + text[29:]), plain)
    mended("\n".join(text[:28] + [text[28] + " 1 2"] + text[29:]), plain, line=29, says="a row has 14 numbers.*surplus")
    mended("\n".join(text[:27] + [line + " 7" for line in text[27:]]), plain, line=28, says="a row has 13 numbers.*surplus")
    same_as_plain("\n".join(text[:27] + [line + " 7" for line in text[27:]]), plain)


def test_rows_that_do_not_fit_the_hierarchy_are_refused(plain: Any) -> None:
    with pytest.raises(BvhParseError, match="rows hold 9 numbers, the hierarchy has 12 channels") as caught:
        read(plain.text(rows=[row[:9] for row in plain.rows]))
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
    motion = mended(text, plain, line=29) if "#####" not in word else read(text)
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
    motion = read(plain.text(hierarchy, "\n".join(map(" ".join, words)), frames="Frames: 5"))
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
    values = read(plain.text(rows="\n".join(map(" ".join, rows)))).source.channel_values
    assert values is not None
    np.testing.assert_allclose(values[:, 3], [170, 180, -170])


def test_many_repairs_of_one_kind_are_counted(plain: Any) -> None:
    motion = read(plain.text(rows=("nan " * 12 + "\n") * 500, frames="Frames: 500"))
    assert len(motion.source.repairs) == 21 and str(motion.source.repairs[-1]) == "5980 more of: no number"


@pytest.mark.parametrize("form", ["0,5 1,5", "0.5, 1.5", "0.5,1.5", "0.5;1.5", "0,5;1,5", "0,5, 1,5"])
def test_commas_are_points_or_separators(form: str, plain: Any) -> None:
    point, separator = ("," if "0,5" in form else "."), form[3:-3]
    rows = "\n".join(separator.join(f"{value:.4f}".replace(".", point) for value in row) for row in plain.rows)
    motion = same_as_plain(plain.text(rows=rows), plain)
    assert "commas in" in repairs(motion)
    with pytest.raises(BvhParseError, match="commas"):
        read(plain.text(rows=rows), strict=True)


def test_whole_numbers_with_commas(plain: Any) -> None:
    rows = [[float(round(value)) for value in row] for row in plain.rows]
    for separator in (",", ", "):
        text = plain.text(rows="\n".join(separator.join(f"{value:.0f}" for value in row) for row in rows))
        np.testing.assert_array_equal(read(text).source.channel_values, rows)


def test_a_comma_in_the_frame_time(plain: Any) -> None:
    assert mended(plain.text(time="Frame Time: 0,0333333"), plain, says="Frame Time").frame_time == 0.0333333


def test_text_among_the_rows_is_left_out(plain: Any) -> None:
    text = plain.text().splitlines()
    same_as_plain("\n".join(text[:28] + ["Frame Rate: 30", "# half"] + text[28:]), plain)
    mended("\n".join(text[:28] + ["Frame Rate: 30"] + text[28:]), plain, line=29, says="text among the rows: 'Frame Rate: 30'")


def test_a_second_file_behind_the_first_is_left_out(plain: Any) -> None:
    same_as_plain(plain.text() + plain.text(), plain)
    assert "HIERARCHY" in repairs(read(plain.text() + plain.text()))


def test_no_channels_at_all() -> None:
    text = "HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\nCHANNELS 0\n}\nMOTION\nFrames: 2\nFrame Time: 0.5\n\n\n"
    motion = read(text, strict=True)
    np.testing.assert_array_equal(motion.root_positions, [[1, 2, 3]] * 2)
    assert read(text.replace("Frames: 2", "Frames: 1000000000000")).num_frames < 10


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
    motion = same_as_plain(with_positions(plain, [[0.0, 10, 0]] * 3, [[4.0, -1, 0]] * 3), plain, strict=True)
    assert motion.source.notes == ()


def test_positions_of_zero_add_to_the_offset(plain: Any) -> None:
    motion = same_as_plain(with_positions(plain, [[0.0, 0, 0]] * 3, [[0.0, 0, 0]] * 3), plain, strict=True)
    assert motion.skeleton.layout is not None and motion.skeleton.layout.adds_offset == (False, True, True)
    assert "add to OFFSET, found by their size: Spine, LeftUpLeg" in str(motion.source.notes[0])


def test_one_file_can_mix_both(plain: Any) -> None:
    motion = same_as_plain(with_positions(plain, [[0.0, 10, 0]] * 3, [[0.0, 0, 0]] * 3), plain)
    assert motion.skeleton.layout is not None and motion.skeleton.layout.adds_offset == (False, False, True)


def test_bones_that_stretch(plain: Any) -> None:
    motion = read(with_positions(plain, [[0.0, 10, 0], [0.0, 11, 0], [0.0, 12, 0]], [[4.0, -1, 0]] * 3), strict=True)
    assert motion.local_positions is not None
    np.testing.assert_array_equal(motion.local_positions[:, 1], [[0, 10, 0], [0, 11, 0], [0, 12, 0]])
    np.testing.assert_array_equal(motion.local_positions[:, 2], [[4, -1, 0]] * 3)
    np.testing.assert_array_equal(motion.local_positions[:, 0], motion.root_positions)
    adding = read(with_positions(plain, [[0.0, 0, 0], [0.0, 1, 0], [0.0, 2, 0]], [[0.0, 0, 0]] * 3))
    np.testing.assert_array_equal(adding.local_positions, motion.local_positions)


def test_the_rule_for_positions_can_be_given(plain: Any) -> None:
    text = with_positions(plain, [[0.0, 0, 0]] * 3, [[4.0, -1, 0]] * 3)
    replaced, added = read(text, position_channels="replace"), read(text, position_channels="add")
    assert replaced.local_positions is not None and added.local_positions is not None
    np.testing.assert_array_equal(replaced.local_positions[:, 1], 0)
    np.testing.assert_array_equal(added.local_positions[:, 2], [[8, -2, 0]] * 3)
    assert "as asked for" in str(added.source.notes[0])
    with pytest.raises(Exception, match="position_channels"):
        read(text, position_channels="both")


def test_the_root_offset_is_replaced_when_values_repeat_it_or_go_anywhere(plain: Any) -> None:
    for offset in ("0 90 0", "0 95 3", "100 0 0", "0 -5 0"):
        motion = read(plain.text(plain.hierarchy.replace("OFFSET 0 0 0", f"OFFSET {offset}")), strict=True)
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
    motion = read(plain.text(hierarchy, rows))
    np.testing.assert_array_equal(motion.root_positions, np.array(rows)[:, :3] + rest)
    assert "add to OFFSET, found by their size: Hips" in str(motion.source.notes[0])
    lying = [[0.0] * up + [1.0, *[0.0] * (2 - up)] + [90.0, 0, 0] * 3 for _ in range(3)]  # low because the body lies
    lying_motion = read(plain.text(hierarchy.replace("OFFSET 4 -1 0", "OFFSET 0 0 0"), lying))
    if up == 1:
        np.testing.assert_array_equal(lying_motion.root_positions[:, up], 1.0)


def test_a_root_without_positions_stands_at_its_offset(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 1 2 3").replace(
        "CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 3"
    )
    motion = read(plain.text(hierarchy, [row[3:] for row in plain.rows]), strict=True)
    np.testing.assert_array_equal(motion.root_positions, [[1, 2, 3]] * 3)
    one = plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 1 90 3").replace(
        "CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 4 Yposition"
    )
    motion = read(plain.text(one, [row[1:2] + row[3:] for row in plain.rows]), strict=True)
    np.testing.assert_array_equal(motion.root_positions, [[1, 90, 3], [1, 91, 3], [1, 92, 3]])


def test_scale_channels_are_kept_but_not_used(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace(
        "CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 6 Zrotation Xrotation Yrotation Xscale Yscale Zscale", 1
    )
    ones = [row[:9] + [1.0, 1.0, 1.0] + row[9:] for row in plain.rows]
    same_as_plain(plain.text(hierarchy, ones), plain, strict=True)
    twos = [row[:9] + [1.0, 2.0, 1.0] + row[9:] for row in plain.rows]
    motion = mended(plain.text(hierarchy, twos), plain, says="scale channels")
    np.testing.assert_array_equal(motion.source.channel_values, twos)
    np.testing.assert_array_equal(motion.local_rotations, read(plain.text()).local_rotations)


def test_angles_beyond_a_turn_are_the_same_rotations(plain: Any) -> None:
    rows = [[*row[:3], *(value + 720.0 for value in row[3:])] for row in plain.rows]
    np.testing.assert_allclose(read(plain.text(rows=rows)).local_rotations, read(plain.text()).local_rotations, atol=1e-13)


def test_arrays_are_locked_and_bytes_left_alone(plain: Any) -> None:
    data = bytearray(plain.text().encode())
    motion = read(bytes(data))
    for array in (motion.root_positions, motion.local_rotations, motion.source.channel_values):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_memory_is_not_taken_on_the_files_word(plain: Any, tmp_path: Path) -> None:
    path = tmp_path / "huge.bvh"
    path.write_text(plain.text(frames="Frames: 999999999999999"))
    assert read(path.read_bytes()).num_frames == 3
