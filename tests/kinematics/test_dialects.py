from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from kinematics.anatomy import ROLES, find_anatomy
from kinematics.dialects import RECOGNISED, Dialect, dialects, recognise_dialect
from kinematics.skeleton import Skeleton

ABOVE = {"chest": "pelvis", "neck": "chest", "head": "chest", "clavicle": "chest", "upper_arm": "clavicle", "forearm": "upper_arm",
         "hand": "forearm", "thigh": "pelvis", "shin": "thigh", "foot": "shin", "toe": "foot"}  # fmt: skip


def tree(dialect: Dialect, *, prefix: str = "", suffix: str = "") -> tuple[list[str], list[int], dict[str, int]]:
    """Names and parents of a skeleton with the first name of every part, and each part's place."""
    names, parents, places = [], [], {}
    for role, spelled in dialect.joints.items():
        if role == "spine":
            continue
        side = role[: role.index("_") + 1] if role.startswith(("left_", "right_")) else ""
        above = "neck" if role == "head" and "neck" in places else ABOVE.get(role.removeprefix(side), "")
        parents.append(places.get(side + above, places.get(above, len(names) - 1 if not names else 0)))
        places[role] = len(names)
        names.append(prefix + spelled[0] + suffix)
    for mark in dialect.marks:
        if prefix + mark + suffix not in names:
            parents.append(0)
            names.append(prefix + mark + suffix)
    return names, parents, places


@pytest.mark.parametrize("dialect", dialects(), ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(("prefix", "suffix"), [("", ""), ("ns:", ""), ("rig_", ""), ("", "_jnt")])
def test_each_table_recognises_itself(dialect: Dialect, prefix: str, suffix: str) -> None:
    names, parents, places = tree(dialect, prefix=prefix + (dialect.prefix and f"{dialect.prefix}01_"), suffix=suffix)
    found = recognise_dialect(names, parents)
    assert found.name == dialect.name and found.confidence == 1.0
    assert found.joints == places


def test_tables_hold_known_parts_only() -> None:
    for dialect in dialects():
        assert set(dialect.joints) - {"spine"} <= set(ROLES)
        assert all("{}" not in name for names in dialect.joints.values() for name in names)
        for side in ("left_", "right_"):
            assert {side + part for part in ("thigh", "shin", "foot", "upper_arm", "forearm", "hand")} <= set(dialect.joints)
    assert len({dialect.name for dialect in dialects()}) == len(dialects()) == 22


def test_equal_names_in_another_tree_are_another_body() -> None:
    """Names count only where they hang below the part above them."""
    lafan = next(dialect for dialect in dialects() if dialect.name == "LAFAN1")
    names, parents, _ = tree(lafan)
    assert recognise_dialect(names).name == recognise_dialect(names, parents).name == "LAFAN1"
    flat = recognise_dialect(names, [-1] + [0] * (len(names) - 1))
    assert flat.name == "unknown" and flat.confidence == 0.0 < RECOGNISED and not flat.joints


def test_a_missing_joint_lowers_the_confidence() -> None:
    names, parents, places = tree(next(dialect for dialect in dialects() if dialect.name == "SOMA"))
    names[places["left_hand"]] = "Palm"
    found = recognise_dialect(names, parents)
    assert found.name == "SOMA" and RECOGNISED <= found.confidence < 1.0 and "left_hand" not in found.joints


def test_anatomy_follows_the_table() -> None:
    """SOMA's LeftLeg is the thigh, LAFAN1's the shin; a helper named alike does not count."""
    for name, thigh, shin in (("SOMA", "LeftLeg", "LeftShin"), ("LAFAN1", "LeftUpLeg", "LeftLeg")):
        names, parents, _ = tree(next(dialect for dialect in dialects() if dialect.name == name))
        skeleton = Skeleton(tuple(names), np.array(parents), np.ones((len(names), 3)))
        anatomy = find_anatomy(skeleton)
        assert anatomy.dialect == name and anatomy.dialect_confidence == 1.0 and anatomy.by_names
        assert names[anatomy.joints["left_thigh"]] == thigh and names[anatomy.joints["left_shin"]] == shin


def test_importing_reads_no_table() -> None:
    code = "import kinematics, sys; from kinematics.dialects import dialects; sys.exit(dialects.cache_info().currsize)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
