"""Transactions: rows and bytes come and go together."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from localdev.clock import Clock
from localdev.storage import buckets
from localdev.storage.blobs import BlobFiles, linked_from, moved_from
from localdev.storage.checksums import Checksums
from localdev.storage.commits import Draft, publish
from localdev.storage.database import FILE_NAME, connect
from localdev.storage.engine import Engine, Transaction
from localdev.storage.objects import Content, StoredObject, find
from localdev.storage.preconditions import Preconditions
from localdev.storage.reading import open_object


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine whose clock stands still."""
    engine = Engine(tmp_path / "state", Clock(scale=1e-9, origin=1_700_000_000))
    engine.transact(lambda transaction: buckets.create(transaction, {"name": "plain"}))
    yield engine
    engine.close()


@pytest.fixture
def received(tmp_path: Path) -> Path:
    """Bytes that have arrived."""
    path = tmp_path / "received"
    path.write_bytes(b"content")
    return path


def draft(received: Path, *, keep: bool = True) -> Draft:
    return Draft(
        bucket="plain",
        name="a",
        metadata={},
        content=Content(7, Checksums()),
        placement=linked_from(received) if keep else moved_from(received),
        origin="http://localhost",
        preconditions=Preconditions(),
    )


class Crash(Exception):
    """What goes wrong behind a commit's back."""


def publish_then_crash(transaction: Transaction, wanted: Draft) -> None:
    publish(transaction, wanted)
    raise Crash


def read(engine: Engine) -> StoredObject | None:
    return engine.transact(lambda transaction: find(transaction.connection, "plain", "a"))


def files(engine: Engine) -> list[Path]:
    return sorted(engine.blobs.path(0).parent.parent.glob("*/*"))


def test_a_commit_brings_row_and_bytes(engine: Engine, received: Path) -> None:
    published = engine.transact(lambda transaction: publish(transaction, draft(received)))
    assert read(engine) == published
    assert engine.blobs.path(published.generation).read_bytes() == b"content"


def test_a_failure_takes_row_and_bytes_back(engine: Engine, received: Path) -> None:
    with pytest.raises(Crash):
        engine.transact(lambda transaction: publish_then_crash(transaction, draft(received)))
    assert read(engine) is None
    assert files(engine) == []
    assert received.read_bytes() == b"content"  # a session could still be resumed


def test_a_failed_replacement_leaves_the_old_generation_whole(
    engine: Engine, received: Path
) -> None:
    before = engine.transact(lambda transaction: publish(transaction, draft(received)))
    with pytest.raises(Crash):
        engine.transact(
            lambda transaction: publish_then_crash(transaction, draft(received, keep=False))
        )
    assert read(engine) == before
    assert files(engine) == [engine.blobs.path(before.generation)]


def test_a_replacement_drops_the_old_bytes(engine: Engine, received: Path) -> None:
    engine.transact(lambda transaction: publish(transaction, draft(received)))
    after = engine.transact(lambda transaction: publish(transaction, draft(received, keep=False)))
    assert files(engine) == [engine.blobs.path(after.generation)]


class Overtaken:
    """Blob files whose reader is overtaken by a replacement, once, just before it opens one."""

    def __init__(self, engine: Engine, received: Path) -> None:
        self._engine, self._received, self._is_first = engine, received, True

    def path(self, generation: int) -> Path:
        if self._is_first:
            self._is_first = False
            self._engine.transact(lambda transaction: publish(transaction, draft(self._received)))
        return self._engine.blobs.path(generation)


def test_a_reader_that_is_overtaken_reads_the_replacement(engine: Engine, received: Path) -> None:
    before = engine.transact(lambda transaction: publish(transaction, draft(received)))
    connection = connect(received.parent / "state" / FILE_NAME)
    overtaken = cast("BlobFiles", Overtaken(engine, received))
    found, file = open_object(connection, overtaken, "plain", "a")
    with file:
        assert found.generation > before.generation
        assert file.read() == b"content"


def test_bytes_that_are_lost_are_missed(engine: Engine, received: Path) -> None:
    published = engine.transact(lambda transaction: publish(transaction, draft(received)))
    engine.blobs.remove(published.generation)
    with pytest.raises(FileNotFoundError):
        open_object(connect(received.parent / "state" / FILE_NAME), engine.blobs, "plain", "a")


def test_generations_grow_while_the_clock_stands_still(engine: Engine, received: Path) -> None:
    generations = [
        engine.transact(lambda transaction: publish(transaction, draft(received))).generation
        for _ in range(5)
    ]
    assert generations == list(range(generations[0], generations[0] + 5))
