"""What is done about a generation is done with its bytes, whatever lies under its name by then."""

from __future__ import annotations

import hashlib
import io

import pytest

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.workflows.originals import (
    decided_bytes,
    download_original,
    learned_bytes,
    original_bytes,
)

from .world import BAD, GOOD, OTHER, World


@pytest.mark.parametrize("data", [GOOD, BAD])
def test_a_file_that_is_overwritten_while_it_is_judged_is_judged_by_its_own_bytes(
    data: bytes,
) -> None:
    """Or not at all, whichever of its calls the new upload comes before."""
    calm = World()
    calm.apply()
    calm.calls.made.clear()
    decision = calm.drop_and_ingest("shop/a.csv", data).decision
    found = set()

    for call in range(1, len(calm.calls.made) + 1):
        world = World()
        world.apply()
        file = world.drop("shop/a.csv", data)

        def overwrite(world: World = world) -> None:
            world.drop("shop/a.csv", OTHER)

        world.calls.made.clear()
        world.calls.crash_at, world.calls.meanwhile = call, overwrite

        verdict = world.ingest(file)

        assert verdict.file == file
        found.add(verdict.decision)
        if verdict.decision == "vanished":
            continue
        assert verdict.sha256 == hashlib.sha256(data).hexdigest(), call
        if verdict.decision == "quarantined":
            kept = world.stores["quarantine"].read(names.quarantined_bytes("shop", file)).data
            assert kept == data, call
    assert found == {decision, "vanished"}


@pytest.fixture
def quarantined(world: World) -> FileId:
    """A bad file whose copy in quarantine the lifecycle has deleted, and whose name was used."""
    file = world.drop("shop/a.csv", BAD)
    assert world.ingest(file).decision == "quarantined"
    world.stores["quarantine"].delete(names.quarantined_bytes("shop", file))
    world.drop("shop/a.csv", OTHER)
    return file


def test_original_bytes_are_those_of_the_file_and_not_of_its_name(
    world: World, quarantined: FileId
) -> None:
    downloaded = io.BytesIO()
    download_original(world.buckets, "shop", quarantined, downloaded)

    assert original_bytes(world.buckets, "shop", quarantined) == BAD
    assert downloaded.getvalue() == BAD
    (verdict,) = world.verdicts()
    assert decided_bytes(world.buckets, verdict) == BAD


def test_learned_bytes_are_those_of_the_file_and_not_of_its_name(world: World) -> None:
    verdict = world.drop_and_ingest("shop/a.csv", GOOD)
    world.drop("shop/a.csv", BAD)

    landing, data = world.stores["landing"], world.stores["data"]
    assert learned_bytes(landing, data, "shop", verdict) == GOOD
