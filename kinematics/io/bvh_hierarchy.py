"""The HIERARCHY of a BVH file: words to a list of nodes, without recursion."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from kinematics.errors import BvhParseError
from kinematics.io.bvh_repair import Report
from kinematics.io.bvh_text import BvhText, line_ends, to_number, without_commas
from kinematics.skeleton import CHANNEL_NAMES

KEYWORDS = ("HIERARCHY", "ROOT", "JOINT", "END", "ENDSITE", "OFFSET", "CHANNELS", "MOTION")
MOST_NODES = 100_000  # joints and end sites; a crowd has less, a broken file more
_CHANNELS = {name.lower(): name for name in CHANNEL_NAMES}
_WORD = re.compile(r"[{}]|[^\s{}]+")
_NAME = re.compile(r"[^\r\n{}]*")
# The words of one OFFSET or CHANNELS: up to a keyword, a brace or a comment, within reason.
_ARGUMENTS = re.compile(r"(?:\s*+(?!(?i:ROOT|JOINT|END|ENDSITE|OFFSET|CHANNELS|MOTION)\b)[^\s{}#/]++){0,64}+")
_COMMENTS = re.compile(r"[^\r\n]*+(?:\s*+(?:#|//)[^\r\n]*+)*+")  # the rest of a line, and lines of comment after it
COMMENT_IN_NAME = re.compile(r"\s//.*")


@dataclass(slots=True)
class Node:
    """A joint or an end site as written.

    Attributes:
        name: Name in the file; "" where an end site has none.
        parent: Index of the parent node, -1 for a root.
        line: Where it begins, from 1.
        end_site: Whether it is an End Site.
        offset: OFFSET, in the file's unit.
        channels: Channel names in file order.
        has_offset: Whether OFFSET was there.
        has_channels: Whether CHANNELS was there.
    """

    name: str
    parent: int
    line: int
    end_site: bool
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()
    has_offset: bool = False
    has_channels: bool = False


def read_hierarchy(text: BvhText, report: Report) -> list[Node]:
    """Return the nodes of all roots in file order.

    Raises:
        BvhParseError: On text that is no hierarchy, braces that do not match, unknown words or channels.
    """
    return _Reader(text, report).read()


class _Reader:
    def __init__(self, text: BvhText, report: Report) -> None:
        self.header, self.report = text.header, report
        self.words = _WORD.finditer(self.header)
        self.back: tuple[str, int] | None = None  # a word that was read too far
        self.counted = (0, 1)  # a position whose line is known
        self.nodes: list[Node] = []
        self.open: list[int] = []  # nodes whose brace is open

    def line(self, at: int) -> int:
        start, line = self.counted if self.counted[0] <= at else (0, 1)
        self.counted = (at, line + line_ends(self.header, start, at))
        return self.counted[1]

    def error(self, message: str, at: int, expected: str) -> BvhParseError:
        return self.report.error(message, self.line(at), expected)

    def word(self) -> tuple[str, int]:
        """Return the next word or brace and where it begins; "" at the end. Comments (# and //) are passed over."""
        if self.back:
            word, self.back = self.back, None
            return word
        while found := next(self.words, None):
            if not found[0].startswith(("#", "//")):
                return found[0], found.start()
            self.match(_COMMENTS, found.start())
        return "", len(self.header)

    def match(self, pattern: re.Pattern[str], at: int) -> str:
        """Return what matches at a position, "" where nothing does, and go on behind it."""
        found = pattern.match(self.header, at)
        self.words = _WORD.finditer(self.header, found.end() if found else at)
        return found[0] if found else ""

    def arguments(self, at: int) -> list[str]:
        """Return the words from a position up to the next keyword, brace or comment."""
        return self.match(_ARGUMENTS, at).split()

    def read(self) -> list[Node]:
        word, at = self.word()
        if word.upper() != "HIERARCHY":
            if word.upper() != "ROOT":
                shown = f"it begins with {word[:30]!r}" if word else "it is empty"
                raise self.error(f"this is no BVH file: {shown}", at, "HIERARCHY")
            self.report.repair("no HIERARCHY", self.line(at), "the word HIERARCHY is missing", "HIERARCHY", "read on without it")
            self.back = (word, at)
        while True:
            word, at = self.word()
            keyword = word.upper()
            if keyword in ("", "MOTION"):
                break
            if keyword == "}":
                self.close(at)
            elif keyword in ("ROOT", "JOINT", "END", "ENDSITE"):
                self.begin(keyword, at)
            elif keyword in ("OFFSET", "CHANNELS") and self.open:
                node = self.nodes[self.open[-1]]
                if node.has_offset if keyword == "OFFSET" else node.has_channels:
                    raise self.error(f"{keyword} is given twice for {_title(node)}", at, f"one {keyword}")
                self.offset(node, at) if keyword == "OFFSET" else self.channels(node, at)
            else:
                raise self.unexpected(word, at)
        if self.open:
            node = self.nodes[self.open[-1]]
            raise self.error(f"the brace of {_title(node)} (line {node.line}) is never closed", at, "}")
        if not self.nodes:
            raise self.error("the hierarchy has no ROOT", at, "ROOT <name>")
        return self.nodes

    def unexpected(self, word: str, at: int) -> BvhParseError:
        expected = "OFFSET, CHANNELS, JOINT, End Site or }" if self.open else "ROOT or MOTION"
        near = difflib.get_close_matches(word.upper(), KEYWORDS, n=1) if len(word) < 30 else []
        hint = f" (did you mean {near[0]}?)" if near and near[0] != word.upper() else ""
        return self.error(f"unexpected {word[:30]!r}{hint}", at, expected)

    def begin(self, keyword: str, at: int) -> None:
        if (keyword == "ROOT") == bool(self.open):
            raise self.unexpected(keyword, at)
        if keyword == "END":
            site, site_at = self.word()
            if site.upper() != "SITE":
                raise self.error(f"unexpected {site[:30]!r} after End", site_at, "End Site")
            name = self.match(_NAME, site_at + len(site))
        else:
            name = self.match(_NAME, at + len(keyword))
        end_site = keyword in ("END", "ENDSITE")
        name = COMMENT_IN_NAME.sub("", name).strip(" \t")
        brace, brace_at = self.word()
        if not name.strip() and brace not in ("{", "}", "") and not end_site:  # the name has a line of its own
            name, (brace, brace_at) = brace, self.word()
        if brace != "{":
            shown = repr(brace[:30]) if brace else "the end of the file"
            raise self.error(f"unexpected {shown} after {keyword} {name[:60]}", brace_at, "{")
        if not name.strip():
            name = ""
        if not name and not end_site:
            name = f"joint{len(self.nodes)}"
            self.report.repair("no name", self.line(at), f"a {keyword} has no name", "a name", f"called it {name!r}")
        if self.open and self.nodes[self.open[-1]].end_site:
            self.make_joint(self.nodes[self.open[-1]], "a child")
        if len(self.nodes) == MOST_NODES:
            raise self.error(f"more than {MOST_NODES} joints and end sites", at, "the skeleton of a body")
        self.nodes.append(Node(name, self.open[-1] if self.open else -1, self.line(at), end_site))
        self.open.append(len(self.nodes) - 1)

    def make_joint(self, node: Node, because: str) -> None:
        node.name = node.name or f"{self.nodes[node.parent].name}_end"
        self.report.repair("end site", node.line, f"an End Site has {because}", "OFFSET alone", f"read it as joint {node.name!r}")
        node.end_site = False
        node.has_channels = True

    def close(self, at: int) -> None:
        if not self.open:
            self.report.repair("closing brace", self.line(at), "a closing brace too many", "MOTION", "left it out")
            return
        node = self.nodes[self.open.pop()]
        if not node.has_offset:
            self.report.repair("no OFFSET", node.line, f"{_title(node)} has no OFFSET", "OFFSET x y z", "took 0 0 0")
        if not node.has_channels and not node.end_site:
            self.report.repair("no CHANNELS", node.line, f"{_title(node)} has no CHANNELS", "CHANNELS", "it does not move")

    def offset(self, node: Node, at: int) -> None:
        words = self.arguments(at + len("OFFSET"))
        text = " ".join(words)
        if "," in text and (mended := without_commas(text, 3)) is not None:
            mend = f"read as {mended}"
            self.report.repair("commas in OFFSET", self.line(at), f"OFFSET {text[:60]} has commas", "points and blanks", mend)
            words = mended.split()
        numbers = tuple(to_number(word) for word in words)
        if len(numbers) > 3 and math.isnan(numbers[3]):
            raise self.unexpected(words[3], self.header.index(words[3], at))
        if len(numbers) != 3:
            raise self.error(f"OFFSET of {_title(node)} is {text[:60]!r}", at, "three numbers")
        if not all(map(math.isfinite, numbers)):
            what = f"OFFSET of {_title(node)} is {text[:60]!r}"
            self.report.repair("OFFSET", self.line(at), what, "three numbers", "took 0 for what is no number")
            numbers = tuple(number if math.isfinite(number) else 0.0 for number in numbers)
        node.offset, node.has_offset = numbers, True

    def channels(self, node: Node, at: int) -> None:
        words = [word.strip(",;") for word in self.arguments(at + len("CHANNELS")) if word.strip(",;")]
        said = words[0] if words else "nothing"
        number = int(said[:9]) if said.isdecimal() else -1
        names: list[str] = []
        for word in words[1:]:
            if word.lower() not in _CHANNELS:
                word_at = self.header.index(word, at)
                if len(names) == number:
                    raise self.unexpected(word, word_at)
                near = difflib.get_close_matches(word[:30].lower(), _CHANNELS, n=2)
                known = " or ".join(_CHANNELS[name] for name in near) or ", ".join(CHANNEL_NAMES[:6])
                raise self.error(f"unknown channel {word[:30]!r} of {_title(node)}", word_at, known)
            names.append(_CHANNELS[word.lower()])
        if number != len(names):
            raise self.error(f"CHANNELS of {_title(node)} says {said[:30]} and lists {len(names)} names", at, "equal numbers")
        twice = sorted({name for name in names if names.count(name) > 1 and not name.endswith("rotation")})
        if twice:
            raise self.error(f"{_title(node)} has the channel {twice[0]} twice", at, "each position and scale once")
        node.channels, node.has_channels = tuple(names), True
        if names and node.end_site:
            self.make_joint(node, "channels")


def _title(node: Node) -> str:
    return repr(node.name[:60]) if node.name else "an End Site"
