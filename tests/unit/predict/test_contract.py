"""The HTTP contract: what each route answers, and how each mistake is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from perennial.adapters.memory import MemoryStore
from tests.unit.predict.versions import (
    CLASSES,
    VISITS,
    classification_graph,
    crown,
    manifest_of,
    reciprocal_graph,
    regression_graph,
    write_regression,
    write_version,
)

PREDICT = "/v1/models/shop:predict"
GOOD = b'{"instances": [{"visits": 3}]}'
JSON = {"content-type": "application/json; charset=UTF-8"}


@pytest.fixture
def shop(store: MemoryStore) -> MemoryStore:
    """A pipeline whose champion answers `visits + age + 10`."""
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


def assert_problem(answer: httpx.Response, status: int, slug: str, words: str) -> None:
    """The answer is this problem document, and says these words."""
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:perennial:problem:{slug}"
    assert words in problem["detail"]


def test_a_regression_is_answered_by_numbers_and_the_version(shop, client):
    answer = client.predict({"visits": 3, "age": 4}, {"visits": "0.5"})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [17.0, 10.5], "model_version": "v000001"}
    assert answer.headers["x-model-version"] == "v000001"


def test_a_classification_is_answered_by_label_and_probabilities(store, client):
    graph = classification_graph(0)
    manifest = manifest_of(graph, "v000001", classes=CLASSES)
    write_version(store, manifest, graph)
    crown(store, "v000001")
    (prediction,) = client.predict({"visits": 0}).json()["predictions"]
    assert prediction == {"label": "no", "probabilities": {"no": 0.5, "yes": 0.5}}


def test_a_large_batch_is_answered_in_order(shop, client):
    answer = client.predict(*({"visits": n} for n in range(1000)))
    assert answer.json()["predictions"] == [float(n + 10) for n in range(1000)]


def test_the_model_route_tells_what_answers(shop, client, clock):
    answer = client.get("/v1/models/shop")
    document = answer.json()
    assert document.pop("age_seconds") > 0
    assert len(document.pop("digest")) == 64
    assert document == {
        "name": "shop",
        "ready": True,
        "version": "v000001",
        "champion": "v000001",
        "error": None,
        "looked_up_seconds_ago": 0,
        "stale": False,
        "trained_through": "2025-02-14T18:30:00+00:00",
        "inputs": [
            {"name": "visits", "type": "number", "nullable": False, "format": None},
            {"name": "age", "type": "integer", "nullable": True, "format": None},
        ],
    }
    assert answer.headers["x-model-version"] == "v000001"


def test_the_model_route_tells_of_any_approved_version(shop, client, clock):
    write_regression(shop, "v000002", 20)
    assert_problem(
        client.get("/v1/models/shop?version=v000002"), 404, "unknown-version", "'v000002'"
    )
    crown(shop, "v000002")
    clock.pass_(1)
    champion = client.get("/v1/models/shop?version=v000002")
    before = client.get("/v1/models/shop?version=v000001")
    assert (champion.status_code, champion.json()["version"]) == (200, "v000002")
    assert (before.json()["ready"], before.json()["version"]) == (True, "v000001")
    assert before.headers["x-model-version"] == "v000001"
    assert before.json()["digest"] != champion.json()["digest"]
    assert [one["name"] for one in before.json()["inputs"]] == ["visits", "age"]


def test_an_approved_version_answers_also_while_there_is_no_champion(shop, client):
    crown(shop, None)
    assert client.get("/v1/models/shop").json()["ready"] is False
    assert client.get("/v1/models/shop?version=v000001").json()["ready"] is True


def test_a_clock_that_is_behind_makes_no_negative_ages(store, client, clock):
    graph = regression_graph(10)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    write_version(store, replace(manifest_of(graph, "v000001"), created=ahead), graph)
    crown(store, "v000001")
    clock.time = ahead
    assert client.get("/v1/models/shop").json()["age_seconds"] == 0
    (state,) = client.get("/").json()["pipelines"]
    assert state["looked_up_seconds_ago"] == 0


def test_what_describes_the_deployment_is_no_pipeline(shop, client):
    shop.create("deployment.json", b"{}")
    assert [one["name"] for one in client.get("/").json()["pipelines"]] == ["shop"]
    detail = client.get("/v1/models/deployment").json()["detail"]
    assert detail == "no pipeline 'deployment'; pipelines are shop"


def test_an_unknown_pipeline_is_answered_by_those_that_exist_the_nearest_first(shop, client):
    for name in ("bike", "flowers", "shoppers"):
        crown(shop, None, pipeline=name)
    answer = client.predict({"visits": 1}, pipeline="shopper")
    words = "no pipeline 'shopper'; pipelines are shoppers, shop, flowers, bike"
    assert_problem(answer, 404, "unknown-pipeline", words)


def test_of_many_pipelines_only_the_nearest_are_named(shop, client):
    for number in range(40):
        crown(shop, None, pipeline=f"bike-{number:02d}")
    detail = client.get("/v1/models/shp").json()["detail"]
    assert "pipelines are shop, bike-" in detail
    assert detail.endswith(", …")
    assert detail.count("bike-") == 19


def test_where_there_is_no_pipeline_it_says_so(client):
    assert client.get("/v1/models/shop").json()["detail"].endswith("there is no pipeline yet")


def test_the_root_lists_pipelines_with_and_without_a_champion(shop, client):
    crown(shop, None, pipeline="bike")
    document = client.get("/").json()
    assert document["service"] == "perennial-predict"
    states = {one["name"]: (one["ready"], one["version"]) for one in document["pipelines"]}
    assert states == {"shop": (True, "v000001"), "bike": (False, None)}


def test_any_approved_version_can_be_asked_for(shop, client):
    for version, bias in (("v000002", 20), ("v000003", 30), ("v000004", 40)):
        write_regression(shop, version, bias)
        crown(shop, version)
    for version, bias in (("v000001", 10), ("v000003", 30), ("v000004", 40), ("v000001", 10)):
        answer = client.predict({"visits": 0}, query=f"?version={version}")
        assert answer.json() == {"predictions": [float(bias)], "model_version": version}
        assert answer.headers["x-model-version"] == version


def test_versions_asked_for_are_kept_but_only_so_many(shop, client):
    for number in (2, 3, 4):
        write_regression(shop, f"v00000{number}", number)
        crown(shop, f"v00000{number}")

    def loads_of(*versions: str) -> int:
        before = shop.calls.total()
        for version in versions:
            assert client.predict({"visits": 0}, query=f"?version={version}").status_code == 200
        return shop.calls.total() - before

    assert loads_of("v000001", "v000002") > 0
    assert loads_of("v000001", "v000002", "v000001") == 0
    assert loads_of("v000003") > 0  # v000002 had to go
    assert loads_of("v000001") == 0
    assert loads_of("v000002") > 0


BODIES = [
    (400, "malformed", "not JSON", b""),
    (400, "malformed", "not JSON", b"{"),
    (400, "malformed", "not JSON", b"\xff\xfe"),
    (400, "malformed", "not JSON", b'{"instances": [{"visits": NaN}]}'),
    (400, "malformed", "infinity", b'{"instances": [{"visits": 1e999}]}'),
    (400, "malformed", "depth", b"[" * 5000 + b"]" * 5000),
    (400, "malformed", "instances", b"[]"),
    (400, "malformed", "instances", b"{}"),
    (400, "malformed", "instances", b'{"instances": {}}'),
    (400, "malformed", "at least one", b'{"instances": []}'),
    (413, "too-large", "found 10001", b'{"instances": [{}' + b",{}" * 10000 + b"]}"),
    (413, "too-large", "8388608 bytes", b" " * (8 * 1024 * 1024 + 1)),
    (413, "too-large", "8388608 bytes", b"x" * (10 * 1024 * 1024)),
    (400, "malformed", "a missing value is null", b'{"instances": [{"visits": NaN}]}'),
    (400, "malformed", "a missing value is null", b'{"instances": [{"visits": -Infinity}]}'),
    (400, "malformed", "surrogate", b'{"instances": [{"visits": "\\ud800"}]}'),
    (400, "malformed", "UTF-8", b'{"instances": [{"visits": "\xff"}]}'),
    (400, "malformed", "'instances' twice", b'{"instances": [{}], "instances": [{"visits": 1}]}'),
    (
        400,
        "malformed",
        "deep",
        b'{"instances":[{"x":"a :","v":' + b"[" * 1010 + b"]" * 1010 + b"}]}",
    ),
    (422, "invalid-instances", "found two", b'{"instances": [{"visits": 1, "visits" : 2}]}'),
    (422, "invalid-instances", "float32", b'{"instances": [{"visits": 1' + b"0" * 60 + b"}]}"),
    (422, "invalid-instances", "a list", b'{"instances": [{"visits": [[1]]}]}'),
    (422, "invalid-instances", "a number, found true", b'{"instances": [{"visits": true}]}'),
    (422, "invalid-instances", "found null", b'{"instances": [{"visits": null}]}'),
    (422, "invalid-instances", "'visits'", b'{"instances": [{"visits": "x"}]}'),
    (422, "invalid-instances", "instance 0", b'{"instances": [7]}'),
]


@pytest.mark.parametrize(("status", "slug", "words", "body"), BODIES)
def test_each_wrong_body_has_its_problem(shop, client, status, slug, words, body):
    answer = client.request("POST", PREDICT, headers=JSON, content=body)
    assert_problem(answer, status, slug, words)
    assert answer.headers["x-model-version"] == "v000001"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content-type": "text/plain"}, "text/plain"),
        ({"content-type": ""}, "text/csv"),
        ({"content-type": "text/csv; header=absent"}, "header=absent"),
        ({"content-type": "text/csv; charset=latin-1"}, "latin-1"),
        ({"content-type": "application/x-www-form-urlencoded"}, "application/json"),
        ({"content-type": "application/json; charset=latin-1"}, "latin-1"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "gzip"),
    ],
)
def test_what_is_neither_json_nor_csv_is_refused_by_its_type(shop, client, headers, words):
    answer = client.request("POST", PREDICT, headers=headers, content=GOOD)
    assert_problem(answer, 415, "unsupported-media-type", words)


@pytest.mark.parametrize(
    ("method", "path", "status", "slug", "words"),
    [
        ("POST", "/v1/models/shpo:predict", 404, "unknown-pipeline", "'shpo'"),
        ("POST", "/v1/models/No%20Name:predict", 404, "unknown-pipeline", "No Name"),
        ("GET", "/v1/models/shpo", 404, "unknown-pipeline", "'shpo'"),
        ("GET", f"/v1/models/{'x' * 500}", 404, "unknown-pipeline", "xxx"),
        ("POST", f"{PREDICT}?version=v000009", 404, "unknown-version", "v000009"),
        ("POST", f"{PREDICT}?version=../x", 404, "unknown-version", "../x"),
        ("GET", "/v1/models", 404, "unknown-route", "/v1/models"),
        ("POST", "/v1/models/shop:explain", 404, "unknown-route", "explain"),
        ("POST", "/v1/models/a/b:predict", 404, "unknown-route", "a/b"),
        ("POST", f"{PREDICT}?version=", 404, "unknown-version", "''"),
        ("POST", f"{PREDICT}?version=v000001&version=v000002", 400, "malformed", "found 2"),
        ("GET", "/v1/models/shop?version=1&version=1", 400, "malformed", "found 2"),
        ("POST", f"{PREDICT}?version=%00%ff", 404, "unknown-version", "x00"),
        (
            "POST",
            f"{PREDICT}?vresion=v000001",
            400,
            "malformed",
            "'vresion'; did you mean version?",
        ),
        ("POST", f"{PREDICT}?version=v000001&x", 400, "malformed", "did you mean version?"),
        ("GET", "/v1/models/shop?Version=v000001", 400, "malformed", "did you mean version?"),
        ("GET", f"/?{'x' * 5000}=1", 400, "malformed", "…'; this route has none"),
        ("GET", "/openapi.json?version=v000001", 400, "malformed", "this route has none"),
        ("GET", "/v1/models/shop/predictions/a?version=1", 400, "malformed", "has none"),
        ("POST", "/v1/models/a%2Fb:predict", 404, "unknown-route", "a/b"),
        ("GET", f"/{'x' * 5000}", 404, "unknown-route", "…"),
        ("POST", f"{PREDICT}/", 404, "unknown-route", "predict/"),
        ("OPTIONS", PREDICT, 405, "method-not-allowed", "POST"),
        ("OPTIONS", "/", 405, "method-not-allowed", "GET"),
        ("GET", PREDICT, 405, "method-not-allowed", "POST"),
        ("DELETE", "/v1/models/shop", 405, "method-not-allowed", "GET"),
        ("POST", "/", 405, "method-not-allowed", "GET"),
        # What the framework would answer by itself:
        ("GET", "/robots.txt", 404, "unknown-route", "/robots.txt"),
        ("GET", "/favicon.ico", 404, "unknown-route", "GET /v1/models/{pipeline}"),
        ("TRACE", PREDICT, 405, "method-not-allowed", "answers POST, not TRACE"),
        ("PROPFIND", "/", 405, "method-not-allowed", "answers GET and HEAD, not PROPFIND"),
        ("FOO", "/nowhere", 404, "unknown-route", "/nowhere"),
        ("POST", "/robots.txt", 404, "unknown-route", "/robots.txt"),
    ],
)
def test_each_wrong_place_has_its_problem(shop, client, method, path, status, slug, words):
    answer = client.request(method, path, headers=JSON, content=GOOD if method == "POST" else b"")
    assert_problem(answer, status, slug, words)
    assert ("allow" in answer.headers) == (status == 405)


def test_field_errors_are_listed_with_instance_field_expected_and_found(shop, client):
    answer = client.predict({"visits": 1}, {"visits": "many", "age": 1.5}, {})
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["x-model-version"] == "v000001"
    assert problem["error_count"] == 3
    assert problem["errors"][0] == {
        "instance": 1, "field": "visits", "expected": "a number", "found": '"many"',
    }  # fmt: skip
    assert [(e["instance"], e["field"]) for e in problem["errors"]] == [
        (1, "visits"), (1, "age"), (2, "visits"),
    ]  # fmt: skip


def test_fields_that_the_model_does_not_read_are_named_once(shop, client):
    instances = [{"visits": 1, "weekday": "Friday"}, {"visits": 2, "weekday": 5, "Age": 4}]
    answer = client.predict(*instances)
    assert answer.json() == {
        "predictions": [11.0, 12.0],
        "model_version": "v000001",
        "ignored": ["weekday", "Age"],
    }


def test_the_label_may_be_sent_along(shop, client):
    assert "ignored" not in client.predict({"visits": 1, "bought": 3}).json()


def test_a_misspelt_field_is_named_beside_the_one_that_is_missing(shop, client):
    problem = client.predict({"vists": 1}).json()
    assert problem["detail"] == "instance 0, field 'visits': expected a number, found nothing"
    assert problem["ignored"] == ["vists"]
    assert "ignored" not in client.predict({"visits": "x"}).json()


def test_nothing_approved_yet_says_when_to_ask_again(store, client):
    crown(store, None)
    answer = client.predict({"visits": 1})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "no version of shop is approved yet" in answer.json()["detail"]
    assert client.get("/v1/models/shop").json()["ready"] is False


def test_a_version_that_is_not_approved_does_not_answer(shop, client):
    write_regression(shop, "v000002", 20)
    assert client.predict({"visits": 1}, query="?version=v000002").status_code == 404


def test_an_answer_that_is_not_a_number_is_the_models_failure(store, client):
    graph = reciprocal_graph()
    write_version(store, manifest_of(graph, "v000001", inputs=VISITS[:1]), graph)
    crown(store, "v000001")
    assert client.predict({"visits": 8}).json()["predictions"] == [1.0]
    answer = client.predict({"visits": 8}, {"visits": 7})
    assert answer.status_code == 500
    assert "instance 1" in answer.json()["detail"]
    assert answer.headers["x-model-version"] == "v000001"


def test_whatever_goes_wrong_is_answered_as_a_problem(store, client, monkeypatch):
    monkeypatch.setattr("perennial.workflows.serve.Server.pipelines", lambda _: 1 / 0)
    answer = client.get("/")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:perennial:problem:failed")


def test_get_routes_answer_head_too(shop, client):
    assert client.request("HEAD", "/v1/models/shop").status_code == 200


def test_json_may_be_sent_without_saying_so(shop, client):
    assert client.request("POST", PREDICT, content=GOOD).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [{"visits": 3, "note": "\\": \\":", "at" : "a :"}]}',
        b'{"instances": [{"visits": 3, "deep": {"a": 1, "a": [{"b": 2}]}}], "other": {}}',
        b' { "instances" :\n[ {\t"visits"\r:3 } ] } ',
    ],
)
def test_colons_in_strings_and_what_is_nested_are_no_repeated_keys(shop, client, body):
    answer = client.request("POST", PREDICT, content=body)
    assert answer.json()["predictions"] == [13.0]


def test_each_repeated_field_is_named(shop, client):
    body = b'{"instances": [{"visits": 1}, {"age": 1, "x": 1, "x": 1, "age": 2}]}'
    answer = client.request("POST", PREDICT, content=body)
    assert_problem(answer, 422, "invalid-instances", "instance 1, field 'x': expected one value")
    assert answer.json()["error_count"] == 1


@pytest.mark.parametrize("path", ["/v1/models/sh%6Fp%3Apredict", f"{PREDICT}?", f"{PREDICT}?&"])
def test_a_path_may_be_percent_encoded_and_a_query_empty(shop, client, path):
    assert client.request("POST", path, content=GOOD).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ['application/json; charset="utf-8"', "APPLICATION/JSON ;charset=UTF8", "application/json;"],
)
def test_json_may_be_named_in_any_way_that_means_it(shop, client, content_type):
    answer = client.request("POST", PREDICT, content=GOOD, headers={"content-type": content_type})
    assert answer.status_code == 200


def test_a_large_body_is_answered_as_a_small_one(shop, client):
    """It is read in a thread."""
    rows = [{"visits": n, "note": "x" * 100} for n in range(2000)]
    answer = client.predict(*rows).json()
    assert answer["predictions"] == [float(n + 10) for n in range(2000)]
    assert answer["ignored"] == ["note"]
    assert_problem(client.predict(*rows, {}), 422, "invalid-instances", "instance 2000, field 'vis")


def test_a_strange_host_is_no_failure(shop, client):
    answer = client.request("GET", "/nowhere", headers={"host": "[::"})
    assert_problem(answer, 404, "unknown-route", "/nowhere")
