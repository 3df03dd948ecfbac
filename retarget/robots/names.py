"""From a name or a path to the MJCF file of a robot."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import ModuleType

from kinematics.errors import InputError, MissingExtraError, MissingFileError, UnknownNameError
from retarget.errors import RetargetError

EXTENSIONS = (".xml", ".mjcf", ".urdf")  # of URDF `load_robot` says how it becomes MJCF
ROOT_VARIABLE = "MENAGERIE_ROOT"


def is_robot(name: str | Path) -> bool:
    """Tell whether a target names a robot (a model file, or a name without an extension) and no motion file."""
    return Path(name).suffix.lower() in EXTENSIONS or (not Path(name).suffix and not Path(name).is_file())


def find_model(name: str | Path) -> Path:
    """Return the MJCF file of a robot.

    Args:
        name: A path to an MJCF file; or a robot of MuJoCo Menagerie, such as "unitree_g1" or, for another of its
            models, "unitree_g1/g1_with_hands". The folder MENAGERIE_ROOT holds Menagerie's folders; without it the package
            mujoco-menagerie downloads a robot when it is first used.

    Raises:
        MissingFileError: Where there is no such file.
        UnknownNameError: Where Menagerie has no such robot or model; with the nearest names.
        MissingExtraError: Where the package mujoco-menagerie is needed and not installed.
        RetargetError: Where the robot cannot be downloaded.
    """
    path = Path(name)
    if path.suffix.lower() in EXTENSIONS or path.is_file():
        if not path.is_file():
            folder = path.parent
            raise MissingFileError(path, [other.name for other in folder.iterdir()] if folder.is_dir() else [])
        return path
    if path.is_dir():
        return _model_in(path, "")
    robot, _, model = str(name).replace("\\", "/").strip("/").partition("/")
    root = os.environ.get(ROOT_VARIABLE)
    if root:
        return _in_root(Path(root), robot, model)
    return _downloaded(_menagerie(name), robot, model)


def _in_root(root: Path, robot: str, model: str) -> Path:
    if not root.is_dir():
        raise InputError(f"{ROOT_VARIABLE} is {str(root)!r}, which is no folder; point it to a copy of MuJoCo Menagerie")
    known = sorted(folder.name for folder in root.iterdir() if folder.is_dir() and any(folder.glob("*.xml")))
    if robot not in known:
        raise UnknownNameError(f"robot in {ROOT_VARIABLE}={root}", robot, known)
    return _model_in(root / robot, model)


def _model_in(folder: Path, model: str) -> Path:
    """Return the model of a robot's folder: unitree_g1/g1.xml, without the vendor's name; else the only one that is no scene."""
    models = {path.stem: path for path in sorted(folder.glob("*.xml"))}
    if model:
        if model not in models:
            raise UnknownNameError(f"model in {str(folder)!r}", model, models)
        return models[model]
    words = folder.name.split("_")
    for start in range(len(words)):
        if "_".join(words[start:]) in models:
            return models["_".join(words[start:])]
    plain = [path for stem, path in models.items() if "scene" not in stem]
    if len(plain) == 1:
        return plain[0]
    raise InputError(
        f"{str(folder)!r} holds {len(plain)} models ({', '.join(path.stem for path in plain) or 'no .xml file'}); "
        "name the file that is meant"
    )


def _menagerie(name: str | Path) -> ModuleType:
    try:
        return importlib.import_module("mujoco_menagerie")
    except ModuleNotFoundError as error:
        if error.name != "mujoco_menagerie":
            raise
        raise MissingExtraError(
            f"{str(name)!r} is no file, and robots of MuJoCo Menagerie need its package: pip install mujoco-menagerie downloads "
            f"them when used, or {ROOT_VARIABLE} points to a copy of it; else give the path of an MJCF file (.xml)"
        ) from None


def _downloaded(menagerie: ModuleType, robot: str, model: str) -> Path:
    known = menagerie.names()
    if robot not in known:
        raise UnknownNameError("robot in MuJoCo Menagerie", robot, known)
    entry = menagerie.get(robot)
    if model and model not in entry.entry_names:
        raise UnknownNameError(f"model of {robot!r}", model, entry.entry_names)
    try:
        return Path(entry.xml(model or entry.default_model))
    except (menagerie.MenagerieError, OSError) as error:
        raise RetargetError(
            f"MuJoCo Menagerie's {robot!r} cannot be downloaded: {error}; where there is no network, "
            f"set {ROOT_VARIABLE} to a copy of Menagerie"
        ) from None
