"""A report of a pipeline that has learned: what is gathered is what is stored."""

from __future__ import annotations

from datetime import datetime

import pytest

from perennial.domain.reporting.page import to_html
from perennial.errors import NotFoundError
from perennial.workflows import report as reporting
from perennial.workflows.report import report
from perennial.workflows.status import status
from perennial.workflows.versions import list_versions


def made(taps):
    trainer = taps.trainer
    return report(trainer.buckets, taps.registry, trainer.launcher, trainer.clock, "taps")


def test_it_gathers_scores_versions_and_runs_as_other_commands_tell_them(taps):
    for _ in range(3):
        taps.drop()
        taps.train()

    document = made(taps)

    assert document["versions"] == list_versions(taps.registry, "taps", taps.trainer.buckets.data)
    assert document["versions_total"] == len(document["versions"]) == 3
    assert [run["version"] for run in document["status"]["runs"]] == [
        one["version"] for one in document["versions"]
    ]
    page = to_html(document)
    for one in document["versions"]:
        assert f"<td>{one['version']}</td>" in page
    for file in document["status"]["progressive"]["files"]:
        assert f"by {file['version']}" in page


def test_files_are_scored_at_their_place_in_time(taps):
    for _ in range(3):
        taps.drop()
        taps.train()
    trainer = taps.trainer

    told = status(trainer.buckets, taps.registry, trainer.launcher, trainer.clock, "taps")

    times = [datetime.fromisoformat(one["at"]) for one in told["progressive"]["files"]]
    assert len(times) >= 2
    assert times == sorted(set(times))


def test_it_tells_of_the_newest_versions_and_counts_the_others(taps, monkeypatch):
    monkeypatch.setattr(reporting, "VERSIONS", 2)
    for _ in range(3):
        taps.drop()
        taps.train()

    document = made(taps)

    assert [one["version"] for one in document["versions"]] == ["v000002", "v000003"]
    assert "The newest 2 of 3." in to_html(document)


def test_a_pipeline_that_was_never_applied_has_none(taps):
    with pytest.raises(NotFoundError):
        report(
            taps.trainer.buckets, taps.registry, taps.trainer.launcher, taps.trainer.clock, "tap"
        )
