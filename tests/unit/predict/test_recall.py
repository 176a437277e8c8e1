"""What is recalled answers nobody, and its place may stay empty for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perennial.domain import names
from perennial.domain.versioning.recalling import recall
from perennial.domain.versioning.registry import Head, crown

from .versions import write_regression

HEAD = names.head("shop")


@pytest.fixture
def shop(store):
    """v000002 answers `visits + 20`, and before it v000001 did, `visits + 10`."""
    head = Head("shop")
    for number in (1, 2):
        version = names.version_name(number)
        write_regression(store, version, 10 * number)
        head = promoted(head, version)
    store.create(HEAD, head.to_json())
    return store


def promoted(head: Head, version: str) -> Head:
    return crown(replace(head, statuses={**head.statuses, version: "approved"}), version)


def take_back(store, *versions: str, **options) -> None:
    stored = store.read(HEAD)
    after = recall(Head.from_json(stored.data), versions, relearn=True, **options)
    store.replace(HEAD, after.to_json(), generation=stored.info.generation)


def ask(client, version: str = ""):
    return client.predict({"visits": 0}, query=f"?version={version}" if version else "")


def test_the_last_clean_champion_answers_and_the_recalled_one_is_unknown(shop, client, clock):
    assert ask(client).json()["model_version"] == "v000002"
    assert ask(client, version="v000002").status_code == 200  # loaded, and perhaps kept
    take_back(shop, "v000002")
    clock.pass_(1)

    assert ask(client).json()["predictions"] == [10.0]
    gone = ask(client, version="v000002")
    assert gone.status_code == 404
    assert "no approved version 'v000002'" in gone.json()["detail"]


def test_without_any_clean_champion_it_says_so_with_503_until_there_is_one(shop, client, clock):
    assert ask(client).status_code == 200
    take_back(shop, "v000001", "v000002", without_champion=True)
    clock.pass_(1)

    refused = ask(client)
    assert refused.status_code == 503
    assert refused.json()["detail"] == (
        "the champion of shop was recalled, and no version has passed since"
    )
    assert ask(client, version="v000001").status_code == 404
    (state,) = client.get("/").json()["pipelines"]
    assert (state["ready"], state["version"]) == (False, None)

    write_regression(shop, "v000003", 30)
    stored = shop.read(HEAD)
    shop.replace(
        HEAD,
        promoted(Head.from_json(stored.data), "v000003").to_json(),
        generation=stored.info.generation,
    )
    clock.pass_(1)
    assert ask(client).json()["predictions"] == [30.0]


def test_a_recalled_version_that_must_serve_on_does_not_answer_to_its_name(shop, client, clock):
    """Its successor cannot be loaded; the old one keeps serving, as ever, and loudly."""
    assert ask(client).status_code == 200
    shop.delete(names.version("shop", "v000001", "model.onnx"))
    take_back(shop, "v000002")
    clock.pass_(1)

    assert ask(client).json()["model_version"] == "v000002"
    assert ask(client, version="v000002").status_code == 404
    assert "model.onnx is missing" in client.get("/").json()["pipelines"][0]["error"]
