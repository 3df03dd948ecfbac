"""Which package may import what, found by walking the imports of every module (conventions 14)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALWAYS = {"numpy", "jaxtyping", "scipy", "numba", "orjson"}
VIEWER = {"PIL", "rich", "viser", "pyrender", "OpenGL", "trimesh", "imageio_ffmpeg", "IPython"}
ALLOWED = {
    "kinematics": ALWAYS | {"kinematics"},
    "kinematics.viewer": ALWAYS | {"kinematics"} | VIEWER,
    "kinematics.__main__": {"kinematics"},
    "retarget": ALWAYS | {"kinematics", "retarget", "rich"},
    "retarget.robots": ALWAYS | {"kinematics", "retarget", "rich", "mujoco"},
    "retarget.cluster": ALWAYS | {"kinematics", "retarget", "rich", "ray"},
    "retarget.__main__": {"retarget"},
    "imitate": ALWAYS | {"kinematics", "retarget", "imitate", "rich", "torch", "mujoco"},
    "imitate.envs.gym_env": ALWAYS | {"imitate", "gymnasium"},
    "imitate.envs.rsl_rl_env": ALWAYS | {"imitate", "torch", "rsl_rl", "tensordict"},
    "imitate.training": ALWAYS | {"kinematics", "retarget", "imitate", "rich", "torch", "mujoco", "tensorboard"},
    "imitate.export_onnx": ALWAYS | {"kinematics", "imitate", "torch", "onnx", "onnxruntime"},
    "imitate.__main__": {"imitate"},
}
COMMANDS = {"tyro", "rich"}  # what cli.py and cli_*.py may import beside
MODULES = sorted(path for package in ("kinematics", "retarget", "imitate") for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the boundary"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_stay_inside_their_boundary(path: Path) -> None:
    name = module_name(path)
    rule = max((key for key in ALLOWED if name == key or name.startswith(key + ".")), key=len)
    allowed = ALLOWED[rule] | (COMMANDS if name.split(".")[-1].startswith("cli") else set())
    outside = {module.split(".")[0] for module in imported(path)} - allowed - set(sys.stdlib_module_names)
    assert not outside, f"{name} must not import {sorted(outside)}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_named_modules_reach_the_viewer(path: Path) -> None:
    """The viewer is imported by name, by command lines and where a batch or a policy is drawn."""
    name = module_name(path)
    drawing = name in ("retarget.batch_pictures", "imitate.play")
    if not name.startswith("kinematics.viewer") and not name.split(".")[-1].startswith("cli") and not drawing:
        assert not any(module.startswith("kinematics.viewer") for module in imported(path))


def test_importing_kinematics_or_imitate_is_light() -> None:
    """No compiler, no SciPy, no torch, no picture library at import; and nothing is compiled."""
    heavy = ("numba", "scipy", "torch", "PIL", "OpenGL", "pyrender", "viser", "trimesh", "mujoco", "tyro", "rich", "orjson")
    code = f"import sys, kinematics, imitate; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


def test_packages_export_few_names() -> None:
    for package in ("kinematics", "retarget", "imitate"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
        lazy = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
        body = [node for node in tree.body if node not in lazy] + [node for block in lazy for node in block.body]
        names = [alias.asname for node in body if isinstance(node, ast.ImportFrom) for alias in node.names]
        assert 0 < len(names) <= 20
        others = [node for node in body if not isinstance(node, ast.ImportFrom)]
        assert len(others) == 1 and isinstance(others[0], ast.Expr)  # the docstring: an __init__ only re-exports
