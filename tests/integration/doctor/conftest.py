"""Google's APIs as one small server, and whole local clouds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from perennial.adapters.google_platform import GOOGLE

PERENNIAL = Path(sys.executable).with_name("perennial")


@dataclass
class Apis:
    """Documents by service and path, what comes instead, and what was asked."""

    url: str = ""
    emulator: str = ""
    documents: dict[tuple[str, str], Any] = field(default_factory=dict)
    instead: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    @property
    def addresses(self) -> dict[str, str]:
        return {service: f"{self.url}/{service}" for service in [*GOOGLE, "predict"]}

    def objects(self, path_and_query: str) -> requests.Response | None:
        """What the emulator says of objects, which need a real store."""
        if not self.emulator or not path_and_query.startswith("/storage/"):
            return None
        url = self.emulator + path_and_query.removeprefix("/storage")
        return requests.get(url, timeout=10)

    def answer(self, service: str, path: str) -> tuple[int, Any]:
        if (service, path) in self.instead:
            return self.instead[service, path]
        if (service, path) in self.documents:
            return 200, self.documents[service, path]
        error = {"code": 404, "message": f"Resource '{path}' was not found", "status": "NOT_FOUND"}
        return 404, {"error": error}


@pytest.fixture
def apis() -> Iterator[Apis]:
    apis = Apis()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            service, _, path = unquote(parts.path).removeprefix("/").partition("/")
            apis.asked.append((service, path, parts.query))
            apis.tokens.append(self.headers.get("authorization"))
            stored = apis.objects(self.path)
            status, document = apis.answer(service, path)
            if status == 404 and stored is not None:
                self._pass_on(stored)
                return
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if status in (301, 302):
                self.send_header("location", f"{apis.url}/elsewhere/x")
            self.end_headers()
            self.wfile.write(body)

        def _pass_on(self, stored: requests.Response) -> None:
            self.send_response(stored.status_code)
            for name, value in stored.headers.items():
                if name.lower() in ("content-type", "content-length") or name.startswith("x-goog"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(stored.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    apis.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield apis
    server.shutdown()
    server.server_close()


class LocalCloud:
    """A local cloud in a folder of its own, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERENNIAL_", "GOOGLE_"))}
        return subprocess.run(
            [PERENNIAL, *words],
            env={**kept, "PERENNIAL_LOCAL": str(self.folder)},
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def up(self) -> None:
        done = self.run("up", "--detach", "--tick", "3600")
        assert done.returncode == 0, done.stderr + done.stdout

    def down(self) -> None:
        self.run("down")

    @property
    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.folder / "endpoints.json").read_text())

    def diagnosis(self) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit code, and the findings by what they are about."""
        done = self.run("doctor", "--json")
        document = json.loads(done.stdout)
        found = {finding["check"]: finding for finding in document["findings"]}
        assert len(found) == document["ok"] + document["problems"] + document["unknown"]
        assert done.returncode == (1 if document["problems"] else 0)
        return done.returncode, found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud that the tests of a module share; each puts right what it broke."""
    local = LocalCloud(tmp_path_factory.mktemp("doctor") / "cloud")
    local.folder.mkdir()
    local.up()
    yield local
    local.down()
