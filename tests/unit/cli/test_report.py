"""`perennial report` on a deployment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from perennial.ports import Buckets
from perennial.workflows.replays import keep_replay

from .conftest import GOOD, Run

REPLAY = {
    "pipeline": "flowers", "task": "binary", "metric": "log_loss", "policies": [], "course": [],
    "decay": {"curve": []},
    "verdict": {"sentence": "It drifts."}, "recommendation": {"sentence": "Retrain weekly."},
    "history": {"files": 3, "first": "a.csv", "last": "c.csv"},
}  # fmt: skip


def test_it_writes_a_page_beside_the_command_and_tells_where(flowers: Run) -> None:
    ran = flowers("report", "flowers")
    assert ran.out == "wrote flowers-report.html\n"
    page = Path("flowers-report.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<h1>flowers</h1>" in page


def test_its_document_holds_what_the_page_tells(flowers: Run) -> None:
    Path("a.csv").write_bytes(GOOD)
    flowers("drop", "flowers", "a.csv")
    document = flowers("report", "flowers", "-o", "there.html", "--json").json
    assert document["file"] == "there.html"
    assert Path("there.html").exists()
    assert document["status"] == flowers("status", "flowers", "--json").json
    assert (document["versions"], document["versions_total"]) == ([], 0)
    assert document["watch"] is None


def test_a_replay_is_told_with_it(flowers: Run) -> None:
    Path("replay.json").write_text(json.dumps(REPLAY))
    flowers("report", "flowers", "--replay", "replay.json")
    assert "Retrain weekly." in Path("flowers-report.html").read_text()


def test_the_replay_that_was_kept_last_is_told_unless_another_is_named(
    flowers: Run, buckets: Buckets
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for sentence in ("Retrain daily.", "Retrain monthly."):
        document = REPLAY | {"recommendation": {"sentence": sentence}}
        keep_replay(buckets.data, "flowers", document, at=now, by="ada")
    flowers("report", "flowers")
    assert "Retrain monthly." in Path("flowers-report.html").read_text()
    Path("replay.json").write_text(json.dumps(REPLAY))
    flowers("report", "flowers", "--replay", "replay.json")
    page = Path("flowers-report.html").read_text()
    assert "Retrain weekly." in page
    assert "Retrain monthly." not in page


def test_what_is_no_replay_of_this_pipeline_is_refused(flowers: Run) -> None:
    for text, complaint in (
        ("{", "line 1: expected what `perennial replay flowers --json` prints, found no JSON"),
        ("{}", "expected what `perennial replay flowers --json` prints"),
        (json.dumps(REPLAY | {"pipeline": "bike"}), "expected a replay of flowers, found one of"),
    ):
        Path("replay.json").write_text(text)
        ran = flowers("report", "flowers", "--replay", "replay.json")
        assert complaint in ran.complaint
        assert not Path("flowers-report.html").exists()


def test_an_unknown_pipeline_and_a_missing_folder_are_refused(flowers: Run) -> None:
    assert "flower" in flowers("report", "flower").complaint
    assert "there is no folder" in flowers("report", "flowers", "-o", "no/where.html").complaint
