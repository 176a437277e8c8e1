"""The challenger answers for the prediction log alone, and harms no answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from perennial.domain import names
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.versioning.manifest import Input
from perennial.workflows.serving.loading import Model
from tests.unit.predict.versions import (
    VISITS,
    crown,
    declare,
    manifest_of,
    put_on_hold,
    reciprocal_graph,
    regression_graph,
    write_regression,
    write_version,
)


@pytest.fixture
def shop(store):
    """v000001 (`visits + 10`) serves, v000002 (`visits + 20`) waits, and shadows are declared."""
    write_regression(store, "v000001", 10)
    write_regression(store, "v000002", 20)
    crown(store, "v000001")
    declare(store, ServingSettings(shadow=True))
    put_on_hold(store, "v000002")
    return store


def shadow(client) -> str | None:
    (one,) = client.get("/").json()["pipelines"]
    return one["shadow"]


def wait_for_shadow(client, version: str | None) -> None:
    for _ in range(500):
        if shadow(client) == version:
            return
        time.sleep(0.01)
    raise AssertionError(f"{version} never was the shadow")


def last(lines):
    return json.loads(lines[-1])


def test_both_answers_go_to_the_log_and_the_caller_sees_the_champions(shop, client, lines):
    wait_for_shadow(client, "v000002")
    answer = client.predict({"visits": 1}, {"visits": 2})
    assert (answer.json()["predictions"], answer.json()["model_version"]) == ([11, 12], "v000001")
    assert b"v000002" not in answer.content
    assert [one["prediction"] for one in last(lines)["instances"]] == [11, 12]
    assert last(lines)["shadow"] == {"version": "v000002", "predictions": [21, 22]}


def test_a_shadow_answers_the_logged_instances_of_a_large_request(shop, client, lines):
    wait_for_shadow(client, "v000002")
    client.predict(*({"visits": number} for number in range(1_000)))
    line = last(lines)
    differences = {
        other - one["prediction"]
        for one, other in zip(line["instances"], line["shadow"]["predictions"], strict=True)
    }
    assert (len(line["instances"]), differences) == (100, {10})


def test_it_is_not_approved_by_that(shop, client):
    wait_for_shadow(client, "v000002")
    assert client.predict({"visits": 1}, query="?version=v000002").status_code == 404


def test_a_version_asked_for_by_name_is_not_shadowed(shop, client, clock, lines):
    write_regression(shop, "v000003", 30)
    crown(shop, "v000003")
    wait_for_shadow(client, "v000002")
    clock.pass_(1)
    client.predict({"visits": 1}, query="?version=v000001")
    assert "shadow" not in last(lines)


def test_without_a_word_in_the_definition_nothing_is_loaded(store, client):
    write_regression(store, "v000001", 10)
    write_regression(store, "v000002", 20)
    crown(store, "v000001")
    put_on_hold(store, "v000002")
    client.predict({"visits": 1})
    time.sleep(0.05)
    assert shadow(client) is None
    assert not [call for call in store.calls if "v000002" in call]


def test_only_the_newest_is_kept_and_none_once_nothing_waits(shop, client, clock):
    wait_for_shadow(client, "v000002")
    write_regression(shop, "v000003", 30)
    put_on_hold(shop, "v000003")
    clock.pass_(1)
    wait_for_shadow(client, "v000003")
    crown(shop, "v000003")
    crown(shop, "v000002")
    clock.pass_(1)
    wait_for_shadow(client, None)


def test_one_that_fails_says_so_in_the_log_alone(shop, client, clock, lines):
    graph = reciprocal_graph()
    inputs = manifest_of(graph, "v000003").inputs[:1]
    write_version(shop, manifest_of(graph, "v000003", inputs=inputs), graph)
    put_on_hold(shop, "v000003")
    wait_for_shadow(client, "v000003")
    assert client.predict({"visits": 7}).json()["predictions"] == [17.0]
    assert last(lines)["shadow"]["version"] == "v000003"
    assert "no finite answer" in last(lines)["shadow"]["error"]
    assert client.get("/v1/models/shop").json()["error"] is None


def test_one_that_cannot_read_the_instances_repeats_nothing_of_them(shop, client, lines):
    """What is never written may be what the challenger expects to be another type."""
    inputs = tuple(replace(one, type="integer") for one in VISITS)
    inputs = (*inputs, Input("email", "i2", "number"))
    graph = regression_graph(0, inputs)
    write_version(shop, manifest_of(graph, "v000003", inputs=inputs), graph)
    put_on_hold(shop, "v000003")
    declare(shop, ServingSettings(shadow=True, leave_out=("email",)), "e" * 64)
    wait_for_shadow(client, "v000003")
    client.predict({"visits": 40404.5, "email": "ann@example.com"}, {"visits": 1, "email": 50505})
    assert last(lines)["shadow"] == {
        "version": "v000003",
        "error": "cannot read the instances; errors: 2, in visits",
    }
    assert not [secret for secret in (b"40404", b"ann@", b"email") if secret in lines[-1]]


def test_of_an_unforeseen_failure_only_the_kind_is_written(shop, client, lines, monkeypatch):
    wait_for_shadow(client, "v000002")
    answer = Model.answer

    def failing(model, instances, *given):
        if model.version == "v000002":
            raise ValueError(f"could not convert {instances}")
        return answer(model, instances, *given)

    monkeypatch.setattr(Model, "answer", failing)
    client.predict({"visits": 1})
    assert last(lines)["shadow"] == {"version": "v000002", "error": "ValueError"}


def test_a_challenger_reads_columns_of_csv_that_the_champion_does_not(shop, client, lines):
    inputs = (*VISITS, Input("stars", "i2", "number"))
    graph = regression_graph(0, inputs)
    write_version(shop, manifest_of(graph, "v000003", inputs=inputs), graph)
    put_on_hold(shop, "v000003")
    wait_for_shadow(client, "v000003")
    content, csv = b"visits,stars,note\n1,5,a\n2,6,b\n", {"content-type": "text/csv"}
    client.request("POST", "/v1/models/shop:predict", content=content, headers=csv)
    assert last(lines)["shadow"]["predictions"] == [6.0, 8.0]


def test_one_that_does_not_load_is_logged_and_left_alone_for_a_minute(
    shop, client, clock, caplog, lines
):
    graph = names.version("shop", "v000002", "model.onnx")
    shop.overwrite(graph, b"corrupt")
    for _ in range(5):
        assert client.predict({"visits": 1}).json()["predictions"] == [11.0]
        clock.pass_(1)
        time.sleep(0.02)
    (record,) = [one for one in caplog.records if "does not load" in one.getMessage()]
    assert (record.levelname, record.version) == ("WARNING", "v000002")
    assert client.get("/v1/models/shop").json()["error"] is None
    assert "shadow" not in last(lines)


class TestSlowness:
    @pytest.fixture
    def held(self, shop, client, monkeypatch) -> Iterator[threading.Event]:
        """The shadow answers once this is set."""
        wait_for_shadow(client, "v000002")
        gate, answer = threading.Event(), Model.answer

        def slow(model, instances, *given):
            if model.version == "v000002":
                gate.wait(5)
            return answer(model, instances, *given)

        monkeypatch.setattr(Model, "answer", slow)
        yield gate
        gate.set()

    def test_the_answer_goes_first_and_the_line_follows(self, held, client, lines):
        def open_gate() -> None:
            assert lines == [], "the line tells of both"
            held.set()

        answer = client.predict_and_then(open_gate, {"visits": 1})
        assert answer["predictions"] == [11.0]
        assert last(lines)["shadow"]["predictions"] == [21.0]

    def test_one_that_hangs_is_waited_for_by_lines_alone_and_not_for_ever(
        self, held, client, lines
    ):
        for _ in range(2):
            assert client.predict({"visits": 1}).json()["predictions"] == [11.0]
        assert [json.loads(one)["shadow"]["error"] for one in lines] == [
            "no answer within 0.3 s"
        ] * 2
