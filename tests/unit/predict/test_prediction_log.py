"""The prediction log: a bounded line for each sampled request, and nothing undeclared in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perennial.domain import log_names, names
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.serving.prediction_log import (
    MAX_BYTES,
    MAX_INSTANCES,
    Entry,
    Exchange,
    ShadowAnswer,
    spread,
)
from perennial.wiring import logs
from perennial.workflows.serving import pipeline
from tests.unit.predict.versions import crown, declare, write_regression

ROOT = Path(__file__).parents[3]
ALL = ServingSettings(features=1.0)


@pytest.fixture
def shop(store):
    """The champion v000001 answers `visits + age + 10`."""
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


def read(lines):
    return [json.loads(line) for line in lines]


def entry(count=1, settings=ALL, *, instances=None, predictions=None, fields=("visits",)) -> Entry:
    exchange = Exchange(
        request="r-1",
        pipeline="shop",
        version="v000001",
        fields=fields,
        instances=instances or [{"visits": place} for place in range(count)],
        predictions=predictions or [float(place) for place in range(count)],
        at=datetime(2025, 2, 18, tzinfo=UTC),
        latency_ms=0.1234567,
    )
    return Entry(exchange, settings, features=True, places=spread(count))


class TestRequests:
    def test_a_request_becomes_one_line(self, shop, client, lines):
        declare(shop, ALL)
        client.predict({"visits": 1, "age": 2}, {"visits": 3}, X_Request_Id="r-1")
        (line,) = read(lines)
        assert line.pop("latency_ms") >= 0
        digests = [one.pop("digest") for one in line["instances"]]
        assert [len(digest) for digest in digests] == [16, 16]
        assert line == {
            "severity": "INFO",
            "time": "2025-02-18T00:00:00+00:00",
            "message": "shop v000001 answered 2",
            "logger": "perennial.predictions",
            "format": 1,
            "request": "r-1",
            "pipeline": "shop",
            "version": "v000001",
            "count": 2,
            "instances": [
                {"prediction": 13.0, "features": {"visits": 1, "age": 2}},
                {"prediction": 13.0, "features": {"visits": 3}},
            ],
        }

    def test_a_refused_request_leaves_a_line_with_status_and_problem(self, shop, client, lines):
        """And nothing of what it held."""
        declare(shop, ALL)
        answer = client.predict({"visits": "many", "secret": 1}, X_Request_Id="r-1")
        (line,) = read(lines)
        assert line.pop("latency_ms") >= 0
        assert (answer.status_code, answer.headers["x-request-id"]) == (422, "r-1")
        assert line == {
            "severity": "INFO",
            "time": "2025-02-18T00:00:00+00:00",
            "message": "shop v000001 refused: 422 urn:perennial:problem:invalid-instances",
            "logger": "perennial.predictions",
            "format": 1,
            "request": "r-1",
            "pipeline": "shop",
            "version": "v000001",
            "count": 0,
            "instances": [],
            "status": 422,
            "problem": "urn:perennial:problem:invalid-instances",
        }

    @pytest.mark.parametrize(
        ("query", "body", "version", "status"),
        [
            ("?version=v000009", b"{}", None, 404),
            ("", b"{", "v000001", 400),
            ("", b'{"instances": [' + b"{}," * 20_000 + b"{}]}", "v000001", 413),
        ],
    )
    def test_whatever_a_request_is_refused_for(
        self, shop, client, lines, query, body, version, status
    ):
        client.request("POST", f"/v1/models/shop:predict{query}", content=body)
        (line,) = read(lines)
        assert (line["version"], line["status"]) == (version, status)
        assert len(lines[0]) < 1000

    def test_refused_requests_are_sampled_as_others_are(self, shop, client, lines):
        declare(shop, ServingSettings(sample=0.0))
        assert client.predict({"visits": "many"}).status_code == 422
        assert lines == []

    def test_where_nothing_is_declared_nothing_of_the_instances_is_kept(self, shop, client, lines):
        for _ in range(20):
            client.predict({"visits": 1, "age": 41})
        assert all("features" not in line["instances"][0] for line in read(lines))
        assert len(lines) == 20

    def test_columns_that_are_left_out_and_undeclared_keys_are_never_written(
        self, shop, client, lines
    ):
        declare(shop, ServingSettings(features=1.0, leave_out=("age",)))
        client.predict({"visits": 1, "age": 40404, "email": "ann@example.com", "bought": 50505})
        client.predict({"visits": 1, "age": 7})
        first, second = read(lines)
        for secret in (b"40404", b"ann@", b"50505"):
            assert secret not in lines[0]
        assert first["instances"][0]["features"] == {"visits": 1}
        assert first["instances"][0]["digest"] == second["instances"][0]["digest"], (
            "what is left out cannot be guessed from the digest either"
        )

    def test_declared_keys_are_written_with_every_line(self, shop, client, lines):
        declare(shop, ServingSettings(features=0.0, keys=("visit", "day")))
        client.predict({"visits": 1, "visit": "v-17", "day": {"deep": ["down"]}})
        (told,) = read(lines)[0]["instances"]
        assert told["keys"] == {"visit": "v-17", "day": None}
        assert "features" not in told

    def test_declared_keys_are_no_slips(self, shop, client):
        declare(shop, ServingSettings(keys=("visit",)))
        answer = client.predict({"visits": 1, "visit": "v-17", "day": 1})
        assert answer.json()["ignored"] == ["day"]
        answer = client.predict({"visits": "x", "visit": "v-17", "day": 1})
        assert answer.json()["ignored"] == ["day"]

    @pytest.mark.parametrize("share", ["sample", "features"])
    def test_shares_are_kept(self, shop, client, lines, share):
        declare(shop, ServingSettings(**{"features": 1.0, share: 0.25}))
        for _ in range(200):
            client.predict({"visits": 1})
        written = lines if share == "sample" else [one for one in lines if b'"features"' in one]
        assert 20 <= len(written) <= 90  # 50 expected, 6 standard deviations of 6.1

    def test_what_is_held_out_says_so_to_its_caller_and_in_the_log(self, shop, client, lines):
        """Half of the requests, by definition the most: callers then do without the prediction."""
        declare(shop, ServingSettings(holdout=0.5))
        answers = [client.predict({"visits": 1}) for _ in range(100)]
        held = [answer.json().get("holdout", False) for answer in answers]
        assert 20 <= sum(held) <= 80  # 50 expected, 6 standard deviations of 5
        assert [answer.headers.get("x-holdout") == "true" for answer in answers] == held
        assert [line.get("holdout", False) for line in read(lines)] == held
        assert {answer.json()["predictions"][0] for answer in answers} == {11.0}

    def test_nothing_is_held_out_unless_that_is_declared(self, shop, client, lines):
        answers = [client.predict({"visits": 1}) for _ in range(20)]
        assert not any("holdout" in answer.json() for answer in answers)
        assert not any("holdout" in line for line in read(lines))

    def test_no_line_at_all_where_none_is_wanted(self, shop, client, lines):
        declare(shop, ServingSettings(sample=0.0))
        client.predict({"visits": 1})
        assert lines == []

    def test_a_new_definition_is_followed_without_a_new_champion(self, shop, client, clock, lines):
        declare(shop, ALL)
        client.predict({"visits": 1})
        declare(shop, ServingSettings(sample=0.0), "e" * 64)
        clock.pass_(1)
        client.predict({"visits": 1})
        assert len(lines) == 1

    def test_while_new_settings_cannot_be_read_the_old_ones_hold(self, shop, client, clock, lines):
        declare(shop, ServingSettings(features=1.0, leave_out=("age",)))
        client.predict({"visits": 1, "age": 40404})
        settings = names.serving_settings("shop", "e" * 64)
        declare(shop, ServingSettings(features=0.0), "e" * 64)
        shop.overwrite(settings, b"[")
        clock.pass_(1)
        assert client.predict({"visits": 1, "age": 40404}).status_code == 200
        assert settings in client.get("/v1/models/shop").json()["error"]
        shop.overwrite(settings, ServingSettings(features=0.0).to_json())
        clock.pass_(1)
        client.predict({"visits": 1, "age": 40404})
        assert ["features" in one["instances"][0] for one in read(lines)] == [True, True, False]
        assert not [line for line in lines if b"40404" in line]

    def test_before_any_settings_were_read_nothing_is_written(self, shop, client, clock, lines):
        declare(shop, ALL)
        settings = names.serving_settings("shop", "d" * 64)
        shop.overwrite(settings, b"[")
        assert client.predict({"visits": 1}).status_code == 200
        assert lines == []
        shop.overwrite(settings, ALL.to_json())
        clock.pass_(1)
        client.predict({"visits": 1})
        assert len(lines) == 1

    def test_settings_that_apply_writes_later_are_found_after_a_minute(
        self, shop, client, clock, lines
    ):
        """For a definition that an earlier release put in force."""
        declare(shop, ALL)
        settings = names.serving_settings("shop", "d" * 64)
        shop.delete(settings)
        client.predict({"visits": 1})
        shop.create(settings, ServingSettings(sample=0.0).to_json())
        shop.calls.clear()
        clock.pass_(59)
        client.predict({"visits": 1})
        assert shop.calls[f"read {settings}"] == 0
        clock.pass_(1)
        client.predict({"visits": 1})
        clock.pass_(61)
        client.predict({"visits": 1})
        assert shop.calls[f"read {settings}"] == 1
        assert ["features" in one["instances"][0] for one in read(lines)] == [False, False]

    def test_where_a_new_definition_says_nothing_a_running_process_is_as_a_new_one(
        self, shop, client, clock, lines
    ):
        declare(shop, ALL)
        client.predict({"visits": 1})
        declare(shop, ALL, "e" * 64)
        shop.delete(names.serving_settings("shop", "e" * 64))
        clock.pass_(1)
        client.predict({"visits": 1})
        assert ["features" in one["instances"][0] for one in read(lines)] == [True, False]

    def test_a_log_that_cannot_be_written_fails_no_answer(self, shop, client, lines, monkeypatch):
        monkeypatch.setattr(Entry, "line", lambda *_: 1 / 0)
        assert client.predict({"visits": 1}).json()["predictions"] == [11.0]
        assert lines == []


class TestRequestIds:
    def given(self, client, lines, **headers):
        answer = client.predict({"visits": 1}, **headers)
        assert answer.headers["x-request-id"] == read(lines)[-1]["request"]
        return answer.headers["x-request-id"]

    def test_the_callers_own_comes_first(self, shop, client, lines):
        trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
        assert self.given(client, lines, X_Request_Id="order-7", traceparent=trace) == "order-7"

    def test_then_that_of_the_trace(self, shop, client, lines):
        trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
        assert self.given(client, lines, traceparent=trace) == "ab" * 16

    def test_one_is_made_where_there_is_none_or_it_is_no_name(self, shop, client, lines):
        made = {self.given(client, lines), self.given(client, lines, X_Request_Id="x" * 129)}
        assert [len(one) for one in made] == [32, 32]


class TestSize:
    def test_a_large_request_is_told_of_by_instances_spread_over_it(self):
        line = json.loads(entry(10_000).line())
        assert (line["count"], line["left_out"]) == (10_000, 9_900)
        assert [one["place"] for one in line["instances"]] == list(range(0, 10_000, 100))
        assert [one["prediction"] for one in line["instances"]] == list(range(0, 10_000, 100))

    def test_a_line_that_would_be_too_long_tells_of_fewer(self):
        texts = [{"visits": "ä" * 5_000} for _ in range(MAX_INSTANCES)]
        shadow = ShadowAnswer("v000002", [float(place) for place in range(MAX_INSTANCES)])
        line = entry(MAX_INSTANCES, instances=texts).line(shadow)
        document = json.loads(line)
        told = document["instances"]
        assert MAX_BYTES / 4 < len(line) <= MAX_BYTES
        assert document["left_out"] == MAX_INSTANCES - len(told) > 0
        assert [one["place"] for one in told] == document["shadow"]["predictions"]
        assert {len(one["features"]["visits"]) for one in told} == {1_000}

    def test_one_instance_that_is_too_long_loses_its_features_and_says_so(self):
        inputs = [f"text-{number}" for number in range(200)]
        line = entry(instances=[dict.fromkeys(inputs, "x" * 1_000)], fields=inputs).line()
        document = json.loads(line)
        assert (document["cut"], document["instances"][0]["prediction"]) == (["features"], 0.0)
        assert "features" not in document["instances"][0]

    def test_nothing_makes_it_longer(self):
        keys = tuple(f"key-{number}" for number in range(200))
        line = entry(
            instances=[dict.fromkeys(keys, "x" * 5_000)],
            predictions=[
                {"label": "a", "probabilities": dict.fromkeys(map(str, range(50_000)), 0)}
            ],
            settings=ServingSettings(features=1.0, keys=keys),
        ).line()
        assert len(line) < 1_000
        assert json.loads(line)["cut"] == ["features", "instances"]


def test_equal_instances_have_equal_digests_whatever_the_order_of_their_fields():
    both = [{"a": 1, "b": "x"}, {"b": "x", "a": 1}, {"a": 1, "b": "y"}]
    told = json.loads(entry(3, instances=both, fields=["a", "b"]).line())["instances"]
    first, second, third = (one["digest"] for one in told)
    assert first == second != third


def test_lines_go_to_standard_output_whole(capfd):
    logs.write(b'{"a":1}\n')
    logs.write(b"x" * 50_000 + b"\n")
    out = capfd.readouterr().out
    assert out == '{"a":1}\n' + "x" * 50_000 + "\n"


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"keys": 7}'])
def test_settings_that_are_none_are_refused(data):
    with pytest.raises((ValueError, TypeError)):
        ServingSettings.from_json(data)


def test_settings_of_a_later_release_are_read():
    data = b'{"format": 1, "sample": 0.5, "leave_out": ["age"], "tomorrow": true}'
    assert ServingSettings.from_json(data) == ServingSettings(sample=0.5, leave_out=("age",))


def test_the_deployment_looks_for_the_lines_that_are_written():
    def looked_for(file: str, field: str) -> str:
        return (ROOT / "infra" / file).read_text().partition(f'{field}=\\"')[2].partition("\\")[0]

    assert looked_for("logs.tf", "jsonPayload.logger") == log_names.PREDICTIONS
    sink = (ROOT / "infra" / "logs.tf").read_text().partition("look_ups ")[2]
    assert f'jsonPayload.logger=\\"{pipeline.log.name}\\" AND jsonPayload.failed_lookup:*' in sink
    assert pipeline.log.name == log_names.LOOK_UPS
