"""Prediction logs land in their bucket, hour by hour, each line once, whatever is killed when."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from localdev.logsink import LogSink
from localdev.settings import PREDICTIONS
from localdev.storage.process import StorageServer

NOON = "run.googleapis.com/stdout/2025/02/18/12:00:00_12:59:59_S0.json"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer(tmp_path / "storage", buckets=[PREDICTIONS]) as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "predict.log"
    path.parent.mkdir()
    path.touch()
    return path


@pytest.fixture
def sink(server: StorageServer, tmp_path: Path) -> Callable[..., LogSink]:
    """Makes a sink as a start of the cloud does; it is flushed by hand."""
    return lambda **options: LogSink(tmp_path, server.url, **options)


def line(number: int, hour: int = 12) -> str:
    payload = {
        "severity": "INFO",
        "time": datetime(2025, 2, 18, hour, 30, tzinfo=UTC).isoformat(),
        "message": "shop v000001 answered 1",
        "logger": "perennial.predictions",
        "request": f"r-{number}",
    }
    return json.dumps(payload) + "\n"


def add(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(lines)


def objects(server: StorageServer) -> dict[str, list[dict[str, Any]]]:
    options = {"api_endpoint": server.url}
    client = storage.Client("local", AnonymousCredentials(), client_options=options)
    return {
        one.name: [json.loads(line) for line in one.download_as_bytes().splitlines()]
        for one in client.list_blobs(PREDICTIONS)
    }


def requests_in(server: StorageServer) -> list[str]:
    return [one["jsonPayload"]["request"] for lines in objects(server).values() for one in lines]


def test_a_line_becomes_the_entry_that_cloud_logging_would_write(server, log, sink):
    mention = {"logger": "perennial.predict", "message": '"perennial.predictions"'}
    add(log, "not json\n", line(1), json.dumps(mention) + "\n")
    sink().flush()
    ((entry,),) = objects(server).values()
    assert list(objects(server)) == [NOON]
    assert entry["jsonPayload"] == {
        "message": "shop v000001 answered 1",
        "logger": "perennial.predictions",
        "request": "r-1",
    }
    assert (entry["severity"], entry["timestamp"]) == ("INFO", "2025-02-18T12:30:00+00:00")
    assert entry["logName"] == "projects/local/logs/run.googleapis.com%2Fstdout"
    assert entry["resource"]["labels"]["service_name"] == "perennial-predict"


def test_the_hours_object_grows_and_another_hour_has_another(server, log, sink):
    one = sink()
    add(log, line(1))
    one.flush()
    add(log, line(2), line(3, hour=13))
    one.flush()
    assert {name: len(lines) for name, lines in objects(server).items()} == {
        NOON: 2,
        "run.googleapis.com/stdout/2025/02/18/13:00:00_13:59:59_S0.json": 1,
    }


def test_a_line_of_an_hour_that_is_over_does_not_overwrite_it(server, log, sink):
    add(log, line(1), line(2, hour=13), line(3), line(4, hour=13))
    sink().flush()
    assert sorted(name[-7:-5] for name in objects(server)) == ["S0", "S0", "S1", "S1"]
    assert sorted(requests_in(server)) == ["r-1", "r-2", "r-3", "r-4"]


def test_an_object_that_is_large_enough_is_followed_by_another(server, log, sink):
    add(log, *map(line, range(100)))
    sink(shard_bytes=5_000).flush()
    assert len(objects(server)) > 5
    assert sorted(requests_in(server)) == sorted(f"r-{number}" for number in range(100))


def test_half_a_line_waits_for_its_other_half(server, log, sink):
    one = sink()
    add(log, line(1), line(2)[:40])
    one.flush()
    assert requests_in(server) == ["r-1"]
    add(log, line(2)[40:])
    one.flush()
    assert requests_in(server) == ["r-1", "r-2"]


@pytest.mark.parametrize("flushed", [0, 1, 7, 12, 20])
def test_a_restart_loses_and_doubles_nothing(server, log, sink, flushed):
    first = sink(shard_bytes=1_500)
    add(log, *map(line, range(flushed)))
    first.flush()
    add(log, *(line(number) for number in range(flushed, 20)))
    for _ in range(2):  # each as after a kill
        sink(shard_bytes=1_500).flush()
    assert sorted(requests_in(server)) == sorted(f"r-{number}" for number in range(20))


def test_a_silent_emulator_loses_nothing(server, log, sink, tmp_path):
    one = sink(shard_bytes=1_500)
    add(log, *map(line, range(5)))
    away = LogSink(tmp_path, "http://127.0.0.1:9", shard_bytes=1_500)
    with pytest.raises((OSError, http.client.HTTPException)):
        away.flush()
    one.flush()
    add(log, *map(line, range(5, 20)))
    sink(shard_bytes=1_500).flush()
    assert sorted(requests_in(server)) == sorted(f"r-{number}" for number in range(20))


def test_a_log_that_was_emptied_begins_another_object(server, log, sink):
    one = sink()
    add(log, line(1), line(2))
    one.flush()
    log.write_text("")
    add(log, line(3))
    one.flush()
    sink().flush()
    assert sorted(requests_in(server)) == ["r-1", "r-2", "r-3"]


def test_it_flushes_by_itself_and_once_more_in_the_end(server, log, sink, eventually):
    one = sink(seconds=0.05)
    one.start()
    add(log, line(1))
    eventually(lambda: requests_in(server) == ["r-1"])
    slow = sink(seconds=3600)
    slow.start()
    one.stop()
    add(log, line(2))
    slow.stop()
    assert requests_in(server) == ["r-1", "r-2"]
