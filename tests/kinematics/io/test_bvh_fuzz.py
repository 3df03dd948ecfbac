"""Broken files of every kind: the answer is a motion or a clear error, and what loads comes back from a file unchanged.

FUZZ_ROUNDS=200000 pytest tests/kinematics/io/test_bvh_fuzz.py goes on for longer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import KinematicsError, Motion
from kinematics.io.bvh_read import read_bvh
from kinematics.io.bvh_write import to_bvh

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "900"))
SEED = int(os.environ.get("FUZZ_SEED", "1887"))
WORDS = [
    b"nan", b"inf", b"-", b"1e999", b"-1.#IND", b"1e-320", b"99999999999999999999", b",", b";", b"0,5", b"{", b"}", b"\n", b"\r", b"\t", b" ", b"\0", b"#",
    b"//", b"HIERARCHY", b"ROOT", b"JOINT", b"End Site", b"OFFSET", b"CHANNELS", b"CHANNELS 0", b"MOTION", b"Frames:", b"Frame Time:", b"Xposition",
    b"Zrotation", b"Yscale", b"3", b"-7", b"1e308", b"\xef\xbb\xbf", b"\xff\xfe", b"\x83\x7b", b"\xe9", b"\xe3\x83\x9c", b"_",
]  # fmt: skip


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in one to four places: bytes, words, lines cut, doubled, swapped, inserted."""
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(data) + 1))
        end = min(len(data), at + int(rng.choice([1, 1, 2, 8, 60, 500])))
        word = WORDS[int(rng.integers(len(WORDS)))]
        match int(rng.integers(8)):
            case 0:
                data = data[:at] + bytes(rng.integers(0, 256, end - at, dtype=np.uint8)) + data[end:]
            case 1:
                data = data[:at] + data[end:]
            case 2:
                data = data[:at] + data[at:end] * int(rng.integers(2, 5)) + data[end:]
            case 3 | 4:
                data = data[:at] + word + data[at if rng.random() < 0.5 else end :]
            case 5:
                words = data.split(b" ")
                words[int(rng.integers(len(words)))] = word
                data = b" ".join(words)
            case 6:
                lines = data.split(b"\n")
                a, b = rng.integers(len(lines), size=2)
                lines[a], lines[b] = lines[b], lines[a]
                data = b"\n".join(lines)
            case _:
                data = data[:at] if rng.random() < 0.3 else data[:at] + data[end:] + data[at:end]
    return data


def check(data: bytes) -> list[Motion]:
    """Read, and where that works write and read again: nothing changes."""
    try:
        motions = read_bvh(data)
    except KinematicsError as error:
        assert str(error)
        return []
    for motion in motions:
        values = motion.source.channel_values
        assert values is not None and np.isfinite(values).all() and len(values) == motion.num_frames
        try:
            text = b"".join(to_bvh(motion))
        except KinematicsError:  # a name that cannot be written
            continue
        again = read_bvh(text)[0]
        assert again.skeleton.joint_names == motion.skeleton.joint_names and again.frame_time == motion.frame_time
        assert again.source.channel_values is not None and again.source.channel_values.tobytes() == values.tobytes()
        assert again.local_rotations.tobytes() == motion.local_rotations.tobytes()
        assert again.root_positions.tobytes() == motion.root_positions.tobytes()
    return motions


def seeds(plain: Any) -> list[bytes]:
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    everywhere = plain.hierarchy.replace("CHANNELS 3 Zrotation Xrotation Yrotation", six).replace("OFFSET 0 0 0", "OFFSET 0 10 0")
    zeros = "\n".join(["0 0.01 0 " + "0.0 " * 15] * 3)
    second = plain.hierarchy.replace("HIERARCHY\n", "")
    return [
        plain.text().encode(),
        plain.text().replace("\n", "\r\n").encode("utf-8-sig"),
        plain.text().replace("Spine", "背骨").encode("shift_jis"),
        plain.text().encode("utf-16"),
        plain.text(everywhere, zeros).encode(),
        plain.text(plain.hierarchy + second, [row * 2 for row in plain.rows]).encode(),
        plain.text(rows="\n".join(", ".join(f"{value:.2f}".replace(".", ",") for value in row) for row in plain.rows)).encode(),
    ]


def test_broken_files_are_read_or_refused(plain: Any) -> None:
    rng = np.random.default_rng(SEED)
    files, read = seeds(plain), 0
    for _ in range(ROUNDS):
        read += bool(check(mutated(files[int(rng.integers(len(files)))], rng)))
    assert 0.1 * ROUNDS < read < 0.95 * ROUNDS  # both answers happen


def test_broken_real_files_are_read_or_refused(shared_data: Path) -> None:
    rng = np.random.default_rng(SEED)
    files = [path.read_bytes() for path in sorted(shared_data.rglob("*.bvh")) if path.stat().st_size < 60_000]
    for _ in range(ROUNDS // 6):
        check(mutated(files[int(rng.integers(len(files)))], rng))


def test_numbers_near_the_largest_double_do_not_overflow(plain: Any) -> None:
    """Found by mutation: the sum of a row was infinite."""
    for big in ("1e308", "-1.7e308"):
        check(plain.text().replace("0.500000", big).replace("1.000000", big).encode())
        check(
            plain.text(
                plain.hierarchy.replace("OFFSET 0 0 0", f"OFFSET {big} {big} 0"), rows=f"0.1 0.1 0 {'0 ' * 9}\n" * 3
            ).encode()
        )
    with pytest.raises(KinematicsError, match="finite"):
        read_bvh(
            plain.text(plain.hierarchy.replace("OFFSET 0 0 0", "OFFSET 1e308 0 0"), rows=f"1e308 {'0 ' * 11}\n" * 3).encode(),
            position_channels="add",
        )


@pytest.mark.parametrize(
    "piece",
    [
        b"{",
        b"}",
        b"JOINT a {",
        b"ROOT a {",
        b"End Site {",
        b"0 ",
        b"nan ",
        b"x\n",
        b"1,",
        b"# \n",
        b"\0",
        b"\xff",
        b"OFFSET ",
        b"-",
        b"9",
    ],
)
@pytest.mark.parametrize("where", ["alone", "hierarchy", "motion"])
def test_one_piece_repeated_is_answered(piece: bytes, where: str, plain: Any) -> None:
    text = plain.text().encode()
    before = {"alone": b"", "hierarchy": text[: text.index(b"JOINT")], "motion": text[: text.index(b"Frame Time")]}[where]
    check(before + piece * 4_000)
