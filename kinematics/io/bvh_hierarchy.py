"""The HIERARCHY of a BVH file: words to a list of nodes, without recursion."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from kinematics.io.bvh_repair import Report
from kinematics.io.bvh_text import BvhText
from kinematics.skeleton import CHANNEL_NAMES

KEYWORDS = ("HIERARCHY", "ROOT", "JOINT", "END", "OFFSET", "CHANNELS", "MOTION")
MOST_ARGUMENTS = 64
_CHANNELS = {name.lower(): name for name in CHANNEL_NAMES}
_WORD = re.compile(r"[{}]|[^\s{}]+")
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[ \t:]*([^\r\n{}]*)")
_REST_OF_LINE = re.compile(r"[^\r\n]*")
_COMMENT = re.compile(r"\s//.*")


@dataclass
class Node:
    """A joint or an end site as written.

    Attributes:
        name: Name in the file; "" where an end site has none.
        parent: Index of the parent node, -1 for a root.
        line: Where it begins.
        end_site: Whether it is an End Site.
        offset: OFFSET, in the file's unit.
        channels: Channel names in file order.
        given: Which of OFFSET and CHANNELS were there.
    """

    name: str
    parent: int
    line: int
    end_site: bool
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()
    given: set[str] = field(default_factory=set)


def read_hierarchy(text: BvhText, report: Report) -> list[Node]:
    """Return all nodes of all roots in file order.

    Raises:
        BvhParseError: On text that is no hierarchy, unbalanced braces, unknown words or channels.
    """
    return _Reader(text, report).read()


class _Reader:
    def __init__(self, text: BvhText, report: Report) -> None:
        self.text, self.header, self.report = text, text.header, report
        self.at = 0  # position of the next character
        self.nodes: list[Node] = []
        self.open: list[int] = []  # nodes whose brace is open

    def line(self, at: int | None = None) -> int:
        return self.text.header_line(self.at if at is None else at)

    def word(self) -> tuple[str, int]:
        """Return the next word or brace and where it begins; "" at the end."""
        while (found := _WORD.search(self.header, self.at)) and found[0].startswith(("#", "//")):
            self.at = _REST_OF_LINE.match(self.header, found.start()).end()  # type: ignore[union-attr]
        if not found:
            self.at = len(self.header)
            return "", self.at
        self.at = found.end()
        return found[0], found.start()

    def arguments(self) -> list[str]:
        """Return the words up to the next keyword or brace."""
        words: list[str] = []
        while len(words) < MOST_ARGUMENTS:
            before = self.at
            word, _ = self.word()
            if word in ("", "{", "}") or word.upper() in KEYWORDS:
                self.at = before
                break
            words.append(word)
        return words

    def read(self) -> list[Node]:
        word, at = self.word()
        if word.upper() != "HIERARCHY":
            if word.upper() != "ROOT":
                shown = f"it begins with {word[:30]!r}" if word else "it is empty"
                raise self.report.error(f"not a BVH file: {shown}", self.line(at), "HIERARCHY")
            self.report.repair("no HIERARCHY", self.line(at), "the word HIERARCHY is missing", "HIERARCHY", "went on without")
            self.at = at
        while True:
            word, at = self.word()
            keyword = word.upper()
            if keyword in ("", "MOTION"):
                break
            if keyword == "}":
                self.close(at)
            elif keyword in ("ROOT", "JOINT", "END"):
                self.begin(keyword, at)
            elif keyword in ("OFFSET", "CHANNELS") and self.open:
                node = self.nodes[self.open[-1]]
                if keyword in node.given:
                    raise self.report.error(f"{keyword} is given twice for {node.name!r}", self.line(at), f"one {keyword}")
                node.given.add(keyword)
                self.offset(node, at) if keyword == "OFFSET" else self.channels(node, at)
            else:
                raise self.unexpected(word, at)
        if self.open:
            node = self.nodes[self.open[-1]]
            begun = f"the brace of {node.name or 'End Site'!r} (line {node.line}) is never closed"
            raise self.report.error(begun, self.line(at), "}")
        if not self.nodes:
            raise self.report.error("the hierarchy has no ROOT", self.line(at), "ROOT <name>")
        return self.nodes

    def unexpected(self, word: str, at: int) -> Exception:
        expected = "OFFSET, CHANNELS, JOINT, End Site or }" if self.open else "ROOT or MOTION"
        near = difflib.get_close_matches(word.upper(), KEYWORDS, n=1) if len(word) < 30 else []
        hint = f" (did you mean {near[0]}?)" if near and near[0] != word.upper() else ""
        return self.report.error(f"unexpected {word[:30]!r}{hint}", self.line(at), expected)

    def begin(self, keyword: str, at: int) -> None:
        if (keyword == "ROOT") == bool(self.open):
            raise self.unexpected(keyword, at)
        if keyword == "END":
            site, site_at = self.word()
            if site.upper() != "SITE":
                raise self.report.error(f"unexpected {site[:30]!r} after End", self.line(site_at), "End Site")
        found = _NAME.match(self.header, self.at)
        name = _COMMENT.sub("", found[1]).strip() if found else ""
        self.at = found.end() if found else self.at
        brace, brace_at = self.word()
        if not name and keyword != "END" and brace not in ("{", "}", ""):  # the name on a line of its own
            name = brace
            brace, brace_at = self.word()
        if brace != "{":
            shown = f"{brace[:30]!r}" if brace else "the end of the file"
            raise self.report.error(f"unexpected {shown} after {keyword} {name[:60]}", self.line(brace_at), "{")
        parent = self.open[-1] if self.open else -1
        if not name and keyword != "END":
            name = f"joint{len(self.nodes)}"
            self.report.repair("no name", self.line(at), f"a {keyword} without a name", "a name", f"called it {name!r}")
        self.open.append(len(self.nodes))
        self.nodes.append(Node(name, parent, self.line(at), keyword == "END"))

    def close(self, at: int) -> None:
        if not self.open:
            self.report.repair("extra brace", self.line(at), "a closing brace too many", "MOTION", "left it out")
            return
        node = self.nodes[self.open.pop()]
        if "OFFSET" not in node.given:
            what = f"{node.name or 'an End Site'!r} has no OFFSET"
            self.report.repair("no OFFSET", node.line, what, "OFFSET x y z", "took 0 0 0")
        if "CHANNELS" not in node.given and not node.end_site:
            self.report.repair("no CHANNELS", node.line, f"{node.name!r} has no CHANNELS", "CHANNELS", "it does not move")

    def offset(self, node: Node, at: int) -> None:
        words = self.arguments()
        try:
            numbers = tuple(float(word) for word in words)
        except ValueError:
            numbers = ()
        if len(numbers) != 3:
            raise self.report.error(f"OFFSET {' '.join(words)[:60]!r}", self.line(at), "three numbers")
        node.offset = numbers

    def channels(self, node: Node, at: int) -> None:
        words = self.arguments()
        names = []
        for word in words[1:]:
            if word.lower() not in _CHANNELS:
                near = difflib.get_close_matches(word.lower(), _CHANNELS, n=2)
                hint = " or ".join(_CHANNELS[name] for name in near) or ", ".join(CHANNEL_NAMES[:6])
                raise self.report.error(f"unknown channel {word[:30]!r} of {node.name!r}", self.line(at), hint)
            names.append(_CHANNELS[word.lower()])
        if not words or not words[0].isdecimal() or int(words[0]) != len(names):
            said = words[0][:30] if words else "nothing"
            raise self.report.error(
                f"CHANNELS of {node.name!r} says {said} and lists {len(names)} names", self.line(at), "as many names as it says"
            )
        node.channels = tuple(names)
