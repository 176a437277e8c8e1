"""A pipeline's report as one HTML file, complete in itself: it can be mailed, printed and kept.

It loads nothing and runs no script, every chart has the table behind it, and all that comes from
files, definitions and people is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any

from perennial.domain.charts.figure import Chart
from perennial.domain.charts.numbers import said
from perennial.domain.charts.pipeline import (
    ScoredFile,
    drift_by_feature,
    duration,
    run_durations,
    score_over_time,
)
from perennial.domain.charts.replays import ageing, policies, static_against_retrained
from perennial.domain.html import folded, page, table
from perennial.domain.monitoring.findings import SEVERITIES, Finding
from perennial.domain.monitoring.report import Feature, Watch
from perennial.domain.reporting.style import STYLE
from perennial.domain.words import counted

_SCORE = (
    "Each file is predicted before anything learns from it. Dotted lines: from there on another "
    "version predicts."
)
_DRIFT = (
    "The newest files against what the champion learned, each with the limit above which it is "
    "more than usual."
)
_FINDINGS = 30
_REASON = 300  # characters of a reason that a table shows


def to_html(document: Mapping[str, Any]) -> str:
    """The report.

    Args:
        document: as `perennial report --json` prints it.
    """
    name, watch = document["pipeline"], document["watch"]
    look = None if watch is None else Watch.from_json(json.dumps(watch).encode())
    body = [
        *_head(document, look),
        *_needs(document["status"], look),
        *_champion(document["status"]),
        *_score(document["status"]),
        *_drift(look),
        *_static(document),
        *_versions(document),
        *_files(document["status"]),
        *_sources(look),
        *_runs(document["status"]),
        _note(f"All times are UTC. `perennial status {name}` says how it is now."),
    ]
    return page(f"{name}: report of {_moment(document['made'])}", STYLE, body)


def _head(document: Mapping[str, Any], look: Watch | None) -> list[str]:
    status = document["status"]
    made = f"Report of {_moment(document['made'])}, {status['task']}, {status['mode']} training"
    return [
        f"<h1>{escape(document['pipeline'])}</h1>",
        _note(made),
        _health(status["health"], look),
        "" if look else _note("The monitor has not looked at it yet."),
    ]


def _health(found: Mapping[str, Any], look: Watch | None) -> str:
    """The word, and those reasons that no finding tells more of."""
    told = {finding.summary for finding in look.findings} if look else set()
    reasons = [one["reason"] for one in found["reasons"] if one["reason"] not in told]
    return (
        f'<div class="health {found["state"]}"><p>{escape(found["word"])}</p>{_list(reasons)}</div>'
    )


def _needs(status: Mapping[str, Any], look: Watch | None) -> list[str]:
    """Every alert and finding, with what to do about it."""
    findings = sorted(
        look.findings if look else (),
        key=lambda one: (-SEVERITIES.index(one.severity), -one.seen.timestamp()),
    )[:_FINDINGS]
    parts = [_box("error", "alert", alert, "") for alert in status["alerts"]]
    parts += [_finding(one) for one in findings if one.severity != "info"]
    if status["waiting"]:
        parts += ["<p>It waits:</p>", _list(status["waiting"])]
    if look and look.errors:
        failed = [(part, why) for part, why in look.errors.items()]
        parts.append(table(("could not be looked at", "why"), failed))
    if parts:
        parts = ["<h2>What needs a person</h2>", *parts]
    if lighter := [_finding(one) for one in findings if one.severity == "info"]:
        summary = f"<summary>{counted(len(lighter), 'finding')} for information</summary>"
        parts.append(f"<details>{summary}{''.join(lighter)}</details>")
    if look and len(look.findings) > _FINDINGS:
        parts.append(_note(f"and {len(look.findings) - _FINDINGS} more, less serious"))
    return parts


def _list(items: Iterable[str]) -> str:
    inner = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{inner}</ul>" if inner else ""


def _finding(finding: Finding) -> str:
    about = f" of {finding.subject}" if finding.subject else ""
    since = f"since {finding.opened:%Y-%m-%d %H:%M}, seen {counted(finding.times, 'time')}"
    title = f"{finding.severity}: {finding.kind.replace('_', ' ')}{about}, {since}"
    return _box(finding.severity, title, finding.summary, finding.advice)


def _box(css: str, title: str, text: str, advice: str) -> str:
    more = _note(advice) if advice else ""
    return f'<div class="found {css}">{_note(title)}<p>{escape(text)}</p>{more}</div>'


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _champion(status: Mapping[str, Any]) -> list[str]:
    if status["champion"] is None:
        return ["<h2>Champion</h2>", "<p>None yet.</p>"]
    progressive, pin = status["progressive"], status["pinned"]
    facts = [
        ("version", status["champion"]),
        ("trained through", _moment(status["trained_through"])),
        ("age", duration(status["age_seconds"])),
        ("before it", ", ".join(status["predecessors"][:5]) or "none"),
    ]
    if progressive["value"] is not None:
        rows = counted(progressive["rows"], "row")
        value = f"{progressive['metric']} {said(progressive['value'])}"
        facts.append(("score", f"{value} on {rows}, each predicted before it was learned"))
        others = (one for one in progressive["metrics"].items() if one[0] != progressive["metric"])
        facts.append(("also", ", ".join(f"{name} {said(value)}" for name, value in others)))
    if pin:
        facts.append(("pinned", f"by {pin['by']}: {pin['why']}"))
    if status["ageing"]:
        facts.append(("ageing", status["ageing"]["sentence"]))
    return ["<h2>Champion</h2>", _facts(facts)]


def _score(status: Mapping[str, Any]) -> list[str]:
    return [
        "<h2>Score over time</h2>",
        _note(_SCORE),
        *_figure(score_over_time(status["progressive"]["metric"], _scored(status["progressive"]))),
    ]


def _scored(progressive: Mapping[str, Any]) -> list[ScoredFile]:
    return [
        ScoredFile(
            file["name"],
            datetime.fromisoformat(file["at"]),
            file["version"],
            file["metrics"].get(progressive["metric"]),
            file["rows"],
            "" if file["verdict"] == "accepted" else file["verdict"],
        )
        for file in progressive["files"]
    ]


def _drift(look: Watch | None) -> list[str]:
    if look is None or not look.features:
        return []
    skews = [_skew(one) for one in look.features if one.skew.value is not None]
    requests = (
        ["<h3>Requests against training</h3>",
         table(("column", "distance", "value", "limit", "rows"), skews)]
        if skews
        else []
    )  # fmt: skip
    return [
        "<h2>Drift by feature</h2>",
        _note(_DRIFT),
        *_figure(drift_by_feature(look.features)),
        *requests,
    ]


def _skew(one: Feature) -> tuple[str, ...]:
    skew = one.skew
    beyond = " ▲" if skew.verdict == "beyond" else ""
    return (
        one.name, one.distance, f"{_said(skew.value)}{beyond}", _said(skew.limit), f"{skew.rows:,}",
    )  # fmt: skip


def _static(document: Mapping[str, Any]) -> list[str]:
    """A replay that was kept, or named."""
    replay = document["replay"]
    if replay is None:
        return []
    history = replay["history"]
    files = f"{counted(history['files'], 'file')}, {history['first']} to {history['last']}"
    return [
        "<h2>Would a static model have sufficed?</h2>",
        f"<p>{escape(replay['verdict']['sentence'])}</p>",
        f"<p>{escape(replay['recommendation']['sentence'])}</p>",
        _note(f"A replay of {files}. Each file was predicted before it was learned."),
        *_figure(static_against_retrained(replay)),
        *_figure(policies(replay)),
        *_figure(ageing(replay)),
    ]


def _versions(document: Mapping[str, Any]) -> list[str]:
    found, total = document["versions"], document["versions_total"]
    if not found:
        return []
    rows = [
        (
            one["version"],
            "serves" if one["serving"] else one["status"],
            _moment(one["created"]),
            f"{one['trained_rows']:,}",
            one["outcome"],
            _progressive(one),
            one["reason"][:_REASON],
        )
        for one in reversed(found)
    ]
    more = (
        f'<p class="note">The newest {len(found)} of {total:,}.</p>' if total > len(found) else ""
    )
    headers = ("version", "status", "made", "rows", "duel", "score", "why")
    return ["<h2>Versions</h2>", more, table(headers, rows, "told")]


def _progressive(version: Mapping[str, Any]) -> str:
    found, metric = version["progressive"], version["metric"]
    return f"{metric} {said(found['metrics'][metric])}" if found and found["metrics"] else ""


def _files(status: Mapping[str, Any]) -> list[str]:
    counts = ", ".join(f"{number:,} {decision}" for decision, number in status["counts"].items())
    rows = [
        (_moment(one["decided"]), one["name"], one["verdict"], f"{one['rows']:,}",
         one["reason"][:_REASON])
        for one in reversed(status["verdicts"])
    ]  # fmt: skip
    if not rows:
        return ["<h2>Files</h2>", "<p>None yet.</p>"]
    headers = ("decided", "file", "verdict", "rows", "why")
    return [
        "<h2>Files</h2>",
        f"<p>{escape(counts)}. The last ones:</p>",
        table(headers, rows, "told"),
    ]


def _sources(look: Watch | None) -> list[str]:
    if look is None or not look.sources:
        return []
    rows = [
        (
            one.prefix or "(root)",
            one.grade or "too few files",
            ", ".join(f"{number:,} {verdict}" for verdict, number in one.verdicts.items()),
            f"{one.last:%Y-%m-%d %H:%M}",
            "" if one.rhythm_seconds is None else f"{one.rhythm_seconds / 3600:.1f} h",
        )
        for one in look.sources
    ]
    headers = ("source", "grade", "recent files", "last file", "usual rhythm")
    return ["<h2>Sources</h2>", table(headers, rows)]


def _runs(status: Mapping[str, Any]) -> list[str]:
    if not status["runs"]:
        return []
    return ["<h2>Training runs</h2>", *_figure(run_durations(status["runs"]))]


def _figure(chart: Chart) -> list[str]:
    behind = chart.table
    return [chart.svg, folded(behind.headers, behind.rows, behind.note)]


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f"<dl>{items}</dl>"


def _said(value: float | None) -> str:
    return "" if value is None else said(value)


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"
