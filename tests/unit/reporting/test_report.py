"""The report: what it tells, and that it is one safe file."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from perennial.domain.monitoring.findings import Finding
from perennial.domain.monitoring.report import Distance, Feature, Source, Watch
from perennial.domain.reporting.page import to_html

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = "<script>alert('1')</script>\"&"
FOUND = Finding(
    "training_drift", "amount", "warning", "amount is far away", "look at it", NOW, NOW, times=3
)
WATCH = Watch(
    pipeline="shop",
    number=4,
    at=NOW,
    findings=(FOUND, replace(FOUND, severity="info", subject="weekday"),
              replace(FOUND, severity="error", kind="source_down", subject="north/")),
    features=(
        Feature("amount", "feature", "Kolmogorov-Smirnov", Distance(0.3, 0.1, 40, 900, "beyond"),
                Distance(0.2, 0.25, 10, 900, "usual")),
        Feature("weekday", "feature", "Jensen-Shannon", Distance(None, None, 3, 900, "too_few")),
    ),
    sources=(Source("north/", {"accepted": 3, "quarantined": 1}, "C", "a.csv", NOW, 3600.0),),
)  # fmt: skip


def at(days: int) -> str:
    return (NOW + timedelta(days=days)).isoformat()


def scored(day: int, version: str, loss: float) -> dict[str, Any]:
    return {
        "name": f"shop/{day}.csv", "generation": day, "at": at(day), "version": version,
        "verdict": "accepted", "rows": 100, "metrics": {"log_loss": loss}, "sums": {},
    }  # fmt: skip


def run(day: int, outcome: str, version: str | None) -> dict[str, Any]:
    return {
        "started": at(day), "ended": (NOW + timedelta(days=day, seconds=12.5)).isoformat(),
        "outcome": outcome, "reason": f"because of {outcome}", "version": version,
    }  # fmt: skip


STATUS: dict[str, Any] = {
    "task": "binary",
    "health": {
        "state": "bad", "word": "Needs you",
        "reasons": [{"severity": "error", "reason": "amount is far away"},
                    {"severity": "warning", "reason": "1 file in quarantine"}],
    },
    "mode": "dynamic",
    "champion": "v000002",
    "age_seconds": 86_400.0,
    "trained_through": at(-1),
    "predecessors": ["v000001"],
    "pinned": None,
    "progressive": {
        "metric": "log_loss", "value": 0.41, "metrics": {"log_loss": 0.41, "accuracy": 0.8},
        "rows": 300,
        "files": [scored(1, "v000001", 0.5), scored(8, "v000002", 0.4), scored(15, "v000002", 0.3)],
    },
    "ageing": None,
    "counts": {"accepted": 3, "quarantined": 1},
    "verdicts": [
        {"name": "shop/4.csv", "verdict": "quarantined", "rows": 0, "reason": "not a table",
         "decided": at(2)}
    ],
    "runs": [run(1, "promoted", "v000001"), run(8, "failed", None)],
    "waiting": ["v000003 waits for `perennial approve shop`"],
    "alerts": ["the last run failed: no memory"],
}  # fmt: skip
VERSION = {
    "version": "v000002", "status": "approved", "serving": True, "created": at(-1),
    "trained_rows": 300, "outcome": "better", "metric": "log_loss", "reason": "it was better",
    "progressive": {"files": 2, "rows": 200, "metrics": {"log_loss": 0.35}},
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "pipeline": "shop",
    "made": NOW.isoformat(),
    "status": STATUS,
    "versions": [VERSION],
    "versions_total": 3,
    "watch": WATCH.document(),
    "replay": {
        "pipeline": "shop", "metric": "log_loss", "task": "binary", "label": "bought",
        "course": [{"file": "a.csv", "rows": 9, "static": 0.6, "retrained": 0.3, "policy": "all"}],
        "decay": {"curve": [
            {"age": age, "files": 3, "excess": age / 10, "low": 0.0, "high": age / 5}
            for age in range(3)
        ]},
        "verdict": {"sentence": "It drifts."}, "recommendation": {"sentence": "Retrain weekly."},
        "history": {"files": 30, "first": "a.csv", "last": "z.csv"},
        "policies": [
            {"policy": name, "every": every, "loss": loss, "difference": loss - 0.3,
             "low": 0.0, "high": 0.2, "trainings": 4}
            for name, every, loss in (("static", None, 0.6), ("every file", 1, 0.3))
        ],
    },
}  # fmt: skip
EMPTY = DOCUMENT | {
    "status": STATUS
    | {
        "champion": None, "age_seconds": None, "trained_through": None, "predecessors": [],
        "progressive": {"metric": "log_loss", "value": None, "metrics": {}, "rows": 0, "files": []},
        "health": {"state": "waiting", "word": "Waits for data", "reasons": []},
        "counts": {}, "verdicts": [], "runs": [], "waiting": [], "alerts": [],
    },
    "versions": [], "versions_total": 0, "watch": None, "replay": None,
}  # fmt: skip


class _Page(HTMLParser):
    """Elements and texts of a page; fails where tags are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def headings(self) -> list[str]:
        return [text for text in self.texts if text in _HEADINGS]


_HEADINGS = (
    "What needs a person", "Champion", "Score over time", "Drift by feature",
    "Would a static model have sufficed?", "Versions", "Files", "Sources", "Training runs",
)  # fmt: skip


def test_it_tells_what_needs_a_person_first_and_then_everything_else() -> None:
    page = _Page(to_html(DOCUMENT))
    assert tuple(dict.fromkeys(page.headings())) == _HEADINGS
    texts = [text for text in page.texts if text]
    assert texts[texts.index("Needs you") + 1] == "1 file in quarantine"
    worst = page.texts.index("amount is far away")
    assert page.texts[worst - 1].startswith("error: source down of north/"), "the worst comes first"
    assert "look at it" in page.texts


@pytest.mark.parametrize(
    "told",
    ["v000003 waits for `perennial approve shop`", "it was better", "not a table", "0.3 ▲",
     "Kolmogorov-Smirnov, 40 rows against 900: beyond its limit", "It drifts.",
     "The newest 1 of 3.", "1 finding for information", "Retrain weekly.",
     "3 accepted, 1 quarantined", "because of failed", "12.5 s",
     "log_loss 0.41 on 300 rows, each predicted before it was learned", "v2",
     "shop/8.csv, 100 rows, by v000002; v000002 predicted the files from here on"],
)  # fmt: skip
def test_it_tells(told: str) -> None:
    assert told in _Page(to_html(DOCUMENT)).texts


def test_a_pipeline_that_has_nothing_yet_has_a_report_too() -> None:
    page = _Page(to_html(EMPTY))
    assert "Waits for data" in page.texts
    assert "The monitor has not looked at it yet." in page.texts
    assert "Nothing to show yet" in page.texts


def hostile(value: Any) -> Any:
    """The same document, in which every free text could be an attack."""
    if isinstance(value, dict):
        return {key: hostile(one) if key not in _FIXED else one for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


_FIXED = {
    "at", "made", "created", "decided", "started", "ended", "trained_through", "last", "opened",
    "seen", "state", "severity", "kind", "metric", "metrics", "drift", "skew",
}  # fmt: skip


def test_nothing_that_anybody_wrote_is_run_or_loaded() -> None:
    page = to_html(hostile(deepcopy(DOCUMENT)))
    read = _Page(page)
    assert {tag for tag, _ in read.tags}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "form", "a"}
    )
    for _, attributes in read.tags:
        assert not {"src", "href", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    (policy,) = (a["content"] for tag, a in read.tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_every_chart_has_a_name_and_the_table_behind_it() -> None:
    page = to_html(DOCUMENT)
    charts = page.split('<svg xmlns="http://www.w3.org/2000/svg" role="img"')[1:]
    assert len(charts) == 6
    for chart in charts:
        assert "<title>" in chart
        assert "<desc>" in chart
        assert "<details><summary>The table behind it</summary>" in chart


def test_a_page_of_a_long_history_stays_small() -> None:
    document = deepcopy(DOCUMENT)
    files = [scored(day, f"v{day:06}", 0.5) for day in range(1, 1001)]
    document["status"]["progressive"]["files"] = files
    document["watch"] = replace(WATCH, findings=(FOUND,) * 200).document()
    page = to_html(document)
    assert len(page) < 400_000
    assert "and 170 more, less serious" in page


def test_the_document_is_json() -> None:
    assert to_html(json.loads(json.dumps(DOCUMENT))) == to_html(DOCUMENT)
