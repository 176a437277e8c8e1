"""Of a file with a few bad rows these lie in quarantine, and the rest is accepted and learned."""

from __future__ import annotations

import io
import json

import pyarrow.parquet as pq
import pytest

from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.errors import RefusedError
from perennial.workflows.verdicts import list_in_force
from tests.integration.ingest.world import VISITS, World

POLICY = VISITS + "rows: {max_bad_row_fraction: 0.5}\n"
MIXED = (
    b"when,people,bought\n2024-02-01,99,true\n2024-02-02,1,false\n2024-02-03,3\n2024-02-04,2,true\n"
)
ASIDE = b"line,rules,when,people,bought\n2,range,2024-02-01,99,true\n4,field_count,2024-02-03,3\n"


@pytest.fixture
def lenient() -> World:
    world = World()
    world.apply(POLICY)
    return world


def summary(world: World) -> VerdictSummary:
    [found] = list_in_force(world.stores["data"], "shop")
    return found


def people(world: World, verdict: Verdict) -> list[int]:
    data = world.stores["data"].read(verdict.rows_object).data
    return pq.read_table(io.BytesIO(data)).column("people").to_pylist()


def test_bad_rows_lie_in_quarantine_and_the_rest_is_accepted(lenient: World) -> None:
    verdict = lenient.drop_and_ingest("shop/a.csv", MIXED)

    assert (verdict.decision, verdict.rows, verdict.rows_set_aside) == ("accepted", 2, 2)
    assert verdict.reason.startswith("2 of 4 rows set aside: expected 3 fields in every row")
    assert {finding.severity for finding in verdict.findings} == {"reject_row"}
    assert people(lenient, verdict) == [1, 2]
    assert lenient.launcher.launched == ["shop"]
    folder = f"shop/{verdict.file.stem}/"
    assert verdict.bad_rows_object == f"{folder}bad-rows.csv"
    lying = lenient.objects("quarantine")
    assert lying.keys() == {
        ("quarantine", f"{folder}bad-rows.csv"),
        ("quarantine", f"{folder}report.json"),
    }
    assert lying["quarantine", verdict.bad_rows_object] == ASIDE
    report = json.loads(lying["quarantine", f"{folder}report.json"])
    assert (report["decision"], report["rows"], report["rows_set_aside"]) == ("accepted", 2, 2)
    assert report["bad_rows"] == f"gs://quarantine/{verdict.bad_rows_object}"
    assert [finding["rule"] for finding in report["findings"]] == ["field_count", "range"]


def test_too_many_bad_rows_keep_the_file_out() -> None:
    world = World()
    world.apply(POLICY.replace("0.5", "0.49"))

    verdict = world.drop_and_ingest("shop/a.csv", MIXED)

    assert (verdict.decision, verdict.rows_set_aside) == ("quarantined", 0)
    assert {finding.severity for finding in verdict.findings} == {"reject"}
    assert verdict.broken == ["field_count", "range", "bad_rows"]


def test_the_same_bytes_under_another_policy_are_other_rows(lenient: World) -> None:
    """Rows lie under a name that says which part of a file they are."""
    first = lenient.drop_and_ingest("shop/a.csv", MIXED)
    world = World()
    world.apply(POLICY.replace("[1, 20]", "[1, 100]"))

    second = world.drop_and_ingest("shop/a.csv", MIXED)

    assert people(world, second) == [99, 1, 2]
    assert first.sha256 == second.sha256
    assert first.rows_object != second.rows_object
    whole = world.drop_and_ingest("shop/b.csv")
    digest = world.registry.definition(world.registry.require("shop")).schema_digest
    assert whole.rows_object == f"shop/rows/{whole.sha256}-{digest}.parquet"


def test_a_verdict_from_before_there_were_row_policies_can_be_read(lenient: World) -> None:
    verdict = lenient.drop_and_ingest("shop/a.csv")
    document = json.loads(verdict.to_json())
    facts = json.loads(verdict.summary["summary"])
    for key in ("rows_set_aside", "bad_rows_object", "rows_discarded"):
        del document[key]
        facts.pop(key, None)

    assert Verdict.from_json(json.dumps(document).encode()) == verdict
    old = VerdictSummary.from_metadata(verdict.file.stem, 1, {"summary": json.dumps(facts)})
    assert old == summary(lenient)
    assert old.state == "accepted"


def test_the_hospital_shows_the_rows_and_gives_them_back(lenient: World) -> None:
    file = lenient.drop_and_ingest("shop/a.csv", MIXED).file
    lenient.drop_and_ingest("shop/b.csv")
    hospital = lenient.hospital()

    [listed] = hospital.list()
    assert (listed.file, listed.state, listed.rows_set_aside) == (file, "rows", 2)
    assert listed.rules == ("field_count", "range")
    case = hospital.show(hospital.find("a.csv"))
    assert case.report["bad_rows"].endswith("/bad-rows.csv")
    hospital.download_bad_rows(file, rows := io.BytesIO())
    hospital.download(file, original := io.BytesIO())
    assert (rows.getvalue(), original.getvalue()) == (ASIDE, MIXED)


def test_an_accepted_file_is_judged_no_more_and_says_what_to_do(lenient: World) -> None:
    """Its other rows may have been learned."""
    file = lenient.drop_and_ingest("shop/a.csv", MIXED).file
    hospital = lenient.hospital()

    for deed in (
        lambda: hospital.retry(file, by="ann"),
        lambda: hospital.release(file, by="ann", why="x"),
        lambda: hospital.foresee(file),
    ):
        with pytest.raises(RefusedError, match="drop them as a file of their own"):
            deed()
    assert len(lenient.verdicts()) == 1


def test_corrected_bad_rows_are_a_file_like_any_other(lenient: World) -> None:
    """As they were written, with the columns that say where they stood."""
    file = lenient.drop_and_ingest("shop/a.csv", MIXED).file
    lenient.hospital().download_bad_rows(file, rows := io.BytesIO())
    corrected = rows.getvalue().replace(b"99", b"9").replace(b"03,3\n", b"03,3,true\n")

    verdict = lenient.drop_and_ingest("shop/a-corrected.csv", corrected)

    assert (verdict.decision, people(lenient, verdict)) == ("accepted", [9, 3])
    assert [finding.rule for finding in verdict.findings] == ["extra_column"]


def test_bad_rows_that_are_discarded_are_listed_no_more(lenient: World) -> None:
    """The file stays accepted, with the same rows, and is not learned anew."""
    first = lenient.drop_and_ingest("shop/a.csv", MIXED)
    hospital = lenient.hospital()

    done = hospital.discard(first.file, by="ann", why="a broken till")

    assert (done.decision, done.number, done.decided_by) == ("accepted", 2, "ann")
    assert done.reason == "2 bad rows discarded by ann: a broken till"
    assert (done.rows_object, done.rows_set_aside) == (first.rows_object, 2)
    assert hospital.list() == []
    assert lenient.launcher.launched == ["shop"]
    with pytest.raises(RefusedError, match="is not in quarantine: it is accepted"):
        hospital.discard(first.file, by="ann", why="again")


def test_a_release_takes_every_row_that_can_be_used(lenient: World) -> None:
    """Also those that the definition in force would set aside."""
    world = World()
    world.apply()
    file: FileId = world.drop_and_ingest("shop/a.csv", MIXED).file
    world.apply(POLICY)

    verdict = world.hospital().release(file, by="ann", why="a school class")

    assert (people(world, verdict), verdict.rows_set_aside) == ([99, 1, 2], 0)


def test_a_retry_sets_bad_rows_aside_under_a_definition_that_bears_them() -> None:
    world = World()
    world.apply()
    file = world.drop_and_ingest("shop/a.csv", MIXED).file
    world.apply(POLICY)

    assert world.hospital().foresee(file).set_aside == 2
    verdict = world.hospital().retry(file, by="ann")

    assert (verdict.decision, verdict.number, verdict.rows_set_aside) == ("accepted", 2, 2)
    name = f"shop/{file.stem}/bad-rows.0002.csv"
    assert world.objects("quarantine")["quarantine", name] == ASIDE
