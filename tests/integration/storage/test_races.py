"""Many writers, one winner, every time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from localdev.storage.process import StorageServer

ROUNDS = 25

Attempt = Callable[[storage.Bucket, int, int], object]
Race = Callable[[Attempt, int], list[list[int]]]


@pytest.fixture(params=[2, 4])
def race(
    request: pytest.FixtureRequest,
    server: StorageServer,
    new_client: Callable[..., storage.Client],
    bucket: storage.Bucket,
) -> Race:
    """Runs an attempt in several threads at once, round by round; gives each round's winners."""
    count: int = request.param
    buckets = [new_client(server).bucket(bucket.name) for _ in range(count)]

    def run(attempt: Attempt, rounds: int) -> list[list[int]]:
        barrier = Barrier(count)

        def compete(racer: int) -> list[bool]:
            results = []
            for number in range(rounds):
                barrier.wait(timeout=30)
                results.append(_wins(attempt, buckets[racer], number, racer))
            return results

        with ThreadPoolExecutor(count) as pool:
            results = list(pool.map(compete, range(count)))
        return [
            [racer for racer in range(count) if results[racer][number]] for number in range(rounds)
        ]

    return run


def _wins(attempt: Attempt, bucket: storage.Bucket, number: int, racer: int) -> bool:
    try:
        attempt(bucket, number, racer)
    except (PreconditionFailed, NotFound):
        return False
    return True


def test_one_of_those_who_create_wins(race: Race, bucket: storage.Bucket) -> None:
    def create(bucket: storage.Bucket, number: int, racer: int) -> None:
        bucket.blob(f"{number}").upload_from_string(f"{racer}", if_generation_match=0)

    for number, winners in enumerate(race(create, ROUNDS)):
        assert len(winners) == 1
        assert bucket.blob(f"{number}").download_as_bytes() == f"{winners[0]}".encode()


def test_one_of_those_who_replace_wins(race: Race, bucket: storage.Bucket) -> None:
    generations = {}
    for number in range(ROUNDS):
        blob = bucket.blob(f"{number}")
        blob.upload_from_string(b"before")
        generations[number] = blob.generation

    def replace(bucket: storage.Bucket, number: int, racer: int) -> None:
        bucket.blob(f"{number}").upload_from_string(
            f"{racer}", if_generation_match=generations[number]
        )

    for number, winners in enumerate(race(replace, ROUNDS)):
        assert len(winners) == 1
        assert bucket.blob(f"{number}").download_as_bytes() == f"{winners[0]}".encode()


def test_one_of_those_who_finish_a_resumable_upload_wins(
    race: Race, bucket: storage.Bucket, upload_in_chunks: Callable[..., storage.Blob]
) -> None:
    def create(bucket: storage.Bucket, number: int, racer: int) -> None:
        content = f"{racer}".encode() * 300 * 1024
        upload_in_chunks(bucket.blob(f"{number}"), content, if_generation_match=0)

    for number, winners in enumerate(race(create, 8)):
        assert len(winners) == 1
        assert set(bucket.blob(f"{number}").download_as_text()) == {f"{winners[0]}"}


@pytest.mark.parametrize("how", ["copy", "rewrite", "compose"])
def test_one_of_those_who_make_an_object_of_others_wins(
    race: Race, bucket: storage.Bucket, how: str
) -> None:
    for racer in range(4):
        bucket.blob(f"source-{racer}").upload_from_string(f"{racer}")

    def create(bucket: storage.Bucket, number: int, racer: int) -> Any:
        source, target = bucket.blob(f"source-{racer}"), bucket.blob(f"{number}")
        if how == "copy":
            return bucket.copy_blob(source, bucket, target.name, if_generation_match=0)
        if how == "rewrite":
            return target.rewrite(source, if_generation_match=0)
        return target.compose([source], if_generation_match=0)

    for number, winners in enumerate(race(create, 8)):
        assert len(winners) == 1
        assert bucket.blob(f"{number}").download_as_bytes() == f"{winners[0]}".encode()


def test_one_of_those_who_move_the_same_object_wins(race: Race, bucket: storage.Bucket) -> None:
    for number in range(8):
        bucket.blob(f"{number}").upload_from_string(f"{number}")

    def move(bucket: storage.Bucket, number: int, racer: int) -> None:
        bucket.move_blob(bucket.blob(f"{number}"), f"{number}-to-{racer}")

    for number, winners in enumerate(race(move, 8)):
        assert len(winners) == 1
        moved = [blob.name for blob in bucket.list_blobs(prefix=f"{number}")]
        assert moved == [f"{number}-to-{winners[0]}"]


def test_one_of_those_who_delete_wins(race: Race, bucket: storage.Bucket) -> None:
    for number in range(ROUNDS):
        bucket.blob(f"{number}").upload_from_string(b"")

    def delete(bucket: storage.Bucket, number: int, racer: int) -> None:
        bucket.blob(f"{number}").delete()

    assert {len(winners) for winners in race(delete, ROUNDS)} == {1}


def test_a_counter_by_compare_and_swap_loses_no_increment(
    race: Race, bucket: storage.Bucket
) -> None:
    counter = bucket.blob("counter")
    counter.upload_from_string("0")

    def increment(bucket: storage.Bucket, number: int, racer: int) -> None:
        while True:
            blob = bucket.get_blob("counter")
            try:
                value = int(blob.download_as_bytes())
                bucket.blob("counter").upload_from_string(
                    str(value + 1), if_generation_match=blob.generation
                )
            except (PreconditionFailed, NotFound):
                continue  # the generation that was read is gone: somebody was faster
            return

    rounds = race(increment, 10)
    increments = sum(len(winners) for winners in rounds)
    assert int(bucket.blob("counter").download_as_bytes()) == increments
    assert increments == 10 * len(rounds[0])


def test_compose_notices_what_happens_to_its_sources_while_it_reads(
    server: StorageServer, bucket: storage.Bucket
) -> None:
    bucket.blob("part").upload_from_string(bytes(8 << 20))
    source = bucket.blob("source")
    source.compose([bucket.blob("part")] * 16)  # large enough to be overtaken
    incoming = server.directory / "incoming"
    with ThreadPoolExecutor(1) as pool:
        composing = pool.submit(
            bucket.blob("whole").compose,
            [bucket.blob("source")],
            if_source_generation_match=[source.generation],
        )
        while not composing.done() and not any(incoming.iterdir()):
            time.sleep(0.001)
        bucket.blob("source").upload_from_string(b"replaced")
        with pytest.raises(PreconditionFailed):
            composing.result(timeout=30)
    assert not bucket.blob("whole").exists()


def test_readers_see_whole_objects_while_they_are_replaced(
    race: Race, bucket: storage.Bucket
) -> None:
    bucket.blob("hot").upload_from_string(b"0" * 5000)

    def write_or_read(bucket: storage.Bucket, number: int, racer: int) -> None:
        if racer == 0:
            bucket.blob("hot").upload_from_string(str(number % 10) * 5000)
        else:
            text = bucket.blob("hot").download_as_text(retry=None)
            assert len(text) == 5000
            assert len(set(text)) == 1

    rounds = race(write_or_read, 2 * ROUNDS)
    assert {len(winners) for winners in rounds} in ({2}, {4})
