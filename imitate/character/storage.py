"""A character on disk: a folder of body.xml, which MuJoCo opens, and body.npz, which says how the clip's skeleton drives it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from imitate.character.character import Character
from imitate.character.config import CharacterConfig
from imitate.character.mjcf import SELF
from imitate.character.ready import read_model
from imitate.character.rig import Rig
from imitate.errors import ImitationError
from kinematics.errors import InputError, MissingFileError
from kinematics.io.atomic import write_bytes
from kinematics.skeleton import Skeleton

FORMAT_VERSION = 1
XML, NUMBERS, ROBOT = "body.xml", "body.npz", "robot.xml"
ARRAYS = ("lower", "upper", "stiffness", "damping", "torque_limits")
RIG = (
    "joints", "pivots", "parents", "alignments", "offsets", "rest_rotations", "hinge_bodies", "references", "bases",
    "sole_bodies", "sole_offsets",
)  # fmt: skip


def save_character(character: Character, folder: str | Path) -> None:
    """Write a character into a folder, which is made where missing: body.xml and body.npz, each whole or not at all.

    Raises:
        ImitationError: Where the folder cannot be made.
        InputError: Where a file cannot be written.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImitationError(f"cannot make the folder {str(target)!r}: {error.strerror or error}") from None
    skeleton, rig = character.skeleton, character.rig
    values: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "name": character.name,
        "height": character.height,
        "hinge_names": character.hinge_names,
        "body_names": character.body_names,
        "end_effectors": np.array(character.end_effectors, dtype=np.int64),
        "feet": np.array(character.feet, dtype=np.int64),
        **{key: getattr(character, key) for key in ARRAYS},
        "ready": rig is None,
        "friction": character.model.geom_friction[0, 0],
        "self_collision": bool((character.model.geom_contype & SELF).any()),
    }
    if rig is not None:
        values |= {
            "skeleton_joint_names": skeleton.joint_names,
            "skeleton_parents": skeleton.parents,
            "skeleton_offsets": skeleton.offsets,
            "skeleton_end_site_parents": skeleton.end_site_parents,
            "skeleton_end_site_offsets": skeleton.end_site_offsets,
            "skeleton_end_site_names": np.array(skeleton.end_site_names, dtype=np.str_),
            **{f"rig_{key}": getattr(rig, key) for key in RIG},
            "rig_orders": np.array(rig.orders, dtype=np.str_),
            "rig_actives": np.array(rig.actives, dtype=np.str_),
        }
    data = io.BytesIO()
    np.savez_compressed(data, **{key: np.asarray(value) for key, value in values.items()})  # type: ignore[arg-type]
    write_bytes(target / NUMBERS, data.getvalue())
    write_bytes(target / XML, character.xml.encode())


def load_character(path: str | Path, *, config: CharacterConfig | None = None) -> Character:
    """Read a character: a folder that `save_character` wrote, or a ready MJCF file (a robot, a humanoid from elsewhere).

    A ready model keeps its bodies; it gets a floor where it has none, a step of 1/120 s, and a position actuator for each
    hinge, with gains scaled by the inertia that the hinge carries where the model has motors. Clips are retargeted to it.

    Args:
        path: The folder or file; or the name of a robot of MuJoCo Menagerie.
        config: Friction, gains and self-collision of a ready model's file.

    Raises:
        MissingFileError: Where there is nothing at the path.
        ImitationError: Where the folder holds no character, or the model cannot be simulated as one.
    """
    place = Path(path)
    if not place.is_dir():
        return read_model(path, config)
    missing = [name for name in (XML, NUMBERS) if not (place / name).is_file()]
    if missing:
        raise MissingFileError(place / missing[0], [other.name for other in place.iterdir()])
    try:
        with np.load(place / NUMBERS, allow_pickle=False) as archive:
            values = {key: archive[key] for key in archive.files}
        xml = (place / XML).read_text(encoding="utf-8")
        return _assemble(place, xml, values, config)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile, zlib, NumPy's header parser and MuJoCo each raise their own
        said = " ".join(str(error).split())
        raise ImitationError(f"{str(place)!r} holds no character that can be read ({type(error).__name__}: {said})") from None


def _assemble(place: Path, xml: str, values: dict[str, np.ndarray], config: CharacterConfig | None) -> Character:
    version = int(values["format_version"])
    if version != FORMAT_VERSION:
        raise ImitationError(f"{str(place)!r} has format_version {version}; this version of muybridge reads {FORMAT_VERSION}")
    if values["ready"]:
        own = {name: values[name].item() for name in ("friction", "self_collision")}
        return read_model(place / XML, replace(config or CharacterConfig(), **own))
    skeleton = Skeleton(
        joint_names=tuple(values["skeleton_joint_names"].tolist()),
        parents=values["skeleton_parents"],
        offsets=values["skeleton_offsets"],
        end_site_parents=values["skeleton_end_site_parents"],
        end_site_offsets=values["skeleton_end_site_offsets"],
        end_site_names=tuple(values["skeleton_end_site_names"].tolist()),
    )
    rig = Rig(
        **{key: values[f"rig_{key}"] for key in RIG},
        orders=tuple(values["rig_orders"].tolist()),
        actives=tuple(values["rig_actives"].tolist()),
    )
    character = Character(
        name=str(values["name"]),
        xml=xml,
        skeleton=skeleton,
        hinge_names=tuple(values["hinge_names"].tolist()),
        body_names=tuple(values["body_names"].tolist()),
        end_effectors=tuple(values["end_effectors"].tolist()),
        feet=tuple(values["feet"].tolist()),
        height=float(values["height"]),
        rig=rig,
        **{key: values[key] for key in ARRAYS},  # type: ignore[arg-type]
    )
    model = character.model
    if (model.nu, model.nq) != (len(character.hinge_names), 7 + len(character.hinge_names)):
        raise ImitationError(
            f"{str(place / XML)!r} has {model.nu} actuators and {model.nq} numbers of position, and {NUMBERS} is of a body with "
            f"{len(character.hinge_names)} hinges; both must come from one save"
        )
    return character
