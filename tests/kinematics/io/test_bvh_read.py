"""Reading BVH: forms of text, names, hierarchies. Each file differs from the plain one in one thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kinematics import BvhParseError, forward_kinematics
from kinematics.io.bvh_read import read_bvh
from kinematics.rotations import euler

# ---------------------------------------------------------------------------------------------------------- plain files


def test_the_plain_file(plain: Any) -> None:
    motion = plain.read(plain.text(), strict=True)
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
    motion = plain.same(FORMS[form](plain.text()), strict=True)
    assert motion.source.repairs == ()


@pytest.mark.parametrize("wrap", [1, 5, 7, 24, 36])
def test_rows_broken_or_joined_are_the_same_frames(wrap: int, plain: Any) -> None:
    words = " ".join(f"{value:.6f}" for row in plain.rows for value in row).split()
    rows = "\n".join(" ".join(words[k : k + wrap]) for k in range(0, len(words), wrap))
    motion = plain.same(plain.text(rows=rows), strict=True)
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
    plain.same(plain.text(hierarchy, rows), strict=True)


# ---------------------------------------------------------------------------------------------------- names, encodings


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "ボーン右"), ("utf-8", "Rücken"), ("shift_jis", "左ひじ"), ("shift_jis", "センター"), ("shift_jis", "ボーン"), ("shift_jis", "左足"),
     ("cp1252", "Wirbelsäule"), ("cp1252", "tête"), ("cp1252", "Épaule"), ("cp1252", "Hüfte‰"), ("latin-1", "H\x81fte"), ("utf-16", "左ひじ")],
)  # fmt: skip
def test_names_in_an_old_encoding(encoding: str, name: str, plain: Any) -> None:
    motion = plain.read(plain.text().replace("Spine", name).encode(encoding), strict=True)
    assert motion.skeleton.joint_names == ("Hips", name, "LeftUpLeg")
    assert motion.source.encoding.replace("-le", "").replace("latin-1", "latin-1") == encoding


@pytest.mark.parametrize(
    "name",
    ["Left Up Leg", "Bip01 L Thigh", "mixamorig:Spine", "a.b-c|d/e", "Bone #2", "JOINT", "MOTION", "End Site", "12", "Frames:"],
)
def test_names_are_kept_whole(name: str, plain: Any) -> None:
    assert plain.read(plain.text().replace("JOINT Spine", f"JOINT {name}"), strict=True).skeleton.joint_names[1] == name


def test_names_given_twice_get_numbers(plain: Any) -> None:
    motion = plain.mended(plain.text().replace("Spine", "Leg").replace("LeftUpLeg", "Leg"), line=15, says="'Leg'.*Leg_2")
    assert motion.skeleton.joint_names == ("Hips", "Leg", "Leg_2")
    taken = plain.text().replace("Hips", "Leg").replace("Spine", "Leg_2").replace("LeftUpLeg", "Leg")
    assert plain.read(taken).skeleton.joint_names == ("Leg", "Leg_2", "Leg_3")


def test_end_sites_with_names(plain: Any) -> None:
    text = plain.text().replace("End Site\n\t\t{\n\t\t\tOFFSET 0 5 0", "End Site Top of Spine\n\t\t{\n\t\t\tOFFSET 0 5 0")
    assert plain.read(text, strict=True).skeleton.end_site_names == ("Top of Spine", "LeftUpLeg_end")
    motion = plain.mended(plain.text().replace("End Site", "End Site SpineEnd"), line=19, says="SpineEnd_2")
    assert motion.skeleton.end_site_names == ("SpineEnd", "SpineEnd_2")


def test_a_joint_without_a_name_gets_one(plain: Any) -> None:
    assert plain.mended(plain.text().replace("JOINT Spine", "JOINT"), line=6).skeleton.joint_names[1] == "joint1"
    assert plain.read(plain.text().replace("ROOT Hips", "ROOT \u3000")).skeleton.joint_names[0] == "joint0"


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
    motion = plain.read(plain.text(hierarchy, rows), strict=True)
    assert motion.skeleton.layout is not None and motion.skeleton.layout.channels[1] == tuple(channels)
    np.testing.assert_array_equal(motion["Spine"], motion["LeftUpLeg"])


def test_no_end_sites(plain: Any) -> None:
    hierarchy = re.sub(r"\s*End Site\s*{[^}]*}", "", plain.hierarchy)
    assert plain.read(plain.text(hierarchy), strict=True).skeleton.num_end_sites == 0


def test_a_root_alone(plain: Any) -> None:
    text = "HIERARCHY\nROOT prop\n{\n OFFSET 1 2 3\n CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation\n}\n"
    motion = plain.read(text + "MOTION\nFrames: 2\nFrame Time: 0.1\n1 2 3 0 0 90\n4 5 6 0 0 0\n", strict=True)
    assert motion.skeleton.num_joints == 1
    np.testing.assert_array_equal(motion.root_positions, [[1, 2, 3], [4, 5, 6]])


def test_what_is_missing_in_a_joint_is_zero(plain: Any) -> None:
    motion = plain.mended(plain.text().replace("\t\tOFFSET 0 10 0\n", ""), line=6, says="'Spine' has no OFFSET")
    np.testing.assert_array_equal(motion.skeleton.offsets[1], 0)
    text = plain.text(
        plain.hierarchy.replace("\t\tCHANNELS 3 Zrotation Xrotation Yrotation\n", "", 1),
        [row[:6] + row[9:] for row in plain.rows],
    )
    motion = plain.mended(text, line=6, says="'Spine' has no CHANNELS")
    np.testing.assert_array_equal(motion["Spine"], np.tile([1.0, 0, 0, 0], (3, 1)))
    motion = plain.mended(plain.text().replace("OFFSET 0 10 0", "OFFSET 0 nan 1"), line=8, says="OFFSET of 'Spine'")
    np.testing.assert_array_equal(motion.skeleton.offsets[1], [0, 0, 1])


@pytest.mark.parametrize("offset", ["4,0 -1,0 0,0", "4, -1, 0", "4.0,-1.0,0.0", "4,-1,0", "4,0, -1,0, 0,0"])
def test_commas_in_offsets(offset: str, plain: Any) -> None:
    motion = plain.mended(plain.text().replace("OFFSET 4 -1 0", f"OFFSET {offset}"), line=17, says="commas")
    np.testing.assert_array_equal(motion.skeleton.offsets[2], [4, -1, 0])


def test_commas_between_channels(plain: Any) -> None:
    plain.same(plain.text().replace("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 3, Zrotation, Xrotation, Yrotation"))


def test_an_end_site_that_moves_is_a_joint(plain: Any) -> None:
    hierarchy = plain.hierarchy.replace("OFFSET 0 5 0", "OFFSET 0 5 0\nCHANNELS 1 Xrotation\nEnd Site\n{\nOFFSET 0 1 0\n}")
    rows = [row[:9] + [45.0] + row[9:] for row in plain.rows]
    motion = plain.mended(plain.text(hierarchy, rows), line=10, says="End Site has channels")
    assert motion.skeleton.joint_names == ("Hips", "Spine", "Spine_end", "LeftUpLeg")
    assert motion.skeleton.end_site_names == ("Spine_end_end", "LeftUpLeg_end")
    np.testing.assert_array_equal(motion.source.channel_values, rows)


def test_no_hierarchy_keyword(plain: Any) -> None:
    plain.mended(plain.text().replace("HIERARCHY\n", ""), line=1)


def test_a_closing_brace_too_many(plain: Any) -> None:
    plain.same(plain.text(plain.hierarchy + "}\n"))
    plain.mended(plain.text(plain.hierarchy + "}\n"), line=25, says="closing brace")


def test_two_roots_are_two_motions(plain: Any) -> None:
    second = plain.hierarchy.replace("HIERARCHY\n", "").replace("Hips", "HipsB")
    rows = [row + [value + 1 for value in row] for row in plain.rows]
    clips = read_bvh(plain.text(plain.hierarchy + second, rows).encode(), strict=True)
    assert [clip.skeleton.joint_names[0] for clip in clips] == ["Hips", "HipsB"]
    assert clips[1].skeleton.joint_names[1:] == clips[0].skeleton.joint_names[1:]  # names belong to their root
    np.testing.assert_array_equal(clips[0].local_rotations, plain.read(plain.text()).local_rotations)
    np.testing.assert_array_equal(clips[1].source.channel_values, [[value + 1 for value in row] for row in plain.rows])
    assert "2 roots (Hips, HipsB)" in str(clips[0].source.notes[0])


def test_a_chain_of_20000_joints(plain: Any) -> None:
    depth = 20_000
    chain = "".join(f"{'JOINT' if k else 'ROOT'} j{k}\n{{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n" for k in range(depth))
    text = (
        f"HIERARCHY\n{chain}End Site\n{{\nOFFSET 0 1 0\n}}\n"
        + "}\n" * depth
        + "MOTION\nFrames: 1\nFrame Time: 0.1\n"
        + "0 " * depth
    )
    motion = plain.read(text, strict=True)
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
        plain.read(plain.text().replace(old, new, 1), strict=strict, path="clip.bvh")
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
def test_what_is_no_bvh_at_all(data: bytes, plain: Any) -> None:
    with pytest.raises(BvhParseError):
        plain.read(data)
