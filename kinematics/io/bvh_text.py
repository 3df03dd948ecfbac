"""Bytes of a BVH file: the encoding of its names, and where the hierarchy ends and the motion begins."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MOTION = re.compile(rb"(?:^|(?<=[\r\n}]))[ \t]*((?i:MOTION))(?![^\s:]):?")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# What Japanese names have and Western names, read as Shift-JIS by mistake, have not: kana, or several signs in a row.
_JAPANESE = re.compile(r"[\u3040-\u30ff]|[\u3000-\u9fff]{2}")


@dataclass(frozen=True)
class BvhText:
    """A file in two parts.

    Attributes:
        encoding: Name of the encoding, as Python knows it.
        header: The hierarchy, up to and with the word MOTION, decoded.
        data: All bytes, without a byte order mark; UTF-16 has become UTF-8.
        motion_at: Where in `data` the motion begins, after the word MOTION; -1 where there is no such word.
    """

    encoding: str
    header: str
    data: bytes | memoryview
    motion_at: int

    def line(self, at: int) -> int:
        """Return the 1-based line of a position in `data`."""
        return 1 + line_ends(self.data, 0, at)


def line_ends(text: str | bytes | memoryview, start: int, end: int) -> int:
    """Count line ends (CR, LF or CRLF) between two positions."""
    if isinstance(text, str):
        return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)
    part = bytes(text[start:end])
    return part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")


def split(data: bytes | memoryview) -> BvhText:
    """Find the encoding and split a file at its word MOTION."""
    known, start = "", bytes(data[:64])
    if start.startswith(codecs.BOM_UTF8):
        data, known = data[3:], "utf-8-sig"
    elif utf16 := _UTF16.get(start[:2]) or _utf16_without_mark(start):
        data, known = bytes(data).decode(utf16, errors="replace").lstrip("\ufeff").encode(errors="replace"), utf16
    found = _MOTION.search(data)
    header = bytes(data[: found.end(1)] if found else data)
    encoding = "utf-8" if known else guess_encoding(header)
    return BvhText(known or encoding, header.decode(encoding, errors="replace"), data, found.end() if found else -1)


def guess_encoding(data: bytes) -> str:
    """Return utf-8, shift_jis, cp1252 or latin-1: the first that fits what names look like."""
    if data.isascii() or _decoded(data, "utf-8") is not None:
        return "utf-8"
    japanese = _decoded(data, "shift_jis")
    if japanese is not None and _JAPANESE.search(japanese):
        return "shift_jis"
    return "cp1252" if _decoded(data, "cp1252") is not None else "latin-1"


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf16_without_mark(start: bytes) -> str:
    """Name the UTF-16 whose plain letters leave every other byte zero; "" where it is no such text."""
    even, odd = start[0::2], start[1::2]
    if odd and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if odd and not any(even) and all(odd) else ""


def to_number(word: str | bytes) -> float:
    """Return the number a word says, NaN where it is none (`float` alone would take "1_0" too)."""
    try:
        return float("nan") if ("_" in word if isinstance(word, str) else b"_" in word) else float(word)
    except ValueError:
        return float("nan")


def without_commas(text: str, wanted: int) -> str | None:
    """Return the text with its commas read as points or as blanks, whichever gives `wanted` numbers; None where neither does.

    "0,5 1,5" are two numbers by decimal comma, "0.5, 1.5" two by separator, and "0,5, 1,5" two by both.
    """
    both = re.sub(r",(?=\s|$)", " ", text).replace(",", ".")
    candidates = [text.replace(",", "."), both, text.replace(",", " ")]
    for candidate in reversed(candidates) if "." in text else candidates:
        words = candidate.split()
        if len(words) == wanted and all(map(_is_number, words)):
            return candidate
    return None


def _is_number(word: str) -> bool:
    return to_number(word) == to_number(word) or word.lower().lstrip("+-").startswith(("nan", "1.#"))
