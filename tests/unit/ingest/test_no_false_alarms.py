"""What `perennial init` writes from the first files turns none of the later ones away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from localdev.demo import shop
from localdev.demo.story import DEFINITION
from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.definitions.inference import infer_definition
from perennial.domain.judging.reference import NO_HISTORY, Reference
from perennial.domain.judging.validation import Judgement, judge_bytes

ARRIVED = datetime(2026, 11, 27, tzinfo=UTC)

Change = Callable[[pl.DataFrame], pl.DataFrame]


def inferred(files: list[Path], label: str) -> Definition:
    seen = [(file.name, file.read_bytes()) for file in files]
    return parse(infer_definition("stream", seen, label))


def judged(definition: Definition, data: bytes, reference: Reference) -> Judgement:
    return judge_bytes(definition, "a.csv", data, arrived=ARRIVED, reference=reference)


def rules(judgement: Judgement, severity: str) -> set[str]:
    return {finding.rule for finding in judgement.findings if finding.severity == severity}


def alarms(
    files: list[Path], samples: int, label: str
) -> tuple[dict[str, list[str]], Counter[str]]:
    """The files that are rejected and why, and how many draw each warning, as history grows."""
    definition = inferred(files[:samples], label)
    rejected, warned, reference = {}, Counter[str](), NO_HISTORY
    for file in files:
        judgement = judged(definition, file.read_bytes(), reference)
        if not judgement.accepted:
            rejected[file.name] = [f.message for f in judgement.findings if f.severity == "reject"]
        warned.update(rules(judgement, "warn"))
        reference = reference.folding([judgement.statistics])
    return rejected, warned


@pytest.mark.parametrize("samples", [1, 16], ids=["first file", "first 15 %"])
def test_every_week_of_bike_is_accepted(bike: list[Path], samples: int) -> None:
    rejected, warned = alarms(bike, samples, "cnt")

    print(f"bike, {samples} samples, {len(bike)} files: {dict(warned)}")
    assert rejected == {}
    assert set(warned) <= {"observed", "distribution"}
    assert max(warned.values()) <= 5  # holidays, a new season, and the last week, of one day


@pytest.mark.parametrize("samples", [1, 6], ids=["first file", "first 15 %"])
def test_every_file_of_comments_is_accepted(ytspam: list[Path], samples: int) -> None:
    rejected, warned = alarms(ytspam, samples, "spam")

    print(f"ytspam, {samples} samples, {len(ytspam)} files: {dict(warned)}")
    assert rejected == {}
    assert set(warned) <= {"observed", "duplicate_row", "distribution", "unseen_categories"}
    assert warned["duplicate_row"] <= 5  # the same comment, twice in the same second
    assert warned["observed"] <= 10  # of five videos, and comments far longer than any before


@pytest.mark.parametrize("samples", [1, 6], ids=["first file", "first 15 %"])
def test_without_any_history_they_are_accepted_too(ytspam: list[Path], samples: int) -> None:
    definition = inferred(ytspam[:samples], "spam")

    assert all(judged(definition, f.read_bytes(), NO_HISTORY).accepted for f in ytspam)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("runs_every", [1, 4])
def test_every_good_week_of_the_shop_is_accepted(seed: int, runs_every: int) -> None:
    """Among its columns are the days until the next holiday, which begin anew after each."""
    definition, reference, waiting = parse(DEFINITION.read_text()), NO_HISTORY, []
    for number, week in enumerate(shop.weeks(), start=1):
        good = shop.uploads(week, seed=seed)[-1]
        if good.name.endswith(".gz"):
            continue
        judgement = judged(definition, good.data, reference)
        assert judgement.accepted, (good.name, judgement.findings)
        waiting.append(judgement.statistics)
        if number % runs_every == 0:
            reference, waiting = reference.folding(waiting), []


CHANGES: dict[str, tuple[Change, str, str]] = {
    "temperatures ten times": (
        lambda f: f.with_columns(pl.col("temp") * 10), "reject", "unit_change",
    ),
    "wind in percent": (
        lambda f: f.with_columns(pl.col("windspeed") * 100), "reject", "unit_change",
    ),
    "counts in thousands": (
        lambda f: f.with_columns(pl.col("cnt") * 1000), "reject", "unit_change",
    ),
    "no humidity at all": (lambda f: f.with_columns(hum=None), "reject", "null_fraction"),
    "every other humidity lost": (
        lambda f: f.with_columns(pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.col("hum"))),
        "warn", "null_fraction",
    ),
    "a wind that stands still": (lambda f: f.with_columns(windspeed=0.2), "warn", "constant"),
    "humidity, one too much": (
        lambda f: f.with_columns(pl.col("hum") + 1), "warn", "distribution",
    ),
}  # fmt: skip


WEEKS = (40, 60, 80, 100)


@pytest.fixture(scope="module")
def histories(bike: list[Path]) -> dict[int, Reference]:
    """What the weeks before each of some were like."""
    definition, reference, histories = inferred(bike[:16], "cnt"), NO_HISTORY, {}
    for week, file in enumerate(bike[: max(WEEKS)]):
        if week in WEEKS:
            histories[week] = reference
        reference = reference.folding([judged(definition, file.read_bytes(), reference).statistics])
    return histories | {max(WEEKS): reference}


@pytest.mark.parametrize("change", CHANGES)
def test_what_breaks_with_history_is_found(
    bike: list[Path], histories: dict[int, Reference], change: str
) -> None:
    """In each of four weeks, after all those before it; at most one is missed."""
    definition = inferred(bike[:16], "cnt")
    alter, severity, rule = CHANGES[change]
    found = 0
    for week, reference in histories.items():
        data = bike[week].read_bytes()
        table = pl.read_csv(data, infer_schema_length=None)
        wrong = judged(definition, alter(table).write_csv().encode(), reference)
        found += rule in rules(wrong, severity) - rules(
            judged(definition, data, reference), severity
        )
    assert found >= 3
