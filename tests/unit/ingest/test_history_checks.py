"""Files held against those that were accepted before them."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.reference import NO_HISTORY, Reference, spread
from perennial.domain.judging.validation import Judgement, judge_bytes

COLUMNS = """
name: stalls
task: regression
columns:
  size: {{type: number, nullable: true{size}}}
  kind: {{type: category, nullable: true{kind}}}
  price: {{type: number, role: label}}
{checks}"""

KINDS = ("fruit", "bread", "cheese")


def definition(size: str = "", kind: str = "", checks: str = ""):
    return parse(COLUMNS.format(size=size, kind=kind, checks=checks))


def rows(seed: int, *, count: int = 60, scale: float = 1, kinds: Iterable[str] = KINDS):
    """A file's cells: size, kind and price of each row."""
    chance = random.Random(seed)
    kinds = tuple(kinds)
    for _ in range(count):
        size = chance.gauss(50, 10) * scale
        yield [f"{size:.3f}", chance.choice(kinds), f"{chance.gauss(5, 1):.2f}"]


def text(cells) -> bytes:
    return ("size,kind,price\n" + "".join(",".join(row) + "\n" for row in cells)).encode()


def judged(cells, reference: Reference = NO_HISTORY, **options) -> Judgement:
    return judge_bytes(definition(**options), "a.csv", text(cells), reference=reference)


def history(files: int = 12, **options) -> Reference:
    return NO_HISTORY.folding(judged(rows(seed, **options)).statistics for seed in range(files))


def said(judgement: Judgement) -> list[tuple[str, str, str | None]]:
    return [(f.rule, f.severity, f.column) for f in judgement.findings]


def test_what_is_as_usual_says_nothing() -> None:
    reference = history(40)

    noisy = [seed for seed in range(100, 400) if judged(rows(seed), reference).findings]

    assert noisy == []


def test_a_reference_survives_storage() -> None:
    reference = history()

    assert Reference.from_json(reference.to_json()) == reference
    assert reference.files == 12
    assert reference.columns["kind"].categories == frozenset(KINDS)


@pytest.mark.parametrize("scale", [0.001, 0.01, 0.1, 10, 100, 1000])
def test_another_unit(scale: float) -> None:
    judgement = judged(rows(99, scale=scale), history())

    assert said(judgement) == [("unit_change", "reject", "size")]
    way = f"times {1 / scale:,.0f}" if scale < 1 else f"divided by {scale:,.0f}"
    assert way in judgement.findings[0].message
    warned = judged(rows(99, scale=scale), history(), checks="checks: {unit_change: warn}")
    assert said(warned) == [("unit_change", "warn", "size")]
    other = judged(rows(99, scale=scale), history(), checks="checks: {unit_change: ignore}")
    assert said(other) == [("distribution", "warn", "size")]


def test_numbers_that_move_without_a_factor() -> None:
    judgement = judged(rows(99, scale=1.6), history())

    assert said(judgement) == [("distribution", "warn", "size")]
    assert "expected numbers distributed as in accepted files" in judgement.findings[0].message
    strict = judged(rows(99, scale=1.6), history(), checks="checks: {distribution: {reject: 0.2}}")
    assert said(strict) == [("distribution", "reject", "size")]


def test_a_column_that_wanders_by_nature_may_wander_on() -> None:
    """Each file is unlike all before it, by as much as the last one was."""
    seasons = [judged(rows(seed, scale=1 + seed / 4)).statistics for seed in range(20)]
    reference = NO_HISTORY.folding(seasons)

    assert judged(rows(99, scale=6), reference).findings == ()


@pytest.mark.parametrize("size", ["", ", rules: [{observed: [111, 123]}]"])
def test_a_countdown_is_in_no_unit(size: str) -> None:
    """It starts anew with each holiday, and a tenth of what it was is no other unit.

    Nor does what samples showed of its first weeks, and history added, say so.
    """

    def days(seed: int, left: int):
        chance = random.Random(seed)
        return [[str(left - chance.randrange(7)), *others] for _, *others in rows(seed, count=200)]

    weeks = [judged(days(n, 123 - 7 * n)).statistics for n in range(13)]
    until_now = NO_HISTORY.folding(weeks)

    for left in (12, 13):
        judgement = judged(days(99, left), until_now, size=size)
        assert [f for f in judgement.findings if f.severity == "reject"] == []


def test_another_unit_is_told_from_what_was_observed_while_history_is_short() -> None:
    """History by itself would only warn."""
    observed = ", rules: [{observed: [20, 80]}]"

    for files in (0, 1, 5):
        judgement = judged(rows(99, scale=100), history(files), size=observed)
        assert ("unit_change", "reject", "size") in said(judgement)


def test_codes_are_in_no_unit() -> None:
    """Class 1 in all files, and now class 10: ten times as much, and nothing to scale."""
    same = [judged([["1", "fruit", f"{n % 7}"] for n in range(60)]).statistics for _ in range(12)]
    reference = NO_HISTORY.folding(same)

    judgement = judged([["10", "fruit", f"{n % 7}"] for n in range(60)], reference)

    assert said(judgement) == [("distribution", "warn", "size")]
    observed = ", rules: [{observed: [1, 3]}]"
    tens = judged([[str(n % 3 * 10 + 10), "fruit", f"{n % 7}"] for n in range(60)], size=observed)
    assert said(tens) == [("observed", "warn", "size")]


def test_cells_that_are_empty_more_often() -> None:
    half = [["" if n % 2 else size, *others] for n, (size, *others) in enumerate(rows(99))]
    none = [["", *others] for _, *others in rows(99)]

    assert said(judged(half, history())) == [("null_fraction", "warn", "size")]
    assert ("null_fraction", "reject", "size") in said(judged(none, history()))
    empty = NO_HISTORY.folding([judged(half).statistics] * 5)
    assert "null_fraction" not in {rule for rule, *_ in said(judged(half, empty))}


def test_a_column_that_stands_still() -> None:
    still = [["50.0", *others] for _, *others in rows(99)]

    assert ("constant", "warn", "size") in said(judged(still, history()))
    moving = NO_HISTORY.folding([judged(still).statistics, *[judged(rows(1)).statistics] * 9])
    assert "constant" not in {rule for rule, *_ in said(judged(still, moving))}


def test_categories_that_no_file_had() -> None:
    new = list(rows(99, kinds=(*KINDS, "wine")))

    judgement = judged(new, history())

    assert said(judgement) == [("unseen_categories", "warn", "kind")]
    assert "'wine'" in judgement.findings[0].message
    names = [judged(rows(s, kinds=[f"n{s}-{n}" for n in range(9)])).statistics for s in range(9)]
    assert judged(new, NO_HISTORY.folding(names)).findings == ()  # new ones are usual there
    strict = judged(new, history(), checks="checks: {unseen_categories: {reject: 0.05}}")
    assert said(strict) == [("unseen_categories", "reject", "kind")]


def test_what_was_observed_widens_with_history() -> None:
    """A first file shows little; what later files held is known by then."""
    options = {"size": ", rules: [{observed: [40, 60]}]", "kind": ", rules: [{observed: [fruit]}]"}
    odd = list(rows(99, scale=2))

    alone = judged(odd, **options)
    later = judged(odd, history(scale=2), **options)

    assert said(alone) == [("observed", "warn", "size"), ("observed", "warn", "kind")]
    assert "expected a value near those seen so far, 40 to 60, found" in alone.findings[0].message
    assert later.findings == ()
    assert judged([["79", "fruit", "1"], ["21", "fruit", "2"]], **options).findings == ()


@pytest.mark.parametrize(
    ("before", "after", "observed"),
    [("category", "number", "[1, 3]"), ("number", "category", "['1', '2']")],
)
def test_a_column_that_changed_its_type_starts_anew(before: str, after: str, observed: str) -> None:
    def typed(kind: str):
        whole = COLUMNS.format(size="", kind=f", rules: [{{observed: {observed}}}]", checks="")
        if kind == before:
            whole = COLUMNS.format(size="", kind="", checks="")
        return parse(whole.replace("kind: {type: category", f"kind: {{type: {kind}"))

    data = text([size, f"{n % 3 + 1}", price] for n, (size, _, price) in enumerate(rows(3)))
    old = [judge_bytes(typed(before), "a.csv", data).statistics for _ in range(9)]
    reference = NO_HISTORY.folding(old)

    judgement = judge_bytes(typed(after), "a.csv", data, reference=reference)

    assert judgement.accepted
    assert reference.folding([judgement.statistics]).columns["kind"].files == 1


def test_another_unit_only_warns_while_history_is_short() -> None:
    assert said(judged(rows(99, scale=100), history(5))) == [("unit_change", "warn", "size")]


def test_what_lies_within_all_that_was_seen_is_in_no_unit() -> None:
    """The first hours of a day, of which whole ones came until now."""
    days = [judged([[str(n), "fruit", "1"] for n in range(0, 86400, 600)]).statistics] * 12

    morning = judged([[str(n), "fruit", "1"] for n in range(0, 7200, 60)], NO_HISTORY.folding(days))

    assert "unit_change" not in {rule for rule, *_ in said(morning)}


@pytest.mark.parametrize(("most", "broken"), [(1, []), (0, ["max_null_fraction"])])
def test_a_rule_on_empty_cells_speaks_for_itself(most: int, broken: list[str]) -> None:
    none = [["", *others] for _, *others in rows(99)]

    judgement = judged(none, history(), size=f", rules: [{{max_null_fraction: {most}}}]")

    assert [rule for rule, *_ in said(judgement)] == broken


def test_few_rows_or_files_say_nothing() -> None:
    assert judged(rows(9, count=15, scale=100), history()).findings == ()
    assert judged(rows(9, scale=100), history(2)).findings == ()


def test_a_few_stand_for_many() -> None:
    assert spread([1, 2, 3], 5) == [1, 2, 3]
    chosen = spread(list(range(1000)), 48)
    assert len(set(chosen)) == 48
    assert chosen[-1] == 999
