"""A batch's report as one page: no script, no font, no file but itself and the pictures beside it."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from retarget.batch_clip import DONE, ClipResult
from retarget.batch_report import BARS, BatchReport, over_bars

STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c22; --poor: #b60; --quiet: #888; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1280px; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } p { margin: .3rem 0; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; margin-top: 1.2rem; }
th, td { text-align: right; padding: .45rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { position: sticky; top: 0; background: Canvas; font-weight: 600; font-size: .85rem; vertical-align: bottom; }
th:first-child, td:first-child, .left { text-align: left; } td { font-variant-numeric: tabular-nums; }
td.name { overflow-wrap: anywhere; min-width: 12rem; } .over { color: var(--poor); font-weight: 650; }
.failed { color: var(--bad); } img { display: block; width: 300px; border-radius: 4px; background: #fff; }
img:hover { width: 480px; } pre { white-space: pre-wrap; font-size: .8rem; } summary { cursor: pointer; }
small { color: var(--quiet); display: block; max-width: 30rem; }
"""
# Columns: name of the number, heading, factor, digits.
COLUMNS: tuple[tuple[str, str, float, int], ...] = (
    ("limb_direction_mean_degrees", "arms' and legs' directions off, mean °", 1.0, 1),
    ("stance_slide_cm_s", "feet slide, cm/s", 1.0, 2),
    ("floating_fraction", "feet float, % of stance", 100.0, 1),
    ("sinking_fraction", "feet sink, % of stance", 100.0, 1),
    ("key_bodies_mean_cm", "key bodies off, cm", 1.0, 1),
    ("turn_ratio", "largest turn, over the source's", 1.0, 2),
    ("first_frame_ratio", "first frame, over usual", 1.0, 2),
)


def as_page(report: BatchReport) -> str:
    """Return the report as HTML, worst clips first."""
    totals = report.totals
    bars = "; ".join(escape(what) for _, what in BARS.values())
    rate = f", {totals['frames_per_second']:.0f} frames/s" if totals["frames_per_second"] else ""
    heads = "".join(f"<th>{escape(head)}</th>" for _, head, _, _ in COLUMNS)
    pictures = any(result.picture for result in report.results)
    rows = "\n".join(_row(result, pictures) for result in report.worst_first)
    failed = f'<b class="failed">{totals["failed"]} failed</b>' if totals["failed"] else "none failed"
    before = f", {totals['done_before']} of them by an earlier run" if totals["done_before"] else ""
    poor = sum(bool(over_bars(result)) for result in report.done)
    look = f'<p><span class="over">{poor}</span> with a number over its bar, first below.</p>' if poor else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Retargeted: {totals["done"]} of {totals["clips"]} clips</title><style>{STYLE}</style></head><body>
<h1>{_text(report.folder)} on {_text(Path(report.target).name)}</h1>
<p>{totals["clips"]} clips: {totals["done"]} done{before}, {failed}. {totals["frames"]} frames; this run
took {report.seconds:.1f} s{rate}.</p>
{look}<p class="quiet">Bars: {bars}.</p>
<table><thead><tr><th>clip</th>{"<th></th>" if pictures else ""}<th>frames</th>{heads}<th>s</th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def _row(result: ClipResult, pictures: bool) -> str:
    picture = ""
    if pictures:
        link = _link(result.picture)
        image = f'<img src="{link}" alt="source over result" loading="lazy">' if result.picture else ""
        picture = f'<td class="left">{image}</td>'
    if result.status != DONE:
        width = len(COLUMNS) + 2
        more = (
            f"<details><summary>what it said</summary><pre>{_text(result.traceback)}</pre></details>" if result.traceback else ""
        )
        reason = f'<b class="failed">{escape(result.status)}</b>: {_text(result.reason)}{more}'
        return f'<tr><td class="name">{_text(result.source)}</td>{picture}<td class="left" colspan="{width}">{reason}</td></tr>'
    over = over_bars(result)
    cells = "".join(_cell(result, name, factor, digits, name in over) for name, _, factor, digits in COLUMNS)
    notes = "".join(f"<small>{_text(note)}</small>" for note in result.notes)
    name = f'<a href="{_link(result.output)}">{_text(result.source)}</a>{notes}'
    return f'<tr><td class="name">{name}</td>{picture}<td>{result.frames}</td>{cells}<td>{result.seconds:.2f}</td></tr>'


def _cell(result: ClipResult, name: str, factor: float, digits: int, over: bool) -> str:
    value = result.numbers.get(name)
    if value is None:
        return '<td class="quiet">-</td>'
    mark = ' class="over"' if over else ""
    return f"<td{mark}>{factor * value:.{digits}f}</td>"


def _text(text: str) -> str:
    """Escape a text; file names of no encoding show a sign instead."""
    return escape(text.encode(errors="replace").decode())


def _link(path: str) -> str:
    return quote(os.fsencode(path))
