"""What callers see: the model's own predictions, and each change of champion within two seconds."""

from __future__ import annotations

import csv
import threading
import time

import numpy as np
import pandas as pd
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.modelling.training import fit


@pytest.fixture(scope="module")
def shop(cloud, bike, tmp_path_factory):
    """A pipeline with two approved versions; returns its definition's text."""
    path = tmp_path_factory.mktemp("serving") / "bike.yaml"
    cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(path))
    cloud.run("apply", str(path))
    for file in bike[:2]:
        cloud.run("drop", "bike", str(file), "--wait")
    return path.read_text()


def instances(file) -> list[dict]:
    with file.open() as lines:
        return [
            {k: v if k == "event_time" else float(v) for k, v in row.items() if k != "cnt"}
            for row in csv.DictReader(lines)
        ]


def wait_for_version(cloud, version: str) -> float:
    """Seconds until answers come from this version."""
    start = time.monotonic()
    while cloud.predict("bike", [{}]).headers.get("X-Model-Version") != version:
        assert time.monotonic() - start < 30, f"{version} never served"
        time.sleep(0.02)
    return time.monotonic() - start


def test_predictions_over_http_equal_those_of_the_scikit_learn_pipeline(cloud, shop, bike):
    definition = parse(shop)
    frame = pd.concat([pd.read_csv(f) for f in bike[:2]], ignore_index=True)
    frame["event_time"] = pd.to_datetime(frame["event_time"], utc=True)
    model = fit(definition, frame)
    rows = pd.read_csv(bike[2])
    rows["event_time"] = pd.to_datetime(rows["event_time"], utc=True)

    answer = cloud.predict("bike", instances(bike[2])).json()

    assert answer["model_version"] == cloud.json("status", "bike")["champion"]
    np.testing.assert_allclose(answer["predictions"], model.predict(rows), rtol=1e-5, atol=1e-4)


def test_a_rollback_appears_in_answers_within_two_seconds_and_unpin_lets_versions_in(
    cloud, shop, bike
):
    versions = cloud.json("status", "bike")
    cloud.run("rollback", "bike", "--why", "to see it")
    assert wait_for_version(cloud, versions["predecessors"][0]) < 2
    pinned = cloud.json("drop", "bike", str(bike[2]), "--wait")
    assert [run["outcome"] for run in pinned["runs"]] == ["waiting_approval"]
    cloud.run("unpin", "bike")
    cloud.run("approve", "bike", pinned["runs"][0]["version"])
    assert wait_for_version(cloud, pinned["runs"][0]["version"]) < 2


def test_concurrent_requests_all_succeed_while_the_champion_changes(cloud, shop, bike):
    rows = instances(bike[1])[:3]
    stop = threading.Event()
    seen: list[tuple[int, str]] = []

    def ask() -> None:
        while not stop.is_set():
            answer = cloud.predict("bike", rows)
            seen.append((answer.status_code, answer.headers.get("X-Model-Version", "")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for version in ("v000001", "v000002", "v000001"):
            cloud.run("rollback", "bike", "--to", version, "--why", "back and forth")
            time.sleep(1.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _ in seen} == {200}
    assert len({version for _, version in seen}) >= 2
