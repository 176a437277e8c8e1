"""`perennial doctor` on a real local cloud, whole and broken."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests

from localdev.processes import MARK
from perennial.workflows.doctoring.promises.catalogue import PROMISES

from .conftest import LocalCloud


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within half a minute"
        time.sleep(0.05)


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0


def end(cloud: LocalCloud, port: int) -> None:
    """Kill whatever listens on a port, if it belongs to this cloud."""
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(MARK) == str(cloud.folder)
            if ours and any(c.laddr.port == port for c in process.net_connections("tcp")):
                process.kill()
        except (psutil.Error, OSError):
            continue


def test_a_cloud_that_runs_is_well(cloud: LocalCloud) -> None:
    code, found = cloud.diagnosis()

    assert code == 0
    assert {finding["state"] for finding in found.values()} == {"ok"}
    assert set(found) >= {
        "storage", "ingest", "predict", "monitor", "console", "run", "delivery", "landing bucket",
        "models bucket", "dead letters", "scheduler", "landing: verdicts", "pipelines",
    }  # fmt: skip
    assert found["landing bucket"]["found"] == "versioning on"
    assert found["data bucket"]["found"] == "versioning off"


def test_people_get_a_line_for_each(cloud: LocalCloud) -> None:
    done = cloud.run("doctor")

    assert (done.returncode, done.stderr) == (0, "")
    assert "ok       predict            answers" in done.stdout
    assert done.stdout.splitlines()[-1] == "15 ok, 0 problems, 0 unknown"


def test_a_bucket_is_tried_and_left_as_it_was(cloud: LocalCloud) -> None:
    objects = f"{cloud.endpoints['storage']}/storage/v1/b/perennial-data/o?versions=true"
    before = requests.get(objects, timeout=10).json()
    done = cloud.run("doctor", "--probe", "data", "--json")
    document = json.loads(done.stdout)

    assert (done.returncode, document["problems"], document["unknown"]) == (0, 0, 0)
    assert document["bucket"] == "perennial-data"
    found = {one["check"]: one["found"] for one in document["findings"]}
    assert found["data bucket"] == "versioning off"
    assert found["a wrong checksum is refused"] == "kept"
    assert found["a replaced generation is gone"] == "kept"
    assert found["clean-up"] == "nothing is left"
    assert requests.get(objects, timeout=10).json() == before


def test_a_bucket_with_versions_is_tried_by_its_name(cloud: LocalCloud) -> None:
    done = cloud.run("doctor", "--probe", "gs://perennial-models/")

    assert (done.returncode, done.stderr) == (0, "")
    assert "ok       replaced generations are kept" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{len(PROMISES) + 1} ok, 0 problems, 0 unknown"


def test_landing_is_not_tried(cloud: LocalCloud) -> None:
    for name in ("landing", "perennial-landing"):
        done = cloud.run("doctor", "--probe", name)
        assert (done.returncode, done.stdout) == (1, "")
        assert "gs://perennial-landing tells of every new object" in done.stderr


def test_a_bucket_that_is_not_there_is_a_problem(cloud: LocalCloud) -> None:
    done = cloud.run("doctor", "--probe", "roses")

    assert done.returncode == 1
    assert "bucket roses  expected that it exists, found it does not: name another" in done.stdout


def test_a_function_that_does_not_start_points_to_its_log(cloud: LocalCloud) -> None:
    main = cloud.folder / "bundles" / "monitor" / "main.py"
    whole, url = main.read_text(), cloud.endpoints["monitor"]
    main.write_text("raise RuntimeError('broken on purpose')\n")
    try:
        end(cloud, urlsplit(url).port or 0)
        eventually(lambda: not listens(url))
        code, found = cloud.diagnosis()
    finally:
        main.write_text(whole)

    assert code == 1
    assert found["monitor"]["state"] == "problem"
    assert found["monitor"]["fix"] == f"look at {cloud.folder}/logs/monitor.log"
    assert {name for name, one in found.items() if one["state"] == "problem"} == {"monitor"}
    eventually(lambda: listens(url))


def test_a_bucket_without_versions_is_a_problem(cloud: LocalCloud) -> None:
    url = f"{cloud.endpoints['storage']}/storage/v1/b/perennial-landing"
    requests.patch(url, json={"versioning": {"enabled": False}}, timeout=10).raise_for_status()
    try:
        code, found = cloud.diagnosis()
    finally:
        requests.patch(url, json={"versioning": {"enabled": True}}, timeout=10)

    assert code == 1
    assert found["landing bucket: versioning"]["found"] == "off"


def test_events_that_were_given_up_are_a_problem(cloud: LocalCloud) -> None:
    letters = cloud.folder / "dead-letter.jsonl"
    letters.write_text(json.dumps({"name": "a"}) + "\n" + json.dumps({"name": "b"}) + "\n")
    try:
        code, found = cloud.diagnosis()
    finally:
        letters.unlink()

    assert code == 1
    assert found["dead letters"]["found"] == "2 events were given up"
    assert str(letters) in found["dead letters"]["fix"]


def test_a_sweep_that_failed_is_a_problem(cloud: LocalCloud) -> None:
    log = cloud.folder / "logs" / "scheduler.log"
    before = log.read_text()
    log.write_text(before + "2026-11-21T10:00:00.000000Z 500 Internal Server Error\n")
    try:
        code, found = cloud.diagnosis()
    finally:
        log.write_text(before)

    assert code == 1
    assert found["scheduler"]["found"].endswith("500 Internal Server Error")


def test_a_pipeline_whose_head_is_damaged_is_named(cloud: LocalCloud) -> None:
    objects = f"{cloud.endpoints['storage']}/upload/storage/v1/b/perennial-models/o"
    query = {"uploadType": "media", "name": "flowers/registry/head.json"}
    requests.post(objects, params=query, data=b"{", timeout=10).raise_for_status()
    code, found = cloud.diagnosis()
    name = "flowers%2Fregistry%2Fhead.json"
    requests.delete(
        f"{cloud.endpoints['storage']}/storage/v1/b/perennial-models/o/{name}", timeout=10
    ).raise_for_status()

    assert code == 1
    assert found["pipeline flowers"]["state"] == "problem"


def test_a_cloud_that_was_killed_says_to_start_it(cloud: LocalCloud) -> None:
    urls = [url for url in cloud.endpoints.values() if str(url).startswith("http://")]
    os.kill(cloud.endpoints["pid"], signal.SIGKILL)
    eventually(lambda: not any(map(listens, urls)))
    code, found = cloud.diagnosis()

    assert code == 1
    assert "perennial up" in found["cloud"]["fix"]


def test_a_folder_without_a_cloud_says_so(tmp_path: Path) -> None:
    done = LocalCloud(tmp_path / "none").run("doctor")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"perennial: no local cloud was ever up in {tmp_path}/none")
