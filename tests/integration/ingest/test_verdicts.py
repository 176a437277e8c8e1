"""What becomes of a dropped file: one verdict, and what it says."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.workflows.verdicts import list_in_force, verdict_in_force
from tests.integration.ingest.world import BAD, GOOD, OTHER, VISITS, World


def test_a_good_file_is_accepted_with_its_rows(world: World) -> None:
    """Rows in Parquet, then the verdict that names them."""
    verdict = world.drop_and_ingest("shop/a.csv")

    assert (verdict.decision, verdict.rows, verdict.number) == ("accepted", 2, 1)
    assert verdict.decided_by == "ingest"
    rows = pq.read_table(io.BytesIO(world.stores["data"].read(verdict.rows_object).data))
    assert rows.column("people").to_pylist() == [2, 1]
    assert world.objects("quarantine") == {}
    written = [call for call in world.calls.made if call[1] in ("create", "copy_from")]
    assert written == [("data", "create")] * 5  # home, owner, rows, verdict, launch


def test_a_bad_file_is_quarantined_with_its_bytes_and_a_report(world: World) -> None:
    """The original is identical, and the report says what is wrong with it."""
    verdict = world.drop_and_ingest("shop/a.csv", BAD)

    assert verdict.decision == "quarantined"
    assert verdict.reason == "people: expected a value from 1 to 20, found '99' in line 2 (1 row)"
    case = world.hospital().show(verdict.file)
    assert case.report["reason"] == verdict.reason
    assert case.report["findings"][0]["row_numbers"] == [2]
    original = names.quarantined_bytes("shop", verdict.file)
    assert case.report["original"] == f"gs://quarantine/{original}"
    assert world.stores["quarantine"].read(original).data == BAD
    assert world.launcher.launched == []
    written = [call for call in world.calls.made if call[1] in ("create", "copy_from")]
    assert written == [
        ("data", "create"), ("data", "create"),  # home, owner
        ("quarantine", "copy_from"), ("quarantine", "create"),
        ("data", "create"),
    ]  # fmt: skip


def test_a_redelivered_event_finds_the_verdict(world: World) -> None:
    """And changes nothing."""
    file = world.drop("shop/a.csv")
    first = world.ingest(file)
    before = world.objects("data", "quarantine")

    assert world.ingest(file) == first
    assert world.objects("data", "quarantine") == before


def test_events_in_the_wrong_order_are_about_their_own_generations(world: World) -> None:
    """The event of an overwritten generation may come last, or first."""
    old, new = world.drop("shop/a.csv", BAD), world.drop("shop/a.csv", GOOD)

    assert world.ingest(new).decision == "accepted"
    assert world.ingest(old).decision == "vanished"
    assert [v.decision for v in list_in_force(world.buckets.data, "shop")] == [
        "vanished", "accepted",
    ]  # fmt: skip


def test_a_generation_that_was_judged_keeps_its_verdict_when_it_is_overwritten(
    world: World,
) -> None:
    """It has been learned from, perhaps."""
    old = world.drop("shop/a.csv", OTHER)
    world.ingest(old)
    world.drop("shop/a.csv", GOOD)

    assert world.ingest(old).decision == "accepted"


def test_a_deleted_file_and_one_that_never_was_have_vanished(world: World) -> None:
    """Noncurrent or gone, there is nothing to judge."""
    deleted = world.drop("shop/a.csv")
    world.stores["landing"].delete("shop/a.csv")

    assert world.ingest(deleted).decision == "vanished"
    assert world.ingest(FileId(12345, "shop/b.csv")).decision == "vanished"


def test_a_file_without_a_definition_is_pending(bare: World) -> None:
    """Until somebody applies one, and then judged in the order of the drops."""
    file = bare.drop("shop/a.csv")
    verdict = bare.ingest(file)
    assert verdict.decision == "pending"
    assert verdict.reason == (
        "waits for the definition of shop: write one and `perennial apply` it"
    )
    bare.drop_and_ingest("shop/b.csv", BAD)

    judged = bare.apply()

    assert [(v.file.name, v.decision, v.number, v.decided_by) for v in judged] == [
        ("shop/a.csv", "accepted", 2, "apply"), ("shop/b.csv", "quarantined", 2, "apply"),
    ]  # fmt: skip
    assert bare.launcher.launched == ["shop"]
    assert bare.apply() == []


def test_a_definition_that_comes_while_a_file_becomes_pending_is_seen(bare: World) -> None:
    """`apply` may list before the pending verdict is written: so the head is looked at again."""
    file = bare.drop("shop/a.csv")
    around = bare.calls.around

    def apply_before_the_verdict(bucket: str, method: str, call):  # type: ignore[no-untyped-def]
        if (bucket, method) == ("data", "create") and bare.objects("data"):
            bare.calls.around = around  # type: ignore[method-assign]
            assert bare.apply() == []
        return around(bucket, method, call)

    bare.calls.around = apply_before_the_verdict  # type: ignore[method-assign]

    assert bare.ingest(file).decision == "accepted"
    assert [v.decision for v in bare.verdicts()] == ["accepted", "pending"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.csv", "found 'a.csv' at the bucket's root; pipelines are shop"),
        ("shp/a.csv", "found the folder 'shp', which is no pipeline; did you mean shop/?"),
        ("Shop/a.csv", "found the folder 'Shop', which is no pipeline; did you mean shop/?"),
        ("score/a.csv", "expected a name like pipeline/score/file.csv, found 'score/a.csv'"),
        ("labels/a.csv", "found labels/, which is reserved and not supported yet"),
    ],
)
def test_a_file_that_belongs_nowhere_is_quarantined_under_unknown(
    world: World, name: str, reason: str
) -> None:
    """Naming the nearest pipeline; its bytes are kept all the same."""
    verdict = world.drop_and_ingest(name)

    assert (verdict.pipeline, verdict.decision) == ("_unknown", "quarantined")
    assert reason in verdict.reason
    original = names.quarantined_bytes("_unknown", verdict.file)
    assert world.stores["quarantine"].read(original).data == GOOD


def test_a_misspelt_folder_keeps_its_verdict_when_it_becomes_a_pipeline(world: World) -> None:
    """One verdict for each generation, wherever a later event would look first."""
    file = world.drop("shop2/a.csv")
    first = world.ingest(file)
    world.apply(VISITS.replace("name: shop", "name: shop2"))

    assert world.ingest(file) == first
    assert world.verdicts("shop2") == []
    assert world.sweep().judged == {}
    assert world.drop_and_ingest("shop2/b.csv").decision == "accepted"


def test_a_misspelt_folder_that_becomes_a_pipeline_meanwhile_gives_its_files_one_verdict() -> None:
    """Under the pipeline or under `_unknown`, whoever of those who judge it comes first."""
    calm = World()
    calm.apply()
    file = calm.drop("shop2/a.csv")
    calm.calls.made.clear()
    calm.ingest(file)
    homes = set()

    for before in range(len(calm.calls.made)):
        world = World()
        world.apply()
        file = world.drop("shop2/a.csv")
        verdict = _overtaken(world, file, before)

        assert world.verdicts("shop2") + world.verdicts("_unknown") == [verdict], before
        assert world.ingest(file) == verdict
        homes.add(verdict.pipeline)

    assert homes == {"shop2", "_unknown"}


def _overtaken(world: World, file: FileId, before: int) -> Verdict:
    """Ingest; before one of its calls the pipeline is made and another handler judges the file."""
    around = world.calls.around
    world.calls.made.clear()

    def meanwhile(bucket: str, method: str, call):  # type: ignore[no-untyped-def]
        if len(world.calls.made) == before:
            world.calls.around = around  # type: ignore[method-assign]
            world.apply(VISITS.replace("name: shop", "name: shop2"))
            world.ingest(file)
        return around(bucket, method, call)

    world.calls.around = meanwhile  # type: ignore[method-assign]
    return world.ingest(file)


def test_a_file_that_was_pending_is_not_a_near_miss_later(bare: World) -> None:
    """One home for each generation."""
    file = bare.drop("shp/a.csv")
    pending = bare.ingest(file)
    assert pending.decision == "pending"

    bare.apply()

    assert bare.ingest(file) == pending


def test_reserved_folders_of_a_pipeline_are_quarantined_saying_so(world: World) -> None:
    """In the pipeline's own quarantine."""
    verdict = world.drop_and_ingest("shop/labels/a.csv")

    assert (verdict.pipeline, verdict.decision) == ("shop", "quarantined")
    assert verdict.reason.startswith("expected a folder for rows to learn from")


def test_a_file_that_is_too_large_is_never_read(bare: World) -> None:
    """It is copied on the server's side."""
    bare.apply(VISITS + "files: {max_bytes: 20}\n")
    bare.calls.made.clear()

    verdict = bare.drop_and_ingest("shop/a.csv")

    assert verdict.decision == "quarantined"
    assert verdict.reason == (
        f"expected at most 20 bytes (files.max_bytes), found {len(GOOD)}: split the file, or raise "
        "the limit together with the function's memory"
    )
    assert ("landing", "read") not in bare.calls.made


@pytest.mark.parametrize(
    "name",
    ["shop/a b#?%.csv", "shop//x/../y.csv", "shop/ünï☃.csv", "shop/" + "x" * 1015 + ".csv",
     "shop/" + "\U0001f33b" * 253 + ".csv", "shop/\x01.csv"],
)  # fmt: skip
def test_names_may_be_anything(world: World, name: str) -> None:
    """They are hashed in our object names and whole in the verdict."""
    verdict = world.drop_and_ingest(name)

    assert verdict.decision == "accepted"
    [summary] = list_in_force(world.buckets.data, "shop")
    assert summary.file == verdict.file
    assert verdict_in_force(world.buckets.data, "shop", verdict.file) == verdict


def test_a_listing_shows_only_the_decisions_in_force(bare: World) -> None:
    """And, with `since_generation`, only the files that came later."""
    first = bare.drop("shop/a.csv")
    bare.ingest(first)
    second = bare.drop("shop/b.csv", OTHER)
    bare.ingest(second)
    bare.apply()

    def listed(since: int | None) -> list[tuple[FileId, int, str]]:
        found = list_in_force(bare.buckets.data, "shop", since_generation=since)
        return [(s.file, s.number, s.decision) for s in found]

    assert listed(None) == [(first, 2, "accepted"), (second, 2, "accepted")]
    assert listed(first.generation) == [(second, 2, "accepted")]
    assert listed(second.generation) == []
