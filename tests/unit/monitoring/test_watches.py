"""Looks are numbered, immutable, read with one listing, and each builds on the one before it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.monitoring.findings import Finding
from perennial.domain.monitoring.report import (
    Answers,
    Change,
    Distance,
    Feature,
    FilePoint,
    Jobs,
    Source,
    Traffic,
    Watch,
)
from perennial.domain.monitoring.volumes import Volume
from perennial.errors import PreconditionFailed
from perennial.workflows.monitoring.watches import add_watch, latest_watch, read_watch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUND = Finding(
    "jump", "amount", "warning", "it jumped by 3", "look at it", NOW, NOW, {"by": 3.0}, news="f1"
)
FULL = Watch(
    pipeline="shop",
    number=1,
    at=NOW,
    champion="v000001",
    findings=(FOUND,),
    closed=(replace(FOUND, closed=NOW),),
    changes=(Change("opened", FOUND),),
    features=(
        Feature("amount", "feature", "Kolmogorov-Smirnov", Distance(0.2, 0.1, 40, 900, "beyond")),
    ),
    files=(FilePoint("1-a", "shop/ü.csv", NOW, 40, 0.5, {"amount": 0.2}),),
    sources=(Source("north/", {"accepted": 3}, "A", "shop/north/a.csv", NOW, 3600.0, 9000.0),),
    jobs=Jobs(3, {"promoted": 3}, 12.5, "run", 4.0),
    traffic=Traffic(NOW, NOW, 3, 9, {"v000001": 9}, 1, False, {"count": 9, "nulls": 0}),
    errors={"predictions": "the bucket cannot be read"},
    volumes=(Volume("north/", "1-a", NOW, 40, 30, 0.5),),
)


def test_a_look_is_read_back_as_it_was_written() -> None:
    assert Watch.from_json(FULL.to_json()) == FULL
    assert Watch.from_json(Watch("shop", 1, NOW).to_json()) == Watch("shop", 1, NOW)


def test_what_is_told_of_a_look_is_read_back_without_what_only_the_next_look_needs() -> None:
    told = Watch.from_json(json.dumps(FULL.document()).encode())
    assert told == replace(FULL, marks={}, answers=Answers(), volumes=())


def test_each_look_builds_on_the_one_before_and_the_newest_is_found_by_one_name() -> None:
    data = MemoryStore("data")
    for number in (1, 2, 3):
        written = add_watch(data, "shop", latest_watch(data, "shop"), lambda _: FULL)
        assert written is not None
        assert written.number == number
    assert latest_watch(data, "shop") == replace(FULL, number=3)
    assert read_watch(data, "shop", 1) == FULL
    assert next(iter(data.list(names.watches("shop"), limit=1))).name == names.watch("shop", 3)
    assert names.parse_watch(names.watch("shop", 3)) == 3
    assert latest_watch(data, "shop-two") is None


def test_nothing_new_writes_nothing() -> None:
    data = MemoryStore("data")
    assert add_watch(data, "shop", None, lambda _: None) is None
    assert list(data.list()) == []


def test_of_two_looks_at_once_the_later_builds_on_the_earlier() -> None:
    data = MemoryStore("data")
    seen: list[int] = []

    def build(before: Watch | None) -> Watch:
        seen.append(before.number if before else 0)
        if len(seen) == 1:  # another look is written while this one is being made
            add_watch(data, "shop", None, lambda _: replace(FULL, champion="v000002"))
        return FULL

    written = add_watch(data, "shop", None, build)
    assert seen == [0, 1]
    assert written is not None
    assert written.number == 2


def test_a_look_that_is_always_too_late_says_so() -> None:
    data = MemoryStore("data")
    others = iter(range(100))

    def build(_: Watch | None) -> Watch:
        last = latest_watch(data, "shop")
        add_watch(data, "shop", last, lambda _: replace(FULL, champion=f"v{next(others)}"))
        return FULL

    with pytest.raises(PreconditionFailed, match="others were first 5 times"):
        add_watch(data, "shop", None, build)
