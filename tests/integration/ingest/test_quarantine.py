"""The hospital: what lies in quarantine, and the ways out of it."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from perennial.errors import NotFoundError, RefusedError
from tests.integration.ingest.world import BAD, GOOD, LENIENT, World

MIXED = b"when,people,bought\n2024-02-01,99,true\n2024-02-02,many,false\n2024-02-03,1,\n"
HOPELESS = b"when,people\n2024-02-01,2\n"


def test_the_list_holds_what_is_in_quarantine_now(world: World) -> None:
    """Decisions in force, not what lies in the bucket."""
    bad = world.drop_and_ingest("shop/bad.csv", BAD)
    mixed = world.drop_and_ingest("shop/mixed.csv", MIXED)
    world.drop_and_ingest("shop/good.csv", GOOD)
    hospital = world.hospital()

    assert [s.file for s in hospital.list()] == [bad.file, mixed.file]
    hospital.discard(bad.file, by="ann", why="a test")
    assert [s.file for s in hospital.list()] == [mixed.file]


def test_a_file_is_found_by_what_a_person_knows_of_it(world: World) -> None:
    """Its name, the name below the pipeline, its generation or its folder in quarantine."""
    old = world.drop_and_ingest("shop/2024/bad.csv", BAD).file
    file = world.drop_and_ingest("shop/2024/bad.csv", MIXED).file
    hospital = world.hospital()

    for text in ("shop/2024/bad.csv", "2024/bad.csv", str(file.generation), file.stem):
        assert hospital.find(text) == file
    assert hospital.find(str(old.generation)) == old
    with pytest.raises(NotFoundError, match=r"shop has no 'x.csv' in quarantine; the latest there"):
        hospital.find("x.csv")


def test_retry_judges_with_the_definition_in_force(world: World) -> None:
    """What was wrong with the definition heals the file, and starts a run."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    world.apply(LENIENT)

    verdict = world.hospital().retry(file, by="ann")

    assert (verdict.decision, verdict.number, verdict.decided_by) == ("accepted", 2, "ann")
    assert verdict.rows == 2
    assert world.launcher.launched == ["shop"]
    assert world.hospital().list() == []


def test_retry_of_a_file_that_is_still_bad_says_why_anew(world: World) -> None:
    """Every decision has its own report."""
    file = world.drop_and_ingest("shop/bad.csv", MIXED).file
    world.apply(LENIENT)

    verdict = world.hospital().retry(file, by="ann")

    assert (verdict.decision, verdict.number) == ("quarantined", 2)
    case = world.hospital().show(file)
    assert (case.report["number"], case.report["judged_by"]) == (2, "ann")
    assert [f["rule"] for f in case.report["findings"]] == ["type", "null"]
    assert world.launcher.launched == []


def test_retry_outlives_the_original_in_landing(world: World) -> None:
    """The bytes are those in quarantine."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    world.stores["landing"].delete("shop/bad.csv", generation=file.generation)
    world.apply(LENIENT)

    assert world.hospital().retry(file, by="ann").decision == "accepted"


def test_release_accepts_the_rows_that_can_be_typed(world: World) -> None:
    """On the word of a person, which is kept."""
    file = world.drop_and_ingest("shop/mixed.csv", MIXED).file

    verdict = world.hospital().release(file, by="ann", why="a school class")

    assert (verdict.decision, verdict.rows) == ("accepted", 1)
    assert verdict.decided_by == "ann"
    assert verdict.reason == "released by ann: a school class (1 row accepted, 2 left out)"
    rows = pq.read_table(io.BytesIO(world.stores["data"].read(verdict.rows_object).data))
    assert rows.column("people").to_pylist() == [99]
    assert {f.rule for f in verdict.findings} == {"range", "type", "null"}
    assert world.launcher.launched == []  # two rows are needed for a first version


def test_release_of_all_rows_says_that_none_is_left_out(world: World) -> None:
    """Rules may forbid rows that training can use."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file

    verdict = world.hospital().release(file, by="ann", why="a school class")

    assert verdict.reason == "released by ann: a school class (2 rows accepted, none left out)"


def test_a_reason_that_is_one_of_several_names_how_to_see_the_others(world: World) -> None:
    verdict = world.drop_and_ingest("shop/mixed.csv", MIXED)

    assert len(verdict.findings) == 3
    assert verdict.reason.endswith(" (and 2 more: see `perennial quarantine show`)")


def test_release_of_some_rows_does_not_stand_for_the_whole_file(world: World) -> None:
    """Two sets of rows from the same bytes are two objects."""
    file = world.drop_and_ingest("shop/mixed.csv", MIXED).file
    released = world.hospital().release(file, by="ann", why="x")
    whole = world.registry.definition(world.registry.require("shop")).schema_digest

    assert not released.rows_object.endswith(f"{whole}.parquet")


@pytest.mark.parametrize("data", [HOPELESS, b"", b"when,people,bought\nx,y,z\n"])
def test_release_needs_rows_to_release(world: World, data: bytes) -> None:
    """And says what is in the way."""
    file = world.drop_and_ingest("shop/bad.csv", data).file

    with pytest.raises(RefusedError, match=r"shop/bad.csv has no row that training could use: "):
        world.hospital().release(file, by="ann", why="x")
    assert [v.decision for v in world.verdicts()] == ["quarantined"]


def test_healing_the_same_content_twice_is_a_duplicate(world: World) -> None:
    """Whatever name it has."""
    first = world.drop_and_ingest("shop/a.csv", BAD).file
    second = world.drop_and_ingest("shop/b.csv", BAD).file
    hospital = world.hospital()

    assert hospital.release(second, by="ann", why="x").decision == "accepted"
    assert hospital.release(first, by="ann", why="x").decision == "duplicate"
    assert hospital.list() == []


def test_a_file_that_is_not_in_quarantine_cannot_be_healed(world: World) -> None:
    """The message says what it is, and by whose word."""
    file = world.drop_and_ingest("shop/a.csv", GOOD).file
    hospital = world.hospital()

    for deed in (
        lambda: hospital.retry(file, by="ann"),
        lambda: hospital.release(file, by="ann", why="x"),
        lambda: hospital.discard(file, by="ann", why="x"),
        lambda: hospital.show(file),
    ):
        with pytest.raises(
            RefusedError,
            match=r"shop/a.csv is not in quarantine: it is accepted \(decision 1 by ingest\)",
        ):
            deed()


def test_discard_hides_and_keeps_the_reason(world: World) -> None:
    """The bytes stay until the bucket's lifecycle deletes them."""
    file = world.drop_and_ingest("shop/bad.csv", BAD).file
    before = world.objects("quarantine")

    verdict = world.hospital().discard(file, by="ann", why="a test upload")

    assert (verdict.decision, verdict.reason) == ("discarded", "by ann: a test upload")
    assert world.objects("quarantine") == before
    assert world.ingest(file) == verdict


def test_files_of_no_pipeline_are_dropped_again_rather_than_healed(world: World) -> None:
    """But they can be looked at and discarded."""
    file = world.drop_and_ingest("shp/a.csv").file
    hospital = world.hospital("_unknown")

    assert [s.file for s in hospital.list()] == [file]
    assert hospital.show(file).report["findings"][0]["rule"] == "pipeline"
    with pytest.raises(RefusedError, match="drop it again under an existing one"):
        hospital.retry(file, by="ann")
    assert hospital.discard(file, by="ann", why="x").decision == "discarded"


def test_unknown_files_and_pipelines_are_said_to_be_unknown(world: World) -> None:
    """With the names that exist."""
    file = world.drop("shop/a.csv")

    with pytest.raises(NotFoundError, match=r"shop has no verdict on shop/a.csv"):
        world.hospital().show(file)
