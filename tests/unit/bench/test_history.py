"""Ingest makes one storage call more after a history, however long, than without one."""

from __future__ import annotations

from pathlib import Path

from tests.bench.history import in_memory, measure, promises


def test_a_long_history_costs_one_storage_call(tmp_path: Path) -> None:
    # More than a page of verdicts: a listing of them all would be several calls.
    with in_memory((0, 1_050), tmp_path) as pipelines:
        section = measure(pipelines, tmp_path, 2, "in memory")
    calls, _ = promises([section])
    assert calls.most > 0
    assert calls.met, str(section)
