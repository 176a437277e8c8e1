"""The function as it ships, in a process of its own, over the storage emulator."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from localdev.storage.process import StorageServer
from perennial.domain import names
from perennial.ports import ObjectStore
from tests.bench.hosting import FunctionProcess
from tests.integration.predict.conftest import Caller
from tests.unit.predict.versions import crown, write_regression

HEAVY = {
    *("pandas", "sklearn", "skl2onnx", "onnx", "pydantic", "polars", "pyarrow", "yaml", "scipy"),
    *("requests", "cryptography"),  # parts of Google's client, which takes as long as all the rest
}


@pytest.fixture
def shop(models: ObjectStore) -> ObjectStore:
    """Versions 1 to 6, of which version N answers `visits + N`; v000001 is the champion."""
    for number in range(1, 7):
        write_regression(models, names.version_name(number), number)
    crown(models, "v000001")
    return models


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def serves(call: Caller, version: str) -> Callable[[], bool]:
    return lambda: call.predict({"visits": 0})[1].get("x-model-version") == version


def test_it_answers(shop, call):
    status, headers, answer = call.predict({"visits": 3, "age": 4})
    assert (status, headers["x-model-version"]) == (200, "v000001")
    assert answer == {"predictions": [8.0], "model_version": "v000001"}
    assert call("GET", "/v1/models/shop")[2]["ready"] is True
    assert [one["name"] for one in call("GET", "/")[2]["pipelines"]] == ["shop"]
    assert call("GET", "/v1/models/nope")[0] == 404


def test_it_loads_nothing_that_it_does_not_need(shop, call, function: FunctionProcess):
    assert call.predict({"visits": 3})[0] == 200
    lines = [line for line in function.log.read_text().splitlines() if line.startswith("import")]
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}
    assert {"onnxruntime", "numpy", "perennial"} <= imported
    assert not imported & HEAVY


def test_every_request_succeeds_while_the_champion_moves(shop, call, function):
    """Promotions and a rollback, under load: no error, no gap, no mixture of two versions."""
    path = ["v000001", "v000002", "v000003", "v000004", "v000002", "v000005"]
    eventually(serves(call, "v000001"))
    stop = threading.Event()
    seen: list[list[tuple[int, str | None, float]]] = []
    threads = [threading.Thread(target=_load, args=(function, stop, seen)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for version in path[1:]:
            crown(shop, version)
            eventually(serves(call, version))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(seen) == 4
    for answers in seen:
        assert {status for status, _, _ in answers} == {200}
        assert all(version == names.version_name(int(value)) for _, version, value in answers)
        moves = [now for before, now in pairwise(v for _, v, _ in answers) if before != now]
        assert moves == [version for version in path[1:] if version in moves]


def _load(function: FunctionProcess, stop: threading.Event, seen: list) -> None:
    caller = Caller(function)
    answers = []
    while not stop.is_set():
        status, headers, answer = caller.predict({"visits": 0})
        value = answer["predictions"][0] if status == 200 else -1
        answers.append((status, headers.get("x-model-version"), value))
    caller.close()
    seen.append(answers)


def test_a_corrupt_model_keeps_the_old_one_and_is_told_everywhere(shop, call, function):
    eventually(serves(call, "v000001"))
    graph = names.version("shop", "v000002", "model.onnx")
    whole = shop.read(graph).data
    shop.overwrite(graph, whole[:-1] + b"!")
    crown(shop, "v000002")
    eventually(lambda: "digest" in (call("GET", "/v1/models/shop")[2]["error"] or ""))
    assert serves(call, "v000001")()
    assert '"severity": "ERROR"' in function.log.read_text()
    shop.overwrite(graph, whole)
    eventually(serves(call, "v000002"))


def test_a_store_that_dies_keeps_the_old_model_until_it_is_back(
    shop, call, emulator: StorageServer
):
    eventually(serves(call, "v000001"))
    crown(shop, "v000002")
    emulator.kill()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        status, headers, _ = call.predict({"visits": 0})
        assert (status, headers["x-model-version"]) == (200, "v000001")
    emulator.start()
    eventually(serves(call, "v000002"), seconds=60)


def test_a_body_that_is_too_large_is_refused_with_an_answer(shop, call):
    status, _, problem = call("POST", "/v1/models/shop:predict", b" " * (20 * 1024 * 1024))
    assert (status, problem["type"]) == (413, "urn:perennial:problem:too-large")


def test_it_starts_without_a_store_and_serves_once_there_is_one(shop, function, emulator):
    emulator.kill()
    call = Caller(function)
    outcome: list[int] = []
    first = threading.Thread(target=lambda: outcome.append(call.predict({"visits": 0})[0]))
    first.start()
    emulator.start()
    first.join()
    assert outcome in ([200], [503])
    eventually(serves(call, "v000001"), seconds=60)
