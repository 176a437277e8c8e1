"""What lies under names that are no pipelines is found in bounded listings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain.names import FileId
from perennial.domain.verdict import Decision, Verdict
from perennial.workflows import strays
from perennial.workflows.strays import Strays, find_strays
from perennial.workflows.verdicts import write_verdict

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def decide(data: MemoryStore, pipeline: str, files: int, decision: Decision = "pending") -> None:
    for number in range(1, files + 1):
        write_verdict(data, Verdict(pipeline, FileId(number, f"{pipeline}/x"), decision, NOW))


def test_only_what_waits_counts() -> None:
    """Files that vanished do not, nor do folders in which nothing was decided."""
    data = MemoryStore("data")
    decide(data, "lilies", 2)
    decide(data, "roses", 1, "vanished")
    decide(data, "tulips", 3, "accepted")
    data.create("shp/homes/1", b"_unknown")

    assert find_strays(data, {"tulips"}) == [Strays("lilies", 2, more=False)]


def test_the_later_decision_about_a_file_is_the_one_that_counts() -> None:
    data = MemoryStore("data")
    decide(data, "_unknown", 2, "quarantined")
    file = FileId(1, "_unknown/x")
    write_verdict(data, Verdict("_unknown", file, "discarded", NOW, number=2))

    assert find_strays(data, ()) == [Strays("_unknown", 1, more=False)]


def test_a_folder_full_of_files_is_not_listed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "DECISIONS", 5)
    data = MemoryStore("data")
    decide(data, "lilies", 20)

    assert find_strays(data, ()) == [Strays("lilies", 5, more=True)]


def test_no_more_than_so_many_folders_are_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipelines that exist do not count: their folders are passed over."""
    monkeypatch.setattr(strays, "FOLDERS", 2)
    data = MemoryStore("data")
    for name in "abcde":
        decide(data, name, 1)

    assert [one.pipeline for one in find_strays(data, {"a"})] == ["b", "c"]
