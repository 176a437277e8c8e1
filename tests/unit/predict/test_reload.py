"""The champion is followed without a gap, and whatever goes wrong keeps the old one serving."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace

import pytest
from onnx import ModelProto, helper

from perennial.domain import names
from perennial.domain.versioning.manifest import FileDigest
from perennial.domain.versioning.registry import Head
from tests.unit.predict.versions import (
    crown,
    manifest_of,
    regression_graph,
    write_regression,
    write_version,
)

HEAD = names.head("shop")
GRAPH = names.version("shop", "v000002", "model.onnx")


@pytest.fixture
def shop(store):
    """The champion v000001 answers `visits + 10`."""
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


@pytest.fixture
def serving(shop, client, clock):
    """The same, after one answer, and an interval later."""
    assert answer(client) == ("v000001", 10.0)
    clock.pass_(1)
    return shop


def answer(client) -> tuple[str, float]:
    document = client.predict({"visits": 0}).json()
    return document["model_version"], document["predictions"][0]


def state(client) -> dict[str, object]:
    (one,) = client.get("/").json()["pipelines"]
    return one


class TestFollowing:
    def test_a_new_champion_answers_after_the_interval_at_the_latest(self, shop, client, clock):
        assert answer(client) == ("v000001", 10.0)
        write_regression(shop, "v000002", 20)
        crown(shop, "v000002")
        clock.pass_(0.9)
        assert answer(client) == ("v000001", 10.0)
        clock.pass_(0.1)
        assert answer(client) == ("v000002", 20.0)

    def test_a_rollback_is_followed_too(self, serving, client, clock):
        write_regression(serving, "v000002", 20)
        crown(serving, "v000002")
        assert answer(client) == ("v000002", 20.0)
        crown(serving, "v000001")
        clock.pass_(1)
        assert answer(client) == ("v000001", 10.0)

    def test_the_first_answer_after_a_long_rest_is_not_stale(self, serving, client, clock):
        write_regression(serving, "v000002", 20)
        crown(serving, "v000002")
        clock.pass_(86_400)
        assert answer(client) == ("v000002", 20.0)

    def test_an_interval_costs_one_look_and_an_unchanged_head_is_not_read(
        self, serving, client, clock
    ):
        serving.calls.clear()
        for _ in range(5):
            answer(client)
        assert serving.calls == {f"stat {HEAD}": 1}

    def test_requests_at_the_same_time_share_one_look(self, shop, client):
        shop.calls.clear()
        answers = client.together(20, "/v1/models/shop")
        assert {a.json()["version"] for a in answers} == {"v000001"}
        assert shop.calls[f"read {HEAD}"] == 1

    def test_other_commits_do_not_reload_the_model(self, serving, client):
        crown(serving, "v000001")
        serving.calls.clear()
        assert answer(client) == ("v000001", 10.0)
        assert serving.calls == {f"stat {HEAD}": 1, f"read {HEAD}": 1}

    def test_what_a_later_release_adds_to_head_and_manifest_is_no_obstacle(
        self, shop, client, clock
    ):
        manifest = manifest_of(regression_graph(20), "v000002")
        document = {**json.loads(manifest.to_json()), "tomorrow": 1}
        write_version(shop, manifest, regression_graph(20))
        name = names.version("shop", "v000002", "manifest.json")
        shop.overwrite(name, json.dumps(document).encode())
        crown(shop, "v000002")
        head = json.loads(shop.read(HEAD).data)
        shop.overwrite(HEAD, json.dumps({**head, "tomorrow": {}}).encode())
        assert answer(client) == ("v000002", 20.0)

    def test_a_pipeline_that_becomes_ready_is_served(self, store, client, clock):
        crown(store, None)
        assert client.predict({"visits": 0}).status_code == 503
        write_regression(store, "v000001", 10)
        crown(store, "v000001")
        clock.pass_(1)
        assert answer(client) == ("v000001", 10.0)


class TestTrouble:
    """Each ends with the old model answering, an error in the open, and a way back."""

    def assert_old_one_serves(self, client, words: str) -> None:
        assert answer(client) == ("v000001", 10.0)
        assert state(client)["version"] == "v000001"
        assert words in state(client)["error"]
        assert words in client.get("/v1/models/shop").json()["error"]

    def assert_new_one_serves(self, client, clock) -> None:
        clock.pass_(1)
        assert answer(client) == ("v000002", 20.0)
        assert state(client)["error"] is None

    def test_a_corrupt_file(self, serving, client, clock):
        write_regression(serving, "v000002", 20)
        whole = serving.read(GRAPH).data
        serving.overwrite(GRAPH, whole[:-1] + b"!")
        crown(serving, "v000002")
        self.assert_old_one_serves(client, "digest")
        serving.overwrite(GRAPH, whole)
        self.assert_new_one_serves(client, clock)

    @pytest.mark.parametrize("file", ["model.onnx", "card.md", "manifest.json"])
    def test_a_missing_file(self, serving, client, clock, file):
        write_regression(serving, "v000002", 20)
        name = names.version("shop", "v000002", file)
        data = serving.read(name).data
        serving.delete(name)
        crown(serving, "v000002")
        self.assert_old_one_serves(client, f"{file} is missing")
        serving.create(name, data)
        self.assert_new_one_serves(client, clock)

    @pytest.mark.parametrize("change", ["{", "[]", "{}"])
    def test_a_manifest_that_cannot_be_read(self, serving, client, change):
        write_regression(serving, "v000002", 20)
        serving.overwrite(names.version("shop", "v000002", "manifest.json"), change.encode())
        crown(serving, "v000002")
        self.assert_old_one_serves(client, "cannot read the manifest")

    def test_a_manifest_of_another_version(self, serving, client):
        write_regression(serving, "v000002", 20)
        other = manifest_of(regression_graph(20), "v000007").to_json()
        serving.overwrite(names.version("shop", "v000002", "manifest.json"), other)
        crown(serving, "v000002")
        self.assert_old_one_serves(client, "the manifest is of shop v000007")

    def test_bytes_that_are_no_graph_though_the_digest_fits(self, serving, client):
        manifest = manifest_of(b"not onnx", "v000002")
        write_version(serving, manifest, b"not onnx")
        crown(serving, "v000002")
        self.assert_old_one_serves(client, "not a graph")

    @pytest.mark.parametrize("stated", [True, False])
    def test_a_manifest_and_a_graph_that_fit_each_other_and_are_another_version(
        self, serving, client, clock, stated
    ):
        """The head states the manifest's digest; one that earlier releases wrote does not."""
        write_regression(serving, "v000002", 20)
        name = names.version("shop", "v000002", "manifest.json")
        before = serving.read(name).data, serving.read(GRAPH).data
        forged = regression_graph(666)
        serving.overwrite(GRAPH, forged)
        serving.overwrite(name, manifest_of(forged, "v000002").to_json())
        crown(serving, "v000002", stated=before[0] if stated else b"")
        if not stated:
            assert answer(client) == ("v000002", 666.0)
            return
        self.assert_old_one_serves(client, "manifest.json has digest")
        assert client.predict({"visits": 0}, query="?version=v000002").status_code == 503
        for path, data in zip((name, GRAPH), before, strict=True):
            serving.overwrite(path, data)
        self.assert_new_one_serves(client, clock)

    @pytest.mark.parametrize("file", ["model.onnx", "card.md"])
    def test_a_file_that_is_larger_than_its_manifest_states_is_not_read_to_its_end(
        self, serving, client, file
    ):
        write_regression(serving, "v000002", 20)
        serving.overwrite(names.version("shop", "v000002", file), b"\0" * 10**6)
        crown(serving, "v000002")
        self.assert_old_one_serves(client, f"{file}, found more")

    def test_a_manifest_without_end(self, serving, client):
        write_regression(serving, "v000002", 20)
        serving.overwrite(names.version("shop", "v000002", "manifest.json"), b" " * (4 * 2**20 + 1))
        crown(serving, "v000002")
        self.assert_old_one_serves(client, "expected at most 4,194,304 bytes")

    def test_a_graph_that_is_larger_than_any_may_be_is_not_fetched(self, serving, client):
        manifest = manifest_of(b"", "v000002")
        files = {**manifest.files, "model.onnx": FileDigest("0" * 64, 2**40)}
        write_version(serving, replace(manifest, files=files), b"")
        crown(serving, "v000002")
        serving.calls.clear()
        self.assert_old_one_serves(client, "expected a model.onnx of at most 67,108,864 bytes")
        assert serving.calls[f"read {GRAPH}"] == 0

    def test_a_graph_that_holds_a_loop_though_the_registry_states_it(self, serving, client):
        proto = ModelProto.FromString(regression_graph(20))
        inside = helper.make_graph([], "body", [], [])
        proto.graph.node.append(helper.make_node("Loop", ["", ""], [], body=inside))
        graph = proto.SerializeToString()
        manifest = manifest_of(graph, "v000002")
        write_version(serving, manifest, graph)
        crown(serving, "v000002", stated=manifest.to_json())
        self.assert_old_one_serves(client, "found ai.onnx.Loop")

    def test_a_graph_that_fails_its_smoke_test(self, serving, client):
        graph = regression_graph(float("inf"))
        write_version(serving, manifest_of(graph, "v000002"), graph)
        crown(serving, "v000002")
        self.assert_old_one_serves(client, "no finite answer")

    def test_a_head_that_cannot_be_read(self, serving, client, clock):
        write_regression(serving, "v000002", 20)
        serving.overwrite(HEAD, b"half a he")
        self.assert_old_one_serves(client, "Expecting value")
        statuses = {"v000001": "approved", "v000002": "approved"}
        serving.overwrite(HEAD, Head("shop", champion="v000002", statuses=statuses).to_json())
        self.assert_new_one_serves(client, clock)

    def test_a_head_that_is_gone(self, serving, client):
        serving.delete(HEAD)
        self.assert_old_one_serves(client, HEAD)

    def test_an_unreachable_store(self, serving, client, clock):
        write_regression(serving, "v000002", 20)
        crown(serving, "v000002")
        serving.unreachable = True
        self.assert_old_one_serves(client, "no answer")
        serving.unreachable = False
        self.assert_new_one_serves(client, clock)

    def test_a_store_that_does_not_answer_at_all(self, serving, client, clock):
        write_regression(serving, "v000002", 20)
        crown(serving, "v000002")
        serving.calls.clear()
        serving.answers.clear()
        for _ in range(3):
            assert answer(client) == ("v000001", 10.0)
            clock.pass_(1)
        assert serving.calls.total() == 1, "one look at a time"
        serving.answers.set()
        for _ in range(500):  # the silent look ends in its own time, and the next finds out
            if answer(client)[0] == "v000002":
                break
            clock.pass_(1)
            time.sleep(0.01)
        self.assert_new_one_serves(client, clock)

    def test_a_broken_new_version_is_named_wherever_one_looks(self, serving, client, clock, caplog):
        write_regression(serving, "v000002", 20)
        serving.overwrite(GRAPH, b"corrupt")
        crown(serving, "v000002")
        with caplog.at_level(logging.ERROR, logger="perennial"):
            assert answer(client) == ("v000001", 10.0)
        for document in (state(client), client.get("/v1/models/shop").json()):
            assert (document["version"], document["champion"]) == ("v000001", "v000002")
            assert "shop v000002: model.onnx" in document["error"]
        (record,) = caplog.records
        assert (record.version, record.champion) == ("v000001", "v000002")
        assert record.failed_lookup == "DigestMismatch"  # what the metric counts

    def test_a_stale_server_says_so_in_every_health_answer(self, serving, client, clock):
        def ages() -> list[tuple[float, bool]]:
            both = (state(client), client.get("/v1/models/shop").json())
            return [(one["looked_up_seconds_ago"], one["stale"]) for one in both]

        assert ages() == [(0, False), (0, False)]
        serving.unreachable = True
        clock.pass_(9)
        assert ages() == [(9, False), (9, False)]
        clock.pass_(2)
        assert ages() == [(11, True), (11, True)]
        serving.unreachable = False
        clock.pass_(1)
        assert ages() == [(0, False), (0, False)]

    def test_one_that_never_saw_the_registry_is_stale(self, shop, client):
        shop.unreachable = True
        document = client.get("/v1/models/shop").json()
        assert (document["looked_up_seconds_ago"], document["stale"]) == (None, True)

    def test_it_is_logged_once_for_each_look_that_fails(self, serving, client, caplog):
        serving.unreachable = True
        with caplog.at_level(logging.ERROR, logger="perennial"):
            for _ in range(3):
                assert answer(client) == ("v000001", 10.0)
        (record,) = caplog.records
        assert "v000001 keeps serving" in record.getMessage()
        assert record.pipeline == "shop"

    def test_a_process_that_never_had_a_model_says_so(self, shop, client):
        shop.unreachable = True
        answer = client.predict({"visits": 0})
        assert answer.status_code == 503
        assert "no answer" in answer.json()["detail"]

    def test_a_version_asked_for_that_is_broken_leaves_the_champion_alone(self, serving, client):
        write_regression(serving, "v000002", 20)
        serving.overwrite(GRAPH, b"corrupt")
        crown(serving, "v000002")
        crown(serving, "v000001")
        refused = client.predict({"visits": 0}, query="?version=v000002")
        assert (refused.status_code, "digest" in refused.json()["detail"]) == (503, True)
        assert answer(client) == ("v000001", 10.0)


class TestUnknownNames:
    def test_made_up_names_share_one_look_in_an_interval(self, shop, client, clock):
        for number in range(50):
            assert client.get(f"/v1/models/name-{number}").status_code == 404
        assert shop.calls.total() <= 4, shop.calls
        assert answer(client) == ("v000001", 10.0)

    def test_a_new_pipeline_is_found_after_the_interval(self, shop, client, clock):
        assert client.get("/v1/models/bike").status_code == 404
        assert client.get("/v1/models/bike").status_code == 404
        write_regression(shop, "v000001", 5, pipeline="bike")
        crown(shop, "v000001", pipeline="bike")
        clock.pass_(1)
        assert client.get("/v1/models/bike").json()["version"] == "v000001"

    def test_an_outage_does_not_make_a_pipeline_unknown(self, shop, client, clock):
        assert client.get("/v1/models/nope").status_code == 404
        shop.unreachable = True
        clock.pass_(1)
        assert client.predict({"visits": 0}).status_code == 503


def test_every_file_of_the_manifest_is_verified(shop, client, clock):
    """Also those that a prediction does not need."""
    graph = regression_graph(20)
    manifest = manifest_of(graph, "v000002")
    write_version(shop, manifest, graph)
    shop.overwrite(names.version("shop", "v000002", "card.md"), b"# dark")
    crown(shop, "v000002")
    assert "card.md has digest" in state(client)["error"]


def test_log_lines_are_json_that_cloud_logging_reads(capsys):
    from perennial.wiring import logs

    logs.configure()
    try:
        log = logging.getLogger("perennial.test")
        log.error("no %s", "luck", extra={"pipeline": "shop"})
        line = json.loads(capsys.readouterr().out)
    finally:
        logging.getLogger("perennial").handlers = []
        logging.getLogger("perennial").propagate = True
    assert (line["severity"], line["message"], line["pipeline"]) == ("ERROR", "no luck", "shop")
