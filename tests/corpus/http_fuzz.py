"""`make fuzz`, second part: requests as nobody should send them, and a look at every answer.

Never an exception, never a traceback, never a 5xx for what a caller did; every answer is what the
OpenAPI document says, and a request is accepted exactly when it says so, save what it cannot say.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import jsonschema_rs
from functions_framework.aio import create_asgi_app

from perennial.adapters.clock import SystemClock
from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.domain.modelling.text import TEXT_V1
from perennial.ports import ObjectStore
from perennial.wiring import predict as wiring
from perennial.workflows.serve import Server
from tests.corpus.http_requests import INPUTS, PIPELINE, PREDICT, Sent, request
from tests.unit.predict.versions import crown, manifest_of, regression_graph, write_version

MAIN = Path(__file__).parents[2] / "functions" / "predict" / "main.py"

_PROBLEM = "application/problem+json"
_JSON, _CSV = "application/json", "text/csv; charset=utf-8; header=present"
_TRACES = ("Traceback", 'File "', ".py", "0x7f")

_BEYOND_WORDS = ("float32", "ISO 8601")
"""Of an error: what a schema cannot say of a value."""


def publish(models: ObjectStore) -> None:
    """A pipeline with every type of column and two versions, and one that has no version yet."""
    for number in (1, 2):
        graph = regression_graph(number, INPUTS)
        manifest = manifest_of(graph, f"v00000{number}", inputs=INPUTS, text=TEXT_V1)
        write_version(models, manifest, graph)
        crown(models, manifest.version)
    crown(models, None, pipeline="empty")


class Predict:
    """The function as functions-framework hosts it, in this process, over a store in memory."""

    def __init__(self) -> None:
        models = MemoryStore("models")
        publish(models)
        server = Server(models, SystemClock(), Graph)
        self._patch = patch.object(wiring, "server", lambda _: server)
        self._patch.start()
        self._path = [*sys.path]
        self._app = create_asgi_app("predict", str(MAIN), "http")
        self._runner = asyncio.Runner()

    def close(self) -> None:
        """Leave the process as it was."""
        self._runner.close()
        self._patch.stop()
        sys.path[:] = self._path
        sys.modules.pop("main", None)

    def answer(self, sent: Sent) -> Answer:
        """What it answers; raises what it raises."""
        half = len(sent.body) // 2
        parts = [
            {"type": "http.request", "body": sent.body[:half], "more_body": True},
            {"type": "http.request", "body": sent.body[half:], "more_body": False},
        ]
        if sent.ends_early:
            parts[1:] = [{"type": "http.disconnect"}]
        status, headers, body = 0, {}, bytearray()

        async def receive() -> Mapping[str, Any]:
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {k.decode(): v.decode("latin-1") for k, v in message["headers"]}
            body.extend(message.get("body", b""))

        scope = {
            "type": "http", "http_version": "1.1", "scheme": "http", "root_path": "",
            "method": sent.method, "path": sent.path, "query_string": sent.query,
            "raw_path": sent.path.encode(), "headers": list(sent.headers),
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        self._runner.run(self._app(scope, receive, send))
        return Answer(status, headers, bytes(body))


class Answer:
    """A status, headers by their names in lower case, and a body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def kind(self) -> str:
        """The status, and of a problem its type."""
        if self.headers.get("content-type") != _PROBLEM:
            return str(self.status)
        return f"{self.status} {json.loads(self.body)['type'].rpartition(':')[2]}"


class Description:
    """The OpenAPI document, as a judge of answers and requests."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._schemas: dict[str, jsonschema_rs.Draft202012Validator] = {}

    @classmethod
    def of(cls, predict: Predict) -> Self:
        """The one that is served."""
        return cls(json.loads(predict.answer(Sent("GET", "/openapi.json")).body))

    def judges(self, name: str, value: object) -> str:
        """What is wrong with a value of a component's schema; empty if nothing is."""
        if name not in self._schemas:
            whole = {**self._document, "$ref": f"#/components/schemas/{name}"}
            self._schemas[name] = jsonschema_rs.Draft202012Validator(whole)
        return "; ".join(
            f"{e.instance_path}: {e.message}" for e in self._schemas[name].iter_errors(value)
        )

    def statuses(self, path: str, method: str) -> set[int]:
        """Those that are described."""
        return {int(code) for code in self._document["paths"][path][method]["responses"]}


_ROUTES: Mapping[str, tuple[str, str, str]] = {
    "/": ("/", "get", "Service"),
    f"/v1/models/{PIPELINE}": ("/v1/models/{pipeline}", "get", "Model"),
    "/v1/models/empty": ("/v1/models/{pipeline}", "get", "Model"),
    PREDICT: (PREDICT, "post", "Predictions"),
}


def examine(description: Description, sent: Sent, answer: Answer) -> None:
    """What holds of every answer."""
    text = answer.body.decode()  # everything is UTF-8
    kind = answer.headers.get("content-type", "")
    assert not any(trace in text for trace in _TRACES), text
    ready = "empty" not in sent.path
    assert answer.status < 500 or (answer.status == 503 and not ready), text
    described = _ROUTES.get(sent.path)
    asked = sent.method if sent.method != "HEAD" else "GET"
    if described and asked.lower() == described[1]:
        assert answer.status in description.statuses(described[0], described[1])
    if answer.status >= 400:
        assert kind == _PROBLEM, kind
        document = json.loads(text)
        assert not (wrong := description.judges("Problem", document)), wrong
        assert document["status"] == answer.status
        assert len(text) < 60_000
        if answer.status == 422:
            _examine_refused(description, sent, document)
    elif kind == _JSON and described:
        document = json.loads(text)
        assert not (wrong := description.judges(described[2], document)), wrong
        if described[2] == "Predictions":
            assert answer.headers["x-model-version"] == document["model_version"]
            _examine_accepted(description, sent, len(document["predictions"]))
    elif kind == _CSV:
        header, *rows = text.splitlines()
        assert header == "prediction"
        assert all(float(row) < float("inf") for row in rows)


def _examine_accepted(description: Description, sent: Sent, count: int) -> None:
    if not _is_csv(sent):
        instances = json.loads(sent.body)["instances"]
        assert len(instances) == count
        for instance in instances:
            assert not (wrong := description.judges(f"{PIPELINE}.instance", instance)), wrong


def _examine_refused(description: Description, sent: Sent, problem: Mapping[str, Any]) -> None:
    """Each error names a place that exists, and one that the description knows to be wrong."""
    assert problem["error_count"] >= len(problem["errors"]) > 0
    assert ("line" in problem["errors"][0]) == _is_csv(sent)
    if _is_csv(sent):
        return
    instances = json.loads(sent.body)["instances"]
    for error in problem["errors"]:
        instance = instances[error["instance"]]
        if error["found"] == "two" or any(word in error["expected"] for word in _BEYOND_WORDS):
            continue
        if error["expected"] != "an integer":  # a string's value is beyond words, too
            assert description.judges(f"{PIPELINE}.instance", instance), (error, instance)


def _is_csv(sent: Sent) -> bool:
    return dict(sent.headers).get(b"content-type", b"").lower().startswith(b"text/csv")


def fuzz(cases: int, seed: int) -> Counter[str]:
    """Send requests; how many there were of each kind of answer.

    Raises:
        AssertionError: naming the seed of the first request that is answered as none may be.
    """
    found: Counter[str] = Counter()
    with closing(Predict()) as predict:
        description = Description.of(predict)
        for number in range(seed, seed + cases):
            sent = request(number)
            try:
                answer = predict.answer(sent)
                examine(description, sent, answer)
            except Exception as error:
                raise AssertionError(f"seed {number}, {sent}: {error!r}") from error
            found[answer.kind] += 1
    return found


def main() -> None:
    """Fuzz, and print what the answers were."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.http_fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for kind, count in fuzz(options.cases, options.seed).most_common():
        print(f"{count:8,}  {kind}")


if __name__ == "__main__":
    main()
