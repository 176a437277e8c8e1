"""A running local cloud, some of whose processes stand still; and none of which may overstep."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import requests

from localdev import identities
from localdev.processes import MARK
from localdev.settings import BUCKETS, TABLE, Addresses, config
from perennial.adapters.cloud_storage import CloudStorageStore, connect
from perennial.config import Config
from perennial.errors import PermissionDenied
from perennial.wiring.storage import open_buckets
from perennial.workflows.runs import RunRecord, write_run
from tests.e2e.conftest import LocalCloud
from tests.integration.cloud.conftest import eventually

DEFINITION = """
name: shop
task: binary
columns:
  day: {type: integer}
  people: {type: integer, rules: [{range: [1, 20]}]}
  bought: {type: boolean, role: label}
training: {model: linear, min_rows: 50}
"""


SECRET = "hooks/T0p53cr37"  # noqa: S105 (of nobody)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[LocalCloud]:
    """A local cloud whose webhook is a secret, and does not answer."""
    local = LocalCloud(tmp_path_factory.mktemp("cloud"))
    local.up("--alert-webhook", f"http://127.0.0.1:9/{SECRET}")
    yield local
    local.down()


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud, tmp_path_factory) -> Callable[..., Path]:
    """The cloud has a champion; makes further files."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "shop.yaml").write_text(DEFINITION)

    def file(name: str, seed: int, people: int = 0) -> Path:
        chance = random.Random(seed)
        lines = ["day,people,bought"]
        for day in range(80):
            some = people or chance.randint(1, 20)
            lines.append(f"{day},{some},{str(some + chance.gauss(0, 3) > 10).lower()}")
        path = folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    cloud.run("apply", str(folder / "shop.yaml"))
    dropped = cloud.json("drop", "shop", str(file("first.csv", 1)), "--wait")
    assert [run["outcome"] for run in dropped["runs"]] == ["promoted"]
    return file


@contextmanager
def standing_still(cloud: LocalCloud, part: str) -> Iterator[None]:
    """Neither dead, which would have it started again, nor able to answer."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(cloud.folder) and (
                f"localdev.{part}" in process.cmdline() or Path(process.cwd()).name == part
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    assert found, part
    for process in found:
        process.suspend()
    try:
        yield
    finally:
        for process in found:
            process.resume()


def predicted(cloud: LocalCloud) -> float:
    answer = cloud.predict("shop", [{"day": 3, "people": 15}])
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]["probabilities"]["true"]


def test_delivery_down(cloud, shop):
    with standing_still(cloud, "delivery"):
        cloud.run("drop", "shop", str(shop("second.csv", 2)))
        assert cloud.json("status", "shop")["counts"].get("accepted") == 1
        assert cloud.json("sweep", "shop")["judged"] == {"accepted": 1}
        assert predicted(cloud) > 0.5
    # The event comes in the end, and is acknowledged without another verdict.
    eventually(lambda: "second.csv" in (cloud.folder / "logs" / "ingest.log").read_text(), 60)
    assert cloud.json("status", "shop")["counts"]["accepted"] == 2


def test_console_gone(cloud, shop):
    """It is a window and nothing else: the command line decides as ever."""
    with standing_still(cloud, "console"):
        with pytest.raises(requests.RequestException):
            requests.get(cloud.endpoints["console"], timeout=1)
        bad = shop("odd.csv", 3, people=99)
        cloud.run("drop", "shop", str(bad), "--wait", code=1, check=False)
        assert cloud.json("status", "shop")["counts"]["quarantined"] == 1
        cloud.run("quarantine", "discard", "shop", "odd.csv", "--why", "a test")
        assert predicted(cloud) > 0.5
    assert requests.get(cloud.endpoints["console"], timeout=30).status_code == 200


@pytest.mark.parametrize("part", sorted(TABLE["access"]))
def test_a_part_that_oversteps_is_refused(cloud, shop, part):
    """With the very token that its process has."""
    table = json.loads((cloud.folder / identities.FILE_NAME).read_text())
    [token] = [token for token, entry in table.items() if entry["part"] == part]
    endpoint = cloud.endpoints["storage"]
    client = connect(Config("", "", "", "", storage_endpoint=endpoint, storage_token=token))
    landing = CloudStorageStore(client, BUCKETS["landing"])
    with pytest.raises(PermissionDenied, match=rf"{part} does not have storage\.objects\.create"):
        landing.create("shop/forged.csv", b"")
    models = CloudStorageStore(client, BUCKETS["models"])
    with pytest.raises(PermissionDenied):
        models.overwrite("shop/versions/v000001/model.onnx", b"another")
    head = models.stat("shop/registry/head.json")
    if part not in ("train", "console"):
        with pytest.raises(PermissionDenied):
            models.replace(head.name, b"{}", generation=head.generation)


def test_no_part_was_refused_anything(cloud, shop):
    """Judging, training, predicting and the pages above took no more than the table gives."""
    console = cloud.endpoints["console"]
    pages = (
        "/",
        "/p/shop",
        "/p/shop/files",
        "/p/shop/versions",
        "/p/shop/quarantine",
        "/p/shop/runs",
    )
    for page in pages:
        assert requests.get(console + page, timeout=30).status_code == 200, page
    swept = requests.post(cloud.endpoints["monitor"], data=b"{}", timeout=60)
    assert swept.status_code == 200, swept.text
    logs = [path for path in (cloud.folder / "logs").rglob("*.log") if path.is_file()]
    assert {"ingest.log", "monitor.log", "console.log", "predict.log"} <= {one.name for one in logs}
    for log in logs:
        assert "does not have storage." not in log.read_text(), log


def test_no_secret_is_in_a_log(cloud, shop):
    """No token, not the webhook's address, nor the cookie against forgery; all were used."""
    console = cloud.endpoints["console"]
    with requests.Session() as browser:
        page = browser.get(f"{console}/p/shop/do/pin", timeout=30)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
        acted = browser.post(
            f"{console}/p/shop/do/pin",
            data={**fields, "why": "a test"},
            headers={"Origin": console},
            timeout=30,
        )
        cookies = [cookie.value for cookie in browser.cookies]
    assert acted.status_code == 200, acted.text
    assert len(cookies) == 1
    buckets = open_buckets(config(Addresses(cloud.endpoints["storage"], cloud.endpoints["run"])))
    now = datetime.now(UTC)
    write_run(
        buckets.data, RunRecord("shop", f"{now:%Y%m%dT%H%M%S%f}-0", "failed", "a test", now, now)
    )
    swept = requests.post(cloud.endpoints["monitor"], data=b"{}", timeout=60)
    assert "took no alert" in swept.json()["watched"]["untold"]["shop"]["webhook"]
    tokens = json.loads((cloud.folder / identities.FILE_NAME).read_text())
    secrets = [*tokens, SECRET, *cookies]
    written = [
        path for path in cloud.folder.rglob("*") if path.suffix in (".log", ".jsonl", ".html")
    ]
    text = "".join(path.read_text(errors="replace") for path in written) + swept.text
    assert "took no alert" in text
    assert [secret for secret in secrets if secret in text] == []
    assert (cloud.folder / identities.FILE_NAME).stat().st_mode & 0o077 == 0
