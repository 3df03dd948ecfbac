"""Joint maps as TOML files that people edit."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from kinematics.errors import InputError, MissingFileError, UnknownNameError
from kinematics.io.atomic import write_bytes
from kinematics.skeleton import Skeleton
from retarget.errors import RetargetError
from retarget.joint_map import JointMap, JointPair

FORMAT_VERSION = 1
KEYS = ("target", "source", "weight", "role", "confidence", "reason")
TOP = ("format_version", "source_dialect", "target_dialect", "pairs", "target_at_rest", "source_not_used")
HEADER = f"""\
# Which joint of the source drives which joint of the target. Change a name, remove a line to leave that joint at rest, or add
# one: {{target = "Head", source = "Neck1"}} is enough. Several lines with one target are blended by their weights.
format_version = {FORMAT_VERSION}
"""


def save_map(joint_map: JointMap, path: str | Path) -> None:
    """Write a joint map to a TOML file, one pair a line, replacing it all or nothing.

    Args:
        joint_map: The map.
        path: The file, usually ending in .toml.

    Raises:
        InputError: Where the file cannot be written.
    """
    lines = [HEADER.rstrip()]
    lines += [f"source_dialect = {_text(joint_map.source_dialect)}", f"target_dialect = {_text(joint_map.target_dialect)}", ""]
    lines.append("pairs = [")
    for pair in joint_map.pairs:
        values = [f"target = {_text(pair.target)}", f"source = {_text(pair.source)}"]
        values += [f"weight = {float(pair.weight)!r}"] if pair.weight != 1.0 else []
        values += [f"role = {_text(pair.role)}", f"confidence = {float(pair.confidence)!r}", f"reason = {_text(pair.reason)}"]
        lines.append(f"  {{{', '.join(values)}}},")
    lines.append("]")
    for key, names in (("target_at_rest", joint_map.unmapped_target), ("source_not_used", joint_map.unmapped_source)):
        lines += ["", f"{key} = [", *(f"  {_text(name)}," for name in names), "]"]
    write_bytes(path, ("\n".join(lines) + "\n").encode())


def load_map(path: str | Path, *, source: Skeleton | None = None, target: Skeleton | None = None) -> JointMap:
    """Read a joint map from a TOML file.

    What is at rest and what is not used follows from the pairs; with the skeletons, for all their joints.

    Args:
        path: The file, as `save_map` writes it; role, confidence, reason and weight of a pair may be missing.
        source: The skeleton whose joints drive, to check the names.
        target: The skeleton whose joints are driven, to check the names.

    Raises:
        MissingFileError: Where there is no such file.
        RetargetError: Where it is no joint map; the message holds the line.
        UnknownNameError: On a joint that a skeleton does not have; the message holds the line and the nearest names.
    """
    text = _read(Path(path))
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise RetargetError(f"{path}{':' + found.group(1) if found else ''}: this is not TOML: {error}") from None
    for key in table:
        if key not in TOP:
            raise RetargetError(f"{path}:{_line(text, key)}: {UnknownNameError('entry', key, TOP)}")
    if table.get("format_version") != FORMAT_VERSION:
        raise RetargetError(
            f"{path}: format_version must be {FORMAT_VERSION}, got {table.get('format_version')}; is this a joint map?"
        )
    rows = table.get("pairs")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RetargetError(f'{path}: pairs must be a list such as [{{target = "Hips", source = "Pelvis"}}]')
    pairs = tuple(_pair(row, f"{path}:{line}") for row, line in zip(rows, _lines_of_pairs(text, rows), strict=True))
    for pair, line in zip(pairs, _lines_of_pairs(text, rows), strict=True):
        for skeleton, name in ((source, pair.source), (target, pair.target)):
            if skeleton is not None and name not in skeleton.joint_names:
                raise UnknownNameError(f"joint in {path}:{line}", name, skeleton.joint_names)
    driven, used = {pair.target for pair in pairs}, {pair.source for pair in pairs}
    idle = _names(table, "source_not_used", path) if source is None else source.joint_names
    at_rest = _names(table, "target_at_rest", path) if target is None else target.joint_names
    return JointMap(
        pairs,
        tuple(name for name in idle if name not in used),
        tuple(name for name in at_rest if name not in driven),
        str(table.get("source_dialect", "unknown")),
        str(table.get("target_dialect", "unknown")),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        known = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise MissingFileError(path, known) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from None


def _pair(row: dict[str, Any], place: str) -> JointPair:
    for key in row:
        if key not in KEYS:
            raise RetargetError(f"{place}: {UnknownNameError('entry of a pair', key, KEYS)}")
    for key in ("target", "source"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise RetargetError(f'{place}: a pair needs {key} = "a joint\'s name", got {row.get(key)!r}')
    numbers = {}
    for key, low, high in (("weight", 1e-12, 1e9), ("confidence", 0.0, 1.0)):
        value = row.get(key, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise RetargetError(
                f"{place}: {key} must be a number {'above 0' if key == 'weight' else 'from 0 to 1'}, got {value!r}"
            )
        numbers[key] = float(value)
    role, reason = str(row.get("role", "given")), str(row.get("reason", "given by the caller"))
    return JointPair(row["source"], row["target"], role, numbers["confidence"], reason, numbers["weight"])


def _names(table: dict[str, Any], key: str, path: str | Path) -> list[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RetargetError(f"{path}: {key} must be a list of joint names, got {names!r}")
    return names


def _lines_of_pairs(text: str, rows: list[dict[str, Any]]) -> list[int]:
    """Return the line of each pair: where its braces open, as long as each is on a line of its own."""
    opened = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\{", line)]
    return opened if len(opened) == len(rows) else [_line(text, "pairs")] * len(rows)


def _line(text: str, key: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith(key)), 1)


def _text(value: str) -> str:
    """Return a TOML string; JSON's escapes are TOML's, but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
