"""Requests that are small on the wire and large in memory, or that take their time."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.domain.serving.prediction_log import Entry
from perennial.domain.serving.problems import Problem
from perennial.domain.serving.request_rows import Rows, read_json
from perennial.workflows.serve import INLINE_BYTES, Server
from perennial.workflows.serving.loading import Model
from tests.unit.predict.test_contract import assert_problem
from tests.unit.predict.versions import crown, write_regression

PREDICT = "/v1/models/shop:predict"


@pytest.fixture
def shop(store):
    """The champion v000001 answers `visits + age + 10`."""
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


@pytest.mark.parametrize("one", [b"{}", b"[]", b'{"visits":[[[[[[[[[[[]]]]]]]]]]]}'])
def test_millions_of_objects_are_refused_before_they_are_made(shop, client, monkeypatch, one):
    monkeypatch.setattr("orjson.loads", lambda _: pytest.fail("made"))
    body = b'{"instances":[' + b",".join([one] * 100_000) + b"]}"
    answer = client.request("POST", PREDICT, content=body)
    words = "at most 10000 instances, and 100000 objects and lists in all, found more"
    assert_problem(answer, 413, "too-large", words)


@pytest.mark.parametrize("text", ["{[" * 60_000, '{"\\' * 110_000, '\\"{' * 110_000])
def test_those_that_a_text_holds_are_none(shop, client, text):
    answer = client.predict({"visits": 1, "note": text}, {"visits": 2, "note": "{"})
    assert answer.json()["predictions"] == [11.0, 12.0]


def test_a_text_without_its_end_is_looked_through_once():
    began = time.process_time()
    with pytest.raises(Problem, match="not JSON"):
        read_json(b'["' + rb"\"[" * 1_000_000, 10_000)
    assert time.process_time() - began < 10  # again from each quote, it would be hours


def test_one_large_body_is_read_at_a_time(clock):
    at_work: list[int] = []
    overlaps: list[int] = []

    def read(body: bytes) -> Rows:
        at_work.append(1)
        time.sleep(0.01)
        overlaps.append(len(at_work))
        at_work.pop()
        return Rows([{}], size=len(body))

    async def both() -> list[Rows]:
        server = Server(MemoryStore("models"), clock, Graph)
        bodies = [b"x" * (INLINE_BYTES + 1)] * 4
        return await asyncio.gather(*(server.read(read, body) for body in bodies))

    assert {rows.size for rows in asyncio.run(both())} == {INLINE_BYTES + 1}
    assert overlaps == [1, 1, 1, 1]


@pytest.mark.parametrize(("characters", "apart"), [(100, False), (100_000, True)])
def test_one_instance_with_a_long_text_leaves_the_event_loop_to_others(
    shop, client, lines, monkeypatch, characters, apart
):
    threads: dict[str, threading.Thread] = {}

    def seen(owner: type, name: str) -> None:
        do = getattr(owner, name)

        def noting(*given):
            threads[name] = threading.current_thread()
            return do(*given)

        monkeypatch.setattr(owner, name, noting)

    seen(Model, "answer")
    seen(Entry, "line")
    answer = client.predict({"visits": 1, "note": "x" * characters})
    assert answer.json()["predictions"] == [11.0]
    assert len(lines) == 1
    assert {one is not threading.main_thread() for one in threads.values()} == {apart}
    assert set(threads) == {"answer", "line"}
