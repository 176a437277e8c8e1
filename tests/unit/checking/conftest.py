"""A champion that real runs made, and the predict function over HTTP on the same buckets."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from functions_framework.aio import create_asgi_app

from perennial.adapters.clock import SystemClock
from perennial.adapters.graph import Graph
from perennial.cli.predictor import Predictor
from perennial.domain.checking.looks import Check, DeploymentTest
from perennial.wiring import predict as wiring
from perennial.workflows.check import check
from perennial.workflows.serve import Server
from tests.unit.training.conftest import Taps, taps  # noqa: F401 (a fixture)

MAIN = Path(__file__).parents[3] / "functions" / "predict" / "main.py"


class SmokelessGraphs:
    """The real graphs without the fresh process, which a test of its own starts."""

    def load(self, graph, manifest):
        return Graph(graph, manifest)

    def smoke(self, graph, manifest, instances, expected):
        assert len(instances) == len(expected) > 0


@pytest.fixture
def champion(taps: Taps) -> Taps:  # noqa: F811
    """A pipeline whose champion, v000002, won a duel; a third file waits."""
    for _ in range(2):
        taps.drop()
        taps.train()
    assert taps.head.champion == "v000002"
    return taps


@pytest.fixture
def url(champion: Taps, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the predict function listens."""
    models = champion.trainer.buckets.models
    monkeypatch.setattr(wiring, "server", lambda _: Server(models, SystemClock(), Graph))
    monkeypatch.setattr(sys, "path", [*sys.path])
    app = create_asgi_app("predict", str(MAIN), "http")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
    )
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()
    sys.modules.pop("main", None)


@pytest.fixture
def tested(champion: Taps) -> Callable[..., Check]:
    """Puts the champion through every test; keywords replace what graphs run on, or what serves."""

    def run(url: str = "", **parts: object) -> Check:
        parts = {
            "graphs": SmokelessGraphs(),
            "serving": lambda: Predictor(url, "taps", iter(())),
            **parts,
        }
        trainer = champion.trainer
        clock = parts.pop("clock", trainer.clock)
        return check(trainer.buckets.data, trainer.registry, clock, "taps", **parts)

    return run


def results(found: Check) -> list[str]:
    """How each of the five ended."""
    return [test.result for test in found.tests]


def said(test: DeploymentTest) -> dict[str, str]:
    """What each look of a test found."""
    return {one.what: one.said for one in test.looks}
