"""Listings between requests: fresh where that is quick, a moment old where it is not."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from perennial.workflows.console import snapshots as under_test
from perennial.workflows.console.snapshots import Snapshots


def test_a_quick_listing_is_made_for_every_page(served):
    snapshots = Snapshots(served.trainer.buckets.data, served.trainer.clock)
    assert len(snapshots.of("taps").files) == 2
    served.drop()
    assert len(snapshots.of("taps").files) == 3


def test_a_slow_one_is_shown_again_while_the_next_is_made_beside(served, monkeypatch):
    monkeypatch.setattr(under_test, "PATIENCE_SECONDS", -1.0)
    monkeypatch.setattr(under_test, "SHARE", 0)
    snapshots = Snapshots(served.trainer.buckets.data, served.trainer.clock)
    first = snapshots.of("taps")
    made = threading.Event()
    listing = snapshots._list
    monkeypatch.setattr(snapshots, "_list", lambda pipeline: (listing(pipeline), made.set())[0])
    served.drop()
    assert snapshots.of("taps") is first
    assert made.wait(20)
    assert len(snapshots._kept["taps"].files) == 3


def test_after_an_action_the_next_page_waits(served, monkeypatch):
    monkeypatch.setattr(under_test, "PATIENCE_SECONDS", -1.0)
    snapshots = Snapshots(served.trainer.buckets.data, served.trainer.clock)
    snapshots.of("taps")
    served.drop()
    snapshots.forget("taps")
    assert len(snapshots.of("taps").files) == 3


def test_pages_do_not_list_all_the_time_where_it_takes_long(served, monkeypatch):
    monkeypatch.setattr(under_test, "PATIENCE_SECONDS", -1.0)
    monkeypatch.setattr(under_test, "SHARE", 10**6)
    snapshots = Snapshots(served.trainer.buckets.data, served.trainer.clock)
    first = snapshots.of("taps")
    monkeypatch.setattr(snapshots, "_list", None)
    assert all(snapshots.of("taps") is first for _ in range(5))
    assert not snapshots._under_way


def test_a_listing_of_long_ago_is_not_shown_however_long_it_took(served, monkeypatch):
    """Made beside pages it may have stood still for a night, and so may the page's visitors."""
    snapshots = Snapshots(served.trainer.buckets.data, served.trainer.clock)
    first = snapshots.of("taps")
    night = timedelta(hours=8)
    old = replace(first, at=first.at - night, seconds=night.total_seconds())
    snapshots._kept["taps"] = old
    served.drop()
    assert len(snapshots.of("taps").files) == 3
    assert snapshots._kept["taps"].at > old.at


def test_what_was_listed_before_an_action_is_not_kept_after_it(served, monkeypatch):
    monkeypatch.setattr(under_test, "PATIENCE_SECONDS", -1.0)
    snapshots = Snapshots(served.trainer.buckets.data, served.trainer.clock)
    listing = under_test.list_runs

    def acted_meanwhile(data, pipeline):
        yield from listing(data, pipeline)
        snapshots.forget(pipeline)

    with monkeypatch.context() as patched:
        patched.setattr(under_test, "list_runs", acted_meanwhile)
        snapshots.of("taps")
    served.drop()
    assert len(snapshots.of("taps").files) == 3
