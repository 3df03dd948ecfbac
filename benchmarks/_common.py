"""What benchmarks share: options, contenders in processes of their own, turns, tables, bars.

A benchmark calls `options(__doc__)`, measures, and ends with `sys.exit(finish(...))`. Every contender, ours too, works in its
own warm process, and they take turns inside one run, so that a busy machine slows all alike; medians are compared. A
contender that is not installed is left out with a word; one that fails or does not answer in time is shown as such.
"""

from __future__ import annotations

import argparse
import json
import queue
import statistics
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

_LOOP = """
import gc, sys, time, traceback, warnings
warnings.simplefilter("ignore")
_answers, sys.stdout = sys.stdout, sys.stderr
def _answer(text):
    _answers.write(text.replace("\\n", " ")[:200] + "\\n")
    _answers.flush()
try:
    exec(sys.argv[1])
    _answer("ready")
except ImportError as error:
    _answer(f"missing {error}")
    sys.exit()
except Exception as error:
    _answer(f"failed {type(error).__name__}: {error}")
    sys.exit()
gc.collect()
for _line in sys.stdin:
    try:
        gc.collect()
        gc.freeze()  # so that the next collection does not sweep the caches with everything that was imported
        _start = time.perf_counter()
        _result = eval(_line)
        _time = time.perf_counter() - _start
        _answer(f"took {_time!r}" if _result is None or not isinstance(_result, float) else f"took {_result!r}")
    except Exception as error:
        _answer(f"failed {type(error).__name__}: {error}")
"""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    quick: bool
    check: bool
    json: bool


@dataclass(frozen=True)
class Bar:
    """A limit that `--check` holds a figure against."""

    name: str
    value: float
    limit: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether the figure keeps to the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def options(doc: str | None) -> Options:
    """Read --quick, --check and --json; the docstring of the benchmark is its help."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; answers within 30 s")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    given = parser.parse_args()
    return Options(given.quick, given.check, given.json)


class Contender:
    """A warm Python process that evaluates expressions and answers how many seconds each took.

    Attributes:
        name: What the table calls it.
    """

    def __init__(self, name: str, setup: str, *, timeout: float = 60.0, python: str = sys.executable) -> None:
        """Start the process and run `setup` in it; it is waited for at the first `run`, so that several start side by side.

        `python` is the interpreter of a peer that has an environment of its own.
        """
        self.name, self._trouble, self._starting = name, "", timeout
        command = [python, "-c", _LOOP, setup]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def trouble(self) -> str:
        """Why it is out of the race; "" while it is in."""
        if self._starting and not self._trouble:
            timeout, self._starting = self._starting, 0.0
            self._wait(timeout)
        return self._trouble

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._answers.put(line.strip())
        self._answers.put("failed the process ended")

    def _wait(self, timeout: float) -> float | None:
        try:
            kind, _, rest = self._answers.get(timeout=timeout).partition(" ")
        except queue.Empty:
            kind, rest = "failed", f"no answer in {timeout:g} s"
        if kind == "took":
            return float(rest)
        if kind in ("failed", "missing"):
            self._trouble = "not installed" if kind == "missing" else rest
            self.stop()
        return None

    def run(self, expression: str, *, timeout: float = 60.0) -> float | None:
        """Return the seconds that an expression takes (or its own value where that is a float); None where it fails."""
        if self.trouble:
            return None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(expression.replace("\n", " ") + "\n")
            self._process.stdin.flush()
        except OSError:
            self._trouble = "the process ended"
            return None
        return self._wait(timeout)

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def take_turns(
    contenders: Sequence[Contender],
    expressions: dict[str, str],
    *,
    rounds: int,
    budget: float = 60.0,
    timeout: float = 60.0,
    again: float = 0.0,
) -> dict[str, dict[str, float]]:
    """Time named expressions in every contender by turns; return medians in seconds by contender and expression.

    The first round warms up and is not counted, unless a contender is so slow that `budget` seconds are spent. In its turn
    a contender repeats an expression until `again` seconds have passed, so that it does not start with cold caches each
    time because the others ran in between.
    """
    times: dict[str, dict[str, list[float]]] = {one.name: {key: [] for key in expressions} for one in contenders}
    spent = {one.name: 0.0 for one in contenders}
    in_the_race = [one for one in contenders if not one.trouble]  # waits until all have started
    for turn in range(rounds + 1):
        for one in in_the_race:
            if turn and spent[one.name] * (turn + 1) / turn > budget:
                continue
            for key, expression in expressions.items():
                found: list[float] = []
                while not found or sum(found) < again:
                    seconds = one.run(expression, timeout=timeout)
                    if seconds is None:
                        break
                    found.append(seconds)
                spent[one.name] += sum(found)
                if turn == 1:
                    times[one.name][key].clear()
                times[one.name][key] += found
    return {name: {key: statistics.median(each) for key, each in found.items() if each} for name, found in times.items()}


def finish(tables: Sequence[Table], bars: Sequence[Bar], results: object, asked: Options) -> int:
    """Print tables or JSON, say which bars are met, and return the exit status."""
    if asked.json:
        met = [{"bar": bar.name, "value": bar.value, "limit": bar.limit, "met": bar.met} for bar in bars]
        print(json.dumps({"results": results, "bars": met}, indent=2))
    else:
        console = Console()
        if not console.is_terminal:
            console = Console(width=max(console.width, 140))
        for table in tables:
            console.print(table)
        for bar in bars:
            sign = "at least" if bar.at_least else "at most"
            verdict = "[green]met[/]" if bar.met else "[red]missed[/]"
            console.print(f"{bar.name}: {bar.value:.3g}, bar {sign} {bar.limit:g}: {verdict}")
    return int(asked.check and not all(bar.met for bar in bars))
