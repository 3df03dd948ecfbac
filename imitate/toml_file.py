"""Settings as TOML files: frozen dataclasses written down, and read back with every value checked."""

from __future__ import annotations

import json
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from imitate.errors import ImitationError
from kinematics.errors import InputError, MissingFileError, UnknownNameError

T = TypeVar("T")


def to_table(settings: Any) -> dict[str, Any]:
    """Return a dataclass as nested dictionaries; fields that are None are left out."""
    values = {each.name: getattr(settings, each.name) for each in fields(settings)}
    return {name: to_table(value) if is_dataclass(value) else value for name, value in values.items() if value is not None}


def dumps(table: Mapping[str, Any], prefix: str = "") -> str:
    """Return nested mappings of bools, numbers, strings and lists of them as TOML."""
    plain = [f"{_key(name)} = {_value(value)}" for name, value in table.items() if not isinstance(value, Mapping)]
    parts = ["\n".join(plain) + "\n"] if plain else []
    for name, value in table.items():
        if isinstance(value, Mapping):
            path = f"{prefix}{_key(name)}"
            parts.append(f"[{path}]\n{dumps(value, f'{path}.')}")
    return "\n".join(parts)


def read(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        MissingFileError: Where there is none.
        ImitationError: Where it is not TOML.
    """
    path = Path(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise MissingFileError(path, known) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ImitationError(f"{path}: this is not TOML: {error}") from None


def from_table(kind: type[T], table: Mapping[str, Any], place: str) -> T:
    """Make a dataclass of nested dictionaries; what is missing has its default.

    Args:
        kind: The dataclass.
        table: Its values.
        place: Where they come from, for the messages.

    Raises:
        ImitationError: On an unknown name or a value of another kind.
    """
    hints, values = typing.get_type_hints(kind), {}
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    for name, value in table.items():
        if name not in known:
            raise ImitationError(f"{place}: {UnknownNameError('setting', name, known)}")
        values[name] = _converted(hints[name], value, f"{place}: {name}")
    return kind(**values)


def _converted(hint: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return from_table(typing.cast("type[Any]", hint), value, place)
    if origin in (typing.Union, types.UnionType):
        inner = [each for each in arguments if each is not type(None)]
        return _converted(inner[0], value, place)
    if origin is tuple and isinstance(value, list):
        each = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(each) == len(value):
            return tuple(_converted(kind, item, place) for kind, item in zip(each, value, strict=True))
    if origin is typing.Literal and value in arguments:
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (bool, int, str) and type(value) is hint:
        return value
    raise ImitationError(f"{place} must be of the kind {getattr(hint, '__name__', hint)}, got {value!r}")


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"TOML has no place for {value!r}")
