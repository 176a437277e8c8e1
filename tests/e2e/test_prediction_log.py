"""What was asked and answered, by champion and shadow, lands in the bucket of prediction logs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from tests.e2e.test_serving import instances

SERVING = """
promotion: {mode: manual}
serving:
  log: {features: 1.0, leave_out: [hum]}
  shadow: true
"""


@pytest.fixture(scope="module")
def shop(cloud, bike, tmp_path_factory):
    """v000001 serves, v000002 waits for approval and is the shadow."""
    path = tmp_path_factory.mktemp("logged") / "bike.yaml"
    cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(path))
    text = path.read_text().partition("\npromotion:")[0]
    path.write_text(text + SERVING)
    cloud.run("apply", str(path))
    cloud.run("drop", "bike", str(bike[0]), "--wait")
    cloud.run("approve", "bike", "v000001")
    cloud.run("drop", "bike", str(bike[1]), "--wait")
    return bike


def entries(cloud) -> list[dict[str, Any]]:
    """The log entries that lie in the bucket, read over the JSON API."""
    bucket = f"{cloud.endpoints['storage']}/storage/v1/b/perennial-predictions/o"
    names = [one["name"] for one in requests.get(bucket, timeout=10).json().get("items", [])]
    assert all(name.startswith("run.googleapis.com/stdout/") for name in names)
    texts = [
        requests.get(f"{bucket}/{requests.utils.quote(name, safe='')}?alt=media", timeout=10).text
        for name in names
    ]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def payload_of(cloud, request: str, seconds: float = 20) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for entry in entries(cloud):
            if entry["jsonPayload"]["request"] == request:
                return entry["jsonPayload"]
        time.sleep(0.2)
    raise AssertionError(f"no line of {request}")


def shadow_of(cloud) -> str | None:
    (one,) = requests.get(cloud.endpoints["predict"], timeout=30).json()["pipelines"]
    return one["shadow"]


def test_a_request_and_both_answers_are_found_in_the_bucket(cloud, shop):
    deadline = time.monotonic() + 20
    while shadow_of(cloud) is None and time.monotonic() < deadline:
        time.sleep(0.2)
    rows = instances(shop[2])[:3]
    answer = cloud.predict("bike", rows)
    payload = payload_of(cloud, answer.headers["X-Request-Id"])
    assert (payload["pipeline"], payload["version"], payload["count"]) == ("bike", "v000001", 3)
    told = payload["instances"]
    assert [one["prediction"] for one in told] == answer.json()["predictions"]
    assert [one["features"]["temp"] for one in told] == [one["temp"] for one in rows]
    assert all("hum" in row for row in rows)
    assert not any("hum" in one["features"] for one in told)
    assert payload["shadow"]["version"] == "v000002"
    assert len(payload["shadow"]["predictions"]) == 3
    assert payload["shadow"]["predictions"] != answer.json()["predictions"]
    assert "v000002" not in answer.text


def test_lines_survive_a_stop_and_a_start(cloud, shop):
    before = cloud.predict("bike", instances(shop[2])[:1]).headers["X-Request-Id"]
    cloud.down()
    cloud.up()
    after = cloud.predict("bike", instances(shop[2])[:1]).headers["X-Request-Id"]
    for request in (before, after):
        payload_of(cloud, request)
    requested = [entry["jsonPayload"]["request"] for entry in entries(cloud)]
    assert len(requested) == len(set(requested)), "no line twice"
