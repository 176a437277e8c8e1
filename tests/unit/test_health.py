"""Whether a pipeline needs a person is told by the worst that is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from perennial.domain.health import health
from perennial.domain.monitoring.findings import Finding, Severity
from perennial.domain.names import FileId
from perennial.domain.verdict import Decision, VerdictSummary
from perennial.domain.versioning.registry import Claim, Head, Pin

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVING = Head("shop", champion="v000001")
FAILED = {"outcome": "failed", "reason": "no memory"}


def found(severity: Severity) -> Finding:
    return Finding("jump", "amount", severity, f"a jump, {severity}", "look", NOW, NOW)


def file(decision: Decision, set_aside: int = 0) -> VerdictSummary:
    return VerdictSummary(
        FileId(1, "shop/a.csv"), 1, decision, NOW, "", "", 10, "", None, None,
        rows_set_aside=set_aside,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("head", "known", "state", "reasons"),
    [
        (Head("shop"), {}, "waiting", []),
        (SERVING, {}, "good", []),
        (SERVING, {"findings": [found("info")]}, "good", []),
        (SERVING, {"files": [file("accepted"), file("duplicate")]}, "good", []),
        (SERVING, {"runs": [FAILED, {"outcome": "promoted"}]}, "good", []),
        (SERVING, {"files": [file("quarantined")]}, "attention", ["1 file in quarantine"]),
        (SERVING, {"files": [file("accepted", 2)]}, "attention", ["1 file in quarantine"]),
        (SERVING, {"files": [file("suspect")] * 2}, "attention",
         ["training set 2 files aside as suspect"]),
        (replace(SERVING, statuses={"v000002": "waiting"}), {}, "attention",
         ["v000002 can be approved"]),
        (replace(SERVING, pin=Pin("ada", "a fair", NOW)), {}, "attention",
         ["v000001 is pinned by ada: a fair"]),
        (SERVING, {"more": ["v000000 is better"]}, "attention", ["v000000 is better"]),
        (SERVING, {"runs": [FAILED]}, "bad", ["the last run failed: no memory"]),
        (replace(SERVING, claim=Claim(1, "r7", NOW)), {}, "bad",
         ["run r7 ended without a record: see its log"]),
        (replace(SERVING, claim=Claim(1, "r7", NOW)), {"at_work": True}, "good", []),
        (SERVING, {"findings": [found("warning"), found("error")], "files": [file("suspect")]},
         "bad", ["a jump, error", "a jump, warning", "training set 1 file aside as suspect"]),
    ],
)  # fmt: skip
def test_health(head: Head, known: dict[str, Any], state: str, reasons: list[str]) -> None:
    facts = {"files": [], "runs": [], "findings": [], "at_work": False} | known
    told = health(head, **facts)
    assert told.state == state
    assert [one.reason for one in told.reasons] == reasons
    assert told.document()["word"] == told.word
