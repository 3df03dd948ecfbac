"""Bytes of a BVH file: the encoding of its names, and where the hierarchy ends and the motion begins."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MOTION = re.compile(rb"(?i)(?:^|(?<=[\r\n}]))[ \t]*(MOTION)(?![^\s:])")
_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Full-width kana: what a Japanese name nearly always has, and Western text read as Shift-JIS nearly never.
_KANA = re.compile(r"[\u3040-\u30ff]")
_SEVERAL = re.compile(r"[\u3000-\u9fff]{2}")


@dataclass(frozen=True)
class BvhText:
    """A file in two parts.

    Attributes:
        encoding: Name of the encoding, as Python knows it.
        header: The hierarchy, decoded.
        motion: What follows the word MOTION, as bytes; None where there is no such word.
    """

    encoding: str
    header: str
    motion: bytes | None

    def header_line(self, at: int) -> int:
        """Return the 1-based line of a position in `header`."""
        return 1 + sum(1 for _ in _LINE_END.finditer(self.header, 0, at))

    def motion_line(self, at: int) -> int:
        """Return the 1-based line of a position in `motion`."""
        return self.header_line(len(self.header)) + line_ends(self.motion or b"", at)


def line_ends(data: bytes, end: int) -> int:
    """Count line ends (CR, LF or CRLF) before a position."""
    return data.count(b"\n", 0, end) + data.count(b"\r", 0, end) - data.count(b"\r\n", 0, end)


def split(data: bytes) -> BvhText:
    """Find the encoding and split a file at its word MOTION."""
    known = ""
    if data.startswith(codecs.BOM_UTF8):
        data, known = data[3:], "utf-8-sig"
    elif data[:2] in _UTF16:
        known = _UTF16[data[:2]]
        data = data[2:].decode(known, errors="replace").encode()
    found = _MOTION.search(data)
    header = data[: found.end()] if found else data
    motion = data[found.end() :] if found else None
    encoding = "utf-8" if known else guess_encoding(header)
    return BvhText(known or encoding, header.decode(encoding, errors="replace"), motion)


def guess_encoding(data: bytes) -> str:
    """Return utf-8, shift_jis, cp1252 or latin-1: the first that fits what names look like."""
    if data.isascii() or _decodes(data, "utf-8"):
        return "utf-8"
    if _decodes(data, "shift_jis"):
        text = data.decode("shift_jis")
        if _KANA.search(text) or _SEVERAL.search(text):
            return "shift_jis"
    return "cp1252" if _decodes(data, "cp1252") else "latin-1"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
