"""Exported files by their content: the page holds all it needs and nothing that runs by accident; the GLB is the clip."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import InputError, Motion, Skeleton
from kinematics.io import load_motion
from kinematics.testing import human_skeleton, random_motion, random_skeleton
from kinematics.viewer.actor import make_actor
from kinematics.viewer.export import PAGE, export, make_figure


def glb_json(data: bytes) -> Any:
    length = int.from_bytes(data[12:16], "little")
    return json.loads(data[20 : 20 + length])


def script(page: str, name: str) -> str:
    found = re.search(rf'<script type="[^"]*" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1]


def test_a_page_holds_the_clip_and_asks_for_nothing(clips: Path, tmp_path: Path) -> None:
    motion = load_motion(clips / "walk_lafan1.bvh")
    export(motion, tmp_path / "walk.html")
    page = (tmp_path / "walk.html").read_text(encoding="utf-8")
    meta = json.loads(script(page, "meta"))
    assert meta["clips"][0]["title"] == "walk_lafan1"
    assert meta["clips"][0]["frames"] == motion.num_frames
    assert meta["step"] == 1.0 and meta["unit"] == "m"
    assert len(meta["clips"][0]["stances"]) > 4
    export(motion, tmp_path / "walk.glb")
    assert base64.b64decode(script(page, "glb")) == (tmp_path / "walk.glb").read_bytes()
    assert "<title>walk_lafan1</title>" in page and 'name="generator" content="muybridge"' in page
    outside = re.findall(r"https?://[^\s\"'`)]*", page)
    assert set(outside) <= {"http://www.w3.org/1999/xhtml"}  # a name of XML, in three.js; never fetched
    assert not re.search(r"<(link|script|img)[^>]{0,200}(src|href)=\"(?!data:)", page)
    assert "@import" not in page and "{{" not in page.replace(script(page, "glb"), "").split("<script>")[0]
    assert {path.name for path in tmp_path.iterdir()} == {"walk.html", "walk.glb"}


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "</script><b>", "{{glb}} & \\1", "a\u2028b'\"", "bad\udcff", "歩く"]
)
def test_titles_are_only_text(title: str, tmp_path: Path) -> None:
    export(random_motion(human_skeleton(), 0, num_frames=2), tmp_path / "x.html", titles=[title])
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert page.count("<script") == 4
    assert "<b>" not in page.replace('<aside id="joint" hidden><b>', "")
    assert json.loads(script(page, "meta"))["clips"][0]["title"] == title.replace("\udcff", "?")


def test_joint_names_are_only_text(tmp_path: Path) -> None:
    skeleton = Skeleton(("</script><script>alert(1)</script>", "日本"), np.array([-1, 0]), np.ones((2, 3)))
    export(random_motion(skeleton, 0, num_frames=2), tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "alert(1)" not in page
    assert glb_json(base64.b64decode(script(page, "glb")))["nodes"][1]["name"] == skeleton.joint_names[0]


def test_several_stand_side_by_side_or_in_their_places(clips: Path, tmp_path: Path) -> None:
    motions = [load_motion(clips / f"wave_{kind}.bvh")[:5] for kind in ("cmu", "lafan1")]
    export(motions, tmp_path / "beside.glb")
    export(motions, tmp_path / "over.glb", side_by_side=False)
    names = {"wave_cmu", "wave_lafan1"}
    beside, over = (
        {node["name"]: node.get("translation", [0.0] * 3) for node in glb_json((tmp_path / name).read_bytes())["nodes"]}
        for name in ("beside.glb", "over.glb")
    )
    assert names <= set(beside)
    assert beside["wave_lafan1"][0] > over["wave_lafan1"][0] + 0.5
    np.testing.assert_allclose([over[name] for name in names], 0.0, rtol=0, atol=0.1)
    export(motions, tmp_path / "over.html", side_by_side=False, titles=["one", "two"])
    meta = json.loads(script((tmp_path / "over.html").read_text(encoding="utf-8"), "meta"))
    assert meta["overlaid"] and [clip["title"] for clip in meta["clips"]] == ["one", "two"]
    nodes = glb_json((tmp_path / "over.glb").read_bytes())["nodes"]
    assert [nodes[clip["node"]]["name"] for clip in meta["clips"]] == ["wave_cmu", "wave_lafan1"]


def test_humans_are_bound_standing(clips: Path) -> None:
    """LAFAN1's zero pose lies along one axis; nobody can edit such a mesh."""
    for name in ("walk_lafan1", "walk_cmu"):
        figure = make_figure(make_actor(load_motion(clips / f"{name}.bvh")))
        assert (figure.bind_rotations is None) == (name == "walk_cmu")
    figure = make_figure(make_actor(random_motion(random_skeleton(0), 0)))
    assert figure.bind_rotations is None and figure.surfaces


def edge_case(name: str) -> Motion:
    if name == "no frames":
        return random_motion(human_skeleton(), 0)[:0]
    if name == "one frame":
        return random_motion(human_skeleton(), 0)[:1]
    if name == "one joint":
        return random_motion(Skeleton(("dot",), np.array([-1]), np.zeros((1, 3))), 0, num_frames=3)
    if name == "200 joints":
        return random_motion(random_skeleton(0, num_joints=200), 0, num_frames=3)
    if name == "stretching":
        return random_motion(human_skeleton(), 0, num_frames=4, stretch=True)
    return random_motion(human_skeleton(float(name)), 0, num_frames=3, smooth=True)


@pytest.mark.parametrize("name", ["no frames", "one frame", "one joint", "200 joints", "stretching", "0.01", "100"])
def test_edge_cases_are_written(name: str, tmp_path: Path) -> None:
    motion = edge_case(name)
    export([motion, motion], tmp_path / "x.html")
    meta = json.loads(script((tmp_path / "x.html").read_text(encoding="utf-8"), "meta"))
    numbers = [
        meta["step"],
        meta["height"],
        meta["azimuth"],
        *np.ravel(meta["clips"][1]["focus"]),
        *np.ravel(meta["clips"][0]["trail"]),
    ]
    assert np.isfinite(numbers).all()
    assert 0.2 < meta["step"] / meta["height"] < 1.3
    assert meta["clips"][0]["frames"] == max(motion.num_frames, 1)


def test_a_pose_is_a_page_too(tmp_path: Path) -> None:
    export(random_motion(human_skeleton(), 0)[3], tmp_path / "pose.html")
    assert (tmp_path / "pose.html").exists()


def test_stances_are_those_of_the_feet(person: Any, tmp_path: Path) -> None:
    export(person(swing=0.0), tmp_path / "stands.html")
    meta = json.loads(script((tmp_path / "stands.html").read_text(encoding="utf-8"), "meta"))
    stances = np.array(meta["clips"][0]["stances"])
    np.testing.assert_allclose(stances[:, :2], [[0.0, 1.0]] * len(stances), rtol=0, atol=1e-9)
    assert {float(np.sign(x)) for x in stances[:, 2]} == {-1.0, 1.0}


def test_bad_input(tmp_path: Path) -> None:
    motion = random_motion(human_skeleton(), 0, num_frames=2)
    with pytest.raises(InputError, match=r"\.html or \.glb"):
        export(motion, tmp_path / "x.fbx")
    with pytest.raises(InputError, match="at least one motion"):
        export([], tmp_path / "x.html")
    with pytest.raises(InputError, match="titles must be 1"):
        export(motion, tmp_path / "x.html", titles=["a", "b"])
    with pytest.raises(InputError, match="no folder"):
        export(motion, tmp_path / "nowhere" / "x.html")
    assert list(tmp_path.iterdir()) == []


def test_the_vendored_library_carries_its_licence() -> None:
    assert "MIT License" in (PAGE / "three.LICENSE").read_text(encoding="utf-8")
    version = re.search(r"three\.js (\S+), MIT", (PAGE / "three.min.js").read_text(encoding="utf-8")[:200])
    assert version is not None and f"three@{version[1]}" in (PAGE / "three.entry.js").read_text(encoding="utf-8")
