"""`perennial apply --check-history` and `perennial schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perennial.adapters.clock import SystemClock
from perennial.domain.names import FileId
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.registry import Registry
from tests.unit.cli.conftest import DEFINITION, GOOD, Run

STRICT = DEFINITION.replace("[0, 10]", "[2, 10]")


@pytest.fixture
def dropped(flowers: Run, buckets: Buckets, registry: Registry) -> dict[str, int]:
    """Two accepted files, by their names in landing."""
    found = {}
    for name, data in (("a.csv", GOOD), ("b.csv", b"petals,bought\n5,true\n")):
        info = buckets.landing.create(f"flowers/{name}", data)
        file = FileId(info.generation, info.name)
        assert judge(buckets, registry, SystemClock(), file).decision == "accepted"
        found[info.name] = info.generation
    return found


def test_it_names_the_accepted_files_that_would_be_quarantined(
    flowers: Run, dropped: dict[str, int], tmp_path: Path
) -> None:
    (tmp_path / "strict.yaml").write_text(STRICT)

    document = flowers("apply", "strict.yaml", "--check-history", "--json").json

    counts = {k: v for k, v in document["history"].items() if k != "files"}
    assert counts == {"checked": 2, "accepted": 1, "warned": 0, "quarantined": 1, "gone": 0}
    first, second = document["history"]["files"]
    assert (first["name"], first["verdict"]) == ("flowers/a.csv", "quarantined")
    assert "expected a value from 2 to 10, found '1' in line 2" in first["reason"]
    assert (second["verdict"], second["reason"]) == ("accepted", "")
    assert [change["key"] for change in document["changes"]] == ["columns.petals.rules"]


def test_it_puts_nothing_in_force_and_writes_nothing(
    flowers: Run, dropped: dict[str, int], tmp_path: Path, buckets: Buckets, registry: Registry
) -> None:
    (tmp_path / "strict.yaml").write_text(STRICT)
    stores = (buckets.landing, buckets.quarantine, buckets.data, buckets.models)
    before = [[(o.name, o.generation) for o in store.list()] for store in stores]

    said = flowers("apply", "strict.yaml", "--check-history").out

    assert [[(o.name, o.generation) for o in store.list()] for store in stores] == before
    assert "nothing was put in force" in said
    assert "of 2 accepted files it would accept 1 (0 with warnings) and quarantine 1" in said


def test_an_original_that_is_gone_is_told(
    flowers: Run, dropped: dict[str, int], buckets: Buckets
) -> None:
    buckets.landing.delete("flowers/b.csv", generation=dropped["flowers/b.csv"])

    history = flowers("apply", "flowers.yaml", "--check-history", "--json").json["history"]

    assert (history["gone"], history["accepted"]) == (1, 1)


def test_a_pipeline_without_history_of_a_definition_is_named(flowers: Run, tmp_path: Path) -> None:
    (tmp_path / "roses.yaml").write_text(DEFINITION.replace("flowers", "roses"))

    assert "roses" in flowers("apply", "roses.yaml", "--check-history").complaint


def test_the_schema_is_written_for_editors(run: Run, tmp_path: Path) -> None:
    said = run("schema", "-o", "schema.json").out

    assert "yaml-language-server: $schema=schema.json" in said
    document = run("schema", "--json").json
    assert json.loads((tmp_path / "schema.json").read_text()) == document
    assert document["required"] == ["name", "task", "columns"]
