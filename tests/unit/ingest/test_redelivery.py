"""Which file replaces which, from the listed verdicts alone."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.key_set import key_set
from perennial.domain.judging.redelivery import Superseded, counted_again, in_effect, superseded
from perennial.domain.names import FileId
from perennial.domain.verdict import SUMMARY, Verdict, VerdictSummary
from perennial.errors import DefinitionError

TIMED = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  open: {type: integer, role: label, classes: [0, 1]}
"""
SUPERSEDE = "files: {redelivery: supersede}\n"
DEFINITION = parse(TIMED + SUPERSEDE)
KEYED = parse(
    TIMED.replace("  heat:", "  tap: {type: category, role: key}\n  heat:") + SUPERSEDE
)  # fmt: skip
UNTIMED = parse(TIMED.replace("  at: {type: timestamp, role: event_time}\n", "") + SUPERSEDE)
START = datetime(2026, 3, 1, tzinfo=UTC)
GENERATIONS = itertools.count(1)


def accepted(
    name: str, first: float | None = None, last: float | None = None, keys: str = ""
) -> VerdictSummary:
    """A file that came after those made before; its event times are days of March."""
    times = [day and START + timedelta(days=day - 1) for day in (first, last or first)]
    file = FileId(next(GENERATIONS), f"taps/{name}")
    return VerdictSummary(
        file, 1, "accepted", START, "", name, 10, "rows", *times, keys=keys
    )  # type: ignore[arg-type] # fmt: skip


def replaced(files: list[VerdictSummary], definition=DEFINITION) -> dict[str, str]:
    """The generation that replaces each, by generation."""
    found = superseded(definition, files)
    assert superseded(definition, files[::-1]) == found
    numbers = {file.file.stem: file.file.generation for file in files}
    return {numbers[stem]: by.file.generation for stem, by in found.items()}


def numbers(files: list[VerdictSummary]) -> list[int]:
    return [file.file.generation for file in files]


def test_both_count_unless_it_is_declared() -> None:
    files = [accepted("a", 1, 7), accepted("a", 1, 7)]

    assert parse(TIMED).files.redelivery == "append"
    assert superseded(parse(TIMED), files) == {}
    assert in_effect(parse(TIMED), files) == files
    assert in_effect(DEFINITION, files) == files[1:]


def test_what_else_may_be_declared_is_said() -> None:
    with pytest.raises(DefinitionError, match="append"):
        parse(TIMED + "files: {redelivery: replace}\n")


def test_a_later_file_of_the_same_name_replaces_if_it_is_of_the_same_time() -> None:
    a, b, c = files = [accepted("a", 1, 7), accepted("a", 2, 7), accepted("a", 10, 12)]

    assert replaced(files) == {a.file.generation: b.file.generation}
    assert in_effect(DEFINITION, files) == [b, c]


def test_an_export_that_grows_replaces_and_one_that_rolls_does_not() -> None:
    growing = [accepted("all", 1, day) for day in (7, 8, 9)]
    rolling = [accepted("week", day, day + 7) for day in (1, 2, 3)]

    assert replaced(growing) == dict.fromkeys(numbers(growing[:2]), growing[2].file.generation)
    assert replaced(rolling) == {}


def test_a_name_that_is_dropped_thousands_of_times_is_not_searched_from_end_to_end() -> None:
    compared = 0

    class Counting(datetime):
        def __le__(self, other: datetime) -> bool:
            nonlocal compared
            compared += 1
            return super().__le__(other)

        def __ge__(self, other: datetime) -> bool:
            nonlocal compared
            compared += 1
            return super().__ge__(other)

        def __sub__(self, other: datetime) -> timedelta:
            nonlocal compared
            compared += 1
            return super().__sub__(other)

    def counting(day: float) -> Counting:
        time = START + timedelta(days=day)
        return Counting(*time.timetuple()[:6], tzinfo=UTC)

    files = [
        replace(accepted("week"), first_event=counting(day), last_event=counting(day + 7))
        for day in range(4000)
    ]

    assert superseded(DEFINITION, files) == {}
    assert compared < 100 * len(files)


def test_the_latest_drop_about_the_same_time_replaces_whatever_lies_between() -> None:
    chance = random.Random(5)
    for _ in range(100):
        files = []
        for _ in range(chance.randrange(40)):
            first = chance.randrange(1, 20)
            span = () if chance.random() < 0.05 else (first, first + chance.randrange(9))
            files.append(accepted("a", *span))
        expected: dict[str, VerdictSummary] = {}
        for place, file in reversed([*enumerate(files)]):
            if later := [one for one in files[place + 1 :] if nested(file, one)]:
                by = later[-1]
                expected[file.file.stem] = expected.get(by.file.stem, by)
        assert superseded(DEFINITION, files) == expected


def nested(one: VerdictSummary, other: VerdictSummary) -> bool:
    if None in (one.first_event, one.last_event, other.first_event, other.last_event):
        return True
    inside = one.first_event >= other.first_event and one.last_event <= other.last_event
    around = one.first_event <= other.first_event and one.last_event >= other.last_event
    return inside or around


def test_without_event_times_the_name_alone_decides() -> None:
    a, b = files = [accepted("a"), accepted("a")]

    assert replaced([*files, accepted("b")], UNTIMED) == {a.file.generation: b.file.generation}


def test_another_name_replaces_if_the_period_is_the_very_same() -> None:
    a, b = files = [accepted("a", 1, 7), accepted("a-corrected", 1, 7)]

    others = [accepted("b", 1, 6.9), accepted("c", 1.1, 7), accepted("d", 2, 6)]
    assert replaced([*files, *others]) == {a.file.generation: b.file.generation}


def test_with_keys_another_name_replaces_if_the_keys_are_the_very_same() -> None:
    north, south = accepted("north", 1, 7, "k1"), accepted("south", 1, 7, "k2")
    again = accepted("north-corrected", 2, 7, "k1")
    undigested = [accepted("x", 1, 7), accepted("y", 1, 7)]  # accepted before it was declared

    assert replaced([north, south, again, *undigested], KEYED) == {
        north.file.generation: again.file.generation
    }


def test_whoever_replaces_the_replacement_replaces_the_first_too() -> None:
    first = accepted("a", 1, 7)
    second = accepted("b", 1, 7)
    third = accepted("b", 1, 8)

    assert replaced([first, second, third]) == dict.fromkeys(
        numbers([first, second]), third.file.generation
    )


def test_a_thousand_generations_of_one_name_are_sorted_out_at_once() -> None:
    files = [accepted("latest", day, day) for day in range(1, 1001)]
    assert replaced(files) == {}
    again = accepted("latest", 500, 500)
    assert replaced([*files, again]) == {files[499].file.generation: again.file.generation}


def test_a_score_counts_once() -> None:
    a, b, c = accepted("a", 1, 7), accepted("a", 1, 7), accepted("c", 8)
    found = superseded(DEFINITION, [a, b, c])

    assert counted_again(found, [a.file.stem, c.file.stem]) == frozenset()
    assert counted_again(found, [a.file.stem, b.file.stem]) == {a.file.stem}


def test_it_is_said_in_a_sentence() -> None:
    a, b, c = accepted("a", 1, 7), accepted("a", 1, 7), accepted("c", 1, 7)

    assert Superseded.of(a, c).sentence == "taps/a is superseded by taps/c"
    assert Superseded.of(a, b).sentence == (
        f"taps/a is superseded by a later generation, {b.file.generation}"
    )


def test_a_set_of_keys_is_told_in_whatever_order_and_by_every_cell() -> None:
    two = parse(
        TIMED.replace(
            "  heat:",
            "  tap: {type: category, role: key}\n  row: {type: integer, role: key}\n  heat:",
        )
    )

    def digest(*rows: tuple[str | None, int | None]) -> str:
        return key_set(two, pl.DataFrame(rows, schema={"tap": pl.String, "row": pl.Int64},
                                         orient="row"))  # fmt: skip

    assert digest(("a", 1), ("b", 2)) == digest(("b", 2), ("a", 1), ("a", 1))
    different = [
        digest(("a", 1), ("b", 2)), digest(("a", 1)), digest(("a", 2), ("b", 1)),
        digest((None, 1)), digest(("", 1)), digest(("a1", None)), digest(("a", 11)),
        digest(("a1", 1)), digest((";", 1)),
    ]  # fmt: skip
    assert len(set(different)) == len(different)
    assert key_set(DEFINITION, pl.DataFrame({"heat": [1.0]})) == ""


def test_verdicts_and_listings_of_earlier_releases_stay_readable() -> None:
    verdict = Verdict("taps", FileId(7, "a"), "accepted", START, keys="k1")
    listed = VerdictSummary.from_metadata(verdict.file.stem, 1, verdict.summary)
    assert listed.keys == Verdict.from_json(verdict.to_json()).keys == "k1"

    document, facts = json.loads(verdict.to_json()), json.loads(verdict.summary[SUMMARY])
    del document["keys"], facts["keys"]
    assert Verdict.from_json(json.dumps(document).encode()).keys == ""
    metadata = {SUMMARY: json.dumps(facts)}
    assert VerdictSummary.from_metadata(verdict.file.stem, 1, metadata).keys == ""
