from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from functions_framework.aio import create_asgi_app

from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.errors import StoreUnavailable
from perennial.ports import ObjectInfo, StoredObject
from perennial.wiring import predict as wiring
from perennial.workflows.serve import Server
from perennial.workflows.serving.lookups import Lookups
from perennial.workflows.serving.pipeline import Timing
from perennial.workflows.serving.recording import Recorder
from perennial.workflows.serving.shadow import Shadows

MAIN = Path(__file__).parents[3] / "functions" / "predict" / "main.py"


class SetClock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2025, 2, 18, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class TroubledStore(MemoryStore):
    """A store that counts its calls, and that a test can make unreachable or silent."""

    def __init__(self) -> None:
        super().__init__("models")
        self.calls: Counter[str] = Counter()
        self.unreachable = False
        self.answers = Event()
        self.answers.set()

    def stat(self, name: str, *, generation: int | None = None) -> ObjectInfo:
        self._meet(f"stat {name}")
        return super().stat(name, generation=generation)

    def read(self, name: str, *, generation: int | None = None) -> StoredObject:
        self._meet(f"read {name}")
        return super().read(name, generation=generation)

    def list(self, prefix: str = "", **options: object) -> Iterator[ObjectInfo]:  # type: ignore[override]
        self._meet("list")
        return super().list(prefix, **options)  # type: ignore[arg-type]

    def _meet(self, call: str) -> None:
        self.calls[call] += 1
        self.answers.wait(timeout=20)
        if self.unreachable:
            raise StoreUnavailable(f"{call}: no answer", bucket=self.bucket)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store() -> TroubledStore:
    return TroubledStore()


class Client:
    """Calls an application in this process, on one event loop of its own."""

    def __init__(self, app: object) -> None:
        self._runner = asyncio.Runner()
        self._app = app
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self._http = httpx.AsyncClient(transport=transport, base_url="http://predict", timeout=30)

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        return self._runner.run(self._http.request(method, path, **options))  # type: ignore[arg-type]

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def predict(
        self, *instances: object, pipeline: str = "shop", query: str = "", **headers: str
    ) -> httpx.Response:
        path = f"/v1/models/{pipeline}:predict{query}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", path, json={"instances": list(instances)}, headers=sent)

    def predict_and_then(self, do: Callable[[], None], *instances: object) -> dict[str, Any]:
        """An answer; `do` is called once all of it is sent, before the function has ended."""
        body = json.dumps({"instances": instances}).encode()
        sent = bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                do()

        scope = {"type": "http", "method": "POST", "path": "/v1/models/shop:predict"}
        scope |= {"query_string": b"", "headers": [], "http_version": "1.1", "root_path": ""}
        self._runner.run(self._app(scope, receive, send))  # type: ignore[operator]
        document: dict[str, Any] = json.loads(sent)
        return document

    def together(self, count: int, path: str) -> list[httpx.Response]:
        """The same GET, many times at once."""

        async def gather() -> list[httpx.Response]:
            return await asyncio.gather(*(self._http.get(path) for _ in range(count)))

        return self._runner.run(gather())

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


@pytest.fixture
def lines() -> list[bytes]:
    """The prediction log."""
    return []


@pytest.fixture
def client(
    store: TroubledStore, clock: SetClock, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A client of the function as functions-framework hosts it, over a store in memory."""
    timing = Timing(patience=0.2, cold_patience=0.4)
    recorder = Recorder(lines.append, Shadows(patience=0.3))
    server = Server(store, clock, Graph, timing=timing, versions=2, recorder=recorder)
    monkeypatch.setattr(wiring, "server", lambda _: server)
    monkeypatch.setattr(wiring, "lookups", lambda _: Lookups(store, clock))
    monkeypatch.setattr(sys, "path", [*sys.path])
    client = Client(create_asgi_app("predict", str(MAIN), "http"))
    yield client
    store.answers.set()
    client.close()
    sys.modules.pop("main", None)
