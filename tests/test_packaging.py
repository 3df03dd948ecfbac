"""What the distribution says of itself agrees with the tree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def bare(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


def test_every_dependency_is_locked() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^=]+", line) for line in locked)
    names = {bare(line) for line in locked}
    wanted = PROJECT["project"]["dependencies"] + sum(PROJECT["project"]["optional-dependencies"].values(), [])
    assert {bare(requirement) for requirement in wanted} - {"muybridge"} <= names
    assert "torch==2.13.0" in locked


def test_packages_are_exactly_ours() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["kinematics", "retarget", "imitate"]
    for folder in ("tests", "benchmarks", "examples", "docs", "data"):
        assert not list((ROOT / folder).rglob("__init__.py")), f"{folder} must not become a package"
    for package in packages:
        assert (ROOT / package / "py.typed").is_file()


def test_all_holds_every_extra() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    inside = re.fullmatch(r"muybridge\[(.*)\]", extras["all"][0])
    assert inside and set(inside.group(1).split(",")) == set(extras) - {"all"}


def test_wheel_holds_the_packages_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert "kinematics/py.typed" in archive.namelist()
        assert not [name for name in archive.namelist() if name.endswith((".nbc", ".nbi", ".pyc"))]
        assert "imitate/anchors/published.toml" in archive.namelist()
        for folder in ("page", "shaders"):  # what the viewer reads beside its modules
            files = [path for path in (ROOT / "kinematics" / "viewer" / folder).iterdir() if path.is_file()]
            assert files and {path.relative_to(ROOT).as_posix() for path in files} <= set(archive.namelist())
            for path in files:
                assert archive.read(path.relative_to(ROOT).as_posix()) == path.read_bytes()
    assert {top for top in tops if not top.endswith(".dist-info")} == {"kinematics", "retarget", "imitate"}
