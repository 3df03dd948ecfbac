"""Numbers from text: bit for bit what float() says."""

from __future__ import annotations

import struct

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kinematics import kernels


def parse(text: str, *, room: int = 0) -> tuple[list[str], np.ndarray, np.ndarray, list[tuple[int, str]]]:
    """Return the words left to the caller, the numbers, the row ends and the strange words; `room` makes arrays tiny."""
    kernel = kernels.bvh_numbers
    data = (text + "\n").encode()
    size = room or len(data)
    values, rows = np.empty(size), np.empty((size, 2), dtype=np.int32)
    hard, strange = np.empty((size, 3), dtype=np.int64), np.empty((len(data), 3), dtype=np.int64)
    state, left = np.zeros(7, dtype=np.int64), []
    while state[kernel.POSITION] < len(data):
        kernel.parse(np.frombuffer(data, dtype=np.uint8), state, values, rows, hard, strange)
        for index, start, end in hard[: state[kernel.HARD]].tolist():
            left.append(data[start:end].decode())
            values[index] = float(data[start:end])
        state[kernel.HARD] = 0
        values = np.concatenate([values, np.empty(size)])
        rows = np.concatenate([rows, np.empty((size, 2), dtype=np.int32)])
    words = [(index, data[start:end].decode()) for index, start, end in strange[: state[kernel.STRANGE]].tolist()]
    return left, values[: state[kernel.NUMBERS]], rows[: state[kernel.ROWS], 1], words


def assert_as_float(words: list[str], *, most_left: int | None = None) -> None:
    left, values, _, strange = parse(" ".join(words))
    assert not strange
    np.testing.assert_array_equal(values.view(np.int64), np.array([float(word) for word in words]).view(np.int64))
    if most_left is not None:
        assert len(left) <= most_left, left


decimals = st.builds(
    lambda sign, digits, fraction, exponent: f"{sign}{digits}{fraction}{exponent}",
    st.sampled_from(["", "-", "+"]),
    st.text("0123456789", min_size=1, max_size=24),
    st.one_of(st.just(""), st.just("."), st.text("0123456789", max_size=24).map(lambda digits: "." + digits)),
    st.one_of(
        st.just(""), st.integers(-400, 400).map(lambda power: f"e{power}"), st.integers(0, 30).map(lambda power: f"E+{power:02}")
    ),
)


@settings(deadline=None)  # the first call compiles
@given(st.lists(decimals, min_size=1, max_size=50))
@example(
    ["9007199254740993", "9007199254740993e0", "1e22", "1e23", "-0", "-0.0", "4.9e-324", "2.2250738585072014e-308", "1e-400"]
)
@example(["179769313486231570e291", "8.98846567431158e307", "1.7976931348623157e308", "1e400", "-1e400", "0e999", "5e-1"])
@example([".5", "-.5", "+.5", "5.", "-5.", "00012", "000.000", "1" * 19, "1" * 20, "0." + "0" * 30 + "1"])
def test_any_decimal_is_read_as_float_reads_it(words: list[str]) -> None:
    assert_as_float(words)


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=100))
def test_any_double_comes_back_from_its_shortest_text(numbers: list[float]) -> None:
    assert_as_float([repr(number) for number in numbers])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1 << 52, (1 << 53) - 1), st.integers(-5, 3)), min_size=1, max_size=50))
def test_halfway_between_two_doubles_is_rounded_to_even(pairs: list[tuple[int, int]]) -> None:
    assert_as_float([f"{(2 * mantissa + 1) * 10 ** max(-power, 0)}e{power}" for mantissa, power in pairs])


def test_a_million_numbers_of_all_kinds_need_hardly_any_second_look() -> None:
    rng = np.random.default_rng(5)
    angles = rng.uniform(-180, 180, 100_000)
    assert_as_float([f"{angle:.6f}" for angle in angles], most_left=0)
    assert_as_float([f"{angle:.6e}" for angle in angles], most_left=0)
    assert_as_float([repr(angle) for angle in angles.tolist()], most_left=100)  # more than 19 digits with leading zeros
    raw = [struct.unpack("<d", word.tobytes())[0] for word in rng.integers(0, 1 << 63, 100_000)]
    assert_as_float([repr(number) for number in raw if number < 1e308], most_left=300)  # denormal ones


@pytest.mark.parametrize(
    "word",
    ["nan", "-nan", "NaN", "inf", "-1.#IND", "1.#QNAN", "1_0", "1.2.3", "0x10", "1e", "1e+", "--1", "+", "-", ".", "1d5", "٣"],
)
def test_words_that_are_no_number_are_nan_and_named(word: str) -> None:
    _, values, _, strange = parse(f"1 {word} 2")
    assert values[0] == 1 and np.isnan(values[1]) and values[2] == 2
    assert strange == [(1, word)]


def test_lines_of_text_and_comments_are_skipped() -> None:
    _, values, ends, strange = parse("1 2 # two\n# nothing\nFrame Rate: 30\n3 4 // four\n{\n5 6")
    np.testing.assert_array_equal(values, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(ends, [2, 4, 6])
    assert [word for _, word in strange] == ["# two", "# nothing", "Frame Rate: 30", "// four", "{"]
    assert [-1 - index for index, _ in strange] == [2, 2, 2, 4, 4]


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n", "\n\n", " \r\n\t"])
def test_row_ends_count_numbers_line_by_line(line_end: str) -> None:
    _, _, ends, _ = parse(line_end.join(["1 2 3", "4", "", "\t5 6 "]))
    np.testing.assert_array_equal(ends, [3, 4, 6])


def test_small_arrays_only_mean_more_calls() -> None:
    text = "\n".join("1.5 -2 x 3e5 123456789012345678901 " + "7 " * n for n in range(9))
    whole, pieces = parse(text), parse(text, room=1)
    np.testing.assert_array_equal(whole[1], pieces[1])
    np.testing.assert_array_equal(whole[2], pieces[2])
    assert whole[0] == pieces[0] and whole[3] == pieces[3]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_rows_of_json(frames: int, channels: int, data: st.DataObject) -> None:
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    values = np.array(data.draw(st.lists(numbers, min_size=frames * channels, max_size=frames * channels))).reshape(
        frames, channels
    )
    text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    rows = kernels.bvh_numbers.rows_of_json(np.frombuffer(text, dtype=np.uint8)).tobytes().decode()
    assert rows.endswith("\n") and rows.count("\n") == frames
    read = np.array([[float(word) for word in line.split(" ")] for line in rows.splitlines()])
    np.testing.assert_array_equal(read.view(np.int64), values.view(np.int64))
