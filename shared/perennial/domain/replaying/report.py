"""A replay's report for people: one HTML page, complete in itself.

It loads nothing, runs no script, and every chart has the table behind it. All text that comes from
files or definitions is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from perennial.domain.replaying.svg import Axis, Bar, Line, bars, dots, lines
from perennial.domain.words import counted

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2321; --paper: #fdfdfb; --faint: #d9ddd8;
  --soft: #5c6763; --one: #2a6f97; --two: #c1573b; --three: #4f8a4c; --band: #2a6f9733; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9e6; --paper: #161a19; --faint: #363d3b; --soft: #9aa5a1;
    --one: #6fb3dc; --two: #ee8f70; --three: #8cc788; --band: #6fb3dc33; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.answer { font-size: 1.1rem; border-left: 4px solid var(--one); padding-left: .9rem; }
.note { color: var(--soft); font-size: .9rem; }
pre { border: 1px solid var(--faint); padding: .7rem 1rem; overflow-x: auto; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--faint); } .line { fill: none; stroke-width: 2; }
.line.static { stroke: var(--two); } .line.moving { stroke: var(--one); }
.band { fill: var(--band); } .whisker { stroke: var(--ink); stroke-width: 1.5; }
.bar.static, .dot.static { fill: var(--two); } .bar.moving, .dot.moving { fill: var(--one); }
.bar.gated, .dot.gated { fill: var(--three); }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } summary { cursor: pointer; color: var(--soft); }
"""


def to_html(document: dict[str, Any]) -> str:
    """The report of a replay.

    Args:
        document: as `perennial replay --json` prints it.
    """
    verdict, advice = document["verdict"], document["recommendation"]
    name = escape(document["pipeline"])
    body = [
        f"<h1>{name}: physics or fashion?</h1>",
        f'<p class="answer">{escape(verdict["sentence"])}</p>',
        f"<p>{escape(advice['sentence'])}</p>",
        f"<p>{escape(advice['promotion'])}</p>" if advice["promotion"] else "",
        f"<pre>{escape(advice['definition'])}</pre>",
        f'<p class="note">{escape(_basis(document))}</p>',
        _left_out(document),
        *_policies(document),
        *_decay(document),
        *_course(document),
        *_cost(document),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Replay of {name}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def _basis(document: dict[str, Any]) -> str:
    history, scored = document["history"], document["scored"]
    said = (
        f"{counted(history['files'], 'file')} with {counted(history['rows'], 'labelled row')}, "
        f"from {history['first']} to {history['last']}. The first {scored['after_files']} are for "
        f"training only; {counted(scored['rows'], 'row')} of the others were predicted before they "
        "were learned, by every policy. Intervals (95 %) resample blocks of whole files, paired."
    )
    if scored["repeated_rows"]:
        repeated = counted(scored["repeated_rows"], "row")
        said += f" {repeated} had come in an earlier file and prove nothing."
    return said


def _left_out(document: dict[str, Any]) -> str:
    left_out = document["history"]["left_out"]
    if not left_out:
        return ""
    rows = [(one["name"], one["reason"]) for one in left_out]
    return f"<h2>Files that were left out</h2>{_table(('file', 'reason'), rows)}"


def _policies(document: dict[str, Any]) -> list[str]:
    metric = document["metric"]
    ordered = sorted(document["policies"], key=lambda one: one["loss"])
    best = min(one["loss"] for one in ordered if one["promotion"] == "none")
    chart = bars(
        f"Loss of {len(ordered)} policies with intervals",
        Axis(f"{metric} over all scored files, with its interval against the best",
             0.0, max(one["loss"] for one in ordered), _short),
        [
            Bar(one["policy"], one["loss"], best * (1 + one["low"]), best * (1 + one["high"]),
                _css(one))
            for one in ordered
        ],
    )  # fmt: skip
    rows = [
        (
            one["policy"], _short(one["loss"]), _percent(one["difference"]),
            f"{_percent(one['low'])} to {_percent(one['high'])}",
            f"{one['best_share']:.0%}" if one["promotion"] == "none" else "",
            f"{one['trainings']:,}", f"{one['seconds']:.1f}", one["rejected"] or "",
            one["returns"] or "",
        )
        for one in ordered
    ]  # fmt: skip
    headings = ("policy", metric, "against the best", "95 % interval", "best in resamples",
                "trainings", "seconds", "turned down", "returns")  # fmt: skip
    return ["<h2>Policies</h2>", chart, _details(headings, rows)]


def _decay(document: dict[str, Any]) -> list[str]:
    metric, curve = document["metric"], document["decay"]["curve"]
    if len(curve) < 2:
        return []
    low = min(0.0, *(one["low"] for one in curve))
    high = max(0.01, *(one["high"] for one in curve))
    chart = lines(
        "Loss against model age, with intervals",
        Axis("age of the model, in files",
             0.0, float(curve[-1]["age"]), _short),
        Axis(f"{metric} above that of the newest model", low, high, _percent),
        [Line("excess", "moving", [(one["age"], one["excess"]) for one in curve])],
        [(one["age"], one["low"], one["high"]) for one in curve],
    )  # fmt: skip
    rows = [
        (
            one["age"], _short(one["loss"]), _short(one["fresh_loss"]), _percent(one["excess"]),
            f"{_percent(one['low'])} to {_percent(one['high'])}", one["files"],
        )
        for one in curve
    ]  # fmt: skip
    headings = ("age in files", metric, f"{metric} of the newest", "above it", "95 % interval",
                "measured on files")  # fmt: skip
    window = counted(document["decay"]["window"], "file")
    basis = (
        f"Every model learned {window}; each age is measured against the newest of them, on the "
        "same rows."
    )
    return ["<h2>How a model ages</h2>", f"<p>{basis}</p>", chart, _details(headings, rows)]


def _course(document: dict[str, Any]) -> list[str]:
    metric, course = document["metric"], document["course"]
    known = [one[who] for one in course for who in ("static", "retrained") if one[who] is not None]
    moving = course[0]["policy"]
    chart = lines(
        "Loss of a static and a retrained model, file by file",
        Axis("scored file", 1.0, float(len(course)), _short),
        Axis(metric, 0.0, max(known, default=1.0) * 1.12, _short),
        [
            Line("static", "static", [(n, one["static"]) for n, one in enumerate(course, 1)]),
            Line(moving, "moving", [(n, one["retrained"]) for n, one in enumerate(course, 1)]),
        ],
    )
    rows = [
        (one["file"], one["rows"], _short(one["static"]), _short(one["retrained"]))
        for one in course
    ]
    headings = ("file", "rows", f"{metric}, static", f"{metric}, {moving}")
    return ["<h2>File by file</h2>", chart, _details(headings, rows)]


def _cost(document: dict[str, Any]) -> list[str]:
    metric, cost = document["metric"], document["cost"]
    chart = dots(
        "Loss against training time",
        Axis("processor time of all trainings, in seconds",
             0.0, max(one["seconds"] for one in document["policies"]) * 1.05, _short),
        Axis(metric, 0.0, max(one["loss"] for one in document["policies"]) * 1.05, _short),
        [
            (f"{one['policy']}: {_short(one['loss'])}, {one['seconds']:.1f} s", _css(one),
             one["seconds"], one["loss"])
            for one in document["policies"]
        ],
    )  # fmt: skip
    rows = [
        ("trainings that the policies asked for", f"{cost['trainings_asked']:,}"),
        ("distinct trainings", f"{cost['trainings_distinct']:,}"),
        ("made for this report", f"{cost['trainings_made']:,}"),
        ("processor time of the distinct trainings", f"{cost['processor_seconds']:.1f} s"),
        ("elapsed", f"{cost['elapsed_seconds']:.1f} s"),
    ]
    by_policy = [
        (one["policy"], f"{one['trainings']:,}", f"{one['seconds']:.1f}", _short(one["loss"]))
        for one in sorted(document["policies"], key=lambda one: one["seconds"])
    ]
    headings = ("policy", "trainings", "seconds", metric)
    return [
        "<h2>What training costs</h2>", chart, _details(headings, by_policy),
        _table(("this replay", ""), rows),
    ]  # fmt: skip


def _css(policy: dict[str, Any]) -> str:
    if policy["every"] is None:
        return "static"
    return "moving" if policy["promotion"] == "none" else "gated"


def _details(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return f"<details><summary>The table behind it</summary>{_table(headings, rows)}</details>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _percent(value: float) -> str:
    return f"{value:+.1%}" if abs(value) < 10 else f"{value:+,.0%}"
