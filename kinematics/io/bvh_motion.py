"""The MOTION of a BVH file: bytes to an array of channel values, rows mended where they are broken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics import kernels
from kinematics._arrays import roomy
from kinematics.io.bvh_repair import Report, fill_gaps
from kinematics.io.bvh_text import BvhText, line_ends, to_number, without_commas

DEFAULT_FRAME_TIME = 1.0 / 30.0
PIECE = 1 << 15  # bytes
AT_ONCE = 4096  # words that need care
MOST_LETTERS = 40  # of a word in a message
_FRAMES = re.compile(rb"(?i)\s*Frames?(?:[ \t]*:|(?=[ \t\r\n]+[-+\d]))[ \t]*([^\s:]*)")
_FRAME_TIME = re.compile(rb"(?i)\s*Frame[ \t]*Time[ \t]*:?[ \t]*([^\s:]*)")
_LONE_NUMBER = re.compile(rb"\s*([-+.,\deE]{1,40})[ \t]*(?=[\r\n]|$)")


@dataclass(frozen=True)
class Channels:
    """What the hierarchy says of each number of a row.

    Attributes:
        rest: Value to take where a file has none, shape (channels,).
        turning: Whether it is an angle, shape (channels,).
    """

    rest: Float[np.ndarray, " channels"]
    turning: Bool[np.ndarray, " channels"]


def read_motion(text: BvhText, channels: Channels, report: Report) -> tuple[Float[np.ndarray, "frames channels"], float]:
    """Return channel values (degrees and the file's unit) and the frame time in seconds.

    Raises:
        BvhParseError: Where rows do not fit the hierarchy; in strict mode wherever something had to be mended.
    """
    width = len(channels.rest)
    data, at = text.data, text.motion_at
    if at < 0:
        report.repair("no MOTION", text.line(len(data)), "there is no MOTION", "MOTION", "took no frames")
        return np.zeros((0, width)), DEFAULT_FRAME_TIME
    said, at = _declarations(data, at)
    frame_time = _frame_time(said, at, text, report)
    word, where = said.get("frames", (b"", at))
    number = to_number(word)
    declared = int(number) if math.isfinite(number) and number >= 0 and number == int(number) else None
    if not width:
        return np.zeros((min(declared or 0, line_ends(data, at, len(data)) + 1), 0)), frame_time
    block = _Block(_plain(text, at, width, report), at, (declared or 0) * width)
    values = _rows(block, width, declared, text, report)
    _tell_strange(block, width, text, report)
    if declared != len(values):
        found = f"Frames says {_shown(word)}" if word else "the number of frames is missing"
        report.repair("Frames", text.line(where), found, f"{len(values)}", f"took the {len(values)} that are there")
    if np.isnan(values.min(initial=0.0)):
        fill_gaps(values, np.isnan(values), channels.rest, channels.turning)
    return values, frame_time


def _declarations(data: bytes | memoryview, at: int) -> tuple[dict[str, tuple[bytes, int]], int]:
    """Return what is said of "frames" and "frame time" (word and position), in either order, and where the numbers begin."""
    said: dict[str, tuple[bytes, int]] = {}
    for _ in range(2):
        for key, pattern in (("frame time", _FRAME_TIME), ("frames", _FRAMES)):
            found = pattern.match(data, at)
            if found and key not in said:
                at, word = found.end(), found[1]
                if not word and (lone := _LONE_NUMBER.match(data, at)):
                    at, word = lone.end(), lone[1]
                said[key] = word[:MOST_LETTERS], found.end()
    return said, at


def _frame_time(said: dict[str, tuple[bytes, int]], at: int, text: BvhText, report: Report) -> float:
    word, where = said.get("frame time", (b"", at))
    frame_time = to_number(word.replace(b",", b"."))
    if frame_time > 0 and math.isfinite(frame_time):
        if b"," in word:
            report.repair("commas", text.line(where), f"Frame Time: {_shown(word)}", "a point", "read the comma as a point")
        return frame_time
    found = f"Frame Time is {_shown(word)}" if word else "Frame Time is missing"
    report.repair("Frame Time", text.line(where), found, "seconds above 0", "took 1/30 s")
    return DEFAULT_FRAME_TIME


def _plain(text: BvhText, at: int, width: int, report: Report) -> bytes | memoryview:
    """Return the file with points and blanks for commas, every byte in its place, and a line end at the end."""
    ended = bytes(text.data[-1:]) in (b"\n", b"\r")
    first = _first_comma(text.data, at)
    if first < 0:
        return text.data if ended else bytes(text.data) + b"\n"
    data = bytes(text.data) if ended else bytes(text.data) + b"\n"
    start = max(data.rfind(b"\n", at, first), data.rfind(b"\r", at, first), at - 1) + 1
    end = min(found for found in (data.find(b"\n", first), data.find(b"\r", first)) if found >= 0)
    row = data[start:end].replace(b";", b" ").decode("latin-1")
    line = text.line(first)
    report.repair("commas", line, f"commas in {row[:40].strip()!r}", "points and blanks", "read them as what gives whole rows")
    mended = without_commas(row, width)
    if mended is None:
        point, separator = "." not in row, False
    else:
        point, separator = mended.count(".") > row.count("."), mended.count(".") < row.count(",") + row.count(".")
    data = data.replace(b";", b" ")
    if point and separator:  # both, as in "0,5, 1,5"
        data = re.sub(rb",(?=\s)", b" ", data)
    return data.replace(b",", b"." if point else b" ")


def _first_comma(data: bytes | memoryview, at: int) -> int:
    """Return where the first comma or semicolon stands, -1 where there is none; piece by piece, which stays in the cache."""
    for start in range(at, len(data), PIECE):
        piece = bytes(data[start : start + PIECE])
        found = [place for place in (piece.find(b","), piece.find(b";")) if place >= 0]
        if found:
            return start + min(found)
    return -1


class _Block:
    """All numbers of a block of text, and where its lines are.

    Attributes:
        numbers: In order, NaN where a word is none, shape (numbers,).
        row_starts: For each line with numbers its first byte, shape (rows,).
        row_ends: For each line with numbers how many numbers there are up to its end, shape (rows,).
        strange: Words that are no numbers, the first few: index among the numbers (below zero: text that was skipped),
            position in the file's motion, the word.
        num_strange: How many there are.
    """

    def __init__(self, data: bytes | memoryview, at: int, expected: int) -> None:
        """Read `data`, which ends with a line end, from `at`; `expected` numbers are reserved, within reason."""
        kernel = kernels.bvh_numbers
        text, most = np.frombuffer(data, dtype=np.uint8), len(data) // 2 + 1
        values = roomy(min(most, max(expected, len(data) // 8, 64)))
        rows = np.empty((len(data) // 256 + 64, 2), dtype=np.int32 if len(data) < 2**31 else np.int64)
        hard, strange = np.empty((AT_ONCE, 3), dtype=np.int64), np.empty((AT_ONCE, 3), dtype=np.int64)
        infinite: list[tuple[int, int, int]] = []
        state = np.zeros(7, dtype=np.int64)
        state[kernel.POSITION] = state[kernel.ROW_START] = at
        while state[kernel.POSITION] < len(data):
            kernel.parse(text, state, values, rows, hard, strange)
            for index, start, end in hard[: state[kernel.HARD]].tolist():
                values[index] = to_number(bytes(data[start:end]))
                if not math.isfinite(values[index]):
                    values[index] = math.nan
                    infinite.append((index, start, end))
            state[kernel.HARD] = 0
            if state[kernel.POSITION] < len(data) and state[kernel.NUMBERS] == len(values):
                longer = roomy(min(most, 2 * len(values)))
                longer[: len(values)] = values
                values = longer
            if state[kernel.ROWS] == len(rows):
                rows.resize((2 * len(rows), 2), refcheck=False)
        self.num_strange = int(state[kernel.STRANGE])
        found = sorted([*strange[: self.num_strange].tolist(), *infinite[:AT_ONCE]], key=itemgetter(1))
        self.num_strange += len(infinite)
        self.strange = [(index, start, bytes(data[start : min(end, start + MOST_LETTERS)])) for index, start, end in found]
        count = int(state[kernel.NUMBERS])
        for index, _, word in self.strange:
            if index < 0 and word.upper().startswith(b"HIERARCHY"):  # another file has been appended
                count = kernel.SKIPPED - index
                break
        ends = rows[: state[kernel.ROWS], 1]
        ends = ends[: np.searchsorted(ends, count, side="right")]
        self.numbers: Float[np.ndarray, " numbers"] = values[:count]
        self.row_starts: Int[np.ndarray, " rows"] = rows[: len(ends), 0]
        self.row_ends: Int[np.ndarray, " rows"] = ends


def _rows(block: _Block, width: int, declared: int | None, text: BvhText, report: Report) -> Float[np.ndarray, "frames channels"]:
    """Return the numbers as frames: line by line where lines are rows, else one after the other."""
    ends, total = block.row_ends, len(block.numbers)
    counts = np.diff(ends, prepend=0)
    if (counts == width).all():
        return block.numbers.reshape(-1, width)
    odd = int(np.flatnonzero(counts != width)[0])
    line = text.line(int(block.row_starts[odd]))
    if declared is not None and total == declared * width:
        report.note(line, f"rows are broken or joined: {len(counts)} lines hold {declared} frames")
        return block.numbers.reshape(-1, width)
    usual = int(np.median(counts))
    if usual < width and len(counts) == declared and declared > 1 and (counts == usual).mean() > 0.5:
        raise report.error(f"rows hold {usual} numbers, the hierarchy has {width} channels", line, f"{width} numbers in each row")
    if usual != width and not (width < usual < 2 * width and (counts == usual).mean() > 0.5):
        frames, rest = divmod(total, width)
        report.note(line, f"rows are broken or joined: {len(counts)} lines hold {frames} frames of {width} numbers")
        if rest:
            end = text.line(int(block.row_starts[-1]))
            report.repair("last frame", end, f"the last frame has {rest} of {width} numbers", f"{width}", "left it out")
        return block.numbers[: frames * width].reshape(frames, width)
    return _by_lines(block, counts, width, text, report)


def _by_lines(
    block: _Block, counts: np.ndarray, width: int, text: BvhText, report: Report
) -> Float[np.ndarray, "frames channels"]:
    """Return a frame for each line: surplus numbers left out, short lines as NaN (a short last line is no frame)."""
    expected = f"{width} numbers"
    if counts[-1] < width:
        line = text.line(int(block.row_starts[-1]))
        report.repair("last row", line, f"the last row has {counts[-1]} of {width} numbers", expected, "left it out")
        counts = counts[:-1]
    for row in np.flatnonzero(counts != width).tolist():
        short = bool(counts[row] < width)
        kind = "short row" if short else "long row"
        if not report.wants(kind):
            report.count(kind)
            continue
        mend = "filled the frame from its neighbours" if short else "left out the surplus"
        line = text.line(int(block.row_starts[row]))
        report.repair(kind, line, f"a row has {counts[row]} numbers", expected, mend)
    whole = counts >= width
    starts = (block.row_ends[: len(counts)] - counts)[whole]
    values = np.full((len(counts), width), np.nan)
    values[whole] = block.numbers[starts[:, None] + np.arange(width)]
    return values


def _tell_strange(block: _Block, width: int, text: BvhText, report: Report) -> None:
    """Report the words that are no numbers."""
    for index, start, word in block.strange:
        kind = "no number" if index >= 0 else "text"
        if not report.wants(kind):
            report.count(kind)
        elif index >= 0:
            found = f"{_shown(word)} is no number (channel {index % width + 1})"
            report.repair(kind, text.line(start), found, "a number", "filled from neighbouring frames")
        else:
            report.repair(kind, text.line(start), f"text among the rows: {_shown(word)}", "numbers", "left it out")
    report.count("no number", block.num_strange - len(block.strange))


def _shown(word: bytes) -> str:
    return repr(word.decode(errors="replace"))
