"""A running predict keeps to its OpenAPI document, as schemathesis reads it."""

from __future__ import annotations

import http.client
from collections import Counter
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from perennial.ports import ObjectStore
from tests.bench.hosting import HOST, FunctionProcess
from tests.corpus.http_fuzz import publish
from tests.corpus.http_requests import request
from tests.unit.predict.versions import (
    CLASSES,
    classification_graph,
    crown,
    manifest_of,
    write_version,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def url(models: ObjectStore, function: FunctionProcess) -> str:
    """Of a predict with a regression that reads every type of column, and a classification."""
    publish(models)
    models.delete("empty/registry/head.json")
    graph = classification_graph(0)
    manifest = manifest_of(graph, "v000001", pipeline="flowers", classes=CLASSES)
    write_version(models, manifest, graph)
    crown(models, "v000001", pipeline="flowers")
    function.connect().close()
    return f"http://{HOST}:{function.port}"


def test_every_answer_is_as_described(url: str) -> None:
    description = schemathesis.openapi.from_url(f"{url}/openapi.json")
    statuses: dict[str, Counter[int]] = {}
    with requests.Session() as session:
        for operation in description.get_all_operations():
            _try(operation.ok(), session, statuses)
    posts = {label for label in statuses if label.startswith("POST")}
    assert {f"POST /v1/models/{name}:predict" for name in ("shop", "flowers")} < posts
    assert len(statuses) == 6  # all but the one that gives the document
    look_up = statuses.pop("GET /v1/models/{pipeline}/predictions/{key}")
    assert set(look_up) == {404}  # no file was scored
    assert all(answers[200] for answers in statuses.values()), statuses
    assert sum(statuses.values(), Counter())[422]


def _try(operation, session: requests.Session, statuses: dict[str, Counter[int]]) -> None:
    """Send good and bad requests to one operation."""
    seen = statuses[operation.label] = Counter()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        if mode is GenerationMode.NEGATIVE and not operation.body and not operation.query:
            continue

        @settings(max_examples=25, derandomize=True, database=None, phases=[Phase.generate])
        @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
        def run(case, known: bool) -> None:
            if known:  # few pipelines and versions would be met by chance
                case.query = {}
                if "pipeline" in case.path_parameters:
                    case.path_parameters["pipeline"] = "shop"
                    if case.body and case.method == "POST":
                        case.body = {"instances": [{"visits": 1, "channel": "web"}]}
                        case.media_type = "application/json"
            # The server's own router, which no function sees behind, answers a line end in a path.
            assume("\n" not in str(case.path_parameters))
            response = case.call(session=session)
            seen[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        run()


def test_spoiled_requests_harm_no_real_server(url: str, function: FunctionProcess) -> None:
    """What the server itself refuses does not come to us; what comes is no failure."""
    statuses: Counter[int] = Counter()
    for seed in range(150):
        sent = request(seed)
        if sent.ends_early:
            continue
        connection = http.client.HTTPConnection(HOST, function.port, timeout=20)
        query = "?" + quote(sent.query, safe="=&%./") if sent.query else ""
        connection.putrequest(sent.method, quote(sent.path) + query, skip_accept_encoding=True)
        for name, value in sent.headers:
            if name not in (b"host", b"transfer-encoding", b"expect") and b"\0" not in value:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(sent.body)))
        connection.endheaders(sent.body)
        response = connection.getresponse()
        assert b"Traceback" not in response.read()
        statuses[response.status] += 1
        connection.close()
    assert not any(status >= 500 for status in statuses), statuses
    assert statuses[200]
    assert statuses[422]
    log = function.log.read_text()
    assert '"severity": "ERROR"' not in log
    assert "Traceback" not in log
