from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import httpx
import pytest
from functions_framework.aio import create_asgi_app

from perennial.adapters.graph import Graph
from perennial.adapters.memory import MemoryStore
from perennial.errors import StoreUnavailable
from perennial.ports import ObjectInfo, StoredObject
from perennial.wiring import predict as wiring
from perennial.workflows.serve import Server
from perennial.workflows.serving.pipeline import Timing

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
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self._http = httpx.AsyncClient(transport=transport, base_url="http://predict", timeout=30)

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        return self._runner.run(self._http.request(method, path, **options))  # type: ignore[arg-type]

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def predict(
        self, *instances: object, pipeline: str = "shop", query: str = ""
    ) -> httpx.Response:
        path = f"/v1/models/{pipeline}:predict{query}"
        return self.request("POST", path, json={"instances": list(instances)})

    def together(self, count: int, path: str) -> list[httpx.Response]:
        """The same GET, many times at once."""

        async def gather() -> list[httpx.Response]:
            return await asyncio.gather(*(self._http.get(path) for _ in range(count)))

        return self._runner.run(gather())

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


@pytest.fixture
def client(
    store: TroubledStore, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A client of the function as functions-framework hosts it, over a store in memory."""
    timing = Timing(patience=0.2, cold_patience=0.4)
    monkeypatch.setattr(
        wiring, "server", lambda _: Server(store, clock, Graph, timing=timing, versions=2)
    )
    monkeypatch.setattr(sys, "path", [*sys.path])
    client = Client(create_asgi_app("predict", str(MAIN), "http"))
    yield client
    store.answers.set()
    client.close()
    sys.modules.pop("main", None)
