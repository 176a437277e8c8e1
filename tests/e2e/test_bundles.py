"""Each bundle starts from its zip in an empty environment with only its own requirements."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path

import pytest
import requests

from infra.bundle import build
from localdev.delivery.cloudevent import headers
from localdev.delivery.outbox import Outbox
from localdev.settings import (
    BUCKETS,
    FUNCTIONS,
    HOST,
    PREDICTIONS,
    ROOT,
    VERSIONED,
    Addresses,
    Function,
    config,
    deployment,
    platform,
    process,
)
from localdev.storage.database import FILE_NAME
from localdev.storage.process import StorageServer
from perennial.adapters.clock import SystemClock
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.ports import Buckets
from perennial.wiring.storage import open_buckets
from perennial.workflows.apply import apply
from perennial.workflows.judging import judge
from perennial.workflows.monitoring.watches import latest_watch
from perennial.workflows.registry import Registry
from perennial.workflows.runs import RunRecord, write_run
from perennial.workflows.verdicts import list_in_force
from tests.bench.hosting import free_port

PATIENCE = 60.0  # seconds until a process that does not answer is taken for dead
UV = Path(sys.executable).with_name("uv")
VISITS = """
name: {name}
task: binary
columns:
  when: {{type: timestamp, role: event_time}}
  people: {{type: integer, rules: [{{range: [1, 20]}}]}}
  bought: {{type: boolean, role: label}}
training: {{model: linear, min_rows: {min_rows}}}
"""


class NoLauncher:
    """A platform that starts nothing: what runs here, the tests start."""

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return "never"

    def has_ended(self, execution: str) -> bool:
        return True


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    """A storage emulator with all buckets, which records the events of landing."""
    buckets = [f"{name}:versioned" if name in VERSIONED else name for name in BUCKETS.values()]
    buckets.append(PREDICTIONS)
    folder = tmp_path_factory.mktemp("storage")
    with StorageServer(folder, buckets=buckets, notify=[BUCKETS["landing"]]) as server:
        yield server


@pytest.fixture(scope="module")
def addresses(storage: StorageServer) -> Addresses:
    """The Admin API of Cloud Run is down."""
    return Addresses(storage=storage.url, run=f"http://{HOST}:9")


@pytest.fixture
def outbox(storage: StorageServer) -> Outbox:
    """The events that wait for delivery."""
    return Outbox(storage.directory / FILE_NAME)


@pytest.fixture(scope="module")
def buckets(addresses: Addresses) -> Buckets:
    return open_buckets(config(addresses))


@pytest.fixture
def define(buckets: Buckets) -> Callable[..., None]:
    """Puts a pipeline's definition in force."""

    def define(name: str, min_rows: int = 1000) -> None:
        registry = Registry(buckets.models, SystemClock())
        text = VISITS.format(name=name, min_rows=min_rows)
        apply(buckets, registry, NoLauncher(), SystemClock(), text, by="ann")

    return define


class Deployed:
    """One function's zip, unpacked where nothing else is, and an environment made for it.

    Args:
        function: which.
        directory: an empty folder.
        addresses: what it may call.
    """

    def __init__(self, function: Function, directory: Path, addresses: Addresses) -> None:
        self.folder = directory / "workspace"
        self.log = directory / "log"
        self._bin = directory / "environment" / "bin"
        self._function = function
        self._home = directory / "home"
        self._home.mkdir()
        self._addresses = addresses
        with zipfile.ZipFile(build(function.name, directory / "bundles").zip) as archive:
            archive.extractall(self.folder)
        self._install()

    def python(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run its Python to the end, in its folder."""
        return subprocess.run(
            [self._bin / "python", *arguments],
            cwd=self.folder,
            env={**self._environment(0), **variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    @contextmanager
    def serving(self, **variables: str) -> Iterator[str]:
        """Its base URL, while the framework serves it as its environment variables say."""
        port = free_port()
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [self._bin / "functions-framework"],
                cwd=self.folder,
                env={**self._environment(port), "HOST": HOST, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._await(server, f"http://{HOST}:{port}/robots.txt")
            yield f"http://{HOST}:{port}/"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def _environment(self, port: int) -> Mapping[str, str]:
        return {
            **process(self._home, self._addresses, {"PATH": os.defpath}),
            **platform(self._function, port),
            **deployment(self._addresses),
            # A function without an event trigger of its own is HTTP to the platform, ingest too;
            # its decorator knows better.
            "FUNCTION_SIGNATURE_TYPE": "http",
        }

    def _install(self) -> None:
        environment = self._bin.parent
        requirements = self.folder / "requirements.txt"
        into = ["--python", self._bin / "python"]
        for arguments in (
            ["venv", "--quiet", "--python", sys.executable, environment],
            ["pip", "sync", "--quiet", *into, "--require-hashes", requirements],
        ):
            done = subprocess.run([UV, *arguments], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def _await(self, server: subprocess.Popen[bytes], url: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while server.poll() is None and time.monotonic() < deadline:
            with suppress(requests.ConnectionError):
                requests.get(url, timeout=PATIENCE)
                return
            time.sleep(0.02)
        pytest.fail(f"{self._function.name} does not serve:\n{self.log.read_text()[-3000:]}")


@pytest.fixture
def deployed(request: pytest.FixtureRequest, tmp_path: Path, addresses: Addresses) -> Deployed:
    """The function that a test asks for, which can import nothing of the checkout's."""
    (function,) = (one for one in FUNCTIONS if one.name == request.param)
    made = Deployed(function, tmp_path, addresses)
    look = "import json, sys, perennial; print(json.dumps([perennial.__file__, *sys.path]))"
    seen = made.python("-c", look)
    assert seen.returncode == 0, seen.stderr
    package, *paths = json.loads(seen.stdout)
    assert Path(package).is_relative_to(made.folder)
    assert not [path for path in paths if path and Path(path).is_relative_to(ROOT)]
    return made


def only(function: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("deployed", [function], indirect=True)


def visits(seed: int, rows: int) -> bytes:
    """A file whose label follows from the number of people, mostly."""
    chance = random.Random(seed)
    lines = ["when,people,bought"]
    for day in range(rows):
        people = chance.randint(1, 20)
        bought = str(people + chance.gauss(0, 3) > 10).lower()
        lines.append(f"{date(2026, 1, 1) + timedelta(days=day)},{people},{bought}")
    return "\n".join(lines).encode() + b"\n"


@only("ingest")
def test_ingest_judges_the_file_that_an_event_is_about(deployed, outbox, buckets, define):
    define("shop")
    name = "shop/january blüten.csv"
    generation = buckets.landing.overwrite(name, visits(1, 30)).generation
    [event] = [one for one in outbox.due(inf, 10) if one.name == name]
    with deployed.serving() as url:
        answer = requests.post(url, data=event.data, headers=headers(event), timeout=PATIENCE)
    assert answer.status_code == 200, deployed.log.read_text()
    verdict = Verdict.from_json(
        buckets.data.read(f"shop/verdicts/{FileId(generation, name).stem}.json").data
    )
    assert (verdict.decision, verdict.rows) == ("accepted", 30)


@only("predict")
def test_predict_answers(deployed):
    with deployed.serving() as url:
        answer = requests.get(url, timeout=PATIENCE)
    assert answer.status_code == 200, deployed.log.read_text()
    assert answer.json()["service"] == "perennial-predict"


@only("monitor")
def test_monitor_sweeps_what_no_event_told_of(deployed, buckets, define):
    define("stall")
    buckets.landing.overwrite("stall/unheard.csv", visits(2, 20))
    with deployed.serving() as url:
        answer = requests.post(url, data=b"{}", timeout=PATIENCE)
    assert answer.status_code == 200, deployed.log.read_text()
    assert answer.json()["errors"] == {}
    assert [one.decision for one in list_in_force(buckets.data, "stall")] == ["accepted"]


@only("monitor")
def test_monitor_looks_at_every_pipeline_and_tells_what_it_found(deployed, buckets, define):
    define("fair")
    now = datetime.now(UTC)
    record = RunRecord("fair", "20260101T000000000000-0", "failed", "no memory", now, now)
    write_run(buckets.data, record)
    with deployed.serving() as url:
        for _ in range(2):
            answer = requests.post(url, data=b"{}", timeout=PATIENCE)
    assert answer.status_code == 200, deployed.log.read_text()
    assert answer.json()["watched"]["errors"] == {}
    watch = latest_watch(buckets.data, "fair")
    assert [one.kind for one in watch.findings] == ["job_failed"]
    assert watch.errors == {}
    lines = map(json.loads, deployed.log.read_text().splitlines())
    told = [one for one in lines if one.get("logger") == "perennial.monitor.findings"]
    assert [(one["pipeline"], one["finding"], one["change"]) for one in told] == [
        ("fair", "job_failed", "opened")
    ]
    assert (told[0]["severity"], told[0]["finding_severity"]) == ("ERROR", "error")


@only("console")
def test_console_shows_its_pages_and_lets_nobody_act_who_is_not_named(deployed, define):
    define("booth")
    with deployed.serving() as url:  # a deployment without its audience knows nobody
        assert requests.get(url, timeout=PATIENCE).status_code == 403
    with deployed.serving(PERENNIAL_CONSOLE_LOCAL_OPERATOR="ada") as url:
        page = requests.get(f"{url}p/booth", timeout=PATIENCE)
        forged = requests.post(f"{url}p/booth/do/retrain", data={"why": "forged"}, timeout=PATIENCE)
    assert page.status_code == 200, deployed.log.read_text()
    assert "booth" in page.text
    [style] = re.findall(r'<link rel="stylesheet" href="(/assets/[^"]*console.css)"', page.text)
    assert style
    assert forged.status_code in (403, 409), forged.text


@only("train")
def test_train_writes_a_version_and_ends_well(deployed, buckets, define):
    define("taps", min_rows=50)
    registry = Registry(buckets.models, SystemClock())
    info = buckets.landing.overwrite("taps/history.csv", visits(3, 200))
    file = FileId(info.generation, info.name)
    assert judge(buckets, registry, SystemClock(), file).decision == "accepted"
    done = deployed.python(
        "main.py", PERENNIAL_PIPELINE="taps", CLOUD_RUN_EXECUTION="perennial-train-x1"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert registry.require("taps").champion == "v000001"
    manifest = json.loads(buckets.models.read("taps/versions/v000001/manifest.json").data)
    assert manifest["version"] == "v000001"
