"""Naming conventions of skeletons, as data: which joint of which maker is which part of a body.

Joint names collide: LeftShoulder is the collar bone here and the upper arm there, left_foot a foot or a toe. So a dialect is
recognised as a whole, from its names and from what hangs below what; the tables are `dialect_tables/*.toml`, read at the
first use.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kinematics.joint_names import bare_name

TABLES = Path(__file__).with_name("dialect_tables")
RECOGNISED = 0.85  # least share of a table's joints that a skeleton must have, in the right order down the limbs
ABOVE = {
    "head": "neck", "upper_arm": "clavicle", "forearm": "upper_arm", "hand": "forearm",
    "shin": "thigh", "foot": "shin", "toe": "foot",
}  # fmt: skip
SIDED = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")


@dataclass(frozen=True)
class Dialect:
    """A naming convention.

    Attributes:
        name: Its name.
        joints: Joint names of each part as files spell them, the likeliest first; "left_" and "right_" before those of limbs;
            "spine" holds the joints between pelvis and chest.
        optional: Parts that files often leave out.
        marks: Further joints that tell it apart.
        prefix: Beginning of its joint names; where a skeleton has it, the marks are not needed. Empty without.
    """

    name: str
    joints: Mapping[str, tuple[str, ...]]
    optional: frozenset[str]
    marks: tuple[str, ...]
    prefix: str


@dataclass(frozen=True)
class Recognised:
    """What the names of a skeleton are.

    Attributes:
        name: Name of the dialect, or "unknown".
        confidence: Share of the dialect's joints that were found, each below the part above it, 0 to 1.
        joints: Joint index of each part found; empty where unknown.
    """

    name: str
    confidence: float
    joints: Mapping[str, int]


@lru_cache(maxsize=1)
def dialects() -> tuple[Dialect, ...]:
    """Return all naming conventions, by file name."""
    return tuple(_read(path) for path in sorted(TABLES.glob("*.toml")))


def recognise_dialect(joint_names: Sequence[str], parents: Sequence[int] | None = None) -> Recognised:
    """Recognise the naming convention of a skeleton.

    Namespaces ("mixamorig:"), and whatever all names begin or end with, are left out of the comparison, as are case, spaces
    and signs between words.

    Args:
        joint_names: Name of each joint.
        parents: Parent of each joint, -1 for the root; by default names alone decide.
    """
    return _recognise(tuple(joint_names), None if parents is None else tuple(parents))


@lru_cache(maxsize=256)
def _recognise(joint_names: tuple[str, ...], parents: tuple[int, ...] | None) -> Recognised:
    best, most = Recognised("unknown", 0.0, {}), 0.0
    order = sorted(range(len(joint_names)), key=lambda joint: joint_names[joint].startswith("_"))  # MakeHuman's helpers last
    for spelled in _spellings(joint_names):
        lookup: dict[str, int] = {}
        for joint in order:
            lookup.setdefault(spelled[joint], joint)
        for dialect in dialects():
            found, rank = _compare(dialect, lookup, joint_names, parents)
            if found.confidence >= RECOGNISED and rank > most + 1e-9:
                best, most = found, rank
    return best


def _compare(
    dialect: Dialect, lookup: Mapping[str, int], joint_names: Sequence[str], parents: Sequence[int] | None
) -> tuple[Recognised, float]:
    """Return what was found of a dialect, and how much speaks for it: names found less twice the names missing."""
    prefixed = bool(dialect.prefix) and any(dialect.prefix in name for name in joint_names)
    marks = [] if prefixed else [plain(mark) in lookup for mark in dialect.marks]
    if dialect.prefix and not prefixed and not (marks and all(marks)):
        return Recognised("unknown", 0.0, {}), 0.0
    joints: dict[str, int] = {}
    met, missing, more = sum(marks), len(marks) - sum(marks), 5.0 * prefixed
    for role, names in dialect.joints.items():
        part, joint = role.removeprefix("left_").removeprefix("right_"), None
        if part == "spine":
            more += sum(plain(name) in lookup for name in names)
            continue
        above = role.removesuffix(part) + ABOVE[part] if part in ABOVE and part != "head" else ABOVE.get(part)
        joint = next((lookup[plain(name)] for name in names if plain(name) in lookup), None)
        if joint is not None and parents is not None and above in joints and not _is_below(joint, joints[above], parents):
            joint = None
        if joint is not None:
            joints[role] = joint
        if part in dialect.optional:
            more += joint is not None
        else:
            met, missing = met + (joint is not None), missing + (joint is None)
    confidence = met / (met + missing)
    return Recognised(dialect.name, confidence, joints), met + more - 2.0 * missing


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Return a joint name as it is compared: lower case, without namespace and signs between words."""
    return re.sub(r"[\s_.\-|]", "", bare_name(name)).lower()


def _is_below(joint: int, above: int, parents: Sequence[int]) -> bool:
    while joint >= 0 and joint != above:
        joint = parents[joint]
    return joint >= 0


def _spellings(joint_names: Sequence[str]) -> list[list[str]]:
    """Names to compare: as they are, and without the words that (nearly) all of them begin or end with."""
    bare = [bare_name(name) for name in joint_names]
    inner = bare[1:] if len(bare) > 3 else bare  # a root is often named otherwise
    start, end = _common_start(inner), _common_start([name[::-1] for name in inner])[::-1]
    starts = ["", *(start[: place + 1] for place, sign in enumerate(start) if sign in " _.-|")]
    ends = ["", *(end[place:] for place, sign in enumerate(end) if sign in " _.-|")]
    return [[plain(name.removeprefix(first).removesuffix(last)) for name in bare] for first in starts for last in ends]


def _common_start(names: Sequence[str]) -> str:
    low, high = min(names), max(names)
    return low[: next((place for place, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))]


def _read(path: Path) -> Dialect:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    joints: dict[str, tuple[str, ...]] = {}
    for role, names in table["joints"].items():
        listed = [names] if isinstance(names, str) else names
        if role in SIDED:
            for which, side in enumerate(("left_", "right_")):
                joints[side + role] = tuple(name.replace("{}", pair[which]) for pair in table["sides"] for name in listed)
        else:
            joints[role] = tuple(listed)
    order = [role for role in joints if "_" not in role] + [s + p for s in ("left_", "right_") for p in SIDED if s + p in joints]
    return Dialect(
        table["name"],
        {role: joints[role] for role in order},
        frozenset(table.get("optional", ())),
        tuple(table.get("marks", ())),
        table.get("prefix", ""),
    )
