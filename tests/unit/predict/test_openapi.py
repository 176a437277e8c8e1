"""The description is true to what is served."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from perennial.domain.serving import openapi
from perennial.domain.serving.instance_values import MAX_TEXT
from perennial.domain.versioning.manifest import Input
from tests.unit.predict.versions import (
    CLASSES,
    classification_graph,
    crown,
    manifest_of,
    write_regression,
    write_version,
)


@pytest.fixture
def document(store, client):
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    graph = classification_graph(0)
    manifest = manifest_of(graph, "v000001", pipeline="flowers", classes=CLASSES)
    write_version(store, manifest, graph)
    crown(store, "v000001", pipeline="flowers")
    return client.get("/openapi.json").json()


def test_every_reference_leads_somewhere(document):
    references = [line.split('"')[3] for line in _lines(document) if '"$ref"' in line]
    assert references
    for reference in references:
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_every_operation_is_whole_and_named_once(document):
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post")
    ]
    assert all({"operationId", "responses"} <= operation.keys() for operation in operations)
    identifiers = [operation["operationId"] for operation in operations]
    assert len(set(identifiers)) == len(identifiers)


def test_each_champion_is_described_by_its_own_columns_and_classes(document):
    schemas = document["components"]["schemas"]
    assert "/v1/models/shop:predict" in document["paths"]
    assert schemas["shop.instance"]["required"] == ["visits"]
    assert set(schemas["shop.instance"]["properties"]) == {"visits", "age"}
    assert schemas["shop.prediction"] == {"type": "number"}
    assert schemas["flowers.prediction"]["properties"]["label"] == {"enum": ["no", "yes"]}


def test_the_limits_that_are_enforced_are_declared(document):
    post = document["paths"]["/v1/models/shop:predict"]["post"]["requestBody"]
    assert "8388608" in post["description"]
    instances = post["content"]["application/json"]["schema"]["properties"]["instances"]
    assert (instances["minItems"], instances["maxItems"]) == (1, 10000)
    assert "1000000 cells" in post["content"]["text/csv"]["schema"]["description"]


def test_the_longest_text_is_declared():
    inputs = (Input("note", "i0", "text"), Input("kind", "i1", "category"))
    manifest = replace(manifest_of(b"", "v000001"), inputs=inputs)
    described = openapi.document([manifest], max_bytes=1, max_instances=1)
    properties = described["components"]["schemas"]["shop.instance"]["properties"]
    assert {one["maxLength"] for one in properties.values()} == {MAX_TEXT}


def test_every_route_of_a_pipeline_may_fail(document):
    statuses = {
        operation["operationId"]: {"500", "503"} & operation["responses"].keys()
        for path, methods in document["paths"].items()
        if path.startswith("/v1/models/")
        for method, operation in methods.items()
        if method in ("get", "post")
    }
    assert "look_up" in statuses
    assert {tuple(sorted(one)) for one in statuses.values()} == {("500", "503")}


def test_answers_have_the_keys_that_are_described(document, client):
    schemas = document["components"]["schemas"]
    assert set(client.get("/v1/models/shop").json()) == set(schemas["Model"]["required"])
    (one, *_) = client.get("/").json()["pipelines"]
    assert set(one) == set(schemas["Service"]["properties"]["pipelines"]["items"]["required"])
    problem = client.predict({"vists": 1}).json()
    assert set(problem) == set(schemas["Problem"]["properties"])
    assert problem["type"] in schemas["Problem"]["properties"]["type"]["enum"]


def test_the_version_and_what_is_ignored_are_described(document, client):
    (version,) = document["paths"]["/v1/models/{pipeline}"]["get"]["parameters"]
    assert (version["name"], version["in"]) == ("version", "query")
    for path in ("/v1/models/shop:predict", "/v1/models/flowers:predict"):
        content = document["paths"][path]["post"]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"]
        assert set(schema["properties"]) == {
            "predictions", "model_version", "ignored", "holdout",
        }  # fmt: skip
        assert not {"ignored", "holdout"}.intersection(schema["required"])
    answer = client.predict({"visits": 1, "weekday": "Friday"}).json()
    assert set(answer) == set(schema["properties"]) - {"holdout"}


def _lines(document: object) -> list[str]:
    return json.dumps(document, indent=1).splitlines()
