from __future__ import annotations

import io

import pytest
from rich.console import Console

from kinematics.errors import UnknownNameError
from retarget import JointMap, JointPair, RetargetError, match


def shown(item: object) -> str:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(item)
    return console.export_text()


def test_pairs_are_edited_without_changing_the_map(bodies) -> None:
    source, target = bodies.person("LAFAN1").skeleton, bodies.person("Unity").skeleton
    before = match(source, target)
    after = before.with_pair("Spine", "Chest").without("Head")
    assert [pair.source for pair in after.sources_of("Chest")] == ["Spine"]
    assert after.sources_of("Head") == () and "Head" in after.unmapped_target and "Head" in after.unmapped_source
    assert [pair.source for pair in before.sources_of("Head")] == ["Head"] and len(after) == len(before) - 1
    assert after.without("Head") is after
    after.require_joints(source, target)


def test_wrong_names_and_weights_are_refused(bodies) -> None:
    source, target = bodies.person("LAFAN1").skeleton, bodies.person("Unity").skeleton
    with pytest.raises(UnknownNameError, match="LeftUpperArm"):
        match(source, target).with_pair("LeftArm", "LeftUperArm").require_joints(source, target)
    with pytest.raises(RetargetError, match="no pairs"):
        JointMap(()).require_joints(source, target)
    with pytest.raises(RetargetError, match=r"Hips -> Hips has weight -1"):
        JointMap((JointPair("Hips", "Hips", "pelvis", 1.0, "", -1.0),)).require_joints(source, target)


def test_the_table_tells_what_drives_what(bodies) -> None:
    text = shown(match(bodies.person("Xsens / 100STYLE").skeleton, bodies.person("Unity").skeleton))
    assert "Xsens / 100STYLE -> Unity" in text and "Chest2 50%, Chest3 50%" in text
    assert "LeftUpperLeg" in text and "left thigh" in text
    text = shown(match(bodies.person("LAFAN1").skeleton, bodies.person("Unity").skeleton).without("Head"))
    assert "target joints at rest: Head" in text and "source joints not used: " in text


def test_a_given_pair_takes_the_place_of_what_drove_the_joint(bodies) -> None:
    before = match(bodies.person("LAFAN1").skeleton, bodies.person("Unity").skeleton)
    after = before.with_pair("Spine", "Head")
    assert list(dict.fromkeys(pair.target for pair in after.pairs)) == list(dict.fromkeys(pair.target for pair in before.pairs))
    assert "Head" in after.unmapped_source and "Spine" not in after.unmapped_source and "Head" not in after.unmapped_target
    last = before.without("Hips").with_pair("Hips", "Hips")
    assert last.pairs[-1].target == "Hips" and "Hips" not in (*last.unmapped_source, *last.unmapped_target)


def test_names_with_brackets_are_shown_as_they_are() -> None:
    pair = JointPair("Head[/x]", "[bold]Head", "head", 1.0, "equal [/] names")
    text = shown(JointMap((pair,), ("Toe[/a]",), ("[red]Hat",), "CMU[/y]", "[dim]SMPL"))
    for name in ("Head[/x]", "[bold]Head", "equal [/] names", "Toe[/a]", "[red]Hat", "CMU[/y]", "[dim]SMPL"):
        assert name in text
