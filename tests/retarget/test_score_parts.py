"""Scores of a part of the body: the rest is not looked at, and the part is seen as its retarget put it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from kinematics.edit import rotate
from kinematics.errors import UnknownNameError
from kinematics.io import save_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget import PRESETS, retarget, score
from retarget.cli import main
from retarget.partial import retargeted_joints
from retarget.score_bodies import LIMBS


@pytest.fixture(scope="module")
def clips(bodies) -> tuple[Motion, Motion]:
    """Two walks of one person that turn differently."""
    person = bodies.person("LAFAN1")
    return person.walk(), rotate(person.walk(51, turn=-1.2)[11:], 1.0)


def test_in_place_has_no_numbers_of_the_way(bodies) -> None:
    """Every foot slides in place, as far as the way that was taken out: that is no fault, and not told as one."""
    walk, other = bodies.person("LAFAN1").walk(), bodies.person("SMPL", seed=4).walk()
    moved = retarget(walk, other, config=replace(PRESETS["feet"], in_place=True)).motion
    still, plain = score(walk, moved, target=other, in_place=True), score(walk, moved, target=other)
    assert plain.result.slide.mean_cm_s > 30.0 and plain.as_dict()["result"]["slide"] is not None
    numbers = still.as_dict()
    assert numbers["result"]["slide"] is None and numbers["slide_per_frame"] is None and numbers["key_bodies"]["path"] is None
    assert numbers["source"]["slide"] is not None and numbers["sinking"] == plain.as_dict()["sinking"]
    said = io.StringIO()
    Console(file=said, width=120).print(still)
    assert "taken out" in said.getvalue() and "stance slide" not in said.getvalue() and "sinks more" in said.getvalue()


@pytest.mark.parametrize("part", ["upper", "lower"])
def test_a_part_of_ones_own_body_is_no_error(clips: tuple[Motion, Motion], part: str) -> None:
    """On one skeleton that part is the source's exactly, though the body stands and faces otherwise."""
    source, own = clips
    result = retarget(source, own, config=replace(PRESETS["feet"], part=part)).motion
    card, whole = score(source, result, part=part), score(source, result)
    assert card.part == part and whole.part == "whole"
    assert card.key_bodies.error.max_cm < 1e-6 and card.max_direction_error_degrees < 1e-5
    assert card.turn_ratio == pytest.approx(1.0, abs=1e-9)
    assert whole.key_bodies.error.mean_cm > 1.0 and whole.mean_direction_error_degrees > 3.0
    legs = {name for name in LIMBS if name.endswith(("shin", "foot"))}
    assert set(card.key_bodies.mean_cm) == (legs if part == "lower" else set(LIMBS) - legs)
    assert ("left_shin" in card.bone_directions, "trunk" in card.bone_directions) == (part == "lower", part == "upper")
    assert f"only the {part} body" in card.notes[0]


def test_what_the_rest_does_counts_nowhere(clips: tuple[Motion, Motion]) -> None:
    source, own = clips
    for part in ("upper", "lower"):
        result = retarget(source, own, config=replace(PRESETS["feet"], part=part)).motion
        rotations = result.local_rotations.copy()
        others = ~retargeted_joints(result.skeleton, part)
        others[0] = False  # the pelvis carries both
        jerky = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 0.4)
        rotations[::2, others] = quaternion.multiply(rotations[::2, others], jerky)
        shaken, calm = score(source, result.with_local_rotations(rotations), part=part), score(source, result, part=part)
        one, other = shaken.as_dict(), calm.as_dict()
        for numbers in (one, other):  # heights of the body and its own world are measured on all of it
            numbers.pop("key_bodies")
            numbers["result"].pop("jerk")
        if part == "upper":
            assert one["result"] == other["result"] and one["turn_ratio"] == other["turn_ratio"]
        assert one["result"]["largest_turn"] == other["result"]["largest_turn"]
        assert one["result"]["speeding"] == other["result"]["speeding"]
        assert shaken.key_bodies.error.max_cm < 1e-6


def test_an_upper_body_has_no_numbers_of_feet(clips: tuple[Motion, Motion]) -> None:
    source, own = clips
    result = retarget(source, own, config=replace(PRESETS["feet"], part="upper")).motion
    card = score(source, result, part="upper")
    told = json.loads(json.dumps(card.as_dict(), allow_nan=False))
    for name in ("slide", "own_slide", "penetration", "floating", "floor_cm"):
        assert told["source"][name] is None and told["result"][name] is None
    assert told["floating"] is told["sinking"] is told["slide_per_frame"] is told["key_bodies"]["path"] is None
    assert told["key_bodies"]["error"]["mean_cm"] is not None and told["part"] == "upper"
    console = Console(record=True, width=140, file=io.StringIO())
    console.print(card)
    text = console.export_text()
    assert "key bodies off" in text and "jerk" in text
    for words in ("slide", "floor", "deepest", "floats", "toes", "path"):
        assert words not in text
    with pytest.raises(UnknownNameError, match="no part named 'legs'"):
        score(source, result, part="legs")


def test_command_lines(clips: tuple[Motion, Motion], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name, clip in zip(("in/walk", "own"), clips, strict=True):
        save_motion(clip, f"{name}.bvh")

    def run(*arguments: str) -> dict[str, object]:
        monkeypatch.setattr(sys, "argv", ["retarget", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        told = capsys.readouterr()
        assert exit_info.value.code == 0, told.err
        return json.loads(told.out)  # one object on stdout

    told = run("in/walk.bvh", "--to", "own.bvh", "-o", "out.bvh", "--no-picture", "--part", "upper", "--json")
    card = run("score", "in/walk.bvh", "out.bvh", "--part", "upper", "--json")
    assert told["score"]["part"] == card["part"] == "upper" and card["sinking"] is None
    assert card["key_bodies"]["error"]["max_cm"] < 1e-3
    report = run("batch", "in", "--to", "own.bvh", "-o", "out", "--part", "upper", "--no-pictures", "--workers", "1", "--json")
    numbers = report["clips"][0]["numbers"]
    assert numbers["stance_slide_cm_s"] is None and numbers["key_bodies_max_cm"] < 1e-3
    assert report == json.loads(Path("out/report.json").read_text())
