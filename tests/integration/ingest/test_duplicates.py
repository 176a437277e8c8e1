"""The same content under another name is not learned from twice, also when both arrive at once."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from perennial.workflows.judging import judge
from tests.integration.ingest.world import BAD, GOOD, LENIENT, OTHER, VISITS, World, at_once


def test_the_second_file_is_a_duplicate_of_the_first(world: World) -> None:
    """And says which file that is."""
    first = world.drop_and_ingest("shop/a.csv")
    second = world.drop_and_ingest("shop/b.csv")

    assert second.decision == "duplicate"
    assert second.reason == (
        f"the same content was accepted as shop/a.csv (generation {first.file.generation})"
    )
    assert world.drop_and_ingest("shop/c.csv", OTHER).decision == "accepted"


def test_the_same_name_with_the_same_content_is_a_duplicate_too(world: World) -> None:
    """A second upload is another generation."""
    world.drop_and_ingest("shop/a.csv")

    assert world.drop_and_ingest("shop/a.csv").decision == "duplicate"


def test_a_rejected_first_file_does_not_stand_in_the_way(world: World) -> None:
    """Each bad file gets its own diagnosis."""
    assert world.drop_and_ingest("shop/a.csv", BAD).decision == "quarantined"
    assert world.drop_and_ingest("shop/b.csv", BAD).decision == "quarantined"

    world.apply(LENIENT)

    assert world.drop_and_ingest("shop/c.csv", BAD).decision == "accepted"
    assert world.drop_and_ingest("shop/d.csv", BAD).decision == "duplicate"


def test_the_fiftieth_repeat_of_a_bad_file_costs_what_the_second_does(world: World) -> None:
    """An export that went wrong may be sent again every hour."""
    costs = []
    for n in range(51):
        world.calls.made.clear()
        assert world.drop_and_ingest(f"shop/{n}.csv", BAD).decision == "quarantined"
        costs.append(len(world.calls.made))

    assert costs[50] == costs[2]


def test_an_owner_that_was_healed_is_found_behind_those_that_were_not(world: World) -> None:
    """Its later decision is the last link of the chain."""
    first = world.drop_and_ingest("shop/a.csv", BAD).file
    world.drop_and_ingest("shop/b.csv", BAD)
    world.hospital().release(first, by="ann", why="it is right")

    third = world.drop_and_ingest("shop/c.csv", BAD)

    assert third.decision == "duplicate"
    assert third.reason.startswith("the same content was accepted as shop/a.csv")


def test_pipelines_do_not_share_content(world: World) -> None:
    """Two pipelines may learn from the same file."""
    world.apply(LENIENT.replace("name: shop", "name: market"))

    assert world.drop_and_ingest("shop/a.csv").decision == "accepted"
    assert world.drop_and_ingest("market/a.csv").decision == "accepted"


def test_an_owner_without_a_verdict_is_judged_first(world: World) -> None:
    """Its handler may have crashed right after it owned the content."""
    first, second = world.drop("shop/a.csv"), world.drop("shop/b.csv")
    with world.calls.ended(("data", "create", 2), after=True):
        world.ingest(first)
    assert world.verdicts() == []

    assert world.ingest(second).decision == "duplicate"
    assert world.ingest(first).decision == "accepted"


def test_a_person_who_heals_a_file_has_not_decided_about_another(world: World) -> None:
    """Whose handler crashed, and which had to be judged first."""
    healed = world.drop_and_ingest("shop/a.csv", BAD).file
    world.apply(LENIENT)
    crashed = world.drop("shop/b.csv", BAD)
    with world.calls.ended(("data", "create", 4)):  # home, a look at the last owner, owner, rows
        world.ingest(crashed)

    assert world.hospital().retry(healed, by="ann").decision == "duplicate"

    verdict = world.ingest(crashed)
    assert (verdict.decision, verdict.decided_by) == ("accepted", "succession")


def test_a_release_that_crashed_is_completed_by_the_same_content(world: World) -> None:
    """It stays a release, by whom it was, although another file's handler made the decision."""
    file = world.drop_and_ingest("shop/a.csv", BAD).file
    again = world.drop("shop/b.csv", BAD)
    with world.calls.ended(("data", "create", 2), after=True):  # looked, and owned
        world.hospital().release(file, by="ann", why="a school class")
    assert len(world.verdicts()) == 1

    assert world.ingest(again).decision == "duplicate"

    verdict = next(v for v in world.verdicts() if v.number == 2)
    assert (verdict.file, verdict.decision, verdict.rows) == (file, "accepted", 2)
    assert (verdict.decided_by, verdict.cleared) == ("ann", True)
    assert verdict.reason == "released by ann: a school class (2 rows accepted, none left out)"


def test_a_release_that_nothing_can_be_made_of_any_more_is_judged_instead(world: World) -> None:
    """Another definition, by which training can use no row, came between."""
    file = world.drop_and_ingest("shop/a.csv", BAD).file
    again = world.drop("shop/b.csv", BAD)
    with world.calls.ended(("data", "create", 2), after=True):
        world.hospital().release(file, by="ann", why="a school class")
    world.apply(VISITS.replace("people: {type: integer", "adults: {type: integer"))

    assert world.ingest(again).decision == "quarantined"
    assert {(v.file, v.decision) for v in world.verdicts() if v.number == 2} == {
        (file, "quarantined")
    }


@pytest.mark.parametrize("seed", range(12))
def test_of_many_files_with_the_same_content_one_is_accepted(world: World, seed: int) -> None:
    """Each event is handled twice, all at once."""
    files = [world.drop(f"shop/{n}.csv", GOOD) for n in range(4)]
    world.calls.jitter = random.Random(seed)

    results = at_once(*(lambda file=file: world.ingest(file) for file in files * 2))

    assert Counter(v.decision for v in world.verdicts()) == {"accepted": 1, "duplicate": 3}
    assert results[:4] == results[4:]


@pytest.mark.parametrize("seed", range(12))
def test_one_event_handled_by_many_has_one_verdict(world: World, seed: int) -> None:
    """Every handler returns the same."""
    file = world.drop("shop/a.csv", GOOD if seed % 2 else BAD)
    world.calls.jitter = random.Random(seed)

    results = at_once(*[lambda: world.ingest(file)] * 4)

    assert all(result == results[0] for result in results)
    assert len(world.verdicts()) == 1


@pytest.mark.parametrize("seed", range(25))
def test_healing_and_dropping_the_same_content_at_once_accepts_it_once(
    world: World, seed: int
) -> None:
    """Two quarantined files, retried and released while a third is dropped and a fourth judged."""
    first = world.drop_and_ingest("shop/a.csv", BAD).file
    second = world.drop_and_ingest("shop/b.csv", BAD).file
    third = world.drop("shop/c.csv", BAD)
    if seed % 2:
        world.apply(LENIENT)
    world.calls.jitter = random.Random(seed)
    hospital = world.hospital()

    at_once(
        lambda: hospital.retry(first, by="ann"),
        lambda: hospital.release(first, by="bob", why="it is right"),
        lambda: hospital.release(second, by="cleo", why="it is right"),
        lambda: world.ingest(third),
        lambda: judge(world.buckets, world.registry, world.clock, third, by="sweep"),
    )

    in_force = {v.file: v.decision for v in sorted(world.verdicts(), key=lambda v: v.number)}
    assert Counter(in_force.values())["accepted"] == 1, in_force
