"""Pages of other origins may ask only where a definition names them."""

from __future__ import annotations

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.errors import DefinitionError
from tests.unit.predict.versions import crown, declare, write_regression

PREDICT = "/v1/models/shop:predict"
OURS, OTHERS = "https://shop.example", "https://evil.example"


@pytest.fixture
def shop(store):
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


@pytest.fixture
def declared(shop):
    declare(shop, ServingSettings(cors=(OURS, "http://localhost:3000")))


def preflight(client, origin: str, path: str = PREDICT, method: str = "POST"):
    headers = {"origin": origin, "access-control-request-method": method}
    return client.request("OPTIONS", path, headers=headers)


def cors_of(answer) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control")}


def test_where_nothing_is_declared_no_origin_may_ask(shop, client):
    answer = client.predict({"visits": 1}, origin=OURS)
    assert (answer.status_code, cors_of(answer)) == (200, set())
    assert "vary" not in answer.headers
    refused = preflight(client, OURS)
    assert (refused.status_code, cors_of(refused)) == (405, set())
    assert refused.json()["type"] == "urn:perennial:problem:method-not-allowed"


def test_a_declared_origin_may_ask_and_read_answers_and_problems(declared, client):
    asked = preflight(client, OURS)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == OURS
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert "content-type" in asked.headers["access-control-allow-headers"]
    assert asked.headers["vary"] == "Origin"
    for answer in (
        client.predict({"visits": 1}, origin=OURS),
        client.predict({"visits": "x"}, origin=OURS),
        client.predict({"visits": 1}, query="?version=v000009", origin=OURS),
        client.request("GET", "/v1/models/shop", headers={"origin": OURS}),
    ):
        assert answer.headers["access-control-allow-origin"] == OURS
        assert "X-Model-Version" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"
    asked = preflight(client, OURS, "/v1/models/shop", "GET")
    assert asked.headers["access-control-allow-methods"] == "GET, HEAD"


@pytest.mark.parametrize("origin", [OTHERS, OURS + ":8443", "http://shop.example", "null", ""])
def test_another_origin_may_not_and_caches_are_told(declared, client, origin):
    for answer in (client.predict({"visits": 1}, origin=origin), preflight(client, origin)):
        assert cors_of(answer) == set()
        assert answer.headers["vary"] == "Origin"
    assert preflight(client, origin).status_code == 405


def test_an_answer_to_no_page_says_that_it_depends_on_the_origin(declared, client):
    answer = client.predict({"visits": 1})
    assert (cors_of(answer), answer.headers["vary"]) == (set(), "Origin")


def test_other_routes_and_unknown_pipelines_are_shared_with_nobody(declared, client):
    for path in ("/", "/openapi.json", "/v1/models/nope"):
        assert cors_of(client.request("GET", path, headers={"origin": OURS})) == set()
    assert preflight(client, OURS, "/v1/models/nope").status_code == 404
    assert preflight(client, OURS, "/").status_code == 405


def definition(origins: str) -> str:
    columns = "{visits: {type: number}, bought: {type: number, role: label}}"
    return f"name: shop\ntask: regression\ncolumns: {columns}\nserving: {{cors: {origins}}}\n"


def test_origins_are_declared_as_browsers_send_them():
    origins = f"[{OURS}, 'https://a.b-c.example:8443', 'http://localhost:3000']"
    assert parse(definition(origins)).served.cors == (
        OURS, "https://a.b-c.example:8443", "http://localhost:3000",
    )  # fmt: skip
    assert parse(definition("[]")).served.cors == ()


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "shop.example", "http://shop.example", "https://shop.example/", "https://",
     "https://Shop.example", "https://shop.example:443", "https://*.example", "https://a/b"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(DefinitionError, match="expected an origin as browsers send it"):
        parse(definition(f"['{origin}']"))
