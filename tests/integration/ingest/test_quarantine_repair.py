"""Repairs: corrected bytes are decided about in the place of a file's own."""

from __future__ import annotations

import hashlib
import io

import pyarrow.parquet as pq
import pytest

from perennial.domain import names
from perennial.domain.verdict import Verdict
from perennial.errors import RefusedError
from perennial.workflows.history_check import reconsider
from perennial.workflows.recall import Recaller
from perennial.workflows.repairing import fixed, repair
from tests.integration.ingest.world import BAD, GOOD, LENIENT, OTHER, World, at_once

FIXED = BAD.replace(b"99", b"9")
HOW = "with fixed.csv"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_corrected_bytes_are_learned_in_the_place_of_the_file(world: World) -> None:
    file = world.drop_and_ingest("shop/bad.csv", BAD).file

    verdict = repair(world.hospital(), file, FIXED, how=HOW, by="ann")

    assert (verdict.decision, verdict.number, verdict.rows) == ("accepted", 2, 2)
    assert (verdict.sha256, verdict.parent, verdict.repair) == (sha256(FIXED), sha256(BAD), HOW)
    assert (verdict.decided_by, verdict.reason) == ("ann", "repaired by ann: with fixed.csv")
    rows = pq.read_table(io.BytesIO(world.stores["data"].read(verdict.rows_object).data))
    assert rows.column("people").to_pylist() == [9, 1]
    assert world.launcher.launched == ["shop"]
    assert world.ingest(file) == verdict


def test_the_original_and_the_corrected_bytes_are_kept(world: World) -> None:
    """The latter where no lifecycle deletes them: they are nowhere else."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    repair(world.hospital(), file, FIXED, how=HOW, by="ann")

    original = world.stores["quarantine"].read(names.quarantined_bytes("shop", file))
    assert original.data == BAD
    assert world.stores["data"].read(f"shop/repairs/{sha256(FIXED)}").data == FIXED
    assert len(list(world.stores["quarantine"].list())) == 2  # and the report


def test_bytes_that_break_a_rule_change_nothing(world: World) -> None:
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    before = world.objects("landing", "quarantine", "data", "models")

    with pytest.raises(RefusedError, match=r"shop/bad.csv break a rule: people: expected"):
        repair(world.hospital(), file, BAD.replace(b"99", b"98"), how=HOW, by="ann")
    with pytest.raises(RefusedError, match=r"expected corrected bytes, found those of"):
        repair(world.hospital(), file, BAD, how=HOW, by="ann")
    assert world.objects("landing", "quarantine", "data", "models") == before


def test_the_same_repair_again_is_the_same_decision(world: World) -> None:
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    first = repair(world.hospital(), file, FIXED, how=HOW, by="ann")
    before = world.objects("quarantine", "data")
    launched = list(world.launcher.launched)

    assert repair(world.hospital(), file, FIXED, how="anew", by="bob") == first
    assert world.objects("quarantine", "data") == before
    assert world.launcher.launched == launched
    with pytest.raises(RefusedError, match=r"is not in quarantine: it is accepted"):
        repair(world.hospital(), file, OTHER, how=HOW, by="ann")


def test_a_repair_that_equals_another_file_is_a_duplicate(world: World) -> None:
    world.drop_and_ingest("shop/good.csv", GOOD)
    file = world.drop_and_ingest("shop/bad.csv", BAD).file

    verdict = repair(world.hospital(), file, GOOD, how=HOW, by="ann")

    assert verdict.decision == "duplicate"
    assert verdict.reason.startswith("the same content was accepted as shop/good.csv")


def test_both_contents_of_a_repaired_file_come_again_as_duplicates(world: World) -> None:
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    repair(world.hospital(), file, FIXED, how=HOW, by="ann")

    fixed = world.drop_and_ingest("shop/fixed.csv", FIXED)
    bad = world.drop_and_ingest("shop/again.csv", BAD)

    assert (fixed.decision, bad.decision) == ("duplicate", "duplicate")
    assert (fixed.parent, fixed.repair) == ("", "")
    assert bad.reason.endswith("and was accepted once it was repaired")


@pytest.mark.parametrize("attempt", range(8))
def test_of_a_repair_and_a_retry_at_once_one_wins(world: World, attempt: int) -> None:
    """Whose rows are learned, its bytes are the ones that another file cannot bring again."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    world.apply(LENIENT)
    hospital = world.hospital()

    at_once(
        lambda: repair(hospital, file, FIXED, how=HOW, by="ann"),
        lambda: hospital.retry(file, by="bob"),
    )

    decisions = sorted(world.verdicts(), key=lambda verdict: verdict.number)
    assert [v.decision for v in decisions] == ["quarantined", "accepted"]
    again = world.drop_and_ingest("shop/fixed.csv", FIXED)
    repaired = decisions[-1].parent == sha256(BAD)
    assert again.decision == ("duplicate" if repaired else "accepted")
    if not repaired:
        assert decisions[-1].sha256 == sha256(BAD)


def test_a_repair_that_crashed_is_completed_by_the_same_content(world: World) -> None:
    """And it is known for a repair, although another file's handler made the decision."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    with world.calls.ended(("data", "create", 2), after=True):  # owned, and rows kept
        repair(world.hospital(), file, FIXED, how=HOW, by="ann")
    assert len(world.verdicts()) == 1

    assert world.drop_and_ingest("shop/fixed.csv", FIXED).decision == "duplicate"

    verdict = next(v for v in world.verdicts() if v.number == 2)
    assert (verdict.file, verdict.decision) == (file, "accepted")
    assert (verdict.parent, verdict.repair) == (sha256(BAD), HOW)
    assert (verdict.decided_by, verdict.reason) == ("ann", "repaired by ann: with fixed.csv")


def test_the_same_built_in_repair_again_is_the_same_decision(world: World) -> None:
    data = BAD.replace(b"99", b"9").replace(b",", b";")
    file = world.drop_and_ingest("shop/bad.csv", data).file
    hospital = world.hospital()
    decided = [
        repair(hospital, file, fixed(hospital, file, ["delimiter=;"]).data, how=HOW, by="ann")
        for _ in range(2)
    ]

    assert decided[0] == decided[1]
    assert len(world.verdicts()) == 2


def test_a_repaired_file_needs_nothing_that_a_lifecycle_deletes(world: World) -> None:
    """It is judged by another definition, recalled and released although quarantine is empty."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    repair(world.hospital(), file, FIXED, how=HOW, by="ann")
    _empty(world, "quarantine")
    definition = world.registry.definition(world.registry.require("shop"))

    [found] = reconsider(world.stores["landing"], world.stores["data"], "shop", definition)
    recaller = Recaller(world.buckets, world.registry, world.launcher, world.clock, "shop")
    recaller.recall("bad.csv", by="ann", why="doubt")
    _empty(world, "quarantine")
    hospital = world.hospital()
    rules = [finding["rule"] for finding in hospital.show(file).report["findings"]]
    verdict = hospital.release(file, by="ann", why="no doubt")

    assert (found.outcome, found.reason) == ("accepted", "")
    assert rules == ["recalled"]
    assert (verdict.decision, verdict.sha256) == ("accepted", sha256(FIXED))


def test_a_file_whose_copy_a_lifecycle_deleted_is_healed_from_landing(world: World) -> None:
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    _empty(world, "quarantine")
    hospital = world.hospital()
    original = io.BytesIO()
    hospital.download(file, original)

    assert original.getvalue() == BAD
    assert [f["rule"] for f in hospital.show(file).report["findings"]] == ["range"]
    assert repair(hospital, file, FIXED, how=HOW, by="ann").decision == "accepted"


def test_a_recalled_repair_is_released_as_it_was_repaired(world: World) -> None:
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    repair(world.hospital(), file, FIXED, how=HOW, by="ann")
    recaller = Recaller(world.buckets, world.registry, world.launcher, world.clock, "shop")
    recaller.recall("bad.csv", by="ann", why="doubt")
    hospital = world.hospital()

    with pytest.raises(RefusedError, match="drop the corrected file anew"):
        repair(hospital, file, OTHER, how=HOW, by="ann")
    assert world.drop_and_ingest("shop/fixed.csv", FIXED).decision == "quarantined"
    verdict = hospital.release(file, by="ann", why="no doubt")

    assert (verdict.decision, verdict.sha256) == ("accepted", sha256(FIXED))
    assert (verdict.parent, verdict.repair) == (sha256(BAD), HOW)


def test_verdicts_of_versions_without_repairs_are_read() -> None:
    world = World()
    world.apply()
    verdict = world.drop_and_ingest("shop/a.csv")
    stored = verdict.to_json().decode().replace(' "parent": "",\n "repair": "",\n', "")

    assert "parent" not in stored
    assert Verdict.from_json(stored.encode()) == verdict


def _empty(world: World, bucket: str) -> None:
    for info in list(world.stores[bucket].list()):
        world.stores[bucket].delete(info.name, generation=info.generation)
