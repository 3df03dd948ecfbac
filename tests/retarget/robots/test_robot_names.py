"""From a name to a model file."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from kinematics.errors import InputError, MissingExtraError, MissingFileError, UnknownNameError
from retarget.errors import RetargetError
from retarget.robots import find_model, is_robot


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("unitree_g1/g1", "unitree_g1/g1_with_hands", "unitree_g1/scene", "agile_thing/robot", "agile_thing/scene"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.xml").write_text("<mujoco/>")
    monkeypatch.setenv("MENAGERIE_ROOT", str(tmp_path))
    return tmp_path


def test_names_are_folders_of_menagerie(root: Path) -> None:
    assert find_model("unitree_g1") == root / "unitree_g1" / "g1.xml"
    assert find_model("unitree_g1/g1_with_hands") == root / "unitree_g1" / "g1_with_hands.xml"
    assert find_model("agile_thing") == root / "agile_thing" / "robot.xml"
    assert find_model(root / "unitree_g1") == root / "unitree_g1" / "g1.xml"
    assert find_model(root / "agile_thing" / "scene.xml") == root / "agile_thing" / "scene.xml"


def test_unknown_names_get_the_nearest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="no robot in MENAGERIE_ROOT=.* named 'unitre_g1'; did you mean 'unitree_g1'"):
        find_model("unitre_g1")
    with pytest.raises(UnknownNameError, match="named 'g1_hands'; did you mean 'g1_with_hands'"):
        find_model("unitree_g1/g1_hands")
    with pytest.raises(MissingFileError, match=r"there is no file .*g2\.xml"):
        find_model(root / "unitree_g1" / "g2.xml")
    (root / "agile_thing" / "more.xml").write_text("<mujoco/>")
    with pytest.raises(InputError, match=r"holds 2 models \(more, robot\)"):
        find_model("agile_thing")
    monkeypatch.setenv("MENAGERIE_ROOT", str(root / "nowhere"))
    with pytest.raises(InputError, match="which is no folder"):
        find_model("unitree_g1")


def test_without_a_folder_the_package_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class MenagerieError(Exception):
        pass

    def xml(entry: str) -> Path:
        if entry == "broken":
            raise MenagerieError("no network")
        return tmp_path / f"{entry}.xml"

    package = ModuleType("mujoco_menagerie")
    robot = SimpleNamespace(entry_names=("g1", "scene", "broken"), default_model="g1", xml=xml)
    vars(package).update(names=lambda: ["unitree_g1", "unitree_h1"], get=lambda _: robot, MenagerieError=MenagerieError)
    monkeypatch.delenv("MENAGERIE_ROOT", raising=False)
    monkeypatch.setitem(sys.modules, "mujoco_menagerie", package)
    assert find_model("unitree_g1") == tmp_path / "g1.xml"
    assert find_model("unitree_g1/scene") == tmp_path / "scene.xml"
    with pytest.raises(UnknownNameError, match="no robot in MuJoCo Menagerie named 'unitree_g2'; did you mean"):
        find_model("unitree_g2")
    with pytest.raises(UnknownNameError, match="no model of 'unitree_g1' named 'g7'"):
        find_model("unitree_g1/g7")
    with pytest.raises(RetargetError, match=r"'unitree_g1' cannot be downloaded: no network; .*MENAGERIE_ROOT"):
        find_model("unitree_g1/broken")
    monkeypatch.setitem(sys.modules, "mujoco_menagerie", None)
    with pytest.raises(MissingExtraError, match="pip install mujoco-menagerie"):
        find_model("unitree_g1")


def test_what_is_a_robot(tmp_path: Path) -> None:
    assert is_robot("unitree_g1") and is_robot("a/b.xml") and is_robot(Path("x.mjcf"))
    assert not is_robot("clip.bvh") and not is_robot("clip.npz")
