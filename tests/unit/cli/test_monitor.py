"""`perennial monitor`: what was found, with its numbers, and the way on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.cli import context
from perennial.errors import PermissionDenied
from perennial.ports import Buckets
from perennial.workflows.monitoring.watches import latest_watch
from perennial.workflows.runs import RunRecord, write_run

from .conftest import Run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def failed(flowers: Run, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A pipeline whose last run failed."""
    monkeypatch.setattr(context, "open_predictions", lambda _: MemoryStore("predictions"))
    write_run(
        buckets.data,
        RunRecord("flowers", "20260301T120000000000-1", "failed", "no memory", NOW, NOW),
    )
    return flowers


def test_shows_what_is_wrong_and_what_to_do(failed: Run) -> None:
    ran = failed("monitor", "flowers")

    assert ran.code == 0
    assert "error      job failed, since" in ran.out
    assert "run 20260301T120000000000-1 failed: no memory" in ran.out
    assert "→ the champion goes on serving; `perennial retrain flowers`" in ran.out
    assert "1 run looked at (1 failed)" in ran.out


def test_json_has_it_all_and_what_is_new_is_kept(failed: Run, buckets: Buckets) -> None:
    document = failed("monitor", "flowers", "--json").json

    assert [one["kind"] for one in document["findings"]] == ["job_failed"]
    assert document["errors"] == {}
    assert {"features", "files", "sources", "jobs", "traffic", "closed", "changes"} <= set(document)
    watch = latest_watch(buckets.data, "flowers")
    assert watch is not None
    assert watch.document() == document


def test_a_pipeline_without_findings_says_so(flowers: Run) -> None:
    assert "findings   none is open" in flowers("monitor", "flowers").out


def test_an_unknown_pipeline_is_one_line(flowers: Run) -> None:
    ran = flowers("monitor", "roses")

    assert ran.code == 1
    assert "no pipeline 'roses'" in ran.complaint


def test_whoever_may_only_read_looks_all_the_same(
    failed: Run, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionDenied("you may not", bucket="data")

    monkeypatch.setattr(buckets.data, "create", refused)
    document = failed("monitor", "flowers", "--json").json

    assert [one["kind"] for one in document["findings"]] == ["job_failed"]
    assert latest_watch(buckets.data, "flowers") is None


def test_status_shows_what_is_open(failed: Run) -> None:
    assert failed("status", "flowers", "--json").json["findings"] == []
    failed("monitor", "flowers")
    document = failed("status", "flowers", "--json").json

    assert [one["kind"] for one in document["findings"]] == ["job_failed"]
    assert "finding    error: run 20260301T120000000000-1 failed" in failed("status", "flowers").out
    assert "1 open error" in failed("status").out
