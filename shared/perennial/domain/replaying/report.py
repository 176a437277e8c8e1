"""A replay's report for people: one HTML page, complete in itself.

It loads nothing, runs no script, and every chart has the table behind it. All text that comes from
files or definitions is escaped.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from perennial.domain.html import folded, page, table
from perennial.domain.replaying.svg import Axis, Bar, Dot, Line, bars, dots, lines
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
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: var(--ink); }
svg.phone { display: none; }
@media (max-width: 40rem) { svg.desk { display: none; } svg.phone { display: block; } }
.middle { text-anchor: middle; } .end { text-anchor: end; } .name { fill: var(--soft); }
.grid { stroke: var(--faint); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.static { stroke: var(--two); } .line.moving { stroke: var(--one); }
.band { fill: var(--band); } .whisker { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.bar.static, .dot.static { fill: var(--two); } .bar.moving, .dot.moving { fill: var(--one); }
.bar.gated, .dot.gated { fill: var(--three); } .bar { fill-opacity: .6; }
.bar:hover { fill-opacity: .8; } .dot { fill-opacity: .8; }
.strip { fill: transparent; } .strip:hover { fill: var(--ink); fill-opacity: .12; }
.legend { font-size: .85rem; } .legend > span { margin-right: 1.2rem; white-space: nowrap; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; opacity: .75; }
.key.static { background: var(--two); } .key.moving { background: var(--one); }
.key.gated { background: var(--three); }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; } summary { cursor: pointer; color: var(--soft); }
details { margin: .5rem 0 1rem; }
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
        f"<p>{_prose(advice['promotion'])}</p>" if advice["promotion"] else "",
        f"<pre>{escape(advice['definition'])}</pre>",
        f'<p class="note">{escape(_basis(document))}</p>',
        _left_out(document),
        *_policies(document),
        *_gates(document),
        *_decay(document),
        *_course(document),
        *_cost(document),
    ]
    return page(f"Replay of {document['pipeline']}", _STYLE, body)


def _prose(text: str) -> str:
    """A sentence in which `words` of a definition are set apart."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(text))


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
    if history["late_files"]:
        late = counted(history["late_files"], "file")
        said += f" {late} came late, and stand here as if each had come in its rows' time."
    return said


def _left_out(document: dict[str, Any]) -> str:
    left_out = document["history"]["left_out"]
    if not left_out:
        return ""
    rows = [(one["name"], one["reason"]) for one in left_out]
    return f"<h2>Files that were left out</h2>{table(('file', 'reason'), rows)}"


def _policies(document: dict[str, Any]) -> list[str]:
    metric = document["metric"]
    ordered = sorted(document["policies"], key=lambda one: one["loss"])
    best = min(one["loss"] for one in ordered if one["promotion"] == "none")
    longest = max(one["loss"] for one in ordered)
    widest = max(best * (1 + one["high"]) for one in ordered)
    chart = bars(
        f"Loss of {len(ordered)} policies with intervals",
        # An interval may be so wide that it would leave no room for the bars.
        Axis(_loss(document), 0.0, max(longest, min(widest, 1.5 * longest)), _short),
        [
            Bar(one["policy"], one["loss"], best * (1 + one["low"]), best * (1 + one["high"]),
                _css(one), _told(one))
            for one in ordered
        ],
    )  # fmt: skip
    rows = [
        (
            one["policy"], _short(one["loss"]), _percent(one["difference"]), _interval(one),
            f"{one['best_share']:.0%}" if one["promotion"] == "none" else "",
            f"{one['trainings']:,}", f"{one['seconds']:.1f}", one["rejected"] or "",
            one["returns"] or "",
        )
        for one in ordered
    ]  # fmt: skip
    headings = ("policy", metric, "against the best", "95 % interval", "best in resamples",
                "trainings", "seconds", "turned down", "returns")  # fmt: skip
    basis = (
        f"The {metric} of all scored rows; a line is the 95 % interval of its distance from the "
        "best policy without a gate."
    )
    return ["<h2>Policies</h2>", f"<p>{basis}</p>", _LEGEND, chart, folded(headings, rows)]


def _gates(document: dict[str, Any]) -> list[str]:
    if not document["gates"]:
        return []
    rows = [
        (
            one["promotion"].replace("+", " and "), _short(one["loss"]),
            _percent(one["difference"]), _interval(one), _ANSWERS[one["answer"]],
            f"{one['rejected']} of {one['challengers']}", one["returns"],
        )
        for one in document["gates"]
    ]  # fmt: skip
    headings = ("gate", document["metric"], "against the row above", "95 % interval", "verdict",
                "turned down", "returns")  # fmt: skip
    gated = next(one for one in document["policies"] if one["promotion"] != "none")
    free = gated["policy"].removesuffix(", duel")
    loss = next(one["loss"] for one in document["policies"] if one["policy"] == free)
    return [
        "<h2>Behind gates</h2>",
        f"<p>{escape(free.capitalize())}, and what lets each new model serve.</p>",
        table(headings, [("none", _short(loss), "", "", "", "", ""), *rows]),
    ]


def _decay(document: dict[str, Any]) -> list[str]:
    metric, curve = document["metric"], document["decay"]["curve"]
    if len(curve) < 2:
        return []
    low = min(0.0, *(one["low"] for one in curve))
    high = max(0.01, *(one["high"] for one in curve))
    chart = lines(
        "Loss against model age, with intervals",
        Axis("age of the model, in files", 0.0, float(curve[-1]["age"]), _short),
        Axis(f"{metric} above that of the newest model", low, high,
             _rough if high - low > 0.05 else _percent),
        [Line("moving", [(one["age"], one["excess"]) for one in curve])],
        told=[
            (one["age"], (f"{counted(one['age'], 'file')} old: {metric} {_percent(one['excess'])} "
                         f"({_interval(one)}), {_short(one['loss'])} against "
                         f"{_short(one['fresh_loss'])}"))
            for one in curve
        ],
        band=[(one["age"], one["low"], one["high"]) for one in curve],
    )  # fmt: skip
    rows = [
        (
            one["age"], _short(one["loss"]), _short(one["fresh_loss"]), _percent(one["excess"]),
            _interval(one), one["files"],
        )
        for one in curve
    ]  # fmt: skip
    headings = ("age in files", metric, f"{metric} of the newest", "above it", "95 % interval",
                "measured on files")  # fmt: skip
    window = counted(document["decay"]["window"], "file")
    basis = (
        f"Every model learned {window}; each age is measured against the newest of them, on the "
        "same rows. The band is the 95 % interval."
    )
    return ["<h2>How a model ages</h2>", f"<p>{basis}</p>", chart, folded(headings, rows)]


def _course(document: dict[str, Any]) -> list[str]:
    metric, course = document["metric"], document["course"]
    known = [one[who] for one in course for who in ("static", "retrained") if one[who] is not None]
    moving = course[0]["policy"]
    chart = lines(
        "Loss of a static and a retrained model, file by file",
        Axis("scored file", 1.0, float(len(course)), _short),
        Axis(_loss(document), 0.0, max(known, default=1.0), _short),
        [
            Line("static", [(n, one["static"]) for n, one in enumerate(course, 1)]),
            Line("moving", [(n, one["retrained"]) for n, one in enumerate(course, 1)]),
        ],
        told=[
            (n, (f"{n}, {one['file']}: static {_short(one['static'])}, "
                f"{moving} {_short(one['retrained'])}"))
            for n, one in enumerate(course, 1)
        ],
    )  # fmt: skip
    rows = [
        (n, one["file"], one["rows"], _short(one["static"]), _short(one["retrained"]))
        for n, one in enumerate(course, 1)
    ]
    headings = ("", "file", "rows", f"{metric}, static", f"{metric}, {moving}")
    basis = (
        f"From {course[0]['file']} to {course[-1]['file']}, each predicted before it is learned."
    )
    return [
        "<h2>File by file</h2>", f"<p>{escape(basis)}</p>",
        _legend(("static", "static"), ("moving", moving)), chart, folded(headings, rows),
    ]  # fmt: skip


def _cost(document: dict[str, Any]) -> list[str]:
    metric, cost = document["metric"], document["cost"]
    chosen = course[0]["policy"] if (course := document["course"]) else ""
    chart = dots(
        "Loss against training time",
        Axis("processor time of all trainings, in seconds",
             0.0, max(one["seconds"] for one in document["policies"]) * 1.05, _short),
        Axis(_loss(document), 0.0, max(one["loss"] for one in document["policies"]) * 1.05, _short),
        [
            Dot(one["seconds"], one["loss"], _css(one), _told(one),
                one["policy"] if one["policy"] in ("static", chosen) else "")
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
        "<h2>What training costs</h2>", _LEGEND, chart, folded(headings, by_policy),
        table(("this replay", ""), rows),
    ]  # fmt: skip


def _loss(document: dict[str, Any]) -> str:
    """The metric with its unit: the label's, or none."""
    metric = document["metric"]
    return f"{metric}, in {document['label']}" if document["task"] == "regression" else str(metric)


def _told(one: dict[str, Any]) -> str:
    return (
        f"{one['policy']}: {_short(one['loss'])}, {_percent(one['difference'])} against the best "
        f"({_interval(one)}); {counted(one['trainings'], 'training')}, {one['seconds']:.1f} s"
    )


def _interval(one: dict[str, Any]) -> str:
    return f"{_percent(one['low'])} to {_percent(one['high'])}"


_ANSWERS = {"pays": "pays", "harms": "does harm", "no difference": "no sure difference"}


def _legend(*entries: tuple[str, str]) -> str:
    keys = "".join(
        f'<span><span class="key {css}"></span> {escape(name)}</span>' for css, name in entries
    )
    return f'<p class="legend">{keys}</p>'


_LEGEND = _legend(
    ("static", "trained once"), ("moving", "retrained"), ("gated", "retrained, behind a gate")
)


def _css(policy: dict[str, Any]) -> str:
    if policy["every"] is None:
        return "static"
    return "moving" if policy["promotion"] == "none" else "gated"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _percent(value: float) -> str:
    return f"{value:+.1%}" if abs(value) < 10 else f"{value:+,.0%}"


def _rough(value: float) -> str:
    """A percentage for an axis."""
    return f"{value:+,.0%}" if value else "0%"
