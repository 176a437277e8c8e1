"""What is installed is pinned by its bytes, may be used, and can be audited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted([*ROOT.glob("functions/*/requirements.txt"), *ROOT.glob("requirements/*.txt")])
AUDIT = [sys.executable, str(ROOT / "requirements" / "audit.py")]
_PIN = re.compile(r"([A-Za-z0-9][\w.\-]*)(\[[\w,]+\])?==([\w.+!]+)( ; .+)?")

COPYLEFT = re.compile(r"\b(A?GPL|Affero|GNU General Public)", re.IGNORECASE)
"""What could not be shipped under Apache-2.0; the Lesser one may be linked to."""


def requirements(lock: Path) -> list[tuple[str, int]]:
    """Each requirement of a lock, without its hashes, and how many it has."""
    lines = lock.read_text().splitlines()
    kept = [line for line in lines if line and not line.lstrip().startswith("#")]
    return [
        (re.split(r"\s+--hash", line)[0].strip(), line.count("--hash=sha256:"))
        for line in "\n".join(kept).replace("\\\n", " ").splitlines()
    ]


def versions(lock: Path) -> dict[str, str]:
    return dict(line.split(" ; ")[0].split("==") for line, _ in requirements(lock))


def test_every_function_has_a_lock_of_its_own():
    assert len(LOCKS) >= 5 + 3
    for main in ROOT.glob("functions/*/main.py"):
        assert main.with_name("requirements.txt") in LOCKS


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.parent.name}-{lock.stem}")
def test_every_requirement_is_pinned_by_its_bytes(lock):
    found = requirements(lock)
    assert found
    assert [line for line, hashes in found if not _PIN.fullmatch(line) or not hashes] == []


def test_a_line_that_is_not_pinned_would_be_found(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("a==1.0 \\\n    --hash=sha256:00\nb>=2\nc==3 ; sys_platform == 'win32'\n")
    assert requirements(lock) == [("a==1.0", 1), ("b>=2", 0), ("c==3 ; sys_platform == 'win32'", 0)]
    assert not _PIN.fullmatch("b>=2")
    assert not _PIN.fullmatch("d @ https://example.com/d.whl")


def test_what_functions_ship_with_has_the_versions_that_are_tested():
    tested = versions(ROOT / "requirements" / "dev.txt")
    for lock in ROOT.glob("functions/*/requirements.txt"):
        assert versions(lock).items() <= tested.items(), lock


def test_what_functions_ship_with_may_be_shipped():
    unknown, forbidden = [], []
    for lock in ROOT.glob("functions/*/requirements.txt"):
        for line, _ in requirements(lock):
            name = re.split(r"==|\[", line)[0]
            try:
                about = metadata(name)
            except PackageNotFoundError:  # for another platform
                assert " ; " in line, line
                continue
            told = [about.get("License-Expression") or "", (about.get("License") or "")[:80]]
            told += [one for one in about.get_all("Classifier") or () if one.startswith("License")]
            if not any(told):
                unknown.append(name)
            if COPYLEFT.search(" ".join(told)) and "Lesser" not in " ".join(told):
                forbidden.append((name, told))
    assert sorted(set(unknown)) == []
    assert forbidden == []


@contextmanager
def database(answer: dict[str, Any]) -> Iterator[str]:
    """One that speaks OSV, and gives the same answer about everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def audit(url: str) -> subprocess.CompletedProcess[str]:
    if not (ROOT / ".venv" / "audit" / "bin" / "pip-audit").exists():
        pytest.skip("no auditor: run `make check` or `make audit`")
    lock = ROOT / "requirements" / "bootstrap.txt"  # the shortest
    return subprocess.run(
        [*AUDIT, "--osv-url", url, str(lock)], capture_output=True, text=True, check=False
    )


def test_an_audit_that_finds_nothing():
    with database({}) as url:
        done = audit(url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 vulnerabilities known" in done.stdout


def test_an_audit_that_finds_something_names_it():
    affected = [{"package": {"name": "uv", "ecosystem": "PyPI"}, "versions": [], "ranges": []}]
    vulnerability = {"id": "GHSA-test", "aliases": [], "summary": "bad", "affected": affected}
    with database({"vulns": [vulnerability]}) as url:
        done = audit(url)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "GHSA-test" in done.stdout


def test_an_audit_that_cannot_ask_says_so():
    done = audit("http://127.0.0.1:9/v1/query")
    assert done.returncode == 3
    assert "NOT AUDITED: the database cannot be reached" in done.stdout
