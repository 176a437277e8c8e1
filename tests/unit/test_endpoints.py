"""Ports follow the one that was asked for, and URLs survive a restart where they can."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from localdev import endpoints
from localdev.endpoints import SERVICES, Ports, PortTaken


def test_services_take_consecutive_ports_from_the_one_asked_for(tmp_path):
    first = _free_run(len(SERVICES))
    ports = endpoints.choose(tmp_path, first)
    assert [ports.of[service] for service in SERVICES] == list(range(first, first + len(SERVICES)))


def test_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} \\(storage\\)"):
            endpoints.choose(tmp_path, port)


def test_ports_of_the_last_run_are_used_again_but_for_those_in_use(tmp_path):
    before = endpoints.choose(tmp_path)
    endpoints.write(tmp_path, before, list(SERVICES), pid=1)
    assert endpoints.choose(tmp_path) == before
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", before.of["predict"]))
        taken.listen()
        after = endpoints.choose(tmp_path)
    assert after.of["predict"] != before.of["predict"]
    assert {**after.of, "predict": 0} == {**before.of, "predict": 0}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"storage": 7, "predict": "http://x:port"}'])
def test_damaged_file_counts_as_none(text: str, tmp_path: Path):
    (tmp_path / endpoints.FILE_NAME).write_text(text)
    assert set(endpoints.choose(tmp_path).of) == set(SERVICES)


def test_file_says_where_everything_is(tmp_path):
    ports = Ports({service: 1000 + number for number, service in enumerate(SERVICES)})
    written = endpoints.write(tmp_path, ports, ["storage", "predict", "run"], pid=42)
    assert endpoints.read(tmp_path) == written
    assert written == {
        "storage": "http://127.0.0.1:1000",
        "predict": "http://127.0.0.1:1001",
        "run": "http://127.0.0.1:1004",
        "buckets": {
            "landing": "perennial-landing",
            "quarantine": "perennial-quarantine",
            "data": "perennial-data",
            "models": "perennial-models",
        },
        "predictions_bucket": "perennial-predictions",
        "versioned": ["landing", "models"],
        "project": "local",
        "region": "local",
        "train_job": "perennial-train",
        "model_packages": {},
        "pid": 42,
    }


def _free_run(length: int) -> int:
    """The first of so many consecutive ports that nothing listens on."""
    for first in range(21_000, 60_000, 97):
        with socket.socket() as probe:
            if all(probe.connect_ex(("127.0.0.1", first + step)) for step in range(length)):
                return first
    raise AssertionError("no free ports")
