"""The story in words: every event has some, plain where there is no terminal."""

from __future__ import annotations

import io
from datetime import date
from typing import get_args

import pytest
from rich.console import Console

from localdev.demo.events import (
    Chapter,
    Closed,
    Command,
    Curled,
    Diagnosed,
    Event,
    Finding,
    Month,
    Opened,
    Scored,
    Served,
    Trained,
    Week,
    document,
)
from localdev.demo.telling import Teller

WEEK = date(2025, 11, 18)
STORY: list[Event] = [
    Chapter("September to February", "a file a week"),
    Command("perennial drop shop visits-* --wait"),
    Opened("shop-cloud", {"storage": "http://127.0.0.1:1", "predict": "http://127.0.0.1:2"}),
    Week(WEEK, "shop/visits-2025-11-18.csv", 213, "quarantined", "cents", False),
    Diagnosed("shop/visits-2025-11-18.csv", (Finding("range", "above 500: [9460.0]"),)),
    Trained(
        "r1",
        "promoted",
        "better, passes: …",
        "v000002",
        "v000002",
        (Scored(WEEK, "v000001", 213, 0.5),),
    ),
    Month("2026-02", 1251, 0.889, 0.477),
    Served("v000001", 0.04, 0.7),
    Curled("curl …", {"predictions": [{"label": True}]}),
    Closed(70.0, False),
]


def told(*events: Event, terminal: bool = False) -> str:
    output = io.StringIO()
    teller = Teller(Console(file=output, force_terminal=terminal, width=100))
    for event in events:
        teller.tell(event)
    teller.rest()
    return output.getvalue()


def test_the_examples_here_are_all_the_kinds_of_events() -> None:
    assert {type(event) for event in STORY} == set(get_args(Event))


@pytest.mark.parametrize("event", STORY, ids=lambda event: type(event).__name__)
def test_every_event_has_words(event: Event) -> None:
    assert told(event).strip()


def test_without_a_terminal_there_are_no_escape_codes() -> None:
    assert "\x1b" in told(*STORY, terminal=True)
    assert "\x1b" not in told(*STORY)


def test_brackets_in_a_report_are_shown_and_not_read_as_markup() -> None:
    assert "[9460.0]" in told(*STORY)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("promoted", "→ v000002 promoted"),
        ("waiting_approval", "→ v000002 waits for approval"),
        ("rejected", "→ v000002 rejected"),
    ],
)
def test_what_became_of_a_version_is_told_beside_how_its_duel_ended(
    outcome: str, words: str
) -> None:
    reason = "better, passes: the loss is 9.0% lower than v000001's (95 % …) on 213 rows"
    first, second = told(Trained("r1", outcome, reason, "v000002", "v000001", ())).splitlines()
    assert first.strip() == words
    assert second.strip() == ("better, passes: the loss is 9.0% lower than v000001's on 213 rows")


def test_a_run_without_a_version_is_told_by_its_outcome() -> None:
    event = Trained("r1", "nothing_new", "v000001 has learned all", None, "v000001", ())
    assert told(event).splitlines()[0].strip() == "→ nothing new"


def test_the_longer_bar_is_the_greater_loss() -> None:
    static, dynamic = told(Month("2026-02", 9, 0.9, 0.5)).splitlines()[-2:]
    assert static.count("█") > dynamic.count("█")


def test_a_cloud_that_stays_is_told_how_to_be_ended() -> None:
    opened = Opened(
        "shop-cloud", {"storage": "http://127.0.0.1:1", "predict": "http://127.0.0.1:2"}
    )
    assert "perennial down --dir shop-cloud" in told(opened, Closed(70.0, True))
    assert "perennial down --dir" not in told(opened, Closed(70.0, False))


def test_the_document_keeps_the_facts_and_leaves_the_dressing_out() -> None:
    facts = document(STORY)
    assert facts["weeks"][0]["verdict"] == "quarantined"
    assert facts["months"] == [
        {"month": "2026-02", "visits": 1251, "static": 0.889, "dynamic": 0.477}
    ]
    assert facts["closed"] == {"seconds": 70.0, "stays": False}
    assert not {"chapters", "commands"} & set(facts)
