"""The console over a pipeline in memory: real judging, real training, real pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from perennial.console.app import App
from perennial.console.rendering import Renderer
from perennial.domain.names import FileId
from perennial.wiring.console import Console
from perennial.workflows.console.callers import Gate
from perennial.workflows.judging import judge
from tests.unit.training.conftest import Taps, made_taps

FOLDER = Path(__file__).parents[3] / "functions" / "console"
HOST = "http://127.0.0.1:8080"
RENDERER = Renderer(FOLDER)


class Browser:
    """Somebody who clicks, by an address of this machine.

    Attributes:
        console: what is looked at.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        app = App(console, RENDERER)
        self._client = Client(lambda environ, start: app(Request(environ))(environ, start))

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self._client.get(path, base_url=HOST, headers=_named(headers))

    def post(self, path: str, form: dict[str, str], **headers: str) -> TestResponse:
        """Send a form as it is."""
        return self._client.post(path, base_url=HOST, data=form, headers=_named(headers))

    def act(self, path: str, why: str = "to try it", **more: str) -> TestResponse:
        """Open an action's page, give a reason, and send its form."""
        page = self.get(path).get_data(as_text=True)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        return self.post(path.partition("?")[0], {**fields, "why": why, **more}, origin=HOST)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class Answers:
    """A predict that says the same to everybody, and keeps what it was asked."""

    def __init__(self, status: int = 200, document: dict[str, Any] | None = None) -> None:
        self.asked: list[Any] = []
        self.status = status
        self.document = document or {"predictions": [2.5], "model_version": "v000001"}

    def address(self, pipeline: str) -> str:
        return f"http://predict.test/v1/models/{pipeline}:predict"

    def ask(self, pipeline: str, instance: Any) -> tuple[int, dict[str, Any]]:
        self.asked.append(instance)
        return self.status, self.document


def drop_bad(taps: Taps, name: str, text: str) -> FileId:
    """A file that breaks a rule."""
    info = taps.trainer.buckets.landing.overwrite(f"taps/{name}", text.encode())
    file = FileId(info.generation, info.name)
    judge(taps.trainer.buckets, taps.registry, taps.trainer.clock, file)
    return file


@pytest.fixture
def taps() -> Taps:
    return made_taps()


@pytest.fixture
def served() -> Taps:
    """With two versions and a third file that nothing has learned."""
    taps = made_taps()
    for _ in range(2):
        taps.drop()
        taps.train()
    return taps


@pytest.fixture
def browse() -> Callable[..., Browser]:
    """Opens the console of a pipeline, as somebody who may act unless another gate is given."""

    def browse(taps: Taps, gate: Gate | None = None, predict: Any = None) -> Browser:
        trainer = taps.trainer
        console = Console(
            trainer.buckets,
            taps.registry,
            trainer.launcher,
            trainer.clock,
            gate or Gate(None, frozenset(), local="ada"),
            predict,
        )
        return Browser(console)

    return browse


def manual(taps: Taps) -> None:
    """Let people approve versions."""
    taps.apply(taps.text + "promotion:\n  mode: manual\n")


__all__ = ["Answers", "Browser", "drop_bad", "manual", "replace"]
