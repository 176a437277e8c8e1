"""The ingest and monitor functions under functions-framework, over the real storage client."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask.testing import FlaskClient

from localdev.settings import BUCKETS, Addresses, config, deployment
from localdev.storage.process import StorageServer
from perennial.adapters.clock import SystemClock
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets
from perennial.workflows.apply import apply
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import list_in_force
from tests.integration.ingest.world import BAD, GOOD, VISITS, Launcher, crown

FUNCTIONS = Path(__file__).parents[3] / "functions"
METRICS = (FUNCTIONS.parent / "infra" / "metrics.tf").read_text(encoding="utf-8")
COUNTED = set(re.findall(r"jsonPayload\.(\w+)", METRICS)) - {
    *("alert", "failed_lookup"),  # of the training job, and of predict
    *("change", "finding", "finding_severity"),  # of monitor's findings
}
"""The fields of lines about verdicts and sweeps that the deployment's metrics read."""
PATIENT = VISITS.replace("min_rows: 2", "min_rows: 1000")

Send = Callable[..., int]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """A storage emulator, and a job runner that is down."""
    buckets = [f"{BUCKETS[b]}{':versioned' if b == 'landing' else ''}" for b in BUCKETS]
    with StorageServer(tmp_path_factory.mktemp("storage"), buckets=buckets) as server:
        yield Addresses(storage=server.url, run="http://127.0.0.1:9")


@pytest.fixture
def buckets(addresses: Addresses) -> Buckets:
    return open_buckets(config(addresses))


@pytest.fixture
def start(
    addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], FlaskClient]]:
    """Load a function as the platform does."""
    for name, value in deployment(addresses).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", addresses.storage)
    log = logging.getLogger("perennial")
    before = (log.handlers, log.level, log.propagate)

    def start(function: str, kind: str) -> FlaskClient:
        source = str(FUNCTIONS / function / "main.py")
        app = functions_framework.create_app(function, source, kind)
        app.config["PROPAGATE_EXCEPTIONS"] = False  # a server answers 500
        return app.test_client()

    yield start
    log.handlers, log.level, log.propagate = before


@pytest.fixture
def send(start: Callable[[str, str], FlaskClient]) -> Send:
    """Deliver an event; the answer's status: 2xx acknowledges, anything else comes again."""
    client = start("ingest", "cloudevent")

    def send(data: Any, kind: str = "google.cloud.storage.object.v1.finalized") -> int:
        headers = {
            "ce-id": "1",
            "ce-source": "//storage.googleapis.com/projects/_/buckets/b",
            "ce-specversion": "1.0",
            "ce-type": kind,
            "ce-subject": "objects/not-reliable",
            "Content-Type": "application/json",
        }
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return client.post("/", data=body, headers=headers).status_code

    return send


def shop(buckets: Buckets, text: str = PATIENT) -> None:
    clock = SystemClock()
    apply(buckets, Registry(buckets.models, clock), Launcher(), clock, text, by="ann")


def event(name: str, generation: int | str) -> dict[str, object]:
    return {"bucket": BUCKETS["landing"], "name": name, "generation": generation, "size": "7"}


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("as_", [str, int])
def test_an_event_becomes_a_verdict(
    send: Send, buckets: Buckets, capsys: pytest.CaptureFixture[str], as_: type
) -> None:
    """The generation comes as a string or as a number; the name is the one in the data."""
    shop(buckets)
    name = f"shop/blüten ☃ {as_.__name__}.csv"
    rows = GOOD.replace(b"true", b"TRUE") if as_ is int else GOOD
    file = buckets.landing.overwrite(name, rows)

    assert send(event(name, as_(file.generation))) == 200

    found = {v.file.name: v for v in list_in_force(buckets.data, "shop")}
    assert found[name].decision == "accepted"
    [line] = log_lines(capsys)
    assert (line["severity"], line["pipeline"], line["file"]) == ("INFO", "shop", name)
    assert (line["decision"], line["generation"]) == ("accepted", file.generation)
    assert line["message"] == f"{name}: accepted"


def test_a_bad_file_is_quarantined_by_a_copy_on_the_server(
    send: Send, buckets: Buckets, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the same bytes."""
    shop(buckets)
    file = buckets.landing.overwrite("shop/bad.csv", BAD)

    assert send(event("shop/bad.csv", file.generation)) == 200

    [original, report] = [o.name for o in buckets.quarantine.list(f"shop/{file.generation:020d}")]
    assert buckets.quarantine.read(original).data == BAD
    assert json.loads(buckets.quarantine.read(report).data)["findings"][0]["rule"] == "range"
    assert "found '99' in line 2" in log_lines(capsys)[0]["message"]


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b'{"name": ', "", "expected StorageObjectData as JSON, found bytes"),
        (b"", "", "expected StorageObjectData as JSON, found NoneType"),
        (b"[]", "", "expected StorageObjectData as JSON, found list"),
        ({"bucket": "other", "name": "a", "generation": 1}, "", "found 'other'"),
        ({"name": "a", "generation": 1}, "", "found None"),
        (event("", 1), "", "expected an object's name, found ''"),
        (event("x" * 1025, 1), "", "expected an object's name"),
        (event("shop/\ud800.csv", 1), "", "surrogates not allowed"),
        (event("shop/a.csv", "x"), "", "expected a generation, found 'x'"),
        (event("shop/a.csv", -1), "", "expected a generation, found -1"),
        ({"bucket": BUCKETS["landing"], "name": "a"}, "", "expected a generation, found None"),
        (event("shop/a.csv", 1), "google.cloud.storage.object.v1.deleted", "expected type"),
    ],
)
def test_what_no_retry_can_cure_is_logged_and_acknowledged(
    send: Send, capsys: pytest.CaptureFixture[str], data: object, kind: str, reason: str
) -> None:
    """So are events of another bucket: to answer 4xx would bring them again."""
    assert send(data, **({"kind": kind} if kind else {})) == 200

    [line] = log_lines(capsys)
    assert line["severity"] == "ERROR"
    assert line["message"].startswith("event 1 refused: ")
    assert reason in line["message"]


def test_what_a_retry_can_cure_is_not_acknowledged(
    send: Send, buckets: Buckets, capsys: pytest.CaptureFixture[str]
) -> None:
    """The job runner is down: the verdict stands, and the event comes again."""
    shop(buckets, VISITS.replace("name: shop", "name: market"))
    name = "market/due.csv"
    file = buckets.landing.overwrite(name, GOOD.replace(b"2024-02-01", b"2024-02-03"))

    assert send(event(name, file.generation)) == 500

    line = log_lines(capsys)[0]
    assert (line["severity"], line["file"]) == ("ERROR", name)
    assert "LaunchError" in line["message"]
    [found] = list_in_force(buckets.data, "market")
    assert found.decision == "accepted"
    shop(buckets, PATIENT.replace("name: shop", "name: market"))  # the next tests find nothing due


def test_monitor_sweeps_and_answers_with_the_counts(
    start: Callable[[str, str], FlaskClient], buckets: Buckets
) -> None:
    """200 when all went well, 500 when a part failed: here, the launch."""
    shop(buckets)
    buckets.landing.overwrite("shop/lost event.csv", GOOD.replace(b"2024", b"2025"))
    client = start("monitor", "http")

    answer = client.post("/", json={})

    assert answer.status_code == 200
    assert answer.json["judged"]["accepted"] == 1
    assert answer.json["launched"] == []
    assert answer.json["errors"] == {}

    shop(buckets, VISITS)
    for note in list(buckets.data.list("shop/launches/")):
        buckets.data.delete(note.name)  # nothing is on its way
    answer = client.post("/", json={})

    assert answer.status_code == 500
    assert "LaunchError" in answer.json["errors"]["shop"]


def test_the_lines_of_ingest_and_of_the_sweep_about_a_verdict_have_one_shape(
    start: Callable[[str, str], FlaskClient],
    send: Send,
    buckets: Buckets,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One metric counts both, by `decision`."""
    shop(buckets)
    seen = buckets.landing.overwrite("shop/seen.csv", GOOD.replace(b"2024", b"2030"))
    send(event("shop/seen.csv", seen.generation))
    [of_ingest] = [line for line in log_lines(capsys) if "decision" in line]
    lost = buckets.landing.overwrite("shop/lost.csv", BAD.replace(b"2024", b"2031"))

    start("monitor", "http").post("/", json={})

    [of_sweep] = [line for line in log_lines(capsys) if "decision" in line]
    assert set(of_ingest) - set(of_sweep) == {"event"}
    assert set(of_sweep) <= set(of_ingest)
    loggers = (of_ingest["logger"], of_sweep["logger"])
    assert loggers == ("perennial.ingest", "perennial.monitor")
    assert COUNTED - {"champion_age_seconds"} <= set(of_sweep)
    assert {*loggers, "perennial.train"} <= set(re.findall(r'"(perennial\.\w+)\\"', METRICS))
    assert (of_sweep["severity"], of_sweep["pipeline"]) == ("INFO", "shop")
    assert (of_sweep["file"], of_sweep["generation"]) == ("shop/lost.csv", lost.generation)
    assert (of_sweep["decision"], of_sweep["rows"]) == ("quarantined", 0)


def test_monitor_logs_how_each_pipeline_stands(
    start: Callable[[str, str], FlaskClient],
    buckets: Buckets,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Numbers are numbers, so that a metric can take them from the line."""
    shop(buckets, PATIENT.replace("name: shop", "name: kiosk"))
    buckets.landing.overwrite("kiosk/a.csv", GOOD)
    client = start("monitor", "http")
    client.post("/", json={})
    [waiting] = [line for line in log_lines(capsys) if kiosk(line)]
    crown("kiosk", buckets)

    client.post("/", json={})

    [line] = [line for line in log_lines(capsys) if kiosk(line)]
    assert (waiting["champion"], waiting["champion_age_seconds"]) == (None, None)
    assert waiting["message"] == "kiosk: accepted files wait for a first champion"
    assert (line["logger"], line["champion"]) == ("perennial.monitor", "v000001")
    assert isinstance(line["champion_age_seconds"], float)
    assert COUNTED - {"decision"} <= set(line)
    assert line["message"].startswith("kiosk: champion v000001 was made ")


def kiosk(line: dict[str, Any]) -> bool:
    return line.get("pipeline") == "kiosk" and "champion" in line


def test_monitor_sweeps_for_a_post_only(
    start: Callable[[str, str], FlaskClient], buckets: Buckets
) -> None:
    shop(buckets)
    lost = "shop/unseen.csv"
    buckets.landing.overwrite(lost, GOOD.replace(b"2024", b"2025"))

    answer = start("monitor", "http").get("/")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert lost not in {v.file.name for v in list_in_force(buckets.data, "shop")}
