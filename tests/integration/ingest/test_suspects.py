"""Files that training set aside: they keep their content and their rows, and have ways out."""

from __future__ import annotations

import io

import pytest

from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.errors import RefusedError
from perennial.workflows.queue import accepted_files
from perennial.workflows.suspects import RULE, set_aside
from perennial.workflows.verdicts import list_in_force
from tests.integration.ingest.world import BAD, GOOD, LENIENT, OTHER, World

REASON = "the champion's log_loss on it was 2.31, far above the usual 0.42"


def aside(world: World, *names: str, reason: str = REASON) -> list[Verdict]:
    """A run sets accepted files aside, as it listed them."""
    data = world.buckets.data
    files = [file for file in accepted_files(data, "shop") if file.file.name in names]
    return set_aside(data, "shop", files, by="run r1", reason=reason, decided=world.clock.now())


@pytest.fixture
def suspect(world: World) -> FileId:
    """A file that was accepted and set aside."""
    world.drop_and_ingest("shop/a.csv", GOOD)
    world.launcher.launched.clear()
    world.launcher.ended.add("shop-1")
    (verdict,) = aside(world, "shop/a.csv")
    return verdict.file


def decisions(world: World) -> list[Verdict]:
    """All of them, in the order in which they were made."""
    return sorted(world.verdicts(), key=lambda verdict: verdict.number)


def in_force(world: World) -> dict[str, str]:
    return {v.file.name: v.decision for v in list_in_force(world.buckets.data, "shop")}


def test_the_next_decision_keeps_what_the_accepted_one_knew(world: World, suspect: FileId) -> None:
    accepted, aside = decisions(world)

    assert (aside.decision, aside.number, aside.decided_by) == ("suspect", 2, "run r1")
    assert aside.reason == REASON
    assert [f.rule for f in aside.findings] == [*[f.rule for f in accepted.findings], RULE]
    kept = ("rows", "rows_object", "first_event", "last_event", "statistics", "sha256", "size",
            "definition", "file")  # fmt: skip
    assert [getattr(aside, key) for key in kept] == [getattr(accepted, key) for key in kept]
    assert accepted_files(world.buckets.data, "shop") == []


def test_setting_aside_twice_is_one_decision(world: World) -> None:
    """Also when the first time's answer never came."""
    world.drop_and_ingest("shop/a.csv", GOOD)
    seen = accepted_files(world.buckets.data, "shop")
    first = set_aside(
        world.buckets.data, "shop", seen, by="run r1", reason="x", decided=world.clock.now()
    )
    again = set_aside(
        world.buckets.data, "shop", seen, by="run r2", reason="y", decided=world.clock.now()
    )
    assert first == again
    assert [v.number for v in decisions(world)] == [1, 2]


def test_a_decision_that_a_run_has_not_seen_stands(world: World, suspect: FileId) -> None:
    """A person released the file while a zombie was about to set it aside."""
    data, now = world.buckets.data, world.clock.now()
    world.hospital().release(suspect, by="ann", why="a fair")
    released = accepted_files(data, "shop")
    world.stores["data"].delete(f"shop/verdicts/{suspect.stem}.0003.json")
    (stale,) = list_in_force(data, "shop")
    world.hospital().release(suspect, by="ann", why="a fair")

    (stands,) = set_aside(data, "shop", [stale], by="run r9", reason="x", decided=now)

    assert (stands.decision, stands.decided_by) == ("accepted", "ann")
    assert accepted_files(data, "shop") == released


def test_it_is_listed_and_shown_with_what_quarantine_holds(world: World, suspect: FileId) -> None:
    bad = world.drop_and_ingest("shop/bad.csv", BAD).file
    hospital = world.hospital()

    assert [(f.file, f.decision) for f in hospital.list()] == [
        (suspect, "suspect"),
        (bad, "quarantined"),
    ]
    case = hospital.show(hospital.find("a.csv"))
    assert case.report["decision"] == "suspect"
    assert case.report["reason"] == REASON
    assert case.report["findings"][-1]["message"] == REASON
    assert case.report["original"] == f"gs://landing/shop/a.csv#{suspect.generation}"
    assert hospital.show(bad).report["decision"] == "quarantined"


def test_its_original_is_that_in_landing(world: World, suspect: FileId) -> None:
    """Even when another file of its name came since."""
    world.drop("shop/a.csv", OTHER)
    target = io.BytesIO()
    world.hospital().download(suspect, target)
    assert target.getvalue() == GOOD


def test_a_re_drop_is_a_duplicate_that_says_how_the_first_is_released(
    world: World, suspect: FileId
) -> None:
    again = world.drop_and_ingest("shop/b.csv", GOOD)

    assert again.decision == "duplicate"
    assert again.reason == (
        f"the same content came as shop/a.csv (generation {suspect.generation}), which is "
        f"suspect: `perennial quarantine release shop {suspect.generation} --why …` "
        "lets it be learned"
    )
    assert world.launcher.launched == []


def test_release_accepts_the_same_rows_and_starts_a_run(world: World, suspect: FileId) -> None:
    verdict = world.hospital().release(suspect, by="ann", why="a fair")

    first = decisions(world)[0]
    assert (verdict.decision, verdict.number) == ("accepted", 3)
    assert (verdict.rows, verdict.rows_object) == (first.rows, first.rows_object)
    assert verdict.findings == first.findings
    assert verdict.reason == "released by ann: a fair"
    assert world.launcher.launched == ["shop"]
    assert world.hospital().list() == []
    assert world.drop_and_ingest("shop/b.csv", GOOD).decision == "duplicate"


def test_retry_judges_its_bytes_in_landing_by_the_rules(world: World, suspect: FileId) -> None:
    """By those that are in force now."""
    verdict = world.hospital().retry(suspect, by="ann")
    assert (verdict.decision, verdict.number, verdict.rows) == ("accepted", 3, 2)
    assert world.drop_and_ingest("shop/b.csv", GOOD).decision == "duplicate"

    aside(world, "shop/a.csv")
    world.apply(LENIENT.replace("[0, 1000]", "[2, 1000]"))
    again = world.hospital().retry(suspect, by="ann")

    assert (again.decision, again.number) == ("quarantined", 5)
    assert [f.rule for f in again.findings] == ["range"]
    assert world.hospital().show(suspect).report["original"].startswith("gs://quarantine/shop/")
    copy = world.drop_and_ingest("shop/c.csv", GOOD)
    assert copy.decision == "quarantined"  # nobody owns the content any more


def test_a_retry_that_crashed_is_finished_by_whoever_brings_the_bytes_next(
    world: World, suspect: FileId
) -> None:
    with world.calls.ended(("data", "create", 2), after=True):
        world.hospital().retry(suspect, by="ann")
    assert in_force(world)["shop/a.csv"] == "suspect"

    assert world.drop_and_ingest("shop/b.csv", GOOD).decision == "duplicate"
    assert in_force(world)["shop/a.csv"] == "accepted"


def test_discard_hides_it_and_frees_its_content(world: World, suspect: FileId) -> None:
    verdict = world.hospital().discard(suspect, by="ann", why="a joke")

    assert (verdict.decision, verdict.number) == ("discarded", 3)
    assert world.hospital().list() == []
    assert world.drop_and_ingest("shop/b.csv", GOOD).decision == "accepted"
    with pytest.raises(RefusedError, match=r"shop/a.csv is not in quarantine: it is discarded"):
        world.hospital().release(suspect, by="ann", why="x")
