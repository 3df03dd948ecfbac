from __future__ import annotations

from pathlib import Path

import pytest

from kinematics.errors import InputError, MissingFileError, UnknownNameError
from retarget import JointMap, JointPair, RetargetError, match
from retarget.map_file import load_map, save_map


def test_a_map_survives_its_file(bodies, tmp_path: Path) -> None:
    source, target = bodies.person("Xsens / 100STYLE").skeleton, bodies.person("Unity").skeleton
    before = match(source, target).without("Head").with_pair("Neck", "Neck")
    save_map(before, tmp_path / "map.toml")
    assert load_map(tmp_path / "map.toml") == before
    checked = load_map(tmp_path / "map.toml", source=source, target=target)
    assert checked.pairs == before.pairs and set(checked.unmapped_source) == set(before.unmapped_source)
    assert [file.name for file in tmp_path.iterdir()] == ["map.toml"]


def test_odd_names_survive(tmp_path: Path) -> None:
    odd = JointMap((JointPair('a"b\\', "左\t足", "x", 1 / 3, "why\n\x7f not", 0.1),), ("[x]",), ('"',), "A # b", "C")
    save_map(odd, tmp_path / "odd.toml")
    assert load_map(tmp_path / "odd.toml") == odd


def test_a_map_is_edited_by_hand(bodies, tmp_path: Path) -> None:
    """A line removed leaves the joint at rest, a short line is enough to add one; comments are welcome."""
    source, target = bodies.person("LAFAN1").skeleton, bodies.person("Unity").skeleton
    path = tmp_path / "map.toml"
    save_map(match(source, target), path)
    lines = [line for line in path.read_text().splitlines() if 'target = "Head"' not in line]
    at = next(index for index, line in enumerate(lines) if 'target = "Neck"' in line)
    lines[at] = '  {target = "Neck", source = "Head"},  # the head nods alone'
    path.write_text("\n".join(lines))
    edited = load_map(path, source=source, target=target)
    assert edited.sources_of("Head") == () and "Head" in edited.unmapped_target
    assert edited.sources_of("Neck") == (JointPair("Head", "Neck", "given", 1.0, "given by the caller"),)
    assert "Neck" in edited.unmapped_source and "Head" not in edited.unmapped_source
    edited.require_joints(source, target)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('format_version = 1\npairs = [\n  {target = "Hips" source = "Hips"},\n]', RetargetError, "map.toml:3: this is not TOML"),
        ("pairs = []", RetargetError, "format_version must be 1, got None"),
        ('format_version = 1\npairs = "Hips"', RetargetError, "pairs must be a list such as"),
        ("format_version = 1\npair = []", RetargetError, r"map.toml:2: no entry named 'pair'; did you mean 'pairs'"),
        ('format_version = 1\npairs = [\n {target = "Hips"},\n]', RetargetError, 'map.toml:3: a pair needs source = "a joint'),
        ('format_version = 1\npairs = [\n {target = "a", source = "b", wieght = 1},\n]', RetargetError, "map.toml:3: .*'weight'"),
        (
            'format_version = 1\npairs = [\n\n {target = "Hips", source = "Hips", weight = -1},\n]',
            RetargetError,
            "map.toml:4: weight must be",
        ),
        (
            'format_version = 1\npairs = [\n {target = "Hipz", source = "Hips"},\n]',
            UnknownNameError,
            "map.toml:3.*'Hipz'.*'Hips'",
        ),
        ("format_version = 1\npairs = []\nsource_not_used = 3", RetargetError, "source_not_used must be a list"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(bodies, tmp_path: Path, text: str, error: type, message: str) -> None:
    skeleton = bodies.person("LAFAN1").skeleton
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(error, match=message):
        load_map(tmp_path / "map.toml", target=skeleton)


def test_missing_and_unwritable_files(bodies, tmp_path: Path) -> None:
    joint_map = match(bodies.person().skeleton, bodies.person().skeleton)
    save_map(joint_map, tmp_path / "walk.toml")
    with pytest.raises(MissingFileError, match=r"walk\.toml"):
        load_map(tmp_path / "walks.toml")
    with pytest.raises(InputError, match="no folder"):
        save_map(joint_map, tmp_path / "none" / "map.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot read"):
        load_map(tmp_path / "binary.toml")
