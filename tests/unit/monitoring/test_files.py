"""What the newest files show: drift, jumps, empty cells, new values, each by its own name."""

from __future__ import annotations

import pytest


@pytest.fixture
def known(world, visits):
    """Twenty files, each learned before the next came."""
    for number in range(20):
        come(world, visits(number), look=False)
    assert world.look().findings == ()
    return world


def come(world, rows, *, look: bool = True, learn: bool = True):
    world.wait(hours=24)
    world.drop(rows)
    if learn:
        world.run()
    return world.look() if look else None


def test_numbers_that_lie_elsewhere_are_drift_once_the_newest_files_agree(known, visits):
    for number in range(4):
        watch = come(known, visits(100 + number, scale=3))
    [finding] = watch.findings
    assert (finding.kind, finding.subject, finding.severity) == (
        "training_drift", "amount", "info",
    )  # fmt: skip
    assert known.opened()[0] == ("jump", "amount")  # the first of them alone
    before, now = (finding.evidence[f"quartiles_{when}"] for when in ("before", "now"))
    assert now[1] > 2 * before[1]


def test_drift_that_a_static_model_does_not_learn_is_a_warning(known, visits):
    known.apply(known.text + "training: {mode: static}\n")
    for number in range(4):
        watch = come(known, visits(100 + number, scale=3), learn=False)
    assert [(one.kind, one.severity) for one in watch.findings] == [("training_drift", "warning")]


def test_labels_that_become_rare_are_label_drift(known, visits):
    for number in range(5):
        rows = visits(100 + number, 200)
        rows["bought"] = [one and place % 3 == 0 for place, one in enumerate(rows["bought"])]
        watch = come(known, {**rows, "bought": [int(one) for one in rows["bought"]]})
    assert ("label_drift", "bought") in {one.identity for one in watch.findings}


def test_one_odd_file_is_a_jump_for_three_files(known, visits):
    watch = come(known, visits(100, scale=5))
    [finding] = watch.findings
    assert finding.identity == ("jump", "amount")
    assert finding.evidence["file"] == "shop/file0041.csv"
    assert [come(known, visits(101 + n)).findings == () for n in range(3)] == [False, False, True]


def test_a_file_with_half_the_rows_is_a_jump_of_rows(known, visits):
    [finding] = come(known, visits(100, 50)).findings
    assert finding.identity == ("jump", "number of rows")
    assert finding.evidence["change"] == -0.5


def test_many_empty_cells_are_found_once_the_newest_files_have_them(known, visits):
    for number in range(4):
        watch = come(known, visits(100 + number, nulls=0.5))
    assert [one.identity for one in watch.findings] == [("nulls", "basket")]


def test_values_that_no_file_had_are_unseen_and_nothing_else(known, visits):
    more = {"mail": 0.25, "shop": 0.35, "web": 0.15, "radio": 0.1, "app": 0.15}
    for number in range(4):
        watch = come(known, visits(100 + number, channels=more))
    assert [one.identity for one in watch.findings] == [("unseen_categories", "channel")]
    assert known.opened() == [("unseen_categories", "channel")]
    assert "'app'" in watch.findings[0].summary


def test_a_column_that_says_when_its_file_was_made_moves_on_by_nature(worlds, visits):
    world = worlds(
        worlds()
        .text.replace("  bought", "  month: {type: integer}\n  bought")
        .replace("name: shop", "name: dated")
    )
    for number in range(40):
        rows = visits(number)
        come(world, {**rows, "month": [number // 5 % 12] * 100}, look=number > 12)
    assert world.opened() == []


def test_files_of_a_backfill_are_held_against_the_older_of_them(world, visits):
    """No run ended before the newest came, so that no run's reference is without them."""
    world.wait(hours=24)
    for number in range(20):
        world.drop(visits(number, scale=3 if number > 15 else 1))
        world.wait(seconds=1)
    world.run()
    assert ("training_drift", "amount") in {one.identity for one in world.look().findings}
